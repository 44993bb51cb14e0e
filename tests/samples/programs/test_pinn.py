"""The loss with the network's derivatives by hand, and its gradient by complex steps."""

from __future__ import annotations

import numpy as np


def network(x, W1, b1, W2, b2, w3):
    """u, u' and u'' at x."""
    a = np.tanh(W1 * x + b1)
    a1 = (1 - a**2) * W1
    a2 = -2 * a * a1 * W1
    c, c1, c2 = np.tanh(W2 @ a + b2), W2 @ a1, W2 @ a2
    return w3 @ c, w3 @ ((1 - c**2) * c1), w3 @ ((1 - c**2) * c2 - 2 * c * (1 - c**2) * c1**2)


def loss(W1, b1, W2, b2, w3, nu, points=11):
    weights = (W1, b1, W2, b2, w3)
    total = 0
    for x in np.linspace(-1, 1, points):
        u, slope, curve = network(x, *weights)
        total = total + (u * slope - nu * curve) ** 2
    left, right = network(-1, *weights)[0], network(1, *weights)[0]
    return total / points + (left - 1) ** 2 + (right + 1) ** 2


def test_gradient(data, answer, complex_step, agree) -> None:
    given = data("pinn") | {"nu": np.array(0.1)}
    found = answer("grad", "pinn")
    agree(found.value, loss(**given))
    agree(found.by, complex_step(loss, given, *given))
