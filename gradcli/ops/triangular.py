"""Linear equations with triangular matrices. Only the triangle that is named is read, in value and derivative."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, DomainError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, dtype_of, ndim_of, shape_of
from gradcli.ops.dependence import solved
from gradcli.ops.exact import filled, matrices
from gradcli.ops.function import case
from gradcli.ops.kinds import conj, fits, general, ranks_aligned, sum_to
from gradcli.ops.matrices import (
    adjoint,
    as_column,
    as_matrix,
    check_square,
    complex_sample,
    lower_part,
    sample,
    transposed,
    upper_part,
)
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.products import check_same_dtype, times
from gradcli.ops.registry import function
from gradcli.ops.results import named
from gradcli.ops.shape import reshaped

#: From so many rows on, the saving of a routine for triangles is worth loading SciPy for.
_LARGE = 100


def _triangle(a: Any, lower: bool, unit: bool) -> Any:
    found = np.tril(a) if lower else np.triu(a)
    if unit:
        places = np.arange(a.shape[-1])
        found[..., places, places] = 1
    return found


def _solve_triangular(a: Any, b: Any, *, lower: bool, unit: bool) -> Any:
    try:
        if a.ndim == b.ndim == 2 and len(a) > _LARGE:
            from scipy.linalg import solve_triangular as scipys

            return scipys(a, b, lower=lower, unit_diagonal=unit, check_finite=False)
        # Elimination leaves an upper triangle as it is; a lower one becomes upper by counting backwards.
        whole = _triangle(a, lower, unit)
        if lower:
            return np.linalg.solve(whole[..., ::-1, ::-1], b[..., ::-1, :])[..., ::-1, :]
        return np.linalg.solve(whole, b)
    except np.linalg.LinAlgError:
        raise DomainError(
            "solve_triangular: the matrix is singular", mend="no element of its diagonal may be 0"
        ) from None


def _shape(a: CoreValue, b: CoreValue, *, lower: bool, unit: bool) -> Spec:
    check_square("solve_triangular", a)
    left, right = shape_of(a), shape_of(b)
    words = f"solve_triangular cannot join shapes {fits(left)} and {fits(right)}"
    if len(right) < 2 or left[-1] != right[-2]:
        raise ShapeError(words, mend=f"the matrix has {left[-1]} rows")
    try:
        lead = np.broadcast_shapes(left[:-2], right[:-2])
    except ValueError:
        raise ShapeError(words, mend="the stacks don't broadcast") from None
    return Spec(lead + right[-2:], np.result_type(dtype_of(a), dtype_of(b)))


def _part(x: CoreValue, lower: bool, unit: bool) -> CoreValue:
    """The triangle of X that the equations read."""
    return (lower_part if lower else upper_part)(x, 0.0 if unit else 1.0)


def _back(g: CoreValue, a: CoreValue, lower: bool, unit: bool) -> CoreValue:
    return bind(SOLVE_TRIANGULAR, adjoint(a), g, lower=not lower, unit=unit)


def _matrix_vjp(g: CoreValue, y: CoreValue, a: CoreValue, b: CoreValue, *, lower: bool, unit: bool) -> CoreValue:
    return sum_to(-_part(times(_back(g, a, lower, unit), adjoint(y)), lower, unit), shape_of(a))


def _right_vjp(g: CoreValue, y: CoreValue, a: CoreValue, b: CoreValue, *, lower: bool, unit: bool) -> CoreValue:
    return sum_to(_back(g, a, lower, unit), shape_of(b))


def _jvp(
    ts: Sequence[CoreValue | None], y: CoreValue, a: CoreValue, b: CoreValue, *, lower: bool, unit: bool
) -> CoreValue:
    moved = ts[1]
    if ts[0] is not None:
        pushed = times(_part(ts[0], lower, unit), y)
        moved = -pushed if moved is None else moved - pushed
    return bind(SOLVE_TRIANGULAR, a, moved, lower=lower, unit=unit)


def _exact(S: Any, a: Any, b: Any, *, lower: bool, unit: bool) -> Any:
    """Substitution, row by row."""

    def one(m: Any, right: Any) -> Any:
        n = m.shape[0]
        found = filled(right.shape, list(right.ravel()))
        order = list(range(n)) if lower else list(reversed(range(n)))
        for place, i in enumerate(order):
            for j in order[:place]:
                found[i] = found[i] - found[j] * m[i, j]
            if not unit:
                found[i] = found[i] / m[i, i]
        return found

    return matrices(one, a, b)


SOLVE_TRIANGULAR: Op = general(
    "solve_triangular",
    _solve_triangular,
    _shape,
    vjps=(_matrix_vjp, _right_vjp),
    jvp=_jvp,
    meaning=_exact,
    batch=lambda xs, batched, params, size: bind(SOLVE_TRIANGULAR, *ranks_aligned(xs, batched), **params),
    torch="LinalgSolveTriangular",
    saves=(0, "y"),
    depends=solved,
    doc="X with A @ X = B, of one triangle of A.",
)


def solved_lower(a: CoreValue, b: CoreValue, unit: bool = False) -> CoreValue:
    """X with L X = B, for rules."""
    return bind(SOLVE_TRIANGULAR, a, b, lower=True, unit=unit)


def solved_upper(a: CoreValue, b: CoreValue, unit: bool = False) -> CoreValue:
    """X with U X = B, for rules."""
    return bind(SOLVE_TRIANGULAR, a, b, lower=False, unit=unit)


_RULE = "vjp: -tri(inv(A).T @ g @ x.T), inv(A).T @ g; tri is the triangle that is read"


def columns_of(b: CoreValue) -> tuple[CoreValue, bool]:
    """A right side as a matrix, and whether it was a vector."""
    return (as_column(b), True) if ndim_of(b) == 1 else (b, False)


def as_given(x: CoreValue, vector: bool) -> CoreValue:
    """The solution for a right side: a vector for a vector."""
    return reshaped(x, shape_of(x)[:-1]) if vector else x


def transposition(name: str, trans: Any) -> int:
    """SciPy's `trans`: 0 or "N", 1 or "T", 2 or "C".

    Raises:
        ArgumentError: it is none of these.
    """
    found = {"N": 0, "T": 1, "C": 2}.get(trans, trans) if isinstance(trans, str) else trans
    if isinstance(found, bool) or found not in (0, 1, 2):
        raise ArgumentError(f"{name}: trans is 0, 1 or 2 ('N', 'T' or 'C'), not {trans!r}")
    return int(found)


@function(
    family="linalg",
    where="",
    also=("scipy.linalg.solve_triangular",),
    op=SOLVE_TRIANGULAR,
    derivative=_RULE,
    cases=(
        case(sample(3), (3,)),
        case(sample(3), (3, 2), lower=True),
        case(sample(3), (3, 2), trans=1),
        case(sample(3), (3,), unit_diagonal=True, lower=True),
        case(sample(3), (3,), "T", True),
        case(sample(2, 4), (4, 2, 3)),
        case(sample(2), (3, 2, 1), lower=True),
        case(complex_sample(2, 2), complex_sample(2, 1), trans="C"),
        case(np.zeros((0, 0)), (0, 2)),
    ),
)
def solve_triangular(
    a: Any,
    b: Any,
    trans: Any = 0,
    lower: bool = False,
    unit_diagonal: bool = False,
    overwrite_b: bool = False,
    check_finite: bool = True,
) -> CoreValue:
    """x with A @ x = b, of the upper (or lower) triangle of A; trans=1 takes its transpose, 2 its adjoint."""
    matrix = as_matrix("solve_triangular", a)
    right, vector = columns_of(to_float(as_core(b)))
    way = transposition("solve_triangular", trans)
    if way:
        matrix = transposed(conj(matrix) if way == 2 else matrix)
    found = bind(SOLVE_TRIANGULAR, matrix, right, lower=bool(lower) != (way > 0), unit=bool(unit_diagonal))
    return as_given(found, vector)


@function(
    "solve_triangular_torch",
    family="linalg",
    where="",
    also=("torch.linalg.solve_triangular",),
    op=SOLVE_TRIANGULAR,
    derivative=_RULE,
    cases=(
        case(sample(3), (3, 2), upper=True),
        case(sample(2, 4), (2, 1), upper=False),
        case(sample(3), (2, 3), upper=True, left=False),
        case(sample(3), (3, 2), upper=False, unitriangular=True),
    ),
)
def solve_triangular_torch(A: Any, B: Any, *, upper: bool, left: bool = True, unitriangular: bool = False) -> CoreValue:
    """X with A @ X = B, of the upper or lower triangle of A; left=False solves X @ A = B."""
    matrix, right = as_matrix("solve_triangular", A), to_float(as_core(B))
    check_same_dtype(matrix, right)
    if left:
        return bind(SOLVE_TRIANGULAR, matrix, right, lower=not upper, unit=bool(unitriangular))
    if ndim_of(right) < 2:
        raise ShapeError(f"solve_triangular needs a matrix on the right side, not shape {fits(shape_of(right))}")
    found = bind(SOLVE_TRIANGULAR, transposed(matrix), transposed(right), lower=bool(upper), unit=bool(unitriangular))
    return transposed(found)


TRIANGULAR_RESULTS = named("triangular_solve", "solution", "cloned_coefficient")


@function(
    family="linalg",
    where="torch method",
    op=SOLVE_TRIANGULAR,
    derivative=_RULE,
    cases=(case((3, 2), sample(3)), case((3, 2), sample(3), upper=False, transpose=True, unitriangular=True)),
)
def triangular_solve(
    input: Any, A: Any, upper: bool = True, transpose: bool = False, unitriangular: bool = False
) -> Any:
    """The pair (x with A @ x = b, A), of one triangle of A."""
    matrix, right = as_matrix("triangular_solve", A), to_float(as_core(input))
    turned = transposed(matrix) if transpose else matrix
    found = bind(SOLVE_TRIANGULAR, turned, right, lower=bool(upper) == bool(transpose), unit=bool(unitriangular))
    return TRIANGULAR_RESULTS((found, matrix))
