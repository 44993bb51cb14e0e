"""A law of probability as two ops, of its density and of the density's logarithm, made of one declaration.

A law is declared by the logarithm of its density, carried in two floats, and by how that logarithm moves with each
operand: the sum of some quotients. Of both ops the derivatives follow. The density is declared with a weight, u/v, and
its derivative by an operand is the same density with another weight: neither the density nor the quotient need be in
the range of floats where their product is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial, reduce, update_wrapper
from math import prod
from typing import Any, NamedTuple

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.errors import AbstractValue, BatchedBranch
from gradcli.graph.op import Op
from gradcli.graph.state import state
from gradcli.graph.values import CoreValue, concrete
from gradcli.ops.carrying import carried_over
from gradcli.ops.elementwise import equal, greater, greater_equal, isnan, logical_and, logical_or, where
from gradcli.ops.kinds import elementwise
from gradcli.ops.probability.parts import floats, proper_only
from gradcli.ops.special.exact_products import Pair
from gradcli.ops.special.long_logarithms import endless, exp_times, whole
from gradcli.ops.special.values import Array, real


class AtEnd(NamedTuple):
    """A quotient whose denominator is 0 at an end of the support, where the density falls as its power.

    The density times the quotient is there the density at other operands times another quotient.

    Attributes:
        numerator: the exponent, or minus it.
        denominator: the base.
        exponent: of the base in the density.
        there: the other numerator and denominator.
        lower: the operands whose density has an exponent less by 1.
    """

    numerator: CoreValue
    denominator: CoreValue
    exponent: CoreValue
    there: tuple[CoreValue, CoreValue]
    lower: tuple[CoreValue, ...]


#: Numerators and denominators whose quotients are added up.
Quotients = Sequence[tuple[CoreValue, CoreValue] | AtEnd]
Slope = Callable[..., Quotients]
_LARGEST = np.finfo(np.float64).max


class Law(NamedTuple):
    """The ops of a law.

    Attributes:
        logarithm: of (t, scale, *shapes), t being the distance from the law's location.
        weighed: of (u, v, t, scale, *shapes): u/v times the density; 0 where u is.
    """

    logarithm: Op
    weighed: Op


def law(
    name: str,
    formula: Callable[..., Pair],
    *slopes: Slope,
    meaning: Callable[..., Any],
    powers: Callable[..., Sequence[tuple[Any, Any]]] = lambda S, *xs: (),
    beyond: float = -np.inf,
    rounded: Callable[..., Array] | None = None,
) -> Law:
    """Declare a law: `formula` is the logarithm of its density, and `slopes` are its derivatives by t, by the scale and
    by each shape, all of (t, scale, *shapes); `beyond` is the logarithm where t or the scale is infinite. `rounded` is
    the logarithm in one float, infinities and all, where there is a quicker formula that is exact enough.

    The density means the exponential of `meaning` times `powers`, bases that may be 0 at an end and their exponents.
    """
    whole_formula = _with_infinities(formula, beyond)
    count = len(slopes)

    def logarithm_means(S: Any, *xs: Any) -> Any:
        return meaning(S, *xs) + sum(exponent * S.log(base) for base, exponent in powers(S, *xs))

    def density_means(S: Any, u: Any, v: Any, *xs: Any) -> Any:
        return u / v * S.exp(meaning(S, *xs)) * prod(S.pow(*power) for power in powers(S, *xs))

    def by_weight(y: CoreValue, u: CoreValue, v: CoreValue, *xs: CoreValue) -> CoreValue:
        return bind(weighed, 1.0, v, *xs)

    logarithm = elementwise(
        f"{name}_log_density",
        real(rounded or (lambda *xs: whole(whole_formula(*xs)))),
        *[_of_logarithm(slope) for slope in slopes],
        meaning=logarithm_means,
        saves=tuple(range(count)),
        doc=f"The logarithm of the {name} density.",
    )
    weighed = elementwise(
        f"{name}_density",
        real(lambda u, v, *xs: exp_times(whole_formula(*xs), u, v)),
        by_weight,
        lambda y, u, v, *xs: -y / v,
        *[_of_density(slope, lambda *xs: bind(weighed, *xs)) for slope in slopes],
        meaning=density_means,
        saves=tuple(range(2 + count)),
        doc=f"The {name} density times u/v.",
    )
    return Law(logarithm, weighed)


def _with_infinities(formula: Callable[..., Pair], beyond: float) -> Callable[..., Pair]:
    """The formula at the ends of a support, t = 0 and t = scale, and at infinity, too."""

    def found(t: Array, scale: Array, *shapes: Array) -> Pair:
        beyond_all, wide = np.isinf(t), np.isinf(scale)
        gone, ends = beyond_all | wide, (t == 0) | (t == scale)
        if not np.any(gone | ends):
            return formula(t, scale, *shapes)
        pair = formula(np.clip(t, -_LARGEST, _LARGEST), np.minimum(scale, _LARGEST), *shapes)
        high, low = endless(pair, ends)
        high = np.where(gone & ~np.isnan(high), beyond, high)
        return np.where(beyond_all & wide, np.nan, high), low

    return found


def vanishes(base: CoreValue) -> bool:
    """Whether some element is 0, or may be where a run is recorded or has no one array: hardly ever, so it is asked."""
    if state.recording is None:
        with suppress(AbstractValue, BatchedBranch):
            return not np.all(concrete(base))
    return True


def _of_logarithm(slope: Slope) -> Callable[..., CoreValue]:
    return lambda y, *xs: reduce(lambda a, b: a + b, (carried_over(*part[:2]) for part in slope(*xs)))


def _of_density(slope: Slope, weighed: Callable[..., CoreValue]) -> Callable[..., CoreValue]:
    def sloped(y: CoreValue, u: CoreValue, v: CoreValue, *xs: CoreValue) -> CoreValue:
        weights = (_settled(part, xs) if isinstance(part, AtEnd) else (*part, xs) for part in slope(*xs))
        return reduce(lambda a, b: a + b, (weighed(u * n, v * d, *operands) for n, d, operands in weights))

    return sloped


def _settled(part: AtEnd, xs: tuple[CoreValue, ...]) -> tuple[CoreValue, CoreValue, tuple[CoreValue, ...]]:
    """The quotient and the operands where the density falls to 0 at an end, or is level there, and elsewhere."""
    if not vanishes(part.denominator):
        return part.numerator, part.denominator, xs
    end = equal(part.denominator, 0)
    falls, level = logical_and(end, greater(part.exponent, 0)), logical_and(end, greater_equal(part.exponent, 0))
    operands = tuple(x if x is low else where(falls, low, x) for x, low in zip(xs, part.lower, strict=True))
    return where(falls, part.there[0], part.numerator), where(level, part.there[1], part.denominator), operands


# --- where it is read ------------------------------------------------------------------------------------------------


class Place(NamedTuple):
    """A law at some points, to be read as its density or the logarithm of that.

    Attributes:
        law: the law.
        operands: (t, scale, *shapes).
        inside: where the support is; None for everywhere.
        proper: whether scale and shapes make a law at all; elsewhere the answer is nan.
        weight: what the density is multiplied by.
        nothing: of t and scale, where the density is 0 for good, and all its slopes, though the logarithm's are
            infinite; None for nowhere.
    """

    law: Law
    operands: tuple[CoreValue, ...]
    inside: CoreValue | None
    proper: CoreValue
    weight: float = 1.0
    nothing: Callable[..., CoreValue] | None = None

    def logarithm(self) -> CoreValue:
        """The logarithm of the density, -inf off the support."""
        found = bind(self.law.logarithm, *self.operands)
        return self._on_support(found if self.weight == 1 else found + float(np.log(self.weight)), -np.inf)

    def density(self) -> CoreValue:
        """The density, 0 off the support."""
        t, scale, *shapes = self.operands
        if self.nothing is None:
            return self._on_support(bind(self.law.weighed, self.weight, 1.0, t, scale, *shapes), 0.0)
        gone = self.nothing(t, scale)
        found = bind(self.law.weighed, self.weight, 1.0, where(gone, scale, t), scale, *shapes)
        return self._on_support(where(gone, 0.0, found), 0.0)

    def _on_support(self, found: CoreValue, off: float) -> CoreValue:
        return proper_only(found if self.inside is None else where(self.inside, found, off), self.proper)


def place(
    law: Law,
    name: str,
    x: Any,
    loc: Any,
    scale: Any,
    *shapes: Any,
    inside: Callable[..., CoreValue] | None = None,
    proper: Callable[..., CoreValue] | None = None,
    weight: float = 1.0,
    off: float = 0.5,
    nothing: Callable[..., CoreValue] | None = None,
) -> Place:
    """The law at x - loc, with scale and shapes, on the support where `inside(x - loc, scale, *shapes)` holds; proper
    where the scale is positive and the shapes are, or where `proper(*shapes)` holds of them. Off the support the law is
    asked at `off` times the scale instead, where it has a number; the density, where `nothing(x - loc, scale)` holds of
    a density that is 0 there."""
    x, loc, scale, *others = floats(name, x, loc, scale, *shapes)
    t = x - loc
    conditions = [greater(p, 0) for p in others] if proper is None else [proper(*others)]
    fit = reduce(logical_and, conditions, greater(scale, 0))
    if inside is None:
        return Place(law, (t, scale, *others), None, fit, weight, nothing)
    held = logical_or(inside(t, scale, *others), isnan(t))
    return Place(law, (where(held, t, off * scale), scale, *others), held, fit, weight, nothing)


def reading(places: Callable[..., Place], read: Callable[[Place], CoreValue]) -> Callable[..., CoreValue]:
    """The function that reads what another one, with the same parameters, says the place of."""
    found = partial(_read, places, read)
    return update_wrapper(found, places, ("__defaults__", "__kwdefaults__"), ())


def _read(places: Callable[..., Place], read: Callable[[Place], CoreValue], *args: Any, **kwargs: Any) -> CoreValue:
    return read(places(*args, **kwargs))
