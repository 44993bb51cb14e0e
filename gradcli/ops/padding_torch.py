"""Borders as PyTorch puts them on: pairs of widths from the last axis on, negative ones cut off."""

from __future__ import annotations

from typing import Any

from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Shape, shape_of
from gradcli.ops.arguments import integers
from gradcli.ops.borders import PAD, Widths, padded_by_copies, padded_with
from gradcli.ops.function import case
from gradcli.ops.index_ops import reading
from gradcli.ops.indexing import getitem
from gradcli.ops.kinds import fits
from gradcli.ops.operands import as_core
from gradcli.ops.registry import function

#: PyTorch's names: NumPy's, and what its nodes are called.
_MODES = {"reflect": ("reflect", "ReflectionPad"), "replicate": ("edge", "ReplicationPad"), "circular": ("wrap", "")}


def _node(mode: str, axes: int) -> Any:
    title = _MODES[mode][1]
    return f"{title}{axes}D" if title else lambda operands, params: ("CopySlices", (0,))


_OPS: dict[tuple[str, int], Op] = {
    (mode, axes): reading(f"pad_{mode}", _node(mode, axes), doc="The value with a border of its own elements.")
    for mode in _MODES
    for axes in (1, 2, 3)
}


def _check_border(mode: str, shape: Shape, given: tuple[int, ...]) -> int:
    """The number of axes that get a border of the value's own elements.

    Raises:
        ArgumentError: PyTorch puts none on so many.
        ShapeError: the border is wider than what it is made of.
    """
    axes, rank = len(given) // 2, len(shape)
    if not 1 <= axes <= 3 or rank - axes not in (1, 2):
        raise ArgumentError(
            f"pad: {len(given)} widths are given for a border in mode '{mode}' around shape {fits(shape)}",
            mend="2 widths for 2 or 3 axes, 4 for 3 or 4, 6 for 4 or 5",
        )
    for i in range(axes):
        before, after = given[2 * i : 2 * i + 2]
        at = rank - 1 - i
        if mode == "reflect" and max(before, after) >= shape[at]:
            raise ShapeError(
                f"pad: a border of ({before}, {after}) is too wide to be reflected from axis {at} of shape "
                f"{fits(shape)}",
                mend="it must be less than the axis",
            )
        if mode == "circular" and max(before, after) > shape[at]:
            raise ShapeError("Padding value causes wrapping around more than once.")
    return axes


@function(
    "pad_torch",
    family="shape",
    op=PAD,
    where="",
    also=("torch.nn.functional.pad",),
    derivative="vjp: g without the border, and the border's g to the elements that it is made of",
    cases=(
        case((2, 3), [1, 2]),
        case((2, 3), [1, 0, 0, 2], value=1.5),
        case((2, 3), [-1, 1]),
        case((1, 2, 4), [2, 1], mode="reflect"),
        case((1, 2, 4), [2, 1], mode="replicate"),
        case((1, 2, 4), [2, 1], mode="circular"),
        case((2, 3, 4), [2, 1, 1, 2], mode="reflect"),
        case((1, 2, 4), [-1, 2], mode="reflect"),
        case((1, 2, 4), [-1, 2], mode="circular"),
        case((2, 4), [3, -2], mode="replicate"),
        case((1, 2, 2, 2), [1, 1, 0, 1], mode="replicate"),
        case((2, 2, 3), [1, 0, 0, 1], mode="circular"),
        case((1, 2, 2, 2), [1, 0, 0, 1, 1, 1], mode="reflect"),
        case((1, 2, 2, 2), [1, 0, 0, 1, 1, 1], mode="replicate"),
        case((1, 2, 2, 2), [1, 0, 0, 1, 1, 1], mode="circular"),
    ),
)
def pad_torch(input: Any, pad: Any, mode: Any = "constant", value: Any = None) -> CoreValue:
    """The value with a border, pairs of widths given from the last axis on; negative ones cut off."""
    x = as_core(input)
    rank, given = len(shape_of(x)), integers(pad, "pad: a width")
    if len(given) % 2 or len(given) > 2 * rank:
        raise ArgumentError(
            f"pad: {len(given)} widths are given; shape {fits(shape_of(x))} takes pairs, at most {rank}"
        )
    pairs = [(given[i], given[i + 1]) for i in range(0, len(given), 2)]
    widths = ((0, 0),) * (rank - len(pairs)) + tuple(reversed(pairs))
    if mode != "constant" and mode not in _MODES:
        raise ArgumentError(
            f"pad: unknown mode {str(mode)[:40]!r}", mend="one of constant, reflect, replicate, circular"
        )
    if mode != "constant":
        op = _OPS[mode, _check_border(mode, shape_of(x), given)]
        return padded_by_copies(op, x, widths, _MODES[mode][0])
    cut = tuple(slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(shape_of(x), widths, strict=True))
    border: Widths = tuple((max(a, 0), max(b, 0)) for a, b in widths)
    return padded_with(x if border == widths else getitem.call(x, cut), border, 0 if value is None else value)


@function(
    family="shape",
    op=PAD,
    where="torch",
    derivative="vjp: g without the border",
    cases=(case((2, 3), [1, 2]), case((2, 3), [0, 1, -1, 0], 1.5)),
)
def constant_pad_nd(input: Any, pad: Any, value: Any = 0) -> CoreValue:
    """The value with a border of one number, pairs of widths given from the last axis on."""
    return pad_torch.call(input, pad, "constant", value)
