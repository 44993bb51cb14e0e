"""Rows of arrays: the leading axis of every array of an .npz, or of an .npy, which is the one input that has no value.

The arrays are read from front to back, so that they need not fit in memory; one in Fortran order, or one that comes
from a pipe, has to.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Callable
from typing import IO, BinaryIO, TypeVar

import numpy as np

from gradcli.files.names import shown
from gradcli.files.numpy_files import WIDENED, read_header
from gradcli.files.rows.blocks import Block, Chunk, Group, RowReader, Wanted
from gradcli.files.sources import is_pipe, read_all
from gradcli.graph.budget import budget
from gradcli.graph.errors import GradcliError
from gradcli.graph.values import Array
from gradcli.language.source import normalised

T = TypeVar("T")


class _Column:
    """One array, read a few rows at a time."""

    def __init__(self, stream: IO[bytes], name: str) -> None:
        shape, fortran, dtype = read_header(stream, name)
        if not shape:
            raise GradcliError(f"{shown(name)} is one number, expected an axis of rows")
        self.rows = shape[0]
        self._name = name
        self._shape = shape[1:]
        self._dtype = dtype
        self._stream: IO[bytes] = stream
        self._next = 0
        self._whole: Array | None = None
        self.row_bytes = max(1, math.prod(self._shape) * dtype.itemsize)
        if fortran and len(shape) > 1:
            budget.charge(self.rows * self.row_bytes, f"the array in {shown(name)}")
            self._whole = self._numbers(self.rows).reshape(shape[::-1]).transpose()

    def read(self, rows: int) -> Array:
        """The next rows.

        Raises:
            GradcliError: the file ends before its header says.
        """
        start = self._next
        self._next += rows
        if self._whole is not None:
            return np.ascontiguousarray(self._whole[start : start + rows])
        return self._numbers(rows).reshape((rows, *self._shape))

    def _numbers(self, rows: int) -> Array:
        """The numbers of the next rows, in the machine's byte order."""
        wanted = rows * math.prod(self._shape) * self._dtype.itemsize
        data = bytearray()
        while len(data) < wanted:
            piece = self._stream.read(wanted - len(data))
            if not piece:
                raise GradcliError(f"{shown(self._name)} is truncated: it ends before its {self.rows:,} rows do")
            data += piece
        array = np.frombuffer(data, self._dtype)
        native = array.astype(self._dtype.newbyteorder("="), copy=False)
        return native.astype(WIDENED.get(native.dtype.name, native.dtype), copy=False)


class ArrayRows(RowReader):
    """Reads the arrays of an .npz, or the one of an .npy, whose name is then given.

    Raises:
        GradcliError: the file is damaged, or its arrays differ in length.
    """

    def __init__(self, stream: BinaryIO, name: str, wanted: Wanted, only: str | None) -> None:
        super().__init__(stream, name)
        seekable = io.BytesIO(read_all(stream, name)) if is_pipe(stream) else stream
        self._columns = {only: _Column(seekable, name)} if only is not None else _members(seekable, name, wanted)
        self.names = tuple(self._columns)
        self.total = _common_length({key: column.rows for key, column in self._columns.items()}, self.name)
        self._row_bytes = sum(column.row_bytes for column in self._columns.values())
        self._next = 0

    def take(self, nbytes: int) -> Block | None:
        """The next rows; see `RowReader.take`."""
        rows = min(self.total - self._next, max(1, nbytes // max(1, self._row_bytes))) if self.total else 0
        if rows <= 0:
            return None
        first = self._next + 1
        self._next += rows
        return Block(first, 0, rows, self._read(rows))

    def _read(self, rows: int) -> dict[str, Array]:
        return _guarded(lambda: {key: column.read(rows) for key, column in self._columns.items()}, self.name)

    def chunk(self, block: Block) -> Chunk:
        """The values of a block's rows."""
        assert isinstance(block.content, dict)
        return Chunk(block.size, [Group(np.arange(block.size), block.content)], {})


def _common_length(rows: dict[str, int], name: str) -> int:
    """How many rows all arrays have.

    Raises:
        GradcliError: two differ.
    """
    first = next(iter(rows), "")
    for key, count in rows.items():
        if count != rows[first]:
            raise GradcliError(
                f"{name}: {shown(first)} has {rows[first]:,} rows, and {shown(key)} has {count:,}",
                mend="what is the same for all rows is given by NAME=VALUE",
            )
    return rows.get(first, 0)


def _members(stream: BinaryIO, name: str, wanted: Wanted) -> dict[str, _Column]:
    def opened() -> dict[str, _Column]:
        found: dict[str, _Column] = {}
        archive = zipfile.ZipFile(stream)
        for info in archive.infolist():
            key = normalised(info.filename.removesuffix(".npy"))
            if not info.filename.endswith(".npy") or not wanted(key):
                continue
            if key in found:
                raise GradcliError(f"{shown(name)} holds {shown(key)} twice")
            found[key] = _Column(archive.open(info), f"{name}:{key}")
        return found

    return _guarded(opened, shown(name))


def _guarded(read: Callable[[], T], name: str) -> T:
    import zlib

    try:
        return read()
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError) as error:
        raise GradcliError(f"{name} is no intact file of arrays: {shown(str(error))}") from None
