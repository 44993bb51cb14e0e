"""Exact derivatives of a lowered program: a matrix of outputs (or of a gradient's elements) by input elements.

They are evaluated at two precisions, and higher ones while the two disagree, so that cancellation costs time and never
digits.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from random import Random

from mpmath import libmp
from mpmath.libmp import fzero

from gradcli.symbolic.arithmetic import anchored, difference
from gradcli.symbolic.chain import Chain, Cone
from gradcli.symbolic.evaluate import Evaluation, Plan, Tie, plan
from gradcli.symbolic.functions import Raw, defined
from gradcli.symbolic.noise import Disturbance
from gradcli.symbolic.numbers import BITS_OF_DIGIT, ZERO, Number, to_float, to_raw
from gradcli.symbolic.scalars import Graph, TooLarge
from gradcli.symbolic.swallowed import deepest, lossless

#: Bits beyond the digits asked for.
_GUARD = 64
#: How many bits the precision is raised by at first; later by half of itself.
_FIRST = 64
#: How often the precision is raised before a value counts as not settled.
_ATTEMPTS = 7
#: How many evaluations with random ulps there are.
DISTURBED = 4
#: How many steps of the chain rule all rows together may take.
_WORK = 20_000_000

#: (row, column) of the matrix.
Place = tuple[int, int]
Row = Mapping[int, Number]


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
        self.digits = digits
        self.bits = int(digits * BITS_OF_DIGIT) + 2
        self.chain = Chain(graph, columns)
        self.cones = self._cones()
        roots = [*self.rows, *self.chain.partials(self.cones)]
        self.steps: Plan = plan(graph, roots)
        self.base: list[Mapping[int, Raw]] = []
        self.unsettled: set[Place] = set()
        graph.forget()

    def _cones(self) -> list[Cone]:
        """The cones of as many rows as are not too much together, chosen at random; the others are `unseen`."""
        cones: list[Cone] = [()] * len(self.rows)
        self.unseen = set(range(len(self.rows)))
        work = 0
        for r in Random(0).sample(range(len(self.rows)), len(self.rows)):
            cone = self.chain.cone(self.rows[r])
            work += len(cone)
            if work > _WORK:
                break
            cones[r] = cone
            self.unseen.discard(r)
        if len(self.unseen) == len(self.rows) > 0:
            raise TooLarge(f"the derivative takes more than {_WORK:,} steps of the chain rule")
        return cones

    # --- values ------------------------------------------------------------------------------------------------------

    def settle(self) -> Sequence[Mapping[int, Raw]]:
        """The matrix to all digits; what doesn't settle is noted in `unsettled`, what is undefined stays so."""
        gained = _FIRST
        self.evaluation = lossless(self.graph, self.steps, self.bits + _GUARD + gained)
        self._precision = self.evaluation.precision - gained
        fine = self._all(self.evaluation)
        rough = self._all(Evaluation(self.graph, self.steps, self._precision, known=self.evaluation))
        self._settling: list[dict[int, Number]] = [{} for _ in self.rows]
        pending = [a.keys() | b.keys() for a, b in zip(rough, fine, strict=True)]
        pending = self._taken(rough, fine, gained, pending)
        vanished = [{c for c, x in row.items() if not x} for row in self._settling]
        for _ in range(_ATTEMPTS - 1):
            if not any(pending):
                break
            self._precision = self.evaluation.precision
            gained = max(self._precision // 2, 100)
            self.evaluation = Evaluation(self.graph, self.steps, self._precision + gained)
            rough, fine = fine, self._all(self.evaluation)
            pending = self._taken(rough, fine, gained, pending)
        pending = [a | b for a, b in zip(pending, self._reconsidered(vanished), strict=True)]
        self.unsettled = {(r, column) for r, columns in enumerate(pending) for column in columns}
        with self.evaluation.within():
            self.base = [{c: to_raw(x) for c, x in row.items()} for row in self._settling]
        return self.base

    def _reconsidered(self, vanished: list[set[int]]) -> list[set[int]]:
        """Look at the elements that vanished with all the digits that there is time for; returns what is unsettled."""
        digits = deepest(len(self.steps) + sum(map(len, self.cones)))
        if not any(vanished) or digits < 2 * self.evaluation.digits:
            return [set() for _ in vanished]
        before, high = self.evaluation, int(digits * BITS_OF_DIGIT)
        low = high * 2 // 3
        rough = self._all(Evaluation(self.graph, self.steps, low))
        vanished = [{c for c in columns if row.get(c)} for columns, row in zip(vanished, rough, strict=True)]
        self.evaluation = Evaluation(self.graph, self.steps, high)
        left = self._taken(rough, self._all(self.evaluation), high - low, vanished)
        if any(self._settling[r][c] for r, columns in enumerate(vanished) for c in columns):
            self._precision = low
        else:
            self.evaluation = before
        return left

    def _all(self, evaluation: Evaluation, noise: Disturbance | None = None) -> Sequence[Row]:
        return self.chain.rows(self.cones, evaluation, noise)

    def _taken(
        self, rough: Sequence[Row], fine: Sequence[Row], gained: int, pending: Sequence[set[int]]
    ) -> list[set[int]]:
        """Take up the elements that are `pending`; returns which still are, by row.

        What has settled once is left as it is: an exact zero comes out as dust again and again.
        """
        left, shrinks = [], int(gained / 2 / BITS_OF_DIGIT)
        with self.evaluation.within():
            for a, b, base, columns in zip(rough, fine, self._settling, pending, strict=True):
                waiting = set()
                for column in columns:
                    x, y = a.get(column, ZERO), b.get(column, ZERO)
                    dust = _shrank(x, y, shrinks)
                    base[column] = ZERO if dust else y
                    if not dust and not _agree(x, y, self.digits):
                        waiting.add(column)
                left.append(waiting)
        return left

    def row_at(self, r: int, evaluation: Evaluation, columns: Iterable[int] | None = None) -> Mapping[int, Raw]:
        """One row of the matrix at another point, or some columns of it."""
        found = self.chain.rows([self.cones[r]], evaluation)[0]
        with evaluation.within():
            return {c: to_raw(found[c]) for c in (found if columns is None else found.keys() & columns)}

    def rows_at(self, rows: Mapping[int, Iterable[int]], evaluation: Evaluation) -> dict[int, Mapping[int, Raw]]:
        """Some columns of some rows at another point."""
        found = self.chain.rows([self.cones[r] for r in rows], evaluation)
        with evaluation.within():
            return {
                r: {c: to_raw(row[c]) for c in columns if c in row}
                for (r, columns), row in zip(rows.items(), found, strict=True)
            }

    # --- the rounding that nobody can avoid --------------------------------------------------------------------------

    def rounding(self) -> list[Mapping[int, float]]:
        """The largest change of each element over evaluations in which every rounded scalar moves by a random ulp."""
        largest: list[dict[int, float]] = [{} for _ in self.rows]
        #: elements that are undefined at the point, and have a value by a random ulp
        self.fickle: set[Place] = set()
        #: what is compared for a decision, in each of the evaluations
        self.disturbed: list[dict[int, Number]] = []
        known = self.evaluation
        compared = {a for index in known.decisions for a in self.graph.arguments[index]}
        for seed in range(DISTURBED):
            noise = Disturbance(seed)
            there = Evaluation(
                self.graph, self.steps, self._precision, noise=noise, frozen=known.decisions, known=known
            )
            with there.within():
                for r, row in enumerate(self._all(there, noise)):
                    self._take(r, largest[r], row)
            self.disturbed.append({a: there.numbers[a] for a in compared})
        return list(largest)

    def _take(self, r: int, largest: dict[int, float], moved: Row) -> None:
        base = self._settling[r]
        for column, y in moved.items():
            x = base.get(column, ZERO)
            change = y - x
            if y.is_finite() and not x.is_finite():
                self.fickle.add((r, column))
            elif change.is_finite():
                size = abs(to_float(change))
                if size > largest.get(column, 0.0):
                    largest[column] = size

    # --- decisions that could fall either way ------------------------------------------------------------------------

    def ties(self) -> dict[int, Tie]:
        """Decisions within rounding of falling the other way; needs `settle` and `rounding` first."""
        found: dict[int, Tie] = {}
        numbers = self.evaluation.numbers
        with self.evaluation.within():
            for index, decision in self.evaluation.decisions.items():
                name, words = self.graph.functions[index], self.graph.arguments[index]
                args = tuple(numbers[a] for a in words)
                anchor = anchored(name, args)
                here = difference(name, args, anchor)
                if not here or self._reaches_zero(index, here, anchor):
                    found[index] = Tie(here, anchor, decision)
        return found

    def _reaches_zero(self, index: int, here: Number, anchor: int) -> bool:
        name, words = self.graph.functions[index], self.graph.arguments[index]
        if not here.is_finite():
            return False
        for numbers in self.disturbed:
            args = tuple(numbers[a] for a in words)
            if all(x.is_finite() for x in args) and abs(difference(name, args, anchor) - here) >= abs(here):
                return True
        return False

    def touched(self, ties: Iterable[int]) -> dict[int, dict[int, set[int]]]:
        """For each row that hangs on tied decisions: those decisions, each with the columns that can move it."""
        columns = set(self.columns)
        moving = {index: columns & self.below([index]) for index in ties}
        moving = {index: found for index, found in moving.items() if found}
        tainted = self._above(moving)
        touched = {}
        for r, cone in enumerate(self.cones):
            roots = [root for root in (self.rows[r], *self.chain.partials([cone])) if tainted[root]]
            below = self.below(roots, tainted) if roots else set()
            mine = {index: moving[index] for index in moving if index in below}
            if mine:
                touched[r] = mine
        return touched

    def below(self, roots: Iterable[int], within: bytearray | None = None) -> set[int]:
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
        arguments, marked = self.graph.arguments, reached.__getitem__
        for place in self.steps:
            if not reached[place] and any(map(marked, arguments[place])):
                reached[place] = 1
        return reached

    def beside(self, steps: Mapping[int, Raw], ties: Mapping[int, Tie], base: Evaluation) -> Evaluation:
        """The program's values at the point of which some columns are moved by steps, ties decided anew there.

        `base` is an evaluation at the point itself; only what depends on those columns is evaluated again.
        """
        # mpf_add is exact where it is given no precision
        moved = {c: libmp.mpf_add(self.graph.numbers[c], step) for c, step in steps.items()}
        reached = self._above(steps)
        again = Plan(self.graph, [place for place in self.steps if reached[place]])
        return Evaluation(self.graph, again, base.precision, inputs=moved, ties=ties, start=base)

    def at_the_point(self, precision: int, ties: Mapping[int, Tie]) -> Evaluation:
        """The program's values, tied decisions as ties."""
        return Evaluation(self.graph, self.steps, precision, ties=ties)


def _agree(x: Number, y: Number, digits: int) -> bool:
    """Whether two numbers agree to so many digits, or neither exists."""
    if not (x.is_finite() and y.is_finite()):
        return not x.is_finite() and not y.is_finite()
    gap = x - y
    return not gap or (bool(y) and gap.adjusted() < y.adjusted() - digits)


def _shrank(x: Number, y: Number, digits: int) -> bool:
    """Whether y, evaluated to more digits than x, is by so many digits less."""
    if not y:
        return True
    if not (x.is_finite() and y.is_finite()) or not x:
        return False
    return y.adjusted() <= x.adjusted() - digits


def magnitude(x: Raw) -> int:
    """The exponent of a finite number that is not zero."""
    return int(x[2] + x[3])


def is_dust(x: Raw, y: Raw, gained: int) -> bool:
    """Whether y, evaluated with `gained` bits more than x, shrank as only the rounding of an exact zero does."""
    if y == fzero:
        return True
    if not (defined(x) and defined(y)) or x == fzero:
        return False
    return magnitude(y) <= magnitude(x) - gained // 2
