"""Statements, and with them the whole interpreter: a walk over the syntax tree, one method per kind of node.

A node's method is found by its type in a table that is built once. Methods call each other directly, Python to Python,
so that the recursion of a program costs heap and no C stack; nothing here calls back through C (`map`, a sort's key, a
generator). Derivatives do, and are counted apart (`transforms.DEEPEST`).
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from gradcli.graph.state import state
from gradcli.language import attributes, names, subscripts
from gradcli.language.calls import Calls
from gradcli.language.diagnostics import ProgramError
from gradcli.language.formatting import displayed, text_of
from gradcli.language.frames import Frame
from gradcli.language.machine import BREAK, CONTINUE, Signal
from gradcli.language.modes import switched
from gradcli.language.operations import augmented, iterate
from gradcli.language.scope import Scopes
from gradcli.language.source import Spans
from gradcli.language.targets import names_of
from gradcli.language.values import FunctionValue, GradSwitch, LanguageValue, ModuleValue, UserFunction

if TYPE_CHECKING:
    from gradcli.language.options import RunOptions


class Interpreter(Calls):
    """One run of a program."""

    def __init__(self, scopes: Scopes, spans: Spans, options: RunOptions) -> None:
        super().__init__(scopes, spans, options)
        self.statements |= {
            ast.AnnAssign: self._ann_assign,
            ast.Assert: self._assert,
            ast.Assign: self._assign,
            ast.AugAssign: self._aug_assign,
            ast.Break: lambda node, frame: BREAK,
            ast.Continue: lambda node, frame: CONTINUE,
            ast.Expr: self._expression_statement,
            ast.For: self._for,
            ast.FunctionDef: self._function_def,
            ast.If: self._if,
            ast.Import: self._import,
            ast.ImportFrom: self._import_from,
            ast.Pass: lambda node, frame: None,
            ast.Return: self._return,
            ast.While: self._while,
            ast.With: self._with,
        }

    # --- assignments --------------------------------------------------------------------------------------------------

    def _expression_statement(self, node: ast.Expr, frame: Frame) -> Signal:
        inner = node.value
        if node in self.displayed:
            self._display(node, frame)
            return None
        if type(inner) is ast.Constant and (type(inner.value) is str or inner.value is Ellipsis):
            return None
        value = self.expressions[type(inner)](inner, frame)
        if value is not None and frame is self.top:
            self.result, self.shown = value, inner

    def _display(self, node: ast.Expr, frame: Frame) -> None:
        """The last expression of a notebook's cell: its value is shown."""
        value = self.evaluate(node.value, frame)
        if value is not None:
            self.result, self.shown = value, node.value
            self.options.print_to(displayed(value) + "\n")

    def _assign(self, node: ast.Assign, frame: Frame) -> Signal:
        value = self.expressions[type(node.value)](node.value, frame)
        for target in node.targets:
            if type(target) is ast.Name:
                frame.values[target.id] = value
                if frame is self.top:
                    self.assigned = (target.id,)
                continue
            self.bind(target, value, frame)
            if frame is self.top:
                self.assigned = names_of(target) or self.assigned

    def _ann_assign(self, node: ast.AnnAssign, frame: Frame) -> Signal:
        assert isinstance(node.target, ast.Name)
        if node.value is None or (frame is self.top and node.target.id in self.scopes.declared):
            return None
        frame.values[node.target.id] = self.evaluate(node.value, frame)
        if frame is self.top:
            self.assigned = (node.target.id,)

    def _aug_assign(self, node: ast.AugAssign, frame: Frame) -> Signal:
        target = node.target
        kind = type(node.op)
        if frame is self.top:
            self.assigned = names_of(target) or self.assigned
        if type(target) is ast.Name:
            name = target.id
            old = self.name(target, frame)
            value = self.expressions[type(node.value)](node.value, frame)
            state.span = self.spans[node]
            frame.values[name] = augmented(kind, old, value)
        elif type(target) is ast.Subscript:
            holder = self.evaluate(target.value, frame)
            index = self.evaluate(target.slice, frame)
            value = self.evaluate(node.value, frame)
            state.span = self.spans[node]
            subscripts.write(holder, index, augmented(kind, subscripts.read(holder, index), value))
        else:
            assert isinstance(target, ast.Attribute)
            holder = self.evaluate(target.value, frame)
            value = self.evaluate(node.value, frame)
            state.span = span = self.spans[node]
            changed = augmented(kind, attributes.read(holder, target.attr, span), value)
            attributes.assign(holder, target.attr, changed)

    # --- control flow -------------------------------------------------------------------------------------------------

    def _if(self, node: ast.If, frame: Frame) -> Signal:
        while True:
            if self.holds(node.test, frame):
                return self.block(node.body, frame)
            rest = node.orelse
            if len(rest) == 1 and type(rest[0]) is ast.If:
                node = rest[0]
                continue
            return self.block(rest, frame)

    def _while(self, node: ast.While, frame: Frame) -> Signal:
        while self.holds(node.test, frame):
            self.count_step()
            signal = self.block(node.body, frame)
            if signal is not None and signal is not CONTINUE:
                return None if signal is BREAK else signal
        return self.block(node.orelse, frame)

    def _for(self, node: ast.For, frame: Frame) -> Signal:
        source = self.expressions[type(node.iter)](node.iter, frame)
        state.span = self.spans[node.iter]
        target, body = node.target, node.body
        simple = target.id if type(target) is ast.Name else None
        for item in iterate(source):
            self.count_step()
            if simple is not None:
                frame.values[simple] = item
            else:
                self.bind(target, item, frame)
            signal = self.block(body, frame)
            if signal is not None and signal is not CONTINUE:
                return None if signal is BREAK else signal
        return self.block(node.orelse, frame)

    def _return(self, node: ast.Return, frame: Frame) -> Signal:
        if node.value is None:
            return (None,)
        return (self.expressions[type(node.value)](node.value, frame),)

    def _function_def(self, node: ast.FunctionDef, frame: Frame) -> Signal:
        decorators = [self.decorator(place, frame) for place in node.decorator_list]
        function: LanguageValue = UserFunction(node.name, node, frame, self.defaults(node.args, frame))
        for decorator, place in zip(reversed(decorators), reversed(node.decorator_list), strict=True):
            state.span = self.spans[place]
            function = decorator.invoke(self, [function], {})
        frame.values[node.name] = function

    def _with(self, node: ast.With, frame: Frame) -> Signal:
        return self._with_items(node, 0, frame)

    def _with_items(self, node: ast.With, first: int, frame: Frame) -> Signal:
        if first == len(node.items):
            return self.block(node.body, frame)
        inner = node.items[first].context_expr
        switch = self.evaluate(inner, frame)
        if not isinstance(switch, GradSwitch):
            raise ProgramError(
                "'with' takes no_grad() or enable_grad()",
                mend="call it: no_grad()" if isinstance(switch, FunctionValue) else None,
                span=self.spans[inner],
            )
        with switched(switch):
            return self._with_items(node, first + 1, frame)

    def _assert(self, node: ast.Assert, frame: Frame) -> Signal:
        if self.holds(node.test, frame):
            return None
        words = text_of(self.evaluate(node.msg, frame)) if node.msg is not None else ""
        message = "assertion failed" + (": " + words.replace("\n", " ") if words else "")
        raise ProgramError(message, span=self.spans[node.test])

    # --- imports ------------------------------------------------------------------------------------------------------

    def _import(self, node: ast.Import, frame: Frame) -> Signal:
        for alias in node.names:
            module = names.imported(alias.name, self.spans[alias])
            if alias.asname is None:
                module = ModuleValue(alias.name.split(".")[0])
            frame.values[alias.asname or module.path] = module

    def _import_from(self, node: ast.ImportFrom, frame: Frame) -> Signal:
        path = names.imported(node.module or "", self.spans[node]).path
        for alias in node.names:
            if alias.name != "*":
                frame.values[alias.asname or alias.name] = names.known_member(path, alias.name, self.spans[alias])
