"""Elements put elsewhere: flip, roll, rotations and tiles."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Shape, Spec, count_of, dtype_of, shape_of
from gradcli.ops.arguments import integer, integers, many_axes, one_axis, sizes
from gradcli.ops.function import case
from gradcli.ops.kinds import fits, linear, sum_to
from gradcli.ops.operands import as_core
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped

Widths = tuple[tuple[int, int], ...]


def _unchanged(x: CoreValue, **params: Any) -> Spec:
    return Spec(shape_of(x), dtype_of(x))


# --- flip and roll ---------------------------------------------------------------------------------------------------

FLIP: Op = linear(
    "flip",
    lambda x, axes: np.flip(x, axes),
    _unchanged,
    transpose=lambda g, x, axes: bind(FLIP, g, axes=axes),
    torch="Flip",
    moves="forward",
    doc="Elements in reverse along some axes.",
)
ROLL: Op = linear(
    "roll",
    lambda x, shifts, axes: np.roll(x, shifts, axes),
    _unchanged,
    transpose=lambda g, x, shifts, axes: bind(ROLL, g, shifts=tuple(-s for s in shifts), axes=axes),
    torch="Roll",
    moves="forward",
    doc="Elements moved along some axes, around the end.",
)


@function(
    family="shape",
    op=FLIP,
    derivative="vjp: g in reverse",
    views=True,
    cases=(case((2, 3)), case((2, 3), 0), case((2, 3), -1), case((2, 3, 2), [0, -1]), case((0, 2)), case(())),
)
def flip(x: Any, *order: Any, axis: Any = None, dims: Any = None) -> CoreValue:
    """Elements in reverse along some axes, or along all."""
    x = as_core(x)
    named = axis if dims is None else dims
    if order:
        named = order[0] if len(order) == 1 else order
    return bind(FLIP, x, axes=many_axes("flip", named, shape_of(x)))


@function(
    family="shape",
    op=FLIP,
    where="numpy torch method",
    derivative="vjp: g in reverse",
    views=True,
    cases=(case((2, 3)),),
)
def fliplr(x: Any) -> CoreValue:
    """Elements in reverse along the second axis."""
    x = as_core(x)
    return bind(FLIP, x, axes=(one_axis("fliplr", 1, shape_of(x)),))


@function(
    family="shape",
    op=FLIP,
    where="numpy torch method",
    derivative="vjp: g in reverse",
    views=True,
    cases=(case((2, 3)),),
)
def flipud(x: Any) -> CoreValue:
    """Elements in reverse along the first axis."""
    x = as_core(x)
    return bind(FLIP, x, axes=(one_axis("flipud", 0, shape_of(x)),))


@function(
    family="shape",
    op=ROLL,
    derivative="vjp: g moved back",
    cases=(
        case((5,), 2),
        case((2, 3), 1),
        case((2, 3), -1, 1),
        case((2, 3), [1, 2], axis=[0, -1]),
        case((2, 3), 1, axis=[0, 1]),
        case((0,), 1),
    ),
)
def roll(x: Any, shift: Any = None, axis: Any = None, shifts: Any = None) -> CoreValue:
    """Elements moved along axes, around the end; without axes, in their order."""
    x = as_core(x)
    shape = shape_of(x)
    given = shift if shifts is None else shifts
    if given is None:
        raise TypeError("roll needs a shift")
    steps = integers(given, "roll: a shift")
    if axis is None or (isinstance(axis, list | tuple) and not axis):
        flat = bind(ROLL, reshaped(x, (count_of(shape),)), shifts=(sum(steps),), axes=(-1,))
        return reshaped(flat, shape)
    axes = tuple(one_axis("roll", a, shape) for a in integers(axis, "roll: an axis"))
    if len(steps) != len(axes) and 1 not in (len(steps), len(axes)):
        raise ArgumentError(f"roll: {len(steps)} shifts are given for {len(axes)} axes")
    count = max(len(steps), len(axes))
    return bind(
        ROLL,
        x,
        shifts=steps * count if len(steps) == 1 else steps,
        axes=axes * count if len(axes) == 1 else axes,
    )


def _rot90_rule(x: CoreValue, turns: int, plane: tuple[int, int]) -> Spec:
    shape = list(shape_of(x))
    if turns % 2:
        shape[plane[0]], shape[plane[1]] = shape[plane[1]], shape[plane[0]]
    return Spec(tuple(shape), dtype_of(x))


ROT90: Op = linear(
    "rot90",
    lambda x, turns, plane: np.rot90(x, turns, plane),
    _rot90_rule,
    transpose=lambda g, x, turns, plane: bind(ROT90, g, turns=-turns % 4, plane=plane),
    views=True,
    torch="Rot90",
    moves="forward",
    doc="The value turned by quarter turns.",
)


@function(
    family="shape",
    op=ROT90,
    derivative="vjp: g turned back",
    views=True,
    cases=(case((2, 3)), case((2, 3), 2), case((2, 3), 3), case((2, 3, 4), 1, axes=[1, 2]), case((2, 3), -1)),
)
def rot90(x: Any, k: Any = 1, axes: Any = (0, 1), dims: Any = None) -> CoreValue:
    """The value turned by quarter turns, from the first of two axes towards the second."""
    x = as_core(x)
    plane = many_axes("rot90", axes if dims is None else dims, shape_of(x))
    if len(plane) != 2:
        raise ArgumentError(f"rot90 turns in a plane of two axes, not {len(plane)}")
    return bind(ROT90, x, turns=integer(k, "rot90: the number of turns") % 4, plane=plane)


# --- tiles -----------------------------------------------------------------------------------------------------------


def _tile_rule(x: CoreValue, reps: Shape) -> Spec:
    shape = shape_of(x)
    lead = len(shape) - len(reps)
    return Spec(shape[:lead] + tuple(n * r for n, r in zip(shape[lead:], reps, strict=True)), dtype_of(x))


def _tile_transpose(g: CoreValue, x: CoreValue, reps: Shape) -> CoreValue:
    shape = shape_of(x)
    lead = len(shape) - len(reps)
    pairs, kept = list(shape[:lead]), list(shape[:lead])
    for n, r in zip(shape[lead:], reps, strict=True):
        pairs += [r, n]
        kept += [1, n]
    return reshaped(sum_to(reshaped(g, tuple(pairs)), tuple(kept)), shape)


TILE: Op = linear(
    "tile",
    lambda x, reps: np.tile(x, reps),
    _tile_rule,
    transpose=_tile_transpose,
    torch="Repeat",
    moves="forward",
    doc="The whole value repeated along its axes.",
)


@function(
    family="shape",
    op=TILE,
    also=(".repeat@torch",),
    derivative="vjp: g summed over the copies",
    cases=(case((3,), 2), case((2, 3), [2, 1]), case((3,), [2, 2]), case((2, 3), 2), case((), [2]), case((2,), 0)),
)
def tile(x: Any, *repeats: Any, reps: Any = None, dims: Any = None) -> CoreValue:
    """The whole value repeated along its axes."""
    x = as_core(x)
    named = dims if reps is None else reps
    counts = sizes("tile", repeats if named is None else (named,))
    if any(n < 0 for n in counts):
        raise ArgumentError(f"tile: a count can't be negative: {fits(counts)}")
    rank = max(len(counts), len(shape_of(x)))
    x = reshaped(x, (1,) * (rank - len(shape_of(x))) + shape_of(x))
    return bind(TILE, x, reps=(1,) * (rank - len(counts)) + counts)
