"""How far a claim is from the exact value, at the ends of the floats too."""

from __future__ import annotations

import math

import numpy as np
import pytest
from mpmath import libmp

from gradcli.symbolic.tolerance import Tolerance, distance, ulp

HUGE = libmp.from_int(10**400)


@pytest.mark.parametrize(
    ("got", "exact", "expected"),
    [
        (3.0, libmp.from_int(1), 2.0),
        (math.nan, libmp.from_int(1), math.inf),
        (math.inf, libmp.from_int(1), math.inf),
        (math.inf, HUGE, 0.0),
        (-math.inf, HUGE, math.inf),
        (1.0, HUGE, math.inf),
        (1.0, libmp.fnan, math.inf),
    ],
)
def test_the_distance(got: float, exact: tuple[int, int, int, int], expected: float) -> None:
    assert distance(got, exact) == expected


def test_sixteen_units_of_rounding_are_allowed() -> None:
    tolerance = Tolerance(1e-3, 1e-2)
    assert tolerance.plain(2.0) == 0.021
    assert tolerance.within(2.0, 0.5) == 8.021
    assert tolerance.within(math.inf, 0.5) == 0.0


def test_the_spacing_of_floats() -> None:
    doubles, singles = np.finfo(np.float64), np.finfo(np.float32)
    assert ulp(1.0, doubles) == 2.0**-52
    assert ulp(1.0, singles) == 2.0**-23
    with np.errstate(over="ignore"):  # the next float is infinite
        assert ulp(float(singles.max), singles) == float(singles.max) * 2.0**-23
    assert math.isnan(ulp(math.inf, doubles))
