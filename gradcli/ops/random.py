"""Random numbers, drawn from the run's one generator (`--seed`). Draws are constants; their scale is not."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import AbstractValue, ArgumentError, BatchedBranch, DomainError
from gradcli.graph.op import Op
from gradcli.graph.state import state
from gradcli.graph.values import CoreValue, Shape, Spec, Value, concrete, dtype_of, is_inexact, shape_of
from gradcli.ops.arguments import dtype_named, integer
from gradcli.ops.constructors import checked_sizes
from gradcli.ops.function import case
from gradcli.ops.kinds import broadcast_shape, constant
from gradcli.ops.operands import as_core
from gradcli.ops.registry import function


def generator() -> np.random.Generator:
    """The run's generator, made of the run's seed when the first number is drawn."""
    if state.generator is None:
        state.generator = np.random.default_rng(state.seed)
    return state.generator


def _spec(*, shape: Shape, dtype: np.dtype[Any], **_: Any) -> Spec:
    return Spec(shape, dtype)


RANDN = constant(
    "randn",
    lambda *, shape, dtype: np.asarray(generator().standard_normal(shape)).astype(dtype),
    _spec,
    doc="Random numbers of the standard normal distribution.",
)


def _uniform(*, shape: Shape, dtype: np.dtype[Any]) -> Any:
    """Below 1 in every dtype, to which rounding would otherwise bring some."""
    found = np.asarray(generator().random(shape))
    if dtype.kind != "f" or dtype == found.dtype:
        return found.astype(dtype)
    one = dtype.type(1)
    return np.minimum(found.astype(dtype), np.nextafter(one, dtype.type(0)))


RAND = constant(
    "rand",
    _uniform,
    _spec,
    doc="Random numbers, uniform in [0, 1).",
)
RANDINT = constant(
    "randint",
    lambda *, shape, dtype, low, high: np.asarray(generator().integers(low, high, shape)).astype(dtype),
    _spec,
    doc="Random integers, uniform in [low, high).",
)
PERMUTATION = constant(
    "permutation",
    lambda *, shape, dtype: generator().permutation(shape[0]).astype(dtype),
    _spec,
    doc="The integers below n in random order.",
)


def _drawn(op: Op, name: str, given: tuple[Any, ...], dtype: Any = None) -> CoreValue:
    """A draw in a shape given as sizes, as one tuple, or not at all."""
    shape = checked_sizes(name, given) if given and given != (None,) else ()
    return bind(op, shape=shape, dtype=state.default_float if dtype is None else dtype_named(dtype))


def _sized(sizes: tuple[Any, ...], size: Any) -> tuple[Any, ...]:
    return sizes if size is None else (*sizes, size)


_SIZES = (case(3), case(2, 3), case([2, 3]), case(), case(0))


@function(
    family="random",
    where="",
    also=("numpy.random.randn", "torch.randn", "numpy.random.standard_normal"),
    differentiable=False,
    cases=_SIZES,
)
def randn(*sizes: Any, size: Any = None, dtype: Any = None) -> CoreValue:
    """Random numbers of the standard normal distribution."""
    return _drawn(RANDN, "randn", _sized(sizes, size), dtype)


@function(
    family="random",
    where="",
    also=("numpy.random.rand", "torch.rand", "numpy.random.random", "numpy.random.random_sample"),
    differentiable=False,
    cases=_SIZES,
)
def rand(*sizes: Any, size: Any = None, dtype: Any = None) -> CoreValue:
    """Random numbers, uniform in [0, 1)."""
    return _drawn(RAND, "rand", _sized(sizes, size), dtype)


@function(family="random", where="torch", differentiable=False, cases=(case((2, 3)),))
def randn_like(x: Any, dtype: Any = None) -> CoreValue:
    """Standard normal random numbers in the shape and dtype of a tensor."""
    found = as_core(x)
    return _drawn(RANDN, "randn_like", (shape_of(found),), dtype or dtype_of(found))


@function(family="random", where="torch", differentiable=False, cases=(case((2, 3)),))
def rand_like(x: Any, dtype: Any = None) -> CoreValue:
    """Uniform random numbers in the shape and dtype of a tensor."""
    found = as_core(x)
    return _drawn(RAND, "rand_like", (shape_of(found),), dtype or dtype_of(found))


def _common_shape(name: str, size: Any, *parts: CoreValue) -> Shape:
    return broadcast_shape(name, *(shape_of(p) for p in parts)) if size is None else checked_sizes(name, (size,))


def _moved(op: Op, name: str, origin: Any, scale: CoreValue, size: Any) -> CoreValue:
    """origin + scale * draw, differentiable in both."""
    base = as_core(origin)
    return base + scale * bind(op, shape=_common_shape(name, size, base, scale), dtype=state.default_float)


@function(
    family="random",
    where="",
    also=("normal", "numpy.random.normal"),
    derivative="g for loc, sum of g*draw for scale",
    cases=(case(1.0, 2.0, [2, 3]), case(), case(0.0, 1.0, 3), case((2, 3), (3,)), case((3,), 2.0, [2, 3])),
)
def normal(loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> CoreValue:
    """Normal random numbers of a mean and a standard deviation."""
    return _moved(RANDN, "normal", loc, as_core(scale), size)


@function(
    "normal_torch",
    family="random",
    where="",
    also=("torch.normal",),
    derivative="g for mean, g*draw for std",
    defined="std >= 0",
    domain=(0.3, 3.0),
    cases=(case((3,), (2, 3)), case((3,), 2.0), case(1.0, (3,)), case(1.0, 2.0, [2, 3])),
)
def normal_torch(mean: Any = 0.0, std: Any = 1.0, size: Any = None, dtype: Any = None) -> CoreValue:
    """Normal random numbers, of the shape and dtype of a mean and a standard deviation, or of a size."""
    centre, spread = as_core(mean), as_core(std)
    tensors = [x for given, x in ((mean, centre), (std, spread)) if isinstance(given, Value | np.ndarray)]
    if size is not None and any(shape_of(x) for x in tensors):
        raise ArgumentError("normal: a size goes with numbers, not with tensors", mend="leave out size")
    with suppress(AbstractValue, BatchedBranch):
        if np.any(concrete(spread) < 0):
            least = float(np.min(concrete(spread)))
            raise DomainError(f"normal expects std >= 0.0, but found std {least:g}")
    floats = [dtype_of(x) for x in tensors if is_inexact(x)]
    wanted = dtype_named(dtype) if dtype is not None else np.result_type(*floats) if floats else state.default_float
    draw = bind(RANDN, shape=_common_shape("normal", size, centre, spread), dtype=wanted)
    return centre + spread * draw


@function(
    family="random",
    where="",
    also=("numpy.random.uniform",),
    derivative="g*(1 - draw) for low, g*draw for high",
    cases=(case(1.0, 2.0, [2, 3]), case(), case(0.0, 1.0, 3), case((2, 3), (3,)), case((3,), 2.0, [2, 3])),
)
def uniform(low: Any = 0.0, high: Any = 1.0, size: Any = None) -> CoreValue:
    """Random numbers, uniform in [low, high)."""
    return _moved(RAND, "uniform", low, as_core(high) - as_core(low), size)


def _integers(low: int, high: int, shape: Shape, dtype: Any) -> CoreValue:
    if high <= low:
        raise ArgumentError(f"randint: no integer is at least {low} and below {high}")
    return bind(
        RANDINT, shape=shape, dtype=np.dtype(np.int64) if dtype is None else dtype_named(dtype), low=low, high=high
    )


@function(
    family="random",
    where="",
    also=("numpy.random.randint", "randint"),
    differentiable=False,
    cases=(case(5), case(2, 5, [3]), case(5, size=4)),
)
def randint(low: Any, high: Any = None, size: Any = None, dtype: Any = None) -> CoreValue:
    """Random integers in [low, high), or below low if it is the only one."""
    first = integer(low, "randint: low")
    ends = (0, first) if high is None else (first, integer(high, "randint: high"))
    return _integers(*ends, () if size is None else checked_sizes("randint", (size,)), dtype)


@function(
    "randint_torch",
    family="random",
    where="",
    also=("torch.randint",),
    differentiable=False,
    cases=(case(5, [3]), case(2, 5, [2, 3])),
)
def randint_torch(*bounds: Any, low: Any = 0, high: Any = None, size: Any = None, dtype: Any = None) -> CoreValue:
    """Random integers in [low, high): randint(high, size) or randint(low, high, size)."""
    given = list(bounds)
    if size is None:
        size = given.pop() if given else ()
    if high is None:
        if not given:
            raise TypeError("randint needs a high end and a size")
        high = given.pop()
    first = integer(given.pop() if given else low, "randint: low")
    return _integers(first, integer(high, "randint: high"), checked_sizes("randint", (size,)), dtype)


@function(
    family="random",
    where="",
    also=("numpy.random.permutation", "torch.randperm"),
    differentiable=False,
    cases=(case(4),),
)
def permutation(n: Any) -> CoreValue:
    """The integers below n in random order."""
    shape = checked_sizes("permutation", (n,))
    if len(shape) != 1:
        raise ArgumentError("permutation takes one integer")
    return bind(PERMUTATION, shape=shape, dtype=np.dtype(np.int64))


@function(family="random", where="", also=("numpy.random.seed", "torch.manual_seed"), differentiable=False)
def seed(seed: Any = 0) -> None:
    """Begin the random numbers again, from a seed."""
    number = integer(seed, "seed")
    if number < 0:
        raise ArgumentError(f"seed: a seed can't be negative: {number}")
    state.generator = np.random.default_rng(number)
