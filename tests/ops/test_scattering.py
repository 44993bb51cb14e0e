"""Writes by value at indices: what happens where places are named twice, by none, or do not exist."""

import numpy as np
import pytest

from gradcli import autodiff
from gradcli.graph.errors import ArgumentError, DtypeError, GradcliError, ShapeError
from gradcli.graph.recording import Recording
from gradcli.ops.registry import FUNCTIONS, lookup, method

X = np.arange(12.0).reshape(3, 4)
I = np.array([[0, 1, 2, 0], [2, 0, 0, 1]])  # noqa: E741
K = np.array([2, 0])


def torch(name):
    return lookup("torch", name)


def shares(f, *xs):
    """The gradients of the sum of results weighed with 1, 10, 100, ..."""
    y, pull = autodiff.vjp(f, *[np.asarray(x, float) for x in xs])
    return [g.tolist() for g in pull(10.0 ** np.arange(y.size).reshape(y.shape))]


# --- one place named twice -------------------------------------------------------------------------------------------


def test_of_two_that_are_written_the_last_one_has_the_derivative():
    for name in ("scatter", "index_copy"):
        write = torch(name)
        assert write(np.zeros(2), 0, np.array([1, 1]), np.array([5.0, 6.0])).tolist() == [0, 6]
        to_x, to_v = shares(lambda x, v, write=write: write(x, 0, np.array([1, 1]), v), [0, 0], [5, 6])
        assert (to_x, to_v) == ([1, 0], [0, 10])


def test_of_two_that_are_added_both_have_it():
    for name in ("scatter_add", "index_add"):
        add = torch(name)
        to_x, to_v = shares(lambda x, v, add=add: add(x, 0, np.array([1, 1]), v), [0, 0], [5, 6])
        assert (to_x, to_v) == ([1, 10], [10, 10])


def test_a_negative_zero_beside_a_sum_stays_one():
    found = torch("index_add")(np.array([-0.0, 1.0]), 0, np.array([1]), np.array([1.0]))
    assert np.signbit(found).tolist() == [True, False]


def test_products_with_zeros_are_differentiated_exactly():
    reduce = torch("scatter_reduce")
    places = np.array([0, 0, 1, 1, 2])

    def f(x, v):
        return reduce(x, 0, places, v, "prod")

    to_x, to_v = shares(f, [2.0, 3.0, 5.0], [0.0, 7.0, 0.0, 0.0, 4.0])
    assert to_x == [0, 0, 400]
    assert to_v == [14, 0, 0, 0, 500]


def test_extremes_that_tie_share_evenly_with_what_is_there():
    reduce = torch("scatter_reduce")
    places = np.zeros(3, int)
    to_x, to_v = shares(lambda x, v: reduce(x, 0, places, v, "amax"), [2.0], [2.0, 1.0, 2.0])
    assert np.allclose(to_x, [1 / 3]) and np.allclose(to_v, [1 / 3, 0, 1 / 3])
    # What is not included is no rival, even where it is equal.
    to_x, to_v = shares(lambda x, v: reduce(x, 0, places, v, "amax", include_self=False), [2.0], [2.0, 1.0, 2.0])
    assert (to_x, to_v) == ([0], [0.5, 0, 0.5])


def test_means_count_what_is_there():
    reduce = torch("index_reduce")
    assert reduce(np.array([3.0, 9.0]), 0, np.array([0, 0]), np.array([6.0, 0.0]), "mean").tolist() == [3, 9]
    apart = reduce(np.array([3.0, 9.0]), 0, np.array([0, 0]), np.array([6.0, 0.0]), "mean", include_self=False)
    assert apart.tolist() == [3, 9]
    whole = reduce(np.array([3, 9]), 0, np.array([0, 0]), np.array([6, 1]), "mean")
    assert whole.tolist() == [3, 9] and whole.dtype == np.int64


def test_many_places_of_unlike_sizes_take_no_more_than_their_number():
    generator = np.random.default_rng(0)
    places = np.concatenate([np.zeros(50_000, int), generator.integers(0, 20_000, 50_000)])
    v = generator.normal(size=100_000)
    found = torch("scatter_reduce")(np.zeros(20_000), 0, places, v, "amax", include_self=False)
    expected = np.full(20_000, -np.inf)
    np.maximum.at(expected, places, v)
    expected[np.isinf(expected)] = 0
    np.testing.assert_array_equal(found, expected)


def test_empty_segments():
    ids = np.array([2, 0, 2])
    data = np.array([1.0, 2.0, 3.0])
    assert lookup("jax.ops", "segment_sum")(data, ids).tolist() == [2, 0, 4]
    assert lookup("jax.ops", "segment_prod")(data, ids).tolist() == [2, 1, 3]
    assert lookup("jax.ops", "segment_max")(data, ids).tolist() == [2, -np.inf, 3]
    assert lookup("jax.ops", "segment_min")(data, ids, num_segments=4).tolist() == [2, np.inf, 1, np.inf]
    assert lookup("jax.ops", "segment_max")(np.array([1, 2]), np.array([1, 1])).tolist() == [-(2**63), 2]
    # Segments that are not there count for nothing.
    assert lookup("jax.ops", "segment_sum")(data, np.array([0, 7, -1]), num_segments=2).tolist() == [1, 0]


# --- indices of every kind -------------------------------------------------------------------------------------------


def test_indices_may_be_whole_floats_and_traced():
    add = torch("index_add")
    assert add(np.zeros(3), 0, np.array([2.0, 0.0]), np.ones(2)).tolist() == [1, 0, 1]
    with Recording() as recording:
        k = recording.input("k", np.array([2.0, 0.0]))
        made = add(np.zeros(3), 0, k, np.ones(2))
    assert made.value.tolist() == [1, 0, 1]


def test_a_source_may_be_larger_and_an_index_longer_than_the_value():
    found = torch("scatter_add")(np.zeros((2, 2)), 0, np.array([[0, 1], [0, 0], [1, 1]]), np.ones((3, 3)))
    assert found.tolist() == [[2, 1], [1, 2]]


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (
            lambda: torch("scatter")(X, 0, np.array([[5]]), 1.0),
            ShapeError,
            "index 5 is out of range for axis 0 of size 3",
        ),
        (lambda: torch("scatter")(X, 1, np.array([[-1]]), 1.0), ShapeError, "index -1 is out of range for axis 1"),
        (lambda: torch("scatter")(X, 0, np.array([1]), X), ShapeError, "does not match shape [3, 4]"),
        (lambda: torch("scatter")(X, 0, np.zeros((2, 5), int), X), ShapeError, "does not fit into shape [3, 4]"),
        (lambda: torch("scatter")(X, 0, I, X[:1]), ShapeError, "does not fit into shape [1, 4]"),
        (lambda: torch("scatter")(X, 0, I, X[0]), ShapeError, "is given for an index of shape [2, 4]"),
        (lambda: torch("scatter")(X, 0, I), ArgumentError, "takes a source or a value"),
        (
            lambda: torch("scatter")(X, 0, I, 1.0, reduce="max"),
            ArgumentError,
            "reduce is 'add' or 'multiply', not 'max'",
        ),
        (lambda: torch("scatter")(X, 0, I + 0.5, 1.0), ArgumentError, "an index must be an integer"),
        (lambda: torch("scatter")(X.astype(int), 0, I, 1.5), DtypeError, "float64 does not go into int64"),
        (lambda: torch("scatter_add")(X, 0, I, 1j * X), DtypeError, "complex128 does not go into float64"),
        (lambda: torch("scatter_reduce")(X, 0, I, X, "median"), ArgumentError, "unknown reduction 'median'"),
        (lambda: torch("index_reduce")(X, 0, K, X[:2], "sum"), ArgumentError, "unknown reduction 'sum'"),
        (lambda: torch("index_add")(X, 0, np.array([-1]), X[:1]), ShapeError, "index -1 is out of range for axis 0"),
        (lambda: torch("index_add")(X, 0, K, X), ShapeError, "does not fit 2 slices along axis 0 of shape [3, 4]"),
        (lambda: torch("index_add")(X, 2, K, X), ShapeError, "axis 2 is out of range"),
        (lambda: torch("index_fill")(X, 0, K, X), ShapeError, "index_fill takes one number"),
        (
            lambda: torch("index_select")(X, 0, np.array([3])),
            ShapeError,
            "index 3 is out of range for axis 0 of size 3",
        ),
        (lambda: torch("index_put")(X, K, 1.0), ArgumentError, "takes a tuple of index tensors"),
        (
            lambda: torch("put")(X, np.array([13]), np.ones(1)),
            ShapeError,
            "index 13 is out of range for axis 0 of size 12",
        ),
        (lambda: torch("put")(X, np.array([1]), np.ones(2)), ShapeError, "2 elements are given for 1 places"),
        (lambda: torch("take")(X, np.array([-13])), ShapeError, "index -13 is out of range"),
        (lambda: torch("gather")(X, 0, np.array([[3]])), ShapeError, "index 3 is out of range for axis 0 of size 3"),
        (lambda: torch("masked_scatter")(X, X > 5, np.ones(2)), ShapeError, "2 elements are given for 6 places"),
        (lambda: torch("masked_select")(X, np.ones(3, bool)), ShapeError, "cannot broadcast shapes [3, 4] and [3]"),
        (lambda: torch("select_scatter")(X, X[0], 1, 0), ShapeError, "shape [4] is given for a part of shape [3]"),
        (lambda: torch("select_scatter")(X, X[0], 0, 3), ShapeError, "index 3 is out of range"),
        (lambda: torch("slice_scatter")(X, X, 0, 1, 3), ShapeError, "is given for a part of shape [2, 4]"),
        (lambda: torch("slice_scatter")(X, X, 0, step=0), ArgumentError, "the step must be at least 1"),
        (lambda: torch("diagonal_scatter")(X, np.ones(2)), ShapeError, "is given for a diagonal of shape [3]"),
        (lambda: torch("segment_reduce")(X[0], "max", lengths=[1, 2]), ShapeError, "do not add up to 4"),
        (lambda: lookup("jax.ops", "segment_sum")(X, K), ShapeError, "do not fit data of shape [3, 4]"),
    ],
)
def test_errors_say_what_and_where(call, kind, words):
    with pytest.raises(kind) as caught:
        call()
    assert words in caught.value.message


# --- NumPy's, in place -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "args", "kwargs"),
    [
        ("put", ([0, -1, 3], [7, 8]), {}),
        ("put", ([0, 99], 5), {"mode": "clip"}),
        ("putmask", (X > 5, [1, 2, 3]), {}),
        ("place", (X > 5, [1, 2, 3, 4]), {}),
        ("copyto", (np.arange(4),), {"where": X > 5}),
        ("put_along_axis", (np.array([[1], [0], [3]]), 9, 1), {}),
        ("fill_diagonal", ([1, 2],), {}),
    ],
)
def test_numpys_writes(name, args, kwargs):
    expected = X.copy()
    getattr(np, name)(expected, *args, **kwargs)
    np.testing.assert_array_equal(lookup("numpy", name)(X, *args, **kwargs), expected)
    assert lookup("numpy", name).in_place


def test_those_in_place_are_said_to_be():
    assert {f.name for f in FUNCTIONS if f.in_place} >= {"put", "putmask", "place", "copyto", "fill_diagonal", "add_at"}
    assert not method("put", True).in_place and method("put", False).in_place


@pytest.mark.parametrize(
    ("name", "args", "words"),
    [
        ("put", ([12], 1.0), "index 12 is out of range for axis 0 of size 12"),
        ("put", ([12], 1.0, "nearest"), "unknown mode 'nearest'"),
        ("putmask", (X[0] > 1, 1.0), "a mask of shape [4] does not fit shape [3, 4]"),
        ("place", (X > 5, []), "nothing to put"),
        ("copyto", (np.ones(3),), "shape [3] does not go into shape [3, 4]"),
        ("copyto", (1j * X,), "complex128 does not go into float64"),
        ("fill_diagonal", ([],), "nothing to fill"),
    ],
)
def test_numpys_writes_say_what_is_wrong(name, args, words):
    with pytest.raises(GradcliError) as caught:
        lookup("numpy", name)(X, *args)
    assert words in caught.value.message
