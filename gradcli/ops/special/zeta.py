"""Hurwitz's zeta function, and Riemann's, which is that of 1, differentiable in both arguments."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.function import case
from gradcli.ops.kinds import elementwise
from gradcli.ops.operands import operands
from gradcli.ops.registry import function
from gradcli.ops.special.gamma_family import BERNOULLI
from gradcli.ops.special.values import Array, real

#: Terms that are summed before Euler's and Maclaurin's formula takes over.
_TERMS = 16


def _slope(s: Array, q: Array, n: int) -> Array:
    """The derivative of order n of zeta(s, q) in s > 1, by the Euler-Maclaurin formula, term by term (DLMF 25.11.7)."""
    found = np.zeros_like(s + q)
    for k in range(_TERMS):
        found = found + _term(s, q + k, n)
    y = q + _TERMS
    logarithm = -np.log(y)
    found = found + 0.5 * _term(s, y, n)
    # y**(1 - s)/(s - 1), by Leibniz.
    tail = np.zeros_like(found)
    for j in range(n + 1):
        tail = tail + _choices(n, j) * logarithm**j * _factorial(n - j) * (-1.0) ** (n - j) * (s - 1) ** (j - n - 1)
    found = found + tail * np.power(y, 1 - s)
    # The rising factorials s (s + 1)... and their derivatives in s.
    rising = [np.array(s, dtype=float), np.ones_like(s), *(np.zeros_like(s) for _ in range(n))][: n + 1]
    power = np.power(y, -s - 1)
    for k, b in enumerate(BERNOULLI):
        if k:
            for shift in (2 * k - 1, 2 * k):
                rising = [(s + shift) * rising[j] + (j * rising[j - 1] if j else 0.0) for j in range(n + 1)]
            power = power / (y * y)
        term = np.zeros_like(found)
        for j in range(n + 1):
            term = term + _choices(n, j) * rising[j] * logarithm ** (n - j)
        found = found + b * term * power
    return found


def _term(s: Array, y: Array, n: int) -> Array:
    return (-np.log(y)) ** n * np.power(y, -s)


def _factorial(n: int) -> float:
    from math import factorial

    return float(factorial(n))


def _choices(n: int, k: int) -> float:
    from math import comb

    return float(comb(n, k))


def _value(s: Array, q: Array, n: int = 0) -> Array:
    from scipy import special

    if n == 0:
        return special.zeta(s, q)
    return np.where((s > 1) & (q > 0), _slope(s, np.where(q > 0, q, 1.0), n), np.nan)


def _by_q(y: CoreValue, s: CoreValue, q: CoreValue, n: int = 0) -> CoreValue:
    """-s zeta(s + 1, q), differentiated n times by s."""
    found = -1.0 * s * bind(ZETA, s + 1, q, n=n)
    return found - n * bind(ZETA, s + 1, q, n=n - 1) if n else found


def _node(operands: tuple[CoreValue, ...], params: dict[str, Any]) -> Any:
    return ("SpecialZetaBackward0", (0, 1))


ZETA: Op = elementwise(
    "zeta",
    real(_value),
    lambda y, s, q, n=0: bind(ZETA, s, q, n=n + 1),
    _by_q,
    meaning=lambda S, s, q, n=0: S.zeta(n, 0, s, q),
    torch=_node,
    saves=(0, 1),
    doc="Hurwitz's zeta function, the sum of (q + k)**-s over k from 0.",
)
_DOMAIN, _SOURCE = ((1.3, 6.0), (0.4, 4.0)), "DLMF 25.11.7, 25.11.17"


@function(
    family="special",
    where="scipy",
    op=ZETA,
    derivative="vjp: by x, -g times the sum of log(q + k)/(q + k)**x over k from 0; by q, -g*x*zeta(x + 1, q)",
    domain=_DOMAIN,
    defined="(x > 1) & (q > 0)",
    source=_SOURCE,
    cases=(
        case((3,), (3,)),
        case((2, 3), (3,)),
        case(2, (3,)),
        case((3,)),
        case((), 1),
        case((0,), (0,)),
        case(np.array([1.01, 30.0]), np.array([0.01, 90.0])),
        case(np.array(3.0), np.array(1.7569472342091577e-19)),
    ),
)
def zeta(x: Any, q: Any = 1) -> CoreValue:
    """Hurwitz's zeta function, the sum of (q + k)**-x over k from 0; Riemann's without q."""
    return bind(ZETA, *operands((x, 1.0 if q is None else q), True))


@function(
    "zeta_torch",
    family="special",
    where="",
    also=("torch.special.zeta",),
    op=ZETA,
    derivative="vjp: by input, -g times the sum of log(other + k)/(other + k)**input over k from 0; by other, "
    "-g*input*zeta(input + 1, other)",
    domain=_DOMAIN,
    defined="(input > 1) & (other > 0)",
    source=_SOURCE,
)
def zeta_torch(input: Any, other: Any) -> CoreValue:
    """Hurwitz's zeta function, the sum of (other + k)**-input over k from 0."""
    return bind(ZETA, *operands((input, other), True))
