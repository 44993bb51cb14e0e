"""Differences from what an exponential or a cosine is at 0, and Box and Cox's transformation, which is made of one."""

from __future__ import annotations

from math import factorial

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.elementwise import absolute, exp, greater, less, log, log1p, power, sin, where
from gradcli.ops.function import case
from gradcli.ops.kinds import elementwise
from gradcli.ops.registry import elementwise_function
from gradcli.ops.special.values import Array, pieces, real

# --- (exp(x) - 1)/x --------------------------------------------------------------------------------------------------


def _by_powers(x: Array, n: int) -> Array:
    """The integral of t**n exp(x t) from 0 to 1, for small x >= 0, by powers of x."""
    found = np.zeros_like(x)
    for k in reversed(range(24 + 2 * n)):
        found = found * x + 1 / (factorial(k) * (n + k + 1))
    return found


def _left(x: Array, n: int) -> Array:
    """The same for x < 0, by Kummer's transformation: nothing cancels."""
    term = np.exp(x) / (n + 1)
    found = term
    for k in range(int(12 * (n + 5))):
        term = term * (-x / (n + 2 + k))
        found = found + term
    return found


def _by_parts(x: Array, n: int) -> Array:
    """By parts: x I[n] = exp(x) - n I[n-1], with exp(x) taken out where x > 0."""
    out = np.where(x > 0, x, 0.0)
    shown = np.exp(x - out)
    found = np.where(x > 0, -np.expm1(-np.abs(x)), np.expm1(-np.abs(x))) / x
    for k in range(1, n + 1):
        found = (shown - k * found) / x
    half = np.exp(0.5 * out)
    return np.where(np.isinf(x), np.where(x > 0, np.inf, 0.0), found * half * half)


_slope = pieces(
    (lambda x, n: (x >= 0) & (x < n + 1.0), lambda x, n: _by_powers(x, int(n[0]))),
    (lambda x, n: (x < 0) & (x > -4.0 * (n + 1)), lambda x, n: _left(x, int(n[0]))),
    last=lambda x, n: _by_parts(x, int(n[0])),
)


def _exprel(x: Array, n: int = 0) -> Array:
    from scipy import special

    return special.exprel(x) if n == 0 else _slope(x, np.full_like(x, n))


EXPREL: Op = elementwise(
    "exprel",
    real(_exprel),
    lambda y, x, n=0: bind(EXPREL, x, n=n + 1),
    meaning=lambda S, x, n=0: S.exprel(n, x),
    saves=(0,),
    doc="(exp(x) - 1)/x, 1 at 0.",
)
exprel = elementwise_function(
    EXPREL,
    derivative="where(x == 0, 1/2, (exp(x) - exprel(x))/where(x == 0, 1, x))",
    where="scipy",
    source="DLMF 13.6.2: the derivatives are Kummer functions",
    cases=(case(np.array([0.0, -0.0, 1e-9, -30.0, 40.0])),),
    family="special",
)

# --- cos(x) - 1 ------------------------------------------------------------------------------------------------------


def _cosm1(x: Array) -> Array:
    half = np.sin(0.5 * x)
    return -2 * half * half


COSM1 = elementwise(
    "cosm1",
    real(_cosm1),
    lambda y, x: -sin(x),
    meaning=lambda S, x: S.cos(x) - 1,
    saves=(0,),
    doc="cos(x) - 1, exact near 0.",
)
cosm1 = elementwise_function(COSM1, derivative="-sin(x)", where="scipy", family="special")

# --- Box and Cox -----------------------------------------------------------------------------------------------------


def _box_of(logarithm: Array, raised: Array, lmbda: Array) -> Array:
    from scipy import special

    t = lmbda * logarithm
    near = logarithm * special.exprel(np.where(np.abs(t) < 1, t, 0.0))
    return np.where(np.abs(t) < 1, near, (raised - 1) / lmbda)


def _box(x: Array, lmbda: Array) -> Array:
    return _box_of(np.log(x), np.power(x, lmbda), lmbda)


def _box1p(x: Array, lmbda: Array) -> Array:
    logarithm = np.log1p(x)
    raised = np.where(np.abs(x) > 0.5, np.power(1 + x, lmbda), np.exp(lmbda * logarithm))
    return _box_of(logarithm, raised, lmbda)


def _box_slope(x: CoreValue, lmbda: CoreValue) -> CoreValue:
    """x**(lmbda - 1); for a lmbda near 0, lmbda - 1 has lost its last digits."""
    return where(less(absolute(lmbda), 0.5), power(x, lmbda) / x, power(x, lmbda - 1))


def _twice(factor: CoreValue, x: CoreValue) -> CoreValue:
    """factor**2*x, where the square may be too small for a float and x too large."""
    return factor * (factor * x)


BOXCOX: Op = elementwise(
    "boxcox",
    real(_box),
    lambda y, x, lmbda: _box_slope(x, lmbda),
    lambda y, x, lmbda: _twice(log(x), bind(EXPREL, lmbda * log(x), n=1)),
    meaning=lambda S, x, lmbda: S.log(x) * S.exprel(lmbda * S.log(x)),
    saves=(0, 1),
    doc="(x**lmbda - 1)/lmbda, and log(x) where lmbda is 0.",
)
BOXCOX1P: Op = elementwise(
    "boxcox1p",
    real(_box1p),
    lambda y, x, lmbda: where(greater(absolute(x), 0.5), _box_slope(1 + x, lmbda), exp((lmbda - 1) * log1p(x))),
    lambda y, x, lmbda: _twice(log1p(x), bind(EXPREL, lmbda * log1p(x), n=1)),
    meaning=lambda S, x, lmbda: S.log1p(x) * S.exprel(lmbda * S.log1p(x)),
    saves=(0, 1),
    doc="((1 + x)**lmbda - 1)/lmbda, and log(1 + x) where lmbda is 0.",
)


_PAIR = ("x", "lmbda")
_ZERO = (case((3,), 0.0), case((3,), np.array([0.0, 1.0, -0.5])), case((2, 3), (3,)))
_SOURCE = "Box and Cox 1964"
boxcox = elementwise_function(
    BOXCOX,
    parameters=_PAIR,
    derivative="x**(lmbda - 1), (x**lmbda*(lmbda*log(x) - 1) + 1)/lmbda**2",
    where="scipy",
    domain=((0.3, 3.0), (0.5, 2.0)),
    defined="x > 0",
    source=_SOURCE,
    cases=_ZERO,
    family="special",
)
boxcox1p = elementwise_function(
    BOXCOX1P,
    parameters=_PAIR,
    derivative="(1 + x)**(lmbda - 1), ((1 + x)**lmbda*(lmbda*log1p(x) - 1) + 1)/lmbda**2",
    where="scipy",
    domain=((-0.5, 3.0), (0.5, 2.0)),
    defined="x > -1",
    source=_SOURCE,
    cases=_ZERO,
    family="special",
)
