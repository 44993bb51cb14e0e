"""What NumPy and JAX write with brackets or change in place: x.at[i].set(v), np.put(x, ...), np.mgrid[...]."""

from __future__ import annotations

import numpy as np
import pytest

from gradcli.autodiff import jacobian
from gradcli.graph.errors import GradcliError
from gradcli.language import Program, RunOptions, Source

X = np.array([1.0, 2.0, 3.0])
NP = "import numpy as np\n"
JAX = "import jax\nimport jax.numpy as jnp\n"


def value(text: str, **given):
    program = Program.parse(Source("<program>", text))
    return program.run(program.resolve(given)).cores()[0]


def slope(text: str, x=X):
    program = Program.parse(Source("<program>", text))
    return jacobian(program.function(["x"], {"x": x}, options=RunOptions()))(x).tolist()


# --- x.at[i] ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x.at[0].set(9)", [9, 2, 3]),
        ("x.at[1:].add(10)", [1, 12, 13]),
        ("x.at[[0, 0, 2]].add([1, 2, 4])", [4, 2, 7]),
        ("x.at[[0, 0]].subtract(1)", [-1, 2, 3]),
        ("x.at[[0, 0]].multiply(3)", [9, 2, 3]),
        ("x.at[[0, 0]].mul([3, 5])", [15, 2, 3]),
        ("x.at[[1, 1]].divide([2, 4])", [1, 0.25, 3]),
        ("x.at[1].power(3)", [1, 8, 3]),
        ("x.at[[0, 0]].max([5, 4])", [5, 2, 3]),
        ("x.at[x > 1].min(2)", [1, 2, 2]),
        ("x.at[-1].get()", 3),
        ("x.at[[0, 5]].get(mode='clip')", [1, 3]),
        ("x.at[[0, 5]].get(mode='fill', fill_value=-1)", [1, -1]),
        ("x.at[[0, 5]].set(7, mode='drop')", [7, 2, 3]),
        ("x.at[1].apply(lambda v: v**2)", [1, 4, 3]),
        (JAX + "x.at[jnp.array([0, 2])].apply(jnp.negative)", [-1, 2, -3]),
        (JAX + "jnp.zeros((2, 3)).at[1, :].set(x)[1]", [1, 2, 3]),
        ("y = x.at[0].set(9)\nx", [1, 2, 3]),
    ],
)
def test_updates_at_an_index(text, expected):
    assert np.asarray(value(text, x=X)).tolist() == expected


def test_updates_are_differentiable_in_what_comes():
    assert slope("x.at[[0, 0, 2]].add(2*x)") == [[3, 2, 0], [0, 1, 0], [0, 0, 3]]
    assert slope("x.at[0].set(x[1]**2)") == [[0, 4, 0], [0, 1, 0], [0, 0, 1]]
    assert slope("x.at[[0, 0]].multiply(x[1:])") == [[6, 3, 2], [0, 1, 0], [0, 0, 1]]


# --- in place --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("np.put(y, [0, 2], [7, 8])", [7, 2, 8]),
        ("y.put([1], 5)", [1, 5, 3]),
        ("np.putmask(y, y > 1, -y)", [1, -2, -3]),
        ("np.place(y, y > 1, [9])", [1, 9, 9]),
        ("np.copyto(y, 4, where=y > 2)", [1, 2, 4]),
        ("np.put_along_axis(y, np.array([2]), 0, 0)", [1, 2, 0]),
        ("np.add.at(y, [0, 0], 1)", [3, 2, 3]),
        ("np.maximum.at(y, [0, 1], 1.5)", [1.5, 2, 3]),
        ("np.put(y[1:], 0, 9)", [1, 9, 3]),
        ("z = y\nnp.put(z, 0, 9)", [9, 2, 3]),
    ],
)
def test_a_change_in_place(text, expected):
    assert value(f"{NP}y = x*1\n{text}\ny", x=X).tolist() == expected


def test_a_change_in_place_gives_nothing_and_is_differentiable():
    assert slope(NP + "y = x*1\nnp.put(y, [0, 0], x[1:]**2)\ny") == [[0, 0, 6], [0, 1, 0], [0, 0, 1]]
    assert slope(NP + "a = np.diag(x)*1\nnp.fill_diagonal(a, x[0])\na.sum()") == [3, 0, 0]
    assert bool(value(NP + "y = x*1\nr = np.put(y, 0, 1)\nr is None", x=X))
    # JAX gives the changed value, and leaves the first one as it is.
    assert value(JAX + "y = jnp.put(x, 0, 9.0, inplace=False)\ny + x", x=X).tolist() == [10, 4, 6]


def test_lists_are_not_changed_in_place():
    with pytest.raises(GradcliError, match=r"put\(\) changes its first argument, which must be a tensor"):
        value(NP + "y = [1.0, 2.0]\nnp.put(y, 0, 1)\ny")


# --- objects with brackets -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("np.mgrid[0:3]", np.mgrid[0:3]),
        ("np.mgrid[0:2, 1:3]", np.mgrid[0:2, 1:3]),
        ("np.mgrid[0:1:0.25]", np.mgrid[0:1:0.25]),
        ("np.mgrid[-1:1:5j, 0:2]", np.mgrid[-1:1:5j, 0:2]),
        ("np.ogrid[0:2, 0:3][0]", np.ogrid[0:2, 0:3][0]),
        ("np.r_[x, 0, 4:6]", np.r_[X, 0, 4:6]),
        ("np.r_[0:1:3j]", np.r_[0:1:3j]),
        ("np.c_[x, -x]", np.c_[X, -X]),
        ("np.c_[np.eye(2), [5, 6]]", np.c_[np.eye(2), [5, 6]]),
    ],
)
def test_what_brackets_make(text, expected):
    given = {"x": X} if "x" in text.replace("np.", "") else {}
    found = value(NP + text, **given)
    assert found.shape == expected.shape and found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-15)


def test_ends_of_brackets_are_differentiable():
    assert slope(NP + "np.mgrid[0:x[0]:3j]") == [[0, 0, 0], [0.5, 0, 0], [1, 0, 0]]


# --- functions of functions ------------------------------------------------------------------------------------------


def test_functions_of_lines():
    a = np.arange(6.0).reshape(2, 3)
    for axis in (0, 1, -1):
        text = f"np.apply_along_axis(lambda v: v - v.mean(), {axis}, x)"
        expected = np.apply_along_axis(lambda v: v - v.mean(), axis, a)
        np.testing.assert_allclose(value(NP + text, x=a), expected)
    assert value(NP + "np.apply_along_axis(sum, 0, x)", x=a).tolist() == [3, 5, 7]
    assert value(NP + "np.apply_along_axis(np.diag, 1, x)", x=a).shape == (2, 3, 3)
    assert value(NP + "np.apply_over_axes(np.sum, x, [0, 1])", x=a).tolist() == [[15]]
    assert value(NP + "np.fromfunction(lambda i, j: i + j, (2, 2))").tolist() == [[0, 1], [1, 2]]
    assert value(NP + "np.vectorize(lambda a, b: a if a > b else b)(x, 2.0)", x=X).tolist() == [2, 2, 3]


def test_pieces_see_their_own_elements_alone():
    text = NP + "np.piecewise(x, [x < 0, x >= 0], [lambda v: -v, sqrt])".replace("sqrt", "np.sqrt")
    assert slope(text, np.array([-4.0, 4.0])) == [[-1, 0], [0, 0.25]]
    assert value(NP + "np.piecewise(x, x > 1, [5, lambda v: v*10])", x=X).tolist() == [10, 5, 5]
    with pytest.raises(GradcliError, match="1 functions are given for 2 conditions"):
        value(NP + "np.piecewise(x, [x > 1, x < 0], [5])", x=X)


def test_what_dtypes_hold():
    assert value(NP + "np.finfo(x.dtype).eps", x=X) == np.finfo(float).eps
    assert value("import torch\ntorch.finfo(torch.float32).max") == np.finfo(np.float32).max
    assert value("import torch\ntorch.finfo().tiny") == np.finfo(np.float32).tiny
    assert value(NP + "np.iinfo(np.int32).min") == -(2**31)
    with pytest.raises(GradcliError, match="finfo"):
        value(NP + "np.finfo(np.int32)")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x.at[5].set(1)", "index 5 is out of range for axis 0 of size 3"),
        ("x.at[0]", "x.at[i] without .set(v), .add(v) or their like"),
        ("x.at", "x.at without an index"),
        ("x.at[0].set(1, mode='nearest')", "unknown mode 'nearest'"),
        ("x.at[0, 0].set(1)", "too many indices"),
        (NP + "np.mgrid[3]", "mgrid takes slices"),
        (NP + "np.mgrid[1:]", "a slice needs its end"),
        (NP + "np.r_['r', x]", "r_ takes no directions"),
        (NP + "np.apply_along_axis(3, 0, x)", "takes a function"),
        (NP + "np.fill_diagonal(x, 0)", "at least two axes"),
    ],
)
def test_errors(text, words):
    with pytest.raises(GradcliError) as caught:
        value(text, **({"x": X} if "x" in text.replace("np.", "") else {}))
    assert words in caught.value.message


def test_loops_over_indices():
    text = NP + "s = 0\nfor i, j in np.ndindex(2, 2):\n    s += x[i] * x[j]\ns"
    assert slope(text) == [6, 6, 0]
    text = NP + "s = 0\nfor (i,), v in np.ndenumerate(x):\n    s += i * v\ns"
    assert slope(text) == [0, 1, 2]
    assert value(NP + "np.mask_indices(3, np.triu, 1)[1]").tolist() == [1, 2, 2]
    assert value("y = x*1\ny.flat[1] = 9\ny", x=X).tolist() == [1, 9, 3]
