"""Source text -> checked syntax tree -> Program; the interpreter; diagnostics with source spans."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gradcli.language.declarations import InputDecl
    from gradcli.language.diagnostics import ProgramError, render
    from gradcli.language.literals import evaluate_literal
    from gradcli.language.options import RunOptions
    from gradcli.language.program import Program
    from gradcli.language.results import Result
    from gradcli.language.source import Source, Span, normalised

__all__ = [
    "InputDecl",
    "Program",
    "ProgramError",
    "Result",
    "RunOptions",
    "Source",
    "Span",
    "evaluate_literal",
    "normalised",
    "render",
]

_HOMES = {
    "InputDecl": "declarations",
    "Program": "program",
    "ProgramError": "diagnostics",
    "Result": "results",
    "RunOptions": "options",
    "Source": "source",
    "Span": "source",
    "evaluate_literal": "literals",
    "normalised": "source",
    "render": "diagnostics",
}


def __getattr__(name: str) -> Any:
    """Load what is asked for, and only that: an error can be shown without loading the interpreter."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(name)
    from importlib import import_module

    found = import_module(f"gradcli.language.{home}")
    return vars(found)[name]
