"""The ops of variance and standard deviation, exact far from zero and where squares would overflow.

Squares are taken of deviations whose own mean, the rounding of the mean, is taken out again (the corrected two-pass
algorithm of Chan, Golub and LeVeque, "Algorithms for computing the sample variance", 1983); where they would overflow
or vanish, the elements are scaled by a power of two first.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, shape_of
from gradcli.ops.arguments import settled
from gradcli.ops.axes import Axes, reduced_count, reduced_shape, restored
from gradcli.ops.carrying import carried
from gradcli.ops.dependence import along_axes
from gradcli.ops.elementwise import divide, equal, maximum, subtract
from gradcli.ops.elementwise import where as choose
from gradcli.ops.exact import each
from gradcli.ops.fixed import held
from gradcli.ops.kinds import expanded, general
from gradcli.ops.operands import as_core
from gradcli.ops.reduction import (
    average,
    kept,
    kept_count,
    real_product,
    reduced_spec,
    total,
)

# --- the squares -----------------------------------------------------------------------------------------------------


def _count(x: Any, mask: Any, axis: Axes) -> Any:
    return reduced_count(x.shape, axis) if mask is None else np.sum(mask, axis, x.real.dtype, keepdims=True)


_sum = np.add.reduce


def _squares(x: Any, mask: Any, axis: Axes) -> Any:
    """The sum of squared distances from the mean, axes kept."""
    count = _count(x, mask, axis)
    d = x - np.true_divide(_sum(x, axis=axis, keepdims=True), count)
    if mask is not None:
        d = np.where(mask, d, 0)
    rest = _sum(d, axis=axis, keepdims=True)
    found = _sum(_size_squared(d, out=d), axis=axis, keepdims=True)
    excess = np.true_divide(_size_squared(rest), count)
    found -= excess if np.isfinite(excess).all() else np.where(np.isfinite(excess), excess, 0)
    return found


def _size_squared(d: Any, out: Any = None) -> Any:
    if d.dtype.kind == "c":
        return d.real * d.real + d.imag * d.imag
    return np.multiply(d, d, out=out if isinstance(out, np.ndarray) else None)


@cache
def _ordinary(dtype: np.dtype[Any]) -> tuple[float, float]:
    """Between which bounds a sum of squares has lost nothing to overflow or underflow."""
    info = np.finfo(dtype)
    return float(info.tiny) / float(info.eps) ** 2, float(info.max)


def _scaled_squares(x: Any, mask: Any, axis: Axes) -> tuple[Any, Any]:
    """(the squares of x/scale, the scale): a power of two, 1 unless something would overflow or vanish."""
    x = x if mask is None else np.where(mask, x, x.dtype.type(0))
    with np.errstate(over="ignore", invalid="ignore"):
        found = _squares(x, mask, axis)
    low, high = _ordinary(found.dtype)
    if low < found.item() < high if found.size == 1 else np.all((found > low) & (found < high)):
        return found, 1.0
    info = np.finfo(found.dtype)
    sizes = np.maximum(np.abs(x.real), np.abs(x.imag)) if x.dtype.kind == "c" else np.abs(x)
    top = np.max(sizes, axis=axis, keepdims=True, initial=0)
    exponent = np.where(np.isfinite(top), np.clip(np.frexp(top)[1], info.minexp + 24, info.maxexp - 24), 0)
    scale = np.ldexp(found.dtype.type(1), exponent)
    return _squares(x / scale, mask, axis), scale


def freedom(x: CoreValue, mask: CoreValue | None, axis: Axes, correction: float) -> CoreValue:
    """What the squares are divided by: the number of elements that count, less the correction; never below 0."""
    if mask is None:
        return max(reduced_count(shape_of(x), axis) - correction, 0)
    return maximum(subtract(kept_count(x, mask, axis, True), correction), 0)


def _value(x: Any, mask: Any, axis: Axes, correction: float, keepdims: bool, root: bool) -> Any:
    squares, scale = _scaled_squares(x, mask, axis)
    freedom = max(reduced_count(x.shape, axis) - correction, 0) if mask is None else _count(x, mask, axis) - correction
    mean = np.true_divide(squares, freedom if mask is None else np.maximum(freedom, 0), dtype=squares.dtype)
    found = np.sqrt(mean) * scale if root else mean * scale * scale
    return found if keepdims else found.reshape(reduced_shape(x.shape, axis, False))


# --- rules -----------------------------------------------------------------------------------------------------------


def _deviation(x: CoreValue, mask: CoreValue | None, axis: Axes) -> CoreValue:
    """The distance from the mean, with the rounding of the mean taken out again; 0 for elements that don't count."""
    inside = kept(x, mask, 0)
    for _ in range(2):
        inside = kept(inside - _mean(inside, mask, axis), mask, 0)
    return inside


def _mean(x: CoreValue, mask: CoreValue | None, axis: Axes) -> CoreValue:
    return average(x, axis, True) if mask is None else divide(total(x, axis, True), kept_count(x, mask, axis, True))


def _slope(y: CoreValue, x: CoreValue, mask: Any, axis: Axes, correction: float, keepdims: bool, root: bool) -> Any:
    """The gradient: 2 d/n of the variance; of its root d/(n y), 0 where y is 0."""
    d = _deviation(x, mask, axis)
    if root:
        whole = restored(y, x, axis, keepdims)
        tip = equal(whole, 0)
        d = choose(tip, 0.0, d / choose(tip, 1.0, whole))
    return divide(d if root else 2 * d, freedom(x, mask, axis, correction))


def _exact(S: Any, x: Any, mask: Any = None, *, axis: Axes, correction: float, keepdims: bool) -> Any:
    inside = x if mask is None else np.where(mask, x, S.number(0))
    count = reduced_count(x.shape, axis) if mask is None else np.sum(mask, axis=axis, keepdims=True)
    d = inside - np.true_divide(np.sum(inside, axis=axis, keepdims=True), count)
    d = d if mask is None else np.where(mask, d, S.number(0))
    squares = each(lambda cell: S.re(cell) * S.re(cell) + S.im(cell) * S.im(cell), d)
    found = np.asarray(np.sum(squares, axis=axis, keepdims=True), dtype=object) / (count - S.number(correction))
    return found if keepdims else np.reshape(found, reduced_shape(x.shape, axis, False))


def _flat(x: Any, mask: Any = None, *, axis: Axes, correction: float, keepdims: bool) -> Any:
    """Where all elements that count are equal."""
    return np.broadcast_to(_scaled_squares(x, mask, axis)[0] == 0, x.shape)


def _spread(name: str, masked: bool, root: bool, torch: str, doc: str) -> Op:
    """An op for the variance or its root, of all elements or of those where the second operand holds."""

    def value(x: Any, mask: Any = None, *, axis: Axes, correction: float, keepdims: bool) -> Any:
        return _value(x, mask, axis, correction, keepdims, root)

    def vjp(
        g: CoreValue, y: CoreValue, x: CoreValue, mask: Any = None, *, axis: Axes, correction: float, keepdims: bool
    ) -> CoreValue:
        return carried(restored(g, x, axis, keepdims), _slope(y, x, mask, axis, correction, keepdims, root))

    def jvp(
        ts: Any, y: CoreValue, x: CoreValue, mask: Any = None, *, axis: Axes, correction: float, keepdims: bool
    ) -> CoreValue:
        return total(real_product(_slope(y, x, mask, axis, correction, keepdims, root), ts[0]), axis, keepdims)

    def meaning(S: Any, x: Any, mask: Any = None, **params: Any) -> Any:
        found = _exact(S, x, mask, **params)
        return each(S.sqrt, found) if root else found

    def batch(xs: Any, batched: Any, params: dict[str, Any], size: int) -> CoreValue:
        spread = [x if flag else expanded(x, (size, *shape_of(x))) for x, flag in zip(xs, batched, strict=True)]
        return bind(op, *spread, **params)

    op = general(
        name,
        value,
        lambda x, mask=None, **params: reduced_spec(x, **params),
        vjps=(vjp, None) if masked else (vjp,),
        jvp=jvp,
        meaning=meaning,
        batch=batch if masked else None,
        torch=torch,
        kink=_flat if root else None,
        saves=(0, "y") if root else (0,),
        depends=along_axes(),
        doc=doc,
    )
    return op


VAR: Op = _spread("var", False, False, "Var", "Variance over axes; the squares are divided by n - correction.")
STD: Op = _spread("std", False, True, "Std", "Standard deviation over axes; its derivative where it is 0 is 0.")
_VAR_OF_SOME: Op = _spread("var_of_some", True, False, "Var", "Variance of the elements where a mask holds.")
_STD_OF_SOME: Op = _spread("std_of_some", True, True, "Std", "Standard deviation of the elements where a mask holds.")


def spread_of(x: Any, mask: CoreValue | None, axes: Axes, correction: Any, keepdims: Any, root: bool) -> CoreValue:
    """The variance or its root over normalised axes, of the elements where a mask holds, if there is one."""
    x = held(x, correction, "std" if root else "var", "correction")
    number = correction if type(correction) in (int, float) else settled(as_core(correction)).item()
    params = {"axis": axes, "correction": number, "keepdims": bool(keepdims)}
    if mask is None:
        return bind(STD if root else VAR, x, **params)
    return bind(_STD_OF_SOME if root else _VAR_OF_SOME, x, mask, **params)
