"""`checkpoint`: a function that keeps nothing for the backward pass but its arguments, and runs again there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gradcli.autodiff import trees
from gradcli.autodiff.custom import Rule, Values, Vectors, apart
from gradcli.autodiff.linearize import Linearized
from gradcli.autodiff.randomness import Randomness
from gradcli.autodiff.transforms import jvp
from gradcli.autodiff.vmap import FlatFunction
from gradcli.graph.state import state
from gradcli.graph.values import CoreValue
from gradcli.ops.operands import as_core


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """`f`, whose nodes are not kept: a backward pass runs it again, from the same arguments and random numbers.

    `f` must depend on tracked values by its arguments alone: what it closes over is a constant to any derivative.
    """

    def call(*args: Any) -> Any:
        if state.recording is not None:
            return f(*args)
        xs = [as_core(x) for x in trees.leaves(args)]
        given = trees.like(args, xs)
        rule = _Again(f, given, Randomness())
        return apart(f, given, lambda result: rule, xs)

    return call


class _Again(Rule):
    """The derivative of a function by running it once more."""

    def __init__(self, f: Callable[..., Any], args: Sequence[Any], random: Randomness) -> None:
        self._f, self._args, self._random = f, args, random

    def _flat(self, *xs: CoreValue) -> list[CoreValue]:
        return [as_core(y) for y in trees.leaves(self._f(*trees.like(self._args, xs)))]

    def vjp(self, gs: Values, ys: Values, xs: Values) -> Vectors:
        with self._random.again():
            run = Linearized(self._flat, xs)
        return run.pull(gs)

    def jvp(self, ts: Values, ys: Values, xs: Values) -> Vectors:
        with self._random.again():
            _, moved = jvp(self._flat, list(xs), list(ts))
        return list(moved)

    def function(self) -> FlatFunction:
        def again(*xs: CoreValue) -> list[CoreValue]:
            with self._random.again():
                return self._flat(*xs)

        return again
