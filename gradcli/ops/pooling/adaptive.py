"""Max pools with as many windows as are asked for."""

from __future__ import annotations

from typing import Any

from gradcli.ops.function import Case, Function, case
from gradcli.ops.pooling.geometry import adaptive_windows, pooled
from gradcli.ops.pooling.largest import KINKS, LARGEST, RULE, TIED, largest_of
from gradcli.ops.registry import function


def _adapted(name: str, rank: int, input: Any, output_size: Any, return_indices: Any) -> Any:
    x = pooled(name, rank, input)
    return largest_of(x, adaptive_windows(name, x, rank, output_size), return_indices)


@function(
    real=True,
    family="convolution",
    where="F",
    op=LARGEST,
    derivative=RULE,
    kinks=KINKS,
    cases=(case((2, 2, 5), 3), case((2, 4), 1, True), case((1, 1, 3), 5), case(TIED, 2)),
)
def adaptive_max_pool1d(input: Any, output_size: Any, return_indices: Any = False) -> Any:
    """Largest elements of windows along the last axis, as many as asked for."""
    return _adapted("adaptive_max_pool1d", 1, input, output_size, return_indices)


@function(
    real=True,
    family="convolution",
    where="F",
    op=LARGEST,
    derivative=RULE,
    kinks=KINKS,
    cases=(case((1, 2, 5, 4), 3), case((2, 4, 3), [2, None], True), case((1, 2, 3, 4), 1)),
)
def adaptive_max_pool2d(input: Any, output_size: Any, return_indices: Any = False) -> Any:
    """Largest elements of windows over the last two axes, as many as asked for."""
    return _adapted("adaptive_max_pool2d", 2, input, output_size, return_indices)


@function(
    real=True,
    family="convolution",
    where="F",
    op=LARGEST,
    derivative=RULE,
    kinks=KINKS,
    cases=(case((1, 1, 3, 4, 2), [2, 3, None]),),
)
def adaptive_max_pool3d(input: Any, output_size: Any, return_indices: Any = False) -> Any:
    """Largest elements of windows over the last three axes, as many as asked for."""
    return _adapted("adaptive_max_pool3d", 3, input, output_size, return_indices)


def _both_adapted(name: str, rank: int, cases: tuple[Case, ...]) -> Function:
    """adaptive_max_pool with its indices, whatever return_indices says."""

    @function(name, family="convolution", where="F", op=LARGEST, derivative=RULE, kinks=KINKS, real=True, cases=cases)
    def pool(input: Any, output_size: Any, return_indices: Any = False) -> Any:
        """Largest elements of windows over the last axes, as many as asked for, and where they stand."""
        return _adapted(name, rank, input, output_size, True)

    return pool


adaptive_max_pool1d_with_indices = _both_adapted("adaptive_max_pool1d_with_indices", 1, (case((1, 2, 5), 2),))

adaptive_max_pool2d_with_indices = _both_adapted("adaptive_max_pool2d_with_indices", 2, (case((1, 1, 4, 3), 2),))

adaptive_max_pool3d_with_indices = _both_adapted("adaptive_max_pool3d_with_indices", 3, (case((1, 1, 2, 3, 2), 1),))
