"""A claim is read row by row, whether it is an array or the entries of a sparse matrix."""

from __future__ import annotations

import numpy as np

from gradcli.symbolic.claimed import SparseClaim, claim_of

DENSE = np.array([[0.0, 2.0, 0.0], [0.0, 0.0, 0.0], [-1.0, 0.0, 3.0]])
SPARSE = SparseClaim(np.array([0, 2, 2, 2]), np.array([1, 0, 1, 2]), np.array([2.0, -1.0, 0.0, 3.0]), (3, 3), 3)


def test_both_forms_say_the_same():
    dense, sparse = claim_of(DENSE, 3), claim_of(SPARSE, 3)
    for i in range(3):
        assert dense.row(i) == sparse.row(i)
    assert sparse.row(2) == {0: -1.0, 2: 3.0}
    v = np.array([1.0, 10.0, 100.0])
    assert dense.times(v).tolist() == sparse.times(v).tolist() == [20.0, 0.0, 299.0]


def test_an_array_of_any_rank_and_of_none():
    assert claim_of(np.arange(8.0).reshape(2, 2, 2), 4).row(1) == {0: 2.0, 1: 3.0}
    assert claim_of(np.zeros((0, 3, 2)), 0).times(np.zeros(0)).shape == (0,)
    assert claim_of(np.float64(5.0), 1).row(0) == {0: 5.0}


def test_what_a_sparse_claim_tells_of_itself():
    assert (SPARSE.shape, SPARSE.dtype, SPARSE.count) == ((3, 3), np.float64, 4)
