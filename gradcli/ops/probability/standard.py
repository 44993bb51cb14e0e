"""Ops of which log-densities are made where a sum of plain functions would cancel or overflow."""

from __future__ import annotations

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.elementwise import expm1, square, tanh
from gradcli.ops.kinds import elementwise
from gradcli.ops.special.gamma_ratios import POLYGAMMA_STEP
from gradcli.ops.special.log1p_parts import log1pmx, log_of_ratio, log_ratio
from gradcli.ops.special.values import Array, horner, real

_HALF_LOG_2PI = 0.9189385332046727

# --- logistic and Gumbel ---------------------------------------------------------------------------------------------


def _logistic(z: Array) -> Array:
    size = np.abs(z)
    return -size - 2 * np.log1p(np.exp(-size))


LOGISTIC: Op = elementwise(
    "logistic_log_density",
    real(_logistic),
    lambda y, z: -tanh(0.5 * z),
    meaning=lambda S, z: -z - 2 * S.log1p(S.exp(-z)),
    saves=(0,),
    doc="-z - 2*log(1 + exp(-z)).",
)
GUMBEL: Op = elementwise(
    "gumbel_log_density",
    real(lambda z: -z - np.exp(-z)),
    lambda y, z: expm1(-z),
    meaning=lambda S, z: -z - S.exp(-z),
    saves=(0,),
    doc="-z - exp(-z).",
)

# --- lognormal -------------------------------------------------------------------------------------------------------


def _lognormal(t: Array, s: Array, scale: Array) -> Array:
    product = s * t
    tame = (product > 1e-300) & (product < 1e300)
    size = np.where(tame, np.log(np.where(tame, product, 1.0)), np.log(s) + np.log(t))
    return -0.5 * np.square(log_of_ratio(t, scale) / s) - _HALF_LOG_2PI - size


LOGNORMAL: Op = elementwise(
    "lognormal_log_density",
    real(_lognormal),
    lambda y, t, s, scale: -(1 + log_ratio(t, scale) / s / s) / t,
    lambda y, t, s, scale: (square(log_ratio(t, scale) / s) - 1) / s,
    lambda y, t, s, scale: log_ratio(t, scale) / s / s / scale,
    meaning=lambda S, t, s, scale: (
        -((S.log(t) - S.log(scale)) / s) * ((S.log(t) - S.log(scale)) / s) / 2 - S.log(2 * S.pi) / 2 - S.log(s * t)
    ),
    saves=(0, 1, 2),
    doc="The log-density of exp(s*u)*scale at t, u normal.",
)

# --- log(1 + z**2/d) -------------------------------------------------------------------------------------------------


def _tail(z: Array, d: Array) -> Array:
    share = (z / d) * z
    far = 2 * np.log(np.abs(z)) - np.log(d)
    return np.where(np.isfinite(share), np.log1p(share), far)


def _tail_slope(z: Array, d: Array) -> Array:
    far = np.abs(z) > 1
    size = np.where(far, z, 1.0)
    return np.where(far, 1 / (size + d / size), z / (d + z * z))


TAIL_SLOPE: Op = elementwise(
    "tail_slope",
    real(_tail_slope),
    lambda y, z, d: (1 - 2 * z * y) / (d + z * z),
    lambda y, z, d: -y / (d + z * z),
    meaning=lambda S, z, d: z / (d + z * z),
    doc="z/(d + z**2).",
)
TAIL: Op = elementwise(
    "log1p_square_over",
    real(_tail),
    lambda y, z, d: 2 * bind(TAIL_SLOPE, z, d),
    lambda y, z, d: -(z / d) * bind(TAIL_SLOPE, z, d),
    meaning=lambda S, z, d: S.log1p(z * z / d),
    saves=(0, 1),
    doc="log(1 + z**2/d).",
)

# --- Student's t -----------------------------------------------------------------------------------------------------

#: -(1 - 4**-k) B[2k]/(k (2k - 1)), from Stirling's formula for both gammas.
_HALF_STEP = [-1 / 8, 1 / 192, -1 / 640, 17 / 14336, -31 / 18432, 691 / 180224, -5461 / 425984, 929569 / 15728640]
_FAR = 16


def _half_step(h: Array) -> Array:
    """log(gamma(h + 1/2)/gamma(h)) - log(h)/2: moved to the right, where the formula holds."""
    small = h < 0.25
    found = np.where(small, 0.5 * (np.log(h) + np.log1p(h)) - np.log(h + 0.5), 0.0)
    h = np.where(small, h + 1, h)
    for _ in range(_FAR):
        near = h < _FAR
        found = np.where(near, found + 0.5 * np.log1p(-0.25 / np.square(h + 0.5)), found)
        h = np.where(near, h + 1, h)
    return found + horner(_HALF_STEP, 1 / h / h) / h


def _half_step_slope(h: Array) -> Array:
    found = np.zeros_like(h)
    for _ in range(_FAR):
        near = h < _FAR
        found = np.where(near, found + 0.25 / h / (h + 0.5) / (h + 1), found)
        h = np.where(near, h + 1, h)
    slopes = [-(2 * k + 1) * c for k, c in enumerate(_HALF_STEP)]
    return found + horner(slopes, 1 / h / h) / h / h


def _student(z: Array, d: Array) -> Array:
    return _half_step(0.5 * d) - _HALF_LOG_2PI - 0.5 * (d + 1) * _tail(z, d)


def _student_by_d(z: Array, d: Array) -> Array:
    """The derivative by d, with u = z**2/(d + z**2): half of log(1 - u) + u + u/d, and of the gammas'."""
    u = z * _tail_slope(z, d)
    return 0.5 * (_log1m_and(u, z, d) + u / d + _half_step_slope(0.5 * d))


def _log1m_and(u: Array, z: Array, d: Array) -> Array:
    """log(1 - u) + u."""
    near = u < 0.5
    return np.where(near, log1pmx(-np.where(near, u, 0.0)), u - _tail(z, d))


def _student_bend(y: CoreValue, z: CoreValue, d: CoreValue) -> CoreValue:
    slope = bind(TAIL_SLOPE, z, d)
    ends = bind(POLYGAMMA_STEP, 0.5 * d, 0.5, n=1) + 2 / (d * d)
    return 0.25 * ends + 0.5 * (z / d) * slope * (z * slope - 1 / d - 1 / (d + z * z))


STUDENT_BY_D: Op = elementwise(
    "student_log_density_by_d",
    real(_student_by_d),
    lambda y, z, d: bind(TAIL_SLOPE, z, d) * (1 / (d + z * z) - z * bind(TAIL_SLOPE, z, d)),
    _student_bend,
    meaning=lambda S, z, d: (
        0.5 * (S.polygamma(0, (d + 1) / 2) - S.polygamma(0, d / 2) - 1 / d)
        - 0.5 * S.log1p(z * z / d)
        + 0.5 * (d + 1) * z * z / (d * (d + z * z))
    ),
    doc="The derivative of Student's log-density by the degrees of freedom.",
)
STUDENT: Op = elementwise(
    "student_log_density",
    real(_student),
    lambda y, z, d: -(d + 1) * bind(TAIL_SLOPE, z, d),
    lambda y, z, d: bind(STUDENT_BY_D, z, d),
    meaning=lambda S, z, d: (
        S.loggamma((d + 1) / 2) - S.loggamma(d / 2) - 0.5 * S.log(d * S.pi) - 0.5 * (d + 1) * S.log1p(z * z / d)
    ),
    saves=(0, 1),
    doc="The log-density of Student's t distribution with d degrees of freedom.",
)
