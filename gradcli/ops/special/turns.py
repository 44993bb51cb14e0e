"""Sine and cosine of pi times x, exact at integers and halves, and sinc, which is made of them."""

from __future__ import annotations

from functools import cache
from math import factorial

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.kinds import elementwise
from gradcli.ops.registry import elementwise_function
from gradcli.ops.special.values import Array, horner, pieces, real, real_or_complex

_PI = 3.141592653589793


def sine_of_turn(x: Array) -> Array:
    """sin(pi*x): the argument is brought to [-1/2, 1/2] first, without an error."""
    off = x - np.rint(x)
    odd = np.rint(x) % 2 != 0
    return np.where(odd, -1.0, 1.0) * np.sin(_PI * off)


def cosine_of_turn(x: Array) -> Array:
    """cos(pi*x)."""
    off = np.abs(x - np.rint(x))
    odd = np.rint(x) % 2 != 0
    near = np.where(off > 0.25, np.sin(_PI * (0.5 - off)), np.cos(_PI * off))
    return np.where(odd, -1.0, 1.0) * near


SINPI: Op = elementwise(
    "sinpi",
    real(sine_of_turn),
    lambda y, x: _PI * cospi(x),
    meaning=lambda S, x: S.sin(S.pi * x),
    doc="sin(pi*x), 0 at every integer.",
)
COSPI: Op = elementwise(
    "cospi",
    real(cosine_of_turn),
    lambda y, x: -_PI * sinpi(x),
    meaning=lambda S, x: S.cos(S.pi * x),
    doc="cos(pi*x), 0 at every half.",
)


def sinpi(x: CoreValue) -> CoreValue:
    """sin(pi*x)."""
    return bind(SINPI, x)


def cospi(x: CoreValue) -> CoreValue:
    """cos(pi*x)."""
    return bind(COSPI, x)


# --- sin(t)/t and its derivatives ------------------------------------------------------------------------------------


@cache
def _powers(n: int) -> list[float]:
    """Coefficients of t**2 in the derivative of order n of sin(t)/t, over t where n is odd."""
    found = []
    for k in range((n + 1) // 2, (n + 1) // 2 + 24):
        falling = factorial(2 * k) // factorial(2 * k - n)
        found.append((-1) ** k * falling / factorial(2 * k + 1))
    return found


def _near(t: Array, sine: Array, cosine: Array, n: int) -> Array:
    found = horner(_powers(n), t * t)
    return found * t if n % 2 else found


def _far(t: Array, sine: Array, cosine: Array, n: int) -> Array:
    """t f = sin(t), differentiated k times: t f[k] = sin[k](t) - k f[k-1]."""
    circle = (sine, cosine, -sine, -cosine)
    found = sine / t
    for k in range(1, n + 1):
        found = (circle[k % 4] - k * found) / t
    return np.where(np.isinf(t), 0.0, found)


_ratio = pieces((lambda t, sine, cosine: np.abs(t) < 1.5, _near), last=_far)


def _ratio_slope(t: Array, sine: Array, cosine: Array, n: int) -> Array:
    """The derivative of order n: by powers where n divisions by t would cancel."""
    if n < 3:
        return _ratio(t, sine, cosine, n=n)
    wide = pieces((lambda t, sine, cosine: np.abs(t) < n, _near), last=_far)
    return wide(t, sine, cosine, n=n)


def _sinc(x: Array, n: int = 0) -> Array:
    t = _PI * x
    return _PI**n * _ratio_slope(t, sine_of_turn(x), cosine_of_turn(x), n)


def _sinc_of_complex(z: Array, n: int = 0) -> Array:
    if n:
        return _PI**n * _ratio_slope(_PI * z, np.sin(_PI * z), np.cos(_PI * z), n)
    return np.sinc(z)


def _plain_ratio(t: Array, n: int = 0) -> Array:
    return _ratio_slope(t, np.sin(t), np.cos(t), n)


SINC: Op = elementwise(
    "sinc",
    real_or_complex(_sinc, _sinc_of_complex),
    lambda y, x, n=0: bind(SINC, x, n=n + 1),
    meaning=lambda S, x, n=0: S.sinc(n, S.pi * x) * S.pi**n,
    torch="Sinc",
    saves=(0,),
    doc="sin(pi*x)/(pi*x), 1 at 0.",
)
SINE_OVER: Op = elementwise(
    "spherical_bessel_j0",
    real_or_complex(_plain_ratio, _plain_ratio),
    lambda y, t, n=0: bind(SINE_OVER, t, n=n + 1),
    meaning=lambda S, t, n=0: S.sinc(n, t),
    saves=(0,),
    doc="sin(x)/x, 1 at 0.",
)
sinc = elementwise_function(
    SINC,
    derivative="where(x == 0, 0, (cos(pi*x) - sinc(x))/where(x == 0, 1, x))",
    also=("torch.special.sinc",),
    family="special",
    cases=(),
)


def sine_over(t: CoreValue) -> CoreValue:
    """sin(t)/t, 1 at 0."""
    return bind(SINE_OVER, t)
