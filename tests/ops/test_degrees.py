"""Angles in degrees: exact where the exact value is a float."""

from __future__ import annotations

import numpy as np
import pytest

from gradcli.ops.registry import known


@pytest.mark.parametrize(
    ("name", "angles", "wanted"),
    [
        ("sindg", [30.0, 90.0, 150.0, 180.0, 360e15], [0.5, 1.0, 0.5, 0.0, 0.0]),
        ("cosdg", [60.0, 90.0, 180.0, -270.0], [0.5, 0.0, -1.0, 0.0]),
        ("tandg", [45.0, -45.0, 135.0, 180.0], [1.0, -1.0, -1.0, 0.0]),
        ("cotdg", [45.0, 90.0, -135.0], [1.0, 0.0, 1.0]),
    ],
)
def test_multiples(name: str, angles: list[float], wanted: list[float]) -> None:
    assert known("scipy.special", name)(np.array(angles)).tolist() == wanted
