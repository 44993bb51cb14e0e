"""The solution by the implicit function theorem, with Hessian and cross derivatives by hand."""

from __future__ import annotations

import numpy as np


def solution(X, y, ridge):
    w = np.zeros(3)
    for _ in range(30):
        p = 1 / (1 + np.exp(-(X @ w)))
        H = X.T @ ((p * (1 - p))[:, None] * X) / len(y) + ridge * np.eye(3)
        w = w - np.linalg.solve(H, X.T @ (p - y) / len(y) + ridge * w)
    return w, p, H


def test_derivative_of_the_solution(data, answer, agree) -> None:
    given = data("newton")
    hours, y = given["hours"], given["passed"]
    X = np.stack([hours, given["rest"], np.ones(len(y))], axis=1)
    w, p, H = solution(X, y, 0.1)
    found = answer("jacobian", "newton", "--wrt", "ridge,hours")
    agree(found.value, w)
    # grad(w, theta) = 0 along the solutions: dw/dtheta = -H^-1 d grad/dtheta
    by_hours = np.zeros((3, len(y)))
    for i in range(len(y)):
        by_hours[:, i] = p[i] * (1 - p[i]) * w[0] * X[i] / len(y)
        by_hours[0, i] += (p[i] - y[i]) / len(y)
    agree(found.by, {"ridge": -np.linalg.solve(H, w), "hours": -np.linalg.solve(H, by_hours)})
