"""Tensors from numbers and sizes, and random ones."""

import numpy as np
import pytest

from gradcli.autodiff import grad, jacobian, vjp
from gradcli.graph.budget import budget
from gradcli.graph.errors import ArgumentError, GradcliError, LimitReached
from gradcli.graph.recording import Recording
from gradcli.graph.state import state
from gradcli.ops.registry import lookup


def numpy_(name):
    return lookup("numpy", name)


def torch_(name):
    return lookup("torch", name)


@pytest.fixture
def float32():
    state.default_float = np.dtype(np.float32)
    yield
    state.default_float = np.dtype(np.float64)


@pytest.fixture
def limited():
    budget.open(1 << 28)
    yield
    budget.open(None)


def test_sizes_in_each_module_s_form():
    assert numpy_("zeros")((2, 3)).shape == (2, 3)
    assert numpy_("zeros")(3, "int64").dtype == np.int64
    assert torch_("zeros")(2, 3).shape == torch_("zeros")((2, 3)).shape == torch_("zeros")(size=(2, 3)).shape == (2, 3)
    assert lookup("numpy.random", "randn")(2, 3).shape == torch_("randn")((2, 3)).shape == (2, 3)
    assert numpy_("full")((2,), 1.5).tolist() == torch_("full")((2,), 1.5).tolist() == [1.5, 1.5]


def test_a_float_that_is_a_whole_number_is_a_size():
    assert numpy_("zeros")(3.0).shape == (3,)
    assert numpy_("eye")(np.array(2.0)).shape == (2, 2)
    assert numpy_("ones")(np.array([2.0, 3.0])).shape == (2, 3)


@pytest.mark.parametrize(
    ("name", "args", "words"),
    [
        ("zeros", (-1,), r"zeros: a size can't be negative: \[-1\]"),
        ("eye", (-2,), "eye: a size can't be negative"),
        ("ones", ((2, -3),), r"\[2, -3\]"),
        ("zeros", (2.5,), "must be an integer, not 2.5"),
        ("zeros", (2, 3), "zeros takes its sizes as one tuple"),
        ("zeros", ("a",), "must be an integer"),
        ("arange", (0, 5, 0), "the step can't be 0"),
        ("arange", (float("inf"),), "must be finite"),
        ("linspace", (0, 1, -1), "can't be negative"),
        ("array", ([[1, 2], [3]],), "unequal parts"),
    ],
)
def test_sizes_that_can_not_be(name, args, words):
    with pytest.raises(GradcliError, match=words):
        numpy_(name)(*args)


@pytest.mark.parametrize(
    "make",
    [
        lambda: numpy_("zeros")(10**12),
        lambda: numpy_("ones")((10**6, 10**6)),
        lambda: numpy_("full")(10**12, 1.0),
        lambda: numpy_("eye")(10**6),
        lambda: numpy_("arange")(10**12),
        lambda: numpy_("linspace")(0, 1, 10**12),
        lambda: torch_("randn")(10**12),
        lambda: numpy_("zeros")(10**30),
        lambda: numpy_("arange")(10**30),
        lambda: numpy_("outer")(np.zeros(10**6), np.zeros(10**6)),
    ],
)
def test_what_is_too_large_is_never_allocated(make, limited):
    with pytest.raises(LimitReached, match="--max-bytes"):
        make()


def test_dtypes(float32):
    assert numpy_("zeros")(2).dtype == np.float32
    assert numpy_("arange")(3).dtype == np.int64
    assert numpy_("arange")(3.0).dtype == np.float32
    assert numpy_("linspace")(0, 1, 3).dtype == np.float32
    assert numpy_("linspace")(np.array(0.0, np.float32), 1, 3).dtype == np.float32
    assert numpy_("array")([1.0, 2.0]).dtype == np.float32
    assert numpy_("array")([1, 2]).dtype == np.int64
    assert numpy_("full")(2, 1).dtype == np.int64
    assert numpy_("full")(2, 1.0).dtype == np.float32
    assert numpy_("ones_like")(np.zeros(2)).dtype == np.float64
    assert torch_("randn")(2).dtype == np.float32


def test_arange_is_numpy_s():
    for args in [(0, 1, 0.1), (1, 2.0000001), (5, 0, -1), (0.5, 3.5, 0.75), (3, 3), (4, 2), (0, 10, 3)]:
        assert numpy_("arange")(*args).tolist() == np.arange(*args).tolist()
    assert torch_("arange")(start=1, end=4).tolist() == [1, 2, 3]
    assert numpy_("arange")(np.array(3)).dtype == np.int64


def test_ranges_are_differentiable_in_their_ends():
    linspace = numpy_("linspace")
    assert jacobian(lambda a: linspace(a, 3.0, 3))(np.array(1.0)).tolist() == [1.0, 0.5, 0.0]
    assert jacobian(lambda b: linspace(1.0, b, 3))(np.array(3.0)).tolist() == [0.0, 0.5, 1.0]
    assert jacobian(lambda b: linspace(0.0, b, 4, endpoint=False))(np.array(1.0)).tolist() == [0, 0.25, 0.5, 0.75]
    assert jacobian(lambda s: numpy_("arange")(0.0, 1.0, s))(np.array(0.25)).tolist() == [0, 1, 2, 3]
    assert jacobian(lambda a: numpy_("arange")(a, 3.0))(np.array(0.0)).tolist() == [1, 1, 1]
    # 10**linspace(0, b, 3)
    found = jacobian(lambda b: numpy_("logspace")(0.0, b, 3))(np.array(2.0))
    assert found == pytest.approx(np.log(10) * np.array([0.0, 5.0, 100.0]))


def test_linspace_ends_where_it_is_told():
    for ends in [(0.1, 0.7), (1.0, 1e17), (-3.3, 9.9)]:
        found, _ = vjp(lambda b, a=ends[0]: numpy_("linspace")(a, b, 7), np.array(ends[1]))
        assert found.tolist() == np.linspace(*ends, 7).tolist()


def test_full_is_differentiable_in_its_value():
    total = numpy_("sum")
    assert grad(lambda v: total(numpy_("full")((2, 3), v)))(np.array(1.0)) == 6.0
    assert grad(lambda v: total(numpy_("full_like")(np.zeros(4), v)))(np.array(1.0)) == 4.0


def test_recordings_keep_constructors_and_guards():
    with Recording() as recording:
        n = recording.input("n", np.array(3.0))
        numpy_("zeros")(n)
        numpy_("arange")(n)
    assert [node.op.name for node in recording.nodes if node.op is not None] == ["zeros", "arange"]
    assert [(guard.node, float(guard.value)) for guard in recording.guards] == [(n, 3.0), (n, 3.0)]


# --- random ----------------------------------------------------------------------------------------------------------


def test_a_seed_decides_all():
    seed, randn = torch_("manual_seed"), torch_("randn")
    seed(3)
    first = randn(4).tolist()
    seed(3)
    assert randn(4).tolist() == first
    assert randn(4).tolist() != first
    lookup("numpy.random", "seed")(4)
    assert randn(4).tolist() != first
    state.generator = None
    by_itself = randn(2).tolist()
    seed(0)
    assert randn(2).tolist() == by_itself


def test_distributions_have_their_bounds():
    torch_("manual_seed")(0)
    assert 0 <= lookup("numpy.random", "rand")(1000).min() < 0.01
    x = lookup("numpy.random", "uniform")(2.0, 5.0, 1000)
    assert (x >= 2).all() and (x < 5).all() and x.mean() == pytest.approx(3.5, abs=0.1)
    z = lookup("numpy.random", "normal")(10.0, 2.0, (50, 20))
    assert z.shape == (50, 20) and z.mean() == pytest.approx(10, abs=0.2) and z.std() == pytest.approx(2, abs=0.2)
    k = lookup("numpy.random", "randint")(2, 5, 1000)
    assert set(k.tolist()) == {2, 3, 4} and k.dtype == np.int64
    assert set(torch_("randint")(3, (100,)).tolist()) == {0, 1, 2}
    assert set(torch_("randint")(1, 3, (100,)).tolist()) == {1, 2}
    assert sorted(torch_("randperm")(5).tolist()) == [0, 1, 2, 3, 4]


def test_random_errors():
    with pytest.raises(ArgumentError, match="no integer is at least 5 and below 2"):
        lookup("numpy.random", "randint")(5, 2)
    with pytest.raises(ArgumentError, match="can't be negative"):
        torch_("manual_seed")(-1)


def test_draws_are_constants_and_their_scale_is_not():
    def f(m, s):
        state.generator = np.random.default_rng(1)
        return numpy_("sum")(lookup("numpy.random", "normal")(m, s, 3))

    draws = np.random.default_rng(1).standard_normal(3)
    by_mean, by_scale = grad(f, (0, 1))(np.array(0.5), np.array(2.0))
    assert (by_mean, by_scale) == pytest.approx((3.0, draws.sum()))
