"""Calls, of the program's own functions, built-in ones and methods; lambdas and decorators."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from gradcli.graph.errors import GradcliError, LimitReached
from gradcli.graph.state import state
from gradcli.language import attributes, names
from gradcli.language.arguments import bound
from gradcli.language.diagnostics import ProgramError
from gradcli.language.expressions import Expressions
from gradcli.language.frames import Frame
from gradcli.language.modes import under_switch
from gradcli.language.scope import Scopes
from gradcli.language.source import Spans
from gradcli.language.values import (
    Arguments,
    FunctionValue,
    GradSwitch,
    Keywords,
    LanguageValue,
    ModuleValue,
    UserFunction,
    describe,
)

if TYPE_CHECKING:
    from gradcli.language.options import RunOptions

_MOST_NOTES = 3


class Calls(Expressions):
    """Calls, the lambdas that can be called, and decorators."""

    def __init__(self, scopes: Scopes, spans: Spans, options: RunOptions) -> None:
        super().__init__(scopes, spans, options)
        self.expressions |= {ast.Call: self._call, ast.Lambda: self._lambda}

    def _call(self, node: ast.Call, frame: Frame) -> LanguageValue:
        func = node.func
        if type(func) is ast.Name:
            function = self.callee(func, frame)
        elif type(func) is ast.Attribute:
            target = self.expressions[type(func.value)](func.value, frame)
            if type(target) is not ModuleValue:
                return self._method_call(node, func, target, frame)
            function = attributes.read(target, func.attr, self.spans[func])
        else:
            function = self.expressions[type(func)](func, frame)
        if type(function) is UserFunction:
            args, kwargs = self._arguments(node, frame)
            state.span = self.spans[node]
            variables = bound(function, args, kwargs)
            try:
                return self.enter(function, variables)
            except GradcliError as error:
                self._note_call(error, function, node)
                raise
        return self._builtin_call(node, func, function, frame)

    def _builtin_call(self, node: ast.Call, func: ast.expr, function: LanguageValue, frame: Frame) -> LanguageValue:
        if not isinstance(function, FunctionValue):
            raise self._not_a_function(func, function)
        if function.name in ("any", "all") and len(node.args) == 1 and type(node.args[0]) is ast.GeneratorExp:
            values = self.comprehension(node.args[0], frame, until=function.name == "any")
            args, kwargs = [values], self._keywords(node, frame)
        else:
            args, kwargs = self._arguments(node, frame)
        if args and type(node.args[0]) is ast.Name and names.takes_function(function.name):
            args[0] = self.callee(node.args[0], frame)
        state.span = self.spans[node]
        return function.invoke(self, args, kwargs)

    def _method_call(self, node: ast.Call, func: ast.Attribute, target: LanguageValue, frame: Frame) -> LanguageValue:
        args, kwargs = self._arguments(node, frame)
        state.span = self.spans[node]
        return attributes.call(self, target, func.attr, args, kwargs, self.spans[func])

    def _arguments(self, node: ast.Call, frame: Frame) -> tuple[Arguments, Keywords]:
        return self.elements(node.args, frame), self._keywords(node, frame)

    def _keywords(self, node: ast.Call, frame: Frame) -> Keywords:
        kwargs: Keywords = {}
        for keyword in node.keywords:
            assert keyword.arg is not None
            if keyword.arg in kwargs:
                raise ProgramError(f"'{keyword.arg}' is given twice", span=self.spans[keyword])
            kwargs[keyword.arg] = self.evaluate(keyword.value, frame)
        return kwargs

    def _not_a_function(self, func: ast.expr, value: LanguageValue) -> ProgramError:
        what = f"'{func.id}' is {describe(value)}, not a function" if isinstance(func, ast.Name) else None
        mend = "did you forget '*'?"
        if isinstance(value, ModuleValue):
            law = value.path.startswith("scipy.stats.")
            mend = "give the parameters to its functions, after x" if law else "call one of its functions"
        return ProgramError(what or f"{describe(value)} cannot be called", mend=mend, span=self.spans[func])

    def _note_call(self, error: GradcliError, function: UserFunction, node: ast.Call) -> None:
        """Say in an error that passes where the call was made; of many calls, the innermost."""
        if error.span is None:
            error.span = state.span
        if len(error.notes) < _MOST_NOTES and not isinstance(error, LimitReached):
            error.notes = (*error.notes, f"in {function.name}, called on line {node.lineno}")

    def _lambda(self, node: ast.Lambda, frame: Frame) -> LanguageValue:
        return UserFunction("<lambda>", node, frame, self.defaults(node.args, frame))

    def decorator(self, node: ast.expr, frame: Frame) -> FunctionValue:
        """What stands after `@`: a function, or a switch such as `no_grad()`, under which the function then runs."""
        value = self.callee(node, frame) if type(node) is ast.Name else self.evaluate(node, frame)
        if isinstance(value, GradSwitch):
            return under_switch(value)
        if not isinstance(value, FunctionValue):
            raise self._not_a_function(node, value)
        return value

    def defaults(self, args: ast.arguments, frame: Frame) -> dict[str, LanguageValue]:
        """The defaults of parameters, evaluated where the function is made."""
        positional = (args.posonlyargs + args.args)[-len(args.defaults) :] if args.defaults else []
        found = {
            parameter.arg: self.evaluate(default, frame)
            for parameter, default in zip(positional, args.defaults, strict=True)
        }
        for parameter, keyword in zip(args.kwonlyargs, args.kw_defaults, strict=True):
            if keyword is not None:
                found[parameter.arg] = self.evaluate(keyword, frame)
        return found
