"""Node: one op that ran, as plain data; the graph is nodes and the values between them."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from gradcli.graph.op import Op
from gradcli.graph.state import state
from gradcli.graph.values import CoreValue, Level, Spec, Value

_sequence = itertools.count()
#: Shared by all nodes that have none: of a million small nodes, it would be a fifth of the memory.
_NO_PARAMS: dict[str, Any] = {}


def next_number() -> int:
    """The sequence number of a node made now; every node made later has a higher one."""
    return next(_sequence)


class Node(Value):
    """One op that ran at `level`, or a leaf (`op` None). Immutable.

    A node of a scalar takes about 240 bytes, of which 110 are its slots and the rest its value, its number and the
    tuple of its inputs; an op with parameters of its own, such as an index, takes 100 to 200 more.
    `benchmarks/long_programs.py` measures it.

    Attributes:
        seq: order of execution; an input's is always lower than its user's.
        op: what ran, None for a leaf.
        inputs: operands as they were given: nodes of this level, and constants to it.
        params: the op's parameters; a leaf of a recording has its "name" here.
        value: the result, a value of a lower level; a tuple for an op of several results, whose users are `PICK`s.
        span: where in the source it was called.
    """

    __slots__ = ("dtype", "inputs", "op", "params", "seq", "shape", "span", "value")

    def __init__(
        self,
        level: Level,
        op: Op | None,
        inputs: tuple[CoreValue, ...],
        params: dict[str, Any],
        value: CoreValue,
    ) -> None:
        self.level = level
        self.seq = next(_sequence)
        self.op = op
        self.inputs = inputs
        self.params = params or _NO_PARAMS
        self.value = value
        self.span = state.span
        if type(value) is tuple:
            self.shape: tuple[int, ...] = ()
            self.dtype: np.dtype[Any] = np.dtype(object)
        else:
            self.shape = value.shape
            self.dtype = value.dtype

    def below(self) -> CoreValue:
        """The value one level down."""
        return self.value

    def __repr__(self) -> str:
        name = self.op.name if self.op else self.params.get("name", "leaf")
        return f"<node {self.seq} {name} {self.dtype}{list(self.shape)}>"


def _pick_value(results: tuple[Any, ...], index: int) -> Any:
    return results[index]


def _pick_shape(results: tuple[Spec, ...], index: int) -> Spec:
    return results[index]


#: Takes one result of an op that has several. Reverse sweeps gather its cotangents into the tuple's.
PICK = Op(
    "pick", "linear", value=_pick_value, shape=_pick_shape, views=True, doc="One result of an op that returns several."
)


def node_or_picks(
    level: Level, op: Op, inputs: tuple[CoreValue, ...], params: dict[str, Any], value: CoreValue
) -> CoreValue:
    """A node for `value`; for a tuple, its node's picks, as many as it has."""
    node = Node(level, op, inputs, params, value)
    if type(value) is not tuple:
        return node
    return tuple(Node(level, PICK, (node,), {"index": i}, part) for i, part in enumerate(value))
