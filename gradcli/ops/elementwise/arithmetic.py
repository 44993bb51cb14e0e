"""Sums, products, quotients and remainders.

Python's operators compute them, not NumPy's ufuncs: on arrays they are the same, on scalars several times faster.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from gradcli.ops.elementwise.pairs import BROADCASTS, PAIR
from gradcli.ops.kinds import added, elementwise, elementwise_general
from gradcli.ops.kinds import conj as conjugated
from gradcli.ops.registry import elementwise_function


def _subtract(x: Any, y: Any) -> Any:
    """NumPy has no boolean minus; as numbers, which is what PyTorch's users mean by counting masks."""
    if getattr(x, "dtype", None) == np.bool_ and getattr(y, "dtype", None) == np.bool_:
        return np.subtract(x, y, dtype=np.int64)
    return x - y


ADD = elementwise("add", operator.add, 1, 1, meaning=lambda S, x, y: x + y, torch="Add", doc="Sum of two values.")
SUB = elementwise(
    "subtract", _subtract, 1, -1, meaning=lambda S, x, y: x - y, torch="Sub", doc="Difference of two values."
)
MUL = elementwise(
    "multiply",
    operator.mul,
    lambda z, x, y: y,
    lambda z, x, y: x,
    meaning=lambda S, x, y: x * y,
    torch="Mul",
    saves=(0, 1),
    doc="Product of two values.",
)
# Written whole: g / y rounds once where g * (1 / y) would round twice.
DIV = elementwise_general(
    "divide",
    operator.truediv,
    vjps=(lambda g, z, x, y: g / conjugated(y), lambda g, z, x, y: -g * conjugated(z / y)),
    jvp=lambda ts, z, x, y: added(ts[0], None if ts[1] is None else -z * ts[1]) / y,
    meaning=lambda S, x, y: x / y,
    torch="Div",
    saves=(0, 1),
    doc="Quotient of two values; of integers, a float.",
)
NEG = elementwise(
    "negative", operator.neg, -1, meaning=lambda S, x: -x, torch="Neg", doc="The value with the other sign."
)
POSITIVE = elementwise("positive", np.positive, 1, meaning=lambda S, x: x, torch="Alias", doc="The value itself.")

add = elementwise_function(ADD, parameters=PAIR, floats=False, derivative="1, 1", cases=BROADCASTS)
subtract = elementwise_function(
    SUB, parameters=PAIR, floats=False, derivative="1, -1", also=("torch.sub", ".sub"), cases=BROADCASTS
)
multiply = elementwise_function(
    MUL, parameters=PAIR, floats=False, derivative="y, x", also=("torch.mul", ".mul"), cases=BROADCASTS
)
divide = elementwise_function(
    DIV,
    parameters=PAIR,
    floats=False,
    derivative="1/y, -x/y**2",
    domain=(0.5, 2.0),
    also=("numpy.true_divide", "torch.true_divide", "torch.div", ".div"),
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
    torch="NotImplemented",
    doc="Quotient, rounded down.",
)
floor_divide = elementwise_function(FLOOR_DIVIDE, parameters=PAIR, floats=False, derivative="0, 0", domain=(0.5, 2.0))
REMAINDER = elementwise(
    "remainder",
    np.remainder,
    1,
    lambda z, x, y: -floor_divide(x, y),
    meaning=lambda S, x, y: x - y * S.floor(x / y),
    kink=_on_a_step,
    torch="Remainder",
    saves=(0, 1),
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
