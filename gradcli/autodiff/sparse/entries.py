"""The entries of a boolean matrix, as arrays, and what is asked of them and of colours again and again."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from gradcli.autodiff.sparse.rows import Rows
from gradcli.graph.values import Array


class Entries(NamedTuple):
    """The entries of a boolean matrix, row by row, in rising order of columns.

    Attributes:
        rows: the row of each.
        columns: the column of each.
        shape: of the matrix.
    """

    rows: Array
    columns: Array
    shape: tuple[int, int]

    @property
    def turned(self) -> Entries:
        """Those of the transpose."""
        order = order_by(self.columns, self.shape[1])
        return Entries(self.columns[order], self.rows[order], self.shape[::-1])


def order_by(labels: Array, count: int) -> Array:
    """The order that puts labels from 0 to count - 1 in rising order, equal ones as they stand: by counting them."""
    from scipy.sparse import csr_array

    if not len(labels):
        return np.zeros(0, np.int64)
    index = np.int32 if max(len(labels), count) < 2**31 else np.int64
    one_row = csr_array((np.arange(len(labels)), labels.astype(index), np.array([0, len(labels)], index)), (1, count))
    return np.asarray(one_row.tocsc().data)


def entries_of(rows: Rows) -> Entries:
    """The entries of compressed rows."""
    lengths = np.diff(rows.starts)
    numbers = np.repeat(np.arange(len(lengths)), lengths)
    return Entries(numbers, rows.columns.astype(np.int64), (len(lengths), rows.width))


def colour_count(colours: Array) -> int:
    """How many colours there are."""
    return int(colours.max(initial=-1)) + 1
