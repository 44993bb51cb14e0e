"""Help and completion: made by typer of the same table that the word parser reads."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gradcli.cli.options import COMMANDS, EXIT_CODES, Command


@pytest.fixture(autouse=True)
def eighty_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def words_of(text: str) -> str:
    """Text without boxes and line breaks, for looking up phrases that were wrapped."""
    return " ".join(text.replace("│", " ").split())


def test_the_main_help_lists_every_command(gradcli: Callable) -> None:
    code, out, err = gradcli("--help")
    assert (code, err) == (0, "")
    assert (out, 0) == (gradcli().out, gradcli("-h").code)
    assert max(map(len, out.split("\n"))) <= 80
    for command in COMMANDS:
        assert f"│ {command.name:<8}  {command.summary}" in out
    assert "[[1,2],[3,4]]" in out
    assert "$ gradcli grad 'sum(x**2)' x=1,2,3" in out


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_commands_help_says_it_all(gradcli: Callable, command: Command) -> None:
    code, out, err = gradcli(command.name, "--help")
    assert (code, err) == (0, "")
    assert max(map(len, out.split("\n"))) <= 80
    plain = words_of(out)
    assert words_of(command.detail) in plain
    for line, answer in command.example:
        assert f"$ {line}" in out
        assert words_of(answer) in plain
    for option in command.options:
        assert all(f" {word} " in plain for word in option.words)
        if option.name != "help":
            assert words_of(option.help.split(" (")[0]) in plain
    for default in ("(default: 4G)", "(default: 100,000,000)", "(default: 1,000)", "(default: 300)"):
        assert default in plain
    for number, meaning in EXIT_CODES:
        assert f"{number:>5}  {meaning}" in out


def test_the_defaults_that_help_states_are_the_defaults() -> None:
    values = COMMANDS[0].defaults()
    assert [values[name] for name in ("max_bytes", "max_steps", "max_depth", "max_seconds")] == [
        4 << 30,
        100_000_000,
        1_000,
        300.0,
    ]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("gradcli gr", ["grad", "graph"]),
        ("gradcli grad --wr", ["--wrt"]),
        ("gradcli check --method n", ["numeric"]),
        ("gradcli eval --format n", ["npy", "npz"]),
    ],
)
def test_the_shell_completes(shell: Callable, line: str, found: list[str]) -> None:
    place = str(len(line.split()) - 1)
    done = shell(_GRADCLI_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=place)
    assert (done.code, done.err) == (0, "")
    assert done.out.split() == found


def test_the_completion_script_calls_this_program(shell: Callable) -> None:
    marks = {"bash": "complete -o default -F", "zsh": "#compdef gradcli", "fish": "complete --command gradcli"}
    for name, mark in marks.items():
        done = shell("--show-completion", name)
        assert (done.code, done.err) == (0, "")
        assert mark in done.out
        assert f"_GRADCLI_COMPLETE=complete_{name}" in done.out


def test_completion_of_another_shell_is_refused(shell: Callable) -> None:
    done = shell("--show-completion", "fsh")
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        "error: completion is for bash, zsh, fish, powershell, pwsh, not 'fsh'\n"
        "  --> <command line>:1:27\n  |\n1 | gradcli --show-completion fsh\n"
        "  |                           ^^^ did you mean 'fish'?\n"
    )
