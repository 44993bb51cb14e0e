"""Elements by their rank along an axis: the k largest, the k-th smallest, the most frequent."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, shape_of
from gradcli.ops.arguments import integer
from gradcli.ops.axes import reduced_shape
from gradcli.ops.function import case
from gradcli.ops.kinds import constant, fits
from gradcli.ops.picking import picked
from gradcli.ops.registry import function
from gradcli.ops.results import named
from gradcli.ops.selecting import narrow
from gradcli.ops.shape import reshaped
from gradcli.ops.sorting import PUT_BACK, STABLE, line, order_of

SOME = "at least one element"
TOP = picked("topk_along", "Topk")
KTH = picked("kthvalue_along", "Kthvalue")
MODE = picked("mode_along", "Mode")
_RESULTS = {name: named(name, "values", "indices") for name in ("topk", "kthvalue", "mode")}


def single(
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
    return _RESULTS["kthvalue"](single(KTH, x, index, axis, keepdim, scalar))


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
    defined=SOME,
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
    return _RESULTS["mode"](single(MODE, x, bind(MODE_PLACE, x, axis=axis), axis, keepdim, scalar))
