"""What a tensor can do beside the functions of the op table: one list, for programs of the language and for Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from gradcli.graph.errors import AutogradError
from gradcli.graph.values import CoreValue, concrete
from gradcli.ops import registry
from gradcli.ops.operands import as_core
from gradcli.tensor.handle import Tensor
from gradcli.tensor.numbers import item
from gradcli.tensor.wrapping import unwrap

_NUMPY = "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."


class Method(NamedTuple):
    """A method: its parameters, how many of them must be given, and what it does to (tensor, **arguments)."""

    call: Callable[..., Any]
    parameters: tuple[str, ...] = ()
    required: int = 0


def _backward(
    x: Tensor,
    gradient: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Tensor | Sequence[Tensor] | None = None,
) -> None:
    given = [inputs] if isinstance(inputs, Tensor) else inputs
    vector = None if gradient is None else as_core(unwrap(gradient))
    x.backward(vector, retain_graph, bool(create_graph), given)


def _tolist(x: Tensor) -> Any:
    return concrete(x.value).tolist()


def array_of(x: Tensor) -> np.ndarray[Any, Any]:
    """The elements as an array of their own, as `x.numpy()`.

    Raises:
        AutogradError: the tensor requires grad.
    """
    check_untracked(x)
    return np.array(concrete(x.value))


def check_untracked(x: Tensor) -> None:
    """Raise if a tensor can't be handed to NumPy.

    Raises:
        AutogradError: it requires grad.
    """
    if x.requires_grad:
        raise AutogradError(_NUMPY)


def _zero_(x: Tensor) -> Tensor:
    x.overwrite(0, "zero")
    return x


def _fill_(x: Tensor, value: Any) -> Tensor:
    tensor = isinstance(value, Tensor)
    x.overwrite(unwrap(value), "fill tensor" if tensor else "fill")
    return x


def _copy_(x: Tensor, src: Any, non_blocking: Any = False) -> Tensor:
    x.overwrite(as_core(unwrap(src)), "copy")
    return x


def _drawn(name: str, x: Tensor, low: CoreValue, scale: CoreValue) -> Tensor:
    draw = registry.known("torch", name)
    x.update(draw(*x.shape) * scale + low)
    return x


def _uniform_(x: Tensor, low: float = 0.0, high: float = 1.0) -> Tensor:
    return _drawn("rand", x, low, high - low)


def _normal_(x: Tensor, mean: float = 0.0, std: float = 1.0) -> Tensor:
    return _drawn("randn", x, mean, std)


#: The methods by name. The op table has the rest, and every method of it in place with an underscore at its end.
METHODS: dict[str, Method] = {
    "backward": Method(_backward, ("gradient", "retain_graph", "create_graph", "inputs")),
    "copy_": Method(_copy_, ("src", "non_blocking"), 1),
    "detach": Method(Tensor.detach),
    "detach_": Method(Tensor.detach_),
    "fill_": Method(_fill_, ("value",), 1),
    "is_complex": Method(lambda x: x.dtype.kind == "c"),
    "is_floating_point": Method(lambda x: x.dtype.kind == "f"),
    "item": Method(item),
    "normal_": Method(_normal_, ("mean", "std")),
    "numpy": Method(array_of),
    "register_hook": Method(Tensor.register_hook, ("hook",), 1),
    "register_post_accumulate_grad_hook": Method(Tensor.register_post_accumulate_grad_hook, ("hook",), 1),
    "requires_grad_": Method(Tensor.requires_grad_, ("requires_grad",)),
    "retain_grad": Method(Tensor.retain_grad),
    "tolist": Method(_tolist),
    "uniform_": Method(_uniform_, ("low", "high")),
    "zero_": Method(_zero_),
    "_is_view": Method(lambda x: x.base is not None),
}

#: The attributes by name; the op table has those that are computed, such as `T`.
ATTRIBUTES: dict[str, Callable[[Tensor], Any]] = {
    "ndim": lambda x: x.ndim,
    "size": lambda x: x.size,
    "dtype": lambda x: x.dtype,
    "requires_grad": lambda x: x.requires_grad,
    "is_leaf": lambda x: x.is_leaf,
    "grad_fn": lambda x: x.grad_fn,
    "retains_grad": lambda x: x.retains_grad,
    "data": lambda x: x.data,
    "itemsize": lambda x: x.dtype.itemsize,
    "nbytes": lambda x: x.size * x.dtype.itemsize,
    "_version": lambda x: x.version,
    "_base": lambda x: x.base,
}


def is_in_place(name: str) -> bool:
    """Whether a name is a method of the op table with an underscore at its end: the same, in place."""
    return name.endswith("_") and not name.startswith("_") and registry.method(name[:-1], True) is not None
