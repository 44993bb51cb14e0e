"""PyTorch's max and min: of all elements, along an axis with the index, or of two tensors."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, shape_of
from gradcli.ops.axes import axis_of
from gradcli.ops.elementwise import maximum, minimum
from gradcli.ops.extremes import MAX, MIN, folded
from gradcli.ops.function import case
from gradcli.ops.operands import as_core
from gradcli.ops.picking import ARGMAX, ARGMIN, picked
from gradcli.ops.registry import function
from gradcli.ops.results import named
from gradcli.ops.shape import reshaped

MAX_PICKED = picked("max_along", "Max")
MIN_PICKED = picked("min_along", "Min")

#: What the functions return along a dim.
PAIRS = {name: named(name, "values", "indices") for name in ("max", "min")}


def _pair(op: Op, find: Op, name: str, x: CoreValue, dim: Any, keepdim: bool) -> tuple[CoreValue, CoreValue]:
    number = axis_of(name, dim, x)
    if not shape_of(x):
        value = bind(op, reshaped(x, (1,)), np.zeros(1, np.int64), axis=-1, keepdims=False)
        return value, np.zeros((), np.int64)
    index = bind(find, x, axis=number)
    values = bind(op, x, index, axis=number, keepdims=keepdim)
    return values, index if keepdim else reshaped(index, shape_of(values))


def _overloaded(
    name: str, ops: tuple[Op, Op, Op], between: Any, input: Any, dim: Any, keepdim: bool, other: Any
) -> Any:
    whole, find, picked = ops
    if other is None and hasattr(dim, "dtype") and (dim.dtype.kind in "fc" or shape_of(dim) != ()):
        dim, other = None, dim
    if other is not None:
        return between(input, other)
    if dim is None:
        if keepdim:
            raise ArgumentError(f"{name}: keepdim needs a dim")
        return folded(whole, input, None, False)
    return PAIRS[name](_pair(picked, find, name, as_core(input), dim, bool(keepdim)))


_OVERLOADS = (
    case((3,)),
    case((2, 3), 1),
    case((2, 3), dim=0, keepdim=True),
    case((2, 3), other=np.array([0.3, -0.2, 0.9])),
    case(np.array([2.0, 2.0, 1.0]), 0),
)


@function(
    "max_torch",
    family="reduction",
    where="",
    also=("torch.max", ".max@torch"),
    derivative="vjp: g to the chosen element; without dim, shared evenly among ties",
    defined="at least one element",
    kinks="equal extremes: along dim the first has the derivative, else they share it evenly, as in PyTorch",
    cases=_OVERLOADS,
)
def max_torch(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """Largest element; along dim, the pair (values, indices); of two tensors, elementwise."""
    return _overloaded("max", (MAX, ARGMAX, MAX_PICKED), maximum, input, dim, keepdim, other)


@function(
    "min_torch",
    family="reduction",
    where="",
    also=("torch.min", ".min@torch"),
    derivative="vjp: g to the chosen element; without dim, shared evenly among ties",
    defined="at least one element",
    kinks="equal extremes: along dim the first has the derivative, else they share it evenly, as in PyTorch",
    cases=_OVERLOADS,
)
def min_torch(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """Smallest element; along dim, the pair (values, indices); of two tensors, elementwise."""
    return _overloaded("min", (MIN, ARGMIN, MIN_PICKED), minimum, input, dim, keepdim, other)
