"""What a precision swallows: how many digits it takes to see the small number in 1 + exp(-441).

Two evaluations that both swallow it agree with each other, and with nothing true. So an evaluation is searched for sums
of which a term leaves no trace, and for values that rounded to a limit of their function (tanh to 1, cos to 1); the
largest distance between what was kept and what was lost tells the digits that lose nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gradcli.symbolic.evaluate import Evaluation, Plan
from gradcli.symbolic.numbers import BITS_OF_DIGIT, Number
from gradcli.symbolic.scalars import DOT, SUM, Graph

Measure = Callable[[Sequence[Any], Sequence[int], Number], int]
#: More digits than this are never asked for: what is so small meets no number of any dtype that could show it.
MOST = 1_400
#: Digits and scalars together, above which more digits would take too long.
_WORK = 30_000_000
#: Decimal digits of a factor of e.
_PER_UNIT = 0.4343


def deepest(count: int) -> int:
    """The most digits that so many scalars can be evaluated to."""
    return min(MOST, _WORK // max(count, 1))


def lossless(graph: Graph, steps: Plan, precision: int) -> Evaluation:
    """An evaluation to so many bits, or to as many more as it takes to lose no number."""
    found = Evaluation(graph, steps, precision)
    lost = digits_lost(found, steps)
    return Evaluation(graph, steps, precision + int(lost * BITS_OF_DIGIT)) if lost else found


def digits_lost(evaluation: Evaluation, steps: Plan) -> int:
    """How many digits apart the numbers are of which an evaluation lost the smaller; 0 where it lost none."""
    most, found = deepest(len(steps.places)), 0
    names, arguments = steps.graph.functions, steps.graph.arguments
    numbers, digits = evaluation.numbers, evaluation.digits
    for place in steps.places:
        measure = _MEASURES.get(names[place])
        if measure is not None:
            gap = measure(numbers, arguments[place], numbers[place])
            if digits <= gap + 2 and found < gap <= most:
                found = gap
    return found


# --- distances, in digits, between what a function keeps and what it may lose -----------------------------------------


def _of_sum(numbers: Sequence[Any], words: Sequence[int], value: Number) -> int:
    a, b = numbers[words[0]], numbers[words[1]]
    return abs(a.adjusted() - b.adjusted()) if a and b else 0


def _of_many(numbers: Sequence[Any], words: Sequence[int], value: Number) -> int:
    return _spread(x.adjusted() for x in map(numbers.__getitem__, words) if x)


def _of_products(numbers: Sequence[Any], words: Sequence[int], value: Number) -> int:
    half = len(words) // 2
    pairs = zip(map(numbers.__getitem__, words[:half]), map(numbers.__getitem__, words[half:]), strict=True)
    return _spread(x.adjusted() + y.adjusted() for x, y in pairs if x and y)


def _spread(exponents: Iterator[int]) -> int:
    found = list(exponents)
    return max(found) - min(found) if found else 0


def _of_small(order: int) -> Measure:
    """Of a function that begins with a number and a power of this order of its argument."""

    def measure(numbers: Sequence[Any], words: Sequence[int], value: Number) -> int:
        x = numbers[words[-1]]
        return max(-order * x.adjusted(), 0) if x and x.is_finite() else 0

    return measure


def _of_large(numbers: Sequence[Any], words: Sequence[int], value: Number) -> int:
    """Of a function that tends to a limit as fast as 1/x."""
    x = numbers[words[0]]
    return max(int(x.adjusted()), 0) if x and x.is_finite() else 0


def _of_limit(digits: Callable[[float], float]) -> Measure:
    """Of a function that tends to whole numbers exponentially; `digits` says how fast."""

    def measure(numbers: Sequence[Any], words: Sequence[int], value: Number) -> int:
        if value != value.to_integral_value() or not value:
            return 0
        x = float(abs(numbers[words[-1]]))
        return int(digits(x)) if x < 10 * MOST else 0

    return measure


def _larger(first: Measure, second: Measure) -> Measure:
    return lambda numbers, words, value: max(first(numbers, words, value), second(numbers, words, value))


_MEASURES: dict[str, Measure] = {
    "add": _of_sum,
    "sub": _of_sum,
    SUM: _of_many,
    DOT: _of_products,
    "exp": _of_small(1),
    "pow": _of_small(1),
    "acos": _of_small(1),
    "log1p": _of_small(1),
    **dict.fromkeys(("sin", "cos", "tan", "asin", "sinh", "cosh", "asinh", "atanh", "sinc"), _of_small(2)),
    "atan": _larger(_of_small(2), _of_large),
    "expm1": _larger(_of_small(1), _of_limit(lambda x: _PER_UNIT * x)),
    "tanh": _larger(_of_small(2), _of_limit(lambda x: 2 * _PER_UNIT * x)),
    "erf": _larger(_of_small(2), _of_limit(lambda x: _PER_UNIT * x * x)),
    "erfc": _larger(_of_small(1), _of_limit(lambda x: _PER_UNIT * x * x)),
}
