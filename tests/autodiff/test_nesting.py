"""Derivatives inside derivatives: to any order, in any order, without mixing up whose perturbation is whose."""

from __future__ import annotations

import numpy as np
import pytest

from gradcli.autodiff import grad, hessian, hvp, jacfwd, jacobian, jacrev, jvp, value_and_grad, vjp
from gradcli.graph.errors import ArgumentError, NotDifferentiable, ShapeError
from gradcli.ops.registry import lookup

exp, sin, cos, tanh = (lookup("", name) for name in ("exp", "sin", "cos", "tanh"))
total = lookup("", "sum")


def forward(f):
    """f' by forward mode, for scalar functions."""
    return lambda x: jvp(f, (x,), (np.ones(()),))[1]


X = np.float64(0.7)


def test_seven_derivatives_of_a_product():
    f = lambda x: x * sin(x)  # noqa: E731
    for order in range(7):
        # d^n/dx^n x sin(x) = x sin(x + n pi/2) - n cos(x + n pi/2), by induction.
        expected = X * np.sin(X + order * np.pi / 2) - order * np.cos(X + order * np.pi / 2)
        assert float(f(X)) == pytest.approx(expected, rel=1e-12)
        f = (forward if order % 2 else grad)(f)


@pytest.mark.parametrize(
    ("name", "series"),
    [
        ("tanh", [0.0, 1.0, 0.0, -2.0, 0.0, 16.0]),
        ("sigmoid", [0.5, 0.25, 0.0, -0.125, 0.0, 0.25]),
        ("softplus", [np.log(2), 0.5, 0.25, 0.0, -0.125, 0.0]),
        ("silu", [0.0, 0.5, 0.5, 0.0, -0.5, 0.0]),
        ("arctan", [0.0, 1.0, 0.0, -2.0, 0.0, 24.0]),
        ("arcsinh", [0.0, 1.0, 0.0, -1.0, 0.0, 9.0]),
        ("erf", [0.0, 2 / np.pi**0.5, 0.0, -4 / np.pi**0.5, 0.0, 24 / np.pi**0.5]),
    ],
)
def test_high_derivatives_at_zero(name, series):
    """A rule that is stable by way of |x| is right no further than the next derivative at 0."""
    f = lookup("", name)
    for order, expected in enumerate(series):
        assert float(f(np.float64(0.0))) == pytest.approx(expected, abs=1e-13)
        f = (forward if order % 2 else grad)(f)


@pytest.mark.parametrize("outer", [grad, forward])
@pytest.mark.parametrize("inner", [grad, forward])
def test_perturbations_are_not_confused(outer, inner):
    # d/dx [x * d/dy (x + y) at y = 1] = 1; a confused engine says 2.
    assert float(outer(lambda x: x * inner(lambda y: x + y)(np.float64(1.0)))(np.float64(1.0))) == 1.0


@pytest.mark.parametrize("outer", [grad, forward])
@pytest.mark.parametrize("inner", [grad, forward])
def test_inner_derivative_closes_over_the_outer_variable(outer, inner):
    # d/dx [x * d/dy (x * y**2) at y = x] = d/dx 2x^3 = 6x^2
    got = outer(lambda x: x * inner(lambda y: x * y * y)(x))(X)
    assert float(got) == pytest.approx(6 * X**2, rel=1e-14)


def test_a_leaked_level_is_a_constant_afterwards():
    kept = []

    def f(x):
        kept.append(x)
        return x * x

    grad(f)(X)
    leaked = kept[0]
    assert float(grad(lambda y: y * leaked)(np.float64(2.0)).value) == pytest.approx(0.7)


def test_hessian_of_a_coupled_function():
    x = np.array([0.3, -0.5, 0.8])
    f = lambda x: total(sin(x)) * x[0] + exp(x[1] * x[2])  # noqa: E731
    h = hessian(f)(x)
    e = np.exp(x[1] * x[2])
    expected = np.diag(-np.sin(x) * x[0])
    expected[0, :] += np.cos(x)
    expected[:, 0] += np.cos(x)
    expected[1:, 1:] += e * np.array([[x[2] ** 2, 1 + x[1] * x[2]], [1 + x[1] * x[2], x[1] ** 2]])
    np.testing.assert_allclose(h, expected, rtol=1e-13)
    np.testing.assert_allclose(jacrev(grad(f))(x), expected, rtol=1e-13)
    np.testing.assert_allclose(jacfwd(jacrev(f))(x), expected, rtol=1e-13)
    np.testing.assert_allclose(jacrev(jacfwd(f))(x), expected, rtol=1e-13)
    v = np.array([1.0, -2.0, 0.5])
    np.testing.assert_allclose(hvp(f, x, v), expected @ v, rtol=1e-13)


def test_jacobian_directions_agree_and_have_output_then_input_shape():
    a = np.arange(6.0).reshape(2, 3) / 7
    f = lambda x: tanh(a @ x)  # noqa: E731
    x = np.linspace(0.1, 1.2, 12).reshape(3, 4)
    forward_mode, reverse_mode = jacfwd(f)(x), jacrev(f)(x)
    assert forward_mode.shape == reverse_mode.shape == (2, 4, 3, 4)
    expected = np.einsum("ij,ik,jl->ijkl", 1 - np.tanh(a @ x) ** 2, a, np.eye(4))
    np.testing.assert_allclose(forward_mode, expected, rtol=1e-13, atol=1e-16)
    np.testing.assert_allclose(reverse_mode, expected, rtol=1e-13, atol=1e-16)


def test_several_arguments_and_trees():
    f = lambda p, b: total(p["w"][0] * p["w"][1]) + b * b  # noqa: E731
    p = {"w": [np.array([1.0, 2.0]), np.array([3.0, 4.0])]}
    value, (gp, gb) = value_and_grad(f, argnums=(0, 1))(p, np.float64(3.0))
    assert float(value) == 20.0
    np.testing.assert_array_equal(gp["w"][0], [3.0, 4.0])
    np.testing.assert_array_equal(gp["w"][1], [1.0, 2.0])
    assert float(gb) == 6.0


def test_vjp_and_jvp_are_transposes():
    f = lambda x, y: (sin(x) * y, total(x * y))  # noqa: E731
    x, y = np.array([0.1, 0.2, 0.3]), np.array([1.0, -1.0, 2.0])
    u, v = np.array([0.5, 0.25, -1.0]), np.array([2.0, 0.0, 1.0])
    (_, tangents) = jvp(f, (x, y), (u, v))
    cotangents = (np.array([1.0, 2.0, 3.0]), np.float64(-0.5))
    (_, pullback) = vjp(f, x, y)
    gx, gy = pullback(cotangents)
    assert gx @ u + gy @ v == pytest.approx(tangents[0] @ cotangents[0] + tangents[1] * cotangents[1], rel=1e-14)


def test_jacobian_of_an_output_that_does_not_depend_is_zero():
    np.testing.assert_array_equal(jacobian(lambda x: np.ones(2))(np.ones(3)), np.zeros((2, 3)))


def test_jacobian_of_nothing():
    assert jacobian(lambda x: x[:0])(np.ones(3)).shape == (0, 3)
    assert jacobian(lambda x: total(x))(np.ones(0)).shape == (0,)


def test_what_cannot_be_differentiated_says_so():
    with pytest.raises(ShapeError, match=r"a gradient is of a scalar, and the function returned shape \[3\]"):
        grad(lambda x: x)(np.ones(3))
    with pytest.raises(NotDifferentiable, match="with respect to int64"):
        grad(lambda x: x * 1.0)(np.arange(3))
    with pytest.raises(ArgumentError, match="argnums=1 but the function was called with 1 argument"):
        grad(lambda x: x, argnums=1)(X)
    with pytest.raises(ShapeError, match=r"a cotangent of shape \[2\] stands for a value of shape \[3\]"):
        vjp(lambda x: x, np.ones(3))[1](np.ones(2))


def test_float32_stays_float32():
    x = np.array([0.5, 1.5], dtype=np.float32)
    assert grad(lambda x: total(sin(x) * 2.0))(x).dtype == np.float32
    assert jacfwd(lambda x: sin(x) * 2.0)(x).dtype == np.float32
    # a float64 factor makes a float64 result, and the gradient still has its input's dtype
    assert grad(lambda x: total(x * np.array([1.0, 2.0])))(x).dtype == np.float32
