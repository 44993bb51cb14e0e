"""Activation functions in straight pieces: clipped, shrunk, or cut off at a threshold."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.elementwise.choices import choosing, either, where
from gradcli.ops.elementwise.comparison import greater, greater_equal, less, less_equal, logical_and, logical_or
from gradcli.ops.elementwise.limits import quiet
from gradcli.ops.elementwise.real_operands import real_operand
from gradcli.ops.elementwise.signs import absolute
from gradcli.ops.function import case
from gradcli.ops.kinds import Rule, elementwise
from gradcli.ops.registry import function

_CASES = (case((4,)), case((2, 3)), case(()))
_ACROSS = case(np.array([-7.0, -3.5, -0.75, 0.25, 1.5, 4.5, 8.0]))


def _inside(x: CoreValue, low: float, high: float) -> CoreValue:
    return logical_and(greater(x, low), less(x, high))


# --- clipped ---------------------------------------------------------------------------------------------------------


# PyTorch's choice: the ends of the interval have no derivative.
HARDTANH: Op = choosing(
    "hardtanh",
    lambda x, *, low, high: np.clip(x, low, high).astype(x.dtype),
    lambda t, x, *, low, high: where(logical_or(less_equal(x, low), greater_equal(x, high)), 0.0, t),
    meaning=lambda S, x, *, low, high: S.min(S.max(x, S.number(low)), S.number(high)),
    torch="Hardtanh",
    kink=lambda x, *, low, high: (x == low) | (x == high),
    saves=(0,),
    doc="x, or the nearer end of an interval, where the derivative is 0.",
)
HARDSIGMOID: Op = elementwise(
    "hardsigmoid",
    lambda x: np.clip(x / 6 + 0.5, 0, 1).astype(x.dtype),
    lambda y, x: either(_inside(x, -3, 3), 1 / 6, 0.0, x),
    meaning=lambda S, x: S.min(S.max(x + 3, 0), 6) / 6,
    torch="Hardsigmoid",
    kink=lambda x: np.abs(x) == 3,
    saves=(0,),
    doc="A straight line from 0 at -3 to 1 at 3, constant beyond.",
)


@quiet
def _hardswish(x: Any) -> Any:
    return np.where(x <= -3, -x.dtype.type(0), x * (np.clip(x + 3, 0, 6) / 6)).astype(x.dtype)


HARDSWISH: Op = elementwise(
    "hardswish",
    _hardswish,
    lambda y, x: where(less_equal(x, -3), 0.0, where(less(x, 3), x / 3 + 0.5, 1.0)),
    meaning=lambda S, x: x * S.min(S.max(x + 3, 0), 6) / 6,
    torch="Hardswish",
    kink=lambda x: np.abs(x) == 3,
    saves=(0,),
    doc="x times the hard sigmoid.",
)


@function(
    family="activation",
    where="F",
    also=("jax.nn.hard_tanh",),
    derivative="(input > min_val) & (input < max_val)",
    op=HARDTANH,
    kinks="input = min_val or input = max_val: 0, as in PyTorch",
    cases=(*_CASES, case((5,), -0.5, 0.75)),
)
def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False) -> CoreValue:
    """x, or the nearer end of [min_val, max_val]; the derivative at the ends is 0."""
    return bind(HARDTANH, real_operand("hardtanh", input), low=float(min_val), high=float(max_val))


@function(
    family="activation",
    where="F",
    also=("jax.nn.relu6",),
    op=HARDTANH,
    derivative="(input > 0) & (input < 6)",
    kinks="input = 0 or input = 6: 0, as in PyTorch",
    cases=(*_CASES, _ACROSS),
)
def relu6(input: Any, inplace: bool = False) -> CoreValue:
    """x, or the nearer end of [0, 6]; the derivative at the ends is 0."""
    return bind(HARDTANH, real_operand("relu6", input), low=0.0, high=6.0)


@function(
    family="activation",
    where="F",
    also=("jax.nn.hard_sigmoid",),
    op=HARDSIGMOID,
    derivative="where((input > -3) & (input < 3), 1/6, 0)",
    kinks="input = -3 or input = 3: 0, as in PyTorch",
    cases=(*_CASES, _ACROSS),
)
def hardsigmoid(input: Any, inplace: bool = False) -> CoreValue:
    """x/6 + 1/2, or the nearer end of [0, 1]."""
    return bind(HARDSIGMOID, real_operand("hardsigmoid", input))


@function(
    family="activation",
    where="F",
    also=("jax.nn.hard_swish", "jax.nn.hard_silu"),
    op=HARDSWISH,
    derivative="where(input <= -3, 0, where(input < 3, input/3 + 1/2, 1))",
    kinks="input = -3: 0, and input = 3: 1, the outer sides, as in PyTorch",
    source="Howard et al. 2019",
    cases=(*_CASES, _ACROSS),
)
def hardswish(input: Any, inplace: bool = False) -> CoreValue:
    """x*hardsigmoid(x)."""
    return bind(HARDSWISH, real_operand("hardswish", input))


# --- shrunk, and cut off ---------------------------------------------------------------------------------------------


def _shrinking(name: str, value: Rule, meaning: Rule, torch: str, doc: str) -> Op:
    """An op that is constant 0 from -bound to bound, and moves with x beyond."""
    return choosing(
        name,
        value,
        lambda t, x, *, bound: where(less_equal(absolute(x), bound), 0.0, t),
        meaning=meaning,
        torch=torch,
        kink=lambda x, *, bound: np.abs(x) == bound,
        saves=(0,),
        doc=doc,
    )


SOFTSHRINK: Op = _shrinking(
    "softshrink",
    lambda x, *, bound: np.where(x > bound, x - bound, np.where(x < -bound, x + bound, 0 * x)).astype(x.dtype),
    lambda S, x, *, bound: S.sign(x) * S.max(S.abs(x) - S.number(bound), 0),
    "Softshrink",
    "x moved by bound towards 0, and 0 within it.",
)
HARDSHRINK: Op = _shrinking(
    "hardshrink",
    lambda x, *, bound: np.where(np.abs(x) <= bound, x.dtype.type(0), x),
    lambda S, x, *, bound: S.where(S.le(S.abs(x), S.number(bound)), 0, x),
    "Hardshrink",
    "x, and 0 within bound of 0.",
)
THRESHOLD: Op = choosing(
    "threshold",
    lambda x, *, bound, value: np.where(x <= bound, x.dtype.type(value), x),
    lambda t, x, *, bound, value: where(less_equal(x, bound), 0.0, t),
    meaning=lambda S, x, *, bound, value: S.where(S.le(x, S.number(bound)), S.number(value), x),
    torch="Threshold",
    kink=lambda x, *, bound, value: x == bound,
    saves=(0,),
    doc="x above a bound, a constant elsewhere.",
)
THRESHOLD.promotes = False  # of one operand, though its function takes three arguments


@function(
    family="activation",
    where="F",
    op=SOFTSHRINK,
    derivative="abs(input) > lambd",
    kinks="abs(input) = lambd: 0, as in PyTorch",
    cases=(*_CASES, case((5,), 0.25)),
)
def softshrink(input: Any, lambd: float = 0.5) -> CoreValue:
    """x moved by lambd towards 0, and 0 where it is nearer than that."""
    if lambd < 0:
        raise ArgumentError(f"lambda must be greater or equal to 0, but found to be {lambd}.")
    return bind(SOFTSHRINK, real_operand("softshrink", input), bound=float(lambd))


@function(
    family="activation",
    where="torch method F",
    op=HARDSHRINK,
    derivative="abs(input) > lambd",
    kinks="abs(input) = lambd: a jump; the derivative is 0, as in PyTorch",
    cases=(*_CASES, case((5,), 0.25)),
)
def hardshrink(input: Any, lambd: float = 0.5) -> CoreValue:
    """x, and 0 where abs(x) <= lambd."""
    return bind(HARDSHRINK, real_operand("hardshrink", input), bound=float(lambd))


@function(
    family="activation",
    where="F",
    also=("torch.threshold",),
    op=THRESHOLD,
    derivative="input > threshold",
    kinks="input = threshold: 0, as in PyTorch; a jump unless value is the threshold",
    cases=(case((4,), 0.5, -1.0), case((2, 3), -0.25, 2.0), case((), 0.1, 20)),
)
def threshold(input: Any, threshold: float, value: float, inplace: bool = False) -> CoreValue:
    """x where it is above the threshold, elsewhere value."""
    return bind(THRESHOLD, real_operand("threshold", input), bound=float(threshold), value=float(value))


# --- pieces of parabolas, from JAX -----------------------------------------------------------------------------------


def _sparse_plus(x: Any) -> Any:
    middle = np.square((np.clip(x, -1, 1) + 1) / 2)
    return np.where(x <= -1, x.dtype.type(0), np.where(x < 1, middle, x)).astype(x.dtype)


SPARSE_SIGMOID: Op = elementwise(
    "sparse_sigmoid",
    lambda x: ((np.clip(x, -1, 1) + 1) / 2).astype(x.dtype),
    lambda y, x: either(_inside(x, -1, 1), 0.5, 0.0, x),
    meaning=lambda S, x: S.min(S.max((x + 1) / 2, 0), 1),
    kink=lambda x: np.abs(x) == 1,
    saves=(0,),
    doc="A straight line from 0 at -1 to 1 at 1, constant beyond.",
)
SPARSE_PLUS: Op = elementwise(
    "sparse_plus",
    _sparse_plus,
    lambda y, x: bind(SPARSE_SIGMOID, x),
    meaning=lambda S, x: S.where(S.le(x, -1), 0, S.where(S.lt(x, 1), (x + 1) * (x + 1) / 4, x)),
    saves=(0,),
    doc="0 up to -1, x from 1 on, and the parabola (x + 1)**2/4 between.",
)


@function(
    family="activation",
    where="",
    also=("jax.nn.sparse_sigmoid",),
    op=SPARSE_SIGMOID,
    derivative="where((x > -1) & (x < 1), 1/2, 0)",
    kinks="x = -1 or x = 1: 0, as hardsigmoid",
    cases=(*_CASES, _ACROSS),
)
def sparse_sigmoid(x: Any) -> CoreValue:
    """(x + 1)/2, or the nearer end of [0, 1]."""
    return bind(SPARSE_SIGMOID, real_operand("sparse_sigmoid", x))


@function(
    family="activation",
    where="",
    also=("jax.nn.sparse_plus",),
    op=SPARSE_PLUS,
    derivative="clip((x + 1)/2, 0, 1)",
    kinks="x = -1 or x = 1: none of the first derivative; the second there is 0, the outer side's",
    cases=(*_CASES, _ACROSS),
)
def sparse_plus(x: Any) -> CoreValue:
    """0 up to -1, x from 1 on, and the parabola (x + 1)**2/4 between."""
    return bind(SPARSE_PLUS, real_operand("sparse_plus", x))
