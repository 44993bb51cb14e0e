"""Source text and places in it."""

from __future__ import annotations

import ast
from itertools import accumulate
from typing import NamedTuple

from gradcli.graph.errors import GradcliError, LimitReached

#: Bytes of UTF-8 that a program may have.
MAX_SOURCE_BYTES = 4 << 20


class Source:
    """A program's text with the name that diagnostics call it by.

    Line ends are normalised to a line feed, a byte order mark is dropped, and text whose first line is indented
    (a quoted block in a shell script) is moved to the left margin.

    Args:
        name: a path, or `<program>`, `<stdin>` and the like.
        text: the program.

    Attributes:
        cell_ends: of a notebook, the last line of every code cell.

    Raises:
        GradcliError: the text is longer than `MAX_SOURCE_BYTES` or holds what no UTF-8 file can.
    """

    __slots__ = ("_is_ascii", "_lines", "cell_ends", "name", "text")

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.cell_ends: tuple[int, ...] = ()
        self._lines: list[str] | None = None
        try:
            size = len(text) if text.isascii() else len(text.encode())
        except UnicodeEncodeError as error:
            raise GradcliError(f"{name} is not UTF-8 text, at character {error.start + 1}") from None
        if size > MAX_SOURCE_BYTES:
            raise _too_long(name, size)
        text = text.removeprefix("\ufeff")
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        self.text = _at_margin(text)
        self._is_ascii = text.isascii()

    @classmethod
    def from_bytes(cls, name: str, data: bytes) -> Source:
        """A source from what a file holds; of a notebook (`.ipynb`), its code cells.

        Raises:
            GradcliError: the bytes are not UTF-8, too many, or no notebook where one is expected.
        """
        if name.endswith(".ipynb"):
            from gradcli.language.notebook import cells_of

            cells = cells_of(name, data)
            source = cls(name, "\n".join(cells))
            source.cell_ends = tuple(accumulate(cell.count("\n") + 1 for cell in cells))
            return source
        if len(data) > MAX_SOURCE_BYTES:
            raise _too_long(name, len(data))
        return cls(name, decoded(name, data))

    @property
    def lines(self) -> list[str]:
        """The lines without their ends; line 1 is element 0."""
        if self._lines is None:
            self._lines = self.text.split("\n")
        return self._lines

    def line(self, number: int) -> str:
        """Line `number`, counted from 1, or an empty text beyond the end."""
        return self.lines[number - 1] if 0 < number <= len(self.lines) else ""

    def column(self, line: int, byte_offset: int) -> int:
        """The column, counted from 1 in characters, of a byte of a line as `ast` counts it."""
        if self._is_ascii:
            return byte_offset + 1
        text = self.line(line)
        return len(text.encode()[:byte_offset].decode(errors="replace")) + 1


class Span(NamedTuple):
    """A stretch of a source: lines and columns from 1, in characters; the end column is the one after the last."""

    source: Source
    line: int
    column: int
    end_line: int
    end_column: int


class Spans(dict[ast.AST, Span]):
    """The spans of a tree's nodes, each made when it is first asked for."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self.source = source

    def __missing__(self, node: ast.AST) -> Span:
        assert isinstance(node, ast.expr | ast.stmt | ast.arg | ast.alias | ast.keyword)
        source = self.source
        end_line = node.end_lineno or node.lineno
        end = node.end_col_offset if node.end_col_offset is not None else node.col_offset + 1
        found = Span(
            source,
            node.lineno,
            source.column(node.lineno, node.col_offset),
            end_line,
            source.column(end_line, end),
        )
        self[node] = found
        return found


def decoded(name: str, data: bytes) -> str:
    """Bytes of a file as text.

    Raises:
        GradcliError: they are not UTF-8; says where.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise GradcliError(
            f"{name} is not UTF-8 text: byte 0x{data[error.start]:02x} on line {line}",
            mend="save it as UTF-8",
        ) from None


def normalised(name: str) -> str:
    """A name as the language knows it (NFKC), for names on the command line and in file headers."""
    if name.isascii():
        return name
    import unicodedata

    return unicodedata.normalize("NFKC", name)


def _too_long(name: str, size: int) -> GradcliError:
    return LimitReached(
        "source size",
        f"{name} has {size:,} bytes, a program may have {MAX_SOURCE_BYTES:,}",
        mend="put the data in a file and give it as NAME=@FILE",
    )


def _at_margin(text: str) -> str:
    first = next((line for line in text.split("\n", 64)[:64] if line.strip()), "")
    if not first[:1].isspace():
        return text
    lines = text.split("\n")
    margin = first[: len(first) - len(first.lstrip())]
    if any(line.strip() and not line.startswith(margin) for line in lines):
        return text
    return "\n".join(line.removeprefix(margin) for line in lines)
