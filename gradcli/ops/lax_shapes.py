"""The forms that NumPy's functions of shapes have in JAX's lax, and its borders with gaps."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.budget import budget
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.values import CoreValue, count_of, shape_of
from gradcli.ops.arguments import dtype_named, integer, integers, many_axes, one_axis
from gradcli.ops.axis_order import TRANSPOSE
from gradcli.ops.borders import PAD, padded_with
from gradcli.ops.broadcasting import BROADCAST_TO
from gradcli.ops.casts import ASTYPE, cast
from gradcli.ops.choosing import choose
from gradcli.ops.constructors import checked_sizes
from gradcli.ops.elementwise import clip
from gradcli.ops.function import case
from gradcli.ops.index_ops import SETITEM
from gradcli.ops.indexing import changed_by, getitem
from gradcli.ops.joining import concatenate
from gradcli.ops.kinds import expanded, fits
from gradcli.ops.operands import as_core
from gradcli.ops.pieces import CONCATENATE
from gradcli.ops.rearranging import FLIP
from gradcli.ops.registry import function
from gradcli.ops.scattering import as_source
from gradcli.ops.shape import RESHAPE, reshaped
from gradcli.ops.singleton_axes import EXPAND_DIMS, SQUEEZE, expand_dims, squeeze
from gradcli.ops.windows import spread_length


@function(
    "pad_lax",
    family="shape",
    op=PAD,
    where="",
    also=("jax.lax.pad",),
    derivative="vjp: g without the border and the gaps; for the number, the sum of g there",
    cases=(
        case((3,), 0.0, [[1, 2, 0]]),
        case((2, 3), (), [[0, 1, 1], [2, 0, 2]]),
        case((4,), 1.5, [[-1, -2, 0]]),
        case((3,), 0.0, [[-2, 1, 1]]),
        case((0,), 2.0, [[1, 1, 3]]),
    ),
)
def pad_lax(operand: Any, padding_value: Any, padding_config: Any) -> CoreValue:
    """The value with a border of one number, and with gaps of it between its elements; negative widths cut off."""
    x = as_core(operand)
    given = [integers(part, "pad: a width") for part in padding_config]
    if len(given) != len(shape_of(x)) or any(len(part) != 3 or part[2] < 0 for part in given):
        raise ArgumentError(f"pad: a triple (low, high, interior) is due for every axis of shape {fits(shape_of(x))}")
    spread = tuple(spread_length(n, gap + 1) for n, (_, _, gap) in zip(shape_of(x), given, strict=True))
    value = as_source("pad", x, padding_value)
    if spread != shape_of(x):
        budget.charge(x.dtype.itemsize * count_of(spread), "pad")
        steps = tuple(slice(None, None, gap + 1) for _, _, gap in given)
        x = changed_by(SETITEM, expanded(value, spread), steps, x)
    x = padded_with(x, tuple((max(low, 0), max(high, 0)) for low, high, _ in given), value)
    cut = [slice(max(-a, 0), n - max(-b, 0)) for n, (a, b, _) in zip(shape_of(x), given, strict=True)]
    return getitem.call(x, tuple(cut))


@function(
    "broadcast",
    family="shape",
    op=BROADCAST_TO,
    where="",
    also=("jax.lax.broadcast",),
    derivative="vjp: g summed over the new axes",
    cases=(case((3,), [2, 1]), case((), [2])),
)
def broadcast(operand: Any, sizes: Any) -> CoreValue:
    """The value repeated along new axes in front."""
    x = as_core(operand)
    return expanded(x, (*checked_sizes("broadcast", (sizes,)), *shape_of(x)))


@function(
    family="shape",
    op=BROADCAST_TO,
    where="",
    also=("jax.lax.broadcast_in_dim",),
    derivative="vjp: g summed over the new axes",
    cases=(case((3,), [2, 3], [1]), case((2, 1), [2, 4, 3], [0, 2]), case((), [2], [])),
)
def broadcast_in_dim(operand: Any, shape: Any, broadcast_dimensions: Any) -> CoreValue:
    """The value repeated to a shape, in which its axes stand at given places."""
    x, whole = as_core(operand), checked_sizes("broadcast_in_dim", (shape,))
    places = integers(broadcast_dimensions, "broadcast_in_dim: an axis")
    if len(places) != len(shape_of(x)) or list(places) != sorted(set(places)) or any(p >= len(whole) for p in places):
        raise ArgumentError(f"broadcast_in_dim: a place, in rising order, is due for each axis of {fits(shape_of(x))}")
    placed = dict(zip(places, shape_of(x), strict=True))
    return expanded(reshaped(x, tuple(placed.get(i, 1) for i in range(len(whole)))), whole)


@function(
    "reshape_lax",
    family="shape",
    op=RESHAPE,
    where="",
    also=("jax.lax.reshape",),
    derivative="vjp: g in the shape of x",
    cases=(case((2, 3), [3, 2]), case((2, 3), [6], dimensions=[1, 0])),
)
def reshape_lax(operand: Any, new_sizes: Any, dimensions: Any = None) -> CoreValue:
    """The elements in another shape, in order, the axes taken in an order of their own."""
    x = as_core(operand)
    if dimensions is not None:
        x = transpose_lax.call(x, dimensions)
    return bind(RESHAPE, x, shape=checked_sizes("reshape", (new_sizes,)))


@function(
    "transpose_lax",
    family="shape",
    op=TRANSPOSE,
    where="",
    also=("jax.lax.transpose",),
    derivative="vjp: g with its axes put back",
    cases=(case((2, 3, 4), [2, 0, 1]), case((2, 3), [1, 0])),
)
def transpose_lax(operand: Any, permutation: Any) -> CoreValue:
    """The axes in another order."""
    x = as_core(operand)
    perm = many_axes("transpose", permutation, shape_of(x))
    if len(perm) != len(shape_of(x)):
        raise ShapeError(f"transpose: {len(perm)} axes are given for shape {fits(shape_of(x))}")
    return bind(TRANSPOSE, x, perm=perm)


@function(
    family="shape",
    op=RESHAPE,
    where="",
    also=("jax.lax.collapse",),
    derivative="vjp: g in the shape of x",
    cases=(case((2, 3, 4), 0, 2), case((2, 3, 4), 1)),
)
def collapse(operand: Any, start_dimension: Any, stop_dimension: Any = None) -> CoreValue:
    """The axes from one up to another, without it, joined into one."""
    x = as_core(operand)
    bounds = [None if n is None else integer(n, "collapse: an axis") for n in (start_dimension, stop_dimension)]
    first, last, _ = slice(*bounds).indices(len(shape_of(x)))
    if first >= last:
        raise ArgumentError(f"collapse: no axes of shape {fits(shape_of(x))} lie between {first} and {last}")
    shape = shape_of(x)
    return reshaped(x, (*shape[:first], count_of(shape[first:last]), *shape[last:]))


@function(
    family="shape",
    op=FLIP,
    where="",
    also=("jax.lax.rev",),
    derivative="vjp: g in reverse",
    cases=(case((2, 3), [0]), case((2, 3), [0, 1])),
)
def rev(operand: Any, dimensions: Any) -> CoreValue:
    """The elements in reverse along some axes."""
    x = as_core(operand)
    return bind(FLIP, x, axes=many_axes("rev", dimensions, shape_of(x)))


@function(
    family="constructor",
    where="",
    also=("jax.lax.iota",),
    differentiable=False,
    cases=(case("float64", 3), case("int64", 0)),
)
def iota(dtype: Any, size: Any) -> CoreValue:
    """The numbers 0, 1, 2, ... in a dtype."""
    (length,) = checked_sizes("iota", (size,))
    budget.charge(8 * length, "iota")
    return np.arange(length).astype(dtype_named(dtype))


@function(
    family="shape",
    op=ASTYPE,
    where="",
    also=("jax.lax.convert_element_type",),
    derivative="vjp: g in the dtype of x",
    cases=(case((2,), "float32"),),
)
def convert_element_type(operand: Any, new_dtype: Any) -> CoreValue:
    """The value in another dtype."""
    return cast(as_core(operand), dtype_named(new_dtype))


@function(
    family="indexing",
    where="",
    also=("jax.lax.select_n",),
    derivative="vjp: g to the value that was chosen",
    cases=(
        case(np.array([True, False]), (2,), (2,)),
        case(np.array([2, 0]), np.array([1.0, 2.0]), np.array([3.0, 4.0]), np.array([5.0, 6.0])),
    ),
)
def select_n(which: Any, *cases: Any) -> CoreValue:
    """Elementwise, the value of which `which` is the number; a bool counts as 0 or 1."""
    numbers = as_core(which)
    return choose.call(cast(numbers, np.dtype(np.int64)) if numbers.dtype.kind == "b" else numbers, list(cases))


@function(
    "concatenate_lax",
    family="shape",
    op=CONCATENATE,
    where="",
    also=("jax.lax.concatenate",),
    derivative="vjp: g taken apart",
    cases=(case([np.array([0.5, 1.5]), np.array([2.0])], 0), case([np.ones((2, 1)), np.zeros((2, 2))], 1)),
)
def concatenate_lax(operands: Any, dimension: Any) -> CoreValue:
    """Values joined along an axis that they have."""
    return concatenate.call(operands, dimension)


@function(
    "expand_dims_lax",
    family="shape",
    op=EXPAND_DIMS,
    where="",
    also=("jax.lax.expand_dims",),
    derivative="vjp: g without the axes",
    cases=(case((3,), [0, 2]), case((), [0])),
)
def expand_dims_lax(array: Any, dimensions: Any) -> CoreValue:
    """With axes of length 1 put in."""
    return expand_dims.call(array, list(integers(dimensions, "expand_dims: an axis")))


@function(
    "squeeze_lax",
    family="shape",
    op=SQUEEZE,
    where="",
    also=("jax.lax.squeeze",),
    derivative="vjp: g with the axes put back",
    cases=(case((1, 3, 1), [0]), case((1, 3, 1), [0, 2])),
)
def squeeze_lax(array: Any, dimensions: Any) -> CoreValue:
    """Without some axes of length 1."""
    return squeeze.call(array, list(integers(dimensions, "squeeze: an axis")))


@function(
    "clamp_lax",
    family="elementwise",
    where="",
    also=("jax.lax.clamp",),
    derivative="vjp: g where x lies between, as for clip; for the ends, g where x is beyond",
    kinks="x on an end: as for clip",
    cases=(case(-0.5, (5,), 0.5), case(np.full(3, -0.5), (3,), np.full(3, 0.5))),
)
def clamp_lax(min: Any, x: Any, max: Any) -> CoreValue:
    """x, and the ends where it is beyond them."""
    return clip.call(x, min, max)


@function(
    family="constructor",
    where="",
    also=("jax.lax.broadcasted_iota",),
    differentiable=False,
    cases=(case("int64", [2, 3], 1), case("float64", [2], 0)),
)
def broadcasted_iota(dtype: Any, shape: Any, dimension: Any) -> CoreValue:
    """The index along one axis of every element of a shape."""
    lengths = checked_sizes("broadcasted_iota", (shape,))
    at = len(lengths) + one_axis("broadcasted_iota", dimension, lengths)
    line = iota.call(dtype, lengths[at])
    return expanded(reshaped(line, (lengths[at],) + (1,) * (len(lengths) - at - 1)), lengths)
