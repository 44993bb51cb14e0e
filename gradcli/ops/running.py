"""Products, running sums and running products along axes, right where elements are zero."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, count_of, dtype_of, shape_of
from gradcli.ops.axes import Axes, axes_of, axis_of, merged, parted, reduced_shape, restored
from gradcli.ops.axis_order import moveaxis
from gradcli.ops.carrying import carried
from gradcli.ops.constructors import ones_of
from gradcli.ops.dependence import along_axes, running
from gradcli.ops.elementwise import multiply
from gradcli.ops.function import case
from gradcli.ops.indexing import getitem
from gradcli.ops.joining import concatenate
from gradcli.ops.kinds import conj, general, linear
from gradcli.ops.reduction import (
    COMPLEX,
    MASK,
    REDUCTIONS_OF_NONE,
    dtype_or_flag,
    kept,
    mask_of,
    node_names,
    summing_dtype,
    total,
    typed,
)
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped

# --- product ---------------------------------------------------------------------------------------------------------


def part(x: CoreValue, along: slice) -> CoreValue:
    """A part of the last axis."""
    return getitem(x, (..., along))


def joined(parts: list[CoreValue]) -> CoreValue:
    """Parts joined along the last axis."""
    return concatenate(parts, -1)


def others(x: CoreValue) -> CoreValue:
    """For every element along the last axis, the product of all others: pair by pair, with no division.

    Pairs are multiplied, the products of all other pairs are found in the same way, and within each pair an element is
    handed its partner's share. That is 3 n multiplications in log2(n) steps.
    """
    n = shape_of(x)[-1]
    if n < 2:
        return ones_of(x)
    half = n // 2
    left, right, rest = part(x, slice(0, half)), part(x, slice(half, 2 * half)), part(x, slice(2 * half, n))
    outside = others(joined([left * right, rest]))
    paired = part(outside, slice(0, half))
    return joined([paired * right, paired * left, part(outside, slice(half, None))])


def others_along(x: CoreValue, axis: Axes) -> CoreValue:
    """For every element, the product of all others along the axes."""
    return parted(others(merged(x, axis)), x, axis) if axis else ones_of(x)


def _prod_vjp(g: CoreValue, y: CoreValue, x: CoreValue, *, axis: Axes, keepdims: bool) -> CoreValue:
    return carried(restored(g, x, axis, keepdims), conj(others_along(x, axis)))


def _prod_jvp(ts: Any, y: CoreValue, x: CoreValue, *, axis: Axes, keepdims: bool) -> CoreValue:
    return total(carried(ts[0], others_along(x, axis)), axis, keepdims)


def _prod_shape(x: CoreValue, *, axis: Axes, keepdims: bool) -> Spec:
    return Spec(reduced_shape(shape_of(x), axis, keepdims), summing_dtype(dtype_of(x)))


PROD = general(
    "prod",
    lambda x, *, axis, keepdims: np.prod(x, axis=axis, keepdims=keepdims),
    _prod_shape,
    vjps=(_prod_vjp,),
    jvp=_prod_jvp,
    meaning=lambda S, x, *, axis, keepdims: np.prod(x, axis=axis, keepdims=keepdims),
    torch=node_names("Prod"),
    saves=(0, "y"),
    depends=along_axes(),
    doc="Product over axes.",
)


@function(
    family="reduction",
    op=PROD,
    derivative="vjp: g times the product of the other elements, 0 outside of where",
    source="products of all others pair by pair, without division: exact where elements are 0",
    also=("math.prod", "jax.lax.reduce_prod"),
    cases=(
        *REDUCTIONS_OF_NONE,
        case((5,)),
        case(np.array([2.0, 0.0, 3.0])),
        case(np.array([0.0, 0.0, 3.0])),
        case((2, 3), 1, where=MASK),
        case((3,), initial=2.5),
        case(COMPLEX, 0),
    ),
)
def prod(
    x: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False, initial: Any = None, where: Any = None
) -> CoreValue:
    """Product of the elements over axes; the derivative is exact where elements are zero."""
    dtype, keepdims = dtype_or_flag(dtype, keepdims)
    found = typed(x, dtype)
    inside = kept(found, mask_of("prod", where, found), 1)
    whole = bind(PROD, inside, axis=axes_of("prod", axis, found), keepdims=keepdims)
    return whole if initial is None else multiply(whole, initial)


# --- running sum -----------------------------------------------------------------------------------------------------


def _turned(x: Any, axis: int) -> Any:
    return np.flip(x, axis)


def _cumsum(x: Any, *, axis: int, reverse: bool) -> Any:
    return _turned(np.cumsum(_turned(x, axis), axis), axis) if reverse else np.cumsum(x, axis)


def _running_shape(x: CoreValue, **_: Any) -> Spec:
    return Spec(shape_of(x), summing_dtype(dtype_of(x)))


CUMSUM: Op = linear(
    "cumsum",
    _cumsum,
    _running_shape,
    transpose=lambda g, x, *, axis, reverse: bind(CUMSUM, g, axis=axis, reverse=not reverse),
    torch="Cumsum",
    depends=running,
    doc="Running sum along an axis, from its end if reverse.",
)

_RUNNING = (case((4,)), case((2, 3), axis=0), case((2, 3), axis=-1), case((2, 0), axis=1), case((1,)))


def line_of(name: str, x: Any, axis: Any, dtype: Any) -> tuple[CoreValue, int | None]:
    """The value and the axis to run along; without an axis, the elements in one line."""
    found = typed(x, dtype)
    if axis is None:
        return reshaped(found, (count_of(shape_of(found)),)), -1
    number = axis_of(name, axis, found)
    return (found, number) if shape_of(found) else (found, None)


@function(
    family="reduction",
    op=CUMSUM,
    derivative="vjp: running sum of g from the end",
    cases=(*_RUNNING, case((2, 3)), case(()), case(COMPLEX, 1)),
)
def cumsum(x: Any, axis: Any = None, dtype: Any = None) -> CoreValue:
    """Running sum along an axis; without one, of all elements in order."""
    found, number = line_of("cumsum", x, axis, dtype)
    return found if number is None else bind(CUMSUM, found, axis=number, reverse=False)


# --- running product -------------------------------------------------------------------------------------------------


def recurrence(b: CoreValue, a: CoreValue) -> CoreValue:
    """s[i] = b[i] + a[i] s[i + 1] along the last axis, from the end (a's last element does not count).

    Steps are composed two by two: after k of them every place holds the composition of its next 2**k.
    """
    n = shape_of(b)[-1]
    step = 1
    while step < n:
        later_b, later_a = part(b, slice(step, None)), part(a, slice(step, None))
        head_a = part(a, slice(0, n - step))
        b = joined([part(b, slice(0, n - step)) + head_a * later_b, part(b, slice(n - step, None))])
        a = joined([head_a * later_a, part(a, slice(n - step, None))])
        step *= 2
    return b


def _cumprod_vjp(g: CoreValue, y: CoreValue, x: CoreValue, *, axis: int) -> CoreValue:
    # y[j] = x[0] ... x[j]: the cotangent of x[i] is the product before it times s[i] = g[i] + x[i+1] s[i+1].
    x_, y_, g_ = (conj(moveaxis(x, axis, -1)), conj(moveaxis(y, axis, -1)), moveaxis(g, axis, -1))
    if shape_of(x_)[-1] == 0:
        return g
    first = ones_of(part(x_, slice(0, 1)))
    before = joined([first, part(y_, slice(0, -1))])
    after = joined([part(x_, slice(1, None)), first])
    return moveaxis(before * recurrence(g_, after), -1, axis)


def _cumprod_jvp(ts: Any, y: CoreValue, x: CoreValue, *, axis: int) -> CoreValue:
    # u[j] = t[j] y[j-1] + x[j] u[j-1]: the same recurrence, read from the other end.
    x_, y_, t_ = (moveaxis(v, axis, -1) for v in (x, y, ts[0]))
    if shape_of(x_)[-1] == 0:
        return ts[0]
    before = joined([ones_of(part(x_, slice(0, 1))), part(y_, slice(0, -1))])
    turned = slice(None, None, -1)
    found = recurrence(part(t_ * before, turned), part(x_, turned))
    return moveaxis(part(found, turned), -1, axis)


CUMPROD = general(
    "cumprod",
    lambda x, *, axis: np.cumprod(x, axis),
    _running_shape,
    vjps=(_cumprod_vjp,),
    jvp=_cumprod_jvp,
    meaning=lambda S, x, *, axis: np.cumprod(x, axis),
    torch="Cumprod",
    saves=(0, "y"),
    depends=running,
    doc="Running product along an axis.",
)


@function(
    family="reduction",
    op=CUMPROD,
    derivative="vjp: product before x[i], times s[i] = g[i] + x[i+1]*s[i+1]",
    source="the recurrence is composed two by two, without division: exact where elements are 0",
    cases=(*_RUNNING, case((7,)), case(np.array([2.0, 0.0, 3.0, 0.0, 1.5])), case((2, 3)), case(()), case(COMPLEX, 1)),
)
def cumprod(x: Any, axis: Any = None, dtype: Any = None) -> CoreValue:
    """Running product along an axis; without one, of all elements in order."""
    found, number = line_of("cumprod", x, axis, dtype)
    return found if number is None else bind(CUMPROD, found, axis=number)
