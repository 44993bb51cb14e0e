"""What an elementary function of exact numbers is: its value in mpmath, its form in SymPy, and raw numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from mpmath import libmp, mp
from mpmath.libmp import fnan, fzero, round_nearest

#: A number of mpmath: (sign, mantissa, exponent, bit count). mpmath itself is untyped.
Raw = Any

UNDEFINED: Raw = fnan


class Elementary(NamedTuple):
    """One elementary function.

    Attributes:
        arity: how many arguments it takes; -1 stands for any number.
        symbolic: the SymPy expression of it, or None where it has no derivative to offer (locally constant functions).
        value: (raw arguments..., precision in bits, rounding) -> raw value.
        bends: whether it has a kink or a jump somewhere.
        orders: how many of the arguments, the first, are the orders of a partial derivative by each of the others; such
            a function is its own derivative, of the next order.
    """

    arity: int
    symbolic: Callable[..., Any] | None
    value: Callable[..., Raw]
    bends: bool = False
    orders: int = 0


def defined(x: Raw) -> bool:
    """Whether a raw number is finite."""
    return bool(x[1]) or x == fzero


def side(x: Raw) -> int:
    """The sign of a raw number; 0 for what is undefined."""
    return libmp.mpf_sign(x) if x != fnan else 0


def nearest_integer(x: Raw) -> int:
    """The integer nearest to a finite raw number."""
    return int(libmp.to_int(x, round_nearest))


def to_float(x: Raw) -> float:
    """The nearest float; infinite beyond the largest."""
    try:
        return float(libmp.to_float(x, rnd="n"))
    except OverflowError:
        return float("-inf") if x[0] else float("inf")


def huge(x: Raw, bits: int) -> bool:
    """Whether a finite number is beyond 2**bits: growing functions can't be taken of it; floats overflowed before."""
    return bool(x[1]) and x[2] + x[3] > bits


def real_or_undefined(found: Any, prec: int) -> Raw:
    """What mpmath's high-level interface returned, as a raw number; a complex number is undefined."""
    if not hasattr(found, "_mpf_"):
        return fnan
    return libmp.mpf_pos(found._mpf_, prec, round_nearest)


def by_context(name: str, bits: int | None = None) -> Callable[..., Raw]:
    """A function of mpmath's high-level interface, on raw numbers; of numbers below 2**bits alone, if it is given."""

    def value(*words: Any) -> Raw:
        *xs, prec, _ = words
        if bits is not None and any(huge(x, bits) for x in xs):
            return fnan
        with mp.workprec(prec + 20):
            try:
                found = getattr(mp, name)(*(mp.make_mpf(x) for x in xs))
            except mp.NoConvergence:
                return fnan
        return real_or_undefined(found, prec)

    return value
