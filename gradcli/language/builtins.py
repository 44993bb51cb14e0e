"""The functions and types of Python that the language has."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcli.graph.budget import budget
from gradcli.graph.errors import ArgumentError
from gradcli.graph.state import state
from gradcli.language import numbers
from gradcli.language.arguments import matched
from gradcli.language.folding import fold_max, fold_min, fold_sum, sort_key
from gradcli.language.formatting import represent, text_of
from gradcli.language.numbers import NUMBERS
from gradcli.language.operations import (
    ELEMENT_BYTES,
    apply,
    as_index,
    iterate,
    key_of,
    listed,
    number,
    truth,
)
from gradcli.language.values import (
    Arguments,
    Builtin,
    FunctionValue,
    Iteration,
    Keywords,
    LanguageValue,
    TypeValue,
    describe,
)
from gradcli.ops import registry
from gradcli.tensor import Tensor, as_float, as_int

if TYPE_CHECKING:
    from gradcli.language.machine import Machine

Call = Callable[["Machine", Arguments, Keywords], LanguageValue]


def op(name: str, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """Call the op that bears a bare name."""
    return apply(registry.known("", name), args, kwargs)


def _len(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    x = matched("len", args, kwargs, ("x",), 1)["x"]
    if isinstance(x, list | tuple | dict | str | range):
        return len(x)
    if type(x) is Tensor and x.ndim:
        return x.shape[0]
    raise ArgumentError(f"len() of {describe(x)}: it has no length")


def _abs(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    if len(args) == 1 and not kwargs and type(args[0]) in NUMBERS:
        return numbers.checked(abs(args[0]))
    return op("abs", args, kwargs)


def _round(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    if not args or type(args[0]) is Tensor or isinstance(args[0], list | tuple):
        return op("round", args, kwargs)
    found = matched("round", args, kwargs, ("number", "ndigits"), 1)
    x = number(found["number"], "round()")
    digits = found.get("ndigits")
    if digits is None:
        return to_int(x) if isinstance(x, int) else to_int(round(x) if math.isfinite(x) else x)
    places = as_index(digits, "ndigits")
    return round(x, max(-400, min(400, places)))


def _extreme(name: str, fold: Callable[[list[LanguageValue]], LanguageValue]) -> Call:
    def extreme(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
        key, default = kwargs.pop("key", None), kwargs.pop("default", ...)
        if kwargs or not args or (len(args) == 1 and type(args[0]) is Tensor):
            return op(name, args, kwargs)
        items = args if len(args) > 1 else listed(args[0], f"{name}()")
        if len(args) == 1 and items and isinstance(items[0], list):
            return op(name, args, kwargs)
        if not items:
            if default is not ...:
                return default
            raise ArgumentError(f"{name}() of nothing", mend="give default=...")
        return _by_key(run, name, items, key) if key is not None else fold(items)

    return extreme


def _by_key(run: Machine, name: str, items: list[LanguageValue], key: LanguageValue) -> LanguageValue:
    keys = [sort_key(run.call(key, [item])) for item in items]
    best = 0
    for i, found in enumerate(keys):
        if (found > keys[best]) if name == "max" else (found < keys[best]):
            best = i
    return items[best]


def _sum(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    if not args or type(args[0]) is Tensor or (kwargs and "start" not in kwargs):
        return op("sum", args, kwargs)
    items = listed(args[0], "sum()")
    if items and isinstance(items[0], list | tuple):
        return op("sum", [items, *args[1:]], kwargs)
    found = matched("sum", args, kwargs, ("x", "start"), 1)
    return fold_sum(items, found.get("start", 0))


def _any_all(name: str, wanted: bool) -> Call:
    def fold(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
        if not args or kwargs or len(args) > 1 or type(args[0]) is Tensor:
            return op(name, args, kwargs)
        for item in iterate(args[0], f"{name}()"):
            if truth(item) is wanted:
                return wanted
        return not wanted

    return fold


def _sorted(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    found = matched("sorted", args[:1], kwargs, ("x", "key", "reverse"), 1)
    if len(args) > 1:
        raise ArgumentError("sorted() takes 1 argument and the keywords key, reverse")
    items = listed(found["x"], "sorted()")
    key = found.get("key")
    keys = [sort_key(item if key is None else run.call(key, [item])) for item in items]
    try:
        order = sorted(range(len(items)), key=keys.__getitem__, reverse=truth(found.get("reverse", False)))
    except TypeError:
        raise ArgumentError("sorted() compares values of one kind: all numbers, or all texts") from None
    return [items[i] for i in order]


def _range(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    if kwargs or not 1 <= len(args) <= 3:
        raise ArgumentError("range() takes 1 to 3 integers")
    bounds = [as_index(x, "an argument of range()") for x in args]
    if len(bounds) == 3 and bounds[2] == 0:
        raise ArgumentError("range() cannot step by zero")
    return range(*bounds)


#: Iterations within iterations, up to which nothing is computed before it is asked for.
_LAZIEST = 20


def _sequence(x: LanguageValue, what: str) -> tuple[Iterator[LanguageValue], int]:
    """Something to go through, and how deep an iteration over it is."""
    if not isinstance(x, Iteration):
        return iterate(x, what), 1
    if x.depth >= _LAZIEST:
        return iter(listed(x, what)), 1
    return x.items, x.depth + 1


def _enumerate(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    found = matched("enumerate", args, kwargs, ("x", "start"), 1)
    start = as_index(found.get("start", 0), "the start")
    items, depth = _sequence(found["x"], "enumerate()")
    return Iteration(enumerate(items, start), depth)


def _zip(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    strict = truth(matched("zip", [], kwargs, ("strict",)).get("strict", False))
    if strict and len({len(listed(x, "zip()")) for x in args if not isinstance(x, Iteration)}) > 1:
        raise ArgumentError("zip(strict=True) of unequal lengths")
    parts = [_sequence(x, "zip()") for x in args]
    return Iteration(zip(*[items for items, _ in parts], strict=False), max([depth for _, depth in parts], default=0))


def _reversed(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    x = matched("reversed", args, kwargs, ("x",), 1)["x"]
    if isinstance(x, list | tuple | range | str):
        return Iteration(iter(reversed(x)))
    return Iteration(iter(listed(x, "reversed()")[::-1]))


def _map(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    if kwargs or len(args) < 2:
        raise ArgumentError("map() takes a function and what to apply it to")
    found = []
    for items in zip(*[_sequence(x, "map()")[0] for x in args[1:]], strict=False):
        run.count_step()
        budget.charge(ELEMENT_BYTES, "map()")
        found.append(run.call(args[0], list(items)))
    return Iteration(iter(found))


def _isinstance(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    found = matched("isinstance", args, kwargs, ("x", "kind"), 2)
    kinds = found["kind"] if isinstance(found["kind"], tuple) else (found["kind"],)
    for kind in kinds:
        if not isinstance(kind, TypeValue):
            raise ArgumentError(
                f"isinstance() asks for a type, not {describe(kind)}", mend="such as int, float or list"
            )
        if kind.holds(found["x"]):
            return True
    return False


def _print(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    found = matched("print", [], kwargs, ("sep", "end", "flush"))
    sep, end = (" " if found.get("sep") is None else found["sep"]), found.get("end", "\n")
    end = "\n" if end is None else end
    if not isinstance(sep, str) or not isinstance(end, str):
        raise ArgumentError("sep and end of print() are texts")
    run.options.print_to(sep.join([text_of(x) for x in args]) + end)
    return None


def _repr(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    return represent(matched("repr", args, kwargs, ("x",), 1)["x"])


def _type(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    x = matched("type", args, kwargs, ("x",), 1)["x"]
    if type(x) is Tensor:
        return TypeValue("Tensor" if state.torch_semantics else "ndarray", _no_call, lambda x: type(x) is Tensor)
    found = TYPES.get(type(x).__name__)
    return found if found is not None else TypeValue(describe(x).split(" ", 1)[-1], _no_call, lambda x: False)


def _no_call(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    raise ArgumentError("a type taken of a value makes no new ones")


# --- types -----------------------------------------------------------------------------------------------------------


def to_int(x: LanguageValue) -> int:
    """`int(x)`: towards zero.

    Raises:
        ArgumentError: it is no number, or none that an integer can be.
    """
    if isinstance(x, str):
        return int(_parsed(x, int, "an integer"))
    if type(x) is Tensor and x.dtype.kind in "iub":
        return int(as_int(x))
    if type(x) is Tensor:
        x = as_float(x)
    if isinstance(x, int):
        return int(x)
    if isinstance(x, float):
        if not math.isfinite(x):
            raise ArgumentError(f"int() of {x!r}: no integer is near")
        return int(numbers.checked(int(x)))
    raise ArgumentError(f"int() takes a number, not {describe(x)}")


def to_float(x: LanguageValue) -> float:
    """`float(x)`.

    Raises:
        ArgumentError: it is no real number.
    """
    if isinstance(x, str):
        return float(_parsed(x, float, "a number"))
    if type(x) is Tensor:
        return as_float(x)
    if isinstance(x, int | float):
        return float(x)
    raise ArgumentError(f"float() takes a number, not {describe(x)}")


def _parsed(text: str, kind: Callable[[str], Any], what: str) -> Any:
    try:
        return numbers.checked(kind(text) if len(text) <= 400 else kind("x"))
    except ValueError:
        raise ArgumentError(f"{text[:60]!r} is not {what}") from None


def _one(name: str, convert: Callable[[LanguageValue], LanguageValue], empty: LanguageValue) -> Call:
    def call(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
        found = matched(name, args, kwargs, ("x",))
        return convert(found["x"]) if found else empty

    return call


def _complex(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    found = matched("complex", args, kwargs, ("real", "imag"))
    parts = [found.get(part, 0) for part in ("real", "imag")]
    if any(type(part) is Tensor for part in parts):
        return op("complex", args, kwargs)
    if not all(type(part) in NUMBERS for part in parts):
        raise ArgumentError("complex() takes numbers")
    if any(isinstance(part, complex) for part in parts):
        return complex(parts[0]) + 1j * parts[1]
    return complex(*parts)


def _list(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    found = matched("list", args, kwargs, ("x",))
    return listed(found["x"]) if found else []


def _tuple(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    found = matched("tuple", args, kwargs, ("x",))
    return tuple(listed(found["x"], "a tuple")) if found else ()


def _dict(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    made: dict[Any, LanguageValue] = {}
    if len(args) > 1:
        raise ArgumentError("dict() takes one dict or list of pairs")
    for pair in iterate(list(args[0].items()) if isinstance(args[0], dict) else args[0], "dict()") if args else ():
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise ArgumentError("dict() takes pairs of a key and a value")
        budget.charge(3 * ELEMENT_BYTES, "a dict")
        made[key_of(pair[0])] = pair[1]
    return {**made, **kwargs}


def _is_scalar(x: LanguageValue, kinds: str) -> bool:
    """Whether a 0-d tensor counts as a Python number, as NumPy's scalars do."""
    return type(x) is Tensor and not x.ndim and x.dtype.kind in kinds and not state.torch_semantics


TYPES: dict[str, TypeValue] = {
    "int": TypeValue(
        "int",
        _one("int", to_int, 0),
        lambda x: isinstance(x, int),
        np.dtype(np.int64),
    ),
    "float": TypeValue(
        "float",
        _one("float", to_float, 0.0),
        lambda x: isinstance(x, float) or _is_scalar(x, "f"),
        np.dtype(np.float64),
    ),
    "bool": TypeValue("bool", _one("bool", truth, False), lambda x: isinstance(x, bool), np.dtype(np.bool_)),
    "complex": TypeValue(
        "complex",
        _complex,
        lambda x: isinstance(x, complex) or _is_scalar(x, "c"),
        np.dtype(np.complex128),
    ),
    "str": TypeValue("str", _one("str", text_of, ""), lambda x: isinstance(x, str)),
    "list": TypeValue("list", _list, lambda x: isinstance(x, list)),
    "tuple": TypeValue("tuple", _tuple, lambda x: isinstance(x, tuple)),
    "dict": TypeValue("dict", _dict, lambda x: isinstance(x, dict)),
}

_CALLS: dict[str, Call] = {
    "len": _len,
    "abs": _abs,
    "round": _round,
    "min": _extreme("min", fold_min),
    "max": _extreme("max", fold_max),
    "sum": _sum,
    "any": _any_all("any", True),
    "all": _any_all("all", False),
    "sorted": _sorted,
    "range": _range,
    "enumerate": _enumerate,
    "zip": _zip,
    "reversed": _reversed,
    "map": _map,
    "isinstance": _isinstance,
    "print": _print,
    "repr": _repr,
    "type": _type,
}

BUILTINS: dict[str, FunctionValue] = {**TYPES, **{name: Builtin(name, call) for name, call in _CALLS.items()}}
