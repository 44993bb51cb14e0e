"""Functions of the op table applied to tensors: results are tensors again, and views of an argument are views."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from gradcli.autodiff.levels import stop_gradient
from gradcli.graph.errors import ArgumentError, AutogradError
from gradcli.graph.node import Node, next_number
from gradcli.graph.state import state
from gradcli.graph.values import OPERATORS, CoreValue, Value
from gradcli.ops import registry
from gradcli.ops.casts import ASTYPE
from gradcli.ops.function import Function
from gradcli.ops.pieces import SPLIT, UNBIND, unbound
from gradcli.ops.shape import RESHAPE
from gradcli.tensor.handle import Tensor
from gradcli.tensor.wrapping import unwrap, wrap

_NO_VIEW = (
    "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
    "contiguous subspaces). Use .reshape(...) instead."
)


def called(function: Function, first: Any, values: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """A function of the table on core values; `first` is the first argument as the caller has it, a Tensor perhaps.

    Raises:
        GradcliError: the function objects to the arguments.
    """
    if function.in_place:
        return _changed(function, first, values[1:], kwargs)
    requires_grad = False
    if "requires_grad" in kwargs and "requires_grad" not in function.parameters:
        kwargs = dict(kwargs)
        requires_grad = kwargs.pop("requires_grad")
    if type(first) is Tensor and (function.views or function.op is UNBIND or function.op is SPLIT):
        return _views(function, first, values[1:], kwargs)
    if type(first) is Tensor and function.parameters[-1:] == ("inplace",) and _asks_in_place(function, values, kwargs):
        return in_place(first, function.name, function, values[1:], kwargs)
    result = function(*values, **kwargs)
    if type(first) is Tensor and function.op is ASTYPE and result is values[0] and state.torch_semantics:
        return first
    made = Tensor(result) if isinstance(result, np.ndarray) else wrap(result)
    if requires_grad and isinstance(made, Tensor):
        if made.dtype.kind not in "fc":
            raise AutogradError("Only Tensors of floating point and complex dtype can require gradients")
        made.requires_grad_(True)
    return made


def update_arguments(
    function: Function,
    args: Sequence[Any],
    keywords: Mapping[str, Any],
    values: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> None:
    """Change the arguments that a call changes beside giving a result, as `Function.updates` says.

    `args` and `keywords` are what the caller has, Tensors among them; `values` and `kwargs` the same as core values.

    Raises:
        AutogradError: one of them may not be changed.
    """
    if function.updates is None:
        return
    handles = {**dict(zip(function.parameters, args, strict=False)), **keywords}
    for name, value in function.updates(*values, **kwargs).items():
        handle = handles.get(name)
        if type(handle) is Tensor:
            handle.update(stop_gradient(value))


def _changed(function: Function, first: Any, rest: Sequence[Any], kwargs: dict[str, Any]) -> Tensor | None:
    """A function that changes its first argument; with JAX's `inplace=False`, what it would make of it.

    Raises:
        ArgumentError: there is no first argument that could be changed.
    """
    kwargs = dict(kwargs)
    changes = kwargs.pop("inplace", True)
    if type(first) is not Tensor:
        raise ArgumentError(f"{function.name}() changes its first argument, which must be a tensor")
    if not changes:
        return Tensor(function(first.value, *rest, **kwargs))
    in_place(first, function.name, function, rest, kwargs)
    return None


def _asks_in_place(function: Function, values: Sequence[Any], kwargs: dict[str, Any]) -> bool:
    """Whether a call says `inplace=True`, by name or by position."""
    return bool(kwargs.get("inplace", len(values) == len(function.parameters) and values[-1]))


def _views(function: Function, first: Tensor, rest: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    if function.op is not UNBIND and function.op is not SPLIT:
        value = function(first.value, *rest, **kwargs)
        if isinstance(value, list | tuple):  # of several values
            return wrap(value)
        if state.torch_semantics and function.op is RESHAPE and not _share_memory(first.value, value):
            if function.name == "view":
                raise AutogradError(_NO_VIEW)
            return Tensor(value)
        return Tensor.view_at(first, value, lambda x: function(x, *rest, **kwargs))
    kind = type(function(first.value, *rest, **kwargs))
    return kind(Tensor.views_of(first, lambda x: function(x, *rest, **kwargs)))


def _share_memory(x: CoreValue, y: CoreValue) -> bool:
    """Whether two values lie in the same memory; where they are not known, they are taken to."""
    one, other = _array_of(x), _array_of(y)
    return one is None or other is None or not one.size or np.may_share_memory(one, other)


def _array_of(x: CoreValue) -> np.ndarray[Any, Any] | None:
    """The array below a value, where there is one."""
    while isinstance(x, Node):
        x = x.value
    return x if isinstance(x, np.ndarray) else None


def in_place(x: Tensor, name: str, function: Function, values: Sequence[Any], kwargs: dict[str, Any]) -> Tensor:
    """`x.name_(...)`: the method without the underscore, then the update.

    Raises:
        ArgumentError: the method gives no tensor.
        AutogradError: the tensor may not be changed.
    """
    x.check_changeable()
    _check_apart(x, values)
    since = next_number()
    result = function(x.value, *values, **kwargs)
    if not hasattr(result, "dtype"):
        raise ArgumentError(f"a tensor has no '.{name}'")
    if function.views:
        x.reshape_in_place(result)
    else:
        x.update(result, since)
    return x


_OVERLAP = (
    "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory "
    "location. Please clone() the tensor before performing the operation."
)


def _check_apart(x: Tensor, others: Sequence[Any]) -> None:
    """Raise if an operand lies in a part of the memory that is to be written.

    Raises:
        AutogradError: it does.
    """
    own = x.value
    for other in others if state.torch_semantics else ():
        if not isinstance(other, Value | np.ndarray) or other.shape == own.shape or not other.size:
            continue
        written, read = _array_of(own), _array_of(other)
        if written is None or read is None or not (written.flags.c_contiguous and read.flags.c_contiguous):
            continue
        if np.may_share_memory(written, read):
            raise AutogradError(_OVERLAP)


def updated(symbol: str, x: Tensor, other: CoreValue) -> Tensor:
    """`x symbol= other`, in place.

    Raises:
        AutogradError, ShapeError: the tensor may not be changed, or the result does not fit.
    """
    x.check_changeable()
    _check_apart(x, (other,))
    since = next_number()
    x.update(OPERATORS[symbol](x.value, other), since)
    return x


def rows(x: Tensor) -> Iterator[Tensor]:
    """The parts of a tensor along its first axis."""
    return iter(Tensor.views_of(x, lambda value: unbound(value, 0)))


def method(x: Tensor, name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """`x.name(*args, **kwargs)` as PyTorch has it, for Python's callers.

    Raises:
        AttributeError: there is no such method.
        GradcliError: it objects to the arguments.
    """
    values = [unwrap(arg) for arg in args]
    given = {key: unwrap(value) for key, value in kwargs.items()}
    function = registry.method(name, True)
    if function is not None:
        return called(function, x, [x.value, *values], given)
    function = registry.method(name[:-1], True) if name.endswith("_") else None
    if function is None:
        raise AttributeError(f"a tensor has no '.{name}'")
    return in_place(x, name, function, values, given)


def function_named(name: str) -> Callable[..., Any] | None:
    """A function of `torch` for Python's callers: takes and gives tensors; None if there is none of this name."""
    function = registry.lookup("torch", name)
    if function is None:
        return None
    known = function

    def call(*args: Any, **kwargs: Any) -> Any:
        values = [unwrap(arg) for arg in args]
        given = {key: unwrap(value) for key, value in kwargs.items()}
        made = called(known, args[0] if args else None, values, given)
        update_arguments(known, args, kwargs, values, given)
        return made

    call.__name__ = call.__qualname__ = name
    call.__doc__ = function.doc
    return call
