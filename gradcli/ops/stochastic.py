"""Layers that draw random numbers from the run's generator (`--seed`): dropouts, and a softmax that chooses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.recording import DETACH
from gradcli.graph.values import CoreValue, Shape, Spec, dtype_of, ndim_of, shape_of
from gradcli.ops.axes import axis_of
from gradcli.ops.casts import cast
from gradcli.ops.elementwise import equal, greater_equal
from gradcli.ops.function import case
from gradcli.ops.kinds import constant, fits
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.picking import ARGMAX
from gradcli.ops.random import RAND, generator
from gradcli.ops.registry import function
from gradcli.ops.softmax import softmax_torch


def _probability(p: Any) -> float:
    found = float(p)
    if not 0 <= found <= 1:
        raise ArgumentError(f"dropout probability has to be between 0 and 1, but got {found}")
    return found


def _kept(x: CoreValue, shape: Shape, p: float) -> CoreValue:
    """1 where what is drawn stays, 0 where it is dropped."""
    return cast(greater_equal(bind(RAND, shape=shape, dtype=dtype_of(x)), p), dtype_of(x))


def _dropped(x: CoreValue, shape: Shape, p: float, training: Any) -> CoreValue:
    """x with draws of `shape` dropped, and what stays made larger, so that the mean stays."""
    if not training or p == 0:
        return x
    if p == 1:
        return x * 0.0
    return x * (_kept(x, shape, p) / (1 - p))


_RULE = "vjp: g where kept, over 1 - p"
_OFF = (case((3,), training=False), case((3,), 0.0), case((3,), 1.0), case((2, 3), 0.25), case((), 0.5))


@function(family="normalisation", where="torch F", derivative=_RULE, cases=_OFF)
def dropout(input: Any, p: Any = 0.5, training: Any = True, inplace: Any = False) -> CoreValue:
    """Elements set to zero with probability p, the others divided by 1 - p; with training False, x itself."""
    x = to_float(as_core(input))
    return _dropped(x, shape_of(x), _probability(p), training)


def _channels(name: str, x: CoreValue, ranks: tuple[int, int]) -> Shape:
    """The shape of one draw for each channel."""
    if ndim_of(x) not in ranks:
        raise ShapeError(
            f"{name}: Expected {ranks[0]}D or {ranks[1]}D input, but received a {ndim_of(x)}D input of shape "
            f"{fits(shape_of(x))}"
        )
    return _features(x, ranks[1] - 2)


def _features(x: CoreValue, rank: int) -> Shape:
    return tuple(n if i < ndim_of(x) - rank else 1 for i, n in enumerate(shape_of(x)))


@function(
    family="normalisation",
    where="F",
    derivative=_RULE,
    cases=(case((2, 3, 4)), case((3, 4), 0.25), case((3, 4), training=False)),
)
def dropout1d(input: Any, p: Any = 0.5, training: Any = True, inplace: Any = False) -> CoreValue:
    """Whole channels set to zero with probability p, the others divided by 1 - p; of [batch, channels, length]."""
    x = to_float(as_core(input))
    return _dropped(x, _channels("dropout1d", x, (2, 3)), _probability(p), training)


@function(family="normalisation", where="F", derivative=_RULE, cases=(case((2, 3, 2, 2)), case((3, 2, 2), 0.25)))
def dropout2d(input: Any, p: Any = 0.5, training: Any = True, inplace: Any = False) -> CoreValue:
    """Whole channels set to zero with probability p, the others divided by 1 - p; of [batch, channels, h, w]."""
    x = to_float(as_core(input))
    return _dropped(x, _channels("dropout2d", x, (3, 4)), _probability(p), training)


@function(family="normalisation", where="F", derivative=_RULE, cases=(case((2, 3, 1, 2, 2)), case((3, 1, 2, 2), 0.25)))
def dropout3d(input: Any, p: Any = 0.5, training: Any = True, inplace: Any = False) -> CoreValue:
    """Whole channels set to zero with probability p, the others divided by 1 - p; of [batch, channels, d, h, w]."""
    x = to_float(as_core(input))
    return _dropped(x, _channels("dropout3d", x, (4, 5)), _probability(p), training)


# --- for self-normalising networks -----------------------------------------------------------------------------------

#: What SELU tends to for ever smaller x: minus its scale times its alpha. Source: Klambauer et al. 2017.
_SATURATED = -1.0507009873554805 * 1.6732632423543772


def _alpha_dropped(x: CoreValue, shape: Shape, p: float, training: Any) -> CoreValue:
    """x with draws set to SELU's lowest value, then shifted and scaled so that mean and variance stay."""
    if not training or p == 0:
        return x
    if p == 1:
        return x * 0.0
    kept = _kept(x, shape, p)
    scale = 1 / math.sqrt((1 - p) * (1 + p * _SATURATED**2))
    return x * (kept * scale) + ((1.0 - kept) * _SATURATED - p * _SATURATED) * scale


_ALPHA_RULE = "vjp: g where kept, over sqrt((1 - p)*(1 + p*a**2)) with a = -1.758"
_ALPHA_SOURCE = "Klambauer et al. 2017, Self-Normalizing Neural Networks"


@function(
    family="normalisation", where="torch F", derivative=_ALPHA_RULE, source=_ALPHA_SOURCE, cases=(*_OFF, case((2, 4)))
)
def alpha_dropout(input: Any, p: Any = 0.5, training: Any = False, inplace: Any = False) -> CoreValue:
    """Elements set to SELU's lowest value with probability p, mean and variance kept."""
    x = to_float(as_core(input))
    return _alpha_dropped(x, shape_of(x), _probability(p), training)


@function(
    family="normalisation",
    where="torch F",
    derivative=_ALPHA_RULE,
    source=_ALPHA_SOURCE,
    cases=(case((2, 3, 4), training=True), case((2, 3), 0.25, True), case((2, 3))),
)
def feature_alpha_dropout(input: Any, p: Any = 0.5, training: Any = False, inplace: Any = False) -> CoreValue:
    """Whole channels set to SELU's lowest value with probability p, mean and variance kept."""
    x = to_float(as_core(input))
    if ndim_of(x) < 2:
        raise ShapeError(f"feature_alpha_dropout takes [batch, channels, ...], not shape {fits(shape_of(x))}")
    return _alpha_dropped(x, _features(x, ndim_of(x) - 2), _probability(p), training)


# --- a softmax that chooses at random --------------------------------------------------------------------------------


NOISE: Op = constant(
    "gumbel_noise",
    lambda *, shape, dtype: np.asarray(generator().gumbel(size=shape)).astype(dtype),
    lambda *, shape, dtype: Spec(shape, dtype),
    doc="Gumbel random numbers, by which the largest of some numbers is a choice.",
)


@function(
    family="normalisation",
    where="F",
    derivative="vjp: that of softmax((logits + draw)/tau); with hard, the same though the value is one-hot",
    source="Jang, Gu and Poole 2017, Categorical Reparameterization with Gumbel-Softmax",
    cases=(case((2, 3)), case((2, 3), 0.5, dim=0), case((4,))),
)
def gumbel_softmax(logits: Any, tau: Any = 1.0, hard: Any = False, eps: Any = 1e-10, dim: Any = -1) -> CoreValue:
    """A random choice by unnormalised log-probabilities, softened by tau; with hard, one-hot in the value alone."""
    x = to_float(as_core(logits))
    noise = bind(NOISE, shape=shape_of(x), dtype=dtype_of(x))
    soft = softmax_torch.call((x + noise) / tau, dim)
    if not hard:
        return soft
    axis = axis_of("gumbel_softmax", dim, soft)
    first = bind(ARGMAX, soft, axis=axis)
    along = np.arange(shape_of(soft)[axis]).reshape((-1,) + (1,) * (-axis - 1))
    chosen = cast(equal(along, first), dtype_of(soft))
    return chosen + (soft - bind(DETACH, soft))
