"""Where the random numbers of a run stand, so that a part of it can be run again with the same ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gradcli.graph.state import state


class Randomness:
    """The state of the run's generator at the moment when this is made."""

    __slots__ = ("_bits", "_generator", "_seed")

    def __init__(self) -> None:
        self._seed = state.seed
        self._generator = state.generator
        self._bits: Any = None if state.generator is None else state.generator.bit_generator.state

    def restore(self) -> None:
        """Let the next numbers drawn be those that followed that moment."""
        state.seed, state.generator = self._seed, self._generator
        if self._generator is not None:
            self._generator.bit_generator.state = self._bits

    @contextmanager
    def again(self) -> Iterator[None]:
        """What runs inside draws the numbers that followed that moment; afterwards all is as it was before."""
        now = Randomness()
        self.restore()
        try:
            yield
        finally:
            now.restore()
