"""Whole commands: what they print, to the letter."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from gradcli.cli.options import COMMANDS


def answered(done: tuple[int, str, str]) -> str:
    code, out, err = done
    assert (code, err) == (0, "")
    return out


@pytest.mark.parametrize("example", [pair for command in COMMANDS for pair in command.example], ids=lambda p: p[0])
def test_the_examples_of_help_are_true(shell: Callable, example: tuple[str, str], tmp_path: Path) -> None:
    import os
    import subprocess
    import sys

    line, answer = example
    line = line.replace("gradcli", f"{sys.executable} -m gradcli", 1)
    done = subprocess.run(line, shell=True, capture_output=True, text=True, env=os.environ, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert not answer or done.stdout == answer + "\n"


@pytest.mark.parametrize(
    ("words", "out"),
    [
        (("eval", "-x**2", "x=3"), "-9.0\n"),
        (("eval", "--", "--x", "x=3"), "3.0\n"),
        (("eval", "-e", "y = x", "-e", "y**2", "x=3"), "9.0\n"),
        (("eval", "x", "x=3"), "3.0\n"),
        (("eval", "x", "x=1,2,3"), "1.0 2.0 3.0\n"),
        (("eval", "x", "x=[[1,2],[3,4]]"), "1.0 2.0\n3.0 4.0\n"),
        (("eval", "zeros((2,1,2))"), "0.0 0.0\n\n0.0 0.0\n"),
        (("eval", "x > 1", "x=1,2"), "false true\n"),
        (("eval", "1/0.0*x", "x=1"), None),
        (("eval", "a = x\nb = 2*x\na, b", "x=3"), "# a\n3.0\n# b\n6.0\n"),
        (("eval", "a = x\na, 2*a", "x=3"), "# 0\n3.0\n# 1\n6.0\n"),
        (("eval", "y = x**2\nz = y + 1", "x=3", "--of", "y"), "9.0\n"),
        (("grad", "-exp(-x)", "x=0"), "1.0\n"),
        (("grad", "sum(x**2)", "x=1,2,3"), "2.0 4.0 6.0\n"),
        (("grad", "x*y", "x=2", "y=3"), "# x\n3.0\n# y\n2.0\n"),
        (("grad", "x*y", "x=2", "y=3", "--wrt", "y"), "2.0\n"),
        (("grad", "x*y", "x=2", "y=3", "--wrt", "y,x"), "# y\n2.0\n# x\n3.0\n"),
        (("jacobian", "x**2", "x=1,2"), "2.0 0.0\n0.0 4.0\n"),
        (("jacobian", "x*y", "x=1,2", "y=3"), "# x\n3.0 0.0\n0.0 3.0\n# y\n1.0 2.0\n"),
        (("vjp", "x**2", "x=1,2", "-v", "-1,2"), "-2.0 8.0\n"),
        (("vjp", "sum(x**2)", "x=1,2"), "2.0 4.0\n"),
        (("jvp", "x**2", "x=1,2", "-v", "-1,2"), "-2.0 8.0\n"),
        (("jvp", "x*y", "x=2", "y=3", "-v", "y=1", "-v", "x=0"), "2.0\n"),
        (("hessian", "x[0]**2*x[1]", "x=1,2"), "4.0 2.0\n2.0 0.0\n"),
        (("hessian", "x*y**2", "x=2", "y=3"), "# x x\n0.0\n# x y\n6.0\n# y x\n6.0\n# y y\n4.0\n"),
        (("hvp", "sum(x**3)", "x=1,2", "-v", "1,0"), "6.0 0.0\n"),
    ],
)
def test_plain_text(gradcli: Callable, words: tuple[str, ...], out: str | None) -> None:
    found = gradcli(*words)
    if out is not None:
        assert answered(found) == out


@pytest.mark.parametrize(
    ("words", "document"),
    [
        (("eval", "x", "x=1,2"), {"value": [1.0, 2.0], "shape": [2], "dtype": "float64"}),
        (("eval", "x", "x=nan"), {"value": "NaN", "shape": [], "dtype": "float64"}),
        (("eval", "x, 2*x", "x=1"), {"value": [1.0, 2.0], "shape": [[], []], "dtype": ["float64", "float64"]}),
        (("grad", "x**2", "x=3"), {"value": 9.0, "grad": {"x": 6.0}}),
        (("grad", "x**2, x*y", "x=3", "y=2"),
         {"value": [9.0, 6.0], "grad": [{"x": 6.0, "y": 0.0}, {"x": 2.0, "y": 3.0}]}),
        (("jacobian", "x**2", "x=1,2"), {"value": [1.0, 4.0], "jacobian": {"x": [[2.0, 0.0], [0.0, 4.0]]}}),
        (("vjp", "x**2", "x=1,2", "-v", "1,1"), {"value": [1.0, 4.0], "vjp": {"x": [2.0, 4.0]}}),
        (("jvp", "x**2", "x=1,2", "-v", "1,1"), {"value": [1.0, 4.0], "jvp": [2.0, 4.0]}),
        (("hessian", "x*y", "x=1", "y=2"),
         {"value": 2.0, "hessian": {"x": {"x": 0.0, "y": 1.0}, "y": {"x": 1.0, "y": 0.0}}}),
        (("hvp", "x*y", "x=1", "y=2", "-v", "x=1", "-v", "y=0"), {"value": 2.0, "hvp": {"x": 0.0, "y": 1.0}}),
    ],
)  # fmt: skip
def test_json(gradcli: Callable, words: tuple[str, ...], document: object) -> None:
    out = answered(gradcli(*words, "--format", "json"))
    assert out.count("\n") == 1
    assert json.loads(out) == document


def test_programs_from_files_and_standard_input(gradcli: Callable, tmp_path: Path) -> None:
    path = tmp_path / "model.grad"
    path.write_bytes(b"\xef\xbb\xbfy = x**2\r\ny + 1\r\n")
    assert answered(gradcli("eval", str(path), "x=2")) == "5.0\n"
    assert answered(gradcli("eval", "-", "x=2", stdin=path.read_bytes())) == "5.0\n"
    plain = tmp_path / "plain"
    plain.write_text("x + 10")
    assert answered(gradcli("eval", str(plain), "x=2")) == "12.0\n"


def test_a_file_called_like_an_expression_does_not_hide_it(
    gradcli: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x").write_text("100")
    assert answered(gradcli("eval", "x", "x=2")) == "2.0\n"
    assert answered(gradcli("eval", "./x")) == "100\n"


def test_a_notebook(gradcli: Callable, tmp_path: Path) -> None:
    path = tmp_path / "model.ipynb"
    cells = [
        {"cell_type": "markdown", "source": ["# words"]},
        {"cell_type": "code", "source": ["%matplotlib inline\n", "y = x**2\n"]},
        {"cell_type": "code", "source": "y + 1"},
    ]
    path.write_text(json.dumps({"cells": cells, "nbformat": 4}))
    assert answered(gradcli("eval", str(path), "x=2")) == "5.0\n"


def test_data_binds_many_names(gradcli: Callable, tmp_path: Path) -> None:
    path = tmp_path / "data.json"
    path.write_text('{"x": [1, 2], "y": 3, "other": "passed over"}')
    assert answered(gradcli("eval", "x*y", "--data", str(path))) == "3.0 6.0\n"
    assert answered(gradcli("eval", "x*y", "--data", str(path), "y=10")) == "10.0 20.0\n"
    assert answered(gradcli("eval", "x*y", "--data", "-", stdin=path.read_bytes())) == "3.0 6.0\n"


def test_output_files(gradcli: Callable, tmp_path: Path) -> None:
    import numpy as np

    for suffix in ("npy", "npz", "json", "csv", "txt"):
        path = tmp_path / f"answer.{suffix}"
        assert answered(gradcli("grad", "sum(x**2)", "x=1,2", "-o", str(path))) == ""
        assert path.exists()
    assert np.load(tmp_path / "answer.npy").tolist() == [2.0, 4.0]
    assert np.load(tmp_path / "answer.npz")["x"].tolist() == [2.0, 4.0]
    assert json.loads((tmp_path / "answer.json").read_text())["grad"] == {"x": [2.0, 4.0]}
    assert (tmp_path / "answer.csv").read_text() == "x\n2.0\n4.0\n"
    assert (tmp_path / "answer.txt").read_text() == "2.0 4.0\n"


def test_a_derivative_that_is_not_finite_is_reported_and_given(gradcli: Callable) -> None:
    done = gradcli("grad", "sum(sqrt(x))", "x=4,0")
    assert (done.code, done.out) == (0, "0.25 inf\n")
    assert done.err == (
        "warning: the grad x is inf at [1]; it first arose in sqrt\n"
        "  --> <program>:1:5\n"
        "  |\n"
        "1 | sum(sqrt(x))\n"
        "  |     ^^^^^^^ its derivative is inf\n"
    )


def test_prints_go_to_standard_error(gradcli: Callable) -> None:
    done = gradcli("eval", "print('hello', x)\nx", "x=1")
    assert (done.code, done.out) == (0, "1.0\n")
    assert done.err.startswith("hello ")


def test_the_seed(gradcli: Callable) -> None:
    first = answered(gradcli("eval", "randn(3)"))
    assert first == answered(gradcli("eval", "randn(3)", "--seed", "0"))
    assert first != answered(gradcli("eval", "randn(3)", "--seed", "1"))


def test_version_and_module() -> None:
    import gradcli

    assert gradcli.__version__ == "0.1.0"


def test_the_version(gradcli: Callable) -> None:
    assert answered(gradcli("--version")) == "gradcli 0.1.0\n"
