"""Exact numbers, how far each moves when what went in moves by an ulp, and errors in ulps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from mpmath import libmp
from mpmath.libmp import fzero

from gradcli.symbolic.derivatives import is_dust
from gradcli.symbolic.evaluate import Evaluation, plan
from gradcli.symbolic.functions import Raw, defined
from gradcli.symbolic.scalars import Graph
from table.calls import Array

#: Bits that two evaluations must agree in.
_AGREED = 80
#: An error from which on the exact number is doubted, too.
DOUBTED = 1e3
PRECISIONS = (160, 400, 1000, 2600)
#: A number that an ulp moves by more ulps than this may be a wave that has turned, and be back where it was by chance.
_TURNS = 2.0**36
#: The exponents of the smallest and beyond the largest number of a dtype, by its precision.
_RANGES = {53: (-1074, 1024), 24: (-149, 128), 11: (-24, 16)}
#: Exponents of the steps of inputs, and the signs that they have: inputs that stay are not mentioned.
Move = dict[int, tuple[int, int]]


class Known(NamedTuple):
    """Exact numbers by index, how many ulps each moves when what went in moves by one, and which were confirmed."""

    values: dict[int, Raw]
    moves: dict[int, float]
    confirmed: set[int]

    def holds(self, pair: tuple[int, int | None]) -> bool:
        """Whether a number is known."""
        return all(i is None or i in self.values for i in pair)

    def judged(self, got: Any, pair: tuple[int, int | None], bits: int) -> tuple[float, float]:
        """The error of a number, and how far the exact one moves; of a complex one in ulps of its modulus."""
        a, b = pair
        if b is None:
            return _error(float(np.real(got)), self.values[a], bits), self._moves(a, self.values[a], bits)
        size = libmp.mpf_hypot(self.values[a], self.values[b], 60, "n")
        found = []
        for x, i in ((got.real, a), (got.imag, b)):
            gap = libmp.mpf_sub(libmp.from_float(float(x)), self.values[i]) if np.isfinite(x) else None
            found.append(np.inf if gap is None else _ulps(gap, size, bits))
        return float(np.hypot(*found)), float(np.hypot(self._moves(a, size, bits), self._moves(b, size, bits)))

    def _moves(self, index: int, size: Raw, bits: int) -> float:
        """In ulps, of a dtype of `bits` precision, of a number of some size."""
        return self.moves.get(index, 0.0) * 2.0 ** (ulp_exponent(self.values[index], 53) - ulp_exponent(size, bits))


def bits_of(x: Array) -> int:
    """The precision of an array's dtype."""
    return int(np.finfo(x.dtype).nmant) + 1


def settled(graph: Graph, roots: Sequence[int], moves: list[Move], add: bool) -> Known:
    """Scalars at rising precision until two evaluations agree; those that never do, or are undefined, are left out.

    What they do when inputs make these moves is added up if they were moved one after another, and the largest of it
    otherwise. What comes out as 0 may be a difference too small to be seen, and is looked at with the most bits.
    """
    known = Known({}, {}, set())
    pending = sorted(set(roots))
    for precision in PRECISIONS:
        if not pending:
            break
        steps = plan(graph, pending)
        gained = precision // 2
        rough, fine = Evaluation(graph, steps, precision), Evaluation(graph, steps, precision + gained)
        done = []
        for index in pending:
            a, b = rough.values[index], fine.values[index]
            nothing = b == fzero or is_dust(a, b, gained)
            if defined(a) and defined(b) and (precision == PRECISIONS[-1] if nothing else _close(a, b)):
                known.values[index] = fzero if nothing else b
                done.append(index)
        disturb(graph, steps, rough, done, known, moves, add)
        reached = set(done)
        pending = [i for i in pending if i not in reached and defined(fine.values[i])]
    return known


def _close(a: Raw, b: Raw) -> bool:
    gap = libmp.mpf_sub(a, b)
    return gap == fzero or gap[2] + gap[3] <= b[2] + b[3] - _AGREED


def disturb(
    graph: Graph, steps: Any, base: Evaluation, done: list[int], known: Known, moves: list[Move], add: bool
) -> None:
    """Note how far numbers move when inputs move by an ulp; the other way where they have no value there."""
    for move in moves if done else []:
        ends: dict[int, Evaluation] = {}

        def change(index: int, count: int, move: Move = move, ends: dict[int, Evaluation] = ends) -> float | None:
            """By how many ulps a number moves for each of so many ulps of the inputs."""
            if count not in ends:
                ends[count] = _moved(graph, steps, base, move, count)
            y = ends[count].values[index]
            gap = libmp.mpf_sub(y, base.values[index], 60, "n") if defined(y) else None
            return None if gap is None else _ulps(gap, known.values[index]) / abs(count)

        for index in done:
            found = [x for count in (1, -1) if (x := change(index, count)) is not None][:1]
            if found and found[0] > _TURNS:
                found += [x for count in (3, 5, 7) if (x := change(index, count)) is not None]
            if found:
                before = known.moves.get(index, 0.0)
                known.moves[index] = before + max(found) if add else max(before, *found)


def _moved(graph: Graph, steps: Any, base: Evaluation, move: Move, count: int) -> Evaluation:
    moved = {i: libmp.mpf_add(graph.numbers[i], libmp.from_man_exp(count * s, e)) for i, (e, s) in move.items()}
    return Evaluation(graph, steps, base.precision, inputs=moved, frozen=base.decisions)


def ulp_exponent(x: Raw, bits: int = 53) -> int:
    """The exponent of the distance of floats at x."""
    low, high = _RANGES[bits]
    return low if x == fzero else max(min(x[2] + x[3], high) - bits, low)


def _ulps(gap: Raw, at: Raw, bits: int = 53) -> float:
    """A gap in ulps of a number."""
    scaled = libmp.mpf_shift(libmp.mpf_abs(gap), -ulp_exponent(at, bits))
    try:
        return float(libmp.to_float(scaled))
    except OverflowError:
        return float("inf")


def _error(got: float, wanted: Raw, bits: int) -> float:
    """How many ulps a float is from the exact number; 0 for what is no number where that is beyond all floats."""
    if not np.isfinite(got):
        beyond = libmp.from_man_exp((1 << (bits + 1)) - 1, _RANGES[bits][1] - bits - 1)
        wrong = np.isinf(got) and (got < 0) != bool(wanted[0])
        return 0.0 if libmp.mpf_ge(libmp.mpf_abs(wanted), beyond) and not wrong else float("inf")
    return _ulps(libmp.mpf_sub(libmp.from_float(got), wanted), wanted, bits)
