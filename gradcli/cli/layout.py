"""How arrays look on a terminal: a heading with dtype and shape, aligned numbers, long arrays shortened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.text import Text

from gradcli.cli.short import described, numbers
from gradcli.language.diagnostics import escaped

if TYPE_CHECKING:
    from rich.console import Console


def show_arrays(console: Console, arrays: Sequence[tuple[str, Any]]) -> None:
    """Print named arrays, one under the other."""
    shortened = 0
    width = max((len(name) for name, value in arrays if _is_short(value)), default=0)
    for place, (name, value) in enumerate(arrays):
        if _is_short(value):
            console.print(_short(name, value, width))
            continue
        if place:
            console.print()
        array = np.asarray(value)
        text, is_whole = numbers(array, max(20, console.width - 2))
        console.print(Text.assemble((escaped(name), "bold cyan"), "  ", (described(array), "dim")))
        console.print(_marked(Text("\n".join(f"  {line}" if line else "" for line in text.split("\n")))))
        shortened = max(shortened, 0 if is_whole else array.size)
    if shortened:
        console.print(Text(f"\nshortened from {shortened:,} numbers; a pipe, --format or -o gives all", style="dim"))


def _is_short(value: Any) -> bool:
    return isinstance(value, str) or np.ndim(value) == 0


def _short(name: str, value: Any, width: int) -> Text:
    """A number beside its name."""
    text = escaped(value) if isinstance(value, str) else _digits(np.asarray(value))
    return _marked(Text.assemble((escaped(name).ljust(width), "bold cyan"), "  ", text))


def _digits(array: np.ndarray[Any, Any]) -> str:
    from gradcli.files.text import text_of

    return text_of(array).strip()


def _marked(text: Text) -> Text:
    text.highlight_regex(r"\b(?:nan|inf)\b", "bold red")
    return text
