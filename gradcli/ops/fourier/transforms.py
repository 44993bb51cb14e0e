"""Discrete Fourier transforms: of complex values, of real ones to half a spectrum, and back.

Three linear ops carry all of them. In their parameters `axes` are counted from the end, in the order in which a program
names them: of a real transform the last one is the halved one. `norm` says which direction is divided by the number of
elements: "backward", "forward", or "ortho" for both by its square root.

The transform's matrix F is symmetric, so its conjugate transpose, which a cotangent meets, is the inverse transform
with the other norm. Cotangents follow PyTorch: those of complex values are conjugate Wirtinger derivatives, those of
real values are real.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Shape, Spec, dtype_of, shape_of
from gradcli.ops.axes import Axes
from gradcli.ops.dependence import along_axes
from gradcli.ops.kinds import linear
from gradcli.ops.reduction import real_dtype

#: The norm of the transform the other way that divides by the same.
OTHER = {"backward": "forward", "forward": "backward", "ortho": "ortho"}


def complex_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The complex dtype of a float dtype's precision."""
    return np.result_type(dtype, np.complex64)


# --- exact sums ------------------------------------------------------------------------------------------------------


def _roots(S: Any, n: int, sign: int) -> list[Any]:
    """exp(sign 2 pi i k/n) for k below n; the quarters of the circle are whole numbers."""
    quarters = (1, sign * 1j, -1, -sign * 1j)
    turn = S.number(sign * 1j)
    found = []
    for k in range(n):
        if 4 * k % n == 0:
            found.append(S.number(quarters[4 * k // n]))
        else:
            angle = S.pi * (2 * k) / n
            found.append(S.cos(angle) + turn * S.sin(angle))
    return found


def _exact_along(S: Any, x: Any, axis: int, sign: int) -> Any:
    """The sums over j of x[j] exp(sign 2 pi i j k/n), along one axis."""
    n = x.shape[axis]
    roots = _roots(S, n, sign)
    rows = np.moveaxis(x, axis, -1)
    found = np.empty(rows.shape, dtype=object)
    for place in np.ndindex(rows.shape):
        found[place] = S.dot(list(rows[place[:-1]]), [roots[j * place[-1] % n] for j in range(n)])
    return np.moveaxis(found, -1, axis)


def _exact_scale(S: Any, shape: Shape, axes: Axes, norm: str, inverse: bool) -> Any:
    """What the sums are divided by."""
    count = 1
    for axis in axes:
        count *= shape[axis]
    if norm == "ortho":
        return S.sqrt(S.number(count))
    return S.number(count if (norm == "backward") == inverse else 1)


def _exact_transform(S: Any, x: Any, *, axes: Axes, inverse: bool, norm: str) -> Any:
    found = x
    for axis in axes:
        found = _exact_along(S, found, axis, 1 if inverse else -1)
    return found / _exact_scale(S, x.shape, axes, norm, inverse)


# --- the ops ---------------------------------------------------------------------------------------------------------


def _c2c(x: Any, *, axes: Axes, inverse: bool, norm: Any) -> Any:
    return (np.fft.ifftn if inverse else np.fft.fftn)(x, axes=axes, norm=norm)


def _c2c_shape(x: CoreValue, *, axes: Axes, inverse: bool, norm: str) -> Spec:
    return Spec(shape_of(x), complex_dtype(dtype_of(x)))


def _c2c_node(operands: Sequence[CoreValue], params: dict[str, Any]) -> Any:
    """PyTorch transforms a real value forwards, and takes the conjugate where the inverse was asked for."""
    if dtype_of(operands[0]).kind == "c":
        return ("FftC2CBackward0", (0,))
    forward = ("FftR2CBackward0", (0,))
    return ("ConjBackward0", (forward,)) if params["inverse"] else forward


C2C: Op = linear(
    "fft",
    _c2c,
    _c2c_shape,
    transpose=lambda g, x, *, axes, inverse, norm: bind(C2C, g, axes=axes, inverse=not inverse, norm=OTHER[norm]),
    meaning=_exact_transform,
    torch=_c2c_node,
    depends=along_axes(axis="axes"),
    doc="Discrete Fourier transform over axes.",
)


def _halved(shape: Shape, axis: int, n: int) -> Shape:
    """`shape` with length n along an axis."""
    at = len(shape) + axis
    return (*shape[:at], n, *shape[at + 1 :])


def _weighed(g: CoreValue, axis: int, n: int, inner: float) -> CoreValue:
    """Half a spectrum of n elements times `inner` where a frequency stands for two, itself and its mirror image."""
    weights = np.full(n // 2 + 1, inner, real_dtype(dtype_of(g)))
    weights[0] = 1
    if n % 2 == 0:
        weights[-1] = 1
    return g * weights.reshape((-1,) + (1,) * (-axis - 1))


def _r2c(x: Any, *, axes: Axes, norm: Any) -> Any:
    return np.fft.rfftn(x, axes=axes, norm=norm)


def _r2c_shape(x: CoreValue, *, axes: Axes, norm: str) -> Spec:
    shape = shape_of(x)
    return Spec(_halved(shape, axes[-1], shape[axes[-1]] // 2 + 1), complex_dtype(dtype_of(x)))


def _r2c_transpose(g: CoreValue, x: CoreValue, *, axes: Axes, norm: str) -> CoreValue:
    n = shape_of(x)[axes[-1]]
    return bind(C2R, _weighed(g, axes[-1], n, 0.5), axes=axes, n=n, norm=OTHER[norm])


def _exact_r2c(S: Any, x: Any, *, axes: Axes, norm: str) -> Any:
    whole = _exact_transform(S, x, axes=axes, inverse=False, norm=norm)
    return whole.take(range(x.shape[axes[-1]] // 2 + 1), axes[-1])


R2C: Op = linear(
    "rfft",
    _r2c,
    _r2c_shape,
    transpose=_r2c_transpose,
    meaning=_exact_r2c,
    torch="FftR2C",
    depends=along_axes(axis="axes"),
    doc="Discrete Fourier transform of real values over axes, of which the last keeps half.",
)


def _c2r(x: Any, *, axes: Axes, n: int, norm: Any) -> Any:
    lengths = [x.shape[axis] for axis in axes[:-1]] + [n]
    return np.fft.irfftn(x, s=lengths, axes=axes, norm=norm)


def _c2r_shape(x: CoreValue, *, axes: Axes, n: int, norm: str) -> Spec:
    return Spec(_halved(shape_of(x), axes[-1], n), real_dtype(dtype_of(x)))


def _c2r_transpose(g: CoreValue, x: CoreValue, *, axes: Axes, n: int, norm: str) -> CoreValue:
    return _weighed(bind(R2C, g, axes=axes, norm=OTHER[norm]), axes[-1], n, 2.0)


def _exact_c2r(S: Any, x: Any, *, axes: Axes, n: int, norm: str) -> Any:
    """The missing half of the last axis mirrors the other; the imaginary part of what is its own mirror is dropped."""
    found = x
    for axis in axes[:-1]:
        found = _exact_along(S, found, axis, 1)
    half = np.moveaxis(found, axes[-1], 0)
    mirrored = [_each(S.conj, half[n - k]) for k in range(n // 2 + 1, n)]
    whole = [_each(S.re, part) if 2 * k % n == 0 else part for k, part in enumerate(half)] + mirrored
    summed = _exact_along(S, np.moveaxis(np.stack(whole), 0, axes[-1]), axes[-1], 1)
    return _each(S.re, summed) / _exact_scale(S, summed.shape, axes, norm, True)


def _each(f: Any, x: Any) -> Any:
    return np.asarray(np.frompyfunc(f, 1, 1)(x), dtype=object)


C2R: Op = linear(
    "irfft",
    _c2r,
    _c2r_shape,
    transpose=_c2r_transpose,
    meaning=_exact_c2r,
    torch="FftC2R",
    depends=along_axes(axis="axes"),
    doc="Real values from half of their spectrum over axes.",
)
