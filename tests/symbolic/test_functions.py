"""The elementary functions: their values are mpmath's, and SymPy's partials are the slopes of those values."""

from __future__ import annotations

import pytest
import sympy
from mpmath import libmp, mp, mpf

from gradcli.symbolic.evaluate import Evaluation, plan
from gradcli.symbolic.functions import FUNCTIONS, UNDEFINED, defined
from gradcli.symbolic.partials import carried, partial
from gradcli.symbolic.scalars import Graph
from gradcli.symbolic.special_functions import ANALYTIC

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
    "scaled_k": ("2", "1.9"),
    "spherical_jn": ("2", "1.9"),
    "expn": ("3", "1.9"),
    "hyp1f1": ("0.5", "1.5", "1.9"),
    "kummer": ("0.5", "1.5", "1.9"),
    "hyp0f1": ("1.5", "1.9"),
    "hyp2f1": ("0.5", "0.7", "1.5", "0.4"),
    "lambertw_lower": ("-0.2",),
    "zeta": ("2.5", "1.9"),
    "gammainc": ("2.5", "1.9"),
    "gammaincc": ("2.5", "1.9"),
    "betainc": ("2.5", "1.9", "0.4"),
    "betaincc": ("2.5", "1.9", "0.4"),
    "owens_t": ("0.3", "1.9"),
}
#: Arguments that are orders, by which SymPy takes no derivative.
ORDERS = {"polygamma", "besselj", "bessely", "besseli", "besselk"}
SMOOTH = [name for name, f in FUNCTIONS.items() if f.symbolic is not None and f.arity]


def value_at(name: str, point: tuple[str, ...], position: int, step: mpf) -> mpf:
    precision = 400
    with mp.workprec(precision):
        xs = [mpf(x) for x in point]
        xs[position] += step
        orders = [mpf(0)] * FUNCTIONS[name].orders
        return mp.make_mpf(FUNCTIONS[name].value(*(x._mpf_ for x in [*orders, *xs]), precision, "n"))


@pytest.mark.parametrize("name", SMOOTH)
def test_partials_are_slopes(name: str) -> None:
    point = POINTS.get(name, ("0.4",))
    orders = FUNCTIONS[name].orders
    for position in range(FUNCTIONS[name].arity - orders):
        if (name in ORDERS and position == 0) or (orders and position < len(point) - orders):
            continue
        with mp.workprec(400):
            graph = Graph()
            places = [graph.input(f"x{i}", 0, mpf(x)._mpf_) for i, x in enumerate(point)]
            index = graph.apply(name, *[graph.number(0)] * orders, *places)
            slope = partial(graph, index, position + orders)
            assert slope is not None
            values = Evaluation(graph, plan(graph, [slope]), 400).values
            h = mpf(10) ** -30
            difference = (value_at(name, point, position, h) - value_at(name, point, position, -h)) / (2 * h)
            assert abs(mp.make_mpf(values[slope]) - difference) < mpf(10) ** -50 * (1 + abs(difference))


@pytest.mark.parametrize("name", [name for name, f in FUNCTIONS.items() if f.orders and f.symbolic is not None])
def test_formulas_of_special_functions_are_their_slopes(name: str) -> None:
    """What `derive` writes for a derivative that the oracle takes by differences."""
    function, point = FUNCTIONS[name], POINTS.get(name, ("0.4",))
    symbols = sympy.symbols(f"a:{len(point)}", real=True)
    for position in range(len(point) - function.orders, len(point)):
        form = function.symbolic(*[0] * function.orders, *symbols)
        formula = sympy.diff(form, symbols[position])
        if formula.has(sympy.Derivative):
            continue
        with mp.workprec(400):
            graph = Graph()
            places = {s: graph.number(mpf(x)._mpf_) for s, x in zip(symbols, point, strict=True)}
            stated = carried(graph, formula, places)
            index = graph.apply(name, *[graph.number(0)] * function.orders, *places.values())
            slope = partial(graph, index, position + function.orders)
            values = Evaluation(graph, plan(graph, [slope, stated]), 400).values
            said, taken = mp.make_mpf(values[stated]), mp.make_mpf(values[slope])
            assert abs(said - taken) < mpf(10) ** -60 * (1 + abs(taken))


@pytest.mark.parametrize("name", ANALYTIC)
def test_parts_of_analytic_functions_have_their_slopes(name: str) -> None:
    """Both partial derivatives of both parts, against differences of the complex function itself."""
    with mp.workprec(400):
        graph, h = Graph(), mpf(10) ** -30
        x, y = mpf("0.4"), mpf("-1.3")
        before = [mpf("0.5")] * (ANALYTIC[name].__code__.co_argcount - 1)
        places = [graph.number(v._mpf_) for v in before]
        places += [graph.input(n, 0, at._mpf_) for n, at in (("x", x), ("y", y))]
        for part in ("re", "im"):
            index = graph.apply(f"{part}:{name}", graph.number(0), *places)
            for position, step in ((len(places) - 1, h), (len(places), 1j * h)):
                slope = partial(graph, index, position)
                found = mp.make_mpf(Evaluation(graph, plan(graph, [slope]), 400).values[slope])
                z = x + 1j * y
                wanted = (ANALYTIC[name](*before, z + step) - ANALYTIC[name](*before, z - step)) / (2 * h)
                assert abs(found - (wanted.real if part == "re" else wanted.imag)) < mpf(10) ** -50


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


def test_a_slope_by_differences_keeps_its_digits_beside_zero():
    """sinc is even: its slope -x/3 at 1e-200 hides behind differences of 1e-400."""
    x = libmp.from_str("1e-200", 60, "n")
    slope = FUNCTIONS["sinc"].value(libmp.from_int(1), x, 170, "n")
    assert abs(mp.make_mpf(slope) * 3 / mp.mpf("1e-200") + 1) < 1e-15
