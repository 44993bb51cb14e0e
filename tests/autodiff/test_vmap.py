"""`vmap`: trees of axes, and functions that look at their example."""

from __future__ import annotations

import numpy as np
import pytest

from gradcli.autodiff import grad, hessian, jacfwd
from gradcli.autodiff.vmap import vmap
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.ops.registry import lookup
from gradcli.tensor import truth

sin, total = (lookup("", name) for name in ("sin", "sum"))
X = np.array([0.5, -1.5, 2.0])
M = np.arange(12.0).reshape(3, 4)


def branching(x):
    return sin(x) if truth(x > 0) else x * x


def branching_expected(x):
    return np.where(x > 0, np.sin(x), x * x)


def test_a_function_that_branches_runs_example_by_example():
    np.testing.assert_allclose(vmap(branching)(X), branching_expected(X), rtol=1e-15)
    np.testing.assert_allclose(vmap(grad(branching))(X), np.where(X > 0, np.cos(X), 2 * X), rtol=1e-15)
    np.testing.assert_allclose(grad(lambda x: total(vmap(branching)(x)))(X), np.where(X > 0, np.cos(X), 2 * X))
    second = np.diag(np.where(X > 0, -np.sin(X), 2.0))
    np.testing.assert_allclose(hessian(lambda x: total(vmap(branching)(x)))(X), second)


def test_a_branch_on_the_outer_batch_splits_the_outer_one():
    inner = lambda x, y: vmap(lambda z: z * x if truth(x > 0) else z)(y)  # noqa: E731
    found = vmap(inner, (0, None))(X, X)
    np.testing.assert_allclose(found, [X * x if x > 0 else X for x in X])


def test_trees_of_axes():
    f = lambda p, s: {"v": p["m"][0] * s, "n": total(p["m"])}  # noqa: E731
    found = vmap(f, ({"m": 1}, None), {"v": 0, "n": 0})({"m": M}, np.float64(2.0))
    np.testing.assert_array_equal(found["v"], 2 * M[0])
    np.testing.assert_array_equal(found["n"], M.sum(0))
    turned = vmap(lambda row: (row, row * 2), out_axes=(1, 0))(M)
    np.testing.assert_array_equal(turned[0], M.T)
    np.testing.assert_array_equal(turned[1], 2 * M)


def test_a_result_that_does_not_depend_on_the_example():
    same, each = vmap(lambda x, y: (y * 2, x), (0, None), (None, 0))(X, X)
    np.testing.assert_array_equal(same, 2 * X)
    np.testing.assert_array_equal(each, X)
    with pytest.raises(ArgumentError, match="out_dims is None for a result that depends on the example"):
        vmap(lambda x: x, 0, None)(X)


def test_forward_over_a_batch():
    np.testing.assert_allclose(jacfwd(lambda m: vmap(lambda r: total(r * r))(m))(M)[1, 1], 2 * M[1])


@pytest.mark.parametrize(
    ("axes", "args", "error", "words"),
    [
        ((0,), (X, X), ArgumentError, "1 axes are given for 2 arguments"),
        (3, (X,), ArgumentError, "Got in_dim=3 .* dimensionality 1"),
        (None, (X,), ArgumentError, "no argument is a batch"),
        (0, (X, M[:2]), ShapeError, r"same size in the mapped dimension, got sizes \[2, 3\]"),
        (({"a": 0},), ({"b": X},), ArgumentError, "in_dims does not fit: a dict of a stands for a dict of b"),
    ],
)
def test_errors(axes, args, error, words):
    with pytest.raises(error, match=words):
        vmap(lambda *xs: xs[0], axes)(*args)
