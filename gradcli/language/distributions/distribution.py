"""A distribution as a value of a program: its kind and its parameters; and what PyTorch says where it refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradcli.autodiff.levels import stop_gradient
from gradcli.graph.errors import ArgumentError, DomainError, NotDifferentiable, ShapeError
from gradcli.graph.state import state
from gradcli.graph.values import CoreValue, Shape, dtype_of, is_inexact, shape_of
from gradcli.language.arguments import matched
from gradcli.language.distributions.constraints import POSITIVE, Constraint, expect_parameter, expect_value
from gradcli.language.distributions.continuous import CONTINUOUS
from gradcli.language.distributions.discrete import DISCRETE
from gradcli.language.distributions.kind import Kind, Parameters
from gradcli.language.distributions.vectors import VECTORS
from gradcli.language.formatting import formatted
from gradcli.language.numbers import NUMBERS
from gradcli.language.objects import ObjectValue
from gradcli.language.operations import as_index, listed, truth
from gradcli.language.values import Arguments, Keywords, LanguageValue, Size, array
from gradcli.ops.elementwise import exp, sqrt
from gradcli.ops.kinds import broadcast_shape, expanded
from gradcli.ops.operands import to_float
from gradcli.ops.reduction import total
from gradcli.tensor import Tensor


class Distribution(ObjectValue):
    """A distribution with parameters.

    Attributes:
        kind: what it can do.
        given: its parameters as the program has them: tensors by name, and a plain count where PyTorch has one.
        batch_shape: the shape of the distributions that it stands for.
        event_shape: the shape of a value of one of them.
        validates: whether parameters and values are looked at.
    """

    __slots__ = ("batch_shape", "event_shape", "given", "kind", "validates")

    described = "a distribution"

    def __init__(self, kind: Kind, given: Mapping[str, Any], validates: bool) -> None:
        self.kind = kind
        self.given = dict(given)
        first = next(x for x in self.given.values() if isinstance(x, Tensor)).shape
        split = len(first) - kind.parameter_axes
        self.batch_shape: Shape = first[:split]
        self.event_shape: Shape = first[len(first) - kind.event_axes :]
        self.validates = validates

    @property
    def name(self) -> str:
        """What PyTorch calls the kind."""
        return self.kind.name

    @property
    def smooth(self) -> bool:
        """Whether derivatives pass through draws."""
        return self.kind.smooth

    @property
    def parameters(self) -> Parameters:
        """The parameters as core values, integers made floats."""
        return {k: to_float(x.value) if isinstance(x, Tensor) else x for k, x in self.given.items()}

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the parameters."""
        return dtype_of(next(x for x in self.parameters.values() if not isinstance(x, int)))

    def support(self) -> Constraint:
        """What values meet."""
        support = self.kind.support
        return support if isinstance(support, Constraint) else support(self.parameters)

    def check_parameters(self) -> None:
        """See that the parameters meet their constraints.

        Raises:
            DomainError: one does not.
        """
        for name, constraint in self.kind.parameters.items():
            given = self.quantity(name) if name in self.given else None
            if isinstance(given, Tensor):
                met = constraint if isinstance(constraint, Constraint) else constraint(self.parameters)
                expect_parameter(name, given.value, met, self.text)
        if self.name == "Geometric" and "probs" in self.given and POSITIVE.violated(self.given["probs"].value):
            probs = self.given["probs"]
            raise DomainError(
                f"Expected parameter probs (Tensor of shape {probs.shape}) of distribution {self.text()} to be "
                f"positive but found invalid values:\n{formatted(probs, '', None)}"
            )

    # --- what it computes ---------------------------------------------------------------------------------------------

    def log_prob(self, value: CoreValue) -> CoreValue:
        """The logarithm of the density, or of the probability, of values."""
        shape = broadcast_shape("log_prob", shape_of(value), self.batch_shape + self.event_shape)
        found = self.kind.log_prob(self.parameters, expanded(to_float(value), shape))
        return expanded(found, shape[: len(shape) - len(self.event_shape)])

    def draw(self, sample_shape: Shape) -> CoreValue:
        """Random values."""
        return self.kind.draw(self.parameters, (*sample_shape, *self.batch_shape, *self.event_shape), self.dtype)

    def entropy(self) -> CoreValue:
        """The entropy of each distribution.

        Raises:
            NotDifferentiable: there is no formula for it here.
        """
        if self.kind.entropy is None:
            raise _lacking(self.name, "entropy")
        return self.kind.entropy(self.parameters)

    def at(self, name: str, value: CoreValue) -> CoreValue:
        """`cdf` or `icdf`.

        Raises:
            NotDifferentiable: there is no formula for it here.
        """
        found = self.kind.cdf if name == "cdf" else self.kind.icdf
        if found is None:
            raise _lacking(self.name, name)
        return found(self.parameters, to_float(value))

    def attribute(self, name: str) -> LanguageValue:
        """Parameters, shapes, moments; `Ellipsis` for anything else."""
        if name in _ATTRIBUTES:
            return _ATTRIBUTES[name](self)
        return self.quantity(name)

    def quantity(self, name: str) -> LanguageValue:
        """A parameter in any of its forms, or a moment; `Ellipsis` when there is none of the name."""
        kind = self.kind
        if name in self.given and (name not in ("probs", "logits") or not kind.parameter_axes):
            return self.given[name]
        found = kind.attributes.get(name)
        if found is not None:
            return Tensor(found(self.parameters))
        if name == "stddev" and "variance" in kind.attributes:
            return Tensor(sqrt(kind.attributes["variance"](self.parameters)))
        if name == "mode":
            raise _lacking(self.name, "mode")
        return ...

    def text(self) -> str:
        """The kind and its parameters: numbers, and shapes of tensors."""
        shown = self.kind.shown
        names = [name for name in self.kind.parameters if name in self.given] if shown is None else shown
        return f"{self.name}({', '.join([f'{name}: {_shown(self.given[name])}' for name in names])})"


class Independent(Distribution):
    """A distribution of which the last axes of its batch count as one value."""

    __slots__ = ("axes", "base")

    def __init__(self, base: Distribution, axes: int, validates: bool) -> None:
        self.base = base
        self.axes = axes
        self.kind = base.kind
        self.given = base.given
        split = len(base.batch_shape) - axes
        self.batch_shape = base.batch_shape[:split]
        self.event_shape = base.batch_shape[split:] + base.event_shape
        self.validates = validates

    @property
    def name(self) -> str:
        """What PyTorch calls the kind."""
        return "Independent"

    @property
    def smooth(self) -> bool:
        """Whether derivatives pass through draws."""
        return self.base.smooth

    def support(self) -> Constraint:
        """What values meet."""
        return self.base.support()

    def log_prob(self, value: CoreValue) -> CoreValue:
        """The logarithm of the density, or of the probability, of values."""
        return self.summed(self.base.log_prob(value))

    def summed(self, x: CoreValue) -> CoreValue:
        """Over the axes that count as one value."""
        return total(x, tuple(range(-self.axes, 0))) if self.axes else x

    def draw(self, sample_shape: Shape) -> CoreValue:
        """Random values."""
        return self.base.draw(sample_shape)

    def entropy(self) -> CoreValue:
        """The entropy of each distribution."""
        return self.summed(self.base.entropy())

    def at(self, name: str, value: CoreValue) -> CoreValue:
        """Vectors have no distribution function here."""
        raise _lacking(self.name, name)

    def quantity(self, name: str) -> LanguageValue:
        """A moment of the distribution within, or that distribution itself."""
        if name == "base_dist":
            return self.base
        if name == "reinterpreted_batch_ndims":
            return self.axes
        return self.base.quantity(name) if name in ("mean", "variance", "stddev", "mode") else ...

    def text(self) -> str:
        """The distribution within, and how many axes."""
        return f"Independent({self.base.text()}, {self.axes})"


def _lacking(distribution: str, name: str) -> NotDifferentiable:
    return NotDifferentiable(f"NotImplementedError: {distribution} does not implement {name}")


def _shown(x: Any) -> str:
    if isinstance(x, Tensor):
        return formatted(x, "", None) if x.size == 1 else repr(Size(x.shape))
    return str(x)


_ATTRIBUTES: dict[str, Any] = {
    "batch_shape": lambda d: Size(d.batch_shape),
    "event_shape": lambda d: Size(d.event_shape),
    "has_rsample": lambda d: d.smooth,
}

# --- methods ---------------------------------------------------------------------------------------------------------


def _value(d: Distribution, name: str, args: Arguments, kwargs: Keywords, checks: bool = True) -> CoreValue:
    """The value that a method is given, looked at as PyTorch does.

    Raises:
        ArgumentError, ShapeError, DomainError: it is none that the distribution can have.
    """
    given = matched(name, args, kwargs, ("value",), 1)["value"]
    if d.validates and checks and not isinstance(given, Tensor):
        raise ArgumentError(f"The value argument to {name} must be a Tensor", mend="write torch.tensor(...)")
    value = array(given, name)
    if d.validates and checks:
        _check_shape(d, shape_of(value))
        within = d
        while isinstance(within, Independent):
            within = within.base
        expect_value(value, within.support(), within.text)
    return value


def _check_shape(d: Distribution, shape: Shape) -> None:
    event = d.event_shape
    if event and shape[max(0, len(shape) - len(event)) :] != event:
        raise ShapeError(f"The right-most size of value must match event_shape: {Size(shape)!r} vs {Size(event)!r}.")
    expected = d.batch_shape + event
    for i, j in zip(reversed(shape), reversed(expected), strict=False):
        if i not in (1, j) and j != 1:
            raise ShapeError(
                f"Value is not broadcastable with batch_shape+event_shape: {Size(shape)!r} vs {Size(expected)!r}."
            )


def _log_prob(d: Distribution, args: Arguments, kwargs: Keywords) -> LanguageValue:
    return Tensor(d.log_prob(_value(d, "log_prob", args, kwargs)))


def _sample_shape(name: str, args: Arguments, kwargs: Keywords) -> Shape:
    given = matched(name, args, kwargs, ("sample_shape",)).get("sample_shape", ())
    if type(given) in NUMBERS:
        raise ArgumentError(f"{name}() takes a shape, not an integer", mend=f"write {name}(({given},))")
    shape = tuple([as_index(n, "a size") for n in listed(given, "a shape")])
    if any(n < 0 for n in shape):
        raise ShapeError(f"Trying to create tensor with negative dimension {min(shape)}: {list(shape)}")
    return shape


def _sample(d: Distribution, args: Arguments, kwargs: Keywords) -> LanguageValue:
    return Tensor(stop_gradient(d.draw(_sample_shape("sample", args, kwargs))))


def _rsample(d: Distribution, args: Arguments, kwargs: Keywords) -> LanguageValue:
    shape = _sample_shape("rsample", args, kwargs)
    if not d.smooth:
        raise NotDifferentiable(
            f"NotImplementedError: {d.text()} has no rsample: no derivatives pass through its draws",
            mend="sample() draws, and log_prob() of the draw carries the derivative",
        )
    return Tensor(d.draw(shape))


def _entropy(d: Distribution, args: Arguments, kwargs: Keywords) -> LanguageValue:
    matched("entropy", args, kwargs, ())
    return Tensor(d.entropy())


def _perplexity(d: Distribution, args: Arguments, kwargs: Keywords) -> LanguageValue:
    matched("perplexity", args, kwargs, ())
    return Tensor(exp(d.entropy()))


def _cdf(d: Distribution, args: Arguments, kwargs: Keywords) -> LanguageValue:
    return Tensor(d.at("cdf", _value(d, "cdf", args, kwargs)))


def _icdf(d: Distribution, args: Arguments, kwargs: Keywords) -> LanguageValue:
    return Tensor(d.at("icdf", _value(d, "icdf", args, kwargs, checks=False)))


Distribution.methods = {
    "log_prob": _log_prob,
    "sample": _sample,
    "rsample": _rsample,
    "entropy": _entropy,
    "perplexity": _perplexity,
    "cdf": _cdf,
    "icdf": _icdf,
}

#: The names of all attributes and methods.
MEMBERS = frozenset(
    [
        *Distribution.methods,
        *_ATTRIBUTES,
        *(name for kind in (*CONTINUOUS, *DISCRETE, *VECTORS) for name in (*kind.parameters, *kind.attributes)),
        "base_dist",
        "mode",
        "reinterpreted_batch_ndims",
        "stddev",
        "total_count",
    ]
)

# --- making one ------------------------------------------------------------------------------------------------------

_NOT_NUMBERS = (
    "Input arguments must all be instances of Number, torch.Tensor or objects implementing __torch_function__."
)


_NONE_REQUIRED = frozenset(["Bernoulli", "Binomial", "Categorical", "Geometric", "Multinomial"])


def made(kind: Kind, args: Arguments, kwargs: Keywords) -> Distribution:
    """A distribution of a kind, as the program calls for it.

    Raises:
        GradcliError: its parameters are not what PyTorch takes.
    """
    counted = kind.name == "Multinomial"
    names = [*(["total_count"] if counted else []), *kind.parameters, "validate_args"]
    required = (
        0 if kind.name in _NONE_REQUIRED else 1 if kind.alternatives else len(kind.parameters) - len(kind.defaults)
    )
    found = matched(kind.name, args, kwargs, names, required)
    validate = found.pop("validate_args", None)
    validates = True if validate is None else truth(validate)
    given = {name: found.get(name, kind.defaults.get(name)) for name in kind.parameters}
    given = {name: x for name, x in given.items() if x is not None}
    if kind.alternatives:
        _expect_one_of(kind, given)
    settled = _settled(kind, given)
    if counted:
        settled["total_count"] = _count(found.get("total_count", 1))
    distribution = Distribution(kind, settled, validates)
    if validates:
        distribution.check_parameters()
    return distribution


def _required(kind: Kind) -> int:
    """How many of the first parameters must be given."""
    if kind.alternatives:
        return 0 if kind.name in _NONE_REQUIRED else 1
    return len(kind.parameters) - len(kind.defaults)


def _count(x: LanguageValue) -> int:
    """How many draws a multinomial distribution counts.

    Raises:
        ArgumentError: a tensor, or a negative number.
    """
    if isinstance(x, Tensor):
        raise ArgumentError("inhomogeneous total_count is not supported", mend="give an integer")
    found = as_index(x, "total_count")
    if found < 0:
        raise ArgumentError(f"total_count can't be negative: {found}")
    return found


def _expect_one_of(kind: Kind, given: Mapping[str, Any]) -> None:
    if sum(name in given for name in kind.alternatives) == 1:
        return
    if kind.alternatives == ("probs", "logits"):
        raise ArgumentError("Either `probs` or `logits` must be specified, but not both.")
    raise ArgumentError("Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified.")


def _settled(kind: Kind, given: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters as tensors that fit together."""
    if kind.name == "MultivariateNormal":
        return _of_normal_vectors(given)
    if kind.parameter_axes:
        return {name: _stack(name, x) for name, x in given.items()}
    return _broadcast(kind.name, given)


def _stack(name: str, x: LanguageValue) -> Tensor:
    if not isinstance(x, Tensor):
        raise ArgumentError(f"{name} must be a tensor", mend="write torch.tensor(...)")
    if not x.ndim:
        raise ShapeError(f"`{name}` parameter must be at least one-dimensional.")
    return x


def _broadcast(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers and tensors in one shape; numbers take the dtype of the first tensor."""
    values = list(given.values())
    for x in values:
        if not isinstance(x, Tensor) and type(x) not in NUMBERS:
            raise ArgumentError(_NOT_NUMBERS, mend="write torch.tensor(...) for a list")
    dtype = next((x.dtype for x in values if isinstance(x, Tensor) and is_inexact(x.value)), state.default_float)
    tensors = [x if isinstance(x, Tensor) else Tensor(np.asarray(x, dtype)) for x in values]
    shape = _common_shape(name, tensors)
    return {
        key: x if x.shape == shape else Tensor(expanded(x.value, shape)) for key, x in zip(given, tensors, strict=True)
    }


def _common_shape(name: str, tensors: Sequence[Tensor]) -> Shape:
    return broadcast_shape(name, *(x.shape for x in tensors))


def _of_normal_vectors(given: Mapping[str, Any]) -> dict[str, Any]:
    for x in given.values():
        if not isinstance(x, Tensor):
            raise ArgumentError("MultivariateNormal takes tensors", mend="write torch.tensor(...) for a list")
    loc = given["loc"]
    if not loc.ndim:
        raise ShapeError("loc must be at least one-dimensional.")
    name = next(name for name in given if name != "loc")
    matrix = given[name]
    if matrix.ndim < 2:
        what = "scale_tril matrix" if name == "scale_tril" else name
        raise ShapeError(f"{what} must be at least two-dimensional, with optional leading batch dimensions")
    batch = broadcast_shape("MultivariateNormal", matrix.shape[:-2], loc.shape[:-1])
    size = broadcast_shape("MultivariateNormal", matrix.shape[-1:], loc.shape[-1:])
    return {
        "loc": Tensor(expanded(loc.value, batch + size)),
        name: Tensor(expanded(matrix.value, batch + matrix.shape[-2:])),
    }
