"""A derivative that the program takes comes with a value beside it: that value is read as itself."""

from __future__ import annotations

import numpy as np
import pytest
from recorded import of, proved

from gradcli import autodiff

X = np.array([0.7, 0.2])


def cubic(p):
    return of("sum")(p * p) * p[0]


@pytest.mark.parametrize(
    "f",
    [
        lambda x: autodiff.value_and_grad(cubic)(x)[0],
        lambda x: autodiff.value_and_grad(lambda p: (cubic(p), p[1] ** 3), has_aux=True)(x)[0][1],
        lambda x: autodiff.vjp(cubic, x)[0] * autodiff.vjp(cubic, x)[1](x[1])[0][1],
        lambda x: autodiff.jvp(cubic, (x,), (x,))[0] * autodiff.jvp(cubic, (x,), (x,))[1],
        lambda x: autodiff.linearize(cubic, x)[0] * autodiff.linearize(cubic, x)[1](x),
        lambda x: of("sum")(autodiff.grad(lambda y: autodiff.value_and_grad(cubic)(y)[0])(x) * x),
    ],
)
@pytest.mark.parametrize("derivative", ["gradient", "hessian"])
def test_values_beside_derivatives(f, derivative) -> None:
    report = proved(f, X, derivative=derivative)
    assert report.ok


def test_the_exact_gradient_of_such_a_value_is_its_own() -> None:
    wrong = {"x0": autodiff.grad(cubic)(X) + np.array([1e-6, 0.0])}
    assert proved(lambda x: autodiff.value_and_grad(cubic)(x)[0], X, claimed=wrong).ok is False
    right = {"x0": np.array([3 * 0.7**2 + 0.2**2, 2 * 0.7 * 0.2])}
    assert proved(lambda x: autodiff.value_and_grad(cubic)(x)[0], X, claimed=right).ok
