"""Whether values are the same, exactly or up to a tolerance."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.values import CoreValue, shape_of
from gradcli.ops.elementwise import absolute, equal, isfinite, isnan, less_equal, logical_and, logical_or
from gradcli.ops.function import case
from gradcli.ops.operands import as_core, operands
from gradcli.ops.reduction import all_
from gradcli.ops.registry import function

_NAN = np.array([1.0, np.nan, np.inf, -np.inf])
_CASES = (
    case((3,), (3,)),
    case((2, 3), (3,)),
    case(1.0, 1.0 + 1e-9),
    case(1.0, 1.1, rtol=0.2),
    case(0.0, 1e-9),
    case(_NAN, _NAN),
    case(_NAN, _NAN, equal_nan=True),
    case(np.array([1, 2]), np.array([1, 3])),
)


@function(family="logic", where="numpy torch method", differentiable=False, cases=_CASES)
def isclose(a: Any, b: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False) -> CoreValue:
    """Whether elements differ by at most atol + rtol*abs(b)."""
    x, y = operands((a, b), True)
    near = less_equal(absolute(x - y), atol + rtol * absolute(y))
    same = logical_or(equal(x, y), logical_and(near, isfinite(y)))
    return logical_or(same, logical_and(isnan(x), isnan(y))) if equal_nan else same


@function(family="logic", where="numpy torch method", differentiable=False, cases=_CASES)
def allclose(a: Any, b: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False) -> CoreValue:
    """Whether all elements differ by at most atol + rtol*abs(b)."""
    return all_.call(isclose.call(a, b, rtol, atol, equal_nan))


@function(
    family="logic",
    where="numpy",
    also=("torch.equal", ".equal@torch"),
    differentiable=False,
    cases=(
        case((3,), (3,)),
        case((2,), (3,)),
        case(np.array([1, 2]), np.array([1.0, 2.0])),
        case(_NAN, _NAN),
    ),
)
def array_equal(a1: Any, a2: Any) -> CoreValue:
    """Whether two values have one shape and equal elements."""
    x, y = as_core(a1), as_core(a2)
    return all_.call(equal(x, y)) if shape_of(x) == shape_of(y) else np.bool_(False)
