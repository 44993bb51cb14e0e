"""How a program is to be run."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NamedTuple


def _to_stderr(text: str) -> None:
    sys.stderr.write(text)


class RunOptions(NamedTuple):
    """How a program is to be run.

    Attributes:
        dtype: the default dtype of floats, or None for the program's own default.
        of: the variable (or function) whose value is wanted instead of the result.
        seed: of the random numbers.
        max_steps: statements, iterations and calls that may be run.
        max_depth: how deep calls may nest.
        print_to: takes what the program prints, line ends included.
        display: whether the value of a notebook cell's last expression is printed, as Jupyter shows it.
    """

    dtype: str | None = None
    of: str | None = None
    seed: int = 0
    max_steps: int = 100_000_000
    max_depth: int = 1_000
    print_to: Callable[[str], None] = _to_stderr
    display: bool = False
