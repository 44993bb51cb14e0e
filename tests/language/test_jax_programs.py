"""Programs written for JAX run unchanged and agree with it: loops, trees, transformations inside one another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradcli.graph.values import concrete
from gradcli.language.program import Program
from gradcli.language.source import Source
from gradcli.tensor import Tensor

HERE = Path(__file__).parent / "jax_programs"
EXPECTED = json.loads((HERE / "expected.json").read_text())


def leaves(tree: Any) -> list[Any]:
    """The leaves as JAX orders them: a dict's by their keys."""
    if isinstance(tree, dict):
        return [leaf for key in sorted(tree) for leaf in leaves(tree[key])]
    if isinstance(tree, list | tuple):
        return [leaf for part in tree for leaf in leaves(part)]
    if tree is None:
        return []
    return [concrete(tree.value) if isinstance(tree, Tensor) else np.asarray(tree)]


def test_every_program_has_its_expected_values() -> None:
    assert sorted(EXPECTED) == sorted(path.stem for path in HERE.glob("*.grad"))


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_program(name: str) -> None:
    program = Program.parse(Source(name, (HERE / f"{name}.grad").read_text()))
    found = leaves(program.run({}).variables["r"])
    assert [leaf.shape for leaf in found] == [np.shape(leaf) for leaf in EXPECTED[name]]
    for leaf, expected in zip(found, EXPECTED[name], strict=True):
        np.testing.assert_allclose(leaf, expected, rtol=1e-10, atol=1e-12)
