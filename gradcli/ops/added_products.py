"""Products with something added: addmm and its like, and linear layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, Value, dtype_of, ndim_of, shape_of
from gradcli.ops.axis_order import swapaxes, t
from gradcli.ops.function import case
from gradcli.ops.inner_products import outer
from gradcli.ops.kinds import added, broadcast_shape, conj, expanded, fits, general, sum_to
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.product_dependence import product_and_sum
from gradcli.ops.products import bmm, check_same_dtype, matmul, mv, times
from gradcli.ops.reduction import total
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped

# --- products with something added -----------------------------------------------------------------------------------


def _addmm_shape(c: CoreValue, x: CoreValue, y: CoreValue, *, beta: Any, alpha: Any) -> Spec:
    (n, k), (rows, m) = shape_of(x)[-2:], shape_of(y)[-2:]
    if k != rows:
        raise ShapeError(f"addmm cannot join shapes {fits(shape_of(x))} and {fits(shape_of(y))}")
    if broadcast_shape("addmm", shape_of(c), (n, m)) != (n, m):
        raise ShapeError(f"addmm cannot add shape {fits(shape_of(c))} to a product of shape {fits((n, m))}")
    return Spec((n, m), np.result_type(dtype_of(c), dtype_of(x), dtype_of(y)))


def _scaled(x: CoreValue, factor: Any) -> CoreValue:
    """x*factor; a factor of 0 leaves nothing even of nan, as in PyTorch."""
    if factor == 0:
        return np.zeros(shape_of(x), dtype_of(x))
    return x if factor == 1 else x * factor


def _addmm(c: Any, x: Any, y: Any, *, beta: Any, alpha: Any) -> Any:
    return _scaled(np.matmul(x, y), alpha) + _scaled(c, beta)


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
        lambda g, z, c, x, y, *, beta, alpha: _scaled(times(g, conj(_transposed(y))), alpha),
        lambda g, z, c, x, y, *, beta, alpha: _scaled(times(conj(_transposed(x)), g), alpha),
    ),
    jvp=_addmm_jvp,
    meaning=lambda S, c, x, y, *, beta, alpha: S.number(beta) * c + S.number(alpha) * np.matmul(x, y),
    batch=_addmm_batch,
    torch="Addmm",
    saves=(1, 2),
    depends=product_and_sum,
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
        case((2, 4), (2, 3), (3, 4), beta=0),
        case((2, 4), (2, 3), (3, 4), alpha=0),
        case((2, 4), (2, 3), (3, 4), beta=np.array(0.0), alpha=np.array(2.0)),
    ),
)
def addmm(input: Any, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1) -> CoreValue:
    """beta*input + alpha*(mat1 @ mat2)."""
    c, x, y = (to_float(as_core(a)) for a in (input, mat1, mat2))
    if (ndim_of(x), ndim_of(y)) != (2, 2):
        raise ShapeError(f"addmm takes two matrices, not shapes {fits(shape_of(x))} and {fits(shape_of(y))}")
    check_same_dtype(c, x, y)
    if isinstance(beta, Value) or isinstance(alpha, Value):
        return _added("addmm", c, times(x, y), beta, alpha)
    return bind(ADDMM, c, x, y, beta=beta, alpha=alpha)


def _added(name: str, input: Any, product: CoreValue, beta: Any, alpha: Any) -> CoreValue:
    """beta*input + alpha*product, in the shape of the product."""
    c = to_float(as_core(input))
    if broadcast_shape(name, shape_of(c), shape_of(product)) != shape_of(product):
        raise ShapeError(f"{name} cannot add shape {fits(shape_of(c))} to a product of shape {fits(shape_of(product))}")
    check_same_dtype(c, product)
    return expanded(_weighed(c, beta), shape_of(product)) + _weighed(product, alpha)


def _weighed(x: CoreValue, factor: Any) -> CoreValue:
    """x*factor, by which it may be differentiated: a derivative needs the product even with 0."""
    return x * factor if isinstance(factor, Value) else _scaled(x, factor)


def _floats(*xs: Any) -> tuple[CoreValue, ...]:
    return tuple(to_float(as_core(x)) for x in xs)


_SCALES = {"beta": 0.5, "alpha": 2}


@function(
    family="linalg",
    where="torch method",
    derivative="vjp: beta*g; alpha*outer(g, vec); alpha*mat.T @ g",
    cases=(case((2,), (2, 3), (3,)), case((1,), (2, 3), (3,), **_SCALES)),
)
def addmv(input: Any, mat: Any, vec: Any, *, beta: Any = 1, alpha: Any = 1) -> CoreValue:
    """beta*input + alpha*(mat @ vec)."""
    return _added("addmv", input, mv.call(*_floats(mat, vec)), beta, alpha)


@function(
    family="linalg",
    where="torch method",
    derivative="vjp: beta*g; alpha*g @ vec2; alpha*g.T @ vec1",
    cases=(case((2, 3), (2,), (3,)), case((3,), (2,), (3,), **_SCALES)),
)
def addr(input: Any, vec1: Any, vec2: Any, *, beta: Any = 1, alpha: Any = 1) -> CoreValue:
    """beta*input + alpha*outer(vec1, vec2)."""
    return _added("addr", input, outer.call(*_floats(vec1, vec2)), beta, alpha)


_BATCHES = (case((2, 4), (3, 2, 2), (3, 2, 4)), case((4,), (3, 2, 2), (3, 2, 4), **_SCALES))


@function(
    family="linalg",
    where="torch method",
    derivative="vjp: beta*g; alpha*g @ batch2.T; alpha*batch1.T @ g",
    cases=(*_BATCHES, case((3, 2, 4), (3, 2, 2), (3, 2, 4))),
)
def baddbmm(input: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> CoreValue:
    """beta*input + alpha*(batch1 @ batch2), matrix by matrix."""
    return _added("baddbmm", input, bmm.call(*_floats(batch1, batch2)), beta, alpha)


@function(
    family="linalg",
    where="torch method",
    derivative="vjp: beta*g; alpha*g @ batch2.T; alpha*batch1.T @ g",
    cases=_BATCHES,
)
def addbmm(input: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> CoreValue:
    """beta*input + alpha*sum(batch1 @ batch2) over the matrices."""
    return _added("addbmm", input, total(bmm.call(*_floats(batch1, batch2)), (-3,)), beta, alpha)


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
