"""Elements chosen, or replaced, where a mask holds."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.errors import ShapeError
from gradcli.graph.values import CoreValue, count_of, shape_of
from gradcli.ops.arguments import settled
from gradcli.ops.filling import as_mask
from gradcli.ops.function import case
from gradcli.ops.index_ops import reading, writing
from gradcli.ops.indexing import changed_by
from gradcli.ops.kinds import broadcast_shape, expanded
from gradcli.ops.operands import as_core
from gradcli.ops.registry import function
from gradcli.ops.scattering import as_source
from gradcli.ops.selecting import flat, read_by, taken

MASK_SELECTED = reading("masked_select", "MaskedSelect", saves=(None,), doc="The elements where a mask holds.")


@function(
    family="indexing",
    op=MASK_SELECTED,
    where="torch method",
    derivative="vjp: g added at the places, into zeros",
    cases=(
        case((2, 3), np.array([[True, False, True], [False, True, True]])),
        case((3,), np.array([True, False, True])),
        case((2, 3), np.array([True, False, True])),
    ),
)
def masked_select(input: Any, mask: Any) -> CoreValue:
    """The elements where a mask holds, in one axis."""
    x, found = as_core(input), as_mask(mask)
    joined = broadcast_shape("masked_select", shape_of(x), shape_of(found))
    return read_by(MASK_SELECTED, expanded(x, joined), expanded(found, joined))


MASK_SCATTERED = writing("masked_scatter", "MaskedScatter", doc="Other elements, in order, where a mask holds.")


@function(
    family="indexing",
    op=MASK_SCATTERED,
    where="torch method",
    derivative="vjp: g with zeros where the mask holds; for the elements that were taken, g there, in order",
    cases=(
        case((2, 3), np.array([True, False, True]), (5,)),
        case((2, 2), np.array([[True, False], [True, True]]), (2, 2)),
        case((3,), np.array([False, False, False]), (0,)),
    ),
)
def masked_scatter(input: Any, mask: Any, source: Any) -> CoreValue:
    """Elements of a source, one after another, where a mask holds."""
    x, found = as_core(input), as_mask(mask)
    v = as_source("masked_scatter", x, source)
    joined = broadcast_shape("masked_scatter", shape_of(x), shape_of(found))
    places = settled(expanded(found, joined))
    count = int(places.sum())
    if count_of(shape_of(v)) < count:
        raise ShapeError(f"masked_scatter: {count_of(shape_of(v))} elements are given for {count} places")
    used = flat(v) if count == count_of(shape_of(v)) else taken(flat(v), slice(0, count), -1)
    return changed_by(MASK_SCATTERED, expanded(x, joined), places, used)
