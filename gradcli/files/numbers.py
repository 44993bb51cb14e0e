"""Numbers as text: the shortest digits that read back as the same number."""

from __future__ import annotations

import numpy as np

#: How many numbers are turned into text at a time: their words take twenty times the memory of the numbers.
AT_A_TIME = 1 << 15


def words(array: np.ndarray) -> list[str]:
    """Every number of an array as text, in C order.

    Floats have the shortest round-trip form of their own dtype (`0.1` for float32's nearest to it too),
    `nan` and `inf`; bools are `true` and `false`; complex numbers are Python's without parentheses
    (`1.0-2.0j`), which the language reads and of which awk sees the real part.
    """
    flat = np.ravel(array)
    kind = flat.dtype.kind
    if kind == "b":
        return ["true" if flag else "false" for flag in flat.tolist()]
    if kind == "c":
        imaginary = words(flat.imag)
        signed = (part if part.startswith("-") else f"+{part}" for part in imaginary)
        return [f"{real}{part}j" for real, part in zip(words(flat.real), signed, strict=True)]
    if kind == "f":
        return list(map(repr, plain_floats(flat).tolist()))
    return list(map(str, flat.tolist()))


def plain_floats(array: np.ndarray) -> np.ndarray:
    """Floats as float64 whose shortest digits are those of the array's own dtype."""
    if array.dtype == np.float64:
        return array
    # A float32's shortest digits are at most nine, which a float64 gives back unchanged.
    return array.astype(np.str_).astype(np.float64)
