"""Hurwitz's zeta function in mpmath's numbers, by Euler's and Maclaurin's formula: right to its last bits however small
it is."""

from __future__ import annotations

from typing import Any

from mpmath import mp

#: Up to which s it is taken: beyond, it is a sum of powers too small for any float.
_LARGEST = 2000
#: Bits beyond the precision that sums carry.
_SPARE = 40


def hurwitz_zeta(s: Any, q: Any) -> Any:
    """The sum of (q + k)**-s over k from 0 (DLMF 25.11.1), for q > 0 and s > 1; of a complex q for a whole s.

    Raises:
        mp.NoConvergence: s is too large.
    """
    if s > _LARGEST:
        raise mp.NoConvergence
    if s <= 1 or (mp.im(q) == 0 and mp.re(q) <= 0):
        return mp.zeta(s, q)
    with mp.workprec(mp.prec + _SPARE):
        # The formula's terms shrink where the first power left out is of more than this.
        enough = int(mp.prec / 4 + s / 4) + 5
        found = mp.mpf(0)
        while mp.re(q) < enough:
            power = q**-s
            found += power
            if mp.re(q) > 0 and mp.mag(power) < mp.mag(found) - mp.prec:
                return +found
            q += 1
        found += _tail(s, q)
    return +found


def _tail(s: Any, q: Any) -> Any:
    """The same for q large beside s and the precision (DLMF 25.11.7)."""
    power = q**-s
    found = power * (q / (s - 1) + mp.mpf(1) / 2)
    # power*s (s + 1)...(s + 2k - 2)/q**(2k - 1)/(2k)!
    term, k = power * s / q / 2, 1
    while True:
        part = term * mp.bernoulli(2 * k)
        found += part
        if mp.mag(part) < mp.mag(found) - mp.prec:
            return found
        term *= (s + 2 * k - 1) * (s + 2 * k) / ((2 * k + 1) * (2 * k + 2) * q * q)
        k += 1
