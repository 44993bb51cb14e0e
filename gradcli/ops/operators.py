"""The operators of the language, by their symbols.

They live in `gradcli.graph.values.OPERATORS`, where traced values find them, so that a rule reads as a formula on
arrays and on traced values alike.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.values import OPERATORS, CoreValue, Value
from gradcli.ops.elementwise.arithmetic import ADD, DIV, MUL, NEG, POSITIVE, SUB
from gradcli.ops.elementwise.comparison import (
    BITWISE_AND,
    BITWISE_OR,
    BITWISE_XOR,
    EQUAL,
    GREATER,
    GREATER_EQUAL,
    INVERT,
    LESS,
    LESS_EQUAL,
    NOT_EQUAL,
)
from gradcli.ops.elementwise.complex_parts import CONJ, REAL
from gradcli.ops.elementwise.exponentiation import POW
from gradcli.ops.elementwise.remainders import FLOOR_DIVIDE, REMAINDER
from gradcli.ops.operands import operands

# What an op takes beside a traced value, or an array, just as it is.
_READY = frozenset((int, float, complex, np.float64, np.ndarray))
_ARRAYS = frozenset((np.float64, np.ndarray))


def _binary(op: Any) -> Any:
    def call(x: CoreValue, y: CoreValue) -> CoreValue:
        if isinstance(x, Value) or type(x) in _ARRAYS:
            if isinstance(y, Value) or type(y) in _READY:
                return bind(op, x, y)
        elif (isinstance(y, Value) or type(y) in _ARRAYS) and type(x) in _READY:
            return bind(op, x, y)
        return bind(op, *operands((x, y), False))

    return call


for _symbol, _op in {
    "+": ADD,
    "-": SUB,
    "*": MUL,
    "/": DIV,
    "//": FLOOR_DIVIDE,
    "%": REMAINDER,
    "**": POW,
    "<": LESS,
    "<=": LESS_EQUAL,
    ">": GREATER,
    ">=": GREATER_EQUAL,
    "==": EQUAL,
    "!=": NOT_EQUAL,
    "&": BITWISE_AND,
    "|": BITWISE_OR,
    "^": BITWISE_XOR,
}.items():
    OPERATORS[_symbol] = _binary(_op)
OPERATORS["unary-"] = lambda x: bind(NEG, x)
OPERATORS["unary+"] = lambda x: bind(POSITIVE, x)
OPERATORS["~"] = lambda x: bind(INVERT, x)
OPERATORS["conj"] = lambda x: bind(CONJ, x)
OPERATORS["real"] = lambda x: bind(REAL, x)
