"""Log-sum-exp and softmax where one element outweighs all others, and at infinities."""

import mpmath
import numpy as np
import pytest

from gradcli.autodiff import grad, hessian, jvp, vjp
from gradcli.graph.errors import GradcliError
from gradcli.ops.registry import lookup

INF = np.inf


def of(name):
    return lambda x: lookup("torch", name)(x, 0)


def test_what_the_others_add_is_not_lost():
    small = float(mpmath.log1p(mpmath.exp(-40)))
    x = np.array([0.0, -40.0])
    assert of("logsumexp")(x) == pytest.approx(small, rel=1e-15)
    assert of("log_softmax")(x)[0] == pytest.approx(-small, rel=1e-15)


@pytest.mark.parametrize("gap", [5.0, 40.0, 300.0, 700.0])
def test_the_derivative_of_the_larger_logarithm_keeps_its_digits(gap):
    """d/dx0 log_softmax(x)[0] is what is left of 1: PyTorch and JAX give 0 from a gap of 37 on."""
    x = np.array([gap, 0.0])
    rest = float(1 / (1 + mpmath.exp(gap)))
    assert grad(lambda v: of("log_softmax")(v)[0])(x) == pytest.approx([rest, -rest], rel=1e-15)
    turn = rest * (1 - rest)
    assert grad(lambda v: of("softmax")(v)[0])(x) == pytest.approx([turn, -turn], rel=1e-15)
    _, moved = jvp(of("log_softmax"), (x,), (np.array([1.0, 0.0]),))
    assert moved[0] == pytest.approx(rest, rel=1e-15)


@pytest.mark.parametrize(
    ("x", "shares"),
    [
        ([INF, 1.0], [1.0, 0.0]),
        ([INF, -INF], [1.0, 0.0]),
        ([-INF, 1.0], [0.0, 1.0]),
        ([-INF], [1.0]),
        ([INF, INF, 0.0], [0.5, 0.5, 0.0]),
        ([-INF, -INF], [0.5, 0.5]),
        ([1e308, -1e308], [1.0, 0.0]),
    ],
)
def test_the_limit_at_infinity(x, shares):
    x = np.array(x)
    with np.errstate(all="ignore"):
        assert of("logsumexp")(x) == max(x)
        assert grad(of("logsumexp"))(x).tolist() == shares
        assert not np.isnan(hessian(of("logsumexp"))(x)).any()


def test_softmax_at_infinity():
    with np.errstate(all="ignore"):
        assert of("softmax")(np.array([INF, 1.0])).tolist() == [1.0, 0.0]
        assert of("log_softmax")(np.array([INF, 1.0])).tolist() == [0.0, -INF]
        assert np.isnan(of("softmax")(np.array([-INF, -INF]))).all()
        assert np.isnan(of("softmax")(np.array([np.nan, 1.0]))).all()
        assert grad(lambda v: of("log_softmax")(v)[0])(np.array([INF, 1.0])).tolist() == [0.0, 0.0]


def test_a_row_without_a_cotangent_passes_nothing_on():
    x = np.array([[-INF, -INF], [0.0, 1.0]])
    with np.errstate(all="ignore"):
        _, pullback = vjp(lambda v: lookup("torch", "softmax")(v, 1), x)
        (share,) = pullback(np.array([[0.0, 0.0], [1.0, 0.0]]))
    assert not np.isnan(share).any()


def test_factors_and_signs():
    f = lookup("scipy.special", "logsumexp")
    x, b = np.array([1.0, 2.0, 1000.0]), np.array([1.0, -3.0, 0.0])
    with np.errstate(all="ignore"):
        assert np.isnan(f(x, b=b))
        value, sign = f(x, b=b, return_sign=True)
        assert (value, sign) == (pytest.approx(np.log(3 * np.exp(2) - np.e)), -1.0)
        slope = grad(lambda v: f(v, b=b, return_sign=True)[0])(x)
        assert slope == pytest.approx([-np.e, 3 * np.exp(2), 0.0] / (3 * np.exp(2) - np.e))
        assert f(np.array([INF, 1.0]), b=np.array([0.0, 2.0])) == pytest.approx(1 + np.log(2))
        assert f(np.array([-INF, -INF]), b=np.ones(2), return_sign=True) == (-INF, 0.0)
        assert grad(lambda v: f(v, b=np.array([1.0, 2.0])))(np.array([INF, 0.0])).tolist() == [1.0, 0.0]


def test_each_module_has_its_own_order_of_arguments():
    x = np.array([[0.0, 1.0], [2.0, 3.0]])
    assert lookup("torch", "logsumexp")(x, 1, True).shape == (2, 1)
    assert lookup("scipy.special", "logsumexp")(x, 1, None, True).shape == (2, 1)
    masked = lookup("jax.nn", "softmax")(x, where=np.array([[True, False], [True, True]]))
    assert masked[0].tolist() == [1.0, 0.0]
    assert lookup("jax.nn", "logmeanexp")(x) == pytest.approx(np.log(np.mean(np.exp(x))))
    assert lookup("jax.nn", "log_softmax")(x, where=np.array([[True, False], [True, True]]))[0].tolist() == [0.0, -INF]
    with pytest.raises(GradcliError, match="axis 2 is out of range"):
        lookup("torch", "logsumexp")(x, 2)
