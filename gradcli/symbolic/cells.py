"""Arrays of scalars, as the lowering of a program holds its tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.symbolic.complexes import Complex
from gradcli.symbolic.scalars import Scalar

#: An array of scalars, real or complex (dtype object), or of plain integers or bools.
Cells = Any


def filled(cells: Sequence[Any], shape: tuple[int, ...]) -> Cells:
    """Scalars as an array of a shape."""
    made = np.empty(len(cells), dtype=object)
    made[:] = cells
    return made.reshape(shape)


def scalars_in(cells: Cells | None) -> list[Scalar]:
    """The real scalars in cells; none in plain integers."""
    if cells is None or cells.dtype != object:
        return []
    return [part for x in cells.ravel() for part in parts_of(x)]


def parts_of(x: Any) -> tuple[Scalar, ...]:
    """A real number by itself, or the two parts of a complex one."""
    return (x.re, x.im) if isinstance(x, Complex) else (x,)
