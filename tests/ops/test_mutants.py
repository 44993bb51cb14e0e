"""The rules of the ops, changed in one place after another: the checks of the table notice every change of a value.

`python tests/ops/mutants.py` makes all mutants that there are; here, each rule gets some of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from table.mutants import Mutant, fate, mutants_of, run
from table.rules import all_ops, carries, rules_replaced, users

from gradcli.graph.op import Op

OPS = [op for op in all_ops() if carries(op)]


def chosen(mutants: Sequence[Mutant]) -> list[Mutant]:
    """All mutants of values, and of each function's source every so many, a different kind each time."""
    return list(mutants)


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_mutants_are_noticed(op: Op) -> None:
    with np.errstate(all="ignore"):
        mutants = chosen(mutants_of(op))
        assert len(mutants) >= 3
        assert [str(mutant) for mutant in mutants if fate(mutant) == "survived"] == []


def test_without_checks_mutants_survive() -> None:
    op = next(op for op in OPS if op.name == "tanh")
    fates = [outcome.fate for outcome in run([op], checks=())]
    assert "killed" not in fates
    assert fates.count("survived") >= 6


def test_every_rule_is_used() -> None:
    used = {(id(rule.op), rule.mode) for rule in users()}
    assert [f"{op.name} {mode}" for op in OPS for mode in ("vjp", "jvp") if (id(op), mode) not in used] == []


def test_rules_are_put_back() -> None:
    op = next(op for op in OPS if op.name == "sin")
    before = op.vjp, op.jvp
    with pytest.raises(ValueError, match="stop"), rules_replaced(op, vjp=max, jvp=min):
        raise ValueError("stop")
    assert (op.vjp, op.jvp) == before
