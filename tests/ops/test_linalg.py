"""What the table can't say of products and matrix functions: errors, singular matrices, symmetry, speed."""

import time

import numpy as np
import pytest

from gradcli.autodiff import grad, hessian, jacfwd, jacobian, jacrev, jvp, vjp
from gradcli.graph.errors import ArgumentError, DomainError, ShapeError
from gradcli.graph.values import OPERATORS
from gradcli.ops.matrices import positive_sample, sample
from gradcli.ops.registry import lookup

sum_ = lookup("numpy", "sum")
det = lookup("numpy.linalg", "det")
inv = lookup("numpy.linalg", "inv")
solve = lookup("numpy.linalg", "solve")
cholesky = lookup("numpy.linalg", "cholesky")
slogdet = lookup("numpy.linalg", "slogdet")
einsum = lookup("numpy", "einsum")
matmul = lookup("numpy", "matmul")


# --- products --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("left", "right", "mend"),
    [
        ((2, 3), (4, 5), "inner dimensions 3 and 4 differ"),
        ((3,), (4,), "inner dimensions 3 and 4 differ"),
        ((2, 2, 3), (4, 3, 2), r"stacks of \[2\] and \[4\] matrices don't broadcast"),
        ((), (3,), r"scalars multiply with \*"),
    ],
)
def test_matmul_that_does_not_fit(left, right, mend):
    with pytest.raises(ShapeError, match="matmul cannot join shapes") as caught:
        matmul(np.ones(left), np.ones(right))
    assert caught.match(str(list(left)).replace("[", r"\["))
    import re

    assert re.search(mend, caught.value.mend)


def test_products_of_one_rank_only():
    with pytest.raises(ShapeError, match="mm takes a 2-d and a 2-d"):
        lookup("torch", "mm")(np.ones(3), np.ones((3, 2)))
    with pytest.raises(ShapeError, match="1D tensors expected, but got 2D and 1D"):
        lookup("torch", "dot")(np.ones((2, 3)), np.ones(3))
    with pytest.raises(ShapeError, match="bmm cannot join"):
        lookup("torch", "bmm")(np.ones((2, 3, 4)), np.ones((3, 4, 5)))
    with pytest.raises(ShapeError, match="vdot cannot join 2 and 3"):
        lookup("numpy", "vdot")(np.ones(2), np.ones(3))


def test_complex_products_have_conjugate_cotangents():
    a, b = np.array([[1 + 2j, 3 - 1j]]), np.array([[2 - 1j], [1j]])
    y, pullback = vjp(matmul, a, b)
    g = np.ones_like(y)
    left, right = pullback(g)
    assert left == pytest.approx(g @ b.conj().T)
    assert right == pytest.approx(a.conj().T @ g)


def test_the_operator_is_matmul():
    assert OPERATORS["@"]([[1.0, 2.0]], [3.0, 4.0]).tolist() == [11.0]


# --- einsum ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shapes"),
    [
        ("ij,jk", [(2, 3), (3, 4)]),
        ("i,i->", [(3,), (3,)]),
        ("ba", [(2, 3)]),
        ("...ii->...", [(4, 3, 3)]),
        ("...a,...b", [(4, 2), (1, 3)]),
        ("i...,i...->...", [(3, 2), (3, 4, 2)]),
        (" i j , j -> i ", [(2, 3), (3,)]),
        ("ab,bc,cd,de->ae", [(2, 3), (3, 4), (4, 5), (5, 2)]),
        ("ii,jj->ij", [(2, 2), (3, 3)]),
        ("iij,jk->ik", [(2, 2, 3), (3, 4)]),
    ],
)
def test_einsum_is_numpy_s(text, shapes):
    xs = [np.random.default_rng(i).normal(size=s) for i, s in enumerate(shapes)]
    assert einsum(text, *xs) == pytest.approx(np.einsum(text, *xs))
    every = tuple(range(len(xs)))
    forward = jacfwd(lambda *v: einsum(text, *v), every)(*xs)
    reverse = jacrev(lambda *v: einsum(text, *v), every)(*xs)
    for a, b in zip(forward, reverse, strict=True):
        assert a == pytest.approx(b)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ij,jk->ik", "index j has lengths 3 and 4"),
        ("ij->ij", "is for 1 operands, 2 are given"),
        ("i1,j->i", "something that is no index"),
        ("ij,jk->iz", "output index z of 'ij,jk->iz' is in no operand"),
        ("ij,jk->ii", "output index i of 'ij,jk->ii' stands twice"),
        ("ijk,jk->i", r"'ijk' has 3 indices for shape \[2, 3\]"),
    ],
)
def test_einsum_that_does_not_fit(text, words):
    with pytest.raises((ShapeError, ArgumentError)) as caught:
        einsum(text, np.ones((2, 3)), np.ones((4, 5)))
    import re

    assert re.search(words, f"{caught.value.message} {caught.value.mend}")


def test_einsum_of_many_operands_is_not_summed_in_one_pass():
    matrices = [np.ones((40, 40)) for _ in range(4)]
    start = time.perf_counter()
    einsum("ab,bc,cd,de->ae", *matrices)
    assert time.perf_counter() - start < 1.0


# --- singular and indefinite -----------------------------------------------------------------------------------------


def test_singular_matrices_are_named():
    singular = np.ones((2, 2))
    with pytest.raises(DomainError, match="inv: the matrix is singular"):
        inv(singular)
    with pytest.raises(DomainError, match="solve: the matrix is singular") as caught:
        solve(singular, np.ones(2))
    assert caught.value.mend


def test_indefinite_matrices_are_named():
    with pytest.raises(DomainError, match="cholesky: the matrix is not positive definite") as caught:
        cholesky(-np.eye(2))
    assert caught.value.mend


@pytest.mark.parametrize("f", [det, inv, slogdet, cholesky])
def test_only_square_matrices(f):
    with pytest.raises(ShapeError, match=r"needs a square matrix, not shape \[2, 3\]"):
        f(np.ones((2, 3)))


def test_solve_that_does_not_fit():
    for b in (np.ones(3), np.ones((3, 2))):
        with pytest.raises(ShapeError, match="solve cannot join shapes") as caught:
            solve(np.eye(2), b)
        assert caught.value.mend == "the matrix has 2 rows"


def test_a_stack_of_vectors_is_a_matrix_in_numpy_and_vectors_in_torch():
    a = np.stack([sample(2, seed=i) for i in range(2)])
    b = np.arange(4.0).reshape(2, 2)
    assert solve(a, b) == pytest.approx(np.linalg.solve(a, b))
    rows = np.stack([np.linalg.solve(a[i], b[i]) for i in range(2)])
    assert lookup("torch.linalg", "solve")(a, b) == pytest.approx(rows)


# --- determinants ----------------------------------------------------------------------------------------------------


def cofactors(a):
    n = len(a)
    return np.array(
        [[(-1) ** (i + j) * np.linalg.det(np.delete(np.delete(a, i, 0), j, 1)) for j in range(n)] for i in range(n)]
    )


@pytest.mark.parametrize("rank", [0, 1, 2, 3, 4])
def test_det_has_its_gradient_at_any_rank(rank):
    generator = np.random.default_rng(rank)
    a = generator.normal(size=(4, rank)) @ generator.normal(size=(rank, 4))
    assert grad(det)(a) == pytest.approx(cofactors(a), abs=1e-12)


@pytest.mark.parametrize("rank", [0, 1, 2, 3])
def test_det_has_its_hessian_at_any_rank(rank):
    generator = np.random.default_rng(rank)
    a = generator.normal(size=(3, rank)) @ generator.normal(size=(rank, 3))
    h = hessian(det)(a)
    for i, j in np.ndindex(3, 3):
        e = np.zeros((3, 3))
        e[i, j] = 1.0
        # Cofactors are quadratic here, so that a central difference is exact.
        assert h[i, j] == pytest.approx((cofactors(a + e) - cofactors(a - e)) / 2, abs=1e-11)


def test_det_differentiates_three_times():
    a = sample(3)
    third = jacobian(hessian(det))(a)
    # d3 det / da00 da11 da22 is 1.
    assert third[0, 0, 1, 1, 2, 2] == pytest.approx(1.0)
    assert third[0, 1, 1, 2, 2, 0] == pytest.approx(1.0)
    assert third[0, 0, 1, 2, 2, 1] == pytest.approx(-1.0)
    assert third[0, 0, 0, 1, 1, 2] == pytest.approx(0.0, abs=1e-10)


def test_slogdet_is_a_pair_and_logdet_is_nan_below_zero():
    sign, size = slogdet(-sample(3))
    assert (sign, size) == pytest.approx(tuple(np.linalg.slogdet(-sample(3))))
    with np.errstate(all="ignore"):
        assert np.isnan(lookup("torch", "logdet")(-np.eye(3)))
    assert grad(lambda a: slogdet(a)[1])(sample(3)) == pytest.approx(np.linalg.inv(sample(3)).T)


def test_slogdet_of_complex_matrices():
    a = sample(3) + 1j * sample(3, seed=1)
    t = sample(3, seed=2) - 1j * sample(3, seed=3)
    _, (sign, size) = jvp(slogdet, (a,), (t,))
    h = 1e-6
    ends = [np.linalg.slogdet(a + s * h * t) for s in (1, -1)]
    assert sign == pytest.approx((ends[0][0] - ends[1][0]) / (2 * h), rel=1e-6)
    assert size == pytest.approx((ends[0][1] - ends[1][1]) / (2 * h), rel=1e-6)
    _, pullback = vjp(slogdet, a)
    g = (np.array(0.3 - 0.7j), np.array(1.5))
    (share,) = pullback(g)
    left = (np.conj(g[0]) * sign).real + g[1] * size
    assert np.sum(share.conj() * t).real == pytest.approx(left)


# --- Cholesky --------------------------------------------------------------------------------------------------------


def test_cholesky_reads_its_argument_as_symmetric():
    a = positive_sample(3)
    skewed = a + np.array([[0, 0.5, 0], [-0.5, 0, 0], [0, 0, 0]])
    assert cholesky(skewed) == pytest.approx(np.linalg.cholesky(a))
    g = grad(lambda v: sum_(cholesky(v) * np.arange(9.0).reshape(3, 3)))(skewed)
    assert g == pytest.approx(g.T)


def test_scipy_s_cholesky_is_upper():
    a = positive_sample(3)
    assert lookup("scipy.linalg", "cholesky")(a) == pytest.approx(np.linalg.cholesky(a).T)
    assert lookup("scipy.linalg", "cholesky")(a, lower=True) == pytest.approx(np.linalg.cholesky(a))
    assert lookup("torch.linalg", "cholesky")(a, upper=True) == pytest.approx(np.linalg.cholesky(a).T)


def test_matrix_power():
    f = lookup("numpy.linalg", "matrix_power")
    a = sample(3)
    for n in (0, 1, 2, 7, -3):
        assert f(a, n) == pytest.approx(np.linalg.matrix_power(a, n))
    with pytest.raises(ArgumentError, match="too large a power"):
        f(a, 2**40)


# --- batches ---------------------------------------------------------------------------------------------------------


def test_a_thousand_directions_run_as_one_product():
    a = np.random.default_rng(0).normal(size=(1000, 1000)) / 100
    x = np.random.default_rng(1).normal(size=1000)
    tanh = lookup("numpy", "tanh")
    best = 1e9
    for _ in range(3):
        start = time.perf_counter()
        j = jacobian(lambda v: tanh(matmul(a, v)))(x)
        best = min(best, time.perf_counter() - start)
    assert j == pytest.approx((1 - np.tanh(a @ x) ** 2)[:, None] * a)
    assert best < 0.6  # 0.2 s on a machine that is not doing anything else


def test_solve_folds_a_batch_of_right_sides():
    a, b = sample(3), np.arange(6.0).reshape(3, 2)
    assert jacobian(lambda v: solve(a, v))(b) == pytest.approx(np.einsum("ij,kl->ikjl", np.linalg.inv(a), np.eye(2)))
