"""The oracle reads meanings alone: with every derivative rule of the engine out of order it says the same."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from recorded import engine, of, proved, record

from gradcli.ops.registry import FUNCTIONS
from gradcli.symbolic import prove


def program(x: Any, A: Any) -> Any:
    y = of("tanh")(of("matmul")(A, x)) / (1 + x * x)
    z = of("solve")(A + 5 * np.eye(3), y)
    return of("logsumexp")(z) + of("max")(of("cumsum")(z)) + of("norm")(x) + of("slogdet")(A + 5 * np.eye(3))[1]


def test_rules_that_are_out_of_order_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    x, a = rng.normal(size=3), rng.normal(size=(3, 3))
    claimed = engine(program, x, a, derivative="gradient")
    recording, outputs, inputs = record(program, x, a)

    def broken(*_: Any, **__: Any) -> Any:
        raise AssertionError("the oracle asked the engine for a rule")

    ops = {id(node.op): node.op for node in recording.nodes if node.op is not None}
    ops |= {id(f.op): f.op for f in FUNCTIONS if f.op is not None}
    for op in ops.values():
        monkeypatch.setattr(op, "vjp", broken)
        monkeypatch.setattr(op, "jvp", broken)
        monkeypatch.setattr(op, "partials", (broken,) * 4)
    assert prove(recording, outputs, inputs, claimed, derivative="gradient").ok is True


def test_complex_numbers_on_the_way() -> None:
    z = np.array([1 + 2j, -0.5 + 1j])

    def size(z: Any) -> Any:
        return of("sum")(of("abs")(of("exp")(z) * z**3 / (z + 1)) ** 2)

    assert proved(size, z).ok is True
    assert proved(lambda x: of("sum")(of("real")(of("exp")(1j * x) * x)), [1.0, 2.0]).ok is True
    wrong = {"x0": engine(size, z, derivative="gradient")["x0"].conj()}
    assert proved(size, z, claimed=wrong).ok is False
