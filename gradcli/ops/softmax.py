"""Softmax and its logarithm, exact where one element outweighs all others, and at infinite elements.

The largest element is taken out of the sum: what the others add to it is small where it outweighs them, and the
logarithm of their sum is log1p of that. The rules do the same with cotangents and tangents.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, dtype_of, ndim_of, shape_of
from gradcli.ops.axes import Axes, axes_of, axis_of, merged, parted, reduced_count
from gradcli.ops.carrying import carried
from gradcli.ops.dependence import along_axes
from gradcli.ops.elementwise import exp
from gradcli.ops.exact import each
from gradcli.ops.function import case
from gradcli.ops.kinds import conj, general, linear
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.picking import paired
from gradcli.ops.reduction import MASK, kept, mask_of, total, typed
from gradcli.ops.registry import function

# --- values ----------------------------------------------------------------------------------------------------------


def at_top(x: Any, axis: int) -> Any:
    """Where the first largest elements along an axis stand, as an index; along the only axis, one number."""
    if x.ndim == 1:
        return int(x.real.argmax())
    place = np.argmax(x.real, axis=axis)
    index: list[Any] = list(np.ogrid[tuple(slice(n) for n in place.shape)])
    index.insert(x.ndim + axis, place)
    return tuple(index)


def taken(x: Any, place: Any, axis: int) -> Any:
    """The elements at an index of `at_top`, the axis kept."""
    return x[place : place + 1] if type(place) is int else np.expand_dims(x[place], axis)


class TakenOut(NamedTuple):
    """exp(x - top) with 0 in the place of the top, which is the first largest along an axis.

    Attributes:
        parts: what is said above; a top that is not finite is not subtracted.
        top: the largest, the axis kept.
        place: where it stands (see `at_top`).
        finite: whether all tops are.
    """

    parts: Any
    top: Any
    place: Any
    finite: bool


def taken_out(x: Any, axis: int) -> TakenOut:
    """The elements' exponentials without the largest."""
    place = at_top(x, axis)
    top = taken(x, place, axis)
    sizes = np.isfinite(top)
    finite = bool(sizes.all())
    parts = x - (top if finite else np.where(sizes, top, x.dtype.type(0)))
    np.exp(parts, out=parts)
    parts[place] = 0
    return TakenOut(parts, top, place, finite)


def put_back(found: TakenOut) -> None:
    """1 in the place of the top; nan where it is nan."""
    found.parts[found.place] = 1
    if not found.finite:
        found.parts[...] += np.where(np.isnan(found.top), found.top, 0)


def _single(x: Any, top: Any, axis: int) -> Any:
    """exp(x - top) for a top that is infinite, in the limit: 1 for it alone; nan where several stand there."""
    there = x == top
    several = there.sum(axis=axis, keepdims=True) > 1
    return np.where(several, np.nan, there).astype(x.dtype)


def _softmax(x: Any, *, axis: Axes) -> Any:
    if not axis:
        return _softmax(x[..., None], axis=(-1,))[..., 0]
    if not x.size:
        return x.copy()
    found = taken_out(x, axis[0])
    put_back(found)
    parts = found.parts
    if not found.finite:
        parts = np.where(np.isinf(found.top), _single(x, found.top, axis[0]), parts)
    parts /= np.add.reduce(parts, axis=axis, keepdims=True)
    return parts


def _log_softmax(x: Any, *, axis: Axes) -> Any:
    if not axis:
        return _log_softmax(x[..., None], axis=(-1,))[..., 0]
    if not x.size:
        return x.copy()
    parts, top, _, finite = taken_out(x, axis[0])
    rest = np.log1p(np.add.reduce(parts, axis=axis, keepdims=True))
    found = np.subtract(x, top, out=parts)
    found -= rest
    return found if finite else np.where(np.isinf(top), np.log(_single(x, top, axis[0])), found)


def _same_shape(x: CoreValue, *, axis: Axes) -> Spec:
    return Spec(shape_of(x), dtype_of(x))


# --- rules -----------------------------------------------------------------------------------------------------------


def _less_top(v: Any, x: Any, *, axis: int) -> Any:
    return v - taken(v, at_top(x, axis), axis)


def _balanced(v: Any, x: Any, *, axis: int) -> Any:
    place = at_top(x, axis)
    made = v.copy()
    made[place] = 0
    made[place] = -np.sum(made, axis=axis)
    return made


def _of_same_shape(v: CoreValue, x: CoreValue, *, axis: int) -> Spec:
    return Spec(shape_of(v), dtype_of(v))


LESS_TOP: Op = linear(
    "less_top",
    _less_top,
    _of_same_shape,
    transpose=lambda g, v, x, *, axis: bind(BALANCED, g, x, axis=axis),
    batch=paired(lambda: LESS_TOP),
    depends=along_axes(),
    doc="Elements less the one that stands where x is largest along an axis; there they become 0.",
)
BALANCED: Op = linear(
    "balanced",
    _balanced,
    _of_same_shape,
    transpose=lambda g, v, x, *, axis: bind(LESS_TOP, g, x, axis=axis),
    batch=paired(lambda: BALANCED),
    depends=along_axes(),
    doc="Elements, where x is largest along an axis made what all others lack to a sum of 0.",
)


def _has_top(x: CoreValue, axis: Axes) -> bool:
    return bool(axis) and bool(reduced_count(shape_of(x), axis))


def _from_top(v: CoreValue, x: CoreValue, axis: Axes) -> CoreValue:
    """`v` less its element at the largest of `x`."""
    return bind(LESS_TOP, v, x, axis=axis[0]) if _has_top(x, axis) else v - v


def softmax_push(v: CoreValue, y: CoreValue, x: CoreValue, *, axis: Axes) -> CoreValue:
    """The Jacobian diag(y) - y y', which is symmetric, times v. It takes nothing of a constant v, such as v at the top:
    what is left of v there is 0, so that nothing cancels where y is nearly 1."""
    rest = _from_top(v, x, axis)
    return carried(rest - total(carried(rest, y), axis, True), y)


def softmax_pull(g: CoreValue, y: CoreValue, x: CoreValue, *, axis: Axes) -> CoreValue:
    """The Jacobian's conjugate transpose times g."""
    return conj(softmax_push(conj(g), y, x, axis=axis))


def _log_softmax_pull(g: CoreValue, y: CoreValue, x: CoreValue, *, axis: Axes) -> CoreValue:
    """g - exp(y) sum(g), whose sum is 0: at the top, where the two may cancel, it is what all others lack."""
    found = g - carried(total(g, axis, True), exp(y))
    return bind(BALANCED, found, x, axis=axis[0]) if _has_top(x, axis) else found


def _log_softmax_jvp(ts: Any, y: CoreValue, x: CoreValue, *, axis: Axes) -> CoreValue:
    rest = _from_top(ts[0], x, axis)
    return rest - total(carried(rest, exp(y)), axis, True)


def _exact_softmax(S: Any, x: Any, *, axis: Axes) -> Any:
    parts = each(S.exp, x)
    return parts / np.sum(parts, axis=axis, keepdims=True)


def _exact_log_softmax(S: Any, x: Any, *, axis: Axes) -> Any:
    return x - each(S.log, np.sum(each(S.exp, x), axis=axis, keepdims=True))


SOFTMAX: Op = general(
    "softmax",
    _softmax,
    _same_shape,
    vjps=(softmax_pull,),
    jvp=lambda ts, y, x, *, axis: softmax_push(ts[0], y, x, axis=axis),
    meaning=_exact_softmax,
    torch="Softmax",
    saves=("y",),
    depends=along_axes(),
    doc="exp(x)/sum(exp(x)) along an axis.",
)
LOG_SOFTMAX: Op = general(
    "log_softmax",
    _log_softmax,
    _same_shape,
    vjps=(lambda g, y, x, *, axis: conj(_log_softmax_pull(conj(g), y, x, axis=axis)),),
    jvp=_log_softmax_jvp,
    meaning=_exact_log_softmax,
    torch="LogSoftmax",
    saves=("y",),
    depends=along_axes(),
    doc="log(softmax(x)) along an axis.",
)

# --- functions -------------------------------------------------------------------------------------------------------

_TALL = np.array([[40.0, 0.0, -1.0], [0.5, 0.25, 700.0]])
_CASES = (
    case((4,)),
    case((2, 3), axis=0),
    case((2, 3), axis=-1),
    case((2, 3), axis=[0, 1]),
    case((2, 3, 2), axis=[0, -1]),
    case((0,)),
    case(()),
    case(_TALL, -1),
)
_DIMS = (case((4,)), case((2, 3), 0), case((2, 3), dim=-1), case((2, 3, 2)), case(()), case(_TALL, 1))
_MASKED = (case((2, 3), where=MASK), case((2, 3), 0, MASK))
_SOFTMAX_RULE = "vjp: y*(g - sum(g*y))"
_LOG_SOFTMAX_RULE = "vjp: g - softmax(x)*sum(g)"
_LIMITS = "an element of inf: the limit, where it is the only one; several of inf, or all of several -inf: nan"


def _implicit(x: CoreValue, dim: Any) -> int:
    """PyTorch's choice of dim where none is given."""
    return axis_of("softmax", (0 if ndim_of(x) in (0, 1, 3) else 1) if dim is None else dim, x)


def _with_dim(op: Op, input: Any, dim: Any, dtype: Any) -> CoreValue:
    found = to_float(typed(input, dtype))
    if not shape_of(found):
        return bind(op, found, axis=())
    return bind(op, found, axis=(_implicit(found, dim),))


def _over(op: Op, x: Any, axis: Any) -> CoreValue:
    found = to_float(as_core(x))
    axes = axes_of(op.name, axis, found)
    if len(axes) < 2:
        return bind(op, found, axis=tuple(axes))
    return parted(bind(op, merged(found, axes), axis=(-1,)), found, axes)


def _over_some(op: Op, x: Any, axis: Any, where_: Any, outside: float) -> CoreValue:
    """The same of the elements where a mask holds, as if the others were -inf; JAX's results for those."""
    found = to_float(as_core(x))
    mask = mask_of(op.name, where_, found)
    return kept(_over(op, kept(found, mask, -np.inf), axis), mask, outside)


@function(family="activation", where="scipy", op=SOFTMAX, derivative=_SOFTMAX_RULE, kinks=_LIMITS, cases=_CASES)
def softmax(x: Any, axis: Any = None) -> CoreValue:
    """exp(x)/sum(exp(x)) over axes (all of them by itself)."""
    return _over(SOFTMAX, x, axis)


@function(family="activation", where="scipy", op=LOG_SOFTMAX, derivative=_LOG_SOFTMAX_RULE, kinks=_LIMITS, cases=_CASES)
def log_softmax(x: Any, axis: Any = None) -> CoreValue:
    """log(softmax(x)) over axes (all of them by itself)."""
    return _over(LOG_SOFTMAX, x, axis)


@function(
    "softmax_torch",
    family="activation",
    where="",
    also=("torch.softmax", "torch.nn.functional.softmax", "torch.special.softmax", ".softmax"),
    op=SOFTMAX,
    derivative=_SOFTMAX_RULE,
    kinks=_LIMITS,
    cases=_DIMS,
)
def softmax_torch(input: Any, dim: Any = None, dtype: Any = None) -> CoreValue:
    """exp(x)/sum(exp(x)) along one axis."""
    return _with_dim(SOFTMAX, input, dim, dtype)


@function(
    "log_softmax_torch",
    family="activation",
    where="",
    also=("torch.log_softmax", "torch.nn.functional.log_softmax", "torch.special.log_softmax", ".log_softmax"),
    op=LOG_SOFTMAX,
    derivative=_LOG_SOFTMAX_RULE,
    kinks=_LIMITS,
    cases=_DIMS,
)
def log_softmax_torch(input: Any, dim: Any = None, dtype: Any = None) -> CoreValue:
    """log(softmax(x)) along one axis."""
    return _with_dim(LOG_SOFTMAX, input, dim, dtype)


@function(
    "softmax_jax",
    family="activation",
    where="",
    also=("jax.nn.softmax",),
    op=SOFTMAX,
    derivative=_SOFTMAX_RULE,
    kinks=_LIMITS,
    cases=(*_CASES[:3], *_MASKED),
)
def softmax_jax(x: Any, axis: Any = -1, where: Any = None) -> CoreValue:
    """exp(x)/sum(exp(x)) along the last axis, or others; 0 outside of where."""
    return _over_some(SOFTMAX, x, axis, where, 0.0)


@function(
    "log_softmax_jax",
    family="activation",
    where="",
    also=("jax.nn.log_softmax",),
    op=LOG_SOFTMAX,
    derivative=_LOG_SOFTMAX_RULE,
    kinks=_LIMITS,
    cases=_CASES[:3],
)
def log_softmax_jax(x: Any, axis: Any = -1, where: Any = None) -> CoreValue:
    """log(softmax(x)) along the last axis, or others; -inf outside of where."""
    return _over_some(LOG_SOFTMAX, x, axis, where, -np.inf)


@function(
    family="activation",
    where="F",
    derivative="vjp: -y*(g - sum(g*y))",
    kinks=_LIMITS,
    cases=(case((2, 3), 1), case((3,), dim=0)),
)
def softmin(input: Any, dim: Any = None, dtype: Any = None) -> CoreValue:
    """softmax(-x) along one axis."""
    return softmax_torch.call(-as_core(input), dim, dtype)
