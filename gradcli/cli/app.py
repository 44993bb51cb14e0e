"""Help and shell completion, by a typer app that is built from the table of options.

typer parses nothing else: its rules for words with a dash are not this language's (see `words`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import typer
from rich.markup import escape
from typer.main import get_command

from gradcli import __version__
from gradcli.cli.options import COMMANDS, EXIT_CODES, Command, Option, command_named
from gradcli.cli.supervisor import CLOSED_PIPE
from gradcli.cli.words import Request

SUMMARY = "A gradient calculator for the shell: evaluates, differentiates and proves an expression."
DETAIL = (
    "PROGRAM is an expression, a file (.grad, .py, .ipynb) or - for standard input; VALUE is an expression such as "
    "1.5, 1,2,3 or [[1,2],[3,4]], or @FILE (.npy, .npz, .json, .csv, .txt)."
)


def serve(request: Request, arguments: Sequence[str]) -> int:
    """Print the help that is asked for, or do what the shell's completion asks; returns the exit code."""
    if request.shell:
        return _complete(request)
    if request.kind == "help":
        words = [request.command, "--help"] if request.command else ["--help"]
    elif request.kind == "complete":
        words = []
    else:
        words = list(arguments)
    try:
        build()(args=words, prog_name="gradcli", standalone_mode=False)
    except typer.Exit as end:
        return int(end.exit_code)
    except SystemExit as end:
        if request.kind == "help":  # which is how rich takes a closed pipe
            return CLOSED_PIPE
        return end.code if isinstance(end.code, int) else 0
    if request.kind == "help":
        print(_epilog(request.command))
    return 0


def _complete(request: Request) -> int:
    """Show or install the completion of the shell that was named; typer's own options know the running one alone."""
    from typer._completion_shared import get_completion_script, install

    if request.kind == "show-completion":
        print(get_completion_script(prog_name="gradcli", complete_var="_GRADCLI_COMPLETE", shell=request.shell))
    else:
        _, path = install(shell=request.shell, prog_name="gradcli", complete_var="_GRADCLI_COMPLETE")
        print(f"completion for {request.shell} is installed in {path}")
    return 0


def build() -> Any:
    """The command tree, as typer's click objects."""
    app = typer.Typer(
        name="gradcli",
        help=f"{escape(SUMMARY)}\n\n{escape(DETAIL)}",
        rich_markup_mode="rich",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    app.callback()(_top)
    for command in COMMANDS:
        app.command(
            command.name,
            help=f"{escape(command.summary)}\n\n{escape(command.detail)}",
        )(_callback(command))
    return get_command(app)


def _top(
    version: bool = typer.Option(False, "--version", help="Show the version and exit."),
) -> None:
    if version:
        print(f"gradcli {__version__}")


def _epilog(name: str) -> str:
    """What stands below the help of a command: examples as a session, and the exit codes.

    typer has a place for it, but its versions differ in which line breaks they leave.
    """
    command = command_named(name or "grad")
    assert command is not None
    lines = [" Example:"]
    for line, answer in command.example:
        lines += [f"   $ {line}", *(f"   {row}" for row in answer.split("\n") if row)]
    lines += ["", " Exit codes:", *(f" {code:>5}  {meaning}" for code, meaning in EXIT_CODES)]
    return "\n".join(lines) + "\n"


def _callback(command: Command) -> Callable[..., None]:
    """A function whose signature tells typer the command's words."""

    def callback(**_: Any) -> None:
        return None

    parameters = _operands(command) + [_parameter(option) for option in command.options if option.name != "help"]
    callback.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    callback.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return callback


def _operands(command: Command) -> list[inspect.Parameter]:
    if not command.takes_program:
        name = typer.Argument(None, metavar="[NAME]", help="A function: all about it.", show_default=False)
        return [_named("name", str, name)]
    program = typer.Argument(
        None, metavar="PROGRAM", help="An expression, a file, or - for standard input.", show_default=False
    )
    values = typer.Argument(None, metavar="[NAME=VALUE]...", help="The values of its inputs.", show_default=False)
    return [_named("program", str, program), _named("assignments", list[str], values)]


def _parameter(option: Option) -> inspect.Parameter:
    words = sorted(option.words, key=len)
    shared: dict[str, Any] = {
        "help": escape(option.full_help),
        "rich_help_panel": option.panel,
        "show_default": False,
    }
    if option.is_flag:
        return _named(option.name, bool, typer.Option(False, *words, **shared))
    information = typer.Option(None, *words, metavar=option.metavar, autocompletion=_completer(option), **shared)
    return _named(option.name, list[str] if option.many else str, information)


def _completer(option: Option) -> Callable[[str], list[str]] | None:
    if not option.choices:
        return None

    def complete(incomplete: str) -> list[str]:
        return [choice for choice in option.choices if choice.startswith(incomplete)]

    return complete


def _named(name: str, annotation: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
