"""Colourings: valid for any pattern, few colours for the patterns people have, and quick."""

from __future__ import annotations

import time

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from gradcli.autodiff.sparse.colouring import coloured_columns, coloured_symmetric
from gradcli.autodiff.sparse.entries import Entries, colour_count, order_by


def entries(matrix) -> Entries:
    held = sp.csr_array(matrix)
    held.sort_indices()
    rows = np.repeat(np.arange(held.shape[0]), np.diff(held.indptr))
    return Entries(rows, held.indices.astype(np.int64), held.shape)


def random_matrix(seed: int) -> sp.csr_array:
    generator = np.random.default_rng(seed)
    shape = generator.integers(1, 40, 2)
    return sp.random_array(shape, density=generator.uniform(0, 0.4), rng=generator).tocsr()


def columns_clash(matrix, colours) -> bool:
    """Whether two columns of one colour share a row, found one pair after the other."""
    dense = matrix.toarray() != 0
    for row in dense:
        held = colours[np.flatnonzero(row)]
        if len(set(held.tolist())) < len(held) or (held < 0).any():
            return True
    return False


def all_readable(matrix, colours) -> bool:
    """Whether every entry (i, j) is the only one of its colour in row i, or its mirror image is in row j."""
    dense = matrix.toarray() != 0
    for i, j in np.argwhere(dense):
        alone_here = (colours[np.flatnonzero(dense[i])] == colours[j]).sum() == 1
        alone_there = (colours[np.flatnonzero(dense[j])] == colours[i]).sum() == 1
        if not (alone_here or alone_there):
            return False
    return True


@given(st.integers(0, 10**6))
def test_no_two_columns_of_a_colour_share_a_row(seed):
    matrix = random_matrix(seed)
    assert not columns_clash(matrix, coloured_columns(entries(matrix)))
    turned = entries(matrix).turned
    assert not columns_clash(matrix.T, coloured_columns(turned))


@given(st.integers(0, 10**6))
def test_every_entry_of_a_symmetric_matrix_can_be_read(seed):
    matrix = random_matrix(seed)
    side = min(matrix.shape)
    square = matrix[:side, :side]
    matrix = sp.csr_array((square + square.T) != 0)
    assert all_readable(matrix, coloured_symmetric(entries(matrix)))


def band(n: int, half: int) -> sp.csr_array:
    offsets = range(-half, half + 1)
    return sp.diags_array([np.ones(n - abs(k)) for k in offsets], offsets=list(offsets)).tocsr()


def arrow(n: int) -> sp.csr_array:
    matrix = sp.lil_array((n, n))
    matrix.setdiag(1)
    matrix[0, :] = matrix[:, 0] = 1
    return matrix.tocsr()


@pytest.mark.parametrize("half", [0, 1, 2, 5])
def test_a_band_takes_its_width(half):
    assert colour_count(coloured_columns(entries(band(60, half)))) == 2 * half + 1


def test_few_colours_for_known_patterns():
    assert colour_count(coloured_symmetric(entries(band(60, 1)))) == 3
    assert colour_count(coloured_symmetric(entries(arrow(50)))) == 2
    assert colour_count(coloured_symmetric(entries(sp.eye_array(9)))) == 1
    assert colour_count(coloured_columns(entries(np.ones((4, 7))))) == 7
    grid = sp.kron(band(20, 1), sp.eye_array(20)) + sp.kron(sp.eye_array(20), band(20, 1))
    assert colour_count(coloured_columns(entries(grid))) <= 10


def test_what_is_empty_has_no_colour():
    assert coloured_columns(entries(sp.csr_array((3, 2)))).tolist() == [-1, -1]
    assert coloured_symmetric(entries(sp.csr_array((2, 2)))).tolist() == [-1, -1]
    assert coloured_columns(entries(sp.csr_array((0, 0)))).tolist() == []


def test_order_by_is_stable():
    labels = np.random.default_rng(0).integers(0, 5, 100)
    assert order_by(labels, 5).tolist() == np.argsort(labels, kind="stable").tolist()


def test_half_a_million_entries_are_a_matter_of_seconds():
    """Processor time, and far more of it than is needed: what it would catch is a loop over entries."""
    matrix = sp.random_array((100_000, 100_000), density=5e-5, rng=np.random.default_rng(1))
    held = entries(matrix)
    start = time.process_time()
    colours = coloured_columns(held)
    assert time.process_time() - start < 4
    assert colour_count(colours) <= 25
