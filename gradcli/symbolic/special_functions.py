"""Special functions for exact expressions: their values are mpmath's; their derivatives SymPy's where it knows them,
and else differences of those values at as many digits as that takes.

A class here is a function's form in formulas, under the language's own name; its `fdiff` is for `derive`, and for the
closed formula by which small programs are proved a second time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import sympy
from mpmath import libmp, mp
from mpmath.libmp import fnan, fone, fzero

from gradcli.symbolic.bessel import of_second_kind, second_kind
from gradcli.symbolic.dawson import dawson, dawson_form, dawson_near
from gradcli.symbolic.differences import by_differences, differentiated
from gradcli.symbolic.elementary import Elementary, Raw, by_context, huge, real_or_undefined, side
from gradcli.symbolic.hurwitz import hurwitz_zeta
from gradcli.symbolic.hypergeometric import gauss
from gradcli.symbolic.incomplete import (
    exponential_integral,
    lower_beta,
    lower_gamma,
    owens_t,
    upper_beta,
    upper_gamma,
)

#: A partial derivative in SymPy; None where none is known.
Slope = Callable[..., Any] | None

# --- SymPy's forms ---------------------------------------------------------------------------------------------------


class Special(sympy.Function):  # type: ignore[misc]
    """A function with its partial derivatives, where there are formulas for them."""

    slopes: tuple[Slope, ...] = ()

    def fdiff(self, argindex: int = 1) -> Any:
        """The partial derivative by an argument, counted from 1."""
        slope = self.slopes[argindex - 1]
        if slope is None:
            raise sympy.core.function.ArgumentIndexError(self, argindex)
        return slope(*self.args)


def _named(name: str, *slopes: Slope) -> Any:
    return type(name, (Special,), {"slopes": slopes, "nargs": len(slopes)})


def _gamma_density(a: Any, x: Any) -> Any:
    return x ** (a - 1) * sympy.exp(-x) / sympy.gamma(a)


def _beta_density(a: Any, b: Any, x: Any) -> Any:
    return x ** (a - 1) * (1 - x) ** (b - 1) * sympy.gamma(a + b) / (sympy.gamma(a) * sympy.gamma(b))


def _elliptic_k_slope(m: Any) -> Any:
    return (EllipE(m) - (1 - m) * EllipK(m)) / (2 * m * (1 - m))


def _log_ndtr_form(x: Any) -> Any:
    return sympy.log(sympy.erfc(-x / sympy.sqrt(2)) / 2)


def _scaled_k_form(v: Any, x: Any) -> Any:
    return sympy.exp(x) * sympy.besselk(v, x)


def _owens_h(h: Any, a: Any) -> Any:
    return -sympy.exp(-(h**2) / 2) * sympy.erf(a * h / sympy.sqrt(2)) / (2 * sympy.sqrt(2 * sympy.pi))


GammaInc = _named("gammainc", None, _gamma_density)
GammaIncC = _named("gammaincc", None, lambda a, x: -_gamma_density(a, x))
BetaInc = _named("betainc", None, None, _beta_density)
BetaIncC = _named("betaincc", None, None, lambda a, b, x: -_beta_density(a, b, x))
Zeta: Any = _named("zeta", None, lambda s, q: -s * Zeta(s + 1, q))
ExpN: Any = _named("expn", None, lambda n, x: -ExpN(n - 1, x))
Spence = _named("spence", lambda z: sympy.log(z) / (1 - z))
EllipE: Any = _named("ellipe", lambda m: (EllipE(m) - EllipK(m)) / (2 * m))
EllipK: Any = _named("ellipk", _elliptic_k_slope)
OwensT = _named("owens_t", _owens_h, lambda h, a: sympy.exp(-(h**2) * (1 + a**2) / 2) / (2 * sympy.pi * (1 + a**2)))
ExpRel = _named("exprel", lambda x: ((x - 1) * sympy.exp(x) + 1) / x**2)
Hyp1F1: Any = _named("hyp1f1", None, None, lambda a, b, z: a / b * Hyp1F1(a + 1, b + 1, z))
Hyp0F1: Any = _named("hyp0f1", None, lambda b, z: Hyp0F1(b + 1, z) / b)
Hyp2F1: Any = _named("hyp2f1", None, None, None, lambda a, b, c, z: a * b / c * Hyp2F1(a + 1, b + 1, c + 1, z))
SphericalJ: Any = _named("spherical_jn", None, lambda n, x: SphericalJ(n - 1, x) - (n + 1) / x * SphericalJ(n, x))


def _of_orders(form: Callable[..., Any], orders: int) -> Callable[..., Any]:
    """The form of a function of orders: differentiated as often as they say."""

    def symbolic(*words: Any) -> Any:
        counts, args = words[:orders], words[orders:]
        if not any(counts):
            return form(*args)
        dummies = [sympy.Dummy(real=True) for _ in args]
        # The arguments that orders are of stand last.
        by = [(d, int(n)) for d, n in zip(dummies[len(args) - orders :], counts, strict=True) if n]
        return sympy.diff(form(*dummies), *by).xreplace(dict(zip(dummies, args, strict=True)))

    return symbolic


# --- values ----------------------------------------------------------------------------------------------------------


def _sine_over(x: Any) -> Any:
    return mp.sin(x) / x if x else mp.mpf(1)


def _log_ndtr(x: Any) -> Any:
    tail = mp.erfc(abs(x) / mp.sqrt(2)) / 2
    return mp.log(tail) if x < 0 else mp.log1p(-tail)


def _relative_exponential(x: Any) -> Any:
    return mp.expm1(x) / x if x else mp.mpf(1)


def _lower_gamma_density(a: Any, x: Any) -> Any:
    return mp.exp((a - 1) * mp.log(x) - x) * mp.rgamma(a)


def _lower_beta_density(a: Any, b: Any, x: Any) -> Any:
    return x ** (a - 1) * (1 - x) ** (b - 1) / mp.beta(a, b)


def _gamma_scales(a: Any, x: Any) -> tuple[Any, ...]:
    """How far from a pole or a branch the arguments of incomplete gamma functions are."""
    return max(a, mp.one), x


def _beta_scales(a: Any, b: Any, x: Any) -> tuple[Any, ...]:
    """The same of incomplete beta functions: there is one at a = -b."""
    return max(a, min(b, mp.one)), max(b, min(a, mp.one)), x


def _negated(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *xs: -function(*xs)


@lru_cache(maxsize=2048)
def _owens(h: Raw, a: Raw, prec: int, rnd: str) -> Raw:
    if huge(h, 6) or huge(a, 30):
        return fnan
    with mp.workprec(prec + 20):
        return real_or_undefined(owens_t(mp.make_mpf(h), mp.make_mpf(a)), prec)


def _scaled_k(v: Any, x: Any) -> Any:
    return mp.exp(x) * of_second_kind("besselk", v, x)


def _scaled_k_slope(v: Any, x: Any) -> Any:
    """DLMF 10.29.1."""
    below, here, above = (of_second_kind("besselk", v + step, x) for step in (-1, 0, 1))
    return mp.exp(x) * (here - (below + above) / 2)


def _spence(z: Any) -> Any:
    return mp.polylog(2, 1 - z)


def _kummer(a: Any, b: Any, z: Any) -> Any:
    return mp.hyp1f1(a, b, z)


def _spherical(n: Any, x: Any) -> Any:
    if not x:
        return mp.mpf(not n)
    found = mp.sqrt(mp.pi / (2 * abs(x))) * mp.besselj(n + mp.mpf(0.5), abs(x))
    return -found if x < 0 and n % 2 else found


def _first_kind(name: str, turned: bool) -> Callable[..., Raw]:
    """J or I; of negative numbers for whole orders alone, and those below 0 by those above."""
    general = by_context(name, 40 if name == "besseli" else None)

    def value(v: Raw, x: Raw, prec: int, rnd: str) -> Raw:
        if v[2] < 0 and v != fzero:
            return fnan if x[0] else general(v, x, prec, rnd)
        odd = libmp.to_int(v) % 2
        found = general(libmp.mpf_abs(v), libmp.mpf_abs(x), prec, rnd)
        return libmp.mpf_neg(found) if odd and bool(x[0]) != (turned and bool(v[0])) else found

    return value


def _airy_slope(name: str, x: Raw, prec: int) -> Raw:
    if huge(x, 40):
        return fnan
    with mp.workprec(prec + 20):
        return real_or_undefined(getattr(mp, name)(mp.make_mpf(x), derivative=1), prec)


@lru_cache
def _cotangent_slope(n: int) -> list[int]:
    """The derivative of order n of cot in powers of cot, highest first: each turns c**k to -k (c**(k-1) + c**(k+1))."""
    found = {1: 1}
    for _ in range(n):
        slope: dict[int, int] = {}
        for k, c in found.items():
            for power in (k - 1, k + 1):
                slope[power] = slope.get(power, 0) - k * c
        found = slope
    return [found.get(k, 0) for k in range(n + 1, -1, -1)]


def polygamma(n: Raw, x: Raw, prec: int, rnd: str) -> Raw:
    """The derivative of order n of digamma; far to the left by reflection, as mpmath climbs up step by step."""
    order = libmp.to_int(n)
    if side(x) > 0 or not huge(x, 8):
        return libmp.mpf_psi(order, x, prec, rnd)
    extra = max(x[2] + x[3], 0) + 40
    with mp.workprec(prec + extra):
        t = mp.make_mpf(x)
        if t == mp.floor(t):
            return fnan
        beyond = mp.psi(order, 1 - t)
        cotangent = mp.cot(mp.pi * (t - mp.nint(t)))
        poles = mp.pi ** (order + 1) * mp.polyval(_cotangent_slope(order), cotangent)
        return real_or_undefined((-1) ** order * beyond - poles, prec)


def log_gamma(x: Raw, prec: int, rnd: str) -> Raw:
    """log|gamma(x)|."""
    if side(x) > 0:
        return fnan if huge(x, 2000) else libmp.mpf_loggamma(x, prec, rnd)
    if huge(x, 50):
        return fnan
    return libmp.mpf_log(libmp.mpf_abs(libmp.mpf_gamma(x, prec + 20, rnd)), prec, rnd)


def erfc(x: Raw, prec: int, rnd: str) -> Raw:
    """1 - erf(x); nothing is left of it far to the right."""
    if huge(x, 30):
        return libmp.from_int(2) if x[0] else fzero
    return libmp.mpf_erfc(x, prec, rnd)


def erf_inverse(x: Raw, prec: int, rnd: str) -> Raw:
    """erfinv by Newton's method, on the tail where |x| is near 1."""
    distance = libmp.mpf_sub(fone, libmp.mpf_abs(x))
    if side(distance) <= 0:
        return fnan
    small = -(distance[2] + distance[3])
    if small < 60:
        return by_context("erfinv")(x, prec, rnd)
    with mp.workprec(prec + 40):
        tail = mp.make_mpf(distance)
        y = mp.sqrt(-mp.log(tail))
        for _ in range(200):
            step = (mp.erfc(y) / tail - 1) * mp.sqrt(mp.pi) / 2 * mp.exp(y * y) * tail
            step = step / (1 - y * step) if abs(y * step) < 0.5 else step
            y += step
            if mp.mag(step) < mp.mag(y) - prec - 20:
                break
        return real_or_undefined(-y if x[0] else y, prec)


def _ordered(form: Callable[..., Any], direct: Callable[..., Any], count: int = 1, **more: Any) -> Elementary:
    """A function of `count` arguments that has orders by each of them, after `static` ones that have none."""
    static = more.get("static", 0)
    return Elementary(2 * count + static, _of_orders(form, count), by_differences(direct, count, **more), orders=count)


# --- of complex numbers ----------------------------------------------------------------------------------------------

#: Analytic functions, whose real and imaginary parts are functions of two real numbers: "re:erf" and "im:erf" have the
#: order of the derivative as their first argument, then what stands before z.
#: The derivatives of Bessel functions are found by their orders instead.
ANALYTIC: dict[str, Callable[..., Any]] = {
    "besselj": lambda v, z: mp.besselj(v, z),
    "bessely": lambda v, z: of_second_kind("bessely", v, z),
    "besseli": lambda v, z: mp.besseli(v, z),
    "besselk": lambda v, z: of_second_kind("besselk", v, z),
    "erf": lambda z: mp.erf(z),
    "erfc": lambda z: mp.erfc(z),
    "erfi": lambda z: mp.erfi(z),
    "dawson": dawson_near,
    "gamma": lambda z: mp.gamma(z),
    "rgamma": lambda z: mp.rgamma(z),
    "loggamma": lambda z: mp.loggamma(z),
    "digamma": lambda z: mp.digamma(z),
    "sinc": _sine_over,
    "Si": lambda z: mp.si(z),
    "Ci": lambda z: mp.ci(z),
    "Shi": lambda z: mp.shi(z),
    "Chi": lambda z: mp.chi(z),
}


@lru_cache(maxsize=256)
def _analytic_value(name: str, n: int, fixed: tuple[Raw, ...], x: Raw, y: Raw, prec: int) -> Any:
    """A derivative of an analytic function, of which the other part is asked next."""
    with mp.workprec(prec + 20):
        z = mp.mpc(mp.make_mpf(x), mp.make_mpf(y))
        if name == "digamma" and n > 0:
            return mp.mpc((-1) ** (n + 1) * mp.factorial(n) * hurwitz_zeta(n + 1, z))
        return mp.mpc(differentiated(ANALYTIC[name], [n], [mp.make_mpf(v) for v in fixed], [z], prec + 20))


def _part(name: str, part: str) -> Elementary:
    def value(n: Raw, *words: Any) -> Raw:
        *fixed, x, y, prec, _ = words
        if huge(x, 30) or huge(y, 30) or fnan in (x, y):
            return fnan
        found = _analytic_value(name, libmp.to_int(n), tuple(fixed), x, y, prec)
        return real_or_undefined(getattr(found, part), prec)

    return Elementary(2 + ANALYTIC[name].__code__.co_argcount, None, value)


#: Where a function of two or three parameters can still be computed in reasonable time.
_PARAMETERS = 16

#: What `gradcli.symbolic.functions` takes up.
SPECIAL: dict[str, Elementary] = {
    "log1p": Elementary(1, lambda x: sympy.log(1 + x), by_context("log1p", 2000)),
    "expm1": Elementary(1, lambda x: sympy.exp(x) - 1, by_context("expm1", 50)),
    "log_ndtr": _ordered(_log_ndtr_form, _log_ndtr, bits=30),
    "erf": Elementary(1, sympy.erf, libmp.mpf_erf),
    "erfc": Elementary(1, sympy.erfc, erfc),
    "erfi": Elementary(1, sympy.erfi, by_context("erfi", 30)),
    "dawson": Elementary(2, _of_orders(dawson_form, 1), dawson, orders=1),
    "erfinv": Elementary(1, sympy.erfinv, erf_inverse),
    "loggamma": Elementary(1, sympy.loggamma, log_gamma),
    "rgamma": _ordered(lambda x: 1 / sympy.gamma(x), lambda x: mp.rgamma(x), bits=50),
    "polygamma": Elementary(2, sympy.polygamma, polygamma),
    "sinc": _ordered(sympy.sinc, _sine_over, bits=2000),
    "log1p_over": _ordered(lambda t: sympy.log(1 + t) / t, lambda t: mp.log1p(t) / t if t else mp.mpf(1)),
    "exprel": _ordered(ExpRel, _relative_exponential, bits=50),
    "lambertw": _ordered(sympy.LambertW, lambda x: mp.lambertw(x)),
    "lambertw_lower": _ordered(lambda x: sympy.LambertW(x, -1), lambda x: mp.lambertw(x, -1)),
    "besselj": Elementary(2, sympy.besselj, _first_kind("besselj", True)),
    "bessely": Elementary(2, sympy.bessely, second_kind("bessely")),
    "besseli": Elementary(2, sympy.besseli, _first_kind("besseli", False)),
    "besselk": Elementary(2, sympy.besselk, second_kind("besselk")),
    "scaled_k": _ordered(_scaled_k_form, _scaled_k, static=1, bits=40, by_last=_scaled_k_slope),
    "hyp1f1": _ordered(Hyp1F1, lambda a, b, z: mp.hyp1f1(a, b, z), static=2, bits=40),
    "kummer": _ordered(Hyp1F1, _kummer, static=2, bits=12, by_last=lambda a, b, z: a / b * _kummer(a + 1, b + 1, z)),
    "hyp0f1": _ordered(Hyp0F1, lambda b, z: mp.hyp0f1(b, z), static=1, bits=40),
    "hyp2f1": Elementary(5, _of_orders(Hyp2F1, 1), gauss, orders=1),
    "spherical_jn": _ordered(SphericalJ, _spherical, static=1),
    "airyai": Elementary(1, sympy.airyai, by_context("airyai", 40)),
    "airybi": Elementary(1, sympy.airybi, by_context("airybi", 40)),
    "airyaiprime": Elementary(1, sympy.airyaiprime, lambda x, prec, rnd: _airy_slope("airyai", x, prec)),
    "airybiprime": Elementary(1, sympy.airybiprime, lambda x, prec, rnd: _airy_slope("airybi", x, prec)),
    "fresnels": Elementary(1, sympy.fresnels, by_context("fresnels", 400)),
    "fresnelc": Elementary(1, sympy.fresnelc, by_context("fresnelc", 400)),
    "zeta": _ordered(Zeta, hurwitz_zeta, 2, by_last=lambda s, q: -s * hurwitz_zeta(s + 1, q)),
    "Si": _ordered(sympy.Si, lambda x: mp.si(x)),
    "Ci": _ordered(sympy.Ci, lambda x: mp.ci(x)),
    "Shi": _ordered(sympy.Shi, lambda x: mp.shi(x), bits=50),
    "Chi": _ordered(sympy.Chi, lambda x: mp.chi(x), bits=50),
    "Ei": Elementary(1, sympy.Ei, by_context("ei", 50)),
    "expn": _ordered(
        ExpN, exponential_integral, static=1, bits=50, by_last=lambda n, x: -exponential_integral(n - 1, x)
    ),
    "spence": _ordered(Spence, _spence, by_last=lambda z: mp.log(z) / (1 - z) if z != 1 else -mp.mpf(1)),
    "ellipk": _ordered(EllipK, lambda m: mp.ellipk(m)),
    "ellipe": _ordered(EllipE, lambda m: mp.ellipe(m)),
    "gammainc": _ordered(
        GammaInc, lower_gamma, 2, bits=_PARAMETERS, by_last=_lower_gamma_density, scales=_gamma_scales
    ),
    "gammaincc": _ordered(
        GammaIncC, upper_gamma, 2, bits=_PARAMETERS, by_last=_negated(_lower_gamma_density), scales=_gamma_scales
    ),
    "betainc": _ordered(BetaInc, lower_beta, 3, bits=_PARAMETERS, by_last=_lower_beta_density, scales=_beta_scales),
    "betaincc": _ordered(
        BetaIncC, upper_beta, 3, bits=_PARAMETERS, by_last=_negated(_lower_beta_density), scales=_beta_scales
    ),
    "owens_t": Elementary(2, OwensT, _owens),
    **{f"re:{name}": _part(name, "real") for name in ANALYTIC},
    **{f"im:{name}": _part(name, "imag") for name in ANALYTIC},
}


#: The function of each SymPy class that stands for one here.
BY_CLASS: dict[Any, str] = {
    sympy.erf: "erf",
    sympy.erfc: "erfc",
    sympy.erfi: "erfi",
    sympy.erfinv: "erfinv",
    sympy.loggamma: "loggamma",
    sympy.polygamma: "polygamma",
    sympy.sinc: "sinc",
    sympy.LambertW: "lambertw",
    sympy.besselj: "besselj",
    sympy.bessely: "bessely",
    sympy.besseli: "besseli",
    sympy.besselk: "besselk",
    sympy.airyai: "airyai",
    sympy.airybi: "airybi",
    sympy.airyaiprime: "airyaiprime",
    sympy.airybiprime: "airybiprime",
    sympy.fresnels: "fresnels",
    sympy.fresnelc: "fresnelc",
    sympy.Si: "Si",
    sympy.Ci: "Ci",
    sympy.Shi: "Shi",
    sympy.Chi: "Chi",
    sympy.Ei: "Ei",
    **{
        form: form.__name__
        for form in (
            GammaInc,
            GammaIncC,
            BetaInc,
            BetaIncC,
            Zeta,
            ExpN,
            Spence,
            EllipE,
            EllipK,
            OwensT,
            ExpRel,
            Hyp0F1,
            Hyp1F1,
            Hyp2F1,
            SphericalJ,
        )
    },
}
