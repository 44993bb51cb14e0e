"""Sparse Jacobians and Hessians are the dense ones, whichever way they were coloured, and are verified."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from gradcli.autodiff import Linearized, grad, hessian, jacobian
from gradcli.autodiff.sparse import jacobian as room
from gradcli.autodiff.sparse import sparse_derivative, sparse_hessian, sparse_jacobian, sparse_symmetric
from gradcli.autodiff.sparse.verify import WrongProduct
from gradcli.graph.bind import bind
from gradcli.graph.errors import NotDifferentiable
from gradcli.ops.dependence import Link
from gradcli.ops.kinds import elementwise
from gradcli.ops.registry import lookup

names = (
    "sum",
    "sin",
    "exp",
    "tanh",
    "concatenate",
    "stack",
    "cumsum",
    "reshape",
    "where",
    "logsumexp",
    "cross",
    "roll",
)
total, sin, exp, tanh, concatenate, stack, cumsum, reshape, where, logsumexp, cross, roll = (
    lookup("", name) for name in names
)
X = np.random.default_rng(3).normal(size=12)

VECTORS = [
    lambda x: sin(x[1:]) * x[:-1] ** 2,
    lambda x: concatenate([x[:1] ** 2, x[2:] * x[:-2], x[-1:]]),
    lambda x: stack([x[i] * exp(x[i - 3]) for i in range(3, 9)]),
    lambda x: reshape(x, (4, 3)) @ np.array([1.0, 0.0, 2.0]),
    lambda x: x[0] * x,
    lambda x: total(reshape(x, (3, 4)), 0) ** 2,
    lambda x: cumsum(x)[:5],
    lambda x: where(x > 0, sin(x), 0.0),
    lambda x: logsumexp(reshape(x, (3, 4)), -1),
    lambda x: cross(reshape(x, (4, 3)), np.array([1.0, 2.0, 3.0])),
    lambda x: x * np.array([1.0, 0.0] * 6),
    lambda x: total(x) + 0 * x[:2],
    lambda x: x[:0],
    lambda x: grad(lambda y: total(y[1:] * sin(y[:-1])), 0)(x),
]


@pytest.mark.parametrize("program", VECTORS)
def test_jacobians_are_the_dense_ones(program):
    found = sparse_jacobian(program)(X)
    assert isinstance(found, sp.csr_array)
    assert found.toarray() == pytest.approx(jacobian(program)(X).reshape(found.shape), rel=1e-14, abs=1e-15)


SCALARS = [
    lambda x: total(sin(x) * x),
    lambda x: total(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2),
    lambda x: x[0] * total(x[1:] ** 3),
    lambda x: logsumexp(x),
    lambda x: total(tanh(reshape(x, (3, 4)) @ np.ones((4, 2)))),
    lambda x: total(x),
    lambda x: total(x * roll(x, 1) * roll(x, 5)),
    lambda x: total(stack([x[i] ** 2 * x[(5 * i) % 12] for i in range(12)])),
]


@pytest.mark.parametrize("program", SCALARS)
def test_hessians_are_the_dense_ones(program):
    found = sparse_hessian(program)(X)
    assert found.toarray() == pytest.approx(hessian(program)(X), rel=1e-13, abs=1e-14)
    assert (found != found.T).nnz == 0  # to the last bit


def test_rows_or_columns_whichever_are_fewer():
    wide = Linearized(lambda x: [total(reshape(x, (3, 4)), 1)], (X,))
    tall = Linearized(lambda x: [x[0] * sin(X)], (X,))
    assert (sparse_derivative(wide).by, sparse_derivative(wide).colours) == ("rows", 1)
    assert (sparse_derivative(tall).by, sparse_derivative(tall).colours) == ("columns", 1)


def test_trees_of_arguments_and_results():
    a, b = X[:3], X[3:9].reshape(3, 2)
    by_both = sparse_jacobian(lambda p, q: {"s": p * q[:, 0], "t": total(q)}, (0, 1))(a, b)
    assert by_both["s"][0].toarray() == pytest.approx(np.diag(b[:, 0]))
    assert by_both["s"][1].shape == (3, 6) and by_both["s"][1].nnz == 3
    assert by_both["t"][0].nnz == 0 and by_both["t"][1].toarray().tolist() == [[1.0] * 6]
    blocks = sparse_hessian(lambda p, q: total(p**2 * q[:, 0]), (0, 1))(a, b)
    assert blocks[0][1].toarray()[1].tolist() == [0, 0, 2 * a[1], 0, 0, 0]


def test_float32_keeps_its_dtype():
    assert sparse_jacobian(lambda x: x * x)(X.astype(np.float32)).dtype == np.float32


def test_many_directions_go_in_several_batches(monkeypatch):
    program = lambda x: total(reshape(x, (2, 6)), 0) * x[:6]  # noqa: E731
    expected = sparse_jacobian(program)(X).toarray()
    for limit in (1, 200, 10**9):
        monkeypatch.setattr("gradcli.autodiff.sparse.products.CACHED_BYTES", limit)
        assert sparse_jacobian(program)(X).toarray().tolist() == expected.tolist()


def test_nan_and_infinities_stay_where_they_are():
    with np.errstate(all="ignore"):
        found = sparse_jacobian(lambda x: lookup("", "sqrt")(x))(np.array([1.0, 0.0, -1.0])).toarray()
    assert found[0, 0] == 0.5 and found[1, 1] == np.inf and np.isnan(found[2, 2])
    assert np.count_nonzero(found) == 3


def test_what_a_sweep_finds_undefined_is_undefined():
    x = np.array([1.0, 1.0, 3.0, 4.5])

    def distances(x):
        apart = x[1:] - x[:-1]
        return lookup("", "sqrt")(apart**2)

    def cubes(x):
        return total(distances(x) ** 3)

    dense = np.array([[np.nan, np.nan, 0, 0], [0, -1, 1, 0], [0, 0, -1, 1]])
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(sparse_jacobian(distances)(x).toarray(), dense)
        np.testing.assert_array_equal(jacobian(distances)(x), dense)
        np.testing.assert_allclose(sparse_hessian(cubes)(x).toarray(), hessian(cubes)(x), rtol=1e-14)


def test_complex_values_are_refused():
    with pytest.raises(NotDifferentiable, match="complex"):
        sparse_jacobian(lambda x: x * 1j)(X)


def lying():
    """An op that says that nothing depends on its operand's last element."""

    def depends(op, operands, y, params, wanted):
        size = operands[0].size
        return [Link(np.append(np.arange(size - 1), -1), None, size)]

    return elementwise("lying", lambda x: x**2, lambda y, x: 2 * x, meaning=None, depends=depends)


def test_a_pattern_that_is_too_small_is_noticed():
    op = lying()
    with pytest.raises(WrongProduct, match="the pattern of an op may be too small"):
        sparse_jacobian(lambda x: bind(op, x))(X)
    with pytest.raises(WrongProduct):
        sparse_hessian(lambda x: total(bind(op, x) * x[0]))(X)


def test_entries_without_zeros_and_blocks():
    made = sparse_derivative(Linearized(lambda x: [x**2], (np.array([1.0, 0.0, 3.0]),)))
    assert len(made.values) == 3 and made.nonzeros == 2
    kept = made.without_zeros()
    assert kept.rows.tolist() == [0, 2] and kept.values.tolist() == [2.0, 6.0]
    part = kept.block(slice(1, 3), slice(2, 3))
    assert part.shape == (2, 1) and part.rows.tolist() == [1] and part.columns.tolist() == [0]


def test_a_tridiagonal_system_costs_three_products(monkeypatch):
    seen = []
    monkeypatch.setattr(Linearized, "push", _counted(Linearized.push, seen))
    n = 5000
    found = sparse_jacobian(lambda u: u[:-2] - 2 * u[1:-1] + u[2:] + u[1:-1] ** 3)(np.linspace(0, 1, n))
    assert found.nnz == 3 * (n - 2)
    assert len(seen) <= 3


def _counted(push, seen):
    def counting(self, tangents):
        seen.append(None)
        return push(self, tangents)

    return counting


def test_the_symmetric_reading_takes_what_both_sides_say():
    run = Linearized(lambda x: grad(lambda x: total(x[:6] * x[6:]), (0,))(x), (X,))
    made = sparse_symmetric(run)
    assert made.nonzeros == 12 and made.colours <= 2
    assert room.widest(run) >= 12


def test_what_rounding_has_spoiled_is_no_fault():
    """Of a matrix that is all but singular the two modes differ, and the Hessian is not symmetric to many digits."""
    a = np.vander(np.linspace(0, 1, 12), increasing=True)
    b = np.arange(12.0)
    solve, slogdet = lookup("", "solve"), lookup("", "slogdet")

    def spoiled(x):
        return total(solve(a @ a.T + 1e-9 * reshape(x, (12, 1)) * np.eye(12), b))

    x = 1 + np.arange(12) / 7
    assert sparse_jacobian(lambda x: solve(a @ a.T + np.diag(b) * x[0], b))(x).shape == (12, 12)
    assert sparse_hessian(spoiled)(x).shape == (12, 12)
    assert sparse_hessian(lambda x: slogdet(a @ a.T + 1e-12 * reshape(x, (12, 1)) * np.eye(12))[1])(x).nnz == 144


def test_a_checkpoint_says_what_the_function_inside_does():
    from gradcli.autodiff.checkpoint import checkpoint

    inside = checkpoint(lambda x, y: (x[1:] * y, total(y)))
    made = sparse_derivative(Linearized(lambda x, y: inside(x, y), (X[:4], X[4:7])))
    assert made.assumed == ()
    assert made.matrix().toarray() == pytest.approx(
        np.block([[np.zeros((3, 1)), np.diag(X[4:7]), np.diag(X[1:4])], [np.zeros((1, 4)), np.ones((1, 3))]])
    )
    curved = sparse_hessian(lambda x: total(checkpoint(lambda x: sin(x) * x)(x)))(X)
    assert curved.nnz == 12


def test_a_checkpoint_says_so_in_a_batch_too():
    from gradcli.autodiff.checkpoint import checkpoint
    from gradcli.autodiff.vmap import vmap

    inside = vmap(checkpoint(lambda x, y: (x * y[0], x > 0, y[1:] * x)), (0, None))
    made = sparse_derivative(Linearized(lambda x, y: inside(x, y)[::2], (X[:2], X[4:6])))
    assert made.assumed == ()
    (a, b), (c, d) = X[:2], X[4:6]
    assert made.matrix().toarray() == pytest.approx(np.array([[c, 0, a, 0], [0, c, b, 0], [d, 0, 0, a], [0, d, 0, b]]))
    nested = sparse_derivative(Linearized(lambda x: [vmap(vmap(checkpoint(lambda x: x**3)))(x)], (X.reshape(3, 4),)))
    assert (nested.colours, nested.assumed) == (1, ())
    assert nested.matrix().toarray() == pytest.approx(np.diag(3 * X**2))
