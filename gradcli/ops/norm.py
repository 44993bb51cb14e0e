"""Norms of vectors and matrices. Where a norm has a tip or an edge, the derivative is PyTorch's: 0 at the origin."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.values import CoreValue, dtype_of, ndim_of, shape_of
from gradcli.ops.arguments import many_axes, settled
from gradcli.ops.axes import Axes, axes_of, restored
from gradcli.ops.casts import cast
from gradcli.ops.elementwise import absolute, equal, not_equal, power, sgn, where
from gradcli.ops.exact import each
from gradcli.ops.extremes import AMAX, AMIN
from gradcli.ops.function import case
from gradcli.ops.kinds import fits, general
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.reduction import real_dtype, real_product, reduced_spec, total
from gradcli.ops.registry import function

# --- the p-norm ------------------------------------------------------------------------------------------------------


def _norm(x: Any, *, p: float, axis: Axes, keepdims: bool) -> Any:
    sizes = np.abs(x)
    if p == 2:
        return np.sqrt(np.sum(sizes * sizes, axis=axis, keepdims=keepdims))
    return np.sum(sizes**p, axis=axis, keepdims=keepdims) ** (1 / p)


def _direction(y: CoreValue, x: CoreValue, p: float, axis: Axes, keepdims: bool) -> CoreValue:
    """The gradient: x/y for p = 2, else sign(x) (|x|/y)**(p - 1); 0 where y is 0 (and for p < 1 where x is)."""
    whole = restored(y, x, axis, keepdims)
    origin = equal(whole, 0)
    safe = where(origin, 1.0, whole)
    if p == 2:
        return where(origin, 0.0, x / safe)
    edge = equal(x, 0) if p < 2 else origin
    ratio = where(edge, 1.0, absolute(x) / safe)
    return where(edge, 0.0, sgn(x) * power(ratio, p - 1))


def _norm_vjp(g: CoreValue, y: CoreValue, x: CoreValue, *, p: float, axis: Axes, keepdims: bool) -> CoreValue:
    return restored(g, x, axis, keepdims) * _direction(y, x, p, axis, keepdims)


def _norm_jvp(ts: Any, y: CoreValue, x: CoreValue, *, p: float, axis: Axes, keepdims: bool) -> CoreValue:
    return total(real_product(_direction(y, x, p, axis, keepdims), ts[0]), axis, keepdims)


def _exact_norm(S: Any, x: Any, *, p: float, axis: Axes, keepdims: bool) -> Any:
    if p == 2:
        return each(S.sqrt, np.sum(x * x, axis=axis, keepdims=keepdims))
    power_ = S.number(p)
    powers = each(lambda cell: S.pow(S.abs(cell), power_), x)
    return each(lambda cell: S.pow(cell, 1 / power_), np.sum(powers, axis=axis, keepdims=keepdims))


def _norm_kink(x: Any, *, p: float, axis: Axes, keepdims: bool) -> Any:
    return (x == 0) if p < 2 else (x == 0).all(axis=axis, keepdims=True) & (x == 0)


NORM = general(
    "norm",
    _norm,
    reduced_spec,
    vjps=(_norm_vjp,),
    jvp=_norm_jvp,
    meaning=_exact_norm,
    torch="LinalgVectorNorm",
    kink=_norm_kink,
    saves=(0, "y"),
    doc="sum(|x|**p)**(1/p) over axes; the derivative at 0 is 0.",
)


def _vector(x: CoreValue, p: Any, axis: Axes, keepdims: bool) -> CoreValue:
    """The p-norm over axes, for any number p."""
    if p == 2:
        return bind(NORM, x, p=2, axis=axis, keepdims=keepdims)
    if p == 1:
        return total(absolute(x), axis, keepdims)
    if p == 0:
        return cast(total(not_equal(x, 0), axis, keepdims), real_dtype(dtype_of(x)))
    if p in (math.inf, -math.inf):
        return bind(AMAX if p > 0 else AMIN, absolute(x), axis=axis, keepdims=keepdims)
    return bind(NORM, x, p=p, axis=axis, keepdims=keepdims)


def _matrix(name: str, x: CoreValue, p: Any, axis: Axes, keepdims: bool) -> CoreValue:
    """A matrix norm over two axes, in the order given: Frobenius', the largest (smallest) column or row sum."""
    if p in (None, "fro"):
        return bind(NORM, x, p=2, axis=tuple(sorted(axis)), keepdims=keepdims)
    if p not in (1, -1, math.inf, -math.inf):
        raise ArgumentError(f"{name}: no matrix norm {p!r} here", mend="'fro', 1, -1, inf and -inf are known")
    rows, columns = axis if abs(p) == 1 else axis[::-1]
    sums = total(absolute(x), (rows,), True)
    found = bind(AMAX if p > 0 else AMIN, sums, axis=(columns,), keepdims=True)
    return found if keepdims else total(found, tuple(sorted(axis)))


def _order(name: str, p: Any) -> Any:
    """A norm's order as None, "fro" or a plain number."""
    if p is None or p == "fro":
        return p
    if isinstance(p, str):
        if p in ("inf", "-inf"):
            return float(p)
        raise ArgumentError(f"{name}: no norm {p!r} here", mend="a number, inf, -inf or 'fro'")
    return settled(p).item() if hasattr(p, "dtype") else p


def _two_axes(name: str, axis: Any, x: CoreValue) -> Axes:
    """Two axes in the order given, which tells rows from columns.

    Raises:
        ShapeError: they are not two.
    """
    found = many_axes(name, axis, shape_of(x))
    if len(found) != 2:
        raise ShapeError(f"{name} of a matrix is over two axes, not {len(found)} of shape {fits(shape_of(x))}")
    return found


def _as_float(x: Any) -> CoreValue:
    return to_float(as_core(x))


_VECTORS = (
    case((3,)),
    case((4,), 1),
    case((4,), 3),
    case((4,), 0.5),
    case((4,), 1.5),
    case((4,), math.inf),
    case((4,), -math.inf),
    case((4,), 0),
    case((2, 3), axis=1),
    case((2, 3), 3, axis=-1, keepdims=True),
    case((2, 3)),
    case(np.zeros(3)),
    case(np.array([0.0, 2.0, -1.0]), 1.5),
)
_MATRICES = (
    case((2, 3), "fro"),
    case((2, 3), 1),
    case((2, 3), -1),
    case((3, 3), math.inf),
    case((2, 3, 2), -math.inf, [0, 2]),
)
_DERIVATIVE = "vjp: g*sign(x)*(|x|/norm(x))**(p - 1); for p = 2, g*x/norm(x), 0 at 0"


@function(
    family="linalg",
    where="",
    also=("numpy.linalg.norm", "torch.linalg.norm", "scipy.linalg.norm"),
    op=NORM,
    derivative=_DERIVATIVE,
    cases=(*_VECTORS, *_MATRICES),
)
def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> CoreValue:
    """Norm of a vector (p-norm: any number, inf, -inf) or of a matrix ('fro', 1, -1, inf, -inf)."""
    found, p = _as_float(x), _order("norm", ord)
    if axis is None and p is None:
        return _vector(found, 2, axes_of("norm", None, found), bool(keepdims))
    axes = axes_of("norm", axis, found) if axis is None else _given(found, axis)
    if len(axes) == 2:
        return _matrix("norm", found, p, axes, bool(keepdims))
    if len(axes) != 1 or p == "fro":
        raise ShapeError(
            f"norm: no norm {p!r} over {len(axes)} axes of shape {fits(shape_of(found))}", mend="name axis="
        )
    return _vector(found, 2 if p is None else p, axes, bool(keepdims))


def _given(x: CoreValue, axis: Any) -> Axes:
    axes = axes_of("norm", axis, x)
    return _two_axes("norm", axis, x) if len(axes) == 2 else axes


@function(
    family="linalg",
    where="",
    also=("torch.linalg.vector_norm", "numpy.linalg.vector_norm"),
    op=NORM,
    derivative=_DERIVATIVE,
    cases=(case((2, 3)), case((2, 3), 1), case((2, 3), 3, 1), case((2, 3), math.inf, keepdims=True)),
)
def vector_norm(x: Any, ord: Any = 2, axis: Any = None, keepdims: bool = False) -> CoreValue:
    """The p-norm of the elements over axes, whatever their shape."""
    found = _as_float(x)
    return _vector(found, _order("vector_norm", ord), axes_of("vector_norm", axis, found), bool(keepdims))


@function(
    family="linalg",
    where="",
    also=("torch.linalg.matrix_norm", "numpy.linalg.matrix_norm"),
    derivative="that of the sums and extremes it is made of",
    cases=(case((2, 3)), case((4, 2, 3), 1), case((2, 3), -math.inf, keepdims=True)),
)
def matrix_norm(x: Any, ord: Any = "fro", axis: Any = (-2, -1), keepdims: bool = False) -> CoreValue:
    """A norm of each matrix in a stack: 'fro', 1, -1, inf or -inf."""
    found = _as_float(x)
    if ndim_of(found) < 2:
        raise ShapeError(f"matrix_norm needs at least two axes, not shape {fits(shape_of(found))}")
    return _matrix(
        "matrix_norm", found, _order("matrix_norm", ord), _two_axes("matrix_norm", axis, found), bool(keepdims)
    )


@function(
    "norm_torch",
    family="linalg",
    where="",
    also=("torch.norm", ".norm"),
    op=NORM,
    derivative=_DERIVATIVE,
    cases=(case((2, 3)), case((2, 3), 1), case((2, 3), 2, 1), case((2, 3), p=3, dim=0, keepdim=True)),
)
def norm_torch(input: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False) -> CoreValue:
    """The p-norm of the elements over axes, Euclid's by itself."""
    found, number = _as_float(input), _order("norm", p)
    axes = axes_of("norm", dim, found)
    return _vector(found, 2 if number in (None, "fro") else number, axes, bool(keepdim))
