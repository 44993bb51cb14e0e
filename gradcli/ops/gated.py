"""glu: one half of an axis, gated by the other."""

from __future__ import annotations

from typing import Any

from gradcli.graph.errors import ShapeError
from gradcli.graph.values import OPERATORS, CoreValue, ndim_of, shape_of
from gradcli.ops.arguments import one_axis
from gradcli.ops.elementwise import sigmoid
from gradcli.ops.elementwise.real_operands import real_operand
from gradcli.ops.function import case
from gradcli.ops.kinds import fits
from gradcli.ops.registry import function


@function(
    family="activation",
    where="F",
    also=("jax.nn.glu",),
    derivative="vjp: sigmoid(b)*g for the first half a, a*sigmoid(b)*sigmoid(-b)*g for the second half b",
    source="Dauphin, Fan, Auli and Grangier 2016",
    cases=(case((2, 4)), case((4,)), case((2, 3), 0), case((2, 2, 2), -2), case((0, 2))),
)
def glu(input: Any, dim: Any = -1) -> CoreValue:
    """The first half of an axis times the sigmoid of the second."""
    x = real_operand("glu", input)
    if not ndim_of(x):
        raise ShapeError("glu does not support 0-dimensional tensors")
    axis = one_axis("glu", dim, shape_of(x))
    length = shape_of(x)[axis]
    if length % 2:
        raise ShapeError(f"glu: an axis of even length is halved; axis {dim} of shape {fits(shape_of(x))} has {length}")
    after = (slice(None),) * (-axis - 1)
    read = OPERATORS["[]"]
    first, second = (read(x, (..., half, *after)) for half in (slice(None, length // 2), slice(length // 2, None)))
    return first * sigmoid(second)
