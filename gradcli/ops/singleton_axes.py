"""Axes of length 1, put in and taken out.

Axes in parameters are counted from the end throughout; see `gradcli.ops.arguments`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Shape, Spec, dtype_of, shape_of
from gradcli.ops.arguments import many_axes
from gradcli.ops.function import case
from gradcli.ops.kinds import fits, linear
from gradcli.ops.operands import as_core
from gradcli.ops.registry import function


def _squeeze_rule(x: CoreValue, axes: Shape) -> Spec:
    shape = shape_of(x)
    for axis in axes:
        if shape[axis] != 1:
            raise ShapeError(
                f"squeeze: axis {axis + len(shape)} of shape {fits(shape)} has length {shape[axis]}, not 1"
            )
    return Spec(tuple(n for i, n in enumerate(shape) if i - len(shape) not in axes), dtype_of(x))


def _expand_dims_rule(x: CoreValue, axes: Shape) -> Spec:
    rest = iter(shape_of(x))
    rank = len(shape_of(x)) + len(axes)
    return Spec(tuple(1 if i in axes else next(rest) for i in range(-rank, 0)), dtype_of(x))


def _squeezing(torch: str) -> Op:
    return linear(
        "squeeze",
        lambda x, axes: np.squeeze(x, axes),
        _squeeze_rule,
        transpose=lambda g, x, axes: bind(EXPAND_DIMS, g, axes=axes),
        views=True,
        torch=lambda operands, params: torch,
        moves="forward",
        doc="Without axes of length 1.",
    )


SQUEEZE_ALL: Op = _squeezing("SqueezeBackward0")
SQUEEZE: Op = _squeezing("SqueezeBackward1")
EXPAND_DIMS: Op = linear(
    "expand_dims",
    lambda x, axes: np.expand_dims(x, axes),
    _expand_dims_rule,
    transpose=lambda g, x, axes: bind(SQUEEZE, g, axes=axes),
    views=True,
    torch="Unsqueeze",
    moves="forward",
    doc="With axes of length 1 put in.",
)


def _singletons(shape: Shape) -> Shape:
    return tuple(i - len(shape) for i, length in enumerate(shape) if length == 1)


@function(
    family="shape",
    op=SQUEEZE,
    where="numpy",
    also=(".squeeze@numpy",),
    derivative="vjp: g with the axes put back",
    views=True,
    cases=(
        case((1, 3, 1)),
        case((1, 3, 1), 0),
        case((1, 3, 1), axis=-1),
        case((1, 3, 1), axis=[0, -1]),
        case((2, 3)),
        case(()),
    ),
)
def squeeze(x: Any, axis: Any = None) -> CoreValue:
    """Without its axes of length 1, or without those named."""
    x = as_core(x)
    if axis is None:
        return bind(SQUEEZE_ALL, x, axes=_singletons(x.shape))
    return bind(SQUEEZE, x, axes=many_axes("squeeze", axis, x.shape))


@function(
    "squeeze_torch",
    family="shape",
    op=SQUEEZE,
    where="",
    also=("torch.squeeze", ".squeeze@torch"),
    derivative="vjp: g with the axes put back",
    views=True,
    cases=(case((1, 3, 1)), case((1, 3, 1), 1), case((1, 3, 1), -1), case((1, 3, 1), [0, 1])),
)
def squeeze_torch(input: Any, dim: Any = None) -> CoreValue:
    """Without its axes of length 1, or without those of them that are named."""
    x = as_core(input)
    if dim is None:
        return bind(SQUEEZE_ALL, x, axes=_singletons(x.shape))
    named = many_axes("squeeze", dim, x.shape) if x.ndim else ()
    return bind(SQUEEZE, x, axes=tuple(a for a in named if x.shape[a] == 1))


@function(
    family="shape",
    op=EXPAND_DIMS,
    where="numpy",
    also=("torch.unsqueeze", ".unsqueeze", ".expand_dims"),
    derivative="vjp: g without the axes",
    views=True,
    cases=(case((2, 3), 0), case((2, 3), -1), case((2, 3), [0, 2]), case((), 0), case((0,), 1)),
)
def expand_dims(x: Any, axis: Any) -> CoreValue:
    """With an axis of length 1 put in."""
    x = as_core(x)
    extra = len(axis) if isinstance(axis, list | tuple) else 1
    return bind(EXPAND_DIMS, x, axes=many_axes("expand_dims", axis, x.shape + (1,) * extra))
