"""The convolutions of torch.nn.functional, over one, two and three axes."""

from __future__ import annotations

from typing import Any

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.values import CoreValue, ndim_of, shape_of
from gradcli.ops.axis_order import permuted
from gradcli.ops.convolution.sums import BIASED, CONVOLUTION, spec_of
from gradcli.ops.function import case
from gradcli.ops.kinds import fits
from gradcli.ops.one_node import one_node
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.products import check_same_dtype
from gradcli.ops.registry import function
from gradcli.ops.singleton_axes import expand_dims, squeeze
from gradcli.ops.windows import Pads, per_axis, reach


def _applied(name: str, rank: int, x: CoreValue, w: CoreValue, bias: Any, **geometry: Any) -> CoreValue:
    """The convolution of a batch, or of one value without the axis of a batch."""
    if ndim_of(w) != rank + 2 or ndim_of(x) not in (rank + 1, rank + 2):
        raise ShapeError(
            f"{name} takes an input with {rank + 1} or {rank + 2} axes and a weight with {rank + 2}, not shapes "
            f"{fits(shape_of(x))} and {fits(shape_of(w))}"
        )
    batch = x if ndim_of(x) == rank + 2 else expand_dims(x, 0)
    spec_of(batch, w, **geometry)
    given = () if bias is None else (to_float(as_core(bias)),)
    check_same_dtype(batch, w, *given)
    found = bind(BIASED if given else CONVOLUTION, batch, w, *given, **geometry)
    return found if ndim_of(x) == rank + 2 else squeeze(found, 0)


def _padding(name: str, given: Any, rank: int, kernel: tuple[int, ...], stride: Any, dilation: tuple[int, ...]) -> Pads:
    """Pads out of PyTorch's forms: integers, "valid" or "same"."""
    if not isinstance(given, str):
        return tuple((n, n) for n in per_axis(name, "padding", given, rank, 0))
    if given == "valid":
        return ((0, 0),) * rank
    if given != "same":
        raise ArgumentError(f"{name}: padding is 'same', 'valid' or integers, not {given[:40]!r}")
    if any(n != 1 for n in stride):
        raise ArgumentError("padding='same' is not supported for strided convolutions", mend="stride=1")
    spans = [reach(k, d) - 1 for k, d in zip(kernel, dilation, strict=True)]
    return tuple((span // 2, span - span // 2) for span in spans)


def _groups(name: str, groups: Any) -> int:
    return per_axis(name, "groups", groups, 1)[0]


def _forward(
    name: str, rank: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any, groups: Any
) -> CoreValue:
    x, w = to_float(as_core(input)), to_float(as_core(weight))
    steps, gaps = per_axis(name, "stride", stride, rank), per_axis(name, "dilation", dilation, rank)
    geometry: dict[str, Any] = {
        "stride": steps,
        "pads": _padding(name, padding, rank, shape_of(w)[2:], steps, gaps) if ndim_of(w) == rank + 2 else (),
        "dilation": gaps,
        "spread": (1,) * rank,
        "groups": _groups(name, groups),
        "turned": False,
    }
    return _applied(name, rank, x, w, bias, **geometry)


def _backward(
    name: str,
    rank: int,
    input: Any,
    weight: Any,
    bias: Any,
    stride: Any,
    padding: Any,
    output_padding: Any,
    groups: Any,
    dilation: Any,
) -> CoreValue:
    x, w = to_float(as_core(input)), to_float(as_core(weight))
    steps, gaps = per_axis(name, "stride", stride, rank), per_axis(name, "dilation", dilation, rank)
    less, more = per_axis(name, "padding", padding, rank, 0), per_axis(name, "output_padding", output_padding, rank, 0)
    if any(n >= max(step, gap) for n, step, gap in zip(more, steps, gaps, strict=True)):
        raise ArgumentError(
            f"{name}: output padding must be smaller than either stride or dilation, but got output_padding: "
            f"{fits(more)}, stride: {fits(steps)}, dilation: {fits(gaps)}"
        )
    spans = [reach(k, d) - 1 for k, d in zip(shape_of(w)[2:], gaps, strict=False)]
    each = zip(spans, less, more, strict=False)
    geometry: dict[str, Any] = {
        "stride": (1,) * rank,
        "pads": tuple((span - low, span - low + extra) for span, low, extra in each),
        "dilation": gaps,
        "spread": steps,
        "groups": _groups(name, groups),
        "turned": True,
    }
    return _applied(name, rank, x, w, bias, **geometry)


_RULE = "vjp: g with the weight turned over; the input with g; the sum of g"
_TURNED_RULE = "vjp: the convolution of g with the weight; of g with the input; the sum of g"


@function(
    family="convolution",
    where="torch F",
    op=CONVOLUTION,
    derivative=_RULE,
    cases=(
        case((2, 3, 7), (4, 3, 3), (4,)),
        case((2, 3, 7), (4, 3, 3), stride=2, padding=1),
        case((2, 4, 8), (6, 2, 3), (6,), 3, 2, 2, 2),
        case((3, 5), (2, 3, 2), (2,)),
        case((1, 2, 6), (2, 2, 4), padding="same"),
        case((1, 2, 6), (2, 2, 2), padding="valid", dilation=3),
        case((0, 2, 4), (1, 2, 3)),
        case((1, 2, 0), (1, 2, 2), padding=1),
        case((1, 1, 1), (1, 1, 1)),
    ),
)
def conv1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: Any = 1,
) -> CoreValue:
    """Sums of products with a kernel that slides along the last axis, over the channels before it."""
    return _forward("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


@function(
    family="convolution",
    where="torch F",
    op=CONVOLUTION,
    derivative=_RULE,
    cases=(
        case((2, 2, 4, 5), (3, 2, 2, 3), (3,)),
        case((1, 2, 5, 4), (2, 2, 3, 2), stride=[2, 1], padding=[1, 0]),
        case((1, 4, 4, 4), (4, 1, 2, 2), (4,), dilation=2, groups=4),
        case((2, 4, 4), (1, 2, 3, 2), padding="same"),
        case((1, 1, 6, 6), (1, 1, 2, 2), stride=3, padding=1),
    ),
)
def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: Any = 1,
) -> CoreValue:
    """Sums of products with a kernel that slides over the last two axes, over the channels before them."""
    return _forward("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


@function(
    family="convolution",
    where="torch F",
    op=CONVOLUTION,
    derivative=_RULE,
    cases=(case((1, 2, 3, 3, 2), (2, 2, 2, 2, 2), (2,)), case((1, 3, 2, 4), (2, 1, 2, 1, 3), None, [1, 1, 2], 1)),
)
def conv3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: Any = 1,
) -> CoreValue:
    """Sums of products with a kernel that slides over the last three axes, over the channels before them."""
    return _forward("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


@function(
    family="convolution",
    where="torch F",
    op=CONVOLUTION,
    derivative=_TURNED_RULE,
    cases=(
        case((2, 3, 4), (3, 2, 3), (2,)),
        case((1, 2, 3), (2, 2, 3), None, 2, 1, 1),
        case((1, 4, 3), (4, 1, 2), (2,), 3, 0, 0, 2, 2),
        case((2, 3), (2, 1, 2)),
    ),
)
def conv_transpose1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: Any = 1,
    dilation: Any = 1,
) -> CoreValue:
    """The transpose of conv1d: every element spreads a kernel's worth of itself along the last axis."""
    return _backward("conv_transpose1d", 1, input, weight, bias, stride, padding, output_padding, groups, dilation)


@function(
    family="convolution",
    where="torch F",
    op=CONVOLUTION,
    derivative=_TURNED_RULE,
    cases=(
        case((1, 2, 3, 2), (2, 2, 2, 3), (2,)),
        case((1, 2, 2, 3), (2, 1, 3, 2), None, [2, 3], [1, 0], [1, 2], 2),
    ),
)
def conv_transpose2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: Any = 1,
    dilation: Any = 1,
) -> CoreValue:
    """The transpose of conv2d: every element spreads a kernel's worth of itself over the last two axes."""
    return _backward("conv_transpose2d", 2, input, weight, bias, stride, padding, output_padding, groups, dilation)


@function(
    family="convolution",
    where="torch F",
    op=CONVOLUTION,
    derivative=_TURNED_RULE,
    cases=(case((1, 1, 2, 2, 2), (1, 2, 2, 1, 2), (2,), 2),),
)
def conv_transpose3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: Any = 1,
    dilation: Any = 1,
) -> CoreValue:
    """The transpose of conv3d: every element spreads a kernel's worth of itself over the last three axes."""
    return _backward("conv_transpose3d", 3, input, weight, bias, stride, padding, output_padding, groups, dilation)


@function(
    family="convolution",
    where="torch F",
    op=CONVOLUTION,
    derivative=_RULE,
    cases=(case((5, 2, 3), (2, 3, 4), (4,), 1), case((3, 1, 2), (3, 2, 1), (1,))),
)
def conv_tbc(input: Any, weight: Any, bias: Any, pad: Any = 0) -> CoreValue:
    """conv1d of [length, batch, channels] by a weight of [kernel, channels, outputs]."""
    x, w = to_float(as_core(input)), to_float(as_core(weight))
    if ndim_of(x) != 3 or ndim_of(w) != 3:
        raise ShapeError(f"conv_tbc takes values with 3 axes, not {fits(shape_of(x))} and {fits(shape_of(w))}")
    found = _forward("conv_tbc", 1, permuted(x, (-2, -1, -3)), permuted(w, (-1, -2, -3)), bias, 1, pad, 1, 1)
    return one_node("ConvTbc", permuted(found, (-1, -3, -2)), x, w, as_core(bias))
