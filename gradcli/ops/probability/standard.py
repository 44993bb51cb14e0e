"""Laws of location and scale alone, and the normal distribution function, whose slopes are a density's.

z is t/scale, t being the distance from the location.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.elementwise import expm1, less, sign, tanh, where
from gradcli.ops.elementwise.limits import bounded
from gradcli.ops.kinds import elementwise
from gradcli.ops.probability.law import Law, law
from gradcli.ops.special.exact_products import Pair
from gradcli.ops.special.long_logarithms import (
    LONG_LOG_2,
    LONG_LOG_2PI,
    LONG_LOG_PI,
    added,
    alone,
    long_log,
    long_quotient,
    minus,
    scaled,
    squared,
    whole,
)
from gradcli.ops.special.normal import HAZARD, NDTR, log_normal_cdf, normal_cdf
from gradcli.ops.special.values import Array, real


def _located(
    name: str,
    standard: Callable[[Pair], Pair],
    slope: Callable[[CoreValue], CoreValue],
    meaning: Callable[[Any, Any], Any],
    plain: Callable[[Array], Array] | None = None,
) -> Law:
    """The law of scale*z, where `standard(z)` is the logarithm of the density of z and `slope` its derivative;
    `plain` is that logarithm in floats, where it is quicker or has an infinity to meet."""
    in_floats = plain or (lambda z: whole(standard(alone(z))))

    def formula(t: Array, scale: Array) -> Pair:
        return added(standard(long_quotient(t, scale)), minus(long_log(scale)))

    def by_scale(z: CoreValue) -> CoreValue:
        return -(1 + z * slope(z))

    return law(
        name,
        formula,
        lambda t, scale: ((slope(t / scale), scale),),
        lambda t, scale: ((by_scale(t / scale), scale),),
        meaning=lambda S, t, scale: meaning(S, t / scale) - S.log(scale),
        rounded=lambda t, scale: in_floats(t / scale) - np.log(scale),
    )


def _size(z: Pair) -> Pair:
    side = np.where(z[0] < 0, -1.0, 1.0)
    return side * z[0], side * z[1]


def _bell(name: str, log_area: Pair, area: Callable[[Any], Any]) -> Law:
    """The law of exp(-z**2/2)/sqrt(area)."""
    return _located(
        name,
        lambda z: scaled(-0.5, added(squared(z), log_area)),
        lambda z: -z,
        lambda S, z: -z * z / 2 - S.log(area(S)) / 2,
        plain=lambda z: -0.5 * (z * z + log_area[0]),
    )


NORMAL = _bell("normal", LONG_LOG_2PI, lambda S: 2 * S.pi)
HALF_NORMAL = _bell("half_normal", added(LONG_LOG_PI, minus(LONG_LOG_2)), lambda S: S.pi / 2)
LAPLACE = _located(
    "laplace",
    lambda z: added(minus(_size(z)), minus(LONG_LOG_2)),
    lambda z: -sign(z),
    lambda S, z: -S.abs(z) - S.log(S.number(2)),
)
LOGISTIC = _located(
    "logistic",
    lambda z: added(minus(_size(z)), -2 * np.log1p(np.exp(-np.abs(z[0])))),
    lambda z: -tanh(0.5 * z),
    lambda S, z: -z - 2 * S.log1p(S.exp(-z)),
)
GUMBEL = _located(
    "gumbel",
    lambda z: added(minus(z), -np.exp(-z[0])),
    lambda z: expm1(-z),
    lambda S, z: -z - S.exp(-z),
    plain=lambda z: -np.maximum(z, -1e308) - np.exp(-z),
)
EXPONENTIAL = _located("exponential", minus, lambda z: -1.0, lambda S, z: -z)
UNIFORM = _located("uniform", lambda z: alone(0 * z[0]), lambda z: 0.0, lambda S, z: 0 * z)

# --- the normal distribution function --------------------------------------------------------------------------------

NORMAL_BELOW: Op = elementwise(
    "normal_below",
    real(lambda t, scale: normal_cdf(t / scale)),
    lambda y, t, scale: bind(NORMAL.weighed, 1.0, 1.0, t, scale),
    lambda y, t, scale: bind(NORMAL.weighed, -t, scale, t, scale),
    meaning=lambda S, t, scale: S.erfc(-t / scale / S.sqrt(S.number(2))) / 2,
    saves=(0, 1),
    doc="How likely scale times a normal variate is below t.",
)


def _hazard(u: CoreValue, v: CoreValue, t: CoreValue, scale: CoreValue) -> CoreValue:
    """u/v times the density at t, over how likely it is to be below."""
    z = bounded(t / scale)
    tail = less(z, -1)
    in_tail = u / v * bind(HAZARD, where(tail, z, -1.0), n=0) / scale
    return where(tail, in_tail, bind(NORMAL.weighed, u, v * bind(NDTR, where(tail, -1.0, z)), t, scale))


LOG_NORMAL_BELOW: Op = elementwise(
    "log_normal_below",
    real(lambda t, scale: log_normal_cdf(t / scale)),
    lambda y, t, scale: _hazard(1.0, 1.0, t, scale),
    lambda y, t, scale: _hazard(-t, scale, t, scale),
    meaning=lambda S, t, scale: S.log_ndtr(t / scale),
    saves=(0, 1),
    doc="The logarithm of how likely scale times a normal variate is below t.",
)
