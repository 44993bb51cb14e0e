"""The incomplete gamma functions, differentiable in both arguments to any order, and their inverses.

The derivatives in `a` are integrals of the gamma density times a polynomial in log(t) - digamma(a), over the side of x
on which its sign does not change.
"""

from __future__ import annotations

from collections.abc import Callable
from math import comb, factorial
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.elementwise import equal, greater, log, logical_and, where
from gradcli.ops.function import case
from gradcli.ops.kinds import elementwise
from gradcli.ops.registry import elementwise_function
from gradcli.ops.special.exact_products import product_error
from gradcli.ops.special.gamma_family import POLYGAMMA, digamma_of, log_gamma_near_two
from gradcli.ops.special.log1p_parts import log1pmx, stirling
from gradcli.ops.special.quadrature import integral
from gradcli.ops.special.values import Array, horner, pieces, real, scipy_

_digamma, _rgamma, _lower, _upper = map(scipy_, ("digamma", "rgamma", "gammainc", "gammaincc"))
_FAR = 12.0
_SQRT_2PI = 2.5066282746310002


def polygamma_value(n: int, x: Array) -> Array:
    """polygamma of order n of positive numbers."""
    return POLYGAMMA.value(x, n=n)


# --- weights ---------------------------------------------------------------------------------------------------------


def weights(cumulants: Callable[[int], Any], count: int) -> list[Any]:
    """The derivatives of orders 0 to `count` of a function, over itself, from those of its logarithm: Bell's
    polynomials."""
    found: list[Any] = [1.0]
    for n in range(count):
        terms = [comb(n, k) * cumulants(k + 1) * found[n - k] for k in range(n + 1)]
        found.append(sum(terms[1:], terms[0]))
    return found


# --- the density -----------------------------------------------------------------------------------------------------


def _falling(power: Array, x: Array) -> Array:
    """power*exp(-x), where the exponential alone may be too small for a float."""
    half = np.exp(-0.5 * x)
    return np.where(x < 600, power * np.exp(-x), power * half * half)


def _mass_near(a: Array, x: Array) -> Array:
    """x**a exp(-x)/gamma(a) for a below 12."""
    size = np.minimum(x, 2000.0)
    return _falling(np.power(size, a), size) * _rgamma(a)


def _mass_far(a: Array, x: Array) -> Array:
    """The same by Stirling's formula, of which what is large cancels on paper (Loader's saddle-point form)."""
    off = (x - a) / a
    near = np.abs(off) < 0.5
    rest = np.where(near, log1pmx(np.where(near, off, 0.0)), np.log(x / a) - off)
    return np.sqrt(a) / _SQRT_2PI * np.exp(a * rest - stirling(a))


mass = pieces((lambda a, x: ~(a >= _FAR), _mass_near), last=_mass_far)


def _density_near(a: Array, x: Array) -> Array:
    factor = _rgamma(a)
    # For a near 0, a - 1 has lost its last digits.
    size = np.minimum(x, 2000.0)
    power = np.where(a < 0.5, np.power(size, a) * factor / size, np.power(size, a - 1) * factor)
    found = _falling(power, size)
    return np.where(factor == 0, 0.0, np.where(x < 0, np.nan, found))


def _density_far(a: Array, x: Array) -> Array:
    return np.where((x == 0) | np.isinf(x), 0.0, _mass_far(a, x) / x)


_density = pieces((lambda a, x: ~(a >= _FAR), _density_near), last=_density_far)


def _by_a(y: CoreValue, a: CoreValue, x: CoreValue) -> CoreValue:
    return y * (_log(x) - digamma_of(a))


def _log(x: CoreValue) -> CoreValue:
    """log(x), and 0 at 0: what it multiplies is 0 there."""
    return log(where(equal(x, 0), 1.0, x))


DENSITY: Op = elementwise(
    "gammainc_density",
    real(_density),
    _by_a,
    lambda y, a, x: bind(DENSITY, a - 1, x) - y,
    meaning=lambda S, a, x: S.pow(x, a - 1) * S.exp(-x) * S.rgamma(a),
    doc="x**(a - 1)*exp(-x)/gamma(a).",
)

# --- derivatives in a ------------------------------------------------------------------------------------------------


def exponential_rest(u: Array) -> Array:
    """u + exp(-u) - 1, without cancellation."""
    return _REST(u)


_POWERS = [(-1) ** k / factorial(k + 2) for k in range(16)]
_REST = pieces((lambda u: np.abs(u) < 0.7, lambda u: u * u * horner(_POWERS, u)), last=lambda u: np.expm1(-u) + u)


def _log_over(a: Array, x: Array) -> Array:
    """log(x) - digamma(a), exact where the two are near each other."""
    return _LOG_OVER(a, x)


def _log_over_far(a: Array, x: Array) -> Array:
    t = 1 / (a * a)
    # digamma(a) - log(a), DLMF 5.11.2.
    correction = -0.5 / a - t * horner([1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12], t)
    off = (x - a) / a
    return np.where(np.abs(off) < 0.5, np.log1p(np.maximum(off, -0.5)), np.log(x / a)) - correction


_LOG_OVER = pieces((lambda a, x: a >= 10, _log_over_far), last=lambda a, x: np.log(x) - _digamma(a))


def _weight(logarithm: Array, a: Array, n: int) -> Array:
    """The weight of order n where log(t) - digamma(a) is `logarithm`."""
    return weights(lambda k: logarithm if k == 1 else -polygamma_value(k - 1, a), n)[n]


def _below(a: Array, x: Array, n: int) -> Array:
    """By the integral from 0 to x, t = x exp(-u)."""

    def integrand(u: Array, a: Array, x: Array, first: Array) -> Array:
        return np.exp(-(a - x) * u - x * exponential_rest(u)) * _weight(first - u, a, n)

    scale = 1 / (np.maximum(a - x, 0.0) + np.sqrt(x))
    return mass(a, x) * integral(integrand, scale, a, x, _log_over(a, x))


def _above(a: Array, x: Array, n: int) -> Array:
    """By the integral from x to infinity, t = x exp(u): the derivative of the upper function."""

    def integrand(u: Array, a: Array, x: Array, first: Array) -> Array:
        return np.exp(-(x - a) * u - x * exponential_rest(-u)) * _weight(first + u, a, n)

    scale = 1 / (np.maximum(x - a, 0.0) + np.sqrt(x))
    return mass(a, x) * integral(integrand, scale, a, x, _log_over(a, x))


def _near_nothing(a: Array, x: Array, n: int) -> Array:
    """By powers of x (DLMF 8.7.1), for x < 1/2."""
    series = []
    for order in range(n + 1):
        found, term = np.zeros_like(x), np.ones_like(x)
        for k in range(1, 20):
            term = term * (-x / k)
            # The derivative of a/(a + k) = 1 - k/(a + k).
            share = a / (a + k) if order == 0 else -((-1) ** order) * factorial(order) * k / (a + k) ** (order + 1)
            found = found + term * share
        series.append(found if order else 1 + found)
    higher = [-polygamma_value(k, a + 1) for k in range(1, n)]
    logarithm = np.log(x) - _digamma(a + 1)
    front = weights(lambda k: logarithm if k == 1 else higher[k - 2], n)
    total = sum(comb(n, k) * front[k] * series[n - k] for k in range(n + 1))
    return np.where(x == 0, 0.0, np.power(x, a) * _rgamma(a + 1) * total)


def _above_nothing(a: Array, x: Array) -> Array:
    """1 - x**a (1 - s)/gamma(a + 1), whose power and s are near 1 and 0 for small a and x."""
    s, term = np.zeros_like(x), np.ones_like(x)
    for k in range(1, 20):
        term = term * (-x / k)
        s = s - term * (a / (a + k))
    low = a < 0.5
    log_gamma = np.where(low, log_gamma_near_two(a) - np.log1p(a), log_gamma_near_two(np.where(low, 0.0, a - 1)))
    exponent = a * np.log(x) - log_gamma
    return np.exp(exponent) * s - np.expm1(exponent)


_SLOPES_IN_A = pieces(
    (lambda a, x: ~((a > 0) & (x >= 0)), lambda a, x, n: np.full_like(a, np.nan)),
    (lambda a, x: np.isinf(x) | np.isinf(a), lambda a, x, n: np.zeros_like(a)),
    (lambda a, x: x < 0.5, _near_nothing),
    (lambda a, x: _log_over(a, x) < 0, _below),
    last=lambda a, x, n: -_above(a, x, n),
)
#: A smaller a is as good as this one: slopes are smooth there, and their parts would leave the range of floats.
_LEAST = 1e-290


def _slope_in_a(a: Array, x: Array, n: int) -> Array:
    return _SLOPES_IN_A(np.where((a > 0) & (a < _LEAST), _LEAST, a), x, n=n)


# --- the functions ---------------------------------------------------------------------------------------------------


#: From where on SciPy's upper function loses digits.
_OUT = 30.0


def _is_tail(sign: int) -> Callable[..., Array]:
    def holds(a: Array, x: Array) -> Array:
        far = sign * (x - a) > 3 * np.sqrt(np.maximum(a, 0))
        return (a > 20) & far & (x > 0) & (x < 1e300) & (a < 1e300)

    return holds


_gammainc = pieces(
    (lambda a, x: (x < 0.5) & (x > 0) & (a > 0) & (a < 100), lambda a, x: _near_nothing(a, x, 0)),
    (_is_tail(-1), lambda a, x: _below(a, x, 0)),
    last=_lower,
)
_gammaincc = pieces(
    (lambda a, x: (a > 0) & (a < 1) & (x > 0) & (x < 0.5), _above_nothing),
    (lambda a, x: (a > 0) & (a < 1) & (x >= 0.5) & (x < 1e300), lambda a, x: _above(a, x, 0)),
    (_is_tail(1), lambda a, x: _above(a, x, 0)),
    (lambda a, x: (a > 0) & (a <= 20) & (x > _OUT) & (x < 1e300), lambda a, x: _above(a, x, 0)),
    last=_upper,
)


def _mixed(y: CoreValue, a: CoreValue, x: CoreValue, n: int) -> CoreValue:
    """The derivative by x: that of the density, n times by a."""
    found = weights(lambda k: _log(x) - digamma_of(a) if k == 1 else -bind(POLYGAMMA, a, n=k - 1), n)
    return bind(DENSITY, a, x) * found[n]


GAMMAINC_BY_A: Op = elementwise(
    "gammainc_by_a",
    real(_slope_in_a),
    lambda y, a, x, n: bind(GAMMAINC_BY_A, a, x, n=n + 1),
    _mixed,
    meaning=lambda S, a, x, n: S.gammainc(n, 0, a, x),
    doc="The derivative of order n of gammainc(a, x) in a.",
)
GAMMAINC = elementwise(
    "gammainc",
    real(_gammainc),
    lambda y, a, x: bind(GAMMAINC_BY_A, a, x, n=1),
    lambda y, a, x: bind(DENSITY, a, x),
    meaning=lambda S, a, x: S.gammainc(a, x),
    torch="Igamma",
    saves=(0, 1),
    doc="The regularised lower incomplete gamma function.",
)
GAMMAINCC = elementwise(
    "gammaincc",
    real(_gammaincc),
    lambda y, a, x: -bind(GAMMAINC_BY_A, a, x, n=1),
    lambda y, a, x: -bind(DENSITY, a, x),
    meaning=lambda S, a, x: S.gammaincc(a, x),
    torch="Igammac",
    saves=(0, 1),
    doc="The regularised upper incomplete gamma function, 1 - gammainc(a, x).",
)


_OTHERS = {"gammainc": "gammaincc", "gammaincc": "gammainc"}


def _solved(S: Any, name: str, a: Any, p: Any) -> Any:
    """x of which the function is p, by that equation."""
    from scipy import special

    start = getattr(special, f"{name}inv")(S.float(a), S.float(p))
    if S.float(p) > 0.5:  # what is left of 1 has more digits
        name, p = _OTHERS[name], 1 - p
    return S.implicit(lambda x: [getattr(S, name)(a, x[0]) - p], [float(start)])[0]


def _both(a: Array, x: Array) -> tuple[Array, Array]:
    """The lower and the upper function, of which the smaller is one integral."""
    left = x < a
    small = pieces((lambda a, x: x < a, lambda a, x: _below(a, x, 0)), last=lambda a, x: _above(a, x, 0))(a, x)
    return np.where(left, small, 1 - small), np.where(left, 1 - small, small)


def _is_ordinary(a: Array, x: Array) -> Array:
    """Where SciPy's functions are right to a dozen ulps only: too few for a step of Newton's method."""
    return (a > 0) & (a < 20) & (x >= 0.5) & (x < 100)


def _inverse(name: str, direct: Any, sign: int) -> Any:
    """SciPy's inverse, and a step of Newton's method from there."""
    rough = scipy_(name)

    def formula(a: Array, y: Array) -> Array:
        x = rough(a, y)
        step = sign * (direct(a, x) - y) / _density(a, x)
        tame = (np.abs(step) < 0.01 * x) & (y > 1e-290)  # the smallest floats have few digits
        return np.where(tame, x - step, x)

    return formula


def _power_inverse(a: Array, y: Array) -> Array:
    """(y gamma(a + 1))**(1/a), with what 1/a loses by rounding put back: where exp(-x) is 1, x**a/gamma(a + 1) is y."""
    share = 1 / a
    off = (1 - share * a - product_error(share, a, share * a)) / a
    base = y / _rgamma(a + 1)
    return np.power(base, share) * np.exp(np.log(base) * off)


def _inverts_power(a: Array, y: Array) -> Array:
    """Where the result is so small and all on the way is ordinary."""
    return (a > 1e-3) & (a < 100) & (y > 0) & (y < 1e-200) & (np.log(y) < -60 * a)


def _reached(a: CoreValue, x: CoreValue, y: CoreValue) -> CoreValue:
    """gammaincc(a, x)/y, which makes up for the rounding of x: by an ulp of it the density far out moves by x ulps."""
    tame = logical_and(greater(x, _OUT), greater(y, 1e-307))
    return where(tame, bind(GAMMAINCC, a, x) / where(tame, y, 1.0), 1.0)


GAMMAINCINV = elementwise(
    "gammaincinv",
    real(
        pieces(
            (_inverts_power, _power_inverse),
            last=_inverse("gammaincinv", pieces((_is_ordinary, lambda a, x: _both(a, x)[0]), last=_gammainc), 1),
        )
    ),
    lambda x, a, y: -bind(GAMMAINC_BY_A, a, x, n=1) / bind(DENSITY, a, x),
    lambda x, a, y: 1 / bind(DENSITY, a, x),
    meaning=lambda S, a, y: _solved(S, "gammainc", a, y),
    saves=(0, "y"),
    doc="The x at which gammainc(a, x) is y.",
)
GAMMAINCCINV = elementwise(
    "gammainccinv",
    real(_inverse("gammainccinv", pieces((_is_ordinary, lambda a, x: _both(a, x)[1]), last=_gammaincc), -1)),
    lambda x, a, y: -bind(GAMMAINC_BY_A, a, x, n=1) / bind(DENSITY, a, x),
    lambda x, a, y: -_reached(a, x, y) / bind(DENSITY, a, x),
    meaning=lambda S, a, y: _solved(S, "gammaincc", a, y),
    saves=(0, "y"),
    doc="The x at which gammaincc(a, x) is y.",
)

_BY_A = "{0} the integral of the density times (log(t) - digamma(a)) from 0 to x"
_DENSITY = "g*x**(a - 1)*exp(-x)/gamma(a)"
_SOURCE = "DLMF 8.2, differentiated under the integral; Takahasi and Mori 1974 for the quadrature"
_CASES = (
    case(np.array([0.3, 2.0, 15.0, 40.0]), np.array([0.01, 3.0, 14.0, 60.0])),
    case((2, 3), (3,)),
    case((), (2,)),
)
gammainc = elementwise_function(
    GAMMAINC,
    parameters=("a", "x"),
    derivative=f"vjp: by x {_DENSITY}; by a {_BY_A.format('g times')}",
    where="scipy",
    also=("torch.special.gammainc", "torch.igamma", ".igamma", "jax.lax.igamma", "igamma"),
    domain=((0.5, 6.0), (0.2, 8.0)),
    defined="(a > 0) & (x > 0)",
    source=_SOURCE,
    cases=_CASES,
    family="special",
)
gammaincc = elementwise_function(
    GAMMAINCC,
    parameters=("a", "x"),
    derivative=f"vjp: by x -{_DENSITY}; by a {_BY_A.format('-g times')}",
    where="scipy",
    also=("torch.special.gammaincc", "torch.igammac", ".igammac", "jax.lax.igammac", "igammac"),
    domain=((0.5, 6.0), (0.2, 8.0)),
    defined="(a > 0) & (x > 0)",
    source=_SOURCE,
    cases=_CASES,
    family="special",
)
_INVERSE = ((0.5, 6.0), (0.1, 0.9))
gammaincinv = elementwise_function(
    GAMMAINCINV,
    parameters=("a", "y"),
    derivative="vjp: by y, with x for the result, g*gamma(a)*exp(x)*x**(1 - a); "
    "by a -g times gammainc's over the density",
    where="scipy",
    domain=_INVERSE,
    defined="(a > 0) & (y > 0) & (y < 1)",
    family="special",
)
gammainccinv = elementwise_function(
    GAMMAINCCINV,
    parameters=("a", "y"),
    derivative="vjp: by y, with x for the result, -g*gamma(a)*exp(x)*x**(1 - a); "
    "by a -g times gammainc's over the density",
    where="scipy",
    domain=_INVERSE,
    defined="(a > 0) & (y > 0) & (y < 1)",
    family="special",
)
