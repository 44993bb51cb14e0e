"""Values between sample points, and angles without their jumps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, DtypeError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, shape_of
from gradcli.ops.arguments import one_axis, settled
from gradcli.ops.casts import cast
from gradcli.ops.elementwise import (
    absolute,
    add,
    divide,
    equal,
    greater,
    less,
    logical_and,
    multiply,
    remainder,
    subtract,
    where,
)
from gradcli.ops.elementwise import clip as clipped
from gradcli.ops.function import case
from gradcli.ops.indexing import setitem
from gradcli.ops.kinds import elementwise
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.pieces import concatenated
from gradcli.ops.registry import function
from gradcli.ops.running import cumsum
from gradcli.ops.searching import sought
from gradcli.ops.selecting import along, taken

# --- on the line through two points ----------------------------------------------------------------------------------


def _on_chord(x: Any, x0: Any, x1: Any, y0: Any, y1: Any) -> Any:
    """As NumPy has it: from the other point where the first gives nan, and the points themselves as they are."""
    with np.errstate(all="ignore"):
        slope = (y1 - y0) / (x1 - x0)
        found = slope * (x - x0) + y0
        found = np.where(np.isnan(found), slope * (x - x1) + y1, found)
    found = np.where((y0 == y1) | (x == x0), y0, found)
    return np.where(np.isnan(x), x, np.where(x == x1, y1, found))


def _per_width(rise: CoreValue, x0: CoreValue, x1: CoreValue) -> CoreValue:
    return divide(rise, subtract(x1, x0))


def _slope(y: CoreValue, x: CoreValue, x0: CoreValue, x1: CoreValue, y0: CoreValue, y1: CoreValue) -> CoreValue:
    return _per_width(subtract(y1, y0), x0, x1)


# Each share is a quotient of differences of what is given, so that none of them cancels near a point.
CHORD: Op = elementwise(
    "chord",
    _on_chord,
    _slope,
    lambda y, x, x0, x1, y0, y1: multiply(_per_width(subtract(y0, y1), x0, x1), _per_width(subtract(x1, x), x0, x1)),
    lambda y, x, x0, x1, y0, y1: multiply(_per_width(subtract(y0, y1), x0, x1), _per_width(subtract(x, x0), x0, x1)),
    lambda y, x, x0, x1, y0, y1: _per_width(subtract(x1, x), x0, x1),
    lambda y, x, x0, x1, y0, y1: _per_width(subtract(x, x0), x0, x1),
    meaning=lambda S, x, x0, x1, y0, y1: y0 + (y1 - y0) * (x - x0) / (x1 - x0),
    doc="The value at x on the line through (x0, y0) and (x1, y1), which differ in x.",
)

_POINTS = np.array([-1.5, -0.5, 0.25, 1.0])
_HEIGHTS = np.array([1.0, -0.75, 2.0, 0.5])


def _samples(xp: Any, fp: Any) -> tuple[CoreValue, CoreValue]:
    points, values = to_float(as_core(xp)), to_float(as_core(fp))
    if len(shape_of(points)) != 1 or shape_of(points) != shape_of(values):
        raise ShapeError(
            f"interp: sample points of shape {list(shape_of(points))} and values of shape {list(shape_of(values))} "
            "are no two vectors of one length"
        )
    if not shape_of(points)[0]:
        raise ShapeError("interp: there are no sample points")
    if points.dtype.kind != "f":
        raise DtypeError(f"interp: sample points are real numbers, not {points.dtype}")
    return points, values


def _around(points: CoreValue, values: CoreValue, period: CoreValue) -> tuple[CoreValue, CoreValue]:
    """Samples of one period in order, and the nearest of the periods before and after."""
    points = remainder(points, period)
    order = np.argsort(settled(points), kind="stable")
    points, values = taken(points, order, -1), taken(values, order, -1)
    last, first = slice(-1, None), slice(0, 1)
    points = concatenated([subtract(taken(points, last, -1), period), points, add(taken(points, first, -1), period)], 0)
    return points, concatenated([taken(values, last, -1), values, taken(values, first, -1)], 0)


@function(
    family="indexing",
    op=CHORD,
    where="numpy",
    derivative="vjp: g times the slope for x; for fp, g shared between the two points by nearness; "
    "for xp, -g times the slope, shared so",
    kinks="x on a sample point: the slope to its right, on the last one that to its left, as in JAX; outside, 0",
    defined="where xp rises",
    cases=(
        case((2, 3), _POINTS, (4,)),
        case((3,), _POINTS, _HEIGHTS),
        case(np.array([-3.0, -0.25, 5.0]), _POINTS, _HEIGHTS, left=-9.0, right=np.array(7.0)),
        case(np.array([-1.5, 0.25, 1.0]), _POINTS, _HEIGHTS),
        case(np.array([-7.25, 0.75, 100.0]), np.array([3.0, -2.5, 1.0]), _HEIGHTS[:3], period=4.0),
        case((), _POINTS, _HEIGHTS),
        case(np.array([0.0, 1.0, 3.0]), np.array([1.0]), (1,)),
        case((2,), _POINTS, np.array([1.0 + 1.0j, -2.0j, 0.5, 3.0])),
        case((0,), _POINTS, _HEIGHTS),
        case(np.array([1, 2]), np.array([0, 3]), np.array([0, 6])),
    ),
)
def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> CoreValue:
    """Values between sample points (xp, fp), on the lines that join them; left and right of all points, constant."""
    at = to_float(as_core(x))
    points, values = _samples(xp, fp)
    if at.dtype.kind != "f":
        raise DtypeError(f"interp: x is of real numbers, not {at.dtype}")
    if period is not None:
        length = absolute(as_core(period))
        if shape_of(length) or not settled(length) != 0:
            raise ArgumentError("interp: the period must be a number, and not 0")
        at, left, right = remainder(at, length), None, None
        points, values = _around(points, values, length)
    count = shape_of(points)[0]
    first, last = taken(values, 0, -1), taken(values, count - 1, -1)
    found = first if count == 1 else _between(at, points, values, count)
    found = where(less(at, taken(points, 0, -1)), first if left is None else as_core(left), found)
    return where(greater(at, taken(points, count - 1, -1)), last if right is None else as_core(right), found)


def _between(at: CoreValue, points: CoreValue, values: CoreValue, count: int) -> CoreValue:
    """On the chord to the right of the last point that is not beyond; on the very last one, on that to its left."""
    to_right, to_left = (sought(points, at, side) for side in ("right", "left"))
    place = clipped(subtract(where(equal(at, taken(points, count - 1, -1)), to_left, to_right), 1), 0, count - 2)
    (x0, x1), (y0, y1) = ([taken(line, n, -1) for n in (place, add(place, 1))] for line in (points, values))
    flat = equal(x0, x1)  # only where all points are one
    return bind(CHORD, at, x0, where(flat, add(x0, 1.0), x1), where(flat, y1, y0), y1)


# --- angles ----------------------------------------------------------------------------------------------------------

_TURNS = np.array([0.5, 3.0, 6.0, 9.5, -2.0, -8.0])


@function(
    family="reduction",
    where="numpy",
    derivative="vjp: g",
    kinks="where neighbours differ by half a period: which way to go",
    source="K. Itoh, Analysis of the phase unwrapping algorithm, Applied Optics 21 (1982)",
    cases=(
        case(_TURNS),
        case(_TURNS.reshape(2, 3), axis=0),
        case(_TURNS, discont=5.0),
        case(_TURNS * 10, period=25.0),
        case(np.array([0.0, 1.0, 2.0, -1.0, 0.0]), period=4.0),
        case(np.array([0, 1, 2, -1, 0, 9]), period=4),
        case((1,)),
        case((0,)),
    ),
)
def unwrap(x: Any, discont: Any = None, axis: Any = -1, *, period: Any = 2 * math.pi) -> CoreValue:
    """Angles with whole periods added, so that neighbours along an axis are never further apart than half a period."""
    found, cycle = as_core(x), as_core(period)
    if shape_of(cycle):
        raise ArgumentError(f"unwrap: the period must be a number, not of shape {list(shape_of(cycle))}")
    at = one_axis("unwrap", axis, shape_of(found))
    whole = found.dtype.kind in "iu" and cycle.dtype.kind in "iu"
    if not whole:
        found, cycle = to_float(found), cast(cycle, to_float(found).dtype)
    if shape_of(found)[at] < 2:
        return found
    later, earlier = taken(found, slice(1, None), at), taken(found, slice(None, -1), at)
    steps = subtract(later, earlier)
    half = settled(cycle) // 2 if whole else divide(cycle, 2)
    short = subtract(remainder(add(steps, half), cycle), half)
    if not whole or settled(cycle) % 2 == 0:  # half a period upwards stays one upwards
        upwards = logical_and(equal(add(short, half), 0), greater(steps, 0))
        short = where(upwards, add(short, cycle), short)
    small = less(absolute(steps), half if discont is None else as_core(discont))
    jumps = where(small, 0 if whole else 0.0, subtract(short, steps))
    return setitem.call(found, along(at, slice(1, None)), add(later, cumsum.call(jumps, at)))
