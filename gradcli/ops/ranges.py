"""Numbers in a line: arange, linspace, logspace, geomspace. They are differentiable in their ends."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.budget import budget
from gradcli.graph.errors import ArgumentError, DomainError
from gradcli.graph.op import Op
from gradcli.graph.state import state
from gradcli.graph.values import CoreValue, Spec, Value, count_of, dtype_of, shape_of
from gradcli.ops.arguments import settled
from gradcli.ops.axis_order import moveaxis, permuted
from gradcli.ops.casts import cast
from gradcli.ops.constructors import checked_sizes, dtype_or_default
from gradcli.ops.dependence import on_broadcast
from gradcli.ops.elementwise import add, divide, equal, floor, log10, multiply, power, sgn, subtract, where
from gradcli.ops.function import case
from gradcli.ops.kinds import added, broadcast_shape, constant, expanded, fits, general, ranks_aligned, sum_to
from gradcli.ops.operands import as_core, to_float
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped

# --- by steps --------------------------------------------------------------------------------------------------------


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
    return dtype_or_default(dtype, None if any(isinstance(x, float) for x in numbers) else np.dtype(np.int64))


@function(
    family="constructor",
    where="numpy torch",
    derivative="vjp: the sum of g for start, the sum of i*g[i] for step",
    cases=(
        case(4),
        case(2, 5),
        case(1, 2, 0.25),
        case(5, 1, -2),
        case(3.0),
        case(0),
        case(0.5, 3.0, 0.5),
        case(np.array(0.5), 3.0, np.array(0.75)),
    ),
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


@function(
    "range_torch",
    family="constructor",
    where="",
    also=("torch.range",),
    derivative="vjp: the sum of g for start, the sum of i*g[i] for step",
    cases=(case(1, 4), case(0.0, 1.0, 0.25), case(), case(3, 1, -1), case(np.array(0.5), 2.0, np.array(0.5))),
)
def range_torch(start: Any = 0, end: Any = 0, step: Any = 1, dtype: Any = None) -> CoreValue:
    """Numbers from start by step, up to and with end."""
    first, last, by = (_number(x, "range") for x in (start, end, step))
    count = 0 if (last - first) * by < 0 else math.floor((last - first) / by) + 1 if by else _range_length(0, 1, by)
    places = bind(ARANGE, start=0, stop=count, step=1, dtype=state.default_float)
    return cast(add(start, multiply(step, places)), dtype_or_default(dtype))


# --- between ends ----------------------------------------------------------------------------------------------------


def _line(start: Any, stop: Any, *, num: int, endpoint: bool) -> Any:
    return np.linspace(start, stop, num, endpoint)


def _line_rule(start: CoreValue, stop: CoreValue, *, num: int, endpoint: bool) -> Spec:
    shape = broadcast_shape("linspace", shape_of(start), shape_of(stop))
    return Spec((num, *shape), np.result_type(dtype_of(start), dtype_of(stop)))


def _weights(num: int, endpoint: bool, y: CoreValue) -> tuple[Any, Any]:
    """How much of the start, and of the stop, is in every number of a line: each rounded once."""
    gaps = max(num - 1 if endpoint else num, 1)
    shape = (num,) + (1,) * (len(shape_of(y)) - 1)
    places = np.arange(num).reshape(shape)
    kind = np.empty(0, dtype_of(y)).real.dtype
    return ((gaps - places) / gaps).astype(kind), (places / gaps).astype(kind)


def _share(which: int) -> Any:
    def rule(g: CoreValue, y: CoreValue, *ends: CoreValue, num: int, endpoint: bool) -> CoreValue:
        shape = shape_of(ends[which])
        missing = len(shape_of(y)) - len(shape)
        return reshaped(sum_to(multiply(g, _weights(num, endpoint, y)[which]), (1,) * missing + shape), shape)

    return rule


def _line_jvp(ts: Any, y: CoreValue, *ends: CoreValue, num: int, endpoint: bool) -> CoreValue:
    parts = [None if t is None else multiply(t, w) for t, w in zip(ts, _weights(num, endpoint, y), strict=True)]
    return expanded(added(*parts), shape_of(y))


def _line_batch(xs: Sequence[CoreValue], batched: Sequence[bool], params: dict[str, Any], size: int) -> CoreValue:
    made = bind(LINE, *ranks_aligned(xs, batched), **params)
    rank = len(shape_of(made))
    return permuted(made, (1 - rank, -rank, *range(2 - rank, 0)))


def _exact_line(S: Any, start: Any, stop: Any, *, num: int, endpoint: bool) -> Any:
    gaps = max(num - 1 if endpoint else num, 1)
    lines = [start + (stop - start) * S.number(i) / gaps for i in range(num)]
    shape = np.broadcast_shapes(np.shape(start), np.shape(stop))
    return np.array(lines, dtype=object).reshape((num, *shape))


LINE: Op = general(
    "linspace",
    _line,
    _line_rule,
    vjps=(_share(0), _share(1)),
    jvp=_line_jvp,
    meaning=_exact_line,
    batch=_line_batch,
    depends=on_broadcast([True, True]),
    doc="Evenly spaced values from start to stop, along a new first axis.",
)


def _ends(name: str, start: Any, stop: Any, num: Any) -> tuple[CoreValue, CoreValue, int]:
    """Two ends as floats of one dtype, and how many numbers are wanted."""
    count = checked_sizes(name, (num,))
    if len(count) != 1:
        raise ArgumentError(f"{name}: how many numbers must be one integer")
    a, b = to_float(as_core(start)), to_float(as_core(stop))
    common = np.result_type(*(x.dtype for x in (a, b) if hasattr(x, "dtype")))
    shape = broadcast_shape(name, shape_of(a), shape_of(b))
    budget.charge(common.itemsize * count[0] * count_of(shape), name)
    return cast(a, common), cast(b, common), count[0]


def _typed(x: CoreValue, dtype: Any, axis: Any) -> CoreValue:
    """A line in a dtype, integers rounded down, and along an axis."""
    if dtype is not None:
        kind = dtype_or_default(dtype)
        x = cast(floor(x) if kind.kind in "iu" else x, kind)
    return x if isinstance(axis, int) and axis == 0 else moveaxis.call(x, 0, axis)


def _spaced(name: str, start: Any, stop: Any, num: Any, endpoint: Any) -> CoreValue:
    a, b, count = _ends(name, start, stop, num)
    return bind(LINE, a, b, num=count, endpoint=bool(endpoint))


_SHARES = "vjp: the sum of (1 - t)*g for start, the sum of t*g for stop, t from 0 to 1"


@function(
    family="constructor",
    op=LINE,
    where="numpy",
    derivative=_SHARES,
    kinks="with an integer dtype, 0 everywhere",
    cases=(
        case(0.0, 1.0, 5),
        case((), (), 4),
        case(0, 1, 4, False),
        case(1.0, 2.0, 1),
        case(0.0, 1.0, 0),
        case((2,), (2,), 3),
        case((2, 1), (3,), 4, axis=-1),
        case((), (), 3, retstep=True),
        case(0.0, 5.0, 4, dtype="int64"),
        case(-3, 0, 5, dtype="int64"),
    ),
)
def linspace(
    start: Any,
    stop: Any,
    num: Any = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: Any = 0,
) -> Any:
    """Evenly spaced numbers from start to stop; with retstep, the step too."""
    made = _typed(_spaced("linspace", start, stop, num, endpoint), dtype, axis)
    if not retstep:
        return made
    a, b, count = _ends("linspace", start, stop, num)
    gaps = count - 1 if endpoint else count
    return made, divide(subtract(b, a), gaps if gaps > 0 else np.nan)


@function(
    "linspace_torch",
    family="constructor",
    op=LINE,
    where="",
    also=("torch.linspace",),
    derivative=_SHARES,
    cases=(case(0.0, 1.0, 5), case((), (), 4)),
)
def linspace_torch(start: Any, end: Any, steps: Any, dtype: Any = None) -> CoreValue:
    """Evenly spaced numbers from start to end."""
    return _typed(_spaced("linspace", start, end, steps, True), dtype, 0)


_LOGS = (case(0.0, 2.0, 5), case((), (), 4), case(0.0, 3.0, 4, base=2.0))
_LOG_SHARES = "vjp: that of base**linspace(start, stop)"


@function(
    family="constructor",
    where="numpy",
    derivative=_LOG_SHARES,
    defined="where base is positive",
    cases=(*_LOGS, case((2,), (), 3, axis=-1), case(0.0, 1.0, 3, endpoint=False), case(0, 1, 3, base=np.array(2.5))),
)
def logspace(
    start: Any,
    stop: Any,
    num: Any = 50,
    endpoint: bool = True,
    base: Any = 10.0,
    dtype: Any = None,
    axis: Any = 0,
) -> CoreValue:
    """base to the powers evenly spaced from start to stop."""
    return _typed(power(as_core(base), _spaced("logspace", start, stop, num, endpoint)), dtype, axis)


@function(
    "logspace_torch",
    family="constructor",
    where="",
    also=("torch.logspace",),
    derivative=_LOG_SHARES,
    defined="where base is positive",
    cases=_LOGS,
)
def logspace_torch(start: Any, end: Any, steps: Any, base: Any = 10.0, dtype: Any = None) -> CoreValue:
    """base to the powers evenly spaced from start to end."""
    return _typed(power(as_core(base), _spaced("logspace", start, end, steps, True)), dtype, 0)


@function(
    family="constructor",
    where="numpy",
    derivative="vjp: the sum of (1 - t)*y*g/start for start, the sum of t*y*g/stop for stop, t from 0 to 1",
    domain=(0.5, 4.0),
    defined="where neither end is 0 and both have one sign, or are complex",
    kinks="with an integer dtype, 0 everywhere; an end of 0 is refused",
    cases=(
        case(1.0, 1000.0, 4),
        case((), (), 4),
        case(-1.0, -8.0, 4),
        case((), (), 3, endpoint=False),
        case((2,), (), 3, axis=-1),
        case(1, 256, 9, dtype="int64"),
        case((), (), 1),
        case(np.array(1.0 + 1.0j), np.array(2.0j), 3),
    ),
)
def geomspace(
    start: Any, stop: Any, num: Any = 50, endpoint: bool = True, dtype: Any = None, axis: Any = 0
) -> CoreValue:
    """Numbers from start to stop, each the same multiple of the one before."""
    a, b, count = _ends("geomspace", start, stop, num)
    if any(np.any(settled(x) == 0) for x in (a, b)):
        raise DomainError("geomspace: neither end may be 0")
    turn = _turned(a)
    first, last = divide(a, turn), divide(b, turn)
    found = power(10.0, bind(LINE, log10(first), log10(last), num=count, endpoint=bool(endpoint)))
    places = np.arange(count).reshape((count,) + (1,) * (len(shape_of(found)) - 1))
    found = where(equal(places, 0), first, found)
    if endpoint and count > 1:
        found = where(equal(places, count - 1), last, found)
    return _typed(multiply(found, turn), dtype, axis)


def _turned(x: CoreValue) -> CoreValue:
    """The sign of `x`, or its direction in the complex plane."""
    return sgn(x)
