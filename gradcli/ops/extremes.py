"""Largest and smallest elements over axes, and where they stand.

Over axes, tied elements share the derivative evenly; an index chooses one element, which then has all of it (both are
PyTorch's choices).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, count_of, dtype_of, shape_of
from gradcli.ops.axes import Axes, axes_of, axis_of, reduced_count, reduced_shape, restored
from gradcli.ops.casts import cast
from gradcli.ops.elementwise import equal, isnan, logical_or, maximum, minimum
from gradcli.ops.exact import along, largest, smallest
from gradcli.ops.function import case
from gradcli.ops.kinds import Rule, constant, expanded, fits, general, linear
from gradcli.ops.operands import as_core
from gradcli.ops.reduction import REDUCTIONS, total
from gradcli.ops.registry import function
from gradcli.ops.results import named
from gradcli.ops.shape import reshaped

# --- over any axes, shared among ties --------------------------------------------------------------------------------


def _extreme_shape(name: str) -> Rule:
    def shape(x: CoreValue, *, axis: Axes, keepdims: bool) -> Spec:
        _check_not_empty(name, shape_of(x), axis)
        return Spec(reduced_shape(shape_of(x), axis, keepdims), dtype_of(x))

    return shape


def _check_not_empty(name: str, shape: tuple[int, ...], axis: Axes) -> None:
    if reduced_count(shape, axis) == 0:
        raise ShapeError(f"{name} of no elements has no value: shape {fits(shape)}")


def _shares(y: CoreValue, x: CoreValue, axis: Axes, keepdims: bool) -> CoreValue:
    """What every element has of the derivative: 1 over the number of tied elements, or 0. A nan is every extreme."""
    chosen = cast(logical_or(equal(x, restored(y, x, axis, keepdims)), isnan(x)), dtype_of(x))
    return chosen / total(chosen, axis, True)


def _extreme_vjp(g: CoreValue, y: CoreValue, x: CoreValue, *, axis: Axes, keepdims: bool) -> CoreValue:
    return restored(g, x, axis, keepdims) * _shares(y, x, axis, keepdims)


def _extreme_jvp(ts: Any, y: CoreValue, x: CoreValue, *, axis: Axes, keepdims: bool) -> CoreValue:
    return total(ts[0] * _shares(y, x, axis, keepdims), axis, keepdims)


def _extreme(name: str, fold: Any, choose: Any, torch: Any, doc: str) -> Op:
    """An op for the extreme element over axes: `fold` in NumPy, `choose` among exact numbers."""

    def kink(x: Any, *, axis: Axes, keepdims: bool) -> Any:
        tied = x == fold(x, axis=axis, keepdims=True)
        return tied & (tied.sum(axis=axis, keepdims=True) > 1)

    return general(
        name,
        lambda x, *, axis, keepdims: fold(x, axis=axis, keepdims=keepdims),
        _extreme_shape(name),
        vjps=(_extreme_vjp,),
        jvp=_extreme_jvp,
        meaning=lambda S, x, *, axis, keepdims: along(lambda cells: choose(S, cells), x, axis, keepdims),
        torch=torch,
        kink=kink,
        saves=(0, "y"),
        doc=doc,
    )


MAX = _extreme("max", np.max, largest, lambda operands, params: "MaxBackward1", "Largest element over axes.")
MIN = _extreme("min", np.min, smallest, lambda operands, params: "MinBackward1", "Smallest element over axes.")
AMAX = _extreme("amax", np.max, largest, "Amax", "Largest element over axes.")
AMIN = _extreme("amin", np.min, smallest, "Amin", "Smallest element over axes.")
_BOTH = (
    _extreme("aminmax_min", np.min, smallest, "Aminmax", "Smallest element over axes."),
    _extreme("aminmax_max", np.max, largest, "Aminmax", "Largest element over axes."),
)


def _folded(op: Op, x: Any, axis: Any, keepdims: Any) -> CoreValue:
    found = as_core(x)
    return bind(op, found, axis=axes_of(op.name, axis, found), keepdims=bool(keepdims))


_TIES = (case(np.array([1.0, 3.0, 3.0])), case(np.array([[1.0, 1.0], [2.0, 0.0]]), 0))
_CASES = (*REDUCTIONS, *_TIES)
_SHARED = "vjp: g to the chosen elements, shared evenly among ties"


@function("max", family="reduction", where="numpy", also=(".max@numpy",), op=MAX, derivative=_SHARED, cases=_CASES)
def max_(x: Any, axis: Any = None, keepdims: bool = False) -> CoreValue:
    """Largest element over axes."""
    return _folded(MAX, x, axis, keepdims)


@function("min", family="reduction", where="numpy", also=(".min@numpy",), op=MIN, derivative=_SHARED, cases=_CASES)
def min_(x: Any, axis: Any = None, keepdims: bool = False) -> CoreValue:
    """Smallest element over axes."""
    return _folded(MIN, x, axis, keepdims)


@function(family="reduction", op=AMAX, derivative=_SHARED, cases=_CASES)
def amax(x: Any, axis: Any = None, keepdims: bool = False) -> CoreValue:
    """Largest element over axes."""
    return _folded(AMAX, x, axis, keepdims)


@function(family="reduction", op=AMIN, derivative=_SHARED, cases=_CASES)
def amin(x: Any, axis: Any = None, keepdims: bool = False) -> CoreValue:
    """Smallest element over axes."""
    return _folded(AMIN, x, axis, keepdims)


@function(
    family="reduction", where="torch method", derivative=_SHARED, cases=(case((3,)), case((2, 3), dim=1, keepdim=True))
)
def aminmax(input: Any, *, dim: Any = None, keepdim: bool = False) -> Any:
    """The pair (min, max) of the elements, along an axis."""
    return AMINMAX_RESULTS(tuple(_folded(op, input, dim, keepdim) for op in _BOTH))


AMINMAX_RESULTS = named("aminmax", "min", "max")


# --- where they stand ------------------------------------------------------------------------------------------------


def _arg_shape(name: str) -> Rule:
    def shape(x: CoreValue, *, axis: int) -> Spec:
        _check_not_empty(name, shape_of(x), (axis,))
        return Spec(reduced_shape(shape_of(x), (axis,), True), np.dtype(np.int64))

    return shape


def _arg(name: str, find: Any, towards: int, doc: str) -> Op:
    """An op for the place of an extreme along one axis, which stays with length 1."""

    def meaning(S: Any, x: Any, *, axis: int) -> Any:
        if x.dtype != object:
            return find(x, axis=axis, keepdims=True)
        found = along(lambda cells: S.argmax([towards * cell for cell in cells]), x, (axis,), True)
        return found.astype(np.int64)

    def kink(x: Any, *, axis: int) -> Any:
        tied = x == np.take_along_axis(x, find(x, axis=axis, keepdims=True), axis)
        return tied & (tied.sum(axis=axis, keepdims=True) > 1)

    return constant(
        name,
        lambda x, *, axis: find(x, axis=axis, keepdims=True),
        _arg_shape(name),
        meaning=meaning,
        kink=kink,
        doc=doc,
    )


ARGMAX = _arg("argmax", np.argmax, 1, "Where the largest element along an axis stands, the first of them.")
ARGMIN = _arg("argmin", np.argmin, -1, "Where the smallest element along an axis stands, the first of them.")


def _place(op: Op, x: Any, axis: Any, keepdims: Any) -> CoreValue:
    found = as_core(x)
    shape = shape_of(found)
    if axis is None or not shape:
        where = bind(op, reshaped(found, (count_of(shape),)), axis=-1)
        return reshaped(where, (1,) * len(shape) if keepdims else ())
    number = axis_of(op.name, axis, found)
    where = bind(op, found, axis=number)
    return where if keepdims else reshaped(where, reduced_shape(shape, (number,), False))


_PLACES = (case((4,)), case((2, 3), 0), case((2, 3), -1, keepdims=True), case((2, 3), keepdims=True), case(()))


@function(family="reduction", differentiable=False, op=ARGMAX, cases=_PLACES)
def argmax(x: Any, axis: Any = None, keepdims: bool = False) -> CoreValue:
    """Index of the largest element along an axis, or among all elements in order; the first of ties."""
    return _place(ARGMAX, x, axis, keepdims)


@function(family="reduction", differentiable=False, op=ARGMIN, cases=_PLACES)
def argmin(x: Any, axis: Any = None, keepdims: bool = False) -> CoreValue:
    """Index of the smallest element along an axis, or among all elements in order; the first of ties."""
    return _place(ARGMIN, x, axis, keepdims)


# --- PyTorch's pairs -------------------------------------------------------------------------------------------------


def _picked_shape(x: CoreValue, index: CoreValue, *, axis: int, keepdims: bool = True) -> Spec:
    return Spec(shape_of(index) if keepdims else reduced_shape(shape_of(index), (axis,), False), dtype_of(x))


def _pick(x: Any, index: Any, *, axis: int, keepdims: bool = True) -> Any:
    """The elements at an index; without `keepdims`, of which there is one along the axis, the axis goes."""
    found = np.take_along_axis(x, index, axis)
    return found if keepdims else found.reshape(reduced_shape(found.shape, (axis,), False))


def _put_back(g: CoreValue, x: CoreValue, index: CoreValue, *, axis: int, keepdims: bool = True) -> CoreValue:
    kept = g if keepdims else reshaped(g, shape_of(index))
    return bind(PUT, kept, index, axis=axis, length=shape_of(x)[axis])


def _put(g: Any, index: Any, *, axis: int, length: int) -> Any:
    shape = list(g.shape)
    shape[axis] = length
    made = np.zeros(shape, dtype=g.dtype)
    if index.shape[axis] == 1:
        np.put_along_axis(made, index, g, axis)
        return made
    places = list(np.ogrid[tuple(slice(n) for n in index.shape)])
    places[axis] = index
    np.add.at(made, tuple(places), g)
    return made


def _put_shape(g: CoreValue, index: CoreValue, *, axis: int, length: int) -> Spec:
    shape = list(shape_of(g))
    shape[axis] = length
    return Spec(tuple(shape), dtype_of(g))


def _paired(op_of: Any) -> Rule:
    """Batching of an op on a value and an index of one rank: whatever is not batched is spread along the batch."""

    def batch(xs: Any, batched: Any, params: dict[str, Any], size: int) -> CoreValue:
        spread = [x if flag else expanded(x, (size, *shape_of(x))) for x, flag in zip(xs, batched, strict=True)]
        return bind(op_of(), *spread, **params)

    return batch


PUT: Op = linear(
    "put_along_axis",
    _put,
    _put_shape,
    transpose=lambda g, x, index, *, axis, length: bind(PICKED_BACK, g, index, axis=axis),
    batch=_paired(lambda: PUT),
    doc="Elements added where an index along an axis says, into zeros.",
)


def picked(name: str, torch: str | Rule) -> Op:
    """An op that takes the elements at an index along an axis; one for each function that chooses so."""
    op: Op = linear(
        name,
        _pick,
        _picked_shape,
        transpose=_put_back,
        batch=_paired(lambda: op),
        torch=torch,
        doc="Elements at an index along an axis.",
    )
    return op


PICKED_BACK: Op = picked("take_along_axis", "Gather")
MAX_PICKED = picked("max_along", "Max")
MIN_PICKED = picked("min_along", "Min")


#: What the functions return along a dim.
PAIRS = {name: named(name, "values", "indices") for name in ("max", "min")}


def _pair(op: Op, find: Op, name: str, x: CoreValue, dim: Any, keepdim: bool) -> tuple[CoreValue, CoreValue]:
    number = axis_of(name, dim, x)
    if not shape_of(x):
        value = bind(op, reshaped(x, (1,)), np.zeros(1, np.int64), axis=-1, keepdims=False)
        return value, np.zeros((), np.int64)
    index = bind(find, x, axis=number)
    values = bind(op, x, index, axis=number, keepdims=keepdim)
    return values, index if keepdim else reshaped(index, shape_of(values))


def _overloaded(
    name: str, ops: tuple[Op, Op, Op], between: Any, input: Any, dim: Any, keepdim: bool, other: Any
) -> Any:
    whole, find, picked = ops
    if other is None and hasattr(dim, "dtype") and (dim.dtype.kind in "fc" or shape_of(dim) != ()):
        dim, other = None, dim
    if other is not None:
        return between(input, other)
    if dim is None:
        if keepdim:
            raise ArgumentError(f"{name}: keepdim needs a dim")
        return _folded(whole, input, None, False)
    return PAIRS[name](_pair(picked, find, name, as_core(input), dim, bool(keepdim)))


_OVERLOADS = (
    case((3,)),
    case((2, 3), 1),
    case((2, 3), dim=0, keepdim=True),
    case((2, 3), other=np.array([0.3, -0.2, 0.9])),
    case(np.array([2.0, 2.0, 1.0]), 0),
)


@function(
    "max_torch",
    family="reduction",
    where="",
    also=("torch.max", ".max@torch"),
    derivative="vjp: g to the chosen element; without dim, shared evenly among ties",
    cases=_OVERLOADS,
)
def max_torch(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """Largest element; along dim, the pair (values, indices); of two tensors, elementwise."""
    return _overloaded("max", (MAX, ARGMAX, MAX_PICKED), maximum, input, dim, keepdim, other)


@function(
    "min_torch",
    family="reduction",
    where="",
    also=("torch.min", ".min@torch"),
    derivative="vjp: g to the chosen element; without dim, shared evenly among ties",
    cases=_OVERLOADS,
)
def min_torch(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None) -> Any:
    """Smallest element; along dim, the pair (values, indices); of two tensors, elementwise."""
    return _overloaded("min", (MIN, ARGMIN, MIN_PICKED), minimum, input, dim, keepdim, other)
