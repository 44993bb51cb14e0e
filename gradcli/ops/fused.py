"""Small formulas that PyTorch has a function of their own for: lerp, addcmul, addcdiv, renorm."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Value, dtype_of, ndim_of
from gradcli.ops.axes import axis_of
from gradcli.ops.elementwise import where
from gradcli.ops.function import case
from gradcli.ops.kinds import elementwise
from gradcli.ops.norm import vector_norm
from gradcli.ops.operands import as_core, operands, to_float
from gradcli.ops.reduction import COMPLEX
from gradcli.ops.registry import function

# --- elementwise -----------------------------------------------------------------------------------------------------


def _lerp(start: Any, end: Any, weight: Any) -> Any:
    # From the nearer end, so that weight 1 gives that end exactly, as in PyTorch.
    found = np.where(np.abs(weight) < 0.5, start + weight * (end - start), end - (end - start) * (1 - weight))
    return _infinite_lerp(found, start, end, weight) if np.any(np.isinf(start) | np.isinf(end)) else found


def _infinite_lerp(found: Any, start: Any, end: Any, weight: Any) -> Any:
    """Between ends of which some are infinite: that end as soon as it counts at all."""
    counted = np.where(weight == 0, start, np.where(weight == 1, end, start * (1 - weight) + end * weight))
    return np.where(np.isinf(start) | np.isinf(end), counted, found).astype(found.dtype, copy=False)


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
    lambda y, x, a, b, *, value: -(value * a / b) / b,
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
    cases=(
        case((3,), (3,), 0.25),
        case((2, 3), (3,), (2, 1)),
        case((3,), (3,), 0.75),
        case(COMPLEX[0], COMPLEX[1], 0.25),
    ),
)
def lerp(input: Any, end: Any, weight: Any) -> CoreValue:
    """input + weight*(end - input), the point between two."""
    return bind(LERP, *operands((input, end, weight), True))


_THREE = (
    case((3,), (3,), (3,)),
    case((2, 3), (3,), (2, 1), value=-0.5),
    case((3,), (3,), (3,), value=np.array([2.0, -0.5, 0.0])),
    case(COMPLEX[0], COMPLEX[1], COMPLEX[0] + 1.0, value=2.0),
)


@function(
    family="elementwise", where="torch method", op=ADDCMUL, derivative="1, value*tensor2, value*tensor1", cases=_THREE
)
def addcmul(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> CoreValue:
    """input + value*tensor1*tensor2."""
    x, one, other = operands((input, tensor1, tensor2), True)
    if isinstance(value, Value):
        return x + value * one * other
    return bind(ADDCMUL, x, one, other, value=value)


@function(
    family="elementwise",
    where="torch method",
    op=ADDCDIV,
    derivative="1, value/tensor2, -value*tensor1/tensor2**2",
    defined="tensor2 != 0",
    cases=_THREE,
)
def addcdiv(input: Any, tensor1: Any, tensor2: Any, *, value: Any = 1) -> CoreValue:
    """input + value*tensor1/tensor2."""
    x, above, below = operands((input, tensor1, tensor2), True)
    if isinstance(below, int | float):  # Python would object to a 0
        below = np.asarray(below, dtype_of(x))
    if isinstance(value, Value):
        return x + value * above / below
    return bind(ADDCDIV, x, above, below, value=value)


@function(
    family="normalisation",
    where="torch method",
    derivative="vjp: g where the norm is at most maxnorm, else maxnorm/norm times the part of g across x",
    kinks="norm equal to maxnorm: g, as inside",
    cases=(case((2, 3), 2, 0, 1.0), case((2, 3), 1, -1, 0.5), case((2, 3, 2), 3, 1, 0.75), case((2, 3), 2, 0, 9.0)),
)
def renorm(input: Any, p: Any, dim: Any, maxnorm: Any) -> CoreValue:
    """x, its slices along an axis scaled to a p-norm of at most maxnorm."""
    x = to_float(as_core(input))
    axis = axis_of("renorm", dim, x)
    others = [a for a in range(-ndim_of(x), 0) if a != axis]
    sizes = vector_norm.call(x, p, others, True)
    return x * where(sizes > maxnorm, maxnorm / (sizes + 1e-7), 1.0)
