"""What a reader of rows gives, in two steps: cutting a block out of a file is cheap and comes first, in one process;
making numbers of it is work, which several processes may share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from gradcli.files.names import shown
from gradcli.graph.errors import GradcliError
from gradcli.graph.values import Array

#: Whether the program reads a name.
Wanted = Callable[[str], bool]


class Block(NamedTuple):
    """Some rows as they lie in the file.

    Attributes:
        first_row: the number of its first row, counted from 1.
        first_line: the number of its first line, counted from 1; 0 where there are no lines.
        size: how many rows it holds.
        content: bytes of whole lines, or arrays by name.
    """

    first_row: int
    first_line: int
    size: int
    content: bytes | dict[str, Array]

    @property
    def nbytes(self) -> int:
        """How many bytes the rows take in the file."""
        content = self.content
        return len(content) if isinstance(content, bytes) else sum(array.nbytes for array in content.values())


class Group(NamedTuple):
    """Rows of one chunk whose values are alike: the same names, shapes and dtypes.

    Attributes:
        places: where in the chunk they stand, counted from 0, rising.
        columns: their values by name, rows in front.
    """

    places: Array
    columns: dict[str, Array]


class Chunk(NamedTuple):
    """The values of a block's rows.

    Attributes:
        size: how many rows there are.
        groups: the rows that could be read.
        faults: the others by their places in the chunk, each with what is wrong.
    """

    size: int
    groups: list[Group]
    faults: dict[int, GradcliError]


class RowReader(ABC):
    """Reads rows from one file.

    Attributes:
        name: the file, for messages.
        names: the names that every row has, or None where each row has its own.
        total: how many rows there are, or None where only the end will tell.
    """

    name: str
    names: tuple[str, ...] | None = None
    total: int | None = None

    def __init__(self, stream: BinaryIO, name: str) -> None:
        self.name = shown(name)
        self._stream = stream

    def close(self) -> None:
        """Let go of the file."""
        self._stream.close()

    @abstractmethod
    def take(self, nbytes: int) -> Block | None:
        """The next rows, about so many bytes of them and at least one; None at the end.

        From a pipe it takes what has come, so that a slow writer is answered row by row.

        Raises:
            GradcliError: the file can't be read.
        """

    @abstractmethod
    def chunk(self, block: Block) -> Chunk:
        """The values of a block's rows; rows that can't be read are its faults."""

    def where(self, block: Block, place: int) -> str:
        """Which row stands at a place of a block, in words."""
        return f"row {block.first_row + place:,} of {self.name}"

    def waits(self) -> bool:
        """Whether `take` would have to wait for the writer of a pipe."""
        return False


def grouped(rows: Mapping[int, Mapping[str, Array]]) -> list[Group]:
    """Rows by their places, put together where they are alike."""
    alike: dict[tuple[Any, ...], list[int]] = {}
    for place, row in rows.items():
        key = tuple((name, value.shape, value.dtype) for name, value in sorted(row.items()))
        alike.setdefault(key, []).append(place)
    return [
        Group(np.array(places), {name: np.stack([rows[place][name] for place in places]) for name in rows[places[0]]})
        for places in alike.values()
    ]
