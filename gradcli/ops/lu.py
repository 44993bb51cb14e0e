"""LU factors: elimination with row exchanges, and linear equations solved with it.

The order of the rows is found first, and carries no derivative; the factors are those of the rows in that order, both
in one matrix, as LAPACK has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, dtype_of, ndim_of, shape_of
from gradcli.ops.arguments import settled
from gradcli.ops.casts import cast
from gradcli.ops.elementwise import equal
from gradcli.ops.exact import filled, matrices
from gradcli.ops.extremes import PICKED_BACK
from gradcli.ops.function import case
from gradcli.ops.indexing import getitem
from gradcli.ops.joining import concatenate
from gradcli.ops.kinds import conj, constant, expanded, fits, general
from gradcli.ops.matrices import (
    adjoint,
    as_any_matrix,
    as_column,
    as_matrix,
    blamed,
    complex_sample,
    each_matrix,
    lower_part,
    rectangular_sample,
    sample,
    transposed,
    upper_part,
)
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.products import check_same_dtype, times
from gradcli.ops.reduction import real_dtype
from gradcli.ops.registry import function
from gradcli.ops.results import named
from gradcli.ops.sorting import ARGSORT
from gradcli.ops.triangular import SOLVE_TRIANGULAR, as_given, columns_of, solved_lower, solved_upper, transposition

# --- the order of the rows -------------------------------------------------------------------------------------------


def _factored(a: Any) -> tuple[Any, Any]:
    """LAPACK's (factors in one matrix, row exchanges) of one matrix."""
    from scipy.linalg import get_lapack_funcs

    (getrf,) = get_lapack_funcs(("getrf",), (a,))
    if not a.size:
        return np.zeros_like(a), np.zeros(0, np.int32)
    packed, pivots, _ = getrf(a)
    return packed, pivots.astype(np.int32)


PIVOTS = constant(
    "lu_pivots",
    lambda a: each_matrix(lambda m: _factored(m)[1], a),
    lambda a: Spec((*shape_of(a)[:-2], min(shape_of(a)[-2:])), np.dtype(np.int32)),
    doc="With which row each row of a matrix is exchanged, one after another, in Gauss elimination.",
)


def _order(pivots: Any, *, rows: int) -> Any:
    found = np.broadcast_to(np.arange(rows), (*pivots.shape[:-1], rows)).copy()
    for index in np.ndindex(pivots.shape[:-1]):
        order = found[index]
        for i, j in enumerate(pivots[index]):
            order[[i, j]] = order[[j, i]]
    return found


ROW_ORDER = constant(
    "row_order",
    _order,
    lambda pivots, *, rows: Spec((*shape_of(pivots)[:-1], rows), np.dtype(np.int64)),
    doc="The order of rows after exchanges.",
)


def rows_in_order(x: CoreValue, order: CoreValue) -> CoreValue:
    """The rows of every matrix in an order."""
    lead = np.broadcast_shapes(shape_of(x)[:-2], shape_of(order)[:-1])
    shape = (*lead, *shape_of(x)[-2:])
    return bind(PICKED_BACK, expanded(x, shape), expanded(as_column(order), shape), axis=-2)


def inverse_order(order: CoreValue) -> CoreValue:
    """The order that undoes another."""
    return bind(ARGSORT, order, axis=-1, descending=False)


# --- the factors -----------------------------------------------------------------------------------------------------


def _packed(a: Any, order: Any) -> Any:
    lead = np.broadcast_shapes(a.shape[:-2], order.shape[:-1])
    spread = np.broadcast_to(a, lead + a.shape[-2:])
    orders = np.broadcast_to(order[..., None, :], (*lead, 1, order.shape[-1]))
    return each_matrix(lambda m, rows: _unpivoted(m[rows[0]]), spread, orders)


def _unpivoted(a: Any) -> Any:
    """The factors of a matrix whose rows are in order."""
    packed, pivots = _factored(a)
    if np.array_equal(pivots, np.arange(len(pivots))):
        return packed
    packed = a.copy()  # two pivots are equal up to rounding, which fell otherwise this time
    for k in range(min(a.shape)):
        packed[k + 1 :, k] /= packed[k, k]
        packed[k + 1 :, k + 1 :] -= np.outer(packed[k + 1 :, k], packed[k, k + 1 :])
    return packed


def _packed_spec(a: CoreValue, order: CoreValue) -> Spec:
    lead = np.broadcast_shapes(shape_of(a)[:-2], shape_of(order)[:-1])
    return Spec(lead + shape_of(a)[-2:], dtype_of(a))


def _cut(x: CoreValue, rows: Any, columns: Any) -> CoreValue:
    return getitem(x, (..., rows, columns))


def _blocks(x: CoreValue) -> tuple[CoreValue, CoreValue | None, CoreValue | None]:
    """The square at the top left, what is below it, and what is to its right."""
    m, n = shape_of(x)[-2:]
    k = min(m, n)
    below = _cut(x, slice(k, m), slice(0, k)) if m > k else None
    right = _cut(x, slice(0, k), slice(k, n)) if n > k else None
    return _cut(x, slice(0, k), slice(0, k)), below, right


def _whole(square: CoreValue, below: CoreValue | None, right: CoreValue | None) -> CoreValue:
    if below is not None:
        return concatenate([square, below], -2)
    return square if right is None else concatenate([square, right], -1)


def _strict(x: CoreValue) -> CoreValue:
    return lower_part(x, 0.0)


def _upper(x: CoreValue) -> CoreValue:
    return upper_part(x, 1.0)


def _factors(square: CoreValue) -> tuple[CoreValue, CoreValue]:
    eye = np.eye(shape_of(square)[-1], dtype=dtype_of(square))
    return _strict(square) + eye, _upper(square)


def _by_upper(x: CoreValue, packed: CoreValue) -> CoreValue:
    """X inv(U)."""
    return adjoint(bind(SOLVE_TRIANGULAR, adjoint(packed), adjoint(x), lower=True, unit=False))


def _by_upper_adjoint(x: CoreValue, packed: CoreValue) -> CoreValue:
    """X inv(U).H."""
    return adjoint(solved_upper(packed, adjoint(x)))


def _by_lower_adjoint(packed: CoreValue, x: CoreValue) -> CoreValue:
    """inv(L).H X."""
    return bind(SOLVE_TRIANGULAR, adjoint(packed), x, lower=False, unit=True)


def _no_derivative() -> Any:
    return blamed("lu: the factors of a singular matrix have no derivative", "its rows are linearly dependent")


def _packed_vjp(g: CoreValue, y: CoreValue, a: CoreValue, order: CoreValue) -> CoreValue:
    square, below, right = _blocks(y)
    g_square, g_below, g_right = _blocks(g)
    lower, upper = _factors(square)
    g_lower, g_upper = _strict(g_square), _upper(g_square)
    with _no_derivative():
        if below is not None:  # below = A2 inv(U)
            g_below = _by_upper_adjoint(g_below, square)
            g_upper = g_upper - times(adjoint(below), g_below)
        if right is not None:  # right = inv(L) A2
            g_right = _by_lower_adjoint(square, g_right)
            g_lower = g_lower - times(g_right, adjoint(right))
        middle = _strict(times(adjoint(lower), g_lower)) + _upper(times(g_upper, adjoint(upper)))
        inner = _by_lower_adjoint(square, _by_upper_adjoint(middle, square))
    return rows_in_order(_whole(inner, g_below, g_right), inverse_order(order))


def _packed_jvp(ts: Sequence[CoreValue | None], y: CoreValue, a: CoreValue, order: CoreValue) -> CoreValue | None:
    square, below, right = _blocks(y)
    t_square, t_below, t_right = _blocks(rows_in_order(ts[0], order))
    lower, upper = _factors(square)
    with _no_derivative():
        middle = solved_lower(square, _by_upper(t_square, square), unit=True)
        t_lower, t_upper = times(lower, _strict(middle)), times(_upper(middle), upper)
        if below is not None:
            t_below = _by_upper(t_below - times(below, t_upper), square)
        if right is not None:
            t_right = solved_lower(square, t_right - times(t_lower, right), unit=True)
    return _whole(t_lower + t_upper, t_below, t_right)


def _exact(S: Any, a: Any, order: Any) -> Any:
    """Elimination without row exchanges."""

    def one(m: Any, rows: Any) -> Any:
        made = filled(m.shape, list(m[rows[0].astype(int)].ravel()))
        for k in range(min(m.shape)):
            for i in range(k + 1, m.shape[0]):
                made[i, k] = made[i, k] / made[k, k]
                made[i, k + 1 :] = made[i, k + 1 :] - made[k, k + 1 :] * made[i, k]
        return made

    return matrices(one, a, np.asarray(order)[..., None, :])


LU: Op = general(
    "lu",
    _packed,
    _packed_spec,
    vjps=(_packed_vjp, None),
    jvp=_packed_jvp,
    meaning=_exact,
    torch="LinalgLuFactorEx",
    saves=("y",),
    doc="The factors of a matrix, its rows in an order: U in the upper triangle, L below it.",
)


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
    lower = _strict(_cut(packed, slice(0, m), slice(0, k))) + np.eye(m, k, dtype=dtype_of(packed))
    return lower, _upper(_cut(packed, slice(0, k), slice(0, n)))


def _permutation(order: CoreValue, dtype: np.dtype[Any]) -> CoreValue:
    """The matrix P with A = P L U."""
    rows = shape_of(order)[-1]
    return cast(equal(as_column(inverse_order(order)), np.arange(rows)), real_dtype(dtype))


_RULE = "vjp: P @ inv(L).T @ (strict(L.T @ gL) + upper(gU @ U.T)) @ inv(U).T of a square matrix"
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
    return np.asarray(_first_zero(_factored(a)[0]))


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
