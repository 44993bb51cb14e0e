"""What functions of two values share."""

from __future__ import annotations

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
