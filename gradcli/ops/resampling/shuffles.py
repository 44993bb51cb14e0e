"""Channels made pixels, pixels made channels, and channels in another order."""

from __future__ import annotations

from typing import Any

from gradcli.graph.bind import bind
from gradcli.graph.errors import ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, dtype_of, ndim_of, shape_of
from gradcli.ops.function import case
from gradcli.ops.kinds import fits, linear
from gradcli.ops.operands import as_core
from gradcli.ops.registry import function
from gradcli.ops.windows import per_axis


def _shuffle(x: Any, *, factor: int) -> Any:
    *lead, channels, rows, columns = x.shape
    parted = x.reshape(*lead, channels // factor**2, factor, factor, rows, columns)
    end = parted.ndim
    order = (*range(end - 4), end - 2, end - 4, end - 1, end - 3)
    return parted.transpose(order).reshape(*lead, channels // factor**2, rows * factor, columns * factor)


def _unshuffle(x: Any, *, factor: int) -> Any:
    *lead, channels, rows, columns = x.shape
    parted = x.reshape(*lead, channels, rows // factor, factor, columns // factor, factor)
    end = parted.ndim
    order = (*range(end - 4), end - 3, end - 1, end - 4, end - 2)
    return parted.transpose(order).reshape(*lead, channels * factor**2, rows // factor, columns // factor)


def _shuffled_shape(x: CoreValue, *, factor: int) -> Spec:
    *lead, channels, rows, columns = shape_of(x)
    return Spec((*lead, channels // factor**2, rows * factor, columns * factor), dtype_of(x))


def _unshuffled_shape(x: CoreValue, *, factor: int) -> Spec:
    *lead, channels, rows, columns = shape_of(x)
    return Spec((*lead, channels * factor**2, rows // factor, columns // factor), dtype_of(x))


def _turned(x: Any, *, groups: int, axis: int) -> Any:
    at = x.ndim + axis
    parted = x.reshape(*x.shape[:at], groups, x.shape[at] // groups, *x.shape[at + 1 :])
    return parted.swapaxes(at, at + 1).reshape(x.shape)


PIXEL_SHUFFLE: Op = linear(
    "pixel_shuffle",
    _shuffle,
    _shuffled_shape,
    transpose=lambda g, x, *, factor: bind(PIXEL_UNSHUFFLE, g, factor=factor),
    torch="PixelShuffle",
    moves="forward",
    doc="Channels laid out as the pixels of a finer image.",
)
PIXEL_UNSHUFFLE: Op = linear(
    "pixel_unshuffle",
    _unshuffle,
    _unshuffled_shape,
    transpose=lambda g, x, *, factor: bind(PIXEL_SHUFFLE, g, factor=factor),
    torch="PixelUnshuffle",
    moves="forward",
    doc="The pixels of an image laid out as channels of a coarser one.",
)
CHANNEL_SHUFFLE: Op = linear(
    "channel_shuffle",
    _turned,
    lambda x, *, groups, axis: Spec(shape_of(x), dtype_of(x)),
    transpose=lambda g, x, *, groups, axis: bind(CHANNEL_SHUFFLE, g, groups=shape_of(x)[axis] // groups, axis=axis),
    torch="ChannelShuffle",
    moves="forward",
    doc="The channels of several groups dealt out in turn.",
)


def _image(name: str, input: Any) -> CoreValue:
    x = as_core(input)
    if ndim_of(x) < 3:
        raise ShapeError(f"{name} takes an input with at least 3 axes, not shape {fits(shape_of(x))}")
    return x


@function(
    family="convolution",
    where="torch F",
    op=PIXEL_SHUFFLE,
    derivative="vjp: pixel_unshuffle(g)",
    cases=(case((1, 8, 2, 3), 2), case((9, 1, 2), 3), case((2, 1, 2, 2), 1)),
)
def pixel_shuffle(input: Any, upscale_factor: Any) -> CoreValue:
    """Channels made pixels: of [..., c*r*r, rows, columns], [..., c, rows*r, columns*r]."""
    x, r = _image("pixel_shuffle", input), per_axis("pixel_shuffle", "upscale_factor", upscale_factor, 1)[0]
    if shape_of(x)[-3] % (r * r):
        raise ShapeError(
            f"pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, "
            f"but input.size(-3)={shape_of(x)[-3]} is not divisible by {r * r}"
        )
    return bind(PIXEL_SHUFFLE, x, factor=r)


@function(
    family="convolution",
    where="torch F",
    op=PIXEL_UNSHUFFLE,
    derivative="vjp: pixel_shuffle(g)",
    cases=(case((1, 2, 4, 6), 2), case((1, 3, 6), 3)),
)
def pixel_unshuffle(input: Any, downscale_factor: Any) -> CoreValue:
    """Pixels made channels: of [..., c, rows*r, columns*r], [..., c*r*r, rows, columns]."""
    x, r = _image("pixel_unshuffle", input), per_axis("pixel_unshuffle", "downscale_factor", downscale_factor, 1)[0]
    if any(n % r for n in shape_of(x)[-2:]):
        raise ShapeError(
            f"pixel_unshuffle expects height and width to be divisible by downscale_factor, but "
            f"{fits(shape_of(x)[-2:])} is not divisible by {r}"
        )
    return bind(PIXEL_UNSHUFFLE, x, factor=r)


@function(
    family="convolution",
    where="torch F",
    also=("torch.nn.functional.native_channel_shuffle", "torch.native_channel_shuffle"),
    op=CHANNEL_SHUFFLE,
    derivative="vjp: the channels of g in their first order",
    cases=(case((2, 6, 2), 2), case((1, 6, 1, 2), 3)),
)
def channel_shuffle(input: Any, groups: Any) -> CoreValue:
    """The channels (the second axis) of several groups dealt out in turn."""
    x, count = _image("channel_shuffle", input), per_axis("channel_shuffle", "groups", groups, 1)[0]
    if shape_of(x)[1] % count:
        raise ShapeError(
            f"channel_shuffle: number of channels must be divisible by groups. Got {shape_of(x)[1]} channels and "
            f"{count} groups."
        )
    return bind(CHANNEL_SHUFFLE, x, groups=count, axis=1 - ndim_of(x))
