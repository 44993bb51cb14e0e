"""From exact scalars to SymPy expressions for people: the program's own names, numbers as they were written."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import sympy
from mpmath import libmp
from sympy.logic.boolalg import Boolean

from gradcli.graph.errors import ArgumentError
from gradcli.symbolic.evaluate import Reader, plan
from gradcli.symbolic.functions import FUNCTIONS, Raw, defined
from gradcli.symbolic.scalars import GATE, INPUT, NUMBER, UNKNOWN, Graph

#: Denominators of multiples of pi that are shown as such.
_PI_PARTS = (1, 2, 3, 4, 6, 8, 180)
#: A fraction with a power of two up to this below is exactly short; other floats are shown in decimals.
_SHORT = 64
#: A float that is a fraction of two numbers, this the largest below, is shown as it: 1/3, not 0.3333333333333333.
_PLAIN = 99
#: How many operations an expression may have, written out.
_TREE = 4_000
#: How deep functions and operations may be nested: SymPy walks its trees by recursion.
_DEPTH = 100


class LocallyConstant(sympy.Function):  # type: ignore[misc]
    """A function whose derivative is zero wherever it has one."""

    def _eval_derivative(self, symbol: Any) -> Any:
        return sympy.Integer(0)


class Floor(LocallyConstant):
    """Largest integer not above."""

    nargs = 1

    @classmethod
    def eval(cls, x: Any) -> Any:
        """An integer is its own."""
        return x if x.is_Integer else None


class Round(LocallyConstant):
    """Nearest integer."""

    nargs = 1


class Kept(LocallyConstant):
    """A value cut from the program's history."""

    nargs = 1


class Expressions:
    """SymPy expressions of a graph's scalars.

    Args:
        graph: the scalars; numbers unfolded.
        symbol: makes the Symbol of an input from its name and flat index.

    Attributes:
        decimals: whether some number was written as a decimal fraction, so that formulas show them so.
    """

    def __init__(self, graph: Graph, symbol: Callable[[str, int], Any]) -> None:
        self._graph = graph
        self._symbol = symbol
        self._made: dict[int, Any] = {}
        self._sizes: dict[int, int] = {}
        self._depths: dict[int, int] = {}
        self.decimals = False

    def of(self, roots: Sequence[int]) -> list[Any]:
        """Expressions of scalars.

        Raises:
            ArgumentError: one is too large to be a formula.
        """
        for place in plan(self._graph, roots):
            if place in self._made:
                continue
            self._depths[place] = self._depth(place)
            size = 1 + sum(self._sizes[a] for a in self._graph.arguments[place])
            if size > 4 * _TREE:
                self._refuse()
            made = self._made[place] = self._expression(place)
            if size > _TREE:  # SymPy may have added up what was counted piece by piece
                size = int(sympy.count_ops(made)) + 1
            if size > _TREE:
                self._refuse()
            self._sizes[place] = size
        return [number_of(self._made[r]) for r in roots]

    def _refuse(self) -> None:
        raise ArgumentError(
            f"the formula has more than {_TREE:,} operations", mend="gradcli grad gives the derivative's value"
        )

    def _depth(self, place: int) -> int:
        """How deep an expression is; sums and products of several terms are as deep as one."""
        flat = self._graph.functions[place] in ("add", "sub", "mul")
        depth = max((self._depths[a] for a in self._graph.arguments[place]), default=0) + (0 if flat else 1)
        if depth > _DEPTH:
            raise ArgumentError(
                f"the formula is nested more than {_DEPTH} deep", mend="gradcli grad gives the derivative's value"
            )
        return depth

    def _expression(self, index: int) -> Any:
        graph = self._graph
        name = graph.functions[index]
        if name == INPUT:
            return self._symbol(*graph.labels[index])
        if name == NUMBER:
            raw = graph.numbers[index]
            assert raw is not None
            return self._number(raw)
        if name in (GATE, UNKNOWN):
            return self._solved(index)
        args = [self._made[a] for a in graph.arguments[index]]
        special = _SPECIAL.get(name)
        if special is not None:
            return special(*args)
        function = FUNCTIONS[name].symbolic
        if function is None:
            raise ArgumentError(f"there is no formula for the derivative of {name}")
        return function(*(number_of(x) for x in args))

    def _solved(self, index: int) -> Any:
        """What equations between numbers define, as a number."""
        value = self._graph.reader(Reader).value(index)
        if value is None:
            raise ArgumentError("there is no formula for what is defined by equations")
        return self._number(libmp.mpf_pos(value, 53, "n"))

    def _number(self, raw: Raw) -> Any:
        if not defined(raw):
            return sympy.oo if raw == libmp.finf else -sympy.oo if raw == libmp.fninf else sympy.nan
        if raw[2] >= 0 and raw[2] + raw[3] < 200:
            return sympy.Integer(int(libmp.to_int(raw)))
        value = float(libmp.to_float(raw))
        known = _known(value)
        if known is not None:
            return known
        fraction = Fraction(value)
        if fraction.denominator <= _SHORT and abs(fraction.numerator) < 10_000:
            return sympy.Rational(fraction.numerator, fraction.denominator)
        plain = fraction.limit_denominator(_PLAIN)
        if _unending(plain.denominator) and float(plain) == value:
            return sympy.Rational(plain.numerator, plain.denominator)
        self.decimals = True
        written = Fraction(Decimal(repr(value)))
        return sympy.Rational(written.numerator, written.denominator)


def _unending(denominator: int) -> bool:
    """Whether a fraction has no end as a decimal, so that whoever has its float wrote a fraction."""
    for factor in (2, 5):
        while denominator % factor == 0:
            denominator //= factor
    return denominator > 1


def _known(value: float) -> Any:
    """A float that is pi's, a simple part or multiple of it, or e's."""
    if value == math.e:
        return sympy.E
    for below in _PI_PARTS:
        ratio = value / math.pi * below
        above = round(ratio)
        if 0 < abs(above) <= 360 and above * math.pi / below == value:
            return sympy.pi * sympy.Rational(above, below)
    return None


def number_of(x: Any) -> Any:
    """An expression as a number: a truth becomes 1 or 0."""
    return sympy.Piecewise((1, x), (0, True)) if _is_truth(x) else x


def _is_truth(x: Any) -> bool:
    return isinstance(x, Boolean) and not isinstance(x, sympy.Expr)  # a Symbol is both


def _truth(x: Any) -> Any:
    return x if _is_truth(x) else sympy.Ne(x, 0)


def _compared(relation: Any) -> Callable[[Any, Any], Any]:
    return lambda a, b: relation(number_of(a), number_of(b))


def _choice(c: Any, a: Any, b: Any) -> Any:
    return sympy.Piecewise((number_of(a), _truth(c)), (number_of(b), True))


def _power(a: Any, b: Any) -> Any:
    base, exponent = number_of(a), number_of(b)
    if base.is_number and exponent.is_number and abs(exponent) > 1000:
        raise ArgumentError("a power of numbers is too large for a formula")
    return base**exponent


_SPECIAL: dict[str, Callable[..., Any]] = {
    "floor": lambda x: Floor(number_of(x)),
    "round": lambda x: Round(number_of(x)),
    "stop": lambda x: Kept(number_of(x)),
    "sign": lambda x: sympy.sign(number_of(x)),
    "step": lambda x: sympy.Heaviside(number_of(x)),
    "lt": _compared(sympy.Lt),
    "le": _compared(sympy.Le),
    "eq": _compared(sympy.Eq),
    "and": lambda a, b: sympy.And(_truth(a), _truth(b)),
    "or": lambda a, b: sympy.Or(_truth(a), _truth(b)),
    "not": lambda a: sympy.Not(_truth(a)),
    "where": _choice,
    "pow": _power,
    "pi": lambda: sympy.pi,
    "euler_gamma": lambda: sympy.EulerGamma,
}


def differentiated(expression: Any, symbol: Any) -> Any:
    """The derivative where there is one: what lives at a kink alone is left out."""
    found = sympy.diff(expression, symbol)
    if found.has(sympy.DiracDelta):
        found = found.replace(sympy.DiracDelta, lambda *_: sympy.Integer(0))
    if found.has(sympy.sign) and found.has(sympy.Abs):
        found = found.replace(lambda e: e.is_Mul, _without_sign)
    return found.replace(sympy.Heaviside, _step) if found.has(sympy.Heaviside) else found


def _without_sign(product: Any) -> Any:
    """sign(u)/abs(u) is 1/u."""
    factors = set(product.args)
    for x in product.args:
        if isinstance(x, sympy.sign) and 1 / sympy.Abs(x.args[0]) in factors:
            return product / x * sympy.Abs(x.args[0]) / x.args[0]
    return product


def _step(argument: Any, *at_zero: Any) -> Any:
    """A step at a larger or smaller one with a number, told without it: `max(x, 0) < 1` is `x < 1`."""
    sign, rest = sympy.Integer(1), argument
    for bent in argument.atoms(sympy.Max, sympy.Min):
        numbers = [x for x in bent.args if x.is_Rational]
        others = [x for x in bent.args if not x.is_Rational]
        sign = argument.coeff(bent)
        rest = argument - sign * bent
        if len(numbers) != 1 or len(others) != 1 or abs(sign) != 1 or not rest.is_Rational:
            continue
        border, is_max = -rest * sign, isinstance(bent, sympy.Max)
        if numbers[0] == border:
            continue
        decided = (numbers[0] > border) == is_max  # the number alone puts it on its side of the border
        if decided:
            return sympy.Integer(int((sign > 0) == is_max))
        return sympy.Heaviside(sign * (others[0] - border))
    return sympy.Heaviside(argument, *at_zero)
