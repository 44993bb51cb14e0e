"""Ops that join values into one, and those that take one apart: concatenate and split, stack and unbind."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.budget import budget
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.state import state
from gradcli.graph.values import OPERATORS, CoreValue, Shape, Spec, Value, dtype_of, shape_of
from gradcli.ops.arguments import integer, integers, one_axis
from gradcli.ops.function import case
from gradcli.ops.kinds import fits, linear
from gradcli.ops.operands import as_core
from gradcli.ops.registry import function

# --- the ops ---------------------------------------------------------------------------------------------------------


def _all_batched(
    op_of: Any, xs: Sequence[CoreValue], batched: Sequence[bool], params: dict[str, Any], size: int
) -> CoreValue:
    """An op of many operands, each of which needs the batch axis."""
    spread = OPERATORS["broadcast_to"]
    whole = [x if flag else spread(x, (size, *shape_of(x))) for x, flag in zip(xs, batched, strict=True)]
    return bind(op_of(), *whole, **params)


def _listed(shapes: Sequence[Shape]) -> str:
    shown = list(dict.fromkeys(fits(s) for s in shapes))
    return " and ".join(shown[:4]) + (" and others" if len(shown) > 4 else "")


def _torch_misfit(shapes: Sequence[Shape], axis: int) -> str:
    """PyTorch's words for the first shape that can't be joined to the first of all along an axis."""
    first = shapes[0]
    for at, shape in enumerate(shapes):
        if len(shape) != len(first):
            return f"Tensors must have same number of dimensions: got {len(first)} and {len(shape)}"
        for i, (m, n) in enumerate(zip(first, shape, strict=True)):
            if i != axis and m != n:
                return (
                    f"Sizes of tensors must match except in dimension {axis}. Expected size {m} but got size {n} for "
                    f"tensor number {at} in the list."
                )
    raise AssertionError("the shapes can be joined")


def _concatenate_rule(*xs: CoreValue, axis: int) -> Spec:
    shapes = [shape_of(x) for x in xs]
    first = shapes[0]
    for s in shapes:
        at = len(s) + axis
        if len(s) != len(first) or s[:at] + s[at + 1 :] != first[:at] + first[at + 1 :]:
            raise ShapeError(
                _torch_misfit(shapes, len(first) + axis)
                if state.torch_semantics
                else f"concatenate cannot join shapes {_listed(shapes)} along axis {len(first) + axis}",
                mend="all other axes must be equal",
            )
    at = len(first) + axis
    total = sum(s[axis] for s in shapes)
    return Spec((*first[:at], total, *first[at + 1 :]), np.result_type(*(dtype_of(x) for x in xs)))


def _split_value(x: Any, axis: int, lengths: Shape) -> Any:
    at = x.ndim + axis
    parts, start = [], 0
    for length in lengths:
        parts.append(x[(slice(None),) * at + (slice(start, start + length),)])
        start += length
    return tuple(parts)


def _split_rule(x: CoreValue, axis: int, lengths: Shape) -> tuple[Spec, ...]:
    shape = shape_of(x)
    at = len(shape) + axis
    return tuple(Spec((*shape[:at], n, *shape[at + 1 :]), dtype_of(x)) for n in lengths)


def _present(parts: Sequence[CoreValue | None], specs: Sequence[Spec]) -> list[CoreValue]:
    """Cotangents with zeros for those that did not come."""
    return [np.zeros(s.shape, s.dtype) if p is None else p for p, s in zip(parts, specs, strict=True)]


class Given(tuple[int, ...]):
    """Lengths of pieces that were listed one by one: to PyTorch another function than pieces of one length."""

    __slots__ = ()


CONCATENATE: Op = linear(
    "concatenate",
    lambda *xs, axis: np.concatenate(xs, axis),
    _concatenate_rule,
    transpose=lambda g, *xs, axis: bind(SPLIT, g, axis=axis, lengths=tuple(shape_of(x)[axis] for x in xs)),
    batch=lambda *given: _all_batched(lambda: CONCATENATE, *given),
    operands=None,
    promotes=True,
    torch="Cat",
    doc="Values joined along an axis that they have.",
)
SPLIT: Op = linear(
    "split",
    _split_value,
    _split_rule,
    transpose=lambda gs, x, axis, lengths: bind(CONCATENATE, *_present(gs, _split_rule(x, axis, lengths)), axis=axis),
    views=True,
    torch=lambda operands, params: f"Split{'WithSizes' if type(params['lengths']) is Given else ''}Backward0",
    doc="Pieces of a value along an axis.",
)


def _stack_rule(*xs: CoreValue, axis: int) -> Spec:
    shapes = [shape_of(x) for x in xs]
    if any(s != shapes[0] for s in shapes):
        at, other = next((i, s) for i, s in enumerate(shapes) if s != shapes[0])
        torch = f"stack expects each tensor to be equal size, but got {fits(shapes[0])} at entry 0 and {fits(other)} "
        raise ShapeError(
            f"{torch}at entry {at}" if state.torch_semantics else f"stack cannot join shapes {_listed(shapes)}",
            mend="all must be equal",
        )
    at = len(shapes[0]) + 1 + axis
    joined = (*shapes[0][:at], len(xs), *shapes[0][at:])
    return Spec(joined, np.result_type(*(dtype_of(x) for x in xs)))


def _unbind_value(x: Any, axis: int) -> Any:
    # The ellipsis keeps a piece without axes an array.
    at = (slice(None),) * (x.ndim + axis)
    return tuple(x[(*at, i, ...)] for i in range(x.shape[axis]))


def _unbind_rule(x: CoreValue, axis: int) -> tuple[Spec, ...]:
    shape = shape_of(x)
    at = len(shape) + axis
    return (Spec(shape[:at] + shape[at + 1 :], dtype_of(x)),) * shape[axis]


STACK: Op = linear(
    "stack",
    lambda *xs, axis: np.stack(xs, axis),
    _stack_rule,
    transpose=lambda g, *xs, axis: bind(UNBIND, g, axis=axis),
    batch=lambda *given: _all_batched(lambda: STACK, *given),
    operands=None,
    promotes=True,
    torch="Stack",
    doc="Values of one shape joined along a new axis.",
)
UNBIND: Op = linear(
    "unbind",
    _unbind_value,
    _unbind_rule,
    transpose=lambda gs, x, axis: bind(STACK, *_present(gs, _unbind_rule(x, axis)), axis=axis),
    views=True,
    torch="Unbind",
    doc="A value taken apart along an axis, which goes.",
)


# --- joining ---------------------------------------------------------------------------------------------------------


def _parts(name: str, xs: Any) -> list[CoreValue]:
    """The values to join, at least one.

    Raises:
        ArgumentError: there are none, or this is no list of values.
    """
    if isinstance(xs, Value | np.ndarray):
        xs = list(unbound(xs, 0)) if xs.ndim else [xs]
    if not isinstance(xs, list | tuple):
        raise ArgumentError(f"{name} takes a list of tensors", mend=f"write {name}([a, b])")
    if not xs:
        raise ArgumentError(f"{name} needs at least one tensor")
    return [as_core(x) for x in xs]


def concatenated(xs: Sequence[CoreValue], axis: int) -> CoreValue:
    """Values joined along an axis that they have."""
    rank = len(shape_of(xs[0]))
    return bind(CONCATENATE, *xs, axis=axis - rank if axis >= 0 else axis)


def stacked(xs: Sequence[CoreValue], axis: int) -> CoreValue:
    """Values of one shape joined along a new axis."""
    rank = len(shape_of(xs[0])) + 1
    return bind(STACK, *xs, axis=axis - rank if axis >= 0 else axis)


_PAIR = [np.array([[0.5, -1.5, 2.0], [1.0, 0.25, -0.75]]), np.array([[3.0, -0.5, 1.5], [0.125, -2.0, 1.0]])]
_ROWS = [np.array([[0.5, -1.5, 2.0]]), np.zeros((0, 3)), np.array([[1.0, 0.25, -0.75], [3.0, -0.5, 1.5]])]
_VECTORS = [np.array([0.5, -1.5, 2.0]), np.array([1.0, 0.25, -0.75])]
_SCALARS = [np.array(0.5), np.array(-1.5)]


@function(
    family="shape",
    op=CONCATENATE,
    where="numpy torch",
    also=("torch.cat", "torch.concat", "numpy.concat"),
    derivative="split g",
    cases=(
        case(_PAIR),
        case(_PAIR, -1),
        case(_ROWS, axis=0),
        case(_PAIR, axis=None),
        case(_VECTORS),
        case(_VECTORS[:1]),
    ),
)
def concatenate(tensors: Any, axis: Any = 0) -> CoreValue:
    """Values joined along an axis that they have."""
    parts = _parts("concatenate", tensors)
    if axis is None:
        parts, axis = [OPERATORS["reshape"](p, (_count(p),)) for p in parts], 0
    shapes = [shape_of(p) for p in parts]
    if () in shapes:
        raise ShapeError("concatenate cannot join values without axes", mend="stack joins scalars")
    return bind(CONCATENATE, *parts, axis=one_axis("concatenate", axis, shapes[0]))


def _count(x: CoreValue) -> int:
    return int(x.size)


@function(
    family="shape",
    op=STACK,
    where="numpy torch",
    derivative="unbind g",
    cases=(case(_PAIR), case(_PAIR, 1), case(_PAIR, axis=-1), case(_SCALARS), case(_VECTORS[:1])),
)
def stack(tensors: Any, axis: Any = 0) -> CoreValue:
    """Values of one shape joined along a new axis."""
    parts = _parts("stack", tensors)
    return bind(STACK, *parts, axis=one_axis("stack", axis, (*shape_of(parts[0]), len(parts))))


def _raised_to(rank: int, x: CoreValue) -> CoreValue:
    """`x` with at least `rank` axes, as NumPy's atleast functions put them in."""
    s = shape_of(x)
    if len(s) >= rank:
        return x
    if rank < 3:
        return OPERATORS["reshape"](x, (1,) * (rank - len(s)) + s)
    return OPERATORS["reshape"](x, (*s, 1) if len(s) == 2 else (1, *(s or (1,)), 1))


@function(
    family="shape",
    op=CONCATENATE,
    where="numpy torch",
    derivative="split g",
    cases=(case(_PAIR), case(_VECTORS), case(_SCALARS)),
)
def hstack(tensors: Any) -> CoreValue:
    """Values joined side by side: vectors end to end, matrices along their columns."""
    parts = [_raised_to(1, p) for p in _parts("hstack", tensors)]
    return concatenated(parts, 0 if len(shape_of(parts[0])) == 1 else 1)


@function(
    family="shape",
    op=CONCATENATE,
    where="numpy torch",
    also=("numpy.row_stack", "torch.row_stack"),
    derivative="split g",
    cases=(case(_PAIR), case(_VECTORS), case(_SCALARS)),
)
def vstack(tensors: Any) -> CoreValue:
    """Values joined on top of each other; vectors become rows."""
    return concatenated([_raised_to(2, p) for p in _parts("vstack", tensors)], 0)


@function(
    family="shape", op=CONCATENATE, where="numpy torch", derivative="split g", cases=(case(_PAIR), case(_VECTORS))
)
def dstack(tensors: Any) -> CoreValue:
    """Values joined along a third axis."""
    return concatenated([_raised_to(3, p) for p in _parts("dstack", tensors)], 2)


@function(
    family="shape",
    op=CONCATENATE,
    where="numpy torch",
    derivative="split g",
    cases=(case(_PAIR), case(_VECTORS), case([*_PAIR, np.array([1.5, -0.5])])),
)
def column_stack(tensors: Any) -> CoreValue:
    """Values joined side by side; vectors become columns."""
    return concatenated([_as_columns(p) for p in _parts("column_stack", tensors)], 1)


def _as_columns(x: CoreValue) -> CoreValue:
    return OPERATORS["reshape"](x, (_count(x), 1)) if len(shape_of(x)) < 2 else x


@function(
    family="shape",
    op=CONCATENATE,
    where="numpy",
    derivative="split g",
    cases=(case((3,), (2,)), case((2, 3), (1, 3), 0)),
)
def append(x: Any, values: Any, axis: Any = None) -> CoreValue:
    """Values joined to the end of another."""
    return concatenate.call([x, values], axis)


# --- taking apart ----------------------------------------------------------------------------------------------------


def unbound(x: CoreValue, axis: int) -> tuple[CoreValue, ...]:
    """The pieces of `x` along an axis, which goes."""
    shape = shape_of(x)
    axis = axis - len(shape) if axis >= 0 else axis
    return bind(UNBIND, x, axis=axis) if shape[axis] else ()


@function(
    family="shape",
    op=UNBIND,
    where="torch method",
    also=("numpy.unstack",),
    derivative="stack the cotangents",
    cases=(case((2, 3)), case((2, 3), 1), case((2, 3), -1), case((3,)), case((0, 2))),
)
def unbind(input: Any, dim: Any = 0) -> tuple[CoreValue, ...]:
    """A value taken apart along an axis, which goes."""
    x = as_core(input)
    return unbound(x, one_axis("unbind", dim, shape_of(x)))


def _pieces(x: CoreValue, axis: int, lengths: Shape) -> tuple[CoreValue, ...]:
    return bind(SPLIT, x, axis=axis, lengths=lengths) if lengths else ()


def _even(total: int, sections: int) -> Shape:
    """Lengths of as equal sections as there can be, the longer ones first."""
    budget.charge(200 * sections, "array_split")
    base, extra = divmod(total, sections)
    return (base + 1,) * extra + (base,) * (sections - extra)


def _cut(x: CoreValue, axis: int, points: Shape) -> tuple[CoreValue, ...]:
    """Pieces of `x` between cut points, which are read as the ends of slices are."""
    total = shape_of(x)[axis]
    bounds = [0, *(slice(None, p).indices(total)[1] for p in points), total]
    if bounds == sorted(bounds):
        return _pieces(x, axis, tuple(b - a for a, b in pairwise(bounds)))
    rest = (slice(None),) * (-axis - 1)
    return tuple(OPERATORS["[]"](x, (..., slice(a, b), *rest)) for a, b in pairwise(bounds))


def _split_by(name: str, x: Any, given: Any, axis: Any, exact: bool) -> list[CoreValue]:
    """NumPy's split: into a number of sections, or at indices."""
    x = as_core(x)
    shape = shape_of(x)
    at = one_axis(name, axis, shape)
    if isinstance(given, list | tuple) or getattr(given, "ndim", 0) > 0:
        return list(_cut(x, at, integers(given, f"{name}: an index")))
    sections = integer(given, f"{name}: the number of sections")
    if sections < 1:
        raise ArgumentError(f"{name}: the number of sections must be at least 1, not {sections}")
    if exact and shape[at] % sections:
        raise ShapeError(
            f"{name} cannot divide axis {at + len(shape)} of shape {fits(shape)} into {sections} equal parts",
            mend="array_split takes unequal ones",
        )
    return list(_pieces(x, at, _even(shape[at], sections)))


_SPLITS = (case((6, 2), 3), case((6,), [2, 5]), case((2, 6), [1, -1], -1), case((4,), [3, 9]))


@function(family="shape", op=SPLIT, where="numpy", derivative="concatenate the cotangents", cases=_SPLITS)
def split(x: Any, indices_or_sections: Any, axis: Any = 0) -> list[CoreValue]:
    """Equal pieces along an axis, or the pieces between indices."""
    return _split_by("split", x, indices_or_sections, axis, True)


@function(
    family="shape",
    op=SPLIT,
    where="numpy",
    derivative="concatenate the cotangents",
    cases=(*_SPLITS, case((7, 2), 3), case((2,), 4)),
)
def array_split(x: Any, indices_or_sections: Any, axis: Any = 0) -> list[CoreValue]:
    """Pieces along an axis, as equal as they can be, or the pieces between indices."""
    return _split_by("array_split", x, indices_or_sections, axis, False)


@function(
    family="shape",
    op=SPLIT,
    where="torch method",
    derivative="concatenate the cotangents",
    cases=(case((7, 2), 3), case((2, 6), [2, 5], 1)),
)
def tensor_split(input: Any, indices_or_sections: Any, dim: Any = 0) -> tuple[CoreValue, ...]:
    """Pieces along an axis, as equal as they can be, or the pieces between indices."""
    return tuple(_split_by("tensor_split", input, indices_or_sections, dim, False))


@function(
    family="shape",
    op=SPLIT,
    where="numpy torch",
    derivative="concatenate the cotangents",
    cases=(case((2, 6), 3), case((6,), [2])),
)
def hsplit(x: Any, indices_or_sections: Any) -> list[CoreValue]:
    """Pieces along the second axis, or along a vector's only one."""
    x = as_core(x)
    return _split_by("hsplit", x, indices_or_sections, 0 if len(shape_of(x)) == 1 else 1, True)


@function(
    family="shape",
    op=SPLIT,
    where="numpy torch",
    derivative="concatenate the cotangents",
    cases=(case((6, 2), 3), case((6, 2), [2])),
)
def vsplit(x: Any, indices_or_sections: Any) -> list[CoreValue]:
    """Pieces along the first axis."""
    return _split_by("vsplit", x, indices_or_sections, 0, True)


@function(
    family="shape", op=SPLIT, where="numpy torch", derivative="concatenate the cotangents", cases=(case((2, 1, 4), 2),)
)
def dsplit(x: Any, indices_or_sections: Any) -> list[CoreValue]:
    """Pieces along the third axis."""
    return _split_by("dsplit", x, indices_or_sections, 2, True)


@function(
    "split_torch",
    family="shape",
    op=SPLIT,
    where="",
    also=("torch.split", ".split"),
    derivative="concatenate the cotangents",
    cases=(case((7, 2), 3), case((2, 5), [2, 3], 1), case((4,), 9), case((0, 2), 2)),
)
def split_torch(tensor: Any, split_size_or_sections: Any, dim: Any = 0) -> tuple[CoreValue, ...]:
    """Pieces of a size along an axis (the last may be shorter), or of the sizes in a list."""
    x = as_core(tensor)
    shape = shape_of(x)
    axis = one_axis("split", dim, shape)
    total = shape[axis]
    if isinstance(split_size_or_sections, list | tuple):
        lengths = integers(split_size_or_sections, "split: a size")
        if sum(lengths) != total or any(n < 0 for n in lengths):
            raise ShapeError(
                f"split: sizes {fits(lengths)} do not add up to axis {axis + len(shape)} of shape {fits(shape)}"
            )
        return _pieces(x, axis, Given(lengths))
    size = integer(split_size_or_sections, "split: the size")
    if size < 1:
        raise ArgumentError(f"split: the size must be at least 1, not {size}")
    full, rest = divmod(total, size)
    return _pieces(x, axis, (size,) * full + ((rest,) if rest or not total else ()))


@function(
    family="shape",
    op=SPLIT,
    where="torch method",
    derivative="concatenate the cotangents",
    cases=(case((7, 2), 3), case((2, 6), 4, -1), case((2,), 5)),
)
def chunk(input: Any, chunks: Any, dim: Any = 0) -> tuple[CoreValue, ...]:
    """A number of pieces along an axis, all but the last of one size; there may be fewer."""
    x = as_core(input)
    count = integer(chunks, "chunk: the number of chunks")
    if count < 1:
        raise ArgumentError(f"chunk: the number of chunks must be at least 1, not {count}")
    total = shape_of(x)[one_axis("chunk", dim, shape_of(x))]
    pieces: tuple[CoreValue, ...] = split_torch.call(x, max(1, -(-total // count)), dim)
    return pieces


OPERATORS["stack"] = stacked
