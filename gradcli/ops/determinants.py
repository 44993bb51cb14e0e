"""Determinants and their logarithms."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.values import CoreValue, Spec, dtype_of, shape_of
from gradcli.ops.cofactors import DET
from gradcli.ops.dependence import coupled
from gradcli.ops.elementwise import imag, less, log, real, where
from gradcli.ops.exact import determinant, each, matrices
from gradcli.ops.function import case
from gradcli.ops.kinds import conj, general
from gradcli.ops.linalg import INV
from gradcli.ops.matrices import (
    adjoint,
    as_matrix,
    as_scalar,
    check_square,
    complex_sample,
    positive_sample,
    sample,
    transposed,
)
from gradcli.ops.reduction import real_dtype, total
from gradcli.ops.registry import function
from gradcli.ops.results import named


def _trace_of(x: CoreValue, y: CoreValue) -> CoreValue:
    """tr(x y) per matrix, without making the product."""
    return total(x * transposed(y), (-2, -1))


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
        case(complex_sample(3, 3)),
    ),
)
def det(a: Any, overwrite_a: bool = False, check_finite: bool = True) -> CoreValue:
    """Determinant of a square matrix, or of each in a stack."""
    return bind(DET, as_matrix("det", a))


#: Python's own 1j would make a Python number of a NumPy one.
_I = np.complex64(1j)


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
        turn = -_I * imag(conj(g[0]) * y[0])
        share = turn if share is None else share + turn
    return None if share is None else as_scalar(share) * adjoint(bind(INV, a))


def _slogdet_jvp(ts: Any, y: Any, a: CoreValue) -> Any:
    moved = _trace_of(bind(INV, a), ts[0])
    if dtype_of(a).kind == "c":
        return _I * y[0] * imag(moved), real(moved)
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
    depends=coupled(2),
    doc="Sign and logarithm of the absolute value of the determinant.",
)

SLOGDET_RESULTS = named("linalg_slogdet", "sign", "logabsdet")
_LOGDETS = (case(sample(3)), case(-sample(3)), case(sample(2, 4)), case(np.zeros((0, 0))), case(complex_sample(2, 2)))


@function(
    family="linalg",
    where="",
    also=("numpy.linalg.slogdet", "torch.linalg.slogdet", "torch.slogdet", ".slogdet"),
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
    cases=(case(positive_sample(3)), case(positive_sample(2, 4)), case(complex_sample(2, 2))),
)
def logdet(a: Any) -> CoreValue:
    """Logarithm of the determinant; nan where it is negative."""
    matrix = as_matrix("logdet", a)
    if dtype_of(matrix).kind == "c":
        sign, size = bind(SLOGDET, matrix)
        return log(sign) + size
    sign, size = bind(SLOGDET, matrix)
    return where(less(sign, 0), float("nan"), size)
