"""Compares one claimed array with exact derivatives, element by element."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from mpmath import libmp

from gradcli.symbolic.claimed import claim_of
from gradcli.symbolic.complexes import Complex
from gradcli.symbolic.excuses import Excuses
from gradcli.symbolic.functions import UNDEFINED, Raw, defined, to_float
from gradcli.symbolic.kinks import Sides
from gradcli.symbolic.point import Point
from gradcli.symbolic.report import InputReport, Report
from gradcli.symbolic.task import Block, Task, parts_of
from gradcli.symbolic.tolerance import Tolerance, distance, ulp, unavoidable

#: From so many different derivatives around a kink on they count as some of many.
_SAMPLES = 6

UNDEFINED_RESULT = "the program's result is undefined at this point"


class Judge:
    """Judges one claimed array.

    Args:
        report: where what is found is told.
        task: what the array is part of.
        point: the exact derivatives.
        excuses: differences that don't count.
        block: the array.
        tolerance: what its elements are allowed.
    """

    def __init__(
        self, report: Report, task: Task, point: Point, excuses: Excuses, block: Block, tolerance: Tolerance
    ) -> None:
        self.report, self.task, self.point, self.excuses = report, task, point, excuses
        self.block, self.tolerance = block, tolerance
        self.entry = report.inputs.setdefault(block.label, InputReport())
        self.floats = np.finfo(block.got.dtype if block.got.dtype.kind in "fc" else np.float64)

    def run(self) -> None:
        """Judge all elements; of those that are zero in truth and in the claim, most of a large Jacobian, the count."""
        block = self.block
        columns = self.point.lowered.inputs[block.column].ravel()
        positions = {c: j for j, cell in enumerate(columns) for c in parts_of(cell)}
        reached = self._reached()
        claim, zero = claim_of(block.got, block.size), block.got.dtype.type(0)
        for i, rows in enumerate(self.point.rows[block.start : block.start + block.size]):
            if not self.point.matrix.unseen.isdisjoint(rows):
                self.entry.unproved(len(columns))
                continue
            claimed = claim.row(i)
            told = claimed.keys() | {positions[c] for r in rows for c in reached(r) if c in positions}
            self.entry.elements += len(columns) - len(told)
            for j in sorted(told):
                self._element(self._place(i, j), claimed.get(j, zero), rows, columns[j])

    def _reached(self) -> Callable[[int], set[int]]:
        """Tells the columns of a row whose derivative may be another than zero."""
        base, undefined = self.point.matrix.base, self.point.undefined
        with_sides: dict[int, set[int]] = {}
        for r, column in self.point.sides:
            with_sides.setdefault(r, set()).add(column)
        return lambda r: base[r].keys() | with_sides.get(r, set()) | undefined.get(r, set())

    def _place(self, i: int, j: int) -> dict[str, Any]:
        block = self.block
        index = np.unravel_index(i * math.prod(self.task.inputs[block.column].shape) + j, block.got.shape)
        found: dict[str, Any] = {"index": [int(n) for n in index]}
        if block.output is not None:
            found["output"] = block.output
        return found

    def _element(self, place: dict[str, Any], got: Any, rows: tuple[int, ...], cell: Any) -> None:
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
        exact = [part for part in judged if part is not None]
        if len(exact) < len(judged):
            self.entry.unproved()
        else:
            self._enter(place, got, values, exact)

    def _enter(self, place: dict[str, Any], got: Any, values: tuple[float, float], parts: list[_Part]) -> None:
        """Take an element up into the report by its real parts."""
        error = math.hypot(*(part.error for part in parts), values[1] if len(parts) == 1 else 0.0)
        size = math.hypot(*(_size(part.exact) for part in parts))
        rounding = math.hypot(*(part.rounding for part in parts))
        plain = self.tolerance.plain(size) + 2 * float(self.floats.smallest_subnormal)
        shown = [libmp.to_str(part.exact, self.point.matrix.digits) for part in parts]
        self.entry.add(
            place,
            complex(got) if len(parts) > 1 or values[1] else values[0],
            shown[0] if len(shown) == 1 else "(" + " + ".join(shown) + "j)",
            error=error,
            size=size,
            ulp=ulp(size, self.floats),
            tolerance=plain + unavoidable(rounding) if math.isfinite(size) else 0.0,
            rounding=rounding,
            plain=plain,
        )

    def _part(self, place: dict[str, Any], got: float, r: int, column: int) -> _Part | None:
        """One real element compared; None where it can't be proved."""
        pair = self.point.sides.get((r, column))
        if pair is None and r in self.point.undefined:
            self.report.reason = self.report.reason or UNDEFINED_RESULT
            return None
        why = self._unknown(r, column, pair)
        if why is not None:
            self._not_proved(column, why)
            return None
        rounding = self.point.rounding[r].get(column, 0.0)
        exact = self.point.value(r, column) if pair is None else self._at_kink(place, got, r, column, pair, rounding)
        error = distance(got, exact)
        if error > self.tolerance.within(_size(exact), rounding):
            why = self._excuse(r, column, pair, got, exact)
        if why is not None:
            self._not_proved(column, why)
            return None
        return _Part(exact, error, rounding)

    def _unknown(self, r: int, column: int, pair: Sides | None) -> str | None:
        """Why there is nothing to compare with, if so."""
        if not (defined(self.point.value(r, column)) if pair is None else pair.known):
            return self.point.undefined_words
        if pair is None and (r, column) in self.point.matrix.unsettled:
            return f"it did not settle to {self.point.matrix.digits} digits"
        return None

    def _not_proved(self, column: int, why: str) -> None:
        name, index = self.point.lowered.graph.labels[column]
        shape = self.task.inputs[name].shape
        where = "" if shape == () else "[" + ", ".join(str(int(n)) for n in np.unravel_index(index, shape)) + "]"
        if self.report.reason is None:
            self.report.reason = f"the derivative by {name}{where} could not be proved: {why}"

    # --- kinks -------------------------------------------------------------------------------------------------------

    def _at_kink(self, place: dict[str, Any], got: float, r: int, column: int, pair: Sides, rounding: float) -> Raw:
        """Of all values that the kink may have the one nearest to what is claimed."""
        others = self.point.others(r, column) if self._needs_others(pair, got, rounding) else ()
        if pair.is_smooth(others):
            return pair.left
        exact = pair.nearest(libmp.from_float(got), others)
        if self.report.has_room:
            self._name_kink(place, r, column, pair, got, exact, rounding)
        return exact

    def _needs_others(self, pair: Sides, got: float, rounding: float) -> bool:
        """Whether it matters what else a kink's derivative may be: where it takes long to tell, only what differs."""
        if self.point.nan_words is not None:  # paths differ, so there is a kink even where both sides are one
            return True
        nearest = pair.nearest(libmp.from_float(got))
        return distance(got, nearest) > self.tolerance.within(_size(nearest), rounding)

    def _name_kink(
        self, place: dict[str, Any], r: int, column: int, pair: Sides, got: float, exact: Raw, rounding: float
    ) -> None:
        name, index = self.point.lowered.graph.labels[column]
        left, right = (None if x == UNDEFINED else to_float(x) for x in pair)
        steepest = max(_size(x) for x in pair if x != UNDEFINED)
        self.report.add_kink(
            *self.point.culprits.of(r, column),
            name,
            np.unravel_index(index, self.task.inputs[name].shape),
            element=place["index"],
            left=left,
            right=right,
            chosen=got,
            ok=distance(got, exact) <= self.tolerance.within(steepest, rounding),
        )

    # --- differences that don't count --------------------------------------------------------------------------------

    def _excuse(self, r: int, column: int, pair: Sides | None, got: float, exact: Raw) -> str | None:
        """Why a difference proves nothing, or None where it does."""
        why = self.excuses.of(r, column, got, exact)
        if why is None and pair is not None and self._is_of_many_slopes(r, column, pair, distance(got, exact)):
            why = "it has a kink of many slopes at this point, not all of which are known"
        if why is None and self.point.is_crowded(r, column):
            why = self.point.crowded_words
        return why

    def _is_of_many_slopes(self, r: int, column: int, pair: Sides, error: float) -> bool:
        """Whether derivatives around a kink fill an interval, of which some are known, and the error is less."""
        found = self.point.sampled(r, column)
        if len(set(found)) < max(len(found), _SAMPLES):
            return False
        ends = [x for x in (*pair, *found) if defined(x)]
        low, high = (to_float(pair.nearest(end, ends)) for end in (libmp.fninf, libmp.finf))
        return error < high - low


class _Part(NamedTuple):
    """A real number compared."""

    exact: Raw
    error: float
    rounding: float


def _size(x: Raw) -> float:
    return abs(to_float(x))
