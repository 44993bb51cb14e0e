"""What a check found, in a form for programs and for people."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

#: How many kinks a report lists.
_LISTED = 100


class InputReport:
    """How the derivative by one input (or one Hessian block) compares.

    Attributes:
        ok: equal, not equal, or None where some element could not be proved.
        elements: how many were compared.
        max_abs_error, max_rel_error, max_ulp_error: over all elements; a relative error where the exact value is 0 and
            the other isn't is infinite.
        rounding: the largest rounding that nobody can avoid, see `gradcli.symbolic.oracle`.
        tolerance: what the worst element was allowed.
        by_rounding: whether some element is equal only by the rounding that nobody can avoid, not by rtol or atol.
        worst: the element that is worst beside its tolerance: {"index", "got", "exact"}, None without elements.
    """

    def __init__(self) -> None:
        self.ok: bool | None = True
        self.elements = 0
        self.max_abs_error = 0.0
        self.max_rel_error = 0.0
        self.max_ulp_error = 0.0
        self.rounding = 0.0
        self.tolerance = 0.0
        self.by_rounding = False
        self.worst: dict[str, Any] | None = None
        self._badness = -1.0

    def add(
        self,
        place: dict[str, Any],
        got: Any,
        exact: str | float,
        *,
        error: float,
        size: float,
        ulp: float,
        tolerance: float,
        rounding: float,
        plain: float | None = None,
    ) -> bool:
        """Take up one element: `error` against `tolerance`, `size` the exact value's; returns whether it is equal.

        `plain` is what the tolerance would be without the rounding.
        """
        self.elements += 1
        equal = error <= tolerance and (math.isfinite(error) or error == 0)
        self.by_rounding |= equal and plain is not None and error > plain
        if not equal:
            self.ok = False
        self.max_abs_error = _larger(self.max_abs_error, error)
        self.max_rel_error = _larger(self.max_rel_error, ratio(error, size))
        self.max_ulp_error = _larger(self.max_ulp_error, ratio(error, ulp))
        self.rounding = _larger(self.rounding, rounding)
        badness = ratio(error, tolerance)
        if not badness <= self._badness:
            self._badness = math.inf if math.isnan(badness) else badness
            self.tolerance = tolerance
            self.worst = {**place, "got": got, "exact": exact}
        return equal

    def unproved(self, count: int = 1) -> None:
        """Take up elements that could not be proved."""
        self.elements += count
        if self.ok and count:
            self.ok = None

    def to_json(self) -> dict[str, Any]:
        """Strict JSON of it."""
        return {
            "ok": self.ok,
            "max_abs_error": finite(self.max_abs_error),
            "max_rel_error": finite(self.max_rel_error),
            "max_ulp_error": finite(self.max_ulp_error),
            "rounding": finite(self.rounding),
            "tolerance": finite(self.tolerance),
            "elements": self.elements,
            "worst": None if self.worst is None else {k: finite(v) for k, v in self.worst.items()},
        }


class Report:
    """The outcome of a check.

    Attributes:
        derivative: "gradient", "jacobian" or "hessian".
        method: "symbolic" or "numeric".
        digits: digits of the exact values, None for the numeric method.
        ok: all equal; some not; or None: it could not be proved, for the `reason`.
        covered: which method covered what, in sentences.
        inputs: by name; a Hessian's blocks by "row column".
        kinks: places where the function has a kink at that very point.
    """

    def __init__(self, derivative: str, method: str, digits: int | None) -> None:
        self.derivative = derivative
        self.method = method
        self.digits = digits
        self.covered: tuple[str, ...] = ()
        self.inputs: dict[str, InputReport] = {}
        self.kinks: list[dict[str, Any]] = []
        self.reason: str | None = None

    @property
    def ok(self) -> bool | None:
        """Whether all is equal; None where that could not be proved."""
        verdicts = [entry.ok for entry in self.inputs.values()]
        if any(ok is False for ok in verdicts):
            return False
        return None if self.reason is not None or None in verdicts else True

    @property
    def has_room(self) -> bool:
        """Whether more kinks are to be listed."""
        return len(self.kinks) < _LISTED

    def add_kink(
        self,
        op: str | None,
        where: str | None,
        name: str,
        index: Sequence[Any],
        *,
        element: Sequence[int] | None = None,
        left: float | None = None,
        right: float | None = None,
        chosen: float | None = None,
        ok: bool | None = None,
    ) -> None:
        """List a kink of an op by an element of an input, of an `element` of the derivative if that is known."""
        place: dict[str, Any] = {"op": op, "where": where, "input": name, "index": [int(n) for n in index]}
        if element is not None:
            place["element"] = element
        self.kinks.append({**place, "left": left, "right": right, "chosen": chosen, "ok": ok})

    @property
    def exit_code(self) -> int:
        """0 proved, 1 a mismatch, 3 neither."""
        return {True: 0, False: 1, None: 3}[self.ok]

    def to_json(self) -> dict[str, Any]:
        """Strict JSON of it."""
        found: dict[str, Any] = {
            "ok": self.ok,
            "method": self.method,
            "derivative": self.derivative,
            "digits": self.digits,
            "inputs": {name: entry.to_json() for name, entry in self.inputs.items()},
            "covered": list(self.covered),
        }
        if self.kinks:
            found["kinks"] = [{k: finite(v) for k, v in kink.items()} for kink in self.kinks]
        if self.reason is not None:
            found["reason"] = self.reason
        return found


def finite(x: Any) -> Any:
    """A value as strict JSON has it: NaN and infinities are words, a complex number is a pair."""
    if isinstance(x, complex):
        return [finite(x.real), finite(x.imag)]
    if isinstance(x, float) and not math.isfinite(x):
        return "NaN" if math.isnan(x) else "Infinity" if x > 0 else "-Infinity"
    return x


def place_of(span: Any) -> str | None:
    """`file:line:column` of a source span."""
    if span is None:
        return None
    source = getattr(span, "source", None)
    return f"{getattr(source, 'name', source)}:{span.line}:{span.column}"


def ratio(error: float, size: float) -> float:
    """error / size, where nothing over nothing is nothing."""
    if error == 0:
        return 0.0
    if size == 0 or math.isnan(size):
        return math.inf
    return 0.0 if math.isinf(size) else error / size


def _larger(a: float, b: float) -> float:
    return math.inf if math.isnan(a) or math.isnan(b) else max(a, b)
