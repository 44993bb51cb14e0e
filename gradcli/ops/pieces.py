"""The ops that join values into one and those that take one apart, each the other's transpose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ShapeError
from gradcli.graph.op import Op
from gradcli.graph.state import state
from gradcli.graph.values import OPERATORS, CoreValue, Shape, Spec, dtype_of, shape_of
from gradcli.ops.kinds import fits, linear


def _all_batched(
    op_of: Any, xs: Sequence[CoreValue], batched: Sequence[bool], params: dict[str, Any], size: int
) -> CoreValue:
    """An op of many operands, each of which needs the batch axis."""
    spread = OPERATORS["broadcast_to"]
    whole = [x if flag else spread(x, (size, *shape_of(x))) for x, flag in zip(xs, batched, strict=True)]
    return bind(op_of(), *whole, **params)


def _listed(shapes: Sequence[Shape]) -> str:
    shown = list(dict.fromkeys(fits(s) for s in shapes))
    return " and ".join(shown[:4]) + (" and others" if len(shown) > 4 else "")


def _torch_misfit(shapes: Sequence[Shape], axis: int) -> str:
    """PyTorch's words for the first shape that can't be joined to the first of all along an axis."""
    first = shapes[0]
    for at, shape in enumerate(shapes):
        if len(shape) != len(first):
            return f"Tensors must have same number of dimensions: got {len(first)} and {len(shape)}"
        for i, (m, n) in enumerate(zip(first, shape, strict=True)):
            if i != axis and m != n:
                return (
                    f"Sizes of tensors must match except in dimension {axis}. Expected size {m} but got size {n} for "
                    f"tensor number {at} in the list."
                )
    raise AssertionError("the shapes can be joined")


def _concatenate_rule(*xs: CoreValue, axis: int) -> Spec:
    shapes = [shape_of(x) for x in xs]
    first = shapes[0]
    for s in shapes:
        at = len(s) + axis
        if len(s) != len(first) or s[:at] + s[at + 1 :] != first[:at] + first[at + 1 :]:
            raise ShapeError(
                _torch_misfit(shapes, len(first) + axis)
                if state.torch_semantics
                else f"concatenate cannot join shapes {_listed(shapes)} along axis {len(first) + axis}",
                mend="all other axes must be equal",
            )
    at = len(first) + axis
    total = sum(s[axis] for s in shapes)
    return Spec((*first[:at], total, *first[at + 1 :]), np.result_type(*(dtype_of(x) for x in xs)))


def _split_value(x: Any, axis: int, lengths: Shape) -> Any:
    at = x.ndim + axis
    parts, start = [], 0
    for length in lengths:
        parts.append(x[(slice(None),) * at + (slice(start, start + length),)])
        start += length
    return tuple(parts)


def _split_rule(x: CoreValue, axis: int, lengths: Shape) -> tuple[Spec, ...]:
    shape = shape_of(x)
    at = len(shape) + axis
    return tuple(Spec((*shape[:at], n, *shape[at + 1 :]), dtype_of(x)) for n in lengths)


def _present(parts: Sequence[CoreValue | None], specs: Sequence[Spec]) -> list[CoreValue]:
    """Cotangents with zeros for those that did not come."""
    return [np.zeros(s.shape, s.dtype) if p is None else p for p, s in zip(parts, specs, strict=True)]


class Given(tuple[int, ...]):
    """Lengths of pieces that were listed one by one: to PyTorch another function than pieces of one length."""

    __slots__ = ()


CONCATENATE: Op = linear(
    "concatenate",
    lambda *xs, axis: np.concatenate(xs, axis),
    _concatenate_rule,
    transpose=lambda g, *xs, axis: bind(SPLIT, g, axis=axis, lengths=tuple(shape_of(x)[axis] for x in xs)),
    batch=lambda *given: _all_batched(lambda: CONCATENATE, *given),
    operands=None,
    promotes=True,
    torch="Cat",
    moves="forward",
    doc="Values joined along an axis that they have.",
)
SPLIT: Op = linear(
    "split",
    _split_value,
    _split_rule,
    transpose=lambda gs, x, axis, lengths: bind(CONCATENATE, *_present(gs, _split_rule(x, axis, lengths)), axis=axis),
    views=True,
    torch=lambda operands, params: f"Split{'WithSizes' if type(params['lengths']) is Given else ''}Backward0",
    moves="forward",
    doc="Pieces of a value along an axis.",
)


def _stack_rule(*xs: CoreValue, axis: int) -> Spec:
    shapes = [shape_of(x) for x in xs]
    if any(s != shapes[0] for s in shapes):
        at, other = next((i, s) for i, s in enumerate(shapes) if s != shapes[0])
        torch = f"stack expects each tensor to be equal size, but got {fits(shapes[0])} at entry 0 and {fits(other)} "
        raise ShapeError(
            f"{torch}at entry {at}" if state.torch_semantics else f"stack cannot join shapes {_listed(shapes)}",
            mend="all must be equal",
        )
    at = len(shapes[0]) + 1 + axis
    joined = (*shapes[0][:at], len(xs), *shapes[0][at:])
    return Spec(joined, np.result_type(*(dtype_of(x) for x in xs)))


def _unbind_value(x: Any, axis: int) -> Any:
    # The ellipsis keeps a piece without axes an array.
    at = (slice(None),) * (x.ndim + axis)
    return tuple(x[(*at, i, ...)] for i in range(x.shape[axis]))


def _unbind_rule(x: CoreValue, axis: int) -> tuple[Spec, ...]:
    shape = shape_of(x)
    at = len(shape) + axis
    return (Spec(shape[:at] + shape[at + 1 :], dtype_of(x)),) * shape[axis]


STACK: Op = linear(
    "stack",
    lambda *xs, axis: np.stack(xs, axis),
    _stack_rule,
    transpose=lambda g, *xs, axis: bind(UNBIND, g, axis=axis),
    batch=lambda *given: _all_batched(lambda: STACK, *given),
    operands=None,
    promotes=True,
    torch="Stack",
    moves="forward",
    doc="Values of one shape joined along a new axis.",
)
UNBIND: Op = linear(
    "unbind",
    _unbind_value,
    _unbind_rule,
    transpose=lambda gs, x, axis: bind(STACK, *_present(gs, _unbind_rule(x, axis)), axis=axis),
    views=True,
    torch="Unbind",
    moves="forward",
    doc="A value taken apart along an axis, which goes.",
)


# --- for rules and functions -----------------------------------------------------------------------------------------


def concatenated(xs: Sequence[CoreValue], axis: int) -> CoreValue:
    """Values joined along an axis that they have."""
    rank = len(shape_of(xs[0]))
    return bind(CONCATENATE, *xs, axis=axis - rank if axis >= 0 else axis)


def stacked(xs: Sequence[CoreValue], axis: int) -> CoreValue:
    """Values of one shape joined along a new axis."""
    rank = len(shape_of(xs[0])) + 1
    return bind(STACK, *xs, axis=axis - rank if axis >= 0 else axis)


def unbound(x: CoreValue, axis: int) -> tuple[CoreValue, ...]:
    """The pieces of `x` along an axis, which goes."""
    shape = shape_of(x)
    axis = axis - len(shape) if axis >= 0 else axis
    return bind(UNBIND, x, axis=axis) if shape[axis] else ()


OPERATORS["stack"] = stacked
