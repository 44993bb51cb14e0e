"""Plain text, fit for awk and for reading back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from gradcli.files.answers import Results
from gradcli.files.numbers import AT_A_TIME, words


def text_of(value: Any) -> str:
    """A number on a line, a vector on a line with blanks between, a matrix as one line per row.

    Arrays of more axes are their matrices in C order, with an empty line between two of them. What is no array
    is its parts one below the other, those of a dict under `# KEY`. The text ends with a newline.
    """
    return "".join(_pieces(value))


def text_answer(results: Results) -> Iterator[str]:
    """One result as it is; several each under a line `# NAME` (`# x y` for a label of two names). In pieces."""
    for label, value in results:
        if len(results) > 1:
            yield f"# {' '.join(label)}\n"
        yield from _pieces(value)


def _pieces(value: Any) -> Iterator[str]:
    if isinstance(value, str) or value is None:
        yield f"{value}\n"
    elif isinstance(value, Mapping):
        for key, entry in value.items():
            yield f"# {key}\n"
            yield from _pieces(entry)
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from _pieces(entry)
    else:
        array = np.asarray(value)
        yield from _line(array.reshape(-1)) if array.ndim <= 1 else _matrices(array)


def _line(vector: np.ndarray) -> Iterator[str]:
    for start in range(0, len(vector), AT_A_TIME):
        yield (" " if start else "") + " ".join(words(vector[start : start + AT_A_TIME]))
    yield "\n"


def _matrices(array: np.ndarray) -> Iterator[str]:
    rows, columns = array.shape[-2:]
    if not array.size:
        yield "\n" * rows
        return
    table = array.reshape(-1, columns)
    if columns > AT_A_TIME:
        for place, row in enumerate(table):
            if place and not place % rows:
                yield "\n"
            yield from _line(row)
        return
    step = AT_A_TIME // columns
    for start in range(0, len(table), step):
        numbers = words(table[start : start + step])
        lines = [" ".join(numbers[begin : begin + columns]) + "\n" for begin in range(0, len(numbers), columns)]
        for place in range(-start % rows, len(lines), rows):
            if start + place:
                lines[place] = "\n" + lines[place]
        yield "".join(lines)
