"""`autograd` for Python: gradients of tensors, without `.grad`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from gradcli.ops.operands import as_core
from gradcli.tensor import tape
from gradcli.tensor.gradcheck import gradcheck
from gradcli.tensor.handle import Tensor
from gradcli.tensor.wrapping import unwrap

Tensors = Tensor | Sequence[Tensor]


def _several(x: Any) -> list[Any]:
    return [x] if isinstance(x, Tensor) or x is None else list(x)


def _vectors(x: Any) -> list[Any]:
    return [None if part is None else as_core(unwrap(part)) for part in _several(x)]


def grad(
    outputs: Tensors,
    inputs: Tensors,
    grad_outputs: Tensors | None = None,
    *,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    materialize_grads: bool = False,
) -> tuple[Tensor | None, ...]:
    """Gradients of outputs with respect to inputs; see `gradcli.tensor.tape.grad`.

    Raises:
        AutogradError: in PyTorch's words.
    """
    return tape.grad(
        _several(outputs),
        _several(inputs),
        None if grad_outputs is None else _vectors(grad_outputs),
        retain_graph=retain_graph,
        create_graph=create_graph,
        allow_unused=allow_unused,
        materialize_grads=materialize_grads,
    )


def backward(
    tensors: Tensors,
    grad_tensors: Tensors | None = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensors | None = None,
) -> None:
    """Accumulate gradients into leaves; see `gradcli.tensor.tape.backward`.

    Raises:
        AutogradError: in PyTorch's words.
    """
    outputs = _several(tensors)
    tape.backward(
        outputs,
        [None] * len(outputs) if grad_tensors is None else _vectors(grad_tensors),
        retain_graph=retain_graph,
        create_graph=create_graph,
        inputs=None if inputs is None else _several(inputs),
    )


__all__ = ["backward", "grad", "gradcheck"]
