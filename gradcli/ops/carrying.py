"""Products and quotients as rules make them: a cotangent that is exactly 0 passes nothing on.

The slope of a branch that was not taken may be infinite or undefined (`where(x > 0, sqrt(x), 0)`), and 0 times that
would be nan. The oracle takes 0 for it too.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.values import OPERATORS, CoreValue, Value

#: Arrays of at most so many elements are searched for nan by comparing them, larger ones by their minimum.
_SMALL = 2000
_ZERO = np.float64(0)


def carried(g: CoreValue, p: CoreValue) -> CoreValue:
    """g*p, and 0 where g is 0 whatever p."""
    if type(g) is np.float64 and (type(p) is np.float64 or type(p) is float):
        found = g * p
        return found if found == found or g != 0 else _ZERO
    if isinstance(g, Value) or isinstance(p, Value):
        return OPERATORS["carried"](g, p)
    return product(g, p)


def carried_both(g: CoreValue, p: CoreValue) -> CoreValue:
    """g*p, and 0 where either is 0 whatever the other: a product of two changes."""
    if isinstance(g, Value) or isinstance(p, Value):
        return OPERATORS["carried"](g, p, both=True)
    return product(g, p, both=True)


def carried_over(g: CoreValue, y: CoreValue) -> CoreValue:
    """g/y, and 0 where g is 0 whatever y."""
    if isinstance(g, Value) or isinstance(y, Value):
        return OPERATORS["carried_over"](g, y)
    return quotient(g, y)


def product(g: Any, p: Any, both: bool = False) -> Any:
    """`carried`, or `carried_both`, of arrays."""
    found = _kept(g * p, g)
    return _kept(found, p) if both else found


def quotient(g: Any, y: Any) -> Any:
    """`carried_over` of arrays."""
    return _kept(g / y, g)


def _kept(found: Any, g: Any) -> Any:
    """`found`, which was made of `g`: 0 where g is 0 and it is undefined."""
    if not isinstance(found, np.ndarray):
        return found if found == found or g != 0 else type(found)(0)
    if found.size > _SMALL and found.dtype.kind == "f":
        least = found.min()
        if least == least:
            return found
    undefined = found != found
    if np.count_nonzero(undefined):
        found[undefined & (g == 0)] = 0
    return found
