"""What every command on a program does first: read the program and its inputs, and settle what to differentiate."""

from __future__ import annotations

import gc
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from gradcli.autodiff.rows import settled
from gradcli.cli.program import read_source
from gradcli.cli.report import blamed_on, say
from gradcli.cli.words import Invocation, UsageError, Word, nearest
from gradcli.files import StandardInput, read_data, read_value
from gradcli.graph.budget import budget
from gradcli.graph.errors import DtypeError, GradcliError
from gradcli.graph.values import Array, CoreValue
from gradcli.language.options import RunOptions
from gradcli.language.program import Program


class Session(NamedTuple):
    """A program with what the command line says about it.

    Attributes:
        program: the program.
        options: how to run it.
        given: the values that the command line and `--data` give.
        invocation: the command line.
        standard_input: who has read standard input so far.
        texts: the arrays of the VALUEs that were read so far (see `read_text`).
    """

    program: Program
    options: RunOptions
    given: dict[str, Any]
    invocation: Invocation
    standard_input: StandardInput
    texts: dict[tuple[str, str], Array]

    @property
    def inputs(self) -> list[str]:
        """The names of the program's inputs, in order."""
        return list(self.program.inputs_given(self.given, self.options.of))

    def values(self) -> dict[str, Array]:
        """The values of all inputs.

        Raises:
            GradcliError: some are missing, or are not what the program declares.
        """
        return self.program.resolve(self.given, options=self.options)


class Target:
    """What to differentiate: the program as a function of the chosen inputs, and where.

    Attributes:
        names: the inputs.
        points: their values.
        is_tuple: whether the run made last gave a tuple.
        output_names: what that run's outputs are called in the program, or None.
        span: where in the program they come from.
    """

    def __init__(self, session: Session, names: tuple[str, ...], values: dict[str, Array]) -> None:
        self.names = names
        self.points = tuple(settled(values[name]) for name in names)
        self.is_tuple = False
        self.output_names: tuple[str | None, ...] = ()
        self.span: Any = None
        self._session = session
        self._values = values

    def function(self, *xs: CoreValue) -> CoreValue | tuple[CoreValue, ...]:
        """The program's result, a tuple of them where it gives one, at these values of the chosen inputs."""
        outputs = self.outputs(*xs)
        return outputs if self.is_tuple else outputs[0]

    def outputs(self, *xs: CoreValue) -> tuple[CoreValue, ...]:
        """The program's results, one or more."""
        session = self._session
        values = {**self._values, **dict(zip(self.names, xs, strict=True))}
        result = session.program.run(values, options=session.options)
        self.is_tuple, self.output_names, self.span = result.is_tuple, result.names, result.span
        return result.cores()


def open_session(invocation: Invocation) -> Session:
    """Read the program and every VALUE of the command line.

    Raises:
        GradcliError: something in them is at fault.
    """
    values = invocation.values
    budget.open(values["max_bytes"])
    options = RunOptions(
        dtype=values["dtype"],
        of=values.get("of"),
        seed=values["seed"],
        max_steps=values["max_steps"],
        max_depth=values["max_depth"],
        print_to=say,
    )
    expect_one_reader(invocation)
    _expect_rows(invocation)
    standard_input = StandardInput()
    program = Program.parse(read_source(invocation, standard_input))
    # Modules and tree live as long as the process: the garbage collector need not go over them again and again.
    gc.freeze()
    gc.enable()
    options = program.options(options)
    given = _given(program, invocation, options, standard_input)
    return Session(program, options, given, invocation, standard_input, {})


def _expect_rows(invocation: Invocation) -> None:
    """Refuse options that speak of many rows where there are none.

    Raises:
        UsageError: there is one of them, without `--each`.
    """
    if invocation.values.get("each") is None:
        for name in ("sum", "keep_going", "jobs"):
            if name in invocation.given:
                word = invocation.given[name][0]
                option = next(option for option in invocation.command.options if option.name == name)
                raise UsageError(f"{option.words[0]} goes with --each FILE", place=word.place)


def expect_one_reader(invocation: Invocation) -> None:
    """Refuse a command line where two words would read standard input.

    Raises:
        UsageError: there are two; names both.
    """
    readers = [invocation.program] if invocation.program is not None and invocation.program.text == "-" else []
    readers += [word for name in ("data", "each") for word in invocation.given.get(name, []) if word.text == "-"]
    values = [assignment.word for assignment in invocation.assignments]
    for option in ("vector", "against"):
        values += invocation.given.get(option, [])
    for word in values:
        _, equals, right = word.text.partition("=")
        if (right if equals else word.text).split(":")[0] in ("@-", "-"):
            readers.append(word)
    if len(readers) > 1:
        readers.sort(key=lambda word: word.place)
        first, second = (_with_its_option(invocation, word) for word in readers[:2])
        raise UsageError(
            f"only one thing may read standard input, and both {first!r} and {second!r} do", place=readers[1].place
        )


def _with_its_option(invocation: Invocation, word: Word) -> str:
    """A word as it was given: after its option, if it has one."""
    name = next((name for name, words in invocation.given.items() if word in words), None)
    option = next((option for option in invocation.command.options if option.name == name), None)
    if option is None:
        return word.text
    before = invocation.words[word.place - 1]
    return f"{before if before in option.words else option.words[0]} {word.text}"


def _given(
    program: Program, invocation: Invocation, options: RunOptions, standard_input: StandardInput
) -> dict[str, Any]:
    for assignment in invocation.assignments:
        if not program.mentions(assignment.name):
            guess = nearest(assignment.name, [*program.inputs_given((), options.of), *program.dimension_names])
            raise UsageError(
                f"{assignment.name!r} stands nowhere in the program",
                place=assignment.word.place,
                mend=f"did you mean {guess!r}?" if guess else None,
            )
    found: dict[str, Any] = {}
    named = {assignment.name for assignment in invocation.assignments}
    file = invocation.values["data"]
    if file is not None:

        def wanted(name: str) -> bool:
            return name not in named and program.accepts(name, options.of)

        with blamed_on(invocation.given["data"][0], invocation.words):
            found |= read_data(file, stdin=standard_input, dtype=options.dtype, wanted=wanted)
    for assignment in invocation.assignments:
        with blamed_on(assignment.word, invocation.words):
            value = read_value(assignment.text, assignment.name, options=options, stdin=standard_input)
        found[assignment.name] = value
    return found


def choose_target(session: Session) -> Target:
    """The inputs of `--wrt`, or every float input, and the program as a function of them.

    Raises:
        GradcliError: one is unknown or carries no derivative, or there is none.
    """
    values = session.values()
    chosen = session.invocation.values["wrt"]
    if chosen is None:
        names = tuple(name for name in session.inputs if _is_float(values.get(name)))
        if not names:
            raise DtypeError(
                "there is nothing to differentiate: the program has no float input",
                mend=_why(values),
                span=session.program.last_span,
            )
    else:
        names = chosen
        for name in names:
            _expect_float_input(session, name, values)
    return Target(session, names, values)


def _is_float(value: Any) -> bool:
    return value is not None and np.asarray(value).dtype.kind in "fc"


def _why(values: Mapping[str, Any]) -> str:
    others = [f"{name} is {np.asarray(value).dtype}" for name, value in values.items()]
    return ", ".join(others[:6]) if others else "a name that it reads before it assigns it is an input"


def _expect_float_input(session: Session, name: str, values: Mapping[str, Any]) -> None:
    if name not in session.inputs:
        raise _no_input(session, name)
    if not _is_float(values[name]):
        dtype = np.asarray(values[name]).dtype
        place = session.invocation.given["wrt"][0].place
        raise UsageError(f"--wrt: {name!r} is {dtype}, and integers and bools carry no gradient", place=place)


def expect_wrt_in_program(session: Session) -> None:
    """Refuse a `--wrt` of a name that is no input whatever is given.

    Raises:
        UsageError: there is one.
    """
    for name in session.invocation.values.get("wrt") or ():
        if not session.program.accepts(name, session.options.of):
            raise _no_input(session, name)


def _no_input(session: Session, name: str) -> UsageError:
    guess = nearest(name, session.inputs)
    inputs = ", ".join(session.inputs) or "none"
    return UsageError(
        f"--wrt: {name!r} is no input of the program",
        place=session.invocation.given["wrt"][0].place,
        mend=f"did you mean {guess!r}?" if guess else f"its inputs: {inputs}",
    )


def read_text(session: Session, text: str, name: str, word: Word) -> Array:
    """A VALUE that is no input's, such as that of `-v`, as an array; `word` is where it stands. It is read once."""
    key = (name, text)
    if key not in session.texts:
        with blamed_on(word, session.invocation.words):
            value = read_value(text, name, options=session.options, stdin=session.standard_input)
        array = np.asarray(value)
        if array.dtype.kind not in "biufc":
            raise GradcliError(f"{name} is no array of numbers")
        session.texts[key] = array
    return session.texts[key]
