"""Values as text: what `print`, `str` and f-strings show."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradcli.graph.budget import budget
from gradcli.graph.errors import GradcliError
from gradcli.graph.state import state
from gradcli.language.numbers import NUMBERS
from gradcli.language.objects import ObjectValue
from gradcli.language.operations import number
from gradcli.language.values import (
    DEEPEST_LIST,
    FunctionValue,
    LanguageValue,
    ModuleValue,
    Size,
    TypeValue,
    describe,
)
from gradcli.ops.results import Results
from gradcli.tensor import Tensor
from gradcli.tensor.grad_fn import GradFn
from gradcli.tensor.numbers import item
from gradcli.tensor.printing import representation_of

#: Largest width and precision of a format spec.
WIDEST = 1_000


def text_of(x: LanguageValue) -> str:
    """A value as `print` shows it."""
    if isinstance(x, str):
        return x
    return str(x) if type(x) is Tensor else represent(x)


def represent(x: LanguageValue) -> str:
    """A value as it is shown inside a list: texts with their quotes."""
    pieces: list[str] = []
    _represent(x, pieces, 0)
    return "".join(pieces)


#: Columns that a notebook shows a value in.
_DISPLAY_WIDTH = 79


def displayed(x: LanguageValue) -> str:
    """A value as a notebook shows it: a list, tuple or dict of more than a line has a line for each part."""
    return _displayed(x, 0, 0, 0)


def _displayed(x: LanguageValue, indent: int, behind: int, depth: int) -> str:
    """A value that begins in column `indent` and has `behind` columns to come after its last line."""
    text = represent(x)
    plain = isinstance(x, list | tuple | dict) and x and not isinstance(x, Size | Results)
    if not plain or depth > DEEPEST_LIST or ("\n" not in text and indent + len(text) + behind <= _DISPLAY_WIDTH):
        return text.replace("\n", "\n" + " " * indent)
    opening, closing = ("{", "}") if isinstance(x, dict) else ("[", "]") if isinstance(x, list) else ("(", ")")
    if isinstance(x, dict):
        heads, parts = [represent(key) + ": " for key in x], list(x.values())
    else:
        heads, parts = [""] * len(x), list(x)
    column = indent + 1
    pieces = [
        head + _displayed(part, column + len(head), 1, depth + 1) for head, part in zip(heads, parts, strict=True)
    ]
    tail = "," if isinstance(x, tuple) and len(x) == 1 else ""
    return opening + (",\n" + " " * column).join(pieces) + tail + closing


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
    if isinstance(x, Size):
        pieces.append(repr(x))
        return
    if isinstance(x, Results):
        _represent_results(x, pieces, depth)
        return
    pieces.append("[" if isinstance(x, list) else "(")
    for i, part in enumerate(x):
        if i:
            pieces.append(", ")
        _represent(part, pieces, depth + 1)
    pieces.append("]" if isinstance(x, list) else ",)" if len(x) == 1 else ")")


def _represent_results(x: Results, pieces: list[str], depth: int) -> None:
    """Each result on a line of its own, with its name."""
    pieces.append(x.title)
    for i, (field, part) in enumerate(zip(x.fields, x, strict=True)):
        pieces.append(f"{',' if i else '('}\n{field}=")
        _represent(part, pieces, depth + 1)
    pieces.append(")")


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
        return representation_of(x)
    if isinstance(x, np.dtype):
        return f"torch.{x}" if state.torch_semantics else str(x)
    if isinstance(x, TypeValue):
        return _type_text(x)
    if isinstance(x, GradFn):
        return repr(x)
    if isinstance(x, ObjectValue):
        return x.text()
    if isinstance(x, FunctionValue):
        return f"<function {x.name}>"
    if isinstance(x, ModuleValue):
        return f"<module '{x.path}'>"
    return f"<{describe(x).split(' ', 1)[-1]}>"


def _type_text(x: TypeValue) -> str:
    if x.name.startswith("torch.") and x.dtype is not None:
        return x.name
    is_tensor = x.name.endswith("Tensor")
    return f"<class '{'torch.' if is_tensor else ''}{x.name}'>"


def formatted(x: LanguageValue, spec: str, conversion: str | None) -> str:
    """A value in an f-string: `{x!conversion:spec}`.

    Raises:
        GradcliError: the spec is no plain one, too wide, or not for such a value.
    """
    if conversion is not None:
        x = represent(x) if conversion in "ra" else text_of(x)
        x = ascii(x)[1:-1] if conversion == "a" else x
    if not spec:
        return text_of(item(x) if type(x) is Tensor and not x.ndim else x)
    check_spec(spec)
    if type(x) is Tensor:
        if x.ndim:
            raise GradcliError("unsupported format string passed to Tensor.__format__", mend="format x.item()")
        x = item(x)
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
