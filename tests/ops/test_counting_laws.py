"""Probabilities of counts where a logarithm that is rounded, or a factorial, would cost digits."""

from __future__ import annotations

import mpmath
import numpy as np
import pytest

from gradcli.autodiff import grad, vjp
from gradcli.ops.probability.densities import DENSITIES
from gradcli.ops.probability.discrete import binom_logpmf, nbinom_logpmf, poisson_logpmf

_OF = {found.name: found for found in DENSITIES}
#: Off by so little, relatively.
_FINE = 2e-15


def _binomial(n: float, k: float, p: float) -> mpmath.mpf:
    p = mpmath.mpf(p)
    return mpmath.exp(mpmath.loggamma(n + 1) - mpmath.loggamma(k + 1) - mpmath.loggamma(n - k + 1)) * (
        p**k * (1 - p) ** (n - k)
    )


def _near(got: object, wanted: mpmath.mpf, bound: float = _FINE) -> bool:
    return bool(abs(mpmath.mpf(float(np.asarray(got))) / wanted - 1) < bound)


@pytest.mark.parametrize(("k", "mu"), [(0, 3e-19), (3, 1e-90), (20, 1.5), (10**9, 1e9 + 3e4), (40, 1.5)])
def test_poisson(k: int, mu: float) -> None:
    """Far out, and where k is a billion and likely."""
    with mpmath.workdps(60):
        wanted = mpmath.exp(k * mpmath.log(mu) - mpmath.mpf(mu) - mpmath.loggamma(k + 1))
        assert _near(_OF["poisson_pmf"](k, mu), wanted)
        assert _near(poisson_logpmf(k, mu), mpmath.log(wanted))


@pytest.mark.parametrize(
    ("k", "n", "p"),
    [(11, 5684816, 1.934977342545082e-06), (103727, 103741, 0.99986), (4, 10, 1e-60), (0, 10**9, 1e-17)],
)
def test_binomial(k: int, n: int, p: float) -> None:
    """Few successes, few failures, and none."""
    with mpmath.workdps(60):
        assert _near(_OF["binom_pmf"](k, n, p), _binomial(n, k, p))
        assert _near(binom_logpmf(k, n, p), mpmath.log(_binomial(n, k, p)))


def test_successes_that_are_no_whole_number() -> None:
    """A tiny n, and one whose sum with k is rounded."""
    for n, k, p in [(3.4e-46, 4, 0.25), (1.0000394684887934, 33514, 2.98e-5)]:
        with mpmath.workdps(80):
            wanted = _binomial(mpmath.mpf(n) + k, mpmath.mpf(k), 1 - mpmath.mpf(p)) * n / (mpmath.mpf(n) + k)
            assert _near(_OF["nbinom_pmf"](k, n, p), wanted)
            assert _near(nbinom_logpmf(k, n, p), mpmath.log(wanted))


def test_slope_where_the_probability_is_no_float() -> None:
    """mu**2/2 of mu**3/6, which is below all floats."""
    _, back = vjp(lambda mu: [_OF["poisson_pmf"](3, mu)], np.asarray(6.8e-121))
    (found,) = back([np.asarray(1.0)])
    assert float(np.asarray(found)) == pytest.approx(6.8e-121**2 / 2, rel=1e-14)


def test_off_the_support() -> None:
    """0 and -inf where no count can be, nan where the parameters are none."""
    assert float(np.asarray(poisson_logpmf(-1, 2.0))) == -np.inf
    assert float(np.asarray(_OF["binom_pmf"](5, 4, 0.5))) == 0
    assert np.isnan(np.asarray(_OF["binom_pmf"](1, 4, 1.5)))
    assert np.asarray(_OF["bernoulli_pmf"](np.array([0, 1, 2]), 0.3)).tolist() == [0.7, 0.3, 0.0]


def test_certain_counts() -> None:
    """At the ends of p, nothing is nan."""
    assert np.asarray(_OF["binom_pmf"](np.array([0, 1, 4]), 4, 1.0)).tolist() == [0.0, 0.0, 1.0]
    assert np.asarray(_OF["binom_pmf"](np.array([0, 1, 4]), 4, 0.0)).tolist() == [1.0, 0.0, 0.0]
    assert np.asarray(_OF["nbinom_pmf"](np.array([0, 1]), 2.0, 1.0)).tolist() == [1.0, 0.0]
    assert np.asarray(_OF["poisson_pmf"](np.array([0, 1]), 0.0)).tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("name", "before", "at", "slope", "curvature"),
    [
        ("poisson", (1,), 0.0, 1.0, -2.0),
        ("poisson", (2,), 0.0, 0.0, 1.0),
        ("binom", (1, 5), 0.0, 5.0, -40.0),
        ("binom", (2, 5), 0.0, 0.0, 20.0),
        ("binom", (4, 5), 1.0, -5.0, -40.0),
        ("nbinom", (1, 3), 1.0, -3.0, -18.0),
        ("geom", (2,), 1.0, -1.0, -2.0),
    ],
)
def test_slopes_where_a_probability_falls_to_0(
    name: str, before: tuple[int, ...], at: float, slope: float, curvature: float
) -> None:
    """Of 1 event where none is expected, or 1 failure where all succeed."""
    sloped = grad(lambda p: _OF[f"{name}_pmf"](*before, p))
    assert float(np.asarray(sloped(np.array(at)))) == pytest.approx(slope, rel=1e-15)
    assert float(np.asarray(grad(sloped)(np.array(at)))) == pytest.approx(curvature, rel=1e-14)


@pytest.mark.parametrize(("name", "parameters"), [("poisson", (2.0,)), ("binom", (5, 0.5)), ("bernoulli", (0.5,))])
def test_counts_that_are_none(name: str, parameters: tuple[float, ...]) -> None:
    """nan is the probability of nan events, and 0 that of infinitely many."""
    found = np.asarray(_OF[f"{name}_pmf"](np.array([np.nan, np.inf]), *parameters))
    assert np.isnan(found[0]) and found[1] == 0
