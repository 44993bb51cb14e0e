"""torch.distributions: a distribution is its kind and its parameters; what it can do is made of the op table.

The package is loaded when a program first reaches torch.distributions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.language.arguments import matched
from gradcli.language.distributions.continuous import CONTINUOUS
from gradcli.language.distributions.discrete import DISCRETE
from gradcli.language.distributions.distribution import Distribution, Independent, made
from gradcli.language.distributions.divergences import divergence
from gradcli.language.distributions.kind import Kind
from gradcli.language.distributions.vectors import VECTORS
from gradcli.language.operations import as_index, truth
from gradcli.language.values import Arguments, Builtin, Keywords, LanguageValue, TypeValue, describe
from gradcli.tensor import Tensor

if TYPE_CHECKING:
    from gradcli.language.machine import Machine


def _type(kind: Kind) -> TypeValue:
    return TypeValue(
        kind.name,
        lambda run, args, kwargs: made(kind, args, kwargs),
        lambda x: isinstance(x, Distribution) and x.name == kind.name,
    )


def _independent(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    names = ("base_distribution", "reinterpreted_batch_ndims", "validate_args")
    found = matched("Independent", args, kwargs, names, 2)
    base = _distribution("Independent", found["base_distribution"])
    axes = as_index(found["reinterpreted_batch_ndims"], "reinterpreted_batch_ndims")
    if not 0 <= axes <= len(base.batch_shape):
        raise ShapeError(
            "Expected reinterpreted_batch_ndims <= len(base_distribution.batch_shape), "
            f"actual {axes} vs {len(base.batch_shape)}"
        )
    validate = found.get("validate_args")
    return Independent(base, axes, base.validates if validate is None else truth(validate))


def _distribution(name: str, x: LanguageValue) -> Distribution:
    if not isinstance(x, Distribution):
        raise ArgumentError(f"{name}() takes distributions, not {describe(x)}")
    return x


def _kl_divergence(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    found = matched("kl_divergence", args, kwargs, ("p", "q"), 2)
    return Tensor(divergence(*(_distribution("kl_divergence", found[name]) for name in ("p", "q"))))


def _abstract(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    raise ArgumentError("Distribution is what all distributions are; make one of them, such as Normal(0.0, 1.0)")


#: Members of `torch.distributions`, and of its modules.
DISTRIBUTIONS: dict[str, LanguageValue] = {
    **{kind.name: _type(kind) for kind in (*CONTINUOUS, *DISCRETE, *VECTORS)},
    "Independent": TypeValue("Independent", _independent, lambda x: isinstance(x, Independent)),
    "Distribution": TypeValue("Distribution", _abstract, lambda x: isinstance(x, Distribution)),
    "kl_divergence": Builtin("kl_divergence", _kl_divergence),
}
