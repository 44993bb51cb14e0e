"""A value read at other places along its last axes: each element of the result is a weighed sum of a few neighbours.

How one axis is read is a `Map`. Positions and weights are fractions; they are worked out in whole numbers, so that no
rounding shifts a position across an element's border.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Shape, Spec, dtype_of, shape_of
from gradcli.ops.dependence import mapped_last
from gradcli.ops.kinds import linear
from gradcli.ops.windows import add_along, along


class Map(NamedTuple):
    """`length` places along one axis, step/unit elements apart.

    `kind` is "nearest" (the element that a place's start lies in), "exact" (that its centre lies in), "linear" or
    "cubic". With `corners` the first and the last place are the centres of the first and the last element; otherwise
    the outer borders of elements and of places coincide.
    """

    kind: str
    step: int
    unit: int
    corners: bool
    length: int


class Taps(NamedTuple):
    """Which elements an axis is read at, [tap, place], and their weights as numerators over one denominator."""

    places: Any
    numerators: Any
    denominator: int

    def weights(self, dtype: np.dtype[Any]) -> Any:
        """The weights, each rounded once."""
        return (self.numerators / self.denominator).astype(dtype)


#: Larger steps are worked out in Python's integers.
_SAFE = 1 << 20


@lru_cache(maxsize=64)
def taps_of(map: Map, n: int) -> Taps:
    """How `map` reads an axis of n elements."""
    places = np.arange(map.length)
    if map.kind == "cubic" or max(map.step, map.unit, map.length) > _SAFE:
        places = places.astype(object)
    if map.kind == "nearest":
        return _whole(places * map.step // map.unit, n)
    if map.corners:
        position, unit = places * map.step, map.unit
    elif map.kind == "exact":
        return _whole((2 * places + 1) * map.step // (2 * map.unit), n)
    else:
        position, unit = (2 * places + 1) * map.step - map.unit, 2 * map.unit
    return _linear(position, unit, n) if map.kind == "linear" else _cubic(position, unit, n)


def _whole(places: Any, n: int) -> Taps:
    found = np.minimum(places, n - 1)[None]
    return Taps(found.astype(np.int64), np.ones(found.shape, np.int64), 1)


def _linear(position: Any, unit: int, n: int) -> Taps:
    """Between an element and the next, by the distances from them."""
    position = np.minimum(np.maximum(position, 0), (n - 1) * unit)
    first = position // unit
    rest = position - first * unit
    places = np.stack([first, np.minimum(first + 1, n - 1)])
    return Taps(places.astype(np.int64), np.stack([unit - rest, rest]), unit)


def _cubic(position: Any, unit: int, n: int) -> Taps:
    """Cubic convolution of the four nearest elements, with -3/4 for Keys' parameter, as PyTorch has it.

    Source: R. Keys, "Cubic convolution interpolation for digital image processing", 1981, equation (4).
    """
    first = position // unit
    t = position - first * unit
    s = unit - t
    places = np.stack([first - 1, first, first + 1, first + 2])
    weights = np.stack([_outer(unit + t, unit), _inner(t, unit), _inner(s, unit), _outer(unit + s, unit)])
    return Taps(np.minimum(np.maximum(places, 0), n - 1).astype(np.int64), weights, 4 * unit**3)


def _inner(t: Any, unit: int) -> Any:
    """(a + 2)t**3 - (a + 3)t**2 + 1 for a = -3/4, times 4 unit**3; t counts parts of 1/unit."""
    return 5 * t**3 - 9 * t**2 * unit + 4 * unit**3


def _outer(t: Any, unit: int) -> Any:
    """a t**3 - 5a t**2 + 8a t - 4a, likewise."""
    return -3 * t**3 + 15 * t**2 * unit - 24 * t * unit**2 + 12 * unit**3


# --- the ops ---------------------------------------------------------------------------------------------------------


def _weighed(x: Any, weights: Any, axis: int) -> Any:
    return x * weights.reshape((-1,) + (1,) * (-axis - 1))


def _read(x: Any, *, maps: Sequence[Map]) -> Any:
    found = x
    for axis, map in enumerate(maps, start=-len(maps)):
        taps = taps_of(map, x.shape[axis])
        if len(taps.places) == 1:
            found = found[along(axis, taps.places[0])]
            continue
        parts = zip(taps.places, taps.weights(x.real.dtype), strict=True)
        found = sum(_weighed(found[along(axis, places)], weights, axis) for places, weights in parts)
    return found.copy() if found.base is not None else found


def _read_shape(x: CoreValue, *, maps: Sequence[Map]) -> Spec:
    return Spec((*shape_of(x)[: -len(maps)], *(map.length for map in maps)), dtype_of(x))


def _exact_read(S: Any, x: Any, *, maps: Sequence[Map]) -> Any:
    found = x
    for axis, map in enumerate(maps, start=-len(maps)):
        taps = taps_of(map, x.shape[axis])
        total: Any = 0
        for places, numerators in zip(taps.places, taps.numerators, strict=True):
            total = total + _weighed(found.take(places, axis), _exact_weights(S, numerators, taps.denominator), axis)
        found = total
    return found


def _exact_weights(S: Any, numerators: Any, denominator: int) -> Any:
    made = np.empty(len(numerators), dtype=object)
    for i, numerator in enumerate(numerators.tolist()):
        made[i] = S.number(int(numerator)) / denominator
    return made


def _spread(g: Any, *, maps: Sequence[Map], lengths: Shape) -> Any:
    found = g
    for axis, (map, n) in enumerate(zip(maps, lengths, strict=True), start=-len(maps)):
        taps = taps_of(map, n)
        shape = list(found.shape)
        shape[axis] = n
        made = np.zeros(shape, g.dtype)
        for places, weights in zip(taps.places, taps.weights(g.real.dtype), strict=True):
            add_along(made, axis, places, _weighed(found, weights, axis))
        found = made
    return found


def _exact_spread(S: Any, g: Any, *, maps: Sequence[Map], lengths: Shape) -> Any:
    found = g
    for axis, (map, n) in enumerate(zip(maps, lengths, strict=True), start=-len(maps)):
        taps = taps_of(map, n)
        rows = np.moveaxis(found, axis, 0)
        made = np.full((n, *rows.shape[1:]), S.number(0), dtype=object)
        for places, numerators in zip(taps.places, taps.numerators, strict=True):
            weights = _exact_weights(S, numerators, taps.denominator)
            for place, weight, row in zip(places, weights, rows, strict=True):
                made[place] = made[place] + row * weight
        found = np.moveaxis(made, 0, axis)
    return found


def _node(operands: Sequence[CoreValue], params: dict[str, Any]) -> str:
    rank, kind = len(params["maps"]), params["maps"][0].kind
    if kind == "linear":
        return f"Upsample{('Linear', 'Bilinear', 'Trilinear')[rank - 1]}{rank}DBackward0"
    return f"Upsample{ {'nearest': 'Nearest', 'exact': 'NearestExact', 'cubic': 'Bicubic'}[kind] }{rank}DBackward0"


READ: Op = linear(
    "resample",
    _read,
    _read_shape,
    transpose=lambda g, x, *, maps: bind(SPREAD, g, maps=maps, lengths=shape_of(x)[-len(maps) :]),
    meaning=_exact_read,
    torch=_node,
    depends=mapped_last("maps"),
    doc="The value read at other places along its last axes.",
)
SPREAD: Op = linear(
    "resample_back",
    _spread,
    lambda g, *, maps, lengths: Spec((*shape_of(g)[: -len(maps)], *lengths), dtype_of(g)),
    transpose=lambda g, y, *, maps, lengths: bind(READ, g, maps=maps),
    meaning=_exact_spread,
    depends=mapped_last("maps"),
    doc="Elements spread over the places that they were read at.",
)
