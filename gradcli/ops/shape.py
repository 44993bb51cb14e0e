"""Reshaping, and what a shape is.

Axes in parameters are counted from the end throughout; see `gradcli.ops.arguments`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.state import state
from gradcli.graph.values import OPERATORS, CoreValue, Shape, Spec, count_of, dtype_of, shape_of
from gradcli.ops.arguments import one_axis
from gradcli.ops.arguments import sizes as sizes_of
from gradcli.ops.axis_order import reversed_axes
from gradcli.ops.function import case
from gradcli.ops.kinds import fits, linear
from gradcli.ops.operands import as_core
from gradcli.ops.registry import function
from gradcli.ops.singleton_axes import EXPAND_DIMS

# --- reshaping -------------------------------------------------------------------------------------------------------


def _torch_misfit(wanted: Shape, own: Shape) -> str:
    """PyTorch's words for a shape of another number of elements."""
    return f"shape '{fits(wanted)}' is invalid for input of size {count_of(own)}"


def _reshape_rule(x: CoreValue, shape: Shape) -> Spec:
    if count_of(shape) != count_of(shape_of(x)):
        raise ShapeError(
            _torch_misfit(shape, shape_of(x))
            if state.torch_semantics
            else f"reshape cannot make shape {fits(shape)} of {fits(shape_of(x))}",
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
    moves="forward",
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
            _torch_misfit(wanted, own)
            if state.torch_semantics and rest
            else f"{name} cannot make shape {fits(wanted)} of {fits(own)}",
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
    derivative="vjp: g in the shape of x",
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
    derivative="vjp: g in the shape of x",
    views=True,
    cases=(case((2, 3), -1), case((2, 3), [3, 2])),
)
def view(x: Any, *shape: Any) -> CoreValue:
    """The same elements, in order, in another shape; one length may be -1."""
    if len(shape) == 1 and isinstance(shape[0], np.dtype | str | type):
        raise ArgumentError("view takes a shape; to change the dtype write .to(dtype)")
    return reshape.call(x, *shape)


@function(
    family="shape",
    op=RESHAPE,
    where="method",
    also=(".view_as",),
    derivative="vjp: g in the shape of x",
    views=True,
    cases=(case((2, 3), (3, 2)),),
)
def reshape_as(x: Any, other: Any) -> CoreValue:
    """The same elements, in order, in the shape of another value."""
    return bind(RESHAPE, as_core(x), shape=as_core(other).shape)


@function(
    family="shape",
    op=RESHAPE,
    derivative="vjp: g in the shape of x",
    views=True,
    cases=(case((2, 3)), case(()), case((0, 2)), case((2, 3), order="F")),
)
def ravel(x: Any, order: Any = "C") -> CoreValue:
    """The elements in order, in one axis."""
    x = as_core(x)
    return _in_order(x, (count_of(x.shape),), order)


@function(
    "flat",
    family="shape",
    op=RESHAPE,
    where="",
    also=("@flat",),
    derivative="vjp: g in the shape of x",
    views=True,
    cases=(case((2, 3)), case(())),
)
def in_one_axis(x: Any) -> CoreValue:
    """The elements in order, in one axis: written to, they are written to the value."""
    return ravel.call(x)


@function(
    "flatten_numpy",
    family="shape",
    op=RESHAPE,
    where="",
    also=(".flatten@numpy",),
    derivative="vjp: g in the shape of x",
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
    derivative="vjp: g in the shape of x",
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
    derivative="vjp: g in the shape of x",
    views=True,
    cases=(case((6, 2), 0, [2, 3]), case((2, 6), -1, [-1, 2])),
)
def unflatten(input: Any, dim: Any, sizes: Any) -> CoreValue:
    """One axis divided into several."""
    x = as_core(input)
    at = x.ndim + one_axis("unflatten", dim, x.shape)
    parts = _filled_in("unflatten", (x.shape[at],), sizes_of("unflatten", (sizes,)))
    return bind(RESHAPE, x, shape=(*x.shape[:at], *parts, *x.shape[at + 1 :]))


def raised(rank: int, x: CoreValue) -> CoreValue:
    """`x` with at least `rank` axes, three at most: a vector as a row, a matrix as a stack along a last axis."""
    own = len(shape_of(x))
    if own >= rank:
        return x
    if own == 0:
        return bind(RESHAPE, x, shape=(1,) * rank)
    return bind(EXPAND_DIMS, x, axes=((-2,) if rank == 2 else (-3, -1) if own == 1 else (-1,)))


def _at_least(rank: int, xs: tuple[Any, ...]) -> Any:
    """Every value with at least `rank` axes: one of one, of several a tuple."""
    if state.torch_semantics and len(xs) == 1 and isinstance(xs[0], list | tuple):
        return tuple(raised(rank, as_core(x)) for x in xs[0])
    made = [raised(rank, as_core(x)) for x in xs]
    return made[0] if len(made) == 1 else tuple(made)


@function(
    family="shape",
    op=RESHAPE,
    where="numpy torch",
    derivative="vjp: g in the shape of x",
    views=True,
    cases=(case(()), case((2,)), case((), (2,))),
)
def atleast_1d(*xs: Any) -> Any:
    """The value, with one axis if it has none; of several values, a tuple."""
    return _at_least(1, xs)


@function(
    family="shape",
    op=RESHAPE,
    where="numpy torch",
    derivative="vjp: g in the shape of x",
    views=True,
    cases=(case(()), case((2,)), case((2, 3)), case((), (2,))),
)
def atleast_2d(*xs: Any) -> Any:
    """The value with at least two axes, a vector as a row; of several values, a tuple."""
    return _at_least(2, xs)


@function(
    family="shape",
    op=RESHAPE,
    where="numpy torch",
    derivative="vjp: g in the shape of x",
    views=True,
    cases=(case(()), case((2,)), case((2, 3)), case((2, 3), (2,))),
)
def atleast_3d(*xs: Any) -> Any:
    """The value with at least three axes; of several values, a tuple."""
    return _at_least(3, xs)


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


OPERATORS["reshape"] = reshaped
OPERATORS["zeros_like"] = lambda x: np.zeros(shape_of(x), dtype_of(x))
