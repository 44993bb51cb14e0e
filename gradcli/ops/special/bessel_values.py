"""Values of Bessel functions where SciPy's lose digits: far out, and in what is left of scaled ones' derivatives."""

from __future__ import annotations

from math import factorial

import numpy as np

from gradcli.ops.special.turns import cosine_of_turn, sine_of_turn
from gradcli.ops.special.values import Array, pieces, scipy_

_gamma, _rgamma = map(scipy_, ("gamma", "rgamma"))
_TERMS = 26


def is_far(v: Array, x: Array) -> Array:
    """Where Hankel's expansions hold to all digits."""
    return np.abs(x) >= 25 + v * v / 2


def is_near(v: Array, x: Array) -> Array:
    """Where J and I are found by powers of x, v >= 0: SciPy's lose digits there, or are nan."""
    return (v >= 0) & (np.abs(x) < np.where(v < 2, 1e-8, 1.0))


def by_powers(v: Array, x: Array, sign: float) -> Array:
    """J (sign -1) or I (sign 1), DLMF 10.2.2 and 10.25.2."""
    square = sign * 0.25 * x * x
    found = np.ones_like(x)
    for k in range(12, 0, -1):
        found = 1 + found * square / (k * (v + k))
    return np.power(0.5 * x, v) * _rgamma(v + 1) * found


# --- J and Y far out -------------------------------------------------------------------------------------------------


def _hankel(v: Array, x: Array) -> tuple[Array, Array]:
    """P and Q of Hankel's expansions, DLMF 10.17.3."""
    square, term = 4 * v * v, np.ones_like(x)
    sums = [np.ones_like(x), np.zeros_like(x)]
    for k in range(1, _TERMS):
        term = term * (square - (2 * k - 1.0) ** 2) / (8 * k * x)
        sums[k % 2] = sums[k % 2] + (term if k % 4 < 2 else -term)
    return sums[0], sums[1]


def _turned(v: Array, x: Array) -> tuple[Array, Array]:
    """cos and sin of x - (v/2 + 1/4)*pi, of which x is reduced by the library, and the rest exactly."""
    c, s = cosine_of_turn(v / 2 + 0.25), sine_of_turn(v / 2 + 0.25)
    cosine, sine = np.cos(x), np.sin(x)
    return cosine * c + sine * s, sine * c - cosine * s


def _amplitude(x: Array) -> Array:
    return np.sqrt(2 / np.pi) / np.sqrt(x)


def j_far(v: Array, x: Array) -> Array:
    """J of order v, far from 0 on either side."""
    size = np.abs(x)
    p, q = _hankel(v, size)
    cosine, sine = _turned(v, size)
    found = _amplitude(size) * (p * cosine - q * sine)
    found = np.where(np.isinf(x), 0.0, found)
    whole = v == np.rint(v)
    return np.where(x > 0, found, np.where(whole, found * np.where(v % 2 == 1, -1.0, 1.0), np.nan))


def y_far(v: Array, x: Array) -> Array:
    """Y of order v, far right of 0."""
    p, q = _hankel(v, x)
    cosine, sine = _turned(v, x)
    return np.where(np.isinf(x), 0.0, _amplitude(x) * (p * sine + q * cosine))


# --- exp(-x) I, and what is left of its derivatives ------------------------------------------------------------------


def _kummer_near(v: Array, x: Array, m: int, q: int) -> Array:
    """By powers of x, all of one sign."""
    a, b, z = v + 0.5, 2 * v + 1 + m, 2 * x
    top = float(np.max(z, initial=0.0))
    found = np.ones_like(x)
    for k in reversed(range(int(top + 12 * top**0.5) + 24)):
        found = 1 + found * ((a + k) * z / ((b + k) * (k + 1.0)))
    return np.exp(-z) * np.power(x, v - q) / (np.power(2.0, v) * _gamma(v + 1)) * found


def _kummer_far(v: Array, x: Array, m: int, q: int) -> Array:
    """By powers of 1/x, DLMF 13.7.2."""
    a, b, z = v + 0.5, 2 * v + 1 + m, 2 * x
    # gamma(b)/gamma(a) over 2**v gamma(v + 1), by the duplication formula where m is 0.
    factor = 2.0 ** (-0.5 - m) / np.sqrt(np.pi)
    for k in range(m):
        factor = factor * (2 * v + 1 + k)
    term = np.ones_like(x)
    found = term
    for k in range(24):
        term = term * ((b - a + k) * (1 - a + k) / ((k + 1.0) * z))
        found = found + term
    return factor * np.power(x, -0.5 - m - q) * found


#: x**(v-q) exp(-2x) M(v + 1/2, 2v + 1 + m, 2x) / (2**v gamma(v + 1)): exp(-x) I of order v, for m = q = 0.
scaled_kummer = pieces((lambda v, x: x < 30 + v * v, _kummer_near), last=_kummer_far)


#: Up to this order exp(-|x|) I and its derivatives are found by Kummer's function, without cancellation.
SMOOTH_ORDER = 18


def ie_near(v: Array, x: Array) -> Array:
    """exp(-|x|) I near 0."""
    return np.exp(-np.abs(x)) * by_powers(v, x, 1.0)


def is_smooth(v: Array, x: Array) -> Array:
    """Where exp(-|x|) I is best found by Kummer's function: not far from 0, and very far out."""
    size = np.abs(x)
    return (v >= 0) & (((v <= SMOOTH_ORDER) & (size < 1 + v)) | (size >= 1e4 + v * v))


def ie_whole(v: Array, x: Array) -> Array:
    """exp(-|x|) I, of whole orders on either side."""
    found = scaled_kummer(v, np.abs(x), m=0, q=0)
    whole = v == np.rint(v)
    return np.where(x >= 0, found, np.where(whole, found * np.where(v % 2 == 1, -1.0, 1.0), np.nan))


def _slope_near(v: Array, x: Array) -> Array:
    """By powers of x: of the terms only those from k = 2 v**2 - v on are negative."""
    z = 2 * x
    found = np.zeros_like(x)
    for k in range(int(2 * float(np.max(z, initial=0.0)) + 40), -1, -1):
        share = (2 * v * v - v - k) / np.where(2 * v + 2 * k == 1, 1.0, 2 * v + 2 * k - 1)
        found = share + found * ((v + 0.5 + k) * z / ((2 * v + 1 + k) * (k + 1.0)))
    return np.exp(-z) * np.power(x, v - 1) / (np.power(2.0, v) * _gamma(v + 1)) * found


def _slope_far(v: Array, x: Array) -> Array:
    """DLMF 10.40.1, term by term."""
    square, term = 4 * v * v, np.ones_like(x)
    found = -0.5 * term
    for k in range(1, _TERMS):
        term = term * -(square - (2 * k - 1.0) ** 2) / (8 * k * x)
        found = found - (k + 0.5) * term
    return found / np.sqrt(2 * np.pi * x) / x


#: The derivative of exp(-x) I, x >= 0, of an order that is not 0.
ie_slope = pieces((lambda v, x: x < 30 + v * v, _slope_near), last=_slope_far)


# --- exp(x) K, and its derivatives -----------------------------------------------------------------------------------


def k_by_integral(v: Array, x: Array, n: int = 0) -> Array:
    """The integral of (1 - cosh t)**n exp(x (1 - cosh t)) cosh(v t), DLMF 10.32.9; nothing in it changes its sign."""
    h = np.minimum(0.15, 0.45 / np.sqrt(np.maximum(x, np.abs(v))))
    # Up to where the exponential has vanished, whatever stands in front.
    end = np.zeros_like(x)
    for _ in range(4):
        end = 2 * np.arcsinh(np.sqrt((24 + 6 * n + 0.5 * np.abs(v) * end) / x))
    steps = int(np.max(end / h, initial=0.0)) + 4
    found = np.zeros_like(x)
    for k in range(steps - 1, 0, -1):  # the smallest first
        t = k * h
        rise = 2 * np.square(np.sinh(t / 2))
        found = found + (-rise) ** n * np.exp(-x * rise) * np.cosh(v * t)
    return (found if n else found + 0.5) * h


def k_far(v: Array, x: Array) -> Array:
    """exp(x) K far out, DLMF 10.40.2."""
    square = 4 * v * v
    found = np.ones_like(x)
    for k in range(_TERMS, 0, -1):
        found = 1 + found * (square - (2 * k - 1.0) ** 2) / (8 * k * x)
    return np.sqrt(np.pi / 2) / np.sqrt(x) * found


def k_scaled_slope(v: Array, x: Array, n: int) -> Array:
    """The derivative of order n of exp(x) K, n > 0."""
    return _K_SLOPES(v, x, n=n)


def k_by_orders(v: Array, x: Array, n: int) -> Array:
    """The same by the orders around v: near 0, where K of the highest order outweighs the others."""
    from scipy import special

    found = np.zeros_like(x)
    for j in range(n + 1):
        slope = np.zeros_like(x)
        for i in range(j + 1):
            slope = slope + _choices(j, i) * special.kve(v - j + 2 * i, x)
        found = found + _choices(n, j) * (-0.5) ** j * slope
    return np.where(np.isnan(found) & (x > 0), (-1) ** n * np.inf, found) if x.dtype.kind == "f" else found


def _choices(n: int, k: int) -> float:
    return factorial(n) / (factorial(k) * factorial(n - k))


_K_SLOPES = pieces(
    (lambda v, x: (x >= 0.1) & (x < 1e300) & (np.abs(v) < 100), k_by_integral),
    (lambda v, x: x >= 1e300, lambda v, x, n: np.zeros_like(x)),
    last=k_by_orders,
)
