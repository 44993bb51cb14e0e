"""Cholesky factors of positive definite matrices, and linear equations solved with them.

The rule after Murray, "Differentiation of the Cholesky decomposition" (2016).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, DomainError, ShapeError
from gradcli.graph.values import CoreValue, Spec, dtype_of, ndim_of, shape_of
from gradcli.ops.dependence import coupled
from gradcli.ops.elementwise import equal, where
from gradcli.ops.exact import adjoint_of, filled, matrices
from gradcli.ops.function import case
from gradcli.ops.kinds import constant, fits, general
from gradcli.ops.matrices import (
    adjoint,
    as_matrix,
    as_scalar,
    complex_positive_sample,
    each_matrix,
    hermitian,
    hermitian_value,
    lower_part,
    positive_sample,
    sample,
    square_spec,
    upper_part,
)
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.products import check_same_dtype, times
from gradcli.ops.registry import function
from gradcli.ops.results import named
from gradcli.ops.triangular import as_given, columns_of, solved_lower, solved_upper


def _cholesky(a: Any) -> Any:
    try:
        return np.linalg.cholesky(hermitian_value(a))
    except np.linalg.LinAlgError:
        raise DomainError(
            "cholesky: the matrix is not positive definite",
            mend="all eigenvalues of (A + A.T)/2 must be positive; adding a little to the diagonal may help",
        ) from None


def _cholesky_vjp(g: CoreValue, y: CoreValue, a: CoreValue) -> CoreValue:
    upper = adjoint(y)
    left = solved_upper(upper, lower_part(times(upper, g), 0.5))
    return hermitian(adjoint(solved_upper(upper, adjoint(left))))


def _cholesky_jvp(ts: Sequence[CoreValue | None], y: CoreValue, a: CoreValue) -> CoreValue:
    middle = solved_lower(y, adjoint(solved_lower(y, hermitian(ts[0]))))
    return times(y, lower_part(middle, 0.5))


def _exact_cholesky(S: Any, a: Any) -> Any:
    def one(m: Any) -> Any:
        n = m.shape[0]
        even = (m + adjoint_of(m)) / 2
        made = filled((n, n), [S.number(0)] * (n * n))
        for j in range(n):
            row = made[j, :j]
            squares = sum((S.re(x * x.conjugate()) for x in row), S.number(0))
            made[j, j] = S.sqrt(S.re(even[j, j]) - squares)
            for i in range(j + 1, n):
                shared = sum((made[i, k] * row[k].conjugate() for k in range(j)), S.number(0))
                made[i, j] = (even[i, j] - shared) / made[j, j]
        return made

    return matrices(one, a)


CHOLESKY = general(
    "cholesky",
    _cholesky,
    square_spec("cholesky"),
    vjps=(_cholesky_vjp,),
    jvp=_cholesky_jvp,
    meaning=_exact_cholesky,
    torch="LinalgCholeskyEx",
    saves=("y",),
    depends=coupled(2),
    doc="Lower triangular L with L @ L.T = (A + A.T)/2.",
)

_FACTORS = (
    case(positive_sample(3)),
    case(positive_sample(2, 4)),
    case(positive_sample(1)),
    case(complex_positive_sample(2)),
    case(np.zeros((0, 0))),
)
_UPPER = case(positive_sample(3), upper=True)
_RULE = "vjp: sym(inv(L).T @ low(L.T @ g) @ inv(L)), low = lower triangle, diagonal halved"
_SOURCE = "Murray (2016), Differentiation of the Cholesky decomposition"
_DEFINED = "(A + A.T)/2 is positive definite"


@function(
    family="linalg",
    where="",
    also=("numpy.linalg.cholesky", "torch.linalg.cholesky", "torch.cholesky", ".cholesky"),
    op=CHOLESKY,
    derivative=_RULE,
    defined=_DEFINED,
    source=_SOURCE,
    cases=(*_FACTORS, _UPPER),
)
def cholesky(a: Any, upper: bool = False) -> CoreValue:
    """Lower triangular L with L @ L.T = (A + A.T)/2; with upper, L.T."""
    found = bind(CHOLESKY, as_matrix("cholesky", a))
    return adjoint(found) if upper else found


@function(
    "cholesky_scipy",
    family="linalg",
    where="",
    also=("scipy.linalg.cholesky",),
    op=CHOLESKY,
    derivative=_RULE,
    defined=_DEFINED,
    source=_SOURCE,
    cases=(case(positive_sample(3)), case(positive_sample(3), lower=True), case(complex_positive_sample(2))),
)
def cholesky_scipy(a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> CoreValue:
    """Upper triangular U with U.T @ U = (A + A.T)/2, as SciPy has it; with lower, U.T."""
    found = bind(CHOLESKY, as_matrix("cholesky", a))
    return found if lower else adjoint(found)


# --- factors of what may have none -----------------------------------------------------------------------------------


def _failed_minor(a: Any) -> Any:
    from scipy.linalg import get_lapack_funcs

    (potrf,) = get_lapack_funcs(("potrf",), (a,))
    return np.asarray(potrf(a, lower=True)[1] if a.size else 0, dtype=np.int32)


INFO = constant(
    "cholesky_info",
    lambda a: each_matrix(_failed_minor, hermitian_value(a)),
    lambda a: Spec(shape_of(a)[:-2], np.dtype(np.int32)),
    doc="The order of the first leading minor that is not positive definite; 0 if there is none.",
)
EX_RESULTS = named("linalg_cholesky_ex", "L", "info")


@function(
    family="linalg",
    where="",
    also=("torch.linalg.cholesky_ex",),
    op=CHOLESKY,
    derivative=_RULE,
    defined=_DEFINED,
    source=_SOURCE,
    cases=(case(positive_sample(2, 3)), case(np.stack([np.eye(2), -np.eye(2)]))),
)
def cholesky_ex(A: Any, *, upper: bool = False, check_errors: bool = False) -> Any:
    """(L, info): the factor, nan where there is none, and the order of the first minor that is not positive."""
    matrix = as_matrix("cholesky_ex", A)
    info = bind(INFO, matrix)
    if check_errors:
        return EX_RESULTS((cholesky.call(matrix, upper), info))
    works = as_scalar(equal(info, 0))
    eye = np.eye(shape_of(matrix)[-1], dtype=dtype_of(matrix))
    found = where(works, bind(CHOLESKY, where(works, matrix, eye)), float("nan"))
    return EX_RESULTS((adjoint(found) if upper else found, info))


# --- linear equations ------------------------------------------------------------------------------------------------


@function(
    family="linalg",
    where="",
    also=("scipy.linalg.cho_factor",),
    derivative=_RULE,
    defined=_DEFINED,
    source=_SOURCE,
    cases=(case(positive_sample(3)), case(positive_sample(2), lower=True), case(complex_positive_sample(2))),
)
def cho_factor(a: Any, lower: bool = False, overwrite_a: bool = False, check_finite: bool = True) -> Any:
    """(C, lower), as cho_solve takes them: one triangle of C is the Cholesky factor, the other is A's own."""
    matrix = as_matrix("cho_factor", a)
    found = bind(CHOLESKY, matrix)
    if lower:
        return found + upper_part(matrix, 0.0), True
    return adjoint(found) + lower_part(matrix, 0.0), False


def _solved(name: str, factor: Any, b: Any, lower: bool) -> CoreValue:
    """X with A X = B, of A's Cholesky factor in one triangle of `factor`."""
    matrix = as_matrix(name, factor)
    right, vector = columns_of(b)
    if shape_of(right)[-2:-1] != shape_of(matrix)[-1:]:
        raise ShapeError(
            f"{name} cannot join shapes {fits(shape_of(matrix))} and {fits(shape_of(b))}",
            mend=f"the matrix has {shape_of(matrix)[-1]} rows",
        )
    if lower:
        return as_given(solved_upper(adjoint(matrix), solved_lower(matrix, right)), vector)
    return as_given(solved_upper(matrix, solved_lower(adjoint(matrix), right)), vector)


_TWICE = "vjp: that of the two triangular equations"


@function(
    family="linalg",
    where="",
    also=("scipy.linalg.cho_solve",),
    derivative=_TWICE,
    cases=(
        case((sample(3), True), (3,)),
        case((sample(3), False), (3, 2)),
        case((complex_positive_sample(2), True), (2,)),
    ),
)
def cho_solve(c_and_lower: Any, b: Any, overwrite_b: bool = False, check_finite: bool = True) -> CoreValue:
    """x with A @ x = b, of what cho_factor gave."""
    if not isinstance(c_and_lower, list | tuple) or len(c_and_lower) != 2:
        raise ArgumentError("cho_solve takes the pair that cho_factor gives", mend="cho_solve(cho_factor(A), b)")
    factor, lower = c_and_lower
    return _solved("cho_solve", factor, to_float(as_core(b)), bool(lower))


@function(
    family="linalg",
    where="torch method",
    derivative=_TWICE,
    cases=(case((3, 2), sample(3)), case((3, 1), sample(3), upper=True), case((2, 3, 1), sample(3))),
)
def cholesky_solve(B: Any, L: Any, upper: bool = False) -> CoreValue:
    """X with A @ X = B, of A's Cholesky factor."""
    right = to_float(as_core(B))
    check_same_dtype(right, as_core(L))
    if ndim_of(right) < 2:
        raise ShapeError(f"cholesky_solve needs a matrix on the right side, not shape {fits(shape_of(right))}")
    return _solved("cholesky_solve", L, right, not upper)


@function(
    family="linalg",
    where="torch method",
    derivative=_TWICE,
    cases=(case(sample(3)), case(sample(2, 4)), case(sample(3), upper=True)),
)
def cholesky_inverse(L: Any, upper: bool = False) -> CoreValue:
    """The inverse of A, of its Cholesky factor."""
    factor = as_matrix("cholesky_inverse", L)
    eye = np.eye(shape_of(factor)[-1], dtype=dtype_of(factor))
    return _solved("cholesky_inverse", factor, eye, not upper)
