"""Generators of random numbers that a program makes: `np.random.default_rng(seed)` and `torch.Generator()`.

The numbers come from the functions of the op table; a generator's own stream takes the place of the run's meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from gradcli.graph.errors import ArgumentError
from gradcli.graph.state import state
from gradcli.language.arguments import matched
from gradcli.language.objects import ObjectValue
from gradcli.language.operations import apply, as_index, truth
from gradcli.language.values import Arguments, Keywords, LanguageValue, describe
from gradcli.ops import registry
from gradcli.ops.function import Function
from gradcli.ops.random import generator as generator_of_run


class Generator(ObjectValue):
    """A stream of random numbers.

    Attributes:
        stream: NumPy's generator.
    """

    __slots__ = ("stream",)

    described = "a generator of random numbers"

    def __init__(self, stream: np.random.Generator) -> None:
        self.stream = stream

    @contextmanager
    def used(self) -> Iterator[None]:
        """What is drawn inside comes from this stream."""
        before = state.generator
        state.generator = self.stream
        try:
            yield
        finally:
            state.generator = before


class NumpyGenerator(Generator):
    """What `np.random.default_rng` gives."""

    __slots__ = ()

    def text(self) -> str:
        """As NumPy shows it, without its address."""
        return "Generator(PCG64)"


class TorchGenerator(Generator):
    """What `torch.Generator()` gives."""

    __slots__ = ()

    def text(self) -> str:
        """As PyTorch shows it, without its address."""
        return "<torch._C.Generator object>"


def of_seed(name: str, seed: LanguageValue) -> np.random.Generator:
    """The stream of a seed.

    Raises:
        ArgumentError: it is no integer, or negative.
    """
    number = as_index(seed, f"{name}: the seed")
    if number < 0:
        raise ArgumentError(f"{name}: a seed can't be negative: {number}")
    return np.random.default_rng(number)


def default_rng(args: Arguments, kwargs: Keywords) -> NumpyGenerator:
    """`np.random.default_rng(seed)`; without a seed, the run's own stream, which `--seed` seeds."""
    seed = matched("default_rng", args, kwargs, ("seed",)).get("seed")
    if isinstance(seed, NumpyGenerator):
        return seed
    return NumpyGenerator(generator_of_run() if seed is None else of_seed("default_rng", seed))


def torch_generator(args: Arguments, kwargs: Keywords) -> TorchGenerator:
    """`torch.Generator()`, seeded as the run is."""
    matched("Generator", args, kwargs, ("device",))
    return TorchGenerator(np.random.default_rng(state.seed))


def drawn_by(given: LanguageValue, function: Function, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """A function of the table whose random numbers a generator gives; the run's own where it is None.

    Raises:
        ArgumentError: it is none.
    """
    if given is None:
        return apply(function, args, kwargs)
    if not isinstance(given, Generator):
        raise ArgumentError(f"{function.name}(): generator= takes a generator, not {describe(given)}")
    with given.used():
        return apply(function, args, kwargs)


def _method(name: str) -> Any:
    def draw(x: NumpyGenerator, args: Arguments, kwargs: Keywords) -> LanguageValue:
        return drawn_by(x, registry.known("numpy.random", name), args, kwargs)

    return draw


def _integers(x: NumpyGenerator, args: Arguments, kwargs: Keywords) -> LanguageValue:
    found = matched("integers", args, kwargs, ("low", "high", "size", "dtype", "endpoint"), 1)
    endpoint = truth(found.pop("endpoint", False))
    if endpoint:
        name = "low" if found.get("high") is None else "high"
        found[name] = as_index(found[name], name) + 1
    return drawn_by(x, registry.known("numpy.random", "randint"), [], found)


def _manual_seed(x: TorchGenerator, args: Arguments, kwargs: Keywords) -> LanguageValue:
    x.stream = of_seed("manual_seed", matched("manual_seed", args, kwargs, ("seed",), 1)["seed"])
    return x


_DRAWS = (
    "beta",
    "binomial",
    "chisquare",
    "choice",
    "dirichlet",
    "exponential",
    "gamma",
    "geometric",
    "gumbel",
    "laplace",
    "logistic",
    "lognormal",
    "multivariate_normal",
    "normal",
    "pareto",
    "permutation",
    "poisson",
    "random",
    "rayleigh",
    "standard_cauchy",
    "standard_exponential",
    "standard_gamma",
    "standard_normal",
    "standard_t",
    "uniform",
    "weibull",
)
NumpyGenerator.methods = {**{name: _method(name) for name in _DRAWS}, "integers": _integers}
TorchGenerator.methods = {"manual_seed": _manual_seed}
#: The names of all methods of generators.
GENERATOR_METHODS = frozenset([*NumpyGenerator.methods, *TorchGenerator.methods])
