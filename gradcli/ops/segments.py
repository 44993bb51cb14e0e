"""Slices that belong to segments, reduced: jax.ops.segment_sum and its like, torch.segment_reduce."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.budget import budget
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.values import CoreValue, count_of, shape_of
from gradcli.ops.arguments import integer, integers, one_axis, settled
from gradcli.ops.elementwise import divide
from gradcli.ops.function import case
from gradcli.ops.grouping import CHOICES, fold_named, folded
from gradcli.ops.index_ops import SCATTER, writing
from gradcli.ops.index_reading import whole_numbers
from gradcli.ops.index_template import ALL, ARRAY
from gradcli.ops.kinds import fits
from gradcli.ops.operands import as_core
from gradcli.ops.registry import function
from gradcli.ops.selecting import taken

SEGMENT_REDUCED = writing("segment_reduce", "SegmentReduce", doc="Groups of slices, reduced.")


def _nothing(how: str, dtype: np.dtype[Any]) -> Any:
    """What an empty group is reduced to."""
    if how in ("sum", "prod"):
        return dtype.type(how == "prod")
    if dtype.kind in "iu":
        bounds = np.iinfo(dtype)
        return dtype.type(bounds.min if how == "amax" else bounds.max)
    return dtype.type(np.nan if how == "mean" else -np.inf if how == "amax" else np.inf)


def _segments(name: str, data: Any, segment_ids: Any, num_segments: Any) -> tuple[CoreValue, CoreValue, int]:
    """The slices that belong to a segment, the segment of each, and how many segments there are."""
    x, ids = as_core(data), whole_numbers(name, segment_ids)
    if len(shape_of(ids)) != 1 or not shape_of(x) or shape_of(x)[0] != shape_of(ids)[0]:
        raise ShapeError(
            f"{name}: segments of shape {fits(shape_of(ids))} do not fit data of shape {fits(shape_of(x))}",
            mend="one for each slice along the first axis",
        )
    if num_segments is None:
        found = settled(ids)
        count = int(found.max()) + 1 if found.size else 0
    else:
        count = integer(num_segments, f"{name}: the number of segments")
    if count < 0:
        raise ArgumentError(f"{name}: the number of segments can't be negative: {count}")
    known = settled(ids)
    inside = (known >= 0) & (known < count)
    if not inside.all():  # they go nowhere, as in JAX
        x, ids = taken(x, np.flatnonzero(inside), -len(shape_of(x))), known[inside]
    return x, ids, count


def _segment_fold(name: str, how: str, *given: Any) -> CoreValue:
    x, ids, count = _segments(name, *given)
    shape = (count, *shape_of(x)[1:])
    budget.charge(x.dtype.itemsize * count_of(shape), name)
    start = np.full(shape, _nothing(how, x.dtype))
    return folded(SEGMENT_REDUCED, start, x, ids, -len(shape), how, False)


_IDS = np.array([2, 0, 2, 2])
_SEGMENTS = (
    case((4, 2), _IDS),
    case((4,), _IDS, num_segments=3),
    case((4,), np.array([0, 1, -1, 1]), num_segments=2),
    case((0, 2), np.zeros(0, int), num_segments=2),
)


@function(
    family="indexing",
    op=SCATTER,
    where="bare",
    also=("jax.ops.segment_sum",),
    derivative="vjp: g of the segment that a slice belongs to",
    cases=(*_SEGMENTS, case((4,), _IDS, 5)),
)
def segment_sum(
    data: Any,
    segment_ids: Any,
    num_segments: Any = None,
    indices_are_sorted: Any = False,
    unique_indices: Any = False,
    bucket_size: Any = None,
    mode: Any = None,
) -> CoreValue:
    """The sum of the slices of every segment; slices of segments that are not there are left out."""
    x, ids, count = _segments("segment_sum", data, segment_ids, num_segments)
    template = (ARRAY, *(ALL,) * (len(shape_of(x)) - 1))
    return bind(SCATTER, x, ids, template=template, shape=(count, *shape_of(x)[1:]), unique=False)


def _segment_function(name: str, how: str, doc: str, cases: tuple[Any, ...]) -> None:
    def call(
        data: Any,
        segment_ids: Any,
        num_segments: Any = None,
        indices_are_sorted: Any = False,
        unique_indices: Any = False,
        bucket_size: Any = None,
        mode: Any = None,
    ) -> CoreValue:
        return _segment_fold(name, how, data, segment_ids, num_segments)

    call.__doc__ = doc
    function(
        name,
        family="indexing",
        op=SEGMENT_REDUCED,
        where="bare",
        also=(f"jax.ops.{name}",),
        derivative="vjp: that of the reduction, of every segment",
        kinks="zeros are differentiated exactly" if how == "prod" else "ties share g evenly, as in PyTorch",
        cases=cases,
    )(call)


_segment_function("segment_prod", "prod", "The product of the slices of every segment.", _SEGMENTS)
_ALL_THERE = (case((4,), np.array([1, 0, 1, 1])), case((4, 2), np.array([1, 0, 1, 1])))
_TIES = (case(np.array([1.0, 2.0, 2.0, 2.0]), np.array([0, 1, 1, 1])),)
_segment_function("segment_max", "amax", "The largest of every segment, elementwise.", (*_ALL_THERE, *_TIES))
_segment_function("segment_min", "amin", "The smallest of every segment, elementwise.", (*_ALL_THERE, *_TIES))


@function(
    family="indexing",
    op=SEGMENT_REDUCED,
    where="torch",
    derivative="vjp: that of the reduction, of every segment",
    kinks=CHOICES,
    cases=(
        case((5,), "max", lengths=np.array([2, 3])),
        case((2, 4), "mean", lengths=np.array([1, 3]), axis=1),
        case((5,), "sum", offsets=np.array([0, 2, 2, 5])),
        case((5,), "prod", lengths=np.array([2, 0, 3])),
        case((5,), "min", lengths=np.array([2, 3]), initial=-0.5),
        case((2, 5), "mean", lengths=np.array([2, 0, 3]), axis=-1, initial=1.0),
    ),
)
def segment_reduce(
    data: Any,
    reduce: Any,
    *,
    lengths: Any = None,
    indices: Any = None,
    offsets: Any = None,
    axis: Any = 0,
    unsafe: Any = False,
    initial: Any = None,
) -> CoreValue:
    """Runs of slices along an axis, given by their lengths or their ends, reduced: sum, prod, mean, max or min."""
    how = fold_named("segment_reduce", reduce, ("sum", "prod", "mean", "amax", "amin"))
    x = as_core(data)
    at = one_axis("segment_reduce", axis, shape_of(x))
    if (lengths is None) == (offsets is None):
        raise ArgumentError("segment_reduce takes lengths or offsets")
    counts = (
        np.diff(integers(offsets, "segment_reduce: an offset"))
        if lengths is None
        else np.array(integers(lengths, "segment_reduce: a length"), dtype=np.int64)
    )
    if (counts < 0).any() or int(counts.sum()) != shape_of(x)[at]:
        raise ShapeError(f"segment_reduce: runs of {fits(tuple(counts))} do not add up to {shape_of(x)[at]}")
    shape = list(shape_of(x))
    shape[at] = len(counts)
    first = np.full(shape, _nothing(how, x.dtype) if initial is None else initial, x.dtype)
    places = np.repeat(np.arange(len(counts)), counts)
    if how != "mean" or initial is None:
        return folded(SEGMENT_REDUCED, first, x, places, at, how, initial is not None)
    summed = folded(SEGMENT_REDUCED, first, x, places, at, "sum", True)  # the initial value is not counted
    return divide(summed, np.maximum(counts, 1).reshape((-1,) + (1,) * (-at - 1)).astype(x.dtype))
