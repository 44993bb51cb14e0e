"""Trigonometric and hyperbolic functions and their inverses."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.values import CoreValue, dtype_of
from gradcli.ops.elementwise.comparison import equal
from gradcli.ops.elementwise.pairs import BROADCASTS, PAIR
from gradcli.ops.elementwise.piecewise import where
from gradcli.ops.elementwise.powers import sqrt, square
from gradcli.ops.function import Function
from gradcli.ops.kinds import elementwise
from gradcli.ops.registry import elementwise_function

SIN = elementwise(
    "sin",
    np.sin,
    lambda y, x: cos(x),
    meaning=lambda S, x: S.sin(x),
    torch="Sin",
    saves=(0,),
    doc="Sine of an angle in radians.",
)
COS = elementwise(
    "cos",
    np.cos,
    lambda y, x: -sin(x),
    meaning=lambda S, x: S.cos(x),
    torch="Cos",
    saves=(0,),
    doc="Cosine of an angle in radians.",
)
TAN = elementwise(
    "tan",
    np.tan,
    lambda y, x: 1 + y * y,
    meaning=lambda S, x: S.tan(x),
    torch="Tan",
    saves=("y",),
    doc="Tangent of an angle in radians.",
)
ARCSIN = elementwise(
    "arcsin",
    np.arcsin,
    lambda y, x: 1 / sqrt((1 - x) * (1 + x)),
    meaning=lambda S, x: S.asin(x),
    torch="Asin",
    saves=(0,),
    doc="Angle whose sine is x.",
)
ARCCOS = elementwise(
    "arccos",
    np.arccos,
    lambda y, x: -1 / sqrt((1 - x) * (1 + x)),
    meaning=lambda S, x: S.acos(x),
    torch="Acos",
    saves=(0,),
    doc="Angle whose cosine is x.",
)
ARCTAN = elementwise(
    "arctan",
    np.arctan,
    lambda y, x: 1 / (1 + x * x),
    meaning=lambda S, x: S.atan(x),
    torch="Atan",
    saves=(0,),
    doc="Angle whose tangent is x.",
)
SINH = elementwise(
    "sinh",
    np.sinh,
    lambda y, x: cosh(x),
    meaning=lambda S, x: S.sinh(x),
    torch="Sinh",
    saves=(0,),
    doc="Hyperbolic sine.",
)
COSH = elementwise(
    "cosh",
    np.cosh,
    lambda y, x: sinh(x),
    meaning=lambda S, x: S.cosh(x),
    torch="Cosh",
    saves=(0,),
    doc="Hyperbolic cosine.",
)
# (1 - y)(1 + y) cancels for large x, where sech**2 does not. It is an op of its own, since a rule with |x| in it would
# be right no further than the next derivative at 0.
TANH = elementwise(
    "tanh",
    np.tanh,
    lambda y, x: sech_squared(x),
    meaning=lambda S, x: S.tanh(x),
    torch="Tanh",
    saves=("y",),
    doc="Hyperbolic tangent.",
)
ARCSINH = elementwise(
    "arcsinh",
    np.arcsinh,
    lambda y, x: 1 / (sqrt(1 + square(x)) if dtype_of(x).kind == "c" else hypot(x, 1.0)),
    meaning=lambda S, x: S.asinh(x),
    torch="Asinh",
    saves=(0,),
    doc="Inverse hyperbolic sine.",
)
ARCCOSH = elementwise(
    "arccosh",
    np.arccosh,
    lambda y, x: 1 / (sqrt(x - 1) * sqrt(x + 1)),
    meaning=lambda S, x: S.acosh(x),
    torch="Acosh",
    saves=(0,),
    doc="Inverse hyperbolic cosine.",
)
ARCTANH = elementwise(
    "arctanh",
    np.arctanh,
    lambda y, x: 1 / ((1 - x) * (1 + x)),
    meaning=lambda S, x: S.atanh(x),
    torch="Atanh",
    saves=(0,),
    doc="Inverse hyperbolic tangent.",
)
ARCTAN2 = elementwise(
    "arctan2",
    np.arctan2,
    lambda z, y, x: _over_square(x, x, y),
    lambda z, y, x: -_over_square(y, x, y),
    meaning=lambda S, y, x: S.atan2(y, x),
    torch="Atan2",
    kink=lambda y, x: (x == 0) & (y == 0),
    saves=(0, 1),
    doc="Angle of the point (x, y); the derivative at the origin is 0.",
)
HYPOT = elementwise(
    "hypot",
    np.hypot,
    lambda z, x, y: x / _nonzero(z),
    lambda z, x, y: y / _nonzero(z),
    meaning=lambda S, x, y: S.sqrt(x * x + y * y),
    torch="Hypot",
    kink=lambda x, y: (x == 0) & (y == 0),
    saves=(0, 1, "y"),
    doc="sqrt(x**2 + y**2), without overflow.",
)


def _sech_squared_value(x: Any) -> Any:
    if x.dtype.kind == "c":
        return 1 / np.square(np.cosh(x))
    t = np.exp(-2 * np.abs(x))
    return 4 * t / np.square(1 + t)


def _sech_squared_meaning(S: Any, x: Any) -> Any:
    c = S.cosh(x)
    return 1 / (c * c)


SECH_SQUARED = elementwise(
    "sech_squared",
    _sech_squared_value,
    lambda y, x: -2 * tanh(x) * y,
    meaning=_sech_squared_meaning,
    saves=(0, "y"),
    doc="1/cosh(x)**2, the derivative of tanh.",
)
DEG2RAD = elementwise(
    "deg2rad",
    np.deg2rad,
    lambda y, x: _DEGREE,
    meaning=lambda S, x: x * S.pi / 180,
    torch="Deg2Rad",
    doc="Degrees to radians.",
)
RAD2DEG = elementwise(
    "rad2deg",
    np.rad2deg,
    lambda y, x: 1 / _DEGREE,
    meaning=lambda S, x: x * 180 / S.pi,
    torch="Rad2Deg",
    doc="Radians to degrees.",
)
_DEGREE = 0.017453292519943295


def sech_squared(x: CoreValue) -> CoreValue:
    """The derivative of tanh, without cancellation."""
    return bind(SECH_SQUARED, x)


def _nonzero(r: CoreValue) -> CoreValue:
    """A radius to divide by: at the origin 1, so that x/r and y/r are 0 there."""
    return where(equal(r, 0), 1.0, r)


def _over_square(s: CoreValue, x: CoreValue, y: CoreValue) -> CoreValue:
    """s/(x**2 + y**2) without overflow, and 0 at the origin."""
    r = _nonzero(hypot(x, y))
    return s / r / r


sin: Function = elementwise_function(SIN, derivative="cos(x)")
cos: Function = elementwise_function(COS, derivative="-sin(x)")
tan = elementwise_function(TAN, derivative="1 + tan(x)**2", domain=(-1.2, 1.2))
arcsin = elementwise_function(
    ARCSIN, derivative="1/sqrt(1 - x**2)", domain=(-0.9, 0.9), also=("torch.asin", ".asin", "numpy.asin")
)
arccos = elementwise_function(
    ARCCOS, derivative="-1/sqrt(1 - x**2)", domain=(-0.9, 0.9), also=("torch.acos", ".acos", "numpy.acos")
)
arctan = elementwise_function(ARCTAN, derivative="1/(1 + x**2)", also=("torch.atan", ".atan", "numpy.atan"))
sinh: Function = elementwise_function(SINH, derivative="cosh(x)")
cosh: Function = elementwise_function(COSH, derivative="sinh(x)")
tanh: Function = elementwise_function(TANH, derivative="1 - tanh(x)**2", also=("torch.nn.functional.tanh",))
arcsinh = elementwise_function(ARCSINH, derivative="1/sqrt(1 + x**2)", also=("torch.asinh", ".asinh", "numpy.asinh"))
arccosh = elementwise_function(
    ARCCOSH, derivative="1/sqrt(x**2 - 1)", domain=(1.2, 4.0), also=("torch.acosh", ".acosh", "numpy.acosh")
)
arctanh = elementwise_function(
    ARCTANH, derivative="1/(1 - x**2)", domain=(-0.9, 0.9), also=("torch.atanh", ".atanh", "numpy.atanh")
)
arctan2 = elementwise_function(
    ARCTAN2,
    parameters=("y", "x"),
    derivative="x/(x**2 + y**2), -y/(x**2 + y**2)",
    also=("torch.atan2", ".atan2", "numpy.atan2"),
    cases=BROADCASTS,
)
hypot: Function = elementwise_function(
    HYPOT, parameters=PAIR, derivative="x/hypot(x, y), y/hypot(x, y)", cases=BROADCASTS
)
deg2rad = elementwise_function(DEG2RAD, derivative="pi/180", also=("numpy.radians", "scipy.special.radian"))
rad2deg = elementwise_function(RAD2DEG, derivative="180/pi", also=("numpy.degrees",))
