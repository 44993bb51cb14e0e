"""Answers of many rows as text: a line of NDJSON or CSV for each.

The answers of a batch come as one document, in which a `PerRow` stands for the arrays of all rows and anything else is
the same for all. A line of NDJSON is what `--format json` gives for that row alone. In CSV the document is flattened:
`{"value": 2.0, "grad": {"x": [1.0, 0.5]}}` has the columns `value`, `grad.x.0`, `grad.x.1`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from gradcli.files.answers import expect_numbers
from gradcli.files.json_text import json_line
from gradcli.files.numbers import words
from gradcli.graph.values import Array

_SPELLED = {"nan": '"NaN"', "inf": '"Infinity"', "-inf": '"-Infinity"'}


class PerRow(NamedTuple):
    """An array for each row: `array[i]` is that of row i."""

    array: Array


def json_rows(document: Any, size: int) -> list[str]:
    """The lines of `size` rows, without their ends; the document of one row holds no `PerRow`."""
    if size == 1:
        return [json_line(document)[:-1]]
    varying: list[list[str]] = []
    template = "".join(_template(document, varying))
    if not varying:
        return [template.replace("%%", "%")] * size
    if len(varying) == 1:
        return [template % text for text in varying[0]]
    return [template % texts for texts in zip(*varying, strict=True)]


def _template(value: Any, varying: list[list[str]]) -> Iterator[str]:
    """JSON with `%s` where the rows differ; their texts go to `varying`, a list of one for each row."""
    if isinstance(value, PerRow):
        varying.append(_texts(value.array))
        yield "%s"
    elif isinstance(value, Mapping):
        yield "{"
        for place, (key, entry) in enumerate(value.items()):
            yield ", " * (place > 0) + json_line(str(key)).rstrip("\n").replace("%", "%%") + ": "
            yield from _template(entry, varying)
        yield "}"
    elif isinstance(value, list | tuple):
        yield "["
        for place, entry in enumerate(value):
            yield ", " * (place > 0)
            yield from _template(entry, varying)
        yield "]"
    else:
        yield json_line(value).rstrip("\n").replace("%", "%%")


def _texts(array: Array) -> list[str]:
    """The JSON of each row of an array."""
    if array.dtype.kind == "c":
        return _texts(np.stack([array.real, array.imag], axis=-1))
    numbers = words(array)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        numbers = [_SPELLED.get(number, number) for number in numbers]
    if array.ndim == 1:
        return numbers
    width = math.prod(array.shape[1:])
    if array.ndim == 2:
        return ["[" + ", ".join(numbers[at : at + width]) + "]" for at in range(0, len(array) * width, width or 1)] or [
            "[]"
        ] * len(array)
    shape = json_line(np.zeros(array.shape[1:], dtype=np.int64)).rstrip("\n").replace("0", "%s")
    return [shape % tuple(numbers[row * width : (row + 1) * width]) for row in range(len(array))]


def flattened(document: Mapping[str, Any], size: int, form: str) -> list[tuple[str, Array]]:
    """The arrays of a document under their paths, rows in front; `form` is what they are for.

    Raises:
        GradcliError: something in it is no array of numbers.
    """
    return [(name, _stacked(value, name, size, form)) for name, value in _leaves(document, "")]


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    parts: Iterator[tuple[Any, Any]]
    if isinstance(value, Mapping):
        parts = iter(value.items())
    elif isinstance(value, list | tuple) and not isinstance(value, PerRow):
        parts = iter(enumerate(value))
    else:
        yield path, value
        return
    for key, entry in parts:
        yield from _leaves(entry, f"{path}.{key}" if path else str(key))


def _stacked(value: Any, name: str, size: int, form: str) -> Array:
    if isinstance(value, PerRow):
        return value.array
    array = expect_numbers((name,), value, form)
    return np.broadcast_to(array, (size, *array.shape))


def csv_titles(columns: Sequence[tuple[str, Array]]) -> tuple[str, ...]:
    """The names of the columns of a CSV, one for each element."""
    return tuple(
        ".".join([name, *map(str, index)]) for name, array in columns for index in np.ndindex(*array.shape[1:])
    )


def csv_rows(columns: Sequence[tuple[str, Array]]) -> list[str]:
    """The lines of a CSV without their ends."""
    texts = []
    for _, array in columns:
        numbers = words(array)
        width = math.prod(array.shape[1:])
        texts += [numbers[place::width] for place in range(width)]
    return [",".join(row) for row in zip(*texts, strict=True)]


def csv_text(text: str) -> str:
    """A text as a cell of a CSV."""
    plain = " ".join(text.split())
    return '"' + plain.replace('"', '""') + '"' if any(mark in plain for mark in ',"') else plain
