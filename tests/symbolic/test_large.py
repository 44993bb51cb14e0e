"""Large programs: sums are one node each, and what is too large is said to be, with what can be said."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from recorded import engine, of, proved, record

from gradcli.symbolic import derivatives, oracle, prove
from gradcli.symbolic.lowering import lower

total, times, sin = of("sum"), of("matmul"), of("sin")


def size_of(f: Any, *xs: Any) -> int:
    _, outputs, inputs = record(f, *xs)
    return len(lower(outputs, inputs).graph)


@pytest.mark.parametrize(
    ("f", "shapes", "most"),
    [
        (lambda a, b: total(times(a, b)), [(20, 20), (20, 20)], 2 * 400 + 400 + 5),
        (lambda a, b: total(of("einsum")("ijk,kl->il", a, b)), [(4, 5, 6), (6, 7)], 162 + 28 + 35),
        (lambda x: of("mean")(x), [(1000,)], 1005),
        (lambda x, k: total(of("convolve")(x, k)), [(50,), (9,)], 59 + 58 * 6),
    ],
)
def test_sums_are_one_node_each(f: Any, shapes: Any, most: int) -> None:
    rng = np.random.default_rng(0)
    xs = [rng.normal(size=shape) for shape in shapes]
    assert size_of(f, *xs) <= most
    assert proved(f, *xs).ok is True


def test_sums_with_numbers_in_them() -> None:
    a = np.array([[1.0, 0.0, -1.0], [2.0, 0.5, 0.0], [0.0, 0.0, 0.0]])
    report = proved(
        lambda x: of("stack")([times(a, x), times(x, a), a[0] - a[1] * x]), [1.0, 2.0, 3.0], derivative="jacobian"
    )
    assert report.ok is True
    assert (
        proved(lambda x: times(times(x, x), np.array([[1.0], [2.0]])), np.ones((2, 2)), derivative="jacobian").ok
        is True
    )


def test_the_rounding_of_a_long_sum_is_that_of_its_additions() -> None:
    x = np.random.default_rng(0).normal(size=1000)
    report = proved(lambda x: of("exp")(total(x)), x)
    assert report.ok is True
    assert 1e-16 < report.inputs["x0"].rounding / abs(report.inputs["x0"].worst["got"]) < 1e-12


def too_many(n: int) -> Any:
    def f(x: Any) -> Any:
        for _ in range(n):
            x = x + 0.1 * sin(x)
        return total(x * x)

    return f


def against(f: Any, x: Any, claimed: Any, derivative: str = "gradient") -> Any:
    recording, outputs, inputs = record(f, x)
    rerun = lambda changed: record(f, changed["x0"])  # noqa: E731
    return prove(recording, outputs, inputs, claimed, derivative=derivative, rerun=rerun)


def test_what_is_too_large_is_looked_at_along_directions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oracle, "_LIMIT", 100)
    f, x = too_many(20), np.linspace(0.1, 1.0, 10)
    claimed = engine(f, x, derivative="gradient")
    report = against(f, x, claimed)
    assert report.ok is None
    assert report.reason is not None and "more than 100 scalar operations" in report.reason
    assert report.covered[0].startswith("along 3 random directions: differences of the program agree with it to ")
    assert report.covered[0].endswith(", which is no proof")
    claimed["x0"][3] *= 1.01
    wrong = against(f, x, claimed)
    assert wrong.ok is False
    assert wrong.covered == ("along 3 random directions: it differs from what differences of the program give",)


def test_of_too_many_rows_some_are_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(derivatives, "_WORK", 60)
    f, x = lambda x: sin(x) * x, np.linspace(0.1, 1.0, 30)
    claimed = engine(f, x, derivative="jacobian")
    report = against(f, x, claimed, "jacobian")
    assert report.ok is None
    assert report.inputs["x0"].elements == 900
    assert report.reason is not None and report.reason.endswith(" of 30 rows were too much to be looked at")
    assert "rows, chosen at random, and of them all elements" in report.covered[0]
    claimed["x0"] = claimed["x0"] * (1 + 1e-6)
    assert against(f, x, claimed, "jacobian").ok is False
