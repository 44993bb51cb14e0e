"""Program: a parsed program, its inputs, and its run."""

from __future__ import annotations

import ast
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from gradcli.graph.errors import GradcliError, LimitReached
from gradcli.graph.state import state
from gradcli.graph.values import Array, CoreValue, concrete
from gradcli.language.application import applied, made_by
from gradcli.language.declarations import InputDecl
from gradcli.language.diagnostics import ProgramError, did_you_mean
from gradcli.language.inputs import Resolver, bound_dimensions, check_given, missing, missing_dimension
from gradcli.language.interpreter import Interpreter
from gradcli.language.members import check_members
from gradcli.language.options import RunOptions
from gradcli.language.results import Result
from gradcli.language.scope import Scopes
from gradcli.language.source import Source, Span, Spans
from gradcli.language.syntax import deep_recursion, parse, uncollected
from gradcli.language.values import LanguageValue, language
from gradcli.tensor import Tensor
from gradcli.tensor.printing import options as print_options

_DEFAULTS = RunOptions()


class Program:
    """A parsed program.

    Attributes:
        source: its text.
        imports_torch: whether it imports torch, and so follows PyTorch's defaults.
    """

    __slots__ = ("_scopes", "_spans", "_tree", "imports_torch", "source")

    def __init__(self, source: Source, tree: ast.Module, scopes: Scopes) -> None:
        self.source = source
        self.imports_torch = scopes.imports_torch
        self._tree = tree
        self._scopes = scopes
        self._spans = scopes.spans

    @classmethod
    def parse(cls, source: Source) -> Program:
        """Read a program.

        Raises:
            GradcliError: it is none of the language; its span says where.
        """
        with uncollected():
            tree = parse(source)
            with deep_recursion():
                try:
                    scopes = Scopes(tree, Spans(source))
                    scopes.check_calls()
                    check_members(scopes)
                except MemoryError:
                    raise _out_of_memory() from None
        return cls(source, tree, scopes)

    # --- what it reads ------------------------------------------------------------------------------------------------

    @property
    def inputs(self) -> dict[str, InputDecl]:
        """The inputs in order of first appearance, as long as the user binds no built-in name."""
        return self._scopes.inputs()

    def inputs_given(self, names: Iterable[str], of: str | None = None) -> dict[str, InputDecl]:
        """The inputs in order of first appearance, where the user gives values for `names` (so that `e` or `gamma` may
        be among them) and asks for the output `of`."""
        return self._scopes.inputs(names, of)

    def accepts(self, name: str, of: str | None = None) -> bool:
        """Whether a value can be given for a name: it is an input, a dimension, or a built-in that may be rebound."""
        return name in self._scopes.dimensions or name in self._scopes.inputs((name,), of)

    @property
    def dimension_names(self) -> tuple[str, ...]:
        """The names in the declarations' shapes, in order."""
        return tuple(self._scopes.dimensions)

    @property
    def is_expression(self) -> bool:
        """Whether it is one expression and nothing else."""
        return len(self._tree.body) == 1 and isinstance(self._tree.body[0], ast.Expr)

    def mentions(self, name: str) -> bool:
        """Whether a name stands anywhere in the program."""
        return name in self._scopes.mentioned or name in self._scopes.dimensions

    def words(self) -> set[str]:
        """All names that stand in it: of variables, attributes, keywords, and what imports name."""
        found: set[str] = set()
        for node in ast.walk(self._tree):
            for part in (getattr(node, field, None) for field in ("id", "attr", "arg", "module", "name")):
                if isinstance(part, str):
                    found.update(part.split("."))
        return found

    def options(self, options: RunOptions) -> RunOptions:
        """The options with the program's default dtype filled in; read VALUEs with these."""
        return options._replace(dtype=options.dtype or ("float32" if self.imports_torch else "float64"))

    # --- values for it ------------------------------------------------------------------------------------------------

    def resolve(self, given: Mapping[str, Any], *, options: RunOptions = _DEFAULTS) -> dict[str, Array]:
        """Values of all inputs, in order: those given, converted and checked, and defaults.

        Args:
            given: arrays or Python numbers by name; Python's become floats of the default dtype, arrays keep theirs.
            options: dtype, seed and `of`.

        Raises:
            GradcliError: one is missing, unknown, or not as declared.
        """
        scopes = self._scopes
        inputs = scopes.inputs(given, options.of)
        check_given(scopes, given, inputs)
        with self._running(options):
            resolver = Resolver(scopes, inputs, state.default_float, self._evaluate_default(options))
            parameters = {n: d for n, d in scopes.parameters(options.of).items() if n not in scopes.declared}
            return resolver.resolve(given, parameters)

    def _evaluate_default(self, options: RunOptions) -> Callable[[ast.expr, Mapping[str, Any], Mapping[str, int]], Any]:
        def evaluate(node: ast.expr, values: Mapping[str, Any], sizes: Mapping[str, int]) -> Any:
            run = Interpreter(self._scopes, self._spans, options)
            for statement in self._tree.body:
                if isinstance(statement, ast.Import | ast.ImportFrom):
                    run.block([statement], run.top)
            run.top.values.update(sizes)
            run.top.values.update({name: Tensor(value) for name, value in values.items()})
            state.seed = [options.seed, *ast.unparse(node).encode()[:64]]
            state.generator = None
            value = run.evaluate(node, run.top)
            if isinstance(value, Tensor):
                return concrete(value.value)
            return np.asarray(value) if isinstance(value, list | tuple) and _is_int_list(value) else value

        return evaluate

    # --- running it ---------------------------------------------------------------------------------------------------

    def run(self, values: Mapping[str, CoreValue], *, options: RunOptions = _DEFAULTS) -> Result:
        """Run the program on values of its inputs, as `resolve` gives them (traced ones too).

        Raises:
            GradcliError: the program, or a limit, ended the run; the span says where.
        """
        with self._running(options):
            run = Interpreter(self._scopes, self._spans, options)
            if options.display:
                run.displayed = frozenset(self._last_expressions())
            arguments = self._bind_inputs(run, values, options)
            run.block(self._tree.body, run.top)
            result = self._result(run, arguments, options.of)
            result.variables = run.top.values
            return result

    def function(
        self, wrt: Sequence[str], values: Mapping[str, CoreValue], *, options: RunOptions = _DEFAULTS
    ) -> Callable[..., CoreValue | tuple[CoreValue, ...]]:
        """The program as a function of some inputs, the others held at `values`: core values in, core values out
        (a tuple where the result is one)."""

        def call(*args: CoreValue) -> CoreValue | tuple[CoreValue, ...]:
            result = self.run({**values, **dict(zip(wrt, args, strict=True))}, options=options)
            outputs = result.cores()
            return outputs if result.is_tuple else outputs[0]

        return call

    def _bind_inputs(
        self, run: Interpreter, values: Mapping[str, CoreValue], options: RunOptions
    ) -> dict[str, LanguageValue]:
        """Set the program's variables to the inputs; returns the arguments of the applied function."""
        scopes = self._scopes
        inputs = scopes.inputs(values, options.of)
        lacking = [d for name, d in inputs.items() if name not in values and not d.has_default]
        if lacking:
            raise missing(scopes, lacking)
        dimensions = bound_dimensions(scopes, inputs, values)
        run.top.values.update(dimensions.sizes)
        parameters = scopes.parameters(options.of)
        arguments = {}
        for name in inputs:
            if name not in values:
                continue
            value = language(values[name])
            if name in parameters:
                arguments[name] = value
            if name in scopes.uses or name in scopes.declared:
                run.top.values[name] = value
        for name in scopes.dimensions:
            if name in scopes.uses and name not in run.top.values:
                raise missing_dimension(name, self._spans[scopes.uses[name][0].node])
        return arguments

    def _last_expressions(self) -> Iterator[ast.stmt]:
        """The statements that end a notebook's cells and whose values are shown: expressions without a semicolon."""
        ends = self.source.cell_ends
        last: dict[int, ast.stmt] = {bisect_left(ends, node.lineno): node for node in self._tree.body} if ends else {}
        for node in last.values():
            span = self._spans[node]
            rest = self.source.line(span.end_line)[span.end_column - 1 :]
            if isinstance(node, ast.Expr) and not rest.lstrip().startswith(";"):
                yield node

    def _result(self, run: Interpreter, arguments: Mapping[str, LanguageValue], of: str | None) -> Result:
        function = self._scopes.applied(of)
        last = self.last_span
        if of is not None:
            if of not in run.top.values:
                known = [*run.top.values]
                raise GradcliError(f"--of: the program has no variable '{of}'", mend=did_you_mean(of, known))
            value = run.top.values[of]
            if function is not None and made_by(function, value):
                return _as_result(applied(run, value, function, arguments), (None,), last)
            return _as_result(value, (of,), last)
        if function is not None:
            value = run.result if isinstance(self._tree.body[-1], ast.Expr) else run.top.values[_last_name(self._tree)]
            return _as_result(applied(run, value, function, arguments), (None,), last)
        if run.result is not None:
            return _as_result(run.result, _names_of_parts(run.shown), self._spans[run.shown] if run.shown else last)
        if run.assigned:
            held = tuple([run.top.values.get(name) for name in run.assigned])
            return _as_result(held if len(held) > 1 else held[0], run.assigned, last)
        return Result((), False, (), last)

    @property
    def last_span(self) -> Span:
        """Where the last statement stands."""
        return self._spans[self._tree.body[-1]]

    @contextmanager
    def _running(self, options: RunOptions) -> Iterator[None]:
        """Set up the state of a run, and turn what Python raises at its limits into the language's errors."""
        state.default_float = np.dtype(self.options(options).dtype)
        state.torch_semantics = self.imports_torch
        state.seed = options.seed
        state.generator = None
        state.span = None
        state.warned.clear()
        print_options.reset()
        level, below = state.program_level, state.constant_below
        state.program_level = state.newest_level
        try:
            with deep_recursion(), np.errstate(all="ignore"):
                yield
        except GradcliError as error:
            if error.span is None:
                error.span = state.span
            raise
        except MemoryError:
            raise _out_of_memory(state.span) from None
        except RecursionError:
            raise LimitReached("--max-depth", "calls nest too deeply", span=state.span) from None
        finally:
            state.program_level, state.constant_below = level, below


def _out_of_memory(span: Span | None = None) -> GradcliError:
    return LimitReached("--max-bytes", "the program needs more memory than is left", span=span)


def _as_result(value: LanguageValue, names: tuple[str | None, ...], span: Span) -> Result:
    if value is None:
        return Result((), False, (), span)
    if not isinstance(value, tuple):
        return Result((value,), False, names[:1], span)
    found = names if len(names) == len(value) and len(names) > 1 else (None,) * len(value)
    if not value:
        raise ProgramError("the result is an empty tuple", span=span)
    return Result(value, True, found, span)


def _names_of_parts(node: ast.expr | None) -> tuple[str | None, ...]:
    """The names of an expression's parts, if all of them are different variables: of `a, b`, a and b."""
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    names = tuple([part.id for part in parts if isinstance(part, ast.Name)])
    return names if len(set(names)) == len(parts) else (None,) * len(parts)


def _last_name(tree: ast.Module) -> str:
    last = tree.body[-1]
    if isinstance(last, ast.FunctionDef):
        return last.name
    assert isinstance(last, ast.Assign)
    target = last.targets[0]
    return target.id if isinstance(target, ast.Name) else ""


def _is_int_list(value: list[Any] | tuple[Any, ...]) -> bool:
    return all(type(x) is int for x in value)
