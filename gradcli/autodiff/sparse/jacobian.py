"""Sparse Jacobians and Hessians: the pattern from the graph, a colouring, one product per colour, and the entries.

What comes out is verified: its product with a random vector must be the one that a plain reverse sweep gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from gradcli.autodiff import trees
from gradcli.autodiff.linearize import Linearized
from gradcli.autodiff.reverse import reachable
from gradcli.autodiff.sparse.colouring import coloured_columns, coloured_symmetric, readable
from gradcli.autodiff.sparse.entries import Entries, colour_count, entries_of, order_by
from gradcli.autodiff.sparse.pattern import Pattern, pattern_of
from gradcli.autodiff.sparse.products import Space, compressed
from gradcli.autodiff.sparse.verify import Matrix, WrongProduct, verify
from gradcli.autodiff.transforms import Flat, _positions, grad
from gradcli.graph.budget import budget
from gradcli.graph.errors import NotDifferentiable
from gradcli.graph.node import Node
from gradcli.graph.values import Array, CoreValue

#: Bytes that an entry takes at the widest point of all of this.
_PER_ENTRY = 120

#: Sweeps that are taken at most where forward products have hidden that a derivative is undefined.
_SWEEPS = 100


class Course:
    """How far a sparse derivative has come, for those who show it.

    Attributes:
        entries: of the pattern, once it is known.
        products: how many were taken.
        colours: how many will be.
    """

    def __init__(self) -> None:
        self.entries = self.products = self.colours = 0


class Sparse(NamedTuple):
    """A derivative as its entries, row by row, in rising order of columns; rows and columns are numbered in C order.

    Attributes:
        rows: the row of each entry.
        columns: the column of each.
        values: the entries themselves; some of them may be 0.
        shape: of the matrix, whose rows are all outputs one below the other, and columns all inputs side by side.
        colours: how many products were taken for it.
        by: "columns", "rows" or "symmetric": what was coloured.
        assumed: ops that do not say what depends on what; all on all was taken.
    """

    rows: Array
    columns: Array
    values: Array
    shape: tuple[int, int]
    colours: int
    by: str
    assumed: tuple[str, ...]

    @property
    def nonzeros(self) -> int:
        """How many entries are not 0."""
        return int(np.count_nonzero(self.values))

    def without_zeros(self) -> Sparse:
        """The entries that are not 0 (nan is none)."""
        kept = self.values != 0
        if kept.all():
            return self
        return self._replace(rows=self.rows[kept], columns=self.columns[kept], values=self.values[kept])

    def block(self, rows: slice, columns: slice) -> Sparse:
        """Some of the rows and columns, numbered from 0."""
        kept = (self.rows >= rows.start) & (self.rows < rows.stop)
        kept &= (self.columns >= columns.start) & (self.columns < columns.stop)
        return self._replace(
            rows=self.rows[kept] - rows.start,
            columns=self.columns[kept] - columns.start,
            values=self.values[kept],
            shape=(rows.stop - rows.start, columns.stop - columns.start),
        )

    def matrix(self) -> Any:
        """The entries as SciPy's CSR array."""
        from scipy.sparse import csr_array

        return csr_array((self.values, (self.rows, self.columns)), shape=self.shape)


def sparse_derivative(run: Linearized, course: Course | None = None) -> Sparse:
    """The Jacobian of a run's outputs by its primals; `course` is told how far it has come.

    Raises:
        NotDifferentiable: a value is complex.
        WrongProduct: it is not what a plain product says.
    """
    _expect_real((*run.primals, *run.values))
    course = course or Course()
    pattern = run_pattern(run)
    entries = _entries(pattern, course)
    by, colours = _chosen(entries)
    forward = by == "columns"
    inputs, outputs = Space(run.primals), Space(run.values)
    given, found, product = (inputs, outputs, run.push) if forward else (outputs, inputs, run.pull)
    keys, places = (entries.columns, entries.rows) if forward else (entries.rows, entries.columns)
    products = compressed(product, given, found, colours, widest(run))
    values = _read(products, colours, colours[keys], places, course)
    lost = verify(Matrix(entries.rows, entries.columns, values), run)
    if forward and lost.any() and entries.shape[0] <= entries.shape[1]:
        _sweep_again(run, entries, lost, values)
    return Sparse(entries.rows, entries.columns, values, entries.shape, colour_count(colours), by, pattern.assumed)


def sparse_symmetric(run: Linearized, course: Course | None = None) -> Sparse:
    """The same of a run whose Jacobian is symmetric: that of a gradient. The outputs are as the primals.

    Raises:
        NotDifferentiable: a value is complex.
        WrongProduct: it is not what a plain product says.
    """
    _expect_real((*run.primals, *run.values))
    course = course or Course()
    pattern = run_pattern(run)
    entries = _symmetric(_entries(pattern, course))
    colours = coloured_symmetric(entries)
    space = Space(run.primals)
    lower = entries.rows >= entries.columns
    rows, columns = entries.rows[lower], entries.columns[lower]
    here = readable(entries, colours)[lower]
    # An entry is read in its row if no other there has the colour of its column, else in its mirror image's row.
    keys, places = np.where(here, colours[columns], colours[rows]), np.where(here, rows, columns)
    products = compressed(run.push, space, Space(run.values), colours, widest(run))
    half = _read(products, colours, keys, places, course)
    values = np.empty(len(entries.rows), half.dtype)
    values[lower] = half
    mirror = order_by(entries.columns, entries.shape[1])
    values[~lower] = values[mirror][~lower]
    try:
        lost = verify(Matrix(entries.rows, entries.columns, values), run)
    except WrongProduct:  # unless rounding has made it less than symmetric
        return sparse_derivative(run, Course())
    if lost.any():
        _sweep_again(run, entries, lost, values)
    return Sparse(
        entries.rows, entries.columns, values, entries.shape, colour_count(colours), "symmetric", pattern.assumed
    )


def run_pattern(run: Linearized) -> Pattern:
    """The pattern of a run's Jacobian."""
    return pattern_of(*run.graph)


def widest(run: Linearized) -> int:
    """Elements of the largest value of a run."""
    level, _, outputs = run.graph
    roots = [y for y in outputs if isinstance(y, Node) and y.level is level]
    return max((node.size for node in reachable(level, roots)), default=1)


def _expect_real(values: Sequence[CoreValue]) -> None:
    for x in values:
        if x.dtype.kind == "c":
            raise NotDifferentiable(
                "a sparse derivative is of real values by real values, and here are complex ones",
                mend="take real(...) and imag(...) apart",
            )


def _entries(pattern: Pattern, course: Course) -> Entries:
    course.entries = pattern.rows.count
    budget.charge(_PER_ENTRY * pattern.rows.count, f"a sparse derivative of {pattern.rows.count:,} entries")
    return entries_of(pattern.rows)


def _symmetric(entries: Entries) -> Entries:
    """The entries whose mirror image is one too: where either says that nothing is there, there is nothing."""
    size = entries.shape[1]
    keys, mirrored = entries.rows * size + entries.columns, entries.columns * size + entries.rows
    places = np.searchsorted(keys, mirrored)
    places[places == len(keys)] = 0
    both = keys[places] == mirrored if len(keys) else np.zeros(0, np.bool_)
    return entries if both.all() else Entries(entries.rows[both], entries.columns[both], entries.shape)


def _chosen(entries: Entries) -> tuple[str, Array]:
    """Columns or rows, whichever take fewer colours; and these. Where the one cannot be better it is not tried."""
    least = [int(np.bincount(labels).max(initial=0)) for labels in (entries.rows, entries.columns)]
    by_columns = least[0] <= least[1]
    found = coloured_columns(entries if by_columns else entries.turned)
    if colour_count(found) > least[by_columns]:
        other = coloured_columns(entries.turned if by_columns else entries)
        if colour_count(other) < colour_count(found):
            found, by_columns = other, not by_columns
    return ("columns" if by_columns else "rows"), found


def _sweep_again(run: Linearized, entries: Entries, lost: Array, values: Array) -> None:
    """Take the rows that reach into the `lost` columns by reverse sweeps, as a dense Jacobian of no more rows than
    columns does: at a point where an inner derivative is infinite a push may say 0, and a sweep NaN."""
    rows = np.zeros(entries.shape[0], np.bool_)
    rows[entries.rows[lost[entries.columns]]] = True
    chosen = rows[entries.rows]
    part = Entries(entries.rows[chosen], entries.columns[chosen], entries.shape)
    colours = coloured_columns(part.turned)
    if colour_count(colours) <= _SWEEPS:
        products = compressed(run.pull, Space(run.values), Space(run.primals), colours, widest(run))
        values[chosen] = _read(products, colours, colours[part.rows], part.columns, Course())


def _read(found: Iterator[tuple[int, Array]], colours: Array, keys: Array, places: Array, course: Course) -> Array:
    """For every entry the number at its place in the product of its colour, its key; `found` gives the products."""
    course.colours = colour_count(colours)
    order = order_by(keys, course.colours)
    ends = np.concatenate([[0], np.cumsum(np.bincount(keys, minlength=course.colours))])
    values = np.zeros(len(keys))
    for first, products in found:
        chosen = order[ends[first] : ends[first + len(products)]]
        values = values.astype(products.dtype, copy=False)
        values[chosen] = products[keys[chosen] - first, places[chosen]]
        course.products += len(products)
    return values


# --- functions of functions -------------------------------------------------------------------------------------------

Fun = Callable[..., Any]


def linearized(f: Fun, argnums: Any, args: Sequence[Any]) -> tuple[Linearized, Any, bool]:
    """A run of f at some of its arguments, the tree they make, and whether that is one argument alone."""
    positions, single = _positions(argnums, len(args))
    flat = Flat(f, args, positions)
    return Linearized(flat, flat.primals), flat, single


def sparse_jacobian(f: Fun, argnums: int | Sequence[int] = 0) -> Fun:
    """A function that returns df/dx as SciPy's CSR array, of shape (elements of the output, elements of the input).

    Several outputs or inputs make trees of these, as in `jacobian`. Entries of the pattern that are 0 at this point
    are kept.
    """

    def call(*args: Any) -> Any:
        run, flat, single = linearized(f, argnums, args)
        return _blocks(sparse_derivative(run), Space(run.values), flat, flat.result, single)

    return call


def sparse_hessian(f: Fun, argnums: int | Sequence[int] = 0) -> Fun:
    """A function that returns the second derivatives of scalar f as SciPy's CSR array, or trees of them."""

    def call(*args: Any) -> Any:
        run, flat, single = linearized(grad(f, argnums), argnums, args)
        return _blocks(sparse_symmetric(run), Space(run.values), flat, flat.result, single)

    return call


def _blocks(made: Sparse, outputs: Space, flat: Any, result: Any, single: bool) -> Any:
    inputs = Space(flat.primals)
    rows = []
    for begin, end in zip(outputs.ends, outputs.ends[1:], strict=False):
        row = [
            made.block(slice(begin, end), slice(first, last)).matrix()
            for first, last in zip(inputs.ends, inputs.ends[1:], strict=False)
        ]
        by_argument = trees.like(flat.varying, row)
        rows.append(by_argument[0] if single else tuple(by_argument))
    return trees.like(result, rows)
