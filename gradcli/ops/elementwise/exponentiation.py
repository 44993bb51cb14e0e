"""x to the power y, for any x and y, with both derivatives to any order.

The derivative in x is y x**(y - 1), that in y is x**y log(x). Either is an op of its own, so that it can be computed
without overflow on the way, and so that each derivative of it is again such a formula.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, dtype_of
from gradcli.ops.carrying import carried
from gradcli.ops.casts import cast
from gradcli.ops.elementwise.limits import quiet
from gradcli.ops.elementwise.pairs import BROADCASTS, COMPLEX_PAIR, PAIR
from gradcli.ops.elementwise.powers import log
from gradcli.ops.function import Function, case
from gradcli.ops.kinds import elementwise
from gradcli.ops.operands import as_core
from gradcli.ops.registry import elementwise_function, function


def _power(x: Any, y: Any) -> Any:
    """`x**y`; integers to a negative power are floats here, where NumPy refuses."""
    if dtype_of(x).kind in "iub" and dtype_of(y).kind in "iub" and np.any(np.asarray(y) < 0):
        return np.power(np.asarray(x, dtype=np.float64), y)
    return np.power(x, y)


def _ordinary(z: Any) -> bool:
    """Whether all numbers are far from overflow and underflow."""
    limits = np.finfo(z.dtype)
    low, high = limits.tiny / limits.eps, limits.max
    if z.size and z.dtype.kind == "f" and z.min() > low:
        return bool(z.max() < high)
    size = np.abs(z)
    return bool(np.all((size > low) & (size < high)))


def _as_floats(z: Any, x: Any, y: Any) -> tuple[Any, Any, Any]:
    """All in the dtype that x**y has."""
    z = np.asarray(z, dtype=None if z.dtype.kind in "fc" else np.float64)
    return z, np.asarray(x, dtype=z.dtype), np.asarray(y, dtype=z.dtype)


@quiet
def _slope(z: Any, x: Any, y: Any) -> Any:
    """y x**(y - 1): as (x**y/x) y, where y - 1 need not be rounded, or else by that power; 0 for y = 0."""
    z, x, y = _as_floats(z, x, y)
    found = np.asarray(z / x * y)
    if _ordinary(z) and _ordinary(found):
        return found
    ratio = z / x
    found = np.where(np.isfinite(ratio), ratio * y, z * y / x)
    far = np.asarray(np.power(x, y - 1) * y)
    steady = (np.abs(z) > np.finfo(z.dtype).tiny / np.finfo(z.dtype).eps) & np.isfinite(z) & (x != 0)
    found = np.where(steady & np.isfinite(found), found, far)
    # Where an infinite y makes nothing of x**y, and where y is 0, nothing is left.
    return np.where((y == 0) | (np.isinf(y) & (z == 0)), found.dtype.type(0), found)


@quiet
def _logged(z: Any, x: Any, y: Any) -> Any:
    """x**y log(x); at x = 0 the limit for y > 0 is 0, and PyTorch takes 0 for y = 0 too."""
    z, x, y = _as_floats(z, x, y)
    logs = np.log(x)
    found = np.asarray(z * logs)
    if _ordinary(z) and bool(np.all(np.isfinite(found))):
        return found
    half = np.power(x, y / 2)  # a power near underflow has lost digits that its root has not
    small = (np.abs(z) < np.finfo(z.dtype).tiny / np.finfo(z.dtype).eps) & (half != 0)
    found = np.where(small, half * logs * half, found)
    nothing = ((x == 0) & (y.real >= 0)) | ((z == 0) & np.isinf(x))
    return np.where(nothing, found.dtype.type(0), found)


def _mixed(s: CoreValue, z: CoreValue, x: CoreValue, y: CoreValue) -> CoreValue:
    """x**(y - 1) (1 + y log(x)), the second derivative in x and y."""
    return carried(power(x, y - 1), 1 + carried(y, log(x)))


# Both are handed z = x**y, which is known, and are functions of x and y all the same: z has no derivative of its own.
POWER_SLOPE: Op = elementwise(
    "power_slope",
    _slope,
    None,
    lambda s, z, x, y: carried(y, bind(POWER_SLOPE, power(x, y - 1), x, y - 1)),
    _mixed,
    meaning=lambda S, z, x, y: y * S.pow(x, y - 1),
    doc="The derivative of x**y in x.",
)
POWER_LOGGED: Op = elementwise(
    "power_logged",
    _logged,
    None,
    _mixed,
    lambda s, z, x, y: carried(s, log(x)),
    meaning=lambda S, z, x, y: S.pow(x, y) * S.log(x),
    doc="The derivative of x**y in y.",
)


def _in_base(z: CoreValue, x: CoreValue, y: CoreValue) -> CoreValue:
    if isinstance(y, int | float):  # the common cases, which need no second power, or a simple one
        if y == 2:
            return 2 * x
        if y in (0, 1):
            return float(y)
        if abs(y) >= 0.25 and y - 1 + 1 == y:
            return y * power(x, y - 1)
    return bind(POWER_SLOPE, z, x, y)


def _pow_node(operands: tuple[CoreValue, ...], params: dict[str, Any]) -> Any:
    """One node for each kind of operands: a number as the exponent, two tensors, a number as the base."""
    if not hasattr(operands[1], "dtype"):
        return ("PowBackward0", (0,))
    return ("PowBackward1", (0, 1)) if hasattr(operands[0], "dtype") else ("PowBackward2", (1,))


POW = elementwise(
    "power",
    _power,
    _in_base,
    lambda z, x, y: bind(POWER_LOGGED, z, x, y),
    meaning=lambda S, x, y: S.pow(x, y),
    torch=_pow_node,
    saves=(0, 1, ("y", 1)),
    doc="x to the power y.",
)
_KINKS = "x = 0: in x the limit, and 0 where y = 0; in y 0 for y >= 0; both as in PyTorch"
power: Function = elementwise_function(
    POW,
    parameters=PAIR,
    floats=False,
    where="numpy method",
    derivative="y*x**(y - 1), x**y*log(x)",
    domain=(0.3, 2.5),
    defined="x > 0",
    kinks=_KINKS,
    also=("torch.pow", ".pow", "math.pow", "numpy.pow"),
    cases=(
        *BROADCASTS,
        case(np.array([-1.5, 0.0, 2.0]), 3),
        case((3,), 2),
        case((3,), 1),
        case((3,), 0),
        case((3,), -0.5),
        *COMPLEX_PAIR,
    ),
)


@function(
    family="elementwise",
    op=POW,
    derivative="y*x**(y - 1), x**y*log(x)",
    domain=(0.3, 2.5),
    defined="x > 0",
    kinks=_KINKS,
    cases=(case((3,), 2), case(np.array([1, 2]), np.array([2, -1])), *COMPLEX_PAIR),
)
def float_power(x: Any, y: Any) -> CoreValue:
    """x to the power y, computed in float64 (or complex128)."""
    base, exponent = as_core(x), as_core(y)
    wide = np.dtype(np.complex128 if "c" in (base.dtype.kind, exponent.dtype.kind) else np.float64)
    return bind(POW, cast(base, wide), cast(exponent, wide))
