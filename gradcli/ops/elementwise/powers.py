"""Powers, roots, exponentials and logarithms."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.values import OPERATORS, CoreValue, dtype_of
from gradcli.ops.elementwise.comparison import equal, greater_equal, logical_and
from gradcli.ops.elementwise.pairs import BROADCASTS, PAIR
from gradcli.ops.elementwise.piecewise import where
from gradcli.ops.function import Function
from gradcli.ops.kinds import elementwise
from gradcli.ops.registry import elementwise_function


def _power(x: Any, y: Any) -> Any:
    """`x**y`; integers to a negative power are floats here, where NumPy refuses."""
    if dtype_of(x).kind in "iub" and dtype_of(y).kind in "iub" and np.any(np.asarray(y) < 0):
        return np.power(np.asarray(x, dtype=np.float64), y)
    return np.power(x, y)


def _power_partial_base(z: CoreValue, x: CoreValue, y: CoreValue) -> CoreValue:
    if isinstance(y, int | float):  # the common case, in the form that needs no second power where none is needed
        if y == 2:
            return 2 * x
        return 0.0 if y == 0 else y * x ** (y - 1)
    # y * x**(y - 1), which at y = 0 is 0 even where x**-1 is infinite (PyTorch's choice).
    return where(equal(y, 0), 0.0, y * power(x, where(equal(y, 0), 1.0, y - 1)))


def _power_partial_exponent(z: CoreValue, x: CoreValue, y: CoreValue) -> CoreValue:
    # x**y * log(x); at x = 0 the limit for y > 0 is 0, and PyTorch takes 0 for y = 0 too.
    at_zero = logical_and(equal(x, 0), greater_equal(y, 0))
    return where(at_zero, 0.0, z * log(where(at_zero, 1.0, to_floating(x))))


def _pow_node(operands: tuple[CoreValue, ...], params: dict[str, Any]) -> Any:
    """One node for each kind of operands: a number as the exponent, two tensors, a number as the base."""
    if not hasattr(operands[1], "dtype"):
        return ("PowBackward0", (0,))
    return ("PowBackward1", (0, 1)) if hasattr(operands[0], "dtype") else ("PowBackward2", (1,))


POW = elementwise(
    "power",
    _power,
    _power_partial_base,
    _power_partial_exponent,
    meaning=lambda S, x, y: S.pow(x, y),
    torch=_pow_node,
    saves=(0, 1, ("y", 1)),
    doc="x to the power y.",
)
power = elementwise_function(
    POW,
    parameters=PAIR,
    floats=False,
    derivative="y*x**(y - 1), x**y*log(x)",
    domain=(0.3, 2.5),
    also=("torch.pow", ".pow", "math.pow", "numpy.pow"),
    cases=BROADCASTS,
)
SQUARE = elementwise(
    "square",
    np.square,
    lambda y, x: 2 * x,
    meaning=lambda S, x: x * x,
    torch="Pow",
    saves=(0,),
    doc="x times x.",
)
square = elementwise_function(SQUARE, floats=False, derivative="2*x")
SQRT = elementwise(
    "sqrt",
    np.sqrt,
    lambda y, x: 0.5 / y,
    meaning=lambda S, x: S.sqrt(x),
    torch="Sqrt",
    saves=("y",),
    doc="Square root.",
)
sqrt = elementwise_function(SQRT, derivative="1/(2*sqrt(x))", domain=(0.2, 3.0))
RSQRT = elementwise(
    "rsqrt",
    lambda x: 1 / np.sqrt(x),
    lambda y, x: -0.5 * y / x,
    meaning=lambda S, x: 1 / S.sqrt(x),
    torch="Rsqrt",
    saves=("y",),
    doc="One over the square root.",
)
rsqrt = elementwise_function(
    RSQRT, derivative="-1/(2*x*sqrt(x))", domain=(0.2, 3.0), where="torch method", also=("jax.lax.rsqrt",)
)
CBRT = elementwise(
    "cbrt",
    np.cbrt,
    lambda y, x: 1 / (3 * y * y),
    meaning=lambda S, x: S.cbrt(x),
    saves=("y",),
    doc="Cube root.",
)
cbrt = elementwise_function(
    CBRT, derivative="1/(3*cbrt(x)**2)", domain=(0.2, 3.0), where="numpy", also=("scipy.special.cbrt",)
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
reciprocal = elementwise_function(RECIPROCAL, derivative="-1/x**2", domain=(0.5, 2.0))


# --- exponentials and logarithms ---


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
    lambda y, x: 1 / (x * _LN2),
    meaning=lambda S, x: S.log(x) / S.log(2),
    torch="Log2",
    saves=(0,),
    doc="Logarithm to base 2.",
)
LOG10 = elementwise(
    "log10",
    np.log10,
    lambda y, x: 1 / (x * _LN10),
    meaning=lambda S, x: S.log(x) / S.log(10),
    torch="Log10",
    saves=(0,),
    doc="Logarithm to base 10.",
)
LOG1P = elementwise(
    "log1p",
    np.log1p,
    lambda y, x: 1 / (1 + x),
    meaning=lambda S, x: S.log(1 + x),
    torch="Log1P",
    saves=(0,),
    doc="log(1 + x), exact near 0.",
)
_LN2 = 0.6931471805599453
_LN10 = 2.302585092994046

exp: Function = elementwise_function(EXP, derivative="exp(x)")
exp2 = elementwise_function(EXP2, derivative="log(2)*2**x", also=("torch.special.exp2",))
expm1 = elementwise_function(EXPM1, derivative="exp(x)", also=("scipy.special.expm1",))
log = elementwise_function(LOG, derivative="1/x", domain=(0.2, 3.0), also=("ln", "math.log"))
log2 = elementwise_function(LOG2, derivative="1/(x*log(2))", domain=(0.2, 3.0))
log10 = elementwise_function(LOG10, derivative="1/(x*log(10))", domain=(0.2, 3.0))
log1p = elementwise_function(LOG1P, derivative="1/(1 + x)", domain=(-0.5, 3.0), also=("scipy.special.log1p",))


def to_floating(x: CoreValue) -> CoreValue:
    """`x`, or a float tensor of it if it is of integers."""
    return OPERATORS["astype"](x, np.dtype(np.float64)) if hasattr(x, "dtype") and x.dtype.kind in "iub" else x
