"""A claimed derivative, row by row: an array, or the entries of a sparse matrix, which claims 0 for all others."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any


class SparseClaim:
    """Entries of a derivative, row by row, in rising order of columns; both are numbered in C order.

    Attributes:
        shape: of the derivative as an array: the output's shape and then the input's.
        dtype: of the entries.
        count: how many entries there are.
    """

    def __init__(self, rows: Array, columns: Array, values: Array, shape: tuple[int, ...], height: int) -> None:
        self.shape = shape
        self.dtype = np.dtype(values.dtype)
        self.count = len(values)
        self._rows, self._columns, self._values = rows, columns, values
        self._starts = np.searchsorted(rows, np.arange(height + 1))

    def row(self, i: int) -> dict[int, Any]:
        """The elements of row i that are not 0, by their columns."""
        part = slice(self._starts[i], self._starts[i + 1])
        pairs = zip(self._columns[part].tolist(), self._values[part], strict=True)
        return {column: value for column, value in pairs if value != 0}

    def times(self, v: Array) -> Array:
        """The product with a vector."""
        height = len(self._starts) - 1
        return np.bincount(self._rows, weights=self._values * v[self._columns], minlength=height)


class DenseClaim:
    """The same of an array."""

    def __init__(self, flat: Array) -> None:
        self._flat = flat

    def row(self, i: int) -> dict[int, Any]:
        """The elements of row i that are not 0, by their columns."""
        return {j: self._flat[i, j] for j in np.nonzero(self._flat[i])[0].tolist()}

    def times(self, v: Array) -> Array:
        """The product with a vector; complex elements are conjugated."""
        return self._flat.conj() @ v


def claim_of(got: Array | SparseClaim, height: int) -> SparseClaim | DenseClaim:
    """A claim of `height` rows."""
    if isinstance(got, SparseClaim):
        return got
    return DenseClaim(np.reshape(got, (height, np.size(got) // max(height, 1))))
