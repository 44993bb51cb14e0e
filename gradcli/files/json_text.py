"""One line of strict JSON."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from gradcli.files.numbers import plain_floats


def json_line(document: Any) -> str:
    """A document of dicts, lists, numbers, strings and arrays as one line with its newline.

    Arrays are nested lists; floats have the shortest digits of their own dtype; NaN and infinities are the
    strings "NaN", "Infinity", "-Infinity"; a complex number is [re, im].
    """
    import json

    return json.dumps(jsonable(document), allow_nan=False, ensure_ascii=False) + "\n"


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
