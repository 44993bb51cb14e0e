"""How far a claimed derivative may be from the exact one, and how far it is.

Equal means |got - exact| <= atol + rtol |exact| + 16 s, s being the rounding that nobody can avoid (see
`gradcli.symbolic.oracle`).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from mpmath import libmp

from gradcli.symbolic.functions import Raw, defined, to_float
from gradcli.symbolic.lowering import part_dtype
from gradcli.symbolic.task import Block, Task

#: How many units of unavoidable rounding are allowed.
_ROUNDINGS = 16


class Tolerance(NamedTuple):
    """What elements of one claimed array are allowed."""

    atol: float
    rtol: float

    def plain(self, size: float) -> float:
        """What an exact value of this size is allowed without rounding."""
        return self.atol + self.rtol * size

    def within(self, size: float, rounding: float) -> float:
        """What an exact value of this size is allowed; nothing where that is beyond the largest float."""
        found = self.plain(size) + unavoidable(rounding)
        return found if math.isfinite(found) else 0.0


def unavoidable(rounding: float) -> float:
    """What is allowed for the rounding that nobody can avoid."""
    return _ROUNDINGS * rounding


def default_rtol(task: Task, block: Block) -> float:
    """1e-4 where the claimed array, or the input it is by, is of less than double precision, else 1e-9."""
    dtypes = [task.inputs[block.column].dtype, block.got.dtype]
    return 1e-4 if any(part_dtype(dtype).itemsize < 8 for dtype in dtypes if dtype.kind in "fc") else 1e-9


def distance(got: float, exact: Raw) -> float:
    """|got - exact|, where a value beyond the largest float is infinite in floats."""
    if math.isnan(got):
        return math.inf
    if math.isinf(got):
        return 0.0 if to_float(exact) == got else math.inf
    if not defined(exact):
        return math.inf
    return abs(to_float(libmp.mpf_sub(libmp.from_float(got), exact, 80, "n")))


def ulp(size: float, info: Any) -> float:
    """The spacing of floats of this size, of the dtype that `info` (a `numpy.finfo`) is of."""
    if not math.isfinite(size):
        return math.nan
    spacing = float(np.spacing(np.asarray(size, dtype=info.dtype)))
    return spacing if math.isfinite(spacing) else float(info.max) * float(info.eps)
