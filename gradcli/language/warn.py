"""Warnings to the writer of a program: on standard error, once for each place."""

from __future__ import annotations

import sys

from gradcli.graph.errors import GradcliError
from gradcli.graph.state import state
from gradcli.language.diagnostics import render


def warn_once(message: str) -> None:
    """Warn of something at the place that is being run, unless it was done there before in this run."""
    place = (message, state.span)
    if place in state.warned:
        return
    state.warned.add(place)
    text = render(GradcliError(message, span=state.span))
    sys.stderr.write(text.replace("error:", "warning:", 1).rstrip("\n") + "\n")
