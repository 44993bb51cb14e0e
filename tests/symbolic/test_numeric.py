"""The second opinion: complex steps where the program is analytic, extrapolated differences elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from recorded import engine, of, record

from gradcli.graph.errors import ArgumentError
from gradcli.symbolic import prove_numerically


def second_opinion(f: Any, *xs: Any, derivative: str = "gradient", **options: Any) -> Any:
    values = {f"x{i}": np.asarray(x) for i, x in enumerate(xs)}
    recording, _, _ = record(f, *xs)
    claimed = options.pop("claimed", None) or engine(f, *xs, derivative=derivative)
    return prove_numerically(f, values, claimed, derivative=derivative, recording=recording, **options)


def analytic(x: Any) -> Any:
    return of("sum")(of("sin")(x) * of("exp")(x) / (1 + x * x))


def bent(x: Any) -> Any:
    return of("sum")(of("abs")(x) * of("sin")(x) + of("relu")(x - 0.5))


def test_analytic_programs_take_a_complex_step() -> None:
    report = second_opinion(analytic, [0.5, 1.5, -0.7])
    assert report.ok is True
    assert report.method == "numeric"
    assert report.digits is None
    assert report.covered == ("all elements: complex-step derivatives",)
    assert report.inputs["x0"].max_rel_error < 1e-13


def test_others_are_differenced() -> None:
    report = second_opinion(bent, [0.3, 1.5, -0.7])
    assert report.ok is True
    assert report.covered == ("all elements: central differences, Richardson-extrapolated",)


@pytest.mark.parametrize("f", [analytic, bent])
def test_a_wrong_derivative_is_found(f: Any) -> None:
    x = [0.3, 1.5, -0.7]
    claimed = engine(f, x, derivative="gradient")
    claimed["x0"] = claimed["x0"] * np.array([1, 1 + 1e-6, 1])
    report = second_opinion(f, x, claimed=claimed)
    assert report.ok is False
    assert report.inputs["x0"].worst["index"] == [1]


def test_jacobians_and_several_outputs() -> None:
    report = second_opinion(lambda x: (of("tanh")(x), of("sum")(x * x)), [0.3, 1.5], derivative="jacobian")
    assert report.ok is True
    assert report.inputs["x0"].elements == 6


@pytest.mark.parametrize("f", [analytic, bent])
def test_hessians(f: Any) -> None:
    assert second_opinion(f, [0.3, 1.5, -0.7], derivative="hessian").ok is True
    wrong = engine(f, [0.3, 1.5, -0.7], derivative="hessian")
    wrong["x0", "x0"] = wrong["x0", "x0"] + 1e-3
    assert second_opinion(f, [0.3, 1.5, -0.7], derivative="hessian", claimed=wrong).ok is False


def test_shapes_and_names_are_checked() -> None:
    with pytest.raises(ArgumentError, match="has shape"):
        second_opinion(analytic, [1.0, 2.0], claimed={"x0": np.ones(3)})
    with pytest.raises(ArgumentError, match="no input 'y'"):
        second_opinion(analytic, [1.0, 2.0], claimed={"y": np.ones(3)})


def test_kinks_have_two_sides() -> None:
    def f(x: Any, w: Any) -> Any:
        return of("sum")(of("relu")(x) * w)

    report = second_opinion(f, [0.0, 1.0], [2.0, 3.0])
    assert report.ok is True
    assert [(k["op"], k["input"], k["index"], k["chosen"], k["ok"]) for k in report.kinks] == [
        ("relu", "x0", [0], 0.0, True)
    ]
    assert (report.kinks[0]["left"], round(report.kinks[0]["right"], 9)) == (0.0, 2.0)
    wrong = {"x0": np.array([2.5, 3.0])}
    assert second_opinion(f, [0.0, 1.0], [2.0, 3.0], claimed=wrong).ok is False


def test_a_complex_step_is_tried_by_every_input() -> None:
    report = second_opinion(lambda x, y: of("sum")(of("full_like")(x, 2.0) * y), [1.0, 2.0], [3.0, 4.0])
    assert report.inputs["x1"].ok is True
