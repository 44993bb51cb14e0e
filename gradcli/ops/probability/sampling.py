"""Random numbers through which derivatives pass: a standard draw, which is a constant, moved by the parameters.

Where a distribution has a location and a scale, or is a function of a draw, the derivative is that of the function
(Kingma and Welling, "Auto-encoding variational Bayes", 2014). A gamma variate has none that is simple: it moves with
its shape so that its distribution function stays where it was (Figurnov, Mohamed and Mnih, "Implicit reparameterization
gradients", 2018), and beta, Dirichlet, chi-squared and t variates are made of gamma ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ShapeError
from gradcli.graph.op import Op
from gradcli.graph.state import state
from gradcli.graph.values import CoreValue, Shape, Spec, shape_of
from gradcli.ops.cholesky import cholesky
from gradcli.ops.constructors import checked_sizes
from gradcli.ops.elementwise import exp, expm1, log, sqrt
from gradcli.ops.function import Case, Domain, Function, case
from gradcli.ops.kinds import broadcast_shape, constant, fits
from gradcli.ops.matrices import positive_sample
from gradcli.ops.probability.parts import real
from gradcli.ops.products import times
from gradcli.ops.random import RAND, RANDN, generator
from gradcli.ops.reduction import total
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped
from gradcli.ops.special.incomplete_gamma import gammaincinv

_SOURCE = "Kingma and Welling, Auto-encoding variational Bayes (2014)"
_SCALED = (case((2, 3), (3,)), case(0.5, 2.0, [2, 3]), case(), case(0.0, 1.0, 3))
_POSITIVE = (0.3, 3.0)


def _spec(*, shape: Shape, dtype: np.dtype[Any]) -> Spec:
    return Spec(shape, dtype)


def _standard(name: str, draw: Callable[[np.random.Generator, Shape], Any], doc: str) -> Op:
    """Declare an op that draws numbers of a distribution without parameters."""
    return constant(
        f"standard_{name}",
        lambda *, shape, dtype: np.asarray(draw(generator(), shape)).astype(dtype),
        _spec,
        doc=doc,
    )


EXPONENTIAL = _standard("exponential", lambda g, n: g.standard_exponential(n), "Exponential random numbers of mean 1.")
LAPLACE = _standard("laplace", lambda g, n: g.laplace(size=n), "Laplace random numbers of scale 1.")
LOGISTIC = _standard("logistic", lambda g, n: g.logistic(size=n), "Logistic random numbers of scale 1.")
GUMBEL = _standard("gumbel", lambda g, n: g.gumbel(size=n), "Gumbel random numbers of scale 1.")
CAUCHY = _standard("cauchy", lambda g, n: g.standard_cauchy(n), "Cauchy random numbers of scale 1.")


def drawn(op: Op, name: str, size: Any, *parameters: CoreValue) -> CoreValue:
    """A draw of the size given, or else of the shape of the parameters together."""
    if size is None:
        shape = broadcast_shape(name, *(shape_of(p) for p in parameters))
    else:
        shape = checked_sizes(name, (size,))
        expect_fit(name, shape, *parameters)
    return bind(op, shape=shape, dtype=state.default_float)


def expect_fit(name: str, shape: Shape, *parameters: CoreValue) -> None:
    """Refuse a size that the parameters don't broadcast to.

    Raises:
        ShapeError: they don't.
    """
    together = broadcast_shape(name, shape, *(shape_of(p) for p in parameters))
    if together != shape:
        raise ShapeError(f"{name}: the size {fits(shape)} can't hold parameters of shape {fits(together)}")


def _random(
    name: str,
    derivative: str,
    *,
    also: tuple[str, ...] = (),
    defined: str = "scale > 0",
    domain: Domain = _POSITIVE,
    cases: tuple[Case, ...] = _SCALED,
    source: str = _SOURCE,
) -> Callable[[Callable[..., CoreValue]], Function]:
    """Declare `numpy.random.NAME`."""
    return function(
        f"random_{name}",
        family="random",
        where="",
        also=(f"numpy.random.{name}", *also),
        derivative=f"vjp: {derivative}",
        defined=defined,
        source=source,
        domain=domain,
        cases=cases,
    )


_LOCATED = "g for loc, g*z for scale, z the standard draw"


@_random("exponential", "g*z for scale, z the standard draw", cases=(case((2, 3)), case(0.5, [2, 3]), case()))
def random_exponential(scale: Any = 1.0, size: Any = None) -> CoreValue:
    """Exponential random numbers of a mean."""
    scale = real("exponential", scale)
    return scale * drawn(EXPONENTIAL, "exponential", size, scale)


def _located(op: Op, name: str, loc: Any, scale: Any, size: Any) -> CoreValue:
    loc, scale = real(name, loc), real(name, scale)
    return loc + scale * drawn(op, name, size, loc, scale)


@_random("laplace", _LOCATED)
def random_laplace(loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> CoreValue:
    """Laplace random numbers."""
    return _located(LAPLACE, "laplace", loc, scale, size)


@_random("logistic", _LOCATED)
def random_logistic(loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> CoreValue:
    """Logistic random numbers."""
    return _located(LOGISTIC, "logistic", loc, scale, size)


@_random("gumbel", _LOCATED)
def random_gumbel(loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> CoreValue:
    """Gumbel random numbers."""
    return _located(GUMBEL, "gumbel", loc, scale, size)


@_random("lognormal", "g*y for mean, g*y*z for sigma, z the standard normal draw", defined="sigma > 0")
def random_lognormal(mean: Any = 0.0, sigma: Any = 1.0, size: Any = None) -> CoreValue:
    """Random numbers whose logarithms are normal."""
    return exp(_located(RANDN, "lognormal", mean, sigma, size))


@_random("rayleigh", "g*z for scale, z the standard draw", cases=(case((2, 3)), case(0.5, [2, 3]), case()))
def random_rayleigh(scale: Any = 1.0, size: Any = None) -> CoreValue:
    """Random lengths of vectors of two normal components."""
    scale = real("rayleigh", scale)
    return scale * sqrt(2 * drawn(EXPONENTIAL, "rayleigh", size, scale))


_POWERS = (case((2, 3)), case(1.5, [2, 3]), case(2.0))


@_random("weibull", "-g*y*log(z)/a**2 for a, z the exponential draw", defined="a > 0", cases=_POWERS)
def random_weibull(a: Any, size: Any = None) -> CoreValue:
    """Weibull random numbers of shape a."""
    a = real("weibull", a)
    return exp(log(drawn(EXPONENTIAL, "weibull", size, a)) / a)


@_random("pareto", "-g*(1 + y)*z/a**2 for a, z the exponential draw", defined="a > 0", cases=_POWERS)
def random_pareto(a: Any, size: Any = None) -> CoreValue:
    """Pareto (Lomax) random numbers of exponent a, from 0 on as in NumPy."""
    a = real("pareto", a)
    return expm1(drawn(EXPONENTIAL, "pareto", size, a) / a)


@function(
    "random_standard_cauchy",
    family="random",
    where="",
    also=("numpy.random.standard_cauchy",),
    differentiable=False,
    cases=(case(), case(3), case([2, 3])),
)
def random_standard_cauchy(size: Any = None) -> CoreValue:
    """Cauchy random numbers."""
    return drawn(CAUCHY, "standard_cauchy", size)


@function(
    "random_standard_exponential",
    family="random",
    where="",
    also=("numpy.random.standard_exponential",),
    differentiable=False,
    cases=(case(), case(3), case([2, 3])),
)
def random_standard_exponential(size: Any = None) -> CoreValue:
    """Exponential random numbers of mean 1."""
    return drawn(EXPONENTIAL, "standard_exponential", size)


# --- made of gamma variates ------------------------------------------------------------------------------------------

_IMPLICIT = "Figurnov, Mohamed and Mnih, Implicit reparameterization gradients (2018)"
_SHAPES = (case((2, 3)), case(1.5, [2, 3]), case(2.0))
_ALONG = "g*s for {0}, s = -(derivative of the distribution function by {0})/density"


def _gamma_variates(name: str, shape: CoreValue, size: Any, *others: CoreValue) -> CoreValue:
    """Gamma variates of a shape: where the distribution function is a uniform draw."""
    return gammaincinv(shape, drawn(RAND, name, size, shape, *others))


@_random("standard_gamma", _ALONG.format("shape"), defined="shape > 0", cases=_SHAPES, source=_IMPLICIT)
def random_standard_gamma(shape: Any, size: Any = None) -> CoreValue:
    """Gamma random numbers of a shape and scale 1."""
    return _gamma_variates("standard_gamma", real("standard_gamma", shape), size)


@_random(
    "gamma",
    _ALONG.format("shape") + "; g*z for scale, z the standard variate",
    defined="shape > 0, scale > 0",
    cases=(case((2, 3), (3,)), case(1.5, 2.0, [2, 3]), case(2.0)),
    source=_IMPLICIT,
)
def random_gamma(shape: Any, scale: Any = 1.0, size: Any = None) -> CoreValue:
    """Gamma random numbers of a shape and a scale."""
    shape, scale = real("gamma", shape), real("gamma", scale)
    return scale * _gamma_variates("gamma", shape, size, scale)


@_random("chisquare", _ALONG.format("df"), defined="df > 0", cases=_SHAPES, source=_IMPLICIT)
def random_chisquare(df: Any, size: Any = None) -> CoreValue:
    """Chi-squared random numbers of df degrees of freedom."""
    return 2 * _gamma_variates("chisquare", real("chisquare", df) / 2, size)


@_random("standard_t", _ALONG.format("df"), defined="df > 0", cases=_SHAPES, source=_IMPLICIT)
def random_standard_t(df: Any, size: Any = None) -> CoreValue:
    """Student's t random numbers of df degrees of freedom."""
    half = real("standard_t", df) / 2
    return drawn(RANDN, "standard_t", size, half) * sqrt(half / _gamma_variates("standard_t", half, size))


@_random(
    "beta",
    "that of x/(x + y), x and y gamma variates of shapes a and b",
    defined="a > 0, b > 0",
    cases=(case((2, 3), (3,)), case(1.5, 2.0, [2, 3]), case(2.0, (2,))),
    source=_IMPLICIT,
)
def random_beta(a: Any, b: Any, size: Any = None) -> CoreValue:
    """Beta random numbers."""
    a, b = real("beta", a), real("beta", b)
    first = _gamma_variates("beta", a, size, b)
    return first / (first + _gamma_variates("beta", b, size, a))


@_random(
    "dirichlet",
    "that of x/sum(x), x gamma variates of shapes alpha",
    defined="alpha > 0",
    cases=(case((3,)), case((3,), 4), case((2,), [2, 3])),
    source=_IMPLICIT,
)
def random_dirichlet(alpha: Any, size: Any = None) -> CoreValue:
    """Random shares that add up to 1, along the last axis."""
    alpha = real("dirichlet", alpha)
    if not shape_of(alpha):
        raise ShapeError("dirichlet: alpha is a vector, or a stack of them, not a number")
    found = _gamma_variates("dirichlet", alpha, _with_vector(size, alpha))
    return found / total(found, (-1,), True)


def _with_vector(size: Any, vector: CoreValue) -> Any:
    """A size of vectors, with the vectors' own axis at its end."""
    return None if size is None else [*checked_sizes("size", (size,)), shape_of(vector)[-1]]


@_random(
    "multivariate_normal",
    "g for mean; for cov that of its Cholesky factor L, y = mean + L @ z with z the standard draw",
    defined="cov symmetric and positive definite",
    cases=(case((3,), positive_sample(3)), case((2,), positive_sample(2), 4), case((2, 3), positive_sample(3))),
)
def random_multivariate_normal(mean: Any, cov: Any, size: Any = None) -> CoreValue:
    """Random vectors of the multivariate normal distribution, along the last axis."""
    mean, cov = real("multivariate_normal", mean), real("multivariate_normal", cov)
    factor = cholesky(cov)
    lead = shape_of(factor)[:-1] if size is None else _with_vector(size, mean)
    shape = list(broadcast_shape("multivariate_normal", shape_of(mean), tuple(lead))) if size is None else lead
    z = drawn(RANDN, "multivariate_normal", shape)
    return mean + reshaped(times(factor, reshaped(z, (*shape_of(z), 1))), shape_of(z))
