"""Likelihoods of classes: nll_loss and cross_entropy.

In an op's parameters `axis` are the axes folded (see `gradcli.ops.axes`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, dtype_of, ndim_of, shape_of
from gradcli.ops.axes import Axes, axis_of, reduced_shape, restored
from gradcli.ops.axis_order import moveaxis
from gradcli.ops.casts import cast
from gradcli.ops.elementwise import multiply, not_equal, where
from gradcli.ops.extremes import PICKED_BACK, PUT
from gradcli.ops.function import case
from gradcli.ops.indexing import getitem
from gradcli.ops.kinds import added, expanded, fits, general, sum_to
from gradcli.ops.losses import expect_fold, folded
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.reduction import total
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped
from gradcli.ops.softmax import log_softmax_torch


def _chosen(x: Any, index: Any, factor: Any) -> Any:
    return np.take_along_axis(x, index[..., None], -1)[..., 0] * factor


def _nll(x: Any, index: Any, factor: Any, norm: Any, *, axis: Axes) -> Any:
    kept = np.where(factor == 0, 0, _chosen(x, index, factor))
    return np.asarray(np.sum(kept, axis=axis, dtype=x.dtype) / norm)


def _nll_shape(x: CoreValue, index: CoreValue, factor: CoreValue, norm: CoreValue, *, axis: Axes) -> Spec:
    return Spec(reduced_shape(shape_of(index), axis, False), dtype_of(x))


def _along_classes(x: CoreValue) -> CoreValue:
    return reshaped(x, (*shape_of(x), 1))


def _picked(x: CoreValue, index: CoreValue) -> CoreValue:
    return reshaped(bind(PICKED_BACK, x, _along_classes(index), axis=-1), shape_of(index))


def _nll_by_x(
    g: CoreValue, y: CoreValue, x: CoreValue, index: CoreValue, factor: CoreValue, norm: CoreValue, *, axis: Axes
) -> CoreValue:
    share = expanded(restored(g, index, axis, False), shape_of(index)) * factor / norm
    return bind(PUT, _along_classes(share), _along_classes(index), axis=-1, length=shape_of(x)[-1])


def _nll_by_factor(
    g: CoreValue, y: CoreValue, x: CoreValue, index: CoreValue, factor: CoreValue, norm: CoreValue, *, axis: Axes
) -> CoreValue:
    return restored(g, index, axis, False) * _picked(x, index) / norm


def _nll_by_norm(
    g: CoreValue, y: CoreValue, x: CoreValue, index: CoreValue, factor: CoreValue, norm: CoreValue, *, axis: Axes
) -> CoreValue:
    return sum_to(-g * y / norm, shape_of(norm))


def _nll_jvp(
    ts: Any, y: CoreValue, x: CoreValue, index: CoreValue, factor: CoreValue, norm: CoreValue, *, axis: Axes
) -> CoreValue | None:
    moved = added(
        None if ts[0] is None else _picked(ts[0], index) * factor,
        None if ts[2] is None else _picked(x, index) * ts[2],
    )
    top = None if moved is None else total(moved, axis) / norm
    return added(top, None if ts[3] is None else -y * ts[3] / norm)


def _nll_batch(xs: Any, batched: Any, params: dict[str, Any], size: int) -> CoreValue:
    spread = [x if flag else expanded(x, (size, *shape_of(x))) for x, flag in zip(xs[:3], batched[:3], strict=True)]
    norm = xs[3]
    if batched[3]:
        left = ndim_of(spread[1]) - 1 - len(params["axis"])
        norm = reshaped(norm, (*shape_of(norm), *(1,) * left))
    return bind(NLL, *spread, norm, **params)


NLL: Op = general(
    "nll_loss",
    _nll,
    _nll_shape,
    vjps=(_nll_by_x, None, _nll_by_factor, _nll_by_norm),
    jvp=_nll_jvp,
    batch=_nll_batch,
    meaning=lambda S, x, index, factor, norm, *, axis: np.asarray(
        np.sum(_chosen(x, index, factor), axis=axis) / norm, dtype=object
    ),
    torch=lambda operands, params: ("NllLossBackward0" if ndim_of(operands[0]) < 3 else "NllLoss2DBackward0", (0,)),
    saves=(0, 1, 2),
    doc="Sum of the elements at the targets' classes, each with a factor, over a norm.",
)


def _likelihood(
    log_p: CoreValue, target: CoreValue, weight: Any, ignore_index: int, reduction: Any, axis: int
) -> CoreValue:
    """The negative log-likelihood of class indices, where the classes stand along an axis."""
    x = moveaxis(log_p, axis, -1) if ndim_of(log_p) > 2 else log_p
    classes = shape_of(x)[-1]
    if shape_of(x)[:-1] != shape_of(target):
        raise ShapeError(
            f"nll_loss: input of shape {fits(shape_of(log_p))} has no place for targets of shape "
            f"{fits(shape_of(target))}",
            mend="one class for each row",
        )
    _expect_classes(target, classes, ignore_index)
    counts = not_equal(target, ignore_index)
    index = where(counts, target, np.zeros((), np.int64))
    each_weight = cast(counts, dtype_of(x))
    if weight is not None:
        each_weight = each_weight * getitem(cast(as_core(weight), dtype_of(x)), index)
    whole = tuple(range(-ndim_of(target), 0))
    fold = expect_fold(reduction)
    norm = total(each_weight, whole) if fold == "mean" else np.ones((), dtype_of(x))
    return bind(NLL, x, index, -each_weight, norm, axis=() if fold == "none" else whole)


def _expect_classes(target: CoreValue, classes: int, ignore_index: int) -> None:
    if not isinstance(target, np.ndarray):
        return
    wrong = target[((target < 0) | (target >= classes)) & (target != ignore_index)]
    if wrong.size:
        raise ArgumentError(f"Target {wrong.flat[0]} is out of bounds.", mend=f"there are {classes} classes")


def _class_axis(x: CoreValue) -> int:
    return -1 if ndim_of(x) == 1 else 1 - ndim_of(x)


_ROWS = np.array([0, 2])
_CLASSES = (
    case((2, 3), _ROWS),
    case((2, 3), _ROWS, reduction="sum"),
    case((2, 3), _ROWS, reduction="none"),
    case((3,), np.array(1)),
    case((2, 3), _ROWS, weight=np.array([1.0, 2.0, 0.5])),
    case((2, 3), np.array([1, -100])),
    case((2, 3, 2), np.array([[0, 2], [1, 1]])),
)


@function(family="special", where="F", op=NLL, derivative="vjp: -g/n at each row's class, 0 elsewhere", cases=_CLASSES)
def nll_loss(
    input: Any, target: Any, weight: Any = None, *, ignore_index: int = -100, reduction: Any = "mean"
) -> CoreValue:
    """Mean negative log-likelihood of the targets' classes, from log-probabilities."""
    x = to_float(as_core(input))
    return _likelihood(x, as_core(target), weight, int(ignore_index), reduction, _class_axis(x))


@function(
    family="special",
    where="F",
    derivative="vjp: g*(softmax(x) - onehot(t))/n",
    cases=(
        *_CLASSES,
        case((2, 3), np.array([[0.7, 0.2, 0.1], [0.0, 0.5, 0.5]])),
        case((2, 3), _ROWS, label_smoothing=0.1),
        case((2, 3), _ROWS, label_smoothing=0.2, reduction="none"),
    ),
)
def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    *,
    ignore_index: int = -100,
    reduction: Any = "mean",
    label_smoothing: float = 0.0,
) -> CoreValue:
    """Mean cross-entropy of logits against class indices, or against probabilities of the input's shape."""
    x, t = to_float(as_core(input)), as_core(target)
    axis = axis_of("cross_entropy", _class_axis(x), x)
    log_p = log_softmax_torch.call(x, axis)
    if dtype_of(t).kind == "f":
        return _against_probabilities(log_p, t, weight, reduction, axis, float(label_smoothing))
    likelihood = _likelihood(log_p, t, weight, int(ignore_index), reduction, axis)
    if not label_smoothing:
        return likelihood
    smooth = _smoothing(log_p, t, weight, int(ignore_index), reduction, axis)
    classes = shape_of(x)[axis]
    return likelihood * (1 - label_smoothing) + smooth * (label_smoothing / classes)


def _against_probabilities(
    log_p: CoreValue, t: CoreValue, weight: Any, reduction: Any, axis: int, smoothing: float
) -> CoreValue:
    if shape_of(log_p) != shape_of(t):
        raise ShapeError(
            f"cross_entropy: probabilities of shape {fits(shape_of(t))} for logits of shape {fits(shape_of(log_p))}"
        )
    classes = shape_of(log_p)[axis]
    if smoothing:
        t = t * (1 - smoothing) + smoothing / classes
    products = _weighted(log_p * t, weight, axis)
    if expect_fold(reduction) == "none":
        return -total(products, (axis,))
    summed = -folded(products, "sum")
    if reduction == "sum":
        return summed
    return summed / (max(1, int(np.prod(shape_of(log_p)))) // max(1, classes))


def _weighted(x: CoreValue, weight: Any, axis: int) -> CoreValue:
    if weight is None:
        return x
    factor = as_core(weight)
    return multiply(x, reshaped(factor, (*shape_of(factor), *(1,) * (-1 - axis))))


def _smoothing(
    log_p: CoreValue, target: CoreValue, weight: Any, ignore_index: int, reduction: Any, axis: int
) -> CoreValue:
    """What label smoothing adds: minus the sum of all classes' log-probabilities, for each target that counts."""
    counts = cast(not_equal(target, ignore_index), dtype_of(log_p))
    losses = -total(_weighted(log_p, weight, axis), (axis,)) * counts
    if reduction != "mean":
        return folded(losses, reduction)
    each_weight = counts
    if weight is not None:
        index = where(not_equal(target, ignore_index), target, np.zeros((), np.int64))
        each_weight = counts * getitem(cast(as_core(weight), dtype_of(log_p)), index)
    return folded(losses, "sum") / folded(each_weight, "sum")
