"""What a kind of distribution is: its parameters, and what can be made of them with the op table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.values import CoreValue, Shape
from gradcli.language.distributions.constraints import Constraint
from gradcli.ops import registry
from gradcli.ops.random import RAND

#: Parameters by name: core values, and a plain count where PyTorch has one.
Parameters = Mapping[str, Any]
OfParameters = Callable[[Parameters], CoreValue]
OfValue = Callable[[Parameters, CoreValue], CoreValue]
Dtype = np.dtype[Any]


class Kind(NamedTuple):
    """A kind of distribution.

    Attributes:
        name: what PyTorch calls it.
        parameters: its parameters in order, with what they must meet.
        support: what its values meet.
        log_prob: the logarithm of the density or probability of a value.
        draw: random values of a shape; None when it has none.
        smooth: whether derivatives pass through draws.
        defaults: what parameters are that may be left out.
        shown: the parameters that it is printed with.
        alternatives: parameters of which exactly one is given.
        parameter_axes: how many of the first parameter's last axes are within one distribution.
        event_axes: how many of the last axes of values are one value.
        attributes: what else can be read off: mean, variance, mode, and other forms of the parameters.
        entropy, cdf, icdf: None where they are not there.
    """

    name: str
    parameters: Mapping[str, Constraint | Callable[[Parameters], Constraint]]
    support: Constraint | Callable[[Parameters], Constraint]
    log_prob: OfValue
    draw: Callable[[Parameters, Shape, Dtype], CoreValue]
    attributes: Mapping[str, OfParameters]
    smooth: bool = True
    defaults: Mapping[str, float] = {}
    shown: tuple[str, ...] | None = None
    alternatives: tuple[str, ...] = ()
    parameter_axes: int = 0
    event_axes: int = 0
    entropy: OfParameters | None = None
    cdf: OfValue | None = None
    icdf: OfValue | None = None


def numpy(name: str, *args: Any, **kwargs: Any) -> Any:
    """A function of NumPy's, on core values."""
    return registry.known("numpy", name)(*args, **kwargs)


def standard(op: Any, shape: Shape, dtype: Dtype) -> CoreValue:
    """A draw of a distribution without parameters."""
    return bind(op, shape=shape, dtype=dtype)


def uniform_draw(shape: Shape) -> CoreValue:
    """A draw from [0, 1) in double precision, whatever its use is rounded to."""
    return bind(RAND, shape=shape, dtype=np.dtype(np.float64))


def filled(like: CoreValue, value: float) -> CoreValue:
    """A constant in the shape and dtype of a parameter."""
    return numpy("full_like", like, value)
