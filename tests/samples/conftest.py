from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from gradcli.cli.main import run

ROOT = Path(__file__).parents[2]


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def gradcli(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Done]:
    """Run a gradcli command in this process, from the project's folder as the samples' comments say."""
    monkeypatch.chdir(ROOT)
    assert os.path.isdir("samples")

    def command(*words: str) -> Done:
        code = run(words)
        out, err = capfd.readouterr()
        return Done(code, out, err)

    return command
