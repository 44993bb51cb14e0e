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
from gradcli.files.numbers import words


def csv_answer(results: Results) -> str:
    """The results as CSV text, `\\n` at the end of every line.

    Raises:
        GradcliError: a result is no array of numbers.
    """
    header: list[str] = []
    columns: list[list[str]] = []
    for label, value in results:
        for name, column in _columns(".".join(label), expect_numbers(label, value, "csv")):
            header.append(name)
            columns.append(column)
    rows = zip_longest(*columns, fillvalue="")
    return "".join(",".join(row) + "\n" for row in (header, *rows))


def _columns(name: str, array: Any) -> Iterator[tuple[str, list[str]]]:
    if array.ndim < 2:
        yield name, words(array)
        return
    inner = array.shape[1:]
    flat = array.reshape(array.shape[0], math.prod(inner))
    for place, index in enumerate(np.ndindex(*inner)):
        yield ".".join([name, *map(str, index)]), words(flat[:, place])
