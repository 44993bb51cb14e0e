"""Declared inputs: `X: float[n, d]`, what they promise, and how dimension names are bound and checked."""

from __future__ import annotations

import ast
from typing import NamedTuple

from gradcli.language.diagnostics import ProgramError
from gradcli.language.source import Span, Spans

#: Kinds that a declaration may name.
KINDS = ("float", "int", "bool", "complex")

#: One axis of a declaration: a number, a dimension name, or an expression of them.
Dimension = int | str | ast.expr


class InputDecl(NamedTuple):
    """An input of a program.

    Attributes:
        name: the name.
        kind: "float", "int", "bool" or "complex" where it is declared, else None (anything numeric).
        dims: its axes: numbers, dimension names, or expressions of them as text; None where no shape is declared.
        has_default: whether it may be left out.
        span: where the program first names it.
        default: the default's expression, or None.
        axes: `dims` with expressions as syntax trees.
    """

    name: str
    kind: str | None
    dims: tuple[int | str, ...] | None
    has_default: bool
    span: Span
    default: ast.expr | None = None
    axes: tuple[Dimension, ...] | None = None

    @property
    def declared(self) -> str:
        """The declaration as it is written: `float[n, d]`."""
        kind = self.kind or "float"
        return f"{kind}[{', '.join(str(d) for d in self.dims)}]" if self.dims else kind


def undeclared(name: str, span: Span) -> InputDecl:
    """An input of which the program says nothing but its name."""
    return InputDecl(name, None, None, False, span)


def declared(name: str, annotation: ast.expr, default: ast.expr | None, spans: Spans) -> InputDecl:
    """The input that `name: annotation = default` declares.

    Raises:
        ProgramError: the annotation is no kind with dimensions.
    """
    kind, axes = annotated(annotation, spans)
    dims = tuple(axis if isinstance(axis, int | str) else ast.unparse(axis) for axis in axes)
    return InputDecl(name, kind, dims, default is not None, spans[annotation], default, axes)


def is_kind(annotation: ast.expr | None) -> bool:
    """Whether an annotation (of a parameter, where anything may stand) is a declaration."""
    if isinstance(annotation, ast.Subscript):
        annotation = annotation.value
    return isinstance(annotation, ast.Name) and annotation.id in KINDS


def annotated(annotation: ast.expr, spans: Spans) -> tuple[str, tuple[Dimension, ...]]:
    """Kind and axes of an annotation.

    Raises:
        ProgramError: it is of another form.
    """
    base = annotation.value if isinstance(annotation, ast.Subscript) else annotation
    if not (isinstance(base, ast.Name) and base.id in KINDS):
        raise ProgramError(
            "an input is declared as float, int, bool or complex",
            mend="write x: float, or X: float[n, d]",
            span=spans[annotation],
        )
    if not isinstance(annotation, ast.Subscript):
        return base.id, ()
    index = annotation.slice
    elements = index.elts if isinstance(index, ast.Tuple) else [index]
    return base.id, tuple(_dimension(element, spans) for element in elements)


def _dimension(node: ast.expr, spans: Spans) -> Dimension:
    if isinstance(node, ast.Constant) and type(node.value) is int and node.value >= 0:
        return node.value
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub | ast.Mult | ast.FloorDiv):
        _dimension(node.left, spans)
        _dimension(node.right, spans)
        return node
    raise ProgramError("a dimension is a name, a number, or a sum, difference or product of them", span=spans[node])


def dimension_names(axes: tuple[Dimension, ...]) -> list[str]:
    """The names in axes, in order."""
    found = []
    for axis in axes:
        if isinstance(axis, str):
            found.append(axis)
        elif isinstance(axis, ast.BinOp):
            found += dimension_names((_part(axis.left), _part(axis.right)))
    return found


def _part(node: ast.expr) -> Dimension:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Constant) and isinstance(node.value, int):
        return node.value
    return node


class Dimensions:
    """Dimension names and what they are bound to, and by whom."""

    def __init__(self) -> None:
        self.sizes: dict[str, int] = {}
        self.origin: dict[str, str] = {}

    def bind(self, name: str, size: int, origin: str) -> None:
        """Bind a name on the word of `origin`; nothing happens if it is bound."""
        if name not in self.sizes:
            self.sizes[name] = size
            self.origin[name] = origin

    def size(self, axis: Dimension) -> int | None:
        """The length that an axis must have, or None while a name in it is unbound."""
        if isinstance(axis, int):
            return axis
        if isinstance(axis, str):
            return self.sizes.get(axis)
        assert isinstance(axis, ast.BinOp)
        left, right = self.size(_part(axis.left)), self.size(_part(axis.right))
        if left is None or right is None:
            return None
        if isinstance(axis.op, ast.Add):
            return left + right
        if isinstance(axis.op, ast.Sub):
            return left - right
        if isinstance(axis.op, ast.Mult):
            return left * right
        return left // right if right else None

    def learn(self, decl: InputDecl, shape: tuple[int, ...]) -> None:
        """Bind the names of a declaration to the axes of the value given for it; of `n + 1`, n to one less."""
        if decl.axes is not None and len(decl.axes) == len(shape):
            pairs = list(zip(decl.axes, shape, strict=True))
            for axis, length in sorted(pairs, key=lambda pair: not isinstance(pair[0], str)):
                self._solve(axis, length, decl.name)

    def _solve(self, axis: Dimension, length: int, origin: str) -> None:
        """Bind the one unbound name of an axis, if there is a size that gives it this length."""
        if length < 0 or isinstance(axis, int):
            return
        if isinstance(axis, str):
            self.bind(axis, length, origin)
            return
        assert isinstance(axis, ast.BinOp)
        left, right = _part(axis.left), _part(axis.right)
        known, other = self.size(left), right
        if known is None:
            known, other = self.size(right), left
        if known is None or self.size(other) is not None:
            return
        if isinstance(axis.op, ast.Add):
            self._solve(other, length - known, origin)
        elif isinstance(axis.op, ast.Sub):
            self._solve(other, length + known if other is left else known - length, origin)
        elif isinstance(axis.op, ast.Mult) and known and length % known == 0:
            self._solve(other, length // known, origin)

    def check(self, decl: InputDecl, shape: tuple[int, ...]) -> None:
        """See that a value's shape is the declared one.

        Raises:
            ProgramError: it is not; names both, and who bound the dimension that differs.
        """
        if decl.axes is None or decl.dims is None:
            return
        if len(decl.axes) != len(shape):
            wanted = "a scalar" if not decl.axes else "1 axis" if len(decl.axes) == 1 else f"{len(decl.axes)} axes"
            raise self._mismatch(decl, shape, f"is declared {decl.declared} ({wanted})")
        for axis, length in zip(decl.axes, shape, strict=True):
            size = self.size(axis)
            if size is not None and size != length:
                raise self._mismatch(decl, shape, f"is declared {decl.declared}{self._where(axis)}")

    def _where(self, axis: Dimension) -> str:
        names = dict.fromkeys(dimension_names((axis,)))
        found = [f"{n} is {self.sizes[n]} (from {self.origin[n]})" for n in names if n in self.sizes]
        return ", where " + " and ".join(found) if found else ""

    def _mismatch(self, decl: InputDecl, shape: tuple[int, ...], promise: str) -> ProgramError:
        return ProgramError(f"input '{decl.name}' has shape {list(shape)}, but {promise}", span=decl.span)
