"""Log-densities and log-probabilities of vectors and matrices: multivariate normal, Dirichlet, multinomial, Wishart."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.errors import ShapeError
from gradcli.graph.values import CoreValue, dtype_of, ndim_of, shape_of
from gradcli.ops.cholesky import cholesky
from gradcli.ops.constructors import eye
from gradcli.ops.diagonals import diag_embed, diagonal
from gradcli.ops.elementwise import equal, exp, log, power, where
from gradcli.ops.function import case
from gradcli.ops.kinds import broadcast_shape, fits
from gradcli.ops.matrices import positive_sample
from gradcli.ops.probability.parts import LOG_2, LOG_2PI, LOG_PI, floats, real
from gradcli.ops.reduction import total
from gradcli.ops.registry import function
from gradcli.ops.running import prod
from gradcli.ops.shape import reshaped
from gradcli.ops.special import gammaln, xlogy
from gradcli.ops.triangular import solve_triangular

_SIMPLEX = np.array([0.2, 0.5, 0.3])


def log_determinant_half(factor: CoreValue) -> CoreValue:
    """log of the product of a triangular factor's diagonal: half the log-determinant of what it is the factor of."""
    return total(log(diagonal(factor, axis1=-2, axis2=-1)), (-1,))


def as_covariance(name: str, cov: CoreValue, size: int) -> CoreValue:
    """A covariance matrix; a number stands for that multiple of the identity, a vector for the diagonal.

    Raises:
        ShapeError: it is no square matrix of the size.
    """
    if ndim_of(cov) == 0:
        return cov * eye(size, dtype=dtype_of(cov))
    found = diag_embed(cov) if ndim_of(cov) == 1 else cov
    if shape_of(found)[-2:] != (size, size):
        raise ShapeError(
            f"{name}: the covariance has shape {fits(shape_of(found))}", mend=f"it should end in [{size}, {size}]"
        )
    return found


@function(
    "multivariate_normal_logpdf",
    family="probability",
    where="bare",
    also=("scipy.stats.multivariate_normal.logpdf",),
    derivative="vjp, with u = solve(cov, x - mean): -g*u for x, g*u for mean, g*(u @ u.T - inv(cov))/2 for cov",
    defined="cov symmetric and positive definite",
    source="Mardia, Kent and Bibby, Multivariate Analysis (1979), section 2.5",
    cases=(
        case((3,), (3,), positive_sample(3)),
        case((4, 3), (3,), positive_sample(3)),
        case((2, 2), (2, 2), positive_sample(2, 2)),
        case((3,), 0.5, positive_sample(1)),
        case((2, 3), (3,), np.array([0.5, 1.0, 2.0])),
        case((3,), (3,), 1.5),
        case((3,)),
    ),
)
def multivariate_normal_logpdf(x: Any, mean: Any = 0.0, cov: Any = 1.0) -> CoreValue:
    """Logarithm of the density of the multivariate normal distribution, for points along the last axis; the mean, or
    else the covariance, says how many numbers a point has."""
    name = "multivariate_normal.logpdf"
    point, centre, spread = (real(name, v) for v in (x, mean, cov))
    size = next((shape_of(v)[-1] for v in (centre, spread) if shape_of(v)), 1)
    if size == 1 and ndim_of(point) < 2:  # numbers, as SciPy takes them
        point = reshaped(point, (*shape_of(point), 1))
    broadcast_shape(name, shape_of(point), shape_of(centre), (size,))
    gap = point - centre
    factor = cholesky(as_covariance(name, spread, size))
    white = solve_triangular(factor, reshaped(gap, (*shape_of(gap), 1)), lower=True)
    squared = total(white * white, (-2, -1))
    return -0.5 * (squared + size * LOG_2PI) - log_determinant_half(factor)


def _parts_of_powers(bases: CoreValue, exponents: CoreValue, axis: int) -> tuple[CoreValue, CoreValue]:
    """Two factors of the product of powers along an axis: the logarithm of one, and of bases that are 0 the other."""
    none = equal(bases, 0)
    logarithm = total(xlogy(exponents, where(none, 1.0, bases)), (axis,))
    return logarithm, prod(where(none, power(where(none, bases, 1.0), exponents), 1.0), axis=axis)


@function(
    "dirichlet_logpdf",
    family="probability",
    where="bare",
    also=("scipy.stats.dirichlet.logpdf",),
    derivative="vjp: g*(alpha - 1)/x for x, g*(log(x) + digamma(sum(alpha)) - digamma(alpha)) for alpha",
    defined="x > 0 with sum 1, alpha > 0",
    kinks="x = 0 with alpha = 1: 0",
    source="Johnson, Kotz and Balakrishnan, Continuous Multivariate Distributions (2000), chapter 49",
    domain=(0.5, 3.0),
    cases=(case(_SIMPLEX, (3,)), case(np.stack([_SIMPLEX, _SIMPLEX[::-1]], 1), (3,)), case(np.array([1.0]), (1,))),
)
def dirichlet_logpdf(x: Any, alpha: Any) -> CoreValue:
    """Logarithm of the density of the Dirichlet distribution; the shares are along the first axis of x, as in SciPy."""
    point, exponents, ends = _dirichlet("dirichlet.logpdf", x, alpha)
    return total(xlogy(exponents, point), (-ndim_of(point),)) + ends


def dirichlet_density(x: Any, alpha: Any) -> CoreValue:
    """The density itself, whose slope is no 0 where a share is 0 that stands to the power of 1."""
    point, exponents, ends = _dirichlet("dirichlet.pdf", x, alpha)
    powers, zeros = _parts_of_powers(point, exponents, -ndim_of(point))
    return exp(powers + ends) * zeros


def _dirichlet(name: str, x: Any, alpha: Any) -> tuple[CoreValue, CoreValue, CoreValue]:
    """The shares, their exponents, and the logarithm of what their powers are multiplied by."""
    point, weights = (real(name, v) for v in (x, alpha))
    if ndim_of(weights) != 1 or shape_of(point)[:1] != shape_of(weights):
        raise ShapeError(
            f"{name} cannot join shapes {fits(shape_of(point))} and {fits(shape_of(weights))}",
            mend="alpha is a vector, as long as the first axis of x",
        )
    across = reshaped(weights, (*shape_of(weights), *[1] * (ndim_of(point) - 1)))
    return point, across - 1, gammaln(total(weights, (-1,))) - total(gammaln(weights), (-1,))


@function(
    "multinomial_logpmf",
    family="probability",
    where="bare",
    also=("scipy.stats.multinomial.logpmf",),
    derivative="vjp: g*x/p for p",
    defined="p >= 0 with sum 1, whole numbers x with sum n",
    kinks="x = 0 with p = 0: 0",
    source="Johnson, Kotz and Balakrishnan, Discrete Multivariate Distributions (1997), chapter 35",
    domain=(0.1, 0.9),
    cases=(case(np.array([1, 2, 0]), 3, _SIMPLEX), case(np.array([[1, 2, 0], [3, 0, 1]]), 3, _SIMPLEX)),
)
def multinomial_logpmf(x: Any, n: Any, p: Any) -> CoreValue:
    """Logarithm of the probability of counts, along the last axis, of n draws among classes of probabilities p."""
    counts, shares, ways, inside = _multinomial("multinomial.logpmf", x, n, p)
    return where(inside, ways + total(xlogy(counts, shares), (-1,)), -np.inf)


def multinomial_probability(x: Any, n: Any, p: Any) -> CoreValue:
    """The probability itself, whose slope is no 0 where a class of probability 0 was drawn once."""
    counts, shares, ways, inside = _multinomial("multinomial.pmf", x, n, p)
    powers, zeros = _parts_of_powers(shares, counts, -1)
    return where(inside, exp(ways + powers) * zeros, 0.0)


def _multinomial(name: str, x: Any, n: Any, p: Any) -> tuple[CoreValue, CoreValue, CoreValue, CoreValue]:
    """Counts, probabilities, the logarithm of the number of ways, and whether the counts add up."""
    counts, trials, shares = floats(name, x, n, p)
    ways = gammaln(trials + 1) - total(gammaln(counts + 1), (-1,))
    return counts, shares, ways, equal(total(counts, (-1,)), trials)


@function(
    "wishart_logpdf",
    family="probability",
    where="bare",
    also=("scipy.stats.wishart.logpdf",),
    derivative="vjp: g*((df - p - 1)*inv(x) - inv(scale))/2 for x, "
    "g*(inv(scale) @ x @ inv(scale) - df*inv(scale))/2 for scale",
    defined="x and scale symmetric and positive definite, df > p - 1",
    source="Mardia, Kent and Bibby, Multivariate Analysis (1979), section 3.4",
    domain=(3.0, 5.0),
    cases=(
        case(positive_sample(3), (), positive_sample(3, seed=1)),
        case(positive_sample(2), 2.5, positive_sample(2, seed=1)),
        case(positive_sample(2, 4), 3.5, positive_sample(2, seed=1)),
    ),
)
def wishart_logpdf(x: Any, df: Any, scale: Any) -> CoreValue:
    """Logarithm of the density of the Wishart distribution of df degrees of freedom, for matrices in the last axes."""
    matrix, freedom, spread = (real("wishart.logpdf", v) for v in (x, df, scale))
    size = shape_of(matrix)[-1]
    inner, outer = cholesky(matrix), cholesky(spread)
    ratio = solve_triangular(outer, inner, lower=True)
    trace = total(ratio * ratio, (-2, -1))
    places = np.arange(size, dtype=np.float64)
    lifted = reshaped(freedom, (*shape_of(freedom), 1))
    ends = total(gammaln((lifted - places) / 2), (-1,)) + size * (size - 1) / 4 * LOG_PI + freedom * size / 2 * LOG_2
    found = (freedom - size - 1) * log_determinant_half(inner) - trace / 2
    return found - freedom * log_determinant_half(outer) - ends
