"""Derivatives where the equations that define a result are singular: at equal eigenvalues, or a rank that is not full.

Beside the point they are regular. So the program is moved away along a path: operands of what is singular by a random
matrix, or an element of the inputs. Along one path all that equations define is analytic (Rellich, for eigenvalues and
eigenvectors of symmetric matrices), so that exact derivatives at a few of its points tell their limit to many digits. A
function that is smooth at the point, as the sum of all eigenvalues is, has one limit along all paths. Others have a
kink, or no derivative at all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from mpmath import libmp
from mpmath.libmp import fzero

from gradcli.symbolic.derivatives import magnitude
from gradcli.symbolic.evaluate import Evaluation
from gradcli.symbolic.functions import UNDEFINED, Raw, defined
from gradcli.symbolic.kinks import Sides
from gradcli.symbolic.lowering import Lowered, lower
from gradcli.symbolic.paths import Path, path_by, random_path
from gradcli.symbolic.scalars import Degenerate
from gradcli.symbolic.task import Question, Task, question

#: Points of a path that are looked at.
_POINTS = 5
#: Random paths that must have one limit.
_RANDOM = 2
#: Bits to which two extrapolations, and the limits along two paths, must agree, in parts of the row's largest element.
_AGREEING = 44
#: How far a result may go along a path, in parts of the largest.
_FAR = 0.05
#: Scalars that all paths together may take, which are made anew at each point, and up to how many more are begun.
_WORK, _BEGUN = 20_000, 4_000
#: Bits of all arithmetic with limits.
_BITS = 200

_SINGULAR = "as for equal eigenvalues, equal singular values, or less than full rank"

#: (row, (input, flat index))
Place = tuple[int, tuple[str, int]]


def words_for(error: Degenerate) -> str:
    """Why there is no derivative where equations are singular."""
    return f"there is none at this point: {_singular(error)}, {_SINGULAR}"


def words_for_nan(error: Degenerate) -> str:
    """Why floats may have no derivative there, though there is one."""
    return f"it is nan in floats, and {_singular(error)}, {_SINGULAR}"


def _singular(error: Degenerate) -> str:
    name = error.node.op.name if error.node is not None and error.node.op is not None else "its result"
    return f"the equations that define {name} are singular"


class Limits(NamedTuple):
    """What derivatives tend to.

    Attributes:
        lowered, question: the program at a point close by, and what is asked there; its matrix is settled.
        base: for each row the limits by column where there is one along all paths; UNDEFINED where there is none.
        sides: where paths differ, one-sided limits, by (row, column).
        others: the limits along other paths.
    """

    lowered: Lowered
    question: Question
    base: list[Mapping[int, Raw]]
    sides: dict[tuple[int, int], Sides]
    others: dict[tuple[int, int], list[Raw]]


def limits(task: Task, digits: int, error: Degenerate, limit: int) -> Limits:
    """What derivatives tend to where `error` says that equations are singular.

    Raises:
        Degenerate: the same, where it would take too long to tell.
        Unprovable: something else is not followed.
    """
    return _Looking(task, digits, error, limit).found()


class _Looking:
    def __init__(self, task: Task, digits: int, error: Degenerate, limit: int) -> None:
        self.task, self.digits, self.error, self.limit = task, digits, error, limit
        self.spent = 0

    def found(self) -> Limits:
        lowered, asked = self._at(random_path(0, _POINTS))
        if _RANDOM * _POINTS * self.spent > _WORK:
            raise self.error
        asked.matrix.settle()
        along = [self._limits(partial(random_path, seed)) for seed in range(_RANDOM)]
        differing = _differing(along)
        columns = {lowered.graph.labels[c]: c for c in asked.matrix.columns}
        base: list[dict[int, Raw]] = [{} for _ in asked.matrix.rows]
        for (r, label), value in along[0].items():
            base[r][columns[label]] = UNDEFINED if (r, label) in differing else value
        # One path without a limit is enough: there is no derivative, and no kink either.
        kinks = {place for place in differing if all(defined(found[place]) for found in along)}
        pairs = self._sides(sorted({label for _, label in kinks}))
        sides = {(r, columns[label]): pairs[r, label] for r, label in kinks & pairs.keys()}
        others = {(r, columns[label]): [found[r, label] for found in along] for r, label in kinks & pairs.keys()}
        return Limits(lowered, asked, list(base), sides, others)

    def _sides(self, labels: Sequence[tuple[str, int]]) -> dict[Place, Sides]:
        found: dict[Place, Sides] = {}
        for label in labels:
            if self.spent > _BEGUN:
                break
            left, right = (self._limits(partial(path_by, self.task.inputs, label, sign)) for sign in (-1, 1))
            for place in left.keys() & right.keys():
                if place[1] == label:
                    found[place] = Sides(left[place], right[place])
        return found

    def _at(self, path: Path) -> tuple[Lowered, Question]:
        lowered = lower(self.task.outputs, self.task.inputs, limit=self.limit, path=path)
        asked = question(lowered, self.task, self.digits)
        self.spent += len(asked.matrix.steps)
        return lowered, asked

    def _limits(self, path: Callable[[int], Path]) -> dict[Place, Raw]:
        """The limits along a path; UNDEFINED where there is none."""
        points = [self._derivatives(*self._at(path(k))) for k in range(1, _POINTS + 1)]
        sizes = _sizes(points)
        found = {}
        for place in set().union(*points):
            found[place] = _limit([point.get(place, fzero) for point in points], sizes.get(place[0], 0))
        return found

    def _derivatives(self, lowered: Lowered, asked: Question) -> dict[Place, Raw]:
        matrix, labels = asked.matrix, lowered.graph.labels
        here = matrix.at_the_point(matrix.bits + 128, {})
        rows = matrix.rows_at(dict.fromkeys(range(len(matrix.rows)), matrix.columns), here)
        strayed = self._strayed(asked, here)
        return {
            (r, labels[c]): UNDEFINED if r in strayed else row.get(c, fzero)
            for r, row in rows.items()
            for c in matrix.columns
        }

    def _strayed(self, asked: Question, here: Evaluation) -> set[int]:
        """The rows of results that are far from those at the point: eigenvalues may come in another order."""
        results = self.task.results_by_row(asked.rows)
        if not np.isfinite(self.task.results()).all():
            return set()
        allowed = _FAR * (float(np.abs(self.task.results()).max(initial=0.0)) or 1.0)
        exact = {r: here.numbers[asked.matrix.rows[r]] for r in results}
        # Not `>`: what is nan there has strayed.
        return {r for r, x in exact.items() if x is None or not abs(float(x) - results[r]) <= allowed}


def _differing(along: Sequence[Mapping[Place, Raw]]) -> set[Place]:
    """Where there is not one limit along all paths."""
    sizes = _sizes(along)
    return {place for place in along[0] if not _same([found[place] for found in along], sizes.get(place[0], 0))}


def _sizes(points: Sequence[Mapping[Place, Raw]]) -> dict[int, int]:
    """The exponent of the largest element of each row that is not zero."""
    found: dict[int, int] = {}
    for point in points:
        for (r, _), value in point.items():
            if defined(value) and value != fzero:
                found[r] = max(found.get(r, magnitude(value)), magnitude(value))
    return found


def _limit(values: Sequence[Raw], size: int) -> Raw:
    """The limit of what has these values at 1, 2, 3 ... steps from the point: that of polynomials through them."""
    if not all(map(defined, values)):
        return UNDEFINED
    fewer, all_of_them = _extrapolated(values[:-1]), _extrapolated(values)
    if not _near(fewer, all_of_them, size):
        return UNDEFINED
    return fzero if _near(fzero, all_of_them, size) else all_of_them


def _extrapolated(values: Sequence[Raw]) -> Raw:
    """The value at 0 of the polynomial through values at 1, 2, 3 ...: the sum of (-1)**(k+1) (n over k) y[k]."""
    n, found, weight = len(values), fzero, 1
    for k, y in enumerate(values, 1):
        weight = weight * (n - k + 1) // k
        term = libmp.mpf_mul(y, libmp.from_int(weight if k % 2 else -weight))
        found = libmp.mpf_add(found, term, _BITS, "n")
    return found


def _near(x: Raw, y: Raw, size: int) -> bool:
    gap = libmp.mpf_sub(x, y, _BITS, "n")
    return gap == fzero or magnitude(gap) <= size - _AGREEING


def _same(values: Sequence[Raw], size: int) -> bool:
    return all(map(defined, values)) and all(_near(x, values[0], size) for x in values[1:])
