"""Losses where floats end, where probabilities are 0 and 1, and where PyTorch's own answers are wrong."""

from __future__ import annotations

from math import exp, inf, log
from typing import Any

import numpy as np
import pytest

from gradcli.autodiff import grad, jvp, vjp
from gradcli.graph.errors import GradcliError
from gradcli.ops.registry import lookup


@pytest.fixture(autouse=True)
def _quiet():
    with np.errstate(all="ignore"):
        yield


def loss(name: str) -> Any:
    found = lookup("torch.nn.functional", name)
    assert found is not None, name
    return found


def slopes(f: Any, x: Any) -> tuple[list[float], list[float], list[float]]:
    """Values, derivatives and second derivatives of what works on each element alone."""
    at = np.asarray(x, dtype=float)
    ones = np.ones_like(at)

    def first(z: Any) -> Any:
        return vjp(f, z)[1](ones)[0]

    return (
        np.asarray(f(at)).tolist(),
        np.asarray(first(at)).tolist(),
        np.asarray(jvp(first, (at,), (ones,))[1]).tolist(),
    )


def close(found: Any, wanted: Any) -> None:
    np.testing.assert_allclose(found, wanted, rtol=4e-15, atol=0)


# --- yes or no -------------------------------------------------------------------------------------------------------


def test_the_slope_of_binary_cross_entropy_is_exact_near_0_and_1():
    def f(t):
        return lambda p: loss("binary_cross_entropy")(p, np.full(4, t), reduction="none")

    p = [1e-20, 0.25, 1 - 2.0**-53, 1e-40]
    close(slopes(f(1.0), p)[1], [-1e20, -4, -1 / (1 - 2.0**-53), -1e40])
    close(slopes(f(0.0), p)[1], [1, 4 / 3, 2.0**53, 1])


def test_where_its_logarithm_is_clamped_binary_cross_entropy_is_flat():
    p, t = np.array([0.0, 1.0, 0.0, 1.0]), np.array([1.0, 0.0, 0.0, 1.0])
    value, slope, _ = slopes(lambda p: loss("binary_cross_entropy")(p, t, reduction="none"), p)
    assert value == [100, 100, 0, 0]
    assert slope == [0, 0, 1, -1]


def test_probabilities_lie_between_0_and_1():
    with pytest.raises(GradcliError, match="all elements of input should be between 0 and 1"):
        loss("binary_cross_entropy")(np.array([1.5]), np.array([1.0]))


@pytest.mark.parametrize(
    ("t", "x", "value", "slope", "second"),
    [
        (1.0, 40.0, exp(-40), -exp(-40), exp(-40)),
        (1.0, 1e4, 0, 0, 0),
        (1.0, -1e4, 1e4, -1, 0),
        (1.0, inf, 0, 0, 0),
        (1.0, -inf, inf, -1, 0),
        (0.0, -40.0, exp(-40), exp(-40), exp(-40)),
        (0.0, inf, inf, 1, 0),
        (0.0, -inf, 0, 0, 0),
        (0.5, 1e4, 5e3, 0.5, 0),
        (0.5, -inf, inf, -0.5, 0),
        (0.5, 0.0, log(2), 0, 0.25),
    ],
)
def test_logits_of_any_size(t, x, value, slope, second):
    found = slopes(lambda z: loss("binary_cross_entropy_with_logits")(z, np.array([t]), reduction="none"), [x])
    close(found, [[value], [slope], [second]])


def test_a_target_near_1_loses_nothing():
    t = np.array([1 - 1e-10])
    found = loss("binary_cross_entropy_with_logits")(np.array([50.0]), t, reduction="none")
    close(found, 50 * (1 - t) + exp(-50))


def test_soft_margin_of_any_size():
    x = [1e4, -1e4, inf, -inf, 40.0]
    found = slopes(lambda z: loss("soft_margin_loss")(z, np.ones(5), reduction="none"), x)
    close(found, [[0, 1e4, 0, inf, exp(-40)], [0, -1, 0, -1, -exp(-40)], [0, 0, 0, 0, exp(-40)]])


# --- classes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "target", "value", "gradient"),
    [
        ([1e4, 0.0, -1e4], 0, 0, [0, 0, 0]),
        ([1e4, 0.0, -1e4], 2, 2e4, [1, 0, -1]),
        ([40.0, 0.0, -inf], 0, exp(-40), [-exp(-40), exp(-40), 0]),
        ([inf, 0.0], 0, 0, [0, 0]),
    ],
)
def test_cross_entropy_of_any_size(x, target, value, gradient):
    def f(z):
        return loss("cross_entropy")(z, np.array(target))

    close(f(np.array(x)), value)
    np.testing.assert_allclose(grad(f)(np.array(x)), gradient, rtol=4e-15, atol=1e-40)


def test_a_class_that_is_impossible_and_not_wanted_costs_nothing():
    x = np.array([0.0, -inf, 0.0])
    target = np.array([0.5, 0.0, 0.5])
    close(loss("cross_entropy")(x, target), log(2))
    assert grad(lambda z: loss("cross_entropy")(z, target))(x).tolist() == [0, 0, 0]


def test_targets_that_are_all_ignored_give_nan_and_no_gradient():
    x, target = np.zeros((2, 3)), np.array([-100, -100])
    assert np.isnan(loss("nll_loss")(x, target))
    assert grad(lambda z: loss("nll_loss")(z, target))(x).tolist() == np.zeros((2, 3)).tolist()


@pytest.mark.parametrize(
    ("target", "how", "words"),
    [
        (np.array([0, 3]), {}, "Target 3 is out of bounds"),
        (np.array([0]), {}, "no place for targets of shape"),
        (np.array([0, 1]), {"label_smoothing": 1.5}, "label_smoothing must be between 0.0 and 1.0. Got: 1.5"),
        (np.array([0, 1]), {"reduction": "most"}, "a reduction is 'none', 'mean' or 'sum', not 'most'"),
        (np.zeros((3, 2)), {}, "probabilities of shape"),
    ],
)
def test_wrong_arguments_of_cross_entropy(target, how, words):
    with pytest.raises(GradcliError, match=words):
        loss("cross_entropy")(np.zeros((2, 3)), target, **how)


# --- densities -------------------------------------------------------------------------------------------------------


def test_what_can_not_be_costs_nothing_in_a_divergence():
    x = np.array([-inf, -2.0])
    value, slope, _ = slopes(lambda z: loss("kl_div")(z, np.array([0.0, 1.0]), reduction="none"), x)
    assert (value, slope) == ([0, 2], [0, -1])
    value, slope, _ = slopes(lambda z: loss("kl_div")(z, np.array([-inf, 0.0]), reduction="none", log_target=True), x)
    assert (value, slope) == ([0, 2], [0, -1])


def test_a_rate_of_0_where_nothing_was_counted_costs_nothing():
    value, slope, _ = slopes(lambda z: loss("poisson_nll_loss")(z, np.zeros(2), reduction="none"), [-inf, 0.0])
    assert (value, slope) == ([0, 1], [0, 1])


def test_a_variance_below_eps_counts_as_eps_and_is_not_seen_by_the_derivative():
    def f(v):
        return loss("gaussian_nll_loss")(np.array([1.0]), np.zeros(1), v, reduction="none", eps=0.5)

    value, slope, _ = slopes(f, [0.25])
    close(value, [(log(0.5) + 2) / 2])
    close(slope, [(2 - 4) / 2])
    with pytest.raises(GradcliError, match="var has negative"):
        f(np.array([-1.0]))


def test_large_distances_over_large_variances():
    found = loss("gaussian_nll_loss")(np.array([1e200]), np.zeros(1), np.array([1e300]))
    close(found, (log(1e300) + 1e100) / 2)


# --- margins ---------------------------------------------------------------------------------------------------------


def test_exactly_at_the_margin_the_slope_is_pytorchs():
    minus = np.array([-1])
    assert slopes(lambda x: loss("hinge_embedding_loss")(x, minus, reduction="none"), [1.0])[1] == [-1]
    ones = np.ones(1)
    assert slopes(lambda x: loss("margin_ranking_loss")(x, ones, ones, reduction="none"), [1.0])[1] == [-1]
    x = np.array([0.5, 1.5])
    assert grad(lambda z: loss("multi_margin_loss")(z, np.array(1)))(x).tolist() == [0, 0]


def test_cosines_of_long_short_and_missing_vectors():
    def f(x):
        return loss("cosine_embedding_loss")(x, np.array([1e200, 0.0]), np.array(1))

    close(f(np.array([1e200, 1e200])), 1 - 0.5**0.5)
    assert grad(f)(np.zeros(2)).tolist() == [-1e6, 0]
    for faint in (1e-300, 1e-20):  # as at nothing, where x/1e-6 is the direction
        along, across = grad(f)(faint * np.array([3.0, 4.0]))
        close(along, -1e6)
        assert abs(across) < 1e-6


def test_triplets_by_other_distances_are_refused_with_a_way_out():
    with pytest.raises(GradcliError, match="no other distance") as caught:
        loss("triplet_margin_with_distance_loss")(np.ones(2), np.ones(2), np.ones(2), distance_function=len)
    assert "clamp" in str(caught.value.mend)


# --- sequences -------------------------------------------------------------------------------------------------------

FRAMES = np.log(np.full((3, 1, 2), 0.5))


def test_the_gradient_of_ctc_loss_is_that_of_its_argument():
    """PyTorch's adds exp(log_probs), which is right behind a log_softmax alone."""

    def f(x):
        return loss("ctc_loss")(x, np.array([[1]]), [3], [1], reduction="sum")

    close(f(FRAMES), -log(6 / 8))  # 6 of 8 paths spell one 1
    exact = -np.array([[3, 3], [2, 4], [3, 3]])[:, None] / 6
    close(grad(f)(FRAMES), exact)


@pytest.mark.parametrize(("zero", "value"), [(False, inf), (True, 0.0)])
def test_what_can_not_be_spelled(zero, value):
    def f(x):
        return loss("ctc_loss")(x, np.array([[1, 1]]), [2], [2], zero_infinity=zero)

    assert f(FRAMES) == value
    assert grad(f)(FRAMES).tolist() == np.zeros((3, 1, 2)).tolist()


# --- where several forms of a call meet ------------------------------------------------------------------------------


def test_flags_of_older_days_name_a_reduction():
    x, y = np.array([1.0, 3.0]), np.zeros(2)
    assert loss("mse_loss")(x, y, size_average=False) == 10
    assert loss("mse_loss")(x, y, reduce=False).tolist() == [1, 9]
    assert loss("mse_loss")(x, y, None, None, "sum") == 10


@pytest.mark.parametrize(
    ("name", "args", "words"),
    [
        ("mse_loss", (np.ones(3), np.ones(4)), "cannot broadcast shapes"),
        ("mse_loss", (np.ones(3), np.ones(3), None, None, "mean", np.ones(2)), "Weights and input must have the same"),
        ("huber_loss", (np.ones(3), np.ones(3), "mean", 0), "delta is a number above 0"),
        ("smooth_l1_loss", (np.ones(3), np.ones(3), None, None, "mean", -1), "beta is a number above 0"),
        ("binary_cross_entropy", (np.ones(3), np.ones(4)), "is different to the input's shape"),
        ("multi_margin_loss", (np.ones((2, 3)), np.array([0, 3])), "a target is out of range"),
        ("multi_margin_loss", (np.ones((2, 3)), np.array([0, 1]), 3), "only p == 1 and p == 2 supported"),
        ("multilabel_margin_loss", (np.ones((2, 3)), np.array([0, 1])), "inconsistent target size"),
        ("cosine_embedding_loss", (np.ones((2, 3)), np.ones((2, 3)), np.array(1)), "0D target tensor expects 1D"),
        ("gaussian_nll_loss", (np.ones((2, 3)), np.ones((2, 3)), np.ones(5)), "var is of incorrect size"),
        ("triplet_margin_loss", (np.ones(2), np.ones(2), np.ones(2), 0), "margin is a number above 0"),
        ("ctc_loss", (FRAMES, np.array([[2]]), [3], [1]), "a target is out of range"),
        ("ctc_loss", (FRAMES, np.array([[1]]), [4], [1]), "input_lengths are 1 integers from 0 to 3"),
        ("ctc_loss", (FRAMES, np.array([[1]]), [3], [1], 2), "blank must be in label range"),
    ],
)
def test_wrong_arguments(name, args, words):
    with pytest.raises(GradcliError, match=words):
        loss(name)(*args)
