"""Powers by a fixed exponent and roots, exponentials and logarithms.

Some slopes are ops of their own, so that each derivative of them is written in the form that neither cancels nor
overflows on the way.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.ops.elementwise.limits import quiet
from gradcli.ops.elementwise.pairs import COMPLEX_CASE
from gradcli.ops.function import Function, case
from gradcli.ops.kinds import elementwise
from gradcli.ops.registry import elementwise_function

SQUARE = elementwise(
    "square",
    np.square,
    lambda y, x: 2 * x,
    meaning=lambda S, x: x * x,
    torch="Pow",
    saves=(0,),
    doc="x times x.",
)


def _half_over(y: Any) -> Any:
    return 0.5 / (y if y.dtype.kind == "c" else np.abs(y))


# The root of -0.0 is -0.0, and the slope beside it positive all the same.
SQRT_SLOPE: Op = elementwise(
    "sqrt_slope",
    _half_over,
    lambda s, y: -2 * (s * s),
    meaning=lambda S, y: 1 / (2 * y),
    torch="Div",
    saves=(0,),
    doc="The derivative of the square root, by the root.",
)
SQRT = elementwise(
    "sqrt",
    np.sqrt,
    lambda y, x: bind(SQRT_SLOPE, y),
    meaning=lambda S, x: S.sqrt(x),
    torch="Sqrt",
    saves=("y",),
    doc="Square root.",
)
RSQRT = elementwise(
    "rsqrt",
    lambda x: 1 / np.sqrt(x),
    lambda y, x: -0.5 * y / x,
    meaning=lambda S, x: 1 / S.sqrt(x),
    torch="Rsqrt",
    saves=("y",),
    doc="One over the square root.",
)


@quiet
def _cbrt_slope(x: Any) -> Any:
    """cbrt(x)/(3 x), by a quotient that can't overflow; infinite at 0, and 0 at infinity."""
    y = np.cbrt(x)
    return np.where(np.isinf(x), 0 / np.abs(y), np.where(x == 0, np.inf, y / x / 3)).astype(y.dtype)


CBRT_SLOPE: Op = elementwise(
    "cbrt_slope",
    _cbrt_slope,
    lambda s, x: (-2 / 3) * (s / x),
    meaning=lambda S, x: S.cbrt(x) / (3 * x),
    doc="The derivative of the cube root.",
)
CBRT = elementwise(
    "cbrt",
    np.cbrt,
    lambda y, x: bind(CBRT_SLOPE, x),
    meaning=lambda S, x: S.cbrt(x),
    saves=(0,),
    doc="Cube root.",
)
RECIPROCAL = elementwise(
    "reciprocal",
    lambda x: np.true_divide(1, x),
    lambda y, x: -y * y,
    meaning=lambda S, x: 1 / x,
    torch="Reciprocal",
    saves=("y",),
    doc="One over x.",
)
square = elementwise_function(SQUARE, floats=False, derivative="2*x", cases=(COMPLEX_CASE,))
sqrt = elementwise_function(
    SQRT,
    derivative="1/(2*sqrt(x))",
    domain=(0.2, 3.0),
    defined="x > 0",
    kinks="x = 0: infinite, as in PyTorch; at -0.0 too",
    cases=(COMPLEX_CASE,),
)
rsqrt = elementwise_function(
    RSQRT,
    derivative="-1/(2*x*sqrt(x))",
    domain=(0.2, 3.0),
    defined="x > 0",
    where="torch method",
    also=("jax.lax.rsqrt",),
    cases=(COMPLEX_CASE,),
)
cbrt = elementwise_function(
    CBRT,
    derivative="1/(3*cbrt(x)**2)",
    domain=(0.2, 3.0),
    defined="x != 0",
    kinks="x = 0: infinite, the limit from both sides",
    where="numpy",
    also=("scipy.special.cbrt",),
    cases=(case(np.array([-8.0, -0.3])),),
)
reciprocal = elementwise_function(
    RECIPROCAL, derivative="-1/x**2", domain=(0.5, 2.0), defined="x != 0", cases=(COMPLEX_CASE,)
)


# --- exponentials and logarithms ---

_LN2, _LOG2_E, _LOG10_E = 0.6931471805599453, 1.4426950408889634, 0.4342944819032518

EXP = elementwise(
    "exp",
    np.exp,
    lambda y, x: y,
    meaning=lambda S, x: S.exp(x),
    torch="Exp",
    saves=("y",),
    doc="e to the power x.",
)
EXP2 = elementwise(
    "exp2",
    np.exp2,
    lambda y, x: y * _LN2,
    meaning=lambda S, x: S.pow(2, x),
    torch="Exp2",
    saves=("y",),
    doc="2 to the power x.",
)
EXPM1 = elementwise(
    "expm1",
    np.expm1,
    lambda y, x: exp(x),
    meaning=lambda S, x: S.exp(x) - 1,
    torch="Expm1",
    saves=("y",),
    doc="exp(x) - 1, exact near 0.",
)
LOG = elementwise(
    "log",
    np.log,
    lambda y, x: 1 / x,
    meaning=lambda S, x: S.log(x),
    torch="Log",
    saves=(0,),
    doc="Natural logarithm.",
)
LOG2 = elementwise(
    "log2",
    np.log2,
    lambda y, x: _LOG2_E / x,
    meaning=lambda S, x: S.log(x) / S.log(2),
    torch="Log2",
    saves=(0,),
    doc="Logarithm to base 2.",
)
LOG10 = elementwise(
    "log10",
    np.log10,
    lambda y, x: _LOG10_E / x,
    meaning=lambda S, x: S.log(x) / S.log(10),
    torch="Log10",
    saves=(0,),
    doc="Logarithm to base 10.",
)


def _log1p(x: Any) -> Any:
    """Of complex x near 0 by the real function: NumPy's takes the logarithm of a modulus near 1."""
    found = np.log1p(x)
    if x.dtype.kind == "c":
        near = np.abs(x) < 0.5
        found = np.asarray(found)
        found.real = np.where(near, np.log1p(x.real * (2 + x.real) + x.imag * x.imag) / 2, found.real)
    return found


LOG1P = elementwise(
    "log1p",
    _log1p,
    lambda y, x: 1 / (1 + x),
    meaning=lambda S, x: S.log(1 + x),
    torch="Log1P",
    saves=(0,),
    doc="log(1 + x), exact near 0.",
)

exp: Function = elementwise_function(EXP, derivative="exp(x)", cases=(COMPLEX_CASE,))
exp2 = elementwise_function(EXP2, derivative="log(2)*2**x", also=("torch.special.exp2",))
expm1 = elementwise_function(
    EXPM1, derivative="exp(x)", also=("scipy.special.expm1", "torch.special.expm1"), cases=(COMPLEX_CASE,)
)
log = elementwise_function(
    LOG, derivative="1/x", domain=(0.2, 3.0), defined="x > 0", also=("ln",), cases=(COMPLEX_CASE,)
)
log2 = elementwise_function(LOG2, derivative="1/(x*log(2))", domain=(0.2, 3.0), defined="x > 0", cases=(COMPLEX_CASE,))
log10 = elementwise_function(
    LOG10, derivative="1/(x*log(10))", domain=(0.2, 3.0), defined="x > 0", cases=(COMPLEX_CASE,)
)
log1p = elementwise_function(
    LOG1P,
    derivative="1/(1 + x)",
    domain=(-0.5, 3.0),
    defined="x > -1",
    also=("scipy.special.log1p", "torch.special.log1p"),
    cases=(COMPLEX_CASE,),
)
