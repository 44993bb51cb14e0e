"""Matrices whose elements are those of vectors, in a pattern, and linear equations with them."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.values import CoreValue, dtype_of, ndim_of, shape_of
from gradcli.ops.arguments import integer
from gradcli.ops.casts import cast
from gradcli.ops.elementwise import absolute, divide
from gradcli.ops.function import case
from gradcli.ops.indexing import getitem
from gradcli.ops.joining import concatenate
from gradcli.ops.kinds import conj, fits
from gradcli.ops.linalg import SOLVE
from gradcli.ops.matrices import as_column, as_row, check_square, complex_sample
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.products import times
from gradcli.ops.registry import function
from gradcli.ops.triangular import as_given, columns_of


def _vector(name: str, x: Any) -> CoreValue:
    """A vector, or a stack of them along the last axis."""
    found = as_core(x)
    if not ndim_of(found):
        raise ShapeError(f"{name} takes a vector, not a number")
    return found


def _joined(a: CoreValue, b: CoreValue) -> CoreValue:
    dtype = np.result_type(dtype_of(a), dtype_of(b))
    return concatenate([cast(a, dtype), cast(b, dtype)], -1)


def _rest(x: CoreValue) -> CoreValue:
    return getitem(x, (..., slice(1, None)))


_COMPLEX = complex_sample(1, 3)[0]
_SPREAD = "vjp: the elements of g, added where each came from"


@function(
    family="linalg",
    where="",
    also=("scipy.linalg.toeplitz",),
    derivative=_SPREAD,
    cases=(case((3,)), case((3,), (4,)), case((2,), (1,)), case(_COMPLEX), case((0,))),
)
def toeplitz(c: Any, r: Any = None) -> CoreValue:
    """The matrix with a first column and a first row, constant along diagonals; the row is the column's conjugate."""
    return _toeplitz("toeplitz", c, r)


def _toeplitz(name: str, c: Any, r: Any) -> CoreValue:
    column = _vector(name, c)
    row = conj(column) if r is None else _vector(name, r)
    m, n = shape_of(column)[-1], shape_of(row)[-1]
    steps = np.arange(m)[:, None] - np.arange(n)
    return getitem(_joined(column, _rest(row)), (..., np.where(steps >= 0, steps, m - 1 - steps)))


@function(
    family="linalg",
    where="",
    also=("scipy.linalg.hankel",),
    derivative=_SPREAD,
    cases=(case((3,)), case((3,), (4,)), case((2,), (1,))),
)
def hankel(c: Any, r: Any = None) -> CoreValue:
    """The matrix with a first column and a last row, constant along antidiagonals; the row is 0 by itself."""
    column = _vector("hankel", c)
    row = np.zeros(shape_of(column), dtype_of(column)) if r is None else _vector("hankel", r)
    m, n = shape_of(column)[-1], shape_of(row)[-1]
    return getitem(_joined(column, _rest(row)), (..., np.arange(m)[:, None] + np.arange(n)))


@function(
    family="linalg",
    where="",
    also=("scipy.linalg.circulant",),
    derivative=_SPREAD,
    cases=(case((3,)), case((1,)), case((2, 3))),
)
def circulant(c: Any) -> CoreValue:
    """The matrix whose columns are a vector, turned by one place from one to the next."""
    column = _vector("circulant", c)
    n = shape_of(column)[-1]
    return getitem(column, (..., (np.arange(n)[:, None] - np.arange(n)) % max(n, 1)))


@function(
    family="linalg",
    where="",
    also=("scipy.linalg.companion",),
    derivative="vjp: that of -a[1:]/a[0], in the first row",
    defined="a[0] is not 0",
    domain=(0.5, 2.0),
    cases=(case((4,)), case((2,))),
)
def companion(a: Any) -> CoreValue:
    """The matrix whose eigenvalues are the roots of the polynomial with coefficients a, the highest first."""
    found = to_float(_vector("companion", a))
    n = shape_of(found)[-1] - 1
    if n < 1:
        raise ShapeError(f"companion takes at least two coefficients, not shape {fits(shape_of(found))}")
    row = divide(-_rest(found), getitem(found, (..., slice(0, 1))))
    below = np.broadcast_to(np.eye(n - 1, n, dtype=dtype_of(row)), (*shape_of(row)[:-1], n - 1, n))
    return concatenate([as_row(row), below], -2)


@function(
    family="linalg",
    where="",
    also=("scipy.linalg.leslie",),
    derivative="vjp: g's first row; g below the diagonal",
    cases=(case((3,), (2,)),),
)
def leslie(f: Any, s: Any) -> CoreValue:
    """Leslie's matrix: fecundities in the first row, survivals below the diagonal."""
    top, below = _vector("leslie", f), _vector("leslie", s)
    n = shape_of(top)[-1]
    if n < 2 or shape_of(below)[-1] != n - 1:
        raise ShapeError(
            f"leslie cannot join shapes {fits(shape_of(top))} and {fits(shape_of(below))}", mend="one survival fewer"
        )
    square = as_column(below) * np.eye(n - 1, dtype=dtype_of(below))
    edge = np.zeros((*shape_of(below), 1), dtype_of(below))
    return concatenate([as_row(top), concatenate([square, edge], -1)], -2)


@function(
    family="linalg",
    where="",
    also=("scipy.linalg.fiedler",),
    derivative="vjp: row sums less column sums of g*sign(a[i] - a[j])",
    kinks="equal elements: 0",
    cases=(case((3,)), case((2, 2))),
)
def fiedler(a: Any) -> CoreValue:
    """The matrix of all distances |a[i] - a[j]|."""
    found = _vector("fiedler", a)
    return absolute(as_column(found) - as_row(found))


@function(
    family="linalg",
    where="",
    also=("scipy.linalg.convolution_matrix",),
    derivative=_SPREAD,
    cases=(case((3,), 4), case((3,), 4, mode="same"), case((3,), 5, mode="valid"), case((2,), 1)),
)
def convolution_matrix(a: Any, n: Any, mode: Any = "full") -> CoreValue:
    """The matrix that convolves a vector of n elements with a."""
    found, count = _vector("convolution_matrix", a), integer(n, "convolution_matrix: n")
    size = shape_of(found)[-1]
    if mode not in ("full", "same", "valid"):
        raise ArgumentError(f"convolution_matrix: mode is 'full', 'same' or 'valid', not {mode!r}")
    if count < 1 or not size:
        raise ArgumentError("convolution_matrix: both vectors need an element")
    zeros = np.zeros((*shape_of(found)[:-1], count - 1), dtype_of(found))
    column = concatenate([found, zeros], -1)
    row = concatenate([getitem(found, (..., slice(0, 1))), zeros], -1)
    whole = _toeplitz("convolution_matrix", column, row)
    if mode == "full":
        return whole
    rows = max(size, count) if mode == "same" else max(size, count) - min(size, count) + 1
    start = (min(size, count) - 1) // 2 if mode == "same" else min(size, count) - 1
    return getitem(whole, (..., slice(start, start + rows), slice(None)))


# --- linear equations ------------------------------------------------------------------------------------------------


def _of_pair(name: str, given: Any) -> CoreValue:
    """A Toeplitz matrix of its first column, or of its first column and row."""
    if isinstance(given, tuple):
        if len(given) != 2:
            raise ArgumentError(f"{name} takes a column, or the pair of a column and a row")
        return _toeplitz(name, *given)
    return _toeplitz(name, given, None)


_TRIPLE = np.array([3.0, 0.5, -1.0])


@function(
    family="linalg",
    where="",
    also=("scipy.linalg.solve_toeplitz",),
    derivative="vjp: that of solve(toeplitz(c, r), b)",
    cases=(case(_TRIPLE, (3,)), case((_TRIPLE, _TRIPLE[::-1] + 0.25), (3, 2))),
)
def solve_toeplitz(c_or_cr: Any, b: Any, check_finite: bool = True) -> CoreValue:
    """x with T @ x = b, of the Toeplitz matrix with the column c (and the row r)."""
    return _solved("solve_toeplitz", _of_pair("solve_toeplitz", c_or_cr), b)


def _solved(name: str, matrix: CoreValue, b: Any) -> CoreValue:
    check_square(name, matrix)
    right, vector = columns_of(to_float(as_core(b)))
    return as_given(bind(SOLVE, to_float(matrix), right), vector)


@function(
    family="linalg",
    where="",
    also=("scipy.linalg.solve_circulant",),
    derivative="vjp: that of solve(circulant(c), b)",
    cases=(case(_TRIPLE, (3,)), case(_TRIPLE, (3, 2))),
)
def solve_circulant(c: Any, b: Any) -> CoreValue:
    """x with C @ x = b, of the circulant matrix with the first column c."""
    return _solved("solve_circulant", circulant.call(c), b)


@function(
    family="linalg",
    where="",
    also=("scipy.linalg.matmul_toeplitz",),
    derivative="vjp: that of toeplitz(c, r) @ x",
    cases=(case((3,), (3,)), case((_TRIPLE[:2], _TRIPLE), (3, 2))),
)
def matmul_toeplitz(c_or_cr: Any, x: Any, check_finite: bool = False, workers: Any = None) -> CoreValue:
    """T @ x, of the Toeplitz matrix with the column c (and the row r)."""
    right, vector = columns_of(as_core(x))
    return as_given(times(_of_pair("matmul_toeplitz", c_or_cr), right), vector)


# --- bands -----------------------------------------------------------------------------------------------------------


@function(
    family="linalg",
    where="",
    also=("scipy.linalg.solve_banded",),
    derivative="vjp: that of solve, of the matrix with these bands",
    cases=(
        case([1, 1], np.array([[0.0, 0.5, -1.0], [3.0, 2.0, 4.0], [0.25, 1.0, 0.0]]), (3,)),
        case([0, 1], np.array([[0.0, 0.5], [3.0, 2.0]]), (2, 2)),
    ),
)
def solve_banded(
    l_and_u: Any, ab: Any, b: Any, overwrite_ab: bool = False, overwrite_b: bool = False, check_finite: bool = True
) -> CoreValue:
    """x with A @ x = b, of a matrix with `l` bands below its diagonal and `u` above, one a row of ab."""
    if not isinstance(l_and_u, list | tuple) or len(l_and_u) != 2:
        raise ArgumentError("solve_banded takes the pair (bands below, bands above) first")
    low, high = (integer(n, "solve_banded: the number of bands") for n in l_and_u)
    bands = to_float(as_core(ab))
    if ndim_of(bands) != 2 or shape_of(bands)[0] != low + high + 1:
        raise ShapeError(f"solve_banded: {low + high + 1} bands are due, not shape {fits(shape_of(bands))}")
    n = shape_of(bands)[1]
    steps = np.arange(n)[:, None] - np.arange(n) + high
    inside = (steps >= 0) & (steps <= low + high)
    dense = getitem(bands, (np.clip(steps, 0, low + high), np.broadcast_to(np.arange(n), (n, n))))
    return _solved("solve_banded", dense * inside.astype(dtype_of(bands)), b)
