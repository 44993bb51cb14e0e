"""Branches of the program itself (`if x > 0`) that were decided exactly on their boundary."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from mpmath import libmp
from mpmath.libmp import fone, fzero

from gradcli.graph.errors import GradcliError
from gradcli.graph.node import Node
from gradcli.graph.recording import Recording
from gradcli.graph.values import CoreValue, concrete
from gradcli.symbolic.evaluate import Evaluation
from gradcli.symbolic.functions import UNDEFINED, Raw
from gradcli.symbolic.kinks import Sides
from gradcli.symbolic.lowering import is_kinked, lower
from gradcli.symbolic.scalars import Scalar, Unprovable

#: How many input elements are looked at beside a boundary.
_LOOKED_AT = 32


class Branch:
    """A branch on a boundary.

    Attributes:
        span: where it stands.
        elements: (input, flat index) of the elements that can move it off the boundary.
    """

    def __init__(self, span: Any, elements: set[tuple[str, int]]) -> None:
        self.span = span
        self.elements = elements

    def unseen(self, inputs: Mapping[str, Node]) -> dict[str, Any]:
        """A report's entry that says no more than that there is a boundary."""
        from gradcli.symbolic.oracle import place_of

        name, index = min(self.elements)
        return {
            "op": "branch",
            "where": place_of(self.span),
            "input": name,
            "index": [int(n) for n in np.unravel_index(index, inputs[name].shape)],
            "left": None,
            "right": None,
            "chosen": None,
            "ok": None,
        }


def found(recording: Recording, outputs: Sequence[CoreValue], inputs: Mapping[str, Node]) -> list[Branch]:
    """The branches of a run that were decided exactly on their boundary."""
    made = []
    for guard in recording.guards:
        if not _on_boundary(guard.node):
            continue
        elements = _elements(guard.node, inputs)
        if elements:
            made.append(Branch(guard.span, elements))
    return made


def _on_boundary(node: Node) -> bool:
    """Whether the truth of a node hangs on a comparison of equals."""
    pending, seen = [node], set()
    while pending:
        here = pending.pop()
        if id(here) in seen:
            continue
        seen.add(id(here))
        if here.dtype.kind == "b" and is_kinked(here):
            return True
        pending.extend(x for x in here.inputs if isinstance(x, Node) and x.dtype.kind == "b")
    return False


def _elements(node: Node, inputs: Mapping[str, Node]) -> set[tuple[str, int]]:
    try:
        lowered = lower([node], inputs, live=True, limit=200_000)
    except (Unprovable, GradcliError):
        return set()
    graph = lowered.graph
    reached = bytearray(len(graph))
    for x in lowered.outputs[0].ravel():
        if isinstance(x, Scalar):
            reached[x.index] = 1
    for index in range(len(graph) - 1, -1, -1):
        if reached[index]:
            for a in graph.arguments[index]:
                reached[a] = 1
    return {label for index, label in graph.labels.items() if reached[index]}


def sides(
    rerun: Callable[..., Any],
    task: Any,
    affected: Sequence[tuple[str, int]],
    digits: int,
    matrix_of: Callable[..., Any],
) -> dict[tuple[int, str, int], Sides]:
    """One-sided derivatives by (row, input, flat index), each from a run of the program a float beside the boundary."""
    made: dict[tuple[int, str, int], Sides] = {}
    for name, place in affected[:_LOOKED_AT]:
        left, right = (_beside(rerun, task, name, place, sign, digits, matrix_of) for sign in (-1, 1))
        for r in left.keys() | right.keys():
            made[r, name, place] = Sides(left.get(r, UNDEFINED), right.get(r, UNDEFINED))
    return made


def _beside(
    rerun: Callable[..., Any], task: Any, name: str, place: int, sign: int, digits: int, matrix_of: Callable[..., Any]
) -> dict[int, Raw]:
    """Derivatives by one element on one side; none where the program can't be run there."""
    values = {key: np.array(concrete(node.value)) for key, node in task.inputs.items()}
    flat = values[name].reshape(-1)
    here = flat[place]
    flat[place] = np.nextafter(here, here.dtype.type(sign * np.inf))
    try:
        _, outputs, inputs = rerun(values)
        kept = {key: inputs[key] for key in task.inputs}
        lowered = lower(outputs, kept)
        matrix, _ = matrix_of(lowered, task, digits)
    except (GradcliError, Unprovable):
        return {}
    graph = lowered.graph
    column = next(c for c in matrix.columns if graph.labels[c] == (name, place))
    x = libmp.from_float(float(here))
    step = libmp.mpf_div(fone if x == fzero else libmp.mpf_abs(x), libmp.from_int(sign * 10**40), 30, "n")
    precision = matrix.bits + 500
    beside = Evaluation(graph, matrix.steps, precision, inputs={column: libmp.mpf_add(x, step)})
    return {r: matrix.row_at(r, beside).get(column, fzero) for r in range(len(matrix.rows))}
