"""Sparse matrices as text, JSON, SciPy's `.npz` and MatrixMarket."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from gradcli.files.numbers import AT_A_TIME, words
from gradcli.files.numpy_bytes import archive


class Triplets(NamedTuple):
    """The entries of a matrix, in order of rows and, in a row, of columns; all counted from 0.

    Attributes:
        rows: the row of each.
        columns: the column of each.
        values: the entries.
        shape: of the matrix.
        symmetric: whether it equals its transpose.
    """

    rows: np.ndarray
    columns: np.ndarray
    values: np.ndarray
    shape: tuple[int, int]
    symmetric: bool = False

    def document(self) -> dict[str, Any]:
        """The entries as JSON has them."""
        return {"shape": list(self.shape), "row": self.rows, "column": self.columns, "value": self.values}


def triplet_lines(labelled: Sequence[tuple[tuple[str, ...], Triplets]]) -> Iterator[bytes]:
    """A line `row column value` per entry; of several matrices each comes under a line `# NAME`."""
    for label, triplets in labelled:
        if len(labelled) > 1:
            yield f"# {' '.join(label)}\n".encode("utf-8", "backslashreplace")
        yield from _lines(triplets.rows, triplets.columns, triplets.values)


def _lines(rows: np.ndarray, columns: np.ndarray, values: np.ndarray) -> Iterator[bytes]:
    for start in range(0, len(values), AT_A_TIME):
        part = slice(start, start + AT_A_TIME)
        cells = zip(rows[part].tolist(), columns[part].tolist(), words(values[part]), strict=True)
        yield "".join([f"{row} {column} {value}\n" for row, column, value in cells]).encode()


def matrix_market(triplets: Triplets) -> Iterator[bytes]:
    """A MatrixMarket file, counted from 1; of a symmetric matrix it holds the lower triangle.

    Source: Boisvert, Pozo and Remington, The Matrix Market exchange formats, NISTIR 5935 (1996).
    """
    rows, columns, values = triplets.rows, triplets.columns, triplets.values
    if triplets.symmetric:
        lower = rows >= columns
        rows, columns, values = rows[lower], columns[lower], values[lower]
    kind = "symmetric" if triplets.symmetric else "general"
    yield f"%%MatrixMarket matrix coordinate real {kind}\n".encode()
    yield f"{triplets.shape[0]} {triplets.shape[1]} {len(values)}\n".encode()
    yield from _lines(rows + 1, columns + 1, values)


def scipy_npz(triplets: Triplets) -> Iterable[bytes]:
    """What `scipy.sparse.save_npz` writes of the matrix in its CSR form, which `load_npz` reads."""
    small = max(len(triplets.values), *triplets.shape) < 2**31
    index = np.int32 if small else np.int64
    counts = np.bincount(triplets.rows, minlength=triplets.shape[0])
    starts = np.concatenate([[0], np.cumsum(counts)])
    buffer = io.BytesIO()
    members = {
        "indices": triplets.columns.astype(index),
        "indptr": starts.astype(index),
        "format": np.array(b"csr"),
        "shape": np.array(triplets.shape),
        "data": triplets.values,
        "_is_array": np.array(True),
    }
    archive(buffer, members)
    return [buffer.getvalue()]
