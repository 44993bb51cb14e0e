"""Formulas read as a person would write them, and are right: their Python agrees with the engine."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
import pytest
from recorded import engine, flat, of

from gradcli import autodiff
from gradcli.graph.errors import AbstractValue, ArgumentError, GradcliError, NotDifferentiable
from gradcli.graph.recording import Recording
from gradcli.symbolic import Formulas, derive


def formulas(f: Any, derivative: str = "gradient", names: Any = None, **shapes: tuple[int, ...]) -> Formulas:
    with Recording(abstract=True) as recording:
        inputs = {name: recording.input(name, np.zeros(shape)) for name, shape in shapes.items()}
        outputs = flat(f(*inputs.values()))
    return derive(recording, outputs, inputs, derivative=derivative, output_names=names)


WRITTEN = [
    (lambda x: x**2 * of("sin")(x), "x*(x*cos(x) + 2*sin(x))"),
    (lambda x: x**3 - x, "3*x**2 - 1"),
    (lambda x: of("exp")(-(x**2) / 2), "-x*exp(-x**2/2)"),
    (lambda x: of("tanh")(x), "1 - tanh(x)**2"),
    (lambda x: x / (1 + x**2), "(1 - x**2)/(x**2 + 1)**2"),
    (lambda x: of("sqrt")(x**2 + 1), "x/sqrt(x**2 + 1)"),
    (lambda x: of("log")(x), "1/x"),
    (lambda x: of("arctan")(x) * 0.1, "0.1/(x**2 + 1)"),
    (lambda x: 0.5 * x, "1/2"),
    (lambda x: of("sin")(math.pi * x), "pi*cos(pi*x)"),
    (lambda x: of("sin")(2 * math.pi * x), "2*pi*cos(2*pi*x)"),
    (lambda x: of("arcsin")(x), "1/sqrt(1 - x**2)"),
    (lambda x: of("abs")(x), "sign(x)"),
    (lambda x: of("relu")(x), "where(x > 0, 1, 0)"),
    (lambda x: of("maximum")(x, 2.5), "where(x > 5/2, 1, 0)"),
    (lambda x: of("where")(x > 0, x**2, of("sin")(x)), "where(x > 0, 2*x, cos(x))"),
    (lambda x: x * of("floor")(x), "floor(x)"),
    (lambda x: of("where")(of("equal")(of("floor")(2.0), 2), x**2, 0.0), "2*x"),
    (lambda x: (x + 1) ** 10 * of("sin")(3 * x), "(x + 1)**9*(3*(x + 1)*cos(3*x) + 10*sin(3*x))"),
    (lambda x: autodiff.grad(lambda t: t**3 * x)(x), "9*x**2"),
    (lambda x: 3.0 + 0 * x, "0"),
]


@pytest.mark.parametrize(("f", "expected"), WRITTEN)
def test_scalar_formulas(f: Any, expected: str) -> None:
    assert formulas(f, x=()).text() == expected


def test_several_inputs_come_under_their_names() -> None:
    found = formulas(lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2, x=(), y=()).text()
    assert found == "# x\n2*(200*x*(x**2 - y) + x - 1)\n# y\n200*(y - x**2)"
    second = formulas(lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2, "hessian", x=(), y=()).text()
    assert second == "# x x\n1200*x**2 - 400*y + 2\n# x y\n-400*x\n# y x\n-400*x\n# y y\n200"


def test_several_outputs_come_under_both_names() -> None:
    found = formulas(lambda x, y: (x * y, of("sin")(x)), "jacobian", ["a", None], x=(), y=()).text()
    assert found == "# a x\ny\n# a y\nx\n# 1 x\ncos(x)\n# 1 y\n0"


def test_the_indexed_form() -> None:
    mean = formulas(lambda x: of("mean")(3 * (x + 2) ** 2), x=(2, 2))
    assert mean.text() == "d out/d x[i] = 3/2*(x[i] + 2)"
    line = formulas(lambda a, b, x, y: of("sum")((y - (a + b * x)) ** 2), a=(), b=(), x=(10,), y=(10,))
    assert line.text().splitlines() == [
        "d out/d a = 2*sum(a + b*x - y)",
        "d out/d b = -2*sum(x*(y - a - b*x))",
        "d out/d x[i] = 2*b*(a + b*x[i] - y[i])",
        "d out/d y[i] = 2*(y[i] - a - b*x[i])",
    ]
    soft = formulas(lambda x: of("log")(of("sum")(of("exp")(x))), x=(5,))
    assert soft.text() == "d out/d x[i] = exp(x[i])/sum(exp(x))"


def test_elements_where_there_is_no_indexed_form() -> None:
    found = formulas(lambda x, A: of("matmul")(x, of("matmul")(A, x)), x=(2,), A=(2, 2)).text()
    assert found.splitlines()[0] == "d out/d x[0] = 2*A[0, 0]*x[0] + A[0, 1]*x[1] + A[1, 0]*x[1]"
    assert found.splitlines()[-1] == "d out/d A[1, 1] = x[1]**2"
    with pytest.raises(ArgumentError, match="formulas are written out for up to"):
        formulas(lambda x: of("matmul")(x, x), "jacobian", x=(9, 9))


def test_latex() -> None:
    assert formulas(lambda x: x**2 / 3, x=()).latex() == r"\frac{2 x}{3}"
    found = formulas(lambda alpha, x_1, rate: alpha * of("exp")(-x_1 * rate), alpha=(), x_1=(), rate=()).latex()
    assert found.splitlines()[0] == r"\frac{\partial \mathrm{out}}{\partial \alpha} = e^{- \mathrm{rate} x_{1}}"
    indexed = formulas(lambda x: of("mean")(3 * (x + 2) ** 2), x=(2, 2)).latex()
    assert indexed == r"\frac{\partial \mathrm{out}}{\partial x_{i}} = \frac{3 \left(x_{i} + 2\right)}{2}"
    assert found.count("{") == found.count("}")


def test_json() -> None:
    found = formulas(lambda x, y: x * y, x=(), y=()).to_json()
    assert found == {"derivative": "gradient", "formulas": {"x": "y", "y": "x"}, "latex": {"x": "y", "y": "x"}}


def rosenbrock(x: Any, y: Any) -> Any:
    return (1 - x) ** 2 + 100 * (y - x**2) ** 2


def masked(a: Any, x: Any) -> Any:
    return of("sum")(of("where")(of("logical_and")(x > 0.5, x < 1.2), a * x, x**3))


RUNNABLE: list[tuple[Any, str, dict[str, tuple[int, ...]]]] = [
    (rosenbrock, "gradient", {"x": (), "y": ()}),
    (rosenbrock, "hessian", {"x": (), "y": ()}),
    (lambda x: of("mean")(3 * (x + 2) ** 2), "gradient", {"x": (2, 2)}),
    (lambda x: of("logsumexp")(x) + of("sum")(of("relu")(x)), "gradient", {"x": (3,)}),
    (lambda x, A: of("matmul")(x, of("matmul")(A, x)), "gradient", {"x": (2,), "A": (2, 2)}),
    (lambda x: of("sin")(x) * of("maximum")(x, 0.7), "jacobian", {"x": (3,)}),
    (lambda x: of("inv")(x + 2 * np.eye(2)), "jacobian", {"x": (2, 2)}),
    (
        lambda a, x: of("sum")(of("where")(of("logical_and")(x > 0.5, x < 1.2), a * x, x**3)),
        "gradient",
        {"a": (), "x": (4,)},
    ),
    (lambda x: of("log")(of("sum")(of("exp")(x))) ** 2, "hessian", {"x": (2,)}),
    (lambda x: of("sum")(of("arctan2")(x, 2.0) + of("round")(x) * x + of("cbrt")(x)), "gradient", {"x": (3,)}),
]


@pytest.mark.parametrize(("f", "derivative", "shapes"), RUNNABLE)
def test_the_python_form_runs_and_is_right(f: Any, derivative: str, shapes: dict[str, tuple[int, ...]]) -> None:
    made = formulas(f, derivative, **shapes).python()
    scope: dict[str, Any] = {}
    exec(made, scope)
    rng = np.random.default_rng(2)
    xs = [rng.uniform(0.2, 1.5, size=shape) for shape in shapes.values()]
    found = scope[derivative](*xs)
    wanted = engine(f, *xs, derivative=derivative)
    parts = found if isinstance(found, tuple) else (found,)
    assert len(parts) == len(wanted)
    for part, value in zip(parts, wanted.values(), strict=True):
        assert np.shape(part) == value.shape
        np.testing.assert_allclose(part, value, rtol=1e-12)


def test_what_has_no_formula_says_so() -> None:
    with pytest.raises(ArgumentError, match="a gradient is of one scalar"):
        formulas(lambda x: x * x, x=(2,))
    with pytest.raises(NotDifferentiable):
        with Recording(abstract=True) as recording:
            x = recording.input("x", np.zeros(()))
            y = x > 0
        derive(recording, [y], {"x": x})
    with pytest.raises(AbstractValue):
        formulas(lambda x: x[of("argmax")(x)], x=(3,))


@pytest.mark.parametrize(
    "f",
    [
        lambda x: (x + 1) ** 300 * of("sin")(x) ** 200,
        lambda x: 1 / (x**60 - 1) + x**1000,
        lambda x: of("exp")(of("sin")(x) ** 3 / (1 + of("log")(1 + x**2)) ** 2) / of("sqrt")(1 + of("cos")(x) ** 4),
    ],
)
def test_formulas_come_in_bounded_time(f: Any) -> None:
    start = time.monotonic()
    formulas(f, x=()).text()
    assert time.monotonic() - start < 15


def test_a_formula_that_would_fill_pages_is_refused() -> None:
    def f(x: Any) -> Any:
        for _ in range(40):
            x = of("sin")(x) * x
        return x

    with pytest.raises(GradcliError, match="operations"):
        formulas(f, x=())


def of_arrays(f: Any, **shapes: tuple[int, ...]) -> Formulas:
    with Recording(abstract=True) as recording:
        inputs = {name: recording.input(name, np.zeros(shape)) for name, shape in shapes.items()}
        y = f(*inputs.values())
    return derive(recording, [y], inputs)


@pytest.mark.parametrize(
    ("f", "shapes", "expected"),
    [
        (lambda x: of("norm")(x), {"x": (3,)}, "d out/d x[i] = x[i]/sqrt(sum(x**2))"),
        (lambda x: of("logsumexp")(x), {"x": (300,)}, "d out/d x[i] = exp(x[i])/sum(exp(x))"),
        (lambda x: of("dot")(x, x), {"x": (3,)}, "d out/d x[i] = 2*x[i]"),
        (
            lambda x: of("mean")((x - of("mean")(x)) ** 2),
            {"x": (100,)},
            "d out/d x[i] = (100*x[i] - sum(x))/5000",
        ),
        (lambda x: of("clip")(x, 0.0, 1.0), {"x": ()}, "where((x > 0) & (x < 1), 1, 0)"),
        (lambda x: of("cbrt")(x), {"x": ()}, "1/(3*cbrt(x)**2)"),
        (lambda x: x ** (4 / 3), {"x": ()}, "4/3*cbrt(x)"),
        (lambda x: x * 1e-30, {"x": ()}, "1e-30"),
        (lambda x: of("log")(of("abs")(x)), {"x": ()}, "1/x"),
    ],
)
def test_formulas_as_a_person_writes_them(f: Any, shapes: dict[str, tuple[int, ...]], expected: str) -> None:
    assert of_arrays(f, **shapes).text() == expected


def test_a_norm_of_another_order_is_not_taken_for_the_second() -> None:
    text = of_arrays(lambda x: of("norm")(x, 3), x=(2,)).text()
    assert "x[0]" in text
    assert "x[i]" not in text


def test_scalars_by_sums_over_arrays() -> None:
    with Recording(abstract=True) as recording:
        inputs = {n: recording.input(n, np.zeros(s)) for n, s in (("a", ()), ("x", (50,)), ("y", (50,)))}
        loss = of("sum")((inputs["y"] - inputs["a"] * inputs["x"]) ** 2)
    found = derive(recording, [loss], {"a": inputs["a"]})
    assert found.text() == "-2*sum(x*(y - a*x))"
    assert "d0 = -2*np.sum(x*(y - a*x))" in found.python()


def test_names_of_the_program_and_of_the_module_do_not_meet() -> None:
    source = of_arrays(lambda np_, d, s: of("sin")(np_) * d * of("erf")(s), np=(), d0=(), special=()).python()
    module: dict[str, Any] = {}
    exec(source, module)
    found = module["gradient"](1.0, 2.0, 3.0)
    np.testing.assert_allclose(found[0], math.cos(1.0) * 2.0 * math.erf(3.0), rtol=1e-14)
    np.testing.assert_allclose(found[1], math.sin(1.0) * math.erf(3.0), rtol=1e-14)


def test_the_logarithm_of_gamma_has_its_own_letter() -> None:
    found = formulas(lambda x: of("digamma")(x) ** 2 + of("lgamma")(x), x=())
    assert found.latex() == r"\left(2 \psi^{(1)}{\left(x \right)} + 1\right) \psi{\left(x \right)}"
