"""The derivatives that the documentation of elementwise functions states are the engine's."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
import pytest

import gradcli.ops  # noqa: F401  (declares every family)
from gradcli.autodiff import jvp
from gradcli.graph.values import concrete
from gradcli.language import Program, Source
from gradcli.ops.function import Function
from gradcli.ops.registry import FUNCTIONS

STATED = [
    f
    for f in FUNCTIONS
    if f.op is not None and f.op.kind == "elementwise" and f.derivative and not f.derivative.startswith("vjp:")
]
#: Arguments that are no floats, and those whose default would show too little.
OTHERS: dict[str, dict[str, Any]] = {
    "where": {"condition": np.array([True, False, True, False, True])},
    "where_method": {"condition": np.array([True, False, True, False, True])},
    "polygamma": {"n": 2},
    "threshold": {"threshold": 0.25, "value": -1.0},
    "add_torch": {"alpha": 2.5},
    "subtract_torch": {"alpha": 2.5},
}
FLOATS = {"where": ("x", "y"), "where_method": ("x", "y"), "clip": ("x", "min", "max")}


def others_of(function: Function) -> dict[str, Any]:
    """The parameters that are no floats, and those that have a default."""
    positional = [p for p in function.parameters if p not in (function.call.__kwdefaults__ or {})]
    defaults = function.call.__defaults__ or ()
    by_default = dict(zip(positional[len(positional) - len(defaults) :], defaults, strict=True))
    return {**by_default, **(function.call.__kwdefaults__ or {}), **OTHERS.get(function.name, {})}


def required(function: Function) -> tuple[str, ...]:
    """The float parameters that a call must give."""
    others = others_of(function)
    return FLOATS.get(function.name, tuple(p for p in function.parameters if p not in others))


def formulas(function: Function) -> list[str]:
    """The stated derivatives, one by one."""
    tree = ast.parse(function.derivative, mode="eval").body
    return [ast.unparse(part) for part in (tree.elts if isinstance(tree, ast.Tuple) else [tree])]


def points(function: Function) -> dict[str, Any]:
    """Ordinary points, others for each parameter; for clip, some below, between and above the ends."""
    if function.name == "clip":
        return {"x": np.linspace(-1.7, 1.9, 5), "min": np.full(5, -0.6), "max": np.full(5, 0.7)}
    names = required(function)
    domain: Any = function.domain
    intervals = domain if isinstance(domain[0], tuple) else [domain] * len(names)
    grids = [np.linspace(low, high, 12)[1:-1] for low, high in intervals]
    return {name: grid[::2] if i == 0 else grid[::-2] for i, (name, grid) in enumerate(zip(names, grids, strict=True))}


def stated_value(formula: str, values: dict[str, Any]) -> Any:
    """What the language makes of a formula at given values."""
    program = Program.parse(Source("formula", formula))
    read = {name: value for name, value in values.items() if program.accepts(name) and value is not None}
    (core,) = program.run(read).cores()
    return np.broadcast_to(np.asarray(concrete(core), dtype=np.float64), (5,))


@pytest.mark.parametrize("function", STATED, ids=lambda f: f.name)
def test_the_stated_derivative_is_the_engines(function: Function) -> None:
    values = points(function)
    others = {name: x for name, x in others_of(function).items() if name not in values}
    stated = formulas(function)
    assert len(stated) == len(values)

    def call(*xs: Any) -> Any:
        return function(**dict(zip(values, xs, strict=True)), **others)

    for name, formula in zip(values, stated, strict=True):
        tangents = [np.ones(5) if other == name else np.zeros(5) for other in values]
        _, slope = jvp(call, list(values.values()), tangents)
        said = stated_value(formula, {**values, **others})
        np.testing.assert_allclose(slope, said, rtol=1e-12, atol=1e-15, err_msg=f"d {function.name} / d {name}")


def test_a_wrong_formula_would_be_noticed() -> None:
    assert len(STATED) > 55
    x = {"x": np.linspace(0.3, 1.1, 5)}
    assert not np.allclose(stated_value("1 - tanh(x)**2", x), stated_value("1 + tanh(x)**2", x))
