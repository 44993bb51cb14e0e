"""Where the windows of pools lie, in the words of torch.nn.functional."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.values import CoreValue, Shape, ndim_of, shape_of
from gradcli.ops.kinds import fits
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.windows import per_axis, pooled_count


class Sliding(NamedTuple):
    """`length` windows along one axis: `kernel` elements, `dilation` apart, the first `before` elements outside."""

    kernel: int
    stride: int
    before: int
    dilation: int
    length: int


class Adaptive(NamedTuple):
    """`length` windows along one axis that share it as evenly as can be, neighbours overlapping by at most one."""

    length: int


Window = Sliding | Adaptive
Windows = tuple[Window, ...]


def counts_of(windows: Windows) -> Shape:
    """How many windows there are along each axis."""
    return tuple(window.length for window in windows)


@lru_cache(maxsize=64)
def taps(window: Window, n: int) -> Any:
    """Which of n elements the windows see: an array [element of the window, window], -1 where there is none."""
    at = np.arange(window.length)
    if isinstance(window, Sliding):
        seen = at * window.stride - window.before + window.dilation * np.arange(window.kernel)[:, None]
        found = np.where((seen >= 0) & (seen < n), seen, -1)
    else:
        first, last = at * n // window.length, -(-(at + 1) * n // window.length)
        seen = first + np.arange(int(np.max(last - first, initial=0)))[:, None]
        found = np.where(seen < last, seen, -1)
    found.flags.writeable = False
    return found


def pooled(name: str, rank: int, input: Any) -> CoreValue:
    """The value to pool over its last `rank` axes.

    Raises:
        ShapeError: it has not the axes for a batch of channels, or for channels alone.
    """
    x = to_float(as_core(input))
    if ndim_of(x) not in (rank + 1, rank + 2):
        raise ShapeError(f"{name} takes an input with {rank + 1} or {rank + 2} axes, not shape {fits(shape_of(x))}")
    return x


def sliding_windows(
    name: str, x: CoreValue, rank: int, kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: Any
) -> Windows:
    """Windows by PyTorch's arguments; without a stride they lie side by side.

    Raises:
        ArgumentError: the padding is more than half of a window, or an argument is no integer in its range.
        ShapeError: not one window fits.
    """
    kernel = per_axis(name, "kernel_size", kernel_size, rank)
    steps = kernel if stride is None else per_axis(name, "stride", stride, rank)
    around, gaps = per_axis(name, "padding", padding, rank, 0), per_axis(name, "dilation", dilation, rank)
    made = []
    for n, k, s, p, d in zip(shape_of(x)[-rank:], kernel, steps, around, gaps, strict=True):
        if 2 * p > d * (k - 1) + 1:
            raise ArgumentError(
                f"{name}: pad should be at most half of effective kernel size, but got pad={p}, kernel_size={k} and "
                f"dilation={d}"
            )
        made.append(Sliding(k, s, p, d, pooled_count(n, k, s, p, d, bool(ceil_mode))))
    if any(window.length < 1 for window in made):
        raise ShapeError(f"{name}: a window of {fits(kernel)} does not fit into shape {fits(shape_of(x)[-rank:])}")
    return tuple(made)


def adaptive_windows(name: str, x: CoreValue, rank: int, output_size: Any) -> Windows:
    """Windows that give a result of a size; None keeps an axis as it is.

    Raises:
        ArgumentError: there is not one size per axis, or one is not positive.
        ShapeError: the value has no elements along an axis.
    """
    given = list(output_size) if isinstance(output_size, list | tuple) else [output_size] * rank
    lengths = shape_of(x)[-rank:]
    if len(given) == rank:
        given = [n if wanted is None else wanted for n, wanted in zip(lengths, given, strict=True)]
    wanted = per_axis(name, "output_size", given if len(given) > 1 else given[0], rank)
    if 0 in lengths:
        raise ShapeError(f"{name}: nothing to pool along an axis of shape {fits(shape_of(x))}")
    return tuple(Adaptive(n) for n in wanted)


def node_of(name: str) -> Callable[..., Any]:
    """PyTorch's node of a pool, whose rank is that of its windows: the one over one axis is one over two there."""

    def torch(operands: Any, params: dict[str, Any]) -> Any:
        windows = params["windows"]
        whole = f"Adaptive{name.removesuffix('WithIndices')}" if isinstance(windows[0], Adaptive) else name
        rank = len(windows)
        title = whole.replace("Pool", f"Pool{max(rank, 2)}D") + "Backward0"
        if rank > 1:
            return (title, (0,))
        return ("SqueezeBackward1", ((title, (("UnsqueezeBackward0", (0,)),)),))

    return torch
