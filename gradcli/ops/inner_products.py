"""Inner and outer products: dot, inner, vdot, outer, tensordot. All are `matmul` or an elementwise product."""

from __future__ import annotations

from typing import Any

from gradcli.graph.bind import bind
from gradcli.graph.errors import ShapeError
from gradcli.graph.values import OPERATORS, CoreValue, count_of, ndim_of, shape_of
from gradcli.ops.arguments import integer, integers, many_axes
from gradcli.ops.axis_order import matrices_transposed, moveaxis
from gradcli.ops.function import case
from gradcli.ops.kinds import conj, fits
from gradcli.ops.operands import as_core
from gradcli.ops.products import MATMUL, check_same_dtype
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped

# --- dot, inner, vdot ------------------------------------------------------------------------------------------------


def _folded(x: CoreValue, y: CoreValue, name: str) -> CoreValue:
    """Sum over the last axis of both, every row of x with every row of y."""
    a, b = shape_of(x), shape_of(y)
    if a[-1] != b[-1]:
        raise ShapeError(
            f"{name} cannot join shapes {fits(a)} and {fits(b)}", mend=f"dimensions {a[-1]} and {b[-1]} differ"
        )
    rows, columns = reshaped(x, (count_of(a[:-1]), a[-1])), reshaped(y, (count_of(b[:-1]), b[-1]))
    return reshaped(bind(MATMUL, rows, matrices_transposed(columns)), a[:-1] + b[:-1])


_DOTS = (
    case((3,), (3,)),
    case((2, 3), (3, 2)),
    case((), (3,)),
    case((2, 3), ()),
    case((2, 3), (3,)),
    case((2, 2, 3), (4, 3, 2)),
    case((3,), (2, 3, 4)),
    case((0,), (0,)),
)


@function(family="linalg", where="numpy", also=(".dot@numpy",), derivative="vjp: g*y, x*g", cases=_DOTS)
def dot(x: Any, y: Any) -> CoreValue:
    """NumPy's dot: last axis of x with the last but one of y (the last of a vector); scalars multiply."""
    a, b = as_core(x), as_core(y)
    if not shape_of(a) or not shape_of(b):
        return OPERATORS["*"](a, b)
    if ndim_of(b) <= 2:
        return bind(MATMUL, a, b)
    if shape_of(a)[-1] != shape_of(b)[-2]:
        raise ShapeError(
            f"dot cannot join shapes {fits(shape_of(a))} and {fits(shape_of(b))}",
            mend=f"dimensions {shape_of(a)[-1]} and {shape_of(b)[-2]} differ",
        )
    return _folded(a, matrices_transposed(b), "dot")


@function(
    "dot_torch",
    family="linalg",
    where="",
    also=("torch.dot", ".dot@torch"),
    op=MATMUL,
    derivative="vjp: g*y, x*g",
    cases=(case((3,), (3,)),),
)
def dot_torch(input: Any, tensor: Any) -> CoreValue:
    """Inner product of two vectors."""
    a, b = as_core(input), as_core(tensor)
    if (ndim_of(a), ndim_of(b)) != (1, 1):
        raise ShapeError(
            f"1D tensors expected, but got {ndim_of(a)}D and {ndim_of(b)}D tensors", mend="matmul takes all ranks"
        )
    check_same_dtype(a, b)
    return bind(MATMUL, a, b)


@function(
    family="linalg",
    derivative="vjp: g times the other",
    cases=(case((3,), (3,)), case((2, 3), (3,)), case((2, 3), (4, 3)), case((), (2,))),
)
def inner(x: Any, y: Any) -> CoreValue:
    """Sum over the last axes of both."""
    a, b = as_core(x), as_core(y)
    check_same_dtype(a, b)
    if not shape_of(a) or not shape_of(b):
        return OPERATORS["*"](a, b)
    return bind(MATMUL, a, b) if ndim_of(a) == ndim_of(b) == 1 else _folded(a, b, "inner")


@function(family="linalg", derivative="vjp: g*y, x*g", cases=(case((3,), (3,)), case((2, 3), (3, 2)), case((), ())))
def vdot(x: Any, y: Any) -> CoreValue:
    """Inner product of all elements, the first conjugated."""
    a, b = _raveled(as_core(x)), _raveled(as_core(y))
    if shape_of(a) != shape_of(b):
        raise ShapeError(f"vdot cannot join {shape_of(a)[0]} and {shape_of(b)[0]} elements")
    check_same_dtype(a, b)
    return bind(MATMUL, conj(a), b)


def _raveled(x: CoreValue) -> CoreValue:
    return reshaped(x, (count_of(shape_of(x)),))


# --- outer -----------------------------------------------------------------------------------------------------------


@function(
    family="linalg",
    also=("numpy.linalg.outer", "torch.ger", ".ger"),
    derivative="vjp: g @ y, x @ g",
    cases=(case((2,), (3,)), case((0,), (2,)), case((1,), (1,))),
)
def outer(x: Any, y: Any) -> CoreValue:
    """The matrix of products x[i]*y[j] (of the elements in order, if x or y is no vector)."""
    a, b = _raveled(as_core(x)), _raveled(as_core(y))
    return OPERATORS["*"](reshaped(a, (*shape_of(a), 1)), b)


@function(
    family="linalg",
    where="numpy torch",
    also=("numpy.linalg.tensordot",),
    derivative="vjp: tensordot of g with the other",
    cases=(
        case((2, 3, 4), (3, 4, 2)),
        case((2, 3), (3, 4), axes=1),
        case((2, 3, 4), (4, 3), axes=((1, 2), (1, 0))),
        case((2,), (3,), 0),
    ),
)
def tensordot(x: Any, y: Any, axes: Any = 2, dims: Any = None) -> CoreValue:
    """Sum over pairs of axes: the last `axes` of x with the first of y, or those listed."""
    a, b = as_core(x), as_core(y)
    check_same_dtype(a, b)
    axes = axes if dims is None else dims
    if isinstance(axes, list | tuple):
        left, right = (
            many_axes("tensordot", integers(part, "tensordot: an axis"), shape_of(v))
            for part, v in zip(axes, (a, b), strict=True)
        )
    else:
        count = integer(axes, "tensordot: axes")
        left = many_axes("tensordot", tuple(range(-count, 0)), shape_of(a))
        right = many_axes("tensordot", tuple(range(count)), shape_of(b))
    if [shape_of(a)[i] for i in left] != [shape_of(b)[i] for i in right]:
        raise ShapeError(f"tensordot cannot join shapes {fits(shape_of(a))} and {fits(shape_of(b))} over {axes}")
    ends = tuple(range(-len(left), 0))
    a, b = moveaxis(a, left, ends), moveaxis(b, right, ends)
    kept = tuple(shape_of(v)[: ndim_of(v) - len(left)] for v in (a, b))
    shared = count_of(shape_of(a)[ndim_of(a) - len(left) :])
    rows, columns = reshaped(a, (count_of(kept[0]), shared)), reshaped(b, (count_of(kept[1]), shared))
    return reshaped(bind(MATMUL, rows, matrices_transposed(columns)), kept[0] + kept[1])
