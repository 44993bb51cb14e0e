"""Small numbers beside large ones: no precision may swallow them unseen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from mpmath import mp
from recorded import of, proved

tanh, cos, sin, log, exp, erf = (of(name) for name in ("tanh", "cos", "sin", "log", "exp", "erf"))


@pytest.mark.parametrize(
    ("f", "twin", "x"),
    [
        (of("mish"), lambda x: x * mp.tanh(mp.log1p(mp.exp(x))), -441.0),
        (of("gelu"), lambda x: x * mp.erfc(-x / mp.sqrt(2)) / 2, -30.0),
        (tanh, mp.tanh, 200.0),
        (lambda x: 1 - tanh(x) ** 2, lambda x: mp.sech(x) ** 2, 200.0),
        (lambda x: log(1 - erf(x)), lambda x: mp.log(mp.erfc(x)), 20.0),
        (lambda x: x - sin(x), lambda x: x - mp.sin(x), 1e-100),
        (lambda x: (1 - cos(x)) / x**2, lambda x: (1 - mp.cos(x)) / x**2, 1e-60),
        (lambda x: (exp(x) + 1) - 1 - exp(x) * (1 + exp(2 * x)), lambda x: -mp.exp(3 * x), -120.0),
    ],
)
def test_the_exact_derivative_keeps_its_digits(f: Any, twin: Any, x: float) -> None:
    with mp.workdps(700):
        slope = mp.diff(twin, mp.mpf(x), h=mp.mpf(10) ** -310)
    report = proved(f, x, claimed={"x0": np.array(float(slope) * 2)})
    worst = report.inputs["x0"].worst
    assert worst is not None
    with mp.workdps(60):
        assert abs(mp.mpf(worst["exact"]) / slope - 1) < mp.mpf(10) ** -45


def test_saturated_units_are_right_to_their_last_digits() -> None:
    x = np.array([30.0, -60.0, 300.0])
    report = proved(lambda x: of("sum")(tanh(x)), x)
    assert report.ok is True
    assert report.inputs["x0"].max_rel_error < 1e-15
    assert not report.inputs["x0"].by_rounding
    assert proved(lambda x: of("sum")(tanh(x)), x, claimed={"x0": np.zeros(3)}).ok is False


def test_what_cancels_exactly_is_zero() -> None:
    x = np.array([1.0, 2.0, 4.0])
    report = proved(lambda x: of("sum")(x - of("mean")(x)), x, claimed={"x0": np.zeros(3)})
    assert report.ok is True
    assert report.inputs["x0"].max_abs_error == 0.0
