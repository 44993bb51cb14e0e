"""The oracle agrees with the engine on every function, and finds a derivative that is off."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from recorded import engine, of, proved, record
from table.calls import FUNCTIONS, Call

from gradcli import autodiff
from gradcli.graph.errors import ArgumentError
from gradcli.ops.function import Function
from gradcli.symbolic import prove

#: Jacobians of more elements are not written out.
LARGEST = 2_000


def calls() -> list[Any]:
    """Of every function that carries a derivative, a call that has one."""
    return [pytest.param(f, id=f.name) for f in FUNCTIONS if f.differentiable]


def call_of(f: Function) -> Call | None:
    """The first call with finite results and something to differentiate by."""
    for number, spec in enumerate(f.cases):
        call = Call(f, spec, number)
        values = call.floats
        if not values or not all(np.all(np.isfinite(x)) for x in values):
            continue
        outputs = call()
        sizes = sum(np.size(y) for y in outputs), sum(np.size(x) for x in values)
        if 0 < sizes[0] * sizes[1] <= LARGEST and all(np.all(np.isfinite(y)) for y in outputs):
            return call
    return None


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("f", calls())
def test_every_function_is_proved(f: Function) -> None:
    call = call_of(f)
    if call is None:
        return
    recording, outputs, inputs = record(call, *call.floats)
    jacobian = autodiff.jacobian(call, argnums=tuple(range(len(inputs))))(*call.floats)
    several = len(outputs) > 1
    claimed = {name: [row[n] for row in jacobian] if several else jacobian[0][n] for n, name in enumerate(inputs)}
    report = prove(recording, outputs, inputs, claimed, derivative="jacobian")
    assert report.ok is True, json.dumps(report.to_json())
    for name, entry in report.inputs.items():
        assert entry.elements == sum(np.size(part) for part in (claimed[name] if several else [claimed[name]]))
    spoiled = _spoiled(claimed, several)
    if spoiled is not None and not report.kinks:
        wrong = prove(recording, outputs, inputs, spoiled, derivative="jacobian")
        assert wrong.ok is False, json.dumps(wrong.to_json())


def _spoiled(claimed: dict[str, Any], several: bool) -> dict[str, Any] | None:
    """The same with its largest element off by 1e-6 of itself (by a hundredth in single precision)."""
    found = {n: [np.array(part) for part in (c if several else [c])] for n, c in claimed.items()}
    parts = [part for entry in found.values() for part in entry if part.size]
    if not parts:
        return None
    worst = max(parts, key=lambda part: float(np.max(np.abs(part))))
    index = np.unravel_index(np.argmax(np.abs(worst)), worst.shape)
    if worst[index] == 0:
        return None
    worst[index] *= 1 + (1e-6 if worst.real.itemsize == 8 else 1e-2)
    return {n: entry if several else entry[0] for n, entry in found.items()}


def test_a_small_program_is_proved_as_a_closed_formula() -> None:
    report = proved(lambda x: of("sum")(of("sin")(x) * x**2), [1.0, 2.0])
    assert report.ok is True
    assert "one closed formula" in report.covered[0]
    entry = report.inputs["x0"]
    assert entry.worst is not None and len(str(entry.worst["exact"]).replace(".", "").strip("-0")) >= 49
    assert entry.max_rel_error < 1e-15
    assert entry.max_ulp_error < 4


def test_a_large_program_is_proved_by_the_chain_rule() -> None:
    def f(x: Any) -> Any:
        for _ in range(300):
            x = x + 0.01 * of("sin")(x) * x
        return x

    report = proved(f, 0.7)
    assert report.ok is True
    assert "chain rule" in report.covered[0]


def test_the_report_is_strict_json() -> None:
    report = proved(lambda x: of("sum")(x * x), [1.0, 2.0], claimed={"x0": np.array([2.0, np.nan])})
    found = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert found["ok"] is False
    assert found["method"] == "symbolic"
    assert found["derivative"] == "gradient"
    assert found["digits"] == 50
    assert found["inputs"]["x0"]["worst"] == {"index": [1], "got": "NaN", "exact": "4.0"}
    assert found["inputs"]["x0"]["max_abs_error"] == "Infinity"
    assert report.exit_code == 1


def test_hessians_are_judged_by_block() -> None:
    def f(x: Any, y: Any) -> Any:
        return of("sum")(of("sin")(x) * of("exp")(y))

    report = proved(f, [1.0, 2.0], 0.5, derivative="hessian")
    assert report.ok is True
    assert list(report.inputs) == ["x0 x0", "x0 x1", "x1 x0", "x1 x1"]
    wrong = engine(f, [1.0, 2.0], 0.5, derivative="hessian")
    wrong["x0", "x1"] = wrong["x0", "x1"] * (1 + 1e-6)
    found = proved(f, [1.0, 2.0], 0.5, derivative="hessian", claimed=wrong)
    assert [entry.ok for entry in found.inputs.values()] == [True, False, True, True]


def test_only_what_is_claimed_is_judged() -> None:
    report = proved(lambda x, y: of("sum")(x * y), [1.0, 2.0], [3.0, 4.0], claimed={"x1": np.array([1.0, 2.0])})
    assert report.ok is True
    assert list(report.inputs) == ["x1"]


def test_several_outputs() -> None:
    report = proved(lambda x: (x * x, of("sum")(x)), [1.0, 2.0], derivative="jacobian")
    assert report.ok is True
    claimed = {"x0": [np.diag([2.0, 4.0]), np.array([1.0, 1.1])]}
    found = proved(lambda x: (x * x, of("sum")(x)), [1.0, 2.0], derivative="jacobian", claimed=claimed)
    assert found.ok is False
    assert found.inputs["x0"].worst == {"index": [1], "output": 1, "got": 1.1, "exact": "1.0"}


def test_a_claim_of_the_wrong_shape_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"has shape \[3\]"):
        proved(lambda x: of("sum")(x), [1.0, 2.0], claimed={"x0": np.ones(3)})
    with pytest.raises(ArgumentError, match="no input 'z'"):
        proved(lambda x: of("sum")(x), [1.0, 2.0], claimed={"z": np.ones(2)})


def test_float32_is_judged_in_its_own_precision() -> None:
    x = np.array([0.1, 0.7], dtype=np.float32)
    report = proved(lambda x: of("sum")(of("exp")(x) * 0.1), x)
    assert report.ok is True
    entry = report.inputs["x0"]
    assert 1e-9 < entry.rounding < 1e-6
    assert entry.max_ulp_error < 4


def test_rounding_that_nobody_can_avoid_is_allowed_and_reported() -> None:
    # At the optimum the gradient cancels: what is left is rounding, and s knows it.
    t = np.linspace(0, 1, 30)
    y = np.exp(-t) + 1e-3 * np.sin(50 * t)

    def loss(b: Any) -> Any:
        return of("sum")((y - b[0] * of("exp")(-b[1] * t)) ** 2)

    b = np.array([1.0, 1.0])
    for _ in range(60):
        b = b - np.linalg.solve(autodiff.hessian(loss)(b), autodiff.grad(loss)(b))
    report = proved(loss, b)
    assert report.ok is True
    assert report.inputs["x0"].rounding > 0
    bad = {"x0": autodiff.grad(loss)(b) + 1e-9}
    assert proved(loss, b, claimed=bad).ok is False


def test_cancellation_costs_no_digits() -> None:
    # ((1 + x) - 1 - x) vanishes exactly, however it is written.
    report = proved(lambda x: ((1 + x) ** 2 - 1 - 2 * x - x * x) * 1e30 + x, 1e-9, claimed={"x0": np.array(1.0)})
    assert report.ok is True
    assert report.inputs["x0"].max_abs_error == 0


def test_overflow_and_underflow_are_rounding_too() -> None:
    assert proved(lambda x: of("exp")(x), 800.0, claimed={"x0": np.array(np.inf)}).ok is True
    assert proved(lambda x: of("exp")(x), -800.0, claimed={"x0": np.array(0.0)}).ok is True
    assert proved(lambda x: of("exp")(x), 800.0, claimed={"x0": np.array(1e300)}).ok is False


def test_what_is_not_finite_is_not_ok() -> None:
    report = proved(lambda x: x * x, np.nan, claimed={"x0": np.array(np.nan)})
    assert report.ok is None
    assert report.reason == "the program's result is undefined at this point"
    assert report.exit_code == 3


def test_a_derivative_that_does_not_exist_is_not_ok() -> None:
    report = proved(lambda x: of("log")(x), -1.0, claimed={"x0": np.array(np.nan)})
    assert report.ok is None
    assert report.reason == "the program's result is undefined at this point"


def test_derivatives_inside_the_program_are_taken_by_the_oracle() -> None:
    s, sin, tanh = of("sum"), of("sin"), of("tanh")
    programs = [
        lambda x: s(autodiff.grad(lambda t: s(t**3 * x))(x)),
        lambda x: s(autodiff.hessian(lambda t: s(t**3 * sin(t)))(x)),
        lambda x: s(autodiff.jvp(lambda t: tanh(t * x), (x,), (x * x,))[1]),
        lambda x: s(autodiff.jacobian(lambda t: tanh(t * x))(x) ** 2),
        lambda x: s(autodiff.vjp(lambda t: tanh(t * x), x)[1](x)[0]),
        lambda x: s(autodiff.grad(lambda t: s(autodiff.grad(lambda u: s(u**2 * t * x))(t) * t))(x)),
    ]
    for f in programs:
        assert proved(f, [1.0, 0.2, 0.3]).ok is True


def test_what_is_cut_from_history_is_a_constant() -> None:
    def f(x: Any) -> Any:
        return of("sum")(autodiff.stop_gradient(x * x) * x)

    report = proved(f, [1.0, 2.0], claimed={"x0": np.array([1.0, 4.0])})
    assert report.ok is True
    assert proved(f, [1.0, 2.0], claimed={"x0": np.array([3.0, 12.0])}).ok is False


@pytest.mark.parametrize(
    ("name", "x"),
    [("sigmoid", -800.0), ("sigmoid", 800.0), ("softplus", 900.0), ("softplus", np.float32(100.0)), ("tanh", 800.0)],
)
def test_what_no_float_holds_is_no_licence(name: str, x: float) -> None:
    """Between exp(900) and its reciprocal, rounding as if they were floats would excuse any answer."""
    report = proved(of(name), x)
    assert report.ok is True
    assert report.inputs["x0"].rounding < 1e-6
    assert proved(of(name), x, claimed={"x0": np.array(7.0, np.asarray(x).dtype)}).ok is False


def test_large_spreads_are_no_licence() -> None:
    for name in ("logsumexp", "softmax", "log_softmax"):
        x = np.array([1000.0, -1000.0, 0.0])
        report = proved(lambda x, name=name: of("sum")(of(name)(x) * np.array([1.0, 2.0, 3.0])), x)
        assert report.ok is True
        assert report.inputs["x0"].rounding < 1e-12


def test_each_input_has_the_tolerance_of_its_own_dtype() -> None:
    def f(x: Any, y: Any) -> Any:
        return of("sum")(x * y)

    x, y = np.array([1.0, 2.0]), np.array([3.0, 4.0], np.float32)
    assert proved(f, x, y).ok is True
    assert proved(f, x, y, claimed={"x0": np.array([3.0, 4.000004])}).ok is False
    assert proved(f, x, y, claimed={"x1": np.array([1.0, 2.00001], np.float32)}).ok is True


def test_rounding_that_decides_is_told() -> None:
    f = lambda x: (1 - of("cos")(x)) / x**2  # noqa: E731
    assert proved(f, 1e-8).inputs["x0"].by_rounding is True
    assert proved(f, 1.0).inputs["x0"].by_rounding is False


def test_a_formula_whose_terms_cancel_is_evaluated_to_more_digits() -> None:
    """SymPy writes the slope of j0 as cos(x)/x - sin(x)/x**2; and sin(1e300) takes all of the argument's digits."""
    report = proved(lambda x: of("spherical_jn")(0, x), 1e-100)
    assert report.ok is True and report.reason is None
    assert report.inputs["x0"].max_rel_error < 1e-15
    assert proved(of("sin"), 1e300).ok is True
    assert proved(of("gelu"), -np.inf).ok is True
