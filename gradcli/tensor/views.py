"""Views: tensors that lie in another's memory, their base's.

A view remembers how it is derived from its base. It is derived again when the base has changed since; a write to it is
a write to the base at its places.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcli.autodiff.reverse import TAPE
from gradcli.graph.bind import bind
from gradcli.graph.errors import AutogradError
from gradcli.graph.node import Node
from gradcli.graph.recording import Recording
from gradcli.graph.state import state
from gradcli.graph.values import CoreValue, concrete, shape_of
from gradcli.ops.in_place import AS_STRIDED, COPY_SLICES

if TYPE_CHECKING:
    from gradcli.tensor.handle import Tensor

Derive = Callable[[CoreValue], CoreValue]

_MANY = (
    " is a view and is being modified inplace. This view is the output of a function that returns multiple views. Such "
    "functions do not allow the output views to be modified inplace. You should replace the inplace operation by an "
    "out-of-place one."
)
_NO_GRAD = (
    "A view was created in no_grad mode and is being modified inplace with grad mode enabled. Given that this use case "
    "is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and the inplace "
    "either both inside the no_grad block (if you don't want the inplace to be tracked) or both outside (if you want "
    "the inplace to be tracked)."
)
_OVERLAPS = (
    "unsupported operation: more than one element of the written-to tensor refers to a single memory location. Please "
    "clone() the tensor before performing the operation."
)


class View:
    """Where a view lies.

    Attributes:
        base: the tensor in whose memory; itself no view.
        derive: gives the view's value from the base's.
        seen: how often the base had changed when the view was last derived.
        kind: "plain"; "many", one of several that one function gave; "no_grad", made where nothing is tracked;
            "detached", without the base's history; "data", without its version too.
    """

    __slots__ = ("_places", "base", "derive", "kind", "seen")

    def __init__(self, base: Tensor, derive: Derive, kind: str) -> None:
        self.base = base
        self.derive = derive
        self.kind = kind
        self.seen = base.changes
        self._places: Any = None

    @property
    def attached(self) -> bool:
        """Whether the view shares the base's history."""
        return self.kind in ("plain", "many")

    @property
    def places(self) -> np.ndarray[Any, Any]:
        """Positions in the base of the view's elements."""
        if self._places is None:
            shape = shape_of(self.base.value)
            positions = np.arange(int(np.prod(shape, dtype=np.int64))).reshape(shape)
            recording = state.recording
            if isinstance(recording, Recording):
                with recording.closed():
                    self._places = concrete(self.derive(positions))
            else:
                self._places = concrete(self.derive(positions))
        return self._places  # type: ignore[no-any-return]

    def read(self) -> CoreValue:
        """The view's value, from the base as it is now."""
        before = state.constant_below
        state.constant_below = -1 if self.attached else state.newest_level
        try:
            value = self.base.value
            if self.attached and isinstance(value, Node) and value.level is TAPE:
                return bind(AS_STRIDED, value, self.places)
            return self.derive(value)
        finally:
            state.constant_below = before

    def written(self, value: CoreValue) -> CoreValue:
        """The base's value with `value` where the view lies.

        Raises:
            AutogradError: the view shows an element of the base more than once.
        """
        places = self.places
        if places.size > 1 and np.unique(places).size < places.size:
            raise AutogradError(_OVERLAPS)
        if self.attached:
            return bind(COPY_SLICES, self.base.value, value, places)
        return bind(COPY_SLICES, concrete(self.base.value), concrete(value), places)

    def check_writable(self, view: Tensor) -> None:
        """Raise if a tracked update of the view is one that PyTorch forbids.

        Raises:
            AutogradError: it is.
        """
        from gradcli.tensor.grad_fn import edge

        base = self.base
        if not base.requires_grad:
            return
        if self.kind == "many":
            fn, index = edge(view.node)
            raise AutogradError(f"Output {index} of {fn.short_name() if fn else 'a function'}{_MANY}")
        if self.kind == "no_grad":
            raise AutogradError(_NO_GRAD)
        if self.kind == "plain" and base.is_leaf:
            raise AutogradError("a view of a leaf Variable that requires grad is being used in an in-place operation.")
