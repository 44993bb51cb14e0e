"""Cotangents that come in many small parts, kept as parts until they are used.

A value read at one place after another, as by a loop over its rows, would else get an array of its own size for every
read, nearly all zeros, and a program of n steps would cost n times n.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.graph.values import CoreValue, Value
from gradcli.ops.index_template import filled


class Parts:
    """Cotangents of an op's several results; they may be added up in place, since a sweep alone holds them."""

    __slots__ = ("count", "found")

    def __init__(self, count: int, index: int, g: CoreValue) -> None:
        self.count = count
        self.found = {index: g}

    def __add__(self, other: Parts) -> Parts:
        for index, g in other.found.items():
            held = self.found.get(index)
            self.found[index] = g if held is None else held + g
        return self

    def whole(self) -> tuple[CoreValue | None, ...]:
        """One per result; None where none has come."""
        return tuple(map(self.found.get, range(self.count)))


class Reads:
    """The cotangent of an array that was read at places; each read has its own."""

    __slots__ = ("_base", "_reads", "dtype", "shape")

    # NumPy leaves `array + reads` to us.
    __array_ufunc__ = None

    def __init__(self, x: CoreValue, g: CoreValue, arrays: Sequence[Any], params: dict[str, Any]) -> None:
        self.shape = x.shape
        self.dtype = x.dtype
        self._base: Any = None
        self._reads = [(g, arrays, params)]

    def __add__(self, other: Any) -> Any:
        if type(other) is Reads:
            self._reads += other._reads
            if other._base is not None:
                self._base = other._base if self._base is None else self._base + other._base
        elif isinstance(other, Value):
            return self.whole() + other
        else:
            self._base = other if self._base is None else self._base + other
        return self

    __radd__ = __add__

    def whole(self) -> Any:
        """The array."""
        made = np.zeros(self.shape, self.dtype) if self._base is None else np.array(self._base)
        for g, arrays, params in self._reads:
            index = filled(params["template"], arrays)
            if not arrays or params["unique"]:
                made[index] += g
            else:
                np.add.at(made, index, g)
        return made


def parted(x: CoreValue, g: CoreValue, arrays: Sequence[Any], params: dict[str, Any]) -> Reads | None:
    """The cotangent of `x`, read at an index, as parts; None where it is no plain array, or hardly larger than `g`."""
    if not isinstance(g, np.ndarray | np.generic) or g.dtype != x.dtype or 4 * g.size > x.size:
        return None
    return None if any(isinstance(a, Value) for a in arrays) else Reads(x, g, arrays, params)


def gathered(g: Any) -> Any:
    """A cotangent, whole."""
    return g.whole() if type(g) is Parts or type(g) is Reads else g
