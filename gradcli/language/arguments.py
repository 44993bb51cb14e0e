"""Arguments of built-in functions, and of the program's own, matched to parameters."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from typing import Any

from gradcli.graph.errors import ArgumentError
from gradcli.language.values import Arguments, Keywords, LanguageValue, UserFunction


def matched(
    name: str, args: Arguments, kwargs: Keywords, parameters: Sequence[str], required: int = 0
) -> dict[str, Any]:
    """Arguments by parameter name; those left out are left out.

    Raises:
        ArgumentError: too many, too few, twice, or unknown ones.
    """
    if len(args) > len(parameters):
        raise ArgumentError(f"{name}() takes {_count(len(parameters))} but {len(args)} were given")
    found = dict(zip(parameters, args, strict=False))
    for key, value in kwargs.items():
        if key not in parameters:
            takes = f"it takes {', '.join(parameters)}" if parameters else "it takes none"
            raise ArgumentError(f"{name}() has no argument '{key}'", mend=takes)
        if key in found:
            raise ArgumentError(f"{name}() got '{key}' twice")
        found[key] = value
    for parameter in parameters[:required]:
        if parameter not in found:
            raise ArgumentError(f"{name}() needs its argument '{parameter}'")
    return found


def bound(function: UserFunction, args: Arguments, kwargs: Keywords) -> dict[str, LanguageValue]:
    """The variables with which a call of the program's own function begins.

    Raises:
        ArgumentError: the arguments do not fit the parameters.
    """
    spec = function.node.args
    if len(args) == len(spec.args) and not (kwargs or spec.vararg or spec.posonlyargs or spec.kwonlyargs):
        return {parameter.arg: value for parameter, value in zip(spec.args, args, strict=True)}
    return _bound_slowly(function, spec, args, kwargs)


def _bound_slowly(
    function: UserFunction, spec: ast.arguments, args: Arguments, kwargs: Keywords
) -> dict[str, LanguageValue]:
    name = function.name
    positional = [p.arg for p in spec.posonlyargs + spec.args]
    found = dict(zip(positional, args, strict=False))
    if spec.vararg is not None:
        found[spec.vararg.arg] = tuple(args[len(positional) :])
    elif len(args) > len(positional):
        raise ArgumentError(f"{name}() takes {_count(len(positional))} but {len(args)} were given")
    by_name = [p.arg for p in spec.args + spec.kwonlyargs]
    for key, value in kwargs.items():
        if key not in by_name:
            raise ArgumentError(f"{name}() has no argument '{key}'", mend=f"it takes {', '.join(by_name) or 'none'}")
        if key in found:
            raise ArgumentError(f"{name}() got '{key}' twice")
        found[key] = value
    for parameter in positional + [p.arg for p in spec.kwonlyargs]:
        if parameter not in found:
            if parameter not in function.defaults:
                raise ArgumentError(f"{name}() needs its argument '{parameter}'")
            found[parameter] = function.defaults[parameter]
    return found


def _count(n: int) -> str:
    return "1 argument" if n == 1 else f"{n} arguments" if n else "no arguments"
