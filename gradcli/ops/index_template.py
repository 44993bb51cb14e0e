"""How an index is kept, laid out and batched; how one is read: `gradcli.ops.index_reading`.

An index is kept as plain data: a template with one entry per part of the index, in which the word `ARRAY` stands for
an integer array; the arrays themselves are operands, since they may be traced or batched. Masks become the integer
arrays of their true places. A template names every axis of the value it indexes, so that a batch axis is one entry more
in front.

NumPy puts the axes of integer arrays where the arrays stand if they stand together (integers among them count as
arrays), and in front if something stands between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.graph.errors import ShapeError
from gradcli.graph.node import Node
from gradcli.graph.state import state
from gradcli.graph.values import CoreValue, Shape, shape_of
from gradcli.ops.axis_order import permuted
from gradcli.ops.kinds import fits
from gradcli.ops.shape import reshaped

Template = tuple[Any, ...]

#: Stands in a template for the next of the integer arrays among the operands.
ARRAY = "array"
ALL = slice(None)


# --- the layout of what is read --------------------------------------------------------------------------------------


def filled(template: Template, arrays: Sequence[Any]) -> tuple[Any, ...]:
    """The index that NumPy takes; the ellipsis at its end keeps a result without axes an array."""
    if not arrays:
        return (*template, ...) if ... not in template else template
    rest = iter(arrays)
    return tuple(next(rest) if _is_array(entry) else entry for entry in template)


def _is_array(entry: Any) -> bool:
    return isinstance(entry, str)


def array_block(template: Template, rank: int) -> int:
    """How many axes of the result come before the `rank` axes that the integer arrays make."""
    if rank == 0:
        return 0
    block = [i for i, entry in enumerate(template) if _is_array(entry) or isinstance(entry, int)]
    if block[-1] - block[0] + 1 != len(block):
        return 0
    return sum(1 for entry in template[: block[0]] if entry is not ...)


def arrays_shape(arrays: Sequence[CoreValue]) -> Shape:
    """The shape that index arrays broadcast to.

    Raises:
        ShapeError: they don't.
    """
    shapes = [shape_of(a) for a in arrays]
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        listed = " and ".join(fits(s) for s in shapes)
        raise ShapeError(
            f"index arrays of shapes {listed} do not broadcast", mend="they are paired element by element"
        ) from None


def result_shape(shape: Shape, template: Template, arrays: Sequence[CoreValue]) -> Shape:
    """The shape of what a template reads from a value of `shape`."""
    kept: list[int] = []
    axis = 0
    for entry in template:
        if entry is None:
            kept.append(1)
        elif entry is not ...:
            if isinstance(entry, slice):
                kept.append(len(range(*entry.indices(shape[axis]))))
            axis += 1
    if not arrays:
        return tuple(kept)
    joined = arrays_shape(arrays)
    at = array_block(template, len(joined))
    return (*kept[:at], *joined, *kept[at:])


def range_error(shape: Shape, template: Template, arrays: Sequence[Any]) -> ShapeError | None:
    """The error for the first index that is out of range, or None if none is."""
    rest = iter(arrays)
    axis = 0
    for entry in template:
        if entry is None or entry is ...:
            continue
        found = next(rest) if _is_array(entry) else entry
        if not isinstance(found, slice):
            flat = np.ravel(found)
            wrong = flat[(flat < -shape[axis]) | (flat >= shape[axis])]
            if wrong.size:
                return out_of_range(int(wrong[0]), axis, shape)
        axis += 1
    return None


def out_of_range(index: int, axis: int, shape: Shape, *, negative: bool = True) -> ShapeError:
    """The error for an index that an axis does not have; `negative` ones count from the end where they may."""
    length = shape[axis]
    mend = f"indices are {-length if negative else 0} to {length - 1}" if length else "the axis is empty"
    if state.torch_semantics:
        return ShapeError(f"index {index} is out of bounds for dimension {axis} with size {length}", mend=mend)
    return ShapeError(f"index {index} is out of range for axis {axis} of size {length}", mend=mend)


def check_places(indices: CoreValue, axis: int, shape: Shape, *, negative: bool = False) -> None:
    """See that indices are within an axis, counted from the front, of `shape`; where they are known, that is.

    Raises:
        ShapeError: one is out of range, or counts from the end and may not.
    """
    while isinstance(indices, Node):
        indices = indices.value
    if isinstance(indices, np.ndarray | np.generic) and indices.size:
        length = shape[axis]
        lowest, highest = int(indices.min()), int(indices.max())
        if highest >= length or lowest < (-length if negative else 0):
            raise out_of_range(highest if highest >= length else lowest, axis, shape, negative=negative)


# --- batching --------------------------------------------------------------------------------------------------------


def _aligned(arrays: Sequence[CoreValue], batched: Sequence[bool]) -> list[CoreValue]:
    """Batched index arrays with singleton axes after the batch axis until all have the same rank."""
    ranks = [len(shape_of(a)) - flag for a, flag in zip(arrays, batched, strict=True)]
    rank = max(ranks)
    return [
        reshaped(a, shape_of(a)[:1] + (1,) * (rank - r) + shape_of(a)[1:]) if flag else a
        for a, flag, r in zip(arrays, batched, ranks, strict=True)
    ]


def batch_layout(
    template: Template, arrays: Sequence[CoreValue], batched: Sequence[bool], size: int, with_x: bool
) -> tuple[Template, list[CoreValue], int, Shape | None]:
    """How to read a whole batch at once.

    Returns the template and arrays for it, the number of leading axes concerned, and, where the result of that read has
    its batch axis elsewhere than in front, the order in which its leading axes must be taken (None if they are right).
    """
    rank = max((len(shape_of(a)) - flag for a, flag in zip(arrays, batched, strict=True)), default=0)
    before = array_block(template, rank)
    if not any(batched):
        whole = (ALL, *template)
        # Arrays with something between them put their axes in front of the batch's.
        separated = rank > 0 and array_block(whole, rank) == 0
        return whole, list(arrays), rank + 1, (rank, *range(rank)) if separated else None
    aligned = _aligned(arrays, batched)
    if with_x:
        each = np.arange(size).reshape((size,) + (1,) * rank)
        order = (0, *range(rank + 1, rank + 1 + before), *range(1, rank + 1))
        return (ARRAY, *template), [each, *aligned], rank + 1 + before, order if before and rank else None
    at = array_block(template, rank + 1)
    return template, aligned, at + 1, (at, *range(at)) if at else None


def lead_moved(x: CoreValue, count: int, order: Shape | None) -> CoreValue:
    """`x` with its first `count` axes in another order."""
    if order is None:
        return x
    rank = len(shape_of(x))
    return permuted(x, tuple(a - rank for a in (*order, *range(count, rank))))


def lead_moved_back(x: CoreValue, count: int, order: Shape | None) -> CoreValue:
    """What `lead_moved` was given to give `x`."""
    if order is None:
        return x
    return lead_moved(x, count, tuple(order.index(i) for i in range(count)))
