"""The arithmetic-geometric mean."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.elementwise import maximum
from gradcli.ops.function import case
from gradcli.ops.kinds import elementwise
from gradcli.ops.registry import elementwise_function
from gradcli.ops.special.elliptic import ELLIPKM1
from gradcli.ops.special.values import real, scipy_

_FOUR_BY_PI = 1.2732395447351628
#: Below this the weight of a slope no longer changes.
_TINY = 1e-300


def _slope(y: CoreValue, a: CoreValue, b: CoreValue) -> CoreValue:
    """By a: y/s (1 + w (b - a)/a), s = a + b; of y = pi s/(4 K(1 - p)), p = 4 a b/s**2, w = -p K'/K (DLMF 19.8.5)."""
    whole = a + b
    p = maximum(4 * (a / whole) * (b / whole), _TINY)
    share = y / whole
    weight = _FOUR_BY_PI * share * (p * bind(ELLIPKM1, p, n=1))
    return share * (1 - weight * ((b - a) / a))


def _exact(S: Any, a: Any, b: Any) -> Any:
    ratio = (a - b) / (a + b)
    return S.pi * (a + b) / (4 * S.ellipk(ratio * ratio))


AGM: Op = elementwise(
    "agm",
    real(scipy_("agm")),
    _slope,
    lambda y, a, b: _slope(y, b, a),
    meaning=_exact,
    saves=(0, 1, "y"),
    doc="Gauss' arithmetic-geometric mean of a and b.",
)
_SLOPE = "agm(a, b)*(2*agm(a, b)*ellipe(1 - ({0}/{1})**2)/(pi*{1}) - ({0}/{1})**2)*{1}**2/({0}*({1}**2 - {0}**2))"
agm = elementwise_function(
    AGM,
    parameters=("a", "b"),
    derivative=f"{_SLOPE.format('a', 'b')}, {_SLOPE.format('b', 'a')}",
    where="scipy",
    domain=((0.2, 4.0), (0.3, 5.0)),
    defined="a*b > 0",
    source="DLMF 19.8.5",
    cases=(case((2, 3), (3,)), case((), (2,)), case(np.array([1.0, 1e-9, -3.0]), np.array([1.0, 1.0, -0.5]))),
    family="special",
)
