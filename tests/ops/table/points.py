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
        if not any(isinstance(a, np.ndarray | list) and np.ndim(a) for a in marked):
            found.setdefault(repr((marked, spec.kwargs)), Case(marked, spec.kwargs))
    return [form for form in found.values() if _is_pointwise(function, form)]


def _is_pointwise(function: Function, form: Case) -> bool:
    """Whether the form, called with vectors, gives vectors as long."""
    call = Call(function, _spread(form, [np.full(7, end) for end in _middles(function, form)]), 0)
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


def _spread(form: Case, columns: list[Array]) -> Case:
    args = list(form.args)
    for i, x in zip(_places(form), columns, strict=True):
        args[i] = x
    return Case(tuple(args), form.kwargs)


def pointwise_call(function: Function, form: Case, count: int, seed: int, near: bool = False) -> Call:
    """A call at `count` points: half of them ordinary ones, half all over where the function is defined.

    With `near`, all are ordinary.
    """
    generator = np.random.default_rng(seed)
    ordinary = _ordinary(function, form, count, generator)
    if near:
        return Call(function, _spread(form, ordinary), 0)
    half = count // 2
    far = _far(function, form, count - half, generator)
    return Call(function, _spread(form, [np.concatenate([o[:half], f]) for o, f in zip(ordinary, far, strict=True)]), 0)


def ordinary_call(function: Function, form: Case, count: int, seed: int = 0) -> Call:
    """A call at ordinary points."""
    return Call(function, _spread(form, _ordinary(function, form, count, np.random.default_rng(seed))), 0)


def _ordinary(function: Function, form: Case, count: int, generator: np.random.Generator) -> list[Array]:
    return [generator.uniform(*ends, count) for ends in _ends(function, form)]


def _far(function: Function, form: Case, count: int, generator: np.random.Generator) -> list[Array]:
    """Points wherever the function is defined, as many as are found in a number of attempts."""
    places, many = _places(form), 4 * count
    found = [np.zeros(0) for _ in places]
    for _ in range(60):
        drawn = [wide(generator, many) for _ in places]
        if len(places) > 1:  # not all arguments far out at once
            near = _ordinary(function, form, many, generator)
            drawn = [np.where(generator.random(many) < 0.35, n, d) for n, d in zip(near, drawn, strict=True)]
        keep = holds(function, named(function, _spread(form, drawn)), many)
        found = [np.concatenate([f, d[keep]]) for f, d in zip(found, drawn, strict=True)]
        if len(found[0]) >= count:
            break
    return [f[:count] for f in found]


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


def moved(call: Call, generator: np.random.Generator, size: float = 0.03) -> Call:
    """A call whose given arrays are moved a little; random ones stay."""
    pairs = zip(call.floats, call.drawn, strict=True)
    return call.at([x if interval else x * (1 + size * generator.normal(size=x.shape)) for x, interval in pairs])
