"""Reads at indices by other names: take, index_select, take_along_axis, repeat and their like."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.budget import budget
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.values import CoreValue, Shape, count_of, shape_of
from gradcli.ops.arguments import integer, integers, one_axis
from gradcli.ops.elementwise import not_equal, places
from gradcli.ops.extremes import PICKED_BACK
from gradcli.ops.function import case
from gradcli.ops.index_template import ALL, read_index
from gradcli.ops.indexing import GETITEM, INDEX_SELECT, getitem
from gradcli.ops.kinds import fits
from gradcli.ops.operands import as_core
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped


def _flat(x: CoreValue) -> CoreValue:
    return reshaped(x, (count_of(shape_of(x)),))


def _along(axis: int, entry: Any) -> tuple[Any, ...]:
    """The index that reads `entry` along an axis, which is counted from the end."""
    return (..., entry, *(ALL,) * (-axis - 1))


def taken(x: CoreValue, indices: CoreValue, axis: int) -> CoreValue:
    """The elements of `x` at indices along an axis, counted from the end."""
    return getitem.call(x, _along(axis, indices))


@function(
    family="indexing",
    op=GETITEM,
    where="numpy",
    also=("torch.take", ".take"),
    derivative="add g at the indices, into zeros",
    cases=(
        case((4, 3), np.array([2, 0, 2])),
        case((4, 3), np.array([[2], [-1]]), axis=0),
        case((4, 3), np.array([1, 1]), axis=-1),
        case((4,), 2),
    ),
)
def take(x: Any, indices: Any, axis: Any = None) -> CoreValue:
    """Elements at indices along an axis; without one, of the elements in order."""
    x = as_core(x)
    if axis is None:
        x, axis = _flat(x), 0
    return taken(x, as_core(indices), one_axis("take", axis, shape_of(x)))


@function(
    family="indexing",
    op=INDEX_SELECT,
    where="torch method",
    derivative="add g at the indices, into zeros",
    cases=(case((4, 3), 0, np.array([2, 0, 2])), case((4, 3), -1, np.array([1]))),
)
def index_select(input: Any, dim: Any, index: Any) -> CoreValue:
    """Slices at indices along an axis."""
    x, places = as_core(input), as_core(index)
    if len(shape_of(places)) > 1:
        raise ShapeError(f"index_select takes indices in one axis, not shape {fits(shape_of(places))}")
    axis = one_axis("index_select", dim, shape_of(x))
    index = _along(axis, reshaped(places, (count_of(shape_of(places)),)))
    shape, template, arrays, unique = read_index(shape_of(x), index)
    return bind(INDEX_SELECT, reshaped(x, shape), *arrays, template=template, unique=unique)


@function(
    family="indexing",
    where="torch method",
    derivative="add g at the indices, into zeros",
    cases=(
        case((4, 3), 0, np.array([[2, 0, 3], [1, 1, 1]])),
        case((2, 3), -1, np.array([[2], [0]])),
        case((4, 3), 0, np.array([[2, 0]])),
    ),
)
def gather(input: Any, dim: Any, index: Any) -> CoreValue:
    """Elements at indices along an axis, the indices in the shape of the result."""
    x, places = as_core(input), as_core(index)
    if len(shape_of(places)) != len(shape_of(x)):
        raise ShapeError(f"gather: an index of shape {fits(shape_of(places))} does not match shape {fits(shape_of(x))}")
    if not shape_of(x):
        return reshaped(gather.call(reshaped(x, (1,)), 0, reshaped(places, (1,))), ())
    axis = one_axis("gather", dim, shape_of(x))
    for at, (n, m) in enumerate(zip(shape_of(places), shape_of(x), strict=True)):
        if at != len(shape_of(x)) + axis and n > m:
            raise ShapeError(
                f"gather: an index of shape {fits(shape_of(places))} does not fit into shape {fits(shape_of(x))}"
            )
        if at != len(shape_of(x)) + axis and n < m:
            x = narrow.call(x, at, 0, n)
    _check_range(places, shape_of(x)[axis], axis)
    return bind(PICKED_BACK, x, places, axis=axis)


def _check_range(places: CoreValue, length: int, axis: int) -> None:
    if isinstance(places, np.ndarray) and places.size and not (places.min() >= 0 and places.max() < length):
        wrong = places[(places < 0) | (places >= length)].flat[0]
        raise ArgumentError(f"gather: index {wrong} is out of range for axis {axis} of size {length}")


@function(
    family="indexing", op=GETITEM, where="torch method", views=True, cases=(case((4, 3), 0, 2), case((4, 3), -1, -1))
)
def select(input: Any, dim: Any, index: Any) -> CoreValue:
    """The slice at one index along an axis, which goes."""
    x = as_core(input)
    return taken(x, integer(index, "select: the index"), one_axis("select", dim, shape_of(x)))


@function(
    family="indexing",
    op=GETITEM,
    where="torch method",
    views=True,
    cases=(case((4, 3), 0, 1, 2), case((4, 3), -1, 0, 3)),
)
def narrow(input: Any, dim: Any, start: Any, length: Any) -> CoreValue:
    """A run of slices along an axis."""
    x = as_core(input)
    axis = one_axis("narrow", dim, shape_of(x))
    first, count, total = integer(start, "narrow: the start"), integer(length, "narrow: the length"), shape_of(x)[axis]
    first += total if first < 0 else 0
    if first < 0 or count < 0 or first + count > total:
        raise ShapeError(f"narrow: {count} from {first} on does not fit into axis of size {total}")
    return taken(x, slice(first, first + count), axis)


@function(
    family="indexing",
    op=GETITEM,
    where="numpy",
    derivative="add g at the indices, into zeros",
    cases=(
        case((4, 3), np.array([[2, 0, 3], [1, 1, 1]]), 0),
        case((2, 3), np.array([[2, 0], [1, 1]]), axis=-1),
        case((2, 3), np.array([[2]]), axis=1),
        case((3,), np.array([2, 0, 2, -1]), axis=None),
    ),
)
def take_along_axis(x: Any, indices: Any, axis: Any = -1) -> CoreValue:
    """Elements at indices along an axis, the indices matched with the value along all other axes."""
    x, places = as_core(x), as_core(indices)
    if axis is None:
        x, axis = _flat(x), -1
    shape, rank = shape_of(x), len(shape_of(x))
    if len(shape_of(places)) != rank:
        raise ShapeError(f"take_along_axis: indices of shape {fits(shape_of(places))} do not match shape {fits(shape)}")
    at = rank + one_axis("take_along_axis", axis, shape)
    entries = [places if i == at else np.arange(n).reshape((n,) + (1,) * (rank - i - 1)) for i, n in enumerate(shape)]
    return getitem.call(x, tuple(entries))


@function(
    family="indexing",
    op=GETITEM,
    where="torch method",
    derivative="add g at the indices, into zeros",
    cases=(case((4, 3), np.array([[2, 0, 3], [1, 1, 1]]), 0), case((2, 2), np.array([2, 0]))),
)
def take_along_dim(input: Any, indices: Any, dim: Any = None) -> CoreValue:
    """Elements at indices along an axis, or of the elements in order, as `take_along_axis` has it."""
    return take_along_axis.call(input, indices, dim)


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


@function(
    family="indexing",
    op=GETITEM,
    where="numpy",
    also=(".repeat@numpy", "torch.repeat_interleave", ".repeat_interleave"),
    derivative="sum g over the copies",
    cases=(
        case((3,), 2),
        case((2, 3), 2, axis=0),
        case((2, 3), np.array([1, 0, 2]), axis=-1),
        case((2, 3), 2),
        case((), 3),
        case((3,), 0),
    ),
)
def repeat(x: Any, repeats: Any, axis: Any = None) -> CoreValue:
    """Each slice along an axis repeated; without an axis, each element."""
    x = as_core(x)
    if axis is None:
        x, axis = _flat(x), 0
    at = one_axis("repeat", axis, shape_of(x))
    length = shape_of(x)[at]
    counts = _repeats("repeat", repeats, length)
    budget.charge(8 * sum(counts), "repeat")
    return taken(x, np.repeat(np.arange(length), np.asarray(counts, dtype=np.int64)), at)


@function(
    family="indexing",
    where="numpy",
    also=(".nonzero@numpy",),
    differentiable=False,
    cases=(case(np.array([[0.0, 2.0], [1.0, 0.0]])), case(np.array([True, False, True]))),
)
def nonzero(x: Any) -> tuple[CoreValue, ...]:
    """The indices of the elements that are not zero, an array per axis."""
    return places(as_core(x))


@function(
    "nonzero_torch",
    family="indexing",
    where="",
    also=("torch.nonzero", ".nonzero@torch", "torch.argwhere", "numpy.argwhere"),
    differentiable=False,
    cases=(case(np.array([[0.0, 2.0], [1.0, 0.0]])), case(np.array([1.0, 0.0]), as_tuple=True)),
)
def nonzero_torch(input: Any, as_tuple: bool = False) -> Any:
    """The indices of the elements that are not zero, one in each row."""
    found = places(as_core(input))
    return found if as_tuple else np.stack(found, -1)


@function(
    family="indexing",
    op=GETITEM,
    where="numpy",
    derivative="add g at the places, into zeros",
    cases=(case(np.array([True, False, True]), (3,)), case([0, 1, 1], (3,))),
)
def extract(condition: Any, x: Any) -> CoreValue:
    """The elements where a condition holds, in one axis."""
    mask, x = as_core(condition), as_core(x)
    flat = mask if mask.dtype.kind == "b" else not_equal(mask, 0)
    return getitem.call(_flat(x), _flat(flat))
