"""What functions of two values share."""

from __future__ import annotations

import numpy as np

from gradcli.ops.function import case

#: Names of the parameters of a function of two values.
PAIR = ("x", "y")
#: Calls for the tests: every way in which two operands broadcast.
BROADCASTS = (
    case((2, 3), (3,)),
    case((3,), (2, 3)),
    case((2, 1), (1, 3)),
    case((), (2,)),
    case((0,), (1,)),
    case((1,), ()),
)
#: Complex arguments, real and imaginary parts of both signs and none on an axis.
COMPLEX = np.array([0.5 - 1.5j, -1.25 + 0.25j, 0.75 + 0.5j])
#: A call with one, and with two complex arguments.
COMPLEX_CASE = case(COMPLEX)
COMPLEX_PAIR = (case(COMPLEX, COMPLEX[::-1].conj() + 0.5), case((3,), COMPLEX))
