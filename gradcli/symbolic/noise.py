"""Random ulps: what the rounding of a program's dtypes does to numbers that are evaluated exactly.

An ulp is taken relative to its number, 2**-52.5 of it in double precision, between the two values that it may have;
near the smallest numbers of a dtype, where ulps get no smaller, it is that smallest one.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from itertools import accumulate, cycle
from random import Random

from gradcli.symbolic.numbers import BITS_OF_DIGIT, ONE, ZERO, Number, digits_of, two_to

#: Exponent of the smallest number of a dtype, by its precision: below it an ulp gets no smaller.
_SMALLEST = {53: -1074, 24: -149, 11: -24, 8: -133, 64: -16445}
#: Decimal exponents below which that matters, and above which a number is beyond the dtype.
_LOW = {53: -290, 24: -30, 11: -2, 8: -30, 64: -4900}
_BEYOND = {53: 308, 24: 38, 11: 4, 8: 38, 64: 4932}
#: Parts of an ulp that are told apart, and ulps that the rounding of a sum may amount to.
_PARTS, _ULPS = 64, 128
#: How many random factors there are before they come again, a prime; and how many sets of them for sums of one length.
_DRAWN, _KEPT = 32_771, 61


@cache
def _factors(bits: int, ulps: int) -> list[Number]:
    """1 + k/64 ulps, for all k up to so many ulps either way."""
    with digits_of(12):
        part = two_to(-bits) * Decimal("1.41421356") / _PARTS
        parts = [part * k for k in range(-ulps * _PARTS, ulps * _PARTS + 1)]
    with digits_of(80):
        return [ONE + part for part in parts]


class Disturbance:
    """A source of random ulps, the same for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._streams: dict[int, Iterator[Number]] = {}
        self._weights: dict[tuple[int, int], list[list[Number]]] = {}

    def stream(self, bits: int) -> Iterator[Number]:
        """Random factors without end, each off from 1 by a random part of an ulp of a dtype of `bits` precision."""
        found = self._streams.get(bits)
        if found is None:
            found = self._streams[bits] = cycle(self._random.choices(_factors(bits, 1), k=_DRAWN))
        return found

    def weights(self, bits: int, count: int) -> list[Number]:
        """Factors for the terms of a sum: each is off by an ulp, and by those of all sums that it takes part in."""
        known = self._weights.setdefault((bits, count), [])
        if len(known) == _KEPT:
            return self._random.choice(known)
        known.append(self._drawn_weights(bits, count))
        return known[-1]

    def _drawn_weights(self, bits: int, count: int) -> list[Number]:
        table = _factors(bits, _ULPS)
        parts = self._random.choices(range(-_PARTS, _PARTS + 1), k=2 * count)
        carried = reversed([*accumulate(parts[count:])])
        limit = _ULPS * _PARTS
        places = (own + later for own, later in zip(parts[:count], carried, strict=True))
        return [table[limit + min(max(k, -limit), limit)] for k in places]

    def moved(self, x: Number, bits: int, *, by: Number = ZERO) -> Number:
        """`x` moved by a random part of an ulp, up to one, of a dtype of `bits` precision.

        Where `x` is a derivative by a number `by` beyond the dtype's range, nobody computes with either in that dtype:
        then its ulp has no smallest size.
        """
        if is_low(x, bits) and not (by and by.adjusted() >= _BEYOND.get(bits, 308)):
            return x + self.ulp(x, bits)
        return x * next(self.stream(bits))

    def ulp(self, x: Number, bits: int) -> Number:
        """A random part of an ulp of `x`, up to one either way, of a dtype of `bits` precision."""
        if not x or not x.is_finite():
            return ZERO
        exponent = max(int((x.adjusted() + 1) * BITS_OF_DIGIT) - bits, _SMALLEST.get(bits, -1074))
        return Decimal(self._random.randint(-_PARTS, _PARTS)) / _PARTS * two_to(exponent)


def is_low(x: Number, bits: int) -> bool:
    """Whether a number is so small that ulps of a dtype of `bits` precision may have stopped to shrink."""
    return x.adjusted() < low_from(bits) and bool(x)


def low_from(bits: int) -> int:
    """The decimal exponent below which numbers are low, see `is_low`."""
    return _LOW.get(bits, -290)
