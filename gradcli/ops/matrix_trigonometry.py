"""Circular and hyperbolic functions of square matrices, by exponentials of twice the size.

expm([[0, A], [A, 0]]) has cosh(A) and sinh(A) as its blocks, and with a minus sign above, cos(A) and sin(A): no two
large numbers are subtracted, and real matrices need no complex ones.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.values import CoreValue, dtype_of, shape_of
from gradcli.ops.function import Function, case
from gradcli.ops.indexing import getitem
from gradcli.ops.joining import concatenate
from gradcli.ops.linalg import SOLVE
from gradcli.ops.matrices import as_matrix, complex_sample, sample
from gradcli.ops.matrix_exponential import EXPM
from gradcli.ops.registry import function


def _cosine_and_sine(name: str, x: Any, sign: int) -> tuple[CoreValue, CoreValue]:
    """(cosh, sinh) of a matrix for sign 1, (cos, sin) for -1."""
    a = as_matrix(name, x)
    n = shape_of(a)[-1]
    nothing = np.zeros(shape_of(a), dtype_of(a))
    above = a if sign > 0 else -a
    whole = bind(EXPM, concatenate([concatenate([nothing, above], -1), concatenate([a, nothing], -1)], -2), depth=0)
    left = slice(0, n)
    return getitem(whole, (..., left, left)), getitem(whole, (..., slice(n, 2 * n), left))


def _declared(name: str, words: str, derivative: str, call: Any) -> Function:
    call.__doc__ = words
    return function(
        name,
        family="linalg",
        where="",
        also=(f"scipy.linalg.{name}",),
        derivative=derivative,
        source="Higham (2008), Functions of Matrices, 12",
        cases=(case(sample(2)), case(np.zeros((2, 2))), case(complex_sample(2, 2))),
    )(call)


_BLOCKS = "vjp: that of the blocks of expm([[0, -A], [A, 0]])"
_HYPERBOLIC = "vjp: that of the blocks of expm([[0, A], [A, 0]])"

cosm = _declared("cosm", "Cosine of a matrix.", _BLOCKS, lambda A: _cosine_and_sine("cosm", A, -1)[0])
sinm = _declared("sinm", "Sine of a matrix.", _BLOCKS, lambda A: _cosine_and_sine("sinm", A, -1)[1])
tanm = _declared("tanm", "Tangent of a matrix.", _BLOCKS, lambda A: bind(SOLVE, *_cosine_and_sine("tanm", A, -1)))
coshm = _declared("coshm", "Hyperbolic cosine of a matrix.", _HYPERBOLIC, lambda A: _cosine_and_sine("coshm", A, 1)[0])
sinhm = _declared("sinhm", "Hyperbolic sine of a matrix.", _HYPERBOLIC, lambda A: _cosine_and_sine("sinhm", A, 1)[1])
tanhm = _declared(
    "tanhm", "Hyperbolic tangent of a matrix.", _HYPERBOLIC, lambda A: bind(SOLVE, *_cosine_and_sine("tanhm", A, 1))
)
