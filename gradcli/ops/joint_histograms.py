"""Histograms of points in several dimensions."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.budget import budget
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.values import CoreValue, count_of, ndim_of, shape_of
from gradcli.ops.arguments import settled
from gradcli.ops.axes import axes_of
from gradcli.ops.counting import added_up, bin_of, edges_of
from gradcli.ops.differences import steps
from gradcli.ops.elementwise import divide
from gradcli.ops.function import case
from gradcli.ops.indexing import getitem
from gradcli.ops.kinds import fits
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.pieces import unbound
from gradcli.ops.reduction import total
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped


def _per_dimension(name: str, given: Any, count: int, what: str) -> list[Any]:
    """One entry for each dimension: one for all is repeated."""
    if given is None or isinstance(given, int | str):
        return [given] * count
    found = list(given)
    if len(found) != count:
        raise ArgumentError(f"{name}: {len(found)} {what} for {count} dimensions")
    return found


def _joint(
    name: str, columns: list[CoreValue], bins: Any, ranges: Any, density: Any, weights: Any
) -> tuple[CoreValue, list[CoreValue]]:
    """The counts in a grid of bins, and the edges along each axis."""
    choices = _per_dimension(name, bins, len(columns), "choices of bins")
    bounds = _per_dimension(name, ranges, len(columns), "ranges")
    edges = [edges_of(name, x, b, r) for x, b, r in zip(columns, choices, bounds, strict=True)]
    found = [bin_of(np.asarray(settled(x)), np.asarray(settled(e))) for x, e in zip(columns, edges, strict=True)]
    inside = np.logical_and.reduce([mask for mask, _ in found])
    shape = tuple(shape_of(e)[0] - 1 for e in edges)
    budget.charge(8 * count_of(shape), name)
    spread = [np.zeros(len(inside), np.int64) for _ in found]
    for whole, (mask, places) in zip(spread, found, strict=True):
        whole[mask] = places
    flat = np.ravel_multi_index([whole[inside] for whole in spread], shape)
    factors = np.ones(len(inside)) if weights is None else to_float(as_core(weights))
    if shape_of(factors) != inside.shape:
        raise ShapeError(f"{name}: weights of shape {fits(shape_of(factors))} for {len(inside)} points")
    kept = getitem(factors, np.flatnonzero(inside))
    counts = reshaped(added_up(kept, flat.astype(np.int64), count_of(shape)), shape)
    return (_density(counts, edges) if density else counts), edges


def _density(counts: CoreValue, edges: list[CoreValue]) -> CoreValue:
    """The counts over their sum and the sizes of their bins."""
    found = divide(counts, total(counts, axes_of("histogramdd", None, counts)))
    for axis, e in enumerate(edges):
        sizes = steps(e)
        lengths = tuple(shape_of(sizes)[0] if i == axis else 1 for i in range(len(edges)))
        found = divide(found, reshaped(sizes, lengths))
    return found


_X, _Y = np.array([0.1, 0.4, 0.35, 2.0, 1.2]), np.array([1.0, 0.5, 0.25, 1.5, 0.75])
_WEIGHTS = np.array([1.0, 0.5, 2.0, 1.5, 0.25])
_RULE = "vjp: by the weights, g at the points' bins; by the points, only through the ends of the bins"
_JUMPS = "a point on an edge belongs to the bin above it, on the last edge to the last bin; equal extremes share evenly"


@function(
    family="reduction",
    where="numpy",
    derivative=_RULE,
    kinks=_JUMPS,
    cases=(
        case(np.stack([_X, _Y], axis=1), 3),
        case(np.stack([_X, _Y], axis=1), [2, 3], weights=_WEIGHTS),
        case([_X, _Y], [2, 3], [(0.0, 2.0), (0.0, 2.0)], density=True, weights=_WEIGHTS),
    ),
)
def histogramdd(sample: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None) -> Any:
    """The pair (how many points lie in each bin of a grid, the list of the edges along each axis)."""
    points = as_core(sample)
    columns = [as_core(x) for x in sample] if isinstance(sample, list | tuple) else list(unbound(points, -1))
    if any(ndim_of(x) != 1 for x in columns):
        raise ShapeError(f"histogramdd takes points in rows, not shape {fits(shape_of(points))}")
    return _joint("histogramdd", columns, bins, range, density, weights)


@function(
    family="reduction",
    where="numpy",
    derivative=_RULE,
    kinks=_JUMPS,
    cases=(
        case(_X, _Y, 2),
        case(_X, _Y, [2, 3], weights=_WEIGHTS),
        case(_X, _Y, np.array([0.0, 0.5, 2.0])),
        case(_X, _Y, 2, density=True),
    ),
)
def histogram2d(
    x: Any, y: Any, bins: Any = 10, range: Any = None, density: Any = None, weights: Any = None
) -> tuple[CoreValue, CoreValue, CoreValue]:
    """(how many points lie in each bin of a grid, the edges along x, the edges along y)."""
    columns = [as_core(x), as_core(y)]
    if shape_of(columns[0]) != shape_of(columns[1]) or ndim_of(columns[0]) != 1:
        raise ShapeError("histogram2d takes two vectors of one length")
    if hasattr(bins, "dtype") or (isinstance(bins, list | tuple) and len(bins) not in (1, 2)):
        bins = [bins, bins]
    counts, (first, second) = _joint("histogram2d", columns, bins, range, density, weights)
    return counts, first, second
