"""What the table can't say of functions of matrices: their digits, their branches, their errors."""

import math

import numpy as np
import pytest

from gradcli.autodiff import grad, jvp, vjp
from gradcli.graph.errors import ArgumentError, DomainError, ShapeError
from gradcli.ops.matrices import complex_sample, positive_sample, sample
from gradcli.ops.registry import lookup

total = lookup("numpy", "sum")


def scipy(name):
    return lookup("scipy.linalg", name)


# --- exponential -----------------------------------------------------------------------------------------------------


def test_exponentials_of_multiples_of_the_identity_are_exponentials():
    for x in (-50.0, -20.0, -1e-9, 0.0, 1e-300, 3.0, 700.0):
        assert np.diag(scipy("expm")(x * np.eye(3))) == pytest.approx([math.exp(x)] * 3, rel=1e-15)


def test_a_diagonal_keeps_its_digits():
    found = scipy("expm")(np.diag([800.0, 1.0, -800.0, -20.0]))
    assert np.diag(found).tolist() == pytest.approx([math.inf, math.e, 0.0, math.exp(-20)], rel=1e-15)
    assert np.all(found[~np.eye(4, dtype=bool)] == 0)


def test_nilpotent_matrices_of_any_size():
    for x in (1e300, 1e-300, 1.0):
        assert scipy("expm")(np.array([[0.0, x], [0.0, 0.0]])).tolist() == [[1.0, x], [0.0, 1.0]]


def test_a_rotation_that_scipy_loses_digits_of():
    # exp of [[0, -x], [x, 0]] is a rotation by x.
    for x in (0.1, 3.0, 20.0, 100.0):
        c, s = math.cos(x), math.sin(x)
        found = scipy("expm")(np.array([[0.0, -x], [x, 0.0]]))
        assert found == pytest.approx(np.array([[c, -s], [s, c]]), abs=2e-16 * (4 + x))


def test_a_stack_is_its_matrices():
    stack = np.stack([1e-3 * sample(3), sample(3), 20 * sample(3)])
    for found, a in zip(scipy("expm")(stack), stack, strict=True):
        assert found == pytest.approx(scipy("expm")(a), rel=1e-15)
    assert scipy("expm")(stack.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
def test_directions_of_any_size(scale):
    a, e = sample(2), scale * sample(2, seed=1)
    _, moved = jvp(scipy("expm"), (a,), (e,))
    assert moved / scale == pytest.approx(jvp(scipy("expm"), (a,), (e / scale,))[1], rel=1e-14)
    _, pullback = vjp(scipy("expm"), a)
    assert pullback(e)[0] / scale == pytest.approx(vjp(scipy("expm"), a)[1](e / scale)[0], rel=1e-14)


def test_torch_s_name():
    assert lookup("torch", "matrix_exp") is scipy("expm")


# --- logarithm and roots ---------------------------------------------------------------------------------------------


def test_logarithms_undo_exponentials():
    for a in (sample(3) / 4, complex_sample(2, 2) / 4):
        assert scipy("logm")(scipy("expm")(a)) == pytest.approx(a)
        assert scipy("sqrtm")(a @ a @ a @ a) == pytest.approx(scipy("fractional_matrix_power")(a @ a @ a @ a, 0.5))


def test_negative_eigenvalues_make_complex_results():
    a = np.diag([-1.0, 4.0])
    assert scipy("sqrtm")(a) == pytest.approx(np.diag([1j, 2.0]))
    assert scipy("logm")(a) == pytest.approx(np.diag([1j * np.pi, math.log(4)]))
    assert scipy("logm")(positive_sample(2)).dtype == np.float64
    g = grad(lambda x: lookup("numpy", "real")(total(scipy("logm")(x))))(a)
    assert g[0, 0] == pytest.approx(-1.0)


def test_singular_matrices_are_named():
    with pytest.raises(DomainError, match="logm: the matrix is singular"):
        scipy("logm")(np.ones((2, 2)))
    with pytest.raises(DomainError, match="the square root of this matrix has no derivative"):
        grad(lambda x: total(scipy("sqrtm")(x)))(np.diag([1.0, 0.0]))
    with pytest.raises(DomainError, match="the equation has no single solution"):
        scipy("solve_sylvester")(np.eye(2), -np.eye(2), np.eye(2))
    with pytest.raises(ShapeError, match="solve_sylvester cannot join shapes"):
        scipy("solve_sylvester")(np.eye(2), np.eye(3), np.eye(2))


def test_powers():
    f = scipy("fractional_matrix_power")
    a = positive_sample(3)
    assert f(a, 2) == pytest.approx(a @ a)
    assert f(a, 0.5) @ f(a, 0.5) == pytest.approx(a)
    with pytest.raises(ArgumentError, match="the power must be an integer"):
        lookup("numpy.linalg", "matrix_power")(a, 0.5)


# --- circular and hyperbolic -----------------------------------------------------------------------------------------


def test_sines_of_small_matrices_keep_their_digits():
    a = 1e-12 * sample(3)
    for name in ("sinm", "sinhm", "tanm", "tanhm"):
        assert scipy(name)(a) == pytest.approx(a, rel=1e-15)


def test_cosines_and_sines_lie_on_a_circle():
    for a in (sample(3), complex_sample(2, 2)):
        one = np.eye(len(a))
        assert scipy("cosm")(a) @ scipy("cosm")(a) + scipy("sinm")(a) @ scipy("sinm")(a) == pytest.approx(
            one, abs=1e-12
        )
        assert scipy("coshm")(a) + scipy("sinhm")(a) == pytest.approx(scipy("expm")(a))


# --- sign ------------------------------------------------------------------------------------------------------------


def test_the_sign_of_one_kind_of_eigenvalues_is_exact_and_so_are_its_slopes_of_nothing():
    for a, one in ((sample(3), 1.0), (-complex_sample(3, 3), -1.0)):
        assert np.array_equal(scipy("signm")(a), one * np.eye(3))
        assert np.all(np.asarray(jvp(scipy("signm"), [a], [np.ones_like(a)])[1]) == 0)


def test_a_sign_that_is_neither():
    with pytest.raises(DomainError, match="signm: an eigenvalue has the real part 0"):
        scipy("signm")(np.array([[0.0, 1.0], [-1.0, 0.0]]))
    with pytest.raises(DomainError, match="signm did not converge"):
        scipy("signm")(np.array([[np.nan, 1.0], [-1.0, 0.0]]))
