"""Derivatives at a kink, and where a formula is undefined at the very point: what they are a tiny step beside it.

The step is 10**-40 of the element, far below any float's rounding; evaluation has digits enough to see it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from mpmath import libmp
from mpmath.libmp import fone, fzero

from gradcli.symbolic.derivatives import Matrix, magnitude
from gradcli.symbolic.evaluate import Tie
from gradcli.symbolic.functions import UNDEFINED, Raw, defined
from gradcli.symbolic.scalars import TooLarge

#: Decimal places of the step, and of the second, smaller one that tells an infinite limit.
_PLACES, _FINER_PLACES = 40, 70
#: How many scalar evaluations all looks together may cost.
_WORK = 30_000_000
#: Two one-sided values that agree to so many bits are one.
_SAME_BITS = 80
#: A value that grew by so many bits from the first step to the smaller one has no finite limit.
_GROWING_BITS = 20


class Sides(NamedTuple):
    """One-sided derivatives: UNDEFINED where there is none, infinite ones included."""

    left: Raw
    right: Raw

    @property
    def equal(self) -> bool:
        """Whether both exist and are one value."""
        return self.left == self.right or (defined(self.left) and defined(self.right) and _close(self.left, self.right))

    @property
    def known(self) -> bool:
        """Whether at least one of them exists."""
        return UNDEFINED not in (self.left, self.right) or self.left != self.right

    def nearest(self, got: Raw) -> Raw:
        """The value of the interval between the sides that is nearest to `got`."""
        if UNDEFINED in (self.left, self.right):
            return self.right if self.left == UNDEFINED else self.left
        low, high = (self.left, self.right) if libmp.mpf_le(self.left, self.right) else (self.right, self.left)
        return low if libmp.mpf_lt(got, low) else high if libmp.mpf_gt(got, high) else got


def sides(matrix: Matrix, places: Mapping[int, set[int]], ties: Mapping[int, Tie]) -> dict[tuple[int, int], Sides]:
    """One-sided derivatives at (row, column) places, given as columns with their rows.

    Raises:
        TooLarge: there are more of them than can be looked at.
    """
    if 2 * len(places) * len(matrix.steps) > _WORK:
        raise TooLarge(f"{len(places):,} elements of the inputs sit exactly at kinks, too many to be looked at")
    found = {}
    for column, rows in places.items():
        left, right = (_limits(matrix, column, rows, ties, sign) for sign in (-1, 1))
        for r in rows:
            found[r, column] = Sides(left[r], right[r])
    return found


def _limits(matrix: Matrix, column: int, rows: set[int], ties: Mapping[int, Tie], sign: int) -> dict[int, Raw]:
    near = _beside(matrix, column, rows, ties, sign, _PLACES)
    if not any(_suspicious(x) for x in near.values()):
        return near
    nearer = _beside(matrix, column, rows, ties, sign, _FINER_PLACES)
    return {r: _limit(x, nearer[r]) for r, x in near.items()}


def _beside(
    matrix: Matrix, column: int, rows: set[int], ties: Mapping[int, Tie], sign: int, places: int
) -> dict[int, Raw]:
    precision = matrix.bits + 64 + 10 * places
    x = matrix.graph.numbers[column]
    assert x is not None
    size = fone if x == fzero else libmp.mpf_abs(x)
    step = libmp.mpf_div(size, libmp.from_int(sign * 10**places), 30, "n")
    evaluation = matrix.beside(column, step, ties, precision)
    return {r: matrix.row_at(r, evaluation).get(column, fzero) for r in rows}


def _suspicious(x: Raw) -> bool:
    """So large or small that the limit may be infinite or zero."""
    return defined(x) and x != fzero and abs(magnitude(x)) > 40


def _limit(near: Raw, nearer: Raw) -> Raw:
    if not _suspicious(near) or not defined(nearer):
        return near
    if nearer == fzero:
        return fzero
    growth = magnitude(nearer) - magnitude(near)
    if growth > _GROWING_BITS:
        return libmp.fninf if near[0] else libmp.finf
    return fzero if growth < -_GROWING_BITS else near


def _close(a: Raw, b: Raw) -> bool:
    gap = libmp.mpf_sub(a, b)
    if gap == fzero:
        return True
    return magnitude(gap) <= max(magnitude(x) for x in (a, b) if x != fzero) - _SAME_BITS
