"""What in-place updates are made of: a tensor overwritten whole, and views written through or read again by position.

A place is a position among the elements of the base in order; an array of places, of the view's shape, says where in
its base a view lies.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.budget import budget
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.node import Node
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Shape, Spec, count_of, dtype_of, shape_of
from gradcli.ops.arguments import integer, sizes
from gradcli.ops.dependence import on_broadcast
from gradcli.ops.function import case
from gradcli.ops.indexing import brought_to
from gradcli.ops.kinds import expanded, fits, general, linear, sum_to
from gradcli.ops.operands import as_core
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped


def _batched_places(places: Any, size: int, count: int) -> Any:
    """The same places in each of `size` bases that lie one after another."""
    return np.arange(size).reshape((size,) + (1,) * np.ndim(places)) * count + places


def _over_batch(op: Op, xs: Sequence[CoreValue], batched: Sequence[bool], size: int, count: int, **params: Any) -> Any:
    *values, places = xs
    widened = [x if flag else expanded(x, (size, *shape_of(x))) for x, flag in zip(values, batched[:-1], strict=True)]
    return bind(op, *widened, _batched_places(places, size, count), **params)


# --- a view read by position -----------------------------------------------------------------------------------------


def _read_batch(xs: Sequence[CoreValue], batched: Sequence[bool], params: dict[str, Any], size: int) -> CoreValue:
    return _over_batch(AS_STRIDED, xs, batched, size, count_of(shape_of(xs[0])[1:]))


def _added_batch(xs: Sequence[CoreValue], batched: Sequence[bool], params: dict[str, Any], size: int) -> CoreValue:
    shape = params["shape"]
    return _over_batch(ADDED_AT, xs, batched, size, count_of(shape), shape=(size, *shape))


def _added(g: Any, places: Any, shape: Shape) -> Any:
    made = np.zeros(count_of(shape), g.dtype)
    np.add.at(made, np.ravel(places), np.ravel(g))
    return made.reshape(shape)


AS_STRIDED: Op = linear(
    "as_strided",
    lambda x, places: np.ravel(x)[places],
    lambda x, places: Spec(shape_of(places), dtype_of(x)),
    transpose=lambda g, x, places: bind(ADDED_AT, g, places, shape=shape_of(x)),
    batch=_read_batch,
    torch="AsStrided",
    moves="forward",
    doc="The elements at places of a base: a view, read again after its base was changed.",
)
ADDED_AT: Op = linear(
    "added_at",
    _added,
    lambda g, places, shape: Spec(shape, dtype_of(g)),
    transpose=lambda g, x, places, shape: bind(AS_STRIDED, g, places),
    batch=_added_batch,
    torch="AsStridedScatter",
    moves="back",
    doc="Zeros, with values added at places.",
)


# --- a view written through ------------------------------------------------------------------------------------------


def _written(x: Any, v: Any, places: Any) -> Any:
    made = np.array(x, order="C")
    made.reshape(-1)[places] = v
    return made


def _written_transpose(g: CoreValue, x: CoreValue, v: CoreValue, places: Any) -> tuple[CoreValue, CoreValue]:
    nothing = np.zeros(shape_of(v), dtype_of(g))
    return bind(COPY_SLICES, g, nothing, places), bind(AS_STRIDED, g, places)


def _written_node(operands: Sequence[CoreValue], params: dict[str, Any]) -> Any:
    """PyTorch's node: the base's history, and what beside the view itself went into what is written."""
    v = operands[1]
    made = isinstance(v, Node) and v.op is not None
    rest = [x if isinstance(x, Node) else None for x in v.inputs[1:]] if made else [None]
    return ("CopySlices", (0, *rest))


COPY_SLICES: Op = linear(
    "copy_slices",
    _written,
    lambda x, v, places: Spec(shape_of(x), dtype_of(x)),
    transpose=_written_transpose,
    batch=lambda xs, batched, params, size: _over_batch(
        COPY_SLICES, xs, batched, size, count_of(shape_of(xs[0])[1 if batched[0] else 0 :])
    ),
    operands=2,
    torch=_written_node,
    moves="forward",
    doc="The base with other elements at places: what a write through a view makes of it.",
)
# It keeps the function that made what is written, and gives that up after a backward pass.
COPY_SLICES.saves = (None,)


# --- a tensor overwritten whole --------------------------------------------------------------------------------------


def _overwritten_batch(
    xs: Sequence[CoreValue], batched: Sequence[bool], params: dict[str, Any], size: int
) -> CoreValue:
    x, v = xs
    if not batched[0]:
        x = expanded(x, (size, *shape_of(x)))
    if batched[1]:
        shape = shape_of(v)
        v = reshaped(v, shape[:1] + (1,) * (len(shape_of(x)) - len(shape)) + shape[1:])
    return bind(OVERWRITE, x, v, **params)


_NODES = {"zero": ("ZeroBackward0", (0,)), "fill": ("FillBackward2", (0,)), "fill tensor": ("FillBackward3", (0, 1))}


def _overwritten(x: Any, v: Any, how: str) -> Any:
    return np.array(np.broadcast_to(v, np.shape(x)), dtype=getattr(x, "dtype", None))


def _overwritten_jvp(ts: Sequence[CoreValue | None], y: CoreValue, x: CoreValue, v: CoreValue, how: str) -> Any:
    return None if ts[1] is None else expanded(ts[1], shape_of(y))


# What was there has a gradient, of zeros, as in PyTorch.
OVERWRITE: Op = general(
    "overwrite",
    _overwritten,
    lambda x, v, how: Spec(shape_of(x), dtype_of(x)),
    vjps=(
        lambda g, y, x, v, how: np.zeros(shape_of(x), dtype_of(g)),
        lambda g, y, x, v, how: sum_to(g, shape_of(v)),
    ),
    jvp=_overwritten_jvp,
    batch=_overwritten_batch,
    meaning=lambda S, x, v, how: _overwritten(x, v, how),
    torch=lambda operands, params: _NODES.get(params["how"], ("CopyBackwards", (0, 1))),
    depends=on_broadcast([False, True]),
    doc="Other values in place of all.",
)


# --- as functions of the table, which has no names for them: its tests call them -------------------------------------


@function(
    "as_strided",
    family="indexing",
    where="",
    op=AS_STRIDED,
    derivative="vjp: add g at the places, into zeros",
    cases=(case((2, 3), np.array([[4, 1], [0, 5]])), case((3,), np.array([2, 2]))),
)
def as_strided(x: Any, places: Any) -> CoreValue:
    """The elements at places, counted in order."""
    return bind(AS_STRIDED, as_core(x), as_core(places))


@function(
    "added_at",
    family="indexing",
    where="",
    op=ADDED_AT,
    derivative="vjp: g at the places",
    cases=(case((2, 2), np.array([[4, 1], [0, 4]]), [2, 3]),),
)
def added_at(x: Any, places: Any, shape: Any) -> CoreValue:
    """Zeros of a shape, with values added at places, counted in order."""
    return bind(ADDED_AT, as_core(x), as_core(places), shape=sizes("added_at", (shape,)))


@function(
    "copy_slices",
    family="indexing",
    where="",
    op=COPY_SLICES,
    derivative="vjp: g with zeros at the places; g at the places",
    cases=(case((2, 3), (2, 2), np.array([[4, 1], [0, 5]])),),
)
def copy_slices(x: Any, v: Any, places: Any) -> CoreValue:
    """The value with other elements at places, counted in order."""
    base = as_core(x)
    return bind(COPY_SLICES, base, brought_to(base.dtype, v), as_core(places))


@function(
    "overwrite",
    family="indexing",
    where="",
    op=OVERWRITE,
    derivative="vjp: g summed over the broadcast axes",
    cases=(case((3,), [2, 3]), case((), [2, 3]), case((2,), [2])),
)
def overwrite(v: Any, shape: Any) -> CoreValue:
    """Other values in place of all elements of a tensor of zeros."""
    base = np.zeros(sizes("overwrite", (shape,)))
    return bind(OVERWRITE, base, brought_to(base.dtype, v), how="copy")


# --- as PyTorch names them -------------------------------------------------------------------------------------------


def _strided(name: str, x: CoreValue, size: Any, stride: Any, storage_offset: Any) -> Any:
    """The places, counted in order, of an element for each of a size: an offset, and a stride for each axis.

    Raises:
        ShapeError: one of them is beyond the value.
    """
    lengths, steps = sizes(name, (size,)), sizes(name, (stride,))
    first = 0 if storage_offset is None else integer(storage_offset, f"{name}: the offset")
    if len(lengths) != len(steps) or any(n < 0 for n in (*lengths, *steps)):
        raise ArgumentError(f"{name}: a stride is due for every length of {fits(lengths)}, and none may be negative")
    budget.charge(16 * count_of(lengths), name)
    places = np.full(lengths, first)
    for axis, (length, step) in enumerate(zip(lengths, steps, strict=True)):
        places = places + np.arange(length).reshape((length,) + (1,) * (len(lengths) - axis - 1)) * step
    if places.size and not 0 <= places.min() <= places.max() < count_of(shape_of(x)):
        raise ShapeError(
            f"{name}: size {fits(lengths)} with strides {fits(steps)} from {first} on goes beyond the "
            f"{count_of(shape_of(x))} elements"
        )
    return places


@function(
    "as_strided_torch",
    family="indexing",
    op=AS_STRIDED,
    where="",
    also=("torch.as_strided", ".as_strided"),
    derivative="vjp: g added at the places, into zeros",
    views=True,
    cases=(
        case((3, 4), [2, 2], [1, 2]),
        case((3, 4), [2, 3], [4, 1], 1),
        case((5,), [3, 3], [1, 1]),
        case((3,), [], []),
    ),
)
def as_strided_torch(input: Any, size: Any, stride: Any, storage_offset: Any = None) -> CoreValue:
    """The elements at an offset and at strides of it, counted in order of a value that lies so in memory."""
    x = as_core(input)
    return bind(AS_STRIDED, x, _strided("as_strided", x, size, stride, storage_offset))


@function(
    family="indexing",
    op=COPY_SLICES,
    where="torch method",
    derivative="vjp: g with zeros at the places; g at the places",
    cases=(case((3, 4), (2, 2), [2, 2], [1, 2]), case((3, 4), (3,), [3], [4], 1)),
)
def as_strided_scatter(input: Any, src: Any, size: Any, stride: Any, storage_offset: Any = None) -> CoreValue:
    """The value with other elements at an offset and at strides of it."""
    x = as_core(input)
    places = _strided("as_strided_scatter", x, size, stride, storage_offset)
    v = brought_to(x.dtype, src)
    if shape_of(v) != places.shape:
        raise ShapeError(f"as_strided_scatter: shape {fits(shape_of(v))} is given for places of {fits(places.shape)}")
    if np.unique(places).size < places.size:
        raise ArgumentError("as_strided_scatter: a place is named twice")
    return bind(COPY_SLICES, x, v, places)
