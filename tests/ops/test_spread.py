"""Variance and standard deviation far from zero, at both ends of the floats, and where all elements are equal."""

import mpmath
import numpy as np
import pytest

from gradcli.autodiff import grad, hessian, jvp
from gradcli.ops.registry import lookup


def numpy_(name):
    return lookup("numpy", name)


def exact_std(x):
    with mpmath.workdps(60):
        cells = [mpmath.mpf(float(v)) for v in x]
        mean = sum(cells) / len(cells)
        root = mpmath.sqrt(sum((v - mean) ** 2 for v in cells) / len(cells))
        return float(root), [float((v - mean) / (len(cells) * root)) for v in cells]


@pytest.mark.parametrize("scale", [1e-310, 1e-200, 1e-20, 1.0, 1e20, 1e200, 1e307])
def test_std_neither_overflows_nor_vanishes(scale):
    x = np.array([1.0, 3.0, -2.0, 0.5]) * scale
    value, gradient = exact_std(x)
    assert numpy_("std")(x) == pytest.approx(value, rel=1e-15, abs=5e-324)
    assert grad(numpy_("std"))(x) == pytest.approx(gradient, rel=3e-15 if scale > 1e-300 else 1e-2)


def test_the_rounding_of_the_mean_is_taken_out():
    x = np.array([1e16, 1e16 + 2, 1e16 + 6, 1e16 + 10])
    value, gradient = exact_std(x)
    assert numpy_("std")(x) == pytest.approx(value, rel=1e-15)
    assert grad(numpy_("std"))(x) == pytest.approx(gradient, rel=1e-15)
    assert grad(numpy_("var"))(x).tolist() == [-2.25, -1.25, 0.75, 2.75]


def test_where_all_are_equal_the_derivative_is_zero_by_both_modes():
    x = np.full(3, 0.1)
    assert grad(numpy_("std"))(x).tolist() == [0.0, 0.0, 0.0]
    assert jvp(numpy_("std"), (x,), (np.array([1.0, 2.0, 3.0]),))[1] == 0.0
    assert np.all(hessian(numpy_("std"))(x) == 0)


def test_a_branch_not_taken_passes_nothing_on():
    where = numpy_("where")
    x = np.array([3.0])

    def f(v):
        return where(np.array(False), lookup("torch", "std")(v), numpy_("sum")(v))

    with np.errstate(all="ignore"):
        assert grad(f)(x).tolist() == [1.0]


def test_a_given_mean_counts_as_it_is():
    x, m = np.array([1.0, 2.0, 4.0]), np.array([2.0])
    assert numpy_("var")(x, mean=m) == pytest.approx(np.var(x, mean=m))
    assert grad(lambda v: numpy_("var")(x, mean=v))(m) == pytest.approx([-2 * np.mean(x - m)])


def test_pairs_of_torch():
    x = np.array([[1.0, 2.0, 4.0], [0.0, 1.0, 0.5]])
    spread, mean = lookup("torch", "std_mean")(x, 1, keepdim=True)
    assert (spread.shape, mean.shape) == ((2, 1), (2, 1))
    assert spread == pytest.approx(np.std(x, 1, ddof=1, keepdims=True))
    variance, _ = lookup("torch", "var_mean")(x, correction=2)
    assert variance == pytest.approx(np.var(x, ddof=2))
