"""The elementary functions: their values are mpmath's, and SymPy's partials are the slopes of those values."""

from __future__ import annotations

import pytest
from mpmath import libmp, mp, mpf

from gradcli.symbolic.evaluate import Evaluation, plan
from gradcli.symbolic.functions import FUNCTIONS, UNDEFINED, defined
from gradcli.symbolic.partials import partial
from gradcli.symbolic.scalars import Graph

#: A point inside the domain of each function; the default is good for most.
POINTS = {
    "acosh": ("1.7",),
    "add": ("0.3", "1.9"),
    "sub": ("0.3", "1.9"),
    "mul": ("0.3", "1.9"),
    "carry": ("0.3", "1.9"),
    "div": ("0.3", "1.9"),
    "pow": ("0.3", "1.9"),
    "atan2": ("0.3", "-1.9"),
    "max": ("0.3", "1.9"),
    "min": ("0.3", "1.9"),
    "polygamma": ("1", "1.9"),
    "besselj": ("2", "1.9"),
    "bessely": ("2", "1.9"),
    "besseli": ("2", "1.9"),
    "besselk": ("2", "1.9"),
}
#: Arguments that are orders, by which SymPy takes no derivative.
ORDERS = {"polygamma", "besselj", "bessely", "besseli", "besselk"}
SMOOTH = [name for name, f in FUNCTIONS.items() if f.symbolic is not None and f.arity]


def value_at(name: str, point: tuple[str, ...], position: int, step: mpf) -> mpf:
    precision = 400
    with mp.workprec(precision):
        xs = [mpf(x) for x in point]
        xs[position] += step
        return mp.make_mpf(FUNCTIONS[name].value(*(x._mpf_ for x in xs), precision, "n"))


@pytest.mark.parametrize("name", SMOOTH)
def test_partials_are_slopes(name: str) -> None:
    point = POINTS.get(name, ("0.4",))
    for position in range(FUNCTIONS[name].arity):
        if name in ORDERS and position == 0:
            continue
        with mp.workprec(400):
            graph = Graph()
            places = [graph.input(f"x{i}", 0, mpf(x)._mpf_) for i, x in enumerate(point)]
            index = graph.apply(name, *places)
            slope = partial(graph, index, position)
            assert slope is not None
            values = Evaluation(graph, plan(graph, [slope]), 400).values
            h = mpf(10) ** -30
            difference = (value_at(name, point, position, h) - value_at(name, point, position, -h)) / (2 * h)
            assert abs(mp.make_mpf(values[slope]) - difference) < mpf(10) ** -50 * (1 + abs(difference))


def test_the_table_says_what_is_locally_constant() -> None:
    graph = Graph()
    x = graph.input("x", 0, libmp.from_float(0.4))
    for name in ("sign", "step", "floor", "round", "stop"):
        assert partial(graph, graph.apply(name, x), 0) is None


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("log", (0.0,)),
        ("log", (-1.0,)),
        ("sqrt", (-1.0,)),
        ("div", (1.0, 0.0)),
        ("pow", (-2.0, 0.5)),
        ("pow", (0.0, -1.0)),
        ("asin", (2.0,)),
        ("gamma", (-1.0,)),
        ("exp", (1e300,)),
        ("exp", (float("nan"),)),
    ],
)
def test_outside_the_domain_is_undefined(name: str, args: tuple[float, ...]) -> None:
    graph = Graph(folds=False)
    index = graph.apply(name, *(graph.input("x", i, libmp.from_float(x)) for i, x in enumerate(args)))
    found = Evaluation(graph, plan(graph, [index]), 200).values[index]
    assert found == UNDEFINED or not defined(found)


def test_whole_powers_of_negative_numbers_are_defined() -> None:
    graph = Graph()
    x = graph.input("x", 0, libmp.from_float(-2.0))
    index = graph.apply("pow", x, graph.number(3))
    assert libmp.to_float(Evaluation(graph, plan(graph, [index]), 200).values[index]) == -8.0


def test_equal_scalars_are_made_once() -> None:
    graph = Graph()
    x = graph.input("x", 0, None)
    assert graph.apply("sin", x) == graph.apply("sin", x)
    assert graph.apply("add", x, graph.number(0)) == x
    assert graph.apply("mul", x, graph.number(1)) == x
    assert graph.number(0.5) == graph.number(0.5)
    assert graph.leaf(x) != graph.leaf(x)
