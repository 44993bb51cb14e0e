"""Tensors in Python's hands: operators, indexing, methods and attributes, from the tables that programs use too."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.values import OPERATORS, concrete
from gradcli.ops import registry
from gradcli.ops.operands import as_core
from gradcli.ops.registry import is_plain_unary
from gradcli.tensor.calls import called, method, updated
from gradcli.tensor.handle import Tensor
from gradcli.tensor.methods import ATTRIBUTES, METHODS, array_of, is_in_place
from gradcli.tensor.numbers import as_float, as_int, truth
from gradcli.tensor.wrapping import unwrap

_BINARY = {
    "add": "+",
    "sub": "-",
    "mul": "*",
    "truediv": "/",
    "floordiv": "//",
    "mod": "%",
    "pow": "**",
    "matmul": "@",
    "and": "&",
    "or": "|",
}
_COMPARISONS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_UNARY = {"neg": "unary-", "invert": "~"}


def _operand(x: Any) -> Any:
    return x.value if type(x) is Tensor else unwrap(x)


def _forward(symbol: str) -> Callable[[Tensor, Any], Tensor]:
    operator = OPERATORS[symbol]
    return lambda x, y: Tensor(operator(x.value, y.value if type(y) is Tensor else _operand(y)))


def _reflected(symbol: str) -> Callable[[Tensor, Any], Tensor]:
    operator = OPERATORS[symbol]
    return lambda x, y: Tensor(operator(_operand(y), x.value))


def _augmented(symbol: str) -> Callable[[Tensor, Any], Tensor]:
    return lambda x, y: updated(symbol, x, _operand(y))


def _unary(symbol: str) -> Callable[[Tensor], Tensor]:
    operator = OPERATORS[symbol]
    return lambda x: Tensor(operator(x.value))


def _is_plain(index: Any) -> bool:
    parts = index if isinstance(index, tuple) else (index,)
    return all(part is None or part is Ellipsis or type(part) in (int, slice) for part in parts)


def _getitem(x: Tensor, index: Any) -> Tensor:
    """`x[index]`: a view, where the index is of integers and slices."""
    where = unwrap(index)
    read = OPERATORS["[]"]
    if _is_plain(where):
        return Tensor.view_of(x, lambda value: read(value, where))
    return Tensor(read(x.value, where))


def _setitem(x: Tensor, index: Any, value: Any) -> None:
    """`x[index] = value`, in place."""
    x.write(unwrap(index), as_core(unwrap(value)))


def _method_named(name: str) -> Callable[..., Any] | None:
    """A method of the op table, which then becomes the class's own; None if there is none of this name."""
    function = registry.method(name, True)
    if function is None and not is_in_place(name):
        return None
    op = None if function is None or not is_plain_unary(function) else function.op

    def call(x: Tensor, *args: Any, **kwargs: Any) -> Any:
        if op is not None and not args and not kwargs and x.dtype.kind == "f":
            return Tensor(bind(op, x.value))
        return method(x, name, args, kwargs)

    call.__name__ = call.__qualname__ = name
    call.__doc__ = None if function is None else function.doc
    return call


def _getattr(x: Tensor, name: str) -> Any:
    """Methods and attributes of the tables, PyTorch's.

    Raises:
        AttributeError: there is none of this name.
    """
    if name in METHODS:
        return partial(METHODS[name].call, x)
    if name in ATTRIBUTES:
        return ATTRIBUTES[name](x)
    call = _method_named(name)
    if call is not None:
        setattr(Tensor, name, call)
        return partial(call, x)
    function = registry.attribute(name)
    if function is None:
        raise AttributeError(f"a tensor has no '.{name}'")
    return called(function, x, [x.value], {})


def _array(x: Tensor, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
    found = array_of(x)
    return found if dtype is None else found.astype(dtype)


def _attach() -> None:
    made: dict[str, Callable[..., Any]] = {
        "__getitem__": _getitem,
        "__setitem__": _setitem,
        "__getattr__": _getattr,
        "__array__": _array,
        "__bool__": truth,
        "__float__": as_float,
        "__int__": as_int,
        "__index__": as_int,
        "__contains__": lambda x, y: bool(np.any(concrete(OPERATORS["=="](x.value, _operand(y))))),
    }
    for name, symbol in _BINARY.items():
        made[f"__{name}__"], made[f"__r{name}__"] = _forward(symbol), _reflected(symbol)
        made[f"__i{name}__"] = _augmented(symbol)
    made |= {f"__{name}__": _forward(symbol) for name, symbol in _COMPARISONS.items()}
    made |= {f"__{name}__": _unary(symbol) for name, symbol in _UNARY.items()}
    for name, call in made.items():
        setattr(Tensor, name, call)


_attach()
