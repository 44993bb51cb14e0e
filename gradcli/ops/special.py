"""Special functions: the error function and its like, the gamma family, and the activations made of them.

SciPy computes the values; it is imported when the first is asked for, since it takes as long to load as NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.arguments import integer
from gradcli.ops.elementwise.powers import exp, square
from gradcli.ops.elementwise.smooth_steps import sigmoid
from gradcli.ops.elementwise.trigonometry import sech_squared, tanh
from gradcli.ops.function import Function, case
from gradcli.ops.kinds import elementwise
from gradcli.ops.operands import operands
from gradcli.ops.registry import elementwise_function, function

_TWO_BY_SQRT_PI = 1.1283791670955126
_ONE_BY_SQRT_2PI = 0.3989422804014327
_SQRT_HALF = 0.7071067811865476
_SQRT_2_BY_PI = 0.7978845608028654
_GELU_CUBIC = 0.044715


def _scipy(value_of: Callable[[Any, Any], Any]) -> Callable[[Any], Any]:
    """A value rule: `value_of` is handed scipy.special."""

    def value(x: Any) -> Any:
        from scipy import special

        return value_of(special, x)

    return value


# --- the error function ----------------------------------------------------------------------------------------------

ERF = elementwise(
    "erf",
    _scipy(lambda sp, x: sp.erf(x)),
    lambda y, x: _TWO_BY_SQRT_PI * exp(-square(x)),
    meaning=lambda S, x: S.erf(x),
    torch="Erf",
    saves=(0,),
    doc="The error function.",
)
ERFC = elementwise(
    "erfc",
    _scipy(lambda sp, x: sp.erfc(x)),
    lambda y, x: -_TWO_BY_SQRT_PI * exp(-square(x)),
    meaning=lambda S, x: S.erfc(x),
    torch="Erfc",
    saves=(0,),
    doc="1 - erf(x), exact for large x.",
)
erf = elementwise_function(
    ERF,
    derivative="2/sqrt(pi)*exp(-x**2)",
    where="scipy torch method",
    also=("torch.special.erf", "math.erf"),
)
erfc = elementwise_function(
    ERFC,
    derivative="-2/sqrt(pi)*exp(-x**2)",
    where="scipy torch method",
    also=("torch.special.erfc", "math.erfc"),
)

# --- the gamma family ------------------------------------------------------------------------------------------------


def _polygamma_value(x: Any, n: int) -> Any:
    from scipy import special

    found = special.digamma(x) if n == 0 else special.polygamma(n, x)
    return np.asarray(found, dtype=x.dtype) if x.dtype == np.float32 else found


# SciPy's trigamma and above are Hurwitz zetas; the derivative of each is the next.
POLYGAMMA: Op = elementwise(
    "polygamma",
    _polygamma_value,
    lambda y, x, n: bind(POLYGAMMA, x, n=n + 1),
    meaning=lambda S, x, n: S.polygamma(n, x),
    torch=lambda operands, params: "PolygammaBackward0" if params["n"] else "DigammaBackward0",
    saves=(0,),
    doc="Derivative of order n of digamma, which is order 0.",
)
GAMMALN = elementwise(
    "gammaln",
    _scipy(lambda sp, x: sp.gammaln(x)),
    lambda y, x: bind(POLYGAMMA, x, n=0),
    meaning=lambda S, x: S.loggamma(x),
    torch="Lgamma",
    saves=(0,),
    doc="Logarithm of |gamma(x)|.",
)
GAMMA = elementwise(
    "gamma",
    _scipy(lambda sp, x: sp.gamma(x)),
    lambda y, x: y * bind(POLYGAMMA, x, n=0),
    meaning=lambda S, x: S.gamma(x),
    saves=(0, "y"),
    doc="The gamma function, gamma(n) = (n - 1)!.",
)
gamma = elementwise_function(
    GAMMA, derivative="gamma(x)*digamma(x)", domain=(0.4, 4.0), where="scipy", also=("math.gamma",)
)
gammaln = elementwise_function(
    GAMMALN,
    derivative="digamma(x)",
    domain=(0.4, 4.0),
    where="scipy",
    also=("torch.lgamma", ".lgamma", "torch.special.gammaln", "math.lgamma", "lgamma"),
)


@function(
    family="special",
    where="scipy torch method",
    also=("scipy.special.psi", "torch.special.digamma", "torch.special.psi"),
    op=POLYGAMMA,
    derivative="polygamma(1, x)",
    domain=(0.4, 4.0),
    cases=(case((3,)), case((2, 3))),
)
def digamma(x: Any) -> CoreValue:
    """Derivative of log(gamma(x))."""
    return bind(POLYGAMMA, *operands((x,), True), n=0)


@function(
    family="special",
    where="scipy torch",
    also=("torch.special.polygamma",),
    op=POLYGAMMA,
    derivative="polygamma(n + 1, x)",
    domain=(0.4, 4.0),
    cases=(case(1, (3,)), case(2, (2, 3))),
)
def polygamma(n: Any, x: Any) -> CoreValue:
    """Derivative of order n of digamma."""
    order = integer(n, "polygamma: the order")
    if order < 0:
        raise ArgumentError(f"polygamma: the order must not be negative, and is {order}")
    return bind(POLYGAMMA, *operands((x,), True), n=order)


# --- activations -----------------------------------------------------------------------------------------------------


def _normal_cdf(x: CoreValue) -> CoreValue:
    return 0.5 * erfc(-_SQRT_HALF * x)


def _gelu_slope(y: CoreValue, x: CoreValue) -> CoreValue:
    return _normal_cdf(x) + x * (_ONE_BY_SQRT_2PI * exp(-0.5 * square(x)))


def _tanh_gelu_value(x: Any) -> Any:
    return 0.5 * x * (1 + np.tanh(_SQRT_2_BY_PI * (x + _GELU_CUBIC * x**3)))


def _tanh_gelu_slope(y: CoreValue, x: CoreValue) -> CoreValue:
    inner = _SQRT_2_BY_PI * (x + _GELU_CUBIC * x * square(x))
    slope = _SQRT_2_BY_PI * (1 + 3 * _GELU_CUBIC * square(x))
    return 0.5 * (1 + tanh(inner)) + 0.5 * x * sech_squared(inner) * slope


def _tanh_gelu_meaning(S: Any, x: Any) -> Any:
    inner = S.number(_SQRT_2_BY_PI) * (x + S.number(_GELU_CUBIC) * x**3)
    return x * (1 + S.tanh(inner)) / 2


# Hendrycks and Gimpel, "Gaussian Error Linear Units" (2016): x times the normal distribution function, or by tanh.
GELU = elementwise(
    "gelu",
    _scipy(lambda sp, x: 0.5 * x * sp.erfc(-_SQRT_HALF * x)),
    _gelu_slope,
    meaning=lambda S, x: x * (1 + S.erf(x / S.sqrt(S.number(2)))) / 2,
    torch="Gelu",
    saves=(0,),
    doc="x times the distribution function of the normal distribution.",
)
GELU_TANH = elementwise(
    "gelu_tanh",
    _tanh_gelu_value,
    _tanh_gelu_slope,
    meaning=_tanh_gelu_meaning,
    torch="Gelu",
    saves=(0,),
    doc="gelu by its approximation with tanh.",
)
SILU = elementwise(
    "silu",
    lambda x: x / (1 + np.exp(-x)),
    lambda y, x: sigmoid(x) * (1 + x * sigmoid(-x)),
    meaning=lambda S, x: x / (1 + S.exp(-x)),
    torch="Silu",
    saves=(0,),
    doc="x*sigmoid(x), the swish.",
)
silu: Function = elementwise_function(
    SILU,
    derivative="sigmoid(x)*(1 + x*sigmoid(-x))",
    where="F",
    also=("jax.nn.silu", "jax.nn.swish"),
)


@function(
    family="elementwise",
    where="F",
    op=GELU,
    derivative="erfc(-input/sqrt(2))/2 + input*exp(-input**2/2)/sqrt(2*pi)",
    cases=(case((3,)), case((2, 3)), case((3,), approximate="tanh")),
)
def gelu(input: Any, approximate: str = "none") -> CoreValue:
    """x times the distribution function of the normal distribution; approximate="tanh" is the usual shortcut."""
    if approximate not in ("none", "tanh"):
        raise ArgumentError(f"gelu: approximate is 'none' or 'tanh', not {approximate!r}")
    return bind(GELU_TANH if approximate == "tanh" else GELU, *operands((input,), True))
