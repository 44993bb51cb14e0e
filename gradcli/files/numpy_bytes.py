"""Answers as `.npy` and `.npz`; the same answer gives the same bytes."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import BinaryIO

import numpy as np

from gradcli.files.answers import Results, expect_numbers
from gradcli.files.names import listed
from gradcli.graph.errors import GradcliError


def npy_bytes(results: Results) -> bytes:
    """The one result as an `.npy` file.

    Raises:
        GradcliError: there are several, or it is no array of numbers.
    """
    if len(results) != 1:
        names = listed(",".join(label) for label, _ in results)
        raise GradcliError(f"npy holds one array, and the answer has {len(results)} ({names}); use npz")
    ((label, value),) = results
    return _npy(expect_numbers(label, value, "npy"))


def npz_bytes(results: Results) -> bytes:
    """Every result as an array of an `.npz` file, under its name (`x`; `x,y` for a block of a Hessian)."""
    buffer = io.BytesIO()
    archive(buffer, {",".join(label): expect_numbers(label, value, "npz") for label, value in results})
    return buffer.getvalue()


def archive(stream: BinaryIO, members: Mapping[str, np.ndarray]) -> None:
    """Write arrays under their names, as an `.npz` file."""
    import zipfile

    with zipfile.ZipFile(stream, "w") as opened:
        for name, array in members.items():
            # A fixed date keeps the bytes the same from run to run.
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            opened.writestr(entry, _npy(array))


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, allow_pickle=False)
    return buffer.getvalue()
