"""Running extremes with ties and nan, running log-sum-exp at infinities, and the names of NumPy 2 and jax.lax."""

import numpy as np
import pytest

from gradcli.autodiff import grad, jvp
from gradcli.graph.errors import GradcliError
from gradcli.language import Program, RunOptions, Source
from gradcli.ops.registry import lookup

INF, NAN = np.inf, np.nan


def torch_(name):
    return lookup("torch", name)


def run(text, **values):
    program = Program.parse(Source("<test>", text))
    (core,) = program.run({k: np.asarray(v) for k, v in values.items()}, options=RunOptions()).cores()
    return np.asarray(core)


def test_of_equals_the_last_is_the_running_extreme():
    values, places = torch_("cummax")(np.array([1.0, 3.0, 3.0, 2.0, 3.0, NAN, 5.0]), 0)
    assert values.tolist()[:5] == [1.0, 3.0, 3.0, 3.0, 3.0] and np.isnan(values[5:]).all()
    assert places.tolist() == [0, 1, 2, 2, 4, 5, 5]
    values, places = torch_("cummin")(np.array([1.0, 3.0, 1.0, 2.0]), 0)
    assert (values.tolist(), places.tolist()) == ([1.0, 1.0, 1.0, 1.0], [0, 0, 2, 2])
    x = np.array([2.0, 2.0, 1.0])
    assert grad(lambda v: torch_("cummax")(v, 0)[0][2])(x).tolist() == [0.0, 1.0, 0.0]


@pytest.mark.parametrize(
    ("x", "shares"),
    [
        ([INF, 1.0], [1.0, 0.0]),
        ([1.0, INF], [0.0, 1.0]),
        ([-INF, 1.0], [0.0, 1.0]),
        ([INF, INF], [0.0, 1.0]),
        ([-INF, -INF], [0.0, 1.0]),
        ([1000.0, 1000.0], [0.5, 0.5]),
    ],
)
def test_logcumsumexp_at_infinity(x, shares):
    x, t = np.array(x), np.array([1.0, 10.0])
    with np.errstate(all="ignore"):
        assert grad(lambda v: torch_("logcumsumexp")(v, 0)[1])(x) == pytest.approx(shares, rel=1e-13)
        assert jvp(lambda v: torch_("logcumsumexp")(v, 0)[1], (x,), (t,))[1] == pytest.approx(np.dot(shares, t))


def test_cumulative_names_of_numpy_2():
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert lookup("numpy", "cumulative_sum")(x, axis=0, include_initial=True).tolist() == [[0, 0], [1, 2], [4, 6]]
    assert lookup("numpy", "cumulative_prod")(x[0], include_initial=True).tolist() == [1, 1, 2]
    with pytest.raises(GradcliError, match="needs to know along which"):
        lookup("numpy", "cumulative_sum")(x)


def test_lax_runs_along_the_first_axis_and_back():
    x = np.array([[1.0, 5.0], [3.0, 4.0]])
    assert lookup("jax.lax", "cumsum")(x, reverse=True).tolist() == [[4, 9], [3, 4]]
    assert lookup("jax.lax", "cummax")(x, axis=1, reverse=True).tolist() == [[5, 5], [4, 4]]
    assert lookup("jax.lax", "cumprod")(x).tolist() == [[1, 5], [3, 20]]


# --- methods of functions --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("np.maximum.accumulate(x)", [1, 3, 3]),
        ("np.minimum.accumulate(x, 0)", [1, 1, 1]),
        ("np.add.accumulate(x)", [1, 4, 6]),
        ("np.multiply.accumulate(x)", [1, 3, 6]),
        ("np.add.reduce(x)", 6),
        ("np.multiply.reduce(x, axis=None, keepdims=True)", [6]),
        ("np.maximum.reduce([x, 2*x])", [2, 6, 4]),
        ("np.add.reduceat(x, [0, 2])", [4, 2]),
        ("np.subtract.outer(x, x)[1]", [2, 0, 1]),
        ("np.power.outer([2.0, 3.0], x)", [[2, 8, 4], [3, 27, 9]]),
        ("np.less.outer(x, [2, 3])", [[True, True], [False, False], [False, True]]),
        ("import jax.numpy as jnp\njnp.logaddexp.reduce(log(x))", np.log(6)),
        ("from numpy import maximum\nmaximum.accumulate(x)", [1, 3, 3]),
        ("f = np.add\nf.reduce(x)", 6),
        ("y = np.zeros(3)\nnp.add.at(y, [0, 0, 2], x)\ny", [4, 0, 2]),
        ("y = np.ones(3)\nnp.maximum.at(y, 1, x[1])\ny", [1, 3, 1]),
    ],
)
def test_methods_of_numpys_functions(text, value):
    assert run(text, x=[1.0, 3.0, 2.0]) == pytest.approx(np.asarray(value))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("np.sin.reduce(x)", "the function 'sin' has no '.reduce'"),
        ("np.arctan2.reduce(x)", "the function 'arctan2' has no '.reduce'"),
        ("np.maximum.accumulat(x)", "unknown attribute '.accumulat'"),
        ("np.add.accumulate(1.0)", "takes elements along an axis, not a scalar"),
        ("np.add.reduceat(x, [5])", "indices from 0 to 2 are wanted"),
        ("np.sin.at(x, 0, 1)", "the function 'sin' has no '.at'"),
        ("np.add.at(1, 0, 1)", "add.at changes a tensor, not an integer"),
        ("np.add.reduce(x, 1)", "axis 1 is out of range"),
    ],
)
def test_what_functions_do_not_have(text, words):
    with pytest.raises(GradcliError, match=words):
        run(text, x=[1.0, 3.0, 2.0])
