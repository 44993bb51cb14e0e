"""Jupyter notebooks as programs: the code cells, one after another."""

from __future__ import annotations

from typing import Any

from gradcli.graph.errors import GradcliError
from gradcli.language.source import decoded


def cells_of(name: str, data: bytes) -> list[str]:
    """The texts of a notebook's code cells; lines for the notebook's shell (`%`, `!`) become comments.

    Raises:
        GradcliError: the bytes are no notebook.
    """
    import json

    try:
        notebook = json.loads(decoded(name, data))
        cells = notebook["cells"]
        return [_text(cell) for cell in cells if cell["cell_type"] == "code"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise GradcliError(f"{name} is not a notebook", mend="a notebook is JSON with a list of 'cells'") from None


def _text(cell: Any) -> str:
    source = cell["source"]
    text = source if isinstance(source, str) else "".join(source)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return "\n".join("# " + line if line.lstrip()[:1] in ("%", "!") else line for line in text.split("\n"))
