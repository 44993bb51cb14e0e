"""Lengths and angles in the plane: hypot, arctan2, and the angle of a complex number.

Their slopes, x/r and x/r**2 with r**2 = x**2 + y**2, are computed without overflow, and differentiated as what they
are.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import OPERATORS, CoreValue, dtype_of
from gradcli.ops.elementwise.choices import where
from gradcli.ops.elementwise.comparison import equal
from gradcli.ops.elementwise.complex_parts import imag, real
from gradcli.ops.elementwise.limits import quiet
from gradcli.ops.elementwise.pairs import BROADCASTS, COMPLEX_CASE, PAIR
from gradcli.ops.elementwise.trigonometry import rad2deg
from gradcli.ops.function import Function, case
from gradcli.ops.kinds import elementwise, elementwise_general
from gradcli.ops.operands import operands
from gradcli.ops.registry import elementwise_function, function


def _brought_near(x: Any, y: Any) -> tuple[Any, Any, Any]:
    """Both over a power of 2 that brings the larger near 1, and its exponent. Of an infinity 1 is left, of what is
    finite beside one nothing; of two zeros zeros."""
    x, y = np.broadcast_arrays(x, y)
    largest = np.maximum(np.abs(x), np.abs(y))
    infinite = np.isinf(largest)
    exponent = np.frexp(np.where(infinite, 1, largest))[1]
    near = [
        np.where(infinite, np.where(np.isinf(part), np.copysign(1, part), 0), np.ldexp(part, -exponent))
        for part in (x, y)
    ]
    return near[0], near[1], exponent


def _plain(size: Any) -> bool:
    """Whether all sizes are far from overflow and underflow."""
    limits = np.finfo(size.dtype)
    return bool(np.all((size > limits.tiny / limits.eps) & (size < limits.max)))


@quiet
def _direction(x: Any, y: Any) -> Any:
    """x/hypot(x, y), and 0 at the origin."""
    r = np.hypot(x, y)
    if _plain(r):
        return x / r
    near, other, _ = _brought_near(x, y)
    r = np.hypot(near, other)
    return np.asarray(near / np.where(r == 0, 1, r), dtype=r.dtype)


@quiet
def _inverse(x: Any, y: Any) -> Any:
    """x/(x**2 + y**2), and 0 at the origin and at infinity."""
    square = x * x + y * y
    if _plain(square):
        return x / square
    near, other, exponent = _brought_near(x, y)
    square = near * near + other * other
    found = np.ldexp(near / np.where(square == 0, 1, square), -exponent)
    infinite = np.isinf(x) | np.isinf(y)
    return np.asarray(np.where(infinite, 0 * near, found), dtype=square.dtype)


def _over(s: CoreValue, r: CoreValue) -> CoreValue:
    """s/r, and s, which is 0, where r is."""
    return s / where(equal(r, 0), 1.0, r)


def _at_origin(x: Any, y: Any) -> Any:
    return (x == 0) & (y == 0)


DIRECTION: Op = elementwise(
    "direction",
    _direction,
    lambda u, x, y: _over(bind(DIRECTION, y, x), hypot(x, y)) * bind(DIRECTION, y, x),
    lambda u, x, y: -_over(u * bind(DIRECTION, y, x), hypot(x, y)),
    meaning=lambda S, x, y: x / S.sqrt(x * x + y * y),
    kink=_at_origin,
    doc="x/hypot(x, y), the derivative of hypot in x.",
)
INVERSE: Op = elementwise(
    "inverse_point",
    _inverse,
    lambda p, x, y: (bind(INVERSE, y, x) - p) * (bind(INVERSE, y, x) + p),
    lambda p, x, y: -2 * p * bind(INVERSE, y, x),
    meaning=lambda S, x, y: x / (x * x + y * y),
    kink=_at_origin,
    doc="x/(x**2 + y**2), the derivative of arctan2 in y.",
)
ARCTAN2 = elementwise(
    "arctan2",
    np.arctan2,
    lambda z, y, x: bind(INVERSE, x, y),
    lambda z, y, x: -bind(INVERSE, y, x),
    meaning=lambda S, y, x: S.atan2(y, x),
    torch="Atan2",
    kink=_at_origin,
    saves=(0, 1),
    doc="Angle of the point (x, y); the derivative at the origin is 0.",
)
HYPOT = elementwise(
    "hypot",
    np.hypot,
    lambda z, x, y: bind(DIRECTION, x, y),
    lambda z, x, y: bind(DIRECTION, y, x),
    meaning=lambda S, x, y: S.sqrt(x * x + y * y),
    torch="Hypot",
    kink=_at_origin,
    saves=(0, 1, "y"),
    doc="sqrt(x**2 + y**2), without overflow.",
)
arctan2 = elementwise_function(
    ARCTAN2,
    parameters=("y", "x"),
    derivative="x/(x**2 + y**2), -y/(x**2 + y**2)",
    defined="(x != 0) | (y != 0)",
    kinks="x = y = 0: 0, as in PyTorch; a jump of 2*pi across the negative x axis",
    also=("torch.atan2", ".atan2", "numpy.atan2"),
    cases=(*BROADCASTS, case(np.array([0.0, 1e-9]), np.array([-1.0, 1e9]))),
)
hypot: Function = elementwise_function(
    HYPOT,
    parameters=PAIR,
    derivative="x/hypot(x, y), y/hypot(x, y)",
    defined="(x != 0) | (y != 0)",
    kinks="x = y = 0: 0, the centre of all slopes there",
    cases=(*BROADCASTS, case(np.array([1e-9, 1e9]), np.array([1e9, 0.0]))),
)


# --- of a complex number ---------------------------------------------------------------------------------------------


def _turning(x: CoreValue) -> tuple[CoreValue, CoreValue]:
    """The derivatives of the angle in the real and in the imaginary part."""
    re, im = real(x), imag(x)
    return -bind(INVERSE, im, re), bind(INVERSE, re, im)


def _angle_vjp(g: CoreValue, y: CoreValue, x: CoreValue) -> CoreValue:
    if dtype_of(x).kind != "c":
        return OPERATORS["zeros_like"](x)
    by_re, by_im = _turning(x)
    return g * (by_re + 1j * by_im)


def _angle_jvp(t: CoreValue, x: CoreValue) -> CoreValue:
    if dtype_of(x).kind != "c":
        return OPERATORS["zeros_like"](x)
    by_re, by_im = _turning(x)
    return by_re * real(t) + by_im * imag(t)


ANGLE: Op = elementwise_general(
    "angle",
    np.angle,
    vjps=(_angle_vjp,),
    jvp=lambda ts, y, x: _angle_jvp(ts[0], x),
    meaning=lambda S, x: S.atan2(S.im(x), S.re(x)),
    torch="Angle",
    kink=lambda x: x == 0,
    saves=(0,),
    doc="The angle of a complex number from the positive real axis; of a negative number, pi.",
)


@function(
    family="elementwise",
    op=ANGLE,
    where="numpy torch method",
    derivative="0",
    kinks="x = 0: 0, as in PyTorch; a jump of 2*pi across the negative real axis",
    source="of complex x = a + ib the gradient is (-b + ia)/|x|**2: that of arctan2(b, a)",
    cases=(case((3,)), COMPLEX_CASE, case(np.array([0.5 - 1.5j]), deg=True)),
)
def angle(x: Any, deg: bool = False) -> CoreValue:
    """The angle of a complex number, in radians or degrees; of a real one 0, or pi if it is negative."""
    found = bind(ANGLE, *operands((x,), True))
    return rad2deg.call(found) if deg else found
