"""LU factors: elimination with row exchanges, and linear equations solved with it.

The order of the rows is found first, and carries no derivative; the factors are those of the rows in that order, both
in one matrix, as LAPACK has them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, dtype_of, shape_of
from gradcli.ops.dependence import coupled
from gradcli.ops.exact import filled, matrices
from gradcli.ops.extremes import PICKED_BACK
from gradcli.ops.indexing import getitem
from gradcli.ops.joining import concatenate
from gradcli.ops.kinds import constant, expanded, general
from gradcli.ops.matrices import (
    adjoint,
    as_column,
    blamed,
    each_matrix,
    lower_part,
    upper_part,
)
from gradcli.ops.products import times
from gradcli.ops.sorting import ARGSORT
from gradcli.ops.triangular import SOLVE_TRIANGULAR, solved_lower, solved_upper

# --- the order of the rows -------------------------------------------------------------------------------------------


def factored(a: Any) -> tuple[Any, Any]:
    """LAPACK's (factors in one matrix, row exchanges) of one matrix."""
    from scipy.linalg import get_lapack_funcs

    (getrf,) = get_lapack_funcs(("getrf",), (a,))
    if not a.size:
        return np.zeros_like(a), np.zeros(0, np.int32)
    packed, pivots, _ = getrf(a)
    return packed, pivots.astype(np.int32)


PIVOTS = constant(
    "lu_pivots",
    lambda a: each_matrix(lambda m: factored(m)[1], a),
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
    packed, pivots = factored(a)
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


def cut(x: CoreValue, rows: Any, columns: Any) -> CoreValue:
    """A block of every matrix."""
    return getitem(x, (..., rows, columns))


def _blocks(x: CoreValue) -> tuple[CoreValue, CoreValue | None, CoreValue | None]:
    """The square at the top left, what is below it, and what is to its right."""
    m, n = shape_of(x)[-2:]
    k = min(m, n)
    below = cut(x, slice(k, m), slice(0, k)) if m > k else None
    right = cut(x, slice(0, k), slice(k, n)) if n > k else None
    return cut(x, slice(0, k), slice(0, k)), below, right


def _whole(square: CoreValue, below: CoreValue | None, right: CoreValue | None) -> CoreValue:
    if below is not None:
        return concatenate([square, below], -2)
    return square if right is None else concatenate([square, right], -1)


def below_diagonal(x: CoreValue) -> CoreValue:
    """What is below the diagonal."""
    return lower_part(x, 0.0)


def from_diagonal(x: CoreValue) -> CoreValue:
    """The diagonal and what is above it."""
    return upper_part(x, 1.0)


def _factors(square: CoreValue) -> tuple[CoreValue, CoreValue]:
    eye = np.eye(shape_of(square)[-1], dtype=dtype_of(square))
    return below_diagonal(square) + eye, from_diagonal(square)


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
    g_lower, g_upper = below_diagonal(g_square), from_diagonal(g_square)
    with _no_derivative():
        if below is not None:  # below = A2 inv(U)
            g_below = _by_upper_adjoint(g_below, square)
            g_upper = g_upper - times(adjoint(below), g_below)
        if right is not None:  # right = inv(L) A2
            g_right = _by_lower_adjoint(square, g_right)
            g_lower = g_lower - times(g_right, adjoint(right))
        middle = below_diagonal(times(adjoint(lower), g_lower)) + from_diagonal(times(g_upper, adjoint(upper)))
        inner = _by_lower_adjoint(square, _by_upper_adjoint(middle, square))
    return rows_in_order(_whole(inner, g_below, g_right), inverse_order(order))


def _packed_jvp(ts: Sequence[CoreValue | None], y: CoreValue, a: CoreValue, order: CoreValue) -> CoreValue | None:
    square, below, right = _blocks(y)
    t_square, t_below, t_right = _blocks(rows_in_order(ts[0], order))
    lower, upper = _factors(square)
    with _no_derivative():
        middle = solved_lower(square, _by_upper(t_square, square), unit=True)
        t_lower, t_upper = times(lower, below_diagonal(middle)), times(from_diagonal(middle), upper)
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
    depends=coupled(2),
    doc="The factors of a matrix, its rows in an order: U in the upper triangle, L below it.",
)
