"""`--data`: many names from one file."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest

from gradcli.files.data import read_data
from gradcli.files.sources import StandardInput
from gradcli.graph.errors import GradcliError


def lists(file: str, stdin: bytes = b"", dtype: str | None = None) -> dict[str, object]:
    found = read_data(file, stdin=StandardInput(io.BytesIO(stdin)), dtype=dtype)
    return {name: array.tolist() for name, array in found.items()}


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_json_table_and_npz_alike(here: Path) -> None:
    (here / "a.json").write_text('{"x": [1, 2], "y": [3, 4]}')
    (here / "a.csv").write_text("x,y\n1,3\n2,4\n")
    (here / "a.dat").write_text("Some words.\n\nData:  x  y\n 1 3\n 2 4\n")
    np.savez("a.npz", x=np.array([1.0, 2.0]), y=np.array([3.0, 4.0]))
    expected = {"x": [1.0, 2.0], "y": [3.0, 4.0]}
    for name in ("a.json", "a.csv", "a.dat", "a.npz"):
        assert lists(name) == expected
        assert lists("-", stdin=(here / name).read_bytes()) == expected


def test_dtype(here: Path) -> None:
    (here / "a.csv").write_text("x,y\n1,3\n2,4\n")
    found = read_data("a.csv", stdin=StandardInput(), dtype="float32")
    assert {array.dtype.name for array in found.values()} == {"float32"}


def test_files_without_names(here: Path) -> None:
    np.save("a.npy", np.zeros(2))
    (here / "a.csv").write_text("1,2\n")
    with pytest.raises(GradcliError, match=r"^a\.npy is an \.npy, which has no names; expected an \.npz, a JSON"):
        lists("a.npy")
    with pytest.raises(GradcliError, match=r"^a\.csv has no header row, expected names above the numbers$"):
        lists("a.csv")


def test_duplicate_column(here: Path) -> None:
    (here / "a.csv").write_text("x,x\n1,2\n")
    with pytest.raises(GradcliError, match=r"^a\.csv has two columns named 'x'"):
        lists("a.csv")
