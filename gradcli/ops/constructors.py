"""Tensors made from numbers and sizes. What is made from a traced number stays differentiable in it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import ArgumentError
from gradcli.graph.op import Op
from gradcli.graph.state import state
from gradcli.graph.values import CoreValue, Shape, Spec, Value, dtype_of, shape_of
from gradcli.ops.arguments import dtype_named, integer, settled, sizes
from gradcli.ops.casts import cast
from gradcli.ops.elementwise import add, divide, equal, multiply, power, subtract, where
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


def _dtype(dtype: Any, default: np.dtype[Any] | None = None) -> np.dtype[Any]:
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


def _range_length(start: float, stop: float, step: float) -> int:
    if step == 0:
        raise ArgumentError("arange: the step can't be 0")
    length = (stop - start) / step
    if not math.isfinite(length):
        raise ArgumentError("arange: start, stop and step must be finite")
    return max(0, math.ceil(length))


def _range_spec(*, start: Any, stop: Any, step: Any, dtype: np.dtype[Any]) -> Spec:
    return Spec((_range_length(start, stop, step),), dtype)


def _arange(*, start: float, stop: float, step: float, dtype: Any) -> Any:
    return np.arange(start, stop, step, dtype=dtype)[: _range_length(start, stop, step)]


ARANGE = constant(
    "arange",
    _arange,
    _range_spec,
    doc="Evenly stepped numbers, without the end.",
)


def _linspace_spec(*, start: Any, stop: Any, num: int, endpoint: bool, dtype: np.dtype[Any]) -> Spec:
    return Spec((num,), dtype)


LINSPACE = constant(
    "linspace",
    lambda *, start, stop, num, endpoint, dtype: np.linspace(start, stop, num, endpoint, dtype=dtype),
    _linspace_spec,
    doc="Evenly spaced numbers from start to stop.",
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
    derivative="g",
    cases=(case([1.0, 2.0]), case([[1, 2], [3, 4]]), case((2, 3)), case(3.5), case([1, 2], dtype="float64")),
)
def array(data: Any, dtype: Any = None) -> CoreValue:
    """A tensor of a number, of nested lists of numbers or of a tensor."""
    return as_core(data) if dtype is None else _read_as(data, dtype_named(dtype))


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


def _shape_then_dtype(name: str, shape: Any, dtype: Any) -> Shape:
    """The shape of `name(shape, dtype)`; in NumPy's spelling a second size would be taken for a dtype."""
    if isinstance(dtype, int) and not isinstance(dtype, bool):
        raise ArgumentError(f"{name} takes its sizes as one tuple", mend=f"{name}(({shape}, {dtype}))")
    return checked_sizes(name, (shape,))


_SHAPES = (case(3), case([2, 3]), case([]), case([0, 2]), case(2, "int64"))
_SIZES = (case(3), case(2, 3), case([2, 3]), case(), case(2, dtype="int64"))


@function(family="constructor", where="numpy", differentiable=False, cases=_SHAPES)
def zeros(shape: Any, dtype: Any = None) -> CoreValue:
    """Zeros in a shape."""
    return _made(ZEROS, _shape_then_dtype("zeros", shape, dtype), _dtype(dtype))


@function(family="constructor", where="numpy", differentiable=False, cases=_SHAPES)
def ones(shape: Any, dtype: Any = None) -> CoreValue:
    """Ones in a shape."""
    return _made(ONES, _shape_then_dtype("ones", shape, dtype), _dtype(dtype))


@function(family="constructor", where="numpy", differentiable=False, cases=_SHAPES)
def empty(shape: Any, dtype: Any = None) -> CoreValue:
    """A tensor to be filled; zeros, so that a program's answer is always the same."""
    return _made(ZEROS, _shape_then_dtype("empty", shape, dtype), _dtype(dtype))


def _torch_sizes(name: str, size: tuple[Any, ...], keyword: Any) -> Shape:
    if keyword is not None:
        size = (*size, keyword)
    return checked_sizes(name, size) if size else ()


@function("zeros_torch", family="constructor", where="", also=("torch.zeros",), differentiable=False, cases=_SIZES)
def zeros_torch(*sizes: Any, size: Any = None, dtype: Any = None) -> CoreValue:
    """Zeros in a shape, given as sizes or as one tuple."""
    return _made(ZEROS, _torch_sizes("zeros", sizes, size), _dtype(dtype))


@function("ones_torch", family="constructor", where="", also=("torch.ones",), differentiable=False, cases=_SIZES)
def ones_torch(*sizes: Any, size: Any = None, dtype: Any = None) -> CoreValue:
    """Ones in a shape, given as sizes or as one tuple."""
    return _made(ONES, _torch_sizes("ones", sizes, size), _dtype(dtype))


@function("empty_torch", family="constructor", where="", also=("torch.empty",), differentiable=False, cases=_SIZES)
def empty_torch(*sizes: Any, size: Any = None, dtype: Any = None) -> CoreValue:
    """A tensor to be filled, given as sizes or as one tuple; zeros, so that the answer is always the same."""
    return _made(ZEROS, _torch_sizes("empty", sizes, size), _dtype(dtype))


def _filled(shape: Shape, fill: CoreValue, dtype: np.dtype[Any]) -> CoreValue:
    if shape_of(fill) == () and not isinstance(fill, Value):
        return _made(FULL, shape, dtype, fill=fill.item())
    return expanded(cast(fill, dtype), shape)


@function(
    family="constructor",
    where="numpy torch",
    derivative="sum of g",
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


def _like(name: str, x: Any, dtype: Any, shape: Any) -> tuple[Shape, np.dtype[Any]]:
    found = as_core(x)
    return shape_of(found) if shape is None else checked_sizes(name, (shape,)), _dtype(dtype, dtype_of(found))


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
    derivative="sum of g",
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
    return _made(EYE, shape, _dtype(dtype), k=integer(k, "eye: k"))


@function(family="constructor", where="numpy", differentiable=False, cases=(case(3), case(0)))
def identity(n: Any, dtype: Any = None) -> CoreValue:
    """The identity matrix, n by n."""
    return eye(n, dtype=dtype)


# --- ranges ----------------------------------------------------------------------------------------------------------


def _number(x: Any, name: str) -> Any:
    """A Python number out of an argument that is one, or is a 0-d value.

    Raises:
        ArgumentError: it is something else.
    """
    if isinstance(x, int | float):
        return x
    found = as_core(x)
    if shape_of(found) != () or dtype_of(found).kind not in "biuf":
        raise ArgumentError(f"{name}: expected a number, not shape {fits(shape_of(found))} of {dtype_of(found)}")
    return settled(found).item()


def _varies(x: Any) -> bool:
    """Whether a derivative or a recording may ask how a result depends on `x`."""
    return isinstance(x, Value) and x.dtype.kind in "fc"


def _range_dtype(dtype: Any, *numbers: Any) -> np.dtype[Any]:
    return _dtype(dtype, None if any(isinstance(x, float) for x in numbers) else np.dtype(np.int64))


@function(
    family="constructor",
    where="numpy torch",
    derivative="sum of g for start, sum of i*g[i] for step",
    cases=(case(4), case(2, 5), case(1, 2, 0.25), case(5, 1, -2), case(3.0), case(0), case(0.5, 3.0, 0.5)),
)
def arange(start: Any, stop: Any = None, step: Any = 1, dtype: Any = None, end: Any = None) -> CoreValue:
    """Numbers from start (0 by itself) by step, up to and without stop."""
    stop = end if stop is None else stop
    if stop is None:
        start, stop = 0, start
    first, last, by = (_number(x, "arange") for x in (start, stop, step))
    found = _range_dtype(dtype, first, last, by)
    length = _range_length(first, last, by)
    if not (_varies(start) or _varies(step)):
        return bind(ARANGE, start=first, stop=last, step=by, dtype=found)
    places = bind(ARANGE, start=0, stop=length, step=1, dtype=state.default_float)
    return cast(add(start, multiply(step, places)), found)


def _spaced(start: Any, stop: Any, num: Any, endpoint: Any, dtype: Any, name: str) -> CoreValue:
    count = checked_sizes(name, (num,))
    if len(count) != 1:
        raise ArgumentError(f"{name}: how many numbers must be one integer")
    plain = [x for x in (start, stop) if not isinstance(x, int | float)]
    if not plain or all(not isinstance(x, Value) and shape_of(x) == () for x in map(as_core, plain)):
        ends = {"start": _number(start, name), "stop": _number(stop, name)}
        return bind(LINSPACE, **ends, num=count[0], endpoint=bool(endpoint), dtype=_dtype(dtype))
    return _between(start, stop, count[0], bool(endpoint), dtype)


def _between(start: Any, stop: Any, num: int, endpoint: bool, dtype: Any) -> CoreValue:
    """Evenly spaced values between traced ends or arrays, along a new first axis; the last is `stop` itself."""
    a, b = as_core(start), as_core(stop)
    rank = max(len(shape_of(a)), len(shape_of(b)))
    gaps = num - 1 if endpoint else num
    line = bind(ARANGE, start=0, stop=num, step=1, dtype=state.default_float)
    places = reshaped(line, (num,) + (1,) * rank)
    found = add(a, multiply(places, divide(subtract(b, a), max(gaps, 1))))
    if endpoint and num > 1:
        found = where(equal(places, num - 1), b, found)
    return found if dtype is None else cast(found, dtype_named(dtype))


@function(
    family="constructor",
    where="numpy",
    derivative="sum of g*(1 - t) for start, sum of g*t for stop, t from 0 to 1",
    cases=(
        case(0.0, 1.0, 5),
        case((), (), 4),
        case(0, 1, 4, False),
        case(1.0, 2.0, 1),
        case(0.0, 1.0, 0),
        case((2,), (2,), 3),
    ),
)
def linspace(start: Any, stop: Any, num: Any = 50, endpoint: bool = True, dtype: Any = None) -> CoreValue:
    """Evenly spaced numbers from start to stop."""
    return _spaced(start, stop, num, endpoint, dtype, "linspace")


@function(
    "linspace_torch",
    family="constructor",
    where="",
    also=("torch.linspace",),
    derivative="sum of g*(1 - t) for start, sum of g*t for end, t from 0 to 1",
    cases=(case(0.0, 1.0, 5), case((), (), 4)),
)
def linspace_torch(start: Any, end: Any, steps: Any, dtype: Any = None) -> CoreValue:
    """Evenly spaced numbers from start to end."""
    return _spaced(start, end, steps, True, dtype, "linspace")


@function(
    family="constructor",
    where="numpy torch",
    derivative="that of base**linspace",
    cases=(case(0.0, 2.0, 5), case((), (), 4), case(0.0, 3.0, 4, base=2.0)),
)
def logspace(
    start: Any, stop: Any, num: Any = 50, endpoint: bool = True, base: Any = 10.0, dtype: Any = None
) -> CoreValue:
    """base to the powers evenly spaced from start to stop."""
    found = power(as_core(base), _spaced(start, stop, num, endpoint, None, "logspace"))
    return found if dtype is None else cast(found, dtype_named(dtype))
