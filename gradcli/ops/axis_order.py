"""The order of axes: transposes, and axes moved or exchanged. The elements stay what they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import OPERATORS, CoreValue, Shape, Spec, dtype_of, shape_of
from gradcli.ops.arguments import integer, many_axes, one_axis, sizes
from gradcli.ops.function import case
from gradcli.ops.kinds import fits, linear
from gradcli.ops.operands import as_core
from gradcli.ops.registry import function


def _permuted_value(x: Any, perm: Shape) -> Any:
    lead = x.ndim - len(perm)
    return x.transpose(*range(lead), *(x.ndim + p for p in perm)) if perm else x


def _permuted_rule(x: CoreValue, perm: Shape) -> Spec:
    shape = shape_of(x)
    return Spec(shape[: len(shape) - len(perm)] + tuple(shape[p] for p in perm), dtype_of(x))


def _inverse(perm: Shape) -> Shape:
    found = [0] * len(perm)
    for i, p in enumerate(perm):
        found[p] = i - len(perm)
    return tuple(found)


def _permuting(name: str, torch: str, doc: str) -> Op:
    """An op that reorders the last axes; the spellings differ in the name of their node alone."""
    op = linear(
        name,
        _permuted_value,
        _permuted_rule,
        transpose=lambda g, x, perm: bind(op, g, perm=_inverse(perm)),
        views=True,
        torch=torch,
        moves="forward",
        doc=doc,
    )
    return op


TRANSPOSE: Op = _permuting("transpose", "Permute", "Axes in another order.")
SWAPAXES: Op = _permuting("swapaxes", "Transpose", "Two axes exchanged.")
T: Op = _permuting("t", "T", "The transpose of a matrix.")


def permuted(x: CoreValue, perm: Shape) -> CoreValue:
    """`x` with its last axes in another order; `perm` names the source axes, counted from the end."""
    return x if perm == tuple(range(-len(perm), 0)) else bind(TRANSPOSE, x, perm=perm)


def reversed_axes(x: CoreValue) -> CoreValue:
    """`x` with all its axes in reverse."""
    rank = len(shape_of(x))
    return x if rank < 2 else bind(TRANSPOSE, x, perm=tuple(range(-1, -rank - 1, -1)))


def _permutation(name: str, x: CoreValue, axes: Sequence[Any]) -> Shape:
    """A full order of the axes of `x`, given one by one or as one list; none at all is their reverse."""
    if not axes or (len(axes) == 1 and axes[0] is None):
        return tuple(range(-1, -x.ndim - 1, -1))
    perm = many_axes(name, sizes(name, axes), x.shape)
    if len(perm) != x.ndim:
        raise ShapeError(f"{name}: {len(perm)} axes are given for shape {fits(x.shape)}", mend="name every axis once")
    return perm


_TRANSPOSES = (
    case((2, 3)),
    case((2, 3, 4)),
    case((2, 3, 4), [2, 0, 1]),
    case((2, 3, 4), [-1, 0, -2]),
    case((3,)),
    case(()),
    case((0, 2)),
)


@function(
    family="shape",
    op=TRANSPOSE,
    where="numpy",
    also=(".transpose@numpy", "torch.permute", ".permute", "numpy.permute_dims"),
    derivative="vjp: g with its axes put back",
    views=True,
    cases=_TRANSPOSES,
)
def transpose(x: Any, *order: Any, axes: Any = None, dims: Any = None) -> CoreValue:
    """Axes in another order, by default in reverse."""
    x = as_core(x)
    named = dims if axes is None else axes
    return bind(TRANSPOSE, x, perm=_permutation("transpose", x, order if named is None else (named,)))


@function(
    family="shape",
    op=SWAPAXES,
    also=("torch.transpose", ".transpose@torch", "torch.swapdims", ".swapdims"),
    derivative="vjp: g with its axes exchanged back",
    views=True,
    cases=(case((2, 3, 4), 0, 2), case((2, 3, 4), -1, 1), case((2, 3), 0, 0)),
)
def swapaxes(x: Any, dim0: Any = None, dim1: Any = None, axis1: Any = None, axis2: Any = None) -> CoreValue:
    """Two axes exchanged."""
    x = as_core(x)
    named = (dim0, dim1) if axis2 is None else (dim0 if axis1 is None else axis1, axis2)
    first, second = (one_axis("swapaxes", axis, x.shape) for axis in named)
    perm = list(range(-x.ndim, 0))
    perm[first], perm[second] = perm[second], perm[first]
    return bind(SWAPAXES, x, perm=tuple(perm))


@function(
    family="shape",
    op=TRANSPOSE,
    also=("torch.movedim", ".movedim"),
    derivative="vjp: g with its axes moved back",
    views=True,
    cases=(case((2, 3, 4), 0, -1), case((2, 3, 4), [0, 1], [-1, 0]), case((2, 3), -1, 0)),
)
def moveaxis(x: Any, source: Any, destination: Any) -> CoreValue:
    """Some axes moved to other places, the rest in their order."""
    x = as_core(x)
    froms, tos = many_axes("moveaxis", source, x.shape), many_axes("moveaxis", destination, x.shape)
    if len(froms) != len(tos):
        raise ArgumentError(f"moveaxis: {len(froms)} axes can't go to {len(tos)} places")
    placed = dict(zip(tos, froms, strict=True))
    rest = iter([a for a in range(-x.ndim, 0) if a not in froms])
    return permuted(x, tuple(placed[i] if i in placed else next(rest) for i in range(-x.ndim, 0)))


@function(
    family="shape",
    op=TRANSPOSE,
    where="numpy",
    derivative="vjp: g with its axes moved back",
    views=True,
    cases=(case((2, 3, 4), 2), case((2, 3, 4), 0, 3), case((2, 3, 4), -1, 1), case((2, 3), 1, -2), case((2, 3), 0, 1)),
)
def rollaxis(x: Any, axis: Any, start: Any = 0) -> CoreValue:
    """One axis moved until it stands before another, or behind all."""
    x = as_core(x)
    rank = x.ndim
    source = rank + one_axis("rollaxis", axis, x.shape)
    target = integer(start, "rollaxis: the start")
    if not -rank <= target <= rank:
        raise ShapeError(f"rollaxis: there is no place {target} among the axes of shape {fits(x.shape)}")
    target += rank if target < 0 else 0
    rest = [i for i in range(rank) if i != source]
    rest.insert(target - 1 if source < target else target, source)
    return permuted(x, tuple(i - rank for i in rest))


@function(
    "T",
    family="shape",
    op=TRANSPOSE,
    where="",
    also=("@T",),
    derivative="vjp: g transposed",
    views=True,
    cases=(case((2, 3)), case((3,))),
)
def transposed(x: Any) -> CoreValue:
    """Axes in reverse: of a matrix, its transpose."""
    return bind(TRANSPOSE, x, perm=tuple(range(-1, -x.ndim - 1, -1)))


def matrices_transposed(x: CoreValue, name: str = "mT") -> CoreValue:
    """The last two axes of `x` exchanged.

    Raises:
        ShapeError: it has fewer.
    """
    if x.ndim < 2:
        raise ShapeError(f"{name} needs at least two axes, not shape {fits(x.shape)}")
    return bind(SWAPAXES, x, perm=(-1, -2))


@function(
    "mT",
    family="shape",
    op=SWAPAXES,
    where="",
    also=("@mT", "numpy.matrix_transpose", "numpy.linalg.matrix_transpose"),
    derivative="vjp: g transposed",
    views=True,
    cases=(case((2, 3)), case((4, 2, 3))),
)
def matrix_transpose(x: Any) -> CoreValue:
    """The transpose of a matrix, or of each in a stack."""
    return matrices_transposed(as_core(x))


@function(
    "mH",
    family="shape",
    where="",
    also=("@mH", "@H", "torch.adjoint", ".adjoint"),
    derivative="vjp: the conjugate transpose of g",
    views=True,
    cases=(case((2, 3)), case(np.array([[1.0 + 2.0j, -0.5j]]))),
)
def adjoint(x: Any) -> CoreValue:
    """The conjugate transpose of a matrix, or of each in a stack."""
    x = matrices_transposed(as_core(x), "mH")
    return OPERATORS["conj"](x) if x.dtype.kind == "c" else x


@function(
    "t",
    family="shape",
    op=T,
    where="torch method",
    derivative="vjp: g transposed",
    views=True,
    cases=(case((2, 3)), case((3,)), case(())),
)
def t(input: Any) -> CoreValue:
    """The transpose of a matrix; a vector is itself."""
    x = as_core(input)
    if x.ndim > 2:
        raise ShapeError(
            f"t() expects a tensor with at most 2 axes, but got shape {fits(x.shape)}",
            mend="name the axes: transpose(0, 1)",
        )
    return bind(T, x, perm=tuple(range(-1, -x.ndim - 1, -1)))
