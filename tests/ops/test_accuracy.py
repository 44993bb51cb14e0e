"""Functions that work on each element alone, at points all over where they are defined, to some ulps.

`benchmarks/accuracy.py` measures all functions at more points; these are as many as a test run bears.
"""

from __future__ import annotations

import numpy as np
import pytest
from table.calls import FUNCTIONS
from table.explained import EXPLAINED, LIMITS
from table.far import TOO_SLOW, far_errors
from table.points import POINTWISE

NAMES = [f.name for f in FUNCTIONS if f.family in POINTWISE and f.differentiable and f.name not in TOO_SLOW]


@pytest.mark.parametrize("name", NAMES)
def test_accuracy(name: str) -> None:
    """No value, vjp or jvp is further off than the limits, but where NumPy's or SciPy's value is no better."""
    with np.errstate(all="ignore"):
        bad = [words for kind, scaled, words in far_errors(name) if scaled > LIMITS[kind]]
    if name not in EXPLAINED:
        assert not bad, "\n".join(bad[:5])
