"""A part written by value: a slice, a run of slices, a diagonal."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, shape_of
from gradcli.ops.arguments import integer, many_axes, one_axis
from gradcli.ops.axis_order import moveaxis
from gradcli.ops.function import case
from gradcli.ops.index_ops import writing
from gradcli.ops.index_template import out_of_range
from gradcli.ops.indexing import changed_by, getitem
from gradcli.ops.kinds import fits
from gradcli.ops.operands import as_core
from gradcli.ops.registry import function
from gradcli.ops.scattering import as_source
from gradcli.ops.selecting import along

SELECT_SCATTERED = writing("select_scatter", "SelectScatter", saves=(), doc="Another slice at an index.")
SLICE_SCATTERED = writing("slice_scatter", "SliceScatter", saves=(), doc="Other slices in a run along an axis.")
DIAGONAL_SCATTERED = writing("diagonal_scatter", "DiagonalScatter", saves=(), doc="Another diagonal.")


def _embedded(name: str, op: Op, x: CoreValue, index: Any, src: Any) -> CoreValue:
    v = as_source(name, x, src)
    wanted = shape_of(getitem.call(np.broadcast_to(np.zeros(()), shape_of(x)), index))
    if shape_of(v) != wanted:
        raise ShapeError(f"{name}: shape {fits(shape_of(v))} is given for a part of shape {fits(wanted)}")
    return changed_by(op, x, index, v)


@function(
    family="indexing",
    op=SELECT_SCATTERED,
    where="torch method",
    derivative="vjp: g with zeros in the slice; the slice of g",
    cases=(case((3, 2), (2,), 0, 1), case((3, 2), (3,), -1, -2)),
)
def select_scatter(input: Any, src: Any, dim: Any, index: Any) -> CoreValue:
    """Another slice at one index along an axis."""
    x = as_core(input)
    axis, place = one_axis("select_scatter", dim, shape_of(x)), integer(index, "select_scatter: the index")
    at = len(shape_of(x)) + axis
    if not -shape_of(x)[at] <= place < shape_of(x)[at]:
        raise out_of_range(place, at, shape_of(x))
    return _embedded("select_scatter", SELECT_SCATTERED, x, along(axis, place), src)


@function(
    family="indexing",
    op=SLICE_SCATTERED,
    where="torch method",
    derivative="vjp: g with zeros in the run; the run of g",
    cases=(case((4, 2), (2, 2), 0, 1, 3), case((2, 5), (2, 2), 1, 0, 4, 2), case((3,), (3,))),
)
def slice_scatter(input: Any, src: Any, dim: Any = 0, start: Any = None, end: Any = None, step: Any = 1) -> CoreValue:
    """Other slices in a run along an axis, by steps."""
    x = as_core(input)
    bounds = [None if n is None else integer(n, "slice_scatter: a bound") for n in (start, end, step)]
    if bounds[2] is not None and bounds[2] < 1:
        raise ArgumentError(f"slice_scatter: the step must be at least 1, not {bounds[2]}")
    index = along(one_axis("slice_scatter", dim, shape_of(x)), slice(*bounds))
    return _embedded("slice_scatter", SLICE_SCATTERED, x, index, src)


@function(
    family="indexing",
    op=DIAGONAL_SCATTERED,
    where="torch method",
    derivative="vjp: g with zeros on the diagonal; the diagonal of g",
    cases=(
        case((3, 3), (3,)),
        case((3, 2), (1,), 1),
        case((3, 2), (2,), -1),
        case((2, 3, 2), (3, 2), 0, 0, 2),
        case((4, 2, 3), (4, 1), 1, 2, 1),
    ),
)
def diagonal_scatter(input: Any, src: Any, offset: Any = 0, dim1: Any = 0, dim2: Any = 1) -> CoreValue:
    """Another diagonal of a matrix, or of each in a stack."""
    x = as_core(input)
    if len(shape_of(x)) < 2:
        raise ShapeError(f"diagonal_scatter needs a matrix, not shape {fits(shape_of(x))}")
    first, second = many_axes("diagonal_scatter", (dim1, dim2), shape_of(x))
    by = integer(offset, "diagonal_scatter: the offset")
    rows, columns = shape_of(x)[first], shape_of(x)[second]
    places = np.arange(max(0, min(rows + min(by, 0), columns - max(by, 0))))
    put = {first: places + max(-by, 0), second: places + max(by, 0)}
    rank = len(shape_of(x))
    index = tuple(put.get(a, slice(None)) for a in range(-rank, 0))
    # NumPy puts the axis of the diagonal where the two stand if they stand together, and else in front.
    at = min(first, second) + rank if abs(first - second) == 1 else 0
    v = as_core(src)
    wanted = (*(shape_of(x)[a] for a in range(-rank, 0) if a not in put), places.size)
    if shape_of(v) != wanted:
        raise ShapeError(f"diagonal_scatter: shape {fits(shape_of(v))} is given for a diagonal of shape {fits(wanted)}")
    moved = v if at == rank - 2 else moveaxis.call(v, -1, at)
    return _embedded("diagonal_scatter", DIAGONAL_SCATTERED, x, index, moved)
