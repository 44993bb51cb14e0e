"""Diagonals and triangles of matrices: diag, diagonal, trace, tril, triu."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Shape, Spec, count_of, dtype_of, shape_of
from gradcli.ops.arguments import dtype_named, integer, many_axes
from gradcli.ops.casts import cast
from gradcli.ops.function import case
from gradcli.ops.kinds import expanded, fits, linear
from gradcli.ops.operands import as_core
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped

Plane = tuple[int, int]


def _length(rows: int, columns: int, offset: int) -> int:
    """How many elements the diagonal of a matrix has."""
    return max(0, min(rows + min(offset, 0), columns - max(offset, 0)))


# --- the ops ---------------------------------------------------------------------------------------------------------


def _without_plane(shape: Shape, axes: Plane) -> Shape:
    return tuple(n for i, n in enumerate(shape) if i - len(shape) not in axes)


def _diagonal_rule(x: CoreValue, offset: int, axes: Plane) -> Spec:
    shape = shape_of(x)
    length = _length(shape[axes[0]], shape[axes[1]], offset)
    return Spec((*_without_plane(shape, axes), length), dtype_of(x))


def _diagonal_transpose(g: CoreValue, x: CoreValue, offset: int, axes: Plane) -> CoreValue:
    plane = (shape_of(x)[axes[0]], shape_of(x)[axes[1]])
    return bind(DIAG_EMBED, g, offset=offset, axes=axes, plane=plane)


def _embed_value(x: Any, offset: int, axes: Plane, plane: Plane) -> Any:
    made = np.zeros((*x.shape[:-1], *plane), x.dtype)
    places = np.arange(x.shape[-1])
    made[..., places + max(-offset, 0), places + max(offset, 0)] = x
    return np.moveaxis(made, (-2, -1), axes)


def _embed_rule(x: CoreValue, offset: int, axes: Plane, plane: Plane) -> Spec:
    shape = shape_of(x)
    if shape[-1] != _length(*plane, offset):
        raise ShapeError(f"diag_embed: {shape[-1]} elements do not fill diagonal {offset} of shape {fits(plane)}")
    rest = iter(shape[:-1])
    placed = dict(zip(axes, plane, strict=True))
    rank = len(shape) + 1
    return Spec(tuple(placed[i] if i in placed else next(rest) for i in range(-rank, 0)), dtype_of(x))


DIAGONAL: Op = linear(
    "diagonal",
    lambda x, offset, axes: np.diagonal(x, offset, *axes),
    _diagonal_rule,
    transpose=_diagonal_transpose,
    views=True,
    torch="Diagonal",
    moves="forward",
    doc="The diagonal of a matrix, as the last axis.",
)
DIAG_EMBED: Op = linear(
    "diag_embed",
    _embed_value,
    _embed_rule,
    transpose=lambda g, x, offset, axes, plane: bind(DIAGONAL, g, offset=offset, axes=axes),
    torch="DiagEmbed",
    moves="forward",
    doc="A matrix of zeros with the last axis as its diagonal.",
)


def _sum_dtype(x: CoreValue) -> np.dtype[Any]:
    return np.dtype(np.int64) if dtype_of(x).kind == "b" else dtype_of(x)


def _trace_transpose(g: CoreValue, x: CoreValue, offset: int, axes: Plane) -> CoreValue:
    plane = (shape_of(x)[axes[0]], shape_of(x)[axes[1]])
    along = expanded(reshaped(g, (*shape_of(g), 1)), (*shape_of(g), _length(*plane, offset)))
    return bind(DIAG_EMBED, along, offset=offset, axes=axes, plane=plane)


TRACE: Op = linear(
    "trace",
    lambda x, offset, axes: np.diagonal(x, offset, *axes).sum(-1, dtype=_sum_dtype(x)),
    lambda x, offset, axes: Spec(_without_plane(shape_of(x), axes), _sum_dtype(x)),
    transpose=_trace_transpose,
    torch="Trace",
    moves="back",
    doc="The sum of the diagonal.",
)


def _triangle(name: str, value: Any, torch: str, doc: str) -> Op:
    op = linear(
        name,
        lambda x, k: value(x, k),
        lambda x, k: Spec(shape_of(x), dtype_of(x)),
        transpose=lambda g, x, k: bind(op, g, k=k),
        torch=torch,
        moves="forward",
        doc=doc,
    )
    return op


TRIL: Op = _triangle("tril", np.tril, "Tril", "The lower triangle, zeros above it.")
TRIU: Op = _triangle("triu", np.triu, "Triu", "The upper triangle, zeros below it.")


# --- the functions ---------------------------------------------------------------------------------------------------


def _plane(name: str, x: CoreValue, axis1: Any, axis2: Any) -> Plane:
    """Two axes of `x`, counted from the end.

    Raises:
        ShapeError: it has fewer than two, or they are the same.
    """
    if len(shape_of(x)) < 2:
        raise ShapeError(f"{name} needs a matrix, not shape {fits(shape_of(x))}")
    first, second = many_axes(name, (axis1, axis2), shape_of(x))
    return first, second


def _offset(name: str, k: Any) -> int:
    return integer(k, f"{name}: the offset")


def _embedded(x: CoreValue, offset: int, axes: Plane = (-2, -1)) -> CoreValue:
    side = shape_of(x)[-1] + abs(offset)
    return bind(DIAG_EMBED, x, offset=offset, axes=axes, plane=(side, side))


@function(
    family="linalg",
    op=DIAGONAL,
    derivative="vjp: g on the diagonal of zeros",
    views=True,
    cases=(
        case((2, 3)),
        case((3, 3), 1),
        case((3, 2), -1),
        case((2, 3, 3), 0, 1, 2),
        case((3, 2, 3), 0, 0, -1),
        case((2, 2), 5),
    ),
)
def diagonal(x: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1, dim1: Any = None, dim2: Any = None) -> CoreValue:
    """The diagonal of a matrix, or of each in a stack, as the last axis."""
    x = as_core(x)
    axes = _plane("diagonal", x, axis1 if dim1 is None else dim1, axis2 if dim2 is None else dim2)
    return bind(DIAGONAL, x, offset=_offset("diagonal", offset), axes=axes)


@function(
    "diagonal_linalg",
    family="linalg",
    where="",
    also=("numpy.linalg.diagonal", "torch.linalg.diagonal"),
    op=DIAGONAL,
    derivative="vjp: g on the diagonal of zeros",
    views=True,
    cases=(case((2, 3)), case((4, 2, 3), offset=1), case((3, 2, 2), offset=-1)),
)
def diagonal_linalg(x: Any, offset: Any = 0, dim1: Any = -2, dim2: Any = -1) -> CoreValue:
    """The diagonals of matrices, as the last axis."""
    x = as_core(x)
    return bind(DIAGONAL, x, offset=_offset("diagonal", offset), axes=_plane("diagonal", x, dim1, dim2))


@function(
    family="linalg",
    op=DIAGONAL,
    derivative="vjp: of a vector the diagonal of g, of a matrix g on the diagonal of zeros",
    cases=(case((3,)), case((3,), 1), case((2,), k=-2), case((2, 3)), case((3, 2), -1), case((0,))),
)
def diag(x: Any, k: Any = 0, diagonal: Any = None) -> CoreValue:
    """The matrix with a vector as its diagonal, or the diagonal of a matrix."""
    x = as_core(x)
    offset = _offset("diag", k if diagonal is None else diagonal)
    if len(shape_of(x)) == 1:
        return _embedded(x, offset)
    if len(shape_of(x)) != 2:
        raise ShapeError(
            f"diag takes a vector or a matrix, not shape {fits(shape_of(x))}", mend="diagonal takes stacks"
        )
    return bind(DIAGONAL, x, offset=offset, axes=(-2, -1))


@function(
    family="linalg",
    op=DIAG_EMBED,
    where="numpy torch",
    also=(".diagflat@torch",),
    derivative="vjp: the diagonal of g",
    cases=(case((3,)), case((2, 2), 1), case(())),
)
def diagflat(x: Any, k: Any = 0, offset: Any = None) -> CoreValue:
    """The matrix with all elements, in order, as its diagonal."""
    x = as_core(x)
    return _embedded(reshaped(x, (count_of(shape_of(x)),)), _offset("diagflat", k if offset is None else offset))


@function(
    family="linalg",
    op=DIAG_EMBED,
    where="torch method",
    derivative="vjp: the diagonal of g",
    cases=(case((3,)), case((2, 3), 1), case((2, 3), 0, 0, 2)),
)
def diag_embed(input: Any, offset: Any = 0, dim1: Any = -2, dim2: Any = -1) -> CoreValue:
    """Matrices with the last axis as their diagonals."""
    x = as_core(input)
    if not shape_of(x):
        raise ShapeError("diag_embed needs at least one axis")
    by = _offset("diag_embed", offset)
    first, second = many_axes("diag_embed", (dim1, dim2), (*shape_of(x), 1))
    return _embedded(x, by, (first, second))


@function(
    family="linalg",
    op=TRACE,
    derivative="vjp: g on the diagonal of zeros",
    cases=(case((3, 3)), case((2, 3), 1), case((3, 2), -1), case((2, 3, 3), 0, 1, 2), case((0, 0))),
)
def trace(x: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1) -> CoreValue:
    """The sum of the diagonal."""
    x = as_core(x)
    return bind(TRACE, x, offset=_offset("trace", offset), axes=_plane("trace", x, axis1, axis2))


@function(
    "trace_linalg",
    family="linalg",
    where="",
    also=("numpy.linalg.trace",),
    op=TRACE,
    derivative="vjp: g on the diagonal of zeros",
    cases=(case((3, 3)), case((4, 2, 3), offset=1)),
)
def trace_linalg(x: Any, offset: Any = 0, dtype: Any = None) -> CoreValue:
    """The sums of the diagonals of matrices."""
    x = as_core(x) if dtype is None else cast(as_core(x), dtype_named(dtype))
    return bind(TRACE, x, offset=_offset("trace", offset), axes=_plane("trace", x, -2, -1))


_TRIANGLES = (case((3, 3)), case((2, 3), 1), case((3, 2), -1), case((2, 3, 3)), case((0, 2)))


def _triangular(op: Op, x: Any, k: Any) -> CoreValue:
    x = as_core(x)
    if len(shape_of(x)) < 2:
        raise ShapeError(f"{op.name} needs a matrix, not shape {fits(shape_of(x))}")
    return bind(op, x, k=_offset(op.name, k))


@function(family="linalg", op=TRIL, derivative="vjp: tril(g)", cases=_TRIANGLES)
def tril(x: Any, k: Any = 0, diagonal: Any = None) -> CoreValue:
    """The lower triangle of a matrix, zeros above it."""
    return _triangular(TRIL, x, k if diagonal is None else diagonal)


@function(family="linalg", op=TRIU, derivative="vjp: triu(g)", cases=_TRIANGLES)
def triu(x: Any, k: Any = 0, diagonal: Any = None) -> CoreValue:
    """The upper triangle of a matrix, zeros below it."""
    return _triangular(TRIU, x, k if diagonal is None else diagonal)
