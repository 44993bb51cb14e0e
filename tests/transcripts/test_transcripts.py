"""Programs print, and fail, as under PyTorch 2.13, to the character (see README.md here for what covers what)."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PROGRAMS = sorted(HERE.glob("*.grad"))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], tuple[int, str, str]]:
    """Run a script in this process: its exit code, standard output and standard error."""
    from gradcli.cli.main import run

    def call(path: Path) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            code = run(["run", str(path)])
        return code, out.getvalue(), err.getvalue()

    return call


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_transcript(run: Callable[[Path], tuple[int, str, str]], path: Path) -> None:
    code, out, err = run(path)
    assert out == path.with_suffix(".out").read_text()
    error = path.with_suffix(".err")
    if not error.exists():
        assert code == 0, err
        return
    _, _, words = error.read_text().rstrip("\n").partition(": ")
    assert code == 2
    first, _, place = err.partition("\n")
    assert first == f"error: {words}"
    assert place.lstrip(" ").startswith(f"--> {path}:")


def test_there_are_enough() -> None:
    errors = [path for path in PROGRAMS if path.with_suffix(".err").exists()]
    assert len(PROGRAMS) >= 16 + 40
    assert len(errors) >= 3 + 12


def test_the_readme_names_every_transcript() -> None:
    import re

    text = (HERE / "README.md").read_text().partition("## The tutorials")[0]
    covered: set[int] = set()
    for row in re.findall(r"^\| .* \| (.*) \|$", text, re.MULTILINE):
        for first, last in re.findall(r"(\d{2,})(?: to (\d{2,}))?", row):
            covered |= set(range(int(first), int(last or first) + 1))
    assert {int(path.stem.partition("-")[0]) for path in PROGRAMS} <= covered
