"""Sums, products, quotients and remainders.

Python's operators compute them, not NumPy's ufuncs: on arrays they are the same, on scalars several times faster.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError
from gradcli.graph.state import state
from gradcli.graph.values import OPERATORS, CoreValue, dtype_of
from gradcli.ops.elementwise.pairs import BROADCASTS, PAIR
from gradcli.ops.elementwise.piecewise import TRUNC
from gradcli.ops.function import case
from gradcli.ops.kinds import added, elementwise, elementwise_general
from gradcli.ops.kinds import conj as conjugated
from gradcli.ops.operands import operands
from gradcli.ops.registry import elementwise_function, function


def _subtract(x: Any, y: Any) -> Any:
    """NumPy has no boolean minus; as numbers, which is what PyTorch's users mean by counting masks."""
    if getattr(x, "dtype", None) == np.bool_ and getattr(y, "dtype", None) == np.bool_:
        return np.subtract(x, y, dtype=np.int64)
    return x - y


def _divide(x: Any, y: Any) -> Any:
    """Of integers NumPy makes float64; where a program follows PyTorch, they become the default float."""
    if state.torch_semantics and dtype_of(x).kind in "iub" and dtype_of(y).kind in "iub":
        return np.true_divide(x, y, dtype=state.default_float)
    return x / y


def _is_number(x: Any) -> bool:
    return not hasattr(x, "dtype")


def _sub_node(operands: tuple[Any, ...], params: dict[str, Any]) -> Any:
    return ("RsubBackward1", (1,)) if _is_number(operands[0]) else ("SubBackward0", (0, 1))


def _div_node(operands: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """PyTorch takes a number over a tensor as the number times the reciprocal."""
    if _is_number(operands[0]):
        return ("MulBackward0", (("ReciprocalBackward0", (1,)), None))
    return ("DivBackward0", (0, 1))


def _remainder_node(operands: tuple[Any, ...], params: dict[str, Any]) -> Any:
    return ("RemainderBackward0", (0,)) if _is_number(operands[1]) else ("RemainderBackward1", (0, 1))


ADD = elementwise("add", operator.add, 1, 1, meaning=lambda S, x, y: x + y, torch="Add", doc="Sum of two values.")
SUB = elementwise(
    "subtract", _subtract, 1, -1, meaning=lambda S, x, y: x - y, torch=_sub_node, doc="Difference of two values."
)
MUL = elementwise(
    "multiply",
    operator.mul,
    lambda z, x, y: y,
    lambda z, x, y: x,
    meaning=lambda S, x, y: x * y,
    torch="Mul",
    saves=((0, 1), (1, 0)),
    doc="Product of two values.",
)
# Written whole: g / y rounds once where g * (1 / y) would round twice.
DIV = elementwise_general(
    "divide",
    _divide,
    vjps=(lambda g, z, x, y: g / conjugated(y), lambda g, z, x, y: -g * conjugated(z / y)),
    jvp=lambda ts, z, x, y: added(ts[0], None if ts[1] is None else -z * ts[1]) / y,
    meaning=lambda S, x, y: x / y,
    torch=_div_node,
    saves=((0, 1), 1),
    doc="Quotient of two values; of integers, a float.",
)
NEG = elementwise(
    "negative", operator.neg, -1, meaning=lambda S, x: -x, torch="Neg", doc="The value with the other sign."
)
POSITIVE = elementwise("positive", np.positive, 1, meaning=lambda S, x: x, torch="Alias", doc="The value itself.")

add = elementwise_function(
    ADD, parameters=PAIR, floats=False, derivative="1, 1", where="numpy", also=(".add@numpy",), cases=BROADCASTS
)
subtract = elementwise_function(
    SUB,
    parameters=PAIR,
    floats=False,
    derivative="1, -1",
    where="numpy",
    also=(".subtract@numpy", ".sub@numpy"),
    cases=BROADCASTS,
)
_ALPHA = (case((2, 3), (3,)), case((3,), (3,), alpha=2.5))


def _scaled(y: Any, alpha: Any) -> CoreValue:
    return y if type(alpha) is int and alpha == 1 else OPERATORS["*"](alpha, y)


@function(
    "add_torch",
    family="elementwise",
    where="",
    also=("torch.add", ".add@torch"),
    op=ADD,
    derivative="1, alpha",
    cases=_ALPHA,
)
def add_torch(input: Any, other: Any, alpha: Any = 1) -> CoreValue:
    """input + alpha*other."""
    return bind(ADD, *operands((input, _scaled(other, alpha)), False))


@function(
    "subtract_torch",
    family="elementwise",
    where="",
    also=("torch.sub", "torch.subtract", ".sub@torch", ".subtract@torch"),
    op=SUB,
    derivative="1, -alpha",
    cases=_ALPHA,
)
def subtract_torch(input: Any, other: Any, alpha: Any = 1) -> CoreValue:
    """input - alpha*other."""
    return bind(SUB, *operands((input, _scaled(other, alpha)), False))


multiply = elementwise_function(
    MUL, parameters=PAIR, floats=False, derivative="y, x", also=("torch.mul", ".mul"), cases=BROADCASTS
)
divide = elementwise_function(
    DIV,
    parameters=PAIR,
    floats=False,
    derivative="1/y, -x/y**2",
    domain=(0.5, 2.0),
    where="numpy",
    also=("numpy.true_divide", "torch.true_divide", ".true_divide@torch", ".divide@numpy", ".div@numpy"),
    cases=BROADCASTS,
)
negative = elementwise_function(NEG, floats=False, derivative="-1", also=("torch.neg", ".neg"))
positive = elementwise_function(POSITIVE, floats=False, derivative="1")


def _floor_divide_meaning(S: Any, x: Any, y: Any) -> Any:
    return S.floor(x / y)


def _on_a_step(x: Any, y: Any) -> Any:
    return np.remainder(x, y) == 0


FLOOR_DIVIDE = elementwise(
    "floor_divide",
    np.floor_divide,
    0,
    0,
    meaning=_floor_divide_meaning,
    kink=_on_a_step,
    torch=lambda operands, params: ("NotImplemented", (0,)),
    doc="Quotient, rounded down.",
)
floor_divide = elementwise_function(FLOOR_DIVIDE, parameters=PAIR, floats=False, derivative="0, 0", domain=(0.5, 2.0))


@function(
    "divide_torch",
    family="elementwise",
    where="",
    also=("torch.div", "torch.divide", ".div@torch", ".divide@torch"),
    op=DIV,
    derivative="1/other, -input/other**2",
    domain=(0.5, 2.0),
    cases=(case((2, 3), (3,)), case((3,), (3,), rounding_mode="floor"), case((3,), (3,), rounding_mode="trunc")),
)
def divide_torch(input: Any, other: Any, rounding_mode: str | None = None) -> CoreValue:
    """Quotient; with rounding_mode "floor" or "trunc" a rounded one, which carries no derivative."""
    x, y = operands((input, other), False)
    if rounding_mode is None:
        return bind(DIV, x, y)
    if rounding_mode == "floor":
        return bind(FLOOR_DIVIDE, x, y)
    if rounding_mode == "trunc":
        return bind(TRUNC, bind(DIV, x, y))
    raise ArgumentError(f"div: rounding_mode is None, 'floor' or 'trunc', not {rounding_mode!r}")


REMAINDER = elementwise(
    "remainder",
    np.remainder,
    1,
    lambda z, x, y: -floor_divide(x, y),
    meaning=lambda S, x, y: x - y * S.floor(x / y),
    kink=_on_a_step,
    torch=_remainder_node,
    saves=((0, 1), (1, 1)),
    doc="Remainder with the sign of the divisor, as Python's %.",
)
remainder = elementwise_function(
    REMAINDER,
    parameters=PAIR,
    floats=False,
    derivative="1, -floor(x/y)",
    domain=(0.6, 2.0),
    also=("numpy.mod",),
)
