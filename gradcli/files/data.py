"""`--data FILE`: many inputs at once, from an `.npz`, a JSON object or a table with a header."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np

from gradcli.files.names import shown
from gradcli.files.sources import NPY_MAGIC, NPZ_MAGIC, StandardInput, is_pipe, open_source, read_all
from gradcli.files.values import as_default, kind_of, sniffed
from gradcli.graph.errors import GradcliError

#: What binds names to values.
EXPECTED = "expected an .npz, a JSON object or a table with a header row"


def _anything(name: str) -> bool:
    return True


def read_data(
    file: str, *, stdin: StandardInput, dtype: str | None = None, wanted: Callable[[str], bool] = _anything
) -> dict[str, np.ndarray]:
    """The arrays of a file by name (NFKC-normalised).

    Args:
        file: a path, or `-` for standard input.
        stdin: who has read standard input so far.
        dtype: what floats of JSON and tables become; float64 by itself. `.npz` keeps its dtypes.
        wanted: tells which names the program reads; the rest of the file may hold anything.

    Raises:
        GradcliError: the file or a wanted entry is at fault; the message says which and where.
    """
    if file == "-":
        return _parse(stdin.read("--data -"), "standard input", None, dtype, wanted)
    with open_source(file) as stream:
        kind = kind_of(file, stream)
        if kind == "npz" and not is_pipe(stream):
            from gradcli.files.numpy_files import read_npz_all

            return read_npz_all(stream, file, wanted)
        return _parse(read_all(stream, file), file, kind, dtype, wanted)


def _parse(
    data: bytes, name: str, kind: str | None, dtype: str | None, wanted: Callable[[str], bool]
) -> dict[str, np.ndarray]:
    if kind == "npy" or data.startswith(NPY_MAGIC):
        raise GradcliError(f"{shown(name)} is an .npy, which has no names; {EXPECTED}")
    if kind == "npz" or data.startswith(NPZ_MAGIC):
        from gradcli.files.numpy_files import read_npz_all

        return read_npz_all(io.BytesIO(data), name, wanted)
    if (kind or sniffed(data)) == "json":
        from gradcli.files.json_files import read_json_all

        found = read_json_all(data, name, wanted)
    else:
        from gradcli.files.tables import read_table

        found = read_table(data, name).columns(wanted)
    return {key: as_default(array, dtype) for key, array in found.items()}
