"""The largest elements of windows put back where they stood, into zeros."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Shape, Spec, count_of, dtype_of, shape_of
from gradcli.ops.arguments import integers, settled
from gradcli.ops.elementwise import equal, where
from gradcli.ops.function import case
from gradcli.ops.kinds import expanded, fits, linear
from gradcli.ops.operands import as_core
from gradcli.ops.picking import PICKED_BACK
from gradcli.ops.pooling.geometry import pooled
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped
from gradcli.ops.windows import per_axis


def _unpool(x: Any, places: Any, *, lengths: Shape) -> Any:
    lead, count = x.shape[: x.ndim - len(lengths)], count_of(x.shape[x.ndim - len(lengths) :])
    made = np.zeros((count_of(lead), count_of(lengths)), x.dtype)
    rows = np.repeat(np.arange(count_of(lead)), count)
    made[rows, places.ravel()] = x.ravel()  # in order, so that of several the last one stays
    return made.reshape(*lead, *lengths)


def _unpool_shape(x: CoreValue, places: CoreValue, *, lengths: Shape) -> Spec:
    shape = shape_of(x)
    return Spec((*shape[: len(shape) - len(lengths)], *lengths), dtype_of(x))


def _unpool_back(g: CoreValue, x: CoreValue, places: CoreValue, *, lengths: Shape) -> CoreValue:
    """What stands at the places, for those elements that are still there."""
    shape = shape_of(x)
    cut = len(shape) - len(lengths)
    numbers = np.broadcast_to(np.arange(count_of(shape[cut:])).reshape(shape[cut:]), shape)
    kept = equal(_found_at(bind(UNPOOL, numbers, places, lengths=lengths), places, shape, cut), numbers)
    return where(kept, _found_at(g, places, shape, cut), np.zeros((), dtype_of(g)))


def _found_at(g: CoreValue, places: CoreValue, shape: Shape, cut: int) -> CoreValue:
    flat = reshaped(g, (*shape[:cut], count_of(shape_of(g)[cut:])))
    at = reshaped(places, (*shape[:cut], count_of(shape[cut:])))
    return reshaped(bind(PICKED_BACK, flat, at, axis=-1), shape)


def _unpool_batch(xs: Sequence[CoreValue], batched: Sequence[bool], params: dict[str, Any], size: int) -> CoreValue:
    spread = [x if flag else expanded(x, (size, *shape_of(x))) for x, flag in zip(xs, batched, strict=True)]
    return bind(UNPOOL, *spread, **params)


def _node(operands: Sequence[CoreValue], params: dict[str, Any]) -> Any:
    rank = len(params["lengths"])
    title = f"MaxUnpool{max(rank, 2)}DBackward0"
    return (title, (0,)) if rank > 1 else ("SqueezeBackward1", ((title, (("UnsqueezeBackward0", (0,)),)),))


UNPOOL: Op = linear(
    "max_unpool",
    _unpool,
    _unpool_shape,
    transpose=_unpool_back,
    batch=_unpool_batch,
    torch=_node,
    moves="forward",
    doc="Elements at flat places over the last axes, into zeros; of several at one place the last one stays.",
)


def _lengths(name: str, x: CoreValue, rank: int, kernel_size: Any, stride: Any, padding: Any, given: Any) -> Shape:
    """The lengths that the pooled value had: those given, or the least that pool to these."""
    kernel = per_axis(name, "kernel_size", kernel_size, rank)
    steps = kernel if stride is None else per_axis(name, "stride", stride, rank)
    around = per_axis(name, "padding", padding, rank, 0)
    each = zip(shape_of(x)[-rank:], kernel, steps, around, strict=True)
    if given is None:
        return tuple((n - 1) * s + k - 2 * p for n, k, s, p in each)
    found = integers(given, f"{name}: output_size")
    if len(found) < rank:
        raise ArgumentError(f"{name}: output_size needs {rank} lengths, not {len(found)}")
    return found[-rank:]


def _unpooled(name: str, rank: int, input: Any, indices: Any, *how: Any) -> CoreValue:
    x, places = pooled(name, rank, input), as_core(indices)
    if shape_of(x) != shape_of(places) or dtype_of(places).kind not in "iu":
        raise ShapeError(
            f"{name} takes one integer index per element, not {dtype_of(places)} of shape {fits(shape_of(places))} for "
            f"{fits(shape_of(x))}"
        )
    lengths = _lengths(name, x, rank, *how)
    known = settled(places)
    if known.size and not 0 <= known.min() <= known.max() < count_of(lengths):
        wrong = known[(known < 0) | (known >= count_of(lengths))].flat[0]
        raise ArgumentError(f"{name}: index {wrong} is out of range for a result of {fits(lengths)}")
    return bind(UNPOOL, x, places, lengths=lengths)


_RULE = "vjp: g at the indices"
_KINKS = "several elements for one place: the last of them stays and has the derivative"


@function(
    family="convolution",
    where="F",
    op=UNPOOL,
    derivative=_RULE,
    kinks=_KINKS,
    cases=(
        case((1, 2, 2), np.array([[[1, 2], [0, 3]]]), 2),
        case((1, 2), np.array([[1, 4]]), 2, 2, 0, [5]),
        case((1, 3), np.array([[1, 1, 3]]), 2, 1),
    ),
)
def max_unpool1d(
    input: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> CoreValue:
    """Elements put back where max_pool1d says that they stood, into zeros."""
    return _unpooled("max_unpool1d", 1, input, indices, kernel_size, stride, padding, output_size)


@function(
    family="convolution",
    where="F",
    op=UNPOOL,
    derivative=_RULE,
    kinks=_KINKS,
    cases=(case((1, 1, 2, 2), np.array([[[[0, 3], [13, 10]]]]), 2),),
)
def max_unpool2d(
    input: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> CoreValue:
    """Elements put back where max_pool2d says that they stood, into zeros."""
    return _unpooled("max_unpool2d", 2, input, indices, kernel_size, stride, padding, output_size)


@function(
    family="convolution",
    where="F",
    op=UNPOOL,
    derivative=_RULE,
    kinks=_KINKS,
    cases=(case((1, 1, 1, 2, 1), np.array([[[[[0], [6]]]]]), 2),),
)
def max_unpool3d(
    input: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> CoreValue:
    """Elements put back where max_pool3d says that they stood, into zeros."""
    return _unpooled("max_unpool3d", 3, input, indices, kernel_size, stride, padding, output_size)
