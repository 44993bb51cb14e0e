"""Which free names are inputs, and what a built-in name means."""

from __future__ import annotations

import pytest

from gradcli.graph.errors import GradcliError
from gradcli.language import Program, RunOptions, Source


def program(text: str) -> Program:
    return Program.parse(Source("<program>", text))


def value(text: str, **given: float):
    found = program(text)
    return found.run(found.resolve(given)).cores()[0]


@pytest.mark.parametrize(
    ("text", "inputs"),
    [
        ("y*x + y", ["y", "x"]),
        ("x = x*2\nx", ["x"]),
        ("y = 1\ny + x", ["x"]),
        ("def f(t):\n    return t*k\nf(x)", ["k", "x"]),
        ("def f(t):\n    return t*k\nk = 3\nf(x)", ["x"]),
        ("f = lambda t: t*a\nf(1)", ["a"]),
        ("sum([i*a for i in range(3)])", ["a"]),
        ("for i in range(n): s = i", ["n"]),
        ("s += x", ["s", "x"]),
        ("y[0] = 1", ["y"]),
        ("if c:\n    y = 1\ny", ["c"]),
        ("def f(x, y=2.0):\n    return a*x", ["x", "y", "a"]),
        ("lambda x, y: x*y", ["x", "y"]),
        ("f = lambda x: x**2", ["x"]),
        ("x: float\ny: float = 2.0\nz*x", ["x", "y", "z"]),
        ("X: float[n, d]\nn*sum(X)", ["X"]),
        ("import numpy as np\nnp.sin(x)*np.pi", ["x"]),
        ("np.sin(x)", ["x"]),
        ("from math import *\nsin(x)*tau", ["x"]),
        ("pi*e + inf*nan*euler_gamma", []),
        ("grad(sin)(x)", ["x"]),
        ("f = sin\nf(x)", ["x"]),
        ("[sin, cos][0](x)", ["x"]),
        ("list(map(sqrt, [x]))", ["x"]),
        ("1/(norm - 1)*p", ["norm", "p"]),
        ("exp(-norm)", ["norm"]),
        ("exp(norm)", ["norm"]),
        ("x.sum(axis=k)", ["x", "k"]),
        ("norm*norm(x)", ["norm", "x"]),
        ("isinstance(x, (int, float))", ["x"]),
        ("zeros(3, dtype=float)", []),
        ("x.astype(int)", ["x"]),
        ("f'{x:.2f}'", ["x"]),
        ("max - 1", ["max"]),
    ],
)
def test_inputs(text, inputs):
    assert list(program(text).inputs) == inputs


@pytest.mark.parametrize(
    ("text", "given", "inputs"),
    [
        ("e**x", ("e", "x"), ["e", "x"]),
        ("f = norm\nf", ("norm",), ["norm"]),
        ("f = norm\nf(x)", (), ["x"]),
        ("norm(x)", ("norm",), ["x"]),
        ("def g(t): return t\ng(norm)", ("norm",), ["norm"]),
        ("np*x", ("np",), ["np", "x"]),
    ],
)
def test_inputs_given(text, given, inputs):
    assert list(program(text).inputs_given(given)) == inputs


def test_builtin_name_is_the_users_where_bound_and_used_as_a_value():
    assert value("norm*norm([3.0, 4.0])", norm=2.0) == 10.0
    assert value("def f(t): return t\nf(norm)*2", norm=2.0) == 4.0
    assert value("norm = 3\nnorm + norm([3.0, 4.0])") == 8.0
    assert value("def f(norm):\n    return norm*norm([3.0, 4.0])\nf(2)") == 10.0
    assert value("grad(sin)(x)*sin", x=0.0, sin=3.0) == 3.0
    assert value("e*1", e=2.0) == 2.0


def test_constants_unless_bound():
    assert value("e*1") == pytest.approx(2.718281828459045)
    assert value("e = 3\ne*1") == 3


def test_a_name_that_is_no_input_cannot_be_given():
    found = program("y = 1\nsin(x)*y")
    for name, message in [("y", "assigns it"), ("sin", "called"), ("z", "nowhere")]:
        with pytest.raises(GradcliError, match=message):
            found.resolve({name: 1.0, "x": 1.0})
    assert [found.accepts(name) for name in ("x", "y", "sin", "z")] == [True, False, False, False]


def test_mentions():
    found = program("X: float[n]\ny = 1\ndef f(t): return t\nf(sum(X))")
    assert [found.mentions(name) for name in ("X", "n", "y", "t", "f", "sum", "q")] == [True] * 6 + [False]


def test_of_picks_a_function():
    found = program("def f(a): return a*2\ndef g(b): return b*3")
    assert list(found.inputs) == ["b"]
    assert list(found.inputs_given((), of="f")) == ["a"]
    options = RunOptions(of="f")
    assert found.run(found.resolve({"a": 5.0}, options=options), options=options).cores() == (10.0,)
