"""The values of a graph's scalars in mpmath, at any precision, plain or disturbed.

Three kinds of evaluation serve the oracle. The plain one gives the answer. One with noise moves every rounded scalar by
a random ulp, with all decisions (signs, larger ones, floors) as they were. One beside a kink is taken at a point a tiny
step away, where what was tied is decided anew: by how its difference changed from the tied one.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from mpmath import libmp
from mpmath.libmp import ComplexResult, fhalf, fone, fzero

from gradcli.symbolic.functions import FUNCTIONS, UNDEFINED, Raw, defined, nearest_integer, side
from gradcli.symbolic.scalars import INPUT, NUMBER, Graph

#: Functions whose value hangs on a decision.
BENT = frozenset(name for name, f in FUNCTIONS.items() if f.bends)
_FAILURES = (ComplexResult, ZeroDivisionError, ValueError, OverflowError, NotImplementedError)
#: Exponent of the smallest number of a dtype, by its precision: below it an ulp gets no smaller.
_SMALLEST = {53: -1074, 24: -149, 11: -24, 8: -133}
#: Exponent that numbers of a dtype stay below, by its precision.
_LARGEST = {53: 1024, 24: 128, 11: 16, 8: 128}


class Tie(NamedTuple):
    """A decision that could fall either way: `difference` is what was compared with zero, counted from `anchor`."""

    difference: Raw
    anchor: int
    settled: int


class Step(NamedTuple):
    """One entry of an evaluation's plan."""

    place: int
    value: Any
    arguments: tuple[int, ...]
    bits: int


def plan(graph: Graph, roots: Iterable[int]) -> list[Step]:
    """What has to be evaluated for `roots`, in order."""
    wanted = bytearray(len(graph))
    for index in roots:
        wanted[index] = 1
    functions, arguments = graph.functions, graph.arguments
    for index in range(len(graph) - 1, -1, -1):
        if wanted[index]:
            for a in arguments[index]:
                wanted[a] = 1
    steps = []
    for index in range(len(graph)):
        if wanted[index]:
            name = functions[index]
            f = None if name in (NUMBER, INPUT) or name in BENT else FUNCTIONS[name].value
            steps.append(Step(index, f, arguments[index], graph.bits[index]))
    return steps


class Disturbance:
    """A source of random ulps, the same for the same seed."""

    def __init__(self, seed: int, precision: int) -> None:
        self._bits = random.Random(seed).getrandbits
        self._precision = precision

    def moved(self, x: Raw, bits: int, *, by: Raw = fzero) -> Raw:
        """`x` moved by a random part of an ulp, up to one, of a dtype of `bits` precision.

        Where `x` is a derivative by a number `by` beyond the dtype's range, nobody computes with either in that dtype:
        then its ulp has no smallest size.
        """
        sign, mantissa, exponent, length = x
        if not mantissa:
            return x
        part = self._bits(21) - (1 << 20)
        room = length - bits - 20
        if by[2] + by[3] > _LARGEST.get(bits, 1024):
            change = libmp.from_man_exp(part, exponent + length - bits - 20)
            return libmp.mpf_add(x, change, self._precision, "n")
        if room > 0 and exponent + length > -900:  # a long mantissa: the change is far above its last bit
            mantissa += part << room
            return sign, mantissa, exponent, mantissa.bit_length()
        exponent = max(exponent + length - bits, _SMALLEST.get(bits, -1074))
        change = libmp.from_man_exp(part, exponent - 20)
        return libmp.mpf_add(x, change, self._precision, "n")


class Evaluation:
    """The values of a plan's scalars.

    Attributes:
        values: by index; None where not planned.
        decisions: what each bent function decided, by index.
    """

    __slots__ = ("decisions", "precision", "values")

    def __init__(
        self,
        graph: Graph,
        steps: Sequence[Step],
        precision: int,
        *,
        inputs: Mapping[int, Raw] | None = None,
        noise: Disturbance | None = None,
        frozen: Mapping[int, int] | None = None,
        ties: Mapping[int, Tie] | None = None,
        start: Evaluation | None = None,
    ) -> None:
        self.precision = precision
        self.values: list[Any] = [None] * len(graph) if start is None else list(start.values)
        self.decisions: dict[int, int] = {} if start is None else dict(start.decisions)
        self._run(graph, steps, inputs or {}, noise, frozen, ties or {})

    def _run(
        self,
        graph: Graph,
        steps: Sequence[Step],
        inputs: Mapping[int, Raw],
        noise: Disturbance | None,
        frozen: Mapping[int, int] | None,
        ties: Mapping[int, Tie],
    ) -> None:
        values, precision, functions, numbers = self.values, self.precision, graph.functions, graph.numbers
        for index, f, words, bits in steps:
            try:
                if f is None:
                    if not words:
                        found = inputs.get(index) or numbers[index]
                    else:
                        found = self._bent(index, functions[index], words, frozen, ties)
                elif len(words) == 2:
                    found = f(values[words[0]], values[words[1]], precision, "n")
                elif len(words) == 1:
                    found = f(values[words[0]], precision, "n")
                elif words:
                    found = f(*(values[a] for a in words), precision, "n")
                else:
                    found = f(precision, "n")
            except _FAILURES:
                found = UNDEFINED
            if bits and noise is not None:
                found = noise.moved(found, bits)
            values[index] = found

    def _bent(
        self, index: int, name: str, words: tuple[int, ...], frozen: Mapping[int, int] | None, ties: Mapping[int, Tie]
    ) -> Raw:
        args = tuple(self.values[a] for a in words)
        if not all(defined(x) or x in (libmp.finf, libmp.fninf) for x in args):
            return UNDEFINED
        if name in ("floor", "round") and (not defined(args[0]) or args[0][2] + args[0][3] > 20_000):
            return UNDEFINED
        if frozen is not None and index in frozen:
            decision = frozen[index]
        elif index in ties:
            decision = _decided_anew(name, args, ties[index], self.precision)
        else:
            decision = _decision(name, args)
        self.decisions[index] = decision
        return _outcome(name, args, decision)


def _decision(name: str, args: tuple[Raw, ...]) -> int:
    if name == "floor":
        return int(libmp.to_int(libmp.mpf_floor(args[0])))
    if name == "round":
        return nearest_integer(args[0])
    return side(args[0]) if len(args) == 1 else int(libmp.mpf_cmp(*args))


def _outcome(name: str, args: tuple[Raw, ...], decision: int) -> Raw:
    if name in ("floor", "round", "sign"):
        return libmp.from_int(decision)
    if name == "abs":
        return libmp.mpf_abs(args[0]) if decision == 0 else libmp.mpf_neg(args[0]) if decision < 0 else args[0]
    if name == "step":
        return (fzero, fhalf, fone)[decision + 1]
    if name == "max":
        return args[0] if decision >= 0 else args[1]
    if name == "min":
        return args[0] if decision <= 0 else args[1]
    holds = {"lt": decision < 0, "le": decision <= 0, "eq": decision == 0}[name]
    return fone if holds else fzero


def anchored(name: str, args: tuple[Raw, ...]) -> int:
    """The integer that a step function's argument is counted from."""
    if name == "floor":
        return nearest_integer(args[0])
    if name == "round":
        return int(libmp.to_int(libmp.mpf_floor(args[0])))
    return 0


def difference(name: str, args: tuple[Raw, ...], anchor: int, precision: int) -> Raw:
    """What a bent function compares with zero."""
    if len(args) == 2:
        return libmp.mpf_sub(args[0], args[1], precision, "n")
    found = libmp.mpf_sub(args[0], libmp.from_int(anchor), precision, "n") if anchor else args[0]
    return libmp.mpf_sub(found, fhalf, precision, "n") if name == "round" else found


def _decided_anew(name: str, args: tuple[Raw, ...], tie: Tie, precision: int) -> int:
    now = difference(name, args, tie.anchor, precision)
    s = side(libmp.mpf_sub(now, tie.difference, precision, "n"))
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
        self._values: list[Raw | None] = []

    def value(self, index: int) -> Raw | None:
        """The value of one scalar."""
        graph, values = self._graph, self._values
        for i in range(len(values), index + 1):
            values.append(self._one(graph.functions[i], graph.arguments[i], graph.numbers[i]))
        return values[index]

    def _one(self, name: str, words: tuple[int, ...], number: Raw | None) -> Raw | None:
        if name in (NUMBER, INPUT):
            return number
        args = [self._values[a] for a in words]
        if any(x is None for x in args):
            return None
        try:
            found: Raw = FUNCTIONS[name].value(*args, self._PRECISION, "n")
        except _FAILURES:
            return UNDEFINED
        return found
