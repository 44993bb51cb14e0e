"""Sums, products and quotients.

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
from gradcli.ops.carrying import carried, carried_over
from gradcli.ops.dependence import multiplied
from gradcli.ops.elementwise.pairs import BROADCASTS, COMPLEX_CASE, COMPLEX_PAIR, PAIR
from gradcli.ops.elementwise.remainders import FLOOR_DIVIDE
from gradcli.ops.elementwise.rounding import TRUNC
from gradcli.ops.function import case
from gradcli.ops.kinds import added, elementwise, elementwise_general
from gradcli.ops.kinds import conj as conjugated
from gradcli.ops.operands import operands
from gradcli.ops.registry import elementwise_function, function


def _of_numpy(found: Any) -> Any:
    """What Python makes of its own complex number and a NumPy scalar, as a NumPy scalar again."""
    return np.complex128(found) if type(found) is complex else found


def _add(x: Any, y: Any) -> Any:
    return _of_numpy(x + y)


def _multiply(x: Any, y: Any) -> Any:
    return _of_numpy(x * y)


def _subtract(x: Any, y: Any) -> Any:
    """NumPy has no boolean minus; as numbers, which is what PyTorch's users mean by counting masks."""
    if getattr(x, "dtype", None) == np.bool_ and getattr(y, "dtype", None) == np.bool_:
        return np.subtract(x, y, dtype=np.int64)
    return _of_numpy(x - y)


def _divide(x: Any, y: Any) -> Any:
    """Of integers NumPy makes float64; where a program follows PyTorch, they become the default float."""
    if state.torch_semantics and dtype_of(x).kind in "iub" and dtype_of(y).kind in "iub":
        return np.true_divide(x, y, dtype=state.default_float)
    return _of_numpy(x / y)


def _is_number(x: Any) -> bool:
    return not hasattr(x, "dtype")


def _sub_node(operands: tuple[Any, ...], params: dict[str, Any]) -> Any:
    return ("RsubBackward1", (1,)) if _is_number(operands[0]) else ("SubBackward0", (0, 1))


def _div_node(operands: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """PyTorch takes a number over a tensor as the number times the reciprocal."""
    if _is_number(operands[0]):
        return ("MulBackward0", (("ReciprocalBackward0", (1,)), None))
    return ("DivBackward0", (0, 1))


ADD = elementwise("add", _add, 1, 1, meaning=lambda S, x, y: x + y, torch="Add", doc="Sum of two values.")
SUB = elementwise(
    "subtract", _subtract, 1, -1, meaning=lambda S, x, y: x - y, torch=_sub_node, doc="Difference of two values."
)
MUL = elementwise(
    "multiply",
    _multiply,
    lambda z, x, y: y,
    lambda z, x, y: x,
    meaning=lambda S, x, y: x * y,
    torch="Mul",
    saves=((0, 1), (1, 0)),
    depends=multiplied,
    doc="Product of two values.",
)
# Written whole: g / y rounds once where g * (1 / y) would round twice.
DIV = elementwise_general(
    "divide",
    _divide,
    vjps=(
        lambda g, z, x, y: carried_over(g, conjugated(y)),
        lambda g, z, x, y: carried(-g, conjugated(z / y)),
    ),
    jvp=lambda ts, z, x, y: carried_over(added(ts[0], None if ts[1] is None else carried(-ts[1], z)), y),
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
    ADD,
    parameters=PAIR,
    floats=False,
    derivative="1, 1",
    where="numpy",
    also=(".add@numpy",),
    cases=(*BROADCASTS, *COMPLEX_PAIR),
)
subtract = elementwise_function(
    SUB,
    parameters=PAIR,
    floats=False,
    derivative="1, -1",
    where="numpy",
    also=(".subtract@numpy", ".sub@numpy"),
    cases=(*BROADCASTS, *COMPLEX_PAIR),
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


@function(
    "rsub",
    family="elementwise",
    where="torch",
    op=SUB,
    derivative="-alpha, 1",
    cases=_ALPHA,
)
def rsub(input: Any, other: Any, alpha: Any = 1) -> CoreValue:
    """other - alpha*input."""
    return bind(SUB, *operands((other, _scaled(input, alpha)), False))


multiply = elementwise_function(
    MUL,
    parameters=PAIR,
    floats=False,
    derivative="y, x",
    also=("torch.mul", ".mul"),
    cases=(*BROADCASTS, *COMPLEX_PAIR),
)
divide = elementwise_function(
    DIV,
    parameters=PAIR,
    floats=False,
    derivative="1/y, -x/y**2",
    domain=(0.5, 2.0),
    defined="y != 0",
    where="numpy",
    also=("numpy.true_divide", "torch.true_divide", ".true_divide@torch", ".divide@numpy", ".div@numpy"),
    cases=(*BROADCASTS, *COMPLEX_PAIR),
)
negative = elementwise_function(NEG, floats=False, derivative="-1", also=("torch.neg", ".neg"), cases=(COMPLEX_CASE,))
positive = elementwise_function(POSITIVE, floats=False, derivative="1", cases=(COMPLEX_CASE,))


@function("identity_jax", family="activation", where="", also=("jax.nn.identity",), op=POSITIVE, derivative="1")
def identity_jax(x: Any) -> CoreValue:
    """The value itself."""
    return bind(POSITIVE, *operands((x,), False))


@function(
    "divide_torch",
    family="elementwise",
    where="",
    also=("torch.div", "torch.divide", ".div@torch", ".divide@torch"),
    op=DIV,
    derivative="1/other, -input/other**2",
    domain=(0.5, 2.0),
    defined="other != 0",
    kinks="with a rounding_mode a jump at every integer; the derivative is 0, as in PyTorch",
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
