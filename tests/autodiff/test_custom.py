"""Derivatives given by hand: in either direction, under every transformation, and to second order."""

from __future__ import annotations

import numpy as np
import pytest

from gradcli.autodiff import grad, hessian, jacfwd, jacrev, jvp, vjp
from gradcli.autodiff.custom import custom_gradient, custom_jvp
from gradcli.autodiff.vmap import vmap
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.ops.registry import lookup

sin, cos, total = (lookup("", name) for name in ("sin", "cos", "sum"))
X = np.array([0.3, -0.7, 1.2])
A = np.float64(1.7)


def product(x, a):
    """x sin(a x), whose derivatives are written below."""
    return x * sin(a * x)


def pulled(g, y, x, a):
    return g * (sin(a * x) + a * x * cos(a * x)), g * x * x * cos(a * x)


def pushed(ts, y, x, a):
    return ts[0] * (sin(a * x) + a * x * cos(a * x)) + ts[1] * x * x * cos(a * x)


BY_HAND = {"vjp": custom_gradient(product, pulled), "jvp": custom_jvp(product, pushed)}


@pytest.fixture(params=sorted(BY_HAND))
def f(request):
    return BY_HAND[request.param]


def slope(x, a=A):
    return np.sin(a * x) + a * x * np.cos(a * x)


def curvature(x, a=A):
    return 2 * a * np.cos(a * x) - a * a * x * np.sin(a * x)


def test_both_modes(f):
    x = np.float64(0.4)
    np.testing.assert_allclose(grad(f, (0, 1))(x, A), (slope(x), x * x * np.cos(A * x)), rtol=1e-14)
    value, tangent = jvp(f, (x, A), (np.float64(2.0), np.float64(0.5)))
    np.testing.assert_allclose(value, x * np.sin(A * x), rtol=1e-15)
    np.testing.assert_allclose(tangent, 2 * slope(x) + 0.5 * x * x * np.cos(A * x), rtol=1e-14)


def test_second_derivatives_in_every_order(f):
    x = np.float64(0.4)
    for outer in (jacfwd, jacrev):
        for inner in (jacfwd, jacrev):
            np.testing.assert_allclose(outer(inner(f))(x, A), curvature(x), rtol=1e-13)


def test_a_batch(f):
    batch = vmap(f, (0, None))
    np.testing.assert_allclose(batch(X, A), X * np.sin(A * X), rtol=1e-15)
    np.testing.assert_allclose(vmap(grad(f), (0, None))(X, A), slope(X), rtol=1e-14)
    np.testing.assert_allclose(grad(lambda x: total(batch(x, A)))(X), slope(X), rtol=1e-14)
    np.testing.assert_allclose(grad(lambda a: total(batch(X, a)))(A), np.sum(X * X * np.cos(A * X)), rtol=1e-14)
    np.testing.assert_allclose(jacfwd(lambda a: batch(X, a))(A), X * X * np.cos(A * X), rtol=1e-14)
    np.testing.assert_allclose(hessian(lambda x: total(batch(x, A)))(X), np.diag(curvature(X)), rtol=1e-13, atol=1e-15)


def test_the_value_s_own_derivative_is_never_taken():
    straight_through = custom_gradient(lookup("", "round"), lambda g, y, x: (g,))
    assert float(grad(lambda x: straight_through(x) * x)(np.float64(1.4))) == 1.0 + 1.4
    assert float(jvp(straight_through, (np.float64(1.4),), (np.float64(3.0),))[1]) == 3.0


def test_what_a_function_closes_over_is_a_constant():
    def outer(a):
        return custom_gradient(lambda x: a * x, lambda g, y, x: (g * a,))(np.float64(2.0) * a)

    assert float(grad(outer)(np.float64(3.0))) == 6.0


def test_trees():
    f = custom_gradient(
        lambda p, n: {"y": p["w"] * p["b"][0], "n": n},
        lambda g, y, p, n: ({"w": g["y"] * p["b"][0], "b": [g["y"] * p["w"]]}, None),
    )
    value, pull = vjp(lambda p: f(p, np.array(3)), {"w": A, "b": [np.float64(2.0)]})
    assert value["n"] == 3
    (found,) = pull({"y": np.float64(1.0), "n": np.float64(0.0)})
    assert float(found["w"]) == 2.0
    assert float(found["b"][0]) == 1.7


@pytest.mark.parametrize(
    ("rule", "error", "words"),
    [
        (lambda g, y, x: (total(g),), ShapeError, r"shape \[\] for a value of shape \[3\]"),
        (lambda g, y, x: (g, g), ArgumentError, "returns 2 cotangents, and 1 are due"),
        (lambda g, y, x: {"x": g}, ArgumentError, "must have the form"),
    ],
)
def test_what_a_rule_may_not_return(rule, error, words):
    with pytest.raises(error, match=words):
        grad(lambda x: total(custom_gradient(sin, rule)(x)))(X)
