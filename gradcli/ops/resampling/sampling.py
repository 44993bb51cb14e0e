"""Images read at places that a grid names: affine_grid, grid_sample."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Shape, Spec, count_of, dtype_of, ndim_of, shape_of
from gradcli.ops.arguments import integers
from gradcli.ops.axis_order import moveaxis, swapaxes
from gradcli.ops.casts import cast
from gradcli.ops.dependence import coupled
from gradcli.ops.elementwise import (
    absolute,
    clip,
    floor,
    greater,
    greater_equal,
    less,
    less_equal,
    logical_and,
    round_,
    where,
)
from gradcli.ops.function import case
from gradcli.ops.indexing import getitem
from gradcli.ops.kinds import fits, linear
from gradcli.ops.one_node import one_node
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.products import times
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped

# --- affine grids ----------------------------------------------------------------------------------------------------


def _base(lengths: Shape, corners: bool, dtype: np.dtype[Any]) -> Any:
    """The homogeneous coordinates of an image's pixels, one in each row: the last axis first, from -1 to 1."""
    axes = []
    for n in lengths:
        steps = np.arange(n)
        axes.append((2 * steps - (n - 1)) / (max(n - 1, 1) if corners else n))
    spread = np.meshgrid(*axes, indexing="ij")
    return np.stack([*spread[::-1], np.ones(lengths)], -1).reshape(-1, len(lengths) + 1).astype(dtype)


def _grid(theta: Any, *, lengths: Shape, corners: bool) -> Any:
    found = _base(lengths, corners, theta.dtype) @ theta.swapaxes(-1, -2)
    return found.reshape(*theta.shape[:-2], *lengths, len(lengths))


def _grid_back(g: CoreValue, theta: CoreValue, *, lengths: Shape, corners: bool) -> CoreValue:
    rows = reshaped(g, (*shape_of(theta)[:-2], count_of(lengths), len(lengths)))
    return times(swapaxes(rows, -1, -2), _base(lengths, corners, dtype_of(g)))


def _exact_grid(S: Any, theta: Any, *, lengths: Shape, corners: bool) -> Any:
    made = np.empty((*theta.shape[:-2], *lengths, len(lengths)), dtype=object)
    for place in np.ndindex(lengths):
        point = [
            S.number(2 * i - (n - 1)) / (max(n - 1, 1) if corners else n) for i, n in zip(place, lengths, strict=True)
        ]
        coordinates = [*point[::-1], S.number(1)]
        made[(..., *place, slice(None))] = sum(theta[..., k] * c for k, c in enumerate(coordinates))
    return made


AFFINE_GRID: Op = linear(
    "affine_grid",
    _grid,
    lambda theta, *, lengths, corners: Spec((*shape_of(theta)[:-2], *lengths, len(lengths)), dtype_of(theta)),
    transpose=_grid_back,
    meaning=_exact_grid,
    torch="AffineGridGenerator",
    depends=coupled(2),
    doc="The places that affine maps send an image's pixels to.",
)


@function(
    family="convolution",
    where="F",
    op=AFFINE_GRID,
    derivative="vjp: sum of g times the pixels' coordinates",
    cases=(
        case((2, 2, 3), [2, 1, 2, 3]),
        case((1, 2, 3), [1, 3, 1, 4], True),
        case((1, 3, 4), [1, 1, 2, 1, 2]),
    ),
)
def affine_grid(theta: Any, size: Any, align_corners: Any = None) -> CoreValue:
    """For each pixel of images of a size, [batch, channels, ...], the place that its affine map sends it to."""
    x, wanted = to_float(as_core(theta)), integers(size, "affine_grid: size")
    rank = len(wanted) - 2
    if rank not in (2, 3) or shape_of(x) != (wanted[0], rank, rank + 1):
        raise ShapeError(
            f"affine_grid takes matrices of shape [batch, 2, 3] for a size of 4, [batch, 3, 4] for one of 5, not "
            f"{fits(shape_of(x))} for {fits(wanted)}"
        )
    if any(n < 1 for n in wanted):
        raise ArgumentError(f"affine_grid: a size is at least 1: {fits(wanted)}")
    return bind(AFFINE_GRID, x, lengths=wanted[2:], corners=bool(align_corners))


# --- reading at a grid -----------------------------------------------------------------------------------------------


class _Place(NamedTuple):
    """Places along an axis, as a sum of which the second part is exact: so they are known near whole numbers, too."""

    scaled: CoreValue
    offset: float

    @property
    def value(self) -> CoreValue:
        """The places themselves."""
        return self.scaled + self.offset

    def beyond(self, low: CoreValue) -> CoreValue:
        """How far they lie beyond whole numbers."""
        return self.scaled - (low - self.offset)


def _place(x: CoreValue, n: int, corners: bool) -> _Place:
    """Coordinates from -1 to 1 as places among n elements."""
    return _Place(x * ((n - 1) / 2 if corners else n / 2), (n - 1) / 2)


def _folded(x: CoreValue, low: float, span: float) -> CoreValue:
    """Places folded back at `low` and `low` + `span`."""
    if span == 0:
        return x * 0.0
    away = absolute(x - low)
    turns = floor(away / span)
    rest = away - turns * span
    odd = (turns - 2.0 * floor(turns * 0.5)) > 0.5
    return where(odd, span - rest, rest) + low


def _within(place: _Place, n: int, padding: str, corners: bool) -> _Place:
    """Places brought inside, as the padding mode says."""
    if padding == "zeros":
        return place
    x = place.value
    if padding == "reflection":
        x = _folded(x, 0.0, n - 1.0) if corners else _folded(x, -0.5, float(n))
    inside = logical_and(greater(x, 0.0), less(x, n - 1.0))
    return _Place(where(inside, x, where(greater(x, 0.0), n - 1.0, 0.0)), 0.0)


def _picked(image: CoreValue, places: list[CoreValue], lengths: Shape, weight: CoreValue | None = None) -> CoreValue:
    """The channels at whole places times a weight, 0 outside: image [batch, ..., channels], places [batch, ...]."""
    inside: Any = None
    index = []
    for place, n in zip(places, lengths, strict=True):
        here = logical_and(greater_equal(place, 0.0), less_equal(place, n - 1.0))
        inside = here if inside is None else logical_and(inside, here)
        index.append(cast(clip.call(where(here, place, 0.0), 0.0, n - 1.0), np.dtype(np.int64)))
    batch = shape_of(image)[0]
    rows = np.arange(batch).reshape((batch,) + (1,) * (ndim_of(places[0]) - 1))
    found = getitem.call(image, (rows, *index))
    found = found if weight is None else found * _column(weight)
    return where(_column(inside), found, np.zeros((), dtype_of(image)))


def _column(x: CoreValue) -> CoreValue:
    return reshaped(x, (*shape_of(x), 1))


def _bilinear(image: CoreValue, places: list[_Place], lengths: Shape, settle: Any) -> CoreValue:
    inner = [settle(place, n) for place, n in zip(places, lengths, strict=True)]
    first = [floor(place.value) for place in inner]
    weights = [(1.0 - place.beyond(low), place.beyond(low)) for place, low in zip(inner, first, strict=True)]
    return _summed(image, first, weights, lengths, lambda low, k, n: low + float(k))


def _nearest(image: CoreValue, places: list[_Place], lengths: Shape, settle: Any) -> CoreValue:
    at = [round_(settle(place, n).value) for place, n in zip(places, lengths, strict=True)]
    return _picked(image, at, lengths)


def _keys(t: CoreValue) -> tuple[CoreValue, ...]:
    """Weights of the four elements around a place that is t beyond the second of them: those of `maps._cubic`, in
    factors, for each is 0 at either end."""
    s = 1.0 - t
    return (
        t * s * s * -0.75,
        s * (1.0 + t * (1.0 - 1.25 * t)),
        t * (1.0 + s * (1.0 - 1.25 * s)),
        t * t * s * -0.75,
    )


def _bicubic(image: CoreValue, places: list[_Place], lengths: Shape, settle: Any) -> CoreValue:
    first = [floor(place.value) for place in places]
    weights = [_keys(place.beyond(low)) for place, low in zip(places, first, strict=True)]
    return _summed(image, first, weights, lengths, lambda low, k, n: settle(_Place(low + (k - 1.0), 0.0), n).value)


def _summed(
    image: CoreValue,
    first: list[CoreValue],
    weights: Sequence[Sequence[CoreValue]],
    lengths: Shape,
    at: Callable[[CoreValue, int, int], CoreValue],
) -> CoreValue:
    """The elements around each place times their weights, which are products of one for each axis."""
    total: Any = None
    for taps in product(range(len(weights[0])), repeat=len(lengths)):
        weight: Any = None
        for own, k in zip(weights, taps, strict=True):
            weight = own[k] if weight is None else weight * own[k]
        there = [at(low, k, n) for low, k, n in zip(first, taps, lengths, strict=True)]
        part = _picked(image, there, lengths, weight)
        total = part if total is None else total + part
    return total


_MODES: dict[str, Callable[..., CoreValue]] = {"bilinear": _bilinear, "nearest": _nearest, "bicubic": _bicubic}
_PADDINGS = ("zeros", "border", "reflection")


def _check(x: CoreValue, grid: CoreValue, mode: Any, padding: Any) -> None:
    rank = ndim_of(x) - 2
    if mode not in _MODES or padding not in _PADDINGS:
        raise ArgumentError(
            f"grid_sample: mode {str(mode)[:40]!r} with padding_mode {str(padding)[:40]!r} is not known",
            mend="bilinear, nearest or bicubic; zeros, border or reflection",
        )
    if rank not in (2, 3) or ndim_of(grid) != rank + 2:
        raise ShapeError(
            f"grid_sample takes an input and a grid with 4 or with 5 axes, not shapes {fits(shape_of(x))} and "
            f"{fits(shape_of(grid))}"
        )
    if shape_of(grid)[0] != shape_of(x)[0] or shape_of(grid)[-1] != rank or 0 in shape_of(x)[2:]:
        raise ShapeError(
            f"grid_sample: a grid of shape {fits(shape_of(grid))} does not fit an input of shape {fits(shape_of(x))}",
            mend=f"equally many in the batch, and {rank} coordinates",
        )
    if mode == "bicubic" and rank == 3:
        raise ArgumentError("grid_sample: bicubic interpolation only supports 4D input")


_GRID = np.array([[[[0.1, -0.3], [0.65, 0.75]], [[-0.9, 0.2], [1.3, -0.45]]]])


@function(
    family="convolution",
    where="F",
    derivative="vjp: g times the weights, to the pixels read; g times the image's slopes, to the grid",
    kinks="a place exactly on a pixel's centre: the slope towards the pixels after it; on the border of padding "
    "modes border and reflection: 0; both as in PyTorch",
    source="bicubic: Keys 1981, equation (4), with a = -3/4",
    cases=(
        case((1, 2, 3, 4), _GRID),
        case((1, 1, 3, 3), _GRID, "bilinear", "border", True),
        case((1, 1, 3, 2), _GRID, "bilinear", "reflection"),
        case((1, 1, 2, 3), _GRID * 2, padding_mode="reflection", align_corners=True),
        case((1, 2, 3, 3), _GRID, "nearest"),
        case((1, 1, 4, 3), _GRID, "bicubic"),
        case((1, 1, 4, 3), _GRID, "bicubic", "border", True),
        case((1, 1, 2, 3, 2), np.array([[[[[0.1, -0.3, 0.45]]]]])),
    ),
)
def grid_sample(
    input: Any, grid: Any, mode: Any = "bilinear", padding_mode: Any = "zeros", align_corners: Any = None
) -> CoreValue:
    """Images read at the places of a grid, whose coordinates go from -1 to 1, the last axis of the image first."""
    x, places = to_float(as_core(input)), to_float(as_core(grid))
    _check(x, places, mode, padding_mode)
    lengths, corners = shape_of(x)[2:], bool(align_corners)
    at = [_place(places[..., i], n, corners) for i, n in enumerate(reversed(lengths))][::-1]

    def settle(place: _Place, n: int) -> _Place:
        return _within(place, n, padding_mode, corners)

    found = _MODES[mode](moveaxis(x, 1, -1), at, lengths, settle)
    return one_node(f"GridSampler{len(lengths)}D", moveaxis(found, -1, 1), x, places)
