"""The words of a command line, parsed by rules under which a program may begin with a minus sign.

A word is an option only if it equals a declared one or is `--long=value`; short options never carry an attached
value; any other `--letters` is a mistake; `--` ends the options. Everything else belongs to the program.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from gradcli.cli.options import COMMANDS, SHELLS, TOP_LEVEL, Command, Option, command_named
from gradcli.cli.readers import normalise
from gradcli.graph.errors import GradcliError


class Word(NamedTuple):
    """One word and its place on the command line, where 0 is `gradcli` itself."""

    text: str
    place: int


class Assignment(NamedTuple):
    """One NAME=VALUE."""

    name: str
    text: str
    word: Word


class Request(NamedTuple):
    """What a command line that runs no program asks for: the version, help, or completion.

    Attributes:
        kind: `version`, `help`, `complete`, `show-completion` or `install-completion`.
        command: of which command the help is; empty for that of all.
        shell: for which shell the completion is; empty for the one that is running.
    """

    kind: str
    command: str = ""
    shell: str = ""


class Invocation(NamedTuple):
    """A command line that was understood.

    Attributes:
        command: what to do.
        values: the value of every option of the command.
        given: the words of the options that were given, by option name; their values where they have one.
        program: the word that names or is the program; None with `-e`, or where the command takes none.
        assignments: every NAME=VALUE, in order.
        operands: every word that is no option, for a command that takes no program.
        words: the whole command line.
    """

    command: Command
    values: dict[str, Any]
    given: dict[str, list[Word]]
    program: Word | None
    assignments: tuple[Assignment, ...]
    operands: tuple[Word, ...]
    words: tuple[str, ...]


class UsageError(GradcliError):
    """A command line that is not understood, and the word at fault (`place` counts as `Word.place` does)."""

    def __init__(self, message: str, *, place: int | None = None, mend: str | None = None) -> None:
        super().__init__(message, mend=mend)
        self.place = place


def parse(arguments: Sequence[str]) -> Invocation | Request:
    """Read the words after `gradcli`.

    Raises:
        UsageError: they are not understood.
    """
    if not arguments or arguments[0] in ("--help", "-h"):
        return Request("help")
    first = arguments[0]
    if first in TOP_LEVEL:
        kind = first.removeprefix("--")
        return Request(kind, shell=_shell(arguments[1]) if kind.endswith("completion") and arguments[1:] else "")
    command = command_named(first)
    if command is None:
        raise _no_command(first)
    return _Parser(command, arguments).parse()


def _shell(word: str) -> str:
    if word in SHELLS:
        return word
    guess = nearest(word, SHELLS)
    mend = f"did you mean {guess!r}?" if guess else None
    raise UsageError(f"completion is for {', '.join(SHELLS)}, not {word!r}", place=2, mend=mend)


class _Parser:
    """The words of one command, read from left to right."""

    def __init__(self, command: Command, arguments: Sequence[str]) -> None:
        self.command = command
        self.words = [Word(text, place) for place, text in enumerate(arguments, start=1)]
        self.values = command.defaults()
        self.given: dict[str, list[Word]] = {}
        self.operands: list[Word] = []
        self.next = 1

    def parse(self) -> Invocation | Request:
        while self.next < len(self.words):
            word = self.words[self.next]
            self.next += 1
            if word.text == "--":
                self.operands += self.words[self.next :]
                break
            if not self._option(word):
                self.operands.append(word)
        if "help" in self.given:
            return Request("help", self.command.name)
        return self._finish()

    def _option(self, word: Word) -> bool:
        """Take the word as an option, if it is one."""
        option = self.command.option(word.text)
        if option is not None:
            self._take(option, word, None)
            return True
        if not _looks_like_option(word.text):
            return False
        spelled, _, value = word.text.partition("=")
        option = self.command.option(spelled)
        if option is None:
            raise _no_option(self.command, spelled, word.place)
        if option.is_flag:
            raise UsageError(f"{spelled} takes no value", place=word.place)
        self._take(option, word, Word(value, word.place))
        return True

    def _take(self, option: Option, word: Word, value: Word | None) -> None:
        """Note one option, whose value is the next word unless it came with one."""
        if option.name in self.given and not option.many:
            raise UsageError(f"{option.words[0]} is given twice", place=word.place, mend="give it once")
        if option.is_flag:
            self.given.setdefault(option.name, []).append(word)
            self.values[option.name] = True
            return
        value = value or self._value(option, word)
        self.given.setdefault(option.name, []).append(value)
        if "help" in self.given:
            return
        try:
            read = option.read(value.text)
        except GradcliError as error:
            raise UsageError(error.message, place=value.place, mend=error.mend) from None
        if option.many:
            self.values[option.name].append(read)
        else:
            self.values[option.name] = read

    def _value(self, option: Option, word: Word) -> Word:
        """The next word, which is a value whatever it looks like, unless it equals a declared option."""
        follower = self.words[self.next] if self.next < len(self.words) else None
        if follower is None or follower.text == "--" or self.command.option(follower.text):
            raise UsageError(f"{word.text} needs a value", place=word.place, mend=f"write {word.text} {option.metavar}")
        self.next += 1
        return follower

    def _finish(self) -> Invocation:
        program, assignments = None, []
        if self.command.takes_program:
            rest = list(self.operands)
            if not self.values["expression"]:
                if not rest:
                    raise UsageError("the PROGRAM is missing", mend=f"for example: {self.command.example[0][0]}")
                program = rest.pop(0)
            assignments = [self._assignment(word) for word in rest]
            _refuse_doubles(assignments)
        return Invocation(
            self.command,
            self.values,
            self.given,
            program,
            tuple(assignments),
            tuple(self.operands),
            ("gradcli", *(word.text for word in self.words)),
        )

    def _assignment(self, word: Word) -> Assignment:
        left, equals, value = word.text.partition("=")
        name = normalise(left)
        if equals and name is not None and not value.startswith("="):
            return Assignment(name, value, word)
        if _belongs_to(word.text):
            raise _no_option(self.command, word.text, word.place)
        raise UsageError(f"expected NAME=VALUE, found {word.text!r}", place=word.place, mend=self._mend(word.text))

    def _mend(self, text: str) -> str:
        short = next((s for option in self.command.options for s in option.words[1:] if text.startswith(s)), None)
        if short is not None:
            return f"{short} takes its value as the next word"
        if self.values["expression"]:
            return "the program is what -e gave"
        return "the program is the first word; put it in quotes"


def _refuse_doubles(assignments: list[Assignment]) -> None:
    seen: set[str] = set()
    for assignment in assignments:
        if assignment.name in seen:
            raise UsageError(f"{assignment.name!r} is given twice", place=assignment.word.place, mend="give it once")
        seen.add(assignment.name)


def _looks_like_option(text: str) -> bool:
    """Whether a word is `--letters` or `--letters=value`, which no program is."""
    letters = text.partition("=")[0][2:]
    if not text.startswith("--") or not letters:
        return False
    return letters[0].isalpha() and letters.replace("-", "").replace("_", "").isalnum()


def _no_command(word: str) -> UsageError:
    guess = nearest(word, [command.name for command in COMMANDS] + list(TOP_LEVEL))
    if guess:
        return UsageError(f"unknown command {word!r}", place=1, mend=f"did you mean {guess!r}?")
    if _looks_like_option(word):
        return UsageError(f"unknown option {word!r}", place=1, mend="options stand after the command")
    everything = ", ".join(command.name for command in COMMANDS)
    return UsageError(f"unknown command {word!r}", place=1, mend=f"one of {everything}")


def _no_option(command: Command, word: str, place: int) -> UsageError:
    elsewhere = _belongs_to(word)
    if elsewhere:
        return UsageError(
            f"{command.name} has no option {word!r}",
            place=place,
            mend=f"it belongs to {', '.join(elsewhere)}",
        )
    known = [spelled for option in command.options for spelled in option.words]
    guess = nearest(word, known)
    if guess:
        return UsageError(f"unknown option {word!r}", place=place, mend=f"did you mean {guess!r}?")
    return UsageError(
        f"unknown option {word!r}", place=place, mend="a program that begins like this comes after `--` or -e"
    )


def _belongs_to(word: str) -> list[str]:
    """The commands that have an option spelled so."""
    return [command.name for command in COMMANDS if command.option(word)]


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that this one was probably meant to be, or None."""
    from difflib import get_close_matches

    found = get_close_matches(word[:200], list(known), n=1, cutoff=0.6)
    return found[0] if found else None
