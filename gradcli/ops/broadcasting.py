"""Broadcasting, and the sum that is its transpose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import OPERATORS, CoreValue, Shape, Spec, dtype_of, shape_of
from gradcli.ops.arguments import sizes as sizes_of
from gradcli.ops.function import case
from gradcli.ops.kinds import broadcast_shape, expanded, fits, linear, sum_to
from gradcli.ops.operands import as_core
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped


def _sum_to_value(x: Any, shape: Shape) -> Any:
    lead = x.ndim - len(shape)
    axes = tuple(range(lead)) + tuple(
        lead + i for i, length in enumerate(shape) if length == 1 and x.shape[lead + i] != 1
    )
    return np.add.reduce(x, axis=axes, keepdims=True, dtype=x.dtype).reshape(shape)


def _broadcasts(shape: Shape, target: Shape) -> bool:
    """Whether `shape` broadcasts to just `target`."""
    lead = len(target) - len(shape)
    return lead >= 0 and all(n in (1, m) for n, m in zip(shape, target[lead:], strict=True))


def _sum_to_shape(x: CoreValue, shape: Shape) -> Spec:
    if not _broadcasts(shape, shape_of(x)):
        raise ShapeError(f"sum_to cannot sum shape {fits(shape_of(x))} down to {fits(shape)}")
    return Spec(shape, dtype_of(x))


def _sum_to_batch(xs: Sequence[CoreValue], batched: Sequence[bool], params: dict[str, Any], size: int) -> CoreValue:
    (x,), shape = xs, params["shape"]
    missing = len(shape_of(x)) - 1 - len(shape)
    summed = bind(SUM_TO, x, shape=(size,) + (1,) * missing + shape)
    return reshaped(summed, (size, *shape)) if missing else summed


SUM_TO: Op = linear(
    "sum_to",
    _sum_to_value,
    _sum_to_shape,
    transpose=lambda g, x, shape: expanded(g, shape_of(x)),
    batch=_sum_to_batch,
    torch="Sum",
    moves="back",
    doc="Sum over the axes along which a shape was broadcast.",
)


def _broadcast_rule(x: CoreValue, shape: Shape) -> Spec:
    if not _broadcasts(shape_of(x), shape):
        broadcast_shape("broadcast_to", shape_of(x), shape)
        raise ShapeError(f"broadcast_to cannot make shape {fits(shape)} of {fits(shape_of(x))}")
    return Spec(shape, dtype_of(x))


def _broadcast_batch(xs: Sequence[CoreValue], batched: Sequence[bool], params: dict[str, Any], size: int) -> CoreValue:
    (x,), shape = xs, params["shape"]
    own = shape_of(x)
    missing = len(shape) - (len(own) - 1)
    if missing:
        x = reshaped(x, own[:1] + (1,) * missing + own[1:])
    return bind(BROADCAST_TO, x, shape=(size, *shape))


BROADCAST_TO: Op = linear(
    "broadcast_to",
    np.broadcast_to,
    _broadcast_rule,
    transpose=lambda g, x, shape: sum_to(g, shape_of(x)),
    batch=_broadcast_batch,
    torch="Expand",
    moves="forward",
    doc="The value repeated along new and singleton axes.",
)


@function(
    "sum_to",
    family="shape",
    op=SUM_TO,
    where="",
    also=(".sum_to_size",),
    derivative="vjp: g broadcast to the shape of x",
    cases=(case((2, 3), [3]), case((2, 3), [2, 1]), case((2, 3), []), case((0, 3), [3]), case((), [])),
)
def sum_to_size(x: Any, *shape: Any) -> CoreValue:
    """Sum over the axes along which a shape was broadcast."""
    return sum_to(as_core(x), sizes_of("sum_to", shape))


@function(
    family="shape",
    op=BROADCAST_TO,
    derivative="vjp: g summed over the broadcast axes",
    views=True,
    cases=(case((3,), [2, 3]), case((2, 1), [4, 2, 3]), case((), [2]), case((1,), [0]), case((2,), [2])),
)
def broadcast_to(x: Any, shape: Any) -> CoreValue:
    """The value repeated along new and singleton axes, to a shape."""
    return expanded(as_core(x), sizes_of("broadcast_to", (shape,)))


@function(
    family="shape",
    op=BROADCAST_TO,
    where="method",
    derivative="vjp: g summed over the expanded axes",
    views=True,
    cases=(case((3,), 2, 3), case((2, 1), -1, 3), case((1,), [2, -1])),
)
def expand(x: Any, *shape: Any) -> CoreValue:
    """The value repeated along new and singleton axes; -1 keeps the length of an axis."""
    x = as_core(x)
    own, wanted = x.shape, sizes_of("expand", shape)
    lead = len(wanted) - len(own)
    if lead < 0 or -1 in wanted[:lead]:
        raise ShapeError(f"expand cannot make shape {fits(wanted)} of {fits(own)}")
    lengths = tuple(o if n == -1 else n for n, o in zip(wanted[lead:], own, strict=True))
    return bind(BROADCAST_TO, x, shape=wanted[:lead] + lengths)


@function(
    family="shape",
    op=BROADCAST_TO,
    where="method",
    derivative="vjp: g summed over the expanded axes",
    views=True,
    cases=(case((1, 3), (2, 3)),),
)
def expand_as(x: Any, other: Any) -> CoreValue:
    """The value repeated to the shape of another."""
    return expanded(as_core(x), as_core(other).shape)


@function(
    family="shape",
    op=BROADCAST_TO,
    where="numpy",
    derivative="vjp: of every value, g summed over its broadcast axes",
    cases=(case((2, 1), (3,)), case((), (2,)), case((2,))),
)
def broadcast_arrays(*xs: Any) -> tuple[CoreValue, ...]:
    """All values broadcast against each other."""
    parts = [as_core(x) for x in xs]
    joined = broadcast_shape("broadcast_arrays", *(p.shape for p in parts))
    return tuple(expanded(p, joined) for p in parts)


@function(
    family="shape",
    op=BROADCAST_TO,
    where="torch",
    derivative="vjp: of every value, g summed over its broadcast axes",
    cases=(case((2, 1), (3,)), case([np.zeros((2, 1)), np.ones(3)])),
)
def broadcast_tensors(*tensors: Any) -> tuple[CoreValue, ...]:
    """All tensors broadcast against each other."""
    given = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], list | tuple) else tensors
    return broadcast_arrays.call(*given)  # type: ignore[no-any-return]


@function(family="shape", where="numpy", differentiable=False, cases=(case([2, 1], [3]), case(2, [3, 1]), case()))
def broadcast_shapes(*shapes: Any) -> tuple[int, ...]:
    """The shape that shapes broadcast to."""
    return broadcast_shape("broadcast_shapes", *(sizes_of("broadcast_shapes", (shape,)) for shape in shapes))


OPERATORS["sum_to"] = lambda x, shape: bind(SUM_TO, x, shape=shape)
OPERATORS["broadcast_to"] = lambda x, shape: bind(BROADCAST_TO, x, shape=shape)
