"""Differences of neighbours, and derivatives of sampled functions made of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.values import CoreValue, count_of, dtype_of, ndim_of, shape_of
from gradcli.ops.arguments import integer
from gradcli.ops.axes import axis_of
from gradcli.ops.axis_order import moveaxis
from gradcli.ops.casts import cast
from gradcli.ops.elementwise import not_equal
from gradcli.ops.function import case
from gradcli.ops.kinds import expanded, fits
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.reduction import COMPLEX
from gradcli.ops.registry import function
from gradcli.ops.running import joined, part
from gradcli.ops.shape import reshaped

# --- differences -----------------------------------------------------------------------------------------------------


def steps(x: CoreValue) -> CoreValue:
    """The differences of neighbours along the last axis."""
    after, before = part(x, slice(1, None)), part(x, slice(0, -1))
    return not_equal(after, before) if dtype_of(x).kind == "b" else after - before


def _edge(name: str, value: Any, x: CoreValue, axis: int) -> CoreValue:
    """What stands before or after the elements of x along an axis: a number stands in every place."""
    found = as_core(value)
    if ndim_of(found):
        return moveaxis(found, axis, -1)
    shape = list(shape_of(moveaxis(x, axis, -1)))
    shape[-1] = 1
    return expanded(found, tuple(shape))


@function(
    family="reduction",
    where="numpy torch method",
    derivative="vjp: the negative differences of g, with zeros at its ends",
    cases=(
        case((4,)),
        case((2, 3), axis=0),
        case((2, 5), 2),
        case((3,), 0),
        case((2, 3), prepend=0.5),
        case((2, 3), axis=0, append=np.array([[1.0, 2.0, -1.0]])),
        case((3,), 2, prepend=np.array([1.0]), append=2.0),
        case((1,)),
        case(COMPLEX, axis=1),
    ),
)
def diff(x: Any, n: Any = 1, axis: Any = -1, prepend: Any = None, append: Any = None) -> CoreValue:
    """Differences of neighbours along an axis, n times."""
    found = as_core(x)
    if not ndim_of(found):
        raise ShapeError("diff takes a value with at least one axis")
    at = axis_of("diff", axis, found)
    times = integer(n, "diff: n")
    if times < 0:
        raise ArgumentError(f"diff: n is at least 0, not {times}")
    if not times:
        return found
    row = moveaxis(found, at, -1)
    edges = [None if edge is None else _edge("diff", edge, found, at) for edge in (prepend, append)]
    parts = [p for p in (edges[0], row, edges[1]) if p is not None]
    row = joined(parts) if len(parts) > 1 else row
    for _ in range(min(times, shape_of(row)[-1])):
        row = steps(row)
    return moveaxis(row, -1, at)


@function(
    family="reduction",
    where="numpy",
    derivative="vjp: the negative differences of g, with zeros at its ends",
    cases=(case((4,)), case((2, 3)), case((3,), to_begin=1.5), case((3,), (2,), (1,)), case((1,))),
)
def ediff1d(x: Any, to_end: Any = None, to_begin: Any = None) -> CoreValue:
    """Differences of neighbours, of all elements in order, between other numbers if they are given."""
    found = as_core(x)
    line = steps(reshaped(found, (count_of(shape_of(found)),)))
    ends = [None if v is None else reshaped(as_core(v), (count_of(shape_of(as_core(v))),)) for v in (to_begin, to_end)]
    parts = [p for p in (ends[0], line, ends[1]) if p is not None]
    return joined(parts) if len(parts) > 1 else line


# --- derivatives of sampled functions --------------------------------------------------------------------------------


def _along_last(f: CoreValue, h: CoreValue, edge_order: int, uniform: bool) -> CoreValue:
    """The derivative along the last axis, by second-order differences inside and of `edge_order` at the ends.

    `h` is the step, or the steps along the last axis.
    """
    slopes = steps(f) / h
    if uniform:
        inside = (part(f, slice(2, None)) - part(f, slice(0, -2))) / (2 * h)
    else:
        before, after = part(h, slice(0, -1)), part(h, slice(1, None))
        inside = (before * part(slopes, slice(1, None)) + after * part(slopes, slice(0, -1))) / (before + after)
    first, last = part(slopes, slice(0, 1)), part(slopes, slice(-1, None))
    if edge_order == 2:
        first = first - _bend(part(slopes, slice(0, 2)), h if uniform else part(h, slice(0, 2)), 0)
        last = last + _bend(part(slopes, slice(-2, None)), h if uniform else part(h, slice(-2, None)), 1)
    return joined([first, inside, last])


def _bend(slopes: CoreValue, h: CoreValue, end: int) -> CoreValue:
    """By how much two neighbouring slopes change from the middle of the outer step to its outer end."""
    rise = steps(slopes)
    if not hasattr(h, "dtype") or not ndim_of(h):
        return rise / 2
    near, far = part(h, slice(end, end + 1)), part(h, slice(1 - end, 2 - end))
    return rise * (near / (near + far))


def _one(name: str, f: CoreValue, spacing: Any, axis: int, edge_order: int) -> CoreValue:
    row = moveaxis(f, axis, -1)
    length = shape_of(row)[-1]
    if length < edge_order + 1:
        raise ShapeError(
            f"{name}: axis {axis + ndim_of(f)} of shape {fits(shape_of(f))} is too short",
            mend=f"edge_order={edge_order} needs {edge_order + 1} elements",
        )
    h = spacing if isinstance(spacing, int | float) else to_float(as_core(spacing))
    if isinstance(h, int | float) or not ndim_of(h):
        return moveaxis(_along_last(row, h, edge_order, True), -1, axis)
    if shape_of(h) != (length,):
        raise ShapeError(f"{name}: coordinates of shape {fits(shape_of(h))} for {length} elements along an axis")
    return moveaxis(_along_last(row, steps(h), edge_order, False), -1, axis)


def _gradients(name: str, f: Any, spacings: list[Any], axis: Any, edge_order: Any) -> list[CoreValue]:
    found = to_float(as_core(f))
    order = integer(edge_order, f"{name}: edge_order")
    if order not in (1, 2):
        raise ArgumentError(f"{name}: edge_order is 1 or 2, not {order}")
    given = range(ndim_of(found)) if axis is None else axis if isinstance(axis, list | tuple) else [axis]
    axes = [axis_of(name, a, found) for a in given]
    if len(set(axes)) < len(axes):
        raise ShapeError(f"{name}: an axis is given twice")
    if not spacings:
        spacings = [1.0]
    if len(spacings) == 1 and len(axes) > 1 and not (hasattr(spacings[0], "dtype") and ndim_of(spacings[0])):
        spacings = spacings * len(axes)
    if len(spacings) != len(axes):
        raise ArgumentError(f"{name}: {len(spacings)} spacings for {len(axes)} axes", mend="one, or one per axis")
    # In the dtype of the samples, as in NumPy, whatever that of the coordinates.
    return [cast(_one(name, found, h, a, order), dtype_of(found)) for h, a in zip(spacings, axes, strict=True)]


_X = np.array([0.0, 1.0, 1.5, 3.0])
_RULE = "vjp: the transposes of the differences: by f, g/(2*h) to one neighbour and -g/(2*h) to the other"


@function(
    family="reduction",
    where="numpy",
    derivative=_RULE,
    defined="coordinates that differ from their neighbours",
    cases=(
        case((4,)),
        case((4,), 0.5),
        case((4,), _X),
        case((4,), _X, edge_order=2),
        case((4,), edge_order=2),
        case((3, 4)),
        case((3, 4), 0.5, _X),
        case((3, 4), 2.0, axis=0),
        case((3, 4), axis=[1, 0]),
        case((2,)),
        case(np.array([1.0 + 1.0j, 2.0 - 1.0j, 0.5j])),
    ),
)
def gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: Any = 1) -> Any:
    """The derivative of a sampled function along axes, by differences; several axes give a tuple.

    Spacings are numbers, or vectors of coordinates, one per axis or one for all.
    """
    found = _gradients("gradient", f, list(varargs), axis, edge_order)
    return found[0] if len(found) == 1 else tuple(found)


@function(
    "gradient_torch",
    family="reduction",
    where="",
    also=("torch.gradient",),
    derivative=_RULE,
    defined="coordinates that differ from their neighbours",
    cases=(
        case((4,)),
        case((4,), spacing=0.5),
        case((3, 4), spacing=[2.0, 0.5]),
        case((4,), spacing=[_X]),
        case((3, 4), dim=1, edge_order=2),
    ),
)
def gradient_torch(input: Any, *, spacing: Any = 1, dim: Any = None, edge_order: Any = 1) -> tuple[CoreValue, ...]:
    """The derivatives of a sampled function along axes, by differences: a tuple, one for each axis."""
    spacings = list(spacing) if isinstance(spacing, list | tuple) else [spacing]
    return tuple(_gradients("gradient", input, spacings, dim, edge_order))
