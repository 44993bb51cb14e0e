"""The tutorials print what PyTorch 2.13 prints for them (tests/transcripts/generate.py wrote the outputs)."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

TUTORIALS = Path(__file__).parents[2] / "samples" / "tutorials"
OUTPUTS = Path(__file__).parent / "tutorials"
PATHS = sorted(path for path in TUTORIALS.iterdir() if path.suffix in (".grad", ".ipynb"))

Gradcli = Callable[..., tuple[int, str, str]]


def prose(path: Path) -> str:
    """What a tutorial says beside its code."""
    if path.suffix == ".ipynb":
        cells = json.loads(path.read_text())["cells"]
        return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    return "\n".join(line[1:] for line in path.read_text().splitlines() if line.startswith("#"))


def test_there_is_one_for_each_lesson() -> None:
    assert [path.stem for path in PATHS] == [
        "autograd",
        "gradient_descent",
        "leaf_tensors",
        "variable",
        "vector_jacobian",
    ]
    assert sorted(path.stem for path in OUTPUTS.iterdir()) == [path.stem for path in PATHS]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_prints_what_pytorch_prints(gradcli: Gradcli, path: Path) -> None:
    code, out, err = gradcli("run", f"samples/tutorials/{path.name}")
    assert out == (OUTPUTS / f"{path.stem}.out").read_text()
    assert code == 0, err


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_explains_in_english_and_korean(path: Path) -> None:
    text = prose(path)
    assert len(re.findall("[가-힣]+", text)) > 20
    assert len(re.findall("[A-Za-z]{2,}", text)) > 60


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_the_commands_it_names_work(gradcli: Gradcli, path: Path) -> None:
    commands = [shlex.split(line)[1:] for line in re.findall(r"^ {4,}(gradcli .*)$", prose(path), re.MULTILINE)]
    assert commands[0] == ["run", f"samples/tutorials/{path.name}"]
    for words in commands:
        code, out, _ = gradcli(*words)
        assert code == 0
        assert out
