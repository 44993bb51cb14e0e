"""Inverse, solve, determinants and Cholesky factors of matrices and stacks of matrices.

Rules for matrices after Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation" (2008); Cholesky's after Murray, "Differentiation of the Cholesky decomposition" (2016).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, DomainError, ShapeError
from gradcli.graph.values import CoreValue, Spec, dtype_of, ndim_of, shape_of
from gradcli.ops.arguments import integer
from gradcli.ops.axis_order import matrices_transposed, moveaxis
from gradcli.ops.exact import filled, identity, matrices, solution
from gradcli.ops.function import case
from gradcli.ops.kinds import conj, fits, general, ranks_aligned, sum_to
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.products import check_same_dtype, times
from gradcli.ops.reduction import real_dtype
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped


def transposed(x: CoreValue) -> CoreValue:
    """The last two axes exchanged."""
    return matrices_transposed(x)


def adjoint(x: CoreValue) -> CoreValue:
    """The conjugate transpose of the last two axes."""
    return matrices_transposed(conj(x))


def check_square(name: str, x: CoreValue) -> None:
    """Raise unless `x` is a square matrix or a stack of them.

    Raises:
        ShapeError: it isn't.
    """
    shape = shape_of(x)
    if len(shape) < 2 or shape[-1] != shape[-2]:
        raise ShapeError(f"{name} needs a square matrix, not shape {fits(shape)}")


def as_matrix(name: str, x: Any) -> CoreValue:
    """An argument as a square float matrix, or a stack of them.

    Raises:
        ShapeError: it is not square.
    """
    found = to_float(as_core(x))
    check_square(name, found)
    return found


def sample(n: int, *lead: int, seed: int = 0) -> Any:
    """A well-conditioned matrix (or a stack) for tests, made without the random numbers that are slow to import."""
    shape = (*lead, n, n)
    places = np.arange(1, math.prod(shape) + 1, dtype=np.float64)
    return np.sin(places * (1.7 + seed) + places * places / 7).reshape(shape) + 2 * np.eye(n)


def positive_sample(n: int, *lead: int, seed: int = 0) -> Any:
    """A positive definite matrix (or a stack) for tests."""
    a = sample(n, *lead, seed=seed)
    return a @ a.swapaxes(-1, -2) / n + np.eye(n)


# --- inverse ---------------------------------------------------------------------------------------------------------


def _singular(name: str) -> DomainError:
    return DomainError(f"{name}: the matrix is singular", mend="its rows are linearly dependent")


def _inv(a: Any) -> Any:
    try:
        return np.linalg.inv(a)
    except np.linalg.LinAlgError:
        raise _singular("inv") from None


def square_spec(name: str) -> Any:
    """The shape rule of an op from square matrices to such matrices."""

    def shape(a: CoreValue) -> Spec:
        check_square(name, a)
        return Spec(shape_of(a), dtype_of(a))

    return shape


def _inv_vjp(g: CoreValue, y: CoreValue, a: CoreValue) -> CoreValue:
    return -times(times(adjoint(y), g), adjoint(y))


def _exact_inv(S: Any, a: Any) -> Any:
    return matrices(lambda m: solution(S, m, identity(S, m.shape[0])), a)


INV = general(
    "inv",
    _inv,
    square_spec("inv"),
    vjps=(_inv_vjp,),
    jvp=lambda ts, y, a: -times(times(y, ts[0]), y),
    meaning=_exact_inv,
    torch="LinalgInvEx",
    saves=("y",),
    doc="Inverse of a matrix, or of each in a stack.",
)


@function(
    family="linalg",
    where="linalg",
    also=("torch.inverse", ".inverse"),
    op=INV,
    derivative="vjp: -inv(A).T @ g @ inv(A).T",
    cases=(case(sample(3)), case(sample(2, 4)), case(sample(1)), case(np.zeros((0, 0))), case(np.zeros((0, 2, 2)))),
)
def inv(a: Any) -> CoreValue:
    """Inverse of a square matrix, or of each in a stack."""
    return bind(INV, as_matrix("inv", a))


# --- solve -----------------------------------------------------------------------------------------------------------


def _solve(a: Any, b: Any) -> Any:
    try:
        return np.linalg.solve(a, b)
    except np.linalg.LinAlgError:
        raise _singular("solve") from None


def _solve_shape(a: CoreValue, b: CoreValue) -> Spec:
    check_square("solve", a)
    left, right = shape_of(a), shape_of(b)
    words = f"solve cannot join shapes {fits(left)} and {fits(right)}"
    if len(right) < 2 or left[-1] != right[-2]:
        raise ShapeError(words, mend=f"the matrix has {left[-1]} rows")
    try:
        lead = np.broadcast_shapes(left[:-2], right[:-2])
    except ValueError:
        raise ShapeError(words, mend="the stacks don't broadcast") from None
    return Spec(lead + right[-2:], np.result_type(dtype_of(a), dtype_of(b)))


def _solve_matrix_vjp(g: CoreValue, y: CoreValue, a: CoreValue, b: CoreValue) -> CoreValue:
    return sum_to(-times(bind(SOLVE, adjoint(a), g), adjoint(y)), shape_of(a))


def _solve_right_vjp(g: CoreValue, y: CoreValue, a: CoreValue, b: CoreValue) -> CoreValue:
    return sum_to(bind(SOLVE, adjoint(a), g), shape_of(b))


def _solve_jvp(ts: Sequence[CoreValue | None], y: CoreValue, a: CoreValue, b: CoreValue) -> CoreValue:
    moved = ts[1]
    if ts[0] is not None:
        pushed = times(ts[0], y)
        moved = -pushed if moved is None else moved - pushed
    found = bind(SOLVE, a, moved)
    return found


def _solve_batch(xs: Sequence[CoreValue], batched: Sequence[bool], params: dict[str, Any], size: int) -> CoreValue:
    a, b = xs
    if batched[0] or ndim_of(a) > 2 or ndim_of(b) > 3:
        return bind(SOLVE, *ranks_aligned(xs, batched))
    # One matrix, many right sides: they are columns of one.
    n, k = shape_of(b)[1:]
    found = bind(SOLVE, a, reshaped(moveaxis(b, 0, 1), (n, size * k)))
    return moveaxis(reshaped(found, (n, size, k)), 1, 0)


SOLVE = general(
    "solve",
    _solve,
    _solve_shape,
    vjps=(_solve_matrix_vjp, _solve_right_vjp),
    jvp=_solve_jvp,
    meaning=lambda S, a, b: matrices(lambda m, r: solution(S, m, r), a, b),
    batch=_solve_batch,
    torch="LinalgSolveEx",
    saves=(0, "y"),
    doc="X with A @ X = B.",
)

_SOLVE_RULE = "vjp: -solve(A.T, g) @ x.T, solve(A.T, g)"


def _solved(a: CoreValue, b: CoreValue, vector: bool) -> CoreValue:
    if not vector:
        return bind(SOLVE, a, b)
    shape = shape_of(b)
    if not shape or shape_of(a)[-1] != shape[-1]:
        raise ShapeError(
            f"solve cannot join shapes {fits(shape_of(a))} and {fits(shape)}",
            mend=f"the matrix has {shape_of(a)[-1]} rows",
        )
    found = bind(SOLVE, a, reshaped(b, (*shape, 1)))
    return reshaped(found, shape_of(found)[:-1])


@function(
    family="linalg",
    where="",
    also=("numpy.linalg.solve", "scipy.linalg.solve"),
    op=SOLVE,
    derivative=_SOLVE_RULE,
    cases=(
        case(sample(3), (3,)),
        case(sample(3), (3, 2)),
        case(sample(2, 4), (2,)),
        case(sample(2, 4), (4, 2, 3)),
        case(sample(2), (4, 2, 3)),
        case(sample(2, 4, 1), (5, 2, 1)),
        case(np.zeros((0, 0)), (0, 2)),
    ),
)
def solve(a: Any, b: Any) -> CoreValue:
    """x with A @ x = b, for a vector b or the columns of a matrix (NumPy 2: only a 1-d b is a vector)."""
    matrix, right = as_matrix("solve", a), to_float(as_core(b))
    return _solved(matrix, right, ndim_of(right) <= 1)


@function(
    "solve_torch",
    family="linalg",
    where="",
    also=("torch.linalg.solve",),
    op=SOLVE,
    derivative=_SOLVE_RULE,
    cases=(case(sample(3), (3,)), case(sample(2, 4), (4, 2)), case(sample(3), (2, 3), left=False)),
)
def solve_torch(A: Any, B: Any, left: bool = True) -> CoreValue:
    """x with A @ x = b, for vectors, matrices and stacks as PyTorch tells them apart; left=False solves x @ A = b."""
    matrix, right = as_matrix("solve", A), as_core(B)
    check_same_dtype(matrix, right)
    vector = ndim_of(right) == 1 or shape_of(right) == shape_of(matrix)[:-1]
    if left:
        return _solved(matrix, right, vector)
    return transposed(bind(SOLVE, transposed(matrix), transposed(right)))


# --- Cholesky --------------------------------------------------------------------------------------------------------


def _hermitian(a: CoreValue) -> CoreValue:
    return 0.5 * (a + adjoint(a))


def _cholesky(a: Any) -> Any:
    try:
        return np.linalg.cholesky((a + a.swapaxes(-1, -2).conj()) / 2)
    except np.linalg.LinAlgError:
        raise DomainError(
            "cholesky: the matrix is not positive definite",
            mend="all eigenvalues of (A + A.T)/2 must be positive; adding a little to the diagonal may help",
        ) from None


def _lower(x: CoreValue) -> CoreValue:
    """The lower triangle, the diagonal halved: of a Hermitian matrix, what it is the sum of with its adjoint."""
    n = shape_of(x)[-1]
    mask = np.tril(np.ones((n, n)), -1) + 0.5 * np.eye(n)
    return x * mask.astype(real_dtype(dtype_of(x)))


def _solve_from_right(x: CoreValue, a: CoreValue) -> CoreValue:
    """X inv(A)."""
    return adjoint(bind(SOLVE, adjoint(a), adjoint(x)))


def _cholesky_vjp(g: CoreValue, y: CoreValue, a: CoreValue) -> CoreValue:
    middle = _lower(times(adjoint(y), g))
    return _hermitian(_solve_from_right(bind(SOLVE, adjoint(y), middle), y))


def _cholesky_jvp(ts: Sequence[CoreValue | None], y: CoreValue, a: CoreValue) -> CoreValue:
    middle = adjoint(bind(SOLVE, y, adjoint(bind(SOLVE, y, _hermitian(ts[0])))))
    return times(y, _lower(middle))


def _exact_cholesky(S: Any, a: Any) -> Any:
    def one(m: Any) -> Any:
        n = m.shape[0]
        even = (m + m.T) / 2
        made = filled((n, n), [S.number(0)] * (n * n))
        for j in range(n):
            made[j, j] = S.sqrt(even[j, j] - sum((made[j, k] * made[j, k] for k in range(j)), S.number(0)))
            for i in range(j + 1, n):
                rest = even[i, j] - sum((made[i, k] * made[j, k] for k in range(j)), S.number(0))
                made[i, j] = rest / made[j, j]
        return made

    return matrices(one, a)


CHOLESKY = general(
    "cholesky",
    _cholesky,
    square_spec("cholesky"),
    vjps=(_cholesky_vjp,),
    jvp=_cholesky_jvp,
    meaning=_exact_cholesky,
    torch="LinalgCholeskyEx",
    saves=("y",),
    doc="Lower triangular L with L @ L.T = (A + A.T)/2.",
)

_FACTORS = (
    case(positive_sample(3)),
    case(positive_sample(2, 4)),
    case(positive_sample(1)),
    case(positive_sample(3), upper=True),
)
_CHOLESKY_RULE = "vjp: sym(inv(L).T @ low(L.T @ g) @ inv(L)), low = lower triangle, diagonal halved"


@function(
    family="linalg",
    where="",
    also=("numpy.linalg.cholesky", "torch.linalg.cholesky", "torch.cholesky", ".cholesky"),
    op=CHOLESKY,
    derivative=_CHOLESKY_RULE,
    cases=_FACTORS,
)
def cholesky(a: Any, upper: bool = False) -> CoreValue:
    """Lower triangular L with L @ L.T = (A + A.T)/2; with upper, L.T."""
    found = bind(CHOLESKY, as_matrix("cholesky", a))
    return adjoint(found) if upper else found


@function(
    "cholesky_scipy",
    family="linalg",
    where="",
    also=("scipy.linalg.cholesky",),
    op=CHOLESKY,
    derivative=_CHOLESKY_RULE,
    cases=(case(positive_sample(3)), case(positive_sample(3), lower=True)),
)
def cholesky_scipy(a: Any, lower: bool = False) -> CoreValue:
    """Upper triangular U with U.T @ U = (A + A.T)/2, as SciPy has it; with lower, U.T."""
    found = bind(CHOLESKY, as_matrix("cholesky", a))
    return found if lower else adjoint(found)


# --- powers ----------------------------------------------------------------------------------------------------------


@function(
    family="linalg",
    where="",
    also=("numpy.linalg.matrix_power", "torch.linalg.matrix_power", "torch.matrix_power", ".matrix_power"),
    derivative="that of the products it is made of",
    cases=(case((3, 3), 2), case((2, 2), 5), case(sample(2), -2), case((2, 2), 0), case((2, 2), 1)),
)
def matrix_power(a: Any, n: Any) -> CoreValue:
    """A square matrix multiplied with itself n times; its inverse for negative n."""
    from gradcli.ops.constructors import eye

    found, count = as_core(a), integer(n, "matrix_power: the power")
    check_square("matrix_power", found)
    if abs(count) > 1 << 20:
        raise ArgumentError(f"matrix_power: {count} is too large a power")
    if count < 0:
        found, count = bind(INV, to_float(found)), -count
    result = None
    while count:
        if count & 1:
            result = found if result is None else times(result, found)
        count >>= 1
        found = times(found, found) if count else found
    return eye(shape_of(found)[-1], dtype=dtype_of(found)) + 0 * found if result is None else result
