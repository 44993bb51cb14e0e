"""What a function of the program closes over: the variables around it that it reads, found and put in place again.

With them as arguments a function depends on nothing else, so it can be run again later, when those variables hold other
values, or at another level.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from gradcli.autodiff import trees
from gradcli.autodiff.custom import is_differentiated
from gradcli.graph.values import CoreValue, Value
from gradcli.language.values import FunctionValue, LanguageValue, UserFunction
from gradcli.tensor import Tensor

if TYPE_CHECKING:
    from gradcli.language.scope import Scopes


class _Place(NamedTuple):
    """A variable, or a default of a parameter: `holder[name]`, and what it held."""

    holder: dict[str, LanguageValue]
    name: str
    value: LanguageValue


class Closure:
    """A function with all that it closes over, as it was when this was made.

    Attributes:
        tracked: the values among it that a derivative may be taken by.
    """

    def __init__(self, f: FunctionValue, scopes: Scopes) -> None:
        self._scopes = scopes
        self._places = list(self._found(f))
        self._tensors = [
            leaf for place in self._places for leaf in trees.leaves(place.value) if type(leaf) is Tensor
        ]
        # Handles change in place, the values that they hold now do not.
        self._values: list[CoreValue] = [tensor.value for tensor in self._tensors]
        self._moving = [i for i, value in enumerate(self._values) if isinstance(value, Value)]
        self.tracked: list[CoreValue] = [self._values[i] for i in self._moving]

    @contextmanager
    def restored(self, tracked: Sequence[CoreValue]) -> Iterator[None]:
        """The variables hold what they held, with other values for those tracked; afterwards what they hold now."""
        values = list(self._values)
        for i, value in zip(self._moving, tracked, strict=True):
            values[i] = value
        fresh = {id(tensor): Tensor(value) for tensor, value in zip(self._tensors, values, strict=True)}
        now = [(place.holder, place.name, place.holder.get(place.name, ...)) for place in self._places]
        for place in self._places:
            place.holder[place.name] = trees.mapped(lambda leaf: fresh.get(id(leaf), leaf), place.value)
        try:
            yield
        finally:
            for holder, name, value in now:
                if value is ...:
                    holder.pop(name, None)
                else:
                    holder[name] = value

    def differentiated(self) -> str | None:
        """The name of a variable among it by which a derivative is being taken."""
        for place in self._places:
            if any(type(leaf) is Tensor and is_differentiated(leaf.value) for leaf in trees.leaves(place.value)):
                return place.name
        return None

    def _found(self, f: FunctionValue) -> Iterator[_Place]:
        """Every variable that the function reads, or one that it could call; each once."""
        seen: set[tuple[int, str]] = set()
        waiting: list[LanguageValue] = [f]
        while waiting:
            function = waiting.pop()
            for holder, name in self._read_by(function):
                if (id(holder), name) in seen:
                    continue
                seen.add((id(holder), name))
                value = holder[name]
                parts = trees.leaves(value)
                waiting += [part for part in parts if isinstance(part, FunctionValue)]
                if not isinstance(value, FunctionValue):
                    yield _Place(holder, name, trees.mapped(lambda leaf: leaf, value))
            for part in trees.leaves(getattr(function, "inner", ())):
                if isinstance(part, FunctionValue):
                    waiting.append(part)

    def _read_by(self, function: LanguageValue) -> Iterator[tuple[dict[str, LanguageValue], str]]:
        if not isinstance(function, UserFunction):
            held: dict[str, LanguageValue] = getattr(function, "held", {})
            yield from [(held, name) for name in held]
            return
        for name in function.defaults:
            yield function.defaults, name
        for name in free_names(function.node, self._scopes):
            frame: Any = function.frame
            while frame is not None:
                if name in frame.values:
                    yield frame.values, name
                    break
                frame = frame.parent


def free_names(node: ast.AST, scopes: Scopes) -> frozenset[str]:
    """The names that a function, a lambda or a comprehension reads and that are not its own."""
    known = scopes.free.get(node)
    if known is None:
        found: set[str] = set()
        waiting: list[ast.AST] = list(ast.iter_child_nodes(node))
        while waiting:
            part = waiting.pop()
            if isinstance(part, ast.Name):
                found.add(part.id)
            elif part in scopes.own:
                found |= free_names(part, scopes)
            else:
                waiting += ast.iter_child_nodes(part)
        known = scopes.free[node] = frozenset(found - scopes.own[node])
    return known
