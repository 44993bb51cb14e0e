"""The normal equations."""

from __future__ import annotations

import numpy as np


def test_gradient_and_hessian(data, answer, agree) -> None:
    given = data("polynomial")
    V = np.vander(given["x"], 4, increasing=True)
    c = np.array([1, -1, 0.5, 0.25])
    words = ("--wrt", "c", "c=1,-1,0.5,0.25")
    found = answer("grad", "polynomial", *words)
    agree(found.value, np.sum((V @ c - given["y"]) ** 2) / 2)
    agree(found.by, {"c": V.T @ (V @ c - given["y"])})
    agree(answer("hessian", "polynomial", *words).by, {"c": {"c": V.T @ V}})


def test_a_newton_step_is_the_least_squares_solution(data, answer) -> None:
    given = data("polynomial")
    step = np.linalg.solve(
        answer("hessian", "polynomial", "--wrt", "c").by["c"]["c"], answer("grad", "polynomial", "--wrt", "c").by["c"]
    )
    solution = np.polynomial.polynomial.polyfit(given["x"], given["y"], 3)
    np.testing.assert_allclose(-step, solution, rtol=1e-10)
