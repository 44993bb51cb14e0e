"""A value taken apart along an axis: split, chunk, unbind and their like."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from gradcli.graph.bind import bind
from gradcli.graph.budget import budget
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.state import state
from gradcli.graph.values import OPERATORS, CoreValue, Shape, shape_of
from gradcli.ops.arguments import integer, integers, one_axis
from gradcli.ops.function import case
from gradcli.ops.kinds import fits
from gradcli.ops.operands import as_core
from gradcli.ops.pieces import SPLIT, UNBIND, Given, unbound
from gradcli.ops.registry import function


@function(
    family="shape",
    op=UNBIND,
    where="torch method",
    also=("numpy.unstack",),
    derivative="vjp: the cotangents stacked",
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


def _by_module(pieces: list[CoreValue]) -> Sequence[CoreValue]:
    """A tuple in PyTorch, a list in NumPy."""
    return tuple(pieces) if state.torch_semantics else pieces


_SPLITS = (case((6, 2), 3), case((6,), [2, 5]), case((2, 6), [1, -1], -1), case((4,), [3, 9]))


@function(family="shape", op=SPLIT, where="numpy", derivative="vjp: the cotangents joined", cases=_SPLITS)
def split(x: Any, indices_or_sections: Any, axis: Any = 0) -> list[CoreValue]:
    """Equal pieces along an axis, or the pieces between indices."""
    return _split_by("split", x, indices_or_sections, axis, True)


@function(
    family="shape",
    op=SPLIT,
    where="numpy",
    derivative="vjp: the cotangents joined",
    cases=(*_SPLITS, case((7, 2), 3), case((2,), 4)),
)
def array_split(x: Any, indices_or_sections: Any, axis: Any = 0) -> list[CoreValue]:
    """Pieces along an axis, as equal as they can be, or the pieces between indices."""
    return _split_by("array_split", x, indices_or_sections, axis, False)


@function(
    family="shape",
    op=SPLIT,
    where="torch method",
    derivative="vjp: the cotangents joined",
    cases=(case((7, 2), 3), case((2, 6), [2, 5], 1)),
)
def tensor_split(input: Any, indices_or_sections: Any, dim: Any = 0) -> tuple[CoreValue, ...]:
    """Pieces along an axis, as equal as they can be, or the pieces between indices."""
    return tuple(_split_by("tensor_split", input, indices_or_sections, dim, False))


@function(
    family="shape",
    op=SPLIT,
    where="numpy torch",
    also=(".hsplit@torch",),
    derivative="vjp: the cotangents joined",
    cases=(case((2, 6), 3), case((6,), [2])),
)
def hsplit(x: Any, indices_or_sections: Any) -> Sequence[CoreValue]:
    """Pieces along the second axis, or along a vector's only one."""
    x = as_core(x)
    return _by_module(_split_by("hsplit", x, indices_or_sections, 0 if len(shape_of(x)) == 1 else 1, True))


@function(
    family="shape",
    op=SPLIT,
    where="numpy torch",
    also=(".vsplit@torch",),
    derivative="vjp: the cotangents joined",
    cases=(case((6, 2), 3), case((6, 2), [2])),
)
def vsplit(x: Any, indices_or_sections: Any) -> Sequence[CoreValue]:
    """Pieces along the first axis."""
    return _by_module(_split_by("vsplit", x, indices_or_sections, 0, True))


@function(
    family="shape",
    op=SPLIT,
    where="numpy torch",
    also=(".dsplit@torch",),
    derivative="vjp: the cotangents joined",
    cases=(case((2, 1, 4), 2),),
)
def dsplit(x: Any, indices_or_sections: Any) -> Sequence[CoreValue]:
    """Pieces along the third axis."""
    return _by_module(_split_by("dsplit", x, indices_or_sections, 2, True))


@function(
    "split_torch",
    family="shape",
    op=SPLIT,
    where="",
    also=("torch.split", ".split", "torch.unsafe_split", ".unsafe_split"),
    derivative="vjp: the cotangents joined",
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
    also=("torch.unsafe_chunk", ".unsafe_chunk"),
    derivative="vjp: the cotangents joined",
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


@function(
    family="shape",
    op=SPLIT,
    where="torch method",
    also=("torch.unsafe_split_with_sizes", ".unsafe_split_with_sizes"),
    derivative="vjp: the cotangents joined",
    cases=(case((2, 5), [2, 3], 1), case((3,), [0, 3])),
)
def split_with_sizes(input: Any, split_sizes: Any, dim: Any = 0) -> tuple[CoreValue, ...]:
    """Pieces of given sizes along an axis."""
    return split_torch.call(input, list(integers(split_sizes, "split_with_sizes: a size")), dim)  # type: ignore[no-any-return]
