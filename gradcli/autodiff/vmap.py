"""`vmap`: a function of one example made a function of a batch of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gradcli.autodiff import trees
from gradcli.autodiff.batch import Batched, BatchLevel
from gradcli.autodiff.levels import opened
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.values import CoreValue, ndim_of, shape_of
from gradcli.ops.axis_order import moveaxis
from gradcli.ops.broadcasting import broadcast_to
from gradcli.ops.operands import as_core

#: For each argument the axis along which it is a batch; None for one that is the same for the whole batch.
Axes = int | None | Sequence[int | None]


def vmap(f: Callable[..., Any], in_axes: Axes = 0, out_axes: int = 0) -> Callable[..., Any]:
    """A function that applies `f` to each example of a batch; results have the batch along `out_axes`.

    Raises:
        ArgumentError, ShapeError: no argument is a batch, an axis does not exist, or the batches differ in size.
    """

    def call(*args: Any) -> Any:
        axes = [in_axes] * len(args) if in_axes is None or isinstance(in_axes, int) else list(in_axes)
        if len(axes) != len(args):
            raise ArgumentError(f"vmap: {len(axes)} axes are given for {len(args)} arguments")
        size = _size(args, axes)
        with opened(BatchLevel) as level:
            level.size = size
            given = [_batched(level, arg, axis) for arg, axis in zip(args, axes, strict=True)]
            result = f(*given)
        found = [_lifted(level, as_core(y), out_axes) for y in trees.leaves(result)]
        return trees.like(result, found)

    return call


def _size(args: Sequence[Any], axes: Sequence[int | None]) -> int:
    sizes = set()
    for arg, axis in zip(args, axes, strict=True):
        if axis is None:
            continue
        for x in trees.leaves(arg):
            rank = ndim_of(x)
            if not -rank <= axis < rank:
                raise ArgumentError(
                    f"vmap: Got in_dim={axis} for some input, but that input is a Tensor of dimensionality {rank} so "
                    f"expected in_dim to satisfy -{rank} <= in_dim < {rank}."
                )
            sizes.add(shape_of(x)[axis])
    if not sizes:
        raise ArgumentError("vmap: no argument is a batch", mend="in_dims=0 makes the first axis one")
    if len(sizes) > 1:
        raise ShapeError(
            f"vmap: Expected all tensors to have the same size in the mapped dimension, got sizes {sorted(sizes)} for "
            "the mapped dimension"
        )
    return int(sizes.pop())


def _batched(level: BatchLevel, arg: Any, axis: int | None) -> Any:
    if axis is None:
        return arg
    return trees.like(arg, [Batched(level, moveaxis(as_core(x), axis, 0)) for x in trees.leaves(arg)])


def _lifted(level: BatchLevel, y: CoreValue, axis: int) -> CoreValue:
    held = level.payload(y)
    if held is None:
        held = broadcast_to(y, (level.size, *shape_of(y)))
    return moveaxis(held, 0, axis) if axis else held
