"""Indices as programs write them, read into templates (see `gradcli.ops.index_template`)."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.budget import budget
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.state import state
from gradcli.graph.values import CoreValue, Shape, Value, shape_of
from gradcli.ops.arguments import integer, settled
from gradcli.ops.casts import ASTYPE
from gradcli.ops.index_template import ALL, ARRAY, Template, out_of_range
from gradcli.ops.kinds import fits
from gradcli.ops.operands import as_core
from gradcli.ops.shape import reshaped


class _Reader:
    """Takes an index apart, entry by entry, against the shape of what it indexes.

    Attributes:
        shape: of the value, with an axis of length 1 for every mask without axes.
        template, arrays: the index so far.
        unique: whether one mask alone made the arrays, so that no element is named twice.
    """

    __slots__ = ("_asked", "_masks", "arrays", "shape", "template")

    def __init__(self, shape: Shape) -> None:
        self.shape = shape
        self.template: list[Any] = []
        self.arrays: list[CoreValue] = []
        self._masks: list[int] = []

    def read(self, index: Any) -> None:
        entries = [_entry(e) for e in (index if isinstance(index, tuple) else (index,))]
        self._asked = sum(_consumes(e) for e in entries)
        if self._asked > len(self.shape):
            axes = "axis" if len(self.shape) == 1 else "axes"
            if state.torch_semantics and self.shape:
                raise ShapeError(f"too many indices for tensor of dimension {len(self.shape)}")
            raise ShapeError(
                f"too many indices: shape {fits(self.shape)} has {len(self.shape)} {axes}, "
                f"the index asks for {self._asked}"
            )
        if sum(1 for e in entries if e is ...) > 1:
            raise ArgumentError("an index can only have one ellipsis ('...')")
        rank = len(self.shape)
        for entry in entries:
            if entry is ...:
                self._fill(rank - self._asked)
            else:
                self._take(entry)
        self._fill(len(self.shape) - self._axis)

    @property
    def unique(self) -> bool:
        return self._masks == [len(self.arrays)]

    @property
    def _axis(self) -> int:
        return sum(1 for e in self.template if e is not None and e is not ...)

    def _fill(self, count: int) -> None:
        # An ellipsis that stands for nothing still stands between the arrays around it.
        self.template.extend([ALL] * count if count else [...] if ... not in self.template else [])

    def _take(self, entry: Any) -> None:
        if entry is None or isinstance(entry, slice):
            self.template.append(entry)
        elif isinstance(entry, int):
            axis = self._axis
            if not -self.shape[axis] <= entry < self.shape[axis]:
                raise out_of_range(entry, axis, self.shape)
            self.template.append(entry)
        elif entry.dtype.kind == "b":
            self._take_mask(entry)
        else:
            self.template.append(ARRAY)
            self.arrays.append(entry)

    def _take_mask(self, mask: CoreValue) -> None:
        axis, rank = self._axis, len(shape_of(mask))
        if rank == 0:  # it counts as a mask over a new axis of length 1
            self.shape = (*self.shape[:axis], 1, *self.shape[axis:])
            mask, rank = reshaped(mask, (1,)), 1
        covered = self.shape[axis : axis + rank]
        if shape_of(mask) != covered:
            raise ShapeError(
                _torch_misfit(shape_of(mask), covered, axis)
                if state.torch_semantics and len(covered) == rank
                else f"a mask of shape {fits(shape_of(mask))} does not fit shape {fits(self.shape)}",
                mend=f"it would have to be {fits(covered)}",
            )
        self._masks.append(rank)
        self.template.extend([ARRAY] * rank)
        self.arrays.extend(np.nonzero(settled(mask)))


def _torch_misfit(mask: Shape, covered: Shape, axis: int) -> str:
    """PyTorch's words for a mask of another shape than the axes that it stands for."""
    at = next(i for i, (m, n) in enumerate(zip(mask, covered, strict=True)) if m != n)
    return (
        f"The shape of the mask {fits(mask)} at index {at} does not match the shape of the indexed tensor "
        f"{fits(covered)} at index {axis + at}"
    )


def _consumes(entry: Any) -> int:
    """How many axes an entry speaks of."""
    if entry is None or entry is ...:
        return 0
    if isinstance(entry, int | slice) or entry.dtype.kind != "b":
        return 1
    return len(shape_of(entry))


def _entry(entry: Any) -> Any:
    """One part of an index as None, `...`, a slice of integers, an integer, or an array of integers or bools."""
    if entry is None or entry is ...:
        return entry
    if isinstance(entry, slice):
        return _slice(entry)
    if isinstance(entry, bool):
        return np.asarray(entry)
    if isinstance(entry, int):
        return entry
    if isinstance(entry, range):
        budget.charge(8 * len(entry), "an index")
        return np.arange(entry.start, entry.stop, entry.step)
    if isinstance(entry, list | tuple):
        entry = as_core(entry) if len(entry) else np.zeros(0, np.int64)
    if isinstance(entry, Value | np.ndarray | np.generic):
        return _index_array(entry)
    return integer(entry, "an index")


def _slice(entry: slice) -> slice:
    ends = [None if e is None else integer(e, "the end of a slice") for e in (entry.start, entry.stop, entry.step)]
    if ends[2] == 0:
        raise ArgumentError("the step of a slice can't be 0")
    return slice(*ends)


def _index_array(x: CoreValue) -> Any:
    kind = x.dtype.kind
    if kind in "iu":
        if not len(shape_of(x)) and not isinstance(x, Value):
            return int(x)
        return x
    if kind != "b" and not len(shape_of(x)):
        return integer(x, "an index")
    return x if kind == "b" else _rounded("an index", x, "integers, slices, masks and integer arrays are indices")


def _rounded(what: str, x: CoreValue, mend: str) -> CoreValue:
    """Floats, all of them whole numbers, as integers."""
    found = settled(x)
    if found.dtype.kind != "f" or not np.all(found == np.floor(found)):
        raise ArgumentError(f"{what} must be an integer", mend=mend)
    return bind(ASTYPE, x, dtype=np.dtype(np.int64)) if isinstance(x, Value) else found.astype(np.int64)


def whole_numbers(name: str, x: Any) -> CoreValue:
    """An argument as indices; an empty list is one of no indices.

    Raises:
        ArgumentError: they are no integers.
    """
    found = as_core(x)
    if found.dtype.kind in "iu":
        return found
    if found.dtype.kind == "b":
        raise ArgumentError(f"{name}: an index must be an integer, not a bool", mend="masked_select takes masks")
    return _rounded(f"{name}: an index", found, "whole numbers are indices")


def selected_first(index: Any) -> tuple[tuple[Any, ...], tuple[Any, ...]] | None:
    """An index of integers and arrays as two, the integers first, which is how PyTorch reads it; None for any other.

    NumPy counts the integers as arrays, which may put the arrays' axes elsewhere.
    """
    if type(index) is not tuple or not any(_is_integer(e) for e in index):
        return None
    if not any(isinstance(e, list) or getattr(e, "ndim", 0) for e in index):
        return None
    first: list[Any] = []
    for entry in index:
        if entry is ... or _is_integer(entry):
            first.append(entry)
        elif entry is not None:
            is_mask = getattr(getattr(entry, "dtype", None), "kind", "") == "b"
            first.extend([ALL] * (entry.ndim if is_mask else 1))
    return tuple(first), tuple(e for e in index if not _is_integer(e))


def _is_integer(entry: Any) -> bool:
    if isinstance(entry, int):
        return not isinstance(entry, bool)
    return hasattr(entry, "dtype") and entry.ndim == 0 and entry.dtype.kind in "iu"


def _basic(shape: Shape, index: Any) -> Template | None:
    """The template of an index of integers and slices alone, which most are; None for any other, or a wrong one."""
    entries = index if type(index) is tuple else (index,)
    if len(entries) > len(shape):
        return None
    for entry, length in zip(entries, shape, strict=False):
        if type(entry) is slice:
            if not (_is_end(entry.start) and _is_end(entry.stop) and _is_end(entry.step)) or entry.step == 0:
                return None
        elif type(entry) is not int or not -length <= entry < length:
            return None
    return entries + (ALL,) * (len(shape) - len(entries))


def _is_end(x: Any) -> bool:
    return x is None or type(x) is int


def read_index(shape: Shape, index: Any) -> tuple[Shape, Template, list[CoreValue], bool]:
    """An index as (shape to give the value first, template, index arrays, whether no element is named twice).

    Raises:
        ShapeError: it is out of range, too long, or a mask does not fit.
        ArgumentError: something in it is no index.
    """
    basic = _basic(shape, index)
    if basic is not None:
        return shape, basic, [], False
    reader = _Reader(shape)
    reader.read(index)
    if reader.arrays:
        return reader.shape, tuple(reader.template), reader.arrays, reader.unique
    return reader.shape, tuple(e for e in reader.template if e is not ...), [], False
