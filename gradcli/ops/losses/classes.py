"""Likelihoods of classes: nll_loss, cross_entropy.

In an op's parameters `axis` are the axes folded (see `gradcli.ops.axes`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, count_of, dtype_of, ndim_of, shape_of
from gradcli.ops.added_products import linear
from gradcli.ops.arguments import integer
from gradcli.ops.axes import Axes, reduced_shape, restored
from gradcli.ops.axis_order import moveaxis
from gradcli.ops.carrying import carried, carried_over
from gradcli.ops.casts import cast
from gradcli.ops.dependence import along_link, every_link
from gradcli.ops.elementwise import multiply, not_equal, where
from gradcli.ops.function import case
from gradcli.ops.indexing import getitem
from gradcli.ops.kinds import added, expanded, fits, general, sum_to
from gradcli.ops.losses.folding import fold_of, folded
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.picking import PICKED_BACK, PUT
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
    share = carried_over(expanded(restored(g, index, axis, False), shape_of(index)) * factor, norm)
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


def _nll_depends(op: Op, operands: Any, y: Any, params: Any, wanted: Any) -> Any:
    """Each element of the sum has its own row of classes, and its own factor."""
    x, _, factor, norm = operands
    axis, target = params["axis"], shape_of(y)
    rows = along_link(shape_of(x), (*(a - 1 for a in axis), -1), target)
    factors = along_link(shape_of(factor), axis, target)
    links = (rows, None, factors, every_link(norm, y))
    return [link if want else None for link, want in zip(links, wanted, strict=True)]


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
    depends=_nll_depends,
    doc="Sum of the elements at the targets' classes, each with a factor, over a norm.",
)


def _likelihood(log_p: CoreValue, target: CoreValue, weight: Any, ignore_index: int, fold: str, axis: int) -> CoreValue:
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
    norm = total(each_weight, whole) if fold == "mean" else np.ones((), dtype_of(x))
    return bind(NLL, x, index, -each_weight, norm, axis=() if fold == "none" else whole)


def _expect_classes(target: CoreValue, classes: int, ignore_index: int) -> None:
    if not isinstance(target, np.ndarray):
        return
    wrong = target[((target < 0) | (target >= classes)) & (target != ignore_index)]
    if wrong.size:
        raise ArgumentError(f"Target {wrong.flat[0]} is out of bounds.", mend=f"there are {classes} classes")


_ROWS = np.array([0, 2])
_CLASSES = (
    case((2, 3), _ROWS),
    case((2, 3), _ROWS, reduction="sum"),
    case((2, 3), _ROWS, reduction="none"),
    case((3,), np.array(1)),
    case((2, 3), _ROWS, (3,)),
    case((2, 3), np.array([1, -100])),
    case((2, 3), np.array([1, 2]), ignore_index=2, reduction="none"),
    case((2, 3, 2), np.array([[0, 2], [1, 1]])),
    case((1, 3, 1, 2), np.array([[[0, 2]]]), reduction="sum"),
)


@function(
    real=True,
    family="loss",
    where="F",
    op=NLL,
    derivative="vjp: -g*weight/n at each row's class, 0 elsewhere",
    domain=((-3.0, -0.1), (0.5, 2.0)),
    cases=_CLASSES,
)
def nll_loss(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    ignore_index: Any = -100,
    reduce: Any = None,
    reduction: Any = "mean",
) -> CoreValue:
    """Mean negative log-likelihood of the targets' classes, from log-probabilities."""
    x = to_float(as_core(input))
    ignored = integer(ignore_index, "nll_loss: ignore_index")
    fold = fold_of(reduction, size_average, reduce)
    return _likelihood(x, as_core(target), weight, ignored, fold, _class_axis("nll_loss", x))


@function(
    real=True,
    family="loss",
    where="F",
    derivative="vjp: g*(softmax(x) - onehot(t))*weight/n; of probabilities t, g*(softmax(x)*sum(t) - t)/n",
    domain=((-3.0, 3.0), (0.5, 2.0)),
    kinks="t = 0 and softmax(x) = 0: their product is 0",
    cases=(
        *_CLASSES,
        case((2, 3), np.array([[0.7, 0.2, 0.1], [0.0, 0.5, 0.5]])),
        case((2, 3), np.array([[0.7, 0.2, 0.1], [0.0, 0.5, 0.5]]), (3,), reduction="none"),
        case((3,), np.array([0.7, 0.2, 0.1]), reduction="sum", label_smoothing=0.25),
        case((2, 3), _ROWS, label_smoothing=0.1),
        case((2, 3), _ROWS, (3,), label_smoothing=0.1),
        case((2, 3), _ROWS, label_smoothing=0.2, reduction="none"),
        case(np.array([[50.0, 0.0, -1.0]]), np.array([0])),
    ),
)
def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    size_average: Any = None,
    ignore_index: Any = -100,
    reduce: Any = None,
    reduction: Any = "mean",
    label_smoothing: Any = 0.0,
) -> CoreValue:
    """Mean cross-entropy of logits against class indices, or against probabilities of the input's shape."""
    x, t = to_float(as_core(input)), as_core(target)
    axis = _class_axis("cross_entropy", x)
    smoothing, fold = _fraction(label_smoothing), fold_of(reduction, size_average, reduce)
    log_p = log_softmax_torch.call(x, axis)
    if dtype_of(t).kind == "f":
        return _against_probabilities(log_p, t, weight, fold, axis, smoothing)
    ignored = integer(ignore_index, "cross_entropy: ignore_index")
    likelihood = _likelihood(log_p, t, weight, ignored, fold, axis)
    if not smoothing:
        return likelihood
    smooth = _smoothing(log_p, t, weight, ignored, fold, axis)
    return likelihood * (1 - smoothing) + smooth * (smoothing / shape_of(x)[axis])


def _fraction(x: Any) -> float:
    found = float(x)
    if not 0 <= found <= 1:
        raise ArgumentError(f"label_smoothing must be between 0.0 and 1.0. Got: {found}")
    return found


def _class_axis(name: str, x: CoreValue) -> int:
    if not ndim_of(x):
        raise ShapeError(f"{name} takes an input with at least one axis, of classes")
    return -1 if ndim_of(x) == 1 else 1 - ndim_of(x)


def _against_probabilities(
    log_p: CoreValue, t: CoreValue, weight: Any, fold: str, axis: int, smoothing: float
) -> CoreValue:
    if shape_of(log_p) != shape_of(t):
        raise ShapeError(
            f"cross_entropy: probabilities of shape {fits(shape_of(t))} for logits of shape {fits(shape_of(log_p))}"
        )
    classes = shape_of(log_p)[axis]
    if smoothing:
        t = t * (1 - smoothing) + smoothing / classes
    products = _weighted(carried(t, log_p), weight, axis)
    if fold == "none":
        return -total(products, (axis,))
    summed = -folded(products, "sum")
    return summed if fold == "sum" else summed / (count_of(shape_of(log_p)) // max(1, classes))


def _weighted(x: CoreValue, weight: Any, axis: int) -> CoreValue:
    if weight is None:
        return x
    factor = to_float(as_core(weight))
    return multiply(x, reshaped(factor, (*shape_of(factor), *(1,) * (-1 - axis))))


def _smoothing(log_p: CoreValue, target: CoreValue, weight: Any, ignore_index: int, fold: str, axis: int) -> CoreValue:
    """What label smoothing adds: minus the sum of all classes' log-probabilities, for each target that counts."""
    counts = cast(not_equal(target, ignore_index), dtype_of(log_p))
    losses = -total(_weighted(log_p, weight, axis), (axis,)) * counts
    if fold != "mean":
        return folded(losses, fold)
    each_weight = counts
    if weight is not None:
        index = where(not_equal(target, ignore_index), target, np.zeros((), np.int64))
        each_weight = counts * getitem(cast(as_core(weight), dtype_of(log_p)), index)
    return folded(losses, "sum") / folded(each_weight, "sum")


@function(
    real=True,
    family="loss",
    where="F",
    derivative="vjp: those of cross_entropy through linear",
    cases=(
        case((2, 3), (4, 3), np.array([1, 3])),
        case((2, 3), (4, 3), np.array([1, 3]), linear_bias=np.array([0.5, -1.0, 0.25, 0.0]), label_smoothing=0.1),
        case((3,), (2, 3), np.array(1), reduction="sum"),
    ),
)
def linear_cross_entropy(
    input: Any,
    linear_weight: Any,
    target: Any,
    *,
    linear_bias: Any = None,
    weight: Any = None,
    reduction: Any = "mean",
    ignore_index: Any = None,
    label_smoothing: Any = 0.0,
    options: Any = None,
) -> CoreValue:
    """cross_entropy of linear(input, linear_weight, linear_bias)."""
    logits = linear.call(to_float(as_core(input)), to_float(as_core(linear_weight)), linear_bias)
    ignored = -100 if ignore_index is None else ignore_index
    how = {"ignore_index": ignored, "reduction": reduction, "label_smoothing": label_smoothing}
    return cross_entropy.call(logits, target, weight, **how)
