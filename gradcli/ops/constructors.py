"""Tensors made from numbers and sizes. What is made from a traced number stays differentiable in it."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError, DomainError, ShapeError
from gradcli.graph.op import Op
from gradcli.graph.state import state
from gradcli.graph.values import CoreValue, Shape, Spec, Value, dtype_of, shape_of
from gradcli.ops.arguments import dtype_named, integer, settled, sizes
from gradcli.ops.casts import cast
from gradcli.ops.function import case
from gradcli.ops.kinds import constant, expanded, fits
from gradcli.ops.operands import as_core
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped


def checked_sizes(name: str, given: tuple[Any, ...]) -> Shape:
    """A shape out of sizes given one by one or as one sequence.

    Raises:
        ArgumentError: one is no integer, or negative.
    """
    shape = sizes(name, given)
    if any(n < 0 for n in shape):
        raise ArgumentError(f"{name}: a size can't be negative: {fits(shape)}")
    return shape


def dtype_or_default(dtype: Any, default: np.dtype[Any] | None = None) -> np.dtype[Any]:
    """The dtype that is asked for; otherwise a default, by itself that of floats."""
    if dtype is not None:
        return dtype_named(dtype)
    return state.default_float if default is None else default


# --- the ops ---------------------------------------------------------------------------------------------------------


def _fill_spec(*, shape: Shape, dtype: np.dtype[Any], **_: Any) -> Spec:
    return Spec(shape, dtype)


ZEROS = constant("zeros", lambda *, shape, dtype: np.zeros(shape, dtype), _fill_spec, doc="Zeros.")
ONES = constant("ones", lambda *, shape, dtype: np.ones(shape, dtype), _fill_spec, doc="Ones.")
FULL = constant(
    "full",
    lambda *, shape, dtype, fill: np.full(shape, fill, dtype),
    _fill_spec,
    doc="One number everywhere.",
)


def _eye(*, shape: Shape, dtype: Any, k: int) -> Any:
    return np.eye(shape[0], shape[1], k, dtype)


EYE = constant(
    "eye",
    _eye,
    _fill_spec,
    doc="Ones on a diagonal, zeros elsewhere.",
)


TRI = constant(
    "tri",
    lambda *, shape, dtype, k: np.tri(shape[0], shape[1], k, dtype),
    _fill_spec,
    doc="Ones on and below a diagonal, zeros above it.",
)


def _made(op: Op, shape: Shape, dtype: np.dtype[Any], **params: Any) -> CoreValue:
    return bind(op, shape=shape, dtype=dtype, **params)


def ones_of(x: CoreValue) -> CoreValue:
    """Ones of the shape and dtype of `x`, for rules."""
    return _made(ONES, shape_of(x), dtype_of(x))


# --- from data -------------------------------------------------------------------------------------------------------


@function(
    family="constructor",
    where="numpy",
    also=("numpy.asarray", "torch.tensor", "torch.as_tensor", "torch.asarray", "torch.from_numpy", "numpy.asanyarray"),
    derivative="vjp: g",
    cases=(
        case([1.0, 2.0]),
        case([[1, 2], [3, 4]]),
        case((2, 3)),
        case(3.5),
        case([1, 2], dtype="float64"),
        case((2,), ndmin=3),
    ),
)
def array(data: Any, dtype: Any = None, *, copy: Any = None, ndmin: Any = 0) -> CoreValue:
    """A tensor of a number, of nested lists of numbers or of a tensor."""
    found = as_core(data) if dtype is None else _read_as(data, dtype_named(dtype))
    missing = integer(ndmin, "array: ndmin") - len(shape_of(found))
    return reshaped(found, (1,) * missing + shape_of(found)) if missing > 0 else found


def _read_as(data: Any, dtype: np.dtype[Any]) -> CoreValue:
    """`data` in a dtype; its numbers keep all the digits that the dtype has room for."""
    before = state.default_float
    if dtype in (np.float64, np.complex128):
        state.default_float = np.dtype(np.float64)
    try:
        return cast(as_core(data), dtype)
    finally:
        state.default_float = before


# --- from sizes ------------------------------------------------------------------------------------------------------


def _shape_thendtype_or_default(name: str, shape: Any, dtype: Any) -> Shape:
    """The shape of `name(shape, dtype)`; in NumPy's spelling a second size would be taken for a dtype."""
    if isinstance(dtype, int) and not isinstance(dtype, bool):
        raise ArgumentError(f"{name} takes its sizes as one tuple", mend=f"{name}(({shape}, {dtype}))")
    return checked_sizes(name, (shape,))


_SHAPES = (case(3), case([2, 3]), case([]), case([0, 2]), case(2, "int64"))
_SIZES = (case(3), case(2, 3), case([2, 3]), case(), case(2, dtype="int64"))


@function(family="constructor", where="numpy", differentiable=False, cases=_SHAPES)
def zeros(shape: Any, dtype: Any = None) -> CoreValue:
    """Zeros in a shape."""
    return _made(ZEROS, _shape_thendtype_or_default("zeros", shape, dtype), dtype_or_default(dtype))


@function(family="constructor", where="numpy", differentiable=False, cases=_SHAPES)
def ones(shape: Any, dtype: Any = None) -> CoreValue:
    """Ones in a shape."""
    return _made(ONES, _shape_thendtype_or_default("ones", shape, dtype), dtype_or_default(dtype))


@function(family="constructor", where="numpy", differentiable=False, cases=_SHAPES)
def empty(shape: Any, dtype: Any = None) -> CoreValue:
    """A tensor to be filled; zeros, so that a program's answer is always the same."""
    return _made(ZEROS, _shape_thendtype_or_default("empty", shape, dtype), dtype_or_default(dtype))


def _torch_sizes(name: str, size: tuple[Any, ...], keyword: Any) -> Shape:
    if keyword is not None:
        size = (*size, keyword)
    return checked_sizes(name, size) if size else ()


@function("zeros_torch", family="constructor", where="", also=("torch.zeros",), differentiable=False, cases=_SIZES)
def zeros_torch(*sizes: Any, size: Any = None, dtype: Any = None) -> CoreValue:
    """Zeros in a shape, given as sizes or as one tuple."""
    return _made(ZEROS, _torch_sizes("zeros", sizes, size), dtype_or_default(dtype))


@function("ones_torch", family="constructor", where="", also=("torch.ones",), differentiable=False, cases=_SIZES)
def ones_torch(*sizes: Any, size: Any = None, dtype: Any = None) -> CoreValue:
    """Ones in a shape, given as sizes or as one tuple."""
    return _made(ONES, _torch_sizes("ones", sizes, size), dtype_or_default(dtype))


@function("empty_torch", family="constructor", where="", also=("torch.empty",), differentiable=False, cases=_SIZES)
def empty_torch(*sizes: Any, size: Any = None, dtype: Any = None) -> CoreValue:
    """A tensor to be filled, given as sizes or as one tuple; zeros, so that the answer is always the same."""
    return _made(ZEROS, _torch_sizes("empty", sizes, size), dtype_or_default(dtype))


def _filled(shape: Shape, fill: CoreValue, dtype: np.dtype[Any]) -> CoreValue:
    if shape_of(fill) == () and not isinstance(fill, Value):
        return _made(FULL, shape, dtype, fill=fill.item())
    return expanded(cast(fill, dtype), shape)


@function(
    family="constructor",
    where="numpy torch",
    derivative="vjp: the sum of g over the copies",
    cases=(
        case([2, 3], 1.5),
        case(3, 2),
        case([2], ()),
        case([2, 3], (3,)),
        case([], 1.0),
        case(2, 1, dtype="float64"),
    ),
)
def full(shape: Any, fill_value: Any, dtype: Any = None) -> CoreValue:
    """One value in a shape."""
    fill = array.call(fill_value, dtype)
    return _filled(checked_sizes("full", (shape,)), fill, dtype_of(fill))


@function(
    "fill",
    family="constructor",
    where="torch",
    derivative="vjp: 0 for x; the sum of g for the value",
    cases=(case((2, 3), 1.5), case((2,), ())),
)
def fill_(input: Any, value: Any) -> CoreValue:
    """One value in the shape and dtype of a tensor."""
    x, v = as_core(input), as_core(value)
    if shape_of(v):
        raise ShapeError(f"fill takes one number, not shape {fits(shape_of(v))}")
    return _filled(shape_of(x), cast(v, dtype_of(x)), dtype_of(x))


@function(family="constructor", where="torch", derivative="vjp: g", cases=(case(1.5), case(2), case(())))
def scalar_tensor(s: Any, dtype: Any = None) -> CoreValue:
    """A number as a tensor of floats."""
    found = array.call(s, dtype_or_default(dtype))
    if shape_of(found):
        raise ShapeError(f"scalar_tensor takes one number, not shape {fits(shape_of(found))}")
    return found


@function(
    family="constructor",
    where="numpy",
    derivative="vjp: g",
    cases=(case((2, 3)), case([1.0, 2.0]), case([1, 2], "float64")),
)
def asarray_chkfinite(x: Any, dtype: Any = None) -> CoreValue:
    """The value as a tensor, if none of its elements is infinite or nan."""
    found = array.call(x, dtype)
    if dtype_of(found).kind in "fc" and not np.all(np.isfinite(settled(found))):
        raise DomainError("asarray_chkfinite: there is an infinity or a nan")
    return found


def _like(name: str, x: Any, dtype: Any, shape: Any) -> tuple[Shape, np.dtype[Any]]:
    found = as_core(x)
    return shape_of(found) if shape is None else checked_sizes(name, (shape,)), dtype_or_default(dtype, dtype_of(found))


_LIKES = (case((2, 3)), case(()), case((2,), dtype="int64"))


@function(family="constructor", where="numpy torch", differentiable=False, cases=_LIKES)
def zeros_like(x: Any, dtype: Any = None, shape: Any = None) -> CoreValue:
    """Zeros in the shape and dtype of a tensor."""
    return _made(ZEROS, *_like("zeros_like", x, dtype, shape))


@function(family="constructor", where="numpy torch", differentiable=False, cases=_LIKES)
def ones_like(x: Any, dtype: Any = None, shape: Any = None) -> CoreValue:
    """Ones in the shape and dtype of a tensor."""
    return _made(ONES, *_like("ones_like", x, dtype, shape))


@function(family="constructor", where="numpy torch", differentiable=False, cases=_LIKES)
def empty_like(x: Any, dtype: Any = None, shape: Any = None) -> CoreValue:
    """A tensor to be filled, in the shape and dtype of another; zeros."""
    return _made(ZEROS, *_like("empty_like", x, dtype, shape))


@function(
    family="constructor",
    where="numpy torch",
    derivative="vjp: the sum of g over the copies",
    cases=(case(np.zeros((2, 3)), 1.5), case(np.zeros((2, 3)), (3,)), case(np.zeros(2), 2, dtype="int64")),
)
def full_like(x: Any, fill_value: Any, dtype: Any = None, shape: Any = None) -> CoreValue:
    """One value in the shape and dtype of a tensor."""
    shape_, found = _like("full_like", x, dtype, shape)
    return _filled(shape_, array.call(fill_value, found), found)


@function(
    family="constructor",
    where="numpy",
    also=("torch.eye",),
    differentiable=False,
    cases=(case(3), case(2, 3), case(3, k=1), case(0), case(2, dtype="int64")),
)
def eye(n: Any, m: Any = None, k: Any = 0, dtype: Any = None) -> CoreValue:
    """The identity matrix, n by n or n by m; k moves the diagonal."""
    shape = checked_sizes("eye", (n, n if m is None else m))
    return _made(EYE, shape, dtype_or_default(dtype), k=integer(k, "eye: k"))


@function(family="constructor", where="numpy", differentiable=False, cases=(case(3), case(0)))
def identity(n: Any, dtype: Any = None) -> CoreValue:
    """The identity matrix, n by n."""
    return eye(n, dtype=dtype)


@function(
    family="constructor",
    where="numpy",
    differentiable=False,
    cases=(case(3), case(2, 4, 1), case(3, k=-1, dtype="int64"), case(0)),
)
def tri(n: Any, m: Any = None, k: Any = 0, dtype: Any = None) -> CoreValue:
    """Ones on and below a diagonal of an n by m matrix, zeros above it."""
    shape = checked_sizes("tri", (n, n if m is None else m))
    return bind(TRI, shape=shape, dtype=dtype_or_default(dtype), k=integer(k, "tri: k"))
