"""The modified Bessel functions that are scaled so that they neither overflow nor vanish: exp(-|x|) I and exp(x) K."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.elementwise import absolute, less, maximum, sign, where
from gradcli.ops.fixed import refused
from gradcli.ops.function import case
from gradcli.ops.kinds import elementwise
from gradcli.ops.registry import function
from gradcli.ops.special.bessel_orders import (
    FIXED,
    LINE,
    ORDERS,
    RIGHT,
    node_by_order,
    of_x,
    order_and_argument,
)
from gradcli.ops.special.bessel_values import of_complex, whole_reflected
from gradcli.ops.special.modified_bessel_values import (
    SMOOTH_ORDER,
    far_from,
    ie_slope,
    ie_value,
    k_by_orders,
    k_scaled_slope,
    ke_value,
    scaled_kummer,
)
from gradcli.ops.special.values import real, real_or_complex


def _kummer_meaning(S: Any, v: Any, x: Any, m: int, q: int) -> Any:
    whole = S.exp(-2 * x) * S.hyp1f1(v + 0.5, 2 * v + 1 + m, 2 * x)
    return S.pow(x, v - q) * whole / (S.pow(S.number(2), v) * S.gamma(v + 1))


def _kummer_slope(y: CoreValue, v: CoreValue, x: CoreValue, m: int, q: int) -> CoreValue:
    fall = 2 * (v + 0.5 + m) / (2 * v + 1 + m) * bind(SCALED_KUMMER, v, x, m=m + 1, q=q)
    if not hasattr(v, "dtype") and v == q:
        return -fall
    return (v - q) * bind(SCALED_KUMMER, v, x, m=m, q=q + 1) - fall


# exp(-x) I and its derivatives are powers of x times these, DLMF 10.39.5 and 13.3.20; I - I' would cancel for large x.
SCALED_KUMMER: Op = elementwise(
    "scaled_kummer",
    real(scaled_kummer),
    refused("scaled_kummer"),
    _kummer_slope,
    meaning=_kummer_meaning,
    doc="x**(v-q)*exp(-2*x)*M(v + 1/2, 2*v + 1 + m, 2*x)/(2**v*gamma(v + 1)), M being Kummer's function.",
)


def _ie_bend(y: CoreValue, v: CoreValue, x: CoreValue) -> CoreValue:
    """The second derivative of exp(-x) I."""
    if not hasattr(v, "dtype") and v == 1:  # I[1] = I[0]', and so its derivatives
        return 1.5 * bind(SCALED_KUMMER, 0, x, m=2, q=0) - 2.5 * bind(SCALED_KUMMER, 0, x, m=3, q=0)
    if hasattr(v, "dtype") or v <= SMOOTH_ORDER:
        return _kummer_bend(v, x)
    far = far_from(v)
    by_orders = 0.25 * (bind(IVE, v - 2, x) + bind(IVE, v + 2, x)) - 0.5 * bind(IVE, v, x) - 2 * bind(IE_SLOPE, v, x)
    return where(less(x, far), by_orders, _kummer_bend(v, maximum(x, far)))


def _kummer_bend(v: CoreValue, x: CoreValue) -> CoreValue:
    twice = 2 * v * bind(SCALED_KUMMER, v, x, m=1, q=1)
    fall = (2 * v + 3) / (2 * v + 2) * bind(SCALED_KUMMER, v, x, m=2, q=0)
    return v * (v - 1) * bind(SCALED_KUMMER, v, x, m=0, q=2) - twice + fall


IE_SLOPE: Op = elementwise(
    "ie_slope",
    real(ie_slope),
    refused("ie_slope"),
    _ie_bend,
    meaning=lambda S, v, x: S.exp(-x) * ((S.besseli(v - 1, x) + S.besseli(v + 1, x)) / 2 - S.besseli(v, x)),
    doc="The derivative of exp(-x) times I of order v, for x >= 0.",
)


def _ie_slope(y: CoreValue, v: CoreValue, x: CoreValue) -> CoreValue:
    """By |x|, and then by x: even orders have a kink at 0, odd ones go straight through."""
    size = absolute(x)
    order = abs(v)
    if hasattr(v, "dtype") or (v < 0 and v != int(v)):
        return 0.5 * (bind(IVE, v - 1, x) + bind(IVE, v + 1, x)) - sign(x) * y
    found = bind(IE_SLOPE, order, size) if order else -bind(SCALED_KUMMER, 0, size, m=1, q=0)
    return found if order % 2 == 1 else sign(x) * found


IVE: Op = elementwise(
    "ive",
    real(whole_reflected(ie_value)),
    refused("ive"),
    _ie_slope,
    meaning=lambda S, v, x: S.exp(-S.abs(x)) * S.besseli(v, x),
    torch=node_by_order("SpecialI0E", "SpecialI1E"),
    kink=lambda v, x: x == 0,
    saves=(1, "y"),
    doc="exp(-|x|) times the modified Bessel function of the first kind.",
)
KVE: Op = elementwise(
    "kve",
    real_or_complex(
        lambda v, x, n=0: k_scaled_slope(v, x, n=n) if n else ke_value(v, x),
        lambda v, z, n=0: k_by_orders(v.real, z, n) if n else of_complex("kve")(v, z),
    ),
    refused("kve"),
    lambda y, v, x, n=0: bind(KVE, v, x, n=n + 1),
    meaning=lambda S, v, x, n=0: S.scaled_k(n, v, x) if n else S.exp(x) * S.besselk(v, x),
    saves=(1, "y"),
    doc="exp(x) times the modified Bessel function of the second kind.",
)

# --- functions -------------------------------------------------------------------------------------------------------

_AT_NOTHING = "x = 0: 0, as in PyTorch"
i0e = of_x("i0e", IVE, 0, "exp(-abs(x))*i0(x).", "i1e(x) - sign(x)*i0e(x)", ("torch.special.i0e",), kinks=_AT_NOTHING)
i1e = of_x(
    "i1e",
    IVE,
    1,
    "exp(-abs(x))*i1(x).",
    "(i0e(x) + ive(2, x))/2 - sign(x)*i1e(x)",
    ("torch.special.i1e",),
    kinks="x = 0: none in the first derivative, a jump in the second",
)
k0e = of_x("k0e", KVE, 0, "exp(x)*k0(x).", "k0e(x) - k1e(x)", ("torch.special.scaled_modified_bessel_k0",), "x > 0")
k1e = of_x(
    "k1e",
    KVE,
    1,
    "exp(x)*k1(x).",
    "k1e(x) - (k0e(x) + kve(2, x))/2",
    ("torch.special.scaled_modified_bessel_k1",),
    "x > 0",
)


@function(
    family="special",
    where="scipy",
    derivative="vjp: by z, g*((ive(v - 1, z) + ive(v + 1, z))/2 - sign(z)*ive(v, z))",
    domain=LINE,
    kinks=f"z = 0, for an even order: 0, as in PyTorch; {FIXED}",
    source="DLMF 10.39.5, 13.3.20",
    cases=(*ORDERS, case(3, np.array([-40.0, 400.0])), case(20, (3,)), case(20, np.array([5.0, 1e3]))),
)
def ive(v: Any, z: Any) -> CoreValue:
    """exp(-|z|) times the modified Bessel function of the first kind, of order v."""
    return bind(IVE, *order_and_argument(v, z))


@function(
    family="special",
    where="scipy",
    derivative="vjp: by z, g*(kve(v, z) - (kve(v - 1, z) + kve(v + 1, z))/2)",
    domain=RIGHT,
    defined="z > 0",
    kinks=FIXED,
    source="DLMF 10.32.9",
    cases=(*ORDERS, case(0, np.array([0.01, 40.0, 800.0]))),
)
def kve(v: Any, z: Any) -> CoreValue:
    """exp(z) times the modified Bessel function of the second kind, of order v."""
    return bind(KVE, *order_and_argument(v, z))
