"""What functions of real numbers alone take."""

from __future__ import annotations

from typing import Any

from gradcli.graph.errors import DtypeError
from gradcli.graph.values import CoreValue, dtype_of
from gradcli.ops.operands import operands


def real_operand(name: str, x: Any, floats: bool = True) -> CoreValue:
    """An argument of a function that compares it with numbers, as its operand.

    Raises:
        DtypeError: it is complex.
    """
    (found,) = operands((x,), floats)
    if dtype_of(found).kind == "c":
        raise DtypeError(f"{name} takes real numbers, not {dtype_of(found)}", mend="abs(x) and real(x) are real")
    return found
