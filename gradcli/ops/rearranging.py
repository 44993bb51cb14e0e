"""Elements put elsewhere: flip, roll, rotations, tiles and padding."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.budget import budget
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Shape, Spec, count_of, dtype_of, shape_of
from gradcli.ops.arguments import integer, integers, many_axes, one_axis, sizes
from gradcli.ops.axis_order import swapaxes
from gradcli.ops.casts import cast
from gradcli.ops.function import case
from gradcli.ops.indexing import getitem, setitem
from gradcli.ops.kinds import expanded, fits, linear, sum_to
from gradcli.ops.operands import as_core
from gradcli.ops.registry import function
from gradcli.ops.selecting import taken
from gradcli.ops.shape import reshaped

Widths = tuple[tuple[int, int], ...]


def _unchanged(x: CoreValue, **params: Any) -> Spec:
    return Spec(shape_of(x), dtype_of(x))


# --- flip and roll ---------------------------------------------------------------------------------------------------

FLIP: Op = linear(
    "flip",
    lambda x, axes: np.flip(x, axes),
    _unchanged,
    transpose=lambda g, x, axes: bind(FLIP, g, axes=axes),
    torch="Flip",
    doc="Elements in reverse along some axes.",
)
ROLL: Op = linear(
    "roll",
    lambda x, shifts, axes: np.roll(x, shifts, axes),
    _unchanged,
    transpose=lambda g, x, shifts, axes: bind(ROLL, g, shifts=tuple(-s for s in shifts), axes=axes),
    torch="Roll",
    doc="Elements moved along some axes, around the end.",
)


@function(
    family="shape",
    op=FLIP,
    derivative="flip g",
    views=True,
    cases=(case((2, 3)), case((2, 3), 0), case((2, 3), -1), case((2, 3, 2), [0, -1]), case((0, 2)), case(())),
)
def flip(x: Any, *order: Any, axis: Any = None, dims: Any = None) -> CoreValue:
    """Elements in reverse along some axes, or along all."""
    x = as_core(x)
    named = axis if dims is None else dims
    if order:
        named = order[0] if len(order) == 1 else order
    return bind(FLIP, x, axes=many_axes("flip", named, shape_of(x)))


@function(family="shape", op=FLIP, where="numpy torch method", derivative="flip g", views=True, cases=(case((2, 3)),))
def fliplr(x: Any) -> CoreValue:
    """Elements in reverse along the second axis."""
    x = as_core(x)
    return bind(FLIP, x, axes=(one_axis("fliplr", 1, shape_of(x)),))


@function(family="shape", op=FLIP, where="numpy torch method", derivative="flip g", views=True, cases=(case((2, 3)),))
def flipud(x: Any) -> CoreValue:
    """Elements in reverse along the first axis."""
    x = as_core(x)
    return bind(FLIP, x, axes=(one_axis("flipud", 0, shape_of(x)),))


@function(
    family="shape",
    op=ROLL,
    derivative="roll g back",
    cases=(
        case((5,), 2),
        case((2, 3), 1),
        case((2, 3), -1, 1),
        case((2, 3), [1, 2], axis=[0, -1]),
        case((2, 3), 1, axis=[0, 1]),
        case((0,), 1),
    ),
)
def roll(x: Any, shift: Any = None, axis: Any = None, shifts: Any = None) -> CoreValue:
    """Elements moved along axes, around the end; without axes, in their order."""
    x = as_core(x)
    shape = shape_of(x)
    given = shift if shifts is None else shifts
    if given is None:
        raise TypeError("roll needs a shift")
    steps = integers(given, "roll: a shift")
    if axis is None or (isinstance(axis, list | tuple) and not axis):
        flat = bind(ROLL, reshaped(x, (count_of(shape),)), shifts=(sum(steps),), axes=(-1,))
        return reshaped(flat, shape)
    axes = tuple(one_axis("roll", a, shape) for a in integers(axis, "roll: an axis"))
    if len(steps) != len(axes) and 1 not in (len(steps), len(axes)):
        raise ArgumentError(f"roll: {len(steps)} shifts are given for {len(axes)} axes")
    count = max(len(steps), len(axes))
    return bind(
        ROLL,
        x,
        shifts=steps * count if len(steps) == 1 else steps,
        axes=axes * count if len(axes) == 1 else axes,
    )


@function(
    family="shape",
    derivative="rotate g back",
    views=True,
    cases=(case((2, 3)), case((2, 3), 2), case((2, 3), 3), case((2, 3, 4), 1, axes=[1, 2]), case((2, 3), -1)),
)
def rot90(x: Any, k: Any = 1, axes: Any = (0, 1), dims: Any = None) -> CoreValue:
    """The value turned by quarter turns, from the first of two axes towards the second."""
    x = as_core(x)
    plane = many_axes("rot90", axes if dims is None else dims, shape_of(x))
    if len(plane) != 2:
        raise ArgumentError(f"rot90 turns in a plane of two axes, not {len(plane)}")
    turns = integer(k, "rot90: the number of turns") % 4
    if turns == 0:
        return x
    if turns == 2:
        return bind(FLIP, x, axes=plane)
    if turns == 1:
        return swapaxes.call(bind(FLIP, x, axes=plane[1:]), *plane)
    return bind(FLIP, swapaxes.call(x, *plane), axes=plane[1:])


# --- tiles -----------------------------------------------------------------------------------------------------------


def _tile_rule(x: CoreValue, reps: Shape) -> Spec:
    shape = shape_of(x)
    lead = len(shape) - len(reps)
    return Spec(shape[:lead] + tuple(n * r for n, r in zip(shape[lead:], reps, strict=True)), dtype_of(x))


def _tile_transpose(g: CoreValue, x: CoreValue, reps: Shape) -> CoreValue:
    shape = shape_of(x)
    lead = len(shape) - len(reps)
    pairs, kept = list(shape[:lead]), list(shape[:lead])
    for n, r in zip(shape[lead:], reps, strict=True):
        pairs += [r, n]
        kept += [1, n]
    return reshaped(sum_to(reshaped(g, tuple(pairs)), tuple(kept)), shape)


TILE: Op = linear(
    "tile",
    lambda x, reps: np.tile(x, reps),
    _tile_rule,
    transpose=_tile_transpose,
    torch="Repeat",
    doc="The whole value repeated along its axes.",
)


@function(
    family="shape",
    op=TILE,
    also=(".repeat@torch",),
    derivative="sum g over the copies",
    cases=(case((3,), 2), case((2, 3), [2, 1]), case((3,), [2, 2]), case((2, 3), 2), case((), [2]), case((2,), 0)),
)
def tile(x: Any, *repeats: Any, reps: Any = None, dims: Any = None) -> CoreValue:
    """The whole value repeated along its axes."""
    x = as_core(x)
    named = dims if reps is None else reps
    counts = sizes("tile", repeats if named is None else (named,))
    if any(n < 0 for n in counts):
        raise ArgumentError(f"tile: a count can't be negative: {fits(counts)}")
    rank = max(len(counts), len(shape_of(x)))
    x = reshaped(x, (1,) * (rank - len(shape_of(x))) + shape_of(x))
    return bind(TILE, x, reps=(1,) * (rank - len(counts)) + counts)


# --- padding ---------------------------------------------------------------------------------------------------------


def _inside(shape: Shape, widths: Widths) -> tuple[slice, ...]:
    """Where the value itself stands in its padded form."""
    lead = len(shape) - len(widths)
    return tuple(slice(None) for _ in range(lead)) + tuple(
        slice(before, before + n) for n, (before, _) in zip(shape[lead:], widths, strict=True)
    )


def _pad_value(x: Any, fill: Any, widths: Widths) -> Any:
    lead = x.ndim - len(widths)
    shape = x.shape[:lead] + tuple(n + a + b for n, (a, b) in zip(x.shape[lead:], widths, strict=True))
    made = np.empty(shape, x.dtype)
    made[...] = fill
    made[_inside(x.shape, widths)] = x
    return made


def _pad_rule(x: CoreValue, fill: CoreValue, widths: Widths) -> Spec:
    shape = shape_of(x)
    lead = len(shape) - len(widths)
    return Spec(shape[:lead] + tuple(n + a + b for n, (a, b) in zip(shape[lead:], widths, strict=True)), dtype_of(x))


def _pad_transpose(g: CoreValue, x: CoreValue, fill: CoreValue, widths: Widths) -> list[CoreValue | None]:
    inside = _inside(shape_of(x), widths)
    to_x = getitem.call(g, inside)
    if not hasattr(fill, "dtype"):
        return [to_x, None]
    return [to_x, sum_to(setitem.call(g, inside, np.zeros((), dtype_of(g))), shape_of(fill))]


def _pad_batch(xs: Sequence[CoreValue], batched: Sequence[bool], params: dict[str, Any], size: int) -> CoreValue:
    x, fill = xs
    if not batched[0]:
        x = expanded(x, (size, *shape_of(x)))
    if batched[1]:
        fill = reshaped(fill, (size,) + (1,) * (len(shape_of(x)) - 1))
    return bind(PAD, x, fill, **params)


PAD: Op = linear(
    "pad",
    _pad_value,
    _pad_rule,
    transpose=_pad_transpose,
    batch=_pad_batch,
    operands=2,
    torch=lambda operands, params: ("ConstantPadNdBackward0", (0,)),
    doc="The value with a border of one number.",
)

_MODES = ("constant", "edge", "reflect", "symmetric", "wrap")


def _pairs(name: str, given: Any, rank: int) -> list[tuple[Any, Any]]:
    """A pair per axis out of NumPy's short forms: one for all, (before, after) for all, or a pair per axis."""
    if hasattr(given, "ndim") and given.ndim:
        given = as_core(given)
        given = [given[i] for i in range(given.shape[0])]
    if not isinstance(given, list | tuple):
        return [(given, given)] * rank
    items = [list(p) if isinstance(p, list | tuple) or np.ndim(p) else p for p in given]
    if len(items) == 1:
        items = items * rank if isinstance(items[0], list) else [[items[0], items[0]]] * rank
    elif len(items) == 2 and not any(isinstance(p, list) for p in items):
        items = [items] * rank
    if len(items) != rank or any(not isinstance(p, list) or len(p) not in (1, 2) for p in items):
        raise ArgumentError(f"pad: {name} must be one, a pair, or a pair for each of {rank} axes")
    return [(p[0], p[-1]) for p in items]


def _padded_with(x: CoreValue, widths: Widths, fill: Any) -> CoreValue:
    """A border of one number, a scalar of which may be traced."""
    value = cast(as_core(fill), dtype_of(x)) if hasattr(fill, "dtype") else np.dtype(dtype_of(x)).type(fill)
    if len(shape_of(value)):
        raise ShapeError(f"pad: a constant must be a scalar, not of shape {fits(shape_of(value))}")
    return bind(PAD, x, value, widths=widths)


def _padded_by_constants(x: CoreValue, widths: Widths, constants: Any) -> CoreValue:
    rank = len(widths)
    if not isinstance(constants, list | tuple) and not getattr(constants, "ndim", 0):
        return _padded_with(x, widths, constants)
    for axis, ((before, after), (low, high)) in enumerate(
        zip(widths, _pairs("constant_values", constants, rank), strict=True)
    ):
        around = ((0, 0),) * (rank - axis - 1)
        x = _padded_with(x, ((before, 0), *around), low)
        x = _padded_with(x, ((0, after), *around), high)
    return x


def _padded_by_copies(x: CoreValue, widths: Widths, mode: str) -> CoreValue:
    """A border of elements of the value itself: along each axis, a read at integer indices."""
    rank = len(widths)
    for axis, pair in enumerate(widths):
        if pair == (0, 0):
            continue
        length = shape_of(x)[axis]
        if length == 0:
            raise ShapeError(f"pad: there is nothing along axis {axis} of shape {fits(shape_of(x))} to pad with")
        budget.charge(8 * (length + sum(pair)), "pad")
        places = np.pad(np.arange(length), pair, mode=mode)  # type: ignore[call-overload]
        x = taken(x, places, axis - rank)
    return x


@function(
    family="shape",
    op=PAD,
    where="numpy",
    derivative="g without the border",
    cases=(
        case((3,), 1),
        case((2, 3), [1, 2]),
        case((2, 3), [[1, 0], [0, 2]], constant_values=1.5),
        case((2,), 2, constant_values=[1.0, 2.0]),
        case((4,), 2, mode="edge"),
        case((2, 3), [[1, 1], [2, 1]], mode="reflect"),
        case((3,), [4, 2], mode="symmetric"),
        case((3,), 2, mode="wrap"),
        case((0,), 1),
    ),
)
def pad(x: Any, pad_width: Any, mode: Any = "constant", constant_values: Any = 0) -> CoreValue:
    """The value with a border: of a constant, or of its own elements (edge, reflect, symmetric, wrap)."""
    x = as_core(x)
    pairs = _pairs("pad_width", pad_width, len(shape_of(x)))
    widths = tuple((integer(a, "pad: a width"), integer(b, "pad: a width")) for a, b in pairs)
    if any(n < 0 for pair in widths for n in pair):
        raise ArgumentError("pad: a width can't be negative")
    if mode == "constant":
        return _padded_by_constants(x, widths, constant_values)
    if mode not in _MODES:
        raise ArgumentError(f"pad: unknown mode {str(mode)[:40]!r}", mend="one of " + ", ".join(_MODES))
    return _padded_by_copies(x, widths, mode)


_TORCH_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


@function(
    "pad_torch",
    family="shape",
    op=PAD,
    where="",
    also=("torch.nn.functional.pad",),
    derivative="g without the border",
    cases=(
        case((2, 3), [1, 2]),
        case((2, 3), [1, 0, 0, 2], value=1.5),
        case((2, 3), [-1, 1]),
        case((1, 2, 4), [2, 1], mode="reflect"),
        case((1, 2, 4), [2, 1], mode="replicate"),
        case((1, 2, 4), [2, 1], mode="circular"),
    ),
)
def pad_torch(input: Any, pad: Any, mode: Any = "constant", value: Any = None) -> CoreValue:
    """The value with a border, pairs of widths given from the last axis on; negative ones cut off."""
    x = as_core(input)
    rank, given = len(shape_of(x)), integers(pad, "pad: a width")
    if len(given) % 2 or len(given) > 2 * rank:
        raise ArgumentError(
            f"pad: {len(given)} widths are given; shape {fits(shape_of(x))} takes pairs, at most {rank}"
        )
    pairs = [(given[i], given[i + 1]) for i in range(0, len(given), 2)]
    widths = ((0, 0),) * (rank - len(pairs)) + tuple(reversed(pairs))
    if mode != "constant" and mode not in _TORCH_MODES:
        raise ArgumentError(
            f"pad: unknown mode {str(mode)[:40]!r}", mend="one of constant, reflect, replicate, circular"
        )
    added = tuple((max(a, 0), max(b, 0)) for a, b in widths)
    if mode == "constant":
        x = _padded_with(x, added, 0 if value is None else value)
    else:
        x = _padded_by_copies(x, added, _TORCH_MODES[mode])
    if added == widths:
        return x
    cut = tuple(slice(max(-a, 0), n - max(-b, 0)) for n, (a, b) in zip(shape_of(x), widths, strict=True))
    return getitem.call(x, cut)
