"""Order along an axis: sort and argsort.

The places are found first, and carry no derivative; reading the elements at those places is linear. NaN counts as the
largest of all, and elements that are equal keep their order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, count_of, dtype_of, shape_of
from gradcli.ops.axes import axis_of
from gradcli.ops.casts import cast
from gradcli.ops.function import case
from gradcli.ops.kinds import constant
from gradcli.ops.operands import as_core
from gradcli.ops.picking import picked
from gradcli.ops.reduction import COMPLEX
from gradcli.ops.registry import function
from gradcli.ops.results import named
from gradcli.ops.shape import reshaped

# --- places ----------------------------------------------------------------------------------------------------------


def _order(x: Any, *, axis: int, descending: bool) -> Any:
    if not descending:
        return np.argsort(x, axis=axis, kind="stable")
    # Backwards, in rising order and backwards again: so that equal elements keep their order.
    backwards = np.argsort(np.flip(x, axis), axis=axis, kind="stable")
    return x.shape[axis] - 1 - np.flip(backwards, axis)


def _order_shape(x: CoreValue, *, axis: int, descending: bool) -> Spec:
    return Spec(shape_of(x), np.dtype(np.int64))


def exact_order(S: Any, x: Any, *, axis: int, descending: bool) -> Any:
    """Selection, one extreme after another."""
    if x.dtype != object:
        return _order(x, axis=axis, descending=descending)

    def ordered(cells: list[Any]) -> list[int]:
        left, found = list(range(len(cells))), []
        while left:
            found.append(left.pop(S.argmax([cells[i] if descending else -cells[i] for i in left])))
        return found

    made = np.empty(x.shape, dtype=np.int64)
    moved, target = np.moveaxis(x, axis, -1), np.moveaxis(made, axis, -1)
    for place in np.ndindex(moved.shape[:-1]):
        target[place] = ordered(list(moved[place]))
    return made


def ties(x: Any, *, axis: int, descending: bool) -> Any:
    """Elements beside which another along the axis has the same value."""
    order = _order(x, axis=axis, descending=descending)
    ranked = np.take_along_axis(x, order, axis)
    same = np.diff(ranked, axis=axis) == 0
    ends = [(0, 0)] * x.ndim
    before, after = list(ends), list(ends)
    before[axis], after[axis] = (1, 0), (0, 1)
    tied = np.pad(same, before) | np.pad(same, after)
    found = np.empty_like(tied)
    np.put_along_axis(found, order, tied, axis)
    return found


ARGSORT: Op = constant(
    "argsort",
    _order,
    _order_shape,
    meaning=exact_order,
    kink=ties,
    doc="Where the elements along an axis stand, in order.",
)

SORTED = picked("sort_along", "Sort")
#: What is chosen among equals.
STABLE = "equal elements keep their order"
PUT_BACK = "vjp: g back in the places the elements came from"


def line(name: str, input: Any, dim: Any) -> tuple[CoreValue, int, bool]:
    """The value with at least one axis, the axis counted from the end, and whether it was 0-d."""
    x = as_core(input)
    axis = axis_of(name, dim, x)
    return (x, axis, False) if shape_of(x) else (reshaped(x, (1,)), axis, True)


def order_of(x: CoreValue, axis: int, descending: Any = False) -> CoreValue:
    """Where the elements along an axis stand, in order."""
    return bind(ARGSORT, x, axis=axis, descending=bool(descending))


def whole_or_line(name: str, x: Any, axis: Any) -> tuple[CoreValue, int]:
    """The value and the axis; with None, all elements in one.

    Raises:
        ShapeError: it has no axis.
    """
    found = as_core(x)
    if axis is None:
        return reshaped(found, (count_of(shape_of(found)),)), -1
    if not shape_of(found):
        raise ShapeError(f"{name}: a scalar has no axis to sort along")
    return found, axis_of(name, axis, found)


def _check_kind(name: str, kind: Any, order: Any, stable: Any) -> None:
    """See that the options are among those that NumPy knows; none of them changes the answer here.

    Raises:
        ArgumentError: they are not.
    """
    if kind not in (None, "quicksort", "mergesort", "heapsort", "stable"):
        raise ArgumentError(f"{name}: no kind {kind!r}", mend="'quicksort', 'mergesort', 'heapsort' or 'stable'")
    if order is not None:
        raise ArgumentError(f"{name}: order= is for records, which tensors are not")
    if kind is not None and stable is not None:
        raise ArgumentError(f"{name}: kind and stable can't both be given")


# --- sort ------------------------------------------------------------------------------------------------------------

_TIES = case(np.array([2.0, 1.0, 2.0, 1.0]))
_SORTS = (
    case((4,)),
    case((2, 3), 0),
    case((2, 3), dim=-1, descending=True),
    case(np.array([2.0, 1.0, 3.0])),
    case(()),
    case((0,)),
    case((1,)),
    _TIES,
)
SORT_RESULTS = named("sort", "values", "indices")


@function(
    "sort_torch",
    family="reduction",
    where="",
    also=("torch.sort", ".sort@torch"),
    op=SORTED,
    derivative=PUT_BACK,
    kinks=STABLE,
    cases=_SORTS,
)
def sort_torch(input: Any, dim: Any = -1, descending: bool = False, stable: bool = False) -> Any:
    """The pair (values, indices) of the elements in order along an axis."""
    x, axis, scalar = line("sort", input, dim)
    order = order_of(x, axis, descending)
    values = bind(SORTED, x, order, axis=axis)
    return SORT_RESULTS((reshaped(values, ()), reshaped(order, ())) if scalar else (values, order))


@function(
    "sort",
    family="reduction",
    where="numpy",
    op=SORTED,
    derivative=PUT_BACK,
    kinks=STABLE,
    cases=(
        case((4,)),
        case((2, 3), 0),
        case((2, 3), axis=-1),
        case((2, 3), axis=None),
        case((2, 3), -1, descending=True),
        case((4,), kind="stable"),
        case((0,)),
        case(COMPLEX),
        _TIES,
    ),
)
def sort(
    x: Any, axis: Any = -1, kind: Any = None, order: Any = None, stable: Any = None, descending: bool = False
) -> CoreValue:
    """The elements in rising order along an axis (falling, if descending); with None, all of them."""
    _check_kind("sort", kind, order, stable)
    found, number = whole_or_line("sort", x, axis)
    return bind(SORTED, found, order_of(found, number, descending), axis=number)


@function(
    family="reduction",
    where="torch method",
    op=SORTED,
    derivative=PUT_BACK,
    kinks=STABLE,
    cases=(case((4,)), case((3, 2)), case(())),
)
def msort(input: Any) -> CoreValue:
    """The elements in rising order along the first axis."""
    x, axis, scalar = line("msort", input, 0)
    values = bind(SORTED, x, order_of(x, axis), axis=axis)
    return reshaped(values, ()) if scalar else values


@function(
    family="reduction",
    where="numpy",
    op=SORTED,
    derivative=PUT_BACK,
    kinks=STABLE,
    cases=(case((4,)), case((2, 3)), case(COMPLEX)),
)
def sort_complex(x: Any) -> CoreValue:
    """The elements in rising order along the last axis, as complex numbers."""
    found, number = whole_or_line("sort_complex", x, -1)
    ranked = bind(SORTED, found, order_of(found, number), axis=number)
    return cast(ranked, np.result_type(dtype_of(found), np.complex64))


@function(
    "argsort",
    family="reduction",
    where="numpy",
    also=(".argsort@numpy",),
    differentiable=False,
    op=ARGSORT,
    kinks=STABLE,
    cases=(case((4,)), case((2, 3), 0), case((2, 3), None), case((3,), stable=True), case((0,))),
)
def argsort(
    x: Any, axis: Any = -1, kind: Any = None, order: Any = None, stable: Any = None, descending: bool = False
) -> CoreValue:
    """Indices of the elements in rising order along an axis (falling, if descending)."""
    _check_kind("argsort", kind, order, stable)
    found = as_core(x)
    found, number = whole_or_line("argsort", found if shape_of(found) else reshaped(found, (1,)), axis)
    return order_of(found, number, descending)


@function(
    "argsort_torch",
    family="reduction",
    where="",
    also=("torch.argsort", ".argsort@torch"),
    differentiable=False,
    op=ARGSORT,
    kinks=STABLE,
    cases=(case((4,)), case((2, 3), 0, True), case(())),
)
def argsort_torch(input: Any, dim: Any = -1, descending: bool = False, stable: bool = False) -> CoreValue:
    """Indices of the elements in order along an axis."""
    x, axis, scalar = line("argsort", input, dim)
    order = order_of(x, axis, descending)
    return reshaped(order, ()) if scalar else order
