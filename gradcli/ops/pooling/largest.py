"""Max pools, and their counterpart that puts the largest elements back where they stood.

Of tied elements the first of a window, row by row, is chosen and has all of the derivative, as in PyTorch.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, count_of, dtype_of, shape_of
from gradcli.ops.dependence import moved_tangent
from gradcli.ops.exact import filled, largest
from gradcli.ops.function import Case, Function, case
from gradcli.ops.kinds import constant, general
from gradcli.ops.picking import PICKED_BACK, PUT
from gradcli.ops.pooling.geometry import (
    Windows,
    counts_of,
    node_of,
    pooled,
    sliding_windows,
    taps,
)
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped

# --- the largest of a window, and where it stands --------------------------------------------------------------------


def _chosen(x: Any, windows: Windows, late: bool = False) -> tuple[Any, Any]:
    """The largest elements of windows and their flat places; of ties the first, or the last."""
    best, places, step = x, None, 1
    for axis, window in zip(range(-1, -len(windows) - 1, -1), reversed(windows), strict=True):
        best, places = _chosen_along(best, places, axis, taps(window, x.shape[axis]), step, late)
        step *= x.shape[axis]
    return best, places


def _chosen_along(x: Any, places: Any, axis: int, seen: Any, step: int, late: bool) -> tuple[Any, Any]:
    """The same along one axis: `places` is where the elements of x stood along the axes behind it."""
    best: Any = None
    found: Any = None
    for row in seen[::-1] if late else seen:
        source = np.maximum(row, 0)
        each = x.take(source, axis)
        wide = (-1,) + (1,) * (-axis - 1)
        at = (source * step).reshape(wide) + (0 if places is None else places.take(source, axis))
        inside = (row >= 0).reshape(wide)
        if best is None:
            best, found = each, np.where(np.broadcast_to(inside, each.shape), at, -1)
        else:
            better = inside & ((found < 0) | (each > best) | (np.isnan(each) & ~np.isnan(best)))
            best, found = np.where(better, each, best), np.where(better, at, found)
    return best, found


def _spec(x: CoreValue, windows: Windows, dtype: np.dtype[Any]) -> Spec:
    return Spec((*shape_of(x)[: -len(windows)], *counts_of(windows)), dtype)


def _cells(x: Any, windows: Windows) -> list[list[Any]]:
    """The elements of every window, row by row."""
    rank = len(windows)
    lengths = x.shape[x.ndim - rank :]
    seen = [taps(window, n) for window, n in zip(windows, lengths, strict=True)]
    lead = x.reshape(-1, *lengths)
    found = []
    for values in lead:
        for place in np.ndindex(counts_of(windows)):
            rows = [[int(i) for i in t[:, p] if i >= 0] for t, p in zip(seen, place, strict=True)]
            found.append([values[at] for at in product(*rows)])
    return found


def _exact_pool(S: Any, x: Any, *, windows: Windows) -> Any:
    found = [largest(S, cells) for cells in _cells(x, windows)]
    return filled((*x.shape[: x.ndim - len(windows)], *counts_of(windows)), found)


PLACES: Op = constant(
    "max_pool_places",
    lambda x, *, windows: _chosen(x, windows)[1],
    lambda x, *, windows: _spec(x, windows, np.dtype(np.int64)),
    doc="Where the largest elements of windows stand, the first of each; counted row by row over the pooled axes.",
)


def _flat(x: CoreValue, rank: int) -> CoreValue:
    shape = shape_of(x)
    cut = len(shape) - rank
    return reshaped(x, (*shape[:cut], count_of(shape[cut:])))


def _put_back(g: CoreValue, y: CoreValue, x: CoreValue, *, windows: Windows) -> CoreValue:
    rank = len(windows)
    places = _flat(bind(PLACES, x, windows=windows), rank)
    count = count_of(shape_of(x)[-rank:])
    return reshaped(bind(PUT, _flat(g, rank), places, axis=-1, length=count), shape_of(x))


def _taken(ts: Any, y: CoreValue, x: CoreValue, *, windows: Windows) -> CoreValue:
    rank = len(windows)
    places = _flat(bind(PLACES, x, windows=windows), rank)
    return reshaped(bind(PICKED_BACK, _flat(ts[0], rank), places, axis=-1), shape_of(y))


def _ties(x: Any, *, windows: Windows) -> Any:
    return _chosen(x, windows)[1] != _chosen(x, windows, late=True)[1]


LARGEST: Op = general(
    "max_pool",
    lambda x, *, windows: _chosen(x, windows)[0],
    lambda x, *, windows: _spec(x, windows, dtype_of(x)),
    vjps=(_put_back,),
    jvp=_taken,
    meaning=_exact_pool,
    torch=node_of("MaxPoolWithIndices"),
    kink=_ties,
    saves=(0,),
    depends=moved_tangent,
    doc="Largest elements of windows over the last axes.",
)


def largest_of(x: CoreValue, windows: Windows, return_indices: Any) -> Any:
    """The largest elements of windows, and where they stand if that is asked for."""
    found = bind(LARGEST, x, windows=windows)
    return (found, bind(PLACES, x, windows=windows)) if return_indices else found


def _slid(
    name: str,
    rank: int,
    input: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: Any,
    return_indices: Any,
) -> Any:
    x = pooled(name, rank, input)
    windows = sliding_windows(name, x, rank, kernel_size, stride, padding, dilation, ceil_mode)
    return largest_of(x, windows, return_indices)


# --- PyTorch's functions ---------------------------------------------------------------------------------------------

#: The derivative of all max pools in words, and their kinks.
RULE = "vjp: each window's g to its largest element, the first of ties"
KINKS = "ties within a window: the first element, row by row, has all of the derivative, as in PyTorch"
TIED = np.array([[[1.0, 2.0, 2.0, 0.5, -1.0, -1.0]]])


@function(
    real=True,
    family="convolution",
    where="torch F",
    op=LARGEST,
    derivative=RULE,
    kinks=KINKS,
    cases=(
        case((2, 3, 6), 2),
        case((2, 7), 3, 2, 1),
        case((1, 1, 7), 2, 2, 0, 2, True),
        case((1, 2, 5), 2, return_indices=True),
        case(TIED, 3, 1),
    ),
)
def max_pool1d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: Any = False,
    return_indices: Any = False,
) -> Any:
    """Largest elements of windows along the last axis; with return_indices, and where they stand."""
    rest = (stride, padding, dilation, ceil_mode, return_indices)
    return _slid("max_pool1d", 1, input, kernel_size, *rest)


@function(
    real=True,
    family="convolution",
    where="torch F",
    op=LARGEST,
    derivative=RULE,
    kinks=KINKS,
    cases=(
        case((2, 2, 4, 4), 2),
        case((1, 5, 4), [3, 2], [2, 1], 1),
        case((1, 1, 5, 5), 2, 2, 0, 1, True),
        case((1, 1, 5, 6), 2, 1, 1, 2, return_indices=True),
        case(np.zeros((1, 1, 3, 3)), 2, 1),
    ),
)
def max_pool2d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: Any = False,
    return_indices: Any = False,
) -> Any:
    """Largest elements of windows over the last two axes; with return_indices, and where they stand."""
    rest = (stride, padding, dilation, ceil_mode, return_indices)
    return _slid("max_pool2d", 2, input, kernel_size, *rest)


@function(
    real=True,
    family="convolution",
    where="torch F",
    op=LARGEST,
    derivative=RULE,
    kinks=KINKS,
    cases=(case((1, 2, 2, 4, 3), 2, 1), case((1, 3, 3, 3), [1, 2, 3], 2, [0, 1, 1], return_indices=True)),
)
def max_pool3d(
    input: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: Any = False,
    return_indices: Any = False,
) -> Any:
    """Largest elements of windows over the last three axes; with return_indices, and where they stand."""
    rest = (stride, padding, dilation, ceil_mode, return_indices)
    return _slid("max_pool3d", 3, input, kernel_size, *rest)


# --- the same with the places, always --------------------------------------------------------------------------------


def _both(name: str, rank: int, cases: tuple[Case, ...]) -> Function:
    """max_pool with its indices, whatever return_indices says."""

    @function(name, family="convolution", where="F", op=LARGEST, derivative=RULE, kinks=KINKS, real=True, cases=cases)
    def pool(
        input: Any,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: Any = False,
        return_indices: Any = False,
    ) -> Any:
        """Largest elements of windows over the last axes, and where they stand."""
        return _slid(name, rank, input, kernel_size, stride, padding, dilation, ceil_mode, True)

    return pool


max_pool1d_with_indices = _both("max_pool1d_with_indices", 1, (case((1, 2, 5), 2), case((2, 4), 3, 1, 1)))
max_pool2d_with_indices = _both("max_pool2d_with_indices", 2, (case((1, 1, 4, 3), 2, 1),))
max_pool3d_with_indices = _both("max_pool3d_with_indices", 3, (case((1, 1, 2, 3, 2), 2, 1),))
