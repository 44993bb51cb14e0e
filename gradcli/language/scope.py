"""Which names of a program are variables of what, and which of the free ones are inputs.

How a free name is used (see `name_uses`) settles what a built-in name such as `gamma` means: as an operand it is the
user's variable, called it is the function.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from gradcli.language.declarations import InputDecl, declared, dimension_names, is_kind, undeclared
from gradcli.language.diagnostics import ProgramError, did_you_mean
from gradcli.language.name_uses import Use, Walk
from gradcli.language.names import USUAL_MODULES, bare_names, is_constant, is_function, is_type
from gradcli.language.source import Span, Spans

Parameters = ast.FunctionDef | ast.Lambda


class Scopes:
    """What the analysis of a program's names found.

    Attributes:
        own: the variables of each function, lambda and comprehension.
        assigned: names assigned at top level, with the first place; imports and functions among them.
        uses: per free name, in order of first appearance, how it is used.
        declared: inputs that the program declares.
        dimensions: dimension names in order.
        stars: modules imported with `*`.
        imports_torch: whether the program imports torch.
        final: the `def` or lambda that ends the program, or None.
        functions: functions defined at top level.
        mentioned: every name that stands in the program.
        attributes: all `a.b`, the outermost of `a.b.c`, each with whether its base is a name of the top level.
        keyword_calls: calls with keywords, each with whether the function's name is one of the top level.
        modules: per name that an import at top level binds, the paths of what it binds it to.
        variables: names bound at top level to something else than an import's.
        free: the names that functions read and do not bind, for those functions that were asked about.
    """

    def __init__(self, tree: ast.Module, spans: Spans) -> None:
        self.spans = spans
        self.own: dict[ast.AST, frozenset[str]] = {}
        self.assigned: dict[str, ast.AST] = {}
        self.uses: dict[str, list[Use]] = {}
        self.declared: dict[str, InputDecl] = {}
        self.dimensions: list[str] = []
        self.stars: list[str] = []
        self.imports_torch = False
        self.final = _final_function(tree)
        self.functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
        self.mentioned: set[str] = set()
        self.attributes: list[tuple[ast.Attribute, bool]] = []
        self.keyword_calls: list[tuple[ast.Call, bool]] = []
        self.modules: dict[str, set[str]] = {}
        self.variables: set[str] = set()
        self.free: dict[ast.AST, frozenset[str]] = {}
        Walk(self).program(tree)
        for function in [*self.functions.values(), *([self.final] if self.final is not None else [])]:
            self._note_dimensions(function)

    def applied(self, of: str | None) -> Parameters | None:
        """The function that is applied to inputs to give the result, or the output `of`; None when there is none."""
        return self.final if of is None else self.functions.get(of)

    def inputs(self, given: Iterable[str] = (), of: str | None = None) -> dict[str, InputDecl]:
        """The inputs, in order of first appearance, if the user binds the names in `given` and asks for `of`."""
        bound = frozenset(given)
        parameters = self.parameters(of)
        found: dict[str, InputDecl] = {}
        for name, uses in self.uses.items():
            if name in self.declared:
                found[name] = self.declared[name]
            elif name not in self.dimensions:
                use = self._as_input(name, uses, name in bound)
                if use is not None:
                    found[name] = undeclared(name, self.spans[use.node])
        for name, decl in parameters.items():
            if name not in self.declared:
                found[name] = decl
        if parameters:
            found = dict(sorted(found.items(), key=lambda pair: pair[1].span[1:3]))
        return found

    def check_calls(self) -> None:
        """See that every called name is a function.

        Raises:
            ProgramError: one is not; suggests the nearest that is.
        """
        for name, uses in self.uses.items():
            use = next((use for use in uses if use.way == "called"), None)
            if use is None or self.known_function(name):
                continue
            span = self.spans[use.node]
            if name in self.declared or any(other.way == "value" for other in uses):
                raise ProgramError(f"'{name}' is an input, not a function", mend="did you forget '*'?", span=span)
            raise self.unknown_function(name, span)

    def known_function(self, name: str) -> bool:
        """Whether a name that the program does not bind is a function or a module's."""
        return is_function(name, self.stars)

    def unknown_function(self, name: str, span: Span) -> ProgramError:
        """The error of a call to what is no function."""
        if is_constant(name, self.stars):
            return ProgramError(f"'{name}' is a number, not a function", mend="did you forget '*'?", span=span)
        known = [*self.assigned, *bare_names(self.stars)]
        return ProgramError(f"unknown function '{name}'", mend=did_you_mean(name, known), span=span)

    def _as_input(self, name: str, uses: list[Use], bound: bool) -> Use | None:
        value = next((use for use in uses if use.way == "value"), None)
        loose = next((use for use in uses if use.way in ("loose", "module")), None)
        use = value or loose
        if use is None or bound:
            return use
        if is_constant(name, self.stars):
            return None
        if value is not None:
            return None if is_type(name) else value
        return None if self.known_function(name) or name in USUAL_MODULES else loose

    def parameters(self, of: str | None = None) -> dict[str, InputDecl]:
        """The inputs that the applied function takes as its arguments."""
        function = self.applied(of)
        if function is None:
            return {}
        args = function.args
        positional = args.posonlyargs + args.args
        defaults: list[ast.expr | None] = [None] * (len(positional) - len(args.defaults))
        pairs = list(zip(positional, defaults + list(args.defaults), strict=True))
        pairs += list(zip(args.kwonlyargs, args.kw_defaults, strict=True))
        return {arg.arg: self._parameter(arg, default) for arg, default in pairs}

    def _parameter(self, arg: ast.arg, default: ast.expr | None) -> InputDecl:
        if arg.annotation is not None and is_kind(arg.annotation):
            found = declared(arg.arg, arg.annotation, default, self.spans)
        else:
            found = undeclared(arg.arg, self.spans[arg])
        return found._replace(span=self.spans[arg], default=default, has_default=default is not None)

    def _note_dimensions(self, function: Parameters) -> None:
        for arg in function.args.posonlyargs + function.args.args + function.args.kwonlyargs:
            if arg.annotation is not None and is_kind(arg.annotation):
                self._dimension_names(self._parameter(arg, None))

    def declare(self, node: ast.AnnAssign) -> None:
        """Take `x: float[n] = default` at top level as the declaration of an input."""
        assert isinstance(node.target, ast.Name)
        name = node.target.id
        if name in self.declared:
            raise ProgramError(f"input '{name}' is declared twice", span=self.spans[node.target])
        if name in self.assigned:
            raise ProgramError(f"'{name}' is assigned before it is declared as an input", span=self.spans[node.target])
        found = declared(name, node.annotation, node.value, self.spans)
        self.declared[name] = found._replace(span=self.spans[node.target])
        self._dimension_names(found)

    def _dimension_names(self, decl: InputDecl) -> None:
        for name in dimension_names(decl.axes or ()):
            self.mentioned.add(name)
            if name not in self.dimensions:
                self.dimensions.append(name)


def _final_function(tree: ast.Module) -> Parameters | None:
    """The `def`, or the lambda, that ends a program."""
    last = tree.body[-1]
    if isinstance(last, ast.FunctionDef):
        return last
    if isinstance(last, ast.Assign) and not isinstance(last.targets[0], ast.Name):
        return None
    value = last.value if isinstance(last, ast.Expr | ast.Assign) else None
    return value if isinstance(value, ast.Lambda) else None
