"""Copies, and casts from one dtype to another."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.values import OPERATORS, CoreValue, Spec, dtype_of, shape_of
from gradcli.ops.arguments import dtype_named
from gradcli.ops.dependence import on_first
from gradcli.ops.function import case
from gradcli.ops.kinds import linear
from gradcli.ops.operands import as_core
from gradcli.ops.registry import function

CLONE: Op = linear(
    "clone",
    lambda x: np.array(x),
    lambda x: Spec(shape_of(x), dtype_of(x)),
    transpose=lambda g, x: g,
    torch="Clone",
    moves="forward",
    doc="A copy.",
)


def _astype_value(x: Any, dtype: np.dtype[Any]) -> Any:
    x = np.asarray(x)
    if x.dtype.kind == "c" and dtype.kind not in "cb":
        x = x.real
    with np.errstate(invalid="ignore"):
        return x.astype(dtype)


def _astype_meaning(S: Any, x: Any, dtype: np.dtype[Any]) -> Any:
    """A cast to floats takes the real part, to integers it drops the fraction too; to a bool, it asks for a nonzero.

    Any other changes rounding alone.
    """
    if x.dtype != object:
        return x.astype(dtype if dtype.kind in "iub" else object)
    if dtype.kind == "c":
        return x
    if dtype.kind == "f":
        each = np.frompyfunc(S.re, 1, 1)
    elif dtype.kind == "b":
        each = np.frompyfunc(lambda e: S.ne(e, 0), 1, 1)
    else:
        each = np.frompyfunc(lambda e: S.sign(e) * S.floor(S.abs(e)), 1, 1)
    return np.asarray(each(x), dtype=object)


ASTYPE: Op = linear(
    "astype",
    _astype_value,
    lambda x, dtype: Spec(shape_of(x), dtype),
    transpose=lambda g, x, dtype: cast(g, dtype_of(x)),
    torch="ToCopy",
    meaning=_astype_meaning,
    depends=on_first,
    doc="The value in another dtype.",
)
_cast_tangent = ASTYPE.jvp


def _astype_jvp(tangents: Any, y: CoreValue, xs: Any, params: dict[str, Any]) -> CoreValue | None:
    assert _cast_tangent is not None
    return _cast_tangent(tangents, y, xs, params) if params["dtype"].kind in "fc" else None


ASTYPE.jvp = _astype_jvp


def cast(x: CoreValue, dtype: np.dtype[Any]) -> CoreValue:
    """`x` in another dtype."""
    return x if dtype_of(x) == dtype and hasattr(x, "dtype") else bind(ASTYPE, x, dtype=dtype)


@function(
    family="shape",
    op=CLONE,
    where="torch method",
    also=(".copy", "numpy.copy"),
    derivative="vjp: g",
    cases=(case((2, 3)), case(())),
)
def clone(x: Any, memory_format: Any = None) -> CoreValue:
    """A copy, through which derivatives pass."""
    return bind(CLONE, as_core(x))


@function(
    family="shape",
    where="method",
    also=("numpy.ascontiguousarray", ".cpu", "numpy.asfortranarray"),
    derivative="vjp: g",
    views=True,
    cases=(case((2, 3)),),
)
def contiguous(x: Any, memory_format: Any = None) -> CoreValue:
    """The value itself; how it lies in memory is not visible here."""
    return as_core(x)


@function(
    family="shape",
    op=ASTYPE,
    where="method",
    also=(".type", "numpy.astype"),
    derivative="vjp: g in the dtype of x",
    cases=(
        case((2, 3), "float32"),
        case((2, 3), np.dtype(np.complex128)),
        case(np.array([1, 2]), float),
        case((), "float64"),
        case((2,), "int64"),
    ),
)
def astype(x: Any, dtype: Any, copy: Any = True) -> CoreValue:
    """The value in another dtype; a cast to integers drops the fraction, and the derivative with it."""
    return cast(as_core(x), dtype_named(dtype))


@function(
    family="shape",
    op=ASTYPE,
    where="method",
    derivative="vjp: g in the dtype of x",
    cases=(case((2,), "float32"), case((2,), (3,))),
)
def to(
    x: Any, *targets: Any, dtype: Any = None, device: Any = None, copy: Any = False, non_blocking: Any = False
) -> CoreValue:
    """The value in another dtype, or in the dtype of another tensor; devices are all the same here."""
    x = as_core(x)
    for target in targets:
        if isinstance(target, str) and target.partition(":")[0] in ("cpu", "cuda", "mps"):
            continue
        if isinstance(target, bool):
            continue
        dtype = target.dtype if hasattr(target, "shape") and not isinstance(target, np.dtype) else target
    return x if dtype is None else cast(x, dtype_named(dtype))


@function(
    family="shape",
    op=ASTYPE,
    where="method",
    derivative="vjp: g in the dtype of x",
    cases=(case((2,), (3,)),),
)
def type_as(x: Any, other: Any) -> CoreValue:
    """The value in the dtype of another."""
    return cast(as_core(x), as_core(other).dtype)


def _cast_method(name: str, dtype: str) -> None:
    def call(x: Any) -> CoreValue:
        return cast(as_core(x), _target)

    _target = np.dtype(dtype)
    call.__doc__ = f"The value as {dtype}."
    passes = _target.kind in "fc"
    function(
        name,
        family="shape",
        op=ASTYPE,
        where="method",
        derivative="vjp: g in the dtype of x" if passes else "",
        differentiable=passes,
        cases=(case((2, 3)),),
    )(call)


for _name, _dtype in {
    "half": "float16",
    "float": "float32",
    "double": "float64",
    "byte": "uint8",
    "char": "int8",
    "short": "int16",
    "int": "int32",
    "long": "int64",
    "bool": "bool",
    "cfloat": "complex64",
    "cdouble": "complex128",
}.items():
    _cast_method(_name, _dtype)


OPERATORS["astype"] = cast
