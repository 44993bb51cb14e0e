"""The implicit function theorem."""

from __future__ import annotations

import numpy as np


def test_jacobian(data, answer, agree) -> None:
    given = data("fixed_point")
    W, b = given["W"], given["b"]
    z = np.zeros(len(b))
    for _ in range(500):
        z = np.tanh(W @ z + b)
    slope = np.diag(1 - z**2)
    by_b = np.linalg.solve(np.eye(len(b)) - slope @ W, slope)
    found = answer("jacobian", "fixed_point", "--wrt", "W,b")
    agree(found.value, z)
    agree(found.by, {"b": by_b, "W": np.einsum("ij,k->ijk", by_b, z)})
