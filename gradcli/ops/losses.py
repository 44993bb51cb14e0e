"""Losses: how far predictions are from targets, folded to their mean or sum, or element by element.

In an op's parameters `axis` are the axes folded (see `gradcli.ops.axes`), and `mean` says whether by the mean.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, dtype_of, shape_of
from gradcli.ops.axes import Axes, axes_of, reduced_count, reduced_shape, restored
from gradcli.ops.elementwise import absolute, clip, exp, log, log1p, not_equal, sigmoid, where
from gradcli.ops.exact import each
from gradcli.ops.function import case
from gradcli.ops.kinds import Rule, added, broadcast_shape, expanded, general, sum_to
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.reduction import average, total
from gradcli.ops.registry import function

FOLDS = ("none", "mean", "sum")


def folded(x: CoreValue, reduction: Any) -> CoreValue:
    """The elements of a loss, their mean or their sum.

    Raises:
        ArgumentError: the reduction is another.
    """
    if expect_fold(reduction) == "none":
        return x
    axes = axes_of("a loss", None, x)
    return average(x, axes) if reduction == "mean" else total(x, axes)


def expect_fold(reduction: Any) -> str:
    """The reduction, if it is one.

    Raises:
        ArgumentError: it is none.
    """
    if reduction not in FOLDS:
        raise ArgumentError(f"a reduction is 'none', 'mean' or 'sum', not {reduction!r}")
    return str(reduction)


# --- losses of pairs of elements -------------------------------------------------------------------------------------


def _fold(losses: Any, axis: Axes, mean: bool) -> Any:
    return np.asarray(np.mean(losses, axis=axis) if mean else np.sum(losses, axis=axis))


def _shape(x: CoreValue, t: CoreValue, *, axis: Axes, mean: bool, **_: Any) -> Spec:
    shape = broadcast_shape("a loss", shape_of(x), shape_of(t))
    return Spec(reduced_shape(shape, axis, False), np.result_type(dtype_of(x), dtype_of(t)))


def _paired(name: str, element: Rule, by_x: Rule, by_t: Rule, exact: Rule, torch: str, doc: str) -> Op:
    """An op for the losses `element(x, t, **how)`, folded; `by_x` and `by_t` are its partial derivatives."""

    def value(x: Any, t: Any, *, axis: Axes, mean: bool, **how: Any) -> Any:
        return _fold(element(x, t, **how), axis, mean)

    def share(partial: Rule, place: int) -> Rule:
        def vjp(g: CoreValue, y: CoreValue, x: CoreValue, t: CoreValue, *, axis: Axes, mean: bool, **how: Any) -> Any:
            slope = partial(x, t, **how)
            if mean:
                slope = slope / reduced_count(shape_of(slope), axis)
            return sum_to(restored(g, slope, axis, False) * slope, shape_of((x, t)[place]))

        return vjp

    def jvp(ts: Any, y: CoreValue, x: CoreValue, t: CoreValue, *, axis: Axes, mean: bool, **how: Any) -> Any:
        parts = [None if v is None else v * by(x, t, **how) for v, by in zip(ts, (by_x, by_t), strict=True)]
        both = added(*parts)
        if both is None:
            return None
        return average(both, axis) if mean else total(both, axis)

    def meaning(S: Any, x: Any, t: Any, *, axis: Axes, mean: bool, **how: Any) -> Any:
        losses = each(lambda a, b: exact(S, a, b, **how), x, t)
        found = np.sum(losses, axis=axis)
        return found / reduced_count(losses.shape, axis) if mean else found

    return general(
        name,
        value,
        _shape,
        vjps=(share(by_x, 0), share(by_t, 1)),
        jvp=jvp,
        meaning=meaning,
        torch=torch,
        saves=(0, 1),
        doc=doc,
    )


def _loss(op: Op, input: Any, target: Any, reduction: Any, weight: Any = None, **how: Any) -> CoreValue:
    """The op on a prediction and a target that broadcast, weighted and folded."""
    x, t = to_float(as_core(input)), to_float(as_core(target))
    shape = broadcast_shape(op.name, shape_of(x), shape_of(t))
    x, t = expanded(x, shape), expanded(t, shape)
    whole = tuple(range(-len(shape), 0))
    if weight is not None:
        return folded(bind(op, x, t, axis=(), mean=False, **how) * as_core(weight), reduction)
    fold = expect_fold(reduction)
    return bind(op, x, t, axis=() if fold == "none" else whole, mean=fold == "mean", **how)


MSE: Op = _paired(
    "mse_loss",
    lambda x, t: np.square(x - t),
    lambda x, t: 2 * (x - t),
    lambda x, t: 2 * (t - x),
    lambda S, x, t: (x - t) * (x - t),
    "MseLoss",
    "Mean of (x - t)**2.",
)


def _huber(x: Any, t: Any, *, delta: float) -> Any:
    far = np.abs(x - t)
    return np.where(far < delta, far * far / 2, delta * (far - delta / 2)).astype(far.dtype)


def _exact_huber(S: Any, x: Any, t: Any, *, delta: float) -> Any:
    far, edge = S.abs(x - t), S.number(delta)
    return S.where(S.lt(far, edge), far * far / 2, edge * (far - edge / 2))


HUBER: Op = _paired(
    "huber_loss",
    _huber,
    lambda x, t, *, delta: clip(x - t, -delta, delta),
    lambda x, t, *, delta: clip(t - x, -delta, delta),
    _exact_huber,
    "HuberLoss",
    "Mean of squares that become linear beyond delta.",
)


def _smooth(x: Any, t: Any, *, beta: float) -> Any:
    far = np.abs(x - t)
    return np.where(far < beta, far * far / (2 * beta), far - beta / 2).astype(far.dtype)


def _exact_smooth(S: Any, x: Any, t: Any, *, beta: float) -> Any:
    far, edge = S.abs(x - t), S.number(beta)
    return S.where(S.lt(far, edge), far * far / (2 * edge), far - edge / 2)


SMOOTH_L1: Op = _paired(
    "smooth_l1_loss",
    _smooth,
    lambda x, t, *, beta: clip((x - t) / beta, -1, 1),
    lambda x, t, *, beta: clip((t - x) / beta, -1, 1),
    _exact_smooth,
    "SmoothL1Loss",
    "Mean of distances that are quadratic below beta.",
)

#: PyTorch's bound for the logarithm of a probability that rounds to 0.
_LEAST_LOG = -100.0


def _bce(p: Any, t: Any) -> Any:
    with np.errstate(divide="ignore"):
        hit, miss = np.maximum(np.log(p), _LEAST_LOG), np.maximum(np.log1p(-p), _LEAST_LOG)
    return (t - 1) * miss - t * hit


BCE: Op = _paired(
    "binary_cross_entropy",
    _bce,
    lambda p, t: (p - t) / clip(p * (1 - p), 1e-12, None),
    lambda p, t: log1p(-p) - log(p),
    lambda S, p, t: -(t * S.log(p) + (1 - t) * S.log(1 - p)),
    "BinaryCrossEntropy",
    "Mean of -(t*log(p) + (1 - t)*log(1 - p)).",
)


BCE_LOGITS: Op = _paired(
    "binary_cross_entropy_with_logits",
    lambda x, t: np.maximum(x, 0) - x * t + np.log1p(np.exp(-np.abs(x))),
    lambda x, t: sigmoid(x) - t,
    lambda x, t: -x,
    lambda S, x, t: S.log(1 + S.exp(x)) - x * t,
    "BinaryCrossEntropyWithLogits",
    "Mean of log(1 + exp(x)) - x*t.",
)

_PAIRS = (
    case((3,), (3,)),
    case((2, 3), (2, 3), reduction="sum"),
    case((2, 3), (2, 3), reduction="none"),
    case((), ()),
    case((2, 3), (3,)),
)
_PROBABILITIES = (
    case(np.array([0.2, 0.9]), np.array([0.0, 1.0])),
    case(np.array([[0.3, 0.6]]), np.array([[0.25, 0.5]]), reduction="sum"),
    case(np.array([0.2, 0.9]), np.array([0.0, 1.0]), reduction="none"),
    case(np.array([0.2, 0.9]), np.array([0.5, 1.0]), weight=np.array([2.0, 0.5])),
)


@function(family="special", where="F", op=MSE, derivative="vjp: g*2*(x - t)/n", cases=_PAIRS)
def mse_loss(input: Any, target: Any, reduction: Any = "mean", *, weight: Any = None) -> CoreValue:
    """Mean squared error."""
    return _loss(MSE, input, target, reduction, weight)


@function(family="special", where="F", derivative="vjp: g*sign(x - t)/n", cases=_PAIRS)
def l1_loss(input: Any, target: Any, reduction: Any = "mean") -> CoreValue:
    """Mean absolute error."""
    return folded(absolute(to_float(as_core(input)) - as_core(target)), reduction)


@function(family="special", where="F", op=HUBER, derivative="vjp: g*clip(x - t, -delta, delta)/n", cases=_PAIRS)
def huber_loss(
    input: Any, target: Any, reduction: Any = "mean", delta: float = 1.0, *, weight: Any = None
) -> CoreValue:
    """Mean of half the squared errors, which are linear beyond delta."""
    return _loss(HUBER, input, target, reduction, weight, delta=_positive("delta", delta))


@function(family="special", where="F", op=SMOOTH_L1, derivative="vjp: g*clip((x - t)/beta, -1, 1)/n", cases=_PAIRS)
def smooth_l1_loss(input: Any, target: Any, reduction: Any = "mean", beta: float = 1.0) -> CoreValue:
    """Mean absolute error, quadratic where it is below beta."""
    if beta == 0:
        return l1_loss.call(input, target, reduction)
    return _loss(SMOOTH_L1, input, target, reduction, beta=_positive("beta", beta))


def _positive(name: str, x: Any) -> float:
    found = float(x)
    if not found > 0:
        raise ArgumentError(f"{name} is a number above 0, not {x}")
    return found


@function(family="special", where="F", op=BCE, derivative="vjp: g*(p - t)/(p*(1 - p))/n", cases=_PROBABILITIES)
def binary_cross_entropy(input: Any, target: Any, weight: Any = None, *, reduction: Any = "mean") -> CoreValue:
    """Mean of -(t*log(p) + (1 - t)*log(1 - p)) of probabilities p."""
    return _loss(BCE, input, target, reduction, weight)


@function(
    family="special",
    where="F",
    op=BCE_LOGITS,
    derivative="vjp: g*(sigmoid(x) - t)/n",
    cases=(*_PAIRS, case((3,), (3,), pos_weight=2.0)),
)
def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, *, reduction: Any = "mean", pos_weight: Any = None
) -> CoreValue:
    """The same of logits x, whose probabilities are sigmoid(x)."""
    if pos_weight is None:
        return _loss(BCE_LOGITS, input, target, reduction, weight)
    x, t = to_float(as_core(input)), to_float(as_core(target))
    up, down = (_loss(BCE_LOGITS, x, side, "none") for side in (np.ones((), dtype_of(x)), np.zeros((), dtype_of(x))))
    losses = as_core(pos_weight) * t * up + (1 - t) * down
    return folded(losses if weight is None else losses * as_core(weight), reduction)


@function(
    family="special",
    where="F",
    derivative="vjp: -g*t/n",
    cases=(
        case((2, 2), np.array([[0.2, 0.8], [0.5, 0.5]])),
        case((2, 2), np.array([[0.2, 0.8], [0.5, 0.5]]), reduction="batchmean"),
        case((3,), (3,), log_target=True),
    ),
)
def kl_div(input: Any, target: Any, reduction: Any = "mean", log_target: bool = False) -> CoreValue:
    """Kullback-Leibler divergence: t*(log(t) - x) of log-probabilities x."""
    x, t = to_float(as_core(input)), to_float(as_core(target))
    if log_target:
        losses = exp(t) * (t - x)
    else:
        some = not_equal(t, 0)
        losses = where(some, t * log(where(some, t, np.ones((), dtype_of(t)))), t) - t * x
    if reduction == "batchmean":
        return folded(losses, "sum") / (shape_of(losses) or (1,))[0]
    return folded(losses, reduction)
