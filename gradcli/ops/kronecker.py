"""Matrices made of all products of elements, and of blocks: kron, khatri_rao, block_diag."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.values import CoreValue, dtype_of, ndim_of, shape_of
from gradcli.ops.broadcasting import broadcast_to
from gradcli.ops.casts import cast
from gradcli.ops.elementwise import multiply
from gradcli.ops.function import case
from gradcli.ops.joining import concatenate
from gradcli.ops.kinds import fits
from gradcli.ops.operands import as_core
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped

_COMPLEX = np.array([[0.5 + 2.0j, -1.0 + 0.5j]])


@function(
    family="linalg",
    derivative="vjp: the blocks of g, each times the other",
    cases=(
        case((2, 3), (3, 2)),
        case((2,), (3,)),
        case((2,), (2, 3)),
        case((2, 1, 2), (3, 2)),
        case((), (2,)),
        case(_COMPLEX, (2, 2)),
        case((0, 2), (2, 2)),
    ),
)
def kron(a: Any, b: Any) -> CoreValue:
    """Kronecker's product: every element of a times all of b."""
    x, y = as_core(a), as_core(b)
    rank = max(ndim_of(x), ndim_of(y))
    left, right = ((1,) * (rank - ndim_of(v)) + shape_of(v) for v in (x, y))
    outer = tuple(n for m in left for n in (m, 1))
    inner = tuple(n for m in right for n in (1, m))
    product = multiply(reshaped(x, outer), reshaped(y, inner))
    return reshaped(product, tuple(m * n for m, n in zip(left, right, strict=True)))


@function(
    family="linalg",
    where="",
    also=("scipy.linalg.khatri_rao",),
    derivative="vjp: the blocks of g, each times the other",
    cases=(case((2, 3), (4, 3)), case((1, 2), (2, 2))),
)
def khatri_rao(a: Any, b: Any) -> CoreValue:
    """Kronecker's products of columns: the j-th of a with the j-th of b."""
    x, y = as_core(a), as_core(b)
    if ndim_of(x) < 2 or ndim_of(y) < 2 or shape_of(x)[-1] != shape_of(y)[-1]:
        raise ShapeError(
            f"khatri_rao cannot join shapes {fits(shape_of(x))} and {fits(shape_of(y))}", mend="equally many columns"
        )
    (*lead, m, k), n = shape_of(x), shape_of(y)[-2]
    product = multiply(reshaped(x, (*lead, m, 1, k)), reshaped(y, (*shape_of(y)[:-2], 1, n, k)))
    return reshaped(product, (*shape_of(product)[:-3], m * n, k))


def _as_block(x: Any) -> CoreValue:
    """A block as a matrix: a number is 1 x 1, a vector one row."""
    found = as_core(x)
    if ndim_of(found) >= 2:
        return found
    return reshaped(found, (1, *(shape_of(found) or (1,))))


@function(
    family="linalg",
    where="torch",
    also=("scipy.linalg.block_diag",),
    derivative="vjp: the blocks of g",
    cases=(
        case((2, 2), (1, 3)),
        case((2,), (), (2, 1)),
        case((2, 3)),
        case((0, 2), (2, 1)),
        case(_COMPLEX, (2, 2)),
        case((2, 2, 1), (2, 1, 2)),
    ),
)
def block_diag(*arrs: Any) -> CoreValue:
    """The matrix with other matrices as blocks along its diagonal, zeros elsewhere."""
    if not arrs:
        raise ArgumentError("block_diag needs at least one matrix")
    blocks = [_as_block(x) for x in arrs]
    lead = np.broadcast_shapes(*(shape_of(x)[:-2] for x in blocks))
    dtype = np.result_type(*(dtype_of(x) for x in blocks))
    width = sum(shape_of(x)[-1] for x in blocks)
    rows, start = [], 0
    for x in blocks:
        m, n = shape_of(x)[-2:]
        block = broadcast_to.call(cast(x, dtype), (*lead, m, n))
        before, after = (np.zeros((*lead, m, k), dtype) for k in (start, width - start - n))
        rows.append(concatenate([before, block, after], -1))
        start += n
    return concatenate(rows, -2)
