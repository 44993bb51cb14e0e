"""The tensor graph as a tree of lines: results at the root, inputs at the tips."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gradcli.cli.graph import Drawing, Vertex
from gradcli.cli.short import described, summary

if TYPE_CHECKING:
    from rich.console import Console

DEEPEST = 24
"""A branch that goes deeper continues as a tree of its own."""


NUMBERED = -1
"""Instead of a count of uses: this node is drawn further down, under its number."""


class Line(NamedTuple):
    """One line, in parts that a terminal shows differently."""

    branch: str
    name: str
    form: str = ""
    value: str = ""
    gradient: str = ""


def text_tree(drawing: Drawing) -> str:
    """The tree in plain text."""
    return "".join(_joined(line) for line in lines(drawing))


def show_tree(console: Console, drawing: Drawing) -> None:
    """The tree on a terminal."""
    from rich.text import Text

    for line in lines(drawing):
        parts: list[Any] = [(line.branch, "dim"), (line.name, "bold cyan")]
        parts += [("  " + line.form, "dim")] if line.form else []
        parts += ["  " + line.value] if line.value else []
        parts += [("  grad " + line.gradient, "green")] if line.gradient else []
        console.print(Text.assemble(*parts), no_wrap=True, overflow="ellipsis")


def _joined(line: Line) -> str:
    parts = [line.name, line.form, line.value, line.gradient and f"grad {line.gradient}"]
    return line.branch + "  ".join(part for part in parts if part) + "\n"


def lines(drawing: Drawing) -> Iterator[Line]:
    """The lines of every result's tree.

    A node that is used more than once is numbered where it is drawn and referred to elsewhere.
    """
    uses = _uses(drawing)
    drawn: set[int] = set()
    continued: list[int] = []
    for name, end in drawing.results:
        first, *others = _walk(drawing, end, uses, drawn, continued)
        yield first if len(drawing.results) == 1 and name == "value" else first._replace(name=f"{name} = {first.name}")
        yield from others
    while continued:
        yield Line("", "")
        yield from _walk(drawing, continued.pop(0), uses, drawn, continued)


def _walk(
    drawing: Drawing,
    root: int | np.ndarray[Any, Any],
    uses: dict[int, int],
    drawn: set[int],
    continued: list[int],
) -> Iterator[Line]:
    """The lines under one root; nodes too deep for it go to `continued`. Without recursion."""
    waiting: list[tuple[int | np.ndarray[Any, Any], str, str, int]] = [(root, "", "", 0)]
    while waiting:
        end, branch, under, depth = waiting.pop()
        if not isinstance(end, int):
            yield Line(branch, summary(end))
            continue
        vertex = drawing.vertices[end]
        if end in drawn and not vertex.is_input:
            yield Line(branch, f"%{end}")
            continue
        if depth >= DEEPEST and vertex.operands:
            if uses[end] >= 0:
                continued.append(end)
            uses[end] = NUMBERED
            yield Line(branch, f"%{end}", "continues below")
            continue
        drawn.add(end)
        yield _line(vertex, branch, uses[end] > 1 or uses[end] == NUMBERED)
        last = len(vertex.operands) - 1
        for place in range(last, -1, -1):
            turn, below = ("└─ ", "   ") if place == last else ("├─ ", "│  ")
            waiting.append((vertex.operands[place], under + turn, under + below, depth + 1))


def _line(vertex: Vertex, branch: str, numbered: bool) -> Line:
    name = f"%{vertex.id} {vertex.label}" if numbered and not vertex.is_input else vertex.label
    form = "" if vertex.value is None else described(vertex.value)
    value = "" if vertex.value is None else summary(vertex.value)
    return Line(branch, name, form, value, "" if vertex.gradient is None else summary(vertex.gradient))


def _uses(drawing: Drawing) -> dict[int, int]:
    """How often each node is an operand or a result."""
    uses = dict.fromkeys(drawing.vertices, 0)
    ends = [operand for vertex in drawing.vertices.values() for operand in vertex.operands]
    for end in (*ends, *(end for _, end in drawing.results)):
        if isinstance(end, int):
            uses[end] += 1
    return uses
