"""LU factors as SciPy and PyTorch give them, and linear equations solved with them."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.values import CoreValue, Spec, dtype_of, ndim_of, shape_of
from gradcli.ops.arguments import settled
from gradcli.ops.casts import cast
from gradcli.ops.elementwise import equal
from gradcli.ops.function import case
from gradcli.ops.kinds import conj, constant, fits
from gradcli.ops.lu import (
    LU,
    PIVOTS,
    ROW_ORDER,
    below_diagonal,
    cut,
    factored,
    from_diagonal,
    inverse_order,
    rows_in_order,
)
from gradcli.ops.matrices import (
    adjoint,
    as_any_matrix,
    as_column,
    as_matrix,
    complex_sample,
    rectangular_sample,
    sample,
    transposed,
)
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.products import check_same_dtype
from gradcli.ops.reduction import real_dtype
from gradcli.ops.registry import function
from gradcli.ops.results import named
from gradcli.ops.triangular import SOLVE_TRIANGULAR, as_given, columns_of, solved_lower, solved_upper, transposition


def _decomposed(name: str, x: Any) -> tuple[CoreValue, CoreValue, CoreValue]:
    """The factors in one matrix, the row exchanges, and the order of the rows."""
    a = as_any_matrix(name, x)
    pivots = bind(PIVOTS, a)
    order = bind(ROW_ORDER, pivots, rows=shape_of(a)[-2])
    return bind(LU, a, order), pivots, order


def _unpacked(packed: CoreValue) -> tuple[CoreValue, CoreValue]:
    """The factors L and U."""
    m, n = shape_of(packed)[-2:]
    k = min(m, n)
    lower = below_diagonal(cut(packed, slice(0, m), slice(0, k))) + np.eye(m, k, dtype=dtype_of(packed))
    return lower, from_diagonal(cut(packed, slice(0, k), slice(0, n)))


def _permutation(order: CoreValue, dtype: np.dtype[Any]) -> CoreValue:
    """The matrix P with A = P L U."""
    rows = shape_of(order)[-1]
    return cast(equal(as_column(inverse_order(order)), np.arange(rows)), real_dtype(dtype))


_RULE = "vjp: P @ inv(L).T @ (below_diagonal(L.T @ gL) + from_diagonal(gU @ U.T)) @ inv(U).T of a square matrix"
_SQUARES = (case(sample(3)), case(sample(2, 2)), case(complex_sample(2, 2)), case(np.array([[0.0, 2.0], [3.0, 1.0]])))
_MATRICES = (*_SQUARES, case(rectangular_sample(4, 2)), case(rectangular_sample(2, 4)), case(np.zeros((0, 0))))
LU_RESULTS = named("linalg_lu", "P", "L", "U")


@function(
    family="linalg",
    where="",
    also=("scipy.linalg.lu",),
    op=LU,
    derivative=_RULE,
    defined="the leading square of the rows in order is invertible",
    cases=(*_MATRICES, case(sample(3), permute_l=True), case(sample(3), p_indices=True)),
)
def lu(
    a: Any, permute_l: bool = False, overwrite_a: bool = False, check_finite: bool = True, p_indices: bool = False
) -> Any:
    """(P, L, U) with A = P @ L @ U, L lower triangular with ones, U upper; permute_l gives (P @ L, U)."""
    packed, _, order = _decomposed("lu", a)
    lower, upper = _unpacked(packed)
    if permute_l:
        return rows_in_order(lower, inverse_order(order)), upper
    if p_indices:
        return cast(inverse_order(order), np.dtype(np.int32)), lower, upper
    return _permutation(order, dtype_of(packed)), lower, upper


def _check_pivoting(name: str, pivot: Any) -> None:
    if not pivot:
        raise ArgumentError(f"{name}: LU without pivoting is not known here", mend="leave pivot=True")


@function(
    "lu_torch",
    family="linalg",
    where="",
    also=("torch.linalg.lu",),
    op=LU,
    derivative=_RULE,
    cases=(case(sample(3)), case(rectangular_sample(3, 2))),
)
def lu_torch(A: Any, *, pivot: bool = True) -> Any:
    """(P, L, U) with A = P @ L @ U, L lower triangular with ones, U upper."""
    _check_pivoting("lu", pivot)
    packed, _, order = _decomposed("lu", A)
    return LU_RESULTS((_permutation(order, dtype_of(packed)), *_unpacked(packed)))


@function(family="linalg", where="", also=("scipy.linalg.lu_factor",), op=LU, derivative=_RULE, cases=_MATRICES)
def lu_factor(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """(L and U in one matrix, row exchanges), as lu_solve takes them."""
    packed, pivots, _ = _decomposed("lu_factor", a)
    return packed, pivots


FACTOR_RESULTS = named("linalg_lu_factor", "LU", "pivots")
FACTOR_EX_RESULTS = named("linalg_lu_factor_ex", "LU", "pivots", "info")


def _counted_from_one(pivots: CoreValue) -> CoreValue:
    return cast(pivots + 1, np.dtype(np.int32))


@function(
    "lu_factor_torch",
    family="linalg",
    where="",
    also=("torch.linalg.lu_factor", "torch.lu", ".lu"),
    op=LU,
    derivative=_RULE,
    cases=(case(sample(3)), case(rectangular_sample(2, 3))),
)
def lu_factor_torch(A: Any, pivot: bool = True) -> Any:
    """(L and U in one matrix, row exchanges counted from 1), as torch.linalg.lu_solve takes them."""
    _check_pivoting("lu_factor", pivot)
    packed, pivots, _ = _decomposed("lu_factor", A)
    return FACTOR_RESULTS((packed, _counted_from_one(pivots)))


def _first_zero(packed: Any) -> Any:
    """The number of the first pivot that is 0, counted from 1; 0 if there is none."""
    diagonal = np.diagonal(packed, axis1=-2, axis2=-1) == 0
    return np.where(diagonal.any(-1), diagonal.argmax(-1) + 1 if diagonal.shape[-1] else 0, 0).astype(np.int32)


INFO = constant(
    "lu_info",
    _first_zero,
    lambda packed: Spec(shape_of(packed)[:-2], np.dtype(np.int32)),
    doc="Where elimination met a pivot of 0.",
)


@function(
    family="linalg",
    where="",
    also=("torch.linalg.lu_factor_ex",),
    op=LU,
    derivative=_RULE,
    cases=(case(sample(3)), case(sample(2, 2))),
)
def lu_factor_ex(A: Any, *, pivot: bool = True, check_errors: bool = False) -> Any:
    """(L and U in one matrix, row exchanges counted from 1, the number of the first pivot that is 0)."""
    _check_pivoting("lu_factor_ex", pivot)
    packed, pivots, _ = _decomposed("lu_factor_ex", A)
    return FACTOR_EX_RESULTS((packed, _counted_from_one(pivots), bind(INFO, packed)))


def first_zero_pivot(a: Any) -> Any:
    """The number of the first pivot that is 0, of one matrix, counted from 1; 0 if there is none."""
    return np.asarray(_first_zero(factored(a)[0]))


UNPACK_RESULTS = named("lu_unpack", "P", "L", "U")
_PACKED = np.array([[3.0, 1.0, -0.5], [0.5, 2.0, 0.25], [-0.25, 0.75, 1.5]])


@function(
    family="linalg",
    where="torch",
    derivative="vjp: the triangles of g",
    cases=(case(_PACKED, np.array([2, 3, 3])), case(_PACKED[:2], np.array([1, 2]))),
)
def lu_unpack(LU_data: Any, LU_pivots: Any, unpack_data: bool = True, unpack_pivots: bool = True) -> Any:
    """(P, L, U) of what lu_factor gave."""
    packed = as_any_matrix("lu_unpack", LU_data)
    order = _order_of("lu_unpack", packed, LU_pivots, 1)
    return UNPACK_RESULTS((_permutation(order, dtype_of(packed)), *_unpacked(packed)))


def _order_of(name: str, packed: CoreValue, pivots: Any, first: int) -> CoreValue:
    """The order of rows that a program's row exchanges, counted from `first`, bring about."""
    found = as_core(pivots)
    rows, count = shape_of(packed)[-2], min(shape_of(packed)[-2:])
    if shape_of(found)[-1:] != (count,):
        raise ShapeError(f"{name}: {count} row exchanges are due, not shape {fits(shape_of(found))}")
    places = settled(found)
    if places.dtype.kind not in "iu" or np.any((places < first) | (places >= rows + first)):
        raise ArgumentError(
            f"{name}: row exchanges are integers from {first} to {rows - 1 + first}", mend="take them from lu_factor"
        )
    return bind(ROW_ORDER, found - first, rows=rows)


# --- linear equations ------------------------------------------------------------------------------------------------


def _solved(packed: CoreValue, order: CoreValue, b: CoreValue, way: int) -> CoreValue:
    """X with A X = B (`way` 0), A.T X = B (1) or A.H X = B (2)."""
    if way == 0:
        return solved_upper(packed, solved_lower(packed, rows_in_order(b, order), unit=True))
    turned = transposed(conj(packed) if way == 2 else packed)
    inner = bind(SOLVE_TRIANGULAR, turned, b, lower=True, unit=False)
    return rows_in_order(bind(SOLVE_TRIANGULAR, turned, inner, lower=False, unit=True), inverse_order(order))


@function(
    family="linalg",
    where="",
    also=("scipy.linalg.lu_solve",),
    derivative="vjp: that of the two triangular equations",
    cases=(
        case((_PACKED, np.array([2, 2, 2], np.int32)), (3,)),
        case((_PACKED, np.array([0, 1, 2], np.int32)), (3, 2), trans=1),
    ),
)
def lu_solve(
    lu_and_piv: Any, b: Any, trans: Any = 0, overwrite_b: bool = False, check_finite: bool = True
) -> CoreValue:
    """x with A @ x = b, of what lu_factor gave; trans=1 takes A's transpose, 2 its adjoint."""
    if not isinstance(lu_and_piv, list | tuple) or len(lu_and_piv) != 2:
        raise ArgumentError("lu_solve takes the pair that lu_factor gives", mend="lu_solve(lu_factor(A), b)")
    packed = as_matrix("lu_solve", lu_and_piv[0])
    order = _order_of("lu_solve", packed, lu_and_piv[1], 0)
    right, vector = columns_of(to_float(as_core(b)))
    return as_given(_solved(packed, order, right, transposition("lu_solve", trans)), vector)


def _torch_solved(packed: Any, pivots: Any, b: Any, left: bool, turned: bool) -> CoreValue:
    matrix, right = as_matrix("lu_solve", packed), to_float(as_core(b))
    check_same_dtype(matrix, right)
    if ndim_of(right) < 2:
        raise ShapeError(f"lu_solve needs a matrix on the right side, not shape {fits(shape_of(right))}")
    order = _order_of("lu_solve", matrix, pivots, 1)
    if left:
        return _solved(matrix, order, right, 2 if turned else 0)
    found = _solved(matrix, order, adjoint(right), 0 if turned else 2)
    return adjoint(found)


@function(
    "lu_solve_linalg",
    family="linalg",
    where="",
    also=("torch.linalg.lu_solve",),
    derivative="vjp: that of the two triangular equations",
    cases=(
        case(_PACKED, np.array([3, 2, 3]), (3, 2)),
        case(_PACKED, np.array([1, 2, 3]), (2, 3), left=False),
        case(_PACKED, np.array([3, 3, 3]), (3, 1), adjoint=True),
    ),
)
def lu_solve_linalg(LU: Any, pivots: Any, B: Any, *, left: bool = True, adjoint: bool = False) -> CoreValue:
    """X with A @ X = B, of what torch.linalg.lu_factor gave; left=False solves X @ A = B."""
    return _torch_solved(LU, pivots, B, left, adjoint)


@function(
    "lu_solve_torch",
    family="linalg",
    where="",
    also=("torch.lu_solve", ".lu_solve"),
    derivative="vjp: that of the two triangular equations",
    cases=(case((3, 2), _PACKED, np.array([3, 2, 3])),),
)
def lu_solve_torch(input: Any, LU_data: Any, LU_pivots: Any) -> CoreValue:
    """x with A @ x = b, of what torch.linalg.lu_factor gave."""
    return _torch_solved(LU_data, LU_pivots, input, True, False)
