"""Directions of vectors and how near two are: normalize, cosine_similarity, pairwise_distance."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.values import CoreValue, shape_of
from gradcli.ops.axes import axes_of, axis_of
from gradcli.ops.elementwise import clamp_min, less, where
from gradcli.ops.function import case
from gradcli.ops.kinds import broadcast_shape, expanded
from gradcli.ops.norm import norm_torch
from gradcli.ops.one_node import one_node
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.reduction import total
from gradcli.ops.registry import function
from gradcli.ops.vector_norms import UNIT


def _direction(x: CoreValue, dim: Any, eps: float, p: float = 2) -> CoreValue:
    """x over its p-norm along an axis, which counts as at least eps.

    Above eps that is the unit vector, whose derivative loses nothing where the vector lies nearly along an axis.
    """
    length = norm_torch.call(x, p, axis_of("norm", dim, x), keepdim=True)
    return where(less(length, eps), x / max(eps, 1e-300), bind(UNIT, x, axis=tuple(axes_of("norm", dim, x)), p=p))


@function(
    family="normalisation",
    where="F",
    derivative="vjp: (g - y*sum(g*y))/norm(x)",
    kinks="a norm below eps counts as eps",
    cases=(
        case((2, 3)),
        case((2, 3), 1.0, 0),
        case((3,), dim=0),
        case((2, 3), 3, -1, 0.5),
        case((2, 2), np.inf),
        case(np.arange(1.0, 35.0), 3, 0),
        case(np.zeros((1, 2))),
    ),
)
def normalize(input: Any, p: Any = 2.0, dim: Any = 1, eps: Any = 1e-12) -> CoreValue:
    """x over its norm along an axis, which counts as at least eps."""
    x = to_float(as_core(input))
    axis = axis_of("normalize", dim, x)
    if p >= 1 and shape_of(x):
        return one_node("Div", _direction(x, axis, float(eps), p), x)
    length = clamp_min.call(norm_torch.call(x, p, axis, keepdim=True), float(eps))
    return x / expanded(length, shape_of(x))


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
    product = _direction(a, dim, float(eps)) * _direction(b, dim, float(eps))
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
