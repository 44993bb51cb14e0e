"""What meanings are made of: textbook definitions over object arrays of exact numbers.

`S` is the reader's namespace of scalar functions. Where a definition chooses by value, `S.argmax` looks at the values;
a reader that has none raises `S.Unknown`, and the definition falls back to a form without choices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from gradcli.ops.axes import Axes, reduced_shape


def filled(shape: tuple[int, ...], cells: Sequence[Any]) -> Any:
    """An object array of `shape` with these cells, in order."""
    made = np.empty(len(cells), dtype=object)
    for i, cell in enumerate(cells):
        made[i] = cell
    return made.reshape(shape)


def each(f: Callable[..., Any], *arrays: Any) -> Any:
    """`f` of every element of arrays that broadcast."""
    spread = np.broadcast_arrays(*(np.asarray(x) for x in arrays))
    return filled(spread[0].shape, [f(*cells) for cells in zip(*(x.ravel() for x in spread), strict=True)])


def along(f: Callable[[list[Any]], Any], x: Any, axis: Axes, keepdims: bool = False) -> Any:
    """`f` of the list of elements along the axes, for every place of the other axes."""
    moved = np.moveaxis(x, axis, tuple(range(-len(axis), 0)))
    lead = moved.shape[: moved.ndim - len(axis)]
    rows = moved.reshape((int(np.prod(lead, dtype=int)), -1) if moved.size else (int(np.prod(lead, dtype=int)), 0))
    made = filled(lead, [f(list(row)) for row in rows])
    return made.reshape(reduced_shape(x.shape, axis, True)) if keepdims else made


def largest(S: Any, cells: list[Any]) -> Any:
    """The largest of some numbers: chosen by value where values are known."""
    try:
        return cells[S.argmax(cells)]
    except S.Unknown:
        return reduce(S.max, cells)


def smallest(S: Any, cells: list[Any]) -> Any:
    """The smallest of some numbers."""
    try:
        return cells[S.argmax([-cell for cell in cells])]
    except S.Unknown:
        return reduce(S.min, cells)


def matrices(f: Callable[..., Any], *stacks: Any) -> Any:
    """`f` of every matrix (the last two axes) of stacks whose leading axes broadcast."""
    lead = np.broadcast_shapes(*(x.shape[:-2] for x in stacks))
    spread = [np.broadcast_to(x, lead + x.shape[-2:]) for x in stacks]
    found = [np.asarray(f(*(x[index] for x in spread)), dtype=object) for index in np.ndindex(lead)]
    if not found:
        return np.empty(lead, dtype=object)
    return filled(lead + found[0].shape, [cell for part in found for cell in part.ravel()])


#: What is left of a pivot that should be 0, in parts of its column: a reader has so many digits.
_NOTHING = 2.0**-240


def eliminated(S: Any, matrix: Any) -> tuple[Any, list[Any], int]:
    """Gauss elimination of a wide matrix: (its rows, the pivots, the sign of the row exchanges).

    Raises:
        S.Unknown: the pivots can't be chosen, or one before the last is 0.
    """
    rows = matrix.astype(object)
    largest = [S.abs(column[S.argmax([S.abs(cell) for cell in column])]) for column in rows.T[: rows.shape[0]]]
    pivots, sign = [], 1
    for k in range(rows.shape[0]):
        p = k + S.argmax([S.abs(cell) for cell in rows[k:, k]])
        if p != k:
            rows[[k, p]] = rows[[p, k]]
            sign = -sign
        pivot = rows[k, k]
        pivots.append(pivot)
        if k + 1 < rows.shape[0] and S.argmax([largest[k] * _NOTHING, S.abs(pivot)]) == 0:
            raise S.Unknown
        for i in range(k + 1, rows.shape[0]):
            rows[i, k:] = rows[i, k:] - rows[k, k:] * (rows[i, k] / pivot)
    return rows, pivots, sign


def determinant(S: Any, matrix: Any) -> Any:
    """The determinant: the product of the pivots, or a form without division where no pivot can be chosen."""
    try:
        _, pivots, sign = eliminated(S, matrix)
    except S.Unknown:
        return expansion(matrix) if matrix.shape[0] <= _EXPANDED else _undivided(matrix)
    return reduce(lambda a, b: a * b, pivots, S.number(sign))


#: Up to this size a determinant without division is expanded, which reads best as a formula.
_EXPANDED = 5


def _undivided(matrix: Any) -> Any:
    """The determinant by products alone, after Bird, "A simple division-free algorithm for computing determinants"."""
    n = matrix.shape[0]
    found = matrix
    for _ in range(n - 1):
        made = np.triu(found, 1)
        below: Any = 0
        for i in reversed(range(n)):
            made[i, i] = below
            below = below - found[i, i]
        found = made @ matrix
    return found[0, 0] if n % 2 else -found[0, 0]


def expansion(matrix: Any) -> Any:
    """The determinant by Laplace's expansion along the rows; each set of columns is expanded once."""
    n = matrix.shape[0]
    minors: dict[tuple[int, ...], Any] = {(): 1}
    for size in range(1, n + 1):
        row = matrix[n - size]
        found: dict[tuple[int, ...], Any] = {}
        for columns in _subsets(n, size):
            total: Any = 0
            for place, column in enumerate(columns):
                term = row[column] * minors[columns[:place] + columns[place + 1 :]]
                total = total - term if place % 2 else total + term
            found[columns] = total
        minors = found
    return minors[tuple(range(n))]


def _subsets(n: int, size: int) -> list[tuple[int, ...]]:
    from itertools import combinations

    return list(combinations(range(n), size))


def solution(S: Any, a: Any, b: Any) -> Any:
    """X with a X = b: elimination and back substitution, or Cramer's rule where no pivot can be chosen."""
    n = a.shape[0]
    try:
        rows, pivots, _ = eliminated(S, np.concatenate([a.astype(object), b.astype(object)], axis=1))
    except S.Unknown:
        return _cramer(a, b)
    found = rows[:, n:]
    for k in reversed(range(n)):
        for j in range(k + 1, n):
            found[k] = found[k] - found[j] * rows[k, j]
        found[k] = found[k] / pivots[k]
    return found


def _cramer(a: Any, b: Any) -> Any:
    whole = expansion(a)
    found = np.empty(b.shape, dtype=object)
    for i in range(b.shape[0]):
        for j in range(b.shape[1]):
            replaced = a.astype(object)
            replaced[:, i] = b[:, j]
            found[i, j] = expansion(replaced) / whole
    return found


def identity(S: Any, n: int) -> Any:
    """The identity matrix of exact numbers."""
    return filled((n, n), [S.number(int(i == j)) for i in range(n) for j in range(n)])


# --- results that equations define -----------------------------------------------------------------------------------


def nearest(S: Any, cells: Any) -> Any:
    """Exact numbers as the floats (or complex floats) nearest to them.

    Raises:
        S.Unknown: their values are not known.
    """
    flat = [(S.float(S.re(x)), S.float(S.im(x))) for x in np.ravel(cells)]
    real = np.array([re for re, _ in flat], dtype=np.float64).reshape(np.shape(cells))
    if not any(is_complex(x) for x in np.ravel(cells)):
        return real
    return real + 1j * np.array([im for _, im in flat]).reshape(np.shape(cells))


def is_complex(cell: Any) -> bool:
    """Whether an exact number is a pair of parts."""
    return hasattr(cell, "im")


def implied(S: Any, starts: Sequence[Any], equations: Callable[..., Sequence[Any]]) -> list[Any]:
    """Arrays of exact numbers near the arrays `starts` for which all cells of `equations(*arrays)` are 0.

    A complex start makes complex unknowns. A complex cell of an equation counts twice, by its real and its imaginary
    part.

    Raises:
        S.Unknown: values are not known.
    """
    arrays = [np.asarray(x) for x in starts]
    flat: list[float] = []
    for x in arrays:
        flat += [float(part) for cell in x.ravel() for part in _parts(cell)]

    def gathered(unknowns: Sequence[Any]) -> list[Any]:
        rest = iter(unknowns)
        made = []
        for x in arrays:
            if x.dtype.kind == "c":
                cells = [next(rest) + S.number(1j) * next(rest) for _ in range(x.size)]
            else:
                cells = [next(rest) for _ in range(x.size)]
            made.append(filled(x.shape, cells))
        return made

    def residuals(unknowns: Sequence[Any]) -> list[Any]:
        found: list[Any] = []
        for part in equations(*gathered(unknowns)):
            for cell in np.ravel(part):
                found += [S.re(cell), S.im(cell)] if is_complex(cell) else [cell]
        return found

    return gathered(S.implicit(residuals, flat))


def _parts(x: Any) -> tuple[float, ...]:
    return (x.real, x.imag) if x.dtype.kind == "c" else (x,)


def adjoint_of(cells: Any) -> Any:
    """The conjugate transpose of a matrix of exact numbers."""
    return filled(cells.T.shape, [cell.conjugate() for cell in cells.T.ravel()])


def conjugated(cells: Any) -> Any:
    """The complex conjugates of exact numbers."""
    return filled(cells.shape, [cell.conjugate() for cell in cells.ravel()])
