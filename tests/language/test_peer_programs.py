"""Programs written for NumPy, JAX and PyTorch, unchanged, agree with what those libraries find."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradcli.graph.values import concrete
from gradcli.language import Program, RunOptions, Source
from gradcli.tensor import Tensor

HERE = Path(__file__).parent / "peer_programs"
EXPECTED = json.loads((HERE / "expected.json").read_text())
SILENT = RunOptions(print_to=lambda words: None)


def flat(x: Any) -> list[float]:
    """All numbers in nested lists, dicts and arrays, a complex one as two."""
    if isinstance(x, dict):
        return [number for key in x for number in flat(x[key])]
    if isinstance(x, list | tuple):
        return [number for part in x for number in flat(part)]
    array = concrete(x.value) if isinstance(x, Tensor) else np.asarray(x)
    return [float(part) for z in array.ravel() for part in ((z.real, z.imag) if array.dtype.kind == "c" else (z,))]


def test_every_program_has_its_expected_values() -> None:
    assert sorted(EXPECTED) == sorted(path.stem for path in HERE.glob("*.grad"))


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_program(name: str) -> None:
    program = Program.parse(Source(name, (HERE / f"{name}.grad").read_text()))
    found = flat(program.run({}, options=SILENT).variables["result"])
    assert len(found) == len(EXPECTED[name])
    scale = np.max(np.abs(EXPECTED[name]))
    np.testing.assert_allclose(found, EXPECTED[name], rtol=1e-9, atol=1e-12 * scale)
