"""Running whole commands: in this process, which is quick, or as a person's shell does."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent.parent


class Done(NamedTuple):
    """What a command left: its exit code, standard output and standard error."""

    code: int
    out: str
    err: str


class _Stream(io.TextIOWrapper):
    """A standard stream that keeps what is written, and says it is no terminal."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", errors="backslashreplace", newline="\n")

    def text(self) -> str:
        self.flush()
        return self.buffer.getvalue().decode()  # type: ignore[attr-defined]


@pytest.fixture
def gradcli(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """Run a command line in this process: `gradcli("eval", "x**2", "x=3")`."""
    from gradcli.cli.main import run

    def call(*words: str, stdin: bytes | str = b"") -> Done:
        out, err = _Stream(), _Stream()
        data = stdin.encode() if isinstance(stdin, str) else stdin
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), encoding="utf-8"))
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            code = run(list(words))
        return Done(code, out.text(), err.text())

    return call


@pytest.fixture
def shell() -> Callable[..., Done]:
    """Run a command line in a process of its own, with all its limits."""

    def call(*words: str, stdin: bytes | str = b"", timeout: float = 60, **environment: str) -> Done:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(
            [sys.executable, "-m", "gradcli", *words],
            input=data,
            capture_output=True,
            timeout=timeout,
            env={**os.environ, **environment},
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    return call
