"""The graph that a script's tape holds, drawn with PyTorch's node names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from gradcli.autodiff.reverse import TAPE, sweep
from gradcli.cli.derivatives import expect_scalars
from gradcli.cli.graph import Drawing, Vertex
from gradcli.graph.errors import GradcliError
from gradcli.graph.node import PICK, Node
from gradcli.graph.values import Array, concrete
from gradcli.language.results import Result
from gradcli.tensor import Tensor
from gradcli.tensor.grad_fn import GradFn, grad_fn_of


def tape_drawing(result: Result, with_gradient: bool) -> Drawing | None:
    """What the tape holds of a run's results; where it holds none of them, of the variables that no other depends on.

    None where the tape holds nothing.

    Raises:
        GradcliError: a gradient is asked of several results, or of one that is no scalar.
    """
    ends = _results(result) or _last_variables(result.variables)
    if not ends:
        return None
    gradients = _gradients(ends, result.span) if with_gradient else {}
    return _Drawer(result.variables, gradients).draw(ends)


def _results(result: Result) -> dict[str, Node]:
    found: dict[str, Node] = {}
    for place, (output, name) in enumerate(zip(result.outputs, result.names, strict=True)):
        if isinstance(output, Tensor) and output.node is not None:
            found[name or ("value" if len(result.outputs) == 1 else str(place))] = output.node
    return found


def _last_variables(variables: Mapping[str, Any]) -> dict[str, Node]:
    """The variables with a history that is part of no other variable's."""
    held = {name: x.node for name, x in variables.items() if isinstance(x, Tensor) and x.grad_fn is not None}
    found = {name: node for name, node in held.items() if node is not None}
    inner = {x for node in found.values() for x in _below(node)}
    return {name: node for name, node in found.items() if node not in inner}


def _below(node: Node) -> set[Node]:
    """The nodes that a node depends on, without itself."""
    seen: set[Node] = set()
    waiting = [node]
    while waiting:
        for x in waiting.pop().inputs:
            if isinstance(x, Node) and x.level is TAPE and x not in seen:
                seen.add(x)
                waiting.append(x)
    return seen


def _gradients(ends: Mapping[str, Node], span: Any) -> dict[Node, Array]:
    if len(ends) > 1:
        raise GradcliError(f"--grad needs one result, and there are {len(ends)}", mend="name one with --of")
    (end,) = ends.values()
    expect_scalars("graph --grad", [concrete(end)], span)
    found = sweep(TAPE, [(end, np.ones((), dtype=end.dtype))], keep_all=True)
    return {node: concrete(g) for node, g in found.items() if not isinstance(g, tuple)}


class _Drawer:
    """Numbers the nodes in order of execution; goes through them without recursion."""

    def __init__(self, variables: Mapping[str, Any], gradients: Mapping[Node, Array]) -> None:
        self._names = {id(x): name for name, x in reversed(list(variables.items())) if isinstance(x, Tensor)}
        self._gradients = gradients
        self._numbers: dict[tuple[int, int], int] = {}
        self._shown: list[GradFn] = []
        self._vertices: dict[int, Vertex] = {}

    def draw(self, ends: Mapping[str, Node]) -> Drawing:
        """The drawing of what these nodes depend on."""
        results = []
        for name, node in ends.items():
            root = grad_fn_of(node.inputs[0] if node.op is PICK else node)
            self._visit(root)
            results.append((name, self._numbers[root.identity]))
        return Drawing(self._vertices, tuple(results))

    def _visit(self, root: GradFn) -> None:
        waiting = [(root, False)]
        while waiting:
            shown, done = waiting.pop()
            if shown.identity in self._numbers:
                continue
            self._shown.append(shown)
            following = [fn for fn, _ in shown.next_functions if fn is not None]
            if done:
                self._numbers[shown.identity] = number = len(self._numbers)
                operands = tuple(self._numbers[fn.identity] for fn in following)
                self._vertices[number] = self._vertex(number, shown, operands)
            else:
                waiting += [(shown, True), *((fn, False) for fn in reversed(following))]

    def _vertex(self, number: int, shown: GradFn, operands: tuple[int, ...]) -> Vertex:
        node = shown.node
        leaf = shown.variable
        if leaf is not None or node.op is None:
            name = self._names.get(id(leaf), "AccumulateGrad")
            return Vertex(number, name, "input", (), concrete(node), self._gradients.get(node), None, None)
        whole = grad_fn_of(node) is shown
        value = concrete(node) if whole and _has_value(node) else None
        gradient = self._gradients.get(node) if whole else None
        line, column = (node.span.line, node.span.column) if node.span is not None else (None, None)
        return Vertex(number, shown.title, shown.title, operands, value, gradient, line, column)


def _has_value(node: Node) -> bool:
    """Whether there is one value, and it was not given up after a backward pass."""
    return isinstance(node.value, np.ndarray | np.generic | Node)
