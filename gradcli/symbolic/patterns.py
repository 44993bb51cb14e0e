"""Elementwise ops on many scalars: the meaning is read once, and repeated for every element."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradcli.graph.errors import GradcliError
from gradcli.graph.op import Op
from gradcli.symbolic.meaning import Namespace, Unknown
from gradcli.symbolic.partials import Template, compiled
from gradcli.symbolic.scalars import Graph, Scalar, Unprovable

#: With fewer elements a meaning is asked for each.
_FEW = 4


class Pattern:
    """A meaning as instructions; `places` are the operands that it takes from arrays."""

    def __init__(self, template: Template, places: Sequence[int]) -> None:
        self._template = template
        self._places = places

    def applied(self, graph: Graph, columns: Sequence[Sequence[Any]]) -> list[Scalar]:
        """The results for columns of operands, one per operand."""
        template, apply = self._template, graph.apply
        words = zip(*([x.index for x in columns[place]] for place in self._places), strict=True)
        simple = template.one_application()
        if simple is not None:
            function, order = simple
            if order == tuple(range(len(self._places))):
                return [Scalar(graph, apply(function, *row)) for row in words]
        return [Scalar(graph, template.replayed(graph, row)) for row in words]


class Patterns:
    """The patterns of ops, each found at most once."""

    def __init__(self, folds: bool) -> None:
        self._folds = folds
        self._known: dict[Any, Pattern | None] = {}

    def of(self, op: Op, operands: Sequence[Any], params: Mapping[str, Any]) -> Pattern | None:
        """The pattern of an op with some operands arrays of scalars and others numbers; None where there is none."""
        arrays = [isinstance(x, np.ndarray) for x in operands]
        if not any(x.size >= _FEW for x, is_array in zip(operands, arrays, strict=True) if is_array):
            return None
        if not all(_plain(x) for x, is_array in zip(operands, arrays, strict=True) if is_array):
            return None
        literals = tuple(None if is_array else (type(x), x) for x, is_array in zip(operands, arrays, strict=True))
        try:
            key = (id(op), tuple(sorted(params.items())), literals)
            if key not in self._known:
                self._known[key] = self._found(op, operands, params)
            return self._known[key]
        except TypeError:  # parameters that can't be told apart
            return None

    def _found(self, op: Op, operands: Sequence[Any], params: Mapping[str, Any]) -> Pattern | None:
        scratch = Graph(folds=self._folds)
        places = [i for i, x in enumerate(operands) if isinstance(x, np.ndarray)]
        symbols = {i: Scalar(scratch, scratch.input(f"a{i}", 0, None)) for i in places}
        assert op.meaning is not None
        try:
            cell = op.meaning(Namespace(scratch), *(symbols.get(i, x) for i, x in enumerate(operands)), **params)
        except (GradcliError, Unprovable, Unknown, ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
            return None  # it looks at values: then it is asked for each element
        if not isinstance(cell, Scalar):
            return None
        return Pattern(compiled(scratch, len(places), cell.index), places)


def _plain(cells: Any) -> bool:
    """Whether an array holds real scalars and nothing else."""
    return cells.dtype == object and all(type(x) is Scalar for x in cells.ravel().tolist())
