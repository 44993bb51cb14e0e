"""Derivatives at a kink, and where a formula is undefined at the very point: what they are a tiny step beside it.

The step is 10**-40 of the element, far below any float's rounding; evaluation has digits enough to see it. A second,
much smaller one tells where the first has not yet come to the limit: one that is zero or infinite, or reached slowly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from random import Random
from typing import Any, NamedTuple

from mpmath import libmp
from mpmath.libmp import fone, fzero

from gradcli.symbolic.companions import Families, companies
from gradcli.symbolic.derivatives import Matrix, Place, magnitude
from gradcli.symbolic.evaluate import Evaluation, Tie
from gradcli.symbolic.functions import UNDEFINED, Raw, defined
from gradcli.symbolic.scalars import TooLarge

#: Decimal places of the step, and of the second, smaller one.
PLACES, FINER_PLACES = 40, 140
#: How many scalar evaluations all looks together may cost, and up to how many every look is taken twice.
_WORK, _TWICE = 30_000_000, 2_000_000
#: How many looks at orders are enough, unless there are more equals than that; and the parts that a step is counted in.
_FEW, _PARTS = 200, 1 << 20
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
    together = companies(matrix, places, ties)
    work = 2 * len(together) * len(matrix.steps)
    if work > _WORK:
        raise TooLarge(f"{len(places):,} elements of the inputs sit exactly at kinks, too many to be looked at")
    found = {}
    looks = _Looks(matrix, ties, twice=2 * work <= _TWICE)
    for company in together:
        left, right = (looks.limits({c: places[c] for c in company}, sign) for sign in (-1, 1))
        for place, value in left.items():
            found[place] = Sides(value, right[place])
    return found


class _Looks:
    """Derivatives a tiny step beside the point."""

    def __init__(self, matrix: Matrix, ties: Mapping[int, Tie], twice: bool) -> None:
        self.matrix = matrix
        self.ties = ties
        self.twice = twice
        self._bases: dict[int, Evaluation] = {}

    def limits(self, places: Mapping[int, set[int]], sign: int) -> dict[Place, Raw]:
        """One-sided derivatives at (row, column), of some rows by each column."""
        near = self._beside(places, sign, PLACES)
        if not self.twice and not any(_suspicious(x) for x in near.values()):
            return near
        nearer = self._beside(places, sign, FINER_PLACES)
        return {place: limit(x, nearer[place]) for place, x in near.items()}

    def _beside(self, places: Mapping[int, set[int]], sign: int, digits: int) -> dict[Place, Raw]:
        matrix, numbers = self.matrix, self.matrix.graph.numbers
        steps = {c: step_from(_known(numbers[c]), sign, digits) for c in places}
        evaluation = matrix.beside(steps, self.ties, self._base(digits))
        rows = sorted(set().union(*places.values()))
        wanted: dict[int, list[int]] = {r: [] for r in rows}
        for c, readers in places.items():
            for r in readers:
                wanted[r].append(c)
        found = matrix.rows_at(wanted, evaluation)
        return {(r, c): found[r].get(c, fzero) for r in rows for c in wanted[r]}

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
    """Derivatives at some points close by, of rows given with the ties that they hang on and who moves those.

    Among three or more equals, the sides of each column by itself are not all that there is: where all move, any may
    win. So all move, in as many orders that each of them takes every place. Nothing where that would take too long.
    """
    families = Families(set().union(*(columns for moving in touched.values() for columns in moving.values())))
    for moving in touched.values():
        for columns in moving.values():
            families.join_all(columns)
    looks = looks_around(matrix, touched)
    if not looks:
        return {}
    base = matrix.at_the_point(matrix.bits + 64 + 10 * PLACES, ties)
    found: dict[tuple[int, int], list[Raw]] = {}
    wanted = {r: set().union(*moving.values()) for r, moving in touched.items()}
    for shares in orders(families.members(), looks):
        steps = {}
        for c, share in shares.items():
            part = libmp.from_rational(int(share * _PARTS), _PARTS, 30)
            steps[c] = libmp.mpf_mul(step_from(_known(matrix.graph.numbers[c]), 1, PLACES), part)
        rows = matrix.rows_at(wanted, matrix.beside(steps, ties, base))
        for r, columns in wanted.items():
            for c in columns:
                found.setdefault((r, c), []).append(rows[r].get(c, fzero))
    return {place: [x for x in values if defined(x)] for place, values in found.items()}


def looks_around(matrix: Matrix, touched: Mapping[int, Mapping[int, set[int]]]) -> int:
    """How many orders among equals are looked at; 0 where there are too many equals for each to take every place."""
    crowd = max(crowds(touched).values(), default=0)
    looks = min(enough_orders(crowd), _WORK // (10 * len(matrix.steps) + 1))
    return looks if looks >= crowd else 0


def enough_orders(crowd: int) -> int:
    """How many orders among so many equals are looked at, where that does not take too long."""
    return min(12 + 6 * crowd, max(crowd, _FEW))


def orders(families: Iterable[Sequence[Any]], count: int) -> Iterator[dict[Any, float]]:
    """Some orders of the members of families, each told by a number from -1 to 1 for every member.

    Of as many orders as a family has members each member takes every place, first to last.
    """
    draw = Random(0)
    mixed = [list(members) for members in families]
    for k in range(count):
        made = {}
        for members in mixed:
            n = len(members)
            if k % n == 0:
                draw.shuffle(members)
            for i, c in enumerate(members):
                made[c] = (2 * ((i + k) % n) + 1 - n + draw.uniform(-0.9, 0.9)) / n
        yield made


def step_from(x: Raw, sign: int, places: int) -> Raw:
    """A step from x to its left (sign -1) or right (1), of 10**-places of its size."""
    size = fone if x == fzero else libmp.mpf_abs(x)
    return libmp.mpf_div(size, libmp.from_int(sign * 10**places), 30, "n")


def _known(x: Raw | None) -> Raw:
    assert x is not None
    return x


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
    gap = libmp.mpf_sub(a, b, 2 * _SAME_BITS, "n")
    if gap == fzero:
        return True
    return magnitude(gap) <= max(magnitude(x) for x in (a, b) if x != fzero) - _SAME_BITS
