"""The derivatives that the documentation of elementwise functions states are the engine's."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
import pytest
from table.calls import FUNCTIONS, is_floating
from table.points import defaults, forms, named, ordinary_call

from gradcli.autodiff import jvp
from gradcli.graph.values import concrete
from gradcli.language import Program, Source
from gradcli.ops.function import Function

POINTS = 6
_LINE = np.linspace(-1.7, 1.9, POINTS)
_MASK = np.array([True, False, True, False, True, False])
#: Arguments of functions whose derivative is stated for arguments that their cases don't have all at once.
OWN: dict[str, dict[str, Any]] = {
    "where": {"condition": _MASK, "x": _LINE, "y": _LINE[::-1]},
    "where_method": {"x": _LINE, "condition": _MASK, "y": _LINE[::-1]},
    "clip": {"x": _LINE, "min": np.full(POINTS, -0.6), "max": np.full(POINTS, 0.7)},
}
STATED = [f for f in FUNCTIONS if f.derivative and not f.derivative.startswith("vjp:") and (f.name in OWN or forms(f))]


def formulas(function: Function) -> list[str]:
    """The stated derivatives, one by one."""
    tree = ast.parse(function.derivative, mode="eval").body
    return [ast.unparse(part) for part in (tree.elts if isinstance(tree, ast.Tuple) else [tree])]


def stated_value(formula: str, values: dict[str, Any], count: int = POINTS) -> Any:
    """What the language makes of a formula at given values."""
    program = Program.parse(Source("formula", formula))
    (core,) = program.run({name: x for name, x in values.items() if program.accepts(name)}).cores()
    return np.broadcast_to(np.asarray(concrete(core)), (count,))


def stated_calls(function: Function) -> list[dict[str, Any]]:
    """Arguments by name: all that the formula has names for, and no other options."""
    if function.name in OWN:
        return [OWN[function.name]]
    mentioned = {node.id for node in ast.walk(ast.parse(function.derivative)) if isinstance(node, ast.Name)}
    given = [named(function, ordinary_call(function, form, POINTS).spec, False) for form in forms(function)]
    return [x for x in given if all(is_floating(value) or name in mentioned for name, value in x.items())] or given[:1]


def disagreements(function: Function, given: dict[str, Any]) -> list[str]:
    """Where a stated derivative is not the engine's."""
    floats = [name for name, x in given.items() if is_floating(x)]
    stated = dict(zip(_floats(function), formulas(function), strict=True))
    values = {name: x for name, x in {**defaults(function), **given}.items() if x is not None}

    def call(*xs: Any) -> Any:
        return function(**{**given, **dict(zip(floats, xs, strict=True))})

    found = []
    for name in floats:
        tangents = [np.full(POINTS, float(other == name)) for other in floats]
        _, slope = jvp(call, [given[other] for other in floats], tangents)
        said = stated_value(stated[name], values)
        if not np.allclose(slope, said, rtol=1e-12, atol=1e-15):
            found.append(f"d {function.name} / d {name} is {slope}, and {stated[name]} is {said}")
    return found


def _floats(function: Function) -> list[str]:
    """The parameters that the stated derivatives belong to: those that some call gives arrays for."""
    found = {name for given in stated_calls(function) for name, x in given.items() if is_floating(x)}
    return [p for p in function.parameters if p in found]


@pytest.mark.parametrize("function", STATED, ids=lambda f: f.name)
def test_the_stated_derivative_is_the_engines(function: Function) -> None:
    with np.errstate(all="ignore"):
        found = [words for given in stated_calls(function) for words in disagreements(function, given)]
    assert not found, "\n".join(found)


def test_a_wrong_formula_would_be_noticed() -> None:
    assert len(STATED) > 100
    x = {"x": np.linspace(0.3, 1.1, 5)}
    assert not np.allclose(stated_value("1 - tanh(x)**2", x, 5), stated_value("1 + tanh(x)**2", x, 5))
