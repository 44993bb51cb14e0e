"""Eigenvalues and eigenvectors as SciPy has them: of pairs of matrices too."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError
from gradcli.graph.values import CoreValue, shape_of
from gradcli.ops.arguments import integers
from gradcli.ops.cholesky import CHOLESKY
from gradcli.ops.eigen import EIGH, symmetric_pairs
from gradcli.ops.eigen_general import pairs
from gradcli.ops.elementwise import real
from gradcli.ops.function import case
from gradcli.ops.indexing import getitem
from gradcli.ops.linalg import SOLVE
from gradcli.ops.matrices import adjoint, as_matrix, complex_positive_sample, positive_sample, sample
from gradcli.ops.products import times
from gradcli.ops.registry import function
from gradcli.ops.triangular import solved_lower, solved_upper

_EQUAL = "equal eigenvalues: of a symmetric function of them the derivative is right; of the vectors it is nan"
_RULE = "vjp: V @ (diag(gw) + F * (V.T @ gV)) @ V.T, F[i, j] = 1/(w[j] - w[i]); b by its Cholesky factor"


def _symmetric_pairs(name: str, a: Any, b: Any, type: Any, subset: Any) -> tuple[CoreValue, CoreValue]:
    """Eigenvalues and vectors of a symmetric matrix, or of two, as LAPACK numbers their kinds."""
    matrix = as_matrix(name, a)
    if type not in (1, 2, 3):
        raise ArgumentError(f"{name}: type is 1, 2 or 3, not {type!r}")
    if b is None:
        values, vectors = symmetric_pairs(matrix, scipys=True)
    else:
        factor = bind(CHOLESKY, as_matrix(name, b))
        upper = adjoint(factor)
        if type == 1:
            reduced = adjoint(solved_lower(factor, adjoint(solved_lower(factor, matrix))))
        else:
            reduced = times(times(upper, matrix), factor)
        values, inner = symmetric_pairs(reduced)
        vectors = times(factor, inner) if type == 3 else solved_upper(upper, inner)
    if subset is not None:
        low, high = _ends(name, subset, shape_of(matrix)[-1])
        values = getitem(values, (..., slice(low, high + 1)))
        vectors = getitem(vectors, (..., slice(low, high + 1)))
    return values, vectors


def _ends(name: str, subset: Any, count: int) -> tuple[int, int]:
    found = integers(subset, f"{name}: an end of the subset")
    if len(found) != 2 or not 0 <= found[0] <= found[1] < count:
        raise ArgumentError(f"{name}: subset_by_index is a first and a last number, from 0 to {count - 1}")
    return found[0], found[1]


def _check_values(name: str, subset_by_value: Any) -> None:
    if subset_by_value is not None:
        raise ArgumentError(f"{name}: a subset by values is not known here", mend="choose by subset_by_index")


@function(
    "eigh_scipy",
    family="linalg",
    where="",
    also=("scipy.linalg.eigh",),
    op=EIGH,
    derivative=_RULE,
    kinks=_EQUAL,
    cases=(
        case(positive_sample(3)),
        case(positive_sample(3), eigvals_only=True),
        case(positive_sample(3), subset_by_index=[0, 1]),
        case(sample(2) + sample(2).T, positive_sample(2)),
        case(sample(2) + sample(2).T, positive_sample(2), type=2),
        case(positive_sample(2), positive_sample(2, seed=1), type=3),
        case(complex_positive_sample(2)),
    ),
)
def eigh_scipy(
    a: Any,
    b: Any = None,
    lower: bool = True,
    eigvals_only: bool = False,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    type: Any = 1,
    check_finite: bool = True,
    subset_by_index: Any = None,
    subset_by_value: Any = None,
    driver: Any = None,
) -> Any:
    """(eigenvalues, eigenvectors) of (A + A.T)/2; with b, of A v = w B v, or of A B (type 2) or B A (type 3)."""
    _check_values("eigh", subset_by_value)
    values, vectors = _symmetric_pairs("eigh", a, b, type, subset_by_index)
    return values if eigvals_only else (values, vectors)


@function(
    "eigvalsh_scipy",
    family="linalg",
    where="",
    also=("scipy.linalg.eigvalsh",),
    op=EIGH,
    derivative="vjp: V @ diag(g) @ V.T",
    kinks=_EQUAL,
    cases=(case(positive_sample(3)), case(sample(2) + sample(2).T, positive_sample(2))),
)
def eigvalsh_scipy(
    a: Any,
    b: Any = None,
    lower: bool = True,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    type: Any = 1,
    check_finite: bool = True,
    subset_by_index: Any = None,
    subset_by_value: Any = None,
    driver: Any = None,
) -> CoreValue:
    """Eigenvalues of (A + A.T)/2, rising; of A v = w B v where b is given."""
    _check_values("eigvalsh", subset_by_value)
    return _symmetric_pairs("eigvalsh", a, b, type, subset_by_index)[0]


def _pairs_of_two(name: str, a: Any, b: Any) -> tuple[CoreValue, CoreValue, bool]:
    matrix = as_matrix(name, a)
    if b is not None:
        matrix = bind(SOLVE, as_matrix(name, b), matrix)
    return pairs(name, matrix)


_PLANE = np.array([[1.0, -2.0], [1.5, 0.5]])


@function(
    "eig_scipy",
    family="linalg",
    where="",
    also=("scipy.linalg.eig",),
    derivative="vjp: that of numpy.linalg.eig",
    defined="the eigenvalues differ",
    kinks="equal eigenvalues: nan",
    cases=(case(sample(3)), case(_PLANE), case(_PLANE, sample(2), right=False)),
)
def eig_scipy(
    a: Any,
    b: Any = None,
    left: bool = False,
    right: bool = True,
    overwrite_a: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
    homogeneous_eigvals: bool = False,
) -> Any:
    """(eigenvalues, always complex, and eigenvectors) of a square matrix, or of A v = w B v."""
    if left or homogeneous_eigvals:
        raise ArgumentError(
            "eig: left eigenvectors and homogeneous eigenvalues are not known here", mend="eig(A.conj().T)"
        )
    values, vectors, is_real = _pairs_of_two("eig", a, b)
    if not right:
        return values
    return values, real(vectors) if is_real else vectors


@function(
    "eigvals_scipy",
    family="linalg",
    where="",
    also=("scipy.linalg.eigvals",),
    derivative="vjp: inv(V).H @ diag(g) @ V.H",
    defined="the eigenvectors are linearly independent",
    cases=(case(sample(3)), case(_PLANE, sample(2))),
)
def eigvals_scipy(
    a: Any,
    b: Any = None,
    overwrite_a: bool = False,
    check_finite: bool = True,
    homogeneous_eigvals: bool = False,
) -> CoreValue:
    """Eigenvalues of a square matrix, always complex; of A v = w B v where b is given."""
    if homogeneous_eigvals:
        raise ArgumentError("eigvals: homogeneous eigenvalues are not known here")
    return _pairs_of_two("eigvals", a, b)[0]
