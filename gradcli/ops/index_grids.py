"""Arrays of indices: of grids, triangles and diagonals, and indices counted in order turned into one for each axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.budget import budget
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.values import CoreValue, Shape, count_of, shape_of
from gradcli.ops.arguments import dtype_named, integer, settled
from gradcli.ops.casts import cast
from gradcli.ops.constructors import checked_sizes
from gradcli.ops.elementwise import add, clip, multiply, remainder
from gradcli.ops.function import case
from gradcli.ops.index_reading import whole_numbers
from gradcli.ops.index_template import check_places
from gradcli.ops.kinds import fits
from gradcli.ops.operands import as_core
from gradcli.ops.registry import function
from gradcli.ops.selecting import unraveled
from gradcli.ops.shape import reshaped


@function(
    family="indexing",
    where="numpy",
    differentiable=False,
    cases=(case([2, 3]), case([2, 3], sparse=True), case([3], dtype="float64"), case([])),
)
def indices(dimensions: Any, dtype: Any = "int64", sparse: bool = False) -> Any:
    """The index along each axis of every element of a shape; sparse, in shapes that broadcast to it."""
    shape, kind = checked_sizes("indices", (dimensions,)), dtype_named(dtype)
    if sparse:
        return tuple(
            np.arange(n, dtype=kind).reshape((1,) * i + (n,) + (1,) * (len(shape) - i - 1)) for i, n in enumerate(shape)
        )
    budget.charge(kind.itemsize * len(shape) * count_of(shape), "indices")
    return np.indices(shape, kind)


@function(
    "ix_",
    family="indexing",
    where="numpy",
    differentiable=False,
    cases=(case([0, 2], [1, 3, 1]), case([True, False, True], np.array([2])), case()),
)
def ix_(*args: Any) -> tuple[CoreValue, ...]:
    """Index arrays, an axis each, shaped so that together they name every combination."""
    made = []
    for i, given in enumerate(args):
        line = np.zeros(0, np.int64) if isinstance(given, list | tuple) and not given else as_core(given)
        if len(shape_of(line)) != 1:
            raise ShapeError(f"ix_ takes indices in one axis each, not shape {fits(shape_of(line))}")
        if line.dtype.kind == "b":
            line = np.flatnonzero(settled(line))
        made.append(reshaped(line, (1,) * i + (shape_of(line)[0],) + (1,) * (len(args) - i - 1)))
    return tuple(made)


# --- triangles and diagonals -----------------------------------------------------------------------------------------


def _triangle(name: str, rows: Any, columns: Any, offset: Any) -> tuple[Any, ...]:
    n, m = checked_sizes(name, (rows, columns))
    budget.charge(17 * n * m, name)
    lower = name.startswith("tril")
    k = integer(offset, f"{name}: the offset")
    return np.nonzero(np.tri(n, m, k if lower else k - 1, dtype=np.bool_) == lower)


def _sides(name: str, x: Any) -> tuple[int, int]:
    shape = shape_of(as_core(x))
    if len(shape) != 2:
        raise ShapeError(f"{name} takes a matrix, not shape {fits(shape)}")
    return shape[0], shape[1]


_SIDES = (case(3), case(2, 1), case(3, -1, 4), case(0))


@function(family="indexing", where="numpy", differentiable=False, cases=_SIDES)
def tril_indices(n: Any, k: Any = 0, m: Any = None) -> tuple[Any, ...]:
    """The rows and the columns of the lower triangle of an n by m matrix."""
    return _triangle("tril_indices", n, n if m is None else m, k)


@function(family="indexing", where="numpy", differentiable=False, cases=_SIDES)
def triu_indices(n: Any, k: Any = 0, m: Any = None) -> tuple[Any, ...]:
    """The rows and the columns of the upper triangle of an n by m matrix."""
    return _triangle("triu_indices", n, n if m is None else m, k)


@function(family="indexing", where="numpy", differentiable=False, cases=(case((2, 3)), case((3, 2), 1)))
def tril_indices_from(x: Any, k: Any = 0) -> tuple[Any, ...]:
    """The rows and the columns of the lower triangle of a matrix."""
    return _triangle("tril_indices", *_sides("tril_indices_from", x), k)


@function(family="indexing", where="numpy", differentiable=False, cases=(case((2, 3)), case((3, 2), 1)))
def triu_indices_from(x: Any, k: Any = 0) -> tuple[Any, ...]:
    """The rows and the columns of the upper triangle of a matrix."""
    return _triangle("triu_indices", *_sides("triu_indices_from", x), k)


@function(
    "tril_indices_torch",
    family="indexing",
    where="",
    also=("torch.tril_indices",),
    differentiable=False,
    cases=(case(3, 3), case(2, 4, -1)),
)
def tril_indices_torch(row: Any, col: Any, offset: Any = 0, dtype: Any = "int64") -> CoreValue:
    """The rows and the columns of the lower triangle of a matrix, as the rows of a tensor."""
    return np.stack(_triangle("tril_indices", row, col, offset)).astype(dtype_named(dtype))


@function(
    "triu_indices_torch",
    family="indexing",
    where="",
    also=("torch.triu_indices",),
    differentiable=False,
    cases=(case(3, 3), case(2, 4, 1)),
)
def triu_indices_torch(row: Any, col: Any, offset: Any = 0, dtype: Any = "int64") -> CoreValue:
    """The rows and the columns of the upper triangle of a matrix, as the rows of a tensor."""
    return np.stack(_triangle("triu_indices", row, col, offset)).astype(dtype_named(dtype))


@function(family="indexing", where="numpy", differentiable=False, cases=(case(3), case(2, 3), case(0)))
def diag_indices(n: Any, ndim: Any = 2) -> tuple[Any, ...]:
    """The index of a diagonal of n elements along each of several axes."""
    (count,) = checked_sizes("diag_indices", (n,))
    return (np.arange(count),) * integer(ndim, "diag_indices: the number of axes")


@function(family="indexing", where="numpy", differentiable=False, cases=(case((3, 3)), case((2, 2, 2))))
def diag_indices_from(x: Any) -> tuple[Any, ...]:
    """The index of the diagonal of a value along each of its axes, which are of one length."""
    shape = shape_of(as_core(x))
    if len(shape) < 2 or len(set(shape)) > 1:
        raise ShapeError(f"diag_indices_from takes two axes or more, all of one length, not shape {fits(shape)}")
    return (np.arange(shape[0]),) * len(shape)


# --- places counted in order, and an index for each axis -------------------------------------------------------------


def _order(name: str, order: Any) -> str:
    if order not in ("C", "F"):
        raise ArgumentError(f"{name}: order is 'C' or 'F', not {str(order)[:40]!r}")
    return str(order)


def _unraveled(name: str, places: Any, shape: Any, order: Any) -> tuple[CoreValue, ...]:
    found, lengths = whole_numbers(name, places), checked_sizes(name, (shape,))
    check_places(found, 0, (count_of(lengths),))
    if not lengths:
        raise ArgumentError(f"{name}: a shape without axes has no indices")
    if _order(name, order) == "F":
        return unraveled(found, lengths[::-1])[::-1]
    return unraveled(found, lengths)


@function(
    family="indexing",
    where="numpy",
    differentiable=False,
    cases=(case(np.array([4, 5]), [2, 3]), case(5, [2, 3]), case(np.array([[4], [1]]), [3, 2], order="F")),
)
def unravel_index(indices: Any, shape: Any, order: Any = "C") -> tuple[CoreValue, ...]:
    """Places, counted in order, as an index for every axis of a shape."""
    return _unraveled("unravel_index", indices, shape, order)


@function(
    "unravel_index_torch",
    family="indexing",
    where="",
    also=("torch.unravel_index",),
    differentiable=False,
    cases=(case(np.array([4, 5]), [2, 3]),),
)
def unravel_index_torch(indices: Any, shape: Any) -> tuple[CoreValue, ...]:
    """Places, counted in order, as an index for every axis of a shape."""
    return _unraveled("unravel_index", indices, shape, "C")


@function(
    family="indexing",
    where="numpy",
    differentiable=False,
    cases=(
        case((np.array([1, 0]), np.array([2, 1])), [2, 3]),
        case((np.array([1, 0]), np.array([2, 1])), [2, 3], order="F"),
        case((np.array([3, -1]), np.array([5, 1])), [2, 3], mode="wrap"),
        case((np.array([3, -1]), np.array([5, 1])), [2, 3], mode=("clip", "wrap")),
        case(np.array([[1, 0], [2, 1]]), [2, 3]),
    ),
)
def ravel_multi_index(multi_index: Any, dims: Any, mode: Any = "raise", order: Any = "C") -> CoreValue:
    """Places, counted in order, of an index for every axis of a shape."""
    lengths = checked_sizes("ravel_multi_index", (dims,))
    if not isinstance(multi_index, list | tuple):
        found = as_core(multi_index)
        multi_index = [found[i] for i in range(shape_of(found)[0])] if shape_of(found) else [found]
    if len(multi_index) != len(lengths):
        raise ArgumentError(f"ravel_multi_index: {len(multi_index)} indices are given for {len(lengths)} axes")
    modes = list(mode) if isinstance(mode, list | tuple) else [mode] * len(lengths)
    if len(modes) != len(lengths):
        raise ArgumentError(f"ravel_multi_index: {len(modes)} modes are given for {len(lengths)} axes")
    parts = [
        _within(whole_numbers("ravel_multi_index", x), lengths, axis, how)
        for axis, (x, how) in enumerate(zip(multi_index, modes, strict=True))
    ]
    steps = list(zip(parts, lengths, strict=True))
    found = np.zeros((), np.int64)
    for part, length in steps if _order("ravel_multi_index", order) == "C" else reversed(steps):
        found = add(multiply(found, length), part)
    return cast(found, np.dtype(np.int64))


def _within(x: CoreValue, lengths: Shape, axis: int, mode: Any) -> CoreValue:
    """An index along an axis, within it."""
    if mode == "wrap":
        return remainder(x, lengths[axis])
    if mode == "clip":
        return clip.call(x, 0, lengths[axis] - 1)
    if mode != "raise":
        raise ArgumentError(f"ravel_multi_index: unknown mode {str(mode)[:40]!r}", mend="raise, wrap or clip")
    check_places(x, axis, lengths)
    return x
