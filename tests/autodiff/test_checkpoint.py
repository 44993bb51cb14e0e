"""Checkpoints change no derivative; they keep less and run twice."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

from gradcli.autodiff import Linearized, grad, hessian, jacfwd, jacrev, jvp
from gradcli.autodiff.checkpoint import checkpoint
from gradcli.autodiff.vmap import vmap
from gradcli.graph.node import Node
from gradcli.ops.registry import lookup

exp, sin, total = (lookup("", name) for name in ("exp", "sin", "sum"))
normal = lookup("numpy.random", "standard_normal")
X = np.array([0.3, -0.7, 1.2])


def plain(x, a):
    return sin(x * a) * exp(-x) * a


KEPT = checkpoint(plain)


@pytest.mark.parametrize("outer", [jacfwd, jacrev, lambda f, argnums: f])
@pytest.mark.parametrize("inner", [jacfwd, jacrev])
def test_derivatives_are_those_of_the_function(outer, inner):
    a = np.float64(1.3)
    for argnums in (0, 1):
        expected = outer(inner(plain, argnums), argnums)(X, a)
        np.testing.assert_allclose(outer(inner(KEPT, argnums), argnums)(X, a), expected, rtol=1e-13, atol=1e-15)


def test_a_batch_of_checkpoints_and_a_checkpoint_of_a_batch():
    a = np.float64(1.3)
    of_batch = checkpoint(vmap(plain, (0, None)))
    for f in (vmap(KEPT, (0, None)), of_batch):
        np.testing.assert_allclose(
            hessian(lambda x, f=f: total(f(x, a)))(X), hessian(lambda x: total(plain(x, a)))(X), rtol=1e-13, atol=1e-15
        )


def test_checkpoints_inside_checkpoints():
    f = checkpoint(lambda x: KEPT(KEPT(x, x), x))
    g = lambda x: plain(plain(x, x), x)  # noqa: E731
    x = np.float64(0.6)
    assert float(grad(f)(x)) == pytest.approx(float(grad(g)(x)), rel=1e-14)
    assert float(jvp(grad(f), (x,), (x,))[1]) == pytest.approx(float(jvp(grad(g), (x,), (x,))[1]), rel=1e-13)


def test_random_numbers_are_those_of_the_first_run():
    f = lambda x: total(x * normal(3))  # noqa: E731
    expected = grad(f)(X)
    from gradcli.graph.state import state

    state.generator = None
    np.testing.assert_array_equal(grad(checkpoint(f))(X), expected)


def test_nothing_inside_is_kept():
    seen = []

    def f(x):
        y = sin(x)
        if isinstance(y, Node):
            seen.append(weakref.ref(y))
        return y * y

    run = Linearized(lambda x: [checkpoint(f)(x)], [X])
    gc.collect()
    assert not any(ref() for ref in seen)
    np.testing.assert_allclose(run.pull([np.ones(3)])[0], np.sin(2 * X), rtol=1e-14)
    assert seen
