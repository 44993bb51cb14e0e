"""What an application of a function is at once: numbers are folded into one, neutral elements and equal branches drop.

A rule takes the graph and the indices of the arguments, and returns the index of what the application is, None where it
stays an application.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mpmath import libmp
from mpmath.libmp import fone, fzero

from gradcli.symbolic.functions import Raw

if TYPE_CHECKING:
    from gradcli.symbolic.scalars import Graph

#: Numbers are folded into one while their mantissa stays below this many bits; longer ones stay applications.
_FOLDED_BITS = 1200
_ONE, _MINUS_ONE = fone, libmp.from_int(-1)


def _folded(graph: Graph, operation: Callable[[Raw, Raw], Raw], x: Raw | None, y: Raw | None) -> int | None:
    if x is None or y is None or abs(x[2] - y[2]) > _FOLDED_BITS or not graph.folds:
        return None
    found = operation(x, y)
    return graph.number(found) if found[3] <= _FOLDED_BITS else None


def _value(graph: Graph, index: int) -> Raw | None:
    return graph.numbers[index] if graph.is_number(index) else None


def _add(graph: Graph, a: int, b: int) -> int | None:
    x, y = _value(graph, a), _value(graph, b)
    if x == fzero:
        return b
    if y == fzero:
        return a
    return _folded(graph, libmp.mpf_add, x, y)


def _sub(graph: Graph, a: int, b: int) -> int | None:
    x, y = _value(graph, a), _value(graph, b)
    if y == fzero:
        return a
    if x == fzero:
        return graph.apply("neg", b)
    return _folded(graph, libmp.mpf_sub, x, y)


def _mul(graph: Graph, a: int, b: int) -> int | None:
    x, y = _value(graph, a), _value(graph, b)
    if x is None and y is None:
        return None
    if fzero in (x, y):
        return graph.number(0)
    if x == _ONE:
        return b
    if y == _ONE:
        return a
    if x == _MINUS_ONE:
        return graph.apply("neg", b)
    if y == _MINUS_ONE:
        return graph.apply("neg", a)
    return _folded(graph, libmp.mpf_mul, x, y)


def _div(graph: Graph, a: int, b: int) -> int | None:
    x, y = _value(graph, a), _value(graph, b)
    if y == _ONE:
        return a
    if y == _MINUS_ONE:
        return graph.apply("neg", a)
    if x == fzero and y != fzero and y is not None:
        return a
    if x is not None and y is not None and y[1] == 1 and graph.folds:  # a power of two divides exactly
        return graph.number(libmp.mpf_div(x, y, max(x[3], 1), "n"))
    return None


def _neg(graph: Graph, a: int) -> int | None:
    x = _value(graph, a)
    if x is not None:
        return graph.number(libmp.mpf_neg(x))
    return graph.arguments[a][0] if graph.functions[a] == "neg" else None


def _pow(graph: Graph, a: int, b: int) -> int | None:
    y = _value(graph, b)
    if y == fzero:
        return graph.number(1)
    if y == _ONE:
        return a
    x = _value(graph, a)
    if x is None or y is None or not graph.folds:
        return None
    if y[2] >= 0 and not y[0] and y[3] + y[2] < 12 and x[3] * libmp.to_int(y) <= _FOLDED_BITS:
        return graph.number(libmp.mpf_pow_int(x, libmp.to_int(y), _FOLDED_BITS, "n"))
    return None


def _where(graph: Graph, c: int, a: int, b: int) -> int | None:
    x = _value(graph, c)
    if x is not None:
        return b if x == fzero else a
    return a if a == b else None


def _carry(graph: Graph, g: int, p: int) -> int | None:
    if graph.is_number(g) or graph.is_number(p):
        return graph.apply("mul", g, p)
    return None


def _stop(graph: Graph, a: int) -> int | None:
    return a if graph.is_number(a) else None


#: The rule of each function that has one: what an application is made of at once, None where it stays one.
SIMPLER: dict[str, Callable[..., int | None]] = {
    "add": _add,
    "sub": _sub,
    "mul": _mul,
    "div": _div,
    "neg": _neg,
    "pow": _pow,
    "where": _where,
    "carry": _carry,
    "stop": _stop,
}
