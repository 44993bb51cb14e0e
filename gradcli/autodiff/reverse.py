"""Reverse mode: a level whose nodes remember what ran, and the sweep back over them.

The sweep walks nodes by falling sequence number, so every user of a node comes before it and no recursion is needed.
It runs the rules on values one level down: on arrays at NumPy's speed, on traced values recorded or differentiated in
turn.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from operator import attrgetter
from typing import Any

import numpy as np

from gradcli.autodiff.gathering import Parts, Reads, gathered, parted
from gradcli.graph.bind import bind, evaluate
from gradcli.graph.errors import GradcliError
from gradcli.graph.node import PICK, Node, node_or_picks
from gradcli.graph.op import Op
from gradcli.graph.state import state
from gradcli.graph.values import OPERATORS, CoreValue, Level, Value, dtype_of, is_inexact
from gradcli.ops.index_ops import READS
from gradcli.ops.kinds import ElementwiseVjp


class ReverseLevel(Level):
    """Keeps a node of every op on its values that can carry a derivative."""

    __slots__ = ()

    def leaf(self, value: CoreValue) -> Node:
        """A node to differentiate with respect to."""
        return Node(self, None, (), {}, value)

    def process(self, op: Op, operands: tuple[CoreValue, ...], params: dict[str, Any]) -> CoreValue:
        """Compute one level down; keep a node unless the result is a constant."""
        below = []
        arrays = state.recording is None
        for x in operands:
            if type(x) is Node and x.level is self:
                x = x.value
            if arrays and isinstance(x, Value):
                arrays = False
            below.append(x)
        y = evaluate(op, tuple(below), params) if arrays else bind(op, *below, **params)
        if op.kind == "constant" or self.id <= state.constant_below or not (type(y) is np.float64 or _carries(y)):
            return y
        return node_or_picks(self, op, operands, params, y) if type(y) is tuple else Node(self, op, operands, params, y)

    def lowered(self, x: CoreValue) -> CoreValue:
        """The value of a node of this level; anything else is itself."""
        return x.value if type(x) is Node and x.level is self else x


_IN_ORDER = attrgetter("seq")
#: The torch tape: level 0, always there.
TAPE = ReverseLevel(0)


def _carries(y: CoreValue) -> bool:
    return any(is_inexact(part) for part in y) if type(y) is tuple else y.dtype.kind in "fc"


def sweep(
    level: ReverseLevel,
    seeds: Iterable[tuple[Node, CoreValue]],
    *,
    keep_all: bool = False,
    create_graph: bool = False,
) -> dict[Node, CoreValue]:
    """Cotangents of the leaves of `level` that the seeds reach; with `keep_all`, of every node.

    Args:
        level: whose nodes to walk.
        seeds: nodes and their cotangents, each of its node's shape (a batched cotangent stands for many).
        keep_all: keep the cotangents of nodes between, too.
        create_graph: run the rules on the nodes themselves rather than one level down, so that they are recorded.
    """
    cotangents: dict[Node, CoreValue] = {}
    waiting: list[tuple[int, Node]] = []

    def give(node: Node, g: CoreValue) -> None:
        held = cotangents.get(node)
        if held is None:
            cotangents[node] = g
            heapq.heappush(waiting, (-node.seq, node))
        else:
            # What was read at places knows how to join a traced value, which would take it for an array.
            joins = type(g) is Reads and type(held) is not Reads
            cotangents[node] = g + held if joins else held + g

    for node, g in seeds:
        give(node, g)
    while waiting:
        node = heapq.heappop(waiting)[1]
        g = gathered(cotangents[node])
        if node.op is not None:
            try:
                found = shares(level, node, g, create_graph)
            except GradcliError as error:
                error.span = error.span or node.span
                raise
            for x, share in found:
                give(x, share)
        if keep_all or node.op is None:
            cotangents[node] = g
        else:
            del cotangents[node]
    return cotangents


def shares(level: ReverseLevel, node: Node, g: CoreValue, create_graph: bool) -> list[tuple[Node, CoreValue]]:
    """What each input that is a node of `level` gets of the cotangent of one node."""
    op, inputs = node.op, node.inputs
    assert op is not None
    if op is PICK:
        whole, index = inputs[0], node.params["index"]
        return [(whole, Parts(len(whole.value), index, g))]
    assert op.vjp is not None, f"{op} has no vjp"
    if type(op.vjp) is ElementwiseVjp and not create_graph:
        return _elementwise_shares(level, node, g, op.vjp)
    wanted, values = [], []
    for x in inputs:
        mine = type(x) is Node and x.level is level
        wanted.append(mine)
        values.append(x.value if mine else x)
    state.span = node.span
    if op in READS and wanted[0] and not create_graph and type(node.value) is not tuple:
        part = parted(inputs[0], g, values[1:], node.params)
        if part is not None:
            return [(inputs[0], part)]
    if create_graph:
        found = op.vjp(g, _as_operand(node), inputs, node.params, wanted)
    else:
        found = op.vjp(g, node.value, values, node.params, wanted)
    given = []
    for x, share, want in zip(inputs, found, wanted, strict=True):
        if want and share is not None:
            if type(share) is Node and share.level is level and not create_graph:
                share = share.value  # a rule of the user's may close over what is tracked here
            given.append((x, share if share.dtype is x.dtype else in_dtype(share, x.dtype)))
    return given


def _elementwise_shares(
    level: ReverseLevel, node: Node, g: CoreValue, vjp: ElementwiseVjp
) -> list[tuple[Node, CoreValue]]:
    """`shares` of the commonest nodes by far, with as few steps in between as that takes."""
    inputs, y, params = node.inputs, node.value, node.params
    state.span = node.span
    values = []
    for x in inputs:
        values.append(x.value if type(x) is Node and x.level is level else x)
    given = []
    for x, rule in zip(inputs, vjp.rules, strict=True):
        if rule is not None and type(x) is Node and x.level is level:
            share = rule(g, y, values, params)
            if share.shape != x.shape:
                share = OPERATORS["sum_to"](share, x.shape)
            given.append((x, share if share.dtype is x.dtype else in_dtype(share, x.dtype)))
    return given


def _as_operand(node: Node) -> CoreValue:
    """A node as a rule takes it: one of several results is a tuple of its picks."""
    if type(node.value) is not tuple:
        return node
    return tuple(Node(node.level, PICK, (node,), {"index": i}, part) for i, part in enumerate(node.value))


def push(level: ReverseLevel, tangents: dict[Node, CoreValue], outputs: Iterable[CoreValue]) -> list[CoreValue | None]:
    """Tangents of `outputs`, pushed forward from the leaves' over the nodes that a reverse level kept.

    So one run of a program serves both directions. None is a zero tangent.
    """
    found: dict[Node, Any] = dict(tangents)
    wanted = [y if isinstance(y, Node) and y.level is level else None for y in outputs]
    for node in reachable(level, [y for y in wanted if y is not None]):
        if node.op is not None:
            found[node] = _pushed(level, node, found)
    return [None if y is None else found.get(y) for y in wanted]


def _pushed(level: ReverseLevel, node: Node, found: dict[Node, Any]) -> Any:
    into = [found.get(x) if isinstance(x, Node) and x.level is level else None for x in node.inputs]
    if all(t is None for t in into):
        return None
    if node.op is PICK:
        parts = found[node.inputs[0]]
        t = parts[node.params["index"]]
        return None if t is None else in_dtype(t, node.dtype)
    assert node.op is not None and node.op.jvp is not None, f"{node.op} has no jvp"
    state.span = node.span
    t = node.op.jvp(into, node.value, [level.lowered(x) for x in node.inputs], node.params)
    return t if t is None or type(t) is tuple else in_dtype(t, node.dtype)


def reachable(level: ReverseLevel, roots: Iterable[Node]) -> list[Node]:
    """The nodes of `level` that the roots depend on, themselves included, in order of execution."""
    seen = set(roots)
    waiting = list(seen)
    while waiting:
        for x in waiting.pop().inputs:
            if isinstance(x, Node) and x.level is level and x not in seen:
                seen.add(x)
                waiting.append(x)
    return sorted(seen, key=_IN_ORDER)


def in_dtype(g: CoreValue, dtype: np.dtype[Any]) -> CoreValue:
    """A cotangent or tangent in the dtype of what it belongs to; the imaginary part of a real thing's is dropped."""
    found = dtype_of(g)
    if found == dtype:
        return g
    if found.kind == "c" and dtype.kind == "f":
        g = OPERATORS["real"](g)
    return OPERATORS["astype"](g, dtype)
