"""From a recording to exact scalars: every tensor becomes an array of scalars, by the meanings of its ops alone.

Tensors of integers and bools, by which a program chooses, are taken as they were when it ran; `live` keeps comparisons
as exact decisions instead, which is what a look beside a kink needs. A derivative that the program takes itself (a
region) is taken here too, by the oracle's own chain rule.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

from gradcli.graph.errors import AbstractValue, BatchedBranch, GradcliError
from gradcli.graph.node import PICK, Node
from gradcli.graph.recording import DETACH, REGION_OUTPUT, Region
from gradcli.graph.values import CoreValue, Value, concrete, count_of, shape_of
from gradcli.symbolic.cells import Cells, filled, parts_of, scalars_in
from gradcli.symbolic.complexes import Complex
from gradcli.symbolic.meaning import Namespace, Unknown
from gradcli.symbolic.paths import Path
from gradcli.symbolic.patterns import Patterns
from gradcli.symbolic.region import RegionResults
from gradcli.symbolic.scalars import Degenerate, Graph, Scalar, Unprovable, exact
from gradcli.symbolic.terms import put_off, settled

_FLOAT64: np.dtype[Any] = np.dtype(np.float64)
#: Ops that are computed with whole matrices: their rounding is relative to the largest element.
_OF_WHOLE_MATRICES = frozenset(
    """cholesky cofactors det eig eigh expm inv logm lstsq lu nuclear_norm pinv polar qr second_cofactors slogdet solve
    solve_sylvester solve_triangular sqrtm svd third_cofactors""".split()  # noqa: SIM905  (as words it reads better)
)
#: Precision of each float dtype, in bits.
PRECISIONS = {"float16": 11, "float32": 24, "float64": 53, "complex64": 24, "complex128": 53, "longdouble": 64}


class Lowered(NamedTuple):
    """A program as scalars.

    Attributes:
        graph: all of them.
        outputs: an object array of scalars per output.
        inputs: the same for the inputs that derivatives are taken by.
        kinked: ops that sat exactly on a kink, by the values recorded.
        chosen: those of them of which the meaning picks one of equal values.
        origins: (first scalar, node), in order: where scalars come from.
    """

    graph: Graph
    outputs: list[Cells]
    inputs: dict[str, Cells]
    kinked: list[Node]
    chosen: list[Node]
    origins: list[tuple[int, Node]]

    def origin(self, index: int) -> Node | None:
        """The node that a scalar belongs to."""
        place = bisect_right(self.origins, index, key=lambda entry: entry[0])
        return self.origins[place - 1][1] if place else None


def lower(
    outputs: Sequence[CoreValue],
    inputs: Mapping[str, Node],
    *,
    live: bool = False,
    limit: int | None = None,
    folds: bool = True,
    path: Path | None = None,
) -> Lowered:
    """Outputs of a recording as scalars over its inputs; with `folds`, numbers among themselves are computed.

    `path` takes the program away from where equations are singular, see `gradcli.symbolic.degenerate`.

    Raises:
        Degenerate: equations that define a result are singular.
        Unprovable: an op has no exact meaning, or there are more than `limit` scalars.
        AbstractValue: the meaning depends on values of an abstract recording.
    """
    return Lowering(inputs, live, Graph(limit, folds=folds), path).run(outputs)


def needed_nodes(outputs: Sequence[CoreValue], leaves: dict[int, CoreValue] | None = None) -> list[Node]:
    """All nodes that outputs depend on, insides of regions too, in order of execution.

    `leaves` is filled with the primal that each leaf inside a region stands for, by the leaf's id.
    """
    seen: dict[int, Node] = {}
    pending = [y for y in outputs if isinstance(y, Node)]
    while pending:
        node = pending.pop()
        if id(node) in seen:
            continue
        seen[id(node)] = node
        pending.extend(x for x in node.inputs if isinstance(x, Node))
        if node.op is REGION_OUTPUT:
            region: Region = node.params["region"]
            if leaves is not None:
                leaves.update((id(leaf), primal) for leaf, primal in zip(region.leaves, region.primals, strict=True))
            outer = (*region.primals, *region.vectors, *region.outputs, *region.leaves)
            pending.extend(x for x in outer if isinstance(x, Node))
    return sorted(seen.values(), key=lambda node: node.seq)


class Lowering:
    """One pass over the nodes of a recording, in order; every node's cells are kept."""

    def __init__(self, inputs: Mapping[str, Node], live: bool, graph: Graph, path: Path | None = None) -> None:
        self.graph = graph
        self.path = path
        self.space = Namespace(self.graph)
        self.patterns = Patterns(graph.folds)
        self.live = live
        self.names = {id(node): name for name, node in inputs.items()}
        self.inputs: dict[str, Cells] = {}
        self.wanted = inputs
        self.cells: dict[int, Any] = {}
        self.constants: dict[int, Cells] = {}
        self.leaves: dict[int, CoreValue] = {}
        self.regions: dict[int, list[Cells]] = {}
        self.kinked: list[Node] = []
        self.chosen: list[Node] = []
        self.origins: list[tuple[int, Node]] = []

    def run(self, outputs: Sequence[CoreValue]) -> Lowered:
        """The outputs as scalars."""
        for node in self.wanted.values():
            self.inputs[self.names[id(node)]] = self.cells[id(node)] = self._input(node)
        nodes = needed_nodes(outputs, self.leaves)
        self.graph.expect(sum(map(_operations, nodes)))
        for node in nodes:
            if id(node) not in self.cells:
                self.origins.append((len(self.graph), node))
                self.cells[id(node)] = self._lowered(node)
        found = [self._exact_cells(self._of(y)) for y in outputs]
        return Lowered(self.graph, found, self.inputs, self.kinked, self.chosen, self.origins)

    # --- leaves ------------------------------------------------------------------------------------------------------

    def _input(self, node: Node) -> Cells:
        name = self.names[id(node)]
        values: list[Any] = [None] * count_of(node.shape)
        with suppress(AbstractValue):
            values = list(concrete(node.value).ravel())
        cells = [self._input_cell(name, i, value, node.dtype) for i, value in enumerate(values)]
        return filled(cells, node.shape)

    def _input_cell(self, name: str, index: int, value: Any, dtype: np.dtype[Any]) -> Any:
        graph = self.graph
        if dtype.kind == "c":
            parts = (None, None) if value is None else (value.real, value.imag)
            return Complex(*(self._input_cell(name, index, part, part_dtype(dtype)) for part in parts))
        known = None if value is None else exact(value)
        if self.path is not None:
            known = self.path.moved.get((name, index), known)
        return Scalar(graph, graph.input(name, index, known))

    def _constant(self, x: Any, dtype: np.dtype[Any]) -> Any:
        """An operand that is no node: an array's cells, or a number, as exactly as an op of `dtype` sees it."""
        if isinstance(x, Value) or hasattr(x, "dtype"):
            key = id(x)
            if key not in self.constants:
                self.constants[key] = (self._array(concrete(x)), x)
            return self.constants[key][0]
        if isinstance(x, complex):
            return self.space.lifted(x)
        if isinstance(x, float) and dtype.kind in "fc":
            x = float(part_dtype(dtype).type(x))
        return x

    def _array(self, values: Any) -> Cells:
        """A recorded array as cells: floats become exact numbers, integers and bools stay."""
        if values.dtype.kind not in "fc":
            return values
        return filled([self.space.lifted(x.item()) for x in values.ravel()], values.shape)

    def _of(self, x: CoreValue, dtype: np.dtype[Any] = _FLOAT64) -> Any:
        return self.cells[id(x)] if isinstance(x, Node) else self._constant(x, dtype)

    # --- ops ---------------------------------------------------------------------------------------------------------

    def _lowered(self, node: Node) -> Any:
        op = node.op
        if op is None:
            return self._leaf(node)
        if op is PICK:
            return self.cells[id(node.inputs[0])][node.params["index"]]
        if op is REGION_OUTPUT:
            return self._region(node.params["region"])[node.params["index"]]
        if op is DETACH:
            return self._each(self._of(node.inputs[0]), "stop")
        self._note_kink(node)
        if isinstance(node.value, tuple):
            return self._several(node)
        recorded = self._recorded(node)
        return self._meaning(node) if recorded is None else recorded

    def _leaf(self, node: Node) -> Cells:
        if id(node) in self.leaves:
            return self._each(self._of(self.leaves[id(node)]), "leaf")
        return self._array(concrete(node.value))

    def _each(self, cells: Cells, function: str) -> Cells:
        """`leaf` or `stop` of every cell; integers stay what they are."""
        if not isinstance(cells, np.ndarray):
            cells = np.asarray(self.space.lifted(cells), dtype=object)
        if cells.dtype != object:
            return cells
        return filled([self._marked(x, function) for x in cells.ravel()], cells.shape)

    def _marked(self, x: Any, function: str) -> Any:
        if isinstance(x, Complex):
            return Complex(self._marked(x.re, function), self._marked(x.im, function))
        graph = self.graph
        return Scalar(graph, graph.leaf(x.index) if function == "leaf" else graph.apply("stop", x.index))

    def _note_kink(self, node: Node) -> None:
        if is_kinked(node):
            self.kinked.append(node)

    def _recorded(self, node: Node) -> Cells | None:
        """The cells of a node that is taken as it was when it ran, or None."""
        op = node.op
        assert op is not None
        dependent = any(isinstance(x, Node) for x in node.inputs)
        if node.dtype.kind in "fc" and (dependent or op.kind != "constant") and op.meaning is not None:
            return None
        if self.live and node.dtype.kind == "b" and dependent:
            return None
        try:
            return self._array(concrete(node.value))
        except BatchedBranch:
            return None
        except AbstractValue:
            return None

    def _several(self, node: Node) -> tuple[Cells, ...]:
        start = len(self.graph)
        parts = self._called(node)
        made = []
        for part, value in zip(parts, node.value, strict=True):
            made.append(self._settled(node, part, value.shape, value.dtype))
        if _is_of_wholes(node):
            return tuple(self._rounded_whole(x, y.dtype) for x, y in zip(made, node.value, strict=True))
        self._round(node, start, node.value[0].dtype)
        return tuple(made)

    def _meaning(self, node: Node) -> Cells:
        start = len(self.graph)
        elementwise = node.op is not None and _is_elementwise(node)
        try:
            found = self._elementwise(node) if elementwise else self._called(node)
        except (Unknown, TypeError) as error:
            if node.dtype.kind not in "fc" and not isinstance(error, AbstractValue):
                return self._array(concrete(node.value))
            raise
        cells = self._settled(node, found, node.shape, node.dtype)
        if _is_of_wholes(node):
            return self._rounded_whole(cells, node.dtype)
        if elementwise:
            self._round_results(cells, start, node.dtype)
        else:
            self._round(node, start, node.dtype)
        return cells

    def _called(self, node: Node) -> Any:
        op = node.op
        assert op is not None
        if op.meaning is None:
            raise Unprovable(f"{op.name} has no exact meaning")
        operands = [self._of(x, node.dtype) for x in node.inputs]
        if op.kind != "elementwise":
            operands = [x if isinstance(x, np.ndarray) else np.asarray(self._plain(x), dtype=object) for x in operands]
        if op.kind in ("linear", "multilinear") and not op.views:
            operands = [put_off(x) for x in operands]
        elif _is_of_wholes(node) and self.graph.folds:
            operands = [self._as_wholes(x, _precision(node)) for x in operands]
        self.space.ties_matter = self.live and op.kink is not None
        try:
            return op.meaning(self.space, *operands, **node.params)
        except Degenerate as error:
            error.node = node
            if self.path is None:
                raise
            return op.meaning(self.space, *(self._nudged(x) for x in operands), **node.params)
        except Unknown:
            if self.space.has_no_form or not self.space.ties_matter:
                raise self._unknown(node) from None
            if is_kinked(node):
                self.chosen.append(node)
            self.space.ties_matter = False
            return op.meaning(self.space, *operands, **node.params)
        except (GradcliError, Unprovable):
            raise
        except ZeroDivisionError as error:
            raise Unprovable(f"{op.name} divides by nothing at this point") from error
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise Unprovable(f"the exact meaning of {op.name} failed: {error}") from error

    def _nudged(self, cells: Cells) -> Cells:
        """An operand of singular equations, moved along the path."""
        if cells.dtype != object or self.path is None:
            return cells
        flat = [settled(x) for x in cells.ravel()]
        scale = max((abs(self.space.float(part)) for x in flat for part in parts_of(x)), default=0.0)
        off = self.path.off(len(flat), scale)
        return filled([x + self.space.number(d) for x, d in zip(flat, off, strict=True)], cells.shape)

    def _unknown(self, node: Node) -> AbstractValue:
        """What is to be said where a meaning asked for values that are not known."""
        name = node.op.name if node.op else "leaf"
        if self.space.has_no_form:
            return AbstractValue(
                f"there is no formula for {name}: its result is defined by equations",
                mend="gradcli grad and gradcli check need no formula",
                span=node.span,
            )
        words = f"the meaning of {name} depends on the inputs' values"
        return AbstractValue(words, mend="give the inputs' values", span=node.span)

    def _as_wholes(self, cells: Cells, bits: int) -> Cells:
        """The matrices of a stack (or a vector), each as a whole; zeros that are no input's stay what they are."""
        if cells.dtype != object or not cells.size:
            return cells
        found = cells.copy()
        zero = self.graph.number(0)
        for index in np.ndindex(cells.shape[:-2]):
            scalars = [x for x in scalars_in(cells[index]) if x.index != zero]
            whole = self.graph.whole([x.index for x in scalars])
            for place in whole:
                self.graph.round_at(place, bits)
            parts_of = dict(zip((x.index for x in scalars), whole, strict=True))
            found[index] = filled([self._part_of(x, parts_of) for x in cells[index].ravel()], cells[index].shape)
        return found

    def _part_of(self, x: Any, parts_of: Mapping[int, int]) -> Any:
        if isinstance(x, Complex):
            return Complex(self._part_of(x.re, parts_of), self._part_of(x.im, parts_of))
        place = parts_of.get(x.index) if isinstance(x, Scalar) else None
        return x if place is None else Scalar(self.graph, place)

    def _plain(self, x: Any) -> Any:
        return self.space.lifted(x) if isinstance(x, float | complex) else x

    def _elementwise(self, node: Node) -> Cells:
        op = node.op
        assert op is not None and op.meaning is not None
        meaning, space, params = op.meaning, self.space, node.params
        operands = [self._of(x, node.dtype) for x in node.inputs]
        columns = []
        for x in operands:
            if isinstance(x, np.ndarray):
                spread = x if x.shape == node.shape else np.broadcast_to(x, node.shape)
                columns.append(spread.ravel().tolist())
            else:
                columns.append([x] * count_of(node.shape))
        space.ties_matter = False
        pattern = None if self.graph.has_holes else self.patterns.of(op, operands, params)
        try:
            if pattern is not None:
                return pattern.applied(self.graph, columns)
            return [meaning(space, *cells, **params) for cells in zip(*columns, strict=True)]
        except Unknown:
            raise self._unknown(node) from None
        except (GradcliError, Unprovable):
            raise
        except ZeroDivisionError as error:
            raise Unprovable(f"{op.name} divides by nothing at this point") from error
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise Unprovable(f"the exact meaning of {op.name} failed: {error}") from error

    def _settled(self, node: Node, found: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Cells:
        """What a meaning returned, as cells of the right shape."""
        cells = np.asarray(found, dtype=object) if not isinstance(found, list) else filled(found, (len(found),))
        if cells.size != count_of(shape):
            name = node.op.name if node.op else "leaf"
            raise Unprovable(f"the exact meaning of {name} has shape {list(cells.shape)}, its value {list(shape)}")
        if dtype.kind not in "fc" and not any(isinstance(x, Scalar | Complex) for x in cells.ravel()):
            return cells.astype(dtype).reshape(shape)
        lifted = self.space.lifted
        flat = [settled(x) if isinstance(x, Scalar | Complex) else lifted(x) for x in cells.ravel()]
        if dtype.kind == "c":
            flat = [x if isinstance(x, Complex) else Complex(x, lifted(0)) for x in flat]
        return filled(flat, shape)

    def _exact_cells(self, cells: Any) -> Cells:
        if not isinstance(cells, np.ndarray):
            cells = np.asarray(cells)
        if cells.dtype == object:
            return cells
        return filled([self.space.lifted(x.item()) for x in cells.ravel()], cells.shape)

    # --- rounding ----------------------------------------------------------------------------------------------------

    def _round(self, node: Node, start: int, dtype: np.dtype[Any]) -> None:
        """All that a composite op computes is rounded by whoever computes it in floats."""
        self.graph.round_from(start, PRECISIONS.get(dtype.name, 0))

    def _round_results(self, cells: Cells, start: int, dtype: np.dtype[Any]) -> None:
        """An elementwise function can be computed to one rounding, whatever its definition goes through."""
        bits, round_at = PRECISIONS.get(dtype.name, 0), self.graph.round_at
        for x in cells.ravel():
            if isinstance(x, Scalar):
                if x.index >= start:
                    round_at(x.index, bits)
            elif isinstance(x, Complex):
                for part in (x.re, x.im):
                    if part.index >= start:
                        round_at(part.index, bits)

    def _rounded_whole(self, cells: Cells, dtype: np.dtype[Any]) -> Cells:
        """Results of whole matrices, which are rounded themselves: what stands between them is not rounded at all."""
        if cells.dtype != object or not self.graph.folds:
            return cells
        bits = PRECISIONS.get(dtype.name, 0)
        return filled([self._rounded(x, bits) for x in cells.ravel()], cells.shape)

    def _rounded(self, x: Any, bits: int) -> Any:
        """A scalar that is rounded, and nothing that it is made of."""
        if isinstance(x, Complex):
            return Complex(self._rounded(x.re, bits), self._rounded(x.im, bits))
        graph = self.graph
        if graph.is_number(x.index):
            return x
        made = graph.leaf(x.index)
        graph.round_at(made, bits)
        return Scalar(graph, made)

    def exact_of(self, x: CoreValue) -> Cells:
        """A value as scalars, whole numbers too."""
        return self._exact_cells(self._of(x))

    # --- derivatives that the program takes --------------------------------------------------------------------------

    def _region(self, region: Region) -> list[Cells]:
        found = self.regions.get(id(region))
        if found is None:
            found = self.regions[id(region)] = RegionResults(self, region).all()
        return found


def is_kinked(node: Node) -> bool:
    """Whether an op sat exactly on a kink, by the values recorded."""
    op = node.op
    if op is None or op.kink is None or not any(isinstance(x, Node) and x.dtype.kind in "fc" for x in node.inputs):
        return False
    try:
        operands = [concrete(x) if isinstance(x, Value) else x for x in node.inputs]
    except GradcliError:
        return False
    with np.errstate(all="ignore"):
        return bool(np.any(op.kink(*operands, **node.params)))


def part_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """The dtype of a complex dtype's parts; others are themselves."""
    return np.empty(0, dtype).real.dtype


def _is_of_wholes(node: Node) -> bool:
    return node.op is not None and node.op.name in _OF_WHOLE_MATRICES


def _precision(node: Node) -> int:
    """The precision of a node's results, in bits."""
    first = node.value[0] if isinstance(node.value, tuple) else node
    return PRECISIONS.get(first.dtype.name, 0)


def _operations(node: Node) -> int:
    """About how many terms and scalars an op makes at least: its elements, or the products that it adds up."""
    op = node.op
    if op is None or node.dtype.kind not in "fc" or isinstance(node.value, tuple):
        return 0
    if op.kind == "multilinear" and len(node.inputs) == 2:  # of m by k and k by n: the root of mk times kn times mn
        return int(math.sqrt(math.prod(math.prod(shape_of(x)) for x in (*node.inputs, node))))
    return count_of(node.shape) if op.kind == "elementwise" else 0


def _is_elementwise(node: Node) -> bool:
    """Whether the op's meaning is of scalars: elementwise ops, and those constant ones that promote operands alike."""
    op = node.op
    assert op is not None
    return op.kind == "elementwise" or (op.kind == "constant" and op.promotes)
