"""Largest and smallest elements over axes; tied elements share the derivative evenly, as in PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, dtype_of, shape_of
from gradcli.ops.axes import Axes, axes_of, reduced_count, reduced_shape, restored
from gradcli.ops.carrying import carried
from gradcli.ops.casts import cast
from gradcli.ops.dependence import along_axes
from gradcli.ops.elementwise import equal, isnan, logical_or, maximum, minimum
from gradcli.ops.exact import along, largest, smallest
from gradcli.ops.function import case
from gradcli.ops.kinds import Rule, expanded, fits, general
from gradcli.ops.operands import as_core
from gradcli.ops.picking import PICKED_BACK as PICKED_BACK  # where others look for it
from gradcli.ops.picking import PUT as PUT
from gradcli.ops.picking import check_not_empty
from gradcli.ops.reduction import MASK, REDUCTIONS, kept, mask_of, total
from gradcli.ops.registry import function
from gradcli.ops.results import named

# --- over any axes, shared among ties --------------------------------------------------------------------------------


def _extreme_shape(name: str) -> Rule:
    def shape(x: CoreValue, *, axis: Axes, keepdims: bool) -> Spec:
        check_not_empty(name, shape_of(x), axis)
        return Spec(reduced_shape(shape_of(x), axis, keepdims), dtype_of(x))

    return shape


def _shares(y: CoreValue, x: CoreValue, axis: Axes, keepdims: bool) -> CoreValue:
    """What every element has of the derivative: 1 over the number of tied elements, or 0. A nan is every extreme."""
    chosen = cast(logical_or(equal(x, restored(y, x, axis, keepdims)), isnan(x)), dtype_of(x))
    return chosen / total(chosen, axis, True)


def _extreme_vjp(g: CoreValue, y: CoreValue, x: CoreValue, *, axis: Axes, keepdims: bool) -> CoreValue:
    return carried(restored(g, x, axis, keepdims), _shares(y, x, axis, keepdims))


def _extreme_jvp(ts: Any, y: CoreValue, x: CoreValue, *, axis: Axes, keepdims: bool) -> CoreValue:
    return total(ts[0] * _shares(y, x, axis, keepdims), axis, keepdims)


def _extreme(name: str, fold: Any, choose: Any, torch: Any, doc: str) -> Op:
    """An op for the extreme element over axes: `fold` in NumPy, `choose` among exact numbers."""

    def kink(x: Any, *, axis: Axes, keepdims: bool) -> Any:
        # Complex numbers go by their real parts first.
        tied = x.real == fold(x.real, axis=axis, keepdims=True)
        return tied & (tied.sum(axis=axis, keepdims=True) > 1)

    return general(
        name,
        lambda x, *, axis, keepdims: fold(x, axis=axis, keepdims=keepdims),
        _extreme_shape(name),
        vjps=(_extreme_vjp,),
        jvp=_extreme_jvp,
        meaning=lambda S, x, *, axis, keepdims: along(lambda cells: choose(S, cells), x, axis, keepdims),
        torch=torch,
        kink=kink,
        saves=(0, "y"),
        depends=along_axes(),
        doc=doc,
    )


MAX = _extreme("max", np.max, largest, lambda operands, params: "MaxBackward1", "Largest element over axes.")
MIN = _extreme("min", np.min, smallest, lambda operands, params: "MinBackward1", "Smallest element over axes.")
AMAX = _extreme("amax", np.max, largest, "Amax", "Largest element over axes.")
AMIN = _extreme("amin", np.min, smallest, "Amin", "Smallest element over axes.")
_BOTH = (
    _extreme("aminmax_min", np.min, smallest, "Aminmax", "Smallest element over axes."),
    _extreme("aminmax_max", np.max, largest, "Aminmax", "Largest element over axes."),
)


def folded(op: Op, x: Any, axis: Any, keepdims: Any) -> CoreValue:
    """The extreme over axes as they were given."""
    found = as_core(x)
    return bind(op, found, axis=axes_of(op.name, axis, found), keepdims=bool(keepdims))


def _folded_from(op: Op, x: Any, axis: Any, keepdims: Any, initial: Any, where_: Any) -> CoreValue:
    """The extreme of the elements where a mask holds, and of a number to begin with."""
    found = as_core(x)
    mask = mask_of(op.name, where_, found)
    if initial is None:
        if mask is not None:
            raise ArgumentError(f"{op.name}: where= needs initial=, the answer where no element counts")
        return folded(op, found, axis, keepdims)
    first = as_core(initial)
    if shape_of(first):
        raise ShapeError(f"{op.name}: initial= is one number, not shape {fits(shape_of(first))}")
    axes = axes_of(op.name, axis, found)
    between = maximum if op in (MAX, AMAX) else minimum
    if not reduced_count(shape_of(found), axes):
        return expanded(cast(first, dtype_of(found)), reduced_shape(shape_of(found), axes, bool(keepdims)))
    return between(bind(op, kept(found, mask, first), axis=axes, keepdims=bool(keepdims)), first)


_TIES = (case(np.array([1.0, 3.0, 3.0])), case(np.array([[1.0, 1.0], [2.0, 0.0]]), 0))
_CASES = (
    *REDUCTIONS,
    *_TIES,
    case((2, 3), 1, initial=0.25),
    case((2, 3), 0, initial=-9.0, where=MASK),
    case((0,), initial=1.5),
)
_SHARED = "vjp: g to the chosen elements, shared evenly among ties"
_EVENLY = "equal extremes share the derivative evenly, as in PyTorch"


@function(
    "max",
    family="reduction",
    where="numpy",
    also=(".max@numpy", "jax.lax.reduce_max"),
    op=MAX,
    derivative=_SHARED,
    defined="at least one element",
    kinks=_EVENLY,
    cases=_CASES,
)
def max_(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None, where: Any = None) -> CoreValue:
    """Largest element over axes."""
    return _folded_from(MAX, x, axis, keepdims, initial, where)


@function(
    "min",
    family="reduction",
    where="numpy",
    also=(".min@numpy", "jax.lax.reduce_min"),
    op=MIN,
    derivative=_SHARED,
    defined="at least one element",
    kinks=_EVENLY,
    cases=(*REDUCTIONS, *_TIES, case((2, 3), 1, initial=0.25), case((2, 3), initial=9.0, where=MASK)),
)
def min_(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None, where: Any = None) -> CoreValue:
    """Smallest element over axes."""
    return _folded_from(MIN, x, axis, keepdims, initial, where)


@function(family="reduction", op=AMAX, derivative=_SHARED, defined="at least one element", kinks=_EVENLY, cases=_CASES)
def amax(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None, where: Any = None) -> CoreValue:
    """Largest element over axes."""
    return _folded_from(AMAX, x, axis, keepdims, initial, where)


@function(
    family="reduction",
    op=AMIN,
    derivative=_SHARED,
    defined="at least one element",
    kinks=_EVENLY,
    cases=(*REDUCTIONS, *_TIES),
)
def amin(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None, where: Any = None) -> CoreValue:
    """Smallest element over axes."""
    return _folded_from(AMIN, x, axis, keepdims, initial, where)


@function(
    family="reduction",
    where="torch method",
    derivative=_SHARED,
    defined="at least one element",
    kinks=_EVENLY,
    cases=(case((3,)), case((2, 3), dim=1, keepdim=True)),
)
def aminmax(input: Any, *, dim: Any = None, keepdim: bool = False) -> Any:
    """The pair (min, max) of the elements, along an axis."""
    return AMINMAX_RESULTS(tuple(folded(op, input, dim, keepdim) for op in _BOTH))


AMINMAX_RESULTS = named("aminmax", "min", "max")


@function(
    family="reduction",
    where="numpy",
    derivative="vjp: g to the largest elements, -g to the smallest, shared evenly among ties",
    defined="at least one element",
    kinks=_EVENLY,
    cases=(case((4,)), case((2, 3), 0), case((2, 3), axis=[0, 1], keepdims=True), case((1,)), case(())),
)
def ptp(x: Any, axis: Any = None, keepdims: bool = False) -> CoreValue:
    """From the smallest to the largest element over axes."""
    return folded(AMAX, x, axis, keepdims) - folded(AMIN, x, axis, keepdims)
