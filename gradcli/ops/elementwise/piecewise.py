"""What bends or breaks at a point: absolute value, maxima, clipping, rounding, selection.

Where a function has a kink, the derivative there is PyTorch's choice, and `kink` marks the place.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import OPERATORS, CoreValue, dtype_of
from gradcli.ops.elementwise.comparison import (
    greater,
    greater_equal,
    less,
    less_equal,
    logical_and,
    logical_or,
    not_equal,
)
from gradcli.ops.elementwise.complex_parts import real
from gradcli.ops.elementwise.pairs import BROADCASTS, PAIR
from gradcli.ops.kinds import conj, elementwise, elementwise_general
from gradcli.ops.registry import Function, as_core, case, elementwise_function, function, operands


def _ties(x: Any, y: Any) -> Any:
    return x == y


def _larger(z: CoreValue, x: CoreValue, y: CoreValue) -> CoreValue:
    return 0.5 * (_as_float(greater(x, y), x) + _as_float(greater_equal(x, y), x))


def _smaller(z: CoreValue, x: CoreValue, y: CoreValue) -> CoreValue:
    return 0.5 * (_as_float(less(x, y), x) + _as_float(less_equal(x, y), x))


def _as_float(mask: CoreValue, like: CoreValue) -> CoreValue:
    """A mask as 0 and 1 of the dtype of `like`."""
    dtype = dtype_of(like)
    return OPERATORS["astype"](mask, dtype if dtype.kind == "f" else np.dtype(np.float64))


def _abs_tangent(t: CoreValue, x: CoreValue) -> CoreValue:
    return real(t * conj(sgn(x))) if dtype_of(x).kind == "c" else t * sgn(x)


# Of a complex x it is real, and not holomorphic: the cotangent is g * x/|x|, as PyTorch has it.
ABS = elementwise_general(
    "absolute",
    np.absolute,
    vjps=(lambda g, y, x: g * sgn(x),),
    jvp=lambda ts, y, x: _abs_tangent(ts[0], x),
    meaning=lambda S, x: S.abs(x),
    torch="Abs",
    kink=lambda x: x == 0,
    saves=(0,),
    doc="Absolute value; the derivative at 0 is 0.",
)
SIGN = elementwise(
    "sign", np.sign, 0, meaning=lambda S, x: S.sign(x), torch="Sign", kink=lambda x: x == 0, doc="-1, 0 or 1."
)
SGN = elementwise(
    "sgn",
    np.sign,
    0,
    meaning=lambda S, x: S.sign(x),
    torch="Sgn",
    kink=lambda x: x == 0,
    doc="x/|x|, and 0 at 0.",
)
# A tie gives each side half, so that x and y swapped swap the derivative.
MAXIMUM = elementwise(
    "maximum",
    np.maximum,
    _larger,
    lambda z, x, y: _larger(z, y, x),
    meaning=lambda S, x, y: S.max(x, y),
    torch="Maximum",
    kink=_ties,
    saves=(0, 1),
    doc="The larger of two; at a tie each has half of the derivative.",
)
MINIMUM = elementwise(
    "minimum",
    np.minimum,
    _smaller,
    lambda z, x, y: _smaller(z, y, x),
    meaning=lambda S, x, y: S.min(x, y),
    torch="Minimum",
    kink=_ties,
    saves=(0, 1),
    doc="The smaller of two; at a tie each has half of the derivative.",
)
RELU = elementwise(
    "relu",
    lambda x: np.maximum(x, x.dtype.type(0)),
    lambda y, x: _as_float(greater(x, 0), x),
    meaning=lambda S, x: S.max(x, 0),
    torch="Relu",
    kink=lambda x: x == 0,
    saves=("y",),
    doc="max(x, 0); the derivative at 0 is 0.",
)
FLOOR = elementwise(
    "floor",
    np.floor,
    0,
    meaning=lambda S, x: S.floor(x),
    torch="Floor",
    kink=lambda x: x == np.floor(x),
    doc="Largest integer not above x.",
)
CEIL = elementwise(
    "ceil",
    np.ceil,
    0,
    meaning=lambda S, x: -S.floor(-x),
    torch="Ceil",
    kink=lambda x: x == np.floor(x),
    doc="Smallest integer not below x.",
)
TRUNC = elementwise(
    "trunc",
    np.trunc,
    0,
    meaning=lambda S, x: S.sign(x) * S.floor(S.abs(x)),
    torch="Trunc",
    kink=lambda x: (x == np.floor(x)) & (x != 0),
    doc="Integer part of x.",
)


def _round_meaning(S: Any, x: Any, decimals: int = 0) -> Any:
    scale = S.number(10) ** decimals
    return S.round(x * scale) / scale


ROUND = elementwise(
    "round",
    lambda x, decimals=0: np.round(x, decimals),
    0,
    meaning=_round_meaning,
    torch="Round",
    kink=lambda x, decimals=0: x * 10.0**decimals - np.floor(x * 10.0**decimals) == 0.5,
    doc="Nearest integer (or decimal), halves to even.",
)
absolute = elementwise_function(
    ABS,
    floats=False,
    derivative="sign(x)",
    also=("numpy.abs", "torch.abs", ".abs", "numpy.fabs", "math.fabs"),
    domain=(0.2, 2.0),
    cases=(case((3,)),),
)
sign = elementwise_function(SIGN, floats=False, derivative="0")
sgn: Function = elementwise_function(SGN, floats=False, derivative="0", where="torch method")
maximum = elementwise_function(
    MAXIMUM,
    parameters=PAIR,
    floats=False,
    derivative="x > y, y > x",
    also=("numpy.fmax", "torch.fmax"),
    cases=BROADCASTS,
)
minimum = elementwise_function(
    MINIMUM,
    parameters=PAIR,
    floats=False,
    derivative="x < y, y < x",
    also=("numpy.fmin", "torch.fmin"),
    cases=BROADCASTS,
)
relu = elementwise_function(RELU, floats=False, derivative="x > 0", where="torch method F", also=("jax.nn.relu",))
floor = elementwise_function(FLOOR, derivative="0")
ceil = elementwise_function(CEIL, derivative="0")
trunc = elementwise_function(TRUNC, derivative="0", also=("torch.fix", "numpy.fix"))


@function(
    "round",
    family="elementwise",
    also=("numpy.around", "numpy.round_"),
    op=ROUND,
    derivative="0",
    cases=(case((3,), decimals=1),),
)
def round_(x: Any, decimals: int = 0) -> CoreValue:
    """Nearest integer (or decimal), halves to even."""
    return bind(ROUND, *operands((x,), False), decimals=int(decimals))


# A selection rather than a product with the mask: a nan or infinity in g stays on its own side.
WHERE: Op = elementwise_general(
    "where",
    np.where,
    vjps=(
        None,
        lambda g, y, c, a, b: bind(WHERE, c, g, 0.0),
        lambda g, y, c, a, b: bind(WHERE, c, 0.0, g),
    ),
    jvp=lambda ts, y, c, a, b: bind(WHERE, c, 0.0 if ts[1] is None else ts[1], 0.0 if ts[2] is None else ts[2]),
    meaning=lambda S, c, a, b: S.where(c, a, b),
    torch="Where",
    saves=(0,),
    doc="x where the condition holds, y elsewhere.",
)


@function(
    family="elementwise",
    op=WHERE,
    derivative="condition, not condition",
    also=("jax.lax.select",),
    cases=(case(np.array([True, False, True]), (3,), (3,)),),
)
def where(condition: Any, x: Any = None, y: Any = None) -> CoreValue:
    """x where the condition holds, y elsewhere."""
    if x is None or y is None:
        raise TypeError("where needs (condition, x, y)")
    mask = as_core(condition)
    if mask.dtype.kind != "b":
        mask = not_equal(mask, 0)
    a, b = operands((x, y), False)
    return bind(WHERE, mask, a, b)


@function(
    family="elementwise",
    also=("torch.clamp", ".clamp", "numpy.clip_by_value"),
    derivative="lo <= x <= hi",
    cases=(
        case((5,), -1.0, 1.0),
        case((5,), None, 0.5),
        case((5,), 0.5),
        case((2, 3), (3,), 5.0),
        case(np.array([[-2.0, 0.5], [0.0, 3.0]]), np.array([-1.0, 0.25]), np.array([[1.0], [2.0]])),
    ),
)
def clip(x: Any, min: Any = None, max: Any = None, a_min: Any = None, a_max: Any = None) -> CoreValue:
    """x, or the nearer end of [min, max]; the derivative at the ends is 1."""
    low = a_min if min is None else min
    high = a_max if max is None else max
    (found,) = operands((x,), False)
    if low is None and high is None:
        raise TypeError("clip needs min, max or both")
    if low is not None and high is not None:
        return bind(CLIP, *operands((found, low, high), False))
    return (
        bind(CLIP_BELOW, *operands((found, low), False))
        if high is None
        else bind(CLIP_ABOVE, *operands((found, high), False))
    )


def _between(y: CoreValue, x: CoreValue, low: CoreValue, high: CoreValue) -> CoreValue:
    return _as_float(logical_and(greater_equal(x, low), less_equal(x, high)), y)


# PyTorch's choice: x has the derivative at both ends, the ends have it strictly outside; the upper outranks the lower.
CLIP = elementwise(
    "clip",
    lambda x, low, high: np.minimum(np.maximum(x, low), high),
    _between,
    lambda y, x, low, high: _as_float(logical_and(less(x, low), less(low, high)), y),
    lambda y, x, low, high: _as_float(logical_or(greater(x, high), less(high, low)), y),
    meaning=lambda S, x, low, high: S.min(S.max(x, low), high),
    torch="Clamp",
    kink=lambda x, low, high: (x == low) | (x == high),
    saves=(0,),
    doc="x, or the nearer end of an interval.",
)
CLIP_BELOW = elementwise(
    "clip_below",
    np.maximum,
    lambda y, x, low: _as_float(greater_equal(x, low), y),
    lambda y, x, low: _as_float(less(x, low), y),
    meaning=lambda S, x, low: S.max(x, low),
    torch="Clamp",
    kink=_ties,
    saves=(0,),
    doc="x, but at least the lower end.",
)
CLIP_ABOVE = elementwise(
    "clip_above",
    np.minimum,
    lambda y, x, high: _as_float(less_equal(x, high), y),
    lambda y, x, high: _as_float(greater(x, high), y),
    meaning=lambda S, x, high: S.min(x, high),
    torch="Clamp",
    kink=_ties,
    saves=(0,),
    doc="x, but at most the upper end.",
)
