"""The mixture's posterior, point by point and component by component, and its gradient by complex steps."""

from __future__ import annotations

import math

import numpy as np


def triangle(logs_and_below, d):
    """The square root of an inverse covariance."""
    Q = np.diag(np.exp(logs_and_below[:d]))
    Q.T[np.triu_indices(d, 1)] = logs_and_below[d:]  # row by row of the transpose: column by column
    return Q


def log_gamma_of_matrices(a, d):
    return d * (d - 1) / 4 * math.log(math.pi) + sum(math.lgamma(a - j / 2) for j in range(d))


def posterior(alphas, means, icf, x, wishart_gamma, wishart_m):
    d = x.shape[1]
    weights = np.exp(alphas) / np.sum(np.exp(alphas))
    total = 0
    for point in x:
        density = 0
        for weight, mean, entries in zip(weights, means, icf, strict=True):
            Q = triangle(entries, d)
            turned = Q @ (point - mean)
            density = density + weight * np.prod(np.diag(Q)) * np.exp(-(turned @ turned) / 2) / (2 * np.pi) ** (d / 2)
        total = total + np.log(density)
    freedom = d + wishart_m + 1
    for entries in icf:
        Q = triangle(entries, d)
        total = total + wishart_gamma**2 / 2 * np.sum(Q**2) - wishart_m * np.log(np.prod(np.diag(Q)))
        total = total - freedom * d * np.log(wishart_gamma / 2**0.5) + log_gamma_of_matrices(freedom / 2, d)
    return total


def test_gradient(data, answer, complex_step, agree) -> None:
    given = data("gaussian_mixture") | {"wishart_gamma": 0.7, "wishart_m": 2}
    found = answer("grad", "gaussian_mixture", "wishart_gamma=0.7", "wishart_m=2")
    agree(found.value, posterior(**given))
    agree(found.by, complex_step(posterior, given, "alphas", "means", "icf", "x", "wishart_gamma"))


def test_hessian_block_is_symmetric_and_the_gradients_slope(data, answer, complex_step, agree) -> None:
    given = data("gaussian_mixture") | {"wishart_gamma": 1.0, "wishart_m": 0}
    found = answer("hessian", "gaussian_mixture", "--wrt", "alphas,means").by
    k, d = given["means"].shape
    agree(found["alphas"]["means"].reshape(k, k * d), found["means"]["alphas"].reshape(k * d, k).T)
    h = 1e-5
    up, down = (
        complex_step(posterior, given | {"alphas": given["alphas"] + s * np.eye(k)[0]}, "means") for s in (h, -h)
    )
    np.testing.assert_allclose(found["alphas"]["means"][0], (up["means"] - down["means"]) / (2 * h), atol=1e-8)


def test_dimensions(answer) -> None:
    words = ["x=[[0.5],[1],[2]]", "alphas=0.3,0.1", "means=[[0],[1]]", "icf=[[0.1],[-0.2]]"]
    assert answer("grad", "gaussian_mixture", *words).by["icf"].shape == (2, 1)
