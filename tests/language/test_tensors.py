"""Tensors in programs: operators, indices, in-place updates, torch's and NumPy's meaning, derivatives."""

from __future__ import annotations

import numpy as np
import pytest

from gradcli.graph.errors import GradcliError
from gradcli.language import Program, RunOptions, Source


def value(text: str, **given):
    program = Program.parse(Source("<program>", text))
    result = program.run(program.resolve(given))
    return result.cores() if result.is_tuple else result.cores()[0]


X = np.array([1.0, 2.0, 3.0])
A = np.array([[1.0, 2.0], [3.0, 4.0]])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x[1:]*2 + [10, 20]", [14, 26]),
        ("x[-1], x[::2], x[x > 1], x[[0, 2]], x[None, :]", None),
        ("x[i]", 2),
        ("x[i:]", [2, 3]),
        ("zeros(i + 1)", [0, 0]),
        ("sum([x[k] for k in range(len(x))])", 6),
        ("s = 0\nfor row in A: s = s + row[0]\ns", 4),
        ("y = x*1\ny[1:] = 0\ny", [1, 0, 0]),
        ("y = x*1\nz = y[1:]\nz[0] = 9\ny", [1, 9, 3]),
        ("y = x*1\nz = y\nz *= 2\ny", [2, 4, 6]),
        ("y = x*1\nz = y\nz = z*2\ny", [1, 2, 3]),
        ("s = x[0]*1\nt = s\nt += 1\ns", 1),
        ("import torch\ns = x[0]*1\nt = s\nt += 1\ns", 2),
        ("max(x, 2), min(x, [3, 2, 1])", None),
        ("max(x), sum(x), abs(-x), round(x/3, 1)", None),
        ("max([x[0], x[2]])", 3),
        ("sum([x, x])", [2, 4, 6]),
        ("(x > 1) & ~(x > 2)", [False, True, False]),
        ("1 if x[0] < x[1] < x[2] else 0", 1),
        ("2.0 in x, 7 in x", None),
        ("a, b, c = x\nc*a", 3),
        ("x.sum(), x.mean(dim=0), A.T, A.ndim, A.size", None),
        ("grad(lambda t: sum(t**3))(x)", [3, 12, 27]),
        ("grad(grad(sin))(x[0])", -np.sin(1.0)),
        ("grad(lambda a, b: a*b, argnums=1)(2.0, 5.0)", 2),
        ("value_and_grad(lambda t: t**2)(3.0)", None),
        ("hessian(lambda t: sum(t**3))(x)", [[6, 0, 0], [0, 12, 0], [0, 0, 18]]),
        ("jacobian(lambda t: t**2)(x) - jacfwd(lambda t: t**2)(x) + jacrev(lambda t: t)(x)", np.eye(3)),
        ("vjp(lambda t: t*2, x)[1](x)[0]", [2, 4, 6]),
        ("jvp(lambda t: t*2, (x,), (x,))[1]", [2, 4, 6]),
        ("hvp(lambda t: sum(t**3), x, x)", [6, 24, 54]),
        ("grad(lambda p: p['a']*sum(p['b'][0]))({'a': 2.0, 'b': [x]})['b'][0]", [2, 2, 2]),
        ("grad(lambda t: t*stop_gradient(t))(3.0)", 3),
        ("def f(t):\n    with no_grad():\n        k = t*2\n    return k*t\ngrad(f)(3.0)", 6),
        ("def f(t, n): return t if n == 0 else t*f(t, n - 1)\ngrad(f)(2.0, 3)", 32),
        ("from torch.func import grad_and_value\ngrad_and_value(lambda t: t**2)(3.0)", None),
        ("grad(lambda t: grad(lambda s: s*t)(1.0)*t)(3.0)", 6),
        ("import torch.nn.functional as F, torch\nF.relu(torch.tensor([-1.0, 2.0]))", [0, 2]),
        ("from jax import numpy as jnp, grad as d\nd(jnp.sin)(0.0)", 1),
        ("import numpy\nnumpy.linalg.norm([3.0, 4.0])", 5),
        ("from numpy import *\nsin(0.0)*tanh(1.0)", 0),
        ("import torch.autograd.functional\ntorch.autograd.functional.jacobian(torch.sin, torch.zeros(1))", [[1]]),
    ],
)
def test_value(text, expected):
    found = value(text, **{name: v for name, v in (("x", X), ("A", A), ("i", 1.0)) if _reads(text, name)})
    if expected is not None:
        assert np.allclose(found, expected)


def _reads(text: str, name: str) -> bool:
    return name in Program.parse(Source("p", text)).inputs


def test_values_of_tuples():
    assert [v.tolist() for v in value("x[-1], x[::2], x[x > 1], x[[0, 2]], x[None, :]", x=X)] == [
        3.0,
        [1.0, 3.0],
        [2.0, 3.0],
        [1.0, 3.0],
        [[1.0, 2.0, 3.0]],
    ]
    assert [v.tolist() for v in value("max(x, 2), min(x, [3, 2, 1])", x=X)] == [[2.0, 2.0, 3.0], [1.0, 2.0, 1.0]]
    assert value("value_and_grad(lambda t: t**2)(3.0)") == (9.0, 6.0)
    assert value("from torch.func import grad_and_value\ngrad_and_value(lambda t: t**2)(3.0)") == (6.0, 9.0)
    assert value("2.0 in x, 7 in x", x=X) == (True, False)


def test_training_loop():
    said: list[str] = []
    text = (
        "import torch\nw = torch.tensor([5.0, -3.0], requires_grad=True)\nfor step in range(2):\n"
        "    loss = ((w - 1) ** 2).sum()\n    loss.backward()\n    with torch.no_grad():\n        w -= 0.1 * w.grad\n"
        "    w.grad.zero_()\n    print(step, loss.item(), f'{loss:.2f}')\n"
        "print(w.requires_grad, w.is_leaf, loss.grad_fn.name(), w.grad.tolist(), w.dtype)"
    )
    Program.parse(Source("p", text)).run({}, options=RunOptions(print_to=said.append))
    assert said == [
        "0 32.0 32.00\n",
        "1 20.479999542236328 20.48\n",
        "True True SumBackward0 [0.0, 0.0] torch.float32\n",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "x[1.5]",
        "x[5]",
        "x['a']",
        "x + 'a'",
        "x + None",
        "x @ ones(7)",
        "if x > 0: 1",
        "for i in x[0]: 1",
        "x.nothing",
        "x.grad_fn = 1",
        "x(1)",
        "zeros(1.5)",
        "zeros(-1)",
        "range(x)",
        "{x: 1}",
        "f'{x:.2f}'",
        "grad(sin)(x)",
        "grad(3)(x)",
        "grad(sin, 0, 0)",
        "grad(sin)()",
        "grad(lambda t: 'a')(1.0)",
        "jvp(sin, (x,), (1.0,))",
        "with x: pass",
        "x[0] = 'a'",
        "y = (1, 2)\ny[0] = 1",
        "len(x[0])",
        "sorted([x, x])",
        "int(x)",
        "float('a')",
        "isinstance(x, 3)",
        "print(x, file=3)",
        "map(sin)",
        "sum()",
        "x.reshape(2, 2)",
        "import torch\ntorch.nothing(x)",
        "import numpy as np\nnp",
        "from torch import nothing",
    ],
)
def test_refused(text):
    with pytest.raises(GradcliError):
        value(text, **({"x": X} if _mentions(text) else {}))


def _mentions(text: str) -> bool:
    try:
        return Program.parse(Source("p", text)).accepts("x")
    except GradcliError:
        return False
