"""Values that are more than arrays: the base of nodes, duals and batches, and what is read off any value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

#: What an op takes: an array, a Python number (which never promotes), or a traced value.
CoreValue = Any

#: Filled by `gradcli.ops`, so that rules read as formulas on any kind of value.
OPERATORS: dict[str, Callable[..., CoreValue]] = {}

Array = np.ndarray[Any, Any]
Shape = tuple[int, ...]


def count_of(shape: Shape) -> int:
    """Number of elements of a shape."""
    count = 1
    for length in shape:
        count *= length
    return count


class Spec(NamedTuple):
    """Shape and dtype of a value, known before the value is."""

    shape: Shape
    dtype: np.dtype[Any]

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of such an array."""
        return self.dtype.itemsize * count_of(self.shape)


class Level:
    """One running transformation: every op on its values comes to `process`."""

    __slots__ = ("id",)

    def __init__(self, id: int) -> None:
        self.id = id

    def process(self, op: Any, operands: tuple[CoreValue, ...], params: dict[str, Any]) -> CoreValue:
        """Do this level's part of one op and leave the rest to the levels below."""
        raise NotImplementedError


class Value:
    """A value of some level. NumPy leaves operators between it and an array to us."""

    __slots__ = ("__weakref__", "level")
    __array_ufunc__ = None

    level: Level
    shape: Shape
    dtype: np.dtype[Any]

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        return count_of(self.shape)

    def __add__(self, other: CoreValue) -> CoreValue:
        return OPERATORS["+"](self, other)

    def __radd__(self, other: CoreValue) -> CoreValue:
        return OPERATORS["+"](other, self)

    def __sub__(self, other: CoreValue) -> CoreValue:
        return OPERATORS["-"](self, other)

    def __rsub__(self, other: CoreValue) -> CoreValue:
        return OPERATORS["-"](other, self)

    def __mul__(self, other: CoreValue) -> CoreValue:
        return OPERATORS["*"](self, other)

    def __rmul__(self, other: CoreValue) -> CoreValue:
        return OPERATORS["*"](other, self)

    def __truediv__(self, other: CoreValue) -> CoreValue:
        return OPERATORS["/"](self, other)

    def __rtruediv__(self, other: CoreValue) -> CoreValue:
        return OPERATORS["/"](other, self)

    def __pow__(self, other: CoreValue) -> CoreValue:
        return OPERATORS["**"](self, other)

    def __rpow__(self, other: CoreValue) -> CoreValue:
        return OPERATORS["**"](other, self)

    def __matmul__(self, other: CoreValue) -> CoreValue:
        return OPERATORS["@"](self, other)

    def __rmatmul__(self, other: CoreValue) -> CoreValue:
        return OPERATORS["@"](other, self)

    def __neg__(self) -> CoreValue:
        return OPERATORS["unary-"](self)

    def __getitem__(self, index: Any) -> CoreValue:
        return OPERATORS["[]"](self, index)

    def __lt__(self, other: CoreValue) -> CoreValue:
        return OPERATORS["<"](self, other)

    def __le__(self, other: CoreValue) -> CoreValue:
        return OPERATORS["<="](self, other)

    def __gt__(self, other: CoreValue) -> CoreValue:
        return OPERATORS[">"](self, other)

    def __ge__(self, other: CoreValue) -> CoreValue:
        return OPERATORS[">="](self, other)

    def __bool__(self) -> bool:
        raise TypeError("a traced value has no truth of its own; concretise it first")

    # Rules compare with `equal(a, b)`; `==` on values stays identity so that they can be keys.


def shape_of(x: CoreValue) -> tuple[int, ...]:
    """Shape of an array, a traced value or a Python number (which is 0-d)."""
    found = getattr(x, "shape", None)
    return () if found is None else found


def ndim_of(x: CoreValue) -> int:
    """Number of axes of an array, a traced value or a Python number."""
    return len(shape_of(x))


_NUMBERS = {kind: np.dtype(kind) for kind in (bool, int, float, complex)}


def dtype_of(x: CoreValue) -> np.dtype[Any]:
    """Dtype of an array, a traced value or a Python number."""
    found = getattr(x, "dtype", None)
    if found is None:
        found = _NUMBERS.get(type(x))
    return np.asarray(x).dtype if found is None else found


def is_inexact(x: CoreValue) -> bool:
    """Whether a value is of a floating or complex dtype, and so can carry a derivative."""
    return dtype_of(x).kind in "fc"


def concrete(x: CoreValue) -> np.ndarray[Any, np.dtype[Any]]:
    """The array below all levels of `x`.

    Raises:
        AbstractValue: the run knows shapes alone.
        BatchedBranch: `x` stands for many values at once.
    """
    while isinstance(x, Value):
        x = x.below()  # type: ignore[attr-defined]
    return np.asarray(x)
