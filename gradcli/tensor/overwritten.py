"""Results that a program overwrote through `.data`, where no version counts it.

PyTorch's backward pass then uses what it finds in the result that it saved. Some of our rules are exact where that
would lose digits, and look at the operand instead; for an overwritten result these stand in, which look at the result.
"""

from __future__ import annotations

from typing import Any

from gradcli.graph.node import Node
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue
from gradcli.ops.elementwise.activations import RELU
from gradcli.ops.elementwise.comparison import greater
from gradcli.ops.elementwise.hyperbolic import TANH
from gradcli.ops.elementwise.smooth_steps import SIGMOID
from gradcli.ops.kinds import elementwise


def _from_result(op: Op, partial: Any) -> Op:
    return elementwise(
        op.name, op.value, partial, meaning=op.meaning or op.value, torch=op.torch, saves=op.saves, doc=op.doc
    )


def _positive(y: CoreValue, x: CoreValue) -> CoreValue:
    return greater(y, 0) * 1.0


_STAND_INS = {
    SIGMOID: _from_result(SIGMOID, lambda y, x: y * (1 - y)),
    TANH: _from_result(TANH, lambda y, x: 1 - y * y),
    RELU: _from_result(RELU, _positive),
}


def overwrite(node: Node, value: CoreValue) -> None:
    """Put another value in a node's place, for whatever saved the node, too."""
    node.value = value
    if node.op is not None:
        node.op = _STAND_INS.get(node.op, node.op)
