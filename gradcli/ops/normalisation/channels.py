"""Channels normalised, alone, in groups, over a batch, or by their neighbours."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.values import CoreValue, count_of, dtype_of, ndim_of, shape_of
from gradcli.ops.arguments import integer
from gradcli.ops.axes import reduced_count
from gradcli.ops.axis_order import moveaxis
from gradcli.ops.casts import cast
from gradcli.ops.elementwise import power, square
from gradcli.ops.function import case
from gradcli.ops.kinds import fits
from gradcli.ops.normalisation.standard import NORMALISED, RESCALED, RULE, aligned, eps_of, normalised, weights_for
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.pooling.averages import AVERAGES
from gradcli.ops.pooling.geometry import Sliding
from gradcli.ops.reduction import average, total
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped


def _channels(name: str, x: CoreValue) -> tuple[int, int]:
    """The number of channels, the second axis, and how many axes come after it."""
    if ndim_of(x) < 2:
        raise ShapeError(f"{name} takes an input with at least 2 axes, not shape {fits(shape_of(x))}")
    return shape_of(x)[1], ndim_of(x) - 2


@function(
    real=True,
    family="normalisation",
    where="torch F",
    op=NORMALISED,
    derivative=RULE,
    cases=(
        case((2, 4, 3), 2),
        case((2, 4, 3), 4, (4,), (4,)),
        case((2, 4), 1, (4,), None, 0.25),
        case((1, 2, 2, 2), 2, None, (2,)),
    ),
)
def group_norm(input: Any, num_groups: Any, weight: Any = None, bias: Any = None, eps: Any = 1e-5) -> CoreValue:
    """x less its mean, over its standard deviation, of each group of channels."""
    x = to_float(as_core(input))
    channels, rank = _channels("group_norm", x)
    groups = integer(num_groups, "group_norm: num_groups")
    if groups < 1 or channels % groups:
        raise ArgumentError(
            f"Expected number of channels in input to be divisible by num_groups, but got input of shape "
            f"{list(shape_of(x))} and num_groups={groups}"
        )
    return normalised(
        "group_norm",
        "GroupNorm",
        x,
        weight,
        bias,
        (channels,),
        axis=tuple(range(-rank - 1, 0)),
        eps=eps_of("group_norm", eps),
        centred=True,
        groups=groups,
        rank=rank,
    )


def _more_than_one(x: CoreValue, count: int) -> None:
    if count == 1:
        raise ShapeError(f"Expected more than 1 value per channel when training, got input size {list(shape_of(x))}")


def _by_running(
    name: str, node: str, x: CoreValue, mean: Any, var: Any, weight: Any, bias: Any, eps: float
) -> CoreValue:
    """x normalised by a mean and a variance that are given."""
    channels, rank = _channels(name, x)
    m, v = (aligned(weights_for(name, given, (channels,), x, 0.0), x, rank) for given in (mean, var))
    w = 1.0 if weight is None else aligned(weights_for(name, weight, (channels,), x, 1.0), x, rank)
    b = 0.0 if bias is None else aligned(weights_for(name, bias, (channels,), x, 0.0), x, rank)
    return bind(RESCALED, x, m, v, w, b, eps=eps, node=node)


_MEANS = np.array([0.5, -0.25])


_VARIANCES = np.array([1.5, 0.5])


def _moved(old: Any, new: CoreValue, momentum: Any) -> CoreValue:
    """A running statistic that has moved by its momentum towards a new one."""
    before = as_core(old)
    return before * (1 - float(momentum)) + cast(new, dtype_of(before)) * float(momentum)


def _statistics(x: CoreValue, axes: tuple[int, ...]) -> tuple[CoreValue, CoreValue]:
    """Means, and variances by one less than the number of elements."""
    count = reduced_count(shape_of(x), axes)
    means = average(x, axes, True)
    squares = total(square(x - means), axes) / float(max(count - 1, 1))
    return reshaped(means, shape_of(squares)), squares


def _batch_updates(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: Any = False,
    momentum: Any = 0.1,
    eps: Any = 1e-5,
) -> dict[str, CoreValue]:
    """The running statistics after a batch."""
    if not training or running_mean is None or running_var is None:
        return {}
    x = to_float(as_core(input))
    axes = (-ndim_of(x), *range(2 - ndim_of(x), 0))
    mean, var = _statistics(x, axes)
    return {"running_mean": _moved(running_mean, mean, momentum), "running_var": _moved(running_var, var, momentum)}


def _instance_updates(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: Any = True,
    momentum: Any = 0.1,
    eps: Any = 1e-5,
) -> dict[str, CoreValue]:
    """The running statistics after a batch, whose members' are averaged."""
    if not use_input_stats or running_mean is None or running_var is None:
        return {}
    x = to_float(as_core(input))
    mean, var = (average(s, (-2,)) for s in _statistics(x, tuple(range(2 - ndim_of(x), 0))))
    return {"running_mean": _moved(running_mean, mean, momentum), "running_var": _moved(running_var, var, momentum)}


@function(
    real=True,
    family="normalisation",
    where="F",
    op=NORMALISED,
    derivative=RULE,
    updates=_batch_updates,
    cases=(
        case((3, 2), None, None, training=True),
        case((2, 2, 3), None, None, (2,), (2,), True),
        case((2, 2, 2, 2), _MEANS, _VARIANCES, (2,), None, True, 0.1, 0.25),
        case((2, 2, 3), _MEANS, _VARIANCES, (2,), (2,)),
        case((3, 2), _MEANS, _VARIANCES),
    ),
)
def batch_norm(
    input: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any = None,
    bias: Any = None,
    training: Any = False,
    momentum: Any = 0.1,
    eps: Any = 1e-5,
) -> CoreValue:
    """x less its mean, over its standard deviation, of each channel over the batch; not training, by running ones."""
    x, small = to_float(as_core(input)), eps_of("batch_norm", eps)
    channels, rank = _channels("batch_norm", x)
    if not training:
        if running_mean is None or running_var is None:
            raise ArgumentError("Expected running_mean and running_var to be defined when training=False")
        return _by_running("batch_norm", "BatchNorm", x, running_mean, running_var, weight, bias, small)
    _more_than_one(x, count_of(shape_of(x)) // max(channels, 1))
    axis = (-rank - 2, *range(-rank, 0))
    return normalised(
        "batch_norm",
        "BatchNorm",
        x,
        weight,
        bias,
        (channels,),
        axis=axis,
        eps=small,
        centred=True,
        groups=0,
        rank=rank,
    )


@function(
    real=True,
    family="normalisation",
    where="F",
    op=NORMALISED,
    derivative=RULE,
    updates=_instance_updates,
    cases=(
        case((2, 2, 3)),
        case((2, 2, 3), None, None, (2,), (2,)),
        case((1, 2, 2, 2), weight=np.array([2.0, 0.5]), eps=0.25),
        case((2, 2, 3), _MEANS, _VARIANCES, (2,), (2,), False),
    ),
)
def instance_norm(
    input: Any,
    running_mean: Any = None,
    running_var: Any = None,
    weight: Any = None,
    bias: Any = None,
    use_input_stats: Any = True,
    momentum: Any = 0.1,
    eps: Any = 1e-5,
) -> CoreValue:
    """x less its mean, over its standard deviation, of each channel of each value in the batch."""
    x, small = to_float(as_core(input)), eps_of("instance_norm", eps)
    channels, rank = _channels("instance_norm", x)
    if not use_input_stats:
        if running_mean is None or running_var is None:
            raise ArgumentError("Expected running_mean and running_var to be defined when use_input_stats is False")
        return _by_running("instance_norm", "InstanceNorm", x, running_mean, running_var, weight, bias, small)
    _more_than_one(x, count_of(shape_of(x)[2:]))
    return normalised(
        "instance_norm",
        "InstanceNorm",
        x,
        weight,
        bias,
        (channels,),
        axis=tuple(range(-rank, 0)),
        eps=small,
        centred=True,
        groups=0,
        rank=rank,
    )


@function(
    family="normalisation",
    where="F",
    derivative="vjp: g/d**beta - 2*alpha*beta/n*x*(sum over the window of g*y/d), with d = k + alpha*mean(x**2)",
    cases=(case((1, 4, 2), 3), case((2, 3, 2, 2), 2, 0.5, 1.5, 2.0), case((1, 2, 3), 5, 0.1)),
)
def local_response_norm(input: Any, size: Any, alpha: Any = 1e-4, beta: Any = 0.75, k: Any = 1.0) -> CoreValue:
    """x over (k + alpha times the mean of squares in a window of channels)**beta."""
    x = to_float(as_core(input))
    if ndim_of(x) < 3:
        raise ShapeError(f"Expected 3D or higher dimensionality input (got {ndim_of(x)} dimensions)")
    width = integer(size, "local_response_norm: size")
    if width < 1:
        raise ArgumentError(f"local_response_norm: size is at least 1, not {width}")
    squares = moveaxis(square(x), 1, -1)
    window = Sliding(width, 1, width // 2, 1, shape_of(x)[1])
    means = moveaxis(bind(AVERAGES, squares, windows=(window,), divisor=width), -1, 1)
    return x / power(means * alpha + k, beta)
