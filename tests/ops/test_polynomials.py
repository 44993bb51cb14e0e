"""NumPy's polynomials: fits with all that they return, derivatives of a fit, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from gradcli.autodiff import jacobian
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.ops.registry import lookup

X = np.array([-1.0, 0.5, 2.0, 3.0, 4.5])
Y = np.array([1.0, -2.0, 0.25, 3.0, 1.5])


@pytest.mark.parametrize("cov", [True, "unscaled"])
@pytest.mark.parametrize("y", [Y, np.stack([Y, Y**2], axis=1)])
def test_covariances_are_numpys(cov: object, y: np.ndarray) -> None:
    polyfit = lookup("numpy", "polyfit")
    found, expected = polyfit(X, y, 2, cov=cov), np.polyfit(X, y, 2, cov=cov)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10)


def test_full_answer_is_numpys() -> None:
    found, expected = lookup("numpy", "polyfit")(X, Y, 2, full=True), np.polyfit(X, Y, 2, full=True)
    assert len(found) == len(expected) == 5
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10)


def test_a_fit_is_linear_in_its_values() -> None:
    polyfit = lookup("numpy", "polyfit")
    found = jacobian(lambda y: polyfit(X, y, 1))(Y)
    spread = X - X.mean()
    slope = spread / (spread @ spread)
    np.testing.assert_allclose(found, [slope, 1 / 5 - X.mean() * slope], rtol=1e-12, atol=1e-15)


def test_derivative_of_a_polynomials_value() -> None:
    polyval = lookup("numpy", "polyval")
    by_p, by_x = jacobian(polyval, (0, 1))(np.array([2.0, -1.0, 3.0]), np.array([0.0, 2.0]))
    np.testing.assert_array_equal(by_p, [[0, 0, 1], [4, 2, 1]])
    np.testing.assert_array_equal(by_x, [[-1, 0], [0, 7]])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (("polyfit", X, Y[:3], 1), ShapeError, "polyfit: x has 5 points, and y has shape [3]"),
        (("polyfit", X, Y, -1), ArgumentError, "polyfit: deg is at least 0, not -1"),
        (("polyfit", X[:2], Y[:2], 1, None, False, None, True), ArgumentError, "polyfit: 2 points are too few for the"),
        (("polyval", np.ones((2, 2)), 1.0), ShapeError, "polyval takes a vector of coefficients, not shape [2, 2]"),
        (("polyint", Y, 2, [1.0]), ShapeError, "polyint: m = 2 integrals have as many constants, not shape [1]"),
        (("polyder", Y, -1), ArgumentError, "polyder: m is at least 0, not -1"),
    ],
)
def test_what_is_refused(call: tuple[object, ...], error: type[Exception], words: str) -> None:
    name, *args = call
    with pytest.raises(error) as raised:
        lookup("numpy", str(name))(*args)
    assert str(raised.value).startswith(words)
