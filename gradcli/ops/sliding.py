"""Windows that slide along an axis, and the sum of overlapping windows that is their transpose."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view as view_of

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.state import state
from gradcli.graph.values import CoreValue, Spec, dtype_of, shape_of
from gradcli.ops.arguments import integer, integers, one_axis
from gradcli.ops.function import case
from gradcli.ops.kinds import fits, linear
from gradcli.ops.operands import as_core
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped


def _along(rank: int, axis: int, entry: slice) -> tuple[Any, ...]:
    return (slice(None),) * (rank + axis) + (entry,)


def _windows(x: Any, axis: int, size: int, step: int) -> Any:
    found = view_of(x, size, x.ndim + axis)
    return found[_along(x.ndim, axis, slice(None, None, step))]


def _windows_rule(x: CoreValue, axis: int, size: int, step: int) -> Spec:
    shape = shape_of(x)
    at = len(shape) + axis
    return Spec((*shape[:at], (shape[at] - size) // step + 1, *shape[at + 1 :], size), dtype_of(x))


def _overlapped(g: Any, axis: int, step: int, length: int) -> Any:
    """Every window added where it was taken from: the first elements of all of them, then the second ones."""
    rank, size = g.ndim - 1, g.shape[-1]
    count = g.shape[rank + axis]
    made = np.zeros((*g.shape[: rank + axis], length, *g.shape[rank + axis + 1 : -1]), g.dtype)
    for k in range(size):
        made[_along(rank, axis, slice(k, k + (count - 1) * step + 1, step))] += g[..., k]
    return made


def _overlapped_rule(g: CoreValue, axis: int, step: int, length: int) -> Spec:
    shape = shape_of(g)[:-1]
    at = len(shape) + axis
    return Spec((*shape[:at], length, *shape[at + 1 :]), dtype_of(g))


WINDOWS: Op = linear(
    "windows",
    _windows,
    _windows_rule,
    transpose=lambda g, x, axis, size, step: bind(OVERLAP, g, axis=axis, step=step, length=shape_of(x)[axis]),
    views=True,
    torch="Unfold",
    moves="forward",
    doc="Windows that slide along an axis, their elements along a new last axis.",
)
OVERLAP: Op = linear(
    "overlap",
    _overlapped,
    _overlapped_rule,
    transpose=lambda g, x, axis, step, length: bind(WINDOWS, g, axis=axis, size=shape_of(x)[-1], step=step),
    torch="UnfoldBackward",
    moves="back",
    doc="The sum of windows where each was taken from.",
)


def slid(name: str, x: CoreValue, axis: int, size: int, step: int) -> CoreValue:
    """The windows of a size, a step apart, along an axis counted from the end.

    Raises:
        ShapeError: the axis is shorter than a window.
        ArgumentError: the size is negative, or the step not positive.
    """
    length, at = shape_of(x)[axis], len(shape_of(x)) + axis
    if size < 0 or step < 1:
        raise ArgumentError(
            f"{name}: step is {step} but must be > 0" if size >= 0 else f"{name}: a size can't be negative: {size}"
        )
    if size > length:
        raise ShapeError(
            f"maximum size for tensor at dimension {at} is {length} but size is {size}"
            if state.torch_semantics
            else f"{name}: a window of {size} does not fit axis {at} of shape {fits(shape_of(x))}"
        )
    return bind(WINDOWS, x, axis=axis, size=size, step=step)


_OVERLAPS = "vjp: the windows of g added where they were taken from"


@function(
    family="indexing",
    op=WINDOWS,
    where="method",
    derivative=_OVERLAPS,
    views=True,
    cases=(
        case((5,), 0, 2, 1),
        case((2, 6), -1, 3, 2),
        case((5, 2), 0, 2, 3),
        case((3,), 0, 3, 1),
        case((), 0, 1, 1),
        case((4,), 0, 1, 2),
    ),
)
def unfold(input: Any, dimension: Any, size: Any, step: Any) -> CoreValue:
    """Windows of a size, a step apart, along an axis; their elements stand along a new last axis."""
    x = as_core(input)
    if not shape_of(x):
        one_axis("unfold", dimension, (1,))
        x = reshaped(x, (1,))
        return reshaped(slid("unfold", x, -1, integer(size, "unfold: the size"), 1), (1,))
    axis = one_axis("unfold", dimension, shape_of(x))
    return slid("unfold", x, axis, integer(size, "unfold: the size"), integer(step, "unfold: the step"))


@function(
    family="indexing",
    op=WINDOWS,
    where="",
    also=("numpy.lib.stride_tricks.sliding_window_view", "sliding_window_view"),
    derivative=_OVERLAPS,
    views=True,
    cases=(
        case((5,), 2),
        case((3, 4), [2, 3]),
        case((3, 4), 2, axis=0),
        case((3, 4), [2, 2], axis=[-1, 0]),
        case((6,), [3, 2], axis=[0, 0]),
        case((3,), 3),
    ),
)
def sliding_window_view(x: Any, window_shape: Any, axis: Any = None) -> CoreValue:
    """Windows that slide along axes, or along all; their elements stand along new last axes."""
    found = as_core(x)
    sizes = integers(window_shape, "sliding_window_view: a size")
    rank = len(shape_of(found))
    axes = range(rank) if axis is None else integers(axis, "sliding_window_view: an axis")
    if len(axes) != len(sizes):
        raise ArgumentError(f"sliding_window_view: {len(sizes)} sizes are given for {len(axes)} axes")
    places = [one_axis("sliding_window_view", a, shape_of(found)) for a in axes]
    for i, (place, size) in enumerate(zip(places, sizes, strict=True)):
        found = slid("sliding_window_view", found, place - i, size, 1)
    return found
