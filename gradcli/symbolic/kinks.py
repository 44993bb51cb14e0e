"""Derivatives at a kink, and where a formula is undefined at the very point: what they are a tiny step beside it.

The step is 10**-40 of the element, far below any float's rounding; evaluation has digits enough to see it. A second,
much smaller one tells where the first has not yet come to the limit: one that is zero or infinite, or reached slowly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import NamedTuple

from mpmath import libmp
from mpmath.libmp import fone, fzero

from gradcli.symbolic.derivatives import Matrix, magnitude
from gradcli.symbolic.evaluate import Evaluation, Tie
from gradcli.symbolic.functions import UNDEFINED, Raw, defined
from gradcli.symbolic.scalars import TooLarge

#: Decimal places of the step, and of the second, smaller one.
PLACES, FINER_PLACES = 40, 140
#: How many scalar evaluations all looks together may cost, and up to how many every look is taken twice.
_WORK, _TWICE = 30_000_000, 2_000_000
#: Among how many equals all are likely to have won once, where all are moved at random, by so many parts of a step.
CROWD, _PARTS = 32, 1 << 20
#: Two one-sided values that agree to so many bits are one.
_SAME_BITS = 80
#: Two looks that agree to so many bits are both at the limit.
_SETTLED_BITS = 20
#: Where they don't, the limit is infinite or zero if the value changed by more than this ratio.
_RATIO = libmp.from_rational(3, 2, 20)


class Sides(NamedTuple):
    """One-sided derivatives: UNDEFINED where there is none, infinite ones included."""

    left: Raw
    right: Raw

    @property
    def equal(self) -> bool:
        """Whether both exist and are one value."""
        return self.left == self.right or (defined(self.left) and defined(self.right) and agree(self.left, self.right))

    @property
    def known(self) -> bool:
        """Whether at least one of them exists."""
        return UNDEFINED not in (self.left, self.right) or self.left != self.right

    def nearest(self, got: Raw, others: Sequence[Raw] = ()) -> Raw:
        """The value nearest to `got` of the interval between the sides, and other values that the kink may have."""
        ends = [x for x in (self.left, self.right, *others) if x != UNDEFINED]
        if got == UNDEFINED:
            return ends[0]
        low = high = ends[0]
        for x in ends[1:]:
            low, high = (x if libmp.mpf_lt(x, low) else low), (x if libmp.mpf_gt(x, high) else high)
        return low if libmp.mpf_lt(got, low) else high if libmp.mpf_gt(got, high) else got

    def is_smooth(self, others: Sequence[Raw] = ()) -> bool:
        """Whether both sides, and the other values, are the same."""
        return self.equal and all(x == self.left or agree(x, self.left) for x in others)


def sides(matrix: Matrix, places: Mapping[int, set[int]], ties: Mapping[int, Tie]) -> dict[tuple[int, int], Sides]:
    """One-sided derivatives at (row, column) places, given as columns with their rows.

    Raises:
        TooLarge: there are more of them than can be looked at.
    """
    if 2 * len(places) * len(matrix.steps) > _WORK:
        raise TooLarge(f"{len(places):,} elements of the inputs sit exactly at kinks, too many to be looked at")
    found = {}
    looks = _Looks(matrix, ties, twice=4 * len(places) * len(matrix.steps) <= _TWICE)
    for column, rows in places.items():
        left, right = (looks.limits(column, rows, sign) for sign in (-1, 1))
        for r in rows:
            found[r, column] = Sides(left[r], right[r])
    return found


class _Looks:
    """Derivatives a tiny step beside the point."""

    def __init__(self, matrix: Matrix, ties: Mapping[int, Tie], twice: bool) -> None:
        self.matrix = matrix
        self.ties = ties
        self.twice = twice
        self._bases: dict[int, Evaluation] = {}

    def limits(self, column: int, rows: set[int], sign: int) -> dict[int, Raw]:
        """One-sided derivatives of some rows by a column."""
        near = self._beside(column, rows, sign, PLACES)
        if not self.twice and not any(_suspicious(x) for x in near.values()):
            return near
        nearer = self._beside(column, rows, sign, FINER_PLACES)
        return {r: limit(x, nearer[r]) for r, x in near.items()}

    def _beside(self, column: int, rows: set[int], sign: int, places: int) -> dict[int, Raw]:
        matrix = self.matrix
        x = matrix.graph.numbers[column]
        assert x is not None
        evaluation = matrix.beside({column: step_from(x, sign, places)}, self.ties, self._base(places))
        return {r: matrix.row_at(r, evaluation, {column}).get(column, fzero) for r in rows}

    def _base(self, places: int) -> Evaluation:
        found = self._bases.get(places)
        if found is None:
            precision = self.matrix.bits + 64 + 10 * places
            found = self._bases[places] = self.matrix.at_the_point(precision, self.ties)
        return found


def crowds(touched: Mapping[int, Mapping[int, set[int]]]) -> dict[tuple[int, int], int]:
    """How many columns can move the same ties as a column does, by (row, column)."""
    found: dict[tuple[int, int], int] = {}
    for r, moving in touched.items():
        for columns in moving.values():
            for c in columns:
                found[r, c] = max(found.get((r, c), 0), len(columns))
    return found


def around(
    matrix: Matrix, touched: Mapping[int, Mapping[int, set[int]]], ties: Mapping[int, Tie]
) -> dict[tuple[int, int], list[Raw]]:
    """Derivatives at some random points close by, of rows given with the ties that they hang on and who moves those.

    Among three or more equals, the sides of each column by itself are not all that there is: where all move, any may
    win. Nothing where too many are equal, or where it would take too long.
    """
    rows = {r: set().union(*moving.values()) for r, moving in touched.items()}
    columns = sorted(set().union(*rows.values())) if rows else []
    crowd = min(max(crowds(touched).values(), default=0), CROWD)
    looks = min(12 + 6 * crowd, _WORK // (10 * len(matrix.steps) + 1))
    if looks < crowd:
        return {}
    base = matrix.at_the_point(matrix.bits + 64 + 10 * PLACES, ties)
    found: dict[tuple[int, int], list[Raw]] = {}
    draw = Random(0).randrange
    for _ in range(looks):
        steps = {}
        for c in columns:
            share = libmp.from_rational(draw(-_PARTS, _PARTS + 1), _PARTS, 30)
            steps[c] = libmp.mpf_mul(step_from(matrix.graph.numbers[c], 1, PLACES), share)
        there = matrix.beside(steps, ties, base)
        for r, moving in rows.items():
            row = matrix.row_at(r, there, moving)
            for c in moving:
                found.setdefault((r, c), []).append(row.get(c, fzero))
    return {place: [x for x in values if defined(x)] for place, values in found.items()}


def step_from(x: Raw, sign: int, places: int) -> Raw:
    """A step from x to its left (sign -1) or right (1), of 10**-places of its size."""
    size = fone if x == fzero else libmp.mpf_abs(x)
    return libmp.mpf_div(size, libmp.from_int(sign * 10**places), 30, "n")


def _suspicious(x: Raw) -> bool:
    """So large or small that the limit may be infinite or zero."""
    return defined(x) and x != fzero and abs(magnitude(x)) > 20


def limit(near: Raw, nearer: Raw) -> Raw:
    """The limit of a derivative, by its values at the first step and at the second, smaller one."""
    if not (defined(near) and defined(nearer)) or near == fzero or nearer == fzero:
        return nearer if defined(nearer) else near
    gap = libmp.mpf_sub(nearer, near, 60, "n")
    if gap == fzero or magnitude(gap) <= magnitude(nearer) - _SETTLED_BITS or near[0] != nearer[0]:
        return nearer
    before, after = libmp.mpf_abs(near), libmp.mpf_abs(nearer)
    if libmp.mpf_gt(after, libmp.mpf_mul(before, _RATIO, 60, "n")):
        return libmp.fninf if near[0] else libmp.finf
    return fzero if libmp.mpf_gt(before, libmp.mpf_mul(after, _RATIO, 60, "n")) else nearer


def agree(a: Raw, b: Raw) -> bool:
    """Whether two finite numbers are the same to so many bits that one-sided derivatives count as one."""
    gap = libmp.mpf_sub(a, b)
    if gap == fzero:
        return True
    return magnitude(gap) <= max(magnitude(x) for x in (a, b) if x != fzero) - _SAME_BITS
