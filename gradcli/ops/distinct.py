"""The distinct elements of a value, and sets made of two.

Which elements there are is read off the values; they are then taken from where they first stand, which is linear.
PyTorch and JAX know no derivative of `unique`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gradcli.graph.errors import ArgumentError
from gradcli.graph.values import CoreValue, count_of, dtype_of, shape_of
from gradcli.ops.arguments import one_axis, settled
from gradcli.ops.axis_order import moveaxis
from gradcli.ops.casts import cast
from gradcli.ops.function import case
from gradcli.ops.indexing import getitem
from gradcli.ops.operands import as_core
from gradcli.ops.pieces import concatenated
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped

_FIRST = "vjp: g to the first of each"
_KINKS = "equal elements: the first of them has the derivative"


class _Found(NamedTuple):
    """The distinct elements, where they first stand, which of them every element is, and how many of each there are."""

    values: CoreValue
    index: Any
    inverse: Any
    counts: Any

    def chosen(self, index: Any, inverse: Any, counts: Any) -> Any:
        """The values, and what else is asked for."""
        wanted = (True, index, inverse, counts)
        parts = tuple(part for part, want in zip(self, wanted, strict=True) if want)
        return parts[0] if len(parts) == 1 else parts


def _flat(x: CoreValue) -> CoreValue:
    return reshaped(x, (count_of(shape_of(x)),))


def _distinct(name: str, x: CoreValue, axis: Any, equal_nan: bool) -> _Found:
    values = settled(x)
    if axis is None:
        _, index, inverse, counts = np.unique(values, True, True, True, equal_nan=equal_nan)
        return _Found(getitem(_flat(x), index), index, inverse.reshape(values.shape), counts)
    at = one_axis(name, axis, values.shape)
    _, index, inverse, counts = np.unique(values, True, True, True, axis=at, equal_nan=equal_nan)
    return _Found(moveaxis(getitem(moveaxis(x, at, 0), index), 0, at), index, inverse.reshape(-1), counts)


_TIED = np.array([2.0, 0.5, 2.0, -1.0])
_ROWS = np.array([[1.0, 2.0], [0.0, 1.0], [1.0, 2.0]])


@function(
    family="indexing",
    where="numpy",
    derivative=_FIRST,
    kinks=_KINKS,
    cases=(
        case((4,)),
        case(_TIED),
        case((2, 3)),
        case(_TIED, return_index=True, return_inverse=True, return_counts=True),
        case(_ROWS, axis=0),
        case(_ROWS, axis=-1, return_inverse=True),
        case((0,)),
        case(np.array([3, 1, 3])),
    ),
)
def unique(
    x: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: Any = None,
    *,
    equal_nan: bool = True,
    sorted: bool = True,
) -> Any:
    """The distinct elements in rising order, or distinct slices along an axis; then, if asked for, where each first
    stands, which of them every element is, and how many of each there are."""
    found = _distinct("unique", as_core(x), axis, bool(equal_nan))
    return found.chosen(return_index, return_inverse, return_counts)


@function(
    "unique_torch",
    family="indexing",
    where="",
    also=("torch.unique", ".unique"),
    derivative=_FIRST,
    kinks=_KINKS,
    cases=(case(_TIED), case(_TIED, return_inverse=True, return_counts=True), case(_ROWS, dim=0), case((2, 3))),
)
def unique_torch(
    input: Any, sorted: bool = True, return_inverse: bool = False, return_counts: bool = False, dim: Any = None
) -> Any:
    """The distinct elements in rising order, or distinct slices along an axis; then, if asked for, which of them every
    element is, and how many of each there are."""
    return _distinct("unique", as_core(input), dim, False).chosen(False, return_inverse, return_counts)


@function(
    family="indexing",
    where="torch method",
    derivative=_FIRST,
    kinks=_KINKS,
    cases=(
        case(np.array([1.0, 1.0, 2.0, 1.0])),
        case(np.array([1.0, 1.0, 2.0]), return_inverse=True, return_counts=True),
        case(np.array([[1.0, 2.0], [1.0, 2.0], [0.0, 1.0]]), dim=0),
        case((3,)),
        case((0,)),
    ),
)
def unique_consecutive(input: Any, return_inverse: bool = False, return_counts: bool = False, dim: Any = None) -> Any:
    """The elements without those that equal the one before; then, if asked for, which of them every element is, and how
    many stand together."""
    x = as_core(input)
    values = settled(x)
    if dim is None:
        rows, row = values.reshape(-1, 1), _flat(x)
        shape, at = values.shape, 0
    else:
        at = one_axis("unique_consecutive", dim, values.shape)
        row = moveaxis(x, at, 0)
        rows = np.moveaxis(values, at, 0).reshape(values.shape[at], -1)
        shape = (values.shape[at],)
    fresh = np.ones(len(rows), bool)
    fresh[1:] = np.any(rows[1:] != rows[:-1], axis=1)
    index = np.flatnonzero(fresh)
    inverse = (np.cumsum(fresh) - 1).reshape(shape)
    counts = np.diff(np.append(index, len(rows)))
    kept = getitem(row, index)
    return _Found(kept if dim is None else moveaxis(kept, 0, at), index, inverse, counts).chosen(
        False, return_inverse, return_counts
    )


@function(family="indexing", where="numpy", derivative=_FIRST, kinks=_KINKS, cases=(case(_TIED), case((2, 3))))
def unique_values(x: Any) -> CoreValue:
    """The distinct elements in rising order."""
    found = _distinct("unique_values", as_core(x), None, False).values
    if dtype_of(found).kind != "c":
        return found
    # NumPy leaves complex ones in the order of its table.
    ranked = settled(found)
    return getitem(found, np.searchsorted(ranked, np.unique_values(settled(as_core(x)))))


@function(family="indexing", where="numpy", derivative=_FIRST, kinks=_KINKS, cases=(case(_TIED),))
def unique_counts(x: Any) -> tuple[CoreValue, ...]:
    """The pair (distinct elements, how many of each there are)."""
    found = _distinct("unique_counts", as_core(x), None, False)
    return found.values, found.counts


@function(family="indexing", where="numpy", derivative=_FIRST, kinks=_KINKS, cases=(case(_TIED),))
def unique_inverse(x: Any) -> tuple[CoreValue, ...]:
    """The pair (distinct elements, which of them every element is)."""
    found = _distinct("unique_inverse", as_core(x), None, False)
    return found.values, found.inverse


@function(family="indexing", where="numpy", derivative=_FIRST, kinks=_KINKS, cases=(case(_TIED),))
def unique_all(x: Any) -> tuple[CoreValue, ...]:
    """Distinct elements, where each first stands, which of them every element is, and how many of each there are."""
    return tuple(_distinct("unique_all", as_core(x), None, False))


# --- sets ------------------------------------------------------------------------------------------------------------

_A, _B = np.array([3.0, 1.0, 2.0, 1.0]), np.array([5.0, 2.0, 3.0])


def _pair(x: Any, y: Any) -> tuple[CoreValue, CoreValue]:
    return _flat(as_core(x)), _flat(as_core(y))


@function(
    family="indexing",
    where="numpy",
    derivative=_FIRST,
    kinks=_KINKS,
    cases=(case(_A, _B), case(np.array([[1.0, 2.0]]), (2,))),
)
def union1d(ar1: Any, ar2: Any) -> CoreValue:
    """The distinct elements of two values in rising order."""
    return _distinct("union1d", concatenated(_pair(ar1, ar2), 0), None, True).values


@function(
    family="indexing",
    where="numpy",
    derivative="vjp: g to the first of each in the first value",
    kinks=_KINKS,
    cases=(case(_A, _B), case(_A, _B, return_indices=True), case((3,), (3,))),
)
def intersect1d(ar1: Any, ar2: Any, assume_unique: bool = False, return_indices: bool = False) -> Any:
    """The distinct elements that two values share, in rising order; then, if asked for, where they stand in each."""
    x, y = _pair(ar1, ar2)
    _, first, second = np.intersect1d(settled(x), settled(y), assume_unique=bool(assume_unique), return_indices=True)
    values = cast(getitem(x, first), np.result_type(dtype_of(x), dtype_of(y)))
    return (values, first, second) if return_indices else values


@function(
    family="indexing",
    where="numpy",
    derivative=_FIRST,
    kinks=_KINKS,
    cases=(case(_A, _B), case((3,), (2,))),
)
def setdiff1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> CoreValue:
    """The distinct elements of one value that another lacks, in rising order."""
    x, y = _pair(ar1, ar2)
    values, others = settled(x), settled(y)
    if assume_unique:
        return getitem(x, np.flatnonzero(~np.isin(values, others)))
    distinct, index = np.unique(values, return_index=True)
    return getitem(x, index[~np.isin(distinct, others)])


@function(
    family="indexing",
    where="numpy",
    derivative=_FIRST,
    kinks=_KINKS,
    cases=(case(_A, _B), case((3,), (2,))),
)
def setxor1d(ar1: Any, ar2: Any, assume_unique: bool = False) -> CoreValue:
    """The distinct elements that just one of two values has, in rising order."""
    x, y = _pair(ar1, ar2)
    values = [np.unique(settled(v), return_index=True) for v in (x, y)]
    both = np.intersect1d(values[0][0], values[1][0])
    kept = [getitem(v, index[~np.isin(found, both)]) for v, (found, index) in zip((x, y), values, strict=True)]
    whole = concatenated(kept, 0)
    return getitem(whole, np.argsort(settled(whole), kind="stable"))


@function(
    family="logic",
    differentiable=False,
    where="numpy",
    also=("numpy.in1d",),
    cases=(case(_A, _B), case(np.array([[1, 2], [3, 4]]), [2, 3], invert=True)),
)
def isin(
    element: Any, test_elements: Any, assume_unique: bool = False, invert: bool = False, *, kind: Any = None
) -> Any:
    """Whether each element is among others."""
    if kind not in (None, "sort", "table"):
        raise ArgumentError(f"isin: kind is 'sort', 'table' or None, not {kind!r}")
    return np.isin(settled(as_core(element)), settled(as_core(test_elements)), invert=bool(invert))


@function(
    "isin_torch",
    family="logic",
    differentiable=False,
    where="",
    also=("torch.isin",),
    cases=(case(_A, _B), case(np.array([1, 2, 3]), 2)),
)
def isin_torch(elements: Any, test_elements: Any, *, assume_unique: bool = False, invert: bool = False) -> Any:
    """Whether each element is among others."""
    return np.isin(settled(as_core(elements)), settled(as_core(test_elements)), invert=bool(invert))
