"""Nodes of the tape as PyTorch shows them: names, and what comes next on the way back.

An op's declaration says how PyTorch builds it (`Op.torch`): a name; or a function of (operands, params) that gives the
whole name, or a tree (name, children) where our one op is several nodes there. A child is the position of an operand,
an operand itself, a tree, or None for an operand that PyTorch keeps a place for but that carries no gradient.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from gradcli.autodiff.reverse import TAPE
from gradcli.graph.node import PICK, Node
from gradcli.graph.op import Op
from gradcli.graph.values import CoreValue, dtype_of
from gradcli.tensor.hooks import accumulator_of

if TYPE_CHECKING:
    from gradcli.tensor.handle import Tensor

Tree = tuple[str, tuple[Any, ...]]

#: A tensor's history, with a value that was put in its place outside of all history. PyTorch has no node for it.
RELABEL = Op(
    "relabel",
    "constant",
    value=lambda x: x,
    shape=lambda x: x,
    vjp=lambda g, y, operands, params, wanted: (g,),
    doc="The same history, another value.",
)
_PLAIN_NAMES = frozenset(("AccumulateGrad", "CopyBackwards", "CopySlices"))


class GradFn:
    """A node as PyTorch shows it."""

    __slots__ = ("__weakref__", "_node", "_tree")

    def __init__(self, node: Node, tree: Tree) -> None:
        self._node = node
        self._tree = tree

    def name(self) -> str:
        """PyTorch's name, such as `AddBackward0`."""
        title = self._tree[0]
        return f"torch::autograd::{title}" if title in _PLAIN_NAMES else title

    @property
    def node(self) -> Node:
        """The node of the tape that it shows, or shows a part of."""
        return self._node

    @property
    def identity(self) -> tuple[int, int]:
        """The same for two that show the same, as long as one of them is held."""
        return id(accumulator_of(self._node) or self._node), id(self._tree)

    def short_name(self) -> str:
        """The name as version errors give it: `Add`."""
        title = self._tree[0]
        return self.name() if title in _PLAIN_NAMES else title.partition("Backward")[0]

    @property
    def title(self) -> str:
        """The name as `print` of a tensor gives it."""
        return self._tree[0]

    @property
    def next_functions(self) -> tuple[tuple[GradFn | None, int], ...]:
        """Pairs of the next node (None where no gradient goes) and which of its results is used."""
        return tuple(self._next(child) for child in self._tree[1])

    def _next(self, child: Any) -> tuple[GradFn | None, int]:
        if type(child) is tuple:
            return (GradFn(self._node, child), 0) if self._goes_on(child) else (None, 0)
        return edge(self._node.inputs[child] if type(child) is int else child)

    def _goes_on(self, tree: Tree) -> bool:
        """Whether a gradient goes from a node within the tree to any operand."""
        return any(
            self._goes_on(child) if type(child) is tuple else self._next(child)[0] is not None for child in tree[1]
        )

    @property
    def variable(self) -> Tensor | None:
        """The leaf that gathers its gradient here; None for other nodes, and for a leaf that is gone."""
        accumulator = accumulator_of(self._node)
        return None if accumulator is None else accumulator.owner()

    def __repr__(self) -> str:
        return f"<{self._tree[0]} object at {hex(id(self._node))}>"


# What is shown already, by the identity of the node (of a leaf, its accumulator), so that it is shown the same again.
_shown: weakref.WeakValueDictionary[int, GradFn] = weakref.WeakValueDictionary()


def grad_fn_of(node: Node) -> GradFn:
    """How PyTorch shows a node; the same object as long as anybody holds it."""
    accumulator = accumulator_of(node)
    key = id(node if accumulator is None else accumulator)
    found = _shown.get(key)
    if found is None:
        found = _shown[key] = GradFn(node, _tree_of(node))
    return found


def edge(x: CoreValue) -> tuple[GradFn | None, int]:
    """The node behind an operand, and which of its results the operand is; (None, 0) for a constant."""
    while isinstance(x, Node) and x.op is RELABEL:
        x = x.inputs[0]
    if not isinstance(x, Node) or x.level is not TAPE:
        return None, 0
    if x.op is PICK:
        return grad_fn_of(x.inputs[0]), x.params["index"]
    return grad_fn_of(x), 0


def _tree_of(node: Node) -> Tree:
    op = node.op
    if op is None:
        return "AccumulateGrad", ()
    found: Any = op.torch(node.inputs, node.params) if callable(op.torch) else None
    if isinstance(found, tuple):
        return found[0], found[1]
    title = found or f"{op.torch or op.name.title().replace('_', '')}Backward0"
    return title, tuple(_children(op, node.inputs))


def _children(op: Op, operands: tuple[CoreValue, ...]) -> list[int]:
    """The operands that PyTorch keeps a place for: tensors, and a number beside a tensor (which comes last)."""
    if op.kind != "elementwise":
        return [i for i, x in enumerate(operands) if isinstance(x, Node) or dtype_of(x).kind in "fc"]
    places = [i for i in range(len(operands)) if len(op.partials) != len(operands) or op.partials[i] is not None]
    return sorted(places, key=lambda i: not hasattr(operands[i], "dtype"))
