"""Determinants and cofactors, with derivatives that are right for singular matrices too, up to the fourth of det.

Where a matrix is far from singular, they are products with its inverse; where not, sums of products of singular values,
with no division.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from itertools import permutations
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, dtype_of, shape_of
from gradcli.ops.dependence import coupled
from gradcli.ops.exact import determinant, filled, matrices
from gradcli.ops.kinds import added, conj, general, ranks_aligned, sum_to
from gradcli.ops.linalg import INV
from gradcli.ops.matrices import as_scalar, check_square, diagonal_of, square_spec, transposed
from gradcli.ops.products import times
from gradcli.ops.reduction import total


def _regular_inverse(a: Any, power: float) -> Any:
    """The inverse, or None if a matrix of the stack has a condition above eps**-power, where it loses too much."""
    try:
        w = np.linalg.inv(a)
    except np.linalg.LinAlgError:
        return None
    condition = np.abs(a).sum(-1).max(-1, initial=0) * np.abs(w).sum(-1).max(-1, initial=0)
    return w if np.all(condition < np.finfo(a.dtype).eps ** -power) else None


def _cofactors(a: Any) -> Any:
    """det(A) inv(A).T, which exists for singular matrices too: by singular values, with no division."""
    w = _regular_inverse(a, 0.5)
    if w is not None:
        return np.linalg.det(a)[..., None, None] * w.swapaxes(-1, -2)
    if a.shape[-1] in _BY_MINORS:
        return _BY_MINORS[a.shape[-1]](a)
    u, s, vh = np.linalg.svd(a)
    sign = np.linalg.det(u) * np.linalg.det(vh)
    middle = u.conj() * _products_without(s)[..., None, :]
    return (sign[..., None, None] * (middle @ vh.conj())).astype(a.dtype)


def _minors_of_two(a: Any) -> Any:
    signs = np.array([[1, -1], [-1, 1]], dtype=a.dtype)
    return a[..., ::-1, ::-1] * signs


def _minors_of_three(a: Any) -> Any:
    """Each row of cofactors is the cross product of the next two rows."""
    after, last = np.roll(a, -1, -2), np.roll(a, -2, -2)
    return np.roll(after, -1, -1) * np.roll(last, -2, -1) - np.roll(after, -2, -1) * np.roll(last, -1, -1)


#: Of small matrices the minors are written out: exact where the matrix is of round numbers.
_BY_MINORS: dict[int, Callable[[Any], Any]] = {1: np.ones_like, 2: _minors_of_two, 3: _minors_of_three}


def _products_without(s: Any) -> Any:
    """For every element along the last axis the product of the others."""
    left = np.cumprod(np.concatenate([np.ones_like(s[..., :1]), s[..., :-1]], -1), -1)
    right = np.cumprod(np.concatenate([np.ones_like(s[..., :1]), s[..., :0:-1]], -1), -1)[..., ::-1]
    return left * right


def _products_without_two(s: Any) -> Any:
    """For every pair of places i, j along the last axis the product of the elements at all others; 0 for i = j."""
    n = s.shape[-1]
    spread = np.broadcast_to(s[..., None, :], (*s.shape, n)) * (1 - np.eye(n)) + np.eye(n)
    return _products_without(spread) * (1 - np.eye(n))


def _second_cofactors(a: Any, e: Any) -> Any:
    """Derivative of the cofactors in the direction E: sums of products in the basis of the singular vectors."""
    w = _regular_inverse(a, 0.25)
    if w is not None:
        we = w @ e
        trace = np.trace(we, axis1=-2, axis2=-1)[..., None, None]
        return np.linalg.det(a)[..., None, None] * (trace * w - we @ w).swapaxes(-1, -2)
    u, s, vh = np.linalg.svd(a)
    sign = np.linalg.det(u) * np.linalg.det(vh)
    f = u.swapaxes(-1, -2).conj() @ e @ vh.swapaxes(-1, -2).conj()
    p = _products_without_two(s)
    n = s.shape[-1]
    diagonal = (p @ np.diagonal(f, axis1=-2, axis2=-1)[..., None]) * np.eye(n)
    found = diagonal - p * f.swapaxes(-1, -2)
    return (sign[..., None, None] * (u.conj() @ found @ vh.conj())).astype(np.result_type(a, e))


def _products_without_three(s: Any) -> Any:
    """For every three places the product of the elements at all others; 0 where two are the same."""
    n = s.shape[-1]
    places = np.arange(n)
    chosen = (places == places[:, None])[:, None, None] | (places == places[:, None])[None, :, None]
    chosen = chosen | (places == places[:, None])[None, None, :]
    i, j, k = np.ogrid[:n, :n, :n]
    apart = (i != j) & (j != k) & (i != k)
    return np.where(chosen, 1, s[..., None, None, None, :]).prod(-1) * apart


def _third_cofactors(a: Any, e: Any, f: Any) -> Any:
    """Second derivative of the cofactors in the directions E and F."""
    w = _regular_inverse(a, 0.25)
    if w is not None:
        we, wf = w @ e, w @ f
        traces = (np.trace(x, axis1=-2, axis2=-1)[..., None, None] for x in (we, wf, we @ wf))
        first, second, both = traces
        inner = (first * second - both) * w - second * (we @ w) - first * (wf @ w) + we @ wf @ w + wf @ we @ w
        return np.linalg.det(a)[..., None, None] * inner.swapaxes(-1, -2)
    u, s, vh = np.linalg.svd(a)
    sign = np.linalg.det(u) * np.linalg.det(vh)
    left, right = u.swapaxes(-1, -2).conj(), vh.swapaxes(-1, -2).conj()
    x, y, p = left @ e @ right, left @ f @ right, _products_without_three(s)
    # The terms of a determinant that take three elements beside the singular values: one for each permutation.
    once = np.einsum("...abc,...bb,...cc->...a", p, x, y) - np.einsum("...abc,...bc,...cb->...a", p, x, y)
    found = once[..., None] * np.eye(s.shape[-1])
    for v, z in ((x, y), (y, x)):
        found = found - np.einsum("...ba,...abc,...cc->...ab", v, p, z)
        found = found + np.einsum("...abc,...bc,...ca->...ab", p, v, z)
    return (sign[..., None, None] * (u.conj() @ found @ vh.conj())).astype(np.result_type(a, e, f))


def _exact_third(S: Any, a: Any, e: Any, f: Any) -> Any:
    def one(m: Any, d: Any, c: Any) -> Any:
        n = m.shape[0]
        found = []
        for i in range(n):
            for j in range(n):
                minor, first, second = (np.delete(np.delete(x, i, 0), j, 1) for x in (m, d, c))
                parts = [
                    determinant(S, _with_row(_with_row(minor, first, k), second, h))
                    for k in range(n - 1)
                    for h in range(n - 1)
                    if k != h
                ]
                found.append(sum(parts, S.number(0)) * (1 - 2 * ((i + j) % 2)))
        return filled((n, n), found)

    return matrices(one, a, e, f)


def _triple_spec(a: CoreValue, e: CoreValue, f: CoreValue) -> Spec:
    shape = np.broadcast_shapes(shape_of(a), shape_of(e), shape_of(f))
    return Spec(shape, np.result_type(dtype_of(a), dtype_of(e), dtype_of(f)))


def _of_regular(a: CoreValue, *directions: CoreValue) -> CoreValue:
    """A derivative of the cofactors det(A) inv(A).T of regular matrices, of any order.

    With X = inv(A) E for each direction E it is a sum over the permutations of 0 and the directions: the cycle of 0 is
    the product of its X, times inv(A), any other cycle the trace of its product, and the sign is the permutation's.
    """
    w = bind(INV, a)
    pushed = [times(w, e) for e in directions]
    found = None
    for order in permutations(range(len(pushed) + 1)):
        matrix, factor = w, None
        sign = 1
        for cycle in _cycles(order):
            sign = sign if len(cycle) % 2 else -sign
            product = reduce(times, [pushed[i - 1] for i in cycle if i]) if cycle != [0] else None
            if cycle[0] == 0:
                matrix = w if product is None else times(product, w)
            else:
                trace = as_scalar(total(diagonal_of(product), (-1,)))
                factor = trace if factor is None else factor * trace
        term = sign * matrix if factor is None else sign * factor * matrix
        found = term if found is None else found + term
    return as_scalar(bind(DET, a)) * transposed(found)


def _cycles(order: Sequence[int]) -> list[list[int]]:
    """The cycles of a permutation, each from its smallest element on."""
    found: list[list[int]] = []
    seen: set[int] = set()
    for start in range(len(order)):
        cycle = []
        while start not in seen:
            seen.add(start)
            cycle.append(start)
            start = order[start]
        if cycle:
            found.append(cycle)
    return found


def _exact_cofactors(S: Any, a: Any) -> Any:
    def one(m: Any) -> Any:
        n = m.shape[0]
        minors = [
            determinant(S, np.delete(np.delete(m, i, 0), j, 1)) * (1 - 2 * ((i + j) % 2))
            for i in range(n)
            for j in range(n)
        ]
        return filled((n, n), minors)

    return matrices(one, a)


def _exact_second(S: Any, a: Any, e: Any) -> Any:
    def one(m: Any, d: Any) -> Any:
        n = m.shape[0]
        found = []
        for i in range(n):
            for j in range(n):
                minor, moved = (np.delete(np.delete(x, i, 0), j, 1) for x in (m, d))
                parts = [determinant(S, _with_row(minor, moved, k)) for k in range(n - 1)]
                found.append(sum(parts, S.number(0)) * (1 - 2 * ((i + j) % 2)))
        return filled((n, n), found)

    return matrices(one, a, e)


def _with_row(m: Any, d: Any, k: int) -> Any:
    made = m.astype(object)
    made[k] = d[k]
    return made


def _pair_spec(a: CoreValue, e: CoreValue) -> Spec:
    return Spec(np.broadcast_shapes(shape_of(a), shape_of(e)), np.result_type(dtype_of(a), dtype_of(e)))


def _aligned(op_of: Any) -> Any:
    return lambda xs, batched, params, size: bind(op_of(), *ranks_aligned(xs, batched))


def _derivative_jvp(op_of: Any) -> Any:
    """The jvp of a derivative of the cofactors: one order more, and the same in another direction."""

    def jvp(ts: Sequence[CoreValue | None], y: CoreValue, a: CoreValue, *directions: CoreValue) -> CoreValue | None:
        found = None if ts[0] is None else _next_derivative(a, *directions, ts[0])
        for i, t in enumerate(ts[1:]):
            if t is not None:
                found = added(found, bind(op_of(), a, *directions[:i], t, *directions[i + 1 :]))
        return found

    return jvp


def _next_derivative(a: CoreValue, *directions: CoreValue) -> CoreValue:
    """A derivative of the cofactors: of any matrix up to the third, of regular ones beyond."""
    if len(directions) == 2:
        return bind(THIRD_COFACTORS, a, *directions)
    return _of_regular(a, *directions)


THIRD_COFACTORS: Op = general(
    "third_cofactors",
    _third_cofactors,
    _triple_spec,
    vjps=(
        lambda g, y, a, e, f: sum_to(conj(_of_regular(a, conj(g), e, f)), shape_of(a)),
        lambda g, y, a, e, f: sum_to(conj(bind(THIRD_COFACTORS, a, conj(g), f)), shape_of(e)),
        lambda g, y, a, e, f: sum_to(conj(bind(THIRD_COFACTORS, a, e, conj(g))), shape_of(f)),
    ),
    jvp=_derivative_jvp(lambda: THIRD_COFACTORS),
    meaning=_exact_third,
    batch=_aligned(lambda: THIRD_COFACTORS),
    depends=coupled(2),
    doc="Second derivative of the cofactors of a matrix, in two directions.",
)

SECOND_COFACTORS: Op = general(
    "second_cofactors",
    _second_cofactors,
    _pair_spec,
    vjps=(
        lambda g, y, a, e: sum_to(conj(bind(THIRD_COFACTORS, a, conj(g), e)), shape_of(a)),
        lambda g, y, a, e: sum_to(conj(bind(SECOND_COFACTORS, a, conj(g))), shape_of(e)),
    ),
    jvp=_derivative_jvp(lambda: SECOND_COFACTORS),
    meaning=_exact_second,
    batch=_aligned(lambda: SECOND_COFACTORS),
    depends=coupled(2),
    doc="Derivative of the cofactors of a matrix in a direction.",
)


COFACTORS = general(
    "cofactors",
    _cofactors,
    square_spec("cofactors"),
    vjps=(lambda g, y, a: conj(bind(SECOND_COFACTORS, a, conj(g))),),
    jvp=lambda ts, y, a: bind(SECOND_COFACTORS, a, ts[0]),
    meaning=_exact_cofactors,
    depends=coupled(2),
    doc="Cofactors of a matrix: det(A)*inv(A).T, for singular matrices too.",
)


def _det_spec(a: CoreValue) -> Spec:
    check_square("det", a)
    return Spec(shape_of(a)[:-2], dtype_of(a))


DET = general(
    "det",
    np.linalg.det,
    _det_spec,
    vjps=(lambda g, y, a: as_scalar(g) * conj(bind(COFACTORS, a)),),
    jvp=lambda ts, y, a: total(ts[0] * bind(COFACTORS, a), (-2, -1)),
    meaning=lambda S, a: matrices(lambda m: determinant(S, m), a),
    torch="LinalgDet",
    saves=(0, "y"),
    depends=coupled(2),
    doc="Determinant of a matrix, or of each in a stack.",
)
