"""What bends or breaks at a point: absolute value, maxima, clipping, rounding, selection.

Where a function has a kink, the derivative there is PyTorch's choice, and `kink` marks the place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.budget import budget
from gradcli.graph.op import Op
from gradcli.graph.values import OPERATORS, CoreValue, dtype_of
from gradcli.ops.arguments import settled
from gradcli.ops.elementwise.comparison import (
    equal,
    greater,
    greater_equal,
    isnan,
    less,
    less_equal,
    logical_and,
    logical_not,
    logical_or,
    not_equal,
)
from gradcli.ops.elementwise.complex_parts import real
from gradcli.ops.elementwise.pairs import BROADCASTS, PAIR
from gradcli.ops.function import Function, case
from gradcli.ops.kinds import Rule, added, conj, elementwise, elementwise_general
from gradcli.ops.operands import as_core, operands
from gradcli.ops.registry import elementwise_function, function


def _ties(x: Any, y: Any) -> Any:
    return x == y


def _choosing(name: str, value: Rule, *shares: Rule, **words: Any) -> Op:
    """An elementwise op that hands on one of its operands.

    `shares` has one rule (t, *operands) -> t where that operand is handed on, 0 elsewhere. They select rather than
    multiply with a mask: an infinite cotangent of what was not chosen stays out, where times 0 it would be nan.
    """

    def forward(ts: Sequence[CoreValue | None], y: CoreValue, *xs: CoreValue) -> CoreValue | None:
        total = None
        for t, share in zip(ts, shares, strict=True):
            if t is not None:
                total = added(total, share(t, *xs))
        return total

    return elementwise_general(name, value, vjps=tuple(_as_vjp(s) for s in shares), jvp=forward, **words)


def _as_vjp(share: Rule) -> Rule:
    return lambda g, y, *xs: share(g, *xs)


def _only(mask: CoreValue, t: CoreValue) -> CoreValue:
    return bind(WHERE, mask, t, 0.0)


def _halved_at_ties(lost: Function) -> tuple[Rule, Rule]:
    """Shares of two operands, the first of which is not chosen where `lost` holds; a tie gives each side half."""

    def first(t: CoreValue, x: CoreValue, y: CoreValue) -> CoreValue:
        return bind(WHERE, lost(x, y), 0.0, bind(WHERE, equal(x, y), 0.5 * t, t))

    return first, lambda t, x, y: first(t, y, x)


def _not_beaten(wins: Function) -> tuple[Rule, Rule]:
    """Shares of two operands, where nan loses and the first has a tie (PyTorch's choice)."""

    def chosen(x: CoreValue, y: CoreValue) -> CoreValue:
        return logical_or(wins(x, y), isnan(y))

    return lambda t, x, y: _only(chosen(x, y), t), lambda t, x, y: _only(logical_not(chosen(x, y)), t)


def _sign_or_zero(x: Any) -> Any:
    """The sign as PyTorch has it: of nan, 0."""
    return np.where(np.isnan(x), x.dtype.type(0), np.sign(x))


def _sgn_push(t: CoreValue, y: CoreValue, x: CoreValue) -> CoreValue:
    """The derivative of x/|x|, which turns with x and does not stretch: the part of t across x, over |x|."""
    if dtype_of(x).kind != "c":
        return OPERATORS["zeros_like"](x)
    size = absolute(x)
    along = y * real(conj(y) * t)
    return bind(WHERE, equal(size, 0), 0.0, (t - along) / bind(WHERE, equal(size, 0), 1.0, size))


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
SIGN_TORCH = elementwise(
    "sign_torch",
    _sign_or_zero,
    0,
    meaning=lambda S, x: S.sign(x),
    torch="Sign",
    kink=lambda x: x == 0,
    doc="-1, 0 or 1; of nan, 0.",
)
SGN = elementwise_general(
    "sgn",
    _sign_or_zero,
    vjps=(lambda g, y, x: _sgn_push(g, y, x),),
    jvp=lambda ts, y, x: _sgn_push(ts[0], y, x),
    meaning=lambda S, x: S.sign(x),
    torch="Sgn",
    kink=lambda x: x == 0,
    doc="x/|x|, and 0 at 0 and nan.",
)
# A tie gives each side half, so that x and y swapped swap the derivative.
MAXIMUM = _choosing(
    "maximum",
    np.maximum,
    *_halved_at_ties(less),
    meaning=lambda S, x, y: S.max(x, y),
    torch="Maximum",
    kink=_ties,
    saves=(0, 1),
    doc="The larger of two; at a tie each has half of the derivative.",
)
MINIMUM = _choosing(
    "minimum",
    np.minimum,
    *_halved_at_ties(greater),
    meaning=lambda S, x, y: S.min(x, y),
    torch="Minimum",
    kink=_ties,
    saves=(0, 1),
    doc="The smaller of two; at a tie each has half of the derivative.",
)
FMAX = _choosing(
    "fmax",
    np.fmax,
    *_not_beaten(greater_equal),
    meaning=lambda S, x, y: S.max(x, y),
    torch="Fmax",
    kink=_ties,
    saves=(0, 1),
    doc="The larger of two, where nan counts as missing; at a tie x has the derivative.",
)
FMIN = _choosing(
    "fmin",
    np.fmin,
    *_not_beaten(less_equal),
    meaning=lambda S, x, y: S.min(x, y),
    torch="Fmin",
    kink=_ties,
    saves=(0, 1),
    doc="The smaller of two, where nan counts as missing; at a tie x has the derivative.",
)
RELU = _choosing(
    "relu",
    lambda x: np.maximum(x, x.dtype.type(0)),
    lambda t, x: bind(WHERE, less_equal(x, 0), 0.0, t),
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
    also=("numpy.abs", "torch.abs", ".abs"),
    domain=(0.2, 2.0),
    cases=(case((3,)),),
)


@function(
    "fabs",
    family="elementwise",
    op=ABS,
    where="numpy",
    also=("math.fabs",),
    derivative="sign(x)",
    domain=(0.2, 2.0),
    cases=(case((3,)), case(np.array([1, -2]))),
)
def fabs(x: Any) -> CoreValue:
    """Absolute value, as a float; the derivative at 0 is 0."""
    return bind(ABS, *operands((x,), True))


sign = elementwise_function(SIGN, floats=False, derivative="0", where="numpy", also=(".sign@numpy",))
sign_torch = elementwise_function(
    SIGN_TORCH, floats=False, derivative="0", where="", also=("torch.sign", ".sign@torch")
)
sgn: Function = elementwise_function(SGN, floats=False, derivative="0", where="torch method")
maximum = elementwise_function(
    MAXIMUM,
    parameters=PAIR,
    floats=False,
    derivative="x > y, y > x",
    cases=BROADCASTS,
)
minimum = elementwise_function(
    MINIMUM,
    parameters=PAIR,
    floats=False,
    derivative="x < y, y < x",
    cases=BROADCASTS,
)
fmax = elementwise_function(FMAX, parameters=PAIR, floats=False, derivative="x >= y, y > x", cases=BROADCASTS)
fmin = elementwise_function(FMIN, parameters=PAIR, floats=False, derivative="x <= y, y < x", cases=BROADCASTS)
relu = elementwise_function(RELU, floats=False, derivative="x > 0", where="torch method F", also=("jax.nn.relu",))
floor = elementwise_function(FLOOR, floats=False, derivative="0")
ceil = elementwise_function(CEIL, floats=False, derivative="0")
trunc = elementwise_function(TRUNC, floats=False, derivative="0", also=("torch.fix", "numpy.fix", ".fix@torch"))


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
    torch=lambda operands, params: ("WhereBackward0", (1, 2)),
    saves=(0,),
    doc="x where the condition holds, y elsewhere.",
)


def places(mask: CoreValue) -> tuple[CoreValue, ...]:
    """Where `mask` is not zero: an array of indices per axis."""
    budget.charge(8 * mask.size * mask.ndim, "nonzero")
    return tuple(np.nonzero(np.atleast_1d(settled(mask))))


@function(
    family="elementwise",
    op=WHERE,
    where="numpy torch",
    derivative="condition, ~condition",
    also=("jax.lax.select",),
    cases=(case(np.array([True, False, True]), (3,), (3,)), case(np.array([[0, 2], [1, 0]]))),
)
def where(condition: Any, x: Any = None, y: Any = None) -> CoreValue:
    """x where the condition holds, y elsewhere; of a condition alone, the indices where it holds."""
    mask = as_core(condition)
    if x is None and y is None:
        return places(mask)
    if x is None or y is None:
        raise TypeError("where needs (condition, x, y), or the condition alone")
    if mask.dtype.kind != "b":
        mask = not_equal(mask, 0)
    a, b = operands((x, y), False)
    return bind(WHERE, mask, a, b)


@function(
    "where_method",
    family="elementwise",
    op=WHERE,
    where="",
    also=(".where",),
    derivative="condition, ~condition",
    cases=(case((3,), np.array([True, False, True]), (3,)),),
)
def where_method(x: Any, condition: Any, y: Any) -> CoreValue:
    """x where the condition holds, y elsewhere."""
    return where.call(condition, x, y)


@function(
    family="elementwise",
    also=("torch.clamp", ".clamp", "numpy.clip_by_value"),
    derivative="(x >= min) & (x <= max), x < min, x > max",
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


@function(
    family="elementwise",
    where="torch method",
    derivative="x >= min, x < min",
    cases=(case((5,), -1.0), case((2, 3), (3,))),
)
def clamp_min(input: Any, min: Any) -> CoreValue:
    """x, but at least min; the derivative at it is 1."""
    return bind(CLAMP_MIN, *operands((input, min), False))


@function(
    family="elementwise",
    where="torch method",
    derivative="x <= max, x > max",
    cases=(case((5,), 1.0), case((2, 3), (3,))),
)
def clamp_max(input: Any, max: Any) -> CoreValue:
    """x, but at most max; the derivative at it is 1."""
    return bind(CLAMP_MAX, *operands((input, max), False))


def _clamp_node(operands: tuple[CoreValue, ...], params: dict[str, Any]) -> Any:
    """One node for ends that are numbers, another for tensors."""
    if any(hasattr(end, "dtype") for end in operands[1:]):
        return ("ClampBackward0", (0, 1, 2 if len(operands) > 2 else None))
    return ("ClampBackward1", (0,))


# PyTorch's choice: x has the derivative at both ends, the ends have it strictly outside; the upper outranks the lower.
CLIP = _choosing(
    "clip",
    lambda x, low, high: np.minimum(np.maximum(x, low), high),
    lambda t, x, low, high: _only(logical_and(greater_equal(x, low), less_equal(x, high)), t),
    lambda t, x, low, high: _only(logical_and(less(x, low), less(low, high)), t),
    lambda t, x, low, high: _only(logical_or(greater(x, high), less(high, low)), t),
    meaning=lambda S, x, low, high: S.min(S.max(x, low), high),
    torch=_clamp_node,
    kink=lambda x, low, high: (x == low) | (x == high),
    saves=(0, 1, 2),
    doc="x, or the nearer end of an interval.",
)


def _one_end(name: str) -> Callable[..., Any]:
    """The node of a clip at one end, which may be a number or a tensor."""

    def node(operands: tuple[CoreValue, ...], params: dict[str, Any]) -> Any:
        tensor = hasattr(operands[1], "dtype")
        return (f"{name}Backward1", (0, 1)) if tensor else (f"{name}Backward0", (0,))

    return node


def _clip_below(name: str, torch: Callable[..., Any]) -> Op:
    return _choosing(
        name,
        np.maximum,
        lambda t, x, low: _only(greater_equal(x, low), t),
        lambda t, x, low: _only(less(x, low), t),
        meaning=lambda S, x, low: S.max(x, low),
        torch=torch,
        kink=_ties,
        saves=(0, 1),
        doc="x, but at least the lower end.",
    )


def _clip_above(name: str, torch: Callable[..., Any]) -> Op:
    return _choosing(
        name,
        np.minimum,
        lambda t, x, high: _only(less_equal(x, high), t),
        lambda t, x, high: _only(greater(x, high), t),
        meaning=lambda S, x, high: S.min(x, high),
        torch=torch,
        kink=_ties,
        saves=(0, 1),
        doc="x, but at most the upper end.",
    )


CLIP_BELOW = _clip_below("clip_below", _clamp_node)
CLIP_ABOVE = _clip_above("clip_above", _clamp_node)
CLAMP_MIN = _clip_below("clamp_min", _one_end("ClampMin"))
CLAMP_MAX = _clip_above("clamp_max", _one_end("ClampMax"))
