"""Combinations of elements: every pair of several lines, every choice of some of one, and powers side by side."""

from __future__ import annotations

from itertools import combinations as choices
from itertools import combinations_with_replacement as choices_again
from math import comb
from typing import Any

import numpy as np

from gradcli.graph.budget import budget
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.values import CoreValue, count_of, shape_of
from gradcli.ops.arguments import integer
from gradcli.ops.axis_order import moveaxis
from gradcli.ops.constructors import ones_of
from gradcli.ops.elementwise import multiply
from gradcli.ops.function import case
from gradcli.ops.grids import meshgrid_torch
from gradcli.ops.index_ops import GETITEM
from gradcli.ops.kinds import fits
from gradcli.ops.operands import as_core
from gradcli.ops.pieces import concatenated, stacked
from gradcli.ops.registry import function
from gradcli.ops.selecting import flat, taken
from gradcli.ops.shape import reshaped


def _line(name: str, x: Any) -> CoreValue:
    found = as_core(x)
    if len(shape_of(found)) != 1:
        raise ShapeError(f"{name} takes a vector, not shape {fits(shape_of(found))}")
    return found


@function(
    family="indexing",
    where="torch",
    derivative="vjp: of every vector, g summed over the others",
    cases=(case((2,), (3,)), case((2,), (1,), (2,)), case((3,)), case((2,), (0,))),
)
def cartesian_prod(*tensors: Any) -> CoreValue:
    """Every combination of an element of each vector, one in each row, the last vector fastest."""
    lines = [_line("cartesian_prod", x) for x in tensors]
    if not lines:
        raise ArgumentError("cartesian_prod takes vectors")
    if len(lines) == 1:
        return lines[0]
    budget.charge(16 * len(lines) * count_of(tuple(shape_of(x)[0] for x in lines)), "cartesian_prod")
    return stacked([flat(grid) for grid in meshgrid_torch.call(*lines, indexing="ij")], -1)


@function(
    family="indexing",
    op=GETITEM,
    where="torch",
    derivative="vjp: g summed over the choices that an element is in",
    cases=(case((4,)), case((4,), 3), case((3,), with_replacement=True), case((2,), 3), case((3,), 1)),
)
def combinations(input: Any, r: Any = 2, with_replacement: bool = False) -> CoreValue:
    """Every choice of r elements of a vector, one in each row, the elements in their order."""
    x, count = _line("combinations", input), integer(r, "combinations: r")
    if count < 0:
        raise ArgumentError(f"combinations: r can't be negative: {count}")
    length = shape_of(x)[0]
    if not count:
        return taken(x, slice(0, 0), -1)
    rows = comb(max(length + count - 1, 0), count) if with_replacement else comb(length, count)
    budget.charge(120 * rows * count, "combinations")
    found = (choices_again if with_replacement else choices)(range(length), count)
    return taken(x, np.array(list(found), dtype=np.int64).reshape(rows, count), -1)


def _powers(x: CoreValue, count: int) -> CoreValue:
    """1, x, x**2, ... along a new first axis, by products of the powers before, as many again at every step."""
    if count == 0:
        return np.zeros((0, *shape_of(x)), x.dtype)
    rank = len(shape_of(x)) + 1
    found = reshaped(ones_of(x), (1, *shape_of(x)))
    step = x
    while shape_of(found)[0] < count:
        found = concatenated([found, multiply(found, step)], 0)
        step = multiply(step, step) if shape_of(found)[0] < count else step
    return found if shape_of(found)[0] == count else taken(found, slice(0, count), -rank)


def _vander(name: str, x: CoreValue, columns: Any, increasing: bool) -> CoreValue:
    count = shape_of(x)[-1] if columns is None else integer(columns, f"{name}: the number of columns")
    if count < 0:
        raise ArgumentError(f"{name}: the number of columns can't be negative: {count}")
    budget.charge(2 * x.dtype.itemsize * count * count_of(shape_of(x)), name)
    powers = _powers(x, count)
    if not increasing:
        powers = taken(powers, slice(None, None, -1), -len(shape_of(powers)))
    return moveaxis.call(powers, 0, -1)


@function(
    family="linalg",
    where="numpy torch",
    derivative="vjp: the sum of k*x**(k - 1)*g over the columns x**k",
    cases=(
        case((3,)),
        case((3,), 5),
        case((2,), 4, increasing=True),
        case(np.array([0.0, -1.0]), 3),
        case((3,), 0),
        case((0,)),
        case(np.array([1, 2, 3]), 4),
        case(np.array([1.0 + 2.0j, -0.5j]), 4),
    ),
)
def vander(x: Any, N: Any = None, increasing: bool = False) -> CoreValue:
    """The powers of a vector's elements, side by side, the highest first, or the lowest."""
    return _vander("vander", _line("vander", x), N, bool(increasing))


@function(
    "vander_torch",
    family="linalg",
    where="",
    also=("torch.linalg.vander",),
    derivative="vjp: the sum of k*x**(k - 1)*g over the columns x**k",
    cases=(case((3,)), case((2, 3), N=4)),
)
def vander_torch(x: Any, *, N: Any = None) -> CoreValue:
    """The powers of the elements of vectors, side by side, the lowest first."""
    found = as_core(x)
    if not shape_of(found):
        raise ShapeError("vander takes vectors, not a scalar")
    return _vander("vander", found, N, True)
