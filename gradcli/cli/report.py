"""What a command has to say to its user beside the answer: errors, notes and a program's prints, on standard error."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gradcli.cli.progress import make_way
from gradcli.cli.words import UsageError, Word
from gradcli.graph.errors import GradcliError

if TYPE_CHECKING:
    from gradcli.language.source import Span

BUG_TRACKER_HINT = "please report it, with this command line and the program"


def show_error(error: GradcliError, words: tuple[str, ...]) -> None:
    """Print an error of the user's with its place and the mend; `words` are the command line."""
    complain(rendered(error, words))


def rendered(error: GradcliError, words: tuple[str, ...]) -> str:
    """The whole text of an error of the user's; `words` are the command line."""
    from gradcli.language.diagnostics import render

    if isinstance(error, UsageError):
        _point_at(error, words)
    return render(error)


def show_defect(defect: BaseException) -> None:
    """Print that gradcli itself went wrong; with GRADCLI_DEBUG set, where."""
    what = f"{type(defect).__name__}: {defect}" if str(defect) else type(defect).__name__
    complain(f"error: gradcli itself is at fault: {_plain(what)[:2000]}")
    complain(f"  {BUG_TRACKER_HINT} (GRADCLI_DEBUG=1 shows where it happened)")
    if os.environ.get("GRADCLI_DEBUG"):
        import traceback

        complain("".join(traceback.format_exception(defect)))


def complain(text: str) -> None:
    """Print a line to standard error, as well as that can be done."""
    make_way()
    try:
        if sys.stderr is not None:
            print(text.rstrip("\n"), file=sys.stderr, flush=True)
    except (OSError, ValueError):
        return


def say(text: str) -> None:
    """Print what a program prints, line ends included, to standard error; control characters are escaped."""
    make_way(text)
    try:
        if sys.stderr is not None:
            sys.stderr.write(_plain(text))
    except (OSError, ValueError):
        return


def _plain(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)


def _point_at(error: UsageError, words: tuple[str, ...]) -> None:
    """Give the error a span on the command line, where it names a word."""
    if error.place is not None and error.span is None:
        error.span = span_of_word(error.place, words)


@contextmanager
def blamed_on(word: Word, words: tuple[str, ...]) -> Iterator[None]:
    """Give an error that has no place of its own the place of a word on the command line `words`."""
    try:
        yield
    except GradcliError as error:
        if error.span is None and not isinstance(error, UsageError):
            error.span = span_of_word(word.place, words)
        raise


def span_of_word(place: int, words: tuple[str, ...]) -> Span:
    """Where the word number `place` stands on the command line, written as a shell would need it."""
    from shlex import quote

    from gradcli.language.source import Source, Span

    quoted = [quote(word.encode("utf-8", "backslashreplace").decode()) for word in words]
    before = " ".join(quoted[:place])
    text = f"{before} {quoted[place]}"
    whole = " ".join([text, *quoted[place + 1 :]])
    source = Source("<command line>", whole)
    return Span(source, *_place(text, len(before) + 1), *_place(text, len(text)))


def _place(text: str, offset: int) -> tuple[int, int]:
    """Line and column, counted from 1, of an offset."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1
