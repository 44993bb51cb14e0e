"""Hyperbolic functions and their inverses."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.elementwise.limits import bounded
from gradcli.ops.elementwise.pairs import COMPLEX_CASE
from gradcli.ops.elementwise.trigonometry import beside_the_cuts
from gradcli.ops.function import Function
from gradcli.ops.kinds import elementwise
from gradcli.ops.registry import elementwise_function

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


def _sech_squared_value(x: Any) -> Any:
    size = np.where(x.real < 0, -x, x) if x.dtype.kind == "c" else np.abs(x)
    t = np.exp(-2 * size)
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


def sech_squared(x: CoreValue) -> CoreValue:
    """The derivative of tanh, without cancellation."""
    return bind(SECH_SQUARED, x)


# --- inverses: their slopes are ops of their own, so that the next derivative is written without a difference -------


def _arcsinh_slope(x: Any) -> Any:
    if x.dtype.kind != "c":
        return 1 / np.hypot(x, 1)
    turned = np.empty_like(x)  # ix, part by part: a product would lose the sign of a zero
    turned.real, turned.imag = -x.imag, x.real
    below, above = beside_the_cuts(turned)
    return 1 / (np.sqrt(below) * np.sqrt(above))


def _arccosh_slope(x: Any) -> Any:
    return 1 / (np.sqrt(x - 1) * np.sqrt(x - (-1)))


def _arctanh_slope(x: Any) -> Any:
    return 1 / (1 - x) / (1 + x) if x.dtype.kind == "c" else 1 / ((1 - x) * (1 + x))


def _minus_cube(s: CoreValue, x: CoreValue) -> CoreValue:
    return -(bounded(x) * s) * s * s


ARCSINH_SLOPE: Op = elementwise(
    "arcsinh_slope",
    _arcsinh_slope,
    _minus_cube,
    meaning=lambda S, x: 1 / S.sqrt(1 + x * x),
    doc="1/sqrt(1 + x**2), the derivative of arcsinh.",
)
ARCCOSH_SLOPE: Op = elementwise(
    "arccosh_slope",
    _arccosh_slope,
    _minus_cube,
    meaning=lambda S, x: 1 / (S.sqrt(x - 1) * S.sqrt(x + 1)),
    doc="1/sqrt(x**2 - 1), the derivative of arccosh.",
)
ARCTANH_SLOPE: Op = elementwise(
    "arctanh_slope",
    _arctanh_slope,
    lambda s, x: 2 * (bounded(x) * s) * s,
    meaning=lambda S, x: 1 / (1 - x * x),
    doc="1/(1 - x**2), the derivative of arctanh.",
)
ARCSINH = elementwise(
    "arcsinh",
    np.arcsinh,
    lambda y, x: bind(ARCSINH_SLOPE, x),
    meaning=lambda S, x: S.asinh(x),
    torch="Asinh",
    saves=(0,),
    doc="Inverse hyperbolic sine.",
)
ARCCOSH = elementwise(
    "arccosh",
    np.arccosh,
    lambda y, x: bind(ARCCOSH_SLOPE, x),
    meaning=lambda S, x: S.acosh(x),
    torch="Acosh",
    saves=(0,),
    doc="Inverse hyperbolic cosine.",
)
ARCTANH = elementwise(
    "arctanh",
    np.arctanh,
    lambda y, x: bind(ARCTANH_SLOPE, x),
    meaning=lambda S, x: S.atanh(x),
    torch="Atanh",
    saves=(0,),
    doc="Inverse hyperbolic tangent.",
)
sinh: Function = elementwise_function(SINH, derivative="cosh(x)", cases=(COMPLEX_CASE,))
cosh: Function = elementwise_function(COSH, derivative="sinh(x)", cases=(COMPLEX_CASE,))
tanh: Function = elementwise_function(
    TANH, derivative="1 - tanh(x)**2", also=("torch.nn.functional.tanh", "jax.nn.tanh"), cases=(COMPLEX_CASE,)
)
arcsinh = elementwise_function(
    ARCSINH,
    derivative="1/sqrt(1 + x**2)",
    also=("torch.asinh", ".asinh", "numpy.asinh"),
    cases=(COMPLEX_CASE,),
)
arccosh = elementwise_function(
    ARCCOSH,
    derivative="1/sqrt(x**2 - 1)",
    domain=(1.2, 4.0),
    defined="x > 1",
    kinks="x = 1: infinite, the limit from inside",
    also=("torch.acosh", ".acosh", "numpy.acosh"),
    cases=(COMPLEX_CASE,),
)
arctanh = elementwise_function(
    ARCTANH,
    derivative="1/(1 - x**2)",
    domain=(-0.9, 0.9),
    defined="abs(x) < 1",
    kinks="x = -1 and x = 1: infinite, the limit from inside",
    also=("torch.atanh", ".atanh", "numpy.atanh"),
    cases=(COMPLEX_CASE,),
)
