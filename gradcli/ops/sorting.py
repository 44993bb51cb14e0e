"""Order along an axis: sort, topk, the k-th value, the median, and running extremes.

The places are found first, and carry no derivative; reading the elements at those places is linear. NaN counts as the
largest of all, and elements that are equal keep their order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, count_of, shape_of
from gradcli.ops.arguments import integer
from gradcli.ops.axes import axis_of, reduced_shape
from gradcli.ops.extremes import picked
from gradcli.ops.function import case
from gradcli.ops.kinds import constant, fits
from gradcli.ops.operands import as_core
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


def _exact_order(S: Any, x: Any, *, axis: int, descending: bool) -> Any:
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


def _ties(x: Any, *, axis: int, descending: bool) -> Any:
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
    meaning=_exact_order,
    kink=_ties,
    doc="Where the elements along an axis stand, in order.",
)

SORTED = picked("sort_along", "Sort")
TOP = picked("topk_along", "Topk")
MEDIAN = picked("median_along", lambda operands, params: "MedianBackward1")
KTH = picked("kthvalue_along", "Kthvalue")
MIDDLE = picked("median", "Median")


def _line(name: str, input: Any, dim: Any) -> tuple[CoreValue, int, bool]:
    """The value with at least one axis, the axis counted from the end, and whether it was 0-d."""
    x = as_core(input)
    axis = axis_of(name, dim, x)
    return (x, axis, False) if shape_of(x) else (reshaped(x, (1,)), axis, True)


def _order_of(x: CoreValue, axis: int, descending: Any) -> CoreValue:
    return bind(ARGSORT, x, axis=axis, descending=bool(descending))


def _part(index: CoreValue, axis: int, start: int, count: int) -> CoreValue:
    from gradcli.ops.selecting import narrow

    return narrow.call(index, axis, start, count)


_SORTS = (
    case((4,)),
    case((2, 3), 0),
    case((2, 3), dim=-1, descending=True),
    case(np.array([2.0, 1.0, 3.0])),
    case(()),
)


@function(
    "sort_torch",
    family="reduction",
    where="",
    also=("torch.sort", ".sort@torch"),
    op=SORTED,
    derivative="vjp: g back in the places the elements came from",
    cases=_SORTS,
)
def sort_torch(input: Any, dim: Any = -1, descending: bool = False, stable: bool = False) -> Any:
    """The pair (values, indices) of the elements in order along an axis."""
    x, axis, scalar = _line("sort", input, dim)
    order = _order_of(x, axis, descending)
    values = bind(SORTED, x, order, axis=axis)
    return SORT_RESULTS((reshaped(values, ()), reshaped(order, ())) if scalar else (values, order))


@function(
    "sort",
    family="reduction",
    where="numpy",
    op=SORTED,
    derivative="vjp: g back in the places the elements came from",
    cases=(case((4,)), case((2, 3), 0), case((2, 3), axis=-1), case((2, 3), axis=None)),
)
def sort(x: Any, axis: Any = -1) -> CoreValue:
    """The elements in rising order along an axis; with None, all of them."""
    found = as_core(x)
    if axis is None:
        found, axis = reshaped(found, (count_of(shape_of(found)),)), -1
    if not shape_of(found):
        raise ShapeError("sort: a scalar has no axis to sort along")
    number = axis_of("sort", axis, found)
    return bind(SORTED, found, _order_of(found, number, False), axis=number)


@function(
    "argsort",
    family="reduction",
    where="numpy",
    differentiable=False,
    op=ARGSORT,
    cases=(case((4,)), case((2, 3), 0)),
)
def argsort(x: Any, axis: Any = -1) -> CoreValue:
    """Indices of the elements in rising order along an axis."""
    found = as_core(x)
    if axis is None:
        found, axis = reshaped(found, (count_of(shape_of(found)),)), -1
    return _order_of(found, axis_of("argsort", axis, found), False)


@function(
    "argsort_torch",
    family="reduction",
    where="",
    also=("torch.argsort", ".argsort"),
    differentiable=False,
    op=ARGSORT,
    cases=(case((4,)), case((2, 3), 0, True)),
)
def argsort_torch(input: Any, dim: Any = -1, descending: bool = False, stable: bool = False) -> CoreValue:
    """Indices of the elements in order along an axis."""
    x, axis, scalar = _line("argsort", input, dim)
    order = _order_of(x, axis, descending)
    return reshaped(order, ()) if scalar else order


SORT_RESULTS = named("sort", "values", "indices")
TOPK_RESULTS = named("topk", "values", "indices")
MEDIAN_RESULTS = named("median", "values", "indices")
KTH_RESULTS = named("kthvalue", "values", "indices")


@function(
    family="reduction",
    where="torch method",
    op=TOP,
    derivative="vjp: g back in the places the elements came from",
    cases=(case((4,), 2), case((2, 3), 1, dim=0, largest=False), case((2, 3), 3)),
)
def topk(input: Any, k: Any, dim: Any = -1, largest: bool = True, sorted: bool = True) -> Any:
    """The pair (values, indices) of the k largest elements along an axis, the largest first."""
    x, axis, scalar = _line("topk", input, dim)
    count = integer(k, "topk: k")
    if not 0 <= count <= shape_of(x)[axis]:
        raise ArgumentError("selected index k out of range", mend=f"there are {shape_of(x)[axis]} elements")
    index = _part(_order_of(x, axis, largest), axis, 0, count)
    values = bind(TOP, x, index, axis=axis)
    return TOPK_RESULTS((reshaped(values, ()), reshaped(index, ())) if scalar and count else (values, index))


def _one_of(op: Op, x: CoreValue, axis: int, rank: int, keepdim: bool, scalar: bool) -> tuple[CoreValue, CoreValue]:
    """The element of a rank along an axis, and its index."""
    index = _part(_order_of(x, axis, False), axis, rank, 1)
    keepdim = keepdim and not scalar
    values = bind(op, x, index, axis=axis, keepdims=keepdim)
    return values, index if keepdim else reshaped(index, reduced_shape(shape_of(x), (axis,), False))


@function(
    family="reduction",
    where="torch method",
    op=KTH,
    derivative="vjp: g to the element chosen",
    cases=(case((4,), 2), case((2, 3), 1, 0), case((2, 3), 3, dim=-1, keepdim=True)),
)
def kthvalue(input: Any, k: Any, dim: Any = -1, keepdim: bool = False) -> Any:
    """The pair (value, index) of the k-th smallest element along an axis, counted from 1."""
    x, axis, scalar = _line("kthvalue", input, dim)
    rank = integer(k, "kthvalue: k")
    if not 1 <= rank <= shape_of(x)[axis]:
        raise ArgumentError(f"kthvalue(): selected number k out of range for dimension {axis + len(shape_of(x))}")
    return KTH_RESULTS(_one_of(KTH, x, axis, rank - 1, bool(keepdim), scalar))


@function(
    "median_torch",
    family="reduction",
    where="",
    also=("torch.median", ".median@torch"),
    op=MEDIAN,
    derivative="vjp: g to the element chosen",
    cases=(case((5,)), case((4,)), case((2, 3), 1), case((2, 3), dim=0, keepdim=True)),
)
def median_torch(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The middle element, of an even number the lower one; along an axis, the pair (value, index)."""
    if dim is None:
        x = as_core(input)
        flat = reshaped(x, (count_of(shape_of(x)),))
        if not shape_of(flat)[0]:
            raise ShapeError(f"median of no elements has no value: shape {fits(shape_of(x))}")
        return _one_of(MIDDLE, flat, -1, (shape_of(flat)[0] - 1) // 2, False, False)[0]
    x, axis, scalar = _line("median", input, dim)
    length = shape_of(x)[axis]
    if not length:
        raise ShapeError(f"median of no elements has no value: shape {fits(shape_of(x))}")
    return MEDIAN_RESULTS(_one_of(MEDIAN, x, axis, (length - 1) // 2, bool(keepdim), scalar))


@function(
    "median",
    family="reduction",
    where="numpy",
    derivative="vjp: g to the middle element, half each to the two middle ones",
    cases=(case((5,)), case((4,)), case((2, 3), 1), case((2, 4), axis=0), case((2, 4), axis=-1, keepdims=True)),
)
def median(x: Any, axis: Any = None, keepdims: bool = False) -> CoreValue:
    """The middle element, of an even number the mean of the two; over all elements, or along an axis."""
    found = as_core(x)
    shape = shape_of(found)
    if axis is None:
        flat = median.call(reshaped(found, (count_of(shape),)), -1)
        return reshaped(flat, (1,) * len(shape)) if keepdims else flat
    number = axis_of("median", axis, found)
    length = shape[number]
    if not length:
        raise ShapeError(f"median of no elements has no value: shape {fits(shape)}")
    low, high = (
        _one_of(MEDIAN, found, number, rank, bool(keepdims), False)[0] for rank in ((length - 1) // 2, length // 2)
    )
    return (low + high) / 2
