"""The elementary functions that exact expressions are made of: what each is in SymPy, and its value in mpmath.

A value is taken of raw mpmath numbers (`mpmath.libmp` tuples), which is the fastest arithmetic mpmath has. Outside its
domain a function is `UNDEFINED`. Derivatives are not here: SymPy takes them, see `gradcli.symbolic.partials`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy
from mpmath import libmp
from mpmath.libmp import fhalf, fnan, fone, fzero

from gradcli.symbolic.elementary import UNDEFINED, Elementary, Raw, defined, nearest_integer, side, to_float
from gradcli.symbolic.elementary import huge as _huge
from gradcli.symbolic.special_functions import SPECIAL

__all__ = ["FUNCTIONS", "UNDEFINED", "Elementary", "Raw", "defined", "nearest_integer", "side", "to_float"]


# --- values ----------------------------------------------------------------------------------------------------------


def _divide(a: Raw, b: Raw, prec: int, rnd: str) -> Raw:
    return fnan if b == fzero else libmp.mpf_div(a, b, prec, rnd)


def _growing(value: Callable[..., Raw]) -> Callable[..., Raw]:
    """A function that is undefined where its value would be beyond all numbers; exp(-huge) is nothing."""

    def bounded(x: Raw, prec: int, rnd: str) -> Raw:
        if _huge(x, 50):
            return fzero if x[0] and value is libmp.mpf_exp else fnan
        return value(x, prec, rnd)

    return bounded


def _turning(value: Callable[..., Raw]) -> Callable[..., Raw]:
    """A periodic function, of arguments that can still be reduced."""

    def bounded(x: Raw, prec: int, rnd: str) -> Raw:
        return fnan if _huge(x, 20_000) else value(x, prec, rnd)

    return bounded


def _power(a: Raw, b: Raw, prec: int, rnd: str) -> Raw:
    if _huge(b, 50) or _huge(a, 1 << 50):
        return fnan
    if b[2] >= 0 and defined(b):
        n = libmp.to_int(b)
        if a == fzero:
            return fone if n == 0 else fzero if n > 0 else fnan
        if abs(n) < 1 << 16:
            return libmp.mpf_pow_int(a, n, prec, rnd)
    if a == fzero:
        return fzero if side(b) > 0 else fnan
    return libmp.mpf_pow(a, b, prec, rnd)


def _log(x: Raw, prec: int, rnd: str) -> Raw:
    return fnan if x == fzero else libmp.mpf_log(x, prec, rnd)


def _cbrt(x: Raw, prec: int, rnd: str) -> Raw:
    if x[0]:
        return libmp.mpf_neg(libmp.mpf_cbrt(libmp.mpf_neg(x), prec, rnd))
    return libmp.mpf_cbrt(x, prec, rnd)


def _arctan2(y: Raw, x: Raw, prec: int, rnd: str) -> Raw:
    return fnan if y == x == fzero else libmp.mpf_atan2(y, x, prec, rnd)


def _absolute(x: Raw, prec: int, rnd: str) -> Raw:
    return libmp.mpf_abs(x)


def _negative(x: Raw, prec: int, rnd: str) -> Raw:
    return libmp.mpf_neg(x)


def _same(x: Raw, prec: int, rnd: str) -> Raw:
    return x


def _sign(x: Raw, prec: int, rnd: str) -> Raw:
    return libmp.from_int(side(x))


def _step(x: Raw, prec: int, rnd: str) -> Raw:
    s = side(x)
    return fone if s > 0 else fzero if s < 0 else fhalf


def _larger(a: Raw, b: Raw, prec: int, rnd: str) -> Raw:
    return a if libmp.mpf_ge(a, b) else b


def _smaller(a: Raw, b: Raw, prec: int, rnd: str) -> Raw:
    return a if libmp.mpf_le(a, b) else b


def _floor(x: Raw, prec: int, rnd: str) -> Raw:
    return fnan if _huge(x, 20_000) else libmp.mpf_floor(x)


def _round(x: Raw, prec: int, rnd: str) -> Raw:
    return libmp.mpf_nint(x)


def _truth(compare: Callable[[Raw, Raw], bool]) -> Callable[..., Raw]:
    def value(a: Raw, b: Raw, prec: int, rnd: str) -> Raw:
        return fone if compare(a, b) else fzero

    return value


def _chosen(c: Raw, a: Raw, b: Raw, prec: int, rnd: str) -> Raw:
    return b if c == fzero else a


def _carried(g: Raw, p: Raw, prec: int, rnd: str) -> Raw:
    return fzero if g == fzero else libmp.mpf_mul(g, p, prec, rnd)


def _inner(*xs: Any) -> Raw:
    *numbers, prec, rnd = xs
    half = len(numbers) // 2
    return libmp.mpf_sum([libmp.mpf_mul(a, b) for a, b in zip(numbers[:half], numbers[half:], strict=True)], prec, rnd)


def _inner_product(*xs: Any) -> Any:
    half = len(xs) // 2
    return sympy.Add(*(a * b for a, b in zip(xs[:half], xs[half:], strict=True)))


def _unsolved(*_: Any) -> Raw:
    return fnan


def _cube_root(x: Any) -> Any:
    return x ** sympy.Rational(1, 3)


#: All elementary functions by name. "leaf" stands for an input of a derivative taken inside a program, "stop" for a
#: value that the program cut from its history; "carry" is a product whose first factor, where it is nothing, makes
#: nothing even of what is undefined.
FUNCTIONS: dict[str, Elementary] = {
    "add": Elementary(2, lambda a, b: a + b, libmp.mpf_add),
    "sub": Elementary(2, lambda a, b: a - b, libmp.mpf_sub),
    "mul": Elementary(2, lambda a, b: a * b, libmp.mpf_mul),
    "div": Elementary(2, lambda a, b: a / b, _divide),
    "neg": Elementary(1, lambda a: -a, _negative),
    "pow": Elementary(2, lambda a, b: a**b, _power),
    "carry": Elementary(2, lambda a, b: a * b, _carried),
    "leaf": Elementary(1, lambda a: a, _same),
    "stop": Elementary(1, None, _same),
    "exp": Elementary(1, sympy.exp, _growing(libmp.mpf_exp)),
    "log": Elementary(1, sympy.log, _log),
    "sqrt": Elementary(1, sympy.sqrt, libmp.mpf_sqrt),
    "cbrt": Elementary(1, _cube_root, _cbrt),
    "sin": Elementary(1, sympy.sin, _turning(libmp.mpf_sin)),
    "cos": Elementary(1, sympy.cos, _turning(libmp.mpf_cos)),
    "tan": Elementary(1, sympy.tan, _turning(libmp.mpf_tan)),
    "asin": Elementary(1, sympy.asin, libmp.mpf_asin),
    "acos": Elementary(1, sympy.acos, libmp.mpf_acos),
    "atan": Elementary(1, sympy.atan, libmp.mpf_atan),
    "atan2": Elementary(2, sympy.atan2, _arctan2),
    "sinh": Elementary(1, sympy.sinh, _growing(libmp.mpf_sinh)),
    "cosh": Elementary(1, sympy.cosh, _growing(libmp.mpf_cosh)),
    "tanh": Elementary(1, sympy.tanh, libmp.mpf_tanh),
    "asinh": Elementary(1, sympy.asinh, libmp.mpf_asinh),
    "acosh": Elementary(1, sympy.acosh, libmp.mpf_acosh),
    "atanh": Elementary(1, sympy.atanh, libmp.mpf_atanh),
    "gamma": Elementary(1, sympy.gamma, _growing(libmp.mpf_gamma)),
    "pi": Elementary(0, None, libmp.mpf_pi),
    "euler_gamma": Elementary(0, None, libmp.mpf_euler),
    "abs": Elementary(1, sympy.Abs, _absolute, True),
    "sign": Elementary(1, None, _sign, True),
    "step": Elementary(1, None, _step, True),
    "max": Elementary(2, sympy.Max, _larger, True),
    "min": Elementary(2, sympy.Min, _smaller, True),
    "floor": Elementary(1, None, _floor, True),
    "round": Elementary(1, None, _round, True),
    "lt": Elementary(2, None, _truth(libmp.mpf_lt), True),
    "le": Elementary(2, None, _truth(libmp.mpf_le), True),
    "eq": Elementary(2, None, _truth(libmp.mpf_eq), True),
    "and": Elementary(2, None, lambda a, b, prec, rnd: fzero if fzero in (a, b) else fone),
    "or": Elementary(2, None, lambda a, b, prec, rnd: fzero if a == b == fzero else fone),
    "not": Elementary(1, None, lambda a, prec, rnd: fone if a == fzero else fzero),
    "where": Elementary(3, None, _chosen),
    "sum": Elementary(-1, lambda *xs: sympy.Add(*xs), lambda *xs: libmp.mpf_sum(xs[:-2], xs[-2], xs[-1])),
    "dot": Elementary(-1, _inner_product, _inner),
    "part": Elementary(1, lambda a: a, _same),
    # What is defined by equations: see gradcli.symbolic.implicit.
    "gate": Elementary(0, None, _unsolved),
    "unknown": Elementary(1, None, _unsolved),
    **SPECIAL,
}
