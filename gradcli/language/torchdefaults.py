"""Members of torch that say how a run goes on (how tensors print, the dtype of floats), and those whose answers are
Python's own values (sizes, whether tensors are alike)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gradcli.graph.errors import ArgumentError, GradcliError
from gradcli.graph.state import state
from gradcli.graph.values import OPERATORS, dtype_of, shape_of
from gradcli.language.arguments import matched
from gradcli.language.formatting import WIDEST
from gradcli.language.numbers import NUMBERS
from gradcli.language.operations import apply, as_index, expect_cpu, listed, number, truth
from gradcli.language.values import (
    Arguments,
    Builtin,
    Keywords,
    LanguageValue,
    Size,
    TypeValue,
    array,
    describe,
)
from gradcli.ops import registry
from gradcli.ops.kinds import broadcast_shape
from gradcli.tensor import Tensor
from gradcli.tensor.printing import options as print_options

if TYPE_CHECKING:
    from gradcli.language.machine import Machine

_PROFILES = ("default", "short", "full")


def _set_printoptions(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    names = ("precision", "threshold", "edgeitems", "linewidth", "profile", "sci_mode")
    found = matched("set_printoptions", args, kwargs, names)
    profile = found.get("profile")
    if profile is not None:
        if profile not in _PROFILES:
            raise ArgumentError(f"a profile is one of {', '.join(_PROFILES)}")
        print_options.use_profile(profile)
    for name in ("precision", "edgeitems", "linewidth"):
        if found.get(name) is not None:
            setattr(print_options, name, _count(name, found[name]))
    if found.get("threshold") is not None:
        print_options.threshold = float(number(found["threshold"], "threshold"))
    sci_mode = found.get("sci_mode")
    print_options.sci_mode = None if sci_mode is None else truth(sci_mode)
    return None


def _count(name: str, x: LanguageValue) -> int:
    found = as_index(x, name)
    most = WIDEST if name == "precision" else 1 << 40
    if not 0 <= found <= most:
        raise ArgumentError(f"{name} is from 0 to {most:,}, not {found}")
    return found


def _get_default_dtype(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    matched("get_default_dtype", args, kwargs, ())
    return state.default_float


def _set_default_dtype(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    wanted = matched("set_default_dtype", args, kwargs, ("d",), 1)["d"]
    dtype = wanted.dtype if isinstance(wanted, TypeValue) else wanted
    if not isinstance(dtype, np.dtype) or dtype.kind != "f":
        raise GradcliError("only floating-point types are supported as the default type")
    state.default_float = dtype
    return None


def _size(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    sizes = matched("Size", args, kwargs, ("sizes",)).get("sizes", ())
    return Size([as_index(n, "a size") for n in listed(sizes, "a size")])


def _broadcast_shapes(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    if kwargs:
        raise ArgumentError("broadcast_shapes() takes shapes")
    shapes = [tuple([as_index(n, "a size") for n in listed(x, "a shape")]) for x in args]
    return Size(broadcast_shape("broadcast_shapes", *shapes))


def _equal(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    found = matched("equal", args, kwargs, ("input", "other"), 2)
    x, y = (array(found[name], "equal") for name in ("input", "other"))
    if shape_of(x) != shape_of(y):
        return False
    return truth(_method("all", Tensor(OPERATORS["=="](x, y))))


def _allclose(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    return truth(_method("all", _isclose(run, args, kwargs)))


def _isclose(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    parameters = ("input", "other", "rtol", "atol", "equal_nan")
    found = matched("isclose", args, kwargs, parameters, 2)
    x, y = (array(found[name], "isclose") for name in ("input", "other"))
    if state.torch_semantics and dtype_of(x) != dtype_of(y):
        raise GradcliError(f"{_dtype_word(x)} did not match {_dtype_word(y)}")
    rtol, atol = (float(number(found.get(n, d), n)) for n, d in (("rtol", 1e-5), ("atol", 1e-8)))
    near = _op("less_equal", _op("absolute", x - y), atol + rtol * _op("absolute", y))
    # An infinity is near to itself alone, as its distance to anything else is infinite.
    near = _op("logical_or", _op("equal", x, y), _op("logical_and", near, _op("isfinite", y)))
    if truth(found.get("equal_nan", False)):
        near = _op("logical_or", near, _op("logical_and", _op("isnan", x), _op("isnan", y)))
    return Tensor(near)


def _dtype_word(x: Any) -> str:
    kinds = {"float32": "Float", "float64": "Double", "int64": "Long", "int32": "Int", "bool": "Bool"}
    return kinds.get(str(dtype_of(x)), str(dtype_of(x)))


def _op(name: str, *args: Any) -> Any:
    return registry.known("numpy", name)(*args)


def _method(name: str, x: LanguageValue) -> LanguageValue:
    return apply(registry.known("numpy", name), [x], {})


def _device(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    name = matched("device", args, kwargs, ("type", "index"), 1)["type"]
    expect_cpu(name)
    return "cpu"


def _no_cuda(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    matched("is_available", args, kwargs, ())
    return False


def _is_floating_point(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    x = matched("is_floating_point", args, kwargs, ("input",), 1)["input"]
    if type(x) is not Tensor and type(x) not in NUMBERS:
        raise ArgumentError(f"is_floating_point() takes a tensor, not {describe(x)}")
    return isinstance(x, float) or (type(x) is Tensor and x.dtype.kind == "f")


#: Members of `torch`.
DEFAULTS: dict[str, LanguageValue] = {
    "Size": TypeValue("torch.Size", _size, lambda x: isinstance(x, Size)),
    **{
        name: Builtin(name, call)
        for name, call in (
            ("set_printoptions", _set_printoptions),
            ("get_default_dtype", _get_default_dtype),
            ("set_default_dtype", _set_default_dtype),
            ("broadcast_shapes", _broadcast_shapes),
            ("equal", _equal),
            ("allclose", _allclose),
            ("isclose", _isclose),
            ("is_floating_point", _is_floating_point),
            ("device", _device),
        )
    },
}
#: Members of `torch.cuda`.
CUDA: dict[str, LanguageValue] = {"is_available": Builtin("is_available", _no_cuda)}
#: Members of `numpy`.
NUMPY_CLOSENESS: dict[str, LanguageValue] = {
    "allclose": Builtin("allclose", _allclose),
    "isclose": Builtin("isclose", _isclose),
    "array_equal": Builtin("array_equal", _equal),
}
