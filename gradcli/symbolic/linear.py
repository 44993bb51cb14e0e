"""Linear equations over an evaluation's numbers: factored once, solved for many right sides, either way round.

A matrix is split into blocks that share no unknown; each is eliminated with rows and columns scaled to about 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import mul

from gradcli.symbolic.numbers import ONE, ZERO, Number


class Singular(Exception):
    """A matrix has no inverse, or none that can be told from it."""


class Factors:
    """A sparse square matrix, one mapping {column: number} per row, ready to be solved with.

    Args:
        rows: the matrix.
        sizes: about how large each unknown is, as a power of ten; only for the scaling, and all 1 by themselves.

    Attributes:
        smallest: the smallest pivot's decimal exponent, of a matrix scaled so that rows and columns have elements
            about 1.

    Raises:
        Singular: a pivot is nothing, or a number is not finite.
    """

    def __init__(self, rows: Sequence[Mapping[int, Number]], sizes: Sequence[Number] | None = None) -> None:
        self.size = len(rows)
        self._blocks = [_Block(rows, *members, sizes) for members in _blocks(rows)]
        self.smallest = min((block.smallest for block in self._blocks), default=0)

    def solve(self, right: Sequence[Number]) -> list[Number]:
        """x with A x = right."""
        found = [ZERO] * self.size
        for block in self._blocks:
            block.solve(right, found)
        return found

    def solve_transposed(self, right: Sequence[Number]) -> list[Number]:
        """x with A.T x = right."""
        found = [ZERO] * self.size
        for block in self._blocks:
            block.solve_transposed(right, found)
        return found


def _blocks(rows: Sequence[Mapping[int, Number]]) -> Iterator[tuple[list[int], list[int]]]:
    """The rows and the columns of each block.

    Raises:
        Singular: a block is not square.
    """
    readers: list[list[int]] = [[] for _ in rows]
    for i, row in enumerate(rows):
        for j in row:
            readers[j].append(i)
    seen = bytearray(len(rows))
    for first in range(len(rows)):
        if seen[first]:
            continue
        seen[first] = 1
        members, columns, pending = [], set(), [first]
        while pending:
            i = pending.pop()
            members.append(i)
            for j in rows[i]:
                if j not in columns:
                    columns.add(j)
                    fresh = [other for other in readers[j] if not seen[other]]
                    pending.extend(fresh)
                    for other in fresh:
                        seen[other] = 1
        if len(members) != len(columns):
            raise Singular
        yield sorted(members), sorted(columns)


class _Block:
    """One block, as L U of its scaled and permuted rows."""

    def __init__(
        self,
        rows: Sequence[Mapping[int, Number]],
        members: list[int],
        columns: list[int],
        sizes: Sequence[Number] | None,
    ) -> None:
        self.rows = members
        self.columns = columns
        self.sizes = [ONE] * len(columns) if sizes is None else [sizes[j] for j in columns]
        self.matrix = [list(map(mul, (rows[i].get(j, ZERO) for j in columns), self.sizes)) for i in members]
        self._scale()
        self._eliminate()

    def _scale(self) -> None:
        if not all(x.is_finite() for row in self.matrix for x in row):
            raise Singular
        self.row_factors = [_scale_of(row) for row in self.matrix]
        self.matrix = [[x * f for x in row] for row, f in zip(self.matrix, self.row_factors, strict=True)]
        factors = [_scale_of(column) for column in zip(*self.matrix, strict=True)]
        self.matrix = [list(map(mul, row, factors)) for row in self.matrix]
        self.column_factors = list(map(mul, factors, self.sizes))

    def _eliminate(self) -> None:
        matrix, n = self.matrix, len(self.columns)
        order = list(range(n))
        smallest = 0
        for k in range(n):
            p = max(range(k, n), key=lambda i: abs(matrix[i][k]))
            matrix[k], matrix[p], order[k], order[p] = matrix[p], matrix[k], order[p], order[k]
            pivot, rest = matrix[k][k], matrix[k][k + 1 :]
            if not pivot:
                raise Singular
            smallest = min(smallest, pivot.adjusted())
            for i in range(k + 1, n):
                row = matrix[i]
                if row[k]:
                    factor = row[k] = row[k] / pivot
                    row[k + 1 :] = [x - factor * y for x, y in zip(row[k + 1 :], rest, strict=True)]
        self.order = order
        self.smallest = smallest

    def solve(self, right: Sequence[Number], found: list[Number]) -> None:
        matrix, n = self.matrix, len(self.columns)
        x = [right[self.rows[place]] * self.row_factors[place] for place in self.order]
        for k in range(n):
            x[k] -= sum(map(mul, matrix[k], x[:k]), ZERO)
        for k in reversed(range(n)):
            x[k] = (x[k] - sum(map(mul, matrix[k][k + 1 :], x[k + 1 :]), ZERO)) / matrix[k][k]
        for j, factor, value in zip(self.columns, self.column_factors, x, strict=True):
            found[j] = value * factor

    def solve_transposed(self, right: Sequence[Number], found: list[Number]) -> None:
        matrix, n = self.matrix, len(self.columns)
        x = [right[j] * factor for j, factor in zip(self.columns, self.column_factors, strict=True)]
        for k in range(n):
            here = x[k] = x[k] / matrix[k][k]
            if here:
                x[k + 1 :] = [a - here * b for a, b in zip(x[k + 1 :], matrix[k][k + 1 :], strict=True)]
        for k in reversed(range(n)):
            here = x[k]
            if here:
                x[:k] = [a - here * b for a, b in zip(x[:k], matrix[k], strict=False)]
        for place, value in zip(self.order, x, strict=True):
            found[self.rows[place]] = value * self.row_factors[place]


def _scale_of(numbers: Sequence[Number]) -> Number:
    """A power of ten that brings the largest of some numbers near 1.

    Raises:
        Singular: all are 0.
    """
    largest = max((x.adjusted() for x in numbers if x), default=None)
    if largest is None:
        raise Singular
    return ONE.scaleb(-largest)
