"""Which values have been changed in place since an op kept them for its backward pass.

Core values never change, so a changed tensor is found by its old value: an in-place update notes the value that it
replaced, with the version that it had. A backward pass looks up what its ops saved (by their declaration, not by what
our rules read) and raises PyTorch's error for what is noted. Programs without in-place updates pay nothing.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcli.graph.errors import AutogradError
from gradcli.graph.node import Node
from gradcli.graph.values import CoreValue, Value

if TYPE_CHECKING:
    from gradcli.tensor.handle import Tensor

_HINT = (
    "Hint: enable anomaly detection to find the operation that failed to compute its gradient, with "
    "torch.autograd.set_detect_anomaly(True, check_nan=False)."
)
#: PyTorch's words for dtypes, as in `torch.FloatTensor`.
TYPE_NAMES = {
    "bool": "Bool",
    "uint8": "Byte",
    "int8": "Char",
    "int16": "Short",
    "int32": "Int",
    "int64": "Long",
    "float16": "Half",
    "float32": "Float",
    "float64": "Double",
    "complex64": "ComplexFloat",
    "complex128": "ComplexDouble",
}


class _Note:
    """A value that an in-place update replaced.

    Attributes:
        value: gives the value, or None when nobody holds it any more.
        holder: gives the tensor that held it, or None.
        version: the tensor's version at that time.
        since: nodes from this sequence number on belong to the update itself, for which PyTorch keeps a copy.
    """

    __slots__ = ("holder", "since", "value", "version")

    def __init__(self, value: Any, holder: Tensor, version: int, since: int) -> None:
        self.value = value
        self.holder = weakref.ref(holder)
        self.version = version
        self.since = since


_notes: dict[int, _Note] = {}
#: References that a value has when its tensor alone holds it: the tensor, two calls' arguments, and the count itself.
_OWN_REFERENCES = 4


def note_change(value: CoreValue, holder: Tensor, version: int, since: int) -> None:
    """Remember that `holder` no longer holds `value`, which it had at `version`."""
    while True:
        key = id(value)
        noted = _notes.get(key)
        if noted is not None and noted.value() is value:
            pass
        elif isinstance(value, Value | np.ndarray):
            reference: Any = weakref.ref(value, lambda _, key=key: _notes.pop(key, None))  # type: ignore[misc]
            _notes[key] = _Note(reference, holder, version, since)
        elif sys.getrefcount(value) > _OWN_REFERENCES:
            kept = value
            _notes[key] = _Note(lambda kept=kept: kept, holder, version, since)
        if not isinstance(value, Node):
            return
        value = value.value


def anything_changed() -> bool:
    """Whether any value that somebody still holds was changed in place."""
    return bool(_notes)


def check_saved(node: Node) -> None:
    """Raise if something that the node saved was changed in place since.

    Raises:
        AutogradError: it was, in PyTorch's words.
    """
    for position, value in saved(node):
        note = _notes.get(id(value))
        if note is None or note.value() is not value:
            continue
        if not (position == 0 and node.seq >= note.since):
            raise AutogradError(_message(node, position, value, note))


def saved(node: Node) -> Iterator[tuple[int | str, CoreValue]]:
    """What PyTorch keeps for the backward pass of a node: pairs of the operand's position, or "y", and the value.

    An entry (i, j) of an op's `saves` is kept for the derivative by operand j alone.
    """
    op = node.op
    if op is None:
        return
    inputs = node.inputs
    for entry in op.saves:
        what, use = entry if type(entry) is tuple else (entry, None)
        if what is None or (use is not None and not isinstance(inputs[use], Node)):
            continue
        if what == "y":
            yield what, node
        elif what < len(inputs):
            yield what, inputs[what]


def saves_something(node: Node) -> bool:
    """Whether a node keeps anything for its backward pass."""
    assert node.op is not None
    inputs = node.inputs
    for entry in node.op.saves:  # noqa: SIM110  (a generator would cost more than all else here)
        if type(entry) is not tuple or isinstance(inputs[entry[1]], Node):
            return True
    return False


def _message(node: Node, position: int | str, value: CoreValue, note: _Note) -> str:
    holder = note.holder()
    version = holder.version if holder is not None else note.version + 1
    kind = TYPE_NAMES.get(str(value.dtype), "Float")
    return (
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        f"[torch.{kind}Tensor {list(value.shape)}]{_origin(node, position, holder)} "
        f"is at version {version}; expected version {note.version} instead. {_HINT}"
    )


def _origin(node: Node, position: int | str, holder: Tensor | None) -> str:
    from gradcli.tensor.grad_fn import edge, grad_fn_of

    if position == "y":
        return f", which is output 0 of {grad_fn_of(node).short_name()},"
    now = holder.node if holder is not None else None
    fn, index = edge(now)
    return "" if fn is None or now is None or now.op is None else f", which is output {index} of {fn.short_name()},"
