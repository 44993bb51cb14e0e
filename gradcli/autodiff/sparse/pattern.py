"""The sparsity pattern of a Jacobian, read off the graph of a run by what each op says of its operands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from gradcli.autodiff.reverse import ReverseLevel, reachable
from gradcli.autodiff.sparse.rows import Rows, RowsBook, gathered, identity, joined, taken
from gradcli.graph.node import PICK, Node
from gradcli.graph.values import CoreValue, Value, concrete, count_of
from gradcli.ops.dependence import EndToEnd, Link, Pairs, everything

_Several = list["Rows | None"]


class Pattern:
    """On which elements of the leaves every element of the outputs of a run depends.

    Attributes:
        rows: one row per output element, all outputs below each other; columns are the elements of the leaves, side by
            side.
        assumed: names of ops that do not say how their results depend on their operands; all on all was taken.
    """

    def __init__(self, rows: Rows, assumed: tuple[str, ...]) -> None:
        self.rows = rows
        self.assumed = assumed


def pattern_of(level: ReverseLevel, leaves: Sequence[CoreValue], outputs: Sequence[CoreValue]) -> Pattern:
    """The pattern of a run's outputs by its leaves; a superset of what is not zero, whatever the directions."""
    return _Walk(level, leaves).pattern(outputs)


class _Walk:
    """One pass over the nodes in order of execution; rows are let go after their last use."""

    def __init__(self, level: ReverseLevel, leaves: Sequence[CoreValue]) -> None:
        self._level = level
        self._book = RowsBook()
        self._assumed: dict[str, None] = {}
        self._found: dict[Node, Rows | _Several | None] = {}
        self.width = sum(count_of(x.shape) for x in leaves)
        first = 0
        for leaf in leaves:
            size = count_of(leaf.shape)
            if self._mine(leaf):
                self._found[leaf] = identity(first, size, self.width)
            first += size

    def _mine(self, x: CoreValue) -> bool:
        return isinstance(x, Node) and x.level is self._level

    def pattern(self, outputs: Sequence[CoreValue]) -> Pattern:
        roots = [y for y in outputs if self._mine(y)]
        nodes = reachable(self._level, roots)
        uses = self._uses(nodes, roots)
        for node in nodes:
            if node.op is not None:
                self._found[node] = self._of(node)
                self._let_go(node.inputs, uses)
        parts = [self._found.get(y) if self._mine(y) else None for y in outputs]
        return Pattern(self._stacked(parts, [count_of(y.shape) for y in outputs]), tuple(self._assumed))

    def _uses(self, nodes: Iterable[Node], roots: Iterable[Node]) -> dict[Node, int]:
        uses: dict[Node, int] = dict.fromkeys(roots, 1)
        for node in nodes:
            for x in node.inputs:
                if self._mine(x):
                    uses[x] = uses.get(x, 0) + 1
        return uses

    def _let_go(self, inputs: Iterable[CoreValue], uses: dict[Node, int]) -> None:
        for x in inputs:
            if self._mine(x):
                uses[x] -= 1
                if not uses[x]:
                    del self._found[x]

    def _of(self, node: Node) -> Any:
        """The rows of one node; of one with several results a list."""
        if node.op is PICK:
            parts: Any = self._found[node.inputs[0]]
            return None if parts is None else parts[node.params["index"]]
        into = [self._found.get(x) if self._mine(x) else None for x in node.inputs]
        wanted = [rows is not None for rows in into]
        if not any(wanted):
            return None
        links = self._links(node, wanted)
        if type(node.value) is tuple:
            return [
                self._union(count_of(np.shape(part)), into, of_part)
                for part, of_part in zip(node.value, links, strict=True)
            ]
        return self._union(count_of(node.shape), into, links)

    def _links(self, node: Node, wanted: Sequence[bool]) -> Any:
        op = node.op
        assert op is not None
        operands = [below(x) for x in node.inputs]
        y = tuple(map(below, node.value)) if type(node.value) is tuple else below(node.value)
        found = None if op.depends is None else op.depends(op, operands, y, node.params, wanted)
        if found is None:
            self._assumed[op.name] = None
            found = everything(op, operands, y, node.params, wanted)
        return found

    def _union(self, size: int, into: Sequence[Any], links: EndToEnd | Sequence[Link | Pairs | None]) -> Rows | None:
        if isinstance(links, EndToEnd):
            parts = [rows for rows, moves in zip(into, links.operands, strict=True) if moves]
            return self._book.same(taken(self._stacked(parts, [len(rows) for rows in parts]), links.takes))
        total: Rows | None = None
        for rows, link in zip(into, links, strict=True):
            if rows is None or link is None:
                continue
            part = self._book.same(followed(rows, link, size))
            total = part if total is None else self._book.united(total, part)
        return total

    def _stacked(self, parts: Sequence[Any], sizes: Sequence[int]) -> Rows:
        starts, columns, total = [np.zeros(1, np.int64)], [np.zeros(0, np.int32)], 0
        for rows, size in zip(parts, sizes, strict=True):
            if rows is None:
                starts.append(np.full(size, total, np.int64))
                continue
            starts.append(rows.starts[1:].astype(np.int64) + total)
            columns.append(rows.columns)
            total += rows.count
        return Rows(np.concatenate(starts), np.concatenate(columns), self.width)


def below(x: CoreValue) -> Any:
    """The array of a value; numbers are themselves."""
    return concrete(x) if isinstance(x, Value) else x


def followed(rows: Rows, link: Link | Pairs, size: int) -> Rows:
    """The rows of a result of `size` elements, whose elements depend on those of `rows` as the link says."""
    if isinstance(link, Pairs):
        return joined(rows, link.rows, link.columns, size)
    if link.gives is not None:
        rows = gathered(rows, link.gives, link.size)
    return rows if link.takes is None else taken(rows, link.takes)


def pairs_between(
    level: ReverseLevel, leaves: Sequence[CoreValue], outputs: Sequence[CoreValue]
) -> list[list[Pairs]] | None:
    """For every output of a run, by every leaf, which elements depend on which; None where it is not all known."""
    found = pattern_of(level, leaves, outputs)
    if found.assumed:
        return None
    rows = np.repeat(np.arange(len(found.rows)), np.diff(found.rows.starts))
    tops = np.cumsum([0, *(count_of(y.shape) for y in outputs)])
    lefts = np.cumsum([0, *(count_of(x.shape) for x in leaves)])

    def between(top: int, bottom: int, left: int, right: int) -> Pairs:
        inside = (rows >= top) & (rows < bottom) & (found.rows.columns >= left) & (found.rows.columns < right)
        return Pairs(rows[inside] - top, found.rows.columns[inside] - left)

    return [[between(*vertical, *horizontal) for horizontal in pairwise(lefts)] for vertical in pairwise(tops)]
