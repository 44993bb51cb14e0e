"""Values as text: what `print`, `str` and f-strings show."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.budget import budget
from gradcli.graph.errors import GradcliError
from gradcli.graph.state import state
from gradcli.language.numbers import NUMBERS
from gradcli.language.operations import number
from gradcli.language.values import DEEPEST_LIST, FunctionValue, LanguageValue, ModuleValue, describe
from gradcli.tensor import Tensor

#: Largest width and precision of a format spec.
WIDEST = 1_000


def text_of(x: LanguageValue) -> str:
    """A value as `print` shows it."""
    return x if isinstance(x, str) else represent(x)


def represent(x: LanguageValue) -> str:
    """A value as it is shown inside a list: texts with their quotes."""
    pieces: list[str] = []
    _represent(x, pieces, 0)
    return "".join(pieces)


def _represent(x: LanguageValue, pieces: list[str], depth: int) -> None:
    if not len(pieces) & 1023:
        budget.charge(1024 * 16, "a text")
    if isinstance(x, list | tuple | dict):
        if depth > DEEPEST_LIST:
            pieces.append("...")
        elif isinstance(x, dict):
            _represent_dict(x, pieces, depth)
        else:
            _represent_items(x, pieces, depth)
    else:
        pieces.append(_one(x))


def _represent_items(x: list[Any] | tuple[Any, ...], pieces: list[str], depth: int) -> None:
    pieces.append("[" if isinstance(x, list) else "(")
    for i, part in enumerate(x):
        if i:
            pieces.append(", ")
        _represent(part, pieces, depth + 1)
    pieces.append("]" if isinstance(x, list) else ",)" if len(x) == 1 else ")")


def _represent_dict(x: dict[Any, Any], pieces: list[str], depth: int) -> None:
    pieces.append("{")
    for i, (key, part) in enumerate(x.items()):
        if i:
            pieces.append(", ")
        _represent(key, pieces, depth + 1)
        pieces.append(": ")
        _represent(part, pieces, depth + 1)
    pieces.append("}")


def _one(x: LanguageValue) -> str:
    if x is None or isinstance(x, str | range) or type(x) in NUMBERS:
        return repr(x)
    if type(x) is Tensor:
        return str(x)
    if isinstance(x, np.dtype):
        return f"torch.{x}" if state.torch_semantics else str(x)
    if isinstance(x, FunctionValue):
        return f"<function {x.name}>"
    if isinstance(x, ModuleValue):
        return f"<module '{x.path}'>"
    return f"<{describe(x).split(' ', 1)[-1]}>"


def formatted(x: LanguageValue, spec: str, conversion: str | None) -> str:
    """A value in an f-string: `{x!conversion:spec}`.

    Raises:
        GradcliError: the spec is no plain one, too wide, or not for such a value.
    """
    if conversion is not None:
        x = represent(x) if conversion in "ra" else text_of(x)
        x = ascii(x)[1:-1] if conversion == "a" else x
    if not spec:
        return text_of(x)
    check_spec(spec)
    if not isinstance(x, str) and type(x) not in NUMBERS:
        x = number(x, f"the format '{spec}'")
    try:
        return format(x, spec)
    except (ValueError, OverflowError):
        raise GradcliError(f"the format '{spec}' is not for {describe(x)}") from None


def check_spec(spec: str) -> None:
    """See that a format spec is a plain one: fill, alignment, sign, width, grouping, precision, type.

    Raises:
        GradcliError: it is another, or its width or precision is above `WIDEST`.
    """
    import re

    pattern = r"(?s)(?:.?[<>=^])?[-+ ]?z?#?0?(?P<width>[0-9]*)[,_]?(?:\.(?P<precision>[0-9]+))?[bdeEfFgGosxX%]?"
    match = re.fullmatch(pattern, spec) if len(spec) <= 64 else None
    if match is None:
        raise GradcliError(f"'{spec[:40]}' is no format", mend="a format is like .3f, 8.2e or >10")
    for part in ("width", "precision"):
        digits = match[part]
        if digits and (len(digits) > 9 or int(digits) > WIDEST):
            raise GradcliError(f"the {part} of a format is at most {WIDEST}, not {digits[:12]}")
