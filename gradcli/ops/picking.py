"""Where the largest and smallest elements along an axis stand, and the elements at such places."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, count_of, dtype_of, shape_of
from gradcli.ops.axes import Axes, axis_of, reduced_count, reduced_shape
from gradcli.ops.exact import along
from gradcli.ops.function import case
from gradcli.ops.kinds import Rule, constant, expanded, fits, linear
from gradcli.ops.operands import as_core
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped


def check_not_empty(name: str, shape: tuple[int, ...], axis: Axes) -> None:
    """See that there is something to choose from.

    Raises:
        ShapeError: there are no elements over the axes.
    """
    if reduced_count(shape, axis) == 0:
        raise ShapeError(f"{name} of no elements has no value: shape {fits(shape)}")


# --- where they stand ------------------------------------------------------------------------------------------------


def _arg_shape(name: str) -> Rule:
    def shape(x: CoreValue, *, axis: int) -> Spec:
        check_not_empty(name, shape_of(x), (axis,))
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


@function(family="reduction", differentiable=False, op=ARGMAX, defined="at least one element", cases=_PLACES)
def argmax(x: Any, axis: Any = None, keepdims: bool = False) -> CoreValue:
    """Index of the largest element along an axis, or among all elements in order; the first of ties."""
    return _place(ARGMAX, x, axis, keepdims)


@function(family="reduction", differentiable=False, op=ARGMIN, defined="at least one element", cases=_PLACES)
def argmin(x: Any, axis: Any = None, keepdims: bool = False) -> CoreValue:
    """Index of the smallest element along an axis, or among all elements in order; the first of ties."""
    return _place(ARGMIN, x, axis, keepdims)


# --- elements at an index --------------------------------------------------------------------------------------------


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


def paired(op_of: Any) -> Rule:
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
    batch=paired(lambda: PUT),
    moves="back",
    doc="Elements added where an index along an axis says, into zeros.",
)


def picked(name: str, torch: str | Rule) -> Op:
    """An op that takes the elements at an index along an axis; one for each function that chooses so."""
    op: Op = linear(
        name,
        _pick,
        _picked_shape,
        transpose=_put_back,
        batch=paired(lambda: op),
        torch=torch,
        moves="forward",
        doc="Elements at an index along an axis.",
    )
    return op


PICKED_BACK: Op = picked("take_along_axis", "Gather")
