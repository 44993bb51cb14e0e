"""Answers as `.npy` and `.npz`; the same answer gives the same bytes."""

from __future__ import annotations

import io

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
    import zipfile

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for label, value in results:
            # A fixed date keeps the bytes the same from run to run.
            entry = zipfile.ZipInfo(f"{','.join(label)}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, _npy(expect_numbers(label, value, "npz")))
    return buffer.getvalue()


def _npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, array, allow_pickle=False)
    return buffer.getvalue()
