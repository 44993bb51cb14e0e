"""Hypergeometric functions: parameters that carry no derivative, and places where SciPy's own fail."""

from __future__ import annotations

import numpy as np
import pytest
from mpmath import mp

from gradcli.autodiff import grad
from gradcli.graph.errors import NotDifferentiable
from gradcli.ops.registry import known


def test_a_parameter_carries_no_derivative() -> None:
    with pytest.raises(NotDifferentiable, match="hyp1f1 is not differentiable in its parameters"):
        grad(lambda a: known("scipy.special", "hyp1f1")(a, 1.5, np.array(0.3)))(np.array(0.5))


@pytest.mark.parametrize("z", [-30.0, -0.5, 0.0, 0.5, 30.0, 4000.0])
def test_the_limit_function_of_1_is_a_bessel_function(z: float) -> None:
    with mp.workdps(60):
        wanted = float(mp.hyp0f1(1, z))
    assert float(known("scipy.special", "hyp0f1")(1, np.array(z))) == pytest.approx(wanted, rel=1e-14)


@pytest.mark.parametrize(
    ("a", "b", "z"), [(0.5, 1.5, -1e7), (2, 3, -3e6), (-2, 0.5, 1e7), (-3, 2.5, -1e8), (1.5, 0.25, -1e9)]
)
def test_far_out_kummers_function_is_its_expansion(a: float, b: float, z: float) -> None:
    with mp.workdps(60):
        wanted = float(mp.hyp1f1(a, b, z))
    assert float(known("scipy.special", "hyp1f1")(a, b, np.array(z))) == pytest.approx(wanted, rel=1e-13)


def test_far_out_kummers_function_overflows() -> None:
    kummer = known("scipy.special", "hyp1f1")
    assert float(kummer(0.5, 1.5, np.array(1e300))) == np.inf
    assert float(kummer(-0.5, 1.5, np.array(1e300))) == -np.inf


@pytest.mark.parametrize(("name", "parameters"), [("hyp1f1", (1, 0)), ("hyp2f1", (1, 2, 0)), ("hyp0f1", (0,))])
def test_a_pole_in_a_parameter_is_an_infinite_slope_and_no_fault(name: str, parameters: tuple[int, ...]) -> None:
    with np.errstate(all="ignore"):
        slope = grad(lambda z: known("scipy.special", name)(*parameters, z))(np.array(0.5))
    assert not np.isfinite(np.asarray(slope))
