"""The function that a program ends with, or that `--of` asks for, applied to the inputs of its parameters' names."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from itertools import takewhile
from typing import TYPE_CHECKING

from gradcli.language.values import FunctionValue, LanguageValue, UserFunction

if TYPE_CHECKING:
    from gradcli.language.machine import Machine
    from gradcli.language.scope import Parameters


def made_by(node: Parameters, value: LanguageValue) -> bool:
    """Whether a variable still holds what this `def` or lambda made: its function, or what decorators made of it."""
    if isinstance(value, UserFunction):
        return value.node is node
    return isinstance(value, FunctionValue) and isinstance(node, ast.FunctionDef) and bool(node.decorator_list)


def applied(
    run: Machine, function: LanguageValue, node: Parameters, arguments: Mapping[str, LanguageValue]
) -> LanguageValue:
    """What a function gives for arguments by name: one of the program's own, or what its decorators made of it."""
    spec = node.args
    if not isinstance(function, UserFunction) or function.node is not node:
        names = [parameter.arg for parameter in spec.posonlyargs + spec.args]
        given = [arguments[name] for name in takewhile(arguments.__contains__, names)]
        rest = {name: value for name, value in arguments.items() if name not in names[: len(given)]}
        return run.call(function, given, rest)
    variables = {**function.defaults, **arguments}
    if spec.vararg is not None:
        variables[spec.vararg.arg] = ()
    return run.enter(function, variables)
