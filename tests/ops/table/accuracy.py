"""How many ulps a call's value, vjp and jvp are from the exact answer, and how many nobody can avoid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from mpmath import libmp
from mpmath.libmp import fzero

from gradcli.autodiff import jvp, vjp
from gradcli.symbolic.derivatives import is_dust
from gradcli.symbolic.evaluate import Evaluation, plan
from gradcli.symbolic.functions import Raw, defined
from gradcli.symbolic.scalars import Graph, exact
from table.calls import Array, Call, nodes
from table.oracle import Exact, Pairs, random_like
from table.peers import peers_results

KINDS = ("value", "vjp", "jvp")
#: Families whose algorithms are stable for an array as a whole: errors are small beside its largest element.
NORMWISE = ("linalg", "fft")


class Error(NamedTuple):
    """The error of one number.

    Attributes:
        kind: "value", "vjp" or "jvp".
        raw: in ulps of the exact number.
        moves: how many ulps the exact number moves when what went in moves by one.
        peer: the error of NumPy's or SciPy's value, or None.
        place: which number of the array it is.
        got: the number.
    """

    kind: str
    raw: float
    moves: float
    peer: float | None
    place: int
    got: Any

    @property
    def scaled(self) -> float:
        """The error in terms of what nobody can avoid."""
        return self.raw / max(1.0, self.moves)

    @property
    def borrowed(self) -> bool:
        """Whether NumPy's or SciPy's value is no better."""
        return self.peer is not None and self.raw <= self.peer


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
        return self.moves.get(index, 0.0) * 2.0 ** (_ulp_exponent(self.values[index], 53) - _ulp_exponent(size, bits))


class Reference(NamedTuple):
    """What the engine should say of a call.

    Attributes:
        parts: (kind, the oracle's scalars, the peer's array or None) of each array that the engine says.
        known: the exact numbers.
        graph: what they were found in.
        bent: which points sit on a kink; None for a call whose numbers hang together.
    """

    parts: list[tuple[str, Pairs, Array | None]]
    known: Known
    graph: Graph
    bent: Array | None

    def errors(self, answers: list[Array]) -> list[Error]:
        """The errors of what the engine said, but where the exact answer is undefined."""
        self._confirm(answers)
        found = []
        for got, (kind, pairs, peer) in zip(answers, self.parts, strict=True):
            for n, (x, pair) in enumerate(zip(np.ravel(got), pairs, strict=True)):
                if (self.bent is not None and self.bent[n]) or not self.known.holds(pair):
                    continue
                raw, moves = self.known.judged(x, pair, _bits(got))
                theirs = None if peer is None else self.known.judged(np.ravel(peer)[n], pair, _bits(got))[0]
                found.append(Error(kind, raw, moves, theirs, n, x))
        return found

    def _confirm(self, answers: list[Array]) -> None:
        """Look at the exact numbers that were not met with the most bits: at fewer, a small part may have got lost."""
        doubted = set()
        for got, (_, pairs, _) in zip(answers, self.parts, strict=True):
            for x, pair in zip(np.ravel(got), pairs, strict=True):
                if self.known.holds(pair) and self.known.judged(x, pair, _bits(got))[0] > _DOUBTED:
                    doubted.update(i for i in pair if i is not None and i not in self.known.confirmed)
        if doubted:
            exact = Evaluation(self.graph, plan(self.graph, sorted(doubted)), _PRECISIONS[-1])
            self.known.values.update((i, exact.values[i]) for i in doubted if defined(exact.values[i]))
            self.known.confirmed.update(doubted)


def errors(call: Call, *, pointwise: bool, seed: int = 0) -> list[Error]:
    """The errors of everything that the engine says of a call, but where the exact answer is undefined.

    What goes in is moved by an ulp of each number, or of the largest of its array where the function is of a family for
    which that is what the best algorithms bear.

    With `pointwise`, the call's arrays are vectors of points that have nothing to do with each other: derivatives are
    partial ones, and points on a kink are left out.
    """
    return reference(call, pointwise, seed).errors(answers(call, pointwise))


def answers(call: Call, pointwise: bool) -> list[Array]:
    """Everything that the engine says of a call: values, cotangents, tangents."""
    outputs = [np.asarray(y) for y in call()]
    if not call.function.differentiable:
        return outputs
    found = [*outputs, *vjp(call, *call.floats)[1](_cotangents(outputs, pointwise))]
    for tangents in _tangents(call, pointwise):
        found += jvp(call, call.floats, tangents)[1]
    return [np.asarray(x) for x in found]


def reference(call: Call, pointwise: bool, seed: int = 0) -> Reference:
    """The exact answers to the same questions."""
    outputs = [np.asarray(y) for y in call()]
    oracle = _Measured(call)
    parts: list[Any] = [
        ("value", pairs, peer) for pairs, peer in zip(oracle.outputs, _peers(call, outputs), strict=True)
    ]
    if call.function.differentiable:
        pulled = oracle.pulled_back(oracle.outputs, _cotangents(outputs, pointwise))
        parts += [("vjp", oracle.taken(pulled, pairs), None) for pairs in oracle.inputs]
        for tangents in _tangents(call, pointwise):
            pushed = oracle.pushed_forward(tangents)
            parts += [("jvp", oracle.taken(pushed, pairs), None) for pairs in oracle.outputs]
    roots = [i for _, pairs, _ in parts for pair in pairs for i in pair if i is not None]
    steps = oracle.steps(call.function.family in NORMWISE)
    moves = oracle.alone(steps) if pointwise else _together(steps, seed)
    known = settled(oracle.graph, roots, moves, pointwise)
    if pointwise and len(outputs) == 1:
        _only_both_ways(parts, known)
    return Reference(parts, known, oracle.graph, _kinks(call) if pointwise else None)


#: Exponents of the steps of inputs, and the signs that they have: inputs that stay are not mentioned.
Move = dict[int, tuple[int, int]]


def _together(steps: dict[int, int], seed: int) -> list[Move]:
    """All inputs up or down, in several ways."""
    generator = np.random.default_rng(seed)
    signs = [generator.choice([-1, 1], len(steps)) for _ in range(7)]
    return [{i: (e, int(s)) for (i, e), s in zip(steps.items(), turned, strict=True)} for turned in (*signs, -signs[0])]


def _only_both_ways(parts: list[tuple[str, Pairs, Array | None]], known: Known) -> None:
    """Forget tangents that are no numbers read backwards: the same partial derivatives, where a 0 may hide 0/0."""
    backward, forward = ([pairs for kind, pairs, _ in parts if kind == mode] for mode in ("vjp", "jvp"))
    for there, here in zip(backward, forward, strict=True):
        for pair, twin in zip(there, here, strict=True):
            if not known.holds(pair):
                for index in twin:
                    known.values.pop(-1 if index is None else index, None)


class _Measured(Exact):
    """The exact reading of a call whose cotangents and tangents are inputs, too."""

    def __init__(self, call: Call) -> None:
        super().__init__(call)
        self.weights: list[int] = []

    def weight(self, factor: float) -> int:
        made = self.graph.input("weight", 0, exact(factor))
        self.weights.append(made)
        return made

    def steps(self, normwise: bool) -> dict[int, int]:
        """The exponent of the step that each input makes."""
        found = {}
        for indices in [*([i for pair in pairs for i in pair if i is not None] for pairs in self.inputs), self.weights]:
            own = [_ulp_exponent(self.graph.numbers[i]) for i in indices]
            largest = max(own, default=0)
            found.update((i, largest if normwise else e) for i, e in zip(indices, own, strict=True))
        return found

    def alone(self, steps: dict[int, int]) -> list[Move]:
        """Of points that have nothing to do with each other: one argument after another, or one cotangent, is moved."""
        count = len(self.inputs[0])
        arrays = [[i for pair in pairs for i in pair if i is not None] for pairs in self.inputs]
        arrays += [self.weights[k : k + count] for k in range(0, len(self.weights), count)]
        return [{i: (steps[i], 1) for i in indices} for indices in arrays]


def _cotangents(outputs: list[Array], ones: bool) -> list[Array]:
    """Of partial derivatives, ones."""
    drawn = [np.ones(y.shape) for y in outputs] if ones else random_like(outputs, 2)
    return [g.astype(y.dtype) for g, y in zip(drawn, outputs, strict=True)]


def _tangents(call: Call, ones: bool) -> list[list[Array]]:
    """Of partial derivatives, ones for one array at a time."""
    if not ones:
        return [random_like(call.floats, 1)]
    return [[np.full(x.shape, float(i == j)) for j, x in enumerate(call.floats)] for i in range(len(call.floats))]


def _peers(call: Call, outputs: list[Array]) -> list[Any]:
    """NumPy's or SciPy's own values, or None for each."""
    nothing = [None] * len(outputs)
    try:
        theirs = [y for y in peers_results(call) if np.asarray(y).dtype.kind in "fc"]
    except Exception:  # a peer may object to anything in its own way
        return nothing
    return theirs if [np.shape(t) for t in theirs] == [y.shape for y in outputs] else nothing


def _kinks(call: Call) -> Array:
    """Points where some op bends."""
    count = call.floats[0].shape[0]
    found = np.zeros(count, dtype=bool)
    for node in nodes(call):
        if node.op.kink is not None:
            inner = [getattr(x, "value", x) for x in node.inputs]
            marked = np.asarray(node.op.kink(*inner, **node.params))
            if marked.shape in ((), (count,)):
                found |= marked
    return found


# --- exact numbers ---------------------------------------------------------------------------------------------------

#: Bits that two evaluations must agree in.
_AGREED = 80
#: An error from which on the exact number is doubted, too.
_DOUBTED = 1e3
_PRECISIONS = (160, 400, 1000, 2600)


def _bits(x: Array) -> int:
    """The precision of an array's dtype."""
    return int(np.finfo(x.dtype).nmant) + 1


def settled(graph: Graph, roots: Sequence[int], moves: list[Move], add: bool) -> Known:
    """Scalars at rising precision until two evaluations agree; those that never do, or are undefined, are left out.

    What they do when inputs make these moves is added up if they were moved one after another, and the largest of it
    otherwise. What comes out as 0 may be a difference too small to be seen, and is looked at with the most bits.
    """
    known = Known({}, {}, set())
    pending = sorted(set(roots))
    for precision in _PRECISIONS:
        if not pending:
            break
        steps = plan(graph, pending)
        gained = precision // 2
        rough, fine = Evaluation(graph, steps, precision), Evaluation(graph, steps, precision + gained)
        done = []
        for index in pending:
            a, b = rough.values[index], fine.values[index]
            nothing = b == fzero or is_dust(a, b, gained)
            if defined(a) and defined(b) and (precision == _PRECISIONS[-1] if nothing else _close(a, b)):
                known.values[index] = fzero if nothing else b
                done.append(index)
        _disturb(graph, steps, rough, done, known, moves, add)
        reached = set(done)
        pending = [i for i in pending if i not in reached and defined(fine.values[i])]
    return known


def _close(a: Raw, b: Raw) -> bool:
    gap = libmp.mpf_sub(a, b)
    return gap == fzero or gap[2] + gap[3] <= b[2] + b[3] - _AGREED


def _disturb(
    graph: Graph, steps: Any, base: Evaluation, done: list[int], known: Known, moves: list[Move], add: bool
) -> None:
    """Note how far numbers move when inputs move by an ulp."""
    for move in moves if done else []:
        moved = {i: libmp.mpf_add(graph.numbers[i], libmp.from_man_exp(s, e)) for i, (e, s) in move.items()}
        there = Evaluation(graph, steps, base.precision, inputs=moved, frozen=base.decisions)
        for index in done:
            y = there.values[index]
            if defined(y):
                change = _ulps(libmp.mpf_sub(y, base.values[index], 60, "n"), known.values[index])
                before = known.moves.get(index, 0.0)
                known.moves[index] = before + change if add else max(before, change)


#: The exponents of the smallest and beyond the largest number of a dtype, by its precision.
_RANGES = {53: (-1074, 1024), 24: (-149, 128), 11: (-24, 16)}


def _ulp_exponent(x: Raw, bits: int = 53) -> int:
    """The exponent of the distance of floats at x."""
    low, high = _RANGES[bits]
    return low if x == fzero else max(min(x[2] + x[3], high) - bits, low)


def _ulps(gap: Raw, at: Raw, bits: int = 53) -> float:
    """A gap in ulps of a number."""
    scaled = libmp.mpf_shift(libmp.mpf_abs(gap), -_ulp_exponent(at, bits))
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
