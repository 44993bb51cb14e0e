"""Where an answer goes and in what form: a terminal's layout, or the text, JSON or binary of `files`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from gradcli.cli.progress import put_away
from gradcli.cli.words import Invocation
from gradcli.files import Answer, choose_format, deliver, encode
from gradcli.files.answers import BINARY
from gradcli.language.diagnostics import escaped

if TYPE_CHECKING:
    from rich.console import Console


def publish(invocation: Invocation, answer: Answer, layout: Callable[[Console], None]) -> None:
    """Give the answer: laid out by `layout` where a person reads it, else in the form that was asked for.

    Raises:
        GradcliError: the form cannot hold the answer, or it cannot be written.
    """
    put_away()
    if wants_layout(invocation):
        layout(terminal(invocation))
        return
    values = invocation.values
    form = choose_format(values["format"], values["output"])
    send(invocation, encode(answer, form), form)


def publish_text(invocation: Invocation, text: str, layout: Callable[[Console], None] | None = None) -> None:
    """Give an answer that is a text already; `layout` is for a terminal."""
    put_away()
    if layout is not None and wants_layout(invocation):
        layout(terminal(invocation))
        return
    if not text.endswith("\n"):
        text += "\n"
    send_text(invocation, text, "text")


def send_text(invocation: Invocation, text: str, form: str) -> None:
    """Write an answer that is a text, as `send` does."""
    send(invocation, [text.encode("utf-8", "backslashreplace")], form)


def send(invocation: Invocation, data: Iterable[bytes], form: str) -> None:
    """Write the pieces of an answer to `-o FILE` or standard output; on a terminal control characters are escaped.

    Raises:
        GradcliError: they cannot be written.
    """
    path, stdout = invocation.values["output"], sys.stdout
    if stdout is not None:
        stdout.flush()
        if path in (None, "-") and form not in BINARY and stdout.isatty():
            data = (escaped(piece.decode(), keep="\n\t").encode() for piece in data)
    deliver(data, path, form, None if stdout is None else stdout.buffer)


def wants_layout(invocation: Invocation) -> bool:
    """Whether a person reads the answer: on a terminal, or through a pipe with `--color always`."""
    values = invocation.values
    if values["format"] is not None or values["output"] is not None or sys.stdout is None:
        return False
    return values["color"] == "always" or sys.stdout.isatty()


def terminal(invocation: Invocation) -> Console:
    """The console for a layout; it takes nothing for markup."""
    from rich.console import Console

    class Terminal(Console):
        """rich would end the process with exit code 1 where a pipe is closed."""

        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    color = invocation.values["color"]
    plain = color == "never" or (color == "auto" and bool(os.environ.get("NO_COLOR")))
    always: Any = {"force_terminal": True, "color_system": "standard"} if color == "always" else {}
    return Terminal(
        file=sys.stdout,
        markup=False,
        emoji=False,
        highlight=False,
        no_color=plain,
        soft_wrap=False,
        **always,
    )
