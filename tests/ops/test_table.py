"""Every function of the table, at every call its declaration names: value, shape rule, derivatives, dtypes, layouts.

The checks are those of `table.checks`; `test_mutants.py` asks whether they would notice a rule that is wrong.
"""

from __future__ import annotations

import numpy as np
import pytest
from table.calls import NAMES, calls, complex_calls
from table.checks import CHECKS, complex_failures


@pytest.mark.parametrize("name", NAMES)
def test_function(name: str) -> None:
    with np.errstate(all="ignore"):
        found = [words for call in calls(name) for check in CHECKS for words in check(call)]
    assert not found, "\n".join(found)


#: Functions that refuse complex numbers though NumPy takes them, and why.
REFUSING: dict[str, str] = {
    **dict.fromkeys(
        ("dct", "idct", "dst", "idst", "dctn", "idctn", "dstn", "idstn"),
        "waves of real numbers, as in JAX; those of the two parts are the parts",
    ),
    "arange": "NumPy's counts by the real or the imaginary part of (stop - start)/step, whichever is less",
    "ive": "exp(-abs(real(z))) is not analytic, and SciPy has no derivative of it",
    **dict.fromkeys(("hyp0f1", "hyp1f1", "hyp2f1"), "what proves them has them of real numbers alone"),
    "zeta": "SciPy's takes complex numbers for Riemann's alone, and is nan for Hurwitz's",
}


@pytest.mark.parametrize("name", NAMES)
def test_complex(name: str) -> None:
    """With complex arrays a function is NumPy's and its derivatives are the oracle's, or it refuses them as NumPy."""
    with np.errstate(all="ignore"):
        found = [words for call in complex_calls(name) for words in complex_failures(call)]
    if name in REFUSING:
        assert all(words.endswith("refuses them") for words in found) and found
    else:
        assert not found, "\n".join(found)


def test_names_are_unique() -> None:
    assert len(set(NAMES)) == len(NAMES)


def test_every_function_is_called() -> None:
    assert [name for name in NAMES if not calls(name)] == ["seed"]
