"""The oracle's own chain rule: partial derivatives from SymPy, accumulated along the graph.

Backwards from an output, the adjoint of each scalar is the sum, over the applications that use it, of the user's
adjoint times the user's partial derivative by it. It is done in two ways: into the graph, so that the result is a
scalar that can be differentiated again, and in numbers, for the last derivative that is taken.
"""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Iterable, Mapping, Sequence

from mpmath import libmp
from mpmath.libmp import fone, fzero

from gradcli.symbolic.evaluate import Disturbance
from gradcli.symbolic.functions import Raw, defined
from gradcli.symbolic.partials import partial
from gradcli.symbolic.scalars import Graph

#: (argument, its partial's index, the partial itself where it is 1 or -1, else 0)
Edge = tuple[int, int, int]
#: Indices of scalars, falling.
Cone = Sequence[int]


class Chain:
    """Derivatives by some scalars of a graph."""

    def __init__(self, graph: Graph, by: Iterable[int], stop: int | None = None) -> None:
        self.graph = graph
        self.by = frozenset(by)
        self._active = self._dependents(len(graph) if stop is None else stop)
        self._edges: dict[int, tuple[Edge, ...]] = {}

    def _dependents(self, stop: int) -> bytearray:
        """Which scalars depend on those that derivatives are taken by."""
        active = bytearray(stop)
        for index in self.by:
            if index < stop:
                active[index] = 1
        arguments, functions = self.graph.arguments, self.graph.functions
        for index in range(min(self.by, default=stop), stop):
            if not active[index] and functions[index] != "stop":
                for a in arguments[index]:
                    if active[a]:
                        active[index] = 1
                        break
        return active

    def depends(self, index: int) -> bool:
        """Whether a scalar depends on one that derivatives are taken by."""
        return index < len(self._active) and bool(self._active[index])

    def edges(self, index: int) -> tuple[Edge, ...]:
        """The arguments of an application through which derivatives flow, with their partials."""
        found = self._edges.get(index)
        if found is None:
            found = self._edges[index] = () if index in self.by else tuple(self._flowing(index))
        return found

    def _flowing(self, index: int) -> Iterable[Edge]:
        graph = self.graph
        for position, a in enumerate(graph.arguments[index]):
            if not self._active[a]:
                continue
            p = partial(graph, index, position)
            if p is None:
                continue
            raw = graph.numbers[p] if graph.is_number(p) else None
            if raw != fzero:
                yield a, p, 1 if raw == fone else -1 if raw == _MINUS_ONE else 0

    def cone(self, output: int) -> Cone:
        """What an output depends on, users before what they use."""
        if not self.depends(output):
            return array("q")
        seen = {output}
        pending = [output]
        while pending:
            for a, _, _ in self.edges(pending.pop()):
                if a not in seen:
                    seen.add(a)
                    pending.append(a)
        return array("q", sorted(seen, reverse=True))

    def partials(self, cones: Iterable[Cone]) -> set[int]:
        """The partials that rows over these cones read."""
        reached = {index for cone in cones for index in cone}
        return {p for index in reached for _, p, unit in self.edges(index) if not unit}

    # --- into the graph ----------------------------------------------------------------------------------------------

    def backward(self, seeds: Mapping[int, int]) -> dict[int, int]:
        """The scalars d (sum of seed * output) / d x for every x that derivatives are taken by and that matters."""
        graph = self.graph
        adjoints: dict[int, int] = {}
        pending: list[int] = []

        def give(index: int, share: int) -> None:
            if index in adjoints:
                adjoints[index] = graph.apply("add", adjoints[index], share)
            else:
                adjoints[index] = share
                heapq.heappush(pending, -index)

        for index, seed in seeds.items():
            if self.depends(index):
                give(index, seed)
        found: dict[int, int] = {}
        while pending:
            index = -heapq.heappop(pending)
            g = adjoints.pop(index)
            if index in self.by:
                found[index] = g
            for a, p, unit in self.edges(index):
                give(a, self._times(g, p, unit, graph.bits[index]))
        return found

    def forward(self, tangents: Mapping[int, int], outputs: Sequence[int]) -> list[int | None]:
        """The scalars sum over x of d output / d x * tangent of x, one per output; None stands for zero."""
        graph = self.graph
        moved: dict[int, int] = dict(tangents)
        for index in sorted({i for output in outputs for i in self.cone(output)}):
            total: int | None = None
            for a, p, unit in self.edges(index):
                if a in moved:
                    share = self._times(moved[a], p, unit, graph.bits[index])
                    total = share if total is None else graph.apply("add", total, share)
            if total is not None:
                moved[index] = total
        return [moved.get(output) for output in outputs]

    def _times(self, g: int, p: int, unit: int, bits: int) -> int:
        graph = self.graph
        if unit:
            return g if unit > 0 else graph.apply("neg", g)
        made = graph.apply("carry", g, p)
        graph.round_at(made, bits)
        return made

    # --- in numbers --------------------------------------------------------------------------------------------------

    def row(
        self,
        cone: Cone,
        values: Sequence[Raw],
        precision: int,
        noise: Disturbance | None = None,
    ) -> dict[int, Raw]:
        """d output / d x for every x, given the cone of the output and the values of scalars and partials."""
        if not cone:
            return {}
        bits, by, edges = self.graph.bits, self.by, self._edges
        adjoints: dict[int, Raw] = {cone[0]: fone}
        found: dict[int, Raw] = {}
        multiply, add, negate = libmp.mpf_mul, libmp.mpf_add, libmp.mpf_neg
        for index in cone:
            g = adjoints.pop(index, fzero)
            if g == fzero:
                continue
            if index in by:
                found[index] = g
                continue
            rounded = bits[index] if noise is not None else 0
            for a, p, unit in edges[index]:
                if unit:
                    share = g if unit > 0 else negate(g)
                else:
                    factor = values[p]
                    if factor == fzero and defined(g):
                        continue
                    share = multiply(g, factor, precision, "n")
                    if rounded:
                        share = noise.moved(share, rounded, by=values[a])  # type: ignore[union-attr]
                before = adjoints.get(a)
                adjoints[a] = share if before is None else add(before, share, precision, "n")
        return found


_MINUS_ONE = libmp.from_int(-1)
