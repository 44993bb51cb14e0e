"""Arguments of Fourier transforms: axes, lengths and norms, and values resized to the lengths asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, DtypeError, ShapeError
from gradcli.graph.values import CoreValue, dtype_of, shape_of
from gradcli.ops.arguments import integer, integers, many_axes, one_axis
from gradcli.ops.axes import Axes
from gradcli.ops.borders import PAD
from gradcli.ops.casts import cast
from gradcli.ops.fourier.transforms import OTHER, complex_dtype
from gradcli.ops.indexing import getitem
from gradcli.ops.kinds import fits
from gradcli.ops.operands import as_core, to_float


def names_of(name: str) -> tuple[str, ...]:
    """The spellings of a transform that NumPy, PyTorch and SciPy have."""
    return (f"numpy.fft.{name}", f"torch.fft.{name}", f"scipy.fft.{name}")


def norm_of(name: str, norm: Any) -> str:
    """The norm, "backward" by itself.

    Raises:
        ArgumentError: there is no such norm.
    """
    if norm is None:
        return "backward"
    if norm not in OTHER:
        raise ArgumentError(f"{name}: norm is 'backward', 'ortho' or 'forward', not {str(norm)[:40]!r}")
    return str(norm)


def _length(name: str, n: Any) -> int:
    found = integer(n, f"{name}: n")
    if found < 1:
        raise ArgumentError(f"{name}: a transform has at least 1 element, not {found}")
    return found


def resized(x: CoreValue, axis: int, n: int) -> CoreValue:
    """`x` cut off or padded with zeros to n elements along an axis."""
    own = shape_of(x)[axis]
    if n == own:
        return x
    rest = -axis - 1
    if n < own:
        return getitem.call(x, (..., slice(0, n), *(slice(None),) * rest))
    widths = ((0, n - own), *((0, 0),) * rest)
    return bind(PAD, x, np.zeros((), dtype_of(x)), widths=widths)


def real_value(name: str, x: Any) -> CoreValue:
    """A value that may not be complex, as floats.

    Raises:
        DtypeError: it is complex.
    """
    found = to_float(as_core(x))
    if dtype_of(found).kind == "c":
        raise DtypeError(
            f"{name} expects a real input tensor, but got {dtype_of(found)}", mend="fft takes complex ones"
        )
    return found


def complex_value(x: Any) -> CoreValue:
    """A value as complex numbers."""
    found = to_float(as_core(x))
    return found if dtype_of(found).kind == "c" else cast(found, complex_dtype(dtype_of(found)))


# --- one axis --------------------------------------------------------------------------------------------------------


def axis_for(name: str, x: CoreValue, axis: Any) -> int:
    """The axis of a transform along one.

    Raises:
        ShapeError: there is no such axis.
    """
    if not shape_of(x):
        raise ShapeError(f"{name} takes a value with at least one axis")
    return one_axis(name, axis, shape_of(x))


def along(name: str, x: CoreValue, n: Any, axis: Any) -> tuple[CoreValue, int]:
    """The value resized along the one axis of its transform, and this axis."""
    at = axis_for(name, x, axis)
    return resized(x, at, _length(name, shape_of(x)[at] if n is None else n)), at


def half(name: str, x: CoreValue, n: Any, axis: int) -> tuple[CoreValue, int]:
    """Half a spectrum resized for n real elements, and n, which is even by itself."""
    count = _length(name, 2 * (shape_of(x)[axis] - 1) if n is None else n)
    return resized(x, axis, count // 2 + 1), count


# --- several axes ----------------------------------------------------------------------------------------------------


def axes_for(name: str, x: CoreValue, s: Any, axis: Any) -> tuple[Axes, list[int | None]]:
    """The axes of a transform over several, and the lengths asked for; None is an axis' own.

    Raises:
        ArgumentError: there are not as many lengths as axes.
        ShapeError: an axis does not exist, stands twice, or there is none.
    """
    lengths = None if s is None else [None if n == -1 else n for n in integers(s, f"{name}: a length")]
    if axis is None and lengths is not None:
        axis = tuple(range(-len(lengths), 0))
    axes = many_axes(name, axis, shape_of(x))
    if not axes:
        raise ShapeError(f"{name} takes at least one axis, of shape {fits(shape_of(x))}")
    if lengths is not None and len(lengths) != len(axes):
        raise ArgumentError(f"{name}: {len(lengths)} lengths are given for {len(axes)} axes")
    return axes, lengths or [None] * len(axes)


def over(name: str, x: CoreValue, s: Any, axis: Any) -> tuple[CoreValue, Axes]:
    """The value resized along the axes of its transform, and these axes."""
    axes, lengths = axes_for(name, x, s, axis)
    for at, n in zip(axes, lengths, strict=True):
        x, _ = along(name, x, n, at)
    return x, axes


def over_half(name: str, x: CoreValue, s: Any, axis: Any) -> tuple[CoreValue, Axes, int]:
    """Half a spectrum over several axes, resized; these axes; and the number of real elements along the last."""
    axes, lengths = axes_for(name, x, s, axis)
    for at, n in zip(axes[:-1], lengths[:-1], strict=True):
        x, _ = along(name, x, n, at)
    x, count = half(name, x, lengths[-1], axes[-1])
    return x, axes, count
