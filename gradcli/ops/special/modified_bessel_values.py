"""Values of modified Bessel functions I and K, scaled and not, and of the derivatives of the scaled ones, with formulas
of our own where SciPy's lose digits or overflow."""

from __future__ import annotations

from functools import cache
from math import factorial
from typing import Any

import numpy as np

from gradcli.ops.special.bessel_values import (
    TERMS,
    by_powers,
    first_power,
    is_beside_nothing,
    is_far,
    is_near,
    of_order,
    unary,
)
from gradcli.ops.special.exact_products import whole_sum
from gradcli.ops.special.values import Array, horner, pieces, scipy_

_gamma = scipy_("gamma")

# --- I ---------------------------------------------------------------------------------------------------------------

i_value = pieces(
    (lambda v, x: (v >= 0) & (np.abs(x) < 2), lambda v, x: by_powers(v, x, 1.0)),
    (of_order(0), unary("i0")),
    (of_order(1), unary("i1")),
    last=scipy_("iv"),
)

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


def far_from(v: Any) -> Any:
    """From where on the expansions of the scaled I in powers of 1/x hold to all digits."""
    return 30 + v * v


#: x**(v-q) exp(-2x) M(v + 1/2, 2v + 1 + m, 2x) / (2**v gamma(v + 1)): exp(-x) I of order v, for m = q = 0.
scaled_kummer = pieces((lambda v, x: x < far_from(v), _kummer_near), last=_kummer_far)


#: Up to this order exp(-|x|) I and its derivatives are found by Kummer's function, without cancellation.
SMOOTH_ORDER = 18


def _ie_near(v: Array, x: Array) -> Array:
    """exp(-|x|) I near 0."""
    return np.exp(-np.abs(x)) * by_powers(v, x, 1.0)


def _is_smooth(v: Array, x: Array) -> Array:
    """Where exp(-|x|) I is best found by Kummer's function: not far from 0, and very far out."""
    size = np.abs(x)
    return (v >= 0) & (((v <= SMOOTH_ORDER) & (size < 1 + v)) | (size >= 1e4 + v * v))


def _ie_whole(v: Array, x: Array) -> Array:
    """exp(-|x|) I, of whole orders on either side."""
    found = scaled_kummer(v, np.abs(x), m=0, q=0)
    whole = v == np.rint(v)
    return np.where(x >= 0, found, np.where(whole, found * np.where(v % 2 == 1, -1.0, 1.0), np.nan))


ie_value = pieces(
    (is_near, _ie_near),
    (lambda v, x: (v == 0) & (np.abs(x) >= 1), unary("i0e")),
    (lambda v, x: (v == 1) & (np.abs(x) >= 8), unary("i1e")),
    (lambda v, x: _is_smooth(v, x) | (v == 1), _ie_whole),
    last=scipy_("ive"),
)


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
    for k in range(1, TERMS):
        term = term * -(square - (2 * k - 1.0) ** 2) / (8 * k * x)
        found = found - (k + 0.5) * term
    return found / np.sqrt(2 * np.pi * x) / x


@cache
def _debye(k: int) -> list[float]:
    """Debye's polynomial U of order k, its constant first, DLMF 10.41.9."""
    if not k:
        return [1.0]
    found = [0.0] * (3 * k + 1)
    for n, c in enumerate(_debye(k - 1)):
        found[n + 1] += c * (n / 2 + 1 / (8 * (n + 1)))
        found[n + 3] -= c * (n / 2 + 5 / (8 * (n + 3)))
    return found


def _slope_of_high_order(v: Array, x: Array) -> Array:
    """By the uniform expansions of I and I' (DLMF 10.41.3, 10.41.5), from whose quotient 1 is taken term by term."""
    size = np.hypot(x, v)
    p = v / size
    whole, tilted = np.zeros_like(x), np.zeros_like(x)
    for k in range(14, -1, -1):
        u = _debye(k)
        whole = whole / v + horner(u, p)
        tilted = tilted / v + horner([(n + 0.5) * c for n, c in enumerate(u)], p)
    found = ie_value(v, x)
    return np.where(found == 0, 0.0, found * (v / x * (v / (size + x)) - x / size * (tilted / whole / size)))


#: The derivative of exp(-x) I, x >= 0, of an order that is not 0.
ie_slope = pieces(
    (lambda v, x: x >= far_from(v), _slope_far),
    (lambda v, x: v > SMOOTH_ORDER, _slope_of_high_order),
    last=_slope_near,
)


# --- K, and exp(x) K with its derivatives ----------------------------------------------------------------------------


def k_by_integral(v: Array, x: Array, n: int = 0) -> Array:
    """The integral of (1 - cosh t)**n exp(x (1 - cosh t)) cosh(v t), DLMF 10.32.9; nothing in it changes its sign."""
    h = np.minimum(0.125, 0.45 / np.sqrt(np.maximum(x, np.abs(v))))
    # Up to where the exponential has vanished, whatever stands in front.
    end = np.zeros_like(x)
    for _ in range(4):
        end = 2 * np.arcsinh(np.sqrt((24 + 6 * n + 0.5 * np.abs(v) * end) / x))
    steps = int(np.max(end / h, initial=0.0)) + 4
    found, lost = np.zeros_like(x), np.zeros_like(x)
    for k in range(steps - 1, 0, -1):
        t = k * h
        rise = 2 * np.square(np.sinh(t / 2))
        found, off = whole_sum(found, (-rise) ** n * np.exp(-x * rise) * np.cosh(v * t))
        lost += off
    return (found + (lost if n else lost + 0.5)) * h


def _k_far(v: Array, x: Array) -> Array:
    """exp(x) K far out, DLMF 10.40.2."""
    square = 4 * v * v
    found = np.ones_like(x)
    for k in range(TERMS, 0, -1):
        found = 1 + found * (square - (2 * k - 1.0) ** 2) / (8 * k * x)
    return np.sqrt(np.pi / 2) / np.sqrt(x) * found


def _is_between(v: Array, x: Array) -> Array:
    """Where SciPy's K loses digits: of order 0 between 0.1 and 25, of others up to 2."""
    return (x >= np.where(v == 0, 0.1, 0.5)) & (x < np.where(v == 0, 25.0, 2.0)) & (np.abs(v) < 100)


def _is_next_to_nothing(v: Array, x: Array) -> Array:
    """Where K of order 0, or of one from 1 on, is its first term to all digits."""
    return is_beside_nothing(v, x) | ((v == 0) & (x > 0) & (x < 1e-10))


def _k_near(v: Array, x: Array) -> Array:
    """DLMF 10.31.2 and 10.30.2."""
    size = np.abs(v)
    return np.where(v == 0, _K0_AT_ONE - np.log(x), first_power(np.where(v == 0, 1.0, size), x, 0.5))


#: What the logarithm of x is taken from: log(2) less Euler's constant.
_K0_AT_ONE = 0.11593151565841245
k_value = pieces(
    (_is_next_to_nothing, _k_near),
    (_is_between, lambda v, x: np.exp(-x) * k_by_integral(v, x)),
    (lambda v, x: (v == 0) & (x >= 25), unary("k0")),
    (lambda v, x: np.abs(v) == 1, unary("k1")),
    last=scipy_("kv"),
)
ke_value = pieces(
    (_is_next_to_nothing, lambda v, x: np.exp(x) * _k_near(v, x)),
    (lambda v, x: is_far(v, x) & (x > 0), _k_far),
    (_is_between, k_by_integral),
    (lambda v, x: np.abs(v) == 1, unary("k1e")),
    last=scipy_("kve"),
)


def k_by_orders(v: Array, x: Array, n: int) -> Array:
    """The derivative of order n of exp(x) K by the orders around v: near 0, where K of the highest order outweighs the
    others."""
    ke = scipy_("kve") if x.dtype.kind == "c" else ke_value
    found = np.zeros_like(x)
    for j in range(n + 1):
        slope = np.zeros_like(x)
        for i in range(j + 1):
            slope = slope + _choices(j, i) * ke(v - j + 2 * i, x)
        found = found + _choices(n, j) * (-0.5) ** j * slope
    return np.where(np.isnan(found) & (x > 0), (-1) ** n * np.inf, found) if x.dtype.kind == "f" else found


def _choices(n: int, k: int) -> float:
    return factorial(n) / (factorial(k) * factorial(n - k))


#: The derivative of order n of exp(x) K, n > 0.
k_scaled_slope = pieces(
    (lambda v, x: (x >= 0.1) & (x < 1e300) & (np.abs(v) < 100), k_by_integral),
    (lambda v, x: x >= 1e300, lambda v, x, n: np.zeros_like(x)),
    last=k_by_orders,
)
