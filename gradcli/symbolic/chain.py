"""The oracle's own chain rule: partial derivatives from SymPy, accumulated along the graph.

Backwards from an output, the adjoint of each scalar is the sum, over the applications that use it, of the user's
adjoint times the user's partial derivative by it. It is done in two ways: into the graph, so that the result is a
scalar that can be differentiated again, and in numbers, for the last derivative that is taken.
"""

from __future__ import annotations

import heapq
from array import array
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain as joined
from typing import Any

from gradcli.symbolic.evaluate import Evaluation
from gradcli.symbolic.noise import Disturbance, low_from
from gradcli.symbolic.numbers import ONE, ZERO, Number
from gradcli.symbolic.partials import partial
from gradcli.symbolic.scalars import DOT, GATE, PART, SUM, UNKNOWN, Graph

#: Arguments through which derivatives flow, and the partials by them.
Edges = tuple[Sequence[int], Sequence[int]]
#: Indices of scalars, falling.
Cone = Sequence[int]
_NO_EDGES: Edges = ((), ())


class Chain:
    """Derivatives by some scalars of a graph."""

    def __init__(self, graph: Graph, by: Iterable[int], stop: int | None = None) -> None:
        self.graph = graph
        self.by = frozenset(by)
        self._active = self._dependents(len(graph) if stop is None else stop)
        self._edges: Any = self._places()
        self._marks = bytearray(len(self._active))
        self._zero, self._one, self._minus_one = (graph.number(n) for n in (0, 1, -1))

    def _dependents(self, stop: int) -> Any:
        """Which scalars depend on those that derivatives are taken by."""
        active = bytearray(stop)
        for index in self.by:
            if index < stop:
                active[index] = 1
        arguments, functions, marked = self.graph.arguments, self.graph.functions, active.__getitem__
        for index in range(min(self.by, default=stop), stop):
            if not active[index] and any(map(marked, arguments[index])) and functions[index] != "stop":
                active[index] = 1
        return active

    def _places(self) -> Any:
        """None for every scalar that may depend on those that derivatives are taken by."""
        return [None] * len(self._active)

    def depends(self, index: int) -> bool:
        """Whether a scalar depends on one that derivatives are taken by."""
        return index < len(self._active) and bool(self._active[index])

    def edges(self, index: int) -> Edges:
        """The arguments of an application through which derivatives flow, with their partials."""
        found: Edges | None = self._edges[index]
        if found is None:
            found = self._edges[index] = _NO_EDGES if index in self.by else self._flowing(index)
        return found

    def _flowing(self, index: int) -> Edges:
        name, words = self.graph.functions[index], self.graph.arguments[index]
        if name == SUM:
            found = tuple(a for a in words if self._active[a])
            return found, (self._one,) * len(found)
        if name == DOT:
            return self._of_dot(words)
        if name == UNKNOWN:
            return words, (self._one,)
        if name == GATE:  # the solution's derivatives: the equations know them
            read = self.graph.systems[index].reads
            found = tuple(a for a in words if self._active[a] and a in read)
            return found, (self._one,) * len(found)
        return self._by_partials(index, words)

    def _of_dot(self, words: tuple[int, ...]) -> Edges:
        half, active = len(words) // 2, self._active
        others = words[half:] + words[:half]
        if all(map(active.__getitem__, words)):
            return words, others
        kept = [(a, p) for a, p in zip(words, others, strict=True) if active[a] and p != self._zero]
        return tuple(a for a, _ in kept), tuple(p for _, p in kept)

    def _by_partials(self, index: int, words: tuple[int, ...]) -> Edges:
        graph, active = self.graph, self._active
        places, partials = [], []
        for position, a in enumerate(words):
            if active[a]:
                p = partial(graph, index, position)
                if p is not None and p != self._zero:
                    places.append(a)
                    partials.append(p)
        return tuple(places), tuple(partials)

    def cone(self, output: int) -> Cone:
        """What an output depends on, users before what they use."""
        found = array("q")
        if not self.depends(output):
            return found
        marks, wholes = self._marks, self.graph.wholes
        marks[output] = 1
        place = output + 1
        while (place := marks.rfind(1, 0, place)) >= 0:
            marks[place] = 0
            found.append(place)
            for a in self.edges(place)[0]:
                marks[a] = 1
            if place in wholes:
                for a in self._beneath(wholes[place]):
                    marks[a] = 1
        return found

    def _beneath(self, whole: range) -> list[int]:
        """The active scalars that a matrix is made of."""
        arguments, active = self.graph.arguments, self._active
        return [arguments[place][0] for place in whole if active[arguments[place][0]]]

    def partials(self, cones: Sequence[Cone]) -> set[int]:
        """The partials that rows over these cones read."""
        whole = len(cones) == 1 and not self.graph.systems
        reached = cones[0] if whole else {index for cone in cones for index in cone}
        found = set(joined.from_iterable(self._edges[index][1] for index in reached))
        return found.union(*(system.partials() for gate, system in self.graph.systems.items() if gate in reached))

    # --- into the graph ----------------------------------------------------------------------------------------------

    def backward(self, seeds: Mapping[int, int]) -> dict[int, int]:
        """The scalars d (sum of seed * output) / d x for every x that derivatives are taken by and that matters."""
        graph = self.graph
        shares: dict[int, list[int]] = {}
        pending: list[int] = []

        def give(index: int, share: int) -> None:
            if index in shares:
                shares[index].append(share)
            else:
                shares[index] = [share]
                heapq.heappush(pending, -index)

        for index, seed in seeds.items():
            if self.depends(index):
                give(index, seed)
        found: dict[int, int] = {}
        of_unknowns: dict[int, dict[int, int]] = {}
        while pending:
            index = -heapq.heappop(pending)
            g = graph.total(shares.pop(index))
            if index in self.by:
                found[index] = g
            elif graph.functions[index] == UNKNOWN:
                gate = graph.arguments[index][0]
                if gate not in of_unknowns:
                    of_unknowns[gate] = {}
                    give(gate, g)
                of_unknowns[gate][index] = g
            elif graph.functions[index] == PART:
                self._give_whole(graph.wholes[index], index, g, shares, pending, give)
            elif graph.functions[index] == GATE:
                for a, share in graph.systems[index].pulled(of_unknowns.pop(index)).items():
                    if self.depends(a):
                        give(a, share)
            else:
                for a, p in zip(*self.edges(index), strict=True):
                    give(a, self._times(g, p, graph.bits[index]))
        return found

    def _give_whole(
        self,
        whole: range,
        first: int,
        g: int,
        shares: dict[int, list[int]],
        pending: list[int],
        give: Callable[[int, int], None],
    ) -> None:
        """The adjoints of a matrix, which are one again; `first` is the last element that has one, and g its own."""
        graph, nothing = self.graph, self._zero
        adjoints = [graph.total(shares.pop(place)) if place in shares else nothing for place in whole]
        adjoints[first - whole.start] = g
        while pending and -pending[0] in whole:
            heapq.heappop(pending)
        made = graph.whole(adjoints)
        for place, adjoint in zip(whole, made, strict=True):
            graph.round_at(adjoint, graph.bits[place])
            if self._active[graph.arguments[place][0]]:
                give(graph.arguments[place][0], adjoint)

    def forward(self, tangents: Mapping[int, int], outputs: Sequence[int]) -> list[int | None]:
        """The scalars sum over x of d output / d x * tangent of x, one per output; None stands for zero."""
        graph = self.graph
        moved: dict[int, int] = dict(tangents)
        for index in sorted({i for output in outputs for i in self.cone(output)}):
            if index in self.by or graph.functions[index] == UNKNOWN:
                continue
            if graph.functions[index] == GATE:
                system = graph.systems[index]
                moved.update(zip(system.unknowns, system.pushed(moved), strict=True))
                continue
            edges = zip(*self.edges(index), strict=True)
            terms = [self._times(moved[a], p, graph.bits[index]) for a, p in edges if a in moved]
            if terms:
                moved[index] = graph.total(terms)
        return [moved.get(output) for output in outputs]

    def _times(self, g: int, p: int, bits: int) -> int:
        graph = self.graph
        if p == self._one:
            return g
        if p == self._minus_one:
            return graph.apply("neg", g)
        made = graph.apply("carry", g, p)
        graph.round_at(made, bits)
        return made

    # --- in numbers --------------------------------------------------------------------------------------------------

    def rows(
        self, cones: Iterable[Cone], evaluation: Evaluation, noise: Disturbance | None = None
    ) -> list[dict[int, Number]]:
        """d output / d x for every x that matters, for each output, given by its cone."""
        sweep = Sweep(self, evaluation, noise, [ZERO] * len(self._active))
        return [sweep.over(cone, {cone[0]: ONE}) if cone else {} for cone in cones]


class Sweep:
    """Passes backwards in numbers, along cones of scalars that some seeds are given for.

    With noise, every product is off by a random ulp. `adjoints` is where sums are kept: ZERO at every scalar.
    """

    def __init__(self, chain: Chain, evaluation: Evaluation, noise: Disturbance | None, adjoints: Any) -> None:
        self.chain = chain
        self.graph = chain.graph
        self.evaluation = evaluation
        self.noise = noise
        self._adjoints = adjoints
        self._of_unknowns: dict[int, dict[int, Number]] = {}

    def over(self, cone: Cone, seeds: Mapping[int, Number]) -> dict[int, Number]:
        """d (sum of seed * scalar) / d x for every x that matters."""
        with self.evaluation.within():
            for index, seed in seeds.items():
                self._adjoints[index] = seed
            return self._swept(cone)

    def _swept(self, cone: Cone) -> dict[int, Number]:
        adjoints, by, edges, one = self._adjoints, self.chain.by, self.chain._edges, self.chain._one
        numbers, systems, wholes, found = self.evaluation.numbers, self.graph.systems, self.graph.wholes, {}
        disturbed = self.noise is not None
        for index in cone:
            g = adjoints[index]
            if not g:
                continue
            adjoints[index] = ZERO
            places, partials = edges[index]
            if not places:
                if index in by:
                    found[index] = g
            elif disturbed and index in wholes:
                self._give_whole(wholes[index], index, g)
            elif systems and self._is_implicit(index, g):
                continue
            elif partials[0] == one and partials[-1] == one:
                for a in places:
                    adjoints[a] += g
            elif disturbed:
                self._give_disturbed(index, g, places, partials)
            else:
                for a, p in zip(places, partials, strict=True):
                    adjoints[a] += g * numbers[p]
        return found

    def _give_disturbed(self, index: int, g: Number, places: Sequence[int], partials: Sequence[int]) -> None:
        noise, bits, numbers, adjoints = self.noise, self.graph.bits[index], self.evaluation.numbers, self._adjoints
        if not bits or noise is None:
            for a, p in zip(places, partials, strict=True):
                adjoints[a] += g * numbers[p]
            return
        one, low = self.chain._one, low_from(bits)
        for a, p, factor in zip(places, partials, noise.stream(bits), strict=False):
            share = g * numbers[p]
            if share.adjusted() < low:
                adjoints[a] += noise.moved(share, bits, by=numbers[a])
            else:
                adjoints[a] += share if p == one else share * factor

    def _give_whole(self, whole: range, index: int, g: Number) -> None:
        """The adjoints of a matrix, off by an ulp of their largest."""
        noise, bits, adjoints, arguments = self.noise, self.graph.bits[index], self._adjoints, self.graph.arguments
        active = self.chain._active
        own = [adjoints[place] for place in whole]
        own[index - whole.start] = g
        largest = max(map(abs, own))
        for place, share in zip(whole, own, strict=True):
            adjoints[place] = ZERO
            if active[arguments[place][0]]:
                moved = share + noise.ulp(largest, bits) if bits and noise is not None else share
                adjoints[arguments[place][0]] += moved

    def _is_implicit(self, index: int, g: Number) -> bool:
        """Whether a scalar is of an implicit result; then its adjoint is passed on as its equations say."""
        name = self.graph.functions[index]
        if name == UNKNOWN:
            gate = self.graph.arguments[index][0]
            self._of_unknowns.setdefault(gate, {})[index] = g
            self._adjoints[gate] = ONE
        elif name == GATE:
            for a, share in self._through(index).items():
                self._adjoints[a] += share
        return name in (UNKNOWN, GATE)

    def _through(self, gate: int) -> dict[int, Number]:
        """Adjoints of a system's unknowns as adjoints of what its equations read."""
        system, evaluation, noise = self.graph.systems[gate], self.evaluation, self.noise
        if gate not in evaluation.factors:
            evaluation.factors[gate] = system.factored(evaluation.numbers, noise)
        weights = system.weights(evaluation.factors[gate], self._of_unknowns.pop(gate), noise)
        return Sweep(system.inner, evaluation, noise, defaultdict(lambda: ZERO)).over(system.cone(), weights)
