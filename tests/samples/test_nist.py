"""NIST's certified nonlinear regressions: the values agree, the gradient vanishes, and the derivatives are proved."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

FOLDER = Path(__file__).parents[2] / "samples" / "nist"
CERTIFIED: dict[str, Any] = json.loads((FOLDER / "certified.json").read_text())
NAMES = sorted(CERTIFIED)

Gradcli = Callable[..., tuple[int, str, str]]


def words(name: str) -> list[str]:
    return [f"samples/nist/{name}.grad", "--data", f"samples/nist/{name}.csv"]


def answer(gradcli: Gradcli, *arguments: str) -> dict[str, Any]:
    code, out, err = gradcli(*arguments, "--format", "json")
    assert (code, err) == (0, "")
    found: dict[str, Any] = json.loads(out)
    return found


def wrt(name: str) -> list[str]:
    return ["--wrt", ",".join(CERTIFIED[name]["parameters"])]


def last_digit(name: str, parameter: str) -> float:
    """One unit in the last of the eleven digits of a certified parameter."""
    value: float = CERTIFIED[name]["parameters"][parameter]
    return 10.0 ** (np.floor(np.log10(abs(value))) - 10)


def test_all_27_are_there() -> None:
    assert len(NAMES) == 27
    assert sorted(path.stem for path in FOLDER.glob("*.grad")) == NAMES
    assert sorted(path.stem for path in FOLDER.glob("*.csv")) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_defaults_are_the_certified_parameters(name: str) -> None:
    text = (FOLDER / f"{name}.grad").read_text()
    defaults = {key: float(value) for key, value in re.findall(r"^(b\d): float = (\S+)$", text, re.MULTILINE)}
    assert defaults == CERTIFIED[name]["parameters"]


@pytest.mark.parametrize("name", NAMES)
def test_residual_sum_of_squares(gradcli: Gradcli, name: str) -> None:
    rss = answer(gradcli, "eval", *words(name))["value"]
    certified = CERTIFIED[name]["rss"]
    if name == "Lanczos1":
        # The data have 14 digits, so the certified 1.4e-25 is made of the last bits of a float64, and of the
        # parameters' eleven digits: all that can be said is that nothing larger than those is left.
        assert 0 <= rss < CERTIFIED[name]["observations"] * (1e-10) ** 2
    else:
        assert rss == pytest.approx(certified, rel=1e-9, abs=0)


@pytest.mark.parametrize("name", NAMES)
def test_gradient_vanishes_beside_what_it_is_made_of(gradcli: Gradcli, name: str) -> None:
    gradient = answer(gradcli, "grad", *words(name), *wrt(name))["grad"]
    of_residual = ["--of", "residual"]
    residual = np.array(answer(gradcli, "eval", *words(name), *of_residual)["value"])
    jacobian = answer(gradcli, "jacobian", *words(name), *of_residual, *wrt(name))["jacobian"]
    columns = {parameter: np.array(column) for parameter, column in jacobian.items()}
    for parameter, slope in gradient.items():
        contributions = 2 * residual * columns[parameter]
        rounding = 1e-13 * np.abs(contributions).sum()
        assert abs(slope - contributions.sum()) <= rounding
        # The certified parameters have eleven digits: by the last of them the gradient may be off (as the
        # Hessian, 2 J'J, tells), and by no more.
        digits = sum(2 * abs(columns[parameter] @ columns[other]) * last_digit(name, other) for other in columns)
        assert abs(slope) <= rounding + digits
        if name != "Lanczos1":  # where the residuals themselves are no more than those digits
            assert abs(slope) <= 2e-5 * np.abs(contributions).sum()


@pytest.mark.parametrize("name", NAMES)
def test_gradient_is_proved(gradcli: Gradcli, name: str) -> None:
    report = answer(gradcli, "check", *words(name), *wrt(name))
    assert report["ok"] is True
    assert report["derivative"] == "gradient"
    assert set(report["inputs"]) == set(CERTIFIED[name]["parameters"])


@pytest.mark.parametrize("name", NAMES)
def test_jacobian_of_the_residuals_is_proved(gradcli: Gradcli, name: str) -> None:
    report = answer(gradcli, "check", *words(name), "--of", "residual", *wrt(name))
    assert report["ok"] is True
    assert report["derivative"] == "jacobian"


@pytest.mark.parametrize("name", NAMES)
def test_the_command_in_the_comment_runs(gradcli: Gradcli, name: str) -> None:
    text = (FOLDER / f"{name}.grad").read_text()
    (evaluate, check) = re.findall(r"^#     gradcli (.*)$", text, re.MULTILINE)
    code, out, err = gradcli(*shlex.split(evaluate))
    assert (code, err) == (0, "")
    assert float(out) >= 0
    assert shlex.split(check) == ["check", *words(name), *wrt(name)]
