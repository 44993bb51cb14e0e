"""The tensor graph for other tools: Graphviz DOT and Mermaid."""

from __future__ import annotations

from gradcli.cli.graph import Drawing, Vertex
from gradcli.cli.short import described, summary
from gradcli.language.diagnostics import escaped


def dot(drawing: Drawing) -> str:
    """The graph in Graphviz's language; edges run from operands to results."""
    lines = ["digraph gradcli {", '  rankdir="TB";', '  node [shape="box", fontname="monospace"];']
    for vertex in drawing.vertices.values():
        shape = ', shape="ellipse"' if vertex.is_input else ""
        lines.append(f"  n{vertex.id} [label={_dot_text(_label(vertex))}{shape}];")
    for source, target, label in _edges(drawing):
        if label is not None:
            lines.append(f'  {source} [label={_dot_text([label])}, shape="plaintext"];')
        lines.append(f"  {source} -> {target};")
    for place, (name, end) in enumerate(drawing.results):
        lines.append(f'  r{place} [label={_dot_text([name])}, shape="plaintext"];')
        if isinstance(end, int):
            lines.append(f"  n{end} -> r{place};")
    return "\n".join([*lines, "}"]) + "\n"


def mermaid(drawing: Drawing) -> str:
    """The graph in Mermaid's language."""
    lines = ["flowchart TB"]
    for vertex in drawing.vertices.values():
        opening, closing = ('(["', '"])') if vertex.is_input else ('["', '"]')
        lines.append(f"  n{vertex.id}{opening}{_mermaid_text(_label(vertex))}{closing}")
    for source, target, label in _edges(drawing):
        node = f'{source}["{_mermaid_text([label])}"]' if label is not None else source
        lines.append(f"  {node} --> {target}")
    for place, (name, end) in enumerate(drawing.results):
        node = f'r{place}["{_mermaid_text([name])}"]'
        lines.append(f"  n{end} --> {node}" if isinstance(end, int) else f"  {node}")
    return "\n".join(lines) + "\n"


def _edges(drawing: Drawing) -> list[tuple[str, str, str | None]]:
    """From, to, and the text of a constant that is drawn as a node of its own."""
    found: list[tuple[str, str, str | None]] = []
    for vertex in drawing.vertices.values():
        for place, operand in enumerate(vertex.operands):
            if isinstance(operand, int):
                found.append((f"n{operand}", f"n{vertex.id}", None))
            else:
                found.append((f"c{vertex.id}_{place}", f"n{vertex.id}", summary(operand)))
    return found


def _label(vertex: Vertex) -> list[str]:
    lines = [vertex.label]
    if vertex.value is not None:
        lines += [described(vertex.value), summary(vertex.value)]
    if vertex.gradient is not None:
        lines.append(f"grad {summary(vertex.gradient)}")
    return lines


def _dot_text(lines: list[str]) -> str:
    r"""A quoted DOT string: lines end in `\n`, quotes and backslashes are escaped."""
    plain = [escaped(line).replace("\\", "\\\\").replace('"', '\\"') for line in lines]
    return '"' + "\\n".join(plain) + '"'


def _mermaid_text(lines: list[str]) -> str:
    """Text inside a quoted Mermaid label, where everything that could end it or be markup is an entity."""
    return "<br/>".join(
        "".join(c if c.isalnum() or c in " _.,()=+-*:" else f"#{ord(c)};" for c in escaped(line)) for line in lines
    )
