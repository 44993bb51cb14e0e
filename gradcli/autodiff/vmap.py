"""`vmap`: a function of one example made a function of a batch of them.

All examples run as one, by the ops' own batch rules. Where the program's course depends on an example's value they
cannot; then each runs by itself, and the results are stacked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from gradcli.autodiff import trees
from gradcli.autodiff.batch import Batched, BatchLevel
from gradcli.autodiff.levels import opened
from gradcli.autodiff.randomness import Randomness
from gradcli.graph.errors import ArgumentError, BatchedBranch, ShapeError
from gradcli.graph.state import state
from gradcli.graph.values import CoreValue, ndim_of, shape_of
from gradcli.ops.axis_order import moveaxis
from gradcli.ops.broadcasting import broadcast_to
from gradcli.ops.operands import as_core
from gradcli.ops.pieces import stacked, unbound

#: Per argument, or per part of it, the axis along which it is a batch; None for one that is the same for the whole
#: batch. An entry stands for all that is below its place.
Axes = Any

FlatFunction = Callable[..., Sequence[CoreValue]]


class Mapped(NamedTuple):
    """One result: the value, and whether it has the batch in front or is the same for every example."""

    value: CoreValue
    batched: bool


def vmap(f: Callable[..., Any], in_axes: Axes = 0, out_axes: Axes = 0) -> Callable[..., Any]:
    """A function that applies `f` to each example of a batch; results have the batch along `out_axes`.

    Args:
        f: takes and returns core values or trees of them.
        in_axes: one axis for all arguments, or a tuple with an entry for each: an axis, None, or a tree of those.
        out_axes: an axis, or a tree of them; None for a result that does not depend on the example.

    Raises:
        ArgumentError, ShapeError: no argument is a batch, an axis does not exist, or the batches differ in size.
    """

    def call(*args: Any) -> Any:
        axes = _entries(in_axes, args)
        xs = [as_core(x) for x in trees.leaves(args)]
        size = _size(xs, axes)
        held = [x if axis is None else moveaxis(x, axis, 0) for x, axis in zip(xs, axes, strict=True)]
        form: Any = None

        def flat(*values: CoreValue) -> list[CoreValue]:
            nonlocal form
            form = f(*trees.like(args, values))
            return [as_core(y) for y in trees.leaves(form)]

        found = mapped(flat, held, [axis is not None for axis in axes], size)
        placed = zip(found, trees.spread(out_axes, form, "vmap: out_dims"), strict=True)
        return trees.like(form, [_lifted(y, axis, size) for y, axis in placed])

    return call


def _entries(in_axes: Axes, args: Sequence[Any]) -> list[int | None]:
    """An axis, or None, for each leaf of the arguments."""
    if isinstance(in_axes, list | tuple) and len(in_axes) != len(args):
        raise ArgumentError(f"vmap: {len(in_axes)} axes are given for {len(args)} arguments")
    return trees.spread(in_axes, tuple(args), "vmap: in_dims")


def _size(xs: Sequence[CoreValue], axes: Sequence[int | None]) -> int:
    sizes = set()
    for x, axis in zip(xs, axes, strict=True):
        if axis is None:
            continue
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


def _lifted(y: Mapped, axis: int | None, size: int) -> CoreValue:
    if axis is None:
        if y.batched:
            raise ArgumentError("vmap: out_dims is None for a result that depends on the example")
        return y.value
    held = y.value if y.batched else broadcast_to(y.value, (size, *shape_of(y.value)))
    return moveaxis(held, 0, axis) if axis else held


# --- on leaves -------------------------------------------------------------------------------------------------------


def mapped(f: FlatFunction, held: Sequence[CoreValue], flags: Sequence[bool], size: int) -> list[Mapped]:
    """`f` of every example; the values in `held` that are flagged have the batch in front."""
    # A recording's readers want the ops of the program, which are those on one example.
    if state.recording is None and size:
        before = Randomness()
        try:
            return _at_once(f, held, flags, size)
        except BatchedBranch as branch:
            if branch.level is None or not branch.level.closed:
                raise
            before.restore()
    return _one_by_one(f, held, flags, size)


def in_front(f: FlatFunction, held: Sequence[CoreValue], flags: Sequence[bool], size: int) -> list[CoreValue]:
    """`mapped`, where every result has the batch in front."""
    return [_lifted(y, 0, size) for y in mapped(f, held, flags, size)]


def _at_once(f: FlatFunction, held: Sequence[CoreValue], flags: Sequence[bool], size: int) -> list[Mapped]:
    with opened(BatchLevel) as level:
        level.size = size
        try:
            found = f(*(Batched(level, x) if flag else x for x, flag in zip(held, flags, strict=True)))
            payloads = [level.payload(y) for y in found]
        finally:
            level.closed = True
    return [Mapped(y, False) if p is None else Mapped(p, True) for y, p in zip(found, payloads, strict=True)]


def _one_by_one(f: FlatFunction, held: Sequence[CoreValue], flags: Sequence[bool], size: int) -> list[Mapped]:
    if not size:
        raise ShapeError("vmap: the batch is empty")
    columns = [unbound(x, 0) if flag else (x,) * size for x, flag in zip(held, flags, strict=True)]
    rows = [f(*example) for example in zip(*columns, strict=True)]
    if len({len(row) for row in rows}) > 1:
        raise ArgumentError("vmap: the function returns results of another form for some examples")
    return [Mapped(stacked([as_core(y) for y in column], 0), True) for column in zip(*rows, strict=True)]
