"""Dawson's integral and its derivatives in mpmath's numbers: exp(-x**2) and the integral of exp(t**2) don't vanish or
overflow there, but cost ever more digits far out."""

from __future__ import annotations

from typing import Any

import sympy
from mpmath import libmp, mp
from mpmath.libmp import fnan

from gradcli.symbolic.elementary import Raw, defined, huge, real_or_undefined

#: The logarithm of where the asymptotic series has more digits than are ever asked for.
_FAR = 6


def dawson_form(x: Any) -> Any:
    """Dawson's integral in SymPy."""
    return sympy.sqrt(sympy.pi) / 2 * sympy.exp(-(x**2)) * sympy.erfi(x)


def dawson_near(x: Any) -> Any:
    """Dawson's integral by the imaginary error function."""
    return mp.sqrt(mp.pi) / 2 * mp.exp(-x * x) * mp.erfi(x)


def dawson(n: Raw, x: Raw, prec: int, rnd: str) -> Raw:
    """The derivative of order n."""
    if not defined(x):
        return fnan
    order = libmp.to_int(n)
    derivative = _far if huge(x, _FAR) else _near
    with mp.workprec(prec + 20 * (order + 1)):
        return real_or_undefined(derivative(order, mp.make_mpf(x)), prec)


def _near(n: int, x: Any) -> Any:
    """By D' = 1 - 2 x D, differentiated over and over."""
    before, found = mp.mpf(0), dawson_near(x)
    for k in range(n):
        before, found = found, (0 if k else 1) - 2 * x * found - 2 * k * before
    return found


def _far(n: int, x: Any) -> Any:
    """Term by term, DLMF 7.12.3."""
    term = (-1) ** n * mp.factorial(n) / (2 * x ** (n + 1))
    found, k = term, 0
    while mp.mag(term) > mp.mag(found) - mp.prec - 10:
        term *= (2 * k + 1 + n) * (2 * k + 2 + n) / (4 * (k + 1) * x * x)
        found += term
        k += 1
    return found
