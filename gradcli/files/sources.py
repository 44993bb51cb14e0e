"""Opening what a VALUE points to: a regular file, a pipe or standard input, and nothing else."""

from __future__ import annotations

import io
import os
import stat
import sys
from typing import BinaryIO

from gradcli.files.names import quoted, shown
from gradcli.graph.budget import budget
from gradcli.graph.errors import GradcliError
from gradcli.language.diagnostics import nearest

#: How files in NumPy's two formats begin; the second is a zip archive.
NPY_MAGIC = b"\x93NUMPY"
NPZ_MAGIC = b"PK\x03\x04"

CHUNK = 1 << 20
#: A directory with more entries than this is not searched for the file that was meant.
MOST_ENTRIES = 10_000


class StandardInput:
    """Standard input, which one reader alone may have."""

    def __init__(self, stream: BinaryIO | None = None) -> None:
        self._stream = stream
        self._reader: str | None = None

    def read(self, reader: str) -> bytes:
        """Everything on standard input; `reader` is the word that asked for it (`x=@-`).

        Raises:
            GradcliError: another reader has had it, or there is no standard input.
        """
        return read_all(self.stream(reader), "standard input")

    def stream(self, reader: str) -> BinaryIO:
        """Standard input, for a reader that takes it piece by piece.

        Raises:
            GradcliError: another reader has had it, or there is none.
        """
        if self._reader is not None:
            raise GradcliError(
                f"only one thing may read standard input, not both {shown(self._reader)} and {shown(reader)}"
            )
        self._reader = reader
        if self._stream is None:
            if sys.stdin is None:
                raise GradcliError(f"{shown(reader)} reads standard input, and there is none")
            self._stream = sys.stdin.buffer
        return self._stream


def open_source(path: str) -> BinaryIO:
    """The file at `path`, open for reading bytes.

    Raises:
        GradcliError: it is missing, unreadable, or neither a regular file nor a pipe.
    """
    if "://" in path:
        raise GradcliError(f"{quoted(path)} is an address, and gradcli reads files only")
    try:
        _expect_readable_kind(path, os.stat(path).st_mode)
        # Opening a device can have effects of its own, so the kind is asked before.
        return open(path, "rb")
    except FileNotFoundError:
        raise GradcliError(f"no such file: {quoted(path, 160)}", mend=likely_path(path)) from None
    except (OSError, ValueError) as error:
        raise GradcliError(f"cannot read {quoted(path, 160)}: {_reason(error)}") from None


def is_pipe(stream: BinaryIO) -> bool:
    """Whether `stream` can only be read from front to back."""
    return not stream.seekable()


def read_all(stream: BinaryIO, what: str) -> bytes:
    """All bytes of `stream`, each chunk charged to the budget before it is kept; `what` names it in errors.

    Raises:
        GradcliError: the system can't read it.
        LimitReached: it is longer than the budget holds.
    """
    chunks = []
    try:
        while chunk := stream.read(CHUNK):
            budget.charge(2 * len(chunk), shown(what))
            chunks.append(chunk)
    except OSError as error:
        raise GradcliError(f"cannot read {shown(what)}: {_reason(error)}") from None
    return b"".join(chunks)


def first_bytes(stream: BinaryIO, what: str) -> bytes:
    """How `stream` begins, without reading on; empty where that cannot be told.

    Raises:
        GradcliError: the system can't read it.
    """
    try:
        return stream.peek(6)[:6] if isinstance(stream, io.BufferedReader) else b""
    except OSError as error:
        raise GradcliError(f"cannot read {shown(what)}: {_reason(error)}") from None


def decode(data: bytes, name: str) -> str:
    """UTF-8 text, a byte order mark dropped, line ends made `\\n`.

    Raises:
        GradcliError: it is not UTF-8; the message has the line.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise GradcliError(f"{shown(name)} is UTF-16 text, expected UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise GradcliError(
            f"{shown(name)}, line {line}: byte 0x{data[error.start]:02x} is not UTF-8 text"
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _expect_readable_kind(path: str, mode: int) -> None:
    if stat.S_ISREG(mode) or stat.S_ISFIFO(mode):
        return
    if stat.S_ISDIR(mode):
        kind = "a directory"
    elif stat.S_ISCHR(mode) or stat.S_ISBLK(mode):
        kind = "a device"
    else:
        kind = "a socket"
    raise GradcliError(f"{quoted(path, 160)} is {kind}, expected a file or a pipe")


def _entries(folder: str) -> list[str]:
    try:
        entries = os.listdir(folder or ".")
    except OSError:
        return []
    return entries if len(entries) <= MOST_ENTRIES else []


def likely_path(path: str) -> str | None:
    """What to do about a path that is not there: the nearest name, or the folder that is missing too."""
    folder, name = os.path.split(path)
    if folder and not os.path.isdir(folder):
        return f"there is no folder {quoted(folder, 160)}"
    near = nearest(name, _entries(folder))
    return f"did you mean {quoted(os.path.join(folder, near), 160)}?" if near else None


def _reason(error: Exception) -> str:
    return shown(getattr(error, "strerror", None) or str(error))
