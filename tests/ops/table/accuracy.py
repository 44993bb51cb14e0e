"""How many ulps a call's value, vjp and jvp are from the exact answer, and how many nobody can avoid."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from gradcli.autodiff import jvp, vjp
from gradcli.symbolic.evaluate import Evaluation, plan
from gradcli.symbolic.functions import defined
from gradcli.symbolic.scalars import Graph, exact
from table.calls import Array, Call, moving_nodes
from table.explained import LIMITS
from table.oracle import Exact, Pairs, random_like
from table.peers import peers_results
from table.settled import DOUBTED, PRECISIONS, Known, Move, bits_of, disturb, settled, ulp_exponent

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


class Reference(NamedTuple):
    """What the engine should say of a call.

    Attributes:
        parts: (kind, the oracle's scalars, the peer's array or None) of each array that the engine says.
        known: the exact numbers.
        graph: what they were found in.
        steps: the exponent of the ulp that each number that went in moves by.
        bent: which points sit on a kink; None for a call whose numbers hang together.
    """

    parts: list[tuple[str, Pairs, Array | None]]
    known: Known
    graph: Graph
    steps: dict[int, int]
    bent: Array | None

    def errors(self, answers: list[Array]) -> list[Error]:
        """The errors of what the engine said, but where the exact answer is undefined."""
        self._confirm(answers)
        if self.bent is None:
            self._condition(answers)
        found = []
        for got, (kind, pairs, peer) in zip(answers, self.parts, strict=True):
            for n, (x, pair) in enumerate(zip(np.ravel(got), pairs, strict=True)):
                if (self.bent is not None and self.bent[n]) or not self.known.holds(pair):
                    continue
                raw, moves = self.known.judged(x, pair, bits_of(got))
                theirs = None if peer is None else self.known.judged(np.ravel(peer)[n], pair, bits_of(got))[0]
                found.append(Error(kind, raw, moves, theirs, n, x))
        return found

    def _confirm(self, answers: list[Array]) -> None:
        """Look at the exact numbers that were not met with the most bits: at fewer, a small part may have got lost."""
        off = {i for _, raw, _, indices in self._judged(answers) if raw > DOUBTED for i in indices}
        doubted = off - self.known.confirmed
        if doubted:
            exact = Evaluation(self.graph, plan(self.graph, sorted(doubted)), PRECISIONS[-1])
            self.known.values.update((i, exact.values[i]) for i in doubted if defined(exact.values[i]))
            self.known.confirmed.update(doubted)

    def _condition(self, answers: list[Array]) -> None:
        """What numbers off by more than the limits do when each that went in is moved by itself, added up.

        A few moves of whole arrays, which are cheaper, don't meet the worst direction.
        """
        over = {i for kind, raw, moves, indices in self._judged(answers) if _over(kind, raw, moves) for i in indices}
        if over:
            wanted = sorted(over)
            steps = plan(self.graph, wanted)
            for index in wanted:
                self.known.moves[index] = 0.0
            base = Evaluation(self.graph, steps, PRECISIONS[1])
            alone = [{i: (exponent, 1)} for i, exponent in self.steps.items()]
            disturb(self.graph, steps, base, wanted, self.known, alone, add=True)

    def _judged(self, answers: list[Array]) -> Iterator[tuple[str, float, float, list[int]]]:
        """(kind, error, how far the exact number moves, its scalars) of each number known."""
        for got, (kind, pairs, _) in zip(answers, self.parts, strict=True):
            for x, pair in zip(np.ravel(got), pairs, strict=True):
                if self.known.holds(pair):
                    yield kind, *self.known.judged(x, pair, bits_of(got)), [i for i in pair if i is not None]


def _over(kind: str, raw: float, moves: float) -> bool:
    return raw / max(1.0, moves) > LIMITS[kind]


def errors(call: Call, *, pointwise: bool, seed: int = 0) -> list[Error]:
    """The errors of everything that the engine says of a call, but where the exact answer is undefined.

    What goes in is moved by an ulp of each number, or of the largest of its array where the function is of a family for
    which that is what the best algorithms bear. Points: each argument by itself, and what that does is added up.
    Arrays: all at once in some random ways, and where an error is above the limit by that, each number by itself.

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
    return Reference(parts, known, oracle.graph, steps, _kinks(call) if pointwise else None)


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
            own = [ulp_exponent(self.graph.numbers[i]) for i in indices]
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
    for node in moving_nodes(call):
        if node.op.kink is not None:
            inner = [getattr(x, "value", x) for x in node.inputs]
            marked = np.asarray(node.op.kink(*inner, **node.params))
            if marked.shape in ((), (count,)):
                found |= marked
    return found
