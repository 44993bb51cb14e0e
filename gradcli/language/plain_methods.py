"""Methods and attributes of values that are no tensors: lists, tuples, dicts, texts, numbers, graph nodes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from gradcli.graph.budget import budget
from gradcli.graph.errors import ArgumentError
from gradcli.language.arguments import matched
from gradcli.language.at import AT_METHODS, AtIndex
from gradcli.language.numbers import NUMBERS
from gradcli.language.objects import ObjectValue
from gradcli.language.operations import (
    ELEMENT_BYTES,
    as_index,
    equal,
    extended,
    key_of,
    listed,
)
from gradcli.language.values import (
    Arguments,
    Keywords,
    LanguageValue,
    Size,
    describe,
)
from gradcli.ops.results import Results
from gradcli.tensor.grad_fn import GradFn
from gradcli.tensor.hooks import Removable

Method = Callable[[Any, Arguments, Keywords], LanguageValue]

#: Attributes of a node of the graph.
NODE_ATTRIBUTES: dict[str, Callable[[GradFn], LanguageValue]] = {
    "next_functions": lambda x: x.next_functions,
    "variable": lambda x: x.variable,
}


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


#: Attributes of Python's own numbers.
NUMBER_ATTRIBUTES: dict[str, Callable[[Any], LanguageValue]] = {"real": lambda x: x.real, "imag": lambda x: x.imag}
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
    AtIndex: {**AT_METHODS},
}


def methods_of(x: LanguageValue) -> Mapping[str, Method]:
    """The methods of a value that is no tensor, by name."""
    if isinstance(x, ObjectValue):
        return x.methods
    return _METHODS.get(tuple if isinstance(x, Results) else type(x), {})


def method_names() -> list[str]:
    """The names of all these methods."""
    return [name for methods in _METHODS.values() for name in methods]
