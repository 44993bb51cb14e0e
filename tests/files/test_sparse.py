"""Sparse matrices out: every form, to the character, and as SciPy reads it."""

from __future__ import annotations

import io

import numpy as np
import pytest
import scipy.io
import scipy.sparse as sp

from gradcli.files.json_text import json_line
from gradcli.files.sparse import Triplets, matrix_market, scipy_npz, triplet_lines

VALUES = np.array([0.1, -2.5, np.inf, 5e-324])
SOME = Triplets(np.array([0, 0, 2, 3]), np.array([1, 4, 0, 4]), VALUES, (4, 5))
EMPTY = Triplets(*(np.zeros(0, dtype) for dtype in (int, int, float)), (2, 0))


def text(pieces) -> str:
    return b"".join(pieces).decode()


def random(n: int, seed: int = 0) -> sp.csr_array:
    return sp.random_array((n, n + 3), density=0.2, rng=np.random.default_rng(seed)).tocsr()


def of(matrix: sp.csr_array, symmetric: bool = False) -> Triplets:
    held = matrix.tocoo()
    order = np.lexsort((held.col, held.row))
    return Triplets(held.row[order], held.col[order], held.data[order], matrix.shape, symmetric)


def test_lines():
    assert text(triplet_lines([(("x",), SOME)])) == "0 1 0.1\n0 4 -2.5\n2 0 inf\n3 4 5e-324\n"
    assert text(triplet_lines([(("x",), EMPTY), (("x", "y"), SOME._replace(values=VALUES * np.nan))])) == (
        "# x\n# x y\n0 1 nan\n0 4 nan\n2 0 nan\n3 4 nan\n"
    )


def test_float32_has_its_own_digits():
    assert text(triplet_lines([(("x",), SOME._replace(values=VALUES.astype(np.float32)))])).startswith("0 1 0.1\n")


def test_more_lines_than_are_made_at_a_time(monkeypatch):
    matrix = of(random(40))
    whole = text(triplet_lines([(("x",), matrix)]))
    monkeypatch.setattr("gradcli.files.sparse.AT_A_TIME", 7)
    assert text(triplet_lines([(("x",), matrix)])) == whole
    read = np.loadtxt(io.StringIO(whole))
    assert (read[:, 2] == matrix.values).all() and (read[:, 0] == matrix.rows).all()


def test_json():
    assert json_line(SOME._replace(values=np.array([1.0, np.nan, 2, 3])).document()) == (
        '{"shape": [4, 5], "row": [0, 0, 2, 3], "column": [1, 4, 0, 4], "value": [1.0, "NaN", 2.0, 3.0]}\n'
    )


@pytest.mark.parametrize("n", [0, 1, 30])
def test_scipy_reads_both_files(n, tmp_path):
    matrix = random(n)
    (tmp_path / "m.npz").write_bytes(b"".join(scipy_npz(of(matrix))))
    found = sp.load_npz(tmp_path / "m.npz")
    assert isinstance(found, sp.csr_array) and (found != matrix).nnz == 0 and found.shape == matrix.shape
    (tmp_path / "m.mtx").write_bytes(b"".join(matrix_market(of(matrix))))
    assert scipy.io.mmread(tmp_path / "m.mtx").toarray().tolist() == matrix.toarray().tolist()


def test_a_symmetric_file_holds_the_lower_triangle(tmp_path):
    square = random(20)[:, :20]
    matrix = sp.csr_array(square + square.T)
    written = text(matrix_market(of(matrix, symmetric=True)))
    assert written.startswith("%%MatrixMarket matrix coordinate real symmetric\n20 20 ")
    assert all(int(line.split()[0]) >= int(line.split()[1]) for line in written.splitlines()[2:])
    (tmp_path / "m.mtx").write_text(written)
    assert scipy.io.mmread(tmp_path / "m.mtx").toarray().tolist() == matrix.toarray().tolist()


def test_the_same_matrix_gives_the_same_bytes():
    assert b"".join(scipy_npz(SOME)) == b"".join(scipy_npz(SOME))
    held = np.load(io.BytesIO(b"".join(scipy_npz(EMPTY))), allow_pickle=False)
    assert held["format"].item() == b"csr" and held["indptr"].tolist() == [0, 0, 0]
