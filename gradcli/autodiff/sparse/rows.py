"""Which inputs each element of a value depends on: boolean rows, compressed, as the pattern is carried through a graph.

Values of a graph often depend on the same inputs, element for element. `RowsBook` notes that, so that a chain of
elementwise ops on large arrays costs one union and no more.
"""

from __future__ import annotations

import itertools
import weakref
from typing import Any

import numpy as np

from gradcli.graph.budget import budget
from gradcli.graph.values import Array

#: Below so many entries NumPy alone is faster than SciPy's overhead.
_SMALL = 2_000
#: Bytes that an entry takes while rows are put together.
_PER_ENTRY = 32
_serials = itertools.count()


class Rows:
    """Row k holds columns[starts[k]:starts[k+1]], in rising order, each once. Immutable.

    Attributes:
        starts: where each row begins, and the last ends.
        columns: the inputs, numbered.
        width: how many inputs there are.
    """

    __slots__ = ("__weakref__", "columns", "covers", "serial", "starts", "width")

    def __init__(self, starts: Array, columns: Array, width: int) -> None:
        self.starts = starts
        self.columns = columns
        self.width = width
        self.serial = next(_serials)
        self.covers: frozenset[int] = frozenset()

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def count(self) -> int:
        """Number of entries."""
        return len(self.columns)

    def matrix(self) -> Any:
        """The rows as SciPy's CSR matrix of bools."""
        from scipy.sparse import csr_array

        held = np.ones(self.count, np.bool_)
        made = csr_array((held, self.columns, self.starts), shape=(len(self), self.width))
        made.has_canonical_format = True
        return made


def identity(first: int, count: int, width: int) -> Rows:
    """Element k depends on input first + k alone."""
    return Rows(np.arange(count + 1), np.arange(first, first + count, dtype=np.int32), width)


def taken(rows: Rows, labels: Array) -> Rows:
    """The rows that the labels name, in their order; -1 names an empty one."""
    if len(labels) == 1 and labels[0] >= 0:
        begin, end = rows.starts[labels[0]], rows.starts[labels[0] + 1]
        return Rows(np.array([0, end - begin]), rows.columns[begin:end], rows.width)
    if len(labels) == len(rows) and _is_counting(labels):
        return rows
    if not len(rows):
        return Rows(np.zeros(len(labels) + 1, np.int64), rows.columns[:0], rows.width)
    begins = rows.starts[labels]
    counts = rows.starts[labels + 1] - begins
    counts[labels < 0] = 0
    starts = np.zeros(len(labels) + 1, np.int64)
    np.cumsum(counts, out=starts[1:])
    budget.charge(_PER_ENTRY * int(starts[-1]), f"a sparsity pattern of {starts[-1]:,} entries")
    return Rows(starts, rows.columns[_ranges(begins, counts, starts)], rows.width)


def _ranges(begins: Array, counts: Array, starts: Array) -> Array:
    """begins[0], begins[0] + 1, ... (counts[0] of them), begins[1], ...; `starts` says where each begins in this."""
    if len(counts) and (counts == counts[0]).all():
        return np.asarray(begins[:, None] + np.arange(counts[0])).ravel()
    places = np.repeat(begins - starts[:-1], counts)
    places += np.arange(len(places))
    return places


def _is_counting(labels: Array) -> bool:
    return not len(labels) or bool(labels[0] == 0 and labels[-1] == len(labels) - 1 and (np.diff(labels) == 1).all())


def gathered(rows: Rows, labels: Array, count: int) -> Rows:
    """`count` rows; row l is the union of all whose label is l; -1 goes nowhere."""
    valid = np.flatnonzero(labels >= 0)
    if not len(valid) or np.bincount(labels[valid], minlength=1).max() <= 1:
        inverse = np.full(count, -1)
        inverse[labels[valid]] = valid
        return taken(rows, inverse)
    return joined(rows, labels[valid], valid, count)


def joined(rows: Rows, targets: Array, sources: Array, count: int) -> Rows:
    """`count` rows; row l is the union of the rows `sources[i]` where `targets[i]` is l."""
    from scipy.sparse import csr_array

    if count == 1:
        if len(sources) < len(rows):
            rows = taken(rows, sources)
        present = np.zeros(rows.width, np.bool_)
        present[rows.columns] = True
        columns = np.flatnonzero(present).astype(np.int32)
        return Rows(np.array([0, len(columns)]), columns, rows.width)
    held = np.ones(len(sources), np.bool_)
    product = csr_array((held, (targets, sources)), shape=(count, len(rows))) @ rows.matrix()
    product.sort_indices()
    return _from_matrix(product)


def _from_matrix(matrix: Any) -> Rows:
    return Rows(matrix.indptr, matrix.indices, matrix.shape[1])


def united(a: Rows, b: Rows) -> Rows:
    """Row by row the union of both."""
    if not a.count:
        return b
    if not b.count:
        return a
    if a.count + b.count > _SMALL:
        return _from_matrix(a.matrix() + b.matrix())
    if len(a) == 1:
        columns = np.union1d(a.columns, b.columns)
        return Rows(np.array([0, len(columns)]), columns, a.width)
    keys = np.union1d(_keys(a), _keys(b))
    targets, columns = np.divmod(keys, a.width)
    return Rows(np.searchsorted(targets, np.arange(len(a) + 1)), columns.astype(np.int32), a.width)


def _keys(rows: Rows) -> Array:
    return np.repeat(np.arange(len(rows)), np.diff(rows.starts)) * rows.width + rows.columns


class RowsBook:
    """Knows the large rows of one walk: equal ones are one object, and unions that were made are not made again."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, ...], weakref.WeakSet[Rows]] = {}
        self._unions: weakref.WeakValueDictionary[tuple[int, int], Rows] = weakref.WeakValueDictionary()

    def same(self, rows: Rows) -> Rows:
        """The rows noted before that are equal, or these, which are noted."""
        if rows.count < _SMALL:
            return rows
        key = (len(rows), rows.count, int(rows.columns.sum()), int(rows.starts[:: len(rows) // 64 + 1].sum()))
        alike = self._known.setdefault(key, weakref.WeakSet())
        for other in alike:
            if other is rows:
                return rows
            if np.array_equal(other.starts, rows.starts) and np.array_equal(other.columns, rows.columns):
                return other
        alike.add(rows)
        return rows

    def united(self, a: Rows, b: Rows) -> Rows:
        """Row by row the union of both."""
        if a is b or b.serial in a.covers:
            return a
        if a.serial in b.covers:
            return b
        if a.count + b.count < _SMALL:
            return united(a, b)
        key = (min(a.serial, b.serial), max(a.serial, b.serial))
        found = self._unions.get(key)
        if found is None:
            found = self.same(united(a, b))
            self._unions[key] = found
            found.covers = _limited(found.covers | a.covers | b.covers | {a.serial, b.serial})
        return found


def _limited(serials: frozenset[int]) -> frozenset[int]:
    """The newest of them: what was made long ago is seldom met again."""
    return serials if len(serials) <= 64 else frozenset(sorted(serials)[-64:])
