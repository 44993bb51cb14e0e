"""Bessel functions of any fixed order: J and Y.

They are differentiated by their argument. The order is an operand too, as it broadcasts, but carries no derivative.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.arguments import integer
from gradcli.ops.elementwise import isinf, less, logical_and, logical_not, where
from gradcli.ops.elementwise.limits import bounded
from gradcli.ops.fixed import held, refused
from gradcli.ops.function import case
from gradcli.ops.kinds import elementwise
from gradcli.ops.operands import operands
from gradcli.ops.registry import function
from gradcli.ops.special.bessel_orders import (
    FIXED,
    LINE,
    ORDERS,
    RIGHT,
    is_nothing,
    of_x,
    order_and_argument,
)
from gradcli.ops.special.bessel_values import j_value, of_complex, whole_reflected, y_value
from gradcli.ops.special.values import real_or_complex


def _j_slope(y: CoreValue, v: CoreValue, x: CoreValue) -> CoreValue:
    return -bind(JV, 1, x) if is_nothing(v) else 0.5 * (bind(JV, v - 1, x) - bind(JV, v + 1, x))


def _y_slope(y: CoreValue, v: CoreValue, x: CoreValue) -> CoreValue:
    """Of two infinities beside 0 that of the order farther from 0 leads."""
    if is_nothing(v):
        return -bind(YV, 1, x)
    below, above, falls = bind(YV, v - 1, x), bind(YV, v + 1, x), less(v, 0)
    both = logical_and(isinf(below), isinf(above))
    lower = where(logical_and(both, logical_not(falls)), bounded(below), below)
    return 0.5 * (lower - where(logical_and(both, falls), bounded(above), above))


JV: Op = elementwise(
    "jv",
    real_or_complex(whole_reflected(j_value, turned=True), of_complex("jv")),
    refused("jv"),
    _j_slope,
    meaning=lambda S, v, x: S.besselj(v, x),
    saves=(1,),
    doc="Bessel function of the first kind, of order v.",
)
YV: Op = elementwise(
    "yv",
    real_or_complex(whole_reflected(y_value, turned=True), of_complex("yv")),
    refused("yv"),
    _y_slope,
    meaning=lambda S, v, x: S.bessely(v, x),
    saves=(1,),
    doc="Bessel function of the second kind, of order v.",
)
# --- functions -------------------------------------------------------------------------------------------------------

_BESSEL = "Bessel function of the {0} kind, of order {1}."
j0 = of_x("j0", JV, 0, _BESSEL.format("first", 0), "-j1(x)", ("torch.special.bessel_j0",))
j1 = of_x("j1", JV, 1, _BESSEL.format("first", 1), "(j0(x) - jv(2, x))/2", ("torch.special.bessel_j1",))
y0 = of_x("y0", YV, 0, _BESSEL.format("second", 0), "-y1(x)", ("torch.special.bessel_y0",), "x > 0")
y1 = of_x("y1", YV, 1, _BESSEL.format("second", 1), "(y0(x) - yv(2, x))/2", ("torch.special.bessel_y1",), "x > 0")


@function(
    family="special",
    where="scipy",
    also=("scipy.special.jn",),
    derivative="vjp: by z, g*(jv(v - 1, z) - jv(v + 1, z))/2",
    domain=LINE,
    kinks=FIXED,
    source="DLMF 10.6.1",
    cases=(*ORDERS, case(1, np.array([0.0, -0.0, 40.0, -400.5]))),
)
def jv(v: Any, z: Any) -> CoreValue:
    """Bessel function of the first kind, of order v."""
    return bind(JV, *order_and_argument(v, z))


@function(
    family="special",
    where="scipy",
    derivative="vjp: by z, g*(yv(v - 1, z) - yv(v + 1, z))/2",
    domain=RIGHT,
    defined="z > 0",
    kinks=FIXED,
    source="DLMF 10.6.1",
    cases=(*ORDERS, case(1, np.array([40.0, 400.5]))),
)
def yv(v: Any, z: Any) -> CoreValue:
    """Bessel function of the second kind, of order v."""
    return bind(YV, *order_and_argument(v, z))


@function(
    family="special",
    where="scipy",
    derivative="vjp: by x, g*(yn(n - 1, x) - yn(n + 1, x))/2",
    domain=RIGHT,
    defined="x > 0",
    kinks=FIXED,
    source="DLMF 10.6.1",
    cases=(case(0, (3,)), case(2, (2, 3))),
)
def yn(n: Any, x: Any) -> CoreValue:
    """Bessel function of the second kind, of integer order n."""
    (argument,) = operands((x,), True)
    return bind(YV, integer(n, "yn: the order"), held(argument, n, "yn"))
