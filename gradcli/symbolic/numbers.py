"""The numbers that graphs are evaluated in: Python's decimal floats of any precision, and their way from and to mpmath.

They are several times faster than mpmath's own, being written in C, have no smallest and practically no largest
number, and take the usual operators. All arithmetic goes on within `digits_of(...)`; nothing is trapped: what has no
value is UNDEFINED.
"""

from __future__ import annotations

import decimal
from contextlib import AbstractContextManager
from decimal import Decimal
from functools import cache

from mpmath import libmp
from mpmath.libmp import finf, fnan, fninf, fzero

from gradcli.symbolic.functions import Raw

#: A number of an evaluation.
Number = Decimal

ZERO, ONE, HALF, UNDEFINED = Decimal(0), Decimal(1), Decimal("0.5"), Decimal("NaN")
_INFINITY = Decimal("Infinity")
#: Bits of a decimal digit.
BITS_OF_DIGIT = 3.3219280948873623
#: Powers of two up to here are kept exactly.
_EXACT = 5_000


def digits_for(bits: int) -> int:
    """How many digits hold so many bits."""
    return int(bits / BITS_OF_DIGIT) + 2


def digits_of(digits: int) -> AbstractContextManager[decimal.Context]:
    """Arithmetic with so many digits, for a `with` statement."""
    return decimal.localcontext(_context(digits))


@cache
def _context(digits: int) -> decimal.Context:
    return decimal.Context(
        prec=digits, rounding=decimal.ROUND_HALF_EVEN, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN, traps=[]
    )


_WIDE = decimal.Context(prec=10_000, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN, traps=[])


@cache
def _power_of_two(n: int) -> Decimal:
    """2**n: exactly for moderate n, to the digits in force and some more for others."""
    if 0 <= n <= _EXACT:
        return Decimal(1 << n)
    if -_EXACT <= n < 0:
        return Decimal(5**-n).scaleb(n, context=_WIDE)
    return UNDEFINED


def two_to(n: int) -> Decimal:
    """2**n, as exactly as any digits in force can tell."""
    if -_EXACT <= n <= _EXACT:
        return _power_of_two(n)
    digits = decimal.getcontext().prec + 25
    return _context(digits).power(Decimal(2), Decimal(n))


def from_raw(x: Raw) -> Decimal:
    """A number of mpmath, rounded to the digits in force."""
    sign, mantissa, exponent, _ = x
    if not mantissa:
        return ZERO if x == fzero else _INFINITY if x == finf else -_INFINITY if x == fninf else UNDEFINED
    return Decimal(-mantissa if sign else mantissa) * two_to(exponent)


def to_raw(x: Decimal) -> Raw:
    """The same as a number of mpmath, to all the digits in force; numbers that have few bits are exact."""
    if not x:
        return fzero
    if not x.is_finite():
        return fnan if x.is_nan() else finf if x > 0 else fninf
    bits = int(decimal.getcontext().prec * BITS_OF_DIGIT) - 1
    shift = bits - int((x.adjusted() + 1) * BITS_OF_DIGIT) - 1
    return libmp.from_man_exp(int(x * two_to(shift)), -shift)


def to_float(x: Decimal) -> float:
    """The nearest float; infinite beyond the largest."""
    return float(x)
