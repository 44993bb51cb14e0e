"""QR factors. Those of A's first columns, as many as it has rows, are found by A; the others of R follow from Q.

Rules after Roberts and Roberts, "QR and LQ decomposition matrix backpropagation algorithms for square, wide, and deep
matrices" (2020). The signs of R's diagonal are LAPACK's; with complex numbers it is real.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, dtype_of, shape_of
from gradcli.ops.dependence import coupled
from gradcli.ops.elementwise import imag
from gradcli.ops.exact import adjoint_of, nearest
from gradcli.ops.function import case
from gradcli.ops.indexing import getitem
from gradcli.ops.joining import concatenate
from gradcli.ops.kinds import added, general
from gradcli.ops.matrices import (
    adjoint,
    as_any_matrix,
    blamed,
    check_matrix,
    complex_sample,
    diagonal_of,
    hermitian,
    lower_part,
    on_diagonal,
    rectangular_sample,
    sample,
    upper_part,
)
from gradcli.ops.phases import completion, phase_rates, turning_share, without_turns
from gradcli.ops.products import times
from gradcli.ops.registry import function
from gradcli.ops.results import named
from gradcli.ops.triangular import solved_lower, solved_upper


def _qr(a: Any, *, complete: bool) -> tuple[Any, Any]:
    q, r = np.linalg.qr(a, "complete" if complete else "reduced")
    return q, r


def _qr_spec(a: CoreValue, *, complete: bool) -> tuple[Spec, Spec]:
    check_matrix("qr", a)
    *lead, m, n = shape_of(a)
    k = m if complete else min(m, n)
    return Spec((*lead, m, k), dtype_of(a)), Spec((*lead, k, n), dtype_of(a))


def cut(x: CoreValue, rows: slice, columns: slice) -> CoreValue:
    """A block of every matrix."""
    return getitem(x, (..., rows, columns))


EVERY = slice(None)


def _no_derivative() -> Any:
    return blamed(
        "qr: the factors have no derivative where the first columns are linearly dependent",
        "as many of them as the matrix has rows, or all, must be independent",
    )


def _by_factor(x: CoreValue, r: CoreValue) -> CoreValue:
    """X inv(R)."""
    return adjoint(solved_lower(adjoint(r), adjoint(x)))


def _by_factor_adjoint(x: CoreValue, r: CoreValue) -> CoreValue:
    """X inv(R).H."""
    return adjoint(solved_upper(r, adjoint(x)))


def _qr_vjp(g: Any, y: Any, a: CoreValue, *, complete: bool) -> CoreValue | None:
    k = min(shape_of(a)[-2:])
    q, q_rest, r, _ = _parts(y[0], y[1], k)
    g_q, g_rest, g_r, g_right = _parts(g[0], g[1], k)
    further = cut(a, EVERY, slice(k, None)) if shape_of(a)[-1] > k else None
    if g_right is not None:  # r_right = Q.H B of the further columns B
        g_q = added(g_q, times(further, adjoint(g_right)))
    if g_rest is not None:
        if dtype_of(q).kind == "c":
            g_rest = g_rest - turning_share(phase_rates(g_rest, q_rest), q_rest)
        g_q = added(g_q, -times(q_rest, times(adjoint(g_rest), q)))
    found = _square_vjp(g_q, g_r, q, r)
    if further is not None:
        return concatenate([found, 0 * further if g_right is None else times(q, g_right)], -1)
    return found


def _parts(q: CoreValue | None, r: CoreValue | None, k: int) -> Any:
    """The first columns of Q, the further ones of a complete basis, the square R, and what is to its right."""
    rest = right = None
    if q is not None and shape_of(q)[-1] > k:
        q, rest = cut(q, EVERY, slice(0, k)), cut(q, EVERY, slice(k, None))
    if r is not None and shape_of(r)[-2] > k:
        r = cut(r, slice(0, k), EVERY)
    if r is not None and shape_of(r)[-1] > k:
        r, right = cut(r, EVERY, slice(0, k)), cut(r, EVERY, slice(k, None))
    return q, rest, r, right


def _square_vjp(g_q: CoreValue | None, g_r: CoreValue | None, q: CoreValue, r: CoreValue) -> CoreValue:
    """The cotangent of A = Q R with a square R."""
    inner = None if g_r is None else times(r, adjoint(g_r))
    if g_q is not None:
        inner = added(inner, -times(adjoint(g_q), q))
    # Of a lower triangle and its adjoint the diagonal counts once.
    even = 2 * hermitian(lower_part(inner, 0.5))
    whole = times(q, even)
    with _no_derivative():
        return _by_factor_adjoint(whole if g_q is None else g_q + whole, r)


def _qr_jvp(ts: Any, y: Any, a: CoreValue, *, complete: bool) -> Any:
    k = min(shape_of(a)[-2:])
    q, q_rest, r, _ = _parts(y[0], y[1], k)
    t = cut(ts[0], EVERY, slice(0, k)) if shape_of(a)[-1] > k else ts[0]
    with _no_derivative():
        pushed = _by_factor(t, r)
    inner = times(adjoint(q), pushed)
    below = lower_part(inner, 0.0)
    turned = below - adjoint(below)
    if dtype_of(q).kind == "c":
        turned = turned + on_diagonal(1j * imag(diagonal_of(inner)))
    t_r = times(upper_part(inner - turned, 1.0), r)
    t_q = times(q, turned)
    if shape_of(q)[-2] > k:
        t_q = t_q + (pushed - times(q, inner))
    if shape_of(a)[-1] > k:
        further, moved = cut(a, EVERY, slice(k, None)), cut(ts[0], EVERY, slice(k, None))
        t_r = concatenate([t_r, times(adjoint(t_q), further) + times(adjoint(q), moved)], -1)
    if q_rest is not None:
        t_rest = without_turns(-times(q, times(adjoint(t_q), q_rest)), q_rest)
        t_q = concatenate([t_q, t_rest], -1)
        t_r = concatenate([t_r, 0 * cut(y[1], slice(k, None), EVERY)], -2)
    return t_q, t_r


def _exact_qr(S: Any, a: Any, *, complete: bool) -> tuple[Any, Any]:
    """Gram and Schmidt's columns, with the signs that LAPACK gives them."""
    specs = _qr_spec(np.empty(a.shape), complete=complete)
    qs, rs = (np.empty(spec.shape, dtype=object) for spec in specs)
    for index in np.ndindex(a.shape[:-2]):
        floats = _qr(nearest(S, a[index]), complete=complete)
        qs[index], rs[index] = _gram_schmidt(S, a[index], *floats)
    return qs, rs


def _gram_schmidt(S: Any, m: Any, q: Any, r: Any) -> tuple[Any, Any]:
    k = min(m.shape)
    basis, factor = np.empty(q.shape, dtype=object), np.empty(r.shape, dtype=object)
    for j in range(k):
        rest = m[:, j]
        for i in range(j):
            share = sum((basis[:, i].conjugate() * rest).tolist(), S.number(0))
            rest = rest - basis[:, i] * share
        length = S.sqrt(S.re(sum((x * x.conjugate() for x in rest), S.number(0))))
        basis[:, j] = rest / (length if r[j, j].real >= 0 else -length)
    if q.shape[1] > k:
        basis[:, k:] = completion(S, basis[:, :k], q[:, k:])
    whole = adjoint_of(basis) @ m
    for i, j in np.ndindex(r.shape):
        factor[i, j] = whole[i, j] if i <= j else S.number(0)
    return basis, factor


QR: Op = general(
    "qr",
    _qr,
    _qr_spec,
    vjps=(_qr_vjp,),
    jvp=_qr_jvp,
    meaning=_exact_qr,
    outputs=2,
    torch="LinalgQr",
    saves=("y",),
    depends=coupled(2),
    doc="Orthonormal columns Q and an upper triangle R with Q R = A.",
)

QR_RESULTS = named("linalg_qr", "Q", "R")
_CASES = (
    case(sample(3)),
    case(rectangular_sample(4, 2)),
    case(rectangular_sample(2, 4)),
    case(rectangular_sample(3, 2, 2)),
    case(complex_sample(3, 2)),
    case(complex_sample(2, 3)),
    case(np.zeros((0, 0))),
)
_COMPLETE = (
    case(rectangular_sample(3, 2), "complete"),
    case(rectangular_sample(2, 3), mode="complete"),
    case(complex_sample(3, 2), mode="complete"),
)
QR_RULE = "vjp: (gQ + Q @ M) @ inv(R).T, M = symmetric from the lower triangle of R @ gR.T - gQ.T @ Q"
QR_DEFINED = "the first columns, as many as there are rows or all, are linearly independent"
QR_TURNS = "further columns of a complete Q turn only as far as the others make them"
QR_SOURCE = "Roberts and Roberts (2020), QR and LQ decomposition matrix backpropagation algorithms"


@function(
    family="linalg",
    where="",
    also=("numpy.linalg.qr", "torch.linalg.qr"),
    op=QR,
    derivative=QR_RULE,
    defined=QR_DEFINED,
    kinks=QR_TURNS,
    source=QR_SOURCE,
    cases=(*_CASES, *_COMPLETE, case(rectangular_sample(3, 2), "r")),
)
def qr(a: Any, mode: Any = "reduced") -> Any:
    """(Q, R) with A = Q @ R; mode 'complete' makes Q square, 'r' gives R alone."""
    found = as_any_matrix("qr", a)
    if mode not in ("reduced", "complete", "r"):
        raise ArgumentError(f"qr: mode is 'reduced', 'complete' or 'r', not {mode!r}")
    q, r = bind(QR, found, complete=mode == "complete")
    return r if mode == "r" else QR_RESULTS((q, r))


TORCH_RESULTS = named("qr", "Q", "R")


@function(
    "qr_torch",
    family="linalg",
    where="",
    also=("torch.qr", ".qr"),
    op=QR,
    derivative=QR_RULE,
    defined=QR_DEFINED,
    kinks=QR_TURNS,
    source=QR_SOURCE,
    cases=(case(rectangular_sample(3, 2)), case(rectangular_sample(3, 2), some=False)),
)
def qr_torch(input: Any, some: bool = True) -> Any:
    """(Q, R) with A = Q @ R; some=False makes Q square."""
    return TORCH_RESULTS(bind(QR, as_any_matrix("qr", input), complete=not some))
