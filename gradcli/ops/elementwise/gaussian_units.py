"""gelu: x times the normal distribution function, and its approximation by tanh.

Both are computed so that the far left tail keeps its digits: by the scaled complementary error function there, and by a
logistic function instead of 1 + tanh.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.elementwise.choices import clip
from gradcli.ops.elementwise.hyperbolic import sech_squared, tanh
from gradcli.ops.elementwise.limits import bounded, mended, quiet
from gradcli.ops.elementwise.real_operands import real_operand
from gradcli.ops.elementwise.smooth_steps import sigmoid_value
from gradcli.ops.elementwise.smooth_units import tail
from gradcli.ops.function import case
from gradcli.ops.kinds import elementwise
from gradcli.ops.registry import function

_SQRT_HALF, _ONE_BY_SQRT_2PI = 0.7071067811865476, 0.3989422804014327
_SQRT_2_BY_PI, _CUBIC = 0.7978845608028654, 0.044715
#: Beyond this the tanh of the approximation is 1 to the last digit of any float.
_FLAT = 50.0


def _bell(x: Any, factor: Any = 1.0) -> Any:
    """factor*exp(-x**2/2) in float64. x is split so that its leading part has an exact square; far out by halves, so
    that nothing is lost before the product underflows."""
    size = np.minimum(np.abs(np.asarray(x, dtype=np.float64)), 2 * _FLAT)
    lead = np.round(size * 2**20) / 2**20
    rest = np.exp(-0.5 * (size - lead) * (size + lead))
    half = np.exp(np.where(size < 36, -0.5, -0.25) * lead * lead)
    return factor * rest * half * np.where(size < 36, 1, half)


BELL: Op = elementwise(
    "bell",
    lambda x: np.asarray(_bell(x, _ONE_BY_SQRT_2PI), dtype=x.dtype),
    lambda y, x: -bounded(x) * y,
    meaning=lambda S, x: S.exp(-x * x / 2) / S.sqrt(2 * S.pi),
    doc="exp(-x**2/2)/sqrt(2*pi), the density of the normal distribution.",
)


# --- by the normal distribution function -----------------------------------------------------------------------------


@quiet
def _gelu(x: Any) -> Any:
    from scipy import special

    return mended(0.5 * x * special.erfc(-_SQRT_HALF * x), x < -1, _far_gelu, x)


def _far_gelu(x: Any) -> Any:
    from scipy import special

    near = np.maximum(np.asarray(x, dtype=np.float64), -2 * _FLAT)
    return _bell(near, 0.5 * near * special.erfcx(-_SQRT_HALF * near))


@quiet
def _gelu_slope(x: Any) -> Any:
    from scipy import special

    near = np.maximum(np.minimum(x, 2 * _FLAT), -2 * _FLAT)
    found = 0.5 * special.erfc(-_SQRT_HALF * x) + near * (_ONE_BY_SQRT_2PI * np.exp(-0.5 * near * near))
    return mended(found, x < -1, _far_gelu_slope, x)


def _far_gelu_slope(x: Any) -> Any:
    from scipy import special

    near = np.maximum(np.asarray(x, dtype=np.float64), -2 * _FLAT)
    return _bell(near, 0.5 * special.erfcx(-_SQRT_HALF * near) + near * _ONE_BY_SQRT_2PI)


def _gelu_bend_slope(b: CoreValue, x: CoreValue) -> CoreValue:
    near = clip.call(x, -2 * _FLAT, 2 * _FLAT)
    return bind(BELL, near) * near * (near * near - 4)


def _gelu_bend_value(x: Any) -> Any:
    near = np.maximum(np.minimum(x, 2 * _FLAT), -2 * _FLAT)
    return np.asarray(_bell(near, _ONE_BY_SQRT_2PI * (2 - near * near)), dtype=x.dtype)


GELU_BEND: Op = elementwise(
    "gelu_bend",
    _gelu_bend_value,
    _gelu_bend_slope,
    meaning=lambda S, x: (2 - x * x) * S.exp(-x * x / 2) / S.sqrt(2 * S.pi),
    doc="The second derivative of gelu.",
)
GELU_SLOPE: Op = elementwise(
    "gelu_slope",
    _gelu_slope,
    lambda s, x: bind(GELU_BEND, x),
    meaning=lambda S, x: S.erfc(-x / S.sqrt(S.number(2))) / 2 + x * S.exp(-x * x / 2) / S.sqrt(2 * S.pi),
    doc="The derivative of gelu.",
)
GELU = elementwise(
    "gelu",
    _gelu,
    lambda y, x: bind(GELU_SLOPE, x),
    meaning=lambda S, x: x * S.erfc(-x / S.sqrt(S.number(2))) / 2,
    torch="Gelu",
    saves=(0,),
    doc="x times the distribution function of the normal distribution.",
)


# --- by tanh ---------------------------------------------------------------------------------------------------------


def _doubled_inner(x: Any) -> Any:
    """Twice the argument of the tanh, so that (1 + tanh)/2 is the logistic function of it."""
    return 2 * _SQRT_2_BY_PI * (x + _CUBIC * x * x * x)


def _near(x: Any) -> Any:
    return np.maximum(np.minimum(x, _FLAT), -_FLAT)


def _growth(x: Any) -> Any:
    """x times the derivative of that."""
    return x * (2 * _SQRT_2_BY_PI * (1 + 3 * _CUBIC * x * x))


def _far_tanh_gelu_slope(x: Any) -> Any:
    return tail(1 + _growth(x), _doubled_inner(x))


@quiet
def _tanh_gelu(x: Any) -> Any:
    near = _near(x)
    doubled = _doubled_inner(near)
    return mended(x * sigmoid_value(doubled), doubled < -40, lambda low: tail(low, _doubled_inner(low)), near)


def _tanh_gelu_slope(x: Any) -> Any:
    x = _near(x)
    doubled = _doubled_inner(x)
    growth = _growth(x)
    found = sigmoid_value(doubled) * (1 + growth * sigmoid_value(-doubled))
    return mended(found, doubled < -40, _far_tanh_gelu_slope, x)


def _tanh_gelu_bend(s: CoreValue, x: CoreValue) -> CoreValue:
    """With k = 2*inner' and the logistic function's slope l of 2*inner: l (2 k + x (k' - k**2 tanh(inner)))."""
    near = clip.call(x, -_FLAT, _FLAT)
    square = near * near
    inner = _SQRT_2_BY_PI * near * (1 + _CUBIC * square)
    growth = 2 * _SQRT_2_BY_PI * (1 + 3 * _CUBIC * square)
    bend = 12 * _SQRT_2_BY_PI * _CUBIC * near - growth * growth * tanh(inner)
    return 0.25 * sech_squared(inner) * (2 * growth + near * bend)


def _exact_inner(S: Any, x: Any) -> Any:
    return S.sqrt(2 / S.pi) * (x + S.number(_CUBIC) * x**3)


def _tanh_gelu_slope_meaning(S: Any, x: Any) -> Any:
    t = S.tanh(_exact_inner(S, x))
    return (1 + t) / 2 + x * (1 - t * t) * S.sqrt(2 / S.pi) * (1 + 3 * S.number(_CUBIC) * x * x) / 2


TANH_GELU_SLOPE: Op = elementwise(
    "gelu_tanh_slope",
    _tanh_gelu_slope,
    _tanh_gelu_bend,
    meaning=_tanh_gelu_slope_meaning,
    doc="The derivative of gelu's approximation.",
)
TANH_GELU = elementwise(
    "gelu_tanh",
    _tanh_gelu,
    lambda y, x: bind(TANH_GELU_SLOPE, x),
    meaning=lambda S, x: x * (1 + S.tanh(_exact_inner(S, x))) / 2,
    torch="Gelu",
    saves=(0,),
    doc="gelu by its approximation with tanh.",
)
_SOURCE = "Hendrycks and Gimpel 2016"
_TAILS = np.array([-9.0, -3.0, -0.5, 3.0])
_CASES = (case((4,)), case((2, 3)), case(()), case(_TAILS))


@function(
    family="activation",
    where="F",
    op=GELU,
    derivative="erfc(-input/sqrt(2))/2 + input*exp(-input**2/2)/sqrt(2*pi)",
    source=_SOURCE,
    cases=(*_CASES, case((3,), approximate="tanh"), case(_TAILS, approximate="tanh")),
)
def gelu(input: Any, approximate: str = "none") -> CoreValue:
    """x times the distribution function of the normal distribution; approximate="tanh" is the usual shortcut."""
    if approximate not in ("none", "tanh"):
        raise ArgumentError(f"gelu: approximate is 'none' or 'tanh', not {approximate!r}")
    return bind(TANH_GELU if approximate == "tanh" else GELU, real_operand("gelu", input))


@function(
    "gelu_jax",
    family="activation",
    where="",
    also=("jax.nn.gelu",),
    op=TANH_GELU,
    derivative="(1 + tanh(sqrt(2/pi)*(x + 0.044715*x**3)))/2"
    " + x*(1 - tanh(sqrt(2/pi)*(x + 0.044715*x**3))**2)*sqrt(2/pi)*(1 + 3*0.044715*x**2)/2",
    source=_SOURCE,
    cases=(*_CASES[:3], case(_TAILS), case((3,), approximate=False)),
)
def gelu_jax(x: Any, approximate: bool = True) -> CoreValue:
    """gelu by its approximation with tanh, JAX's default; approximate=False is the exact one."""
    return bind(TANH_GELU if approximate else GELU, real_operand("gelu", x))
