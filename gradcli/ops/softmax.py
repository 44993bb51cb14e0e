"""Log-sum-exp and softmax, without overflow."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.values import CoreValue, Spec, dtype_of, ndim_of, shape_of
from gradcli.ops.axes import Axes, axes_of, axis_of, reduced_shape, restored
from gradcli.ops.elementwise import exp
from gradcli.ops.exact import each
from gradcli.ops.function import case
from gradcli.ops.kinds import added, broadcast_shape, expanded, general
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.reduction import REDUCTIONS, total, typed
from gradcli.ops.registry import function

# --- log-sum-exp -----------------------------------------------------------------------------------------------------


def _shift(x: Any, axis: Axes) -> Any:
    """The largest element, which is taken out before exp; 0 where it is not finite."""
    top = np.max(x.real, axis=axis, keepdims=True, initial=-np.inf)
    return np.where(np.isfinite(top), top, 0).astype(top.dtype)


def _logsumexp(x: Any, b: Any = None, *, axis: Axes, keepdims: bool) -> Any:
    top = _shift(x, axis)
    terms = np.exp(x - top) if b is None else b * np.exp(x - top)
    found = np.log(np.sum(terms, axis=axis, keepdims=keepdims))
    return found + (top if keepdims else top.reshape(found.shape))


def _log_shape(x: CoreValue, b: CoreValue | None = None, *, axis: Axes, keepdims: bool) -> Spec:
    dtype = dtype_of(x) if b is None else np.result_type(dtype_of(x), dtype_of(b))
    return Spec(reduced_shape(shape_of(x), axis, keepdims), dtype)


def _log_vjp(g: CoreValue, y: CoreValue, x: CoreValue, *, axis: Axes, keepdims: bool) -> CoreValue:
    # softmax(x) is exp(x - y), without the rounding of a large y.
    return restored(g, x, axis, keepdims) * bind(SOFTMAX, x, axis=axis)


def _log_jvp(ts: Any, y: CoreValue, x: CoreValue, *, axis: Axes, keepdims: bool) -> CoreValue:
    return total(ts[0] * bind(SOFTMAX, x, axis=axis), axis, keepdims)


def _exact_log(S: Any, x: Any, b: Any = 1, *, axis: Axes, keepdims: bool) -> Any:
    return each(S.log, np.sum(b * each(S.exp, x), axis=axis, keepdims=keepdims))


LOGSUMEXP = general(
    "logsumexp",
    _logsumexp,
    _log_shape,
    vjps=(_log_vjp,),
    jvp=_log_jvp,
    meaning=_exact_log,
    torch="Logsumexp",
    saves=(0, "y"),
    doc="log(sum(exp(x))) over axes.",
)


def _weights(y: CoreValue, x: CoreValue, axis: Axes, keepdims: bool) -> CoreValue:
    """exp(x - y): every element's part of the sum, without its factor."""
    return exp(x - restored(y, x, axis, keepdims))


def _scaled_vjp(g: CoreValue, y: CoreValue, x: CoreValue, b: CoreValue, *, axis: Axes, keepdims: bool) -> CoreValue:
    return _scale_vjp(g, y, x, b, axis=axis, keepdims=keepdims) * b


def _scale_vjp(g: CoreValue, y: CoreValue, x: CoreValue, b: CoreValue, *, axis: Axes, keepdims: bool) -> CoreValue:
    return restored(g, x, axis, keepdims) * _weights(y, x, axis, keepdims)


def _scaled_jvp(ts: Any, y: CoreValue, x: CoreValue, b: CoreValue, *, axis: Axes, keepdims: bool) -> CoreValue:
    inner = added(None if ts[0] is None else b * ts[0], ts[1])
    return total(inner * _weights(y, x, axis, keepdims), axis, keepdims)


def _scaled_batch(xs: Any, batched: Any, params: dict[str, Any], size: int) -> CoreValue:
    spread = [x if flag else expanded(x, (size, *shape_of(x))) for x, flag in zip(xs, batched, strict=True)]
    return bind(SCALED_LOGSUMEXP, *spread, **params)


SCALED_LOGSUMEXP = general(
    "scaled_logsumexp",
    _logsumexp,
    _log_shape,
    vjps=(_scaled_vjp, _scale_vjp),
    jvp=_scaled_jvp,
    meaning=_exact_log,
    batch=_scaled_batch,
    doc="log(sum(b*exp(x))) over axes.",
)


@function(
    family="reduction",
    where="scipy",
    also=("torch.logsumexp", ".logsumexp", "torch.special.logsumexp", "jax.nn.logsumexp"),
    op=LOGSUMEXP,
    derivative="vjp: g*exp(x - logsumexp(x))",
    cases=(*REDUCTIONS, case((3,), b=np.array([0.5, 2.0, 1.0])), case((2, 3), axis=1, b=np.array([0.5, 2.0, 1.0]))),
)
def logsumexp(x: Any, axis: Any = None, keepdims: Any = False, b: Any = None) -> CoreValue:
    """log(sum(b*exp(x))) over axes, without overflow."""
    if b is None and not isinstance(keepdims, bool):  # SciPy's order: (a, axis, b, keepdims)
        b, keepdims = keepdims, False
    found = to_float(as_core(x))
    if b is None:
        return bind(LOGSUMEXP, found, axis=axes_of("logsumexp", axis, found), keepdims=bool(keepdims))
    factor = to_float(as_core(b))
    shape = broadcast_shape("logsumexp", shape_of(found), shape_of(factor))
    found, factor = expanded(found, shape), expanded(factor, shape)
    return bind(SCALED_LOGSUMEXP, found, factor, axis=axes_of("logsumexp", axis, found), keepdims=bool(keepdims))


# --- softmax ---------------------------------------------------------------------------------------------------------


def _softmax(x: Any, *, axis: Axes) -> Any:
    parts = np.exp(x - np.max(x, axis=axis, keepdims=True, initial=-np.inf))
    return parts / np.sum(parts, axis=axis, keepdims=True)


def _same_shape(x: CoreValue, *, axis: Axes) -> Spec:
    return Spec(shape_of(x), dtype_of(x))


def _exact_softmax(S: Any, x: Any, *, axis: Axes) -> Any:
    parts = each(S.exp, x)
    return parts / np.sum(parts, axis=axis, keepdims=True)


def _softmax_push(v: CoreValue, y: CoreValue, x: CoreValue, *, axis: Axes) -> CoreValue:
    """The Jacobian diag(y) - y y', which is symmetric, times v."""
    return y * (v - total(y * v, axis, True))


SOFTMAX = general(
    "softmax",
    _softmax,
    _same_shape,
    vjps=(_softmax_push,),
    jvp=lambda ts, y, x, *, axis: _softmax_push(ts[0], y, x, axis=axis),
    meaning=_exact_softmax,
    torch="Softmax",
    saves=("y",),
    doc="exp(x)/sum(exp(x)) over axes.",
)


def _log_softmax(x: Any, *, axis: Axes) -> Any:
    shifted = x - np.max(x, axis=axis, keepdims=True, initial=-np.inf)
    return shifted - np.log(np.sum(np.exp(shifted), axis=axis, keepdims=True))


def _exact_log_softmax(S: Any, x: Any, *, axis: Axes) -> Any:
    return x - each(S.log, np.sum(each(S.exp, x), axis=axis, keepdims=True))


LOG_SOFTMAX = general(
    "log_softmax",
    _log_softmax,
    _same_shape,
    vjps=(lambda g, y, x, *, axis: g - exp(y) * total(g, axis, True),),
    jvp=lambda ts, y, x, *, axis: ts[0] - total(exp(y) * ts[0], axis, True),
    meaning=_exact_log_softmax,
    torch="LogSoftmax",
    saves=("y",),
    doc="log(softmax(x)) over axes.",
)

_CASES = (case((4,)), case((2, 3), axis=0), case((2, 3), axis=-1), case((2, 3), axis=(0, 1)), case((0,)), case(()))
_DIMS = (case((4,)), case((2, 3), 0), case((2, 3), dim=-1), case((2, 3, 2)))
_SOFTMAX_RULE = "vjp: y*(g - sum(g*y))"
_LOG_SOFTMAX_RULE = "vjp: g - softmax(x)*sum(g)"


def _implicit(x: CoreValue, dim: Any) -> int:
    """PyTorch's choice of dim where none is given."""
    return axis_of("softmax", (0 if ndim_of(x) in (0, 1, 3) else 1) if dim is None else dim, x)


def _with_dim(op: Any, input: Any, dim: Any, dtype: Any) -> CoreValue:
    found = to_float(typed(input, dtype))
    if not shape_of(found):
        return bind(op, found, axis=())
    return bind(op, found, axis=(_implicit(found, dim),))


def _over(op: Any, x: Any, axis: Any) -> CoreValue:
    found = to_float(as_core(x))
    return bind(op, found, axis=axes_of(op.name, axis, found))


@function(family="special", where="scipy", op=SOFTMAX, derivative=_SOFTMAX_RULE, cases=_CASES)
def softmax(x: Any, axis: Any = None) -> CoreValue:
    """exp(x)/sum(exp(x)) over axes (all of them by itself)."""
    return _over(SOFTMAX, x, axis)


@function(family="special", where="scipy", op=LOG_SOFTMAX, derivative=_LOG_SOFTMAX_RULE, cases=_CASES)
def log_softmax(x: Any, axis: Any = None) -> CoreValue:
    """log(softmax(x)) over axes (all of them by itself)."""
    return _over(LOG_SOFTMAX, x, axis)


@function(
    "softmax_torch",
    family="special",
    where="",
    also=("torch.softmax", "torch.nn.functional.softmax", "torch.special.softmax", ".softmax"),
    op=SOFTMAX,
    derivative=_SOFTMAX_RULE,
    cases=_DIMS,
)
def softmax_torch(input: Any, dim: Any = None, dtype: Any = None) -> CoreValue:
    """exp(x)/sum(exp(x)) along one axis."""
    return _with_dim(SOFTMAX, input, dim, dtype)


@function(
    "log_softmax_torch",
    family="special",
    where="",
    also=("torch.log_softmax", "torch.nn.functional.log_softmax", "torch.special.log_softmax", ".log_softmax"),
    op=LOG_SOFTMAX,
    derivative=_LOG_SOFTMAX_RULE,
    cases=_DIMS,
)
def log_softmax_torch(input: Any, dim: Any = None, dtype: Any = None) -> CoreValue:
    """log(softmax(x)) along one axis."""
    return _with_dim(LOG_SOFTMAX, input, dim, dtype)


@function(
    "softmax_jax",
    family="special",
    where="",
    also=("jax.nn.softmax",),
    op=SOFTMAX,
    derivative=_SOFTMAX_RULE,
    cases=_CASES[:3],
)
def softmax_jax(x: Any, axis: Any = -1) -> CoreValue:
    """exp(x)/sum(exp(x)) along the last axis, or others."""
    return _over(SOFTMAX, x, axis)


@function(
    "log_softmax_jax",
    family="special",
    where="",
    also=("jax.nn.log_softmax",),
    op=LOG_SOFTMAX,
    derivative=_LOG_SOFTMAX_RULE,
    cases=_CASES[:3],
)
def log_softmax_jax(x: Any, axis: Any = -1) -> CoreValue:
    """log(softmax(x)) along the last axis, or others."""
    return _over(LOG_SOFTMAX, x, axis)
