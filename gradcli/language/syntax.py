"""Source text -> syntax tree, every node of it on the list of what the language has."""

from __future__ import annotations

import ast
import gc
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from gradcli.graph.errors import GradcliError, LimitReached
from gradcli.language.diagnostics import ProgramError
from gradcli.language.names import is_function
from gradcli.language.source import Source, Span, Spans

#: `ast` may nest three times this deep (Python 3.11); far below what overflows the C stack, far above 3,000 operators.
_PARSE_RECURSION = 6_000

#: Python frames live on the heap, so that this many cost memory alone; the call depth is bounded by `--max-depth`.
_DEEP_RECURSION = 50_000_000

_EXPRESSIONS: frozenset[type[ast.AST]] = frozenset(
    {
        ast.Attribute,
        ast.BinOp,
        ast.BoolOp,
        ast.Call,
        ast.Compare,
        ast.Constant,
        ast.Dict,
        ast.DictComp,
        ast.FormattedValue,
        ast.GeneratorExp,
        ast.IfExp,
        ast.JoinedStr,
        ast.Lambda,
        ast.List,
        ast.ListComp,
        ast.Name,
        ast.Slice,
        ast.Starred,
        ast.Subscript,
        ast.Tuple,
        ast.UnaryOp,
    }
)
_STATEMENTS: frozenset[type[ast.AST]] = frozenset(
    {
        ast.AnnAssign,
        ast.Assert,
        ast.Assign,
        ast.AugAssign,
        ast.Break,
        ast.Continue,
        ast.Expr,
        ast.For,
        ast.FunctionDef,
        ast.If,
        ast.Import,
        ast.ImportFrom,
        ast.Pass,
        ast.Return,
        ast.While,
        ast.With,
    }
)
_PARTS: frozenset[type[ast.AST]] = frozenset(
    {
        ast.Module,
        ast.Load,
        ast.Store,
        ast.And,
        ast.Or,
        ast.Add,
        ast.Sub,
        ast.Mult,
        ast.Div,
        ast.FloorDiv,
        ast.Mod,
        ast.Pow,
        ast.MatMult,
        ast.BitAnd,
        ast.BitOr,
        ast.Invert,
        ast.Not,
        ast.UAdd,
        ast.USub,
        ast.Eq,
        ast.NotEq,
        ast.Lt,
        ast.LtE,
        ast.Gt,
        ast.GtE,
        ast.In,
        ast.NotIn,
        ast.Is,
        ast.IsNot,
        ast.comprehension,
        ast.arguments,
        ast.arg,
        ast.keyword,
        ast.alias,
        ast.withitem,
    }
)
_ALLOWED = _EXPRESSIONS | _STATEMENTS | _PARTS
#: Fields that hold no node that need be looked at: names, and operators, which are checked where they are applied.
_PLAIN_FIELDS = frozenset({"arg", "attr", "conversion", "ctx", "id", "is_async", "kind", "level", "name", "op", "ops"})
#: Per kind of node, the fields with its children, the last first.
_CHILDREN: dict[type[ast.AST], tuple[str, ...]] = {
    kind: tuple([field for field in reversed(kind._fields) if field not in _PLAIN_FIELDS]) for kind in _ALLOWED
}
_CHILDREN[ast.Constant] = ()

_REFUSED: dict[type[ast.AST], tuple[str, str | None]] = {
    ast.ClassDef: ("classes are", "use functions"),
    ast.AsyncFunctionDef: ("'async' is", None),
    ast.AsyncFor: ("'async' is", None),
    ast.AsyncWith: ("'async' is", None),
    ast.Await: ("'await' is", None),
    ast.Delete: ("'del' is", None),
    ast.Try: ("'try' is", None),
    ast.TryStar: ("'try' is", None),
    ast.Raise: ("'raise' is", "use 'assert condition, message'"),
    ast.Global: ("'global' is", "return the value and assign it outside"),
    ast.Nonlocal: ("'nonlocal' is", "return the value, or keep it in a list"),
    ast.Match: ("'match' is", "use 'if' and 'elif'"),
    ast.Yield: ("'yield' is", "append to a list and return it"),
    ast.YieldFrom: ("'yield' is", "append to a list and return it"),
    ast.NamedExpr: ("':=' is", "assign in a line of its own"),
    ast.Set: ("sets are", "use a list or a tuple"),
    ast.SetComp: ("sets are", "use a list"),
}
_OPERATOR_WORDS: dict[type[ast.operator], tuple[str, str]] = {
    ast.BitXor: ("^", "did you mean '**'?"),
    ast.LShift: ("<<", "multiply by a power of 2"),
    ast.RShift: (">>", "divide by a power of 2"),
}


#: Signs of other languages, and of typesetting, and what is meant by them.
_OTHER_SIGNS = {
    "&&": "and",
    "||": "or",
    "!": "not",
    "<>": "!=",
    ":=": "=",
    "\N{MINUS SIGN}": "-",
    "\N{MULTIPLICATION SIGN}": "*",
    "\N{MIDDLE DOT}": "*",
    "\N{DOT OPERATOR}": "*",
    "\N{DIVISION SIGN}": "/",
    "\N{SQUARE ROOT}": "sqrt(...)",
    "\N{SUPERSCRIPT TWO}": "**2",
    "\N{SUPERSCRIPT THREE}": "**3",
    "\N{VULGAR FRACTION ONE HALF}": "1/2*",
    "\N{LESS-THAN OR EQUAL TO}": "<=",
    "\N{GREATER-THAN OR EQUAL TO}": ">=",
    "\N{NOT EQUAL TO}": "!=",
    "\N{LEFT DOUBLE QUOTATION MARK}": '"',
    "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
    "\N{LEFT SINGLE QUOTATION MARK}": '"',
    "\N{RIGHT SINGLE QUOTATION MARK}": '"',
}


def parse(source: Source) -> ast.Module:
    """The checked tree of a program.

    Raises:
        ProgramError: the text is no program of the language; says where and, where it can, the mend.
        LimitReached: it nests too deeply, or holds an integer of more than 64 bits.
    """
    tree = _tree(source)
    if not tree.body:
        raise GradcliError(f"{source.name} is empty: there is nothing to compute", mend="write an expression")
    _Checker(source).check(tree)
    return tree


@contextmanager
def deep_recursion() -> Iterator[None]:
    """Let Python recurse as deeply as the language's own limits allow. Never open while `ast` parses."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _DEEP_RECURSION))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


@contextmanager
def uncollected() -> Iterator[None]:
    """Keep the garbage collector away: a tree has no cycles, and looking for them doubles the time to make it."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


def _tree(source: Source) -> ast.Module:
    before = sys.getrecursionlimit()
    try:
        # With a higher limit `ast` overflows the C stack on long chains, with Python's own it refuses 3,000 operators.
        sys.setrecursionlimit(_PARSE_RECURSION)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(source.text)
    except (RecursionError, MemoryError):
        raise _too_nested(source) from None
    except SyntaxError as error:
        raise _syntax_error(source, error) from None
    except (ValueError, OverflowError) as error:
        raise ProgramError(f"this is no program: {error}", span=Span(source, 1, 1, 1, 2)) from None
    finally:
        sys.setrecursionlimit(before)


def _too_nested(source: Source, line: int = 1) -> GradcliError:
    return LimitReached(
        "nesting",
        "the program nests too deeply, or chains too many operators",
        mend="split the expression into several lines",
        span=Span(source, line, 1, line, len(source.line(line)[:80]) + 1),
    )


def _syntax_error(source: Source, error: SyntaxError) -> GradcliError:
    line = min(error.lineno or 1, len(source.lines))
    text = source.line(line)
    column = max(1, min(error.offset or 1, len(text) + 1))
    end = error.end_offset or 0
    if error.end_lineno != line or end <= column:
        end = column + 1
    message = error.msg.replace("'==' or ':='", "'=='")
    if "\0" in source.text:
        line = source.text.count("\n", 0, source.text.index("\0")) + 1
        column = source.line(line).index("\0") + 1
        end = column + 1
    if "too many nested" in message or "too many levels" in message:
        return _too_nested(source, line)
    if "integer string conversion" in message:
        return _too_large(Span(source, line, column, line, end))
    return ProgramError(
        f"syntax error: {message}",
        mend=_syntax_mend(text, column, message),
        span=Span(source, line, column, line, end),
    )


def _syntax_mend(text: str, column: int, message: str) -> str | None:
    rest = text[column - 1 :]
    if "invalid decimal literal" in message or "invalid imaginary literal" in message:
        return "a product needs '*', as in 2*x" if rest[1:2] != "_" else None
    if message == "invalid syntax" and rest[:1].isidentifier():
        before = text[: column - 1]
        if before[-1:].isdigit():
            return "a product needs '*', as in 2*x"
        word = before.rstrip().rpartition(" ")[2]
        if before.endswith(" ") and word.isidentifier() and is_function(word, ()):
            return f"a call needs parentheses, as in {word}(x)"
    for wrong, right in _OTHER_SIGNS.items():
        # Python points at the second character of what it took for two operators.
        if rest.startswith(wrong) or (len(wrong) == 2 and text[column - 2 :].startswith(wrong)):
            return f"did you mean '{right}'?"
    return None


def _too_large(span: Span) -> GradcliError:
    return LimitReached(
        "integer size", "integers have up to 64 bits", mend="write it as a float, such as 1e30", span=span
    )


class _Checker:
    """Walks a tree, without recursion, and refuses the first node that the language does not have."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.spans = Spans(source)
        self.checks: dict[type[ast.AST], Callable[[Any], None]] = {
            ast.Constant: self._constant,
            ast.BinOp: self._operation,
            ast.AugAssign: self._operation,
            ast.Compare: self._compare,
            ast.FunctionDef: self._function,
            ast.Lambda: self._lambda,
            ast.For: self._for,
            ast.With: self._with,
            ast.Assign: self._assign,
            ast.AnnAssign: self._annotated,
            ast.Call: self._call,
            ast.comprehension: self._comprehension,
            ast.Name: self._name,
            ast.arg: self._arg,
            ast.Attribute: self._attribute,
            ast.Subscript: self._subscript,
            ast.UnaryOp: self._unary,
        }
        #: The one integer that has 64 bits only with its sign, where it has it.
        self.lowest: ast.expr | None = None

    def check(self, tree: ast.Module) -> None:
        self._forbid_stray(tree.body, in_function=False, in_loop=False)
        pending: list[ast.AST] = [tree]
        while pending:
            node = pending.pop()
            kind = type(node)
            fields = _CHILDREN.get(kind)
            if fields is None:
                raise self._refusal(node)
            check = self.checks.get(kind)
            if check is not None:
                check(node)
            for field in fields:
                value = getattr(node, field)
                if type(value) is list:
                    pending += [child for child in reversed(value) if isinstance(child, ast.AST)]
                elif isinstance(value, ast.AST):
                    pending.append(value)

    def error(self, message: str, node: ast.AST, mend: str | None = None) -> ProgramError:
        return ProgramError(message, mend=mend, span=self.spans[node])

    def _refusal(self, node: ast.AST) -> ProgramError:
        what, mend = _REFUSED.get(type(node), ("this is", None))
        if not isinstance(node, ast.expr | ast.stmt):
            return ProgramError(f"{what} not part of the language", mend=mend)
        return self.error(f"{what} not part of the language", node, mend)

    def _constant(self, node: ast.Constant) -> None:
        value = node.value
        if type(value) is int:
            if value > 2**63 or (value == 2**63 and node is not self.lowest):
                raise _too_large(self.spans[node])
        elif isinstance(value, bytes):
            raise self.error("bytes are not part of the language", node, "write a string")

    def _operation(self, node: ast.BinOp | ast.AugAssign) -> None:
        found = _OPERATOR_WORDS.get(type(node.op))
        if found is None:
            return
        word, mend = found
        if isinstance(node, ast.BinOp):
            after, before = node.left, node.right
        else:
            after, before = node.target, node.value
        raise ProgramError(
            f"'{word}' is not an operator of the language", mend=mend, span=self._between(after, before, word)
        )

    def _unary(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.USub):
            self.lowest = node.operand

    def _between(self, left: ast.expr, right: ast.expr, word: str) -> Span:
        start, stop = self.spans[left], self.spans[right]
        line, column = start.end_line, start.end_column
        while line <= stop.line:
            text = self.source.line(line)
            at = text.split("#", 1)[0].find(word, column - 1) if line > start.end_line else text.find(word, column - 1)
            if at >= 0:
                return Span(self.source, line, at + 1, line, at + 1 + len(word))
            line, column = line + 1, 1
        return stop

    def _compare(self, node: ast.Compare) -> None:
        for op, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(op, ast.Is | ast.IsNot) and not _is_singleton(right):
                raise self.error("'is' compares with None, True or False", node, "did you mean '=='?")

    def _function(self, node: ast.FunctionDef) -> None:
        self._parameters(node.args)
        self._forbid_stray(node.body, in_function=True, in_loop=False)

    def _lambda(self, node: ast.Lambda) -> None:
        self._parameters(node.args)

    def _parameters(self, args: ast.arguments) -> None:
        seen: set[str] = set()
        for arg in [*args.posonlyargs, *args.args, *args.kwonlyargs, *([args.vararg] if args.vararg else [])]:
            if arg.arg in seen:
                raise self.error(f"the parameter '{arg.arg}' stands twice", arg)
            seen.add(arg.arg)
        if args.kwarg is not None:
            raise self.error("'**' parameters are not part of the language", args.kwarg, "name the parameters")

    def _for(self, node: ast.For) -> None:
        self._target(node.target)

    def _comprehension(self, node: ast.comprehension) -> None:
        if node.is_async:
            raise self.error("'async' is not part of the language", node.iter)
        self._target(node.target)

    def _with(self, node: ast.With) -> None:
        for item in node.items:
            if item.optional_vars is not None:
                raise self.error("'with ... as' is not part of the language", item.optional_vars)

    def _assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self._target(target)

    def _annotated(self, node: ast.AnnAssign) -> None:
        if not isinstance(node.target, ast.Name):
            raise self.error("only a name can be declared", node.target)

    def _target(self, node: ast.expr) -> None:
        if isinstance(node, ast.Attribute) and node.attr not in ("grad", "requires_grad", "data"):
            raise self.error(
                f"'.{node.attr}' cannot be assigned", node, "only grad, requires_grad and data of a tensor can"
            )
        if isinstance(node, ast.Starred):
            raise self.error("'*' stands beside other names only", node, "write *names, last = values")
        if isinstance(node, ast.Tuple | ast.List):
            stars = [element for element in node.elts if isinstance(element, ast.Starred)]
            if len(stars) > 1:
                raise self.error("only one of several names takes a '*'", stars[1])
            for element in node.elts:
                self._target(element.value if isinstance(element, ast.Starred) else element)

    def _call(self, node: ast.Call) -> None:
        for keyword in node.keywords:
            if keyword.arg is None:
                raise self.error("'**' arguments are not part of the language", keyword.value, "write them out")
            self._no_dunder(keyword.arg, keyword)

    def _name(self, node: ast.Name) -> None:
        self._no_dunder(node.id, node)

    def _arg(self, node: ast.arg) -> None:
        self._no_dunder(node.arg, node)

    def _attribute(self, node: ast.Attribute) -> None:
        if node.attr != "__version__":
            self._no_dunder(node.attr, node)
        if isinstance(node.ctx, ast.Store):
            self._target(node)

    def _subscript(self, node: ast.Subscript) -> None:
        elements = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        for element in elements:
            if isinstance(element, ast.Starred):
                raise self.error("'*' in an index is not part of the language", element)

    def _no_dunder(self, name: str, node: ast.AST) -> None:
        if name.startswith("__"):
            raise self.error(f"names with two leading underscores are not part of the language: '{name}'", node)

    def _forbid_stray(self, body: list[ast.stmt], in_function: bool, in_loop: bool) -> None:
        """Find `return` outside a function and `break` outside a loop, which `ast` lets pass."""
        pending = [(statement, in_loop) for statement in body]
        while pending:
            node, looping = pending.pop()
            if isinstance(node, ast.Return) and not in_function:
                raise self.error("'return' outside a function", node, "write the expression alone")
            if isinstance(node, ast.Break | ast.Continue) and not looping:
                word = "break" if isinstance(node, ast.Break) else "continue"
                raise self.error(f"'{word}' outside a loop", node)
            if isinstance(node, ast.If):
                pending += [(s, looping) for s in node.body + node.orelse]
            elif isinstance(node, ast.For | ast.While):
                pending += [(s, True) for s in node.body] + [(s, looping) for s in node.orelse]
            elif isinstance(node, ast.With):
                pending += [(s, looping) for s in node.body]


def _is_singleton(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and (node.value is None or isinstance(node.value, bool))
