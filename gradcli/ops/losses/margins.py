"""Losses that ask for a margin: between a number and a bound, two numbers, classes, or distances."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.values import CoreValue, dtype_of, ndim_of, shape_of
from gradcli.ops.arguments import integer, settled
from gradcli.ops.distances import pairwise_distance
from gradcli.ops.elementwise import clamp_min, equal, hypot, less, minimum, not_equal, relu, square, where
from gradcli.ops.function import case
from gradcli.ops.indexing import getitem
from gradcli.ops.kinds import broadcast_shape, fits
from gradcli.ops.losses.folding import fold_of, folded
from gradcli.ops.norm import norm_torch
from gradcli.ops.one_node import one_node
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.reduction import total
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped
from gradcli.ops.vector_norms import UNIT


def _above_zero(x: CoreValue) -> CoreValue:
    """x where it is positive; at 0 it has its slope, as PyTorch's clamp_min."""
    return clamp_min.call(x, 0.0)


def _floats(*xs: Any) -> list[CoreValue]:
    return [to_float(as_core(x)) for x in xs]


_SIGNS = np.array([1, -1, 1])
_AT_MARGIN = "exactly at the margin: the slope of the side that costs, as in PyTorch"
_BEYOND_MARGIN = "exactly at the margin: 0, as in PyTorch"


# --- of numbers ------------------------------------------------------------------------------------------------------


@function(
    family="loss",
    where="F",
    derivative="vjp: g/n where y = 1, -g/n where y = -1 and x < margin",
    kinks=_AT_MARGIN,
    cases=(
        case((3,), _SIGNS),
        case((2, 3), _SIGNS, 0.5, reduction="sum"),
        case((3,), _SIGNS, reduction="none"),
        case(np.array([1.0, 1.0, 2.0]), -_SIGNS),
    ),
)
def hinge_embedding_loss(
    input: Any, target: Any, margin: Any = 1.0, size_average: Any = None, reduce: Any = None, reduction: Any = "mean"
) -> CoreValue:
    """Mean of x where the target is 1, and of what x lacks to the margin where it is -1."""
    x, y = _floats(input, target)
    broadcast_shape("hinge_embedding_loss", shape_of(x), shape_of(y))
    apart = where(not_equal(y, 1), _above_zero(float(margin) - x), 0.0)
    alike = where(not_equal(y, -1), x, 0.0)
    return folded(apart + alike, fold_of(reduction, size_average, reduce))


@function(
    real=True,
    family="loss",
    where="F",
    derivative="vjp: -g*y/n, g*y/n where y*(x1 - x2) < margin",
    kinks=_AT_MARGIN,
    cases=(
        case((3,), (3,), _SIGNS),
        case((2, 3), (2, 3), _SIGNS, 0.5, reduction="sum"),
        case((3,), (3,), _SIGNS, reduction="none"),
        case(np.ones(3), np.ones(3), _SIGNS),
    ),
)
def margin_ranking_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: Any = 0.0,
    size_average: Any = None,
    reduce: Any = None,
    reduction: Any = "mean",
) -> CoreValue:
    """Mean of what y*(x1 - x2) lacks to the margin: y = 1 ranks x1 above x2, y = -1 below."""
    a, b, y = _floats(input1, input2, target)
    broadcast_shape("margin_ranking_loss", shape_of(a), shape_of(b), shape_of(y))
    return folded(_above_zero(float(margin) - y * (a - b)), fold_of(reduction, size_average, reduce))


# --- of directions and distances -------------------------------------------------------------------------------------

#: The square root of what PyTorch adds to squared lengths here, so that a length of 0 has a direction.
_SMALL = 1e-6


def _direction(x: CoreValue) -> CoreValue:
    """x over the root of its squared length plus a little."""
    length = norm_torch.call(x, 2, -1, keepdim=True)
    small = less(length, _SMALL)
    shortened = 1.0 / hypot(1.0, _SMALL / where(small, _SMALL, length))
    return where(small, x / hypot(where(small, length, 0.0), _SMALL), bind(UNIT, x, axis=(-1,)) * shortened)


@function(
    family="loss",
    where="F",
    derivative="vjp: that of 1 - cos where y = 1, of cos where y = -1 and cos > margin; cos = x1 @ x2/(|x1|*|x2|)",
    kinks=_AT_MARGIN,
    cases=(
        case((3, 2), (3, 2), _SIGNS),
        case((3, 2), (3, 2), _SIGNS, 0.25, reduction="sum"),
        case((3, 2), (3, 2), -_SIGNS, reduction="none"),
        case((3,), (3,), np.array(1)),
    ),
)
def cosine_embedding_loss(
    input1: Any,
    input2: Any,
    target: Any,
    margin: Any = 0.0,
    size_average: Any = None,
    reduce: Any = None,
    reduction: Any = "mean",
) -> CoreValue:
    """Mean of 1 - cos of the angle of two vectors where the target is 1, of cos beyond the margin where it is -1."""
    a, b, y = _floats(input1, input2, target)
    if ndim_of(a) != ndim_of(b) or ndim_of(a) != ndim_of(y) + 1 or ndim_of(y) > 1:
        raise ShapeError(
            f"{ndim_of(y)}D target tensor expects {ndim_of(y) + 1}D input tensors, but found inputs with sizes "
            f"{fits(shape_of(a))} and {fits(shape_of(b))}.",
            mend="vectors and one target, or matrices and one target for each row",
        )
    cosine = total(_direction(a) * _direction(b), (-1,))
    alike = where(equal(y, 1), 1.0 - cosine, 0.0)
    apart = where(equal(y, -1), _above_zero(cosine - float(margin)), 0.0)
    return folded(alike + apart, fold_of(reduction, size_average, reduce))


def _triplet(near: CoreValue, far: CoreValue, margin: Any, fold: str) -> CoreValue:
    if not float(margin) > 0:
        raise ArgumentError(f"triplet_margin_loss: margin is a number above 0, not {float(margin)}")
    return folded(_above_zero(near - far + float(margin)), fold)


@function(
    family="loss",
    where="F",
    derivative="vjp: g/n times the slopes of the two distances, where their difference is below the margin",
    kinks=f"{_AT_MARGIN}; swap, equal distances: half of each",
    source="Balntas et al. 2016, Learning shallow convolutional feature descriptors with triplet losses",
    cases=(
        case((2, 3), (2, 3), (2, 3)),
        case((2, 3), (2, 3), (2, 3), 2.0, 1.0, reduction="sum"),
        case((2, 3), (2, 3), (2, 3), 1.5, 3.0, 0.25, True, reduction="none"),
        case((3,), (3,), (3,)),
    ),
)
def triplet_margin_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    margin: Any = 1.0,
    p: Any = 2.0,
    eps: Any = 1e-6,
    swap: Any = False,
    size_average: Any = None,
    reduce: Any = None,
    reduction: Any = "mean",
) -> CoreValue:
    """Mean of what an anchor's distance from a negative lacks to be a margin more than that from a positive."""
    near = pairwise_distance.call(anchor, positive, p, eps)
    far = pairwise_distance.call(anchor, negative, p, eps)
    if swap:
        far = minimum(far, pairwise_distance.call(positive, negative, p, eps))
    return _triplet(near, far, margin, fold_of(reduction, size_average, reduce))


@function(
    family="loss",
    where="F",
    derivative="vjp: that of triplet_margin_loss",
    kinks=f"{_AT_MARGIN}; swap, equal distances: half of each",
    cases=(case((2, 3), (2, 3), (2, 3)), case((2, 3), (2, 3), (2, 3), margin=2.5, swap=True, reduction="sum")),
)
def triplet_margin_with_distance_loss(
    anchor: Any,
    positive: Any,
    negative: Any,
    *,
    distance_function: Any = None,
    margin: Any = 1.0,
    swap: Any = False,
    reduction: Any = "mean",
) -> CoreValue:
    """triplet_margin_loss by the Euclidean distance."""
    if distance_function is not None:
        raise ArgumentError(
            "triplet_margin_with_distance_loss: no other distance than the Euclidean one is here",
            mend="(d(a, p) - d(a, n) + margin).clamp(min=0).mean() says it in full",
        )
    return triplet_margin_loss.call(anchor, positive, negative, margin, swap=swap, reduction=reduction)


# --- of classes ------------------------------------------------------------------------------------------------------


def _rows(name: str, input: Any) -> CoreValue:
    """Scores of classes in rows; one row of them is a vector."""
    x = to_float(as_core(input))
    if ndim_of(x) not in (1, 2) or not shape_of(x)[-1]:
        raise ShapeError(f"{name} takes [classes] or [batch, classes], not shape {fits(shape_of(x))}")
    return x if ndim_of(x) == 2 else reshaped(x, (1, *shape_of(x)))


def _classes(name: str, target: Any, rows: int, classes: int) -> Any:
    """The class of each row."""
    given = np.asarray(settled(as_core(target)))
    if given.dtype.kind not in "iu" or given.shape not in ((rows,), () if rows == 1 else (rows,)):
        raise ShapeError(f"{name}: inconsistent target size: {fits(given.shape)} of {given.dtype} for {rows} rows")
    found = given.reshape(rows)
    if found.size and not 0 <= found.min() <= found.max() < classes:
        raise ArgumentError(f"{name}: a target is out of range, there are {classes} classes")
    return found


@function(
    family="loss",
    where="F",
    derivative="vjp: g*p*z**(p - 1)*w/c for each class whose z = margin - x[y] + x is positive; minus their sum at y",
    kinks=_BEYOND_MARGIN,
    cases=(
        case((2, 3), np.array([0, 2])),
        case((2, 3), np.array([1, 1]), 2, 0.5, reduction="sum"),
        case((2, 3), np.array([1, 0]), weight=np.array([1.0, 2.0, 0.5]), reduction="none"),
        case((3,), np.array(1)),
        case(np.array([[0.5, 1.5, 0.0]]), np.array([1])),
    ),
)
def multi_margin_loss(
    input: Any,
    target: Any,
    p: Any = 1,
    margin: Any = 1.0,
    weight: Any = None,
    size_average: Any = None,
    reduce: Any = None,
    reduction: Any = "mean",
) -> CoreValue:
    """Mean over classes of what the target's score lacks to be a margin above each other one's, to the power p."""
    x = _rows("multi_margin_loss", input)
    rows, classes = shape_of(x)
    own = _classes("multi_margin_loss", target, rows, classes)
    order = integer(p, "multi_margin_loss: p")
    if order not in (1, 2):
        raise ArgumentError(f"multi_margin_loss: only p == 1 and p == 2 supported, not {order}")
    picked = reshaped(getitem.call(x, (np.arange(rows), own)), (rows, 1))
    short = where(own[:, None] == np.arange(classes), 0.0, relu.call(float(margin) - picked + x))
    losses = total(square(short) if order == 2 else short, (-1,)) / float(classes)
    if weight is not None:
        losses = losses * getitem.call(_per_class("multi_margin_loss", weight, classes), own)
    losses = losses if ndim_of(as_core(input)) == 2 else losses[0]
    return one_node("MultiMarginLoss", folded(losses, fold_of(reduction, size_average, reduce)), as_core(input))


def _per_class(name: str, weight: Any, classes: int) -> CoreValue:
    found = to_float(as_core(weight))
    if shape_of(found) != (classes,):
        raise ShapeError(f"{name}: a weight has one number for each of {classes} classes, not {fits(shape_of(found))}")
    return found


@function(
    family="loss",
    where="F",
    derivative="vjp: g/c for each other class and target with 1 - x[target] + x positive; minus that at the target",
    kinks=_BEYOND_MARGIN,
    cases=(
        case((2, 3), np.array([[0, 2, -1], [1, -1, 0]])),
        case((2, 3), np.array([[0, 1, 2], [-1, 1, 0]]), reduction="sum"),
        case((2, 3), np.array([[2, -1, -1], [1, 0, -1]]), reduction="none"),
        case((4,), np.array([3, 0, -1, 1])),
    ),
)
def multilabel_margin_loss(
    input: Any, target: Any, size_average: Any = None, reduce: Any = None, reduction: Any = "mean"
) -> CoreValue:
    """Mean over classes of what the scores of a row's targets (listed up to a -1) lack to be 1 above the others'."""
    x = _rows("multilabel_margin_loss", input)
    rows, classes = shape_of(x)
    given = np.asarray(settled(as_core(target)))
    if given.shape != shape_of(as_core(input)) or given.dtype.kind not in "iu":
        raise ShapeError(
            f"multilabel_margin_loss: inconsistent target size: {fits(given.shape)} of {given.dtype} for "
            f"{fits(shape_of(as_core(input)))}"
        )
    listed = given.reshape(rows, classes)
    if listed.size and not -1 <= listed.min() <= listed.max() < classes:
        raise ArgumentError(f"multilabel_margin_loss: a target is out of range, there are {classes} classes")
    meant = np.cumprod(listed >= 0, axis=1).astype(bool)
    own = np.zeros((rows, classes), bool)
    own[np.nonzero(meant)[0], listed[meant]] = True
    picked = getitem.call(x, (np.arange(rows)[:, None], np.where(meant, listed, 0)))
    short = relu.call(1.0 - reshaped(picked, (rows, classes, 1)) + reshaped(x, (rows, 1, classes)))
    counted = where(meant[:, :, None] & ~own[:, None, :], short, np.zeros((), dtype_of(x)))
    losses = total(counted, (-2, -1)) / float(classes)
    losses = losses if ndim_of(as_core(input)) == 2 else losses[0]
    return one_node("MultilabelMarginLoss", folded(losses, fold_of(reduction, size_average, reduce)), as_core(input))
