"""Ratios of gamma functions: beta, binomial coefficients, Pochhammer's symbol, and what their derivatives need.

gamma(z + a)/gamma(z) cancels if it is made of logarithms, and digamma(z + a) - digamma(z) does for small a. Here
neither does: Stirling's formula is subtracted from itself by hand, after both arguments were moved far enough right.
"""

from __future__ import annotations

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.kinds import elementwise
from gradcli.ops.special.exact_products import Pair, over, product_error, times, whole_product, whole_sum
from gradcli.ops.special.gamma_family import POLYGAMMA, log_gamma_near_two
from gradcli.ops.special.log1p_parts import log1pmx, stirling, stirling_difference
from gradcli.ops.special.values import Array, pieces, real, scipy_

_gamma, _rgamma, _poch, _digamma = map(scipy_, ("gamma", "rgamma", "poch", "digamma"))
_FAR = 10.0

# --- quotients of gammas of small numbers ----------------------------------------------------------------------------

#: Up to which arguments a quotient is made of products.
_SMALL = 15.0
_STEPS = np.arange(1.0, 17.0)


def _split(x: Array) -> tuple[Pair, Pair, Array]:
    """gamma(x) for 0 < x < 17 as a product, over another, times the exponential of a small number."""
    count = np.maximum(np.rint(x), 1.0) - 2  # how many steps it is from x down to where the series is
    factors = np.where(count[..., None] >= _STEPS, x[..., None] - _STEPS, 1.0)
    near = x <= 0.5
    below = (np.where(near, x * (1 + x), np.where(x < 1.5, x, 1.0)), np.zeros_like(x))
    error = np.where(near, product_error(x, 1 + x, x * (1 + x)) + x * (x - ((1 + x) - 1)), 0.0)
    z = np.where(near, x, x - np.rint(x))
    return whole_product(factors), (below[0], error), log_gamma_near_two(z)


def small_quotient(above: list[Pair], below: list[Pair]) -> Array:
    """The product of some gammas over that of others, to a few units of the last digit; all arguments in (0, 17).

    The arguments are pairs, as their sums would be rounded: gamma(x + e) is gamma(x)*(1 + e*digamma(x)).
    """
    one = (np.ones_like(above[0][0]), np.zeros_like(above[0][0]))
    top, bottom, exponent = one, one, np.zeros_like(one[0])
    for sign, (x, error) in [*((1, x) for x in above), *((-1, x) for x in below)]:
        more, less, logarithm = _split(x)
        more, less = (more, less) if sign > 0 else (less, more)
        top, bottom = times(top, more), times(bottom, less)
        exponent = exponent + sign * (logarithm + np.where(error == 0, 0.0, error * _digamma(x)))
    return over(top, bottom) * np.exp(exponent)


# --- gamma(z + a)/gamma(z) -------------------------------------------------------------------------------------------


def log_gamma_ratio(z: Array, a: Array) -> Array:
    """log(gamma(z + a)/gamma(z)) for z and z + a at least 10."""
    part = a / z
    return a * np.log(z + a) + z * log1pmx(part) - 0.5 * np.log1p(part) + stirling_difference(z, a)


def _far_ratio(z: Array, a: Array) -> Array:
    part = a / z
    rest = z * log1pmx(part) - 0.5 * np.log1p(part) + stirling_difference(z, a)
    whole = np.power(z + a, a) * np.exp(rest)
    # Where the power leaves the range of floats the whole need not.
    return np.where(np.isfinite(whole) & (whole != 0), whole, np.exp(a * np.log(z + a) + rest))


def _shifted_ratio(z: Array, a: Array) -> Array:
    """The smaller of z and z + a is moved to the right, step by step, and the steps are divided out."""
    factor = np.ones_like(z)
    for _ in range(int(_FAR)):
        near = np.minimum(z, z + a) < _FAR
        factor = np.where(near, factor * (z / (z + a)), factor)
        z = np.where(near, z + 1, z)
    return _far_ratio(z, a) * factor


gamma_ratio = pieces(
    # 1/gamma(z) is z.
    (lambda z, a: (z > 0) & (z < 1e-290) & (z + a > 1e-290) & (z + a < 170), lambda z, a: z * _gamma(z + a)),
    (
        lambda z, a: (z > 1e-300) & (z + a > 1e-300) & (z < _SMALL) & (z + a < _SMALL),
        lambda z, a: small_quotient([whole_sum(z, a)], [(z, 0.0 * z)]),
    ),
    (lambda z, a: (z >= _FAR) & (z + a >= _FAR), _far_ratio),
    (lambda z, a: (z > 0) & (z + a > 0), _shifted_ratio),
    last=_poch,
)

# --- digamma(z + a) - digamma(z), and the same of polygamma ----------------------------------------------------------

#: B[2k]/(2k), as digamma's series has them.
DIGAMMA_SERIES = [1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12, -3617 / 8160, 43867 / 14364]


def _digamma_step(z: Array, a: Array) -> Array:
    found = np.zeros_like(z)
    for _ in range(int(_FAR)):
        near = np.minimum(z, z + a) < _FAR
        found = np.where(near, found + a / (z + a) / z, found)
        z = np.where(near, z + 1, z)
    u, v = 1 / (z + a), 1 / z
    gap = -a * u * v  # u - v
    found = found + np.log1p(a / z) - 0.5 * gap
    squares = gap * (u + v)
    power, rest = squares, v * v
    for c in DIGAMMA_SERIES:
        found = found - c * power
        power, rest = power * u * u + rest * squares, rest * v * v
    return found


def _plain_step(z: Array, a: Array) -> Array:
    return _digamma(z + a) - _digamma(z)


_digamma_steps = pieces(
    (lambda z, a: (z > 0) & (z + a > 0) & (z + a < 1e307), _digamma_step),
    last=_plain_step,
)


def _polygamma_step(z: Array, a: Array, n: int) -> Array:
    if n == 0:
        return _digamma_steps(z, a)
    whole = POLYGAMMA.value(z + a, n=n) - POLYGAMMA.value(z, n=n)
    close = (np.abs(a) < 0.3 * np.abs(z)) & (z > 0)
    if not close.any():
        return whole
    found = _power_steps(np.where(close, z, 1.0), np.where(close, a, 0.0), n)
    return np.where(close, found, whole)


def _power_steps(z: Array, a: Array, n: int) -> Array:
    """The sum of n!*((z + k)**-(n+1) - (z + a + k)**-(n+1)), signed; the Euler-Maclaurin tail is made of them."""
    from math import factorial

    from gradcli.ops.special.gamma_family import BERNOULLI

    def step(y: Array, power: int) -> Array:
        """(y + a)**-power - y**-power."""
        return np.expm1(-power * np.log1p(a / y)) * y ** -float(power)

    found, far = np.zeros_like(z), n + 9.0
    for _ in range(n + 9):
        near = np.minimum(z, z + a) < far
        found = np.where(near, found + factorial(n) * step(z, n + 1), found)
        z = np.where(near, z + 1, z)
    found = found + factorial(n - 1) * step(z, n) + 0.5 * factorial(n) * step(z, n + 1)
    rising = float(factorial(n + 1))
    for k, b in enumerate(BERNOULLI):
        found = found + b * rising * step(z, n + 2 * k + 2)
        rising *= (n + 2 * k + 2) * (n + 2 * k + 3)
    return found * (1 if n % 2 else -1)


POLYGAMMA_STEP: Op = elementwise(
    "polygamma_step",
    real(_polygamma_step),
    lambda y, z, a, n: bind(POLYGAMMA_STEP, z, a, n=n + 1),
    lambda y, z, a, n: bind(POLYGAMMA, z + a, n=n + 1),
    meaning=lambda S, z, a, n: S.polygamma(n, z + a) - S.polygamma(n, z),
    doc="polygamma(n, z + a) - polygamma(n, z), without cancellation for small a.",
)


def digamma_step(z: CoreValue, a: CoreValue) -> CoreValue:
    """digamma(z + a) - digamma(z)."""
    return bind(POLYGAMMA_STEP, z, a, n=0)


# --- beta ------------------------------------------------------------------------------------------------------------

_HALF_LOG_2PI = 0.9189385332046728
_SQRT_2PI = 2.5066282746310002


def _log_beta_far(a: Array, b: Array) -> Array:
    """Both at least 10: by Stirling's formula, of which what is large cancels on paper."""
    n = a + b
    return -_far_exponent(a, b) + 0.5 * (np.log(n / a) - np.log(b)) + _HALF_LOG_2PI + _far_rest(a, b)


def _far_exponent(a: Array, b: Array) -> Array:
    return a * np.log1p(b / a) + b * np.log1p(a / b)


def _far_rest(a: Array, b: Array) -> Array:
    return stirling(a) + stirling(b) - stirling(a + b)


def _log_beta_one_far(a: Array, b: Array) -> Array:
    small, large = np.minimum(a, b), np.maximum(a, b)
    return _log_gamma(small) - log_gamma_ratio(large, small)


_log_gamma = scipy_("gammaln")


def _beta_far(a: Array, b: Array) -> Array:
    n = a + b
    return _SQRT_2PI * np.sqrt(n / a) / np.sqrt(b) * np.exp(_far_rest(a, b) - _far_exponent(a, b))


def _beta_one_far(a: Array, b: Array) -> Array:
    small, large = np.minimum(a, b), np.maximum(a, b)
    return _gamma(small) / gamma_ratio(large, small)


def _both_far(a: Array, b: Array) -> Array:
    return (a >= _FAR) & (b >= _FAR) & (a + b < 1e307)


def _one_far(a: Array, b: Array) -> Array:
    return (a > 0) & (b > 0) & (np.maximum(a, b) >= _FAR) & (a + b < 1e307)


def _both_near(a: Array, b: Array) -> Array:
    return (np.minimum(a, b) > 1e-150) & (a + b < _SMALL)


beta_value = pieces(
    (_both_near, lambda a, b: small_quotient([(a, 0.0 * a), (b, 0.0 * b)], [whole_sum(a, b)])),
    (_both_far, _beta_far),
    (_one_far, _beta_one_far),
    last=scipy_("beta"),
)


def _log_beta_near(a: Array, b: Array) -> Array:
    """One of the two is next to nothing, and its reciprocal may be infinite."""
    small, large = np.minimum(a, b), np.maximum(a, b)
    return np.log1p(small / large) - np.log(small)


betaln_value = pieces(
    (lambda a, b: (np.minimum(a, b) < 1e-290) & (np.minimum(a, b) > 0) & (np.maximum(a, b) < 1e290), _log_beta_near),
    (_both_far, _log_beta_far),
    (_one_far, _log_beta_one_far),
    last=scipy_("betaln"),
)
