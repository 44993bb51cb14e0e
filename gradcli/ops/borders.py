"""The border of one number, an op, and the border of copies of a value's own elements, a read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.budget import budget
from gradcli.graph.errors import ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Shape, Spec, dtype_of, shape_of
from gradcli.ops.casts import cast
from gradcli.ops.indexing import getitem, setitem
from gradcli.ops.kinds import expanded, fits, linear, sum_to
from gradcli.ops.operands import as_core
from gradcli.ops.selecting import read_by
from gradcli.ops.shape import reshaped

Widths = tuple[tuple[int, int], ...]

# --- a constant ------------------------------------------------------------------------------------------------------


def _inside(shape: Shape, widths: Widths) -> tuple[slice, ...]:
    """Where the value itself stands in its padded form."""
    lead = len(shape) - len(widths)
    return tuple(slice(None) for _ in range(lead)) + tuple(
        slice(before, before + n) for n, (before, _) in zip(shape[lead:], widths, strict=True)
    )


def _pad_value(x: Any, fill: Any, widths: Widths) -> Any:
    lead = x.ndim - len(widths)
    shape = x.shape[:lead] + tuple(n + a + b for n, (a, b) in zip(x.shape[lead:], widths, strict=True))
    made = np.empty(shape, x.dtype)
    made[...] = fill
    made[_inside(x.shape, widths)] = x
    return made


def _pad_rule(x: CoreValue, fill: CoreValue, widths: Widths) -> Spec:
    shape = shape_of(x)
    lead = len(shape) - len(widths)
    return Spec(shape[:lead] + tuple(n + a + b for n, (a, b) in zip(shape[lead:], widths, strict=True)), dtype_of(x))


def _pad_transpose(g: CoreValue, x: CoreValue, fill: CoreValue, widths: Widths) -> list[CoreValue | None]:
    inside = _inside(shape_of(x), widths)
    to_x = getitem.call(g, inside)
    if not hasattr(fill, "dtype"):
        return [to_x, None]
    return [to_x, sum_to(setitem.call(g, inside, np.zeros((), dtype_of(g))), shape_of(fill))]


def _pad_batch(xs: Sequence[CoreValue], batched: Sequence[bool], params: dict[str, Any], size: int) -> CoreValue:
    x, fill = xs
    if not batched[0]:
        x = expanded(x, (size, *shape_of(x)))
    if batched[1]:
        fill = reshaped(fill, (size,) + (1,) * (len(shape_of(x)) - 1))
    return bind(PAD, x, fill, **params)


PAD: Op = linear(
    "pad",
    _pad_value,
    _pad_rule,
    transpose=_pad_transpose,
    batch=_pad_batch,
    operands=2,
    torch=lambda operands, params: ("ConstantPadNdBackward0", (0,)),
    moves="forward",
    doc="The value with a border of one number.",
)


def padded_with(x: CoreValue, widths: Widths, fill: Any) -> CoreValue:
    """A border of one number, a scalar of which may be traced."""
    value = cast(as_core(fill), dtype_of(x)) if hasattr(fill, "dtype") else np.dtype(dtype_of(x)).type(fill)
    if len(shape_of(value)):
        raise ShapeError(f"pad: a constant must be a scalar, not of shape {fits(shape_of(value))}")
    return bind(PAD, x, value, widths=widths)


# --- the value's own elements ----------------------------------------------------------------------------------------


def padded_by_copies(op: Op, x: CoreValue, widths: Widths, mode: str) -> CoreValue:
    """A border of elements of the value itself, a negative one cut off: a read along each axis, by a `reading` op."""
    lines = []
    for axis, (pair, length) in enumerate(zip(widths, shape_of(x), strict=True)):
        check_something(x, axis, pair)
        budget.charge(8 * (length + sum(map(abs, pair))), "pad")
        lines.append(_bordered(np.arange(length), pair, mode))
    if not any(n for pair in widths for n in pair):
        return x
    return read_by(op, x, np.ix_(*lines))


def check_something(x: CoreValue, axis: int, pair: tuple[int, int]) -> None:
    """See that there is something along an axis for a border to be made of.

    Raises:
        ShapeError: there is nothing.
    """
    if any(pair) and not shape_of(x)[axis]:
        raise ShapeError(f"pad: there is nothing along axis {axis} of shape {fits(shape_of(x))} to pad with")


def _bordered(line: Any, pair: tuple[int, int], mode: str) -> Any:
    """A line with a border of its own numbers; what is cut off is still mirrored, but goes into no circle."""
    (before, after), length = pair, len(line)
    if mode == "wrap":
        line = line[max(-before, 0) : length - max(-after, 0)]
    made = np.pad(line, (max(before, 0), max(after, 0)), mode=mode) if max(pair) > 0 else line  # type: ignore[call-overload]
    return made if mode == "wrap" else made[max(-before, 0) : len(made) - max(-after, 0)]
