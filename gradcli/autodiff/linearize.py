"""One run of a function, kept, from which products with its Jacobian are taken in either direction.

`Linearized` is what vjp, jvp (of a kept run) and jacobian share. Under a recording it also tells
the recording what goes on: the inside of the run is a region, and the results are the region's outputs (see
`gradcli.graph.recording`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from gradcli.autodiff.batch import Batched, BatchLevel
from gradcli.autodiff.levels import opened
from gradcli.autodiff.reverse import ReverseLevel, in_dtype, push, reachable, sweep
from gradcli.graph.budget import budget
from gradcli.graph.errors import BatchedBranch
from gradcli.graph.node import Node
from gradcli.graph.recording import Abstract, Recording, Region
from gradcli.graph.state import state
from gradcli.graph.values import CoreValue, Spec, is_inexact, shape_of
from gradcli.ops.axis_order import moveaxis
from gradcli.ops.broadcasting import broadcast_to
from gradcli.ops.joining import concatenate
from gradcli.ops.shape import reshape
from gradcli.ops.singleton_axes import expand_dims

#: Directions run as one batch while all that they hold at once stays below this many bytes.
BATCH_BYTES = 256 << 20

FlatFunction = Callable[..., Sequence[CoreValue]]


class Linearized:
    """A function's run at `primals`; `values` are its outputs, for the caller's level.

    Args:
        f: takes core values, returns a sequence of them.
        primals: core values; those of floating or complex dtype are differentiated with respect to.
    """

    def __init__(self, f: FlatFunction, primals: Sequence[CoreValue]) -> None:
        self.primals = tuple(primals)
        self._recording: Recording | None = state.recording
        if self._recording is None:
            with opened(ReverseLevel) as level:
                self._level = level
                self._inner_primals = self.primals
                self._leaves = tuple(self._leaf(x) for x in self.primals)
                self._outputs = tuple(f(*self._leaves))
            self.values: tuple[CoreValue, ...] = tuple(level.lowered(y) for y in self._outputs)
        else:
            self._run_recorded(f, self._recording)

    def _leaf(self, x: CoreValue) -> CoreValue:
        return self._level.leaf(x) if is_inexact(x) and not isinstance(x, Abstract) else x

    def _run_recorded(self, f: FlatFunction, recording: Recording) -> None:
        self._inner_primals = tuple(recording.inner(x) for x in self.primals)
        with opened(ReverseLevel) as level, recording.frame() as frame:
            self._level = level
            self._leaves = tuple(self._leaf(x) for x in self._inner_primals)
            inside = tuple(recording.leaf(x) for x in self._leaves)
            results = tuple(f(*inside))
        self._frame, self._inside, self._results = frame, inside, results
        self._outputs = tuple(recording.inner(y) for y in results)
        lowered = tuple(level.lowered(y) for y in self._outputs)
        self.values = recording.region_outputs(self._region("value", ()), lowered)

    def _region(self, kind: str, vectors: tuple[CoreValue | None, ...]) -> Region:
        return Region(kind, self.primals, self._inside, self._frame, self._results, vectors)

    @property
    def graph(self) -> tuple[ReverseLevel, tuple[CoreValue, ...], tuple[CoreValue, ...]]:
        """The level whose nodes were kept, the leaves, and the outputs, for those who read the graph itself."""
        return self._level, self._leaves, self._outputs

    def _is_abstract(self) -> bool:
        return any(isinstance(x, Abstract) for x in (*self._inner_primals, *self._outputs))

    def narrow(self, count: int) -> None:
        """Differentiate the first `count` outputs alone from now on; `values` keeps all."""
        self._outputs = self._outputs[:count]
        if self._recording is not None:
            self._results = self._results[:count]

    # --- products ----------------------------------------------------------------------------------------------------

    def pull(self, cotangents: Sequence[CoreValue | None]) -> tuple[CoreValue, ...]:
        """One cotangent per primal (zeros where nothing flows) for one per output (None is zero)."""
        return self._product("vjp", cotangents, self.primals, self._pulled)

    def push(self, tangents: Sequence[CoreValue | None]) -> tuple[CoreValue, ...]:
        """One tangent per output (zeros where nothing flows) for one per primal (None is zero)."""
        return self._product("jvp", tangents, self._outputs, self._pushed)

    def _product(
        self,
        kind: str,
        vectors: Sequence[CoreValue | None],
        like: Sequence[CoreValue],
        run: Callable[[Sequence[CoreValue | None]], tuple[CoreValue, ...]],
    ) -> tuple[CoreValue, ...]:
        """`run(vectors)`, whose results are like `like`; a recording keeps it as one region."""
        recording = self._recording
        if recording is None:
            return run(vectors)
        region = self._region(kind, tuple(vectors))
        if self._is_abstract():
            return recording.region_outputs(region, tuple(_spec(x) for x in like))
        with recording.closed():
            found = run([recording.inner(v) for v in vectors])
        return recording.region_outputs(region, found)

    def jacobian(self, mode: str = "auto") -> list[list[CoreValue]]:
        """`[j][i]`: d output j / d primal i, of shape output + primal. `mode` is auto, forward or reverse."""
        recording = self._recording
        if recording is None:
            return self._jacobian(mode)
        region = self._region("jacobian", ())
        if self._is_abstract():
            specs = [Spec(shape_of(y) + shape_of(x), y.dtype) for y in self._outputs for x in self._inner_primals]
            flat = recording.region_outputs(region, tuple(specs))
        else:
            with recording.closed():
                rows = self._jacobian(mode)
            flat = recording.region_outputs(region, tuple(part for row in rows for part in row))
        width = len(self.primals)
        return [list(flat[j * width : (j + 1) * width]) for j in range(len(self._outputs))]

    # --- on the values below -----------------------------------------------------------------------------------------

    def _pulled(self, cotangents: Sequence[CoreValue | None]) -> tuple[CoreValue, ...]:
        seeds = [
            (y, in_dtype(g, y.dtype))
            for y, g in zip(self._outputs, cotangents, strict=True)
            if g is not None and self._tracked(y)
        ]
        found = sweep(self._level, seeds)
        return tuple(self._found(found, i) for i in range(len(self.primals)))

    def _found(self, cotangents: dict[Node, CoreValue], i: int) -> CoreValue:
        leaf = self._leaves[i]
        g = cotangents.get(leaf) if isinstance(leaf, Node) else None
        return zeros(self._inner_primals[i]) if g is None else g

    def _pushed(self, tangents: Sequence[CoreValue | None]) -> tuple[CoreValue, ...]:
        given = {
            leaf: in_dtype(t, leaf.dtype)
            for leaf, t in zip(self._leaves, tangents, strict=True)
            if t is not None and self._tracked(leaf)
        }
        found = push(self._level, given, self._outputs)
        return tuple(zeros(y) if t is None else t for y, t in zip(self._outputs, found, strict=True))

    def _tracked(self, x: CoreValue) -> bool:
        return isinstance(x, Node) and x.level is self._level

    def _jacobian(self, mode: str) -> list[list[CoreValue]]:
        rows = sum(_size(y) for y in self._outputs)
        columns = sum(_size(x) for x in self._leaves if self._tracked(x))
        for y in self._outputs:
            budget.charge(_size(y) * columns * 8, "the Jacobian")
        if any(x.dtype.kind == "c" for x in (*self._outputs, *self._inner_primals)):
            return self._complex_jacobian()
        if mode == "reverse" or (mode == "auto" and rows <= columns):
            return [self._rows(j) for j in range(len(self._outputs))]
        by_input = [self._columns(i) for i in range(len(self.primals))]
        return [[column[j] for column in by_input] for j in range(len(self._outputs))]

    def _complex_jacobian(self) -> list[list[CoreValue]]:
        """By complex inputs the cotangents for 1, which conjugate (as in PyTorch); by real ones plain derivatives.

        Only one direction gives each: a cotangent of a real input has no imaginary part, a tangent of a complex one
        none in the imaginary direction.
        """
        rows = [self._rows(j) for j in range(len(self._outputs))]
        for i, x in enumerate(self._inner_primals):
            if x.dtype.kind != "c":
                for row, column in zip(rows, self._columns(i), strict=True):
                    row[i] = column
        return rows

    def _rows(self, j: int) -> list[CoreValue]:
        """Derivatives of output j with respect to every primal, by reverse sweeps."""
        y = self._outputs[j]
        shapes = [shape_of(x) for x in self._inner_primals]
        if not self._tracked(y) or _size(y) == 0:
            return [empty_jacobian(shape_of(y), x) for x in self._inner_primals]

        def pulled(g: CoreValue) -> Sequence[CoreValue]:
            cotangents: list[CoreValue | None] = [None] * len(self._outputs)
            cotangents[j] = g
            return self._pulled(cotangents)

        stacked = self._in_batches(y, pulled, len(self.primals))
        return [reshape(part, shape_of(y) + shape) for part, shape in zip(stacked, shapes, strict=True)]

    def _columns(self, i: int) -> list[CoreValue]:
        """Derivatives of every output with respect to primal i, by forward pushes."""
        leaf = self._leaves[i]
        x = self._inner_primals[i]
        if not self._tracked(leaf) or _size(x) == 0:
            return [empty_jacobian(shape_of(y), x) for y in self._outputs]

        def pushed(t: CoreValue) -> Sequence[CoreValue]:
            tangents: list[CoreValue | None] = [None] * len(self.primals)
            tangents[i] = t
            return self._pushed(tangents)

        stacked = self._in_batches(leaf, pushed, len(self._outputs))
        return [
            reshape(moveaxis(part, 0, -1), shape_of(y) + shape_of(x))
            for part, y in zip(stacked, self._outputs, strict=True)
        ]

    def _in_batches(
        self, along: CoreValue, product: Callable[[CoreValue], Sequence[CoreValue]], count: int
    ) -> list[CoreValue]:
        """`product` at every unit vector of the shape of `along`, results stacked along a new first axis."""
        total = _size(along)
        width = max(1, min(total, BATCH_BYTES // max(1, self._bytes_held())))
        chunks: list[Sequence[CoreValue]] = []
        start = 0
        while start < total:
            stop = min(start + width, total)
            try:
                chunks.append(self._at_units(along, start, stop, product))
            except BatchedBranch:
                if stop - start == 1:
                    raise
                width = 1
                continue
            start = stop
        if len(chunks) == 1:
            return list(chunks[0])
        return [concatenate([chunk[k] for chunk in chunks], 0) for k in range(count)]

    def _at_units(
        self, along: CoreValue, start: int, stop: int, product: Callable[[CoreValue], Sequence[CoreValue]]
    ) -> list[CoreValue]:
        size, shape = stop - start, shape_of(along)
        units = np.zeros((size, _size(along)), dtype=along.dtype)
        units[np.arange(size), np.arange(start, stop)] = 1
        if size == 1:
            return [expand_dims(part, 0) for part in product(units.reshape(shape))]
        with opened(BatchLevel) as level:
            level.size = size
            parts = product(Batched(level, units.reshape((size, *shape))))
        found = []
        for part in parts:
            payload = level.payload(part)
            if payload is None:
                payload = broadcast_to(part, (size, *shape_of(part)))
            found.append(payload)
        return found

    def _bytes_held(self) -> int:
        """What one direction holds at its widest, as a bound: every node's tangent or cotangent."""
        roots = [y for y in self._outputs if self._tracked(y)]
        nodes = reachable(self._level, roots)
        widest = max((_size(node) for node in nodes), default=1)
        return 8 * (4 * widest + sum(_size(x) for x in self._leaves) + sum(_size(y) for y in self._outputs))


def _size(x: CoreValue) -> int:
    count = 1
    for length in shape_of(x):
        count *= length
    return count


def _spec(x: CoreValue) -> Spec:
    return Spec(shape_of(x), x.dtype)


def zeros(x: CoreValue) -> CoreValue:
    """Zeros of the shape and dtype of `x`, as an array: a constant to every level."""
    return np.zeros(shape_of(x), dtype=x.dtype if x.dtype.kind in "fc" else np.float64)


def empty_jacobian(rows: tuple[int, ...], x: CoreValue) -> CoreValue:
    """The Jacobian of something that does not depend on `x`: zeros."""
    return np.zeros(rows + shape_of(x), dtype=x.dtype if x.dtype.kind in "fc" else np.float64)
