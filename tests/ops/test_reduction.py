"""What the table can't say of reductions: ties, zeros, infinities, overloads and errors."""

import numpy as np
import pytest
import scipy.special

from gradcli.autodiff import grad, hessian, jacobian
from gradcli.graph.errors import ArgumentError, GradcliError, ShapeError
from gradcli.graph.recording import Recording
from gradcli.graph.state import state
from gradcli.ops.registry import lookup, method


def numpy_(name):
    return lookup("numpy", name)


def torch_(name):
    return lookup("torch", name)


def of(f, *args, **kwargs):
    """The gradient of the sum of f(x, ...)."""
    return lambda x: grad(lambda v: numpy_("sum")(f(v, *args, **kwargs)))(np.asarray(x, dtype=float)).tolist()


# --- sum and mean ----------------------------------------------------------------------------------------------------


def test_sum_of_bools_and_integers_is_int64():
    assert numpy_("sum")(np.array([True, True])).dtype == np.int64
    assert numpy_("sum")(np.array([1, 2], np.int32)).dtype == np.int64
    assert numpy_("sum")(np.array([1, 2], np.uint8)).dtype == np.uint64
    assert numpy_("count_nonzero")(np.array([0.0, 2.0, 3.0])) == 2


def test_third_positional_argument_is_keepdim_in_torch_and_dtype_in_numpy():
    x = np.ones((2, 3))
    assert torch_("sum")(x, 1, True).shape == (2, 1)
    assert numpy_("sum")(x, 1, "float32").dtype == np.float32
    assert numpy_("sum")(x, dim=1, keepdim=True).shape == (2, 1)
    assert numpy_("mean")(np.array([1, 2])).tolist() == 1.5


def test_mean_of_integers_is_of_the_default_float():
    state.default_float = np.dtype(np.float32)
    try:
        assert numpy_("mean")(np.array([1, 2])).dtype == np.float32
    finally:
        state.default_float = np.dtype(np.float64)


@pytest.mark.parametrize(
    ("axis", "words"),
    [
        (2, r"sum: axis 2 is out of range for shape \[2, 3\]"),
        (-3, r"axis -3 is out of range"),
        ((0, 0), r"shape \[2, 3\] is given twice"),
        ((0, -2), r"given twice"),
        (0.5, r"must be an integer, not 0.5"),
    ],
)
def test_axes_that_do_not_exist(axis, words):
    with pytest.raises((ShapeError, ArgumentError), match=words):
        numpy_("sum")(np.ones((2, 3)), axis)


def test_an_axis_may_be_a_float_or_a_0d_array():
    x = np.arange(6.0).reshape(2, 3)
    assert numpy_("sum")(x, 1.0).tolist() == [3.0, 12.0]
    assert numpy_("sum")(x, np.array(0)).tolist() == [3.0, 5.0, 7.0]
    assert numpy_("sum")(np.array(4.0), 0) == 4.0


MASK = np.array([[True, False], [True, True]])


def test_elements_outside_of_where_have_derivative_zero_whatever_they_are():
    x = np.array([[1.0, np.nan], [2.0, 5.0]])
    for name in ("sum", "mean", "var", "std"):
        assert numpy_(name)(x, where=MASK) == pytest.approx(getattr(np, name)(x, where=MASK))
        assert of(numpy_(name), where=MASK)(x)[0][1] == 0.0
    assert of(numpy_("prod"), where=MASK)(x) == [[10.0, 0.0], [5.0, 2.0]]
    assert of(numpy_("max"), where=MASK, initial=-1.0)(x) == [[0.0, 0.0], [0.0, 1.0]]
    assert numpy_("any")(x, where=np.zeros((2, 2), bool)) == np.False_
    assert numpy_("all")(np.zeros(2), where=np.array([False, False])) == np.True_


def test_a_mean_of_no_elements_is_nan_with_derivative_zero():
    nothing = np.zeros((2, 2), bool)
    with np.errstate(all="ignore"):
        assert np.isnan(numpy_("mean")(np.ones((2, 2)), where=nothing))
        assert of(numpy_("mean"), where=nothing)(np.ones((2, 2))) == [[0.0, 0.0], [0.0, 0.0]]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: numpy_("sum")(x, where=np.ones(2)), "where= takes bools, not float64"),
        (lambda x: numpy_("sum")(x, where=np.ones(3, bool)), r"cannot broadcast shapes \[3\] and \[2, 2\]"),
        (lambda x: numpy_("sum")(x, where=np.ones((3, 2, 2), bool)), r"where= of shape \[3, 2, 2\] does not fit"),
        (lambda x: numpy_("max")(x, where=MASK), "where= needs initial="),
        (lambda x: numpy_("max")(x, initial=np.ones(2)), r"initial= is one number, not shape \[2\]"),
        (lambda x: numpy_("average")(x, weights=np.zeros((2, 2))), "the weights sum to zero"),
    ],
)
def test_wrong_masks_are_named(call, words):
    with pytest.raises(GradcliError, match=words):
        call(np.ones((2, 2)))


# --- products --------------------------------------------------------------------------------------------------------


def test_prod_is_exact_where_elements_are_zero():
    prod = numpy_("prod")
    assert of(prod)([2.0, 0.0, 3.0]) == [0.0, 6.0, 0.0]
    assert of(prod)([0.0, 0.0, 3.0]) == [0.0, 0.0, 0.0]
    assert hessian(prod)(np.array([0.0, 0.0, 3.0])).tolist() == [[0, 3, 0], [3, 0, 0], [0, 0, 0]]


def test_prod_does_not_overflow_on_the_way():
    with np.errstate(all="ignore"):
        assert of(numpy_("prod"))([1e200, 1e200, 1e-300]) == pytest.approx([1e-100, 1e-100, np.inf])


def test_cumprod_is_exact_where_elements_are_zero():
    rows = jacobian(numpy_("cumprod"))(np.array([2.0, 0.0, 3.0]))
    assert rows.tolist() == [[1, 0, 0], [0, 2, 0], [0, 6, 0]]


# --- extremes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "x"), [("max", [1.0, 3.0, 3.0]), ("min", [9.0, 3.0, 3.0])])
def test_ties_share_evenly(name, x):
    assert of(numpy_(name))(x) == [0.0, 0.5, 0.5]
    assert of(numpy_("a" + name))(x) == [0.0, 0.5, 0.5]
    assert of(torch_(name))(x) == [0.0, 0.5, 0.5]
    assert of(lambda v: torch_(name)(v, 0)[0])(x) == [0.0, 1.0, 0.0]


def test_max_of_torch_has_three_forms():
    x = np.array([[1.0, 5.0], [7.0, 2.0]])
    values, indices = torch_("max")(x, 1)
    assert (values.tolist(), indices.tolist()) == ([5.0, 7.0], [1, 0])
    values, indices = torch_("max")(x, dim=0, keepdim=True)
    assert (values.tolist(), indices.tolist()) == ([[7.0, 5.0]], [[1, 0]])
    assert torch_("max")(x) == 7.0
    assert torch_("max")(x, np.zeros((2, 2)) + 3).tolist() == [[3.0, 5.0], [7.0, 3.0]]
    assert torch_("min")(x, other=np.array(2.0)).tolist() == [[1.0, 2.0], [2.0, 2.0]]
    value, index = torch_("max")(np.array(3.0), 0)
    assert (value, index, value.shape) == (3.0, 0, ())
    with pytest.raises(ArgumentError, match="keepdim needs a dim"):
        torch_("max")(x, keepdim=True)


def test_methods_follow_the_module():
    x = np.array([[1.0, 5.0]])
    assert method("max", torch=False)(x, 1).tolist() == [5.0]
    assert len(method("max", torch=True)(x, 1)) == 2
    assert method("std", torch=False)(x) == 2.0
    assert method("std", torch=True)(x) == pytest.approx(np.sqrt(8.0))


def test_extremes_of_nothing_are_errors():
    for name in ("max", "min", "argmax", "argmin"):
        with pytest.raises(ShapeError, match=r"of no elements has no value: shape \[0"):
            numpy_(name)(np.zeros((0, 2)), 0)
    assert numpy_("max")(np.zeros((0, 2)), 1).shape == (0,)


def test_nan_is_the_largest_and_the_smallest():
    assert np.isnan(numpy_("max")(np.array([1.0, np.nan])))
    assert np.isnan(numpy_("min")(np.array([1.0, np.nan])))


def test_argmax_takes_the_first_of_ties():
    assert numpy_("argmax")(np.array([1.0, 3.0, 3.0])) == 1
    assert numpy_("argmax")(np.array([[1.0, 9.0], [3.0, 3.0]]), keepdims=True).tolist() == [[1]]


# --- spread ----------------------------------------------------------------------------------------------------------


def test_std_of_torch_is_unbiased():
    x = np.array([1.0, 2.0, 4.0])
    assert torch_("std")(x) == pytest.approx(np.std(x, ddof=1))
    assert torch_("std")(x, False) == pytest.approx(np.std(x))
    assert torch_("var")(x, correction=0) == pytest.approx(np.var(x))
    assert numpy_("std")(x, ddof=1) == pytest.approx(np.std(x, ddof=1))


def test_std_where_all_are_equal_has_derivative_zero():
    assert of(numpy_("std"))([2.0, 2.0, 2.0]) == [0.0, 0.0, 0.0]
    assert np.all(hessian(numpy_("std"))(np.full(3, 2.0)) == 0)


def test_var_of_one_element_unbiased_is_nan():
    with np.errstate(all="ignore"):
        assert np.isnan(torch_("var")(np.array([3.0])))
        assert np.isnan(of(torch_("var"))([3.0])).all()


# --- log-sum-exp and softmax -----------------------------------------------------------------------------------------


def test_logsumexp_does_not_overflow():
    f = lookup("scipy.special", "logsumexp")
    assert f(np.array([1000.0, 1000.0])) == pytest.approx(1000 + np.log(2))
    assert of(f)([1000.0, 1000.0]) == [0.5, 0.5]
    with np.errstate(all="ignore"):
        assert f(np.array([-np.inf, -np.inf])) == -np.inf
        assert f(np.array([np.inf, 1.0])) == np.inf
        assert f(np.zeros(0)) == -np.inf


def test_logsumexp_with_factors():
    f = lookup("scipy.special", "logsumexp")
    x, b = np.array([0.1, 0.2]), np.array([2.0, 0.0])
    assert f(x, b=b) == pytest.approx(scipy.special.logsumexp(x, b=b))
    assert f(x, None, b) == pytest.approx(scipy.special.logsumexp(x, b=b))
    assert grad(lambda b: f(x, b=b))(b).tolist() == pytest.approx((np.exp(x) / np.sum(b * np.exp(x))).tolist())


def test_softmax_axis_is_each_module_s_own():
    x = np.arange(6.0).reshape(2, 3)
    assert lookup("scipy.special", "softmax")(x).sum() == pytest.approx(1.0)
    assert lookup("jax.nn", "softmax")(x).sum(-1) == pytest.approx([1.0, 1.0])
    assert lookup("torch.nn.functional", "softmax")(x, dim=0).sum(0) == pytest.approx([1.0] * 3)
    assert lookup("", "softmax") is lookup("scipy.special", "softmax")
    assert lookup("scipy.special", "softmax")(np.array([1e4, 0.0])).tolist() == [1.0, 0.0]
    assert lookup("scipy.special", "log_softmax")(np.array([1e4, 0.0])).tolist() == [0.0, -1e4]


# --- norms -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ord", [None, 1, 1.5, 2, 3, np.inf])
def test_norm_at_the_origin_has_derivative_zero(ord):
    f = lookup("numpy.linalg", "norm")
    assert of(f, ord)([0.0, 0.0]) == [0.0, 0.0]


def test_norm_reads_its_order_from_the_shape():
    f = lookup("numpy.linalg", "norm")
    a = np.arange(6.0).reshape(2, 3) - 2
    assert f(a, 1) == np.linalg.norm(a, 1)
    assert f(a, np.inf) == np.linalg.norm(a, np.inf)
    assert f(a, -1) == np.linalg.norm(a, -1)
    assert f(a.reshape(1, 2, 3)) == np.linalg.norm(a)
    assert lookup("torch", "norm")(a, 1) == np.abs(a).sum()
    assert lookup("torch", "norm")(a, p="fro", dim=1).tolist() == np.linalg.norm(a, axis=1).tolist()
    assert f(a, 2) == pytest.approx(np.linalg.norm(a, 2))
    with pytest.raises(ShapeError, match="over 3 axes"):
        f(a.reshape(1, 2, 3), 1)


def test_integers_have_float_norms():
    assert lookup("numpy.linalg", "norm")(np.array([3, 4])) == 5.0


# --- nodes -----------------------------------------------------------------------------------------------------------


def test_node_names_are_pytorch_s():
    x = np.ones((2, 3))
    with Recording() as recording:
        leaf = recording.input("x", x)
        torch_("sum")(leaf)
        torch_("sum")(leaf, 1)
        torch_("max")(leaf)
        torch_("matmul")(leaf, np.ones(3))
    names = [n.op.torch(n.inputs, n.params) for n in recording.nodes if n.op is not None]
    assert names == ["SumBackward0", "SumBackward1", "MaxBackward1", "MvBackward0"]
