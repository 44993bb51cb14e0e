"""Powers, square roots and signs of square matrices."""

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
from gradcli.ops.dependence import coupled
from gradcli.ops.exact import implied, matrices, nearest, solution
from gradcli.ops.fixed import held
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
    unconverged,
)
from gradcli.ops.operands import as_core, to_float
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

    found, count = held(as_core(a), n, "matrix_power", "power"), integer(n, "matrix_power: the power")
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


# --- square root -----------------------------------------------------------------------------------------------------


def _quietly(f: Callable[[Any], Any], a: Any) -> Any:
    """What SciPy finds, without its remarks."""
    import warnings

    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return f(a)


def in_reach(name: str, x: Any) -> CoreValue:
    """The matrix; complex where a real one has negative eigenvalues, whose roots and logarithms are complex."""
    a = as_matrix(name, x)
    if dtype_of(a).kind == "c":
        return a
    try:
        eigenvalues = np.linalg.eigvals(settled(a))
    except AbstractValue:
        return a
    except np.linalg.LinAlgError:
        raise unconverged(name, settled(a)) from None
    negative = np.any((eigenvalues.imag == 0) & (eigenvalues.real < 0))
    return cast(a, np.result_type(dtype_of(a), np.complex64)) if negative else a


NEGATIVE_EIGENVALUE = np.array([[-1.0, 0.5], [0.25, 2.0]])
#: Eigenvalues of both signs, two of either.
_MIXED = np.array([[2.0, 0.5, -1.0, 0.25], [-0.5, -1.5, 0.5, 1.0], [0.25, 1.0, 1.0, -0.5], [1.0, 0.25, 0.5, -3.0]])


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
    depends=coupled(2),
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
    cases=(
        case(sample(3)),
        case(sample(2, 2)),
        case(NEGATIVE_EIGENVALUE),
        case(complex_sample(2, 2)),
        case(np.zeros((0, 0))),
    ),
)
def sqrtm(A: Any, disp: Any = None, blocksize: Any = None) -> CoreValue:
    """The principal square root of a matrix: sqrtm(A) @ sqrtm(A) = A."""
    return bind(SQRTM, in_reach("sqrtm", A))


# --- sign ------------------------------------------------------------------------------------------------------------


def _signm(a: Any) -> Any:
    """By Schur's form: Higham (2008), algorithm 5.5. Of one kind of eigenvalues, it is 1 or -1 times the identity."""
    from scipy.linalg import schur

    n = len(a)
    try:
        t, q = schur(a, output="complex", check_finite=False) if n else (a, a)
    except np.linalg.LinAlgError:
        raise unconverged("signm", a) from None
    signs = np.sign(np.diagonal(t).real)
    if np.any(signs == 0):
        raise DomainError("signm: an eigenvalue has the real part 0", mend="its sign is neither 1 nor -1")
    if np.all(signs == signs[:1]):
        return (signs[:1] * np.eye(n)).astype(a.dtype)
    u = np.diag(signs).astype(t.dtype)
    for j in range(n):
        for i in reversed(range(j)):
            inner = slice(i + 1, j)
            if signs[i] == signs[j]:
                u[i, j] = -signs[i] / 2 * (u[i, inner] @ u[inner, j])
            else:
                shared = u[i, inner] @ t[inner, j] - t[i, inner] @ u[inner, j]
                u[i, j] = (t[i, j] * (signs[i] - signs[j]) + shared) / (t[i, i] - t[j, j])
    found = q @ u @ q.conj().T
    return (found if a.dtype.kind == "c" else found.real).astype(a.dtype)


def _signm_vjp(g: CoreValue, y: CoreValue, a: CoreValue) -> CoreValue:
    root = adjoint(times(a, y))
    w = bind(SYLVESTER, root, root, g)
    return w - times(times(adjoint(y), w), adjoint(y))


def _signm_jvp(ts: Any, y: CoreValue, a: CoreValue) -> CoreValue:
    """Of S: L with N L + L N = E - S E S, where N = A S is the root of A @ A (Higham, 5.1)."""
    root = times(a, y)
    return bind(SYLVESTER, root, root, ts[0] - times(times(y, ts[0]), y))


def _exact_signm(S: Any, a: Any) -> Any:
    return matrices(lambda m: solution(S, _exact_sqrtm(S, m @ m), m), a)


SIGNM: Op = general(
    "signm",
    lambda a: each_matrix(_signm, a),
    square_spec("signm"),
    vjps=(_signm_vjp,),
    jvp=_signm_jvp,
    meaning=_exact_signm,
    saves=(0, "y"),
    depends=coupled(2),
    doc="The sign of a matrix.",
)


@function(
    family="linalg",
    where="",
    also=("scipy.linalg.signm",),
    op=SIGNM,
    derivative="vjp: W - S.T @ W @ S.T, S = signm(A), with N.T @ W + W @ N.T = g, N = A @ S",
    defined="no eigenvalue has the real part 0",
    source="Higham (2008), Functions of Matrices, 5.1",
    cases=(
        case(NEGATIVE_EIGENVALUE),
        case(complex_sample(2, 2)),
        case(-sample(3)),
        case(_MIXED),
        case(np.zeros((0, 0))),
    ),
)
def signm(A: Any, disp: Any = None) -> CoreValue:
    """The sign of a matrix: eigenvalues become 1 or -1 by the sign of their real part."""
    return bind(SIGNM, as_matrix("signm", A))
