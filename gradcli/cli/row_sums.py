"""`--sum`: answers added up as they come, in constant memory and with the rounding errors caught.

Sums of floats are compensated: every addition's rounding error is computed exactly and added up apart (Ogita, Rump and
Oishi, "Accurate sum and dot product", 2005), so that the result is as if summed in twice the precision and rounded
once, in whatever order and in however many processes the rows were added.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from gradcli.files.rows.writing import PerRow
from gradcli.graph.values import Array

#: Where an array stands in a document: keys and indices.
Path = tuple[Any, ...]


class Total:
    """The sum of arrays of one shape."""

    __slots__ = ("_dtype", "_error", "_plain", "_total")

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self._dtype = np.dtype(np.int64) if dtype.kind == "b" else dtype
        wide = {"f": np.float64, "c": np.complex128}.get(dtype.kind, np.int64)
        self._total: Array = np.zeros(shape, wide)
        self._error: Array = np.zeros(shape, wide)
        self._plain: Array = np.zeros(shape, wide)

    def add(self, rows: Array) -> None:
        """Add arrays that are stacked along their first axis."""
        with np.errstate(all="ignore"):
            self._add(rows)

    def _add(self, rows: Array) -> None:
        rows = rows.astype(self._total.dtype, copy=False)
        self._plain = self._plain + rows.sum(axis=0)
        while len(rows) > 1:
            half = len(rows) // 2
            sums, errors = _two_sum(rows[:half], rows[half : 2 * half])
            self._error = self._error + errors.sum(axis=0)
            rows = np.concatenate([sums, rows[2 * half :]])
        if len(rows):
            self._total, error = _two_sum(self._total, rows[0])
            self._error = self._error + error

    def merge(self, other: Total) -> None:
        """Add another total."""
        self._total, error = _two_sum(self._total, other._total)
        self._error = self._error + other._error + error
        self._plain = self._plain + other._plain

    @property
    def value(self) -> Array:
        """The sum, in the dtype of what was added; bools are counted."""
        if self._total.dtype.kind == "i":
            return self._total
        # Where infinities came together the errors are NaN, and the plain sum says what there is.
        whole = self._total + self._error
        return np.asarray(np.where(np.isfinite(whole), whole, self._plain)).astype(self._dtype)


def _two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """The rounded sum and its rounding error (Knuth)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


class Sums:
    """A document of arrays, each the sum over all rows."""

    def __init__(self) -> None:
        self.rows = 0
        self._totals: dict[Path, Total] = {}

    def add(self, document: Any, size: int) -> None:
        """Add the documents of `size` rows, of numbers alone and of the form of those before."""
        for path, value in leaves(document):
            array = value.array if isinstance(value, PerRow) else np.broadcast_to(value, (size, *np.shape(value)))
            if path not in self._totals:
                self._totals[path] = Total(array.shape[1:], array.dtype)
            self._totals[path].add(array)
        self.rows += size

    def merge(self, other: Sums) -> None:
        """Add the sums over further rows, of the same form."""
        for path, total in other._totals.items():
            if path in self._totals:
                self._totals[path].merge(total)
            else:
                self._totals[path] = total
        self.rows += other.rows

    def document(self) -> Any:
        """The document, with sums for arrays."""
        return _rebuilt({path: total.value for path, total in self._totals.items()})


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """What a document holds, by its path."""
    if isinstance(value, Mapping):
        for key, entry in value.items():
            yield from leaves(entry, (*path, key))
    elif isinstance(value, list | tuple) and not isinstance(value, PerRow):
        for index, entry in enumerate(value):
            yield from leaves(entry, (*path, index))
    else:
        yield path, value


def _rebuilt(parts: Mapping[Path, Array]) -> Any:
    """Dicts, and lists where the keys are indices, from their leaves."""
    if () in parts:
        return parts[()]
    below: dict[Any, dict[Path, Array]] = {}
    for (key, *rest), array in parts.items():
        below.setdefault(key, {})[tuple(rest)] = array
    made = {key: _rebuilt(inner) for key, inner in below.items()}
    return list(made.values()) if all(type(key) is int for key in made) else made
