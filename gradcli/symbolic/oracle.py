"""The oracle: proves derivatives of a recorded program by exact means of its own.

Equal means |got - exact| <= atol + rtol |exact| + 16 s. s is the rounding that nobody can avoid: the largest change of
the exact derivative over four evaluations in which every node, of the program as well as of its derivative, is moved by
a random ulp of its dtype. An elementwise function counts as one node; a composite one (a sum, a product of matrices, a
solution) as the arithmetic that it is made of.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np

from gradcli.graph.errors import AbstractValue, LimitReached
from gradcli.graph.node import Node
from gradcli.graph.recording import Recording
from gradcli.graph.values import CoreValue
from gradcli.symbolic.coverage import BESIDE_THE_POINT, compared, of_some_rows
from gradcli.symbolic.directions import evidence, sentence
from gradcli.symbolic.excuses import Excuses
from gradcli.symbolic.judge import UNDEFINED_RESULT, Judge
from gradcli.symbolic.point import Point, RegularPoint, SingularPoint
from gradcli.symbolic.report import InputReport, Report, place_of
from gradcli.symbolic.scalars import Degenerate, TooLarge, Unprovable
from gradcli.symbolic.task import Claimed, Rerun, Task
from gradcli.symbolic.tolerance import Tolerance, default_rtol

#: How many scalars a program may have.
_LIMIT = 3_000_000


def prove(
    recording: Recording,
    outputs: Sequence[CoreValue],
    inputs: Mapping[str, Node],
    claimed: Claimed,
    *,
    derivative: str,
    rtol: float | None = None,
    atol: float = 0.0,
    digits: int = 50,
    rerun: Rerun | None = None,
) -> Report:
    """Judge claimed derivatives of a recorded program.

    `claimed` is {name: array} for a gradient or a Jacobian, {(row, column): array} for a Hessian; with several outputs
    each value is a sequence of arrays, one per output. Only what is claimed is judged. `rerun` is asked only where the
    program branched at a value exactly on the boundary.

    Raises:
        ArgumentError: a claimed derivative has the wrong shape, or is of no input.
    """
    report = Report(derivative, "symbolic", digits)
    task = Task(outputs, inputs, claimed, derivative)
    if not any(math.prod(block.got.shape) for block in task.blocks):
        report.inputs = {name: InputReport() for name in task.labels()}
        report.covered = ("all elements: there are none",)
        return report
    results = task.results()
    if results.size and np.isnan(results).all():
        report.reason = UNDEFINED_RESULT
        return _unjudged(report, task)
    too_large = False
    try:
        with np.errstate(all="ignore"), _uncollected():
            _judge(report, task, _point(report, task, digits, recording, rerun), atol, rtol)
    except (TooLarge, LimitReached, MemoryError) as error:
        too_large = True
        report.reason = str(error) or "the program needs more memory than there is"
    except (Unprovable, AbstractValue) as error:
        report.reason = str(error)
    except RecursionError:
        report.reason = "a formula is nested too deeply"
    if too_large and rerun is not None and derivative != "hessian":
        with np.errstate(all="ignore"):
            _look_along_directions(report, task, rerun, rtol)
    return _unjudged(report, task)


def _point(report: Report, task: Task, digits: int, recording: Recording, rerun: Rerun | None) -> Point:
    """The exact derivatives: at the point itself, or from beside it where equations are singular there."""
    try:
        point = RegularPoint(task, digits, _LIMIT)
        report.covered = compared(point, task.derivative)
        point.look_at_choices(recording, rerun)
        return point
    except Degenerate as error:
        beside = SingularPoint(task, digits, _LIMIT, error)
        report.covered = (BESIDE_THE_POINT,)
        return beside


def _judge(report: Report, task: Task, point: Point, atol: float, rtol: float | None) -> None:
    """Judge all that is claimed, and say what was not looked at."""
    excuses = Excuses(point.matrix, task, point.rows, point.nan_words)
    for block in task.blocks:
        tolerance = Tolerance(atol, default_rtol(task, block) if rtol is None else rtol)
        Judge(report, task, point, excuses, block, tolerance).run()
    for branch in point.unseen:
        name, index = min(branch.elements)
        report.add_kink(branch.op, place_of(branch.span), name, np.unravel_index(index, task.inputs[name].shape))
    unseen, count = len(point.matrix.unseen), len(point.matrix.rows)
    if unseen:
        report.covered = of_some_rows(report.covered, point.matrix)
        report.reason = report.reason or f"{unseen:,} of {count:,} rows were too much to be looked at"


def _unjudged(report: Report, task: Task) -> Report:
    """The report, with entries for what was not judged."""
    for name in task.labels():
        if name not in report.inputs:
            report.inputs[name] = entry = InputReport()
            entry.ok = None
    return report


def _look_along_directions(report: Report, task: Task, rerun: Rerun, rtol: float | None) -> None:
    """Say what can be said of a derivative that is too large to be proved."""
    chosen = max((default_rtol(task, block) for block in task.blocks), default=1e-9) if rtol is None else rtol
    found = evidence(task, rerun, chosen)
    if found.looked:
        report.covered = (sentence(found),)
    for label, (got, exact) in found.wrong.items():
        entry = report.inputs.setdefault(label, InputReport())
        error, size = abs(got - exact), abs(exact)
        entry.add(
            {"index": []}, got, exact, error=error, size=size, ulp=math.nan, tolerance=chosen * size, rounding=0.0
        )


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the search for garbage: millions of small objects are made, and no cycles."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()
