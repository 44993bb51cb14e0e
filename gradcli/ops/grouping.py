"""Elements that go to one place joined there: sums, products, means and extremes of groups.

Where the places are known, elements that share one stand together in a row, rows of one length in a matrix, and the
matrix is reduced along its rows: so a group has the derivative of the reduction, whatever that does with ties and
zeros. There are at most as many lengths as the square root of twice the number of elements.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.budget import budget
from gradcli.graph.errors import ArgumentError, DtypeError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, count_of, shape_of
from gradcli.ops.arguments import settled
from gradcli.ops.casts import cast
from gradcli.ops.elementwise import floor_divide
from gradcli.ops.extremes import amax, amin
from gradcli.ops.function import case
from gradcli.ops.index_ops import GETITEM, writing
from gradcli.ops.index_reading import read_index
from gradcli.ops.kinds import fits
from gradcli.ops.operands import as_core
from gradcli.ops.pieces import concatenated
from gradcli.ops.reduction import mean, sum_
from gradcli.ops.registry import function
from gradcli.ops.running import prod
from gradcli.ops.scattering import as_source, lined_up, matched, sliced, slices_of
from gradcli.ops.selecting import along, cut_to, flat, read_by, taken, unraveled
from gradcli.ops.shape import reshaped

SCATTER_REDUCED = writing("scatter_reduce", "ScatterReduce", doc="Groups of elements, reduced.")
INDEX_REDUCED = writing("index_reduce", "IndexReduce", doc="Groups of slices, reduced.")


def _mean(x: CoreValue, axis: int) -> CoreValue:
    if x.dtype.kind in "fc":
        return mean.call(x, axis)
    return cast(floor_divide(sum_.call(x, axis), shape_of(x)[axis]), x.dtype)


def _extreme(fold: Any) -> Any:
    def call(x: CoreValue, axis: int) -> CoreValue:
        if x.dtype.kind == "c":
            raise DtypeError(f"{fold.name}: complex numbers have no order")
        return fold.call(x, axis)

    return call


_FOLDS: dict[str, Any] = {
    "sum": lambda x, axis: cast(sum_.call(x, axis), x.dtype),
    "prod": lambda x, axis: cast(prod.call(x, axis), x.dtype),
    "mean": _mean,
    "amax": _extreme(amax),
    "amin": _extreme(amin),
}


def _rows(places: Any) -> Iterator[tuple[Any, Any]]:
    """For every length of a group: the places of the groups of that length, and the numbers of their elements."""
    order = np.argsort(places, kind="stable")
    found, starts, counts = np.unique(places[order], return_index=True, return_counts=True)
    for count in np.unique(counts):
        chosen = counts == count
        yield found[chosen], order[starts[chosen, None] + np.arange(count)]


Index = Callable[[Any], tuple[Any, ...]]


def folded(
    op: Op,
    x: CoreValue,
    v: CoreValue,
    places: CoreValue,
    axis: int,
    how: str,
    include_self: bool,
    index_of: Index | None = None,
) -> CoreValue:
    """`x` where the slices of `v` along an axis, counted from the end, that go to one place are reduced to one.

    Places are those along the same axis of `x`, or what `index_of` makes an index of `x` of. With `include_self`, what
    is there already goes into the reduction.
    """
    known = settled(places)
    index = index_of or (lambda where: along(axis, where))
    if index_of is None:
        known = np.where(known < 0, known + shape_of(x)[axis], known)
    budget.charge(64 * known.size, op.name)
    if include_self:
        touched = np.unique(known)
        v = concatenated([read_by(GETITEM, x, index(touched)), v], axis)
        known = np.concatenate([touched, known])
    targets, parts = [], []
    for target, members in _rows(known):
        targets.append(target)
        parts.append(_reduced(v, members, axis, how))
    if not parts:
        return x
    _, template, arrays, _ = read_index(shape_of(x), index(np.concatenate(targets)))
    return bind(op, x, concatenated(parts, axis), *arrays, template=template, unique=True)


def _reduced(v: CoreValue, members: Any, axis: int, how: str) -> CoreValue:
    """The slices of `v` along an axis whose numbers stand in the rows of a matrix, reduced row by row."""
    found = taken(v, members.ravel(), axis)
    if members.shape[1] == 1:
        return found
    shape, at = shape_of(v), len(shape_of(v)) + axis
    return _FOLDS[how](reshaped(found, (*shape[:at], *members.shape, *shape[at + 1 :])), axis)


def fold_named(name: str, reduce: Any, known: tuple[str, ...]) -> str:
    """The name of a reduction, out of those that are known.

    Raises:
        ArgumentError: it is another.
    """
    found = {"max": "amax", "min": "amin"}.get(str(reduce), reduce)
    if found not in known:
        raise ArgumentError(f"{name}: unknown reduction {str(reduce)[:40]!r}", mend=f"one of {', '.join(known)}")
    return str(found)


_INDEX = np.array([[0, 1, 2], [2, 0, 2]])
_TIED = np.array([[1.0, 2.0, 2.0], [1.0, 0.5, 2.0]])
_GROUPED = "vjp: that of the reduction, of every group; g where nothing came"
#: What the reductions choose, in words.
CHOICES = "amax and amin share g evenly among ties, as in PyTorch; a product with zeros is differentiated exactly"


@function(
    family="indexing",
    op=SCATTER_REDUCED,
    where="torch method",
    derivative=_GROUPED,
    kinks=CHOICES,
    cases=(
        case((3, 3), 0, _INDEX, (2, 3), "sum"),
        case((3, 3), 0, _INDEX, (2, 3), "prod"),
        case((2, 4), -1, _INDEX, (2, 3), "mean"),
        case((3, 3), 0, _INDEX, (2, 3), "amax"),
        case((3, 3), 0, _INDEX, (2, 3), "amin", include_self=False),
        case((3, 3), 0, _INDEX, _TIED, "amax"),
        case((3, 3), 0, _INDEX, np.array([[0.0, 2.0, 0.0], [1.0, 0.5, 0.0]]), "prod", include_self=False),
        case((3,), 0, np.zeros(0, int), (2,), "mean"),
        case((), 0, np.array(0), (), "prod"),
    ),
)
def scatter_reduce(input: Any, dim: Any, index: Any, src: Any, reduce: Any, *, include_self: bool = True) -> CoreValue:
    """Elements that go to one place along an axis reduced: sum, prod, mean, amax or amin."""
    how = fold_named("scatter_reduce", reduce, ("sum", "prod", "mean", "amax", "amin"))
    x = as_core(input)
    line, places, at = lined_up("scatter_reduce", x, dim, index)
    v = as_source("scatter_reduce", x, src)
    shape = shape_of(as_core(index))
    if len(shape_of(v)) != len(shape):
        raise ShapeError(f"scatter_reduce: shape {fits(shape_of(v))} is given for an index of shape {fits(shape)}")
    v = flat(cut_to("scatter_reduce", v, shape, None))
    known = settled(places)
    numbers = np.arange(count_of(shape_of(line))).reshape(shape_of(line))[matched(known, at)].ravel()
    found = folded(
        SCATTER_REDUCED, line, v, numbers, -1, how, bool(include_self), lambda where: unraveled(where, shape_of(line))
    )
    return reshaped(found, shape_of(x))


_PLACES = np.array([2, 0, 2])


@function(
    family="indexing",
    op=INDEX_REDUCED,
    where="torch method",
    derivative=_GROUPED,
    kinks=CHOICES,
    cases=(
        case((4, 2), 0, _PLACES, (3, 2), "prod"),
        case((2, 4), -1, _PLACES, (2, 3), "mean"),
        case((4, 2), 0, _PLACES, (3, 2), "amax", include_self=False),
        case((4,), 0, _PLACES, (3,), "amin"),
        case((4, 2), 0, np.zeros(0, int), (0, 2), "amin"),
    ),
)
def index_reduce(input: Any, dim: Any, index: Any, source: Any, reduce: Any, *, include_self: bool = True) -> CoreValue:
    """Slices that go to one place along an axis reduced: prod, mean, amax or amin."""
    how = fold_named("index_reduce", reduce, ("prod", "mean", "amax", "amin"))
    x = as_core(input)
    line, places, axis = sliced("index_reduce", x, dim, index)
    v = slices_of("index_reduce", line, source, places, axis)
    return reshaped(folded(INDEX_REDUCED, line, v, places, axis, how, bool(include_self)), shape_of(x))
