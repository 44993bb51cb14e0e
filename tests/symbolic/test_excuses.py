"""Where floats themselves fail, a difference is no mismatch; a wrong number still is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from recorded import of, proved

NAN, INF = np.nan, np.inf

EXCUSED: list[tuple[Any, tuple[Any, ...], str]] = [
    (of("einsum"), (",i->i", -0.75, [INF, 1.5]), "nan and infinities of the program's results"),
    (of("cumprod"), ([1e300, 2e300, 3e300],), "nan and infinities of the program's results are carried on in floats"),
    (of("inv"), (1e-300 * (1 + np.arange(9.0).reshape(3, 3) / 8),), "it is beyond the largest float"),
    (of("cholesky"), ([[0.5, 0.5], [0.5, 0.5]],), "it exists or not by a rounding"),
    (of("hardshrink"), ([NAN, 1.5],), "the program's result is nan in floats"),
    (of("copysign"), (0.75, [NAN, 0.5]), "what the program does with nan is not known"),
]


@pytest.mark.parametrize(("f", "xs", "why"), EXCUSED)
def test_where_floats_fail_nothing_is_refuted(f: Any, xs: Any, why: str) -> None:
    words = [x for x in xs if isinstance(x, str)]
    report = proved(lambda *ys: f(*words, *ys), *xs[len(words) :], derivative="jacobian")
    assert report.ok is None
    assert report.reason is not None and why in report.reason


def test_a_wrong_number_is_one_all_the_same() -> None:
    a, b = np.array([[NAN, 1.0], [2.0, 3.0]]), np.array([[1.0], [4.0]])
    wrong = {"x1": np.array([[[[NAN], [NAN]]], [[[2.0], [3.5]]]])}
    assert proved(of("matmul"), a, b, derivative="jacobian", claimed=wrong).ok is False
    assert proved(of("sqrt"), 0.0, claimed={"x0": np.array(3.0)}).ok is False
    assert proved(of("exp"), 1.0, claimed={"x0": np.array(NAN)}).ok is False
