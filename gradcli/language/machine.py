"""The machine that a program runs on: its tables of what to do with each kind of node, its limits, and its calls."""

from __future__ import annotations

import ast
import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gradcli.graph.errors import GradcliError, LimitReached
from gradcli.graph.state import state
from gradcli.language.arguments import bound
from gradcli.language.frames import Frame
from gradcli.language.operations import truth
from gradcli.language.scope import Scopes
from gradcli.language.source import Spans
from gradcli.language.transforms import check_depth
from gradcli.language.values import Arguments, FunctionValue, Keywords, LanguageValue, UserFunction, describe

if TYPE_CHECKING:
    from gradcli.language.options import RunOptions

#: What a statement tells the block around it: nothing, BREAK, CONTINUE, or a 1-tuple of the value returned.
Signal = Any
BREAK = object()
CONTINUE = object()


class Machine:
    """One run of a program; the methods for the kinds of nodes are in the classes built on this one.

    Attributes:
        options: limits, and where prints go.
        top: the program's own variables.
        result: the value of the last expression statement that was not None.
        shown: the expression that gave it.
        displayed: the expression statements whose values are printed.
        assigned: the names last assigned at top level.
        expressions: per kind of expression, the method that gives its value.
        statements: per kind of statement, the method that executes it.
    """

    _newest: weakref.ref[Machine] | None = None

    def __init__(self, scopes: Scopes, spans: Spans, options: RunOptions) -> None:
        Machine._newest = weakref.ref(self)
        self.scopes = scopes
        self.spans = spans
        self.options = options
        self.top = Frame(frozenset(), None)
        self.result: LanguageValue = None
        self.shown: ast.expr | None = None
        self.assigned: tuple[str, ...] = ()
        self.displayed: frozenset[ast.stmt] = frozenset()
        self.steps = 0
        self._most_steps = options.max_steps
        self.depth = 0
        self.derivatives = 0
        self.expressions: dict[type[ast.expr], Callable[[Any, Frame], LanguageValue]] = {}
        self.statements: dict[type[ast.stmt], Callable[[Any, Frame], Signal]] = {}

    @classmethod
    def newest(cls) -> Machine | None:
        """The run begun last, if it still is."""
        return None if cls._newest is None else cls._newest()

    def block(self, body: list[ast.stmt], frame: Frame) -> Signal:
        """Execute statements until one of them breaks, continues or returns."""
        statements = self.statements
        for node in body:
            self.steps += 1
            if self.steps > self._most_steps:
                self._out_of_steps(node)
            signal = statements[type(node)](node, frame)
            if signal is not None:
                return signal
        return None

    def evaluate(self, node: ast.expr, frame: Frame) -> LanguageValue:
        """The value of an expression."""
        return self.expressions[type(node)](node, frame)

    def count_step(self) -> None:
        """Count an iteration or a call.

        Raises:
            LimitReached: it is one too many.
        """
        self.steps += 1
        if self.steps > self._most_steps:
            self._out_of_steps(None)

    def _out_of_steps(self, node: ast.stmt | None) -> None:
        raise LimitReached(
            "--max-steps",
            f"the program ran {self.options.max_steps:,} steps and is not done",
            span=self.spans[node] if node is not None else None,
        )

    def call(self, function: LanguageValue, args: Arguments, kwargs: Keywords | None = None) -> LanguageValue:
        """Call a function of any kind.

        Raises:
            GradcliError: it is none, or the call fails.
        """
        if not isinstance(function, FunctionValue):
            raise GradcliError(f"{describe(function)} cannot be called")
        return function.invoke(self, args, kwargs or {})

    def apply(self, function: UserFunction, args: Arguments, kwargs: Keywords) -> LanguageValue:
        """Call one of the program's own functions.

        Raises:
            LimitReached: calls nest too deeply.
        """
        return self.enter(function, bound(function, args, kwargs))

    def enter(self, function: UserFunction, variables: dict[str, LanguageValue]) -> LanguageValue:
        """Run a function's body with its parameters bound.

        Raises:
            LimitReached: calls nest too deeply.
        """
        node = function.node
        frame = Frame(self.scopes.own[node], function.frame)
        frame.values = variables
        self.count_step()
        self.depth += 1
        try:
            if self.depth > self.options.max_depth:
                raise LimitReached("--max-depth", f"calls nest more than {self.options.max_depth:,} deep")
            if type(node) is ast.Lambda:
                body = node.body
                return self.expressions[type(body)](body, frame)
            assert isinstance(node, ast.FunctionDef)
            signal = self.block(node.body, frame)
            return signal[0] if signal is not None else None
        finally:
            self.depth -= 1

    def reenter(self, function: FunctionValue, args: Arguments, kwargs: Keywords) -> LanguageValue:
        """Call a function from inside a derivative.

        Raises:
            LimitReached: derivatives nest too deeply.
        """
        self.derivatives += 1
        try:
            check_depth(self.derivatives)
            return function.invoke(self, args, kwargs)
        finally:
            self.derivatives -= 1

    def holds(self, node: ast.expr, frame: Frame) -> bool:
        """Whether a condition is true.

        Raises:
            GradcliError: it is a tensor of several elements.
        """
        value = self.expressions[type(node)](node, frame)
        if value is True or value is False:
            return value
        state.span = self.spans[node]
        return truth(value)
