"""Reads at an index, pure writes to one, and masks. How an index is kept: see `gradcli.ops.index_template`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, DtypeError, ShapeError
from gradcli.graph.node import Node
from gradcli.graph.op import Op
from gradcli.graph.state import state
from gradcli.graph.values import OPERATORS, CoreValue, Shape, Spec, count_of, dtype_of, shape_of
from gradcli.ops.casts import cast
from gradcli.ops.elementwise import equal, where
from gradcli.ops.function import case
from gradcli.ops.index_template import (
    ALL,
    Template,
    array_block,
    arrays_shape,
    batch_layout,
    filled,
    lead_moved,
    lead_moved_back,
    range_error,
    read_index,
    result_shape,
    selected_first,
)
from gradcli.ops.kinds import expanded, fits, linear, sum_to
from gradcli.ops.operands import as_core
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped

# --- reading ---------------------------------------------------------------------------------------------------------


def _read(x: Any, *arrays: Any, template: Template, unique: bool = False) -> Any:
    try:
        return np.asarray(x)[filled(template, arrays)]
    except IndexError:
        error = range_error(x.shape, template, arrays)
        if error is None:
            raise
        raise error from None


def _read_rule(x: CoreValue, *arrays: CoreValue, template: Template, unique: bool = False) -> Spec:
    return Spec(result_shape(shape_of(x), template, arrays), dtype_of(x))


def _read_batch(xs: Sequence[CoreValue], batched: Sequence[bool], params: dict[str, Any], size: int) -> CoreValue:
    x, *arrays = xs
    template, arrays, count, order = batch_layout(params["template"], arrays, batched[1:], size, batched[0])
    return lead_moved(bind(GETITEM, x, *arrays, template=template, unique=params["unique"]), count, order)


def _read_node(operands: Sequence[CoreValue], params: dict[str, Any]) -> Any:
    """PyTorch reads an index from left to right, a node per part: a tree of them, or a name where there is one."""
    template, shape = params["template"], shape_of(operands[0])
    names, axis, given = [], 0, 0
    for entry in template:
        if entry is None:
            names.append("UnsqueezeBackward0")
            continue
        if isinstance(entry, slice):
            given += entry is not ALL
            if entry.indices(shape[axis]) != (0, shape[axis], 1):
                names.append("SliceBackward0")
        elif type(entry) is int:
            names.append("SelectBackward0")
        axis += entry is not ...
    if any(len(shape_of(a)) for a in operands[1:]):
        names.append("IndexBackward0")
    if not names:
        names.append("SliceBackward0" if given == 1 else "AliasBackward0")
    return names[0] if len(names) == 1 else _chained(names)


def _chained(names: Sequence[str]) -> Any:
    """Nodes that follow one upon another, the first of them on operand 0."""
    tree: Any = 0
    for name in names:
        tree = (name, (tree,))
    return tree


def _scattered(g: CoreValue, x: CoreValue, *arrays: CoreValue, template: Template, unique: bool) -> CoreValue:
    return bind(SCATTER, g, *arrays, template=template, unique=unique, shape=shape_of(x))


GETITEM: Op = linear(
    "getitem",
    _read,
    _read_rule,
    transpose=_scattered,
    batch=_read_batch,
    views=True,
    torch=_read_node,
    doc="Elements at an index.",
)


INDEX_SELECT: Op = linear(
    "index_select",
    _read,
    _read_rule,
    transpose=_scattered,
    batch=_read_batch,
    torch="IndexSelect",
    doc="Slices at indices along an axis.",
)


# --- adding into zeros, the transpose of reading ---------------------------------------------------------------------


def _scatter(g: Any, *arrays: Any, template: Template, shape: Shape, unique: bool) -> Any:
    g = np.asarray(g)
    index = filled(template, arrays)
    if not arrays or unique:
        made = np.zeros(shape, g.dtype)
        made[index] = g
        return made
    if g.dtype.kind == "f" and 8 * g.size >= count_of(shape):
        return _summed_at(g, index, shape).astype(g.dtype, copy=False)
    if g.dtype.kind == "c" and 8 * g.size >= count_of(shape):
        real, imaginary = _summed_at(g.real, index, shape), _summed_at(g.imag, index, shape)
        return (real + 1j * imaginary).astype(g.dtype, copy=False)
    made = np.zeros(shape, g.dtype)
    np.add.at(made, index, g)
    return made


def _summed_at(g: Any, index: Any, shape: Shape) -> Any:
    """`g` added up at the places of an index: where they are many, several times faster than `np.add.at`."""
    places = np.arange(count_of(shape)).reshape(shape)[index]
    return np.bincount(places.ravel(), weights=g.ravel(), minlength=count_of(shape)).reshape(shape)


def _scatter_rule(g: CoreValue, *arrays: CoreValue, template: Template, shape: Shape, unique: bool) -> Spec:
    expected = result_shape(shape, template, arrays)
    if shape_of(g) != expected:
        raise ShapeError(f"scatter takes shape {fits(expected)}, not {fits(shape_of(g))}")
    return Spec(shape, dtype_of(g))


def _scatter_batch(xs: Sequence[CoreValue], batched: Sequence[bool], params: dict[str, Any], size: int) -> CoreValue:
    g, *arrays = xs
    if not batched[0]:
        g = expanded(g, (size, *shape_of(g)))
    template, arrays, count, order = batch_layout(params["template"], arrays, batched[1:], size, True)
    shape = (size, *params["shape"])
    g = lead_moved_back(g, count, order)
    return bind(SCATTER, g, *arrays, template=template, unique=params["unique"], shape=shape)


SCATTER: Op = linear(
    "scatter",
    _scatter,
    _scatter_rule,
    transpose=lambda g, x, *arrays, template, shape, unique: bind(
        GETITEM, g, *arrays, template=template, unique=unique
    ),
    batch=_scatter_batch,
    torch="IndexPut",
    doc="Zeros, with values added at an index.",
)


# --- writing ---------------------------------------------------------------------------------------------------------


def _written(x: Any, v: Any, *arrays: Any, template: Template, unique: bool) -> Any:
    made = np.array(x)
    places: Sequence[Any] = arrays
    if arrays and not unique:
        places, v = _one_by_one(template, arrays, np.asarray(v))
    try:
        made[filled(template, places)] = v
    except IndexError:
        error = range_error(made.shape, template, arrays)
        if error is None:
            raise
        raise error from None
    return made


def _one_by_one(template: Template, arrays: Sequence[Any], v: Any) -> tuple[list[Any], Any]:
    """Index arrays flat and in order, so that of several writes to one place the last one wins for certain."""
    joined = arrays_shape(arrays)
    if not joined:
        return list(arrays), v
    at = array_block(template, len(joined))
    flat = [np.ascontiguousarray(np.broadcast_to(a, joined)).ravel() for a in arrays]
    return flat, v.reshape((*v.shape[:at], count_of(joined), *v.shape[at + len(joined) :]))


def _written_rule(x: CoreValue, v: CoreValue, *arrays: CoreValue, template: Template, unique: bool) -> Spec:
    expected = result_shape(shape_of(x), template, arrays)
    if shape_of(v) != expected:
        raise ShapeError(f"cannot write shape {fits(shape_of(v))} to {fits(expected)}")
    return Spec(shape_of(x), dtype_of(x))


def _written_transpose(
    g: CoreValue, x: CoreValue, v: CoreValue, *arrays: CoreValue, template: Template, unique: bool
) -> tuple[CoreValue, CoreValue]:
    nothing = np.zeros(shape_of(v), dtype_of(g))
    to_x = bind(SETITEM, g, nothing, *arrays, template=template, unique=unique)
    to_v = bind(GETITEM, g, *arrays, template=template, unique=unique)
    if arrays and not unique:
        to_v = where(_winners(shape_of(x), shape_of(v), arrays, template), to_v, np.zeros((), dtype_of(g)))
    return to_x, to_v


def _winners(shape: Shape, written: Shape, arrays: Sequence[CoreValue], template: Template) -> CoreValue:
    """Which of the written elements are still there at the end: each place keeps the last one."""
    numbers = np.arange(count_of(written)).reshape(written)
    kept = bind(SETITEM, np.zeros(shape, np.int64), numbers, *arrays, template=template, unique=False)
    return equal(bind(GETITEM, kept, *arrays, template=template, unique=False), numbers)


def _written_batch(xs: Sequence[CoreValue], batched: Sequence[bool], params: dict[str, Any], size: int) -> CoreValue:
    x, v, *arrays = (
        a if flag or i > 1 else expanded(a, (size, *shape_of(a)))
        for i, (a, flag) in enumerate(zip(xs, batched, strict=True))
    )
    template, arrays, count, order = batch_layout(params["template"], arrays, batched[2:], size, True)
    v = lead_moved_back(v, count, order)
    return bind(SETITEM, x, v, *arrays, template=template, unique=params["unique"])


def _write_node(operands: Sequence[CoreValue], params: dict[str, Any]) -> Any:
    return ("IndexPutBackward0" if any(len(shape_of(a)) for a in operands[2:]) else "CopySlices", (0, 1))


SETITEM: Op = linear(
    "setitem",
    _written,
    _written_rule,
    transpose=_written_transpose,
    batch=_written_batch,
    operands=2,
    torch=_write_node,
    doc="The value with other elements at an index.",
)
# It keeps where it wrote, and gives that up after a backward pass.
SETITEM.saves = (None,)


_CASES = (
    case((4,), 1),
    case((4,), -1),
    case((4, 3), slice(1, 3)),
    case((4, 3), (slice(None, None, -1), 1)),
    case((4, 3), (..., None, 0)),
    case((4, 3), np.array([2, 0, 2])),
    case((4, 3), (slice(None), [1, 1])),
    case((2, 3, 4), (0, slice(None), np.array([3, 0]))),
    case((2, 3, 4), (slice(None), np.array([[0], [1]]), np.array([3, 0]))),
    case((3,), np.array([True, False, True])),
    case((2, 2), np.array([[True, False], [True, True]])),
    case((3,), slice(2, 2)),
    case((3,), np.array([False, False, False])),
    case((), None),
)


@function(
    family="indexing", where="", op=GETITEM, derivative="add g at the index, into zeros", views=True, cases=_CASES
)
def getitem(x: Any, index: Any) -> CoreValue:
    """Elements at an index: integers, slices, `...`, None, masks, integer arrays, or a tuple of these."""
    x = as_core(x)
    if state.torch_semantics and (parts := selected_first(index)):
        return getitem.call(getitem.call(x, parts[0]), parts[1])
    shape, template, arrays, unique = read_index(shape_of(x), index)
    return bind(GETITEM, reshaped(x, shape), *arrays, template=template, unique=unique)


@function(
    family="indexing",
    where="",
    op=SETITEM,
    derivative="g with zeros at the index; g at the index",
    cases=(
        case((4,), 1, ()),
        case((4, 3), slice(1, 3), (2, 3)),
        case((4, 3), (slice(None, None, -1), 1), (4,)),
        case((4, 3), np.array([2, 0, 2]), (3, 3)),
        case((4, 3), (slice(None), np.array([1, 1])), (2,)),
        case((2, 3, 4), (0, slice(None), np.array([3, 0])), (2, 3)),
        case((3,), np.array([True, False, True]), (2,)),
        case((3,), np.array([True, False, True]), 5.0),
    ),
)
def setitem(x: Any, index: Any, v: Any) -> CoreValue:
    """The value with other elements at an index; of several writes to one place the last one holds."""
    x = as_core(x)
    v = as_core(v)
    if v.dtype.kind == "c" and x.dtype.kind != "c":
        raise DtypeError(f"cannot write complex numbers to {x.dtype}", mend="make it complex first")
    v = cast(v, x.dtype)
    if state.torch_semantics and (parts := selected_first(index)):
        return setitem.call(x, parts[0], setitem.call(getitem.call(x, parts[0]), parts[1], v))
    if len(shape_of(v)) == 0 and _is_mask_of(index, shape_of(x)):
        mask = as_core(index)
        mask = reshaped(mask, shape_of(mask) + (1,) * (len(shape_of(x)) - len(shape_of(mask))))
        return bind(MASK_WRITE, x, v, mask)
    shape, template, arrays, unique = read_index(shape_of(x), index)
    target = result_shape(shape, template, arrays)
    new = bind(SETITEM, reshaped(x, shape), _fitted(v, target), *arrays, template=template, unique=unique)
    return reshaped(new, shape_of(x))


def _fitted(v: CoreValue, target: Shape) -> CoreValue:
    """`v` broadcast to what is written; singleton axes too many in front are dropped, as NumPy drops them."""
    own = shape_of(v)
    extra = max(0, len(own) - len(target))
    try:
        fine = count_of(own[:extra]) == 1 and np.broadcast_shapes(own[extra:], target) == target
    except ValueError:
        fine = False
    if not fine:
        raise ShapeError(f"cannot write shape {fits(own)} to the {fits(target)} elements of the index")
    return expanded(reshaped(v, own[extra:]), target)


# --- masks -----------------------------------------------------------------------------------------------------------


def _is_mask_of(index: Any, shape: Shape) -> bool:
    if not hasattr(index, "dtype") or index.dtype.kind != "b":
        return False
    own = shape_of(index)
    return own == shape[: len(own)]


def _fill_value(x: Any, v: Any, mask: Any) -> Any:
    return np.where(mask, v, x)


def _fill_rule(x: CoreValue, v: CoreValue, mask: CoreValue) -> Spec:
    try:
        joined = np.broadcast_shapes(shape_of(x), shape_of(mask))
    except ValueError:
        raise ShapeError(f"a mask of shape {fits(shape_of(mask))} does not fit shape {fits(shape_of(x))}") from None
    return Spec(joined, np.result_type(dtype_of(x), dtype_of(v)))


def _fill_transpose(g: CoreValue, x: CoreValue, v: CoreValue, mask: CoreValue) -> tuple[CoreValue, CoreValue]:
    zero = np.zeros((), dtype_of(g))
    return sum_to(where(mask, zero, g), shape_of(x)), sum_to(where(mask, g, zero), shape_of(v))


def _fill_batch(xs: Sequence[CoreValue], batched: Sequence[bool], params: dict[str, Any], size: int) -> CoreValue:
    rank = max(len(shape_of(x)) - flag for x, flag in zip(xs, batched, strict=True))
    return bind(
        MASKED_FILL,
        *(
            reshaped(x, (size,) + (1,) * (rank + 1 - len(shape_of(x))) + shape_of(x)[1:]) if flag else x
            for x, flag in zip(xs, batched, strict=True)
        ),
    )


def _fill_node(operands: Sequence[CoreValue], params: dict[str, Any]) -> Any:
    return ("MaskedFillBackward1", (0, 1)) if isinstance(operands[1], Node) else ("MaskedFillBackward0", (0,))


def _filling(torch: Any) -> Op:
    return linear(
        "masked_fill",
        _fill_value,
        _fill_rule,
        transpose=_fill_transpose,
        batch=_fill_batch,
        operands=2,
        torch=torch,
        doc="The value with one number where a mask holds.",
    )


MASKED_FILL: Op = _filling(_fill_node)
#: The same, written as x[mask] = number.
MASK_WRITE: Op = _filling(lambda operands, params: ("IndexPutBackward0", (0, 1)))


@function(
    family="indexing",
    op=MASKED_FILL,
    where="torch method",
    derivative="0 where the mask holds; the sum of g there",
    cases=(case((2, 3), np.array([True, False, True]), 1.5), case((3,), np.array([True, False, True]), ())),
)
def masked_fill(input: Any, mask: Any, value: Any) -> CoreValue:
    """The value with one number where a mask holds."""
    x = as_core(input)
    v = cast(as_core(value), x.dtype)
    if len(shape_of(v)):
        raise ShapeError(f"masked_fill takes one number, not shape {fits(shape_of(v))}", mend="where takes many")
    return bind(MASKED_FILL, x, v, _as_mask(mask))


def _as_mask(mask: Any) -> CoreValue:
    found = as_core(mask)
    if found.dtype.kind != "b":
        raise ArgumentError(f"a mask must be of bools, not {found.dtype}", mend="compare: mask > 0")
    return found


@function(
    family="indexing",
    op=GETITEM,
    where="torch method",
    derivative="add g at the places, into zeros",
    cases=(
        case((2, 3), np.array([[True, False, True], [False, True, True]])),
        case((3,), np.array([True, False, True])),
    ),
)
def masked_select(input: Any, mask: Any) -> CoreValue:
    """The elements where a mask holds, in one axis."""
    x, found = as_core(input), _as_mask(mask)
    joined = np.broadcast_shapes(shape_of(x), shape_of(found))
    return getitem.call(expanded(x, joined), expanded(found, joined))


OPERATORS["[]"] = getitem.call
