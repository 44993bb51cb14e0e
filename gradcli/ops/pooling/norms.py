"""Pools by p-norms."""

from __future__ import annotations

from typing import Any

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError
from gradcli.graph.values import CoreValue
from gradcli.ops.elementwise import equal, power, where
from gradcli.ops.function import case
from gradcli.ops.pooling.averages import AVERAGES
from gradcli.ops.pooling.geometry import Adaptive, pooled, sliding_windows
from gradcli.ops.registry import function


def _normed(name: str, rank: int, input: Any, p: Any, kernel_size: Any, stride: Any, ceil_mode: Any) -> CoreValue:
    x = pooled(name, rank, input)
    if isinstance(p, int | float) and p == 0:
        raise ArgumentError(f"{name}: norm_type can't be 0", mend="2 is the Euclidean norm")
    windows = sliding_windows(name, x, rank, kernel_size, stride, 0, 1, ceil_mode)
    count = 1
    for window in windows:
        assert not isinstance(window, Adaptive)
        count *= window.kernel
    sums = bind(AVERAGES, power(x, p), windows=windows, divisor="padded") * count
    nothing = equal(sums, 0)
    return where(nothing, 0.0, power(where(nothing, 1.0, sums), 1.0 / p))


_NORM_RULE = "vjp: g*(x/y)**(p - 1) to all of a window's elements"
_NORM_KINKS = "a window of zeros: 0, where PyTorch has nan"


@function(
    family="convolution",
    where="F",
    derivative=_NORM_RULE,
    kinks=_NORM_KINKS,
    domain=(0.25, 2.0),
    cases=(case((1, 2, 6), 2, 2), case((2, 5), 3, 3, 1), case((1, 1, 5), 1.5, 2, 2, True)),
)
def lp_pool1d(input: Any, norm_type: Any, kernel_size: Any, stride: Any = None, ceil_mode: Any = False) -> CoreValue:
    """sum(x**p)**(1/p) over windows along the last axis."""
    return _normed("lp_pool1d", 1, input, norm_type, kernel_size, stride, ceil_mode)


@function(
    family="convolution",
    where="F",
    derivative=_NORM_RULE,
    kinks=_NORM_KINKS,
    domain=(0.25, 2.0),
    cases=(case((1, 2, 4, 4), 2, 2), case((1, 3, 4), 3, [2, 3], 1)),
)
def lp_pool2d(input: Any, norm_type: Any, kernel_size: Any, stride: Any = None, ceil_mode: Any = False) -> CoreValue:
    """sum(x**p)**(1/p) over windows of the last two axes."""
    return _normed("lp_pool2d", 2, input, norm_type, kernel_size, stride, ceil_mode)


@function(
    family="convolution",
    where="F",
    derivative=_NORM_RULE,
    kinks=_NORM_KINKS,
    domain=(0.25, 2.0),
    cases=(case((1, 1, 2, 2, 3), 2, [1, 2, 2], 1),),
)
def lp_pool3d(input: Any, norm_type: Any, kernel_size: Any, stride: Any = None, ceil_mode: Any = False) -> CoreValue:
    """sum(x**p)**(1/p) over windows of the last three axes."""
    return _normed("lp_pool3d", 3, input, norm_type, kernel_size, stride, ceil_mode)
