"""Elements put at an index, or at places counted in order: PyTorch's functions by value, NumPy's in place."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.errors import ArgumentError, DtypeError, ShapeError
from gradcli.graph.values import CoreValue, Shape, count_of, shape_of
from gradcli.ops.arguments import one_axis, settled
from gradcli.ops.casts import cast
from gradcli.ops.elementwise import where as choose_where
from gradcli.ops.function import case
from gradcli.ops.index_ops import ADDITEM, SETITEM, adding, writing
from gradcli.ops.index_reading import whole_numbers
from gradcli.ops.index_template import check_places
from gradcli.ops.indexing import brought_to, changed_by, getitem
from gradcli.ops.kinds import expanded, fits
from gradcli.ops.operands import as_core
from gradcli.ops.registry import function
from gradcli.ops.scattering import INDICES, as_source
from gradcli.ops.selecting import flat, kept_within, matched, unraveled
from gradcli.ops.shape import reshaped

PUT = writing("put", "Put", saves=INDICES, doc="Other elements at places, counted in order.")
PUT_ADDED = adding("put", "Put", saves=INDICES, doc="Elements added at places, counted in order.")


@function(
    family="indexing",
    op=ADDITEM,
    where="torch method",
    derivative="vjp: g with zeros at the index, or g with accumulate; g at the index",
    kinks="where two elements go to one place: the last one has the derivative, unless they accumulate",
    cases=(
        case((4, 3), [np.array([2, 0, 2])], (3, 3)),
        case((4, 3), [np.array([2, 0, 2]), np.array([1, 1, 1])], (3,), accumulate=True),
        case((2, 3), [np.array([[True, False, True], [False, True, False]])], ()),
        case((4, 3), [np.array([[0], [-1]]), np.array([1, 2])], (2, 2), True),
    ),
)
def index_put(input: Any, indices: Any, values: Any, accumulate: bool = False) -> CoreValue:
    """Elements put, or added, at an index of one array for each axis."""
    x = as_core(input)
    if not isinstance(indices, list | tuple):
        raise ArgumentError("index_put takes a tuple of index tensors", mend="write index_put((i,), v)")
    return changed_by(ADDITEM if accumulate else SETITEM, x, tuple(indices), as_source("index_put", x, values))


def check_counted(places: CoreValue, shape: Shape) -> None:
    """See that places, counted in order, are those of a shape's elements; negative ones count from the end.

    Raises:
        ShapeError: one is none of them.
    """
    check_places(places, 0, (count_of(shape),), negative=True)


@function(
    "put_torch",
    family="indexing",
    op=PUT,
    where="",
    also=("torch.put", ".put@torch"),
    derivative="vjp: g with zeros at the places, or g with accumulate; g at the places",
    kinks="where two elements go to one place: the last one has the derivative, unless they accumulate",
    cases=(
        case((2, 3), np.array([1, 5, -1]), (3,)),
        case((2, 3), np.array([[1, 1]]), (1, 2), accumulate=True),
        case((3,), np.array([2, 0]), (2,)),
        case((), np.array([0]), (1,)),
    ),
)
def put_torch(input: Any, index: Any, source: Any, accumulate: bool = False) -> CoreValue:
    """Elements put, or added, at places, counted in order."""
    x, places = as_core(input), whole_numbers("put", index)
    v = as_source("put", x, source)
    if count_of(shape_of(v)) != count_of(shape_of(places)):
        raise ShapeError(f"put: {count_of(shape_of(v))} elements are given for {count_of(shape_of(places))} places")
    line = x if shape_of(x) else reshaped(x, (1,))
    check_counted(places, shape_of(line))
    index_ = unraveled(flat(places), shape_of(line))
    return reshaped(changed_by(PUT_ADDED if accumulate else PUT, line, index_, flat(v)), shape_of(x))


# --- NumPy's, in place -----------------------------------------------------------------------------------------------


def _in_turn(v: CoreValue, count: int) -> CoreValue:
    """As many elements of `v`, again from the first when they are at their end."""
    own = count_of(shape_of(v))
    return flat(v) if own == count else getitem.call(flat(v), np.arange(count) % own)


def _put_at(x: CoreValue, places: CoreValue, v: CoreValue) -> CoreValue:
    """`x` with elements put at places, counted in order, which stand in one axis."""
    line = x if shape_of(x) else reshaped(x, (1,))
    check_counted(places, shape_of(line))
    return reshaped(changed_by(SETITEM, line, unraveled(places, shape_of(line)), v), shape_of(x))


_PUT = "vjp: g with zeros at the places; g at the places"


@function(
    family="indexing",
    op=SETITEM,
    where="numpy",
    also=(".put@numpy",),
    derivative=_PUT,
    kinks="where two elements go to one place: the last one has the derivative",
    in_place=True,
    cases=(
        case((2, 3), [1, -1], (2,)),
        case((2, 3), np.array([0, 3, 5]), (2,)),
        case((3,), [7, -8], 1.5, mode="clip"),
        case((3,), [7, -8], 1.5, mode="wrap"),
        case((2, 2), 3, ()),
        case((3,), [1, 1], (2,)),
    ),
)
def put(x: Any, ind: Any, v: Any, mode: Any = "raise") -> CoreValue:
    """Elements put, in place, at places counted in order; too few are used again."""
    found = as_core(x)
    places = flat(kept_within("put", whole_numbers("put", ind), count_of(shape_of(found)), mode))
    values, count = brought_to(found.dtype, v), count_of(shape_of(places))
    return _put_at(found, places, _in_turn(values, count)) if count_of(shape_of(values)) and count else found


@function(
    family="indexing",
    where="numpy",
    derivative="vjp: g with zeros where the mask holds; g there",
    in_place=True,
    cases=(
        case((2, 3), np.array([[True, False, True], [False, True, False]]), (2, 3)),
        case((4,), np.array([True, False, True, True]), (2,)),
        case((4,), np.array([1, 0, 2, 1]), 1.5),
    ),
)
def putmask(x: Any, mask: Any, values: Any) -> CoreValue:
    """Elements put, in place, where a mask holds, each from its own place; too few are used again."""
    found, v = as_core(x), as_core(values)
    chosen = _mask_over("putmask", found, mask)
    v = brought_to(found.dtype, v)
    count = count_of(shape_of(found))
    if not count_of(shape_of(v)) or not count:
        return found
    return choose_where(chosen, reshaped(_in_turn(v, count), shape_of(found)), found)


def _mask_over(name: str, x: CoreValue, mask: Any) -> CoreValue:
    """A mask of as many elements as `x`, in its shape.

    Raises:
        ShapeError: it has another number of elements.
    """
    found = as_core(mask)
    if count_of(shape_of(found)) != count_of(shape_of(x)):
        raise ShapeError(f"{name}: a mask of shape {fits(shape_of(found))} does not fit shape {fits(shape_of(x))}")
    return cast(reshaped(found, shape_of(x)), np.dtype(np.bool_))


@function(
    family="indexing",
    op=SETITEM,
    where="numpy",
    derivative="vjp: g with zeros where the mask holds; g there",
    in_place=True,
    cases=(
        case((2, 3), np.array([[True, False, True], [False, True, False]]), (3,)),
        case((4,), np.array([True, False, True, True]), (2,)),
        case((3,), np.array([False, False, False]), (2,)),
    ),
)
def place(x: Any, mask: Any, vals: Any) -> CoreValue:
    """Elements put, in place, where a mask holds, one after another; too few are used again."""
    found = as_core(x)
    places = np.flatnonzero(settled(_mask_over("place", found, mask)))
    v = brought_to(found.dtype, vals)
    if not places.size:
        return found
    if not count_of(shape_of(v)):
        raise ArgumentError("place: there is nothing to put where the mask holds")
    return _put_at(found, places, _in_turn(v, places.size))


@function(
    family="indexing",
    where="numpy",
    derivative="vjp: g where nothing was copied; g where it was, summed over the broadcast axes",
    in_place=True,
    cases=(
        case((2, 3), (3,)),
        case((2, 3), (2, 3), where=np.array([True, False, True])),
        case((2,), 1.5),
    ),
)
def copyto(dst: Any, src: Any, casting: Any = "same_kind", where: Any = True) -> CoreValue:
    """Elements copied, in place, from a value that broadcasts, where a mask holds."""
    found, v = as_core(dst), as_core(src)
    if casting not in ("no", "equiv", "safe", "same_kind", "unsafe"):
        raise ArgumentError(f"copyto: unknown casting {str(casting)[:40]!r}", mend="same_kind or unsafe")
    if hasattr(src, "dtype") and not np.can_cast(v.dtype, found.dtype, casting):
        raise DtypeError(f"copyto: {v.dtype} does not go into {found.dtype}", mend="casting='unsafe' cuts it off")
    v = brought_to(found.dtype, v)
    try:
        fine = np.broadcast_shapes(shape_of(v), shape_of(found), np.shape(where)) == shape_of(found)
    except ValueError:
        fine = False
    if not fine:
        raise ShapeError(f"copyto: shape {fits(shape_of(v))} does not go into shape {fits(shape_of(found))}")
    return choose_where(as_core(where), expanded(v, shape_of(found)), found)


@function(
    family="indexing",
    op=SETITEM,
    where="numpy",
    derivative=_PUT,
    kinks="where two elements go to one place: the last one has the derivative",
    in_place=True,
    cases=(
        case((2, 3), np.array([[1], [0]]), (2, 1), 1),
        case((3, 2), np.array([[2, 0]]), 1.5, axis=0),
        case((2, 3), np.array([5, -6]), (2,), None),
    ),
)
def put_along_axis(x: Any, indices: Any, values: Any, axis: Any) -> CoreValue:
    """Elements put, in place, at indices along an axis, matched along all other axes."""
    found, places = as_core(x), whole_numbers("put_along_axis", indices)
    line = flat(found) if axis is None else found
    at = one_axis("put_along_axis", -1 if axis is None else axis, shape_of(line))
    check_places(places, len(shape_of(line)) + at, shape_of(line), negative=True)
    index = matched("put_along_axis", line, places, at)
    return reshaped(changed_by(SETITEM, line, index, brought_to(found.dtype, values)), shape_of(found))


FILLED = writing("fill_diagonal", lambda operands, params: ("CopySlices", (0,)), doc="Another diagonal.")


def _diagonal_places(name: str, shape: Shape, wrap: Any) -> Any:
    """The places, counted in order, of a diagonal through all axes; with `wrap`, again from each row where it ends."""
    if len(shape) < 2:
        raise ShapeError(f"{name} needs at least two axes, not shape {fits(shape)}")
    if len(shape) > 2 and len(set(shape)) > 1:
        raise ShapeError(f"{name}: all axes of shape {fits(shape)} would have to be of one length")
    step = sum(count_of(shape[i + 1 :]) for i in range(len(shape)))
    end = count_of(shape) if len(shape) > 2 or wrap else min(count_of(shape), shape[1] * shape[1])
    return np.arange(0, end, step)


@function(
    family="indexing",
    op=FILLED,
    where="numpy",
    derivative="vjp: g with zeros on the diagonal; g on the diagonal",
    in_place=True,
    cases=(
        case((3, 3), 1.5),
        case((5, 2), ()),
        case((5, 2), 1.5, wrap=True),
        case((2, 4), (2,)),
        case((3, 3), np.array([1.0, 2.0])),
        case((2, 2, 2), 0.5),
    ),
)
def fill_diagonal(x: Any, val: Any, wrap: Any = False) -> CoreValue:
    """A diagonal filled in place with a number, or with elements one after another; too few are used again."""
    found = as_core(x)
    places = _diagonal_places("fill_diagonal", shape_of(found), wrap)
    v = brought_to(found.dtype, val)
    if not count_of(shape_of(v)):
        raise ArgumentError("fill_diagonal: there is nothing to fill the diagonal with")
    return changed_by(FILLED, found, unraveled(places, shape_of(found)), _in_turn(v, places.size))


@function(
    "fill_diagonal_torch",
    family="indexing",
    op=FILLED,
    where="",
    also=(".fill_diagonal@torch",),
    derivative="vjp: g with zeros on the diagonal",
    cases=(case((3, 3), 1.5), case((5, 2), 1.5, wrap=True), case((2, 3), 0)),
)
def fill_diagonal_torch(input: Any, fill_value: Any, wrap: Any = False) -> CoreValue:
    """The value with one number on its diagonal."""
    return fill_diagonal.call(input, fill_value, wrap)


@function(
    "fill_numpy",
    family="indexing",
    where="",
    also=(".fill@numpy",),
    derivative="vjp: 0 for x; the sum of g for the number",
    in_place=True,
    cases=(case((2, 3), 1.5), case((2,), ())),
)
def fill_numpy(x: Any, value: Any) -> CoreValue:
    """One number put, in place, everywhere."""
    found = as_core(x)
    v = brought_to(found.dtype, value)
    if shape_of(v):
        raise ShapeError(f"fill takes one number, not shape {fits(shape_of(v))}")
    return expanded(v, shape_of(found))
