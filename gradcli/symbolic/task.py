"""What the oracle is asked: the claimed arrays, and the matrix of exact derivatives that they are compared with."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from gradcli.graph.errors import ArgumentError, GradcliError
from gradcli.graph.node import Node
from gradcli.graph.recording import Recording
from gradcli.graph.values import CoreValue, Value, concrete, shape_of
from gradcli.symbolic.chain import Chain
from gradcli.symbolic.claimed import SparseClaim
from gradcli.symbolic.complexes import Complex
from gradcli.symbolic.derivatives import Matrix
from gradcli.symbolic.lowering import Lowered
from gradcli.symbolic.scalars import Unprovable

Claimed = Mapping[Any, Any]
#: Records the program again at other values of its inputs: (recording, outputs, inputs).
Rerun = Callable[[Mapping[str, np.ndarray]], tuple[Recording, Sequence[CoreValue], Mapping[str, Node]]]


class Block(NamedTuple):
    """One claimed array: elements of an output (or of a gradient) times an input's elements.

    `output` is its output's number, or None where there is one; `start` and `size` tell the elements among all.
    """

    label: str
    output: int | None
    start: int
    size: int
    column: str
    got: np.ndarray | SparseClaim


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

    def results(self) -> np.ndarray:
        """All elements of the outputs, as the program computed them; none where they are not known."""
        try:
            parts = [np.ravel(np.asarray(concrete(y))) for y in self.outputs]
        except GradcliError:
            return np.zeros(0)
        return np.concatenate(parts) if parts else np.zeros(0)

    def results_by_row(self, rows: Sequence[tuple[int, ...]]) -> dict[int, float]:
        """The same, real parts by the rows of their derivatives; none for a Hessian, whose rows are of a gradient."""
        results = self.results()
        if self.derivative == "hessian" or len(results) != len(rows):
            return {}
        parts = ((complex(value).real, complex(value).imag) for value in results.tolist())
        return {r: part for own, pair in zip(rows, parts, strict=True) for r, part in zip(own, pair, strict=False)}

    def _blocks(self) -> Iterator[Block]:
        if self.derivative == "hessian":
            starts = self._starts()
            for (row, column), value in self.claimed.items():
                yield self._block(f"{row} {column}", None, starts[row], self.inputs[row].shape, column, value)
            return
        several = len(self.outputs) > 1
        start = 0
        for number, y in enumerate(self.outputs):
            shape = () if self.derivative == "gradient" else shape_of(y)
            for name, value in self.claimed.items():
                part = value[number] if several else value
                yield self._block(name, number if several else None, start, shape, name, part)
            start += math.prod(shape)

    def _starts(self) -> dict[str, int]:
        """Where each input's elements start among those of a gradient."""
        starts, count = {}, 0
        for name, node in self.inputs.items():
            starts[name] = count
            count += math.prod(node.shape)
        return starts

    def _block(
        self, label: str, output: int | None, start: int, row_shape: tuple[int, ...], column: str, value: Any
    ) -> Block:
        if isinstance(value, SparseClaim):
            got: Any = value
        else:
            got = np.asarray(concrete(value) if isinstance(value, Value) else value)
        if got.dtype.kind in "iub":
            got = got.astype(np.float64)
        shape = tuple(row_shape) + tuple(self.inputs[column].shape)
        if got.shape != shape:
            raise ArgumentError(
                f"the derivative by {label} that is to be checked has shape {list(got.shape)}, expected {list(shape)}"
            )
        return Block(label, output, start, math.prod(row_shape), column, got)


class Question(NamedTuple):
    """What is to be evaluated for a task.

    Attributes:
        matrix: real scalars by the real parts of inputs.
        rows: for each element of the outputs (of the gradient, for a Hessian) its row, or those of its two parts.
        stop: where the program's own scalars end.
    """

    matrix: Matrix
    rows: list[tuple[int, ...]]
    stop: int


def question(lowered: Lowered, task: Task, digits: int) -> Question:
    """The matrix of a task's derivatives.

    Raises:
        Unprovable: a Hessian is asked for of a complex result.
    """
    graph = lowered.graph
    inputs = [parts_of(x) for name in task.inputs for x in lowered.inputs[name].ravel()]
    columns = [index for parts in inputs for index in parts]
    elements = [parts_of(x) for cells in lowered.outputs for x in cells.ravel()]
    stop = len(graph)
    if task.derivative != "jacobian" and any(len(parts) > 1 for parts in elements):
        raise Unprovable(f"a {task.derivative} is of a real scalar")
    if task.derivative == "hessian":
        found = Chain(graph, columns).backward({elements[0][0]: graph.number(1)})
        nothing = graph.number(0)
        elements = [tuple(found.get(index, nothing) for index in parts) for parts in inputs]
    rows: list[int] = []
    places = []
    for parts in elements:
        places.append(tuple(range(len(rows), len(rows) + len(parts))))
        rows += parts
    return Question(Matrix(graph, rows, columns, digits), places, stop)


def parts_of(x: Any) -> tuple[int, ...]:
    """The index of a real scalar, or those of a complex one's two parts."""
    return (x.re.index, x.im.index) if isinstance(x, Complex) else (x.index,)
