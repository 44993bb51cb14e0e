"""Where a function's accuracy is measured: points all over its domain, or its declared calls with other numbers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np

from gradcli.graph.errors import GradcliError
from gradcli.language import Program, Source
from gradcli.ops.function import Case, Function
from table.calls import Array, Call, intervals, is_floating, leaves, nodes, specs

#: Families of functions that may work on each element alone.
POINTWISE = ("elementwise", "activation", "special", "probability")
_SPECIAL = (0.0, 0.5, 1.0, -1.0, -0.5, 2.0, np.pi / 2, np.pi, -np.pi, 3.0, -2.0, 10.0, np.e, 1 / np.e, -1 / np.e)


def is_shape(a: Any) -> bool:
    """Whether an argument of a case stands for a random array."""
    return isinstance(a, tuple) and all(type(n) is int and n >= 0 for n in a)


# --- functions that work on each element alone -----------------------------------------------------------------------


@cache
def forms(function: Function) -> list[Case]:
    """The different calls of a function of each element alone, but for the shapes, which are (); [] of any other."""
    if function.family not in POINTWISE:
        return []
    found: dict[str, Case] = {}
    for spec in specs(function):
        if any(is_floating(x) for x in leaves([spec.args, spec.kwargs])) or not any(is_shape(a) for a in spec.args):
            continue
        marked = tuple(() if is_shape(a) else a for a in spec.args)
        if not any(isinstance(a, np.ndarray | list) and np.ndim(a) and not is_counts(function, a) for a in marked):
            words = ["counts" if is_counts(function, a) else a for a in marked]
            found.setdefault(repr((words, spec.kwargs)), Case(marked, spec.kwargs))
    most = max((len(_counts_of(function, form)) for form in found.values()), default=0)
    counted = [form for form in found.values() if len(_counts_of(function, form)) == most]
    return [form for form in counted if _is_pointwise(function, form)]


def _is_pointwise(function: Function, form: Case) -> bool:
    """Whether the form, called with vectors, gives vectors as long."""
    counts = [np.full(7, given[0]) for given in _counts_of(function, form)]
    call = Call(function, _spread(function, form, [np.full(7, end) for end in _middles(function, form)], counts), 0)
    try:
        with np.errstate(all="ignore"):
            outputs = call()
    except GradcliError:
        return False
    alone = all(node.op.promotes or node.op.name == "astype" for node in nodes(call))
    return alone and len(outputs) > 0 and all(y.shape == (7,) for y in outputs)


def _middles(function: Function, form: Case) -> list[float]:
    return [low + 0.61 * (high - low) for low, high in _ends(function, form)]


def _ends(function: Function, form: Case) -> list[Any]:
    """Where each drawn argument lies; a float that is given has an interval of its own, as in `Call`."""
    found = []
    ends = intervals(function)
    for a in form.args:
        if is_shape(a):
            found.append(next(ends))
        elif type(a) is float:
            next(ends)
    return found


def _places(form: Case) -> list[int]:
    return [i for i, a in enumerate(form.args) if is_shape(a)]


def _spread(function: Function, form: Case, columns: list[Array], counts: list[Array]) -> Case:
    floats, whole = iter(columns), iter(counts)
    args = [next(floats) if is_shape(a) else next(whole) if is_counts(function, a) else a for a in form.args]
    return Case(tuple(args), form.kwargs)


def pointwise_call(function: Function, form: Case, count: int, seed: int, near: bool = False) -> Call:
    """A call at `count` points: half of them ordinary ones, half all over where the function is defined.

    With `near`, all are ordinary.
    """
    generator = np.random.default_rng(seed)
    ordinary = _ordinary(function, form, count, generator)
    counts = _own_counts(function, form, count, generator)
    if not near:
        half = count // 2
        far, far_counts = _far(function, form, count - half, generator)
        ordinary = [np.concatenate([o[:half], f]) for o, f in zip(ordinary, far, strict=True)]
        counts = [np.concatenate([c[:half], f]) for c, f in zip(counts, far_counts, strict=True)]
    return Call(function, _spread(function, form, ordinary, counts), 0)


def ordinary_call(function: Function, form: Case, count: int, seed: int = 0) -> Call:
    """A call at ordinary points."""
    return pointwise_call(function, form, count, seed, near=True)


def columns_of(call: Call) -> list[Array]:
    """The vectors of a call at points."""
    return [a for a in call.args if isinstance(a, np.ndarray) and a.ndim]


def some_points(call: Call, part: Array) -> Call:
    """A call at some of its points."""
    made = call.at([x[part] for x in call.floats])
    made.args = [a[part] if isinstance(a, np.ndarray) and a.ndim and not is_floating(a) else a for a in made.args]
    return made


def _ordinary(function: Function, form: Case, count: int, generator: np.random.Generator) -> list[Array]:
    return [generator.uniform(*ends, count) for ends in _ends(function, form)]


def _far(function: Function, form: Case, count: int, generator: np.random.Generator) -> tuple[list[Array], list[Array]]:
    """Points wherever the function is defined, as many as are found in a number of attempts, and counts with them."""
    places, many = _places(form), 4 * count
    found = [np.zeros(0) for _ in places]
    found_counts = [np.zeros(0, dtype=np.int64) for _ in _counts_of(function, form)]
    for _ in range(60):
        drawn = [wide(generator, many) for _ in places]
        if len(places) > 1:  # not all arguments far out at once
            near = _ordinary(function, form, many, generator)
            drawn = [np.where(generator.random(many) < 0.35, n, d) for n, d in zip(near, drawn, strict=True)]
        counts = _any_counts(function, form, many, generator)
        if counts:
            drawn = [np.where(generator.random(many) < 0.5, _likely(counts, generator), d) for d in drawn]
        keep = holds(function, named(function, _spread(function, form, drawn, counts)), many)
        found = [np.concatenate([f, d[keep]]) for f, d in zip(found, drawn, strict=True)]
        found_counts = [np.concatenate([f, c[keep]]) for f, c in zip(found_counts, counts, strict=True)]
        if len(found[0]) >= count:
            break
    return [f[:count] for f in found], [f[:count] for f in found_counts]


def wide(generator: np.random.Generator, count: int) -> Array:
    """Points of all magnitudes and both signs, a third of them beside special ones."""
    signs = generator.choice([-1.0, 1.0], count)
    exponents = np.where(
        generator.random(count) < 0.5, generator.uniform(-20, 20, count), generator.uniform(-320, 308, count)
    )
    beside = generator.choice(_SPECIAL, count) + signs * 10.0 ** generator.uniform(-17, -1, count)
    return np.where(generator.random(count) < 1 / 3, beside, signs * 10.0**exponents)


def defaults(function: Function) -> dict[str, Any]:
    """What parameters stand for by themselves."""
    call = function.call
    positional = [p for p in function.parameters if not p.startswith("*") and p not in (call.__kwdefaults__ or {})]
    values = call.__defaults__ or ()
    found = dict(zip(positional[len(positional) - len(values) :], values, strict=True)) if values else {}
    return {**found, **(call.__kwdefaults__ or {})}


def named(function: Function, spec: Case, whole: bool = True) -> dict[str, Any]:
    """The arguments of a call by the names of the parameters; if `whole`, those with defaults too."""
    names = [p for p in function.parameters if not p.startswith("*")]
    found = {**dict(zip(names, spec.args, strict=False)), **spec.kwargs}
    return {**defaults(function), **found} if whole else found


def holds(function: Function, arguments: dict[str, Any], count: int) -> Array:
    """Where a function is defined, among points; everywhere where the declaration says it in words or not at all."""
    everywhere = np.ones(count, dtype=bool)
    if not function.defined:
        return everywhere
    try:
        program = Program.parse(Source("defined", function.defined))
    except GradcliError:
        return everywhere
    given = {name: x for name, x in arguments.items() if program.accepts(name)}
    if any(x is None for x in given.values()):
        return everywhere
    (found,) = program.run(given).cores()
    return np.broadcast_to(np.asarray(found, dtype=bool), count)


# --- counts, which are data ------------------------------------------------------------------------------------------


def is_counts(function: Function, a: Any) -> bool:
    """Whether an argument of a case stands for whole numbers of events, which no derivative is taken by."""
    return function.family == "probability" and isinstance(a, np.ndarray) and a.ndim == 1 and a.dtype.kind == "i"


def _counts_of(function: Function, form: Case) -> list[Array]:
    return [a for a in form.args if is_counts(function, a)]


def _own_counts(function: Function, form: Case, count: int, generator: np.random.Generator) -> list[Array]:
    """Counts that the case itself gives."""
    return _rising([generator.choice(given, count) for given in _counts_of(function, form)])


def _any_counts(function: Function, form: Case, count: int, generator: np.random.Generator) -> list[Array]:
    """Counts that the case gives, small ones, and ones up to a billion."""
    found = []
    for given in _counts_of(function, form):
        large = 10 ** generator.uniform(0, 9, count)
        own, small = generator.choice(given, count), generator.integers(0, 30, count)
        found.append(np.choose(generator.integers(0, 3, count), [own, small, large]).astype(np.int64))
    return _rising(found)


def _rising(counts: list[Array]) -> list[Array]:
    """No count above the one that follows: that of successes, and that of trials."""
    return list(np.cumsum(counts, axis=0)) if counts else []


def _likely(counts: list[Array], generator: np.random.Generator) -> Array:
    """Parameters that make counts likely, or nearly so: expectations, and shares of all."""
    events, all_events = np.maximum(counts[0], 1), np.maximum(counts[-1], 1)
    share = events / all_events if len(counts) > 1 else 1 / events
    aside = 1 + generator.normal(size=len(events)) * 10.0 ** generator.uniform(-17, 0, len(events))
    return np.where(generator.random(len(events)) < 0.5, events, share) * aside


# --- all others ------------------------------------------------------------------------------------------------------


def drawn_calls(function: Function, seed: int) -> Iterator[Call]:
    """The declared calls with other random numbers, over and over; arrays that a case gives are moved a little."""
    generator = np.random.default_rng(seed)
    draw = seed
    while True:
        draw += 1
        for i, spec in enumerate(specs(function)):
            call = Call(function, spec, i, draw)
            if any(x.size for x in call.floats):
                yield moved(call, generator)


#: Functions of what arrays have in common: there, equal numbers stay equal.
_OF_COMMON = frozenset({"intersect1d"})


def moved(call: Call, generator: np.random.Generator, size: float = 0.03) -> Call:
    """A call whose given arrays are moved a little; random ones stay."""
    if call.function.name in _OF_COMMON:
        values = np.unique(np.concatenate([x.ravel() for x in call.floats]))
        shifted = values * (1 + size * generator.normal(size=values.shape))
        return call.at([shifted[np.searchsorted(values, x)] for x in call.floats])
    pairs = zip(call.floats, call.drawn, strict=True)
    return call.at([x if interval else x * (1 + size * generator.normal(size=x.shape)) for x, interval in pairs])
