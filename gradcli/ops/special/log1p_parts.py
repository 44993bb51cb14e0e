"""Small differences kept whole: log(1 + x) - x, logarithms of ratios, and Stirling's corrections."""

from __future__ import annotations

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.kinds import elementwise
from gradcli.ops.special.values import Array, horner, pieces, real, scipy_

_gammaln = scipy_("gammaln")
_HALF_LOG_2PI = 0.9189385332046728

#: log1p(x) - x = -t*x + 2*t**3*(1/3 + t**2/5 + ...), t = x/(2 + x), as x - 2t = t*x.
_ATANH = [2.0 / (2 * k + 3) for k in range(40)]


def _log1pmx_near(x: Array) -> Array:
    t = x / (2 + x)
    square = t * t
    return t * (square * horner(_ATANH, square) - x)


#: log(1 + x) - x, without cancellation near 0.
log1pmx = pieces((lambda x: (x > -0.8) & (x < 2.5), _log1pmx_near), last=lambda x: np.log1p(x) - x)

# --- log(x/y) --------------------------------------------------------------------------------------------------------


def log_of_ratio(x: Array, y: Array) -> Array:
    """log(x/y), exact near x = y, and where x/y would leave the range of floats."""
    ratio = x / y
    near = (ratio > 0.5) & (ratio < 2)
    tame = (ratio > 1e-290) & (ratio < 1e290)
    plain = np.where(tame, np.log(ratio), np.log(x) - np.log(y))
    return np.where(near, np.log1p(np.where(near, (x - y) / y, 0.0)), plain)


LOG_RATIO: Op = elementwise(
    "log_ratio",
    real(log_of_ratio),
    lambda z, x, y: 1 / x,
    lambda z, x, y: -1 / y,
    meaning=lambda S, x, y: S.log(x) - S.log(y),
    saves=(0, 1),
    doc="log(x/y), exact near x = y, without overflow.",
)


def log_ratio(x: CoreValue, y: CoreValue) -> CoreValue:
    """log(x/y), for rules."""
    return bind(LOG_RATIO, x, y)


# --- Stirling's correction -------------------------------------------------------------------------------------------

#: B[2k]/(2k (2k - 1)), DLMF 5.11.1.
_STIRLING = [
    1 / 12,
    -1 / 360,
    1 / 1260,
    -1 / 1680,
    1 / 1188,
    -691 / 360360,
    1 / 156,
    -3617 / 122400,
    43867 / 244188,
    -174611 / 125400,
]


def stirling(z: Array) -> Array:
    """log(gamma(z)) less (z - 1/2)*log(z) - z + log(2*pi)/2, z > 0."""
    return _STIRLINGS(z)


def _series(z: Array) -> Array:
    return horner(_STIRLING, 1 / (z * z)) / z


_STIRLINGS = pieces(
    (lambda z: z >= 10, _series),
    last=lambda z: _gammaln(z) - ((z - 0.5) * np.log(z) - z + _HALF_LOG_2PI),
)


def stirling_difference(z: Array, a: Array) -> Array:
    """stirling(z + a) - stirling(z), z and z + a at least 10."""
    u, v = 1 / (z + a), 1 / z
    gap = -a * u * v
    found, power, rest = np.zeros_like(z), gap, v
    # u**(2k+1) - v**(2k+1) from one k to the next: the gap times u**2, and v to a power times u**2 - v**2.
    squares = gap * (u + v)
    for c in _STIRLING:
        found = found + c * power
        power, rest = power * u * u + rest * squares, rest * v * v
    return found
