"""The hyperbolic sine and cosine integrals, and what they are of: sinh(x)/x and cosh(x)/x."""

from __future__ import annotations

from functools import cache
from math import comb, factorial
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.elementwise.pairs import COMPLEX
from gradcli.ops.function import case
from gradcli.ops.kinds import elementwise
from gradcli.ops.operands import operands
from gradcli.ops.registry import function
from gradcli.ops.special.values import Array, horner, pieces, real_or_complex


@cache
def _powers(n: int) -> list[float]:
    """Coefficients of t**2 in the derivative of order n of sinh(t)/t, over t where n is odd."""
    found = []
    for k in range((n + 1) // 2, (n + 1) // 2 + 24):
        falling = factorial(2 * k) // factorial(2 * k - n)
        found.append(falling / factorial(2 * k + 1))
    return found


def _near(x: Array, n: int) -> Array:
    found = horner(_powers(n), x * x)
    return found * x if n % 2 else found


def _far(x: Array, n: int) -> Array:
    """x f = sinh(x), differentiated k times; halved powers do not overflow before f does."""
    half = np.ones_like(x) if x.dtype.kind == "c" else np.exp(np.abs(x) / 2)
    both = (np.sinh(x), np.cosh(x)) if x.dtype.kind == "c" else _shown(x)
    found = both[0] / x
    for k in range(1, n + 1):
        found = (both[k % 2] - k * found) / x
    return found * half * half


def _shown(x: Array) -> tuple[Array, Array]:
    """sinh(x) and cosh(x) over exp(|x|)."""
    rest = np.exp(-2 * np.abs(x))
    return np.sign(x) * -0.5 * np.expm1(-2 * np.abs(x)), 0.5 * (1 + rest)


def _rise(x: Array, n: int) -> Array:
    return pieces((lambda x: np.abs(x) < n + 1.5, lambda x: _near(x, n)), last=lambda x: _far(x, n))(x)


def _cosh_over(x: Array) -> Array:
    half = np.exp(np.abs(x) / 2)
    return half * (_shown(x)[1] / x) * half


def _exact_sinh_over(S: Any, x: Any, n: int = 0) -> Any:
    """By Leibniz."""
    waves = (S.sinh(x), S.cosh(x))
    terms = [comb(n, j) * (-1) ** j * factorial(j) * waves[(n - j) % 2] / x ** (j + 1) for j in range(n + 1)]
    return S.sum(terms)


SINH_OVER: Op = elementwise(
    "sinh_over",
    real_or_complex(lambda x, n=0: _rise(x, n), lambda z, n=0: _rise(z, n)),
    lambda y, x, n=0: bind(SINH_OVER, x, n=n + 1),
    meaning=_exact_sinh_over,
    doc="sinh(x)/x, 1 at 0.",
)
COSH_OVER: Op = elementwise(
    "cosh_over",
    real_or_complex(_cosh_over, lambda z: np.cosh(z) / z),
    lambda y, x: bind(SINH_OVER, x) - y / x,
    meaning=lambda S, x: S.cosh(x) / x,
    doc="cosh(x)/x.",
)


def _shichi(part: int) -> Any:
    def formula(x: Array) -> Array:
        from scipy import special

        return special.shichi(x)[part]

    return formula


SHI: Op = elementwise(
    "hyperbolic_sine_integral",
    real_or_complex(_shichi(0), _shichi(0)),
    lambda y, x: bind(SINH_OVER, x),
    meaning=lambda S, x: S.Shi(x),
    saves=(0,),
    doc="The hyperbolic sine integral, of sinh(t)/t from 0 to x.",
)
CHI: Op = elementwise(
    "hyperbolic_cosine_integral",
    real_or_complex(_shichi(1), _shichi(1)),
    lambda y, x: bind(COSH_OVER, x),
    meaning=lambda S, x: S.Chi(x) if hasattr(x, "im") else S.Chi(S.where(S.lt(x, 0), -x, x)),
    saves=(0,),
    doc="The hyperbolic cosine integral, of (cosh(t) - 1)/t from 0 to x and euler_gamma + log(x); of |x| where x < 0.",
)


@function(
    family="special",
    where="scipy",
    derivative="vjp: g[0]*sinh(x)/x + g[1]*cosh(x)/x",
    domain=(0.3, 6.0),
    defined="x != 0",
    kinks="x = 0: 1 for the sine integral, the limit, and inf for the cosine integral",
    source="DLMF 6.2.15, 6.2.16",
    cases=(case(()), case((3,)), case((2, 3)), case((0,)), case(np.array([-3.0, -0.5, 20.0])), case(COMPLEX)),
)
def shichi(x: Any) -> tuple[CoreValue, CoreValue]:
    """The hyperbolic sine and cosine integral."""
    (argument,) = operands((x,), True)
    return bind(SHI, argument), bind(CHI, argument)
