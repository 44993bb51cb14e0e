"""JAX's updates by value: x.at[i].set(v), .add(v), .multiply(v) and their like; and NumPy's np.add.at, in place.

Where an index names a place more than once, elements that are added, multiplied or compared all count; of those that
are set, the last one holds. JAX leaves out updates beyond the ends; here they are an error unless a mode is given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Shape, count_of, shape_of
from gradcli.ops.arguments import settled
from gradcli.ops.casts import cast
from gradcli.ops.elementwise import clip, divide, negative, power, where
from gradcli.ops.function import Function, case
from gradcli.ops.grouping import folded
from gradcli.ops.index_ops import ADDITEM, GETITEM, SETITEM, writing
from gradcli.ops.index_template import ARRAY
from gradcli.ops.indexing import brought_to, changed_by, fitted, getitem
from gradcli.ops.operands import as_core
from gradcli.ops.registry import function
from gradcli.ops.selecting import flat, read_by, unraveled
from gradcli.ops.shape import reshaped

UPDATED = writing("at", "IndexPut", doc="Elements at an index, joined with others.")

# --- indices beyond the ends -----------------------------------------------------------------------------------------

_INSIDE = (None, "promise_in_bounds")


def _clipped(index: Any, shape: Shape) -> Any:
    """An index with every place beyond an end moved to that end."""
    entries = index if isinstance(index, tuple) else (index,)
    found: list[Any] = []
    given = sum(1 for e in entries if e is not None and e is not ...)
    axis = 0
    for entry in entries:
        if entry is ...:
            axis += len(shape) - given
        elif entry is not None:
            if _is_place(entry) and axis < len(shape):
                entry = clip.call(as_core(entry), -shape[axis], shape[axis] - 1)
            axis += 1
        found.append(entry)
    return tuple(found)


def _is_place(entry: Any) -> bool:
    if isinstance(entry, bool | slice):
        return False
    return isinstance(entry, int | list) or (hasattr(entry, "dtype") and entry.dtype.kind in "iu")


def _inside(index: Any, shape: Shape) -> Any:
    """For an index of one array alone, which of its places the first axis has.

    Raises:
        ArgumentError: it is another index.
    """
    if isinstance(index, tuple) and len(index) == 1:
        index = index[0]
    if not _is_place(index) or not shape:
        raise ArgumentError("modes 'drop' and 'fill' take an index of one array", mend="mode='clip' takes any")
    known = settled(as_core(index))
    return known, (known >= -shape[0]) & (known < shape[0])


def _kept(name: str, x: CoreValue, index: Any, v: CoreValue, mode: Any) -> tuple[Any, CoreValue]:
    """The index and the elements of an update, as a mode has those beyond the ends."""
    if mode in _INSIDE:
        return index, v
    if mode == "clip":
        return _clipped(index, shape_of(x)), v
    if mode not in ("drop", "fill"):
        raise ArgumentError(f"{name}: unknown mode {str(mode)[:40]!r}", mend="clip, drop or promise_in_bounds")
    known, inside = _inside(index, shape_of(x))
    v = fitted(v, (*known.shape, *shape_of(x)[1:]))
    return known[inside], getitem.call(v, inside)


# --- reading ---------------------------------------------------------------------------------------------------------

_ROWS = np.array([2, 0, 2])


@function(
    "at_get",
    family="indexing",
    op=GETITEM,
    where="",
    also=(".at[i].get",),
    derivative="vjp: g added at the index, into zeros",
    cases=(
        case((3, 2), _ROWS),
        case((3,), np.array([5, -7, 1]), mode="clip"),
        case((3,), np.array([5, 0, 1]), mode="fill"),
        case((3, 2), np.array([0, 9]), mode="fill", fill_value=1.5),
        case((3, 2), (slice(None), 1)),
    ),
)
def at_get(
    x: Any,
    index: Any,
    *,
    mode: Any = None,
    fill_value: Any = None,
    indices_are_sorted: Any = False,
    unique_indices: Any = False,
) -> CoreValue:
    """Elements at an index; beyond the ends, in mode clip, those at the end, and in mode fill a value."""
    found = as_core(x)
    if mode in _INSIDE:
        return read_by(GETITEM, found, index)
    if mode == "clip":
        return read_by(GETITEM, found, _clipped(index, shape_of(found)))
    if mode != "fill":
        raise ArgumentError(f"at[i].get: unknown mode {str(mode)[:40]!r}", mend="clip, fill or promise_in_bounds")
    known, inside = _inside(index, shape_of(found))
    value = (np.nan if found.dtype.kind in "fc" else 0) if fill_value is None else fill_value
    read = read_by(GETITEM, found, np.where(inside, known, 0))
    mask = inside.reshape(inside.shape + (1,) * (len(shape_of(found)) - 1))
    return where(mask, read, brought_to(found.dtype, value))


# --- setting and adding ----------------------------------------------------------------------------------------------


#: The updates by name.
_UPDATES: dict[str, Function] = {}


def _updating(
    name: str,
    doc: str,
    derivative: str,
    change: Callable[[CoreValue, Any, CoreValue], CoreValue],
    *,
    op: Op,
    kinks: str = "",
    cases: tuple[Any, ...] = (),
) -> None:
    def call(
        x: Any,
        index: Any,
        values: Any,
        *,
        mode: Any = None,
        indices_are_sorted: Any = False,
        unique_indices: Any = False,
    ) -> CoreValue:
        found = as_core(x)
        index, v = _kept(f"at[i].{name}", found, index, brought_to(found.dtype, values), mode)
        return change(found, index, v)

    call.__doc__ = doc
    names = (f".at[i].{name}", ".at[i].mul") if name == "multiply" else (f".at[i].{name}",)
    _UPDATES[name] = function(
        f"at_{name}",
        family="indexing",
        op=op,
        where="",
        also=names,
        derivative=derivative,
        kinks=kinks,
        cases=cases,
    )(call)


_CALLS = (
    case((3, 2), _ROWS, (3, 2)),
    case((3, 2), (1, slice(None)), (2,)),
    case((4,), slice(1, 3), 1.5),
    case((3,), np.array([1, 7, 1]), (3,), mode="drop"),
    case((3,), np.array([1, 7, -9]), (3,), mode="clip"),
    case((2, 2), np.array([[True, False], [True, True]]), (3,)),
)
_updating(
    "set",
    "The value with other elements at an index.",
    "vjp: g with zeros at the index; g at the index, 0 for what was written over",
    lambda x, index, v: changed_by(SETITEM, x, index, v),
    op=SETITEM,
    kinks="where two elements go to one place: the last one has the derivative",
    cases=_CALLS,
)
_updating(
    "add",
    "The value with elements added at an index.",
    "vjp: g; g at the index",
    lambda x, index, v: changed_by(ADDITEM, x, index, v),
    op=ADDITEM,
    cases=_CALLS,
)
_updating(
    "subtract",
    "The value with elements subtracted at an index.",
    "vjp: g; -g at the index",
    lambda x, index, v: changed_by(ADDITEM, x, index, negative(v)),
    op=ADDITEM,
    cases=_CALLS[:1],
)


# --- joining with what is there --------------------------------------------------------------------------------------


def _places(x: CoreValue, index: Any, v: CoreValue) -> tuple[Any, CoreValue]:
    """The places, counted in order, that an index names, and an element for each."""
    numbers = np.arange(count_of(shape_of(x))).reshape(shape_of(x))
    named = settled(read_by(GETITEM, numbers, index))
    return named.ravel(), flat(fitted(v, named.shape))


def _folded(x: CoreValue, index: Any, v: CoreValue, how: str) -> CoreValue:
    places, elements = _places(x, index, v)
    line = x if shape_of(x) else flat(x)
    found = folded(UPDATED, line, elements, places, -1, how, True, lambda where: unraveled(where, shape_of(line)))
    return reshaped(found, shape_of(x))


def _by_products(join: Any) -> Any:
    """An update that joins what is there with the product of all that comes to its place."""

    def change(x: CoreValue, index: Any, v: CoreValue) -> CoreValue:
        places, elements = _places(x, index, v)
        touched, numbers = np.unique(places, return_inverse=True)
        ones = np.ones(touched.size, x.dtype)
        product = folded(UPDATED, ones, elements, numbers.ravel(), -1, "prod", False)
        line = flat(x)
        joined = cast(join(read_by(GETITEM, line, touched), product), x.dtype)
        return reshaped(bind(UPDATED, line, joined, touched, template=(ARRAY,), unique=True), shape_of(x))

    return change


_TIED = (case(np.array([1.0, 2.0, 3.0]), np.array([0, 0, 1]), np.array([1.0, 1.0, 2.0])),)
_updating(
    "multiply",
    "The value multiplied at an index.",
    "vjp: g times all that was multiplied with it",
    lambda x, index, v: _folded(x, index, v, "prod"),
    op=UPDATED,
    cases=_CALLS,
)
_updating(
    "divide",
    "The value divided at an index.",
    "vjp: g/v at the index; -g*x/v**2 there",
    _by_products(divide),
    op=UPDATED,
    cases=_CALLS,
)
_updating(
    "power",
    "The value raised to a power at an index.",
    "vjp: g*v*x**(v - 1) at the index; g*x**v*log(x) there",
    _by_products(power),
    op=UPDATED,
    cases=(
        case(np.array([[0.5, 1.5], [2.0, 3.0], [0.25, 1.0]]), _ROWS, (3, 2)),
        case(np.array([-2.0, 3.0]), 0, 2.0),
    ),
)
_SHARED = "ties share g evenly, as in PyTorch"
_updating(
    "max",
    "The larger of what is there and what comes, at an index.",
    "vjp: g to what was chosen",
    lambda x, index, v: _folded(x, index, v, "amax"),
    op=UPDATED,
    kinks=_SHARED,
    cases=(*_CALLS, *_TIED),
)
_updating(
    "min",
    "The smaller of what is there and what comes, at an index.",
    "vjp: g to what was chosen",
    lambda x, index, v: _folded(x, index, v, "amin"),
    op=UPDATED,
    kinks=_SHARED,
    cases=(*_CALLS, *_TIED),
)


# --- NumPy's, in place -----------------------------------------------------------------------------------------------


def _updating_in_place(ufunc: str, name: str) -> None:
    """`np.add.at(x, index, v)` and its like."""
    of = _UPDATES[name]

    def call(x: Any, indices: Any, b: Any) -> CoreValue:
        return of.call(x, indices, b)

    call.__doc__ = f"{of.doc.removesuffix('.')}, in place."
    function(
        f"{ufunc}_at",
        family="indexing",
        op=of.op,
        where="",
        also=(f"numpy.{ufunc}.at",),
        derivative=of.derivative,
        kinks=of.kinks,
        in_place=True,
        cases=of.cases[:1],
    )(call)


for _ufunc, _name in {
    "add": "add",
    "divide": "divide",
    "maximum": "max",
    "minimum": "min",
    "multiply": "multiply",
    "power": "power",
    "subtract": "subtract",
}.items():
    _updating_in_place(_ufunc, _name)
