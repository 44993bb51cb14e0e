"""Convolution, as neural networks have it: sums of products of a value with a kernel that slides over its last axes.

    y[b, o, p] = sum over c and k of  x'[b, c, stride p + dilation k] w[o, c, k]

where x' is x with `spread` - 1 zeros between its elements and padded. x has shape [batch, channels, ...] and w
[outputs, channels, ...]; with `groups`, channels and outputs fall into as many groups that do not see each other. A
`turned` kernel has shape [channels, outputs, ...] and runs backwards, as in what PyTorch calls transposed convolution.

In this form convolutions are closed under differentiation: the cotangent of x is the convolution of g by the kernel
turned over, with stride and spread exchanged, and that of w the convolution of x by g, with batch and channels, and
stride and dilation, exchanged.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Shape, Spec, dtype_of, ndim_of, shape_of
from gradcli.ops.axis_order import moveaxis, swapaxes
from gradcli.ops.convolution.dependence import convolution_depends
from gradcli.ops.convolution.values import convolved, counts_of, lengths_around
from gradcli.ops.kinds import added, conj, expanded, fits, general, multilinear
from gradcli.ops.rearranging import FLIP
from gradcli.ops.reduction import total
from gradcli.ops.shape import reshaped
from gradcli.ops.windows import Pads, check_fits, reach, spread_length

Geometry = dict[str, Any]


# --- shape ------------------------------------------------------------------------------------------------------------


def spec_of(x: CoreValue, w: CoreValue, *, groups: int, turned: bool, **geometry: Any) -> Spec:
    """The shape rule: of what is returned.

    Raises:
        ShapeError: the channels do not agree, or the kernel does not fit.
    """
    a, b = shape_of(x), shape_of(w)
    inputs, outputs = (b[0], b[1] * groups) if turned else (b[1] * groups, b[0])
    if a[1] != inputs or outputs % groups or inputs % groups:
        raise ShapeError(
            f"Given groups={groups}, weight of size {fits(b)}, expected input{fits(a)} to have {inputs} channels, "
            f"but got {a[1]} channels instead"
        )
    check_fits("convolution", lengths_around(a, geometry["pads"], geometry["spread"]), b[2:], geometry["dilation"])
    return Spec((a[0], outputs, *counts_of(a, b[2:], **geometry)), np.result_type(dtype_of(x), dtype_of(w)))


# --- meaning ----------------------------------------------------------------------------------------------------------


def _exact_convolution(
    S: Any, x: Any, w: Any, *, stride: Shape, pads: Pads, dilation: Shape, spread: Shape, groups: int, turned: bool
) -> Any:
    """The sum of the module's head, term by term."""
    channels = x.shape[1] // groups
    outputs = w.shape[1] if turned else w.shape[0] // groups
    kernel = w.shape[2:]
    counts = counts_of(x.shape, kernel, stride=stride, pads=pads, dilation=dilation, spread=spread)
    made = np.empty((x.shape[0], groups * outputs, *counts), dtype=object)
    for place in np.ndindex(counts):
        seen = [
            (k, source)
            for k in np.ndindex(kernel)
            if (source := _source(place, k, x.shape[2:], stride, pads, dilation, spread)) is not None
        ]
        for b, o in np.ndindex(made.shape[:2]):
            group, own = divmod(o, outputs)
            values, factors = [], []
            for c, (k, source) in product(range(channels), seen):
                own_channel = group * channels + c
                values.append(x[(b, own_channel, *source)])
                factors.append(w[(own_channel, own, *_mirrored(k, kernel))] if turned else w[(o, c, *k)])
            made[(b, o, *place)] = S.dot(values, factors)
    return made


def _mirrored(k: Shape, kernel: Shape) -> Shape:
    return tuple(n - 1 - i for n, i in zip(kernel, k, strict=True))


def _source(
    place: Shape, k: Shape, lengths: Shape, stride: Shape, pads: Pads, dilation: Shape, spread: Shape
) -> Shape | None:
    """Which element of x a kernel's element meets at a place; None between elements and outside."""
    found = []
    for p, i, n, step, (before, _), gap, apart in zip(place, k, lengths, stride, pads, dilation, spread, strict=True):
        at, rest = divmod(p * step + i * gap - before, apart)
        if rest or not 0 <= at < n:
            return None
        found.append(at)
    return tuple(found)


# --- cotangents ------------------------------------------------------------------------------------------------------


def _parted(x: CoreValue, axis: int, groups: int) -> CoreValue:
    """An axis as two: groups, and what is in each."""
    shape = shape_of(x)
    return reshaped(x, (*shape[:axis], groups, shape[axis] // groups, *shape[axis + 1 :]))


def _joined(x: CoreValue, axis: int) -> CoreValue:
    """An axis and the next one as one."""
    shape = shape_of(x)
    return reshaped(x, (*shape[:axis], shape[axis] * shape[axis + 1], *shape[axis + 2 :]))


def _turned(w: CoreValue, groups: int) -> CoreValue:
    """`_turned_array`, of any values."""
    found = _joined(swapaxes(_parted(w, 0, groups), 1, 2), 0)
    return bind(FLIP, found, axes=tuple(range(2 - ndim_of(found), 0)))


def _after(before: Shape, wanted: Shape, given: Shape, spread: Shape) -> Pads:
    """Pads that make spread lengths `given` the lengths `wanted`, those in front being known."""
    each = zip(before, wanted, given, spread, strict=True)
    return tuple((low, total - spread_length(n, s) - low) for low, total, n, s in each)


def _by_value(g: CoreValue, x: CoreValue, w: CoreValue, **geometry: Any) -> CoreValue:
    kernel, lengths = shape_of(w)[2:], shape_of(x)[2:]
    stride, dilation, spread = (geometry[name] for name in ("stride", "dilation", "spread"))
    spans = [reach(k, d) - 1 for k, d in zip(kernel, dilation, strict=True)]
    before = tuple(span - low for span, (low, _) in zip(spans, geometry["pads"], strict=True))
    wanted = tuple(spread_length(n, s) + span for n, s, span in zip(lengths, spread, spans, strict=True))
    pads = _after(before, wanted, shape_of(g)[2:], stride)
    back = {**geometry, "stride": spread, "spread": stride, "pads": pads, "turned": not geometry["turned"]}
    return bind(CONVOLUTION, g, conj(w), **back)


def _by_kernel(g: CoreValue, x: CoreValue, w: CoreValue, **geometry: Any) -> CoreValue:
    groups = geometry["groups"]
    stride, dilation, spread = (geometry[name] for name in ("stride", "dilation", "spread"))
    seen = _joined(moveaxis(_parted(conj(x), 1, groups), (0, 1, 2), (2, 1, 0)), 1)
    slid = _joined(moveaxis(_parted(g, 1, groups), 0, 2), 0)
    each = zip(shape_of(w)[2:], dilation, shape_of(g)[2:], stride, strict=True)
    wanted = tuple(reach(k, d) + step * (n - 1) for k, d, n, step in each)
    pads = _after(tuple(low for low, _ in geometry["pads"]), wanted, shape_of(x)[2:], spread)
    back = {**geometry, "stride": dilation, "dilation": stride, "pads": pads, "turned": False}
    found = bind(CONVOLUTION, seen, slid, **back)
    found = _joined(moveaxis(_parted(found, 1, groups), 0, 2), 0)
    return _turned(found, groups) if geometry["turned"] else found


# --- batching --------------------------------------------------------------------------------------------------------


def _batch(xs: Sequence[CoreValue], batched: Sequence[bool], params: Geometry, size: int) -> CoreValue:
    """Values in a batch are a larger batch; kernels in a batch more outputs of each group; both, more groups."""
    x, w = xs
    if not batched[1]:
        return _parted(bind(CONVOLUTION, _joined(x, 0), w, **params), 0, size)
    groups = params["groups"]
    if batched[0]:
        wide = {**params, "groups": size * groups}
        found = bind(CONVOLUTION, _joined(moveaxis(x, 0, 1), 1), _joined(w, 0), **wide)
        return moveaxis(_parted(found, 1, size), 1, 0)
    if params["turned"]:
        many = _joined(moveaxis(w, 0, 1), 1)
    else:
        many = _joined(_joined(moveaxis(_parted(w, 1, groups), 0, 1), 0), 0)
    found = _parted(_parted(bind(CONVOLUTION, x, many, **params), 1, groups), 2, size)
    return _joined(moveaxis(found, 2, 0), 2)


def _biased_batch(xs: Sequence[CoreValue], batched: Sequence[bool], params: Geometry, size: int) -> CoreValue:
    x, w, b = xs
    found = _batch((x, w), batched[:2], params, size) if any(batched[:2]) else bind(CONVOLUTION, x, w, **params)
    if batched[2] and not any(batched[:2]):
        found = expanded(found, (size, *shape_of(found)))
    lead = (size, 1) if batched[2] else ()
    return found + reshaped(b, (*lead, shape_of(b)[-1], *(1,) * (ndim_of(w) - batched[1] - 2)))


# --- the ops ---------------------------------------------------------------------------------------------------------


def _node(operands: Sequence[CoreValue], params: Geometry) -> Any:
    """PyTorch pads apart where the two ends of an axis differ, and keeps a place for a bias."""
    uneven = not params["turned"] and any(before != after for before, after in params["pads"])
    first = ("ConstantPadNdBackward0", (0,)) if uneven else 0
    return ("ConvolutionBackward0", (first, 1, 2 if len(operands) > 2 else None))


CONVOLUTION: Op = multilinear(
    "convolution",
    convolved,
    spec_of,
    transposes=(_by_value, _by_kernel),
    batch=_batch,
    meaning=_exact_convolution,
    torch=_node,
    saves=((0, 1), (1, 0)),
    depends=convolution_depends,
    doc="Sums of products with a kernel that slides over the last axes.",
)


def _column(b: CoreValue, rank: int) -> CoreValue:
    """One number per output, so that it broadcasts."""
    return reshaped(b, (*shape_of(b), *(1,) * rank))


def _biased(x: Any, w: Any, b: Any, **geometry: Any) -> Any:
    made = convolved(x, w, **geometry)
    made += b.reshape(-1, *(1,) * (w.ndim - 2))
    return made


def _biased_shape(x: CoreValue, w: CoreValue, b: CoreValue, **geometry: Any) -> Spec:
    spec = spec_of(x, w, **geometry)
    if shape_of(b) != spec.shape[1:2]:
        raise ShapeError(
            f"convolution: a bias has one number for each of {spec.shape[1]} outputs, not shape {fits(shape_of(b))}"
        )
    return spec


def _biased_jvp(ts: Any, y: CoreValue, x: CoreValue, w: CoreValue, b: CoreValue, **geometry: Any) -> CoreValue | None:
    by_x = None if ts[0] is None else bind(CONVOLUTION, ts[0], w, **geometry)
    by_w = None if ts[1] is None else bind(CONVOLUTION, x, ts[1], **geometry)
    by_b = None if ts[2] is None else expanded(_column(ts[2], ndim_of(w) - 2), shape_of(y))
    return added(added(by_x, by_w), by_b)


def _by_bias(g: CoreValue, y: CoreValue, x: CoreValue, w: CoreValue, b: CoreValue, **geometry: Any) -> CoreValue:
    return total(g, tuple(i for i in range(-ndim_of(g), 0) if i != 1 - ndim_of(g)))


BIASED: Op = general(
    "biased_convolution",
    _biased,
    _biased_shape,
    vjps=(
        lambda g, y, x, w, b, **geometry: _by_value(g, x, w, **geometry),
        lambda g, y, x, w, b, **geometry: _by_kernel(g, x, w, **geometry),
        _by_bias,
    ),
    jvp=_biased_jvp,
    batch=_biased_batch,
    meaning=lambda S, x, w, b, **geometry: (
        _exact_convolution(S, x, w, **geometry) + b.reshape(-1, *(1,) * (w.ndim - 2))
    ),
    torch=_node,
    saves=((0, 1), (1, 0)),
    depends=convolution_depends,
    doc="A convolution, with a number added to each of its outputs.",
)
