"""Small formulas that PyTorch has a function of their own for: lerp, addcmul, addcdiv, addmm, linear."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, dtype_of, ndim_of, shape_of
from gradcli.ops.axis_order import swapaxes, t
from gradcli.ops.function import case
from gradcli.ops.kinds import added, broadcast_shape, elementwise, expanded, fits, general, sum_to
from gradcli.ops.operands import as_core, operands, to_float
from gradcli.ops.products import check_same_dtype, matmul, times
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped

# --- elementwise -----------------------------------------------------------------------------------------------------


def _lerp(start: Any, end: Any, weight: Any) -> Any:
    # From the nearer end, so that weight 1 gives that end exactly, as in PyTorch.
    return np.where(np.abs(weight) < 0.5, start + weight * (end - start), end - (end - start) * (1 - weight))


def _lerp_node(operands: tuple[CoreValue, ...], params: dict[str, Any]) -> Any:
    if hasattr(operands[2], "dtype"):
        return ("LerpBackward1", (0, 1, 2))
    return ("LerpBackward0", (0, 1))


LERP: Op = elementwise(
    "lerp",
    _lerp,
    lambda y, start, end, weight: 1 - weight,
    lambda y, start, end, weight: weight,
    lambda y, start, end, weight: end - start,
    meaning=lambda S, start, end, weight: start + weight * (end - start),
    torch=_lerp_node,
    saves=(0, 1, 2),
    doc="start + weight*(end - start).",
)
ADDCMUL: Op = elementwise(
    "addcmul",
    lambda x, a, b, *, value: x + value * a * b,
    1,
    lambda y, x, a, b, *, value: value * b,
    lambda y, x, a, b, *, value: value * a,
    meaning=lambda S, x, a, b, *, value: x + S.number(value) * a * b,
    torch="Addcmul",
    saves=(1, 2),
    doc="x + value*a*b.",
)
ADDCDIV: Op = elementwise(
    "addcdiv",
    lambda x, a, b, *, value: x + value * a / b,
    1,
    lambda y, x, a, b, *, value: value / b,
    lambda y, x, a, b, *, value: -value * a / (b * b),
    meaning=lambda S, x, a, b, *, value: x + S.number(value) * a / b,
    torch="Addcdiv",
    saves=(1, 2),
    doc="x + value*a/b.",
)


@function(
    family="elementwise",
    where="torch method",
    op=LERP,
    derivative="1 - weight, weight, end - input",
    cases=(case((3,), (3,), 0.25), case((2, 3), (3,), (2, 1)), case((3,), (3,), 0.75)),
)
def lerp(input: Any, end: Any, weight: Any) -> CoreValue:
    """input + weight*(end - input), the point between two."""
    return bind(LERP, *operands((input, end, weight), True))


_THREE = (case((3,), (3,), (3,)), case((2, 3), (3,), (2, 1), value=-0.5))


@function(
    family="elementwise", where="torch method", op=ADDCMUL, derivative="1, value*tensor2, value*tensor1", cases=_THREE
)
def addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> CoreValue:
    """input + value*tensor1*tensor2."""
    return bind(ADDCMUL, *operands((input, tensor1, tensor2), True), value=value)


@function(
    family="elementwise",
    where="torch method",
    op=ADDCDIV,
    derivative="1, value/tensor2, -value*tensor1/tensor2**2",
    cases=_THREE,
)
def addcdiv(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> CoreValue:
    """input + value*tensor1/tensor2."""
    return bind(ADDCDIV, *operands((input, tensor1, tensor2), True), value=value)


# --- products with something added -----------------------------------------------------------------------------------


def _addmm_shape(c: CoreValue, x: CoreValue, y: CoreValue, *, beta: Any, alpha: Any) -> Spec:
    (n, k), (rows, m) = shape_of(x)[-2:], shape_of(y)[-2:]
    if k != rows:
        raise ShapeError(f"addmm cannot join shapes {fits(shape_of(x))} and {fits(shape_of(y))}")
    if broadcast_shape("addmm", shape_of(c), (n, m)) != (n, m):
        raise ShapeError(f"addmm cannot add shape {fits(shape_of(c))} to a product of shape {fits((n, m))}")
    return Spec((n, m), np.result_type(dtype_of(c), dtype_of(x), dtype_of(y)))


def _scaled(x: CoreValue, factor: Any) -> CoreValue:
    return x if factor == 1 else x * factor


def _addmm(c: Any, x: Any, y: Any, *, beta: Any, alpha: Any) -> Any:
    return _scaled(c, beta) + _scaled(np.matmul(x, y), alpha)


def _transposed(x: CoreValue) -> CoreValue:
    return swapaxes.call(x, -1, -2)


def _addmm_jvp(ts: Any, z: CoreValue, c: CoreValue, x: CoreValue, y: CoreValue, *, beta: Any, alpha: Any) -> Any:
    by_c = None if ts[0] is None else expanded(_scaled(ts[0], beta), shape_of(z))
    by_x = None if ts[1] is None else _scaled(times(ts[1], y), alpha)
    by_y = None if ts[2] is None else _scaled(times(x, ts[2]), alpha)
    return added(added(by_c, by_x), by_y)


def _addmm_batch(xs: Any, batched: Any, params: dict[str, Any], size: int) -> CoreValue:
    c, x, y = xs
    product = _scaled(matmul.call(x, y), params["alpha"])
    return _scaled(_row_aligned(c, batched[0]), params["beta"]) + product


def _row_aligned(c: CoreValue, batched: bool) -> CoreValue:
    shape = shape_of(c)
    return reshaped(c, (shape[0], *(1,) * (3 - len(shape)), *shape[1:])) if batched else c


ADDMM: Op = general(
    "addmm",
    _addmm,
    _addmm_shape,
    vjps=(
        lambda g, z, c, x, y, *, beta, alpha: sum_to(_scaled(g, beta), shape_of(c)),
        lambda g, z, c, x, y, *, beta, alpha: _scaled(times(g, _transposed(y)), alpha),
        lambda g, z, c, x, y, *, beta, alpha: _scaled(times(_transposed(x), g), alpha),
    ),
    jvp=_addmm_jvp,
    meaning=lambda S, c, x, y, *, beta, alpha: S.number(beta) * c + S.number(alpha) * np.matmul(x, y),
    batch=_addmm_batch,
    torch="Addmm",
    saves=(1, 2),
    doc="beta*c + alpha*(x @ y).",
)


@function(
    family="linalg",
    where="torch method",
    op=ADDMM,
    derivative="vjp: beta*g, alpha*g @ y.T, alpha*x.T @ g",
    cases=(
        case((2, 4), (2, 3), (3, 4)),
        case((4,), (2, 3), (3, 4)),
        case((2, 1), (2, 3), (3, 4), beta=0.5, alpha=2),
    ),
)
def addmm(input: Any, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1) -> CoreValue:
    """beta*input + alpha*(mat1 @ mat2)."""
    c, x, y = (to_float(as_core(a)) for a in (input, mat1, mat2))
    if (ndim_of(x), ndim_of(y)) != (2, 2):
        raise ShapeError(f"addmm takes two matrices, not shapes {fits(shape_of(x))} and {fits(shape_of(y))}")
    check_same_dtype(c, x, y)
    return bind(ADDMM, c, x, y, beta=beta, alpha=alpha)


@function(
    family="linalg",
    where="F",
    derivative="vjp: g @ weight, g.T @ input, sum of g",
    cases=(
        case((2, 3), (4, 3), (4,)),
        case((2, 3), (4, 3)),
        case((3,), (4, 3), (4,)),
        case((2, 2, 3), (4, 3), (4,)),
    ),
)
def linear(input: Any, weight: Any, bias: Any = None) -> CoreValue:
    """input @ weight.T + bias."""
    x, w = as_core(input), as_core(weight)
    turned = t.call(w)
    if bias is None:
        return matmul.call(x, turned)
    if ndim_of(x) == 2 and ndim_of(w) == 2:
        return addmm.call(as_core(bias), x, turned)
    return matmul.call(x, turned) + as_core(bias)
