"""Products of vectors, and of matrices and vectors, along an axis: vecdot, matvec, vecmat, cross."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, dtype_of, ndim_of, shape_of
from gradcli.ops.arguments import one_axis
from gradcli.ops.axis_order import moveaxis
from gradcli.ops.dependence import coupled
from gradcli.ops.function import case
from gradcli.ops.indexing import getitem
from gradcli.ops.joining import concatenate
from gradcli.ops.kinds import broadcast_shape, conj, fits, multilinear, ranks_aligned, sum_to
from gradcli.ops.operands import as_core
from gradcli.ops.products import check_same_dtype, matmul
from gradcli.ops.reduction import total
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped

_COMPLEX = np.array([[0.5 + 2.0j, -1.0 + 0.5j, 1j], [2.0 - 1.0j, 0.25j, -0.75]])

# --- inner products --------------------------------------------------------------------------------------------------


@function(
    family="linalg",
    where="numpy",
    also=("numpy.linalg.vecdot", "torch.linalg.vecdot"),
    derivative="vjp: g*y, g*x",
    cases=(
        case((3,), (3,)),
        case((2, 3), (3,)),
        case((2, 3), (2, 3), axis=0),
        case((4, 1, 3), (2, 3)),
        case(_COMPLEX, _COMPLEX[0]),
        case((0,), (0,)),
    ),
)
def vecdot(x1: Any, x2: Any, axis: Any = -1) -> CoreValue:
    """Inner products of vectors along an axis, the first conjugated."""
    a, b = as_core(x1), as_core(x2)
    check_same_dtype(a, b)
    left, right = one_axis("vecdot", axis, shape_of(a)), one_axis("vecdot", axis, shape_of(b))
    if shape_of(a)[left] != shape_of(b)[right]:
        raise ShapeError(
            f"vecdot cannot join shapes {fits(shape_of(a))} and {fits(shape_of(b))}",
            mend=f"dimensions {shape_of(a)[left]} and {shape_of(b)[right]} differ",
        )
    return total(conj(moveaxis(a, left, -1)) * moveaxis(b, right, -1), (-1,))


@function(
    family="linalg",
    where="numpy",
    derivative="vjp: outer(g, x2), x1.T @ g",
    cases=(case((2, 3), (3,)), case((4, 2, 3), (3,)), case((2, 3), (4, 3)), case(_COMPLEX, _COMPLEX)),
)
def matvec(x1: Any, x2: Any) -> CoreValue:
    """Products of matrices and vectors."""
    a, b = as_core(x1), as_core(x2)
    if ndim_of(a) < 2 or not ndim_of(b):
        raise ShapeError(f"matvec needs a matrix and a vector, not shapes {fits(shape_of(a))} and {fits(shape_of(b))}")
    found = matmul.call(a, reshaped(b, (*shape_of(b), 1)))
    return reshaped(found, shape_of(found)[:-1])


@function(
    family="linalg",
    where="numpy",
    derivative="vjp: x2 @ g, outer(x1, g)",
    cases=(case((2,), (2, 3)), case((4, 2), (2, 3)), case((2,), (4, 2, 3)), case(_COMPLEX[:, 0], _COMPLEX)),
)
def vecmat(x1: Any, x2: Any) -> CoreValue:
    """Products of vectors, conjugated, and matrices."""
    a, b = as_core(x1), as_core(x2)
    if not ndim_of(a) or ndim_of(b) < 2:
        raise ShapeError(f"vecmat needs a vector and a matrix, not shapes {fits(shape_of(a))} and {fits(shape_of(b))}")
    shape = shape_of(a)
    found = matmul.call(conj(reshaped(a, (*shape[:-1], 1, shape[-1]))), b)
    return reshaped(found, (*shape_of(found)[:-2], shape_of(found)[-1]))


# --- cross product ---------------------------------------------------------------------------------------------------


def _cross(x: Any, y: Any) -> Any:
    a, b, c = (x[..., i] for i in range(3))
    d, e, f = (y[..., i] for i in range(3))
    return np.stack([b * f - c * e, c * d - a * f, a * e - b * d], -1)


def _cross_shape(x: CoreValue, y: CoreValue) -> Spec:
    return Spec(broadcast_shape("cross", shape_of(x), shape_of(y)), np.result_type(dtype_of(x), dtype_of(y)))


CROSS: Op = multilinear(
    "cross",
    _cross,
    _cross_shape,
    transposes=(
        lambda g, x, y: sum_to(bind(CROSS, conj(y), g), shape_of(x)),
        lambda g, x, y: sum_to(bind(CROSS, g, conj(x)), shape_of(y)),
    ),
    batch=lambda xs, batched, params, size: bind(CROSS, *ranks_aligned(xs, batched)),
    torch="LinalgCross",
    saves=((0, 1), (1, 0)),
    depends=coupled(1),
    doc="Cross products of vectors of three along the last axis.",
)
_CROSS_RULE = "vjp: cross(y, g), cross(g, x)"


def _crossed(x: CoreValue, y: CoreValue, axes: tuple[Any, Any, Any]) -> CoreValue:
    """The cross product along an axis of each and into an axis of the result; vectors of two lie in a plane."""
    a, b = (
        moveaxis(x, one_axis("cross", axes[0], shape_of(x)), -1),
        moveaxis(y, one_axis("cross", axes[1], shape_of(y)), -1),
    )
    lengths = shape_of(a)[-1], shape_of(b)[-1]
    if not set(lengths) <= {2, 3}:
        raise ShapeError(
            f"cross takes vectors of 2 or 3 elements, not of {lengths[0]} and {lengths[1]}", mend="name axis="
        )
    if lengths == (2, 2):
        (p, q), (r, s) = (([getitem(v, (..., i)) for i in range(2)]) for v in (a, b))
        return p * s - q * r
    found = bind(CROSS, _in_space(a), _in_space(b))
    return moveaxis(found, -1, one_axis("cross", axes[2], shape_of(found)))


def _in_space(x: CoreValue) -> CoreValue:
    if shape_of(x)[-1] == 3:
        return x
    return concatenate([x, np.zeros((*shape_of(x)[:-1], 1), dtype_of(x))], -1)


def _of_three(x: CoreValue, y: CoreValue, axis: Any) -> CoreValue:
    """The cross product of vectors of three along one axis."""
    for v in (x, y):
        if shape_of(v)[one_axis("cross", axis, shape_of(v))] != 3:
            raise ShapeError(f"cross takes vectors of 3 elements along axis {axis}, not shape {fits(shape_of(v))}")
    return _crossed(x, y, (axis, axis, axis))


@function(
    "cross",
    family="linalg",
    where="numpy",
    op=CROSS,
    derivative=_CROSS_RULE,
    cases=(
        case((3,), (3,)),
        case((2, 3), (3,)),
        case((3, 2), (2, 3), axisa=0),
        case((3, 2), (3, 2), axis=0),
        case((2, 3), (2, 3), axisc=0),
        case(_COMPLEX, _COMPLEX[0]),
    ),
)
def cross_(a: Any, b: Any, axisa: Any = -1, axisb: Any = -1, axisc: Any = -1, axis: Any = None) -> CoreValue:
    """Cross products of vectors of three (or of two, in a plane) along an axis."""
    axes = (axisa, axisb, axisc) if axis is None else (axis, axis, axis)
    return _crossed(as_core(a), as_core(b), axes)


@function(
    "cross_linalg",
    family="linalg",
    where="",
    also=("numpy.linalg.cross", "torch.linalg.cross"),
    op=CROSS,
    derivative=_CROSS_RULE,
    cases=(case((3,), (3,)), case((2, 3), (1, 3)), case((3, 2), (3, 2), axis=0)),
)
def cross_linalg(x1: Any, x2: Any, axis: Any = -1) -> CoreValue:
    """Cross products of vectors of three along an axis."""
    a, b = as_core(x1), as_core(x2)
    check_same_dtype(a, b)
    return _of_three(a, b, axis)


@function(
    "cross_torch",
    family="linalg",
    where="",
    also=("torch.cross", ".cross"),
    op=CROSS,
    derivative=_CROSS_RULE,
    cases=(case((3,), (3,)), case((3, 2), (3, 2)), case((3, 3), (3, 3), dim=1)),
)
def cross_torch(input: Any, other: Any, dim: Any = None) -> CoreValue:
    """Cross products of vectors of three along an axis, by itself the first axis of length 3."""
    a, b = as_core(input), as_core(other)
    check_same_dtype(a, b)
    if dim is None:
        shape = broadcast_shape("cross", shape_of(a), shape_of(b))
        if 3 not in shape:
            raise ArgumentError(f"cross: shape {fits(shape)} has no axis of length 3")
        dim = shape.index(3) - len(shape)
    return _of_three(a, b, dim)
