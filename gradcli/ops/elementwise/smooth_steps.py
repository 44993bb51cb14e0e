"""Smooth steps and their integrals: sigmoid, softplus, logsigmoid, logaddexp."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.elementwise.choices import where
from gradcli.ops.elementwise.comparison import greater
from gradcli.ops.elementwise.hyperbolic import sech_squared
from gradcli.ops.elementwise.limits import gap, quiet
from gradcli.ops.elementwise.pairs import BROADCASTS, COMPLEX_CASE, PAIR
from gradcli.ops.elementwise.real_operands import real_operand
from gradcli.ops.function import Function, case
from gradcli.ops.kinds import elementwise
from gradcli.ops.registry import elementwise_function, function

_LN2 = 0.6931471805599453


def sigmoid_value(x: Any) -> Any:
    """1/(1 + exp(-x)), whose exponential never overflows."""
    if x.dtype.kind == "c":
        left = x.real < 0
        t = np.exp(np.where(left, x, -x))
        return np.where(left, t, 1) / (1 + t)
    t = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, t) / (1 + t)


def _softplus_value(x: Any, beta: float = 1.0, threshold: float = np.inf) -> Any:
    scaled = beta * x
    smooth = np.where(scaled > 0, x, 0) + np.log1p(np.exp(-np.abs(scaled))) / beta
    return np.where(scaled > threshold, x, smooth) if threshold < np.inf else smooth


def _softplus_partial(y: CoreValue, x: CoreValue, beta: float = 1.0, threshold: float = np.inf) -> CoreValue:
    smooth = sigmoid(beta * x)
    return where(greater(beta * x, threshold), 1.0, smooth) if threshold < np.inf else smooth


def _softplus_meaning(S: Any, x: Any, beta: float = 1.0, threshold: float = np.inf) -> Any:
    smooth = S.log(1 + S.exp(S.number(beta) * x)) / S.number(beta)
    return smooth if threshold == np.inf else S.where(S.gt(S.number(beta) * x, S.number(threshold)), x, smooth)


SIGMOID = elementwise(
    "sigmoid",
    sigmoid_value,
    lambda y, x: 0.25 * sech_squared(0.5 * x),
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
    kink=lambda x, beta=1.0, threshold=np.inf: (beta * x == threshold) & np.isfinite(threshold),
    saves=(0,),
    doc="log(1 + exp(x)), without overflow.",
)
LOGSIGMOID = elementwise(
    "logsigmoid",
    lambda x: np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x))),
    lambda y, x: sigmoid(-x),
    meaning=lambda S, x: -S.log(1 + S.exp(-x)),
    torch="LogSigmoid",
    saves=(0,),
    doc="log(sigmoid(x)).",
)
sigmoid: Function = elementwise_function(
    SIGMOID,
    family="activation",
    derivative="sigmoid(x)*(1 - sigmoid(x))",
    where="torch method F",
    also=("scipy.special.expit", "torch.special.expit", "jax.nn.sigmoid", ".expit"),
    cases=(COMPLEX_CASE, case(np.array([-300.0, 30.0]))),
)


@function(
    family="activation",
    where="",
    also=("jax.nn.softplus",),
    op=SOFTPLUS,
    derivative="sigmoid(x)",
    kinks="none: there is no threshold",
)
def softplus(x: Any) -> CoreValue:
    """log(1 + exp(x)), without overflow."""
    return bind(SOFTPLUS, real_operand("softplus", x))


#: Where PyTorch gives the straight line by itself. It is meant to keep exp from overflowing, which nothing here does.
_THRESHOLD = 20.0


@function(
    "softplus_torch",
    family="activation",
    where="",
    also=("torch.nn.functional.softplus",),
    op=SOFTPLUS,
    derivative="sigmoid(beta*input)",
    kinks="beta*input = a threshold other than 20: a jump; the derivative there is the curve's. PyTorch's default of "
    "20 is there to keep exp from overflowing, at the price of a jump of 2e-9; here it makes none",
    cases=(case((3,), beta=2.0), case((3,), beta=1.0, threshold=0.5), case(np.array([19.5, 20.5, 25.0]))),
)
def softplus_torch(input: Any, beta: float = 1.0, threshold: float = _THRESHOLD) -> CoreValue:
    """log(1 + exp(beta*x))/beta; x itself where beta*x is above a threshold other than 20."""
    limit = np.inf if threshold == _THRESHOLD else float(threshold)
    return bind(SOFTPLUS, real_operand("softplus", input), beta=float(beta), threshold=limit)


@function(
    family="activation",
    where="F",
    also=("jax.nn.log_sigmoid", "scipy.special.log_expit"),
    op=LOGSIGMOID,
    derivative="sigmoid(-input)",
    cases=(case((4,)), case((2, 3)), case(())),
)
def logsigmoid(input: Any) -> CoreValue:
    """log(sigmoid(x)), without overflow."""
    return bind(LOGSIGMOID, real_operand("logsigmoid", input))


@quiet
def _log1mexp(x: Any) -> Any:
    """log(1 - exp(-x)): by expm1 below log(2), where the difference cancels, by log1p above."""
    near = np.minimum(x, _LN2)
    return np.where(x < _LN2, np.log(-np.expm1(-near)), np.log1p(-np.exp(-np.maximum(x, _LN2)))).astype(x.dtype)


EXPM1_INVERSE: Op = elementwise(
    "expm1_inverse",
    lambda x: 1 / np.expm1(x),
    lambda s, x: -s * (1 + s),
    meaning=lambda S, x: 1 / (S.exp(x) - 1),
    doc="1/(exp(x) - 1), the derivative of log1mexp.",
)
LOG1MEXP = elementwise(
    "log1mexp",
    _log1mexp,
    lambda y, x: bind(EXPM1_INVERSE, x),
    meaning=lambda S, x: S.log(1 - S.exp(-x)),
    saves=(0,),
    doc="log(1 - exp(-x)), exact for small and for large x.",
)


@function(
    family="activation",
    where="",
    also=("jax.nn.log1mexp",),
    op=LOG1MEXP,
    derivative="1/(exp(x) - 1)",
    domain=(0.2, 3.0),
    defined="x > 0",
    source="Maechler 2012: by expm1 below log(2), by log1p above",
    cases=(case((4,)), case((2, 3)), case(()), case(np.array([1e-8, 0.5, 30.0]))),
)
def log1mexp(x: Any) -> CoreValue:
    """log(1 - exp(-x)) for positive x, exact for small and for large ones."""
    return bind(LOG1MEXP, real_operand("log1mexp", x))


# --- sums of exponentials --------------------------------------------------------------------------------------------


LOGADDEXP = elementwise(
    "logaddexp",
    np.logaddexp,
    lambda z, x, y: sigmoid(gap(x, y)),
    lambda z, x, y: sigmoid(gap(y, x)),
    meaning=lambda S, x, y: S.log(S.exp(x) + S.exp(y)),
    torch="Logaddexp",
    saves=(0, 1),
    doc="log(exp(x) + exp(y)), without overflow.",
)
LOGADDEXP2 = elementwise(
    "logaddexp2",
    np.logaddexp2,
    lambda z, x, y: sigmoid(_LN2 * gap(x, y)),
    lambda z, x, y: sigmoid(_LN2 * gap(y, x)),
    meaning=lambda S, x, y: S.log(S.pow(2, x) + S.pow(2, y)) / S.log(2),
    torch="Logaddexp2",
    saves=(0, 1),
    doc="log2(2**x + 2**y), without overflow.",
)
_INFINITE = "x = y infinite: half of it each, the limit along x = y"
logaddexp = elementwise_function(
    LOGADDEXP,
    parameters=PAIR,
    derivative="sigmoid(x - y), sigmoid(y - x)",
    kinks=_INFINITE,
    cases=BROADCASTS,
)
logaddexp2 = elementwise_function(
    LOGADDEXP2,
    parameters=PAIR,
    derivative="sigmoid(log(2)*(x - y)), sigmoid(log(2)*(y - x))",
    kinks=_INFINITE,
    cases=BROADCASTS,
)
