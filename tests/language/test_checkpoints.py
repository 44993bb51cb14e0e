"""`checkpoint` in programs: what it closes over is what it was, whatever became of it since."""

from __future__ import annotations

import numpy as np
import pytest

from gradcli.autodiff import grad, hessian, jvp
from gradcli.graph.values import concrete
from gradcli.language import Program, Source

X = np.array([0.3, -0.7, 1.2])

#: Each with KEEP(f) in place of `checkpoint(f)`, so that it can be run without, too.
PROGRAMS = {
    "a loop's variable": (
        "def f(h):\n    return tanh(h*x*(i + 1))\nh = x\nfor i in range(3):\n    h = KEEP(f)(h)\nsum(h)"
    ),
    "a variable that changes": "a = x*2\nf = KEEP(lambda h: h*a*a)\ny = f(x)\na = x*0\nsum(y) + sum(a)",
    "an array written to": "a = x*2\ny = KEEP(lambda h: h*a)(x)\na[0] = 5\nsum(y*a)",
    "a list": "ws = [x, x*x]\ny = KEEP(lambda h: h*ws[0]*ws[1])(x)\nws[0] = x*0\nws.append(x)\nsum(y)*sum(ws[2])",
    "functions that call others": (
        "def g(h):\n    return sin(h)*x\ndef f(h):\n    return g(g(h))\ny = KEEP(f)(x*2)\nsum(y)"
    ),
    "a derivative inside": "g = grad(lambda h: sum(h**3*x))\ny = KEEP(lambda h: g(h)*x)(x*x)\nsum(y)",
    "a default": "def f(h, a=x):\n    return h*a**2\nsum(KEEP(f)(x))",
    "a dict of parameters": "y = KEEP(lambda p, k: {'u': p['a']*k, 'v': [p['b'][0]*x]})({'a': x, 'b': [x*x]}, 2)\n"
    "sum(y['u']*y['v'][0])",
    "names given": "sum(KEEP(lambda h, a=1: h*a)(x*x, a=x))",
    "within a scan": "c, ys = scan(KEEP(lambda c, t: (sin(c)*t + x[0], c*t)), x[1], x)\nc + sum(ys)",
    "within a vmap": "sum(vmap(KEEP(lambda t: t*sin(t)*x[0] if t > 0 else t**2))(x))",
    "random": "sum(KEEP(lambda h: h*h*rand(3))(x)*rand(3))",
}


def run(text: str):
    program = Program.parse(Source("test", text))
    return lambda x: program.function(["x"], {})(x)


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_as_without(name):
    plain, kept = (run(PROGRAMS[name].replace("KEEP", keep)) for keep in ("", "checkpoint"))
    np.testing.assert_array_equal(concrete(kept(X)), concrete(plain(X)))
    np.testing.assert_allclose(grad(kept)(X), grad(plain)(X), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(hessian(kept)(X), hessian(plain)(X), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(jvp(grad(kept), (X,), (X,))[1], jvp(grad(plain), (X,), (X,))[1], rtol=1e-12, atol=1e-14)


def test_what_it_does_besides_is_done_once():
    text = (
        "seen = []\ndef f(h):\n    seen.append(1.0)\n    return h*h*len(seen)\n"
        "y = checkpoint(f)(checkpoint(f)(x))\nsum(y)*len(seen)"
    )
    assert float(concrete(run(text)(X))) == pytest.approx(4 * np.sum(X**4))


def test_pytorch_s_checkpoint():
    text = """
import torch
from torch.utils.checkpoint import checkpoint
w = torch.tensor([[0.5, -0.2], [0.1, 0.9]], dtype=torch.float64, requires_grad=True)
x = torch.ones(2, 2, dtype=torch.float64, requires_grad=True)
def block(h, k):
    return torch.tanh(h @ w) * k
y = CALL(block, x, 2.0)
for k in range(2):
    y = CALL(block, y, 3.0)
y.sum().backward()
(x.grad, w.grad)
"""
    checked = text.replace("x, 2.0)", "x, 2.0, use_reentrant=False)").replace("CALL(", "checkpoint(")
    kept = Program.parse(Source("t", checked)).run({})
    plain = Program.parse(Source("t", text.replace("CALL(block, ", "block("))).run({})
    for got, expected in zip(kept.cores(), plain.cores(), strict=True):
        np.testing.assert_allclose(concrete(got), concrete(expected), rtol=1e-14)


def test_it_prints_once(capsys):
    text = "f = checkpoint(lambda h: [print('run'), sin(h)][1])\ngrad(lambda y: f(y)*f(2*y))(x[0])"
    found = concrete(run(text)(X))
    u = X[0]
    np.testing.assert_allclose(found, np.cos(u) * np.sin(2 * u) + 2 * np.sin(u) * np.cos(2 * u), rtol=1e-14)
    assert capsys.readouterr().err == "run\nrun\n"


@pytest.mark.parametrize(
    "text",
    [
        "v, pull = vjp(sin, x[0])\ny = KEEP(lambda z: pull(z)[0]*z)(x[0]**2)",
        "v, lin = linearize(lambda a: a**3*x[1], x[0])\ny = KEEP(lambda z: lin(z)*z)(x[2])",
        "k = x[0]\nv, pull = vjp(lambda a: a**2*k, x[1])\nk = x[2]*9\ny = KEEP(lambda z: pull(z)[0] + k*z)(x[0]**2)",
        "v, pull = vjp(lambda a: a**2*x[2], x[1])\ng = lambda z: pull(z)[0]\ny = KEEP(lambda z: g(g(z)))(x[0])",
    ],
)
def test_a_kept_derivative_inside(text):
    """What a pullback was taken at moves too: by the plain program's derivatives, which keep everything."""
    kept, plain = run(text.replace("KEEP", "checkpoint") + "\ny"), run(text.replace("KEEP", "") + "\ny")
    np.testing.assert_allclose(grad(kept)(X), grad(plain)(X), rtol=1e-13)
    np.testing.assert_allclose(hessian(kept)(X), hessian(plain)(X), rtol=1e-12, atol=1e-14)
    assert np.abs(grad(plain)(X)).max() > 0.1
