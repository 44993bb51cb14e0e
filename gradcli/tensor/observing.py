"""Who wants to see backward passes of the tape, step by step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from gradcli.graph.node import Node
from gradcli.graph.values import CoreValue


class Observer:
    """Is told what a backward pass of the tape does."""

    def begin(self, seeds: Sequence[tuple[Node, CoreValue]]) -> None:
        """A pass begins at these nodes, with these gradients."""

    def step(self, node: Node, g: CoreValue, shares: Sequence[tuple[Node, CoreValue]]) -> None:
        """The gradient `g` has arrived at a node, and is passed on as `shares`; a leaf passes on nothing."""


#: The observers at present.
observers: list[Observer] = []


@contextmanager
def observed_by(observer: Observer) -> Iterator[None]:
    """Tell `observer` of the backward passes that are made inside."""
    observers.append(observer)
    try:
        yield
    finally:
        observers.remove(observer)
