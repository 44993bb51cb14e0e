"""Arrays in few characters: aligned and shortened for a terminal, or on one line for a node of a graph."""

from __future__ import annotations

from typing import Any

import numpy as np

WHOLE = 120
"""An array of more numbers is shown by its ends."""

EDGE = 3

FORMS = ((WHOLE, EDGE, 8), (WHOLE, EDGE, 5), (0, 3, 8), (0, 3, 5), (0, 2, 5), (0, 2, 3), (0, 1, 3))
"""How a matrix may be shown, best first: the size up to which it is whole, the numbers at each end, the digits."""

UNBOUNDED = 1_000_000


def described(array: np.ndarray[Any, Any]) -> str:
    """`float64 (2, 3)`."""
    return f"{array.dtype} {array.shape}"


def numbers(array: np.ndarray[Any, Any], width: int) -> tuple[str, bool]:
    """An array in lines of at most `width`, aligned, and whether all of it is there.

    A vector that is not too long is wrapped; a matrix that is too wide loses digits, then columns.
    """
    whole = array.size <= WHOLE
    if array.ndim == 1 and whole:
        return _arranged(array, width, array.size, EDGE, 8), True
    text = ""
    for threshold, edge, precision in FORMS:
        if whole or not threshold:
            text = _arranged(array, UNBOUNDED, threshold, edge, precision)
            if max(map(len, text.split("\n"))) <= width:
                return text, bool(threshold)
    return text, False


def _arranged(array: np.ndarray[Any, Any], width: int, threshold: int, edge: int, precision: int) -> str:
    return np.array2string(
        array, max_line_width=width, threshold=threshold, edgeitems=edge, precision=precision, separator=" "
    )


def summary(array: np.ndarray[Any, Any], width: int = 32) -> str:
    """A value in short, for one cell or node: `[1. 2. 3.]`, `[0.1 ... 9.9]`."""
    if array.size == 0:
        return "[]"
    if array.ndim == 0:
        return f"{array[()]:.6g}" if array.dtype.kind in "fc" else str(array[()])
    text = ""
    for edge, precision in ((3, 4), (2, 4), (1, 4), (1, 2)):
        text = " ".join(_arranged(array, UNBOUNDED, 2 * edge, edge, precision).split()).replace(" ]", "]")
        if len(text) <= width:
            return text
    return text[: width - 3] + "..."
