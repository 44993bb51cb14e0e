"""A walk over a program that finds how each free name is used, and what is assigned where.

A free name is used in one of four ways:

    called   `gamma(x)`, `grad(gamma)`        the function
    value    `gamma - 1`, `x[gamma]`          the user's variable
    loose    `f = gamma`, `f(gamma)`          the variable where the user gives a value for it, else the function
    module   `np.sin`                         the module, unless the user gives a value for it
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from gradcli.language.diagnostics import ProgramError
from gradcli.language.names import (
    USUAL_MODULES,
    imported,
    is_plain_function,
    known_member,
    takes_function,
    takes_functions,
)
from gradcli.language.values import ModuleValue

if TYPE_CHECKING:
    from gradcli.language.scope import Scopes


class Use(NamedTuple):
    """One way in which a free name is used, at the first place that uses it so."""

    way: str
    node: ast.Name


class Walk:
    """One walk over a program, in the order in which it runs."""

    def __init__(self, scopes: Scopes) -> None:
        self.scopes = scopes
        self.chain: list[frozenset[str]] = []
        self.in_function = False
        self.later: list[Callable[[], None]] = []
        self.order: list[tuple[str, Use, bool]] = []
        self.seen: set[tuple[str, str, bool]] = set()
        self.statements: dict[type[ast.stmt], Callable[..., None]] = {
            ast.Expr: self._expression_statement,
            ast.Assign: self._assign,
            ast.AugAssign: self._aug_assign,
            ast.AnnAssign: self._ann_assign,
            ast.If: self._if,
            ast.While: self._if,
            ast.For: self._for,
            ast.FunctionDef: self._def,
            ast.Return: self._return,
            ast.With: self._with,
            ast.Assert: self._assert,
            ast.Import: self._import,
            ast.ImportFrom: self._import,
        }
        self.expressions: dict[type[ast.expr], Callable[..., None]] = {
            ast.Name: self._name,
            ast.Call: self._call,
            ast.Lambda: self._lambda,
            ast.ListComp: self._comprehension,
            ast.DictComp: self._comprehension,
            ast.GeneratorExp: self._comprehension,
            ast.IfExp: self._if_expression,
            ast.List: self._elements,
            ast.Tuple: self._elements,
            ast.Dict: self._dict,
            ast.BinOp: self._bin_op,
            ast.Attribute: self._attribute,
        }

    def program(self, tree: ast.Module) -> None:
        """Walk the whole program and leave in the scopes what it finds."""
        self._find_imports(tree)
        for statement in tree.body:
            if isinstance(statement, ast.AnnAssign):
                self._declaration(statement)
            else:
                self._statement(statement)
        scopes = self.scopes
        for name, use, waits in self.order:
            if waits and (name in scopes.assigned or name in scopes.declared):
                # Only functions read it, and the program binds it: whatever it is then, it is no input.
                if name in scopes.declared:
                    scopes.uses.setdefault(name, []).append(use)
                continue
            scopes.uses.setdefault(name, []).append(use)

    def _find_imports(self, tree: ast.Module) -> None:
        """Star imports change what names mean from anywhere, so they are known beforehand."""
        for node in _statements_in(tree.body):
            if isinstance(node, ast.ImportFrom):
                path = node.module or ""
                self.scopes.imports_torch |= path.split(".")[0] == "torch"
                if node.names[0].name == "*" and path not in self.scopes.stars:
                    self.scopes.stars.append(path)
            elif isinstance(node, ast.Import):
                self.scopes.imports_torch |= any(a.name.split(".")[0] == "torch" for a in node.names)

    def _declaration(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._expression(node.value, "value")
        self._flush_declared(node)

    def _flush_declared(self, node: ast.AnnAssign) -> None:
        assert isinstance(node.target, ast.Name)
        name = node.target.id
        self.scopes.declare(node)
        self.scopes.mentioned.add(name)
        self.order.append((name, Use("value", node.target), False))

    # --- statements ---------------------------------------------------------------------------------------------------

    def _statement(self, node: ast.stmt) -> None:
        visit = self.statements.get(type(node))
        if visit is not None:
            visit(node)

    def _block(self, body: list[ast.stmt]) -> None:
        for statement in body:
            self._statement(statement)

    def _expression_statement(self, node: ast.Expr) -> None:
        self._expression(node.value, "loose")

    def _assign(self, node: ast.Assign) -> None:
        self._expression(node.value, "loose")
        for target in node.targets:
            self._target(target)

    def _aug_assign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self._name(ast.copy_location(ast.Name(node.target.id, ast.Load()), node.target), "value")
        self._expression(node.value, "value")
        self._target(node.target)

    def _ann_assign(self, node: ast.AnnAssign) -> None:
        if node.value is None:
            raise ProgramError(
                "an input is declared at top level, not inside a block or function",
                span=self.scopes.spans[node],
            )
        self._expression(node.value, "loose")
        self._target(node.target)

    def _if(self, node: ast.If | ast.While) -> None:
        self._expression(node.test, "value")
        self._block(node.body)
        # A chain of elifs nests in the tree, but need not nest here.
        while isinstance(node, ast.If) and len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
            node = node.orelse[0]
            self._expression(node.test, "value")
            self._block(node.body)
        self._block(node.orelse)

    def _for(self, node: ast.For) -> None:
        self._expression(node.iter, "value")
        self._target(node.target)
        self._block(node.body)
        self._block(node.orelse)

    def _def(self, node: ast.FunctionDef) -> None:
        for decorator in node.decorator_list:
            self._expression(decorator, "called")
        self._defaults(node.args)
        self._bind(node.name, node)
        args = _parameter_names(node.args)
        own = frozenset(args) | frozenset(_assigned_in(node.body))
        self.scopes.own[node] = own
        self._inside(own, lambda: self._block(node.body))

    def _return(self, node: ast.Return) -> None:
        if node.value is not None:
            self._expression(node.value, "loose")

    def _with(self, node: ast.With) -> None:
        for item in node.items:
            self._expression(item.context_expr, "loose")
        self._block(node.body)

    def _assert(self, node: ast.Assert) -> None:
        self._expression(node.test, "value")
        if node.msg is not None:
            self._expression(node.msg, "loose")

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        spans = self.scopes.spans
        if isinstance(node, ast.ImportFrom):
            if node.level:
                raise ProgramError("relative imports are not part of the language", span=spans[node])
            imported(node.module or "", spans[node])
        for alias in node.names:
            if alias.name == "*":
                continue
            name = alias.asname or alias.name.split(".")[0]
            if isinstance(node, ast.Import):
                found: object = imported(alias.name if alias.asname else name, spans[alias])
                imported(alias.name, spans[alias])
            else:
                found = known_member(node.module or "", alias.name, spans[alias])
            self._bind(name, node)
            if not self.chain:
                self.scopes.modules.setdefault(name, set()).add(found.path if isinstance(found, ModuleValue) else "")

    # --- expressions --------------------------------------------------------------------------------------------------

    def _expression(self, node: ast.expr, way: str) -> None:
        kind = type(node)
        if kind is ast.Constant:
            return
        visit = self.expressions.get(kind)
        if visit is not None:
            visit(node, way)
            return
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self._expression(child, "value")

    def _name(self, node: ast.Name, way: str) -> None:
        name = node.id
        self.scopes.mentioned.add(name)
        if self.chain and self._is_local(name):
            return
        waits = self.in_function
        key = (name, way, waits)
        if key in self.seen or (not waits and name in self.scopes.assigned):
            return
        self.seen.add(key)
        self.order.append((name, Use(way, node), waits))

    def _call(self, node: ast.Call, way: str) -> None:
        function = node.func
        if isinstance(function, ast.Name):
            self._name(function, "called")
            name = function.id
            bound = name in self.scopes.assigned or self._is_local(name)
            takes = not bound and takes_function(name)
            plain = not bound and is_plain_function(name)
        else:
            self._expression(function, "value")
            name = self._called_name(function)
            takes = takes_function(name)
            plain = isinstance(function, ast.Attribute) and not takes_functions(name)
        for position, arg in enumerate(node.args):
            if isinstance(arg, ast.Starred):
                self._expression(arg.value, "value")
            else:
                self._expression(arg, "called" if takes and position == 0 else "value" if plain else "loose")
        if node.keywords:
            base = _base_name(function)
            self.scopes.keyword_calls.append((node, base is not None and not self._is_local(base)))
        for keyword in node.keywords:
            self._expression(keyword.value, "value" if plain and keyword.arg not in ("dtype", "key") else "loose")

    def _called_name(self, function: ast.expr) -> str:
        """The last part of a dotted name; "" for a method of a NumPy function: `np.add.reduce` is not functools'."""
        if not isinstance(function, ast.Attribute):
            return ""
        if function.attr == "reduce":
            base = function.value.id if isinstance(function.value, ast.Name) else ""
            return "reduce" if "functools" in self.scopes.modules.get(base, {base}) else ""
        return function.attr

    def _bin_op(self, node: ast.BinOp, way: str) -> None:
        rights = []
        left: ast.expr = node
        while isinstance(left, ast.BinOp):
            rights.append(left.right)
            left = left.left
        self._expression(left, "value")
        for right in reversed(rights):
            self._expression(right, "value")

    def _attribute(self, node: ast.Attribute, way: str) -> None:
        base: ast.expr = node
        while isinstance(base, ast.Attribute):
            base = base.value
        self.scopes.attributes.append((node, isinstance(base, ast.Name) and not self._is_local(base.id)))
        self._expression(base, "module" if isinstance(base, ast.Name) and base.id in USUAL_MODULES else "value")

    def _if_expression(self, node: ast.IfExp, way: str) -> None:
        self._expression(node.test, "value")
        self._expression(node.body, way)
        self._expression(node.orelse, way)

    def _elements(self, node: ast.List | ast.Tuple, way: str) -> None:
        for element in node.elts:
            if isinstance(element, ast.Starred):
                self._expression(element.value, "value")
            else:
                self._expression(element, "loose")

    def _dict(self, node: ast.Dict, way: str) -> None:
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                raise ProgramError("'**' in a dict is not part of the language", span=self.scopes.spans[value])
            self._expression(key, "value")
            self._expression(value, "loose")

    def _lambda(self, node: ast.Lambda, way: str) -> None:
        self._defaults(node.args)
        own = frozenset(_parameter_names(node.args))
        self.scopes.own[node] = own
        self._inside(own, lambda: self._expression(node.body, "loose"))

    def _comprehension(self, node: ast.ListComp | ast.DictComp | ast.GeneratorExp, way: str) -> None:
        self._expression(node.generators[0].iter, "value")
        own = frozenset(name for g in node.generators for name in _target_names(g.target))
        self.scopes.own[node] = own
        self.chain.append(own)
        for index, generator in enumerate(node.generators):
            if index:
                self._expression(generator.iter, "value")
            for test in generator.ifs:
                self._expression(test, "value")
        if isinstance(node, ast.DictComp):
            self._expression(node.key, "value")
        self._expression(node.value if isinstance(node, ast.DictComp) else node.elt, "loose")
        self.chain.pop()

    # --- helpers ------------------------------------------------------------------------------------------------------

    def _inside(self, own: frozenset[str], visit: Callable[[], None]) -> None:
        outer = self.in_function
        self.in_function = True
        self.chain.append(own)
        visit()
        self.chain.pop()
        self.in_function = outer

    def _defaults(self, args: ast.arguments) -> None:
        for default in [*args.defaults, *args.kw_defaults]:
            if default is not None:
                self._expression(default, "loose")

    def _target(self, node: ast.expr) -> None:
        if isinstance(node, ast.Name):
            self._bind(node.id, node)
        elif isinstance(node, ast.Tuple | ast.List):
            for element in node.elts:
                self._target(element)
        elif isinstance(node, ast.Starred):
            self._target(node.value)
        else:
            for child in ast.iter_child_nodes(node):
                if isinstance(child, ast.expr):
                    self._expression(child, "value")

    def _bind(self, name: str, node: ast.AST) -> None:
        self.scopes.mentioned.add(name)
        if not self.chain:
            self.scopes.assigned.setdefault(name, node)
            if not isinstance(node, ast.Import | ast.ImportFrom):
                self.scopes.variables.add(name)

    def _is_local(self, name: str) -> bool:
        return any(name in own for own in self.chain)


def _base_name(node: ast.expr) -> str | None:
    """Of `a.b.c`, the name a; None where another expression stands in its place."""
    while isinstance(node, ast.Attribute):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _parameter_names(args: ast.arguments) -> list[str]:
    found = [a.arg for a in args.posonlyargs + args.args + args.kwonlyargs]
    return [*found, args.vararg.arg] if args.vararg is not None else found


def _target_names(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Tuple | ast.List):
        return [name for element in node.elts for name in _target_names(element)]
    return _target_names(node.value) if isinstance(node, ast.Starred) else []


def _assigned_in(body: list[ast.stmt]) -> list[str]:
    """Names that statements bind, those of functions within excepted."""
    found: list[str] = []
    for node in _statements_in(body, functions=False):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                found += _target_names(target)
        elif isinstance(node, ast.AugAssign | ast.AnnAssign | ast.For):
            found += _target_names(node.target)
        elif isinstance(node, ast.FunctionDef):
            found.append(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found += [alias.asname or alias.name.split(".")[0] for alias in node.names]
    return found


def _statements_in(body: list[ast.stmt], functions: bool = True) -> Iterator[ast.stmt]:
    """All statements in a block and the blocks within it, in no order; with `functions`, their bodies too."""
    pending = list(body)
    while pending:
        node = pending.pop()
        yield node
        if isinstance(node, ast.For | ast.If | ast.While):
            pending += node.body + node.orelse
        elif isinstance(node, ast.With) or (functions and isinstance(node, ast.FunctionDef)):
            pending += node.body
