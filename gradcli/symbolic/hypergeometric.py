"""Gauss' hypergeometric function of real arguments, and its derivatives, to any precision."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from mpmath import libmp, mp

from gradcli.symbolic.elementary import UNDEFINED, Raw, defined, huge, real_or_undefined

#: Where powers of the argument vanish soon enough to be added up.
_SOON = 0.97


@lru_cache(maxsize=2048)
def gauss(n: Raw, a: Raw, b: Raw, c: Raw, z: Raw, prec: int, rnd: str) -> Raw:
    """The derivative of order n of F(a, b; c; z) in z < 1, DLMF 15.5.2; undefined elsewhere."""
    words = (a, b, c, z)
    if not all(defined(x) and not huge(x, 20) for x in words):
        return UNDEFINED
    order = libmp.to_int(n)
    with mp.workprec(prec + 40):
        above, other, below, t = (mp.make_mpf(x) for x in words)
        if t >= 1:
            return UNDEFINED
        front = mp.rf(above, order) * mp.rf(other, order) / mp.rf(below, order)
        return real_or_undefined(front * _value(above + order, other + order, below + order, t), prec)


def _value(a: Any, b: Any, c: Any, z: Any) -> Any:
    """By its series, for z < 0 after Pfaff's transformation (DLMF 15.8.1)."""
    inside = z / (z - 1) if z < 0 else z
    if inside > _SOON:
        return mp.hyp2f1(a, b, c, z)
    return _series(c - a, b, c, inside) * (1 - z) ** -b if z < 0 else _series(a, b, c, z)


def _series(a: Any, b: Any, c: Any, z: Any) -> Any:
    """The sum, with as many more bits as its largest term takes."""
    lost = 0
    while True:
        with mp.workprec(mp.prec + lost):
            found, largest = _summed(a, b, c, z)
        cancelled = largest - mp.mag(found) if found else lost + 60
        if cancelled <= lost + 10 or lost > 2000:
            return found
        lost = cancelled + 10


def _summed(a: Any, b: Any, c: Any, z: Any) -> tuple[Any, int]:
    """The sum and the magnitude of its largest term."""
    term = found = mp.mpf(1)
    largest, k = 1, 0
    while term and (mp.mag(term) > largest - mp.prec - 20 or k < abs(a) + abs(b)):
        term = term * (a + k) * (b + k) * z / ((c + k) * (k + 1))
        found += term
        largest = max(largest, mp.mag(term))
        k += 1
        if k > 200_000:
            raise mp.NoConvergence
    return found, largest
