"""Reductions of the elements that are numbers: nansum, nanmean, nanmax and their like.

A nan is left out, and has derivative 0; it is selected away, so that nothing of it comes through.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import DomainError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, dtype_of, shape_of
from gradcli.ops.arguments import settled
from gradcli.ops.axes import Axes, axes_of
from gradcli.ops.elementwise import add, isnan, logical_and, logical_not, multiply
from gradcli.ops.elementwise import where as choose
from gradcli.ops.extremes import AMAX, AMIN, amax, amin
from gradcli.ops.function import Function, case
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.picking import argmax, argmin
from gradcli.ops.reduction import (
    ALL,
    MASK,
    average,
    dtype_or_flag,
    kept,
    kept_count,
    mask_of,
    mean_of_some,
    total,
    typed,
)
from gradcli.ops.registry import function
from gradcli.ops.running import CUMPROD, CUMSUM, PROD, line_of
from gradcli.ops.variance import spread_of

_HOLES = np.array([[0.5, np.nan, 2.0], [np.nan, 1.5, -0.25]])
_EMPTY_ROW = np.array([[0.5, np.nan, 2.0], [np.nan, np.nan, np.nan]])
_COMPLEX_HOLES = np.array([1.0 + 2.0j, np.nan, -0.5 + 0.25j])
_CASES = (
    case((3,)),
    case((2, 3), 1),
    case(_HOLES),
    case(_HOLES, 0),
    case(_HOLES, -1, keepdims=True),
    case(_HOLES, [0, 1]),
    case(np.array(np.nan)),
)
_SUMS = (*_CASES, case(_EMPTY_ROW, 1), case((0,)), case(_COMPLEX_HOLES))
_NONE = "at nan: 0"


def numbers(x: CoreValue) -> CoreValue | None:
    """Where the elements are numbers; None where all must be."""
    return logical_not(isnan(x)) if dtype_of(x).kind in "fc" else None


def _both(a: CoreValue | None, b: CoreValue | None) -> CoreValue | None:
    if a is None or b is None:
        return b if a is None else a
    return logical_and(a, b)


def _counted(name: str, x: CoreValue, where: Any) -> CoreValue | None:
    return _both(numbers(x), mask_of(name, where, x))


# --- sums, products and means ----------------------------------------------------------------------------------------


@function(
    family="reduction",
    derivative="vjp: g broadcast along axis, 0 at nan",
    kinks=_NONE,
    cases=(*_SUMS, case(_HOLES, where=MASK), case((3,), initial=1.5)),
)
def nansum(
    x: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, initial: Any = None, where: Any = None
) -> CoreValue:
    """Sum of the elements that are numbers."""
    dtype, keepdims = dtype_or_flag(dtype, keepdims)
    found = typed(x, dtype)
    whole = total(kept(found, _counted("nansum", found, where), 0), axes_of("nansum", axis, found), keepdims)
    return whole if initial is None else add(whole, initial)


@function(
    family="reduction",
    where="numpy",
    derivative="vjp: g times the product of the others that are numbers, 0 at nan",
    kinks=_NONE,
    cases=(*_SUMS, case(_HOLES, where=MASK), case((3,), initial=1.5)),
)
def nanprod(
    x: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, initial: Any = None, where: Any = None
) -> CoreValue:
    """Product of the elements that are numbers."""
    found = typed(x, dtype)
    inside = kept(found, _counted("nanprod", found, where), 1)
    whole = bind(PROD, inside, axis=axes_of("nanprod", axis, found), keepdims=bool(keepdims))
    return whole if initial is None else multiply(whole, initial)


@function(
    family="reduction",
    derivative="vjp: g/n broadcast along axis, n of which are numbers; 0 at nan",
    defined="at least one number",
    kinks=_NONE,
    cases=(*_CASES[:-1], case(_HOLES, where=MASK), case(_COMPLEX_HOLES)),
)
def nanmean(x: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, where: Any = None) -> CoreValue:
    """Mean of the elements that are numbers."""
    dtype, keepdims = dtype_or_flag(dtype, keepdims)
    found = to_float(typed(x, dtype))
    axes, mask = axes_of("nanmean", axis, found), _counted("nanmean", found, where)
    return average(found, axes, keepdims) if mask is None else mean_of_some(found, mask, axes, keepdims)


def _nan_spread(name: str, x: Any, axis: Any, dtype: Any, ddof: Any, keepdims: Any, where: Any) -> CoreValue:
    found = to_float(typed(x, dtype))
    axes, mask = axes_of(name, axis, found), _counted(name, found, where)
    spread = spread_of(kept(found, mask, 0), mask, axes, ddof, keepdims, name == "nanstd")
    if mask is None:
        return spread
    # With no freedom left there is no spread, as in NumPy.
    return choose(kept_count(found, mask, axes, bool(keepdims)) - ddof > 0, spread, np.nan)


_SPREADS = (*_CASES[:-1], case((4,), ddof=1), case(_HOLES, 1, ddof=1), case(_HOLES, where=MASK), case(_COMPLEX_HOLES))


@function(
    family="reduction",
    where="numpy",
    derivative="vjp: 2*g*(x - nanmean(x))/(n - ddof), 0 at nan",
    defined="more numbers than ddof",
    kinks=_NONE,
    cases=_SPREADS,
)
def nanvar(
    x: Any,
    axis: Any = None,
    dtype: Any = None,
    ddof: Any = 0,
    keepdims: bool = False,
    where: Any = None,
    correction: Any = None,
) -> CoreValue:
    """Variance of the elements that are numbers."""
    return _nan_spread("nanvar", x, axis, dtype, ddof if correction is None else correction, keepdims, where)


@function(
    family="reduction",
    where="numpy",
    derivative="vjp: g*(x - nanmean(x))/((n - ddof)*nanstd(x)), 0 at nan and where nanstd(x) = 0",
    defined="more numbers than ddof",
    kinks="at nan: 0; all numbers equal: 0, as in PyTorch's std",
    cases=(*_SPREADS[:3], *_SPREADS[4:]),
)
def nanstd(
    x: Any,
    axis: Any = None,
    dtype: Any = None,
    ddof: Any = 0,
    keepdims: bool = False,
    where: Any = None,
    correction: Any = None,
) -> CoreValue:
    """Standard deviation of the elements that are numbers."""
    return _nan_spread("nanstd", x, axis, dtype, ddof if correction is None else correction, keepdims, where)


# --- running sums and products ---------------------------------------------------------------------------------------

_RUNNING = (case((3,)), case((2, 3), 1), case(_HOLES), case(_HOLES, axis=0), case(_HOLES, -1))


def _filled(name: str, x: Any, axis: Any, dtype: Any, filler: int) -> tuple[CoreValue, int | None]:
    found, number = line_of(name, x, axis, dtype)
    return kept(found, numbers(found), filler), number


@function(
    family="reduction",
    where="numpy",
    op=CUMSUM,
    derivative="vjp: running sum of g from the end, 0 at nan",
    kinks=_NONE,
    cases=_RUNNING,
)
def nancumsum(x: Any, axis: Any = None, dtype: Any = None) -> CoreValue:
    """Running sum along an axis in which a nan adds nothing."""
    found, number = _filled("nancumsum", x, axis, dtype, 0)
    return found if number is None else bind(CUMSUM, found, axis=number, reverse=False)


@function(
    family="reduction",
    where="numpy",
    op=CUMPROD,
    derivative="vjp: product before x[i], times s[i] = g[i] + x[i+1]*s[i+1], 0 at nan",
    kinks=_NONE,
    cases=_RUNNING,
)
def nancumprod(x: Any, axis: Any = None, dtype: Any = None) -> CoreValue:
    """Running product along an axis in which a nan counts as 1."""
    found, number = _filled("nancumprod", x, axis, dtype, 1)
    return found if number is None else bind(CUMPROD, found, axis=number)


# --- extremes --------------------------------------------------------------------------------------------------------

_SHARED = "vjp: g to the chosen elements, shared evenly among ties"
_SOME = "at least one number"
_TIES = "equal extremes share the derivative evenly, as in PyTorch; at nan: 0"
_EXTREMES = (*_CASES[:-1], case(np.array([1.0, np.nan, 1.0])), case(_HOLES, 0, initial=0.25))


def _extreme(
    name: str, ops: tuple[Op, Function], x: Any, axis: Any, keepdims: Any, initial: Any, where: Any
) -> CoreValue:
    op, fold = ops
    found = as_core(x)
    mask = numbers(found)
    if mask is None:
        return fold.call(found, axis, keepdims, initial, where)
    filler = -np.inf if op is AMAX else np.inf
    filled = choose(mask, found, filler)
    if initial is not None or where is not None:
        return fold.call(filled, axis, keepdims, initial, where)
    axes = axes_of(name, axis, found)
    return choose(_some(mask, axes, bool(keepdims)), bind(op, filled, axis=axes, keepdims=bool(keepdims)), np.nan)


def _some(mask: CoreValue, axes: Axes, keepdims: bool) -> CoreValue:
    return logical_not(bind(ALL, logical_not(mask), axis=axes, keepdims=keepdims))


@function(family="reduction", where="numpy", derivative=_SHARED, defined=_SOME, kinks=_TIES, cases=_EXTREMES)
def nanmax(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None, where: Any = None) -> CoreValue:
    """Largest of the elements that are numbers."""
    return _extreme("nanmax", (AMAX, amax), x, axis, keepdims, initial, where)


@function(family="reduction", where="numpy", derivative=_SHARED, defined=_SOME, kinks=_TIES, cases=_EXTREMES)
def nanmin(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None, where: Any = None) -> CoreValue:
    """Smallest of the elements that are numbers."""
    return _extreme("nanmin", (AMIN, amin), x, axis, keepdims, initial, where)


def _place(name: str, find: Function, filler: float, x: Any, axis: Any, keepdims: Any) -> CoreValue:
    found = as_core(x)
    mask = numbers(found)
    if mask is None:
        return find.call(found, axis, keepdims)
    axes = axes_of(name, axis, found)
    if shape_of(found) and not bool(np.all(settled(_some(mask, axes, True)))):
        raise DomainError(f"{name}: a slice holds no number, so none of them stands anywhere")
    return find.call(choose(mask, found, filler), axis, keepdims)


_PLACES = (case((4,)), case(_HOLES), case(_HOLES, 1), case(_HOLES, 0, keepdims=True))


@function(family="reduction", where="numpy", differentiable=False, cases=_PLACES)
def nanargmax(x: Any, axis: Any = None, keepdims: bool = False) -> CoreValue:
    """Index of the largest element that is a number, the first of ties."""
    return _place("nanargmax", argmax, -np.inf, x, axis, keepdims)


@function(family="reduction", where="numpy", differentiable=False, cases=_PLACES)
def nanargmin(x: Any, axis: Any = None, keepdims: bool = False) -> CoreValue:
    """Index of the smallest element that is a number, the first of ties."""
    return _place("nanargmin", argmin, np.inf, x, axis, keepdims)
