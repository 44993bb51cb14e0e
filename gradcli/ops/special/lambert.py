"""Lambert's W, on its real branches and, of complex numbers, on all."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, dtype_of
from gradcli.ops.arguments import integer
from gradcli.ops.elementwise.pairs import COMPLEX
from gradcli.ops.function import case
from gradcli.ops.kinds import elementwise
from gradcli.ops.operands import operands
from gradcli.ops.registry import function
from gradcli.ops.special.values import Array, horner, real_or_complex

_E = 2.718281828459045
#: 1/e is the first, and the second to the digits that it lacks.
_BRANCH, _BRANCH_LOW = 0.36787944117144233, -1.2428753672788363e-17
#: 1 + W as powers of p = sqrt(2 (e x + 1)), Corless et al. (1996), (4.22).
_BESIDE = [
    1.0,
    -1 / 3,
    11 / 72,
    -43 / 540,
    769 / 17280,
    -221 / 8505,
    680863 / 43545600,
    -1963 / 204120,
    226287557 / 37623398400,
    -5776369 / 1515591000,
    169709463197 / 69528040243200,
    -1118511313 / 709296588000,
]


def _w_and_rest(x: Array, k: int) -> tuple[Array, Array]:
    """W and 1 + W, the second to its last digits where the two branches meet."""
    from scipy import special

    beyond = (x + _BRANCH) + _BRANCH_LOW
    p = np.sqrt(2 * _E * np.maximum(beyond, 0.0))
    p = -p if k else p
    rest = p * horner(_BESIDE, p)
    with np.errstate(all="ignore"):
        w = special.lambertw(x, k).real
        # One step of Halley's, as SciPy stops at 8 digits.
        inverse = x * np.exp(-w)
        off = (w - inverse) / (1 + w)
        step = off / (1 - 0.5 * off * (w + 2) / (1 + w))
        w = np.where(np.isfinite(step), w - step, w)
    near = np.abs(p) < 0.12
    w = np.where(near, rest - 1, w)
    rest = np.where(near, rest, 1 + w)
    outside = (beyond < 0) | ((x > 0) & (k == -1))
    w = np.where(x == 0, -np.inf if k else x, np.where(np.isposinf(x) & (k == 0), np.inf, w))
    return np.where(outside, np.nan, w), np.where(outside, np.nan, rest)


def _w(x: Array, k: int) -> Array:
    return _w_and_rest(x, k)[0]


def _w_of_complex(z: Array, k: int) -> Array:
    from scipy import special

    return special.lambertw(z, k)


def _slope(x: Array, k: int) -> Array:
    """exp(-W)/(1 + W), in whichever form keeps its digits."""
    w, rest = _w_and_rest(x, k)
    far = (np.abs(x) > 1) | (w < -1.5)
    tame = np.where(far, 0.0, w)
    found = np.where(far, w / rest / np.where(far, x, 1.0), np.exp(-tame) / rest)
    # W/(1 + W) is 1 at both infinities of W.
    found = np.where(np.isinf(w), 1 / x, found)
    return found


def _slope_of_complex(z: Array, k: int) -> Array:
    w = _w_of_complex(z, k)
    return np.exp(-w) / (1 + w)


def _second(y: CoreValue, x: CoreValue, k: int) -> CoreValue:
    """-y**2 (W + 2)/(1 + W)."""
    rest = bind(LAMBERTW_REST, x, k=k)
    return -y * y * (1 + 1 / rest)


def _rest(x: Array, k: int) -> Array:
    return _w_and_rest(x, k)[1]


def _meaning(S: Any, x: Any, k: int) -> Any:
    return S.lambertw_lower(x) if k == -1 else S.lambertw(x)


def _slope_meaning(S: Any, x: Any, k: int) -> Any:
    w = _meaning(S, x, k)
    return S.exp(-w) / (1 + w)


LAMBERTW_REST: Op = elementwise(
    "lambertw_rest",
    real_or_complex(_rest, lambda z, k: 1 + _w_of_complex(z, k)),
    lambda y, x, k: bind(LAMBERTW_SLOPE, x, k=k),
    meaning=lambda S, x, k: 1 + _meaning(S, x, k),
    doc="1 + lambertw(x), to its last digits near the branch point -1/e.",
)
LAMBERTW_SLOPE: Op = elementwise(
    "lambertw_slope",
    real_or_complex(_slope, _slope_of_complex),
    _second,
    meaning=_slope_meaning,
    doc="The derivative of lambertw.",
)
LAMBERTW: Op = elementwise(
    "lambertw",
    real_or_complex(_w, _w_of_complex),
    lambda y, x, k: bind(LAMBERTW_SLOPE, x, k=k),
    meaning=_meaning,
    saves=(0, "y"),
    doc="Lambert's W: w*exp(w) = x.",
)


@function(
    family="special",
    where="scipy",
    op=LAMBERTW,
    derivative="exp(-lambertw(z))/(1 + lambertw(z))",
    domain=(-0.3, 4.0),
    defined="(z > -1/e) & ((k == 0) | (z < 0))",
    source="Corless, Gonnet, Hare, Jeffrey and Knuth 1996",
    cases=(
        case(()),
        case((3,)),
        case((2, 3)),
        case((0,)),
        case(np.array([-0.3678, -0.1, 1e-9, 50.0, 1e9])),
        case(np.array([-0.3678, -0.2, -1e-9]), -1),
        case(COMPLEX),
        case(COMPLEX, 1),
    ),
)
def lambertw(z: Any, k: Any = 0, tol: float = 1e-8) -> CoreValue:
    """w with w*exp(w) = z, on branch k; real of real numbers where it is: k = 0 from -1/e on, k = -1 from -1/e to 0."""
    branch = integer(k, "lambertw: the branch")
    (x,) = operands((z,), True)
    if dtype_of(x).kind != "c" and branch not in (0, -1):
        raise ArgumentError(f"lambertw: branch {branch} has no real values", mend="of a complex number, it has: z + 0j")
    return bind(LAMBERTW, x, k=branch)
