"""Which elements of a value and of a kernel each element of their convolution depends on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.graph.op import Op
from gradcli.graph.values import Array, count_of, shape_of
from gradcli.ops.convolution.values import convolved
from gradcli.ops.dependence import Dependence, Link, Pairs, broadcast_link, numbered


def convolution_depends(
    op: Op, operands: Sequence[Any], y: Any, params: dict[str, Any], wanted: Sequence[bool]
) -> list[Dependence]:
    """Of a value what the kernel covers, of a kernel what belongs to the output's channel, of a bias one number."""
    x, w = operands[:2]
    found: list[Dependence] = [
        _by_value(x, w, wanted[1], params) if wanted[0] else None,
        _by_kernel(shape_of(w), shape_of(y), params) if wanted[1] else None,
    ]
    if len(operands) > 2:
        column = (*shape_of(operands[2]), *(1,) * (len(shape_of(w)) - 2))
        found.append(broadcast_link(column, shape_of(y)) if wanted[2] else None)
    return found


def _by_value(x: Any, w: Any, varies: bool, params: dict[str, Any]) -> Pairs:
    """A kernel with a single 1 moves the numbers of the elements to where they are read; one after the other."""
    numbers = numbered(shape_of(x)).astype(np.float64) + 1
    inputs, outputs = (0, 1) if params["turned"] else (1, 0)
    rows, columns = [], []
    for place in np.ndindex(tuple(n for axis, n in enumerate(shape_of(w)) if axis != outputs)):
        at: Any = (slice(None), *place) if outputs == 0 else (place[0], slice(None), *place[1:])
        if not varies and not np.any(np.asarray(w)[at]):
            continue
        single = np.zeros(shape_of(w))
        single[at] = 1.0 if varies else np.asarray(w)[at] != 0
        sources = np.asarray(convolved(numbers, single, **params)).ravel()
        read = np.flatnonzero(sources)
        rows.append(read)
        columns.append(sources[read].astype(np.int64) - 1)
    assert inputs + outputs == 1
    return Pairs(_joined(rows), _joined(columns))


def _joined(parts: list[Array]) -> Array:
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def _by_kernel(kernel: tuple[int, ...], target: tuple[int, ...], params: dict[str, Any]) -> Link:
    channels = target[1]
    takes = np.broadcast_to(np.arange(channels).reshape(1, -1, *(1,) * (len(target) - 2)), target).ravel()
    if params["turned"]:
        own = np.arange(kernel[0])[:, None] // max(1, kernel[0] // params["groups"]) * kernel[1] + np.arange(kernel[1])
    else:
        own = np.broadcast_to(np.arange(kernel[0])[:, None], kernel[:2])
    gives = np.broadcast_to(own.reshape(*kernel[:2], *(1,) * (len(kernel) - 2)), kernel).ravel()
    return Link(takes, gives, max(channels, count_of(kernel[:1])))
