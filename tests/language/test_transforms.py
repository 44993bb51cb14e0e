"""The forms of the functions of functions that programs use, and the errors that they earn."""

from __future__ import annotations

import numpy as np
import pytest

from gradcli.autodiff import trees
from gradcli.graph.errors import GradcliError
from gradcli.graph.values import concrete
from gradcli.language import Program, Source
from gradcli.tensor import Tensor


def value(text: str):
    """The leaves of a program's result."""
    result = Program.parse(Source("test", text)).run({})
    return [np.asarray(concrete(x.value) if isinstance(x, Tensor) else x) for x in trees.leaves(list(result.outputs))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # custom_gradient: vjp(g, *args), vjp(g, y, *args), a bare cotangent or a tuple, None for zeros.
        ("grad(custom_gradient(lambda x: x**3, lambda g, x: g*3*x**2))(2.0)", [12.0]),
        ("grad(custom_gradient(lambda x: x**3, lambda g, y, x: (g*3*y/x,)))(2.0)", [12.0]),
        ("grad(custom_gradient(lambda x, k: x**k, lambda g, x, k: (g*k*x**(k - 1), None)))(2.0, 3)", [12.0]),
        ("grad(custom_gradient(lambda x, k: x**k, lambda g, x, k: (g, None)), argnums=1)(2.0, 3.0)", [0.0]),
        ("grad(custom_gradient(lambda x: exp(x), lambda g, y, x: 7*g))(2.0)", [7.0]),
        ("jvp(custom_gradient(lambda x: x**3, lambda g, x: g*3*x**2), 2.0, 1.0)", [8.0, 12.0]),
        ("vmap(lambda a: custom_gradient(lambda x: a*x, lambda g, x: g*a)(2.0))(array([1., 3.]))", [[2.0, 6.0]]),
        ("grad(lambda a, c=2.0: custom_gradient(lambda x: c*x, lambda g, x: g*7)(a))(3.0)", [7.0]),
        ("grad(lambda x: x*custom_gradient(round, lambda g, x: g)(x))(1.4)", [2.4]),
        # A derivative may be of any depth and any form of arguments.
        ("grad(lambda a, b: a*b, argnums=(-1, 0))(2.0, 3.0)", [2.0, 3.0]),
        ("grad(lambda p: p['a'][0]*p['a'][1][0]**2)({'a': [2.0, (3.0,)]})", [9.0, 12.0]),
        ("jacobian(lambda p: [p['a']*2, p['b']])({'a': 1.0, 'b': 2.0})", [2.0, 0.0, 0.0, 1.0]),
        ("hvp(lambda p: p['a']**3*p['b'], {'a': 2.0, 'b': 1.0}, {'b': 1.0, 'a': 0.0})", [12.0, 0.0]),
        ("vjp(lambda x, y: (x*y, {'s': x + y}), 2.0, 3.0)[1]((1.0, {'s': 10.0}))", [13.0, 12.0]),
        # None and texts stand in trees and are no leaves of them.
        ("grad(lambda x: (x**2, {'s': 'a', 'n': [None, x]}), has_aux=True)(3.0)[1]['n'][1]", [3.0]),
        ("grad(lambda x: (x**2, 'text'), has_aux=True)(3.0)[1] == 'text'", [True]),
        ("value_and_grad(lambda x: (x**2, None), has_aux=True)(3.0)[1]", [6.0]),
        ("vjp(lambda x: (x**2, None), 3.0, has_aux=True)[1](1.0)", [6.0]),
        ("grad(lambda p: 5*p['a'] if p['b'] is None else 0.0)({'a': 1.0, 'b': None})['a']", [5.0]),
        ("vmap(lambda p, k: p['a'] if k is None else 0)({'a': array([1., 2.]), 'b': None}, None)", [[1.0, 2.0]]),
        ("vmap(lambda x: None)(ones(3)) is None", [True]),
        ("jvp(lambda x: {'y': x**2, 'n': None}, 3.0, 1.0)[1]['y']", [6.0]),
        ("checkpoint(lambda x: (x**2, None))(3.0)[0]", [9.0]),
        (
            "f = custom_gradient(lambda p: p['a']**2, lambda g, p: {'a': 7*g, 'b': None})\n"
            "grad(f)({'a': 2.0, 'b': None})['a']",
            [7.0],
        ),
        # The leaves of a dict are in the order of its keys, as in JAX.
        ("import jax\njax.tree.leaves({'b': 1.0, 'a': {'d': 2.0, 'c': 3.0}})", [3.0, 2.0, 1.0]),
        ("import jax\njax.flatten_util.ravel_pytree({'b': 1.0, 'a': 2.0})[0]", [[2.0, 1.0]]),
        # vmap in both libraries' words.
        ("vmap(lambda a, b: a*b, in_axes=(0, None))(array([1., 2.]), 3.0)", [[3.0, 6.0]]),
        ("import torch\ntorch.vmap(lambda a, b: a*b, in_dims=(0, None))(torch.tensor([1., 2.]), 3.0)", [[3.0, 6.0]]),
        ("vmap(lambda a: a if a > 0 else -10*a)(array([1., -2.]))", [[1.0, 20.0]]),
        ("vmap(lambda a, b=1.0: a*b)(array([1., 2.]), b=array([3., 4.]))", [[3.0, 8.0]]),
        # Loops by their bare names, and inside `lax` with and without its import.
        ("fori_loop(0, 4, lambda i, s: s + i, 0)", [6]),
        ("while_loop(lambda s: s < 100, lambda s: 3*s, 1)", [243]),
        ("scan(lambda c, x: (c + x, c*x), 0.0, array([1., 2., 3.]))", [6.0, [0.0, 2.0, 9.0]]),
        ("scan(lambda c, _: (2*c, None), 1.0, None, length=3)[0]", [8.0]),
        ("lax.cond(True, sin, cos, 0.0)", [0.0]),
        ("from jax import lax\nlax.switch(7, [lambda x: x, lambda x: -x], 2.0)", [-2.0]),
        ("from jax.lax import cond\ncond(2 > 3, lambda: 1.0, lambda: 2.0)", [2.0]),
        ("cond(array([[2., 0.], [0., 1.]]))", [2.0]),
        ("grad(lambda x: fori_loop(0, 3, lambda i, v: v*x, 1.0))(2.0)", [12.0]),
        ("grad(lambda x: while_loop(lambda v: v < 20, lambda v: v*x, x))(3.0)", [27.0]),
    ],
)
def test_values(text, expected):
    found = value(text)
    assert len(found) == len(expected)
    for got, want in zip(found, expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-14)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("vmap(lambda x: x)(1.0)", "dimensionality 0"),
        ("vmap(3)", "takes a function, not an integer"),
        ("vmap(lambda x: x)()", "needs an argument to go along"),
        ("scan(lambda c, x: c, 0.0, array([1., 2.]))", "must return a pair"),
        ("scan(lambda c, x: ([c, x], x), 0.0, array([1.]))", r"scan: what <lambda>\(\) carries on is a list"),
        ("scan(lambda c, x: (zeros(2) + c, x), 0.0, array([1.]))", r"has shape \[2\], and it was given shape \[\]"),
        ("scan(lambda c, x: ([c[0], c[1]], x), zeros(2), array([1.]))", "is a list, and it was given a tensor"),
        ("scan(lambda c, x: ({'a': c['a']}, x), {'a': 0.0, 'b': 1.0}, array([1.]))", "a dict of a, b, not a dict of a"),
        ("scan(lambda c, x: ((x, None), x), (0.0, 1.0), array([1.]))", "is None, and it was given a number"),
        ("fori_loop(0, 3, lambda i, v: [v], 1.0)", "fori_loop: what <lambda>.* carries on is a list"),
        ("fori_loop(0, 3, lambda i, v: (v[0],), (1.0, 2.0))", "a tuple of 2, not a tuple of 1"),
        ("while_loop(lambda v: v[0] < 9, lambda v: concatenate([v, v]), ones(1))", "while_loop: .* has shape .2., and"),
        ("grad(lambda x: (x**2, None))(1.0)", "returned a tuple of 2"),
        ("grad(lambda p: p['a'])({'a': 'text'})", "not a text"),
        ("scan(lambda c, x: (c, x), 0.0)", "needs xs or a length"),
        ("scan(lambda c, x: (c, x), 0.0, (zeros(2), zeros(3)))", r"lengths differ: \[2, 3\]"),
        ("scan(lambda c, x: (c, x), 0.0, 3.0)", "along the first axis"),
        ("lax.cond(True, 1.0, sin, 2.0)", "takes a function"),
        ("import jax\nf = jax.custom_vjp(sin)\nf(1.0)", "has no derivative yet"),
        ("grad(lambda x: (x, 1), has_aux=True)((1.0, 2.0))", "one scalar"),
        ("grad(lambda x: x, has_aux=True)(1.0)", "returns a pair"),
        ("grad(lambda x, y: x)(1.0, 2.0, 3.0)", "takes 2 arguments"),
        ("grad(lambda x: x, argnums=2)(1.0)", "argnums=2"),
        ("grad(lambda x, y: x*y, argnums=(0, 1, -2))(1.0, 2.0)", "names an argument twice"),
        ("grad(custom_gradient(lambda x, y: x, lambda g, x, y: g))(1.0, 2.0)", "must return 2 cotangents"),
        ("vjp(lambda x: (x, x), 1.0)[1](1.0)", "must have the form"),
        ("jvp(lambda x: lambda y: x*y, 1.0, 1.0)", "takes numbers, not the function"),
    ],
)
def test_errors(text, words):
    with pytest.raises(GradcliError, match=words):
        value(text)


def test_a_closure_that_leaks_from_a_derivative_is_a_constant_to_the_next():
    """Manzyuk et al., Perturbation confusion in forward automatic differentiation of higher-order functions (2019)."""
    text = """
kept = []
def first(x):
    kept.append(lambda y: y*x)
    return x*x
a = jvp(first, 3.0, 1.0)[1]
b = jvp(lambda y: kept[0](kept[0](y)), 2.0, 1.0)[1]
c = grad(lambda y: y*jvp(kept[0], y, 1.0)[1])(5.0)
a, b, c
"""
    assert [float(x) for x in value(text)] == [6.0, 9.0, 3.0]


def test_shift_applied_twice():
    """The operator of that paper: s(u) f is x -> f(x + u). Its derivative at 0, applied twice to f, is f''."""
    text = """
s = lambda u, f: lambda x: f(x + u)
d = lambda f: lambda x: jvp(lambda u: s(u, f)(x), 0.0, 1.0)[1]
d(d(exp))(1.0), d(d(lambda x: x**3))(2.0), grad(d(d(d(sin))))(0.5)
"""
    np.testing.assert_allclose(value(text), [np.e, 12.0, np.sin(0.5)], rtol=1e-14)
