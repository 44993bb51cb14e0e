"""Rows of a CSV: a header of names, and a row of numbers on each line.

The column `x` gives a scalar; the columns `x.0`, `x.1`, ... give a vector, and `A.0.0`, `A.0.1`, ... an array of more
axes, as gradcli's own CSV has them. Other columns may hold anything. Empty lines and comments are passed over.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from itertools import islice
from typing import BinaryIO, NamedTuple

import numpy as np

from gradcli.files.names import listed, quoted
from gradcli.files.rows.blocks import Block, Chunk, Group, RowReader, Wanted
from gradcli.files.rows.lines import Lines
from gradcli.files.sources import decode
from gradcli.files.tables import cells_of, is_number, is_skipped, no_number, number_of, separator_of
from gradcli.files.values import as_default
from gradcli.graph.errors import GradcliError
from gradcli.graph.values import Array
from gradcli.language.source import normalised

#: Lines that are no rows: empty ones and comments.
_PASSED_OVER = re.compile(rb"^[ \t\r]*(?:$|[#%])", re.MULTILINE)
#: What only the slow way reads rightly: quotes, comments, and digits that are none.
_UNUSUAL = ('"', "#", "%", "_")


class _Column(NamedTuple):
    """An input: its shape, and in which cells of a row its elements stand, in C order."""

    name: str
    shape: tuple[int, ...]
    cells: tuple[int, ...]


class TableRows(RowReader):
    """Reads a CSV.

    Args:
        stream: the file.
        name: what it is called.
        wanted: which names the program reads.
        dtype: what the numbers become; float64 by itself.

    Raises:
        GradcliError: there is no header, or it is at fault.
    """

    def __init__(self, stream: BinaryIO, name: str, wanted: Wanted, dtype: str | None) -> None:
        super().__init__(stream, name)
        self._lines = Lines(stream, name)
        self._dtype = dtype
        self._next_row = 1
        self._separator, self._header = self._read_header()
        self._columns = _columns(self._header, wanted, self.name)
        self.names = tuple(column.name for column in self._columns)

    def _read_header(self) -> tuple[str | None, list[str]]:
        while data := self._lines.take(1):
            line = decode(data, self.name).rstrip("\n")
            if is_skipped(line):
                continue
            separator = separator_of(line)
            header = [normalised(cell) for cell in cells_of(line, separator)]
            if any(map(is_number, header)):
                raise GradcliError(f"{self.name} has no header row, expected names above the numbers")
            return separator, header
        raise GradcliError(f"{self.name} is empty, expected a header row of names above rows of numbers")

    def take(self, nbytes: int) -> Block | None:
        """The next lines; see `RowReader.take`."""
        while True:
            line = self._lines.next_line
            data = self._lines.take(nbytes)
            if not data:
                return None
            size = _count(data)
            if size:
                self._next_row += size
                return Block(self._next_row - size, line, size, data)

    def waits(self) -> bool:
        """See `RowReader.waits`."""
        return self._lines.waits()

    def where(self, block: Block, place: int) -> str:
        """Row and line, in words."""
        assert isinstance(block.content, bytes)
        lines = block.content.split(b"\n")
        rows = (number for number, line in enumerate(lines) if not is_skipped(line.decode("utf-8", "replace")))
        line = block.first_line + next(islice(rows, place, None))
        return f"{super().where(block, place)} (line {line:,})"

    def chunk(self, block: Block) -> Chunk:
        """The values of a block's rows."""
        assert isinstance(block.content, bytes)
        try:
            text = decode(block.content, self.name)
        except GradcliError:
            return self._chunk_slowly(block.content.split(b"\n"), block.size)
        if text.isascii() and not any(mark in text for mark in _UNUSUAL):
            values = self._numbers(text.removesuffix("\n").split("\n"))
            if values is not None:
                return Chunk(block.size, [Group(np.arange(block.size), values)], {})
        return self._chunk_slowly(text.split("\n"), block.size)

    def _numbers(self, lines: list[str]) -> dict[str, Array] | None:
        """The values of lines that are rows like all others; None where one is not."""
        cells = self._cells(lines)
        if cells is None:
            return None
        found = {}
        width, rows = len(self._header), len(lines)
        for column in self._columns:
            if column.cells == tuple(range(width)):
                picked = cells
            elif len(column.cells) == 1:
                picked = cells[column.cells[0] :: width]
            else:
                picked = [cells[place + cell] for place in range(0, len(cells), width) for cell in column.cells]
            try:
                numbers = np.fromiter(map(float, picked), np.float64, len(picked))
            except ValueError:
                return None
            if np.isinf(numbers).any():
                return None
            found[column.name] = as_default(numbers.reshape((rows, *column.shape)), self._dtype)
        return found

    def _cells(self, lines: list[str]) -> list[str] | None:
        """The cells of all lines in a row; None where a line has more or fewer than the header."""
        width, separator = len(self._header), self._separator
        if separator is None:
            rows = [line.split() for line in lines]
            return [cell for row in rows for cell in row] if all(len(row) == width for row in rows) else None
        if any(line.count(separator) != width - 1 for line in lines):
            return None
        return separator.join(lines).split(separator)

    def _chunk_slowly(self, lines: Sequence[str | bytes], size: int) -> Chunk:
        """Line by line, so that one at fault is found."""
        good: dict[str, list[Array]] = {column.name: [] for column in self._columns}
        places: list[int] = []
        faults: dict[int, GradcliError] = {}
        place = 0
        for line in lines:
            text = line if isinstance(line, str) else line.decode("utf-8", "replace").rstrip("\r")
            if is_skipped(text):
                continue
            try:
                if isinstance(line, bytes):
                    decode(line, "this line")
                row = self._row(text)
            except GradcliError as error:
                faults[place] = error
            else:
                places.append(place)
                for name, value in row.items():
                    good[name].append(value)
            place += 1
        groups = [Group(np.array(places), {name: np.stack(parts) for name, parts in good.items()})] if places else []
        return Chunk(size, groups, faults)

    def _row(self, line: str) -> dict[str, Array]:
        cells = cells_of(line, self._separator)
        if len(cells) != len(self._header):
            amount = f"{len(cells)} cell" + ("s" if len(cells) != 1 else "")
            raise GradcliError(f"{amount}, expected {len(self._header)}")
        return {column.name: self._value(column, cells) for column in self._columns}

    def _value(self, column: _Column, cells: list[str]) -> Array:
        numbers = []
        for index in column.cells:
            cell = cells[index]
            where = f"column {quoted(self._header[index])}"
            try:
                number = number_of(cell)
            except ValueError:
                raise _no_number(cell, where) from None
            if math.isinf(number) and any(map(str.isdigit, cell)):
                raise GradcliError(f"{where}: {quoted(cell)} is beyond what a float64 holds (1.8e308)")
            numbers.append(number)
        return as_default(np.array(numbers).reshape(column.shape), self._dtype)


def _no_number(cell: str, where: str) -> GradcliError:
    error = no_number(cell, where)
    if error.mend is None and cell.startswith("["):
        error.mend = "a vector x has the columns x.0, x.1, ..., or use NDJSON"
    return error


def _count(data: bytes) -> int:
    """How many rows there are in some lines."""
    body = data.removesuffix(b"\n")
    if _PASSED_OVER.search(body) is None:
        return body.count(b"\n") + 1
    return sum(not is_skipped(line.decode("utf-8", "replace")) for line in body.split(b"\n"))


def _columns(header: Sequence[str], wanted: Wanted, name: str) -> list[_Column]:
    """The inputs that a header names.

    Raises:
        GradcliError: one is named twice, or elements of one are missing.
    """
    found: dict[str, dict[tuple[int, ...], int]] = {}
    for cell, title in enumerate(header):
        base, index = _indexed(title)
        if not wanted(base):
            continue
        elements = found.setdefault(base, {})
        if index in elements:
            raise GradcliError(f"{name} has two columns named {quoted(title)}")
        elements[index] = cell
    return [_column(base, elements, name) for base, elements in found.items()]


def _indexed(title: str) -> tuple[str, tuple[int, ...]]:
    """`A.0.2` as the name and the index."""
    base, *parts = title.split(".")
    if all(part.isdecimal() and part.isascii() and len(part) < 9 for part in parts):
        return base, tuple(map(int, parts))
    return title, ()


def _column(base: str, elements: dict[tuple[int, ...], int], name: str) -> _Column:
    ranks = {len(index) for index in elements}
    if len(ranks) > 1:
        titles = [".".join([base, *map(str, index)]) for index in elements]
        raise GradcliError(f"{name}: the columns {listed(titles)} do not make one array")
    rank = ranks.pop()
    shape = tuple(max(index[axis] for index in elements) + 1 for axis in range(rank))
    if math.prod(shape) != len(elements):
        lacking = next(index for index in np.ndindex(*shape) if index not in elements)
        title = ".".join([base, *map(str, lacking)])
        raise GradcliError(f"{name} has no column {quoted(title)}, expected all elements of {quoted(base)}")
    return _Column(base, shape, tuple(elements[index] for index in np.ndindex(*shape)))
