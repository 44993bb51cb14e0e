"""What densities are made of: constants, operands, and the ends of the support."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.errors import DtypeError
from gradcli.graph.values import CoreValue, dtype_of, shape_of
from gradcli.ops.elementwise import greater_equal, less_equal, logical_and, where
from gradcli.ops.kinds import broadcast_shape
from gradcli.ops.operands import as_core, to_float

LOG_2PI = 1.8378770664093453
LOG_PI = 1.1447298858494002
LOG_2 = 0.6931471805599453


def floats(name: str, *xs: Any) -> list[CoreValue]:
    """Arguments as float tensors that broadcast against each other.

    Raises:
        ShapeError: they don't.
        DtypeError: one is complex.
    """
    found = [real(name, x) for x in xs]
    broadcast_shape(name, *(shape_of(x) for x in found))
    return found


def real(name: str, x: Any) -> CoreValue:
    """An argument as a float tensor.

    Raises:
        DtypeError: it is complex.
    """
    found = to_float(as_core(x))
    if dtype_of(found).kind == "c":
        raise DtypeError(f"{name} is of real numbers, not of {dtype_of(found)}", mend="take real(...) or abs(...)")
    return found


def proper_only(found: CoreValue, proper: CoreValue) -> CoreValue:
    """`found` where the parameters are proper, nan elsewhere."""
    return where(proper, found, np.nan)


def between(z: CoreValue, low: Any, high: Any) -> CoreValue:
    """Whether low <= z <= high."""
    return logical_and(greater_equal(z, low), less_equal(z, high))
