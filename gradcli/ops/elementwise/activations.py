"""Activation functions of torch.nn.functional that are made of others, or have a slope of their own."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.elementwise.comparison import greater, less, logical_and
from gradcli.ops.elementwise.piecewise import absolute, clip, where
from gradcli.ops.elementwise.powers import exp
from gradcli.ops.elementwise.smooth_steps import sigmoid
from gradcli.ops.function import case
from gradcli.ops.kinds import elementwise
from gradcli.ops.operands import operands
from gradcli.ops.registry import function

LEAKY_RELU: Op = elementwise(
    "leaky_relu",
    lambda x, *, slope: np.where(x > 0, x, slope * x).astype(x.dtype),
    lambda y, x, *, slope: where(greater(x, 0), 1.0, slope),
    meaning=lambda S, x, *, slope: S.where(S.gt(x, 0), x, S.number(slope) * x),
    torch="LeakyRelu",
    kink=lambda x, *, slope: x == 0,
    saves=(0,),
    doc="x, and slope*x below 0.",
)
ELU: Op = elementwise(
    "elu",
    lambda x, *, alpha, scale: (scale * np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))).astype(x.dtype),
    lambda y, x, *, alpha, scale: scale * where(greater(x, 0), 1.0, alpha * exp(clip.call(x, None, 0.0))),
    meaning=lambda S, x, *, alpha, scale: (
        S.number(scale) * S.where(S.gt(x, 0), x, S.number(alpha) * (S.exp(S.min(x, 0)) - 1))
    ),
    torch="Elu",
    kink=lambda x, *, alpha, scale: (x == 0) & (alpha != 1),
    saves=(0,),
    doc="x, and alpha*(exp(x) - 1) below 0, times scale.",
)
LOGSIGMOID: Op = elementwise(
    "logsigmoid",
    lambda x: np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x))),
    lambda y, x: sigmoid(-x),
    meaning=lambda S, x: -S.log(1 + S.exp(-x)),
    torch="LogSigmoid",
    saves=(0,),
    doc="log(sigmoid(x)).",
)
# PyTorch's choice: the ends of the interval have no derivative.
HARDTANH: Op = elementwise(
    "hardtanh",
    lambda x, *, low, high: np.clip(x, low, high).astype(x.dtype),
    lambda y, x, *, low, high: where(logical_and(greater(x, low), less(x, high)), 1.0, 0.0),
    meaning=lambda S, x, *, low, high: S.min(S.max(x, S.number(low)), S.number(high)),
    torch="Hardtanh",
    kink=lambda x, *, low, high: (x == low) | (x == high),
    saves=(0,),
    doc="x, or the nearer end of an interval, where the derivative is 0.",
)
#: Klambauer et al., "Self-normalizing neural networks": the fixed point of mean 0 and variance 1.
_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805
_CASES = (case((4,)), case((2, 3)), case(()))


@function(
    family="elementwise",
    where="F",
    also=("jax.nn.leaky_relu",),
    op=LEAKY_RELU,
    derivative="where(input > 0, 1, negative_slope)",
    cases=_CASES,
)
def leaky_relu(input: Any, negative_slope: float = 0.01) -> CoreValue:
    """x, and negative_slope*x below 0."""
    return bind(LEAKY_RELU, *operands((input,), True), slope=float(negative_slope))


@function(
    family="elementwise",
    where="F",
    also=("jax.nn.elu",),
    op=ELU,
    derivative="where(input > 0, 1, alpha*exp(input))",
    cases=(*_CASES, case((3,), alpha=0.5)),
)
def elu(input: Any, alpha: float = 1.0) -> CoreValue:
    """x, and alpha*(exp(x) - 1) below 0."""
    return bind(ELU, *operands((input,), True), alpha=float(alpha), scale=1.0)


@function(
    family="elementwise",
    where="F",
    also=("jax.nn.selu", "torch.selu"),
    op=ELU,
    derivative="1.0507009873554805*where(input > 0, 1, 1.6732632423543772*exp(input))",
    cases=_CASES,
)
def selu(input: Any) -> CoreValue:
    """The elu whose constants keep mean 0 and variance 1."""
    return bind(ELU, *operands((input,), True), alpha=_SELU_ALPHA, scale=_SELU_SCALE)


@function(
    family="elementwise",
    where="F",
    also=("jax.nn.log_sigmoid", "scipy.special.log_expit"),
    op=LOGSIGMOID,
    derivative="sigmoid(-input)",
    cases=_CASES,
)
def logsigmoid(input: Any) -> CoreValue:
    """log(sigmoid(x)), without overflow."""
    return bind(LOGSIGMOID, *operands((input,), True))


@function(family="elementwise", where="F", also=("jax.nn.soft_sign",), derivative="1/(1 + abs(x))**2", cases=_CASES)
def softsign(input: Any) -> CoreValue:
    """x/(1 + abs(x))."""
    (x,) = operands((input,), True)
    return x / (1 + absolute(x))


@function(
    family="elementwise",
    where="F",
    also=("jax.nn.hard_tanh",),
    derivative="(input > min_val) & (input < max_val)",
    op=HARDTANH,
    cases=_CASES,
)
def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0) -> CoreValue:
    """x, or the nearer end of [min_val, max_val]; the derivative at the ends is 0."""
    return bind(HARDTANH, *operands((input,), True), low=float(min_val), high=float(max_val))


@function(
    family="elementwise",
    where="F",
    also=("jax.nn.relu6",),
    op=HARDTANH,
    derivative="(input > 0) & (input < 6)",
    cases=_CASES,
)
def relu6(input: Any) -> CoreValue:
    """x, or the nearer end of [0, 6]; the derivative at the ends is 0."""
    return bind(HARDTANH, *operands((input,), True), low=0.0, high=6.0)
