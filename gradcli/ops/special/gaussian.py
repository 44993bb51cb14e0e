"""exp(a*x**2) and its derivatives, without the error that squaring x makes: at x = 20 it would be 200 ulp."""

from __future__ import annotations

from functools import cache
from math import comb, perm
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.kinds import elementwise
from gradcli.ops.special.exact_products import SPLITTER
from gradcli.ops.special.values import Array, horner, real_or_complex

#: Beyond it, over sqrt(|a|), exp(-x**2) is 0 and exp(x**2) infinite.
_FAR = 40.0


def exp_of_square(x: Array, a: float) -> Array:
    """exp(a*x**2) to about one ulp; `a` is a power of two, of either sign."""
    x = np.clip(x, -_FAR / abs(a) ** 0.5, _FAR / abs(a) ** 0.5)
    scaled = x * SPLITTER
    high = scaled - (scaled - x)  # its square is exact
    return np.exp(a * high * high) * np.exp(a * (x - high) * (x + high))


@cache
def polynomial(a: float, n: int) -> list[float]:
    """What the derivative of order n of exp(a*x**2) has in front of it: Hermite's polynomials, up to scale."""
    found = [1.0]
    for _ in range(n):
        slope = [k * c for k, c in enumerate(found)][1:]
        grown = [0.0, *(2 * a * c for c in found)]
        found = [c + (slope[k] if k < len(slope) else 0.0) for k, c in enumerate(grown)]
    return found


def _value(x: Array, a: float, n: int) -> Array:
    found = exp_of_square(x, a)
    if n == 0:
        return found
    return found * horner(polynomial(a, n), np.clip(x, -_FAR / abs(a) ** 0.5, _FAR / abs(a) ** 0.5))


def _of_complex(z: Array, a: float, n: int) -> Array:
    return np.exp(a * z * z) * horner(polynomial(a, n), z)


def _meaning(S: Any, x: Any, a: float, n: int) -> Any:
    """By Hermite's polynomials written out: a sum over pairs of factors that were differentiated once more."""
    factor: Any = 0
    for k in range(n // 2 + 1):
        factor = factor + (S.number(a) ** (n - k)) * (2 * x) ** (n - 2 * k) * comb(n, 2 * k) * perm(2 * k, k)
    return factor * S.exp(S.number(a) * x * x)


GAUSSIAN: Op = elementwise(
    "gaussian",
    real_or_complex(_value, _of_complex),
    lambda y, x, a, n: bind(GAUSSIAN, x, a=a, n=n + 1),
    meaning=_meaning,
    saves=(0,),
    doc="The derivative of order n of exp(a*x**2).",
)


def exp_minus_square(x: CoreValue) -> CoreValue:
    """exp(-x**2), right to its last bits however large x is."""
    return bind(GAUSSIAN, x, a=-1.0, n=0)


def exp_minus_half_square(x: CoreValue) -> CoreValue:
    """exp(-x**2/2): a normal density up to its factor."""
    return bind(GAUSSIAN, x, a=-0.5, n=0)


def exp_square(x: CoreValue) -> CoreValue:
    """exp(x**2)."""
    return bind(GAUSSIAN, x, a=1.0, n=0)
