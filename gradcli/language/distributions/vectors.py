"""Distributions of vectors, along the last axis: Dirichlet and multivariate normal."""

from __future__ import annotations

from gradcli.graph.values import CoreValue, Shape, dtype_of, shape_of
from gradcli.language.distributions.constraints import (
    LOWER_CHOLESKY,
    POSITIVE_DEFINITE,
    POSITIVE_VECTOR,
    REAL_VECTOR,
    SIMPLEX,
)
from gradcli.language.distributions.continuous import gamma_draw
from gradcli.language.distributions.kind import Dtype, Kind, Parameters, numpy, standard
from gradcli.ops.cholesky import cholesky
from gradcli.ops.constructors import eye
from gradcli.ops.elementwise import square
from gradcli.ops.matrices import adjoint
from gradcli.ops.probability.multivariate import log_determinant_half
from gradcli.ops.probability.parts import LOG_2PI
from gradcli.ops.products import times
from gradcli.ops.random import RANDN
from gradcli.ops.reduction import total
from gradcli.ops.shape import reshaped
from gradcli.ops.special import digamma, gammaln, xlogy
from gradcli.ops.triangular import solve_triangular

# --- Dirichlet -------------------------------------------------------------------------------------------------------


def _added(x: CoreValue) -> CoreValue:
    return total(x, (-1,), True)


def _dirichlet_log_prob(p: Parameters, x: CoreValue) -> CoreValue:
    a = p["concentration"]
    return total(xlogy(a - 1, x), (-1,)) + gammaln(total(a, (-1,))) - total(gammaln(a), (-1,))


def _dirichlet_draw(p: Parameters, shape: Shape, dtype: Dtype) -> CoreValue:
    found = gamma_draw(p["concentration"], shape, dtype)
    return found / _added(found)


def _dirichlet_variance(p: Parameters) -> CoreValue:
    a, whole = p["concentration"], _added(p["concentration"])
    return a * (whole - a) / (square(whole) * (whole + 1))


def _dirichlet_entropy(p: Parameters) -> CoreValue:
    a = p["concentration"]
    whole, size = total(a, (-1,)), shape_of(a)[-1]
    spread = total(gammaln(a), (-1,)) - gammaln(whole) - (size - whole) * digamma(whole)
    return spread - total((a - 1) * digamma(a), (-1,))


DIRICHLET = Kind(
    "Dirichlet",
    {"concentration": POSITIVE_VECTOR},
    SIMPLEX,
    _dirichlet_log_prob,
    _dirichlet_draw,
    {
        "mean": lambda p: p["concentration"] / _added(p["concentration"]),
        "variance": _dirichlet_variance,
    },
    parameter_axes=1,
    event_axes=1,
    entropy=_dirichlet_entropy,
)

# --- multivariate normal ---------------------------------------------------------------------------------------------


def scale_tril_of(p: Parameters) -> CoreValue:
    """The Cholesky factor of the covariance."""
    if "scale_tril" in p:
        return p["scale_tril"]
    if "covariance_matrix" in p:
        return cholesky(p["covariance_matrix"])
    # Turned by 180 degrees, the factor of the precision is that of the covariance, inverted and transposed.
    turned = numpy("flip", cholesky(numpy("flip", p["precision_matrix"], (-2, -1))), (-2, -1))
    size = shape_of(turned)[-1]
    return solve_triangular(adjoint(turned), eye(size, dtype=dtype_of(turned)), lower=True)


def column(x: CoreValue) -> CoreValue:
    """Vectors as matrices of one column."""
    return reshaped(x, (*shape_of(x), 1))


def _covariance_of(p: Parameters) -> CoreValue:
    if "covariance_matrix" in p:
        return p["covariance_matrix"]
    factor = scale_tril_of(p)
    return times(factor, adjoint(factor))


def _precision_of(p: Parameters) -> CoreValue:
    if "precision_matrix" in p:
        return p["precision_matrix"]
    factor = scale_tril_of(p)
    inverse = solve_triangular(factor, eye(shape_of(factor)[-1], dtype=dtype_of(factor)), lower=True)
    return times(adjoint(inverse), inverse)


def _normal_log_prob(p: Parameters, x: CoreValue) -> CoreValue:
    factor = scale_tril_of(p)
    white = solve_triangular(factor, column(x - p["loc"]), lower=True)
    constant = shape_of(factor)[-1] * LOG_2PI
    return -0.5 * (total(square(white), (-2, -1)) + constant) - log_determinant_half(factor)


def _normal_draw(p: Parameters, shape: Shape, dtype: Dtype) -> CoreValue:
    return p["loc"] + reshaped(times(scale_tril_of(p), column(standard(RANDN, shape, dtype))), shape)


def _normal_variance(p: Parameters) -> CoreValue:
    return total(square(scale_tril_of(p)), (-1,))


MULTIVARIATE_NORMAL = Kind(
    "MultivariateNormal",
    {
        "loc": REAL_VECTOR,
        "covariance_matrix": POSITIVE_DEFINITE,
        "precision_matrix": POSITIVE_DEFINITE,
        "scale_tril": LOWER_CHOLESKY,
    },
    REAL_VECTOR,
    _normal_log_prob,
    _normal_draw,
    {
        "mean": lambda p: p["loc"],
        "mode": lambda p: p["loc"],
        "variance": _normal_variance,
        "covariance_matrix": _covariance_of,
        "precision_matrix": _precision_of,
        "scale_tril": scale_tril_of,
    },
    alternatives=("covariance_matrix", "precision_matrix", "scale_tril"),
    parameter_axes=1,
    event_axes=1,
    entropy=lambda p: shape_of(p["loc"])[-1] * 0.5 * (1 + LOG_2PI) + log_determinant_half(scale_tril_of(p)),
)

VECTORS = (DIRICHLET, MULTIVARIATE_NORMAL)
