"""Log-sum-exp, without overflow, exact where one element outweighs all others, and at infinite elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, dtype_of, shape_of
from gradcli.ops.axes import Axes, axes_of, merged, parted, reduced_count, reduced_shape, restored
from gradcli.ops.carrying import carried
from gradcli.ops.dependence import along_axes, on_first
from gradcli.ops.elementwise import exp, imag, isfinite, log, logical_or, not_equal, real, subtract
from gradcli.ops.elementwise import where as choose
from gradcli.ops.exact import each
from gradcli.ops.function import case
from gradcli.ops.kinds import added, broadcast_shape, conj, constant, expanded, general
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.reduction import COMPLEX, MASK, REDUCTIONS, kept, kept_count, mask_of, total
from gradcli.ops.registry import function
from gradcli.ops.softmax import put_back, softmax_pull, softmax_push, taken, taken_out

# --- of all elements alike -------------------------------------------------------------------------------------------


def _line(x: Any, axis: Axes) -> Any:
    """The elements along the axes in one, the last."""
    if axis == (-1,):
        return x
    moved = np.moveaxis(x, axis, tuple(range(-len(axis), 0)))
    lead = moved.shape[: moved.ndim - len(axis)]
    return moved.reshape((*lead, reduced_count(x.shape, axis)))


def _logsumexp(x: Any, *, axis: Axes, keepdims: bool) -> Any:
    line = _line(x, axis)
    shape = reduced_shape(x.shape, axis, keepdims)
    if not line.shape[-1]:
        return np.full(shape, -np.inf, x.dtype)
    parts, top, place, _ = taken_out(line, -1)
    if x.dtype.kind == "c":
        shift = np.where(np.isfinite(top), top, 0)
        parts[place] = np.squeeze(np.exp(top - shift), -1)
        found = _wrapped(np.log(np.sum(parts, axis=-1, keepdims=True)) + shift)
    else:
        found = top + np.log1p(np.add.reduce(parts, axis=-1, keepdims=True))
    return found.reshape(shape).astype(x.dtype, copy=False)


def _wrapped(z: Any) -> Any:
    """A logarithm with its imaginary part between -pi and pi."""
    turns = np.where(np.isfinite(z.imag), np.round(z.imag / (2 * np.pi)), 0)
    return np.where(np.abs(z.imag) <= np.pi, z, z - 2j * np.pi * turns)


def _log_shape(x: CoreValue, b: CoreValue | None = None, *, axis: Axes, keepdims: bool, **_: Any) -> Spec:
    dtype = dtype_of(x) if b is None else np.result_type(dtype_of(x), dtype_of(b))
    return Spec(reduced_shape(shape_of(x), axis, keepdims), dtype)


def _shares_of(x: CoreValue, axis: Axes) -> CoreValue:
    """softmax(x), without the rounding of a large y that exp(x - y) has."""
    return parted(bind(SHARES, merged(x, axis), axis=(-1,)), x, axis)


def _log_vjp(g: CoreValue, y: CoreValue, x: CoreValue, *, axis: Axes, keepdims: bool) -> CoreValue:
    return carried(restored(g, x, axis, keepdims), conj(_shares_of(x, axis)))


def _log_jvp(ts: Any, y: CoreValue, x: CoreValue, *, axis: Axes, keepdims: bool) -> CoreValue:
    return total(carried(ts[0], _shares_of(x, axis)), axis, keepdims)


def _exact_log(S: Any, x: Any, b: Any = 1, *, axis: Axes, keepdims: bool, signed: bool = False) -> Any:
    whole = np.sum(b * each(S.exp, x), axis=axis, keepdims=keepdims)
    return each(S.log, each(S.abs, whole) if signed else whole)


LOGSUMEXP: Op = general(
    "logsumexp",
    _logsumexp,
    _log_shape,
    vjps=(_log_vjp,),
    jvp=_log_jvp,
    meaning=_exact_log,
    torch="Logsumexp",
    saves=(0, "y"),
    depends=along_axes(),
    doc="log(sum(exp(x))) over axes.",
)


def _shares(x: Any, *, axis: Axes) -> Any:
    if not x.size:
        return x.copy()
    found = taken_out(x, axis[0])
    put_back(found)
    parts = found.parts
    if not found.finite:
        parts = np.where(np.isinf(found.top), x == found.top, parts).astype(x.dtype)
    parts /= np.add.reduce(parts, axis=axis, keepdims=True)
    return parts


SHARES: Op = general(
    "shares",
    _shares,
    lambda x, *, axis: Spec(shape_of(x), dtype_of(x)),
    vjps=(softmax_pull,),
    jvp=lambda ts, y, x, *, axis: softmax_push(ts[0], y, x, axis=axis),
    meaning=lambda S, x, *, axis: (parts := each(S.exp, x)) / np.sum(parts, axis=axis, keepdims=True),
    depends=along_axes(),
    doc="The gradient of logsumexp along an axis: softmax; elements that are infinite and the largest share evenly.",
)


# --- with factors ----------------------------------------------------------------------------------------------------


def _counting(x: Any, b: Any) -> Any:
    """The elements whose factor is not 0; whatever the others are, they add nothing."""
    return np.where(b == 0, x.dtype.type(-np.inf), x)


def _scaled(x: Any, b: Any, *, axis: Axes, keepdims: bool, signed: bool) -> Any:
    line, factors = _line(_counting(x, b), axis), _line(b, axis)
    shape, dtype = reduced_shape(x.shape, axis, keepdims), np.result_type(x, b)
    if not line.shape[-1]:
        return np.full(shape, -np.inf, dtype)
    parts, top, place, _ = taken_out(line, -1)
    own = taken(factors, place, -1)
    rest = np.sum(np.where(factors == 0, 0, factors * parts), axis=-1, keepdims=True) / np.where(own == 0, 1, own)
    if dtype.kind == "c":
        found = _wrapped(np.log1p(rest) + np.log(own.astype(dtype)) + top)
    else:
        negative = (rest < -1) ^ (own < 0)
        found = np.log1p(np.where(rest < -1, -rest - 2, rest)) + np.log(np.abs(own)) + top
        found = found if signed else np.where(negative, np.nan, found)
    return np.where(own == 0, -np.inf, found).reshape(shape).astype(dtype, copy=False)


def _scaled_sign(x: Any, b: Any, *, axis: Axes, keepdims: bool) -> Any:
    line, factors = _line(_counting(x, b), axis), _line(b, axis)
    shape = reduced_shape(x.shape, axis, keepdims)
    if not line.shape[-1]:
        return np.zeros(shape, np.result_type(x, b))
    parts, top, place, _ = taken_out(line, -1)
    own = np.where(np.isneginf(top), 0, taken(factors, place, -1))
    rest = np.sum(np.where(factors == 0, 0, factors * parts), axis=-1, keepdims=True)
    return np.sign(rest + own).reshape(shape).astype(np.result_type(x, b), copy=False)


def _from_largest(x: Any, b: Any, *, axis: Axes) -> Any:
    """x less its largest element that counts; of an infinite one, 0 for it and -inf for all others."""
    inside = _counting(x, b)
    top = np.max(inside.real, axis=axis, keepdims=True, initial=-np.inf)
    found = x - np.where(np.isfinite(top), top, 0).astype(x.dtype)
    return np.where(np.isinf(top), np.where(inside == top, 0, -np.inf), found).astype(x.dtype, copy=False)


# In rules alone, where what is taken off cancels: it counts as a constant.
FROM_LARGEST: Op = general(
    "from_largest",
    _from_largest,
    lambda x, b, *, axis: Spec(shape_of(x), dtype_of(x)),
    vjps=(lambda g, y, x, b, *, axis: g, None),
    jvp=lambda ts, y, x, b, *, axis: ts[0],
    meaning=lambda S, x, b, *, axis: x,
    batch=lambda xs, batched, params, size: _spread_batch(FROM_LARGEST, xs, batched, params, size),
    depends=on_first,
    doc="The elements less a number, so that the largest is 0.",
)


def _spread_batch(op: Op, xs: Any, batched: Any, params: dict[str, Any], size: int) -> CoreValue:
    spread = [x if flag else expanded(x, (size, *shape_of(x))) for x, flag in zip(xs, batched, strict=True)]
    return bind(op, *spread, **params)


def _weights(x: CoreValue, b: CoreValue, axis: Axes) -> tuple[CoreValue, CoreValue]:
    """exp(x)/sum(b exp(x)), every element's part of the sum without its factor, and the same with it."""
    parts = exp(bind(FROM_LARGEST, x, b, axis=axis))
    products = b * choose(logical_or(not_equal(b, 0), isfinite(parts)), parts, 0.0)
    whole = total(products, axis, True)
    return parts / whole, products / whole


def _scaled_vjp(g: CoreValue, y: CoreValue, x: CoreValue, b: CoreValue, *, axis: Axes, keepdims: bool, **_: Any) -> Any:
    return carried(restored(g, x, axis, keepdims), conj(_weights(x, b, axis)[1]))


def _scale_vjp(g: CoreValue, y: CoreValue, x: CoreValue, b: CoreValue, *, axis: Axes, keepdims: bool, **_: Any) -> Any:
    return carried(restored(g, x, axis, keepdims), conj(_weights(x, b, axis)[0]))


def _scaled_jvp(ts: Any, y: CoreValue, x: CoreValue, b: CoreValue, *, axis: Axes, keepdims: bool, **_: Any) -> Any:
    bare, weighed = _weights(x, b, axis)
    by_x = None if ts[0] is None else carried(ts[0], weighed)
    by_b = None if ts[1] is None else carried(ts[1], bare)
    return total(added(by_x, by_b), axis, keepdims)


SCALED_LOGSUMEXP: Op = general(
    "scaled_logsumexp",
    _scaled,
    _log_shape,
    vjps=(_scaled_vjp, _scale_vjp),
    jvp=_scaled_jvp,
    meaning=_exact_log,
    batch=lambda xs, batched, params, size: _spread_batch(SCALED_LOGSUMEXP, xs, batched, params, size),
    depends=along_axes(),
    doc="log(sum(b*exp(x))) over axes, or of its size where it is signed.",
)
SIGN_OF_SUM: Op = constant(
    "sign_of_sum",
    _scaled_sign,
    _log_shape,
    meaning=lambda S, x, b, *, axis, keepdims: each(S.sign, np.sum(b * each(S.exp, x), axis=axis, keepdims=keepdims)),
    batch=lambda xs, batched, params, size: _spread_batch(SIGN_OF_SUM, xs, batched, params, size),
    promotes=False,
    doc="The sign of sum(b*exp(x)) over axes.",
)

# --- functions -------------------------------------------------------------------------------------------------------

_RULE = "vjp: g*exp(x - logsumexp(x)), times b"
_LIMITS = "elements that are the largest and infinite: the derivative in even shares (of one alone, its limit)"
_SOURCE = "Blanchard, Higham and Higham, Accurately computing the log-sum-exp and softmax functions, 2021"
_FACTORS = np.array([0.5, 2.0, 1.0])


@function(
    family="reduction",
    where="scipy",
    also=("jax.nn.logsumexp",),
    op=LOGSUMEXP,
    derivative=_RULE,
    defined="sum(b*exp(x)) > 0, and with return_sign != 0",
    kinks=_LIMITS,
    source=_SOURCE,
    cases=(
        *REDUCTIONS,
        case((3,), b=_FACTORS),
        case((2, 3), axis=1, b=_FACTORS),
        case((2, 3), 1, np.array([1.0, 0.0, 2.0])),
        case((2, 3), axis=[0, 1], b=-_FACTORS, return_sign=True),
        case((3,), return_sign=True),
        case((2, 3), 1, where=MASK),
        case(np.array([[-40.0, 0.0], [0.0, 700.0]]), 1),
        case(COMPLEX, 1),
        case(COMPLEX, 1, _FACTORS),
        case(COMPLEX, 1, return_sign=True),
    ),
)
def logsumexp(
    x: Any, axis: Any = None, b: Any = None, keepdims: Any = False, return_sign: bool = False, where: Any = None
) -> Any:
    """log(sum(b*exp(x))) over axes, without overflow; with return_sign, the pair (log of its size, its sign)."""
    if isinstance(b, bool):  # PyTorch's order, keepdim third
        b, keepdims = None, b
    found = to_float(as_core(x))
    factor = None if b is None else to_float(as_core(b))
    if factor is not None:
        shape = broadcast_shape("logsumexp", shape_of(found), shape_of(factor))
        found, factor = expanded(found, shape), expanded(factor, shape)
    found = kept(found, mask_of("logsumexp", where, found), -np.inf)
    axes = axes_of("logsumexp", axis, found)
    return _signed(found, factor, axes, bool(keepdims)) if return_sign else _plain(found, factor, axes, bool(keepdims))


def _plain(x: CoreValue, b: CoreValue | None, axes: Axes, keepdims: bool) -> CoreValue:
    if b is None:
        return bind(LOGSUMEXP, x, axis=axes, keepdims=keepdims)
    return bind(SCALED_LOGSUMEXP, x, b, axis=axes, keepdims=keepdims, signed=False)


def _signed(x: CoreValue, b: CoreValue | None, axes: Axes, keepdims: bool) -> tuple[CoreValue, CoreValue]:
    if "c" in (dtype_of(x).kind, "f" if b is None else dtype_of(b).kind):
        whole = _plain(x, b, axes, keepdims)
        return real(whole), exp(np.asarray(1j, dtype_of(whole)) * imag(whole))
    factors = np.ones(shape_of(x), dtype_of(x)) if b is None else b
    return (
        bind(SCALED_LOGSUMEXP, x, factors, axis=axes, keepdims=keepdims, signed=True),
        bind(SIGN_OF_SUM, x, factors, axis=axes, keepdims=keepdims),
    )


@function(
    "logsumexp_torch",
    family="reduction",
    where="",
    also=("torch.logsumexp", "torch.special.logsumexp", ".logsumexp"),
    op=LOGSUMEXP,
    derivative="vjp: g*exp(x - logsumexp(x))",
    kinks=_LIMITS,
    source=_SOURCE,
    cases=(case((2, 3), 1), case((2, 3), [0, 1]), case((2, 3), dim=-1, keepdim=True), case((), 0)),
)
def logsumexp_torch(input: Any, dim: Any = None, keepdim: bool = False) -> CoreValue:
    """log(sum(exp(x))) over axes, without overflow."""
    found = to_float(as_core(input))
    return bind(LOGSUMEXP, found, axis=axes_of("logsumexp", dim, found), keepdims=bool(keepdim))


@function(
    family="reduction",
    where="",
    also=("jax.nn.logmeanexp",),
    op=LOGSUMEXP,
    derivative="vjp: g*exp(x - logsumexp(x))",
    kinks=_LIMITS,
    source=_SOURCE,
    cases=(case((3,)), case((2, 3), 1), case((2, 3), where=MASK), case((2, 3), -1, keepdims=True)),
)
def logmeanexp(x: Any, axis: Any = None, where: Any = None, keepdims: bool = False) -> CoreValue:
    """log(mean(exp(x))) over axes, without overflow."""
    found = to_float(as_core(x))
    axes, mask = axes_of("logmeanexp", axis, found), mask_of("logmeanexp", where, found)
    whole = bind(LOGSUMEXP, kept(found, mask, -np.inf), axis=axes, keepdims=bool(keepdims))
    if mask is None:
        return subtract(whole, float(np.log(reduced_count(shape_of(found), axes))))
    return subtract(whole, log(kept_count(found, mask, axes, bool(keepdims))))
