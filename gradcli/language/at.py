"""JAX's `x.at[i]`: the elements of a tensor at an index, to be updated by value or read."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gradcli.graph.errors import ArgumentError
from gradcli.language.arguments import matched
from gradcli.language.values import Arguments, Keywords, LanguageValue, core
from gradcli.ops import registry
from gradcli.tensor import Tensor, calls

if TYPE_CHECKING:
    from gradcli.language.machine import Machine


class At:
    """`x.at`: what is left is an index."""

    __slots__ = ("tensor",)

    described = "x.at without an index"

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


class AtIndex:
    """`x.at[i]`: what is left is what to do there."""

    __slots__ = ("index", "tensor")

    described = "x.at[i] without .set(v), .add(v) or their like"

    def __init__(self, tensor: Tensor, index: Any) -> None:
        self.tensor = tensor
        self.index = index


def _updating(name: str) -> Callable[[AtIndex, Arguments, Keywords], LanguageValue]:
    def update(x: AtIndex, args: Arguments, kwargs: Keywords) -> LanguageValue:
        function = registry.known_method(f"at[i].{name}", False)
        given = {key: core(value, name) for key, value in kwargs.items()}
        values = [x.tensor.value, x.index, *(core(value, name) for value in args)]
        return calls.called(function, x.tensor, values, given)

    return update


#: What can be done at an index, by name.
AT_METHODS = {
    name: _updating(name)
    for name in ("add", "divide", "get", "max", "min", "mul", "multiply", "power", "set", "subtract")
}


def applied(run: Machine, x: AtIndex, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """`x.at[i].apply(f)`: the value with what a function makes of the elements at the index.

    Raises:
        ArgumentError: what the function gives is no tensor or number.
    """
    function = matched("apply", args, kwargs, ("func",), 1)["func"]
    made = run.call(function, [AT_METHODS["get"](x, [], {})])
    if not isinstance(made, Tensor | int | float | complex):
        raise ArgumentError("apply() takes a function of a tensor that gives a tensor")
    return AT_METHODS["set"](x, [made], {})
