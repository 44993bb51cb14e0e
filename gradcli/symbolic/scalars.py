"""Exact scalars: a graph of elementary functions of exact numbers and of the inputs' elements.

A graph is four lists in order of creation, so that every reading of it is one pass, without recursion. Equal
applications are made once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any, NoReturn

import numpy as np
from mpmath import libmp
from mpmath.libmp import finf, fnan, fninf, fzero

from gradcli.graph.budget import budget
from gradcli.graph.errors import AbstractValue
from gradcli.symbolic.folding import SIMPLER
from gradcli.symbolic.functions import Raw, side

#: Names of nodes that are no application of a function.
NUMBER, INPUT = "number", "input"
#: Names of the nodes of an implicit result, see `gradcli.symbolic.implicit`.
GATE, UNKNOWN = "gate", "unknown"
#: A sum of any number of scalars; and an inner product, of the first half of its arguments with the second half.
SUM, DOT = "sum", "dot"
#: An element of a matrix that is computed with as a whole.
PART = "part"
#: Bytes that a scalar costs with its values, and how many are charged at a time.
_BYTES, _CHARGED = 600, 1 << 12
#: Bytes that each term of a sum costs more.
_BYTES_OF_TERM = 40
#: How many terms of sums there may be for each scalar.
_TERMS = 4
#: Sums of fewer terms are made of additions.
_FEW = 3

#: What may stand where a scalar is expected.
Number = Any


class Unprovable(Exception):
    """Something that the exact reading of a program can't follow; the message says what."""


class Degenerate(Unprovable):
    """The equations that define a result are singular at the point.

    Attributes:
        node: the node whose result it is, where that is known.
    """

    node: Any = None


class TooLarge(Unprovable):
    """The program has more scalar operations than can be proved."""


class Graph:
    """Scalars in order of creation.

    Attributes:
        functions: for each scalar the name of the function applied, or NUMBER or INPUT.
        arguments: the indices of its arguments; of an input, its own running number.
        numbers: the exact value of every NUMBER and INPUT; None where that is not known.
        bits: precision of the dtype that an engine rounds this scalar to, 0 where it does not.
        labels: for an input, what it is called: (name, flat index).
        limit: how many scalars there may be.
        folds: whether numbers are added up and multiplied as they come; formulas keep them as they were written.
        systems: the equations that stand behind a GATE.
        wholes: the places of all elements of the matrix that a PART belongs to.
        has_holes: whether an input is nan or infinite.
    """

    def __init__(self, limit: int | None = None, *, folds: bool = True) -> None:
        self.functions: list[str] = []
        self.arguments: list[tuple[int, ...]] = []
        self.numbers: dict[int, Raw | None] = {}
        self.bits = bytearray()
        self.labels: dict[int, tuple[str, int]] = {}
        self.limit = limit
        self.folds = folds
        self.systems: dict[int, Any] = {}
        self.wholes: dict[int, range] = {}
        self.has_holes = False
        self._is_number = bytearray()
        self._made: dict[str, dict[Any, int]] = {}
        self._numbers: dict[Raw, int] = {}
        self._reader: Any = None
        self._room = self._terms = 0

    def __len__(self) -> int:
        return len(self.functions)

    # --- making ------------------------------------------------------------------------------------------------------

    def number(self, value: Any) -> int:
        """The index of an exact number: that of a bool, an int, a float (its binary value) or a raw mpmath number."""
        raw = value if type(value) is tuple else exact(value)
        known = self._numbers
        found = known.get(raw)
        if found is None:
            found = known[raw] = self._append(NUMBER, ())
            self.numbers[found] = raw
            self._is_number[found] = 1
        return found

    def input(self, name: str, index: int, value: Raw | None) -> int:
        """A new input element, whose value is None where only its shape is known."""
        made = self._append(INPUT, ())
        self.numbers[made] = value
        self.has_holes = self.has_holes or value in (fnan, finf, fninf)
        self.labels[made] = (name, index)
        return made

    def leaf(self, index: int) -> int:
        """A new scalar of the same value, which a derivative is taken by."""
        return self._append("leaf", (index,))

    def whole(self, elements: Sequence[int]) -> range:
        """New scalars for the elements of a matrix, whose rounding is that of the largest among them.

        A stable algorithm for a factorisation, or for the solution of equations, gives the right answer for a matrix
        that is off by an ulp of its largest element, and so do rules for its derivative.
        """
        start = len(self.functions)
        made = range(start, start + len(elements))
        for index in elements:
            self.wholes[self._append(PART, (index,))] = made
        return made

    def gate(self, system: Any) -> int:
        """A new scalar that stands for solving equations; its arguments are set when they are known."""
        made = self._append(GATE, ())
        self.systems[made] = system
        return made

    def unknown(self, gate: int) -> int:
        """A new scalar: the next unknown of the equations behind a gate."""
        return self._append(UNKNOWN, (gate,))

    def apply(self, function: str, *arguments: int) -> int:
        """The index of a function's application, made at most once, and simplified where that is plain."""
        simple = SIMPLER.get(function)
        if simple is not None and (len(arguments) != 2 or any(map(self._is_number.__getitem__, arguments))):
            found = simple(self, *arguments)
            if found is not None:
                return found
        return self._once(function, arguments)

    def _once(self, function: str, arguments: tuple[int, ...]) -> int:
        known = self._made.get(function)
        if known is None:
            known = self._made[function] = {}
        made = known.get(arguments)
        if made is None:
            made = known[arguments] = self._append(function, arguments)
        return made

    def total(self, terms: Sequence[int]) -> int:
        """The index of a sum: of one node, unless there are few terms or formulas are to be kept as written."""
        if not self.folds or len(terms) < _FEW:
            return reduce(lambda a, b: self.apply("add", a, b), terms) if terms else self.number(0)
        numbers = [t for t in terms if self._is_number[t]]
        if not numbers:
            self._take_up_terms(len(terms))
            return self._once(SUM, tuple(terms))
        known = reduce(lambda a, b: self.apply("add", a, b), numbers)
        others = [t for t in terms if not self._is_number[t]]
        return self.apply("add", self.total(others), known)

    def inner(self, xs: Sequence[int], ys: Sequence[int]) -> int:
        """The index of an inner product: of one node, unless it is short or formulas are to be kept as written."""
        flags, nothing = self._is_number, self._numbers.get(fzero, -1)
        numeric = any(map(flags.__getitem__, xs)) or any(map(flags.__getitem__, ys))
        if numeric and self.folds:
            kept = [(x, y) for x, y in zip(xs, ys, strict=True) if x != nothing and y != nothing]
            known = [self.apply("mul", x, y) for x, y in kept if flags[x] and flags[y]]
            if known:
                others = [(x, y) for x, y in kept if not (flags[x] and flags[y])]
                return self.total([self._inner(others), *known])
            return self._inner(kept)
        return self._inner(list(zip(xs, ys, strict=True)))

    def _inner(self, pairs: Sequence[tuple[int, int]]) -> int:
        if not self.folds or len(pairs) < _FEW:
            return self.total([self.apply("mul", x, y) for x, y in pairs])
        self._take_up_terms(2 * len(pairs))
        xs, ys = zip(*pairs, strict=True)
        return self._once(DOT, (*xs, *ys))

    def _append(self, function: str, arguments: tuple[int, ...]) -> int:
        index = len(self.functions)
        if index >= self._room:
            self._make_room(index)
        self.functions.append(function)
        self.arguments.append(arguments)
        return index

    def expect(self, count: int) -> None:
        """Be told that at least so many scalars or products are to come.

        Raises:
            TooLarge: that is more than there may be.
        """
        if self.limit is not None and 2 * count > _TERMS * self.limit:
            self._refuse()

    def _take_up_terms(self, count: int) -> None:
        """Count the terms of a sum, some of which cost as much as a scalar."""
        budget.charge(_BYTES_OF_TERM * count, "the exact form of the program")
        self._terms += count
        if self.limit is not None and self._terms > _TERMS * self.limit:
            self._refuse()

    def _make_room(self, index: int) -> None:
        """Room for some more scalars.

        Raises:
            TooLarge: there are as many as there may be.
            LimitReached: they would not fit into memory.
        """
        if self.limit is not None and index >= self.limit:
            self._refuse()
        budget.charge(_BYTES * _CHARGED, "the exact form of the program")
        self._room = index + _CHARGED if self.limit is None else min(index + _CHARGED, self.limit)
        more = bytes(self._room - index)
        self.bits += more
        self._is_number += more

    def _refuse(self) -> NoReturn:
        raise TooLarge(
            f"the program has more than {self.limit:,} scalar operations (check it at smaller shapes, or choose "
            "inputs with --wrt and --method numeric)"
        )

    def round_from(self, start: int, bits: int) -> None:
        """Mark all applications made since `start` as rounded to `bits`."""
        for index in range(start, len(self.functions)):
            self.round_at(index, bits)

    def round_at(self, index: int, bits: int) -> None:
        """Mark one application as rounded to `bits`."""
        if self.functions[index] not in (NUMBER, INPUT, GATE):
            self.bits[index] = bits

    def forget(self) -> None:
        """Let go of what is needed to make equal applications once: no more will be made."""
        self._made.clear()

    # --- reading -----------------------------------------------------------------------------------------------------

    def is_number(self, index: int) -> bool:
        """Whether a scalar is an exact number."""
        return bool(self._is_number[index])

    def reader(self, make: Callable[[Graph], Any]) -> Any:
        """The evaluation that answers questions while the graph is being made; kept, so that it only ever extends."""
        if self._reader is None:
            self._reader = make(self)
        return self._reader


def exact(value: Any) -> Raw:
    """The exact binary value of a bool, an int or a float.

    Raises:
        Unprovable: it is a complex number.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bool | int):
        return libmp.from_int(int(value))
    if isinstance(value, float):
        return libmp.from_float(value)
    raise Unprovable(f"no exact number is known for {type(value).__name__} values")


class Scalar:
    """One scalar of a graph, with the operators that meanings are written in."""

    __slots__ = ("graph", "index")

    def __init__(self, graph: Graph, index: int) -> None:
        self.graph = graph
        self.index = index

    def __repr__(self) -> str:
        return f"<scalar {self.index} {self.graph.functions[self.index]}>"

    def _of(self, function: str, *others: Number) -> Any:
        graph = self.graph
        words = []
        for x in others:
            if isinstance(x, Scalar):
                words.append(x.index)
            elif isinstance(x, bool | int | float | np.generic):
                words.append(graph.number(x))
            else:
                return NotImplemented
        return Scalar(graph, graph.apply(function, *words))

    def __add__(self, other: Number) -> Any:
        return self._of("add", self, other)

    def __radd__(self, other: Number) -> Any:
        return self._of("add", other, self)

    def __sub__(self, other: Number) -> Any:
        return self._of("sub", self, other)

    def __rsub__(self, other: Number) -> Any:
        return self._of("sub", other, self)

    def __mul__(self, other: Number) -> Any:
        return self._of("mul", self, other)

    def __rmul__(self, other: Number) -> Any:
        return self._of("mul", other, self)

    def __truediv__(self, other: Number) -> Any:
        return self._of("div", self, other)

    def __rtruediv__(self, other: Number) -> Any:
        return self._of("div", other, self)

    def __pow__(self, other: Number) -> Any:
        return self._of("pow", self, other)

    def __rpow__(self, other: Number) -> Any:
        return self._of("pow", other, self)

    def __neg__(self) -> Any:
        return self._of("neg", self)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return self._of("abs", self)

    def conjugate(self) -> Scalar:
        """Itself: a scalar is real. (`np.conjugate` on an object array asks for it.)"""
        return self

    @property
    def real(self) -> Scalar:
        """Itself."""
        return self

    @property
    def imag(self) -> Scalar:
        """Zero."""
        return Scalar(self.graph, self.graph.number(0))

    def sqrt(self) -> Any:
        """Square root. (`np.sqrt` on an object array asks for it.)"""
        return self._of("sqrt", self)

    def exp(self) -> Any:
        """Exponential."""
        return self._of("exp", self)

    def log(self) -> Any:
        """Natural logarithm."""
        return self._of("log", self)

    # Comparisons look at the values, so that what NumPy does with objects (sorting, say) works.

    def __lt__(self, other: Number) -> bool:
        return self._against(other) < 0

    def __le__(self, other: Number) -> bool:
        return self._against(other) <= 0

    def __gt__(self, other: Number) -> bool:
        return self._against(other) > 0

    def __ge__(self, other: Number) -> bool:
        return self._against(other) >= 0

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Scalar) and other.index == self.index:
            return True
        return self._against(other) == 0

    def __hash__(self) -> int:
        return self.index

    def __bool__(self) -> bool:
        return self._against(0) != 0

    def _against(self, other: Any) -> int:
        difference = self._of("sub", self, other)
        if difference is NotImplemented:
            raise TypeError(f"cannot compare an exact number with {type(other).__name__}")
        return side(value_of(difference))


def value_of(x: Scalar) -> Raw:
    """The value of a scalar, now.

    Raises:
        AbstractValue: it depends on an input that is known by its shape alone.
    """
    from gradcli.symbolic.evaluate import Reader

    found: Raw | None = x.graph.reader(Reader).value(x.index)
    if found is None:
        raise AbstractValue("the formula depends on the inputs' values", mend="give the inputs' values")
    return found
