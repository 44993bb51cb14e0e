"""Hypergeometric functions, differentiated by their last argument; the parameters carry no derivative."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.fixed import refused
from gradcli.ops.function import case
from gradcli.ops.kinds import elementwise
from gradcli.ops.operands import operands
from gradcli.ops.registry import function
from gradcli.ops.special.values import Array, Formula, real, scipy_


def _limit_function(b: Array, z: Array) -> Array:
    """0F1; SciPy's divides by 0 where b is 1, and that is a Bessel function (DLMF 10.2.2, 10.25.2)."""
    from scipy import special

    root = 2 * np.sqrt(np.abs(z))
    bessel = np.where(z < 0, special.j0(root), special.i0(root))
    return np.where(b == 1, bessel, special.hyp0f1(np.where(b == 1, 2.0, b), z))


#: Beyond this SciPy's 1F1 may not return, and a few terms of its expansion are enough.
_FAR = 1e6


def _kummer(a: Array, b: Array, z: Array) -> Array:
    """1F1; far to the left, and where it is a polynomial, by DLMF 13.7.2."""
    from scipy import special

    far = np.abs(z) > _FAR
    near = special.hyp1f1(a, b, np.where(far, 0.0, z))
    finite = (z < 0) | ((a <= 0) & (a == np.floor(a)))
    x = np.where(far & finite, -z, -_FAR)
    term = total = np.ones_like(x)
    for k in range(4):
        term = term * (a + k) * (a - b + 1 + k) / ((k + 1) * x)
        total = total + term
    beyond = special.gamma(b) * special.rgamma(b - a) * np.power(x, -a) * total
    grown = np.copysign(np.inf, special.gamma(b) * special.rgamma(a))
    return np.where(far, np.where(finite, beyond, grown), near)


def _op(name: str, above: int, value: Formula, meaning: Any, doc: str) -> Op:
    """The op pFq of p = `above` parameters, then q = 1 below, then z."""

    def slope(y: CoreValue, *operands: CoreValue) -> CoreValue:
        """a1 ... ap/b F(a1 + 1, ... ap + 1; b + 1; z), DLMF 16.3.1."""
        *parameters, z = operands
        found = bind(made, *(p + 1 for p in parameters), z)
        for a in parameters[:-1]:
            found = a * found
        return found / parameters[-1]

    partials: list[Any] = [refused(name, "parameters")] * (above + 1)
    made = elementwise(name, real(value), *partials, slope, meaning=meaning, saves=(above + 1,), doc=doc)
    return made


HYP0F1 = _op(
    "hyp0f1", 0, _limit_function, lambda S, b, z: S.hyp0f1(b, z), "Confluent hypergeometric limit function, 0F1."
)
HYP1F1 = _op(
    "hyp1f1",
    1,
    _kummer,
    lambda S, a, b, z: S.kummer(a, b, z),
    "Kummer's confluent hypergeometric function, 1F1.",
)
HYP2F1 = _op(
    "hyp2f1", 2, scipy_("hyp2f1"), lambda S, a, b, c, z: S.hyp2f1(a, b, c, z), "Gauss' hypergeometric function, 2F1."
)


def _given(parameters: tuple[Any, ...], z: Any) -> list[CoreValue]:
    """The operands: parameters as they are, where they are numbers, and z."""
    found = [p if isinstance(p, int | float) else operands((p,), True)[0] for p in parameters]
    return [*found, *operands((z,), True)]


_KINKS = "none in the parameters: asking for those derivatives is an error"


@function(
    family="special",
    where="scipy",
    derivative="vjp: by z, g*hyp0f1(v + 1, z)/v",
    domain=(-4.0, 4.0),
    defined="(v > 0) | (v != floor(v))",
    kinks=_KINKS,
    source="DLMF 16.3.1",
    cases=(
        case(1.5, (3,)),
        case(2, (2, 3)),
        case(np.array([2, 3, 4]), (3,)),
        case(0.5, ()),
        case(3, (0,)),
        case(0.75, np.array([0.0, -30.0, 30.0])),
    ),
)
def hyp0f1(v: Any, z: Any) -> CoreValue:
    """Confluent hypergeometric limit function, 0F1: the sum of z**k/((v)_k k!)."""
    return bind(HYP0F1, *_given((v,), z))


@function(
    family="special",
    where="scipy",
    derivative="vjp: by x, g*a/b*hyp1f1(a + 1, b + 1, x)",
    domain=(-4.0, 4.0),
    defined="(b > 0) | (b != floor(b))",
    kinks=_KINKS,
    source="DLMF 13.3.15",
    cases=(
        case(0.5, 1.5, (3,)),
        case(2, 3, (2, 3)),
        case(np.array([1, 2, 3]), 2.5, (3,)),
        case(-2, 0.5, ()),
        case(1, 2, (0,)),
        case(0.5, 1.5, np.array([0.0, -20.0, 20.0])),
    ),
)
def hyp1f1(a: Any, b: Any, x: Any) -> CoreValue:
    """Kummer's confluent hypergeometric function, 1F1: the sum of (a)_k x**k/((b)_k k!)."""
    return bind(HYP1F1, *_given((a, b), x))


@function(
    family="special",
    where="scipy",
    derivative="vjp: by z, g*a*b/c*hyp2f1(a + 1, b + 1, c + 1, z)",
    domain=(-2.0, 0.6),
    defined="(z < 1) & ((c > 0) | (c != floor(c)))",
    kinks=_KINKS,
    source="DLMF 15.5.1",
    cases=(
        case(0.5, 1.5, 2.5, (2,)),
        case(1, 2, 3, (2, 1)),
        case(np.array([1, 2]), 0.5, 2.5, (2,)),
        case(-2, 3, 0.5, ()),
        case(1, 1, 2, (0,)),
        case(0.3, 0.6, 1.7, np.array([0.0, -4.0])),
    ),
)
def hyp2f1(a: Any, b: Any, c: Any, z: Any) -> CoreValue:
    """Gauss' hypergeometric function, 2F1: the sum of (a)_k (b)_k z**k/((c)_k k!)."""
    return bind(HYP2F1, *_given((a, b, c), z))
