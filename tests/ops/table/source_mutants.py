"""Mutants of rules by their source: one node of a rule function's syntax tree is changed, and the function swapped."""

from __future__ import annotations

import ast
import copy
import functools
import gc
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from types import CodeType, FunctionType
from typing import Any, NamedTuple

Maker = Callable[[ast.AST], ast.AST | None]

#: Calls that pass a cotangent on in another form; a mutant leaves the form out.
_UNBROADCASTS = frozenset(["sum_to", "expanded", "restored", "reshaped", "broadcast_to", "total", "summed", "sum_"])
#: Parameters of rules that are no values.
_SETTINGS = frozenset(["params", "wanted", "batched", "size", "S", "axis", "keepdims", "shape", "self"])

#: The name by which a function tells which of its nodes are run.
RECORDER = "this_node_is_run"


class Mutation(NamedTuple):
    """One change of one node: its kind, what was made of what, and which node of the function it is."""

    kind: str
    before: str
    after: str
    site: int
    make: Maker

    def __str__(self) -> str:
        return f"{self.kind}: {self.before} -> {self.after}"


# --- the tree of a function ------------------------------------------------------------------------------------------


@cache
def _tree(path: str) -> ast.Module:
    with open(path, encoding="utf-8") as file:
        return ast.parse(file.read())


@cache
def definition(f: FunctionType) -> ast.FunctionDef | ast.Lambda | None:
    """Where a function is written, None if that is not plain."""
    code = f.__code__
    path = inspect.getsourcefile(f)
    if path is None:
        return None
    found: list[ast.FunctionDef | ast.Lambda] = []
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.FunctionDef) and node.name == code.co_name:
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            if first == code.co_firstlineno:
                return node
        if isinstance(node, ast.Lambda) and code.co_name == "<lambda>" and node.lineno == code.co_firstlineno:
            found.append(node)
    # What belongs to no place of the source, such as a return that nobody wrote, has no columns or (0, 0).
    places = [(a, c) for a, _, c, d in code.co_positions() if a is not None and c is not None and (c, d) != (0, 0)]
    holding = [node for node in found if all(_holds(node.body, place) for place in places)]
    return min(holding, key=_length, default=None)


def _holds(body: ast.expr, place: tuple[int, int]) -> bool:
    return (body.lineno, body.col_offset) <= place <= (body.end_lineno or 0, body.end_col_offset or 0)


def _length(node: Any) -> tuple[int, int]:
    return (node.end_lineno - node.lineno, node.end_col_offset - node.col_offset)


# --- the changes -----------------------------------------------------------------------------------------------------


def mutations(f: FunctionType) -> list[Mutation]:
    """All changes of a function's source that are made here."""
    tree = definition(f)
    if tree is None:
        return []
    found = []
    values = _values(tree)
    for site, node in enumerate(_sites(tree)):
        for kind, make in _changes(node, values):
            made = make(copy.deepcopy(node))
            if made is not None:
                found.append(Mutation(kind, ast.unparse(node), ast.unparse(made), site, make))
    return found


def _values(tree: ast.FunctionDef | ast.Lambda) -> list[str]:
    """The parameters that stand for cotangents, results and operands."""
    return [a.arg for a in tree.args.args if a.arg not in _SETTINGS and not a.arg.startswith("_")]


def _sites(tree: ast.FunctionDef | ast.Lambda) -> Iterator[ast.AST]:
    """The nodes that may be changed, in a fixed order: no words, no annotations, no errors raised."""
    body = tree.body if isinstance(tree.body, list) else [tree.body]
    for part in body:
        yield from _within(part)


def _within(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Raise | ast.Assert | ast.JoinedStr | ast.arguments):
        return
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "ctx", "op", "ops", "decorator_list"):
            continue
        children = value if isinstance(value, list) else [value]
        if name in ("body", "orelse") and children and isinstance(children[-1], ast.Raise):
            continue  # what goes into an error's words
        for child in children:
            if isinstance(child, ast.AST):
                yield from _within(child)


def _changes(node: ast.AST, values: list[str]) -> Iterator[tuple[str, Maker]]:
    """The changes of one node: kinds, and what makes the changed node of a copy."""
    if isinstance(node, ast.BinOp):
        yield from _of_operation(node)
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        yield "flip a sign", lambda n: n.operand
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "turn a condition", lambda n: n.operand
    elif isinstance(node, ast.Compare) and len(node.ops) == 1:
        yield "turn a condition", _turned
    elif isinstance(node, ast.IfExp):
        yield "drop a branch", lambda n: n.body
        yield "drop a branch", lambda n: n.orelse
    elif isinstance(node, ast.If) and not all(isinstance(x, ast.Raise) for x in node.body):
        yield "turn a condition", _test_turned
    elif isinstance(node, ast.Call):
        yield from _of_call(node)
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in values and len(values) > 1:
        other = values[(values.index(node.id) + 1) % len(values)]
        yield "swap an argument", lambda n: ast.Name(other, ast.Load())
    elif isinstance(node, ast.Constant):
        yield from _of_constant(node)


def _of_operation(node: ast.BinOp) -> Iterator[tuple[str, Maker]]:
    if isinstance(node.op, ast.Add | ast.Sub):
        yield "flip a sign", _sign_flipped
        yield "drop a term", lambda n: n.left
        yield "drop a term", lambda n: n.right if isinstance(n.op, ast.Add) else ast.UnaryOp(ast.USub(), n.right)
    elif isinstance(node.op, ast.Mult | ast.MatMult):
        yield "lose a factor", lambda n: n.left
        yield "lose a factor", lambda n: n.right
    elif isinstance(node.op, ast.Div | ast.FloorDiv):
        yield "lose a factor", lambda n: n.left
        yield "swap an argument", lambda n: ast.BinOp(n.right, n.op, n.left)
    elif isinstance(node.op, ast.Pow):
        yield "lose a factor", lambda n: n.left


def _sign_flipped(n: Any) -> ast.AST:
    n.op = ast.Sub() if isinstance(n.op, ast.Add) else ast.Add()
    return n


_OPPOSITE = {
    ast.Lt: ast.GtE,
    ast.GtE: ast.Lt,
    ast.Gt: ast.LtE,
    ast.LtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}


def _turned(n: Any) -> ast.AST:
    n.ops = [_OPPOSITE[type(n.ops[0])]()]
    return n


def _test_turned(n: Any) -> ast.AST:
    n.test = ast.UnaryOp(ast.Not(), n.test)
    return n


def _of_call(node: ast.Call) -> Iterator[tuple[str, Maker]]:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    start = 1 if name == "bind" else 0  # the op itself stands first
    plain = [a for a in node.args if not isinstance(a, ast.Starred)]
    if len(plain) > start + 1 and not isinstance(plain[start + 1], ast.Constant | ast.Tuple):
        yield "swap an argument", functools.partial(_arguments_swapped, start=start)
    if len(plain) > start and not isinstance(plain[start], ast.Constant):
        kind = "break an unbroadcast" if name in _UNBROADCASTS else "lose a step"
        yield kind, lambda n: n.args[start]


def _arguments_swapped(n: Any, start: int) -> ast.AST | None:
    a, b = n.args[start : start + 2]
    if isinstance(a, ast.Starred) or isinstance(b, ast.Starred) or ast.dump(a) == ast.dump(b):
        return None
    n.args[start : start + 2] = [b, a]
    return n


def _of_constant(node: ast.Constant) -> Iterator[tuple[str, Maker]]:
    if isinstance(node.value, bool):
        yield "change a number", lambda n: ast.Constant(not n.value)
    elif isinstance(node.value, int):
        yield "change a number", lambda n: ast.Constant(n.value + 1)
    elif isinstance(node.value, float):
        yield "change a number", lambda n: ast.Constant(n.value * 1.5 if n.value else 1.0)


# --- the mutant ------------------------------------------------------------------------------------------------------


def mutated_code(f: FunctionType, mutation: Mutation) -> CodeType | None:
    """The function's code with one node changed; None where that is no program."""
    return _code(f, lambda site, node: mutation.make(copy.deepcopy(node)) if site == mutation.site else node)


def recording_code(f: FunctionType) -> CodeType | None:
    """The function's code, but that it tells `RECORDER` the number of each node that may be changed, when it is run."""
    changed = {mutation.site for mutation in mutations(f)}
    return _code(f, lambda site, node: _telling(site, node) if site in changed else node)


def _telling(site: int, node: Any) -> ast.AST:
    """(RECORDER(site), node)[1]; of a statement that decides, its condition."""
    told = ast.Call(ast.Name(RECORDER, ast.Load()), [ast.Constant(site)], [])
    if isinstance(node, ast.If):
        node.test = _second(told, node.test)
        return node
    return _second(told, node)


def _second(first: ast.expr, second: ast.expr) -> ast.expr:
    return ast.Subscript(ast.Tuple([first, second], ast.Load()), ast.Constant(1), ast.Load())


def _code(f: FunctionType, change: Callable[[int, ast.AST], Any]) -> CodeType | None:
    """The function's code with its nodes changed, given the number of each; None where that is no program."""
    tree = copy.deepcopy(definition(f))
    assert tree is not None
    numbers = {node: site for site, node in enumerate(_sites(tree))}
    tree = _Replacing(numbers, change).visit(tree)
    free = list(f.__code__.co_freevars)
    # Free variables that the change leaves unused are named once more, so that the closure still fits.
    kept = [ast.Expr(ast.Name(name, ast.Load())) for name in free]
    body = tree.body if isinstance(tree, ast.FunctionDef) else [ast.Return(tree.body)]
    inner = ast.FunctionDef(
        name="mutant",
        args=_without_annotations(tree.args),
        body=[ast.If(ast.Constant(False), kept, []), *body] if kept else body,
        decorator_list=[],
        type_params=[],
    )
    arguments = ast.arguments([], [ast.arg(name) for name in free], None, [], [], None, [])
    outer = ast.FunctionDef(
        name="outer",
        args=arguments,
        body=[inner, ast.Return(ast.Name("mutant", ast.Load()))],
        decorator_list=[],
        type_params=[],
    )
    module = ast.fix_missing_locations(ast.Module([outer], []))
    try:
        compiled = compile(module, f"<mutant of {f.__qualname__}>", "exec")
    except (SyntaxError, ValueError, TypeError):
        return None
    outer_code = next(c for c in compiled.co_consts if isinstance(c, CodeType))
    return next(c for c in outer_code.co_consts if isinstance(c, CodeType))


def _without_annotations(arguments: ast.arguments) -> ast.arguments:
    made = copy.deepcopy(arguments)
    for a in [*made.args, *made.kwonlyargs, *made.posonlyargs, *filter(None, [made.vararg, made.kwarg])]:
        a.annotation = None
    made.defaults = []
    made.kw_defaults = [None] * len(made.kwonlyargs)
    return made


class _Replacing(ast.NodeTransformer):
    """Changes the numbered nodes of a tree, the inner ones first."""

    def __init__(self, numbers: dict[ast.AST, int], change: Callable[[int, ast.AST], Any]) -> None:
        self.numbers = numbers
        self.change = change

    def visit(self, node: ast.AST) -> Any:
        site = self.numbers.get(node)
        node = self.generic_visit(node)
        return node if site is None else self.change(site, node)


@contextmanager
def swapped(functions: list[FunctionType], code: CodeType) -> Iterator[None]:
    """Functions with another code, nothing remembered of what they gave before, nor of what it gives afterwards."""
    before = [f.__code__ for f in functions]
    _forget()
    try:
        for f in functions:
            f.__code__ = code
        yield
    finally:
        for f, old in zip(functions, before, strict=True):
            f.__code__ = old
        _forget()


@contextmanager
def recorded(functions: list[FunctionType], code: CodeType) -> Iterator[set[int]]:
    """The numbers of the nodes that are run, while functions of one source have the code that tells them."""
    found: set[int] = set()
    names = functions[0].__globals__
    names[RECORDER] = found.add
    try:
        with swapped(functions, code):
            yield found
    finally:
        del names[RECORDER]


def _forget() -> None:
    for remembering in _remembering():
        remembering.cache_clear()


@cache
def _remembering() -> list[Any]:
    """The caches of the package's functions that a mutant may have filled."""
    kind = type(_tree)
    rooms = ("gradcli.ops", "gradcli.graph", "gradcli.autodiff")
    found = [x for x in gc.get_objects() if isinstance(x, kind)]
    return [x for x in found if x.__module__.startswith(rooms) and x.__name__ != "_load"]
