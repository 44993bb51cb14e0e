"""Integrals of sampled functions: the trapezoidal rule, running or whole, and Simpson's."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.values import CoreValue, dtype_of, ndim_of, shape_of
from gradcli.ops.axes import axis_of
from gradcli.ops.axis_order import moveaxis
from gradcli.ops.differences import steps
from gradcli.ops.function import case
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.reduction import COMPLEX, total
from gradcli.ops.registry import function
from gradcli.ops.running import cumsum, joined, part

_X = np.array([0.0, 1.0, 1.5, 3.0])


def _sampled(name: str, y: Any, x: Any, dx: Any, axis: Any) -> tuple[CoreValue, CoreValue, int]:
    """(the samples with the axis last, the step or the steps between them, the axis)."""
    found = to_float(as_core(y))
    if not ndim_of(found):
        raise ShapeError(f"{name} takes samples along an axis, not a scalar")
    at = axis_of(name, axis, found)
    row = moveaxis(found, at, -1)
    if x is None:
        return row, dx if isinstance(dx, int | float) else as_core(1.0 if dx is None else dx), at
    places = to_float(as_core(x))
    places = places if ndim_of(places) == 1 else moveaxis(places, at, -1)
    if shape_of(places)[-1] != shape_of(row)[-1]:
        raise ShapeError(
            f"{name}: {shape_of(places)[-1]} places for {shape_of(row)[-1]} samples along axis {at + ndim_of(found)}"
        )
    return row, steps(places), at


def _areas(row: CoreValue, h: CoreValue) -> CoreValue:
    return h * (part(row, slice(1, None)) + part(row, slice(0, -1))) / 2.0


_CASES = (
    case((4,)),
    case((4,), _X),
    case((2, 4), _X),
    case((4, 2), _X, axis=0),
    case((2, 3), (2, 3)),
    case((2, 3), dx=0.5, axis=0),
    case((1,)),
    case(COMPLEX, axis=1),
)
_RULE = "vjp: g*h/2 to both ends of each step h; by x, g times the differences of areas"


@function(
    family="reduction",
    where="numpy torch",
    also=("numpy.trapz", "torch.trapz", "scipy.integrate.trapezoid"),
    derivative=_RULE,
    cases=_CASES,
)
def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: Any = -1) -> CoreValue:
    """The integral of samples along an axis by the trapezoidal rule."""
    row, h, _ = _sampled("trapezoid", y, x, dx, axis)
    return total(_areas(row, h), (-1,))


@function(
    family="reduction",
    where="torch",
    also=("scipy.integrate.cumulative_trapezoid",),
    derivative="vjp: that of the areas of the steps, of running sums of g from the end",
    cases=(*_CASES[:-2], case((4,), initial=0), case((2, 4), _X, initial=0)),
)
def cumulative_trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: Any = -1, initial: Any = None) -> CoreValue:
    """Running integrals of samples along an axis by the trapezoidal rule, after a 0 if the initial value is given."""
    row, h, at = _sampled("cumulative_trapezoid", y, x, dx, axis)
    found = cumsum.call(_areas(row, h), -1)
    if initial is not None:
        if initial != 0:
            raise ArgumentError("cumulative_trapezoid: initial is 0 or None")
        found = joined([np.zeros((*shape_of(found)[:-1], 1), dtype_of(found)), found])
    return moveaxis(found, -1, at)


def _pairs(row: CoreValue, h: CoreValue) -> CoreValue:
    """The integral over steps two by two, each pair by the parabola through its three samples."""
    first, middle, last = (part(row, s) for s in (slice(0, -1, 2), slice(1, None, 2), slice(2, None, 2)))
    first = part(first, slice(0, shape_of(middle)[-1]))
    near, far = part(h, slice(0, None, 2)), part(h, slice(1, None, 2))
    areas = first * (2.0 - far / near) + middle * (near + far) * (near + far) / (near * far) + last * (2.0 - near / far)
    return total((near + far) / 6.0 * areas, (-1,))


def _odd_step(row: CoreValue, h: CoreValue) -> CoreValue:
    """The integral over the last step, by the parabola through the last three samples."""
    near, far = part(h, slice(-1, None)), part(h, slice(-2, -1))
    ends = [part(row, slice(i, i + 1 or None)) for i in (-1, -2, -3)]
    weights = (
        (2.0 * near * near + 3.0 * near * far) / (6.0 * (near + far)),
        (near * near + 3.0 * near * far) / (6.0 * far),
        -near * near * near / (6.0 * far * (near + far)),
    )
    found = sum(w * y for w, y in zip(weights, ends, strict=True))
    return total(found, (-1,))


@function(
    family="reduction",
    where="",
    also=("scipy.integrate.simpson",),
    derivative="vjp: g times the weights of Simpson's rule; by x, g times their derivatives",
    defined="places that differ from their neighbours",
    source="Cartwright, Simpson's rule cumulative integration with MS Excel and irregularly-spaced data, 2017",
    cases=(
        case((5,)),
        case((4,)),
        case((4,), _X),
        case((2, 5), dx=0.5),
        case((2,), np.array([0.0, 1.5])),
        case((5, 2), np.array([0.0, 0.5, 2.0, 2.5, 4.0]), axis=0),
        case((1,)),
    ),
)
def simpson(y: Any, x: Any = None, dx: Any = 1.0, axis: Any = -1) -> CoreValue:
    """The integral of samples along an axis by Simpson's rule; an odd step at the end by its own parabola."""
    row, h, _ = _sampled("simpson", y, x, dx, axis)
    count = shape_of(row)[-1]
    if count < 3:
        return total(_areas(row, h), (-1,))
    h = h * np.ones(count - 1) if not ndim_of(h) else h
    even = row if count % 2 else part(row, slice(0, -1))
    found = _pairs(even, h if count % 2 else part(h, slice(0, -1)))
    return found if count % 2 else found + _odd_step(row, h)
