"""Parts and conjugates of complex values."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.values import OPERATORS, CoreValue, dtype_of
from gradcli.ops.arguments import settled
from gradcli.ops.elementwise.pairs import COMPLEX, COMPLEX_CASE
from gradcli.ops.function import Function, case
from gradcli.ops.kinds import conj as conjugated
from gradcli.ops.kinds import elementwise_general
from gradcli.ops.operands import as_core
from gradcli.ops.registry import elementwise_function, function

# Conjugation is linear over the reals only: its cotangent and its tangent are conjugated, not multiplied.
CONJ = elementwise_general(
    "conj",
    np.conjugate,
    vjps=(lambda g, y, x: conjugated(g),),
    jvp=lambda ts, y, x: conjugated(ts[0]),
    meaning=lambda S, x: S.conj(x),
    torch="Conj",
    doc="Complex conjugate.",
)
conj = elementwise_function(
    CONJ,
    floats=False,
    derivative="vjp: conj(g)",
    also=("numpy.conjugate", "torch.conj_physical", ".conj_physical"),
    cases=(COMPLEX_CASE,),
)


def _to_complex(g: CoreValue) -> CoreValue:
    return OPERATORS["astype"](g, np.result_type(dtype_of(g), np.complex64))


REAL = elementwise_general(
    "real",
    lambda x: np.positive(np.real(x)),
    vjps=(lambda g, y, x: _to_complex(g) if dtype_of(x).kind == "c" else g,),
    jvp=lambda ts, y, x: real(ts[0]),
    meaning=lambda S, x: S.re(x),
    torch="Real",
    doc="Real part.",
)
IMAG = elementwise_general(
    "imag",
    lambda x: np.positive(np.imag(x)),
    vjps=(lambda g, y, x: _to_complex(g) * 1j if dtype_of(x).kind == "c" else 0 * g,),
    jvp=lambda ts, y, x: imag(ts[0]),
    meaning=lambda S, x: S.im(x),
    torch="Imag",
    doc="Imaginary part.",
)
real: Function = elementwise_function(
    REAL, floats=False, derivative="vjp: g", where="numpy torch", also=("@real",), cases=(COMPLEX_CASE,)
)
imag: Function = elementwise_function(
    IMAG,
    floats=False,
    derivative="vjp: 1j*g, 0 for real x",
    where="numpy torch",
    also=("@imag",),
    cases=(COMPLEX_CASE,),
)


@function(
    family="elementwise",
    where="numpy",
    derivative="vjp: g",
    kinks="the choice between x and its real part is made by value",
    cases=(case(COMPLEX), case(COMPLEX.real + 0j), case((3,)), case(COMPLEX.real + 1e-14j, tol=1000)),
)
def real_if_close(x: Any, tol: float = 100) -> CoreValue:
    """The real part, if all imaginary parts are within tol*eps of 0 (within tol itself where tol <= 1)."""
    found = as_core(x)
    if dtype_of(found).kind != "c":
        return found
    near = tol * np.finfo(dtype_of(found)).eps if tol > 1 else tol
    return real.call(found) if np.all(np.abs(np.imag(settled(found))) < near) else found
