"""Logarithms carried in two floats, sums of them, and the exponentials of such sums.

exp of a logarithm of -700 that was rounded to a float is wrong by hundreds of units of its last digit. Here a logarithm
is the float nearest to it and a second one for what is left, and so are sums of logarithms; its exponential is right to
a unit or two, and neither it nor what it is multiplied by need be in the range of floats on the way.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, reduce

import numpy as np

from gradcli.ops.special.exact_products import Pair, product_error, whole_sum
from gradcli.ops.special.gamma_family import log_gamma_near_two
from gradcli.ops.special.log1p_parts import log1pmx, stirling
from gradcli.ops.special.values import Array, scipy_

_gamma = scipy_("gamma")

LONG_LOG_2PI: Pair = (1.8378770664093456, -7.756588316134483e-17)
LONG_LOG_2: Pair = (0.6931471805599453, 2.3190468138462996e-17)
LONG_LOG_PI: Pair = (1.1447298858494002, 1.0265951162707826e-17)
#: log(2) as a float of 33 bits, whose product with a small integer is exact, and the rest.
_LOG_2_HIGH, _LOG_2_LOW = 0.6931471803691238, 1.9082149292705877e-10
_SQRT_HALF = 0.7071067811865476
#: The table has the logarithms of k/64 for k from here up to 91.
_FIRST, _PARTS = 45, 64
#: What the logarithm of 0 is here: multiples of it may cancel, where infinities would make nan.
_LOG_OF_NOTHING = -(2.0**996)

# --- sums ------------------------------------------------------------------------------------------------------------


def added(*terms: Pair | Array) -> Pair:
    """The sum of pairs and floats."""
    return reduce(_sum, (x if isinstance(x, tuple) else alone(x) for x in terms))


def _sum(x: Pair, y: Pair) -> Pair:
    high, error = whole_sum(x[0], y[0])
    return high, _finite(error) + (x[1] + y[1])


def scaled(factor: Array, x: Pair) -> Pair:
    """A float times a pair."""
    high = factor * x[0]
    return high, _finite(product_error(factor, x[0], high)) + factor * x[1]


def alone(x: Array) -> Pair:
    """A float as a pair."""
    return x, np.zeros(np.shape(x))


def minus(x: Pair) -> Pair:
    """The opposite of a pair."""
    return -x[0], -x[1]


def over_float(x: Pair, y: Array) -> Pair:
    """A pair over a float."""
    high = x[0] / y
    product = high * y
    rest = (x[0] - product) - product_error(high, y, product) + x[1]
    return high, _finite(rest / y)


def _finite(error: Array) -> Array:
    """A rounding error, or 0 where a number was too large to have one."""
    return np.where(np.isfinite(error), error, 0.0)


def chosen(where: Array, one: Callable[[], Pair], other: Callable[[], Pair]) -> Pair:
    """One pair where a condition holds, and the other elsewhere; neither is made if nobody asks for it."""
    if np.all(where):
        return one()
    if not np.any(where):
        return other()
    a, b = one(), other()
    return np.where(where, a[0], b[0]), np.where(where, a[1], b[1])


def lowered(a: Array, x: Pair) -> Pair:
    """a - 1 times a pair, where a - 1 is not rounded."""
    factor, rest = whole_sum(a, -1.0)
    return added(scaled(factor, x), rest * x[0])


def squared(x: Pair) -> Pair:
    """The square of a pair."""
    high = x[0] * x[0]
    return high, _finite(product_error(x[0], x[0], high) + 2 * x[0] * x[1])


def whole(x: Pair) -> Array:
    """A pair as one float."""
    return x[0] + _finite(x[1])


def endless(x: Pair, where: Array) -> Pair:
    """A sum in which, at these places, there are logarithms of 0: infinite where they did not cancel."""
    infinite = where & (np.abs(x[0]) > -_LOG_OF_NOTHING * 2.0**-90)
    return np.where(infinite, np.copysign(np.inf, x[0]), x[0]), np.where(infinite, 0.0, x[1])


# --- logarithms ------------------------------------------------------------------------------------------------------


@cache
def _table() -> tuple[Array, Array]:
    """Logarithms of k/64, as floats and what they leave."""
    from decimal import Decimal, localcontext

    with localcontext() as context:
        context.prec = 40
        exact = [(Decimal(k) / _PARTS).ln() for k in range(_FIRST, 2 * _FIRST + 2)]
        high = [float(x) for x in exact]
        return np.array(high), np.array([float(x - Decimal(h)) for x, h in zip(exact, high, strict=True)])


def long_log(x: Array) -> Pair:
    """log(x), to some 1e-18: the logarithm of the nearest k/64, and log1p of what is left."""
    if np.all(x == 1):  # most scales are 1
        return alone(np.zeros(np.shape(x)))
    mantissa, exponent = np.frexp(x)
    low = mantissa < _SQRT_HALF
    mantissa, exponent = np.where(low, 2 * mantissa, mantissa), np.where(low, exponent - 1, exponent)
    tame = (x > 0) & np.isfinite(x)
    k = np.where(tame, np.rint(mantissa * _PARTS), _PARTS)
    near = k / _PARTS
    highs, lows = (part[k.astype(np.intp) - _FIRST] for part in _table())
    sum_, error = whole_sum(exponent * _LOG_2_HIGH, highs)
    high, rest = whole_sum(sum_, np.log1p((mantissa - near) / near))
    plain = np.where(x == 0, _LOG_OF_NOTHING, np.log(x))
    return np.where(tame, high, plain), np.where(tame, error + rest + (exponent * _LOG_2_LOW + lows), 0.0)


def long_log_of_quotient(x: Array, y: Array, difference: Array | None = None) -> Pair:
    """log(x/y), of the difference x - y where the two are near each other."""
    difference = x - y if difference is None else difference
    near = np.abs(difference) < 0.25 * y
    return chosen(
        near,
        lambda: (
            np.log1p(np.where(near, difference, 0.0) / y),
            np.zeros(np.broadcast_shapes(np.shape(x), np.shape(y))),
        ),
        lambda: added(long_log(x), minus(long_log(y))),
    )


#: From where on Stirling's formula serves.
FAR = 16.0


def long_log_gamma(a: Array) -> Pair:
    """log(gamma(a)), a > 0, to some 1e-16, or as exactly as a is known."""
    return chosen(a >= FAR, lambda: _by_stirling(a), lambda: _log_gamma_near(np.minimum(a, FAR)))


def _by_stirling(a: Array) -> Pair:
    return added(scaled(a - 0.5, long_log(a)), -a, scaled(0.5, LONG_LOG_2PI), stirling(a))


def _log_gamma_near(a: Array) -> Pair:
    """Around 0, 1 and 2 by a series, elsewhere the logarithm of SciPy's gamma."""
    at_nothing, at_one, near = a <= 0.5, a < 1.5, a < 2.5
    z = np.where(near, a - np.where(at_nothing, 0, np.where(at_one, 1, 2)), 0.0)
    series = log_gamma_near_two(z) - np.where(at_one, np.log1p(z), 0.0)
    left = long_log(np.where(at_nothing, a, np.where(near, 1.0, _gamma(a))))
    return added(scaled(np.where(at_nothing, -1.0, 1.0), left), series)


def deviance(log_y: Pair, y: Array, a: Array) -> Pair:
    """a*log(y/a) - (y - a), which is 0 at y = a (Loader, "Fast and accurate computation of binomial probabilities")."""
    y = np.minimum(y, 1e300)
    near = y > 0.2 * a
    return chosen(
        near,
        lambda: (
            a * log1pmx(np.where(near, (y - a) / a, 0.0)),
            np.zeros(np.broadcast_shapes(np.shape(y), np.shape(a))),
        ),
        lambda: added(scaled(a, added(log_y, minus(long_log(a)))), -y, a),
    )


# --- quotients and exponentials --------------------------------------------------------------------------------------


def long_quotient(x: Array, y: Array) -> Pair:
    """x/y and what it leaves."""
    (above, up), (below, down) = np.frexp(x), np.frexp(y)
    found = above / below
    product = found * below
    rest = ((above - product) - product_error(found, below, product)) / below
    return np.ldexp(found, up - down), _finite(np.ldexp(rest, up - down))


#: Powers of two beyond which everything is 0, or infinite, whatever floats it is multiplied by.
_BEYOND = 6000


def exp_times(x: Pair, numerator: Array, denominator: Array) -> Array:
    """exp(x)*numerator/denominator, where neither the exponential nor the quotient need be a float; 0 for a numerator
    of 0."""
    high = np.clip(x[0], -1e6, 1e6)
    count = np.rint(high / (_LOG_2_HIGH + _LOG_2_LOW))
    rest = (high - count * _LOG_2_HIGH) + (_finite(x[1]) - count * _LOG_2_LOW)
    (above, up), (below, down) = np.frexp(numerator), np.frexp(denominator)
    power = np.clip(np.where(np.isnan(count), 0, count), -_BEYOND, _BEYOND).astype(np.int32) + up - down
    found = np.ldexp(np.ldexp(np.exp(rest) * (above / below), power // 2), power - power // 2)
    return np.where((numerator == 0) & ~np.isnan(high) | (count <= -_BEYOND), 0.0, found)
