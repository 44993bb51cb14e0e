"""The ops that read at an index, write at one, and add at one. How an index is kept: `gradcli.ops.index_template`.

Functions that PyTorch knows by other names have ops of their own here, made by `reading`, `writing` and `adding`: they
differ in the name of their node alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Shape, Spec, count_of, dtype_of, shape_of
from gradcli.ops.elementwise import equal, where
from gradcli.ops.index_template import (
    ALL,
    Template,
    array_block,
    arrays_shape,
    batch_layout,
    filled,
    lead_moved,
    lead_moved_back,
    range_error,
    result_shape,
)
from gradcli.ops.kinds import expanded, fits, linear

# --- reading ---------------------------------------------------------------------------------------------------------


def _read(x: Any, *arrays: Any, template: Template, unique: bool = False) -> Any:
    try:
        return np.asarray(x)[filled(template, arrays)]
    except IndexError:
        error = range_error(x.shape, template, arrays)
        if error is None:
            raise
        raise error from None


def _read_rule(x: CoreValue, *arrays: CoreValue, template: Template, unique: bool = False) -> Spec:
    return Spec(result_shape(shape_of(x), template, arrays), dtype_of(x))


def _read_batch(xs: Sequence[CoreValue], batched: Sequence[bool], params: dict[str, Any], size: int) -> CoreValue:
    x, *arrays = xs
    template, arrays, count, order = batch_layout(params["template"], arrays, batched[1:], size, batched[0])
    return lead_moved(bind(GETITEM, x, *arrays, template=template, unique=params["unique"]), count, order)


def _read_node(operands: Sequence[CoreValue], params: dict[str, Any]) -> Any:
    """PyTorch reads an index from left to right, a node per part: a tree of them, or a name where there is one."""
    template, shape = params["template"], shape_of(operands[0])
    names, axis, given = [], 0, 0
    for entry in template:
        if entry is None:
            names.append("UnsqueezeBackward0")
            continue
        if isinstance(entry, slice):
            given += entry is not ALL
            if entry.indices(shape[axis]) != (0, shape[axis], 1):
                names.append("SliceBackward0")
        elif type(entry) is int:
            names.append("SelectBackward0")
        axis += entry is not ...
    if any(len(shape_of(a)) for a in operands[1:]):
        names.append("IndexBackward0")
    if not names:
        names.append("SliceBackward0" if given == 1 else "AliasBackward0")
    return names[0] if len(names) == 1 else _chained(names)


def _chained(names: Sequence[str]) -> Any:
    """Nodes that follow one upon another, the first of them on operand 0."""
    tree: Any = 0
    for name in names:
        tree = (name, (tree,))
    return tree


def _scattered(g: CoreValue, x: CoreValue, *arrays: CoreValue, template: Template, unique: bool) -> CoreValue:
    return bind(SCATTER, g, *arrays, template=template, unique=unique, shape=shape_of(x))


def reading(name: str, torch: Any, *, views: bool = False, saves: tuple[Any, ...] = (), doc: str) -> Op:
    """An op (x, *arrays, template, unique) that reads at an index."""
    op = linear(
        name,
        _read,
        _read_rule,
        transpose=_scattered,
        batch=_read_batch,
        views=views,
        torch=torch,
        moves="forward",
        doc=doc,
    )
    op.saves = saves
    READS.add(op)
    return op


#: All ops that read at an index.
READS: set[Op] = set()
GETITEM: Op = reading("getitem", _read_node, views=True, doc="Elements at an index.")


# --- adding into zeros, the transpose of reading ---------------------------------------------------------------------


def _scatter(g: Any, *arrays: Any, template: Template, shape: Shape, unique: bool) -> Any:
    g = np.asarray(g)
    index = filled(template, arrays)
    if not arrays or unique:
        made = np.zeros(shape, g.dtype)
        made[index] = g
        return made
    if g.dtype.kind == "f" and 8 * g.size >= count_of(shape):
        return _summed_at(g, index, shape).astype(g.dtype, copy=False)
    if g.dtype.kind == "c" and 8 * g.size >= count_of(shape):
        real, imaginary = _summed_at(g.real, index, shape), _summed_at(g.imag, index, shape)
        return (real + 1j * imaginary).astype(g.dtype, copy=False)
    made = np.zeros(shape, g.dtype)
    np.add.at(made, index, g)
    return made


def _summed_at(g: Any, index: Any, shape: Shape) -> Any:
    """`g` added up at the places of an index: where they are many, several times faster than `np.add.at`."""
    places = np.arange(count_of(shape)).reshape(shape)[index]
    return np.bincount(places.ravel(), weights=g.ravel(), minlength=count_of(shape)).reshape(shape)


def _scatter_rule(g: CoreValue, *arrays: CoreValue, template: Template, shape: Shape, unique: bool) -> Spec:
    expected = result_shape(shape, template, arrays)
    if shape_of(g) != expected:
        raise ShapeError(f"scatter takes shape {fits(expected)}, not {fits(shape_of(g))}")
    return Spec(shape, dtype_of(g))


def _scatter_batch(xs: Sequence[CoreValue], batched: Sequence[bool], params: dict[str, Any], size: int) -> CoreValue:
    g, *arrays = xs
    if not batched[0]:
        g = expanded(g, (size, *shape_of(g)))
    template, arrays, count, order = batch_layout(params["template"], arrays, batched[1:], size, True)
    shape = (size, *params["shape"])
    g = lead_moved_back(g, count, order)
    return bind(SCATTER, g, *arrays, template=template, unique=params["unique"], shape=shape)


SCATTER: Op = linear(
    "scatter",
    _scatter,
    _scatter_rule,
    transpose=lambda g, x, *arrays, template, shape, unique: bind(
        GETITEM, g, *arrays, template=template, unique=unique
    ),
    batch=_scatter_batch,
    torch="IndexPut",
    moves="back",
    doc="Zeros, with values added at an index.",
)


# --- writing and adding ----------------------------------------------------------------------------------------------


def _changed(x: Any, v: Any, arrays: Sequence[Any], template: Template, put: Any) -> Any:
    """A copy of `x` that `put(copy, index, v)` has changed."""
    made = np.array(x)
    try:
        put(made, filled(template, arrays), v)
    except IndexError:
        error = range_error(made.shape, template, arrays)
        if error is None:
            raise
        raise error from None
    return made


def _assign(made: Any, index: Any, v: Any) -> None:
    made[index] = v


def _written(x: Any, v: Any, *arrays: Any, template: Template, unique: bool) -> Any:
    if arrays and not unique:
        arrays, v = _one_by_one(template, arrays, np.asarray(v))
    return _changed(x, v, arrays, template, _assign)


def _one_by_one(template: Template, arrays: Sequence[Any], v: Any) -> tuple[tuple[Any, ...], Any]:
    """Index arrays flat and in order, so that of several writes to one place the last one wins for certain."""
    joined = arrays_shape(arrays)
    if not joined:
        return tuple(arrays), v
    at = array_block(template, len(joined))
    flat = tuple(np.ascontiguousarray(np.broadcast_to(a, joined)).ravel() for a in arrays)
    return flat, v.reshape((*v.shape[:at], count_of(joined), *v.shape[at + len(joined) :]))


def _added(x: Any, v: Any, *arrays: Any, template: Template, unique: bool) -> Any:
    return _changed(x, v, arrays, template, np.add.at)


def _changed_rule(x: CoreValue, v: CoreValue, *arrays: CoreValue, template: Template, unique: bool) -> Spec:
    expected = result_shape(shape_of(x), template, arrays)
    if shape_of(v) != expected:
        raise ShapeError(f"cannot write shape {fits(shape_of(v))} to {fits(expected)}")
    return Spec(shape_of(x), dtype_of(x))


def _written_transpose(
    g: CoreValue, x: CoreValue, v: CoreValue, *arrays: CoreValue, template: Template, unique: bool
) -> tuple[CoreValue, CoreValue]:
    nothing = np.zeros(shape_of(v), dtype_of(g))
    to_x = bind(SETITEM, g, nothing, *arrays, template=template, unique=unique)
    to_v = bind(GETITEM, g, *arrays, template=template, unique=unique)
    if arrays and not unique:
        to_v = where(_winners(shape_of(x), shape_of(v), arrays, template), to_v, np.zeros((), dtype_of(g)))
    return to_x, to_v


def _winners(shape: Shape, written: Shape, arrays: Sequence[CoreValue], template: Template) -> CoreValue:
    """Which of the written elements are still there at the end: each place keeps the last one."""
    numbers = np.arange(count_of(written)).reshape(written)
    kept = bind(SETITEM, np.zeros(shape, np.int64), numbers, *arrays, template=template, unique=False)
    return equal(bind(GETITEM, kept, *arrays, template=template, unique=False), numbers)


def _added_transpose(
    g: CoreValue, x: CoreValue, v: CoreValue, *arrays: CoreValue, template: Template, unique: bool
) -> tuple[CoreValue, CoreValue]:
    return g, bind(GETITEM, g, *arrays, template=template, unique=unique)


def _changing(
    name: str, torch: Any, value: Any, transpose: Any, moves: str, saves: tuple[Any, ...], doc: str
) -> Op:
    def batch(xs: Sequence[CoreValue], batched: Sequence[bool], params: dict[str, Any], size: int) -> CoreValue:
        x, v, *arrays = (
            a if flag or i > 1 else expanded(a, (size, *shape_of(a)))
            for i, (a, flag) in enumerate(zip(xs, batched, strict=True))
        )
        template, arrays, count, order = batch_layout(params["template"], arrays, batched[2:], size, True)
        v = lead_moved_back(v, count, order)
        return bind(op, x, v, *arrays, template=template, unique=params["unique"])

    op: Op = linear(
        name,
        value,
        _changed_rule,
        transpose=transpose,
        batch=batch,
        operands=2,
        torch=torch,
        moves=moves,
        doc=doc,
    )
    op.saves = saves
    return op


def writing(name: str, torch: Any, *, saves: tuple[Any, ...] = (None,), doc: str) -> Op:
    """An op (x, v, *arrays, template, unique) that puts `v` at an index; of several writes to one place the last holds.

    By itself it keeps where it wrote, and gives that up after a backward pass.
    """
    return _changing(name, torch, _written, _written_transpose, "forward", saves, doc)


def adding(name: str, torch: Any, *, saves: tuple[Any, ...] = (None,), doc: str) -> Op:
    """An op (x, v, *arrays, template, unique) that adds `v` at an index, to one place as often as it is named."""
    return _changing(name, torch, _added, _added_transpose, "back", saves, doc)


def _write_node(operands: Sequence[CoreValue], params: dict[str, Any]) -> Any:
    return ("IndexPutBackward0" if any(len(shape_of(a)) for a in operands[2:]) else "CopySlices", (0, 1))


SETITEM: Op = writing("setitem", _write_node, doc="The value with other elements at an index.")
ADDITEM: Op = adding("additem", "IndexPut", doc="The value with others added at an index.")
