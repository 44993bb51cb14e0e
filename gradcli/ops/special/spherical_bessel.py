"""Spherical Bessel functions of the first kind."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.arguments import integer
from gradcli.ops.fixed import held
from gradcli.ops.function import case
from gradcli.ops.kinds import elementwise
from gradcli.ops.operands import operands
from gradcli.ops.registry import elementwise_function, function
from gradcli.ops.special.bessel_orders import LINE
from gradcli.ops.special.turns import SINE_OVER
from gradcli.ops.special.values import Array, real_or_complex


def _spherical(x: Array, n: int) -> Array:
    from scipy import special

    return np.where(np.abs(x) < 1.5 + 0.5 * n, _spherical_near(x, n), special.spherical_jn(n, x))


def _spherical_near(x: Array, n: int) -> Array:
    """By powers of x, DLMF 10.53.1."""
    found = np.ones_like(x)
    square = -0.5 * x * x
    for k in range(24, 0, -1):
        found = 1 + found * square / (k * (2 * n + 1 + 2 * k))
    return found * x**n / float(np.prod(np.arange(1.0, 2 * n + 2, 2)))


def _spherical_of_complex(z: Array, n: int) -> Array:
    from scipy import special

    return special.spherical_jn(n, z)


def _spherical_slope(y: CoreValue, x: CoreValue, n: int) -> CoreValue:
    if n == 0:
        return -bind(SPHERICAL_JN, x, n=1)
    return (n * bind(SPHERICAL_JN, x, n=n - 1) - (n + 1) * bind(SPHERICAL_JN, x, n=n + 1)) / (2 * n + 1)


SPHERICAL_JN: Op = elementwise(
    "spherical_jn",
    real_or_complex(_spherical, _spherical_of_complex),
    _spherical_slope,
    meaning=lambda S, x, n: S.spherical_jn(n, x),
    saves=(0,),
    doc="Spherical Bessel function of the first kind, of order n.",
)


@function(
    family="special",
    where="scipy",
    op=SPHERICAL_JN,
    derivative="vjp: by z, g*(n*spherical_jn(n - 1, z) - (n + 1)*spherical_jn(n + 1, z))/(2*n + 1)",
    domain=LINE,
    source="DLMF 10.51.2",
    cases=(case(0, (3,)), case(2, (2, 3)), case(1, np.array([0.0, 0.5, -3.0])), case(2, (3,), derivative=True)),
)
def spherical_jn(n: Any, z: Any, derivative: bool = False) -> CoreValue:
    """Spherical Bessel function of the first kind, of integer order n from 0, or its derivative."""
    order = integer(n, "spherical_jn: the order")
    if order < 0:
        raise ArgumentError(f"spherical_jn: the order is an integer from 0, not {order}")
    (argument,) = operands((z,), True)
    x = held(argument, n, "spherical_jn")
    if derivative:
        return _spherical_slope(x, x, order)
    return bind(SPHERICAL_JN, x, n=order)


spherical_bessel_j0 = elementwise_function(
    SINE_OVER,
    where="",
    also=("torch.special.spherical_bessel_j0",),
    derivative="where(x == 0, 0, (cos(x) - sinc(x/pi))/where(x == 0, 1, x))",
    family="special",
    domain=LINE,
)
