"""The tape: backward passes over level 0, and what they leave in `.grad`."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

import numpy as np

from gradcli.autodiff.reverse import TAPE, reachable, sweep
from gradcli.graph.errors import AutogradError
from gradcli.graph.node import Node
from gradcli.graph.state import state
from gradcli.graph.values import CoreValue, concrete, shape_of

if TYPE_CHECKING:
    from gradcli.tensor.handle import Tensor

# Who holds a leaf, or a node whose gradient is retained. Weak on both sides: a gradient nobody can read is not kept.
_owners: weakref.WeakKeyDictionary[Node, weakref.ref[Tensor]] = weakref.WeakKeyDictionary()
# Nodes whose saved values a backward pass has given up.
_freed: weakref.WeakSet[Node] = weakref.WeakSet()

_TWICE = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have already been "
    "freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). Specify "
    "retain_graph=True if you need to backward through the graph a second time or if you need to access saved tensors "
    "after calling backward."
)


def own(node: Node, tensor: Tensor) -> None:
    """Let backward passes put the gradient of `node` into `tensor.grad`."""
    _owners[node] = weakref.ref(tensor)


def backward(
    tensor: Tensor,
    gradient: CoreValue | None = None,
    *,
    retain_graph: bool | None = None,
    create_graph: bool = False,
) -> None:
    """Accumulate d tensor / d leaf, times `gradient`, into every leaf's `.grad`.

    Raises:
        AutogradError: nothing tracks the tensor; it is no scalar and no gradient is given; the gradient has another
            shape; the graph was freed; a function of the program is being differentiated.
    """
    if state.newest_level > state.program_level:
        raise AutogradError(
            "backward() can't run inside a function that is being differentiated", mend="use grad(f)(x)"
        )
    node = tensor.node
    if node is None:
        raise AutogradError("element 0 of tensors does not require grad and does not have a grad_fn")
    retain = create_graph if retain_graph is None else retain_graph
    seed = _seed(tensor, gradient)
    visited = reachable(TAPE, [node])
    if any(n in _freed for n in visited):
        raise AutogradError(_TWICE)
    _accumulate(sweep(TAPE, [(node, seed)], keep_all=True, create_graph=create_graph), create_graph)
    if not retain:
        _freed.update(n for n in visited if n.op is not None and n.op.saves)


def _seed(tensor: Tensor, gradient: CoreValue | None) -> CoreValue:
    if gradient is None:
        if tensor.size != 1:
            raise AutogradError("grad can be implicitly created only for scalar outputs")
        return np.ones(tensor.shape, dtype=tensor.dtype)
    if shape_of(gradient) != tensor.shape:
        raise AutogradError(
            f"Mismatch in shape: grad_output[0] has a shape of torch.Size({list(shape_of(gradient))}) and output[0] "
            f"has a shape of torch.Size({list(tensor.shape)})."
        )
    return gradient


def _accumulate(cotangents: dict[Node, CoreValue], create_graph: bool) -> None:
    from gradcli.tensor.handle import Tensor

    for node, g in cotangents.items():
        reference = _owners.get(node)
        owner = reference() if reference is not None else None
        if owner is None:
            continue
        added = g if create_graph else np.array(concrete(g))
        owner.grad = Tensor(added if owner.grad is None else owner.grad.value + added)


class GradFn:
    """An op on the tape as PyTorch shows it."""

    __slots__ = ("_node",)

    def __init__(self, node: Node) -> None:
        self._node = node

    def name(self) -> str:
        """PyTorch's name, such as `AddBackward0`."""
        op = self._node.op
        assert op is not None
        if callable(op.torch):
            return op.torch(self._node.inputs, self._node.params)
        return f"{op.torch or op.name.title()}Backward0"

    def __repr__(self) -> str:
        return f"<{self.name()} object at {hex(id(self._node))}>"
