"""Which op has a kink: the one whose decision, or whose value, hangs on the very point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mpmath.libmp import fzero

from gradcli.symbolic.branches import Branch
from gradcli.symbolic.derivatives import Matrix
from gradcli.symbolic.evaluate import Evaluation, Tie
from gradcli.symbolic.lowering import Lowered
from gradcli.symbolic.report import place_of

#: Decisions that stand for one kink: a function's own, and those of its derivative.
_KIN = {"abs": ("abs", "sign"), "max": ("max", "step"), "min": ("min", "step")}
#: Decisions that are tried one by one to name the op with the kink.
_SUSPECTS = 8

#: An op's name, and where it stands.
Culprit = tuple[str, str | None]


class Culprits:
    """The ops of a program with kinks at a point.

    Args:
        lowered: the program.
        matrix: its derivatives.
        ties: the decisions that could fall either way.
        touched: for rows that hang on them, those decisions, each with the columns that can move it.
        branches: choices of the program's own on their boundaries.
        stop: where the program's own scalars end, and its derivatives' begin.
    """

    def __init__(
        self,
        lowered: Lowered,
        matrix: Matrix,
        ties: Mapping[int, Tie],
        touched: Mapping[int, Mapping[int, set[int]]],
        branches: Sequence[Branch],
        stop: int,
    ) -> None:
        self.lowered, self.matrix, self.ties = lowered, matrix, ties
        self.touched, self.branches, self.stop = touched, branches, stop

    def of(self, r: int, column: int) -> Culprit:
        """The op that a derivative's kink comes from."""
        for branch in self.branches:
            if self.lowered.graph.labels[column] in branch.elements:
                return branch.op, place_of(branch.span)
        moving = self.touched.get(r, {})
        suspects = [i for i in sorted(moving) if i < self.stop and column in moving[i]][:_SUSPECTS]
        several = len({id(self.lowered.origin(i)) for i in suspects}) > 1
        guilty = next((i for i in suspects if several and self._turns(r, column, i)), None)
        if guilty is None and suspects:
            guilty = suspects[0]
        node = None if guilty is None else self.lowered.origin(guilty)
        return self._undefined() if node is None or node.op is None else (node.op.name, place_of(node.span))

    def _turns(self, r: int, column: int, index: int) -> bool:
        """Whether one tied decision alone, taken either way, changes a derivative."""
        matrix, graph = self.matrix, self.lowered.graph
        words = graph.arguments[index]
        family = _KIN.get(graph.functions[index], (graph.functions[index],))
        kin = [i for i in self.ties if graph.functions[i] in family and self._compares(i, words)]
        found = []
        for way in (-1, 1):
            frozen = dict(matrix.evaluation.decisions)
            for i in kin:
                anchor = self.ties[i].anchor
                frozen[i] = anchor + min(way, 0) if graph.functions[i] in ("floor", "round") else way
            evaluation = Evaluation(graph, matrix.steps, matrix.bits, frozen=frozen)
            found.append(matrix.row_at(r, evaluation, {column}).get(column, fzero))
        return bool(found[0] != found[1])

    def _compares(self, index: int, words: tuple[int, ...]) -> bool:
        """Whether a decision is about these arguments, or about their difference."""
        arguments = self.lowered.graph.arguments
        return arguments[index] == words or any(a in words or set(arguments[a]) == set(words) for a in arguments[index])

    def _undefined(self) -> Culprit:
        """The first op whose value, or the value of whose derivative, does not exist."""
        numbers = self.matrix.evaluation.numbers
        for index, value in enumerate(numbers):
            if value is not None and not value.is_finite():
                for user in range(index, len(numbers)):
                    node = self.lowered.origin(min(user, self.stop - 1))
                    if node is not None and node.op is not None:
                        return node.op.name, place_of(node.span)
        return "derivative", None
