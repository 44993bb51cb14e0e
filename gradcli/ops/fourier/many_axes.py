"""Fourier transforms over several axes."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.values import CoreValue
from gradcli.ops.elementwise import conj
from gradcli.ops.fourier.arguments import complex_value, names_of, norm_of, over, over_half, real_value
from gradcli.ops.fourier.transforms import C2C, C2R, OTHER, R2C
from gradcli.ops.function import case
from gradcli.ops.registry import function

_Z = np.array([[0.5 + 2.0j, -1.0 + 0.5j, 2.0 - 1.0j, 0.25j], [1.5 - 0.5j, -0.75 + 1j, 0.5 + 0.0j, -2.0 - 0.25j]])
_TWOS = (case((2, 3)), case((3, 2, 2), [3, 1]), case((2, 3, 2), axis=[0, -1], norm="ortho"), case(_Z))
_MANIES = (
    case((2, 3)),
    case((2, 3, 2), axis=[2, 0]),
    case((2, 3), [3, 2]),
    case((2, 3, 2), [4], [1], "forward"),
    case((3,)),
    case(_Z, norm="ortho"),
)
_REAL_TWOS, _REAL_MANIES = _TWOS[:-1], _MANIES[:-1]
_HALF_TWOS = (case(_Z), case(_Z, [2, 7]), case(_Z, axis=[1, 0], norm="ortho"), case((2, 3)))
_HALF_MANIES = (case(_Z), case(_Z, [3, 5]), case(_Z, axis=[1], norm="forward"), case(_Z[:, :, None], [2, 3], [0, 1]))


def _forward(name: str, x: Any, s: Any, axis: Any, norm: Any, inverse: bool = False) -> CoreValue:
    found, axes = over(name, complex_value(x), s, axis)
    return bind(C2C, found, axes=axes, inverse=inverse, norm=norm_of(name, norm))


def _inverse_real(name: str, x: CoreValue, s: Any, axis: Any, norm: str) -> CoreValue:
    found, axes, count = over_half(name, x, s, axis)
    return bind(C2R, found, axes=axes, n=count, norm=norm)


def _forward_real(name: str, x: Any, s: Any, axis: Any, norm: str) -> CoreValue:
    found, axes = over(name, real_value(name, x), s, axis)
    return bind(R2C, found, axes=axes, norm=norm)


@function(
    family="fft", where="", also=names_of("fft2"), op=C2C, derivative="vjp: ifft2(g, norm='forward')", cases=_TWOS
)
def fft2(x: Any, s: Any = None, axis: Any = (-2, -1), norm: Any = None) -> CoreValue:
    """Discrete Fourier transform over two axes."""
    return _forward("fft2", x, s, axis, norm)


@function(
    family="fft", where="", also=names_of("ifft2"), op=C2C, derivative="vjp: fft2(g, norm='forward')", cases=_TWOS
)
def ifft2(x: Any, s: Any = None, axis: Any = (-2, -1), norm: Any = None) -> CoreValue:
    """Inverse discrete Fourier transform over two axes."""
    return _forward("ifft2", x, s, axis, norm, True)


@function(
    family="fft", where="", also=names_of("fftn"), op=C2C, derivative="vjp: ifftn(g, norm='forward')", cases=_MANIES
)
def fftn(x: Any, s: Any = None, axis: Any = None, norm: Any = None) -> CoreValue:
    """Discrete Fourier transform over axes, all of them by itself."""
    return _forward("fftn", x, s, axis, norm)


@function(
    family="fft", where="", also=names_of("ifftn"), op=C2C, derivative="vjp: fftn(g, norm='forward')", cases=_MANIES
)
def ifftn(x: Any, s: Any = None, axis: Any = None, norm: Any = None) -> CoreValue:
    """Inverse discrete Fourier transform over axes, all of them by itself."""
    return _forward("ifftn", x, s, axis, norm, True)


_R2C_RULE = "vjp: the real part of ifftn(g, s, norm='forward')"
_C2R_RULE = "vjp: rfftn(g, norm='forward'), twice where a frequency has a mirror image"


@function(family="fft", where="", also=names_of("rfft2"), op=R2C, derivative=_R2C_RULE, cases=_REAL_TWOS)
def rfft2(x: Any, s: Any = None, axis: Any = (-2, -1), norm: Any = None) -> CoreValue:
    """Discrete Fourier transform of real values over two axes, the last of which keeps half."""
    return _forward_real("rfft2", x, s, axis, norm_of("rfft2", norm))


@function(family="fft", where="", also=names_of("rfftn"), op=R2C, derivative=_R2C_RULE, cases=_REAL_MANIES)
def rfftn(x: Any, s: Any = None, axis: Any = None, norm: Any = None) -> CoreValue:
    """Discrete Fourier transform of real values over axes, the last of which keeps half."""
    return _forward_real("rfftn", x, s, axis, norm_of("rfftn", norm))


@function(family="fft", where="", also=names_of("irfft2"), op=C2R, derivative=_C2R_RULE, cases=_HALF_TWOS)
def irfft2(x: Any, s: Any = None, axis: Any = (-2, -1), norm: Any = None) -> CoreValue:
    """Real values from half of their spectrum over two axes."""
    return _inverse_real("irfft2", complex_value(x), s, axis, norm_of("irfft2", norm))


@function(family="fft", where="", also=names_of("irfftn"), op=C2R, derivative=_C2R_RULE, cases=_HALF_MANIES)
def irfftn(x: Any, s: Any = None, axis: Any = None, norm: Any = None) -> CoreValue:
    """Real values from half of their spectrum over axes."""
    return _inverse_real("irfftn", complex_value(x), s, axis, norm_of("irfftn", norm))


def _hermitian(name: str) -> tuple[str, ...]:
    return (f"torch.fft.{name}", f"scipy.fft.{name}")


_HFFT_RULE = "vjp: conj(rfftn(g)), twice where an element has a mirror image"
_IHFFT_RULE = "vjp: the real part of fftn(g, s)/n"


@function(family="fft", where="", also=_hermitian("hfft2"), derivative=_HFFT_RULE, cases=_HALF_TWOS)
def hfft2(x: Any, s: Any = None, axis: Any = (-2, -1), norm: Any = None) -> CoreValue:
    """The real spectrum, over two axes, of values of which one half mirrors the other."""
    return _inverse_real("hfft2", conj(complex_value(x)), s, axis, OTHER[norm_of("hfft2", norm)])


@function(family="fft", where="", also=_hermitian("hfftn"), derivative=_HFFT_RULE, cases=_HALF_MANIES)
def hfftn(x: Any, s: Any = None, axis: Any = None, norm: Any = None) -> CoreValue:
    """The real spectrum, over axes, of values of which one half mirrors the other."""
    return _inverse_real("hfftn", conj(complex_value(x)), s, axis, OTHER[norm_of("hfftn", norm)])


@function(family="fft", where="", also=_hermitian("ihfft2"), derivative=_IHFFT_RULE, cases=_REAL_TWOS)
def ihfft2(x: Any, s: Any = None, axis: Any = (-2, -1), norm: Any = None) -> CoreValue:
    """The inverse of hfft2."""
    return conj(_forward_real("ihfft2", x, s, axis, OTHER[norm_of("ihfft2", norm)]))


@function(family="fft", where="", also=_hermitian("ihfftn"), derivative=_IHFFT_RULE, cases=_REAL_MANIES)
def ihfftn(x: Any, s: Any = None, axis: Any = None, norm: Any = None) -> CoreValue:
    """The inverse of hfftn."""
    return conj(_forward_real("ihfftn", x, s, axis, OTHER[norm_of("ihfftn", norm)]))
