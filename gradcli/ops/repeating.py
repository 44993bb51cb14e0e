"""Slices repeated along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.budget import budget
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Shape, shape_of
from gradcli.ops.arguments import integer, integers, one_axis
from gradcli.ops.function import case
from gradcli.ops.index_ops import GETITEM, reading
from gradcli.ops.operands import as_core
from gradcli.ops.registry import function
from gradcli.ops.selecting import along, flat, read_by

_CLONED = ("ViewBackward0", (("CloneBackward0", (("ExpandBackward0", (("UnsqueezeBackward0", (0,)),)),)),))
INTERLEAVED = reading("repeat_interleave", lambda operands, params: _CLONED, doc="Each slice repeated as often.")
REPEATED = reading("repeat_interleave", "IndexSelect", doc="Each slice repeated as often as is said for it.")


def _repeats(name: str, repeats: Any, length: int) -> Shape:
    """How often each of `length` slices is repeated."""
    counts = integers(repeats, f"{name}: a count")
    if any(n < 0 for n in counts):
        raise ArgumentError(f"{name}: a count can't be negative")
    if len(counts) == 1:
        return counts * length
    if len(counts) != length:
        raise ShapeError(f"{name}: {len(counts)} counts are given for an axis of size {length}")
    return counts


def _repeated(op: Op, x: CoreValue, repeats: Any, axis: Any, size: Any = None) -> CoreValue:
    if axis is None:
        x, axis = flat(x), 0
    at = one_axis("repeat", axis, shape_of(x))
    length = shape_of(x)[at]
    counts = _repeats("repeat", repeats, length)
    if size is not None and integer(size, "repeat: the size") != sum(counts):
        raise ArgumentError(f"repeat: the counts add up to {sum(counts)}, not to {size}")
    budget.charge(8 * sum(counts), "repeat")
    return read_by(op, x, along(at, np.repeat(np.arange(length), np.asarray(counts, dtype=np.int64))))


_REPEATS = (
    case((3,), 2),
    case((2, 3), 2, axis=0),
    case((2, 3), np.array([1, 0, 2]), axis=-1),
    case((2, 3), 2),
    case((), 3),
    case((3,), 0),
)


@function(
    family="indexing",
    op=GETITEM,
    where="numpy",
    also=(".repeat@numpy",),
    derivative="vjp: g summed over the copies",
    cases=_REPEATS,
)
def repeat(x: Any, repeats: Any, axis: Any = None, total_repeat_length: Any = None) -> CoreValue:
    """Each slice along an axis repeated; without an axis, each element."""
    return _repeated(GETITEM, as_core(x), repeats, axis, total_repeat_length)


@function(
    family="indexing",
    op=INTERLEAVED,
    where="torch method",
    derivative="vjp: g summed over the copies",
    cases=(*_REPEATS, case((2, 3), 2, dim=1, output_size=6), case(np.array([1, 0, 2]))),
)
def repeat_interleave(input: Any, repeats: Any = None, dim: Any = None, *, output_size: Any = None) -> CoreValue:
    """Each slice along an axis repeated; without an axis, each element; of counts alone, which slice stands where."""
    if repeats is None:
        counts = integers(input, "repeat_interleave: a count")
        return repeat_interleave.call(np.arange(len(counts)), counts)
    each = len(getattr(repeats, "shape", ())) or isinstance(repeats, list | tuple)
    return _repeated(REPEATED if each else INTERLEAVED, as_core(input), repeats, dim, output_size)
