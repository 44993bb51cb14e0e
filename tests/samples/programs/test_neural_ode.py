"""The loss in plain NumPy, and its gradient by complex steps."""

from __future__ import annotations

import numpy as np


def loss(path, W1, b1, W2, b2, substeps=4, between=0.2):
    def slope(z):
        return W2 @ np.tanh(W1 @ (z * z * z) + b1) + b2

    h = between / substeps
    z, total = path[0], 0
    for i in range(1, len(path)):
        for _ in range(substeps):
            middle = z + h / 2 * slope(z)
            z = z + h * slope(middle)
        total = total + np.sum((z - path[i]) * (z - path[i]))
    return total / (len(path) - 1)


def test_gradient(data, answer, complex_step, agree) -> None:
    given = data("neural_ode") | {"between": np.array(0.2)}
    found = answer("grad", "neural_ode")
    agree(found.value, loss(**given))
    agree(found.by, complex_step(loss, given, *given))
