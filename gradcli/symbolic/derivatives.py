"""Exact derivatives of a lowered program: a matrix of outputs (or of a gradient's elements) by input elements.

They are evaluated at two precisions, and higher ones while the two disagree, so that cancellation costs time and never
digits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from mpmath import libmp
from mpmath.libmp import fzero

from gradcli.symbolic.chain import Chain, Cone
from gradcli.symbolic.evaluate import Disturbance, Evaluation, Step, Tie, anchored, difference, plan
from gradcli.symbolic.functions import Raw, defined, side
from gradcli.symbolic.scalars import Graph, TooLarge

#: Bits beyond the digits asked for.
_GUARD = 64
#: How often the precision is raised before a value counts as not settled.
_ATTEMPTS = 7
#: How many evaluations with random ulps there are.
DISTURBED = 4
#: How many steps of the chain rule all rows together may take.
_WORK = 15_000_000

#: (row, column) of the matrix.
Place = tuple[int, int]
Row = Mapping[int, Raw]


class Matrix:
    """d rows / d columns, exactly.

    Args:
        graph: where the scalars live.
        rows: scalars to be differentiated.
        columns: input scalars to differentiate by.
        digits: how many decimal digits are to be right.
    """

    def __init__(self, graph: Graph, rows: Sequence[int], columns: Sequence[int], digits: int) -> None:
        self.graph = graph
        self.rows = list(rows)
        self.columns = list(columns)
        self.bits = int(digits * 3.3219281) + 2
        self.chain = Chain(graph, columns)
        self.cones = self._cones()
        roots = [*self.rows, *self.chain.partials(self.cones)]
        self.steps: list[Step] = plan(graph, roots)
        self.base: list[Row] = []
        self.unsettled: set[Place] = set()

    def _cones(self) -> list[Cone]:
        cones, work = [], 0
        for row in self.rows:
            cone = self.chain.cone(row)
            work += len(cone)
            if work > _WORK:
                raise TooLarge(f"the derivative takes more than {_WORK:,} steps of the chain rule")
            cones.append(cone)
        return cones

    # --- values ------------------------------------------------------------------------------------------------------

    def settle(self) -> list[Row]:
        """The matrix to all digits; what doesn't settle is noted in `unsettled`, what is undefined stays so."""
        precision = self.bits + _GUARD
        rough = self._all(Evaluation(self.graph, self.steps, precision))
        for _ in range(_ATTEMPTS):
            gained = max(precision // 2, 100)
            precision += gained
            self.evaluation = Evaluation(self.graph, self.steps, precision)
            fine = self._all(self.evaluation)
            self.unsettled = self._differing(rough, fine, gained)
            self.base = [_without_dust(a, b, gained) for a, b in zip(rough, fine, strict=True)]
            if not self.unsettled:
                break
            rough = fine
        return self.base

    def _all(self, evaluation: Evaluation, noise: Disturbance | None = None) -> list[Row]:
        return [self.chain.row(cone, evaluation.values, evaluation.precision, noise) for cone in self.cones]

    def _differing(self, rough: Sequence[Row], fine: Sequence[Row], gained: int) -> set[Place]:
        found = set()
        for r, (a, b) in enumerate(zip(rough, fine, strict=True)):
            for column, y in b.items():
                x = a.get(column, fzero)
                if x != y and not _agree(x, y, self.bits) and not is_dust(x, y, gained):
                    found.add((r, column))
        return found

    def row_at(self, r: int, evaluation: Evaluation) -> Row:
        """One row of the matrix at another point."""
        return self.chain.row(self.cones[r], evaluation.values, evaluation.precision)

    # --- the rounding that nobody can avoid --------------------------------------------------------------------------

    def rounding(self) -> list[Mapping[int, float]]:
        """The largest change of each element over evaluations in which every rounded scalar moves by a random ulp."""
        precision = self.bits + _GUARD
        largest: list[dict[int, float]] = [{} for _ in self.rows]
        #: what is compared for a decision, in each of the evaluations
        self.disturbed: list[dict[int, Raw]] = []
        compared = {a for index in self.evaluation.decisions for a in self.graph.arguments[index]}
        for seed in range(DISTURBED):
            noise = Disturbance(seed, precision)
            evaluation = Evaluation(self.graph, self.steps, precision, noise=noise, frozen=self.evaluation.decisions)
            for r, row in enumerate(self._all(evaluation, noise)):
                self._take(largest[r], self.base[r], row, precision)
            self.disturbed.append({a: evaluation.values[a] for a in compared})
        return list(largest)

    def _take(self, largest: dict[int, float], base: Row, moved: Row, precision: int) -> None:
        for column, y in moved.items():
            change = libmp.mpf_sub(y, base.get(column, fzero), precision, "n")
            if defined(change):
                size = abs(to_float(change))
                if size > largest.get(column, 0.0):
                    largest[column] = size

    # --- decisions that could fall either way ------------------------------------------------------------------------

    def ties(self) -> dict[int, Tie]:
        """Decisions within rounding of falling the other way; needs `settle` and `rounding` first."""
        found: dict[int, Tie] = {}
        evaluation = self.evaluation
        for index, decision in evaluation.decisions.items():
            name, words = self.graph.functions[index], self.graph.arguments[index]
            args = tuple(evaluation.values[a] for a in words)
            anchor = anchored(name, args)
            here = difference(name, args, anchor, evaluation.precision)
            if here == fzero or self._reaches_zero(index, here, anchor):
                found[index] = Tie(here, anchor, decision)
        return found

    def _reaches_zero(self, index: int, here: Raw, anchor: int) -> bool:
        name, words = self.graph.functions[index], self.graph.arguments[index]
        if not defined(here):
            return False
        precision = self.evaluation.precision
        for values in self.disturbed:
            args = tuple(values[a] for a in words)
            if not all(defined(x) for x in args):
                continue
            there = difference(name, args, anchor, precision)
            change = libmp.mpf_abs(libmp.mpf_sub(there, here, precision, "n"))
            if side(libmp.mpf_sub(libmp.mpf_abs(here), change, 60, "n")) <= 0:
                return True
        return False

    def touched(self, ties: Iterable[int]) -> dict[int, dict[int, set[int]]]:
        """For each row that hangs on tied decisions: those decisions, each with the columns that can move it."""
        columns = set(self.columns)
        moving = {index: columns & self._below([index]) for index in ties}
        moving = {index: found for index, found in moving.items() if found}
        tainted = self._above(moving)
        touched = {}
        for r, cone in enumerate(self.cones):
            roots = [root for root in (self.rows[r], *self.chain.partials([cone])) if tainted[root]]
            below = self._below(roots, tainted) if roots else set()
            mine = {index: moving[index] for index in moving if index in below}
            if mine:
                touched[r] = mine
        return touched

    def _below(self, roots: Iterable[int], within: bytearray | None = None) -> set[int]:
        """What some scalars are made of, themselves included."""
        reached = set(roots)
        pending = list(reached)
        arguments = self.graph.arguments
        while pending:
            for a in arguments[pending.pop()]:
                if a not in reached and (within is None or within[a]):
                    reached.add(a)
                    pending.append(a)
        return reached

    def _above(self, roots: Iterable[int]) -> bytearray:
        """What depends on some scalars, themselves included."""
        reached = bytearray(len(self.graph))
        for index in roots:
            reached[index] = 1
        for step in self.steps:
            if not reached[step.place]:
                for a in step.arguments:
                    if reached[a]:
                        reached[step.place] = 1
                        break
        return reached

    def beside(self, column: int, step: Raw, ties: Mapping[int, Tie], base: Evaluation) -> Evaluation:
        """The program's values at the point whose element `column` is moved by `step`, ties decided anew there.

        `base` is an evaluation at the point itself; only what depends on the column is evaluated again.
        """
        x = self.graph.numbers[column]
        assert x is not None
        moved = libmp.mpf_add(x, step)  # exact, without a precision
        reached = self._above([column])
        steps = [entry for entry in self.steps if reached[entry.place]]
        return Evaluation(self.graph, steps, base.precision, inputs={column: moved}, ties=ties, start=base)

    def at_the_point(self, precision: int, ties: Mapping[int, Tie]) -> Evaluation:
        """The program's values, tied decisions as ties."""
        return Evaluation(self.graph, self.steps, precision, ties=ties)


def magnitude(x: Raw) -> int:
    """The exponent of a finite number that is not zero."""
    return int(x[2] + x[3])


def _agree(x: Raw, y: Raw, bits: int) -> bool:
    if not (defined(x) and defined(y)):
        return x == y or (not defined(x) and not defined(y))
    gap = libmp.mpf_sub(x, y)
    return gap == fzero or (y != fzero and magnitude(gap) <= magnitude(y) - bits)


def is_dust(x: Raw, y: Raw, gained: int) -> bool:
    """Whether y, evaluated with `gained` bits more than x, shrank as only the rounding of an exact zero does."""
    if y == fzero:
        return True
    if not (defined(x) and defined(y)) or x == fzero:
        return False
    return magnitude(y) <= magnitude(x) - gained // 2


def _without_dust(rough: Row, fine: Row, gained: int) -> Row:
    return {c: fzero if is_dust(rough.get(c, fzero), y, gained) else y for c, y in fine.items()}


def to_float(x: Raw) -> float:
    """The nearest float; infinite beyond the largest."""
    try:
        return float(libmp.to_float(x, rnd="n"))
    except OverflowError:
        return float("-inf") if x[0] else float("inf")
