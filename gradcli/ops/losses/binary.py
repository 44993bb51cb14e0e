"""Losses of predictions of yes or no: by probabilities, by logits, by the sign of the target.

Logarithms of probabilities count as at least -100, as in PyTorch. Slopes are exact: that of the logarithm itself, and 0
where it counts as -100, for there the function is flat. (PyTorch takes p*(1 - p) for at least 10**-12 everywhere.)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.errors import DomainError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, ndim_of, shape_of
from gradcli.ops.carrying import carried
from gradcli.ops.elementwise import clip, greater, greater_equal, less, log, log1p, logical_or, sigmoid, softplus, where
from gradcli.ops.function import case
from gradcli.ops.kinds import broadcast_shape, fits
from gradcli.ops.losses.folding import elements, fold_of, folded, loss
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.reduction import average
from gradcli.ops.registry import function

# --- by probabilities ------------------------------------------------------------------------------------------------

#: The least that the logarithm of a probability counts as, and the probability that has it.
_LEAST_LOG = -100.0
_LEAST = float(np.exp(_LEAST_LOG))


def _bce(p: Any, t: Any, w: Any) -> Any:
    if np.any((p < 0) | (p > 1)):
        raise DomainError("all elements of input should be between 0 and 1", mend="logits: *_with_logits")
    with np.errstate(divide="ignore"):
        hit, miss = np.maximum(np.log(p), _LEAST_LOG), np.maximum(np.log1p(-p), _LEAST_LOG)
    return ((t - 1) * miss - t * hit + 0.0) * w


def _bce_by_p(p: CoreValue, t: CoreValue, w: CoreValue) -> CoreValue:
    low, high = less(p, _LEAST), greater_equal(p, 1.0)
    inside = where(logical_or(low, high), 0.5, p)
    slope = (inside - t) / (inside * (1.0 - inside))
    return where(low, 1.0 - t, where(high, -t, slope)) * w


def _bce_by_t(p: CoreValue, t: CoreValue, w: CoreValue) -> CoreValue:
    return (clip.call(log1p(-p), _LEAST_LOG, None) - clip.call(log(p), _LEAST_LOG, None)) * w


def _bce_by_w(p: CoreValue, t: CoreValue, w: CoreValue) -> CoreValue:
    hit, miss = clip.call(log(p), _LEAST_LOG, None), clip.call(log1p(-p), _LEAST_LOG, None)
    return (t - 1.0) * miss - t * hit


def _exact_bce(S: Any, p: Any, t: Any, w: Any) -> Any:
    least = S.number(_LEAST_LOG)
    hit, miss = (S.where(S.lt(q, S.exp(least)), least, S.log(q)) for q in (p, 1 - p))
    return -(t * hit + (1 - t) * miss) * w


BCE: Op = elements(
    "binary_cross_entropy",
    _bce,
    _bce_by_p,
    _bce_by_t,
    _bce_by_w,
    exact=_exact_bce,
    torch="BinaryCrossEntropy",
    doc="Mean of -(t*log(p) + (1 - t)*log(1 - p)).",
)


def _same_shape(name: str, x: CoreValue, t: CoreValue) -> None:
    if shape_of(x) != shape_of(t):
        raise ShapeError(
            f"{name}: a target of shape {fits(shape_of(t))} is different to the input's shape {fits(shape_of(x))}",
            mend="both must be the same",
        )


_PROBABILITIES = (
    case(np.array([0.2, 0.7]), np.array([0.0, 1.0])),
    case(np.array([[0.3, 0.6]]), np.array([[0.25, 0.5]]), reduction="sum"),
    case(np.array([0.2, 0.7]), np.array([0.0, 1.0]), reduction="none"),
    case(np.array([0.2, 0.7]), np.array([0.5, 1.0]), weight=np.array([2.0, 0.5])),
    case(np.array(0.4), np.array(0.75)),
)


@function(
    real=True,
    family="loss",
    where="F",
    op=BCE,
    derivative="vjp: g*((1 - t)/(1 - p) - t/p)*weight/n",
    domain=((0.05, 0.95), (0.05, 0.95)),
    defined="p within [0, 1]",
    kinks="log(p) or log(1 - p) below -100, which counts as -100: 0 for its slope, for the loss is flat there "
    "(PyTorch: 10**12, for it bounds p*(1 - p) by 10**-12 everywhere)",
    cases=_PROBABILITIES,
)
def binary_cross_entropy(
    input: Any, target: Any, weight: Any = None, size_average: Any = None, reduce: Any = None, reduction: Any = "mean"
) -> CoreValue:
    """Mean of -(t*log(p) + (1 - t)*log(1 - p)) of probabilities p."""
    p, t = to_float(as_core(input)), to_float(as_core(target))
    _same_shape("binary_cross_entropy", p, t)
    return loss(BCE, fold_of(reduction, size_average, reduce), p, t, 1.0 if weight is None else weight)


# --- by logits -------------------------------------------------------------------------------------------------------


def _bce_logits(x: Any, t: Any, w: Any, p: Any) -> Any:
    """p t softplus(-x) + (1 - t) softplus(x): the smaller part of both softplus, and |x| of the larger one."""
    hit, miss = p * t, 1 - t
    factor = np.where(x < 0, hit, miss)
    steep = np.where(factor == 0, 0, np.abs(x) * factor)
    return ((hit + miss) * np.log1p(np.exp(-np.abs(x))) + steep).astype(np.result_type(x, t)) * w


def _logits_by_x(x: CoreValue, t: CoreValue, w: CoreValue, p: CoreValue) -> CoreValue:
    return ((1.0 - t) * sigmoid(x) - p * t * sigmoid(-x)) * w


def _logits_by_t(x: CoreValue, t: CoreValue, w: CoreValue, p: CoreValue) -> CoreValue:
    """p softplus(-x) - softplus(x), by the one of them that is small."""
    less_one = p - 1.0
    up = carried(less_one, softplus(-x)) - x
    down = carried(less_one, softplus(x)) - p * x
    return where(greater(x, 0.0), up, down) * w


def _logits_by_p(x: CoreValue, t: CoreValue, w: CoreValue, p: CoreValue) -> CoreValue:
    return carried(t, softplus(-x)) * w


def _logits_by_w(x: CoreValue, t: CoreValue, w: CoreValue, p: CoreValue) -> CoreValue:
    return carried(p * t, softplus(-x)) + carried(1.0 - t, softplus(x))


BCE_LOGITS: Op = elements(
    "binary_cross_entropy_with_logits",
    _bce_logits,
    _logits_by_x,
    _logits_by_t,
    _logits_by_w,
    _logits_by_p,
    exact=lambda S, x, t, w, p: (p * t * S.log(1 + S.exp(-x)) + (1 - t) * S.log(1 + S.exp(x))) * w,
    torch="BinaryCrossEntropyWithLogits",
    doc="Mean of p*t*log(1 + exp(-x)) + (1 - t)*log(1 + exp(x)).",
)

_LOGITS = (
    case((3,), (3,)),
    case((2, 3), (2, 3), reduction="sum"),
    case((2, 3), (2, 3), reduction="none"),
    case((), ()),
    case((3,), (3,), pos_weight=2.0),
    case((2, 3), (2, 3), (3,), pos_weight=np.array([1.0, 2.0, 0.5])),
    case(np.array([40.0, -40.0, 0.0]), np.array([1.0, 0.0, 0.5])),
)


@function(
    real=True,
    family="loss",
    where="F",
    op=BCE_LOGITS,
    derivative="vjp: g*((1 - t)*sigmoid(x) - pos_weight*t*sigmoid(-x))*weight/n",
    domain=((-3.0, 3.0), (0.05, 0.95), (0.5, 2.0)),
    cases=_LOGITS,
)
def binary_cross_entropy_with_logits(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: Any = "mean",
    pos_weight: Any = None,
) -> CoreValue:
    """The same of logits x, whose probabilities are sigmoid(x)."""
    x, t = to_float(as_core(input)), to_float(as_core(target))
    _same_shape("binary_cross_entropy_with_logits", x, t)
    factors = [1.0 if given is None else given for given in (weight, pos_weight)]
    return loss(BCE_LOGITS, fold_of(reduction, size_average, reduce), x, t, *factors)


@function(
    real=True,
    family="loss",
    where="F",
    derivative="vjp: g*(sigmoid(x) - t)*weight/n",
    domain=((-3.0, 3.0), (0.05, 0.95)),
    cases=(
        case((2, 3), (2, 3)),
        case((3,), (3,)),
        case((2, 3), (2, 3), np.array([1.0, 2.0, 0.5]), reduction="sum"),
        case((2, 3), (2, 3), reduction="none"),
    ),
)
def multilabel_soft_margin_loss(
    input: Any, target: Any, weight: Any = None, size_average: Any = None, reduce: Any = None, reduction: Any = "mean"
) -> CoreValue:
    """Mean over classes of the binary cross-entropy of logits, for targets that may be of several classes."""
    x, t = to_float(as_core(input)), to_float(as_core(target))
    broadcast_shape("multilabel_soft_margin_loss", shape_of(x), shape_of(t))
    losses = loss(BCE_LOGITS, "none", x, t, 1.0 if weight is None else weight, 1.0)
    if not ndim_of(losses):
        raise ShapeError("multilabel_soft_margin_loss takes a value with at least one axis, of classes")
    return folded(average(losses, (-1,)), fold_of(reduction, size_average, reduce))


# --- by the sign of the target ---------------------------------------------------------------------------------------


def _soft_margin(x: Any, y: Any) -> Any:
    z = -y * x
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


SOFT_MARGIN: Op = elements(
    "soft_margin_loss",
    _soft_margin,
    lambda x, y: carried(sigmoid(-y * x), -y),
    lambda x, y: carried(sigmoid(-y * x), -x),
    exact=lambda S, x, y: S.log(1 + S.exp(-y * x)),
    torch=lambda operands, params: ("SoftMarginLossBackward0", (0,)),
    doc="Mean of log(1 + exp(-y*x)).",
)
_SIGNS = np.array([1.0, -1.0, 1.0])


@function(
    real=True,
    family="loss",
    where="F",
    op=SOFT_MARGIN,
    derivative="vjp: -g*y*sigmoid(-y*x)/n",
    cases=(
        case((3,), _SIGNS),
        case((2, 3), _SIGNS, reduction="sum"),
        case((3,), _SIGNS, reduction="none"),
        case(np.array([50.0, -800.0, 0.0]), _SIGNS),
    ),
)
def soft_margin_loss(
    input: Any, target: Any, size_average: Any = None, reduce: Any = None, reduction: Any = "mean"
) -> CoreValue:
    """Mean of log(1 + exp(-y*x)) for targets y of 1 and -1."""
    return loss(SOFT_MARGIN, fold_of(reduction, size_average, reduce), input, target)
