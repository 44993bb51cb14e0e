"""A derivative that a program takes itself (a region), by the oracle's own chain rule along the program's scalars."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcli.graph.node import Node
from gradcli.graph.recording import Region
from gradcli.graph.values import CoreValue, count_of
from gradcli.symbolic.cells import Cells, filled, parts_of, scalars_in
from gradcli.symbolic.chain import Chain
from gradcli.symbolic.complexes import Complex, parts
from gradcli.symbolic.scalars import Scalar

if TYPE_CHECKING:
    from gradcli.symbolic.lowering import Lowering


class RegionResults:
    """What a region gives: its value, or a derivative of it."""

    def __init__(self, lowering: Lowering, region: Region) -> None:
        self.lowering = lowering
        self.region = region
        self.graph = lowering.graph
        self.leaves = [lowering.cells.get(id(leaf)) for leaf in region.leaves]
        self.outputs = [lowering.exact_of(y) for y in region.outputs]
        by = [x.index for cells in self.leaves for x in scalars_in(cells)]
        self.chain = Chain(self.graph, by)

    def all(self) -> list[Cells]:
        """Every result, in order."""
        kind = self.region.kind
        if kind == "value":
            return list(self.outputs)
        if kind == "vjp":
            return self._pulled(self._seeds())
        if kind == "jvp":
            return self._pushed()
        return self._jacobian()

    def _seeds(self) -> dict[int, int]:
        seeds: dict[int, int] = {}
        for cells, vector in zip(self.outputs, self.region.vectors, strict=True):
            if vector is not None:
                for index, w in self._weighed(cells, vector):
                    before = seeds.get(index)
                    seeds[index] = w if before is None else self.graph.apply("add", before, w)
        return seeds

    def _weighed(self, cells: Cells, vector: CoreValue) -> Iterator[tuple[int, int]]:
        """Each part of a value with that of the vector that stands for it; of a real number only the real part does."""
        weights = np.broadcast_to(self.lowering.exact_of(vector), cells.shape)
        for x, w in zip(cells.ravel(), weights.ravel(), strict=True):
            re, im = parts(w)
            for part, weight in zip(parts(x) if isinstance(x, Complex) else (x,), (re, im), strict=False):
                yield part.index, self.lowering.space.lifted(weight).index

    def _pulled(self, seeds: dict[int, int]) -> list[Cells]:
        adjoints = self.chain.backward(seeds)
        pairs = zip(self.leaves, self.region.leaves, strict=True)
        return [self._gathered(cells, leaf.shape, adjoints) for cells, leaf in pairs]

    def _gathered(self, cells: Cells | None, shape: tuple[int, ...], found: Mapping[int, int]) -> Cells:
        """The derivative by a leaf; zero by an element that does not matter, or a leaf that nobody read."""
        if cells is None or cells.dtype != object:
            return filled([Scalar(self.graph, self.graph.number(0))] * count_of(shape), shape)
        return filled([self._found_at(x, found) for x in cells.ravel()], shape)

    def _found_at(self, x: Any, found: Mapping[int, int | None]) -> Any:
        """What was found at a scalar, at both parts of a complex one; nothing is zero."""
        if isinstance(x, Complex):
            return Complex(self._found_at(x.re, found), self._found_at(x.im, found))
        there = found.get(x.index)
        return Scalar(self.graph, self.graph.number(0) if there is None else there)

    def _pushed(self) -> list[Cells]:
        tangents: dict[int, int] = {}
        for cells, vector in zip(self.leaves, self.region.vectors, strict=True):
            if vector is not None and cells is not None and cells.dtype == object:
                tangents.update(self._weighed(cells, vector))
        made = []
        for cells in self.outputs:
            wanted = [x.index for x in scalars_in(cells)]
            moved = dict(zip(wanted, self.chain.forward(tangents, wanted), strict=True))
            made.append(filled([self._found_at(x, moved) for x in cells.ravel()], cells.shape))
        return made

    def _jacobian(self) -> list[Cells]:
        made = []
        one = self.graph.number(1)
        for cells in self.outputs:
            rows = [[self.chain.backward({part.index: one}) for part in parts_of(x)] for x in cells.ravel()]
            for leaf_cells, leaf in zip(self.leaves, self.region.leaves, strict=True):
                flat = [x for row in rows for x in self._row(leaf_cells, leaf, row)]
                made.append(filled(flat, cells.shape + leaf.shape))
        return made

    def _row(self, cells: Cells | None, leaf: Node, found: Sequence[Mapping[int, int]]) -> Iterator[Any]:
        """One row of a Jacobian: by a complex number the cotangent for 1, by a real one the derivative of all parts."""
        columns = [self._gathered(cells, leaf.shape, part).ravel() for part in found]
        if leaf.dtype.kind == "c" or len(columns) == 1:
            yield from columns[0]
        else:
            yield from (Complex(re, im) for re, im in zip(*columns, strict=True))
