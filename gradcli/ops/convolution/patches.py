"""Patches: windows of an image laid out as columns, and columns added up to an image again."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Shape, Spec, count_of, dtype_of, ndim_of, shape_of
from gradcli.ops.function import case
from gradcli.ops.kinds import fits, linear
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.registry import function
from gradcli.ops.windows import Pads, check_fits, per_axis, sliding, surrounded, window_count


def _counts(lengths: Shape, kernel: Shape, stride: Shape, dilation: Shape, pads: Pads) -> Shape:
    """How many windows there are along each axis."""
    each = zip(lengths, kernel, stride, dilation, pads, strict=True)
    return tuple(window_count(n + low + high, k, s, d) for n, k, s, d, (low, high) in each)


# --- the ops ---------------------------------------------------------------------------------------------------------


def _unfold(x: Any, *, kernel: Shape, stride: Shape, dilation: Shape, pads: Pads) -> Any:
    rank = len(kernel)
    windows = sliding(surrounded(x, (1,) * rank, pads), kernel, stride, dilation)
    lead, counts = x.shape[: -rank - 1], windows.shape[-rank:]
    return windows.reshape(*lead, x.shape[-rank - 1] * count_of(kernel), count_of(counts))


def _unfold_shape(x: CoreValue, *, kernel: Shape, stride: Shape, dilation: Shape, pads: Pads) -> Spec:
    shape, rank = shape_of(x), len(kernel)
    counts = _counts(shape[-rank:], kernel, stride, dilation, pads)
    return Spec((*shape[: -rank - 1], shape[-rank - 1] * count_of(kernel), count_of(counts)), dtype_of(x))


def _fold(g: Any, *, kernel: Shape, stride: Shape, dilation: Shape, pads: Pads, lengths: Shape) -> Any:
    counts = _counts(lengths, kernel, stride, dilation, pads)
    lead, channels = g.shape[:-2], g.shape[-2] // count_of(kernel)
    columns = g.reshape(*lead, channels, *kernel, *counts)
    whole = tuple(n + low + high for n, (low, high) in zip(lengths, pads, strict=True))
    made = np.zeros((*lead, channels, *whole), g.dtype)
    for k in np.ndindex(kernel):
        each = zip(k, counts, stride, dilation, strict=True)
        into: Any = (..., *(slice(i * d, i * d + (n - 1) * s + 1, s) for i, n, s, d in each))
        made[into] += columns[(..., *k, *(slice(None),) * len(kernel))]
    inside: Any = (..., *(slice(low, low + n) for n, (low, _) in zip(lengths, pads, strict=True)))
    return made[inside]


def _fold_shape(g: CoreValue, *, kernel: Shape, lengths: Shape, **_: Any) -> Spec:
    shape = shape_of(g)
    return Spec((*shape[:-2], shape[-2] // count_of(kernel), *lengths), dtype_of(g))


UNFOLD: Op = linear(
    "unfold_patches",
    _unfold,
    _unfold_shape,
    transpose=lambda g, x, **geometry: bind(FOLD, g, **geometry, lengths=shape_of(x)[-len(geometry["kernel"]) :]),
    torch="Im2Col",
    moves="forward",
    doc="Windows over the last axes as columns.",
)
FOLD: Op = linear(
    "fold",
    _fold,
    _fold_shape,
    transpose=lambda g, x, *, lengths, **geometry: bind(UNFOLD, g, **geometry),
    torch="Col2Im",
    moves="back",
    doc="Columns added up where their windows lie.",
)


# --- PyTorch's functions ---------------------------------------------------------------------------------------------


def _geometry(name: str, kernel_size: Any, dilation: Any, padding: Any, stride: Any) -> dict[str, Any]:
    return {
        "kernel": per_axis(name, "kernel_size", kernel_size, 2),
        "stride": per_axis(name, "stride", stride, 2),
        "dilation": per_axis(name, "dilation", dilation, 2),
        "pads": tuple((n, n) for n in per_axis(name, "padding", padding, 2, 0)),
    }


@function(
    "unfold_patches",
    family="convolution",
    where="",
    also=("torch.nn.functional.unfold",),
    op=UNFOLD,
    derivative="vjp: fold(g)",
    cases=(
        case((2, 2, 3, 4), 2),
        case((2, 4, 3), [2, 1], 1, 1, [1, 2]),
        case((1, 1, 5, 5), [2, 3], dilation=2, padding=[1, 0]),
    ),
)
def unfold_patches(input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> CoreValue:
    """Windows over an image as columns: of [batch, channels, rows, columns], [batch, channels and window, windows]."""
    x = to_float(as_core(input))
    if ndim_of(x) not in (3, 4):
        raise ShapeError(f"unfold takes an input with 3 or 4 axes, not shape {fits(shape_of(x))}")
    geometry = _geometry("unfold", kernel_size, dilation, padding, stride)
    padded = tuple(n + a + b for n, (a, b) in zip(shape_of(x)[-2:], geometry["pads"], strict=True))
    check_fits("unfold", padded, geometry["kernel"], geometry["dilation"])
    return bind(UNFOLD, x, **geometry)


@function(
    family="convolution",
    where="F",
    op=FOLD,
    derivative="vjp: unfold(g)",
    cases=(
        case((2, 8, 6), [3, 4], 2),
        case((4, 15), [4, 3], [2, 1], 1, 1, [1, 2]),
        case((1, 6, 5), 5, [2, 3], dilation=2, padding=[1, 0]),
    ),
)
def fold(
    input: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> CoreValue:
    """Columns of windows added up to an image of output_size, the transpose of unfold."""
    x = to_float(as_core(input))
    if ndim_of(x) not in (2, 3):
        raise ShapeError(f"fold takes an input with 2 or 3 axes, not shape {fits(shape_of(x))}")
    geometry = _geometry("fold", kernel_size, dilation, padding, stride)
    lengths = per_axis("fold", "output_size", output_size, 2)
    _check_columns(x, lengths, geometry)
    return bind(FOLD, x, **geometry, lengths=lengths)


def _check_columns(x: CoreValue, lengths: Shape, geometry: dict[str, Any]) -> None:
    window = count_of(geometry["kernel"])
    if shape_of(x)[-2] % window:
        raise ShapeError(
            f"fold: {shape_of(x)[-2]} rows of shape {fits(shape_of(x))} are no multiple of the {window} elements of a "
            "window"
        )
    counts = _counts(lengths, **geometry)
    if count_of(counts) != shape_of(x)[-1]:
        raise ShapeError(
            f"fold: an image of {fits(lengths)} has {counts[0]} x {counts[1]} windows, shape {fits(shape_of(x))} has "
            f"{shape_of(x)[-1]} columns"
        )
