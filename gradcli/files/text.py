"""Plain text, fit for awk and for reading back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from gradcli.files.answers import Results
from gradcli.files.numbers import words


def text_of(value: Any) -> str:
    """A number on a line, a vector on a line with blanks between, a matrix as one line per row.

    Arrays of more axes are their matrices in C order, with an empty line between two of them. What is no array
    is its parts one below the other, those of a dict under `# KEY`. The text ends with a newline.
    """
    if isinstance(value, str) or value is None:
        return f"{value}\n"
    if isinstance(value, Mapping):
        return "".join(f"# {key}\n{text_of(entry)}" for key, entry in value.items())
    if isinstance(value, list | tuple):
        return "".join(map(text_of, value))
    array = np.asarray(value)
    if array.ndim <= 1:
        return " ".join(words(array)) + "\n"
    return "\n".join(_matrices(array))


def text_answer(results: Results) -> str:
    """One result as it is; several each under a line `# NAME` (`# x y` for a label of two names)."""
    if len(results) == 1:
        return text_of(results[0][1])
    return "".join(f"# {' '.join(label)}\n{text_of(value)}" for label, value in results)


def _matrices(array: np.ndarray) -> Iterator[str]:
    rows, columns = array.shape[-2:]
    numbers = words(array)
    for start in range(0, len(numbers), rows * columns or 1):
        lines = range(start, start + rows * columns, columns)
        yield "".join(" ".join(numbers[line : line + columns]) + "\n" for line in lines)
    if not numbers:
        yield "\n" * rows
