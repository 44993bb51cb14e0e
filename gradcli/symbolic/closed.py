"""Small programs as one closed formula: SymPy differentiates the whole of it.

Every number but small integers becomes a Symbol that is evaluated at its exact value, so that SymPy never computes with
long numbers. Bent functions are replaced by the piece that holds at the point.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sympy
from mpmath import libmp

from gradcli.symbolic.arithmetic import BENT
from gradcli.symbolic.evaluate import Plan, plan
from gradcli.symbolic.functions import FUNCTIONS, UNDEFINED, Raw, defined
from gradcli.symbolic.partials import carried
from gradcli.symbolic.scalars import INPUT, NUMBER, Graph, Unprovable
from gradcli.symbolic.swallowed import lossless

#: How often the precision is doubled for a formula whose terms cancel, and how many bits must agree.
_DOUBLINGS, _AGREEING = 3, 80

#: What SymPy makes of a formula like log(1 + t)/t where t is 0.
_NO_NUMBERS = (sympy.nan, sympy.zoo, sympy.oo, -sympy.oo)
#: Bounds of what is small: operations of the formulas written out as trees, their depth, and formulas times symbols.
_TREE, _DEPTH, _DERIVATIVES = 600, 120, 64


class Closed:
    """Formulas of a graph's scalars, and their derivatives by inputs.

    Raises (from `of`):
        Unprovable: SymPy can't hold one of the functions.
    """

    def __init__(self, graph: Graph, decisions: Mapping[int, int]) -> None:
        self._graph = graph
        self._decisions = decisions
        self._made: dict[int, Any] = {}
        self._values: dict[Any, Raw] = {}
        self._symbols: dict[int, Any] = {}

    def of(self, rows: Sequence[int]) -> list[Any]:
        """SymPy expressions of scalars."""
        for place in plan(self._graph, rows):
            if place not in self._made:
                self._made[place] = self._expression(place)
        return [self._made[r] for r in rows]

    def _expression(self, index: int) -> Any:
        graph = self._graph
        name, words = graph.functions[index], graph.arguments[index]
        if name in (NUMBER, INPUT):
            return self._atom(index)
        args = [self._made[a] for a in words]
        if name in BENT:
            return self._piece(name, args, self._decisions[index])
        if name in ("stop", "where"):
            raise Unprovable(f"{name} is no closed formula")
        if name == "pow" and all(x.is_number for x in args):
            raise Unprovable("a power of numbers is left to the chain rule")  # SymPy would multiply it out
        function = FUNCTIONS[name]
        if function.symbolic is None:
            raise Unprovable(f"{name} is no closed formula")
        made = function.symbolic(*args)
        if made.has(*_NO_NUMBERS):  # SymPy's derivative of those is 0
            raise Unprovable(f"{name} of these arguments is no number as a formula")
        return made

    def _piece(self, name: str, args: Sequence[Any], decision: int) -> Any:
        if name == "abs":
            return args[0] if decision > 0 else -args[0]
        if name in ("max", "min"):
            return args[0] if (decision > 0) == (name == "max") else args[1]
        if name in ("floor", "round", "sign"):
            return sympy.Integer(decision)
        raise Unprovable(f"{name} is no closed formula")

    def _atom(self, index: int) -> Any:
        raw = self._graph.numbers[index]
        assert raw is not None
        if self._graph.functions[index] == NUMBER and raw[2] >= 0 and raw[2] + raw[3] <= 5:
            return sympy.Integer(int(libmp.to_int(raw)))
        return self._symbol(index, raw)

    def _symbol(self, index: int, value: Raw) -> Any:
        symbol = self._symbols.get(index)
        if symbol is None:
            symbol = self._symbols[index] = sympy.Dummy(f"a{index}", real=True)
            self._values[symbol] = value
        return symbol

    def by(self, index: int) -> Any:
        """The Symbol of an input."""
        return self._atom(index)

    def value(self, expressions: Sequence[Any], precision: int) -> list[Raw]:
        """Expressions evaluated at the exact point; UNDEFINED where their terms cancel beyond all precisions tried."""
        graph = Graph()
        places = {s: graph.number(v) for s, v in self._values.items()}
        found = [carried(graph, e, places) for e in expressions]
        steps = plan(graph, found)
        before, after = (_values(graph, steps, found, bits) for bits in (precision, 2 * precision))
        for n in range(2, _DOUBLINGS + 1):
            if all(map(_settled, before, after)):
                break
            before, after = after, _values(graph, steps, found, precision << n)
        return [y if _settled(x, y) else UNDEFINED for x, y in zip(before, after, strict=True)]


def _values(graph: Graph, steps: Plan, places: Sequence[int], precision: int) -> list[Raw]:
    values = lossless(graph, steps, precision).values
    return [values[i] for i in places]


def _settled(x: Raw, y: Raw) -> bool:
    """Whether a number is the same at two precisions."""
    if x == y or not (defined(x) and defined(y)):
        return True
    gap = libmp.mpf_abs(libmp.mpf_sub(y, x, _AGREEING, "n"))
    return bool(libmp.mpf_le(libmp.mpf_shift(gap, _AGREEING), libmp.mpf_abs(y)))


def is_small(graph: Graph, rows: Sequence[int], columns: int) -> bool:
    """Whether formulas of these scalars, written out, are small enough to be differentiated whole."""
    if len(rows) * columns > _DERIVATIVES:
        return False
    sizes: dict[int, int] = {}
    depths: dict[int, int] = {}
    for place in plan(graph, rows):
        words = graph.arguments[place]
        sizes[place] = 1 + sum(sizes[a] for a in words)
        depths[place] = 1 + max((depths[a] for a in words), default=0)
        if sizes[place] > _TREE or depths[place] > _DEPTH:
            return False
    return sum(sizes[r] for r in rows) <= 4 * _TREE


def proved_whole(
    graph: Graph,
    rows: Sequence[int],
    columns: Sequence[int],
    decisions: Mapping[int, int],
    precision: int,
    order: int = 1,
) -> dict[tuple[int, int], Raw] | None:
    """d rows / d columns by SymPy, evaluated; None where they are no closed formulas.

    `order` 2 takes one row and gives its second derivatives, the keys being pairs of positions of columns.
    """
    formulas = Closed(graph, decisions)
    try:
        found = formulas.of(rows)
        symbols = [formulas.by(c) for c in columns]
        if order == 2:
            first = [sympy.diff(found[0], s) for s in symbols]
            places = [(i, j) for i in range(len(columns)) for j in range(len(columns))]
            second = [sympy.diff(first[i], symbols[j]) for i, j in places]
        else:
            places = [(r, c) for r in range(len(rows)) for c in range(len(columns))]
            second = [sympy.diff(found[r], symbols[c]) for r, c in places]
        return dict(zip(places, formulas.value(second, precision), strict=True))
    except (Unprovable, KeyError, RecursionError):
        return None
