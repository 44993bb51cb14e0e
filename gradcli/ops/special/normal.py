"""The normal distribution function, its logarithm and its inverse."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.elementwise.limits import bounded
from gradcli.ops.function import Function
from gradcli.ops.kinds import elementwise
from gradcli.ops.registry import elementwise_function
from gradcli.ops.special.error_functions import ratios_of_repeated, repeated
from gradcli.ops.special.gaussian import exp_minus_half_square, exp_of_square
from gradcli.ops.special.values import Array, pieces, real, real_or_complex, scipy_

ONE_BY_SQRT_2PI = 0.3989422804014327
SQRT_2PI = 2.5066282746310002
_SQRT_2 = 1.4142135623730951
_SQRT_HALF = 0.7071067811865476
_SQRT_2_BY_PI = 0.7978845608028654

_erfcx, _ndtr = map(scipy_, ("erfcx", "ndtr"))

# --- the distribution function ---------------------------------------------------------------------------------------

normal_cdf = pieces(
    (lambda x: x < -1, lambda x: 0.5 * _erfcx(-_SQRT_HALF * x) * exp_of_square(x, -0.5)),
    last=_ndtr,
)
log_normal_cdf = pieces(
    (lambda x: x < -1, lambda x: np.log(0.5 * _erfcx(-_SQRT_HALF * x)) - 0.5 * x * x),
    last=lambda x: np.log1p(-normal_cdf(-x)),
)


def _cdf_meaning(S: Any, x: Any) -> Any:
    return S.erfc(-x / S.sqrt(S.number(2))) / 2


NDTR = elementwise(
    "ndtr",
    real_or_complex(normal_cdf, _ndtr),
    lambda y, x: ONE_BY_SQRT_2PI * exp_minus_half_square(x),
    meaning=_cdf_meaning,
    torch="SpecialNdtr",
    saves=(0,),
    doc="Distribution function of the standard normal distribution.",
)

# --- the hazard ------------------------------------------------------------------------------------------------------


def _hazard(x: Array, n: int) -> Array:
    """phi(x)/Phi(x) for n = 0, and for n = 1 what its derivative is but for the sign."""
    return _HAZARDS[n](x)


_ratio = pieces(
    (lambda z: z < 3, lambda z: repeated(z, 1) / _erfcx(z)),
    last=lambda z: ratios_of_repeated(z, 1)[0],
)


def _plain_hazard(x: Array) -> Array:
    return ONE_BY_SQRT_2PI * exp_of_square(x, -0.5) / normal_cdf(x)


def _fall(x: Array) -> Array:
    """-h' = h (x + h), where x + h does not cancel."""
    h = _plain_hazard(x)
    return h * (np.minimum(x, 40.0) + h)


def _far_fall(x: Array) -> Array:
    z = -_SQRT_HALF * x
    return _SQRT_2_BY_PI / _erfcx(z) * _SQRT_2 * _ratio(z)


_HAZARDS = (
    pieces((lambda x: x < -1, lambda x: _SQRT_2_BY_PI / _erfcx(-_SQRT_HALF * x)), last=_plain_hazard),
    pieces((lambda x: x < -1e8, np.ones_like), (lambda x: x < -1, _far_fall), last=_fall),
)


def _hazard_of_complex(z: Array, n: int) -> Array:
    h = ONE_BY_SQRT_2PI * np.exp(-z * z / 2) / _ndtr(z)
    return h * (z + h) if n else h


def _hazard_meaning(S: Any, x: Any, n: int) -> Any:
    h = S.exp(-x * x / 2) / S.sqrt(2 * S.pi) / _cdf_meaning(S, x)
    return h * (x + h) if n else h


def _hazard_slope(y: CoreValue, x: CoreValue, n: int) -> CoreValue:
    if n == 0:
        return -bind(HAZARD, x, n=1)
    h = bind(HAZARD, x, n=0)
    return h - y * (bounded(x) + 2 * h)


# phi(x) + x Phi(x) cancels far below 0, and 1 - h (x + h) with it.
HAZARD: Op = elementwise(
    "normal_hazard",
    real_or_complex(_hazard, _hazard_of_complex),
    _hazard_slope,
    meaning=_hazard_meaning,
    saves=(0, "y"),
    doc="h, a normal density over its distribution function, and for n = 1 h*(x + h).",
)
LOG_NDTR = elementwise(
    "log_ndtr",
    real_or_complex(log_normal_cdf, scipy_("log_ndtr")),
    lambda y, x: bind(HAZARD, x, n=0),
    meaning=lambda S, x: S.log(_cdf_meaning(S, x)) if hasattr(x, "im") else S.log_ndtr(x),
    torch="SpecialLogNdtr",
    saves=(0,),
    doc="Logarithm of the normal distribution function, exact far below 0.",
)

# --- the inverse -----------------------------------------------------------------------------------------------------


def _polished(p: Array, y: Array) -> Array:
    """One step of Newton's towards Phi(y) = p (y < 0), where p and Phi(y) are small and so well known."""
    off = (normal_cdf(y) - p) * SQRT_2PI * exp_of_square(y, 0.5)
    return np.where(np.isfinite(off), off, 0.0)


def _inverse_slope(p: Array) -> Array:
    """sqrt(2 pi) exp(y**2/2), right even where y, rounded, is not."""
    from scipy import special

    low = np.minimum(p, 1 - p)
    y = -np.abs(special.ndtri(low))
    return SQRT_2PI * exp_of_square(y, 0.5) * (1 - y * np.where(low < 0.25, _polished(low, y), 0.0))


NDTRI_SLOPE: Op = elementwise(
    "ndtri_slope",
    real(_inverse_slope),
    lambda y, p: ndtri(p) * y * y,
    meaning=lambda S, p: S.sqrt(2 * S.pi) * S.exp(_quantile(S, p) ** 2 / 2),
    doc="One over the normal density at ndtri(p), the derivative of ndtri.",
)


def _quantile(S: Any, p: Any) -> Any:
    return S.sqrt(S.number(2)) * S.erfinv(2 * p - 1)


NDTRI = elementwise(
    "ndtri",
    real(scipy_("ndtri")),
    lambda y, p: bind(NDTRI_SLOPE, p),
    meaning=_quantile,
    torch="SpecialNdtri",
    saves=("y",),
    doc="The number at which the normal distribution function is p.",
)

# --- functions -------------------------------------------------------------------------------------------------------

ndtr = elementwise_function(
    NDTR,
    derivative="exp(-x**2/2)/sqrt(2*pi)",
    where="scipy",
    also=("torch.special.ndtr",),
    family="special",
)
log_ndtr = elementwise_function(
    LOG_NDTR,
    derivative="exp(-x**2/2)/sqrt(2*pi)/ndtr(x)",
    where="scipy",
    also=("torch.special.log_ndtr",),
    family="special",
)
ndtri: Function = elementwise_function(
    NDTRI,
    parameters=("p",),
    derivative="sqrt(2*pi)*exp(ndtri(p)**2/2)",
    where="scipy",
    also=("torch.special.ndtri",),
    domain=(0.1, 0.9),
    defined="(p > 0) & (p < 1)",
    family="special",
)
