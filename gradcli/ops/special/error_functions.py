"""The error function and its relatives: erf, erfc, erfcx, erfi, Dawson's integral, and the inverses."""

from __future__ import annotations

from functools import cache
from math import factorial
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.ops.function import Function
from gradcli.ops.kinds import elementwise
from gradcli.ops.registry import elementwise_function
from gradcli.ops.special.gaussian import exp_minus_square, exp_of_square, exp_square
from gradcli.ops.special.quadrature import integral
from gradcli.ops.special.values import Array, horner, pieces, real, real_or_complex, scipy_

TWO_BY_SQRT_PI = 1.1283791670955126
ONE_BY_SQRT_PI = 0.5641895835477563
_HALF_SQRT_PI = 0.886226925452758

_erf, _erfc, _erfcx, _erfi, _dawsn = map(scipy_, ("erf", "erfc", "erfcx", "erfi", "dawsn"))

# --- erf and erfc ----------------------------------------------------------------------------------------------------

# The scaled function takes over where the error of x**2 would show.
erfc_value = pieces((lambda x: x > 1, lambda x: _erfcx(x) * exp_of_square(x, -1.0)), last=_erfc)
_erfcx_value = pieces(
    (lambda x: x < -1, lambda x: 2 * exp_of_square(x, 1.0) - _erfcx(-x)),
    (lambda x: np.abs(x) < 0.7, lambda x: exp_of_square(x, 1.0) * _erfc(x)),
    last=_erfcx,
)


def _over_exponential(x: Array) -> Array:
    """Dawson's integral times exp(x**2), by powers of x, for |x| < 1."""
    return x * horner(_POWERS, x * x)


_POWERS = [1 / (factorial(k) * (2 * k + 1)) for k in range(20)]
dawson_value = pieces(
    (lambda x: np.abs(x) < 1, lambda x: _over_exponential(x) * exp_of_square(x, -1.0)),
    (lambda x: ~(np.abs(x) > 7), _dawsn),
    last=lambda x: _dawson_far(x, 0),
)
_erfi_value = pieces(
    (lambda x: np.abs(x) < 1, lambda x: TWO_BY_SQRT_PI * _over_exponential(x)),
    (np.isfinite, lambda x: TWO_BY_SQRT_PI * exp_of_square(x, 1.0) * dawson_value(x)),
    last=_erfi,
)

ERF = elementwise(
    "erf",
    real_or_complex(_erf, _erf),
    lambda y, x: TWO_BY_SQRT_PI * exp_minus_square(x),
    meaning=lambda S, x: S.erf(x),
    torch="Erf",
    saves=(0,),
    doc="The error function.",
)
ERFC = elementwise(
    "erfc",
    real_or_complex(erfc_value, _erfc),
    lambda y, x: -TWO_BY_SQRT_PI * exp_minus_square(x),
    meaning=lambda S, x: S.erfc(x),
    torch="Erfc",
    saves=(0,),
    doc="1 - erf(x), exact for large x.",
)
ERFI = elementwise(
    "erfi",
    real_or_complex(_erfi_value, _erfi),
    lambda y, x: TWO_BY_SQRT_PI * exp_square(x),
    meaning=lambda S, x: S.erfi(x),
    saves=(0,),
    doc="The imaginary error function, -i erf(i x).",
)

# --- erfc, scaled ----------------------------------------------------------------------------------------------------


def _upwards(x: Array, n: int) -> Array:
    """By 2k J[k] = J[k-2] - 2x J[k-1], for x < 0, where nothing cancels (DLMF 7.18.7)."""
    before, found = np.full_like(x, TWO_BY_SQRT_PI), _erfcx_value(x)
    for k in range(1, n + 1):
        before, found = found, (before - 2 * x * found) / (2 * k)
    return found


def _by_integral(x: Array, n: int) -> Array:
    """2/sqrt(pi) times the integral of t**n/n! exp(-t**2 - 2 x t) over t > 0 (DLMF 7.18.2): it keeps its sign."""
    found = integral(lambda t, x: t**n * np.exp(-t * (t + 2 * x)), np.ones_like(x), x)
    return TWO_BY_SQRT_PI / factorial(n) * found


def ratios_of_repeated(x: Array, n: int) -> list[Array]:
    """J[1]/J[0] to J[n]/J[n-1] for x >= 3: by their continued fraction (DLMF 7.18.13)."""
    ratio, found = np.zeros_like(x), []
    for k in range(n + 60, 0, -1):
        ratio = 1 / (2 * x + 2 * (k + 1) * ratio)
        if k <= n:
            found.append(ratio)
    return found[::-1]


def _by_ratios(x: Array, n: int) -> Array:
    found = _erfcx(x)
    for ratio in ratios_of_repeated(x, n):
        found = found * ratio
    return found


_REPEATED = pieces(
    (lambda x: x < 0, _upwards),
    (lambda x: x < 3, _by_integral),
    last=_by_ratios,
)


def repeated(x: Array, n: int = 0) -> Array:
    """J[n]: exp(x**2) times the n-fold integral of erfc from x to infinity, which is positive everywhere."""
    return _erfcx_value(x) if n == 0 else _REPEATED(x, n=n)


def _scaled_of_complex(z: Array, n: int = 0) -> Array:
    before, found = np.full_like(z, TWO_BY_SQRT_PI), _erfcx(z)
    for k in range(1, n + 1):
        before, found = found, (before - 2 * z * found) / (2 * k)
    return found


def _scaled_meaning(S: Any, x: Any, n: int = 0) -> Any:
    """From the recurrence of the repeated integrals, which starts with a density and erfc."""
    before, found = 2 / S.sqrt(S.pi), S.exp(x * x) * S.erfc(x)
    for k in range(1, n + 1):
        before, found = found, (before - 2 * x * found) / (2 * k)
    return found


# 2x erfcx(x) - 2/sqrt(pi) cancels for large x; the repeated integrals of erfc, scaled alike, do not: DLMF 7.18.
ERFCX: Op = elementwise(
    "erfcx",
    real_or_complex(repeated, _scaled_of_complex),
    lambda y, x, n=0: -2 * (n + 1) * bind(ERFCX, x, n=n + 1),
    meaning=_scaled_meaning,
    torch="SpecialErfcx",
    saves=(0, "y"),
    doc="exp(x**2)*erfc(x), without underflow.",
)

# --- Dawson's integral -----------------------------------------------------------------------------------------------

_TERMS = 170


@cache
def _dawson_powers(n: int) -> list[float]:
    """Coefficients of x**k in exp(x**2) times Dawson's derivative of order n: past the first all have one sign."""
    from fractions import Fraction

    found = [Fraction(0)] * (2 * _TERMS + n + 2)
    for k in range(_TERMS + n // 2 + 1):
        found[2 * k + 1] = Fraction(1, factorial(k) * (2 * k + 1))
    for _ in range(n):
        slope = [*(k * c for k, c in enumerate(found) if k), Fraction(0)]
        found = [s - 2 * c for s, c in zip(slope, [Fraction(0), *found], strict=False)]
    return [float(c) for c in found[: 2 * _TERMS]]


def _dawson_near(x: Array, n: int) -> Array:
    powers = _dawson_powers(n)[n % 2 == 0 :: 2]
    found = horner(powers, x * x) * exp_of_square(x, -1.0)
    return found * x if n % 2 == 0 else found


def _dawson_far(x: Array, n: int) -> Array:
    """The asymptotic series, term by term (DLMF 7.12(ii))."""
    t = 1 / x
    found, term = np.zeros_like(x), 0.5
    terms = []
    for k in range(24):
        factor = term
        for j in range(n):
            factor *= -(2 * k + 1 + j)
        terms.append(factor)
        term *= (2 * k + 1) / 2
    found = horner(terms, t * t)
    return found * t ** (n + 1)


_dawson_slope = pieces((lambda x: ~(np.abs(x) > 7.0), _dawson_near), last=_dawson_far)


def _dawson(x: Array, n: int = 0) -> Array:
    return dawson_value(x) if n == 0 else _dawson_slope(x, n=n)


def _dawson_of_complex(z: Array, n: int = 0) -> Array:
    before, found = np.zeros_like(z), _dawsn(z)
    for k in range(n):
        before, found = found, (1.0 if k == 0 else 0.0) - 2 * z * found - 2 * k * before
    return found


# 1 - 2x y cancels for large x, as -1/(2x**2) is left of 1; so does every further derivative.
DAWSN: Op = elementwise(
    "dawsn",
    real_or_complex(_dawson, _dawson_of_complex),
    lambda y, x, n=0: bind(DAWSN, x, n=n + 1),
    meaning=lambda S, x, n=0: S.dawson(n, x),
    saves=(0, "y"),
    doc="Dawson's integral, exp(-x**2) times the integral of exp(t**2) from 0 to x.",
)

# --- inverses --------------------------------------------------------------------------------------------------------


def _square_of_inverse(tail: Array, y: Array) -> Array:
    """exp(y**2) where erfc(y) is to be `tail`: right even where y, rounded, is not (y > 0)."""
    off = (_erfcx(y) * exp_of_square(y, -1.0) - tail) * exp_of_square(y, 1.0)  # of erfc(y), times exp(y**2)
    return exp_of_square(y, 1.0) * (1 + 2 * y * np.where(np.isfinite(off), off, 0.0) * _HALF_SQRT_PI)


def _inverse_slope(x: Array) -> Array:
    from scipy import special

    y = special.erfinv(x)
    far = np.abs(x) > 0.5
    square: Array = np.where(far, _square_of_inverse(1 - np.abs(x), np.abs(y)), exp_of_square(y, 1.0))
    return _HALF_SQRT_PI * square


def _inverse_tail_slope(x: Array) -> Array:
    from scipy import special

    y = special.erfcinv(x)
    square: Array = np.where(x < 0.5, _square_of_inverse(x, np.abs(y)), exp_of_square(y, 1.0))
    far = x > 1.5
    square = np.where(far, _square_of_inverse(2 - x, np.abs(y)), square)
    return -_HALF_SQRT_PI * square


def _slope_meaning(S: Any, inverse: Any, sign: int) -> Any:
    return sign * S.sqrt(S.pi) / 2 * S.exp(inverse * inverse)


def _inverse_of_tail(x: Array) -> Array:
    """SciPy's, with one step of Newton's more on the tails."""
    from scipy import special

    y = special.erfcinv(x)
    tail = np.where(x > 1.5, 2 - x, x)
    size = np.abs(y)
    off = (_erfcx(size) * exp_of_square(size, -1.0) - tail) * exp_of_square(size, 1.0) * _HALF_SQRT_PI
    return np.where((tail < 0.3) & np.isfinite(off), np.copysign(size + off, y), y)


ERFINV_SLOPE: Op = elementwise(
    "erfinv_slope",
    real(_inverse_slope),
    lambda y, x: 2 * erfinv(x) * y * y,
    meaning=lambda S, x: _slope_meaning(S, S.erfinv(x), 1),
    doc="sqrt(pi)/2*exp(erfinv(x)**2), the derivative of erfinv.",
)
ERFCINV_SLOPE: Op = elementwise(
    "erfcinv_slope",
    real(_inverse_tail_slope),
    lambda y, x: 2 * erfcinv(x) * y * y,
    meaning=lambda S, x: _slope_meaning(S, S.erfinv(1 - x), -1),
    doc="The derivative of erfcinv.",
)
ERFINV = elementwise(
    "erfinv",
    real(scipy_("erfinv")),
    lambda y, x: bind(ERFINV_SLOPE, x),
    meaning=lambda S, x: S.erfinv(x),
    torch="Erfinv",
    saves=("y",),
    doc="The number whose erf is x.",
)
ERFCINV = elementwise(
    "erfcinv",
    real(_inverse_of_tail),
    lambda y, x: bind(ERFCINV_SLOPE, x),
    meaning=lambda S, x: S.erfinv(1 - x),
    saves=("y",),
    doc="The number whose erfc is x.",
)

# --- functions -------------------------------------------------------------------------------------------------------

erf = elementwise_function(
    ERF,
    derivative="2/sqrt(pi)*exp(-x**2)",
    where="scipy torch method",
    also=("torch.special.erf", "math.erf", "jax.lax.erf"),
    family="special",
)
erfc = elementwise_function(
    ERFC,
    derivative="-2/sqrt(pi)*exp(-x**2)",
    where="scipy torch method",
    also=("torch.special.erfc", "math.erfc", "jax.lax.erfc"),
    family="special",
)
erfi = elementwise_function(ERFI, derivative="2/sqrt(pi)*exp(x**2)", where="scipy", family="special")
erfcx = elementwise_function(
    ERFCX,
    derivative="2*x*erfcx(x) - 2/sqrt(pi)",
    where="scipy",
    also=("torch.special.erfcx",),
    family="special",
    source="DLMF 7.18: the repeated integrals of erfc, by which the derivative is found without cancellation",
)
dawsn = elementwise_function(
    DAWSN,
    derivative="1 - 2*x*dawsn(x)",
    where="scipy",
    family="special",
    source="DLMF 7.5.1, 7.12(ii)",
)
erfinv: Function = elementwise_function(
    ERFINV,
    derivative="sqrt(pi)/2*exp(erfinv(x)**2)",
    where="scipy torch method",
    also=("torch.special.erfinv", "jax.lax.erf_inv"),
    domain=(-0.9, 0.9),
    defined="(x > -1) & (x < 1)",
    family="special",
)
erfcinv: Function = elementwise_function(
    ERFCINV,
    derivative="-sqrt(pi)/2*exp(erfcinv(x)**2)",
    where="scipy",
    domain=(0.1, 1.9),
    defined="(x > 0) & (x < 2)",
    family="special",
)
