"""Which input elements may be moved off their kinks together, in one look: those that don't matter to each other.

Moving an element a tiny step may turn decisions, which changes what jumps: signs, steps, choices of unequal things, and
what is undefined at the point. An element minds another where its derivative reads something that the other makes jump,
or where both move one decision. What is only continuous changes too little to be seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Generic, TypeVar

from gradcli.symbolic.derivatives import Matrix
from gradcli.symbolic.evaluate import Tie

Member = TypeVar("Member", bound=Any)

#: Bent functions whose value does not jump where their decision turns.
_CONTINUOUS = frozenset(("abs", "max", "min"))
#: Labels of what depends on no element, and on several; others are the element's own index.
_NONE, _SEVERAL = -1, -2


def companies(matrix: Matrix, columns: Iterable[int], ties: Mapping[int, Tie]) -> list[list[int]]:
    """The columns in groups; those of one group don't matter to each other."""
    found = Families(columns)
    if not matrix.graph.systems and _mind(matrix, found, ties):
        return found.companies()
    return [[c] for c in found.columns]


class Families(Generic[Member]):
    """Columns, or whatever has an order: those that matter to each other are of one family."""

    def __init__(self, columns: Iterable[Member]) -> None:
        self.columns = sorted(columns)
        self._above = {c: c for c in self.columns}

    def head(self, c: Member) -> Member:
        """The one that stands for a column's family."""
        above = self._above
        while above[c] != c:
            above[c] = c = above[above[c]]
        return c

    def join(self, a: Member, b: Member) -> None:
        """Make two families one."""
        self._above[self.head(a)] = self.head(b)

    def join_all(self, columns: Iterable[Member]) -> None:
        """Make the families of some columns one."""
        first, *others = columns
        for c in others:
            self.join(c, first)

    def members(self) -> list[list[Member]]:
        """The members of each family."""
        found: dict[Member, list[Member]] = {}
        for c in self.columns:
            found.setdefault(self.head(c), []).append(c)
        return list(found.values())

    def companies(self) -> list[list[Member]]:
        """One of each family, then the next of each, and so on."""
        made: list[list[Member]] = []
        seen: dict[Member, int] = {}
        for c in self.columns:
            k = seen[self.head(c)] = seen.get(self.head(c), -1) + 1
            if k == len(made):
                made.append([])
            made[k].append(c)
        return made


def _mind(matrix: Matrix, families: Families[int], ties: Mapping[int, Tie]) -> bool:
    """Join the columns that matter to each other; False where too many do."""
    below = _Below(matrix, families.columns)
    for index in ties:
        movers = below.movers(index)
        if movers:
            families.join_all(movers)
    jumping = _jumping(matrix, below.labels, ties)
    for index in {index for cone in matrix.cones for index in cone}:
        for a, p in zip(*matrix.chain.edges(index), strict=True):
            if jumping[p] == _NONE or below.labels[a] == _NONE:
                continue
            if _SEVERAL in (jumping[p], below.labels[a]):
                return False
            families.join(jumping[p], below.labels[a])
    return True


class _Below:
    """What scalars are made of: `labels` tells the one column that each depends on, if it is one."""

    def __init__(self, matrix: Matrix, columns: Iterable[int]) -> None:
        self._arguments = matrix.graph.arguments
        self.labels = [_NONE] * len(matrix.graph)
        for c in columns:
            self.labels[c] = c
        for place in matrix.steps:
            if self.labels[place] == _NONE:
                self.labels[place] = _joined(self.labels[a] for a in self._arguments[place])

    def movers(self, index: int) -> list[int]:
        """The columns that a scalar depends on."""
        found, seen, pending = [], {index}, [index]
        while pending:
            here = pending.pop()
            if self.labels[here] == _SEVERAL:
                fresh = set(self._arguments[here]) - seen
                seen |= fresh
                pending.extend(fresh)
            elif self.labels[here] != _NONE:
                found.append(self.labels[here])
        return found


def _jumping(matrix: Matrix, below: list[int], ties: Mapping[int, Tie]) -> list[int]:
    """The columns whose step may make each scalar jump."""
    graph, numbers = matrix.graph, matrix.evaluation.numbers
    labels = [_NONE] * len(graph)
    for place in matrix.steps:
        name, words = graph.functions[place], graph.arguments[place]
        if not words:
            continue
        turns = place in ties and (name not in _CONTINUOUS or ties[place].difference)
        if turns or not numbers[place].is_finite():
            labels[place] = below[place]
        elif name == "where" and numbers[words[1]] == numbers[words[2]]:
            labels[place] = _joined(labels[a] for a in words[1:])
        elif name in ("mul", "carry"):
            a, b = words
            labels[place] = _joined(labels[x] for x, y in ((a, b), (b, a)) if numbers[y] or labels[y] != _NONE)
        else:
            labels[place] = _joined(labels[a] for a in words)
    return labels


def _joined(labels: Iterable[int]) -> int:
    found = _NONE
    for label in labels:
        if label != _NONE and label != found:
            if found != _NONE:
                return _SEVERAL
            found = label
    return found
