"""Laws whose density falls as a power: Cauchy's, Student's and Pareto's."""

from __future__ import annotations

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.elementwise import absolute, greater, where
from gradcli.ops.kinds import elementwise
from gradcli.ops.probability.law import Quotients, law
from gradcli.ops.special.exact_products import Pair
from gradcli.ops.special.gamma_ratios import POLYGAMMA_STEP
from gradcli.ops.special.log1p_parts import log1pmx, log_ratio
from gradcli.ops.special.long_logarithms import (
    LONG_LOG_2,
    LONG_LOG_2PI,
    LONG_LOG_PI,
    added,
    alone,
    chosen,
    long_log,
    long_log_of_quotient,
    minus,
    scaled,
    whole,
)
from gradcli.ops.special.values import Array, horner, real

# --- by t and by scale, with d degrees of freedom; z = t/scale -------------------------------------------------------


def _tail_by_t(t: CoreValue, scale: CoreValue, d: CoreValue) -> Quotients:
    """-(d + 1)*z/(d + z**2)/scale."""
    far = greater(absolute(t), scale)
    z, turned = t / where(far, t, scale), scale / where(far, t, scale)
    beyond = 1 + d * turned * turned
    return ((-(d + 1) * where(far, 1 / beyond, z / (d + z * z)), where(far, t, scale)),)


def _tail_by_scale(t: CoreValue, scale: CoreValue, d: CoreValue) -> Quotients:
    """d*(z**2 - 1)/(d + z**2)/scale."""
    far = greater(absolute(t), scale)
    z, turned = t / where(far, t, scale), scale / where(far, t, scale)
    there = (1 - turned) * (1 + turned) / (1 + d * turned * turned)
    return ((d * where(far, there, (z - 1) * (z + 1) / (d + z * z)), scale),)


# --- Cauchy ----------------------------------------------------------------------------------------------------------


def _cauchy(t: Array, scale: Array) -> Pair:
    small, large = np.minimum(np.abs(t), scale), np.maximum(np.abs(t), scale)
    rest = np.log1p(np.square(small / large))
    return added(long_log(scale), scaled(-2.0, long_log(large)), minus(LONG_LOG_PI), -rest)


CAUCHY = law(
    "cauchy",
    _cauchy,
    lambda t, scale: _tail_by_t(t, scale, 1.0),
    lambda t, scale: _tail_by_scale(t, scale, 1.0),
    meaning=lambda S, t, scale: S.log(scale) - S.log(S.pi) - S.log(t * t + scale * scale),
)

# --- Pareto ----------------------------------------------------------------------------------------------------------


def _pareto(t: Array, scale: Array, b: Array) -> Pair:
    return added(long_log(b), scaled(b, long_log_of_quotient(scale, t)), minus(long_log(t)))


PARETO = law(
    "pareto",
    _pareto,
    lambda t, scale, b: ((-(b + 1), t),),
    lambda t, scale, b: ((b, scale),),
    lambda t, scale, b: ((1.0, b), (log_ratio(scale, t), 1.0)),
    meaning=lambda S, t, scale, b: S.log(b) + b * S.log(scale) - (b + 1) * S.log(t),
)

# --- Student's t -----------------------------------------------------------------------------------------------------

#: -(1 - 4**-k) B[2k]/(k (2k - 1)), from Stirling's formula for both gammas.
_HALF_STEP = [-1 / 8, 1 / 192, -1 / 640, 17 / 14336, -31 / 18432, 691 / 180224, -5461 / 425984, 929569 / 15728640]
_FAR = 16


def _half_step(d: Array) -> Pair:
    """log(gamma(h + 1/2)/gamma(h)) - log(h)/2 for h = d/2: moved to the right, where the formula holds."""
    h = 0.5 * d  # which is rounded where d is subnormal
    small = h < 0.25
    ends = added(scaled(0.5, long_log(np.where(small, d, 1.0))), scaled(np.where(small, -0.5, 0.0), LONG_LOG_2))
    found = np.where(small, 0.5 * np.log1p(h) - np.log(h + 0.5), 0.0)
    h = np.where(small, h + 1, h)
    for _ in range(_FAR):
        near = h < _FAR
        found = np.where(near, found + 0.5 * np.log1p(-0.25 / np.square(h + 0.5)), found)
        h = np.where(near, h + 1, h)
    return added(ends, found + horner(_HALF_STEP, 1 / h / h) / h)


def _half_step_slope(h: Array) -> Array:
    """h times its derivative."""
    found, first = 0.25 / (h + 0.5) / (h + 1), h
    h = h + 1
    for _ in range(_FAR):
        near = h < _FAR
        found = np.where(near, found + first * (0.25 / h / (h + 0.5) / (h + 1)), found)
        h = np.where(near, h + 1, h)
    slopes = [-(2 * k + 1) * c for k, c in enumerate(_HALF_STEP)]
    return found + horner(slopes, 1 / h / h) / h * (first / h)


def _share(t: Array, scale: Array, d: Array) -> Array:
    z = t / scale
    return (z / d) * z


def _tail(t: Array, scale: Array, d: Array) -> Pair:
    """log(1 + z**2/d)."""
    share = _share(t, scale, d)
    near = share <= 1

    def far() -> Pair:
        square = scaled(2.0, added(long_log(np.abs(t)), minus(long_log(scale))))
        return added(square, minus(long_log(d)), np.log1p(1 / share))

    return chosen(near, lambda: alone(np.log1p(share)), far)


def _student(t: Array, scale: Array, d: Array) -> Pair:
    tail = _tail(t, scale, d)
    ends = added(_half_step(d), scaled(-0.5, LONG_LOG_2PI), minus(long_log(scale)))
    return added(ends, scaled(-0.5, tail), scaled(-0.5 * d, tail))


def _student_by_d(t: Array, scale: Array, d: Array) -> Array:
    """With u = z**2/(d + z**2): half of d*(log(1 - u) + u) + u, and of the gammas'."""
    share = _share(t, scale, d)
    u = np.where(share <= 1, share / (1 + share), 1 / (1 + 1 / share))
    near = u < 0.5
    rest = np.where(near, log1pmx(-np.where(near, u, 0.0)), u - whole(_tail(t, scale, d)))
    return 0.5 * (d * rest + u + 2 * _half_step_slope(0.5 * d))


def _student_turn(t: CoreValue, scale: CoreValue, d: CoreValue) -> CoreValue:
    """d*z*(z**2 - 1)/(d + z**2)**2, z times which the derivative by d falls with z."""
    z = t / scale
    return d * z * ((z - 1) * (z + 1)) / ((d + z * z) * (d + z * z))


def _student_bend(y: CoreValue, t: CoreValue, scale: CoreValue, d: CoreValue) -> CoreValue:
    z = t / scale
    slope = z / (d + z * z)
    ends = bind(POLYGAMMA_STEP, 0.5 * d, 0.5, n=1) + 2 / (d * d)
    return y / d + d * (0.25 * ends + 0.5 * (z / d) * slope * (z * slope - 1 / d - 1 / (d + z * z)))


STUDENT_BY_D: Op = elementwise(
    "student_log_density_by_d",
    real(_student_by_d),
    lambda y, t, scale, d: -_student_turn(t, scale, d) / scale,
    lambda y, t, scale, d: _student_turn(t, scale, d) * (t / scale) / scale,
    _student_bend,
    meaning=lambda S, t, scale, d: (
        d
        * (
            0.5 * (S.polygamma(0, (d + 1) / 2) - S.polygamma(0, d / 2) - 1 / d)
            - 0.5 * S.log1p((t / scale) * (t / scale) / d)
            + 0.5 * (d + 1) * t * t / (d * (d * scale * scale + t * t))
        )
    ),
    doc="d times the derivative of Student's log-density by the degrees of freedom d.",
)
STUDENT = law(
    "student",
    _student,
    _tail_by_t,
    _tail_by_scale,
    lambda t, scale, d: ((bind(STUDENT_BY_D, t, scale, d), d),),
    meaning=lambda S, t, scale, d: (
        S.loggamma((d + 1) / 2)
        - S.loggamma(d / 2)
        - 0.5 * S.log(d * S.pi)
        - 0.5 * (d + 1) * S.log1p((t / scale) * (t / scale) / d)
        - S.log(scale)
    ),
)
