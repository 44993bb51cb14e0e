"""Bags of rows of a table, each bag by its sum, its mean or its largest elements: embedding_bag."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.values import CoreValue, dtype_of, shape_of
from gradcli.ops.arguments import integers, settled
from gradcli.ops.elementwise import where
from gradcli.ops.embeddings import ROWS, ROWS_BACK, indices_for, padding_of, plainly, table_of
from gradcli.ops.function import case
from gradcli.ops.indexing import getitem
from gradcli.ops.kinds import fits
from gradcli.ops.one_node import one_node
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.picking import ARGMAX, PICKED_BACK
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped


class Bags(NamedTuple):
    """Indices in one line.

    Attributes:
        index: the rows' numbers.
        bag: which bag each is in.
        counts: which of them count, those but the padding.
        number: how many bags there are.
    """

    index: Any
    bag: Any
    counts: Any
    number: int

    @property
    def lengths(self) -> Any:
        """How many rows count in each bag."""
        return np.bincount(self.bag[self.counts], minlength=self.number)


def _starts(offsets: Any, count: int, ends: bool) -> tuple[int, ...]:
    """Where bags begin in a line of indices; with `ends`, the last of the offsets is where the last bag ends."""
    found = integers(offsets, "embedding_bag: an offset")
    if not found or found[0] != 0:
        raise ArgumentError("embedding_bag: offsets[0] has to be 0: the first bag begins there")
    if list(found) != sorted(found) or found[-1] > count:
        raise ArgumentError(f"embedding_bag: offsets rise from 0 to at most {count}, the number of indices")
    return found[:-1] if ends else found


def _bags(index: Any, offsets: Any, ends: bool, padding: int | None) -> Bags:
    if index.ndim == 2:
        if offsets is not None:
            raise ArgumentError("embedding_bag: of a matrix of indices each row is a bag; it takes no offsets")
        count, each = index.shape
        flat, bag = index.reshape(-1), np.repeat(np.arange(count), each)
    elif index.ndim == 1 and offsets is not None:
        starts = _starts(offsets, len(index), ends)
        flat, count = index, len(starts)
        bag = np.repeat(np.arange(count), np.diff(np.asarray([*starts, len(index)])))
    else:
        raise ShapeError(
            f"embedding_bag takes a matrix of indices, or a vector of them with offsets, not shape {fits(index.shape)}"
        )
    counts = np.ones(len(flat), bool) if padding is None else flat != padding
    return Bags(flat, bag, counts, count)


def _summed(rows: CoreValue, bags: Bags, mean: bool) -> CoreValue:
    found = bind(ROWS_BACK, rows, bags.bag[bags.counts], count=bags.number)
    if not mean:
        return found
    lengths = np.maximum(bags.lengths, 1).astype(dtype_of(rows))
    return found / lengths.reshape(-1, 1)


def _largest(rows: CoreValue, bags: Bags) -> CoreValue:
    """The largest elements of each bag, the first of ties; 0 of an empty one."""
    lengths = bags.lengths
    if not shape_of(rows)[0]:
        return bind(ROWS_BACK, rows, bags.bag[bags.counts], count=bags.number)
    first = np.minimum(np.concatenate([[0], np.cumsum(lengths)[:-1]]), shape_of(rows)[0] - 1)
    steps = np.arange(int(lengths.max()))
    seen = getitem.call(rows, first[:, None] + np.where(steps < lengths[:, None], steps, 0))
    found = bind(PICKED_BACK, seen, bind(ARGMAX, seen, axis=-2), axis=-2)
    flat = reshaped(found, (bags.number, shape_of(rows)[1]))
    return where((lengths > 0)[:, None], flat, np.zeros((), dtype_of(rows)))


@function(
    family="indexing",
    where="F",
    derivative="vjp: g, or g over the bag's length, or g at the largest elements, added up by the indices",
    kinks="mode max, ties: the first row has all of the derivative, as in PyTorch",
    cases=(
        case(np.array([[2, 0], [1, 1]]), (3, 2)),
        case(np.array([2, 0, 1, 1]), (3, 2), np.array([0, 3]), mode="sum"),
        case(np.array([2, 0, 1, 1]), (3, 2), np.array([0, 0, 1]), mode="max"),
        case(np.array([2, 0, 1, 3]), (4, 2), np.array([0, 3, 4]), include_last_offset=True, padding_idx=0),
        case(np.array([[2, 0], [1, 3]]), (4, 2), mode="sum", per_sample_weights=np.array([[0.5, 2.0], [1.5, -1.0]])),
        case(np.array([[2, 0], [0, 0]]), (4, 2), mode="max", padding_idx=0),
    ),
)
def embedding_bag(
    input: Any,
    weight: Any,
    offsets: Any = None,
    max_norm: Any = None,
    norm_type: Any = 2.0,
    scale_grad_by_freq: Any = False,
    mode: Any = "mean",
    sparse: Any = False,
    per_sample_weights: Any = None,
    include_last_offset: Any = False,
    padding_idx: Any = None,
) -> CoreValue:
    """Bags of rows of a table, by their mean, sum or largest elements; a bag is a row of indices, or starts at an
    offset."""
    plainly("embedding_bag", max_norm, scale_grad_by_freq)
    if mode not in ("sum", "mean", "max"):
        raise ArgumentError(f"embedding_bag: mode is 'sum', 'mean' or 'max', not {str(mode)[:40]!r}")
    table = table_of("embedding_bag", weight)
    index = np.asarray(settled(indices_for("embedding_bag", input, shape_of(table)[0])))
    padding = padding_of("embedding_bag", padding_idx, shape_of(table)[0])
    bags = _bags(index, offsets, bool(include_last_offset), padding)
    rows = bind(ROWS, table, bags.index[bags.counts], padding=None)
    if per_sample_weights is not None:
        rows = rows * _factors(per_sample_weights, mode, index.shape, bags)
    found = _largest(rows, bags) if mode == "max" else _summed(rows, bags, mode == "mean")
    return one_node(
        "EmbeddingBag", found, table, *([] if per_sample_weights is None else [as_core(per_sample_weights)])
    )


def _factors(given: Any, mode: str, shape: tuple[int, ...], bags: Bags) -> CoreValue:
    found = to_float(as_core(given))
    if mode != "sum":
        raise ArgumentError("embedding_bag: per_sample_weights are for mode='sum'")
    if shape_of(found) != shape:
        raise ShapeError(
            f"embedding_bag: per_sample_weights have the shape of the indices, {fits(shape)}, not "
            f"{fits(shape_of(found))}"
        )
    flat = reshaped(found, (len(bags.index),))
    counted = flat if bags.counts.all() else getitem.call(flat, np.flatnonzero(bags.counts))
    return reshaped(counted, (int(bags.counts.sum()), 1))
