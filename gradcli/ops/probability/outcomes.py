"""Random outcomes as PyTorch and NumPy name them: bernoulli, multinomial, poisson, choice. They carry no derivative."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import AbstractValue, ArgumentError, BatchedBranch, DomainError, DtypeError, ShapeError
from gradcli.graph.values import CoreValue, Shape, concrete, dtype_of, is_inexact, ndim_of, shape_of
from gradcli.ops.arguments import integer
from gradcli.ops.casts import cast
from gradcli.ops.constructors import checked_sizes
from gradcli.ops.elementwise import greater_equal, less
from gradcli.ops.function import case
from gradcli.ops.operands import as_core
from gradcli.ops.probability.counts import POISSON
from gradcli.ops.probability.sampling import EXPONENTIAL
from gradcli.ops.random import PERMUTATION, RAND, RANDINT
from gradcli.ops.reduction import total
from gradcli.ops.registry import function
from gradcli.ops.running import cumsum
from gradcli.ops.selecting import take
from gradcli.ops.shape import reshaped
from gradcli.ops.sorting import argsort

_DOUBLE, _INT = np.dtype(np.float64), np.dtype(np.int64)


def class_draw(probs: CoreValue, shape: Shape) -> CoreValue:
    """Classes where the distribution functions, of weights along the last axis, pass a uniform draw of a shape."""
    passed = cumsum(cast(probs, _DOUBLE), -1)
    ends = passed[..., :-1] / passed[..., -1:]
    draw = bind(RAND, shape=shape, dtype=_DOUBLE)
    return total(cast(greater_equal(reshaped(draw, (*shape, 1)), ends), _INT), (-1,))


def _ordered_draw(probs: CoreValue, count: int) -> CoreValue:
    """Different classes in random order, each time by their weights among those that are left."""
    waits = bind(EXPONENTIAL, shape=shape_of(probs), dtype=_DOUBLE)
    return argsort(-(cast(probs, _DOUBLE) / waits), axis=-1)[..., :count]


def _expect_weights(weights: CoreValue) -> None:
    with suppress(AbstractValue, BatchedBranch):
        found = concrete(weights)
        if not np.all(np.isfinite(found) & (found >= 0)):
            raise DomainError("probability tensor contains either `inf`, `nan` or element < 0")
        if np.any(found.sum(axis=-1) <= 0):
            raise DomainError("invalid multinomial distribution (sum of probabilities <= 0)")


_WEIGHTS = np.array([0.5, 0.0, 2.0])


@function(
    "multinomial_torch",
    family="random",
    where="",
    also=("torch.multinomial", ".multinomial"),
    differentiable=False,
    cases=(case(_WEIGHTS, 2), case(np.stack([_WEIGHTS, _WEIGHTS]), 4, True)),
)
def multinomial_torch(input: Any, num_samples: Any, replacement: Any = False) -> CoreValue:
    """Random indices along the last axis by weights, which need not add up to 1."""
    weights = as_core(input)
    count = integer(num_samples, "num_samples")
    if not is_inexact(weights):
        raise DtypeError(
            f"multinomial only supports floating-point dtypes for input, got: {dtype_of(weights)}",
            mend="write x.float()",
        )
    if ndim_of(weights) not in (1, 2):
        raise ShapeError("prob_dist must be 1 or 2 dim")
    if count <= 0:
        raise ArgumentError("cannot sample n_sample <= 0 samples")
    if not replacement and count > shape_of(weights)[-1]:
        raise ArgumentError("cannot sample n_sample > prob_dist.size(-1) samples without replacement")
    _expect_weights(weights)
    if not replacement:
        return _ordered_draw(weights, count)
    lead = shape_of(weights)[:-1]
    return class_draw(reshaped(weights, (*lead, 1, shape_of(weights)[-1])), (*lead, count))


@function(
    "bernoulli_torch",
    family="random",
    where="",
    also=("torch.bernoulli", ".bernoulli"),
    differentiable=False,
    cases=(case(np.array([0.2, 0.7])), case((2, 3), 0.5)),
)
def bernoulli_torch(input: Any, p: Any = None) -> CoreValue:
    """Ones with the probabilities given, else zeros; of p, in the shape of the input."""
    x = as_core(input)
    if p is None and not is_inexact(x):
        raise DtypeError(f"bernoulli takes probabilities as floats, not {dtype_of(x)}", mend="write x.float()")
    probs = x if p is None else as_core(p)
    with suppress(AbstractValue, BatchedBranch):
        found = concrete(probs)
        if not np.all((found >= 0) & (found <= 1)):
            said = f", but got p={found}" if p is not None and not found.shape else ""
            raise DomainError(f"bernoulli expects p to be in [0, 1]{said}")
    return cast(less(bind(RAND, shape=shape_of(x), dtype=_DOUBLE), probs), dtype_of(x))


@function(
    "poisson_torch",
    family="random",
    where="",
    also=("torch.poisson",),
    differentiable=False,
    cases=(case(np.array([0.5, 3.0])), case(2.0)),
)
def poisson_torch(input: Any) -> CoreValue:
    """Poisson random numbers, where the input's are expected; of its shape and dtype."""
    rate = as_core(input)
    if not is_inexact(rate):
        raise DtypeError(f"poisson takes rates as floats, not {dtype_of(rate)}", mend="write x.float()")
    with suppress(AbstractValue, BatchedBranch):
        if not np.all(concrete(rate) >= 0):
            raise DomainError("invalid Poisson rate, expected rate to be non-negative")
    draw = bind(RAND, shape=shape_of(rate), dtype=_DOUBLE)
    return cast(bind(POISSON, draw, cast(rate, _DOUBLE)), dtype_of(rate))


@function(
    "random_choice",
    family="random",
    where="",
    also=("numpy.random.choice",),
    derivative="vjp: g at the elements chosen, added up, for a",
    cases=(case((4,)), case((4,), 3), case((4,), [2, 3]), case((3,), 2, False, np.array([0.2, 0.5, 0.3]))),
)
def random_choice(a: Any, size: Any = None, replace: Any = True, p: Any = None) -> CoreValue:
    """Random elements of a vector, or of the integers below a number."""
    given = as_core(a)
    if ndim_of(given) > 1:
        raise ShapeError("choice: a must be 1-dimensional or an integer")
    population = shape_of(given)[0] if ndim_of(given) else integer(a, "choice: a")
    shape = () if size is None else checked_sizes("choice", (size,))
    count = int(np.prod(shape, dtype=np.int64))
    if population <= 0 and count:
        raise ArgumentError("choice: a cannot be empty unless no samples are taken")
    index = reshaped(_chosen(population, count, bool(replace), p), shape)
    return take(given, index) if ndim_of(given) else index


def _chosen(population: int, count: int, replace: bool, p: Any) -> CoreValue:
    """Indices below a population."""
    if not replace and count > population:
        raise ArgumentError("choice: cannot take a larger sample than population when replace is False")
    if p is None and replace:
        return bind(RANDINT, shape=(count,), dtype=_INT, low=0, high=max(1, population))
    if p is None:
        return bind(PERMUTATION, shape=(population,), dtype=_INT)[:count]
    weights = as_core(p)
    if shape_of(weights) != (population,):
        raise ShapeError("choice: a and p must have same size")
    with suppress(AbstractValue, BatchedBranch):
        found = concrete(weights)
        if np.any(found < 0):
            raise DomainError("choice: probabilities are not non-negative")
        if not abs(found.sum() - 1) < 1e-6:
            raise DomainError("choice: probabilities do not sum to 1")
        if not replace and np.count_nonzero(found) < count:
            raise DomainError("choice: fewer non-zero entries in p than size")
    return class_draw(weights, (count,)) if replace else _ordered_draw(weights, count)
