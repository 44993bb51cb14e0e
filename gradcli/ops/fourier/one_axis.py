"""Fourier transforms along one axis."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.values import CoreValue
from gradcli.ops.elementwise import conj
from gradcli.ops.fourier.arguments import along, axis_for, complex_value, half, names_of, norm_of, real_value
from gradcli.ops.fourier.transforms import C2C, C2R, OTHER, R2C
from gradcli.ops.function import case
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.registry import function

_Z = np.array([[0.5 + 2.0j, -1.0 + 0.5j, 2.0 - 1.0j, 0.25j], [1.5 - 0.5j, -0.75 + 1j, 0.5 + 0.0j, -2.0 - 0.25j]])
_ONES = (
    case((4,)),
    case((2, 3)),
    case((2, 3), axis=0),
    case((5,), 7),
    case((2, 5), 3, -1, "ortho"),
    case((3,), norm="forward"),
    case((1,)),
    case((0, 2)),
    case(_Z),
    case(_Z, 3, 0, "forward"),
)
_REAL_ONES = tuple(c for c in _ONES if c.args[0] is not _Z)
_HALVES = (
    case(_Z),
    case(_Z, 7),
    case(_Z, 5),
    case(_Z, axis=0),
    case(_Z, 2, 0, "ortho"),
    case(_Z, norm="forward"),
    case((4,)),
    case(_Z[:, :1], 1),
)


@function(family="fft", where="", also=names_of("fft"), op=C2C, derivative="vjp: ifft(g, norm='forward')", cases=_ONES)
def fft(x: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> CoreValue:
    """Discrete Fourier transform along an axis, of n elements (cut off or padded with zeros)."""
    found, at = along("fft", to_float(as_core(x)), n, axis)
    return bind(C2C, found, axes=(at,), inverse=False, norm=norm_of("fft", norm))


@function(family="fft", where="", also=names_of("ifft"), op=C2C, derivative="vjp: fft(g, norm='forward')", cases=_ONES)
def ifft(x: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> CoreValue:
    """Inverse discrete Fourier transform along an axis."""
    found, at = along("ifft", to_float(as_core(x)), n, axis)
    return bind(C2C, found, axes=(at,), inverse=True, norm=norm_of("ifft", norm))


@function(
    family="fft",
    where="",
    also=names_of("rfft"),
    op=R2C,
    derivative="vjp: the real part of ifft(g, n, norm='forward')",
    cases=_REAL_ONES,
)
def rfft(x: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> CoreValue:
    """Discrete Fourier transform of real values: the half of the spectrum that the other half mirrors."""
    found, at = along("rfft", real_value("rfft", x), n, axis)
    return bind(R2C, found, axes=(at,), norm=norm_of("rfft", norm))


@function(
    family="fft",
    where="",
    also=names_of("irfft"),
    op=C2R,
    derivative="vjp: rfft(g, norm='forward'), twice where a frequency has a mirror image",
    cases=_HALVES,
)
def irfft(x: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> CoreValue:
    """Real values, n of them (an even number by itself), from half of their spectrum."""
    return _irfft("irfft", complex_value(x), n, axis, norm_of("irfft", norm))


def _irfft(name: str, x: CoreValue, n: Any, axis: Any, norm: str) -> CoreValue:
    at = axis_for(name, x, axis)
    found, count = half(name, x, n, at)
    return bind(C2R, found, axes=(at,), n=count, norm=norm)


@function(
    family="fft",
    where="",
    also=names_of("hfft"),
    derivative="vjp: conj(rfft(g)), twice where an element has a mirror image",
    cases=_HALVES,
)
def hfft(x: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> CoreValue:
    """The real spectrum of values of which the second half mirrors the first."""
    return _irfft("hfft", conj(complex_value(x)), n, axis, OTHER[norm_of("hfft", norm)])


@function(
    family="fft",
    where="",
    also=names_of("ihfft"),
    derivative="vjp: the real part of fft(g, n)/n",
    cases=_REAL_ONES,
)
def ihfft(x: Any, n: Any = None, axis: Any = -1, norm: Any = None) -> CoreValue:
    """The inverse of hfft: half of the values that have a real spectrum."""
    return conj(rfft.call(real_value("ihfft", x), n, axis, OTHER[norm_of("ihfft", norm)]))
