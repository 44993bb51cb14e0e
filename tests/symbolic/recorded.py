"""Recording a function of arrays, and judging the engine's derivatives of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import gradcli.ops.operators  # noqa: F401  (the operators of traced values)
from gradcli import autodiff
from gradcli.graph.recording import Recording
from gradcli.graph.values import is_inexact
from gradcli.ops.registry import lookup
from gradcli.symbolic import Report, prove


def of(name: str) -> Any:
    """The function that a bare name means."""
    found = lookup("", name)
    assert found is not None, name
    return found


def flat(result: Any) -> list[Any]:
    """The float results in whatever a function returned."""
    if isinstance(result, tuple | list):
        return [y for part in result for y in flat(part)]
    return [result] if hasattr(result, "dtype") and is_inexact(result) else []


def record(f: Callable[..., Any], *xs: Any, abstract: bool = False) -> tuple[Recording, list[Any], dict[str, Any]]:
    """f recorded on inputs called x0, x1, ..."""
    with np.errstate(all="ignore"), Recording(abstract=abstract) as recording:
        inputs = {f"x{i}": recording.input(f"x{i}", np.asarray(x)) for i, x in enumerate(xs)}
        outputs = flat(f(*inputs.values()))
    return recording, outputs, inputs


def engine(f: Callable[..., Any], *xs: Any, derivative: str) -> dict[Any, Any]:
    """The engine's derivatives, as `prove` takes them."""
    with np.errstate(all="ignore"):
        return _engine(f, *xs, derivative=derivative)


def _engine(f: Callable[..., Any], *xs: Any, derivative: str) -> dict[Any, Any]:
    arrays = [np.asarray(x) for x in xs]
    places = tuple(range(len(arrays)))
    if derivative == "gradient":
        found = autodiff.grad(f, argnums=places)(*arrays)
        return {f"x{i}": found[i] for i in places}
    if derivative == "hessian":
        found = autodiff.hessian(f, argnums=places)(*arrays)
        return {(f"x{i}", f"x{j}"): found[i][j] for i in places for j in places}
    found = autodiff.jacobian(lambda *ys: flat(f(*ys)), argnums=places)(*arrays)
    if len(found) == 1:
        return {f"x{i}": found[0][i] for i in places}
    return {f"x{i}": [part[i] for part in found] for i in places}


def proved(f: Callable[..., Any], *xs: Any, derivative: str = "gradient", **options: Any) -> Report:
    """The engine's derivatives of f, judged."""
    recording, outputs, inputs = record(f, *xs)
    claimed = options.pop("claimed", None) or engine(f, *xs, derivative=derivative)
    return prove(recording, outputs, inputs, claimed, derivative=derivative, **options)
