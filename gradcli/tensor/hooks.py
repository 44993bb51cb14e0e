"""What is to happen to a gradient on its way: leaves that gather it, tensors that retain it, and hooks that see it."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gradcli.graph.errors import AutogradError
from gradcli.graph.node import Node
from gradcli.graph.values import CoreValue, shape_of

if TYPE_CHECKING:
    from gradcli.tensor.handle import Tensor

#: Takes a gradient as a Tensor; returns another in its place, or None to leave it.
Hook = Callable[["Tensor"], Any]

_numbers = itertools.count()


class Removable:
    """What `register_hook` gives: `remove()` takes the hook away again."""

    __slots__ = ("_hooks", "_number")

    def __init__(self, hooks: dict[int, Hook], hook: Hook) -> None:
        self._hooks = hooks
        self._number = next(_numbers)
        hooks[self._number] = hook

    def remove(self) -> None:
        """Take the hook away; doing it twice is no error."""
        self._hooks.pop(self._number, None)


class Accumulator:
    """Where the gradient of a leaf goes. Every node that the leaf has had shares it.

    Attributes:
        owner: gives the leaf, or None when nobody holds it any more.
        hooks: run on the gradient before it is added.
        after: run on the leaf after it was.
    """

    __slots__ = ("__weakref__", "after", "hooks", "owner")

    def __init__(self, owner: Tensor) -> None:
        self.owner = weakref.ref(owner)
        self.hooks: dict[int, Hook] = {}
        self.after: dict[int, Hook] = {}


class Watch:
    """What is to happen to the gradient of a node between: hooks, and the tensor that retains it."""

    __slots__ = ("hooks", "owner")

    def __init__(self) -> None:
        self.hooks: dict[int, Hook] = {}
        self.owner: weakref.ref[Tensor] | None = None


#: The nodes whose gradients are watched. A gradient that nobody can read is not kept.
watches: weakref.WeakKeyDictionary[Node, Watch] = weakref.WeakKeyDictionary()


def watch(node: Node) -> Watch:
    """The watch of a node, made when it is first asked for."""
    found = watches.get(node)
    if found is None:
        found = watches[node] = Watch()
    return found


def accumulator_of(node: Node) -> Accumulator | None:
    """The accumulator of a leaf of the tape; None for other nodes."""
    found: Accumulator | None = node.params.get("accumulator") if node.op is None else None
    return found


def hooks_of(node: Node) -> dict[int, Hook]:
    """The hooks on the gradient of a node, to be added to."""
    accumulator = accumulator_of(node)
    return watch(node).hooks if accumulator is None else accumulator.hooks


def hooked(hooks: dict[int, Hook], g: CoreValue) -> CoreValue:
    """A gradient after the hooks, in the order of their registration.

    Raises:
        AutogradError: a hook returns something that is no gradient of this shape.
    """
    from gradcli.tensor.handle import Tensor

    for hook in list(hooks.values()):
        given = Tensor(g)
        found = hook(given)
        if found is None:
            g = given.value
            continue
        if not isinstance(found, Tensor):
            raise AutogradError("expected a Tensor as the result of a hook, or None")
        if found.shape != shape_of(g):
            raise AutogradError(
                f"hook '{getattr(hook, '__name__', '<lambda>')}' has changed the size of value", mend="keep its shape"
            )
        g = found.value
    return g
