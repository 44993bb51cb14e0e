"""VALUE: what stands right of `NAME=` on the command line, a literal or `@FILE`."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from gradcli.files.names import quoted, shown
from gradcli.files.sources import NPY_MAGIC, NPZ_MAGIC, StandardInput, first_bytes, is_pipe, open_source, read_all
from gradcli.graph.errors import GradcliError

if TYPE_CHECKING:
    from gradcli.language import RunOptions

#: The kind of file that a suffix stands for.
KINDS = {
    ".npy": "npy",
    ".npz": "npz",
    ".json": "json",
    ".csv": "table",
    ".tsv": "table",
    ".txt": "table",
    ".dat": "table",
}


def read_value(text: str, name: str, *, options: RunOptions, stdin: StandardInput) -> Any:
    """The value of `NAME=TEXT`.

    Numbers in JSON and tables are float64, or what `options.dtype` says; `.npy` and `.npz` keep their dtype.

    Args:
        text: an expression without inputs, or `@FILE`, `@FILE:KEY`, `@-`.
        name: the input it is for, for messages.
        options: the run's options; literals are evaluated under its limits and seed.
        stdin: who has read standard input so far.

    Raises:
        GradcliError: the literal or the file is at fault; the message says which and where.
    """
    if text.startswith("@"):
        return read_reference(text[1:], f"{name}={text}", dtype=options.dtype, stdin=stdin)
    from gradcli.language import evaluate_literal

    return evaluate_literal(text, name, options)


def read_reference(
    reference: str, word: str, *, dtype: str | None = None, stdin: StandardInput
) -> np.ndarray:
    """The array that `FILE`, `FILE:KEY` or `-` names; `word` is the argument as it was given."""
    if not reference:
        raise GradcliError(f"{shown(word)} names no file, expected @FILE")
    if reference == "-" or reference.startswith("-:"):
        return as_default(_from_json(stdin.read(word), "standard input", reference[2:] or None), dtype)
    path, key = split_reference(reference)
    with open_source(path) as stream:
        kind = kind_of(path, stream)
        if kind == "npy":
            return _read_npy(_seekable(stream, path), path, key)
        if kind == "npz":
            from gradcli.files.numpy_files import read_npz

            return read_npz(_seekable(stream, path), path, key)
        data = read_all(stream, path)
    return as_default(parse_text(data, path, key, kind), dtype)


def parse_text(data: bytes, path: str, key: str | None, kind: str | None) -> np.ndarray:
    """The array in JSON or a table; without a `kind` the content tells which it is."""
    if (kind or sniffed(data)) == "json":
        return _from_json(data, path, key)
    from gradcli.files.tables import read_table

    table = read_table(data, path)
    return table.whole() if key is None else table.column(key)


def split_reference(reference: str) -> tuple[str, str | None]:
    """`FILE:KEY` as its two parts; a file whose own name has the colon comes first."""
    path, colon, key = reference.rpartition(":")
    if not colon or "://" in reference or os.path.lexists(reference):
        return reference, None
    if os.path.lexists(path) or os.path.splitext(path)[1].lower() in KINDS:
        if not key:
            raise GradcliError(f"{quoted('@' + reference)} ends in a colon, expected a key after it")
        return path, key
    return reference, None


def kind_of(path: str, stream: BinaryIO) -> str | None:
    """`npy`, `npz`, `json` or `table` by the suffix; for a pipe or a name without one by the first bytes.

    None stands for a text whose kind only its content tells.

    Raises:
        GradcliError: the suffix is none of those that gradcli reads.
    """
    suffix = os.path.splitext(path)[1].lower()
    if suffix in KINDS:
        return KINDS[suffix]
    if suffix and not is_pipe(stream):
        raise GradcliError(f"cannot tell what {quoted(path, 160)} holds, expected one of {' '.join(KINDS)}")
    head = first_bytes(stream, path)
    if head.startswith(NPY_MAGIC):
        return "npy"
    return "npz" if head.startswith(NPZ_MAGIC) else None


def sniffed(data: bytes) -> str:
    """Whether a text is `json` or a `table`: only JSON begins with a bracket."""
    start = data.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    return "json" if start in (b"[", b"{") else "table"


def _read_npy(stream: BinaryIO, path: str, key: str | None) -> np.ndarray:
    from gradcli.files.numpy_files import read_npy

    if key is not None:
        raise GradcliError(f"{shown(path)} holds one array without a name, not {quoted(key)}")
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    return read_npy(stream, path, size)


def _from_json(data: bytes, name: str, key: str | None) -> np.ndarray:
    from gradcli.files.json_files import read_json

    return read_json(data, name, key)


def _seekable(stream: BinaryIO, path: str) -> BinaryIO:
    return io.BytesIO(read_all(stream, path)) if is_pipe(stream) else stream


def as_default(array: np.ndarray, dtype: str | None) -> np.ndarray:
    """Floats in the run's own dtype, where it has one; a number beyond that becomes infinite."""
    if dtype is None or array.dtype.kind != "f":
        return array
    with np.errstate(over="ignore"):
        return array.astype(dtype)
