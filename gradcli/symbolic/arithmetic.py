"""The values of elementary functions of an evaluation's numbers.

What decimals can do themselves is done there; everything else goes through mpmath. Bent functions are an outcome of a
decision, which an evaluation may take over from another one or decide anew.
"""

from __future__ import annotations

import decimal
import operator
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from mpmath import libmp
from mpmath.libmp import ComplexResult

from gradcli.symbolic.functions import FUNCTIONS
from gradcli.symbolic.numbers import HALF, ONE, UNDEFINED, ZERO, Number, from_raw, to_raw

#: Functions whose value hangs on a decision.
BENT = frozenset(name for name, f in FUNCTIONS.items() if f.bends)
#: What mpmath may raise where a function has no value.
_FAILURES = (ComplexResult, ZeroDivisionError, ValueError, OverflowError, NotImplementedError)
#: Whole powers up to here are multiplied out.
_WHOLE = 1 << 16
#: Decimal exponent from which on nobody asks for the whole part.
_HUGE = 6_000


def _divided(a: Number, b: Number) -> Number:
    return a / b if b else UNDEFINED


def _same(a: Number) -> Number:
    return +a


def _carried(g: Number, p: Number) -> Number:
    return g * p if g else ZERO


def _root(a: Number) -> Number:
    return a.sqrt()


def power(a: Number, b: Number) -> Number:
    """a to the power b, of real numbers."""
    if b == 2:
        return a * a
    if not a:
        return ONE if not b else ZERO if b > 0 else UNDEFINED
    if abs(b) < _WHOLE and b == b.to_integral_value():
        return a ** int(b)
    return UNDEFINED if a < 0 or not (a.is_finite() and b.is_finite()) else through_mpmath("pow", (a, b))


#: Functions of one or two numbers that decimals can do.
ARITHMETIC: dict[str, Callable[..., Number]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": _divided,
    "neg": operator.neg,
    "pow": power,
    "carry": _carried,
    "leaf": _same,
    "stop": _same,
    "part": _same,
    "sqrt": _root,
    "and": lambda a, b: ONE if a and b else ZERO,
    "or": lambda a, b: ONE if a or b else ZERO,
    "not": lambda a: ZERO if a else ONE,
}


def total(numbers: Sequence[Any], words: Sequence[int]) -> Number:
    """The sum of some of the numbers."""
    return sum(map(numbers.__getitem__, words), ZERO)


def inner(numbers: Sequence[Any], words: Sequence[int]) -> Number:
    """The inner product of the first half of some of the numbers with the second half."""
    half = len(words) // 2
    read = numbers.__getitem__
    return sum(map(operator.mul, map(read, words[:half]), map(read, words[half:])), ZERO)


def chosen(numbers: Sequence[Any], words: Sequence[int]) -> Number:
    """The second of three numbers if the first is a truth, else the third."""
    found: Number = numbers[words[1] if numbers[words[0]] else words[2]]
    return found


#: Functions of many numbers, of which only places are handed over.
COLLECTIVE: dict[str, Callable[[Sequence[Any], Sequence[int]], Number]] = {
    "sum": total,
    "dot": inner,
    "where": chosen,
}


def through_mpmath(name: str, args: Sequence[Number]) -> Number:
    """A function's value, computed by mpmath to the digits in force."""
    bits = int(decimal.getcontext().prec * 3.33) + 6
    try:
        return from_raw(FUNCTIONS[name].value(*map(to_raw, args), bits, "n"))
    except _FAILURES:
        return UNDEFINED


def value_at(name: str, args: Sequence[Number]) -> Number:
    """The value of any function but implicit ones, decided by itself where it is bent."""
    if name in BENT:
        return outcome(name, args, decision(name, args)) if decidable(name, args) else UNDEFINED
    if name in ARITHMETIC:
        return ARITHMETIC[name](*args)
    if name in COLLECTIVE:
        return COLLECTIVE[name](args, range(len(args)))
    return through_mpmath(name, args)


def pair(name: str, x: Number) -> tuple[Number, Number]:
    """cos and sin (name "sin" or "cos"), or cosh and sinh, together."""
    bits = int(decimal.getcontext().prec * 3.33) + 6
    both = libmp.mpf_cos_sin if name in ("sin", "cos") else libmp.mpf_cosh_sinh
    even, odd = both(to_raw(x), bits, "n")
    return from_raw(even), from_raw(odd)


# --- decisions -------------------------------------------------------------------------------------------------------


def side(x: Number) -> int:
    """The sign of a number; 0 for what is undefined."""
    return (x > 0) - (x < 0)


def decidable(name: str, args: Sequence[Number]) -> bool:
    """Whether a bent function can decide about these numbers."""
    if any(x.is_nan() for x in args):
        return False
    return name not in ("floor", "round") or (args[0].is_finite() and args[0].adjusted() < _HUGE)


def floor(x: Number) -> int:
    """The largest integer not above x."""
    return int(x.to_integral_value(decimal.ROUND_FLOOR))


def nearest(x: Number) -> int:
    """The nearest integer, the even one of two."""
    return int(x.to_integral_value(decimal.ROUND_HALF_EVEN))


def decision(name: str, args: Sequence[Number]) -> int:
    """What a bent function decides about numbers: an integer, or which way a comparison falls."""
    if name == "floor":
        return floor(args[0])
    if name == "round":
        return nearest(args[0])
    return side(args[0]) if len(args) == 1 else (args[0] > args[1]) - (args[0] < args[1])


def outcome(name: str, args: Sequence[Number], decided: int) -> Number:
    """The value of a bent function, its decision given."""
    if name in ("floor", "round", "sign"):
        return Decimal(decided)
    if name == "abs":
        return abs(args[0]) if decided == 0 else -args[0] if decided < 0 else args[0]
    if name == "step":
        return (ZERO, HALF, ONE)[decided + 1]
    if name == "max":
        return args[0] if decided >= 0 else args[1]
    if name == "min":
        return args[0] if decided <= 0 else args[1]
    return ONE if {"lt": decided < 0, "le": decided <= 0, "eq": decided == 0}[name] else ZERO


def anchored(name: str, args: Sequence[Number]) -> int:
    """The integer that a step function's argument is counted from."""
    if name == "floor":
        return nearest(args[0])
    return floor(args[0]) if name == "round" else 0


def difference(name: str, args: Sequence[Number], anchor: int) -> Number:
    """What a bent function compares with zero."""
    if len(args) == 2:
        return args[0] - args[1]
    found = args[0] - anchor if anchor else args[0]
    return found - HALF if name == "round" else found
