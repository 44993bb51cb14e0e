"""Counts of elements by value: bincount and histograms. By weights they are differentiable."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.budget import budget
from gradcli.graph.errors import ArgumentError, DtypeError, ShapeError
from gradcli.graph.state import state
from gradcli.graph.values import CoreValue, count_of, dtype_of, ndim_of, shape_of
from gradcli.ops.arguments import integer, settled
from gradcli.ops.casts import cast
from gradcli.ops.differences import steps
from gradcli.ops.elementwise import divide, multiply
from gradcli.ops.extremes import AMAX, AMIN
from gradcli.ops.function import case
from gradcli.ops.indexing import getitem
from gradcli.ops.kinds import fits
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.picking import PUT
from gradcli.ops.ranges import linspace
from gradcli.ops.reduction import total
from gradcli.ops.registry import function
from gradcli.ops.results import named
from gradcli.ops.shape import reshaped


def added_up(weights: CoreValue, places: Any, length: int) -> CoreValue:
    """For each of `length` places, the sum of the weights that fall there."""
    budget.charge(8 * length, "bincount")
    return bind(PUT, weights, places, axis=-1, length=length)


@function(
    family="reduction",
    where="numpy torch method",
    derivative="vjp: by the weights, g at the elements' places",
    cases=(
        case(np.array([0, 2, 2, 1])),
        case(np.array([0, 2, 2, 1]), (4,)),
        case(np.array([1, 3]), weights=np.array([0.5, -1.0]), minlength=6),
        case(np.array([2, 0]), minlength=1),
    ),
)
def bincount(x: Any, weights: Any = None, minlength: Any = 0) -> CoreValue:
    """How often each number from 0 on is among the elements, or the sum of the weights of those that are it."""
    values = np.asarray(settled(as_core(x)))
    if values.ndim != 1:
        raise ShapeError(f"bincount takes one axis, not shape {fits(values.shape)}")
    if values.dtype.kind not in "iub":
        raise DtypeError(f"bincount counts integers, not {values.dtype}")
    if values.size and values.min() < 0:
        raise ArgumentError(f"bincount counts numbers from 0 on, not {values.min()}")
    least = integer(minlength, "bincount: minlength")
    if least < 0:
        raise ArgumentError("bincount: minlength is at least 0")
    length = max(int(values.max()) + 1 if values.size else 0, least)
    budget.charge(8 * length, "bincount")
    if weights is None:
        return np.bincount(values, minlength=least)
    factors = to_float(as_core(weights))
    if shape_of(factors) != values.shape:
        raise ShapeError(f"bincount: weights of shape {fits(shape_of(factors))} for elements of {fits(values.shape)}")
    return added_up(factors, values.astype(np.int64), length)


# --- histograms ------------------------------------------------------------------------------------------------------


def _ends(name: str, x: CoreValue, bounds: Any) -> tuple[CoreValue, CoreValue]:
    """Where the bins begin and end: as given, or at the extremes; apart by 1 where those are equal."""
    if bounds is not None:
        low, high = (as_core(end) for end in bounds)
    elif not count_of(shape_of(x)):
        low, high = np.asarray(0.0), np.asarray(1.0)
    else:
        axes = tuple(range(-ndim_of(x), 0))
        low, high = (bind(op, x, axis=axes, keepdims=False) for op in (AMIN, AMAX))
    first, last = (np.asarray(settled(end)) for end in (low, high))
    if first > last:
        raise ArgumentError(f"{name}: the range ends before it begins")
    if not np.isfinite(first) or not np.isfinite(last):
        raise ArgumentError(f"{name}: the range from {first} to {last} is not finite")
    return (low - 0.5, high + 0.5) if first == last else (low, high)


def edges_of(name: str, x: CoreValue, bins: Any, bounds: Any) -> CoreValue:
    """The edges of the bins; of equal ones they hang on the extremes of the elements.

    Raises:
        DtypeError: the elements are complex, and so have no order.
    """
    if "c" in (dtype_of(x).kind, dtype_of(as_core(bins)).kind if not isinstance(bins, str) else "f"):
        raise DtypeError(f"{name} takes real numbers, which have an order")
    if isinstance(bins, str):
        found = np.histogram_bin_edges(np.asarray(settled(x)), bins, bounds)
        return found
    given = as_core(bins)
    if ndim_of(given) == 1:
        values = np.asarray(settled(given))
        if np.any(np.diff(values) < 0):
            raise ArgumentError(f"{name}: the edges of the bins must not fall")
        return given
    count = integer(bins, f"{name}: the number of bins")
    if count < 1:
        raise ArgumentError(f"{name}: at least one bin is wanted, not {count}")
    low, high = _ends(name, to_float(x), bounds)
    return to_float(linspace.call(low, high, count + 1))


def bin_of(values: Any, edges: Any) -> tuple[Any, Any]:
    """(which elements lie in a bin, the bins they lie in); the last bin is closed."""
    inside = (values >= edges[0]) & (values <= edges[-1])
    places = np.searchsorted(edges, values[inside], side="right") - 1
    return inside, np.minimum(places, len(edges) - 2)


def _counts(name: str, x: CoreValue, edges: CoreValue, weights: Any) -> CoreValue:
    values, limits = np.ravel(settled(x)), np.asarray(settled(edges))
    inside, places = bin_of(values, limits)
    length = len(limits) - 1
    if weights is None:
        return np.bincount(places, minlength=length)
    factors = to_float(as_core(weights))
    if shape_of(factors) != shape_of(x):
        raise ShapeError(f"{name}: weights of shape {fits(shape_of(factors))} for elements of {fits(shape_of(x))}")
    kept = getitem(reshaped(factors, (values.size,)), np.flatnonzero(inside))
    return added_up(kept, places.astype(np.int64), length)


def _density(counts: CoreValue, edges: CoreValue) -> CoreValue:
    whole = to_float(counts)
    return divide(whole, multiply(steps(edges), total(whole, (-1,), True)))


_DATA = np.array([0.1, 0.4, 0.35, 2.0, 1.2])
_WEIGHTS = np.array([1.0, 0.5, 2.0, -1.0, 0.25])
_EDGES = np.array([0.0, 0.5, 1.0, 2.0])
_RULE = "vjp: by the weights, g at the elements' bins; by the elements, only through the ends of the bins"
_JUMPS = (
    "an element on an edge belongs to the bin above it, on the last edge to the last bin; equal extremes share the "
    "derivative evenly"
)


@function(
    family="reduction",
    where="numpy",
    derivative=_RULE,
    kinks=_JUMPS,
    cases=(
        case((5,)),
        case(_DATA, 4),
        case(_DATA, 3, (0.0, 3.0)),
        case(_DATA, _EDGES),
        case(_DATA, 4, weights=_WEIGHTS),
        case(_DATA, 4, density=True),
        case(_DATA, 3, density=True, weights=np.abs(_WEIGHTS)),
        case((2, 3), 2),
        case(np.array([2.0, 2.0]), 2),
    ),
)
def histogram(x: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    """The pair (how many elements lie in each bin, the edges of the bins)."""
    found = as_core(x)
    edges = edges_of("histogram", found, bins, range)
    counts = _counts("histogram", found, edges, weights)
    return (_density(counts, edges) if density else counts), edges


@function(
    family="reduction",
    where="numpy",
    derivative="vjp: g to the extremes of the elements, by how near each edge is",
    kinks="equal extremes share the derivative evenly",
    cases=(case((5,)), case(_DATA, 4), case(_DATA, 3, (0.0, 3.0))),
)
def histogram_bin_edges(x: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> CoreValue:
    """The edges of the bins of a histogram."""
    return edges_of("histogram_bin_edges", as_core(x), bins, range)


_HISTOGRAM = named("histogram", "hist", "bin_edges")


@function(
    "histogram_torch",
    family="reduction",
    where="",
    also=("torch.histogram", ".histogram"),
    derivative=_RULE,
    kinks=_JUMPS,
    cases=(
        case((5,), 4),
        case(_DATA, 3, range=[0.0, 3.0]),
        case(_DATA, _EDGES, weight=_WEIGHTS),
        case(_DATA, 4, density=True),
    ),
)
def histogram_torch(input: Any, bins: Any, *, range: Any = None, weight: Any = None, density: bool = False) -> Any:
    """The pair (how many elements lie in each bin, the edges of the bins), both of floats."""
    found = to_float(as_core(input))
    edges = cast(edges_of("histogram", found, bins, range), dtype_of(found))
    counts = _counts("histogram", found, edges, weight)
    counts = cast(counts, np.result_type(dtype_of(found), dtype_of(counts if weight is not None else found)))
    return _HISTOGRAM((_density(counts, edges) if density else counts, edges))


@function(
    family="reduction",
    where="torch method",
    differentiable=False,
    kinks=_JUMPS,
    cases=(case((5,), 4), case(_DATA, 3, 0, 3), case(_DATA, bins=4, min=0.0, max=1.0)),
)
def histc(input: Any, bins: Any = 100, min: Any = 0, max: Any = 0) -> CoreValue:
    """How many elements lie in each of equal bins from min to max, by themselves the extremes, as floats."""
    values = np.asarray(settled(as_core(input)))
    bounds = None if min == max == 0 else (min, max)
    edges = np.asarray(settled(edges_of("histc", values, bins, bounds)))
    _, places = bin_of(np.ravel(values), edges)
    dtype = values.dtype if values.dtype.kind == "f" else state.default_float
    return np.bincount(places, minlength=len(edges) - 1).astype(dtype)
