"""Absolute values, signs, and values put together from a size and a sign."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import DtypeError
from gradcli.graph.op import Op
from gradcli.graph.values import OPERATORS, CoreValue, dtype_of
from gradcli.ops.elementwise.choices import where
from gradcli.ops.elementwise.comparison import equal
from gradcli.ops.elementwise.complex_parts import real
from gradcli.ops.elementwise.limits import quiet
from gradcli.ops.elementwise.pairs import BROADCASTS, COMPLEX_CASE, PAIR
from gradcli.ops.function import Function, case
from gradcli.ops.kinds import conj, constant, elementwise, elementwise_general
from gradcli.ops.operands import operands
from gradcli.ops.registry import elementwise_function, function


@quiet
def _unit(z: Any) -> Any:
    """z/|z| of complex numbers, 0 at 0: brought near 1 first, so that |z| neither overflows nor loses digits."""
    size = np.maximum(np.abs(z.real), np.abs(z.imag))
    exponent = np.frexp(np.where(np.isfinite(size), size, 1))[1]
    re, im = (_brought_near(part, exponent, np.isinf(size)) for part in (z.real, z.imag))
    radius = np.hypot(re, im)
    radius = np.where(radius == 0, radius.dtype.type(1), radius)
    return ((re / radius) + 1j * (im / radius)).astype(z.dtype)


def _brought_near(part: Any, exponent: Any, infinite: Any) -> Any:
    scaled = np.ldexp(part, -exponent)
    return np.where(infinite, np.where(np.isinf(part), np.sign(part), 0 * scaled), scaled)


def _sign_or_zero(x: Any) -> Any:
    """The sign as PyTorch has it: of nan, 0."""
    if x.dtype.kind == "c":
        return np.where(np.isnan(x), x.dtype.type(0), _unit(x))
    return np.where(np.isnan(x), x.dtype.type(0), np.sign(x))


def _turning(t: CoreValue, y: CoreValue, x: CoreValue) -> CoreValue:
    """The derivative of x/|x|, which turns with x and does not stretch: the part of t across x, over |x|."""
    if dtype_of(x).kind != "c":
        return OPERATORS["zeros_like"](x)
    size = absolute(x)
    along = y * real(conj(y) * t)
    return where(equal(size, 0), 0.0, (t - along) / where(equal(size, 0), 1.0, size))


def _abs_tangent(t: CoreValue, x: CoreValue) -> CoreValue:
    return real(t * conj(sgn(x))) if dtype_of(x).kind == "c" else t * sgn(x)


# Of a complex x it is real, and not holomorphic: the cotangent is g * x/|x|, as PyTorch has it.
ABS = elementwise_general(
    "absolute",
    np.absolute,
    vjps=(lambda g, y, x: g * sgn(x),),
    jvp=lambda ts, y, x: _abs_tangent(ts[0], x),
    meaning=lambda S, x: S.abs(x),
    torch="Abs",
    kink=lambda x: x == 0,
    saves=(0,),
    doc="Absolute value; the derivative at 0 is 0.",
)
SIGN = elementwise(
    "sign", np.sign, 0, meaning=lambda S, x: S.sign(x), torch="Sign", kink=lambda x: x == 0, doc="-1, 0 or 1."
)
SIGN_TORCH = elementwise(
    "sign_torch",
    _sign_or_zero,
    0,
    meaning=lambda S, x: S.sign(x),
    torch="Sign",
    kink=lambda x: x == 0,
    doc="-1, 0 or 1; of nan, 0.",
)
SGN = elementwise_general(
    "sgn",
    _sign_or_zero,
    vjps=(lambda g, y, x: _turning(g, y, x),),
    jvp=lambda ts, y, x: _turning(ts[0], y, x),
    meaning=lambda S, x: S.sign(x),
    torch="Sgn",
    kink=lambda x: x == 0,
    doc="x/|x|, and 0 at 0 and nan.",
)
COPYSIGN: Op = elementwise(
    "copysign",
    np.copysign,
    lambda z, x, y: sgn(z) * sgn(x),
    0,
    meaning=lambda S, x, y: S.where(S.lt(y, 0), -S.abs(x), S.abs(x)),
    torch=lambda operands, params: "CopysignBackward0" if hasattr(operands[1], "dtype") else "CopysignBackward1",
    kink=lambda x, y: (x == 0) | (y == 0),
    saves=(0, "y"),
    doc="The size of x with the sign of y.",
)
HEAVISIDE: Op = elementwise_general(
    "heaviside",
    np.heaviside,
    vjps=(None, lambda g, z, x, y: where(equal(x, 0), g, 0.0)),
    jvp=lambda ts, z, x, y: None if ts[1] is None else where(equal(x, 0), ts[1], 0.0),
    meaning=lambda S, x, y: S.where(S.eq(x, 0), y, S.where(S.gt(x, 0), 1, 0)),
    kink=lambda x, y: x == 0,
    saves=(0,),
    doc="0 for negative x, 1 for positive x, and y where x is 0.",
)
SIGNBIT = constant("signbit", np.signbit, meaning=lambda S, x: S.lt(x, 0), doc="Whether the sign is a minus.")

_SLOPE = "x = 0: 0, as in PyTorch"
absolute = elementwise_function(
    ABS,
    floats=False,
    derivative="sign(x)",
    also=("numpy.abs", "torch.abs", ".abs"),
    domain=(0.2, 2.0),
    kinks=_SLOPE,
    cases=(case((3,)), case(np.array([-0.5, 1.5])), COMPLEX_CASE),
)


@function(
    "fabs",
    family="elementwise",
    op=ABS,
    where="numpy",
    also=("math.fabs",),
    derivative="sign(x)",
    domain=(0.2, 2.0),
    kinks=_SLOPE,
    cases=(case((3,)), case(np.array([1, -2]))),
)
def fabs(x: Any) -> CoreValue:
    """Absolute value, as a float; the derivative at 0 is 0."""
    return bind(ABS, *operands((x,), True))


_JUMP = "x = 0: a jump; the derivative is 0, as in PyTorch"


@function(
    family="elementwise",
    op=SIGN,
    where="numpy",
    also=(".sign@numpy",),
    derivative="0",
    kinks=_JUMP,
    cases=(case((3,)), COMPLEX_CASE),
)
def sign(x: Any) -> CoreValue:
    """-1, 0 or 1; of a complex number x/|x|."""
    (found,) = operands((x,), False)
    return bind(SGN if dtype_of(found).kind == "c" else SIGN, found)


_NO_COMPLEX_SIGN = "Unlike NumPy, torch.sign is not intended to support complex numbers. Please use torch.sgn instead."


@function(
    "sign_torch",
    family="elementwise",
    op=SIGN_TORCH,
    where="",
    also=("torch.sign", ".sign@torch"),
    derivative="0",
    kinks=_JUMP,
    cases=(case((3,)), case(np.array([1, -2]))),
)
def sign_torch(input: Any) -> CoreValue:
    """-1, 0 or 1; of nan, 0."""
    (found,) = operands((input,), False)
    if dtype_of(found).kind == "c":
        raise DtypeError(_NO_COMPLEX_SIGN)
    return bind(SIGN_TORCH, found)


sgn: Function = elementwise_function(
    SGN,
    floats=False,
    derivative="0",
    where="torch method",
    kinks="x = 0: a jump; the derivative is 0, as in PyTorch, for complex x too",
    source="of complex x, x/|x|: the derivative turns, (g - y Re(conj(y) g))/|x|, as PyTorch's sgn has it",
    cases=(COMPLEX_CASE,),
)
copysign = elementwise_function(
    COPYSIGN,
    parameters=PAIR,
    derivative="sign(x)*sign(y), 0",
    kinks="x = 0: 0, as in PyTorch; y = 0: a jump, where a zero's own sign decides",
    domain=(0.2, 2.0),
    cases=(*BROADCASTS, case(np.array([1.5, -0.5, 2.0]), np.array([-1.0, -2.0, 0.5]))),
)
heaviside = elementwise_function(
    HEAVISIDE,
    parameters=PAIR,
    derivative="0, x == 0",
    kinks="x = 0: a jump; the derivative in x is 0, that in y is 1",
    cases=(*BROADCASTS, case(np.array([-1, 0, 2]), (3,))),
)
signbit = elementwise_function(SIGNBIT, floats=False, family="logic")
