"""JAX's control flow as functions: `fori_loop`, `while_loop`, `scan`, `cond`, `switch`, `map`, `associative_scan`.

The program runs for real, so these are loops and choices like any other, and both modes go through all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from gradcli.autodiff import trees
from gradcli.graph.budget import budget
from gradcli.graph.errors import ArgumentError, ShapeError
from gradcli.graph.state import state
from gradcli.graph.values import OPERATORS, CoreValue, shape_of
from gradcli.language.arguments import matched
from gradcli.language.numbers import NUMBERS
from gradcli.language.operations import ELEMENT_BYTES, as_index, truth
from gradcli.language.transforms import function_of
from gradcli.language.values import Arguments, FunctionValue, Keywords, LanguageValue, array, describe
from gradcli.ops.axis_order import moveaxis
from gradcli.ops.kinds import fits
from gradcli.ops.pieces import concatenated, stacked, unbound
from gradcli.tensor import Tensor

if TYPE_CHECKING:
    from gradcli.language.machine import Machine


def _fori_loop(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """`fori_loop(lower, upper, body, init)`: value = body(i, value) for every i."""
    found = matched("fori_loop", args, kwargs, ("lower", "upper", "body_fun", "init_val", "unroll"), 4)
    body = function_of("fori_loop", found["body_fun"])
    value, span = found["init_val"], state.span
    for i in range(as_index(found["lower"], "lower"), as_index(found["upper"], "upper")):
        run.count_step()
        value = _carried("fori_loop", body, value, run.call(body, [i, value]), span)
    return value


def _while_loop(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """`while_loop(cond, body, init)`: value = body(value) for as long as cond(value)."""
    found = matched("while_loop", args, kwargs, ("cond_fun", "body_fun", "init_val"), 3)
    holds = function_of("while_loop", found["cond_fun"])
    body = function_of("while_loop", found["body_fun"])
    value, span = found["init_val"], state.span
    while truth(run.call(holds, [value])):
        run.count_step()
        value = _carried("while_loop", body, value, run.call(body, [value]), span)
    return value


def _carried(
    name: str, f: FunctionValue, before: LanguageValue, after: LanguageValue, span: object | None
) -> LanguageValue:
    """What a step gives to the next: of the form, and the shapes, of what was given to it.

    Raises:
        ArgumentError, ShapeError: it isn't; `span` is the loop's.
    """
    what = f"{name}: what {f.name}() carries on"
    try:
        for old, new in zip(trees.leaves(before), trees.aligned(before, after, what), strict=True):
            if (old is None) != (new is None) or isinstance(new, list | tuple):
                raise ArgumentError(f"{what} is {describe(new)}, and it was given {describe(old)}")
            was, now = _shape(old, name), _shape(new, name)
            if was != now:
                raise ShapeError(f"{what} has shape {fits(now)}, and it was given shape {fits(was)}")
    except (ArgumentError, ShapeError) as error:
        error.span, error.mend = span, "what a loop carries keeps its form and its shapes"
        raise
    return after


def _shape(leaf: LanguageValue, name: str) -> tuple[int, ...]:
    return () if leaf is None or type(leaf) in NUMBERS else shape_of(array(leaf, name))


# --- scans -----------------------------------------------------------------------------------------------------------


def _scan(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """`scan(f, init, xs, length=None, reverse=False)`: carry, y = f(carry, x) for every x; (carry, ys stacked)."""
    names = ("f", "init", "xs", "length", "reverse", "unroll")
    found = matched("scan", args, kwargs, names, 2)
    f = function_of("scan", found["f"])
    backwards = truth(found.get("reverse", False))
    steps = _steps("scan", found.get("xs"), found.get("length"))
    carry, ys, span = found["init"], [], state.span
    for x in reversed(steps) if backwards else steps:
        run.count_step()
        pair = run.call(f, [carry, x])
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise ArgumentError(f"scan: {f.name}() must return a pair: the carry, and what is to be stacked")
        carry, y = _carried("scan", f, carry, pair[0], span), pair[1]
        budget.charge(ELEMENT_BYTES, "a list")
        ys.append(y)
    return carry, _stacked("scan", ys[::-1] if backwards else ys)


def _map(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """`map(f, xs)`: f of every part of xs along the first axis, stacked."""
    found = matched("map", args, kwargs, ("f", "xs", "batch_size"), 2)
    f = function_of("map", found["f"])
    ys = []
    for x in _steps("map", found["xs"], None):
        run.count_step()
        ys.append(run.call(f, [x]))
    return _stacked("map", ys)


def _steps(name: str, xs: LanguageValue, length: LanguageValue) -> Sequence[LanguageValue]:
    """What every step of a loop is given: the parts of `xs`, a tree, along the first axis."""
    count = None if length is None else as_index(length, "length")
    columns = []
    for leaf in trees.leaves(xs):
        if leaf is None:
            continue
        x = array(leaf, name)
        if not shape_of(x):
            raise ArgumentError(f"{name} goes along the first axis, and {describe(leaf)} has none")
        columns.append(x)
    lengths = {shape_of(x)[0] for x in columns} | ({count} if count is not None else set())
    if len(lengths) != 1:
        raise ArgumentError(
            f"{name}: the lengths differ: {sorted(lengths)}" if lengths else f"{name} needs xs or a length"
        )
    (count,) = lengths
    budget.charge(count * ELEMENT_BYTES * max(1, len(columns)), "a list")
    parts = [unbound(x, 0) for x in columns]
    if not parts:
        return [xs] * count
    return [_step(xs, [column[i] for column in parts]) for i in range(count)]


def _step(xs: LanguageValue, values: Sequence[CoreValue]) -> LanguageValue:
    given = iter(values)
    return trees.mapped(lambda leaf: None if leaf is None else Tensor(next(given)), xs)


def _stacked(name: str, ys: Sequence[LanguageValue]) -> LanguageValue:
    """Trees of one form as a tree of stacks."""
    if not ys:
        return Tensor(np.zeros((0,)))
    columns = [trees.aligned(ys[0], y, f"what {name} stacks") for y in ys]
    made = []
    for place, leaf in enumerate(columns[0]):
        made.append(None if leaf is None else Tensor(stacked([array(row[place], name) for row in columns], 0)))
    return trees.like(ys[0], made)


def _associative_scan(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """`associative_scan(f, elems, reverse=False, axis=0)`: all partial results of f, which is associative.

    f is called on whole stretches of elements, and about log2(n) times (Hillis and Steele, 1986).
    """
    found = matched("associative_scan", args, kwargs, ("fn", "elems", "reverse", "axis"), 2)
    f = function_of("associative_scan", found["fn"])
    backwards, axis = truth(found.get("reverse", False)), as_index(found.get("axis", 0), "axis")
    tree = found["elems"]
    held = [moveaxis(array(leaf, "associative_scan"), axis, 0) for leaf in trees.leaves(tree)]
    if backwards:
        held = [_part(x, slice(None, None, -1)) for x in held]
    count, reach = min(shape_of(x)[0] for x in held), 1
    while reach < count:
        run.count_step()
        earlier = [Tensor(_part(x, slice(None, -reach))) for x in held]
        later = [Tensor(_part(x, slice(reach, None))) for x in held]
        joined = run.call(f, [trees.like(tree, earlier), trees.like(tree, later)])
        ends = [array(y, "associative_scan") for y in trees.aligned(tree, joined, "what the function returns")]
        held = [concatenated([_part(x, slice(None, reach)), end], 0) for x, end in zip(held, ends, strict=True)]
        reach *= 2
    if backwards:
        held = [_part(x, slice(None, None, -1)) for x in held]
    return trees.like(tree, [Tensor(moveaxis(x, 0, axis)) for x in held])


def _part(x: CoreValue, index: slice) -> CoreValue:
    return OPERATORS["[]"](x, index)


# --- choices ---------------------------------------------------------------------------------------------------------


def _cond(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """`cond(pred, true_fun, false_fun, *operands)`: one of two functions of the operands."""
    kwargs = dict(kwargs)
    operands = [kwargs.pop("operand")] if "operand" in kwargs else []
    found = matched("cond", args[:3], kwargs, ("pred", "true_fun", "false_fun"), 1)
    operands = [*args[3:], *operands]
    if len(args) == 5 and isinstance(args[2], FunctionValue) and isinstance(args[4], FunctionValue):
        branch, operands = (args[2], [args[1]]) if truth(args[0]) else (args[4], [args[3]])  # as it once was
        return run.call(branch, operands)
    name = "true_fun" if truth(found["pred"]) else "false_fun"
    for each in ("true_fun", "false_fun"):
        function_of("cond", found.get(each))
    return run.call(found[name], operands)


def _switch(run: Machine, args: Arguments, kwargs: Keywords) -> LanguageValue:
    """`switch(index, branches, *operands)`: the branch of that number, the first or last if there is none."""
    found = matched("switch", args[:2], kwargs, ("index", "branches"), 2)
    branches = found["branches"]
    if not isinstance(branches, list | tuple) or not branches:
        raise ArgumentError("switch() takes a list of functions")
    place = min(max(as_index(found["index"], "index"), 0), len(branches) - 1)
    return run.call(function_of("switch", branches[place]), list(args[2:]))


CALLS: dict[str, Callable[[Machine, Arguments, Keywords], Any]] = {
    "associative_scan": _associative_scan,
    "cond": _cond,
    "fori_loop": _fori_loop,
    "map": _map,
    "scan": _scan,
    "switch": _switch,
    "while_loop": _while_loop,
}
