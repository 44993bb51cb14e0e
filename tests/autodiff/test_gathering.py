"""Cotangents that come in parts: reads of one value at many places, and results of one op."""

from __future__ import annotations

import numpy as np
import pytest

from gradcli.autodiff import grad, hessian
from gradcli.graph.state import state
from gradcli.ops.indexing import getitem
from gradcli.ops.pieces import unbound
from gradcli.ops.registry import lookup

total = lookup("", "sum")
X = np.linspace(-1.0, 2.0, 12)


def read(x, index):
    return getitem.call(x, index)


@pytest.mark.parametrize(
    "reads",
    [
        [0, 3, 3, -1],
        [slice(2, 4), slice(3, 5), 0],
        [np.array([1, 1, 2]), 1, np.array([5, 5, 5])],
        [slice(None), 2, slice(None, None, 2)],
    ],
)
def test_reads_add_up(reads):
    weights = np.arange(1.0, len(reads) + 1)
    found = grad(lambda x: sum((total(read(x, i)) ** 2 * w for i, w in zip(reads, weights, strict=True)), start=0.0))(X)
    expected = np.zeros_like(X)
    for i, w in zip(reads, weights, strict=True):
        np.add.at(expected, i, 2 * w * X[i].sum())
    np.testing.assert_allclose(found, expected, rtol=1e-14)


def test_reads_beside_other_uses_and_to_second_order():
    f = lambda x: read(x, 0) * read(x, 5) * total(x * x) + read(x, 5) ** 3  # noqa: E731
    e0, e5 = np.eye(12)[0], np.eye(12)[5]
    square = X @ X
    expected = (e0 * X[5] + e5 * X[0]) * square + 2 * X[0] * X[5] * X + 3 * X[5] ** 2 * e5
    np.testing.assert_allclose(grad(f)(X), expected, rtol=1e-14)
    cross = np.outer(e0, e5) + np.outer(e5, e0)
    side = np.outer(e0 * X[5] + e5 * X[0], 2 * X)
    second = cross * square + side + side.T + 2 * X[0] * X[5] * np.eye(12) + 6 * X[5] * np.outer(e5, e5)
    np.testing.assert_allclose(hessian(f)(X), second, rtol=1e-13, atol=1e-15)


def test_all_rows_of_a_long_value():
    """20,000 rows cost 20,000 steps, and not their square."""
    rows = np.ones(20_000)
    found = grad(lambda x: sum((part * part for part in unbound(x, 0)), start=0.0))(rows)
    np.testing.assert_array_equal(found, 2 * rows)
    assert state.recording is None
