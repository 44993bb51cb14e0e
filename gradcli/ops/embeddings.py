"""Rows of a table looked up by number: one_hot, embedding, embedding_bag."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.recording import DETACH
from gradcli.graph.state import state
from gradcli.graph.values import CoreValue, Spec, count_of, dtype_of, ndim_of, shape_of
from gradcli.ops.arguments import dtype_named, integer, settled
from gradcli.ops.axis_order import moveaxis
from gradcli.ops.casts import cast
from gradcli.ops.elementwise import equal, not_equal, where
from gradcli.ops.function import case
from gradcli.ops.kinds import expanded, fits, linear
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped

_LONG = np.dtype(np.int64)


@function(
    family="indexing",
    where="F",
    differentiable=False,
    cases=(case(np.array([0, 2, 1])), case(np.array([[0], [1]]), 3), case(np.array([], dtype=np.int64), 2)),
)
def one_hot(tensor: Any, num_classes: Any = -1) -> CoreValue:
    """For each class index a row of zeros with a one at its place."""
    index = as_core(tensor)
    if dtype_of(index).kind not in "iu":
        raise ArgumentError("one_hot is only applicable to index tensor of type LongTensor.")
    given = np.asarray(settled(index))
    count = integer(num_classes, "one_hot: the number of classes")
    if count < 0:
        count = int(given.max()) + 1 if given.size else 0
    if given.size and not 0 <= given.min() <= given.max() < count:
        raise ArgumentError(f"one_hot: class {given.max() if given.max() >= count else given.min()} of {count} classes")
    return cast(equal(reshaped(index, (*shape_of(index), 1)), np.arange(count)), _LONG)


@function(
    "one_hot_jax",
    family="indexing",
    where="",
    also=("jax.nn.one_hot",),
    differentiable=False,
    cases=(case(np.array([0, 2, 5]), 3), case(np.array([[0], [1]]), 3), case(np.array([0, 1]), 2, axis=0)),
)
def one_hot_jax(x: Any, num_classes: Any, dtype: Any = None, axis: Any = -1) -> CoreValue:
    """For each class index a row of zeros with a one at its place, of zeros alone where there is no such class."""
    index = as_core(x)
    count = integer(num_classes, "one_hot: the number of classes")
    wanted = state.default_float if dtype is None else dtype_named(dtype)
    found = cast(equal(reshaped(index, (*shape_of(index), 1)), np.arange(count)), np.dtype(wanted))
    return moveaxis(found, -1, axis)


# --- rows of a table -------------------------------------------------------------------------------------------------


def _rows(w: Any, index: Any, *, padding: int | None) -> Any:
    return w[index]


def _rows_shape(w: CoreValue, index: CoreValue, *, padding: int | None) -> Spec:
    return Spec((*shape_of(index), *shape_of(w)[1:]), dtype_of(w))


def _kept(x: CoreValue, index: CoreValue, padding: int | None) -> CoreValue:
    """Rows looked up, those of the padding index made zero."""
    if padding is None:
        return x
    there = not_equal(index, padding)
    return where(reshaped(there, (*shape_of(there), 1)), x, np.zeros((), dtype_of(x)))


def _back(g: CoreValue, w: CoreValue, index: CoreValue, *, padding: int | None) -> CoreValue:
    return bind(ROWS_BACK, _kept(g, index, padding), index, count=shape_of(w)[0])


def _exact_rows(S: Any, w: Any, index: Any, *, padding: int | None) -> Any:
    found = w[index]
    if padding is not None:
        found = found.copy()
        for place in np.argwhere(index == padding):
            at = tuple(place)
            found[at] = [S.stop(cell) for cell in found[at]]
    return found


def _rows_batch(xs: Sequence[CoreValue], batched: Sequence[bool], params: dict[str, Any], size: int) -> CoreValue:
    """Tables in a batch are one table with longer rows; if indices are too, one long table of all their rows."""
    w, index = xs
    if not batched[0]:
        return bind(ROWS, w, index, **params)
    _, rows, columns = shape_of(w)
    if not batched[1]:
        wide = reshaped(moveaxis(w, 0, 1), (rows, size * columns))
        found = bind(ROWS, wide, index, **params)
        return moveaxis(reshaped(found, (*shape_of(index), size, columns)), -2, 0)
    many = index + (np.arange(size) * rows).reshape((size,) + (1,) * (ndim_of(index) - 1))
    found = bind(ROWS, reshaped(w, (size * rows, columns)), many, padding=None)
    padded = equal(index, -1 if params["padding"] is None else params["padding"])
    return where(reshaped(padded, (*shape_of(padded), 1)), bind(DETACH, found), found)


def _rows_jvp(tangents: Any, y: CoreValue, xs: Any, params: dict[str, Any]) -> CoreValue | None:
    """A padding row does not move, as far as derivatives go."""
    if tangents[0] is None:
        return None
    return _kept(bind(ROWS, tangents[0], xs[1], **params), xs[1], params["padding"])


ROWS: Op = linear(
    "embedding",
    _rows,
    _rows_shape,
    transpose=_back,
    batch=_rows_batch,
    meaning=_exact_rows,
    torch="Embedding",
    moves="forward",
    doc="Rows of a table; that of the padding index is a constant to derivatives.",
)
ROWS.jvp = _rows_jvp


def _added(g: Any, index: Any, *, count: int) -> Any:
    """Rows added up by their numbers."""
    width = count_of(g.shape[index.ndim :])
    rows, places = g.reshape(index.size, width), index.ravel()
    made = np.zeros((count, width), g.dtype)
    if index.size:
        order = np.argsort(places, kind="stable")
        numbers, starts = np.unique(places[order], return_index=True)
        made[numbers] = np.add.reduceat(rows[order], starts, 0)
    return made.reshape(count, *g.shape[index.ndim :])


def _added_shape(g: CoreValue, index: CoreValue, *, count: int) -> Spec:
    return Spec((count, *shape_of(g)[ndim_of(index) :]), dtype_of(g))


def _added_batch(xs: Sequence[CoreValue], batched: Sequence[bool], params: dict[str, Any], size: int) -> CoreValue:
    g, index = xs
    g = g if batched[0] else expanded(g, (size, *shape_of(g)))
    rank = ndim_of(index) - batched[1]
    many = index + (np.arange(size) * params["count"]).reshape((size,) + (1,) * rank)
    found = bind(ROWS_BACK, g, many, count=size * params["count"])
    return reshaped(found, (size, params["count"], *shape_of(found)[1:]))


ROWS_BACK: Op = linear(
    "embedding_back",
    _added,
    _added_shape,
    transpose=lambda g, x, index, *, count: bind(ROWS, g, index, padding=None),
    batch=_added_batch,
    moves="back",
    doc="Rows added up, by their numbers, to a table.",
)


def table_of(name: str, weight: Any) -> CoreValue:
    """A table to look up rows in.

    Raises:
        ShapeError: it is no matrix.
    """
    w = to_float(as_core(weight))
    if ndim_of(w) != 2:
        raise ShapeError(f"{name}: the weight is a matrix with a row for each index, not of shape {fits(shape_of(w))}")
    return w


def indices_for(name: str, input: Any, count: int) -> CoreValue:
    """Indices into a table of `count` rows.

    Raises:
        ArgumentError: they are no integers, or one is out of range.
    """
    index = as_core(input)
    if dtype_of(index).kind not in "iu":
        raise ArgumentError(f"{name} takes integer indices, not {dtype_of(index)}")
    if isinstance(index, np.ndarray):
        wrong = index[(index < 0) | (index >= count)]
        if wrong.size:
            raise ArgumentError(f"{name}: index {wrong.flat[0]} is out of range for a table of {count} rows")
    return index


def padding_of(name: str, given: Any, count: int) -> int | None:
    """The number of the padding row, or None.

    Raises:
        ArgumentError: it is out of range.
    """
    if given is None:
        return None
    found = integer(given, f"{name}: padding_idx")
    if not -count <= found < count:
        raise ArgumentError(f"{name}: padding_idx {found} must be within the table's {count} rows")
    return found % count


_TABLE_RULE = "vjp: g added up by the indices, 0 in the row of padding_idx"


@function(
    family="indexing",
    where="F",
    op=ROWS,
    derivative=_TABLE_RULE,
    cases=(
        case(np.array([2, 0, 2]), (4, 3)),
        case(np.array([[1, 3], [0, 1]]), (4, 2), 1),
        case(np.array(2), (3, 2), -1),
        case(np.array([], dtype=np.int64), (3, 2)),
    ),
)
def embedding(
    input: Any,
    weight: Any,
    padding_idx: Any = None,
    max_norm: Any = None,
    norm_type: Any = 2.0,
    scale_grad_by_freq: Any = False,
    sparse: Any = False,
) -> CoreValue:
    """Rows of a table by their indices; the row of padding_idx gets no derivative."""
    plainly("embedding", max_norm, scale_grad_by_freq)
    w = table_of("embedding", weight)
    count = shape_of(w)[0]
    return bind(ROWS, w, indices_for("embedding", input, count), padding=padding_of("embedding", padding_idx, count))


def plainly(name: str, max_norm: Any, scale_grad_by_freq: Any) -> None:
    """Raise where an option asks for something that is no function's value or derivative."""
    if max_norm is not None:
        raise ArgumentError(f"{name}: max_norm, which changes the weight in place, is not here")
    if scale_grad_by_freq:
        raise ArgumentError(f"{name}: scale_grad_by_freq, which is no derivative, is not here")
