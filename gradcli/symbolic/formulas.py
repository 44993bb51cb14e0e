"""Derivatives as formulas: of an abstract run, by SymPy, in the program's own names."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import sympy

from gradcli.graph.errors import ArgumentError, NotDifferentiable
from gradcli.graph.node import Node
from gradcli.graph.recording import Recording
from gradcli.graph.values import CoreValue, dtype_of, shape_of
from gradcli.symbolic.complexes import Complex
from gradcli.symbolic.indexed import indexed
from gradcli.symbolic.lowering import lower
from gradcli.symbolic.printers import Names, PythonPrinter, TexPrinter, TextPrinter, tex_name
from gradcli.symbolic.scalars import Unprovable
from gradcli.symbolic.simplify import Simplifier
from gradcli.symbolic.to_sympy import Expressions, differentiated

#: How many element formulas are written out.
ELEMENTS = 256
#: How many scalars an abstract program may have.
_LIMIT = 400_000

Index = tuple[Any, ...]


class Part(NamedTuple):
    """A thing that a derivative is of or by: a name, and the index of an element; () for a scalar, ("i",) for any."""

    name: str
    at: Index = ()

    def __str__(self) -> str:
        return self.name if not self.at else f"{self.name}[{', '.join(str(n) for n in self.at)}]"


class Formula(NamedTuple):
    """One derivative: `of` by each of `by`, as a SymPy expression."""

    of: Part
    by: tuple[Part, ...]
    expression: Any


class Formulas:
    """The derivatives of a program.

    Attributes:
        derivative: "gradient", "jacobian" or "hessian".
        formulas: one per element, or per generic element.
        shapes: the declared inputs' shapes, in order.
    """

    def __init__(
        self,
        derivative: str,
        formulas: Sequence[Formula],
        shapes: Mapping[str, tuple[int, ...]],
        by: Sequence[str],
        names: Names,
        decimals: bool,
        several: bool,
        numbers: Mapping[str, str] | None = None,
    ) -> None:
        self.derivative = derivative
        self.formulas = tuple(formulas)
        self.shapes = dict(shapes)
        self._by = tuple(by)
        self._names = names
        self._decimals = decimals
        self._several = several
        self._numbers = numbers or {}

    @property
    def scalar(self) -> bool:
        """Whether everything is a scalar, so that a formula needs no left side."""
        return not any(part.at for f in self.formulas for part in (f.of, *f.by))

    def text(self) -> str:
        """The language's own text."""
        written = TextPrinter(self._names, self._decimals)
        lines = []
        for f in self.formulas:
            right = written.doprint(f.expression)
            if not self.scalar:
                lines.append(f"{_differential(f)} = {right}")
            elif len(self.formulas) == 1:
                lines.append(right)
            else:
                lines += [f"# {self._key(f)}", right]
        return "\n".join(lines)

    def latex(self) -> str:
        """LaTeX for mathematics mode, one equation per line."""
        written = TexPrinter(self._names, self._decimals)
        if self.scalar and len(self.formulas) == 1:
            return str(written.doprint(self.formulas[0].expression))
        return "\n".join(f"{_tex_differential(f)} = {written.doprint(f.expression)}" for f in self.formulas)

    def to_json(self) -> dict[str, Any]:
        """Formulas and their LaTeX by input (a Hessian's by "x y"); by element where inputs are arrays."""
        written, tex = TextPrinter(self._names, self._decimals), TexPrinter(self._names, self._decimals)
        found: dict[str, Any] = {"derivative": self.derivative, "formulas": {}, "latex": {}}
        for f in self.formulas:
            found["formulas"][self._key(f)] = str(written.doprint(f.expression))
            found["latex"][self._key(f)] = str(tex.doprint(f.expression))
        return found

    def _key(self, f: Formula) -> str:
        words = [str(part) for part in f.by]
        return " ".join([self._label(f.of), *words] if self._several or f.of.at else words)

    def _label(self, of: Part) -> str:
        """An output as all commands label it: by its number where it has no name."""
        return self._numbers.get(of.name, of.name) if not of.at else str(of)

    # --- Python ------------------------------------------------------------------------------------------------------

    def python(self) -> str:
        """A module with one function of the program's inputs that returns the derivative's arrays."""
        parameters = ", ".join(self.shapes)
        np_, special = self._names.free("np"), self._names.free("special")
        results = [self._array(self._names.free(f"d{n}"), block) for n, block in enumerate(self._blocks())]
        body = "\n".join(line for _, lines in results for line in lines)
        names = ", ".join(name for name, _ in results)
        imports = f"import numpy as {np_}\n"
        if f"{special}." in body:
            imports += "from scipy import special" + (f" as {special}" if special != "special" else "") + "\n"
        what = f"The {self.derivative} by {', '.join(self._by)}"
        return f'{imports}\n\ndef {self.derivative}({parameters}):\n    """{what}."""\n{body}\n    return {names}\n'

    def _blocks(self) -> list[list[Formula]]:
        """Formulas that make one array: of the same output by the same inputs."""
        found: dict[Any, list[Formula]] = {}
        for f in self.formulas:
            found.setdefault((f.of.name, *(part.name for part in f.by)), []).append(f)
        return list(found.values())

    def _array(self, name: str, block: Sequence[Formula]) -> tuple[str, list[str]]:
        written, np_ = PythonPrinter(self._python_names(block), False), self._names.free("np")
        first = block[0]
        if first.by[-1].at == ("i",):
            whole = written.doprint(first.expression)
            source = first.by[-1].name
            return name, [f"    {name} = {np_}.broadcast_to({whole}, {np_}.shape({source}))"]
        shape = tuple(n for part in (first.of, *first.by) for n in self._shape(part, block))
        cells = ",\n        ".join(written.doprint(f.expression) for f in block)
        if not shape:
            return name, [f"    {name} = {cells}"]
        return name, [f"    {name} = {np_}.array([\n        {cells},\n    ], dtype=float).reshape({shape!r})"]

    def _shape(self, part: Part, block: Sequence[Formula]) -> tuple[int, ...]:
        if not part.at:
            return ()
        ends = [p.at for f in block for p in (f.of, *f.by) if p.name == part.name]
        return tuple(max(int(n) for n in axis) + 1 for axis in zip(*ends, strict=True))

    def _python_names(self, block: Sequence[Formula]) -> Names:
        names = Names(self._names.taken)
        names.sums = self._names.sums
        names.whole = any(part.at == ("i",) for f in block for part in f.by)
        return names


def _differential(f: Formula) -> str:
    if len(f.by) == 1:
        return f"d {f.of}/d {f.by[0]}"
    return f"d2 {f.of}/" + " ".join(f"d {part}" for part in f.by)


def _tex_differential(f: Formula) -> str:
    order = "" if len(f.by) == 1 else f"^{{{len(f.by)}}}"
    below = r" ".join(rf"\partial {tex_name(str(part))}" for part in f.by)
    return rf"\frac{{\partial{order} {tex_name(str(f.of))}}}{{{below}}}"


def derive(
    recording: Recording,
    outputs: Sequence[CoreValue],
    inputs: Mapping[str, Node],
    *,
    derivative: str = "gradient",
    output_names: Sequence[str | None] | None = None,
) -> Formulas:
    """The derivatives of an abstract run of a program as formulas.

    `inputs` are those to differentiate by, in order. A gradient or Hessian is of one scalar.

    Raises:
        ArgumentError: the derivative is not defined for these outputs, or is too large to be written out.
        AbstractValue: the program's meaning depends on its inputs' values.
        NotDifferentiable: an output is no float, or an op has no exact meaning.
    """
    names = _names(output_names or [None] * len(outputs))
    _check(outputs, derivative)
    try:
        if derivative == "gradient" and any(node.shape != () for node in _all_inputs(recording).values()):
            found = _indexed_gradient(recording, outputs[0], inputs, names[0])
            if found is not None:
                return found
        unnamed = frozenset(names).difference(output_names or ())
        return _Elements(recording, outputs, inputs, derivative, names, unnamed).formulas()
    except RecursionError:
        raise ArgumentError("the formula is nested too deeply for SymPy") from None


def _names(given: Sequence[str | None]) -> list[str]:
    """What outputs are called: a name that two of them have tells nothing."""
    if len(given) == 1:
        return [given[0] or "out"]
    named = [name for name in given if name]
    if len(set(named)) < len(named):
        return [f"out{i}" for i in range(len(given))]
    return [name or f"out{i}" for i, name in enumerate(given)]


def _check(outputs: Sequence[CoreValue], derivative: str) -> None:
    if derivative not in ("gradient", "jacobian", "hessian"):
        raise ArgumentError(f"no derivative is called '{derivative}'", mend="gradient, jacobian or hessian")
    if derivative != "jacobian" and (len(outputs) != 1 or shape_of(outputs[0]) != ()):
        raise ArgumentError(f"a {derivative} is of one scalar", mend="sum it, or derive the jacobian")
    for y in outputs:
        if dtype_of(y).kind not in "fc":
            raise NotDifferentiable(f"a result of dtype {dtype_of(y)} can't be differentiated")


def _all_inputs(recording: Recording) -> dict[str, Node]:
    return {node.params["name"]: node for node in recording.nodes if node.op is None and "name" in node.params}


def _indexed_gradient(
    recording: Recording, output: CoreValue, inputs: Mapping[str, Node], name: str
) -> Formulas | None:
    known = _all_inputs(recording)
    form = indexed(output, known)
    if form is None:
        return None
    names = Names(frozenset(known))
    names.sums = form.sums
    simplifier = Simplifier()
    found = []
    for key, expression in form.gradient(list(inputs)).items():
        at: Index = () if inputs[key].shape == () else ("i",)
        found.append(Formula(Part(name), (Part(key, at),), simplifier.best(expression)))
    for s in form.sums:
        form.sums[s] = simplifier.best(form.sums[s])
    shapes = {key: node.shape for key, node in known.items()}
    return Formulas("gradient", found, shapes, list(inputs), names, form.decimals, False)


class _Elements:
    """Formulas element by element."""

    def __init__(
        self,
        recording: Recording,
        outputs: Sequence[CoreValue],
        inputs: Mapping[str, Node],
        derivative: str,
        names: Sequence[str],
        unnamed: frozenset[str],
    ) -> None:
        self.unnamed = unnamed
        self.known = _all_inputs(recording)
        self.outputs = outputs
        self.inputs = inputs
        self.derivative = derivative
        self.names = names
        self.simplifier = Simplifier()
        self._check_count()

    def _check_count(self) -> None:
        rows = sum(math.prod(shape_of(y)) for y in self.outputs)
        columns = sum(math.prod(node.shape) for node in self.inputs.values())
        count = columns * columns if self.derivative == "hessian" else rows * columns
        if count > ELEMENTS:
            raise ArgumentError(
                f"the {self.derivative} has {count:,} elements, and formulas are written out for up to {ELEMENTS}",
                mend="give smaller shapes with --shape",
            )

    def formulas(self) -> Formulas:
        """All of them."""
        expressions, rows = self._expressions()
        symbols = {name: self._symbols(name, node) for name, node in self.inputs.items()}
        made = []
        for of, expression in rows:
            write = self._second if self.derivative == "hessian" else self._first
            made += write(of, expression, symbols)
        shapes = {key: node.shape for key, node in self.known.items()}
        names = Names(frozenset(self.known))
        several = len(self.outputs) > 1
        numbers = {name: str(i) for i, name in enumerate(self.names) if name in self.unnamed} if several else {}
        return Formulas(self.derivative, made, shapes, list(self.inputs), names, expressions.decimals, several, numbers)

    def _expressions(self) -> tuple[Expressions, list[tuple[Part, Any]]]:
        try:
            lowered = lower(self.outputs, self.known, live=True, limit=_LIMIT, folds=False)
        except Unprovable as error:
            raise NotDifferentiable(f"there is no formula: {error}") from error
        expressions = Expressions(lowered.graph, lambda name, index: self._symbol(name, self.known[name].shape, index))
        rows: list[tuple[Part, Any]] = []
        for name, y, cells in zip(self.names, self.outputs, lowered.outputs, strict=True):
            flat = cells.ravel()
            if any(isinstance(x, Complex) for x in flat):
                raise NotDifferentiable("there are no formulas for complex results")
            found = expressions.of([x.index for x in flat])
            indices = list(np.ndindex(shape_of(y)))
            rows += [(Part(name, tuple(index)), e) for index, e in zip(indices, found, strict=True)]
        return expressions, rows

    def _symbol(self, name: str, shape: tuple[int, ...], index: int) -> Any:
        place = () if shape == () else tuple(int(n) for n in np.unravel_index(index, shape))
        return sympy.Symbol(str(Part(name, place)), real=True)

    def _symbols(self, name: str, node: Node) -> list[tuple[Part, Any]]:
        if node.dtype.kind == "c":
            raise NotDifferentiable("there are no formulas for complex inputs")
        places = list(np.ndindex(node.shape))
        return [(Part(name, tuple(place)), self._symbol(name, node.shape, i)) for i, place in enumerate(places)]

    def _first(self, of: Part, expression: Any, symbols: Mapping[str, list[tuple[Part, Any]]]) -> list[Formula]:
        found = []
        for places in symbols.values():
            for part, symbol in places:
                found.append(Formula(of, (part,), self.simplifier.best(differentiated(expression, symbol))))
        return found

    def _second(self, of: Part, expression: Any, symbols: Mapping[str, list[tuple[Part, Any]]]) -> list[Formula]:
        found = []
        for rows in symbols.values():
            for row, by_row in rows:
                first = differentiated(expression, by_row)
                for columns in symbols.values():
                    for column, by_column in columns:
                        second = self.simplifier.best(differentiated(first, by_column))
                        found.append(Formula(of, (row, column), second))
        return _by_block(found)


def _by_block(formulas: list[Formula]) -> list[Formula]:
    """Hessian elements in the order of their blocks."""
    blocks: dict[tuple[str, ...], list[Formula]] = {}
    for f in formulas:
        blocks.setdefault(tuple(part.name for part in f.by), []).append(f)
    return [f for block in blocks.values() for f in block]
