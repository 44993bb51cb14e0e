"""Where a claimed derivative differs from the exact one because floats fail at the point: that is no mismatch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from mpmath.libmp import finf, fnan, fninf

from gradcli.symbolic.derivatives import Matrix
from gradcli.symbolic.functions import Raw, defined, to_float
from gradcli.symbolic.task import Task

#: Numbers below are such that their powers may be nothing in floats.
_FAINT = 1e-100
#: How much a result in floats may be off, in parts of its size, where a nan among the inputs may have led it astray.
_ASTRAY = 1e-6


class Excuses:
    """Why differences at a point are none that count.

    Args:
        matrix: the exact derivatives.
        task: what is judged; the results that the program computed in floats are there.
        rows: for each element of the results (of a gradient, for a Hessian) its rows.
        of_nan: what excuses nan anywhere at this point, or None.
    """

    def __init__(self, matrix: Matrix, task: Task, rows: Sequence[tuple[int, ...]], of_nan: str | None = None) -> None:
        self._matrix = matrix
        self._of_nan = of_nan
        self._overflown = not np.isfinite(task.results()).all()
        self._results = task.results_by_row(rows)

    def of(self, r: int, column: int, got: float, exact: Raw) -> str | None:
        """Why a derivative that differs proves nothing; None where it does."""
        why = None if math.isfinite(got) else self._of_not_finite(r, got, exact)
        if why is not None:
            return why
        if (r, column) in self._matrix.fickle and not defined(exact):
            return "it exists or not by a rounding"
        result = self._results.get(r, 0.0)
        if math.isnan(result):
            return "the program's result is nan in floats"
        if self._is_out_of_range(r, result, got):
            return "the program's result leaves the range of floats on its way"
        if self._reads(r, (fnan,)) and self._is_astray(r, result):
            return "what the program does with nan is not known"
        return None

    def _of_not_finite(self, r: int, got: float, exact: Raw) -> str | None:
        """Why nan or an infinity proves nothing."""
        if self._of_nan is not None and math.isnan(got):
            return self._of_nan
        if defined(exact) and math.isinf(to_float(exact)):
            return "it is beyond the largest float"
        if self._overflown:
            return "nan and infinities of the program's results are carried on in floats"
        if self._reads(r, (finf, fninf)):
            return "an input is infinite, and floats carry that on"
        return "others are beyond the largest float, and infinities are carried on" if self._is_beyond else None

    @cached_property
    def _is_beyond(self) -> bool:
        """Whether some derivative is larger than any float."""
        values = (x for row in self._matrix.base for x in row.values() if defined(x))
        return any(math.isinf(to_float(x)) for x in values)

    def _reads(self, r: int, values: Sequence[Raw]) -> bool:
        """Whether a row reads an input with one of these values."""
        numbers = self._matrix.graph.numbers
        holes = {index for index in self._matrix.graph.labels if numbers[index] in values}
        return bool(holes) and not holes.isdisjoint(self._matrix.below([self._matrix.rows[r]]))

    def _is_out_of_range(self, r: int, result: float, got: float) -> bool:
        """Whether a result is nothing by underflow or infinite in floats, and exactly a number that they hold."""
        value = self._matrix.evaluation.numbers[self._matrix.rows[r]]
        if r not in self._results or value is None or not value.is_finite():
            return False
        exact = abs(float(value))
        # What vanished on its way has no derivative but nothing or nan; 1 - tanh(x)**2 is nothing and has one.
        vanished = result == 0 and 0 < exact < _FAINT and (got == 0 or not math.isfinite(got))
        return vanished or math.isinf(result) > math.isinf(exact)

    def _is_astray(self, r: int, result: float) -> bool:
        """Whether the program's result in floats is another than the exact one."""
        value = self._matrix.evaluation.numbers[self._matrix.rows[r]]
        if value is None or not value.is_finite():
            return True
        exact = float(value)
        return not math.isclose(result, exact, rel_tol=_ASTRAY)
