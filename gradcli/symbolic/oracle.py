"""The oracle: proves derivatives of a recorded program by exact means of its own.

Equal means |got - exact| <= atol + rtol |exact| + 16 s. s is the rounding that nobody can avoid: the largest change of
the exact derivative over four evaluations in which every node, of the program as well as of its derivative, is moved by
a random ulp of its dtype. An elementwise function counts as one node; a composite one (a sum, a product of matrices, a
solution) as the arithmetic that it is made of.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from mpmath import libmp
from mpmath.libmp import fzero

from gradcli.graph.errors import AbstractValue, LimitReached
from gradcli.graph.node import Node
from gradcli.graph.recording import Recording
from gradcli.graph.values import CoreValue
from gradcli.symbolic import branches
from gradcli.symbolic.claimed import claim_of
from gradcli.symbolic.closed import is_small, proved_whole
from gradcli.symbolic.complexes import Complex
from gradcli.symbolic.culprits import Culprits
from gradcli.symbolic.directions import evidence, sentence
from gradcli.symbolic.functions import UNDEFINED, Raw, defined, to_float
from gradcli.symbolic.infinities import at_infinity
from gradcli.symbolic.kinks import CROWD, Sides, around, crowds, sides
from gradcli.symbolic.lowering import Lowered, lower, part_dtype
from gradcli.symbolic.report import InputReport, Report
from gradcli.symbolic.scalars import TooLarge, Unprovable
from gradcli.symbolic.task import Block, Claimed, Task, parts_of, question

#: Records the program again at other values of its inputs: (recording, outputs, inputs).
Rerun = Callable[[Mapping[str, np.ndarray]], tuple[Recording, Sequence[CoreValue], Mapping[str, Node]]]
#: How many scalars a program may have.
_LIMIT = 3_000_000
#: How many scalars may be evaluated in runs that look for other orders among equals.
_RUNS = 3_000_000
#: How many units of unavoidable rounding are allowed.
_ROUNDINGS = 16
#: Kinks listed in a report.
_LISTED = 100


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
    judge = _Judge(report, task, atol, rtol, digits)
    too_large = False
    try:
        with np.errstate(all="ignore"), _uncollected():
            judge.run(recording, rerun)
    except (TooLarge, LimitReached, MemoryError) as error:
        too_large = True
        report.reason = str(error) or "the program needs more memory than there is"
    except (Unprovable, AbstractValue) as error:
        report.reason = str(error)
    except RecursionError:
        report.reason = "a formula is nested too deeply"
    if too_large and rerun is not None and derivative != "hessian":
        del judge  # what it holds is needed
        with np.errstate(all="ignore"):
            _look_along_directions(report, task, rerun, rtol)
    for name in task.labels():
        if name not in report.inputs:
            report.inputs[name] = entry = InputReport()
            entry.ok = None
    return report


def _look_along_directions(report: Report, task: Task, rerun: Rerun, rtol: float | None) -> None:
    """Say what can be said of a derivative that is too large to be proved."""
    chosen = max((_default_rtol(task, block) for block in task.blocks), default=1e-9) if rtol is None else rtol
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


class _Judge:
    def __init__(self, report: Report, task: Task, atol: float, rtol: float | None, digits: int) -> None:
        self.report = report
        self.task = task
        self.atol = atol
        self.given_rtol = rtol
        self.digits = digits

    def run(self, recording: Recording, rerun: Rerun | None) -> None:
        self.rerun = rerun
        self.lowered = self._lower()
        self.matrix, self.rows, stop = question(self.lowered, self.task, self.digits)
        self.matrix.settle()
        self.undefined = self._undefined_rows()
        self.rounding = self.matrix.rounding()
        self.tied = self.matrix.ties()
        self.touched = self.matrix.touched(self.tied) if self.tied else {}
        self.sides = self._beside()
        self._others: dict[tuple[int, int], list[Raw]] | None = None
        self._crowds: dict[tuple[int, int], int] | None = None
        self._cover()
        self.looked = False
        #: columns that sit at choices among more equals than can be looked at
        self.crowded: set[int] = set()
        #: columns that an order among equals hangs on
        self.ordered: set[int] = set()
        self.branches = branches.found(recording, self.task.outputs, self.task.inputs, self.lowered.chosen)
        if self.branches:
            self._other_branches(recording, rerun)
        self.culprits = Culprits(self.lowered, self.matrix, self.tied, self.touched, self.branches, stop)
        for block in self.task.blocks:
            self._judge(block)
        self._name_unseen_branches()
        self._tell_unseen_rows()

    def _tell_unseen_rows(self) -> None:
        """What was too much to be looked at, if anything was."""
        unseen, count = len(self.matrix.unseen), len(self.matrix.rows)
        if unseen:
            part = f"{count - unseen:,} of {count:,} rows, chosen at random"
            self.report.covered = (f"{part}, and of them {self.report.covered[0]}", *self.report.covered[1:])
            self.report.reason = self.report.reason or f"{unseen:,} of {count:,} rows were too much to be looked at"

    def _undefined_rows(self) -> dict[int, set[int]]:
        """The rows of results that are no finite numbers, each with the columns that it hangs on."""
        matrix, numbers = self.matrix, self.matrix.evaluation.numbers
        results = [parts_of(x) for cells in self.lowered.outputs for x in cells.ravel()]

        def is_undefined(index: int) -> bool:
            value = numbers[index]
            return value is not None and not value.is_finite()

        if self.task.derivative == "hessian":
            bad = self.rows if any(map(is_undefined, results[0])) else []
        else:
            bad = [rows for rows, parts in zip(self.rows, results, strict=True) if any(map(is_undefined, parts))]
        columns = set(matrix.columns)
        return {r: columns.intersection(matrix.cones[r]) for rows in bad for r in rows}

    def _lower(self) -> Lowered:
        lowered = lower(self.task.outputs, self.task.inputs, limit=_LIMIT)
        if any(_needs_live(node) for node in lowered.kinked):
            lowered = lower(self.task.outputs, self.task.inputs, live=True, limit=_LIMIT)
        return lowered

    # --- what is undefined, tied or branched at the very point -------------------------------------------------------

    def _beside(self) -> dict[tuple[int, int], Sides]:
        """The one-sided derivatives where the derivative itself is undefined, or hangs on a tie."""
        matrix = self.matrix
        places: dict[int, set[int]] = {}
        for r, moving in self.touched.items():
            for column in set().union(*moving.values()):
                places.setdefault(column, set()).add(r)
        for r, row in enumerate(matrix.base):
            for column, value in row.items():
                if not defined(value):
                    places.setdefault(column, set()).add(r)
        numbers = matrix.graph.numbers
        places = {column: rows - self.undefined.keys() for column, rows in places.items() if defined(numbers[column])}
        found = sides(matrix, places, self.tied) if places else {}
        return found | at_infinity(matrix, self.undefined)

    def _other_branches(self, recording: Recording, rerun: Rerun | None) -> None:
        """Where the program branched on a boundary, what the derivative is on either side."""
        affected = sorted({column for branch in self.branches for column in branch.elements})
        count = min(branches.LOOKED_AT, _RUNS // (2 * len(self.matrix.steps) + 1))
        self.looked = rerun is not None and len(affected) <= count
        index = {label: c for c, label in self._column_labels().items()}
        orders = set().union(*(branch.elements for branch in self.branches if branch.op != branches.BRANCH))
        self.ordered = {index[label] for label in orders if label in index}
        seen = affected[:count] if rerun is not None else []
        unseen = {index[label] for label in affected[len(seen) :] if label in index}
        self.crowded = set() if self.looked else self.ordered | unseen
        if rerun is None:
            return
        found = branches.sides(rerun, self.task, recording, seen, self.digits)
        for (r, name, place), pair in found.items():
            column = index.get((name, place))
            if column is not None:
                self.sides[r, column] = pair

    def _column_labels(self) -> dict[int, tuple[str, int]]:
        return {c: self.lowered.graph.labels[c] for c in self.matrix.columns}

    # --- one closed formula -----------------------------------------------------------------------------------------

    def _closed_formula(self) -> Mapping[tuple[int, int], Raw] | None:
        """The derivatives by one closed formula of the whole, or None where it would be too large."""
        matrix, graph = self.matrix, self.lowered.graph
        first = [index for cells in self.lowered.outputs for x in cells.ravel() for index in parts_of(x)]
        order = 2 if self.task.derivative == "hessian" else 1
        if self.tied or not is_small(graph, first, len(matrix.columns) ** order):
            return None
        evaluation = matrix.evaluation
        return proved_whole(graph, first, matrix.columns, evaluation.decisions, evaluation.precision + 64, order)

    def _cover(self) -> None:
        """Compare with the closed formula, and say what covers which elements."""
        whole = self._closed_formula()
        if whole is None:
            self.report.covered = (
                "all elements: each operation's partial derivatives from SymPy, accumulated along the graph by a chain "
                f"rule of the oracle's own, to {self.digits} digits",
            )
            return
        confirmed = self._confirm(whole)
        how_many, again = "all", "the same again"
        if confirmed < len(whole):  # a formula may be undefined where the program has a value
            how_many, again = f"{confirmed:,} of {len(whole):,}", "all elements"
        self.report.covered = (
            f"{how_many} elements: one closed formula, differentiated by SymPy, to {self.digits} digits",
            f"{again}: each operation's partial derivatives from SymPy, accumulated along the graph",
        )

    def _confirm(self, whole: Mapping[tuple[int, int], Raw]) -> int:
        """For how many elements the closed formula and the chain rule agree.

        Raises:
            Unprovable: they don't for one, so that neither is believed.
        """
        matrix, confirmed = self.matrix, 0
        for (r, c), value in whole.items():
            column = matrix.columns[c]
            mine = matrix.base[r].get(column, fzero)
            if not (defined(mine) and defined(value)):
                continue
            gap = abs(to_float(libmp.mpf_sub(mine, value, matrix.bits, "n")))
            size = max(abs(to_float(mine)), self.rounding[r].get(column, 0.0))
            vanishes = mine == fzero and gap < 2.0 ** -(matrix.bits // 2)
            if gap > 1e-20 * size and not vanishes:
                raise Unprovable("the closed formula and the chain rule disagree; please report this program")
            confirmed += 1
        return confirmed

    # --- judging ------------------------------------------------------------------------------------------------------

    def _judge(self, block: Block) -> None:
        self.rtol = _default_rtol(self.task, block) if self.given_rtol is None else self.given_rtol
        entry = self.report.inputs.setdefault(block.label, InputReport())
        columns = self.lowered.inputs[block.column].ravel()
        claim = claim_of(block.got, block.size)
        spacing = np.finfo(block.got.dtype if block.got.dtype.kind in "fc" else np.float64)
        zero = block.got.dtype.type(0)
        positions = {c: j for j, cell in enumerate(columns) for c in parts_of(cell)}
        special: dict[int, set[int]] = {}
        for r, column in self.sides:
            special.setdefault(r, set()).add(column)
        for i, rows in enumerate(self.rows[block.start : block.start + block.size]):
            if not self.matrix.unseen.isdisjoint(rows):
                entry.unproved(len(columns))
                continue
            # Most elements of a large Jacobian are zero in truth and in the claim: they are only counted.
            claimed = claim.row(i)
            told = set(claimed)
            for r in rows:
                reached = self.matrix.base[r].keys() | special.get(r, set()) | self.undefined.get(r, set())
                told.update(positions[c] for c in reached if c in positions)
            entry.elements += len(columns) - len(told)
            for j in sorted(told):
                self._element(entry, self._place(block, i, j), claimed.get(j, zero), rows, columns[j], spacing)

    def _place(self, block: Block, i: int, j: int) -> dict[str, Any]:
        index = np.unravel_index(i * math.prod(self.task.inputs[block.column].shape) + j, block.got.shape)
        found: dict[str, Any] = {"index": [int(n) for n in index]}
        if block.output is not None:
            found["output"] = block.output
        return found

    def _element(
        self, entry: InputReport, place: dict[str, Any], got: Any, rows: tuple[int, ...], cell: Any, info: Any
    ) -> None:
        """Compare one element.

        By a complex number it is the cotangent for 1: of the real part, by both parts. By a real one it is the plain
        derivative, of both parts where there are two.
        """
        if isinstance(cell, Complex):
            parts = [(rows[0], column) for column in parts_of(cell)]
        else:
            parts = [(r, cell.index) for r in rows]
        values = (float(np.real(got)), float(np.imag(got)))
        judged = [self._part(place, value, r, column) for value, (r, column) in zip(values, parts, strict=False)]
        if any(part is None for part in judged):
            entry.unproved()
            return
        exact = [part for part in judged if part is not None]
        error = math.hypot(*(part.error for part in exact), values[1] if len(parts) == 1 else 0.0)
        size = math.hypot(*(abs(to_float(part.exact)) for part in exact))
        rounding = math.hypot(*(part.rounding for part in exact))
        plain = self.atol + self.rtol * size + 2 * float(info.smallest_subnormal)
        tolerance = plain + _ROUNDINGS * rounding
        shown = [libmp.to_str(part.exact, self.digits) for part in exact]
        entry.add(
            place,
            complex(got) if len(parts) > 1 or values[1] else values[0],
            shown[0] if len(shown) == 1 else "(" + " + ".join(shown) + "j)",
            error=error,
            size=size,
            ulp=_ulp(size, info),
            tolerance=tolerance if math.isfinite(size) else 0.0,
            rounding=rounding,
            plain=plain,
        )

    def _part(self, place: dict[str, Any], got: float, r: int, column: int) -> _Part | None:
        """One real element compared; None where it can't be proved."""
        exact = self.matrix.base[r].get(column, fzero)
        rounding = self.rounding[r].get(column, 0.0)
        pair = self.sides.get((r, column))
        if pair is None and r in self.undefined:
            self.report.reason = self.report.reason or "the program's result is undefined at this point"
            return None
        if pair is not None:
            if not pair.known:
                self._not_proved(column, "it is undefined at this point")
                return None
            own = self._elsewhere(r, column, pair, got, rounding)
            smooth = pair.is_smooth(own)
            exact = pair.left if smooth else pair.nearest(libmp.from_float(got), own)
            if not smooth:
                self._name_kink(place, r, column, pair, got, exact, rounding)
        elif not defined(exact):
            self._not_proved(column, "it is undefined at this point")
            return None
        elif (r, column) in self.matrix.unsettled:
            self._not_proved(column, f"it did not settle to {self.digits} digits")
            return None
        error = _distance(got, exact)
        if error > self._slack(exact, rounding) and self._is_crowded(r, column):
            self._not_proved(column, "it hangs on a choice among more equals than were looked at")
            return None
        return _Part(exact, error, rounding)

    def _is_crowded(self, r: int, column: int) -> bool:
        """Whether an element is one of more equals, or on more boundaries, than were looked at in all orders."""
        if self._crowds is None:
            self._crowds = crowds(self.touched)
        return column in self.crowded or self._crowds.get((r, column), 0) > CROWD

    def _elsewhere(self, r: int, column: int, pair: Sides, got: float, rounding: float) -> Sequence[Raw]:
        """Other derivatives that a kink may have, by other orders among equals; looked for only where it matters."""
        nearest = pair.nearest(libmp.from_float(got))
        if _distance(got, nearest) <= self._slack(nearest, rounding):
            return ()
        if self._others is None:
            self._others = self._around()
        own = [self.matrix.base[r].get(column, fzero)] if column in self.ordered else []
        return [x for x in (*own, *self._others.get((r, column), ())) if defined(x)]

    def _around(self) -> dict[tuple[int, int], list[Raw]]:
        """Derivatives as the orders among equals have them that the program took, or could have taken."""
        found = around(self.matrix, self.touched, self.tied)
        orders = set().union(*(branch.elements for branch in self.branches if branch.op != branches.BRANCH))
        if not orders or self.rerun is None:
            return found
        index = {label: c for c, label in self._column_labels().items()}
        most = 0 if not self.looked else _RUNS // len(self.matrix.steps)
        runs = branches.around(self.rerun, self.task, sorted(orders), self.digits, most)
        for (r, name, place), values in runs.items():
            column = index.get((name, place))
            if column is not None and (r, column) in self.sides:
                found.setdefault((r, column), []).extend(values)
        return found

    def _slack(self, exact: Raw, rounding: float) -> float:
        found = self.atol + self.rtol * abs(to_float(exact)) + _ROUNDINGS * rounding
        return found if math.isfinite(found) else 0.0

    def _not_proved(self, column: int, why: str) -> None:
        name, index = self.lowered.graph.labels[column]
        shape = self.task.inputs[name].shape
        where = "" if shape == () else "[" + ", ".join(str(int(n)) for n in np.unravel_index(index, shape)) + "]"
        if self.report.reason is None:
            self.report.reason = f"the derivative by {name}{where} could not be proved: {why}"

    def _name_kink(
        self, place: dict[str, Any], r: int, column: int, pair: Sides, got: float, exact: Raw, rounding: float
    ) -> None:
        if len(self.report.kinks) >= _LISTED:
            return
        name, index = self.lowered.graph.labels[column]
        op, where = self.culprits.of(r, column)
        left, right = (None if x == UNDEFINED else to_float(x) for x in pair)
        slack = self.atol + self.rtol * max(abs(x) for x in (left, right) if x is not None) + _ROUNDINGS * rounding
        self.report.kinks.append(
            {
                "op": op,
                "where": where,
                "input": name,
                "index": [int(n) for n in np.unravel_index(index, self.task.inputs[name].shape)],
                "element": place["index"],
                "left": left,
                "right": right,
                "chosen": got,
                "ok": _distance(got, exact) <= (slack if math.isfinite(slack) else 0.0),
            }
        )

    def _name_unseen_branches(self) -> None:
        if not self.looked:
            self.report.kinks += [branch.unseen(self.task.inputs) for branch in self.branches]


class _Part(NamedTuple):
    exact: Raw
    error: float
    rounding: float


def _needs_live(node: Node) -> bool:
    return node.op is not None and (node.op.kind != "elementwise" or node.dtype.kind == "b")


def _default_rtol(task: Task, block: Block) -> float:
    """1e-4 where the claimed array, or the input it is by, is of less than double precision, else 1e-9."""
    dtypes = [task.inputs[block.column].dtype, block.got.dtype]
    return 1e-4 if any(part_dtype(dtype).itemsize < 8 for dtype in dtypes if dtype.kind in "fc") else 1e-9


def _distance(got: float, exact: Raw) -> float:
    """|got - exact|, where a value beyond the largest float is infinite in floats."""
    if math.isnan(got):
        return math.inf
    if math.isinf(got):
        return 0.0 if to_float(exact) == got else math.inf
    if not defined(exact):
        return math.inf
    return abs(to_float(libmp.mpf_sub(libmp.from_float(got), exact, 80, "n")))


def _ulp(size: float, info: Any) -> float:
    if not math.isfinite(size):
        return math.nan
    spacing = float(np.spacing(np.asarray(size, dtype=info.dtype)))
    return spacing if math.isfinite(spacing) else float(info.max) * float(info.eps)
