"""The p-norm of a vector, and its direction: exact wherever they are floats, with nothing lost on the way."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, dtype_of, shape_of
from gradcli.ops.axes import Axes, reduced_count, restored
from gradcli.ops.axis_order import moveaxis
from gradcli.ops.casts import cast
from gradcli.ops.dependence import along_axes
from gradcli.ops.elementwise import absolute, equal, imag, isinf, logical_or, not_equal, power, sgn, where
from gradcli.ops.exact import along, each, largest, smallest
from gradcli.ops.kinds import conj, fits, general
from gradcli.ops.products import times
from gradcli.ops.reduction import real_dtype, real_product, reduced_spec, total
from gradcli.ops.shape import reshaped

# --- values ----------------------------------------------------------------------------------------------------------

#: Sums of squares between these, by dtype, have lost nothing on the way.
_SAFE = {"d": (2.0**-900, 2.0**1020), "f": (2.0**-90, 2.0**125), "e": (2.0**-6, 2.0**14)}


def _norm(x: Any, *, p: float, axis: Axes, keepdims: bool) -> Any:
    sizes = np.abs(x)
    if p in (1, math.inf, -math.inf):
        fold = np.sum if p == 1 else np.max if p > 0 else np.min
        return fold(sizes, axis=axis, keepdims=keepdims)
    with np.errstate(all="ignore"):
        if p == 2:
            squares = np.sum(sizes * sizes, axis=axis, keepdims=keepdims)
            low, high = _SAFE[sizes.dtype.char]
            if np.all((squares >= low) & (squares <= high)):
                return np.sqrt(squares)
        return _scaled_norm(sizes, p, axis, keepdims)


def _scaled_norm(sizes: Any, p: float, axis: Axes, keepdims: bool) -> Any:
    """The norm of elements brought near 1 by a power of two, and brought back."""
    scale = _exponent(sizes, p, axis)
    near = np.ldexp(sizes, -scale)
    sums = np.sum(near * near if p == 2 else near**p, axis=axis, keepdims=True)
    found = np.ldexp(np.sqrt(sums) if p == 2 else sums ** (1 / p), scale).astype(sizes.dtype)
    return found if keepdims else found.reshape(np.sum(sizes, axis=axis).shape)


def _exponent(sizes: Any, p: float, axis: Axes) -> Any:
    """The exponent of the element that decides the norm: the largest, or the smallest for a negative p."""
    if not sizes.size:
        return np.zeros(np.sum(sizes, axis=axis, keepdims=True).shape, np.int32)
    fold = np.max if p > 0 else np.min
    return np.frexp(fold(sizes, axis=axis, keepdims=True))[1]


def _unit(x: Any, *, axis: Axes, p: float = 2) -> Any:
    with np.errstate(all="ignore"):
        infinite = np.isinf(x)
        if np.any(infinite):  # of infinite elements the signs count, and nothing else does
            x = np.where(np.any(infinite, axis=axis, keepdims=True) & ~np.isnan(x), _signs(x), x)
        scale = _exponent(np.abs(x), p, axis)
        near = np.ldexp(x.real, -scale) + 1j * np.ldexp(x.imag, -scale) if x.dtype.kind == "c" else np.ldexp(x, -scale)
        near = near.astype(x.dtype)
        length = _norm(near, p=p, axis=axis, keepdims=True)
        return np.where(length == 0, 0, near / np.where(length == 0, 1, length)).astype(x.dtype)


def _signs(x: Any) -> Any:
    """The signs of infinite parts, and 0 for finite ones."""
    if x.dtype.kind == "c":
        return _signs(x.real) + 1j * _signs(x.imag)
    return np.where(np.isinf(x), np.sign(x), 0)


# --- the direction of a vector ---------------------------------------------------------------------------------------

#: Up to so many elements a projection is summed without cancellation.
_FEW = 32


def _sum_of_others(x: CoreValue, axis: Axes) -> CoreValue:
    """For every element, the sum of all others along the axes."""
    ends = tuple(range(-len(axis), 0))
    moved = moveaxis(x, axis, ends)
    shape = shape_of(moved)
    count = reduced_count(shape_of(x), axis)
    rows = reshaped(moved, (*shape[: len(shape) - len(axis)], 1, count))
    found = times(rows, (1 - np.eye(count)).astype(dtype_of(x)))
    return moveaxis(reshaped(found, shape), ends, axis)


def _across(t: CoreValue, u: CoreValue, s: CoreValue, axis: Axes) -> CoreValue:
    """t - u Re<s, t>, where Re<s, u> = 1 and no element of conj(s)*u is other than real: t without its part along u.

    Of few elements, what each has in common with itself is left out rather than taken away.
    """
    common = real_product(s, t)
    if reduced_count(shape_of(u), axis) > _FEW:
        return t - u * total(common, axis, True)
    found = t * _sum_of_others(real_product(s, u), axis) - u * _sum_of_others(common, axis)
    if "c" in (dtype_of(u).kind, dtype_of(t).kind):
        found = found + 1j * u * imag(conj(s) * t)
    return found


def _moved_unit(t: CoreValue, y: CoreValue, x: CoreValue, axis: Axes, p: float, back: bool) -> CoreValue:
    """The derivative of x/|x| in the direction t, or its transpose, which for p = 2 is the same; 0 at the origin."""
    length = bind(NORM, x, p=p, axis=axis, keepdims=True)
    origin = equal(length, 0)
    slopes = y if p == 2 else _direction(length, x, p, axis, True)
    found = _across(t, slopes, y, axis) if back else _across(t, y, slopes, axis)
    return where(origin, 0.0, found / where(origin, 1.0, length))


def _exact_unit(S: Any, x: Any, *, axis: Axes, p: float = 2) -> Any:
    length = _exact_norm(S, x, p=p, axis=axis, keepdims=True)
    return each(lambda cell, size: cell / size, x, length)


UNIT: Op = general(
    "unit",
    _unit,
    lambda x, *, axis, p=2: Spec(shape_of(x), dtype_of(x)),
    vjps=(lambda g, y, x, *, axis, p=2: _moved_unit(g, y, x, axis, p, True),),
    jvp=lambda ts, y, x, *, axis, p=2: _moved_unit(ts[0], y, x, axis, p, False),
    meaning=_exact_unit,
    kink=lambda x, *, axis, p=2: _norm_kink(x, p=p, axis=axis, keepdims=True),
    depends=along_axes(),
    doc="A vector divided by its p-norm, p from 1 on; 0 at the origin.",
)


# --- the p-norm ------------------------------------------------------------------------------------------------------


def _direction(y: CoreValue, x: CoreValue, p: float, axis: Axes, keepdims: bool) -> CoreValue:
    """The gradient: sign(x) (|x|/y)**(p - 1); 0 where y is 0 (and for p < 1 where x is)."""
    if p == 2:
        return bind(UNIT, x, axis=axis)
    if p == 1:
        return sgn(x)
    whole = restored(y, x, axis, keepdims)
    if math.isinf(p):
        chosen = cast(equal(absolute(x), whole), real_dtype(dtype_of(x)))
        return sgn(x) * (chosen / total(chosen, axis, True))
    origin = equal(whole, 0)
    edge = equal(x, 0) if p < 2 else origin
    endless = isinf(x)
    ratio = where(endless, 1.0, absolute(x)) / where(origin, 1.0, whole)
    ratio = where(logical_or(edge, endless), 1.0, ratio)
    slopes = sgn(x) * power(ratio, p - 1)
    return where(edge, 0.0, slopes)


def _norm_vjp(g: CoreValue, y: CoreValue, x: CoreValue, *, p: float, axis: Axes, keepdims: bool) -> CoreValue:
    return restored(g, x, axis, keepdims) * _direction(y, x, p, axis, keepdims)


def _norm_jvp(ts: Any, y: CoreValue, x: CoreValue, *, p: float, axis: Axes, keepdims: bool) -> CoreValue:
    return total(real_product(_direction(y, x, p, axis, keepdims), ts[0]), axis, keepdims)


def _exact_norm(S: Any, x: Any, *, p: float, axis: Axes, keepdims: bool) -> Any:
    if p == 2:
        squares = each(lambda cell: S.re(cell * cell.conjugate()), x)
        return each(S.sqrt, np.sum(squares, axis=axis, keepdims=keepdims))
    sizes = each(S.abs, x)
    if p == 1:
        return np.sum(sizes, axis=axis, keepdims=keepdims)
    if math.isinf(p):
        choose = largest if p > 0 else smallest
        return along(lambda cells: choose(S, cells), sizes, axis, keepdims)
    power_ = S.number(p)
    powers = each(lambda cell: S.pow(cell, power_), sizes)
    return each(lambda cell: S.pow(cell, 1 / power_), np.sum(powers, axis=axis, keepdims=keepdims))


def _norm_kink(x: Any, *, p: float, axis: Axes, keepdims: bool) -> Any:
    if math.isinf(p):
        tied = np.abs(x) == _norm(x, p=p, axis=axis, keepdims=True)
        return (tied & (tied.sum(axis=axis, keepdims=True) > 1)) | (tied & (x == 0))
    return (x == 0) if p < 2 else (x == 0).all(axis=axis, keepdims=True) & (x == 0)


def _norm_spec(x: CoreValue, *, p: float, axis: Axes, keepdims: bool) -> Spec:
    if math.isinf(p) and reduced_count(shape_of(x), axis) == 0:
        raise ShapeError(f"norm: no elements have no {'largest' if p > 0 else 'smallest'}: shape {fits(shape_of(x))}")
    return reduced_spec(x, axis=axis, keepdims=keepdims)


NORM: Op = general(
    "norm",
    _norm,
    _norm_spec,
    vjps=(_norm_vjp,),
    jvp=_norm_jvp,
    meaning=_exact_norm,
    torch="LinalgVectorNorm",
    kink=_norm_kink,
    saves=(0, "y"),
    depends=along_axes(),
    doc="sum(|x|**p)**(1/p) over axes; the derivative at 0 is 0.",
)


def p_norm(x: CoreValue, p: Any, axis: Axes, keepdims: bool) -> CoreValue:
    """The p-norm over axes, for any number p; of p = 0, how many elements are not 0."""
    if p == 0:
        return cast(total(not_equal(x, 0), axis, keepdims), real_dtype(dtype_of(x)))
    return bind(NORM, x, p=p, axis=axis, keepdims=keepdims)
