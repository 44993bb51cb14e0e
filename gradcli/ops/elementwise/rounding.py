"""Rounding, and values taken apart: integer and fraction, mantissa and exponent.

A rounded value is constant between its jumps, so its derivative is 0; a fraction moves with x.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, dtype_of
from gradcli.ops.elementwise.choices import only
from gradcli.ops.elementwise.comparison import isfinite
from gradcli.ops.elementwise.pairs import PAIR
from gradcli.ops.elementwise.signs import absolute
from gradcli.ops.function import case
from gradcli.ops.kinds import constant, elementwise, elementwise_general
from gradcli.ops.operands import as_core, operands
from gradcli.ops.registry import elementwise_function, function

_JUMPS = "x an integer: a jump; the derivative is 0, as in PyTorch"
_AWAY = "x an integer but 0: a jump; the derivative is {}, as in PyTorch"


def _truncated(S: Any, x: Any) -> Any:
    return S.sign(x) * S.floor(S.abs(x))


def _is_jump(x: Any) -> Any:
    return (x == np.floor(x)) & (x != 0)


FLOOR = elementwise(
    "floor",
    np.floor,
    0,
    meaning=lambda S, x: S.floor(x),
    torch="Floor",
    kink=lambda x: x == np.floor(x),
    doc="Largest integer not above x.",
)
CEIL = elementwise(
    "ceil",
    np.ceil,
    0,
    meaning=lambda S, x: -S.floor(-x),
    torch="Ceil",
    kink=lambda x: x == np.floor(x),
    doc="Smallest integer not below x.",
)
TRUNC = elementwise("trunc", np.trunc, 0, meaning=_truncated, torch="Trunc", kink=_is_jump, doc="Integer part of x.")


def _round_meaning(S: Any, x: Any, decimals: int = 0) -> Any:
    scale = S.number(10) ** decimals
    if hasattr(x, "im"):  # a complex number, part by part
        return S.number(1j) * S.round(S.im(x) * scale) / scale + S.round(S.re(x) * scale) / scale
    return S.round(x * scale) / scale


def _rounded(x: Any, decimals: int = 0) -> Any:
    """NumPy's, which multiplies by a power of 10, but where that overflows: so large a number has no decimals."""
    with np.errstate(over="ignore", invalid="ignore"):
        found = np.round(x, decimals)
    if decimals > 0 and x.dtype.kind == "f" and np.count_nonzero(~np.isfinite(found)):
        return np.where(np.isfinite(found), found, x)
    return found


def _is_halfway(x: Any, decimals: int = 0) -> Any:
    if x.dtype.kind == "c":
        return _is_halfway(x.real, decimals) | _is_halfway(x.imag, decimals)
    scaled = x * 10.0**decimals
    return scaled - np.floor(scaled) == 0.5


ROUND = elementwise(
    "round",
    _rounded,
    0,
    meaning=_round_meaning,
    torch="Round",
    kink=_is_halfway,
    doc="Nearest integer (or decimal), halves to even.",
)
FRAC = elementwise(
    "frac",
    lambda x: np.modf(x)[0],
    1,
    meaning=lambda S, x: x - _truncated(S, x),
    torch="Frac",
    kink=_is_jump,
    doc="x without its integer part, with its sign.",
)
floor = elementwise_function(FLOOR, floats=False, derivative="0", kinks=_JUMPS)
ceil = elementwise_function(CEIL, floats=False, derivative="0", kinks=_JUMPS)
trunc = elementwise_function(
    TRUNC,
    floats=False,
    derivative="0",
    also=("torch.fix", "numpy.fix", ".fix@torch"),
    kinks=_AWAY.format(0),
)
frac = elementwise_function(FRAC, derivative="1", where="torch method", kinks=_AWAY.format(1))


@function(
    "round",
    family="elementwise",
    also=("numpy.around", "numpy.round_", "torch.special.round"),
    op=ROUND,
    derivative="0",
    kinks="halfway between two results: a jump; the derivative is 0, as in PyTorch",
    cases=(case((3,), decimals=1),),
)
def round_(x: Any, decimals: int = 0) -> CoreValue:
    """Nearest integer (or decimal), halves to even."""
    return bind(ROUND, *operands((x,), False), decimals=int(decimals))


@function(
    family="elementwise",
    where="numpy",
    op=ROUND,
    derivative="0",
    kinks="halfway between two integers: a jump; the derivative is 0",
    cases=(case((3,)), case(np.array([1, 2]))),
)
def rint(x: Any) -> CoreValue:
    """Nearest integer as a float, halves to even."""
    return bind(ROUND, *operands((x,), True), decimals=0)


@function(
    family="elementwise",
    where="numpy",
    also=("math.modf",),
    derivative="vjp: the cotangent of the fraction",
    kinks=_AWAY.format(1),
    cases=(case((3,)), case(np.array([-1.75, 0.0, 2.5])), case(())),
)
def modf(x: Any) -> tuple[CoreValue, CoreValue]:
    """(fraction, integer part), both with the sign of x."""
    (found,) = operands((x,), True)
    return bind(FRAC, found), bind(TRUNC, found)


# --- mantissa and exponent -------------------------------------------------------------------------------------------


def _no_exact_form(S: Any, x: Any) -> Any:
    raise S.Unknown


EXPONENT = constant(
    "frexp_exponent",
    lambda x: np.frexp(x)[1],
    meaning=_no_exact_form,
    kink=lambda x: np.abs(np.frexp(x)[0]) == 0.5,
    doc="The exponent of 2 that brings x to a mantissa from 0.5 to 1.",
)
LDEXP: Op = elementwise_general(
    "ldexp",
    np.ldexp,
    vjps=(lambda g, z, x, n: bind(LDEXP, g, n), None),
    jvp=lambda ts, z, x, n: None if ts[0] is None else bind(LDEXP, ts[0], n),
    meaning=lambda S, x, n: x * S.pow(2, n),
    torch="Mul",
    saves=(1,),
    doc="x times 2 to the power of an integer.",
)
LDEXP.promotes = False  # the exponent stays an integer


@function(
    family="elementwise",
    op=LDEXP,
    where="numpy torch method",
    also=("math.ldexp",),
    derivative="vjp: ldexp(g, i); for an exponent that is no integer, g*2**i and g*x*2**i*log(2)",
    cases=(case((3,), np.array([2, -1, 0])), case((2, 3), 4), case((), 1), case((3,), (3,))),
)
def ldexp(x: Any, i: Any) -> CoreValue:
    """x times 2 to the power i."""
    value, exponent = as_core(x), as_core(i)
    if dtype_of(exponent).kind == "f":
        return value * 2.0**exponent
    (value,) = operands((value,), True)
    return bind(LDEXP, value, exponent)


@function(
    family="elementwise",
    where="numpy torch method",
    also=("math.frexp",),
    derivative="vjp: the mantissa's cotangent over 2**exponent",
    kinks="x a power of 2: a jump; the derivative is one-sided, from larger x",
    domain=(0.6, 0.9),
    cases=(case((3,)), case(np.array([-3.25, 0.0, 1e-9])), case(())),
)
def frexp(x: Any) -> tuple[CoreValue, CoreValue]:
    """(mantissa, exponent) with x = mantissa*2**exponent and the mantissa's size from 0.5 to 1."""
    (found,) = operands((x,), True)
    exponent = bind(EXPONENT, found)
    return bind(LDEXP, found, -exponent), exponent


# --- neighbours, and numbers instead of what is none -----------------------------------------------------------------


NEXTAFTER = constant(
    "nextafter",
    np.nextafter,
    meaning=lambda S, x, y: S.number(float(np.nextafter(S.float(x), S.float(y)))),
    doc="The float next to x in the direction of y.",
)
SPACING = constant(
    "spacing",
    np.spacing,
    meaning=lambda S, x: S.number(float(np.spacing(S.float(x)))),
    doc="The distance to the next float.",
)
nextafter = elementwise_function(NEXTAFTER, parameters=PAIR, also=("math.nextafter",))
spacing = elementwise_function(SPACING, where="numpy")


@function(
    "ulp",
    family="elementwise",
    op=SPACING,
    where="",
    also=("math.ulp",),
    differentiable=False,
    cases=(case((3,)),),
)
def ulp(x: Any) -> CoreValue:
    """The distance from |x| to the next larger float."""
    (found,) = operands((x,), True)
    return bind(SPACING, absolute(found))


def _numbers_alone(x: Any, nan: float, posinf: float | None, neginf: float | None) -> Any:
    return np.asarray(np.nan_to_num(x, nan=nan, posinf=posinf, neginf=neginf), dtype=x.dtype)


def _meant(S: Any, x: Any, nan: float, posinf: float | None, neginf: float | None) -> Any:
    hole = S.hole(x)
    return x if hole is None else S.number(float(np.nan_to_num(hole, nan=nan, posinf=posinf, neginf=neginf)))


NAN_TO_NUM: Op = elementwise_general(
    "nan_to_num",
    _numbers_alone,
    vjps=(lambda g, y, x, nan, posinf, neginf: only(isfinite(x), g),),
    jvp=lambda ts, y, x, nan, posinf, neginf: only(isfinite(x), ts[0]),
    meaning=_meant,
    torch="NanToNum",
    kink=lambda x, nan, posinf, neginf: ~np.isfinite(x),
    saves=(0,),
    doc="x, with numbers in place of nan and the infinities.",
)


def _replaced(x: Any, nan: Any, posinf: Any, neginf: Any) -> CoreValue:
    (found,) = operands((x,), False)
    if dtype_of(found).kind not in "fc":
        return found
    ends = [None if end is None else float(end) for end in (posinf, neginf)]
    return bind(NAN_TO_NUM, found, nan=float(nan), posinf=ends[0], neginf=ends[1])


_REPLACED = "nan and the infinities: 0, as in PyTorch"


@function(
    family="elementwise",
    op=NAN_TO_NUM,
    where="numpy",
    derivative="isfinite(x)",
    kinks=_REPLACED,
    cases=(case((3,), nan=1.0, posinf=2.0), case((2, 3)), case(()), case(np.array([1, 2]))),
)
def nan_to_num(x: Any, copy: Any = True, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> CoreValue:
    """x, with numbers in place of nan and the infinities; those carry no derivative."""
    return _replaced(x, nan, posinf, neginf)


@function(
    "nan_to_num_torch",
    family="elementwise",
    op=NAN_TO_NUM,
    where="",
    also=("torch.nan_to_num", ".nan_to_num"),
    derivative="isfinite(input)",
    kinks=_REPLACED,
    cases=(case((3,)), case((2,), 1.0, 2.0, -3.0), case((), nan=2)),
)
def nan_to_num_torch(input: Any, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> CoreValue:
    """input, with numbers in place of nan and the infinities; those carry no derivative."""
    return _replaced(input, nan, posinf, neginf)
