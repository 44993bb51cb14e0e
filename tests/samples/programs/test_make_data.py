"""The samples' data are what make_data.py writes."""

from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest

PROGRAMS = Path(__file__).parents[3] / "samples" / "programs"
MAKE_DATA = runpy.run_path(str(PROGRAMS / "make_data.py"))


@pytest.mark.parametrize("name", [made.__name__ for made in MAKE_DATA["SAMPLES"]])
def test_data(data, name: str) -> None:
    found, expected = data(name), MAKE_DATA[name]()
    assert found.keys() == expected.keys()
    for key in expected:
        np.testing.assert_allclose(found[key], expected[key], rtol=1e-12)


def test_a_bundle_sees_every_point_and_nothing_twice() -> None:
    bundle = MAKE_DATA["bundle_adjustment"](5, 40, 120)
    pairs = set(zip(bundle["camera"].tolist(), bundle["point"].tolist(), strict=True))
    assert len(pairs) == 120
    assert {point for _, point in pairs} == set(range(40))
