"""The rules of the ops, changed in one place after another: the checks of the table notice every change of a value.

`python tests/ops/mutants.py` makes all mutants that there are. Here each part of a rule is changed in its values, and
each function that rules are made of in a few places of its source.
"""

from __future__ import annotations

import numpy as np
import pytest
from table.mutants import Mutation, fate, functions_by_op, mutants_of, run
from table.rules import all_ops, carries, rules, rules_replaced
from table.source_mutants import definition

from gradcli.graph.op import Op

#: Every eighth, which is what a test run bears; the command above takes them all.
OPS = [op for op in all_ops() if carries(op)][::8]
#: How many changes of a function's source are made, each of another kind, the first of these if they can be.
_FEW = 3
_TELLING = ("flip a sign", "drop a term", "lose a factor", "swap an argument", "break an unbroadcast", "lose a step")


def few(mutations: list[Mutation]) -> list[Mutation]:
    """Some changes of a function's source, of different kinds, from its end, where the answer is made."""
    by_kind = {mutation.kind: mutation for mutation in mutations}
    return [by_kind[kind] for kind in _TELLING if kind in by_kind][:_FEW]


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_mutants_are_noticed(op: Op) -> None:
    assert {rule.mode for rule in rules(op)} == {"vjp", "jvp"}, "no call uses its rules"
    with np.errstate(all="ignore"):
        survivors = [str(mutant) for mutant in mutants_of(op, few) if fate(mutant, sampled=3) == "survived"]
    assert survivors == []


def test_without_checks_mutants_survive() -> None:
    op = next(op for op in all_ops() if op.name == "tanh")
    fates = [outcome.fate for outcome in run([op], checks=())]
    assert "killed" not in fates
    assert fates.count("survived") >= 6


def test_the_source_of_every_rule_is_found() -> None:
    functions = [f for sources in functions_by_op().values() for _, (f, *_) in sources]
    assert [f for f in functions if definition(f) is None] == []
    assert sum(f.__name__ == "<lambda>" for f in functions) > 400


def test_rules_are_put_back() -> None:
    op = next(op for op in all_ops() if op.name == "sin")
    before = op.vjp, op.jvp
    with pytest.raises(ValueError, match="stop"), rules_replaced(op, vjp=max, jvp=min):
        raise ValueError("stop")
    assert (op.vjp, op.jvp) == before
