"""Expressions: a method per kind of node."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gradcli.graph.budget import budget
from gradcli.graph.state import state
from gradcli.language import attributes, names, subscripts
from gradcli.language.diagnostics import ProgramError, did_you_mean
from gradcli.language.formatting import formatted
from gradcli.language.frames import Frame
from gradcli.language.index_tricks import IndexTrick
from gradcli.language.numbers import BINARY, NUMBERS
from gradcli.language.operations import ELEMENT_BYTES, binary, compare, iterate, key_of, listed, truth, unary
from gradcli.language.scope import Scopes
from gradcli.language.source import Spans
from gradcli.language.targets import Targets
from gradcli.language.values import FunctionValue, Iteration, LanguageValue

if TYPE_CHECKING:
    from gradcli.language.options import RunOptions

Comprehension = ast.ListComp | ast.DictComp | ast.GeneratorExp

_FLOATS = {ast.Add: float.__add__, ast.Sub: float.__sub__, ast.Mult: float.__mul__}


class Expressions(Targets):
    """The values of expressions, calls excepted."""

    def __init__(self, scopes: Scopes, spans: Spans, options: RunOptions) -> None:
        super().__init__(scopes, spans, options)
        self.expressions |= {
            ast.Attribute: self._attribute,
            ast.BinOp: self._bin_op,
            ast.BoolOp: self._bool_op,
            ast.Compare: self._compare,
            ast.Constant: self._constant,
            ast.Dict: self._dict,
            ast.DictComp: self._dict_comprehension,
            ast.GeneratorExp: self._generator,
            ast.IfExp: self._if_expression,
            ast.JoinedStr: self._joined_str,
            ast.List: self._list,
            ast.ListComp: self._list_comprehension,
            ast.Name: self.name,
            ast.Slice: self._slice,
            ast.Starred: self._starred,
            ast.Subscript: self._subscript,
            ast.Tuple: self._tuple,
            ast.UnaryOp: self._unary_op,
        }

    # --- names and constants ------------------------------------------------------------------------------------------

    def _constant(self, node: ast.Constant, frame: Frame) -> LanguageValue:
        return node.value

    def name(self, node: ast.Name, frame: Frame) -> LanguageValue:
        """What a name holds: a variable of this frame or one around it, else what the language means by it.

        Raises:
            ProgramError: nothing is bound to it.
        """
        name = node.id
        inner: Frame | None = frame
        while inner is not None:
            values = inner.values
            if name in values:
                return values[name]
            if name in inner.own:
                raise ProgramError(f"'{name}' is read before it is assigned", span=self.spans[node])
            inner = inner.parent
        found = names.bare(name, self.scopes.stars)
        if found is not ...:
            return found
        raise self._unbound(node)

    def _unbound(self, node: ast.Name) -> ProgramError:
        name = node.id
        if name in self.scopes.assigned:
            return ProgramError(f"'{name}' is read before it is assigned", span=self.spans[node])
        mend = did_you_mean(name, list(self.top.values))
        return ProgramError(f"'{name}' has no value", mend=mend, span=self.spans[node])

    def callee(self, node: ast.Name, frame: Frame) -> LanguageValue:
        """What a called name means: a built-in function shows through the user's number of the same name."""
        found = self.name(node, frame)
        if isinstance(found, FunctionValue):
            return found
        function = names.function_named(node.id, self.scopes.stars)
        return found if function is ... else function

    # --- operators ----------------------------------------------------------------------------------------------------

    def _bin_op(self, node: ast.BinOp, frame: Frame) -> LanguageValue:
        expressions = self.expressions
        left = node.left
        if type(left) is not ast.BinOp:
            return self._join(node, expressions[type(left)](left, frame), frame)
        # A chain of operators leans to the left as deep as it is long.
        chain = [node]
        while type(left) is ast.BinOp:
            chain.append(left)
            left = left.left
        value = expressions[type(left)](left, frame)
        while chain:
            value = self._join(chain.pop(), value, frame)
        return value

    def _join(self, node: ast.BinOp, left: LanguageValue, frame: Frame) -> LanguageValue:
        right_node = node.right
        right = self.expressions[type(right_node)](right_node, frame)
        kind = type(node.op)
        if type(left) is float and type(right) is float and kind in _FLOATS:
            return _FLOATS[kind](left, right)
        state.span = self.spans[node]
        if type(left) in NUMBERS and type(right) in NUMBERS:
            return BINARY[kind](left, right)
        return binary(kind, left, right)

    def _unary_op(self, node: ast.UnaryOp, frame: Frame) -> LanguageValue:
        inner = node.operand
        if type(inner) is not ast.UnaryOp:
            value = self.expressions[type(inner)](inner, frame)
            state.span = self.spans[node]
            return unary(type(node.op), value)
        chain = [node]
        while type(inner) is ast.UnaryOp:
            chain.append(inner)
            inner = inner.operand
        value = self.expressions[type(inner)](inner, frame)
        while chain:
            outer = chain.pop()
            state.span = self.spans[outer]
            value = unary(type(outer.op), value)
        return value

    def _bool_op(self, node: ast.BoolOp, frame: Frame) -> LanguageValue:
        stops = type(node.op) is ast.Or
        last = len(node.values) - 1
        for i, part in enumerate(node.values):
            value = self.expressions[type(part)](part, frame)
            if i == last:
                return value
            state.span = self.spans[part]
            if truth(value) is stops:
                return value
        raise AssertionError("and/or of nothing")

    def _compare(self, node: ast.Compare, frame: Frame) -> LanguageValue:
        left_node = node.left
        left = self.expressions[type(left_node)](left_node, frame)
        last = len(node.ops) - 1
        for i, right_node in enumerate(node.comparators):
            right = self.expressions[type(right_node)](right_node, frame)
            state.span = self.spans[node]
            found = compare(type(node.ops[i]), left, right)
            if i == last or not truth(found):
                return found
            left = right
        raise AssertionError("a comparison of nothing")

    def _if_expression(self, node: ast.IfExp, frame: Frame) -> LanguageValue:
        branch: ast.expr = node
        while type(branch) is ast.IfExp:
            branch = branch.body if self.holds(branch.test, frame) else branch.orelse
        return self.expressions[type(branch)](branch, frame)

    # --- attributes and elements --------------------------------------------------------------------------------------

    def _attribute(self, node: ast.Attribute, frame: Frame) -> LanguageValue:
        value = self.expressions[type(node.value)](node.value, frame)
        state.span = span = self.spans[node]
        return attributes.read(value, node.attr, span)

    def _subscript(self, node: ast.Subscript, frame: Frame) -> LanguageValue:
        value = self.expressions[type(node.value)](node.value, frame)
        if type(value) is IndexTrick:
            return self._trick(value, node, frame)
        index = self.expressions[type(node.slice)](node.slice, frame)
        state.span = self.spans[node]
        return subscripts.read(value, index)

    def _trick(self, trick: IndexTrick, node: ast.Subscript, frame: Frame) -> LanguageValue:
        """What an object such as `mgrid` makes of slices whose ends may be any numbers."""
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        found = [
            slice(*self._bounds(part, frame)) if isinstance(part, ast.Slice) else self.evaluate(part, frame)
            for part in parts
        ]
        state.span = self.spans[node]
        return trick.read(tuple(found) if isinstance(node.slice, ast.Tuple) else found[0])

    def _slice(self, node: ast.Slice, frame: Frame) -> LanguageValue:
        bounds = self._bounds(node, frame)
        state.span = self.spans[node]
        return subscripts.slice_of(*bounds)

    def _bounds(self, node: ast.Slice, frame: Frame) -> list[LanguageValue]:
        """The three parts of a slice, None for those left out."""
        return [
            None if bound is None else self.expressions[type(bound)](bound, frame)
            for bound in (node.lower, node.upper, node.step)
        ]

    # --- lists, tuples, dicts, texts ----------------------------------------------------------------------------------

    def _list(self, node: ast.List, frame: Frame) -> LanguageValue:
        return self.elements(node.elts, frame)

    def _tuple(self, node: ast.Tuple, frame: Frame) -> LanguageValue:
        return tuple(self.elements(node.elts, frame))

    def elements(self, nodes: list[ast.expr], frame: Frame) -> list[LanguageValue]:
        """The values of a list's, a tuple's or a call's parts; `*x` stands for those of x."""
        expressions = self.expressions
        found: list[LanguageValue] = []
        for node in nodes:
            if type(node) is ast.Starred:
                value = expressions[type(node.value)](node.value, frame)
                state.span = self.spans[node]
                found += listed(value, "'*'")
            else:
                found.append(expressions[type(node)](node, frame))
        return found

    def _starred(self, node: ast.Starred, frame: Frame) -> LanguageValue:
        raise ProgramError("'*' stands in a call, a list or a tuple only", span=self.spans[node])

    def _dict(self, node: ast.Dict, frame: Frame) -> LanguageValue:
        found: dict[Any, LanguageValue] = {}
        for key_node, value_node in zip(node.keys, node.values, strict=True):
            assert key_node is not None
            key = self.evaluate(key_node, frame)
            state.span = self.spans[key_node]
            found[key_of(key)] = self.evaluate(value_node, frame)
        return found

    def _joined_str(self, node: ast.JoinedStr, frame: Frame) -> LanguageValue:
        pieces = []
        for part in node.values:
            if isinstance(part, ast.Constant):
                pieces.append(str(part.value))
                continue
            assert isinstance(part, ast.FormattedValue)
            value = self.evaluate(part.value, frame)
            spec = self.evaluate(part.format_spec, frame) if part.format_spec is not None else ""
            state.span = self.spans[node]
            pieces.append(formatted(value, spec, chr(part.conversion) if part.conversion > 0 else None))
        budget.charge(sum(len(piece) for piece in pieces) * 4, "a text")
        return "".join(pieces)

    # --- comprehensions -----------------------------------------------------------------------------------------------

    def _list_comprehension(self, node: ast.ListComp, frame: Frame) -> LanguageValue:
        return self.comprehension(node, frame)

    def _dict_comprehension(self, node: ast.DictComp, frame: Frame) -> LanguageValue:
        pairs: list[Any] = self.comprehension(node, frame)
        return dict(pairs)

    def _generator(self, node: ast.GeneratorExp, frame: Frame) -> LanguageValue:
        return Iteration(iter(self.comprehension(node, frame)))

    def comprehension(
        self, node: Comprehension, frame: Frame, until: bool | None = None
    ) -> list[LanguageValue]:
        """All values of a comprehension, pairs of a dict's, or those up to the first whose truth is `until`."""
        inner = Frame(self.scopes.own[node], frame)
        first = node.generators[0].iter
        source = self.evaluate(first, frame)
        state.span = self.spans[first]
        found: list[LanguageValue] = []
        self._generate(node, 0, iterate(source), inner, found, until)
        return found

    def _generate(
        self,
        node: Comprehension,
        level: int,
        items: Iterator[LanguageValue],
        frame: Frame,
        found: list[LanguageValue],
        until: bool | None,
    ) -> bool:
        """Go through one `for` of a comprehension; True when it need not go on."""
        generator = node.generators[level]
        innermost = level + 1 == len(node.generators)
        for item in items:
            self.count_step()
            self.bind(generator.target, item, frame)
            if generator.ifs and not self._hold(generator.ifs, frame):
                continue
            if innermost:
                value = self._pair(node, frame) if isinstance(node, ast.DictComp) else self.evaluate(node.elt, frame)
                budget.charge(ELEMENT_BYTES, "a list")
                found.append(value)
                if until is not None and truth(value) is until:
                    return True
                continue
            source = node.generators[level + 1].iter
            value = self.evaluate(source, frame)
            state.span = self.spans[source]
            if self._generate(node, level + 1, iterate(value), frame, found, until):
                return True
        return False

    def _pair(self, node: ast.DictComp, frame: Frame) -> LanguageValue:
        key = self.evaluate(node.key, frame)
        state.span = self.spans[node.key]
        return key_of(key), self.evaluate(node.value, frame)

    def _hold(self, tests: list[ast.expr], frame: Frame) -> bool:
        for test in tests:  # noqa: SIM110  (`all` would call back through C)
            if not self.holds(test, frame):
                return False
        return True
