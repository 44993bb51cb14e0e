"""Order with ties and nan: sort, topk, mode, medians and quantiles."""

import numpy as np
import pytest

from gradcli.autodiff import grad
from gradcli.graph.errors import GradcliError
from gradcli.ops.registry import lookup, method

INF, NAN = np.inf, np.nan


def torch_(name):
    return lookup("torch", name)


def numpy_(name):
    return lookup("numpy", name)


# --- sort ------------------------------------------------------------------------------------------------------------


def test_equal_elements_keep_their_order():
    x = np.array([3.0, 1.0, 3.0, 1.0])
    values, places = torch_("sort")(x, descending=True)
    assert (values.tolist(), places.tolist()) == ([3, 3, 1, 1], [0, 2, 1, 3])
    assert numpy_("argsort")(x).tolist() == [1, 3, 0, 2]
    assert torch_("topk")(x, 3)[1].tolist() == [0, 2, 1]
    assert lookup("jax.lax", "top_k")(x, 1)[1].tolist() == [0]
    assert grad(lambda v: numpy_("sort")(v)[0])(x).tolist() == [0, 1, 0, 0]


def test_sort_takes_the_options_of_each_module():
    x = np.array([[3.0, 1.0], [2.0, 4.0]])
    assert numpy_("sort")(x, axis=None, kind="stable").tolist() == [1, 2, 3, 4]
    assert numpy_("sort")(x, descending=True).tolist() == [[3, 1], [4, 2]]
    assert torch_("msort")(x).tolist() == [[2, 1], [3, 4]]
    assert method("argsort", torch=True)(x, 0, True).tolist() == [[0, 1], [1, 0]]
    assert method("argsort", torch=False)(x, axis=0).tolist() == [[1, 0], [0, 1]]
    assert numpy_("lexsort")((x[0], x[1])).tolist() == [0, 1]
    assert numpy_("partition")(np.array([3.0, 1.0, 2.0]), 1)[1] == 2.0


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: numpy_("sort")(x, kind="bubble"), "sort: no kind 'bubble'"),
        (lambda x: numpy_("sort")(x, order="name"), "order= is for records"),
        (lambda x: numpy_("sort")(x, kind="stable", stable=True), "can't both be given"),
        (lambda x: numpy_("sort")(x[0, 0]), "a scalar has no axis"),
        (lambda x: numpy_("partition")(x, 5), "kth 5 is out of range for 2 elements"),
        (lambda x: numpy_("lexsort")([x[0], x]), "keys of unequal shapes"),
        (lambda x: torch_("topk")(x, 3), "selected index k out of range"),
        (lambda x: torch_("kthvalue")(x, 0), "selected number k out of range"),
        (lambda x: torch_("mode")(x[:, :0]), "mode of no elements"),
        (lambda x: torch_("median")(x[:0]), "median of no elements"),
        (lambda x: torch_("median")(x + 1j), "real numbers, which have an order"),
        (lambda x: numpy_("median")(x[:0]), "median of no elements"),
        (lambda x: numpy_("quantile")(x, 1.5), "q lies between 0 and 1"),
        (lambda x: numpy_("percentile")(x, 101), "q lies between 0 and 100"),
        (lambda x: numpy_("quantile")(x, [[0.5]]), "q is a number or a vector"),
        (lambda x: numpy_("quantile")(x, 0.5, method="best"), "no method 'best'"),
        (lambda x: numpy_("quantile")(x, 0.5, weights=x), "weights= needs method='inverted_cdf'"),
        (lambda x: numpy_("quantile")(x[:0], 0.5), "quantile of no elements"),
        (lambda x: torch_("quantile")(x, 0.5, interpolation="hazen"), "interpolation must be one of linear"),
    ],
)
def test_what_has_no_answer_says_so(call, words):
    with pytest.raises(GradcliError, match=words):
        call(np.array([[3.0, 1.0], [2.0, 4.0]]))


# --- medians ---------------------------------------------------------------------------------------------------------


def test_the_median_of_all_is_shared_by_its_equals():
    x = np.array([3.0, 3.0, 3.0, 1.0])
    assert grad(torch_("median"))(x) == pytest.approx([1 / 3, 1 / 3, 1 / 3, 0])
    assert grad(lambda v: torch_("median")(v, 0)[0])(x).tolist() == [1, 0, 0, 0]
    assert grad(numpy_("median"))(x).tolist() == [0.5, 0.5, 0, 0]


def test_a_nan_is_the_median_of_all_and_no_number_s():
    x = np.array([3.0, NAN, 1.0, 2.0])
    assert np.isnan(numpy_("median")(x)) and np.isnan(torch_("median")(x))
    assert torch_("median")(x, 0)[1] == 1
    assert numpy_("nanmedian")(x) == 2.0
    assert torch_("nanmedian")(x) == 2.0
    assert grad(torch_("nanmedian"))(x).tolist() == [0, 0, 0, 1]
    assert grad(numpy_("nanmedian"))(x[:3]).tolist() == [0.5, 0, 0.5]
    holes = np.array([[NAN, NAN], [1.0, NAN]])
    values, places = torch_("nanmedian")(holes, 1)
    assert np.isnan(values[0]) and values[1] == 1.0 and places.tolist() == [0, 0]


def test_mode_takes_the_smallest_of_the_most_frequent_and_its_last_place():
    value, place = torch_("mode")(np.array([3.0, 1.0, 3.0, 1.0, 2.0]))
    assert (value, place) == (1.0, 3)
    assert grad(lambda v: torch_("mode")(v)[0])(np.array([3.0, 1.0, 3.0, 1.0, 2.0])).tolist() == [0, 0, 0, 1, 0]


# --- quantiles -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method_", ["linear", "hazen", "weibull", "lower", "inverted_cdf", "midpoint", "nearest"])
@pytest.mark.parametrize("q", [0.0, 0.2, 0.5, 1.0])
def test_quantiles_are_numpys_with_ties_and_at_the_ends(method_, q):
    x = np.array([2.0, 1.0, 2.0, 5.0, -1.0])
    assert numpy_("quantile")(x, q, method=method_) == np.quantile(x, q, method=method_)
    assert np.sum(grad(lambda v: numpy_("quantile")(v, q, method=method_))(x)) == pytest.approx(1.0)


def test_quantiles_between_infinities():
    x = np.array([-INF, 1.0, 2.0, INF])
    with np.errstate(all="ignore"):
        assert numpy_("quantile")(x, 0.1) == -INF
        assert numpy_("quantile")(x, 0.9) == INF
        assert numpy_("quantile")(x, 0.5) == 1.5
        assert numpy_("quantile")(np.array([INF, INF]), 0.5) == INF
        assert np.isnan(numpy_("quantile")(np.array([1.0, NAN]), 0.5))


def test_quantiles_by_their_level():
    x = np.array([1.0, 4.0, 2.0, 8.0])
    assert grad(lambda q: torch_("quantile")(x, q))(np.array(0.3)) == pytest.approx(3.0)
    assert numpy_("quantile")(x, [0.25, 0.75]).tolist() == np.quantile(x, [0.25, 0.75]).tolist()
    assert numpy_("quantile")(x.astype(np.float32), 0.3).dtype == np.float32
    assert numpy_("quantile")(np.array([1, 2, 3]), 0.5, method="lower").dtype == np.int64
    assert torch_("nanquantile")(np.array([[1.0, NAN], [3.0, 5.0]]), 0.5, dim=1).tolist() == [1.0, 4.0]
