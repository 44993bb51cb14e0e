"""Smooth steps and their integrals: sigmoid, softplus, logaddexp."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.values import CoreValue
from gradcli.ops.elementwise.comparison import greater
from gradcli.ops.elementwise.pairs import BROADCASTS, PAIR
from gradcli.ops.elementwise.piecewise import where
from gradcli.ops.elementwise.trigonometry import sech_squared
from gradcli.ops.function import case
from gradcli.ops.kinds import elementwise
from gradcli.ops.operands import operands
from gradcli.ops.registry import elementwise_function, function


def _sigmoid_value(x: Any) -> Any:
    if x.dtype.kind == "c":
        return 1 / (1 + np.exp(-x))
    t = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, t) / (1 + t)


def _softplus_value(x: Any, beta: float = 1.0, threshold: float = np.inf) -> Any:
    scaled = beta * x
    smooth = (np.maximum(scaled, 0) + np.log1p(np.exp(-np.abs(scaled)))) / beta
    return np.where(scaled > threshold, x, smooth) if threshold < np.inf else smooth


def _softplus_partial(y: CoreValue, x: CoreValue, beta: float = 1.0, threshold: float = np.inf) -> CoreValue:
    smooth = sigmoid(beta * x)
    return where(greater(beta * x, threshold), 1.0, smooth) if threshold < np.inf else smooth


def _softplus_meaning(S: Any, x: Any, beta: float = 1.0, threshold: float = np.inf) -> Any:
    smooth = S.log(1 + S.exp(S.number(beta) * x)) / S.number(beta)
    return smooth if threshold == np.inf else S.where(S.gt(S.number(beta) * x, S.number(threshold)), x, smooth)


def _sigmoid_partial(y: CoreValue, x: CoreValue) -> CoreValue:
    return 0.25 * sech_squared(0.5 * x)


SIGMOID = elementwise(
    "sigmoid",
    _sigmoid_value,
    _sigmoid_partial,
    meaning=lambda S, x: 1 / (1 + S.exp(-x)),
    torch="Sigmoid",
    saves=("y",),
    doc="1/(1 + exp(-x)), the logistic function.",
)
SOFTPLUS = elementwise(
    "softplus",
    _softplus_value,
    _softplus_partial,
    meaning=_softplus_meaning,
    torch="Softplus",
    saves=(0,),
    doc="log(1 + exp(x)), without overflow.",
)
sigmoid = elementwise_function(
    SIGMOID,
    derivative="sigmoid(x)*(1 - sigmoid(x))",
    where="torch method F",
    also=("scipy.special.expit", "torch.special.expit", "jax.nn.sigmoid", ".expit"),
)


@function(
    family="elementwise",
    where="",
    also=("jax.nn.softplus", "softplus"),
    op=SOFTPLUS,
    derivative="sigmoid(x)",
)
def softplus(x: Any) -> CoreValue:
    """log(1 + exp(x)), without overflow."""
    return bind(SOFTPLUS, *operands((x,), True))


@function(
    "softplus_torch",
    family="elementwise",
    where="",
    also=("torch.nn.functional.softplus",),
    op=SOFTPLUS,
    derivative="sigmoid(beta*input)",
    cases=(case((3,), beta=2.0), case((3,), beta=1.0, threshold=0.5)),
)
def softplus_torch(input: Any, beta: float = 1.0, threshold: float = 20.0) -> CoreValue:
    """log(1 + exp(beta*x))/beta, and x itself where beta*x > threshold, as PyTorch computes it."""
    return bind(SOFTPLUS, *operands((input,), True), beta=float(beta), threshold=float(threshold))


LOGADDEXP = elementwise(
    "logaddexp",
    np.logaddexp,
    lambda z, x, y: sigmoid(x - y),
    lambda z, x, y: sigmoid(y - x),
    meaning=lambda S, x, y: S.log(S.exp(x) + S.exp(y)),
    torch="Logaddexp",
    saves=(0, 1),
    doc="log(exp(x) + exp(y)), without overflow.",
)
logaddexp = elementwise_function(
    LOGADDEXP, parameters=PAIR, derivative="sigmoid(x - y), sigmoid(y - x)", cases=BROADCASTS
)
