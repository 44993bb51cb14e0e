"""Sylvester's equation A X + X B = Q, and the equations of Lyapunov."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, DomainError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, dtype_of, shape_of
from gradcli.ops.dependence import coupled
from gradcli.ops.exact import filled, matrices, solution
from gradcli.ops.function import case
from gradcli.ops.kinds import conj, fits, general, ranks_aligned, sum_to
from gradcli.ops.linalg import SOLVE
from gradcli.ops.matrices import (
    adjoint,
    as_any_matrix,
    as_matrix,
    check_square,
    complex_sample,
    each_matrix,
    rectangular_sample,
    sample,
)
from gradcli.ops.products import times
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped


def _solve(a: Any, b: Any, q: Any) -> Any:
    return each_matrix(_solve_one, a, b, q)


def _solve_one(a: Any, b: Any, q: Any) -> Any:
    """By Schur's forms of A and B: Bartels and Stewart (1972)."""
    from scipy.linalg import get_lapack_funcs, schur

    dtype = np.result_type(a, b, q)
    if not q.size:
        return np.zeros(q.shape, dtype)
    kind = "complex" if dtype.kind == "c" else "real"
    r, u = schur(a, output=kind, check_finite=False)
    s, v = schur(b, output=kind, check_finite=False)
    (trsyl,) = get_lapack_funcs(("trsyl",), (r, s, q))
    inner, scale, info = trsyl(r, s, u.conj().T @ q @ v)
    if info:
        raise DomainError(
            "solve_sylvester: the equation has no single solution",
            mend="an eigenvalue of A is the negative of one of B",
        )
    return (u @ (inner / scale) @ v.conj().T).astype(dtype)


def _spec(a: CoreValue, b: CoreValue, q: CoreValue) -> Spec:
    check_square("solve_sylvester", a)
    check_square("solve_sylvester", b)
    shapes = shape_of(a), shape_of(b), shape_of(q)
    if len(shapes[2]) < 2 or shapes[2][-2:] != (shapes[0][-1], shapes[1][-1]):
        listed = " and ".join(fits(s) for s in shapes)
        raise ShapeError(
            f"solve_sylvester cannot join shapes {listed}", mend=f"Q has shape {[shapes[0][-1], shapes[1][-1]]}"
        )
    lead = np.broadcast_shapes(*(s[:-2] for s in shapes))
    return Spec(lead + shapes[2][-2:], np.result_type(*(dtype_of(x) for x in (a, b, q))))


def _back(g: CoreValue, a: CoreValue, b: CoreValue) -> CoreValue:
    return bind(SYLVESTER, adjoint(a), adjoint(b), g)


def _jvp(ts: Sequence[CoreValue | None], y: CoreValue, a: CoreValue, b: CoreValue, q: CoreValue) -> CoreValue:
    moved = ts[2]
    if ts[0] is not None:
        pushed = times(ts[0], y)
        moved = -pushed if moved is None else moved - pushed
    if ts[1] is not None:
        pushed = times(y, ts[1])
        moved = -pushed if moved is None else moved - pushed
    return bind(SYLVESTER, a, b, moved)


def _exact(S: Any, a: Any, b: Any, q: Any) -> Any:
    """As linear equations for X's elements."""

    def one(left: Any, right: Any, whole: Any) -> Any:
        m, n = whole.shape
        equations = filled((m * n, m * n), [S.number(0)] * (m * n) ** 2)
        for i, j in np.ndindex(m, n):
            for k in range(m):
                equations[i * n + j, k * n + j] = equations[i * n + j, k * n + j] + left[i, k]
            for k in range(n):
                equations[i * n + j, i * n + k] = equations[i * n + j, i * n + k] + right[k, j]
        return solution(S, equations, whole.reshape(-1, 1)).reshape(m, n)

    return matrices(one, a, b, q)


SYLVESTER: Op = general(
    "solve_sylvester",
    _solve,
    _spec,
    vjps=(
        lambda g, y, a, b, q: sum_to(-times(_back(g, a, b), adjoint(y)), shape_of(a)),
        lambda g, y, a, b, q: sum_to(-times(adjoint(y), _back(g, a, b)), shape_of(b)),
        lambda g, y, a, b, q: sum_to(_back(g, a, b), shape_of(q)),
    ),
    jvp=_jvp,
    meaning=_exact,
    batch=lambda xs, batched, params, size: bind(SYLVESTER, *ranks_aligned(xs, batched)),
    saves=(0, 1, "y"),
    depends=coupled(2),
    doc="X with A @ X + X @ B = Q.",
)

_RULE = "vjp: -W @ X.T, -X.T @ W, W with A.T @ W + W @ B.T = g"


@function(
    family="linalg",
    where="",
    also=("scipy.linalg.solve_sylvester",),
    op=SYLVESTER,
    derivative=_RULE,
    defined="no eigenvalue of A is the negative of one of B",
    cases=(
        case(sample(2), sample(3), (2, 3)),
        case(sample(2, 2), sample(2), (2, 2)),
        case(complex_sample(2, 2), sample(2), complex_sample(2, 2)),
        case(np.zeros((0, 0)), sample(2), (0, 2)),
    ),
)
def solve_sylvester(a: Any, b: Any, q: Any) -> CoreValue:
    """X with A @ X + X @ B = Q."""
    left, right = as_matrix("solve_sylvester", a), as_matrix("solve_sylvester", b)
    return bind(SYLVESTER, left, right, as_any_matrix("solve_sylvester", q))


@function(
    family="linalg",
    where="",
    also=("scipy.linalg.solve_continuous_lyapunov", "scipy.linalg.solve_lyapunov"),
    derivative="vjp: that of solve_sylvester(A, A.T, Q)",
    defined="no two eigenvalues of A add up to 0",
    cases=(case(sample(2), (2, 2)), case(complex_sample(2, 2), complex_sample(2, 2))),
)
def solve_continuous_lyapunov(a: Any, q: Any) -> CoreValue:
    """X with A @ X + X @ A.T = Q (A's adjoint where it is complex)."""
    matrix = as_matrix("solve_continuous_lyapunov", a)
    return bind(SYLVESTER, matrix, adjoint(matrix), as_matrix("solve_continuous_lyapunov", q))


@function(
    family="linalg",
    where="",
    also=("scipy.linalg.solve_discrete_lyapunov",),
    derivative="vjp: that of the linear equations for X's elements",
    defined="no two eigenvalues of A multiply to 1",
    cases=(case(sample(2), (2, 2)), case(rectangular_sample(2, 2) / 4, (2, 2), method="bilinear")),
)
def solve_discrete_lyapunov(a: Any, q: Any, method: Any = None) -> CoreValue:
    """X with A @ X @ A.T - X + Q = 0 (A's adjoint where it is complex)."""
    if method not in (None, "direct", "bilinear"):
        raise ArgumentError(f"solve_discrete_lyapunov: method is 'direct' or 'bilinear', not {method!r}")
    matrix, right = as_matrix("solve_discrete_lyapunov", a), as_matrix("solve_discrete_lyapunov", q)
    n = shape_of(matrix)[-1]
    if shape_of(right) != shape_of(matrix):
        raise ShapeError(
            f"solve_discrete_lyapunov cannot join shapes {fits(shape_of(matrix))} and {fits(shape_of(right))}",
            mend="both are square, and alike",
        )
    lead = shape_of(matrix)[:-2]
    outer = reshaped(matrix, (*lead, n, 1, n, 1)) * conj(reshaped(matrix, (*lead, 1, n, 1, n)))
    equations = np.eye(n * n, dtype=dtype_of(matrix)) - reshaped(outer, (*lead, n * n, n * n))
    return reshaped(bind(SOLVE, equations, reshaped(right, (*lead, n * n, 1))), (*lead, n, n))
