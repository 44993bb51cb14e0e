"""CSV as a spreadsheet wants it: a header row, and results side by side.

A number or a vector is one column under its own name. An array of more axes has a row per entry of its first
axis, and its other axes side by side, in columns that carry their index: `A.0`, `A.1`, or `T.0.2` for three
axes. A block of a Hessian is named after both inputs, `x.y`. Where columns differ in length the short ones
end in empty cells. It is made for spreadsheets: what is to be read back with its shapes is better kept as npz
or JSON.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

import numpy as np

from gradcli.files.answers import Results, expect_numbers
from gradcli.files.numbers import AT_A_TIME, words


def csv_answer(results: Results) -> Iterator[str]:
    """The results as CSV text in pieces, `\\n` at the end of every line.

    Raises:
        GradcliError: a result is no array of numbers.
    """
    arrays = [(".".join(label), expect_numbers(label, value, "csv")) for label, value in results]
    return _text([column for name, array in arrays for column in _columns(name, array)])


def _text(columns: list[tuple[str, Any]]) -> Iterator[str]:
    yield ",".join(name for name, _ in columns) + "\n"
    height = max((len(column) for _, column in columns), default=0)
    step = max(1, AT_A_TIME // max(1, len(columns)))
    for start in range(0, height, step):
        parts = [words(column[start : start + step]) for _, column in columns]
        yield "".join(",".join(row) + "\n" for row in zip_longest(*parts, fillvalue=""))


def _columns(name: str, array: Any) -> Iterator[tuple[str, Any]]:
    """The columns of one result: names and vectors."""
    if array.ndim < 2:
        yield name, array.reshape(-1)
        return
    inner = array.shape[1:]
    flat = array.reshape(array.shape[0], math.prod(inner))
    for place, index in enumerate(np.ndindex(*inner)):
        yield ".".join([name, *map(str, index)]), flat[:, place]
