"""Weighted means, covariance, correlation; differences and integrals of samples; counts and distinct elements."""

import numpy as np
import pytest
import scipy.integrate

from gradcli.autodiff import grad, jacobian
from gradcli.autodiff.vmap import vmap
from gradcli.graph.errors import GradcliError
from gradcli.ops.registry import lookup

X = np.array([[1.0, 2.0, 4.0], [0.5, -1.0, 3.0]])


def numpy_(name):
    return lookup("numpy", name)


def torch_(name):
    return lookup("torch", name)


def test_the_medians_of_a_batch_share_ties_each_by_itself():
    x = np.array([[1.0, 2.0, 2.0], [2.0, 2.0, 2.0]])
    together = grad(lambda v: numpy_("sum")(vmap(torch_("median"))(v)))(x)
    assert together == pytest.approx(np.array([[0, 1 / 2, 1 / 2], [1 / 3, 1 / 3, 1 / 3]]))


@pytest.mark.parametrize("name", ["nanvar", "nanstd"])
def test_spreads_of_some_elements_keep_float32(name):
    assert numpy_(name)(np.float32([1, 2, 4])).dtype == np.float32


def of(f, *args, **kwargs):
    """The gradient of the sum of f(x, ...)."""
    return lambda x: grad(lambda v: numpy_("sum")(f(v, *args, **kwargs)))(np.asarray(x, dtype=float))


# --- weighted means --------------------------------------------------------------------------------------------------


def test_a_weight_s_derivative_does_not_cancel_far_from_zero():
    x = np.array([1e9, 1e9 + 1, 1e9 + 3])
    slope = grad(lambda w: numpy_("average")(x, weights=w))(np.array([1.0, 2.0, 1.0]))
    assert slope == pytest.approx([-1.25 / 4, -0.25 / 4, 1.75 / 4], rel=1e-14)


def test_average_returns_the_sum_of_its_weights():
    mean, whole = numpy_("average")(X, axis=0, returned=True)
    assert (mean.tolist(), whole.tolist()) == ([0.75, 0.5, 3.5], [2.0, 2.0, 2.0])
    mean, whole = numpy_("average")(X, axis=1, weights=[1, 0, 1], returned=True)
    assert (mean.tolist(), whole.tolist()) == ([2.5, 1.75], [2.0, 2.0])
    with pytest.raises(GradcliError, match=r"cannot weigh shape \[2, 3\] with \[2\]"):
        numpy_("average")(X, axis=1, weights=[1.0, 2.0])


# --- covariance ------------------------------------------------------------------------------------------------------


def test_cov_far_from_zero():
    far = X + 1e9
    assert numpy_("cov")(far) == pytest.approx(np.cov(X), rel=1e-14)
    assert of(numpy_("cov"))(far) == pytest.approx(of(numpy_("cov"))(X), rel=1e-13, abs=1e-13)


def test_cov_takes_torch_s_words():
    assert torch_("cov")(X, correction=0) == pytest.approx(np.cov(X, ddof=0))
    assert torch_("cov")(X[0]).shape == ()
    assert torch_("cov")(X, fweights=np.array([1, 2, 1])) == pytest.approx(np.cov(X, fweights=[1, 2, 1]))


def test_a_correlation_with_itself_is_one_and_stays_so():
    found = numpy_("corrcoef")(X)
    assert np.diag(found).tolist() == [1.0, 1.0]
    assert not jacobian(numpy_("corrcoef"))(X)[0, 0].any()
    assert numpy_("corrcoef")(X * 1e200) == pytest.approx(np.corrcoef(X))
    with np.errstate(all="ignore"):
        assert np.isnan(numpy_("corrcoef")(np.array([[1.0, 1.0], [1.0, 2.0]]))[0]).all()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: numpy_("cov")(X[None]), "takes a vector or a matrix"),
        (lambda: numpy_("cov")(X, X[:, :2]), "cannot pair 3 observations with 2"),
        (lambda: numpy_("cov")(X, fweights=[1.0, 2.0, 1.0]), "fweights are integers"),
        (lambda: numpy_("cov")(X, aweights=[1.0]), r"weights of shape \[1\] for 3 observations"),
        (lambda: numpy_("cov")(X, ddof=0.5), "ddof must be an integer"),
        (lambda: numpy_("diff")(1.0), "at least one axis"),
        (lambda: numpy_("diff")(X, -1), "n is at least 0"),
        (lambda: numpy_("gradient")(X, edge_order=3), "edge_order is 1 or 2"),
        (lambda: numpy_("gradient")(X, axis=0, edge_order=2), "too short"),
        (lambda: numpy_("gradient")(X, 1.0, 2.0, 3.0), "3 spacings for 2 axes"),
        (lambda: numpy_("gradient")(X, np.ones(2), axis=1), r"coordinates of shape \[2\] for 3 elements"),
        (lambda: numpy_("trapezoid")(X, np.ones(2)), "2 places for 3 samples"),
        (lambda: lookup("scipy.integrate", "cumulative_trapezoid")(X, initial=1), "initial is 0 or None"),
        (lambda: numpy_("bincount")(np.array([-1, 2])), "counts numbers from 0 on, not -1"),
        (lambda: numpy_("bincount")(np.array([0.5])), "counts integers, not float64"),
        (lambda: numpy_("bincount")(np.array([0, 1]), [1.0]), "weights of shape"),
        (lambda: numpy_("histogram")(X, 0), "at least one bin"),
        (lambda: numpy_("histogram")(X, 3, (2.0, 1.0)), "ends before it begins"),
        (lambda: numpy_("histogram")(X, [1.0, 0.0]), "must not fall"),
        (lambda: numpy_("histogram")(X * np.inf), "is not finite"),
        (lambda: torch_("addmv")(np.ones(3), X, np.ones(3)), r"addmv cannot broadcast shapes"),
    ],
)
def test_wrong_arguments_are_named(call, words):
    with pytest.raises(GradcliError, match=words), np.errstate(all="ignore"):
        call()


# --- samples ---------------------------------------------------------------------------------------------------------


def test_coordinates_have_a_derivative_even_where_they_are_evenly_spaced():
    """NumPy takes even steps for one; the derivative by each coordinate is still its own."""
    x, y = np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 2.0])
    step = 1e-6
    for i in range(3):
        moved = step * np.eye(3)[i]
        wanted = (np.gradient(y, x + moved) - np.gradient(y, x - moved)) / (2 * step)
        slope = jacobian(lambda v: numpy_("gradient")(y, v))(x)[:, i]
        assert slope == pytest.approx(wanted, abs=1e-8)


def test_simpson_is_scipys():
    x = np.array([0.0, 0.5, 2.0, 2.5, 4.0, 4.25])
    for count in range(2, 7):
        y = np.cos(x[:count])
        found = lookup("scipy.integrate", "simpson")(y, x[:count])
        assert found == pytest.approx(scipy.integrate.simpson(y, x=x[:count]), rel=1e-14)


# --- counts ----------------------------------------------------------------------------------------------------------


def test_histograms_are_differentiable_in_their_weights_and_ends():
    x, w = np.array([0.1, 0.4, 0.35, 2.0, 1.2]), np.array([1.0, 0.5, 2.0, -1.0, 0.25])
    slope = grad(lambda v: numpy_("histogram")(x, 4, weights=v)[0][0])(w)
    assert slope.tolist() == [1, 1, 1, 0, 0]
    slope = grad(lambda v: numpy_("histogram")(v, 4)[1][1])(x)
    assert slope == pytest.approx([0.75, 0, 0, 0.25, 0])
    counts, edges = torch_("histogram")(x, 4)
    assert counts.dtype == np.float64 and edges.tolist() == np.histogram(x, 4)[1].tolist()
    assert torch_("histc")(x, 4, 0.0, 1.0).tolist() == [1, 2, 0, 0]
    assert lookup("numpy", "histogram_bin_edges")(x, "auto").tolist() == np.histogram_bin_edges(x, "auto").tolist()


def test_the_first_of_equals_has_the_derivative():
    x = np.array([2.0, 0.5, 2.0])
    assert grad(lambda v: numpy_("unique")(v)[1])(x).tolist() == [1, 0, 0]
    assert grad(lambda v: torch_("unique_consecutive")(v)[2])(x).tolist() == [0, 0, 1]
    values, inverse, counts = torch_("unique")(x, return_inverse=True, return_counts=True)
    assert (values.tolist(), inverse.tolist(), counts.tolist()) == ([0.5, 2.0], [1, 0, 1], [1, 2])
    assert numpy_("union1d")(x, [3.0]).tolist() == [0.5, 2.0, 3.0]
    assert numpy_("isin")(x, [2.0]).tolist() == [True, False, True]
    assert len(numpy_("unique")(np.array([np.nan, np.nan]))) == 1
    assert len(torch_("unique")(np.array([np.nan, np.nan]))) == 2


# --- products with something added -----------------------------------------------------------------------------------


def test_beta_zero_leaves_nothing_of_the_input():
    a, b = X, X.T
    for name, args in (("addmm", (a, b)), ("addmv", (a, X[0])), ("addr", (X[0], X[1]))):
        found = torch_(name)(np.full(1, np.nan), *args, beta=0)
        assert not np.isnan(found).any(), name


def test_alpha_zero_leaves_nothing_of_the_product():
    a, b = X, X.T
    for name, args in (("addmm", (a, b)), ("addmv", (a, X[0])), ("addr", (X[0], X[1]))):
        found = torch_(name)(np.full(1, 3.0), *(x * np.nan for x in args), alpha=0)
        assert np.all(found == 3), name


def test_renorm_scales_what_is_too_long():
    x = np.array([[3.0, 4.0], [0.1, 0.2]])
    found = torch_("renorm")(x, 2, 0, 1.0)
    assert found[0] == pytest.approx([0.6, 0.8], rel=1e-6)
    assert found[1].tolist() == [0.1, 0.2]
    assert grad(lambda v: torch_("renorm")(v, 2, 0, 1.0)[1][0])(x).tolist() == [[0, 0], [1, 0]]


def test_lerp_between_infinite_ends():
    start, end, weight = np.array([-np.inf, 1.0, 1.0]), np.array([1.0, np.inf, np.inf]), np.array([0.25, 0.25, 0.0])
    with np.errstate(all="ignore"):
        assert torch_("lerp")(start, end, weight).tolist() == [-np.inf, np.inf, 1.0]
