"""Kaiser's window i0(beta*t)/i0(beta), and its derivatives by beta."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Value, dtype_of, shape_of
from gradcli.ops.casts import cast
from gradcli.ops.constructors import dtype_or_default
from gradcli.ops.function import case
from gradcli.ops.kinds import elementwise, fits
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.registry import function
from gradcli.ops.selecting import taken
from gradcli.ops.special.modified_bessel_values import ie_value, scaled_kummer
from gradcli.ops.special.quadrature import unit_nodes
from gradcli.ops.special.scaled_bessel import IVE
from gradcli.ops.special.values import Array, pieces, real
from gradcli.ops.tapers import length_of

# --- values ----------------------------------------------------------------------------------------------------------


def _arch(places: Array, last: int) -> tuple[Array, Array]:
    """t = sqrt(1 - (1 - 2*place/last)**2), and 1 - t, right to its last digits beside t = 1, too."""
    t = 2 * np.sqrt(places * (last - places)) / last
    return t, np.square((last - 2 * places) / last) / (1 + t)


def _window_near_one(beta: Array, t: Array, rest: Array) -> Array:
    """By the integral of its logarithm's slope, from t to 1."""
    found = np.zeros_like(beta)
    for node, weight in unit_nodes(12):
        x = beta * (1 - rest * node)
        found += weight * ie_value(1.0, x) / ie_value(0.0, x)
    return np.exp(-beta * rest * found)


def _window_by_quotient(beta: Array, t: Array, rest: Array) -> Array:
    """By exp(-x) I0, so that the rounding of beta*t does not show, and nothing overflows."""
    return ie_value(0.0, beta * t) / ie_value(0.0, beta) * np.exp(-beta * rest)


_window_of_size = pieces(
    (lambda beta, t, rest: (t > 0.5) & (beta * rest < 1), _window_near_one), last=_window_by_quotient
)


def _window(beta: Array, places: Array, last: int) -> Array:
    return _window_of_size(np.abs(beta), *_arch(places, last))


def _short_of_one(x: Array) -> Array:
    """1 - I1(x)/I0(x)."""
    nothing = np.zeros_like(x)
    return scaled_kummer(nothing, x, m=1, q=0) / ie_value(nothing, x)


def _fall_by_integral(beta: Array, t: Array, rest: Array) -> Array:
    """The integral from t to 1 of the derivative of s I1(beta s)/I0(beta s), which keeps its sign (DLMF 10.29.4)."""
    found = np.zeros_like(beta)
    for node, weight in unit_nodes(12):
        x = beta * (1 - rest * node)
        short = _short_of_one(x)
        found += weight * x * short * (2 - short)
    return found * rest


def _fall_by_difference(beta: Array, t: Array, rest: Array) -> Array:
    return (1 - _short_of_one(beta)) - t * (1 - _short_of_one(beta * t))


_fall_of_size = pieces((lambda beta, t, rest: t < 0.5, _fall_by_difference), last=_fall_by_integral)


def _fall(beta: Array, places: Array, last: int) -> Array:
    found: Array = np.sign(beta) * _fall_of_size(np.abs(beta), *_arch(places, last))
    return found


# --- ops -------------------------------------------------------------------------------------------------------------


def _ratio_slope(x: CoreValue) -> CoreValue:
    """The derivative of I1/I0, DLMF 10.29.1."""
    whole = bind(IVE, 0, x)
    ratio = bind(IVE, 1, x) / whole
    return 0.5 * (1 + bind(IVE, 2, x) / whole) - ratio * ratio


def _fall_slope(y: CoreValue, beta: CoreValue, places: CoreValue, last: int) -> CoreValue:
    t, _ = _arch(np.arange(last + 1).astype(dtype_of(beta)), last)
    return _ratio_slope(beta) - t * t * _ratio_slope(beta * t)


def _arch_meaning(S: Any, place: Any, last: int) -> Any:
    return 2 * S.sqrt(place * (last - place)) / last


def _fall_meaning(S: Any, beta: Any, place: Any, last: int) -> Any:
    t = _arch_meaning(S, place, last)
    ratios = [S.besseli(1, x) / S.besseli(0, x) for x in (beta, beta * t)]
    return ratios[0] - t * ratios[1]


KAISER: Op = elementwise(
    "kaiser",
    real(_window),
    lambda y, beta, places, last: -y * bind(KAISER_FALL, beta, places, last=last),
    None,
    meaning=lambda S, beta, place, last: S.besseli(0, beta * _arch_meaning(S, place, last)) / S.besseli(0, beta),
    doc="i0(beta*t)/i0(beta) for t = sqrt(1 - (1 - 2*place/last)**2).",
)
KAISER_FALL: Op = elementwise(
    "kaiser_fall",
    real(_fall),
    _fall_slope,
    None,
    meaning=_fall_meaning,
    doc="i1(beta)/i0(beta) - t*i1(beta*t)/i0(beta*t): how fast Kaiser's window falls with beta, beside itself.",
)


def _kaiser(length: int, beta: CoreValue) -> CoreValue:
    if length < 2:
        return np.ones(length, beta.dtype)
    return bind(KAISER, beta, np.arange(length).astype(beta.dtype), last=length - 1)


# --- functions -------------------------------------------------------------------------------------------------------


def _beta(x: Any) -> CoreValue:
    found = to_float(as_core(x))
    if shape_of(found):
        raise ArgumentError(f"kaiser: beta must be a number, not of shape {fits(shape_of(found))}")
    return found


_KAISER = "vjp: for beta, the sum of g*(t*i1(beta*t)/i0(beta) - kaiser*i1(beta)/i0(beta))"


@function(
    family="constructor",
    where="numpy",
    derivative=_KAISER,
    domain=(1.0, 12.0),
    kinks="beta = 0: 0",
    source="J. F. Kaiser, Nonrecursive digital filter design using the I0-sinh window function (1974)",
    cases=(case(5, 14.0), case(4, ()), case(1, 5.0), case(0, 5.0), case(6, 400.0), case(7, -3.0)),
)
def kaiser(M: Any, beta: Any) -> CoreValue:
    """The window i0(beta*sqrt(1 - t**2))/i0(beta) for t from -1 to 1."""
    return _kaiser(length_of("kaiser", M), _beta(beta))


@function(
    family="constructor",
    where="torch",
    derivative=_KAISER,
    domain=(1.0, 12.0),
    kinks="beta = 0: 0",
    cases=(case(5), case(4, False, ()), case(1)),
)
def kaiser_window(window_length: Any, periodic: bool = True, beta: Any = 12.0, *, dtype: Any = None) -> CoreValue:
    """The window i0(beta*sqrt(1 - t**2))/i0(beta) for t from -1 to 1, periodic."""
    length = length_of("kaiser_window", window_length)
    whole = length + 1 if periodic and length > 1 else length
    kind = dtype_or_default(dtype, beta.dtype if isinstance(beta, Value) else None)
    made = cast(_kaiser(whole, _beta(beta)), kind)
    return made if whole == length else taken(made, slice(0, length), -1)
