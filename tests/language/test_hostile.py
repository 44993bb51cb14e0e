"""Random programs and random bytes: whatever they are, the answer is a result or a `GradcliError`."""

from __future__ import annotations

import random
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gradcli.graph.budget import budget
from gradcli.graph.errors import GradcliError
from gradcli.language import Program, RunOptions, Source, evaluate_literal, render

OPTIONS = RunOptions(max_steps=3_000, max_depth=60, print_to=lambda text: None)
NAMES = ["x", "y", "f", "gamma", "e", "sum", "i", "n"]
FUNCTIONS = " ".join(
    (
        "sin exp sum max min len abs round sorted list tuple dict range zip enumerate reversed map any all int float",
        "bool str isinstance print grad value_and_grad jacobian hessian vjp jvp hvp stop_gradient array zeros ones eye",
        "arange linspace reshape concatenate stack dot einsum where norm solve inv cumsum argmax clip randn no_grad",
    )
)
CONSTANTS = "0 1 2 -1 0.5 1e308 2j True None 'ab' '' ... nan 9223372036854775807"
METHODS = "sum T shape append pop extend items keys get mean reshape item tolist backward detach grad data size"
OPERATORS = "+ - * / // % ** @ & | < == != >= in and or"


def expression(pick: random.Random, depth: int) -> str:
    """A random expression that parses."""
    a = lambda words: pick.choice(words.split())  # noqa: E731
    if depth <= 0:
        return pick.choice([pick.choice(NAMES), a(CONSTANTS), "[1.0, 2.0]", "x", "x"])
    e = lambda: expression(pick, depth - 1)  # noqa: E731
    return pick.choice(
        [
            lambda: f"({e()} {a(OPERATORS)} {e()})",
            lambda: f"({pick.choice(['-', '+', '~', 'not '])}{e()})",
            lambda: f"{a(FUNCTIONS)}({', '.join(e() for _ in range(pick.randint(0, 3)))})",
            lambda: f"{a(FUNCTIONS)}({e()}, axis={e()})",
            lambda: f"({e()}).{a(METHODS)}",
            lambda: f"({e()}).{a(METHODS)}({e()})",
            lambda: f"({e()})[{pick.choice([e(), ':', '::' + e(), e() + ':' + e(), '..., ' + e()])}]",
            lambda: f"[{e()}, {e()}]",
            lambda: f"({e()}, {e()})",
            lambda: f"{{{e()}: {e()}}}",
            lambda: f"[{e()} for {pick.choice(NAMES)} in {e()} if {e()}]",
            lambda: f"{pick.choice(['sum', 'any', 'max', 'list'])}({e()} for i in {e()})",
            lambda: f"(lambda {pick.choice(NAMES)}: {e()})({e()})",
            lambda: f"grad(lambda x: {e()})({e()})",
            lambda: f"({e()} if {e()} else {e()})",
            lambda: f"f'{{{pick.choice(NAMES)}:{pick.choice(['.3f', '>10', '2000', 'd', ''])}}}'",
            lambda: f"f(*{e()})",
        ]
    )()


def statement(pick: random.Random, depth: int, indent: str) -> str:
    """A random statement."""
    e = lambda: expression(pick, 2)  # noqa: E731
    name = pick.choice(NAMES)
    simple = [
        f"{name} = {e()}",
        f"{name}, y = {e()}",
        f"{name} {pick.choice(['+=', '*=', '-=', '**='])} {e()}",
        f"{name}[{e()}] = {e()}",
        f"{name}.grad = {e()}",
        f"{e()}",
        f"assert {e()}, {e()}",
        f"print({e()})",
        "pass",
        "import torch",
        "from math import *",
    ]
    if depth > 0:
        inner = block(pick, depth - 1, indent + " ")
        simple += [
            f"if {e()}:\n{inner}",
            f"for {name} in {e()}:\n{inner}",
            f"while {e()}:\n{inner}",
            f"def f(x, y={e()}):\n{inner}\n{indent} return {e()}",
            f"with no_grad():\n{inner}",
        ]
    return pick.choice(simple)


def block(pick: random.Random, depth: int, indent: str) -> str:
    """A random block."""
    return "\n".join(indent + statement(pick, depth, indent) for _ in range(pick.randint(1, 3)))


def attempt(text: str) -> None:
    """Parse and run; whatever goes wrong must be the user's fault, and must be shown in a few lines."""
    try:
        program = Program.parse(Source("<program>", text))
        values = dict.fromkeys(program.inputs, 1.5) | dict.fromkeys(program.dimension_names, 2)
        values |= {"x": np.array([1.0, 2.0, 3.0])} if "x" in values else {}
        program.run(program.resolve(values, options=OPTIONS), options=OPTIONS)
    except GradcliError as error:
        shown = render(error)
        assert shown.startswith("error: ")
        assert len(shown) < 4_000


@pytest.fixture(autouse=True)
def _limited():
    before = sys.getrecursionlimit()
    budget.open(1 << 28)
    yield
    budget.open(None)
    assert sys.getrecursionlimit() == before


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**40))
def test_random_programs(seed):
    pick = random.Random(seed)
    attempt("def f(a, *rest): return a * 2\n" + block(pick, 2, ""))


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_random_texts(text):
    attempt(text)


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="x+-*/()[]{}:,.=<>!&|^~'\"\\\n\t #01e_ adeflmnorstyb%@;", max_size=40))
def test_random_symbols(text):
    attempt(text)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_random_bytes(data):
    try:
        source = Source.from_bytes("<stdin>", data)
    except GradcliError as error:
        assert "UTF-8" in error.message
        return
    attempt(source.text)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**40))
def test_random_values(seed):
    text = expression(random.Random(seed), 2)
    try:
        value = evaluate_literal(text, "x", OPTIONS)
    except GradcliError:
        return
    assert value.dtype.kind in "fcb"
