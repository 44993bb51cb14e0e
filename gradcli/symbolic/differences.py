"""Derivatives of functions of which mpmath has the value alone: by differences, at as many digits as that takes.

A function of orders is called f(orders..., arguments...) and means the partial derivative of those orders. Central
differences of step h = 2**-(p/2) lose p/2 bits per order, and are right to h**2; the value is taken at so many more
bits that p of them are left.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from math import comb
from typing import Any

from mpmath import libmp, mp

from gradcli.symbolic.elementary import UNDEFINED, Raw, defined, huge, real_or_undefined

#: Bits by which a step is smaller than half the precision asks for: functions may turn on a scale below their argument.
_FINER = 40


def by_differences(
    direct: Callable[..., Any],
    orders: int,
    *,
    static: int = 0,
    bits: int | None = None,
    by_last: Callable[..., Any] | None = None,
    scales: Callable[..., Sequence[Any]] | None = None,
) -> Callable[..., Raw]:
    """The value of a function of orders, from one of mpmath's numbers (complex results are undefined).

    `static` arguments, the first, have no orders. Arguments beyond 2**bits are not tried. `by_last` is the derivative
    by the last argument, where it is a simpler function. `scales` are sizes beside which steps are small, one for each
    argument that has orders: where a function is smooth around 0, these are far beyond the argument itself.
    """

    @lru_cache(maxsize=2048)
    def value(*words: Any) -> Raw:
        *args, prec, _ = words
        if not all(defined(x) for x in args) or (bits is not None and any(huge(x, bits) for x in args)):
            return UNDEFINED
        of = [libmp.to_int(n) for n in args[:orders]]
        xs = [mp.make_mpf(x) for x in args[orders:]]
        function = direct
        if by_last is not None and of[-1]:
            function, of[-1] = by_last, of[-1] - 1
        try:
            return real_or_undefined(differentiated(function, of, xs[:static], xs[static:], prec, scales), prec)
        except mp.NoConvergence:
            return UNDEFINED

    return value


def differentiated(
    direct: Callable[..., Any],
    orders: Sequence[int],
    fixed: Sequence[Any],
    xs: Sequence[Any],
    prec: int,
    scales: Callable[..., Sequence[Any]] | None = None,
) -> Any:
    """The partial derivative of these orders at xs, to `prec` bits."""
    total = sum(orders)
    half = prec // 2 + _FINER
    sizes = xs if scales is None else scales(*xs)
    moving = [size for size, n in zip(sizes, orders, strict=True) if n]
    with mp.workprec(prec + total * half + (total + 1) * _places_before(moving) + 40):
        if not total:
            return direct(*fixed, *xs)
        steps = [_step(size, half) for size in sizes]
        found = mp.mpf(0)
        for places, weight in _stencil(orders):
            moved = [x + place * h / 2 for x, place, h in zip(xs, places, steps, strict=True)]
            found += weight * direct(*fixed, *moved)
        for n, h in zip(orders, steps, strict=True):
            found /= h**n
        return +found


def _places_before(xs: Sequence[Any]) -> int:
    """How many bits the smallest of them lies below 1: near 0, an even function's differences are as much smaller."""
    return max([0, *(-int(mp.mag(x)) for x in xs if x and mp.isfinite(x))])


def _step(x: Any, half: int) -> Any:
    return mp.ldexp(1, -half + (mp.mag(x) if x else 0))


def _stencil(orders: Sequence[int]) -> list[tuple[tuple[int, ...], int]]:
    """Places, in half steps, and weights of a central difference of these orders."""
    found: list[tuple[tuple[int, ...], int]] = [((), 1)]
    for n in orders:
        points = [(n - 2 * k, (-1) ** k * comb(n, k)) for k in range(n + 1)]
        found = [((*places, place), weight * w) for places, weight in found for place, w in points]
    return found
