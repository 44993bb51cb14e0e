"""Kullback-Leibler divergences between distributions of one kind, in closed form."""

from __future__ import annotations

import math
from collections.abc import Callable

from gradcli.graph.errors import NotDifferentiable
from gradcli.graph.values import CoreValue, shape_of
from gradcli.language.distributions.discrete import class_probs, joint, probs_of, weighted_logits
from gradcli.language.distributions.distribution import Distribution, Independent
from gradcli.language.distributions.kind import Parameters
from gradcli.language.distributions.vectors import column, scale_tril_of
from gradcli.ops.elementwise import absolute, exp, log, logical_or, square, where
from gradcli.ops.probability.multivariate import log_determinant_half
from gradcli.ops.reduction import total
from gradcli.ops.special import betaln, digamma, gammaln, xlogy
from gradcli.ops.triangular import solve_triangular


def _normal(p: Parameters, q: Parameters) -> CoreValue:
    ratio = square(p["scale"] / q["scale"])
    return 0.5 * (ratio + square((p["loc"] - q["loc"]) / q["scale"]) - 1 - log(ratio))


def _half_normal(p: Parameters, q: Parameters) -> CoreValue:
    ratio = square(p["scale"] / q["scale"])
    return 0.5 * (ratio - 1 - log(ratio))


def _laplace(p: Parameters, q: Parameters) -> CoreValue:
    ratio, gap = p["scale"] / q["scale"], absolute(p["loc"] - q["loc"])
    return -log(ratio) + gap / q["scale"] + ratio * exp(-gap / p["scale"]) - 1


def _uniform(p: Parameters, q: Parameters) -> CoreValue:
    outside = logical_or(q["low"] > p["low"], q["high"] < p["high"])
    return where(outside, math.inf, log((q["high"] - q["low"]) / (p["high"] - p["low"])))


def _exponential(p: Parameters, q: Parameters) -> CoreValue:
    ratio = q["rate"] / p["rate"]
    return ratio - 1 - log(ratio)


def _gamma(p: Parameters, q: Parameters) -> CoreValue:
    (a, r), (b, s) = ((x["concentration"], x["rate"]) for x in (p, q))
    return b * log(r / s) + gammaln(b) - gammaln(a) + (a - b) * digamma(a) + (s - r) * (a / r)


def _chi2(p: Parameters, q: Parameters) -> CoreValue:
    a, b = p["df"] / 2, q["df"] / 2
    return gammaln(b) - gammaln(a) + (a - b) * digamma(a)


def _beta(p: Parameters, q: Parameters) -> CoreValue:
    (a, b), (c, d) = ((x["concentration1"], x["concentration0"]) for x in (p, q))
    moved = (a - c) * digamma(a) + (b - d) * digamma(b) - (a - c + b - d) * digamma(a + b)
    return betaln(c, d) - betaln(a, b) + moved


def _dirichlet(p: Parameters, q: Parameters) -> CoreValue:
    a, b = p["concentration"], q["concentration"]
    whole = total(a, (-1,))
    ends = gammaln(whole) - gammaln(total(b, (-1,))) - total(gammaln(a) - gammaln(b), (-1,))
    return ends + total((a - b) * (digamma(a) - digamma(column(whole))), (-1,))


def _multivariate_normal(p: Parameters, q: Parameters) -> CoreValue:
    inner, outer = scale_tril_of(p), scale_tril_of(q)
    trace = total(square(solve_triangular(outer, inner, lower=True)), (-2, -1))
    gap = total(square(solve_triangular(outer, column(q["loc"] - p["loc"]), lower=True)), (-2, -1))
    ends = log_determinant_half(outer) - log_determinant_half(inner)
    return ends + 0.5 * (trace + gap - shape_of(inner)[-1])


def _bernoulli(p: Parameters, q: Parameters) -> CoreValue:
    probs = probs_of(p)
    return joint(probs, 1 - probs, p) - joint(probs, 1 - probs, q)


def _geometric(p: Parameters, q: Parameters) -> CoreValue:
    return _bernoulli(p, q) / probs_of(p)


def _categorical(p: Parameters, q: Parameters) -> CoreValue:
    probs = class_probs(p)
    return weighted_logits(probs, p) - weighted_logits(probs, q)


def _poisson(p: Parameters, q: Parameters) -> CoreValue:
    return xlogy(p["rate"], p["rate"] / q["rate"]) - (p["rate"] - q["rate"])


_FORMULAS: dict[str, Callable[[Parameters, Parameters], CoreValue]] = {
    "Bernoulli": _bernoulli,
    "Beta": _beta,
    "Categorical": _categorical,
    "Chi2": _chi2,
    "Dirichlet": _dirichlet,
    "Exponential": _exponential,
    "Gamma": _gamma,
    "Geometric": _geometric,
    "HalfNormal": _half_normal,
    "Laplace": _laplace,
    "LogNormal": _normal,
    "MultivariateNormal": _multivariate_normal,
    "Normal": _normal,
    "Poisson": _poisson,
    "Uniform": _uniform,
}


def divergence(p: Distribution, q: Distribution) -> CoreValue:
    """The divergence of p from q.

    Raises:
        NotDifferentiable: there is no formula for the two.
    """
    if isinstance(p, Independent) and isinstance(q, Independent) and p.axes == q.axes:
        return p.summed(divergence(p.base, q.base))
    if p.name != q.name or p.name not in _FORMULAS:
        raise NotDifferentiable(
            f"No KL(p || q) is implemented for p type {p.name} and q type {q.name}",
            mend="(p.log_prob(x) - q.log_prob(x)).mean() over x = p.rsample((n,)) estimates it",
        )
    return _FORMULAS[p.name](p.parameters, q.parameters)
