"""Kaiser's window and its slopes by beta, against mpmath."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from mpmath import mp

from gradcli.autodiff import grad
from gradcli.ops.registry import known


def _weight(length: int, place: int) -> Callable[..., Any]:
    kaiser = known("numpy", "kaiser")
    return lambda beta: kaiser(length, beta)[place]


def _exact(length: int, place: int, beta: float, order: int) -> float:
    def window(b: Any) -> Any:
        last = mp.mpf(length - 1)
        return mp.besseli(0, b * mp.sqrt(1 - (1 - 2 * place / last) ** 2)) / mp.besseli(0, b)

    with mp.workdps(60):
        return float(mp.diff(window, mp.mpf(beta), order))


@pytest.mark.parametrize("beta", [1e-3, 1.0, -4.3, 12.0, 500.0])
@pytest.mark.parametrize(("length", "place"), [(4, 1), (9, 0), (9, 1), (1000, 480), (7, 3)])
def test_kaiser(length: int, place: int, beta: float) -> None:
    """Weights beside 1 hardly fall with beta: nothing is lost of their slopes."""
    weight, at = _weight(length, place), np.array(beta)
    off = 1e-15 * max(1.0, abs(beta) / 4)
    assert float(weight(at)) == pytest.approx(_exact(length, place, beta, 0), rel=off)
    assert float(grad(weight)(at)) == pytest.approx(_exact(length, place, beta, 1), rel=2 * off)


def test_second_slopes() -> None:
    for place in (0, 1, 4):
        found = float(grad(grad(_weight(9, place)))(np.array(3.0)))
        assert found == pytest.approx(_exact(9, place, 3.0, 2), rel=1e-13, abs=1e-16)
