"""Which numbers parameters and values of distributions may be, named as torch.distributions.constraints names them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from gradcli.autodiff.rows import all_rows
from gradcli.graph.errors import AbstractValue, BatchedBranch, DomainError
from gradcli.graph.values import Array, CoreValue, concrete
from gradcli.language.formatting import formatted
from gradcli.tensor import Tensor


class Constraint(NamedTuple):
    """A condition on a value.

    Attributes:
        text: what PyTorch calls it.
        holds: whether an array meets it, element by element or all in all.
        pointwise: whether an element meets it whatever the others are, so that many rows can be asked at once.
    """

    text: str
    holds: Callable[[Array], Array]
    pointwise: bool = False

    def violated(self, value: CoreValue) -> bool:
        """Whether some element does not meet it; not known of values that a run has no numbers for."""
        rows = all_rows(value) if self.pointwise else None
        if rows is not None and np.all(self.holds(rows)):
            return False
        try:
            found = concrete(value)
        except (AbstractValue, BatchedBranch):
            return False
        with np.errstate(all="ignore"):
            return not bool(np.all(self.holds(found)))


def _whole(x: Array) -> Array:
    return np.asarray((x >= 0) & (x % 1 == 0))


def _on_simplex(x: Array) -> Array:
    return np.asarray(np.all(x >= 0, axis=-1) & (np.abs(x.sum(axis=-1) - 1) < 1e-6))


def _positive_definite(x: Array) -> Array:
    if not np.allclose(x, np.swapaxes(x, -1, -2), rtol=1e-5, atol=1e-6):
        return np.False_  # type: ignore[return-value]
    try:
        np.linalg.cholesky(x)
    except np.linalg.LinAlgError:
        return np.False_  # type: ignore[return-value]
    return np.True_  # type: ignore[return-value]


def _lower_cholesky(x: Array) -> Array:
    return np.asarray(np.all(np.tril(x) == x) & np.all(np.diagonal(x, axis1=-2, axis2=-1) > 0))


def _real(x: Array) -> Array:
    return np.asarray(x == x)


def _positive(x: Array) -> Array:
    return np.asarray(x > 0)


REAL = Constraint("Real()", _real, pointwise=True)
POSITIVE = Constraint("GreaterThan(lower_bound=0.0)", _positive, pointwise=True)
NOT_NEGATIVE = Constraint("GreaterThanEq(lower_bound=0.0)", lambda x: x >= 0, pointwise=True)
NOT_BELOW_ZERO = Constraint("GreaterThanEq(lower_bound=0)", lambda x: x >= 0, pointwise=True)
SHARE = Constraint("Interval(lower_bound=0.0, upper_bound=1.0)", lambda x: (x >= 0) & (x <= 1), pointwise=True)
SHARE_BELOW_ONE = Constraint(
    "HalfOpenInterval(lower_bound=0.0, upper_bound=1.0)", lambda x: (x >= 0) & (x < 1), pointwise=True
)
WHOLE = Constraint("IntegerGreaterThan(lower_bound=0)", _whole, pointwise=True)
BOOLEAN = Constraint("Boolean()", lambda x: (x == 0) | (x == 1), pointwise=True)
SIMPLEX = Constraint("Simplex()", _on_simplex)
REAL_VECTOR = Constraint("IndependentConstraint(Real(), 1)", _real, pointwise=True)
POSITIVE_VECTOR = Constraint("IndependentConstraint(GreaterThan(lower_bound=0.0), 1)", _positive, pointwise=True)
POSITIVE_DEFINITE = Constraint("PositiveDefinite()", _positive_definite)
LOWER_CHOLESKY = Constraint("LowerCholesky()", _lower_cholesky)


def _bound(x: CoreValue) -> tuple[Array, str]:
    """A bound that is a parameter, and its text."""
    try:
        return concrete(x), formatted(Tensor(x), "", None)
    except (AbstractValue, BatchedBranch):
        return np.asarray(np.nan), ""


def below(high: CoreValue) -> Constraint:
    """x < high."""
    end, text = _bound(high)
    return Constraint(f"LessThan(upper_bound={text})", lambda x: ~(x >= end))


def at_least(low: CoreValue) -> Constraint:
    """low <= x."""
    end, text = _bound(low)
    return Constraint(f"GreaterThanEq(lower_bound={text})", lambda x: ~(x < end))


def between(low: CoreValue, high: CoreValue) -> Constraint:
    """low <= x <= high."""
    (first, first_text), (last, last_text) = _bound(low), _bound(high)
    return Constraint(
        f"Interval(lower_bound={first_text}, upper_bound={last_text})", lambda x: ~((x < first) | (x > last))
    )


def whole_up_to(high: CoreValue) -> Constraint:
    """Whole numbers from 0 to high."""
    end, text = (np.asarray(high), str(high)) if type(high) is int else _bound(high)
    return Constraint(f"IntegerInterval(lower_bound=0, upper_bound={text})", lambda x: _whole(x) & ~(x > end))


def counts_of(total: int) -> Constraint:
    """Whole numbers along the last axis that add up to a total at most, as PyTorch has it."""
    return Constraint("Multinomial()", lambda x: np.all(_whole(x), axis=-1) & (x.sum(axis=-1) <= total))


def expect_parameter(name: str, value: CoreValue, constraint: Constraint, distribution: Callable[[], str]) -> None:
    """See that a parameter meets its constraint; `distribution` gives the text of what it is a parameter of.

    Raises:
        DomainError: it does not.
    """
    if constraint.violated(value):
        raise DomainError(
            f"Expected parameter {name} (Tensor of shape {value.shape}) of distribution {distribution()} to satisfy "
            f"the constraint {constraint.text}, but found invalid values:\n{formatted(Tensor(value), '', None)}"
        )


def expect_value(value: CoreValue, support: Constraint, distribution: Callable[[], str]) -> None:
    """See that a value lies in the support of a distribution, whose text `distribution` gives.

    Raises:
        DomainError: it does not.
    """
    if support.violated(value):
        raise DomainError(
            f"Expected value argument (Tensor of shape {value.shape}) to be within the support ({support.text}) of the "
            f"distribution {distribution()}, but found invalid values:\n{formatted(Tensor(value), '', None)}"
        )
