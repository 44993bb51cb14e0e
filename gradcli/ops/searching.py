"""Where elements stand: those that are not zero, and where values would go into a sorted line.

Places are integers and carry no derivative.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, count_of, shape_of
from gradcli.ops.arguments import settled
from gradcli.ops.casts import cast
from gradcli.ops.elementwise import places
from gradcli.ops.function import case
from gradcli.ops.index_reading import whole_numbers
from gradcli.ops.kinds import constant, expanded, fits
from gradcli.ops.operands import as_core
from gradcli.ops.registry import function
from gradcli.ops.selecting import flat, take_along_axis, taken
from gradcli.ops.shape import reshaped

# --- elements that are not zero --------------------------------------------------------------------------------------


@function(
    family="indexing",
    where="numpy",
    also=(".nonzero@numpy",),
    differentiable=False,
    cases=(case(np.array([[0.0, 2.0], [1.0, 0.0]])), case(np.array([True, False, True]))),
)
def nonzero(x: Any) -> tuple[CoreValue, ...]:
    """The indices of the elements that are not zero, an array per axis."""
    return places(as_core(x))


@function(
    "nonzero_torch",
    family="indexing",
    where="",
    also=("torch.nonzero", ".nonzero@torch", "torch.argwhere", ".argwhere@torch", "numpy.argwhere"),
    differentiable=False,
    cases=(case(np.array([[0.0, 2.0], [1.0, 0.0]])), case(np.array([1.0, 0.0]), as_tuple=True)),
)
def nonzero_torch(input: Any, as_tuple: bool = False) -> Any:
    """The indices of the elements that are not zero, one in each row."""
    found = places(as_core(input))
    return found if as_tuple else np.stack(found, -1)


@function(family="indexing", where="numpy", differentiable=False, cases=(case(np.array([[0.0, 2.0], [1.0, 0.0]])),))
def flatnonzero(x: Any) -> CoreValue:
    """The indices, among the elements in order, of those that are not zero."""
    return places(flat(as_core(x)))[0]


# --- places in a sorted line -----------------------------------------------------------------------------------------


def _lines(line: Any, v: Any) -> tuple[Any, Any]:
    """The sorted lines and what is sought in each, as rows."""
    if np.ndim(line) == 1:
        return line[None], v.reshape(1, v.size)
    count = count_of(line.shape[:-1])
    return line.reshape(count, line.shape[-1]), v.reshape(count, v.shape[-1])


def _sought(line: Any, v: Any, *, side: Any) -> Any:
    rows, values = _lines(line, np.asarray(v))
    found = np.array([np.searchsorted(row, value, side) for row, value in zip(rows, values, strict=True)], np.int64)
    return found.reshape(np.shape(v))


def _sought_rule(line: CoreValue, v: CoreValue, *, side: str) -> Spec:
    lead = shape_of(line)[:-1]
    if lead and shape_of(v)[:-1] != lead:
        raise ShapeError(
            f"searchsorted: lines of shape {fits(shape_of(line))} and values of shape {fits(shape_of(v))} do not match",
            mend="all axes but the last must be equal",
        )
    return Spec(shape_of(v), np.dtype(np.int64))


def _sought_exactly(S: Any, line: Any, v: Any, *, side: str) -> Any:
    """How many numbers of the line come before each value; a value equal to some goes before (left) or after them."""
    rows, values = _lines(line, np.asarray(v))

    def before(cell: Any, value: Any) -> bool:
        # Of equals, argmax names the first.
        return int(S.argmax([cell, value])) == 1 if side == "left" else int(S.argmax([value, cell])) == 0

    found = [
        [sum(before(cell, value) for cell in row) for value in line_values]
        for row, line_values in zip(rows, values, strict=True)
    ]
    return np.array(found, dtype=np.int64).reshape(np.shape(v))


def _on_a_step(line: Any, v: Any, *, side: str) -> Any:
    """Values that are equal to a number of their line: beside them, the place is another."""
    return _sought(line, v, side="left") != _sought(line, v, side="right")


def _sought_batch(xs: Any, batched: Any, params: dict[str, Any], size: int) -> CoreValue:
    """A line for each of the batch, or one line for all."""
    line, v = xs
    shape = shape_of(v)[1:] if batched[1] else shape_of(v)
    if not batched[0] and len(shape_of(line)) == 1:
        return bind(SEARCHSORTED, line, v, **params)
    v = v if batched[1] else expanded(v, (size, *shape))
    line = line if batched[0] else expanded(line, (size, *shape_of(line)))
    if len(shape_of(line)) == 2:  # each line with all the values of its own
        return reshaped(bind(SEARCHSORTED, line, reshaped(v, (size, count_of(shape))), **params), (size, *shape))
    return bind(SEARCHSORTED, line, v, **params)


SEARCHSORTED: Op = constant(
    "searchsorted",
    _sought,
    _sought_rule,
    meaning=_sought_exactly,
    batch=_sought_batch,
    kink=_on_a_step,
    doc="Where values would go into a sorted line.",
)


def _side(side: Any, right: Any = None) -> str:
    if side not in (None, "left", "right"):
        raise ArgumentError(f"searchsorted: side is 'left' or 'right', not {str(side)[:40]!r}")
    if right and side == "left":
        raise ArgumentError("searchsorted: right=True and side='left' contradict each other")
    return "right" if right or side == "right" else "left"


def sought(line: CoreValue, v: CoreValue, side: str) -> CoreValue:
    """Where values would go into a sorted line, or into the line of their row."""
    return bind(SEARCHSORTED, line, v, side=side)


def _line_of(name: str, x: Any) -> CoreValue:
    line = as_core(x)
    if len(shape_of(line)) != 1:
        raise ShapeError(f"{name} takes a sorted line of one axis, not shape {fits(shape_of(line))}")
    return line


_LINE = np.array([-1.5, -0.5, 0.25, 0.25, 1.0])
_STEPS = np.array([[-2.0, -0.5], [0.25, 3.0]])


@function(
    family="indexing",
    op=SEARCHSORTED,
    where="numpy",
    also=(".searchsorted@numpy",),
    differentiable=False,
    cases=(
        case(_LINE, (2, 3)),
        case(_LINE, _STEPS),
        case(_LINE, _STEPS, side="right"),
        case(_LINE[::-1], 0.25, "right", sorter=np.arange(5)[::-1]),
        case(np.zeros(0), (2,)),
        case(np.array([1, 3, 5]), np.array([3, 4])),
    ),
)
def searchsorted(x: Any, v: Any, side: Any = "left", sorter: Any = None, method: Any = None) -> CoreValue:
    """Where values would go into a sorted line: before (left) or after (right) those equal to them."""
    line = _line_of("searchsorted", x)
    if sorter is not None:
        line = taken(line, whole_numbers("searchsorted", sorter), -1)
    return sought(line, as_core(v), _side(side))


_TORCH_LINES = np.array([[0.0, 1.0, 2.0], [-1.0, 0.5, 0.5]])


@function(
    "searchsorted_torch",
    family="indexing",
    op=SEARCHSORTED,
    where="",
    also=("torch.searchsorted",),
    differentiable=False,
    cases=(
        case(_LINE, (2, 3)),
        case(_LINE, _STEPS, right=True),
        case(_TORCH_LINES, np.array([[1.0, -1.0], [0.5, 2.0]])),
        case(_TORCH_LINES, np.array([[1.0], [0.5]]), side="right", out_int32=True),
        case(_LINE, 0.3),
    ),
)
def searchsorted_torch(
    sorted_sequence: Any,
    values: Any,
    *,
    out_int32: bool = False,
    right: bool = False,
    side: Any = None,
    sorter: Any = None,
) -> CoreValue:
    """Where values would go into a sorted line, or into the line of their row, one line for each."""
    lines, v = as_core(sorted_sequence), as_core(values)
    if not shape_of(lines):
        raise ShapeError("searchsorted takes sorted lines, not a scalar")
    if sorter is not None:
        lines = take_along_axis.call(lines, sorter, -1)
    return _narrowed(sought(lines, v, _side(side, right)), out_int32)


def _narrowed(x: CoreValue, to_int32: Any) -> CoreValue:
    return cast(x, np.dtype(np.int32)) if to_int32 else x


@function(
    family="indexing",
    op=SEARCHSORTED,
    where="torch",
    differentiable=False,
    cases=(case((2, 3), _LINE), case(_STEPS, _LINE, right=True)),
)
def bucketize(input: Any, boundaries: Any, *, out_int32: bool = False, right: bool = False) -> CoreValue:
    """The number of the bucket between sorted boundaries that each value falls into."""
    return _narrowed(sought(_line_of("bucketize", boundaries), as_core(input), _side(None, right)), out_int32)


@function(
    family="indexing",
    op=SEARCHSORTED,
    where="numpy",
    differentiable=False,
    cases=(
        case((2, 3), _LINE),
        case(_STEPS, _LINE, right=True),
        case(_STEPS, _LINE[::-1].copy()),
        case(_STEPS, _LINE[::-1].copy(), True),
    ),
)
def digitize(x: Any, bins: Any, right: bool = False) -> CoreValue:
    """The number of the bin that each value falls into; the bins' edges rise or fall."""
    edges, found = _line_of("digitize", bins), as_core(x)
    # NumPy's `right` says on which side an interval is closed: the other way round than searchsorted's.
    side = "left" if right else "right"
    if not _falls(edges):
        return sought(edges, found, side)
    mirrored = sought(taken(edges, slice(None, None, -1), -1), found, side)
    return shape_of(edges)[0] - mirrored


def _falls(edges: CoreValue) -> bool:
    """Whether bins' edges fall rather than rise.

    Raises:
        ArgumentError: they do neither.
    """
    steps = np.diff(settled(edges))
    if np.all(steps >= 0):
        return False
    if np.all(steps <= 0):
        return True
    raise ArgumentError("digitize: the bins must rise or fall throughout")
