"""Polynomials as NumPy's classic functions have them: vectors of coefficients, the highest power first."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.values import CoreValue, count_of, dtype_of, ndim_of, shape_of
from gradcli.ops.arguments import integer
from gradcli.ops.combining import vander
from gradcli.ops.constructors import ones_of
from gradcli.ops.convolution.signals import convolve
from gradcli.ops.elementwise import multiply
from gradcli.ops.function import case
from gradcli.ops.indexing import getitem
from gradcli.ops.kinds import expanded, fits
from gradcli.ops.least_squares import lstsq
from gradcli.ops.linalg import inv
from gradcli.ops.matrices import transposed
from gradcli.ops.norm import norm
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.products import times
from gradcli.ops.registry import function
from gradcli.ops.running import joined, part
from gradcli.ops.shape import reshaped


def _coefficients(name: str, p: Any) -> CoreValue:
    """A vector of coefficients; a number is one of them.

    Raises:
        ShapeError: it has several axes.
    """
    found = as_core(p)
    if ndim_of(found) > 1:
        raise ShapeError(f"{name} takes a vector of coefficients, not shape {fits(shape_of(found))}")
    return reshaped(found, (count_of(shape_of(found)),))


def _zeros(like: CoreValue, count: int) -> CoreValue:
    return np.zeros(count, dtype_of(like))


# --- values ----------------------------------------------------------------------------------------------------------


@function(
    family="elementwise",
    where="numpy",
    derivative="vjp: g*polyval(polyder(p), x), and g*x**k summed over x for the coefficient of x**k",
    source="Horner's scheme",
    cases=(
        case((3,), (2,)),
        case((4,), ()),
        case((1,), (2, 2)),
        case((0,), (2,)),
        case([2.0, -1.0, 0.5], (3,)),
        case(np.array([1 + 2j, 0.5]), np.array([0.5 - 1j, 2j])),
    ),
)
def polyval(p: Any, x: Any) -> CoreValue:
    """p[0]*x**(n - 1) + ... + p[n - 1], of every element of x."""
    coefficients, at = _coefficients("polyval", p), as_core(x)
    found: CoreValue = multiply(at, 0)
    for k in range(shape_of(coefficients)[0]):
        found = multiply(found, at) + getitem(coefficients, k)
    return found


# --- derivatives and integrals ---------------------------------------------------------------------------------------


def _order(name: str, m: Any) -> int:
    found = integer(m, f"{name}: m")
    if found < 0:
        raise ArgumentError(f"{name}: m is at least 0, not {found}")
    return found


@function(
    family="linalg",
    where="numpy",
    derivative="vjp: k*g of the coefficient of x**(k - 1) for that of x**k",
    cases=(case((4,)), case((4,), 2), case((3,), m=0), case((2,), 3), case((1,))),
)
def polyder(p: Any, m: Any = 1) -> CoreValue:
    """The coefficients of the m-th derivative."""
    found = _coefficients("polyder", p)
    for _ in range(min(_order("polyder", m), shape_of(found)[0])):
        found = part(found, slice(0, -1)) * np.arange(shape_of(found)[0] - 1, 0, -1)
    return found


@function(
    family="linalg",
    where="numpy",
    derivative="vjp: g of the coefficient of x**(k + 1), over k + 1, for that of x**k",
    cases=(case((3,)), case((2,), 2), case((3,), m=0), case((2,), 1, 4.0), case((2,), 2, [3.0, 5.0]), case((0,))),
)
def polyint(p: Any, m: Any = 1, k: Any = None) -> CoreValue:
    """The coefficients of the m-th integral; k gives the constants of integration, the first one first."""
    found, times = _coefficients("polyint", p), _order("polyint", m)
    constants = _constants(k, times)
    for i in range(times):
        raised = found / np.arange(shape_of(found)[0], 0, -1)
        found = joined([raised, reshaped(getitem(constants, i), (1,))])
    return found


def _constants(k: Any, times: int) -> CoreValue:
    given = np.zeros(times) if k is None else as_core(k)
    if not ndim_of(given) or shape_of(given) == (1,):
        given = expanded(reshaped(given, (1,)), (times,)) if times == 1 or not ndim_of(given) else given
    if shape_of(given) != (times,):
        raise ShapeError(f"polyint: m = {times} integrals have as many constants, not shape {fits(shape_of(given))}")
    return given


# --- sums and products -----------------------------------------------------------------------------------------------


def _in_step(name: str, a1: Any, a2: Any) -> tuple[CoreValue, CoreValue]:
    """Two vectors of coefficients, the shorter with zeros in front."""
    first, second = _coefficients(name, a1), _coefficients(name, a2)
    longest = max(shape_of(first)[0], shape_of(second)[0])
    return _led(first, longest), _led(second, longest)


def _led(p: CoreValue, length: int) -> CoreValue:
    missing = length - shape_of(p)[0]
    return joined([_zeros(p, missing), p]) if missing else p


_PAIRS = (case((3,), (3,)), case((2,), (4,)), case((4,), ()), case((0,), (2,)))


@function(family="linalg", where="numpy", derivative="vjp: the last elements of g, for both", cases=_PAIRS)
def polyadd(a1: Any, a2: Any) -> CoreValue:
    """The coefficients of a sum of polynomials."""
    first, second = _in_step("polyadd", a1, a2)
    return first + second


@function(family="linalg", where="numpy", derivative="vjp: the last elements of g, and of -g", cases=_PAIRS)
def polysub(a1: Any, a2: Any) -> CoreValue:
    """The coefficients of a difference of polynomials."""
    first, second = _in_step("polysub", a1, a2)
    return first - second


@function(
    family="linalg",
    where="numpy",
    derivative="vjp: the correlation of g with a2, and of g with a1",
    cases=(case((3,), (2,)), case((2,), (4,)), case((3,), ()), case((1,), (1,))),
)
def polymul(a1: Any, a2: Any) -> CoreValue:
    """The coefficients of a product of polynomials."""
    return convolve.call(_coefficients("polymul", a1), _coefficients("polymul", a2))


@function(
    family="linalg",
    where="numpy",
    derivative="vjp: of a polynomial's coefficients by its zeros: -g @ polynomial of the other zeros",
    cases=(case((3,)), case((1,)), case((0,)), case(np.array([1 + 1j, -0.5]))),
)
def poly(seq_of_zeros: Any) -> CoreValue:
    """The coefficients of the polynomial that has these zeros, its leading one 1."""
    zeros = to_float(_coefficients("poly", seq_of_zeros))
    if not shape_of(zeros)[0]:
        return np.float64(1.0)
    found = ones_of(getitem(zeros, slice(0, 1)))
    for k in range(shape_of(zeros)[0]):
        nothing = _zeros(found, 1)
        shifted, scaled = joined([found, nothing]), joined([nothing, found])
        found = shifted - multiply(scaled, getitem(zeros, k))
    return found


# --- fitting ---------------------------------------------------------------------------------------------------------


@function(
    family="linalg",
    where="numpy",
    derivative="vjp: that of the least squares solution of vander(x) @ p = y",
    defined="more points than the degree, at different x",
    kinks="equal singular values: the derivative of a symmetric function of them is right",
    domain=((0.5, 3.0), (-2.0, 2.0)),
    source="Golub and Pereyra (1973), eq. 4.12",
    cases=(
        case(np.array([0.0, 1.0, 2.0, 3.5]), (4,), 2),
        case(np.array([0.0, 1.0, 2.0, 3.5]), (4, 2), 1),
        case(np.array([0.0, 1.0, 2.5]), (3,), 0),
        case(np.array([-1.0, 0.5, 2.0, 3.0]), (4,), 1, w=np.array([1.0, 2.0, 0.5, 1.0])),
    ),
)
def polyfit(x: Any, y: Any, deg: Any, rcond: Any = None, full: Any = False, w: Any = None, cov: Any = False) -> Any:
    """The coefficients of the polynomial of degree deg that fits points (x, y) best, each weighed by w.

    With full, (coefficients, squared residuals, rank, singular values, rcond); with cov, (coefficients, covariances),
    scaled by the residuals unless cov is "unscaled".

    Raises:
        ArgumentError, ShapeError: the degree is negative, the points are none or do not fit, or are too few for cov.
    """
    at, right = to_float(_coefficients("polyfit", x)), to_float(as_core(y))
    count, degree = shape_of(at)[0], integer(deg, "polyfit: deg")
    _check_points(count, degree, shape_of(right))
    matrix = vander.call(at, degree + 1)
    if w is not None:
        weights = to_float(_coefficients("polyfit", w))
        matrix = matrix * reshaped(weights, (count, 1))
        right = right * reshaped(weights, (count,) + (1,) * (ndim_of(right) - 1))
    scale = norm.call(matrix, axis=0)
    limit = count * float(np.finfo(dtype_of(at)).eps) if rcond is None else rcond
    found, residuals, rank, values = lstsq.call(matrix / scale, right, limit)
    found = found / reshaped(scale, (degree + 1,) + (1,) * (ndim_of(right) - 1))
    if full:
        return found, residuals, rank, values, limit
    return (found, _covariances(matrix / scale, scale, residuals, cov, ndim_of(right) > 1)) if cov else found


def _covariances(matrix: CoreValue, scale: CoreValue, residuals: CoreValue, cov: Any, several: bool) -> CoreValue:
    count, free = shape_of(matrix)[0], shape_of(matrix)[0] - shape_of(matrix)[1]
    column = reshaped(scale, (shape_of(matrix)[1], 1))
    base = inv.call(times(transposed(matrix), matrix)) / column / scale
    if several:
        base = reshaped(base, (*shape_of(base), 1))
    if cov == "unscaled":
        return base
    if free <= 0:
        raise ArgumentError(
            f"polyfit: {count} points are too few for the covariances", mend='cov="unscaled" needs no more'
        )
    return base * (residuals / free)


def _check_points(count: int, degree: int, shape: tuple[int, ...]) -> None:
    if degree < 0:
        raise ArgumentError(f"polyfit: deg is at least 0, not {degree}")
    if not count or len(shape) not in (1, 2) or shape[0] != count:
        raise ShapeError(f"polyfit: x has {count} points, and y has shape {fits(shape)}", mend="one y for every x")
