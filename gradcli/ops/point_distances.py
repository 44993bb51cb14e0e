"""Distances between the rows of matrices: cdist and pdist. Where two rows coincide, the derivative is 0."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.values import CoreValue, ndim_of, shape_of
from gradcli.ops.arguments import settled
from gradcli.ops.fixed import held
from gradcli.ops.function import case
from gradcli.ops.indexing import getitem
from gradcli.ops.kinds import fits
from gradcli.ops.matrices import rectangular_sample
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.products import check_same_dtype
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped
from gradcli.ops.vector_norms import p_norm


def _order(name: str, p: Any) -> float:
    found = settled(as_core(p))
    if found.size != 1 or found.dtype.kind == "c" or not float(found) >= 0 or math.isnan(float(found)):
        raise ArgumentError(f"{name}: p is a number that is not negative")
    return float(found)


def _lengths(name: str, x: CoreValue, p: Any) -> CoreValue:
    order = _order(name, p)
    if shape_of(x)[-1] == 0 and math.isinf(order):  # of no coordinates the largest is 0
        order = 1.0
    return p_norm(held(x, p, name), 2 if order == 2 else order, (-1,), False)


_CORNERS = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
_COINCIDE = "rows that coincide: 0, as in PyTorch; equal largest coordinates (p = inf) share evenly"


@function(
    family="linalg",
    where="torch",
    derivative="vjp: g*sign(d)*(|d|/y)**(p - 1) of the differences d, summed over the other's rows",
    kinks=_COINCIDE,
    cases=(
        case((3, 2), (4, 2)),
        case((2, 3, 2), (2, 1, 2), p=1.0),
        case((3, 2), (2, 2), 3.5),
        case((3, 2), (2, 2), math.inf),
        case((3, 2), (2, 2), 0.0),
        case(_CORNERS, _CORNERS[:2]),
        case((0, 2), (3, 2)),
    ),
)
def cdist(x1: Any, x2: Any, p: Any = 2.0, compute_mode: Any = None) -> CoreValue:
    """The p-norm distances between all rows of one matrix and all of another."""
    a, b = to_float(as_core(x1)), to_float(as_core(x2))
    check_same_dtype(a, b)
    if min(ndim_of(a), ndim_of(b)) < 2 or shape_of(a)[-1] != shape_of(b)[-1]:
        raise ShapeError(
            f"cdist cannot join shapes {fits(shape_of(a))} and {fits(shape_of(b))}", mend="equally many columns"
        )
    (*lead, rows, n), (*other, columns, _) = shape_of(a), shape_of(b)
    return _lengths("cdist", reshaped(a, (*lead, rows, 1, n)) - reshaped(b, (*other, 1, columns, n)), p)


@function(
    family="linalg",
    where="torch F",
    derivative="vjp: g*sign(d)*(|d|/y)**(p - 1) of the differences d, to both rows",
    kinks=_COINCIDE,
    cases=(case((4, 2)), case((3, 2), 1.0), case(rectangular_sample(3, 2), math.inf), case(_CORNERS[[0, 0, 1]])),
)
def pdist(input: Any, p: Any = 2.0) -> CoreValue:
    """The p-norm distances between every two rows of a matrix, each pair once."""
    x = to_float(as_core(input))
    if ndim_of(x) != 2:
        raise ShapeError(f"pdist takes a matrix, not shape {fits(shape_of(x))}")
    first, second = np.triu_indices(shape_of(x)[0], 1)
    return _lengths("pdist", getitem(x, first) - getitem(x, second), p)
