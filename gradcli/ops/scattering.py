"""PyTorch's writes along an axis, by value: scatter, index_add, index_copy, index_fill; in place, each by its `_`.

Where several elements go to one place, those that are added are all added, and of those that are written the last one
holds: it alone has the derivative.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.graph.errors import ArgumentError, DtypeError, ShapeError
from gradcli.graph.node import Node
from gradcli.graph.values import CoreValue, Shape, count_of, shape_of
from gradcli.ops.arguments import one_axis
from gradcli.ops.casts import cast
from gradcli.ops.elementwise import multiply
from gradcli.ops.function import case
from gradcli.ops.index_ops import adding, writing
from gradcli.ops.index_reading import whole_numbers
from gradcli.ops.index_template import check_places
from gradcli.ops.indexing import changed_by
from gradcli.ops.kinds import expanded, fits
from gradcli.ops.operands import as_core
from gradcli.ops.registry import function
from gradcli.ops.selecting import along, check_one_rank, cut_to, flat
from gradcli.ops.shape import reshaped

#: PyTorch keeps the indices, which stand among the operands behind the value and what is put into it.
INDICES = (2, 3, 4, 5)


def _fill_node(operands: Sequence[CoreValue], params: dict[str, Any]) -> Any:
    return ("IndexFillBackward1", (0, 1)) if isinstance(operands[1], Node) else ("IndexFillBackward0", (0,))


SCATTERED = writing("scatter", "Scatter", saves=INDICES, doc="Other elements at indices along an axis.")
FILLED_BY_SCATTER = writing(
    "scatter", lambda operands, params: ("ScatterBackward1", (0,)), saves=INDICES, doc="One number along an axis."
)
SCATTER_ADDED = adding("scatter_add", "ScatterAdd", saves=INDICES, doc="Elements added at indices along an axis.")
INDEX_ADDED = adding("index_add", "IndexAdd", saves=INDICES, doc="Slices added at indices along an axis.")
INDEX_COPIED = writing("index_copy", "IndexCopy", saves=INDICES, doc="Other slices at indices along an axis.")
INDEX_FILLED = writing("index_fill", _fill_node, saves=INDICES, doc="One number in slices along an axis.")

_RANKS = {"b": 0, "i": 1, "u": 1, "f": 2, "c": 3}


def as_source(name: str, x: CoreValue, v: Any) -> CoreValue:
    """What is to be put into `x`, in its dtype.

    Raises:
        DtypeError: that would cut off fractions or imaginary parts.
    """
    found = as_core(v)
    if _RANKS[found.dtype.kind] > _RANKS[x.dtype.kind]:
        raise DtypeError(f"{name}: {found.dtype} does not go into {x.dtype}", mend="convert one of them first")
    return cast(found, x.dtype)


# --- elements along an axis ------------------------------------------------------------------------------------------


def lined_up(name: str, x: CoreValue, dim: Any, index: Any) -> tuple[CoreValue, CoreValue, int]:
    """A value with an axis at least, indices in as many axes, and the axis that they count along, from the front.

    Raises:
        ShapeError: an index is out of range, or the indices do not fit into the value.
    """
    places = whole_numbers(name, index)
    check_one_rank(name, places, x)
    if not shape_of(x):
        x, places = reshaped(x, (1,)), reshaped(places, (1,))
    at = len(shape_of(x)) + one_axis(name, dim, shape_of(x))
    for i, (n, m) in enumerate(zip(shape_of(places), shape_of(x), strict=True)):
        if i != at and n > m:
            raise ShapeError(
                f"{name}: an index of shape {fits(shape_of(places))} does not fit into shape {fits(shape_of(x))}",
                mend=f"only axis {at} may be longer",
            )
    check_places(places, at, shape_of(x))
    return x, places, at


def matched(places: CoreValue, axis: int) -> tuple[Any, ...]:
    """The index of `places` along an axis, each matched with its own place along all other axes."""
    shape = shape_of(places)
    rank = len(shape)
    return tuple(
        places if i == axis else np.arange(n).reshape((n,) + (1,) * (rank - i - 1)) for i, n in enumerate(shape)
    )


def _source(name: str, x: CoreValue, src: Any, shape: Shape) -> CoreValue:
    """As much of a source as there are indices.

    Raises:
        ShapeError: the source has too few elements, or another number of axes.
    """
    v = as_source(name, x, src)
    if len(shape_of(v)) != len(shape):
        raise ShapeError(f"{name}: a source of shape {fits(shape_of(v))} is given for an index of shape {fits(shape)}")
    return cut_to(name, v, shape, None)


_INDEX = np.array([[0, 1, 2], [2, 0, 2]])
_SCATTERS = (
    case((3, 3), 0, _INDEX, (2, 3)),
    case((2, 4), -1, _INDEX, (2, 3)),
    case((4, 4), 1, np.array([[3]]), (2, 2)),
    case((3,), 0, np.zeros(0, int), (2,)),
    case((), 0, np.array(0), ()),
)


@function(
    family="indexing",
    op=SCATTERED,
    where="torch method",
    derivative="vjp: g with zeros at the indices; g at the indices, 0 for what was written over",
    kinks="where two elements go to one place: the last one has the derivative",
    cases=(
        *_SCATTERS,
        case((3, 3), 0, _INDEX, 1.5),
        case((3, 3), 0, _INDEX, value=np.array(1.5)),
        case((3, 3), 0, _INDEX, (2, 3), reduce="add"),
        case((3, 3), 0, _INDEX, (2, 3), reduce="multiply"),
        case((3, 3), 0, np.array([[1, 1, 1]]), 2.0, reduce="multiply"),
    ),
)
def scatter(input: Any, dim: Any, index: Any, src: Any = None, *, value: Any = None, reduce: Any = None) -> CoreValue:
    """Other elements, or one number, at indices along an axis; reduce "add" or "multiply" joins them to those there."""
    given = src if value is None else value
    if given is None or (src is not None and value is not None):
        raise ArgumentError("scatter takes a source or a value")
    if reduce == "multiply":
        from gradcli.ops.grouping import scatter_reduce

        spread = expanded(as_core(given), shape_of(as_core(index))) if _is_number(given) else given
        return scatter_reduce.call(input, dim, index, spread, "prod")
    if reduce not in (None, "add"):
        raise ArgumentError(f"scatter: reduce is 'add' or 'multiply', not {str(reduce)[:40]!r}")
    x = as_core(input)
    line, places, at = lined_up("scatter", x, dim, index)
    if _is_number(given):
        op, v = FILLED_BY_SCATTER, as_source("scatter", x, given)
    else:
        op, v = SCATTERED, _source("scatter", x, given, shape_of(as_core(index)))
        v = reshaped(v, shape_of(places))
    return reshaped(changed_by(SCATTER_ADDED if reduce else op, line, matched(places, at), v), shape_of(x))


def _is_number(x: Any) -> bool:
    return isinstance(x, int | float | complex) or (hasattr(x, "shape") and shape_of(x) == ())


@function(
    family="indexing",
    op=SCATTER_ADDED,
    where="torch method",
    derivative="vjp: g; g at the indices",
    cases=_SCATTERS,
)
def scatter_add(input: Any, dim: Any, index: Any, src: Any) -> CoreValue:
    """Elements added at indices along an axis."""
    x = as_core(input)
    line, places, at = lined_up("scatter_add", x, dim, index)
    v = reshaped(_source("scatter_add", x, src, shape_of(as_core(index))), shape_of(places))
    return reshaped(changed_by(SCATTER_ADDED, line, matched(places, at), v), shape_of(x))


# --- slices along an axis --------------------------------------------------------------------------------------------


def sliced(
    name: str, x: CoreValue, dim: Any, index: Any, *, negative: bool = False
) -> tuple[CoreValue, CoreValue, int]:
    """A value with an axis at least, indices in one axis, and the axis they count along, from the end.

    Raises:
        ShapeError: an index is out of range, or the indices have more axes than one.
    """
    places = whole_numbers(name, index)
    if len(shape_of(places)) > 1:
        raise ShapeError(f"{name} takes indices in one axis, not shape {fits(shape_of(places))}")
    line, places = x if shape_of(x) else reshaped(x, (1,)), flat(places)
    axis = one_axis(name, dim, shape_of(line))
    check_places(places, len(shape_of(line)) + axis, shape_of(line), negative=negative)
    return line, places, axis


def slices_of(name: str, x: CoreValue, source: Any, places: CoreValue, axis: int) -> CoreValue:
    """A source with a slice for each index.

    Raises:
        ShapeError: it has another shape.
    """
    v, at = as_source(name, x, source), len(shape_of(x)) + axis
    wanted = (*shape_of(x)[:at], count_of(shape_of(places)), *shape_of(x)[at + 1 :])
    if shape_of(v) == () and count_of(wanted) == 1:
        v = reshaped(v, wanted)
    if shape_of(v) != wanted:
        raise ShapeError(
            f"{name}: a source of shape {fits(shape_of(v))} does not fit {count_of(shape_of(places))} slices along "
            f"axis {at} of shape {fits(shape_of(x))}",
            mend=f"it would have to be {fits(wanted)}",
        )
    return v


_PLACES = np.array([2, 0, 2])
_SLICES = (
    case((4, 2), 0, _PLACES, (3, 2)),
    case((2, 4), -1, np.array([1]), (2, 1)),
    case((3,), 0, np.array(1), ()),
    case((3, 2), 0, np.zeros(0, int), (0, 2)),
)


@function(
    family="indexing",
    op=INDEX_ADDED,
    where="torch method",
    derivative="vjp: g; alpha*g at the indices",
    cases=(*_SLICES, case((4, 2), 0, _PLACES, (3, 2), alpha=-1.5)),
)
def index_add(input: Any, dim: Any, index: Any, source: Any, *, alpha: Any = 1) -> CoreValue:
    """Slices, times alpha, added at indices along an axis."""
    x = as_core(input)
    line, places, axis = sliced("index_add", x, dim, index)
    v = slices_of("index_add", line, source, places, axis)
    if not (isinstance(alpha, int | float) and alpha == 1):
        v = as_source("index_add", x, multiply(v, alpha))
    return reshaped(changed_by(INDEX_ADDED, line, along(axis, places), v), shape_of(x))


@function(
    family="indexing",
    op=INDEX_COPIED,
    where="torch method",
    derivative="vjp: g with zeros at the indices; g at the indices, 0 for what was written over",
    kinks="where two slices go to one place: the last one has the derivative",
    cases=_SLICES,
)
def index_copy(input: Any, dim: Any, index: Any, source: Any) -> CoreValue:
    """Other slices at indices along an axis."""
    x = as_core(input)
    line, places, axis = sliced("index_copy", x, dim, index)
    v = slices_of("index_copy", line, source, places, axis)
    return reshaped(changed_by(INDEX_COPIED, line, along(axis, places), v), shape_of(x))


@function(
    family="indexing",
    op=INDEX_FILLED,
    where="torch method",
    derivative="vjp: g with zeros at the indices; the sum of g at the indices",
    cases=(
        case((4, 2), 0, _PLACES, 1.5),
        case((2, 4), -1, np.array([-1]), ()),
        case((), 0, np.array([0]), 2.0),
        case((4, 2), 0, np.array([1, 1]), ()),
    ),
)
def index_fill(input: Any, dim: Any, index: Any, value: Any) -> CoreValue:
    """One number in the slices at indices along an axis."""
    x = as_core(input)
    line, places, axis = sliced("index_fill", x, dim, index, negative=True)
    v = as_source("index_fill", x, value)
    if shape_of(v):
        raise ShapeError(f"index_fill takes one number, not shape {fits(shape_of(v))}", mend="index_copy takes slices")
    return reshaped(changed_by(INDEX_FILLED, line, along(axis, places), v), shape_of(x))
