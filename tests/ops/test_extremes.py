"""Elementwise functions where floats end: infinities, zeros of both signs, subnormals, the largest numbers, kinks.

What stands in the tables is the exact answer, rounded, or the limit: of the value, the derivative and the second
derivative. At kinks it is the choice that the declaration states.
"""

from __future__ import annotations

from math import inf, isnan, nan, pi
from typing import Any

import numpy as np
import pytest

from gradcli.autodiff import grad, hessian, jacfwd, jacrev, jvp, vjp
from gradcli.graph.errors import ArgumentError, DtypeError, GradcliError, ShapeError
from gradcli.graph.values import concrete
from gradcli.language import Program, Source
from gradcli.ops.registry import lookup

TINY = 5e-324


@pytest.fixture(autouse=True)
def _quiet():
    with np.errstate(all="ignore"):
        yield


def named(name: str) -> Any:
    """A function by its name; a name with a module before it has the module's meaning."""
    module, _, own = name.rpartition(".")
    found = lookup(module, own)
    assert found is not None, name
    return found


def near(found: Any, wanted: float) -> bool:
    """Equal to within 16 ulp; a zero of either sign is a zero, and below all normal numbers few steps do not count."""
    x = float(np.asarray(found))
    if isnan(wanted):
        return isnan(x)
    return x == wanted or (np.isfinite(x) and abs(x - wanted) <= 4e-15 * abs(wanted) + 20 * TINY)


def slopes(f: Any, x: Any) -> dict[str, Any]:
    """First and second derivative of a function of one number, by every way there is."""
    one = np.ones_like(x)

    def reverse(t: Any) -> Any:
        return vjp(f, t)[1](one)[0]

    def forward(t: Any) -> Any:
        return jvp(f, [t], [one])[1]

    return {
        "reverse": reverse(x),
        "forward": forward(x),
        "forward over reverse": jvp(reverse, [x], [one])[1],
        "reverse over reverse": vjp(reverse, x)[1](one)[0],
        "forward over forward": jvp(forward, [x], [one])[1],
        "reverse over forward": vjp(forward, x)[1](one)[0],
    }


#: function, x, value, derivative, second derivative
TABLE = [
    ("tanh", inf, 1.0, 0.0, 0.0),
    ("tanh", -inf, -1.0, 0.0, 0.0),
    ("tanh", 20.0, 1.0, 1.6993417021166355e-17, -3.398683404233271e-17),
    ("tanh", -350.0, -1.0, 3.943870617503908e-304, 7.887741235007817e-304),
    ("sigmoid", inf, 1.0, 0.0, 0.0),
    ("sigmoid", -inf, 0.0, 0.0, 0.0),
    ("sigmoid", -740.0, 4.2e-322, 4.2e-322, 4.2e-322),
    ("sigmoid", 40.0, 1.0, 4.248354255291589e-18, -4.248354255291589e-18),
    ("softplus", inf, inf, 1.0, 0.0),
    ("softplus", -inf, 0.0, 0.0, 0.0),
    ("softplus", -740.0, 4.2e-322, 4.2e-322, 4.2e-322),
    ("softplus", 800.0, 800.0, 1.0, 0.0),
    ("softplus", -TINY, 0.6931471805599453, 0.5, 0.25),
    ("torch.nn.functional.softplus", 20.5, 20.500000001250154, 0.9999999987498471, 1.2501528632609782e-09),
    ("logsigmoid", inf, 0.0, 0.0, 0.0),
    ("logsigmoid", -inf, -inf, 1.0, 0.0),
    ("logsigmoid", -800.0, -800.0, 1.0, 0.0),
    ("logsigmoid", 40.0, -4.248354255291589e-18, 4.248354255291589e-18, -4.248354255291589e-18),
    ("silu", inf, inf, 1.0, 0.0),
    ("silu", -inf, 0.0, 0.0, 0.0),
    ("silu", -740.0, -3.09967e-319, -3.09547e-319, None),
    ("silu", 800.0, 800.0, 1.0, 0.0),
    ("gelu", inf, inf, 1.0, 0.0),
    ("gelu", -inf, 0.0, 0.0, 0.0),
    ("gelu", -37.0, -2.1184613523340935e-298, -7.838298669418516e-297, -2.898048955934136e-295),
    ("gelu", 1e300, 1e300, 1.0, 0.0),
    ("jax.nn.gelu", inf, inf, 1.0, 0.0),
    ("jax.nn.gelu", -inf, 0.0, 0.0, 0.0),
    ("jax.nn.gelu", 1e300, 1e300, 1.0, 0.0),
    ("jax.nn.gelu", -1e200, 0.0, 0.0, 0.0),
    ("mish", inf, inf, 1.0, 0.0),
    ("mish", -inf, 0.0, 0.0, 0.0),
    ("mish", -740.0, -3.09967e-319, -3.09547e-319, None),
    ("mish", 1e300, 1e300, 1.0, 0.0),
    ("softsign", inf, 1.0, 0.0, 0.0),
    ("softsign", -inf, -1.0, 0.0, 0.0),
    ("softsign", 1e70, 1.0, 1e-140, -2e-210),
    ("softsign", 0.0, 0.0, 1.0, 0.0),
    ("tanhshrink", inf, inf, 1.0, 0.0),
    ("tanhshrink", -inf, -inf, 1.0, 0.0),
    ("tanhshrink", 1e-100, 3.3333333333333334e-301, 1e-200, 2e-100),
    ("tanhshrink", 1e-5, 3.333333333200001e-16, 9.999999999333335e-11, 1.9999999997333335e-05),
    ("jax.nn.squareplus", inf, inf, 1.0, 0.0),
    ("jax.nn.squareplus", -inf, 0.0, 0.0, 0.0),
    ("jax.nn.squareplus", -1e9, 1e-09, 1e-18, 2e-27),
    ("jax.nn.squareplus", 1e300, 1e300, 1.0, 0.0),
    ("elu", -inf, -1.0, 0.0, 0.0),
    ("elu", inf, inf, 1.0, 0.0),
    ("celu", -inf, -1.0, 0.0, 0.0),
    ("hardswish", inf, inf, 1.0, 0.0),
    ("hardswish", -inf, 0.0, 0.0, 0.0),
    ("hardsigmoid", -inf, 0.0, 0.0, 0.0),
    ("relu", inf, inf, 1.0, 0.0),
    ("relu", TINY, TINY, 1.0, 0.0),
    ("sinh", -800.0, -inf, inf, -inf),
    ("cosh", -inf, inf, -inf, inf),
    ("exp", -inf, 0.0, 0.0, 0.0),
    ("exp", 710.0, inf, inf, inf),
    ("expm1", -inf, -1.0, 0.0, 0.0),
    ("expm1", 1e-300, 1e-300, 1.0, 1.0),
    ("exp2", 1023.5, 1.2711610061536464e308, 8.811016674531432e307, 6.107331365818127e307),
    ("log", 0.0, -inf, inf, -inf),
    ("log", TINY, -744.4400719213812, inf, -inf),
    ("log", inf, inf, 0.0, 0.0),
    ("log", 1e308, 709.1962086421661, 1e-308, 0.0),
    ("log1p", -1.0, -inf, inf, -inf),
    ("log1p", 1e-300, 1e-300, 1.0, -1.0),
    ("log2", 1e-308, -1023.1538532253076, 1.442695040888963e308, -inf),
    ("log10", 1e308, 308.0, 4.34294481903252e-309, 0.0),
    ("sqrt", 0.0, 0.0, inf, -inf),
    ("sqrt", -0.0, 0.0, inf, -inf),
    ("sqrt", TINY, 2.2227587494850775e-162, 2.2494568972715982e161, -inf),
    ("sqrt", inf, inf, 0.0, 0.0),
    ("rsqrt", 0.0, inf, -inf, inf),
    ("rsqrt", inf, 0.0, 0.0, 0.0),
    ("rsqrt", 1e200, 1e-100, -5e-301, 0.0),
    ("cbrt", 0.0, 0.0, inf, -inf),
    ("cbrt", -0.0, 0.0, inf, inf),
    ("cbrt", -inf, -inf, 0.0, 0.0),
    ("cbrt", TINY, 1.7031839360032603e-108, 1.1490942214795806e215, -inf),
    ("cbrt", 1e308, 4.641588833612779e102, 1.5471962778709263e-206, 0.0),
    ("reciprocal", -inf, 0.0, 0.0, 0.0),
    ("reciprocal", -0.0, -inf, -inf, -inf),
    ("reciprocal", 1e160, 1e-160, -1e-320, 0.0),
    ("square", inf, inf, inf, 2.0),
    ("arcsin", 1.0, pi / 2, inf, inf),
    ("arcsin", -1.0, -pi / 2, inf, -inf),
    ("arcsin", 0.9999999999999999, 1.5707963118937354, 67108864.0, 3.022314549036573e23),
    ("arcsin", 1e-300, 1e-300, 1.0, 1e-300),
    ("arccos", 1.0, 0.0, -inf, -inf),
    ("arctan", inf, pi / 2, 0.0, 0.0),
    ("arctan", 1e160, pi / 2, 1e-320, 0.0),
    ("arctan", 1e-300, 1e-300, 1.0, -2e-300),
    ("arcsinh", -inf, -inf, 0.0, 0.0),
    ("arcsinh", 1e300, 691.4686750787737, 1e-300, 0.0),
    ("arcsinh", 1e-300, 1e-300, 1.0, -1e-300),
    ("arccosh", 1.0, 0.0, inf, -inf),
    ("arccosh", inf, inf, 0.0, 0.0),
    ("arctanh", 1.0, inf, inf, inf),
    ("arctanh", -1.0, -inf, inf, -inf),
    ("arctanh", 0.9999999999999999, 18.714973875118524, 4503599627370496.0, 4.056481920730334e31),
    ("jax.nn.log1mexp", 0.0, -inf, inf, -inf),
    ("jax.nn.log1mexp", 1e-300, -690.7755278982137, 1e300, -inf),
    ("jax.nn.log1mexp", inf, 0.0, 0.0, 0.0),
    ("absolute", 0.0, 0.0, 0.0, 0.0),
    ("absolute", -inf, inf, -1.0, 0.0),
    ("sign", 0.0, 0.0, 0.0, 0.0),
    ("frac", -1.75, -0.75, 1.0, 0.0),
    ("nan_to_num", inf, 1.7976931348623157e308, 0.0, 0.0),
    ("nan_to_num", nan, 0.0, 0.0, 0.0),
]


@pytest.mark.parametrize(("name", "x", "value", "first", "second"), TABLE)
def test_where_floats_end(name, x, value, first, second):
    f, point = named(name), np.asarray(x)
    assert near(f(point), value)
    for way, found in slopes(f, point).items():
        wanted = second if "over" in way else first
        assert wanted is None or near(found, wanted), (way, float(found))


#: function, x, y, value, derivative in x, derivative in y
PAIRS = [
    ("divide", 1e300, 1e-10, inf, 1e10, -inf),
    ("divide", 1e-300, 1e200, 0.0, 1e-200, 0.0),
    ("divide", 1.0, inf, 0.0, 0.0, 0.0),
    ("divide", 0.0, 1e-310, 0.0, inf, 0.0),
    ("power", 0.0, 0.0, 1.0, 0.0, 0.0),
    ("power", 0.0, 2.0, 0.0, 0.0, 0.0),
    ("power", 0.0, 1.0, 0.0, 1.0, 0.0),
    ("power", 0.0, 0.5, 0.0, inf, 0.0),
    ("power", 0.0, -1.0, inf, -inf, -inf),
    ("power", -2.0, 3.0, -8.0, 12.0, nan),
    ("power", inf, -2.0, 0.0, 0.0, 0.0),
    ("power", inf, 0.5, inf, 0.0, inf),
    ("power", 0.5, inf, 0.0, 0.0, 0.0),
    ("power", 2.0, -inf, 0.0, 0.0, 0.0),
    ("power", 1e-200, 2.0, 0.0, 2e-200, 0.0),
    ("power", 1e200, 1.6, inf, 1.6000000000000656e120, inf),
    ("power", 1 + 2.0**-52, 1e9, 1.0000002220446296, 1000000222.0446293, 2.2204465422884336e-16),
    ("hypot", 0.0, 0.0, 0.0, 0.0, 0.0),
    ("hypot", 1.5e308, 1.5e308, inf, 0.7071067811865475, 0.7071067811865475),
    ("hypot", 3e-320, 4e-320, 5e-320, 0.6, 0.8),
    ("hypot", inf, 1.0, inf, 1.0, 0.0),
    ("hypot", -1.0, -inf, inf, 0.0, -1.0),
    ("arctan2", 0.0, 0.0, 0.0, 0.0, 0.0),
    ("arctan2", 1e300, 1e300, pi / 4, 5e-301, -5e-301),
    ("arctan2", 1e-200, 1e-200, pi / 4, 5e199, -5e199),
    ("arctan2", 1.0, inf, 0.0, 0.0, 0.0),
    ("logaddexp", inf, inf, inf, 0.5, 0.5),
    ("logaddexp", -inf, -inf, -inf, 0.5, 0.5),
    ("logaddexp", -inf, 3.0, 3.0, 0.0, 1.0),
    ("logaddexp", inf, -1e308, inf, 1.0, 0.0),
    ("logaddexp", 800.0, 800.0, 800.6931471805599, 0.5, 0.5),
    ("logaddexp2", -inf, -inf, -inf, 0.5, 0.5),
    ("logaddexp2", 3.0, 3.0, 4.0, 0.5, 0.5),
    ("copysign", 0.0, -1.0, 0.0, 0.0, 0.0),
    ("copysign", -2.0, 3.0, 2.0, -1.0, 0.0),
    ("heaviside", 0.0, 0.25, 0.25, 0.0, 1.0),
    ("heaviside", 2.0, 0.25, 1.0, 0.0, 0.0),
    ("fmod", -7.5, 2.0, -1.5, 1.0, 3.0),
    ("remainder", -7.5, 2.0, 0.5, 1.0, 4.0),
    ("math.remainder", 7.5, 2.0, -0.5, 1.0, -4.0),
    ("math.remainder", 5.0, 2.0, 1.0, 1.0, -2.0),
    ("fmod", 1e308, 1e-5, float(np.fmod(1e308, 1e-5)), 1.0, None),
    ("remainder", 3.0, inf, 3.0, 1.0, 0.0),
    ("fmod", 3.0, inf, 3.0, 1.0, 0.0),
    ("maximum", 1.0, 1.0, 1.0, 0.5, 0.5),
    ("maximum", -inf, -inf, -inf, 0.5, 0.5),
    ("fmax", 1.0, 1.0, 1.0, 1.0, 0.0),
    ("fmin", nan, 2.0, 2.0, 0.0, 1.0),
]


@pytest.mark.parametrize(("name", "x", "y", "value", "by_x", "by_y"), PAIRS)
def test_two_values_where_floats_end(name, x, y, value, by_x, by_y):
    f, point = named(name), (np.asarray(x), np.asarray(y))
    one, zero = np.ones(()), np.zeros(())
    assert near(f(*point), value)
    pulled = vjp(f, *point)[1](one)
    pushed = [jvp(f, point, tangents)[1] for tangents in ([one, zero], [zero, one])]
    for found, wanted in zip((*pulled, *pushed), (by_x, by_y) * 2, strict=True):
        assert wanted is None or near(found, wanted), float(found)


@pytest.mark.parametrize("step", [1.0, 0.7, 3.0])
def test_the_remainder_is_the_standards(step):
    import math

    xs = np.array([*np.linspace(-9.3, 9.3, 41), *(step * np.arange(-4, 5) / 2), 1e17, -0.0])
    found = named("math.remainder")(xs, np.asarray(step))
    assert found.tolist() == [math.remainder(x, step) for x in xs.tolist()]


def test_numbers_instead_of_what_is_none():
    x = np.array([nan, inf, -inf, 1.5])
    for kind in (np.float64, np.float32):
        found = named("nan_to_num")(x.astype(kind), nan=1.0, posinf=2.0)
        assert found.dtype == kind
        assert found.tolist() == np.nan_to_num(x.astype(kind), nan=1.0, posinf=2.0).tolist()
    assert named("torch.nan_to_num")(x, 1.0, 2.0, -3.0).tolist() == [1.0, 2.0, -3.0, 1.5]


def test_a_subnormal_number_is_taken_apart():
    mantissa, exponent = named("frexp")(np.asarray(1e-310))
    assert (float(mantissa), int(exponent)) == tuple(np.frexp(1e-310))
    assert float(named("ldexp")(mantissa, exponent)) == 1e-310


# --- powers at 0, to the second derivative ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("exponent", "wanted"), [(2, 2.0), (2.0, 2.0), (3, 0.0), (1, 0.0), (0, 0.0), (1.5, inf), (0.5, -inf), (2.5, 0.0)]
)
def test_the_second_derivative_of_a_power_at_0(exponent, wanted):
    for y in (exponent, np.asarray(float(exponent))):
        for way, found in slopes(lambda x, y=y: named("power")(x, y), np.asarray(0.0)).items():
            assert "over" not in way or near(found, wanted), way


def test_powers_in_the_exponent_at_0():
    table = hessian(named("power"), (0, 1))(np.asarray(0.0), np.asarray(2.0))
    assert [float(part) for row in table for part in row] == [2.0, 0.0, 0.0, 0.0]


# --- what was not chosen passes nothing on ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "where(x > 0, sqrt(x), 0)",
        "where(x > 0, log(x), 0)",
        "where(x > 0, x*log(x), 0)",
        "where(x != 0, sin(x)/x, 1)",
        "where(x != 0, 1/x**2, 0)",
        "where(x > 0, x**0.3, x)",
        "where(x < 1, arcsin(x), 0)",
        "where(x < 1, arctanh(x), 0)",
        "where(x < 1, 1/(1 - x), 0)",
        "where(x < 0, x, exp(1/(x - x - 1))*x)",
        "where(x > 5, exp(x*1000), x)",
        "where(x > 0, hypot(x, 0.0)/x, 0)",
        "sqrt(maximum(x, 0))",
        "sqrt(relu(x))",
        "log(clip(x, 0.5, inf))",
        "sqrt(clip(x, 0, 1))",
        "(x > 0)*sqrt(abs(x))",
        "where(x > 0, logaddexp(x, log(x)), 0)",
        "where(x > 0, cbrt(x), 0)",
        "where(x > 0, arctan2(x, log(x)), 0)",
        "where(x > 0, rsqrt(x), 0)",
    ],
)
def test_no_nan_from_a_branch_not_taken(text):
    x = np.array([-1.0, -0.0, 0.0, 1.0, 2.0])
    taken = np.array([-1.0, 0.0, 0.0, 1.0, 2.0])
    f = Program.parse(Source("p", f"sum({text})")).function(["x"], {"x": x})
    gradient = grad(f)(x)
    assert not np.isnan(gradient).any(), gradient
    _, pushed = jvp(f, [x], [np.ones(5)])
    assert not np.isnan(pushed)
    for way in (jvp(grad(f), [x], [np.ones(5)])[1], vjp(grad(f), x)[1](np.ones(5))[0]):
        assert not np.isnan(way[taken != 0]).any(), way


def test_an_infinite_slope_stays_in_its_own_row():
    x = np.array([0.0, 4.0])
    for jacobian in (jacfwd, jacrev):
        found = jacobian(named("sqrt"))(x)
        assert found.tolist() == [[inf, 0.0], [0.0, 0.25]]


def test_0_times_nan_is_still_nan_where_it_is_a_value():
    f = Program.parse(Source("p", "sum(x*log(x))")).function(["x"], {"x": np.zeros(1)})
    assert np.isnan(f(np.zeros(1)))
    assert isnan(float(grad(lambda x: named("sqrt")(x * x))(np.asarray(0.0))))


# --- choices at kinks ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "x", "wanted"),
    [
        ("F.hardsigmoid(x)", [-3.0, 0.0, 3.0], [0.0, 1 / 6, 0.0]),
        ("F.hardswish(x)", [-3.0, 0.0, 3.0], [0.0, 0.5, 1.0]),
        ("F.hardtanh(x)", [-1.0, 0.0, 1.0], [0.0, 1.0, 0.0]),
        ("F.hardtanh(x)", [nan, inf, -inf], [1.0, 0.0, 0.0]),
        ("F.relu6(x)", [0.0, 3.0, 6.0], [0.0, 1.0, 0.0]),
        ("F.softshrink(x)", [-0.5, 0.0, 0.5, 1.0], [0.0, 0.0, 0.0, 1.0]),
        ("F.hardshrink(x)", [-0.5, 0.0, 0.5, 1.0], [0.0, 0.0, 0.0, 1.0]),
        ("F.threshold(x, 1, 7)", [0.0, 1.0, 2.0], [0.0, 0.0, 1.0]),
        ("F.leaky_relu(x)", [-1.0, 0.0, 1.0], [0.01, 0.01, 1.0]),
        ("F.rrelu(x)", [-1.0, 0.0, 1.0], [11 / 48, 11 / 48, 1.0]),
        ("F.prelu(x, torch.tensor([0.25]))", [-1.0, 0.0, 1.0], [0.25, 0.25, 1.0]),
        ("F.elu(x, 2.0)", [0.0, 1.0], [2.0, 1.0]),
        ("F.celu(x, 2.0)", [0.0, 1.0], [1.0, 1.0]),
        ("F.celu(x, -2.0)", [-1.0, 0.0], [1.6487212707001282, 1.0]),
        ("F.selu(x)", [0.0, 1.0], [1.7580993408473766, 1.0507009873554805]),
        ("torch.frac(x)", [1.0, 1.5, -2.0], [1.0, 1.0, 1.0]),
        ("torch.copysign(x, torch.tensor(-1.0))", [0.0, 1.0, -1.0], [0.0, -1.0, 1.0]),
        ("torch.fmod(x, 2)", [3.0, -3.0, 4.0], [1.0, 1.0, 1.0]),
        ("torch.angle(x)", [-1.0, 0.0, 1.0], [0.0, 0.0, 0.0]),
        ("torch.rsub(x, 3.0, alpha=2)", [1.0, 2.0], [-2.0, -2.0]),
        ("torch.ldexp(x, torch.tensor(2))", [1.0, 3.0], [4.0, 4.0]),
        ("torch.frexp(x)[0]", [1.0, 3.0, 0.0], [0.5, 0.25, 1.0]),
        ("torch.nan_to_num(x, 1.0)", [nan, inf, 2.0], [0.0, 0.0, 1.0]),
    ],
)
def test_pytorchs_choice(text, x, wanted):
    source = f"import torch\nimport torch.nn.functional as F\ntorch.sum({text})"
    f = Program.parse(Source("p", source)).function(["x"], {"x": np.array(x)})
    assert np.asarray(grad(f)(np.array(x))).tolist() == pytest.approx(wanted, rel=1e-15)


# --- complex numbers -------------------------------------------------------------------------------------------------


def holomorphic(name: str, z: complex) -> complex:
    """The derivative of a complex function, from its vjp and its jvp, which must agree."""
    f, point = named(name), np.asarray(z)
    pulled = complex(vjp(f, point)[1](np.asarray(1 + 0j))[0]).conjugate()
    pushed = complex(jvp(f, [point], [np.asarray(1 + 0j)])[1])
    assert pulled == pytest.approx(pushed, rel=1e-15)
    return pushed


@pytest.mark.parametrize(
    ("name", "z", "wanted"),
    [
        ("arcsin", complex(2, 0.0), 1j / 3**0.5),
        ("arcsin", complex(2, -0.0), -1j / 3**0.5),
        ("arccosh", complex(-2, 0.0), -1 / 3**0.5),
        ("arcsinh", complex(0.0, 2), 1 / 3**0.5 / 1j),
        ("arctan", complex(1e200, 1e200), 0j),
        ("arctanh", complex(1e200, 1e200), 0j),
        ("tanh", complex(800, 1), 0j),
        ("sigmoid", complex(-800, 1), 0j),
        ("tan", complex(1, 30), 3.502602603e-26 * 0),
        ("exp", complex(0, pi), -1 + 0j),
        ("sqrt", complex(-4, 0.0), -0.25j),
        ("log", complex(0, 2), -0.5j),
        ("log1p", complex(1e-200, 1e-200), 1 + 0j),
        ("reciprocal", complex(0, 1e-100), 1e200 + 0j),
    ],
)
def test_slopes_of_complex_functions(name, z, wanted):
    assert holomorphic(name, z) == pytest.approx(wanted, rel=1e-14, abs=1e-25)


def test_a_complex_sign_neither_overflows_nor_loses_digits():
    sgn = named("torch.sgn")
    z = np.array([1.7e308 * (1 + 1j), 5e-324j, 3e-320 + 4e-320j, 0j, complex(inf, 1)])
    assert sgn(z) == pytest.approx([(1 + 1j) / 2**0.5, 1j, 0.6 + 0.8j, 0, 1], rel=1e-3)
    assert named("sign")(np.array([3 + 4j]))[0] == pytest.approx(0.6 + 0.8j)
    assert complex(vjp(named("sign"), np.array([1j]))[1](np.array([1 + 1j]))[0][0]) == pytest.approx(1)


def test_the_angle_and_size_of_a_complex_number():
    z = np.array([1 + 2j, 0j, -1 + 0j])
    _, pullback = vjp(named("angle"), z)
    assert pullback(np.ones(3))[0] == pytest.approx([-0.4 + 0.2j, 0, -1j])
    _, pullback = vjp(named("absolute"), z)
    assert pullback(np.ones(3))[0] == pytest.approx([(1 + 2j) / 5**0.5, 0, -1])
    assert named("angle")(np.array([1j]), deg=True).tolist() == [90.0]


def test_real_if_close_looks_at_the_values():
    f = named("real_if_close")
    assert f(np.array([1 + 1e-15j])).dtype == np.float64
    assert f(np.array([1 + 1e-3j])).dtype == np.complex128
    assert f(np.array([1 + 1e-3j]), tol=0.1).dtype == np.float64


# --- Python's math, and what comes in pairs --------------------------------------------------------------------------


def run(text: str, **values: Any) -> Any:
    """The results of a program, as arrays."""
    cores = Program.parse(Source("p", text)).run(values).cores()
    found = [np.asarray(concrete(core)).tolist() for core in cores]
    return found[0] if len(found) == 1 else found


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("math.log(8, 2)", 3.0),
        ("math.log(9.0, 3.0)", 2.0),
        ("math.hypot(3e300, 4e300)", 5e300),
        ("math.hypot(2, 3, 6)", 7.0),
        ("math.dist([1, 2], [4, 6])", 5.0),
        ("math.sumprod([1, 2], [3, 4])", 11.0),
        ("math.fsum([1, 2, 3])", 6.0),
        ("math.remainder(5.0, 3.0)", -1.0),
        ("math.fmod(-5.0, 3.0)", -2.0),
        ("math.isclose(1.0, 1.0 + 1e-10)", True),
        ("math.isclose(1.0, 1.1)", False),
        ("math.isclose(inf, inf)", True),
        ("math.isclose(inf, 1.0, rel_tol=2)", False),
        ("math.ulp(1.0)", 2.0**-52),
        ("math.gcd(12, 18)", 6),
        ("np.divmod(7.5, 2)", [3.0, 1.5]),
        ("math.modf(-1.25)", [-0.25, -1.0]),
        ("math.frexp(10.0)", [0.625, 4]),
        ("math.ldexp(0.625, 4)", 10.0),
        ("float_power(2, -1)", 0.5),
        ("torch.dist(torch.tensor([1.0, 2.0]), torch.tensor([4.0, 6.0]))", 5.0),
    ],
)
def test_functions_of_pythons_math_module(text, wanted):
    assert run(f"import math\nimport {'torch' if 'torch' in text else 'numpy as np'}\n{text}") == wanted


# --- messages --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda: named("relu")(np.array([1j])), DtypeError, "relu takes real numbers, not complex128"),
        (lambda: named("gelu")(np.ones(2), "exact"), ArgumentError, "approximate is 'none' or 'tanh', not 'exact'"),
        (lambda: named("celu")(np.ones(2), 0.0), ArgumentError, "celu: alpha must not be 0"),
        (lambda: named("rrelu")(np.ones(2), training=True), ArgumentError, "training=True draws random slopes"),
        (lambda: named("softshrink")(np.ones(2), -1.0), ArgumentError, "lambda must be greater or equal to 0"),
        (lambda: named("prelu")(np.ones((2, 3)), np.ones(2)), ShapeError, "prelu: 2 weights for 3 channels"),
        (lambda: named("prelu")(np.ones(3), np.ones((1, 1))), ShapeError, r"not shape \[1, 1\]"),
        (lambda: named("torch.nn.functional.glu")(np.ones((2, 3))), ShapeError, "axis -1 of shape .2, 3. has 3"),
        (lambda: named("torch.nn.functional.glu")(np.asarray(1.0)), ShapeError, "does not support 0-dimensional"),
        (lambda: named("jax.nn.squareplus")(np.ones(2), 0), ArgumentError, "squareplus: b must be positive"),
        (lambda: named("math.dist")([1.0], [1.0, 2.0]), ShapeError, "two vectors of one length"),
        (lambda: named("math.isclose")(1.0, 1.0, rel_tol=-1), ArgumentError, "tolerances must be non-negative"),
        (lambda: named("threshold")(np.ones(2)), ArgumentError, "threshold"),
    ],
)
def test_what_a_wrong_call_says(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


def test_an_activation_in_place():
    text = "import torch\nimport torch.nn.functional as F\nx = torch.tensor([-1.0, 2.0])\n{}\nx"
    for call in ("F.relu(x, inplace=True)", "F.relu(x, True)", "F.threshold(x, 0.0, 0.0, True)", "F.relu6(x, True)"):
        assert run(text.format(call)) == [0.0, 2.0]
    assert run(text.format("F.relu(x, inplace=False)")) == [-1.0, 2.0]
    with pytest.raises(GradcliError, match="a leaf Variable that requires grad is being used in an in-place operation"):
        run(text.format("x.requires_grad_()\nF.silu(x, inplace=True)"))
