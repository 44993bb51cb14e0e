"""The partial derivatives of elementary functions, taken by SymPy and carried back into the graph.

SymPy differentiates each function once, on Symbols made here. Its answer, an expression tree, is walked into a short
list of instructions that is then replayed wherever the function was applied.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

import sympy
from mpmath import libmp

from gradcli.symbolic.functions import FUNCTIONS
from gradcli.symbolic.scalars import DOT, SUM, Graph, Unprovable
from gradcli.symbolic.special_functions import BY_CLASS

#: The elementary function of each SymPy class that takes the same arguments.
_BY_CLASS: dict[Any, str] = {
    sympy.exp: "exp",
    sympy.log: "log",
    sympy.sin: "sin",
    sympy.cos: "cos",
    sympy.tan: "tan",
    sympy.asin: "asin",
    sympy.acos: "acos",
    sympy.atan: "atan",
    sympy.atan2: "atan2",
    sympy.sinh: "sinh",
    sympy.cosh: "cosh",
    sympy.tanh: "tanh",
    sympy.asinh: "asinh",
    sympy.acosh: "acosh",
    sympy.atanh: "atanh",
    sympy.gamma: "gamma",
    sympy.Abs: "abs",
    sympy.sign: "sign",
    sympy.floor: "floor",
    **BY_CLASS,
}


class Template(NamedTuple):
    """A function as instructions: applications (function, places) in order; places below the arity are the
    function's own arguments, then come `numbers`, then the results of the instructions."""

    arity: int
    numbers: tuple[Any, ...]
    instructions: tuple[tuple[str, tuple[int, ...]], ...]
    result: int

    def replayed(self, graph: Graph, arguments: tuple[int, ...]) -> int:
        """The index of the result for these arguments."""
        if not self.instructions:
            past = self.result - self.arity
            return arguments[self.result] if past < 0 else graph.number(self.numbers[past])
        places = [*arguments, *map(graph.number, self.numbers)]
        read = places.__getitem__
        for function, words in self.instructions:
            places.append(graph.apply(function, *map(read, words)))
        return places[self.result]

    def one_application(self) -> tuple[str, tuple[int, ...]] | None:
        """The function and its places, where it is nothing but one applied to some of the arguments."""
        if len(self.instructions) != 1 or self.numbers or self.result != self.arity:
            return None
        return self.instructions[0]


def partial(graph: Graph, index: int, position: int) -> int | None:
    """The partial derivative of the scalar `index` by its argument at `position`; None where it is locally constant.

    Raises:
        Unprovable: SymPy knows no such derivative.
    """
    name, arguments = graph.functions[index], graph.arguments[index]
    if name == "where":
        return _of_choice(graph, arguments, position)
    if name == SUM:
        return graph.number(1)
    if name == DOT:
        return arguments[(position + len(arguments) // 2) % len(arguments)]
    if ":" in name:
        return _of_complex_part(graph, name, arguments, position)
    if FUNCTIONS[name].orders:
        return _of_next_order(graph, name, arguments, position)
    template = _template(name, position)
    return None if template is None else template.replayed(graph, arguments)


def _of_choice(graph: Graph, arguments: tuple[int, ...], position: int) -> int | None:
    if position == 0:
        return None
    yes, no = (1, 0) if position == 1 else (0, 1)
    return graph.apply("where", arguments[0], graph.number(yes), graph.number(no))


def _of_next_order(graph: Graph, name: str, arguments: tuple[int, ...], position: int) -> int:
    """The partial derivative of a function of orders: itself, one order higher in that argument."""
    function = FUNCTIONS[name]
    place = position - (function.arity - function.orders)
    if place < 0:
        raise Unprovable(f"no derivative of {name} by its argument {position - function.orders + 1} is known")
    raised = list(arguments)
    order = graph.numbers[arguments[place]]
    raised[place] = graph.number(libmp.to_int(order) + 1)
    return graph.apply(name, *raised)


def _of_complex_part(graph: Graph, name: str, arguments: tuple[int, ...], position: int) -> int:
    """The partial derivative of the real or imaginary part of an analytic function: Cauchy and Riemann's equations."""
    part, _, function = name.partition(":")
    if position < len(arguments) - 2:
        raise Unprovable(f"no derivative of {function} by its order is known")
    if position == len(arguments) - 2:
        return _slope_of_part(graph, part, function, arguments)
    if part == "im":
        return _slope_of_part(graph, "re", function, arguments)
    return graph.apply("neg", _slope_of_part(graph, "im", function, arguments))


#: Signs in 2 f[v]' = a f[v-1] + b f[v+1] (DLMF 10.6.1, 10.29.1).
_BESSEL_SIGNS = {"besselj": (1, -1), "bessely": (1, -1), "besseli": (1, 1), "besselk": (-1, -1)}


def _slope_of_part(graph: Graph, part: str, function: str, arguments: tuple[int, ...]) -> int:
    """A part of the derivative of an analytic function."""
    n, *rest = arguments
    if function not in _BESSEL_SIGNS:
        higher = graph.number(libmp.to_int(graph.numbers[n]) + 1)
        return graph.apply(f"{part}:{function}", higher, *rest)
    v, x, y = rest
    terms = []
    for sign, move in zip(_BESSEL_SIGNS[function], ("sub", "add"), strict=True):
        beside = graph.apply(f"{part}:{function}", n, graph.apply(move, v, graph.number(1)), x, y)
        terms.append(graph.apply("div", beside, graph.number(2 * sign)))
    return graph.apply("add", *terms)


#: Derivatives that SymPy can write more plainly; 1 - tanh(x)**2 loses all digits where tanh(x) is nearly 1.
_SIMPLIFIED: dict[str, Callable[..., Any]] = {"pow": sympy.powsimp, "tanh": sympy.simplify}


@cache
def _template(name: str, position: int) -> Template | None:
    function = FUNCTIONS[name]
    if function.symbolic is None:
        return None
    symbols = sympy.symbols(f"a:{function.arity}", real=True)
    found = sympy.diff(function.symbolic(*symbols), symbols[position])
    if name in _SIMPLIFIED:
        found = _SIMPLIFIED[name](found)
    scratch = Graph()
    places = {symbol: scratch.input(symbol.name, 0, None) for symbol in symbols}
    template = compiled(scratch, function.arity, carried(scratch, found, places))
    return _vanishing(template) if name == "pow" and position == 1 else template


def compiled(scratch: Graph, arity: int, result: int) -> Template:
    """A scratch graph's applications as instructions; its first scalars are the `arity` arguments."""
    numbers = [i for i in range(len(scratch)) if scratch.is_number(i)]
    places = {i: i for i in range(arity)} | {i: arity + k for k, i in enumerate(numbers)}
    instructions = []
    for i in range(arity, len(scratch)):
        if i not in places:
            instructions.append((scratch.functions[i], tuple(places[a] for a in scratch.arguments[i])))
            places[i] = len(places)
    return Template(arity, tuple(scratch.numbers[i] for i in numbers), tuple(instructions), places[result])


def _vanishing(template: Template) -> Template:
    """A product with a power as one that is nothing where the power is: 0**b*log(0) is 0 for b > 0, as 0**b is."""
    first = template.arity + len(template.numbers)
    powers = {first + k for k, (function, _) in enumerate(template.instructions) if function == "pow"}
    instructions = []
    for function, words in template.instructions:
        if function == "mul" and powers.intersection(words):
            function, words = "carry", tuple(sorted(words, key=lambda w: w not in powers))
        instructions.append((function, words))
    return template._replace(instructions=tuple(instructions))


def carried(graph: Graph, expression: Any, places: Mapping[Any, int]) -> int:
    """A SymPy expression as a scalar of the graph, its symbols at `places`. Walks the tree without recursion.

    Raises:
        Unprovable: the expression holds something that is no elementary function.
    """
    done: dict[Any, int] = dict(places)
    pending = [expression]
    while pending:
        e = pending[-1]
        if e in done:
            pending.pop()
            continue
        missing = [x for x in _children(e) if x not in done]
        if missing:
            pending.extend(missing)
            continue
        done[pending.pop()] = _applied(graph, e, done)
    return done[expression]


def _children(e: Any) -> tuple[Any, ...]:
    if e.is_Pow and (e.exp.is_Rational):
        return (e.base,)
    if isinstance(e, sympy.exp):
        return (e.exp,)
    return () if e.is_Rational or e.is_Float else tuple(e.args)


def _applied(graph: Graph, e: Any, done: Mapping[Any, int]) -> int:
    if e.is_Rational:
        return _rational(graph, e)
    if e is sympy.pi:
        return graph.apply("pi")
    if e is sympy.E:
        return graph.apply("exp", graph.number(1))
    if e is sympy.EulerGamma:
        return graph.apply("euler_gamma")
    if e.is_Float:
        return graph.number(e._mpf_)
    if e.is_Add:
        return _sum(graph, [done[x] for x in e.args])
    if e.is_Mul:
        return _product(graph, e, done)
    if isinstance(e, sympy.exp):
        return graph.apply("exp", done[e.exp])
    if e.is_Pow:
        return _power(graph, done[e.base], e.exp, done)
    return _function(graph, e, done)


def _rational(graph: Graph, e: Any) -> int:
    return graph.apply("div", graph.number(int(e.p)), graph.number(int(e.q)))


def _sum(graph: Graph, terms: list[int]) -> int:
    return graph.total(terms)


def _product(graph: Graph, e: Any, done: Mapping[Any, int]) -> int:
    """Factors over divisors, so that a division rounds and is undefined where a division is."""
    above, below = None, None
    for x in e.args:
        if x.is_Pow and x.exp.is_Rational and x.exp.is_negative:
            factor = _power(graph, done[x.base], -x.exp, done)
            below = factor if below is None else graph.apply("mul", below, factor)
        else:
            above = done[x] if above is None else graph.apply("mul", above, done[x])
    found = graph.number(1) if above is None else above
    return found if below is None else graph.apply("div", found, below)


def _power(graph: Graph, base: int, exponent: Any, done: Mapping[Any, int]) -> int:
    if not exponent.is_Rational:
        return graph.apply("pow", base, done[exponent])
    if exponent.is_negative:
        return graph.apply("div", graph.number(1), _power(graph, base, -exponent, done))
    root = {1: None, 2: "sqrt", 3: "cbrt"}.get(int(exponent.q), "")
    if root == "":
        return graph.apply("pow", base, _rational(graph, exponent))
    found = base if root is None else graph.apply(root, base)
    return graph.apply("pow", found, graph.number(int(exponent.p)))


def _function(graph: Graph, e: Any, done: Mapping[Any, int]) -> int:
    if isinstance(e, sympy.Heaviside):
        return graph.apply("step", done[e.args[0]])
    if isinstance(e, sympy.Max | sympy.Min):
        name = "max" if isinstance(e, sympy.Max) else "min"
        found = done[e.args[0]]
        for x in e.args[1:]:
            found = graph.apply(name, found, done[x])
        return found
    name, args = _BY_CLASS.get(e.func, ""), e.args
    if name == "lambertw" and len(args) == 2:
        name, args = ("lambertw_lower" if args[1] == -1 else ""), args[:1]
    if not name or FUNCTIONS[name].arity - FUNCTIONS[name].orders != len(args):
        raise Unprovable(f"SymPy's {e.func.__name__} is not among the functions that can be evaluated")
    nothing = [graph.number(0)] * FUNCTIONS[name].orders
    return graph.apply(name, *nothing, *(done[x] for x in args))
