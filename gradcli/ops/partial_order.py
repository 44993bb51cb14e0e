"""Order by several keys, partial order, and the sorts of jax.lax."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, shape_of
from gradcli.ops.arguments import integer, integers
from gradcli.ops.axes import axis_of
from gradcli.ops.function import case
from gradcli.ops.kinds import constant, fits
from gradcli.ops.operands import as_core
from gradcli.ops.picking import PICKED_BACK
from gradcli.ops.pieces import unbound
from gradcli.ops.registry import function
from gradcli.ops.sorting import ARGSORT, PUT_BACK, SORTED, STABLE, exact_order, order_of, ties, whole_or_line

# --- by several keys -------------------------------------------------------------------------------------------------


def _order_by(parts: list[CoreValue], axis: int) -> CoreValue:
    """Where the elements stand in order along an axis, by the last of the keys first."""
    found = order_of(parts[0], axis)
    for part in parts[1:]:
        if shape_of(part) != shape_of(parts[0]):
            raise ShapeError(f"keys of unequal shapes {fits(shape_of(parts[0]))} and {fits(shape_of(part))}")
        ranked = bind(PICKED_BACK, part, found, axis=axis)
        found = bind(PICKED_BACK, found, order_of(ranked, axis), axis=axis)
    return found


@function(
    family="reduction",
    where="numpy",
    differentiable=False,
    op=ARGSORT,
    kinks=STABLE,
    cases=(
        case([np.array([1.0, 2.0, 2.0, 0.0]), np.array([3.0, 1.0, 1.0, 3.0])]),
        case(np.array([[3, 1, 2], [1, 1, 0]])),
        case([np.array([[1.0, 2.0], [2.0, 0.0]]), np.array([[3.0, 3.0], [1.0, 3.0]])], 0),
    ),
)
def lexsort(keys: Any, axis: Any = -1) -> CoreValue:
    """Indices that sort by several keys at once along an axis, the last of which counts most."""
    parts = list(keys) if isinstance(keys, list | tuple) else list(unbound(as_core(keys), 0))
    if not parts:
        raise ArgumentError("lexsort needs at least one key")
    parts = [as_core(part) for part in parts]
    number = axis_of("lexsort", axis, parts[0])
    return _order_by(parts, number)


# --- jax.lax ---------------------------------------------------------------------------------------------------------


@function(
    "sort_lax",
    family="reduction",
    where="",
    also=("jax.lax.sort",),
    op=SORTED,
    derivative=PUT_BACK,
    kinks=STABLE,
    cases=(
        case((4,)),
        case((2, 3), 0),
        case([np.array([2.0, 1.0, 2.0]), np.array([1.0, 0.5, -1.0])]),
        case([np.array([2.0, 1.0, 2.0]), np.array([1.0, 0.5, -1.0])], num_keys=2),
    ),
)
def sort_lax(operand: Any, dimension: Any = -1, is_stable: bool = True, num_keys: Any = 1) -> Any:
    """The elements in rising order along an axis; several values are all put in the order of the first `num_keys`."""
    single = not isinstance(operand, list | tuple)
    parts = [as_core(x) for x in ([operand] if single else operand)]
    if not parts:
        raise ArgumentError("sort needs at least one value")
    axis = axis_of("sort", dimension, parts[0])
    keys = integer(num_keys, "sort: num_keys")
    if not 1 <= keys <= len(parts):
        raise ArgumentError(f"sort: num_keys is from 1 to {len(parts)}, not {keys}")
    order = _order_by(parts[:keys][::-1], axis)
    found = tuple(bind(SORTED, part, order, axis=axis) for part in parts)
    return found[0] if single else found


@function(
    family="reduction",
    where="",
    also=("jax.lax.sort_key_val",),
    op=SORTED,
    derivative=PUT_BACK,
    kinks=STABLE,
    cases=(case((4,), (4,)), case((2, 3), (2, 3), dimension=0)),
)
def sort_key_val(keys: Any, values: Any, dimension: Any = -1, is_stable: bool = True) -> tuple[CoreValue, ...]:
    """The pair (keys in rising order along an axis, values in the order of their keys)."""
    pair = as_core(keys), as_core(values)
    if shape_of(pair[0]) != shape_of(pair[1]):
        raise ShapeError(f"sort_key_val: keys of shape {fits(shape_of(pair[0]))}, values {fits(shape_of(pair[1]))}")
    axis = axis_of("sort_key_val", dimension, pair[0])
    order = order_of(pair[0], axis)
    return tuple(bind(SORTED, part, order, axis=axis) for part in pair)


# --- partition -------------------------------------------------------------------------------------------------------


def _partition(x: Any, *, axis: int, kth: tuple[int, ...]) -> Any:
    return np.argpartition(x, kth, axis=axis)


ARGPARTITION: Op = constant(
    "argpartition",
    _partition,
    lambda x, *, axis, kth: Spec(shape_of(x), np.dtype(np.int64)),
    meaning=lambda S, x, *, axis, kth: exact_order(S, x, axis=axis, descending=False),
    kink=lambda x, *, axis, kth: ties(x, axis=axis, descending=False),
    doc="Where the elements along an axis stand, the smallest k first.",
)


def _kth(name: str, kth: Any, length: int) -> tuple[int, ...]:
    found = integers(kth, f"{name}: kth")
    for k in found:
        if not -length <= k < length:
            raise ArgumentError(f"{name}: kth {k} is out of range for {length} elements")
    return tuple(k % length for k in found)


def _partition_of(name: str, x: Any, kth: Any, axis: Any, kind: Any, order: Any) -> tuple[CoreValue, CoreValue, int]:
    if kind != "introselect" or order is not None:
        raise ArgumentError(f"{name}: kind is 'introselect', order is None")
    found, number = whole_or_line(name, x, axis)
    return found, bind(ARGPARTITION, found, axis=number, kth=_kth(name, kth, shape_of(found)[number])), number


_PARTITIONS = (case((5,), 2), case((3, 4), 1, 0), case((2, 3), [0, 1]), case((2, 3), -1, axis=None))


@function(
    family="reduction",
    where="numpy",
    also=(".partition@numpy",),
    op=ARGPARTITION,
    derivative=PUT_BACK,
    kinks="equal elements: one after another as NumPy puts them",
    cases=_PARTITIONS,
)
def partition(x: Any, kth: Any, axis: Any = -1, kind: Any = "introselect", order: Any = None) -> CoreValue:
    """The elements along an axis, those in places kth as in order, smaller ones before and larger ones after them."""
    found, places, number = _partition_of("partition", x, kth, axis, kind, order)
    return bind(SORTED, found, places, axis=number)


@function(
    family="reduction",
    where="numpy",
    also=(".argpartition@numpy",),
    differentiable=False,
    op=ARGPARTITION,
    cases=_PARTITIONS,
)
def argpartition(x: Any, kth: Any, axis: Any = -1, kind: Any = "introselect", order: Any = None) -> CoreValue:
    """Indices of the elements along an axis as `partition` puts them."""
    return _partition_of("argpartition", x, kth, axis, kind, order)[1]
