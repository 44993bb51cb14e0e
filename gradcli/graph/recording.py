"""Recording: the whole run as plain data, for readers that want the program rather than its answer.

A recording is the highest level of all: while it is open, every op call of the program becomes a node of it, constants
and integers included, whatever other levels are at work below. What happens inside a node (rules of a reverse sweep,
batching) is not the program's and is not recorded.

A derivative that the program itself takes becomes a region: which transformation, of which part of the run, at which
inputs. Its results are nodes whose op is `REGION_OUTPUT`. For a region with primals x_0.., leaves l_0.. and outputs
y_0.. the results are, in order,

    "value"     one per output j:           y_j at the primals
    "vjp"       one per primal i:           sum_j vectors[j] . d y_j / d l_i
    "jvp"       one per output j:           sum_i d y_j / d l_i . vectors[i]
    "jacobian"  j * len(primals) + i:       d y_j / d l_i, of shape y_j.shape + x_i.shape
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from gradcli.graph.bind import bind, infer
from gradcli.graph.errors import AbstractValue
from gradcli.graph.node import Node, node_or_picks
from gradcli.graph.op import Op
from gradcli.graph.state import state
from gradcli.graph.values import CoreValue, Level, Spec, Value


class Abstract(Value):
    """A value of which shape and dtype alone are known."""

    __slots__ = ("dtype", "shape")

    def __init__(self, spec: Spec) -> None:
        self.level = _GROUND
        self.shape = spec.shape
        self.dtype = spec.dtype

    def below(self) -> CoreValue:
        """Nothing is below.

        Raises:
            AbstractValue: always.
        """
        raise AbstractValue(
            "the program's course depends on a value that is not given",
            mend="give the inputs' values",
        )


_GROUND = Level(-1)


class Guard(NamedTuple):
    """A place where the program's course depended on a value: the node, and what it was."""

    node: Node
    value: Any
    span: Any


class Region:
    """A derivative that the program takes itself; see the module's head for the order of its results.

    Attributes:
        kind: "value", "vjp", "jvp" or "jacobian".
        primals: where it is taken, values of the surrounding run.
        leaves: the nodes that stand for the primals inside.
        frame: the nodes inside, in order of execution (regions within are among them).
        outputs: what the differentiated function returned: nodes inside, or constants.
        vectors: cotangents (one per output) or tangents (one per primal); empty for a value or a Jacobian.
            None is a zero.
    """

    __slots__ = ("frame", "kind", "leaves", "outputs", "primals", "vectors")

    def __init__(
        self,
        kind: str,
        primals: tuple[CoreValue, ...],
        leaves: tuple[Node, ...],
        frame: list[Node],
        outputs: tuple[CoreValue, ...],
        vectors: tuple[CoreValue | None, ...],
    ) -> None:
        self.kind = kind
        self.primals = primals
        self.leaves = leaves
        self.frame = frame
        self.outputs = outputs
        self.vectors = vectors


def _not_called(*_: Any, **__: Any) -> Any:
    raise AssertionError("a region's output is recorded, never computed by its op")


#: One result of a region: params are {"region": Region, "index": int}; inputs are the region's outer values.
REGION_OUTPUT = Op(
    "derivative", "general", value=_not_called, shape=_not_called, doc="A derivative taken by the program."
)
#: A value that the program cut from its history (`detach`, `stop_gradient`, `no_grad`): a constant to any derivative.
DETACH = Op(
    "detach",
    "constant",
    value=lambda x: x,
    shape=lambda x: Spec(x.shape, x.dtype),
    batch=lambda xs, batched, params, size: xs[0],
    meaning=lambda S, x: x,
    doc="The same value, a constant to any derivative.",
)


class Recording(Level):
    """The run of a program, node by node. Use as a context manager.

    Attributes:
        nodes: leaves and ops in order of execution, without those inside regions.
        guards: where the program branched on a value.
        abstract: whether only shapes are known of what depends on the inputs.
    """

    __slots__ = ("_frames", "abstract", "guards", "nodes")

    def __init__(self, *, abstract: bool = False) -> None:
        super().__init__(1 << 62)
        self.abstract = abstract
        self.nodes: list[Node] = []
        self.guards: list[Guard] = []
        self._frames: list[list[Node]] = [self.nodes]

    def __enter__(self) -> Recording:
        assert state.recording is None, "a recording is open already"
        state.recording = self
        return self

    def __exit__(self, *_: object) -> None:
        state.recording = None

    def input(self, name: str, value: CoreValue) -> Node:
        """A leaf for the program's input `name`; in an abstract recording its value is not kept."""
        if self.abstract:
            value = Abstract(Spec(value.shape, value.dtype))
        return self._keep(Node(self, None, (), {"name": name}, value))

    def leaf(self, value: CoreValue) -> Node:
        """A leaf inside a region, standing for one of its primals."""
        return self._keep(Node(self, None, (), {}, value))

    def process(self, op: Op, operands: tuple[CoreValue, ...], params: dict[str, Any]) -> CoreValue:
        """Run the op with the recording closed, and keep a node of it."""
        inner = tuple(self.inner(x) for x in operands)
        if self.abstract and any(isinstance(x, Abstract) for x in inner):
            spec = infer(op, inner, params)
            value: CoreValue = Abstract(spec) if isinstance(spec, Spec) else tuple(Abstract(part) for part in spec)
        else:
            with self.closed():
                value = bind(op, *inner, **params)
        tracked = state.constant_below < state.newest_level
        result = node_or_picks(self, op, operands, params, value)
        parts = result if isinstance(result, tuple) else (result,)
        if isinstance(result, tuple):
            self._keep(result[0].inputs[0])
        for part in parts:
            self._keep(part)
        if tracked or not any(isinstance(x, Node) for x in operands):
            return result
        cut = tuple(self._keep(Node(self, DETACH, (part,), {}, part.value)) for part in parts)
        return cut if isinstance(result, tuple) else cut[0]

    def inner(self, x: CoreValue) -> CoreValue:
        """What a recorded value holds one level down; other values are themselves."""
        return x.value if isinstance(x, Node) and x.level is self else x

    def guard(self, x: CoreValue, value: Any) -> None:
        """Note that the program's course depended on `x` being `value`."""
        if isinstance(x, Node) and x.level is self:
            self.guards.append(Guard(x, value, state.span))

    @contextmanager
    def closed(self) -> Iterator[None]:
        """What runs inside is not the program's."""
        state.recording = None
        try:
            yield
        finally:
            state.recording = self

    @contextmanager
    def frame(self) -> Iterator[list[Node]]:
        """Nodes made inside go to a list of their own: the inside of a region."""
        frame: list[Node] = []
        self._frames.append(frame)
        try:
            yield frame
        finally:
            self._frames.pop()

    def region_outputs(self, region: Region, values: tuple[CoreValue, ...]) -> tuple[Node, ...]:
        """Nodes for a region's results, whose values (or `Spec`s, in an abstract recording) are given."""
        outer = region.primals + tuple(v for v in region.vectors if v is not None)
        inputs = tuple(x for x in outer if isinstance(x, Value))
        found = []
        for index, value in enumerate(values):
            held = Abstract(value) if isinstance(value, Spec) else value
            found.append(self._keep(Node(self, REGION_OUTPUT, inputs, {"region": region, "index": index}, held)))
        return tuple(found)

    def _keep(self, node: Node) -> Node:
        self._frames[-1].append(node)
        return node
