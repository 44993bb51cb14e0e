"""How near two values are: cosine_similarity and pairwise_distance along an axis, dist of all elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.values import CoreValue, shape_of
from gradcli.ops.axes import axis_of
from gradcli.ops.elementwise import clamp_min
from gradcli.ops.function import case
from gradcli.ops.kinds import broadcast_shape, expanded
from gradcli.ops.norm import norm_torch
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.reduction import total
from gradcli.ops.registry import function


def _size(x: CoreValue, dim: Any, eps: float) -> CoreValue:
    """The Euclidean norm along an axis, but at least eps."""
    return clamp_min.call(norm_torch.call(x, 2, axis_of("norm", dim, x), keepdim=True), eps)


@function(
    family="normalisation",
    where="torch F",
    derivative="vjp: g*(x2/norm(x2) - y*x1/norm(x1))/norm(x1)",
    kinks="a norm below eps counts as eps",
    cases=(
        case((2, 3), (2, 3)),
        case((3,), (3,), dim=0),
        case((2, 3), (3,), dim=-1),
        case((2, 3), (2, 1, 3), -1, 1.5),
        case(np.zeros(2), (2,), 0),
    ),
)
def cosine_similarity(x1: Any, x2: Any, dim: Any = 1, eps: Any = 1e-8) -> CoreValue:
    """The cosine of the angle between two values along an axis."""
    a, b = to_float(as_core(x1)), to_float(as_core(x2))
    shape = broadcast_shape("cosine_similarity", shape_of(a), shape_of(b))
    a, b = expanded(a, shape), expanded(b, shape)
    product = (a / _size(a, dim, float(eps))) * (b / _size(b, dim, float(eps)))
    return total(product, (axis_of("cosine_similarity", dim, product),))


@function(
    family="normalisation",
    where="torch F",
    derivative="vjp: g*sign(d)*(|d|/y)**(p - 1) for x1 and its negative for x2, with d = x1 - x2 + eps",
    kinks="a distance of 0: 0, as in PyTorch",
    cases=(
        case((2, 3), (2, 3)),
        case((3,), (2, 3), 1.0),
        case((2, 3), (2, 3), 3, 0.0, True),
        case((2,), (2,), float("inf")),
    ),
)
def pairwise_distance(x1: Any, x2: Any, p: Any = 2.0, eps: Any = 1e-6, keepdim: Any = False) -> CoreValue:
    """The p-norm of x1 - x2 + eps along the last axis."""
    a, b = to_float(as_core(x1)), to_float(as_core(x2))
    shape = broadcast_shape("pairwise_distance", shape_of(a), shape_of(b))
    gap = expanded(a, shape) - expanded(b, shape) + float(eps)
    return norm_torch.call(gap, p, -1, keepdim=bool(keepdim))


@function(
    family="normalisation",
    where="torch method",
    derivative="vjp: g*sign(d)*(|d|/y)**(p - 1) for input and its negative for other, with d = input - other",
    kinks="a distance of 0: 0, as in PyTorch",
    cases=(case((2, 3), (3,)), case((3,), (3,), 1), case((2, 2), (2, 2), 3), case((3,), (3,), float("inf"))),
)
def dist(input: Any, other: Any, p: Any = 2) -> CoreValue:
    """The p-norm of all elements of input - other."""
    return norm_torch.call(to_float(as_core(input)) - to_float(as_core(other)), p)
