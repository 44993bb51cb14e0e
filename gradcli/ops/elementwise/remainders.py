"""Quotients without a fraction, and what is left of a division.

Between its jumps a remainder is x - n*y with a constant n, so that its derivative in y is -n. All jumps lie where the
quotient is an integer (for the IEEE remainder: halfway between two), and the derivative there is the formula's.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.values import CoreValue, dtype_of
from gradcli.ops.elementwise.pairs import BROADCASTS, PAIR
from gradcli.ops.elementwise.rounding import ROUND
from gradcli.ops.function import Function, case
from gradcli.ops.kinds import elementwise
from gradcli.ops.operands import operands
from gradcli.ops.registry import elementwise_function, function

_JUMP = "x/y an integer: a jump; the derivative is {}, as in PyTorch"
_SIGNS = (case(np.array([5.5, -5.5, 5.5, -5.5]), np.array([2.0, 2.0, -2.0, -2.0])),)


def _on_a_step(x: Any, y: Any) -> Any:
    return np.remainder(x, y) == 0


def _remainder_node(operands: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """One node for a number as the divisor, another for a tensor; the same for both kinds of remainder."""
    return ("RemainderBackward1", (0, 1)) if hasattr(operands[1], "dtype") else ("RemainderBackward0", (0,))


def _fmod_node(operands: tuple[Any, ...], params: dict[str, Any]) -> Any:
    return ("FmodBackward1", (0, 1)) if hasattr(operands[1], "dtype") else ("FmodBackward0", (0,))


def _times_taken(z: CoreValue, x: CoreValue, y: CoreValue) -> CoreValue:
    """How often y was taken from x to leave z: a whole number, which a rounded x/y may miss."""
    return bind(ROUND, (x - z) / y)


def _ieee_remainder(x: Any, y: Any) -> Any:
    """x - n*y with n the integer nearest to x/y, halves to even: exact, as fmod is."""
    if "c" in (dtype_of(x).kind, dtype_of(y).kind):
        raise TypeError("a remainder of complex numbers")
    step = np.abs(y)
    left = np.fmod(np.abs(x), 2 * step)
    over = left + left > step
    left = np.where(over, left - step, left)
    left = np.where(over & (left + left >= step), left - step, left)
    return np.where(np.signbit(x), -left, left)


FLOOR_DIVIDE = elementwise(
    "floor_divide",
    np.floor_divide,
    0,
    0,
    meaning=lambda S, x, y: S.floor(x / y),
    kink=_on_a_step,
    torch=lambda operands, params: ("NotImplemented", (0,)),
    doc="Quotient, rounded down.",
)
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
FMOD = elementwise(
    "fmod",
    np.fmod,
    1,
    lambda z, x, y: -_times_taken(z, x, y),
    meaning=lambda S, x, y: x - y * S.sign(x / y) * S.floor(S.abs(x / y)),
    kink=lambda x, y: (np.fmod(x, y) == 0) & (x != 0),
    torch=_fmod_node,
    saves=((0, 1), (1, 1)),
    doc="Remainder with the sign of x, as C's fmod.",
)
IEEE_REMAINDER = elementwise(
    "ieee_remainder",
    _ieee_remainder,
    1,
    lambda z, x, y: -_times_taken(z, x, y),
    meaning=lambda S, x, y: x - y * S.round(x / y),
    kink=lambda x, y: 2 * np.abs(_ieee_remainder(x, y)) == np.abs(y),
    doc="x - n*y with n the integer nearest to x/y.",
)
floor_divide: Function = elementwise_function(
    FLOOR_DIVIDE,
    parameters=PAIR,
    floats=False,
    derivative="0, 0",
    domain=(0.5, 2.0),
    defined="y != 0",
    kinks=_JUMP.format("0"),
    cases=_SIGNS,
)
remainder = elementwise_function(
    REMAINDER,
    parameters=PAIR,
    floats=False,
    derivative="1, -floor(x/y)",
    domain=(0.6, 2.0),
    defined="y != 0",
    kinks=_JUMP.format("1 in x"),
    also=("numpy.mod",),
    cases=_SIGNS,
)
fmod = elementwise_function(
    FMOD,
    parameters=PAIR,
    floats=False,
    derivative="1, -trunc(x/y)",
    domain=(0.6, 2.0),
    defined="y != 0",
    kinks=_JUMP.format("1 in x"),
    cases=(*BROADCASTS, *_SIGNS),
)
ieee_remainder = elementwise_function(
    IEEE_REMAINDER,
    parameters=PAIR,
    derivative="1, -round(x/y)",
    domain=((0.6, 2.0), (0.3, 0.5)),
    defined="y != 0",
    kinks="x/y halfway between two integers: a jump; the derivative in x is 1",
    where="",
    also=("math.remainder",),
    cases=_SIGNS,
)


@function(
    family="elementwise",
    where="numpy",
    derivative="vjp: of the quotient 0; of the remainder g and -floor(x/y)*g",
    domain=(0.6, 2.0),
    kinks=_JUMP.format("that of the remainder"),
    cases=(case((3,), (3,)), case(np.array([7, -7]), 3), *_SIGNS),
)
def divmod_(x: Any, y: Any) -> tuple[CoreValue, CoreValue]:
    """(floor_divide(x, y), remainder(x, y))."""
    a, b = operands((x, y), False)
    return bind(FLOOR_DIVIDE, a, b), bind(REMAINDER, a, b)
