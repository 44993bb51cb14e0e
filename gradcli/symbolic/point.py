"""What is known of exact derivatives at a point, kinks included: at the point itself, or from paths beside it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property

from mpmath.libmp import fzero

from gradcli.graph.node import Node
from gradcli.graph.recording import Recording
from gradcli.symbolic.branches import Branch
from gradcli.symbolic.choices import Choices
from gradcli.symbolic.culprits import Culprits
from gradcli.symbolic.degenerate import limits, words_for, words_for_nan
from gradcli.symbolic.derivatives import Matrix, Place
from gradcli.symbolic.functions import Raw, defined
from gradcli.symbolic.infinities import at_infinity
from gradcli.symbolic.kinks import Sides, around, crowds, looks_around, sides
from gradcli.symbolic.lowering import Lowered, lower
from gradcli.symbolic.scalars import Degenerate
from gradcli.symbolic.task import Rerun, Task, parts_of, question


class Point(ABC):
    """Exact derivatives at a point.

    Attributes:
        lowered: the program.
        matrix: its derivatives.
        rows: for each element of the results (of the gradient, for a Hessian) its row, or those of its two parts.
        stop: where the program's own scalars end.
        rounding: for each row the rounding that nobody can avoid, by column.
        undefined: rows of results that are no finite numbers, with the columns that they hang on.
        sides: one-sided derivatives where there is no other, by (row, column).
        culprits: tells the op that a kink comes from.
        unseen: choices of the program's own that nothing more is known of.
        undefined_words, crowded_words: why nothing is proved where a derivative is undefined, or has more sides than
            were looked at.
        nan_words: what excuses nan, or None.
    """

    lowered: Lowered
    matrix: Matrix
    rows: list[tuple[int, ...]]
    stop: int
    rounding: Sequence[Mapping[int, float]]
    undefined: dict[int, set[int]]
    sides: dict[Place, Sides]
    culprits: Culprits
    unseen: Sequence[Branch]
    undefined_words = "it is undefined at this point"
    crowded_words = "it hangs on a choice among more equals than were looked at"
    nan_words: str | None = None

    @abstractmethod
    def sampled(self, r: int, column: int) -> Sequence[Raw]:
        """Derivatives that the kink of an element may have besides its sides; it may take long to find them."""

    @abstractmethod
    def is_crowded(self, r: int, column: int) -> bool:
        """Whether an element is one of more equals, or on more boundaries, than were looked at in all orders."""

    def others(self, r: int, column: int) -> Sequence[Raw]:
        """All that is known of an element's derivatives besides its sides."""
        return self.sampled(r, column)

    def value(self, r: int, column: int) -> Raw:
        """The derivative itself."""
        return self.matrix.base[r].get(column, fzero)


class RegularPoint(Point):
    """Derivatives at the point itself.

    `look_at_choices` must follow; what may be compared before it has a look, as that runs the program again.

    Attributes:
        tied: decisions that could fall either way.

    Raises:
        Degenerate: equations that define a result are singular there.
        Unprovable: something is not followed, or too large.
    """

    def __init__(self, task: Task, digits: int, limit: int) -> None:
        self._task = task
        self.lowered = _lowered(task, limit)
        self.matrix, self.rows, self.stop = question(self.lowered, task, digits)
        self.matrix.settle()
        self.undefined = self._undefined_rows()
        self.rounding = self.matrix.rounding()
        self.tied = self.matrix.ties()
        self._touched = self.matrix.touched(self.tied) if self.tied else {}
        self.sides = self._beside()

    def look_at_choices(self, recording: Recording, rerun: Rerun | None) -> None:
        """Where the program branched on a boundary, what the derivative is on either side."""
        self._choices = Choices(recording, rerun, self._task, self.lowered, self.matrix)
        self.sides |= self._choices.sides
        found = self._choices.branches
        self.unseen = [] if self._choices.looked else found
        self.culprits = Culprits(self.lowered, self.matrix, self.tied, self._touched, found, self.stop)

    def sampled(self, r: int, column: int) -> Sequence[Raw]:
        """Derivatives as other orders among equals have them."""
        return self._around.get((r, column), ())

    def others(self, r: int, column: int) -> Sequence[Raw]:
        """The same, and the derivative by the order that the program took."""
        own = [self.value(r, column)] if column in self._choices.ordered else []
        return [x for x in (*own, *self.sampled(r, column)) if defined(x)]

    def is_crowded(self, r: int, column: int) -> bool:
        """Whether an element is one of more equals, or on more boundaries, than were looked at in all orders."""
        crowd = self._crowds.get((r, column), 0)
        return column in self._choices.crowded or crowd > max(looks_around(self.matrix, self._touched), 2)

    def _undefined_rows(self) -> dict[int, set[int]]:
        matrix, numbers = self.matrix, self.matrix.evaluation.numbers
        results = [parts_of(x) for cells in self.lowered.outputs for x in cells.ravel()]

        def is_undefined(index: int) -> bool:
            value = numbers[index]
            return value is not None and not value.is_finite()

        if self._task.derivative == "hessian":
            bad = self.rows if any(map(is_undefined, results[0])) else []
        else:
            bad = [rows for rows, parts in zip(self.rows, results, strict=True) if any(map(is_undefined, parts))]
        columns = set(matrix.columns)
        return {r: columns.intersection(matrix.cones[r]) for rows in bad for r in rows}

    def _beside(self) -> dict[Place, Sides]:
        """The one-sided derivatives where the derivative itself is undefined, or hangs on a tie."""
        matrix = self.matrix
        places: dict[int, set[int]] = {}
        for r, moving in self._touched.items():
            for column in set().union(*moving.values()):
                places.setdefault(column, set()).add(r)
        for r, row in enumerate(matrix.base):
            for column, value in row.items():
                if not defined(value):
                    places.setdefault(column, set()).add(r)
        numbers = matrix.graph.numbers
        places = {column: rows - self.undefined.keys() for column, rows in places.items() if defined(numbers[column])}
        found = sides(matrix, places, self.tied) if places else {}
        return found | at_infinity(matrix, self.undefined)

    @cached_property
    def _around(self) -> dict[Place, list[Raw]]:
        found = around(self.matrix, self._touched, self.tied)
        for place, values in self._choices.around().items():
            if place in self.sides:
                found.setdefault(place, []).extend(values)
        return found

    @cached_property
    def _crowds(self) -> dict[Place, int]:
        return crowds(self._touched)


class SingularPoint(Point):
    """What derivatives tend to along paths away from a point where equations are singular, as `error` says.

    Raises:
        Degenerate: the same, where it would take too long to tell.
        Unprovable: something else is not followed.
    """

    unseen = ()

    def __init__(self, task: Task, digits: int, limit: int, error: Degenerate) -> None:
        found = limits(task, digits, error, limit)
        self.lowered = found.lowered
        self.matrix, self.rows, self.stop = found.question
        self.rounding = self.matrix.rounding()
        self.matrix.base, self.matrix.unsettled = found.base, set()
        self.undefined, self.sides, self._others = {}, found.sides, found.others
        self._with_sides = {column for _, column in found.sides}
        self.undefined_words = self.crowded_words = words_for(error)
        self.nan_words = words_for_nan(error)
        self.culprits = Culprits(self.lowered, self.matrix, {}, {}, self._branches(error.node), self.stop)

    def _branches(self, node: Node | None) -> list[Branch]:
        """The op whose equations are singular stands for a choice that all elements can move."""
        if node is None or node.op is None:
            return []
        elements = {self.lowered.graph.labels[c] for c in self.matrix.columns}
        return [Branch(node.span, elements, node.op.name)]

    def sampled(self, r: int, column: int) -> Sequence[Raw]:
        """The limits along the paths."""
        return self._others.get((r, column), ())

    def is_crowded(self, r: int, column: int) -> bool:
        """Whether an element has a kink: paths are many, and few were looked at."""
        return column in self._with_sides


def _lowered(task: Task, limit: int) -> Lowered:
    lowered = lower(task.outputs, task.inputs, limit=limit)
    if any(_needs_live(node) for node in lowered.kinked):
        lowered = lower(task.outputs, task.inputs, live=True, limit=limit)
    return lowered


def _needs_live(node: Node) -> bool:
    return node.op is not None and (node.op.kind != "elementwise" or node.dtype.kind == "b")
