"""Norms where floats end: nothing overflows or vanishes on the way, in value, gradient and Hessian."""

import math

import numpy as np
import pytest

from gradcli.autodiff import grad, hessian, jacfwd
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.ops.registry import lookup

norm = lookup("numpy.linalg", "norm")
vector_norm = lookup("torch.linalg", "vector_norm")
matrix_norm = lookup("numpy.linalg", "matrix_norm")
cond = lookup("numpy.linalg", "cond")
cdist = lookup("torch", "cdist")
polar = lookup("scipy.linalg", "polar")
TINY = 5e-324


@pytest.mark.parametrize("scale", [1e300, 1e200, 1.0, 1e-200, 1e-300])
@pytest.mark.parametrize("p", [2, 3, 1.5, 0.5, -2, 10])
def test_a_norm_is_as_large_as_its_vector(scale, p):
    x = np.array([3.0, -4.0, 2.0])
    assert norm(scale * x, p) == pytest.approx(scale * np.sum(np.abs(x) ** p) ** (1 / p), rel=1e-14)
    assert grad(lambda v: norm(v, p))(scale * x) == pytest.approx(grad(lambda v: norm(v, p))(x), rel=1e-14)


@pytest.mark.parametrize("scale", [1e200, 1e-200])
def test_the_hessian_is_as_small_as_its_vector_is_large(scale):
    x = np.array([3.0, -4.0])
    assert scale * hessian(norm)(scale * x) == pytest.approx(hessian(norm)(x), rel=1e-14)


def test_norms_of_subnormal_vectors():
    assert norm(np.array([3 * TINY, 4 * TINY])) == 5 * TINY
    assert grad(norm)(np.array([TINY, TINY])) == pytest.approx([math.sqrt(0.5)] * 2, rel=1e-15)
    small = np.array([3e-45, 4e-45], dtype=np.float32)
    assert norm(small).dtype == np.float32
    assert norm(small) == np.float32(np.hypot(*small.astype(np.float64)))


def test_norms_of_infinite_vectors():
    assert norm(np.array([np.inf, 1.0])) == np.inf
    assert grad(norm)(np.array([-np.inf, 1.0])).tolist() == [-1.0, 0.0]
    assert grad(lambda v: norm(v, 3))(np.array([-np.inf, 1.0])).tolist() == [-1.0, 0.0]
    assert math.isnan(norm(np.array([np.nan, np.inf])))


def test_norms_at_the_origin_have_the_derivative_0():
    for p in (1, 1.5, 2, 3, math.inf):
        assert grad(lambda v, p=p: norm(v, p))(np.zeros(3)).tolist() == [0.0] * 3
    assert np.all(hessian(norm)(np.zeros(2)) == 0)
    assert grad(lambda a: norm(a, "nuc"))(np.zeros((2, 2))).tolist() == [[0.0] * 2] * 2


def test_a_hessian_s_small_elements_are_not_what_is_left_of_large_ones():
    x = np.array([1.0, 1e-9])
    expected = np.array([[1e-18, -1e-9], [-1e-9, 1.0]])
    assert hessian(norm)(x) == pytest.approx(expected, rel=1e-15, abs=0)


def test_the_gradient_of_many_elements_is_that_of_few():
    x = np.linspace(1.0, 2.0, 50)
    n = np.sqrt(np.sum(x * x))
    assert hessian(norm)(x) == pytest.approx((np.eye(50) - np.outer(x, x) / n**2) / n)


def test_equal_extremes_share():
    assert grad(lambda v: norm(v, math.inf))(np.array([2.0, -2.0, 1.0])).tolist() == [0.5, -0.5, 0.0]
    assert grad(lambda v: norm(v, -math.inf))(np.array([2.0, -1.0, 1.0])).tolist() == [0.0, -0.5, 0.5]
    assert grad(lambda a: norm(a, 2))(2 * np.eye(2)) == pytest.approx(np.eye(2) / 2)


# --- by singular values ----------------------------------------------------------------------------------------------


def test_the_nuclear_norm_has_its_hessian_where_singular_values_are_equal():
    h = hessian(lambda a: norm(a, "nuc"))(np.eye(3))
    e = np.arange(9.0).reshape(3, 3) ** 2
    assert np.einsum("ijkl,kl->ij", h, e) == pytest.approx((e - e.T) / 2)


def test_the_nuclear_norm_of_singular_matrices():
    a = np.outer([1.0, 2.0], [3.0, 4.0])
    u, v = np.array([1.0, 2.0]) / math.sqrt(5), np.array([3.0, 4.0]) / 5
    g = grad(lambda x: norm(x, "nuc"))(np.diag([2.0, 0.0]))
    assert g == pytest.approx(np.diag([1.0, 0.0]))
    assert norm(a, "nuc") == pytest.approx(math.sqrt(5) * 5)
    assert grad(lambda x: norm(x, 2))(a) == pytest.approx(np.outer(u, v))


def test_norms_of_large_matrices():
    a = np.array([[3e200, 0.0], [0.0, 4e200]])
    for p, wanted in (("fro", 5e200), ("nuc", 7e200), (2, 4e200), (-2, 3e200), (1, 4e200)):
        assert norm(a, p) == pytest.approx(wanted)


def test_polar_factors():
    a = np.array([[2.0, 1.0], [0.5, 3.0]])
    u, p = polar(a)
    assert u @ p == pytest.approx(a)
    assert u.T @ u == pytest.approx(np.eye(2))
    assert p == pytest.approx(p.T)
    moved = jacfwd(lambda x: polar(x)[0])(a)
    h = 1e-6 * np.array([[1.0, -2.0], [0.5, 0.25]])
    assert np.einsum("ijkl,kl->ij", moved, h) == pytest.approx((polar(a + h)[0] - polar(a - h)[0]) / 2, abs=1e-14)


def test_condition_numbers_of_singular_matrices_are_infinite():
    with np.errstate(all="ignore"):
        for p in (1, math.inf, "fro"):
            assert cond(np.ones((2, 2)), p) == np.inf
        assert cond(np.diag([1.0, 0.0])) == np.inf
    with pytest.raises(ShapeError, match="has no condition number"):
        cond(np.zeros((0, 2)))


# --- distances -------------------------------------------------------------------------------------------------------


def test_rows_that_coincide_have_no_derivative():
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    total = lookup("numpy", "sum")
    assert grad(lambda a: total(cdist(a, x)))(x) == pytest.approx(np.array([[-1.0, -1.0], [1.0, 1.0]]) / math.sqrt(2))
    assert cdist(1e200 * x, -1e200 * x)[0, 0] == pytest.approx(2e200 * math.sqrt(5))


# --- messages --------------------------------------------------------------------------------------------------------


def test_orders_that_there_are_not():
    with pytest.raises(ArgumentError, match="norm: no norm 'max'"):
        norm(np.ones(2), "max")
    with pytest.raises(ArgumentError, match="norm: no matrix norm 3") as caught:
        norm(np.ones((2, 2)), 3)
    assert "nuc" in caught.value.mend
    with pytest.raises(ShapeError, match="norm: no norm 'nuc' over 1 axes"):
        norm(np.ones(2), "nuc")
    with pytest.raises(ArgumentError, match="vector_norm: the order is a number"):
        vector_norm(np.ones(2), "fro")
    with pytest.raises(ShapeError, match="matrix_norm needs at least two axes"):
        matrix_norm(np.ones(2))
    with pytest.raises(ShapeError, match="no elements have no largest"):
        norm(np.zeros(0), math.inf)
    with pytest.raises(ArgumentError, match="p is a number that is not negative"):
        cdist(np.ones((2, 2)), np.ones((2, 2)), -1.0)
