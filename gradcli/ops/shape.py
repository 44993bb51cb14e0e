"""Broadcasting, reshaping and singleton axes, and what a shape is.

Axes in parameters are counted from the end throughout; see `gradcli.ops.arguments`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import OPERATORS, CoreValue, Spec, dtype_of, shape_of
from gradcli.ops.arguments import many_axes, one_axis
from gradcli.ops.arguments import sizes as sizes_of
from gradcli.ops.axis_order import matrices_transposed, moveaxis, permuted, reversed_axes, swapaxes, transpose
from gradcli.ops.casts import astype, cast
from gradcli.ops.joining import concatenate
from gradcli.ops.kinds import broadcast_shape, fits, linear
from gradcli.ops.registry import as_core, case, function

Shape = tuple[int, ...]


def count_of(shape: Shape) -> int:
    """Number of elements of a shape."""
    count = 1
    for length in shape:
        count *= length
    return count


# --- broadcasting and its transpose ----------------------------------------------------------------------------------


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
    transpose=lambda g, x, shape: spread(g, shape_of(x)),
    batch=_sum_to_batch,
    torch="Sum",
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
    transpose=lambda g, x, shape: summed_to(g, shape_of(x)),
    batch=_broadcast_batch,
    torch="Expand",
    doc="The value repeated along new and singleton axes.",
)


def summed_to(x: CoreValue, shape: Shape) -> CoreValue:
    """`x` summed over the axes along which `shape` broadcasts to its shape."""
    return x if shape_of(x) == shape else bind(SUM_TO, x, shape=shape)


def spread(x: CoreValue, shape: Shape) -> CoreValue:
    """`x` broadcast to `shape`."""
    return x if shape_of(x) == shape else bind(BROADCAST_TO, x, shape=shape)


@function(
    family="shape",
    op=SUM_TO,
    where="",
    also=(".sum_to_size",),
    derivative="broadcast g to the shape of x",
    cases=(case((2, 3), [3]), case((2, 3), [2, 1]), case((2, 3), []), case((0, 3), [3]), case((), [])),
)
def sum_to(x: Any, *shape: Any) -> CoreValue:
    """Sum over the axes along which a shape was broadcast."""
    return summed_to(as_core(x), sizes_of("sum_to", shape))


@function(
    family="shape",
    op=BROADCAST_TO,
    derivative="sum g over the broadcast axes",
    views=True,
    cases=(case((3,), [2, 3]), case((2, 1), [4, 2, 3]), case((), [2]), case((1,), [0]), case((2,), [2])),
)
def broadcast_to(x: Any, shape: Any) -> CoreValue:
    """The value repeated along new and singleton axes, to a shape."""
    return spread(as_core(x), sizes_of("broadcast_to", (shape,)))


@function(
    family="shape",
    op=BROADCAST_TO,
    where="method",
    derivative="sum g over the expanded axes",
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


@function(family="shape", op=BROADCAST_TO, where="method", views=True, cases=(case((1, 3), (2, 3)),))
def expand_as(x: Any, other: Any) -> CoreValue:
    """The value repeated to the shape of another."""
    return spread(as_core(x), as_core(other).shape)


@function(family="shape", where="numpy", also=("torch.broadcast_tensors",), cases=(case((2, 1), (3,)),))
def broadcast_arrays(*xs: Any) -> list[CoreValue]:
    """All values broadcast against each other."""
    parts = [as_core(x) for x in xs]
    joined = broadcast_shape("broadcast_arrays", *(p.shape for p in parts))
    return [spread(p, joined) for p in parts]


# --- reshaping -------------------------------------------------------------------------------------------------------


def _reshape_rule(x: CoreValue, shape: Shape) -> Spec:
    if count_of(shape) != count_of(shape_of(x)):
        raise ShapeError(
            f"reshape cannot make shape {fits(shape)} of {fits(shape_of(x))}",
            mend=f"{count_of(shape_of(x))} elements are not {count_of(shape)}",
        )
    return Spec(shape, dtype_of(x))


def _reshape_node(operands: Sequence[CoreValue], params: dict[str, Any]) -> Any:
    """A view, where the elements lie in memory as it takes them; a copy otherwise."""
    x = getattr(operands[0], "value", operands[0])
    if not isinstance(x, np.ndarray) or x.flags.c_contiguous or _lies_as(x, params["shape"]):
        return ("ViewBackward0", (0,))
    return ("UnsafeViewBackward0", (("CloneBackward0", (0,)),))


def _lies_as(x: Any, shape: Shape) -> bool:
    try:
        np.reshape(x, shape, copy=False)
    except ValueError:
        return False
    return True


RESHAPE: Op = linear(
    "reshape",
    np.reshape,
    _reshape_rule,
    transpose=lambda g, x, shape: reshaped(g, shape_of(x)),
    batch=lambda xs, batched, params, size: bind(RESHAPE, xs[0], shape=(size, *params["shape"])),
    torch=_reshape_node,
    doc="The same elements, in order, in another shape.",
)


def reshaped(x: CoreValue, shape: Shape) -> CoreValue:
    """`x` in another shape, all of whose lengths are given."""
    return x if shape_of(x) == shape else bind(RESHAPE, x, shape=shape)


def _filled_in(name: str, own: Shape, wanted: Shape) -> Shape:
    """`wanted` with its -1 replaced by the length that is left."""
    if wanted.count(-1) > 1 or any(n < -1 for n in wanted):
        raise ShapeError(f"{name}: only one length of {fits(wanted)} may be -1, the others not negative")
    if -1 not in wanted:
        return wanted
    rest = count_of(tuple(n for n in wanted if n != -1))
    if rest == 0 or count_of(own) % rest:
        raise ShapeError(
            f"{name} cannot make shape {fits(wanted)} of {fits(own)}",
            mend=f"{count_of(own)} elements are no multiple of {rest}" if rest else "-1 could be anything",
        )
    return tuple(count_of(own) // rest if n == -1 else n for n in wanted)


def _in_order(x: CoreValue, shape: Shape, order: Any) -> CoreValue:
    """`x` reshaped, elements counted with the last axis fastest ("C") or the first ("F")."""
    if order in ("C", "A", "K", None):
        return bind(RESHAPE, x, shape=shape)
    if order != "F":
        raise ArgumentError(f"order must be 'C' or 'F', not {order!r}")
    return reversed_axes(bind(RESHAPE, reversed_axes(x), shape=shape[::-1]))


@function(
    family="shape",
    op=RESHAPE,
    derivative="reshape g back",
    views=True,
    cases=(
        case((2, 3), [3, 2]),
        case((2, 3), -1),
        case((2, 3), 3, -1),
        case((2, 3), [3, 2], order="F"),
        case((), [1, 1]),
        case((0, 3), [3, 0]),
        case((1,), []),
    ),
)
def reshape(x: Any, *lengths: Any, shape: Any = None, newshape: Any = None, order: Any = "C") -> CoreValue:
    """The same elements, in order, in another shape; one length may be -1."""
    x = as_core(x)
    if lengths and isinstance(lengths[-1], str):
        lengths, order = lengths[:-1], lengths[-1]
    named = newshape if shape is None else shape
    if named is not None:
        lengths = (*lengths, named)
    if not lengths:
        raise TypeError("reshape needs a shape")
    return _in_order(x, _filled_in("reshape", x.shape, sizes_of("reshape", lengths)), order)


@function(
    family="shape",
    op=RESHAPE,
    where="",
    also=(".view@torch",),
    views=True,
    cases=(case((2, 3), -1), case((2, 3), [3, 2])),
)
def view(x: Any, *shape: Any) -> CoreValue:
    """The same elements, in order, in another shape; one length may be -1."""
    if len(shape) == 1 and isinstance(shape[0], np.dtype | str | type):
        raise ArgumentError("view takes a shape; to change the dtype write .to(dtype)")
    return reshape.call(x, *shape)


@function(family="shape", op=RESHAPE, where="method", also=(".view_as",), views=True, cases=(case((2, 3), (3, 2)),))
def reshape_as(x: Any, other: Any) -> CoreValue:
    """The same elements, in order, in the shape of another value."""
    return bind(RESHAPE, as_core(x), shape=as_core(other).shape)


@function(
    family="shape",
    op=RESHAPE,
    derivative="reshape g back",
    views=True,
    cases=(case((2, 3)), case(()), case((0, 2)), case((2, 3), order="F")),
)
def ravel(x: Any, order: Any = "C") -> CoreValue:
    """The elements in order, in one axis."""
    x = as_core(x)
    return _in_order(x, (count_of(x.shape),), order)


@function(
    "flatten_numpy",
    family="shape",
    op=RESHAPE,
    where="",
    also=(".flatten@numpy",),
    derivative="reshape g back",
    cases=(case((2, 3)), case(()), case((2, 3), "F")),
)
def flatten_numpy(x: Any, order: Any = "C") -> CoreValue:
    """The elements in order, in one axis: a copy, through which nothing is written to the value."""
    return ravel.call(x, order)


@function(
    family="shape",
    op=RESHAPE,
    where="torch",
    also=(".flatten@torch",),
    derivative="reshape g back",
    views=True,
    cases=(case((2, 3, 4)), case((2, 3, 4), 1), case((2, 3, 4), 0, 1), case((2, 3, 4), -2, -1), case(())),
)
def flatten(input: Any, start_dim: Any = 0, end_dim: Any = -1) -> CoreValue:
    """Axes from one to another joined into one axis."""
    x = as_core(input)
    shape = x.shape or (1,)
    first = len(shape) + one_axis("flatten", start_dim, shape)
    last = len(shape) + one_axis("flatten", end_dim, shape)
    if first > last:
        raise ArgumentError("flatten: start_dim comes after end_dim")
    return bind(RESHAPE, x, shape=(*shape[:first], count_of(shape[first : last + 1]), *shape[last + 1 :]))


@function(
    family="shape",
    op=RESHAPE,
    where="torch method",
    views=True,
    cases=(case((6, 2), 0, [2, 3]), case((2, 6), -1, [-1, 2])),
)
def unflatten(input: Any, dim: Any, sizes: Any) -> CoreValue:
    """One axis divided into several."""
    x = as_core(input)
    at = x.ndim + one_axis("unflatten", dim, x.shape)
    parts = _filled_in("unflatten", (x.shape[at],), sizes_of("unflatten", (sizes,)))
    return bind(RESHAPE, x, shape=(*x.shape[:at], *parts, *x.shape[at + 1 :]))


def _at_least(rank: int, x: CoreValue, shape: Callable[[Shape], Shape]) -> CoreValue:
    return x if x.ndim >= rank else bind(RESHAPE, x, shape=shape(x.shape))


@function(family="shape", op=RESHAPE, where="numpy torch", views=True, cases=(case(()), case((2,))))
def atleast_1d(x: Any) -> CoreValue:
    """The value, with one axis if it has none."""
    return _at_least(1, as_core(x), lambda s: (1,))


@function(family="shape", op=RESHAPE, where="numpy torch", views=True, cases=(case(()), case((2,)), case((2, 3))))
def atleast_2d(x: Any) -> CoreValue:
    """The value with at least two axes; a vector becomes a row."""
    return _at_least(2, as_core(x), lambda s: (1,) * (2 - len(s)) + s)


@function(family="shape", op=RESHAPE, where="numpy torch", views=True, cases=(case(()), case((2,)), case((2, 3))))
def atleast_3d(x: Any) -> CoreValue:
    """The value with at least three axes."""
    return _at_least(3, as_core(x), lambda s: (1, *(s or (1,)), 1) if len(s) < 2 else (*s, 1))


# --- singleton axes --------------------------------------------------------------------------------------------------


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
    doc="With axes of length 1 put in.",
)


def _singletons(shape: Shape) -> Shape:
    return tuple(i - len(shape) for i, length in enumerate(shape) if length == 1)


@function(
    family="shape",
    op=SQUEEZE,
    where="numpy",
    also=(".squeeze@numpy",),
    derivative="g with the axes put back",
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
    derivative="g with the axes put back",
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
    derivative="g without the axes",
    views=True,
    cases=(case((2, 3), 0), case((2, 3), -1), case((2, 3), [0, 2]), case((), 0), case((0,), 1)),
)
def expand_dims(x: Any, axis: Any) -> CoreValue:
    """With an axis of length 1 put in."""
    x = as_core(x)
    extra = len(axis) if isinstance(axis, list | tuple) else 1
    return bind(EXPAND_DIMS, x, axes=many_axes("expand_dims", axis, x.shape + (1,) * extra))


# --- what a shape is -------------------------------------------------------------------------------------------------


def _measures(name: str, where: str, also: tuple[str, ...], doc: str, call: Callable[..., Any]) -> None:
    call.__doc__ = doc
    function(name, family="shape", where=where, also=also, differentiable=False, cases=(case((2, 3)),))(call)


_measures("shape", "numpy", (), "The length of every axis.", lambda x: as_core(x).shape)
_measures("ndim", "numpy", (".dim@torch", ".ndimension@torch"), "The number of axes.", lambda x: as_core(x).ndim)
_measures(
    "numel", "torch method", (".nelement@torch",), "The number of elements.", lambda x: count_of(as_core(x).shape)
)


@function(
    family="shape", where="numpy", also=(".size@torch",), differentiable=False, cases=(case((2, 3)), case((2, 3), 1))
)
def size(x: Any, axis: Any = None, *, whole: Any = None) -> Any:
    """The length of an axis; without one, in NumPy the number of elements."""
    shape = as_core(x).shape
    return count_of(shape) if axis is None else shape[one_axis("size", axis, shape)]


OPERATORS["sum_to"] = summed_to
OPERATORS["broadcast_to"] = spread
OPERATORS["reshape"] = reshaped
OPERATORS["zeros_like"] = lambda x: np.zeros(shape_of(x), dtype_of(x))

__all__ = [
    "astype",
    "broadcast_to",
    "cast",
    "concatenate",
    "count_of",
    "expand_dims",
    "matrices_transposed",
    "moveaxis",
    "permuted",
    "reshape",
    "reshaped",
    "spread",
    "summed_to",
    "swapaxes",
    "transpose",
]
