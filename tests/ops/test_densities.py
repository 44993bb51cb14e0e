"""Densities far out, where exp of a rounded logarithm is hundreds of ulps off, and at the ends of their supports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from mpmath import mp
from table.calls import BY_NAME

from gradcli.autodiff import grad, vjp
from gradcli.autodiff.vmap import vmap
from gradcli.ops.probability.continuous import gamma_logpdf, lognorm_logpdf, norm_cdf, norm_logcdf, norm_sf
from gradcli.ops.probability.densities import DENSITIES
from gradcli.ops.special.exact_products import Pair
from gradcli.ops.special.long_logarithms import exp_times, long_log, long_log_gamma

PDF = {f.name.removesuffix("_pdf"): f for f in DENSITIES}


def _gamma(x: Any, a: Any) -> Any:
    return x ** (a - 1) * mp.exp(-x) / mp.gamma(a)


def _student(x: Any, d: Any) -> Any:
    return mp.gamma((d + 1) / 2) / mp.gamma(d / 2) / mp.sqrt(d * mp.pi) * (1 + x * x / d) ** (-(d + 1) / 2)


def _cut(x: Any, a: Any, b: Any) -> Any:
    return mp.npdf(x) / (mp.ncdf(-a) - mp.ncdf(-b))


def _located(standard: Callable[[Any], Any]) -> Callable[[Any, Any, Any], Any]:
    return lambda x, loc, scale: standard((x - loc) / scale) / scale


EXACT: dict[str, Callable[..., Any]] = {
    "norm": _located(mp.npdf),
    "halfnorm": _located(lambda z: 2 * mp.npdf(z)),
    "laplace": _located(lambda z: mp.exp(-abs(z)) / 2),
    "logistic": _located(lambda z: mp.sech(z / 2) ** 2 / 4),
    "gumbel_r": _located(lambda z: mp.exp(-z - mp.exp(-z))),
    "expon": _located(lambda z: mp.exp(-z)),
    "uniform": _located(lambda z: mp.one),
    "cauchy": lambda x: 1 / mp.pi / (1 + x * x),
    "halfcauchy": lambda x: 2 / mp.pi / (1 + x * x),
    "t": _student,
    "gamma": _gamma,
    "invgamma": lambda x, a: _gamma(1 / x, a) / x**2,
    "chi2": lambda x, d: _gamma(x / 2, d / 2) / 2,
    "beta": lambda x, a, b: x ** (a - 1) * (1 - x) ** (b - 1) * mp.gamma(a + b) / mp.gamma(a) / mp.gamma(b),
    "lognorm": lambda x, s: mp.npdf(mp.log(x) / s) / s / x,
    "pareto": lambda x, b: b * x ** (-b - 1),
    "weibull_min": lambda x, c: c * x ** (c - 1) * mp.exp(-(x**c)),
    "vonmises": lambda x, kappa: mp.exp(kappa * mp.cos(x)) / (2 * mp.pi * mp.besseli(0, kappa)),
    "truncnorm": _cut,
}
POINTS = [
    *((name, (3e140, 1e140, 3.7e141)) for name in ("norm", "halfnorm", "laplace", "logistic", "gumbel_r", "expon")),
    *((name, (30.25, 0.0, 1.0)) for name in ("norm", "halfnorm", "laplace", "logistic", "gumbel_r", "expon")),
    ("norm", (38.6e-300, 0.0, 1e-300)),
    ("uniform", (3e126, 0.0, 2.7e127)),
    ("cauchy", (3.5e141,)),
    ("cauchy", (-0.3,)),
    ("halfcauchy", (4.5e133,)),
    ("t", (-5.7e112, 1.5)),
    ("t", (-1.2, 3.8e-43)),
    ("t", (2.5, 1e9)),
    ("t", (-0.5, 1.5143719289337e-311)),
    ("gamma", (1.4, 6.7e-240)),
    ("gamma", (1e-120, 0.25)),
    ("gamma", (600.0, 1.5)),
    ("gamma", (2.0, 40.0)),
    ("gamma", (1.001e6, 1e6)),
    ("invgamma", (1.4, 6.7e-240)),
    ("invgamma", (1e150, 0.8)),
    ("chi2", (3.1, 5.2e-190)),
    ("beta", (0.23, 2.3e-252, 1.5)),
    ("beta", (1e-90, 1.5, 2.5)),
    ("beta", (0.3, 40.0, 90.0)),
    ("beta", (2e-7, 0.7, 3e6)),
    ("lognorm", (1e90, 7.0)),
    ("lognorm", (1.5, 2e200)),
    ("pareto", (3.0, 4.4e-287)),
    ("pareto", (1e40, 6.5)),
    ("weibull_min", (1e-200, 0.6)),
    ("weibull_min", (70.0, 1.5)),
    ("vonmises", (3.0, 300.0)),
    ("vonmises", (1e-9, 1e10)),
    ("truncnorm", (30.5, 30.0, 31.0)),
    ("truncnorm", (1.5e-20, 1e-20, 2e-20)),
]


def _stretched(exact: Callable[..., Any], point: tuple[float, ...], i: int) -> Callable[[Any], Any]:
    """The density by the logarithm of how far one operand has grown: its slope is that operand times its own."""
    return lambda u: exact(*(mp.mpf(x) * (mp.exp(u) if n == i else 1) for n, x in enumerate(point)))


@pytest.mark.parametrize(("name", "point"), POINTS)
def test_a_density_and_its_slopes(name: str, point: tuple[float, ...]) -> None:
    numbers = [np.array(x) for x in point]
    y, back = vjp(PDF[name], *numbers)
    with mp.workdps(60):
        exact = EXACT[name]
        moves = [mp.diff(_stretched(exact, point, i), 0) for i in range(len(point))]
        value = exact(*map(mp.mpf, point))
        error = 1e-15 * max(1.0, float(sum(map(abs, moves)) / value))
        assert float(y) == pytest.approx(float(value), rel=error)
        for x, found, move in zip(point, back(np.array(1.0)), moves, strict=True):
            assert float(found) * x == pytest.approx(float(move), rel=10 * error)


@pytest.mark.parametrize("sizes", [(-300, 300), (-3, 3)])
def test_long_logarithms(sizes: tuple[int, int]) -> None:
    x = 10 ** np.random.default_rng(0).uniform(*sizes, 40)
    with mp.workdps(40):
        assert max(_off(long_log(x), [mp.log(v) for v in x])) < 3e-18
        small = x[x < 16]
        assert max(_off(long_log_gamma(small), [mp.loggamma(v) for v in small])) < 4e-16


def _off(found: Pair, exact: list[Any]) -> list[float]:
    return [float(abs(mp.mpf(a) + mp.mpf(b) - c)) for a, b, c in zip(*found, exact, strict=True)]


def test_an_exponential_beyond_floats_times_what_brings_it_back() -> None:
    with np.errstate(all="ignore"):
        nothing = exp_times((np.array([-1e9, 3.0]), np.zeros(2)), np.array([np.inf, 0.0]), np.zeros(2))
    assert nothing.tolist() == [0.0, 0.0]
    found = exp_times((np.array([-900.0, 900.0]), np.zeros(2)), np.array([1e300, 1e-200]), np.array([1e-20, 1e100]))
    with mp.workdps(40):
        exact = [mp.exp(-900) * mp.mpf(1e300) / mp.mpf(1e-20), mp.exp(900) * mp.mpf(1e-200) / mp.mpf(1e100)]
    assert found == pytest.approx([float(x) for x in exact], rel=3e-16)


def test_densities_at_the_ends_of_their_supports() -> None:
    ends = np.array([0.0, 1.0])
    assert PDF["beta"](ends, 1.0, 1.0).tolist() == [1.0, 1.0]
    assert PDF["beta"](ends, 0.5, 2.0).tolist() == [np.inf, 0.0]
    assert PDF["gamma"](np.array([0.0, -1.0, np.inf]), 1.0, 0.0, 4.0).tolist() == [0.25, 0.0, 0.0]
    assert PDF["weibull_min"](ends, 1.0).tolist() == pytest.approx([1.0, np.exp(-1)])
    assert np.isnan(PDF["gamma"](np.array([np.nan, 1.0]), np.array([1.0, -1.0]))).all()


#: Of a density that falls to an end as a power of 1: name, place, shapes, slope and curvature from inside.
FALLING = [
    ("gamma", 0.0, (2.0,), 1.0, -2.0),
    ("gamma", 0.0, (3.0,), 0.0, 1.0),
    ("gamma", 0.0, (1.0,), -1.0, 1.0),
    ("chi2", 0.0, (4.0,), 0.25, -0.25),
    ("beta", 0.0, (2.0, 2.0), 6.0, -12.0),
    ("beta", 1.0, (2.0, 2.0), -6.0, -12.0),
    ("beta", 1.0, (2.0, 3.0), 0.0, 24.0),
    ("weibull_min", 0.0, (2.0,), 2.0, 0.0),
    ("weibull_min", 0.0, (3.0,), 0.0, 6.0),
]


@pytest.mark.parametrize(("name", "x", "shapes", "slope", "curvature"), FALLING)
def test_slopes_where_a_density_falls_to_its_end(
    name: str, x: float, shapes: tuple[float, ...], slope: float, curvature: float
) -> None:
    sloped = grad(lambda x: PDF[name](x, *shapes))
    with np.errstate(all="ignore"):
        assert float(np.asarray(sloped(np.array(x)))) == slope
        assert float(np.asarray(grad(sloped)(np.array(x)))) == curvature
        assert np.asarray(vmap(sloped)(np.array([x, 0.5])))[0] == slope


def test_the_slope_by_scale_where_a_density_falls_to_its_end() -> None:
    """2/s*(1 - x/s) at x = s = 2."""
    sloped = grad(lambda s: PDF["beta"](2.0, 1.0, 2.0, 0.0, s))
    assert float(np.asarray(sloped(np.array(2.0)))) == 0.5
    assert float(np.asarray(grad(sloped)(np.array(2.0)))) == -1.0


def test_the_slope_at_the_end_is_infinite_where_the_density_rises_as_a_root() -> None:
    with np.errstate(all="ignore"):
        assert float(np.asarray(grad(lambda x: PDF["gamma"](x, 1.5))(np.array(0.0)))) == np.inf
        assert float(np.asarray(PDF["gamma"](np.array(0.0), 0.0005))) == np.inf


def test_the_uniform_law_on_the_circle() -> None:
    """No concentration at all: its slope by that is cos(x)."""
    density = PDF["vonmises"]
    assert float(np.asarray(density(1.0, 0.0))) == pytest.approx(0.5 / np.pi, rel=1e-15)
    by_kappa = grad(lambda kappa: density(1.0, kappa))(np.array(0.0))
    assert float(np.asarray(by_kappa)) == pytest.approx(0.5 / np.pi * np.cos(1.0), rel=1e-15)


@pytest.mark.parametrize(("name", "slope"), [("gamma", -0.0625), ("weibull_min", -0.0625)])
def test_the_slope_at_the_end_is_that_from_inside(name: str, slope: float) -> None:
    _, back = vjp(lambda x: PDF[name](x, 1.0, 0.0, 4.0), np.array(0.0))
    assert float(back(np.array(1.0))[0]) == slope


@pytest.mark.parametrize(
    ("name", "words", "wanted"),
    [("dirichlet_pdf", (np.array([2.0, 3.0]),), [12.0, 0.0]), ("multinomial_pmf", (), [3.0, 0.0])],
)
def test_slopes_where_a_share_is_0(name: str, words: tuple[Any, ...], wanted: list[float]) -> None:
    """12*x*y**2 and 3*x*y**2 at (0, 1)."""
    function = next(f for f in DENSITIES if f.name == name)
    before = () if words else (np.array([1, 2]), 3)
    found = np.asarray(grad(lambda x: function(*before, x, *words))(np.array([0.0, 1.0])))
    assert found.tolist() == pytest.approx(wanted, rel=1e-14)


def test_the_slope_of_a_class_without_weight() -> None:
    """x/(x + y) at (0, 1)."""
    function = next(f for f in DENSITIES if f.name == "categorical_pmf")
    assert np.asarray(grad(lambda p: function(0, p))(np.array([0.0, 1.0]))).tolist() == [1.0, 0.0]
    assert np.asarray(function(1, logits=np.array([0.0, np.log(3.0)]))) == pytest.approx(0.75)


def test_the_slope_by_scale_of_a_logarithm_with_a_tiny_shape() -> None:
    """log(x/scale)/s**2/scale, of which log(x/scale)/s**2 is beyond all floats."""
    x, s, scale = 1.5, 5.4e-154, 4.5e264
    with np.errstate(all="ignore"):
        slope = float(np.asarray(grad(lambda scale: lognorm_logpdf(x, s, 0.0, scale))(np.array(scale))))
    assert slope == pytest.approx(np.log(x / scale) / s / scale / s, rel=1e-14)


def test_the_normal_distribution_function_far_out_moves_no_more() -> None:
    """Where z is beyond all floats its slope by the scale is 0, and so is that of its logarithm to the right."""
    at = (np.array(2.7e200), np.array(0.0), np.array(7e-226))
    for function in (norm_cdf, norm_sf, norm_logcdf):
        with np.errstate(all="ignore"):
            assert [float(g) for g in vjp(function, *at)[1](np.array(1.0))] == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("name", ["norm", "halfnorm", "laplace", "logistic", "gumbel_r", "expon"])
@pytest.mark.parametrize(("x", "scale"), [(1e200, 1e-200), (-2000.0, 2.0), (np.inf, 1.0), (-np.inf, 1.0)])
def test_a_density_far_out_is_level(name: str, x: float, scale: float) -> None:
    """It is 0 there, and so are its slopes and curvatures, where the logarithm's are beyond all floats."""
    by_x, by_scale = lambda x: PDF[name](x, 0.0, scale), lambda scale: PDF[name](x, 0.0, scale)
    with np.errstate(all="ignore"):
        for function, at in ((by_x, x), (by_scale, scale)):
            found = [function(np.array(at)), grad(function)(np.array(at)), grad(grad(function))(np.array(at))]
            assert [float(np.asarray(y)) for y in found] == [0.0, 0.0, 0.0]


def test_logarithms_at_infinity() -> None:
    """They fall, and rise with the scale, without end; of two infinities nobody knows."""
    for name in ("laplace", "logistic", "gumbel_r", "expon", "norm"):
        logarithm = BY_NAME[f"{name}_logpdf"]
        with np.errstate(all="ignore"):
            assert float(np.asarray(logarithm(np.array(np.inf)))) == -np.inf
            assert float(np.asarray(grad(lambda s, f=logarithm: f(np.inf, 1.0, s))(np.array(2.0)))) == np.inf
            assert np.isnan(PDF[name](np.array(np.inf), 0.0, np.inf))
    assert float(np.asarray(BY_NAME["gumbel_r_logpdf"](np.array(-np.inf)))) == -np.inf


def test_names_of_people_keep_their_capital_letter() -> None:
    assert PDF["t"].doc == "Density of Student's t distribution with df degrees of freedom."
    assert "von Mises" in PDF["vonmises"].doc


def test_a_logarithms_slopes_at_its_peak_are_what_is_left_of_both_terms() -> None:
    x = np.array(1.25e300)
    y, pull = vjp(gamma_logpdf, x, x)
    assert [float(g) for g in pull(np.ones_like(y))] == pytest.approx([-8e-301, 4e-301], rel=1e-15, abs=0)
