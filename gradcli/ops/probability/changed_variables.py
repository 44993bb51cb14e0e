"""The laws of powers and exponentials of other variates, of angles, and of a normal variate cut off."""

from __future__ import annotations

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.carrying import carried_over
from gradcli.ops.elementwise import absolute, equal, exp, expm1, greater, less, logical_and, sin, square, where
from gradcli.ops.elementwise.limits import bounded
from gradcli.ops.kinds import elementwise
from gradcli.ops.probability.law import AtEnd, Quotients, law, vanishes
from gradcli.ops.special.exact_products import Pair
from gradcli.ops.special.log1p_parts import log_ratio
from gradcli.ops.special.long_logarithms import (
    LONG_LOG_2PI,
    added,
    chosen,
    exp_times,
    long_log,
    long_log_of_quotient,
    lowered,
    minus,
    over_float,
    scaled,
    squared,
)
from gradcli.ops.special.scaled_bessel import IVE, SCALED_KUMMER
from gradcli.ops.special.small_arguments import cosm1
from gradcli.ops.special.values import Array, real, scipy_

_erf, _erfcx, _i0e = map(scipy_, ("erf", "erfcx", "i0e"))
_HALF_LOG_2PI = scaled(np.float64(0.5), LONG_LOG_2PI)


# --- lognormal -------------------------------------------------------------------------------------------------------


def _lognormal(t: Array, scale: Array, s: Array) -> Pair:
    q = over_float(long_log_of_quotient(t, scale), s)
    return added(scaled(-0.5, squared(q)), minus(_HALF_LOG_2PI), minus(long_log(s)), minus(long_log(t)))


def _log_over_square(x: CoreValue, y: CoreValue, s: CoreValue, divisor: CoreValue) -> tuple[CoreValue, CoreValue]:
    """log(x/y)/s**2 over the divisor, as a quotient of numbers that are in the range of floats if it is."""
    large = greater(s, 1)
    return log_ratio(x, y) / s / where(large, s, 1.0), divisor * where(large, 1.0, s)


LOGNORMAL = law(
    "lognormal",
    _lognormal,
    lambda t, scale, s: ((-1.0, t), _log_over_square(scale, t, s, t)),
    lambda t, scale, s: (_log_over_square(t, scale, s, scale),),
    lambda t, scale, s: ((square(log_ratio(t, scale) / s) - 1, s),),
    meaning=lambda S, t, scale, s: (
        -((S.log(t) - S.log(scale)) / s) * ((S.log(t) - S.log(scale)) / s) / 2 - S.log(2 * S.pi) / 2 - S.log(s * t)
    ),
)

# --- Weibull ---------------------------------------------------------------------------------------------------------


_ONES = np.ones(2)


def _raised(t: Array, scale: Array, c: Array) -> Array:
    return exp_times(scaled(c, long_log_of_quotient(t, scale)), *_ONES)


def _raised_rate(t: Array, scale: Array, c: Array) -> Array:
    return exp_times(added(lowered(c, long_log_of_quotient(t, scale)), minus(long_log(scale))), *_ONES)


RAISED: Op = elementwise(
    "quotient_to_power",
    real(_raised),
    lambda y, t, scale, c: c * bind(RAISED_RATE, t, scale, c),
    lambda y, t, scale, c: -c * y / scale,
    lambda y, t, scale, c: y * log_ratio(t, scale),
    meaning=lambda S, t, scale, c: S.exp(c * (S.log(t) - S.log(scale))),
    saves=(0, 1, 2, "y"),
    doc="(t/scale)**c, where t/scale need not be in the range of floats.",
)
RAISED_RATE: Op = elementwise(
    "quotient_to_power_rate",
    real(_raised_rate),
    lambda y, t, scale, c: carried_over((c - 1) * y, t),
    lambda y, t, scale, c: -c * y / scale,
    lambda y, t, scale, c: y * log_ratio(t, scale),
    meaning=lambda S, t, scale, c: S.exp((c - 1) * (S.log(t) - S.log(scale))) / scale,
    saves=(0, 1, 2, "y"),
    doc="(t/scale)**c/t, where neither the quotient nor the power need be in the range of floats.",
)


def _raised_less_1(t: CoreValue, scale: CoreValue, c: CoreValue) -> CoreValue:
    exponent = c * log_ratio(t, scale)
    near = less(absolute(exponent), 0.5)
    return where(near, expm1(where(near, exponent, 0.0)), bind(RAISED, t, scale, c) - 1)


def _weibull(t: Array, scale: Array, c: Array) -> Pair:
    power = lowered(c, long_log_of_quotient(t, scale))
    return added(long_log(c), power, -_raised(t, scale, c), minus(long_log(scale)))


def _weibull_by_place(t: CoreValue, scale: CoreValue, c: CoreValue) -> Quotients:
    """(c - 1)/t - c*(t/scale)**c/t; at t = 0 the density is compared with that of c - 1."""
    rise = -c * bind(RAISED_RATE, t, scale, c)
    if not vanishes(t):
        return (c - 1, t), (rise, 1.0)
    falls = logical_and(equal(t, 0), greater(c, 1))
    place, low = where(falls, t, scale), where(falls, c - 1, c)
    more = exp(bind(RAISED, place, scale, low) - bind(RAISED, place, scale, c))
    return AtEnd(c - 1, t, c - 1, there=(c * more, scale), lower=(t, scale, c - 1)), (rise, 1.0)


WEIBULL = law(
    "weibull",
    _weibull,
    _weibull_by_place,
    lambda t, scale, c: ((c * _raised_less_1(t, scale, c), scale),),
    lambda t, scale, c: ((1.0, c), (-log_ratio(t, scale) * _raised_less_1(t, scale, c), 1.0)),
    meaning=lambda S, t, scale, c: S.log(c) - c * S.log(scale) - S.pow(t / scale, c),
    powers=lambda S, t, scale, c: ((t, c - 1),),
)

# --- von Mises -------------------------------------------------------------------------------------------------------


def _angle(t: CoreValue, scale: CoreValue) -> CoreValue:
    return bounded(t / scale)


def _von_mises(t: Array, scale: Array, kappa: Array) -> Pair:
    half = 0.5 * np.clip(t / scale, -1e308, 1e308)
    fall = -2 * kappa * np.square(np.sin(half))
    return added(fall, minus(LONG_LOG_2PI), minus(long_log(_i0e(kappa))), minus(long_log(scale)))


VON_MISES = law(
    "von_mises",
    _von_mises,
    lambda t, scale, kappa: ((-kappa * sin(_angle(t, scale)), scale),),
    lambda t, scale, kappa: ((kappa * _angle(t, scale) * sin(_angle(t, scale)) - 1, scale),),
    lambda t, scale, kappa: (
        (cosm1(_angle(t, scale)) + bind(SCALED_KUMMER, 0, kappa, m=1, q=0) / bind(IVE, 0, kappa), 1.0),
    ),
    meaning=lambda S, t, scale, kappa: (
        kappa * S.cos(t / scale) - S.log(2 * S.pi) - S.log(S.besseli(0, kappa)) - S.log(scale)
    ),
    beyond=np.nan,
)

# --- a normal variate cut off ----------------------------------------------------------------------------------------

_SQRT_HALF = 0.7071067811865476


def _cut_normal(t: Array, scale: Array, low: Array, high: Array) -> Pair:
    """Between low, which is 0 at most, and high: in a tail all is taken relative to the density at its near end."""
    z = t / scale
    ends = added(minus(_HALF_LOG_2PI), minus(long_log(scale)))

    def in_tail() -> Pair:
        far = np.exp(-0.5 * (high - low) * -(high + low)) * _erfcx(-_SQRT_HALF * low)
        return added(-0.5 * ((high - z) * -(high + z)), minus(long_log(0.5 * (_erfcx(-_SQRT_HALF * high) - far))))

    def in_the_middle() -> Pair:
        return added(-0.5 * z * z, minus(long_log(0.5 * (_erf(_SQRT_HALF * high) - _erf(_SQRT_HALF * low)))))

    return added(ends, chosen(high <= -1, in_tail, in_the_middle))


CUT_NORMAL = law(
    "cut_normal",
    _cut_normal,
    lambda t, scale, low, high: ((-t / scale, scale),),
    lambda t, scale, low, high: (((t / scale - 1) * (t / scale + 1), scale),),
    lambda t, scale, low, high: ((_standard_density(low, low, high), 1.0),),
    lambda t, scale, low, high: ((-_standard_density(high, low, high), 1.0),),
    meaning=lambda S, t, scale, low, high: (
        -(t / scale) * (t / scale) / 2
        - S.log(2 * S.pi) / 2
        - S.log(scale)
        - S.log((S.erfc(-high / S.sqrt(S.number(2))) - S.erfc(-low / S.sqrt(S.number(2)))) / 2)
    ),
)


def _standard_density(z: CoreValue, low: CoreValue, high: CoreValue) -> CoreValue:
    return bind(CUT_NORMAL.weighed, 1.0, 1.0, z, 1.0, low, high)
