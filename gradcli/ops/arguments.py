"""Arguments as functions take them: axes, sizes and dtypes, given in any of the forms that NumPy and PyTorch allow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.graph.errors import ArgumentError, DtypeError, ShapeError
from gradcli.graph.state import state
from gradcli.graph.values import Array, CoreValue, Value, concrete
from gradcli.ops.kinds import fits


def settled(x: CoreValue) -> Array:
    """The array below `x`, on which the program's course depends from here on: a recording keeps a guard of it.

    Raises:
        AbstractValue, BatchedBranch: there is no one array below.
    """
    value = concrete(x)
    if state.recording is not None and isinstance(x, Value):
        state.recording.guard(x, value)
    return value


def integer(x: Any, what: str) -> int:
    """A size, index or axis: an int, or a number or 0-d tensor with an integral value. `what` names it in errors.

    Raises:
        ArgumentError: it is none of these.
    """
    if type(x) is int:
        return x
    if isinstance(x, Value | np.ndarray | np.generic):
        value = settled(x)
        if value.size != 1:
            raise ArgumentError(f"{what} must be an integer, not a tensor of shape {fits(value.shape)}")
        x = value.item()
    if isinstance(x, bool | int):
        return int(x)
    if isinstance(x, float) and x.is_integer():
        return int(x)
    raise ArgumentError(f"{what} must be an integer, not {_shown(x)}")


def _shown(x: Any) -> str:
    return repr(x) if isinstance(x, float | complex | str) or x is None else f"a {type(x).__name__}"


def integers(x: Any, what: str) -> tuple[int, ...]:
    """One or several integers as a tuple: an int, a list, tuple or range of them, or a 1-d tensor.

    Raises:
        ArgumentError: it is none of these.
    """
    if isinstance(x, list | tuple | range):
        return tuple(integer(n, what) for n in x)
    if isinstance(x, Value | np.ndarray) and x.ndim == 1:
        return tuple(integer(n, what) for n in settled(x).tolist())
    return (integer(x, what),)


def one_axis(name: str, axis: Any, shape: tuple[int, ...]) -> int:
    """An axis of `shape`, counted from the end (so that a batch axis in front changes nothing).

    Raises:
        ShapeError: there is no such axis.
    """
    found = integer(axis, f"{name}: an axis")
    rank = len(shape)
    if not -rank <= found < rank:
        last = max(rank, 1) - 1
        torch = f"Dimension out of range (expected to be in range of [{-last - 1}, {last}], but got {found})"
        raise ShapeError(
            torch if state.torch_semantics else f"{name}: axis {found} is out of range for shape {fits(shape)}",
            mend=f"axes are {-rank} to {rank - 1}" if rank else "it has no axes",
        )
    return found - rank if found >= 0 else found


def many_axes(name: str, axes: Any, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Axes of `shape`, counted from the end, in the order given; None is all of them.

    Raises:
        ShapeError: one does not exist, or is given twice.
    """
    if axes is None:
        return tuple(range(-len(shape), 0))
    found = tuple(one_axis(name, axis, shape) for axis in integers(axes, f"{name}: an axis"))
    if len(set(found)) < len(found):
        twice = next(a for a in found if found.count(a) > 1)
        raise ShapeError(f"{name}: axis {twice} of shape {fits(shape)} is given twice")
    return found


def sizes(name: str, given: Sequence[Any]) -> tuple[int, ...]:
    """Sizes given one by one, or as one list, tuple or tensor of them.

    Raises:
        ArgumentError: they are no integers.
    """
    if len(given) == 1:
        return integers(given[0], f"{name}: a size")
    return tuple(integer(n, f"{name}: a size") for n in given)


_DTYPES: dict[Any, np.dtype[Any]] = {
    word: np.dtype(word)
    for word in (
        [
            "bool",
            "int8",
            "int16",
            "int32",
            "int64",
            "uint8",
            "uint16",
            "uint32",
            "uint64",
            "float16",
            "float32",
            "float64",
            "complex64",
            "complex128",
        ]
    )
}
_ALIASES = {
    "half": "float16",
    "float": "float64",
    "double": "float64",
    "short": "int16",
    "int": "int64",
    "long": "int64",
    "cfloat": "complex64",
    "complex": "complex128",
    "cdouble": "complex128",
    float: "float64",
    int: "int64",
    bool: "bool",
    complex: "complex128",
}


def dtype_named(x: Any) -> np.dtype[Any]:
    """A dtype from what programs give for one: a dtype, its name, or Python's float, int, bool or complex.

    Raises:
        DtypeError: it is none, or of no numbers.
    """
    if isinstance(x, str):
        word = x.rpartition(".")[2]
    elif isinstance(x, np.dtype):
        word = x.name
    elif isinstance(x, type) and issubclass(x, np.generic):
        word = np.dtype(x).name
    else:
        word = x
    try:
        return _DTYPES[_ALIASES.get(word, word)]
    except (KeyError, TypeError):
        shown = x if isinstance(x, str) else repr(x)
        raise DtypeError(
            f"unknown dtype {str(shown)[:60]}", mend="float64, float32, int64, bool and complex128 are known"
        ) from None
