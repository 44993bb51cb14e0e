"""What a program hands to a function, as core values: numbers, lists, and integers where floats are wanted."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.errors import ArgumentError
from gradcli.graph.state import state
from gradcli.graph.values import OPERATORS, CoreValue, Value

_NUMBERS = (bool, int, float, complex)


def operands(xs: tuple[Any, ...], floats: bool) -> list[CoreValue]:
    """Arguments of an elementwise function as operands: lists become arrays, and so do numbers when all are numbers.

    Raises:
        ArgumentError: one is no number, tensor or list of them.
    """
    for x in xs:
        if not hasattr(x, "dtype") or x.dtype.kind not in "fc":
            break
    else:  # floats alone, as nearly always
        return list(xs)
    found = [x if hasattr(x, "dtype") or isinstance(x, _NUMBERS) else as_core(x) for x in xs]
    if not any(hasattr(x, "dtype") for x in found):
        found = [as_core(x) for x in found]
    if floats and not any(_is_floating(x) for x in found):
        found = [to_float(x) for x in found]
    return found


def _is_floating(x: CoreValue) -> bool:
    return x.dtype.kind in "fc" if hasattr(x, "dtype") else isinstance(x, float | complex)


def to_float(x: CoreValue) -> CoreValue:
    """`x` in the default float dtype, if it is of integers or bools."""
    if not hasattr(x, "dtype"):
        return x
    return OPERATORS["astype"](x, state.default_float) if x.dtype.kind in "iub" else x


def as_core(x: Any) -> CoreValue:
    """An argument as a core value: numbers and (nested) lists become arrays, lists of traced values a stack.

    Raises:
        ArgumentError: it is no number, array or list of them, or the list is ragged.
    """
    if isinstance(x, Value | np.ndarray | np.generic):
        return x
    if isinstance(x, bool):
        return np.asarray(x)
    if isinstance(x, int):
        return np.asarray(x, dtype=np.int64)
    if isinstance(x, float):
        return np.asarray(x, dtype=state.default_float)
    if isinstance(x, complex):
        return np.asarray(x, dtype=np.result_type(state.default_float, np.complex64))
    if isinstance(x, list | tuple | range):
        return _from_list(list(x))
    raise ArgumentError(f"expected a number, a tensor or a list of them, not {_kind(x)}")


def _kind(x: Any) -> str:
    return "None" if x is None else type(x).__name__


def _from_list(items: list[Any]) -> CoreValue:
    if _plain(items):
        return _from_numbers(items)
    parts = [as_core(x) for x in items]
    shapes = {tuple(p.shape) for p in parts}
    if len(shapes) > 1:
        raise _ragged(shapes)
    if state.recording is not None or any(isinstance(p, Value) for p in parts):
        return OPERATORS["stack"](parts, 0)
    return np.array(parts)


def _plain(items: list[Any]) -> bool:
    """Whether a nested list holds Python's numbers alone."""
    return all(isinstance(x, int | float | complex) or (isinstance(x, list | tuple) and _plain(list(x))) for x in items)


def _from_numbers(items: list[Any]) -> np.ndarray[Any, Any]:
    """A nested list of Python's numbers as an array; one float among integers makes all floats."""
    if not items:
        return np.zeros(0, dtype=state.default_float)
    try:
        made = np.array(items)
    except ValueError:
        parts = [as_core(x) for x in items]
        raise _ragged({tuple(p.shape) for p in parts}) from None
    if made.dtype.kind == "f":
        return made.astype(state.default_float, copy=False)
    if made.dtype.kind == "c":
        return made.astype(np.result_type(state.default_float, np.complex64), copy=False)
    if made.dtype.kind not in "bi":
        raise ArgumentError("an integer of the list does not fit in 64 bits", mend="write it as a float")
    return made


def _ragged(shapes: set[tuple[int, ...]]) -> ArgumentError:
    if len(shapes) < 2:
        return ArgumentError("a list nested too deeply is no array", mend="arrays have at most 64 axes")
    first, second = sorted(shapes, key=lambda s: (len(s), s))[:2]
    return ArgumentError(
        f"a list of unequal parts is no array: shapes {list(first)} and {list(second)}",
        mend="make all rows equally long",
    )
