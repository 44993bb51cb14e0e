"""What the oracle is asked: the claimed arrays, and the matrix of exact derivatives that they are compared with."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from gradcli.graph.errors import ArgumentError
from gradcli.graph.node import Node
from gradcli.graph.values import CoreValue, Value, concrete, shape_of
from gradcli.symbolic.chain import Chain
from gradcli.symbolic.complexes import Complex
from gradcli.symbolic.derivatives import Matrix
from gradcli.symbolic.lowering import Lowered
from gradcli.symbolic.scalars import Unprovable

Claimed = Mapping[Any, Any]


class Block(NamedTuple):
    """One claimed array: rows times an input's elements.

    `output` is its output's number, or None where there is one.
    """

    label: str
    output: int | None
    rows: tuple[int, ...]
    column: str
    got: np.ndarray


class Task:
    """What is to be judged.

    Raises:
        ArgumentError: a claimed derivative has the wrong shape, or is of no input.
    """

    def __init__(
        self, outputs: Sequence[CoreValue], inputs: Mapping[str, Node], claimed: Claimed, derivative: str
    ) -> None:
        self.outputs = tuple(outputs)
        self.claimed = claimed
        self.derivative = derivative
        if derivative not in ("gradient", "jacobian", "hessian"):
            raise ArgumentError(f"no derivative is called '{derivative}'", mend="gradient, jacobian or hessian")
        names = [name for key in claimed for name in (key if isinstance(key, tuple) else (key,))]
        for name in names:
            if name not in inputs:
                raise ArgumentError(f"there is no input '{name}' to differentiate by")
        self.inputs = {name: inputs[name] for name in dict.fromkeys(names)}
        if derivative != "jacobian" and (len(self.outputs) != 1 or math.prod(shape_of(self.outputs[0])) != 1):
            raise ArgumentError(f"a {derivative} is of one scalar")
        self.blocks = list(self._blocks())

    def labels(self) -> list[str]:
        """The names of the report's entries."""
        return list(dict.fromkeys(block.label for block in self.blocks))

    def _blocks(self) -> Iterator[Block]:
        if self.derivative == "hessian":
            starts = self._starts()
            for (row, column), value in self.claimed.items():
                shape = self.inputs[row].shape
                rows = tuple(range(starts[row], starts[row] + math.prod(shape)))
                yield self._block(f"{row} {column}", None, rows, shape, column, value)
            return
        several = len(self.outputs) > 1
        start = 0
        for number, y in enumerate(self.outputs):
            shape = () if self.derivative == "gradient" else shape_of(y)
            rows = tuple(range(start, start + math.prod(shape)))
            start += len(rows)
            for name, value in self.claimed.items():
                part = value[number] if several else value
                yield self._block(name, number if several else None, rows, shape, name, part)

    def _starts(self) -> dict[str, int]:
        """Where each input's elements start among the rows of a Hessian."""
        starts, count = {}, 0
        for name, node in self.inputs.items():
            starts[name] = count
            count += math.prod(node.shape)
        return starts

    def _block(
        self, label: str, output: int | None, rows: tuple[int, ...], row_shape: tuple[int, ...], column: str, value: Any
    ) -> Block:
        got = np.asarray(concrete(value) if isinstance(value, Value) else value)
        if got.dtype.kind in "iub":
            got = got.astype(np.float64)
        shape = tuple(row_shape) + tuple(self.inputs[column].shape)
        if got.shape != shape:
            raise ArgumentError(
                f"the derivative by {label} that is to be checked has shape {list(got.shape)}, expected {list(shape)}"
            )
        return Block(label, output, rows, column, got)


def derivative_matrix(lowered: Lowered, task: Task, digits: int) -> tuple[Matrix, int]:
    """The matrix of a task's derivatives, and where the program's own scalars end.

    Raises:
        Unprovable: an output is complex.
    """
    graph = lowered.graph
    columns = [
        part.index
        for name in task.inputs
        for x in lowered.inputs[name].ravel()
        for part in ((x.re, x.im) if isinstance(x, Complex) else (x,))
    ]
    rows = []
    for cells in lowered.outputs:
        for x in cells.ravel():
            if isinstance(x, Complex):
                raise Unprovable("derivatives of a complex result can't be proved")
            rows.append(x.index)
    stop = len(graph)
    if task.derivative == "hessian":
        rows = _gradient_rows(lowered, rows[0], columns)
    return Matrix(graph, rows, columns, digits), stop


def _gradient_rows(lowered: Lowered, row: int, columns: list[int]) -> list[int]:
    graph = lowered.graph
    nothing = graph.number(0)
    found = Chain(graph, columns).backward({row: graph.number(1)})
    return [found.get(c, nothing) for c in columns]
