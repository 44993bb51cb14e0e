"""Exponential, sine and cosine integrals, and the dilogarithm."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.arguments import integer
from gradcli.ops.elementwise.limits import bounded
from gradcli.ops.elementwise.pairs import COMPLEX
from gradcli.ops.fixed import held
from gradcli.ops.function import case
from gradcli.ops.kinds import elementwise
from gradcli.ops.operands import operands
from gradcli.ops.registry import elementwise_function, function
from gradcli.ops.special.turns import sine_over
from gradcli.ops.special.values import Array, horner, pieces, real, real_or_complex, scipy_

_exp1, _expi = map(scipy_, ("exp1", "expi"))

# --- exp(x)/x --------------------------------------------------------------------------------------------------------


def _exp_over(x: Array) -> Array:
    half = np.exp(0.5 * x)
    return np.where(np.isposinf(x), np.inf, half / x * half)


EXP_OVER: Op = elementwise(
    "exp_over",
    real_or_complex(_exp_over, lambda z: np.exp(z) / z),
    lambda y, x: y * (1 - 1 / x),
    meaning=lambda S, x: S.exp(x) / x,
    doc="exp(x)/x.",
)


def exp_over(x: CoreValue) -> CoreValue:
    """exp(x)/x, for rules."""
    return bind(EXP_OVER, x)


# --- exp1, expi, expn ------------------------------------------------------------------------------------------------


def _fraction(x: Array, n: int = 1) -> Array:
    """exp(-x)/(x + n/(1 + 1/(x + (n + 1)/(1 + 2/(x + ...))))), DLMF 8.19.17, from its end."""
    found = x
    for k in range(int(120 / np.min(x)) + 10, 0, -1):
        found = x + (n + k - 1) / (1 + k / found)
    return np.exp(-x) / found


def _expi_far(x: Array) -> Array:
    """The asymptotic series, DLMF 6.12.2."""
    terms = [1.0]
    for k in range(1, 40):
        terms.append(terms[-1] * k)
    return _exp_over(x) * horner(terms, 1 / x)


_exp1_value = pieces((lambda x: (x > 0.75) & (x < 1.5), _fraction), last=_exp1)
_expi_value = pieces((lambda x: (x > 40) & (x < 1e300), _expi_far), last=_expi)

EXP1 = elementwise(
    "exp1",
    real_or_complex(_exp1_value, _exp1),
    lambda y, x: exp_over(-x),
    meaning=lambda S, x: S.expn(1, x),
    saves=(0,),
    doc="The exponential integral E1, of exp(-t)/t from x to infinity.",
)
EXPI = elementwise(
    "expi",
    real_or_complex(_expi_value, _expi),
    lambda y, x: exp_over(x),
    meaning=lambda S, x: S.Ei(x),
    saves=(0,),
    doc="The exponential integral Ei, of exp(t)/t from -infinity to x.",
)


def _expn_near(x: Array, n: int) -> Array:
    from scipy import special

    return special.expn(n, x)


_expn_value = pieces((lambda x: x > 0.4, _fraction), last=_expn_near)


def _expn(x: Array, n: int) -> Array:
    return _exp1_value(x) if n == 1 else _expn_value(x, n=n)


EXPN: Op = elementwise(
    "expn",
    real(_expn),
    lambda y, x, n: exp_over(-x) if n == 1 else -bind(EXPN, x, n=n - 1),
    meaning=lambda S, x, n: S.expn(n, x),
    saves=(0,),
    doc="The generalised exponential integral, of exp(-x*t)/t**n from 1 to infinity.",
)
_RIGHT = (0.2, 5.0)
exp1 = elementwise_function(
    EXP1, derivative="-exp(-x)/x", where="scipy", domain=_RIGHT, defined="x > 0", family="special"
)
expi = elementwise_function(
    EXPI,
    derivative="exp(x)/x",
    where="scipy",
    domain=_RIGHT,
    defined="x != 0",
    cases=(case(np.array([-3.0, -0.5, 50.0])),),
    family="special",
)


@function(
    family="special",
    where="scipy",
    op=EXPN,
    derivative="vjp: by x, -g*expn(n - 1, x)",
    domain=_RIGHT,
    defined="x > 0",
    source="DLMF 8.19.13",
    cases=(case(1, (3,)), case(2, (2, 3)), case(3, ()), case(0, (2,)), case(2, (0,))),
)
def expn(n: Any, x: Any) -> CoreValue:
    """The generalised exponential integral, of exp(-x*t)/t**n over t from 1 to infinity, for an integer n from 0."""
    order = integer(n, "expn: the order")
    if order < 0:
        raise ArgumentError(f"expn: the order is an integer from 0, not {order}")
    (argument,) = operands((x,), True)
    argument = held(argument, n, "expn")
    return -exp_over(-argument) if order == 0 else bind(EXPN, argument, n=order)


# --- sine and cosine integrals ---------------------------------------------------------------------------------------


def _sici(part: int) -> Any:
    def formula(x: Array) -> Array:
        from scipy import special

        return special.sici(x)[part]

    return formula


COS_OVER: Op = elementwise(
    "cos_over",
    real_or_complex(lambda x: np.where(np.isinf(x), 0.0, np.cos(x) / x), lambda z: np.cos(z) / z),
    lambda y, x: -sine_over(x) - y / bounded(x),
    meaning=lambda S, x: S.cos(x) / x,
    doc="cos(x)/x.",
)
SI = elementwise(
    "sine_integral",
    real_or_complex(_sici(0), _sici(0)),
    lambda y, x: sine_over(x),
    meaning=lambda S, x: S.Si(x),
    saves=(0,),
    doc="The sine integral, of sin(t)/t from 0 to x.",
)
CI = elementwise(
    "cosine_integral",
    real_or_complex(_sici(1), _sici(1)),
    lambda y, x: bind(COS_OVER, x),
    meaning=lambda S, x: S.Ci(S.where(S.lt(x, 0), -x, x)) if not _is_complex(x) else S.Ci(x),
    saves=(0,),
    doc="The cosine integral, of cos(t)/t from infinity to x; of |x| where x < 0.",
)


def _is_complex(x: Any) -> bool:
    return hasattr(x, "im")


@function(
    family="special",
    where="scipy",
    derivative="vjp: g[0]*sin(x)/x + g[1]*cos(x)/x",
    domain=_RIGHT,
    defined="x != 0",
    kinks="x = 0: 1 for the sine integral, the limit, and inf for the cosine integral",
    source="DLMF 6.2.9, 6.2.11",
    cases=(case(()), case((3,)), case((2, 3)), case((0,)), case(np.array([-3.0, -0.5, 20.0])), case(COMPLEX)),
)
def sici(x: Any) -> tuple[CoreValue, CoreValue]:
    """The sine and the cosine integral."""
    (argument,) = operands((x,), True)
    return bind(SI, argument), bind(CI, argument)


# --- the dilogarithm -------------------------------------------------------------------------------------------------

#: B[2k]/(2k + 1)!, k from 1.
_DILOGARITHM = [
    1 / 36,
    -1 / 3600,
    1 / 211680,
    -1 / 10886400,
    1 / 526901760,
    -4.0647616451442255e-11,
    8.921691020456452e-13,
    -1.9939295860721074e-14,
    4.518980029619918e-16,
    -1.0356517612182471e-17,
    2.395218621026187e-19,
    -5.581785874325009e-21,
]


def _by_logarithm(u: Array) -> Array:
    """Li2(1 - exp(-u)), for |u| < 2 (Lewin, "Polylogarithms", 1.8)."""
    square = u * u
    return u - 0.25 * square + u * square * horner(_DILOGARITHM, square)


def _log(z: Array) -> Array:
    return np.where(np.abs(z - 1) < 0.5, np.log1p(z - 1), np.log(z))


def _spence_small(z: Array) -> Array:
    """By Li2(1 - z) + Li2(z), DLMF 25.12.6."""
    return (
        np.pi**2 / 6
        - np.where(z == 0, 0.0, np.log(np.where(z == 0, 1.0, z)) * np.log1p(-z))
        - _by_logarithm(-np.log1p(-z))
    )


def _spence_large(z: Array) -> Array:
    """By Li2(1 - z) + Li2(1 - 1/z), DLMF 25.12.7."""
    logarithm = np.log(z)
    return -0.5 * logarithm * logarithm - _SPENCE(1 / z)


_SPENCE = pieces(
    (lambda z: ~(z >= 0), lambda z: np.full_like(z, np.nan)),
    (lambda z: z < 0.5, _spence_small),
    (lambda z: z < 2, lambda z: _by_logarithm(-_log(z))),
    last=lambda z: _spence_large(z),
)


def _log_over_near(z: Array, n: int) -> Array:
    """By powers of 1 - z: -log(1 - t)/t and its derivatives, all terms of which are positive for t > 0."""
    t = 1 - z
    found = np.zeros_like(z)
    for k in reversed(range(n, n + 64)):
        falling = 1.0
        for j in range(n):
            falling *= k - j
        found = found * t + falling / (k + 1)
    return -found * (-1.0) ** n


def _log_over_far(z: Array, n: int) -> Array:
    """(1 - z) f = log(z), differentiated k times."""
    found = _log(z) / (1 - z)
    slope = 1 / z
    for k in range(1, n + 1):
        found = (slope + k * found) / (1 - z)
        slope = -k * slope / z
    return np.where(np.isinf(z), 0.0, found)


_LOG_OVERS = pieces((lambda z: (z > 0.5) & (z < 1.5), _log_over_near), last=_log_over_far)


def _log_over_of_complex(z: Array, n: int) -> Array:
    found, slope = np.log(z) / (1 - z), 1 / z
    for k in range(1, n + 1):
        found = (slope + k * found) / (1 - z)
        slope = -k * slope / z
    return found


LOG_OVER: Op = elementwise(
    "log_over",
    real_or_complex(_LOG_OVERS, _log_over_of_complex),
    lambda y, z, n: bind(LOG_OVER, z, n=n + 1),
    meaning=lambda S, z, n: -S.log1p_over(n, z - 1),
    doc="The derivative of order n of log(z)/(1 - z), which is that of spence.",
)
SPENCE = elementwise(
    "spence",
    real_or_complex(_SPENCE, scipy_("spence")),
    lambda y, z: bind(LOG_OVER, z, n=0),
    meaning=lambda S, z: S.spence(z),
    saves=(0,),
    doc="Spence's function, the dilogarithm of 1 - z.",
)
spence = elementwise_function(
    SPENCE,
    parameters=("z",),
    derivative="where(z == 1, -1, log(z)/where(z == 1, 1, 1 - z))",
    where="scipy",
    domain=(0.2, 5.0),
    defined="z > 0",
    source="DLMF 25.12.2",
    cases=(case(np.array([0.01, 0.999, 1.0, 1.001, 300.0])),),
    family="special",
)
