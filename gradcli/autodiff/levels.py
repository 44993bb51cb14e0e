"""Opening and closing levels, and the switch that keeps them from tracking."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from gradcli.graph.bind import bind
from gradcli.graph.recording import DETACH
from gradcli.graph.state import state
from gradcli.graph.values import CoreValue, Level, Value

L = TypeVar("L", bound=Level)

# Ids are never used twice: a value that outlives its level is a constant to every later one.
_ids = itertools.count(1)


@contextmanager
def opened(kind: type[L]) -> Iterator[L]:
    """A new level, above all that are open, for the length of a `with` block."""
    level = kind(next(_ids))
    before = state.newest_level
    state.newest_level = level.id
    try:
        yield level
    finally:
        state.newest_level = before


@contextmanager
def no_grad() -> Iterator[None]:
    """What runs inside is a constant to every derivative that was being taken when the block began."""
    before = state.constant_below
    state.constant_below = state.newest_level
    try:
        yield
    finally:
        state.constant_below = before


@contextmanager
def enable_grad() -> Iterator[None]:
    """What runs inside is tracked again, whatever `no_grad` blocks are around."""
    before = state.constant_below
    state.constant_below = -1
    try:
        yield
    finally:
        state.constant_below = before


def stop_gradient(x: CoreValue) -> CoreValue:
    """The same value, a constant to any derivative."""
    return bind(DETACH, x) if isinstance(x, Value) or state.recording is not None else x
