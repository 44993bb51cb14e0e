"""What every test begins with: the state of no run."""

from __future__ import annotations

import signal

import numpy as np
import pytest

from gradcli.graph.state import state

# A shell that runs the tests in the background has Ctrl-C ignored, and every command that they start would inherit it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def fresh_state():
    """A program that follows PyTorch leaves its dtypes and promotion behind; no test starts with another's."""
    state.torch_semantics = False
    state.default_float = np.dtype(np.float64)
    state.constant_below = -1
    state.generator = None
