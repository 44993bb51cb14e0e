"""How the elements of a result depend on the elements of an operand: the reading from which sparsity patterns are made.

A reading is a function (op, operands, y, params, wanted) -> one `Link` (or `Pairs`) per operand, None where nothing of
it reaches the result or `wanted` is false, or one `EndToEnd` of all. Of an op of several results it gives a list of
these, one per result. Operands and results are arrays here. A reading may say too much (elements that turn out not to
matter), never too little.

A `Link` joins elements through labels. What an elementwise op does, any movement of elements, its transpose, a
reduction, and all that happens within the matrices of a stack has this form; a running sum and a convolution have not,
and are listed pair by pair.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gradcli.graph.values import Array, Shape, count_of, shape_of

if TYPE_CHECKING:
    from gradcli.graph.op import Op


class Link(NamedTuple):
    """Element k of the result depends on element j of the operand where takes[k] == gives[j] >= 0.

    Attributes:
        takes: the label of each element of the result, in C order; None is 0, 1, 2, ...
        gives: the label of each element of the operand; None is 0, 1, 2, ...
        size: how many labels there are.
    """

    takes: Array | None
    gives: Array | None
    size: int


class Pairs(NamedTuple):
    """Element rows[i] of the result depends on element columns[i] of the operand, both in C order."""

    rows: Array
    columns: Array


class EndToEnd(NamedTuple):
    """Element k of the result is element takes[k] (-1: none) of some operands laid end to end, in C order.

    Said of many operands at once, where a `Link` for each would list the result as many times.
    """

    takes: Array
    operands: tuple[bool, ...]


Dependence = Link | Pairs | None
Reading = Callable[..., Any]


# --- links ------------------------------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def numbered(shape: Shape) -> Array:
    """The elements of a shape, numbered in C order; shared, and so not to be written to."""
    made = np.arange(count_of(shape)).reshape(shape)
    made.flags.writeable = False
    return made


def broadcast_link(shape: Shape, target: Shape) -> Link:
    """Each element of the result depends on the one that was broadcast to it."""
    if shape == target:
        return Link(None, None, count_of(shape))
    return Link(np.broadcast_to(numbered(shape), target).ravel(), None, count_of(shape))


def every_link(x: Any, y: Any) -> Link:
    """Every element of the result depends on every one of the operand."""
    rows, columns = count_of(shape_of(y)), count_of(shape_of(x))
    return Link(np.zeros(rows, np.int64), np.zeros(columns, np.int64), 1)


def along_link(shape: Shape, axes: Sequence[int], target: Shape) -> Link:
    """Elements that differ in their place along `axes` (negative) alone belong together.

    The result, of shape `target`, has these axes at any length, or has lost them.
    """
    rank = len(shape)
    outside = tuple(1 if i - rank in axes else n for i, n in enumerate(shape))
    labels = numbered(outside)
    gives = np.broadcast_to(labels, shape).ravel()
    if len(target) != rank:
        return Link(None, gives, labels.size)
    return Link(np.broadcast_to(labels, target).ravel(), gives, labels.size)


def masked_link(link: Link, kept: Any, target: Shape) -> Link:
    """A link of which only the elements of the result where `kept` holds have a share."""
    mask = np.broadcast_to(kept, target).ravel()
    if mask.all():
        return link
    takes = np.arange(link.size) if link.takes is None else link.takes
    return link._replace(takes=np.where(mask, takes, -1))


# --- readings ---------------------------------------------------------------------------------------------------------


def on_broadcast(carries: Sequence[bool]) -> Reading:
    """Element by element, operands broadcast; an operand whose flag is false has no derivative."""

    def depends(op: Op, operands: Sequence[Any], y: Any, params: dict[str, Any], wanted: Sequence[bool]) -> Any:
        return [
            broadcast_link(shape_of(x), shape_of(y)) if want and carried else None
            for x, want, carried in zip(operands, wanted, carries, strict=True)
        ]

    return depends


def multiplied(op: Op, operands: Sequence[Any], y: Any, params: dict[str, Any], wanted: Sequence[bool]) -> Any:
    """A product of two: where a factor that does not vary is exactly 0, nothing depends on the other."""
    target = shape_of(y)
    found = []
    for i, want in enumerate(wanted):
        link = broadcast_link(shape_of(operands[i]), target)
        if not wanted[1 - i]:
            link = masked_link(link, np.asarray(operands[1 - i]) != 0, target)
        found.append(link if want else None)
    return found


def chosen(op: Op, operands: Sequence[Any], y: Any, params: dict[str, Any], wanted: Sequence[bool]) -> Any:
    """where(condition, a, b): the condition holds a value, so each element depends on the one that was taken."""
    condition, target = np.asarray(operands[0]).astype(bool), shape_of(y)
    return [
        masked_link(broadcast_link(shape_of(x), target), kept, target) if want else None
        for x, want, kept in zip(operands, wanted, (condition, condition, ~condition), strict=True)
    ]


def on_first(op: Op, operands: Sequence[Any], y: Any, params: dict[str, Any], wanted: Sequence[bool]) -> Any:
    """The result is the first operand, element by element, and depends on no other."""
    first = Link(None, None, count_of(shape_of(y))) if wanted[0] else None
    return [first, *(None for _ in wanted[1:])]


def moved(count: int | None) -> Reading:
    """Elements of the first `count` operands (None: of all) come to other places: the op itself tells where from.

    It is applied to the numbers of the elements, from 1; 0 is what came from nowhere.
    """

    def depends(op: Op, operands: Sequence[Any], y: Any, params: dict[str, Any], wanted: Sequence[bool]) -> Any:
        given, first = [], 0
        linear = len(operands) if count is None else count
        moving = [want and i < linear for i, want in enumerate(wanted)]
        for i, (x, moves) in enumerate(zip(operands, moving, strict=True)):
            if moves:
                given.append(np.asarray(_from_one(shape_of(x)) + first) if first else _from_one(shape_of(x)))
                first += count_of(shape_of(x))
            else:
                given.append(np.zeros(shape_of(x), np.int64) if i < linear else x)
        found = op.value(*given, **params)
        return per_result(found, lambda part: _sources(part, moving, first))

    return depends


@lru_cache(maxsize=64)
def _from_one(shape: Shape) -> Array:
    made = np.asarray(numbered(shape) + 1)
    made.flags.writeable = False
    return made


def _sources(numbers: Any, moving: Sequence[bool], size: int) -> EndToEnd | list[Dependence]:
    takes = np.asarray(numbers).ravel() - 1
    if sum(moving) > 1:
        return EndToEnd(takes, tuple(moving))
    return [Link(takes, None, size) if moves else None for moves in moving]


def moved_back(count: int | None) -> Reading:
    """Elements of the first `count` operands go to one place each, where several may be added: the transpose moves.

    It is applied to the numbers of the result's elements, from 1.
    """

    def depends(op: Op, operands: Sequence[Any], y: Any, params: dict[str, Any], wanted: Sequence[bool]) -> Any:
        assert op.vjp is not None
        size = count_of(shape_of(y))
        shares = op.vjp(_from_one(shape_of(y)), y, operands, params, wanted)
        return [
            Link(None, np.asarray(share).ravel() - 1, size) if want and share is not None else None
            for share, want in zip(shares, wanted, strict=True)
        ]

    return depends


def along_axes(*, axis: str = "axis") -> Reading:
    """All along the axes that the parameter `axis` names belongs together; operands broadcast to the first of them."""

    def depends(op: Op, operands: Sequence[Any], y: Any, params: dict[str, Any], wanted: Sequence[bool]) -> Any:
        axes = params[axis]
        axes = (axes,) if isinstance(axes, int) else tuple(axes)
        return per_result(
            y,
            lambda part: [
                _aligned(shape_of(x), shape_of(operands[0]), axes, part) if want else None
                for x, want in zip(operands, wanted, strict=True)
            ],
        )

    return depends


def _aligned(shape: Shape, whole: Shape, axes: Sequence[int], y: Any) -> Dependence:
    if shape == whole:
        return along_link(shape, axes, shape_of(y))
    return Link(np.zeros(count_of(shape_of(y)), np.int64), np.zeros(count_of(shape), np.int64), 1)


def coupled(*cores: int) -> Reading:
    """All within one matrix (or vector) of a stack belongs together; the stacks broadcast.

    `cores` has the number of axes of one thing of the stack for every operand; the last stands for those that follow.
    """

    def depends(op: Op, operands: Sequence[Any], y: Any, params: dict[str, Any], wanted: Sequence[bool]) -> Any:
        ranks = [cores[min(i, len(cores) - 1)] for i in range(len(operands))]
        stacks = [shape_of(x)[: len(shape_of(x)) - rank] for x, rank in zip(operands, ranks, strict=True)]
        whole = np.broadcast_shapes(*stacks)
        return per_result(
            y,
            lambda part: [
                _within(shape_of(x), stack, whole, shape_of(part)) if want else None
                for x, stack, want in zip(operands, stacks, wanted, strict=True)
            ],
        )

    return depends


def solved(op: Op, operands: Sequence[Any], y: Any, params: dict[str, Any], wanted: Sequence[bool]) -> Any:
    """Stacks of A @ Y = B: a column of Y depends on all of A, and on its own column of B."""
    links = coupled(2)(op, operands, y, params, wanted)
    right = shape_of(operands[1])
    if wanted[1] and right[:-2] == shape_of(y)[:-2]:
        links[1] = along_link(right, (-2,), shape_of(y))
    return links


def _within(shape: Shape, stack: Shape, whole: Shape, target: Shape) -> Link:
    labels = numbered(stack)
    inner = len(target) - len(whole)
    gives = np.broadcast_to(labels.reshape(stack + (1,) * (len(shape) - len(stack))), shape).ravel()
    spread = np.broadcast_to(labels, whole).reshape(whole + (1,) * inner)
    return Link(np.broadcast_to(spread, target).ravel(), gives, labels.size)


def per_result(y: Any, of_one: Callable[[Any], Any]) -> Any:
    """What `of_one` says of each result, or of the only one."""
    return [of_one(part) for part in y] if type(y) is tuple else of_one(y)


def running(op: Op, operands: Sequence[Any], y: Any, params: dict[str, Any], wanted: Sequence[bool]) -> Any:
    """Along `axis` each element depends on those up to it (from it on, where `reverse` holds)."""
    if not any(wanted):
        return [None for _ in wanted]
    numbers = np.moveaxis(np.atleast_1d(numbered(shape_of(operands[0]))), params["axis"], -1)
    length = numbers.shape[-1]
    later, earlier = np.tril_indices(length)
    if params.get("reverse", False):
        later, earlier = earlier, later
    lines = numbers.reshape(-1, length) if length else numbers.reshape(0, 0)
    pairs = Pairs(lines[:, later].ravel(), lines[:, earlier].ravel())
    return [pairs if want else None for want in wanted]


def everything(op: Op, operands: Sequence[Any], y: Any, params: dict[str, Any], wanted: Sequence[bool]) -> Any:
    """All depends on all."""
    return per_result(
        y, lambda part: [every_link(x, part) if want else None for x, want in zip(operands, wanted, strict=True)]
    )


# --- readings that ask the op -----------------------------------------------------------------------------------------


def moved_tangent(op: Op, operands: Sequence[Any], y: Any, params: dict[str, Any], wanted: Sequence[bool]) -> Any:
    """At this point the op picks elements of its one operand (a largest one, say): its tangent tells which."""
    if not wanted[0]:
        return [None for _ in wanted]
    assert op.jvp is not None
    numbers = _from_one(shape_of(operands[0])).astype(np.float64)
    found = op.jvp([numbers, *(None for _ in wanted[1:])], y, operands, params)
    takes = np.asarray(found).ravel().astype(np.int64) - 1
    return [Link(takes, None, numbers.size), *(None for _ in wanted[1:])]


#: A map over the last axes is looked at by its matrix, where that has no more elements than this.
_MOST = 1 << 22


def mapped_last(parameter: str) -> Reading:
    """A linear map of the last axes, the same for all others; there are as many of them as `params[parameter]` is long.

    The map is applied to unit vectors; of a large one all on all is taken.
    """

    def depends(op: Op, operands: Sequence[Any], y: Any, params: dict[str, Any], wanted: Sequence[bool]) -> Any:
        rank = len(params[parameter])
        shape, target = shape_of(operands[0]), shape_of(y)
        inner, outer = count_of(shape[len(shape) - rank :]), count_of(target[len(target) - rank :])
        if inner * outer > _MOST or not inner * outer:
            return coupled(rank)(op, operands, y, params, wanted)
        units = np.eye(inner).reshape(inner, *shape[len(shape) - rank :])
        columns, rows = np.nonzero(np.asarray(op.value(units, **params)).reshape(inner, outer))
        copies = np.arange(count_of(shape) // inner)[:, None]
        return [Pairs((copies * outer + rows).ravel(), (copies * inner + columns).ravel())]

    return depends


def folded_or_each(op: Op, operands: Sequence[Any], y: Any, params: dict[str, Any], wanted: Sequence[bool]) -> Any:
    """Element by element where `params["axis"]` is empty, and a sum of all of that where it is not."""
    if params["axis"]:
        return everything(op, operands, y, params, wanted)
    return on_broadcast([True] * len(operands))(op, operands, y, params, wanted)


def on_pairs(op: Op, operands: Sequence[Any], y: Any, params: dict[str, Any], wanted: Sequence[bool]) -> Any:
    """Two elements of the longer side belong to one of the shorter: the parts of complex numbers."""
    rows, columns = count_of(shape_of(y)), count_of(shape_of(operands[0]))
    if not wanted[0]:
        return [None]
    if rows > columns:
        return [Link(np.arange(rows) // 2, None, columns)]
    return [Link(None, np.arange(columns) // 2, rows)]
