"""Losses of pairs of numbers, a prediction and a target: squares, distances, and what lies between."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, shape_of
from gradcli.ops.elementwise import absolute, clip
from gradcli.ops.function import case
from gradcli.ops.kinds import broadcast_shape, fits
from gradcli.ops.losses.folding import elements, fold_of, folded, loss
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.registry import function

MSE: Op = elements(
    "mse_loss",
    lambda x, t: np.square(x - t),
    lambda x, t: 2 * (x - t),
    lambda x, t: 2 * (t - x),
    exact=lambda S, x, t: (x - t) * (x - t),
    torch="MseLoss",
    doc="Mean of (x - t)**2.",
)


def _huber(x: Any, t: Any, *, delta: float) -> Any:
    far = np.abs(x - t)
    return np.where(far < delta, far * (far / 2), delta * (far - delta / 2)).astype(far.dtype)


def _exact_huber(S: Any, x: Any, t: Any, *, delta: float) -> Any:
    far, edge = S.abs(x - t), S.number(delta)
    return S.where(S.lt(far, edge), far * far / 2, edge * (far - edge / 2))


HUBER: Op = elements(
    "huber_loss",
    _huber,
    lambda x, t, *, delta: clip.call(x - t, -delta, delta),
    lambda x, t, *, delta: clip.call(t - x, -delta, delta),
    exact=_exact_huber,
    torch="HuberLoss",
    doc="Mean of squares that become linear beyond delta.",
)


def _smooth(x: Any, t: Any, *, beta: float) -> Any:
    far = np.abs(x - t)
    return np.where(far < beta, far * (far / (2 * beta)), far - beta / 2).astype(far.dtype)


def _exact_smooth(S: Any, x: Any, t: Any, *, beta: float) -> Any:
    far, edge = S.abs(x - t), S.number(beta)
    return S.where(S.lt(far, edge), far * far / (2 * edge), far - edge / 2)


SMOOTH_L1: Op = elements(
    "smooth_l1_loss",
    _smooth,
    lambda x, t, *, beta: clip.call((x - t) / beta, -1.0, 1.0),
    lambda x, t, *, beta: clip.call((t - x) / beta, -1.0, 1.0),
    exact=_exact_smooth,
    torch="SmoothL1Loss",
    doc="Mean of distances that are quadratic below beta.",
)


def _positive(name: str, what: str, x: Any) -> float:
    found = float(x)
    if not found > 0:
        raise ArgumentError(f"{name}: {what} is a number above 0, not {found}")
    return found


def _weighted(name: str, losses: CoreValue, weight: Any, fold: str) -> CoreValue:
    """Losses times weights, folded; their mean is over the weights, too."""
    factors = to_float(as_core(weight))
    if shape_of(factors) != shape_of(losses):
        raise ShapeError(
            f"{name}: Weights and input must have the same size, not shapes {fits(shape_of(factors))} and "
            f"{fits(shape_of(losses))}"
        )
    if fold != "mean":
        return folded(losses * factors, fold)
    return folded(losses * factors, "sum") / folded(factors, "sum")


_PAIRS = (
    case((3,), (3,)),
    case((2, 3), (2, 3), reduction="sum"),
    case((2, 3), (2, 3), reduction="none"),
    case((), ()),
    case((2, 3), (3,)),
    case((0,), (0,), reduction="sum"),
)
_WEIGHTED = (case((3,), (3,), weight=np.array([1.0, 2.0, 0.5])), case((3,), (3,), None, None, "sum", (3,)))


@function(
    real=True,
    family="loss",
    where="F",
    op=MSE,
    derivative="vjp: g*2*(x - t)/n",
    cases=(*_PAIRS, *_WEIGHTED),
)
def mse_loss(
    input: Any, target: Any, size_average: Any = None, reduce: Any = None, reduction: Any = "mean", weight: Any = None
) -> CoreValue:
    """Mean squared error."""
    fold = fold_of(reduction, size_average, reduce)
    if weight is None:
        return loss(MSE, fold, input, target)
    return _weighted("mse_loss", loss(MSE, "none", input, target), weight, fold)


@function(
    family="loss",
    where="F",
    derivative="vjp: g*sign(x - t)/n",
    kinks="x = t: 0",
    cases=(*_PAIRS, *_WEIGHTED, case(np.array([1.0, 2.0]), np.array([1.0, 3.0]))),
)
def l1_loss(
    input: Any, target: Any, size_average: Any = None, reduce: Any = None, reduction: Any = "mean", weight: Any = None
) -> CoreValue:
    """Mean absolute error."""
    fold = fold_of(reduction, size_average, reduce)
    x, t = to_float(as_core(input)), to_float(as_core(target))
    broadcast_shape("l1_loss", shape_of(x), shape_of(t))
    losses = absolute(x - t)
    return folded(losses, fold) if weight is None else _weighted("l1_loss", losses, weight, fold)


@function(
    real=True,
    family="loss",
    where="F",
    op=HUBER,
    derivative="vjp: g*clip(x - t, -delta, delta)/n",
    source="Huber 1964, Robust Estimation of a Location Parameter",
    cases=(*_PAIRS, case((4,), (4,), delta=0.5), case((3,), (3,), "none", 0.75, np.array([1.0, 2.0, 0.5]))),
)
def huber_loss(input: Any, target: Any, reduction: Any = "mean", delta: Any = 1.0, weight: Any = None) -> CoreValue:
    """Mean of half the squared errors, which are linear beyond delta."""
    how = {"delta": _positive("huber_loss", "delta", delta)}
    fold = fold_of(reduction)
    if weight is None:
        return loss(HUBER, fold, input, target, **how)
    return folded(loss(HUBER, "none", input, target, **how) * to_float(as_core(weight)), fold)


@function(
    real=True,
    family="loss",
    where="F",
    op=SMOOTH_L1,
    derivative="vjp: g*clip((x - t)/beta, -1, 1)/n",
    kinks="beta = 0 and x = t: 0",
    cases=(*_PAIRS, case((4,), (4,), beta=0.5), case((3,), (3,), beta=0.0)),
)
def smooth_l1_loss(
    input: Any, target: Any, size_average: Any = None, reduce: Any = None, reduction: Any = "mean", beta: Any = 1.0
) -> CoreValue:
    """Mean absolute error, quadratic where it is below beta."""
    fold = fold_of(reduction, size_average, reduce)
    if float(beta) == 0:
        return l1_loss.call(input, target, reduction=fold)
    return loss(SMOOTH_L1, fold, input, target, beta=_positive("smooth_l1_loss", "beta", beta))
