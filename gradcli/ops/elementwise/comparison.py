"""Comparisons, logic and bits: they carry no derivative."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.ops.elementwise.pairs import COMPLEX_CASE, PAIR
from gradcli.ops.kinds import constant
from gradcli.ops.registry import elementwise_function


def _ties(x: Any, y: Any) -> Any:
    return x == y


LESS = constant("less", np.less, meaning=lambda S, x, y: S.lt(x, y), kink=_ties, doc="Whether x < y.")
LESS_EQUAL = constant(
    "less_equal", np.less_equal, meaning=lambda S, x, y: S.le(x, y), kink=_ties, doc="Whether x <= y."
)
GREATER = constant("greater", np.greater, meaning=lambda S, x, y: S.gt(x, y), kink=_ties, doc="Whether x > y.")
GREATER_EQUAL = constant(
    "greater_equal", np.greater_equal, meaning=lambda S, x, y: S.ge(x, y), kink=_ties, doc="Whether x >= y."
)
EQUAL = constant("equal", np.equal, meaning=lambda S, x, y: S.eq(x, y), kink=_ties, doc="Whether x == y.")
NOT_EQUAL = constant("not_equal", np.not_equal, meaning=lambda S, x, y: S.ne(x, y), kink=_ties, doc="Whether x != y.")
LOGICAL_AND = constant("logical_and", np.logical_and, meaning=lambda S, x, y: S.and_(x, y), doc="Whether both hold.")
LOGICAL_OR = constant("logical_or", np.logical_or, meaning=lambda S, x, y: S.or_(x, y), doc="Whether either holds.")
LOGICAL_XOR = constant(
    "logical_xor", np.logical_xor, meaning=lambda S, x, y: S.xor(x, y), doc="Whether just one holds."
)
LOGICAL_NOT = constant("logical_not", np.logical_not, meaning=lambda S, x: S.not_(x), doc="Whether it does not hold.")
BITWISE_AND = constant(
    "bitwise_and", np.bitwise_and, meaning=lambda S, x, y: S.bit_and(x, y), doc="Bits, or masks, in both."
)
BITWISE_OR = constant(
    "bitwise_or", np.bitwise_or, meaning=lambda S, x, y: S.bit_or(x, y), doc="Bits, or masks, in either."
)
BITWISE_XOR = constant(
    "bitwise_xor", np.bitwise_xor, meaning=lambda S, x, y: S.bit_xor(x, y), doc="Bits, or masks, in just one."
)
INVERT = constant("invert", np.invert, meaning=lambda S, x: S.invert(x), doc="The mask, or the bits, inverted.")
ISNAN = constant("isnan", np.isnan, meaning=lambda S, x: S.false, doc="Whether it is not a number.")
ISINF = constant("isinf", np.isinf, meaning=lambda S, x: S.false, doc="Whether it is infinite.")
ISFINITE = constant("isfinite", np.isfinite, meaning=lambda S, x: S.true, doc="Whether it is finite.")
ISPOSINF = constant("isposinf", np.isposinf, meaning=lambda S, x: S.false, doc="Whether it is positive and infinite.")
ISNEGINF = constant("isneginf", np.isneginf, meaning=lambda S, x: S.false, doc="Whether it is negative and infinite.")
ISREAL = constant(
    "isreal", np.isreal, meaning=lambda S, x: S.eq(S.im(x), 0), doc="Whether it has no imaginary part, or one of 0."
)
ISCOMPLEX = constant(
    "iscomplex", np.iscomplex, meaning=lambda S, x: S.ne(S.im(x), 0), doc="Whether it has an imaginary part but 0."
)

less = elementwise_function(LESS, parameters=PAIR, floats=False, family="logic", also=("torch.lt", ".lt"))
less_equal = elementwise_function(LESS_EQUAL, parameters=PAIR, floats=False, family="logic", also=("torch.le", ".le"))
greater = elementwise_function(GREATER, parameters=PAIR, floats=False, family="logic", also=("torch.gt", ".gt"))
greater_equal = elementwise_function(
    GREATER_EQUAL, parameters=PAIR, floats=False, family="logic", also=("torch.ge", ".ge")
)
equal = elementwise_function(
    EQUAL, parameters=PAIR, floats=False, family="logic", where="numpy", also=("torch.eq", ".eq")
)
not_equal = elementwise_function(NOT_EQUAL, parameters=PAIR, floats=False, family="logic", also=("torch.ne", ".ne"))
logical_and = elementwise_function(LOGICAL_AND, parameters=PAIR, floats=False, family="logic")
logical_or = elementwise_function(LOGICAL_OR, parameters=PAIR, floats=False, family="logic")
logical_xor = elementwise_function(LOGICAL_XOR, parameters=PAIR, floats=False, family="logic")
logical_not = elementwise_function(LOGICAL_NOT, floats=False, family="logic")
bitwise_and = elementwise_function(BITWISE_AND, parameters=PAIR, floats=False, family="logic")
bitwise_or = elementwise_function(BITWISE_OR, parameters=PAIR, floats=False, family="logic")
bitwise_xor = elementwise_function(BITWISE_XOR, parameters=PAIR, floats=False, family="logic")
invert = elementwise_function(
    INVERT,
    floats=False,
    family="logic",
    where="numpy",
    also=("torch.bitwise_not", "numpy.bitwise_not", "numpy.bitwise_invert"),
)
isnan = elementwise_function(ISNAN, floats=False, family="logic")
isinf = elementwise_function(ISINF, floats=False, family="logic")
isfinite = elementwise_function(ISFINITE, floats=False, family="logic")
isposinf = elementwise_function(ISPOSINF, floats=False, family="logic")
isneginf = elementwise_function(ISNEGINF, floats=False, family="logic")
isreal = elementwise_function(ISREAL, floats=False, family="logic", cases=(COMPLEX_CASE,))
iscomplex = elementwise_function(ISCOMPLEX, floats=False, family="logic", where="numpy", cases=(COMPLEX_CASE,))
