"""Reads at an index and pure writes to one, as programs write them: `x[i]`, `x[i] = v`."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import DtypeError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.state import state
from gradcli.graph.values import OPERATORS, CoreValue, Shape, count_of, shape_of
from gradcli.ops.casts import cast
from gradcli.ops.filling import MASK_WRITE, is_mask_of
from gradcli.ops.function import case
from gradcli.ops.index_ops import GETITEM, SETITEM
from gradcli.ops.index_reading import read_index, selected_first
from gradcli.ops.index_template import result_shape
from gradcli.ops.kinds import expanded, fits
from gradcli.ops.operands import as_core
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped

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
    family="indexing",
    where="",
    op=GETITEM,
    derivative="vjp: g added at the index, into zeros",
    views=True,
    cases=_CASES,
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
    derivative="vjp: g with zeros at the index; g at the index, 0 for what was written over",
    kinks="where two elements go to one place: the last one has the derivative",
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
    v = brought_to(x.dtype, v)
    if state.torch_semantics and (parts := selected_first(index)):
        return setitem.call(x, parts[0], setitem.call(getitem.call(x, parts[0]), parts[1], v))
    if len(shape_of(v)) == 0 and is_mask_of(index, shape_of(x)):
        mask = as_core(index)
        mask = reshaped(mask, shape_of(mask) + (1,) * (len(shape_of(x)) - len(shape_of(mask))))
        return bind(MASK_WRITE, x, v, mask)
    return changed_by(SETITEM, x, index, v)


def brought_to(dtype: np.dtype[Any], v: Any) -> CoreValue:
    """What is to be put into a value, in its dtype.

    Raises:
        DtypeError: it is complex, and the dtype is not.
    """
    v = as_core(v)
    if v.dtype.kind == "c" and dtype.kind != "c":
        raise DtypeError(f"cannot write complex numbers to {dtype}", mend="make it complex first")
    return cast(v, dtype)


def changed_by(op: Op, x: CoreValue, index: Any, v: CoreValue) -> CoreValue:
    """`x` with `v`, broadcast, put or added at an index, by an op that `writing` or `adding` made."""
    shape, template, arrays, unique = read_index(shape_of(x), index)
    target = result_shape(shape, template, arrays)
    new = bind(op, reshaped(x, shape), fitted(v, target), *arrays, template=template, unique=unique)
    return reshaped(new, shape_of(x))


def fitted(v: CoreValue, target: Shape) -> CoreValue:
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


OPERATORS["[]"] = getitem.call
