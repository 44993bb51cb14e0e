"""Covariances and correlations."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.errors import ArgumentError, DtypeError, ShapeError
from gradcli.graph.values import CoreValue, dtype_of, ndim_of, shape_of
from gradcli.ops.arguments import integer
from gradcli.ops.averages import parts_of
from gradcli.ops.axis_order import reversed_axes
from gradcli.ops.casts import cast
from gradcli.ops.elementwise import (
    clip,
    divide,
    equal,
    imag,
    isfinite,
    less,
    logical_and,
    multiply,
    real,
    subtract,
    where,
)
from gradcli.ops.fixed import held
from gradcli.ops.function import case
from gradcli.ops.kinds import conj, fits
from gradcli.ops.norm import vector_norm
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.pieces import concatenated
from gradcli.ops.products import times
from gradcli.ops.reduction import COMPLEX, average, real_dtype, total, typed
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped

_W = np.array([1.0, 2.0, 0.5])

# --- covariance ------------------------------------------------------------------------------------------------------


def _rows(name: str, x: CoreValue, rowvar: Any) -> CoreValue:
    """Observations as a matrix with a row for each variable.

    Raises:
        ShapeError: it has more than two axes.
    """
    if ndim_of(x) > 2:
        raise ShapeError(f"{name} takes a vector or a matrix, not shape {fits(shape_of(x))}")
    if ndim_of(x) == 2:
        return x if rowvar else reversed_axes(x)
    return reshaped(x, (1, shape_of(x)[0] if shape_of(x) else 1))


def _frequency(name: str, weights: Any, count: int, whole: bool) -> CoreValue | None:
    """Weights of observations, one for each.

    Raises:
        ShapeError, DtypeError, DomainError: they are not one each; frequencies are no integers.
    """
    if weights is None:
        return None
    found = as_core(weights)
    if shape_of(found) != (count,):
        raise ShapeError(f"{name}: weights of shape {fits(shape_of(found))} for {count} observations")
    if whole and dtype_of(found).kind not in "iub":
        raise DtypeError(f"{name}: fweights are integers, not {dtype_of(found)}")
    return cast(found, real_dtype(dtype_of(found)))


def _centred(x: CoreValue, w: CoreValue | None) -> CoreValue:
    """Rows less their (weighted) means, and the rounding of those."""
    for _ in range(2):
        mean = average(x, (-1,), True) if w is None else total(x * parts_of(w, (-1,)), (-1,), True)
        x = x - mean
    return x


def _covariance(name: str, x: CoreValue, ddof: float, fweights: Any, aweights: Any) -> CoreValue:
    """The covariance matrix of rows, divided as NumPy's documentation of `cov` says."""
    x, count = to_float(x), shape_of(x)[-1]
    f, a = _frequency(name, fweights, count, True), _frequency(name, aweights, count, False)
    w = f if a is None else a if f is None else multiply(f, a)
    d = _centred(x, None if w is None else to_float(w))
    if w is None:
        return divide(times(d, conj(reversed_axes(d))), max(count - ddof, 0))
    whole = total(w, (-1,))
    taken = ddof if a is None or ddof == 0 else divide(ddof * total(multiply(w, a), (-1,)), whole)
    freedom = subtract(whole, taken)
    return divide(times(d * w, conj(reversed_axes(d))), where(less(freedom, 0), 0.0, freedom))


def _squeezed(matrix: CoreValue) -> CoreValue:
    return reshaped(matrix, ()) if shape_of(matrix) == (1, 1) else matrix


def _freedom(name: str, bias: Any, ddof: Any) -> float:
    if ddof is None:
        return 0 if bias else 1
    if isinstance(ddof, float) and not ddof.is_integer():
        raise ArgumentError(f"{name}: ddof must be an integer")
    return integer(ddof, f"{name}: ddof")


def _observed(name: str, m: Any, y: Any, rowvar: Any, dtype: Any) -> CoreValue:
    first = _rows(name, typed(m, dtype), rowvar)
    if y is None:
        return first
    second = _rows(name, typed(y, dtype), rowvar)
    if shape_of(first)[1] != shape_of(second)[1]:
        raise ShapeError(
            f"{name} cannot pair {shape_of(first)[1]} observations with {shape_of(second)[1]}",
            mend="both need the same number",
        )
    return concatenated([first, second], 0)


_COUNTS = np.array([1, 2, 3])
_COV_RULE = "vjp: (g + g.T) @ (m - mean(m))/(n - ddof)"
_COV_CASES = (
    case((2, 3)),
    case((4,)),
    case((2, 3), (3,)),
    case((3, 2), rowvar=False),
    case((2, 3), bias=True),
    case((2, 3), ddof=0, aweights=_W),
    case((2, 3), fweights=_COUNTS),
    case((2, 3), fweights=_COUNTS, aweights=_W),
    case(COMPLEX),
)


@function(
    family="reduction",
    where="numpy",
    derivative=_COV_RULE,
    defined="more observations than ddof",
    cases=_COV_CASES,
)
def cov(
    m: Any,
    y: Any = None,
    rowvar: Any = True,
    bias: Any = False,
    ddof: Any = None,
    fweights: Any = None,
    aweights: Any = None,
    dtype: Any = None,
) -> CoreValue:
    """The covariance matrix of variables, which are rows (columns if rowvar is False) of observations."""
    x = held(_observed("cov", m, y, rowvar, dtype), ddof, "cov", "ddof")
    return _squeezed(_covariance("cov", x, _freedom("cov", bias, ddof), fweights, aweights))


@function(
    "cov_torch",
    family="reduction",
    where="",
    also=("torch.cov", ".cov"),
    derivative=_COV_RULE,
    defined="more observations than the correction",
    cases=(case((2, 3)), case((3,)), case((2, 3), correction=0, aweights=_W), case((2, 3), fweights=_COUNTS)),
)
def cov_torch(input: Any, *, correction: Any = 1, fweights: Any = None, aweights: Any = None) -> CoreValue:
    """The covariance matrix of variables, which are rows of observations."""
    x = held(_rows("cov", as_core(input), True), correction, "cov", "correction")
    return _squeezed(_covariance("cov", x, integer(correction, "cov: correction"), fweights, aweights))


# --- correlation -----------------------------------------------------------------------------------------------------


def _correlation(x: CoreValue) -> CoreValue:
    """The covariances over both deviations; exactly 1 on the diagonal, where it has no derivative."""
    d = _centred(to_float(x), None)
    unit = d / vector_norm.call(d, 2, -1, True)
    found = times(unit, conj(reversed_axes(unit)))
    diagonal = equal(np.arange(shape_of(x)[0])[:, None], np.arange(shape_of(x)[0]))
    found = where(logical_and(diagonal, isfinite(found)), 1.0, found)
    if dtype_of(found).kind != "c":
        return clip(found, -1.0, 1.0)
    return clip(real(found), -1.0, 1.0) + 1j * clip(imag(found), -1.0, 1.0)


_CORRELATIONS = (case((2, 4)), case((4,)), case((2, 4), (4,)), case((4, 2), rowvar=False), case(COMPLEX))
_CORR_RULE = "vjp: that of d @ d.T with d = m - mean(m), scaled to length 1"


@function(
    family="reduction",
    where="numpy",
    derivative=_CORR_RULE,
    defined="no variable is constant",
    kinks="the diagonal is 1, of derivative 0",
    cases=_CORRELATIONS,
)
def corrcoef(x: Any, y: Any = None, rowvar: Any = True, dtype: Any = None) -> CoreValue:
    """The correlation matrix of variables, which are rows (columns if rowvar is False) of observations."""
    return _squeezed(_correlation(_observed("corrcoef", x, y, rowvar, dtype)))


@function(
    "corrcoef_torch",
    family="reduction",
    where="",
    also=("torch.corrcoef", ".corrcoef"),
    derivative=_CORR_RULE,
    defined="no variable is constant",
    kinks="the diagonal is 1, of derivative 0",
    cases=(case((2, 4)), case((3,))),
)
def corrcoef_torch(input: Any) -> CoreValue:
    """The correlation matrix of variables, which are rows of observations."""
    return _squeezed(_correlation(_rows("corrcoef", as_core(input), True)))
