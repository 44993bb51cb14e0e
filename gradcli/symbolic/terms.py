"""Scalars whose sums and products are put off, so that a sum of many becomes one node of the graph.

Ops that only move, add and multiply are run by NumPy on object arrays, two numbers at a time. Run on terms, they leave
a tree of what is to be added up; when a result's place in the graph is asked for, the whole tree becomes one sum or one
inner product.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.symbolic.complexes import Complex
from gradcli.symbolic.scalars import Graph, Scalar

_LEAF, _SUM, _DIFFERENCE, _PRODUCT = range(4)


class Term(Scalar):
    """A scalar of which sums and products are put off."""

    __slots__ = ("_index", "_kind", "_left", "_right")

    def __init__(self, graph: Graph, kind: int, left: Any, right: Any, index: int = -1) -> None:
        self.graph = graph
        self._kind = kind
        self._left = left
        self._right = right
        self._index = index

    @property
    def index(self) -> int:  # type: ignore[override]
        """The scalar's place in the graph, which it gets now."""
        if self._index < 0:
            self._index = self._settled()
        return self._index

    def __add__(self, other: Any) -> Any:
        return self._with(_SUM, self, other)

    def __radd__(self, other: Any) -> Any:
        return self if type(other) is int and other == 0 else self._with(_SUM, other, self)

    def __sub__(self, other: Any) -> Any:
        return self._with(_DIFFERENCE, self, other)

    def __mul__(self, other: Any) -> Any:
        return self._with(_PRODUCT, self, other)

    def __rmul__(self, other: Any) -> Any:
        return self._with(_PRODUCT, other, self)

    def _with(self, kind: int, left: Any, right: Any) -> Any:
        graph = self.graph
        x, y = _part(graph, left), _part(graph, right)
        return NotImplemented if x is None or y is None else Term(graph, kind, x, y)

    def _settled(self) -> int:
        graph = self.graph
        if self._kind == _PRODUCT:
            return graph.apply("mul", self._left.index, self._right.index)
        singles, xs, ys = self._flat()
        if not xs:
            return graph.total(singles)
        product = graph.inner(xs, ys)
        return graph.total([product, *singles]) if singles else product

    def _flat(self) -> tuple[list[int], list[int], list[int]]:
        """What is to be added up: single scalars, and pairs to be multiplied."""
        graph = self.graph
        singles: list[int] = []
        xs: list[int] = []
        ys: list[int] = []
        pending = [(self, False)]
        while pending:
            term, negative = pending.pop()
            if term._index >= 0:
                singles.append(graph.apply("neg", term._index) if negative else term._index)
            elif term._kind == _PRODUCT:
                y = term._right.index
                xs.append(term._left.index)
                ys.append(graph.apply("neg", y) if negative else y)
            else:
                pending.append((term._right, negative != (term._kind == _DIFFERENCE)))
                pending.append((term._left, negative))
        return singles, xs, ys


def _part(graph: Graph, x: Any) -> Term | None:
    if isinstance(x, Term):
        return x
    if isinstance(x, bool | int | float | np.generic):
        return Term(graph, _LEAF, None, None, graph.number(x))
    return Term(graph, _LEAF, None, None, x.index) if isinstance(x, Scalar) else None


def put_off(cells: Any) -> Any:
    """An array of scalars as terms; integers and bools stay what they are."""
    if cells.dtype != object:
        return cells
    made = np.empty(cells.size, dtype=object)
    made[:] = [_term(x) for x in cells.ravel()]
    return made.reshape(cells.shape)


def _term(x: Any) -> Any:
    if isinstance(x, Complex):
        return Complex(_term(x.re), _term(x.im))
    return Term(x.graph, _LEAF, None, None, x.index) if isinstance(x, Scalar) else x


def settled(x: Any) -> Any:
    """A term as a plain scalar."""
    if isinstance(x, Complex):
        return Complex(settled(x.re), settled(x.im))
    return Scalar(x.graph, x.index) if isinstance(x, Term) else x
