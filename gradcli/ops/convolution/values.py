"""Convolutions of arrays: windows side by side and one product of matrices, or elements spread and added up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from gradcli.graph.budget import budget
from gradcli.graph.values import Shape, count_of
from gradcli.ops.windows import Pads, sliding, spread_length, surrounded, window_count

#: Windows are laid out side by side for a product of matrices in blocks of about so many bytes.
_BLOCK = 1 << 22


def lengths_around(x: Shape, pads: Pads, spread: Shape) -> Shape:
    """The lengths of x'."""
    inner = zip(x[2:], spread, pads, strict=True)
    return tuple(spread_length(n, s) + before + after for n, s, (before, after) in inner)


def counts_of(x: Shape, kernel: Shape, *, stride: Shape, pads: Pads, dilation: Shape, spread: Shape) -> Shape:
    """How many results there are along each axis."""
    each = zip(lengths_around(x, pads, spread), kernel, stride, dilation, strict=True)
    return tuple(window_count(*one) for one in each)


def _turned_array(w: Any, groups: int) -> Any:
    """A kernel turned over: channels for outputs, each axis from its end."""
    parted = w.reshape(groups, w.shape[0] // groups, *w.shape[1:]).swapaxes(1, 2)
    flat = parted.reshape(groups * w.shape[1], *parted.shape[2:])
    return np.flip(flat, tuple(range(2, flat.ndim)))


def _blocks(count: int, rows: int, row_bytes: int) -> Iterator[tuple[slice, slice]]:
    """Parts that are worked on at once: some values of a batch, or where one is large, some rows of one."""
    step = max(1, _BLOCK // max(1, row_bytes))
    if step >= rows:
        several = step // max(1, rows)
        for start in range(0, count, several):
            yield slice(start, start + several), slice(None)
        return
    for one in range(count):
        for start in range(0, rows, step):
            yield slice(one, one + 1), slice(start, start + step)


def convolved(
    x: Any, w: Any, *, stride: Shape, pads: Pads, dilation: Shape, spread: Shape, groups: int, turned: bool
) -> Any:
    """The sums of products of `gradcli.ops.convolution.sums`, of arrays."""
    if turned:
        w = _turned_array(w, groups)
    counts = counts_of(x.shape, w.shape[2:], stride=stride, pads=pads, dilation=dilation, spread=spread)
    parted = x.reshape(x.shape[0], groups, x.shape[1] // groups, *x.shape[2:])
    weights = w.reshape(groups, w.shape[0] // groups, *w.shape[1:])
    outward, inward = weights.shape[1] * count_of(x.shape[2:]), weights.shape[2] * count_of(counts)
    if set(stride) == {1} and 2 * outward < inward:
        made = _scattered(parted, weights, counts, pads, dilation, spread)
    else:
        made = _gathered(surrounded(parted, spread, pads), weights, counts, stride, dilation)
    return made.reshape(x.shape[0], w.shape[0], *counts)


def _gathered(x: Any, w: Any, counts: Shape, stride: Shape, dilation: Shape) -> Any:
    """Every result from the window it sees: windows [channel and kernel, count] are multiplied by the kernel."""
    kernel = w.shape[3:]
    windows = sliding(x, kernel, stride, dilation)
    matrix = w.reshape(*w.shape[:2], count_of(w.shape[2:]))
    made = np.empty((*x.shape[:2], w.shape[1], *counts), np.result_type(x, w))
    row = x.shape[1] * matrix.shape[2] * count_of(counts[1:]) * windows.itemsize
    budget.charge(min(x.shape[0] * counts[0] * row, max(row, _BLOCK)), "convolution")
    whole = (slice(None),) * (2 + len(kernel))
    for batch, rows in _blocks(x.shape[0], counts[0], row):
        found = matrix @ _columns(windows[(batch, *whole, rows)], len(kernel))
        here = made[batch, :, :, rows]
        here[...] = found.reshape(here.shape)
    return made


def _columns(windows: Any, rank: int) -> Any:
    """Windows [batch, group, channel, kernel..., counts...] as matrices [channel and kernel, counts]; laid out in rows
    where those are the longer runs of memory."""
    lead, inner, counts = windows.shape[:2], windows.shape[2 : 3 + rank], windows.shape[3 + rank :]
    if inner[-1] <= counts[-1]:
        return windows.reshape(*lead, count_of(inner), count_of(counts))
    order = (0, 1, *range(3 + rank, 3 + 2 * rank), *range(2, 3 + rank))
    return windows.transpose(order).reshape(*lead, count_of(counts), count_of(inner)).swapaxes(-1, -2)


def _scattered(x: Any, w: Any, counts: Shape, pads: Pads, dilation: Shape, spread: Shape) -> Any:
    """Every element added to the results that see it, which are the fewer products where elements lie far apart."""
    kernel, lengths = w.shape[3:], x.shape[3:]
    matrix = np.moveaxis(w, 2, -1).reshape(w.shape[0], w.shape[1] * count_of(kernel), w.shape[2])
    made = np.zeros((*x.shape[:2], w.shape[1], *counts), np.result_type(x, w))
    size = x.shape[1] * matrix.shape[1] * count_of(lengths) * made.itemsize
    budget.charge(min(x.shape[0] * size, max(size, _BLOCK)), "convolution")
    for batch, _ in _blocks(x.shape[0], 1, size):
        flat = x[batch].reshape(*x[batch].shape[:3], count_of(lengths))
        products = (matrix @ flat).reshape(*flat.shape[:2], w.shape[1], *kernel, *lengths)
        for k in np.ndindex(kernel):
            into, out_of = _landing(k, lengths, counts, pads, dilation, spread)
            at: Any = (batch, ..., *into)
            made[at] += products[(slice(None),) * 3 + (*k, *out_of)]
    return made


def _landing(
    k: Shape, lengths: Shape, counts: Shape, pads: Pads, dilation: Shape, spread: Shape
) -> tuple[list[slice], list[slice]]:
    """Where elements land by way of a kernel's element, at a stride of 1, and which of them land anywhere."""
    into, out_of = [], []
    for i, n, count, (before, _), gap, apart in zip(k, lengths, counts, pads, dilation, spread, strict=True):
        at = before - i * gap
        first = max(0, -(at // apart))
        last = max(first, min(n, -((at - count) // apart)))
        out_of.append(slice(first, last))
        into.append(slice(at + first * apart, max(0, at + (last - 1) * apart + 1) if last > first else 0, apart))
    return into, out_of
