"""Medians, of all elements or of those that are numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import DtypeError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, count_of, dtype_of, shape_of
from gradcli.ops.axes import axes_of, merged, reduced_shape
from gradcli.ops.carrying import carried
from gradcli.ops.casts import cast
from gradcli.ops.dependence import everything
from gradcli.ops.elementwise import (
    add,
    equal,
    floor_divide,
    isnan,
    less,
    logical_and,
    logical_not,
    logical_or,
    maximum,
    where,
)
from gradcli.ops.function import case
from gradcli.ops.kinds import Rule, fits, general
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.picking import ARGMAX, PICKED_BACK, picked
from gradcli.ops.ranks import SOME, single
from gradcli.ops.reduction import total
from gradcli.ops.registry import function
from gradcli.ops.results import named
from gradcli.ops.shape import reshaped
from gradcli.ops.sorting import STABLE, line, order_of

MEDIAN = picked("median_along", lambda operands, params: "MedianBackward1")
NANMEDIAN = picked("nanmedian_along", lambda operands, params: "NanmedianBackward1")
_RESULTS = {name: named(name, "values", "indices") for name in ("median", "nanmedian")}

# --- medians ---------------------------------------------------------------------------------------------------------


def _counting(x: CoreValue, axis: int) -> CoreValue:
    """How many elements along an axis are numbers."""
    return total(logical_not(isnan(x)), (axis,), True)


def middle(x: CoreValue, axis: int, past: bool, whole: bool) -> CoreValue:
    """Where the lower of the middle elements along an axis stands, or the upper if `past`.

    A nan stands for all, where there is one, if `whole`; else nans don't count.
    """
    count = _counting(x, axis)
    rank = floor_divide(count if past else maximum(add(count, -1), 0), 2)
    index = bind(PICKED_BACK, order_of(x, axis), rank, axis=axis)
    return where(less(count, shape_of(x)[axis]), bind(ARGMAX, x, axis=axis), index) if whole else index


def _checked(name: str, x: CoreValue, axis: int) -> CoreValue:
    if not shape_of(x)[axis]:
        raise ShapeError(f"{name} of no elements has no value: shape {fits(shape_of(x))}")
    return x


def _numpy_median(name: str, x: Any, axis: Any, keepdims: Any, whole: bool) -> CoreValue:
    found = to_float(as_core(x))
    axes = axes_of(name, axis, found)
    row = _checked(name, merged(found, axes), -1)
    low = bind(PICKED_BACK, row, middle(row, -1, False, whole), axis=-1, keepdims=False)
    if not whole or shape_of(row)[-1] % 2 == 0:
        high = bind(PICKED_BACK, row, middle(row, -1, True, whole), axis=-1, keepdims=False)
        low = (low + high) / 2
    return reshaped(low, reduced_shape(shape_of(found), axes, bool(keepdims)))


_MEDIANS = (
    case((5,)),
    case((4,)),
    case((2, 3), 1),
    case((2, 4), axis=0),
    case((2, 4), axis=-1, keepdims=True),
    case((2, 3), keepdims=True),
    case((2, 3, 2), [0, 2]),
    case((1,)),
    case(()),
    case(np.array([2.0, 1.0, 2.0, 2.0])),
)
_HALVES = "vjp: g to the middle element, half each to the two middle ones"


@function("median", family="reduction", where="numpy", derivative=_HALVES, defined=SOME, kinks=STABLE, cases=_MEDIANS)
def median(x: Any, axis: Any = None, keepdims: bool = False) -> CoreValue:
    """The middle element, of an even number the mean of the two; nan where there is one."""
    return _numpy_median("median", x, axis, keepdims, True)


_HOLES = np.array([[0.5, np.nan, 2.0, -1.0], [np.nan, 1.5, np.nan, 0.25]])


@function(
    "nanmedian",
    family="reduction",
    where="numpy",
    derivative=_HALVES,
    defined=SOME,
    kinks=STABLE,
    cases=(case((5,)), case((2, 4), 1, keepdims=True), case(_HOLES), case(_HOLES, 1), case(_HOLES, 0)),
)
def nanmedian(x: Any, axis: Any = None, keepdims: bool = False) -> CoreValue:
    """The middle element of those that are numbers, of an even number the mean of the two."""
    return _numpy_median("nanmedian", x, axis, keepdims, False)


def _of_all(x: Any, whole: bool) -> Any:
    row = np.ravel(x)
    holes = np.isnan(row) if row.dtype.kind in "fc" else np.zeros(row.shape, bool)
    if holes.any() and (whole or holes.all()):
        return row[holes][0]
    row = row[~holes]
    return np.partition(row, (row.size - 1) // 2)[(row.size - 1) // 2]


def _shared_value(whole: bool) -> Rule:
    def value(x: Any, lead: int) -> Any:
        rows = np.reshape(x, (count_of(np.shape(x)[:lead]), -1))
        return np.reshape(np.array([_of_all(row, whole) for row in rows], x.dtype), np.shape(x)[:lead])

    return value


def _within(x: CoreValue, lead: int) -> tuple[int, ...]:
    """The axes that a median is taken over."""
    return tuple(range(lead - len(shape_of(x)), 0))


def _beside(y: CoreValue, x: CoreValue, lead: int) -> CoreValue:
    """What there is of every median, so that it broadcasts against x."""
    return reshaped(y, (*shape_of(y), *(1 for _ in _within(x, lead))))


def _shares(y: CoreValue, x: CoreValue, lead: int) -> CoreValue:
    """What every element has of the derivative: those that equal the median, evenly."""
    middle = _beside(y, x, lead)
    chosen = cast(logical_or(equal(x, middle), logical_and(isnan(x), isnan(middle))), dtype_of(x))
    return chosen / total(chosen, _within(x, lead), True)


def _exact_median(S: Any, x: Any, whole: bool) -> Any:
    holes: list[Any] = []
    kept: list[Any] = []
    for cell in np.ravel(x):
        hole = S.hole(cell)
        (kept if hole is None or not math.isnan(hole) else holes).append(cell)
    if holes and (whole or not kept):
        return holes[0]
    return kept[S.order(kept)[(len(kept) - 1) // 2]]


def _exact_medians(S: Any, x: Any, lead: int, whole: bool) -> Any:
    rows = np.reshape(x, (count_of(x.shape[:lead]), -1))
    return np.reshape(np.array([_exact_median(S, row, whole) for row in rows], dtype=object), x.shape[:lead])


def _shared(name: str, torch: str, whole: bool) -> Op:
    """PyTorch's median of all elements but the leading axes of a batch; those that equal it share its derivative."""
    value = _shared_value(whole)

    def is_tied(x: Any, lead: int) -> Any:
        middle = np.reshape(value(x, lead), (*np.shape(x)[:lead], *(1,) * (np.ndim(x) - lead)))
        equals = (x == middle) | ((x != x) & (middle != middle))
        return equals & (np.sum(equals, axis=_within(x, lead), keepdims=True) > 1)

    def batch(xs: Any, batched: Any, params: dict[str, Any], size: int) -> CoreValue:
        return bind(op, xs[0], lead=params["lead"] + 1)

    op = general(
        name,
        value,
        lambda x, lead: Spec(shape_of(x)[:lead], dtype_of(x)),
        vjps=(lambda g, y, x, lead: carried(_beside(g, x, lead), _shares(y, x, lead)),),
        jvp=lambda ts, y, x, lead: total(carried(ts[0], _shares(y, x, lead)), _within(x, lead)),
        batch=batch,
        meaning=lambda S, x, lead: _exact_medians(S, x, lead, whole),
        torch=torch,
        kink=is_tied,
        saves=(0, "y"),
        depends=everything,
        doc="The middle element of all, of an even number the lower one.",
    )
    return op


_ALL = _shared("median", "Median", True)
_ALL_NUMBERS = _shared("nanmedian", "Nanmedian", False)


def _torch_median(name: str, whole_op: Op, op: Op, input: Any, dim: Any, keepdim: Any, whole: bool) -> Any:
    if dtype_of(as_core(input)).kind == "c":
        raise DtypeError(f"{name} takes real numbers, which have an order")
    if dim is None:
        x = as_core(input)
        if not count_of(shape_of(x)):
            raise ShapeError(f"{name} of no elements has no value: shape {fits(shape_of(x))}")
        return bind(whole_op, x, lead=0)
    x, axis, scalar = line(name, input, dim)
    index = middle(_checked(name, x, axis), axis, False, whole)
    return _RESULTS[name](single(op, x, index, axis, keepdim, scalar))


_CHOSEN = "vjp: g to the element chosen; without dim, shared evenly among those that equal it"
_EVENLY = "elements that equal the median: they share the derivative evenly without dim, the first has it along one"
_TORCH_MEDIANS = (
    case((5,)),
    case((4,)),
    case((2, 3)),
    case((2, 3), 1),
    case((2, 3), dim=0, keepdim=True),
    case(()),
    case((), 0),
    case(_HOLES, 1),
    case(np.array([0.5, np.nan, 2.0])),
    case(np.array([[2.0, 1.0], [2.0, 5.0]])),
)


@function(
    "median_torch",
    family="reduction",
    where="",
    also=("torch.median", ".median@torch"),
    op=MEDIAN,
    derivative=_CHOSEN,
    defined=SOME,
    kinks=_EVENLY,
    cases=_TORCH_MEDIANS,
)
def median_torch(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The middle element, of an even number the lower one; along an axis, the pair (value, index)."""
    return _torch_median("median", _ALL, MEDIAN, input, dim, keepdim, True)


@function(
    "nanmedian_torch",
    family="reduction",
    where="",
    also=("torch.nanmedian", ".nanmedian@torch"),
    op=NANMEDIAN,
    derivative=_CHOSEN,
    defined=SOME,
    kinks=_EVENLY,
    cases=_TORCH_MEDIANS,
)
def nanmedian_torch(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The middle element of those that are numbers, of an even number the lower one; along an axis, (value, index)."""
    return _torch_median("nanmedian", _ALL_NUMBERS, NANMEDIAN, input, dim, keepdim, False)
