"""The derivative and batching rules of the ops: whose source they are, and which calls of the table use them."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
from operator import itemgetter
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np

from gradcli.autodiff import grad, jvp, vjp
from gradcli.graph.op import Op
from gradcli.graph.values import Value
from gradcli.ops.function import Function
from table.calls import NAMES, Call, calls, complex_calls, nodes
from table.checks import weighed_squares
from table.oracle import random_like

MODES = ("vjp", "jvp", "batch")
#: Modules whose functions serve all ops alike: what the kinds supply is tested by every op's mutants.
_SERVING = frozenset(
    f"gradcli.ops.{name}" for name in ("kinds", "operands", "arguments", "registry", "function", "axes", "results")
)


class Rule(NamedTuple):
    """The part of an op's rules that belongs to one operand: `mode` is "vjp" or "jvp"."""

    op: Op
    mode: str
    operand: int

    def __repr__(self) -> str:
        return f"{self.op.name} {self.mode} {self.operand}"


def all_ops() -> list[Op]:
    """Every op of the table, by name; the rules of others are not its own."""
    gc.unfreeze()  # a command that ran in this process has hidden all there was from the collector
    found = [x for x in gc.get_objects() if isinstance(x, Op)]
    return sorted((op for op in found if _is_of_table(op)), key=lambda op: op.name)


def _is_of_table(op: Op) -> bool:
    return op.vjp is None or str(op.vjp.__module__).startswith("gradcli.ops")


def carries(op: Op) -> bool:
    """Whether an op has derivative rules that give anything but 0."""
    flat = bool(op.partials) and all(not callable(p) and p in (0, None) for p in op.partials)
    return op.kind != "constant" and op.vjp is not None and not flat


# --- source ----------------------------------------------------------------------------------------------------------


def rule_functions(op: Op, mode: str) -> list[FunctionType]:
    """The Python functions of this package that an op's rules of one mode are made of, helpers included."""
    root = {"vjp": op.vjp, "jvp": op.jvp, "batch": op.batch}[mode]
    found: dict[int, FunctionType] = {}
    pending: list[Any] = [root]
    seen: set[int] = set()
    while pending:
        x = pending.pop()
        if id(x) in seen:
            continue
        seen.add(id(x))
        if isinstance(x, tuple | list):
            pending.extend(x)
        elif isinstance(x, dict):
            pending.extend(x.values())
        elif isinstance(x, partial):
            pending.extend([x.func, x.args, x.keywords])
        elif isinstance(x, FunctionType) and x.__module__.startswith("gradcli.ops"):
            pending.extend(_closed_over(x))
            if x.__module__ not in _SERVING:
                found[id(x)] = x
                pending.extend(_helpers(x))
    return list(found.values())


def _closed_over(f: FunctionType) -> Iterator[Any]:
    for cell in f.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not filled
            continue


def _helpers(f: FunctionType) -> Iterator[FunctionType]:
    """Functions of this package that a function names, in nested functions too."""
    return (x for x in _named(f) if isinstance(x, FunctionType))


def _named(f: FunctionType) -> Iterator[Any]:
    codes = [f.__code__]
    while codes:
        code = codes.pop()
        codes.extend(c for c in code.co_consts if hasattr(c, "co_names"))
        yield from (f.__globals__[name] for name in code.co_names if name in f.__globals__)


def _reached_ops(op: Op) -> set[Op]:
    """The ops that an op's derivative rules name."""
    found = set()
    for mode in ("vjp", "jvp"):
        for f in rule_functions(op, mode):
            for x in [*_named(f), *_closed_over(f)]:
                reached = x.op if isinstance(x, Function) else x
                if isinstance(reached, Op) and reached is not op:
                    found.add(reached)
    return found


# --- use -------------------------------------------------------------------------------------------------------------


@contextmanager
def rules_replaced(op: Op, **rules: Any) -> Iterator[None]:
    """The op with other rules, by mode."""
    before = {mode: getattr(op, mode) for mode in rules}
    try:
        for mode, rule in rules.items():
            setattr(op, mode, rule)
        yield
    finally:
        for mode, rule in before.items():
            setattr(op, mode, rule)


def _is_nonzero(x: Any) -> bool:
    if x is None:
        return False
    if isinstance(x, tuple | list):
        return any(_is_nonzero(part) for part in x)
    return isinstance(x, Value) or bool(np.any(np.asarray(x) != 0))


def _watched(op: Op, note: Callable[[Rule], None]) -> dict[str, Any]:
    """Rules that note which operands they give or take something that is not 0."""
    old_vjp, old_jvp = op.vjp, op.jvp
    assert old_vjp is not None and old_jvp is not None

    def new_vjp(g: Any, y: Any, xs: Any, params: Any, wanted: Any) -> Any:
        shares = old_vjp(g, y, xs, params, wanted)
        for i, share in enumerate(shares):
            if wanted[i] and _is_nonzero(share):
                note(Rule(op, "vjp", i))
        return shares

    def new_jvp(tangents: Any, y: Any, xs: Any, params: Any) -> Any:
        t = old_jvp(tangents, y, xs, params)
        if _is_nonzero(t):
            for i, moved in enumerate(tangents):
                if _is_nonzero(moved):
                    note(Rule(op, "jvp", i))
        return t

    return {"vjp": new_vjp, "jvp": new_jvp}


def _differentiate(call: Call) -> None:
    """Every derivative that the checks take of a call, once and twice."""
    outputs = [np.asarray(y) for y in call()]
    if outputs and call.floats and call.function.differentiable:
        jvp(call, call.floats, random_like(call.floats, 1))
        gradient = grad(weighed_squares(call, random_like(outputs, 3)), tuple(range(len(call.floats))))
        jvp(gradient, call.floats, random_like(call.floats, 4))
        vjp(gradient, *call.floats)[1](tuple(random_like(call.floats, 4)))


#: How many calls are looked at to see which operands an op's rules serve.
_LOOKED_AT = 12


@cache
def _direct_users() -> dict[Op, list[Call]]:
    """The calls in which each op runs: those of its own function first, real ones before complex, then small ones."""
    found: dict[Op, list[tuple[Any, Call]]] = {}
    with np.errstate(all="ignore"):
        for name in NAMES:
            for call in [*calls(name), *complex_calls(name)]:
                try:
                    run = nodes(call) if call.function.differentiable else []
                except Exception:  # what fails is told by the test of that function
                    continue
                cost = len(run) * sum(x.size + 5 for x in call.floats)
                kinds = {x.dtype.kind for x in call.floats}
                for op in {node.op for node in run}:
                    key = call.function.op is not op, len(kinds) > 1, "c" in kinds, cost
                    found.setdefault(op, []).append((key, call))
    return {op: [call for _, call in sorted(using, key=itemgetter(0))] for op, using in found.items()}


@cache
def _reaching() -> dict[Op, list[Op]]:
    """The ops whose rules name each op."""
    found: dict[Op, list[Op]] = {}
    for op in all_ops():
        for reached in _reached_ops(op) if carries(op) else ():
            found.setdefault(reached, []).append(op)
    return found


@cache
def users(op: Op) -> list[Call]:
    """The calls that use an op's rules: those in which it runs, else those that differentiate by way of it."""
    found = _direct_users().get(op, [])
    seen, pending = {op}, [op]
    while len(found) < 3 and pending:
        for other in _reaching().get(pending.pop(0), []):
            if other not in seen:
                seen.add(other)
                pending.append(other)
                found = [*found, *_direct_users().get(other, [])[:40]]
    return found


@cache
def rules(op: Op) -> dict[Rule, list[Call]]:
    """The rules of an op that give anything, each with calls that use it."""
    found: dict[Rule, list[Call]] = {}
    current: list[Call] = []

    def note(rule: Rule) -> None:
        using = found.setdefault(rule, [])
        if not using or using[-1] is not current[0]:
            using.append(current[0])

    with rules_replaced(op, **_watched(op, note)), np.errstate(all="ignore"):
        for n, call in enumerate(users(op)):
            if n >= _LOOKED_AT and {rule.mode for rule in found} == {"vjp", "jvp"}:
                break
            current[:] = [call]
            with suppress(Exception):
                _differentiate(call)
    return found
