"""Integrals over all positive numbers, of integrands that keep their sign and vanish at least exponentially; and from 0
to 1, of smooth ones."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from gradcli.ops.special.values import Array

#: The step of the trapezoidal rule; a power of two, so that equal steps are.
_STEP = 1 / 32
#: How many elements are taken at a time, so that the grid of their nodes stays small.
_CHUNK = 1024


@cache
def nodes() -> tuple[Array, Array]:
    """Nodes s and weights: s = exp(u - exp(-u)), in which what vanishes exponentially in s, and stays bounded at 0,
    vanishes twice exponentially at both ends, so that equal steps in u converge exponentially (Takahasi and Mori)."""
    u = np.arange(-3.625, 4.2, _STEP)
    s = np.exp(u - np.exp(-u))
    return s, s * (1 + np.exp(-u)) * _STEP


@cache
def unit_nodes(count: int) -> list[tuple[float, float]]:
    """Nodes and weights of Gauss and Legendre from 0 to 1."""
    found = np.polynomial.legendre.leggauss(count)
    return [(float(x + 1) / 2, float(w) / 2) for x, w in zip(*found, strict=True)]


def integral(integrand: Callable[..., Array], scale: Array, *columns: Array) -> Array:
    """The integral of integrand(u, *columns) over u > 0, for each element of some vectors of one length; it vanishes
    about where u is a few dozens of `scale`."""
    s, weights = nodes()
    found = np.empty_like(scale)
    for start in range(0, len(scale), _CHUNK):
        part = slice(start, start + _CHUNK)
        grid = integrand(s * scale[part, None], *(c[part, None] for c in columns))
        found[part] = np.sum(grid * weights, axis=-1)
    return found * scale
