"""What every declaration of the table must say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from table.calls import FUNCTIONS, calls, nodes
from table.points import POINTWISE, forms, holds, named, ordinary_call

from gradcli.language import Program, Source
from gradcli.ops.function import Function

FAMILIES = frozenset(
    [
        *("shape", "indexing", "elementwise", "activation", "special", "reduction", "linalg", "fft", "convolution"),
        *("loss", "normalisation", "probability", "random", "constructor", "logic"),
    ]
)
DIFFERENTIABLE = [f for f in FUNCTIONS if f.differentiable]
with np.errstate(all="ignore"):
    POINTWISE_FUNCTIONS = [f for f in FUNCTIONS if f.family in POINTWISE and f.differentiable and forms(f)]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """NaN and infinities are values here."""
    with np.errstate(all="ignore"):
        yield


def test_there_are_enough_functions() -> None:
    assert len(DIFFERENTIABLE) >= 260


def test_each_differentiable_function_has_calls_with_floats() -> None:
    assert [f.name for f in DIFFERENTIABLE if not any(call.floats for call in calls(f.name))] == []


def test_each_differentiable_function_states_its_derivative() -> None:
    assert [f.name for f in DIFFERENTIABLE if not f.derivative] == []


def test_families_are_those_of_the_documentation() -> None:
    assert [(f.name, f.family) for f in FUNCTIONS if f.family not in FAMILIES] == []


@pytest.mark.parametrize("function", POINTWISE_FUNCTIONS, ids=lambda f: f.name)
def test_defined_is_a_condition_in_the_parameters(function: Function) -> None:
    if function.defined:
        program = Program.parse(Source("defined", function.defined))
        assert set(program.inputs) <= set(function.parameters)
    for form in forms(function):
        call = ordinary_call(function, form, 40)
        assert np.all(holds(function, named(function, call.spec), 40)), "ordinary points lie outside"


@pytest.mark.parametrize("function", DIFFERENTIABLE, ids=lambda f: f.name)
def test_a_kink_is_documented(function: Function) -> None:
    bent = {node.op.name for call in calls(function.name) for node in nodes(call) if _bends(node)}
    assert not bent or function.kinks, f"its {', '.join(sorted(bent))} bends, and kinks= does not say where"


def _bends(node: Any) -> bool:
    """Whether a derivative passes through an op that has a kink; a comparison by itself may choose between equals."""
    return node.op.kink is not None and node.op.kind != "constant" and any(hasattr(x, "op") for x in node.inputs)
