"""Operators and ops applied to what variables hold: numbers, tensors, texts and lists."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcli.graph.bind import bind
from gradcli.graph.budget import budget
from gradcli.graph.errors import ArgumentError, GradcliError
from gradcli.graph.state import state
from gradcli.graph.values import OPERATORS, CoreValue
from gradcli.language import numbers
from gradcli.language.numbers import NUMBERS
from gradcli.language.values import (
    DEEPEST_LIST,
    Arguments,
    FunctionValue,
    Iteration,
    Keywords,
    LanguageValue,
    TypeValue,
    array,
    core,
    describe,
)
from gradcli.ops import registry
from gradcli.ops.function import Function
from gradcli.tensor import Tensor, as_float, as_int, calls
from gradcli.tensor import truth as tensor_truth

if TYPE_CHECKING:
    from gradcli.language.machine import Machine

SYMBOLS: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.MatMult: "@",
    ast.BitAnd: "&",
    ast.BitOr: "|",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}
#: Bytes of one element of a Python list, its small object included.
ELEMENT_BYTES = 40


class OpFunction(FunctionValue):
    """A function of the op table."""

    __slots__ = ("function",)

    def __init__(self, function: Function) -> None:
        self.name = function.name
        self.function = function

    def invoke(self, run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
        """Call it on core values; what comes back is a tensor, or several."""
        function = self.function
        if function.plain and len(args) == 1 and type(args[0]) is Tensor and not (kwargs or function.real):
            x = args[0].value
            if function.op is not None and x.dtype.kind in "fc" and len(function.parameters) == 1:
                return Tensor(bind(function.op, x))  # as nearly always
        return apply(self.function, args, kwargs)


def apply(function: Function, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """Call an op's function on what variables hold.

    Raises:
        GradcliError: it does not take these arguments.
    """
    name = function.name
    keywords = kwargs
    if kwargs:
        if "device" in kwargs:
            kwargs = dict(kwargs)
            expect_cpu(kwargs.pop("device"))
        if function.family == "random" and "generator" in kwargs:
            return _drawn(function, args, dict(kwargs))
        kwargs = {key: core(x, name) for key, x in kwargs.items()}
    values = [x.value if type(x) is Tensor else core(x, name) for x in args]
    made: LanguageValue = calls.called(function, args[0] if args else None, values, kwargs)
    if function.updates is not None:
        calls.update_arguments(function, args, keywords, values, kwargs)
    return made


def _drawn(function: Function, args: Arguments, kwargs: Keywords) -> LanguageValue:
    from gradcli.language.generators import drawn_by

    return drawn_by(kwargs.pop("generator"), function, args, kwargs)


def expect_cpu(device: LanguageValue) -> None:
    """See that a device is the only one there is.

    Raises:
        ArgumentError: it is another.
    """
    if device is not None and (not isinstance(device, str) or device.partition(":")[0] != "cpu"):
        what = f"'{device[:40]}'" if isinstance(device, str) else describe(device)
        raise ArgumentError(f"there is no device {what}", mend="everything is computed on the CPU")


# --- binary operators ------------------------------------------------------------------------------------------------


def binary(kind: type[ast.operator], a: LanguageValue, b: LanguageValue) -> LanguageValue:
    """a kind b.

    Raises:
        GradcliError: the operator does not join such values.
    """
    if type(a) is Tensor or type(b) is Tensor:
        symbol = SYMBOLS[kind]
        x = a.value if type(a) is Tensor else a if type(a) is float else operand(a, symbol)
        y = b.value if type(b) is Tensor else b if type(b) is float else operand(b, symbol)
        return Tensor(OPERATORS[symbol](x, y))
    if type(a) in NUMBERS and type(b) in NUMBERS:
        return numbers.BINARY[kind](a, b)
    return _joined(kind, a, b)


def operand(x: LanguageValue, symbol: str) -> CoreValue:
    """An operand beside a tensor: numbers and tensors as they are, lists as arrays.

    Raises:
        GradcliError: it is nothing numeric.
    """
    if type(x) is Tensor:
        return x.value
    if type(x) in NUMBERS:
        return numbers.checked(x)
    if isinstance(x, list | tuple | range):
        return array(x, f"'{symbol}'")
    raise GradcliError(f"'{symbol}' joins numbers and tensors, not {describe(x)}", mend=_call_it(x))


def _call_it(x: LanguageValue) -> str | None:
    return f"call it: {x.name}(...)" if isinstance(x, FunctionValue) else None


def _joined(kind: type[ast.operator], a: LanguageValue, b: LanguageValue) -> LanguageValue:
    """`+` and `*` of lists, tuples and texts."""
    if kind is ast.Add and _kind(a) is _kind(b) and _kind(a) in (list, tuple, str):
        budget.charge(_weight(a) + _weight(b), describe(a))
        return a + b
    if kind is ast.Mult and isinstance(a, int) and _kind(b) in (list, tuple, str):
        a, b = b, a
    if kind is ast.Mult and _kind(a) in (list, tuple, str) and (isinstance(b, int) or type(b) is Tensor):
        count = max(0, b if isinstance(b, int) else as_index(b, "a repetition"))
        budget.charge(_weight(a) * count, describe(a))
        if _weight(a) * count > 1 << 40:
            raise GradcliError(f"{describe(a)} of {len(a) * count:,} elements is too long")
        return a * count
    symbol = SYMBOLS[kind]
    if kind is ast.Mod and isinstance(a, str):
        raise GradcliError("'%' does not format texts here", mend='use an f-string: f"{x:.3f}"')
    guilty = a if type(a) not in NUMBERS else b
    if all(isinstance(x, list | tuple) or type(x) in NUMBERS for x in (a, b)):
        raise GradcliError(f"'{symbol}' cannot join {describe(a)} and {describe(b)}", mend="array(...) makes a tensor")
    raise GradcliError(f"'{symbol}' cannot join {describe(a)} and {describe(b)}", mend=_call_it(guilty))


def _kind(x: LanguageValue) -> type:
    """The type of a value, where every tuple counts as one."""
    return tuple if isinstance(x, tuple) else type(x)


def _weight(x: Any) -> int:
    return len(x) * (8 if not isinstance(x, str) else 4) + 16


def augmented(kind: type[ast.operator], target: LanguageValue, value: LanguageValue) -> LanguageValue:
    """target kind= value: tensors are updated in place (0-d ones only where the program follows PyTorch)."""
    if type(target) is Tensor and (target.ndim or state.torch_semantics):
        symbol = SYMBOLS[kind]
        return calls.updated(symbol, target, operand(value, symbol))
    if isinstance(target, list) and kind is ast.Add:
        return extended(target, value)
    return binary(kind, target, value)


def extended(target: list[Any], value: LanguageValue) -> list[Any]:
    """A list with the elements of another iterable added to it, in place."""
    items = listed(value)
    budget.charge(len(items) * ELEMENT_BYTES, "a list")
    target += items
    return target


# --- unary operators -------------------------------------------------------------------------------------------------


def unary(kind: type[ast.unaryop], x: LanguageValue) -> LanguageValue:
    """kind x.

    Raises:
        GradcliError: the operator does not take such a value.
    """
    if kind is ast.Not:
        return not truth(x)
    symbol = {ast.USub: "-", ast.UAdd: "+", ast.Invert: "~"}[kind]
    if type(x) in NUMBERS:
        if kind is ast.USub:
            return numbers.checked(-x)
        return numbers.invert(x) if kind is ast.Invert else +x
    if kind is ast.UAdd and type(x) is Tensor and state.torch_semantics:
        return x
    name = symbol if kind is ast.Invert else f"unary{symbol}"
    return Tensor(OPERATORS[name](operand(x, symbol)))


# --- comparisons and truth -------------------------------------------------------------------------------------------


def compare(kind: type[ast.cmpop], a: LanguageValue, b: LanguageValue) -> LanguageValue:
    """a kind b: a bool, or a mask where a tensor is compared.

    Raises:
        GradcliError: the values have no such order.
    """
    if kind in (ast.Is, ast.IsNot):
        return (a is b) is (kind is ast.Is)
    if kind in (ast.In, ast.NotIn):
        return contains(b, a) is (kind is ast.In)
    if type(a) is Tensor or type(b) is Tensor:
        if kind in (ast.Eq, ast.NotEq) and not (_numeric(a) and _numeric(b)):
            return kind is ast.NotEq
        symbol = SYMBOLS[kind]
        return Tensor(OPERATORS[symbol](operand(a, symbol), operand(b, symbol)))
    if kind is ast.Eq:
        return equal(a, b)
    if kind is ast.NotEq:
        return not equal(a, b)
    return _ordered(kind, a, b)


def _numeric(x: LanguageValue) -> bool:
    return type(x) is Tensor or type(x) in NUMBERS or isinstance(x, list | tuple | range)


_ORDER: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Lt: lambda a, b: a < b,
    ast.LtE: lambda a, b: a <= b,
    ast.Gt: lambda a, b: a > b,
    ast.GtE: lambda a, b: a >= b,
}
_REAL = frozenset({int, float, bool})


def _ordered(kind: type[ast.cmpop], a: LanguageValue, b: LanguageValue, depth: int = 0) -> LanguageValue:
    if (type(a) in _REAL and type(b) in _REAL) or (type(a) is str and type(b) is str):
        return _ORDER[kind](a, b)
    if _kind(a) is _kind(b) and _kind(a) in (list, tuple) and depth < DEEPEST_LIST:
        for x, y in zip(a, b, strict=False):
            if not equal(x, y, depth + 1):
                if type(x) is Tensor or type(y) is Tensor:
                    return compare(kind, x, y)
                return _ordered(kind, x, y, depth + 1)
        return _ORDER[kind](len(a), len(b))
    raise GradcliError(f"'{SYMBOLS[kind]}' cannot compare {describe(a)} and {describe(b)}")


def equal(a: LanguageValue, b: LanguageValue, depth: int = 0) -> bool:
    """Whether two values are equal, element by element in lists, tuples and dicts."""
    if a is b and type(a) is not float:
        return True
    if type(a) is Tensor or type(b) is Tensor:
        return _numeric(a) and _numeric(b) and truth(compare(ast.Eq, a, b))
    if type(a) in NUMBERS and type(b) in NUMBERS:
        return bool(a == b)
    if isinstance(a, str) and isinstance(b, str):
        return a == b
    if _kind(a) is _kind(b) and isinstance(a, list | tuple | dict):
        return _equal_parts(a, b, depth)
    if isinstance(a, range) and isinstance(b, range):
        return a == b
    left, right = _dtype_of(a), _dtype_of(b)
    return left is not None and left == right


def _equal_parts(a: Any, b: Any, depth: int) -> bool:
    if depth > DEEPEST_LIST:
        raise GradcliError("the lists compared nest too deeply")
    if len(a) != len(b):
        return False
    if isinstance(a, dict):
        return all(key in b and equal(x, b[key], depth + 1) for key, x in a.items())
    return all(equal(x, y, depth + 1) for x, y in zip(a, b, strict=True))


def _dtype_of(x: LanguageValue) -> np.dtype[Any] | None:
    if isinstance(x, TypeValue):
        return x.dtype
    return x if isinstance(x, np.dtype) else None


def contains(container: LanguageValue, x: LanguageValue) -> bool:
    """x in container.

    Raises:
        GradcliError: the container is none.
    """
    if isinstance(container, str):
        if not isinstance(x, str):
            raise GradcliError(f"'in' looks for a text in a text, not for {describe(x)}")
        return x in container
    if isinstance(container, dict):
        return key_of(x) in container
    if isinstance(container, range) and type(x) in _REAL:
        return x in container
    if type(container) is Tensor:
        found = compare(ast.Eq, container, x)
        return bool(np.any(found)) if isinstance(found, bool) else truth(_method(found, "any"))
    return any(equal(item, x) for item in iterate(container, "'in'"))


def _method(x: Tensor, name: str) -> LanguageValue:
    return apply(registry.known_method(name, state.torch_semantics), [x], {})


def key_of(x: LanguageValue) -> Any:
    """A value as a key of a dict.

    Raises:
        GradcliError: it can't be one.
    """
    if type(x) in NUMBERS or isinstance(x, str) or x is None:
        return x
    if isinstance(x, tuple) and all(type(part) in NUMBERS or isinstance(part, str) for part in x):
        return x
    if type(x) is Tensor and not x.ndim:
        return as_index(x, "a key") if x.dtype.kind in "iu" else as_float(x)
    raise GradcliError(f"a key of a dict is a text, a number or a tuple of them, not {describe(x)}")


def truth(x: LanguageValue) -> bool:
    """Whether a value counts as true.

    Raises:
        GradcliError: it is a tensor of more than one element.
    """
    if x is True or x is False:
        return x
    if type(x) is Tensor:
        return tensor_truth(x)
    if type(x) in NUMBERS or isinstance(x, str | list | tuple | dict | range):
        return bool(x)
    return x is not None


# --- integers and sequences ------------------------------------------------------------------------------------------


def as_index(x: LanguageValue, what: str = "an index") -> int:
    """A value as an integer; a float of integral value may serve.

    Raises:
        GradcliError: it is nothing integral.
    """
    if isinstance(x, int):
        return int(x)
    if type(x) is Tensor:
        if x.ndim == 0 or x.value.size == 1:
            if x.dtype.kind in "iub":
                return int(as_int(x))
            x = as_float(x)
        else:
            raise GradcliError(f"{what} must be an integer, not {describe(x)}")
    if isinstance(x, float):
        if x.is_integer() and abs(x) < 2**63:
            return int(x)
        raise GradcliError(f"{what} must be an integer, not {x!r}")
    raise GradcliError(f"{what} must be an integer, not {describe(x)}")


def iterate(x: LanguageValue, what: str = "'for'") -> Iterator[LanguageValue]:
    """The elements of a value, one by one: rows of a tensor, keys of a dict.

    Raises:
        GradcliError: it has none.
    """
    if isinstance(x, list | tuple | range | str):
        return iter(x)
    if isinstance(x, Iteration):
        return x.items
    if isinstance(x, dict):
        return iter(list(x))
    if type(x) is Tensor:
        if not x.ndim:
            raise GradcliError(f"{what} cannot go through a 0-d tensor", mend="range(n) counts to n")
        return rows(x)
    raise GradcliError(f"{what} cannot go through {describe(x)}", mend=_hint_of_range(x))


def _hint_of_range(x: LanguageValue) -> str | None:
    return "range(n) counts to n" if type(x) in NUMBERS else None


def rows(x: Tensor) -> Iterator[Tensor]:
    """The parts of a tensor along its first axis."""
    if state.torch_semantics and x.requires_grad:
        return calls.rows(x)
    return (Tensor.view_of(x, _row(i)) for i in range(x.shape[0]))


def _row(i: int) -> Callable[[CoreValue], CoreValue]:
    return lambda value: OPERATORS["[]"](value, i)


def listed(x: LanguageValue, what: str = "a list") -> list[LanguageValue]:
    """The elements of a value as a new list, charged before it is made."""
    if isinstance(x, list | tuple | range | str | dict):
        budget.charge(len(x) * ELEMENT_BYTES, what)
        return list(x)
    found = []
    for item in iterate(x, what):
        found.append(item)
        if not len(found) & 1023:
            budget.charge(1024 * ELEMENT_BYTES, what)
    return found


def number(x: LanguageValue, what: str) -> float | int:
    """A value as a Python number, for control flow and formatting.

    Raises:
        ArgumentError: it is none.
    """
    if type(x) in _REAL:
        return x  # type: ignore[no-any-return]
    if type(x) is Tensor and x.value.size == 1:
        return int(as_int(x)) if x.dtype.kind in "iu" else as_float(x)
    raise ArgumentError(f"{what} takes a number, not {describe(x)}")
