"""VALUEs of the command line: expressions of the language without inputs."""

from __future__ import annotations

import re

import numpy as np

from gradcli.graph.errors import GradcliError
from gradcli.graph.state import state
from gradcli.graph.values import CoreValue, concrete
from gradcli.language.diagnostics import ProgramError
from gradcli.language.options import RunOptions
from gradcli.language.program import Program
from gradcli.language.source import Source, Span
from gradcli.language.values import LanguageValue, array

_EXAMPLES = "such as 1.5, [1, 2, 3] or eye(3)"


def evaluate_literal(text: str, name: str, options: RunOptions) -> CoreValue:
    """The array that a VALUE stands for; `1,2,3` is a vector, and integers become floats.

    Args:
        text: the VALUE.
        name: what it is the value of, for messages and for its random numbers.
        options: dtype of floats, seed, limits.

    Raises:
        GradcliError: it is no expression, has inputs, or is no array; the span points into the text.
    """
    option = name.startswith("-")
    source = Source(name if option else f"{name}=", text)
    if not source.text.strip():
        mend = "give a number, as 1.5, or @FILE" if option else f"give a number, as {name}=1.5, or {name}=@FILE"
        raise GradcliError(f"the value of '{name}' is empty", mend=mend)
    before = (state.default_float, state.torch_semantics)
    try:
        program = _parsed(source, name)
        _check(program, name)
        seed = int.from_bytes(name.encode()[:8], "big") ^ options.seed
        result = program.run({}, options=options._replace(of=None, seed=seed))
        if not result.outputs:
            raise ProgramError("a VALUE is a number or an array", mend=_EXAMPLES, span=result.span)
        found = concrete(result.cores()[0] if not result.is_tuple else _joined(result.outputs))
    except GradcliError as error:
        error.span = error.span or _whole(source)
        raise
    finally:
        state.default_float, state.torch_semantics = before
    return found.astype(options.dtype or np.float64) if found.dtype.kind in "iu" else found


def _parsed(source: Source, name: str) -> Program:
    try:
        return Program.parse(source)
    except ProgramError as error:
        error.mend = _hint(source.text, name) or error.mend
        raise


def _whole(source: Source) -> Span:
    return Span(source, 1, 1, 1, len(source.lines[0]) + 1)


def _check(program: Program, name: str) -> None:
    source = program.source
    if not program.is_expression:
        raise ProgramError("a VALUE is one expression", mend=_EXAMPLES, span=_whole(source))
    for decl in program.inputs.values():
        raise ProgramError(
            f"'{decl.name}' has no value here: a VALUE has no inputs", mend=_hint(source.text, name), span=decl.span
        )


def _hint(text: str, name: str) -> str | None:
    if re.fullmatch(r"[\w./~-]+\.(npy|npz|json|csv|txt|dat)", text):
        return f"a file is given as {name}=@{text}"
    return None


def _joined(outputs: tuple[LanguageValue, ...]) -> CoreValue:
    return array(list(outputs), "a VALUE")
