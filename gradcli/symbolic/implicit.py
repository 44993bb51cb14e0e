"""Results that a program defines by equations: eigenvectors, factors of a matrix, square roots of it, fixed points.

A meaning says `y = S.implicit(equations, start)`:

    start      a list of floats: the solution as NumPy has it, of `S.float(cell)` of the operands' cells
    equations  a function of a list of cells y_0.. that returns as many cells, all of them 0 at the solution

    def eigenvalue_and_vector(S, a):          # of a symmetric 2 x 2 matrix, the first one
        w, v = np.linalg.eigh([[S.float(x) for x in row] for row in a])
        return S.implicit(lambda y: [a[0, 0]*y[1] + a[0, 1]*y[2] - y[0]*y[1],
                                     a[1, 0]*y[1] + a[1, 1]*y[2] - y[0]*y[2],
                                     y[1]*y[1] + y[2]*y[2] - 1], [w[0], v[0, 0], v[1, 0]])

It gets cells that are the solution to any precision and can be differentiated to any order. Numbers are real: split
complex equations into parts. The equations must tell one solution from others nearby: where their Jacobian is singular
(equal eigenvalues) the program is looked at beside the point, see `gradcli.symbolic.degenerate`. Equations that fall
apart (one eigenpair knows nothing of the next) cost little.
Meanings that can't look at values (`derive`) get `S.Unknown` from `S.float`.

How it works. In the graph stand a gate, whose arguments are the scalars that the equations read, then the unknowns,
then the equations. Evaluating the gate is Newton's method at the precision in force. An adjoint g of the unknowns
becomes -w of the equations, where w solves J.T w = g with their Jacobian J; where the derivative itself goes into the
graph, w are the unknowns of such linear equations, and so on to any order (the implicit function theorem).

With random ulps, the solution is that of equations of which every operation is off by one. Beside that the operands of
a factorisation are off by an ulp of their largest element, see `Graph.whole`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import getcontext
from typing import Any

from gradcli.symbolic.arithmetic import value_at
from gradcli.symbolic.chain import Chain
from gradcli.symbolic.evaluate import Reader
from gradcli.symbolic.linear import Factors, Singular
from gradcli.symbolic.noise import Disturbance
from gradcli.symbolic.numbers import ONE, UNDEFINED, ZERO, Number, digits_of, from_raw
from gradcli.symbolic.scalars import NUMBER, Degenerate, Graph, Scalar, Unprovable

#: How often a solution is improved before it counts as not found.
_STEPS = 60
#: How many digits a step must gain, or the Jacobian is taken anew.
_GAIN = 6
#: A pivot below 10 to this, of a scaled Jacobian at the solution, counts as nothing.
_SINGULAR = -16
#: How far from the start the solution may be, in parts of its largest element: 10 to this.
_FAR = -3
#: Digits of the solution that is found to see whether there is one, and beyond the precision in force.
_CHECKED, _GUARD = 90, 10

#: The exponent of nothing.
_NOTHING = -(1 << 60)

_UNSOLVED = "the equations that define its result are singular at this point, as they are for equal eigenvalues"
_TOO_FAR = "the equations that define its result have no solution near the one that the program found"


class System:
    """Equations in a graph, and their solution.

    Attributes:
        gate: the scalar that stands for solving them; its arguments are what the equations read.
        unknowns: the solution's scalars, which follow the gate.
        residuals: what is 0 at the solution.
        jacobian: for each equation its derivatives {number of the unknown: scalar}, those that are not 0 everywhere.
        inner: derivatives of the equations by what they read, the unknowns held fast.
    """

    def __init__(self, graph: Graph, start: Sequence[float]) -> None:
        self.graph = graph
        self.start = [Number(float(x)) for x in start]
        self.gate = graph.gate(self)
        self.unknowns = [graph.unknown(self.gate) for _ in start]
        self.is_linear = False

    def close(self, residuals: Sequence[int]) -> None:
        """Take up the equations.

        Raises:
            Unprovable: there are not as many as unknowns.
        """
        if len(residuals) != len(self.unknowns):
            raise Unprovable(f"{len(self.unknowns)} unknowns are given by {len(residuals)} equations")
        self.residuals = list(residuals)
        inside, self.frontier = self._reached(self.residuals)
        self.graph.arguments[self.gate] = tuple(self.frontier)
        by_unknowns = _Local(self.graph, self.unknowns, inside)
        one = self.graph.number(1)
        self.jacobian = [self._row(by_unknowns.backward({r: one})) for r in self.residuals]
        self.inner = _Local(self.graph, [f for f in self.frontier if not self.graph.is_number(f)], inside)
        # The Jacobian may read what was made before the gate and the equations don't read themselves.
        _, self.frontier = self._reached([*self.residuals, *(p for row in self.jacobian for p in row.values())])
        self.graph.arguments[self.gate] = tuple(self.frontier)
        self._steps: list[int] | None = None
        self._cone: list[int] | None = None
        self._reads: frozenset[int] | None = None

    def _row(self, found: Mapping[int, int]) -> dict[int, int]:
        first = self.unknowns[0]
        return {u - first: p for u, p in found.items() if p != self.graph.number(0)}

    def _reached(self, roots: Iterable[int]) -> tuple[list[int], list[int]]:
        """What the equations are made of, in order: from the gate on, and before it."""
        graph, gate, known = self.graph, self.gate, set(self.unknowns)
        inside, outside, pending = set(), set(), list(roots)
        while pending:
            index = pending.pop()
            if index < gate:
                outside.add(index)
            elif index not in inside and index not in known:
                if index in graph.systems:
                    raise Unprovable("an implicit result inside the equations of another can't be proved")
                inside.add(index)
                pending.extend(graph.arguments[index])
        return sorted(inside), sorted(outside)

    # --- the solution ------------------------------------------------------------------------------------------------

    def _plan(self) -> list[int]:
        """What is evaluated for the equations and their Jacobian, given what they read and the unknowns."""
        if self._steps is None:
            graph, seen = self.graph, {*self.frontier, *self.unknowns}
            pending = [*self.residuals, *(p for row in self.jacobian for p in row.values())]
            wanted = []
            while pending:
                index = pending.pop()
                if index not in seen:
                    seen.add(index)
                    wanted.append(index)
                    pending.extend(graph.arguments[index])
            self._steps = sorted(wanted)
        return self._steps

    def solved(self, values: Sequence[Any] | Mapping[int, Any], digits: int, noise: Disturbance | None) -> list[Number]:
        """The solution; undefined where it can't be found."""
        given = {f: values[f] for f in self.frontier}
        try:
            with digits_of(digits + _GUARD):
                return self._solved(given, noise)
        except Singular:
            return [UNDEFINED] * len(self.unknowns)

    def _solved(self, given: Mapping[int, Number], noise: Disturbance | None) -> list[Number]:
        if not all(x.is_finite() for x in given.values()):
            raise Singular
        y = self._refined(given)
        if noise is None or not any(self.graph.bits[index] for index in self._plan()):
            return y
        local = self._evaluated(given, y, noise)
        off = self._factors(given, y).solve([local[r] for r in self.residuals])
        return [x - d for x, d in zip(y, off, strict=True)]

    def check(self, reader: Reader) -> None:
        """Solve once.

        Raises:
            Degenerate: there is no solution near the start, or the Jacobian is singular there.
            Unprovable: the equations read what is undefined.
        """
        given = {}
        for f in self.frontier:
            x = reader.number(f)
            if x is None or not x.is_finite():
                raise Unprovable("the equations that define its result read what is undefined")
            given[f] = x
        try:
            with digits_of(_CHECKED):
                y = self._refined(given)
                smallest = self._factors(given, y).smallest
        except Singular:
            raise Degenerate(_UNSOLVED) from None
        if smallest < _SINGULAR:
            raise Degenerate(_UNSOLVED)
        off = [x - first for x, first in zip(y, self.start, strict=True)]
        if _size(off) > _size(self.start) + _FAR:
            raise Degenerate(_TOO_FAR)

    def _refined(self, given: Mapping[int, Number]) -> list[Number]:
        """Newton's method from the start, the Jacobian taken anew where it gains too little."""
        digits = getcontext().prec
        y = list(self.start)
        factors, before = None, _NOTHING
        for _ in range(_STEPS):
            local = self._evaluated(given, y)
            is_fresh = factors is None
            if factors is None:
                factors = Factors(self._numbers(local), _sizes(y))
            step = factors.solve([local[r] for r in self.residuals])
            moved = [x - d for x, d in zip(y, step, strict=True)]
            if not all(x.is_finite() for x in moved):
                raise Singular
            change = _size(step) - _size(moved)
            is_slow = change > before - max(_GAIN, digits // _STEPS * 3)
            is_stuck = is_fresh and _NOTHING < before <= change < -digits // 2  # no better at this conditioning
            if not any(step) or change <= 2 - digits or is_stuck or (is_slow and change < _GUARD - digits):
                return moved
            if is_slow:
                factors = None
            if is_fresh or not is_slow:  # a step by an old Jacobian that gains nothing may lead astray
                y, before = moved, change
        raise Singular

    def _factors(self, given: Mapping[int, Number], y: Sequence[Number]) -> Factors:
        return Factors(self._numbers(self._evaluated(given, y)), _sizes(y))

    def _numbers(self, local: Mapping[int, Number]) -> list[dict[int, Number]]:
        return [{j: local[p] for j, p in row.items()} for row in self.jacobian]

    def _evaluated(
        self, given: Mapping[int, Number], y: Sequence[Number], noise: Disturbance | None = None
    ) -> dict[int, Number]:
        """The equations and their Jacobian at a trial solution."""
        local = dict(given)
        local.update(zip(self.unknowns, y, strict=True))
        graph = self.graph
        names, arguments, bits = graph.functions, graph.arguments, graph.bits
        for index in self._plan():
            name = names[index]
            if name == NUMBER:
                local[index] = from_raw(graph.numbers[index])
                continue
            found = value_at(name, [local[a] for a in arguments[index]])
            local[index] = found if noise is None or not bits[index] else noise.moved(found, bits[index])
        return local

    # --- its derivatives ---------------------------------------------------------------------------------------------

    def partials(self) -> set[int]:
        """The scalars that numeric derivatives read."""
        read = {p for row in self.jacobian for p in row.values()}
        return read | self.inner.partials([self.cone()])

    def cone(self) -> list[int]:
        """The equations' scalars through which derivatives flow, users before what they use."""
        if self._cone is None:
            found = {index for r in self.residuals for index in self.inner.cone(r)}
            self._cone = sorted(found, reverse=True)
        return self._cone

    @property
    def reads(self) -> frozenset[int]:
        """The scalars that the solution's derivatives flow to."""
        if self._reads is None:
            self._reads = frozenset(self.cone())
        return self._reads

    def weights(
        self, factors: Factors | None, adjoints: Mapping[int, Number], noise: Disturbance | None
    ) -> dict[int, Number]:
        """Adjoints of the unknowns as adjoints of the equations, in numbers."""
        if factors is None:
            return dict.fromkeys(self.residuals, UNDEFINED)
        found = factors.solve_transposed([adjoints.get(u, ZERO) for u in self.unknowns])
        bits = self.graph.bits[self.unknowns[0]]
        if noise is not None and bits:
            found = [noise.moved(x, bits) for x in found]
        return {r: -x for r, x in zip(self.residuals, found, strict=True)}

    def factored(self, values: Sequence[Any], noise: Disturbance | None) -> Factors | None:
        """The Jacobian at an evaluation, ready to be solved with; None where it is singular."""
        rows = [{j: values[p] for j, p in row.items()} for row in self.jacobian]
        if noise is not None and (bits := self.graph.bits[self.unknowns[0]]):
            rows = [{j: noise.moved(x, bits) for j, x in row.items()} for row in rows]
        try:
            return Factors(rows, _sizes([values[u] for u in self.unknowns]))
        except Singular:
            return None

    def pulled(self, adjoints: Mapping[int, int]) -> dict[int, int]:
        """Adjoints of the unknowns {scalar: scalar}, as adjoints of what the equations read; into the graph."""
        graph, nothing = self.graph, self.graph.number(0)
        transposed: list[dict[int, int]] = [{} for _ in self.unknowns]
        for i, row in enumerate(self.jacobian):
            for j, p in row.items():
                transposed[j][i] = p
        weights = self._linear(transposed, [adjoints.get(u, nothing) for u in self.unknowns])
        return self.inner.backward({r: graph.apply("neg", w) for r, w in zip(self.residuals, weights, strict=True)})

    def pushed(self, tangents: Mapping[int, int]) -> list[int]:
        """Tangents of what the equations read, as tangents of the unknowns; into the graph."""
        graph, nothing = self.graph, self.graph.number(0)
        known = {f: t for f, t in tangents.items() if f in self.inner.by}
        moved = self.inner.forward(known, self.residuals)
        return self._linear(self.jacobian, [nothing if t is None else graph.apply("neg", t) for t in moved])

    def _linear(self, rows: Sequence[Mapping[int, int]], right: Sequence[int]) -> list[int]:
        """The solution of linear equations between scalars, as unknowns of a system of their own."""
        graph = self.graph
        bits = graph.bits[self.unknowns[0]]
        start = len(graph)
        system = System(graph, [0.0] * len(right))
        system.is_linear = True
        residuals = []
        for row, b in zip(rows, right, strict=True):
            total = graph.apply("neg", b)
            for j, p in row.items():
                total = graph.apply("add", total, graph.apply("mul", p, system.unknowns[j]))
            residuals.append(total)
        system.close(residuals)
        graph.round_from(start, bits)
        return system.unknowns


def _size(numbers: Sequence[Number]) -> int:
    """The decimal exponent of the largest number."""
    return max((x.adjusted() for x in numbers if x), default=_NOTHING)


def _sizes(y: Sequence[Number]) -> list[Number]:
    """Powers of ten near unknowns, the smallest of them for those that are 0."""
    exponents = [x.adjusted() if x and x.is_finite() else None for x in y]
    least = min((e for e in exponents if e is not None), default=0)
    return [ONE.scaleb(least if e is None else e) for e in exponents]


class _Local(Chain):
    """Derivatives within some scalars only, in order: those of a system's equations."""

    def __init__(self, graph: Graph, by: Iterable[int], inside: Sequence[int]) -> None:
        self._inside = inside
        super().__init__(graph, by)

    def _dependents(self, stop: int) -> Any:
        active = _Marks.fromkeys(self.by, 1)
        arguments, functions = self.graph.arguments, self.graph.functions
        for index in self._inside:
            if functions[index] != "stop" and any(a in active for a in arguments[index]):
                active[index] = 1
        return active

    def _places(self) -> Any:
        return defaultdict(lambda: None)

    def depends(self, index: int) -> bool:
        """Whether a scalar depends on one that derivatives are taken by."""
        return index in self._active

    def cone(self, output: int) -> Sequence[int]:
        """What an output depends on, users before what they use."""
        seen = {output} if self.depends(output) else set()
        pending = list(seen)
        while pending:
            fresh = set(self.edges(pending.pop())[0]) - seen
            seen |= fresh
            pending.extend(fresh)
        return sorted(seen, reverse=True)


class _Marks(dict[int, int]):
    def __missing__(self, index: int) -> int:
        return 0


def implicit(graph: Graph, equations: Callable[[list[Any]], Sequence[Any]], start: Sequence[float]) -> list[Scalar]:
    """The solution of equations, see the module's head.

    Raises:
        Degenerate: there is no solution near the start, or the equations are singular there.
        Unprovable: the program found none, or the equations can't be followed.
    """
    if not len(start):
        return []
    if not all(abs(float(x)) < float("inf") for x in start):
        raise Unprovable("the program found no solution of the equations that define its result")
    system = System(graph, start)
    cells = [Scalar(graph, index) for index in system.unknowns]
    residuals = [x.index if isinstance(x, Scalar) else graph.number(x) for x in equations(list(cells))]
    system.close(residuals)
    system.check(graph.reader(Reader))
    return cells
