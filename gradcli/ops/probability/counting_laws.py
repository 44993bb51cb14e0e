"""The laws of counts: of events, of successes among trials, and of failures before a success.

The formulas are those of Loader, "Fast and accurate computation of binomial probabilities" (2000): large factorials
cancel on paper, and what is left measures how far a count is from the expected one.
"""

from __future__ import annotations

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.elementwise import equal, log, log1p, where
from gradcli.ops.kinds import elementwise
from gradcli.ops.probability.gamma_and_beta import long_log_beta
from gradcli.ops.probability.law import AtEnd, Quotients, law
from gradcli.ops.special.exact_products import Pair
from gradcli.ops.special.gamma_family import POLYGAMMA, digamma_of
from gradcli.ops.special.gamma_ratios import DIGAMMA_SERIES, digamma_step
from gradcli.ops.special.log1p_parts import log1pmx, log_ratio, stirling
from gradcli.ops.special.long_logarithms import (
    LONG_LOG_2PI,
    added,
    alone,
    chosen,
    deviance,
    endless,
    long_log,
    long_log_gamma,
    minus,
    scaled,
)
from gradcli.ops.special.values import Array, horner, real, scipy_

_digamma = scipy_("digamma")

#: From where on factorials are Stirling's.
_MANY = 16.0
#: From where on products of counts leave the range of floats.
_HUGE = 1e290


# --- events ----------------------------------------------------------------------------------------------------------


def _events(mu: Array, k: Array) -> Pair:
    """log(mu**k*exp(-mu)/k!)."""
    log_mu = long_log(mu)

    def many() -> Pair:
        at = np.maximum(k, 1.0)
        root = scaled(-0.5, added(long_log(at), LONG_LOG_2PI))
        return added(deviance(log_mu, mu, at), root, -stirling(at))

    return chosen(k >= _MANY, many, lambda: added(scaled(k, log_mu), minus(long_log_gamma(k + 1)), -mu))


POISSON = law(
    "poisson",
    _events,
    lambda mu, k: (AtEnd(k, mu, k, there=(1.0, 1.0), lower=(mu, k - 1)), (-1.0, 1.0)),
    lambda mu, k: ((log(mu) - digamma_of(k + 1), 1.0),),
    meaning=lambda S, mu, k: -mu - S.loggamma(k + 1),
    powers=lambda S, mu, k: ((mu, k),),
)

# --- two kinds of outcomes -------------------------------------------------------------------------------------------


def _log_of_power(x: Array, rest: Array, count: Array) -> Pair:
    """count*log(x), where rest is 1 - x."""
    return chosen(
        rest < 0.5,
        lambda: added(scaled(count, alone(-rest)), count * log1pmx(-np.minimum(rest, 0.5))),
        lambda: scaled(count, long_log(x)),
    )


def _outcomes(p: Array, a: Array, b: Array) -> Pair:
    """log((a + b)!/(a!*b!)*p**a*(1 - p)**b): the probability of a of one kind and b of the other."""
    n, q = a + b, 1 - p
    log_p, log_q = long_log(p), long_log(q)
    power_p, power_q = _log_of_power(p, q, a), _log_of_power(q, p, b)

    def many() -> Pair:
        off = added(deviance(added(long_log(n), log_p), n * p, a), deviance(added(long_log(n), log_q), n * q, b))
        roots = scaled(0.5, added(long_log(n), minus(long_log(a)), minus(long_log(b)), minus(LONG_LOG_2PI)))
        return added(off, roots, stirling(n) - stirling(a) - stirling(b))

    def few() -> Pair:
        factorials = added(long_log_beta(a, b), long_log(a), long_log(b), minus(long_log(n)))
        return added(power_p, power_q, minus(factorials))

    whole = chosen((np.minimum(a, b) >= _MANY) & (n < _HUGE), many, few)
    one_kind = chosen(b == 0, lambda: power_p, lambda: power_q)
    return endless(chosen((a == 0) | (b == 0), lambda: one_kind, lambda: whole), (p == 0) | (p == 1))


BINOMIAL = law(
    "binomial",
    lambda p, n, k: _outcomes(p, k, n - k),
    lambda p, n, k: (
        AtEnd(k, p, k, there=(n, 1.0), lower=(p, n - 1, k - 1)),
        AtEnd(k - n, 1 - p, n - k, there=(-n, 1.0), lower=(p, n - 1, k)),
    ),
    lambda p, n, k: ((digamma_step(n - k + 1, k) + log1p(-p), 1.0),),
    lambda p, n, k: ((log_ratio(p, 1 - p) + digamma_of(n - k + 1) - digamma_of(k + 1), 1.0),),
    meaning=lambda S, p, n, k: S.loggamma(n + 1) - S.loggamma(k + 1) - S.loggamma(n - k + 1),
    powers=lambda S, p, n, k: ((p, k), (1 - p, n - k)),
)


def _failures(p: Array, n: Array, k: Array) -> Pair:
    """log(gamma(k + n)/(gamma(n)*k!)*p**n*(1 - p)**k): the last of all outcomes is a success."""
    last = chosen(k == 0, lambda: alone(np.zeros(k.shape)), lambda: added(long_log(n), minus(long_log(n + k))))
    return added(_outcomes(p, n, k), last)


DIGAMMA_LESS_LOG: Op = elementwise(
    "digamma_less_log",
    real(
        lambda z: np.where(z < _MANY, _digamma(z) - np.log(z), -0.5 / z - horner(DIGAMMA_SERIES, 1 / (z * z)) / (z * z))
    ),
    lambda found, z: bind(POLYGAMMA, z, n=1) - 1 / z,
    meaning=lambda S, z: S.polygamma(0, z) - S.log(z),
    saves=(0,),
    doc="digamma(z) - log(z), exact for large z.",
)


def _by_successes(p: CoreValue, n: CoreValue, k: CoreValue) -> Quotients:
    """log(p) + digamma(n + k) - digamma(n), with the pole apart, and logarithms together."""
    none = equal(k, 0)
    step = log_ratio(p * (n + k), 1 + n) + bind(DIGAMMA_LESS_LOG, n + k) - bind(DIGAMMA_LESS_LOG, 1 + n)
    return (where(none, log(p), step), 1.0), (where(none, 0.0, 1.0), n)


NEGATIVE_BINOMIAL = law(
    "negative_binomial",
    _failures,
    lambda p, n, k: ((n, p), AtEnd(-k, 1 - p, k, there=(1 - k - n, 1.0), lower=(p, n, k - 1))),
    _by_successes,
    lambda p, n, k: ((digamma_of(k + n) - digamma_of(k + 1) + log1p(-p), 1.0),),
    meaning=lambda S, p, n, k: S.loggamma(k + n) - S.loggamma(k + 1) - S.loggamma(n),
    powers=lambda S, p, n, k: ((p, n), (1 - p, k)),
)
