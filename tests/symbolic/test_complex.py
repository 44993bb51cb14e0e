"""Complex numbers in, out and on the way: every derivative is proved, and a wrong imaginary part is found."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from recorded import engine, of, proved, record

from gradcli import autodiff
from gradcli.symbolic import prove_numerically

Z = np.array([1 + 2j, -0.5 + 1j, 0.3 - 0.2j])
X = np.array([1.0, 2.0, 0.5])
total, exp, size, conj, real = (of(name) for name in ("sum", "exp", "abs", "conj", "real"))


def regular(z: Any) -> Any:
    return of("outer")(z, z) + np.diag([1, 2, 3j])


JACOBIANS = {
    "holomorphic": (lambda z: exp(z) * z**2, (Z,)),
    "not holomorphic": (lambda z: exp(z) * conj(z), (Z,)),
    "of real numbers": (lambda x: exp(1j * x) * x, (X,)),
    "of both": (lambda z, x: (z * x, size(z) * x, z / x), (Z, X)),
    "real": (lambda z: size(z), (Z,)),
    "more results than inputs": (lambda z: of("stack")([z[0] ** 2, z[1], conj(z[0]), z[2]]), (Z,)),
    "logsumexp": (lambda z: of("logsumexp")(z), (Z,)),
    "softmax": (lambda z: of("softmax")(z), (Z,)),
    "matmul": (lambda z: of("matmul")(regular(z), z), (Z,)),
    "det": (lambda z: of("det")(regular(z)), (Z,)),
    "solve": (lambda z: of("solve")(regular(z), z), (Z,)),
    "a gradient inside": (lambda z: autodiff.grad(lambda w: total(size(exp(w) * w) ** 2))(z), (Z,)),
    "a pullback inside": (lambda z: autodiff.vjp(lambda w: exp(w) * w, z)[1](conj(z))[0], (Z,)),
    "a push inside": (lambda z: autodiff.jvp(lambda w: exp(w) * conj(w), (z,), (2j * z,))[1], (Z,)),
    "a Jacobian inside": (lambda z: autodiff.jacobian(lambda w: exp(w) * conj(w))(z), (Z,)),
    "a Jacobian of real numbers inside": (lambda x: autodiff.jacobian(lambda y: exp(1j * y))(x), (X,)),
}


def spoiled(claimed: dict[Any, Any], by: complex) -> dict[Any, Any]:
    """The same with an imaginary part off."""
    several = isinstance(claimed["x0"], list)
    first, *rest = claimed["x0"] if several else [claimed["x0"]]
    off = np.array(first, dtype=complex)
    off.flat[0] += by
    return {**claimed, "x0": [off, *rest] if several else off}


@pytest.mark.parametrize("name", JACOBIANS)
def test_jacobians(name: str) -> None:
    f, xs = JACOBIANS[name]
    assert proved(f, *xs, derivative="jacobian").ok is True
    wrong = spoiled(engine(f, *xs, derivative="jacobian"), 1e-6j)
    assert proved(f, *xs, derivative="jacobian", claimed=wrong).ok is False


@pytest.mark.parametrize(
    ("f", "xs"),
    [
        (lambda z: real(total(z**3 * conj(z))), (Z,)),
        (lambda z, x: total(size(z * x) ** 2), (Z, X)),
        (lambda x: total(size(exp(1j * x) * x + x**2)), (X,)),
    ],
)
def test_gradients_and_hessians(f: Any, xs: Any) -> None:
    assert proved(f, *xs).ok is True
    assert proved(f, *xs, derivative="hessian").ok is True


@pytest.mark.parametrize(
    ("derivative", "f", "xs"),
    [
        ("gradient", lambda z: total(size(exp(z) * z)), (Z,)),
        ("jacobian", lambda z: exp(z) * conj(z), (Z,)),
        ("jacobian", lambda x: exp(1j * x) * x, (X,)),
        ("jacobian", lambda z, x: (z * x, size(z)), (Z, X)),
    ],
)
def test_differences(derivative: str, f: Any, xs: Any) -> None:
    values = {f"x{i}": x for i, x in enumerate(xs)}
    recording, _, _ = record(f, *xs)
    claimed = engine(f, *xs, derivative=derivative)
    assert prove_numerically(f, values, claimed, derivative=derivative, recording=recording).ok is True
    wrong = spoiled(claimed, 1e-3j)
    assert prove_numerically(f, values, wrong, derivative=derivative, recording=recording).ok is False
