"""What Python's math module has and NumPy has not, or in another form; and torch.dist, a distance as math.dist is."""

from __future__ import annotations

from functools import reduce
from typing import Any

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.values import OPERATORS, CoreValue, shape_of
from gradcli.ops.elementwise import (
    absolute,
    equal,
    isfinite,
    less_equal,
    log,
    log2,
    log10,
    logical_and,
    logical_or,
    maximum,
)
from gradcli.ops.elementwise.angles import HYPOT
from gradcli.ops.function import case
from gradcli.ops.kinds import fits
from gradcli.ops.norm import norm_torch
from gradcli.ops.operands import as_core, operands, to_float
from gradcli.ops.registry import function


@function(
    "log_math",
    family="elementwise",
    where="",
    also=("math.log",),
    derivative="vjp: g/(x*log(base)), and -g*log(x)/(base*log(base)**2) for the base",
    domain=(1.2, 3.0),
    cases=(case((3,)), case((3,), (3,)), case((3,), 2), case((), 10.0), case((2,), 3.0)),
)
def log_math(x: Any, base: Any = None) -> CoreValue:
    """The logarithm to a base, e by itself."""
    if isinstance(base, int | float) and base in (2, 10):
        return (log2 if base == 2 else log10)(x)
    return log(x) if base is None else log(x) / log(base)


@function(
    "hypot_math",
    family="elementwise",
    where="",
    also=("math.hypot",),
    derivative="vjp: g*x/hypot(...) for each coordinate",
    kinks="the origin: 0, the centre of all slopes there",
    cases=(case((3,), (3,)), case((3,), (3,), (3,)), case(()), case((), (), (), ())),
)
def hypot_math(*coordinates: Any) -> CoreValue:
    """The length of a vector of any number of coordinates, without overflow."""
    if not coordinates:
        return as_core(0.0)
    found = operands(coordinates, True)
    return absolute(found[0]) if len(found) == 1 else reduce(lambda a, b: bind(HYPOT, a, b), found)


def _vectors(name: str, p: Any, q: Any) -> list[CoreValue]:
    """Two vectors of one length.

    Raises:
        ShapeError: they are none.
    """
    x, y = operands((as_core(p), as_core(q)), True)
    if len(shape_of(x)) != 1 or shape_of(x) != shape_of(y):
        raise ShapeError(
            f"{name} takes two vectors of one length, not shapes {fits(shape_of(x))} and {fits(shape_of(y))}"
        )
    return [x, y]


@function(
    "dist_math",
    family="reduction",
    where="",
    also=("math.dist",),
    derivative="vjp: g*(p - q)/dist(p, q), and the same with the other sign",
    kinks="p = q: 0, the centre of all slopes there",
    cases=(case((3,), (3,)), case((1,), (1,)), case((4,), (4,))),
)
def dist_math(p: Any, q: Any) -> CoreValue:
    """The distance of two points, without overflow."""
    x, y = _vectors("dist", p, q)
    return norm_torch.call(x - y)


@function(
    family="reduction",
    where="torch method",
    derivative="vjp: g*sign(d)*(|d|/y)**(p - 1) for input and its negative for other, with d = input - other",
    kinks="a distance of 0: 0, as in PyTorch",
    cases=(case((2, 3), (3,)), case((3,), (3,), 1), case((2, 2), (2, 2), 3), case((3,), (3,), float("inf"))),
)
def dist(input: Any, other: Any, p: Any = 2) -> CoreValue:
    """The p-norm of all elements of input - other."""
    return norm_torch.call(to_float(as_core(input)) - to_float(as_core(other)), p)


@function(
    "sumprod",
    family="reduction",
    where="",
    also=("math.sumprod",),
    derivative="vjp: g*q, g*p",
    cases=(case((3,), (3,)), case((0,), (0,))),
)
def sumprod(p: Any, q: Any) -> CoreValue:
    """The sum of the products of two vectors' elements."""
    x, y = _vectors("sumprod", p, q)
    return OPERATORS["sum_to"](x * y, ())


@function(
    "fsum",
    family="reduction",
    where="",
    also=("math.fsum",),
    derivative="vjp: broadcast g",
    cases=(case((3,)), case([1.0, 2.0])),
)
def fsum(seq: Any) -> CoreValue:
    """The sum of a list or vector of numbers."""
    (found,) = operands((as_core(seq),), True)
    return OPERATORS["sum_to"](found, ())


@function(
    "isclose_math",
    family="logic",
    where="",
    also=("math.isclose",),
    differentiable=False,
    cases=(case((3,), (3,)), case(1.0, 1.0 + 1e-10), case(1.0, 1.1, rel_tol=0.2), case(0.0, 1e-12, abs_tol=1e-9)),
)
def isclose_math(a: Any, b: Any, *, rel_tol: Any = 1e-9, abs_tol: Any = 0.0) -> CoreValue:
    """Whether two numbers differ by at most rel_tol of the larger, or by abs_tol."""
    if rel_tol < 0 or abs_tol < 0:
        raise ArgumentError("isclose: tolerances must be non-negative")
    x, y = operands((a, b), True)
    near = less_equal(absolute(x - y), maximum(rel_tol * maximum(absolute(x), absolute(y)), abs_tol))
    return logical_or(equal(x, y), logical_and(near, logical_and(isfinite(x), isfinite(y))))
