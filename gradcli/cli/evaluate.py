"""`gradcli eval`: the value of a program."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.cli.output import publish
from gradcli.cli.session import Session, open_session
from gradcli.cli.words import Invocation
from gradcli.files import Answer
from gradcli.files.json_text import json_line
from gradcli.graph.values import concrete
from gradcli.language.diagnostics import ProgramError
from gradcli.language.results import Result
from gradcli.language.values import DEEPEST_LIST


def run(invocation: Invocation) -> int:
    """Evaluate and print."""
    found = answer_of(open_session(invocation))

    def layout(console: Any) -> None:
        from gradcli.cli.layout import show_arrays

        show_arrays(console, [(name, output) for (name,), output in found.results])

    publish(invocation, found, layout)
    return 0


def answer_of(session: Session) -> Answer:
    """The program's outputs under their names.

    Raises:
        GradcliError: it fails, or gives something that has no form outside the program.
    """
    result = session.program.run(session.values(), options=session.options)
    if not result.outputs:
        result.cores()
    outputs = [_plain(output, result) for output in result.outputs]
    names = output_names(result.names, len(outputs))
    described = [_described(output) for output in outputs]
    document = _listed(described) if result.is_tuple else described[0]
    return Answer([((name,), _one_piece(output)) for name, output in zip(names, outputs, strict=True)], document)


def output_names(names: tuple[str | None, ...], count: int) -> list[str]:
    """What each output is called: by its variable, else `value`, or its place (from 0) where there are several."""
    given = list(names) + [None] * (count - len(names))
    chosen = [name or ("value" if count == 1 else str(place)) for place, name in enumerate(given)]
    if len(set(chosen)) < len(chosen):
        chosen = [str(place) for place in range(count)]
    return chosen


def _plain(value: Any, result: Result, depth: int = 0) -> Any:
    """A value of the language as an array, or as the text, list or dict that it is.

    Raises:
        GradcliError: it is a function, or another thing that has no form outside the program.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, dict | list | tuple) and depth > DEEPEST_LIST:
        raise ProgramError(
            f"the result is nested more than {DEEPEST_LIST} deep", mend="end with a part of it", span=result.span
        )
    if isinstance(value, dict):
        return {str(key): _plain(entry, result, depth + 1) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return _from_list([_plain(entry, result, depth + 1) for entry in value])
    return concrete(Result((value,), False, (None,), result.span).cores()[0])


def _from_list(entries: list[Any]) -> Any:
    """An array where the entries are alike, else the list."""
    if entries and all(isinstance(entry, np.ndarray) for entry in entries):
        shapes = {entry.shape for entry in entries}
        if len(shapes) == 1:
            return np.stack(entries)
    return entries


def _one_piece(value: Any) -> Any:
    """An array or a text; lists and dicts that are none become JSON."""
    return json_line(value).rstrip("\n") if isinstance(value, list | dict) else value


def _described(value: Any) -> dict[str, Any]:
    if isinstance(value, np.ndarray):
        return {"value": value, "shape": list(value.shape), "dtype": str(value.dtype)}
    return {"value": value, "shape": None, "dtype": type(value).__name__}


def _listed(described: list[dict[str, Any]]) -> dict[str, Any]:
    """One list per field, with an entry per output."""
    return {field: [entry[field] for entry in described] for field in ("value", "shape", "dtype")}
