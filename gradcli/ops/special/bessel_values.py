"""Values of Bessel functions J and Y, with formulas of our own where SciPy's lose digits or overflow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.ops.special.turns import cosine_of_turn, sine_of_turn
from gradcli.ops.special.values import Array, pieces, scipy_

_gamma, _rgamma = map(scipy_, ("gamma", "rgamma"))
#: How many terms expansions in powers of 1/x have.
TERMS = 26


def of_order(n: float) -> Callable[..., Array]:
    """The condition that the order is n."""
    return lambda v, x: v == n


def unary(name: str) -> Callable[..., Array]:
    """SciPy's function of one order, called with the order too."""
    formula = scipy_(name)
    return lambda v, x: formula(x)


def of_complex(name: str) -> Callable[..., Array]:
    """SciPy's function of a real order and a complex argument."""
    formula = scipy_(name)
    return lambda v, z: formula(v.real, z)


def whole_reflected(formula: Callable[..., Array], turned: bool = False) -> Callable[..., Array]:
    """The formula for orders from 0 on, for negative whole ones too, which turn the sign of J and Y where odd."""

    def reflected(v: Array, x: Array) -> Array:
        below = (v < 0) & (v == np.rint(v))
        found = formula(np.where(below, -v, v), x)
        return np.where(below & (v % 2 == 1), -found, found) if turned else found

    return reflected


# --- near 0 ----------------------------------------------------------------------------------------------------------


def is_near(v: Array, x: Array) -> Array:
    """Where J is found by powers of x, v >= 0: SciPy's loses digits there, or is nan."""
    return (v >= 0) & (np.abs(x) < np.where(v < 2, 1e-8, 1.0))


def by_powers(v: Array, x: Array, sign: float) -> Array:
    """J (sign -1) or I (sign 1), DLMF 10.2.2 and 10.25.2."""
    square = sign * 0.25 * x * x
    found = np.ones_like(x)
    for k in range(12, 0, -1):
        found = 1 + found * square / (k * (v + k))
    return np.power(0.5 * x, v) * _rgamma(v + 1) * found


def is_beside_nothing(v: Array, x: Array) -> Array:
    """Where Y and K are their first term to all digits: SciPy's overflow before they do."""
    return (np.abs(v) >= 1) & (x > 0) & (x < 1e-10)


def first_power(v: Array, x: Array, factor: float) -> Array:
    """factor*gamma(v)*(x/2)**-v for v >= 1, DLMF 10.7.4 and 10.30.2; nothing overflows on the way."""
    half = 0.5 * x
    return np.power(half, 1 - v) * (factor * _gamma(v)) / half


# --- far out, and on the way there -----------------------------------------------------------------------------------


def is_far(v: Array, x: Array) -> Array:
    """Where Hankel's expansions hold to all digits."""
    return np.abs(x) >= 25 + v * v / 2


def _hankel(v: Array, x: Array) -> tuple[Array, Array]:
    """P and Q of Hankel's expansions, DLMF 10.17.3."""
    square, term = 4 * v * v, np.ones_like(x)
    sums = [np.ones_like(x), np.zeros_like(x)]
    for k in range(1, TERMS):
        term = term * (square - (2 * k - 1.0) ** 2) / (8 * k * x)
        sums[k % 2] = sums[k % 2] + (term if k % 4 < 2 else -term)
    return sums[0], sums[1]


#: The step of the trapezoidal rule, and where exp(-s**2) has vanished.
_STEP, _END = 0.25, 8.5


def _by_integral(v: Array, x: Array) -> tuple[Array, Array]:
    """P and Q of which those are expansions, P + iQ being the integral of exp(-u) (u (1 + iu/2x))**(v - 1/2) over u > 0
    by gamma(v + 1/2) (Watson, A Treatise on the Theory of Bessel Functions, 7.2). In s, u = s**2, equal steps converge
    exponentially where v is whole."""
    found = np.where(v == 0, 0.5, 0.0) + np.zeros_like(x, dtype=complex)
    for s in np.arange(_END, 0, -_STEP):
        found += np.exp(-s * s) * s ** (2 * v) * (1 + 0.5j * s * s / x) ** (v - 0.5)
    found *= 2 * _STEP * _rgamma(v + 0.5)
    return found.real, found.imag


def _is_between(v: Array, x: Array) -> Array:
    """Where SciPy's Y of low order loses digits: of orders 0 and 1 around their first zeros alone."""
    return (v < 4) & (v == np.rint(v)) & (v >= 0) & (x > 2.5) & (x < np.where(v < 2, 6.0, 25 + v * v / 2))


def _turned(v: Array, x: Array) -> tuple[Array, Array]:
    """cos and sin of x - (v/2 + 1/4)*pi, of which x is reduced by the library, and the rest exactly."""
    c, s = cosine_of_turn(v / 2 + 0.25), sine_of_turn(v / 2 + 0.25)
    cosine, sine = np.cos(x), np.sin(x)
    return cosine * c + sine * s, sine * c - cosine * s


def _amplitude(x: Array) -> Array:
    return np.sqrt(2 / np.pi) / np.sqrt(x)


def _j_far(v: Array, x: Array) -> Array:
    """J of order v, far from 0 on either side."""
    size = np.abs(x)
    p, q = _hankel(v, size)
    cosine, sine = _turned(v, size)
    found = _amplitude(size) * (p * cosine - q * sine)
    found = np.where(np.isinf(x), 0.0, found)
    whole = v == np.rint(v)
    return np.where(x > 0, found, np.where(whole, found * np.where(v % 2 == 1, -1.0, 1.0), np.nan))


def _y_by(waves: Callable[..., Any]) -> Callable[..., Array]:
    """Y of order v by P and Q."""

    def formula(v: Array, x: Array) -> Array:
        p, q = waves(v, x)
        cosine, sine = _turned(v, x)
        return np.where(np.isinf(x), 0.0, _amplitude(x) * (p * sine + q * cosine))

    return formula


# --- all over --------------------------------------------------------------------------------------------------------

#: J and Y of a real order and a real argument; of orders below 0 for broken ones alone.
j_value = pieces(
    (is_near, lambda v, x: by_powers(v, x, -1.0)),
    (is_far, _j_far),
    (of_order(0), unary("j0")),
    (of_order(1), unary("j1")),
    last=scipy_("jv"),
)
y_value = pieces(
    (lambda v, x: (v > 0) & is_beside_nothing(v, x), lambda v, x: first_power(v, x, -1 / np.pi)),
    (lambda v, x: is_far(v, x) & (x > 0), _y_by(_hankel)),
    (_is_between, _y_by(_by_integral)),
    (of_order(0), unary("y0")),
    (of_order(1), unary("y1")),
    last=scipy_("yv"),
)
