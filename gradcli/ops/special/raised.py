"""Powers of 10, x**y - 1, and the inverses of Box and Cox's transformation."""

from __future__ import annotations

from functools import partial

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.carrying import carried
from gradcli.ops.elementwise import absolute, less, power, where
from gradcli.ops.elementwise.exponentiation import POWER_LOGGED, POWER_SLOPE
from gradcli.ops.elementwise.pairs import BROADCASTS, PAIR
from gradcli.ops.function import case
from gradcli.ops.kinds import elementwise
from gradcli.ops.registry import elementwise_function
from gradcli.ops.special.exact_products import product_error
from gradcli.ops.special.exponential_integrals import LOG_OVER
from gradcli.ops.special.values import Array, pieces, real, scipy_

_LN10 = 2.302585092994046

EXP10: Op = elementwise(
    "exp10",
    real(lambda x: np.power(10.0, x)),
    lambda y, x: y * _LN10,
    meaning=lambda S, x: S.pow(10, x),
    saves=("y",),
    doc="10 to the power x.",
)
exp10 = elementwise_function(EXP10, derivative="log(10)*10**x", where="scipy", family="special")

POWM1: Op = elementwise(
    "powm1",
    real(scipy_("powm1")),
    lambda z, x, y: bind(POWER_SLOPE, power(x, y), x, y),
    lambda z, x, y: bind(POWER_LOGGED, power(x, y), x, y),
    meaning=lambda S, x, y: S.pow(x, y) - 1,
    saves=(0, 1),
    doc="x**y - 1, exact where x**y is near 1.",
)
powm1 = elementwise_function(
    POWM1,
    parameters=PAIR,
    derivative="y*x**(y - 1), x**y*log(x)",
    where="scipy",
    domain=((0.3, 2.5), (-2.0, 2.0)),
    defined="x > 0",
    cases=(*BROADCASTS, case(np.array([1.0, 1.0 + 1e-9, 0.5, 2.0]), np.array([0.3, 2.0, 1e-9, 0.0]))),
    family="special",
)

# --- inverses of Box and Cox's transformation ------------------------------------------------------------------------


def _by_lmbda(e: CoreValue, x: CoreValue, lmbda: CoreValue) -> CoreValue:
    """The derivative of e = log(1 + lmbda*x)/lmbda in lmbda; where a difference cancels, that of log(1 + t)/t."""
    t = lmbda * x
    near = less(absolute(t), 0.5)
    inside = -bind(LOG_OVER, 1 + where(near, t, 0.0), n=1) * x * x
    divisor, far = where(near, 1.0, lmbda), where(near, 1.0, x)
    return where(near, inside, (1 / (1 / far + lmbda) - e) / divisor)


def _of_box(x: CoreValue, lmbda: CoreValue) -> CoreValue:
    return bind(INV_BOXCOX, x, lmbda)


def _exponent(x: Array, lmbda: Array) -> Array:
    """log(1 + lmbda*x)/lmbda, x where lmbda is 0."""
    t = lmbda * x
    logarithm = np.where(t < np.inf, np.log1p(t), np.log(np.abs(lmbda)) + np.log(np.abs(x)))
    return np.where((np.abs(t) < 1e-300) | (lmbda == 0), x, logarithm / np.where(lmbda == 0, 1.0, lmbda))


BOX_EXPONENT: Op = elementwise(
    "box_exponent",
    real(_exponent),
    lambda y, x, lmbda: 1 / (1 + lmbda * x),
    _by_lmbda,
    meaning=lambda S, x, lmbda: x * S.log1p_over(lmbda * x),
    doc="log(1 + lmbda*x)/lmbda, and x where lmbda is 0.",
)


def _raised(x: Array, lmbda: Array) -> Array:
    """(1 + lmbda*x)**(1/lmbda), with what 1/lmbda loses by rounding put back."""
    share = 1 / lmbda
    off = -product_error(share, lmbda, share * lmbda) + (1 - share * lmbda)
    base = 1 + lmbda * x
    found = np.power(base, share)
    plain = (base == 0) | (found == 0)  # nothing is put back where nothing is left
    return found * np.exp(np.where(plain, 0.0, _exponent(x, lmbda) * off))


def _is_short(x: Array, lmbda: Array) -> Array:
    """Whether rounding the logarithm costs no digits of its exponential."""
    t = lmbda * x
    return (np.abs(t) < 0.5) | np.isinf(t) | (lmbda == 0) | (np.abs(_exponent(x, lmbda)) < 1)


_inverse = pieces((_is_short, lambda x, lmbda: np.exp(_exponent(x, lmbda))), last=_raised)
_inverse1p = pieces(
    (_is_short, lambda x, lmbda: np.expm1(_exponent(x, lmbda))), last=lambda x, lmbda: _raised(x, lmbda) - 1
)

INV_BOXCOX: Op = elementwise(
    "inv_boxcox",
    real(_inverse),
    lambda y, x, lmbda: y / (1 + lmbda * x),
    lambda y, x, lmbda: carried(y, _by_lmbda(bind(BOX_EXPONENT, x, lmbda), x, lmbda)),
    meaning=lambda S, x, lmbda: S.exp(x * S.log1p_over(lmbda * x)),
    doc="(1 + lmbda*x)**(1/lmbda), and exp(x) where lmbda is 0: the inverse of boxcox.",
)
INV_BOXCOX1P: Op = elementwise(
    "inv_boxcox1p",
    real(_inverse1p),
    lambda y, x, lmbda: _of_box(x, lmbda) / (1 + lmbda * x),
    lambda y, x, lmbda: carried(_of_box(x, lmbda), _by_lmbda(bind(BOX_EXPONENT, x, lmbda), x, lmbda)),
    meaning=lambda S, x, lmbda: S.expm1(x * S.log1p_over(lmbda * x)),
    doc="(1 + lmbda*x)**(1/lmbda) - 1, and exp(x) - 1 where lmbda is 0: the inverse of boxcox1p.",
)
_AT_NOTHING, _DIVISOR = "lmbda == 0", "where(lmbda == 0, 1, lmbda)"
_SLOPES = (
    "inv_boxcox(x, lmbda)/(1 + lmbda*x), "
    f"inv_boxcox(x, lmbda)*where({_AT_NOTHING}, -x**2/2, (x/(1 + lmbda*x) - log1p(lmbda*x)/{_DIVISOR})/{_DIVISOR})"
)
_ZERO = (
    case((3,), 0.0),
    case((3,), np.array([0.0, 1.0, 1e-9])),
    case((2, 3), (3,)),
    case(np.array([0.9, -0.9, 3.0]), np.array([-0.9, 1.0, 4.0])),
)
_inverse_of_boxcox = partial(
    elementwise_function,
    parameters=("x", "lmbda"),
    derivative=_SLOPES,
    where="scipy",
    domain=((-0.5, 3.0), (0.3, 1.5)),
    defined="1 + lmbda*x > 0",
    source="Box and Cox 1964",
    cases=_ZERO,
    family="special",
)
inv_boxcox = _inverse_of_boxcox(INV_BOXCOX)
inv_boxcox1p = _inverse_of_boxcox(INV_BOXCOX1P)
