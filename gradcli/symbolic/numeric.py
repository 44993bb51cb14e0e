"""A second opinion in plain floats: complex-step derivatives, or central differences extrapolated to step zero.

A complex step (f(x + i h): no difference, so no cancellation) needs a program that is analytic and runs on complex
numbers; one direction of it is tried against differences before it is believed. Everything else is differenced with
ever smaller steps and extrapolated, each element keeping the estimate whose own error looks smallest. The estimate of
the error is part of the tolerance, and where it is too large to tell right from wrong the check says so.

Sources: Squire and Trapp, "Using complex variables to estimate derivatives of real functions", SIAM Review 40 (1998);
Ridders, "Accurate computation of F'(x) and F'(x)F''(x)", Advances in Engineering Software 4 (1982).
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from gradcli.graph.errors import ArgumentError
from gradcli.graph.node import Node
from gradcli.graph.recording import Recording
from gradcli.graph.values import Value, concrete
from gradcli.symbolic.lowering import is_kinked
from gradcli.symbolic.report import InputReport, Report, place_of

#: The imaginary step: its square is below everything.
_STEP = 1e-100
#: What a complex step may be off, relative to the largest element beside it.
_COMPLEX_ERROR = 1e-13
#: First difference step relative to the element, the factor between steps, and how many there are.
_FIRST, _FACTOR, _LEVELS = 0.05, 1.6, 14
#: How many times the estimated error is allowed, and how much of the value it may be for a verdict.
_ERRORS, _TELLING = 10.0, 1e-4

_EPS = float(np.finfo(np.float64).eps)
#: How much of their size one-sided differences must differ by to be two.
_KINK = 1e-6

Array = Any


class Estimate(NamedTuple):
    """A derivative and what it may be off, of one shape."""

    value: Array
    error: Array


def prove_numerically(
    function: Callable[..., Any],
    values: Mapping[str, np.ndarray],
    claimed: Mapping[Any, Any],
    *,
    derivative: str,
    rtol: float | None = None,
    atol: float = 0.0,
    recording: Recording | None = None,
) -> Report:
    """Judge claimed derivatives by differences of `function`.

    `function` takes plain arrays, one per entry of `values`, in that order (floats as float64, or complex128 for a
    complex step), and returns an array or a sequence of them. `claimed` is as `gradcli.symbolic.oracle.prove` takes it.
    `recording`, if given, tells beforehand whether a complex step is worth trying.

    Raises:
        ArgumentError: a claimed derivative has the wrong shape, or is of no input.
    """
    report = Report(derivative, "numeric", None)
    try:
        _Numeric(function, values, claimed, derivative, rtol, atol, report).run(recording)
    except (ArithmeticError, np.linalg.LinAlgError) as error:
        report.reason = f"the program can't be run beside this point: {error}"
    return report


class _Numeric:
    def __init__(
        self,
        function: Callable[..., Any],
        values: Mapping[str, np.ndarray],
        claimed: Mapping[Any, Any],
        derivative: str,
        rtol: float | None,
        atol: float,
        report: Report,
    ) -> None:
        self.function = function
        self.values = {name: _wide(np.asarray(x)) for name, x in values.items()}
        self.claimed = claimed
        self.derivative = derivative
        narrow = any(np.asarray(x).dtype in (np.float32, np.float16) for x in values.values())
        self.rtol = (1e-4 if narrow else 1e-9) if rtol is None else rtol
        self.atol = atol
        self.report = report
        names = [name for key in claimed for name in (key if isinstance(key, tuple) else (key,))]
        self.names = list(dict.fromkeys(names))
        for name in self.names:
            if name not in values:
                raise ArgumentError(f"there is no input '{name}' to differentiate by")

    def run(self, recording: Recording | None) -> None:
        with np.errstate(all="ignore"):
            self.shapes = [np.shape(y) for y in _several(self.function(*self.values.values()))]
            self.eps = _EPS if recording is None else _coarsest(recording)
            self.complex = (recording is None or is_analytic(recording)) and self._complex_works()
            self.kinked = [] if recording is None else [x for x in recording.nodes if x.op is not None and is_kinked(x)]
            how = "complex-step derivatives" if self.complex else "central differences, Richardson-extrapolated"
            if self.derivative == "hessian":
                how = f"central differences, Richardson-extrapolated, of {how}"
                self._judge_hessian()
            else:
                self._judge_first()
        self.report.covered = (f"all elements: {how}",)

    # --- functions of one real number --------------------------------------------------------------------------------

    def _along(self, name: str, index: int) -> Callable[[Any], Array]:
        """All outputs in one row, as a function of how far one element is moved."""

        def moved(step: Any) -> Array:
            words = []
            for key, x in self.values.items():
                if key == name:
                    x = x.astype(np.result_type(x.dtype, np.asarray(step).dtype))
                    x.reshape(-1)[index] += step
                words.append(x)
            return np.concatenate([np.ravel(y) for y in _several(self.function(*words))])

        return moved

    def _column(self, name: str, index: int) -> Estimate:
        f = self._along(name, index)
        if self.complex:
            return _complex_step(f)
        return self._by_parts(f, self.values[name], index)

    def _by_parts(self, f: Callable[[Any], Array], x: Array, index: int) -> Estimate:
        """The derivative by an element of x; by a complex one that of the real part, by both parts, as one number."""
        scale = _scale(x, index)
        if x.dtype.kind != "c":
            return self._differenced(f, scale)
        re = self._differenced(lambda h: f(h).real, scale)
        im = self._differenced(lambda h: f(1j * h).real, scale)
        return Estimate(re.value + 1j * im.value, np.hypot(re.error, im.error))

    def _sides(self, name: str, index: int) -> tuple[Estimate, Estimate] | None:
        """The left and the right derivative, where the program sits on a kink; None where it does not."""
        if not self.kinked or self.complex or self.values[name].dtype.kind == "c":
            return None
        f, scale = self._along(name, index), _scale(self.values[name], index)
        here = f(0.0)
        if here.dtype.kind == "c":
            return None

        def side(sign: int) -> Estimate:
            return extrapolated(lambda h: (f(sign * h) - here) / (sign * h), here, scale, even=False, eps=self.eps)

        return side(-1), side(1)

    def _complex_works(self) -> bool:
        """Whether the program takes complex numbers and agrees with differences in one direction of each input."""
        names = [n for n in self.names if self.values[n].size]
        if not names or any(self.values[n].dtype.kind == "c" for n in self.names):
            return False
        return all(self._complex_agrees(name) for name in names)

    def _complex_agrees(self, name: str) -> bool:
        f = self._along(name, 0)
        try:
            found = f(1j * _STEP)
        except Exception:  # the program's own objections, whatever they are: it is not for complex numbers
            return False
        if found.dtype.kind != "c" or f(0.0).dtype.kind == "c" or not np.all(np.isfinite(found)):
            return False
        other = self._differenced(f, _scale(self.values[name], 0))
        gap = np.abs(found.imag / _STEP - other.value)
        return bool(np.all(gap <= 1e-5 * np.abs(other.value) + 20 * other.error + 1e-12))

    def _differenced(self, f: Callable[[Any], Array], scale: float) -> Estimate:
        return extrapolated(lambda h: (f(h) - f(-h)) / (2 * h), f(0.0), scale, eps=self.eps)

    # --- judging -----------------------------------------------------------------------------------------------------

    def _judge_first(self) -> None:
        several = len(self.shapes) > 1
        for name in self.names:
            columns = [self._column(name, i) for i in range(self.values[name].size)]
            sides = [self._sides(name, i) for i in range(self.values[name].size)]
            start = 0
            for number, shape in enumerate(self.shapes):
                rows = slice(start, start + math.prod(shape))
                start = rows.stop
                claim = self.claimed[name][number] if several else self.claimed[name]
                wanted = (() if self.derivative == "gradient" else shape) + self.values[name].shape
                parts = [Estimate(c.value[rows], c.error[rows]) for c in columns]
                beside = [s and tuple(Estimate(e.value[rows], e.error[rows]) for e in s) for s in sides]
                self._judge(name, claim, wanted, parts, number if several else None, beside)

    def _judge_hessian(self) -> None:
        for row, column in self.claimed:
            x, y = self.values[row], self.values[column]
            parts = [self._second(row, column, j) for j in range(y.size)]
            self._judge(f"{row} {column}", self.claimed[row, column], x.shape + y.shape, parts, None)

    def _second(self, row: str, column: str, index: int) -> Estimate:
        """d/dy_index of the gradient by x: differences of whole gradients."""
        kept = self.values

        def gradient(step: Any) -> Array:
            moved = kept[column].copy()
            moved.reshape(-1)[index] += step
            self.values = {**kept, column: moved}
            try:
                return np.array([self._column(row, i).value[0] for i in range(kept[row].size)])
            finally:
                self.values = kept

        found = self._by_parts(gradient, kept[column], index)
        noise = 0.0 if self.complex else 1e-8 * float(np.max(np.abs(found.value), initial=0.0))
        return Estimate(found.value, found.error + noise)

    def _judge(
        self,
        label: str,
        claim: Any,
        shape: tuple[int, ...],
        columns: Sequence[Estimate],
        output: int | None,
        sides: Sequence[Any] = (),
    ) -> None:
        got = np.asarray(concrete(claim) if isinstance(claim, Value) else claim)
        if got.shape != shape:
            raise ArgumentError(
                f"the derivative by {label} that is to be checked has shape {list(got.shape)}, expected {list(shape)}"
            )
        entry = self.report.inputs.setdefault(label, InputReport())
        flat = got.reshape(-1, max(len(columns), 1)) if columns else got.reshape(0, 0)
        largest = max((float(np.max(np.abs(c.value), initial=0.0)) for c in columns), default=0.0)
        for j, estimate in enumerate(columns):
            for i in range(flat.shape[0]):
                index = [int(n) for n in np.unravel_index(i * len(columns) + j, shape)] if shape else []
                place = {"index": index} if output is None else {"index": index, "output": output}
                value, error = estimate.value[i].item(), float(estimate.error[i])
                kink = self._kink(label, place, j, flat[i, j], i, sides[j]) if sides and sides[j] else None
                if kink is not None:
                    value, error = kink
                self._element(entry, place, flat[i, j], value, error, largest)

    def _kink(
        self, name: str, place: dict[str, Any], index: int, got: Any, i: int, sides: tuple[Estimate, Estimate]
    ) -> tuple[float, float] | None:
        """What to compare with where left and right differ: the nearest value between them; None where they agree."""
        left, right = (float(e.value[i]) for e in sides)
        doubt = max(float(e.error[i]) for e in sides)
        if not abs(left - right) > _ERRORS * doubt + _KINK * max(abs(left), abs(right)):
            return None
        chosen = float(np.real(got))
        nearest = min(max(chosen, min(left, right)), max(left, right))
        node = self.kinked[0]
        if self.report.has_room:
            self.report.add_kink(
                node.op.name if node.op else None,
                place_of(node.span),
                name,
                np.unravel_index(index, self.values[name].shape),
                element=place["index"],
                left=left,
                right=right,
                chosen=chosen,
                ok=abs(chosen - nearest) <= self.atol + self.rtol * abs(nearest) + _ERRORS * doubt,
            )
        return nearest, doubt

    def _element(
        self, entry: InputReport, place: dict[str, Any], got: Any, exact: Any, doubt: float, largest: float
    ) -> None:
        value = got.item() if isinstance(exact, complex) or np.imag(got) else float(np.real(got))
        error = abs(value - exact)
        tolerance = self.atol + self.rtol * abs(exact) + _ERRORS * doubt
        telling = _TELLING * max(abs(exact), largest)
        if not (cmath.isfinite(exact) and math.isfinite(doubt) and doubt * _ERRORS <= telling):
            if error > tolerance + largest or not (error <= tolerance):
                self.report.reason = "differences are too rough at this point to tell"
            entry.unproved()
            return
        entry.add(
            place,
            value,
            exact,
            error=math.inf if math.isnan(error) else error,
            size=abs(exact),
            ulp=float(np.spacing(np.asarray(abs(exact), dtype=got.real.dtype if got.dtype.kind in "fc" else float))),
            tolerance=tolerance,
            rounding=doubt,
        )


def _coarsest(recording: Recording) -> float:
    """eps of the smallest float dtype that the program itself goes over to."""
    found = _EPS
    for node in recording.nodes:
        for x in node.inputs:
            floats = isinstance(x, Node) and x.dtype.kind == node.dtype.kind == "f"
            if floats and node.dtype.itemsize < x.dtype.itemsize:
                found = max(found, float(np.finfo(node.dtype).eps))
    return found


def _several(y: Any) -> list[Any]:
    return [np.asarray(part) for part in y] if isinstance(y, tuple | list) else [np.asarray(y)]


def _wide(x: Array) -> Array:
    return x.astype(np.float64) if x.dtype.kind == "f" else x


def _scale(x: Array, index: int) -> float:
    size = abs(float(np.real(x.reshape(-1)[index])))
    return _FIRST * (size if size > 1e-8 else 1.0)


def _complex_step(f: Callable[[Any], Array]) -> Estimate:
    found = f(1j * _STEP).imag / _STEP
    largest = float(np.max(np.abs(found), initial=0.0))
    return Estimate(found, np.full(found.shape, _COMPLEX_ERROR * largest) * (np.abs(found) > 0))


def extrapolated(
    difference: Callable[[float], Array],
    value: Array,
    first: float,
    *,
    even: bool = True,
    eps: float = _EPS,
) -> Estimate:
    """A difference quotient, `even` in its step or not, extrapolated to step zero.

    `value`, and `eps` of the dtype it was computed in, tell the rounding.
    """
    shape = np.shape(value)
    best, error = np.full(shape, np.nan), np.full(shape, np.inf)
    before: list[Array] = []
    moved = np.zeros(shape, dtype=bool)
    h = first
    for _ in range(_LEVELS):
        row = [difference(h)]
        moved |= row[0] != 0
        rounding = 2 * eps * np.abs(value) / h
        weight = 1.0
        for k, older in enumerate(before):
            weight *= _FACTOR**2 if even else _FACTOR
            row.append((weight * row[k] - older) / (weight - 1))
            doubt = np.maximum(np.abs(row[k + 1] - row[k]), np.abs(row[k + 1] - older)) + rounding
            better = np.isfinite(row[k + 1]) & (doubt < error)
            best, error = np.where(better, row[k + 1], best), np.where(better, doubt, error)
        before = row
        h /= _FACTOR
    return Estimate(best, np.where(moved, error, 0.0))  # what does not move at all has no rounding either


#: Ops that are analytic although they are not arithmetic, by what they are not: everything with a kink, and these.
_NOT_ANALYTIC = frozenset(
    ("conj", "real", "imag", "absolute", "hypot", "arctan2", "norm", "slogdet", "eigh", "eigvalsh", "svd", "cbrt")
)


def is_analytic(recording: Recording) -> bool:
    """Whether every op that ran is analytic, and nothing was decided on the way."""
    if recording.guards:
        return False
    for node in recording.nodes:
        op = node.op
        if op is None:
            continue
        if op.kink is not None or op.name in _NOT_ANALYTIC or (op.kind == "constant" and node.inputs):
            return False
    return True
