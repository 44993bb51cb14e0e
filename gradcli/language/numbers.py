"""Arithmetic of Python's own numbers: exact where Python is, and never more than 64 bits of integer."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.graph.errors import DomainError, GradcliError, LimitReached

Number = Any
_LIMIT = 2**63
NUMBERS = frozenset({int, float, bool, complex})


def checked(n: Number) -> Number:
    """A number; if it is an integer, one of 64 bits.

    Raises:
        LimitReached: it has more.
    """
    if type(n) is int and not -_LIMIT <= n < _LIMIT:
        raise too_large()
    return n


def too_large() -> GradcliError:
    """The error of an integer that outgrows 64 bits."""
    return LimitReached(
        "integer size", "integers have up to 64 bits", mend="compute with floats: 2.0 for 2"
    )


def add(a: Number, b: Number) -> Number:
    """a + b."""
    return checked(a + b)


def subtract(a: Number, b: Number) -> Number:
    """a - b."""
    return checked(a - b)


def multiply(a: Number, b: Number) -> Number:
    """a * b."""
    return checked(a * b)


def divide(a: Number, b: Number) -> Number:
    """a / b, a float or complex number."""
    if b == 0:
        raise _by_zero()
    try:
        return a / b
    except OverflowError:
        return float(np.float64(a) / np.float64(b))


def floor_divide(a: Number, b: Number) -> Number:
    """a // b."""
    _real(a, b, "//")
    if b == 0:
        raise _by_zero()
    return checked(a // b)


def modulo(a: Number, b: Number) -> Number:
    """a % b, of the sign of b."""
    _real(a, b, "%")
    if b == 0:
        raise _by_zero()
    return checked(a % b)


def power(a: Number, b: Number) -> Number:
    """a ** b; of a huge integer, not even begun.

    Raises:
        LimitReached: the integer has more than 64 bits.
        DomainError: 0 to a negative power.
    """
    if a == 0 and not isinstance(b, complex) and b < 0:
        raise _by_zero()
    if isinstance(a, int) and isinstance(b, int) and b > 0 and (abs(a) > 1 and b > 64):
        raise too_large()
    try:
        return checked(a**b)
    except OverflowError:
        return _overflowed(a, b)
    except ZeroDivisionError:
        raise _by_zero() from None


def _overflowed(a: Number, b: Number) -> Number:
    if isinstance(a, complex) or isinstance(b, complex):
        return complex(np.complex128(a) ** np.complex128(b))
    return float(np.float64(a) ** np.float64(b))


def _matmul(a: Number, b: Number) -> Number:
    raise GradcliError("'@' multiplies matrices, not numbers", mend="did you mean '*'?")


def _bitwise(word: str, apply: Callable[[Any, Any], Any]) -> Callable[[Number, Number], Number]:
    def bits(a: Number, b: Number) -> Number:
        if not (isinstance(a, int) and isinstance(b, int)):
            raise GradcliError(
                f"'{word}' takes bools and integers, not floats", mend="compare first: (a > 0) & (b > 0)"
            )
        return apply(a, b)

    return bits


def invert(a: Number) -> Number:
    """~a; of a bool, its negation."""
    if isinstance(a, bool):
        return not a
    if isinstance(a, int):
        return ~a
    raise GradcliError("'~' takes bools and integers, not floats")


def _real(a: Number, b: Number, word: str) -> None:
    if isinstance(a, complex) or isinstance(b, complex):
        raise GradcliError(f"'{word}' has no meaning for complex numbers")


def _by_zero() -> GradcliError:
    return DomainError("division by zero", mend="inf and nan have names of their own")


#: What an operator does to two numbers.
BINARY: dict[type[ast.operator], Callable[[Number, Number], Number]] = {
    ast.Add: add,
    ast.Sub: subtract,
    ast.Mult: multiply,
    ast.Div: divide,
    ast.FloorDiv: floor_divide,
    ast.Mod: modulo,
    ast.Pow: power,
    ast.MatMult: _matmul,
    ast.BitAnd: _bitwise("&", operator.and_),
    ast.BitOr: _bitwise("|", operator.or_),
}
