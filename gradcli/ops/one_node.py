"""A composition shown as the one node that PyTorch has for it.

Where a program follows PyTorch, what a function of several ops returns passes through an op that changes nothing; the
tape shows its name, and after it the function's own operands.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradcli.graph.bind import bind
from gradcli.graph.op import Op
from gradcli.graph.state import state
from gradcli.graph.values import CoreValue, Spec, Value, dtype_of, shape_of
from gradcli.ops.dependence import on_first
from gradcli.ops.kinds import expanded


def _batch(xs: Sequence[CoreValue], batched: Sequence[bool], params: dict[str, Any], size: int) -> CoreValue:
    y = xs[0] if batched[0] else expanded(xs[0], (size, *shape_of(xs[0])))
    return bind(ONE_NODE, y, **params)


def _node(operands: Sequence[CoreValue], params: dict[str, Any]) -> Any:
    return (params["title"], tuple(range(1, len(operands))))


ONE_NODE: Op = Op(
    "one_node",
    "linear",
    value=lambda y, *xs, title: y,
    shape=lambda y, *xs, title: Spec(shape_of(y), dtype_of(y)),
    vjp=lambda g, y, operands, params, wanted: (g, *(None,) * (len(operands) - 1)),
    jvp=lambda tangents, y, operands, params: tangents[0],
    batch=_batch,
    meaning=lambda S, y, *xs, title: y,
    torch=_node,
    depends=on_first,
    views=True,
    doc="The value itself, made of the operands that follow it.",
)


def one_node(title: str, y: CoreValue, *operands: CoreValue) -> CoreValue:
    """`y`, which a program that follows PyTorch sees as made of `operands` by a node of this name."""
    if not state.torch_semantics or not isinstance(y, Value):
        return y
    return bind(ONE_NODE, y, *operands, title=f"{title}Backward0")
