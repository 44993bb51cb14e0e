"""Axes of reductions, and the shapes and counts that follow from them.

Axes reach ops as tuples of negative numbers in rising order, counted from the end, so that a batch axis in front
changes nothing.
"""

from __future__ import annotations

from typing import Any

from gradcli.graph.values import CoreValue, shape_of
from gradcli.ops.arguments import many_axes, one_axis
from gradcli.ops.axis_order import permuted
from gradcli.ops.shape import reshaped

Axes = tuple[int, ...]


class EveryAxis(tuple[int, ...]):
    """All axes, because none was named: to PyTorch another function than one over axes that are all named."""

    __slots__ = ()


def axis_of(name: str, axis: Any, x: CoreValue) -> int:
    """An axis of `x`; a 0-d value has the axes 0 and -1, as if it had one element.

    Raises:
        ShapeError: there is no such axis.
    """
    return one_axis(name, axis, shape_of(x) or (1,))


def axes_of(name: str, axis: Any, x: CoreValue) -> Axes:
    """Axes of `x` in rising order; None is all of them. A 0-d value may name its only place 0 or -1.

    Raises:
        ShapeError: one is out of range or stands twice.
    """
    shape = shape_of(x)
    if axis is None:
        return EveryAxis(range(-len(shape), 0))
    if not shape:
        many_axes(name, axis, (1,))
        return ()
    return tuple(sorted(many_axes(name, axis, shape)))


def reduced_shape(shape: tuple[int, ...], axis: Axes, keepdims: bool) -> tuple[int, ...]:
    """`shape` without the axes, or with length 1 there."""
    rank = len(shape)
    if keepdims:
        return tuple(1 if i - rank in axis else n for i, n in enumerate(shape))
    return tuple(n for i, n in enumerate(shape) if i - rank not in axis)


def reduced_count(shape: tuple[int, ...], axis: Axes) -> int:
    """How many elements go into one element of the result."""
    count = 1
    for a in axis:
        count *= shape[a]
    return count


def restored(y: CoreValue, x: CoreValue, axis: Axes, keepdims: bool) -> CoreValue:
    """A reduction's result with its axes put back at length 1, so that it broadcasts against `x`."""
    if keepdims or not axis:
        return y
    return reshaped(y, reduced_shape(shape_of(x), axis, True))


def merged(x: CoreValue, axis: Axes) -> CoreValue:
    """`x` with the axes made one, which comes last; without any, one of length 1."""
    shape = shape_of(x)
    if axis == (-1,):
        return x
    rank = len(shape)
    rest = tuple(a for a in range(-rank, 0) if a not in axis)
    return reshaped(permuted(x, (*rest, *axis)), (*(shape[a] for a in rest), reduced_count(shape, axis)))


def parted(y: CoreValue, x: CoreValue, axis: Axes) -> CoreValue:
    """`y`, which lies as `merged(x, axis)` does, with the axes back in their places."""
    shape = shape_of(x)
    if axis == (-1,):
        return y
    rank = len(shape)
    rest = tuple(a for a in range(-rank, 0) if a not in axis)
    order = (*rest, *axis)
    back = tuple(order.index(a) - rank for a in range(-rank, 0))
    return permuted(reshaped(y, tuple(shape[a] for a in order)), back)
