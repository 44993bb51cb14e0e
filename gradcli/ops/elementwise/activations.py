"""Rectifiers: activation functions that are x above 0 and something flatter below it."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import OPERATORS, CoreValue, ndim_of, shape_of
from gradcli.ops.elementwise.choices import choosing, clip, either, where
from gradcli.ops.elementwise.comparison import greater, less_equal
from gradcli.ops.elementwise.powers import exp
from gradcli.ops.elementwise.real_operands import real_operand
from gradcli.ops.function import case
from gradcli.ops.kinds import elementwise, fits
from gradcli.ops.registry import function

RELU = choosing(
    "relu",
    lambda x: np.maximum(x, x.dtype.type(0)),
    lambda t, x: where(less_equal(x, 0), 0.0, t),
    meaning=lambda S, x: S.max(x, 0),
    torch="Relu",
    kink=lambda x: x == 0,
    saves=("y",),
    doc="max(x, 0); the derivative at 0 is 0.",
)
LEAKY_RELU: Op = elementwise(
    "leaky_relu",
    lambda x, *, slope: np.where(x > 0, x, slope * x).astype(x.dtype),
    lambda y, x, *, slope: either(greater(x, 0), 1.0, slope, x),
    meaning=lambda S, x, *, slope: S.where(S.gt(x, 0), x, S.number(slope) * x),
    torch="LeakyRelu",
    kink=lambda x, *, slope: (x == 0) & (slope != 1),
    saves=(0,),
    doc="x, and slope*x below 0.",
)


def _elu(x: Any, *, alpha: float, scale: float) -> Any:
    return (scale * np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))).astype(x.dtype)


def _elu_slope(y: CoreValue, x: CoreValue, *, alpha: float, scale: float) -> CoreValue:
    below = (scale * alpha) * exp(clip.call(x, None, 0.0))
    return where(greater(x, 0), scale, below)


ELU: Op = elementwise(
    "elu",
    _elu,
    _elu_slope,
    meaning=lambda S, x, *, alpha, scale: (
        S.number(scale) * S.where(S.gt(x, 0), x, S.number(alpha) * (S.exp(S.min(x, 0)) - 1))
    ),
    torch="Elu",
    kink=lambda x, *, alpha, scale: (x == 0) & (alpha != 1),
    saves=(0,),
    doc="x, and alpha*(exp(x) - 1) below 0, times scale.",
)
CELU: Op = elementwise(
    "celu",
    lambda x, *, alpha: np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0) / alpha)).astype(x.dtype),
    lambda y, x, *, alpha: where(greater(x, 0), 1.0, exp(clip.call(x, None, 0.0) / alpha)),
    meaning=lambda S, x, *, alpha: S.where(S.gt(x, 0), x, S.number(alpha) * (S.exp(S.min(x, 0) / S.number(alpha)) - 1)),
    torch="Celu",
    saves=(0,),
    doc="x, and alpha*(exp(x/alpha) - 1) below 0, which is smooth.",
)
#: Klambauer et al., "Self-normalizing neural networks": the fixed point of mean 0 and variance 1.
_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805
_CASES = (case((4,)), case((2, 3)), case(()))
_BELOW = "x = 0: {}, as in PyTorch"


@function(
    family="activation",
    where="torch method F",
    also=("jax.nn.relu",),
    op=RELU,
    derivative="input > 0",
    kinks=_BELOW.format(0),
    cases=_CASES,
)
def relu(input: Any, inplace: bool = False) -> CoreValue:
    """max(x, 0); the derivative at 0 is 0."""
    return bind(RELU, real_operand("relu", input, floats=False))


@function(
    family="activation",
    where="F",
    also=("jax.nn.leaky_relu",),
    op=LEAKY_RELU,
    derivative="where(input > 0, 1, negative_slope)",
    kinks=_BELOW.format("negative_slope"),
    cases=_CASES,
)
def leaky_relu(input: Any, negative_slope: float = 0.01, inplace: bool = False) -> CoreValue:
    """x, and negative_slope*x below 0."""
    return bind(LEAKY_RELU, real_operand("leaky_relu", input), slope=float(negative_slope))


@function(
    family="activation",
    where="F",
    also=("torch.rrelu",),
    op=LEAKY_RELU,
    derivative="where(input > 0, 1, (lower + upper)/2)",
    kinks=_BELOW.format("(lower + upper)/2"),
    cases=_CASES,
)
def rrelu(
    input: Any, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False, inplace: bool = False
) -> CoreValue:
    """x, and (lower + upper)/2*x below 0: what a random slope is once training is over."""
    if training:
        raise ArgumentError("rrelu: training=True draws random slopes", mend="prelu(x, slopes) takes them as a tensor")
    return bind(LEAKY_RELU, real_operand("rrelu", input), slope=(float(lower) + float(upper)) / 2)


@function(
    family="activation",
    where="torch method F",
    derivative="vjp: where(input > 0, 1, weight)*g, and where(input > 0, 0, input)*g summed to the weights",
    kinks="input = 0: weight, as in PyTorch",
    cases=(
        case((4,), [0.25]),
        case((2, 3), (3,)),
        case((2, 3, 2), (3,)),
        case((2, 3), (1,)),
        case((), (1,)),
        case((3,), ()),
    ),
)
def prelu(input: Any, weight: Any) -> CoreValue:
    """x, and weight*x below 0; one weight, or one for every channel (the second axis)."""
    x, slopes = real_operand("prelu", input), real_operand("prelu", weight)
    count = shape_of(slopes)[0] if ndim_of(slopes) else 1
    if ndim_of(slopes) > 1:
        raise ShapeError(f"prelu: weight is a number or has one axis, not shape {fits(shape_of(slopes))}")
    if count != 1:
        channels = shape_of(x)[1] if ndim_of(x) > 1 else 1
        if channels != count:
            raise ShapeError(f"prelu: {count} weights for {channels} channels, input of shape {fits(shape_of(x))}")
        slopes = OPERATORS["reshape"](slopes, (count, *(1,) * (ndim_of(x) - 2)))
    elif ndim_of(slopes):
        slopes = OPERATORS["reshape"](slopes, ())
    return where(greater(x, 0), x, slopes * x)


@function(
    family="activation",
    where="F",
    also=("jax.nn.elu",),
    op=ELU,
    derivative="where(input > 0, 1, alpha*exp(input))",
    kinks=_BELOW.format("alpha"),
    source="Clevert, Unterthiner and Hochreiter 2015",
    cases=(*_CASES, case((3,), alpha=0.5)),
)
def elu(input: Any, alpha: float = 1.0, inplace: bool = False) -> CoreValue:
    """x, and alpha*(exp(x) - 1) below 0."""
    return bind(ELU, real_operand("elu", input), alpha=float(alpha), scale=1.0)


@function(
    family="activation",
    where="F",
    also=("jax.nn.celu", "torch.celu"),
    op=CELU,
    derivative="where(input > 0, 1, exp(minimum(input, 0)/alpha))",
    kinks="x = 0: none of the first derivative; the second is the lower side's, 1/alpha",
    source="Barron 2017",
    cases=(*_CASES, case((3,), alpha=0.5), case((3,), alpha=-2.0)),
)
def celu(input: Any, alpha: float = 1.0, inplace: bool = False) -> CoreValue:
    """x, and alpha*(exp(x/alpha) - 1) below 0, which has no kink."""
    if alpha == 0:
        raise ArgumentError("celu: alpha must not be 0")
    return bind(CELU, real_operand("celu", input), alpha=float(alpha))


@function(
    family="activation",
    where="F",
    also=("jax.nn.selu", "torch.selu"),
    op=ELU,
    derivative="1.0507009873554805*where(input > 0, 1, 1.6732632423543772*exp(input))",
    kinks=_BELOW.format("1.7580993408473766, the lower side's"),
    source="Klambauer, Unterthiner, Mayr and Hochreiter 2017",
    cases=_CASES,
)
def selu(input: Any, inplace: bool = False) -> CoreValue:
    """The elu whose constants keep mean 0 and variance 1."""
    return bind(ELU, real_operand("selu", input), alpha=_SELU_ALPHA, scale=_SELU_SCALE)
