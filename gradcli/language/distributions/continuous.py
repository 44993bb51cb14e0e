"""Continuous distributions of one number. Log-densities are those of scipy.stats in PyTorch's parameters.

Means, variances and entropies stand in Johnson, Kotz and Balakrishnan, "Continuous Univariate Distributions"
(1994, 1995).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcli.graph.values import CoreValue, Shape
from gradcli.language.distributions.constraints import (
    NOT_NEGATIVE,
    POSITIVE,
    REAL,
    SHARE,
    Constraint,
    at_least,
    below,
    between,
)
from gradcli.language.distributions.kind import Dtype, Kind, Parameters, filled, standard, uniform_draw
from gradcli.ops.casts import cast
from gradcli.ops.elementwise import (
    absolute,
    arctan,
    clip,
    exp,
    expm1,
    greater,
    greater_equal,
    less,
    log,
    log1p,
    logical_and,
    maximum,
    sign,
    sqrt,
    square,
    tan,
    where,
)
from gradcli.ops.probability import continuous as densities
from gradcli.ops.probability.parts import LOG_2, LOG_2PI, LOG_PI
from gradcli.ops.probability.sampling import CAUCHY, EXPONENTIAL, GUMBEL, LAPLACE
from gradcli.ops.random import RAND, RANDN
from gradcli.ops.special import betaln, digamma, gammainc, gammaln, i0e, i1e, ndtr, ndtri
from gradcli.ops.special.incomplete_gamma import gammaincinv

_EULER = float(np.euler_gamma)
_LOCATED = {"loc": REAL, "scale": POSITIVE}


def _z(p: Parameters, x: CoreValue) -> CoreValue:
    return (x - p["loc"]) / p["scale"]


def gamma_draw(shape_parameter: CoreValue, shape: Shape, dtype: Dtype) -> CoreValue:
    """Gamma variates of rate 1: where the distribution function is a uniform draw, in double precision."""
    found = gammaincinv(cast(shape_parameter, np.dtype(np.float64)), uniform_draw(shape))
    return cast(maximum(found, float(np.finfo(dtype).tiny)), dtype)


def _located_draw(op: Any) -> Any:
    return lambda p, shape, dtype: p["loc"] + p["scale"] * standard(op, shape, dtype)


def _of(name: str) -> Any:
    return lambda p: p[name]


def _constant(value: float, like: str) -> Any:
    return lambda p: filled(p[like], value)


NORMAL = Kind(
    "Normal",
    _LOCATED,
    REAL,
    lambda p, x: densities.norm_logpdf(x, p["loc"], p["scale"]),
    _located_draw(RANDN),
    {"mean": _of("loc"), "stddev": _of("scale"), "variance": lambda p: square(p["scale"]), "mode": _of("loc")},
    entropy=lambda p: 0.5 + 0.5 * LOG_2PI + log(p["scale"]),
    cdf=lambda p, x: ndtr(_z(p, x)),
    icdf=lambda p, q: p["loc"] + p["scale"] * ndtri(q),
)

LOG_NORMAL = Kind(
    "LogNormal",
    _LOCATED,
    POSITIVE,
    lambda p, x: NORMAL.log_prob(p, log(x)) - log(x),
    lambda p, shape, dtype: exp(NORMAL.draw(p, shape, dtype)),
    {
        "mean": lambda p: exp(p["loc"] + square(p["scale"]) / 2),
        "variance": lambda p: expm1(square(p["scale"])) * exp(2 * p["loc"] + square(p["scale"])),
        "mode": lambda p: exp(p["loc"] - square(p["scale"])),
    },
    shown=(),
    entropy=lambda p: 0.5 + 0.5 * LOG_2PI + log(p["scale"]) + p["loc"],
    cdf=lambda p, x: ndtr((log(x) - p["loc"]) / p["scale"]),
    icdf=lambda p, q: exp(p["loc"] + p["scale"] * ndtri(q)),
)


def _uniform_log_prob(p: Parameters, x: CoreValue) -> CoreValue:
    inside = logical_and(greater_equal(x, p["low"]), less(x, p["high"]))
    return where(inside, -log(p["high"] - p["low"]), -math.inf)


UNIFORM = Kind(
    "Uniform",
    {"low": lambda p: below(p["high"]), "high": REAL},
    lambda p: between(p["low"], p["high"]),
    _uniform_log_prob,
    lambda p, shape, dtype: p["low"] + standard(RAND, shape, dtype) * (p["high"] - p["low"]),
    {
        "mean": lambda p: (p["high"] + p["low"]) / 2,
        "stddev": lambda p: (p["high"] - p["low"]) / math.sqrt(12),
        "variance": lambda p: square(p["high"] - p["low"]) / 12,
        "mode": _constant(math.nan, "high"),
    },
    entropy=lambda p: log(p["high"] - p["low"]),
    cdf=lambda p, x: clip((x - p["low"]) / (p["high"] - p["low"]), 0, 1),
    icdf=lambda p, q: q * (p["high"] - p["low"]) + p["low"],
)

EXPONENTIAL_KIND = Kind(
    "Exponential",
    {"rate": POSITIVE},
    NOT_NEGATIVE,
    lambda p, x: log(p["rate"]) - p["rate"] * x,
    lambda p, shape, dtype: standard(EXPONENTIAL, shape, dtype) / p["rate"],
    {
        "mean": lambda p: 1 / p["rate"],
        "stddev": lambda p: 1 / p["rate"],
        "variance": lambda p: 1 / square(p["rate"]),
        "mode": _constant(0, "rate"),
    },
    entropy=lambda p: 1 - log(p["rate"]),
    cdf=lambda p, x: -expm1(-p["rate"] * x),
    icdf=lambda p, q: -log1p(-q) / p["rate"],
)


def _laplace_cdf(p: Parameters, x: CoreValue) -> CoreValue:
    z = _z(p, x)
    return 0.5 - 0.5 * sign(z) * expm1(-absolute(z))


def _laplace_icdf(p: Parameters, q: CoreValue) -> CoreValue:
    side = q - 0.5
    return p["loc"] - p["scale"] * sign(side) * log1p(-2 * absolute(side))


LAPLACE_KIND = Kind(
    "Laplace",
    _LOCATED,
    REAL,
    lambda p, x: densities.laplace_logpdf(x, p["loc"], p["scale"]),
    _located_draw(LAPLACE),
    {
        "mean": _of("loc"),
        "mode": _of("loc"),
        "variance": lambda p: 2 * square(p["scale"]),
        "stddev": lambda p: math.sqrt(2) * p["scale"],
    },
    entropy=lambda p: 1 + LOG_2 + log(p["scale"]),
    cdf=_laplace_cdf,
    icdf=_laplace_icdf,
)


def _gamma_log_prob(p: Parameters, x: CoreValue) -> CoreValue:
    return densities.gamma_logpdf(p["rate"] * x, p["concentration"]) + log(p["rate"])


def _gamma_entropy(p: Parameters) -> CoreValue:
    a = p["concentration"]
    return a - log(p["rate"]) + gammaln(a) + (1 - a) * digamma(a)


GAMMA = Kind(
    "Gamma",
    {"concentration": POSITIVE, "rate": POSITIVE},
    NOT_NEGATIVE,
    _gamma_log_prob,
    lambda p, shape, dtype: gamma_draw(p["concentration"], shape, dtype) / p["rate"],
    {
        "mean": lambda p: p["concentration"] / p["rate"],
        "variance": lambda p: p["concentration"] / square(p["rate"]),
        "mode": lambda p: maximum((p["concentration"] - 1) / p["rate"], 0.0),
    },
    entropy=_gamma_entropy,
    cdf=lambda p, x: gammainc(p["concentration"], p["rate"] * x),
    icdf=None,
)


def _as_gamma(p: Parameters) -> Parameters:
    return {"concentration": p["df"] / 2, "rate": filled(p["df"], 0.5)}


CHI2 = Kind(
    "Chi2",
    {"df": POSITIVE},
    NOT_NEGATIVE,
    lambda p, x: densities.chi2_logpdf(x, p["df"]),
    lambda p, shape, dtype: 2 * gamma_draw(p["df"] / 2, shape, dtype),
    {
        "mean": _of("df"),
        "variance": lambda p: 2 * p["df"],
        "mode": lambda p: maximum(p["df"] - 2, 0.0),
        "concentration": lambda p: p["df"] / 2,
        "rate": _constant(0.5, "df"),
    },
    shown=(),
    entropy=lambda p: _gamma_entropy(_as_gamma(p)),
    cdf=lambda p, x: gammainc(p["df"] / 2, x / 2),
)


def _inverse_gamma_log_prob(p: Parameters, x: CoreValue) -> CoreValue:
    return densities.invgamma_logpdf(x, p["concentration"], 0.0, p["rate"])


def _inverse_gamma_variance(p: Parameters) -> CoreValue:
    a, rate = p["concentration"], p["rate"]
    return _beyond(a, 2, lambda a: square(rate) / (square(a - 1) * (a - 2)))


def _beyond(a: CoreValue, least: float, moment: Any) -> CoreValue:
    """A moment that is infinite unless a shape is above a number; no nan comes through from there."""
    there = greater(a, least)
    return where(there, moment(where(there, a, least + 1.0)), math.inf)


INVERSE_GAMMA = Kind(
    "InverseGamma",
    {"concentration": POSITIVE, "rate": POSITIVE},
    POSITIVE,
    _inverse_gamma_log_prob,
    lambda p, shape, dtype: p["rate"] / gamma_draw(p["concentration"], shape, dtype),
    {
        "mean": lambda p: _beyond(p["concentration"], 1, lambda a: p["rate"] / (a - 1)),
        "variance": _inverse_gamma_variance,
        "mode": lambda p: p["rate"] / (p["concentration"] + 1),
    },
    shown=(),
    entropy=lambda p: (
        p["concentration"]
        + log(p["rate"])
        + gammaln(p["concentration"])
        - (1 + p["concentration"]) * digamma(p["concentration"])
    ),
)


def _beta_draw(p: Parameters, shape: Shape, dtype: Dtype) -> CoreValue:
    first = gamma_draw(p["concentration1"], shape, dtype)
    return first / (first + gamma_draw(p["concentration0"], shape, dtype))


def _beta_variance(p: Parameters) -> CoreValue:
    a, b = p["concentration1"], p["concentration0"]
    return a * b / (square(a + b) * (a + b + 1))


def _beta_mode(p: Parameters) -> CoreValue:
    first, last = (maximum(p[name] - 1, 0.0) for name in ("concentration1", "concentration0"))
    return first / (first + last)


def _beta_entropy(p: Parameters) -> CoreValue:
    a, b = p["concentration1"], p["concentration0"]
    return betaln(a, b) - (a - 1) * digamma(a) - (b - 1) * digamma(b) + (a + b - 2) * digamma(a + b)


BETA = Kind(
    "Beta",
    {"concentration1": POSITIVE, "concentration0": POSITIVE},
    SHARE,
    lambda p, x: densities.beta_logpdf(x, p["concentration1"], p["concentration0"]),
    _beta_draw,
    {
        "mean": lambda p: p["concentration1"] / (p["concentration1"] + p["concentration0"]),
        "variance": _beta_variance,
        "mode": _beta_mode,
    },
    shown=(),
    entropy=_beta_entropy,
)


def _t_draw(p: Parameters, shape: Shape, dtype: Dtype) -> CoreValue:
    half = p["df"] / 2
    z = standard(RANDN, shape, dtype) * sqrt(half / gamma_draw(half, shape, dtype))
    return p["loc"] + p["scale"] * z


def _t_variance(p: Parameters) -> CoreValue:
    df, scale = p["df"], p["scale"]
    found = _beyond(df, 2, lambda df: square(scale) * (df / (df - 2)))
    return where(greater(df, 1), found, math.nan)


def _t_entropy(p: Parameters) -> CoreValue:
    half = p["df"] / 2
    spread = (half + 0.5) * (digamma(half + 0.5) - digamma(half)) + 0.5 * log(p["df"])
    return log(p["scale"]) + spread + betaln(half, 0.5)


STUDENT_T = Kind(
    "StudentT",
    {"df": POSITIVE, "loc": REAL, "scale": POSITIVE},
    REAL,
    lambda p, x: densities.t_logpdf(x, p["df"], p["loc"], p["scale"]),
    _t_draw,
    {
        "mean": lambda p: where(greater(p["df"], 1), p["loc"], math.nan),
        "variance": _t_variance,
        "mode": _of("loc"),
    },
    defaults={"loc": 0.0, "scale": 1.0},
    entropy=_t_entropy,
)

CAUCHY_KIND = Kind(
    "Cauchy",
    _LOCATED,
    REAL,
    lambda p, x: densities.cauchy_logpdf(x, p["loc"], p["scale"]),
    _located_draw(CAUCHY),
    {"mean": _constant(math.nan, "loc"), "variance": _constant(math.inf, "loc"), "mode": _of("loc")},
    entropy=lambda p: LOG_PI + 2 * LOG_2 + log(p["scale"]),
    cdf=lambda p, x: arctan(_z(p, x)) / math.pi + 0.5,
    icdf=lambda p, q: p["loc"] + p["scale"] * tan(math.pi * (q - 0.5)),
)

GUMBEL_KIND = Kind(
    "Gumbel",
    _LOCATED,
    REAL,
    lambda p, x: densities.gumbel_r_logpdf(x, p["loc"], p["scale"]),
    _located_draw(GUMBEL),
    {
        "mean": lambda p: p["loc"] + p["scale"] * _EULER,
        "stddev": lambda p: math.pi / math.sqrt(6) * p["scale"],
        "variance": lambda p: math.pi**2 / 6 * square(p["scale"]),
        "mode": _of("loc"),
    },
    entropy=lambda p: log(p["scale"]) + (1 + _EULER),
    cdf=lambda p, x: exp(-exp(-_z(p, x))),
    icdf=lambda p, q: p["loc"] - p["scale"] * log(-log(q)),
)

HALF_NORMAL = Kind(
    "HalfNormal",
    {"scale": POSITIVE},
    NOT_NEGATIVE,
    lambda p, x: densities.halfnorm_logpdf(x, 0.0, p["scale"]),
    lambda p, shape, dtype: p["scale"] * absolute(standard(RANDN, shape, dtype)),
    {
        "mean": lambda p: p["scale"] * math.sqrt(2 / math.pi),
        "variance": lambda p: square(p["scale"]) * (1 - 2 / math.pi),
        "mode": _constant(0, "scale"),
    },
    shown=(),
    entropy=lambda p: 0.5 + 0.5 * LOG_2PI - LOG_2 + log(p["scale"]),
    cdf=lambda p, x: 2 * ndtr(x / p["scale"]) - 1,
    icdf=lambda p, q: p["scale"] * ndtri((q + 1) / 2),
)

HALF_CAUCHY = Kind(
    "HalfCauchy",
    {"scale": POSITIVE},
    NOT_NEGATIVE,
    lambda p, x: densities.halfcauchy_logpdf(x, 0.0, p["scale"]),
    lambda p, shape, dtype: p["scale"] * absolute(standard(CAUCHY, shape, dtype)),
    {"mean": _constant(math.inf, "scale"), "variance": _constant(math.inf, "scale"), "mode": _constant(0, "scale")},
    shown=(),
    entropy=lambda p: LOG_PI + LOG_2 + log(p["scale"]),
    cdf=lambda p, x: 2 / math.pi * arctan(x / p["scale"]),
    icdf=lambda p, q: p["scale"] * tan(math.pi / 2 * q),
)


def _from_scale(p: Parameters) -> Constraint:
    return at_least(p["scale"])


def _pareto_variance(p: Parameters) -> CoreValue:
    return _beyond(p["alpha"], 2, lambda a: square(p["scale"]) * a / (square(a - 1) * (a - 2)))


PARETO = Kind(
    "Pareto",
    {"scale": POSITIVE, "alpha": POSITIVE},
    _from_scale,
    lambda p, x: densities.pareto_logpdf(x, p["alpha"], 0.0, p["scale"]),
    lambda p, shape, dtype: p["scale"] * exp(standard(EXPONENTIAL, shape, dtype) / p["alpha"]),
    {
        "mean": lambda p: _beyond(p["alpha"], 1, lambda a: a * p["scale"] / (a - 1)),
        "variance": _pareto_variance,
        "mode": _of("scale"),
    },
    shown=("alpha", "scale"),
    entropy=lambda p: log(p["scale"] / p["alpha"]) + 1 + 1 / p["alpha"],
    cdf=lambda p, x: -expm1(-p["alpha"] * log(x / p["scale"])),
    icdf=lambda p, q: p["scale"] * exp(-log1p(-q) / p["alpha"]),
)


def _weibull_mean(p: Parameters) -> CoreValue:
    return p["scale"] * exp(gammaln(1 + 1 / p["concentration"]))


def _weibull_variance(p: Parameters) -> CoreValue:
    once, twice = (gammaln(1 + n / p["concentration"]) for n in (1, 2))
    return square(p["scale"]) * exp(2 * once) * expm1(twice - 2 * once)


def _weibull_mode(p: Parameters) -> CoreValue:
    there = greater(p["concentration"], 1)
    k = where(there, p["concentration"], 2.0)
    return where(there, p["scale"] * ((k - 1) / k) ** (1 / k), 0.0)


WEIBULL = Kind(
    "Weibull",
    {"scale": POSITIVE, "concentration": POSITIVE},
    POSITIVE,
    lambda p, x: densities.weibull_min_logpdf(x, p["concentration"], 0.0, p["scale"]),
    lambda p, shape, dtype: p["scale"] * exp(log(standard(EXPONENTIAL, shape, dtype)) / p["concentration"]),
    {"mean": _weibull_mean, "variance": _weibull_variance, "mode": _weibull_mode},
    entropy=lambda p: _EULER * (1 - 1 / p["concentration"]) + log(p["scale"] / p["concentration"]) + 1,
    cdf=lambda p, x: -expm1(-exp(p["concentration"] * log(x / p["scale"]))),
    icdf=lambda p, q: p["scale"] * exp(log(-log1p(-q)) / p["concentration"]),
)


def _von_mises_draw(p: Parameters, shape: Shape, dtype: Dtype) -> CoreValue:
    """Where the distribution function passes a uniform draw has no closed form: NumPy's rejection sampling."""
    from gradcli.graph.values import concrete
    from gradcli.ops.random import generator

    drawn = generator().vonmises(concrete(p["loc"]), concrete(p["concentration"]), shape)
    return np.asarray(drawn).astype(dtype)


VON_MISES = Kind(
    "VonMises",
    {"loc": REAL, "concentration": POSITIVE},
    REAL,
    lambda p, x: densities.vonmises_logpdf(x, p["concentration"], p["loc"]),
    _von_mises_draw,
    {
        "mean": _of("loc"),
        "mode": _of("loc"),
        "variance": lambda p: 1 - i1e(p["concentration"]) / i0e(p["concentration"]),
    },
    smooth=False,
)

#: In the order of their names in PyTorch's documentation.
CONTINUOUS = (
    BETA,
    CAUCHY_KIND,
    CHI2,
    EXPONENTIAL_KIND,
    GAMMA,
    GUMBEL_KIND,
    HALF_CAUCHY,
    HALF_NORMAL,
    INVERSE_GAMMA,
    LAPLACE_KIND,
    LOG_NORMAL,
    NORMAL,
    PARETO,
    STUDENT_T,
    UNIFORM,
    VON_MISES,
    WEIBULL,
)
