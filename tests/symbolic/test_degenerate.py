"""Where equations are singular, as for equal eigenvalues: smooth functions are proved, kinks named, the rest left."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from recorded import of, proved

from gradcli.symbolic import Report

SMOOTH: list[tuple[Any, Any]] = [
    (lambda a: of("sum")(of("eigvalsh")(a)), np.eye(3)),
    (lambda a: of("sum")(of("eigvalsh")(a) ** 3), 2 * np.eye(2)),
    (lambda a: of("sum")(of("svdvals")(a)), np.eye(2)),
    (lambda a: of("sum")(of("exp")(of("svdvals")(a))), np.diag([3.0, 1.0, 1.0])),
    (lambda x: of("eigvalsh")(x * np.eye(3))[1], 2.0),
    (lambda a: of("sum")(of("eigvalsh")(a) * np.array([1.0, 1.0, 5.0])), np.diag([1.0, 1.0, 4.0])),
]


@pytest.mark.parametrize(("f", "a"), SMOOTH)
def test_a_smooth_function_of_equal_values_is_proved(f: Any, a: Any) -> None:
    report = proved(f, a)
    assert report.ok is True, report.to_json()
    assert report.kinks == []
    assert report.inputs["x0"].max_rel_error < 1e-14
    assert report.inputs["x0"].rounding < 1e-11
    assert "paths away from the point" in report.covered[0]


def test_another_derivative_is_refuted() -> None:
    claimed = {"x0": np.eye(3) * (1 + 1e-8)}
    report = proved(lambda a: of("sum")(of("eigvalsh")(a)), np.eye(3), claimed=claimed)
    assert report.ok is False
    assert report.inputs["x0"].worst is not None and float(report.inputs["x0"].worst["exact"]) == 1.0


def kinks(report: Report) -> dict[tuple[int, ...], tuple[float, float, float]]:
    return {tuple(k["index"]): (k["left"], k["right"], k["chosen"]) for k in report.kinks}


def test_one_of_equal_eigenvalues_has_a_kink() -> None:
    report = proved(lambda a: of("eigvalsh")(a)[0], np.eye(2))
    assert report.ok is True
    found = kinks(report)
    assert report.kinks[0]["op"] == "eigh"
    assert found[0, 0] == pytest.approx((1.0, 0.0, 1.0), abs=1e-12)  # the lesser of 1 + t and 1
    assert found[0, 1] == pytest.approx((0.5, -0.5, 0.0), abs=1e-12)  # 1 - |t|/2
    claimed = {"x0": np.array([[3.0, 0.0], [0.0, 0.0]])}
    assert proved(lambda a: of("eigvalsh")(a)[0], np.eye(2), claimed=claimed).ok is not True


def test_the_nuclear_norm_of_nothing_has_a_kink() -> None:
    report = proved(lambda a: of("norm")(a, "nuc"), np.zeros((2, 2)))
    assert report.ok is True
    assert kinks(report)[1, 0] == pytest.approx((-1.0, 1.0, 0.0))


def test_vectors_of_equal_values_have_no_derivative() -> None:
    report = proved(lambda a: of("eigh")(a)[1], np.eye(2), derivative="jacobian")
    assert report.ok is None
    assert report.reason is not None and "the equations that define eigh are singular" in report.reason


def test_several_slopes_along_every_axis_are_a_kink_though_each_axis_has_one() -> None:
    report = proved(of("eigvals"), np.zeros((2, 2)), derivative="jacobian")
    assert report.ok is True
    assert {(k["op"], k["left"], k["right"]) for k in report.kinks} <= {("eig", 0.0, 0.0), ("eig", 1.0, 1.0)}
    assert len(report.kinks) == 8


def test_eigenvalues_in_another_order_beside_the_point_refute_nothing() -> None:
    assert proved(of("eigvals"), np.ones((3, 3)), derivative="jacobian").ok is not False


@pytest.mark.parametrize("name", ["eigvalsh", "svdvals"])
@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_a_matrix_of_any_size_is_regular(name: str, scale: float) -> None:
    report = proved(of(name), scale * np.array([[1.0, 1.125], [1.125, 1.375]]), derivative="jacobian")
    assert report.ok is True
    assert "paths" not in report.covered[0]
