"""Quantiles and percentiles, of all elements or of those that are numbers, by every method that NumPy knows.

A method says where a quantile would stand among the n elements in order, counted from 0; between two of them it
interpolates. The formulas are those of Hyndman and Fan, "Sample quantiles in statistical packages", 1996.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, DomainError, ShapeError
from gradcli.graph.values import CoreValue, count_of, dtype_of, ndim_of, shape_of
from gradcli.ops.axes import Axes, axes_of, merged, reduced_shape
from gradcli.ops.axis_order import moveaxis
from gradcli.ops.casts import cast
from gradcli.ops.elementwise import (
    equal,
    isnan,
    logical_not,
    minimum,
    where,
)
from gradcli.ops.function import case
from gradcli.ops.fused import LERP
from gradcli.ops.kinds import broadcast_shape, expanded, fits
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.picking import ARGMAX, PICKED_BACK
from gradcli.ops.quantile_methods import DISCRETE, INT, VIRTUAL, method_named, place_of
from gradcli.ops.reduction import total
from gradcli.ops.registry import function
from gradcli.ops.running import cumsum
from gradcli.ops.searching import sought
from gradcli.ops.shape import reshaped
from gradcli.ops.sorting import order_of

# --- elements at places ----------------------------------------------------------------------------------------------


def _at(row: CoreValue, order: CoreValue, rank: CoreValue) -> CoreValue:
    """Elements of rows by their ranks, which are one or more for each row."""
    ranks = expanded(rank, (*shape_of(row)[:-1], shape_of(rank)[-1]))
    return bind(PICKED_BACK, row, bind(PICKED_BACK, order, ranks, axis=-1), axis=-1)


def _interpolated(row: CoreValue, q: CoreValue, method: str, whole: bool) -> CoreValue:
    """The quantiles q (a vector) of each row, along the last axis; with a nan among all elements, that."""
    order = order_of(row, -1)
    floating = dtype_of(row).kind in "fc"
    holes = isnan(row) if floating else None
    count: Any = shape_of(row)[-1]
    if holes is not None and not whole:
        count = cast(total(logical_not(holes), (-1,), True), dtype_of(q))
    place = place_of(method, count, q)
    low = _at(row, order, place.below)
    found = low if place.weight is None else bind(LERP, low, _at(row, order, place.above), place.weight)
    if holes is None or not whole:
        return found
    first = bind(PICKED_BACK, row, bind(ARGMAX, row, axis=-1), axis=-1)
    return where(isnan(first), expanded(first, shape_of(found)), found)


def _weighted(row: CoreValue, q: CoreValue, weights: CoreValue) -> CoreValue:
    """The quantiles by the inverse of the weighted distribution function."""
    order = order_of(row, -1)
    whole = cumsum.call(bind(PICKED_BACK, weights, order, axis=-1), -1)
    parts = whole / bind(PICKED_BACK, whole, np.full((*shape_of(row)[:-1], 1), shape_of(row)[-1] - 1), axis=-1)
    parts = where(equal(parts, 0), -1.0, parts)
    ranks = sought(parts, expanded(q, (*shape_of(row)[:-1], *shape_of(q))), "left")
    return _at(row, order, cast(minimum(ranks, shape_of(row)[-1] - 1), INT))


def _levels(name: str, x: CoreValue, q: Any, scale: float) -> CoreValue:
    """Quantiles as floats from 0 to 1, a number in the dtype of x.

    Raises:
        DomainError: one is outside.
        ShapeError: they have more than one axis.
    """
    floating = dtype_of(x).kind == "f"
    found = as_core(q) if hasattr(q, "dtype") or isinstance(q, list | tuple) else np.asarray(q, dtype=np.float64)
    if not hasattr(q, "dtype") and not shape_of(found) and floating:
        found = cast(found, dtype_of(x))
    found = to_float(found)
    if ndim_of(found) > 1:
        raise ShapeError(f"{name}: q is a number or a vector, not of shape {fits(shape_of(found))}")
    values = np.asarray(found) if isinstance(found, np.ndarray | np.generic) else np.zeros(0)
    if not np.all((values >= 0) & (values <= scale)):
        raise DomainError(f"{name}: q lies between 0 and {scale:g}", mend=_mend(name))
    return found if scale == 1 else found / scale


def _mend(name: str) -> str:
    return "q=0.25 is the lower quartile" if "quantile" in name else "q=25 is the lower quartile"


def _spread_weights(name: str, x: CoreValue, weights: Any, axes: Axes) -> CoreValue:
    factors, shape = as_core(weights), shape_of(x)
    lengths = tuple(shape[a] for a in axes)
    if shape_of(factors) == lengths:
        factors = reshaped(factors, tuple(n if i - len(shape) in axes else 1 for i, n in enumerate(shape)))
    if broadcast_shape(name, shape_of(factors), shape) != shape:
        raise ShapeError(f"{name}: weights of shape {fits(shape_of(factors))} do not fit shape {fits(shape)}")
    return expanded(to_float(factors), shape)


def _quantiles(
    name: str, x: Any, q: Any, axis: Any, method: Any, keepdims: Any, weights: Any, whole: bool, scale: float = 1.0
) -> CoreValue:
    chosen, found = method_named(name, method), as_core(x)
    found = found if chosen in DISCRETE else to_float(found)
    axes = axes_of(name, axis, found)
    row = merged(found, axes)
    if not shape_of(row)[-1]:
        raise ShapeError(f"{name} of no elements has no value: shape {fits(shape_of(found))}")
    levels = _levels(name, found, q, scale)
    line = reshaped(levels, (count_of(shape_of(levels)),))
    if weights is None:
        quantiles = _interpolated(row, line, chosen, whole)
    elif chosen == "inverted_cdf" and whole:
        quantiles = _weighted(row, line, merged(_spread_weights(name, found, weights, axes), axes))
    else:
        raise ArgumentError(f"{name}: weights= needs method='inverted_cdf'")
    shape = reduced_shape(shape_of(found), axes, bool(keepdims))
    return reshaped(moveaxis(quantiles, -1, 0), (*shape_of(levels), *shape))


# --- functions -------------------------------------------------------------------------------------------------------

_RULE = "vjp: g to the two elements beside the quantile, by their weights"
_BY_Q = "; by q, g*(n - 1) times their difference"
_DEFINED = "at least one element, and q from 0 to 1 (100 per cent)"
_KINKS = "equal elements keep their order; by q, at an element, the slope to its right"
_SOURCE = "Hyndman and Fan, Sample quantiles in statistical packages, 1996"
_Q = np.array([0.1, 0.5, 0.85])
_METHODS = tuple(case((5,), 0.35, method=method) for method in [*VIRTUAL, *DISCRETE])
_HOLES = np.array([[0.5, np.nan, 2.0, -1.0], [np.nan, 1.5, np.nan, 0.25]])
_SHAPES = (
    case((4,), 0.3),
    case((2, 3), 0.5, 1),
    case((2, 4), [0.25, 0.6], axis=0),
    case((2, 3), _Q, -1, keepdims=True),
    case((2, 3, 2), 0.7, [0, 2]),
    case((2, 3), 0.2, keepdims=True),
    case((1,), 0.4),
    case((), 0.4),
)


@function(
    family="reduction",
    where="numpy",
    derivative=_RULE + _BY_Q,
    defined=_DEFINED,
    kinks=_KINKS,
    source=_SOURCE,
    cases=(
        *_SHAPES,
        *_METHODS,
        case((4,), 0.5, method="averaged_inverted_cdf"),
        case((5,), 0.5, method="midpoint"),
        case((4,), 0.4, method="inverted_cdf", weights=np.array([1.0, 2.0, 0.5, 1.0])),
        case((2, 3), 0.4, axis=1, method="inverted_cdf", weights=np.array([0.0, 2.0, 0.5])),
        case(np.array([1.0, 2.0, 2.0, 5.0]), 0.3),
    ),
)
def quantile(
    x: Any, q: Any, axis: Any = None, method: Any = "linear", keepdims: bool = False, weights: Any = None
) -> CoreValue:
    """The elements below which parts q of all lie, over axes; between two, interpolated as the method says."""
    return _quantiles("quantile", x, q, axis, method, keepdims, weights, True)


@function(
    family="reduction",
    where="numpy",
    derivative=_RULE,
    defined=_DEFINED,
    kinks=_KINKS,
    source=_SOURCE,
    cases=(case((4,), 30), case((2, 3), np.array([10.0, 60.0]), 1), case((2, 4), 25.0, axis=0, method="hazen")),
)
def percentile(
    x: Any, q: Any, axis: Any = None, method: Any = "linear", keepdims: bool = False, weights: Any = None
) -> CoreValue:
    """The elements below which q percent of all lie, over axes; between two, interpolated as the method says."""
    return _quantiles("percentile", x, q, axis, method, keepdims, weights, True, 100.0)


@function(
    family="reduction",
    where="numpy",
    derivative=_RULE + _BY_Q,
    defined=_DEFINED,
    kinks=_KINKS,
    source=_SOURCE,
    cases=(
        case((4,), 0.3),
        case(_HOLES, 0.3),
        case(_HOLES, _Q, 1),
        case(_HOLES, 0.6, 1, keepdims=True, method="weibull"),
        case(_HOLES, 0.6, 1, method="lower"),
    ),
)
def nanquantile(
    x: Any, q: Any, axis: Any = None, method: Any = "linear", keepdims: bool = False, weights: Any = None
) -> CoreValue:
    """The quantiles of the elements that are numbers."""
    return _quantiles("nanquantile", x, q, axis, method, keepdims, weights, False)


@function(
    family="reduction",
    where="numpy",
    derivative=_RULE,
    defined=_DEFINED,
    kinks=_KINKS,
    source=_SOURCE,
    cases=(case((4,), 30), case(_HOLES, 30), case(_HOLES, np.array([20.0, 70.0]), 1)),
)
def nanpercentile(
    x: Any, q: Any, axis: Any = None, method: Any = "linear", keepdims: bool = False, weights: Any = None
) -> CoreValue:
    """The percentiles of the elements that are numbers."""
    return _quantiles("nanpercentile", x, q, axis, method, keepdims, weights, False, 100.0)


_TORCH = (
    case((4,), 0.3),
    case((2, 3), 0.5, 1),
    case((2, 3), _Q, dim=0, keepdim=True),
    case((4,), 0.3, interpolation="nearest"),
    case((4,), 0.3, interpolation="midpoint"),
)


def _torch_method(name: str, interpolation: Any) -> str:
    if interpolation not in ("linear", "lower", "higher", "nearest", "midpoint"):
        raise ArgumentError(
            f"{name}() interpolation must be one of linear, lower, higher, midpoint or nearest, but got {interpolation}"
        )
    return str(interpolation)


@function(
    "quantile_torch",
    family="reduction",
    where="",
    also=("torch.quantile", ".quantile"),
    derivative=_RULE + _BY_Q,
    defined=_DEFINED,
    kinks=_KINKS,
    cases=_TORCH,
)
def quantile_torch(
    input: Any, q: Any, dim: Any = None, keepdim: bool = False, *, interpolation: Any = "linear"
) -> CoreValue:
    """The elements below which parts q of all lie, along an axis."""
    return _quantiles("quantile", input, q, dim, _torch_method("quantile", interpolation), keepdim, None, True)


@function(
    "nanquantile_torch",
    family="reduction",
    where="",
    also=("torch.nanquantile", ".nanquantile"),
    derivative=_RULE + _BY_Q,
    defined=_DEFINED,
    kinks=_KINKS,
    cases=(*_TORCH, case(_HOLES, 0.3, 1)),
)
def nanquantile_torch(
    input: Any, q: Any, dim: Any = None, keepdim: bool = False, *, interpolation: Any = "linear"
) -> CoreValue:
    """The quantiles of the elements that are numbers, along an axis."""
    return _quantiles("nanquantile", input, q, dim, _torch_method("nanquantile", interpolation), keepdim, None, False)
