"""Log-densities of distributions of one number: `scipy.stats.norm.logpdf(x, loc, scale)` and its like.

They are in scipy.stats' parameters: shapes first, then `loc` and `scale`; z is (x - loc)/scale. The densities stand in
Johnson, Kotz and Balakrishnan, "Continuous Univariate Distributions" (2nd edition, 1994 and 1995).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.elementwise import greater, greater_equal, less, logical_or, where
from gradcli.ops.function import Case, Domain, Function, case
from gradcli.ops.probability.changed_variables import CUT_NORMAL, LOGNORMAL, VON_MISES, WEIBULL
from gradcli.ops.probability.gamma_and_beta import BETA, GAMMA, INVERSE_GAMMA
from gradcli.ops.probability.law import Place, place, reading
from gradcli.ops.probability.parts import between, floats, proper_only
from gradcli.ops.probability.power_tails import CAUCHY, PARETO, STUDENT
from gradcli.ops.probability.standard import (
    EXPONENTIAL,
    GUMBEL,
    HALF_NORMAL,
    LAPLACE,
    LOG_NORMAL_BELOW,
    LOGISTIC,
    NORMAL,
    NORMAL_BELOW,
    UNIFORM,
)
from gradcli.ops.registry import function
from gradcli.ops.special import ndtri

_SOURCE = "Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions (1994, 1995)"
_PLAIN = (case((3,)), case((2, 3), (3,), 1.5), case((2, 3), (2, 1), (3,)), case((), 0.25, 2.0), case((0,)))
_SHAPED = (
    case((3,), (3,)),
    case((2, 3), (3,), 0.1, (2, 1)),
    case((3,), (2, 1), (3,), (3,)),
    case((), 1.5, -0.5, 2.0),
    case((0,), 1.5),
)
_POSITIVE = (0.3, 3.0)


#: Functions of the table that read the logarithm of a law at some place, and what says the place.
PLACED: dict[str, Callable[..., Place]] = {}


def _log_density(
    name: str,
    slope: str,
    *,
    defined: str = "scale > 0",
    kinks: str = "",
    domain: Domain = (0.3, 3.0),
    cases: tuple[Case, ...] = _PLAIN,
) -> Callable[[Callable[..., Place]], Function]:
    """Declare `scipy.stats.NAME.logpdf` by what says the place of its law, of which the density is another reading;
    `slope` is its derivative by z."""

    def declare(found: Callable[..., Place]) -> Function:
        made = declared(found)
        made.call = reading(found, Place.logarithm)
        PLACED[made.name] = found
        return made

    declared = function(
        f"{name}_logpdf",
        family="probability",
        where="bare",
        also=(f"scipy.stats.{name}.logpdf",),
        derivative=f"vjp: g*d/scale, with d = {slope}, for x; -g*d/scale for loc, -g*(1 + z*d)/scale for scale",
        defined=defined,
        kinks=kinks,
        source=_SOURCE,
        domain=domain,
        cases=cases,
    )
    return declare


def _after_loc(t: CoreValue, *_: CoreValue) -> CoreValue:
    return greater_equal(t, 0)


def _far_out(t: CoreValue, scale: CoreValue, low: float = -2000.0) -> CoreValue:
    """Where exp(-|t|/scale) is 0, whatever number it is multiplied by."""
    return logical_or(less(t, low * scale), greater(t, 2000.0 * scale))


def _far_left_or_out(t: CoreValue, scale: CoreValue) -> CoreValue:
    """The same where to the left it is exp(-exp(|t|/scale))."""
    return _far_out(t, scale, -20.0)


def _beyond_loc(t: CoreValue, *_: CoreValue) -> CoreValue:
    return greater(t, 0)


@_log_density("norm", "-z", domain=((-2.0, 2.0), (-1.0, 1.0), _POSITIVE))
def norm_logpdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Place:
    """Logarithm of the density of the normal distribution."""
    return place(NORMAL, "norm.logpdf", x, loc, scale, nothing=_far_out)


@_log_density("laplace", "-sign(z)", kinks="x = loc: 0", domain=((-2.0, 2.0), (-1.0, 1.0), _POSITIVE))
def laplace_logpdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Place:
    """Logarithm of the density of the Laplace distribution."""
    return place(LAPLACE, "laplace.logpdf", x, loc, scale, nothing=_far_out)


@_log_density(
    "logistic",
    "-tanh(z/2)",
    domain=((-2.0, 2.0), (-1.0, 1.0), _POSITIVE),
)
def logistic_logpdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Place:
    """Logarithm of the density of the logistic distribution."""
    return place(LOGISTIC, "logistic.logpdf", x, loc, scale, nothing=_far_out)


@_log_density("cauchy", "-2*z/(1 + z**2)", domain=((-2.0, 2.0), (-1.0, 1.0), _POSITIVE))
def cauchy_logpdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Place:
    """Logarithm of the density of the Cauchy distribution."""
    return place(CAUCHY, "cauchy.logpdf", x, loc, scale)


@_log_density("gumbel_r", "exp(-z) - 1", domain=((-2.0, 2.0), (-1.0, 1.0), _POSITIVE))
def gumbel_r_logpdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Place:
    """Logarithm of the density of the Gumbel distribution of largest values."""
    return place(GUMBEL, "gumbel_r.logpdf", x, loc, scale, nothing=_far_left_or_out)


_AFTER_LOC = "(scale > 0) & (x > loc)"


@_log_density("expon", "-1", defined=_AFTER_LOC, domain=((1.0, 3.0), (-1.0, 0.5), _POSITIVE))
def expon_logpdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Place:
    """Logarithm of the density of the exponential distribution."""
    return place(EXPONENTIAL, "expon.logpdf", x, loc, scale, inside=_after_loc, nothing=_far_out)


@_log_density("halfnorm", "-z", defined=_AFTER_LOC, domain=((1.0, 3.0), (-1.0, 0.5), _POSITIVE))
def halfnorm_logpdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Place:
    """Logarithm of the density of the half-normal distribution."""
    return place(HALF_NORMAL, "halfnorm.logpdf", x, loc, scale, inside=_after_loc, nothing=_far_out)


@_log_density("halfcauchy", "-2*z/(1 + z**2)", defined=_AFTER_LOC, domain=((1.0, 3.0), (-1.0, 0.5), _POSITIVE))
def halfcauchy_logpdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Place:
    """Logarithm of the density of the half-Cauchy distribution."""
    return place(CAUCHY, "halfcauchy.logpdf", x, loc, scale, inside=_after_loc, weight=2.0)


@_log_density(
    "uniform",
    "0",
    defined="(scale > 0) & (x > loc) & (x < loc + scale)",
    kinks="at the ends the density jumps; 0 from inside",
    domain=((0.5, 1.0), (-0.5, 0.4), (2.0, 3.0)),
)
def uniform_logpdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> Place:
    """Logarithm of the density of the uniform distribution from loc to loc + scale."""
    return place(UNIFORM, "uniform.logpdf", x, loc, scale, inside=lambda t, scale: between(t, 0, scale))


# --- with one shape or more ------------------------------------------------------------------------------------------


@_log_density("t", "-(df + 1)*z/(df + z**2)", domain=((-2.0, 2.0), _POSITIVE, (-1.0, 1.0), _POSITIVE), cases=_SHAPED)
def t_logpdf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Place:
    """Logarithm of the density of Student's t distribution with df degrees of freedom."""
    return place(STUDENT, "t.logpdf", x, loc, scale, df)


_AT_THE_END = "x = loc: the slope from inside"
_BEYOND = ((1.0, 3.0), _POSITIVE, (-1.0, 0.5), _POSITIVE)


@_log_density(
    "gamma", "(a - 1)/z - 1", kinks=_AT_THE_END, defined="(a > 0) & " + _AFTER_LOC, domain=_BEYOND, cases=_SHAPED
)
def gamma_logpdf(x: Any, a: Any, loc: Any = 0.0, scale: Any = 1.0) -> Place:
    """Logarithm of the density of the gamma distribution with shape a."""
    return place(GAMMA, "gamma.logpdf", x, loc, scale, a, inside=_after_loc)


@_log_density("invgamma", "1/z**2 - (a + 1)/z", defined="(a > 0) & " + _AFTER_LOC, domain=_BEYOND, cases=_SHAPED)
def invgamma_logpdf(x: Any, a: Any, loc: Any = 0.0, scale: Any = 1.0) -> Place:
    """Logarithm of the density of the reciprocal of a gamma variate with shape a."""
    return place(INVERSE_GAMMA, "invgamma.logpdf", x, loc, scale, a, inside=_beyond_loc)


@_log_density(
    "chi2", "(df/2 - 1)/z - 1/2", kinks=_AT_THE_END, defined="(df > 0) & " + _AFTER_LOC, domain=_BEYOND, cases=_SHAPED
)
def chi2_logpdf(x: Any, df: Any, loc: Any = 0.0, scale: Any = 1.0) -> Place:
    """Logarithm of the density of the chi-squared distribution with df degrees of freedom."""
    x, df, loc, scale = floats("chi2.logpdf", x, df, loc, scale)
    return place(GAMMA, "chi2.logpdf", x, loc, 2 * scale, df / 2, inside=_after_loc)


@_log_density(
    "beta",
    "(a - 1)/z - (b - 1)/(1 - z)",
    kinks="at the ends: the slope from inside",
    defined="(a > 0) & (b > 0) & (scale > 0) & (x > loc) & (x < loc + scale)",
    domain=((0.2, 0.8), _POSITIVE, _POSITIVE, (-0.1, 0.1), (1.0, 2.0)),
    cases=(
        case((3,), (3,), (3,)),
        case((2, 3), 1.5, (3,)),
        case((2, 3), (3,), 0.75, (2, 1), (3,)),
        case((), 1.0, 1.0),
        case((0,), 1.5, 2.0),
    ),
)
def beta_logpdf(x: Any, a: Any, b: Any, loc: Any = 0.0, scale: Any = 1.0) -> Place:
    """Logarithm of the density of the beta distribution."""
    return place(BETA, "beta.logpdf", x, loc, scale, a, b, inside=lambda t, scale, a, b: between(t, 0, scale))


@_log_density("lognorm", "-(1 + log(z)/s**2)/z", defined="(s > 0) & " + _AFTER_LOC, domain=_BEYOND, cases=_SHAPED)
def lognorm_logpdf(x: Any, s: Any, loc: Any = 0.0, scale: Any = 1.0) -> Place:
    """Logarithm of the density of exp(s*u), u normal."""
    return place(LOGNORMAL, "lognorm.logpdf", x, loc, scale, s, inside=_beyond_loc)


@_log_density(
    "pareto",
    "-(b + 1)/z",
    defined="(b > 0) & (scale > 0) & (x > loc + scale)",
    domain=((3.0, 5.0), _POSITIVE, (-1.0, 0.5), (0.5, 1.5)),
    cases=_SHAPED[:4],
)
def pareto_logpdf(x: Any, b: Any, loc: Any = 0.0, scale: Any = 1.0) -> Place:
    """Logarithm of the density of the Pareto distribution with exponent b."""
    return place(PARETO, "pareto.logpdf", x, loc, scale, b, inside=lambda t, scale, b: greater_equal(t, scale), off=2.0)


@_log_density(
    "weibull_min",
    "(c - 1)/z - c*z**(c - 1)",
    kinks=_AT_THE_END,
    defined=_AFTER_LOC,
    domain=_BEYOND,
    cases=_SHAPED,
)
def weibull_min_logpdf(x: Any, c: Any, loc: Any = 0.0, scale: Any = 1.0) -> Place:
    """Logarithm of the density of the Weibull distribution of smallest values, with shape c."""
    return place(WEIBULL, "weibull_min.logpdf", x, loc, scale, c, inside=_after_loc)


@_log_density(
    "vonmises",
    "-kappa*sin(z)",
    kinks="kappa = 0: 0, the limit",
    domain=((-2.0, 2.0), _POSITIVE, (-1.0, 1.0), _POSITIVE),
    cases=_SHAPED,
)
def vonmises_logpdf(x: Any, kappa: Any, loc: Any = 0.0, scale: Any = 1.0) -> Place:
    """Logarithm of the density of the von Mises distribution on the circle, with concentration kappa."""
    return place(VON_MISES, "vonmises.logpdf", x, loc, scale, kappa, proper=lambda kappa: greater_equal(kappa, 0))


@_log_density(
    "truncnorm",
    "-z",
    defined="(scale > 0) & (x > loc + a*scale) & (x < loc + b*scale)",
    kinks="at the ends the density jumps; the derivative from inside",
    domain=((-0.5, 0.5), (-2.0, -1.5), (1.5, 3.0), (-0.2, 0.2), (1.0, 2.0)),
    cases=(case((3,), (3,), (3,)), case((2, 3), -1.5, (3,), (3,), (2, 1)), case((2,), 3.0, 5.0, -4.0)),
)
def truncnorm_logpdf(x: Any, a: Any, b: Any, loc: Any = 0.0, scale: Any = 1.0) -> Place:
    """Logarithm of the density of the normal distribution cut off at a and b, in units of scale from loc."""
    x, a, b, loc, scale = floats("truncnorm.logpdf", x, a, b, loc, scale)
    t, right = x - loc, greater(a, 0)  # turned round, so that the law is on the side of its smaller tail
    low, high = where(right, -b, a), where(right, -a, b)
    t = where(right, -t, t)

    def inside(t: CoreValue, scale: CoreValue, low: CoreValue, high: CoreValue) -> CoreValue:
        return between(t / scale, low, high)

    return place(CUT_NORMAL, "truncnorm.logpdf", t, 0.0, scale, low, high, inside=inside, proper=less)


# --- the normal distribution function --------------------------------------------------------------------------------

_CENTRED: Domain = ((-2.0, 2.0), (-1.0, 1.0), _POSITIVE)


def _normal(
    name: str, derivative: str, *, cases: tuple[Case, ...] = _PLAIN
) -> Callable[[Callable[..., CoreValue]], Function]:
    """Declare `scipy.stats.norm.NAME`."""
    return function(
        f"norm_{name}",
        family="probability",
        where="bare",
        also=(f"scipy.stats.norm.{name}",),
        derivative=f"vjp: g*d/scale, with d = {derivative}, for x; -g*d/scale for loc, -g*z*d/scale for scale",
        defined="scale > 0",
        domain=_CENTRED,
        cases=cases,
    )


def _at_normal(op: Op, name: str, x: Any, loc: Any, scale: Any, turned: bool = False) -> CoreValue:
    """A function of the distance from loc, or of the opposite of that, and of the scale."""
    x, loc, scale = floats(name, x, loc, scale)
    return proper_only(bind(op, loc - x if turned else x - loc, scale), greater(scale, 0))


@_normal("cdf", "the density at z")
def norm_cdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> CoreValue:
    """Distribution function of the normal distribution."""
    return _at_normal(NORMAL_BELOW, "norm.cdf", x, loc, scale)


@_normal("sf", "minus the density at z")
def norm_sf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> CoreValue:
    """1 - the distribution function of the normal distribution, exact for large x."""
    return _at_normal(NORMAL_BELOW, "norm.sf", x, loc, scale, turned=True)


#: Far to the one side the density and the distribution function are both nothing, and their quotient is not.
_FAR = (*_PLAIN, case(np.array([-60.0, 40.0, 0.5]), 0.25, 0.5))


@_normal("logcdf", "the density at z over the distribution function there", cases=_FAR)
def norm_logcdf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> CoreValue:
    """Logarithm of the distribution function of the normal distribution."""
    return _at_normal(LOG_NORMAL_BELOW, "norm.logcdf", x, loc, scale)


@_normal("logsf", "minus the density at z over 1 - the distribution function there", cases=_FAR)
def norm_logsf(x: Any, loc: Any = 0.0, scale: Any = 1.0) -> CoreValue:
    """Logarithm of 1 - the distribution function of the normal distribution."""
    return _at_normal(LOG_NORMAL_BELOW, "norm.logsf", x, loc, scale, turned=True)


@function(
    "norm_ppf",
    family="probability",
    where="bare",
    also=("scipy.stats.norm.ppf",),
    derivative="vjp: g*scale over the density at z, the normal quantile, for q; g for loc, g*z for scale",
    defined="(q > 0) & (q < 1) & (scale > 0)",
    domain=((0.05, 0.95), (-1.0, 1.0), _POSITIVE),
    cases=_PLAIN[:3],
)
def norm_ppf(q: Any, loc: Any = 0.0, scale: Any = 1.0) -> CoreValue:
    """Quantiles of the normal distribution: the inverse of its distribution function."""
    q, loc, scale = floats("norm.ppf", q, loc, scale)
    return proper_only(loc + scale * ndtri(q), greater(scale, 0))
