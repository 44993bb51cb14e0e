"""The model with its variational equations integrated beside it, by hand."""

from __future__ import annotations

import numpy as np


def slope(x, forcing):
    n = len(x)
    return np.array([(x[(i + 1) % n] - x[i - 2]) * x[i - 1] - x[i] + forcing for i in range(n)])


def slopes_jacobian(x):
    n = len(x)
    J = np.zeros((n, n))
    for i in range(n):
        J[i, (i + 1) % n] += x[i - 1]
        J[i, i - 2] -= x[i - 1]
        J[i, i - 1] += x[(i + 1) % n] - x[i - 2]
        J[i, i] -= 1
    return J


def integrated(x, forcing, h, steps):
    """The last state, and its derivatives by the first and by the forcing."""
    D = np.eye(len(x))
    by_forcing = np.zeros(len(x))
    for _ in range(steps):
        k, K, f = [], [], []
        for c in (0, h / 2, h / 2, h):
            at = x + c * k[-1] if k else x
            J = slopes_jacobian(at)
            K.append(J @ (D + c * K[-1] if K else D))
            f.append(J @ (by_forcing + c * f[-1] if f else by_forcing) + 1)
            k.append(slope(at, forcing))
        weigh = np.array([1, 2, 2, 1]) * h / 6
        x = x + np.tensordot(weigh, k, 1)
        D = D + np.tensordot(weigh, K, 1)
        by_forcing = by_forcing + np.tensordot(weigh, f, 1)
    return x, D, by_forcing


def test_jacobian(data, answer, agree) -> None:
    x, D, by_forcing = integrated(data("runge_kutta")["start"], 8.0, 0.05, 20)
    found = answer("jacobian", "runge_kutta", "--wrt", "start,forcing")
    agree(found.value, x)
    agree(found.by, {"start": D, "forcing": by_forcing})


def test_any_number_of_places(answer, agree) -> None:
    start = np.array([8.1, 7.5, 8.4, 8.0, 7.9])
    x, D, _ = integrated(start, 8.0, 0.05, 7)
    found = answer("jacobian", "runge_kutta", "start=8.1,7.5,8.4,8.0,7.9", "steps=7", "--wrt", "start")
    agree(found.value, x)
    agree(found.by["start"], D)
