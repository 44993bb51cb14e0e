"""Incomplete gamma and beta functions, exponential integrals and Owen's T in mpmath's numbers, by series whose terms
have one sign: at any of a float's arguments they take about as many terms as there are bits; far out by a fraction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mpmath import libmp, mp

#: How many terms a series may have: beyond, the argument is none that anybody asks for.
_TERMS = 40_000
#: exp(-this) is nothing.
_NOTHING = 3000
#: Bits beyond the precision that sums in whole numbers carry.
_SPARE = 64


def _series(x: Any, below: Any, above: Any = None) -> Any:
    """1 + x above/below + x**2 above (above + 1)/(below (below + 1)) + ..., all positive; without `above`, of its 1s.

    Raises:
        mp.NoConvergence: it has too many terms.
    """
    bits = mp.prec + _SPARE
    one = 1 << bits
    step, bottom = _fixed(x, bits), _fixed(below, bits)
    top = None if above is None else _fixed(above, bits)
    found = term = one
    for _ in range(_TERMS):
        term = term * step
        if top is None:
            term //= bottom
        else:
            term = term * top // bottom >> bits
            top += one
        bottom += one
        if not term:
            return mp.ldexp(found, -bits)
        found += term
    raise mp.NoConvergence


def _fixed(x: Any, bits: int) -> int:
    """x in units of 2**-bits."""
    return int(libmp.to_fixed(mp.mpf(x)._mpf_, bits))


def _beside_one(small: Callable[[], Any]) -> Any:
    """1 - small, with as many digits as the difference has lost."""
    found = 1 - small()
    lost = mp.prec if not found else -mp.mag(found)
    if lost < 20:
        return found
    for _ in range(2):
        with mp.workprec(mp.prec + lost + 20):
            found = 1 - small()
        lost = 4 * lost if not found else -mp.mag(found)
    return +found


def lower_gamma(a: Any, x: Any) -> Any:
    """P(a, x), DLMF 8.11.4."""
    if _is_far(a, x):
        return 1 - _gamma_fraction(a, x)
    return mp.exp(a * mp.log(x) - x) * mp.rgamma(a + 1) * _series(x, a + 1)


def upper_gamma(a: Any, x: Any) -> Any:
    """Q(a, x)."""
    if _is_far(a, x):
        return _gamma_fraction(a, x)
    return _beside_one(lambda: lower_gamma(a, x))


def _is_far(a: Any, x: Any) -> bool:
    """Whether the continued fraction takes fewer steps than the series has terms."""
    return bool(x > 2 * a and x > 60 and 4 * x > mp.prec)


def _gamma_fraction(a: Any, x: Any) -> Any:
    """Q(a, x) by Legendre's continued fraction (DLMF 8.9.2, its even part), by Lentz's method."""
    bottom = x + 1 - a
    found = ratio = 1 / bottom
    other = mp.inf
    for k in range(1, _TERMS):
        weight = k * (a - k)
        bottom += 2
        ratio = 1 / (bottom + weight * ratio)
        other = bottom + weight / other
        change = other * ratio
        found *= change
        if mp.mag(change - 1) < -mp.prec:
            return mp.exp(a * mp.log(x) - x) * mp.rgamma(a) * found
    raise mp.NoConvergence


def lower_beta(a: Any, b: Any, x: Any) -> Any:
    """I(a, b, x), DLMF 8.17.8."""
    if x * (a + b + 2) > a + 1:
        return _beside_one(lambda: _beta_series(b, a, 1 - x, x))
    return _beta_series(a, b, x, 1 - x)


def upper_beta(a: Any, b: Any, x: Any) -> Any:
    """1 - I(a, b, x)."""
    if x * (a + b + 2) > a + 1:
        return _beta_series(b, a, 1 - x, x)
    return _beside_one(lambda: _beta_series(a, b, x, 1 - x))


def _beta_series(a: Any, b: Any, x: Any, rest: Any) -> Any:
    front = mp.exp(a * mp.log(x) + b * mp.log(rest)) * mp.gammaprod([a + b], [a + 1, b])
    return front * _series(x, a + 1, a + b)


def exponential_integral(n: Any, x: Any) -> Any:
    """E of whole order n, up and down from E1 (DLMF 8.19.12); upwards far out it would cancel."""
    order = int(n)
    if x > 30 and order > 0:
        return mp.expint(n, x)
    with mp.workprec(mp.prec + 60 + 4 * abs(order)):
        exponential = mp.exp(-x)
        if order > 0:
            found = mp.e1(x)
            for k in range(1, order):
                found = (exponential - x * found) / k
        else:
            found = exponential / x
            for k in range(1, 1 - order):
                found = (exponential + k * found) / x
    return +found


def owens_t(h: Any, a: Any) -> Any:
    """T(h, a) by Owen's series in a, for |a| <= 1; beyond by T of a*h and 1/a (Owen 1956)."""
    if a < 0:
        return -owens_t(h, -a)
    h = abs(h)
    if a > 1:
        tails = [mp.erfc(x / mp.sqrt(2)) / 2 for x in (h, a * h)]
        return (tails[0] + tails[1]) / 2 - tails[0] * tails[1] - owens_t(a * h, 1 / a)
    y = h * h / 2
    if y > _NOTHING:
        return mp.mpf(0)
    with mp.workprec(mp.prec + int(3 * y) + 60):
        poisson = mp.exp(-y)
        tail = -mp.expm1(-y)
        power, found = +a, mp.mpf(0)
        for j in range(_TERMS):
            term = power * tail / (2 * j + 1)
            found += -term if j % 2 else term
            if j > y and mp.mag(term) < -mp.prec:
                break
            poisson *= y / (j + 1)
            tail -= poisson
            power *= a * a
        found = (mp.atan(a) - found) / (2 * mp.pi)
    return +found
