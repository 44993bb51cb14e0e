"""Complex numbers out of real ones, and the other way: by their parts, by size and angle, and as pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import DtypeError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, Spec, dtype_of, shape_of
from gradcli.ops.casts import cast
from gradcli.ops.dependence import on_pairs
from gradcli.ops.elementwise import cos, imag, multiply, real, sin
from gradcli.ops.exact import each
from gradcli.ops.function import case
from gradcli.ops.kinds import elementwise_general, fits, linear
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.registry import function


def _complex(re: Any, im: Any) -> Any:
    """No product with i: infinities and nan stay on their own side."""
    shape = np.broadcast_shapes(np.shape(re), np.shape(im))
    made = np.empty(shape, np.result_type(re, im, np.complex64))
    made.real, made.imag = re, im
    return made


def _complexing(name: str, torch: str, doc: str) -> Op:
    return elementwise_general(
        name,
        _complex,
        vjps=(lambda g, y, re, im: real(g), lambda g, y, re, im: imag(g)),
        jvp=_complex_jvp,
        meaning=lambda S, re, im: re + S.number(1j) * im,
        torch=torch,
        doc=doc,
    )


def _complex_jvp(ts: Sequence[CoreValue | None], y: CoreValue, re: CoreValue, im: CoreValue) -> CoreValue:
    zero = np.zeros((), np.empty(0, dtype_of(y)).real.dtype)
    return bind(COMPLEX, *(zero if t is None else t for t in ts))


COMPLEX: Op = _complexing("complex", "Complex", "A complex number of its real and its imaginary part.")
POLAR: Op = _complexing("polar", "Polar", "A complex number of its real and its imaginary part.")


def _parts(name: str, *xs: Any) -> list[CoreValue]:
    """Real floats, brought to one dtype.

    Raises:
        DtypeError: one is complex.
    """
    found = [to_float(as_core(x)) for x in xs]
    if any(x.dtype.kind == "c" for x in found):
        raise DtypeError(f"{name} takes real numbers, not {' and '.join(str(x.dtype) for x in found)}")
    common = np.result_type(*(x.dtype for x in found))
    return [cast(x, common) for x in found]


@function(
    "complex",
    family="elementwise",
    op=COMPLEX,
    where="torch",
    also=("jax.lax.complex",),
    derivative="vjp: real(g) for the real part, imag(g) for the imaginary part",
    cases=(case((3,), (3,)), case((2, 1), (3,)), case((), ()), case((2,), np.array([0.0, -1.0]))),
)
def complex_(real: Any, imag: Any) -> CoreValue:
    """Complex numbers of their real and their imaginary parts."""
    return bind(COMPLEX, *_parts("complex", real, imag))


@function(
    "polar_torch",
    family="elementwise",
    where="",
    also=("torch.polar",),
    derivative="vjp: with e = exp(1j*angle), real(g*conj(e)) for abs, abs*imag(g*conj(e)) for angle",
    cases=(case((3,), (3,)), case((2, 1), (3,)), case((), ()), case(np.array([0.0, 1.0]), (2,))),
)
def polar_torch(abs: Any, angle: Any) -> CoreValue:
    """Complex numbers of their sizes and their angles."""
    size, turn = _parts("polar", abs, angle)
    return bind(POLAR, multiply(size, cos(turn)), multiply(size, sin(turn)))


# --- as pairs --------------------------------------------------------------------------------------------------------


def _paired(x: Any) -> Any:
    return np.stack([x.real, x.imag], -1)


def _unpaired(x: Any) -> Any:
    return _complex(x[..., 0], x[..., 1])


VIEW_AS_REAL: Op = linear(
    "view_as_real",
    _paired,
    lambda x: Spec((*shape_of(x), 2), np.empty(0, dtype_of(x)).real.dtype),
    transpose=lambda g, x: bind(VIEW_AS_COMPLEX, g),
    torch="ViewAsReal",
    meaning=lambda S, x: np.stack([each(S.re, x), each(S.im, x)], -1),
    depends=on_pairs,
    doc="Complex numbers as pairs of real ones.",
)
VIEW_AS_COMPLEX: Op = linear(
    "view_as_complex",
    _unpaired,
    lambda x: Spec(shape_of(x)[:-1], np.result_type(dtype_of(x), np.complex64)),
    transpose=lambda g, x: bind(VIEW_AS_REAL, g),
    torch="ViewAsComplex",
    meaning=lambda S, x: each(lambda re, im: re + S.number(1j) * im, x[..., 0], x[..., 1]),
    depends=on_pairs,
    doc="Pairs of real numbers as complex ones.",
)


@function(
    family="shape",
    op=VIEW_AS_REAL,
    where="torch",
    derivative="vjp: g's pairs as complex numbers",
    cases=(case(np.array([[1.0 + 2.0j, -0.5j]])), case(np.array(1.5 - 1.0j))),
)
def view_as_real(input: Any) -> CoreValue:
    """Complex numbers as pairs of real ones, along a new last axis."""
    x = as_core(input)
    if x.dtype.kind != "c":
        raise DtypeError(f"view_as_real takes complex numbers, not {x.dtype}")
    return bind(VIEW_AS_REAL, x)


@function(
    family="shape",
    op=VIEW_AS_COMPLEX,
    where="torch",
    derivative="vjp: g's parts in pairs",
    cases=(case((3, 2)), case((2,)), case((2, 2, 2))),
)
def view_as_complex(input: Any) -> CoreValue:
    """Pairs of real numbers, along the last axis, as complex ones."""
    x = as_core(input)
    if x.dtype.kind != "f":
        raise DtypeError(f"view_as_complex takes floats, not {x.dtype}")
    if not shape_of(x) or shape_of(x)[-1] != 2:
        raise ShapeError(f"view_as_complex takes pairs along the last axis, not shape {fits(shape_of(x))}")
    return bind(VIEW_AS_COMPLEX, x)


@function(
    family="shape",
    where="torch method",
    also=("torch.resolve_neg", ".resolve_neg"),
    derivative="vjp: g",
    views=True,
    cases=(case((2,)),),
)
def resolve_conj(input: Any) -> CoreValue:
    """The value itself; conjugates and negatives are computed at once here."""
    return as_core(input)
