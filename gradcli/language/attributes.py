"""Attributes and methods of values, from fixed lists: a tensor's own, and for other values `plain_methods`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcli.graph.budget import budget
from gradcli.graph.errors import ArgumentError, GradcliError
from gradcli.graph.node import Node
from gradcli.graph.state import state
from gradcli.graph.values import concrete
from gradcli.language import function_methods, names
from gradcli.language.arguments import matched
from gradcli.language.at import At, AtIndex, applied
from gradcli.language.diagnostics import did_you_mean
from gradcli.language.numbers import NUMBERS
from gradcli.language.objects import ObjectValue, has_member
from gradcli.language.operations import (
    ELEMENT_BYTES,
    OpFunction,
    apply,
    as_index,
    expect_cpu,
    truth,
)
from gradcli.language.plain_methods import NODE_ATTRIBUTES, NUMBER_ATTRIBUTES, Method, method_names, methods_of
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
from gradcli.tensor.methods import ATTRIBUTES, METHODS, check_untracked, is_in_place
from gradcli.tensor.versions import TYPE_NAMES

if TYPE_CHECKING:
    from gradcli.language.machine import Machine


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
        function = registry.attribute(name)
        if function is not None:
            return apply(function, [x], {})
    if type(x) is OpFunction:
        method = function_methods.method_of(x, name)
        if method is not None:
            return method
    if type(x) in NUMBERS and name in NUMBER_ATTRIBUTES:
        return NUMBER_ATTRIBUTES[name](x)
    if type(x) is GradFn and name in NODE_ATTRIBUTES:
        return NODE_ATTRIBUTES[name](x)
    if isinstance(x, Results) and name in x.fields:
        return x[x.fields.index(name)]
    if isinstance(x, ObjectValue):
        found = x.attribute(name)
        if found is not ...:
            return found
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
    elif type(x) is AtIndex and name == "apply":
        return applied(run, x, args, kwargs)
    else:
        method = methods_of(x).get(name)
        if method is not None:
            return method(x, args, kwargs)
    if _is_attribute(x, name):
        return run.call(read(x, name, span), args, kwargs)
    raise _unknown(x, name)


def _is_attribute(x: LanguageValue, name: str) -> bool:
    if isinstance(x, ModuleValue):
        return True
    if type(x) is OpFunction:
        return function_methods.method_of(x, name) is not None
    return type(x) is Tensor and (name in _TENSOR_ATTRIBUTES or registry.attribute(name) is not None)


def _has_method(x: LanguageValue, name: str) -> bool:
    if type(x) is Tensor:
        known = name in _TENSOR_METHODS or name in METHODS or is_in_place(name)
        return known or registry.method(name, state.torch_semantics) is not None
    return name in methods_of(x)


def _unknown(x: LanguageValue, name: str) -> GradcliError:
    if type(x) is Tensor:
        return GradcliError(f"a tensor has no '.{name}'", mend=did_you_mean(name, _tensor_names()))
    if x is None and state.torch_semantics:  # what `.grad` is before any backward pass
        return GradcliError(f"'NoneType' object has no attribute '{name}'")
    return GradcliError(f"{describe(x)} has no '.{name}'", mend=did_you_mean(name, _names(x)))


def _tensor_names() -> list[str]:
    return [*registry.names("."), *_TENSOR_ATTRIBUTES, *_TENSOR_METHODS, *METHODS]


def _names(x: LanguageValue) -> list[str]:
    return [*methods_of(x), *(x.fields if isinstance(x, Results) else ())]


def exists(name: str) -> bool:
    """Whether any value that a program can hold, modules excepted, has an attribute or a method of a name."""
    if name in _TENSOR_ATTRIBUTES or name in _TENSOR_METHODS or name in METHODS:
        return True
    for torch in (True, False):
        if registry.attribute(name) is not None or registry.method(name, torch) is not None:
            return True
    if is_in_place(name):
        return True
    if name in NODE_ATTRIBUTES or name in NUMBER_ATTRIBUTES or name in function_methods.NAMES or name in method_names():
        return True
    if name == "apply":  # of x.at[i]
        return True
    return any(name in kind.fields for kind in Results.__subclasses__()) or has_member(name)


def known_names() -> list[str]:
    """The attributes and methods that values have, for suggestions."""
    return [*_tensor_names(), *method_names()]


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
    "at": At,
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
    return apply(registry.known_method("clone", True), [x], {})


def _same(name: str) -> Method:
    def same(x: Tensor, args: Arguments, kwargs: Keywords) -> LanguageValue:
        matched(name, args, kwargs, ())
        return x

    return same


def _in_place(x: Tensor, name: str, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """`x.add_(y)` and its like."""
    function = registry.known_method(name[:-1], True)
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
    made: Tensor = apply(registry.known_method("astype", False), [x, dtype], {})
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
        return apply(registry.known("torch", name), args, {"dtype": x.dtype, **kwargs})

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
