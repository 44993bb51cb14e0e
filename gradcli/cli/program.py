"""What PROGRAM stands for: standard input, an expression file, a notebook, or the expression itself."""

from __future__ import annotations

import os
import stat

from gradcli.cli.report import blamed_on
from gradcli.cli.words import Invocation
from gradcli.files.names import quoted
from gradcli.files.sources import StandardInput, open_source
from gradcli.graph.errors import GradcliError
from gradcli.language.source import Source

SUFFIXES = (".grad", ".py", ".ipynb")
MOST_BYTES = 64 << 20
"""A longer file is no program (a notebook's pictures count)."""


def read_source(invocation: Invocation, standard_input: StandardInput) -> Source:
    """The program's source, from wherever PROGRAM or -e says.

    Raises:
        GradcliError: no such file, or it cannot be read as a program.
    """
    if invocation.program is None:
        return Source("<program>", "\n".join(invocation.values["expression"]))
    word = invocation.program.text
    if word == "-":
        return Source.from_bytes("<stdin>", standard_input.read("the program"))
    if is_file(word):
        with blamed_on(invocation.program, invocation.words):
            return _from_file(word)
    return Source("<program>", word)


def is_file(word: str) -> bool:
    """Whether a PROGRAM names a file rather than being the expression."""
    if word.endswith(SUFFIXES) and not any(character in word for character in "\n()"):
        return True
    # No expression begins like a path, so that what is wrong with the path can be said.
    return "/" in word and (word.startswith(("/", "./", "../")) or _is_regular(word))


def _is_regular(path: str) -> bool:
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISREG(mode) or stat.S_ISFIFO(mode)


def _from_file(path: str) -> Source:
    with open_source(path) as stream:
        try:
            data = stream.read(MOST_BYTES + 1)
        except OSError as error:
            raise GradcliError(f"cannot read {quoted(path, 160)}: {error.strerror}") from None
    if len(data) > MOST_BYTES:
        raise GradcliError(f"{quoted(path, 160)} is longer than {MOST_BYTES >> 20} MiB: no program is")
    return Source.from_bytes(path, data)
