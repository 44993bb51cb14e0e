"""Variance and standard deviation, as NumPy and PyTorch take them; the ops are in `gradcli.ops.variance`."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.values import CoreValue
from gradcli.ops.axes import Axes, axes_of
from gradcli.ops.elementwise import divide, sqrt, subtract
from gradcli.ops.function import case
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.reduction import (
    COMPLEX,
    MASK,
    REDUCTIONS,
    average,
    kept,
    mask_of,
    real_product,
    total,
    typed,
)
from gradcli.ops.registry import function
from gradcli.ops.variance import STD, VAR, freedom, spread_of


def _about(x: CoreValue, center: Any, mask: Any, axes: Axes, correction: Any, keepdims: bool, root: bool) -> CoreValue:
    """The mean square distance from a given mean, or its root."""
    d = kept(subtract(x, as_core(center)), mask, 0)
    found = divide(total(real_product(d, d), axes, True), freedom(x, mask, axes, correction))
    found = found if keepdims else total(found, axes)
    return sqrt(found) if root else found


def _numpy_spread(
    name: str, x: Any, axis: Any, dtype: Any, ddof: Any, keepdims: Any, where: Any, mean: Any, correction: Any
) -> CoreValue:
    found = to_float(typed(x, dtype))
    axes, mask, root = axes_of(name, axis, found), mask_of(name, where, found), name == "std"
    less = ddof if correction is None else correction
    if mean is not None:
        return _about(found, mean, mask, axes, less, bool(keepdims), root)
    return spread_of(found, mask, axes, less, keepdims, root)


_FAR = np.array([1e8, 1e8 + 1, 1e8 + 3])
_SPREADS = (
    case((4,), ddof=1),
    case((2, 3), where=MASK),
    case((2, 3), 1, ddof=1, keepdims=True, where=MASK),
    case((3,), correction=0.5),
    case(_FAR),
    case(np.array([1e-200, 3e-200, -1e-200])),
    case(COMPLEX, 1),
    case(COMPLEX, where=MASK),
)
_TIP = "all elements equal: 0, as in PyTorch (JAX: nan)"
_VAR_RULE = "vjp: 2*g*(x - mean(x))/(n - ddof), 0 outside of where"
_STD_RULE = "vjp: g*(x - mean(x))/((n - ddof)*std(x)), 0 outside of where and where std(x) = 0"
_DEFINED = "more elements than are taken off"
_SOURCE = "Chan, Golub and LeVeque, Algorithms for computing the sample variance, 1983"


@function(
    family="reduction",
    where="numpy",
    also=(".var@numpy",),
    op=VAR,
    derivative=_VAR_RULE,
    defined=_DEFINED,
    source=_SOURCE,
    cases=(*REDUCTIONS, *_SPREADS),
)
def var(
    x: Any,
    axis: Any = None,
    dtype: Any = None,
    ddof: Any = 0,
    keepdims: bool = False,
    where: Any = None,
    mean: Any = None,
    correction: Any = None,
) -> CoreValue:
    """Variance: the mean square deviation, of n - ddof elements."""
    return _numpy_spread("var", x, axis, dtype, ddof, keepdims, where, mean, correction)


@function(
    family="reduction",
    where="numpy",
    also=(".std@numpy",),
    op=STD,
    derivative=_STD_RULE,
    defined=_DEFINED,
    kinks=_TIP,
    source=_SOURCE,
    cases=(*REDUCTIONS[:1], *REDUCTIONS[2:], *_SPREADS),
)
def std(
    x: Any,
    axis: Any = None,
    dtype: Any = None,
    ddof: Any = 0,
    keepdims: bool = False,
    where: Any = None,
    mean: Any = None,
    correction: Any = None,
) -> CoreValue:
    """Standard deviation: the root of the variance."""
    return _numpy_spread("std", x, axis, dtype, ddof, keepdims, where, mean, correction)


def _torch_arguments(name: str, input: Any, dim: Any, unbiased: Any, correction: Any) -> tuple[CoreValue, Axes, Any]:
    """(value, axes, correction) as PyTorch's functions take them: `torch.var(x, False)` names no axes."""
    if isinstance(dim, bool):
        dim, unbiased = None, dim
    found = to_float(as_core(input))
    return found, axes_of(name, dim, found), (1 if unbiased else 0) if correction is None else correction


_TORCH_SPREADS = (
    case((3,)),
    case((2, 3), 0),
    case((2, 3), 1, unbiased=False),
    case((2, 3), dim=1, correction=0),
    case((2, 3), [0, 1], keepdim=True),
    case(COMPLEX, 1),
)


@function(
    "var_torch",
    family="reduction",
    where="",
    also=("torch.var", ".var@torch"),
    op=VAR,
    derivative="vjp: 2*g*(x - mean(x))/(n - correction)",
    defined=_DEFINED,
    source=_SOURCE,
    cases=_TORCH_SPREADS,
)
def var_torch(
    input: Any, dim: Any = None, unbiased: Any = True, keepdim: bool = False, *, correction: Any = None
) -> CoreValue:
    """Variance as PyTorch takes it: unbiased by itself (n - 1)."""
    x, axes, less = _torch_arguments("var", input, dim, unbiased, correction)
    return spread_of(x, None, axes, less, keepdim, False)


@function(
    "std_torch",
    family="reduction",
    where="",
    also=("torch.std", ".std@torch"),
    op=STD,
    derivative="vjp: g*(x - mean(x))/((n - correction)*std(x)), 0 where std(x) = 0",
    defined=_DEFINED,
    kinks=_TIP,
    source=_SOURCE,
    cases=_TORCH_SPREADS,
)
def std_torch(
    input: Any, dim: Any = None, unbiased: Any = True, keepdim: bool = False, *, correction: Any = None
) -> CoreValue:
    """Standard deviation as PyTorch takes it: unbiased by itself (n - 1)."""
    x, axes, less = _torch_arguments("std", input, dim, unbiased, correction)
    return spread_of(x, None, axes, less, keepdim, True)


@function(
    family="reduction",
    where="torch",
    derivative="vjp: those of var and mean, added",
    defined=_DEFINED,
    source=_SOURCE,
    cases=_TORCH_SPREADS,
)
def var_mean(
    input: Any, dim: Any = None, unbiased: Any = True, keepdim: bool = False, *, correction: Any = None
) -> tuple[CoreValue, CoreValue]:
    """The pair (variance, mean); the variance is unbiased by itself (n - 1)."""
    x, axes, less = _torch_arguments("var_mean", input, dim, unbiased, correction)
    return spread_of(x, None, axes, less, keepdim, False), average(x, axes, bool(keepdim))


@function(
    family="reduction",
    where="torch",
    derivative="vjp: those of std and mean, added",
    defined=_DEFINED,
    kinks=_TIP,
    source=_SOURCE,
    cases=_TORCH_SPREADS,
)
def std_mean(
    input: Any, dim: Any = None, unbiased: Any = True, keepdim: bool = False, *, correction: Any = None
) -> tuple[CoreValue, CoreValue]:
    """The pair (standard deviation, mean); the deviation is unbiased by itself (n - 1)."""
    x, axes, less = _torch_arguments("std_mean", input, dim, unbiased, correction)
    return spread_of(x, None, axes, less, keepdim, True), average(x, axes, bool(keepdim))
