"""Trigonometric functions, their inverses, and degrees.

The slopes of the inverses are ops of their own: (1 - x)(1 + x) does not cancel near 1, but its derivative by the
product rule would.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import dtype_of
from gradcli.ops.elementwise.limits import bounded, quiet
from gradcli.ops.elementwise.pairs import COMPLEX_CASE
from gradcli.ops.function import Function, case
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


@quiet
def _sec_squared(x: Any) -> Any:
    """1/cos(x)**2 of complex x by the exponential that does not overflow; far from the real axis 1 + tan**2 cancels."""
    t = np.exp(2j * np.where(x.imag < 0, -x, x))
    return 4 * t / np.square(1 + t)


SEC_SQUARED: Op = elementwise(
    "sec_squared",
    _sec_squared,
    lambda y, x: 2 * tan(x) * y,
    meaning=lambda S, x: 1 / (S.cos(x) * S.cos(x)),
    doc="1/cos(x)**2, the derivative of tan at complex x.",
)
TAN = elementwise(
    "tan",
    np.tan,
    lambda y, x: bind(SEC_SQUARED, x) if dtype_of(x).kind == "c" else 1 + y * y,
    meaning=lambda S, x: S.tan(x),
    torch="Tan",
    saves=("y",),
    doc="Tangent of an angle in radians.",
)


def beside_the_cuts(x: Any) -> tuple[Any, Any]:
    """1 - x and 1 + x, which keep the sign of an imaginary zero: it says on which side of a branch cut x lies."""
    return -(x - 1), x - (-1)


def _arcsin_slope(x: Any) -> Any:
    if x.dtype.kind == "c":
        below, above = beside_the_cuts(x)
        return 1 / (np.sqrt(below) * np.sqrt(above))
    return 1 / np.sqrt((1 - x) * (1 + x))


ARCSIN_SLOPE: Op = elementwise(
    "arcsin_slope",
    _arcsin_slope,
    lambda s, x: (x * s) * (s * s),
    meaning=lambda S, x: 1 / S.sqrt(1 - x * x),
    doc="1/sqrt(1 - x**2), the derivative of arcsin.",
)


@quiet
def _arctan_slope(x: Any) -> Any:
    """1/(1 + x**2), by (1/x)/x where the square would overflow."""
    y = np.asarray(1 / (1 + x * x))
    far = np.abs(x) > 1 / np.finfo(x.dtype).eps
    return np.where(far, (1 / np.where(far, x, 1)) / np.where(far, x, 1), y) if np.count_nonzero(far) else y


ARCTAN_SLOPE: Op = elementwise(
    "arctan_slope",
    _arctan_slope,
    lambda s, x: -2 * (bounded(x) * s) * s,
    meaning=lambda S, x: 1 / (1 + x * x),
    doc="1/(1 + x**2), the derivative of arctan.",
)
ARCSIN = elementwise(
    "arcsin",
    np.arcsin,
    lambda y, x: bind(ARCSIN_SLOPE, x),
    meaning=lambda S, x: S.asin(x),
    torch="Asin",
    saves=(0,),
    doc="Angle whose sine is x.",
)
ARCCOS = elementwise(
    "arccos",
    np.arccos,
    lambda y, x: -bind(ARCSIN_SLOPE, x),
    meaning=lambda S, x: S.acos(x),
    torch="Acos",
    saves=(0,),
    doc="Angle whose cosine is x.",
)
ARCTAN = elementwise(
    "arctan",
    np.arctan,
    lambda y, x: bind(ARCTAN_SLOPE, x),
    meaning=lambda S, x: S.atan(x),
    torch="Atan",
    saves=(0,),
    doc="Angle whose tangent is x.",
)
_DEGREE = 0.017453292519943295
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

sin: Function = elementwise_function(SIN, derivative="cos(x)", cases=(COMPLEX_CASE,))
cos: Function = elementwise_function(COS, derivative="-sin(x)", cases=(COMPLEX_CASE,))
tan: Function = elementwise_function(
    TAN, derivative="1 + tan(x)**2", domain=(-1.2, 1.2), defined="cos(x) != 0", cases=(COMPLEX_CASE,)
)
_ENDS = "x = -1 and x = 1: infinite, the limit from inside"
arcsin = elementwise_function(
    ARCSIN,
    derivative="1/sqrt(1 - x**2)",
    domain=(-0.9, 0.9),
    defined="abs(x) < 1",
    kinks=_ENDS,
    also=("torch.asin", ".asin", "numpy.asin"),
    cases=(COMPLEX_CASE,),
)
arccos = elementwise_function(
    ARCCOS,
    derivative="-1/sqrt(1 - x**2)",
    domain=(-0.9, 0.9),
    defined="abs(x) < 1",
    kinks=_ENDS,
    also=("torch.acos", ".acos", "numpy.acos"),
    cases=(COMPLEX_CASE,),
)
arctan = elementwise_function(
    ARCTAN,
    derivative="1/(1 + x**2)",
    also=("torch.atan", ".atan", "numpy.atan"),
    cases=(COMPLEX_CASE, case(np.array([1e300, -1e17]))),
)
deg2rad = elementwise_function(DEG2RAD, derivative="pi/180", also=("numpy.radians", "scipy.special.radian"))
rad2deg = elementwise_function(RAD2DEG, derivative="180/pi", also=("numpy.degrees",))
