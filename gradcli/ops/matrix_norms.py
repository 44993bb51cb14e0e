"""Norms by singular values, and the polar decomposition, whose orthogonal factor is the nuclear norm's gradient.

The gradient of a sum of singular values needs no gaps between them, to any order: it is the polar factor, and that
moves by U (2 K/T) V.H, with K the skew part of U.H E V and T the sums of singular values.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, dtype_of, shape_of
from gradcli.ops.dependence import coupled
from gradcli.ops.elementwise import equal, where
from gradcli.ops.exact import adjoint_of, filled, implied, matrices, nearest, solution
from gradcli.ops.extremes import AMAX, AMIN
from gradcli.ops.function import case
from gradcli.ops.kinds import fits, general
from gradcli.ops.matrices import (
    adjoint,
    as_any_matrix,
    as_column,
    as_row,
    as_scalar,
    check_matrix,
    complex_sample,
    rectangular_sample,
    sample,
    skew,
    unconverged,
)
from gradcli.ops.products import times
from gradcli.ops.reduction import real_dtype, real_product, total
from gradcli.ops.registry import function
from gradcli.ops.singular_values import SVD, singular_values

# --- the polar factor ------------------------------------------------------------------------------------------------


def _decomposed(name: str, a: Any) -> tuple[Any, Any, Any]:
    try:
        u, s, vh = np.linalg.svd(a, full_matrices=False)
    except np.linalg.LinAlgError:
        raise unconverged(name, a) from None
    return u, s, vh


def _polar(a: Any) -> Any:
    u, s, vh = _decomposed("polar", a)
    return (u * (s > 0)[..., None, :]) @ vh


def _over(x: CoreValue, sizes: CoreValue) -> CoreValue:
    """x/sizes, and 0 where a size is 0."""
    nothing = equal(sizes, 0)
    return where(nothing, 0.0, x / where(nothing, 1.0, sizes))


def _moved_polar(e: CoreValue, a: CoreValue) -> CoreValue:
    """The derivative of the polar factor in the direction E, which is its own transpose."""
    u, s, vh = bind(SVD, a, full=False)
    v = adjoint(vh)
    pushed = times(e, v)
    inner = times(adjoint(u), pushed)
    found = times(u, _over(2 * skew(inner), as_row(s) + as_column(s)))
    rows, columns = shape_of(a)[-2:]
    if rows > columns:
        found = found + _over(pushed - times(u, inner), as_row(s))
    found = times(found, vh)
    if columns > rows:
        found = found + times(u, adjoint(_over(times(adjoint(e), u) - times(v, adjoint(inner)), as_row(s))))
    return found


def _root_of_squares(S: Any, m: Any) -> Any:
    """The square root of the smaller of A.H A and A A.H."""
    squares = adjoint_of(m) @ m if m.shape[0] >= m.shape[1] else m @ adjoint_of(m)
    values, vectors = np.linalg.eigh(nearest(S, squares))
    start = (vectors * np.sqrt(np.abs(values))) @ vectors.conj().T
    (root,) = implied(S, [start], lambda x: [x @ x - squares])
    return root


def _exact_polar(S: Any, a: Any) -> Any:
    def one(m: Any) -> Any:
        root = _root_of_squares(S, m)
        if m.shape[0] < m.shape[1]:
            return solution(S, root, m)
        return adjoint_of(solution(S, root, adjoint_of(m)))

    return matrices(one, a)


def _is_rank_deficient(a: Any) -> Any:
    return a.size > 0 and np.any(np.linalg.svd(a, compute_uv=False) == 0)


POLAR: Op = general(
    "polar",
    _polar,
    lambda a: Spec(shape_of(a), dtype_of(a)),
    vjps=(lambda g, y, a: _moved_polar(g, a),),
    jvp=lambda ts, y, a: _moved_polar(ts[0], a),
    meaning=_exact_polar,
    kink=_is_rank_deficient,
    depends=coupled(2),
    doc="U @ Vh of a matrix's singular vectors, without those of singular values of 0.",
)

# --- the nuclear norm ------------------------------------------------------------------------------------------------


def _nuclear(a: Any) -> Any:
    try:
        return np.linalg.svd(a, compute_uv=False).sum(-1)
    except np.linalg.LinAlgError:
        raise unconverged("norm", a) from None


def _nuclear_spec(a: CoreValue) -> Spec:
    check_matrix("norm", a)
    return Spec(shape_of(a)[:-2], real_dtype(dtype_of(a)))


def _exact_nuclear(S: Any, a: Any) -> Any:
    def one(m: Any) -> Any:
        root = _root_of_squares(S, m)
        return filled((), [sum((S.re(root[i, i]) for i in range(len(root))), S.number(0))])

    return matrices(one, a)


NUCLEAR: Op = general(
    "nuclear_norm",
    _nuclear,
    _nuclear_spec,
    vjps=(lambda g, y, a: as_scalar(g) * bind(POLAR, a),),
    jvp=lambda ts, y, a: total(real_product(bind(POLAR, a), ts[0]), (-2, -1)),
    meaning=_exact_nuclear,
    torch=lambda operands, params: ("SumBackward1", (("LinalgSvdBackward0", (0,)),)),
    kink=_is_rank_deficient,
    depends=coupled(2),
    doc="Sum of the singular values.",
)


def spectral_norm(x: CoreValue, p: Any) -> CoreValue:
    """Of every matrix, the sum of the singular values ("nuc"), or the largest (2) or the smallest (-2) of them."""
    if p == "nuc":
        return bind(NUCLEAR, x)
    return bind(AMAX if p == 2 else AMIN, singular_values(x), axis=(-1,), keepdims=False)


@function(
    family="linalg",
    where="",
    also=("scipy.linalg.polar",),
    op=POLAR,
    derivative="vjp: of U = W @ Vh: W @ (2*sk(W.T @ g @ V)/T) @ V.T, T[i, j] = s[i] + s[j]; P = U.T @ A",
    defined="the rank is full",
    kinks="singular values of 0 have no part in U, nor in its derivative",
    source="Mathias (1993), Perturbation bounds for the polar decomposition",
    cases=(
        case(sample(3)),
        case(rectangular_sample(3, 2)),
        case(rectangular_sample(2, 3), side="left"),
        case(complex_sample(2, 2)),
    ),
)
def polar(a: Any, side: Any = "right") -> Any:
    """(U, P) with A = U @ P, U orthonormal and P positive; side='left' gives A = P @ U."""
    if side not in ("right", "left"):
        raise ArgumentError(f"polar: side is 'right' or 'left', not {side!r}")
    matrix = as_any_matrix("polar", a)
    u = bind(POLAR, matrix)
    product = times(adjoint(u), matrix) if side == "right" else times(matrix, adjoint(u))
    return u, product


@function(
    family="linalg",
    where="",
    also=("scipy.linalg.orthogonal_procrustes",),
    derivative="vjp: that of the polar factor and of the nuclear norm of A.T @ B",
    defined="A.T @ B has full rank",
    kinks="singular values of 0 have no part in R, nor in its derivative",
    cases=(case(rectangular_sample(3, 2), rectangular_sample(3, 2, seed=1)), case(sample(2), complex_sample(2, 2))),
)
def orthogonal_procrustes(A: Any, B: Any, check_finite: bool = True) -> Any:
    """(R, scale): the orthogonal R for which |A @ R - B| is least, and the sum of the singular values of A.T @ B."""
    a, b = as_any_matrix("orthogonal_procrustes", A), as_any_matrix("orthogonal_procrustes", B)
    if shape_of(a) != shape_of(b):
        raise ShapeError(f"orthogonal_procrustes cannot join shapes {fits(shape_of(a))} and {fits(shape_of(b))}")
    shared = times(adjoint(a), b)
    return bind(POLAR, shared), bind(NUCLEAR, shared)
