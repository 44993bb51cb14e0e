"""What the table can't say of eigenvalues, singular values and factors: equal values, freedom of phase, errors."""

import numpy as np
import pytest

from gradcli.autodiff import grad, hessian, jacobian, jvp, vjp
from gradcli.graph.errors import ArgumentError, DomainError, ShapeError
from gradcli.ops.elementwise import absolute, exp, imag, real
from gradcli.ops.kinds import conj
from gradcli.ops.matrices import (
    adjoint,
    complex_positive_sample,
    complex_sample,
    on_diagonal,
    positive_sample,
    rectangular_sample,
    sample,
)
from gradcli.ops.registry import lookup

total = lookup("numpy", "sum")


def linalg(name):
    return lookup("numpy.linalg", name)


def torch(name):
    return lookup("torch.linalg", name)


def scipy(name):
    return lookup("scipy.linalg", name)


def differences(f, x, t, step=1e-5):
    """The derivative of f along t."""
    return (f(x + step * t) - f(x - step * t)) / (2 * step)


def agrees(f, x, rel=1e-8):
    """Whether forward, reverse and differences agree on a real function of a matrix, complex or real."""
    t = rectangular_sample(*x.shape, seed=5) if x.dtype.kind == "f" else complex_sample(*x.shape, seed=5)
    slope = differences(f, x, t)
    _, moved = jvp(f, (x,), (t,))
    g = grad(f)(x)
    assert moved == pytest.approx(slope, rel=rel)
    assert np.sum((g.conj() * t).real) == pytest.approx(slope, rel=rel)


# --- equal values ----------------------------------------------------------------------------------------------------


def test_symmetric_functions_of_equal_eigenvalues():
    for a in (np.eye(3), np.diag([2.0, 2.0, -1.0])):
        assert grad(lambda x: total(linalg("eigvalsh")(x) ** 3))(a) == pytest.approx(3 * a @ a)
        assert grad(lambda x: total(linalg("eigh")(x)[0] ** 2))(a) == pytest.approx(2 * a)
        assert grad(lambda x: total(real(linalg("eigvals")(x)) ** 2))(a) == pytest.approx(2 * a)
        assert grad(lambda x: total(linalg("svdvals")(x) ** 2))(a) == pytest.approx(2 * a)


def test_vectors_of_equal_eigenvalues_have_no_derivative():
    with np.errstate(all="ignore"):
        assert not np.all(
            np.isfinite(grad(lambda x: total(linalg("eigh")(x)[1] * np.arange(4.0).reshape(2, 2)))(np.eye(2)))
        )


def test_large_and_small_matrices():
    for scale in (1e200, 1e-200):
        a = scale * positive_sample(3)
        u = grad(lambda x: total(linalg("svd")(x)[0] * np.arange(9.0).reshape(3, 3)))(a)
        wanted = grad(lambda x: total(linalg("svd")(x)[0] * np.arange(9.0).reshape(3, 3)))(a / scale)
        assert scale * u == pytest.approx(wanted, rel=1e-10)
    assert linalg("eigvalsh")(np.diag([1.7e308, 1.0])).tolist() == [1.0, 1.7e308]


def test_a_square_singular_matrix_has_singular_vectors_with_derivatives():
    a = np.diag([3.0, 1.0, 0.0])
    g = grad(lambda x: total(linalg("svd")(x)[0] * np.arange(9.0).reshape(3, 3)))(a)
    assert np.all(np.isfinite(g))


# --- phases ----------------------------------------------------------------------------------------------------------


def test_functions_that_know_no_phase():
    w = complex_sample(3, 3, seed=2)

    def by_eigh(x):
        values, v = linalg("eigh")(x)
        return absolute(total(w * ((v * exp(0.1 * values)) @ adjoint(v))))

    def by_svd(x):
        u, s, vh = linalg("svd")(x, full_matrices=False)
        return absolute(total(w[:, :2] * ((u * s * s) @ vh)))

    def by_eig(x):
        values, v = torch("eig")(x)
        return absolute(total(w * (v @ on_diagonal(exp(values)) @ linalg("inv")(v))))

    agrees(by_eigh, complex_positive_sample(3))
    agrees(by_svd, complex_sample(3, 2))
    agrees(by_eig, complex_sample(3, 3))
    agrees(by_eig, sample(3))


def test_the_rest_of_a_full_basis():
    w = sample(4)

    def beyond_svd(x):
        rest = linalg("svd")(x)[0][:, 2:]
        return total(w * (rest @ adjoint(rest)))

    def beyond_qr(x):
        rest = linalg("qr")(x, "complete")[0][:, 2:]
        return total(w * (rest @ adjoint(rest)))

    agrees(beyond_svd, rectangular_sample(4, 2))
    agrees(beyond_qr, rectangular_sample(4, 2))


def test_the_largest_element_of_a_complex_eigenvector_stays_real():
    a = complex_sample(3, 3)
    t = complex_sample(3, 3, seed=1)
    (_, v), (_, moved) = jvp(lambda x: tuple(linalg("eig")(x)), (a,), (t,))
    k = np.argmax(np.abs(v), axis=0)
    assert np.max(np.abs(moved[k, range(3)].imag)) < 1e-14
    assert np.einsum("ij,ij->j", v.conj(), moved).real == pytest.approx([0, 0, 0], abs=1e-14)


# --- eigenvalues of any matrix ---------------------------------------------------------------------------------------


def test_eigenvalues_are_real_where_numpy_says_so():
    assert linalg("eigvals")(sample(3)).dtype == np.float64
    assert linalg("eigvals")(np.array([[0.0, 1.0], [-1.0, 0.0]])).dtype == np.complex128
    assert torch("eigvals")(sample(3)).dtype == np.complex128
    assert scipy("eigvals")(sample(3)).dtype == np.complex128
    assert torch("eigvals")(sample(3).astype(np.float32)).dtype == np.complex64


def test_defective_matrices_are_named():
    with pytest.raises(DomainError, match="eig: the matrix is defective"), np.errstate(all="ignore"):
        grad(lambda x: real(total(linalg("eigvals")(x))))(np.array([[0.0, 1.0], [0.0, 0.0]]) * 1e300)


# --- other factors ---------------------------------------------------------------------------------------------------


def test_results_have_names():
    q, r = linalg("qr")(sample(3))
    assert q @ r == pytest.approx(sample(3))
    assert linalg("qr")(sample(3)).fields == ("Q", "R")
    assert linalg("svd")(sample(3)).fields == ("U", "S", "Vh")
    assert linalg("eigh")(sample(3)).fields == ("eigenvalues", "eigenvectors")
    assert torch("lu")(sample(3)).fields == ("P", "L", "U")


def test_factors_of_singular_matrices_have_values_but_no_derivatives():
    ones = np.ones((2, 2))
    assert scipy("lu")(ones)[2].tolist() == [[1.0, 1.0], [0.0, 0.0]]
    with pytest.raises(DomainError, match="lu: the factors of a singular matrix"):
        grad(lambda x: total(scipy("lu")(x)[1]))(ones)
    with pytest.raises(DomainError, match="qr: the factors have no derivative"):
        grad(lambda x: total(linalg("qr")(x)[1]))(np.zeros((2, 2)))


def test_unconverged_decompositions_are_named():
    bad = np.full((2, 2), np.nan)
    for name in ("svd", "pinv", "eig"):
        with pytest.raises(DomainError, match=f"{name} did not converge") as caught:
            linalg(name)(bad)
        assert "nan" in caught.value.mend


def test_what_can_fail_says_so_instead():
    found, info = torch("cholesky_ex")(np.stack([np.eye(2), -np.eye(2), np.diag([1.0, -1.0])]))
    assert info.tolist() == [0, 1, 2]
    assert found[0].tolist() == np.eye(2).tolist()
    assert np.all(np.isnan(found[1:]))
    inverse, info = torch("inv_ex")(np.stack([2 * np.eye(2), np.ones((2, 2))]))
    assert info.tolist() == [0, 2]
    assert inverse[0].tolist() == (np.eye(2) / 2).tolist()
    _, info = torch("solve_ex")(np.ones((2, 2)), np.ones(2))
    assert info == 2


def test_lu_solves_what_lu_factor_gave():
    a, b = sample(4), np.arange(8.0).reshape(4, 2)
    assert scipy("lu_solve")(scipy("lu_factor")(a), b) == pytest.approx(np.linalg.solve(a, b))
    packed, pivots = torch("lu_factor")(a)
    assert torch("lu_solve")(packed, pivots, b) == pytest.approx(np.linalg.solve(a, b))
    assert torch("lu_solve")(packed, pivots, b.T, left=False) == pytest.approx(np.linalg.solve(a.T, b).T)
    assert scipy("cho_solve")(scipy("cho_factor")(positive_sample(4)), b) == pytest.approx(
        np.linalg.solve(positive_sample(4), b)
    )
    g = grad(lambda x: total(scipy("lu_solve")(scipy("lu_factor")(x), b)))(a)
    assert g == pytest.approx(grad(lambda x: total(linalg("solve")(x, b)))(a))


def test_large_triangular_equations():
    a = np.tril(np.random.default_rng(0).normal(size=(120, 120))) + 10 * np.eye(120)
    b = np.arange(120.0)
    assert scipy("solve_triangular")(a, b, lower=True) == pytest.approx(np.linalg.solve(a, b))
    with pytest.raises(DomainError, match="solve_triangular: the matrix is singular"):
        scipy("solve_triangular")(np.zeros((2, 2)), np.ones(2))


def test_least_squares_of_any_rank():
    a = rectangular_sample(4, 2) @ rectangular_sample(2, 3)
    b = np.arange(4.0)
    x, residuals, rank, _ = linalg("lstsq")(a, b, 1e-10)
    assert rank == 2
    assert residuals.shape == (0,)
    assert x == pytest.approx(np.linalg.lstsq(a, b, 1e-10)[0])

    # Along directions that keep the rank, the derivative is the difference.
    left, right = rectangular_sample(4, 2, seed=1), rectangular_sample(2, 3, seed=1)
    t = left @ rectangular_sample(2, 3) + rectangular_sample(4, 2) @ right

    def at(s):
        moved = (rectangular_sample(4, 2) + s * left) @ (rectangular_sample(2, 3) + s * right)
        return linalg("lstsq")(moved, b, 1e-10)[0], linalg("pinv")(moved, 1e-10)

    _, pushed = jvp(lambda v: (linalg("lstsq")(v, b, 1e-10)[0], linalg("pinv")(v, 1e-10)), (a,), (t,))
    for found, above, below in zip(pushed, at(1e-5), at(-1e-5), strict=True):
        assert found == pytest.approx((above - below) / 2e-5, abs=1e-7)


def test_complex_cotangents_are_conjugate():
    a, b = complex_sample(3, 2), complex_sample(3, 1, seed=1)
    g, t = complex_sample(2, 1, seed=2), complex_sample(3, 2, seed=3)
    solved = lambda x: linalg("lstsq")(x, b)[0]  # noqa: E731
    _, pullback = vjp(solved, a)
    (share,) = pullback(g)
    _, moved = jvp(solved, (a,), (t,))
    assert np.sum(conj(share) * t).real == pytest.approx(np.sum(conj(g) * moved).real)


# --- determinants ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rank", [0, 1, 2, 3])
def test_det_has_its_third_derivative_at_any_rank(rank):
    a = rectangular_sample(4, rank) @ rectangular_sample(rank, 4, seed=1)
    third = jacobian(hessian(linalg("det")))(a)
    directions = [sample(4, seed=s) for s in (2, 3, 4)]
    found = third
    for d in reversed(directions):
        found = np.tensordot(found, d, 2)
    # The third difference of a quartic, taken symmetrically, is exact.
    wanted = 0.0
    for signs in np.ndindex(2, 2, 2):
        moved = a + sum((1 - 2 * s) * d for s, d in zip(signs, directions, strict=True))
        wanted += np.prod([1 - 2 * s for s in signs]) * np.linalg.det(moved) / 8
    assert found == pytest.approx(wanted, rel=1e-10)


def test_the_logarithm_of_a_determinant_beyond_all_floats():
    assert lookup("torch", "logdet")(1e200 * np.eye(3)) == pytest.approx(3 * np.log(1e200))
    found = lookup("torch", "logdet")(1e200j * np.eye(3))
    assert found == pytest.approx(3 * np.log(1e200) - 0.5j * np.pi)
    assert imag(found) == pytest.approx(-np.pi / 2)


# --- messages --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: linalg("eigh")(np.eye(2), "X"), ArgumentError, "UPLO is 'L' or 'U'"),
        (lambda: linalg("eigvals")(np.ones((2, 3))), ShapeError, "eigvals needs a square matrix"),
        (lambda: linalg("svd")(np.ones(3)), ShapeError, "svd needs a matrix"),
        (lambda: linalg("qr")(np.eye(2), "raw"), ArgumentError, "mode is 'reduced', 'complete' or 'r'"),
        (lambda: scipy("qr")(np.eye(2), mode="raw"), ArgumentError, "mode is 'full', 'economic' or 'r'"),
        (lambda: linalg("lstsq")(np.ones((3, 2)), np.ones(2)), ShapeError, "lstsq cannot join shapes"),
        (lambda: torch("lstsq")(np.eye(2), np.eye(2), driver="x"), ArgumentError, "driver is"),
        (lambda: torch("lu")(np.eye(2), pivot=False), ArgumentError, "without pivoting"),
        (lambda: scipy("lu_solve")(np.eye(2), np.ones(2)), ArgumentError, "takes the pair that lu_factor gives"),
        (lambda: scipy("lu_solve")((np.eye(2), [0, 5]), np.ones(2)), ArgumentError, "row exchanges are integers"),
        (lambda: scipy("cho_solve")(np.eye(2), np.ones(2)), ArgumentError, "takes the pair that cho_factor gives"),
        (lambda: scipy("solve_triangular")(np.eye(2), np.ones(2), trans=3), ArgumentError, "trans is 0, 1 or 2"),
        (lambda: scipy("eigh")(np.eye(2), subset_by_index=[0, 2]), ArgumentError, "a first and a last number"),
        (lambda: scipy("eigh")(np.eye(2), -np.eye(2)), DomainError, "cholesky: the matrix is not positive definite"),
        (lambda: scipy("solve")(np.eye(2), np.ones(2), assume_a="odd"), ArgumentError, "assume_a is"),
        (lambda: linalg("tensorsolve")(np.ones((2, 3)), np.ones(2)), ShapeError, "tensorsolve cannot join"),
        (lambda: linalg("tensorinv")(np.ones((2, 3)), 1), ShapeError, "the first 1 axes"),
        (lambda: linalg("multi_dot")([np.eye(2), np.eye(3)]), ShapeError, "multi_dot cannot join shapes"),
        (lambda: lookup("numpy", "cross")(np.ones(4), np.ones(4)), ShapeError, "cross takes vectors of 2 or 3"),
        (lambda: linalg("cross")(np.ones(2), np.ones(2)), ShapeError, "vectors of 3 elements"),
        (lambda: lookup("numpy", "vecdot")(np.ones(2), np.ones(3)), ShapeError, "vecdot cannot join"),
        (lambda: scipy("block_diag")(), ArgumentError, "at least one matrix"),
        (lambda: scipy("khatri_rao")(np.eye(2), np.eye(3)), ShapeError, "khatri_rao cannot join"),
    ],
)
def test_messages(call, error, words):
    with pytest.raises(error, match=words):
        call()


def test_cross_products_in_a_plane():
    cross = lookup("numpy", "cross")
    assert cross([1.0, 2.0], [3.0, 4.0]) == -2.0
    assert cross([1.0, 2.0], [3.0, 4.0, 5.0]).tolist() == [10.0, -5.0, -2.0]
