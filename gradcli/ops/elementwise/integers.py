"""Functions of integers: shifts, counts of bits, divisors. They carry no derivative."""

from __future__ import annotations

import numpy as np

from gradcli.graph.op import Op
from gradcli.ops.elementwise.pairs import PAIR
from gradcli.ops.function import case
from gradcli.ops.kinds import Rule, constant
from gradcli.ops.registry import elementwise_function

_PAIRS = (case(np.array([5, -12, 0]), np.array([2, 3, 1])), case(np.array([[4], [9]]), np.array([1, 2, 0])), case(6, 4))


def _of_integers(name: str, value: Rule, doc: str) -> Op:
    """An op whose operands and results are integers, which a recording keeps as they are."""
    op = constant(name, value, meaning=lambda S, *xs: value(*xs), doc=doc)
    op.promotes = False
    return op


LEFT_SHIFT = _of_integers("left_shift", np.left_shift, "x with its bits moved up by y places.")
RIGHT_SHIFT = _of_integers("right_shift", np.right_shift, "x with its bits moved down by y places.")
GCD = _of_integers("gcd", np.gcd, "Greatest common divisor.")
LCM = _of_integers("lcm", np.lcm, "Least common multiple.")
BITWISE_COUNT = _of_integers("bitwise_count", np.bitwise_count, "How many bits of |x| are set.")
left_shift = elementwise_function(
    LEFT_SHIFT,
    parameters=PAIR,
    floats=False,
    family="logic",
    where="numpy",
    also=("numpy.bitwise_left_shift", "torch.bitwise_left_shift", ".bitwise_left_shift"),
    cases=_PAIRS,
)
right_shift = elementwise_function(
    RIGHT_SHIFT,
    parameters=PAIR,
    floats=False,
    family="logic",
    where="numpy",
    also=("numpy.bitwise_right_shift", "torch.bitwise_right_shift", ".bitwise_right_shift"),
    cases=_PAIRS,
)
gcd = elementwise_function(GCD, parameters=PAIR, floats=False, family="logic", also=("math.gcd",), cases=_PAIRS)
lcm = elementwise_function(LCM, parameters=PAIR, floats=False, family="logic", also=("math.lcm",), cases=_PAIRS)
bitwise_count = elementwise_function(
    BITWISE_COUNT, floats=False, family="logic", where="numpy", cases=(case(np.array([5, -12, 0])),)
)
