"""Where NumPy and PyTorch differ, and the choices at kinks, zeros and nans that are PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradcli.autodiff import grad
from gradcli.graph.budget import budget
from gradcli.graph.errors import GradcliError
from gradcli.graph.state import state
from gradcli.graph.values import concrete
from gradcli.language import Program, Source
from gradcli.ops.registry import lookup

X = np.array([0.5, -1.0, 2.0], dtype=np.float32)
K = np.array([2, 0, 1])
CUBE = np.arange(24.0).reshape(2, 3, 4)
INF, NAN = np.inf, np.nan


@pytest.fixture(autouse=True)
def _semantics_put_back():
    before = state.torch_semantics, state.default_float
    yield
    state.torch_semantics, state.default_float = before


def run(text: str, **values: Any) -> Any:
    """The value of a program, as an array."""
    program = Program.parse(Source("program", text))
    (core,) = program.run(values).cores()
    return np.asarray(concrete(core))


def torch(text: str, **values: Any) -> Any:
    """The value of a program that imports torch."""
    return run("import torch\nimport torch.nn.functional as F\n" + text, **values)


def slope(text: str, x: Any, **values: Any) -> list[float]:
    """The gradient of sum(text) with respect to x."""
    program = Program.parse(Source("program", f"import torch\ntorch.sum({text})"))
    f = program.function(["x"], {"x": np.asarray(x, dtype=np.float64), **values})
    with np.errstate(all="ignore"):
        return np.asarray(grad(f)(np.asarray(x, dtype=np.float64))).tolist()


# --- dtypes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["k / 2", "k / k", "2 / k", "torch.div(k, 2)", "k.true_divide(2)", "k / 2.0"])
def test_a_quotient_of_integers_is_of_the_default_float(text):
    with np.errstate(all="ignore"):
        assert torch(text, k=K).dtype == np.float32
    assert run("k / 2", k=K).dtype == np.float64


def test_joining_promotes_as_pytorch_does():
    assert torch("torch.cat([x, k])", x=X, k=K).dtype == np.float32
    assert torch("torch.stack([x, k])", x=X, k=K).dtype == np.float32
    assert run("concatenate([x, k])", x=X, k=K).dtype == np.float64


@pytest.mark.parametrize(
    "text",
    ["m @ d", "torch.matmul(m, d)", "torch.mv(m, d)", "torch.dot(x, d)", "torch.einsum('ij,j', m, d)",
     "torch.linalg.solve(m, d)", "torch.inner(m, d)", "torch.tensordot(m, d, dims=1)"],
)  # fmt: skip
def test_products_do_not_promote_in_pytorch(text):
    values = {"m": np.eye(3, dtype=np.float32), "d": np.ones(3), "x": X}
    read = Program.parse(Source("program", "import torch\n" + text)).inputs
    with pytest.raises(GradcliError, match="expected m1 and m2 to have the same dtype, but got: float32 != float64"):
        torch(text, **{name: values[name] for name in read})


def test_numpy_promotes_in_products():
    assert run("m @ d", m=np.eye(3, dtype=np.float32), d=np.ones(3)).dtype == np.float64


def test_rounding_keeps_integers():
    for name in ("floor", "ceil", "trunc"):
        assert run(f"{name}(k)", k=K).dtype == np.int64
    assert run("fabs(k)", k=K).dtype == np.float64


# --- indices and views -----------------------------------------------------------------------------------------------


def test_integers_beside_index_arrays():
    assert run("t[0, :, [0, 2]]", t=CUBE).tolist() == CUBE[0, :, [0, 2]].tolist()  # shape 2, 3
    assert torch("t[0, :, [0, 2]]", t=CUBE).tolist() == CUBE[0][:, [0, 2]].tolist()  # shape 3, 2
    written = CUBE.copy()
    written[0][:, [0, 2]] = np.arange(6.0).reshape(3, 2)
    got = torch("w = t.clone()\nw[0, :, [0, 2]] = v\nw", t=CUBE, v=np.arange(6.0).reshape(3, 2))
    assert got.tolist() == written.tolist()


def test_numpys_flatten_is_a_copy_and_ravel_a_view():
    a = np.zeros((2, 2))
    assert run("w = a * 1\nv = w.flatten()\nv[0] = 7\nw", a=a)[0, 0] == 0
    assert run("w = a * 1\nv = w.ravel()\nv[0] = 7\nw", a=a)[0, 0] == 7


def test_where_as_a_method_and_of_a_condition_alone():
    mask = np.array([True, False, True])
    assert torch("x.where(m, y)", x=X, m=mask, y=-X).tolist() == [0.5, 1.0, 2.0]
    assert torch("x.where(m, 0)", x=X, m=mask).dtype == np.float32
    assert run("where(m)[0]", m=mask).tolist() == [0, 2]
    assert run("nonzero(m)[0]", m=mask).tolist() == [0, 2]
    assert torch("torch.nonzero(m)", m=mask).tolist() == [[0], [2]]


# --- choices at kinks ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "x", "expected"),
    [
        # What is not chosen gets 0 even of an infinite cotangent.
        ("torch.sqrt(torch.relu(x))", [-1.0, 4.0], [0.0, 0.25]),
        ("torch.sqrt(torch.clamp(x, min=0))", [-1.0, 4.0], [0.0, 0.25]),
        ("torch.log(torch.minimum(x, 0*x) + 1)", [1.0, -0.5], [0.0, 2.0]),
        ("torch.sqrt(torch.maximum(x, torch.zeros(2)))", [-1.0, 4.0], [0.0, 0.25]),
        ("torch.maximum(x, torch.ones(3))", [1.0, 2.0, 0.0], [0.5, 1.0, 0.0]),
        ("torch.fmax(x, torch.ones(3))", [1.0, NAN, 2.0], [1.0, 0.0, 1.0]),
        ("torch.fmin(x, torch.ones(3))", [1.0, NAN, 2.0], [1.0, 0.0, 0.0]),
        ("torch.relu(x)", [0.0, NAN, -1.0], [0.0, 1.0, 0.0]),
        ("torch.abs(x)", [0.0, NAN, -2.0], [0.0, 0.0, -1.0]),
        ("torch.sign(x)", [NAN, 2.0], [0.0, 0.0]),
        ("torch.max(x)", [1.0, NAN, 3.0], [0.0, 1.0, 0.0]),
        ("torch.max(x)", [1.0, 3.0, 3.0], [0.0, 0.5, 0.5]),
        ("torch.max(x, 0).values", [1.0, 3.0, 3.0], [0.0, 1.0, 0.0]),
        ("torch.atan2(x, 0*x)", [0.0, 2.0], [0.0, 0.0]),
        ("x**0", [0.0, INF, NAN], [0.0, 0.0, 0.0]),
    ],
)
def test_pytorchs_choice(text, x, expected):
    assert slope(text, x) == expected


def test_pytorchs_values_at_nan():
    x = np.array([NAN, 1.0])
    assert torch("torch.sign(x)", x=x).tolist() == [0.0, 1.0]
    assert np.isnan(run("sign(x)", x=x)[0])
    assert run("fmax(x, 0.0)", x=x).tolist() == [0.0, 1.0]
    assert np.isnan(run("maximum(x, 0.0)", x=x)[0])


def test_an_angle_far_out_has_its_slope():
    angle = lookup("", "arctan2")
    far = np.float64(1e200)
    assert float(grad(angle)(far, far)) == pytest.approx(5e-201, rel=1e-12)


# --- limits ----------------------------------------------------------------------------------------------------------


def test_what_einsum_makes_on_the_way_is_charged():
    einsum, x = lookup("", "einsum"), np.ones((600, 600))
    before = budget.limit_bytes
    budget.open(4_000_000)
    try:
        with pytest.raises(GradcliError, match="einsum needs"):
            einsum("ij,jk,kl->", x, x, x)
    finally:
        budget.open(before)
