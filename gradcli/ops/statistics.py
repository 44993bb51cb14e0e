"""Weighted means, covariances and correlations."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, DomainError, DtypeError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, dtype_of, ndim_of, shape_of
from gradcli.ops.arguments import integer
from gradcli.ops.axes import Axes, axes_of, reduced_count, reduced_shape, restored
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
from gradcli.ops.function import case
from gradcli.ops.kinds import added, conj, expanded, fits, general
from gradcli.ops.norm import vector_norm
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.pieces import concatenated
from gradcli.ops.products import times
from gradcli.ops.reduction import COMPLEX, average, real_dtype, total, typed
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped

# --- weighted means --------------------------------------------------------------------------------------------------


def _weighted_mean(x: Any, w: Any, *, axis: Axes, keepdims: bool) -> Any:
    whole = np.sum(w, axis=axis, keepdims=keepdims)
    if np.any(whole == 0):
        raise DomainError("average: the weights sum to zero, so there is no mean")
    return np.sum(x * w, axis=axis, keepdims=keepdims) / whole


def _parts(w: CoreValue, axis: Axes) -> CoreValue:
    return w / total(w, axis, True)


def _excess(x: CoreValue, w: CoreValue, axis: Axes) -> CoreValue:
    """(x - mean)/sum(w): the derivative by a weight. The mean is taken off twice, and with it its own rounding."""
    parts = _parts(w, axis)
    for _ in range(2):
        x = x - total(x * parts, axis, True)
    return x / total(w, axis, True)


def _weighted_jvp(ts: Any, y: CoreValue, x: CoreValue, w: CoreValue, *, axis: Axes, keepdims: bool) -> CoreValue:
    by_x = None if ts[0] is None else ts[0] * _parts(w, axis)
    by_w = None if ts[1] is None else ts[1] * _excess(x, w, axis)
    return total(added(by_x, by_w), axis, keepdims)


def _weighted_batch(xs: Any, batched: Any, params: dict[str, Any], size: int) -> CoreValue:
    spread = [x if flag else expanded(x, (size, *shape_of(x))) for x, flag in zip(xs, batched, strict=True)]
    return bind(WEIGHTED_MEAN, *spread, **params)


WEIGHTED_MEAN: Op = general(
    "weighted_mean",
    _weighted_mean,
    lambda x, w, *, axis, keepdims: Spec(
        reduced_shape(shape_of(x), axis, keepdims), np.result_type(dtype_of(x), dtype_of(w))
    ),
    vjps=(
        lambda g, y, x, w, *, axis, keepdims: restored(g, x, axis, keepdims) * conj(_parts(w, axis)),
        lambda g, y, x, w, *, axis, keepdims: restored(g, x, axis, keepdims) * conj(_excess(x, w, axis)),
    ),
    jvp=_weighted_jvp,
    meaning=lambda S, x, w, *, axis, keepdims: (
        np.asarray(np.sum(x * w, axis=axis, keepdims=keepdims), dtype=object)
        / np.asarray(np.sum(w, axis=axis, keepdims=keepdims), dtype=object)
    ),
    batch=_weighted_batch,
    doc="sum(w*x)/sum(w) over axes.",
)


def _weights_for(x: CoreValue, weights: Any, axes: Axes) -> CoreValue:
    """Weights in the shape of x.

    Raises:
        ShapeError: they have neither the shape of x nor that of the axes.
    """
    factors, shape = to_float(as_core(weights)), shape_of(x)
    if shape_of(factors) == shape:
        return factors
    lengths = tuple(shape[a] for a in axes)
    if shape_of(factors) != lengths:
        raise ShapeError(
            f"average cannot weigh shape {fits(shape)} with {fits(shape_of(factors))}",
            mend=f"the axes have shape {fits(lengths)}",
        )
    return expanded(reshaped(factors, tuple(n if i - len(shape) in axes else 1 for i, n in enumerate(shape))), shape)


_W = np.array([1.0, 2.0, 0.5])
_GRID = np.array([[1.0, 2.0, 0.5], [0.25, 3.0, 1.0]])


@function(
    "average",
    family="reduction",
    where="numpy",
    op=WEIGHTED_MEAN,
    derivative="vjp: g*w/sum(w) along axis; by w, g*(x - average(x))/sum(w)",
    defined="the weights do not sum to 0",
    cases=(
        case((2, 3)),
        case((2, 3), 0),
        case((3,), weights=_W),
        case((2, 3), 1, _W),
        case((2, 3), None, _GRID),
        case((2, 3), 1, _GRID, returned=True),
        case((2, 3), -1, keepdims=True),
        case((2, 3), 0, returned=True),
        case((2, 3, 2), [0, 1], _GRID),
        case(COMPLEX, 1, _W),
        case(np.array([1e9, 1e9 + 1, 1e9 + 3]), weights=_W),
    ),
)
def weighted_average(
    x: Any, axis: Any = None, weights: Any = None, returned: bool = False, keepdims: bool = False
) -> Any:
    """Mean of the elements over axes, weighted where weights are given (of x's shape, or of the axes'); with returned,
    the pair (mean, sum of the weights)."""
    found = to_float(as_core(x))
    axes = axes_of("average", axis, found)
    if weights is None:
        mean, whole = average(found, axes, bool(keepdims)), float(reduced_count(shape_of(found), axes))
    else:
        factors = _weights_for(found, weights, axes)
        mean = bind(WEIGHTED_MEAN, found, factors, axis=axes, keepdims=bool(keepdims))
        whole = total(factors, axes, bool(keepdims))
    if not returned:
        return mean
    return mean, expanded(whole, shape_of(mean)) if hasattr(whole, "dtype") else np.full(
        shape_of(mean), whole, dtype_of(mean)
    )


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
        mean = average(x, (-1,), True) if w is None else total(x * _parts(w, (-1,)), (-1,), True)
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
    x = _observed("cov", m, y, rowvar, dtype)
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
    x = _rows("cov", as_core(input), True)
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
