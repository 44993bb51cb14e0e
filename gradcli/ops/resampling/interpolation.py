"""Values made larger or smaller along their last axes: interpolate, upsample."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.values import CoreValue, Shape, ndim_of, shape_of
from gradcli.ops.arguments import settled
from gradcli.ops.function import case
from gradcli.ops.kinds import fits
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.pooling.averages import adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d
from gradcli.ops.registry import function
from gradcli.ops.resampling.maps import READ, Map
from gradcli.ops.windows import per_axis

#: The map of each mode, and over how many axes PyTorch has it.
_MODES = {
    "nearest": ("nearest", (1, 2, 3)),
    "nearest-exact": ("exact", (1, 2, 3)),
    "linear": ("linear", (1,)),
    "bilinear": ("linear", (2,)),
    "trilinear": ("linear", (3,)),
    "bicubic": ("cubic", (2,)),
    "area": ("area", (1, 2, 3)),
}
_AREAS = (adaptive_avg_pool1d, adaptive_avg_pool2d, adaptive_avg_pool3d)


def _factors(name: str, given: Any, rank: int) -> list[Fraction]:
    """Scale factors, one per axis."""
    if hasattr(given, "dtype"):
        given = settled(given).tolist()
    found = list(given) if isinstance(given, list | tuple) else [given] * rank
    if len(found) != rank:
        raise ArgumentError(f"{name}: scale_factor is one number, or {rank} of them, not {len(found)}")
    try:
        factors = [Fraction(settled(f).item() if hasattr(f, "dtype") else f) for f in found]
    except (TypeError, ValueError, OverflowError):
        raise ArgumentError(f"{name}: a scale factor is a number above 0") from None
    if any(f <= 0 for f in factors):
        raise ArgumentError(f"{name}: a scale factor is a number above 0, not {float(min(factors))}")
    return factors


def _plan(name: str, lengths: Shape, size: Any, scale_factor: Any, recompute: Any) -> tuple[Shape, list[Fraction]]:
    """The lengths wanted, and how many elements there are to each place."""
    rank = len(lengths)
    if (size is None) == (scale_factor is None):
        raise ArgumentError(f"{name}: either size or scale_factor should be defined, and not both")
    if size is not None:
        wanted = per_axis(name, "size", size, rank)
        return wanted, [Fraction(n, m) for n, m in zip(lengths, wanted, strict=True)]
    factors = _factors(name, scale_factor, rank)
    wanted = tuple(int(n * f) for n, f in zip(lengths, factors, strict=True))
    if 0 in wanted:
        raise ShapeError(f"{name}: of shape {fits(lengths)} nothing is left at this scale")
    if recompute:
        return wanted, [Fraction(n, m) for n, m in zip(lengths, wanted, strict=True)]
    return wanted, [1 / f for f in factors]


def _maps(kind: str, lengths: Shape, wanted: Shape, steps: list[Fraction], corners: bool) -> tuple[Map, ...]:
    made = []
    for n, count, step in zip(lengths, wanted, steps, strict=True):
        if corners and kind in ("linear", "cubic"):
            step = Fraction(n - 1, count - 1) if count > 1 else Fraction(0)
        made.append(Map(kind, step.numerator, step.denominator, corners, count))
    return tuple(made)


def _interpolated(
    name: str, input: Any, size: Any, scale_factor: Any, mode: Any, align_corners: Any, recompute: Any
) -> CoreValue:
    x = to_float(as_core(input))
    rank = ndim_of(x) - 2
    if mode not in _MODES:
        raise ArgumentError(f"{name}: unknown mode {str(mode)[:40]!r}", mend="one of " + ", ".join(_MODES))
    kind, ranks = _MODES[mode]
    if rank not in ranks:
        raise ShapeError(f"{name}: mode {mode!r} takes {_axes(ranks)}, not shape {fits(shape_of(x))}")
    if align_corners is not None and kind not in ("linear", "cubic"):
        raise ArgumentError(
            "align_corners option can only be set with the interpolating modes: linear | bilinear | bicubic | trilinear"
        )
    if 0 in shape_of(x)[2:]:
        raise ShapeError(f"{name}: nothing to read along an axis of shape {fits(shape_of(x))}")
    wanted, steps = _plan(name, shape_of(x)[2:], size, scale_factor, recompute)
    if kind == "area":
        return _AREAS[rank - 1].call(x, list(wanted))
    return bind(READ, x, maps=_maps(kind, shape_of(x)[2:], wanted, steps, bool(align_corners)))


def _axes(ranks: Shape) -> str:
    return " or ".join(str(rank + 2) for rank in ranks) + " axes"


_RULE = "vjp: g spread over the elements read, by their weights"


@function(
    family="convolution",
    where="F",
    op=READ,
    derivative=_RULE,
    source="bicubic: Keys 1981, equation (4), with a = -3/4",
    cases=(
        case((1, 2, 3), 5),
        case((2, 2, 3, 2), scale_factor=2),
        case((1, 1, 4), scale_factor=0.5, mode="nearest-exact"),
        case((1, 2, 3), 7, mode="linear"),
        case((1, 1, 5), [3], None, "linear", True),
        case((1, 1, 2, 3), scale_factor=[2, 1.5], mode="bilinear"),
        case((1, 1, 3, 2), [2, 5], mode="bilinear", align_corners=True),
        case((1, 1, 3, 2), [4, 3], mode="bicubic"),
        case((1, 1, 3, 4), [2, 7], mode="bicubic", align_corners=True),
        case((1, 1, 2, 2, 2), 3, mode="trilinear"),
        case((1, 1, 5, 4), [3, 2], mode="area"),
        case((1, 1, 5), scale_factor=1.3, mode="linear", recompute_scale_factor=True),
        case((1, 1, 1), 1, mode="linear", align_corners=True),
    ),
)
def interpolate(
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: Any = "nearest",
    align_corners: Any = None,
    recompute_scale_factor: Any = None,
    antialias: Any = False,
) -> CoreValue:
    """The value in another size along all axes but the first two: nearest, linear kinds, bicubic or area."""
    if antialias:
        raise ArgumentError("interpolate: antialias is not here", mend="mode='area' averages")
    return _interpolated("interpolate", input, size, scale_factor, mode, align_corners, recompute_scale_factor)


@function(
    family="convolution", where="F", op=READ, derivative=_RULE, cases=(case((1, 1, 2, 3), [3, 4], mode="bilinear"),)
)
def upsample(
    input: Any, size: Any = None, scale_factor: Any = None, mode: Any = "nearest", align_corners: Any = None
) -> CoreValue:
    """An older name of interpolate."""
    return _interpolated("upsample", input, size, scale_factor, mode, align_corners, None)


@function(family="convolution", where="F", op=READ, derivative=_RULE, cases=(case((1, 1, 2, 3), None, 2),))
def upsample_nearest(input: Any, size: Any = None, scale_factor: Any = None) -> CoreValue:
    """The value in another size, each place with its nearest element."""
    return _interpolated("upsample_nearest", input, size, scale_factor, "nearest", None, None)


@function(family="convolution", where="F", op=READ, derivative=_RULE, cases=(case((1, 1, 2, 3), None, 2),))
def upsample_bilinear(input: Any, size: Any = None, scale_factor: Any = None) -> CoreValue:
    """The value in another size along two axes, linearly between corners that stay corners."""
    return _interpolated("upsample_bilinear", input, size, scale_factor, "bilinear", True, None)
