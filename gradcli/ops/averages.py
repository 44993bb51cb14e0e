"""Weighted means."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import DomainError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, dtype_of, shape_of
from gradcli.ops.axes import Axes, axes_of, reduced_count, reduced_shape, restored
from gradcli.ops.dependence import along_axes
from gradcli.ops.function import case
from gradcli.ops.kinds import added, conj, expanded, fits, general
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.reduction import COMPLEX, average, total
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped

# --- weighted means --------------------------------------------------------------------------------------------------


def _weighted_mean(x: Any, w: Any, *, axis: Axes, keepdims: bool) -> Any:
    whole = np.sum(w, axis=axis, keepdims=keepdims)
    if np.any(whole == 0):
        raise DomainError("average: the weights sum to zero, so there is no mean")
    return np.sum(x * w, axis=axis, keepdims=keepdims) / whole


def parts_of(w: CoreValue, axis: Axes) -> CoreValue:
    """Weights as parts of their sum."""
    return w / total(w, axis, True)


def _excess(x: CoreValue, w: CoreValue, axis: Axes) -> CoreValue:
    """(x - mean)/sum(w): the derivative by a weight. The mean is taken off twice, and with it its own rounding."""
    parts = parts_of(w, axis)
    for _ in range(2):
        x = x - total(x * parts, axis, True)
    return x / total(w, axis, True)


def _weighted_jvp(ts: Any, y: CoreValue, x: CoreValue, w: CoreValue, *, axis: Axes, keepdims: bool) -> CoreValue:
    by_x = None if ts[0] is None else ts[0] * parts_of(w, axis)
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
        lambda g, y, x, w, *, axis, keepdims: restored(g, x, axis, keepdims) * conj(parts_of(w, axis)),
        lambda g, y, x, w, *, axis, keepdims: restored(g, x, axis, keepdims) * conj(_excess(x, w, axis)),
    ),
    jvp=_weighted_jvp,
    meaning=lambda S, x, w, *, axis, keepdims: (
        np.asarray(np.sum(x * w, axis=axis, keepdims=keepdims), dtype=object)
        / np.asarray(np.sum(w, axis=axis, keepdims=keepdims), dtype=object)
    ),
    batch=_weighted_batch,
    depends=along_axes(),
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
