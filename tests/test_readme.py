"""The README's sessions are true: every command in it is run, and its output compared to the character.

A ```console block is a session: a line that begins with `$ ` is a command, which goes on in lines that begin with
`> `, and the lines below it are what it prints, errors among it. `python tests/test_readme.py` runs
them all and writes what they print into the README, for a person to read before it is committed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
SESSION = re.compile(r"```console\n(.*?)```\n", re.DOTALL)
COMMAND = re.compile(r"^\$ (.*(?:\n> .*)*)\n", re.MULTILINE)


class Step(NamedTuple):
    """A command of a session and what it prints."""

    command: str
    output: str


def sessions(text: str) -> list[list[Step]]:
    """The sessions of a text."""
    return [steps(block) for block in SESSION.findall(text)]


def steps(block: str) -> list[Step]:
    parts = COMMAND.split(block)
    assert parts[0] == "", f"a session begins with a command, not {parts[0]!r}"
    return [Step(*pair) for pair in zip(parts[1::2], parts[2::2], strict=True)]


def transcript(session: list[Step]) -> str:
    """A session as the README has it."""
    return "".join(f"$ {step.command}\n{step.output}" for step in session)


def play(session: list[Step], folder: Path) -> list[Step]:
    """Run a session in one shell, and give what it really prints."""
    script = "".join(f"{typed(step)}\n__code=$?; printf '\\0'; (exit $__code)\n" for step in session)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {"PATH": path, "HOME": str(folder), "LC_ALL": "C.UTF-8", "TERM": "dumb"}
    done = subprocess.run(
        ["bash", "-c", f"exec 2>&1\n{script}"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    outputs = done.stdout.split("\0")
    assert len(outputs) == len(session) + 1, done.stdout
    return [Step(step.command, output) for step, output in zip(session, outputs, strict=False)]


def typed(step: Step) -> str:
    """The command without the shell's prompts."""
    return step.command.replace("\n> ", "\n")


def furnish(folder: Path) -> Path:
    """A folder with the samples in it, as in a clone."""
    shutil.copytree(ROOT / "samples", folder / "samples")
    return folder


@pytest.mark.parametrize("session", sessions(README.read_text()), ids=lambda session: session[0].command[:60])
def test_session(session: list[Step], tmp_path: Path) -> None:
    assert transcript(play(session, furnish(tmp_path))) == transcript(session)


def test_every_command_is_shown() -> None:
    from gradcli.cli.options import COMMANDS

    shown = " ".join(step.command for session in sessions(README.read_text()) for step in session)
    for command in COMMANDS:
        assert f"gradcli {command.name} " in shown


def test_ci_ends_with_the_readmes_test_command() -> None:
    last = (ROOT / ".ci" / "run").read_text().splitlines()[-1]
    assert f"pip install -e '.[dev]' && {last.removeprefix('step ')}\n" in README.read_text()


def rewritten(text: str) -> str:
    """The text with the outputs that its sessions really have."""

    def replaced(match: re.Match[str]) -> str:
        with tempfile.TemporaryDirectory() as folder:
            played = play(steps(match[1]), furnish(Path(folder)))
        return f"```console\n{transcript(played)}```\n"

    return SESSION.sub(replaced, text)


if __name__ == "__main__":
    README.write_text(rewritten(README.read_text()))
