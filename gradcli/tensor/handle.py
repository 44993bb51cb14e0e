"""Tensor: the handle that a program's variables hold.

Core values never change; a handle does. It points to its current value and counts its versions, so that an in-place
update is a pure op and then a new value. A view remembers its base: a write through it is an index write on the base,
and a view whose base has changed since is derived again when it is read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from gradcli.autodiff.reverse import TAPE
from gradcli.graph.errors import AutogradError, ShapeError
from gradcli.graph.node import Node
from gradcli.graph.recording import Recording
from gradcli.graph.state import state
from gradcli.graph.values import CoreValue, Value, concrete, shape_of
from gradcli.ops import indexing
from gradcli.ops import shape as shaping
from gradcli.ops.kinds import fits

Derive = Callable[[CoreValue], CoreValue]


class Tensor:
    """A handle to a core value.

    Attributes:
        grad: what `backward()` accumulated, a Tensor or None.
        version: how often the value was changed in place.
    """

    __slots__ = (
        "__weakref__",
        "_base",
        "_born",
        "_derive",
        "_seen",
        "_value",
        "grad",
        "retains_grad",
        "version",
    )

    def __init__(self, value: CoreValue) -> None:
        self._value = value
        self._base: Tensor | None = None
        self._derive: Derive | None = None
        self._seen = 0
        self._born = state.newest_level
        self.version = 0
        self.grad: Tensor | None = None
        self.retains_grad = False

    @classmethod
    def view_of(cls, source: Tensor, derive: Derive) -> Tensor:
        """A view: `derive` gives its value from the source's, now and after every change."""
        view = cls(derive(source.value))
        base = source._base or source
        before = source._derive
        view._base = base
        view._derive = derive if before is None else lambda x: derive(before(x))
        view._seen = base.version
        view._born = base._born
        return view

    @property
    def value(self) -> CoreValue:
        """The current core value."""
        base = self._base
        if base is not None and base.version != self._seen:
            assert self._derive is not None
            self._value = self._derive(base.value)
            self._seen = base.version
        return self._value

    @property
    def shape(self) -> tuple[int, ...]:
        """Lengths of the axes."""
        return tuple(self._value.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the elements."""
        return self._value.dtype  # type: ignore[no-any-return]

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self._value.shape)

    @property
    def size(self) -> int:
        """Number of elements."""
        count = 1
        for length in self._value.shape:
            count *= length
        return count

    def numpy(self) -> np.ndarray[Any, Any]:
        """The elements as an array."""
        return concrete(self.value)

    def __repr__(self) -> str:
        text = np.array2string(self.numpy(), precision=4, separator=", ", prefix="tensor(")
        suffix = ", requires_grad=True" if self.requires_grad and self.is_leaf else ""
        return f"tensor({text}{suffix})"

    # --- in place ----------------------------------------------------------------------------------------------------

    def write(self, index: Any, value: CoreValue) -> None:
        """`self[index] = value`, seen by every view of the same memory.

        Raises:
            AutogradError: the tensor is a leaf that requires grad, or belongs to the world outside a function that is
                being differentiated.
            ShapeError: the value does not fit.
        """
        self._check_changeable()
        self._store(indexing.setitem(self.value, index, value))

    def update(self, value: CoreValue) -> None:
        """Replace every element in place; the shape stays, and so does the dtype.

        Raises:
            AutogradError: as for `write`.
            ShapeError: the shape differs.
        """
        self._check_changeable()
        if shape_of(value) != self.shape:
            raise ShapeError(
                f"an in-place result of shape {fits(shape_of(value))} does not fit a tensor of shape {fits(self.shape)}"
            )
        self._store(shaping.astype(value, self.dtype) if value.dtype != self.dtype else value)

    def assign(self, value: CoreValue) -> None:
        """`self.data = value`: another value, whatever its shape, outside all history."""
        leaf = self.requires_grad and self.is_leaf
        self._base = self._derive = None
        self._value = concrete(value)
        self.version += 1
        if leaf:
            self.requires_grad_(True)

    def _store(self, value: CoreValue) -> None:
        base = self._base
        if base is None:
            keep_leaf = self.is_leaf and self.requires_grad
            self._value = value
            self.version += 1
            if keep_leaf:
                self._become_leaf()
            return
        assert self._derive is not None
        base._check_changeable()
        base._store(_written_through(base.value, self._derive, value))

    def _check_changeable(self) -> None:
        if state.newest_level > max(self._born, state.program_level):
            raise AutogradError(
                "a tensor from outside can't be changed inside a function that is being differentiated",
                mend="make a new tensor and return it",
            )
        if self.is_leaf and self.requires_grad and state.constant_below < 0:
            raise AutogradError("a leaf Variable that requires grad is being used in an in-place operation.")

    # --- the tape ----------------------------------------------------------------------------------------------------

    @property
    def node(self) -> Node | None:
        """The node of the tape below, or None for a tensor that nothing tracks."""
        return _tape_node(self.value)

    @property
    def requires_grad(self) -> bool:
        """Whether the tape tracks it."""
        return self.node is not None

    @property
    def is_leaf(self) -> bool:
        """Whether no tracked op made it."""
        node = self.node
        return node is None or node.op is None

    @property
    def grad_fn(self) -> Any:
        """The op that made it, as PyTorch shows it, or None for a leaf."""
        from gradcli.tensor.tape import GradFn

        node = self.node
        return None if node is None or node.op is None else GradFn(node)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Begin or end tracking, in place.

        Raises:
            AutogradError: it is of integers, or no leaf.
        """
        if requires_grad and self.dtype.kind not in "fc":
            raise AutogradError("only Tensors of floating point dtype can require gradients")
        if not requires_grad and not self.is_leaf:
            raise AutogradError(
                "you can only change requires_grad flags of leaf variables. If you want to use a computed variable "
                "in a subgraph that doesn't require differentiation use var_no_grad = var.detach()."
            )
        if requires_grad and self.node is None:
            self._become_leaf()
        elif not requires_grad:
            self._value = concrete(self.value)
        return self

    def _become_leaf(self) -> None:
        from gradcli.tensor.tape import own

        node = TAPE.leaf(concrete(self.value))
        self._value = node
        own(node, self)

    def detach(self) -> Tensor:
        """The same memory, outside all history."""
        from gradcli.autodiff.levels import stop_gradient

        return Tensor.view_of(self, stop_gradient)

    def backward(
        self,
        gradient: CoreValue | None = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
    ) -> None:
        """Accumulate the gradient of this tensor into the `.grad` of the leaves it depends on.

        Raises:
            AutogradError: see `gradcli.tensor.tape.backward`.
        """
        from gradcli.tensor.tape import backward

        backward(self, gradient, retain_graph=retain_graph, create_graph=create_graph)

    def retain_grad(self) -> None:
        """Keep the gradient of a tensor that is no leaf, too.

        Raises:
            AutogradError: nothing tracks it.
        """
        from gradcli.tensor.tape import own

        node = self.node
        if node is None:
            raise AutogradError("can't retain_grad on Tensor that has requires_grad=False")
        if node.op is not None:
            self.retains_grad = True
            own(node, self)


def _tape_node(x: CoreValue) -> Node | None:
    while isinstance(x, Value):
        if isinstance(x, Node):
            if x.level is TAPE:
                return x
            x = x.value
        elif hasattr(x, "primal"):
            x = x.primal
        else:
            return None
    return None


def _written_through(base: CoreValue, derive: Derive, value: CoreValue) -> CoreValue:
    """`base` with `value` where the view shows it."""
    size = int(np.prod(shape_of(base), dtype=np.int64))
    recording = state.recording
    positions = np.arange(size).reshape(shape_of(base))
    if isinstance(recording, Recording):
        with recording.closed():
            places = concrete(derive(positions))
    else:
        places = concrete(derive(positions))
    flat = indexing.setitem(shaping.reshape(base, (size,)), places.reshape(-1), shaping.reshape(value, (-1,)))
    return shaping.reshape(flat, shape_of(base))


def wrap(x: Any) -> Any:
    """Core values as tensors, in lists, tuples and dicts too."""
    if isinstance(x, Value | np.ndarray | np.generic):
        return Tensor(x)
    if isinstance(x, list):
        return [wrap(part) for part in x]
    if isinstance(x, tuple):
        return tuple(wrap(part) for part in x)
    if isinstance(x, dict):
        return {key: wrap(part) for key, part in x.items()}
    return x


def unwrap(x: Any) -> Any:
    """Tensors as core values, in lists, tuples and dicts too."""
    if isinstance(x, Tensor):
        return x.value
    if isinstance(x, list):
        return [unwrap(part) for part in x]
    if isinstance(x, tuple):
        return tuple(unwrap(part) for part in x)
    if isinstance(x, dict):
        return {key: unwrap(part) for key, part in x.items()}
    if isinstance(x, slice):
        return slice(unwrap(x.start), unwrap(x.stop), unwrap(x.step))
    return x
