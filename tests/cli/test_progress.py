"""What a long command shows while it runs: a line on a terminal, and nothing anywhere else."""

from __future__ import annotations

import io
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable

import pytest

from gradcli.cli import progress
from gradcli.cli.progress import described, make_way, put_away

LOOP = "y = x\nfor i in range(10**7):\n    y = y*0.99999 + 0.00001*sin(y)\ny"
ERASED = "\x1b[2K"


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def on_terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[[], _Terminal]:
    """Make standard error a terminal on which the bar comes at once (in the test: pytest changes it before)."""

    def call() -> _Terminal:
        stream = _Terminal()
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setattr(progress, "DELAY", 0.0)
        monkeypatch.setattr(progress, "TICK", 0.01)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setenv("COLUMNS", "100")
        return stream

    return call


def shown(stream: _Terminal, words: str, seconds: float = 10) -> bool:
    """Whether words come up before the time is over."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if words in plain(stream.getvalue()):
            return True
        time.sleep(0.01)
    return False


def plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def test_a_bar_is_drawn_and_taken_away(on_terminal):
    terminal = on_terminal()
    with progress.progress(lambda: {"rows": 1200, "memory": 3 << 20}, total=5000):
        assert shown(terminal, "1,200 of 5,000 rows  3.0 MiB")
    assert terminal.getvalue().rstrip("\r").endswith(ERASED) or ERASED in terminal.getvalue().rsplit("rows", 1)[1]


def test_the_inner_task_takes_the_place_of_the_outer_one(on_terminal):
    terminal = on_terminal()
    with progress.progress(lambda: {"steps": 7}):
        assert shown(terminal, "7 steps")
        with progress.progress(lambda: {"rows": 8}):
            assert shown(terminal, "8 rows")
        terminal.truncate(0)
        assert shown(terminal, "7 steps")


def test_what_is_printed_stands_on_lines_of_its_own(on_terminal):
    terminal = on_terminal()
    with progress.progress(lambda: {"steps": 7}):
        assert shown(terminal, "7 steps")
        make_way("half a line")
        terminal.truncate(0)
        terminal.seek(0)
        time.sleep(0.1)
        assert terminal.getvalue() == ""
        make_way(" and the rest\n")
        assert shown(terminal, "7 steps")
        put_away()
        length = len(terminal.getvalue())
        time.sleep(0.1)
        assert len(terminal.getvalue()) == length


@pytest.mark.parametrize("term", ["dumb", None])
def test_nothing_where_there_is_no_terminal(monkeypatch, term):
    stream = _Terminal() if term else io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", term or "xterm")
    threads = threading.active_count()
    with progress.progress(lambda: {"steps": 7}):
        assert threading.active_count() == threads
    assert stream.getvalue() == ""


def test_no_colour(on_terminal, monkeypatch):
    terminal = on_terminal()
    monkeypatch.setenv("NO_COLOR", "1")
    with progress.progress(lambda: {"steps": 7}):
        assert shown(terminal, "7 steps")
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", terminal.getvalue())


def test_numbers():
    assert described({"steps": 1_234_567, "nodes": 12, "memory": 52_000_000}) == "1,234,567 steps  12 nodes  49.6 MiB"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs a terminal of its own")
def test_a_long_command_that_is_interrupted_leaves_a_clean_line():
    import pty

    child, terminal = pty.fork()
    if child == 0:
        os.environ["TERM"] = "xterm"
        os.execv(sys.executable, [sys.executable, "-m", "gradcli", "eval", LOOP, "x=0.5"])
    written = b""
    while b"steps" not in written:
        written += os.read(terminal, 4096)
    os.kill(child, signal.SIGINT)
    while True:
        try:
            data = os.read(terminal, 4096)
        except OSError:
            break
        if not data:
            break
        written += data
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 130
    assert written.decode().endswith("\r\x1b[2K\x1b[?25h")
    assert re.search(r"\d+,\d+ steps  \d+ nodes  [\d.]+ MiB", plain(written.decode()))
