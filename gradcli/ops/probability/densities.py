"""Densities and probabilities themselves, `scipy.stats.norm.pdf` and `scipy.stats.poisson.pmf`.

A law's density is its own op; the others are exp of logarithms that are exact enough.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial, update_wrapper
from types import ModuleType
from typing import Any

from gradcli.graph.values import CoreValue
from gradcli.ops.elementwise import exp, less, where
from gradcli.ops.function import Function
from gradcli.ops.probability import continuous, discrete, multivariate
from gradcli.ops.probability.law import reading
from gradcli.ops.registry import register


def _logarithms(module: ModuleType) -> Iterator[Function]:
    for found in vars(module).values():
        if isinstance(found, Function) and found.name.endswith(("_logpdf", "_logpmf")):
            yield found


def _of_logarithm(logarithm: Function, *args: Any, **kwargs: Any) -> CoreValue:
    found = logarithm(*args, **kwargs)
    nothing = less(found, -1e4)  # and so is its slope, however steep the logarithm's
    return where(nothing, 0.0, exp(where(nothing, 0.0, found)))


#: Densities of vectors and classes that are made without the logarithm.
_THEMSELVES: dict[str, Callable[..., CoreValue]] = {
    "categorical_logpmf": discrete.categorical_probability,
    "dirichlet_logpdf": multivariate.dirichlet_density,
    "multinomial_logpmf": multivariate.multinomial_probability,
}


def _density(logarithm: Function) -> Callable[..., CoreValue]:
    """A function of its own, a reading of the same place where a law is read, or exp of the logarithm."""
    if logarithm.name in _THEMSELVES:
        return _THEMSELVES[logarithm.name]
    placed = continuous.PLACED | discrete.PLACED
    if logarithm.name in placed:
        return reading(placed[logarithm.name], lambda place: place.density())
    density = partial(_of_logarithm, logarithm)
    return update_wrapper(density, logarithm.call, ("__defaults__", "__kwdefaults__"), ())


def _declare(logarithm: Function) -> Function:
    """The function whose logarithm a function of the table is, with its parameters and its domain."""
    name = logarithm.name.replace("_logp", "_p")
    distribution, _, kind = name.rpartition("_")
    doc = logarithm.doc.removeprefix("Logarithm of the ")
    return register(
        Function(
            name,
            _density(logarithm),
            family="probability",
            doc=doc[0].upper() + doc[1:],
            derivative=f"vjp: that of {logarithm.name}, with {name}*g for g",
            spellings=(name, f"scipy.stats.{distribution}.{kind}"),
            parameters=logarithm.parameters,
            domain=logarithm.domain,
            defined=logarithm.defined,
            kinks=logarithm.kinks,
            source=logarithm.source,
            cases=logarithm.cases,
            real=logarithm.real,
        )
    )


DENSITIES = [_declare(found) for module in (continuous, discrete, multivariate) for found in _logarithms(module)]
