"""QR factors as SciPy has them, and orthonormal columns out of reflections."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.values import CoreValue, Spec, dtype_of, shape_of
from gradcli.ops.extremes import PICKED_BACK
from gradcli.ops.function import case
from gradcli.ops.indexing import getitem
from gradcli.ops.kinds import constant, expanded, fits
from gradcli.ops.matrices import (
    adjoint,
    as_any_matrix,
    as_row,
    each_matrix,
    lower_part,
    rectangular_sample,
    sample,
)
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.orthogonal import EVERY, QR, QR_DEFINED, QR_RULE, QR_SOURCE, QR_TURNS, cut
from gradcli.ops.products import times
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped

# --- from reflections ------------------------------------------------------------------------------------------------


@function(
    family="linalg",
    where="",
    also=("torch.linalg.householder_product", "torch.orgqr", ".orgqr"),
    derivative="vjp: that of the products (1 - tau[i]*v @ v.T), the last first",
    cases=(case(rectangular_sample(3, 2), (2,)), case(rectangular_sample(3, 2, 2), (2, 1)), case(sample(2), (2,))),
)
def householder_product(input: Any, tau: Any) -> CoreValue:
    """The first columns of the product of reflections 1 - tau[i]*v @ v.T, v below the diagonal of column i, 1 on it."""
    a, factors = as_any_matrix("householder_product", input), to_float(as_core(tau))
    *lead, m, n = shape_of(a)
    count = shape_of(factors)[-1] if shape_of(factors) else -1
    if m < n or not 0 <= count <= n or list(shape_of(factors)[:-1]) != lead:
        raise ShapeError(
            f"householder_product cannot join shapes {fits(shape_of(a))} and {fits(shape_of(factors))}",
            mend="a tall matrix, and at most one number per column",
        )
    columns = lower_part(a, 0.0) + np.eye(m, n, dtype=dtype_of(a))
    found: CoreValue = np.broadcast_to(np.eye(m, n, dtype=dtype_of(a)), (*lead, m, n))
    for i in reversed(range(count)):
        v = cut(columns, EVERY, slice(i, i + 1))
        factor = reshaped(getitem(factors, (..., slice(i, i + 1))), (*lead, 1, 1))
        found = found - v * factor * times(adjoint(v), found)
    return found


# --- as SciPy has it -------------------------------------------------------------------------------------------------


def _column_order(a: Any) -> Any:
    """The order in which LAPACK takes columns, the longest remaining first."""
    from scipy.linalg import get_lapack_funcs

    (geqp3,) = get_lapack_funcs(("geqp3",), (a,))
    found = geqp3(a)[1] - 1 if a.size else np.arange(a.shape[1])
    return found.astype(np.int32)


COLUMN_ORDER = constant(
    "column_order",
    lambda a: each_matrix(_column_order, a),
    lambda a: Spec((*shape_of(a)[:-2], shape_of(a)[-1]), np.dtype(np.int32)),
    doc="The order of columns in a QR decomposition that takes the longest first.",
)


@function(
    "qr_scipy",
    family="linalg",
    where="",
    also=("scipy.linalg.qr",),
    op=QR,
    derivative=QR_RULE,
    defined=QR_DEFINED,
    kinks=QR_TURNS,
    source=QR_SOURCE,
    cases=(
        case(rectangular_sample(3, 2)),
        case(rectangular_sample(3, 2), mode="economic"),
        case(sample(3), mode="r"),
        case(rectangular_sample(3, 3), mode="economic", pivoting=True),
    ),
)
def qr_scipy(
    a: Any,
    overwrite_a: bool = False,
    lwork: Any = None,
    mode: Any = "full",
    pivoting: bool = False,
    check_finite: bool = True,
) -> Any:
    """(Q, R) with A = Q @ R, Q square unless mode is 'economic'; with pivoting, (Q, R, P) with A[:, P] = Q @ R."""
    if mode not in ("full", "economic", "r"):
        raise ArgumentError(f"qr: mode is 'full', 'economic' or 'r', not {mode!r}")
    found = as_any_matrix("qr", a)
    order: tuple[CoreValue, ...] = ()
    if pivoting:
        order = (bind(COLUMN_ORDER, found),)
        found = bind(PICKED_BACK, found, expanded(as_row(order[0]), shape_of(found)), axis=-1)
    q, r = bind(QR, found, complete=mode in ("full", "r"))
    # Of R alone SciPy gives a list of one.
    return (r, *order) if mode == "r" else (q, r, *order)
