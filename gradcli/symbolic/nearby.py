"""Functions beside a point where their value is known, by addition theorems: to full precision, and at a fraction of the
cost.

An evaluation with random ulps, or of another precision, reads each function a tiny step beside the plain evaluation.
There exp(x + d) = exp(x) exp(d), and so on, with a few terms of a series in d.
"""

from __future__ import annotations

import decimal
from collections.abc import Callable
from typing import NamedTuple

from gradcli.symbolic.numbers import ONE, ZERO, Number

#: Steps are small from this decimal exponent on: beyond, a series would be longer than the function itself.
_SMALL = -6


class Known(NamedTuple):
    """A function's value at a point; `partner` is what else its theorem needs there (the cosine of a sine)."""

    point: Number
    value: Number
    partner: Number


def beside(name: str, x: Number, known: Known) -> Number | None:
    """The function's value at x; None where x is not near the known point."""
    d = x - known.point
    if not d:
        return +known.value
    if not d.is_finite() or d.adjusted() > _SMALL:
        return None
    return THEOREMS[name](x, d, known)


def _terms(d: Number) -> int:
    """How many terms of a series in d are within the digits in force."""
    return decimal.getcontext().prec // -d.adjusted() + 1


def _expm1(d: Number) -> Number:
    found = ZERO
    for n in range(_terms(d) + 1, 0, -1):
        found = (ONE + found) * d / n
    return found


def _exponential(x: Number, d: Number, known: Known) -> Number:
    return known.value + known.value * _expm1(d)


def _logarithm(x: Number, d: Number, known: Known) -> Number | None:
    r = d / known.point
    if r.adjusted() > _SMALL:
        return None
    found = ZERO
    for n in range(_terms(r) + 1, 0, -1):
        found = r * (ONE / n - found)
    return known.value + found


def _hyperbolic_tangent(x: Number, d: Number, known: Known) -> Number:
    e = _expm1(d + d)
    t = e / (e + 2)
    return (known.value + t) / (ONE + known.value * t)


def _arctangent(x: Number, d: Number, known: Known) -> Number:
    q = d / (ONE + x * known.point)
    square, found = q * q, ZERO
    for n in range(_terms(q) // 2 + 1, -1, -1):
        found = ONE / (2 * n + 1) - square * found
    return known.value + q * found


def _even_and_odd(d: Number, sign: int) -> tuple[Number, Number]:
    """cos(d) and sin(d) for sign -1, cosh(d) and sinh(d) for 1."""
    square = d * d * sign
    even = odd = ZERO
    for n in range(_terms(d) // 2 + 1, 0, -1):
        even = (ONE + even) * square / ((2 * n - 1) * 2 * n)
        odd = (ONE + odd) * square / (2 * n * (2 * n + 1))
    return ONE + even, d + d * odd


def _sine(x: Number, d: Number, known: Known) -> Number:
    even, odd = _even_and_odd(d, -1)
    return known.value * even + known.partner * odd


def _cosine(x: Number, d: Number, known: Known) -> Number:
    even, odd = _even_and_odd(d, -1)
    return known.value * even - known.partner * odd


def _hyperbolic(x: Number, d: Number, known: Known) -> Number:
    even, odd = _even_and_odd(d, 1)
    return known.value * even + known.partner * odd


#: Functions with a theorem.
THEOREMS: dict[str, Callable[[Number, Number, Known], Number | None]] = {
    "exp": _exponential,
    "log": _logarithm,
    "tanh": _hyperbolic_tangent,
    "atan": _arctangent,
    "sin": _sine,
    "cos": _cosine,
    "sinh": _hyperbolic,
    "cosh": _hyperbolic,
}
#: Those that come in pairs: each is the other's partner.
PAIRED = frozenset(("sin", "cos", "sinh", "cosh"))
