"""Elements by their rank along an axis: the k largest, the k-th smallest, the most frequent, and medians."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, DtypeError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, count_of, dtype_of, shape_of
from gradcli.ops.arguments import integer
from gradcli.ops.axes import axes_of, merged, reduced_shape
from gradcli.ops.carrying import carried
from gradcli.ops.casts import cast
from gradcli.ops.elementwise import (
    add,
    equal,
    floor_divide,
    isnan,
    logical_and,
    logical_not,
    logical_or,
    maximum,
    where,
)
from gradcli.ops.function import case
from gradcli.ops.kinds import Rule, constant, fits, general
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.picking import ARGMAX, PICKED_BACK, picked
from gradcli.ops.reduction import total
from gradcli.ops.registry import function
from gradcli.ops.results import named
from gradcli.ops.selecting import narrow
from gradcli.ops.shape import reshaped
from gradcli.ops.sorting import PUT_BACK, STABLE, line, order_of

_SOME = "at least one element"
TOP = picked("topk_along", "Topk")
KTH = picked("kthvalue_along", "Kthvalue")
MODE = picked("mode_along", "Mode")
MEDIAN = picked("median_along", lambda operands, params: "MedianBackward1")
NANMEDIAN = picked("nanmedian_along", lambda operands, params: "NanmedianBackward1")
_RESULTS = {name: named(name, "values", "indices") for name in ("topk", "kthvalue", "mode", "median", "nanmedian")}


def _single(
    op: Op, x: CoreValue, index: CoreValue, axis: int, keepdim: Any, scalar: bool
) -> tuple[CoreValue, CoreValue]:
    """The element at an index that has one place along an axis, and the index."""
    keep = bool(keepdim) and not scalar
    values = bind(op, x, index, axis=axis, keepdims=keep)
    if keep:
        return values, index
    shape = () if scalar else reduced_shape(shape_of(x), (axis,), False)
    return reshaped(values, shape), reshaped(index, shape)


# --- the largest -----------------------------------------------------------------------------------------------------


def _top(x: CoreValue, k: Any, axis: int, largest: Any) -> tuple[CoreValue, CoreValue]:
    count = integer(k, "topk: k")
    if not 0 <= count <= shape_of(x)[axis]:
        raise ArgumentError("selected index k out of range", mend=f"there are {shape_of(x)[axis]} elements")
    index = narrow.call(order_of(x, axis, largest), axis, 0, count)
    return bind(TOP, x, index, axis=axis), index


@function(
    family="reduction",
    where="torch method",
    op=TOP,
    derivative=PUT_BACK,
    kinks=STABLE,
    cases=(
        case((4,), 2),
        case((2, 3), 1, dim=0, largest=False),
        case((2, 3), 3),
        case((3,), 0),
        case((), 1),
        case(np.array([1.0, 3.0, 3.0]), 2, sorted=False),
    ),
)
def topk(input: Any, k: Any, dim: Any = -1, largest: bool = True, sorted: bool = True) -> Any:
    """The pair (values, indices) of the k largest elements along an axis, the largest first."""
    x, axis, scalar = line("topk", input, dim)
    values, index = _top(x, k, axis, largest)
    flat = scalar and shape_of(index) == (1,)
    return _RESULTS["topk"]((reshaped(values, ()), reshaped(index, ())) if flat else (values, index))


@function(
    family="reduction",
    where="",
    also=("jax.lax.top_k",),
    op=TOP,
    derivative=PUT_BACK,
    kinks=STABLE,
    cases=(case((4,), 2), case((2, 3), 1), case((2, 3), 2, axis=0)),
)
def top_k(operand: Any, k: Any, *, axis: Any = -1) -> tuple[CoreValue, CoreValue]:
    """The pair (values, indices) of the k largest elements along the last axis, the largest first."""
    x, number, _ = line("top_k", operand, axis)
    return _top(x, k, number, True)


@function(
    family="reduction",
    where="torch method",
    op=KTH,
    derivative="vjp: g to the element chosen",
    defined="1 <= k <= the number of elements",
    kinks=STABLE,
    cases=(case((4,), 2), case((2, 3), 1, 0), case((2, 3), 3, dim=-1, keepdim=True), case((), 1)),
)
def kthvalue(input: Any, k: Any, dim: Any = -1, keepdim: bool = False) -> Any:
    """The pair (value, index) of the k-th smallest element along an axis, counted from 1."""
    x, axis, scalar = line("kthvalue", input, dim)
    rank = integer(k, "kthvalue: k")
    if not 1 <= rank <= shape_of(x)[axis]:
        raise ArgumentError(f"kthvalue(): selected number k out of range for dimension {axis + len(shape_of(x))}")
    index = narrow.call(order_of(x, axis), axis, rank - 1, 1)
    return _RESULTS["kthvalue"](_single(KTH, x, index, axis, keepdim, scalar))


# --- the most frequent -----------------------------------------------------------------------------------------------


def _mode(x: Any, *, axis: int) -> Any:
    """The last place of the most frequent element, of several such the smallest; nans are as good as equal."""
    rows = np.moveaxis(x, axis, -1)
    ranked = np.sort(rows, axis=-1)
    along = np.arange(rows.shape[-1])
    fresh = np.ones(rows.shape, bool)
    fresh[..., 1:] = ~_same(ranked[..., 1:], ranked[..., :-1])
    run = along - np.maximum.accumulate(np.where(fresh, along, 0), axis=-1)
    best = np.take_along_axis(ranked, np.argmax(run, axis=-1, keepdims=True), -1)
    last = rows.shape[-1] - 1 - np.argmax(np.flip(_same(rows, best), -1), axis=-1, keepdims=True)
    return np.moveaxis(last, -1, axis)


def _same(a: Any, b: Any) -> Any:
    return (a == b) | ((a != a) & (b != b))


MODE_PLACE: Op = constant(
    "mode_place",
    _mode,
    lambda x, *, axis: Spec(reduced_shape(shape_of(x), (axis,), True), np.dtype(np.int64)),
    meaning=lambda S, x, *, axis: _mode(x, axis=axis),
    doc="Where the most frequent element along an axis stands last.",
)


@function(
    family="reduction",
    where="torch method",
    op=MODE,
    derivative="vjp: g to the element chosen",
    defined=_SOME,
    kinks="equal elements: the last of them has the derivative, as in PyTorch",
    cases=(
        case(np.array([3.0, 1.0, 3.0, 1.0, 2.0])),
        case((2, 3), 1),
        case((2, 3), dim=0, keepdim=True),
        case(np.array([[2.0, 2.0, 0.5], [1.0, 0.0, 0.0]])),
        case(()),
    ),
)
def mode(input: Any, dim: Any = -1, keepdim: bool = False) -> Any:
    """The pair (value, index) of the most frequent element along an axis, of several such the smallest."""
    x, axis, scalar = line("mode", input, dim)
    if not shape_of(x)[axis]:
        raise ShapeError(f"mode of no elements has no value: shape {fits(shape_of(x))}")
    return _RESULTS["mode"](_single(MODE, x, bind(MODE_PLACE, x, axis=axis), axis, keepdim, scalar))


# --- medians ---------------------------------------------------------------------------------------------------------


def _counting(x: CoreValue, axis: int) -> CoreValue:
    """How many elements along an axis are numbers."""
    return total(logical_not(isnan(x)), (axis,), True)


def middle(x: CoreValue, axis: int, past: bool, whole: bool) -> CoreValue:
    """Where the lower of the middle elements along an axis stands, or the upper if `past`.

    A nan stands for all, where there is one, if `whole`; else nans don't count.
    """
    order = order_of(x, axis)
    length = shape_of(x)[axis]
    if dtype_of(x).kind not in "fc":
        return narrow.call(order, axis, length // 2 if past else (length - 1) // 2, 1)
    if whole:
        index = narrow.call(order, axis, length // 2 if past else (length - 1) // 2, 1)
        last = bind(PICKED_BACK, x, narrow.call(order, axis, length - 1, 1), axis=axis)
        return where(isnan(last), bind(ARGMAX, x, axis=axis), index)
    count = _counting(x, axis)
    rank = floor_divide(count if past else maximum(add(count, -1), 0), 2)
    return bind(PICKED_BACK, order, rank, axis=axis)


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


@function("median", family="reduction", where="numpy", derivative=_HALVES, defined=_SOME, kinks=STABLE, cases=_MEDIANS)
def median(x: Any, axis: Any = None, keepdims: bool = False) -> CoreValue:
    """The middle element, of an even number the mean of the two; nan where there is one."""
    return _numpy_median("median", x, axis, keepdims, True)


_HOLES = np.array([[0.5, np.nan, 2.0, -1.0], [np.nan, 1.5, np.nan, 0.25]])


@function(
    "nanmedian",
    family="reduction",
    where="numpy",
    derivative=_HALVES,
    defined=_SOME,
    kinks=STABLE,
    cases=(case((5,)), case((2, 4), 1, keepdims=True), case(_HOLES), case(_HOLES, 1), case(_HOLES, 0)),
)
def nanmedian(x: Any, axis: Any = None, keepdims: bool = False) -> CoreValue:
    """The middle element of those that are numbers, of an even number the mean of the two."""
    return _numpy_median("nanmedian", x, axis, keepdims, False)


def _shared_value(whole: bool) -> Rule:
    def value(x: Any) -> Any:
        row = np.ravel(x)
        holes = np.isnan(row) if row.dtype.kind in "fc" else np.zeros(row.shape, bool)
        if holes.any() and (whole or holes.all()):
            return np.asarray(row[holes][0])
        row = row[~holes]
        return np.asarray(np.partition(row, (row.size - 1) // 2)[(row.size - 1) // 2])

    return value


def _shares(y: CoreValue, x: CoreValue) -> CoreValue:
    """What every element has of the derivative: those that equal the median, evenly."""
    chosen = cast(logical_or(equal(x, y), logical_and(isnan(x), isnan(y))), dtype_of(x))
    return chosen / total(chosen, tuple(range(-len(shape_of(x)), 0)), True)


def _every(x: CoreValue) -> tuple[int, ...]:
    return tuple(range(-len(shape_of(x)), 0))


def _exact_median(S: Any, x: Any) -> Any:
    left = list(np.ravel(x))
    for _ in range((len(left) - 1) // 2):
        left.pop(S.argmax([-cell for cell in left]))
    return np.asarray(left[S.argmax([-cell for cell in left])], dtype=object)


def _shared(name: str, torch: str, whole: bool) -> Op:
    """PyTorch's median of all elements, whose derivative the elements that equal it share."""
    value = _shared_value(whole)
    return general(
        name,
        value,
        lambda x: Spec((), dtype_of(x)),
        vjps=(lambda g, y, x: carried(g, _shares(y, x)),),
        jvp=lambda ts, y, x: total(carried(ts[0], _shares(y, x)), _every(x)),
        batch=lambda xs, batched, params, size: _batched_median(xs[0], whole),
        meaning=_exact_median,
        torch=torch,
        kink=lambda x: (x == value(x)) & ((x == value(x)).sum() > 1),
        saves=(0, "y"),
        doc="The middle element of all, of an even number the lower one.",
    )


def _batched_median(x: CoreValue, whole: bool) -> CoreValue:
    rows = reshaped(x, (shape_of(x)[0], count_of(shape_of(x)[1:])))
    index = middle(rows, -1, False, whole)
    values = bind(PICKED_BACK, rows, index, axis=-1, keepdims=False)
    return values


_ALL = _shared("median", "Median", True)
_ALL_NUMBERS = _shared("nanmedian", "Nanmedian", False)


def _torch_median(name: str, whole_op: Op, op: Op, input: Any, dim: Any, keepdim: Any, whole: bool) -> Any:
    if dtype_of(as_core(input)).kind == "c":
        raise DtypeError(f"{name} takes real numbers, which have an order")
    if dim is None:
        x = as_core(input)
        if not count_of(shape_of(x)):
            raise ShapeError(f"{name} of no elements has no value: shape {fits(shape_of(x))}")
        return bind(whole_op, x)
    x, axis, scalar = line(name, input, dim)
    index = middle(_checked(name, x, axis), axis, False, whole)
    return _RESULTS[name](_single(op, x, index, axis, keepdim, scalar))


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
    case(np.array([2.0, 1.0, 2.0, 2.0])),
    case(_HOLES, 1),
)


@function(
    "median_torch",
    family="reduction",
    where="",
    also=("torch.median", ".median@torch"),
    op=MEDIAN,
    derivative=_CHOSEN,
    defined=_SOME,
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
    defined=_SOME,
    kinks=_EVENLY,
    cases=_TORCH_MEDIANS,
)
def nanmedian_torch(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The middle element of those that are numbers, of an even number the lower one; along an axis, (value, index)."""
    return _torch_median("nanmedian", _ALL_NUMBERS, NANMEDIAN, input, dim, keepdim, False)
