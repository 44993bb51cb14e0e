"""Pseudoinverses, and least-squares solutions of linear equations.

The rule holds for any rank that does not change nearby: Golub and Pereyra, "The differentiation of pseudo-inverses and
nonlinear least squares problems whose variables separate" (1973), equation 4.12.
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
from gradcli.ops.elementwise import absolute, square
from gradcli.ops.exact import adjoint_of, identity, matrices, solution
from gradcli.ops.function import case
from gradcli.ops.kinds import added, constant, fits, general, ranks_aligned, sum_to
from gradcli.ops.matrices import (
    adjoint,
    as_any_matrix,
    as_column,
    as_matrix,
    check_matrix,
    complex_sample,
    each_matrix,
    hermitian,
    positive_sample,
    rectangular_sample,
    sample,
    unconverged,
)
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.products import check_same_dtype, times
from gradcli.ops.reduction import real_dtype, total
from gradcli.ops.registry import function
from gradcli.ops.results import named
from gradcli.ops.shape import reshaped
from gradcli.ops.singular_values import singular_values

# --- pseudoinverse ---------------------------------------------------------------------------------------------------


def _pinv(a: Any, *, rtol: float, atol: float) -> Any:
    if not a.size:
        return np.zeros(a.shape[:-2] + a.shape[:-3:-1], a.dtype)
    try:
        u, s, vh = np.linalg.svd(a, full_matrices=False)
    except np.linalg.LinAlgError:
        raise unconverged("pinv", a) from None
    kept = s > np.maximum(atol, rtol * s[..., :1])
    factors = np.where(kept, 1 / np.where(kept, s, 1), 0)
    return vh.swapaxes(-1, -2).conj() @ (factors[..., None] * u.swapaxes(-1, -2).conj())


def _pinv_spec(a: CoreValue, **_: Any) -> Spec:
    check_matrix("pinv", a)
    *lead, m, n = shape_of(a)
    return Spec((*lead, n, m), dtype_of(a))


def _outside(a: CoreValue, b: CoreValue) -> CoreValue:
    """1 - A B."""
    product = times(a, b)
    return np.eye(shape_of(product)[-1], dtype=dtype_of(product)) - product


def _pinv_vjp(g: CoreValue, y: CoreValue, a: CoreValue, **_: Any) -> CoreValue:
    back, turned = adjoint(y), adjoint(g)
    rows = times(times(_outside(a, y), turned), times(y, back))
    columns = times(times(back, y), times(turned, _outside(y, a)))
    return rows + columns - times(times(back, g), back)


def _pinv_jvp(ts: Sequence[CoreValue | None], y: CoreValue, a: CoreValue, **_: Any) -> CoreValue:
    back, turned = adjoint(y), adjoint(ts[0])
    rows = times(times(y, back), times(turned, _outside(a, y)))
    columns = times(times(_outside(y, a), turned), times(back, y))
    return rows + columns - times(times(y, ts[0]), y)


def _exact_pinv(S: Any, a: Any, **_: Any) -> Any:
    """By the normal equations, of independent columns or rows."""

    def one(m: Any) -> Any:
        turned = adjoint_of(m)
        if m.shape[0] >= m.shape[1]:
            return solution(S, turned @ m, turned)
        return adjoint_of(solution(S, m @ turned, m))

    return matrices(one, a)


PINV: Op = general(
    "pinv",
    _pinv,
    _pinv_spec,
    vjps=(_pinv_vjp,),
    jvp=_pinv_jvp,
    meaning=_exact_pinv,
    torch="LinalgPinv",
    saves=(0, "y"),
    doc="The pseudoinverse of a matrix.",
)


def tolerances(name: str, x: CoreValue, rtol: Any, atol: Any, default: float | None = None) -> tuple[float, float]:
    """Below which part of the largest singular value, and below which number, singular values count as 0."""
    absolute_ = 0.0 if atol is None else _number(name, atol)
    if rtol is not None:
        return _number(name, rtol), absolute_
    if absolute_ > 0:
        return 0.0, absolute_
    return default if default is not None else rounding(x), absolute_


def rounding(x: CoreValue) -> float:
    """eps times the longer side of a matrix."""
    return float(np.finfo(dtype_of(x)).eps) * max(shape_of(x)[-2:])


def _number(name: str, x: Any) -> float:
    value = settled(as_core(x))
    if value.size != 1 or value.dtype.kind == "c":
        raise ArgumentError(f"{name}: a tolerance is one number, not {fits(value.shape)} of them")
    return float(value.reshape(())[()])


_RULE = "vjp: -P.T @ g @ P.T + (1 - A @ P) @ g.T @ P @ P.T + P.T @ P @ g.T @ (1 - P @ A), P = pinv(A)"
_SOURCE = "Golub and Pereyra (1973), eq. 4.12"
_DEFINED = "the rank is the same nearby"
_CASES = (
    case(rectangular_sample(3, 2)),
    case(rectangular_sample(2, 3)),
    case(sample(2, 3)),
    case(complex_sample(3, 2)),
    case(complex_sample(2, 3)),
    case(np.zeros((0, 2))),
)


def _pseudoinverse(name: str, a: Any, symmetric: bool, rtol: Any, atol: Any, default: float | None = None) -> CoreValue:
    matrix = hermitian(as_matrix(name, a)) if symmetric else as_any_matrix(name, a)
    relative, least = tolerances(name, matrix, rtol, atol, default)
    return bind(PINV, matrix, rtol=relative, atol=least)


@function(
    family="linalg",
    where="",
    also=("numpy.linalg.pinv",),
    op=PINV,
    derivative=_RULE,
    defined=_DEFINED,
    source=_SOURCE,
    cases=(*_CASES, case(positive_sample(2), hermitian=True), case(rectangular_sample(3, 2), 1e-3)),
)
def pinv(a: Any, rcond: Any = None, hermitian: bool = False, rtol: Any = None) -> CoreValue:
    """Pseudoinverse of a matrix: singular values up to rcond times the largest count as 0."""
    return _pseudoinverse("pinv", a, hermitian, rtol if rcond is None else rcond, None, 1e-15)


@function(
    "pinv_torch",
    family="linalg",
    where="",
    also=("torch.linalg.pinv",),
    op=PINV,
    derivative=_RULE,
    defined=_DEFINED,
    source=_SOURCE,
    cases=(case(rectangular_sample(3, 2)), case(positive_sample(2), hermitian=True), case(sample(2), rtol=1e-3)),
)
def pinv_torch(A: Any, rcond: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None) -> CoreValue:
    """Pseudoinverse of a matrix: singular values up to max(atol, rtol times the largest) count as 0."""
    return _pseudoinverse("pinv", A, hermitian, rtol if rcond is None else rcond, atol)


@function(
    family="linalg",
    where="torch method",
    op=PINV,
    derivative=_RULE,
    defined=_DEFINED,
    source=_SOURCE,
    cases=(case(rectangular_sample(3, 2)),),
)
def pinverse(input: Any, rcond: Any = 1e-15) -> CoreValue:
    """Pseudoinverse of a matrix: singular values up to rcond times the largest count as 0."""
    return _pseudoinverse("pinverse", input, False, rcond, None)


@function(
    "pinv_scipy",
    family="linalg",
    where="",
    also=("scipy.linalg.pinv",),
    op=PINV,
    derivative=_RULE,
    defined=_DEFINED,
    source=_SOURCE,
    cases=(case(rectangular_sample(3, 2)), case(rectangular_sample(2, 3), return_rank=True)),
)
def pinv_scipy(
    a: Any, *, atol: Any = None, rtol: Any = None, return_rank: bool = False, check_finite: bool = True
) -> Any:
    """Pseudoinverse of a matrix; with return_rank, also how many singular values count."""
    return _with_rank("pinv", as_any_matrix("pinv", a), atol, rtol, return_rank)


@function(
    family="linalg",
    where="",
    also=("scipy.linalg.pinvh",),
    op=PINV,
    derivative=_RULE.replace("vjp: ", "vjp: the symmetric part of "),
    defined=_DEFINED,
    source=_SOURCE,
    cases=(case(positive_sample(3)), case(positive_sample(2), return_rank=True)),
)
def pinvh(
    a: Any,
    atol: Any = None,
    rtol: Any = None,
    lower: bool = True,
    return_rank: bool = False,
    check_finite: bool = True,
) -> Any:
    """Pseudoinverse of (A + A.T)/2."""
    return _with_rank("pinvh", hermitian(as_matrix("pinvh", a)), atol, rtol, return_rank)


def _with_rank(name: str, x: CoreValue, atol: Any, rtol: Any, return_rank: bool) -> Any:
    relative, least = tolerances(name, x, rounding(x) if rtol is None else rtol, atol)
    found = bind(PINV, x, rtol=relative, atol=least)
    return (found, bind(RANK, x, rtol=relative, atol=least)) if return_rank else found


# --- rank ------------------------------------------------------------------------------------------------------------


def _rank(a: Any, *, rtol: float, atol: float) -> Any:
    if not a.size:
        return np.zeros(a.shape[:-2], np.int64)
    try:
        s = np.linalg.svd(a, compute_uv=False)
    except np.linalg.LinAlgError:
        raise unconverged("matrix_rank", a) from None
    return np.asarray(np.sum(s > np.maximum(atol, rtol * s[..., :1]), -1), dtype=np.int64)


RANK = constant(
    "matrix_rank",
    _rank,
    lambda a, **_: Spec(shape_of(a)[:-2], np.dtype(np.int64)),
    doc="How many singular values count.",
)


@function(
    family="linalg",
    where="",
    also=("numpy.linalg.matrix_rank",),
    op=RANK,
    differentiable=False,
    cases=(
        case(sample(3)),
        case(np.ones((3, 2))),
        case(np.zeros((2, 2))),
        case(np.array([0.0, 1.0])),
        case(sample(3), 1.5),
        case(sample(2, 4), rtol=0.5),
        case(np.diag([2.0, 1.0, -0.5]), hermitian=True),
    ),
)
def matrix_rank(A: Any, tol: Any = None, hermitian: bool = False, rtol: Any = None) -> CoreValue:
    """How many singular values of a matrix are above a threshold; of a vector, whether it has a nonzero."""
    found = to_float(as_core(A))
    if ndim_of(found) < 2:
        found = reshaped(found, (1, max(found.size, 1)))
    if tol is not None:
        return bind(RANK, found, rtol=0.0, atol=_number("matrix_rank", tol))
    relative, least = tolerances("matrix_rank", found, rtol, None)
    return bind(RANK, found, rtol=relative, atol=least)


@function(
    "matrix_rank_torch",
    family="linalg",
    where="",
    also=("torch.linalg.matrix_rank",),
    op=RANK,
    differentiable=False,
    cases=(case(sample(3)), case(np.ones((2, 3, 2))), case(sample(3), atol=1.5)),
)
def matrix_rank_torch(
    A: Any, tol: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None
) -> CoreValue:
    """How many singular values of a matrix are above max(atol, rtol times the largest)."""
    found = as_any_matrix("matrix_rank", A)
    if tol is not None:
        atol, rtol = tol, 0.0
    relative, least = tolerances("matrix_rank", found, rtol, atol)
    return bind(RANK, found, rtol=relative, atol=least)


# --- least squares ---------------------------------------------------------------------------------------------------


def _lstsq(a: Any, b: Any, *, rcond: float) -> Any:
    try:
        return each_matrix(lambda m, right: np.linalg.lstsq(m, right, rcond)[0], a, b)
    except np.linalg.LinAlgError:
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
    limit = eps * eps_times if rcond is None else _number(name, rcond)
    limit = eps if limit < 0 else limit
    found = bind(LSTSQ, matrix, right, rcond=limit)
    return matrix, right, vector, found, bind(RANK, matrix, rtol=limit, atol=0.0)


def _longer_side(x: Any) -> int:
    return max([*shape_of(as_core(x))[-2:], 1])


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
