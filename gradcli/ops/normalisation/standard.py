"""Normalisation: values less their mean, over their standard deviation (or over their root mean square alone).

One op does it for all of PyTorch's functions, which differ in the axes that are averaged over. It is

    y = (x - mean(x)) * r * w + b      with r = 1/sqrt(mean((x - mean(x))**2) + eps)

and its Jacobian without w, r*(identity - mean - x^ mean x^) with x^ = (x - mean(x)) r, is symmetric, so that the
cotangent of x and the tangent of y are made in the same way. It keeps what is across x, and of what is along x only the
part eps/(variance + eps). All squares are of x over a power of two near its largest
element, so that none overflows, and none that matters underflows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.node import Node
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Shape, Spec, dtype_of, ndim_of, shape_of
from gradcli.ops.axes import Axes, reduced_count, reduced_shape
from gradcli.ops.dependence import along_link, broadcast_link
from gradcli.ops.elementwise import equal, rsqrt, square, where
from gradcli.ops.exact import each
from gradcli.ops.kinds import added, constant, elementwise, expanded, fits, general, sum_to
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.reduction import average
from gradcli.ops.shape import RESHAPE, reshaped

# --- the standard form -----------------------------------------------------------------------------------------------


def _scale(x: Any, *, axis: Axes, eps: float) -> Any:
    """A power of two at least as large as all elements along the axes, and as the root of eps."""
    top = np.maximum(np.max(np.abs(x), axis=axis, keepdims=True, initial=0.0), math.sqrt(eps))
    top = np.where((top > 0) & np.isfinite(top), top, 1.0)
    largest = np.finfo(x.dtype).maxexp - 1
    return np.ldexp(np.ones((), x.dtype), np.minimum(np.frexp(top)[1], largest)).astype(x.dtype)


SCALE: Op = constant(
    "binary_scale",
    _scale,
    lambda x, *, axis, eps: Spec(reduced_shape(shape_of(x), axis, True), dtype_of(x)),
    meaning=lambda S, x, *, axis, eps: np.full(reduced_shape(x.shape, axis, True), S.number(1), dtype=object),
    doc="A power of two that no element along the axes exceeds.",
)


def _standard_array(x: Any, axis: Axes, eps: float, centred: bool) -> Any:
    """x^, in NumPy."""
    scale = _scale(x, axis=axis, eps=eps)
    count = max(reduced_count(x.shape, axis), 1)
    parts = x / scale
    for _pass in range(2 if centred else 0):  # once more, for where elements are nearly equal
        parts = parts - np.sum(parts, axis=axis, keepdims=True) / x.dtype.type(count)
    squares = np.sum(parts * parts, axis=axis, keepdims=True) / x.dtype.type(count)
    return parts / np.sqrt(squares + (x.dtype.type(eps) / scale) / scale)


class _Standard(NamedTuple):
    """What rules are made of, in ops: x less its mean, over a power of two, and its mean square; eps likewise."""

    scale: CoreValue
    parts: CoreValue
    squares: CoreValue
    eps: CoreValue

    @property
    def rate(self) -> CoreValue:
        """r, times the scale."""
        return rsqrt(self.squares + self.eps)

    @property
    def unit(self) -> CoreValue:
        """x^ as it were without eps; 0 where it would be undefined."""
        nothing = equal(self.squares, 0)
        return self.parts * where(nothing, 0.0, rsqrt(where(nothing, 1.0, self.squares)))


def _standard(x: CoreValue, axis: Axes, eps: float, centred: bool) -> _Standard:
    scale = bind(SCALE, x, axis=axis, eps=eps)
    parts = _centred(_centred(x / scale, axis), axis) if centred else x / scale
    return _Standard(scale, parts, average(square(parts), axis, True), (eps / scale) / scale)


def _centred(x: CoreValue, axis: Axes) -> CoreValue:
    return x - average(x, axis, True)


def _exact_standard(S: Any, x: Any, axis: Axes, eps: float, centred: bool) -> Any:
    count = reduced_count(x.shape, axis)
    parts = x - np.sum(x, axis=axis, keepdims=True) / count if centred else x
    squares = np.sum(parts * parts, axis=axis, keepdims=True) / count
    return parts / each(lambda v: S.sqrt(v + S.number(eps)), squares)


# --- how values are laid out for it ----------------------------------------------------------------------------------


def _split_shape(shape: Shape, groups: int, rank: int) -> Shape:
    """`shape` with its channels, the axis before the last `rank` ones, as two: groups and what is in each."""
    if not groups:
        return shape
    at = len(shape) - rank - 1
    return (*shape[:at], groups, shape[at] // groups, *shape[at + 1 :])


def aligned(w: CoreValue, x: CoreValue, rank: int, batched: bool = False) -> CoreValue:
    """Weights of the last axes, or of the channels before the last `rank` ones, so that they broadcast against x."""
    shape = (*shape_of(w), *(1,) * rank)
    if batched:
        lead = ndim_of(x) - len(shape)
        shape = (shape[0], *(1,) * lead, *shape[1:])
    return reshaped(w, shape)


def _column(w: Any, rank: int) -> Any:
    return w.reshape((*w.shape, *(1,) * rank))


# --- the op ----------------------------------------------------------------------------------------------------------

Layout = dict[str, Any]
#: The derivative in words, of all functions that are made of the op.
RULE = "vjp: w*(g - mean(g) - x^*mean(g*x^))/std(x) with x^ = (x - mean(x))/std(x), for g*w; sum of g*x^; sum of g"


def _value(x: Any, w: Any, b: Any, *, axis: Axes, eps: float, centred: bool, groups: int, rank: int, **_: Any) -> Any:
    found = _standard_array(x.reshape(_split_shape(x.shape, groups, rank)), axis, eps, centred).reshape(x.shape)
    return found * _column(w, rank) + _column(b, rank)


def _shape(x: CoreValue, w: CoreValue, b: CoreValue, **_: Any) -> Spec:
    return Spec(shape_of(x), np.result_type(dtype_of(x), dtype_of(w), dtype_of(b)))


def _push(
    t: CoreValue, x: CoreValue, *, axis: Axes, eps: float, centred: bool, groups: int, rank: int, **_: Any
) -> CoreValue:
    """The Jacobian without w times t: what of t is across x, and the little that eps leaves of what is along it.

    What is along x is taken away twice, for what is left may be small; so is the mean.
    """
    shape = _split_shape(shape_of(x), groups, rank)
    form = _standard(reshaped(x, shape), axis, eps, centred)
    unit, across, along = form.unit, reshaped(t, shape), 0.0
    for _pass in range(2):
        across = _centred(across, axis) if centred else across
        share = average(unit * across, axis, True)
        across, along = across - unit * share, share + along
    left = along * (form.eps / (form.squares + form.eps)) if eps else 0.0
    return reshaped((across + unit * left) * (form.rate / form.scale), shape_of(x))


def _normal(x: CoreValue, layout: Layout) -> CoreValue:
    """x^ in the shape of x."""
    split = reshaped(x, _split_shape(shape_of(x), layout["groups"], layout["rank"]))
    form = _standard(split, layout["axis"], layout["eps"], layout["centred"])
    return reshaped(form.parts * form.rate, shape_of(x))


def _by_value(g: CoreValue, y: CoreValue, x: CoreValue, w: CoreValue, b: CoreValue, **layout: Any) -> CoreValue:
    return _push(g * aligned(w, x, layout["rank"]), x, **layout)


def _by_weight(g: CoreValue, y: CoreValue, x: CoreValue, w: CoreValue, b: CoreValue, **layout: Any) -> CoreValue:
    return _gathered(g * _normal(x, layout), w, layout["rank"])


def _gathered(g: CoreValue, w: CoreValue, rank: int) -> CoreValue:
    return reshaped(sum_to(g, (*shape_of(w), *(1,) * rank)), shape_of(w))


def _jvp(ts: Any, y: CoreValue, x: CoreValue, w: CoreValue, b: CoreValue, **layout: Any) -> CoreValue | None:
    rank = layout["rank"]
    by_x = None if ts[0] is None else _push(ts[0], x, **layout) * aligned(w, x, rank)
    by_w = None if ts[1] is None else _normal(x, layout) * aligned(ts[1], x, rank)
    by_b = None if ts[2] is None else expanded(aligned(ts[2], x, rank), shape_of(y))
    return added(added(by_x, by_w), by_b)


def _batch(xs: Sequence[CoreValue], batched: Sequence[bool], params: Layout, size: int) -> CoreValue:
    """x in a batch is normalised at once; weights in a batch are applied afterwards."""
    x, w, b = xs
    x = x if batched[0] else expanded(x, (size, *shape_of(x)))
    if not batched[1] and not batched[2]:
        return bind(NORMALISED, x, w, b, **params)
    rank = params["rank"]
    return _normal(x, params) * aligned(w, x, rank, batched[1]) + aligned(b, x, rank, batched[2])


def _exact(
    S: Any, x: Any, w: Any, b: Any, *, axis: Axes, eps: float, centred: bool, groups: int, rank: int, **_: Any
) -> Any:
    found = _exact_standard(S, x.reshape(_split_shape(x.shape, groups, rank)), axis, eps, centred).reshape(x.shape)
    return found * _column(w, rank) + _column(b, rank)


def _node(operands: Sequence[CoreValue], params: Layout) -> Any:
    """PyTorch has one node, with places for a weight and a bias; those of some functions stand among others."""
    node, (weighed, biased) = params["node"], params["given"]
    w, b = 1 if weighed else None, 2 if biased else None
    if node == "RmsNorm":
        squares = ("MeanBackward1", (("PowBackward0", (0,)),))
        plain = ("MulBackward0", (0, ("RsqrtBackward0", (("AddBackward1", (squares,)),))))
        return ("MulBackward0", (plain, 1)) if weighed else plain
    if node != "InstanceNorm":
        return (f"Native{node}Backward0", (0, w, b))
    repeated = [None if i is None else ("RepeatBackward0", (i,)) for i in (w, b)]
    return ("ViewBackward0", (("NativeBatchNormBackward0", (("ViewBackward0", (0,)), *repeated)),))


def _depends(op: Op, operands: Sequence[Any], y: Any, params: Layout, wanted: Sequence[bool]) -> Any:
    """A value depends on all that it is normalised with, and on the weight and the bias of its channel."""
    x, *rest = operands
    shape = _split_shape(shape_of(x), params["groups"], params["rank"])
    columns = [(*shape_of(w), *(1,) * params["rank"]) for w in rest]
    links = [along_link(shape, params["axis"], shape), *(broadcast_link(c, shape_of(y)) for c in columns)]
    return [link if want else None for link, want in zip(links, wanted, strict=True)]


NORMALISED: Op = general(
    "normalised",
    _value,
    _shape,
    vjps=(
        _by_value,
        _by_weight,
        lambda g, y, x, w, b, **layout: _gathered(g, b, layout["rank"]),
    ),
    jvp=_jvp,
    batch=_batch,
    meaning=_exact,
    torch=_node,
    saves=(0, 1),
    depends=_depends,
    doc="Values less their mean, over their standard deviation, times a weight, plus a bias.",
)


def _rescaled_node(operands: Sequence[CoreValue], params: Layout) -> Any:
    """The weight and the bias as they were before they were laid out for broadcasting."""
    w, b = (_before_layout(x) for x in operands[3:])
    if params["node"] == "BatchNorm":
        return ("NativeBatchNormBackward0", (0, w, b))
    repeated = [None if x is None else ("RepeatBackward0", (x,)) for x in (w, b)]
    return ("ViewBackward0", (("NativeBatchNormBackward0", (("ViewBackward0", (0,)), *repeated)),))


def _before_layout(x: CoreValue) -> CoreValue | None:
    if not isinstance(x, Node):
        return None
    return x.inputs[0] if x.op is RESHAPE else x


RESCALED: Op = elementwise(
    "rescaled",
    lambda x, m, v, w, b, *, eps, node: (x - m) * (1 / np.sqrt(v + eps)) * w + b,
    lambda y, x, m, v, w, b, *, eps, node: rsqrt(v + eps) * w,
    lambda y, x, m, v, w, b, *, eps, node: -rsqrt(v + eps) * w,
    lambda y, x, m, v, w, b, *, eps, node: (x - m) * w * rsqrt(v + eps) / (-2.0 * (v + eps)),
    lambda y, x, m, v, w, b, *, eps, node: (x - m) * rsqrt(v + eps),
    1,
    meaning=lambda S, x, m, v, w, b, *, eps, node: (x - m) / S.sqrt(v + S.number(eps)) * w + b,
    torch=_rescaled_node,
    saves=(0, 3),
    doc="(x - m)/sqrt(v + eps)*w + b.",
)


# --- what functions give them ---------------------------------------------------------------------------------------


def weights_for(name: str, given: Any, shape: Shape, x: CoreValue, default: float) -> CoreValue:
    """A weight or a bias of a shape; where none is given, one that changes nothing.

    Raises:
        ShapeError: it has another shape.
    """
    if given is None:
        return np.full(shape, default, dtype_of(x))
    found = to_float(as_core(given))
    if shape_of(found) != shape:
        raise ShapeError(f"{name}: a weight or bias of shape {fits(shape_of(found))} should have shape {fits(shape)}")
    return found


def normalised(name: str, node: str, x: CoreValue, weight: Any, bias: Any, shape: Shape, **layout: Any) -> CoreValue:
    """The op on a value, with a weight and a bias of a shape where they are given."""
    w, b = weights_for(name, weight, shape, x, 1.0), weights_for(name, bias, shape, x, 0.0)
    return bind(NORMALISED, x, w, b, node=node, given=(weight is not None, bias is not None), **layout)


def eps_of(name: str, eps: Any) -> float:
    """What is added to a variance.

    Raises:
        ArgumentError: it is negative.
    """
    found = float(eps)
    if not found >= 0:
        raise ArgumentError(f"{name}: eps is at least 0, not {found}")
    return found
