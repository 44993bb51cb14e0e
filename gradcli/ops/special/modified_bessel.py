"""Modified Bessel functions of any fixed order: I and K.

They are differentiated by their argument, as the Bessel functions are.
"""

from __future__ import annotations

from typing import Any

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.arguments import integer
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
    node_by_order,
    of_x,
    order_and_argument,
)
from gradcli.ops.special.bessel_values import of_complex, whole_reflected
from gradcli.ops.special.modified_bessel_values import i_value, k_value
from gradcli.ops.special.values import real_or_complex


def _i_slope(y: CoreValue, v: CoreValue, x: CoreValue) -> CoreValue:
    return bind(IV, 1, x) if is_nothing(v) else 0.5 * (bind(IV, v - 1, x) + bind(IV, v + 1, x))


def _k_slope(y: CoreValue, v: CoreValue, x: CoreValue) -> CoreValue:
    return -bind(KV, 1, x) if is_nothing(v) else -0.5 * (bind(KV, v - 1, x) + bind(KV, v + 1, x))


IV: Op = elementwise(
    "iv",
    real_or_complex(whole_reflected(i_value), of_complex("iv")),
    refused("iv"),
    _i_slope,
    meaning=lambda S, v, x: S.besseli(v, x),
    torch=node_by_order("I0", "SpecialI1"),
    saves=(1,),
    doc="Modified Bessel function of the first kind, of order v.",
)
KV: Op = elementwise(
    "kv",
    real_or_complex(k_value, of_complex("kv")),
    refused("kv"),
    _k_slope,
    meaning=lambda S, v, x: S.besselk(v, x),
    saves=(1,),
    doc="Modified Bessel function of the second kind, of order v.",
)

# --- functions -------------------------------------------------------------------------------------------------------

_MODIFIED = "Modified Bessel function of the {0} kind, of order {1}."
i0 = of_x(
    "i0",
    IV,
    0,
    _MODIFIED.format("first", 0),
    "i1(x)",
    ("numpy.i0", "torch.i0", "torch.special.i0", ".i0", "torch.special.modified_bessel_i0"),
)
i1 = of_x(
    "i1",
    IV,
    1,
    _MODIFIED.format("first", 1),
    "(i0(x) + iv(2, x))/2",
    ("torch.special.i1", "torch.special.modified_bessel_i1"),
)
k0 = of_x("k0", KV, 0, _MODIFIED.format("second", 0), "-k1(x)", ("torch.special.modified_bessel_k0",), "x > 0")
k1 = of_x(
    "k1", KV, 1, _MODIFIED.format("second", 1), "-(k0(x) + kv(2, x))/2", ("torch.special.modified_bessel_k1",), "x > 0"
)


@function(
    family="special",
    where="scipy",
    derivative="vjp: by z, g*(iv(v - 1, z) + iv(v + 1, z))/2",
    domain=LINE,
    kinks=FIXED,
    source="DLMF 10.29.1",
    cases=ORDERS,
)
def iv(v: Any, z: Any) -> CoreValue:
    """Modified Bessel function of the first kind, of order v."""
    return bind(IV, *order_and_argument(v, z))


@function(
    family="special",
    where="scipy",
    derivative="vjp: by z, -g*(kv(v - 1, z) + kv(v + 1, z))/2",
    domain=RIGHT,
    defined="z > 0",
    kinks=FIXED,
    source="DLMF 10.29.1",
    cases=ORDERS,
)
def kv(v: Any, z: Any) -> CoreValue:
    """Modified Bessel function of the second kind, of order v."""
    return bind(KV, *order_and_argument(v, z))


@function(
    family="special",
    where="scipy",
    derivative="vjp: by x, -g*(kn(n - 1, x) + kn(n + 1, x))/2",
    domain=RIGHT,
    defined="x > 0",
    kinks=FIXED,
    source="DLMF 10.29.1",
    cases=(case(0, (3,)), case(2, (2, 3))),
)
def kn(n: Any, x: Any) -> CoreValue:
    """Modified Bessel function of the second kind, of integer order n."""
    (argument,) = operands((x,), True)
    return bind(KV, integer(n, "kn: the order"), held(argument, n, "kn"))
