"""NumPy's borders: of constants, of the value's own elements, or of what is computed of them.

They are put on axis after axis, so that the corners are NumPy's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError
from gradcli.graph.values import CoreValue, dtype_of, shape_of
from gradcli.ops.arguments import integer
from gradcli.ops.axis_order import moveaxis
from gradcli.ops.borders import PAD, Widths, check_something, padded_by_copies, padded_with
from gradcli.ops.casts import cast
from gradcli.ops.elementwise import floor, multiply, subtract
from gradcli.ops.function import case
from gradcli.ops.index_ops import GETITEM
from gradcli.ops.kinds import expanded
from gradcli.ops.operands import as_core
from gradcli.ops.pieces import concatenated
from gradcli.ops.ranges import LINE
from gradcli.ops.registry import function, known
from gradcli.ops.selecting import taken

# --- of constants, and mirrored ---------------------------------------------------------------------------------------


def _by_constants(x: CoreValue, widths: Widths, constants: Any = 0) -> CoreValue:
    rank = len(widths)
    if not isinstance(constants, list | tuple) and not getattr(constants, "ndim", 0):
        return padded_with(x, widths, constants)
    for axis, ((before, after), (low, high)) in enumerate(
        zip(widths, _pairs("constant_values", constants, rank), strict=True)
    ):
        around = ((0, 0),) * (rank - axis - 1)
        x = padded_with(x, ((before, 0), *around), low)
        x = padded_with(x, ((0, after), *around), high)
    return x


def _mirrored(x: CoreValue, widths: Widths, mode: str, kind: Any = "even") -> CoreValue:
    if kind not in ("even", "odd"):
        raise ArgumentError(f"pad: reflect_type is 'even' or 'odd', not {str(kind)[:40]!r}")
    if kind == "even":
        return padded_by_copies(GETITEM, x, widths, mode)
    for axis, pair in enumerate(widths):
        check_something(x, axis, pair)
        if shape_of(x)[axis] > 1:
            x = _turned(x, axis - len(widths), pair, mode == "symmetric")
        else:
            x = padded_by_copies(GETITEM, x, _only(widths, axis), "edge")
    return x


def _only(widths: Widths, axis: int) -> Widths:
    return tuple(pair if i == axis else (0, 0) for i, pair in enumerate(widths))


def _turned(x: CoreValue, axis: int, pair: tuple[int, int], symmetric: bool) -> CoreValue:
    """Mirrored about the points at both ends, over and over until the border is filled; with `symmetric`, those points
    stand twice."""
    left, right = pair
    period = shape_of(x)[axis] if symmetric else shape_of(x)[axis] - 1
    first = 0 if symmetric else 1
    while left or right:
        length = shape_of(x)[axis]
        whole = (length - first) // period * period  # no part of a period is mirrored
        low, high = min(whole, left), min(whole, right)
        before = taken(x, slice(first, first + low), axis)
        after = taken(x, slice(length - first - high, length - first), axis)
        x = concatenated(
            [
                _about(taken(x, slice(0, 1), axis), before, axis),
                x,
                _about(taken(x, slice(length - 1, length), axis), after, axis),
            ],
            axis,
        )
        left, right = left - low, right - high
    return x


def _about(point: CoreValue, part: CoreValue, axis: int) -> CoreValue:
    return subtract(multiply(point, 2), taken(part, slice(None, None, -1), axis))


# --- what is computed of them ----------------------------------------------------------------------------------------


def _axis_by_axis(x: CoreValue, widths: Widths, border: Callable[[CoreValue, int, int, int], CoreValue]) -> CoreValue:
    """`border(value, axis, side, width)` on both sides of every axis; side is 0 in front and 1 behind."""
    rank = len(widths)
    for axis, pair in enumerate(widths):
        check_something(x, axis, pair)
        parts = [border(x, axis, side, width) if width else None for side, width in enumerate(pair)]
        joined = [part for part in (parts[0], x, parts[1]) if part is not None]
        x = concatenated(joined, axis - rank) if len(joined) > 1 else x
    return x


def _ramped(x: CoreValue, widths: Widths, ends: Any = 0) -> CoreValue:
    """A border that leads in even steps from the edge to given ends."""
    pairs = _pairs("end_values", ends, len(widths))
    whole = dtype_of(x).kind in "iu"

    def ramp(x: CoreValue, axis: int, side: int, width: int) -> CoreValue:
        edge = taken(x, -1 if side else 0, axis - len(shape_of(x)))
        end = cast(as_core(pairs[axis][side]), np.result_type(dtype_of(x), np.float64) if whole else dtype_of(x))
        line = moveaxis.call(bind(LINE, end, edge, num=width, endpoint=False), 0, axis)
        line = cast(floor(line) if whole else line, dtype_of(x))
        return taken(line, slice(None, None, -1), axis - len(shape_of(x))) if side else line

    return _axis_by_axis(x, widths, ramp)


_STATISTICS = {"maximum": "amax", "minimum": "amin", "mean": "mean", "median": "median"}


def _by_statistic(x: CoreValue, widths: Widths, mode: str, lengths: Any = None) -> CoreValue:
    """A border of the maximum, minimum, mean or median of so many elements at the edge, or of all."""
    pairs = [(None, None)] * len(widths) if lengths is None else _pairs("stat_length", lengths, len(widths))
    fold = known("numpy", _STATISTICS[mode])

    def statistic(x: CoreValue, axis: int, side: int, width: int) -> CoreValue:
        total, given = shape_of(x)[axis], pairs[axis][side]
        length = total if given is None else min(integer(given, "pad: stat_length"), total)
        if length < 1:
            raise ArgumentError(f"pad: stat_length must be at least 1, not {length}")
        at = axis - len(shape_of(x))
        part = taken(x, slice(total - length, total) if side else slice(0, length), at)
        found = fold(part, axis=at, keepdims=True)
        if dtype_of(x).kind in "iu":
            found = known("numpy", "round")(found)
        shape = shape_of(x)
        return expanded(cast(found, dtype_of(x)), (*shape[:axis], width, *shape[axis + 1 :]))

    return _axis_by_axis(x, widths, statistic)


# --- as NumPy calls it -----------------------------------------------------------------------------------------------


def _pairs(name: str, given: Any, rank: int) -> list[tuple[Any, Any]]:
    """A pair per axis out of NumPy's short forms: one for all, (before, after) for all, or a pair per axis."""
    if hasattr(given, "ndim") and given.ndim:
        given = as_core(given)
        given = [given[i] for i in range(given.shape[0])]
    if not isinstance(given, list | tuple):
        return [(given, given)] * rank
    items = [list(p) if isinstance(p, list | tuple) or np.ndim(p) else p for p in given]
    if len(items) == 1:
        items = items * rank if isinstance(items[0], list) else [[items[0], items[0]]] * rank
    elif len(items) == 2 and not any(isinstance(p, list) for p in items):
        items = [items] * rank
    if len(items) != rank or any(not isinstance(p, list) or len(p) not in (1, 2) for p in items):
        raise ArgumentError(f"pad: {name} must be one, a pair, or a pair for each of {rank} axes")
    return [(p[0], p[-1]) for p in items]


#: What each mode takes beside the widths.
_KEYWORDS = {
    "constant": "constant_values",
    "edge": "",
    "empty": "",
    "linear_ramp": "end_values",
    "maximum": "stat_length",
    "mean": "stat_length",
    "median": "stat_length",
    "minimum": "stat_length",
    "reflect": "reflect_type",
    "symmetric": "reflect_type",
    "wrap": "",
}


def _chosen(mode: Any, given: dict[str, Any]) -> list[Any]:
    """What was given beside the widths, for a mode that takes it.

    Raises:
        ArgumentError: there is no such mode, or it does not take that.
    """
    if not isinstance(mode, str) or mode not in _KEYWORDS:
        raise ArgumentError(f"pad: unknown mode {str(mode)[:40]!r}", mend="one of " + ", ".join(_KEYWORDS))
    present = [name for name, value in given.items() if value is not None]
    wrong = [name for name in present if name != _KEYWORDS[mode]]
    if wrong:
        raise ArgumentError(f"pad: mode '{mode}' does not take {wrong[0]}")
    return [given[name] for name in present]


@function(
    family="shape",
    op=PAD,
    where="numpy",
    derivative="vjp: g without the border, and each part of the border's g to the elements that it is made of",
    kinks="maximum and minimum share g evenly among ties",
    cases=(
        case((3,), 1),
        case((2, 3), [1, 2]),
        case((2, 3), [[1, 0], [0, 2]], constant_values=1.5),
        case((2,), 2, constant_values=[1.0, 2.0]),
        case((4,), 2, mode="edge"),
        case((2, 3), [[1, 1], [2, 1]], mode="reflect"),
        case((3,), [4, 2], mode="symmetric"),
        case((3,), 2, mode="wrap"),
        case((0,), 1),
        case((2, 3), [[1, 0], [2, 3]], mode="linear_ramp"),
        case((3,), 2, mode="linear_ramp", end_values=[1.0, -2.0]),
        case((2, 3), 1, mode="maximum"),
        case((2, 4), [[1, 1], [2, 1]], mode="mean", stat_length=2),
        case((4,), [1, 2], mode="median", stat_length=3),
        case((4,), [1, 2], mode="minimum", stat_length=[[2, 1]]),
        case((3,), [7, 4], mode="reflect", reflect_type="odd"),
        case((2, 3), [[3, 1], [2, 8]], mode="symmetric", reflect_type="odd"),
        case((1, 3), [[2, 1], [0, 0]], mode="reflect", reflect_type="odd"),
        case(np.array([1, 2, 4]), 3, mode="mean"),
        case(np.array([1, 2, 4]), 3, mode="linear_ramp", end_values=9),
    ),
)
def pad(
    x: Any,
    pad_width: Any,
    mode: Any = "constant",
    *,
    constant_values: Any = None,
    end_values: Any = None,
    stat_length: Any = None,
    reflect_type: Any = None,
) -> CoreValue:
    """The value with a border: of constants, of its own elements, or of what is computed of them."""
    given = {
        "constant_values": constant_values,
        "end_values": end_values,
        "stat_length": stat_length,
        "reflect_type": reflect_type,
    }
    how = _chosen(mode, given)
    x = as_core(x)
    pairs = _pairs("pad_width", pad_width, len(shape_of(x)))
    widths = tuple((integer(a, "pad: a width"), integer(b, "pad: a width")) for a, b in pairs)
    if any(n < 0 for pair in widths for n in pair):
        raise ArgumentError("pad: a width can't be negative")
    if mode in ("constant", "empty"):
        return _by_constants(x, widths, *how)
    if mode == "linear_ramp":
        return _ramped(x, widths, *how)
    if mode in _STATISTICS:
        return _by_statistic(x, widths, mode, *how)
    if mode in ("reflect", "symmetric"):
        return _mirrored(x, widths, mode, *how)
    return padded_by_copies(GETITEM, x, widths, mode)
