"""Powers, logarithm and square root of square matrices."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import AbstractValue, ArgumentError, DomainError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, dtype_of, shape_of
from gradcli.ops.arguments import integer, settled
from gradcli.ops.casts import cast
from gradcli.ops.exact import filled, implied, matrices, nearest, solution
from gradcli.ops.function import case
from gradcli.ops.kinds import general
from gradcli.ops.linalg import INV
from gradcli.ops.matrices import (
    adjoint,
    as_matrix,
    blamed,
    check_square,
    complex_sample,
    each_matrix,
    sample,
    square_spec,
)
from gradcli.ops.matrix_exponential import BLOCKS_SOURCE, BY_BLOCKS, EXPM, exact_expm, matrix_function
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.phases import exact_pair
from gradcli.ops.products import times
from gradcli.ops.registry import function
from gradcli.ops.sylvester import SYLVESTER

# --- powers ----------------------------------------------------------------------------------------------------------


@function(
    family="linalg",
    where="",
    also=("numpy.linalg.matrix_power", "torch.linalg.matrix_power", "torch.matrix_power", ".matrix_power"),
    derivative="vjp: that of the products it is made of",
    cases=(
        case((3, 3), 2),
        case((2, 2), 5),
        case(sample(2), -2),
        case((2, 2), 0),
        case((2, 2), 1),
        case(complex_sample(2, 2), 3),
    ),
)
def matrix_power(a: Any, n: Any) -> CoreValue:
    """A square matrix multiplied with itself n times; its inverse for negative n."""
    from gradcli.ops.constructors import eye

    found, count = as_core(a), integer(n, "matrix_power: the power")
    check_square("matrix_power", found)
    if abs(count) > 1 << 20:
        raise ArgumentError(f"matrix_power: {count} is too large a power")
    if count < 0:
        found, count = bind(INV, to_float(found)), -count
    result = None
    while count:
        if count & 1:
            result = found if result is None else times(result, found)
        count >>= 1
        found = times(found, found) if count else found
    return eye(shape_of(found)[-1], dtype=dtype_of(found)) + 0 * found if result is None else result


# --- logarithm -------------------------------------------------------------------------------------------------------


def _quietly(f: Callable[[Any], Any], a: Any) -> Any:
    """What SciPy finds, without its remarks."""
    import warnings

    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return f(a)


#: How near to half a turn the angle of a negative number is.
_ON_THE_CUT = 1e-10


def _logm(a: Any, depth: int = 0) -> Any:
    from scipy.linalg import logm

    n = a.shape[-1] >> depth
    eigenvalues = np.linalg.eigvals(a[:n, :n])
    if np.any(eigenvalues == 0):
        raise DomainError("logm: the matrix is singular", mend="its rows are linearly dependent")
    room = np.pi - np.abs(np.angle(eigenvalues))
    if a.dtype.kind != "c" or np.all(room > _ON_THE_CUT):
        return _quietly(logm, a)
    # Rounding would put negative eigenvalues on either side of the cut: it is turned away from them.
    turn = min(1.0, float(room[room > _ON_THE_CUT].min(initial=1.0))) / 2
    return _quietly(logm, a * np.exp(-1j * turn)) + 1j * turn * np.eye(a.shape[-1])


#: Up to this size the equations expm(Y) = A can be solved for all elements of Y at once.
_SMALL = 3


def _exact_logm(S: Any, m: Any) -> Any:
    floats = nearest(S, m)
    if len(m) > _SMALL:
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


def _in_reach(name: str, x: Any, f: Callable[[Any], Any]) -> CoreValue:
    """The matrix, complex if the real one's result is."""
    a = as_matrix(name, x)
    if dtype_of(a).kind == "c":
        return a
    try:
        found = np.asarray(each_matrix(lambda m: np.asarray(f(m)) if m.size else m, settled(a)))
    except AbstractValue:
        return a
    return cast(a, np.result_type(dtype_of(a), np.complex64)) if found.dtype.kind == "c" else a


_NEGATIVE = np.array([[-1.0, 0.5], [0.25, 2.0]])


@function(
    family="linalg",
    where="",
    also=("scipy.linalg.logm",),
    op=LOGM,
    derivative=BY_BLOCKS.replace("f(", "logm("),
    defined="no eigenvalue is 0 or negative",
    kinks="negative eigenvalues: the principal value, complex",
    source=BLOCKS_SOURCE,
    cases=(case(sample(2)), case(_NEGATIVE), case(complex_sample(2, 2)), case(np.array([[[2.0]], [[3.0]]]))),
)
def logm(A: Any, disp: Any = None) -> CoreValue:
    """The principal logarithm of a matrix: expm(logm(A)) = A."""
    return bind(LOGM, _in_reach("logm", A, _logm), depth=0)


# --- square root -----------------------------------------------------------------------------------------------------


def _sqrtm(a: Any) -> Any:
    from scipy.linalg import sqrtm

    return _quietly(sqrtm, a)


def _no_derivative() -> Any:
    return blamed(
        "sqrtm: the square root of this matrix has no derivative",
        "eigenvalues of the root must not be 0, nor add up to 0",
    )


def _sqrtm_vjp(g: CoreValue, y: CoreValue, a: CoreValue) -> CoreValue:
    with _no_derivative():
        return bind(SYLVESTER, adjoint(y), adjoint(y), g)


def _sqrtm_jvp(ts: Any, y: CoreValue, a: CoreValue) -> CoreValue:
    with _no_derivative():
        return bind(SYLVESTER, y, y, ts[0])


def _exact_sqrtm(S: Any, a: Any) -> Any:
    def one(m: Any) -> Any:
        floats = nearest(S, m)
        (found,) = implied(S, [np.asarray(_sqrtm(floats), dtype=floats.dtype)], lambda y: [y @ y - m])
        return found

    return matrices(one, a)


SQRTM: Op = general(
    "sqrtm",
    lambda a: each_matrix(lambda m: np.asarray(_sqrtm(m) if m.size else m, dtype=m.dtype), a),
    square_spec("sqrtm"),
    vjps=(_sqrtm_vjp,),
    jvp=_sqrtm_jvp,
    meaning=_exact_sqrtm,
    saves=("y",),
    doc="The principal square root of a matrix.",
)


@function(
    family="linalg",
    where="",
    also=("scipy.linalg.sqrtm",),
    op=SQRTM,
    derivative="vjp: W with Y.T @ W + W @ Y.T = g, Y = sqrtm(A)",
    defined="no eigenvalue is 0 or negative",
    kinks="negative eigenvalues: the principal value, complex",
    source="Higham (2008), Functions of Matrices, 6.1",
    cases=(case(sample(3)), case(sample(2, 2)), case(_NEGATIVE), case(complex_sample(2, 2)), case(np.zeros((0, 0)))),
)
def sqrtm(A: Any, disp: Any = None, blocksize: Any = None) -> CoreValue:
    """The principal square root of a matrix: sqrtm(A) @ sqrtm(A) = A."""
    return bind(SQRTM, _in_reach("sqrtm", A, _sqrtm))


@function(
    family="linalg",
    where="",
    also=("scipy.linalg.signm",),
    derivative="vjp: that of inv(sqrtm(A @ A)) @ A",
    defined="no eigenvalue has the real part 0",
    source="Higham (2008), Functions of Matrices, 5.1",
    cases=(case(_NEGATIVE), case(complex_sample(2, 2))),
)
def signm(A: Any, disp: Any = None) -> CoreValue:
    """The sign of a matrix: eigenvalues become 1 or -1 by the sign of their real part."""
    from gradcli.ops.linalg import SOLVE

    a = as_matrix("signm", A)
    return bind(SOLVE, bind(SQRTM, times(a, a)), a)


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
    if power.size == 1 and power.dtype.kind != "c" and float(power) == int(power):
        return matrix_power.call(to_float(as_core(A)), int(power))
    logarithm = bind(LOGM, _in_reach("fractional_matrix_power", A, _logm), depth=0)
    return bind(EXPM, as_core(t) * logarithm, depth=0)
