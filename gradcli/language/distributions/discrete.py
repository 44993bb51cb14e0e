"""Distributions of whole numbers. Derivatives are with respect to their parameters: probabilities, or log-odds.

Of both forms, a function takes the one that was given, so that nothing is lost on the way to the other.
"""

from __future__ import annotations

import math

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.values import CoreValue, Shape, dtype_of, shape_of
from gradcli.language.distributions.constraints import (
    BOOLEAN,
    NOT_BELOW_ZERO,
    NOT_NEGATIVE,
    REAL,
    REAL_VECTOR,
    SHARE,
    SHARE_BELOW_ONE,
    SIMPLEX,
    WHOLE,
    Constraint,
    counts_of,
    whole_up_to,
)
from gradcli.language.distributions.continuous import gamma_draw
from gradcli.language.distributions.kind import Dtype, Kind, Parameters, filled, numpy, uniform_draw
from gradcli.ops.casts import cast
from gradcli.ops.elementwise import (
    equal,
    exp,
    floor,
    greater,
    greater_equal,
    less,
    log,
    log1p,
    logical_and,
    logical_or,
    sigmoid,
    softplus,
    where,
)
from gradcli.ops.probability import discrete as probabilities
from gradcli.ops.probability.counts import BINOMIAL, GEOMETRIC, POISSON
from gradcli.ops.probability.outcomes import class_draw
from gradcli.ops.reduction import total
from gradcli.ops.shape import reshaped
from gradcli.ops.softmax import log_softmax, softmax
from gradcli.ops.special import gammaln, xlog1py, xlogy

_DOUBLE = np.dtype(np.float64)
_EITHER = ("probs", "logits")

# --- of two outcomes -------------------------------------------------------------------------------------------------


def probs_of(p: Parameters) -> CoreValue:
    """The probability of success."""
    return p["probs"] if "probs" in p else sigmoid(p["logits"])


def logits_of(p: Parameters) -> CoreValue:
    """The log-odds of success."""
    return p["logits"] if "logits" in p else log(p["probs"]) - log1p(-p["probs"])


def joint(successes: CoreValue, failures: CoreValue, p: Parameters) -> CoreValue:
    """log of the probability of so many successes and failures, in one order; 0*log(0) is 0."""
    if "probs" in p:
        return xlogy(successes, p["probs"]) + xlog1py(failures, -p["probs"])
    return -successes * softplus(-p["logits"]) - failures * softplus(p["logits"])


def bernoulli_entropy(p: Parameters) -> CoreValue:
    """Entropy of one trial."""
    probs = probs_of(p)
    return -joint(probs, 1 - probs, p)


def _ways(n: CoreValue, k: CoreValue) -> CoreValue:
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)


def _on(inside: CoreValue, found: CoreValue) -> CoreValue:
    return where(inside, found, -math.inf)


def _double(x: CoreValue) -> CoreValue:
    return cast(x, _DOUBLE)


def _bernoulli_mode(p: Parameters) -> CoreValue:
    probs = probs_of(p)
    return where(equal(probs, 0.5), math.nan, cast(greater_equal(probs, 0.5), dtype_of(probs)))


def _bernoulli_draw(p: Parameters, shape: Shape, dtype: Dtype) -> CoreValue:
    return cast(less(uniform_draw(shape), probs_of(p)), dtype)


BERNOULLI = Kind(
    "Bernoulli",
    {"probs": SHARE, "logits": REAL},
    BOOLEAN,
    lambda p, k: _on(logical_or(equal(k, 0), equal(k, 1)), joint(k, 1 - k, p)),
    _bernoulli_draw,
    {
        "probs": probs_of,
        "logits": logits_of,
        "mean": probs_of,
        "variance": lambda p: probs_of(p) * (1 - probs_of(p)),
        "mode": _bernoulli_mode,
    },
    smooth=False,
    alternatives=_EITHER,
    entropy=bernoulli_entropy,
)


def _binomial_log_prob(p: Parameters, k: CoreValue) -> CoreValue:
    n = p["total_count"]
    return _on(_whole_below(k, n), _ways(n, k) + joint(k, n - k, p))


def _whole_below(k: CoreValue, n: CoreValue) -> CoreValue:
    return logical_and(_whole(k), greater_equal(n, k))


def _whole(k: CoreValue) -> CoreValue:
    return logical_and(greater_equal(k, 0), equal(floor(k), k))


def _binomial_draw(p: Parameters, shape: Shape, dtype: Dtype) -> CoreValue:
    return cast(bind(BINOMIAL, uniform_draw(shape), _double(p["total_count"]), _double(probs_of(p))), dtype)


def _binomial_mode(p: Parameters) -> CoreValue:
    n = p["total_count"]
    found = floor((n + 1) * probs_of(p))
    return where(greater(found, n), n, found)


def _up_to_count(p: Parameters) -> Constraint:
    return whole_up_to(p["total_count"])


BINOMIAL_KIND = Kind(
    "Binomial",
    {"total_count": WHOLE, "probs": SHARE, "logits": REAL},
    _up_to_count,
    _binomial_log_prob,
    _binomial_draw,
    {
        "probs": probs_of,
        "logits": logits_of,
        "mean": lambda p: p["total_count"] * probs_of(p),
        "variance": lambda p: p["total_count"] * probs_of(p) * (1 - probs_of(p)),
        "mode": _binomial_mode,
    },
    smooth=False,
    defaults={"total_count": 1.0},
    alternatives=_EITHER,
)


def _geometric_draw(p: Parameters, shape: Shape, dtype: Dtype) -> CoreValue:
    return cast(bind(GEOMETRIC, uniform_draw(shape), _double(probs_of(p))) - 1, dtype)


def _odds_against(p: Parameters) -> CoreValue:
    return 1 / p["probs"] - 1 if "probs" in p else exp(-p["logits"])


GEOMETRIC_KIND = Kind(
    "Geometric",
    {"probs": SHARE, "logits": REAL},
    WHOLE,
    lambda p, k: _on(_whole(k), joint(filled(probs_of(p), 1), k, p)),
    _geometric_draw,
    {
        "probs": probs_of,
        "logits": logits_of,
        "mean": _odds_against,
        "variance": lambda p: _odds_against(p) / probs_of(p),
        "mode": lambda p: filled(probs_of(p), 0),
    },
    smooth=False,
    alternatives=_EITHER,
    entropy=lambda p: bernoulli_entropy(p) / probs_of(p),
)


def _negative_binomial_log_prob(p: Parameters, k: CoreValue) -> CoreValue:
    n = p["total_count"]
    nothing = equal(n, 0)  # of no failures PyTorch counts one way
    some = where(nothing, 1.0, n)
    ways = gammaln(k + some) - gammaln(k + 1) - gammaln(some)
    found = where(nothing, 0.0, ways) + joint(k, n, p)
    return _on(_whole(k), found)


def _odds(p: Parameters) -> CoreValue:
    return p["probs"] / (1 - p["probs"]) if "probs" in p else exp(p["logits"])


def _negative_binomial_draw(p: Parameters, shape: Shape, dtype: Dtype) -> CoreValue:
    rate = gamma_draw(p["total_count"], shape, _DOUBLE) * _double(_odds(p))
    return cast(bind(POISSON, uniform_draw(shape), rate), dtype)


def _negative_binomial_mode(p: Parameters) -> CoreValue:
    found = floor((p["total_count"] - 1) * _odds(p))
    return where(greater(found, 0), found, 0.0)


NEGATIVE_BINOMIAL = Kind(
    "NegativeBinomial",
    {"total_count": NOT_BELOW_ZERO, "probs": SHARE_BELOW_ONE, "logits": REAL},
    WHOLE,
    _negative_binomial_log_prob,
    _negative_binomial_draw,
    {
        "probs": probs_of,
        "logits": logits_of,
        "mean": lambda p: p["total_count"] * _odds(p),
        "variance": lambda p: p["total_count"] * _odds(p) * (1 + _odds(p)),
        "mode": _negative_binomial_mode,
    },
    smooth=False,
    alternatives=_EITHER,
)

POISSON_KIND = Kind(
    "Poisson",
    {"rate": NOT_NEGATIVE},
    WHOLE,
    lambda p, k: probabilities.poisson_logpmf(k, p["rate"]),
    lambda p, shape, dtype: cast(bind(POISSON, uniform_draw(shape), _double(p["rate"])), dtype),
    {"mean": lambda p: p["rate"], "variance": lambda p: p["rate"], "mode": lambda p: floor(p["rate"])},
    smooth=False,
)

# --- of several outcomes, along the last axis ------------------------------------------------------------------------


def class_probs(p: Parameters) -> CoreValue:
    """Probabilities of the classes."""
    if "logits" in p:
        return softmax(p["logits"], axis=-1)
    return p["probs"] / total(p["probs"], (-1,), True)


def class_logits(p: Parameters) -> CoreValue:
    """Logarithms of the probabilities of the classes."""
    if "logits" in p:
        return log_softmax(p["logits"], axis=-1)
    return log(p["probs"]) - log(total(p["probs"], (-1,), True))


def weighted_logits(weights: CoreValue, p: Parameters) -> CoreValue:
    """Sum of weights times the logarithms of the probabilities; 0*log(0) is 0."""
    logs = weights * class_logits(p) if "logits" in p else xlogy(weights, class_probs(p))
    return total(logs, (-1,))


def _up_to_last(p: Parameters) -> Constraint:
    return whole_up_to(_classes(p) - 1)


def _classes(p: Parameters) -> int:
    return shape_of(p["probs"] if "probs" in p else p["logits"])[-1]


def _categorical_log_prob(p: Parameters, k: CoreValue) -> CoreValue:
    index = cast(k, np.dtype(np.int64))
    if "logits" in p:
        return probabilities.categorical_logpmf(index, logits=p["logits"])
    return probabilities.categorical_logpmf(index, p["probs"])


def _without_number(p: Parameters) -> CoreValue:
    return filled(total(class_probs(p), (-1,)), math.nan)


CATEGORICAL = Kind(
    "Categorical",
    {"probs": SIMPLEX, "logits": REAL_VECTOR},
    _up_to_last,
    _categorical_log_prob,
    lambda p, shape, dtype: class_draw(class_probs(p), shape),
    {
        "probs": class_probs,
        "logits": class_logits,
        "mean": _without_number,
        "variance": _without_number,
        "mode": lambda p: numpy("argmax", class_probs(p), -1),
    },
    smooth=False,
    alternatives=_EITHER,
    parameter_axes=1,
    entropy=lambda p: -weighted_logits(class_probs(p), p),
)


def _multinomial_log_prob(p: Parameters, counts: CoreValue) -> CoreValue:
    ways = gammaln(total(counts, (-1,)) + 1) - total(gammaln(counts + 1), (-1,))
    return ways + weighted_logits(counts, p)


def _multinomial_draw(p: Parameters, shape: Shape, dtype: Dtype) -> CoreValue:
    drawn = class_draw(class_probs(p), (p["total_count"], *shape[:-1]))
    classes = np.arange(shape[-1])
    hits = equal(reshaped(drawn, (*shape_of(drawn), 1)), classes)
    return total(cast(hits, dtype), (0,))


def _counts(p: Parameters) -> Constraint:
    return counts_of(p["total_count"])


MULTINOMIAL = Kind(
    "Multinomial",
    {"probs": SIMPLEX, "logits": REAL_VECTOR},
    _counts,
    _multinomial_log_prob,
    _multinomial_draw,
    {
        "probs": class_probs,
        "logits": class_logits,
        "mean": lambda p: p["total_count"] * class_probs(p),
        "variance": lambda p: p["total_count"] * class_probs(p) * (1 - class_probs(p)),
    },
    smooth=False,
    shown=(),
    alternatives=_EITHER,
    parameter_axes=1,
    event_axes=1,
)

DISCRETE = (
    BERNOULLI,
    BINOMIAL_KIND,
    CATEGORICAL,
    GEOMETRIC_KIND,
    MULTINOMIAL,
    NEGATIVE_BINOMIAL,
    POISSON_KIND,
)
