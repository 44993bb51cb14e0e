"""Products of several matrices, in the order of multiplications that costs least."""

from __future__ import annotations

from typing import Any

from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.values import CoreValue, ndim_of, shape_of
from gradcli.ops.function import case
from gradcli.ops.kinds import fits
from gradcli.ops.matrices import rectangular_sample
from gradcli.ops.operands import as_core
from gradcli.ops.products import check_same_dtype, times
from gradcli.ops.registry import function
from gradcli.ops.shape import reshaped

Splits = dict[tuple[int, int], int]


def _cheapest_splits(sizes: list[int]) -> Splits:
    """Where to part each run of matrices, of sizes[i] x sizes[i + 1]: Godbole (1973), by growing runs."""
    count = len(sizes) - 1
    cost = {(i, i): 0 for i in range(count)}
    splits: Splits = {}
    for length in range(1, count):
        for i in range(count - length):
            j = i + length
            options = [(cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k) for k in range(i, j)]
            cost[i, j], splits[i, j] = min(options)
    return splits


def _product(xs: list[CoreValue], splits: Splits, i: int, j: int) -> CoreValue:
    if i == j:
        return xs[i]
    k = splits[i, j]
    return times(_product(xs, splits, i, k), _product(xs, splits, k + 1, j))


def _checked(name: str, given: Any, ends_may_be_vectors: bool) -> list[CoreValue]:
    xs = [as_core(x) for x in given]
    if not xs:
        raise ArgumentError(f"{name} needs at least one matrix")
    check_same_dtype(*xs)
    for i, x in enumerate(xs):
        vector = ends_may_be_vectors and i in (0, len(xs) - 1) and ndim_of(x) == 1
        if ndim_of(x) != 2 and not vector:
            raise ShapeError(f"{name} takes matrices, not shape {fits(shape_of(x))}", mend="@ takes stacks")
    return xs


def _chained(name: str, xs: list[CoreValue]) -> CoreValue:
    if len(xs) == 1:
        return xs[0]
    row, column = ndim_of(xs[0]) == 1, ndim_of(xs[-1]) == 1
    if row:
        xs[0] = reshaped(xs[0], (1, *shape_of(xs[0])))
    if column:
        xs[-1] = reshaped(xs[-1], (*shape_of(xs[-1]), 1))
    sizes = [shape_of(x)[0] for x in xs] + [shape_of(xs[-1])[1]]
    for x, n in zip(xs, sizes[1:], strict=True):
        if shape_of(x)[1] != n:
            listed = ", ".join(fits(shape_of(v)) for v in xs)
            raise ShapeError(f"{name} cannot join shapes {listed}", mend=f"inner dimensions {shape_of(x)[1]} and {n}")
    found = _product(xs, _cheapest_splits(sizes), 0, len(xs) - 1)
    shape = shape_of(found)[1 if row else 0 : 1 if column else 2]
    return reshaped(found, shape)


_MATRICES = [rectangular_sample(4, 3), rectangular_sample(3, 1), rectangular_sample(1, 2), rectangular_sample(2, 5)]
_VECTOR = rectangular_sample(1, 5)[0]


@function(
    family="linalg",
    where="",
    also=("numpy.linalg.multi_dot", "torch.linalg.multi_dot"),
    derivative="vjp: that of the products it is made of",
    source="Godbole (1973), An efficient computation of matrix chain products",
    cases=(case(_MATRICES[:2]), case(_MATRICES), case([_MATRICES[0][0], *_MATRICES[1:]]), case([*_MATRICES, _VECTOR])),
)
def multi_dot(arrays: Any) -> CoreValue:
    """The product of several matrices, the first and the last perhaps vectors, in the cheapest order."""
    return _chained("multi_dot", _checked("multi_dot", arrays, True))


@function(
    family="linalg",
    where="torch",
    derivative="vjp: that of the products it is made of",
    cases=(case((2, 2), (2, 3), (3, 2)), case((2, 3), (3, 4), (4, 2))),
)
def chain_matmul(*matrices: Any) -> CoreValue:
    """The product of several matrices, in the cheapest order."""
    return _chained("chain_matmul", _checked("chain_matmul", matrices, False))
