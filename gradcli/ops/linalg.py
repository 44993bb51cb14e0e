"""Inverses of matrices and linear equations.

Rules after Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation"
(2008).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.values import CoreValue, Spec, dtype_of, ndim_of, shape_of
from gradcli.ops.axis_order import matrices_transposed, moveaxis
from gradcli.ops.dependence import coupled, solved
from gradcli.ops.exact import identity, matrices, solution
from gradcli.ops.function import case
from gradcli.ops.kinds import fits, general, ranks_aligned, sum_to
from gradcli.ops.matrices import (
    adjoint,
    as_matrix,
    check_square,
    complex_sample,
    sample,
    singular,
    square_spec,
    transposed,
)
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.products import check_same_dtype, times
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped

# --- inverse ---------------------------------------------------------------------------------------------------------


def _inv(a: Any) -> Any:
    try:
        return np.linalg.inv(a)
    except np.linalg.LinAlgError:
        raise singular("inv") from None


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
    depends=coupled(2),
    doc="Inverse of a matrix, or of each in a stack.",
)


@function(
    family="linalg",
    where="linalg",
    also=("torch.inverse", ".inverse"),
    op=INV,
    derivative="vjp: -inv(A).T @ g @ inv(A).T",
    cases=(
        case(sample(3)),
        case(sample(2, 4)),
        case(sample(1)),
        case(np.zeros((0, 0))),
        case(np.zeros((0, 2, 2))),
        case(complex_sample(2, 2)),
    ),
)
def inv(
    a: Any, overwrite_a: bool = False, check_finite: bool = True, assume_a: Any = None, lower: bool = False
) -> CoreValue:
    """Inverse of a square matrix, or of each in a stack."""
    return bind(INV, as_matrix("inv", a))


# --- solve -----------------------------------------------------------------------------------------------------------


def _solve(a: Any, b: Any) -> Any:
    try:
        return np.linalg.solve(a, b)
    except np.linalg.LinAlgError:
        raise singular("solve") from None


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
    depends=solved,
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
    also=("numpy.linalg.solve",),
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
        case(complex_sample(2, 2), complex_sample(2, 1)),
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


_KINDS = (None, "gen", "sym", "her", "pos", "general", "symmetric", "hermitian", "positive definite", "diagonal")
_PARTS = ("tridiagonal", "banded", "upper triangular", "lower triangular")


@function(
    "solve_scipy",
    family="linalg",
    where="",
    also=("scipy.linalg.solve",),
    op=SOLVE,
    derivative=_SOLVE_RULE,
    cases=(
        case(sample(3), (3,)),
        case(sample(2, 4), (2,)),
        case(sample(3), (3, 2), transposed=True),
        case(complex_sample(2, 2), complex_sample(2, 1)),
    ),
)
def solve_scipy(
    a: Any,
    b: Any,
    lower: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
    assume_a: Any = None,
    transposed: bool = False,
) -> CoreValue:
    """x with A @ x = b, for a vector b or the columns of a matrix; all of A is read, whatever it is assumed to be."""
    if assume_a not in (*_KINDS, *_PARTS):
        raise ArgumentError(f"solve: assume_a is 'gen', 'sym', 'her' or 'pos', not {assume_a!r}")
    matrix, right = as_matrix("solve", a), to_float(as_core(b))
    return _solved(matrices_transposed(matrix) if transposed else matrix, right, ndim_of(right) <= 1)
