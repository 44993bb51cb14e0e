"""The convolutions of jax.lax, whose axes may stand in any order."""

from __future__ import annotations

from typing import Any

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.values import CoreValue, Shape, ndim_of, shape_of
from gradcli.ops.arguments import integers
from gradcli.ops.axis_order import permuted
from gradcli.ops.convolution.sums import CONVOLUTION, spec_of
from gradcli.ops.function import case
from gradcli.ops.kinds import fits
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.registry import function
from gradcli.ops.windows import Pads, per_axis, reach

_PADDINGS = ("SAME", "SAME_LOWER", "VALID")


def _pads(name: str, given: Any, lengths: Shape, kernel: Shape, stride: Shape, dilation: Shape, spread: Shape) -> Pads:
    """Pads out of JAX's forms: pairs, or a word; "SAME" gives one result for each stride."""
    if not isinstance(given, str):
        pairs = [integers(pair, f"{name}: a padding") for pair in given]
        if len(pairs) != len(lengths) or any(len(pair) != 2 for pair in pairs):
            raise ArgumentError(f"{name}: padding is a pair for each of {len(lengths)} axes")
        return tuple((pair[0], pair[1]) for pair in pairs)
    word = given.upper()
    if word not in _PADDINGS:
        raise ArgumentError(f"{name}: padding is {', '.join(_PADDINGS)} or pairs, not {given[:40]!r}")
    if any(n != 1 for n in spread):
        raise ArgumentError(f"{name}: with lhs_dilation the padding must be pairs", mend="[[1, 1]], say")
    if word == "VALID":
        return ((0, 0),) * len(lengths)
    made = []
    for n, k, s, d in zip(lengths, kernel, stride, dilation, strict=True):
        more = max((-(-n // s) - 1) * s + reach(k, d) - n, 0)
        made.append((more - more // 2, more // 2) if word == "SAME_LOWER" else (more // 2, more - more // 2))
    return tuple(made)


def _orders(name: str, given: Any, rank: int) -> tuple[Shape, Shape, Shape]:
    """For the value, the kernel and the result, where the axes of [batch or outputs, channels, ...] stand."""
    plain = tuple(range(rank + 2))
    if given is None:
        return plain, plain, plain
    words = [str(word) for word in given]
    if len(words) != 3 or any(len(word) != rank + 2 or len(set(word)) != len(word) for word in words):
        raise ArgumentError(f"{name}: dimension_numbers are three words of {rank + 2} letters each, such as 'NCHW'")
    spatial = [c for c in words[1] if c not in "OI"]
    heads = ("NC", "OI", "NC")
    if any(
        not set(head) <= set(word) or set(spatial) != set(word) - set(head)
        for word, head in zip(words, heads, strict=True)
    ):
        raise ArgumentError(f"{name}: dimension_numbers have N, C, O and I, and one letter for each axis of the window")
    first, second, third = (
        tuple(word.index(c) for c in (*head, *spatial)) for word, head in zip(words, heads, strict=True)
    )
    return first, second, third


def _general(
    name: str,
    lhs: Any,
    rhs: Any,
    window_strides: Any,
    padding: Any,
    lhs_dilation: Any = None,
    rhs_dilation: Any = None,
    dimension_numbers: Any = None,
    groups: Any = 1,
) -> CoreValue:
    x, w = to_float(as_core(lhs)), to_float(as_core(rhs))
    rank = ndim_of(x) - 2
    if rank < 1 or ndim_of(w) != rank + 2:
        raise ShapeError(
            f"{name} takes values of as many axes, at least 3, not {fits(shape_of(x))}, {fits(shape_of(w))}"
        )
    orders = _orders(name, dimension_numbers, rank)
    x, w = _ordered(x, orders[0]), _ordered(w, orders[1])
    stride = per_axis(name, "window_strides", window_strides, rank)
    spread = per_axis(name, "lhs_dilation", 1 if lhs_dilation is None else lhs_dilation, rank)
    dilation = per_axis(name, "rhs_dilation", 1 if rhs_dilation is None else rhs_dilation, rank)
    geometry: dict[str, Any] = {
        "stride": stride,
        "pads": _pads(name, padding, shape_of(x)[2:], shape_of(w)[2:], stride, dilation, spread),
        "dilation": dilation,
        "spread": spread,
        "groups": per_axis(name, "feature_group_count", groups, 1)[0],
        "turned": False,
    }
    spec_of(x, w, **geometry)
    return _ordered(bind(CONVOLUTION, x, w, **geometry), tuple(orders[2].index(i) for i in range(rank + 2)))


def _ordered(x: CoreValue, order: Shape) -> CoreValue:
    return permuted(x, tuple(i - len(order) for i in order))


_RULE = "vjp: g with rhs turned over; lhs with g"


@function(
    "conv_lax",
    family="convolution",
    where="",
    also=("jax.lax.conv",),
    op=CONVOLUTION,
    derivative=_RULE,
    cases=(case((1, 2, 5), (3, 2, 2), [1], "SAME"), case((1, 1, 4, 3), (2, 1, 2, 2), [2, 1], "VALID")),
)
def conv(lhs: Any, rhs: Any, window_strides: Any, padding: Any, precision: Any = None) -> CoreValue:
    """Sums of products with a kernel that slides over all axes but the first two."""
    return _general("conv", lhs, rhs, window_strides, padding)


@function(
    family="convolution",
    where="",
    also=("jax.lax.conv_with_general_padding",),
    op=CONVOLUTION,
    derivative=_RULE,
    cases=(case((1, 2, 4), (3, 2, 2), [1], [[2, -1]], [2], [3]), case((1, 1, 4), (2, 1, 3), [2], "SAME", None, None)),
)
def conv_with_general_padding(
    lhs: Any,
    rhs: Any,
    window_strides: Any,
    padding: Any,
    lhs_dilation: Any,
    rhs_dilation: Any,
    precision: Any = None,
) -> CoreValue:
    """The same with gaps between the elements of the value and of the kernel."""
    return _general("conv_with_general_padding", lhs, rhs, window_strides, padding, lhs_dilation, rhs_dilation)


@function(
    family="convolution",
    where="",
    also=("jax.lax.conv_general_dilated",),
    op=CONVOLUTION,
    derivative=_RULE,
    cases=(
        case((1, 4, 5), (2, 2, 2), [2], "SAME_LOWER", feature_group_count=2),
        case((1, 3, 4, 2), (2, 2, 2, 3), [1, 1], "SAME", None, [1, 2], ["NHWC", "HWIO", "NHWC"]),
        case((1, 2, 3), (2, 2, 2), [1], [[1, 2]], [2]),
    ),
)
def conv_general_dilated(
    lhs: Any,
    rhs: Any,
    window_strides: Any,
    padding: Any,
    lhs_dilation: Any = None,
    rhs_dilation: Any = None,
    dimension_numbers: Any = None,
    feature_group_count: Any = 1,
    batch_group_count: Any = 1,
    precision: Any = None,
) -> CoreValue:
    """The same with the axes in an order that three words name, such as NHWC, HWIO, NHWC."""
    if batch_group_count != 1:
        raise ArgumentError("conv_general_dilated: batch_group_count is not here", mend="feature_group_count is")
    rest = (lhs_dilation, rhs_dilation, dimension_numbers, feature_group_count)
    return _general("conv_general_dilated", lhs, rhs, window_strides, padding, *rest)
