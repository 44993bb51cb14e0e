"""Paths away from a point where equations are singular, see `gradcli.symbolic.degenerate`."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

import numpy as np
from mpmath import libmp
from mpmath.libmp import fone

from gradcli.graph.node import Node
from gradcli.graph.values import concrete
from gradcli.symbolic.functions import Raw

#: Points of a path are at whole multiples of 2 to the minus this.
_FINENESS = 16


class Path:
    """A point on a way from the place where equations are singular.

    Attributes:
        moved: values of input elements there.
    """

    def __init__(self, seed: int, share: float, moved: Mapping[tuple[str, int], Raw]) -> None:
        self._seed = seed
        self._share = share
        self.moved = moved

    def off(self, count: int, scale: float) -> list[float]:
        """What is added to the elements of an operand whose equations are singular; the same along a path."""
        draw = Random(f"{self._seed} {count}").uniform
        return [draw(-1, 1) * self._share * (scale or 1.0) for _ in range(count)]


def random_path(seed: int, k: int) -> Path:
    """Step k along a path that moves all that is singular at random, and the inputs not at all."""
    return Path(seed, k * 2.0**-_FINENESS, {})


def path_by(inputs: Mapping[str, Node], label: tuple[str, int], sign: int, k: int) -> Path:
    """Step k of an element of the inputs moved by h to one side, and what is still singular by h squared."""
    name, index = label
    values = concrete(inputs[name].value).astype(float).reshape(-1)
    largest = np.abs(values).max()
    size = libmp.from_float(float(largest)) if largest else fone
    step = libmp.mpf_shift(libmp.mpf_mul(size, libmp.from_int(sign * k)), -_FINENESS)
    here = libmp.from_float(float(values[index]))
    return Path(0, (k * 2.0**-_FINENESS) ** 2, {label: libmp.mpf_add(here, step)})
