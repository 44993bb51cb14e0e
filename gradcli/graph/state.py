"""What holds for the run in progress. One run at a time, so this is one object."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from gradcli.graph.recording import Recording


class State:
    """The run in progress.

    Attributes:
        span: the source span of the call being made; new nodes remember it.
        default_float: dtype of floats that state no other.
        torch_semantics: whether the program follows PyTorch's promotion rules.
        generator: the source of random numbers; None until the first is drawn.
        seed: what the generator is then made of.
        recording: the open recording, or None.
        constant_below: levels up to this id do not track (`no_grad`); -1 when all do.
        newest_level: id of the level opened last; level 0 is the tape.
        warned: what was warned of, and where.
        program_level: newest_level when the program began; above it, a function of the program is being differentiated.
    """

    __slots__ = (
        "constant_below",
        "default_float",
        "generator",
        "newest_level",
        "program_level",
        "recording",
        "seed",
        "span",
        "torch_semantics",
        "warned",
    )

    def __init__(self) -> None:
        self.span: Any = None
        self.default_float: np.dtype[Any] = np.dtype(np.float64)
        self.torch_semantics = False
        self.generator: np.random.Generator | None = None
        self.seed: int | list[int] = 0
        self.recording: Recording | None = None
        self.constant_below = -1
        self.newest_level = 0
        self.program_level = 0
        self.warned: set[tuple[str, Any]] = set()


state = State()
