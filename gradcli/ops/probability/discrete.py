"""Log-probabilities of distributions of whole numbers: `scipy.stats.poisson.logpmf(k, mu)` and its like.

Derivatives are with respect to the parameters; the counts are data. The distributions stand in Johnson, Kemp and Kotz,
"Univariate Discrete Distributions" (3rd edition, 2005).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.graph.errors import ArgumentError, DtypeError
from gradcli.graph.values import CoreValue, dtype_of, shape_of
from gradcli.ops.elementwise import equal, floor, greater, greater_equal, less_equal, log, logical_and, logical_or
from gradcli.ops.function import Case, Domain, Function, case
from gradcli.ops.kinds import broadcast_shape, expanded
from gradcli.ops.operands import as_core
from gradcli.ops.probability.parts import between, floats, on_support, real
from gradcli.ops.reduction import total
from gradcli.ops.registry import function
from gradcli.ops.selecting import take_along_axis
from gradcli.ops.shape import reshaped
from gradcli.ops.softmax import log_softmax
from gradcli.ops.special import gammaln, xlog1py, xlogy

_SOURCE = "Johnson, Kemp and Kotz, Univariate Discrete Distributions (2005)"
_COUNTS = np.array([0, 1, 4])
_SHARE = (0.1, 0.9)


def _log_probability(
    name: str, derivative: str, *, defined: str, domain: Domain, cases: tuple[Case, ...]
) -> Callable[[Callable[..., CoreValue]], Function]:
    """Declare `scipy.stats.NAME.logpmf`."""
    return function(
        f"{name}_logpmf",
        family="probability",
        where="bare",
        also=(f"scipy.stats.{name}.logpmf",),
        derivative=f"vjp: {derivative}",
        defined=defined,
        kinks="where a probability is 0, or 1, that no event bears on: 0",
        source=_SOURCE,
        domain=domain,
        cases=cases,
    )


def _counted(name: str, k: Any, loc: Any, *parameters: Any) -> tuple[CoreValue, ...]:
    """The count from loc on, and the parameters, as floats."""
    k, loc, *others = floats(name, k, loc, *parameters)
    return (k - loc, *others)


def _whole(k: CoreValue) -> CoreValue:
    return logical_and(greater_equal(k, 0), equal(floor(k), k))


def _share(p: CoreValue) -> CoreValue:
    """Whether a probability is one, and not 0."""
    return logical_and(greater(p, 0), less_equal(p, 1))


def _log_binomial(n: CoreValue, k: CoreValue) -> CoreValue:
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)


@_log_probability(
    "poisson",
    "g*(k/mu - 1) for mu",
    defined="mu >= 0",
    domain=(0.3, 5.0),
    cases=(case(_COUNTS, (3,)), case(_COUNTS, (2, 1)), case(2, 1.5, 1), case(-1, (2,)), case(0, np.zeros(2))),
)
def poisson_logpmf(k: Any, mu: Any, loc: Any = 0) -> CoreValue:
    """Logarithm of the probability of k events, where mu are expected."""
    k, mu = _counted("poisson.logpmf", k, loc, mu)
    return on_support(_whole(k), xlogy(k, mu) - gammaln(k + 1) - mu, greater_equal(mu, 0))


@_log_probability(
    "bernoulli",
    "g*(k/p - (1 - k)/(1 - p)) for p",
    defined="(p >= 0) & (p <= 1)",
    domain=_SHARE,
    cases=(case(np.array([0, 1, 1]), (3,)), case(np.array([0, 1, 2]), (2, 1)), case(1, ())),
)
def bernoulli_logpmf(k: Any, p: Any, loc: Any = 0) -> CoreValue:
    """Logarithm of the probability of k = 1 (p) or k = 0 (1 - p)."""
    k, p = _counted("bernoulli.logpmf", k, loc, p)
    return on_support(logical_or(equal(k, 0), equal(k, 1)), xlogy(k, p) + xlog1py(1 - k, -p), between(p, 0, 1))


@_log_probability(
    "binom",
    "g*(k/p - (n - k)/(1 - p)) for p",
    defined="(p >= 0) & (p <= 1)",
    domain=_SHARE,
    cases=(case(_COUNTS, 5, (3,)), case(_COUNTS, 4, (2, 1)), case(3, 2, ()), case(3, 7, (), 1)),
)
def binom_logpmf(k: Any, n: Any, p: Any, loc: Any = 0) -> CoreValue:
    """Logarithm of the probability of k successes among n, each of probability p."""
    k, n, p = _counted("binom.logpmf", k, loc, n, p)
    found = _log_binomial(n, k) + xlogy(k, p) + xlog1py(n - k, -p)
    return on_support(logical_and(_whole(k), less_equal(k, n)), found, between(p, 0, 1), _whole(n))


@_log_probability(
    "nbinom",
    "g*(n/p - k/(1 - p)) for p, g*(digamma(k + n) - digamma(n) + log(p)) for n",
    defined="(p > 0) & (p <= 1) & (n > 0)",
    domain=((0.5, 4.0), _SHARE),
    cases=(case(_COUNTS, (3,), (3,)), case(_COUNTS, 2.5, np.array([[0.3], [0.8]])), case(2, (), 0.5, 1)),
)
def nbinom_logpmf(k: Any, n: Any, p: Any, loc: Any = 0) -> CoreValue:
    """Logarithm of the probability of k failures before the n-th success."""
    k, n, p = _counted("nbinom.logpmf", k, loc, n, p)
    ways = gammaln(k + n) - gammaln(k + 1) - gammaln(n)
    return on_support(_whole(k), ways + n * log(p) + xlog1py(k, -p), greater(n, 0), _share(p))


@_log_probability(
    "geom",
    "g*(1/p - (k - 1)/(1 - p)) for p",
    defined="(p > 0) & (p <= 1)",
    domain=_SHARE,
    cases=(case(_COUNTS, (3,)), case(_COUNTS, (2, 1)), case(3, (), 1)),
)
def geom_logpmf(k: Any, p: Any, loc: Any = 0) -> CoreValue:
    """Logarithm of the probability that the first success is the k-th trial."""
    k, p = _counted("geom.logpmf", k, loc, p)
    return on_support(logical_and(_whole(k), greater_equal(k, 1)), xlog1py(k - 1, -p) + log(p), _share(p))


@function(
    "categorical_logpmf",
    family="probability",
    where="bare",
    derivative="vjp: g*(onehot(k)/p - 1/sum(p)) for p, g*(onehot(k) - softmax(logits)) for logits",
    defined="p >= 0, not all 0",
    source="Johnson, Kotz and Balakrishnan, Discrete Multivariate Distributions (1997), chapter 35",
    domain=_SHARE,
    cases=(
        case(1, (3,)),
        case(np.array([0, 2]), (3,)),
        case(np.array([0, 2]), (2, 3)),
        case(np.array([[0, 2], [1, 1]]), (2, 3)),
        case(np.array([2, 1]), logits=np.array([[0.5, -1.0, 2.0], [0.1, 0.2, 0.3]])),
    ),
)
def categorical_logpmf(k: Any, p: Any = None, logits: Any = None) -> CoreValue:
    """Logarithm of the probability of class k, of weights p (which need not add up to 1) or their logarithms, the
    logits, along the last axis; as torch.distributions.Categorical(p).log_prob(k)."""
    if (p is None) == (logits is None):
        raise ArgumentError("categorical_logpmf takes p or logits, one of them")
    if logits is None:
        weights = real("categorical_logpmf", p)
        scores = log(weights) - log(total(weights, (-1,), True))
    else:
        scores = log_softmax(real("categorical_logpmf", logits), axis=-1)
    index = as_core(k)
    if dtype_of(index).kind not in "iu":
        raise DtypeError("categorical_logpmf: a class is an integer", mend="k counts classes from 0")
    lead = broadcast_shape("categorical_logpmf", shape_of(index), shape_of(scores)[:-1])
    chosen = expanded(reshaped(index, (*shape_of(index), 1)), (*lead, 1))
    found = take_along_axis(expanded(scores, (*lead, shape_of(scores)[-1])), chosen, axis=-1)
    return reshaped(found, lead)
