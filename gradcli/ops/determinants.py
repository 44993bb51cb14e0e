"""Determinants, their logarithms and cofactors, right for singular matrices."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, dtype_of, shape_of
from gradcli.ops.einsum import einsum
from gradcli.ops.elementwise import imag, less, log, real, where
from gradcli.ops.exact import determinant, each, filled, matrices
from gradcli.ops.function import case
from gradcli.ops.kinds import conj, general, ranks_aligned, sum_to
from gradcli.ops.linalg import INV, adjoint, as_matrix, check_square, positive_sample, sample, square_spec, transposed
from gradcli.ops.products import times
from gradcli.ops.reduction import real_dtype, total
from gradcli.ops.registry import function
from gradcli.ops.results import named
from gradcli.ops.shape import reshaped


def _spread(s: CoreValue) -> CoreValue:
    """One number per matrix, with the matrix's two axes put back."""
    return reshaped(s, (*shape_of(s), 1, 1))


def _trace_of(x: CoreValue, y: CoreValue) -> CoreValue:
    """tr(x y) per matrix, without making the product."""
    return total(x * transposed(y), (-2, -1))


# --- determinants ----------------------------------------------------------------------------------------------------


def _regular_inverse(a: Any, power: float) -> Any:
    """The inverse, or None if a matrix of the stack has a condition above eps**-power, where it loses too much."""
    try:
        w = np.linalg.inv(a)
    except np.linalg.LinAlgError:
        return None
    condition = np.abs(a).sum(-1).max(-1, initial=0) * np.abs(w).sum(-1).max(-1, initial=0)
    return w if np.all(condition < np.finfo(a.dtype).eps ** -power) else None


def _cofactors(a: Any) -> Any:
    """det(A) inv(A).T, which exists for singular matrices too: by singular values, with no division."""
    w = _regular_inverse(a, 0.5)
    if w is not None:
        return np.linalg.det(a)[..., None, None] * w.swapaxes(-1, -2)
    u, s, vh = np.linalg.svd(a)
    sign = np.linalg.det(u) * np.linalg.det(vh)
    middle = u.conj() * _products_without(s)[..., None, :]
    return (sign[..., None, None] * (middle @ vh.conj())).astype(a.dtype)


def _products_without(s: Any) -> Any:
    """For every element along the last axis the product of the others."""
    left = np.cumprod(np.concatenate([np.ones_like(s[..., :1]), s[..., :-1]], -1), -1)
    right = np.cumprod(np.concatenate([np.ones_like(s[..., :1]), s[..., :0:-1]], -1), -1)[..., ::-1]
    return left * right


def _products_without_two(s: Any) -> Any:
    """For every pair of places i, j along the last axis the product of the elements at all others; 0 for i = j."""
    n = s.shape[-1]
    spread = np.broadcast_to(s[..., None, :], (*s.shape, n)) * (1 - np.eye(n)) + np.eye(n)
    return _products_without(spread) * (1 - np.eye(n))


def _second_cofactors(a: Any, e: Any) -> Any:
    """Derivative of the cofactors in the direction E: sums of products in the basis of the singular vectors."""
    w = _regular_inverse(a, 0.25)
    if w is not None:
        we = w @ e
        trace = np.trace(we, axis1=-2, axis2=-1)[..., None, None]
        return np.linalg.det(a)[..., None, None] * (trace * w - we @ w).swapaxes(-1, -2)
    u, s, vh = np.linalg.svd(a)
    sign = np.linalg.det(u) * np.linalg.det(vh)
    f = u.swapaxes(-1, -2).conj() @ e @ vh.swapaxes(-1, -2).conj()
    p = _products_without_two(s)
    n = s.shape[-1]
    diagonal = (p @ np.diagonal(f, axis1=-2, axis2=-1)[..., None]) * np.eye(n)
    found = diagonal - p * f.swapaxes(-1, -2)
    return (sign[..., None, None] * (u.conj() @ found @ vh.conj())).astype(np.result_type(a, e))


def _third_cofactors(a: CoreValue, e: CoreValue, f: CoreValue) -> CoreValue:
    """The second derivative of the cofactors in the directions E and F, of regular matrices."""
    w = bind(INV, a)
    we, wf = times(w, e), times(w, f)
    traces = _spread(total(_diagonal(we), (-1,))), _spread(total(_diagonal(wf), (-1,)))
    both = _spread(_trace_of(we, wf))
    inner = (
        (traces[0] * traces[1] - both) * w
        - traces[1] * times(we, w)
        - traces[0] * times(wf, w)
        + times(times(we, wf), w)
        + times(times(wf, we), w)
    )
    return _spread(bind(DET, a)) * transposed(inner)


def _diagonal(x: CoreValue) -> CoreValue:
    return einsum("...ii->...i", x)


def _exact_cofactors(S: Any, a: Any) -> Any:
    def one(m: Any) -> Any:
        n = m.shape[0]
        minors = [
            determinant(S, np.delete(np.delete(m, i, 0), j, 1)) * (1 - 2 * ((i + j) % 2))
            for i in range(n)
            for j in range(n)
        ]
        return filled((n, n), minors)

    return matrices(one, a)


def _exact_second(S: Any, a: Any, e: Any) -> Any:
    def one(m: Any, d: Any) -> Any:
        n = m.shape[0]
        found = []
        for i in range(n):
            for j in range(n):
                minor, moved = (np.delete(np.delete(x, i, 0), j, 1) for x in (m, d))
                parts = [determinant(S, _with_row(minor, moved, k)) for k in range(n - 1)]
                found.append(sum(parts, S.number(0)) * (1 - 2 * ((i + j) % 2)))
        return filled((n, n), found)

    return matrices(one, a, e)


def _with_row(m: Any, d: Any, k: int) -> Any:
    made = m.astype(object)
    made[k] = d[k]
    return made


def _pair_spec(a: CoreValue, e: CoreValue) -> Spec:
    return Spec(np.broadcast_shapes(shape_of(a), shape_of(e)), np.result_type(dtype_of(a), dtype_of(e)))


SECOND_COFACTORS: Op = general(
    "second_cofactors",
    _second_cofactors,
    _pair_spec,
    vjps=(
        lambda g, y, a, e: sum_to(conj(_third_cofactors(a, conj(g), e)), shape_of(a)),
        lambda g, y, a, e: sum_to(conj(bind(SECOND_COFACTORS, a, conj(g))), shape_of(e)),
    ),
    jvp=lambda ts, y, a, e: _second_jvp(ts, a, e),
    meaning=_exact_second,
    batch=lambda xs, batched, params, size: bind(SECOND_COFACTORS, *ranks_aligned(xs, batched)),
    doc="Derivative of the cofactors of a matrix in a direction.",
)


def _second_jvp(ts: Sequence[CoreValue | None], a: CoreValue, e: CoreValue) -> CoreValue:
    first = None if ts[0] is None else _third_cofactors(a, e, ts[0])
    second = None if ts[1] is None else bind(SECOND_COFACTORS, a, ts[1])
    if first is None or second is None:
        return second if first is None else first
    return first + second


COFACTORS = general(
    "cofactors",
    _cofactors,
    square_spec("cofactors"),
    vjps=(lambda g, y, a: conj(bind(SECOND_COFACTORS, a, conj(g))),),
    jvp=lambda ts, y, a: bind(SECOND_COFACTORS, a, ts[0]),
    meaning=_exact_cofactors,
    doc="Cofactors of a matrix: det(A)*inv(A).T, for singular matrices too.",
)


def _det_spec(a: CoreValue) -> Spec:
    check_square("det", a)
    return Spec(shape_of(a)[:-2], dtype_of(a))


DET = general(
    "det",
    np.linalg.det,
    _det_spec,
    vjps=(lambda g, y, a: _spread(g) * conj(bind(COFACTORS, a)),),
    jvp=lambda ts, y, a: total(ts[0] * bind(COFACTORS, a), (-2, -1)),
    meaning=lambda S, a: matrices(lambda m: determinant(S, m), a),
    torch="LinalgDet",
    saves=(0, "y"),
    doc="Determinant of a matrix, or of each in a stack.",
)


@function(
    family="linalg",
    where="linalg",
    also=("torch.det", ".det"),
    op=DET,
    derivative="vjp: g*det(A)*inv(A).T, the cofactors where A is singular",
    cases=(
        case(sample(3)),
        case(sample(2, 4)),
        case(sample(1)),
        case(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [5.0, 7.0, 9.0]])),
        case(np.zeros((2, 2))),
        case(np.zeros((0, 0))),
    ),
)
def det(a: Any) -> CoreValue:
    """Determinant of a square matrix, or of each in a stack."""
    return bind(DET, as_matrix("det", a))


def _slogdet(a: Any) -> tuple[Any, Any]:
    sign, size = np.linalg.slogdet(a)
    return sign, size


def _slogdet_spec(a: CoreValue) -> tuple[Spec, Spec]:
    check_square("slogdet", a)
    lead, dtype = shape_of(a)[:-2], dtype_of(a)
    return Spec(lead, dtype), Spec(lead, real_dtype(dtype))


def _slogdet_vjp(g: Any, y: Any, a: CoreValue) -> CoreValue | None:
    # sign = exp(i theta) and log|det| are the imaginary and the real part of log det, whose derivative is inv(A).T.
    share = g[1]
    if dtype_of(a).kind == "c" and g[0] is not None:
        turn = -1j * imag(conj(g[0]) * y[0])
        share = turn if share is None else share + turn
    return None if share is None else _spread(share) * adjoint(bind(INV, a))


def _slogdet_jvp(ts: Any, y: Any, a: CoreValue) -> Any:
    moved = _trace_of(bind(INV, a), ts[0])
    if dtype_of(a).kind == "c":
        return 1j * y[0] * imag(moved), real(moved)
    return None, moved


def _exact_slogdet(S: Any, a: Any) -> Any:
    found = np.asarray(matrices(lambda m: determinant(S, m), a), dtype=object)
    return each(lambda d: S.sign(d), found), each(lambda d: S.log(S.abs(d)), found)


SLOGDET = general(
    "slogdet",
    _slogdet,
    _slogdet_spec,
    vjps=(_slogdet_vjp,),
    jvp=_slogdet_jvp,
    meaning=_exact_slogdet,
    outputs=2,
    torch="LinalgSlogdet",
    saves=(0, "y"),
    doc="Sign and logarithm of the absolute value of the determinant.",
)

SLOGDET_RESULTS = named("linalg_slogdet", "sign", "logabsdet")
_LOGDETS = (case(sample(3)), case(-sample(3)), case(sample(2, 4)), case(np.zeros((0, 0))))


@function(
    family="linalg",
    where="linalg",
    also=("torch.slogdet", ".slogdet"),
    op=SLOGDET,
    derivative="vjp: g*inv(A).T of the logarithm; the sign has none",
    cases=_LOGDETS,
)
def slogdet(a: Any) -> Any:
    """(sign, log|det|) of a square matrix, or of each in a stack."""
    return SLOGDET_RESULTS(bind(SLOGDET, as_matrix("slogdet", a)))


@function(
    family="linalg",
    where="torch method",
    derivative="vjp: g*inv(A).T",
    cases=(case(positive_sample(3)), case(positive_sample(2, 4))),
)
def logdet(a: Any) -> CoreValue:
    """Logarithm of the determinant; nan where it is negative."""
    matrix = as_matrix("logdet", a)
    if dtype_of(matrix).kind == "c":
        return log(bind(DET, matrix))
    sign, size = bind(SLOGDET, matrix)
    return where(less(sign, 0), float("nan"), size)
