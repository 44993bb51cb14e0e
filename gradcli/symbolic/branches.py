"""Choices of the program itself (`if x > 0`, the order of a sort) that were made exactly on their boundary."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from mpmath import libmp
from mpmath.libmp import fzero

from gradcli.graph.errors import GradcliError
from gradcli.graph.node import Node
from gradcli.graph.recording import Recording
from gradcli.graph.values import CoreValue, concrete
from gradcli.symbolic.companions import Families
from gradcli.symbolic.derivatives import Matrix
from gradcli.symbolic.evaluate import Evaluation
from gradcli.symbolic.functions import UNDEFINED, Raw
from gradcli.symbolic.kinks import FINER_PLACES, PLACES, Sides, enough_orders, limit, orders, step_from
from gradcli.symbolic.lowering import is_kinked, lower, needed_nodes
from gradcli.symbolic.scalars import Graph, Scalar, Unprovable
from gradcli.symbolic.task import Task, question

#: What a branch of the program's own is called among the ops that choose.
BRANCH = "branch"
#: How many input elements are looked at beside a boundary.
LOOKED_AT = 64
#: How far an element is moved, in spacings of its dtype, until the program decides otherwise.
_ULPS = (1, 1 << 6, 1 << 12, 1 << 20)


class Branch:
    """A branch on a boundary.

    Attributes:
        span: where it stands.
        elements: (input, flat index) of the elements that can move it off the boundary.
        op: "branch", or the op that chose among equals.
    """

    def __init__(self, span: Any, elements: set[tuple[str, int]], op: str = BRANCH) -> None:
        self.span = span
        self.elements = elements
        self.op = op


def found(
    recording: Recording, outputs: Sequence[CoreValue], inputs: Mapping[str, Node], chosen: Sequence[Node]
) -> list[Branch]:
    """The choices of a run that were made exactly on their boundary; `chosen` are ops that pick one of equal values."""
    made = []
    for guard in recording.guards:
        if not _on_boundary(guard.node):
            continue
        elements = _movers(guard.node, inputs)
        if elements:
            made.append(Branch(guard.span, elements))
    for node in _orders(outputs):
        elements = _movers(node, inputs)
        if elements and node.op is not None:
            made.append(Branch(node.span, elements, node.op.name))
    for node in chosen:
        operands = (x for x in node.inputs if isinstance(x, Node))
        elements = set().union(*(_elements(x, inputs) for x in operands))
        if elements and node.op is not None:
            made.append(Branch(node.span, elements, node.op.name))
    return made


def _orders(outputs: Sequence[CoreValue]) -> list[Node]:
    """Ops that chose places (an order, a largest element) among equals."""
    return [node for node in needed_nodes(outputs) if node.dtype.kind in "iu" and is_kinked(node)]


def _on_boundary(node: Node) -> bool:
    """Whether the truth of a node, or the place it tells, hangs on a comparison of equals."""
    pending, seen = [node], set()
    while pending:
        here = pending.pop()
        if id(here) in seen:
            continue
        seen.add(id(here))
        if here.dtype.kind in "biu" and is_kinked(here):
            return True
        pending.extend(x for x in here.inputs if isinstance(x, Node) and x.dtype.kind in "biu")
    return False


def _movers(node: Node, inputs: Mapping[str, Node]) -> set[tuple[str, int]]:
    """The input elements that can move a choice: a truth is kept exactly, places are looked at where they come from."""
    is_place = node.dtype.kind in "iu"
    found = set() if is_place else _elements(node, inputs)
    deeper = (x for x in node.inputs if isinstance(x, Node) and (is_place or x.dtype.kind in "biu"))
    return found.union(*(_movers(x, inputs) for x in deeper))


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
    task: Task,
    recording: Recording,
    affected: Sequence[tuple[str, int]],
    digits: int,
) -> dict[tuple[int, str, int], Sides]:
    """One-sided derivatives by (row, input, flat index), each from a run of the program beside the boundary."""
    made: dict[tuple[int, str, int], Sides] = {}
    for name, place in affected:
        if not _can_move(task, name, place):
            continue
        runs = _either_way(rerun, task, recording, name, place)
        left, right = (
            _derivatives(runs[sign], task, name, place, sign, digits) if sign in runs else {} for sign in (-1, 1)
        )
        for r in left.keys() | right.keys():
            made[r, name, place] = Sides(left.get(r, UNDEFINED), right.get(r, UNDEFINED))
    return made


def around(
    rerun: Callable[..., Any], task: Task, groups: Iterable[Iterable[tuple[str, int]]], digits: int, most: int
) -> dict[tuple[int, str, int], list[Raw]]:
    """Derivatives at the point as other orders have them among groups of equals, by at most so many runs close by."""
    made: dict[tuple[int, str, int], list[Raw]] = {}
    families = Families(set().union(*groups))
    for group in groups:
        families.join_all(group)
    members = [[label for label in family if _can_move(task, *label)] for family in families.members()]
    places = [label for family in members for label in family]
    runs = min(enough_orders(max(map(len, members), default=0)), most)
    for shares in orders(members, runs):
        with suppress(GradcliError, Unprovable):
            _, outputs, inputs = rerun(_scattered(task, shares))
            lowered = lower(outputs, {key: inputs[key] for key in task.inputs})
            matrix = question(lowered, task, digits).matrix
            columns = {lowered.graph.labels[c]: c for c in matrix.columns}
            here = {columns[label]: _value_at(task, *label) for label in places}
            beside = Evaluation(lowered.graph, matrix.steps, matrix.bits + 64, inputs=here)
            rows = matrix.rows_at(dict.fromkeys(range(len(matrix.rows)), matrix.columns), beside)
            for r, row in rows.items():
                for label in places:
                    made.setdefault((r, *label), []).append(row.get(columns[label], fzero))
    return made


def _scattered(task: Task, shares: Mapping[tuple[str, int], float]) -> dict[str, Any]:
    """The inputs' values, some elements moved a little each."""
    values = {key: np.array(concrete(node.value)) for key, node in task.inputs.items()}
    for (name, place), share in shares.items():
        flat = values[name].reshape(-1)
        size = np.spacing(np.abs(flat[place])) if flat[place] else np.finfo(flat.dtype).eps
        flat[place] += flat.dtype.type(int(share * _ULPS[-1])) * size
    return values


def _can_move(task: Task, name: str, place: int) -> bool:
    """Whether an element has a left and a right."""
    node = task.inputs[name]
    return node.dtype.kind == "f" and bool(np.isfinite(concrete(node.value).reshape(-1)[place]))


def _value_at(task: Task, name: str, place: int) -> Raw:
    return libmp.from_float(float(concrete(task.inputs[name].value).reshape(-1)[place]))


def _either_way(rerun: Callable[..., Any], task: Task, recording: Recording, name: str, place: int) -> dict[int, Any]:
    """Runs of the program with one element moved down (-1) and up (1), as little as changes a decision."""
    taken = _decisions(recording, task.outputs)
    runs: dict[int, Any] = {}
    for ulps in _ULPS:
        runs = {}
        for sign in (-1, 1):
            with suppress(GradcliError, Unprovable):
                runs[sign] = rerun(_moved(task, name, place, sign * ulps))
        if len(runs) < 2 or any(_decisions(*run[:2]) != taken for run in runs.values()):
            break
    return runs


def _decisions(recording: Recording, outputs: Sequence[CoreValue]) -> list[Any]:
    places = [node for node in needed_nodes(outputs) if node.dtype.kind in "iu" and node.op is not None]
    chosen = [concrete(node.value).tolist() for node in places if node.op is not None and node.op.kink is not None]
    return [guard.value for guard in recording.guards] + chosen


def _moved(task: Task, name: str, place: int, ulps: int) -> dict[str, Any]:
    """The inputs' values, one element moved by some spacings of its dtype."""
    values = {key: np.array(concrete(node.value)) for key, node in task.inputs.items()}
    flat = values[name].reshape(-1)
    here = flat[place]
    flat[place] = np.nextafter(here, here.dtype.type(np.inf if ulps > 0 else -np.inf))
    if abs(ulps) > 1:
        flat[place] = here + here.dtype.type(ulps) * (np.spacing(np.abs(here)) if here else np.finfo(here.dtype).eps)
    return values


def _derivatives(run: Any, task: Task, name: str, place: int, sign: int, digits: int) -> dict[int, Raw]:
    """Derivatives by one element on one side, by the way that a run took there; none where they can't be told."""
    _, outputs, inputs = run
    try:
        lowered = lower(outputs, {key: inputs[key] for key in task.inputs})
        matrix = question(lowered, task, digits).matrix
    except (GradcliError, Unprovable):
        return {}
    graph = lowered.graph
    column = next(c for c in matrix.columns if graph.labels[c] == (name, place))
    x = _value_at(task, name, place)
    near, nearer = (_at(matrix, graph, column, x, sign, places) for places in (PLACES, FINER_PLACES))
    return {r: limit(value, nearer[r]) for r, value in near.items()}


def _at(matrix: Matrix, graph: Graph, column: int, x: Raw, sign: int, places: int) -> dict[int, Raw]:
    """The derivatives by a column a tiny step beside its value x."""
    moved = libmp.mpf_add(x, step_from(x, sign, places))
    beside = Evaluation(graph, matrix.steps, matrix.bits + 64 + 10 * places, inputs={column: moved})
    return {r: matrix.row_at(r, beside, {column}).get(column, fzero) for r in range(len(matrix.rows))}
