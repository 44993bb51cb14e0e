"""Recurrences of orthogonal polynomials: 1, the first, and every further one by the two before it (DLMF 18.9(i))."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.graph.errors import ArgumentError
from gradcli.graph.values import Array, CoreValue, Value, dtype_of, shape_of
from gradcli.ops.arguments import integer, settled
from gradcli.ops.constructors import ones_of
from gradcli.ops.elementwise import equal, less, where
from gradcli.ops.fixed import held
from gradcli.ops.kinds import broadcast_shape, expanded

#: A polynomial of order k from those of orders k - 1 and k - 2: (k, p[k-1], p[k-2]) -> p[k].
Step = Callable[[int, CoreValue, CoreValue], CoreValue]


def _orders(name: str, n: Any) -> int | Array:
    """The order, a whole number from 0, or an array of such.

    Raises:
        ArgumentError: one is not.
    """
    if isinstance(n, list | tuple):
        n = np.asarray(n)
    if isinstance(n, Value | np.ndarray) and n.ndim:
        found = settled(n)
        if not np.all(found == np.floor(found)) or np.any(found < 0):
            raise ArgumentError(f"{name}: an order is an integer from 0")
        return found.astype(np.int64)
    order = integer(n, f"{name}: the order")
    if order < 0:
        raise ArgumentError(f"{name}: an order is an integer from 0, not {order}")
    return order


def of_order(name: str, n: Any, x: CoreValue, others: tuple[CoreValue, ...], first: CoreValue, step: Step) -> CoreValue:
    """The polynomial of order n: 1, `first`, and from there on by `step`."""
    orders, first = _orders(name, n), held(first, n, name)
    shape = broadcast_shape(name, np.shape(orders), shape_of(x), *map(shape_of, others))
    before, last = ones_of(first), first
    found = before
    for k in range(1, int(np.max(orders, initial=0)) + 1):
        if k > 1:
            before, last = last, step(k, last, before)
        found = last if isinstance(orders, int) else where(equal(orders, k), last, found)
    return expanded(found, shape)


# --- the families ----------------------------------------------------------------------------------------------------


def chebyshev(name: str, n: Any, x: CoreValue, slope: float, rest: float = 0.0) -> CoreValue:
    """p[1] = slope x + rest, and on by 2 x p[k-1] - p[k-2]: T, U, V and W by their first polynomial."""
    first = slope * x + rest if rest else slope * x
    return of_order(name, n, x, (), first, lambda k, p, q: 2 * x * p - q)


def shifted(name: str, n: Any, x: CoreValue, slope: float, rest: float, rise: Callable[[int], float]) -> CoreValue:
    """A polynomial of 2 x - 1, p[1] = slope (2 x - 1) + rest, by h = |2 x - 1| - 1, which unlike that is not rounded.

    With d[k] = p[k] - p[k-1]: d[k] = (1 + rise) h p[k-1] + rise d[k-1], and left of the middle p(-t) = (-1)**n q(t).
    """
    if dtype_of(x).kind == "c":
        return _by_rise(name, n, 2 * (x - 1), slope, rest, rise)
    low = less(x, 0.5)
    found = _by_rise(name, n, where(low, -2 * x, 2 * (x - 1)), slope, where(low, -rest, rest), rise)
    return where(low, 1 - 2 * (np.asarray(_orders(name, n)) % 2), 1) * found


def _by_rise(name: str, n: Any, h: CoreValue, slope: float, rest: Any, rise: Callable[[int], float]) -> CoreValue:
    def step(k: int, p: CoreValue, q: CoreValue) -> CoreValue:
        rises.append((1 + rise(k)) * h * p + rise(k) * rises[-1])
        return p + rises[-1]

    rises = [slope * h + (slope + rest - 1)]
    return of_order(name, n, h, (), slope * h + (slope + rest), step)


def evenly(k: int) -> float:
    """How Chebyshev polynomials rise."""
    return 1.0


def gegenbauer(name: str, n: Any, alpha: CoreValue, x: CoreValue) -> CoreValue:
    """C of order n, DLMF table 18.9.1."""

    def step(k: int, p: CoreValue, q: CoreValue) -> CoreValue:
        return (2 * (alpha + (k - 1)) * x * p - (2 * alpha + (k - 2)) * q) / k

    return of_order(name, n, x, (alpha,), 2 * alpha * x, step)


def legendre(name: str, n: Any, x: CoreValue) -> CoreValue:
    """P of order n."""
    return of_order(name, n, x, (), 1.0 * x, lambda k, p, q: ((2 * k - 1) * x * p - (k - 1) * q) / k)


def laguerre(name: str, n: Any, alpha: CoreValue, x: CoreValue) -> CoreValue:
    """L of order n and alpha."""

    def step(k: int, p: CoreValue, q: CoreValue) -> CoreValue:
        return ((2 * k - 1 + alpha - x) * p - (k - 1 + alpha) * q) / k

    return of_order(name, n, x, (alpha,), 1 + alpha - x, step)


def hermite(name: str, n: Any, x: CoreValue, scale: float) -> CoreValue:
    """H with scale 2, He with 1."""
    return of_order(name, n, x, (), scale * x, lambda k, p, q: scale * (x * p - (k - 1) * q))


def jacobi(name: str, n: Any, a: CoreValue, b: CoreValue, x: CoreValue) -> CoreValue:
    """P of order n, alpha and beta."""
    both = a + b

    def step(k: int, p: CoreValue, q: CoreValue) -> CoreValue:
        c = 2 * k + both
        ahead = (c - 1) * (c * (c - 2) * x + both * (a - b)) * p
        return (ahead - 2 * (a + (k - 1)) * (b + (k - 1)) * c * q) / (2 * k * (both + k) * (c - 2))

    return of_order(name, n, x, (a, b), (a - b + (both + 2) * x) / 2, step)
