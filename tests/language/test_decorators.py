"""Decorators: JAX's and PyTorch's, the program's own, and the decorated function that ends a program."""

from __future__ import annotations

import numpy as np
import pytest

from gradcli.autodiff import grad
from gradcli.language import Program, RunOptions, Source


def run(text: str, of: str | None = None, **given):
    program = Program.parse(Source("p", text))
    options = RunOptions(of=of)
    return program.run(program.resolve(given, options=options), options=options).cores()[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("import jax\n@jax.jit\ndef f(x): return x**2\nf(x)", 9),
        ("from jax import jit\nfrom functools import partial\n@partial(jit, static_argnums=1)\n"
         "def f(x, n): return x**n\nf(x, 3)", 27),
        ("@grad\ndef f(x): return x**3\nf(x)", 27),
        ("@grad\n@grad\ndef f(x): return x**3\nf(x)", 18),
        ("@vmap\ndef f(x): return x**2\nsum(f(x*ones(2)))", 18),
    ],
)  # fmt: skip
def test_called(text, expected):
    assert run(text, x=3.0) == expected


def test_at_the_end_of_a_program_it_is_applied_as_decorated():
    assert run("@grad\ndef f(x, k=2): return x**k", x=3.0) == 6
    assert run("@grad\ndef f(x, k=2): return x**k", x=3.0, k=3.0) == 27
    assert run("import jax\n@jax.jit\ndef f(x, *, k=2): return x**k", x=3.0, k=3.0) == 27
    np.testing.assert_array_equal(run("@vmap\ndef f(x): return x**2", x=np.array([1.0, 2])), [1, 4])


def test_asked_for_by_name_it_is_applied():
    assert run("@grad\ndef f(x): return x**3\ny = 1", of="f", x=2.0) == 12


def test_no_grad_makes_constants():
    text = "import torch\n@torch.no_grad()\ndef f(x): return x*x\nf(x)*x"
    program = Program.parse(Source("p", text))
    assert grad(program.function(("x",), {"x": np.array(3.0)}))(np.array(3.0)) == 9
