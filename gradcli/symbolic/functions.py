"""The elementary functions that exact expressions are made of: what each is in SymPy, and its value in mpmath.

A value is taken of raw mpmath numbers (`mpmath.libmp` tuples), which is the fastest arithmetic mpmath has. Outside its
domain a function is `UNDEFINED`. Derivatives are not here: SymPy takes them, see `gradcli.symbolic.partials`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import sympy
from mpmath import libmp, mp
from mpmath.libmp import fhalf, fnan, fone, fzero, round_nearest

#: A number of mpmath: (sign, mantissa, exponent, bit count). mpmath itself is untyped.
Raw = Any

UNDEFINED: Raw = fnan
_N = round_nearest


class Elementary(NamedTuple):
    """One elementary function.

    Attributes:
        arity: how many arguments it takes.
        symbolic: the SymPy expression of it, or None where it has no derivative to offer (locally constant functions).
        value: (raw arguments..., precision in bits, rounding) -> raw value.
        bends: whether it has a kink or a jump somewhere.
    """

    arity: int
    symbolic: Callable[..., Any] | None
    value: Callable[..., Raw]
    bends: bool = False


def defined(x: Raw) -> bool:
    """Whether a raw number is finite."""
    return bool(x[1]) or x == fzero


def side(x: Raw) -> int:
    """The sign of a raw number; 0 for what is undefined."""
    return libmp.mpf_sign(x) if x != fnan else 0


def nearest_integer(x: Raw) -> int:
    """The integer nearest to a finite raw number."""
    return int(libmp.to_int(x, _N))


# --- values ----------------------------------------------------------------------------------------------------------


def _divide(a: Raw, b: Raw, prec: int, rnd: str) -> Raw:
    return fnan if b == fzero else libmp.mpf_div(a, b, prec, rnd)


def _huge(x: Raw, bits: int) -> bool:
    """Whether a finite number is beyond 2**bits: growing functions can't be taken of it; floats overflowed before."""
    return bool(x[1]) and x[2] + x[3] > bits


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


def _sine_over(x: Raw, prec: int, rnd: str) -> Raw:
    return fone if x == fzero else libmp.mpf_div(libmp.mpf_sin(x, prec + 10, rnd), x, prec, rnd)


def _arctan2(y: Raw, x: Raw, prec: int, rnd: str) -> Raw:
    return fnan if y == x == fzero else libmp.mpf_atan2(y, x, prec, rnd)


def _log_gamma(x: Raw, prec: int, rnd: str) -> Raw:
    if _huge(x, 50):
        return fnan
    if side(x) > 0:
        return libmp.mpf_loggamma(x, prec, rnd)
    return libmp.mpf_log(libmp.mpf_abs(libmp.mpf_gamma(x, prec + 20, rnd)), prec, rnd)


def _polygamma(n: Raw, x: Raw, prec: int, rnd: str) -> Raw:
    return libmp.mpf_psi(libmp.to_int(n), x, prec, rnd)


def _by_context(name: str) -> Callable[..., Raw]:
    """A function of mpmath's high-level interface, on raw numbers."""

    def value(*words: Any) -> Raw:
        *xs, prec, _ = words
        with mp.workprec(prec + 20):
            found = getattr(mp, name)(*(mp.make_mpf(x) for x in xs))
        if not hasattr(found, "_mpf_"):
            return fnan
        return libmp.mpf_pos(found._mpf_, prec, _N)

    return value


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
    "sinc": Elementary(1, sympy.sinc, _sine_over),
    "erf": Elementary(1, sympy.erf, libmp.mpf_erf),
    "erfc": Elementary(1, sympy.erfc, libmp.mpf_erfc),
    "erfi": Elementary(1, sympy.erfi, _by_context("erfi")),
    "erfinv": Elementary(1, sympy.erfinv, _by_context("erfinv")),
    "gamma": Elementary(1, sympy.gamma, _growing(libmp.mpf_gamma)),
    "loggamma": Elementary(1, sympy.loggamma, _log_gamma),
    "polygamma": Elementary(2, sympy.polygamma, _polygamma),
    "lambertw": Elementary(1, sympy.LambertW, _by_context("lambertw")),
    "besselj": Elementary(2, sympy.besselj, _by_context("besselj")),
    "bessely": Elementary(2, sympy.bessely, _by_context("bessely")),
    "besseli": Elementary(2, sympy.besseli, _by_context("besseli")),
    "besselk": Elementary(2, sympy.besselk, _by_context("besselk")),
    "zeta": Elementary(1, None, _by_context("zeta")),
    "Si": Elementary(1, sympy.Si, _by_context("si")),
    "Ci": Elementary(1, sympy.Ci, _by_context("ci")),
    "Ei": Elementary(1, sympy.Ei, _by_context("ei")),
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
}
