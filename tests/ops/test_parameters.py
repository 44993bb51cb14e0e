"""Parameters that the calls of the table give as plain numbers, given as tensors: each carries its derivative, or says
that there is none, but is never passed over in silence."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from table.calls import FUNCTIONS, Call, is_floating, leaves, specs
from table.points import is_shape

from gradcli.autodiff import vjp
from gradcli.graph.errors import GradcliError, NotDifferentiable
from gradcli.ops.function import Case, Function

NAMES = {f.name: f for f in FUNCTIONS if f.differentiable and f.family != "random"}
_STEP = 1e-5


def _numbers(function: Function) -> Iterator[tuple[str, float, Case]]:
    """The parameters that are numbers in some call and arrays in none, and the first such call with an array there."""
    names = [p for p in function.parameters if not p.startswith("*")]
    given = [{**dict(zip(names, spec.args, strict=False)), **spec.kwargs} for spec in specs(function)]
    arrays = {p for spec in given for p, a in spec.items() if is_shape(a) or any(is_floating(x) for x in leaves([a]))}
    found = set(arrays)
    for spec, named in zip(specs(function), given, strict=True):
        for name, a in named.items():
            if type(a) in (int, float) and np.isfinite(a) and name not in found:
                found.add(name)
                tensor = np.array(float(a))
                args = [tensor if p == name else x for p, x in zip(names, spec.args, strict=False)]
                words = {p: tensor if p == name else x for p, x in spec.kwargs.items()}
                yield name, float(a), Case((*args, *spec.args[len(args) :]), words)


def _total(call: Call, at: int, x: float) -> float:
    floats = [np.array(x) if i == at else y for i, y in enumerate(call.floats)]
    return float(sum(np.sum(np.real(y)) for y in call(*floats)))


def _rises(call: Call, at: int, x: float) -> bool:
    """Whether the result changes with the parameter, to both sides by the same slope, and not by a step or a kink."""
    here = _total(call, at, x)
    right, left = ((_total(call, at, x + step) - here) / step for step in (_STEP, -_STEP))
    return abs(right) > 1e-4 and right == pytest.approx(left, rel=1e-2)


@pytest.mark.parametrize("name", NAMES)
def test_no_parameter_is_passed_over(name: str) -> None:
    function = NAMES[name]
    wrong = []
    for parameter, x, spec in _numbers(function):
        call = Call(function, spec, 0)
        at = next((i for i, y in enumerate(call.floats) if y.shape == () and y == x), None)
        if at is None:
            continue
        try:
            with np.errstate(all="ignore"):
                outputs, pull = vjp(call, *call.floats)
                slope = pull([np.ones(y.shape, y.dtype) for y in outputs])[at]
                if slope == 0 and _rises(call, at, x):
                    wrong.append(f"{parameter}={x:g} is passed over: its slope is 0")
        except GradcliError:  # it is refused, or takes whole numbers alone
            continue
    assert not wrong, "\n".join(wrong)


def test_orders_of_an_array_are_refused() -> None:
    n, x = np.array([0.0, 1.0, 2.0]), np.array([0.5, 0.25, 0.5])
    with pytest.raises(NotDifferentiable, match="eval_legendre is not differentiable in its order"):
        vjp(NAMES["eval_legendre"], n, x)[1](np.ones(3))
