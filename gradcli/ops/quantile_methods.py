"""Where a quantile stands among elements in order, by every method that NumPy knows.

The formulas are those of Hyndman and Fan, "Sample quantiles in statistical packages", 1996.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from gradcli.graph.errors import ArgumentError
from gradcli.graph.values import CoreValue, dtype_of
from gradcli.ops.casts import cast
from gradcli.ops.elementwise import (
    ceil,
    equal,
    floor,
    greater_equal,
    less,
    logical_and,
    logical_not,
    logical_or,
    maximum,
    minimum,
    remainder,
    round_,
    subtract,
    where,
)

# --- methods ---------------------------------------------------------------------------------------------------------

INT = np.dtype(np.int64)


class Place(NamedTuple):
    """Where quantiles stand: below and above among the elements in order, and how far from the one to the other.

    `weight` is None where a method takes an element as it is.
    """

    below: CoreValue
    above: CoreValue
    weight: CoreValue | None


def _continuous(alpha: float, beta: float) -> Callable[[Any, Any], CoreValue]:
    return lambda n, q: n * q + (alpha + q * (1 - alpha - beta)) - 1


VIRTUAL: dict[str, Callable[[Any, Any], CoreValue]] = {
    "linear": lambda n, q: (n - 1) * q,
    "interpolated_inverted_cdf": _continuous(0, 1),
    "hazen": _continuous(0.5, 0.5),
    "weibull": _continuous(0, 0),
    "median_unbiased": _continuous(1 / 3.0, 1 / 3.0),
    "normal_unbiased": _continuous(3 / 8.0, 3 / 8.0),
    "averaged_inverted_cdf": lambda n, q: n * q - 1,
    "midpoint": lambda n, q: 0.5 * (floor((n - 1) * q) + ceil((n - 1) * q)),
}


def _next_unless(index: CoreValue, stays: CoreValue) -> CoreValue:
    return maximum(where(stays, floor(index), floor(index) + 1), 0.0)


def _inverted(n: Any, q: CoreValue) -> CoreValue:
    index = n * q - 1
    return _next_unless(index, equal(index, floor(index)))


def _closest(n: Any, q: CoreValue) -> CoreValue:
    index = n * q - 1 - 0.5
    below = floor(index)
    return _next_unless(index, logical_and(equal(index, below), equal(remainder(below, 2.0), 1)))


DISCRETE: dict[str, Callable[[Any, Any], CoreValue]] = {
    "inverted_cdf": _inverted,
    "closest_observation": _closest,
    "lower": lambda n, q: floor((n - 1) * q),
    "higher": lambda n, q: ceil((n - 1) * q),
    "nearest": lambda n, q: round_((n - 1) * q),
}


def place_of(method: str, n: Any, q: CoreValue) -> Place:
    """Where the quantiles q of n elements stand."""
    last = maximum(subtract(n, 1), 0)
    if method in DISCRETE:
        found = cast(minimum(maximum(DISCRETE[method](n, q), 0.0), last), INT)
        return Place(found, found, None)
    virtual = VIRTUAL[method](n, q)
    whole = floor(virtual)
    weight = subtract(virtual, whole)
    if method == "averaged_inverted_cdf":
        weight = where(equal(weight, 0), 0.5, 1.0)
    elif method == "midpoint":
        weight = where(equal(remainder(virtual, 1.0), 0), 0.0, 0.5)
    inside = logical_not(logical_or(greater_equal(virtual, last), less(virtual, 0)))
    below = minimum(maximum(whole, 0.0), last)
    above = where(inside, minimum(below + 1, last), below)
    return Place(cast(below, INT), cast(above, INT), cast(where(inside, weight, 0.0), dtype_of(weight)))


def method_named(name: str, method: Any) -> str:
    """A method that is known.

    Raises:
        ArgumentError: it is not.
    """
    if method not in VIRTUAL and method not in DISCRETE:
        raise ArgumentError(f"{name}: no method {method!r}", mend="one of " + ", ".join([*VIRTUAL, *DISCRETE]))
    return str(method)
