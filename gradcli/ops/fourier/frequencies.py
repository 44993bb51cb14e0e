"""What belongs to spectra: their frequencies, and the zero frequency moved to the middle and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError
from gradcli.graph.op import Op
from gradcli.graph.state import state
from gradcli.graph.values import CoreValue, Spec, dtype_of, is_inexact, shape_of
from gradcli.ops.arguments import dtype_named, integer, many_axes
from gradcli.ops.casts import cast
from gradcli.ops.fourier.arguments import names_of
from gradcli.ops.function import case
from gradcli.ops.kinds import constant
from gradcli.ops.operands import as_core
from gradcli.ops.rearranging import ROLL
from gradcli.ops.registry import function


def _steps(*, n: int, half: bool, dtype: np.dtype[Any]) -> Any:
    """The frequencies of n elements in steps of 1: from 0 up, then (unless only half is wanted) the negative ones."""
    if half:
        return np.arange(n // 2 + 1).astype(dtype)
    return np.concatenate([np.arange((n + 1) // 2), np.arange(-(n // 2), 0)]).astype(dtype)


STEPS: Op = constant(
    "frequency_steps",
    _steps,
    lambda *, n, half, dtype: Spec((n // 2 + 1 if half else n,), dtype),
    doc="The numbers of a spectrum's frequencies, in its order.",
)


def _frequencies(name: str, n: Any, d: Any, dtype: Any, half: bool) -> CoreValue:
    count = integer(n, f"{name}: n")
    if count < 1:
        raise ArgumentError(f"{name}: n is at least 1, not {count}")
    spacing = as_core(d)
    default = dtype_of(spacing) if is_inexact(spacing) and shape_of(spacing) else state.default_float
    steps = bind(STEPS, n=count, half=half, dtype=default)
    found = steps / (spacing * float(count))
    return found if dtype is None else cast(found, dtype_named(dtype))


_SPACINGS = (case(5), case(4, 0.5), case(1), case(6, np.array(0.25)))


@function(family="fft", where="", also=names_of("fftfreq"), derivative="vjp: -sum(g*y)/d", cases=_SPACINGS)
def fftfreq(n: Any, d: Any = 1.0, dtype: Any = None) -> CoreValue:
    """The frequencies of fft's results, for n elements that lie d apart."""
    return _frequencies("fftfreq", n, d, dtype, False)


@function(family="fft", where="", also=names_of("rfftfreq"), derivative="vjp: -sum(g*y)/d", cases=_SPACINGS)
def rfftfreq(n: Any, d: Any = 1.0, dtype: Any = None) -> CoreValue:
    """The frequencies of rfft's results, for n elements that lie d apart."""
    return _frequencies("rfftfreq", n, d, dtype, True)


def _rolled(name: str, x: Any, axis: Any, back: bool) -> CoreValue:
    found = as_core(x)
    axes = many_axes(name, axis, shape_of(found))
    halves = [shape_of(found)[a] // 2 for a in axes]
    shifts = tuple(-h if back else h for h in halves)
    return bind(ROLL, found, shifts=shifts, axes=axes) if axes else found


_SHIFTS = (case((5,)), case((2, 3)), case((2, 3), 0), case((4, 3), axis=[0, 1]), case((0,)))


@function(family="fft", where="", also=names_of("fftshift"), op=ROLL, derivative="vjp: ifftshift(g)", cases=_SHIFTS)
def fftshift(x: Any, axis: Any = None) -> CoreValue:
    """The zero frequency moved to the middle of axes, all of them by itself."""
    return _rolled("fftshift", x, axis, False)


@function(family="fft", where="", also=names_of("ifftshift"), op=ROLL, derivative="vjp: fftshift(g)", cases=_SHIFTS)
def ifftshift(x: Any, axis: Any = None) -> CoreValue:
    """The zero frequency moved back from the middle to the start of axes."""
    return _rolled("ifftshift", x, axis, True)
