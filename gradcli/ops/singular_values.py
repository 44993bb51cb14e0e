"""Singular values and vectors.

With A = U diag(s) V.H and P = U.H E V, an E moves the basis vectors within their span by

    U.H dU = H/D + K/T,   V.H dV = H/D - K/T,   D[i, j] = s[j] - s[i], T[i, j] = s[j] + s[i]

where H and K are the Hermitian and the skew part of P: no squares of singular values, which could overflow or cancel.
Derivatives of singular values need no gaps between them; those of vectors are nan or infinite where a gap is 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, dtype_of, shape_of
from gradcli.ops.dependence import coupled
from gradcli.ops.elementwise import real
from gradcli.ops.exact import adjoint_of, conjugated, implied, nearest
from gradcli.ops.function import case
from gradcli.ops.indexing import getitem
from gradcli.ops.joining import concatenate
from gradcli.ops.kinds import added, general
from gradcli.ops.matrices import (
    adjoint,
    as_any_matrix,
    as_column,
    as_matrix,
    as_row,
    check_matrix,
    columns_scaled,
    complex_sample,
    diagonal_of,
    hermitian,
    masked,
    on_diagonal,
    rectangular_sample,
    sample,
    skew,
    unconverged,
)
from gradcli.ops.phases import (
    by_gaps,
    completion,
    phase_rates,
    same_phase,
    squared_length,
    turning_share,
    turns,
    without_turns,
)
from gradcli.ops.products import times
from gradcli.ops.reduction import real_dtype
from gradcli.ops.registry import function
from gradcli.ops.results import named


def _svd(a: Any, *, full: bool) -> tuple[Any, Any, Any]:
    try:
        u, s, vh = np.linalg.svd(a, full_matrices=full)
    except np.linalg.LinAlgError:
        raise unconverged("svd", a) from None
    return u, s, vh


def _svd_spec(a: CoreValue, *, full: bool) -> tuple[Spec, Spec, Spec]:
    check_matrix("svd", a)
    *lead, m, n = shape_of(a)
    k, dtype = min(m, n), dtype_of(a)
    return (
        Spec((*lead, m, m if full else k), dtype),
        Spec((*lead, k), real_dtype(dtype)),
        Spec((*lead, n if full else k, n), dtype),
    )


def by_sums(x: CoreValue, s: CoreValue) -> CoreValue:
    """X[i, j]/(s[i] + s[j]) of a skew X, whose diagonal is 0 where it is real."""
    sums = as_row(s) + as_column(s)
    if dtype_of(x).kind == "c":
        return x / sums
    eye = np.eye(shape_of(s)[-1], dtype=dtype_of(s))
    return masked(x, 1 - eye) / (sums * (1 - eye) + eye)


def _columns(x: CoreValue, start: int, stop: int) -> CoreValue:
    return getitem(x, (..., slice(start, stop)))


def _split(x: CoreValue | None, k: int) -> tuple[CoreValue | None, CoreValue | None]:
    """The columns that belong to singular values, and the rest of a full basis."""
    if x is None:
        return None, None
    count = shape_of(x)[-1]
    return (_columns(x, 0, k), _columns(x, k, count)) if count > k else (x, None)


def _onto_first(g: CoreValue | None, g_rest: CoreValue | None, first: CoreValue, rest: CoreValue | None) -> Any:
    """The cotangent of the first columns, with what the rest pass on: the rest turns as much as the first do."""
    if g_rest is None or rest is None:
        return g
    g_rest = _phases_free(g_rest, rest)
    return added(g, -times(rest, times(adjoint(g_rest), first)))


def _phases_free(g: CoreValue, v: CoreValue) -> CoreValue:
    return g - turning_share(phase_rates(g, v), v) if dtype_of(v).kind == "c" else g


def _svd_vjp(g: Any, y: Any, a: CoreValue, *, full: bool) -> CoreValue | None:
    g_u, g_s, g_vh = g
    s, k = y[1], shape_of(y[1])[-1]
    (u, u_rest), (v, v_rest) = _split(y[0], k), _split(adjoint(y[2]), k)
    if g_u is None and g_vh is None:
        return None if g_s is None else times(columns_scaled(u, g_s), adjoint(v))
    left = _onto_first(*_split(g_u, k), u, u_rest)
    right = _onto_first(*_split(None if g_vh is None else adjoint(g_vh), k), v, v_rest)
    if dtype_of(u).kind == "c":
        rates = added(*(None if x is None else phase_rates(x, basis) for x, basis in ((left, u), (right, v))))
        left = added(left, -turning_share(rates, u))
    in_u = None if left is None else times(adjoint(u), left)
    in_v = None if right is None else times(adjoint(v), right)
    middle = by_gaps(skew(added(in_u, in_v)), s) + by_sums(skew(_difference(in_u, in_v)), s)
    if g_s is not None:
        middle = middle + on_diagonal(g_s)
    found = times(u, middle)
    if left is not None and shape_of(u)[-2] > k:
        found = found + (left - times(u, in_u)) / as_row(s)
    found = times(found, adjoint(v))
    if right is not None and shape_of(v)[-2] > k:
        found = found + times(u, adjoint((right - times(v, in_v)) / as_row(s)))
    return found


def _difference(a: CoreValue | None, b: CoreValue | None) -> CoreValue:
    if b is None:
        return a
    return -b if a is None else a - b


def _svd_jvp(ts: Any, y: Any, a: CoreValue, *, full: bool) -> Any:
    s, k = y[1], shape_of(y[1])[-1]
    (u, u_rest), (v, v_rest) = _split(y[0], k), _split(adjoint(y[2]), k)
    moved = times(ts[0], v)
    inner = times(adjoint(u), moved)
    even, odd = by_gaps(hermitian(inner), s), by_sums(skew(inner), s)
    left, right = times(u, even + odd), times(v, even - odd)
    if shape_of(u)[-2] > k:
        left = left + (moved - times(u, inner)) / as_row(s)
    if shape_of(v)[-2] > k:
        right = right + (times(adjoint(ts[0]), u) - times(v, adjoint(inner))) / as_row(s)
    if dtype_of(u).kind == "c":
        turned = turns(left, u)
        left, right = left - u * turned, right - v * turned
    left, right = _with_rest(left, u, u_rest), _with_rest(right, v, v_rest)
    return left, real(diagonal_of(inner)), adjoint(right)


def _with_rest(t: CoreValue, first: CoreValue, rest: CoreValue | None) -> CoreValue:
    """The tangent of the first columns, and with it that of the rest of a full basis."""
    if rest is None:
        return t
    return concatenate([t, without_turns(-times(first, times(adjoint(t), rest)), rest)], -1)


def _exact_svd(S: Any, a: Any, *, full: bool) -> tuple[Any, Any, Any]:
    """Each triple by A v = s u, A.H u = s v, |v| = 1 and the phase of u."""
    specs = _svd_spec(np.empty(a.shape), full=full)
    us, ss, vhs = (np.empty(spec.shape, dtype=object) for spec in specs)
    for index in np.ndindex(a.shape[:-2]):
        u, s, vh = _svd(nearest(S, a[index]), full=full)
        us[index], ss[index], vhs[index] = _exact_triples(S, a[index], u, s, vh)
    return us, ss, vhs


def _exact_triples(S: Any, m: Any, u: Any, s: Any, vh: Any) -> tuple[Any, Any, Any]:
    v, turned, k = vh.conj().T, adjoint_of(m), len(s)
    left, values, right = np.empty(u.shape, dtype=object), np.empty(k, dtype=object), np.empty(v.shape, dtype=object)
    for j in range(k):
        start = u[:, j]

        def equations(x: Any, sigma: Any, z: Any, start: Any = start) -> list[Any]:
            factor = sigma[()]
            return [m @ z - x * factor, turned @ x - z * factor, squared_length(S, z) - 1, *same_phase(S, x, start)]

        # A complex sigma keeps the unknowns as many as the equations; it comes out real.
        left[:, j], sigma, right[:, j] = implied(S, [start, s[j].astype(u.dtype), v[:, j]], equations)
        values[j] = S.re(sigma[()])
    for basis, floats in ((left, u), (right, v)):
        if floats.shape[1] > k:
            basis[:, k:] = completion(S, basis[:, :k], floats[:, k:])
    return left, values, conjugated(right.T)


def _equal_neighbours(a: Any, *, full: bool) -> Any:
    s = _svd(a, full=False)[1]
    return np.any(s[..., 1:] == s[..., :-1])


SVD: Op = general(
    "svd",
    _svd,
    _svd_spec,
    vjps=(_svd_vjp,),
    jvp=_svd_jvp,
    meaning=_exact_svd,
    outputs=3,
    torch="LinalgSvd",
    kink=_equal_neighbours,
    saves=("y",),
    depends=coupled(2),
    doc="Singular values, falling, and singular vectors.",
)


def singular_values(x: CoreValue) -> CoreValue:
    """The singular values of every matrix, falling."""
    return bind(SVD, x, full=False)[1]


SVD_RESULTS = named("linalg_svd", "U", "S", "Vh")
_CASES = (
    case(sample(3)),
    case(rectangular_sample(3, 2), full_matrices=False),
    case(rectangular_sample(2, 3, 2), full_matrices=False),
    case(rectangular_sample(3, 2)),
    case(rectangular_sample(2, 3)),
    case(complex_sample(2, 2)),
    case(complex_sample(3, 2), full_matrices=False),
    case(complex_sample(3, 2)),
    case(np.zeros((0, 2)), full_matrices=False),
)
_RULE = "vjp: U @ (diag(gs) + sk(U.T gU + V.T gV)/D + sk(U.T gU - V.T gV)/T) @ V.T for a square A; sk = skew part"
_EQUAL = (
    "equal singular values: of a symmetric function of them the derivative is right; of the vectors it is nan; "
    "further columns of full bases turn only as far as the others make them"
)
_SOURCE = "Townsend (2016), Differentiating the singular value decomposition; sums and differences kept apart"


@function(
    family="linalg",
    where="linalg",
    op=SVD,
    derivative=_RULE,
    defined="singular values differ, and are positive unless A is square",
    kinks=_EQUAL,
    source=_SOURCE,
    cases=(*_CASES, case(sample(3), compute_uv=False)),
)
def svd(
    a: Any,
    full_matrices: bool = True,
    compute_uv: bool = True,
    hermitian: bool = False,
    overwrite_a: bool = False,
    check_finite: bool = True,
    lapack_driver: Any = None,
    driver: Any = None,
) -> Any:
    """(U, S, Vh) with A = U @ diag(S) @ Vh, S falling; full_matrices completes U and Vh to square matrices."""
    found = _argument("svd", a, hermitian)
    if not compute_uv:
        return singular_values(found)
    return SVD_RESULTS(bind(SVD, found, full=bool(full_matrices)))


def _argument(name: str, a: Any, symmetric: bool) -> CoreValue:
    return hermitian(as_matrix(name, a)) if symmetric else as_any_matrix(name, a)


TORCH_RESULTS = named("svd", "U", "S", "V")


@function(
    "svd_torch",
    family="linalg",
    where="",
    also=("torch.svd", ".svd"),
    op=SVD,
    derivative=_RULE,
    kinks=_EQUAL,
    source=_SOURCE,
    cases=(case(rectangular_sample(3, 2)), case(rectangular_sample(3, 2), some=False)),
)
def svd_torch(input: Any, some: bool = True, compute_uv: bool = True) -> Any:
    """(U, S, V) with A = U @ diag(S) @ V.T, S falling."""
    u, s, vh = bind(SVD, as_any_matrix("svd", input), full=not some)
    return TORCH_RESULTS((u, s, adjoint(vh)) if compute_uv else (0 * u, s, 0 * adjoint(vh)))


@function(
    family="linalg",
    where="linalg",
    op=SVD,
    derivative="vjp: U @ diag(g) @ Vh",
    kinks="equal singular values: of a symmetric function of them the derivative is right",
    source=_SOURCE,
    cases=(*(case(c.args[0]) for c in _CASES[:3]), case(complex_sample(2, 2))),
)
def svdvals(a: Any, overwrite_a: bool = False, check_finite: bool = True, driver: Any = None) -> CoreValue:
    """Singular values of a matrix, falling."""
    return singular_values(as_any_matrix("svdvals", a))
