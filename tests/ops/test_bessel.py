"""Bessel functions and their kin where SciPy's lose digits or overflow, against mpmath."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from mpmath import mp

from gradcli.autodiff import vjp
from gradcli.graph.errors import DtypeError
from gradcli.ops.registry import known

#: Of values; slopes are sums of two.
NEAR = 1e-15


def _of(name: str, *orders: float) -> Callable[..., Any]:
    function = known("scipy.special", name)
    return lambda x: function(*orders, x)


def _slope(f: Callable[..., Any], x: float) -> float:
    y, pull = vjp(f, np.array(x))
    return float(pull(np.ones_like(y))[0])


def _exact(f: Callable[..., Any], x: float) -> float:
    with mp.workdps(60):
        return float(f(mp.mpf(x)))


@pytest.mark.parametrize(
    ("name", "orders", "x", "exact"),
    [
        ("y0", (), 4.873216352421395, lambda x: mp.bessely(0, x)),
        ("y1", (), 3.445, lambda x: mp.bessely(1, x)),
        ("yn", (2,), 4.869, lambda x: mp.bessely(2, x)),
        ("yv", (-3,), 11.56, lambda x: mp.bessely(-3, x)),
        ("yv", (2,), 1e-154, lambda x: mp.bessely(2, x)),
        ("iv", (1,), -4.519802818892087e-07, lambda x: mp.besseli(1, x)),
        ("i0", (), 1.032, lambda x: mp.besseli(0, x)),
        ("i0e", (), 1.2, lambda x: mp.exp(-x) * mp.besseli(0, x)),
        ("k0", (), 7.801229507846571e-13, lambda x: mp.besselk(0, x)),
        ("k0", (), 2.304377e-318, lambda x: mp.besselk(0, x)),
        ("k0e", (), 2.304377e-318, lambda x: mp.exp(x) * mp.besselk(0, x)),
        ("kv", (-1,), 1.5512949064154704e-307, lambda x: mp.besselk(1, x)),
        ("kve", (-1,), 1.9999999995408484, lambda x: mp.exp(x) * mp.besselk(1, x)),
        ("kve", (2,), 6.95e-12, lambda x: mp.exp(x) * mp.besselk(2, x)),
        ("expn", (2,), 0.9955720775000075, lambda x: mp.expint(2, x)),
        ("expn", (5,), 1.2, lambda x: mp.expint(5, x)),
    ],
)
def test_values(name: str, orders: tuple[float, ...], x: float, exact: Callable[..., Any]) -> None:
    assert float(_of(name, *orders)(np.array(x))) == pytest.approx(_exact(exact, x), rel=NEAR)


def _y_slope(n: int, x: Any) -> Any:
    return (mp.bessely(n - 1, x) - mp.bessely(n + 1, x)) / 2


def _k_slope(n: int, x: Any) -> Any:
    return -(mp.besselk(n - 1, x) + mp.besselk(n + 1, x)) / 2


@pytest.mark.parametrize(
    ("name", "orders", "x", "exact"),
    [
        ("y1", (), 1.843212182996636e-154, lambda x: _y_slope(1, x)),
        ("yn", (2,), 3.3947064697576514e-102, lambda x: _y_slope(2, x)),
        ("k1", (), 1.843212182996636e-154, lambda x: _k_slope(1, x)),
        ("kn", (2,), 3.3947064697576514e-102, lambda x: _k_slope(2, x)),
        ("k0e", (), 3.937788796716835e-308, lambda x: mp.exp(x) * (mp.besselk(0, x) + _k_slope(0, x))),
        ("k1e", (), 1.843212182996636e-154, lambda x: mp.exp(x) * (mp.besselk(1, x) + _k_slope(1, x))),
    ],
)
def test_slopes_beside_nothing(name: str, orders: tuple[float, ...], x: float, exact: Callable[..., Any]) -> None:
    """They are large, but not beyond all floats."""
    assert _slope(_of(name, *orders), x) == pytest.approx(_exact(exact, x), rel=2 * NEAR)


@pytest.mark.parametrize(
    ("order", "x"), [(19, 1e-3), (20, 1.7), (20, 415.8748861336848), (20, 431.0), (50, -2520.0), (150, 22000.0)]
)
def test_slopes_of_the_scaled_function_of_high_order(order: int, x: float) -> None:
    """Near x = order**2 they vanish: by an ulp of x they move by more than one of their own."""

    def exact(x: Any) -> Any:
        size = abs(x)
        slope = (mp.besseli(order - 1, size) + mp.besseli(order + 1, size)) / 2 - mp.besseli(order, size)
        return mp.sign(x) * mp.exp(-size) * slope

    wanted, beside = _exact(exact, x), _exact(exact, x + np.spacing(x))
    assert abs(_slope(_of("ive", order), x) - wanted) <= 4 * (abs(beside - wanted) + np.spacing(abs(wanted)))


def test_second_slopes_of_the_scaled_function_of_high_order() -> None:
    def exact(x: Any) -> Any:
        i = [mp.besseli(20 + k, x) for k in (-2, -1, 0, 1, 2)]
        return mp.exp(-x) * (i[0] / 4 - i[1] + 1.5 * i[2] - i[3] + i[4] / 4)

    for x, rel in ((0.0, 0), (5.0, 1e-14), (200.0, 1e-10), (1000.0, 1e-13)):
        assert _slope(lambda t: vjp(_of("ive", 20), t)[1](np.array(1.0))[0], x) == pytest.approx(
            _exact(exact, x), rel=rel
        )


@pytest.mark.parametrize("x", [11.0, -403846738.66523945, 285962866351.102, 1e200])
def test_fresnel_far_out(x: float) -> None:
    s, c = known("scipy.special", "fresnel")(np.array(x))
    if abs(x) < 1e100:
        assert float(s) == pytest.approx(_exact(mp.fresnels, x), rel=NEAR)
        assert float(c) == pytest.approx(_exact(mp.fresnelc, x), rel=NEAR)
    else:
        assert (float(s), float(c)) == (0.5, 0.5)


def test_owens_t_of_next_to_nothing() -> None:
    h, a = 9.999698336019447, 1.169877443849691e-164
    with mp.workdps(40):
        exact = float(mp.mpf(a) * mp.exp(-(mp.mpf(h) ** 2) / 2) / (2 * mp.pi))
    assert float(known("scipy.special", "owens_t")(np.array(h), np.array(a))) == pytest.approx(exact, rel=NEAR)


@pytest.mark.parametrize("name", ["jv", "yv", "iv", "kv", "ive", "kve"])
def test_a_complex_order_is_refused(name: str) -> None:
    with pytest.raises(DtypeError, match="order of a Bessel function is a real number, not complex128"):
        known("scipy.special", name)(1j, np.array(1.5))


@pytest.mark.parametrize("order", [0, 0.5, 1, 2, 3.5])
@pytest.mark.parametrize("x", [0.0, 1e-315])
def test_bessel_of_the_second_kind_rises_without_end_at_0(order: float, x: float) -> None:
    assert _slope(lambda t: known("scipy.special", "yv")(order, t), x) == np.inf


@pytest.mark.parametrize(("order", "wanted"), [(-1, -np.inf), (-2, np.inf), (-0.5, np.inf), (-1.5, -np.inf)])
@pytest.mark.parametrize("x", [0.0, 1e-315])
def test_of_two_infinities_that_of_the_order_farther_from_0_leads(order: float, wanted: float, x: float) -> None:
    assert _slope(lambda t: known("scipy.special", "yv")(order, t), x) == wanted
