"""The nested descents in NumPy with gradients derived by hand; the derivative of the whole by complex steps."""

from __future__ import annotations

import numpy as np
import pytest

RATE = 0.2


def f(x, y, twist):
    return (
        np.sum(x**2) / 2 + np.sum(x**4) / 8 - np.sum(y**2) / 2 - np.sum(np.cosh(y)) / 4
        + twist * np.sin(x[0] - 1) * y[1] + x[1] * y[0]
    )  # fmt: skip


def climb(x, twist, climbs):
    """The y that the inner climb ends at, and its derivative by x, step by step."""
    y, D = np.zeros(2), np.zeros((2, 2))
    pull = np.array([x[1], twist * np.sin(x[0] - 1)])
    pull_by_x = np.array([[0, 1], [twist * np.cos(x[0] - 1), 0]])
    for _ in range(climbs):
        D = D + RATE * (pull_by_x - (1 + np.cosh(y) / 4)[:, None] * D)
        y = y + RATE * (pull - y - np.sinh(y) / 4)
    return y, D


def highest(x, twist, climbs):
    return f(x, climb(x, twist, climbs)[0], twist)


def slope_of_highest(x, twist, climbs):
    y, D = climb(x, twist, climbs)
    by_x = x + x**3 / 2 + np.array([twist * np.cos(x[0] - 1) * y[1], y[0]])
    by_y = -y - np.sinh(y) / 4 + np.array([x[1], twist * np.sin(x[0] - 1)])
    return by_x + by_y @ D


def saddle(start, twist, steps=20, climbs=20):
    x = start
    for _ in range(steps):
        x = x - RATE * slope_of_highest(x, twist, climbs)
    return highest(x, twist, climbs)


@pytest.mark.parametrize("outer", [0, 1])
@pytest.mark.parametrize("inner", [0, 1])
def test_all_four_pairings_of_modes(answer, complex_step, agree, outer: int, inner: int) -> None:
    given = {"start": np.array([1, 0.5]), "twist": np.array(0.3), "steps": 5, "climbs": 6}
    words = [f"outer={outer}", f"inner={inner}", "steps=5", "climbs=6", "--wrt", "start,twist"]
    found = answer("grad", "saddle", *words)
    agree(found.value, saddle(**given))
    agree(found.by, complex_step(saddle, given, "start", "twist"))


def test_it_is_a_saddle_point(answer, agree) -> None:
    found = answer("eval", "saddle").value
    agree(found, saddle(np.array([1, 0.5]), 0.3))
    best = saddle(np.array([1, 0.5]), 0.3, 300, 100)
    assert abs(found - best) < 1e-4
