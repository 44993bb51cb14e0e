"""`gradcli eval`: the value of a program."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from gradcli.autodiff.batch import Batched
from gradcli.autodiff.rows import settled
from gradcli.cli.output import publish
from gradcli.cli.session import Session, open_session
from gradcli.cli.words import Invocation
from gradcli.files import Answer
from gradcli.files.json_text import json_line
from gradcli.graph.values import CoreValue
from gradcli.language.diagnostics import ProgramError
from gradcli.language.results import Result
from gradcli.language.values import DEEPEST_LIST
from gradcli.ops.casts import cast
from gradcli.ops.joining import stack


def run(invocation: Invocation) -> int:
    """Evaluate and print."""
    session = open_session(invocation)
    found = run_at(session, session.values())
    publish(invocation, answer(*found), layout_of(found.outputs, found.names))
    return 0


def layout_of(outputs: Sequence[Any], names: Sequence[str]) -> Callable[[Any], None]:
    """How a terminal shows the outputs."""

    def layout(console: Any) -> None:
        from gradcli.cli.layout import show_arrays

        show_arrays(console, [(name, _one_piece(output)) for name, output in zip(names, outputs, strict=True)])

    return layout


def answer_of(session: Session) -> Answer:
    """The program's outputs under their names.

    Raises:
        GradcliError: it fails, or gives something that has no form outside the program.
    """
    return answer(*run_at(session, session.values()))


class Outputs(NamedTuple):
    """What a program gave: arrays, or the texts, lists and dicts that they are; what each is called; whether it was a
    tuple."""

    outputs: list[Any]
    names: list[str]
    is_tuple: bool


def run_at(session: Session, values: Mapping[str, CoreValue]) -> Outputs:
    """Run the program at values of its inputs.

    Raises:
        GradcliError: it fails, or gives something that has no form outside the program.
    """
    result = session.program.run(values, options=session.options)
    if not result.outputs:
        result.cores()
    outputs = [_plain(output, result) for output in result.outputs]
    return Outputs(outputs, output_names(result.names, len(outputs)), result.is_tuple)


def answer(outputs: Sequence[Any], names: Sequence[str], is_tuple: bool) -> Answer:
    """The outputs in the form of every command."""
    results = [((name,), _one_piece(output)) for name, output in zip(names, outputs, strict=True)]
    return Answer(results, described(outputs, is_tuple))


def described(outputs: Sequence[Any], is_tuple: bool) -> dict[str, Any]:
    """Value, shape and dtype; for a tuple one list per field, with an entry per output."""
    entries = [_described(output) for output in outputs]
    return {field: [entry[field] for entry in entries] for field in entries[0]} if is_tuple else entries[0]


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
    return settled(Result((value,), False, (None,), result.span).cores()[0])


def _from_list(entries: list[Any]) -> Any:
    """An array where the entries are alike, else the list."""
    if entries and all(isinstance(entry, np.ndarray | Batched) for entry in entries):
        shapes = {entry.shape for entry in entries}
        if len(shapes) == 1:
            common = np.result_type(*[entry.dtype for entry in entries])
            return stack([cast(entry, common) for entry in entries])
    return entries


def _one_piece(value: Any) -> Any:
    """An array or a text; lists and dicts that are none become JSON."""
    return json_line(value).rstrip("\n") if isinstance(value, list | dict) else value


def _described(value: Any) -> dict[str, Any]:
    if isinstance(value, np.ndarray | Batched):
        return {"value": value, "shape": list(value.shape), "dtype": str(value.dtype)}
    return {"value": value, "shape": None, "dtype": type(value).__name__}
