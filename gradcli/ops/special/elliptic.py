"""Legendre's complete elliptic integrals, of the parameter m = k**2."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.function import case
from gradcli.ops.kinds import elementwise
from gradcli.ops.registry import elementwise_function
from gradcli.ops.special.values import Array, pieces, real, scipy_

_ellipk, _ellipe, _ellipkm1, _elliprd = map(scipy_, ("ellipk", "ellipe", "ellipkm1", "elliprd"))
_HALF_PI = 1.5707963267948966


def _series(m: Array, n: int, a: float) -> Array:
    """The derivative of order n of pi/2 F(a, 1/2; 1; m), by powers of m; for |m| < 1/2."""
    term = np.full_like(m, _HALF_PI)
    for k in range(n):
        term = term * ((a + k) * (0.5 + k) / (1 + k))
    found = term
    for k in range(56):
        term = term * m * ((a + n + k) * (0.5 + n + k) / ((1.0 + n + k) * (k + 1)))
        found = found + term
    return found


def _k_slope(rest: Array, other: Array) -> Array:
    """K' by Carlson's integral (DLMF 19.25.1), from 1 - m; `other` is 1.

    It is homogeneous (DLMF 19.20.1): without a power of 1 - m, that of a large one would leave the range of floats."""
    large = np.maximum(rest, other)
    return _elliprd(0.0, other / large, rest / large) / 6 / large / np.sqrt(large)


def _k_further(m: Array, rest: Array, values: tuple[Array, Array], n: int) -> Array:
    """Further derivatives by Legendre's equation m (1-m) K'' + (1 - 2m) K' = K/4, differentiated (DLMF 19.4(ii))."""
    before, found = values
    for k in range(n - 1):
        before, found = found, ((k + 0.5) ** 2 * before - (k + 1) * (rest - m) * found) / (m * rest)
    return found


def _k(m: Array, n: int) -> Array:
    if n == 0:
        return _ellipk(m)
    if n == 1:
        return _k_slope(1 - m, np.ones_like(m))
    return _K_FURTHER(m, n=n)


_K_FURTHER = pieces(
    (lambda m: np.abs(m) < 0.5, lambda m, n: _series(m, n, 0.5)),
    last=lambda m, n: _k_further(m, 1 - m, (_ellipk(m), _k(m, 1)), n),
)


def _k_of_rest(p: Array, n: int) -> Array:
    """The derivative of order n of K(1 - p) in p."""
    if n == 0:
        return _ellipkm1(p)
    if n == 1:
        return -_k_slope(p, np.ones_like(p))
    return _K_OF_REST(p, n=n)


_K_OF_REST = pieces(
    (lambda p: np.abs(1 - p) < 0.5, lambda p, n: (-1) ** n * _series(1 - p, n, 0.5)),
    # The equation is the same in 1 - m.
    last=lambda p, n: _k_further(p, 1 - p, (_ellipkm1(p), _k_of_rest(p, 1)), n),
)


def _e(m: Array, n: int) -> Array:
    if n == 0:
        return _ellipe(m)
    if n == 1:
        return -_elliprd(0.0, 1 - m, np.ones_like(m)) / 6
    return _E_FURTHER(m, n=n)


def _e_further(m: Array, n: int) -> Array:
    """By m (1-m) E'' + (1 - m) E' = -E/4, differentiated (DLMF 19.4(ii))."""
    before, found = _ellipe(m), _e(m, 1)
    for k in range(n - 1):
        before, found = found, ((k * k - 0.25) * before - (k * (1 - 2 * m) + 1 - m) * found) / (m * (1 - m))
    return found


_E_FURTHER = pieces((lambda m: np.abs(m) < 0.5, lambda m, n: _series(m, n, -0.5)), last=_e_further)


def _op(name: str, value: Any, meaning: Any, doc: str) -> Op:
    def slope(y: CoreValue, m: CoreValue, n: int = 0) -> CoreValue:
        return bind(made, m, n=n + 1)

    made = elementwise(name, real(lambda m, n=0: value(m, n)), slope, meaning=meaning, saves=(0,), doc=doc)
    return made


ELLIPK = _op(
    "ellipk", _k, lambda S, m, n=0: S.ellipk(n, m), "Complete elliptic integral of the first kind, of the parameter m."
)
ELLIPE = _op(
    "ellipe", _e, lambda S, m, n=0: S.ellipe(n, m), "Complete elliptic integral of the second kind, of the parameter m."
)
ELLIPKM1 = _op(
    "ellipkm1",
    _k_of_rest,
    lambda S, p, n=0: (-1) ** n * S.ellipk(n, 1 - p),
    "Complete elliptic integral of the first kind, of 1 - p, exact near p = 0.",
)
_DOMAIN, _SOURCE = (-2.0, 0.9), "DLMF 19.4.1, 19.25.1: Carlson's forms do not cancel near m = 0"
_WIDE = (case(np.array([0.0, 1e-9, -1e-9, 0.3, 0.97, -50.0])),)
ellipk = elementwise_function(
    ELLIPK,
    parameters=("m",),
    derivative="where(m == 0, pi/8, (ellipe(m) - (1 - m)*ellipk(m))/where(m == 0, 1, 2*m*(1 - m)))",
    where="scipy",
    domain=_DOMAIN,
    defined="m < 1",
    source=_SOURCE,
    cases=_WIDE,
    family="special",
)
ellipe = elementwise_function(
    ELLIPE,
    parameters=("m",),
    derivative="where(m == 0, -pi/8, (ellipe(m) - ellipk(m))/where(m == 0, 1, 2*m))",
    where="scipy",
    domain=_DOMAIN,
    defined="m < 1",
    source=_SOURCE,
    cases=_WIDE,
    family="special",
)
ellipkm1 = elementwise_function(
    ELLIPKM1,
    parameters=("p",),
    derivative="-(ellipe(1 - p) - p*ellipkm1(p))/(2*p*(1 - p))",
    where="scipy",
    domain=(0.1, 0.95),
    defined="p > 0",
    source=_SOURCE,
    cases=(case(np.array([1e-30, 1e-9, 0.4, 0.7, 1.0, 30.0])),),
    family="special",
)
