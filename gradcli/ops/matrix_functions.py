"""Functions of square matrices: powers, the exponential, the logarithm and the square root.

The derivative of f at A in the direction E is the block at the top right of f([[A, E], [0, A]]), to any order: Mathias, "A
chain rule for matrix functions and applications" (1996). Its transpose, of g, is the adjoint of the derivative in the
direction g.H.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import AbstractValue, ArgumentError, DomainError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, dtype_of, shape_of
from gradcli.ops.arguments import integer, settled
from gradcli.ops.casts import cast
from gradcli.ops.exact import filled, identity, implied, matrices, nearest
from gradcli.ops.function import case
from gradcli.ops.indexing import getitem
from gradcli.ops.joining import concatenate
from gradcli.ops.kinds import constant, expanded, general, ranks_aligned
from gradcli.ops.linalg import INV
from gradcli.ops.matrices import adjoint, as_matrix, blamed, check_square, complex_sample, each_matrix, sample, square_spec
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.products import times
from gradcli.ops.reduction import real_dtype
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
SCALE = constant(
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
    """Declare an op that is a primary function of a matrix: `value` of (a stack, depth), `meaning` of (S, one matrix)."""

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
        doc=doc,
    )
    return op


# --- exponential -----------------------------------------------------------------------------------------------------


#: 1/k!, up to the power from which on nothing changes for a matrix no larger than 1.
_INVERSE_FACTORIALS = [1 / math.factorial(k) for k in range(19)]


def _expm(a: Any, depth: int = 0) -> Any:
    """Taylor's series of a part of the matrix without its trace, squared back.

    What is squared is the exponential less 1, whose digits would be lost beside the 1; and without its trace a matrix has
    no exponential that is much smaller than 1, where they would be lost by adding it.
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


#: Powers in Taylor's series, of a matrix no larger than 1/16: the rest is below 1e-70.
_TERMS = 32


def exact_expm(S: Any, m: Any, size: float) -> Any:
    """Taylor's series of a part of the matrix, squared back; `size` is its norm, roughly."""
    halvings = max(0, int(np.ceil(np.log2(max(size, 2.0**-40)))) + 4)
    part = m * S.number(2.0**-halvings)
    one = identity(S, m.shape[0])
    found = one
    for k in range(_TERMS, 0, -1):
        found = one + (part @ found) / S.number(k)
    for _ in range(halvings):
        found = found @ found
    return found


def _exact_expm(S: Any, m: Any) -> Any:
    return exact_expm(S, m, float(np.abs(nearest(S, m)).sum(0).max(initial=0)))


EXPM = matrix_function("expm", _expm, _exact_expm, "LinalgMatrixExp", "The matrix exponential.")

_BLOCKS = "vjp: the top right of f([[A, g.T], [0, A]]), transposed"
_SOURCE = "Mathias (1996), A chain rule for matrix functions and applications"


@function(
    family="linalg",
    where="",
    also=("scipy.linalg.expm", "torch.linalg.matrix_exp", "torch.matrix_exp", ".matrix_exp"),
    op=EXPM,
    derivative=_BLOCKS.replace("f(", "expm("),
    source=f"{_SOURCE}; Najfeld and Havel (1995)",
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
    source=_SOURCE,
    cases=(case(sample(2), (2, 2)), case(sample(2), (2, 2), compute_expm=False)),
)
def expm_frechet(A: Any, E: Any, method: Any = None, compute_expm: bool = True, check_finite: bool = True) -> Any:
    """(expm(A), the derivative of expm at A in the direction E)."""
    found = frechet(EXPM, as_matrix("expm_frechet", A), as_matrix("expm_frechet", E))
    return found if compute_expm else found[1]


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


def _exact_logm(S: Any, m: Any) -> Any:
    floats = nearest(S, m)
    start = _logm(floats)
    size = float(np.abs(start).sum(0).max(initial=0))
    (found,) = implied(S, [start.astype(floats.dtype)], lambda y: [exact_expm(S, y, size) - m])
    return found


LOGM = matrix_function("logm", lambda a, depth: each_matrix(lambda m: _logm(m, depth), a), _exact_logm, doc="The principal logarithm of a matrix.")


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
    derivative=_BLOCKS.replace("f(", "logm("),
    defined="no eigenvalue is 0 or negative",
    kinks="negative eigenvalues: the principal value, complex",
    source=_SOURCE,
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
