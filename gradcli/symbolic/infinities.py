"""Derivatives where an element of the inputs is infinite: what they tend to as it grows.

The element is replaced by two large numbers: first by such that 1/x is nothing, then, as exp of those has no value, by
smaller ones. A derivative that is the same at both, or vanishes or grows between them, has a limit.
"""

from __future__ import annotations

from collections.abc import Mapping

from mpmath import libmp
from mpmath.libmp import fzero

from gradcli.symbolic.derivatives import Matrix, magnitude
from gradcli.symbolic.evaluate import Evaluation
from gradcli.symbolic.functions import UNDEFINED, Raw, defined
from gradcli.symbolic.kinks import Sides, agree

#: Pairs of numbers that stand for an infinite one; and by how many bits what grows or vanishes changes between them.
_FAR, _FAR_BITS = ((10**400, 10**500), (20_000, 30_000)), 60


def at_infinity(matrix: Matrix, rows: Mapping[int, set[int]]) -> dict[tuple[int, int], Sides]:
    """What derivatives tend to where one element of the inputs is infinite, for rows given with their columns.

    Where several are infinite, or one is nan, nothing is told.
    """
    numbers, found = matrix.graph.numbers, {}
    for r, columns in rows.items():
        beyond = [c for c in columns if not defined(numbers[c])]
        if len(beyond) != 1 or numbers[beyond[0]] == UNDEFINED:
            continue
        for pair in _FAR:
            near, nearer = (_far(matrix, r, beyond[0], size) for size in pair)
            for c in columns:
                x, y = near.get(c, fzero), nearer.get(c, fzero)
                end = _tendency(x, y)
                if (r, c) not in found and end != UNDEFINED:
                    found[r, c] = Sides(end, end)
    return found


def _tendency(x: Raw, y: Raw) -> Raw:
    """Where a derivative goes that is x at a large number and y at a larger one; UNDEFINED where that is unclear."""
    if not (defined(x) and defined(y)):
        return UNDEFINED
    if x == y or fzero in (x, y) or agree(x, y):
        return y
    change = magnitude(y) - magnitude(x)
    if abs(change) < _FAR_BITS or x[0] != y[0]:
        return UNDEFINED
    return fzero if change < 0 else libmp.fninf if y[0] else libmp.finf


def _far(matrix: Matrix, r: int, column: int, size: int) -> Mapping[int, Raw]:
    """A row where an infinite element is replaced by a large number of its sign."""
    sign = -1 if matrix.graph.numbers[column] == libmp.fninf else 1
    there = {column: libmp.from_int(sign * size)}
    return matrix.row_at(r, Evaluation(matrix.graph, matrix.steps, matrix.bits + 64, inputs=there))
