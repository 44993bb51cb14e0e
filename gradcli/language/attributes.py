"""Attributes and methods of values, from fixed lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gradcli.graph.budget import budget
from gradcli.graph.errors import ArgumentError, GradcliError
from gradcli.graph.state import state
from gradcli.graph.values import OPERATORS, concrete
from gradcli.language import names
from gradcli.language.arguments import matched
from gradcli.language.diagnostics import did_you_mean
from gradcli.language.operations import ELEMENT_BYTES, apply, as_index, equal, extended, key_of, operand, truth
from gradcli.language.source import Span
from gradcli.language.values import (
    Arguments,
    Builtin,
    Keywords,
    LanguageValue,
    ModuleValue,
    array,
    core,
    describe,
)
from gradcli.ops import registry
from gradcli.tensor import Tensor
from gradcli.tensor.numbers import item
from gradcli.tensor.tape import GradFn

if TYPE_CHECKING:
    from gradcli.language.machine import Machine

Method = Callable[[Any, Arguments, Keywords], LanguageValue]


def read(x: LanguageValue, name: str, span: Span | None) -> LanguageValue:
    """x.name, where it is not called.

    Raises:
        GradcliError: there is no such attribute.
    """
    if isinstance(x, ModuleValue):
        return names.known_member(x.path, name, span)
    if type(x) is Tensor:
        found = _TENSOR_ATTRIBUTES.get(name)
        if found is not None:
            return found(x)
        function = registry.attribute(name, state.torch_semantics)
        if function is not None:
            return apply(function, [x], {})
    return _bound_method(x, name)


def _bound_method(x: LanguageValue, name: str) -> LanguageValue:
    if not _has_method(x, name):
        raise _unknown(x, name)
    return Builtin(name, lambda run, args, kwargs: call(run, x, name, args, kwargs, None))


def call(
    run: Machine, x: LanguageValue, name: str, args: Arguments, kwargs: Keywords, span: Span | None
) -> LanguageValue:
    """x.name(*args, **kwargs).

    Raises:
        GradcliError: there is no such method, or it objects to the arguments.
    """
    if type(x) is Tensor:
        own = _TENSOR_METHODS.get(name)
        if own is not None:
            return own(x, args, kwargs)
        function = registry.method(name, state.torch_semantics)
        if function is not None:
            return apply(function, [x, *args], kwargs)
        if name.endswith("_") and registry.method(name[:-1], True) is not None:
            return _in_place(x, name, args, kwargs)
        if name in ("to", "type"):
            return _to(x, args, kwargs)
    else:
        method = _METHODS.get(type(x), {}).get(name)
        if method is not None:
            return method(x, args, kwargs)
    if _is_attribute(x, name):
        return run.call(read(x, name, span), args, kwargs)
    raise _unknown(x, name)


def _is_attribute(x: LanguageValue, name: str) -> bool:
    if isinstance(x, ModuleValue):
        return True
    return type(x) is Tensor and (name in _TENSOR_ATTRIBUTES or registry.attribute(name, False) is not None)


def _has_method(x: LanguageValue, name: str) -> bool:
    if type(x) is Tensor:
        known = name in _TENSOR_METHODS or registry.method(name, state.torch_semantics) is not None
        return known or (name.endswith("_") and registry.method(name[:-1], True) is not None)
    return name in _METHODS.get(type(x), {})


def _unknown(x: LanguageValue, name: str) -> GradcliError:
    if type(x) is Tensor:
        known = [*registry.names("."), *_TENSOR_ATTRIBUTES, *_TENSOR_METHODS]
        return GradcliError(f"a tensor has no '.{name}'", mend=did_you_mean(name, known))
    return GradcliError(f"{describe(x)} has no '.{name}'", mend=did_you_mean(name, list(_METHODS.get(type(x), {}))))


def assign(x: LanguageValue, name: str, value: LanguageValue) -> None:
    """x.name = value, for `grad`, `requires_grad` and `data` of a tensor.

    Raises:
        GradcliError: x is no tensor, or the value does not fit.
    """
    if type(x) is not Tensor:
        raise GradcliError(f"{describe(x)} has no '.{name}' to assign")
    if name == "requires_grad":
        x.requires_grad_(truth(value))
    elif name == "grad":
        if value is not None and type(value) is not Tensor:
            raise GradcliError(f"'.grad' is a tensor or None, not {describe(value)}")
        x.grad = value
    else:
        x.assign(array(value, "="))


# --- tensors ---------------------------------------------------------------------------------------------------------

_TENSOR_ATTRIBUTES: dict[str, Callable[[Tensor], LanguageValue]] = {
    "shape": lambda x: x.shape,
    "ndim": lambda x: x.ndim,
    "size": lambda x: x.size,
    "dtype": lambda x: x.dtype,
    "grad": lambda x: x.grad,
    "requires_grad": lambda x: x.requires_grad,
    "is_leaf": lambda x: x.is_leaf,
    "grad_fn": lambda x: x.grad_fn,
    "data": lambda x: x.detach(),
}


def _size(x: Tensor, args: Arguments, kwargs: Keywords) -> LanguageValue:
    found = matched("size", args, kwargs, ("dim",))
    if found.get("dim") is None:
        return x.shape
    axis = as_index(found["dim"], "dim")
    if not -x.ndim <= axis < x.ndim:
        raise ArgumentError(f"dim {axis} is out of range for {describe(x)}")
    return x.shape[axis]


def _dim(x: Tensor, args: Arguments, kwargs: Keywords) -> LanguageValue:
    matched("dim", args, kwargs, ())
    return x.ndim


def _numel(x: Tensor, args: Arguments, kwargs: Keywords) -> LanguageValue:
    matched("numel", args, kwargs, ())
    return x.size


def _item(x: Tensor, args: Arguments, kwargs: Keywords) -> LanguageValue:
    matched("item", args, kwargs, ())
    return item(x)


def _tolist(x: Tensor, args: Arguments, kwargs: Keywords) -> LanguageValue:
    matched("tolist", args, kwargs, ())
    budget.charge(x.size * ELEMENT_BYTES, "a list")
    return concrete(x.value).tolist()


def _backward(x: Tensor, args: Arguments, kwargs: Keywords) -> LanguageValue:
    found = matched("backward", args, kwargs, ("gradient", "retain_graph", "create_graph"))
    gradient = found.get("gradient")
    retain = found.get("retain_graph")
    x.backward(
        None if gradient is None else array(gradient, "backward"),
        retain_graph=None if retain is None else truth(retain),
        create_graph=truth(found.get("create_graph", False)),
    )
    return None


def _requires_grad_(x: Tensor, args: Arguments, kwargs: Keywords) -> LanguageValue:
    found = matched("requires_grad_", args, kwargs, ("requires_grad",))
    return x.requires_grad_(truth(found.get("requires_grad", True)))


def _retain_grad(x: Tensor, args: Arguments, kwargs: Keywords) -> LanguageValue:
    matched("retain_grad", args, kwargs, ())
    x.retain_grad()
    return None


def _detach(x: Tensor, args: Arguments, kwargs: Keywords) -> LanguageValue:
    matched("detach", args, kwargs, ())
    return x.detach()


def _clone(x: Tensor, args: Arguments, kwargs: Keywords) -> LanguageValue:
    matched("clone", args, kwargs, ())
    function = registry.method("clone", True) or registry.lookup("", "copy")
    return apply(function, [x], {}) if function is not None else Tensor(OPERATORS["unary+"](x.value))


def _same(name: str) -> Method:
    def same(x: Tensor, args: Arguments, kwargs: Keywords) -> LanguageValue:
        matched(name, args, kwargs, ())
        return x

    return same


def _cpu_numpy(x: Tensor, args: Arguments, kwargs: Keywords) -> LanguageValue:
    matched("numpy", args, kwargs, ())
    if state.torch_semantics and x.requires_grad:
        raise GradcliError(
            "RuntimeError: Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead."
        )
    return x.detach()


def _zero_(x: Tensor, args: Arguments, kwargs: Keywords) -> LanguageValue:
    matched("zero_", args, kwargs, ())
    return _filled(x, 0)


def _fill_(x: Tensor, args: Arguments, kwargs: Keywords) -> LanguageValue:
    return _filled(x, matched("fill_", args, kwargs, ("value",), 1)["value"])


def _filled(x: Tensor, value: LanguageValue) -> LanguageValue:
    x.write(Ellipsis, operand(value, "fill_"))
    return x


def _copy_(x: Tensor, args: Arguments, kwargs: Keywords) -> LanguageValue:
    x.write(Ellipsis, operand(matched("copy_", args, kwargs, ("src",), 1)["src"], "copy_"))
    return x


def _in_place(x: Tensor, name: str, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """`x.add_(y)` and its like: the method without the underscore, then the update."""
    function = registry.method(name[:-1], True)
    assert function is not None
    result = apply(function, [x, *args], kwargs)
    if type(result) is not Tensor:
        raise ArgumentError(f"a tensor has no '.{name}'")
    x.update(result.value)
    return x


def _to(x: Tensor, args: Arguments, kwargs: Keywords) -> LanguageValue:
    dtype = core(matched("to", args, kwargs, ("dtype",), 1)["dtype"], "to")
    if isinstance(dtype, str):
        if dtype == "cpu":
            return x
        raise ArgumentError(f"there is no device '{dtype[:40]}'", mend="everything is computed on the CPU")
    function = registry.method("astype", False)
    assert function is not None
    return apply(function, [x, dtype], {})


_TENSOR_METHODS: dict[str, Method] = {
    "backward": _backward,
    "requires_grad_": _requires_grad_,
    "retain_grad": _retain_grad,
    "detach": _detach,
    "clone": _clone,
    "item": _item,
    "tolist": _tolist,
    "numpy": _cpu_numpy,
    "cpu": _same("cpu"),
    "contiguous": _same("contiguous"),
    "size": _size,
    "dim": _dim,
    "numel": _numel,
    "nelement": _numel,
    "zero_": _zero_,
    "fill_": _fill_,
    "copy_": _copy_,
}


# --- lists, dicts, texts ---------------------------------------------------------------------------------------------


def _append(x: list[Any], args: Arguments, kwargs: Keywords) -> LanguageValue:
    budget.charge(ELEMENT_BYTES, "a list")
    x.append(matched("append", args, kwargs, ("x",), 1)["x"])
    return None


def _extend(x: list[Any], args: Arguments, kwargs: Keywords) -> LanguageValue:
    extended(x, matched("extend", args, kwargs, ("xs",), 1)["xs"])
    return None


def _pop(x: list[Any], args: Arguments, kwargs: Keywords) -> LanguageValue:
    where = as_index(matched("pop", args, kwargs, ("index",)).get("index", -1))
    if not -len(x) <= where < len(x):
        raise ArgumentError(f"pop() from a list of {len(x)} elements at {where}")
    return x.pop(where)


def _insert(x: list[Any], args: Arguments, kwargs: Keywords) -> LanguageValue:
    found = matched("insert", args, kwargs, ("index", "x"), 2)
    budget.charge(ELEMENT_BYTES, "a list")
    x.insert(as_index(found["index"]), found["x"])
    return None


def _reverse(x: list[Any], args: Arguments, kwargs: Keywords) -> LanguageValue:
    matched("reverse", args, kwargs, ())
    x.reverse()
    return None


def _copy(x: Any, args: Arguments, kwargs: Keywords) -> LanguageValue:
    matched("copy", args, kwargs, ())
    budget.charge(len(x) * ELEMENT_BYTES, describe(x))
    return x.copy()


def _index(x: Any, args: Arguments, kwargs: Keywords) -> LanguageValue:
    wanted = matched("index", args, kwargs, ("x",), 1)["x"]
    for i, found in enumerate(x):
        if equal(found, wanted):
            return i
    raise ArgumentError(f"{describe(x)} does not hold {describe(wanted)}")


def _count(x: Any, args: Arguments, kwargs: Keywords) -> LanguageValue:
    wanted = matched("count", args, kwargs, ("x",), 1)["x"]
    return len([found for found in x if equal(found, wanted)])


def _items(x: dict[Any, Any], args: Arguments, kwargs: Keywords) -> LanguageValue:
    matched("items", args, kwargs, ())
    return list(x.items())


def _keys(x: dict[Any, Any], args: Arguments, kwargs: Keywords) -> LanguageValue:
    matched("keys", args, kwargs, ())
    return list(x)


def _values(x: dict[Any, Any], args: Arguments, kwargs: Keywords) -> LanguageValue:
    matched("values", args, kwargs, ())
    return list(x.values())


def _get(x: dict[Any, Any], args: Arguments, kwargs: Keywords) -> LanguageValue:
    found = matched("get", args, kwargs, ("key", "default"), 1)
    return x.get(key_of(found["key"]), found.get("default"))


def _name(x: GradFn, args: Arguments, kwargs: Keywords) -> LanguageValue:
    matched("name", args, kwargs, ())
    return x.name()


_METHODS: dict[type, dict[str, Method]] = {
    list: {
        "append": _append,
        "extend": _extend,
        "pop": _pop,
        "insert": _insert,
        "reverse": _reverse,
        "copy": _copy,
        "index": _index,
        "count": _count,
    },
    tuple: {"index": _index, "count": _count},
    dict: {"items": _items, "keys": _keys, "values": _values, "get": _get, "copy": _copy},
    GradFn: {"name": _name},
}
