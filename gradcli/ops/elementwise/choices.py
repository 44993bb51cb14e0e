"""One of several values, or the nearer end of an interval: where, maximum, minimum, clip.

What is not chosen gets 0 by selection, never by a product with a mask: an infinite or undefined cotangent of what was
not chosen stays out. Where two values tie, the derivative is PyTorch's, and `kink` marks the place.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.budget import budget
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, dtype_of
from gradcli.ops.arguments import settled
from gradcli.ops.dependence import chosen
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
from gradcli.ops.elementwise.pairs import BROADCASTS, PAIR
from gradcli.ops.function import Function, case
from gradcli.ops.kinds import Rule, added, elementwise_general
from gradcli.ops.operands import as_core, operands
from gradcli.ops.registry import elementwise_function, function


def _ties(x: Any, y: Any) -> Any:
    return x == y


def choosing(name: str, value: Rule, *shares: Rule, **words: Any) -> Op:
    """An elementwise op that hands on one of its operands.

    `shares` has one rule (t, *operands, **params) -> t where that operand is handed on, 0 elsewhere. They select rather
    than multiply with a mask: an infinite cotangent of what was not chosen stays out, where times 0 it would be nan.
    """

    def forward(ts: Sequence[CoreValue | None], y: CoreValue, *xs: CoreValue, **params: Any) -> CoreValue | None:
        total = None
        for t, share in zip(ts, shares, strict=True):
            if t is not None:
                total = added(total, share(t, *xs, **params))
        return total

    return elementwise_general(name, value, vjps=tuple(_as_vjp(s) for s in shares), jvp=forward, **words)


def _as_vjp(share: Rule) -> Rule:
    return lambda g, y, *xs, **params: share(g, *xs, **params)


def only(mask: CoreValue, t: CoreValue) -> CoreValue:
    """`t` where a mask holds, 0 elsewhere."""
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

    return lambda t, x, y: only(chosen(x, y), t), lambda t, x, y: only(logical_not(chosen(x, y)), t)


# A tie gives each side half, so that x and y swapped swap the derivative.
MAXIMUM = choosing(
    "maximum",
    np.maximum,
    *_halved_at_ties(less),
    meaning=lambda S, x, y: S.max(x, y),
    torch="Maximum",
    kink=_ties,
    saves=(0, 1),
    doc="The larger of two; at a tie each has half of the derivative.",
)
MINIMUM = choosing(
    "minimum",
    np.minimum,
    *_halved_at_ties(greater),
    meaning=lambda S, x, y: S.min(x, y),
    torch="Minimum",
    kink=_ties,
    saves=(0, 1),
    doc="The smaller of two; at a tie each has half of the derivative.",
)
def _of_present(S: Any, choose: Any, x: Any, y: Any) -> Any:
    """The chosen of two, or the other where one is nan and so missing."""
    if math.isnan(S.hole(x) or 0):
        return S.number(y)
    return S.number(x) if math.isnan(S.hole(y) or 0) else choose(x, y)


FMAX = choosing(
    "fmax",
    np.fmax,
    *_not_beaten(greater_equal),
    meaning=lambda S, x, y: _of_present(S, S.max, x, y),
    torch="Fmax",
    kink=_ties,
    saves=(0, 1),
    doc="The larger of two, where nan counts as missing; at a tie x has the derivative.",
)
FMIN = choosing(
    "fmin",
    np.fmin,
    *_not_beaten(less_equal),
    meaning=lambda S, x, y: _of_present(S, S.min, x, y),
    torch="Fmin",
    kink=_ties,
    saves=(0, 1),
    doc="The smaller of two, where nan counts as missing; at a tie x has the derivative.",
)
_HALF = "x = y: half of it each, as in PyTorch"
_FIRST = "x = y: all of it to x, as in PyTorch"
maximum = elementwise_function(
    MAXIMUM, parameters=PAIR, floats=False, derivative="x > y, y > x", kinks=_HALF, cases=BROADCASTS
)
minimum = elementwise_function(
    MINIMUM, parameters=PAIR, floats=False, derivative="x < y, y < x", kinks=_HALF, cases=BROADCASTS
)
fmax = elementwise_function(
    FMAX, parameters=PAIR, floats=False, derivative="x >= y, y > x", kinks=_FIRST, cases=BROADCASTS
)
fmin = elementwise_function(
    FMIN, parameters=PAIR, floats=False, derivative="x <= y, y < x", kinks=_FIRST, cases=BROADCASTS
)


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
    depends=chosen,
    doc="x where the condition holds, y elsewhere.",
)


def either(mask: CoreValue, a: float, b: float, like: CoreValue) -> CoreValue:
    """One of two numbers, in the dtype of `like`: PyTorch's programs would take numbers alone as float32."""
    number = dtype_of(like).type
    return bind(WHERE, mask, number(a), number(b))


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


_SPREAD = np.array([[-2.0, 0.5], [0.0, 3.0]])


@function(
    family="elementwise",
    also=("torch.clamp", ".clamp"),
    derivative="(x >= min) & (x <= max), x < min, x > max",
    kinks="x = min or x = max: 1 for x, 0 for the end, as in PyTorch",
    cases=(
        case((5,), None, 0.5),
        case((5,), -1.0, 1.0),
        case((5,), 0.5),
        case((2, 3), (3,), 5.0),
        case(_SPREAD, np.array([-1.0, 0.25])),
        case(_SPREAD, None, np.array([-1.0, 0.25])),
        case(_SPREAD, np.array([-1.0, 0.25]), np.array([[1.0], [2.0]])),
        case(_SPREAD, np.array([1.0, 0.25]), np.array([[-1.0], [2.0]])),
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
    derivative="input >= min, input < min",
    kinks="input = min: 1 for input, 0 for min, as in PyTorch",
    cases=(case((2, 3), (3,)), case((5,), -1.0)),
)
def clamp_min(input: Any, min: Any) -> CoreValue:
    """x, but at least min; the derivative at it is 1."""
    return bind(CLAMP_MIN, *operands((input, min), False))


@function(
    family="elementwise",
    where="torch method",
    derivative="input <= max, input > max",
    kinks="input = max: 1 for input, 0 for max, as in PyTorch",
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
CLIP = choosing(
    "clip",
    lambda x, low, high: np.minimum(np.maximum(x, low), high),
    lambda t, x, low, high: only(logical_and(greater_equal(x, low), less_equal(x, high)), t),
    lambda t, x, low, high: only(logical_and(less(x, low), less(low, high)), t),
    lambda t, x, low, high: only(logical_or(greater(x, high), less(high, low)), t),
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
    return choosing(
        name,
        np.maximum,
        lambda t, x, low: only(greater_equal(x, low), t),
        lambda t, x, low: only(less(x, low), t),
        meaning=lambda S, x, low: S.max(x, low),
        torch=torch,
        kink=_ties,
        saves=(0, 1),
        doc="x, but at least the lower end.",
    )


def _clip_above(name: str, torch: Callable[..., Any]) -> Op:
    return choosing(
        name,
        np.minimum,
        lambda t, x, high: only(less_equal(x, high), t),
        lambda t, x, high: only(greater(x, high), t),
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
