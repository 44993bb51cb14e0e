"""`gradcli graph`: the tensor graph of a program, as a tree, DOT, Mermaid or JSON."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

import numpy as np

from gradcli.autodiff.levels import opened
from gradcli.autodiff.reverse import ReverseLevel, sweep
from gradcli.cli.derivatives import expect_scalars
from gradcli.cli.evaluate import output_names
from gradcli.cli.output import send_text, terminal, wants_layout
from gradcli.cli.session import Session, open_session
from gradcli.cli.words import Invocation, UsageError
from gradcli.files.json_text import json_line
from gradcli.graph.errors import GradcliError
from gradcli.graph.node import Node
from gradcli.graph.recording import REGION_OUTPUT, Recording
from gradcli.graph.values import Array, CoreValue, concrete, is_inexact

SUFFIXES = {".dot": "dot", ".gv": "dot", ".mmd": "mermaid", ".mermaid": "mermaid", ".json": "json"}


class Vertex(NamedTuple):
    """One node of the drawing.

    Attributes:
        id: its number, by order of execution.
        label: the op with its parameters, or an input's name.
        op: the op's name; "input" for an input.
        operands: vertices by number, and constants as arrays.
        value: what it came to; None for an op of several results.
        gradient: the derivative of the result by it, where asked for and where there is one.
        line: where in the source it was called.
        column: likewise.
    """

    id: int
    label: str
    op: str
    operands: tuple[int | Array, ...]
    value: Array | None
    gradient: Array | None
    line: int | None
    column: int | None

    @property
    def is_input(self) -> bool:
        """Whether it is an input of the program."""
        return self.op == "input"


class Drawing(NamedTuple):
    """What is to be drawn: vertices by number, in order of execution, and the results with their names."""

    vertices: dict[int, Vertex]
    results: tuple[tuple[str, int | Array], ...]


def run(invocation: Invocation) -> int:
    """Run the program and draw what ran."""
    session = open_session(invocation)
    drawing = _drawn(session, invocation.values["grad"])
    form = invocation.values["format"] or _by_suffix(invocation)
    if form == "text" and wants_layout(invocation):
        from gradcli.cli.tree import show_tree

        show_tree(terminal(invocation), drawing)
    else:
        send_text(invocation, encoded(drawing, form), form)
    return 0


def _drawn(session: Session, with_gradient: bool) -> Drawing:
    """What the tape of a program that follows PyTorch holds, if it holds anything; else all that ran."""
    if not session.program.imports_torch:
        return draw(session, with_gradient)
    from gradcli.cli.tape_graph import tape_drawing

    result = session.program.run(session.values(), options=session.options)
    # What it printed, it has printed.
    silent = session._replace(options=session.options._replace(print_to=lambda text: None))
    return tape_drawing(result, with_gradient) or draw(silent, with_gradient)


def _by_suffix(invocation: Invocation) -> str:
    suffix = os.path.splitext(invocation.values["output"] or "")[1].lower()
    if suffix in (".npy", ".npz", ".csv"):
        raise UsageError(
            f"graph gives text, dot, mermaid or json, not {suffix[1:]}",
            place=invocation.given["output"][0].place,
        )
    return SUFFIXES.get(suffix, "text")


def encoded(drawing: Drawing, form: str) -> str:
    """The drawing as text, dot, mermaid or json."""
    if form == "json":
        return json_line(document(drawing))
    if form == "text":
        from gradcli.cli.tree import text_tree

        return text_tree(drawing)
    from gradcli.cli.diagrams import dot, mermaid

    return dot(drawing) if form == "dot" else mermaid(drawing)


def document(drawing: Drawing) -> dict[str, Any]:
    """The drawing for JSON: nodes in order of execution, and the results."""
    return {
        "nodes": [_node_document(vertex) for vertex in drawing.vertices.values()],
        "results": [{"name": name, **_operand_document(end)} for name, end in drawing.results],
    }


def _node_document(vertex: Vertex) -> dict[str, Any]:
    found: dict[str, Any] = {
        "id": vertex.id,
        "op": vertex.op,
        "label": vertex.label,
        "inputs": [_operand_document(operand) for operand in vertex.operands],
    }
    if vertex.value is not None:
        found |= {
            "shape": list(vertex.value.shape),
            "dtype": str(vertex.value.dtype),
            "value": vertex.value,
        }
    if vertex.gradient is not None:
        found["grad"] = vertex.gradient
    if vertex.line is not None:
        found |= {"line": vertex.line, "column": vertex.column}
    return found


def _operand_document(operand: int | Array) -> dict[str, Any]:
    return {"node": operand} if isinstance(operand, int) else {"constant": operand}


# From a run to a drawing


def draw(session: Session, with_gradient: bool) -> Drawing:
    """Run the program under a recording, over a level that can be swept back where gradients are wanted.

    Raises:
        GradcliError: the program is at fault, or a gradient is asked of what has none.
    """
    values = session.values()
    with opened(ReverseLevel) as level:
        below = {name: _leaf(level, value) if with_gradient else value for name, value in values.items()}
        with Recording() as recording:
            inputs = {name: recording.input(name, value) for name, value in below.items()}
            result = session.program.run(inputs, options=session.options)
            ends = result.cores()
        gradients = _gradients(level, recording, ends, result.span) if with_gradient else {}
    names = output_names(result.names, len(ends))
    return _drawing(recording, list(zip(names, ends, strict=True)), gradients)


def _leaf(level: ReverseLevel, value: Array) -> CoreValue:
    return level.leaf(value) if is_inexact(value) else value


def _gradients(level: ReverseLevel, recording: Recording, ends: tuple[CoreValue, ...], span: Any) -> dict[Node, Array]:
    """The derivative of the one scalar result by every recorded node that it depends on."""
    if len(ends) > 1:
        raise GradcliError(f"--grad needs one result, and there are {len(ends)}", mend="name one with --of")
    expect_scalars("graph --grad", [concrete(ends[0])], span)
    end = recording.inner(ends[0])
    if not isinstance(end, Node):
        return {}
    cotangents = sweep(level, [(end, np.ones((), dtype=end.dtype))], keep_all=True)
    return {
        node: concrete(cotangents[node.value])
        for node in recording.nodes
        if isinstance(node.value, Node) and node.value in cotangents and node.value.value is not None
        if not isinstance(cotangents[node.value], tuple)
    }


def _drawing(recording: Recording, ends: list[tuple[str, CoreValue]], gradients: dict[Node, Array]) -> Drawing:
    """The nodes that the results depend on, numbered."""
    wanted: set[Node] = set()
    waiting = [end for _, end in ends if isinstance(end, Node)]
    while waiting:
        node = waiting.pop()
        if node not in wanted:
            wanted.add(node)
            waiting += [x for x in node.inputs if isinstance(x, Node)]
    numbers = {node: place for place, node in enumerate(n for n in recording.nodes if n in wanted)}

    def operand(x: CoreValue) -> int | Array:
        return numbers[x] if isinstance(x, Node) and x in numbers else concrete(x)

    vertices = {
        number: _vertex(number, node, tuple(operand(x) for x in node.inputs), gradients.get(node))
        for node, number in numbers.items()
    }
    return Drawing(vertices, tuple((name, operand(end)) for name, end in ends))


def _vertex(number: int, node: Node, operands: tuple[int | Array, ...], gradient: Array | None) -> Vertex:
    if node.op is None:
        name = str(node.params.get("name", "input"))
        return Vertex(number, name, "input", operands, concrete(node), gradient, None, None)
    value = None if isinstance(node.value, tuple) else concrete(node)
    op = node.params["region"].kind if node.op is REGION_OUTPUT else node.op.name
    line, column = (node.span.line, node.span.column) if node.span is not None else (None, None)
    return Vertex(number, op + _parameters(node), op, operands, value, gradient, line, column)


def _parameters(node: Node) -> str:
    """The parameters that say something, in short: `(axis=0)`."""
    if node.op is REGION_OUTPUT:
        return ""
    shown = [
        f"{name}={_short(value)}" for name, value in node.params.items() if value is not None and value is not False
    ]
    return f"({', '.join(shown)})" if shown else ""


def _short(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 40 else text[:37] + "..."
