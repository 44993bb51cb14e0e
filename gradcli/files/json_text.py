"""One line of strict JSON."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from gradcli.files.numbers import AT_A_TIME, plain_floats


def json_line(document: Any) -> str:
    """A document of dicts, lists, numbers, strings and arrays as one line with its newline.

    Arrays are nested lists; floats have the shortest digits of their own dtype; NaN and infinities are the
    strings "NaN", "Infinity", "-Infinity"; a complex number is [re, im].
    """
    return "".join(json_pieces(document))


def json_pieces(document: Any) -> Iterator[str]:
    """What `json_line` gives, a part at a time where the document holds large arrays."""
    yield from _pieces(document)
    yield "\n"


def _pieces(value: Any) -> Iterator[str]:
    if not _is_large(value):
        yield _dumped(value)
    elif isinstance(value, np.ndarray):
        yield from _large_array(value)
    elif isinstance(value, Mapping):
        for place, (key, entry) in enumerate(value.items()):
            yield f"{', ' if place else '{'}{_dumped(str(key))}: "
            yield from _pieces(entry)
        yield "}"
    else:
        for place, entry in enumerate(value):
            yield ", " if place else "["
            yield from _pieces(entry)
        yield "]"


def _is_large(value: Any) -> bool:
    """Whether it is, or holds, an array that is better written in parts."""
    if isinstance(value, np.ndarray):
        return value.size > AT_A_TIME
    if isinstance(value, Mapping):
        return any(map(_is_large, value.values()))
    return isinstance(value, list | tuple) and any(map(_is_large, value))


def _large_array(array: np.ndarray) -> Iterator[str]:
    step = max(1, AT_A_TIME * len(array) // array.size)
    yield "["
    for start in range(0, len(array), step):
        yield ", " if start else ""
        part = array[start : start + step]
        if step == 1 and part.size > AT_A_TIME:
            yield from _large_array(part[0])
        else:
            yield _dumped(part)[1:-1]
    yield "]"


def _dumped(value: Any) -> str:
    import json

    return json.dumps(jsonable(value), allow_nan=False, ensure_ascii=False)


def jsonable(value: Any) -> Any:
    """`value` in terms that JSON has."""
    if isinstance(value, np.ndarray | np.generic):
        return _array(np.asarray(value))
    if isinstance(value, Mapping):
        return {str(key): jsonable(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(entry) for entry in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else _spelled(value)
    if isinstance(value, complex):
        return [jsonable(value.real), jsonable(value.imag)]
    return value


def _array(array: np.ndarray) -> Any:
    if array.dtype.kind == "c":
        return _array(np.stack([array.real, array.imag], axis=-1))
    if array.dtype.kind != "f":
        return array.tolist()
    floats = plain_floats(array)
    special = np.flatnonzero(~np.isfinite(floats))
    if not special.size:
        return floats.tolist()
    mixed = floats.reshape(-1).astype(object)
    for place in special.tolist():
        mixed[place] = _spelled(mixed[place])
    return mixed.reshape(array.shape).tolist()


def _spelled(number: float) -> str:
    if math.isnan(number):
        return "NaN"
    return "Infinity" if number > 0 else "-Infinity"
