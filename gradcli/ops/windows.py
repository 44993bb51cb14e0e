"""Windows that slide over the last axes of a value: how they are named, how many fit, and the value around them.

Geometry is told per axis, in tuples of one length: kernel (the window's elements), stride (between windows), dilation
(between elements of a window), and pads (before, after), which cut off where they are negative.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.values import Shape
from gradcli.ops.arguments import integers
from gradcli.ops.kinds import fits

Pads = tuple[tuple[int, int], ...]


def per_axis(name: str, what: str, given: Any, count: int, least: int = 1) -> Shape:
    """One integer per axis, out of one for all or one each.

    Raises:
        ArgumentError: there are others than `count` of them, or one is below `least`.
    """
    found = integers(given, f"{name}: {what}")
    if len(found) == 1:
        found *= count
    if len(found) != count:
        raise ArgumentError(f"{name}: {what} is one integer, or {count} of them, not {len(found)}")
    if any(n < least for n in found):
        raise ArgumentError(f"{name}: {what} is at least {least}, not {fits(found) if count > 1 else found[0]}")
    return found


def reach(kernel: int, dilation: int) -> int:
    """How many elements a window spans."""
    return dilation * (kernel - 1) + 1


def spread_length(n: int, spread: int) -> int:
    """The length of n elements with `spread` - 1 zeros between each two."""
    return spread * (n - 1) + 1 if n else 0


def window_count(n: int, kernel: int, stride: int, dilation: int) -> int:
    """How many windows fit into n elements."""
    return max(0, (n - reach(kernel, dilation)) // stride + 1)


def check_fits(name: str, lengths: Shape, kernel: Shape, dilation: Shape) -> None:
    """Raise if a window does not fit into padded lengths even once.

    Raises:
        ShapeError: one does not.
    """
    spans = tuple(reach(k, d) for k, d in zip(kernel, dilation, strict=True))
    if any(n < span for n, span in zip(lengths, spans, strict=True)):
        raise ShapeError(
            f"{name}: a window of {_by(spans)} elements does not fit into {_by(lengths)}",
            mend="a smaller kernel, or more padding",
        )


def _by(lengths: Shape) -> str:
    return " x ".join(str(n) for n in lengths)


def surrounded(x: Any, spread: Shape, pads: Pads, fill: Any = 0) -> Any:
    """The array with `spread` - 1 fills between elements and a border of fills, along its last axes."""
    count = len(pads)
    if all(s == 1 for s in spread) and not any(any(pair) for pair in pads):
        return x
    lead = x.shape[: x.ndim - count]
    into, out_of, lengths = [], [], []
    for n, step, (before, after) in zip(x.shape[x.ndim - count :], spread, pads, strict=True):
        total = max(0, spread_length(n, step) + before + after)
        first = max(0, -(before // step))
        last = min(n, -((before - total) // step)) if total else first
        into.append(slice(before + first * step, max(before + (last - 1) * step + 1, 0), step))
        out_of.append(slice(first, max(first, last)))
        lengths.append(total)
    made = np.full((*lead, *lengths), fill, x.dtype)
    if all(s.stop > s.start for s in out_of):
        place: Any = (..., *into)
        made[place] = x[(..., *out_of)]
    return made


def sliding(x: Any, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]) -> Any:
    """A view of all windows over the last axes: the axes before, then one axis per kernel axis, then one per count."""
    count = len(kernel)
    steps = x.strides[x.ndim - count :]
    lengths = x.shape[x.ndim - count :]
    counts = [window_count(*each) for each in zip(lengths, kernel, stride, dilation, strict=True)]
    inner = [s * d for s, d in zip(steps, dilation, strict=True)]
    outer = [s * d for s, d in zip(steps, stride, strict=True)]
    lead = x.ndim - count
    return np.lib.stride_tricks.as_strided(
        x, (*x.shape[:lead], *kernel, *counts), (*x.strides[:lead], *inner, *outer), writeable=False
    )


def pooled_count(n: int, kernel: int, stride: int, padding: int, dilation: int, ceil: bool) -> int:
    """How many windows a pool has; with `ceil`, one more that begins within the value or the padding before it, and
    ends beyond."""
    left = n + 2 * padding - reach(kernel, dilation)
    count = left // stride + 1
    if ceil and left % stride and count * stride < n + padding:
        count += 1
    return max(0, count)


# --- places along one axis -------------------------------------------------------------------------------------------


def along(axis: int, places: Any) -> Any:
    """The index of rising places along an axis, counted from the end: where they are evenly spaced a slice, which is
    faster."""
    if places.size:
        step = int(places[1] - places[0]) if places.size > 1 else 1
        if step > 0 and (np.diff(places) == step).all():
            places = slice(int(places[0]), int(places[-1]) + 1, step)
    return (..., places, *(slice(None),) * (-axis - 1))


def add_along(made: Any, axis: int, places: Any, values: Any) -> None:
    """Add values at places along an axis, in place. The places do not fall; those that repeat are added up."""
    if places.size > 1 and (np.diff(places) == 0).any():
        places, starts = np.unique(places, return_index=True)
        values = np.add.reduceat(values, starts, axis)
    if places.size:
        made[along(axis, places)] += values
