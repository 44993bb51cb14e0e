"""Reading tables of numbers: `.csv`, `.txt` and `.dat`.

A table is a run of lines with the same number of numbers on each, separated by commas, semicolons, tabs or
blanks. Empty lines and lines that begin with `#` or `%` are passed over, and so is prose above the first line
of numbers; below it nothing but numbers may come. The line right above the numbers, if it has as many words
as there are columns, names them; a comment there does too (`# x y`).
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from gradcli.files.names import listed, quoted, shown
from gradcli.files.sources import decode
from gradcli.graph.budget import budget
from gradcli.graph.errors import GradcliError
from gradcli.language.diagnostics import did_you_mean
from gradcli.language.source import normalised

Row = tuple[int, list[str]]


class Table(NamedTuple):
    """A table found in a text.

    Attributes:
        name: the file, for messages.
        header: the names of the columns, or None.
        width: how many columns there are.
        rows: a function that gives line numbers and cells, from the first row of data on.
    """

    name: str
    header: tuple[str, ...] | None
    width: int
    rows: Callable[[], Iterator[Row]]

    def whole(self) -> np.ndarray:
        """All numbers, rows by columns.

        A single column is a vector, and so is a single row without a header; a lone number is a scalar.
        """
        numbers = self._numbers(range(self.width))
        table = numbers.reshape(-1, self.width)
        if self.width == 1 or (len(table) == 1 and self.header is None):
            flat = table.reshape(-1)
            return flat.reshape(()) if flat.size == 1 and self.header is None else flat
        return table

    def column(self, key: str) -> np.ndarray:
        """One column by its name, or by its 0-based number."""
        return self._numbers([self._index(key)])

    def columns(self, wanted: Callable[[str], bool]) -> dict[str, np.ndarray]:
        """The wanted columns by name; the others may hold anything.

        Raises:
            GradcliError: there is no header row.
        """
        if self.header is None:
            raise GradcliError(f"{shown(self.name)} has no header row, expected names above the numbers")
        chosen = [name for name in dict.fromkeys(self.header) if name and wanted(name)]
        indices = [self._index(name) for name in chosen]
        table = self._numbers(indices).reshape(-1, max(1, len(indices)))
        return {name: np.ascontiguousarray(table[:, place]) for place, name in enumerate(chosen)}

    def _index(self, key: str) -> int:
        header = self.header or ()
        name = normalised(key)
        places = [place for place, column in enumerate(header) if column == name]
        if len(places) > 1:
            twice = f"{shown(self.name)} has two columns named {quoted(name)}"
            raise GradcliError(f"{twice}; choose by number: {places[0]} or {places[1]}")
        if places:
            return places[0]
        if name.isdecimal() and name.isascii() and int(name[:9]) < self.width:
            return int(name)
        known = f"its columns are {listed(header)}" if header else f"its columns are 0 to {self.width - 1}"
        mend = did_you_mean(name, list(header))
        raise GradcliError(f"{shown(self.name)} has no column {quoted(key)}; {known}", mend=mend)

    def _numbers(self, indices: Sequence[int]) -> np.ndarray:
        """The numbers of some columns, row by row, as one flat vector."""
        every = len(indices) == self.width
        numbers = array("d")
        for line, cells in self.rows():
            if len(cells) != self.width:
                amount = _amount(len(cells), "cell")
                raise GradcliError(f"{shown(self.name)}, line {line}: {amount}, expected {self.width}")
            try:
                numbers.extend(map(number_of, cells if every else [cells[index] for index in indices]))
            except ValueError:
                self._fault(line, cells, indices)
        found = np.frombuffer(numbers, dtype=np.float64) if numbers else np.empty(0)
        if np.isinf(found).any():
            self._expect_finite(indices)
        return found

    def _fault(self, line: int, cells: list[str], indices: Sequence[int]) -> None:
        for index in indices:
            cell = cells[index].strip()
            if is_number(cell):
                continue
            title = self.header[index] if self.header else ""
            place = f"column {quoted(title)}" if title else f"column {index}"
            raise no_number(cell, f"{shown(self.name)}, line {line}, {place}")

    def _expect_finite(self, indices: Sequence[int]) -> None:
        """Find the number, if any, that became infinite by being read."""
        for line, cells in self.rows():
            for index in indices:
                cell = cells[index].strip()
                if math.isinf(float(cell)) and any(map(str.isdigit, cell)):
                    where = f"{shown(self.name)}, line {line}, column {index}"
                    raise GradcliError(f"{where}: {quoted(cell)} is beyond what a float64 holds (1.8e308)")


def read_table(data: bytes, name: str) -> Table:
    """The table in a text.

    Raises:
        GradcliError: not UTF-8, empty, or without a line of numbers.
    """
    text = decode(data, name)
    budget.charge(2 * len(data) + 60 * data.count(b"\n"), f"the table of {shown(name)}")
    lines = text.split("\n")
    content = [number for number, line in enumerate(lines) if not is_skipped(line)]
    if not content:
        raise GradcliError(f"{shown(name)} is empty, expected a table of numbers")
    return _spreadsheet(lines, content, name) or _below_prose(lines, content, name)


def _spreadsheet(lines: list[str], content: list[int], name: str) -> Table | None:
    """A table whose first line is the header, and whose columns may hold text.

    It is told from prose by this: from the first line to the first that has a number, all have as many cells.
    """
    separator = separator_of(lines[content[0]])
    header = cells_of(lines[content[0]], separator)
    if separator is None or any(map(is_number, header)):
        return None
    for number in content[1:]:
        cells = cells_of(lines[number], separator)
        if len(cells) != len(header):
            return None
        if any(map(is_number, cells)):
            rows = _reader(lines, content[1], separator)
            return Table(name, tuple(map(normalised, header)), len(header), rows)
    return None


def _below_prose(lines: list[str], content: list[int], name: str) -> Table:
    """A table that begins at the first line of nothing but numbers."""
    for place, number in enumerate(content):
        separator = separator_of(lines[number])
        cells = cells_of(lines[number], separator)
        if not cells or not all(map(is_number, cells)):
            continue
        above = content[place - 1] if place else None
        header = _header(lines, number, above, len(cells), name)
        return Table(name, header, len(cells), _reader(lines, number, separator))
    line = content[0]
    found = f"line {line + 1} is {quoted(lines[line].strip())}"
    raise GradcliError(f"{shown(name)} has no line of numbers, expected a table of them; {found}")


def _header(lines: list[str], start: int, above: int | None, width: int, name: str) -> tuple[str, ...] | None:
    """Names of the columns from the line, or the comment, right above the numbers."""
    comment = start - 1
    while comment >= 0 and not lines[comment].strip():
        comment -= 1
    if comment >= 0 and is_skipped(lines[comment]):
        names = _words(lines[comment].strip().lstrip("#% "))
        return tuple(names) if len(names) == width and not any(map(is_number, names)) else None
    if above is None:
        return None
    names = _words(lines[above])
    if len(names) == width + 1 and names[0].endswith(":"):
        names = names[1:]
    if len(names) != width:
        return None
    numbers = [word for word in names if is_number(word)]
    if numbers and names[0]:
        wrong = next(word for word in names if not is_number(word))
        raise GradcliError(
            f"{shown(name)}, line {above + 1}: expected {_amount(width, 'number')} or names of columns,"
            f" found {quoted(wrong)} among numbers"
        )
    return tuple(names)


def _words(line: str) -> list[str]:
    return [normalised(cell) for cell in cells_of(line, separator_of(line))]


def _reader(lines: list[str], start: int, separator: str | None) -> Callable[[], Iterator[Row]]:
    def rows() -> Iterator[Row]:
        for number in range(start, len(lines)):
            line = lines[number]
            if not is_skipped(line):
                yield number + 1, cells_of(line, separator)

    return rows


def is_skipped(line: str) -> bool:
    """Whether a line is empty or a comment."""
    stripped = line.lstrip()
    return not stripped or stripped[0] in "#%"


def separator_of(line: str) -> str | None:
    """What separates the cells of a line; None is any run of blanks."""
    for mark in ";,":
        if mark in line:
            return mark
    if "\t" in line.strip():
        # Between numbers a tab is a blank like any other; between words blanks may belong to a name.
        return None if all(map(is_number, line.split())) else "\t"
    return None


def cells_of(line: str, separator: str | None) -> list[str]:
    """The cells of a line, without the blanks around them; what follows `#` is a comment."""
    if '"' in line:
        return _quoted_cells(line, separator)
    if "#" in line:
        line = line[: line.index("#")]
    cells = line.split(separator)
    return cells if separator is None else [cell.strip() for cell in cells]


def _quoted_cells(line: str, separator: str | None) -> list[str]:
    import csv

    try:
        (cells,) = csv.reader([line], delimiter=separator or " ", skipinitialspace=True)
    except (csv.Error, ValueError):
        return line.split(separator)
    return [cell.strip() for cell in cells if cell or separator]


def number_of(cell: str) -> float:
    """A cell's number; unlike `float` it takes no underscores and no digits but 0 to 9.

    Raises:
        ValueError: it is none.
    """
    if "_" in cell or not cell.isascii():
        raise ValueError(cell)
    return float(cell)


def is_number(cell: str) -> bool:
    """Whether a cell is one."""
    try:
        number_of(cell)
    except ValueError:
        return False
    return True


def no_number(cell: str, where: str) -> GradcliError:
    """The error of a cell that holds no number, at `where`."""
    found = f"found {quoted(cell)}" if cell else "the cell is empty (a missing number is written nan)"
    decimal_comma = is_number(cell.replace(",", "."))
    mend = "write decimals with a point: 1.5" if decimal_comma and "," in cell else None
    return GradcliError(f"{where}: expected a number, {found}", mend=mend)


def _amount(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"

