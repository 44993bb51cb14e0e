"""Which reader a file of rows needs: told by its suffix, or by how it begins."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import BinaryIO

from gradcli.files.names import quoted
from gradcli.files.rows.blocks import RowReader, Wanted
from gradcli.files.sources import NPY_MAGIC, NPZ_MAGIC, StandardInput, first_bytes, is_pipe, open_source
from gradcli.graph.errors import GradcliError

#: The kind of rows that a suffix stands for.
KINDS = {
    ".csv": "table",
    ".tsv": "table",
    ".txt": "table",
    ".dat": "table",
    ".ndjson": "objects",
    ".jsonl": "objects",
    ".json": "objects",
    ".npz": "npz",
    ".npy": "npy",
}


def open_rows(
    file: str, *, wanted: Wanted, only: Callable[[], str], dtype: str | None, stdin: StandardInput
) -> RowReader:
    """A reader of the rows of `file`.

    Args:
        file: a path, or `-` for NDJSON on standard input.
        wanted: which names the program reads.
        only: the name of what an .npy holds; raises GradcliError if there is not one that it can be.
        dtype: what the numbers of a text become; float64 by itself. Arrays keep their dtype.
        stdin: who has read standard input so far.

    Raises:
        GradcliError: it can't be read, or its head is at fault.
    """
    if file == "-":
        return _opened(stdin.stream("--each -"), "standard input", "objects", wanted, only, dtype)
    stream = open_source(file)
    try:
        return _opened(stream, file, _kind(stream, file), wanted, only, dtype)
    except BaseException:
        stream.close()
        raise


def _opened(
    stream: BinaryIO, name: str, kind: str, wanted: Wanted, only: Callable[[], str], dtype: str | None
) -> RowReader:
    if kind == "objects":
        from gradcli.files.rows.objects import ObjectRows

        return ObjectRows(stream, name, wanted, dtype)
    if kind == "table":
        from gradcli.files.rows.tables import TableRows

        return TableRows(stream, name, wanted, dtype)
    from gradcli.files.rows.arrays import ArrayRows

    return ArrayRows(stream, name, wanted, only() if kind == "npy" else None)


def _kind(stream: BinaryIO, file: str) -> str:
    suffix = os.path.splitext(file)[1].lower()
    if suffix in KINDS:
        return KINDS[suffix]
    if suffix and not is_pipe(stream):
        raise GradcliError(f"cannot tell what rows {quoted(file, 160)} holds, expected one of {' '.join(KINDS)}")
    return _kind_by(first_bytes(stream, file))


def _kind_by(head: bytes) -> str:
    if head.startswith(NPY_MAGIC):
        return "npy"
    if head.startswith(NPZ_MAGIC):
        return "npz"
    return "objects" if head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{" else "table"
