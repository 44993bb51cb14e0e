"""Inputs and results that are no finite numbers: what is proved of them, and what is not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from recorded import of, proved

from gradcli.ops.registry import lookup

NAN, INF = np.nan, np.inf


@pytest.mark.parametrize("name", ["nansum", "nanmean", "nanprod", "nanmax", "nanvar", "nanmedian", "nancumsum"])
def test_what_skips_nan_has_derivatives_beside_it_and_none_by_it(name: str) -> None:
    report = proved(of(name), np.array([1.0, NAN, 3.0, 7.0]), derivative="jacobian")
    assert report.ok is True, report.to_json()


def test_a_derivative_by_nan_is_nothing_and_no_other_number() -> None:
    claimed = {"x0": np.array([1.0, 0.5, 1.0])}
    report = proved(of("nansum"), np.array([1.0, NAN, 3.0]), claimed=claimed)
    assert report.ok is False
    assert report.inputs["x0"].worst == {"index": [1], "got": 0.5, "exact": "0.0"}


def test_of_many_results_only_the_undefined_ones_are_not_proved() -> None:
    report = proved(lambda x: x * x, np.array([1.0, NAN, 3.0]), derivative="jacobian")
    assert report.ok is None
    assert report.reason == "the program's result is undefined at this point"
    entry = report.inputs["x0"]
    assert (entry.ok, entry.elements, entry.max_abs_error) == (None, 9, 0.0)
    wrong = np.diag([2.0, NAN, 6.5])
    assert proved(lambda x: x * x, np.array([1.0, NAN, 3.0]), derivative="jacobian", claimed={"x0": wrong}).ok is False


@pytest.mark.parametrize(
    ("name", "x", "slope"),
    [
        ("softplus", INF, 1.0),
        ("softplus", -INF, 0.0),
        ("tanh", INF, 0.0),
        ("exp", -INF, 0.0),
        ("exp", INF, INF),
        ("log", INF, 0.0),
        ("square", INF, INF),
        ("square", -INF, -INF),
        ("gelu", INF, 1.0),
    ],
)
def test_at_infinity_a_derivative_is_its_limit(name: str, x: float, slope: float) -> None:
    assert proved(of(name), x, claimed={"x0": np.array(slope)}).ok is True
    assert proved(of(name), x, claimed={"x0": np.array(0.5)}).ok is False


def test_where_there_is_no_limit_nothing_is_proved() -> None:
    assert proved(of("sin"), INF, claimed={"x0": np.array(0.0)}).ok is None
    two = {"x0": np.array(1.0), "x1": np.array(1.0)}
    assert proved(lambda x, y: x * y, INF, INF, claimed=two).ok is None


def test_one_infinite_element_among_others() -> None:
    found: Any = proved(of("hypot"), INF, 1.0, claimed={"x0": np.array(1.0), "x1": np.array(0.0)})
    assert found.ok is True
    assert proved(of("logsumexp"), np.array([-INF, 0.0, 1.0])).ok is True


def test_what_replaces_nan_or_passes_it_over() -> None:
    x, y = np.array([1.0, NAN, 3.0, 5.0, NAN]), np.array([2.0, 2.0, NAN, 1.0, 4.0])
    for name in ("fmax", "fmin"):
        assert proved(of(name), x, y, derivative="jacobian").ok is True
    assert proved(of("nan_to_num"), np.array([1.0, NAN, INF, -INF]), derivative="jacobian").ok is True
    claimed = {"x0": np.array(1.0)}
    assert proved(lambda x: 3 * of("nan_to_num")(x), NAN, claimed=claimed).ok is False


def test_without_elements_there_is_nothing_to_prove() -> None:
    for name in ("cov", "nanvar", "sum"):
        report = proved(of(name), np.zeros(0))
        assert report.ok is True
        assert (report.inputs["x0"].elements, report.covered) == (0, ("all elements: there are none",))


def test_medians_pass_nan_over_wherever_it_stands() -> None:
    median = lookup("torch", "nanmedian")
    assert median is not None
    for x in ([NAN, 1.0, 2.0, 3.0], [3.0, NAN, 1.0, NAN, 2.0], [1.0, 2.0, NAN]):
        assert proved(median.call, np.array(x)).ok is True
