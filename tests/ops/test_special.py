"""Special functions and log-densities at points where a plainer formula loses its digits, against mpmath."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mp

from gradcli.autodiff import hessian, jvp, vjp
from gradcli.graph.errors import ArgumentError
from gradcli.ops.registry import known


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """What overflows on the way is no concern of the tests."""
    with np.errstate(all="ignore"):
        yield


def _function(name: str) -> Callable[..., Any]:
    return known("scipy.special", name)


def _slopes(f: Callable[..., Any], *xs: float) -> list[float]:
    arrays = [np.array(x) for x in xs]
    y, pull = vjp(f, *arrays)
    return [float(g) for g in pull(np.ones_like(y))]


def _exact(f: Callable[..., Any], *xs: float) -> list[float]:
    """Partial derivatives with 80 digits."""
    with mp.workdps(80):
        points = [mp.mpf(x) for x in xs]
        orders = np.eye(len(xs), dtype=int)
        return [float(mpmath.diff(f, tuple(points), tuple(int(n) for n in row))) for row in orders]


def _t_logpdf(x: Any, d: Any) -> Any:
    ends = mp.loggamma((d + 1) / 2) - mp.loggamma(d / 2) - mp.log(d * mp.pi) / 2
    return ends - (d + 1) / 2 * mp.log1p(x * x / d)


@pytest.mark.parametrize(("x", "d"), [(1.5, 1e12), (-0.3, 4.0), (2.0, 1e-3), (1e20, 0.5)])
def test_t_logpdf(x: float, d: float) -> None:
    from gradcli.ops.probability.continuous import t_logpdf

    with mp.workdps(60):
        exact = float(_t_logpdf(mp.mpf(x), mp.mpf(d)))
    assert float(t_logpdf(np.array(x), np.array(d))) == pytest.approx(exact, rel=1e-15)
    assert _slopes(t_logpdf, x, d) == pytest.approx(_exact(_t_logpdf, x, d), rel=3e-15)


def test_slopes_of_log_densities_near_their_modes() -> None:
    from gradcli.ops.probability.continuous import cauchy_logpdf, gumbel_r_logpdf, logistic_logpdf

    assert _slopes(logistic_logpdf, 1e-20) == [-5e-21]
    assert _slopes(gumbel_r_logpdf, 1e-20) == [-1e-20]
    assert _slopes(cauchy_logpdf, -1e200) == [pytest.approx(2e-200, rel=1e-15)]
    assert float(cauchy_logpdf(np.array(1e200))) == pytest.approx(-400 * np.log(10) - np.log(np.pi), rel=1e-15)


def test_lognorm_by_scale_for_a_wide_spread() -> None:
    from gradcli.ops.probability.continuous import lognorm_logpdf

    slopes = _slopes(lambda x, s, scale: lognorm_logpdf(x, s, 0.0, scale), 3.0, 1e50, 2.0)
    assert slopes == pytest.approx([-1 / 3, -1e-50, np.log(1.5) / 1e100 / 2], rel=1e-15)


def test_densities_where_the_slope_of_the_logarithm_is_infinite() -> None:
    from gradcli.ops.probability.densities import DENSITIES

    density = next(f for f in DENSITIES if f.name == "gumbel_r_pdf")
    y, t = jvp(density, [np.array(-1e5)], [np.array(1.0)])
    assert (float(y), float(t)) == (0.0, 0.0)


@pytest.mark.parametrize(("n", "k"), [(2.5, 40.25), (2.5, 1e6 + 0.5), (0.3, -7.4), (7.3, 2.6), (-0.6, 3.7)])
def test_binom_everywhere(n: float, k: float) -> None:
    def exact(n: Any, k: Any) -> Any:
        return mp.gamma(n + 1) * mp.rgamma(k + 1) * mp.rgamma(n - k + 1)

    binom = _function("binom")
    with mp.workdps(60):
        assert float(binom(np.array(n), np.array(k))) == pytest.approx(float(exact(mp.mpf(n), mp.mpf(k))), rel=2e-14)
    assert _slopes(binom, n, k) == pytest.approx(_exact(exact, n, k), rel=1e-13)


@pytest.mark.parametrize("x", [0.4, 1.3, 2.05, -5e5])
def test_airy_between_and_far_out(x: float) -> None:
    parts = [mp.airyai(x), mp.airyai(x, derivative=1), mp.airybi(x), mp.airybi(x, derivative=1)]
    bound = 1e-15 * max(1.0, abs(x) ** 1.5)  # by an ulp of x they turn as far
    for found, exact in zip(_function("airy")(np.array(x)), parts, strict=True):
        assert abs(float(found) - float(exact)) <= 2 * bound * abs(float(exact)) + bound * (x < 0) * abs(x) ** 0.25


def test_beta_of_next_to_nothing() -> None:
    beta, betaln = _function("beta"), _function("betaln")
    tiny = 2.3e-309
    assert float(betaln(np.array(3.8), np.array(tiny))) == pytest.approx(-np.log(tiny), rel=1e-15)
    assert _slopes(beta, 3.8, tiny)[0] == pytest.approx(-float(mp.psi(1, 3.8)), rel=1e-15)


def test_orders_and_dimensions_have_a_limit() -> None:
    with pytest.raises(ArgumentError, match="the order is 1000 at most, not 1000000000000"):
        _function("polygamma")(10**12, np.array(2.0))
    with pytest.raises(ArgumentError, match="the dimension is 1000 at most, not 1000000000000"):
        _function("multigammaln")(np.array(1e13), 10**12)


@pytest.mark.parametrize(
    ("name", "point", "place", "wanted"),
    [
        ("betainc", (4.5229081808722e-15, 8.247985365266665e-120, 0.3587961871858093), 0, -4.0319240177027640868e-91),
        ("betainc", (2.903905634235522e-175, 1.900623130290879e-16, 0.49999805435819605), 0, -5261432337966738.0),
        ("betainc", (1.5976742050126743e-17, 2.368094734145777e-309, 0.588), 0, -9.27732188805121194e-276),
        ("gammainc", (9.895e-308, 4.958), 0, -0.00120634559553140667),
        ("gammainccinv", (3.855, 2.0685494410493528e-235), 1, -4.85917517150202745e234),
        ("ellipk", (-3.904625259890496e205,), 0, 4.85847736250078189e-307),
        ("boxcox1p", (1.7987889711260654e277, -3.3598104643923505e-17), 0, 5.55929581541722191e-278),
        ("gammaincinv", (2.0, 3.853566212108426e-298), 1, 3.6020819527400679517e148),
        ("binom", (-0.99999999, 2.0), 0, -1.49999999),
        ("inv_boxcox", (-2.631528488959482e86, -2.1867836572051938e-75), 0, 0.0),
        ("inv_boxcox1p", (-8.253126130259573e262, -6.0905980652089575e-198), 1, 0.0),
    ],
)
def test_slopes_at_the_ends_of_floats(name: str, point: tuple[float, ...], place: int, wanted: float):
    assert _slopes(_function(name), *point)[place] == pytest.approx(wanted, rel=4e-15, abs=0)


@pytest.mark.parametrize(
    ("name", "point", "wanted"),
    [
        ("inv_boxcox", (-1.0, 1.0), 0.0),
        ("inv_boxcox", (5.0, -0.2), np.inf),
        ("inv_boxcox", (-np.inf, 0.0), 0.0),
        ("inv_boxcox1p", (-2.0, 0.5), -1.0),
        ("inv_boxcox1p", (np.inf, 0.0), np.inf),
        ("pseudo_huber", (1.0, -np.inf), np.inf),
        ("zetac", (np.inf,), 0.0),
    ],
)
def test_values_at_the_ends_of_their_domains_are_scipys(name: str, point: tuple[float, ...], wanted: float):
    assert float(np.asarray(_function(name)(*map(np.asarray, point)))) == wanted


def test_a_residual_without_end_counts_as_delta():
    assert _slopes(_function("pseudo_huber"), 2.0, -np.inf)[1] == -2
    assert list(_slopes(_function("pseudo_huber"), 0.0, 0.0)) == [0, 0]
    assert list(_slopes(_function("pseudo_huber"), 0.0, -3.0)) == [3, 0]
    assert list(_slopes(_function("pseudo_huber"), -1.0, 2.0)) == [0, 0]
    second = hessian(_function("pseudo_huber"), (0, 1))(np.array(0.0), np.array(2.0))
    assert [[float(part) for part in row] for row in second] == [[-2, 1], [1, 0]]


def test_a_slope_below_the_smallest_normal_float_is_not_lost():
    a, b, x = 2.0, 7.077894e-316, 0.872863093936488
    wanted = float(-mp.mpf(x) / (1 - mp.mpf(x)) * b)  # gamma(a + b)/(gamma(a) gamma(b)) is b for a = 2
    assert _slopes(_function("betaincc"), a, b, x)[2] == pytest.approx(wanted, rel=1e-8, abs=0)


def test_hurwitz_zeta_of_many_digits_is_the_sum():
    from gradcli.symbolic.hurwitz import hurwitz_zeta

    with mp.workprec(100):
        found, summed = hurwitz_zeta(mp.mpf(150), mp.mpf(3000)), mp.fsum(mp.mpf(3000 + k) ** -150 for k in range(3000))
        assert abs(found / summed - 1) < mp.mpf(2) ** -90
