"""Bessel functions of the second kind and of whole order, where mpmath takes its time: near 0, by their own series."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from mpmath import mp
from mpmath.libmp import fnan, fzero

from gradcli.symbolic.elementary import Raw, by_context, huge, real_or_undefined


def second_kind(name: str) -> Callable[..., Raw]:
    """The value of Y ("bessely") or K ("besselk") of real order and positive argument."""
    general = by_context(name, 40)

    @lru_cache(maxsize=2048)
    def value(v: Raw, x: Raw, prec: int, rnd: str) -> Raw:
        if x[0] or x in (fzero, fnan):
            return fnan
        if huge(v, 10) or huge(x, 40):
            return general(v, x, prec, rnd)
        with mp.workprec(prec + 20):
            return real_or_undefined(of_second_kind(name, mp.make_mpf(v), mp.make_mpf(x)), prec)

    return value


def of_second_kind(name: str, v: Any, x: Any) -> Any:
    """Y ("bessely") or K ("besselk") of real order v in mpmath's numbers, real or complex."""
    if not mp.isint(v) or x == 0 or mp.mag(x) > (mp.prec // 4).bit_length():
        return getattr(mp, name)(v, x)
    # Y grows by exp(x) on the way, and K falls to exp(-x) from there.
    with mp.workprec(mp.prec + int(3 * abs(x)) + 40):
        found = _series(abs(int(v)), x, 1 if name == "besselk" else -1)
    return -found if name == "bessely" and v < 0 and v % 2 else +found


def _series(n: int, x: Any, sign: int) -> Any:
    """K of order n for sign 1 (DLMF 10.31.1), Y for -1 (10.8.1)."""
    half = x / 2
    square = sign * half * half
    below = mp.mpf(0)
    term = mp.factorial(n - 1) if n else mp.mpf(0)
    for k in range(n):
        below += term
        if k + 1 < n:
            term *= -square / ((k + 1) * (n - k - 1))
    # The sums of I or J, and of the same with harmonic numbers.
    first, psis = mp.mpf(0), mp.mpf(0)
    term = 1 / mp.factorial(n)
    psi = -2 * mp.euler + mp.harmonic(n)
    k = 0
    while True:
        first += term
        psis += psi * term
        k += 1
        term *= square / (k * (n + k))
        psi += mp.mpf(1) / k + mp.mpf(1) / (n + k)
        if k > abs(half) and mp.mag(term) + mp.mag(psi) < mp.mag(first) - mp.prec and mp.mag(term) < -mp.prec:
            break
    power = half**n
    if sign > 0:
        return below / (2 * power) + (-1) ** n * power * (psis / 2 - mp.log(half) * first)
    return (-below / power + power * (2 * mp.log(half) * first - psis)) / mp.pi
