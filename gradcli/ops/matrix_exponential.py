"""Functions of square matrices, with derivatives by blocks; the exponential.

The derivative of f at A in the direction E is the block at the top right of f([[A, E], [0, A]]), to any order: Mathias,
"A chain rule for matrix functions and applications" (1996). Its transpose, of g, is the adjoint of the derivative in
the direction g.H.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, dtype_of, shape_of
from gradcli.ops.casts import cast
from gradcli.ops.dependence import coupled
from gradcli.ops.exact import identity, matrices, nearest
from gradcli.ops.function import case
from gradcli.ops.indexing import getitem
from gradcli.ops.joining import concatenate
from gradcli.ops.kinds import constant, expanded, general, ranks_aligned
from gradcli.ops.matrices import (
    adjoint,
    as_matrix,
    check_square,
    complex_sample,
    sample,
)
from gradcli.ops.reduction import real_dtype
from gradcli.ops.registry import function

# --- derivatives by blocks -------------------------------------------------------------------------------------------


def _power_of_two(a: Any, e: Any) -> Any:
    """What brings E to A's size, or to 1's; a power of two, so that nothing is rounded."""
    with np.errstate(all="ignore"):
        sizes = [np.abs(x).sum(-1).max(-1, initial=0)[..., None, None] for x in (a, e)]
        sizes = [np.where(np.isfinite(x) & (x > 0), x, 1) for x in sizes]
        steps = np.frexp(np.maximum(sizes[0], 1))[1] - np.frexp(sizes[1])[1]
        return np.ldexp(np.ones_like(sizes[1]), np.clip(steps, -1000, 1000)).astype(e.real.dtype)


def _scale_spec(a: CoreValue, e: CoreValue) -> Spec:
    lead = np.broadcast_shapes(shape_of(a)[:-2], shape_of(e)[:-2])
    return Spec((*lead, 1, 1), real_dtype(dtype_of(e)))


# What is linear is the same at any scale: exact numbers need none.
SCALE: Op = constant(
    "scale_of_direction",
    _power_of_two,
    _scale_spec,
    meaning=lambda S, a, e: np.ones(_scale_spec(a, e).shape, dtype=object),
    batch=lambda xs, batched, params, size: bind(SCALE, *ranks_aligned(xs, batched)),
    doc="A power of two that brings one matrix to another's size.",
)


def _block(a: CoreValue, e: CoreValue) -> CoreValue:
    """[[A, E], [0, A]]."""
    lead = np.broadcast_shapes(shape_of(a)[:-2], shape_of(e)[:-2])
    dtype = np.result_type(dtype_of(a), dtype_of(e))
    a, e = (cast(expanded(x, lead + shape_of(x)[-2:]), dtype) for x in (a, e))
    return concatenate([concatenate([a, e], -1), concatenate([np.zeros(shape_of(a), dtype), a], -1)], -2)


def frechet(op: Op, a: CoreValue, e: CoreValue, depth: int = 0) -> tuple[CoreValue, CoreValue]:
    """f(A), and f's derivative at A in the direction E, which may be of any size: the derivative is linear in it.

    `depth` says how often A itself was made so of smaller matrices.
    """
    n = shape_of(a)[-1]
    scale = bind(SCALE, a, e)
    found = bind(op, _block(a, e * scale), depth=depth + 1)
    top = slice(0, n)
    return getitem(found, (..., top, top)), getitem(found, (..., top, slice(n, 2 * n))) / scale


def matrix_function(
    name: str, value: Callable[[Any, int], Any], meaning: Callable[..., Any], torch: str | None = None, doc: str = ""
) -> Op:
    """Declare an op that is a primary function of a matrix: value(a stack, depth), meaning(S, one exact matrix)."""

    def spec(a: CoreValue, *, depth: int) -> Spec:
        check_square(name, a)
        return Spec(shape_of(a), dtype_of(a))

    op: Op = general(
        name,
        lambda a, *, depth: np.asarray(value(a, depth) if a.size else a, dtype=a.dtype),
        spec,
        vjps=(lambda g, y, a, *, depth: adjoint(frechet(op, a, adjoint(g), depth)[1]),),
        jvp=lambda ts, y, a, *, depth: frechet(op, a, ts[0], depth)[1],
        meaning=lambda S, a, *, depth: matrices(lambda m: meaning(S, m), a),
        torch=torch,
        saves=(0, "y"),
        depends=coupled(2),
        doc=doc,
    )
    return op


# --- exponential -----------------------------------------------------------------------------------------------------


#: 1/k!, up to the power from which on nothing changes for a matrix no larger than 1.
_INVERSE_FACTORIALS = [1 / math.factorial(k) for k in range(19)]


def _expm(a: Any, depth: int = 0) -> Any:
    """Taylor's series of a part of the matrix without its trace, squared back.

    What is squared is the exponential less 1, whose digits would be lost beside the 1; and without its trace a matrix
    has no exponential that is much smaller than 1, where they would be lost by adding it.
    """
    x = a.astype(np.complex128 if a.dtype.kind == "c" else np.float64)
    one = np.eye(a.shape[-1])
    with np.errstate(all="ignore"):
        middle = (np.trace(x, axis1=-2, axis2=-1) / a.shape[-1])[..., None, None]
        middle = np.where(np.isfinite(middle), middle, 0)
        x = x - middle * one
        size = np.abs(x).sum(-2).max(-1)
        halvings = np.maximum(np.frexp(np.where(np.isfinite(size), size, 1))[1], 0)[..., None, None]
        found = _less_one(x * np.ldexp(1.0, -halvings))
        for k in range(int(halvings.max(initial=0))):
            found = np.where(k < halvings, 2 * found + found @ found, found)
        found = np.exp(middle) * (found + one)
        return _with_exact_diagonal(found, a)


def _with_exact_diagonal(found: Any, a: Any) -> Any:
    """The exponentials of triangular matrices, whose diagonals are known."""
    triangular = np.all(np.tril(a, -1) == 0, (-2, -1)) | np.all(np.triu(a, 1) == 0, (-2, -1))
    diagonals = np.exp(np.einsum("...ii->...i", a))[..., None] * np.eye(a.shape[-1], dtype=bool)
    return np.where(triangular[..., None, None] & np.eye(a.shape[-1], dtype=bool), diagonals, found)


def _less_one(x: Any) -> Any:
    """exp(X) - 1 of matrices no larger than 1: Paterson and Stockmeyer's sum of the powers up to 18."""
    square = x @ x
    cube = square @ x
    fourth = square @ square
    powers = [x, square, cube, fourth, fourth @ x, cube @ cube]

    def part(first: int) -> Any:
        return sum(_INVERSE_FACTORIALS[first + i] * power for i, power in enumerate(powers, 1))

    return part(0) + powers[5] @ (part(6) + powers[5] @ part(12))


#: Taylor's series of a matrix no larger than 1/256, up to the power 24: the rest is below 1e-85.
_STRIDE, _BLOCKS = 5, 5


def exact_expm(S: Any, m: Any, size: float) -> Any:
    """Taylor's series of a part of the matrix, squared back; `size` is its norm, roughly."""
    halvings = max(0, math.ceil(math.log2(max(size, 2.0**-40))) + 8)
    powers = [identity(S, m.shape[0]), m * S.number(2.0**-halvings)]
    while len(powers) <= _STRIDE:
        powers.append(powers[-1] @ powers[1])
    found: Any = None
    for block in reversed(range(_BLOCKS)):
        factors = [S.number(1) / S.number(math.factorial(_STRIDE * block + i)) for i in range(_STRIDE)]
        part = sum((power * c for power, c in zip(powers[1:], factors[1:], strict=False)), powers[0] * factors[0])
        found = part if found is None else part + powers[_STRIDE] @ found
    for _ in range(halvings):
        found = found @ found
    return found


def _exact_expm(S: Any, m: Any) -> Any:
    return exact_expm(S, m, float(np.abs(nearest(S, m)).sum(0).max(initial=0)))


EXPM = matrix_function("expm", _expm, _exact_expm, "LinalgMatrixExp", "The matrix exponential.")

BY_BLOCKS = "vjp: the top right of f([[A, g.T], [0, A]]), transposed"
BLOCKS_SOURCE = "Mathias (1996), A chain rule for matrix functions and applications"


@function(
    family="linalg",
    where="",
    also=("scipy.linalg.expm", "torch.linalg.matrix_exp", "torch.matrix_exp", ".matrix_exp"),
    op=EXPM,
    derivative=BY_BLOCKS.replace("f(", "expm("),
    source=f"{BLOCKS_SOURCE}; Najfeld and Havel (1995)",
    cases=(
        case(sample(3)),
        case((2, 2)),
        case((2, 2, 2)),
        case(np.zeros((2, 2))),
        case(complex_sample(2, 2)),
        case(np.zeros((0, 0))),
        case(np.array([[1.5]])),
    ),
)
def expm(A: Any) -> CoreValue:
    """The matrix exponential, I + A + A @ A/2 + ..."""
    return bind(EXPM, as_matrix("expm", A), depth=0)


@function(
    family="linalg",
    where="",
    also=("scipy.linalg.expm_frechet",),
    op=EXPM,
    derivative="vjp: by the second derivative of expm, and the first",
    source=BLOCKS_SOURCE,
    cases=(case(sample(2), (2, 2)), case(sample(2), (2, 2), compute_expm=False)),
)
def expm_frechet(A: Any, E: Any, method: Any = None, compute_expm: bool = True, check_finite: bool = True) -> Any:
    """(expm(A), the derivative of expm at A in the direction E)."""
    found = frechet(EXPM, as_matrix("expm_frechet", A), as_matrix("expm_frechet", E))
    return found if compute_expm else found[1]
