"""Running folds under the names of NumPy 2 and jax.lax."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, dtype_of, ndim_of, shape_of
from gradcli.ops.axes import axis_of
from gradcli.ops.axis_order import moveaxis
from gradcli.ops.function import Function, case
from gradcli.ops.rearranging import flip
from gradcli.ops.reduction import typed
from gradcli.ops.registry import function
from gradcli.ops.running import CUMPROD, CUMSUM, joined, line_of
from gradcli.ops.scans import CUMMAX, CUMMIN, LAST, LOGCUMSUMEXP, PICKED
from gradcli.ops.shape import reshaped

# --- NumPy 2's names -------------------------------------------------------------------------------------------------

_CUMULATIVE = (
    case((4,)),
    case((2, 3), axis=1),
    case((2, 3), axis=-2, include_initial=True),
    case((), include_initial=True),
    case((0,)),
)


def _cumulative(name: str, op: Op, first: float, x: Any, axis: Any, dtype: Any, initial: Any, **params: Any) -> Any:
    found = typed(x, dtype)
    if axis is None and ndim_of(found) > 1:
        raise ArgumentError(f"{name} of {ndim_of(found)} axes needs to know along which", mend="axis=0")
    found = found if shape_of(found) else reshaped(found, (1,))
    at = axis_of(name, 0 if axis is None else axis, found)
    whole = bind(op, found, axis=at, **params)
    if not initial:
        return whole
    shape = list(shape_of(whole))
    shape[at] = 1
    start = np.full(shape, first, dtype_of(whole))
    return moveaxis(joined([moveaxis(start, at, -1), moveaxis(whole, at, -1)]), -1, at)


@function(
    family="reduction",
    where="numpy",
    op=CUMSUM,
    derivative="vjp: running sum of g from the end",
    cases=_CUMULATIVE,
)
def cumulative_sum(x: Any, *, axis: Any = None, dtype: Any = None, include_initial: bool = False) -> CoreValue:
    """Running sum along an axis, after a 0 if the initial value is included."""
    return _cumulative("cumulative_sum", CUMSUM, 0, x, axis, dtype, include_initial, reverse=False)


@function(
    family="reduction",
    where="numpy",
    op=CUMPROD,
    derivative="vjp: product before x[i], times s[i] = g[i] + x[i+1]*s[i+1]",
    cases=_CUMULATIVE,
)
def cumulative_prod(x: Any, *, axis: Any = None, dtype: Any = None, include_initial: bool = False) -> CoreValue:
    """Running product along an axis, after a 1 if the initial value is included."""
    return _cumulative("cumulative_prod", CUMPROD, 1, x, axis, dtype, include_initial)


# --- jax.lax's names -------------------------------------------------------------------------------------------------


def _lax(name: str, op: Op, derivative: str, kinks: str, doc: str) -> Function:
    """A running fold of jax.lax: along axis 0 by itself, from the end if reverse."""

    def call(operand: Any, axis: Any = 0, reverse: bool = False) -> CoreValue:
        found, number = line_of(name, operand, axis, None)
        if number is None:
            return found
        if op is CUMSUM:
            return bind(op, found, axis=number, reverse=bool(reverse))
        if not reverse:
            return bind(op, found, axis=number)
        return flip(bind(op, flip(found, axis=number), axis=number), axis=number)

    call.__doc__ = f"{doc}, from the end if reverse."
    cases = (case((4,)), case((2, 3), 1), case((2, 3), reverse=True), case((2, 3), axis=-1, reverse=True))
    declare = function(
        f"{name}_lax",
        family="reduction",
        where="",
        also=(f"jax.lax.{name}",),
        op=op,
        derivative=derivative,
        kinks=kinks,
        cases=cases,
    )
    return declare(call)


cumsum_lax = _lax("cumsum", CUMSUM, "vjp: running sum of g from the other end", "", "Running sum along an axis")
cumprod_lax = _lax(
    "cumprod",
    CUMPROD,
    "vjp: product before x[i], times s[i] = g[i] + x[i+1]*s[i+1]",
    "",
    "Running product along an axis",
)
cummax_lax = _lax("cummax", CUMMAX, PICKED, LAST, "The largest element so far along an axis")
cummin_lax = _lax("cummin", CUMMIN, PICKED, LAST, "The smallest element so far along an axis")
cumlogsumexp_lax = _lax(
    "cumlogsumexp",
    LOGCUMSUMEXP,
    "vjp: exp(x[j] - y[j])*s[j] with s[j] = g[j] + exp(y[j] - y[j+1])*s[j+1]",
    "elements that are the largest so far and infinite: the last of them",
    "The logarithm of the running sum of exp(x) along an axis",
)
