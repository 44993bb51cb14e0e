"""Derivatives of programs that write in place, look through views, branch, loop and differentiate: to third order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcli.autodiff import grad, hessian, hvp, jacfwd, jacrev
from gradcli.graph.values import concrete
from gradcli.language import Program, Source

X = np.array([0.3, -0.7, 1.2])
V = np.array([1.0, -2.0, 0.5])

PROGRAMS = {
    "writes": "w = x*2\nw[0] = w[1]*w[2]\nw[1:] *= w[0]\nsum(w**3)",
    "views": "w = zeros(3)\nv = w[1:]\nw[:] = x**2\nv *= x[0]\nw[0] += v[1]\nsum(w*w)",
    "transposed view": "A = x[:,None]*x\nB = A.T\nB[0] = sin(x)\nA[2,2] = x[0]**3\nsum(A*A) + sum(B[1])",
    "branches in a loop": (
        "s = 0\ny = x\nfor i in range(4):\n"
        "    if y[0] > 0:\n        y = sin(y)*x\n    else:\n        y = cos(y) + x**2\n    s = s + sum(y)\ns"
    ),
    "while": "y = x*1\nwhile sum(y*y) < 50:\n    y = y*2 + x\nsum(y**3)",
    "mask": "w = x*x\nw[w > 0.2] = x[0]*3\nsum(w**2)",
    "repeated index": "k = array([0, 2, 0])\nw = x*1\nw[k] = x*x\nsum(w**3) + sum(x[k]**2)",
    "grad inside": "def g(y):\n    return sum(y**3)*y[0]\nsum(grad(g)(x)*x)",
    "grad of grad, closing over": (
        "def g(y):\n    def h(z):\n        return sum(z*y*x)**2\n    return sum(grad(h)(y*x)*y)\nsum(grad(g)(x)**2)"
    ),
    "grad of a loop that writes": (
        "def g(y):\n    w = zeros(3)\n    for i in range(3):\n        w[i] = y[i]**2*x[i]\n"
        "        if w[i] > 0:\n            w[i] *= y[0]\n    return sum(w)\nsum(grad(g)(x)**2)"
    ),
    "hessian of a write": (
        "def g(y):\n    w = y*1\n    w[0] = w[1]**2*x[0]\n    return sum(w**3)\nsum(hessian(g)(x)*x)"
    ),
    "jacobian of jacobian": "J = jacobian(jacobian(lambda y: y**3*x[0]))(x)\nsum(J*x)",
    "hvp inside": "sum(hvp(lambda y: sum(y**4*x), x, x**2))",
    "pullback": "v, pull = vjp(lambda y: y**2*x, x)\nsum(pull(x)[0]*v)",
    "pushforward": "v, t = jvp(lambda y: y**2*x, (x,), (x**2,))\nsum(t*v)",
}


def differences(f: Any, x: Any) -> Any:
    """The derivative of `f` by central differences, of shape output + input."""
    step = 1e-5
    moved = [(np.asarray(concrete(f(x + e))) - np.asarray(concrete(f(x - e)))) / (2 * step) for e in step * np.eye(3)]
    return np.stack(moved, -1)


@pytest.mark.parametrize("name", PROGRAMS)
def test_to_third_order_in_every_mode(name: str) -> None:
    f = Program.parse(Source("program", PROGRAMS[name])).function(["x"], {"x": X})
    near = {"rtol": 2e-6, "atol": 2e-6}
    first, second = grad(f)(X), hessian(f)(X)
    np.testing.assert_allclose(first, differences(f, X), **near)
    np.testing.assert_allclose(jacfwd(f)(X), first, rtol=1e-12)
    np.testing.assert_allclose(second, differences(grad(f), X), **near)
    for other in (jacrev(grad(f)), jacrev(jacfwd(f)), jacfwd(jacfwd(f))):
        np.testing.assert_allclose(other(X), second, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(hvp(f, X, V), second @ V, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(jacfwd(hessian(f))(X), differences(hessian(f), X), rtol=2e-6, atol=1e-5)
