"""The beta function and its logarithm, binomial coefficients, and Pochhammer's symbol."""

from __future__ import annotations

from collections.abc import Callable
from math import comb as whole_comb
from math import perm as whole_perm
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, DomainError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.arguments import integer
from gradcli.ops.elementwise import greater, greater_equal, less, logical_and, logical_or, where
from gradcli.ops.function import case
from gradcli.ops.kinds import elementwise
from gradcli.ops.operands import operands
from gradcli.ops.registry import elementwise_function, function
from gradcli.ops.special.exact_products import whole_sum
from gradcli.ops.special.gamma_family import GAMMA, POLYGAMMA, RGAMMA, digamma_of, rgamma_slope
from gradcli.ops.special.gamma_ratios import (
    beta_value,
    betaln_value,
    digamma_step,
    gamma_ratio,
    small_quotient,
)
from gradcli.ops.special.turns import cosine_of_turn, cospi, sine_of_turn, sinpi
from gradcli.ops.special.values import Array, pieces, real, scipy_

_PAIR = ("a", "b")


def _beta_slope(y: CoreValue, a: CoreValue, b: CoreValue) -> CoreValue:
    """By a; where b is next to nothing, b times beta(a, b) is 1."""
    return where(less(b, 1e-290), -bind(POLYGAMMA, a, n=1), -y * digamma_step(a, b))


BETA = elementwise(
    "beta",
    real(beta_value),
    lambda y, a, b: _beta_slope(y, a, b),
    lambda y, a, b: _beta_slope(y, b, a),
    meaning=lambda S, a, b: S.gamma(a) * S.gamma(b) * S.rgamma(a + b),
    saves=(0, 1, "y"),
    doc="gamma(a)*gamma(b)/gamma(a + b).",
)
BETALN = elementwise(
    "betaln",
    real(betaln_value),
    lambda y, a, b: -digamma_step(a, b),
    lambda y, a, b: -digamma_step(b, a),
    meaning=lambda S, a, b: S.loggamma(a) + S.loggamma(b) - S.loggamma(a + b),
    saves=(0, 1),
    doc="Logarithm of the beta function.",
)
POCH = elementwise(
    "poch",
    real(gamma_ratio),
    lambda y, z, m: y * digamma_step(z, m),
    lambda y, z, m: y * digamma_of(z + m),
    meaning=lambda S, z, m: S.gamma(z + m) * S.rgamma(z),
    saves=(0, 1, "y"),
    doc="Pochhammer's symbol gamma(z + m)/gamma(z), the rising factorial.",
)
_ORDINARY = ((0.4, 4.0), (0.4, 4.0))
beta = elementwise_function(
    BETA,
    parameters=_PAIR,
    derivative="beta(a, b)*(digamma(a) - digamma(a + b)), beta(a, b)*(digamma(b) - digamma(a + b))",
    where="scipy",
    domain=_ORDINARY,
    defined="(a > 0) & (b > 0)",
    family="special",
)
betaln = elementwise_function(
    BETALN,
    parameters=_PAIR,
    derivative="digamma(a) - digamma(a + b), digamma(b) - digamma(a + b)",
    where="scipy",
    domain=_ORDINARY,
    defined="(a > 0) & (b > 0)",
    family="special",
)
poch = elementwise_function(
    POCH,
    parameters=("z", "m"),
    derivative="poch(z, m)*(digamma(z + m) - digamma(z)), poch(z, m)*digamma(z + m)",
    where="scipy",
    domain=_ORDINARY,
    defined="(z > 0) & (z + m > 0)",
    family="special",
)

# --- binomial coefficients -------------------------------------------------------------------------------------------


def _within(n: Array, k: Array) -> Array:
    return (k > 0) & (n - k > 0)


def _few(n: Array, k: Array) -> Array:
    return (k >= 0) & (k <= 40) & (k == np.rint(k))


def _by_factors(n: Array, k: Array) -> Array:
    """n (n - 1).../k!, which is right for any n."""
    found = np.ones_like(n)
    for i in range(int(np.max(k, initial=0.0))):
        found = np.where(i < k, found * ((n - i) / (i + 1)), found)
    return found


def _of_small(n: Array, k: Array) -> Array:
    top, bottom, rest = (whole_sum(x, np.ones_like(n)) for x in (n, k, n - k))
    lost = whole_sum(n, -k)[1]
    return small_quotient([top], [bottom, (rest[0], rest[1] + lost)])


def _beyond(n: Array, k: Array) -> Array:
    """Where k is beyond n: what is left of a circle's arc there."""
    sine = sine_of_turn(k) * cosine_of_turn(n) - cosine_of_turn(k) * sine_of_turn(n)  # k - n is rounded
    return beta_value(n + 1, k - n) * sine / np.pi


_binomial = pieces(
    (_few, _by_factors),
    (lambda n, k: (n > -1) & (n < 14) & (k > -1) & (k < n + 1), _of_small),
    (_within, lambda n, k: 1 / ((n + 1) * beta_value(n - k + 1, k + 1))),
    (lambda n, k: (n > -1) & (k > n), _beyond),
    (lambda n, k: (n > -1) & (k < 0), lambda n, k: beta_value(n + 1, -k) * sine_of_turn(-k) / np.pi),
    last=scipy_("binom"),
)


def _after(n: CoreValue, k: CoreValue) -> tuple[Any, CoreValue, CoreValue, CoreValue]:
    """Whether k is more than half a step beyond n, and by how much; then beta(n + 1, k - n) times the sine of
    pi*(k - n), over pi, and times the cosine. Elsewhere the three are those of another place."""
    beyond = logical_and(greater(k - n, 0.5), greater(n, -1))
    n, k = where(beyond, n, 0.0), where(beyond, k, 1.0)
    size = bind(BETA, n + 1, k - n)
    sine = sinpi(k) * cospi(n) - cospi(k) * sinpi(n)
    cosine = cospi(k) * cospi(n) + sinpi(k) * sinpi(n)
    return beyond, k - n, size * sine / np.pi, size * cosine


def _before(n: CoreValue, k: CoreValue) -> tuple[Any, CoreValue, CoreValue, CoreValue]:
    """The same of -k beyond 0."""
    beyond = logical_and(less(k, -0.5), greater(n, -1))
    n, past = where(beyond, n, 0.0), where(beyond, -k, 1.0)
    size = bind(BETA, n + 1, past)
    return beyond, past, size * sinpi(past) / np.pi, size * cospi(past)


def _by_n(y: CoreValue, n: CoreValue, k: CoreValue) -> CoreValue:
    """y*(digamma(n + 1) - digamma(n - k + 1)), where k is beyond n by the reflection of the latter, and beside the pole
    at n = -1 of both."""
    beyond, past, sine, cosine = _after(n, k)
    at_pole = logical_and(beyond, less(n, -0.5))
    right = where(
        at_pole,
        _beside_pole(sine, where(at_pole, n, -0.75), where(at_pole, k, 1.0)),
        -sine * digamma_step(n + 1, past - n - 1) - cosine,
    )
    k = where(beyond, n, k)
    rest = n - k + 1
    whole = bind(GAMMA, n + 1) * bind(RGAMMA, k + 1)
    slope = digamma_of(n + 1) * bind(RGAMMA, rest) + rgamma_slope(rest)
    negative = less(k, 0)  # n + 1 is not found again from a rounded n - k
    step = where(negative, -1.0, 1.0) * digamma_step(where(negative, n + 1, rest), where(negative, -k, k))
    return where(beyond, right, where(less(rest, 0.5), whole * slope, y * step))


def _beside_pole(y: CoreValue, n: CoreValue, k: CoreValue) -> CoreValue:
    """The slope by n for -1 < n < -0.5, whose second term, with all of the pole, is 0 for a whole k."""
    return -y * digamma_step(-n, k) - bind(BETA, n + 1, k - n) * sinpi(k) / sinpi(n)


def _by_k(y: CoreValue, n: CoreValue, k: CoreValue) -> CoreValue:
    """y*(digamma(n - k + 1) - digamma(k + 1)), beyond the ends by the reflection of one of them."""
    ends = (1.0, *_after(n, k)), (-1.0, *_before(n, k))
    k = where(logical_or(ends[0][1], ends[1][1]), 0.5 * n, k)
    rest, first = n - k + 1, k + 1
    slopes = rgamma_slope(first) * bind(RGAMMA, rest) - bind(RGAMMA, first) * rgamma_slope(rest)
    at_an_end = logical_or(less(rest, 0.5), less(first, 0.5))
    found = where(at_an_end, bind(GAMMA, n + 1) * slopes, y * digamma_step(first, n - k - k))
    for sign, beyond, past, sine, cosine in ends:
        found = where(beyond, sign * (cosine - sine * digamma_step(past, n + 1)), found)
    return found


BINOM: Op = elementwise(
    "binom",
    real(_binomial),
    _by_n,
    _by_k,
    meaning=lambda S, n, k: S.gamma(n + 1) * S.rgamma(k + 1) * S.rgamma(n - k + 1),
    saves=(0, 1, "y"),
    doc="The binomial coefficient n over k, of any real numbers.",
)
_CHOICES = ((2.0, 6.0), (0.4, 2.0))
_BY_N = "binom({0}, {1})*(digamma({0} + 1) - digamma({0} - {1} + 1))"
_BY_K = "binom({0}, {1})*(digamma({0} - {1} + 1) - digamma({1} + 1))"
_ENDS = (
    case(np.array([5.0, 2.0, 1.0, 0.0, 7.5, 200.0]), np.array([0.0, 2.0, 3.0, 0.0, 9.0, 4.0])),
    case((3,), 2.0),
    case((3,), np.array([0, 1, 3])),
)
binom = elementwise_function(
    BINOM,
    parameters=("n", "k"),
    derivative=f"{_BY_N.format('n', 'k')}, {_BY_K.format('n', 'k')}",
    where="scipy",
    domain=_CHOICES,
    defined="n > -1",
    cases=(
        *_ENDS,
        case(np.array([-0.99999999, -0.6, -0.75]), np.array([2.0, 3.0, 0.3])),
        case(np.array([2.0, 0.5]), np.array([-405374469.1237387, -7.3])),
        case(np.array(-0.9999999999999931), np.array(2.0)),
    ),
    family="special",
)


@function(
    family="special",
    where="scipy",
    op=BINOM,
    derivative=f"{_BY_N.format('N', 'k')}, {_BY_K.format('N', 'k')}",
    domain=_CHOICES,
    defined="(k > 0) & (k < N)",
    kinks="k = 0, k = N, N = 0: the function is 0 beyond, as SciPy has it; at the end the inner slope",
    cases=(*_ENDS[1:], case((2, 3), (2, 3)), case((3,), 2.0, repetition=True), case(5, 2, exact=True)),
)
def comb(N: Any, k: Any, *, exact: bool = False, repetition: bool = False) -> CoreValue:
    """The number of choices of k among N, with repetition or without; exact=True is of integers alone."""
    if exact:
        n, chosen = integer(N, "comb: N"), integer(k, "comb: k")
        among = n + chosen - 1 if repetition else n
        return _whole(_at_most_64_bits(whole_comb, among, chosen) if chosen >= 0 and n >= 0 else 0, "comb")
    n, chosen = operands((N, k), True)
    if repetition:
        n = n + chosen - 1
    inside = logical_and(logical_and(greater_equal(n, chosen), greater_equal(n, 0)), greater_equal(chosen, 0))
    return where(inside, bind(BINOM, n, chosen), 0.0)


@function(
    family="special",
    where="scipy",
    op=POCH,
    derivative="perm(N, k)*(digamma(N + 1) - digamma(N - k + 1)), perm(N, k)*digamma(N - k + 1)",
    domain=_CHOICES,
    defined="(k > 0) & (k < N)",
    kinks="k = 0, k = N, N = 0: the function is 0 beyond, as SciPy has it; at the end the inner slope",
    cases=(case((3,), 2.0), case((2, 3), (2, 3)), case(5, 2, exact=True)),
)
def perm(N: Any, k: Any, exact: bool = False) -> CoreValue:
    """The number of ordered choices of k among N; exact=True is of integers alone."""
    if exact:
        n, chosen = integer(N, "perm: N"), integer(k, "perm: k")
        return _whole(_at_most_64_bits(whole_perm, n, chosen) if 0 <= chosen <= n else 0, "perm")
    n, chosen = operands((N, k), True)
    inside = logical_and(logical_and(greater_equal(n, chosen), greater_equal(n, 0)), greater_equal(chosen, 0))
    return where(inside, bind(POCH, n - chosen + 1, chosen), 0.0)


def _at_most_64_bits(count: Callable[[int, int], int], n: int, k: int) -> int:
    """How many choices there are; where they are surely too many, 2**63 without counting them."""
    fewest = min(k, n - k) if count is whole_comb else k
    return 1 << 63 if k <= n and fewest > 64 else count(n, k)


def _whole(found: int, name: str) -> Any:
    if found >= 1 << 63:
        raise ArgumentError(f"{name}: the result does not fit in 64 bits", mend=f"scipy.special.{name} gives a float")
    return np.asarray(found, dtype=np.int64)


def _counted(name: str, given: tuple[Any, ...]) -> tuple[int, ...]:
    found = tuple(integer(x, f"{name}: an argument") for x in given)
    if min(found) < 0:
        raise DomainError(f"{name} is of integers from 0, not of {min(found)}")
    return found


@function(
    "comb_math",
    family="special",
    where="",
    also=("math.comb",),
    differentiable=False,
    cases=(case(5, 2), case(3, 4)),
)
def comb_math(n: Any, k: Any) -> CoreValue:
    """The number of choices of k among n, as an integer."""
    return _whole(_at_most_64_bits(whole_comb, *_counted("comb", (n, k))), "comb")


@function(
    "perm_math",
    family="special",
    where="",
    also=("math.perm",),
    differentiable=False,
    cases=(case(5, 2), case(3, 4), case(4)),
)
def perm_math(n: Any, k: Any = None) -> CoreValue:
    """The number of ordered choices of k among n, as an integer; of all n without k."""
    return _whole(_at_most_64_bits(whole_perm, *_counted("perm", (n, n if k is None else k))), "perm")
