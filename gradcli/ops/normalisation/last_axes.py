"""Values normalised along their last axes, or along any: layer_norm, rms_norm, standardize."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.errors import ShapeError
from gradcli.graph.values import CoreValue, Shape, dtype_of, shape_of
from gradcli.ops.arguments import sizes
from gradcli.ops.axes import axes_of
from gradcli.ops.elementwise import rsqrt, square
from gradcli.ops.function import case
from gradcli.ops.normalisation.standard import NORMALISED, RULE, eps_of, normalised
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.reduction import average
from gradcli.ops.registry import function


def _lengths(name: str, x: CoreValue, normalized_shape: Any) -> Shape:
    """The lengths of the last axes, if they are those."""
    found = sizes(name, (normalized_shape,))
    if not found or shape_of(x)[-len(found) :] != found:
        raise ShapeError(
            f"Given normalized_shape={list(found)}, expected input with shape [*{''.join(f', {n}' for n in found)}], "
            f"but got input of size{list(shape_of(x))}",
            mend="the lengths of the last axes",
        )
    return found


@function(
    real=True,
    family="normalisation",
    where="torch F",
    op=NORMALISED,
    derivative=RULE,
    cases=(
        case((2, 3), [3]),
        case((2, 3), [2, 3]),
        case((2, 3), 3, (3,), (3,)),
        case((2, 2, 3), [2, 3], (2, 3), eps=0.5),
        case((2, 3), [3], None, (3,)),
        case(np.array([[2.0, 2.0], [1.0, 3.0]]), [2]),
        case((0, 3), [3], (3,)),
        case((2, 3), [3], eps=0.0),
    ),
)
def layer_norm(input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: Any = 1e-5) -> CoreValue:
    """x less its mean, over its standard deviation, along the last axes, whose lengths are given."""
    x = to_float(as_core(input))
    shape = _lengths("layer_norm", x, normalized_shape)
    return normalised(
        "layer_norm",
        "LayerNorm",
        x,
        weight,
        bias,
        shape,
        axis=tuple(range(-len(shape), 0)),
        eps=eps_of("layer_norm", eps),
        centred=True,
        groups=0,
        rank=0,
    )


@function(
    real=True,
    family="normalisation",
    where="torch F",
    op=NORMALISED,
    derivative="vjp: w*(g - x^*mean(g*x^))/rms(x) with x^ = x/rms(x), for g*w; sum of g*x^",
    cases=(case((2, 3), [3]), case((2, 3), [2, 3], (2, 3), 0.25), case((2, 3), 3, (3,))),
)
def rms_norm(input: Any, normalized_shape: Any, weight: Any = None, eps: Any = None) -> CoreValue:
    """x over its root mean square along the last axes, whose lengths are given."""
    x = to_float(as_core(input))
    shape = _lengths("rms_norm", x, normalized_shape)
    return normalised(
        "rms_norm",
        "RmsNorm",
        x,
        weight,
        None,
        shape,
        axis=tuple(range(-len(shape), 0)),
        eps=float(np.finfo(dtype_of(x)).eps) if eps is None else eps_of("rms_norm", eps),
        centred=False,
        groups=0,
        rank=0,
    )


@function(
    family="normalisation",
    where="",
    also=("jax.nn.standardize",),
    op=NORMALISED,
    derivative=RULE,
    cases=(case((2, 3)), case((2, 3), [0, 1], epsilon=0.25), case((2, 3), 0, (3,), np.array([0.5, 1.5, 2.0]))),
)
def standardize(x: Any, axis: Any = -1, mean: Any = None, variance: Any = None, epsilon: Any = 1e-5) -> CoreValue:
    """x less its mean, over its standard deviation, along axes; either may be given."""
    found, small = to_float(as_core(x)), eps_of("standardize", epsilon)
    axes = axes_of("standardize", axis, found)
    if mean is None and variance is None:
        return normalised(
            "standardize",
            "LayerNorm",
            found,
            None,
            None,
            (),
            axis=tuple(axes),
            eps=small,
            centred=True,
            groups=0,
            rank=0,
        )
    centred = found - (average(found, axes, True) if mean is None else as_core(mean))
    squares = average(square(found - average(found, axes, True)), axes, True) if variance is None else as_core(variance)
    return centred * rsqrt(squares + small)
