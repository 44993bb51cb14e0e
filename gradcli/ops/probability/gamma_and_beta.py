"""The laws of gamma variates, of their reciprocals, and of their shares in a sum."""

from __future__ import annotations

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.elementwise import absolute, less, log1p, where
from gradcli.ops.kinds import elementwise
from gradcli.ops.probability.law import AtEnd, Quotients, law
from gradcli.ops.special.exact_products import Pair, whole_sum
from gradcli.ops.special.gamma_family import POLYGAMMA
from gradcli.ops.special.gamma_ratios import DIGAMMA_SERIES, beta_value, digamma_step
from gradcli.ops.special.log1p_parts import log1pmx, log_ratio, stirling, stirling_difference
from gradcli.ops.special.long_logarithms import (
    FAR,
    LONG_LOG_2PI,
    added,
    chosen,
    deviance,
    long_log,
    long_log_gamma,
    long_log_of_quotient,
    long_quotient,
    lowered,
    minus,
    scaled,
    whole,
)
from gradcli.ops.special.values import Array, horner, real, scipy_

_digamma = scipy_("digamma")
_HALF_LOG_2PI = scaled(np.float64(0.5), LONG_LOG_2PI)


# --- gamma -----------------------------------------------------------------------------------------------------------


def _far_gamma(ratio: Pair, r: Array, a: Array) -> Pair:
    """log(r**a*exp(-r)/gamma(a)), of a large a by what r is off it."""
    ends = added(scaled(0.5, long_log(a)), minus(_HALF_LOG_2PI), -stirling(a))
    return added(deviance(ratio, r, a), ends)


def _gamma(t: Array, scale: Array, a: Array) -> Pair:
    ratio = long_log_of_quotient(t, scale)

    def near() -> Pair:
        rest = added(long_quotient(t, scale), long_log_gamma(a), long_log(scale))
        return added(lowered(a, ratio), minus(rest))

    return chosen(a >= FAR, lambda: added(_far_gamma(ratio, t / scale, a), minus(long_log(t))), near)


def _inverse_gamma(t: Array, scale: Array, a: Array) -> Pair:
    ratio = long_log_of_quotient(scale, t)

    def near() -> Pair:
        return added(scaled(a, ratio), minus(added(long_quotient(scale, t), long_log_gamma(a))))

    return added(chosen(a >= FAR, lambda: _far_gamma(ratio, scale / t, a), near), minus(long_log(t)))


def _log_less_digamma(x: Array, y: Array, a: Array) -> Array:
    def far() -> Pair:
        return added(_log_off(x, y, a), -0.5 / a, horner(DIGAMMA_SERIES, 1 / (a * a)) / (a * a))

    return whole(chosen(a >= FAR, far, lambda: added(long_log_of_quotient(x, y), -_digamma(1 + a))))


def _log_off(x: Array, y: Array, a: Array) -> Pair:
    """log(x/(y*a))."""
    ratio = x / y
    near = np.abs(ratio - a) < 0.25 * a
    return chosen(
        near,
        lambda: long_log_of_quotient(np.where(near, ratio, a), a),
        lambda: added(long_log_of_quotient(x, y), minus(long_log(a))),
    )


LOG_LESS_DIGAMMA: Op = elementwise(
    "log_less_digamma",
    real(_log_less_digamma),
    lambda found, x, y, a: 1 / x,
    lambda found, x, y, a: -1 / y,
    lambda found, x, y, a: -bind(POLYGAMMA, 1 + a, n=1),
    meaning=lambda S, x, y, a: S.log(x) - S.log(y) - S.polygamma(0, 1 + a),
    saves=(0, 1, 2),
    doc="log(x/y) - digamma(1 + a), exact where the two are near each other.",
)


def _gamma_by_shape(x: CoreValue, y: CoreValue, a: CoreValue) -> Quotients:
    """log(x/y) - digamma(a), with the pole apart."""
    return (bind(LOG_LESS_DIGAMMA, x, y, a), 1.0), (1.0, a)


def _gamma_by_place(t: CoreValue, scale: CoreValue, a: CoreValue) -> Quotients:
    """(a - 1)/t - 1/scale, of what t/scale is off a where the two are near each other."""
    off = a - t / scale
    near = less(absolute(off), 0.5 * a)
    fall = AtEnd(where(near, off - 1, a - 1), t, a - 1, there=(1.0, scale), lower=(t, scale, a - 1))
    return fall, (where(near, 0.0, -1.0), scale)


GAMMA = law(
    "gamma",
    _gamma,
    _gamma_by_place,
    lambda t, scale, a: ((t / scale - a, scale),),
    _gamma_by_shape,
    meaning=lambda S, t, scale, a: -t / scale - S.loggamma(a) - a * S.log(scale),
    powers=lambda S, t, scale, a: ((t, a - 1),),
)
INVERSE_GAMMA = law(
    "inverse_gamma",
    _inverse_gamma,
    lambda t, scale, a: ((scale / t - a - 1, t),),
    lambda t, scale, a: ((a, scale), (-1.0, t)),
    lambda t, scale, a: _gamma_by_shape(scale, t, a),
    meaning=lambda S, t, scale, a: a * S.log(scale) - (a + 1) * S.log(t) - scale / t - S.loggamma(a),
)

# --- beta ------------------------------------------------------------------------------------------------------------

#: From where on both of beta's gammas are Stirling's.
_BOTH_FAR = 10.0


def _beta(t: Array, scale: Array, a: Array, b: Array) -> Pair:
    rest = scale - t
    log_z, log_w = long_log_of_quotient(t, scale, -rest), long_log_of_quotient(rest, scale, -t)

    def far() -> Pair:
        """By what z is off its mean."""
        n = a + b
        log_n = long_log(n)
        one = deviance(added(log_n, log_z), n * (t / scale), a)
        two = deviance(added(log_n, log_w), n * (rest / scale), b)
        roots = scaled(0.5, added(long_log(a), long_log(b), minus(log_n), minus(LONG_LOG_2PI)))
        ends = stirling(n) - stirling(a) - stirling(b)
        return added(one, two, roots, ends, long_log(scale), minus(long_log(t)), minus(long_log(rest)))

    def near() -> Pair:
        return added(lowered(a, log_z), lowered(b, log_w), minus(long_log_beta(a, b)), minus(long_log(scale)))

    return chosen(np.minimum(a, b) >= _BOTH_FAR, far, near)


def long_log_beta(a: Array, b: Array) -> Pair:
    """One of the two below 10: of a product, or of gamma(a + b)/gamma(a) if a is large."""
    small, large = np.minimum(a, b), np.maximum(a, b)
    n, error = whole_sum(small, large)

    def by_ratio() -> Pair:
        log_n, low = long_log(n)
        ratio = scaled(small, (log_n, low + error / n))
        part = small / large
        rest = large * log1pmx(part) - 0.5 * np.log1p(part) + stirling_difference(large, small)
        return added(long_log_gamma(small), minus(ratio), -rest)

    def near() -> Pair:
        tiny = small < 1e-100
        product = long_log(beta_value(np.where(tiny, 1.0, a), np.where(tiny, 1.0, b)))
        return chosen(
            tiny, lambda: added(long_log_of_quotient(n, large, small), minus(long_log(small))), lambda: product
        )

    return chosen(n >= 15, by_ratio, near)


def _log_rest(t: CoreValue, scale: CoreValue) -> CoreValue:
    """log((scale - t)/scale)."""
    return where(less(t, 0.5 * scale), log1p(-t / scale), log_ratio(scale - t, scale))


def _beta_by_place(t: CoreValue, scale: CoreValue, a: CoreValue, b: CoreValue) -> Quotients:
    n = a + b - 1
    return (
        AtEnd(a - 1, t, a - 1, there=(n, scale), lower=(t, scale, a - 1, b)),
        AtEnd(1 - b, scale - t, b - 1, there=(-n, scale), lower=(t, scale, a, b - 1)),
    )


def _beta_by_scale(t: CoreValue, scale: CoreValue, a: CoreValue, b: CoreValue) -> Quotients:
    share, n = t / scale, a + b - 1
    fall = AtEnd((b - 1) * share, scale - t, b - 1, there=(n * share, scale), lower=(t, scale, a, b - 1))
    return fall, (-a, scale)


BETA = law(
    "beta",
    _beta,
    _beta_by_place,
    _beta_by_scale,
    lambda t, scale, a, b: ((log_ratio(t, scale) + digamma_step(1 + a, b), 1.0), (b / (a + b), a)),
    lambda t, scale, a, b: ((_log_rest(t, scale) + digamma_step(1 + b, a), 1.0), (a / (a + b), b)),
    meaning=lambda S, t, scale, a, b: S.loggamma(a + b) - S.loggamma(a) - S.loggamma(b) - (a + b - 1) * S.log(scale),
    powers=lambda S, t, scale, a, b: ((t, a - 1), (scale - t, b - 1)),
)
