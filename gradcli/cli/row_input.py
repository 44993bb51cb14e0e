"""The file of `--each`: which of the program's inputs its rows give, and that with the others they give all."""

from __future__ import annotations

from collections.abc import Iterable

from gradcli.cli.session import Session
from gradcli.cli.words import nearest
from gradcli.files.rows import RowReader, open_rows
from gradcli.graph.errors import GradcliError
from gradcli.language.diagnostics import escaped


def open_reader(session: Session) -> RowReader:
    """The reader of the rows, once it is clear that they fit the program.

    Raises:
        GradcliError: they don't.
    """
    invocation, program, of = session.invocation, session.program, session.options.of
    file = invocation.values["each"]
    named = {assignment.name for assignment in invocation.assignments}

    def wanted(name: str) -> bool:
        if name in named:
            raise GradcliError(
                f"{name!r} is given twice: by {name}=... for all rows, and by the rows", mend="leave one of them out"
            )
        return program.accepts(name, of)

    reader = open_rows(
        file,
        wanted=wanted,
        only=lambda: _only_input(session, file),
        dtype=session.options.dtype,
        stdin=session.standard_input,
    )
    try:
        _expect_names(session, reader)
    except GradcliError:
        reader.close()
        raise
    return reader


def _lacking(session: Session, names: Iterable[str] = ()) -> list[str]:
    """The inputs that neither the command line nor a row gives."""
    given = {*session.given, *names}
    inputs = session.program.inputs_given(given, session.options.of)
    return [name for name, decl in inputs.items() if name not in given and not decl.has_default]


def _only_input(session: Session, file: str) -> str:
    """The input that an array without a name is for."""
    lacking = _lacking(session)
    if len(lacking) != 1:
        which = ", ".join(lacking) or "none"
        raise GradcliError(
            f"{escaped(file)} holds one array without a name, expected one input that has no value, found {which}",
            mend="an .npz names its arrays; NAME=VALUE gives what is the same for all rows",
        )
    return lacking[0]


def _expect_names(session: Session, reader: RowReader) -> None:
    """See that the rows, if all have the same names, give the program what it needs.

    Raises:
        GradcliError: they don't.
    """
    names = reader.names
    if names is None:
        return
    lacking = _lacking(session, names)
    if lacking:
        guess = nearest(lacking[0], names)
        raise GradcliError(
            f"{reader.name} gives no value for the input{'s' if len(lacking) > 1 else ''} {', '.join(lacking)}",
            mend=f"did you mean {guess!r}?" if guess else f"{lacking[0]}=1.5 gives it for all rows",
        )
    if not names:
        inputs = ", ".join(session.program.inputs_given((), session.options.of)) or "none"
        raise GradcliError(f"{reader.name} names nothing that the program reads; its inputs: {inputs}")
