"""Grids of points from their coordinates along each axis."""

from __future__ import annotations

from typing import Any

from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.values import CoreValue, count_of, shape_of
from gradcli.ops.function import case
from gradcli.ops.kinds import expanded, fits
from gradcli.ops.operands import as_core
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped


def _grids(xs: tuple[Any, ...], indexing: Any) -> tuple[CoreValue, ...]:
    """Each vector spread over the whole grid; with `xy` the first two axes change places."""
    if indexing not in ("ij", "xy"):
        raise ArgumentError(f"meshgrid: indexing is 'ij' or 'xy', not {indexing!r}")
    vectors = [as_core(x) for x in (xs[0] if len(xs) == 1 and isinstance(xs[0], list | tuple) else xs)]
    for x in vectors:
        if len(shape_of(x)) > 1:
            raise ShapeError(f"meshgrid takes vectors, not shape {fits(shape_of(x))}")
    places = list(range(len(vectors)))
    if indexing == "xy" and len(vectors) > 1:
        places[:2] = [1, 0]
    lengths = [count_of(shape_of(x)) for x in vectors]
    whole = [0] * len(vectors)
    for place, length in zip(places, lengths, strict=True):
        whole[place] = length
    return tuple(
        expanded(reshaped(x, tuple(length if i == place else 1 for i in range(len(vectors)))), tuple(whole))
        for x, place, length in zip(vectors, places, lengths, strict=True)
    )


@function(
    family="constructor", where="numpy", derivative="vjp: g summed over the other axes", cases=(case((2,), (3,)),)
)
def meshgrid(*xs: Any, indexing: Any = "xy") -> tuple[CoreValue, ...]:
    """Coordinates of all points of a grid, an array per axis."""
    return _grids(xs, indexing)


@function(
    "meshgrid_torch",
    family="constructor",
    where="",
    also=("torch.meshgrid",),
    derivative="vjp: g summed over the other axes",
    cases=(case((2,), (3,)), case((2,), (3,), indexing="xy")),
)
def meshgrid_torch(*tensors: Any, indexing: Any = "ij") -> tuple[CoreValue, ...]:
    """Coordinates of all points of a grid, a tensor per axis."""
    return _grids(tensors, indexing)
