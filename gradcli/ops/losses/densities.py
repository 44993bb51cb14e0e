"""Losses that are negative log-densities or divergences: gaussian_nll, poisson_nll, kl_div."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import AbstractValue, ArgumentError, BatchedBranch, DomainError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.recording import DETACH
from gradcli.graph.values import CoreValue, concrete, shape_of
from gradcli.ops.carrying import carried
from gradcli.ops.elementwise import exp, greater, less, log, where
from gradcli.ops.function import case
from gradcli.ops.kinds import fits
from gradcli.ops.losses.folding import elements, fold_of, folded, loss
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped

# --- Kullback and Leibler's divergence -------------------------------------------------------------------------------


def _kl(x: Any, t: Any) -> Any:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(t == 0, 0, t * (np.log(t) - x)).astype(np.result_type(x, t))


def _folded_node(params: dict[str, Any], losses: Any) -> Any:
    """PyTorch's node of a fold, on that of the elements."""
    if params["mean"]:
        return ("MeanBackward0", (losses,))
    return ("SumBackward0", (losses,)) if params["axis"] else losses


def _kl_node(operands: Any, params: dict[str, Any]) -> Any:
    return _folded_node(params, ("SubBackward0", (("XlogyBackward0", (1, 1)), ("MulBackward0", (1, 0)))))


def _kl_log_node(operands: Any, params: dict[str, Any]) -> Any:
    return _folded_node(params, ("MulBackward0", (("ExpBackward0", (1,)), ("SubBackward0", (1, 0)))))


KL: Op = elements(
    "kl_div",
    _kl,
    lambda x, t: -t,
    lambda x, t: log(t) + 1.0 - x,
    exact=lambda S, x, t: t * (S.log(S.where(S.eq(t, 0), 1, t)) - x),
    torch=_kl_node,
    kink=lambda x, t: t == 0,
    doc="Mean of t*(log(t) - x).",
)


def _kl_log(x: Any, t: Any) -> Any:
    with np.errstate(invalid="ignore"):
        return np.where(np.isneginf(t), 0, np.exp(t) * (t - x)).astype(np.result_type(x, t))


KL_LOG: Op = elements(
    "kl_div_of_logs",
    _kl_log,
    lambda x, t: -exp(t),
    lambda x, t: carried(exp(t), t - x + 1.0),
    exact=lambda S, x, t: S.exp(t) * (t - x),
    torch=_kl_log_node,
    doc="Mean of exp(t)*(t - x).",
)
_TARGET = np.array([[0.2, 0.8], [0.5, 0.5]])


@function(
    real=True,
    family="loss",
    where="F",
    op=KL,
    derivative="vjp: -g*t/n, g*(log(t) + 1 - x)/n; of log_target, -g*exp(t)/n, g*exp(t)*(t + 1 - x)/n",
    kinks="t = 0: the loss is 0, whatever x",
    source="Kullback and Leibler 1951, On Information and Sufficiency",
    cases=(
        case((2, 2), _TARGET),
        case((2, 2), _TARGET, reduction="batchmean"),
        case((2, 2), _TARGET, reduction="none"),
        case((3,), (3,), log_target=True),
        case((2, 3), (2, 3), log_target=True, reduction="sum"),
    ),
)
def kl_div(
    input: Any,
    target: Any,
    size_average: Any = None,
    reduce: Any = None,
    reduction: Any = "mean",
    log_target: Any = False,
) -> CoreValue:
    """Kullback-Leibler divergence: t*(log(t) - x) of log-probabilities x; with log_target, t is logarithmic too."""
    op = KL_LOG if log_target else KL
    if reduction != "batchmean" and size_average != "batchmean":
        return loss(op, fold_of(reduction, size_average, reduce), input, target)
    summed = loss(op, "sum", input, target)
    rows = shape_of(as_core(input))
    return summed / float(rows[0]) if rows else summed


# --- log-densities ---------------------------------------------------------------------------------------------------

_HALF_LOG_TAU = math.log(2 * math.pi) / 2


def _spread_of(x: CoreValue, var: Any, eps: float) -> CoreValue:
    """A variance that broadcasts: one for all, of x's shape, or one for each row of the last axis.

    Below eps it counts as eps, which its derivative does not see, as in PyTorch.
    """
    v = to_float(as_core(var))
    shape, own = shape_of(x), shape_of(v)
    if own and own != shape:
        if own == shape[:-1]:
            v = reshaped(v, (*own, 1))
        elif len(own) != len(shape) or sum(a != b for a, b in zip(own, shape, strict=True)) > 1:
            raise ShapeError(f"gaussian_nll_loss: var is of incorrect size: {fits(own)} for {fits(shape)}")
    with suppress(AbstractValue, BatchedBranch):
        if (concrete(v) < 0).any():
            raise DomainError("gaussian_nll_loss: var has negative entry/entries")
    return where(less(v, eps), (v - bind(DETACH, v)) + eps, v)


@function(
    family="loss",
    where="F",
    derivative="vjp: g*(x - t)/v/n, -g*(x - t)/v/n, g*(1 - (x - t)**2/v)/(2*v)/n",
    domain=((-2.0, 2.0), (-2.0, 2.0), (0.5, 2.0)),
    kinks="var below eps counts as eps, with the derivative that it has there, as in PyTorch",
    cases=(
        case((2, 3), (2, 3), (2, 3)),
        case((3,), (3,), (3,), full=True, reduction="sum"),
        case((2, 3), (2, 3), (2,), reduction="none"),
        case((2, 3), (2, 3), (2, 1)),
        case((3,), (3,), 0.5),
        case((2,), (2,), np.array([1.0, 0.25]), eps=0.5),
    ),
)
def gaussian_nll_loss(
    input: Any, target: Any, var: Any, full: Any = False, eps: Any = 1e-6, reduction: Any = "mean"
) -> CoreValue:
    """Mean of (log(v) + (x - t)**2/v)/2, the negative log-density of a normal distribution; full adds its constant."""
    x, t = to_float(as_core(input)), to_float(as_core(target))
    if not float(eps) > 0:
        raise ArgumentError(f"gaussian_nll_loss: eps is a number above 0, not {float(eps)}")
    v = _spread_of(x, var, float(eps))
    gap = x - t
    losses = (log(v) + gap * (gap / v)) * 0.5
    return folded(losses + _HALF_LOG_TAU if full else losses, fold_of(reduction))


def _stirling(t: CoreValue) -> CoreValue:
    """log(t!) by Stirling's approximation for t above 1, else 0."""
    large = greater(t, 1.0)
    n = where(large, t, 2.0)
    return where(large, n * log(n) - n + (log(n) * 0.5 + _HALF_LOG_TAU), 0.0)


@function(
    family="loss",
    where="F",
    derivative="vjp: g*(exp(x) - t)/n; of rates x, g*(1 - t/(x + eps))/n",
    domain=((0.25, 2.0), (0.5, 3.0)),
    kinks="full, at t = 1: Stirling's approximation begins, 0 below",
    source="DLMF 5.11.1, for full",
    cases=(
        case((2, 3), (2, 3)),
        case((3,), (3,), False, reduction="sum"),
        case((3,), (3,), True, True, reduction="none"),
        case((3,), (3,), False, True, None, 0.5),
    ),
)
def poisson_nll_loss(
    input: Any,
    target: Any,
    log_input: Any = True,
    full: Any = False,
    size_average: Any = None,
    eps: Any = 1e-8,
    reduce: Any = None,
    reduction: Any = "mean",
) -> CoreValue:
    """Mean of exp(x) - t*x, or x - t*log(x + eps) of rates: the negative log-density of a Poisson distribution."""
    x, t = to_float(as_core(input)), to_float(as_core(target))
    losses = exp(x) - carried(t, x) if log_input else x - carried(t, log(x + float(eps)))
    return folded(losses + _stirling(t) if full else losses, fold_of(reduction, size_average, reduce))
