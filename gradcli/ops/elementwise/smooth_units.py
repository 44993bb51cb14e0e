"""Smooth activation functions: silu, mish, softsign, tanhshrink, squareplus.

Each is x times a smooth step, or near it; far out the step has vanished, and x times nothing is nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.elementwise.hyperbolic import sech_squared, tanh
from gradcli.ops.elementwise.limits import bounded, mended, quiet
from gradcli.ops.elementwise.real_operands import real_operand
from gradcli.ops.elementwise.signs import absolute, sign
from gradcli.ops.elementwise.smooth_steps import sigmoid, sigmoid_value, softplus
from gradcli.ops.function import case
from gradcli.ops.kinds import elementwise
from gradcli.ops.registry import function

CASES = (case((4,)), case((2, 3)), case(()), case(np.array([-800.0, -30.0, 30.0, 800.0])))


def tail(factor: Any, x: Any) -> Any:
    """factor*exp(x) for x far below 0, in halves: exp(x) alone would have lost digits before the product has."""
    half = np.exp(x / 2)
    return factor * half * half


def _finite(x: Any) -> Any:
    top = np.finfo(x.dtype).max
    return np.minimum(np.maximum(x, -top), top)


# --- silu ------------------------------------------------------------------------------------------------------------


#: From here down 1 + exp(x) is 1.
_LOW = -40


@quiet
def _silu(x: Any) -> Any:
    return mended(x * sigmoid_value(x), x < _LOW, lambda low: tail(_finite(low), low), x)


def _silu_slope(x: Any) -> Any:
    t = np.exp(-np.abs(x))
    near = np.where(x >= 0, 1 + t * (1 + _finite(x)), t * (1 + t + _finite(x))) / np.square(1 + t)
    return mended(near, x < _LOW, lambda low: tail(1 + _finite(low), low), x)


def _silu_slope_meaning(S: Any, x: Any) -> Any:
    s = 1 / (1 + S.exp(-x))
    return s * (1 + x * (1 - s))


SILU_SLOPE: Op = elementwise(
    "silu_slope",
    _silu_slope,
    lambda s, x: 0.25 * sech_squared(0.5 * x) * (2 - bounded(x) * tanh(0.5 * x)),
    meaning=_silu_slope_meaning,
    doc="The derivative of silu.",
)
SILU = elementwise(
    "silu",
    _silu,
    lambda y, x: bind(SILU_SLOPE, x),
    meaning=lambda S, x: x / (1 + S.exp(-x)),
    torch="Silu",
    saves=(0,),
    doc="x*sigmoid(x), the swish.",
)


@function(
    family="activation",
    where="F",
    also=("jax.nn.silu", "jax.nn.swish"),
    op=SILU,
    derivative="sigmoid(input)*(1 + input*sigmoid(-input))",
    source="Hendrycks and Gimpel 2016; Ramachandran, Zoph and Le 2017",
    cases=CASES,
)
def silu(input: Any, inplace: bool = False) -> CoreValue:
    """x*sigmoid(x), the swish."""
    return bind(SILU, real_operand("silu", input))


# --- mish ------------------------------------------------------------------------------------------------------------


def _softplus_tanh(x: Any) -> Any:
    """tanh(log(1 + exp(x))) as n/(n + 2) with n = exp(x)(exp(x) + 2), by the exponential that does not overflow."""
    t = np.exp(-np.abs(x))
    n = np.where(x < 0, t * (t + 2), 1 + 2 * t)
    return n / (n + np.where(x < 0, 2, 2 * t * t))


@quiet
def _mish(x: Any) -> Any:
    return mended(x * _softplus_tanh(x), x < _LOW, lambda low: tail(_finite(low), low), x)


def _softplus_tanh_slope(x: Any) -> Any:
    """The derivative of that: 4 exp(x)(exp(x) + 1)/(n + 2)**2."""
    t = np.exp(-np.abs(x))
    below = 2 + t * (t + 2)
    above = 1 + 2 * t + 2 * t * t
    return np.where(x < 0, 4 * t * (1 + t) / np.square(below), 4 * t * t * (1 + t) / np.square(above))


def _mish_slope(x: Any) -> Any:
    near = _softplus_tanh(x) + _finite(x) * _softplus_tanh_slope(x)
    return mended(near, x < _LOW, lambda low: tail(1 + _finite(low), low), x)


def _mish_slope_meaning(S: Any, x: Any) -> Any:
    e = S.exp(x)
    n = e * (e + 2)
    return n / (n + 2) + x * 4 * e * (e + 1) / ((n + 2) * (n + 2))


def _mish_bend(s: CoreValue, x: CoreValue) -> CoreValue:
    """2 w' + x w'', the second derivative of x w with w = tanh(softplus(x)): w' is sech(softplus(x))**2 sigmoid(x)."""
    inner, step = softplus(x), sigmoid(x)
    slope = sech_squared(inner) * step
    bend = slope * (sigmoid(-x) - 2 * tanh(inner) * step)
    return 2 * slope + bounded(x) * bend


MISH_SLOPE: Op = elementwise(
    "mish_slope", _mish_slope, _mish_bend, meaning=_mish_slope_meaning, doc="The derivative of mish."
)
MISH = elementwise(
    "mish",
    _mish,
    lambda y, x: bind(MISH_SLOPE, x),
    meaning=lambda S, x: x * S.tanh(S.log(1 + S.exp(x))),
    torch="Mish",
    saves=(0,),
    doc="x*tanh(softplus(x)).",
)


@function(
    family="activation",
    where="F",
    also=("jax.nn.mish",),
    op=MISH,
    derivative="tanh(softplus(input)) + input*sigmoid(input)/cosh(softplus(input))**2",
    source="Misra 2019; with n = exp(x)(exp(x) + 2) it is x n/(n + 2)",
    cases=CASES,
)
def mish(input: Any, inplace: bool = False) -> CoreValue:
    """x*tanh(softplus(x))."""
    return bind(MISH, real_operand("mish", input))


# --- algebraic steps -------------------------------------------------------------------------------------------------


@quiet
def _softsign(x: Any) -> Any:
    return np.where(np.isinf(x), np.sign(x), x / (1 + np.abs(x))).astype(x.dtype)


SOFTSIGN_SLOPE: Op = elementwise(
    "softsign_slope",
    lambda x: np.square(1 / (1 + np.abs(x))),
    lambda s, x: -2 * sign(x) * s / (1 + absolute(x)),
    meaning=lambda S, x: 1 / ((1 + S.abs(x)) * (1 + S.abs(x))),
    kink=lambda x: x == 0,
    doc="The derivative of softsign.",
)
SOFTSIGN = elementwise(
    "softsign",
    _softsign,
    lambda y, x: bind(SOFTSIGN_SLOPE, x),
    meaning=lambda S, x: x / (1 + S.abs(x)),
    saves=(0,),
    doc="x/(1 + |x|).",
)


@function(
    family="activation",
    where="F",
    also=("jax.nn.soft_sign",),
    op=SOFTSIGN,
    derivative="1/(1 + abs(input))**2",
    kinks="x = 0: smooth once; the second derivative there is 0, between its two sides",
    cases=CASES,
)
def softsign(input: Any) -> CoreValue:
    """x/(1 + abs(x))."""
    return bind(SOFTSIGN, real_operand("softsign", input))


def _series() -> tuple[float, ...]:
    """2k/(2k + 1)!, the coefficients of x cosh(x) - sinh(x) from x**3 on."""
    factorial, found = 1, []
    for k in range(1, 14):
        factorial *= 2 * k * (2 * k + 1)
        found.append(2 * k / factorial)
    return tuple(found)


_SERIES = _series()


def _tanhshrink(x: Any) -> Any:
    """x - tanh(x), which near 0 is (x cosh(x) - sinh(x))/cosh(x), by the numerator's series."""
    near = np.minimum(np.maximum(x, -1.5), 1.5)
    squared = near * near
    series = np.zeros_like(near)
    for factor in reversed(_SERIES):
        series = series * squared + factor
    return np.where(np.abs(x) < 1.5, series * squared * near / np.cosh(near), x - np.tanh(x)).astype(x.dtype)


TANHSHRINK = elementwise(
    "tanhshrink",
    _tanhshrink,
    lambda y, x: tanh(x) * tanh(x),
    meaning=lambda S, x: x - S.tanh(x),
    saves=(0,),
    doc="x - tanh(x), exact near 0.",
)


@function(
    family="activation",
    where="F",
    op=TANHSHRINK,
    derivative="tanh(input)**2",
    source="near 0: (x cosh(x) - sinh(x))/cosh(x), whose numerator is the sum of 2k x**(2k + 1)/(2k + 1)!",
    cases=(*CASES, case(np.array([1e-8, 1.4, 1.6]))),
)
def tanhshrink(input: Any) -> CoreValue:
    """x - tanh(x), exact near 0."""
    return bind(TANHSHRINK, real_operand("tanhshrink", input))


@quiet
def _squareplus(x: Any, b: float) -> Any:
    """(x + h)/2 with h = sqrt(x**2 + b); below 0, where that cancels, (b/2)/(h - x)."""
    h = np.hypot(x, np.sqrt(b))
    size = np.abs(x)
    return np.where(x < 0, b / 4 / (h / 2 + size / 2), h / 2 + size / 2).astype(x.dtype)


@quiet
def _squareplus_slope(x: Any, b: float) -> Any:
    h = np.hypot(x, np.sqrt(b))
    size = np.abs(x)
    near_one = np.where(np.isinf(x), 1, (1 + size / h) / 2)
    return np.where(x < 0, b / 4 / (h / 2 + size / 2) / h, near_one).astype(x.dtype)


@quiet
def _squareplus_bend(x: Any, b: float) -> Any:
    h = np.hypot(x, np.sqrt(b))
    return (b / 2 / h / h / h).astype(x.dtype)


SQUAREPLUS_SLOPE: Op = elementwise(
    "squareplus_slope",
    _squareplus_slope,
    lambda s, x, b: bind(SQUAREPLUS_BEND, x, b=b),
    meaning=lambda S, x, b: (1 + x / S.sqrt(x * x + S.number(b))) / 2,
    doc="The derivative of squareplus.",
)
SQUAREPLUS_BEND: Op = elementwise(
    "squareplus_bend",
    _squareplus_bend,
    lambda s, x, b: -3 * bounded(x) * s / (b + bounded(x) * bounded(x)),
    meaning=lambda S, x, b: S.number(b) / 2 / S.pow(S.sqrt(x * x + S.number(b)), 3),
    doc="The second derivative of squareplus.",
)
SQUAREPLUS = elementwise(
    "squareplus",
    _squareplus,
    lambda y, x, b: bind(SQUAREPLUS_SLOPE, x, b=b),
    meaning=lambda S, x, b: (x + S.sqrt(x * x + S.number(b))) / 2,
    saves=(0,),
    doc="(x + sqrt(x**2 + b))/2.",
)


@function(
    family="activation",
    where="",
    also=("jax.nn.squareplus",),
    op=SQUAREPLUS,
    derivative="(1 + x/sqrt(x**2 + b))/2",
    source="Barron 2021; for negative x in the form (b/2)/(sqrt(x**2 + b) - x), which does not cancel",
    cases=(*CASES, case((3,), b=0.5)),
)
def squareplus(x: Any, b: float = 4.0) -> CoreValue:
    """(x + sqrt(x**2 + b))/2, a softplus of algebra alone."""
    if not b > 0:
        raise ArgumentError(f"squareplus: b must be positive, and is {b}")
    return bind(SQUAREPLUS, real_operand("squareplus", x), b=float(b))
