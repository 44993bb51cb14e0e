"""The incomplete beta function, differentiable in all its arguments to any order, and its inverse.

The derivatives in `a` and `b` are integrals of the beta density times polynomials in the logarithms of t and 1 - t,
over the side of x on which their sign does not change; near 0 and 1 they are power series.
"""

from __future__ import annotations

from math import comb, factorial
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.elementwise import equal, log, log1p, logical_or, where
from gradcli.ops.function import case
from gradcli.ops.kinds import elementwise
from gradcli.ops.registry import elementwise_function
from gradcli.ops.special.gamma_family import POLYGAMMA
from gradcli.ops.special.gamma_ratios import POLYGAMMA_STEP, beta_value, betaln_value, digamma_step
from gradcli.ops.special.incomplete_gamma import exponential_rest, polygamma_value
from gradcli.ops.special.log1p_parts import log1pmx, stirling
from gradcli.ops.special.quadrature import integral
from gradcli.ops.special.values import Array, pieces, real, scipy_

_rgamma, _gamma, _lower, _upper = map(scipy_, ("rgamma", "gamma", "betainc", "betaincc"))
_FAR = 12.0
_SQRT_2PI = 2.5066282746310002

# --- the density -----------------------------------------------------------------------------------------------------


def mass(a: Array, b: Array, x: Array, rest: Array) -> Array:
    """x**a (1 - x)**b/beta(a, b), given 1 - x too, for positive a and b."""
    return _MASSES(a, b, x, rest)


def _mass_far(a: Array, b: Array, x: Array, rest: Array) -> Array:
    """By Stirling's formula, of which what is large cancels on paper (Loader's saddle-point form)."""
    n = a + b
    off = x * b - rest * a
    by_a, by_b = off / a, -off / b
    exponent = a * _log_rest(by_a, x, a / n) + b * _log_rest(by_b, rest, b / n)
    return np.sqrt(a / n) * np.sqrt(b) / _SQRT_2PI * np.exp(exponent + stirling(n) - stirling(a) - stirling(b))


def _log_rest(off: Array, x: Array, mean: Array) -> Array:
    """log(x/mean) - off, which is log(1 + off) - off."""
    near = np.abs(off) < 0.5
    return np.where(near, log1pmx(np.where(near, off, 0.0)), np.log(x / mean) - off)


def _mass_plain(a: Array, b: Array, x: Array, rest: Array) -> Array:
    powers = np.power(x, a) * np.power(rest, b)
    found = powers / beta_value(a, b)
    tame = np.isfinite(found) & (np.minimum(found, powers) > 1e-300)
    logarithms = np.exp(a * np.log(x) + b * np.where(x < 0.5, np.log1p(-x), np.log(rest)) - betaln_value(a, b))
    return np.where(tame, found, logarithms)


_MASSES = pieces((lambda a, b, x, rest: np.minimum(a, b) >= _FAR, _mass_far), last=_mass_plain)


def _density(a: Array, b: Array, x: Array) -> Array:
    """In proportion to a parameter that is next to nothing."""
    more_a, more_b = _lifted(a, b), _lifted(b, a)
    return _DENSITIES(more_a, more_b, x) * _share(a, more_a) * _share(b, more_b)


def _lifted(a: Array, b: Array) -> Array:
    """a, or one whose reciprocal is far from the end of floats, and which is nothing beside b, too."""
    return np.where((a > 0) & (a < 1e-270) & (b > 1e-240), 1e-270, a)


def _share(a: Array, lifted: Array) -> Array:
    """What part of the lifted parameter the parameter is."""
    return np.where(lifted == a, 1.0, a / lifted)


def _inside(a: Array, b: Array, x: Array) -> Array:
    return (a > 0) & (b > 0) & (x > 0) & (x < 1)


def _at_ends(a: Array, b: Array, x: Array) -> Array:
    """On the border, and for parameters down to -1, which the derivative at the border asks for."""
    factor = _gamma(a + b) * _rgamma(a) * _rgamma(b)
    found = np.power(x, a - 1) * np.power(1 - x, b - 1) * factor
    return np.where((x < 0) | (x > 1), np.nan, np.where(factor == 0, 0.0, found))


def _within(a: Array, b: Array, x: Array) -> Array:
    """By the mass; where that is too small for a float the density need not be."""
    whole = mass(a, b, x, 1 - x)
    powers = np.power(x, a - 1) * np.power(1 - x, b - 1) / beta_value(a, b)
    lost = (whole < 1e-270) & (a >= 0.5) & (np.minimum(a, b) < _FAR) & np.isfinite(powers)
    return np.where(lost, powers, whole / x / (1 - x))


_DENSITIES = pieces((_inside, _within), last=_at_ends)


def _is_end(x: CoreValue) -> CoreValue:
    return logical_or(equal(x, 0), equal(x, 1))


def _density_slope(y: CoreValue, a: CoreValue, b: CoreValue, x: CoreValue) -> CoreValue:
    inner = where(_is_end(x), 0.5, x)
    at_end = (a + b - 1) * (bind(DENSITY, a - 1, b, x) - bind(DENSITY, a, b - 1, x))
    return where(_is_end(x), at_end, y * ((a - 1) / inner - (b - 1) / (1 - inner)))


def _log_of(x: CoreValue) -> CoreValue:
    """log(x), and 0 at 0, where what it multiplies is 0."""
    return log(where(equal(x, 0), 1.0, x))


def _log_of_rest(x: CoreValue) -> CoreValue:
    return log1p(-where(equal(x, 1), 0.0, x))


DENSITY: Op = elementwise(
    "betainc_density",
    real(_density),
    lambda y, a, b, x: y * (_log_of(x) + digamma_step(a, b)),
    lambda y, a, b, x: y * (_log_of_rest(x) + digamma_step(b, a)),
    _density_slope,
    meaning=lambda S, a, b, x: S.pow(x, a - 1) * S.pow(1 - x, b - 1) * S.gamma(a + b) * S.rgamma(a) * S.rgamma(b),
    doc="x**(a - 1)*(1 - x)**(b - 1)/beta(a, b).",
)

# --- weights ---------------------------------------------------------------------------------------------------------


def weight(cumulants: Any, i: int, j: int) -> Any:
    """The derivative of orders i and j of a function of two numbers, over itself, from those of its logarithm."""
    found: dict[tuple[int, int], Any] = {(0, 0): 1.0}
    for p in range(i + 1):
        for q in range(j + 1):
            if (p, q) in found:
                continue
            # One more derivative, by the first where p > 0, else by the second, of what is one order below.
            m, n = (p - 1, q) if p else (p, q - 1)
            terms = [
                comb(m, k) * comb(n, h) * cumulants(k + (p > 0), h + (p == 0)) * found[m - k, n - h]
                for k in range(m + 1)
                for h in range(n + 1)
            ]
            found[p, q] = sum(terms[1:], terms[0])
    return found[i, j]


def _higher(a: Array, b: Array, p: int, q: int) -> Array:
    """A cumulant of order two or more: of -log(beta)."""
    found = polygamma_value(p + q - 1, a + b)
    if q == 0:
        return POLYGAMMA_STEP.value(a, b, n=p - 1)
    return POLYGAMMA_STEP.value(b, a, n=q - 1) if p == 0 else found


# --- derivatives in a and b ------------------------------------------------------------------------------------------


def _from_left(a: Array, b: Array, x: Array, rest: Array, i: int, j: int) -> Array:
    """By the integral from 0 to x, t = x exp(-u)."""
    odds = x / rest
    by_a = np.log(x) + POLYGAMMA_STEP.value(a, b, n=0)
    by_b = np.where(x < 0.5, np.log1p(-x), np.log(rest)) + POLYGAMMA_STEP.value(b, a, n=0)
    fall = a - (b - 1) * odds

    def integrand(u: Array, a: Array, b: Array, odds: Array, fall: Array, by_a: Array, by_b: Array) -> Array:
        rise = -odds * np.expm1(-u)
        growth = np.log1p(rise)
        # For b < 1 both parts have one sign; else what is of first order in u is taken together before it is rounded.
        together = -fall * u + (b - 1) * (log1pmx(rise) - odds * exponential_rest(u))
        whole = np.exp(np.where(b < 1, (b - 1) * growth - a * u, together))
        firsts = {(1, 0): by_a - u, (0, 1): by_b + growth}
        return whole * weight(lambda p, q: firsts[p, q] if p + q == 1 else _higher(a, b, p, q), i, j)

    scale = np.maximum(1 / (np.maximum(fall, 0.0) + np.sqrt(a * (1 + odds))), 1 / a)
    return mass(a, b, x, rest) / rest * integral(integrand, scale, a, b, odds, fall, by_a, by_b)


def _by_powers(a: Array, b: Array, x: Array, rest: Array, i: int, j: int) -> Array:
    """By powers of x (DLMF 8.17.7 and 15.2.1), where x and b x are small."""
    series = [[np.zeros_like(x) for _ in range(j + 1)] for _ in range(i + 1)]
    rising = [np.ones_like(x), *(np.zeros_like(x) for _ in range(j))]  # (1 - b)(2 - b).../k! and its derivatives in b
    power = np.ones_like(x)
    for k in range(48):
        if k:
            rising = [(rising[q] * (k - b) - (q * rising[q - 1] if q else 0.0)) / k for q in range(j + 1)]
            power = power * x
        for p in range(i + 1):
            if p == 0:
                share = a / (a + k)
            else:  # k = 0 has none, even where the power of a is 0
                share = -((-1) ** p) * factorial(p) * k / (a + k) ** (p + 1) if k else np.zeros_like(a)
            for q in range(j + 1):
                series[p][q] = series[p][q] + rising[q] * power * share
    # What stands in front is x**a gamma(a + b)/(gamma(a + 1) gamma(b)).
    logarithm = np.log(x) + _between(a, b, 0)
    firsts = {(1, 0): logarithm, (0, 1): POLYGAMMA_STEP.value(b, a, n=0)}
    root = np.power(x, 0.5 * a)  # the power itself may be too small for a float
    total = np.zeros_like(x)
    for p in range(i + 1):
        for q in range(j + 1):
            w = weight(lambda m, n: firsts[m, n] if m + n == 1 else _front(a, b, m, n), p, q)
            total = total + comb(i, p) * comb(j, q) * w * series[i - p][j - q]
    return root * (root * (total / (a * beta_value(a, b))))


def _front(a: Array, b: Array, p: int, q: int) -> Array:
    if p and q:
        return polygamma_value(p + q - 1, a + b)
    return POLYGAMMA_STEP.value(b, a, n=q - 1) if q else _between(a, b, p - 1)


def _between(a: Array, b: Array, n: int) -> Array:
    """polygamma(n, a + b) - polygamma(n, a + 1), with its pole at a + b = 0 taken out where it is near."""
    pole = (-1) ** n * factorial(n) / (a + b) ** (n + 1)
    near = POLYGAMMA_STEP.value(a + 1, b, n=n) - pole
    return np.where(b < 0.5, near, POLYGAMMA_STEP.value(a + 1, b - 1, n=n))


def _is_small(a: Array, b: Array, x: Array, rest: Array) -> Array:
    return x * np.maximum(b, 1.0) < 0.4


def _side(a: Array, b: Array, x: Array, rest: Array, i: int, j: int) -> Array:
    """From the left, as far as that weight has one sign."""
    if i >= j:
        first = np.log(x) + POLYGAMMA_STEP.value(a, b, n=0) < 0
    else:
        first = np.log(rest) + POLYGAMMA_STEP.value(b, a, n=0) > 0
    sides = pieces(
        (lambda a, b, x, rest, first: first != 0, lambda a, b, x, rest, first: _from_left(a, b, x, rest, i, j)),
        last=lambda a, b, x, rest, first: -_from_left(b, a, rest, x, j, i),
    )
    return sides(a, b, x, rest, first.astype(np.float64))


def _of_nothing(a: Array, b: Array, i: int, j: int) -> Array:
    """The derivative of b/(a + b), which is what is left for the smallest a and b."""
    n = a + b
    if i and j:
        top = (b * i - a * j) * (-1) ** (i + j) * factorial(i + j - 1)
    else:
        top = b * (-1) ** i * factorial(i) if i else -a * (-1) ** j * factorial(j)
    for _ in range(i + j + 1):
        top = top / n
    return top


_SLOPES = pieces(
    (
        lambda a, b, x, rest: ~((a > 0) & (b > 0) & (x >= 0) & (x <= 1)),
        lambda a, b, x, rest, i, j: np.full_like(a, np.nan),
    ),
    (lambda a, b, x, rest: (x == 0) | (x == 1) | np.isinf(a + b), lambda a, b, x, rest, i, j: np.zeros_like(a)),
    (
        lambda a, b, x, rest: (a + b < 1e-30) & (x > 1e-300) & (rest > 1e-16),
        lambda a, b, x, rest, i, j: _of_nothing(a, b, i, j),
    ),
    (_is_small, _by_powers),
    (lambda a, b, x, rest: _is_small(b, a, rest, x), lambda a, b, x, rest, i, j: -_by_powers(b, a, rest, x, j, i)),
    last=_side,
)


def _slope(a: Array, b: Array, x: Array, i: int, j: int) -> Array:
    more_a, more_b = _lifted(a, b), _lifted(b, a)
    found = _SLOPES(more_a, more_b, x, 1 - x, i=i, j=j)
    # Where b is next to nothing the function is b times another, and where a is, 1 less a times one.
    found = found if i else found * _share(a, more_a)
    return found if j else found * _share(b, more_b)


def _mixed(y: CoreValue, a: CoreValue, b: CoreValue, x: CoreValue, i: int, j: int) -> CoreValue:
    """The derivative by x: that of the density, i times by a and j times by b."""

    def cumulants(p: int, q: int) -> CoreValue:
        if p + q == 1:
            return _log_of(x) + digamma_step(a, b) if p else _log_of_rest(x) + digamma_step(b, a)
        if p and q:
            return bind(POLYGAMMA, a + b, n=p + q - 1)
        return bind(POLYGAMMA_STEP, a, b, n=p - 1) if p else bind(POLYGAMMA_STEP, b, a, n=q - 1)

    return bind(DENSITY, a, b, x) * weight(cumulants, i, j)


BETAINC_BY: Op = elementwise(
    "betainc_by_parameters",
    real(_slope),
    lambda y, a, b, x, i, j: bind(BETAINC_BY, a, b, x, i=i + 1, j=j),
    lambda y, a, b, x, i, j: bind(BETAINC_BY, a, b, x, i=i, j=j + 1),
    _mixed,
    meaning=lambda S, a, b, x, i, j: S.betainc(i, j, 0, a, b, x),
    doc="The derivative of orders i in a and j in b of betainc(a, b, x).",
)

# --- the functions ---------------------------------------------------------------------------------------------------


def _is_tail(a: Array, b: Array, x: Array) -> Array:
    """Where the lower function is small and SciPy's loses digits."""
    n = a + b
    deviation = np.sqrt(a / n * (b / n) / n)
    return (a > 5) & (b > 0) & (x > 0) & (n < 1e300) & (x < a / n - 3 * deviation) & (x * np.maximum(b, 1) > 0.4)


_betainc = pieces((_is_tail, lambda a, b, x: _from_left(a, b, x, 1 - x, 0, 0)), last=_lower)
_betaincc = pieces(
    (lambda a, b, x: _is_tail(b, a, 1 - x), lambda a, b, x: _from_left(b, a, 1 - x, x, 0, 0)), last=_upper
)

BETAINC = elementwise(
    "betainc",
    real(_betainc),
    lambda y, a, b, x: bind(BETAINC_BY, a, b, x, i=1, j=0),
    lambda y, a, b, x: bind(BETAINC_BY, a, b, x, i=0, j=1),
    lambda y, a, b, x: bind(DENSITY, a, b, x),
    meaning=lambda S, a, b, x: S.betainc(a, b, x),
    saves=(0, 1, 2),
    doc="The regularised incomplete beta function.",
)
BETAINCC = elementwise(
    "betaincc",
    real(_betaincc),
    lambda y, a, b, x: -bind(BETAINC_BY, a, b, x, i=1, j=0),
    lambda y, a, b, x: -bind(BETAINC_BY, a, b, x, i=0, j=1),
    lambda y, a, b, x: -bind(DENSITY, a, b, x),
    meaning=lambda S, a, b, x: S.betaincc(a, b, x),
    saves=(0, 1, 2),
    doc="1 - betainc(a, b, x), exact where it is small.",
)


_OTHERS = {"betainc": "betaincc", "betaincc": "betainc"}


def _solved(S: Any, name: str, a: Any, b: Any, p: Any) -> Any:
    """x of which the function is p, by that equation."""
    from scipy import special

    start = getattr(special, f"{name}inv")(S.float(a), S.float(b), S.float(p))
    if S.float(p) > 0.5:  # what is left of 1 has more digits
        name, p = _OTHERS[name], 1 - p
    return S.implicit(lambda x: [getattr(S, name)(a, b, x[0]) - p], [float(start)])[0]


def _inverse(name: str, direct: Any, sign: int) -> Any:
    """SciPy's inverse, and a step of Newton's method from there."""
    rough = scipy_(name)

    def formula(a: Array, b: Array, y: Array) -> Array:
        x = rough(a, b, y)
        step = sign * (direct(a, b, x) - y) / _density(a, b, x)
        return np.where(np.abs(step) < 0.01 * np.minimum(x, 1 - x), x - step, x)

    return formula


def _inverse_by(i: int) -> Any:
    return lambda x, a, b, y: -bind(BETAINC_BY, a, b, x, i=i, j=1 - i) / bind(DENSITY, a, b, x)


BETAINCINV = elementwise(
    "betaincinv",
    real(_inverse("betaincinv", _betainc, 1)),
    _inverse_by(1),
    _inverse_by(0),
    lambda x, a, b, y: 1 / bind(DENSITY, a, b, x),
    meaning=lambda S, a, b, y: _solved(S, "betainc", a, b, y),
    saves=(0, 1, "y"),
    doc="The x at which betainc(a, b, x) is y.",
)
BETAINCCINV = elementwise(
    "betainccinv",
    real(_inverse("betainccinv", _betaincc, -1)),
    _inverse_by(1),
    _inverse_by(0),
    lambda x, a, b, y: -1 / bind(DENSITY, a, b, x),
    meaning=lambda S, a, b, y: _solved(S, "betaincc", a, b, y),
    saves=(0, 1, "y"),
    doc="The x at which betaincc(a, b, x) is y.",
)
_DOMAIN = ((0.5, 4.0), (0.5, 4.0), (0.1, 0.9))
_SOURCE = "DLMF 8.17, differentiated under the integral; Takahasi and Mori 1974 for the quadrature"
_PARAMETERS = "by a and b {0} the density's integral with log(t), log(1 - t) less their means"
_CASES = (
    case(np.array([0.3, 2.0, 15.0, 0.7]), np.array([0.4, 3.0, 20.0, 6.0]), np.array([0.01, 0.6, 0.5, 0.95])),
    case((2, 3), (3,), (2, 1)),
)
betainc = elementwise_function(
    BETAINC,
    parameters=("a", "b", "x"),
    derivative=f"vjp: by x g*x**(a - 1)*(1 - x)**(b - 1)/beta(a, b); {_PARAMETERS.format('g times')}",
    where="scipy",
    domain=_DOMAIN,
    defined="(a > 0) & (b > 0) & (x > 0) & (x < 1)",
    source=_SOURCE,
    cases=_CASES,
    family="special",
)
betaincc = elementwise_function(
    BETAINCC,
    parameters=("a", "b", "x"),
    derivative=f"vjp: by x -g*x**(a - 1)*(1 - x)**(b - 1)/beta(a, b); {_PARAMETERS.format('-g times')}",
    where="scipy",
    domain=_DOMAIN,
    defined="(a > 0) & (b > 0) & (x > 0) & (x < 1)",
    source=_SOURCE,
    cases=_CASES,
    family="special",
)
_INVERSES = (
    "vjp: by y, with x for the result, {0}g over the density at x; by a and b -g times betainc's over the density"
)
betaincinv = elementwise_function(
    BETAINCINV,
    parameters=("a", "b", "y"),
    derivative=_INVERSES.format(""),
    where="scipy",
    domain=_DOMAIN,
    defined="(a > 0) & (b > 0) & (y > 0) & (y < 1)",
    family="special",
)
betainccinv = elementwise_function(
    BETAINCCINV,
    parameters=("a", "b", "y"),
    derivative=_INVERSES.format("-"),
    where="scipy",
    domain=_DOMAIN,
    defined="(a > 0) & (b > 0) & (y > 0) & (y < 1)",
    family="special",
)
