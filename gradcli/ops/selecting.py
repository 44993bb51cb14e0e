"""Reads at indices by other names: take, gather, index_select, narrow and their like."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Shape, count_of, shape_of
from gradcli.ops.arguments import integer, one_axis
from gradcli.ops.elementwise import clip, floor_divide, remainder
from gradcli.ops.extremes import PICKED_BACK
from gradcli.ops.function import case
from gradcli.ops.index_ops import GETITEM, reading
from gradcli.ops.index_reading import read_index, whole_numbers
from gradcli.ops.index_template import ALL, check_places
from gradcli.ops.indexing import getitem
from gradcli.ops.kinds import broadcast_shape, expanded, fits
from gradcli.ops.operands import as_core
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped

_INTO_ZEROS = "vjp: g added at the indices, into zeros"

INDEX_SELECT = reading("index_select", "IndexSelect", saves=(1,), doc="Slices at indices along an axis.")
TAKE = reading("take", "Take", saves=(1,), doc="Elements at places, counted in order.")
COPY = reading("narrow_copy", "NarrowCopy", doc="A run of slices along an axis, copied.")


def flat(x: CoreValue) -> CoreValue:
    """The elements of `x` in order, in one axis."""
    return reshaped(x, (count_of(shape_of(x)),))


def along(axis: int, entry: Any) -> tuple[Any, ...]:
    """The index that names `entry` along an axis, which is counted from the end."""
    return (..., entry, *(ALL,) * (-axis - 1))


def taken(x: CoreValue, indices: CoreValue, axis: int) -> CoreValue:
    """The elements of `x` at indices along an axis, counted from the end."""
    return getitem.call(x, along(axis, indices))


def read_by(op: Op, x: CoreValue, index: Any) -> CoreValue:
    """`x[index]`, by an op that `reading` made."""
    shape, template, arrays, unique = read_index(shape_of(x), index)
    return bind(op, reshaped(x, shape), *arrays, template=template, unique=unique)


def kept_within(name: str, indices: CoreValue, length: int, mode: Any) -> CoreValue:
    """Indices as a mode has them: `raise` leaves them, `wrap` counts around the end, `clip` takes the nearest.

    Raises:
        ArgumentError: there is no such mode.
    """
    if mode in ("raise", "promise_in_bounds", None):
        return indices
    if mode not in ("wrap", "clip"):
        raise ArgumentError(f"{name}: unknown mode {str(mode)[:40]!r}", mend="raise, wrap or clip")
    if length == 0 and indices.size:
        raise ArgumentError(f"{name}: there is nothing to take from an axis of size 0")
    return remainder(indices, length) if mode == "wrap" else clip.call(indices, 0, length - 1)


@function(
    family="indexing",
    op=GETITEM,
    where="numpy",
    also=(".take@numpy",),
    derivative=_INTO_ZEROS,
    cases=(
        case((4, 3), np.array([2, 0, 2])),
        case((4, 3), np.array([[2], [-1]]), axis=0),
        case((4, 3), np.array([1, 1]), axis=-1),
        case((4,), 2),
        case((4,), np.array([-9, 7, 4, 0]), mode="wrap"),
        case((4, 2), np.array([-1, 7, 2]), axis=0, mode="clip"),
        case((4,), np.zeros((0, 2), int)),
    ),
)
def take(x: Any, indices: Any, axis: Any = None, mode: Any = "raise") -> CoreValue:
    """Elements at indices along an axis; without one, of the elements in order."""
    x = as_core(x)
    if axis is None:
        x, axis = flat(x), 0
    at = one_axis("take", axis, shape_of(x))
    return taken(x, kept_within("take", whole_numbers("take", indices), shape_of(x)[at], mode), at)


def unraveled(places: CoreValue, shape: Shape) -> tuple[CoreValue, ...]:
    """Places, counted in order, as an index for every axis of a shape."""
    known = isinstance(places, np.ndarray | np.generic)
    rest, whole = (np.remainder, np.floor_divide) if known else (remainder, floor_divide)
    found: list[CoreValue] = []
    for length in reversed(shape[1:]):
        found.append(rest(places, max(length, 1)))
        places = whole(places, max(length, 1))
    return (places, *reversed(found))


@function(
    "take_torch",
    family="indexing",
    op=TAKE,
    where="",
    also=("torch.take", ".take@torch"),
    derivative=_INTO_ZEROS,
    cases=(case((4, 3), np.array([[11, 0], [-1, 0]])), case((3,), np.array(2))),
)
def take_torch(input: Any, index: Any) -> CoreValue:
    """Elements at indices, of the elements in order, in the shape of the indices."""
    x, places = as_core(input), whole_numbers("take", index)
    check_places(places, 0, (count_of(shape_of(x)),), negative=True)
    line = x if shape_of(x) else reshaped(x, (1,))
    found = flat(places) if shape_of(places) == () else places
    return reshaped(read_by(TAKE, line, unraveled(found, shape_of(line))), shape_of(places))


@function(
    family="indexing",
    op=INDEX_SELECT,
    where="torch method",
    derivative=_INTO_ZEROS,
    cases=(
        case((4, 3), 0, np.array([2, 0, 2])),
        case((4, 3), -1, np.array([1])),
        case((4, 3), 0, np.array(3)),
        case((4,), 0, np.zeros(0, int)),
    ),
)
def index_select(input: Any, dim: Any, index: Any) -> CoreValue:
    """Slices at indices along an axis."""
    x, places = as_core(input), whole_numbers("index_select", index)
    if len(shape_of(places)) > 1:
        raise ShapeError(f"index_select takes indices in one axis, not shape {fits(shape_of(places))}")
    axis = one_axis("index_select", dim, shape_of(x))
    check_places(places, len(shape_of(x)) + axis, shape_of(x))
    return read_by(INDEX_SELECT, x, along(axis, flat(places)))


def check_one_rank(name: str, places: CoreValue, x: CoreValue) -> None:
    """See that indices along an axis have as many axes as the value.

    Raises:
        ShapeError: they don't.
    """
    if len(shape_of(places)) != len(shape_of(x)):
        raise ShapeError(f"{name}: an index of shape {fits(shape_of(places))} does not match shape {fits(shape_of(x))}")


def cut_to(name: str, x: CoreValue, shape: Shape, axis: int | None) -> CoreValue:
    """The beginning of `x` along every axis, as long as `shape`; an axis counted from the end stays as it is.

    Raises:
        ShapeError: `shape` is longer somewhere.
    """
    own = shape_of(x)
    for at, (n, m) in enumerate(zip(shape, own, strict=True)):
        if axis is not None and at == len(own) + axis:
            continue
        if n > m:
            raise ShapeError(f"{name}: an index of shape {fits(shape)} does not fit into shape {fits(own)}")
        if n < m:
            x = narrow.call(x, at, 0, n)
    return x


@function(
    family="indexing",
    op=PICKED_BACK,
    where="torch method",
    derivative=_INTO_ZEROS,
    cases=(
        case((4, 3), 0, np.array([[2, 0, 3], [1, 1, 1]])),
        case((2, 3), -1, np.array([[2], [0]])),
        case((4, 3), 0, np.array([[2, 0]])),
        case((4, 3), 0, np.zeros((0, 3), int)),
        case((), 0, np.array(0)),
    ),
)
def gather(input: Any, dim: Any, index: Any, sparse_grad: bool = False) -> CoreValue:
    """Elements at indices along an axis, the indices in the shape of the result."""
    x, places = as_core(input), whole_numbers("gather", index)
    check_one_rank("gather", places, x)
    if not shape_of(x):
        return reshaped(gather.call(reshaped(x, (1,)), 0, reshaped(places, (1,))), ())
    axis = one_axis("gather", dim, shape_of(x))
    x = cut_to("gather", x, shape_of(places), axis)
    check_places(places, len(shape_of(x)) + axis, shape_of(x))
    return bind(PICKED_BACK, x, places, axis=axis)


@function(
    "select_torch",
    family="indexing",
    op=GETITEM,
    where="",
    also=("torch.select", ".select"),
    derivative="vjp: g at the index, into zeros",
    views=True,
    cases=(case((4, 3), 0, 2), case((4, 3), -1, -1)),
)
def select_torch(input: Any, dim: Any, index: Any) -> CoreValue:
    """The slice at one index along an axis, which goes."""
    x = as_core(input)
    return taken(x, integer(index, "select: the index"), one_axis("select", dim, shape_of(x)))


def _run(name: str, input: Any, dim: Any, start: Any, length: Any) -> tuple[CoreValue, tuple[Any, ...]]:
    """A value, and the index of a run of slices along an axis of it.

    Raises:
        ShapeError: the run does not fit into the axis.
    """
    x = as_core(input)
    axis = one_axis(name, dim, shape_of(x))
    first, count, total = (
        integer(start, f"{name}: the start"),
        integer(length, f"{name}: the length"),
        shape_of(x)[axis],
    )
    begin = first + total if first < 0 else first
    if begin < 0 or count < 0 or begin + count > total:
        raise ShapeError(f"{name}: {count} from {first} on does not fit into axis of size {total}")
    return x, along(axis, slice(begin, begin + count))


@function(
    family="indexing",
    op=GETITEM,
    where="torch method",
    derivative="vjp: g at the run, into zeros",
    views=True,
    cases=(case((4, 3), 0, 1, 2), case((4, 3), -1, 0, 3), case((4,), 0, -3, 2), case((4,), 0, 4, 0)),
)
def narrow(input: Any, dim: Any, start: Any, length: Any) -> CoreValue:
    """A run of slices along an axis."""
    return getitem.call(*_run("narrow", input, dim, start, length))


@function(
    family="indexing",
    op=COPY,
    where="torch method",
    derivative="vjp: g at the run, into zeros",
    cases=(case((4, 3), 0, 1, 2),),
)
def narrow_copy(input: Any, dim: Any, start: Any, length: Any) -> CoreValue:
    """A run of slices along an axis, copied."""
    return read_by(COPY, *_run("narrow_copy", input, dim, start, length))


@function(
    family="indexing",
    op=GETITEM,
    where="numpy",
    derivative=_INTO_ZEROS,
    cases=(
        case((4, 3), np.array([[2, 0, 3], [1, 1, 1]]), 0),
        case((2, 3), np.array([[2, 0], [1, 1]]), axis=-1),
        case((2, 3), np.array([[2]]), axis=1),
        case((3,), np.array([2, 0, 2, -1]), axis=None),
    ),
)
def take_along_axis(x: Any, indices: Any, axis: Any = -1) -> CoreValue:
    """Elements at indices along an axis, the indices matched with the value along all other axes."""
    x, places = as_core(x), whole_numbers("take_along_axis", indices)
    if axis is None:
        x, axis = flat(x), -1
    return getitem.call(x, matched("take_along_axis", x, places, one_axis("take_along_axis", axis, shape_of(x))))


def matched(name: str, x: CoreValue, places: CoreValue, axis: int) -> tuple[Any, ...]:
    """The index of `places` along an axis, counted from the end, matched along all other axes of `x`.

    Raises:
        ShapeError: the places have another number of axes.
    """
    shape, rank = shape_of(x), len(shape_of(x))
    if len(shape_of(places)) != rank:
        raise ShapeError(f"{name}: indices of shape {fits(shape_of(places))} do not match shape {fits(shape)}")
    grid = [np.arange(n).reshape((n,) + (1,) * (rank - i - 1)) for i, n in enumerate(shape)]
    return tuple(places if i == rank + axis else line for i, line in enumerate(grid))


@function(
    family="indexing",
    op=PICKED_BACK,
    where="torch method",
    derivative=_INTO_ZEROS,
    cases=(
        case((4, 3), np.array([[2, 0, 3], [1, 1, 1]]), 0),
        case((2, 2), np.array([2, 0])),
        case((2, 3), np.array([[2, 0]]), 1),
        case((1, 3), np.array([[2], [0]]), -1),
    ),
)
def take_along_dim(input: Any, indices: Any, dim: Any = None) -> CoreValue:
    """Elements at indices along an axis, or of the elements in order; all other axes are broadcast."""
    x, places = as_core(input), whole_numbers("take_along_dim", indices)
    if dim is None:
        return gather.call(flat(x), 0, flat(places))
    check_one_rank("take_along_dim", places, x)
    at = len(shape_of(x)) + one_axis("take_along_dim", dim, shape_of(x))
    rest = [(*shape_of(v)[:at], 1, *shape_of(v)[at + 1 :]) for v in (x, places)]
    joined = broadcast_shape("take_along_dim", *rest)
    wide = [expanded(v, (*joined[:at], shape_of(v)[at], *joined[at + 1 :])) for v in (x, places)]
    return gather.call(wide[0], at, wide[1])
