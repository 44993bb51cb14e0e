"""`gradcli check`: verdicts, exit codes, reports, and other people's derivatives."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest


def test_a_right_derivative_is_proved(gradcli: Callable) -> None:
    done = gradcli("check", "x*exp(-x)", "x=0.3")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("ok: the gradient equals SymPy's to 50 digits\nx: ok, 1 element, largest errors abs ")
    assert "\ncovered: " in done.out


def test_quiet_prints_nothing(gradcli: Callable) -> None:
    assert gradcli("check", "x*exp(-x)", "x=0.3", "--quiet") == (0, "", "")
    assert gradcli("check", "x*exp(-x)", "x=0.3", "--quiet", "--against", "x=1") == (1, "", "")


def test_json(gradcli: Callable) -> None:
    done = gradcli("check", "sum(x**2*y)", "x=1,2", "y=3", "--format", "json")
    assert (done.code, done.err) == (0, "")
    report = json.loads(done.out)
    head = {key: report[key] for key in ("ok", "method", "derivative", "digits")}
    assert head == {"ok": True, "method": "symbolic", "derivative": "gradient", "digits": 50}
    assert list(report["inputs"]) == ["x", "y"]
    for entry in report["inputs"].values():
        assert entry["ok"] is True
        assert {"max_abs_error", "max_rel_error", "max_ulp_error", "rounding"} <= set(entry)


@pytest.mark.parametrize(
    ("words", "derivative"),
    [
        (("x**2", "x=3"), "gradient"),
        (("x**2", "x=1,2"), "jacobian"),
        (("x**2", "x=3", "--derivative", "jacobian"), "jacobian"),
        (("x**2*y", "x=3", "y=2", "--derivative", "hessian"), "hessian"),
        (("x, x**2", "x=3"), "jacobian"),
    ],
)
def test_which_derivative(gradcli: Callable, words: tuple[str, ...], derivative: str) -> None:
    done = gradcli("check", *words, "--format", "json")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out)["derivative"] == derivative


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("x**2", "x=1,2", "--derivative", "gradient"), "a gradient needs a scalar, and the result has shape (2,)"),
        (("x**2", "x=1,2", "--derivative", "hessian"), "a hessian needs a scalar, and the result has shape (2,)"),
        (("x, x", "x=1", "--derivative", "gradient"), "a gradient is of one scalar, and the program has 2 results"),
        (("x*y", "x=1", "y=2", "--against", "z=1"),
         "--against: 'z' is none of the inputs that are differentiated (x, y)"),
        (("x*y", "x=1", "y=2", "--against", "x,y=1"), "--against: 'x,y' should name one input, as in x=VALUE"),
        (("x*y", "x=1", "y=2", "--against", "x=1", "--against", "x=1"), "--against: 'x' is given twice"),
        (("x**2", "x=1,2", "--against", "x=1"),
         "--against: the derivative by x has shape [2, 2], and what is given has []"),
        (("x*y", "x=1", "y=2", "--derivative", "hessian", "--against", "x,y=1,2"),
         "--against: the derivative by x,y has shape [], and what is given has [2]"),
        (("x*y", "x=1", "y=2", "--against", "missing.json"), "no such file: 'missing.json'"),
        (("x > 1", "x=2"), "the result is bool, which carries no derivative"),
    ],
)  # fmt: skip
def test_what_cannot_be_checked(gradcli: Callable, words: tuple[str, ...], message: str) -> None:
    done = gradcli("check", *words)
    assert (done.code, done.out) == (2, "")
    assert done.err.split("\n")[0] == f"error: {message}"
    assert done.err.split("\n")[1].startswith("  --> ")


def test_somebody_elses_gradient(gradcli: Callable) -> None:
    program = ("check", "sum(x**2*y)", "x=1,2,3", "y=2")
    assert gradcli(*program, "--against", "x=4,8,12").code == 0
    assert gradcli(*program, "--against", "x=4,8,12", "--against", "y=14").code == 0
    done = gradcli(*program, "--against", "x=4,8,12.000012")
    assert done.code == 1
    assert done.out.startswith("MISMATCH: the gradient differs from SymPy's to 50 digits\nx: MISMATCH, 3 elements, ")
    assert "  worst at [2]: got 12.000012, exact 12.0\n" in done.out
    assert gradcli(*program, "--against", "x=4,8,12.000012", "--rtol", "1e-5").code == 0
    assert gradcli(*program, "--against", "x=4,8,12.000012", "--atol", "1e-4").code == 0


def test_the_answers_of_other_commands_are_files_of_claims(gradcli: Callable, tmp_path: Path) -> None:
    for command, program, words in (
        ("grad", "sum(x**2*y)", ()),
        ("jacobian", "x**2*y", ()),
        ("hessian", "sum(x**2*y)", ("--derivative", "hessian")),
    ):
        for suffix in ("json", "npz"):
            path = tmp_path / f"{command}.{suffix}"
            assert gradcli(command, program, "x=1,2,3", "y=2", "-o", str(path)).code == 0
            done = gradcli("check", program, "x=1,2,3", "y=2", "--against", str(path), *words)
            assert (done.code, done.err) == (0, "")
    path = tmp_path / "tuple.json"
    assert gradcli("jacobian", "x**2, x*y", "x=1,2,3", "y=2", "-o", str(path)).code == 0
    assert gradcli("check", "x**2, x*y", "x=1,2,3", "y=2", "--against", str(path)).code == 0
    assert gradcli("check", "x**2, 2*x*y", "x=1,2,3", "y=2", "--against", str(path)).code == 1


def test_blocks_of_a_hessian(gradcli: Callable) -> None:
    program = ("check", "x*y**2", "x=2", "y=3", "--derivative", "hessian")
    assert gradcli(*program, "--against", "x,y=6", "--against", "y,y=4").code == 0
    assert gradcli(*program, "--against", "x,y=6.1").code == 1
    assert gradcli("check", "x**3", "x=2", "--derivative", "hessian", "--against", "x=12").code == 0


def test_a_wrong_element_of_a_file_is_found(gradcli: Callable, tmp_path: Path) -> None:
    x = np.linspace(0.1, 2, 50)
    right = np.cos(x)
    for error, code in ((0.0, 0), (1e-6, 1)):
        claim = right.copy()
        claim[17] *= 1 + error
        np.savez(tmp_path / "claim.npz", x=claim)
        np.save(tmp_path / "x.npy", x)
        done = gradcli("check", "sum(sin(x))", f"x=@{tmp_path}/x.npy", "--against", f"{tmp_path}/claim.npz")
        assert done.code == code
        assert ("worst at [17]" in done.out) == bool(code)


def test_a_kink_is_named(gradcli: Callable) -> None:
    done = gradcli("check", "abs(x)", "x=0")
    assert done.code == 0
    assert "kink: absolute (<program>:1:1) has one at this point, by x: left -1.0, right 1.0, chosen 0.0\n" in done.out
    assert json.loads(gradcli("check", "abs(x)", "x=0", "--format", "json").out)["kinks"][0]["left"] == -1.0
    assert gradcli("check", "abs(x)", "x=0", "--against", "x=2").code == 1


def test_what_cannot_be_proved_is_not_ok(gradcli: Callable) -> None:
    for program, value in (("sqrt(x)", "x=-1"), ("x**2", "x=nan")):
        done = gradcli("check", program, value, "--format", "json")
        assert done.code == 3
        assert json.loads(done.out)["ok"] is None
        done = gradcli("check", program, value)
        assert done.out.startswith("not proved: ")
        assert "largest errors" not in done.out


def test_the_report_goes_to_a_file(gradcli: Callable, tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    assert gradcli("check", "x**2", "x=3", "-o", str(path)) == (0, "", "")
    assert json.loads(path.read_text())["ok"] is True
    assert gradcli("check", "x**2", "x=3", "-o", str(tmp_path / "report.npy")).code == 2


def test_a_person_gets_a_table(gradcli: Callable) -> None:
    done = gradcli("check", "sum(sin(x)*y)", "x=1,2,3", "y=2", "--color", "always")
    assert done.code == 0
    assert "\x1b[1;32mok\x1b[0m: the gradient equals SymPy's" in done.out
    for heading in ("input", "verdict", "elements", "max abs", "max rel", "max ulp", "rounding"):
        assert heading in done.out


def test_the_numeric_method(gradcli: Callable) -> None:
    done = gradcli("check", "sum(sin(x)*y)", "x=1,2,3", "y=2", "--method", "numeric", "--format", "json")
    assert done.code == 0
    assert json.loads(done.out)["method"] == "numeric"
    done = gradcli("check", "sum(sin(x)*y)", "x=1,2,3", "y=2", "--method", "numeric", "--against", "y=1")
    assert done.code == 1


def test_the_power_of_ten_of_the_exact_value_is_shown(gradcli: Callable) -> None:
    done = gradcli("check", "x*1e-300", "x=1", "--against", "x=0")
    assert done.code == 1
    assert "worst: got 0.0, exact 1.00000000000000002505909183520875968...e-300\n" in done.out


def test_cancellation_is_told_in_words(gradcli: Callable) -> None:
    done = gradcli("check", "(1-cos(x))/x**2", "x=1e-8")
    assert done.code == 0
    assert re.search(r"\(rounding \d.\d+e\+08, and no more: its terms cancel\)\n", done.out)
    assert "cancel" not in gradcli("check", "(1-cos(x))/x**2", "x=1").out


def test_a_branch_on_its_boundary_has_clean_limits(gradcli: Callable) -> None:
    done = gradcli("check", "-e", "y = x**2 if x > 0 else -3*x\ny", "x=0")
    assert done.code == 0
    assert "by x: left -3.0, right 0.0, chosen -3.0\n" in done.out


def test_a_file_of_derivatives_may_be_written_with_the_sign_of_files(gradcli: Callable, tmp_path: Path) -> None:
    path = tmp_path / "g.json"
    path.write_text('{"x": 2, "y": 1}')
    assert gradcli("check", "x*y", "x=1", "y=2", "--against", f"@{path}", "--quiet") == (0, "", "")
    done = gradcli("check", "x*y", "x=1", "y=2", "--against", "2")
    assert done.code == 2
    assert "'2' is neither NAME=VALUE nor a file" in done.err
    assert "write --against x=VALUE" in done.err
