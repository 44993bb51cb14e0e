"""Attributes and methods of values, from fixed lists."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcli.graph.budget import budget
from gradcli.graph.errors import ArgumentError, GradcliError
from gradcli.graph.node import Node
from gradcli.graph.state import state
from gradcli.graph.values import concrete
from gradcli.language import names
from gradcli.language.arguments import matched
from gradcli.language.diagnostics import did_you_mean
from gradcli.language.numbers import NUMBERS
from gradcli.language.operations import (
    ELEMENT_BYTES,
    apply,
    as_index,
    equal,
    expect_cpu,
    extended,
    key_of,
    listed,
    truth,
)
from gradcli.language.source import Span
from gradcli.language.values import (
    Arguments,
    Builtin,
    FunctionValue,
    Keywords,
    LanguageValue,
    ModuleValue,
    Size,
    array,
    core,
    describe,
)
from gradcli.language.warn import warn_once
from gradcli.ops import registry
from gradcli.ops.results import Results
from gradcli.tensor import Tensor, calls
from gradcli.tensor.grad_fn import GradFn
from gradcli.tensor.handle import NON_LEAF
from gradcli.tensor.hooks import Removable
from gradcli.tensor.methods import ATTRIBUTES, METHODS, check_untracked, is_in_place
from gradcli.tensor.versions import TYPE_NAMES

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
    if type(x) in NUMBERS and name in _NUMBER_ATTRIBUTES:
        return _NUMBER_ATTRIBUTES[name](x)
    if type(x) is GradFn and name in _NODE_ATTRIBUTES:
        return _NODE_ATTRIBUTES[name](x)
    if isinstance(x, Results) and name in x.fields:
        return x[x.fields.index(name)]
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
        if name in METHODS:
            return _own(run, x, name, args, kwargs)
        function = registry.method(name, state.torch_semantics)
        if function is not None:
            return apply(function, [x, *args], kwargs)
        if is_in_place(name):
            return _in_place(x, name, args, kwargs)
    else:
        method = _methods(x).get(name)
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
        known = name in _TENSOR_METHODS or name in METHODS or is_in_place(name)
        return known or registry.method(name, state.torch_semantics) is not None
    return name in _methods(x)


def _unknown(x: LanguageValue, name: str) -> GradcliError:
    if type(x) is Tensor:
        known = [*registry.names("."), *_TENSOR_ATTRIBUTES, *_TENSOR_METHODS, *METHODS]
        return GradcliError(f"a tensor has no '.{name}'", mend=did_you_mean(name, known))
    return GradcliError(f"{describe(x)} has no '.{name}'", mend=did_you_mean(name, _names(x)))


def _names(x: LanguageValue) -> list[str]:
    return [*_methods(x), *(x.fields if isinstance(x, Results) else ())]


def exists(name: str) -> bool:
    """Whether any value that a program can hold, modules excepted, has an attribute or a method of a name."""
    if name in _TENSOR_ATTRIBUTES or name in _TENSOR_METHODS or name in METHODS or name in ("to", "type"):
        return True
    for torch in (True, False):
        if registry.attribute(name, torch) is not None or registry.method(name, torch) is not None:
            return True
    if is_in_place(name):
        return True
    if name in _NODE_ATTRIBUTES or name in _NUMBER_ATTRIBUTES or any(name in methods for methods in _METHODS.values()):
        return True
    return any(name in kind.fields for kind in Results.__subclasses__())


def known_names() -> list[str]:
    """The attributes and methods that values have, for suggestions."""
    known = [*registry.names("."), *_TENSOR_ATTRIBUTES, *_TENSOR_METHODS, *METHODS]
    return known + [name for methods in _METHODS.values() for name in methods]


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
        if value is not None and type(value) is not Tensor and not state.torch_semantics:
            raise GradcliError(f"'.grad' is a tensor or None, not {describe(value)}")
        x.grad = value
    else:
        x.assign(array(value, "="))


# --- tensors ---------------------------------------------------------------------------------------------------------

_TENSOR_ATTRIBUTES: dict[str, Callable[[Tensor], LanguageValue]] = {
    "device": lambda x: "cpu",
    **ATTRIBUTES,
    "shape": lambda x: _shape(x),
    "grad": lambda x: _grad(x),
}


def _grad(x: Tensor) -> LanguageValue:
    if x.held_grad is None and x.lacks_grad:
        warn_once(NON_LEAF)
    return x.held_grad


def _shape(x: Tensor) -> LanguageValue:
    return Size(x.shape) if state.torch_semantics and not x.is_array else x.shape


def _size(x: Tensor, args: Arguments, kwargs: Keywords) -> LanguageValue:
    found = matched("size", args, kwargs, ("dim",))
    if found.get("dim") is None:
        return _shape(x)
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


def _tolist(x: Tensor, args: Arguments, kwargs: Keywords) -> LanguageValue:
    budget.charge(x.size * ELEMENT_BYTES, "a list")
    matched("tolist", args, kwargs, ())
    return METHODS["tolist"].call(x)


def _numpy(x: Tensor, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """An array is a tensor here, of the same memory."""
    matched("numpy", args, kwargs, ("force",))
    if state.torch_semantics and not kwargs:
        check_untracked(x)
    made = x.detach()
    return made.as_array() if state.torch_semantics else made


def _contiguous(x: Tensor, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """The tensor itself where its elements lie in order, as far as values are known, else a copy."""
    matched("contiguous", args, kwargs, ())
    value = x.value
    while isinstance(value, Node):
        value = value.value
    if not isinstance(value, np.ndarray) or value.flags.c_contiguous:
        return x
    clone = registry.method("clone", True)
    assert clone is not None
    return apply(clone, [x], {})


def _same(name: str) -> Method:
    def same(x: Tensor, args: Arguments, kwargs: Keywords) -> LanguageValue:
        matched(name, args, kwargs, ())
        return x

    return same


def _in_place(x: Tensor, name: str, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """`x.add_(y)` and its like."""
    function = registry.method(name[:-1], True)
    assert function is not None
    given = {key: core(value, name) for key, value in kwargs.items()}
    return calls.in_place(x, name, function, [core(value, name) for value in args], given)


def _own(run: Machine, x: Tensor, name: str, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """A method of `gradcli.tensor.methods`; functions of the program are handed over as Python's."""
    method = METHODS[name]
    found = matched(name, args, kwargs, method.parameters, method.required)
    return method.call(x, **{key: _callable(run, value) for key, value in found.items()})


def _callable(run: Machine, value: LanguageValue) -> Any:
    if isinstance(value, FunctionValue):
        return lambda *args: run.reenter(value, list(args), {})
    return value


def _to(x: Tensor, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """`x.to(dtype)`, `x.to(device)`, `x.to(other)`, or device and dtype by name."""
    wanted = [*args, *(kwargs.pop(name) for name in ("device", "dtype", "other") if name in kwargs)]
    matched("to", [], kwargs, ("non_blocking", "copy", "memory_format"))
    for want in wanted:
        if isinstance(want, str) or want is None:
            expect_cpu(want)
        elif not isinstance(want, bool):
            x = _cast(x, want.dtype if type(want) is Tensor else core(want, "to"))
    return x


def _cast(x: Tensor, dtype: LanguageValue) -> Tensor:
    if dtype == x.dtype and state.torch_semantics:
        return x
    function = registry.method("astype", False)
    assert function is not None
    made: Tensor = apply(function, [x, dtype], {})
    return made


def _type(x: Tensor, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """Without arguments, the type's name; with a dtype, the cast."""
    dtype = matched("type", args, kwargs, ("dtype",)).get("dtype")
    if dtype is not None:
        return _cast(x, core(dtype, "type"))
    return f"torch.{TYPE_NAMES.get(str(x.dtype), 'Float')}Tensor"


def _is_contiguous(x: Tensor, args: Arguments, kwargs: Keywords) -> LanguageValue:
    matched("is_contiguous", args, kwargs, ())
    return bool(concrete(x.value).flags.c_contiguous)


def _new(name: str) -> Method:
    """`x.new_zeros(...)` and its like: the constructor in the dtype of x."""

    def new(x: Tensor, args: Arguments, kwargs: Keywords) -> LanguageValue:
        function = registry.lookup("torch", name)
        assert function is not None
        return apply(function, args, {"dtype": x.dtype, **kwargs})

    return new


_TENSOR_METHODS: dict[str, Method] = {
    "tolist": _tolist,
    "numpy": _numpy,
    "cpu": _same("cpu"),
    "contiguous": _contiguous,
    "is_contiguous": _is_contiguous,
    "to": _to,
    "type": _type,
    "new_zeros": _new("zeros"),
    "new_ones": _new("ones"),
    "new_empty": _new("empty"),
    "new_full": _new("full"),
    "new_tensor": _new("tensor"),
    "size": _size,
    "dim": _dim,
    "numel": _numel,
    "nelement": _numel,
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


def _count_elements(x: Size, args: Arguments, kwargs: Keywords) -> LanguageValue:
    matched("numel", args, kwargs, ())
    return math.prod(x)


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


_NODE_ATTRIBUTES: dict[str, Callable[[GradFn], LanguageValue]] = {
    "next_functions": lambda x: x.next_functions,
    "variable": lambda x: x.variable,
}


def _remove(x: Removable, args: Arguments, kwargs: Keywords) -> LanguageValue:
    matched("remove", args, kwargs, ())
    x.remove()
    return None


def _update(x: dict[Any, Any], args: Arguments, kwargs: Keywords) -> LanguageValue:
    other = matched("update", args, {}, ("other",)).get("other", {})
    if not isinstance(other, dict):
        raise ArgumentError(f"update() takes a dict, not {describe(other)}")
    budget.charge((len(other) + len(kwargs)) * 3 * ELEMENT_BYTES, "a dict")
    x.update({**other, **kwargs})
    return None


def _join(x: str, args: Arguments, kwargs: Keywords) -> LanguageValue:
    parts = listed(matched("join", args, kwargs, ("parts",), 1)["parts"], "join()")
    for part in parts:
        if not isinstance(part, str):
            raise ArgumentError(f"join() takes texts, not {describe(part)}", mend="str(x) is the text of x")
    budget.charge((sum([len(part) for part in parts]) + len(x) * len(parts)) * 4, "a text")
    return x.join(parts)


def _conjugate(x: Any, args: Arguments, kwargs: Keywords) -> LanguageValue:
    matched("conjugate", args, kwargs, ())
    return x.conjugate()


#: Of Python's own numbers.
_NUMBER_ATTRIBUTES: dict[str, Callable[[Any], LanguageValue]] = {"real": lambda x: x.real, "imag": lambda x: x.imag}
_NUMBER_METHODS: dict[str, Method] = {"conjugate": _conjugate}

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
    dict: {"items": _items, "keys": _keys, "values": _values, "get": _get, "copy": _copy, "update": _update},
    str: {"join": _join},
    **dict.fromkeys(NUMBERS, _NUMBER_METHODS),
    Size: {"index": _index, "count": _count, "numel": _count_elements},
    GradFn: {"name": _name},
    Removable: {"remove": _remove},
}


def _methods(x: LanguageValue) -> dict[str, Method]:
    return _METHODS.get(tuple if isinstance(x, Results) else type(x), {})
