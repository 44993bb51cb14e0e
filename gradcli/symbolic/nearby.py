"""Functions beside a point where their value is known: by addition theorems, to full precision and at little cost.

An evaluation with random ulps, or of another precision, reads each function a tiny step beside the plain evaluation.
There exp(x + d) = exp(x) exp(d), and so on, with a few terms of a series in d.
"""

from __future__ import annotations

import decimal
from collections.abc import Callable
from functools import cache
from math import factorial
from typing import NamedTuple

from gradcli.symbolic.numbers import ONE, ZERO, Number, digits_of

#: Steps are small up to this decimal exponent: beyond, a series would be longer than the function itself.
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


# --- series that vanish at 0, in numbers so small that few terms count -----------------------------------------------


def _inverse_factorials(n: int, first: int, step: int) -> list[Number]:
    """1/first!, 1/(first + step)!, ..."""
    return [ONE / factorial(first + step * k) for k in range(n)]


def _of_tangent(n: int) -> list[Number]:
    """Coefficients of tanh(d)/d in d**2, from tanh' = 1 - tanh**2."""
    found = [ONE]
    for k in range(1, n):
        found.append(-sum((found[i] * found[k - 1 - i] for i in range(k)), ZERO) / (2 * k + 1))
    return found


def _alternating(n: int, step: int) -> list[Number]:
    """1, -1/(1 + step), 1/(1 + 2 step), ..."""
    return [ONE * (-1) ** k / (1 + step * k) for k in range(n)]


_SERIES: dict[str, Callable[[int], list[Number]]] = {
    "expm1": lambda n: _inverse_factorials(n, 1, 1),
    "log1p": lambda n: _alternating(n, 1),
    "tanh": _of_tangent,
    "atan": lambda n: _alternating(n, 2),
    "even": lambda n: _inverse_factorials(n, 2, 2),
    "odd": lambda n: _inverse_factorials(n, 3, 2),
}


@cache
def _coefficients(name: str, digits: int) -> tuple[Number, ...]:
    """As many coefficients of a series as could ever count, to so many digits."""
    with digits_of(digits + 5):
        found = _SERIES[name](digits // -_SMALL + 2)
    with digits_of(digits):
        return tuple(+c for c in found)


def _series(name: str, d: Number, q: Number) -> Number:
    """d times a series in q."""
    digits = decimal.getcontext().prec
    coefficients = _coefficients(name, digits)
    terms = digits // -q.adjusted() + 1
    found = coefficients[terms]
    for k in range(terms - 1, -1, -1):
        found = found * q + coefficients[k]
    return found * d


# --- the theorems ----------------------------------------------------------------------------------------------------


def _exponential(x: Number, d: Number, known: Known) -> Number:
    return known.value + known.value * _series("expm1", d, d)


def _logarithm(x: Number, d: Number, known: Known) -> Number | None:
    r = d / known.point
    return None if r.adjusted() > _SMALL else known.value + _series("log1p", r, r)


def _exponential_less_one(x: Number, d: Number, known: Known) -> Number:
    return known.value + (ONE + known.value) * _series("expm1", d, d)


def _logarithm_of_one_more(x: Number, d: Number, known: Known) -> Number | None:
    r = d / (ONE + known.point)
    return None if r.adjusted() > _SMALL else known.value + _series("log1p", r, r)


def _hyperbolic_tangent(x: Number, d: Number, known: Known) -> Number:
    t = _series("tanh", d, d * d)
    return (known.value + t) / (ONE + known.value * t)


def _arctangent(x: Number, d: Number, known: Known) -> Number:
    q = d / (ONE + x * known.point)
    return known.value + _series("atan", q, q * q)


def _even_and_odd(d: Number, sign: int) -> tuple[Number, Number]:
    """cos(d) and sin(d) for sign -1, cosh(d) and sinh(d) for 1."""
    q = d * d * sign
    return ONE + _series("even", q, q), d + _series("odd", d * q, q)


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
    "expm1": _exponential_less_one,
    "log1p": _logarithm_of_one_more,
    "tanh": _hyperbolic_tangent,
    "atan": _arctangent,
    "sin": _sine,
    "cos": _cosine,
    "sinh": _hyperbolic,
    "cosh": _hyperbolic,
}
#: Those that come in pairs: each is the other's partner.
PAIRED = frozenset(("sin", "cos", "sinh", "cosh"))
