"""Operands as rules need them where they are infinite.

An infinite x times a slope that has vanished is nan, where the limit is 0; two equal infinities differ by nan, where
what matters is that neither leads.
"""

from __future__ import annotations

from functools import wraps
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, dtype_of
from gradcli.ops.kinds import Rule, elementwise


def quiet(value: Rule) -> Rule:
    """A value rule that meets infinities on its way and mends what comes of them, without NumPy's warnings."""

    @wraps(value)
    def run(*xs: Any, **params: Any) -> Any:
        with np.errstate(all="ignore"):
            return value(*xs, **params)

    return run


def mended(found: Any, places: Any, value: Rule, x: Any) -> Any:
    """`found`, with `value` of those elements of x that lie in `places`."""
    if not np.count_nonzero(places):
        return found
    made = np.array(found)
    made[places] = value(np.asarray(x)[places])
    return made


def _bounded(x: Any) -> Any:
    if x.dtype.kind == "c":
        return x + 0
    top = np.finfo(x.dtype).max
    return np.minimum(np.maximum(x, -top), top)


BOUNDED: Op = elementwise(
    "bounded", _bounded, 1, meaning=lambda S, x: x, doc="x, an infinity as the largest number there is."
)


def bounded(x: CoreValue) -> CoreValue:
    """`x`, an infinity as the largest number of its dtype: times 0 that is 0."""
    return x if dtype_of(x).kind == "c" else bind(BOUNDED, x)


@quiet
def _gap(x: Any, y: Any) -> Any:
    found = np.asarray(x - y)
    return np.where(x == y, found.dtype.type(0), found)


GAP: Op = elementwise("gap", _gap, 1, -1, meaning=lambda S, x, y: x - y, doc="x - y, and 0 for equal infinities.")


def gap(x: CoreValue, y: CoreValue) -> CoreValue:
    """x - y, and 0 for equal infinities."""
    return bind(GAP, x, y)
