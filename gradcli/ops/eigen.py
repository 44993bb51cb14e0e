"""Eigenvalues and eigenvectors of symmetric matrices, which are read as (A + A.H)/2.

Derivatives of eigenvalues need no gaps between them; those of eigenvectors are divided by the gaps, and nan or infinite
where one is 0. Rules after Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
differentiation" (2008).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, dtype_of, shape_of
from gradcli.ops.dependence import coupled
from gradcli.ops.elementwise import real
from gradcli.ops.exact import adjoint_of, nearest
from gradcli.ops.function import case
from gradcli.ops.kinds import general
from gradcli.ops.matrices import (
    adjoint,
    as_matrix,
    check_square,
    columns_scaled,
    complex_positive_sample,
    diagonal_of,
    each_matrix,
    hermitian,
    hermitian_value,
    on_diagonal,
    positive_sample,
    sample,
    unconverged,
)
from gradcli.ops.phases import by_gaps, exact_pair, phase_rates, turning_share, without_turns
from gradcli.ops.products import times
from gradcli.ops.reduction import real_dtype
from gradcli.ops.registry import function
from gradcli.ops.results import named


def _eigh(a: Any, *, scipys: bool) -> tuple[Any, Any]:
    """LAPACK has several algorithms, which give vectors other signs; SciPy prefers another than NumPy."""
    even = hermitian_value(a)
    try:
        values, vectors = each_matrix(_by_scipy, even) if scipys and even.size else np.linalg.eigh(even)
    except np.linalg.LinAlgError:
        raise unconverged("eigh", a) from None
    return values, vectors


def _by_scipy(a: Any) -> tuple[Any, Any]:
    from scipy.linalg import eigh

    values, vectors = eigh(a, check_finite=False)
    return values, vectors


def _eigh_spec(a: CoreValue, **_: Any) -> tuple[Spec, Spec]:
    check_square("eigh", a)
    return Spec(shape_of(a)[:-1], real_dtype(dtype_of(a))), Spec(shape_of(a), dtype_of(a))


def _eigh_vjp(g: Any, y: Any, a: CoreValue, **_: Any) -> CoreValue | None:
    (g_values, g_vectors), (w, v) = g, y
    if g_vectors is None:
        return None if g_values is None else hermitian(times(columns_scaled(v, g_values), adjoint(v)))
    if dtype_of(v).kind == "c":
        g_vectors = g_vectors - turning_share(phase_rates(g_vectors, v), v)
    middle = by_gaps(times(adjoint(v), g_vectors), w)
    if g_values is not None:
        middle = middle + on_diagonal(g_values)
    return hermitian(times(times(v, middle), adjoint(v)))


def _eigh_jvp(ts: Any, y: Any, a: CoreValue, **_: Any) -> Any:
    w, v = y
    moved = times(times(adjoint(v), hermitian(ts[0])), v)
    return real(diagonal_of(moved)), without_turns(times(v, by_gaps(moved, w)), v)


def _exact_eigh(S: Any, a: Any, *, scipys: bool) -> tuple[Any, Any]:
    """Each pair by H v = w v, |v| = 1 and the phase of v."""
    lead, n = a.shape[:-2], a.shape[-1]
    made_values, made_vectors = np.empty((*lead, n), dtype=object), np.empty(a.shape, dtype=object)
    for index in np.ndindex(lead):
        even = (a[index] + adjoint_of(a[index])) / 2
        values, vectors = _eigh(nearest(S, a[index]), scipys=scipys)
        for j in range(n):
            w, v = exact_pair(S, even, values[j].astype(vectors.dtype), vectors[:, j])
            made_values[(*index, j)], made_vectors[(*index, slice(None), j)] = S.re(w), v
    return made_values, made_vectors


def _equal_neighbours(a: Any, **_: Any) -> Any:
    w = _eigh(a, scipys=False)[0]
    return np.any(w[..., 1:] == w[..., :-1])


EIGH: Op = general(
    "eigh",
    _eigh,
    _eigh_spec,
    vjps=(_eigh_vjp,),
    jvp=_eigh_jvp,
    meaning=_exact_eigh,
    outputs=2,
    torch="LinalgEigh",
    kink=_equal_neighbours,
    saves=("y",),
    depends=coupled(2),
    doc="Eigenvalues, rising, and eigenvectors of a symmetric matrix.",
)


def symmetric_pairs(a: CoreValue, scipys: bool = False) -> tuple[CoreValue, CoreValue]:
    """Eigenvalues and eigenvectors of (A + A.H)/2."""
    values, vectors = bind(EIGH, a, scipys=scipys)
    return values, vectors


EIGH_RESULTS = named("linalg_eigh", "eigenvalues", "eigenvectors")
_SYMMETRIC = (
    case(positive_sample(3)),
    case(positive_sample(2, 2)),
    case(sample(3, seed=1)),
    case(complex_positive_sample(2)),
    case(np.zeros((0, 0))),
    case(np.array([[2.0]])),
)
_VALUES_RULE = "vjp: V @ diag(g) @ V.T"
_VECTORS_RULE = "vjp: V @ (diag(gw) + F * (V.T @ gV)) @ V.T, F[i, j] = 1/(w[j] - w[i]), symmetric part"
_EQUAL = "equal eigenvalues: of a symmetric function of them the derivative is right; of the vectors it is nan"
_SOURCE = "Giles (2008), Collected matrix derivative results, 3.1"


def _check_uplo(name: str, uplo: Any) -> None:
    if uplo not in ("L", "U", "l", "u"):
        raise ArgumentError(f"{name}: UPLO is 'L' or 'U', not {uplo!r}")


@function(
    family="linalg",
    where="",
    also=("numpy.linalg.eigh", "torch.linalg.eigh"),
    op=EIGH,
    derivative=_VECTORS_RULE,
    kinks=_EQUAL,
    source=_SOURCE,
    cases=(*_SYMMETRIC[:2], *_SYMMETRIC[3:], case(positive_sample(2), "U")),
)
def eigh(a: Any, UPLO: Any = "L") -> Any:
    """(eigenvalues, eigenvectors) of (A + A.T)/2, the values rising, the vectors in columns."""
    _check_uplo("eigh", UPLO)
    return EIGH_RESULTS(symmetric_pairs(as_matrix("eigh", a)))


@function(
    family="linalg",
    where="",
    also=("numpy.linalg.eigvalsh", "torch.linalg.eigvalsh"),
    op=EIGH,
    derivative=_VALUES_RULE,
    kinks=_EQUAL,
    source=_SOURCE,
    cases=(*_SYMMETRIC[:2], *_SYMMETRIC[3:]),
)
def eigvalsh(a: Any, UPLO: Any = "L") -> CoreValue:
    """Eigenvalues of (A + A.T)/2, rising."""
    _check_uplo("eigvalsh", UPLO)
    return symmetric_pairs(as_matrix("eigvalsh", a))[0]
