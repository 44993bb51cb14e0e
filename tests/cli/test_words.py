"""The word parser: what is an option, what is the program, what is a value, and what is a mistake."""

from __future__ import annotations

import shlex

import pytest

from gradcli.cli.options import COMMANDS
from gradcli.cli.words import Invocation, Request, UsageError, parse


def understood(line: str) -> Invocation:
    found = parse(shlex.split(line))
    assert isinstance(found, Invocation)
    return found


def refused(line: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        parse(shlex.split(line))
    return caught.value


@pytest.mark.parametrize(
    "program",
    ["-x**2", "-exp(-x)", "-x", "-1", "--2*x", "-", "x==1", "y = x", "-x --y", "--", "-ex", "-vx", "-h"],
)
def test_the_first_word_that_is_no_option_is_the_program(program: str) -> None:
    words = ["eval", "--", program] if program == "--" else ["eval", program]
    found = parse([*words, "x=3"])
    assert isinstance(found, Invocation)
    assert found.program is not None
    assert found.program.text == program
    assert [(a.name, a.text) for a in found.assignments] == [("x", "3")]


@pytest.mark.parametrize("value", ["-1,2", "-1", "--2", "-x", "@-", "", "x=1", "-ones(2)"])
def test_the_word_after_a_short_option_is_its_value(value: str) -> None:
    found = parse(["vjp", "x", "-v", value])
    assert isinstance(found, Invocation)
    assert found.values["vector"] == [value]


def test_options_stand_anywhere() -> None:
    for line in ("grad --wrt x x*y x=1 y=2", "grad x*y --wrt x x=1 y=2", "grad x*y x=1 y=2 --wrt=x"):
        found = understood(line)
        assert found.program is not None
        assert (found.program.text, found.values["wrt"]) == ("x*y", ("x",))
        assert [a.name for a in found.assignments] == ["x", "y"]


def test_lists_and_flags() -> None:
    found = understood("check x --against x=1 --against=y=-2 --quiet --rtol 1e-6")
    assert found.values["against"] == ["x=1", "y=-2"]
    assert found.values["quiet"] is True
    assert found.values["rtol"] == 1e-6


def test_texts_of_e_leave_only_values() -> None:
    found = understood("eval -e 'y = 2*x' z=1 -e 'y**2 + z' x=3")
    assert found.program is None
    assert found.values["expression"] == ["y = 2*x", "y**2 + z"]
    assert [a.name for a in found.assignments] == ["z", "x"]


def test_double_dash_ends_the_options() -> None:
    found = understood("eval --format json -- --x x=3")
    assert found.program is not None
    assert found.program.text == "--x"


def test_names_are_normalised() -> None:
    found = parse(["grad", "x", "ﬁ=1", " y =2", "--wrt", "ﬁ,y"])
    assert isinstance(found, Invocation)
    assert [a.name for a in found.assignments] == ["fi", "y"]
    assert found.values["wrt"] == ("fi", "y")


@pytest.mark.parametrize(
    ("line", "size"),
    [
        ("1000", 1000),
        ("500M", 500 << 20),
        ("2G", 2 << 30),
        ("4 GiB", 4 << 30),
        ("1.5k", 1536),
        ("2gb", 2 << 30),
    ],
)
def test_sizes(line: str, size: int) -> None:
    assert understood(f"eval x --max-bytes '{line}'").values["max_bytes"] == size


def test_counts() -> None:
    found = understood("eval x --max-steps 1e7 --max-depth 1_000 --max-seconds 0.5 --seed 7")
    values = found.values
    assert [values[key] for key in ("max_steps", "max_depth", "max_seconds", "seed")] == [10**7, 1000, 0.5, 7]


@pytest.mark.parametrize(
    ("line", "message", "mend", "place"),
    [
        ("eval x --fromat json", "unknown option '--fromat'", "did you mean '--format'?", 3),
        ("eval x --fromat=json", "unknown option '--fromat'", "did you mean '--format'?", 3),
        ("eval --x x=3", "unknown option '--x'", "a program that begins like this comes after `--` or -e", 2),
        ("grad x --rtol 3", "grad has no option '--rtol'", "it belongs to check", 3),
        ("grad x -v 1", "grad has no option '-v'", "it belongs to vjp, jvp, hvp", 3),
        ("eval x --every f.csv", "unknown option '--every'", None, 3),
        ("evla x", "unknown command 'evla'", "did you mean 'eval'?", 1),
        ("x**2 x=3", "unknown command 'x**2'", None, 1),
        ("frobnicate f.py", "unknown command 'frobnicate'", None, 1),
        ("--seed 3", "unknown option '--seed'", "options stand after the command", 1),
        ("eval", "the PROGRAM is missing", None, None),
        ("eval x 3", "expected NAME=VALUE, found '3'", None, 3),
        ("eval x x==3", "expected NAME=VALUE, found 'x==3'", None, 3),
        ("eval x 1x=3", "expected NAME=VALUE, found '1x=3'", None, 3),
        ("eval x x=1 x=2", "'x' is given twice", "give it once", 4),
        ("eval x ﬁ=1 fi=2", "'fi' is given twice", "give it once", 4),
        ("eval x --seed 1 --seed 1", "--seed is given twice", "give it once", 5),
        ("check x --quiet --quiet", "--quiet is given twice", "give it once", 4),
        ("check x --quiet=yes", "--quiet takes no value", None, 3),
        ("grad x --wrt", "--wrt needs a value", "write --wrt NAMES", 3),
        ("grad x --wrt --format json", "--wrt needs a value", "write --wrt NAMES", 3),
        ("vjp x -v -- 1", "-v needs a value", "write -v V", 3),
        ("vjp x -v1", "expected NAME=VALUE, found '-v1'", "-v takes its value as the next word", 3),
        ("grad x --wrt x,,y", "'' is not a name", "names with commas between: x,y", 4),
        ("grad x --wrt x,x", "'x' is given twice", None, 4),
        ("eval x --format xml", "--format takes text, json, npy, npz or csv, not 'xml'", None, 4),
        (
            "eval x --format=jsn",
            "--format takes text, json, npy, npz or csv, not 'jsn'",
            "did you mean 'json'?",
            3,
        ),
        ("eval x --max-bytes lots", "'lots' is not a size such as 500M, 2G or 1000000", None, 4),
        ("eval x --max-bytes nan", "'nan' is not a size such as 500M, 2G or 1000000", None, 4),
        ("eval x --max-seconds 0", "'0' is not a finite number above 0", None, 4),
        ("eval x --max-seconds inf", "'inf' is not a finite number above 0", None, 4),
        ("eval x --max-depth 1e9", "'1e9' is not a whole number from 1 to 20,000", None, 4),
        ("eval x --max-steps 1.5", "'1.5' is not a whole number from 1 on", None, 4),
        ("eval x --max-steps 1e400", "'1e400' is not a whole number from 1 on", None, 4),
        ("eval x --seed -1", None, None, 4),
    ],
)
def test_mistakes(line: str, message: str | None, mend: str | None, place: int | None) -> None:
    error = refused(line)
    assert error.place == place
    if message is not None:
        assert error.message == message
    if mend is not None:
        assert error.mend == mend


def test_requests() -> None:
    assert parse([]) == Request("help")
    assert parse(["--help"]) == Request("help")
    assert parse(["--version"]) == Request("version")
    assert parse(["grad", "x", "--help"]) == Request("help", "grad")
    assert parse(["--install-completion"]) == Request("install-completion")


def test_the_table_is_consistent() -> None:
    for command in COMMANDS:
        words = [word for option in command.options for word in option.words]
        assert len(words) == len(set(words)), command.name
        for option in command.options:
            assert option.words[0].startswith("--")
            assert all(len(word) == 2 for word in option.words[1:])
            assert option.help.endswith(".")
        limits = {"max_bytes", "max_steps", "max_depth", "max_seconds"}
        assert limits <= {option.name for option in command.options}
