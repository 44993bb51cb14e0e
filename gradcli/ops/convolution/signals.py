"""Convolution and correlation of signals, as NumPy and scipy.signal have them."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.values import CoreValue, Shape, ndim_of, shape_of
from gradcli.ops.convolution.sums import CONVOLUTION
from gradcli.ops.elementwise import conj
from gradcli.ops.function import case
from gradcli.ops.kinds import fits
from gradcli.ops.operands import as_core
from gradcli.ops.padding import pad
from gradcli.ops.rearranging import FLIP
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped
from gradcli.ops.windows import Pads

_MODES = ("full", "same", "valid")


def _mode(name: str, mode: Any) -> str:
    found = _MODES[2 - mode] if mode in (0, 1, 2) and not isinstance(mode, bool) else mode
    if found not in _MODES:
        raise ArgumentError(f"{name}: mode is 'full', 'same' or 'valid', not {str(mode)[:40]!r}")
    return str(found)


def _slid(x: CoreValue, kernel: CoreValue, pads: Pads, turned: bool) -> CoreValue:
    """A kernel slid over a padded value, both without channels."""
    ones = (1,) * len(pads)
    found = bind(
        CONVOLUTION,
        reshaped(x, (1, 1, *shape_of(x))),
        reshaped(kernel, (1, 1, *shape_of(kernel))),
        stride=ones,
        pads=pads,
        dilation=ones,
        spread=ones,
        groups=1,
        turned=turned,
    )
    return reshaped(found, shape_of(found)[2:])


# --- NumPy's, of vectors ---------------------------------------------------------------------------------------------


def _vectors(name: str, x: Any, y: Any) -> tuple[CoreValue, CoreValue]:
    a, b = as_core(x), as_core(y)
    for value in (a, b):
        if ndim_of(value) > 1:
            raise ShapeError(f"{name} takes vectors, not shape {fits(shape_of(value))}")
        if 0 in shape_of(value):
            raise ArgumentError(f"{name}: a vector can't be empty")
    return tuple(reshaped(v, (1,)) if not ndim_of(v) else v for v in (a, b))


def _vector_pads(n: int, mode: str) -> Pads:
    """What a kernel of n elements, no longer than the value, has around the value."""
    return {"full": ((n - 1, n - 1),), "same": ((n // 2, n - n // 2 - 1),), "valid": ((0, 0),)}[mode]


_VECTORS = (
    case((5,), (3,)),
    case((2,), (4,), "full"),
    case((5,), (3,), "same"),
    case((4,), (2,), mode="same"),
    case((2,), (5,), "same"),
    case((5,), (3,), mode="valid"),
    case((2,), (4,), "valid"),
    case((1,), (1,)),
    case((), (3,), "full"),
    case(np.array([1, -2, 3]), np.array([2, 5]), "full"),
    case(np.array([1 + 2j, -0.5j, 0.25]), np.array([0.5 - 1j, 2j]), "full"),
    case(np.array([1 + 2j, -0.5j]), np.array([0.5 - 1j, 2j, 0.75, -1j]), "same"),
)


@function(
    family="convolution",
    where="numpy",
    op=CONVOLUTION,
    derivative="vjp: the correlation of g with v, and of g with a",
    cases=(*_VECTORS, case((5,), (3,), 1)),
)
def convolve(a: Any, v: Any, mode: Any = "full") -> CoreValue:
    """Sums over j of a[j]*v[k - j]; of a full, same or valid range of k."""
    x, y = _vectors("convolve", a, v)
    if shape_of(x) < shape_of(y):
        x, y = y, x
    return _slid(x, y, _vector_pads(shape_of(y)[0], _mode("convolve", mode)), True)


@function(
    family="convolution",
    where="numpy",
    op=CONVOLUTION,
    derivative="vjp: the convolution of g with v, and the correlation of a with g",
    cases=_VECTORS,
)
def correlate(a: Any, v: Any, mode: Any = "valid") -> CoreValue:
    """Sums over j of a[j + k]*conj(v[j]); of a full, same or valid range of k."""
    x, y = _vectors("correlate", a, v)
    y = conj(y)
    if shape_of(x) >= shape_of(y):
        return _slid(x, y, _vector_pads(shape_of(y)[0], _mode("correlate", mode)), False)
    return bind(FLIP, _slid(y, x, _vector_pads(shape_of(x)[0], _mode("correlate", mode)), False), axes=(-1,))


# --- scipy.signal's, of any number of axes ---------------------------------------------------------------------------


def _both(name: str, in1: Any, in2: Any) -> tuple[CoreValue, CoreValue]:
    a, b = as_core(in1), as_core(in2)
    if ndim_of(a) != ndim_of(b):
        raise ShapeError(
            f"{name} takes values with equally many axes, not shapes {fits(shape_of(a))} and {fits(shape_of(b))}"
        )
    if 0 in (*shape_of(a), *shape_of(b)):
        raise ArgumentError(f"{name}: a value can't be empty")
    return a, b


def _middle(m: int, late: bool) -> tuple[int, int]:
    """Pads that give the results in the middle; where there are two middles, the late or the early one."""
    less, more = (m - 1) // 2, m - 1 - (m - 1) // 2
    return (less, more) if late else (more, less)


def _signal_pads(name: str, a: Shape, b: Shape, mode: str, late: bool) -> Pads:
    """What a kernel has around a value. SciPy's "same" is of the first value's shape."""
    if mode == "full":
        return tuple((m - 1, m - 1) for m in b)
    if mode == "same":
        return tuple(_middle(m, late) for m in b)
    if any(n < m for n, m in zip(a, b, strict=True)):
        raise ShapeError(f"{name}: of mode 'valid' one value must be at least as large along every axis")
    return ((0, 0),) * len(a)


def _smaller(a: CoreValue, b: CoreValue) -> bool:
    """Whether a value lies within another along every axis."""
    return shape_of(a) != shape_of(b) and all(n <= m for n, m in zip(shape_of(a), shape_of(b), strict=True))


def _convolved(name: str, in1: Any, in2: Any, mode: Any) -> CoreValue:
    a, b = _both(name, in1, in2)
    found = _mode(name, mode)
    if not shape_of(a):
        return a * b
    if found == "valid" and _smaller(a, b):
        a, b = b, a
    return _slid(a, b, _signal_pads(name, shape_of(a), shape_of(b), found, False), True)


def _correlated(name: str, in1: Any, in2: Any, mode: Any, late: bool = False) -> CoreValue:
    a, b = _both(name, in1, in2)
    b = conj(b)
    found = _mode(name, mode)
    if not shape_of(a):
        return a * b
    if found == "valid" and _smaller(a, b):
        slid = _slid(b, a, ((0, 0),) * ndim_of(a), False)
        return bind(FLIP, slid, axes=tuple(range(-ndim_of(a), 0)))
    return _slid(a, b, _signal_pads(name, shape_of(a), shape_of(b), found, late), False)


_SIGNALS = (
    case((5,), (3,)),
    case((2,), (4,), "full"),
    case((5,), (4,), "same"),
    case((5,), (3,), "same"),
    case((2,), (4,), "same"),
    case((5,), (3,), mode="valid"),
    case((2,), (4,), "valid"),
    case((3, 4), (2, 2)),
    case((3, 4), (2, 3), "same"),
    case((3, 4), (2, 2), "valid"),
    case(np.array([[1 + 2j, -0.5j, 0.25]]), np.array([[0.5 - 1j, 2j]])),
    case(np.array([1 + 2j, -0.5j]), np.array([0.5 - 1j, 2j, 0.25 + 0j]), "valid"),
)
_PLANES = (
    case((3, 4), (2, 2)),
    case((3, 4), (2, 3), "same"),
    case((3, 4), (2, 2), "valid"),
    case((2, 2), (3, 2), "valid"),
    case(np.array([[1 + 2j, -0.5j, 0.25]]), np.array([[0.5 - 1j, 2j]])),
)
_CONVOLVE_RULE = "vjp: the correlation of g with in2, and of g with in1"
_CORRELATE_RULE = "vjp: the convolution of g with in2, and the correlation of in1 with g"


@function(
    "convolve_signal",
    family="convolution",
    where="",
    also=("scipy.signal.convolve", "scipy.signal.fftconvolve", "scipy.signal.oaconvolve"),
    op=CONVOLUTION,
    derivative=_CONVOLVE_RULE,
    cases=(*_SIGNALS, case((2, 2, 2), (1, 2, 2)), case((), ())),
)
def convolve_signal(in1: Any, in2: Any, mode: Any = "full", method: Any = "auto") -> CoreValue:
    """Convolution of two values with equally many axes; by its definition, whatever the method."""
    return _convolved("convolve", in1, in2, mode)


@function(
    "correlate_signal",
    family="convolution",
    where="",
    also=("scipy.signal.correlate",),
    op=CONVOLUTION,
    derivative=_CORRELATE_RULE,
    cases=(*_SIGNALS, case((2, 2, 2), (1, 2, 2))),
)
def correlate_signal(in1: Any, in2: Any, mode: Any = "full", method: Any = "auto") -> CoreValue:
    """Correlation of two values with equally many axes; by its definition, whatever the method."""
    return _correlated("correlate", in1, in2, mode)


def _edged(name: str, in1: Any, in2: Any, mode: Any, boundary: Any, fillvalue: Any, correlated: bool) -> CoreValue:
    """The convolution (or correlation) of two matrices, of which the first goes on beyond its border."""
    a, b = _both(name, in1, in2)
    if ndim_of(a) != 2:
        raise ShapeError(f"{name} takes matrices, not shape {fits(shape_of(a))}")
    how = {"fill": "constant", "wrap": "wrap", "circular": "wrap", "symm": "symmetric", "symmetric": "symmetric"}
    if boundary not in how:
        raise ArgumentError(f"{name}: boundary is 'fill', 'wrap' or 'symm', not {str(boundary)[:40]!r}")
    found = _mode(name, mode)
    zero = not hasattr(fillvalue, "dtype") and fillvalue == 0
    if (how[boundary] == "constant" and zero) or found == "valid":
        return _correlated(name, a, b, mode, True) if correlated else _convolved(name, a, b, mode)
    rows, columns = shape_of(b)
    more = {"constant_values": fillvalue} if how[boundary] == "constant" else {}
    around = pad(a, [[rows - 1, rows - 1], [columns - 1, columns - 1]], how[boundary], **more)
    whole = _slid(around, conj(b) if correlated else b, ((0, 0), (0, 0)), not correlated)
    if found == "full":
        return whole
    starts = [m // 2 if correlated else (m - 1) // 2 for m in shape_of(b)]
    return whole[tuple(slice(s, s + n) for s, n in zip(starts, shape_of(a), strict=True))]


@function(
    family="convolution",
    where="",
    also=("scipy.signal.convolve2d",),
    op=CONVOLUTION,
    derivative=_CONVOLVE_RULE,
    cases=(
        *_PLANES,
        case((3, 4), (2, 3), "full", "symm"),
        case((3, 4), (2, 3), "same", "wrap"),
        case((3, 3), (3, 2), "same", "symm"),
        case((3, 3), (2, 2), "full", "fill", 1.5),
    ),
)
def convolve2d(in1: Any, in2: Any, mode: Any = "full", boundary: Any = "fill", fillvalue: Any = 0) -> CoreValue:
    """Convolution of two matrices, of which the first goes on beyond its border as told."""
    return _edged("convolve2d", in1, in2, mode, boundary, fillvalue, False)


@function(
    family="convolution",
    where="",
    also=("scipy.signal.correlate2d",),
    op=CONVOLUTION,
    derivative=_CORRELATE_RULE,
    cases=(
        *_PLANES,
        case((3, 4), (2, 3), "full", "symm"),
        case((3, 4), (2, 3), "same", "wrap"),
        case((3, 3), (2, 4), "same", "symm"),
        case((3, 3), (2, 2), "full", "fill", 1.5),
    ),
)
def correlate2d(in1: Any, in2: Any, mode: Any = "full", boundary: Any = "fill", fillvalue: Any = 0) -> CoreValue:
    """Correlation of two matrices, of which the first goes on beyond its border as told."""
    return _edged("correlate2d", in1, in2, mode, boundary, fillvalue, True)
