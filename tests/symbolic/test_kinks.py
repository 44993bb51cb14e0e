"""At a kink both one-sided derivatives are named, and the engine's choice must lie between them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from recorded import engine, of, proved, record

from gradcli.graph.recording import Recording
from gradcli.ops.registry import lookup
from gradcli.symbolic import prove
from gradcli.symbolic.companions import companies
from gradcli.symbolic.derivatives import Matrix
from gradcli.symbolic.kinks import orders
from gradcli.symbolic.lowering import lower


def sides(report: Any) -> list[tuple[Any, ...]]:
    return [(k["op"], k["input"], k["index"], k["left"], k["right"], k["chosen"], k["ok"]) for k in report.kinks]


KINKED = [
    (lambda x: of("abs")(x), 0.0, ("absolute", -1.0, 1.0, 0.0)),
    (lambda x: of("relu")(x), 0.0, ("relu", 0.0, 1.0, 0.0)),
    (lambda x: of("maximum")(x, 1.0), 1.0, ("maximum", 0.0, 1.0, 0.5)),
    (lambda x: of("minimum")(2 * x, x + 1), 1.0, ("minimum", 2.0, 1.0, 1.5)),
    (lambda x: of("clip")(x, 0.0, 1.0), 1.0, ("clip", 1.0, 0.0, 1.0)),
    (lambda x: of("where")(x > 0, 3 * x, x), 0.0, ("greater", 1.0, 3.0, 1.0)),
    (lambda x: x * of("floor")(x), 2.0, ("floor", 1.0, 2.0, 2.0)),
    (lambda x: of("norm")(of("stack")([x, 2 * x])), 0.0, ("norm", -(5**0.5), 5**0.5, 0.0)),
]


@pytest.mark.parametrize(("f", "x", "expected"), KINKED)
def test_kinks_are_named(f: Any, x: float, expected: tuple[Any, ...]) -> None:
    report = proved(f, x)
    op, left, right, chosen = expected
    assert report.ok is True, report.to_json()
    assert len(report.kinks) == 1
    kink = report.kinks[0]
    assert (kink["op"], kink["input"], kink["index"], kink["ok"]) == (op, "x0", [], True)
    assert kink["left"] == pytest.approx(left)
    assert kink["right"] == pytest.approx(right)
    assert kink["chosen"] == chosen


def test_a_choice_outside_the_sides_is_wrong() -> None:
    report = proved(lambda x: of("abs")(x), 0.0, claimed={"x0": np.array(1.5)})
    assert report.ok is False
    assert report.kinks[0]["ok"] is False


def test_a_bend_that_does_not_matter_is_no_kink() -> None:
    smooth = [
        lambda x: of("abs")(x) * 0.0 + x,
        lambda x: of("abs")(x) * x,
        lambda x: of("maximum")(x, x),
        lambda x: of("where")(x > 0, x, 1.0 * x),
        lambda x: of("relu")(x) ** 2,
    ]
    for f in smooth:
        report = proved(f, 0.0)
        assert report.ok is True, report.to_json()
        assert report.kinks == []


def test_ties_over_an_axis() -> None:
    report = proved(lambda x: of("max")(x), [1.0, 3.0, 3.0])
    assert report.ok is True
    assert sides(report) == [
        ("max", "x0", [1], 0.0, 1.0, 0.5, True),
        ("max", "x0", [2], 0.0, 1.0, 0.5, True),
    ]


def test_only_the_element_at_the_kink_is_named() -> None:
    report = proved(lambda x: of("sum")(of("abs")(x) + of("sin")(x)), [1.0, 0.0, -2.0])
    assert report.ok is True
    assert sides(report) == [("absolute", "x0", [1], 0.0, 2.0, 1.0, True)]


def test_a_hole_in_the_derivative_alone_is_filled_by_its_limit() -> None:
    report = proved(lambda x: of("sqrt")(x**4), 0.0, claimed={"x0": np.array(0.0)})
    assert report.ok is True
    assert report.kinks == []


def test_a_hole_in_the_program_itself_is_not_ok() -> None:
    report = proved(lambda x: of("sin")(x) / x, 0.0, claimed={"x0": np.array(0.0)})
    assert report.ok is None
    assert report.reason == "the program's result is undefined at this point"


def test_a_guarded_hole_is_no_kink() -> None:
    def f(x: Any) -> Any:
        zero = of("equal")(x, 0.0)
        return of("where")(zero, 1.0, of("sin")(x) / of("where")(zero, 1.0, x))

    assert proved(f, 0.0).ok is True


def test_an_infinite_slope() -> None:
    report = proved(lambda x: of("sqrt")(x), 0.0, claimed={"x0": np.array(np.inf)})
    assert report.ok is True
    assert report.kinks[0]["left"] is None
    assert report.kinks[0]["right"] == np.inf
    assert proved(lambda x: of("sqrt")(x), 0.0, claimed={"x0": np.array(5.0)}).ok is False


def branching(values: dict[str, np.ndarray]) -> Any:
    with Recording() as recording:
        x = recording.input("x0", values["x0"])
        decided = bool(values["x0"] > 0)
        recording.guard(x > 0, decided)
        y = 3 * x if decided else -1 * x
    return recording, [y], {"x0": x}


def test_a_branch_on_its_boundary() -> None:
    here = {"x0": np.array(0.0)}
    recording, outputs, inputs = branching(here)
    claimed = {"x0": np.array(-1.0)}
    report = prove(recording, outputs, inputs, claimed, derivative="gradient", rerun=branching)
    assert report.ok is True
    assert sides(report) == [("branch", "x0", [], -1.0, 3.0, -1.0, True)]
    alone = prove(recording, outputs, inputs, claimed, derivative="gradient")
    assert alone.ok is True
    assert alone.kinks[0]["op"] == "branch"
    assert alone.kinks[0]["left"] is None


def test_a_branch_off_its_boundary_is_no_kink() -> None:
    recording, outputs, inputs = branching({"x0": np.array(1.0)})
    report = prove(recording, outputs, inputs, {"x0": np.array(3.0)}, derivative="gradient", rerun=branching)
    assert report.ok is True
    assert report.kinks == []


def test_second_derivatives_at_a_kink() -> None:
    report = proved(lambda x: of("sum")(of("abs")(x) * x), [0.0, 1.0], derivative="hessian")
    assert report.ok is True
    assert [(k["element"], k["left"], k["right"]) for k in report.kinks] == [([0, 0], -2.0, 2.0)]


def test_many_elements_at_kinks_are_all_looked_at() -> None:
    report = proved(lambda x: of("sum")(of("abs")(x)), np.zeros(150))
    assert report.ok is True
    assert len(report.kinks) == 100  # the report lists so many and judges all
    wrong = {"x0": np.zeros(150)}
    wrong["x0"][149] = 1.5
    assert proved(lambda x: of("sum")(of("abs")(x)), np.zeros(150), claimed=wrong).ok is False


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda x: of("minimum")(x * x, 3 * x), (3.0, 0.0)),
        (lambda x: of("where")(of("greater")(x, 0.0), x * x, -3 * x), (-3.0, 0.0)),
        (lambda x: of("where")(of("greater_equal")(x, 0.0), of("sqrt")(x), x), (1.0, np.inf)),
        (lambda x: of("where")(of("greater")(x, 0.0), x**1.05, -x), (-1.0, 0.0)),
        (lambda x: of("where")(of("greater")(x, 0.0), x**0.95, -x), (-1.0, np.inf)),
    ],
)
def test_sides_are_limits(f: Any, expected: tuple[float, float]) -> None:
    claimed = {"x0": np.array(expected[0])}
    kink = proved(f, 0.0, claimed=claimed).kinks[0]
    assert (kink["left"], kink["right"]) == expected


def summed(values: dict[str, Any]) -> Any:
    """The program `y = sum(x**2) if sum(x) > 50 else sum(x)`."""
    x = np.asarray(values["x0"])
    with Recording() as recording:
        node = recording.input("x0", x)
        total = of("sum")(node)
        condition = of("greater")(total, 50.0)
        recording.guard(condition, bool(total.value > 50.0))
        y = of("sum")(node * node) if total.value > 50.0 else total
    return recording, [y], {"x0": node}


def test_a_branch_that_one_ulp_does_not_turn_is_still_looked_at() -> None:
    values = {"x0": np.repeat([1.0, 0.5], [30, 40])}
    recording, outputs, inputs = summed(values)
    report = prove(recording, outputs, inputs, {"x0": np.ones(70)}, derivative="gradient", rerun=summed)
    assert report.ok is True
    assert (report.kinks[0]["left"], report.kinks[0]["right"]) == (1.0, 2.0)
    assert report.kinks[-1]["left"] is None  # more elements than are looked at: the report says so
    wrong = {"x0": np.full(70, 2.5)}
    assert prove(recording, outputs, inputs, wrong, derivative="gradient", rerun=summed).ok is False


def test_nothing_to_the_power_of_an_input() -> None:
    power = of("power")
    assert proved(power, 0.0, 2.0).ok is True
    report = proved(power, 0.0, 0.0)
    assert report.ok is True
    assert [(k["input"], k["left"], k["right"]) for k in report.kinks] == [("x1", None, 0.0)]


def sorting(values: dict[str, Any]) -> Any:
    """The program `sum(sort(x)*array([1, 2, 3]))`."""
    with Recording() as recording:
        node = recording.input("x0", np.asarray(values["x0"]))
        y = of("sum")(of("sort")(node) * np.array([1.0, 2.0, 3.0]))
    return recording, [y], {"x0": node}


def test_an_order_among_equals() -> None:
    recording, outputs, inputs = sorting({"x0": np.array([1.0, 1.0, 2.0])})
    claimed = {"x0": np.array([1.0, 2.0, 3.0])}
    report = prove(recording, outputs, inputs, claimed, derivative="gradient", rerun=sorting)
    assert report.ok is True
    assert [(k["op"], k["index"], k["left"], k["right"]) for k in report.kinks] == [
        ("argsort", [0], 1.0, 2.0),
        ("argsort", [1], 1.0, 2.0),
    ]
    claimed = {"x0": np.array([2.5, 1.0, 3.0])}
    assert prove(recording, outputs, inputs, claimed, derivative="gradient", rerun=sorting).ok is False


def rerunning(f: Any, *xs: Any) -> Any:
    """The engine's Jacobian of f, judged with runs beside the point."""
    recording, outputs, inputs = record(f, *xs)
    claimed = engine(f, *xs, derivative="jacobian")
    rerun = lambda changed: record(f, *(changed.get(f"x{i}", x) for i, x in enumerate(xs)))  # noqa: E731
    return prove(recording, outputs, inputs, claimed, derivative="jacobian", rerun=rerun)


@pytest.mark.parametrize(
    "name", ["sort", "median", "max", "min", "cummax", "ptp", "quantile", "topk", "logsumexp", "norm"]
)
@pytest.mark.parametrize("x", [[1.0, 1.0, 1.0], [1.0, 2.0, 2.0, 0.5]])
def test_every_choice_among_equals_is_one_of_its_own(name: str, x: list[float]) -> None:
    more = {"quantile": (0.4,), "topk": (2,), "cummax": (0,)}.get(name, ())
    first = lambda y: y[0] if isinstance(y, tuple) else y  # noqa: E731
    report = rerunning(lambda x: first(of(name)(x, *more)), np.array(x))
    assert report.ok is True, report.to_json()
    assert all(kink["ok"] for kink in report.kinks)


def test_a_share_among_equals_lies_between_their_orders() -> None:
    median = lookup("torch", "median")
    assert median is not None
    report = rerunning(median.call, np.array([1.0, 1.0, 1.0]))
    assert report.ok is True
    assert [(k["op"], k["index"], k["ok"]) for k in report.kinks] == [("median", [i], True) for i in range(3)]


def test_ties_that_only_move_together_are_looked_at_together() -> None:
    middle = lambda x: (of("amax")(x) + of("amin")(x)) / 2  # noqa: E731
    x = np.array([1.0, 1.0, 1.0])
    assert proved(middle, x).ok is True  # a third each, though both sides of each element by itself give a half
    assert proved(middle, x, claimed={"x0": np.array([0.6, 0.2, 0.2])}).ok is False
    assert proved(middle, x[:1], claimed={"x0": np.array([0.9])}).ok is False


def test_among_more_equals_than_are_looked_at_nothing_is_refuted() -> None:
    assert rerunning(of("sort"), np.ones(40)).ok is True
    median = lookup("torch", "median")
    assert median is not None
    assert rerunning(median.call, np.ones(40)).ok is True
    report = rerunning(median.call, np.ones(70))
    assert report.ok is None
    assert report.reason is not None and report.reason.endswith("a choice among more equals than were looked at")


def test_thousands_of_elements_at_kinks_of_their_own_are_looked_at_together() -> None:
    n = 1_000
    matrix = summed_kinks(n)
    assert [len(company) for company in companies(matrix, matrix.columns, matrix.ties())] == [n]
    report = proved(lambda x: of("sum")(of("relu")(x)), np.zeros(n), claimed={"x0": np.linspace(0.0, 1.0, n)})
    assert report.ok is True
    assert all((k["left"], k["right"]) == (0.0, 1.0) for k in report.kinks)
    assert proved(lambda x: of("sum")(of("relu")(x)), np.zeros(9), claimed={"x0": np.full(9, 1.5)}).ok is False


def summed_kinks(n: int) -> Matrix:
    _, outputs, inputs = record(lambda x: of("sum")(of("relu")(x)), np.zeros(n))
    lowered = lower(outputs, inputs)
    columns = [x.index for x in lowered.inputs["x0"]]
    matrix = Matrix(lowered.graph, [lowered.outputs[0].item().index], columns, 50)
    matrix.settle()
    matrix.rounding()
    return matrix


def test_elements_that_make_each_others_derivatives_jump_are_looked_at_apart() -> None:
    report = proved(lambda x: of("relu")(x[0]) * of("sign")(x[1]) + of("abs")(x[0] - x[1]), np.zeros(2))
    assert report.ok is True
    assert [(k["index"], k["left"], k["right"]) for k in report.kinks] == [([0], -1.0, 1.0), ([1], -1.0, 1.0)]


def test_of_many_equals_each_takes_every_place() -> None:
    members = [list("abcdefg"), list("xyz")]
    seen: dict[str, set[int]] = {name: set() for family in members for name in family}
    for shares in orders(members, 7):
        for family in members:
            for place, name in enumerate(sorted(family, key=shares.__getitem__)):
                seen[name].add(place)
        assert all(-1 < share < 1 for share in shares.values())
    assert all(places == set(range(7 if name in members[0] else 3)) for name, places in seen.items())
