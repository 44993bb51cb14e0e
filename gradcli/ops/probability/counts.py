"""Random counts: whole numbers, which carry no derivative, where the distribution function passes a uniform draw."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import DomainError
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.function import Case, Function, case
from gradcli.ops.kinds import constant
from gradcli.ops.operands import as_core
from gradcli.ops.probability.sampling import drawn
from gradcli.ops.random import RAND
from gradcli.ops.registry import function


def _expect(name: str, holds: Any, words: str) -> None:
    if not np.all(holds):
        raise DomainError(f"{name}: {words}")


def _poisson(u: Any, lam: Any) -> Any:
    from scipy import special

    _expect("poisson", lam >= 0, "lam must not be negative")
    return _corrected(special.pdtrik(u, lam), lambda k: special.pdtr(k, lam) >= u)


def _binomial(u: Any, n: Any, p: Any) -> Any:
    from scipy import special

    _expect("binomial", (p >= 0) & (p <= 1), "p must be from 0 to 1")
    _expect("binomial", n >= 0, "n must not be negative")
    inside = np.clip(p, 1e-300, 1 - 2**-53)
    trials = np.floor(n).astype(np.int64)  # SciPy warns of a float here
    found = _corrected(special.bdtrik(u, n, inside), lambda k: special.bdtr(k, trials, inside) >= u)
    return np.where(p == 0, 0, np.where(p == 1, n, found)).astype(np.int64)


def _corrected(where: Any, passed: Callable[[Any], Any]) -> Any:
    """The first count at which the distribution function has passed the draw, next to where SciPy sees it passing."""
    up = np.ceil(np.maximum(np.nan_to_num(where), 0))
    down = np.maximum(up - 1, 0)
    return np.where(passed(down), down, up).astype(np.int64)


def _geometric(u: Any, p: Any) -> Any:
    _expect("geometric", (p > 0) & (p <= 1), "p must be above 0 and at most 1")
    return np.maximum(np.ceil(np.log1p(-u) / np.log1p(-np.minimum(p, 1 - 2**-53))), 1).astype(np.int64)


POISSON = constant("poisson_count", _poisson, doc="The Poisson count at which the distribution function passes u.")
BINOMIAL = constant("binomial_count", _binomial, doc="The binomial count at which the distribution function passes u.")
GEOMETRIC = constant("geometric_count", _geometric, doc="The trial at which the distribution function passes u.")


def _counted(op: Op, name: str, size: Any, *parameters: Any) -> CoreValue:
    given = [as_core(p) for p in parameters]
    return bind(op, drawn(RAND, name, size, *given), *given)


def _count_function(name: str, *cases: Case) -> Callable[[Callable[..., CoreValue]], Function]:
    return function(
        f"random_{name}",
        family="random",
        where="",
        also=(name, f"numpy.random.{name}"),
        differentiable=False,
        cases=cases,
    )


@_count_function("poisson", case(2.0), case(np.array([0.5, 3.0]), [3, 2]))
def random_poisson(lam: Any = 1.0, size: Any = None) -> CoreValue:
    """Poisson random numbers, where lam are expected."""
    return _counted(POISSON, "poisson", size, lam)


@_count_function("binomial", case(4, 0.5), case(np.array([2, 5]), np.array([0.1, 0.7]), [3, 2]))
def random_binomial(n: Any, p: Any, size: Any = None) -> CoreValue:
    """Numbers of successes among n, each of probability p."""
    return _counted(BINOMIAL, "binomial", size, n, p)


@_count_function("geometric", case(0.5), case(np.array([0.1, 0.7]), [3, 2]))
def random_geometric(p: Any, size: Any = None) -> CoreValue:
    """Random numbers of trials up to the first success."""
    return _counted(GEOMETRIC, "geometric", size, p)
