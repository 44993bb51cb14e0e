"""What a person sees on a terminal of 80 columns, and what a pipe gets instead."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable

import pytest

pty = pytest.importorskip("pty")


def on_terminal(*words: str, columns: int = 80, code: int = 0, **environment: str) -> tuple[str, str]:
    """Output, which goes to a terminal, and standard error, which does not, of a command that ends with `code`."""
    import fcntl
    import struct
    import termios

    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    outer = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "LINES", "NO_COLOR", "TERM")}
    with subprocess.Popen(
        [sys.executable, "-m", "gradcli", *words],
        stdin=subprocess.DEVNULL,
        stdout=follower,
        stderr=subprocess.PIPE,
        env={**outer, "TERM": "xterm-256color", **environment},
    ) as process:
        os.close(follower)
        out = _all(leader).decode().replace("\r\n", "\n")
        assert process.stderr is not None
        err = process.stderr.read().decode()
    os.close(leader)
    assert process.returncode == code, err
    return out, err


def _all(descriptor: int) -> bytes:
    """Everything that comes from a terminal, which ends with an error rather than an empty read."""
    chunks = []
    while True:
        try:
            chunk = os.read(descriptor, 65536)
        except OSError:
            return b"".join(chunks)
        if not chunk:
            return b"".join(chunks)
        chunks.append(chunk)


def plain(text: str) -> str:
    """Text without colours."""
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


def test_a_narrow_terminal_gets_lines_where_a_table_does_not_fit() -> None:
    out, _ = on_terminal("check", "x*exp(-x)", "x=0.3", columns=40)
    lines = plain(out).splitlines()
    assert lines[2].startswith("x: ok, 1 element, largest errors abs")
    assert max(map(len, lines)) <= 40


def test_control_characters_of_an_answer_are_escaped() -> None:
    out, _ = on_terminal("eval", "f'\x1b[31m{x}\\n\u202e'", "x=1", "--format", "text")
    assert out == "\\x1b[31m1.0\n\\u202e\n"


def test_a_gradient() -> None:
    out, err = on_terminal("grad", "sum(x**2)", "x=1,2,3")
    assert err == ""
    assert "\x1b[" in out
    assert plain(out) == "value  14.0\n\ngrad x  float64 (3,)\n  [2. 4. 6.]\n"


def test_long_arrays_are_shortened_and_said_to_be() -> None:
    out, err = on_terminal("eval", "x", "x=linspace(0,1,1000)")
    assert err == ""
    assert plain(out).endswith("\nshortened from 1,000 numbers; a pipe, --format or -o gives all\n")
    assert "..." in out


@pytest.mark.parametrize("columns", [20, 40, 80, 120])
def test_nothing_is_wider_than_the_terminal(columns: int) -> None:
    for words in (
        ("eval", "x", "x=randn(1000)"),
        ("jacobian", "sin(x)", "x=randn(40)"),
        ("hessian", "sum(x*y)", "x=randn(3)", "y=randn(3)"),
    ):
        out, err = on_terminal(*words, columns=columns)
        assert err == ""
        widest = max(map(len, plain(out).split("\n")))
        assert widest <= max(columns, 40)


def test_a_programs_text_is_never_markup() -> None:
    out, err = on_terminal("eval", "y = '[bold]x[/bold] :smile: [red]'\ny")
    assert err == ""
    assert plain(out) == "y  [bold]x[/bold] :smile: [red]\n"


def test_no_color() -> None:
    for words, environment in ((("--color", "never"), {}), ((), {"NO_COLOR": "1"})):
        out, err = on_terminal("grad", "sum(x**2)", "x=1,2,3", *words, **environment)
        assert err == ""
        assert not re.search(r"\x1b\[[0-9;]*3[0-9]", out)
        assert "grad x  float64 (3,)" in plain(out)


def test_an_explicit_format_gets_plain_text() -> None:
    assert on_terminal("grad", "sum(x**2)", "x=1,2,3", "--format", "text") == ("2.0 4.0 6.0\n", "")


def test_a_pipe_may_ask_for_the_layout(gradcli: Callable) -> None:
    code, out, err = gradcli("grad", "sum(x**2)", "x=1,2,3", "--color", "always")
    assert (code, err) == (0, "")
    assert "\x1b[" in out
    assert plain(out) == "value  14.0\n\ngrad x  float64 (3,)\n  [2. 4. 6.]\n"


def test_binary_forms_are_refused_on_a_terminal() -> None:
    out, err = on_terminal("grad", "sum(x**2)", "x=1,2,3", "--format", "npy", code=2)
    assert out == ""
    assert err.startswith("error: npy is binary and standard output is a terminal")
