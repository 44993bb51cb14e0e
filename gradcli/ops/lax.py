"""JAX's slices: those whose beginning is computed, which are moved to lie within, and those that are known."""

from __future__ import annotations

from typing import Any

from gradcli.graph.errors import ShapeError
from gradcli.graph.values import CoreValue, Shape, count_of, shape_of
from gradcli.ops.arguments import integer, integers, one_axis
from gradcli.ops.function import case
from gradcli.ops.index_ops import GETITEM, SETITEM
from gradcli.ops.indexing import changed_by, getitem
from gradcli.ops.kinds import fits
from gradcli.ops.operands import as_core
from gradcli.ops.registry import function
from gradcli.ops.scattering import as_source
from gradcli.ops.selecting import along, taken
from gradcli.ops.shape import reshaped

_CUT = "vjp: g at the slice, into zeros"
_WRITTEN = "vjp: g with zeros at the slice; g at the slice"

# --- slices whose beginning is computed ------------------------------------------------------------------------------


def _beginning(name: str, starts: Any, lengths: Shape, shape: Shape) -> tuple[slice, ...]:
    """The slice of given lengths that begins at given places; it is moved so that it lies within the shape.

    Raises:
        ShapeError: it is longer than the shape somewhere, or has another number of axes.
    """
    found = integers(starts, f"{name}: a start")
    if len(found) != len(shape) or len(lengths) != len(shape):
        raise ShapeError(f"{name}: {len(found)} starts and a slice of shape {fits(lengths)} do not fit {fits(shape)}")
    if any(not 0 <= n <= m for n, m in zip(lengths, shape, strict=True)):
        raise ShapeError(f"{name}: a slice of shape {fits(lengths)} does not fit into shape {fits(shape)}")
    counted = [s + m if s < 0 else s for s, m in zip(found, shape, strict=True)]
    placed = [min(max(s, 0), m - n) for s, n, m in zip(counted, lengths, shape, strict=True)]
    return tuple(slice(s, s + n) for s, n in zip(placed, lengths, strict=True))


@function(
    family="indexing",
    op=GETITEM,
    where="",
    also=("jax.lax.dynamic_slice",),
    derivative=_CUT,
    cases=(case((4, 3), [1, 0], [2, 3]), case((4,), [3], [2]), case((4, 3), [-1, -9], [1, 2]), case((), [], [])),
)
def dynamic_slice(operand: Any, start_indices: Any, slice_sizes: Any) -> CoreValue:
    """A slice of given lengths, moved so that it lies within the value."""
    x = as_core(operand)
    return getitem.call(x, _beginning("dynamic_slice", start_indices, _sizes(slice_sizes), shape_of(x)))


def _sizes(given: Any) -> Shape:
    return integers(given, "dynamic_slice: a length")


@function(
    family="indexing",
    op=SETITEM,
    where="",
    also=("jax.lax.dynamic_update_slice",),
    derivative=_WRITTEN,
    cases=(case((4, 3), (2, 3), [1, 0]), case((4,), (2,), [3])),
)
def dynamic_update_slice(operand: Any, update: Any, start_indices: Any) -> CoreValue:
    """The value with another slice, moved so that it lies within the value."""
    x = as_core(operand)
    v = as_source("dynamic_update_slice", x, update)
    return changed_by(SETITEM, x, _beginning("dynamic_update_slice", start_indices, shape_of(v), shape_of(x)), v)


def _along_one(name: str, x: CoreValue, start: Any, length: int, axis: Any) -> tuple[Any, ...]:
    at = one_axis(name, axis, shape_of(x))
    (cut,) = _beginning(name, [start], (length,), (shape_of(x)[at],))
    return along(at, cut)


@function(
    family="indexing",
    op=GETITEM,
    where="",
    also=("jax.lax.dynamic_slice_in_dim",),
    derivative=_CUT,
    cases=(case((4, 3), 1, 2), case((2, 4), 3, 2, axis=1)),
)
def dynamic_slice_in_dim(operand: Any, start_index: Any, slice_size: Any, axis: Any = 0) -> CoreValue:
    """A slice along an axis, moved so that it lies within the value."""
    x, length = as_core(operand), integer(slice_size, "dynamic_slice_in_dim: the length")
    return getitem.call(x, _along_one("dynamic_slice_in_dim", x, start_index, length, axis))


@function(
    family="indexing",
    op=GETITEM,
    where="",
    also=("jax.lax.dynamic_index_in_dim",),
    derivative=_CUT,
    cases=(case((4, 3), 1), case((2, 4), 9, axis=1, keepdims=False)),
)
def dynamic_index_in_dim(operand: Any, index: Any, axis: Any = 0, keepdims: bool = True) -> CoreValue:
    """The slice at one index along an axis, the last one beyond the end."""
    x = as_core(operand)
    cut = _along_one("dynamic_index_in_dim", x, index, 1, axis)
    found = getitem.call(x, cut)
    return found if keepdims else taken(found, 0, one_axis("dynamic_index_in_dim", axis, shape_of(x)))


@function(
    family="indexing",
    op=SETITEM,
    where="",
    also=("jax.lax.dynamic_update_slice_in_dim",),
    derivative=_WRITTEN,
    cases=(case((4, 3), (2, 3), 1, 0), case((2, 4), (2, 2), 3, axis=1)),
)
def dynamic_update_slice_in_dim(operand: Any, update: Any, start_index: Any, axis: Any) -> CoreValue:
    """The value with another slice along an axis, moved so that it lies within the value."""
    x = as_core(operand)
    v = as_source("dynamic_update_slice_in_dim", x, update)
    at = one_axis("dynamic_update_slice_in_dim", axis, shape_of(x))
    if len(shape_of(v)) != len(shape_of(x)):
        raise ShapeError(
            f"dynamic_update_slice_in_dim: shape {fits(shape_of(v))} does not fit into shape {fits(shape_of(x))}"
        )
    index = _along_one("dynamic_update_slice_in_dim", x, start_index, shape_of(v)[at], axis)
    return changed_by(SETITEM, x, index, v)


@function(
    family="indexing",
    op=SETITEM,
    where="",
    also=("jax.lax.dynamic_update_index_in_dim",),
    derivative=_WRITTEN,
    cases=(case((4, 3), (3,), 1, 0), case((2, 4), (2, 1), 9, axis=1)),
)
def dynamic_update_index_in_dim(operand: Any, update: Any, index: Any, axis: Any) -> CoreValue:
    """The value with another slice at one index along an axis, at the last one beyond the end."""
    x = as_core(operand)
    v, at = as_source("dynamic_update_index_in_dim", x, update), one_axis("dynamic_update", axis, shape_of(x))
    shape = shape_of(x)
    rank = len(shape)
    whole = (*shape[: rank + at], 1, *shape[rank + at + 1 :])
    place = _along_one("dynamic_update_index_in_dim", x, index, 1, axis)
    return changed_by(SETITEM, x, place, reshaped(v, whole) if count_of(shape_of(v)) == count_of(whole) else v)


# --- slices that are known -------------------------------------------------------------------------------------------


@function(
    "slice",
    family="indexing",
    op=GETITEM,
    where="",
    also=("jax.lax.slice",),
    derivative=_CUT,
    cases=(case((4, 3), [1, 0], [3, 3]), case((5,), [0], [5], [2])),
)
def slice_(operand: Any, start_indices: Any, limit_indices: Any, strides: Any = None) -> CoreValue:
    """A slice between places along every axis, by steps."""
    x = as_core(operand)
    rank = len(shape_of(x))
    starts, limits = integers(start_indices, "slice: a start"), integers(limit_indices, "slice: a limit")
    steps = (1,) * rank if strides is None else integers(strides, "slice: a stride")
    if not len(starts) == len(limits) == len(steps) == rank:
        raise ShapeError(f"slice: starts, limits and strides are needed for every axis of shape {fits(shape_of(x))}")
    for start, limit, step, length in zip(starts, limits, steps, shape_of(x), strict=True):
        if not 0 <= start <= limit <= length or step < 1:
            raise ShapeError(f"slice: {start} to {limit} by {step} does not fit an axis of size {length}")
    return getitem.call(x, tuple(slice(*ends) for ends in zip(starts, limits, steps, strict=True)))


@function(
    family="indexing",
    op=GETITEM,
    where="",
    also=("jax.lax.slice_in_dim",),
    derivative=_CUT,
    cases=(case((4, 3), 1, 3), case((2, 5), 0, None, 2, axis=1)),
)
def slice_in_dim(operand: Any, start_index: Any, limit_index: Any, stride: Any = 1, axis: Any = 0) -> CoreValue:
    """A slice along an axis, by steps."""
    x = as_core(operand)
    bounds = [None if n is None else integer(n, "slice_in_dim: a bound") for n in (start_index, limit_index, stride)]
    return taken(x, slice(*bounds), one_axis("slice_in_dim", axis, shape_of(x)))


@function(
    family="indexing",
    op=GETITEM,
    where="",
    also=("jax.lax.index_in_dim",),
    derivative=_CUT,
    cases=(case((4, 3), 1), case((2, 4), -1, axis=1, keepdims=False)),
)
def index_in_dim(operand: Any, index: Any, axis: Any = 0, keepdims: bool = True) -> CoreValue:
    """The slice at one index along an axis."""
    x, place = as_core(operand), integer(index, "index_in_dim: the index")
    at = one_axis("index_in_dim", axis, shape_of(x))
    found = taken(x, place, at)
    if not keepdims:
        return found
    shape, rank = shape_of(x), len(shape_of(x))
    return reshaped(found, (*shape[: rank + at], 1, *shape[rank + at + 1 :]))
