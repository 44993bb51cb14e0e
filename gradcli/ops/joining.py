"""Values joined into one: concatenate, stack, block and their like."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.state import state
from gradcli.graph.values import OPERATORS, CoreValue, Value, shape_of
from gradcli.ops.arguments import dtype_named, one_axis
from gradcli.ops.casts import cast
from gradcli.ops.function import case
from gradcli.ops.operands import as_core
from gradcli.ops.pieces import CONCATENATE, STACK, concatenated, unbound
from gradcli.ops.registry import function
from gradcli.ops.shape import raised


def _parts(name: str, xs: Any, dtype: Any = None) -> list[CoreValue]:
    """The values to join, at least one, brought to a dtype if one is asked for.

    Raises:
        ArgumentError: there are none, or this is no list of values.
    """
    if isinstance(xs, Value | np.ndarray):
        xs = list(unbound(xs, 0)) if xs.ndim else [xs]
    if not isinstance(xs, list | tuple):
        raise ArgumentError(f"{name} takes a list of tensors", mend=f"write {name}([a, b])")
    if not xs:
        raise ArgumentError(f"{name} needs at least one tensor")
    found = [as_core(x) for x in xs]
    return found if dtype is None else [cast(x, dtype_named(dtype)) for x in found]


_PAIR = [np.array([[0.5, -1.5, 2.0], [1.0, 0.25, -0.75]]), np.array([[3.0, -0.5, 1.5], [0.125, -2.0, 1.0]])]
_ROWS = [np.array([[0.5, -1.5, 2.0]]), np.zeros((0, 3)), np.array([[1.0, 0.25, -0.75], [3.0, -0.5, 1.5]])]
_VECTORS = [np.array([0.5, -1.5, 2.0]), np.array([1.0, 0.25, -0.75])]
_SCALARS = [np.array(0.5), np.array(-1.5)]


@function(
    family="shape",
    op=CONCATENATE,
    where="numpy torch",
    also=("torch.cat", "torch.concat", "numpy.concat"),
    derivative="vjp: g taken apart",
    cases=(
        case(_PAIR),
        case(_PAIR, -1),
        case(_ROWS, axis=0),
        case(_PAIR, axis=None),
        case(_VECTORS),
        case(_VECTORS[:1]),
        case(_PAIR, axis=1, dtype="float32"),
    ),
)
def concatenate(tensors: Any, axis: Any = 0, *, dtype: Any = None) -> CoreValue:
    """Values joined along an axis that they have."""
    parts = _parts("concatenate", tensors, dtype)
    if state.torch_semantics:
        parts = [p for p in parts if shape_of(p) != (0,)] or parts  # which PyTorch joins to anything
    if axis is None:
        parts, axis = [OPERATORS["reshape"](p, (_count(p),)) for p in parts], 0
    shapes = [shape_of(p) for p in parts]
    if () in shapes:
        raise ShapeError("concatenate cannot join values without axes", mend="stack joins scalars")
    return bind(CONCATENATE, *parts, axis=one_axis("concatenate", axis, shapes[0]))


def _count(x: CoreValue) -> int:
    return int(x.size)


@function(
    family="shape",
    op=STACK,
    where="numpy torch",
    derivative="vjp: g taken apart",
    cases=(case(_PAIR), case(_PAIR, 1), case(_PAIR, axis=-1), case(_SCALARS), case(_VECTORS[:1])),
)
def stack(tensors: Any, axis: Any = 0, *, dtype: Any = None) -> CoreValue:
    """Values of one shape joined along a new axis."""
    parts = _parts("stack", tensors, dtype)
    return bind(STACK, *parts, axis=one_axis("stack", axis, (*shape_of(parts[0]), len(parts))))


@function(
    family="shape",
    op=CONCATENATE,
    where="numpy torch",
    derivative="vjp: g taken apart",
    cases=(case(_PAIR), case(_VECTORS), case(_SCALARS)),
)
def hstack(tensors: Any, *, dtype: Any = None) -> CoreValue:
    """Values joined side by side: vectors end to end, matrices along their columns."""
    parts = [raised(1, p) for p in _parts("hstack", tensors, dtype)]
    return concatenated(parts, 0 if len(shape_of(parts[0])) == 1 else 1)


@function(
    family="shape",
    op=CONCATENATE,
    where="numpy torch",
    also=("numpy.row_stack", "torch.row_stack"),
    derivative="vjp: g taken apart",
    cases=(case(_PAIR), case(_VECTORS), case(_SCALARS)),
)
def vstack(tensors: Any, *, dtype: Any = None) -> CoreValue:
    """Values joined on top of each other; vectors become rows."""
    return concatenated([raised(2, p) for p in _parts("vstack", tensors, dtype)], 0)


@function(
    family="shape",
    op=CONCATENATE,
    where="numpy torch",
    derivative="vjp: g taken apart",
    cases=(case(_PAIR), case(_VECTORS)),
)
def dstack(tensors: Any) -> CoreValue:
    """Values joined along a third axis."""
    return concatenated([raised(3, p) for p in _parts("dstack", tensors)], 2)


@function(
    family="shape",
    op=CONCATENATE,
    where="numpy torch",
    derivative="vjp: g taken apart",
    cases=(case(_PAIR), case(_VECTORS), case([*_PAIR, np.array([1.5, -0.5])])),
)
def column_stack(tensors: Any) -> CoreValue:
    """Values joined side by side; vectors become columns."""
    return concatenated([_as_columns(p) for p in _parts("column_stack", tensors)], 1)


def _as_columns(x: CoreValue) -> CoreValue:
    return OPERATORS["reshape"](x, (_count(x), 1)) if len(shape_of(x)) < 2 else x


@function(
    family="shape",
    op=CONCATENATE,
    where="numpy",
    derivative="vjp: g taken apart",
    cases=(case((3,), (2,)), case((2, 3), (1, 3), 0)),
)
def append(x: Any, values: Any, axis: Any = None) -> CoreValue:
    """Values joined to the end of another."""
    return concatenate.call([x, values], axis)


_CORNER = [[np.array([[1.5]]), np.array([[0.5, -1.0]])], [np.array([[2.0], [3.0]]), np.array([[1.0, 2.0], [0.0, 4.0]])]]


@function(
    family="shape",
    op=CONCATENATE,
    where="numpy",
    derivative="vjp: g taken apart",
    cases=(
        case(_CORNER),
        case(_VECTORS),
        case([_VECTORS, _VECTORS[::-1]]),
        case((2,)),
        case(_SCALARS),
        case([_SCALARS]),
    ),
)
def block(arrays: Any) -> CoreValue:
    """A value out of nested lists of blocks: the innermost lists side by side, the next on top of each other."""
    depth = _depth(arrays)
    return _blocked(arrays, depth, max(depth, _highest_rank(arrays)))


def _depth(parts: Any) -> int:
    """How deep lists nest.

    Raises:
        ArgumentError: not everywhere equally, or there is an empty one.
    """
    if not isinstance(parts, list):
        if isinstance(parts, tuple):
            raise ArgumentError("block takes lists, not tuples", mend="write [[a, b], [c, d]]")
        return 0
    depths = {_depth(part) for part in parts}
    if len(depths) != 1:
        raise ArgumentError("block: lists must nest equally deep, and none may be empty")
    return depths.pop() + 1


def _highest_rank(parts: Any) -> int:
    return max(map(_highest_rank, parts)) if isinstance(parts, list) else len(shape_of(as_core(parts)))


def _blocked(parts: Any, depth: int, rank: int) -> CoreValue:
    if not isinstance(parts, list):
        found = as_core(parts)
        return OPERATORS["reshape"](found, (1,) * (rank - len(shape_of(found))) + shape_of(found))
    return concatenated([_blocked(part, depth - 1, rank) for part in parts], -depth)
