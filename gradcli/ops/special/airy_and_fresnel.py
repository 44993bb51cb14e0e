"""Airy functions, Fresnel's integrals, and Owen's T."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.elementwise.pairs import COMPLEX
from gradcli.ops.function import case
from gradcli.ops.kinds import elementwise
from gradcli.ops.operands import operands
from gradcli.ops.registry import elementwise_function, function
from gradcli.ops.special.error_functions import ERF
from gradcli.ops.special.exact_products import product_error
from gradcli.ops.special.gaussian import exp_minus_half_square, exp_of_square
from gradcli.ops.special.modified_bessel_values import k_by_integral
from gradcli.ops.special.quadrature import unit_nodes
from gradcli.ops.special.turns import cosine_of_turn, sine_of_turn
from gradcli.ops.special.values import Array, pieces, real, real_or_complex, scipy_

# --- Airy ------------------------------------------------------------------------------------------------------------


#: Where SciPy's Airy functions lose digits or give up, and a few terms of their expansions are enough.
_FAR_LEFT, _FAR = 50.0, 1000.0


def _expansion(x: Array) -> tuple[Array, ...]:
    """zeta = 2/3 |x|**(3/2), and the four sums P, Q, R and S of the expansions at -infinity (DLMF 9.7(ii))."""
    zeta = 2 / 3 * np.abs(x) * np.sqrt(np.abs(x))
    u, sums = 1.0, [np.zeros_like(x) for _ in range(4)]
    for k in range(8):
        v = (6 * k + 1) / (1 - 6 * k) * u
        sign = 1 if k % 4 < 2 else -1
        sums[k % 2] = sums[k % 2] + sign * u / zeta**k
        sums[2 + k % 2] = sums[2 + k % 2] + sign * v / zeta**k
        u = u * (6 * k + 5) * (6 * k + 3) * (6 * k + 1) / (216.0 * (k + 1) * (2 * k + 1))
    return zeta, *sums


def _airy_far_left(x: Array, part: int) -> Array:
    zeta, p, q, r, s = _expansion(x)
    root = np.sqrt(np.sqrt(np.abs(x)))
    half = np.sqrt(0.5)
    cosine, sine = half * (np.cos(zeta) + np.sin(zeta)), half * (np.sin(zeta) - np.cos(zeta))
    waves = (cosine * p + sine * q, sine * r - cosine * s, cosine * q - sine * p, cosine * r + sine * s)
    found = waves[part] / np.sqrt(np.pi) * (root if part % 2 else 1 / root)
    return np.where(np.isinf(x), np.nan if part % 2 else 0.0, found)


def _airy_by_bessel(x: Array, part: int) -> Array:
    """Ai or Ai' by K of order 1/3 or 2/3 (DLMF 9.6.2, 9.6.3): between 0 and 2 SciPy's cancel."""
    zeta = 2 / 3 * x * np.sqrt(x)
    k = k_by_integral(np.full_like(x, (part + 1) / 3), zeta) * np.exp(-zeta)
    return (-x if part else np.sqrt(x)) * (k / (np.pi * np.sqrt(3)))


def _airy(part: int) -> Any:
    def formula(x: Array) -> Array:
        from scipy import special

        return special.airy(x)[part]

    by_side = pieces(
        (lambda x: (x > 0.4) & (x < 2.2) & (part < 2), lambda x: _airy_by_bessel(x, part)),
        (lambda x: x < -_FAR_LEFT, lambda x: _airy_far_left(x, part)),
        (lambda x: x > _FAR, lambda x: np.full_like(x, (0.0, -0.0, np.inf, np.inf)[part])),
        last=formula,
    )
    return real_or_complex(by_side, formula)


def _airy_op(name: str, part: int, slope: Any, meaning: Any, doc: str) -> Op:
    return elementwise(name, _airy(part), slope, meaning=meaning, saves=(0,), doc=doc)


AIRY_AI: Op = _airy_op(
    "airy_ai", 0, lambda y, x: bind(AIRY_AI_SLOPE, x), lambda S, x: S.airyai(x), "Airy's function Ai."
)
AIRY_AI_SLOPE: Op = _airy_op(
    "airy_ai_slope", 1, lambda y, x: x * bind(AIRY_AI, x), lambda S, x: S.airyaiprime(x), "The derivative of Ai."
)
AIRY_BI: Op = _airy_op(
    "airy_bi", 2, lambda y, x: bind(AIRY_BI_SLOPE, x), lambda S, x: S.airybi(x), "Airy's function Bi."
)
AIRY_BI_SLOPE: Op = _airy_op(
    "airy_bi_slope", 3, lambda y, x: x * bind(AIRY_BI, x), lambda S, x: S.airybiprime(x), "The derivative of Bi."
)
_SHAPES = tuple(case(shape) for shape in ((), (3,), (2, 3), (0,), (1,)))


@function(
    family="special",
    where="scipy",
    derivative="vjp: g[0]*Ai'(z) + g[1]*z*Ai(z) + g[2]*Bi'(z) + g[3]*z*Bi(z)",
    domain=(-4.0, 3.0),
    source="DLMF 9.2.1",
    cases=(*_SHAPES, case(COMPLEX)),
)
def airy(z: Any) -> tuple[CoreValue, ...]:
    """Airy's functions and their derivatives: Ai, Ai', Bi and Bi'."""
    (x,) = operands((z,), True)
    return tuple(bind(op, x) for op in (AIRY_AI, AIRY_AI_SLOPE, AIRY_BI, AIRY_BI_SLOPE))


airy_ai = elementwise_function(
    AIRY_AI,
    where="",
    also=("torch.special.airy_ai",),
    derivative="airy(x)[1]",
    domain=(-4.0, 3.0),
    family="special",
)

# --- Fresnel ---------------------------------------------------------------------------------------------------------


def _turns(x: Array) -> Array:
    """x**2/2 less a whole even number, exact however large x is."""
    x = np.where(np.abs(x) < 1e150, x, 0.0)
    square = x * x
    return np.fmod(square, 4.0) / 2 + product_error(x, x, square) / 2


TURNED_SINE: Op = elementwise(
    "sin_half_pi_square",
    real_or_complex(lambda x: sine_of_turn(_turns(x)), lambda z: np.sin(np.pi / 2 * z * z)),
    lambda y, x: np.pi * x * bind(TURNED_COSINE, x),
    meaning=lambda S, x: S.sin(S.pi * x * x / 2),
    doc="sin(pi*x**2/2).",
)
TURNED_COSINE: Op = elementwise(
    "cos_half_pi_square",
    real_or_complex(lambda x: cosine_of_turn(_turns(x)), lambda z: np.cos(np.pi / 2 * z * z)),
    lambda y, x: -np.pi * x * bind(TURNED_SINE, x),
    meaning=lambda S, x: S.cos(S.pi * x * x / 2),
    doc="cos(pi*x**2/2).",
)


def _fresnel_far(x: Array, part: int) -> Array:
    """By the auxiliary functions f and g, DLMF 7.5.3, 7.5.4, 7.12.2 and 7.12.3."""
    size = np.abs(x)
    front = 1 / (np.pi * size)
    term = np.ones_like(x)
    sums = [term, np.zeros_like(x)]
    for k in range(1, 14):
        term = term * ((2 * k - 1) * front / size)
        sums[k % 2] = sums[k % 2] + (term if k % 4 < 2 else -term)
    sine, cosine = sine_of_turn(_turns(x)), cosine_of_turn(_turns(x))
    waves = sums[0] * sine - sums[1] * cosine if part else -sums[0] * cosine - sums[1] * sine
    return np.copysign(0.5 + front * waves, x)


def _fresnel(part: int) -> Any:
    def formula(x: Array) -> Array:
        from scipy import special

        return special.fresnel(x)[part]

    far = pieces((lambda x: np.abs(x) > 10, lambda x: _fresnel_far(x, part)), last=formula)
    return real_or_complex(far, formula)


FRESNEL_S: Op = elementwise(
    "fresnel_s",
    _fresnel(0),
    lambda y, x: bind(TURNED_SINE, x),
    meaning=lambda S, x: S.fresnels(x),
    doc="Fresnel's integral of sin(pi*t**2/2) from 0 to x.",
)
FRESNEL_C: Op = elementwise(
    "fresnel_c",
    _fresnel(1),
    lambda y, x: bind(TURNED_COSINE, x),
    meaning=lambda S, x: S.fresnelc(x),
    doc="Fresnel's integral of cos(pi*t**2/2) from 0 to x.",
)


@function(
    family="special",
    where="scipy",
    derivative="vjp: g[0]*sin(pi*z**2/2) + g[1]*cos(pi*z**2/2)",
    domain=(-3.0, 3.0),
    source="DLMF 7.2.7, 7.2.8",
    cases=(*_SHAPES, case(COMPLEX)),
)
def fresnel(z: Any) -> tuple[CoreValue, CoreValue]:
    """Fresnel's sine and cosine integrals, of sin(pi*t**2/2) and cos(pi*t**2/2) from 0 to z."""
    (x,) = operands((z,), True)
    return bind(FRESNEL_S, x), bind(FRESNEL_C, x)


# --- Owen's T --------------------------------------------------------------------------------------------------------

_SQRT_HALF, _ONE_BY_2PI, _HALF_BY_SQRT_2PI = 0.7071067811865476, 0.15915494309189535, 0.19947114020071635


def _owens_slope(h: Array, a: Array) -> Array:
    """exp(-h**2 (1 + a**2)/2)/(2 pi (1 + a**2)); what is lost in a*h, rounded, is put back."""
    product = a * h
    tame = (np.abs(a) < 1e140) & (np.abs(h) < 1e140)
    off = np.where(
        tame, product_error(np.where(tame, a, 0.0), np.where(tame, h, 0.0), np.where(tame, product, 0.0)), 0.0
    )
    return (
        _ONE_BY_2PI
        / (1 + a * a)
        * exp_of_square(h, -0.5)
        * exp_of_square(product, -0.5)
        * np.exp(np.where(np.abs(product) < 60, -product * off, 0.0))
    )


def _owens_by_integral(h: Array, a: Array) -> Array:
    """The integral of that from 0 to a, which is what T is."""
    found = np.zeros_like(h)
    for node, weight in unit_nodes(24):
        s = node * a
        found += weight * np.exp(-0.5 * np.square(h * s)) / (1 + s * s)
    return _ONE_BY_2PI * a * exp_of_square(h, -0.5) * found


_owens_value = pieces(
    (lambda h, a: (np.abs(h) > 0.8) & (np.abs(a) < 2) & (np.abs(a * h) < 5), _owens_by_integral),
    last=scipy_("owens_t"),
)

OWENS_SLOPE: Op = elementwise(
    "owens_t_slope",
    real(_owens_slope),
    lambda y, h, a: -h * (1 + a * a) * y,
    lambda y, h, a: -a * (h * h + 2 / (1 + a * a)) * y,
    meaning=lambda S, h, a: S.exp(-h * h * (1 + a * a) / 2) / (2 * S.pi * (1 + a * a)),
    doc="exp(-h**2*(1 + a**2)/2)/(2*pi*(1 + a**2)), the derivative of owens_t in a.",
)
OWENS_T: Op = elementwise(
    "owens_t",
    real(_owens_value),
    lambda y, h, a: -_HALF_BY_SQRT_2PI * exp_minus_half_square(h) * bind(ERF, a * h * _SQRT_HALF),
    lambda y, h, a: bind(OWENS_SLOPE, h, a),
    meaning=lambda S, h, a: S.owens_t(h, a),
    saves=(0, 1),
    doc="Owen's T: the probability of X > h, 0 < Y < a*X, of two independent normal variables.",
)
owens_t = elementwise_function(
    OWENS_T,
    parameters=("h", "a"),
    derivative="-exp(-h**2/2)*erf(a*h/sqrt(2))/(2*sqrt(2*pi)), exp(-h**2*(1 + a**2)/2)/(2*pi*(1 + a**2))",
    where="scipy",
    source="Owen 1956",
    cases=(case((2, 3), (3,)),),
    family="special",
)
