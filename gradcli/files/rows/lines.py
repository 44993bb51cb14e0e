"""A text as blocks of whole lines, in constant memory, and no more waiting than a pipe's writer causes."""

from __future__ import annotations

import io
from typing import BinaryIO

from gradcli.files.names import shown
from gradcli.files.sources import is_pipe
from gradcli.graph.budget import budget
from gradcli.graph.errors import GradcliError

#: What is read from a file, or a pipe that has so much, at a time.
PIECE = 1 << 18


class Lines:
    """Cuts a stream of bytes at line ends.

    Attributes:
        next_line: the number of the line that comes next, counted from 1.
        taken: how many bytes have been given out.
    """

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self.next_line = 1
        self.taken = 0
        self._stream = stream
        self._name = name
        self._is_pipe = is_pipe(stream)
        self._buffer = b""
        self._start = 0
        self._ended = False

    def take(self, nbytes: int) -> bytes:
        """The next lines with their ends, about so many bytes and at least one line; nothing at the end.

        Raises:
            GradcliError: the system can't read on.
        """
        while not self._ended and self._wants_more(nbytes):
            self._fill()
        end = self._cut(nbytes)
        found = self._buffer[self._start : end]
        self._start = end
        self.next_line += found.count(b"\n")
        self.taken += len(found)
        return found

    def waits(self) -> bool:
        """Whether no whole line is there, and none has arrived."""
        if self._ended or not self._is_pipe or self._buffer.find(b"\n", self._start) >= 0:
            return False
        import select

        try:
            return not select.select([self._stream], [], [], 0)[0]
        except (OSError, ValueError, io.UnsupportedOperation):
            return False

    def _wants_more(self, nbytes: int) -> bool:
        if self._is_pipe:
            return self._buffer.find(b"\n", self._start) < 0
        return len(self._buffer) - self._start < nbytes or self._buffer.find(b"\n", self._start) < 0

    def _fill(self) -> None:
        try:
            piece = self._stream.read1(PIECE) if isinstance(self._stream, _BUFFERED) else self._stream.read(PIECE)
        except OSError as error:
            raise GradcliError(f"cannot read {shown(self._name)}: {shown(error.strerror or str(error))}") from None
        if not piece:
            self._ended = True
        held = len(self._buffer) - self._start
        if held > PIECE:
            budget.charge(2 * (held + len(piece)), f"a line of {shown(self._name)}")
        self._buffer = self._buffer[self._start :] + piece
        self._start = 0

    def _cut(self, nbytes: int) -> int:
        """Where the lines to be given out end in the buffer."""
        last = self._buffer.rfind(b"\n", self._start, self._start + nbytes)
        if last < 0:
            last = self._buffer.find(b"\n", self._start)
        return last + 1 if last >= 0 else len(self._buffer)


_BUFFERED = (io.BufferedReader, io.BytesIO)
