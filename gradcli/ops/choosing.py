"""Elements chosen by conditions or by number: select, choose, compress, extract."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.graph.errors import ArgumentError, DtypeError, ShapeError
from gradcli.graph.values import CoreValue, shape_of
from gradcli.ops.arguments import one_axis, settled
from gradcli.ops.casts import cast
from gradcli.ops.elementwise import equal, not_equal, where
from gradcli.ops.function import case
from gradcli.ops.index_ops import GETITEM
from gradcli.ops.index_reading import whole_numbers
from gradcli.ops.indexing import getitem
from gradcli.ops.kinds import broadcast_shape, expanded, fits
from gradcli.ops.operands import as_core
from gradcli.ops.registry import function
from gradcli.ops.selecting import flat, kept_within, taken

_LOW = np.array([True, False, False, True])
_HIGH = np.array([True, True, False, False])


def _listed(name: str, xs: Any, what: str) -> list[Any]:
    """The parts of a list, or of a tensor along its first axis."""
    if not isinstance(xs, list | tuple):
        found = as_core(xs)
        if not shape_of(found):
            raise ArgumentError(f"{name} takes a list of {what}")
        return [getitem.call(found, i) for i in range(shape_of(found)[0])]
    return list(xs)


def _brought_together(xs: Sequence[Any]) -> list[CoreValue]:
    """Values in the dtype that they have in common; numbers by themselves decide no more than their kind."""
    kinds = [x if isinstance(x, bool | int | float | complex) else as_core(x).dtype for x in xs]
    if all(not isinstance(kind, np.dtype) for kind in kinds):
        kinds = [as_core(x).dtype for x in xs]
    common = np.result_type(*kinds)
    return [cast(as_core(x), common) for x in xs]


@function(
    family="indexing",
    where="numpy",
    derivative="vjp: g to the value that was chosen",
    cases=(
        case([_LOW, _HIGH], [np.linspace(-1.0, 1.0, 4), np.linspace(2.0, 5.0, 4)]),
        case([_LOW, _HIGH], [np.linspace(-1.0, 1.0, 4), np.array(0.5)], np.array(7.5)),
        case([_LOW], [np.linspace(-1.0, 1.0, 8).reshape(2, 4)], 1.5),
        case([np.array(True)], [np.array(2.0)], np.array([1.0, 3.0])),
    ),
)
def select(condlist: Any, choicelist: Any, default: Any = 0) -> CoreValue:
    """Elementwise, the value of the first condition that holds, or the default where none does."""
    conditions = [as_core(c) for c in _listed("select", condlist, "conditions")]
    choices = _listed("select", choicelist, "values")
    if not conditions or len(conditions) != len(choices):
        raise ArgumentError(f"select: {len(conditions)} conditions are given for {len(choices)} values")
    for condition in conditions:
        if condition.dtype.kind != "b":
            raise DtypeError(f"select: a condition must be of bools, not {condition.dtype}", mend="compare: x > 0")
    *values, chosen = _brought_together([*choices, default])
    for condition, value in zip(reversed(conditions), reversed(values), strict=True):
        chosen = where(condition, value, chosen)
    shapes = [shape_of(x) for x in (*conditions, *values, chosen)]
    return expanded(chosen, broadcast_shape("select", *shapes))


@function(
    family="indexing",
    where="numpy",
    also=(".choose@numpy",),
    derivative="vjp: g to the value that was chosen",
    cases=(
        case(np.array([1, 0, 1]), [np.array([0.5, 1.5, 2.5]), np.array([-1.0, -2.0, -3.0])]),
        case(np.array([[1], [0]]), [np.array([0.5, 1.5, 2.5]), np.array(-1.0)]),
        case(np.array([-1, 3, 2]), [np.array([0.5, 1.5, 2.5]), np.array(-1.0)], mode="clip"),
        case(np.array([-1, 3, 2]), [np.array([0.5, 1.5, 2.5]), np.array(-1.0)], mode="wrap"),
        case(np.array([0, 1]), (2, 2)),
    ),
)
def choose(x: Any, choices: Any, mode: Any = "raise") -> CoreValue:
    """Elementwise, the value of which x is the number."""
    values = _brought_together(_listed("choose", choices, "values"))
    numbers = kept_within("choose", whole_numbers("choose", x), len(values), mode)
    if isinstance(numbers, np.ndarray | np.generic) and numbers.size:
        wrong = [n for n in (int(numbers.min()), int(numbers.max())) if not 0 <= n < len(values)]
        if wrong:
            raise ArgumentError(f"choose: there is no value {wrong[0]} of {len(values)}", mend="mode clip or wrap")
    chosen = values[-1]
    for i in range(len(values) - 2, -1, -1):
        chosen = where(equal(numbers, i), values[i], chosen)
    shapes = [shape_of(x) for x in (numbers, *values)]
    return expanded(chosen, broadcast_shape("choose", *shapes))


def _condition(x: Any) -> CoreValue:
    found = as_core(x)
    return found if found.dtype.kind == "b" else not_equal(found, 0)


@function(
    family="indexing",
    op=GETITEM,
    where="numpy",
    derivative="vjp: g added at the places, into zeros",
    cases=(
        case(np.array([True, False, True]), (3,)),
        case([0, 1, 1], (3,)),
        case(np.array([[1, 0], [0, 2]]), (2, 2)),
        case(np.array([False, True]), (5,)),
    ),
)
def extract(condition: Any, x: Any) -> CoreValue:
    """The elements where a condition holds, in one axis."""
    return compress.call(flat(_condition(condition)), flat(as_core(x)), 0)


@function(
    family="indexing",
    op=GETITEM,
    where="numpy",
    derivative="vjp: g added at the places, into zeros",
    cases=(
        case([True, False, True], (3, 2), 0),
        case([0, 1], (2, 3), axis=-1),
        case([True, False, True], (2, 3)),
        case([False, False], (2,)),
    ),
)
def compress(condition: Any, x: Any, axis: Any = None) -> CoreValue:
    """The slices along an axis for which a condition holds; without an axis, of the elements in order."""
    mask, found = _condition(condition), as_core(x)
    if len(shape_of(mask)) != 1:
        raise ShapeError(f"compress takes conditions in one axis, not shape {fits(shape_of(mask))}")
    if axis is None:
        found, axis = flat(found), 0
    at = one_axis("compress", axis, shape_of(found))
    length, count = shape_of(found)[at], shape_of(mask)[0]
    if count < length:
        found = taken(found, slice(0, count), at)
    elif count > length:
        rest = getitem.call(mask, slice(length, None))
        if settled(rest).any():
            raise ShapeError(f"compress: {count} conditions are given for an axis of size {length}")
        mask = getitem.call(mask, slice(0, length))
    return taken(found, mask, at)


@function(
    "compress_method",
    family="indexing",
    op=GETITEM,
    where="",
    also=(".compress@numpy",),
    derivative="vjp: g added at the places, into zeros",
    cases=(case((3, 2), [True, False, True], 0),),
)
def compress_method(x: Any, condition: Any, axis: Any = None) -> CoreValue:
    """The slices along an axis for which a condition holds."""
    return compress.call(condition, x, axis)
