"""Log-probabilities of distributions of whole numbers: `scipy.stats.poisson.logpmf(k, mu)` and its like.

Derivatives are with respect to the parameters; the counts are data. The distributions stand in Johnson, Kemp and Kotz,
"Univariate Discrete Distributions" (3rd edition, 2005).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from gradcli.graph.errors import ArgumentError, DtypeError
from gradcli.graph.values import CoreValue, dtype_of, shape_of
from gradcli.ops.elementwise import (
    equal,
    floor,
    greater,
    greater_equal,
    less,
    less_equal,
    log,
    logical_and,
    logical_or,
    where,
)
from gradcli.ops.function import Case, Domain, Function, case
from gradcli.ops.kinds import broadcast_shape, expanded
from gradcli.ops.operands import as_core
from gradcli.ops.probability.counting_laws import BINOMIAL, NEGATIVE_BINOMIAL, POISSON
from gradcli.ops.probability.law import Law, Place, reading
from gradcli.ops.probability.parts import between, floats, proper_only, real
from gradcli.ops.reduction import total
from gradcli.ops.registry import function
from gradcli.ops.selecting import take_along_axis
from gradcli.ops.shape import reshaped
from gradcli.ops.softmax import log_softmax, softmax

_SOURCE = "Johnson, Kemp and Kotz, Univariate Discrete Distributions (2005)"
_COUNTS = np.array([0, 1, 4])
_SHARE = (0.1, 0.9)


#: Functions of the table that read the logarithm of a law at some count, and what says which.
PLACED: dict[str, Callable[..., Place]] = {}


def _log_probability(
    name: str, derivative: str, *, defined: str, domain: Domain, cases: tuple[Case, ...]
) -> Callable[[Callable[..., Place]], Function]:
    """Declare `scipy.stats.NAME.logpmf` by what says the law and the count, of which the probability is the other
    reading."""

    def declare(found: Callable[..., Place]) -> Function:
        made = function(
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
        )(found)
        made.call = reading(found, Place.logarithm)
        PLACED[made.name] = found
        return made

    return declare


def _counted(name: str, k: Any, loc: Any, *parameters: Any) -> tuple[CoreValue, ...]:
    """The count from loc on, and the parameters, as floats."""
    k, loc, *others = floats(name, k, loc, *parameters)
    return (k - loc, *others)


def _chance(law: Law, parameters: Sequence[CoreValue], k: CoreValue, inside: CoreValue, *proper: CoreValue) -> Place:
    """The law of some parameters at a count, on its support, if conditions on the parameters hold, and the count is not
    nan."""
    return Place(law, (*parameters, where(inside, k, 0.0)), inside, reduce(logical_and, proper, equal(k, k)))


def _whole(k: CoreValue) -> CoreValue:
    return logical_and(logical_and(greater_equal(k, 0), less(k, np.inf)), equal(floor(k), k))


def _share(p: CoreValue) -> CoreValue:
    """Whether a probability is one, and not 0."""
    return logical_and(greater(p, 0), less_equal(p, 1))


@_log_probability(
    "poisson",
    "g*(k/mu - 1) for mu",
    defined="mu >= 0",
    domain=(0.3, 5.0),
    cases=(case(_COUNTS, (3,)), case(_COUNTS, (2, 1)), case(2, 1.5, 1), case(-1, (2,)), case(0, np.zeros(2))),
)
def poisson_logpmf(k: Any, mu: Any, loc: Any = 0) -> Place:
    """Logarithm of the probability of k events, where mu are expected."""
    k, mu = _counted("poisson.logpmf", k, loc, mu)
    return _chance(POISSON, [mu], k, _whole(k), greater_equal(mu, 0))


class _OfOne(Place):
    """The place of a single trial, whose probability is p or 1 - p itself."""

    __slots__ = ()

    def density(self) -> CoreValue:
        """p or 1 - p, 0 off the support."""
        p, _, k = self.operands
        return proper_only(where(self.inside, where(equal(k, 1), p, 1 - p), 0.0), self.proper)


@_log_probability(
    "bernoulli",
    "g*(k/p - (1 - k)/(1 - p)) for p",
    defined="(p >= 0) & (p <= 1)",
    domain=_SHARE,
    cases=(case(np.array([0, 1, 1]), (3,)), case(np.array([0, 1, 2]), (2, 1)), case(1, ())),
)
def bernoulli_logpmf(k: Any, p: Any, loc: Any = 0) -> Place:
    """Logarithm of the probability of k = 1 (p) or k = 0 (1 - p)."""
    k, p = _counted("bernoulli.logpmf", k, loc, p)
    return _OfOne(*_chance(BINOMIAL, [p, 1.0], k, logical_or(equal(k, 0), equal(k, 1)), between(p, 0, 1)))


@_log_probability(
    "binom",
    "g*(k/p - (n - k)/(1 - p)) for p",
    defined="(p >= 0) & (p <= 1)",
    domain=_SHARE,
    cases=(
        case(_COUNTS, 5, (3,)),
        case(_COUNTS, np.array([5, 4, 6]), (3,)),
        case(_COUNTS, 4, (2, 1)),
        case(3, 2, ()),
        case(3, 7, (), 1),
    ),
)
def binom_logpmf(k: Any, n: Any, p: Any, loc: Any = 0) -> Place:
    """Logarithm of the probability of k successes among n, each of probability p."""
    k, n, p = _counted("binom.logpmf", k, loc, n, p)
    return _chance(BINOMIAL, [p, n], k, logical_and(_whole(k), less_equal(k, n)), between(p, 0, 1), _whole(n))


@_log_probability(
    "nbinom",
    "g*(n/p - k/(1 - p)) for p, g*(digamma(k + n) - digamma(n) + log(p)) for n",
    defined="(p > 0) & (p <= 1) & (n > 0)",
    domain=((0.5, 4.0), _SHARE),
    cases=(case(_COUNTS, (3,), (3,)), case(_COUNTS, 2.5, np.array([[0.3], [0.8]])), case(2, (), 0.5, 1)),
)
def nbinom_logpmf(k: Any, n: Any, p: Any, loc: Any = 0) -> Place:
    """Logarithm of the probability of k failures before the n-th success."""
    k, n, p = _counted("nbinom.logpmf", k, loc, n, p)
    return _chance(NEGATIVE_BINOMIAL, [p, n], k, _whole(k), greater(n, 0), _share(p))


@_log_probability(
    "geom",
    "g*(1/p - (k - 1)/(1 - p)) for p",
    defined="(p > 0) & (p <= 1)",
    domain=_SHARE,
    cases=(case(_COUNTS, (3,)), case(_COUNTS, (2, 1)), case(3, (), 1)),
)
def geom_logpmf(k: Any, p: Any, loc: Any = 0) -> Place:
    """Logarithm of the probability that the first success is the k-th trial."""
    k, p = _counted("geom.logpmf", k, loc, p)
    return _chance(NEGATIVE_BINOMIAL, [p, 1.0], k - 1, logical_and(_whole(k), greater_equal(k, 1)), _share(p))


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
    name = "categorical_logpmf"
    weights = _weights(name, p, logits)
    if logits is None:
        return _of_class(name, k, log(weights) - log(total(weights, (-1,), True)))
    return _of_class(name, k, log_softmax(weights, axis=-1))


def categorical_probability(k: Any, p: Any = None, logits: Any = None) -> CoreValue:
    """The probability itself, whose slope is no 0 where the weight is."""
    name = "categorical_pmf"
    weights = _weights(name, p, logits)
    return _of_class(name, k, weights / total(weights, (-1,), True) if logits is None else softmax(weights, axis=-1))


def _weights(name: str, p: Any, logits: Any) -> CoreValue:
    """The weights or their logarithms, whichever are given."""
    if (p is None) == (logits is None):
        raise ArgumentError(f"{name} takes p or logits, one of them")
    return real(name, p if logits is None else logits)


def _of_class(name: str, k: Any, scores: CoreValue) -> CoreValue:
    """The scores of the classes k, along the last axis."""
    index = as_core(k)
    if dtype_of(index).kind not in "iu":
        raise DtypeError(f"{name}: a class is an integer", mend="k counts classes from 0")
    lead = broadcast_shape(name, shape_of(index), shape_of(scores)[:-1])
    chosen = expanded(reshaped(index, (*shape_of(index), 1)), (*lead, 1))
    found = take_along_axis(expanded(scores, (*lead, shape_of(scores)[-1])), chosen, axis=-1)
    return reshaped(found, lead)
