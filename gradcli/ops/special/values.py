"""What the values of special functions share: one precision inside, and a formula for each piece of the domain.

A value is computed in double precision whatever the operands are, so that a float32 result is rounded once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

#: An array of float64 inside a value; of complex128 where a function takes complex numbers.
Array = Any
Formula = Callable[..., Array]


def real(formula: Formula) -> Formula:
    """A value rule from a formula over float64 arrays; the result has the operands' own dtype."""

    def value(*xs: Any, **params: Any) -> Any:
        dtype = np.result_type(*xs)
        if dtype.kind == "c":
            raise TypeError("complex numbers")
        with np.errstate(all="ignore"):
            found = formula(*(np.asarray(x, dtype=np.float64) for x in xs), **params)
            return np.asarray(found, dtype=dtype if dtype.kind == "f" else np.float64)

    return value


def real_or_complex(formula: Formula, of_complex: Formula) -> Formula:
    """The same with another formula over complex128 arrays."""
    of_real = real(formula)

    def value(*xs: Any, **params: Any) -> Any:
        dtype = np.result_type(*xs)
        if dtype.kind != "c":
            return of_real(*xs, **params)
        with np.errstate(all="ignore"):
            return np.asarray(of_complex(*(np.asarray(x, dtype=np.complex128) for x in xs), **params), dtype=dtype)

    return value


def scipy_(name: str) -> Formula:
    """A function of scipy.special, which is imported when the first is asked for: it takes as long as NumPy."""

    def formula(*xs: Array) -> Array:
        from scipy import special

        return getattr(special, name)(*xs)

    return formula


def pieces(*branches: tuple[Callable[..., Array], Formula], last: Formula) -> Formula:
    """A formula by cases: each element is computed by the first formula whose condition holds for it, or the last."""

    def formula(*xs: Array, **params: Any) -> Array:
        spread = np.broadcast_arrays(*xs)
        flat = [np.ravel(x) for x in spread]
        found = np.empty(flat[0].shape, dtype=np.result_type(*flat))
        left = np.ones(found.shape, dtype=bool)
        for condition, part in branches:
            mine = left & condition(*flat)
            _fill(found, mine, part, flat, params)
            left &= ~mine
        _fill(found, left, last, flat, params)
        return found.reshape(spread[0].shape)

    return formula


def _fill(found: Array, where: Array, formula: Formula, xs: list[Array], params: dict[str, Any]) -> None:
    if where.all():
        if where.size:
            found[...] = formula(*xs, **params)
    elif where.any():
        found[where] = formula(*(x[where] for x in xs), **params)


def horner(coefficients: list[float], x: Array) -> Array:
    """A polynomial, its constant first."""
    found = np.zeros_like(x) + coefficients[-1]
    for c in reversed(coefficients[:-1]):
        found = found * x + c
    return found
