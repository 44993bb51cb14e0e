"""The condition number of a matrix, in every norm."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import DomainError, ShapeError
from gradcli.graph.values import CoreValue, shape_of
from gradcli.ops.function import case
from gradcli.ops.indexing import getitem
from gradcli.ops.kinds import fits
from gradcli.ops.linalg import INV
from gradcli.ops.matrices import as_any_matrix, check_square, complex_sample, rectangular_sample, sample
from gradcli.ops.norm import matrix_norm
from gradcli.ops.registry import function
from gradcli.ops.singular_values import singular_values


@function(
    family="linalg",
    where="",
    also=("numpy.linalg.cond", "torch.linalg.cond"),
    derivative="vjp: that of s[0]/s[-1], or of norm(A, p)*norm(inv(A), p)",
    kinks="equal largest or smallest singular values: that of the first, or of the last; singular A: inf",
    cases=(
        case(sample(3)),
        case(rectangular_sample(3, 2), 2),
        case(sample(2, 3), -2),
        case(sample(3), 1),
        case(sample(3), -math.inf),
        case(sample(2, 2), "fro"),
        case(sample(2), "nuc"),
        case(complex_sample(2, 2)),
    ),
)
def cond(x: Any, p: Any = None) -> CoreValue:
    """Condition number of a matrix: norm(A, p)*norm(inv(A), p); without p, largest by smallest singular value."""
    matrix = as_any_matrix("cond", x)
    if 0 in shape_of(matrix)[-2:]:
        raise ShapeError(f"cond: a matrix without elements has no condition number: shape {fits(shape_of(matrix))}")
    if p is None or p in (2, -2):
        s = singular_values(matrix)
        ends = getitem(s, (..., 0)), getitem(s, (..., -1))
        return ends[1] / ends[0] if p == -2 else ends[0] / ends[1]
    check_square("cond", matrix)
    size = matrix_norm.call(matrix, p)
    try:
        return size * matrix_norm.call(bind(INV, matrix), p)
    except DomainError:
        return size * np.asarray(math.inf)
