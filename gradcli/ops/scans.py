"""Running extremes and running log-sum-exp."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, dtype_of, shape_of
from gradcli.ops.axes import axis_of
from gradcli.ops.axis_order import moveaxis
from gradcli.ops.carrying import carried
from gradcli.ops.constructors import ones_of
from gradcli.ops.dependence import moved_tangent, running
from gradcli.ops.elementwise import exp, where
from gradcli.ops.elementwise.limits import gap
from gradcli.ops.exact import each, largest, smallest
from gradcli.ops.function import case
from gradcli.ops.kinds import conj, constant, general
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.picking import PICKED_BACK, PUT
from gradcli.ops.reduction import COMPLEX
from gradcli.ops.registry import function
from gradcli.ops.results import named
from gradcli.ops.running import joined, part, recurrence

# --- running extremes ------------------------------------------------------------------------------------------------


def _running_place(fold: Any) -> Callable[..., Any]:
    """Where the extreme of all elements so far stands, the last of them; the first nan is every extreme after it."""

    def place(x: Any, *, axis: int) -> Any:
        best = fold.accumulate(x, axis)
        along = np.arange(x.shape[axis]).reshape((-1,) + (1,) * (-axis - 1))
        return np.maximum.accumulate(np.where((x == best) | np.isnan(x), along, 0), axis)

    return place


def _tied(fold: Any) -> Callable[..., Any]:
    """Elements that equal the extreme of those before them."""

    def tied(x: Any, *, axis: int) -> Any:
        line = np.moveaxis(x.real, axis, -1)  # complex numbers go by their real parts first
        same = np.zeros(line.shape, bool)
        same[..., 1:] = line[..., 1:] == fold.accumulate(line, -1)[..., :-1]
        return np.moveaxis(same, -1, axis)

    return tied


def _exactly_so_far(choose: Any) -> Callable[..., Any]:
    def meaning(S: Any, x: Any, *, axis: int) -> Any:
        line = np.moveaxis(x, axis, -1)
        made = np.empty(line.shape, dtype=object)
        for row in np.ndindex(line.shape[:-1]):
            best = None
            for i, cell in enumerate(line[row]):
                best = cell if best is None else choose(S, [cell, best])
                made[(*row, i)] = best
        return np.moveaxis(made, -1, axis)

    return meaning


def _running(name: str, fold: Any, choose: Any, doc: str) -> tuple[Op, Op]:
    """The ops for running extremes and for where they stand."""
    find = constant(
        f"{name}_places",
        _running_place(fold),
        lambda x, *, axis: Spec(shape_of(x), np.dtype(np.int64)),
        meaning=lambda S, x, *, axis: _running_place(fold)(x.astype(np.float64), axis=axis),
        kink=_tied(fold),
        doc=f"Where the running extreme of {name} stands, the last of equals.",
    )
    op = general(
        name,
        lambda x, *, axis: fold.accumulate(x, axis),
        lambda x, *, axis: Spec(shape_of(x), dtype_of(x)),
        vjps=(lambda g, y, x, *, axis: bind(PUT, g, bind(find, x, axis=axis), axis=axis, length=shape_of(x)[axis]),),
        jvp=lambda ts, y, x, *, axis: bind(PICKED_BACK, ts[0], bind(find, x, axis=axis), axis=axis),
        meaning=_exactly_so_far(choose),
        torch=name.title(),
        kink=_tied(fold),
        saves=(0, None),
        depends=moved_tangent,
        doc=doc,
    )
    return op, find


CUMMAX, CUMMAX_PLACES = _running("cummax", np.maximum, largest, "The largest element so far along an axis.")
CUMMIN, CUMMIN_PLACES = _running("cummin", np.minimum, smallest, "The smallest element so far along an axis.")

_PAIRS = {name: named(name, "values", "indices") for name in ("cummax", "cummin")}
LAST = "equal elements: the last of them, as in PyTorch"
PICKED = "vjp: g added up where the running extremes stand"
_TIED = np.array([1.0, 3.0, 3.0, 2.0, 4.0])


def _pair(name: str, op: Op, find: Op, input: Any, dim: Any) -> Any:
    x = as_core(input)
    axis = axis_of(name, dim, x)
    if not shape_of(x):
        return _PAIRS[name]((x, np.zeros((), np.int64)))
    return _PAIRS[name]((bind(op, x, axis=axis), bind(find, x, axis=axis)))


_DIMS = (
    case((4,), 0),
    case((2, 3), 1),
    case((2, 3), dim=-2),
    case(_TIED, 0),
    case((), 0),
    case((0,), 0),
    case((1,), 0),
)


@function(family="reduction", where="torch method", op=CUMMAX, derivative=PICKED, kinks=LAST, cases=_DIMS)
def cummax(input: Any, dim: Any) -> Any:
    """The pair (values, indices) of the largest elements so far along an axis."""
    return _pair("cummax", CUMMAX, CUMMAX_PLACES, input, dim)


@function(family="reduction", where="torch method", op=CUMMIN, derivative=PICKED, kinks=LAST, cases=_DIMS)
def cummin(input: Any, dim: Any) -> Any:
    """The pair (values, indices) of the smallest elements so far along an axis."""
    return _pair("cummin", CUMMIN, CUMMIN_PLACES, input, dim)


# --- running log-sum-exp ---------------------------------------------------------------------------------------------


def _logcumsumexp(x: Any, *, axis: int) -> Any:
    if x.dtype.kind != "c":
        return np.logaddexp.accumulate(x, axis)
    line = np.moveaxis(x, axis, -1)
    made = line.copy()
    for i in range(1, line.shape[-1]):
        pair = np.stack([made[..., i - 1], line[..., i]])
        top = np.max(pair.real, axis=0)
        top = np.where(np.isfinite(top), top, 0)
        made[..., i] = np.log(np.sum(np.exp(pair - top), axis=0)) + top
    return np.moveaxis(made, -1, axis)


def _exact_logcumsumexp(S: Any, x: Any, *, axis: int) -> Any:
    return each(S.log, np.cumsum(each(S.exp, x), axis))


def _own_and_before(x: CoreValue, y: CoreValue) -> tuple[CoreValue, CoreValue]:
    """Along the last axis: what an element is of its sum, and what all before it are (nothing, for the first).

    Of infinities that are equal the last is the whole sum.
    """
    own = exp(gap(x, y))
    later_x, later_y = part(x, slice(1, None)), part(y, slice(1, None))
    before = exp(gap(part(y, slice(0, -1)), later_y))
    before = where(_is_infinite_top(later_x, later_y), 0.0, before)
    return own, before


def _is_top(x: Any, y: Any) -> Any:
    return np.isinf(x) & (x == y)


IS_INFINITE_TOP: Op = constant(
    "is_infinite_top", _is_top, meaning=lambda S, x, y: S.false, doc="Whether an element is infinite, and its sum too."
)


def _is_infinite_top(x: CoreValue, y: CoreValue) -> CoreValue:
    return bind(IS_INFINITE_TOP, x, y)


def _logcumsumexp_vjp(g: CoreValue, y: CoreValue, x: CoreValue, *, axis: int) -> CoreValue:
    # y[i] = log(exp(x[0]) + ... + exp(x[i])): the cotangent of x[j] is exp(x[j] - y[j]) s[j], where
    # s[j] = g[j] + exp(y[j] - y[j+1]) s[j+1]; no exponent is above 0.
    x_, y_, g_ = (moveaxis(v, axis, -1) for v in (x, y, g))
    if not shape_of(x_)[-1]:
        return g
    own, before = _own_and_before(x_, y_)
    factors = joined([conj(before), ones_of(part(x_, slice(0, 1)))])
    return moveaxis(carried(recurrence(g_, factors), conj(own)), -1, axis)


def _logcumsumexp_jvp(ts: Any, y: CoreValue, x: CoreValue, *, axis: int) -> CoreValue:
    # u[i] = exp(x[i] - y[i]) t[i] + exp(y[i-1] - y[i]) u[i-1]: the same recurrence, read from the other end.
    x_, y_, t_ = (moveaxis(v, axis, -1) for v in (x, y, ts[0]))
    if not shape_of(x_)[-1]:
        return ts[0]
    own, before = _own_and_before(x_, y_)
    turned = slice(None, None, -1)
    factors = joined([part(before, turned), ones_of(part(x_, slice(0, 1)))])
    return moveaxis(part(recurrence(part(carried(t_, own), turned), factors), turned), -1, axis)


LOGCUMSUMEXP: Op = general(
    "logcumsumexp",
    _logcumsumexp,
    lambda x, *, axis: Spec(shape_of(x), dtype_of(x)),
    vjps=(_logcumsumexp_vjp,),
    jvp=_logcumsumexp_jvp,
    meaning=_exact_logcumsumexp,
    torch="Logcumsumexp",
    saves=(0, "y"),
    depends=running,
    doc="The logarithm of the running sum of exp(x) along an axis.",
)


@function(
    family="reduction",
    where="torch method",
    op=LOGCUMSUMEXP,
    derivative="vjp: exp(x[j] - y[j])*s[j] with s[j] = g[j] + exp(y[j] - y[j+1])*s[j+1]",
    kinks="elements that are the largest so far and infinite: the last of them",
    cases=(case((4,), 0), case((2, 3), 1), case((2, 3), dim=0), case((), 0), case((0,), 0), case(COMPLEX, 1)),
)
def logcumsumexp(input: Any, dim: Any) -> CoreValue:
    """The logarithm of the running sum of exp(x) along an axis, without overflow."""
    x = to_float(as_core(input))
    axis = axis_of("logcumsumexp", dim, x)
    return bind(LOGCUMSUMEXP, x, axis=axis) if shape_of(x) else x
