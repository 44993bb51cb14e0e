"""The logarithm of square matrices, and any power of them.

The value is found by inverse scaling and squaring of Schur's form: Al-Mohy and Higham, "Improved inverse scaling and
squaring algorithms for the matrix logarithm" (2012), with Gauss's points in the place of Pade's fractions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import DomainError
from gradcli.graph.values import CoreValue, Value
from gradcli.ops.arguments import settled
from gradcli.ops.exact import filled, implied, nearest, solution
from gradcli.ops.function import case
from gradcli.ops.matrices import complex_sample, each_matrix, sample
from gradcli.ops.matrix_exponential import BLOCKS_SOURCE, BY_BLOCKS, EXPM, exact_expm, matrix_function
from gradcli.ops.matrix_functions import NEGATIVE_EIGENVALUE, in_reach, matrix_power
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.phases import exact_pair
from gradcli.ops.registry import function

# --- value -----------------------------------------------------------------------------------------------------------

#: How near to 1 a root is brought, and how many points integrate its logarithm to the last digit then.
_NEAR, _POINTS = 0.25, 8
#: No more roots than bring the largest float near 1.
_STEPS = 1100
#: How near to half a turn the angle of a negative number is.
_ON_THE_CUT = 1e-10


def _logm(a: Any, depth: int = 0) -> Any:
    """The logarithm of one matrix, made of smaller ones by `depth` steps [[B, E], [0, B]]."""
    one = np.eye(len(a))
    if np.abs(a - one).sum(0).max() <= _NEAR:
        return _of_one_plus(a - one)
    t, q = _triangular(a.astype(np.complex128), depth)
    eigenvalues = np.diagonal(t).copy()
    if np.any(eigenvalues == 0):
        raise DomainError("logm: the matrix is singular", mend="its rows are linearly dependent")
    root, steps = t, 0
    while np.abs(root - one).sum(0).max() > _NEAR and steps < _STEPS:
        root, steps = _root(root), steps + 1
    x = root - one
    if steps:
        np.fill_diagonal(x, np.expm1(np.log(eigenvalues) * 2.0**-steps))
    found = _of_one_plus(x) * 2.0**steps
    np.fill_diagonal(found, np.log(eigenvalues))
    found = q @ found @ q.conj().T
    return found if a.dtype.kind == "c" else found.real


def _of_one_plus(x: Any) -> Any:
    """log(1 + X) of a small X: the integral of X inv(1 + s X) over s from 0 to 1."""
    points, weights = np.polynomial.legendre.leggauss(_POINTS)
    parts = [w / 2 * np.linalg.solve(np.eye(len(x)) + (p + 1) / 2 * x, x) for p, w in zip(points, weights, strict=True)]
    return np.sum(parts, axis=0)


def _triangular(a: Any, depth: int) -> tuple[Any, Any]:
    """Schur's form T and Q with A = Q T Q.H; blocks that are equal stay so."""
    from scipy.linalg import schur

    n, count = len(a) >> depth, 1 << depth
    inner, q = schur(a[:n, :n], output="complex", check_finite=False)
    negative = np.pi - np.abs(np.angle(np.diagonal(inner))) < _ON_THE_CUT
    places = np.arange(n)[negative]
    inner[places, places] = inner[places, places].real  # or rounding would say on which side of the cut they are
    whole = np.kron(np.eye(count), q)
    t = np.triu(whole.conj().T @ a @ whole)
    for k in range(count):
        t[k * n : (k + 1) * n, k * n : (k + 1) * n] = inner
    return t, whole


def _root(t: Any) -> Any:
    """The square root of an upper triangle: Bjorck and Hammarling (1983), column by column."""
    n = len(t)
    root = np.zeros_like(t)
    for j in range(n):
        root[j, j] = np.sqrt(t[j, j])
        for i in reversed(range(j)):
            shared = root[i, i + 1 : j] @ root[i + 1 : j, j]
            root[i, j] = (t[i, j] - shared) / (root[i, i] + root[j, j])
    return root


# --- exactly ---------------------------------------------------------------------------------------------------------

#: Eigenvalues that differ by less, relative to the largest, count as equal.
_APART = 1e-6


def _exact_logm(S: Any, m: Any) -> Any:
    """By eigenvectors, where eigenvalues differ and none is negative; otherwise Y with expm(Y) = A."""
    floats = nearest(S, m)
    w = np.linalg.eigvals(floats)
    gaps = np.abs(w[:, None] - w) + np.where(np.eye(len(w), dtype=bool), np.inf, 0)
    if np.min(gaps) > _APART * np.max(np.abs(w)) and np.all(np.pi - np.abs(np.angle(w)) > _APART):
        return _by_eigenvectors(S, m, floats, S.log)
    start = _logm(floats)
    size = float(np.abs(start).sum(0).max(initial=0))
    (found,) = implied(S, [start.astype(floats.dtype)], lambda y: [exact_expm(S, y, size) - m])
    return found


def _by_eigenvectors(S: Any, m: Any, floats: Any, f: Callable[[Any], Any]) -> Any:
    """V f(w) inv(V), of a matrix whose eigenvalues differ."""
    values, vectors = np.linalg.eig(floats.astype(np.complex128))
    pairs = [exact_pair(S, m, values[j], vectors[:, j]) for j in range(len(m))]
    basis = np.stack([v for _, v in pairs], -1)
    scaled = np.stack([v * f(w) for w, v in pairs], -1)
    found = solution(S, basis.T, scaled.T).T
    return found if floats.dtype.kind == "c" else filled(found.shape, [S.re(cell) for cell in found.ravel()])


LOGM = matrix_function(
    "logm",
    lambda a, depth: each_matrix(lambda m: _logm(m, depth), a),
    _exact_logm,
    doc="The principal logarithm of a matrix.",
)


@function(
    family="linalg",
    where="",
    also=("scipy.linalg.logm",),
    op=LOGM,
    derivative=BY_BLOCKS.replace("f(", "logm("),
    defined="no eigenvalue is 0 or negative",
    kinks="negative eigenvalues: the principal value, complex",
    source=BLOCKS_SOURCE,
    cases=(case(sample(2)), case(NEGATIVE_EIGENVALUE), case(complex_sample(2, 2)), case(np.array([[[2.0]], [[3.0]]]))),
)
def logm(A: Any, disp: Any = None) -> CoreValue:
    """The principal logarithm of a matrix: expm(logm(A)) = A."""
    return bind(LOGM, in_reach("logm", A), depth=0)


@function(
    family="linalg",
    where="",
    also=("scipy.linalg.fractional_matrix_power",),
    derivative="vjp: that of expm(t*logm(A)); of a whole t, of the product",
    defined="no eigenvalue is 0 or negative",
    source="Higham (2008), Functions of Matrices, 7",
    cases=(case(sample(2), -1.25), case(sample(2), 3)),
)
def fractional_matrix_power(A: Any, t: Any) -> CoreValue:
    """A square matrix to any power."""
    power = settled(as_core(t))
    moving = isinstance(t, Value) and power.dtype.kind != "i"
    if not moving and power.size == 1 and power.dtype.kind != "c" and float(power) == int(power):
        return matrix_power.call(to_float(as_core(A)), int(power))
    logarithm = bind(LOGM, in_reach("fractional_matrix_power", A), depth=0)
    return bind(EXPM, as_core(t) * logarithm, depth=0)
