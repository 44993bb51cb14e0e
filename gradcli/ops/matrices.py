"""What rules for matrices are made of: adjoints, parts of a matrix, checks of its shape, and matrices for tests.

A matrix stands in the last two axes; whatever is in front of them is a stack of matrices.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import DomainError, ShapeError
from gradcli.graph.values import CoreValue, Spec, dtype_of, shape_of
from gradcli.ops.axis_order import matrices_transposed
from gradcli.ops.diagonals import DIAGONAL
from gradcli.ops.kinds import conj, fits
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.reduction import real_dtype
from gradcli.ops.shape import reshaped


def transposed(x: CoreValue) -> CoreValue:
    """The last two axes exchanged."""
    return matrices_transposed(x)


def adjoint(x: CoreValue) -> CoreValue:
    """The conjugate transpose of the last two axes."""
    return matrices_transposed(conj(x))


def hermitian(x: CoreValue) -> CoreValue:
    """(X + X.H)/2."""
    return 0.5 * (x + adjoint(x))


def skew(x: CoreValue) -> CoreValue:
    """(X - X.H)/2."""
    return 0.5 * (x - adjoint(x))


def columns_scaled(x: CoreValue, factors: CoreValue) -> CoreValue:
    """X diag(factors)."""
    return x * as_row(factors)


def as_row(x: CoreValue) -> CoreValue:
    """A vector per matrix as one row, which broadcasts down the columns."""
    shape = shape_of(x)
    return reshaped(x, (*shape[:-1], 1, shape[-1]))


def as_column(x: CoreValue) -> CoreValue:
    """A vector per matrix as one column, which broadcasts along the rows."""
    return reshaped(x, (*shape_of(x), 1))


def as_scalar(x: CoreValue) -> CoreValue:
    """A number per matrix, with the matrix's two axes put back."""
    return reshaped(x, (*shape_of(x), 1, 1))


def diagonal_of(x: CoreValue) -> CoreValue:
    """The diagonal of every matrix."""
    return bind(DIAGONAL, x, offset=0, axes=(-2, -1))


def on_diagonal(x: CoreValue) -> CoreValue:
    """The matrix with a vector as its diagonal."""
    return as_row(x) * np.eye(shape_of(x)[-1], dtype=dtype_of(x))


def masked(x: CoreValue, mask: Any) -> CoreValue:
    """The elements of X where a constant mask of 0, 1/2 and 1 has them."""
    return x * mask.astype(real_dtype(dtype_of(x)))


def lower_part(x: CoreValue, diagonal: float) -> CoreValue:
    """The part of X below the diagonal, and the diagonal times a number."""
    rows, columns = shape_of(x)[-2:]
    return masked(x, np.tril(np.ones((rows, columns)), -1) + diagonal * np.eye(rows, columns))


def upper_part(x: CoreValue, diagonal: float) -> CoreValue:
    """The part of X above the diagonal, and the diagonal times a number."""
    rows, columns = shape_of(x)[-2:]
    return masked(x, np.triu(np.ones((rows, columns)), 1) + diagonal * np.eye(rows, columns))


# --- arguments -------------------------------------------------------------------------------------------------------


def check_square(name: str, x: CoreValue) -> None:
    """Raise unless `x` is a square matrix or a stack of them.

    Raises:
        ShapeError: it isn't.
    """
    shape = shape_of(x)
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise ShapeError(f"{name} needs a square matrix, not shape {fits(shape)}")


def check_matrix(name: str, x: CoreValue) -> None:
    """Raise unless `x` has at least two axes.

    Raises:
        ShapeError: it has fewer.
    """
    if len(shape_of(x)) < 2:
        raise ShapeError(f"{name} needs a matrix, not shape {fits(shape_of(x))}")


def as_matrix(name: str, x: Any) -> CoreValue:
    """An argument as a square float matrix, or a stack of them.

    Raises:
        ShapeError: it is not square.
    """
    found = to_float(as_core(x))
    check_square(name, found)
    return found


def as_any_matrix(name: str, x: Any) -> CoreValue:
    """An argument as a float matrix of any shape, or a stack of them.

    Raises:
        ShapeError: it has fewer than two axes.
    """
    found = to_float(as_core(x))
    check_matrix(name, found)
    return found


def square_spec(name: str) -> Any:
    """The shape rule of an op from square matrices to such matrices."""

    def shape(a: CoreValue) -> Spec:
        check_square(name, a)
        return Spec(shape_of(a), dtype_of(a))

    return shape


# --- values ----------------------------------------------------------------------------------------------------------


def singular(name: str) -> DomainError:
    """The error of a function that needs an invertible matrix."""
    return DomainError(f"{name}: the matrix is singular", mend="its rows are linearly dependent")


@contextmanager
def blamed(words: str, mend: str) -> Iterator[None]:
    """Within it, what a step objects to is said in words about the whole.

    Raises:
        DomainError: a step raised one.
    """
    try:
        yield
    except DomainError:
        raise DomainError(words, mend=mend) from None


def unconverged(name: str, a: Any) -> DomainError:
    """The error of an iteration that came to no end."""
    finite = bool(np.all(np.isfinite(a)))
    mend = "LAPACK's iteration came to no end" if finite else "the matrix has elements that are infinite or nan"
    return DomainError(f"{name} did not converge", mend=mend)


def hermitian_value(a: Any) -> Any:
    """(A + A.H)/2 of an array, without overflow on the way."""
    turned = a.swapaxes(-1, -2).conj()
    with np.errstate(over="ignore"):
        found = (a + turned) / 2
    return found if np.all(np.isfinite(found)) else a / 2 + turned / 2


def each_matrix(f: Callable[..., Any], *stacks: Any) -> Any:
    """`f` of every matrix of stacks whose leading axes broadcast: for what LAPACK does one by one.

    `f` gives an array or a tuple of arrays.
    """
    if all(x.ndim == 2 for x in stacks):
        return f(*stacks)
    lead = np.broadcast_shapes(*(x.shape[:-2] for x in stacks))
    spread = [np.broadcast_to(x, lead + x.shape[-2:]) for x in stacks]
    found = [f(*(x[index] for x in spread)) for index in np.ndindex(lead)]
    if not found:  # what shape one has, nobody knows but `f`
        empty = f(*(np.eye(*x.shape[-2:], dtype=x.dtype) for x in stacks))
        found_one = empty if isinstance(empty, tuple) else (empty,)
        made = tuple(np.zeros(lead + y.shape, y.dtype) for y in found_one)
        return made if isinstance(empty, tuple) else made[0]
    if isinstance(found[0], tuple):
        return tuple(np.stack(parts).reshape(lead + parts[0].shape) for parts in zip(*found, strict=True))
    return np.stack(found).reshape(lead + found[0].shape)


# --- matrices for tests ----------------------------------------------------------------------------------------------


def sample(n: int, *lead: int, seed: int = 0) -> Any:
    """A well-conditioned matrix (or a stack) for tests, made without the random numbers that are slow to import."""
    shape = (*lead, n, n)
    return _waves(shape, seed) + 2 * np.eye(n)


def rectangular_sample(rows: int, columns: int, *lead: int, seed: int = 0) -> Any:
    """The same of any shape."""
    return _waves((*lead, rows, columns), seed) + 2 * np.eye(rows, columns)


def complex_sample(rows: int, columns: int, *lead: int, seed: int = 0) -> Any:
    """The same with complex numbers."""
    shape = (*lead, rows, columns)
    return _waves(shape, seed) + 1j * _waves(shape, seed + 3) + 2 * np.eye(rows, columns)


def _waves(shape: tuple[int, ...], seed: int) -> Any:
    places = np.arange(1, math.prod(shape) + 1, dtype=np.float64)
    return np.sin(places * (1.7 + seed) + places * places / 7).reshape(shape)


def positive_sample(n: int, *lead: int, seed: int = 0) -> Any:
    """A positive definite matrix (or a stack) for tests."""
    a = sample(n, *lead, seed=seed)
    return a @ a.swapaxes(-1, -2) / n + np.eye(n)


def complex_positive_sample(n: int, *lead: int, seed: int = 0) -> Any:
    """The same with complex numbers: Hermitian."""
    a = complex_sample(n, n, *lead, seed=seed)
    return a @ a.swapaxes(-1, -2).conj() / n + np.eye(n)
