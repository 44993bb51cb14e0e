"""Parts and conjugates of complex values."""

from __future__ import annotations

import numpy as np

from gradcli.graph.values import OPERATORS, CoreValue, dtype_of
from gradcli.ops.function import Function
from gradcli.ops.kinds import conj as conjugated
from gradcli.ops.kinds import elementwise_general
from gradcli.ops.registry import elementwise_function

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
conj = elementwise_function(CONJ, floats=False, derivative="vjp: conj(g)", also=("numpy.conjugate",))


def _to_complex(g: CoreValue) -> CoreValue:
    return OPERATORS["astype"](g, np.result_type(dtype_of(g), np.complex64))


REAL = elementwise_general(
    "real",
    lambda x: np.real(x) + 0,
    vjps=(lambda g, y, x: _to_complex(g) if dtype_of(x).kind == "c" else g,),
    jvp=lambda ts, y, x: real(ts[0]),
    meaning=lambda S, x: S.re(x),
    torch="Real",
    doc="Real part.",
)
IMAG = elementwise_general(
    "imag",
    lambda x: np.imag(x) + 0,
    vjps=(lambda g, y, x: _to_complex(g) * 1j if dtype_of(x).kind == "c" else 0 * g,),
    jvp=lambda ts, y, x: imag(ts[0]),
    meaning=lambda S, x: S.im(x),
    torch="Imag",
    doc="Imaginary part.",
)
real: Function = elementwise_function(REAL, floats=False, derivative="vjp: g", where="numpy torch", also=("@real",))
imag: Function = elementwise_function(
    IMAG, floats=False, derivative="vjp: 1j*g, 0 for real x", where="numpy torch", also=("@imag",)
)
