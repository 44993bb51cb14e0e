"""What lies beside the program's own choices (`if x > 0`, the order of a sort) that were made on their boundary."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeVar

from gradcli.graph.recording import Recording
from gradcli.symbolic import branches
from gradcli.symbolic.derivatives import Matrix, Place
from gradcli.symbolic.functions import Raw
from gradcli.symbolic.kinks import Sides
from gradcli.symbolic.lowering import Lowered
from gradcli.symbolic.task import Rerun, Task

#: How many scalars may be evaluated in runs that look for other orders among equals.
_RUNS = 3_000_000

Found = TypeVar("Found")
#: (input, flat index) of an element.
Label = tuple[str, int]


class Choices:
    """The choices of a run that were made on their boundary.

    Args:
        recording: of the run.
        rerun: records the program again; without it no more is known than where the choices are.
        task: what is to be judged.
        lowered: the program.
        matrix: its derivatives.

    Attributes:
        branches: the choices.
        looked: whether all elements that can move them were moved.
        ordered: columns that an order among equals hangs on.
        crowded: columns that sit at choices among more equals than can be looked at.
        sides: one-sided derivatives by the elements that were moved, by (row, column).
    """

    def __init__(self, recording: Recording, rerun: Rerun | None, task: Task, lowered: Lowered, matrix: Matrix) -> None:
        self._rerun, self._task, self._matrix = rerun, task, matrix
        self._columns = {lowered.graph.labels[c]: c for c in matrix.columns}
        self.branches = branches.found(recording, task.outputs, task.inputs, lowered.chosen)
        self._orders = [branch.elements for branch in self.branches if branch.op != branches.BRANCH]
        self.ordered = self._columns_of(set().union(*self._orders))
        affected = sorted(set().union(*(branch.elements for branch in self.branches)))
        most = 0 if rerun is None else min(branches.LOOKED_AT, _RUNS // (2 * len(matrix.steps) + 1))
        self.looked = rerun is not None and len(affected) <= most
        self.crowded = set() if self.looked else self.ordered | self._columns_of(affected[most:])
        self.sides: dict[Place, Sides] = {}
        if rerun is not None:
            self.sides = self._placed(branches.sides(rerun, task, recording, affected[:most], matrix.digits))

    def around(self) -> dict[Place, list[Raw]]:
        """Derivatives as other orders among equals have them."""
        if not self._orders or self._rerun is None:
            return {}
        most = _RUNS // len(self._matrix.steps) if self.looked else 0
        return self._placed(branches.around(self._rerun, self._task, self._orders, self._matrix.digits, most))

    def _columns_of(self, labels: Iterable[Label]) -> set[int]:
        return {self._columns[label] for label in labels if label in self._columns}

    def _placed(self, found: Mapping[tuple[int, str, int], Found]) -> dict[Place, Found]:
        """By (row, column) what is by (row, input, flat index), for the inputs that are asked for."""
        columns = self._columns
        return {(r, columns[name, i]): x for (r, name, i), x in found.items() if (name, i) in columns}
