"""Linear equations between tensors: tensorsolve and tensorinv; and inverses that report instead of failing."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.values import CoreValue, Spec, count_of, dtype_of, ndim_of, shape_of
from gradcli.ops.arguments import integer, many_axes
from gradcli.ops.axis_order import moveaxis
from gradcli.ops.elementwise import equal, where
from gradcli.ops.function import case
from gradcli.ops.kinds import constant, fits
from gradcli.ops.linalg import INV, SOLVE, solve_torch
from gradcli.ops.lu_factors import first_zero_pivot
from gradcli.ops.matrices import as_matrix, as_scalar, each_matrix, sample
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.registry import function
from gradcli.ops.results import named
from gradcli.ops.shape import reshaped


@function(
    family="linalg",
    where="",
    also=("numpy.linalg.tensorsolve", "torch.linalg.tensorsolve"),
    op=SOLVE,
    derivative="vjp: that of solve, of the tensors as a matrix and a vector",
    cases=(
        case(sample(6).reshape(2, 3, 6), (2, 3)),
        case(sample(4).reshape(2, 2, 4), (2, 2)),
        case(np.moveaxis(sample(6).reshape(2, 3, 6), 2, 0), (2, 3), axes=[0]),
    ),
)
def tensorsolve(a: Any, b: Any, axes: Any = None, dims: Any = None) -> CoreValue:
    """x with tensordot(a, x, x.ndim) = b."""
    x, right = to_float(as_core(a)), to_float(as_core(b))
    moved = axes if dims is None else dims
    if moved is not None:
        chosen = many_axes("tensorsolve", moved, shape_of(x))
        x = moveaxis(x, chosen, tuple(range(-len(chosen), 0)))
    rest = shape_of(x)[ndim_of(right) :]
    size = count_of(rest)
    if size * size != count_of(shape_of(x)) or size != count_of(shape_of(right)):
        raise ShapeError(
            f"tensorsolve cannot join shapes {fits(shape_of(x))} and {fits(shape_of(right))}",
            mend="the first axes of a, and its others, must have as many elements as b",
        )
    found = bind(SOLVE, reshaped(x, (size, size)), reshaped(right, (size, 1)))
    return reshaped(found, rest)


@function(
    family="linalg",
    where="",
    also=("numpy.linalg.tensorinv", "torch.linalg.tensorinv"),
    op=INV,
    derivative="vjp: that of inv, of the tensor as a matrix",
    cases=(case(sample(4).reshape(2, 2, 4)), case(sample(6).reshape(2, 3, 6)), case(sample(6).reshape(6, 2, 3), ind=1)),
)
def tensorinv(a: Any, ind: Any = 2) -> CoreValue:
    """The tensor whose tensordot with a, over ind axes, is the identity."""
    x, count = to_float(as_core(a)), integer(ind, "tensorinv: ind")
    if count < 1:
        raise ArgumentError(f"tensorinv: ind must be positive, and is {count}")
    first, rest = shape_of(x)[:count], shape_of(x)[count:]
    if count_of(first) != count_of(rest):
        raise ShapeError(
            f"tensorinv: the first {count} axes of shape {fits(shape_of(x))} have {count_of(first)} elements, the "
            f"others {count_of(rest)}",
            mend="both must be as many",
        )
    return reshaped(bind(INV, reshaped(x, (count_of(first), count_of(rest)))), rest + first)


# --- inverses that report --------------------------------------------------------------------------------------------

INFO = constant(
    "zero_pivot",
    lambda a: each_matrix(first_zero_pivot, a),
    lambda a: Spec(shape_of(a)[:-2], np.dtype(np.int32)),
    doc="Where Gauss elimination meets a pivot of 0, counted from 1; 0 if nowhere.",
)
INV_RESULTS = named("linalg_inv_ex", "inverse", "info")
SOLVE_RESULTS = named("linalg_solve_ex", "result", "info")


def _regular(matrix: CoreValue, info: CoreValue) -> tuple[CoreValue, CoreValue]:
    """Which matrices are regular, and the matrices with an identity in the place of others."""
    works = as_scalar(equal(info, 0))
    return works, where(works, matrix, np.eye(shape_of(matrix)[-1], dtype=dtype_of(matrix)))


@function(
    family="linalg",
    where="",
    also=("torch.linalg.inv_ex",),
    op=INV,
    derivative="vjp: -inv(A).T @ g @ inv(A).T",
    cases=(case(sample(3)), case(np.stack([np.eye(2), np.ones((2, 2))]))),
)
def inv_ex(A: Any, *, check_errors: bool = False) -> Any:
    """(inverse, info): the inverse, nan where there is none, and the number of the first pivot that is 0."""
    matrix = as_matrix("inv_ex", A)
    info = bind(INFO, matrix)
    if check_errors:
        return INV_RESULTS((bind(INV, matrix), info))
    works, regular = _regular(matrix, info)
    return INV_RESULTS((where(works, bind(INV, regular), float("nan")), info))


@function(
    family="linalg",
    where="",
    also=("torch.linalg.solve_ex",),
    op=SOLVE,
    derivative="vjp: -solve(A.T, g) @ x.T, solve(A.T, g)",
    cases=(case(sample(3), (3,)), case(sample(2), (2, 2))),
)
def solve_ex(A: Any, B: Any, *, left: bool = True, check_errors: bool = False) -> Any:
    """(x, info): x with A @ x = b, nan where there is none, and the number of the first pivot that is 0."""
    matrix = as_matrix("solve_ex", A)
    info = bind(INFO, matrix)
    if check_errors:
        return SOLVE_RESULTS((solve_torch.call(matrix, B, left), info))
    works, regular = _regular(matrix, info)
    found = solve_torch.call(regular, B, left)
    shown = works if ndim_of(found) == ndim_of(works) else reshaped(works, shape_of(works)[:-1])
    return SOLVE_RESULTS((where(shown, found, float("nan")), info))
