"""Norms of vectors and matrices, of every order.

Where a norm has a tip or an edge, the derivative is PyTorch's: 0 at the origin, and shared among equal extremes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.values import CoreValue, ndim_of, shape_of
from gradcli.ops.arguments import many_axes, settled
from gradcli.ops.axes import Axes, axes_of, restored
from gradcli.ops.axis_order import moveaxis
from gradcli.ops.extremes import AMAX, AMIN
from gradcli.ops.fixed import held
from gradcli.ops.function import case
from gradcli.ops.kinds import fits
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.reduction import total, typed
from gradcli.ops.registry import function
from gradcli.ops.vector_norms import NORM, p_norm


def _matrix(name: str, x: CoreValue, p: Any, axis: Axes, keepdims: bool) -> CoreValue:
    """A matrix norm over two axes, in the order given, which tells rows from columns."""
    if p in (None, "fro"):
        return bind(NORM, x, p=2, axis=tuple(sorted(axis)), keepdims=keepdims)
    if p in ("nuc", 2, -2):
        from gradcli.ops.matrix_norms import spectral_norm

        found = spectral_norm(moveaxis(x, axis, (-2, -1)), p)
        return restored(found, x, tuple(sorted(axis)), False) if keepdims else found
    if p not in (1, -1, math.inf, -math.inf):
        raise ArgumentError(f"{name}: no matrix norm {p!r}", mend="'fro', 'nuc', 2, -2, 1, -1, inf and -inf are known")
    rows, columns = axis if abs(p) == 1 else axis[::-1]
    sums = bind(NORM, x, p=1, axis=(rows,), keepdims=True)
    found = bind(AMAX if p > 0 else AMIN, sums, axis=(columns,), keepdims=True)
    return found if keepdims else total(found, tuple(sorted(axis)))


# --- arguments -------------------------------------------------------------------------------------------------------


def _order(name: str, p: Any) -> Any:
    """A norm's order as None, "fro", "nuc" or a plain number."""
    if p is None or (isinstance(p, str) and p in ("fro", "f", "nuc")):
        return "fro" if p == "f" else p
    if isinstance(p, str):
        if p in ("inf", "-inf"):
            return float(p)
        raise ArgumentError(f"{name}: no norm {p!r}", mend="a number, inf, -inf, 'fro' or 'nuc'")
    found = settled(p).item() if hasattr(p, "dtype") else p
    if not isinstance(found, int | float) or math.isnan(found):
        raise ArgumentError(f"{name}: no norm {p!r}", mend="a number, inf, -inf, 'fro' or 'nuc'")
    return found


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


def _given(name: str, x: CoreValue, axis: Any) -> Axes:
    axes = axes_of(name, axis, x)
    return _two_axes(name, axis, x) if len(axes) == 2 else axes


_COMPLEX = np.array([[0.5 + 2.0j, -1.0 + 0.5j], [2.0 - 1.0j, 0.25j]])
_VECTORS = (
    case((3,)),
    case((4,), 1),
    case((4,), 3),
    case((4,), 0.5),
    case((4,), 1.5),
    case((4,), -2),
    case((4,), math.inf),
    case((4,), -math.inf),
    case((4,), 0),
    case((2, 3), axis=1),
    case((2, 3), 3, axis=-1, keepdims=True),
    case((2, 3)),
    case(np.zeros(3)),
    case(np.array([0.0, 2.0, -1.0]), 1.5),
    case(_COMPLEX[0]),
    case(_COMPLEX[0], 3),
    case(np.arange(1.0, 40.0)),
)
_MATRICES = (
    case((2, 3), "fro"),
    case((2, 3), 1),
    case((2, 3), -1),
    case((3, 3), math.inf),
    case((2, 3, 2), -math.inf, [0, 2]),
    case((2, 3), "nuc"),
    case((3, 2), 2),
    case((2, 3, 2), -2, [2, 0], keepdims=True),
    case(_COMPLEX, "nuc"),
    case(_COMPLEX, 1),
)
_DERIVATIVE = "vjp: g*sign(x)*(|x|/norm(x))**(p - 1); of matrices by singular values: g*U @ diag(those that count) @ Vh"
_KINKS = "x = 0: 0, as in PyTorch; equal extremes (p = inf, -inf) share evenly; 'nuc': singular values of 0 count 0"


@function(
    family="linalg",
    where="",
    also=("numpy.linalg.norm", "torch.linalg.norm", "scipy.linalg.norm"),
    op=NORM,
    derivative=_DERIVATIVE,
    kinks=_KINKS,
    cases=(*_VECTORS, *_MATRICES),
)
def norm(
    x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False, dtype: Any = None, check_finite: bool = True
) -> CoreValue:
    """Norm of a vector (p-norm: any number, inf, -inf) or of a matrix ('fro', 'nuc', 2, -2, 1, -1, inf, -inf)."""
    found, p = held(_as_float(typed(x, dtype)), ord, "norm"), _order("norm", ord)
    if axis is None and p is None:
        return p_norm(found, 2, axes_of("norm", None, found), bool(keepdims))
    axes = axes_of("norm", axis, found) if axis is None else _given("norm", found, axis)
    if len(axes) == 2:
        return _matrix("norm", found, p, axes, bool(keepdims))
    if len(axes) != 1 or isinstance(p, str):
        raise ShapeError(
            f"norm: no norm {p!r} over {len(axes)} axes of shape {fits(shape_of(found))}", mend="name axis="
        )
    return p_norm(found, 2 if p is None else p, axes, bool(keepdims))


@function(
    family="linalg",
    where="",
    also=("torch.linalg.vector_norm", "numpy.linalg.vector_norm"),
    op=NORM,
    derivative="vjp: g*sign(x)*(|x|/norm(x))**(p - 1)",
    kinks="x = 0: 0, as in PyTorch; equal extremes (p = inf, -inf) share evenly",
    cases=(case((2, 3)), case((2, 3), 1), case((2, 3), 3, 1), case((2, 3), math.inf, keepdims=True)),
)
def vector_norm(x: Any, ord: Any = 2, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> CoreValue:
    """The p-norm of the elements over axes, whatever their shape."""
    found, p = held(_as_float(typed(x, dtype)), ord, "vector_norm"), _order("vector_norm", ord)
    if isinstance(p, str) or p is None:
        raise ArgumentError(f"vector_norm: the order is a number, not {ord!r}", mend="matrix_norm has 'fro' and 'nuc'")
    return p_norm(found, p, axes_of("vector_norm", axis, found), bool(keepdims))


@function(
    family="linalg",
    where="",
    also=("torch.linalg.matrix_norm", "numpy.linalg.matrix_norm"),
    derivative=_DERIVATIVE,
    kinks=_KINKS,
    cases=(
        case((2, 3)),
        case((4, 2, 3), 1),
        case((2, 3), -math.inf, keepdims=True),
        case((2, 3, 2), "nuc"),
        case((2, 3), ord=2, keepdims=True),
    ),
)
def matrix_norm(x: Any, ord: Any = "fro", axis: Any = (-2, -1), keepdims: bool = False, dtype: Any = None) -> CoreValue:
    """A norm of each matrix in a stack: 'fro', 'nuc', 2, -2, 1, -1, inf or -inf."""
    found = held(_as_float(typed(x, dtype)), ord, "matrix_norm")
    if ndim_of(found) < 2:
        raise ShapeError(f"matrix_norm needs at least two axes, not shape {fits(shape_of(found))}")
    axes = _two_axes("matrix_norm", axis, found)
    return _matrix("matrix_norm", found, _order("matrix_norm", ord), axes, bool(keepdims))


@function(
    "norm_torch",
    family="linalg",
    where="",
    also=("torch.norm", ".norm"),
    op=NORM,
    derivative=_DERIVATIVE,
    kinks=_KINKS,
    cases=(
        case((2, 3)),
        case((2, 3), 1),
        case((2, 3), 2, 1),
        case((2, 3), p=3, dim=0, keepdim=True),
        case((2, 3), "nuc"),
        case((2, 2, 3), "nuc", dim=[1, 2]),
    ),
)
def norm_torch(input: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None) -> CoreValue:
    """The p-norm of the elements over axes, Euclid's by itself; 'nuc' is the sum of a matrix's singular values."""
    found, number = held(_as_float(typed(input, dtype)), p, "norm"), _order("norm", p)
    if number == "nuc":
        axes = _two_axes("norm", tuple(range(ndim_of(found))) if dim is None else dim, found)
        return _matrix("norm", found, "nuc", axes, bool(keepdim))
    axes = axes_of("norm", dim, found)
    return p_norm(found, 2 if number in (None, "fro") else number, axes, bool(keepdim))
