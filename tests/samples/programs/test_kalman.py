"""The likelihood from the joint normal distribution of all positions, without a filter; derivatives by formulas."""

from __future__ import annotations

import numpy as np


def covariances(n, seen):
    """The positions' covariance in one direction as first + jolt^2 second + noise^2 third."""
    F, Q = np.array([[1, 1], [0, 1]]), np.array([[1 / 3, 1 / 2], [1 / 2, 1]])
    first, second = np.zeros((n, n)), np.zeros((n, n))
    for s in range(n):
        for t in range(n):
            early = min(s, t) + 1
            powers = [np.linalg.matrix_power(F, i) for i in range(n + 1)]
            first[s, t] = 10 * (powers[s + 1] @ powers[t + 1].T)[0, 0]
            second[s, t] = sum((powers[s - i] @ Q @ powers[t - i].T)[0, 0] for i in range(early))
    keep = np.ix_(seen, seen)
    return first[keep], second[keep], np.eye(len(seen))


def test_gradient_and_hessian(data, answer, agree) -> None:
    given = data("kalman")
    seen = np.flatnonzero(~np.isnan(given["east"]))
    assert len(seen) < len(given["east"])
    jolt, noise = 0.1, 0.5
    first, *parts = covariances(len(given["east"]), seen)
    C = first + jolt**2 * parts[0] + noise**2 * parts[1]
    inverse = np.linalg.inv(C)
    slopes = [2 * jolt * parts[0], 2 * noise * parts[1]]
    value, gradient, hessian = 0.0, np.zeros(2), np.zeros((2, 2))
    for column in ("east", "north"):
        y = given[column][seen]
        a = inverse @ y
        value += (y @ a + np.linalg.slogdet(2 * np.pi * C)[1]) / 2
        for i in range(2):
            gradient[i] += (np.trace(inverse @ slopes[i]) - a @ slopes[i] @ a) / 2
            for j in range(2):
                curve = 2 * parts[i] if i == j else 0 * C
                hessian[i, j] += np.trace(inverse @ curve - inverse @ slopes[j] @ inverse @ slopes[i]) / 2
                hessian[i, j] += a @ slopes[j] @ inverse @ slopes[i] @ a - a @ curve @ a / 2
    found = answer("hessian", "kalman", "--wrt", "jolt,noise")
    agree(found.value, value)
    agree(answer("grad", "kalman", "--wrt", "jolt,noise").by, {"jolt": gradient[0], "noise": gradient[1]})
    names = ("jolt", "noise")
    agree(found.by, {a: {b: hessian[i, j] for j, b in enumerate(names)} for i, a in enumerate(names)})
