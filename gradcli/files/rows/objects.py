"""NDJSON: a row is a line with an object, inputs by name: `{"x": 1.5, "w": [1, 2]}`. Other keys may hold anything."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import islice
from typing import Any, BinaryIO, NoReturn

import numpy as np

from gradcli.files.json_files import read_json_all
from gradcli.files.rows.blocks import Block, Chunk, Group, RowReader, Wanted, grouped
from gradcli.files.rows.lines import Lines
from gradcli.files.values import as_default
from gradcli.graph.errors import GradcliError
from gradcli.graph.values import Array
from gradcli.language.source import normalised

#: What only the slow way reads rightly: bools, which NumPy would make numbers of, and escapes.
_UNUSUAL = ("true", "false", "\\")


class ObjectRows(RowReader):
    """Reads NDJSON.

    Args:
        stream: the file.
        name: what it is called.
        wanted: which names the program reads.
        dtype: what the numbers become; float64 by itself.
    """

    def __init__(self, stream: BinaryIO, name: str, wanted: Wanted, dtype: str | None) -> None:
        super().__init__(stream, name)
        self._lines = Lines(stream, name)
        self._wanted = wanted
        self._dtype = dtype
        self._next_row = 1

    def take(self, nbytes: int) -> Block | None:
        """The next lines; see `RowReader.take`."""
        while True:
            line = self._lines.next_line
            data = self._lines.take(nbytes)
            if not data:
                return None
            if line == 1:
                data = data.removeprefix(b"\xef\xbb\xbf")
            size = len(_rows(data))
            if size:
                self._next_row += size
                return Block(self._next_row - size, line, size, data)

    def waits(self) -> bool:
        """See `RowReader.waits`."""
        return self._lines.waits()

    def where(self, block: Block, place: int) -> str:
        """Row, and line where empty lines make that another number."""
        assert isinstance(block.content, bytes)
        full = (number for number, line in enumerate(block.content.split(b"\n")) if line.strip())
        line = block.first_line + next(islice(full, place, None))
        found = super().where(block, place)
        return found if line == block.first_row + place else f"{found} (line {line:,})"

    def chunk(self, block: Block) -> Chunk:
        """The values of a block's rows."""
        assert isinstance(block.content, bytes)
        lines = _rows(block.content)
        try:
            values = self._together(lines)
        except GradcliError:
            values = None
        if values is not None:
            return Chunk(block.size, [Group(np.arange(block.size), values)], {})
        rows: dict[int, dict[str, Array]] = {}
        faults: dict[int, GradcliError] = {}
        for place, line in enumerate(lines):
            try:
                rows[place] = self._row(line)
            except GradcliError as error:
                faults[place] = error
        return Chunk(block.size, grouped(rows), faults)

    def _row(self, line: bytes) -> dict[str, Array]:
        """The values of one row, strictly.

        Raises:
            GradcliError: it is no object, or a wanted key holds no numbers.
        """
        try:
            found = read_json_all(line, "it", self._wanted)
        except GradcliError as error:
            for start in ("it, line 1,", "it, line 1:", "it:"):
                error.message = error.message.removeprefix(start).lstrip()
            if not (line.startswith(b"{") and line.endswith(b"}")):
                error.mend = error.mend or "NDJSON has one whole object on each line"
            raise
        return {name: as_default(array, self._dtype) for name, array in found.items()}

    def _together(self, lines: Sequence[bytes]) -> dict[str, Array] | None:
        """The values of rows that are all alike, read at once; None where that can't be told to be right."""
        try:
            text = b",".join(lines).decode()
            objects = _parsed(f"[{text}]") if _is_flat(text, lines) else None
        except ValueError:
            return None
        # As many colons as keys: none stands twice in an object, and no text has one.
        if objects is None or text.count(":") != sum(map(len, objects)):
            return None
        keys = objects[0].keys()
        if any(row.keys() != keys for row in objects):
            return None
        wanted = {normalised(key): key for key in keys if self._wanted(normalised(key))}
        if len(wanted) < len([key for key in keys if self._wanted(normalised(key))]):
            return None
        found = {}
        for name, key in wanted.items():
            values = _stacked([row[key] for row in objects])
            if values is None:
                return None
            found[name] = as_default(values, self._dtype)
        return found


def _rows(data: bytes) -> list[bytes]:
    """The lines that hold something, without their ends."""
    lines = [line.strip() for line in data.split(b"\n")]
    return [line for line in lines if line]


def _is_flat(text: str, lines: Sequence[bytes]) -> bool:
    """Whether each line is one object with no other inside, and nothing in the text is unusual."""
    return (
        all(line.startswith(b"{") and line.endswith(b"}") for line in lines)
        and text.count("{") == len(lines) == text.count("}")
        and not any(word in text for word in _UNUSUAL)
    )


def _no_constant(word: str) -> NoReturn:
    raise ValueError(word)


_parsed = json.JSONDecoder(parse_int=float, parse_constant=_no_constant).decode


def _stacked(values: list[Any]) -> Array | None:
    """Numbers, or lists of them of one shape, as an array; None for anything else."""
    kinds = set(map(type, values))
    if kinds != {float} and kinds != {list}:
        return None
    try:
        found = np.array(values)
    except ValueError:
        return None
    # A number that is beyond a float64 is found, and named, by the slow way.
    return found if found.dtype == np.float64 and not np.isinf(found).any() else None
