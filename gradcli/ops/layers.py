"""Functions of torch.nn.functional, and their like, that are made of others: normalize, layer_norm, one_hot, diff."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.values import CoreValue, dtype_of, ndim_of, shape_of
from gradcli.ops.arguments import integer, settled, sizes
from gradcli.ops.axes import axes_of, axis_of
from gradcli.ops.casts import cast
from gradcli.ops.elementwise import clip, equal, greater_equal, not_equal, sqrt, square
from gradcli.ops.function import case
from gradcli.ops.kinds import broadcast_shape, expanded, fits
from gradcli.ops.norm import norm_torch
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.random import rand_like
from gradcli.ops.reduction import average, total
from gradcli.ops.registry import function
from gradcli.ops.selecting import narrow
from gradcli.ops.shape import reshaped
from gradcli.ops.softmax import softmax_torch


@function(
    family="special",
    where="F",
    differentiable=False,
    cases=(case(np.array([0, 2, 1])), case(np.array([[0], [1]]), 3)),
)
def one_hot(tensor: Any, num_classes: Any = -1) -> CoreValue:
    """For each class index a row of zeros with a one at its place."""
    index = as_core(tensor)
    if dtype_of(index).kind not in "iu":
        raise ArgumentError("one_hot is only applicable to index tensor of type LongTensor.")
    given = np.asarray(settled(index))
    count = integer(num_classes, "one_hot: the number of classes")
    if count < 0:
        count = int(given.max()) + 1 if given.size else 0
    if given.size and not 0 <= given.min() <= given.max() < count:
        raise ArgumentError(f"one_hot: class {given.max() if given.max() >= count else given.min()} of {count} classes")
    return cast(equal(reshaped(index, (*shape_of(index), 1)), np.arange(count)), np.dtype(np.int64))


@function(
    family="special",
    where="F",
    derivative="vjp: (g - y*sum(g*y))/norm(x)",
    cases=(case((2, 3)), case((2, 3), 1.0, 0), case((3,), dim=0)),
)
def normalize(input: Any, p: Any = 2.0, dim: Any = 1, eps: float = 1e-12) -> CoreValue:
    """x over its norm along an axis, which counts as at least eps."""
    x = to_float(as_core(input))
    return x / expanded(_size(x, p, dim, eps), shape_of(x))


def _size(x: CoreValue, p: Any, dim: Any, eps: float) -> CoreValue:
    """The norm along an axis, but at least eps."""
    return clip.call(norm_torch.call(x, p, axis_of("norm", dim, x), keepdim=True), float(eps), None)


@function(
    family="special",
    where="F",
    also=("torch.cosine_similarity",),
    derivative="vjp: g*(x2/norm(x2) - y*x1/norm(x1))/norm(x1)",
    cases=(case((2, 3), (2, 3)), case((3,), (3,), dim=0), case((2, 3), (3,), dim=-1)),
)
def cosine_similarity(x1: Any, x2: Any, dim: Any = 1, eps: float = 1e-8) -> CoreValue:
    """The cosine of the angle between two values along an axis."""
    a, b = to_float(as_core(x1)), to_float(as_core(x2))
    shape = broadcast_shape("cosine_similarity", shape_of(a), shape_of(b))
    a, b = expanded(a, shape), expanded(b, shape)
    product = (a / _size(a, 2, dim, eps)) * (b / _size(b, 2, dim, eps))
    return total(product, (axis_of("cosine_similarity", dim, product),))


@function(family="special", where="F", derivative="vjp: -y*(g - sum(g*y))", cases=(case((2, 3), 1), case((3,), dim=0)))
def softmin(input: Any, dim: Any = None) -> CoreValue:
    """softmax(-x) along an axis."""
    return softmax_torch.call(-as_core(input), dim)


@function(
    family="special",
    where="F",
    derivative="vjp: (g - mean(g) - y*mean(g*y))/std(x)",
    cases=(case((2, 3), [3]), case((2, 3), [2, 3]), case((2, 3), 3, (3,), (3,))),
)
def layer_norm(input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> CoreValue:
    """x less its mean, over its standard deviation, along the last axes, whose lengths are given."""
    x = to_float(as_core(input))
    lengths = sizes("layer_norm", (normalized_shape,))
    if not lengths or shape_of(x)[-len(lengths) :] != tuple(lengths):
        raise ShapeError(f"layer_norm: shape {fits(shape_of(x))} does not end in {fits(tuple(lengths))}")
    axes = axes_of("layer_norm", tuple(range(-len(lengths), 0)), x)
    centred = x - average(x, axes, True)
    found = centred / sqrt(average(square(centred), axes, True) + eps)
    found = found if weight is None else found * as_core(weight)
    return found if bias is None else found + as_core(bias)


@function(
    family="special",
    where="F",
    derivative="vjp: g where kept, over 1 - p",
    cases=(case((3,), training=False), case((3,), 0.0)),
)
def dropout(input: Any, p: Any = 0.5, training: bool = True, inplace: bool = False) -> CoreValue:
    """Elements set to zero with probability p, the others divided by 1 - p; with training False, x itself."""
    x = as_core(input)
    if not 0 <= p <= 1:
        raise ArgumentError(f"dropout probability has to be between 0 and 1, but got {p}")
    if not training or p == 0:
        return x
    if p == 1:
        return x * 0.0
    kept = cast(greater_equal(rand_like.call(x), p), dtype_of(x))
    return x * (kept / (1 - p))


@function(
    family="special",
    where="numpy torch method",
    derivative="vjp: the negative differences of g, with zeros at its ends",
    cases=(case((4,)), case((2, 3), axis=0), case((2, 5), 2), case((3,), 0)),
)
def diff(x: Any, n: Any = 1, axis: Any = -1) -> CoreValue:
    """Differences of neighbours along an axis, n times."""
    found = as_core(x)
    if not ndim_of(found):
        raise ShapeError("diff takes a value with at least one axis")
    at = axis_of("diff", axis, found)
    times = integer(n, "diff: n")
    if times < 0:
        raise ArgumentError(f"diff: n is at least 0, not {times}")
    for _ in range(min(times, shape_of(found)[at])):
        length = max(shape_of(found)[at] - 1, 0)
        after, before = narrow.call(found, at, 1, length), narrow.call(found, at, 0, length)
        found = not_equal(after, before) if dtype_of(found).kind == "b" else after - before
    return found
