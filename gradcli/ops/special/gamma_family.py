"""The gamma function, its logarithm and reciprocal, factorials, and the polygamma functions of every order."""

from __future__ import annotations

from functools import cache
from math import factorial as whole_factorial
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, DomainError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, dtype_of
from gradcli.ops.arguments import integer
from gradcli.ops.elementwise import greater_equal, less, where
from gradcli.ops.elementwise.limits import bounded
from gradcli.ops.fixed import held
from gradcli.ops.function import case
from gradcli.ops.kinds import constant, elementwise
from gradcli.ops.operands import operands
from gradcli.ops.registry import elementwise_function, function
from gradcli.ops.special.turns import cosine_of_turn, cospi, sine_of_turn, sinpi
from gradcli.ops.special.values import Array, horner, pieces, real, real_or_complex, scipy_

_digamma, _gamma, _gammaln, _loggamma, _rgamma, _zeta = map(
    scipy_, ("digamma", "gamma", "gammaln", "loggamma", "rgamma", "zeta")
)
_LOG_PI = 1.1447298858494002

#: The highest order or dimension whose sums are reasonable.
_HIGHEST = 1000
_EULER = 0.5772156649015329
#: (zeta(k) - 1)/k with the sign of (-1)**k, from k = 2.
_AROUND_TWO = [
    0.3224670334241132,
    -0.0673523010531981,
    0.020580808427784546,
    -0.007385551028673986,
    0.0028905103307415234,
    -0.001192753911703261,
    0.0005096695247430425,
    -0.00022315475845357939,
    9.945751278180853e-05,
    -4.492623673813314e-05,
    2.050721277567069e-05,
    -9.439488275268397e-06,
    4.374866789907488e-06,
    -2.039215753801366e-06,
    9.55141213040742e-07,
    -4.492469198764566e-07,
    2.1207184805554665e-07,
    -1.0043224823968099e-07,
    4.7698101693639804e-08,
    -2.2711094608943164e-08,
    1.0838659214896955e-08,
    -5.183475041970047e-09,
    2.4836745438024785e-09,
    -1.1921401405860912e-09,
    5.731367241678862e-10,
    -2.7595228851242334e-10,
    1.330476437424449e-10,
    -6.4229645638381e-11,
    3.1044247747322276e-11,
    -1.5021384080754142e-11,
    7.275974480239079e-12,
    -3.527742476575915e-12,
    1.711991790559618e-12,
    -8.315385841420285e-13,
]


def _around_two(x: Array) -> Array:
    """log(gamma(x)) by powers of x - 2 (DLMF 5.7.3), to all digits at its zeros 1 and 2, too."""
    low = x < 1.5
    z = np.where(low, x - 1, x - 2)
    found = log_gamma_near_two(z)
    return np.where(low, found - np.log1p(z), found)


def log_gamma_near_two(z: Array) -> Array:
    """log(gamma(2 + z)) for |z| <= 1/2."""
    return z * ((1 - _EULER) + z * horner(_AROUND_TWO, z))


def _log_gamma_pieces(last: Any) -> Any:
    """SciPy's is infinite of the smallest numbers, and inexact around its zeros."""
    return pieces(
        (lambda x: (x > 0) & (x < 1e-300), lambda x: -np.log(x)),
        (lambda x: (x > 0.5) & (x < 2.5), _around_two),
        last=last,
    )


_log_gamma, _principal = _log_gamma_pieces(_gammaln), _log_gamma_pieces(_loggamma)

# --- polygamma -------------------------------------------------------------------------------------------------------

#: B[2k]/(2k)!, Bernoulli's numbers as the Euler-Maclaurin formula has them.
BERNOULLI = (
    1 / 12,
    -1 / 720,
    1 / 30240,
    -1 / 1209600,
    1 / 47900160,
    -691 / 1307674368000,
    1 / 74724249600,
    -3617 / 10670622842880000,
    43867 / 5109094217170944000,
    -174611 / 802857662698291200000,
    77683 / 14101100039391805440000,
    -236364091 / 1693824136731743669452800000,
)


def _over_power(numerator: int, x: Array, n: int) -> Array:
    """numerator / x**n where neither of the two need be a float."""
    bits = max(numerator.bit_length() - 60, 0)
    mantissa, exponent = np.frexp(x)
    low = mantissa < 0.7071067811865476
    mantissa, exponent = np.where(low, 2 * mantissa, mantissa), np.where(low, exponent - 1, exponent)
    scale = np.clip(bits - n * exponent.astype(np.int64), -3000, 3000).astype(np.int32)
    found = float(numerator >> bits) / np.power(mantissa, n)
    return np.ldexp(np.ldexp(found, scale // 2), scale - scale // 2)


def _tail(y: Array, n: int) -> Array:
    """Euler and Maclaurin's sum of n!/(y + k)**(n + 1), over its first term (n - 1)!/y**n."""
    t = 1 / (y * y)
    rising, terms = float(n * (n + 1)), []
    for k, b in enumerate(BERNOULLI):
        terms.append(b * rising)
        rising *= (n + 2 * k + 2) * (n + 2 * k + 3)
    return 1 + n / (2 * y) + t * horner(terms, t)


def _polygamma_sum(x: Array, n: int) -> Array:
    """The sum of n!/(x + k)**(n + 1) over k >= 0, x > 0, n > 0: Euler and Maclaurin's (DLMF 5.15.8)."""
    found = np.zeros_like(x)
    far = float(n + 9)
    y = x
    for _ in range(n + 9):
        near = y < far
        if not near.any():
            break
        found = found + np.where(near, _over_power(whole_factorial(n), np.where(near, y, far), n + 1), 0.0)
        y = np.where(near, y + 1, y)
    tail = _over_power(whole_factorial(n - 1), y, n) * _tail(y, n)
    return found + np.where(np.isposinf(x), 0.0, tail)


@cache
def _cotangent_slope(n: int) -> list[float]:
    """The derivative of order n of cot, as a polynomial in cot."""
    found = [0, 1]
    for _ in range(n):
        slope = [k * c for k, c in enumerate(found)][1:]
        grown = [0, 0, *slope]
        found = [-(grown[k] + (slope[k] if k < len(slope) else 0)) for k in range(len(grown))]
    return [float(c) for c in found]


def _polygamma_left(x: Array, n: int) -> Array:
    """Reflected at 1/2 (DLMF 5.15.6)."""
    off = x - np.rint(x)
    cotangent = cosine_of_turn(off) / sine_of_turn(off)
    poles = np.pi ** (n + 1) * horner(_cotangent_slope(n), cotangent)
    beyond = _signed_zeta(1 - x, n) * (-1) ** n
    found = np.where(off == 0, np.inf if n % 2 else np.nan, beyond - poles)
    return np.where(np.isinf(x), np.nan, found)


def _signed_zeta(x: Array, n: int) -> Array:
    """n! zeta(n + 1, x) with its sign: SciPy's zeta where neither factor leaves the range of floats."""
    plain = pieces((lambda x: (x > 1e-10) & (x < 1e10) & (n <= 20), _zeta_sum), last=_polygamma_sum)
    return plain(x, n=n) * (1 if n % 2 else -1)


def _zeta_sum(x: Array, n: int) -> Array:
    return float(whole_factorial(n)) * _zeta(n + 1.0, x)


_signed_sum = pieces(
    (lambda x: x > 0, _signed_zeta),
    (lambda x: x == 0, lambda x, n: np.full_like(x, np.inf if n % 2 else np.nan)),
    last=_polygamma_left,
)


def _polygamma(x: Array, n: int) -> Array:
    return _digamma(x) if n == 0 else _signed_sum(x, n=n)


def _polygamma_of_complex(z: Array, n: int) -> Array:
    if n == 0:
        return _digamma(z)
    left = z.real < 0
    right = np.where(left, 1 - z, z)
    found = np.zeros_like(right)
    for _ in range(n + 12):
        near = right.real < n + 12
        found = np.where(near, found + whole_factorial(n) / right ** (n + 1), found)
        right = np.where(near, right + 1, right)
    found = found + whole_factorial(n - 1) / right**n * _tail(right, n)
    if not left.any():
        return found * -((-1) ** n)
    poles = np.pi ** (n + 1) * horner(_cotangent_slope(n), 1 / np.tan(np.pi * z))
    return np.where(left, -found - poles, found * -((-1) ** n))


# The derivative of each is the next.
POLYGAMMA: Op = elementwise(
    "polygamma",
    real_or_complex(_polygamma, _polygamma_of_complex),
    lambda y, x, n: bind(POLYGAMMA, x, n=n + 1),
    meaning=lambda S, x, n: S.polygamma(n, x),
    torch=lambda operands, params: "PolygammaBackward0" if params["n"] else "DigammaBackward0",
    saves=(0,),
    doc="Derivative of order n of digamma, which is order 0.",
)


@function(
    family="special",
    where="scipy torch method",
    also=("scipy.special.psi", "torch.special.digamma", "torch.special.psi", "jax.lax.digamma"),
    op=POLYGAMMA,
    derivative="polygamma(1, x)",
    domain=(0.4, 4.0),
    defined="(x > 0) | (x != floor(x))",
    cases=(case(()), case((3,)), case((2, 3)), case((0,)), case(np.array([-0.4, -1.3, -7.75]))),
)
def digamma(x: Any) -> CoreValue:
    """Derivative of log(gamma(x))."""
    return bind(POLYGAMMA, *operands((x,), True), n=0)


@function(
    family="special",
    where="scipy torch",
    also=("torch.special.polygamma", "jax.lax.polygamma"),
    op=POLYGAMMA,
    derivative="polygamma(n + 1, x)",
    domain=(0.4, 4.0),
    defined="(x > 0) | (x != floor(x))",
    source="DLMF 5.15.6, 5.15.8",
    cases=(
        case(1, (3,)),
        case(2, (2, 3)),
        case(0, ()),
        case(3, np.array([-0.4, -1.3, -7.75])),
        case(12, (3,)),
        case(np.array(4), (0,)),
    ),
)
def polygamma(n: Any, x: Any) -> CoreValue:
    """Derivative of order n of digamma."""
    order = integer(n, "polygamma: the order")
    if order < 0:
        raise ArgumentError(f"polygamma: the order must not be negative, and is {order}")
    if order > _HIGHEST:
        raise ArgumentError(f"polygamma: the order is {_HIGHEST} at most, not {order}")
    (argument,) = operands((x,), True)
    return bind(POLYGAMMA, held(argument, n, "polygamma"), n=order)


@function(
    "polygamma_method",
    family="special",
    where="",
    also=(".polygamma",),
    op=POLYGAMMA,
    derivative="polygamma(n + 1, input)",
    domain=(0.4, 4.0),
    defined="(input > 0) | (input != floor(input))",
    cases=(case((3,), 1), case((2, 3), 2)),
)
def polygamma_method(input: Any, n: Any) -> CoreValue:
    """Derivative of order n of digamma, as a method."""
    return polygamma.call(n, input)


# --- gamma and its logarithm -----------------------------------------------------------------------------------------


def digamma_of(x: CoreValue) -> CoreValue:
    """digamma, for rules."""
    return bind(POLYGAMMA, x, n=0)


GAMMALN = elementwise(
    "gammaln",
    real(_log_gamma),
    lambda y, x: digamma_of(x),
    meaning=lambda S, x: S.loggamma(x),
    torch="Lgamma",
    saves=(0,),
    doc="Logarithm of |gamma(x)|.",
)
GAMMA = elementwise(
    "gamma",
    real_or_complex(_gamma, _gamma),
    lambda y, x: y * digamma_of(bounded(x)),
    meaning=lambda S, x: S.gamma(x),
    saves=(0, "y"),
    doc="The gamma function, gamma(n) = (n - 1)!.",
)


# --- the reciprocal and the principal logarithm ----------------------------------------------------------------------


def rgamma_slope(x: CoreValue) -> CoreValue:
    """The derivative of 1/gamma: reflected left of 1/2, where digamma has its poles and 1/gamma its zeros."""
    if dtype_of(x).kind == "c":
        return -bind(RGAMMA, x) * digamma_of(x)
    turned = 1 - x
    left = bind(GAMMA, turned) * (cospi(x) - sinpi(x) * digamma_of(turned) / np.pi)
    return where(less(x, 0.5), left, -bind(RGAMMA, x) * digamma_of(bounded(x)))


RGAMMA = elementwise(
    "rgamma",
    real_or_complex(_rgamma, _rgamma),
    lambda y, x: rgamma_slope(x),
    meaning=lambda S, x: S.rgamma(x),
    saves=(0, "y"),
    doc="1/gamma(x), which is 0 at 0 and at negative integers.",
)
LOGGAMMA = elementwise(
    "loggamma",
    real_or_complex(_principal, _loggamma),
    lambda y, x: digamma_of(x),
    meaning=lambda S, x: S.loggamma(x),
    saves=(0,),
    doc="Principal logarithm of gamma(x).",
)

_LEFT = (case(np.array([-0.4, -1.3, -7.75])),)
gamma = elementwise_function(
    GAMMA,
    derivative="gamma(x)*digamma(x)",
    domain=(0.4, 4.0),
    defined="(x > 0) | (x != floor(x))",
    where="scipy",
    also=("math.gamma",),
    cases=_LEFT,
    family="special",
)
gammaln = elementwise_function(
    GAMMALN,
    derivative="digamma(x)",
    domain=(0.4, 4.0),
    defined="(x > 0) | (x != floor(x))",
    where="scipy",
    also=("torch.lgamma", ".lgamma", "torch.special.gammaln", "math.lgamma", "lgamma", "jax.lax.lgamma"),
    cases=_LEFT,
    family="special",
)
loggamma = elementwise_function(
    LOGGAMMA, derivative="digamma(x)", domain=(0.4, 4.0), defined="x > 0", where="scipy", family="special"
)
rgamma = elementwise_function(
    RGAMMA,
    derivative="-digamma(x)/gamma(x)",
    domain=(0.4, 4.0),
    where="scipy",
    source="DLMF 5.5.3, by which the derivative is finite at the poles of gamma",
    cases=(*_LEFT, case(np.array([0.0, -1.0, -3.0]))),
    family="special",
)

# --- factorials, and gamma of matrices -------------------------------------------------------------------------------


@function(
    family="special",
    where="scipy",
    derivative="where(n >= 0, gamma(n + 1)*digamma(n + 1), 0)",
    domain=(0.1, 4.0),
    kinks="n = 0: below it the function is 0, as SciPy has it, and so is its derivative",
    cases=(case(()), case((3,)), case((2, 3)), case((0,)), case(np.array([-0.5, -3.0, 0.0, 1.0, 5.0]))),
)
def factorial(n: Any) -> CoreValue:
    """gamma(n + 1), and 0 below 0."""
    (x,) = operands((n,), True)
    return where(greater_equal(x, 0), bind(GAMMA, x + 1), 0.0)


@function(
    "factorial_math",
    family="special",
    where="",
    also=("math.factorial",),
    differentiable=False,
    cases=(case(5), case(0)),
)
def factorial_math(n: Any) -> CoreValue:
    """The product of the integers up to n, as an integer."""
    whole = integer(n, "factorial: n")
    if whole < 0:
        raise DomainError(f"factorial is of integers from 0, not of {whole}")
    if whole > 20:
        raise ArgumentError(
            "factorial: the result does not fit in 64 bits", mend="scipy.special.factorial gives a float"
        )
    return np.asarray(whole_factorial(whole), dtype=np.int64)


@function(
    family="special",
    where="scipy",
    also=("torch.mvlgamma", "torch.special.multigammaln", ".mvlgamma", "mvlgamma"),
    derivative="vjp: g times the sum of digamma(a - j/2) over j < d",
    domain=(2.0, 5.0),
    defined="a > (d - 1)/2",
    cases=(case((3,), 2), case((2, 3), 4), case((), 1), case((0,), 2)),
)
def multigammaln(a: Any, d: Any) -> CoreValue:
    """Logarithm of the multivariate gamma function of dimension d."""
    count = integer(d, "multigammaln: the dimension")
    if count < 1:
        raise ArgumentError(f"multigammaln: the dimension is at least 1, not {count}")
    if count > _HIGHEST:
        raise ArgumentError(f"multigammaln: the dimension is {_HIGHEST} at most, not {count}")
    (x,) = operands((a,), True)
    x = held(x, d, "multigammaln", "dimension")
    found = bind(LOGGAMMA, x)
    for j in range(1, count):
        found = found + bind(LOGGAMMA, x - 0.5 * j)
    return found + 0.25 * count * (count - 1) * _LOG_PI


@function(
    family="special", where="scipy", differentiable=False, cases=(case(np.array([0.5, -0.5, -1.5, 0.0, -0.0, -2.0])),)
)
def gammasgn(x: Any) -> CoreValue:
    """The sign of gamma(x)."""
    return bind(GAMMASGN, *operands((x,), True))


GAMMASGN = constant("gammasgn", real(scipy_("gammasgn")), meaning=lambda S, x: S.sign(S.gamma(x)), doc="Sign of gamma.")
