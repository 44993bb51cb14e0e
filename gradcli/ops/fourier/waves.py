"""Discrete cosine and sine transforms, of the types I to IV.

One linear op has the bare sums; the weights that the types and norms give to single elements are multiplied before and
after. Types I and IV are symmetric, II and III are each other's transpose.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, dtype_of, shape_of
from gradcli.ops.arguments import integer
from gradcli.ops.dependence import along_axes
from gradcli.ops.fourier.arguments import along, axes_for, norm_of, real_value
from gradcli.ops.function import case
from gradcli.ops.kinds import linear
from gradcli.ops.registry import function

# --- the op ----------------------------------------------------------------------------------------------------------


def _waves(x: Any, *, axis: int, kind: int, sine: bool) -> Any:
    """SciPy's transforms, which double all elements but those at the ends, without the doubling."""
    from scipy import fft

    found = (fft.dst if sine else fft.dct)(x, kind, axis=axis)
    return (found + _single(x, axis, kind, sine)) / 2


def _single(x: Any, axis: int, kind: int, sine: bool) -> Any:
    """What SciPy does not double."""
    n = x.shape[axis]
    if kind in (2, 4) or (kind == 1 and sine):
        return x.dtype.type(0)
    first, last = np.take(x, [0], axis), np.take(x, [n - 1], axis)
    signs = (1 - 2 * (np.arange(n) % 2)).astype(x.dtype).reshape((n,) + (1,) * (-axis - 1))
    if kind == 3:
        return signs * last if sine else first
    return first + signs * last


def _angle(kind: int, sine: bool, n: int, j: int, k: int) -> tuple[int, int]:
    """The angle of element j in sum k, as a fraction of pi."""
    if kind == 1:
        return ((j + 1) * (k + 1), n + 1) if sine else (j * k, n - 1)
    if kind == 4:
        return (2 * j + 1) * (2 * k + 1), 4 * n
    if kind == 3:
        j, k = k, j
    return (2 * j + 1) * (k + 1 if sine else k), 2 * n


def _exact_waves(S: Any, x: Any, *, axis: int, kind: int, sine: bool) -> Any:
    rows = np.moveaxis(x, axis, -1)
    n = rows.shape[-1]
    found = np.empty(rows.shape, dtype=object)
    for k in range(n):
        factors = []
        for j in range(n):
            top, bottom = _angle(kind, sine, n, j, k)
            angle = S.pi * top / bottom
            factors.append(S.sin(angle) if sine else S.cos(angle))
        for place in np.ndindex(rows.shape[:-1]):
            found[(*place, k)] = S.dot(list(rows[place]), factors)
    return np.moveaxis(found, -1, axis)


_TRANSPOSED = {1: 1, 2: 3, 3: 2, 4: 4}
WAVES: Op = linear(
    "waves",
    _waves,
    lambda x, *, axis, kind, sine: Spec(shape_of(x), dtype_of(x)),
    transpose=lambda g, x, *, axis, kind, sine: bind(WAVES, g, axis=axis, kind=_TRANSPOSED[kind], sine=sine),
    meaning=_exact_waves,
    depends=along_axes(),
    doc="Sums of elements times cosines, or sines, of multiples of an angle.",
)

# --- weights ---------------------------------------------------------------------------------------------------------


def _ends(kind: int, sine: bool, n: int, weight: float, out: bool) -> Any:
    """1 for each element but those that a type counts once and others twice (`out`: for each sum likewise)."""
    found = np.ones(n)
    if kind == 1 and not sine:
        found[[0, -1]] = weight
    elif (kind == 3) != out and kind not in (1, 4):
        found[-1 if sine else 0] = weight
    return found


def _weights(kind: int, sine: bool, n: int, norm: str, orthogonal: bool) -> tuple[Any, Any]:
    """What elements, and what sums, are multiplied by."""
    before = 2 * _ends(kind, sine, n, 0.5, False)
    after = np.ones(n)
    if orthogonal:
        root = math.sqrt(2)
        before = before * _ends(kind, sine, n, root, False)
        after = after * _ends(kind, sine, n, 1 / root, True)
    size = 2 * (n + 1 if sine else n - 1) if kind == 1 else 2 * n
    divisor = {"backward": 1, "ortho": math.sqrt(size), "forward": size}[norm]
    return before, after / divisor


def _transformed(
    name: str, x: CoreValue, axis: int, kind: int, sine: bool, norm: str, orthogonal: bool | None
) -> CoreValue:
    n = shape_of(x)[axis]
    if kind == 1 and not sine and n < 2:
        raise ShapeError(f"{name}: type 1 takes at least 2 elements, not {n}")
    wanted = norm == "ortho" if orthogonal is None else bool(orthogonal)
    weights = _weights(kind, sine, n, norm, wanted)
    before, after = (w.astype(dtype_of(x)).reshape((n,) + (1,) * (-axis - 1)) for w in weights)
    return bind(WAVES, x * before, axis=axis, kind=kind, sine=sine) * after


def _kind(name: str, type: Any, inverse: bool) -> int:
    found = integer(type, f"{name}: type")
    if found not in _TRANSPOSED:
        raise ArgumentError(f"{name}: type is 1, 2, 3 or 4, not {found}")
    return _TRANSPOSED[found] if inverse else found


_SWAPPED = {"backward": "forward", "forward": "backward", "ortho": "ortho"}


def _one(
    name: str, x: Any, type: Any, n: Any, axis: Any, norm: Any, orthogonal: Any, *, sine: bool, inverse: bool
) -> CoreValue:
    found, at = along(name, real_value(name, x), n, axis)
    way = norm_of(name, norm)
    return _transformed(
        name, found, at, _kind(name, type, inverse), sine, _SWAPPED[way] if inverse else way, orthogonal
    )


def _many(
    name: str, x: Any, type: Any, s: Any, axes: Any, norm: Any, orthogonal: Any, *, sine: bool, inverse: bool
) -> CoreValue:
    found = real_value(name, x)
    places, lengths = axes_for(name, found, s, axes)
    for at, n in zip(places, lengths, strict=True):
        found = _one(name, found, type, n, at, norm, orthogonal, sine=sine, inverse=inverse)
    return found


# --- functions -------------------------------------------------------------------------------------------------------

_RULE = "vjp: the transposed sums of g, of type 3 for 2 and 2 for 3"
_CASES = (
    case((4,)),
    case((2, 3), 1),
    case((5,), 3),
    case((2, 4), 4, axis=0),
    case((3,), 2, 5, norm="ortho"),
    case((4,), 3, 3, norm="ortho"),
    case((4,), 1, norm="ortho"),
    case((3,), 4, norm="forward"),
    case((3,), 2, norm="ortho", orthogonalize=False),
    case((3,), 3, norm="backward", orthogonalize=True),
)
_PLANES = (case((2, 3)), case((2, 3), 3, norm="ortho"), case((3, 2), 2, [4, 2]), case((2, 2, 3), axes=[0, 2]))


@function(family="fft", where="", also=("scipy.fft.dct",), op=WAVES, derivative=_RULE, cases=_CASES)
def dct(
    x: Any, type: Any = 2, n: Any = None, axis: Any = -1, norm: Any = None, *, orthogonalize: Any = None
) -> CoreValue:
    """Discrete cosine transform along an axis."""
    return _one("dct", x, type, n, axis, norm, orthogonalize, sine=False, inverse=False)


@function(family="fft", where="", also=("scipy.fft.idct",), op=WAVES, derivative=_RULE, cases=_CASES)
def idct(
    x: Any, type: Any = 2, n: Any = None, axis: Any = -1, norm: Any = None, *, orthogonalize: Any = None
) -> CoreValue:
    """Inverse discrete cosine transform along an axis."""
    return _one("idct", x, type, n, axis, norm, orthogonalize, sine=False, inverse=True)


@function(family="fft", where="", also=("scipy.fft.dst",), op=WAVES, derivative=_RULE, cases=_CASES)
def dst(
    x: Any, type: Any = 2, n: Any = None, axis: Any = -1, norm: Any = None, *, orthogonalize: Any = None
) -> CoreValue:
    """Discrete sine transform along an axis."""
    return _one("dst", x, type, n, axis, norm, orthogonalize, sine=True, inverse=False)


@function(family="fft", where="", also=("scipy.fft.idst",), op=WAVES, derivative=_RULE, cases=_CASES)
def idst(
    x: Any, type: Any = 2, n: Any = None, axis: Any = -1, norm: Any = None, *, orthogonalize: Any = None
) -> CoreValue:
    """Inverse discrete sine transform along an axis."""
    return _one("idst", x, type, n, axis, norm, orthogonalize, sine=True, inverse=True)


@function(family="fft", where="", also=("scipy.fft.dctn",), op=WAVES, derivative=_RULE, cases=_PLANES)
def dctn(
    x: Any, type: Any = 2, s: Any = None, axes: Any = None, norm: Any = None, *, orthogonalize: Any = None
) -> CoreValue:
    """Discrete cosine transform along axes, all of them by itself."""
    return _many("dctn", x, type, s, axes, norm, orthogonalize, sine=False, inverse=False)


@function(family="fft", where="", also=("scipy.fft.idctn",), op=WAVES, derivative=_RULE, cases=_PLANES)
def idctn(
    x: Any, type: Any = 2, s: Any = None, axes: Any = None, norm: Any = None, *, orthogonalize: Any = None
) -> CoreValue:
    """Inverse discrete cosine transform along axes, all of them by itself."""
    return _many("idctn", x, type, s, axes, norm, orthogonalize, sine=False, inverse=True)


@function(family="fft", where="", also=("scipy.fft.dstn",), op=WAVES, derivative=_RULE, cases=_PLANES)
def dstn(
    x: Any, type: Any = 2, s: Any = None, axes: Any = None, norm: Any = None, *, orthogonalize: Any = None
) -> CoreValue:
    """Discrete sine transform along axes, all of them by itself."""
    return _many("dstn", x, type, s, axes, norm, orthogonalize, sine=True, inverse=False)


@function(family="fft", where="", also=("scipy.fft.idstn",), op=WAVES, derivative=_RULE, cases=_PLANES)
def idstn(
    x: Any, type: Any = 2, s: Any = None, axes: Any = None, norm: Any = None, *, orthogonalize: Any = None
) -> CoreValue:
    """Inverse discrete sine transform along axes, all of them by itself."""
    return _many("idstn", x, type, s, axes, norm, orthogonalize, sine=True, inverse=True)
