"""`gradcli derive`: formulas without values, shapes from wherever they are known, and every form."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest


@pytest.mark.parametrize(
    ("words", "out"),
    [
        (("x**2*sin(x)",), "x*(x*cos(x) + 2*sin(x))\n"),
        (("x*y",), "# x\ny\n# y\nx\n"),
        (("x*y", "--wrt", "y"), "x\n"),
        (("mean(3*(x+2)**2)", "--shape", "x=2,2"), "d out/d x[i] = 3/2*(x[i] + 2)\n"),
        (("x: float[2, 2]\nmean(3*(x+2)**2)",), "d out/d x[i] = 3/2*(x[i] + 2)\n"),
        (("mean(3*(x+2)**2)", "x=[[1,2],[3,4]]"), "d out/d x[i] = 3/2*(x[i] + 2)\n"),
        (("x: float[n]\nsum(x**2)", "n=3"), "d out/d x[i] = 2*x[i]\n"),
        (("x**2", "--shape", "x=2"),
         "d out[0]/d x[0] = 2*x[0]\nd out[0]/d x[1] = 0\nd out[1]/d x[0] = 0\nd out[1]/d x[1] = 2*x[1]\n"),
        (("x**3*y", "--derivative", "hessian"), "# x x\n6*x*y\n# x y\n3*x**2\n# y x\n3*x**2\n# y y\n0\n"),
        (("k: int\nx**k", "k=4"), "4*x**3\n"),
        (("y = 1\nfor i in range(n): y = y*x\ny", "n=3"), "3*x**2\n"),
        (("def f(x, p=2.0): return x*p\n",), "# x\np\n# p\nx\n"),
        (("θ**2",), "2*θ\n"),
    ],
)  # fmt: skip
def test_formulas(gradcli: Callable, words: tuple[str, ...], out: str) -> None:
    assert gradcli("derive", *words) == (0, out, "")


def test_a_branch_is_taken_by_the_values_given(gradcli: Callable) -> None:
    program = "if x > 0: y = x**2\nelse: y = -x\ny"
    note = "note: the program branches on a value, and the formula holds where it branches as here\n"
    assert gradcli("derive", program, "x=1") == (0, "2*x\n", note)
    assert gradcli("derive", program, "x=-1") == (0, "-1\n", note)
    done = gradcli("derive", program)
    assert (done.code, done.out) == (2, "")
    assert "give the inputs' values" in done.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("sin(2)",), "there is nothing to differentiate: the program has no float input"),
        (("sin(x)", "--shape", "y=2"), "--shape: 'y' is no input of the program"),
        (("sin(x)", "--shape", "x=a"), "--shape takes NAME=SIZES, not 'x=a'"),
        (("sin(x)", "--shape", "x"), "--shape takes NAME=SIZES, not 'x'"),
        (("sin(x)", "--shape", "x=2", "--shape", "x=2"), "--shape for 'x' is given twice"),
        (("sin(x)", "--wrt", "y"), "--wrt: 'y' is no float input of the program"),
        (("X: float[n, d]\nsum(X)",), "the shape of 'X' is not known: it is declared float[n, d]"),
        (("k: int\nx**k",), "'k' is declared int: an integer is part of the formula, and is given"),
        (("x**2", "--shape", "x=2", "--derivative", "gradient"), "a gradient is of one scalar"),
        (("x**2", "-o", "x.npy"), "derive gives text, latex, python or json, not npy"),
    ],
)
def test_what_cannot_be_derived(gradcli: Callable, words: tuple[str, ...], message: str) -> None:
    done = gradcli("derive", *words)
    assert (done.code, done.out) == (2, "")
    assert done.err.split("\n")[0] == f"error: {message}"


def test_forms(gradcli: Callable, tmp_path: Path) -> None:
    assert gradcli("derive", "x**2", "--format", "latex").out == "2 x\n"
    found = json.loads(gradcli("derive", "x**2*y", "--format", "json").out)
    assert found["formulas"] == {"x": "2*x*y", "y": "x**2"}
    for suffix, beginning in ((".tex", "2 x"), (".py", "import numpy"), (".json", "{"), (".txt", "2*x")):
        path = tmp_path / f"answer{suffix}"
        assert gradcli("derive", "x**2", "-o", str(path)) == (0, "", "")
        assert path.read_text().startswith(beginning)


def test_the_python_runs(gradcli: Callable) -> None:
    for program, words, values in (
        ("x**2*sin(y)", (), {"x": 1.5, "y": 0.3}),
        ("mean(3*(x+2)**2)", ("--shape", "x=2,2"), {"x": np.array([[1.0, 2.0], [3.0, 4.0]])}),
    ):
        source = gradcli("derive", program, *words, "--format", "python").out
        module: dict = {}
        exec(source, module)
        found = module["gradient"](**values)
        given = [f"{name}={np.asarray(value).tolist()}" for name, value in values.items()]
        wanted = json.loads(gradcli("grad", program, *given, "--format", "json").out)["grad"]
        for name, array in zip(values, found if isinstance(found, tuple) else (found,), strict=True):
            np.testing.assert_allclose(array, wanted[name], rtol=1e-12)
