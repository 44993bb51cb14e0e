"""Orthogonal polynomials: orders that are refused, arrays of orders, and both ways round of the arguments."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from mpmath import mp

from gradcli.autodiff import grad
from gradcli.graph.errors import ArgumentError
from gradcli.ops.registry import known

X = np.array([0.0, 0.1, 0.49, 0.5, 0.77, 1.0])


@pytest.mark.parametrize(
    ("order", "words"),
    [
        (2.5, "eval_chebyt: the order must be an integer, not 2.5"),
        (-1, "eval_chebyt: an order is an integer from 0, not -1"),
        (np.array([1, -2]), "eval_chebyt: an order is an integer from 0"),
    ],
)
def test_orders_are_whole_numbers_from_0(order: Any, words: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        known("scipy.special", "eval_chebyt")(order, np.array([0.5, 0.25]))
    assert caught.value.message == words


@pytest.mark.parametrize("kind", "tuvw")
def test_shifted_polynomials_are_those_of_twice_x_less_1(kind: str) -> None:
    orders = np.arange(7)[:, None]
    shifted = known("torch.special", f"shifted_chebyshev_polynomial_{kind}")(X, orders)
    plain = known("torch.special", f"chebyshev_polynomial_{kind}")(2 * X - 1, orders)
    assert shifted == pytest.approx(plain, rel=1e-12, abs=1e-13)


def test_a_slope_by_a_parameter() -> None:
    with mp.workdps(40):
        wanted = float(mp.diff(lambda a: mp.jacobi(4, a, mp.mpf("0.25"), mp.mpf("0.3")), mp.mpf("0.5")))
    slope = grad(lambda a: known("scipy.special", "eval_jacobi")(4, a, 0.25, np.array(0.3)))(np.array(0.5))
    assert float(slope) == pytest.approx(wanted, rel=1e-13)
