"""Pseudoinverses, and how many singular values count: the rank.

The rule holds for any rank that does not change nearby: Golub and Pereyra, "The differentiation of pseudo-inverses and
nonlinear least squares problems whose variables separate" (1973), equation 4.12.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, dtype_of, ndim_of, shape_of
from gradcli.ops.arguments import settled
from gradcli.ops.dependence import coupled
from gradcli.ops.exact import adjoint_of, matrices, solution
from gradcli.ops.function import case
from gradcli.ops.kinds import constant, fits, general
from gradcli.ops.matrices import (
    adjoint,
    as_any_matrix,
    as_matrix,
    check_matrix,
    complex_sample,
    hermitian,
    positive_sample,
    rectangular_sample,
    sample,
    unconverged,
)
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.products import times
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped

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
    depends=coupled(2),
    doc="The pseudoinverse of a matrix.",
)


def tolerances(name: str, x: CoreValue, rtol: Any, atol: Any, default: float | None = None) -> tuple[float, float]:
    """Below which part of the largest singular value, and below which number, singular values count as 0."""
    absolute_ = 0.0 if atol is None else one_number(name, atol)
    if rtol is not None:
        return one_number(name, rtol), absolute_
    if absolute_ > 0:
        return 0.0, absolute_
    return default if default is not None else rounding(x), absolute_


def rounding(x: CoreValue) -> float:
    """eps times the longer side of a matrix."""
    return float(np.finfo(dtype_of(x)).eps) * max(shape_of(x)[-2:])


def one_number(name: str, x: Any) -> float:
    """A tolerance.

    Raises:
        ArgumentError: it is not one real number.
    """
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
        return bind(RANK, found, rtol=0.0, atol=one_number("matrix_rank", tol))
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
