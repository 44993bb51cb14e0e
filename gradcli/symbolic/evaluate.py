"""The values of a graph's scalars at any precision, plain or disturbed.

Three kinds of evaluation serve the oracle. The plain one gives the answer. One with noise moves every rounded scalar by
a random ulp, with all decisions (signs, larger ones, floors) as they were. One beside a kink is taken at a point a tiny
step away, where what was tied is decided anew: by how its difference changed from the tied one.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from gradcli.symbolic.arithmetic import (
    ARITHMETIC,
    BENT,
    COLLECTIVE,
    decidable,
    decision,
    difference,
    outcome,
    pair,
    side,
    through_mpmath,
    value_at,
)
from gradcli.symbolic.functions import Raw
from gradcli.symbolic.nearby import PAIRED, THEOREMS, Known, beside
from gradcli.symbolic.noise import Disturbance, low_from
from gradcli.symbolic.numbers import ONE, UNDEFINED, ZERO, Number, digits_for, digits_of, from_raw, to_raw
from gradcli.symbolic.scalars import DOT, GATE, INPUT, NUMBER, PART, SUM, UNKNOWN, Graph

#: Marks a value whose rounding is more than a factor.
_BY_HAND = 128
#: Sums, of which the rounding of every term counts, not the result's alone.
_SUMS = frozenset((SUM, DOT))
_ROUNDED_TOGETHER = _SUMS | {PART}


class Tie(NamedTuple):
    """A decision that could fall either way: `difference` is what was compared with zero, counted from `anchor`."""

    difference: Number
    anchor: int
    settled: int


class Plan:
    """What has to be evaluated, in order.

    Attributes:
        places: the scalars.
        functions: for each what decimals compute it by, None where it takes more than that.
        first, second: its arguments' places, -1 where there are none; where `first` is, too, the function takes all
            values and all places.
    """

    def __init__(self, graph: Graph, places: list[int]) -> None:
        self.graph = graph
        self.places = places
        self._roundings: tuple[Evaluation | None, bytearray] | None = None
        self.functions: list[Callable[..., Number] | None] = []
        self.first: list[int] = []
        self.second: list[int] = []
        names, arguments = graph.functions, graph.arguments
        for place in places:
            name, words = names[place], arguments[place]
            f = ARITHMETIC.get(name)
            if f is None:
                self.functions.append(COLLECTIVE.get(name))
                self.first.append(-1)
                self.second.append(-1)
            else:
                self.functions.append(f)
                self.first.append(words[0])
                self.second.append(words[1] if len(words) > 1 else -1)

    def __len__(self) -> int:
        return len(self.places)

    def __iter__(self) -> Iterator[int]:
        return iter(self.places)

    def roundings(self, known: Evaluation | None) -> bytearray:
        """How each value is rounded: 0 where it is not, else to so many bits, or by hand where there is more to it.

        `known` is a plain evaluation, which tells what is near the smallest numbers of its dtype.
        """
        if self._roundings is not None and self._roundings[0] is known:
            return self._roundings[1]
        names = self.graph.functions
        found = bytearray(map(self.graph.bits.__getitem__, self.places))
        for k, place in enumerate(self.places):
            bits = found[k]
            if bits:
                x = None if known is None else known.numbers[place]
                if x is None or x.adjusted() < low_from(bits) or names[place] in _ROUNDED_TOGETHER:
                    found[k] = _BY_HAND
        self._roundings = known, found
        return found


def plan(graph: Graph, roots: Iterable[int]) -> Plan:
    """What has to be evaluated for `roots`."""
    wanted = bytearray(len(graph))
    for index in roots:
        wanted[index] = 1
    arguments = graph.arguments
    for index in range(len(graph) - 1, -1, -1):
        if wanted[index]:
            for a in arguments[index]:
                wanted[a] = 1
    return Plan(graph, [index for index, flag in enumerate(wanted) if flag])


class Evaluation:
    """The values of a plan's scalars.

    `inputs` are other values of some inputs. `known` is an evaluation at the same point, or one a tiny step away, that
    functions are read beside. `start` is one that this one only adds to.

    Attributes:
        numbers: by index; None where not planned.
        decisions: what each bent function decided, by index.
        solutions: the unknowns of each system of equations, by its gate.
        factors: a place for what rows of derivatives share, by gate.
    """

    def __init__(
        self,
        graph: Graph,
        steps: Plan,
        precision: int,
        *,
        inputs: Mapping[int, Raw] | None = None,
        noise: Disturbance | None = None,
        frozen: Mapping[int, int] | None = None,
        ties: Mapping[int, Tie] | None = None,
        start: Evaluation | None = None,
        known: Evaluation | None = None,
    ) -> None:
        self.graph = graph
        self.precision = precision
        self.digits = digits_for(precision)
        self.numbers: list[Any] = [None] * len(graph) if start is None else list(start.numbers)
        self.decisions: dict[int, int] = {} if start is None else dict(start.decisions)
        self.solutions: dict[int, list[Number]] = {} if start is None else dict(start.solutions)
        self.factors: dict[int, Any] = {}
        self._partners: dict[int, Number] = {}
        self._largest_of: dict[int, Number] = {}
        self._inputs, self._noise, self._frozen = inputs or {}, noise, frozen
        self._ties, self._known = ties or {}, known
        with digits_of(self.digits):
            if noise is None:
                self._run(steps)
            else:
                self._run_disturbed(steps, noise)

    @property
    def values(self) -> _Raws:
        """The values as mpmath's numbers."""
        return _Raws(self)

    def within(self) -> Any:
        """Arithmetic of this evaluation's precision, for a `with` statement."""
        return digits_of(self.digits)

    def _run(self, steps: Plan) -> None:
        numbers, special = self.numbers, self._special
        for place, f, a, b in zip(steps.places, steps.functions, steps.first, steps.second, strict=True):
            if f is None:
                numbers[place] = special(place)
            elif b >= 0:
                numbers[place] = f(numbers[a], numbers[b])
            elif a >= 0:
                numbers[place] = f(numbers[a])
            else:
                numbers[place] = f(numbers, self.graph.arguments[place])

    def _run_disturbed(self, steps: Plan, noise: Disturbance) -> None:
        numbers, special = self.numbers, self._special
        kinds = steps.roundings(self._known)
        streams = {bits: noise.stream(bits) for bits in set(kinds) if 0 < bits < _BY_HAND}
        for place, f, a, b, kind in zip(steps.places, steps.functions, steps.first, steps.second, kinds, strict=True):
            if f is None:
                x = special(place)
            elif b >= 0:
                x = f(numbers[a], numbers[b])
            elif a >= 0:
                x = f(numbers[a])
            else:
                x = f(numbers, self.graph.arguments[place])
            if kind:
                x = x * next(streams[kind]) if kind < _BY_HAND else self._moved(place, x, noise)
            numbers[place] = x

    def _moved(self, place: int, x: Number, noise: Disturbance) -> Number:
        """A value that is near the smallest of its dtype, or a sum, or part of a matrix: moved by random ulps."""
        name, words, bits = self.graph.functions[place], self.graph.arguments[place], self.graph.bits[place]
        if name == PART:
            return x + noise.ulp(self._largest(self.graph.wholes[place]), bits)
        if name not in _SUMS or not x.is_finite() or (x and x.adjusted() < low_from(bits)):
            return noise.moved(x, bits)
        parts = [self.numbers[a] for a in words]
        if name == "dot":
            half = len(parts) // 2
            parts = list(map(operator.mul, parts[:half], parts[half:]))
        return sum(map(operator.mul, parts, noise.weights(bits, len(parts))), ZERO)

    def _largest(self, whole: range) -> Number:
        """The largest element of a matrix."""
        found = self._largest_of.get(whole.start)
        if found is None:
            elements = [self.numbers[self.graph.arguments[place][0]] for place in whole]
            found = self._largest_of[whole.start] = max((abs(x) for x in elements if x is not None), default=ZERO)
        return found

    # --- what is no plain arithmetic ---------------------------------------------------------------------------------

    def _special(self, place: int) -> Number:
        graph = self.graph
        name, words = graph.functions[place], graph.arguments[place]
        if name in (NUMBER, INPUT):
            return from_raw(self._inputs.get(place) or graph.numbers[place])
        if name in THEOREMS:
            return self._smooth(place, name, words[0])
        if name in BENT:
            return self._bent(place, name, words)
        if name == UNKNOWN:
            return self.solutions[words[0]][place - words[0] - 1]
        if name == GATE:
            self.solutions[place] = graph.systems[place].solved(self.numbers, self.digits, self._noise)
            return ONE
        return through_mpmath(name, [self.numbers[a] for a in words])

    def _smooth(self, place: int, name: str, a: int) -> Number:
        """A function that is read beside a point where it is known, if there is one."""
        x: Number = self.numbers[a]
        known = self._known
        if known is not None and known.numbers[place] is not None and known.numbers[place].is_finite():
            partner = known._partners.get(place)
            if partner is not None or name not in PAIRED:
                found = beside(name, x, Known(known.numbers[a], known.numbers[place], partner or ZERO))
                if found is not None:
                    return found
        if name not in PAIRED or not x.is_finite() or x.adjusted() > 3:
            return through_mpmath(name, (x,))
        even, odd = pair(name, x)
        is_even = name in ("cos", "cosh")
        self._partners[place] = odd if is_even else even
        return even if is_even else odd

    def _bent(self, place: int, name: str, words: tuple[int, ...]) -> Number:
        args = [self.numbers[a] for a in words]
        if not decidable(name, args):
            return UNDEFINED
        if self._frozen is not None and place in self._frozen:
            decided = self._frozen[place]
        elif place in self._ties:
            decided = _decided_anew(name, args, self._ties[place])
        else:
            decided = decision(name, args)
        self.decisions[place] = decided
        return outcome(name, args, decided)


class _Raws:
    """The values of an evaluation as mpmath has numbers."""

    def __init__(self, evaluation: Evaluation) -> None:
        self._evaluation = evaluation

    def __getitem__(self, index: int) -> Raw:
        found = self._evaluation.numbers[index]
        with self._evaluation.within():
            return None if found is None else to_raw(found)


def _decided_anew(name: str, args: Sequence[Number], tie: Tie) -> int:
    s = side(difference(name, args, tie.anchor) - tie.difference)
    if name == "floor":
        return tie.anchor if s >= 0 else tie.anchor - 1
    if name == "round":
        return tie.anchor + 1 if s > 0 else tie.anchor if s < 0 else tie.settled
    return s


class Reader:
    """Values on demand while a graph grows; None where they depend on inputs that are known by shape alone."""

    _PRECISION = 300

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._values: dict[int, Number | None] = {}
        self._solutions: dict[int, list[Number]] = {}
        self._digits = digits_for(self._PRECISION)

    def value(self, index: int) -> Raw | None:
        """The value of one scalar, as mpmath has numbers."""
        found = self.number(index)
        with digits_of(self._digits):
            return None if found is None else to_raw(found)

    def number(self, index: int) -> Number | None:
        """The value of one scalar."""
        values = self._values
        if index not in values:
            with digits_of(self._digits):
                for i in self._missing(index):
                    values[i] = self._one(i)
        return values[index]

    def _missing(self, index: int) -> list[int]:
        """What must be evaluated for a scalar, in order."""
        arguments, values = self._graph.arguments, self._values
        found, pending = {index}, [index]
        while pending:
            for a in arguments[pending.pop()]:
                if a not in values and a not in found:
                    found.add(a)
                    pending.append(a)
        return sorted(found)

    def _one(self, index: int) -> Number | None:
        graph = self._graph
        name, words = graph.functions[index], graph.arguments[index]
        if name in (NUMBER, INPUT):
            raw = graph.numbers[index]
            return None if raw is None else from_raw(raw)
        args = [self._values[a] for a in words]
        if any(x is None for x in args):
            return None
        if name == UNKNOWN:
            return self._solutions[words[0]][index - words[0] - 1]
        if name == GATE:
            self._solutions[index] = graph.systems[index].solved(self._values, self._digits, None)
            return ONE
        return value_at(name, [x for x in args if x is not None])
