"""Least-squares solutions of linear equations, of any rank that does not change nearby.

The rule is that of the pseudoinverse: Golub and Pereyra (1973), equation 4.12.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import AbstractValue, ArgumentError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, dtype_of, ndim_of, shape_of
from gradcli.ops.arguments import settled
from gradcli.ops.axis_order import moveaxis
from gradcli.ops.casts import cast
from gradcli.ops.dependence import solved
from gradcli.ops.elementwise import absolute, square
from gradcli.ops.exact import adjoint_of, identity, matrices, solution
from gradcli.ops.function import case
from gradcli.ops.kinds import added, fits, general, ranks_aligned, sum_to
from gradcli.ops.matrices import (
    adjoint,
    as_any_matrix,
    as_column,
    check_matrix,
    complex_sample,
    each_matrix,
    rectangular_sample,
    sample,
    unconverged,
)
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.products import check_same_dtype, times
from gradcli.ops.pseudoinverse import PINV, RANK, one_number
from gradcli.ops.reduction import real_dtype, total
from gradcli.ops.registry import function
from gradcli.ops.results import named
from gradcli.ops.shape import reshaped
from gradcli.ops.singular_values import singular_values


def _lstsq(a: Any, b: Any, *, rcond: float) -> Any:
    try:
        return each_matrix(lambda m, right: np.linalg.lstsq(m, right, rcond)[0], a, b)
    except np.linalg.LinAlgError:
        _lstsq_spec(a, b, rcond=rcond)  # says it better, where the shapes are to blame
        raise unconverged("lstsq", a) from None


def _lstsq_spec(a: CoreValue, b: CoreValue, *, rcond: float) -> Spec:
    check_matrix("lstsq", a)
    left, right = shape_of(a), shape_of(b)
    words = f"lstsq cannot join shapes {fits(left)} and {fits(right)}"
    if len(right) < 2 or left[-2] != right[-2]:
        raise ShapeError(words, mend=f"the matrix has {left[-2]} rows")
    try:
        lead = np.broadcast_shapes(left[:-2], right[:-2])
    except ValueError:
        raise ShapeError(words, mend="the stacks don't broadcast") from None
    return Spec((*lead, left[-1], right[-1]), np.result_type(dtype_of(a), dtype_of(b)))


def _inverse(a: CoreValue, rcond: float) -> CoreValue:
    return bind(PINV, a, rtol=rcond, atol=0.0)


def _lstsq_matrix_vjp(g: CoreValue, y: CoreValue, a: CoreValue, b: CoreValue, *, rcond: float) -> CoreValue:
    inverse = _inverse(a, rcond)
    h = times(adjoint(inverse), g)
    rest = b - times(a, y)
    outside = g - times(inverse, times(a, g))
    found = times(rest, adjoint(times(inverse, h))) + times(times(adjoint(inverse), y), adjoint(outside))
    return sum_to(found - times(h, adjoint(y)), shape_of(a))


def _lstsq_right_vjp(g: CoreValue, y: CoreValue, a: CoreValue, b: CoreValue, *, rcond: float) -> CoreValue:
    return sum_to(times(adjoint(_inverse(a, rcond)), g), shape_of(b))


def _lstsq_jvp(ts: Sequence[CoreValue | None], y: CoreValue, a: CoreValue, b: CoreValue, *, rcond: float) -> CoreValue:
    inverse = _inverse(a, rcond)
    if ts[0] is None:
        return times(inverse, ts[1])
    turned = adjoint(ts[0])
    pulled = times(turned, times(adjoint(inverse), y))
    into = added(ts[1], -times(ts[0], y))
    found = times(inverse, into + times(adjoint(inverse), times(turned, b - times(a, y))))
    return found + pulled - times(inverse, times(a, pulled))


def _lstsq_batch(xs: Sequence[CoreValue], batched: Sequence[bool], params: dict[str, Any], size: int) -> CoreValue:
    a, b = xs
    if batched[0] or ndim_of(a) > 2 or ndim_of(b) > 3:
        return bind(LSTSQ, *ranks_aligned(xs, batched), **params)
    # One matrix, many right sides: they are columns of one.
    m, k = shape_of(b)[1:]
    found = bind(LSTSQ, a, reshaped(moveaxis(b, 0, 1), (m, size * k)), **params)
    return moveaxis(reshaped(found, (shape_of(a)[-1], size, k)), 1, 0)


def _exact_lstsq(S: Any, a: Any, b: Any, **_: Any) -> Any:
    """By the normal equations, of independent columns or rows."""

    def one(m: Any, right: Any) -> Any:
        turned = adjoint_of(m)
        if m.shape[0] >= m.shape[1]:
            return solution(S, turned @ m, turned @ right)
        return turned @ solution(S, m @ turned, identity(S, m.shape[0])) @ right

    return matrices(one, a, b)


LSTSQ: Op = general(
    "lstsq",
    _lstsq,
    _lstsq_spec,
    vjps=(_lstsq_matrix_vjp, _lstsq_right_vjp),
    jvp=_lstsq_jvp,
    meaning=_exact_lstsq,
    batch=_lstsq_batch,
    torch="LinalgLstsq",
    saves=(0, 1, "y"),
    depends=solved,
    doc="The shortest X for which |A @ X - B| is least.",
)


def _is_of_full_rank(rank: CoreValue, columns: int) -> bool:
    try:
        return bool(np.all(settled(rank) == columns))
    except AbstractValue:
        return True


def _residuals(a: CoreValue, x: CoreValue, b: CoreValue, rank: CoreValue) -> CoreValue:
    """The squared length of every column of B - A X, or nothing where that is no full measure of a fit."""
    m, n = shape_of(a)[-2:]
    if m > n and _is_of_full_rank(rank, n):
        return total(square(absolute(b - times(a, x))), (-2,))
    return np.zeros(0, real_dtype(dtype_of(x)))


def _solved(name: str, a: Any, b: Any, rcond: Any, eps_times: int) -> tuple[CoreValue, ...]:
    """(A, B as a matrix, whether it was a vector, X, the rank); by itself eps times a number is the threshold."""
    matrix = as_any_matrix(name, a)
    given = to_float(as_core(b))
    vector = ndim_of(given) == 1
    right = as_column(given) if vector else given
    eps = float(np.finfo(dtype_of(matrix)).eps)
    limit = eps * eps_times if rcond is None else one_number(name, rcond)
    limit = eps if limit < 0 else limit
    found = bind(LSTSQ, matrix, right, rcond=limit)
    return matrix, right, vector, found, bind(RANK, matrix, rtol=limit, atol=0.0)


def _longer_side(x: Any) -> int:
    return max([*shape_of(as_core(x))[-2:], 1])


_SOURCE = "Golub and Pereyra (1973), eq. 4.12"
_DEFINED = "the rank is the same nearby"
_KINKS = "equal singular values: the derivative of a symmetric function of them is right"
_LSTSQ_RULE = (
    "vjp: r @ (P @ h).T - h @ x.T + P.T @ x @ (g - P @ A @ g).T, h; P = pinv(A), h = P.T @ g, r = b - A @ x; and those "
    "of the squared residuals and of the singular values"
)


@function(
    family="linalg",
    where="",
    also=("numpy.linalg.lstsq",),
    op=LSTSQ,
    derivative=_LSTSQ_RULE,
    defined=_DEFINED,
    kinks=_KINKS,
    source=_SOURCE,
    cases=(
        case(rectangular_sample(4, 2), (4,)),
        case(rectangular_sample(3, 2), (3, 2)),
        case(rectangular_sample(2, 3), (2,)),
        case(sample(2), (2, 1), -1),
        case(complex_sample(3, 2), complex_sample(3, 1)),
    ),
)
def lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    """(x, squared residuals, rank, singular values): the shortest x for which |A @ x - b| is least."""
    matrix, right, vector, found, rank = _solved("lstsq", a, b, rcond, _longer_side(a))
    residuals = _residuals(matrix, found, right, rank)
    found = reshaped(found, shape_of(found)[:-1]) if vector else found
    return found, residuals, cast(rank, np.dtype(np.int32)), singular_values(matrix)


@function(
    "lstsq_scipy",
    family="linalg",
    where="",
    also=("scipy.linalg.lstsq",),
    op=LSTSQ,
    derivative=_LSTSQ_RULE,
    defined=_DEFINED,
    kinks=_KINKS,
    source=_SOURCE,
    cases=(
        case(rectangular_sample(4, 2), (4,)),
        case(rectangular_sample(3, 2), (3, 2)),
        case(rectangular_sample(2, 3), (2,)),
    ),
)
def lstsq_scipy(
    a: Any,
    b: Any,
    cond: Any = None,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
    lapack_driver: Any = None,
) -> Any:
    """(x, squared residuals, rank, singular values): the shortest x for which |A @ x - b| is least."""
    matrix, right, vector, found, rank = _solved("lstsq", a, b, cond, 1)
    residuals = _residuals(matrix, found, right, rank)
    if vector:
        found = reshaped(found, shape_of(found)[:-1])
        residuals = reshaped(residuals, ()) if shape_of(residuals) == (1,) else residuals
    return found, residuals, rank, singular_values(matrix)


LSTSQ_RESULTS = named("linalg_lstsq", "solution", "residuals", "rank", "singular_values")
_DRIVERS = (None, "gels", "gelsy", "gelsd", "gelss")


@function(
    "lstsq_torch",
    family="linalg",
    where="",
    also=("torch.linalg.lstsq",),
    op=LSTSQ,
    derivative=_LSTSQ_RULE,
    defined=_DEFINED,
    kinks=_KINKS,
    source=_SOURCE,
    cases=(
        case(rectangular_sample(3, 2), (3, 2)),
        case(rectangular_sample(3, 2, 2), (2, 3, 1), driver="gelsd"),
        case(rectangular_sample(3, 2), (3,), driver="gels"),
    ),
)
def lstsq_torch(A: Any, B: Any, rcond: Any = None, *, driver: Any = None) -> Any:
    """(solution, squared residuals, rank, singular values): the shortest X for which |A @ X - B| is least."""
    if driver not in _DRIVERS:
        raise ArgumentError(f"lstsq: driver is 'gels', 'gelsy', 'gelsd' or 'gelss', not {driver!r}")
    given = to_float(as_core(B))
    check_same_dtype(as_core(A), given)
    rows = shape_of(given) == shape_of(as_core(A))[:-1]
    right = as_column(given) if rows else given
    matrix, right, _, found, rank = _solved("lstsq", A, right, rcond, _longer_side(A))
    nothing = np.zeros(0, real_dtype(dtype_of(found)))
    residuals = nothing if driver in (None, "gelsy") else _residuals(matrix, found, right, rank)
    values = singular_values(matrix) if driver in ("gelsd", "gelss") else nothing
    rank = np.zeros(0, np.int64) if driver == "gels" else rank
    if rows:
        found = reshaped(found, shape_of(found)[:-1])
    return LSTSQ_RESULTS((found, residuals, rank, values))
