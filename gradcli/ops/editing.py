"""Slices put in, taken out and repeated to a size: insert, delete, append, resize, trim_zeros."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.budget import budget
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.values import CoreValue, count_of, shape_of
from gradcli.ops.arguments import many_axes, one_axis, settled, sizes
from gradcli.ops.axis_order import moveaxis
from gradcli.ops.function import case
from gradcli.ops.index_ops import GETITEM
from gradcli.ops.index_reading import whole_numbers
from gradcli.ops.index_template import check_places
from gradcli.ops.indexing import brought_to, fitted, getitem
from gradcli.ops.kinds import fits
from gradcli.ops.operands import as_core
from gradcli.ops.pieces import CONCATENATE, concatenated
from gradcli.ops.registry import function
from gradcli.ops.selecting import flat, taken
from gradcli.ops.shape import reshaped


def _line(name: str, x: Any, axis: Any) -> tuple[CoreValue, int]:
    """A value and the axis of it, counted from the end; without an axis, the elements in order."""
    found = as_core(x)
    if axis is None:
        found, axis = flat(found), -1
    return found, one_axis(name, axis, shape_of(found))


def _named(name: str, obj: Any, length: int, room: int) -> tuple[Any, bool]:
    """Where along an axis something is done: an array of places, and whether one place alone was named.

    Raises:
        ShapeError: a place is out of range, or the places have several axes.
    """
    if isinstance(obj, slice):
        return np.arange(length)[obj], False
    if isinstance(obj, list | tuple) and not obj:
        return np.zeros(0, np.int64), False
    found = as_core(obj)
    if found.dtype.kind == "b" and shape_of(found):
        if name == "delete" and shape_of(found) != (length,):
            raise ShapeError(f"delete: a mask of shape {fits(shape_of(found))} does not fit an axis of size {length}")
        found = np.flatnonzero(settled(found))
    if len(shape_of(found)) > 1:
        raise ShapeError(f"{name} takes places in one axis, not shape {fits(shape_of(found))}")
    known = settled(whole_numbers(name, found))
    for part, end, negative in ((known[known >= 0], room, False), (known[known < 0], length, True)):
        check_places(part, 0, (end,), negative=negative)
    return np.where(known < 0, known + length, known), not shape_of(known)


@function(
    family="shape",
    op=GETITEM,
    where="numpy",
    derivative="vjp: g where the slices were, 0 for those taken out",
    cases=(
        case((4, 2), 1, 0),
        case((2, 4), [0, -1], axis=-1),
        case((4,), slice(None, None, 2)),
        case((2, 3), [0, 0, 4]),
        case((3,), np.array([True, False, True]), 0),
        case((3,), []),
        case((3,), np.array([-2])),
    ),
)
def delete(x: Any, obj: Any, axis: Any = None) -> CoreValue:
    """The value without some slices along an axis; without an axis, of the elements in order."""
    found, at = _line("delete", x, axis)
    length = shape_of(found)[at]
    places, _ = _named("delete", obj, length, length)
    kept = np.ones(length, dtype=bool)
    kept[places] = False
    return taken(found, np.flatnonzero(kept), at)


@function(
    family="shape",
    op=CONCATENATE,
    where="numpy",
    derivative="vjp: g where the slices of each stand, summed over the broadcast axes",
    cases=(
        case((4, 2), 1, (2,), 0),
        case((4, 2), 4, 1.5, axis=0),
        case((2, 3), [0, -1], (2, 2), axis=-1),
        case((3,), [1, 1, 3], (3,)),
        case((2, 2), 2, (3,)),
        case((4,), slice(0, 3, 2), (2,)),
        case((3,), np.array([True, False, True]), 0.5),
        case((2, 3), [1], (2, 1), axis=1),
        case((2, 3), 1, (2,), axis=1),
        case((3,), np.zeros(0, int), np.zeros(0)),
    ),
)
def insert(x: Any, obj: Any, values: Any, axis: Any = None) -> CoreValue:
    """The value with slices put in before places along an axis; without an axis, among the elements in order."""
    found, at = _line("insert", x, axis)
    shape, rank, length = shape_of(found), len(shape_of(found)), shape_of(found)[at]
    places, alone = _named("insert", obj, length, length + 1)
    new = brought_to(found.dtype, values)
    count = places.size
    if count == 1:
        new = reshaped(new, (1,) * (rank - len(shape_of(new))) + shape_of(new))
        new = moveaxis.call(new, 0, at) if alone else new
        count = shape_of(new)[at]
        places = np.full(count, places.ravel()[0])
    new = fitted(new, (*shape[: rank + at], count, *shape[rank + at + 1 :]))
    return taken(concatenated([found, new], at), _merged(length, places), at)


def _merged(length: int, places: Any) -> Any:
    """The order of `length` slices, and of as many more as there are places, each new one before its place."""
    before = np.concatenate([np.arange(length) + 0.5, places])
    budget.charge(8 * before.size, "insert")
    return np.argsort(before, kind="stable")


@function(
    family="shape",
    op=GETITEM,
    where="numpy",
    derivative="vjp: g summed over the copies",
    cases=(case((3,), [2, 2]), case((2, 3), [2]), case((2, 2), 5), case((), [2]), case((0,), [2]), case((2,), [0, 3])),
)
def resize(x: Any, new_shape: Any) -> CoreValue:
    """The elements in another shape, in order: again from the first where they do not suffice."""
    found, shape = flat(as_core(x)), sizes("resize", (new_shape,))
    if any(n < 0 for n in shape):
        raise ArgumentError(f"resize: a size can't be negative: {fits(shape)}")
    own, count = shape_of(found)[0], count_of(shape)
    budget.charge((8 + found.dtype.itemsize) * count, "resize")
    if not own or not count:
        return np.zeros(shape, found.dtype)
    return reshaped(taken(found, np.arange(count) % own if count > own else slice(0, count), -1), shape)


@function(
    family="shape",
    op=GETITEM,
    where="numpy",
    derivative="vjp: g where the elements were, 0 for those cut off",
    kinks="where an element that is cut off leaves 0: the shape of the result is another",
    cases=(
        case(np.array([0.0, 0.0, 1.0, 0.0, 2.0, 0.0])),
        case(np.array([0.0, 1.0, 0.0]), "f"),
        case(np.array([0.0, 1.0, 0.0]), trim="b"),
        case(np.zeros(3)),
        case(np.array([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 2.0]])),
        case(np.array([[0.0, 1.0, 0.0]]), axis=-1),
    ),
)
def trim_zeros(x: Any, trim: Any = "fb", axis: Any = None) -> CoreValue:
    """Without the zeros at the front and at the back of an axis, or of all axes."""
    found = as_core(x)
    word = str(trim).lower()
    if word not in ("f", "b", "fb", "bf"):
        raise ArgumentError(f"trim_zeros: trim is 'f', 'b' or 'fb', not {str(trim)[:40]!r}")
    ends = [_ends(places) for places in np.nonzero(settled(found))]
    cut = many_axes("trim_zeros", axis, shape_of(found))
    return getitem.call(found, tuple(_within(ends[a], word) if a in cut else slice(None) for a in range(-len(ends), 0)))


def _ends(places: Any) -> tuple[int, int] | None:
    return (int(places.min()), int(places.max()) + 1) if places.size else None


def _within(ends: tuple[int, int] | None, word: str) -> slice:
    if ends is None:
        return slice(0, 0)
    return slice(ends[0] if "f" in word else None, ends[1] if "b" in word else None)
