"""The freedom that singular and eigenvectors have, and how their derivatives do without it.

A unit vector that equations define up to a complex factor keeps the phase of its largest element. So vectors are
functions, whose derivatives can be taken again, and nothing is divided by a small number.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.values import CoreValue, Spec, dtype_of, shape_of
from gradcli.ops.elementwise import imag
from gradcli.ops.exact import adjoint_of, implied
from gradcli.ops.kinds import conj, constant
from gradcli.ops.matrices import as_column, as_row, masked
from gradcli.ops.reduction import real_dtype, total


def _largest(v: Any) -> Any:
    """1 where each column has its largest element, 0 elsewhere."""
    sizes = np.abs(v)
    chosen = np.argmax(sizes, axis=-2)[..., None, :] if v.shape[-2] else np.zeros((*v.shape[:-2], 1, v.shape[-1]), int)
    return (np.arange(v.shape[-2])[:, None] == chosen).astype(sizes.dtype)


LARGEST = constant(
    "largest_of_column",
    _largest,
    lambda v: Spec(shape_of(v), real_dtype(dtype_of(v))),
    doc="1 where each column of a matrix has its largest element, 0 elsewhere.",
)


def turns(t: CoreValue, v: CoreValue) -> CoreValue:
    """How fast the phase of each column's largest element changes, times i, in one row."""
    places = bind(LARGEST, v)
    rates = total(places * t, (-2,), True) / total(places * v, (-2,), True)
    return 1j * imag(rates)


def without_turns(t: CoreValue, v: CoreValue) -> CoreValue:
    """Tangents of complex columns, such that the phase of each one's largest element stays."""
    return t if dtype_of(v).kind != "c" else t - v * turns(t, v)


def turning_share(rates: CoreValue, v: CoreValue) -> CoreValue:
    """The cotangent of columns that have turned back at `rates`: the transpose of `turns`, of real rates."""
    places = bind(LARGEST, v)
    return places * (1j * rates / conj(total(places * v, (-2,), True)))


def phase_rates(g: CoreValue, v: CoreValue) -> CoreValue:
    """What turning each column by a small angle changes, by the columns' cotangents, in one row."""
    return imag(total(conj(v) * g, (-2,), True))


def by_gaps(x: CoreValue, w: CoreValue) -> CoreValue:
    """X[i, j]/(w[j] - w[i]), and 0 on the diagonal."""
    eye = np.eye(shape_of(w)[-1])
    gaps = as_row(w) - as_column(w) + eye.astype(dtype_of(w))
    return masked(x, 1 - eye) / gaps


# --- exactly ---------------------------------------------------------------------------------------------------------


def same_phase(S: Any, v: Any, start: Any) -> list[Any]:
    """The equation that the largest element of a complex vector has the phase that it has in `start`; none if real."""
    if start.dtype.kind != "c":
        return []
    k = int(np.argmax(np.abs(start)))
    return [S.im(v[k] * complex(start[k]).conjugate())]


def squared_length(S: Any, v: Any) -> Any:
    """v.H v."""
    return S.re(sum((x * x.conjugate() for x in v), S.number(0)))


def exact_pair(S: Any, m: Any, value: Any, vector: Any) -> tuple[Any, Any]:
    """An eigenvalue and its vector. A complex value, even one that is real, makes as many unknowns as equations."""

    def equations(w: Any, v: Any) -> list[Any]:
        return [m @ v - v * w[()], squared_length(S, v) - 1, *same_phase(S, v, vector)]

    w, v = implied(S, [value, vector], equations)
    return w[()], v


def completion(S: Any, known: Any, start: Any) -> Any:
    """Columns near `start` that complete orthonormal columns to a basis, and do not turn among themselves.

    Where there are several, they are determined up to a rotation of them all; this is the one nearest to `start`.
    """
    count = start.shape[1]

    def equations(free: Any) -> list[Any]:
        found: list[Any] = [adjoint_of(known) @ free]
        for i in range(count):
            found += [squared_length(S, free[:, i]) - 1, *same_phase(S, free[:, i], start[:, i])]
            for j in range(i):
                found.append(_inner(S, free[:, i], free[:, j]))
                found.append(_inner(S, start[:, i], free[:, j]) - _inner(S, start[:, j], free[:, i]).conjugate())
        return found

    (free,) = implied(S, [start], equations)
    return free


def _inner(S: Any, x: Any, y: Any) -> Any:
    return sum((b * complex_or_real(a).conjugate() for a, b in zip(x, y, strict=True)), S.number(0))


def complex_or_real(x: Any) -> Any:
    """A NumPy number as one of Python's; an exact number is itself."""
    return x.item() if isinstance(x, np.generic) else x
