"""Eigenvalues and eigenvectors of any square matrix.

Rules after Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation"
(2008).
An eigenvector has length 1, and its largest element keeps its phase: LAPACK makes it real.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import AbstractValue
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, dtype_of, shape_of
from gradcli.ops.arguments import settled
from gradcli.ops.dependence import coupled
from gradcli.ops.elementwise import real
from gradcli.ops.exact import nearest
from gradcli.ops.function import case
from gradcli.ops.kinds import conj, general
from gradcli.ops.linalg import SOLVE
from gradcli.ops.matrices import (
    adjoint,
    as_matrix,
    blamed,
    check_square,
    complex_sample,
    diagonal_of,
    on_diagonal,
    sample,
    unconverged,
)
from gradcli.ops.phases import by_gaps, exact_pair, phase_rates, turning_share, turns
from gradcli.ops.products import times
from gradcli.ops.reduction import total
from gradcli.ops.registry import function
from gradcli.ops.results import named


def _eig(a: Any) -> tuple[Any, Any]:
    try:
        values, vectors = np.linalg.eig(a)
    except np.linalg.LinAlgError:
        raise unconverged("eig", a) from None
    dtype = np.result_type(a.dtype, np.complex64)
    return values.astype(dtype), vectors.astype(dtype)


def _eig_spec(a: CoreValue) -> tuple[Spec, Spec]:
    check_square("eig", a)
    dtype = np.result_type(dtype_of(a), np.complex64)
    return Spec(shape_of(a)[:-1], dtype), Spec(shape_of(a), dtype)


def _defective() -> Any:
    return blamed(
        "eig: the matrix is defective, and its eigenvalues have no derivative",
        "its eigenvectors are linearly dependent",
    )


def _eig_vjp(g: Any, y: Any, a: CoreValue) -> CoreValue | None:
    (g_values, g_vectors), (w, v) = g, y
    middle = None if g_values is None else on_diagonal(g_values)
    if g_vectors is not None:
        along = total(real(conj(v) * g_vectors), (-2,), True)  # no part of a vector's cotangent changes its length
        free = g_vectors - v * along - turning_share(phase_rates(g_vectors, v), v)
        share = by_gaps(times(adjoint(v), free), conj(w))
        middle = share if middle is None else middle + share
    if middle is None:
        return None
    with _defective():
        return bind(SOLVE, adjoint(v), times(middle, adjoint(v)))


def _eig_jvp(ts: Any, y: Any, a: CoreValue) -> Any:
    w, v = y
    with _defective():
        moved = bind(SOLVE, v, times(ts[0], v))
    free = times(v, by_gaps(moved, w))
    along = total(real(conj(v) * free), (-2,), True)
    return diagonal_of(moved), free - v * along - v * turns(free, v)


def _exact_eig(S: Any, a: Any) -> tuple[Any, Any]:
    """Each pair by A v = w v, |v| = 1 and the phase of v."""
    lead, n = a.shape[:-2], a.shape[-1]
    made_values, made_vectors = np.empty((*lead, n), dtype=object), np.empty(a.shape, dtype=object)
    for index in np.ndindex(lead):
        values, vectors = _eig(nearest(S, a[index]))
        for j in range(n):
            w, v = exact_pair(S, a[index], values[j], vectors[:, j])
            made_values[(*index, j)], made_vectors[(*index, slice(None), j)] = w, v
    return made_values, made_vectors


EIG: Op = general(
    "eig",
    _eig,
    _eig_spec,
    vjps=(_eig_vjp,),
    jvp=_eig_jvp,
    meaning=_exact_eig,
    outputs=2,
    torch="LinalgEig",
    saves=("y",),
    depends=coupled(2),
    doc="Eigenvalues and eigenvectors of any square matrix, as complex numbers.",
)


def pairs(name: str, x: Any) -> tuple[CoreValue, CoreValue, bool]:
    """Eigenvalues, eigenvectors, and whether NumPy would say that they are real."""
    a = as_matrix(name, x)
    w, v = bind(EIG, a)
    if dtype_of(a).kind == "c":
        return w, v, False
    try:
        return w, v, not np.any(settled(w).imag)
    except AbstractValue:
        return w, v, True


EIG_RESULTS = named("linalg_eig", "eigenvalues", "eigenvectors")
_SOURCE = "Giles (2008), Collected matrix derivative results, 3.1"
_EIG_RULE = "vjp: inv(V).H @ (diag(gw) + conj(F) * (V.H @ gV)) @ V.H, F[i, j] = 1/(w[j] - w[i]), gV of unit vectors"
_EIGVALS_RULE = "vjp: inv(V).H @ diag(g) @ V.H"
_PLANE = np.array([[1.0, -2.0], [1.5, 0.5]])
_ANY = (case(sample(3)), case(_PLANE), case(sample(2, 2)), case(complex_sample(2, 2)), case(np.zeros((0, 0))))


@function(
    family="linalg",
    where="",
    also=("numpy.linalg.eig",),
    op=EIG,
    derivative=_EIG_RULE,
    defined="the eigenvalues differ",
    kinks="equal eigenvalues: nan",
    source=_SOURCE,
    cases=_ANY,
)
def eig(a: Any) -> Any:
    """(eigenvalues, eigenvectors) of a square matrix, real where all eigenvalues of a real matrix are."""
    w, v, is_real = pairs("eig", a)
    return EIG_RESULTS((real(w), real(v)) if is_real else (w, v))


@function(
    "eig_torch",
    family="linalg",
    where="",
    also=("torch.linalg.eig",),
    op=EIG,
    derivative=_EIG_RULE,
    defined="the eigenvalues differ",
    kinks="equal eigenvalues: nan",
    source=_SOURCE,
    cases=(case(sample(2)), case(_PLANE)),
)
def eig_torch(A: Any) -> Any:
    """(eigenvalues, eigenvectors) of a square matrix, always complex."""
    return EIG_RESULTS(pairs("eig", A)[:2])


@function(
    family="linalg",
    where="",
    also=("numpy.linalg.eigvals",),
    op=EIG,
    derivative=_EIGVALS_RULE,
    defined="the eigenvectors are linearly independent",
    source=_SOURCE,
    cases=_ANY,
)
def eigvals(a: Any) -> CoreValue:
    """Eigenvalues of a square matrix, real where all of a real matrix are."""
    w, _, is_real = pairs("eigvals", a)
    return real(w) if is_real else w


@function(
    "eigvals_torch",
    family="linalg",
    where="",
    also=("torch.linalg.eigvals",),
    op=EIG,
    derivative=_EIGVALS_RULE,
    defined="the eigenvectors are linearly independent",
    source=_SOURCE,
    cases=(case(sample(2)), case(_PLANE)),
)
def eigvals_torch(A: Any) -> CoreValue:
    """Eigenvalues of a square matrix, always complex."""
    return pairs("eigvals", A)[0]
