"""Average pools, and those by p-norms."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Shape, Spec, dtype_of, shape_of
from gradcli.ops.arguments import integer
from gradcli.ops.axes import axes_of
from gradcli.ops.dependence import mapped_last
from gradcli.ops.function import case
from gradcli.ops.kinds import linear
from gradcli.ops.pooling.geometry import (
    Sliding,
    Window,
    Windows,
    adaptive_windows,
    counts_of,
    node_of,
    pooled,
    sliding_windows,
    taps,
)
from gradcli.ops.reduction import average
from gradcli.ops.registry import function
from gradcli.ops.singleton_axes import expand_dims, squeeze
from gradcli.ops.windows import add_along, along

#: What sums are divided by: a number, the elements that a window sees, or those and the padding that it sees.
Divisor = int | float | str


# --- sums over windows -----------------------------------------------------------------------------------------------


def _divided(sums: Any, windows: Windows, lengths: Shape, divisor: Divisor) -> Any:
    """Sums over their divisors, which differ where windows reach beyond the value."""
    if not isinstance(divisor, str):
        return sums / divisor
    found = sums
    for axis, (window, n) in enumerate(zip(windows, lengths, strict=True), start=-len(windows)):
        counts = _seen(window, n, divisor)
        if sums.dtype != object:
            counts = counts.astype(sums.real.dtype)
        found = found / counts.reshape((-1,) + (1,) * (-axis - 1))
    return found


def _seen(window: Window, n: int, divisor: str) -> Any:
    """How many elements each window along an axis counts."""
    if divisor == "padded" and isinstance(window, Sliding):
        first = np.arange(window.length) * window.stride - window.before
        return np.minimum(first + window.kernel, n + window.before) - first
    return (taps(window, n) >= 0).sum(axis=0)


def _runs(window: Window, n: int) -> list[tuple[Any, Any]]:
    """For each element of the window, the windows that have it, and where it stands."""
    return [(np.flatnonzero(row >= 0), row[row >= 0]) for row in taps(window, n)]


def _replaced(shape: Shape, axis: int, n: int) -> Shape:
    found = list(shape)
    found[axis] = n
    return tuple(found)


def _window_sums(x: Any, windows: Windows) -> Any:
    found = x
    for axis, window in enumerate(windows, start=-len(windows)):
        made = np.zeros(_replaced(found.shape, axis, window.length), x.dtype)
        for into, out_of in _runs(window, x.shape[axis]):
            made[along(axis, into)] += found[along(axis, out_of)]
        found = made
    return found


def _spread_sums(g: Any, windows: Windows, lengths: Shape) -> Any:
    found = g
    for axis, (window, n) in enumerate(zip(windows, lengths, strict=True), start=-len(windows)):
        made = np.zeros(_replaced(found.shape, axis, n), g.dtype)
        for out_of, into in _runs(window, n):
            add_along(made, axis, into, found[along(axis, out_of)])
        found = made
    return found


# --- the ops ---------------------------------------------------------------------------------------------------------


def _pool(x: Any, *, windows: Windows, divisor: Divisor) -> Any:
    return _divided(_window_sums(x, windows), windows, x.shape[-len(windows) :], divisor)


def _pool_shape(x: CoreValue, *, windows: Windows, divisor: Divisor) -> Spec:
    return Spec((*shape_of(x)[: -len(windows)], *counts_of(windows)), dtype_of(x))


def _unpool(g: Any, *, windows: Windows, divisor: Divisor, lengths: Shape) -> Any:
    return _spread_sums(_divided(g, windows, lengths, divisor), windows, lengths)


def _unpool_shape(g: CoreValue, *, windows: Windows, divisor: Divisor, lengths: Shape) -> Spec:
    return Spec((*shape_of(g)[: -len(windows)], *lengths), dtype_of(g))


def _pool_back(g: CoreValue, x: CoreValue, *, windows: Windows, divisor: Divisor) -> CoreValue:
    return bind(AVERAGES_BACK, g, windows=windows, divisor=divisor, lengths=shape_of(x)[-len(windows) :])


AVERAGES: Op = linear(
    "avg_pool",
    _pool,
    _pool_shape,
    transpose=_pool_back,
    torch=node_of("AvgPool"),
    depends=mapped_last("windows"),
    doc="Means over windows of the last axes.",
)
AVERAGES_BACK: Op = linear(
    "avg_pool_back",
    _unpool,
    _unpool_shape,
    transpose=lambda g, y, *, windows, divisor, lengths: bind(AVERAGES, g, windows=windows, divisor=divisor),
    depends=mapped_last("windows"),
    doc="The elements of means over windows, each given its share.",
)


# --- PyTorch's functions ---------------------------------------------------------------------------------------------


def _averaged(
    name: str,
    rank: int,
    input: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    ceil_mode: Any,
    count_include_pad: Any,
    divisor_override: Any = None,
) -> CoreValue:
    x = pooled(name, rank, input)
    windows = sliding_windows(name, x, rank, kernel_size, stride, padding, 1, ceil_mode)
    divisor: Divisor = "padded" if count_include_pad else "inside"
    if divisor_override is not None:
        divisor = integer(divisor_override, f"{name}: divisor_override")
        if divisor == 0:
            raise ArgumentError(f"{name}: divisor must be not zero")
    return bind(AVERAGES, x, windows=windows, divisor=divisor)


_RULE = "vjp: each window's g over its divisor, to all its elements"


@function(
    family="convolution",
    where="torch F",
    op=AVERAGES,
    derivative=_RULE,
    cases=(
        case((2, 3, 6), 2),
        case((2, 7), 3, 2, 1),
        case((1, 1, 6), 4, 3, 2, True),
        case((1, 2, 6), 4, 3, 1, True, False),
    ),
)
def avg_pool1d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: Any = False,
    count_include_pad: Any = True,
) -> CoreValue:
    """Means over windows along the last axis."""
    return _averaged("avg_pool1d", 1, input, kernel_size, stride, padding, ceil_mode, count_include_pad)


_PLANES = (
    case((2, 2, 4, 4), 2),
    case((1, 5, 4), [3, 2], [2, 1], 1),
    case((1, 1, 5, 5), 3, 2, 1, True, False),
    case((1, 1, 5, 5), 2, 2, 0, True),
    case((1, 1, 4, 5), 2, divisor_override=3),
)


@function(family="convolution", where="F", op=AVERAGES, derivative=_RULE, cases=_PLANES)
def avg_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: Any = False,
    count_include_pad: Any = True,
    divisor_override: Any = None,
) -> CoreValue:
    """Means over windows of the last two axes."""
    rest = (stride, padding, ceil_mode, count_include_pad, divisor_override)
    return _averaged("avg_pool2d", 2, input, kernel_size, *rest)


@function(
    family="convolution",
    where="F",
    op=AVERAGES,
    derivative=_RULE,
    cases=(case((1, 1, 2, 4, 3), 2, 1), case((1, 3, 3, 3), [1, 2, 3], 2, [0, 1, 1], True, False)),
)
def avg_pool3d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: Any = False,
    count_include_pad: Any = True,
    divisor_override: Any = None,
) -> CoreValue:
    """Means over windows of the last three axes."""
    rest = (stride, padding, ceil_mode, count_include_pad, divisor_override)
    return _averaged("avg_pool3d", 3, input, kernel_size, *rest)


def _averaged_whole(name: str, x: CoreValue, rank: int) -> CoreValue:
    """One window over all, which is a mean to PyTorch."""
    if rank == 2:
        return average(x, axes_of(name, (-2, -1), x), True)
    wide = expand_dims(x, -2)
    return squeeze(average(wide, axes_of(name, (-2, -1), wide), True), -2)


def _adapted(name: str, rank: int, input: Any, output_size: Any) -> CoreValue:
    x = pooled(name, rank, input)
    windows = adaptive_windows(name, x, rank, output_size)
    if rank < 3 and set(counts_of(windows)) == {1}:
        return _averaged_whole(name, x, rank)
    return bind(AVERAGES, x, windows=windows, divisor="inside")


@function(
    family="convolution",
    where="torch F",
    op=AVERAGES,
    derivative=_RULE,
    cases=(case((2, 2, 5), 3), case((2, 4), 1), case((1, 1, 3), 5)),
)
def adaptive_avg_pool1d(input: Any, output_size: Any) -> CoreValue:
    """Means over windows along the last axis, as many as asked for."""
    return _adapted("adaptive_avg_pool1d", 1, input, output_size)


@function(
    family="convolution",
    where="F",
    op=AVERAGES,
    derivative=_RULE,
    cases=(case((1, 2, 5, 4), 3), case((2, 4, 3), [2, None]), case((1, 2, 3, 4), 1), case((1, 2, 2, 3), [3, 5])),
)
def adaptive_avg_pool2d(input: Any, output_size: Any) -> CoreValue:
    """Means over windows of the last two axes, as many as asked for."""
    return _adapted("adaptive_avg_pool2d", 2, input, output_size)


@function(family="convolution", where="F", op=AVERAGES, derivative=_RULE, cases=(case((1, 1, 3, 4, 2), [2, 3, None]),))
def adaptive_avg_pool3d(input: Any, output_size: Any) -> CoreValue:
    """Means over windows of the last three axes, as many as asked for."""
    return _adapted("adaptive_avg_pool3d", 3, input, output_size)
