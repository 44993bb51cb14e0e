"""SciPy's huber and pseudo_huber: losses that grow as the square of a small residual, and as a large one itself."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.carrying import carried_over
from gradcli.ops.elementwise import absolute, hypot, less, less_equal, maximum, sign, where
from gradcli.ops.function import case
from gradcli.ops.kinds import elementwise
from gradcli.ops.registry import elementwise_function
from gradcli.ops.special.values import Array, real, scipy_

_PAIR = ("delta", "r")
_DOMAIN = ((0.3, 2.0), (-3.0, 3.0))


def _huber_by_r(y: CoreValue, delta: CoreValue, r: CoreValue) -> CoreValue:
    return where(less_equal(absolute(r), delta), r, maximum(delta, 0.0) * sign(r))


def _huber_by_delta(y: CoreValue, delta: CoreValue, r: CoreValue) -> CoreValue:
    return where(less(delta, 0), 0.0, maximum(absolute(r) - delta, 0.0))


def _exact_huber(S: Any, delta: Any, r: Any) -> Any:
    size = S.abs(r)
    return S.where(S.le(size, delta), r * r / 2, delta * (size - delta / 2))


HUBER: Op = elementwise(
    "huber",
    real(scipy_("huber")),
    _huber_by_delta,
    _huber_by_r,
    meaning=_exact_huber,
    saves=(0, 1),
    doc="Huber's loss: r**2/2 for |r| <= delta, and delta*(|r| - delta/2) beyond.",
)
huber = elementwise_function(
    HUBER,
    parameters=_PAIR,
    derivative="maximum(abs(r) - delta, 0), clip(r, -delta, delta)",
    where="scipy",
    domain=_DOMAIN,
    defined="delta > 0",
    kinks="delta < 0: the loss is inf, as in SciPy, and its derivatives 0; |r| = delta: second derivatives jump",
    source="Huber 1964, Robust Estimation of a Location Parameter",
    cases=(case((2, 3), (3,)), case(1.0, (3,)), case(np.array([0.5, 1.0, 2.0]), np.array([-4.0, 0.25, 0.0]))),
    family="special",
)

# --- pseudo_huber ----------------------------------------------------------------------------------------------------


def _rise_by_delta(y: CoreValue, delta: CoreValue, r: CoreValue) -> CoreValue:
    size = hypot(delta, r)
    return -(r / size) * (delta / size) / size


def _rise_by_r(y: CoreValue, delta: CoreValue, r: CoreValue) -> CoreValue:
    size = hypot(delta, r)
    return (delta / size) * (delta / size) / size


RISE: Op = elementwise(
    "unit_rise",
    real(lambda delta, r: np.where(np.isinf(r) | (r == 0), np.sign(r), r / np.hypot(delta, r))),
    _rise_by_delta,
    _rise_by_r,
    meaning=lambda S, delta, r: r / S.sqrt(delta * delta + r * r),
    doc="r/sqrt(delta**2 + r**2), the sine of the angle whose tangent is r/delta.",
)


def _pseudo_huber(delta: Array, r: Array) -> Array:
    """As delta r**2/(delta + sqrt(delta**2 + r**2)), which does not cancel."""
    found = np.where(np.isinf(r), np.inf, delta * (r * (r / (delta + np.hypot(delta, r)))))
    return np.where(delta < 0, np.inf, np.where((delta == 0) | (r == 0), 0.0, found))


def _pseudo_by_delta(y: CoreValue, delta: CoreValue, r: CoreValue) -> CoreValue:
    """With s = sqrt(delta**2 + r**2): r**4/(s (delta + s)**2)."""
    part = carried_over(r, delta + hypot(delta, r))
    return where(less(delta, 0), 0.0, bind(RISE, delta, r) * part * (r * part))


PSEUDO_HUBER: Op = elementwise(
    "pseudo_huber",
    real(_pseudo_huber),
    _pseudo_by_delta,
    lambda y, delta, r: where(less(delta, 0), 0.0, delta * bind(RISE, delta, r)),
    meaning=lambda S, delta, r: delta * delta * (S.sqrt(1 + r * r / (delta * delta)) - 1),
    saves=(0, 1),
    doc="A smooth form of Huber's loss: delta**2*(sqrt(1 + (r/delta)**2) - 1).",
)
pseudo_huber = elementwise_function(
    PSEUDO_HUBER,
    parameters=_PAIR,
    derivative="2*delta*(sqrt(1 + (r/delta)**2) - 1) - r**2/(delta*sqrt(1 + (r/delta)**2)), r/sqrt(1 + (r/delta)**2)",
    where="scipy",
    domain=_DOMAIN,
    defined="delta > 0",
    kinks="delta < 0: the loss is inf, as in SciPy, and its derivatives 0",
    source="Charbonnier et al. 1997",
    cases=(case((2, 3), (3,)), case(1.0, (3,)), case(np.array([0.5, 1.0, 2.0]), np.array([-400.0, 1e-9, 0.0]))),
    family="special",
)
